/* Numbers and blanks in every way WGSL allows them. /* Nested. */ @group(9) @binding(9) var no: sampler; */
const G = 1;
const FIRST: u32 = 0x2u;
const SECOND = FIRST + G;
const THIRD = (SECOND - 1) * 4 / 2 % 5;
alias Float = f32;
alias Picture = texture_2d<Float>;
alias Shown = Picture;
@binding(0x0) @group(0u) var<uniform> a: vec4f;
@ group ( G , ) @/**/binding// (8)
(0i,) var
<
storage
,
> b : array<vec4<f32>,
4,>;
@group(G)@binding(FIRST)var c:Shown;@group(G)@binding(SECOND)var d:sampler;
@group(G) @binding(THIRD) var e: texture_storage_2d<rgba8unorm,write,>;
@group(G) @binding(i32(6) - -1) var<storage,read_write,>f:array<u32>;

@compute @workgroup_size(0x4, THIRD, SECOND - 2)
fn main() {
    let sum = a + b[0] + textureSampleLevel(c, d, vec2(0.5), 0.0);
    textureStore(e, vec2(0, 0), sum);
    f[0] = 1u;
}
