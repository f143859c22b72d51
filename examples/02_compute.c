/* 02_compute: squares numbers in a storage buffer, twice, and adds a constant from a uniform. */
#include <gpool/gpool.h>

#include <stdio.h>

#define COUNT 1000u

static const char wgsl[] =
    "struct Constants { addend: u32, count: u32 }\n"
    "@group(0) @binding(0) var<uniform> constants: Constants;\n"
    "@group(1) @binding(0) var<storage, read> numbers: array<u32>;\n"
    "@group(1) @binding(1) var<storage, read_write> results: array<u32>;\n"
    "@compute @workgroup_size(64)\n"
    "fn square(@builtin(global_invocation_id) id: vec3u) {\n"
    "    if (id.x < constants.count) {\n"
    "        results[id.x] = numbers[id.x] * numbers[id.x] + constants.addend;\n"
    "    }\n"
    "}\n";

/* One frame: writes a number, dispatches. */
static gpool_result run(gpool *pool, gpool_pipeline pipeline, gpool_layout layout,
                        gpool_buffer numbers, gpool_buffer results, uint32_t addend)
{
    gpool_begin_frame(pool);
    gpool_recorder rec = gpool_frame_recorder(pool);
    gpool_begin_compute(rec, "squares");
    gpool_set_pipeline(rec, pipeline);
    const uint32_t constants[4] = { addend, COUNT };
    gpool_set_uniforms(rec, 0, constants, sizeof constants);
    const gpool_binding bindings[] = { { .binding = 0, .buffer = numbers },
                                       { .binding = 1, .buffer = results } };
    gpool_set_bindings(rec, 1, layout, bindings, 2, NULL, 0);
    gpool_dispatch(rec, (COUNT + 63u) / 64u, 1, 1);
    gpool_end_pass(rec);
    return gpool_end_frame(pool);
}

/* Counts results that are not what the CPU gets. */
static uint32_t check(gpool *pool, gpool_buffer results, const uint32_t *numbers, uint32_t addend)
{
    static uint32_t found[COUNT];
    if (gpool_buffer_read(pool, results, 0, found, sizeof found) != GPOOL_OK) {
        return COUNT;
    }
    uint32_t wrong = 0;
    for (uint32_t i = 0; i < COUNT; ++i) {
        wrong += found[i] != numbers[i] * numbers[i] + addend;
    }
    printf("last result %u, %u wrong\n", found[COUNT - 1u], wrong);
    return wrong;
}

int main(void)
{
    gpool_device *device = NULL;
    gpool *pool = NULL;
    if (gpool_device_open(NULL, &device) != GPOOL_OK ||
        gpool_create(device, NULL, &pool) != GPOOL_OK) {
        return 1; /* the log said why */
    }
    static uint32_t values[COUNT];
    for (uint32_t i = 0; i < COUNT; ++i) {
        values[i] = i;
    }
    gpool_buffer numbers =
        gpool_buffer_create(pool, &(gpool_buffer_desc){ .data = values,
                                                        .size = sizeof values,
                                                        .usage = GPOOL_BUFFER_STORAGE,
                                                        .label = "numbers" });
    gpool_buffer results = gpool_buffer_create(
        pool, &(gpool_buffer_desc){ .size = sizeof values,
                                    .usage = GPOOL_BUFFER_STORAGE_WRITE | GPOOL_BUFFER_READ_BACK,
                                    .label = "results" });
    const gpool_layout_entry entries[] = {
        { .binding = 0, .type = GPOOL_BINDING_STORAGE, .stages = WGPUShaderStage_Compute },
        { .binding = 1, .type = GPOOL_BINDING_STORAGE_WRITE, .stages = WGPUShaderStage_Compute },
    };
    gpool_layout layout = gpool_layout_create(
        pool, &(gpool_layout_desc){ .entries = entries, .entry_count = 2, .label = "squares" });
    gpool_shader shader = gpool_shader_create(pool, &(gpool_shader_desc){ .wgsl = wgsl });
    gpool_pipeline pipeline = gpool_compute_pipeline_create(
        pool, &(gpool_compute_pipeline_desc){ .shader = shader,
                                              .layouts = { gpool_uniform_layout(pool), layout } });

    uint32_t wrong = run(pool, pipeline, layout, numbers, results, 7) != GPOOL_OK;
    wrong += check(pool, results, values, 7);
    values[COUNT - 1u] = 12345; /* one number changes: 4 bytes are sent */
    wrong +=
        gpool_buffer_write(pool, numbers, (COUNT - 1u) * 4u, &values[COUNT - 1u], 4) != GPOOL_OK;
    wrong += run(pool, pipeline, layout, numbers, results, 40) != GPOOL_OK;
    wrong += check(pool, results, values, 40);

    gpool_pipeline_destroy(pool, pipeline);
    gpool_shader_destroy(pool, shader);
    gpool_layout_destroy(pool, layout);
    gpool_buffer_destroy(pool, results);
    gpool_buffer_destroy(pool, numbers);
    gpool_destroy(pool);
    gpool_device_release(device);
    return wrong == 0 ? 0 : 1;
}
