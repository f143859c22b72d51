// A fragment module for fullscreen.wgsl: it samples what the other only loads.
struct Amount { glow: f32, dark: f32 }
@group(1) @binding(0) var<uniform> amount: Amount;
@group(1) @binding(1) var linear: sampler;
@group(1) @binding(2) var picture: texture_2d<f32>;
@group(1) @binding(3) var glow: texture_2d<f32>;

@fragment
fn fs(@location(0) uv: vec2f) -> @location(0) vec4f {
    let base = textureSample(picture, linear, uv);
    _ = glow;
    let light = textureSample(glow, linear, uv) * amount.glow;
    return base * (1.0 - amount.dark) + light;
}
