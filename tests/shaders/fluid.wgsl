// Advects a volume: sampled from one, stored into another, turned by a table.
struct Field { size: vec3f, step: f32 }
@group(0) @binding(0) var<uniform> field: Field;
@group(0) @binding(1) var velocity: texture_3d<f32>;
@group(0) @binding(2) var dye: texture_3d<f32>;
@group(0) @binding(3) var linear: sampler;
@group(0) @binding(4) var advected: texture_storage_3d<rgba16float, write>;
@group(0) @binding(5) var obstacles: texture_3d<f32>;

fn sample_at(t: texture_3d<f32>, at: vec3f) -> vec4f {
    return textureSampleLevel(t, linear, at / field.size, 0.0);
}

@compute @workgroup_size(4, 4, 4)
fn advect(@builtin(global_invocation_id) id: vec3u) {
    let here = vec3f(id) + 0.5;
    let blocked = textureLoad(obstacles, id, 0).r > 0.5;
    let back = here - textureLoad(velocity, id, 0).xyz * field.step;
    textureStore(advected, id, select(sample_at(dye, back), vec4f(0.0), blocked));
}
