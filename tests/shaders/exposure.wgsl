// Histogram of a picture's light by compute, and the tone map that reads the result.
struct Histogram { bins: array<atomic<u32>, 256> }
@group(0) @binding(0) var hdr: texture_2d<f32>;
@group(0) @binding(1) var<storage, read_write> histogram: Histogram;
@group(0) @binding(2) var<storage, read_write> exposure: f32;
@group(1) @binding(0) var<storage, read> exposure_now: f32;
@group(1) @binding(1) var point_sampler: sampler;

fn light(c: vec3f) -> f32 { return dot(c, vec3f(0.2126, 0.7152, 0.0722)); }

fn bin_of(picture: texture_2d<f32>, at: vec2u) -> u32 {
    return u32(clamp(log2(light(textureLoad(picture, at, 0).rgb) + 0.001) * 10.0 + 128.0, 0.0, 255.0));
}

@compute @workgroup_size(16, 16)
fn count(@builtin(global_invocation_id) id: vec3u) {
    if (any(id.xy >= textureDimensions(hdr))) { return; }
    atomicAdd(&histogram.bins[bin_of(hdr, id.xy)], 1u);
}

@compute @workgroup_size(1)
fn settle() {
    var sum = 0u;
    for (var i = 0u; i < 256u; i++) { sum += atomicLoad(&histogram.bins[i]) * i; }
    exposure = mix(exposure, f32(sum), 0.1);
}

@vertex
fn vs(@builtin(vertex_index) i: u32) -> @builtin(position) vec4f {
    return vec4f(f32(i & 1u) * 4.0 - 1.0, f32(i >> 1u) * 4.0 - 1.0, 0.0, 1.0);
}

@fragment
fn fs(@builtin(position) at: vec4f) -> @location(0) vec4f {
    let c = textureSampleLevel(hdr, point_sampler, at.xy / vec2f(textureDimensions(hdr)), 0.0).rgb;
    return vec4f(1.0 - exp(-c * exposure_now), 1.0);
}
