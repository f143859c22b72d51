// Locals and parameters that hide variables of the module: only `seen`, `late` and `map` are used.
@group(0) @binding(0) var<uniform> seen: vec4f;
@group(0) @binding(1) var<storage, read_write> data: array<f32>;
@group(0) @binding(2) var<uniform> late: vec4f;
@group(0) @binding(3) var<uniform> hidden: vec4f;
@group(0) @binding(4) var map: texture_2d<f32>;
@group(0) @binding(5) var<storage, read_write> never: array<f32>;
struct Holder { data: f32, never: f32 }

fn unused() { never[0] = 1.0; }

fn of_param(data: f32) -> f32 { return data * 2.0; }

@vertex
fn vs(@builtin(vertex_index) hidden: u32) -> @builtin(position) vec4f {
    let data = of_param(f32(hidden));
    var holder: Holder;
    holder.data = data;
    holder.never = 1.0;
    for (var late = 0; late < 3; late++) { holder.data += f32(late); }
    if (data > 1.0) {
        let seen = vec4f(1.0);
        return seen * holder.data;
    }
    let map = late + seen;
    return map;
}

@fragment
fn fs() -> @location(0) vec4f {
    let late = late.x;
    return textureLoad(map, vec2i(0), 0) * late;
}
