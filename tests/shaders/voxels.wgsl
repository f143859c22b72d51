// Marches rays through a grid of palette indices.
struct Ray { origin: vec3f, way: vec3f }
struct View { inverse: mat4x4f, eye: vec3f }
@group(0) @binding(0) var<uniform> view: View;
@group(0) @binding(1) var grid: texture_3d<u32>;
@group(0) @binding(2) var<uniform> palette: array<vec4f, 256>;
@group(0) @binding(3) var height: texture_2d<i32>;

fn inside(at: vec3i) -> bool { return all(at >= vec3i(0)) && all(at < vec3i(textureDimensions(grid))); }

fn march(ray: Ray) -> u32 {
    var at = vec3i(floor(ray.origin));
    let delta = abs(1.0 / ray.way);
    var next = delta * select(ray.origin - vec3f(at), vec3f(at + 1) - ray.origin, ray.way > vec3f(0.0));
    for (var i = 0; i < 256; i++) {
        if (inside(at)) {
            let voxel = textureLoad(grid, at, 0).r;
            if (voxel != 0u) { return voxel; }
        }
        let nearest = next.xyz <= min(next.yzx, next.zxy);
        next += vec3f(nearest) * delta;
        at += vec3i(sign(ray.way)) * vec3i(nearest);
    }
    return 0u;
}

@vertex
fn vs(@builtin(vertex_index) i: u32) -> @builtin(position) vec4f {
    return vec4f(f32(i & 1u) * 4.0 - 1.0, f32(i >> 1u) * 4.0 - 1.0, 0.0, 1.0);
}

@fragment
fn fs(@builtin(position) at: vec4f) -> @location(0) vec4f {
    let way = (view.inverse * vec4f(at.xy, 1.0, 1.0)).xyz;
    let ground = f32(textureLoad(height, vec2i(at.xy) & vec2i(255), 0).x);
    return palette[march(Ray(view.eye + vec3f(0.0, ground, 0.0), normalize(way))) & 255u];
}
