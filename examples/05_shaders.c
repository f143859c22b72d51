/* 05_shaders: includes, switches, layouts from the source, bindings by name, and a reload. */
#include <gpool/gpool.h>

#include <stdio.h>
#include <string.h>

/* A file without a disk; shaders include it by name. */
static const char tint[] = "fn tint(value: f32) -> f32 { return value * FACTOR; }\n";
static const char brighter[] = "fn tint(value: f32) -> f32 { return value * FACTOR + 100.0; }\n";
static const char broken[] = "fn tint(value: f32) -> f32 { return value * ; }\n";

static const char wgsl[] =
    "#include \"lib/tint.wgsl\"\n"
    "@group(0) @binding(3) var<storage, read_write> values: array<f32>;\n"
    "@compute @workgroup_size(4) fn main(@builtin(global_invocation_id) at: vec3u) {\n"
    "    values[at.x] = tint(f32(at.x));\n"
    "}\n";

/* One frame; the third of the values afterwards. */
static float run(gpool *pool, gpool_pipeline pipeline, gpool_binding values)
{
    float result[4] = { 0 };
    gpool_begin_frame(pool);
    gpool_recorder rec = gpool_frame_recorder(pool);
    gpool_begin_compute(rec, "values");
    gpool_set_pipeline(rec, pipeline); /* waits for the worker, at the first frame */
    gpool_set_bindings(rec, 0, (gpool_layout){ 0 }, &values, 1, NULL, 0);
    gpool_dispatch(rec, 1, 1, 1);
    gpool_end_pass(rec);
    if (gpool_end_frame(pool) != GPOOL_OK) {
        puts(gpool_last_error(pool)->message);
    }
    gpool_buffer_read(pool, values.buffer, 0, result, sizeof result);
    return result[3];
}

/* Frames until a change of the file was refused, or is in use. */
static gpool_shader_info settle(gpool *pool, gpool_shader shader, gpool_pipeline pipeline,
                                gpool_binding values, bool refused)
{
    gpool_shader_info info = { 0 };
    bool done = false;
    for (int i = 0; i < 10000 && !done; ++i) {
        (void)run(pool, pipeline, values);
        gpool_shader_get_info(pool, shader, &info);
        done = refused ? info.reload_status != GPOOL_OK : info.version > 1;
    }
    return info;
}

int main(void)
{
    gpool_device *device = NULL;
    gpool *pool = NULL;
    if (gpool_device_open(NULL, &device) != GPOOL_OK ||
        gpool_create(device, NULL, &pool) != GPOOL_OK) {
        return 1; /* the log said why */
    }
    gpool_shader_set_file(pool, "lib/tint.wgsl", tint, strlen(tint));
    const gpool_define factor = { "FACTOR", "10.0" };
    gpool_shader shader = gpool_shader_create(
        pool, &(gpool_shader_desc){
                  .wgsl = wgsl, .defines = &factor, .define_count = 1, .label = "main" });
    gpool_pipeline pipeline =
        gpool_compute_pipeline_create(pool, &(gpool_compute_pipeline_desc){ .shader = shader });
    gpool_buffer buffer = gpool_buffer_create(
        pool, &(gpool_buffer_desc){ .size = 16,
                                    .usage = GPOOL_BUFFER_STORAGE_WRITE | GPOOL_BUFFER_READ_BACK,
                                    .label = "values" });
    gpool_shader_slot slot = { 0 };
    gpool_shader_binding(pool, shader, "values", &slot);
    gpool_binding values = { .binding = slot.binding, .buffer = buffer };

    float first = run(pool, pipeline, values);
    gpool_shader_set_file(pool, "lib/tint.wgsl", broken, strlen(broken));
    gpool_shader_info info = settle(pool, shader, pipeline, values, true);
    printf("broken: %s\n", info.message);
    bool told = info.reload_status != GPOOL_OK && info.line == 1;
    float meanwhile = run(pool, pipeline, values); /* the last good goes on */
    gpool_shader_set_file(pool, "lib/tint.wgsl", brighter, strlen(brighter));
    info = settle(pool, shader, pipeline, values, false);
    float last = run(pool, pipeline, values);
    printf("values %g, %g while broken, %g after the reload to version %u\n", (double)first,
           (double)meanwhile, (double)last, info.version);

    gpool_buffer_destroy(pool, buffer);
    gpool_pipeline_destroy(pool, pipeline);
    gpool_shader_destroy(pool, shader);
    gpool_destroy(pool);
    gpool_device_release(device);
    return told && first == 30.0f && meanwhile == 30.0f && last == 130.0f ? 0 : 1;
}
