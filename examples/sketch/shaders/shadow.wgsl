// shadow.wgsl: depth of the shadow casters as the sun sees them. Same inputs as scene.wgsl.

struct Frame {
    view_projection: mat4x4f,   // the sun's
}

struct Item {
    place: mat4x4f,
    look: vec4f,
}

@group(0) @binding(0) var<uniform> frame: Frame;
@group(1) @binding(0) var<uniform> item: Item;

fn rotate(q: vec4f, v: vec3f) -> vec3f {
    return v + 2.0 * cross(q.xyz, cross(q.xyz, v) + q.w * v);
}

// Instances that spin by themselves cast no shadow, so `rotation` is all there is.
@vertex
fn vs_shadow(@location(0) position: vec3f, @location(4) position_scale: vec4f,
             @location(5) rotation: vec4f) -> @builtin(position) vec4f {
    let local = rotate(rotation, position * position_scale.w) + position_scale.xyz;
    return frame.view_projection * (item.place * vec4f(local, 1.0));
}
