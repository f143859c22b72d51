// Deferred rendering: the pass that fills the buffers, and the one that lights them.
struct Camera { view: mat4x4f, inverse: mat4x4f }
struct Material { tint: vec4f, rough: f32 }
struct Light { position: vec4f, color: vec3f, reach: f32 }
@group(0) @binding(0) var<uniform> camera: Camera;
@group(1) @binding(0) var<uniform> material: Material;
@group(1) @binding(1) var base: texture_2d<f32>;
@group(1) @binding(2) var linear: sampler;
@group(1) @binding(3) var g_normal: texture_2d<f32>;
@group(1) @binding(4) var g_albedo: texture_2d<f32>;
@group(1) @binding(5) var g_depth: texture_depth_2d;
@group(2) @binding(0) var<storage> lights: array<Light>;

struct Varying { @builtin(position) clip: vec4f, @location(0) normal: vec3f, @location(1) uv: vec2f }
struct Targets { @location(0) normal: vec4f, @location(1) albedo: vec4f }

@vertex
fn vs_fill(@location(0) position: vec3f, @location(1) normal: vec3f, @location(2) uv: vec2f) -> Varying {
    return Varying(camera.view * vec4f(position, 1.0), normal, uv);
}

@fragment
fn fs_fill(in: Varying) -> Targets {
    let albedo = textureSample(base, linear, in.uv) * material.tint;
    return Targets(vec4f(normalize(in.normal), material.rough), albedo);
}

@vertex
fn vs_all(@builtin(vertex_index) i: u32) -> @builtin(position) vec4f {
    var corners = array<vec2f, 3>(vec2f(-1.0, -1.0), vec2f(3.0, -1.0), vec2f(-1.0, 3.0));
    return vec4f(corners[i], 0.0, 1.0);
}

fn world(at: vec2f, depth: f32) -> vec3f {
    let size = vec2f(textureDimensions(g_depth));
    let p = camera.inverse * vec4f(at / size * 2.0 - 1.0, depth, 1.0);
    return p.xyz / p.w;
}

@fragment
fn fs_light(@builtin(position) at: vec4f) -> @location(0) vec4f {
    let texel = vec2i(floor(at.xy));
    let depth = textureLoad(g_depth, texel, 0);
    if (depth >= 1.0) { discard; }
    let normal = textureLoad(g_normal, texel, 0).xyz;
    let albedo = textureLoad(g_albedo, texel, 0).rgb;
    let here = world(at.xy, depth);
    var sum = vec3f(0.0);
    for (var i = 0u; i < arrayLength(&lights); i += 1u) {
        let way = lights[i].position.xyz - here;
        let fade = max(1.0 - length(way) / lights[i].reach, 0.0);
        sum += albedo * lights[i].color * (fade * max(dot(normal, normalize(way)), 0.0));
    }
    return vec4f(sum, 1.0);
}
