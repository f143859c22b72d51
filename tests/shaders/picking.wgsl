// What is under the mouse: ids of integers, looked up by compute.
@group(0) @binding(0) var ids: texture_2d<u32>;
@group(0) @binding(1) var signed_ids: texture_2d<i32>;
@group(0) @binding(2) var samples: texture_multisampled_2d<u32>;
struct Query { at: vec2u, found: u32, state: i32 }
@group(3) @binding(0) var<storage, read_write> query: Query;

@compute @workgroup_size(1, 1, 1,)
fn main() {
    query.found = max(textureLoad(ids, query.at, 0).r, textureLoad(samples, query.at, 0).r);
    query.state = textureLoad(signed_ids, query.at, 0).r;
}
