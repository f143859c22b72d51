// Prefix sum by blocks, with names for everything.
alias Count = u32;
alias Counts = array<Count>;
alias Again = Counts;
@group(0) @binding(0) var<storage, read> values: Again;
@group(0) @binding(1) var<storage, read_write> sums: Again;
@group(0) @binding(2) var<storage, read_write> blocks: Counts;
const BLOCK: u32 = 2u * 64u;
var<workgroup> shared_sums: array<Count, BLOCK>;

@compute @workgroup_size(BLOCK / 2)
fn up(@builtin(global_invocation_id) id: vec3<u32>, @builtin(local_invocation_id) at: vec3<u32>,
      @builtin(workgroup_id) block: vec3<u32>) {
    shared_sums[at.x] = select(0u, values[id.x], id.x < arrayLength(&values));
    var step = 1u;
    while (step < BLOCK) {
        workgroupBarrier();
        let add = select(0u, shared_sums[max(at.x, step) - step], at.x >= step);
        workgroupBarrier();
        shared_sums[at.x] += add;
        step *= 2u;
    }
    sums[id.x] = shared_sums[at.x];
    if (at.x == 63u) { blocks[block.x] = shared_sums[at.x]; }
}

@compute @workgroup_size(64)
fn down(@builtin(global_invocation_id) id: vec3<u32>, @builtin(workgroup_id) block: vec3<u32>) {
    if (block.x > 0u) { sums[id.x] += blocks[block.x - 1u]; }
}
