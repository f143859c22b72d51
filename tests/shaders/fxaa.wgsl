// Edges by gathers: texture and sampler are not the first arguments there.
@group(0) @binding(1) var screen: texture_2d<f32>;
@group(0) @binding(0) var screen_sampler: sampler;
@group(0) @binding(2) var only_sized: texture_2d<f32>;

fn edge(uv: vec2f) -> f32 {
    let four = textureGather(1, screen, screen_sampler, uv);
    return max(max(four.x, four.y), max(four.z, four.w)) - min(min(four.x, four.y), min(four.z, four.w));
}

@vertex
fn vs(@builtin(vertex_index) i: u32) -> @builtin(position) vec4f {
    return vec4f(f32(i & 1u) * 4.0 - 1.0, f32(i >> 1u) * 4.0 - 1.0, 0.0, 1.0);
}

@fragment
fn fs(@builtin(position) at: vec4f) -> @location(0) vec4f {
    let uv = at.xy / vec2f(textureDimensions(only_sized, 0));
    return vec4f(vec3f(edge(uv)), f32(textureNumLevels(only_sized)));
}
