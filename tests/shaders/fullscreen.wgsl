// A vertex module of its own, for fragment modules of others.
struct Fit { scale: vec2f, offset: vec2f }
@group(0) @binding(0) var<uniform> fit: Fit;
@group(1) @binding(2) var lookup: texture_2d<f32>;
struct Out { @builtin(position) clip: vec4f, @location(0) uv: vec2f }

@vertex
fn vs(@builtin(vertex_index) i: u32) -> Out {
    let corner = vec2f(f32(i & 1u), f32(i >> 1u)) * 2.0;
    let shift = textureLoad(lookup, vec2i(0), 0).xy;
    return Out(vec4f((corner * 2.0 - 1.0) * fit.scale + fit.offset + shift, 0.0, 1.0), corner);
}
