// Half-size levels of an array texture by compute.
@group(0) @binding(0) var above: texture_2d_array<f32>;
@group(0) @binding(1) var below: texture_storage_2d_array<rgba16float, write>;

@compute @workgroup_size(8, 8, 1)
fn halve(@builtin(global_invocation_id) id: vec3u) {
    let size = textureDimensions(below);
    if (any(id.xy >= size)) { return; }
    var sum = vec4f();
    for (var i = 0u; i < 4u; i++) {
        sum += textureLoad(above, id.xy * 2u + vec2u(i & 1u, i >> 1u), id.z, 0);
    }
    textureStore(below, id.xy, id.z, sum * 0.25);
}
