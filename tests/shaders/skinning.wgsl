// Skinned meshes with a base color.
struct Joints { matrices: array<mat4x4f, 64> }
@group(0) @binding(0) var<uniform> camera: mat4x4f;
@group(1) @binding(0) var<uniform> joints: Joints;
@group(2) @binding(0) var base_sampler: sampler;
@group(2) @binding(1) var base: texture_2d<f32>;
struct In {
    @location(0) position: vec3f,
    @location(1) uv: vec2f,
    @location(2) weights: vec4f,
    @location(3) joints: vec4f,
}
struct Out { @builtin(position) clip: vec4f, @location(0) uv: vec2f }

@vertex
fn vs(in: In) -> Out {
    let j = vec4u(in.joints);
    let skin = joints.matrices[j.x] * in.weights.x + joints.matrices[j.y] * in.weights.y +
        joints.matrices[j.z] * in.weights.z + joints.matrices[j.w] * in.weights.w;
    return Out(camera * skin * vec4f(in.position, 1.0), in.uv);
}

@fragment
fn fs(in: Out) -> @location(0) vec4f { return textureSampleBias(base, base_sampler, in.uv, -0.5); }
