// A depth pass from the light, and a color pass that compares with it.
struct Scene { light: mat4x4f, camera: mat4x4f, sun: vec3f }
struct Model { place: mat4x4f }
@group(0) @binding(0) var<uniform> scene: Scene;
@group(1) @binding(0) var<uniform> model: Model;
@group(0) @binding(1) var shadow: texture_depth_2d;
@group(0) @binding(2) var compare: sampler_comparison;

@vertex
fn vs_shadow(@location(0) position: vec3f) -> @builtin(position) vec4f {
    return scene.light * model.place * vec4f(position, 1.0);
}

struct Out { @builtin(position) clip: vec4f, @location(0) seen: vec3f, @location(1) normal: vec3f }

@vertex
fn vs_main(@location(0) position: vec3f, @location(1) normal: vec3f) -> Out {
    let at = scene.light * model.place * vec4f(position, 1.0);
    return Out(scene.camera * model.place * vec4f(position, 1.0),
               vec3f(at.xy * vec2f(0.5, -0.5) + 0.5, at.z), normal);
}

@fragment
fn fs_main(in: Out) -> @location(0) vec4f {
    var lit = 0.0;
    let texel = 1.0 / vec2f(textureDimensions(shadow));
    for (var y = -1; y <= 1; y++) {
        for (var x = -1; x <= 1; x++) {
            lit += textureSampleCompareLevel(shadow, compare, in.seen.xy + vec2f(vec2(x, y)) * texel,
                                             in.seen.z - 0.007);
        }
    }
    return vec4f(vec3f(lit / 9.0 * max(dot(in.normal, scene.sun), 0.2)), 1.0);
}
