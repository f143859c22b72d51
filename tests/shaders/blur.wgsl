// Separable blur through workgroup memory into a storage texture.
struct Params { radius: i32, flip: u32 }
@group(0) @binding(0) var linear: sampler;
@group(0) @binding(1) var<uniform> params: Params;
@group(1) @binding(1) var source: texture_2d<f32>;
@group(1) @binding(2) var result: texture_storage_2d<rgba8unorm, write>;
var<workgroup> tile: array<array<vec3f, 128>, 4>;

@compute @workgroup_size(32, 1, 1)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
    let size = vec2i(textureDimensions(source, 0));
    let base = vec2i(group.xy * vec2u(120u, 4u) + local.xy * vec2u(4u, 1u)) - vec2i(params.radius, 0);
    for (var r = 0u; r < 4u; r++) {
        for (var c = 0u; c < 4u; c++) {
            let at = select(base + vec2i(vec2u(c, r)), (base + vec2i(vec2u(c, r))).yx, params.flip != 0u);
            tile[r][4u * local.x + c] =
                textureSampleLevel(source, linear, (vec2f(at) + 0.25) / vec2f(size), 0.0).rgb;
        }
    }
    workgroupBarrier();
    for (var r = 0u; r < 4u; r++) {
        let at = vec2i(i32(local.x) * 4, i32(r)) + vec2i(group.xy);
        if (all(at < size)) {
            var sum = vec3f(0.0);
            for (var f = 0; f < params.radius; f++) { sum += tile[r][u32(f) + local.x]; }
            textureStore(result, at, vec4f(sum / f32(params.radius), 1.0));
        }
    }
}
