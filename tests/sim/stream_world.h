/* Slices of stream memory on the simulator, and a pipeline that reads some. */
#ifndef GPOOL_TESTS_SIM_STREAM_WORLD_H
#define GPOOL_TESTS_SIM_STREAM_WORLD_H

#include "follow.h"

static const char take_wgsl[] =
    "@group(0) @binding(0) var<uniform> one: vec4u;\n"
    "@group(0) @binding(1) var<storage, read> many: array<u32>;\n"
    "@group(0) @binding(2) var<storage, read_write> sums: array<u32>;\n"
    "@group(1) @binding(0) var<uniform> two: vec4u;\n"
    "@compute @workgroup_size(1) fn main() { sums[two.x] = one.x + many[0] + two.y; }\n";

#define BLOCK  ((uint64_t)256 << 10)
#define IDLE   62u
#define TARGET ((uint64_t)1 << 21)

static inline void open_every(sim_pool *p, size_t i)
{
    sim_desc desc = { .personality = i % 2 == 0 ? SIM_WGPU_NATIVE : SIM_DAWN };
    sim_pool_open(p, &desc);
}

static inline gpool_recorder begin(sim_pool *p)
{
    assert_same(gpool_begin_frame(p->pool), GPOOL_OK);
    return gpool_frame_recorder(p->pool);
}

static inline void end(sim_pool *p)
{
    assert_same(gpool_end_frame(p->pool), GPOOL_OK);
}

static inline gpool_stream_slice take(sim_pool *p, uint64_t size, uint64_t alignment)
{
    gpool_stream_slice slice;
    assert_same(gpool_stream_alloc(p->pool, size, alignment, &slice), GPOOL_OK);
    assert_non_null(slice.data);
    assert_int_equal(slice.size, size);
    return slice;
}

static inline gpool_buffer buffer_of(sim_pool *p, gpool_stream_slice slice)
{
    gpool_buffer buffer = gpool_stream_buffer(p->pool, slice);
    assert_int_not_equal(buffer.id, 0);
    return buffer;
}

static inline gpool_result refused(sim_pool *p, gpool_stream_slice slice)
{
    assert_int_equal(gpool_stream_buffer(p->pool, slice).id, 0);
    return gpool_last_error(p->pool)->code;
}

/* Copies a slice to a place of a followed buffer; what it holds then is for the caller to fill in. */
static inline void copy(sim_pool *p, gpool_recorder rec, gpool_stream_slice slice, follow *to,
                        uint64_t at)
{
    gpool_copy_buffer(rec, buffer_of(p, slice), slice.offset, to->handle, at, slice.size);
}

/* Fills a slice, and what a copy of it will give. */
static inline void fill(gpool_stream_slice slice, follow *to, uint64_t at, uint64_t seed)
{
    follow_fill(slice.data, slice.size, seed);
    memcpy(to->bytes + at, slice.data, slice.size);
}

static inline void host_take(const sim_work *work, void *user)
{
    (void)user;
    uint64_t size[4] = { 0 };
    const uint8_t *one = sim_work_buffer(work, 0, 0, &size[0]);
    const uint8_t *many = sim_work_buffer(work, 0, 1, &size[1]);
    uint8_t *sums = sim_work_buffer(work, 0, 2, &size[2]);
    const uint8_t *two = sim_work_buffer(work, 1, 0, &size[3]);
    uint32_t numbers[4] = { 0 };
    if (one == NULL || many == NULL || sums == NULL || two == NULL) {
        return;
    }
    memcpy(&numbers[0], one, 4);
    memcpy(&numbers[1], many, 4);
    memcpy(&numbers[2], two, 8);
    uint32_t sum = numbers[0] + numbers[1] + numbers[3];
    /* As many as the counts of the dispatch: those of indirect ones are bytes, too. */
    for (uint32_t i = 0; i < sim_work_counts(work)[0]; ++i) {
        memcpy(sums + 4 * ((size_t)numbers[2] + i), &sum, 4);
    }
}

typedef struct taker {
    gpool_shader shader;
    gpool_layout layout;
    gpool_pipeline pipeline;
    gpool_buffer sums;
} taker;

static inline taker taker_make(sim_pool *p)
{
    taker t;
    sim_register_shader(p->s, take_wgsl, host_take, NULL);
    t.shader = gpool_shader_create(p->pool, &(gpool_shader_desc){ .wgsl = take_wgsl });
    const gpool_layout_entry entries[] = {
        { .binding = 0, .type = GPOOL_BINDING_UNIFORM },
        { .binding = 1, .type = GPOOL_BINDING_STORAGE, .dynamic_offset = true },
        { .binding = 2, .type = GPOOL_BINDING_STORAGE_WRITE, .stages = WGPUShaderStage_Compute },
    };
    t.layout =
        gpool_layout_create(p->pool, &(gpool_layout_desc){ .entries = entries, .entry_count = 3 });
    t.pipeline = gpool_compute_pipeline_create(
        p->pool, &(gpool_compute_pipeline_desc){
                     .shader = t.shader, .layouts = { t.layout, gpool_uniform_layout(p->pool) } });
    t.sums = gpool_buffer_create(
        p->pool, &(gpool_buffer_desc){ .size = 4096,
                                       .usage = GPOOL_BUFFER_STORAGE_WRITE | SIM_POOL_COPYABLE });
    return t;
}

static inline void taker_end(sim_pool *p, taker *t)
{
    assert_same(gpool_buffer_destroy(p->pool, t->sums), GPOOL_OK);
    assert_same(gpool_pipeline_destroy(p->pool, t->pipeline), GPOOL_OK);
    assert_same(gpool_layout_destroy(p->pool, t->layout), GPOOL_OK);
    assert_same(gpool_shader_destroy(p->pool, t->shader), GPOOL_OK);
}

#endif
