// Heights loaded by the vertex stage, layers sampled through two functions.
struct View { matrix: mat4x4f, spacing: f32 }
@group(0) @binding(0) var<uniform> view: View;
@group(1) @binding(0) var heights: texture_2d<f32>;
@group(1) @binding(1) var layers: texture_2d_array<f32>;
@group(1) @binding(2) var splat: texture_2d<f32>;
@group(1) @binding(3) var repeating: sampler;
struct Out { @builtin(position) clip: vec4f, @location(0) uv: vec2f }

fn height(map: texture_2d<f32>, at: vec2i) -> f32 { return textureLoad(map, at, 0).r; }

@vertex
fn vs(@builtin(vertex_index) v: u32) -> Out {
    let at = vec2i(vec2u(v % 256u, v / 256u));
    let y = height(heights, at) + 0.25 * height(heights, at + vec2i(1, 0));
    return Out(view.matrix * vec4f(f32(at.x) * view.spacing, y, f32(at.y) * view.spacing, 1.0),
               vec2f(at) / 256.0);
}

fn weights(map: texture_2d<f32>, s: sampler, uv: vec2f) -> vec4f { return textureSample(map, s, uv); }
fn weights_again(uv: vec2f, map: texture_2d<f32>, s: sampler) -> vec4f { return weights((map), s, uv); }

@fragment
fn fs(in: Out) -> @location(0) vec4f {
    let w = weights_again(in.uv, splat, repeating);
    var color = vec3f(0.0);
    for (var i = 0; i < 4; i++) {
        color += textureSampleGrad(layers, repeating, in.uv * 16.0, i, vec2f(0.01), vec2f(0.01)).rgb * w[i];
    }
    return vec4f(color, 1.0);
}
