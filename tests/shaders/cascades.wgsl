// Shadows of a sun in cascades and of points in cubes; depth is also loaded.
struct Sun { cascades: array<mat4x4f, 4>, splits: vec4f }
@group(0) @binding(0) var<uniform> sun: Sun;
@group(0) @binding(1) var cascades: texture_depth_2d_array;
@group(0) @binding(2) var points: texture_depth_cube;
@group(0) @binding(3) var many_points: texture_depth_cube_array;
@group(0) @binding(4) var compare: sampler_comparison;
@group(0) @binding(5) var before: texture_depth_2d;

fn sunlight(maps: texture_depth_2d_array, s: sampler_comparison, at: vec3f, layer: i32) -> f32 {
    let seen = sun.cascades[layer] * vec4f(at, 1.0);
    return textureSampleCompareLevel(maps, s, seen.xy, layer, seen.z);
}

@vertex
fn vs(@builtin(vertex_index) i: u32) -> @builtin(position) vec4f {
    return vec4f(f32(i & 1u) * 4.0 - 1.0, f32(i >> 1u) * 4.0 - 1.0, 0.0, 1.0);
}

@fragment
fn fs(@builtin(position) at: vec4f) -> @location(0) vec4f {
    let z = textureLoad(before, vec2u(at.xy), 0);
    let layer = select(1, 0, z < sun.splits.x);
    let a = sunlight(cascades, compare, vec3f(at.xy, z), layer);
    let b = textureSampleCompareLevel(points, compare, at.xyz, z);
    let c = textureSampleCompareLevel(many_points, compare, at.xyz, 1, z);
    return vec4f(a, b, c, 1.0);
}
