// One buffer, written by the simulation and read by the vertex stage: two variables of one number.
struct Particle { position: vec3f, age: f32, speed: vec3f, seed: u32 }
struct Frame { view: mat4x4f, right: vec3f, step: f32 }
@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<storage, read_write> moved: array<Particle>;
@group(0) @binding(1) var<storage, read> shown: array<Particle>;
@group(0) @binding(2) var<storage, read_write> alive: atomic<u32>;
@group(1) @binding(0) var spark: texture_2d<f32>;
@group(1) @binding(1) var spark_sampler: sampler;

fn random(seed: ptr<function, u32>) -> f32 {
    *seed = *seed * 747796405u + 2891336453u;
    return f32(*seed >> 8u) / 16777216.0;
}

@compute @workgroup_size(64)
fn simulate(@builtin(global_invocation_id) id: vec3u) {
    let p = &moved[id.x];
    (*p).age -= frame.step;
    (*p).position += (*p).speed * frame.step;
    if ((*p).age < 0.0) {
        var seed = (*p).seed;
        (*p).age = random(&seed);
        (*p).seed = seed;
    } else {
        atomicAdd(&alive, 1u);
    }
}

struct Out { @builtin(position) clip: vec4f, @location(0) uv: vec2f }

@vertex
fn vs(@builtin(vertex_index) v: u32, @builtin(instance_index) i: u32) -> Out {
    let uv = vec2f(f32(v & 1u), f32(v >> 1u));
    let at = shown[i].position + frame.right * (uv.x - 0.5) + vec3f(0.0, uv.y, 0.0);
    return Out(frame.view * vec4f(at, 1.0), uv);
}

@fragment
fn fs(in: Out) -> @location(0) vec4f {
    return textureSample(spark, spark_sampler, in.uv);
}
