// Occlusion from depth and normals, all loaded; noise repeats by sampling.
struct Settings { projection: mat4x4f, kernel: array<vec4f, 16>, radius: f32 }
@group(0) @binding(0) var depth: texture_depth_2d;
@group(0) @binding(1) var normals: texture_2d<f32>;
@group(0) @binding(2) var noise: texture_2d<f32>;
@group(0) @binding(3) var noise_sampler: sampler;
@group(0) @binding(4) var<uniform> settings: Settings;
@group(0) @binding(5) var occlusion: texture_storage_2d<r32float, write>;

fn view_at(at: vec2i) -> vec3f { return vec3f(vec2f(at), textureLoad(depth, at, 0)); }

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let at = vec2i(id.xy);
    let here = view_at(at);
    let normal = textureLoad(normals, at, 0).xyz;
    let turn = textureSampleLevel(noise, noise_sampler, vec2<f32>(id.xy) / 4.0, 0.0).xyz;
    var open = 0.0;
    for (var i = 0; i < 16; i++) {
        let probe = here + reflect(settings.kernel[i].xyz, turn) * settings.radius;
        let clip = settings.projection * vec4<f32>(probe, 1.0);
        open += select(0.0, 1.0, view_at(vec2i(clip.xy)).z >= probe.z && dot(normal, probe) > 0.0);
    }
    textureStore(occlusion, at, vec4f(open / 16.0));
}
