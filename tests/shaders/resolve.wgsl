// Resolves multisampled color by hand, nearest samples by depth.
@group(0) @binding(0) var color: texture_multisampled_2d<f32>;
@group(0) @binding(1) var depth: texture_depth_multisampled_2d;

@vertex
fn vs(@builtin(vertex_index) i: u32) -> @builtin(position) vec4f {
    return vec4f(f32(i & 1u) * 4.0 - 1.0, f32(i >> 1u) * 4.0 - 1.0, 0.0, 1.0);
}

@fragment
fn fs(@builtin(position) at: vec4f) -> @location(0) vec4f {
    let texel = vec2i(at.xy);
    var sum = vec4f(0.0);
    var weight = 0.0;
    for (var i = 0; i < i32(textureNumSamples(color)); i++) {
        let w = 1.0 - textureLoad(depth, texel, i);
        sum += textureLoad(color, texel, i) * w;
        weight += w;
    }
    return sum / weight;
}
