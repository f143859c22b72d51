// Instances from storage that only the vertex stage reads, materials that only the fragment stage reads.
struct Instance { place: mat4x4f, material: u32 }
struct Material { color: vec4f }
@group(0) @binding(0) var<uniform> view: mat4x4f;
@group(1) @binding(0) var<storage, read> instances: array<Instance>;
@group(1) @binding(1) var<storage, read> materials: array<Material>;
struct Out { @builtin(position) clip: vec4f, @location(0) @interpolate(flat) material: u32 }

@vertex
fn vs(@location(0) position: vec3f, @builtin(instance_index) i: u32) -> Out {
    return Out(view * instances[i].place * vec4f(position, 1.0), instances[i].material);
}

@fragment
fn fs(in: Out) -> @location(0) vec4f { return materials[in.material].color; }
