// Cells in storage textures: one is read and written in place, one is only written.
@group(0) @binding(0) var cells: texture_storage_2d<r32uint, read_write>;
@group(0) @binding(1) var picture: texture_storage_2d<rgba8unorm, write>;
@group(0) @binding(2) var line: texture_storage_1d<rgba32float, write>;
@group(0) @binding(3) var volume: texture_storage_3d<rgba16float, write>;

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let cell = textureLoad(cells, id.xy).r;
    textureStore(cells, id.xy, vec4u(cell ^ 1u));
    textureStore(picture, id.xy, vec4f(f32(cell)));
    textureStore(line, id.x, vec4f(f32(cell)));
    textureStore(volume, id, vec4f(f32(cell)));
}
