// A cube map behind everything, and one that a mesh mirrors.
struct View { inverse: mat4x4f, eye: vec3f, layer: u32 }
@group(0) @binding(0) var<uniform> view: View;
@group(0) @binding(1) var smooth_sampler: sampler;
@group(0) @binding(2) var sky: texture_cube<f32>;
@group(0) @binding(3) var probes: texture_cube_array<f32>;
struct Out { @builtin(position) clip: vec4f, @location(0) way: vec3f }

@vertex
fn vs(@builtin(vertex_index) i: u32) -> Out {
    let corner = vec2f(f32(i & 1u), f32(i >> 1u)) * 4.0 - 1.0;
    return Out(vec4f(corner, 1.0, 1.0), (view.inverse * vec4f(corner, 1.0, 0.0)).xyz);
}

@fragment
fn fs_sky(in: Out) -> @location(0) vec4f {
    return textureSample(sky, smooth_sampler, in.way);
}

@fragment
fn fs_mirror(in: Out) -> @location(0) vec4f {
    return textureSampleLevel(probes, smooth_sampler, reflect(in.way - view.eye, vec3f(0.0, 1.0, 0.0)),
                              view.layer, 2.0);
}
