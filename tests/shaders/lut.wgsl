// Color grading: a picture through a 3D table and a ramp.
@group(0) @binding(0) var picture: texture_2d<f32>;
@group(0) @binding(1) var lut: texture_3d<f32>;
@group(0) @binding(2) var ramp: texture_1d<f32>;
@group(0) @binding(3) var nearest: sampler;
@group(0) @binding(4) var linear: sampler;
override strength: f32 = 1.0;

@vertex
fn vs(@builtin(vertex_index) i: u32) -> @builtin(position) vec4f {
    return vec4f(f32(i & 1u) * 4.0 - 1.0, f32(i >> 1u) * 4.0 - 1.0, 0.0, 1.0);
}

@fragment
fn fs(@builtin(position) at: vec4f) -> @location(0) vec4f {
    let c = textureSampleLevel(picture, nearest, at.xy / vec2f(textureDimensions(picture)), 0.0);
    let graded = textureSampleLevel(lut, linear, c.rgb * (31.0 / 32.0) + 0.5 / 32.0, 0.0);
    let light = dot(graded.rgb, vec3f(0.2126, 0.7152, 0.0722));
    let last = i32(textureDimensions(ramp)) - 1;
    return mix(c, graded * textureLoad(ramp, i32(light * f32(last)), 0), strength);
}
