/* Numbers of heaps and meshes. */
#include "bounds.h"

#define SLAB   4096u
#define BUDGET 65536u

static const WGPULimits limits = { .maxBufferSize = 131072 };

/* --- heaps --- */

static gpool_heap make_heap(bounds_world *w)
{
    gpool_heap_desc desc = { .slab_size = SLAB, .budget = BUDGET, .empty_frames = 1 };
    gpool_heap heap = gpool_heap_create(w->pool, &desc);
    bounds_must(w, heap.id != 0, "the heap is there", 0, 0);
    return heap;
}

static gpool_mesh make_mesh(bounds_world *w, gpool_heap heap, gpool_keep keep)
{
    static const uint8_t bytes[256];
    gpool_mesh_desc desc = { .heap = heap,
                             .vertices = bytes,
                             .vertex_count = 10,
                             .vertex_stride = 20,
                             .indices = bytes,
                             .index_count = 11,
                             .index_format = WGPUIndexFormat_Uint16,
                             .keep = keep };
    gpool_mesh mesh = gpool_mesh_create(w->pool, &desc);
    bounds_must(w, mesh.id != 0, "the mesh is there", 0, 0);
    return mesh;
}

static void open(bounds_world *w, void **state)
{
    bounds_open(w, bounds_personality(state), &limits);
    /* What is made once is there. */
    gpool_heap heap = make_heap(w);
    bounds_good(w, gpool_mesh_destroy(w->pool, make_mesh(w, heap, GPOOL_KEEP_SHADOW)));
    bounds_good(w, gpool_mesh_destroy(w->pool, make_mesh(w, heap, GPOOL_KEEP_DROP)));
    bounds_good(w, gpool_heap_destroy(w->pool, heap));
    bounds_settle(w);
}

static void sizes_and_budgets_of_heaps(void **state)
{
    bounds_world w;
    open(&w, state);
    bounds_set sizes = bounds_values(limits.maxBufferSize);
    bounds_set_add(&sizes, 4092);
    bounds_set_add(&sizes, 4096);
    bounds_set_add(&sizes, 4100);
    bounds_set others = bounds_values(0);
    for (uint32_t i = 0; i < sizes.count; ++i) {
        for (uint32_t k = 0; k < others.count; ++k) {
            const uint64_t size = sizes.v[i];
            gpool_heap_desc desc = { .slab_size = size,
                                     .budget = others.v[k],
                                     .compact_bytes = others.v[k],
                                     .empty_frames = (uint32_t)others.v[k] };
            bounds_oracle o = { 0 };
            bounds_rule(&o, size != 0 && (size < 4096 || size % 4 != 0), GPOOL_ERROR_OUT_OF_RANGE,
                        size);
            bounds_rule(&o, size > limits.maxBufferSize, GPOOL_ERROR_LIMIT, size);
            bounds_before(&w, "gpool_heap_create");
            gpool_heap heap = gpool_heap_create(w.pool, &desc);
            if (bounds_after_made(&w, &o, heap.id != 0, size, others.v[k])) {
                gpool_heap_info info;
                bounds_good(&w, gpool_heap_get_info(w.pool, heap, &info));
                bounds_must(&w, info.slab_size == (size != 0 ? size : limits.maxBufferSize),
                            "the slab size is told", size, info.slab_size);
                bounds_must(&w, info.budget == others.v[k], "the budget is told", others.v[k],
                            info.budget);
                bounds_good(&w, gpool_heap_compact(w.pool, heap, others.v[k]));
                bounds_good(&w, gpool_begin_frame(w.pool));
                bounds_good(&w, gpool_end_frame(w.pool));
                bounds_good(&w, gpool_heap_destroy(w.pool, heap));
            }
        }
        bounds_settle(&w);
    }
    bounds_close(&w);
}

static void indices_of_slabs(void **state)
{
    bounds_world w;
    open(&w, state);
    gpool_heap heap = make_heap(&w);
    gpool_mesh a = make_mesh(&w, heap, GPOOL_KEEP_SHADOW);
    gpool_mesh b = make_mesh(&w, heap, GPOOL_KEEP_DROP);
    bounds_set values = bounds_values32(2);
    for (uint32_t i = 0; i < values.count; ++i) {
        const uint32_t index = (uint32_t)values.v[i];
        gpool_heap_slab slab;
        gpool_heap_piece piece;
        gpool_heap_cursor cursor = { .word = 0 };
        bounds_oracle o = { 0 };
        bounds_rule(&o, index >= 2, GPOOL_ERROR_OUT_OF_RANGE, index);
        bounds_before(&w, "gpool_heap_get_slab");
        gpool_result got = gpool_heap_get_slab(w.pool, heap, index, &slab);
        (void)bounds_after(&w, &o, got, index, 2);
        bounds_before(&w, "gpool_heap_next_piece");
        bool found = gpool_heap_next_piece(w.pool, heap, index, &cursor, &piece);
        (void)bounds_after_made(&w, &o, found, index, 2);
    }
    bounds_good(&w, gpool_mesh_destroy(w.pool, a));
    bounds_good(&w, gpool_mesh_destroy(w.pool, b));
    bounds_good(&w, gpool_heap_destroy(w.pool, heap));
    bounds_close(&w);
}

/* --- meshes --- */

static void rule_part(bounds_oracle *o, bounds_wide bytes)
{
    const bounds_wide need = (bytes + 3) / 4 * 4;
    bounds_rule(o, need > limits.maxBufferSize, GPOOL_ERROR_LIMIT, (uint64_t)bytes);
    bounds_rule(o, need <= limits.maxBufferSize && need > BUDGET, GPOOL_ERROR_BUDGET,
                (uint64_t)bytes);
}

static void counts_and_strides_of_meshes(void **state)
{
    bounds_world w;
    open(&w, state);
    gpool_heap heap = make_heap(&w);
    bounds_set counts = bounds_values32(BUDGET / 20);
    bounds_set strides = bounds_values32(65536);
    for (uint32_t i = 0; i < counts.count; ++i) {
        for (uint32_t k = 0; k < strides.count; ++k) {
            const uint32_t stride = (uint32_t)strides.v[k];
            gpool_mesh_desc desc = { .heap = heap,
                                     .vertex_count = (uint32_t)counts.v[i],
                                     .vertex_stride = stride,
                                     .storage = k % 3 == 0 };
            bounds_oracle o = { 0 };
            bounds_rule(&o, desc.vertex_count == 0, GPOOL_ERROR_INVALID_ARGUMENT, 0);
            bounds_rule(&o, stride == 0 || stride % 4 != 0 || stride > 65536,
                        GPOOL_ERROR_MISALIGNED, stride);
            rule_part(&o, (bounds_wide)desc.vertex_count * stride);
            bounds_before(&w, "gpool_mesh_create");
            gpool_mesh mesh = gpool_mesh_create(w.pool, &desc);
            if (bounds_after_made(&w, &o, mesh.id != 0, counts.v[i], stride)) {
                gpool_mesh_info info;
                bounds_good(&w, gpool_mesh_get_info(w.pool, mesh, &info));
                bounds_must(&w, info.vertex_bytes == (uint64_t)desc.vertex_count * stride,
                            "its bytes are told", counts.v[i], stride);
                bounds_good(&w, gpool_mesh_destroy(w.pool, mesh));
                bounds_settle(&w);
            }
        }
    }
    for (uint32_t i = 0; i < counts.count; ++i) {
        for (uint32_t format = 0; format < 5; ++format) {
            gpool_mesh_desc desc = { .heap = heap,
                                     .index_count = (uint32_t)counts.v[i],
                                     .index_format = (WGPUIndexFormat)format };
            bounds_oracle o = { 0 };
            bounds_rule(&o, desc.index_count == 0, GPOOL_ERROR_INVALID_ARGUMENT, 0);
            bounds_rule(&o, format > WGPUIndexFormat_Uint32, GPOOL_ERROR_INVALID_ARGUMENT, format);
            rule_part(&o,
                      (bounds_wide)desc.index_count * (format == WGPUIndexFormat_Uint16 ? 2 : 4));
            bounds_before(&w, "gpool_mesh_create of indices");
            gpool_mesh mesh = gpool_mesh_create(w.pool, &desc);
            if (bounds_after_made(&w, &o, mesh.id != 0, counts.v[i], format)) {
                bounds_good(&w, gpool_mesh_destroy(w.pool, mesh));
                bounds_settle(&w);
            }
        }
    }
    bounds_good(&w, gpool_heap_destroy(w.pool, heap));
    bounds_close(&w);
}

static void enumerations_and_pointers_of_meshes(void **state)
{
    bounds_world w;
    open(&w, state);
    gpool_heap heap = make_heap(&w);
    bounds_set values = bounds_values32(0);
    static const uint8_t bytes[64];
    for (uint32_t i = 0; i < values.count; ++i) {
        for (int data = 0; data < 4; ++data) {
            const uint32_t keep = (uint32_t)values.v[i];
            gpool_mesh_desc desc = { .heap = heap,
                                     .vertices = (data & 1) != 0 ? bytes : NULL,
                                     .vertex_count = 2,
                                     .vertex_stride = 4,
                                     .indices = (data & 2) != 0 ? bytes : NULL,
                                     .keep = (gpool_keep)keep };
            bounds_oracle o = { 0 };
            bounds_rule(&o, keep > GPOOL_KEEP_DROP, GPOOL_ERROR_INVALID_ARGUMENT, keep);
            bounds_rule(&o, (data & 2) != 0, GPOOL_ERROR_INVALID_ARGUMENT, 0);
            bounds_before(&w, "gpool_mesh_create");
            gpool_mesh mesh = gpool_mesh_create(w.pool, &desc);
            if (bounds_after_made(&w, &o, mesh.id != 0, keep, (uint64_t)data)) {
                bounds_good(&w, gpool_mesh_destroy(w.pool, mesh));
            }
        }
    }
    bounds_good(&w, gpool_heap_destroy(w.pool, heap));
    bounds_close(&w);
}

static void offsets_and_sizes_of_mesh_writes(void **state)
{
    static uint8_t bytes[4096];
    bounds_world w;
    open(&w, state);
    gpool_heap heap = make_heap(&w);
    static const uint64_t sizes[GPOOL_MESH_PARTS] = { 200, 22 };
    for (int keep = GPOOL_KEEP_SHADOW; keep <= GPOOL_KEEP_DROP; ++keep) {
        gpool_mesh mesh = make_mesh(&w, heap, (gpool_keep)keep);
        gpool_mesh after = make_mesh(&w, heap, (gpool_keep)keep);
        bounds_good(&w, gpool_process_uploads(w.pool));
        for (uint32_t n = 0; n < 5; ++n) {
            const uint32_t part = n < 4 ? n : UINT32_MAX;
            const bool known = part < GPOOL_MESH_PARTS;
            const uint64_t whole = known ? sizes[part] : 0;
            bounds_set values = bounds_values(known ? whole : 0);
            for (uint32_t i = 0; i < values.count; ++i) {
                for (uint32_t k = 0; k < values.count; ++k) {
                    const uint64_t offset = values.v[i];
                    const uint64_t size = values.v[k];
                    bounds_oracle o = { 0 };
                    if (known) {
                        bounds_rule_range(&o, offset, size, whole);
                    }
                    bounds_rule(&o, !known, GPOOL_ERROR_INVALID_ARGUMENT, part);
                    const bool words = offset % 4 == 0 && (size % 4 == 0 || offset + size == whole);
                    bounds_rule(&o, known && keep == GPOOL_KEEP_DROP && size > 0 && !words,
                                GPOOL_ERROR_MISALIGNED, offset);
                    bounds_before(&w, "gpool_mesh_write");
                    gpool_result got =
                        gpool_mesh_write(w.pool, mesh, (gpool_mesh_part)part, offset, bytes, size);
                    (void)bounds_after(&w, &o, got, offset, size);
                    /* Without data the same, but for nothing. */
                    bounds_rule_plain(&o, size > 0, GPOOL_ERROR_INVALID_ARGUMENT);
                    bounds_before(&w, "gpool_mesh_write without data");
                    got = gpool_mesh_write(w.pool, mesh, (gpool_mesh_part)part, offset, NULL, size);
                    (void)bounds_after(&w, &o, got, offset, size);
                }
            }
        }
        bounds_good(&w, gpool_mesh_destroy(w.pool, mesh));
        bounds_good(&w, gpool_mesh_destroy(w.pool, after));
    }
    bounds_good(&w, gpool_heap_destroy(w.pool, heap));
    bounds_close(&w);
}

static void counts_of_mesh_resizes(void **state)
{
    bounds_world w;
    open(&w, state);
    gpool_heap heap = make_heap(&w);
    bounds_set vertices = bounds_values32(10);
    bounds_set indices = bounds_values32(11);
    for (int keep = GPOOL_KEEP_SHADOW; keep <= GPOOL_KEEP_DROP; ++keep) {
        for (uint32_t i = 0; i < vertices.count; ++i) {
            for (uint32_t k = 0; k < indices.count; ++k) {
                gpool_mesh mesh = make_mesh(&w, heap, (gpool_keep)keep);
                bounds_good(&w, gpool_process_uploads(w.pool));
                const uint32_t vertex_count = (uint32_t)vertices.v[i];
                const uint32_t index_count = (uint32_t)indices.v[k];
                const bounds_wide bytes = (bounds_wide)vertex_count * 20;
                bounds_oracle o = { 0 };
                bounds_rule(&o, vertex_count == 0 && index_count == 0, GPOOL_ERROR_INVALID_ARGUMENT,
                            0);
                bounds_rule(&o, keep == GPOOL_KEEP_DROP && index_count < 11 && index_count % 2 != 0,
                            GPOOL_ERROR_MISALIGNED, index_count);
                const bounds_wide parts[] = { bytes, (bounds_wide)index_count * 2 };
                bounds_wide sum = SLAB;
                for (int part = 0; part < 2; ++part) {
                    const bounds_wide need = (parts[part] + 3) / 4 * 4;
                    bounds_rule(&o, need > limits.maxBufferSize, GPOOL_ERROR_LIMIT,
                                (uint64_t)parts[part]);
                    sum += need > SLAB / 2 ? need : 0;
                }
                bounds_rule_plain(&o, sum > BUDGET, GPOOL_ERROR_BUDGET);
                bounds_before(&w, "gpool_mesh_resize");
                gpool_result got = gpool_mesh_resize(w.pool, mesh, vertex_count, index_count);
                /* What a first part did before a second was refused is GPU work, but no change. */
                w.calls_allowed = true;
                w.calls_before = sim_call_count(w.s, SIM_ANY_FUNCTION);
                if (got == GPOOL_OK || o.count == 0) {
                    (void)bounds_after(&w, &o, got, vertex_count, index_count);
                } else {
                    bool listed = false;
                    for (uint32_t r = 0; r < o.count; ++r) {
                        listed = listed || o.broken[r].code == got;
                    }
                    bounds_must(&w, listed, "the code is of a broken rule", vertex_count,
                                index_count);
                    gpool_mesh_info info;
                    bounds_good(&w, gpool_mesh_get_info(w.pool, mesh, &info));
                    bounds_must(&w, info.vertex_count == 10 && info.index_count == 11,
                                "it is as before", vertex_count, index_count);
                }
                w.calls_allowed = false;
                bounds_good(&w, gpool_mesh_destroy(w.pool, mesh));
                bounds_settle(&w);
            }
        }
    }
    bounds_good(&w, gpool_heap_destroy(w.pool, heap));
    bounds_close(&w);
}

/* --- draws --- */

static const char draw_wgsl[] = "@vertex fn vs() -> @builtin(position) vec4f { return vec4f(); }\n"
                                "@fragment fn fs() -> @location(0) vec4f { return vec4f(); }\n";

static void slots_firsts_and_counts_of_mesh_draws(void **state)
{
    bounds_world w;
    open(&w, state);
    gpool_heap heap = make_heap(&w);
    gpool_mesh mesh = make_mesh(&w, heap, GPOOL_KEEP_SHADOW);
    gpool_texture_desc target = { .width = 4,
                                  .format = WGPUTextureFormat_RGBA8Unorm,
                                  .usage = GPOOL_TEXTURE_TARGET };
    gpool_texture texture = gpool_texture_create(w.pool, &target);
    gpool_shader shader = gpool_shader_create(w.pool, &(gpool_shader_desc){ .wgsl = draw_wgsl });
    gpool_pipeline pipeline = gpool_render_pipeline_create(
        w.pool, &(gpool_render_pipeline_desc){
                    .shader = shader, .colors[0] = { .format = target.format }, .samples = 1 });
    bounds_set values = bounds_values32(11);
    bool skipped = false;
    gpool_recorder rec = { 0 };
    for (uint32_t i = 0; i < values.count; ++i) {
        rec = bounds_begin(&w);
        skipped = false;
        gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = texture } });
        gpool_set_pipeline(rec, pipeline);
        gpool_set_mesh(rec, 0, mesh);
        for (uint32_t k = 0; k < values.count; ++k) {
            const gpool_draw_mesh_args args = { .first = (uint32_t)values.v[i],
                                                .count = (uint32_t)values.v[k],
                                                .instance_count = k % 2 };
            bounds_oracle o = { 0 };
            bounds_rule_range(&o, args.first, args.count, 11);
            bounds_before(&w, "gpool_draw_mesh");
            gpool_draw_mesh(rec, mesh, &args);
            skipped = !bounds_after_record(&w, &o, args.first, args.count) || skipped;
        }
        bounds_oracle o = { 0 };
        bounds_rule(&o, values.v[i] >= GPOOL_MAX_VERTEX_BUFFERS, GPOOL_ERROR_OUT_OF_RANGE,
                    values.v[i]);
        bounds_before(&w, "gpool_set_mesh");
        gpool_set_mesh(rec, (uint32_t)values.v[i], mesh);
        skipped = !bounds_after_record(&w, &o, values.v[i], 0) || skipped;
        bounds_end_pass(&w, rec, skipped);
    }
    bounds_good(&w, gpool_mesh_destroy(w.pool, mesh));
    bounds_good(&w, gpool_heap_destroy(w.pool, heap));
    bounds_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOUNDS_TEST(sizes_and_budgets_of_heaps),
        BOUNDS_TEST(indices_of_slabs),
        BOUNDS_TEST(counts_and_strides_of_meshes),
        BOUNDS_TEST(enumerations_and_pointers_of_meshes),
        BOUNDS_TEST(offsets_and_sizes_of_mesh_writes),
        BOUNDS_TEST(counts_of_mesh_resizes),
        BOUNDS_TEST(slots_firsts_and_counts_of_mesh_draws),
    };
    return cmocka_run_group_tests_name("bounds of heaps", tests, NULL, NULL);
}
