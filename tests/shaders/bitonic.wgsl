// Bitonic sort, local and global steps; two entry points that bind different things.
override group_size: u32 = 128u;
const SIZE = 128;
var<workgroup> local_data: array<u32, SIZE * 2>;
struct Step { height: u32, algorithm: u32 }
@group(0) @binding(0) var<storage, read> input: array<u32>;
@group(0) @binding(1) var<storage, read_write> data: array<u32>;
@group(0) @binding(2) var<uniform> step: Step;
@group(0) @binding(3) var<storage, read_write> swaps: atomic<u32>;

fn compare_local(a: u32, b: u32) {
    if (local_data[b] < local_data[a]) {
        atomicAdd(&swaps, 1u);
        let t = local_data[a];
        local_data[a] = local_data[b];
        local_data[b] = t;
    }
}

@compute @workgroup_size(SIZE, 1)
fn sort_local(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_id) at: vec3u) {
    local_data[at.x * 2u] = input[id.x * 2u];
    local_data[at.x * 2u + 1u] = input[id.x * 2u + 1u];
    workgroupBarrier();
    for (var h = 2u; h <= step.height; h <<= 1u) {
        compare_local(at.x, min(at.x ^ (h - 1u), SIZE * 2u - 1u));
        workgroupBarrier();
    }
    data[id.x] = local_data[at.x];
}

@compute @workgroup_size(group_size)
fn sort_global(@builtin(global_invocation_id) id: vec3u) {
    let other = id.x ^ step.height;
    if (other > id.x && data[other] < data[id.x]) {
        let t = data[id.x];
        data[id.x] = data[other];
        data[other] = t;
    }
}
