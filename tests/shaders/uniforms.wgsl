// Ten uniform buffers: group 3 is that of gpool_set_uniforms() and is dynamic before all others.
@group(0) @binding(0) var<uniform> a: vec4f;
@group(0) @binding(1) var<uniform> b: vec4f;
@group(0) @binding(2) var<uniform> c: vec4f;
@group(0) @binding(3) var<uniform> d: vec4f;
@group(1) @binding(0) var<uniform> e: vec4f;
@group(1) @binding(1) var<uniform> f: vec4f;
@group(1) @binding(2) var<uniform> g: vec4f;
@group(2) @binding(4) var<uniform> h: vec4f;
@group(2) @binding(9) var<uniform> i: vec4f;
@group(3) @binding(0) var<uniform> own: vec4f;
@group(3) @binding(1) var<storage, read_write> result: vec4f;

@compute @workgroup_size(1)
fn main() { result = a + b + c + d + e + f + g + h + i; }

@vertex
fn vs() -> @builtin(position) vec4f { return a + b + c + d + own; }
@fragment
fn fs() -> @location(0) vec4f { return e + f + g + h + i; }
