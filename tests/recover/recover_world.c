#include "recover_world.h"

static const char fill_wgsl[] =
    "@group(0) @binding(0) var<uniform> color: vec4f;\n"
    "@vertex fn vs(@builtin(vertex_index) i: u32) -> @builtin(position) vec4f {\n"
    "    return vec4f(f32(i & 1u) * 4.0 - 1.0, f32(i >> 1u) * 4.0 - 1.0, 0.0, 1.0);\n"
    "}\n"
    "@fragment fn fs() -> @location(0) vec4f { return color; }\n";

static const char picture_wgsl[] =
    "@group(1) @binding(0) var picture: texture_2d<f32>;\n"
    "@group(1) @binding(1) var nearest: sampler;\n"
    "@vertex fn vs(@location(0) point: vec2f) -> @builtin(position) vec4f {\n"
    "    return vec4f(point, 0.0, 1.0);\n"
    "}\n"
    "@fragment fn fs() -> @location(0) vec4f {\n"
    "    return textureSample(picture, nearest, vec2f(0.5));\n"
    "}\n";

static const char double_wgsl[] =
    "@group(0) @binding(0) var<storage, read_write> numbers: array<u32>;\n"
    "@compute @workgroup_size(1) fn other() {}\n"
    "@compute @workgroup_size(1) fn main(@builtin(global_invocation_id) id: vec3u) {\n"
    "    numbers[id.x] = numbers[id.x] * 2;\n"
    "}\n";

/* --- host shaders --- */

static void host_fill(const sim_work *work, void *user)
{
    uint64_t size = 0;
    sim_pixels pixels;
    const uint8_t *uniform = sim_work_buffer(work, 0, 0, &size);
    (void)user;
    if (uniform == NULL || size < 16 || !sim_work_target(work, 0, &pixels)) {
        return;
    }
    float color[4];
    memcpy(color, uniform, sizeof color);
    for (uint32_t i = 0; i < pixels.width * pixels.height * 4; ++i) {
        uint32_t x = i % (pixels.width * 4);
        uint32_t y = i / (pixels.width * 4);
        pixels.bytes[y * pixels.row_bytes + x] = (uint8_t)(color[x % 4] * 255.0f + 0.5f);
    }
}

/* The picture, each byte raised by the first byte of the vertices. */
static void host_picture(const sim_work *work, void *user)
{
    uint64_t size = 0;
    sim_pixels pixels;
    sim_pixels source;
    const uint8_t *points = sim_work_vertices(work, 0, &size);
    (void)user;
    if (points == NULL || !sim_work_texture(work, 1, 0, &source) ||
        !sim_work_target(work, 0, &pixels)) {
        return;
    }
    for (uint32_t y = 0; y < pixels.height; ++y) {
        for (uint32_t x = 0; x < pixels.width * 4; ++x) {
            pixels.bytes[y * pixels.row_bytes + x] =
                (uint8_t)(source.bytes[y * source.row_bytes + x] + points[0]);
        }
    }
}

static void host_double(const sim_work *work, void *user)
{
    uint64_t size = 0;
    uint8_t *numbers = sim_work_buffer(work, 0, 0, &size);
    (void)user;
    for (uint32_t i = 0; i < sim_work_counts(work)[0] && i < size / 4; ++i) {
        uint32_t number;
        memcpy(&number, numbers + (size_t)i * 4, 4);
        number *= 2;
        memcpy(numbers + (size_t)i * 4, &number, 4);
    }
}

/* --- counted tables --- */

#define WORLD_OBJECTS(X)                                                                           \
    X(BindGroup, (WGPUDevice d, WGPUBindGroupDescriptor const *x), DeviceCreateBindGroup)          \
    X(BindGroupLayout, (WGPUDevice d, WGPUBindGroupLayoutDescriptor const *x),                     \
      DeviceCreateBindGroupLayout)                                                                 \
    X(Buffer, (WGPUDevice d, WGPUBufferDescriptor const *x), DeviceCreateBuffer)                   \
    X(ComputePipeline, (WGPUDevice d, WGPUComputePipelineDescriptor const *x),                     \
      DeviceCreateComputePipeline)                                                                 \
    X(PipelineLayout, (WGPUDevice d, WGPUPipelineLayoutDescriptor const *x),                       \
      DeviceCreatePipelineLayout)                                                                  \
    X(RenderPipeline, (WGPUDevice d, WGPURenderPipelineDescriptor const *x),                       \
      DeviceCreateRenderPipeline)                                                                  \
    X(Sampler, (WGPUDevice d, WGPUSamplerDescriptor const *x), DeviceCreateSampler)                \
    X(ShaderModule, (WGPUDevice d, WGPUShaderModuleDescriptor const *x), DeviceCreateShaderModule) \
    X(Texture, (WGPUDevice d, WGPUTextureDescriptor const *x), DeviceCreateTexture)                \
    X(TextureView, (WGPUTexture d, WGPUTextureViewDescriptor const *x), TextureCreateView)

enum {
#define WORLD_X(name, parameters, create) COUNTED_##name,
    WORLD_OBJECTS(WORLD_X)
#undef WORLD_X
    COUNTED_COUNT
};

static gpool_gpu counted_real[WORLD_DEVICES];
static int64_t counted_balance[WORLD_DEVICES][COUNTED_COUNT]; /* made - released */

static void (*interrupt_run)(void);
static uint64_t interrupt_in; /* calls until it runs; 0 = it ran, or there is none */

bool world_interrupt(void (*run)(void), uint64_t nth)
{
    bool ran = interrupt_in == 0;
    interrupt_run = run;
    interrupt_in = run != NULL ? nth : 0;
    return ran;
}

static void counted_interrupt(void)
{
    if (interrupt_in > 0 && --interrupt_in == 0) {
        interrupt_run();
    }
}

/* Only these are shared with the user, by imports. */
#define COUNTED_SHARE(slot, name)                                                                  \
    static void counted_share_##name##_##slot(WGPU##name object)                                   \
    {                                                                                              \
        counted_balance[slot][COUNTED_##name] += 1;                                                \
        counted_real[slot].name##AddRef(object);                                                   \
    }
#define COUNTED_TABLE(slot)                                                                        \
    WORLD_OBJECTS(COUNTED_CREATE_##slot)                                                           \
    WORLD_OBJECTS(COUNTED_RELEASE_##slot)                                                          \
    COUNTED_SHARE(slot, Buffer)                                                                    \
    COUNTED_SHARE(slot, Texture)                                                                   \
    static void counted_wrap_##slot(gpool_gpu *table)                                              \
    {                                                                                              \
        table->BufferAddRef = counted_share_Buffer_##slot;                                         \
        table->TextureAddRef = counted_share_Texture_##slot;                                       \
        WORLD_OBJECTS(COUNTED_WRAP_##slot)                                                         \
    }
#define COUNTED_CREATE(slot, name, parameters, create)                                             \
    static WGPU##name counted_create_##name##_##slot parameters                                    \
    {                                                                                              \
        counted_interrupt();                                                                       \
        WGPU##name made = counted_real[slot].create(d, x);                                         \
        counted_balance[slot][COUNTED_##name] += made != NULL;                                     \
        return made;                                                                               \
    }
#define COUNTED_RELEASE(slot, name)                                                                \
    static void counted_release_##name##_##slot(WGPU##name object)                                 \
    {                                                                                              \
        counted_interrupt();                                                                       \
        counted_balance[slot][COUNTED_##name] -= 1;                                                \
        counted_real[slot].name##Release(object);                                                  \
    }
#define COUNTED_WRAP(slot, name, create)                                                           \
    table->create = counted_create_##name##_##slot;                                                \
    table->name##Release = counted_release_##name##_##slot;
#define COUNTED_CREATE_0(name, parameters, create)  COUNTED_CREATE(0, name, parameters, create)
#define COUNTED_CREATE_1(name, parameters, create)  COUNTED_CREATE(1, name, parameters, create)
#define COUNTED_CREATE_2(name, parameters, create)  COUNTED_CREATE(2, name, parameters, create)
#define COUNTED_RELEASE_0(name, parameters, create) COUNTED_RELEASE(0, name)
#define COUNTED_RELEASE_1(name, parameters, create) COUNTED_RELEASE(1, name)
#define COUNTED_RELEASE_2(name, parameters, create) COUNTED_RELEASE(2, name)
#define COUNTED_WRAP_0(name, parameters, create)    COUNTED_WRAP(0, name, create)
#define COUNTED_WRAP_1(name, parameters, create)    COUNTED_WRAP(1, name, create)
#define COUNTED_WRAP_2(name, parameters, create)    COUNTED_WRAP(2, name, create)
COUNTED_TABLE(0)
COUNTED_TABLE(1)
COUNTED_TABLE(2)

void world_check_tables(void)
{
    for (int slot = 0; slot < WORLD_DEVICES; ++slot) {
        for (int object = 0; object < COUNTED_COUNT; ++object) {
            if (counted_balance[slot][object] != 0) {
                fail_msg("table %d: object type %d was made [%lld] times more than released", slot,
                         object, (long long)counted_balance[slot][object]);
            }
        }
    }
}

/* --- begin and end --- */

static void world_on_log(void *user, const gpool_log_record *record)
{
    recover_world *w = user;
    w->logs[record->id] += 1;
}

static void world_quiet(void *user, const gpool_log_record *record)
{
    (void)user;
    (void)record;
}

void world_add_sim(recover_world *w, uint32_t slot, sim_personality personality)
{
    sim_desc desc = { .personality = personality,
                      .limits = w->limits,
                      .features = w->feature,
                      .feature_count = w->feature != NULL,
                      .quiet = true };
    w->sims[slot] = sim_create(&desc);
    w->personalities[slot] = personality;
    assert_non_null(w->sims[slot]);
    sim_register_shader(w->sims[slot], fill_wgsl, host_fill, NULL);
    sim_register_shader(w->sims[slot], picture_wgsl, host_picture, NULL);
    sim_register_shader(w->sims[slot], double_wgsl, host_double, NULL);
}

gpool_device *world_open(recover_world *w, uint32_t slot)
{
    gpool_gpu table;
    gpool_device *device = NULL;
    sim_table(w->sims[slot], &table);
    counted_real[slot] = table;
    (slot == 0 ? counted_wrap_0 : slot == 1 ? counted_wrap_1 : counted_wrap_2)(&table);
    gpool_device_desc desc = {
        .gpu = &table,
        .label = slot == 0   ? "first"
                 : slot == 1 ? "second"
                             : "third",
        .log = world_quiet,
        .optional_features = w->feature,
        .optional_feature_count = w->feature != NULL,
    };
    assert_good(w, gpool_device_open(&desc, &device));
    return device;
}

void world_begin(recover_world *w, sim_personality personality)
{
    *w = (recover_world){ .limits = w->limits, .feature = w->feature, .measure = w->measure };
    memset(counted_balance, 0, sizeof counted_balance);
    world_add_sim(w, 0, personality);
    w->device = world_open(w, 0);
    gpool_desc desc = { .compile_workers = GPOOL_WORKERS_NONE,
                        .label = "world",
                        .log = world_on_log,
                        .log_user = w,
                        .wait_timeout_ms = 2000,
                        .measure = w->measure,
                        .allocator = unit_hooks(&w->books) };
    assert_good(w, gpool_create(w->device, &desc, &w->pool));
}

void world_end(recover_world *w)
{
    gpool_destroy(w->pool);
    gpool_device_release(w->device);
    assert_same(w->books.blocks, 0);
    assert_same(w->books.wrong_sizes, 0);
    for (int slot = 0; slot < WORLD_DEVICES; ++slot) {
        if (w->sims[slot] != NULL) {
            sim_drain(w->sims[slot]);
            if (sim_fatal_count(w->sims[slot]) > 0) {
                fail_msg("simulator %d: %s", slot, sim_fatal_message(w->sims[slot], 0));
            }
            for (int kind = 1; kind < SIM_KIND_COUNT; ++kind) {
                if (sim_live(w->sims[slot], (sim_kind)kind) > 0) {
                    fail_msg("simulator %d: [%llu] of kind %s are left", slot,
                             (unsigned long long)sim_live(w->sims[slot], (sim_kind)kind),
                             sim_kind_name((sim_kind)kind));
                }
            }
            assert_same(sim_kept(w->sims[slot], SIM_KIND_NONE), 0);
            assert_same(sim_kept_bytes(w->sims[slot]), 0);
            assert_same(sim_calls_in_callbacks(w->sims[slot]), 0);
            sim_destroy(w->sims[slot]);
        }
    }
    world_check_tables();
}

/* --- bytes --- */

static uint8_t world_byte(uint32_t salt, size_t i)
{
    return (uint8_t)(i * 7 + salt * 31 + i / 251);
}

static void world_pattern(uint32_t salt, uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; ++i) {
        bytes[i] = world_byte(salt, i);
    }
}

enum {
    SALT_POINTS = 1,
    SALT_ODD,
    SALT_STATE,
    SALT_PICTURE
};

void world_expect(uint32_t number, world_bytes *bytes)
{
    memset(bytes, 0, sizeof *bytes);
    world_pattern(SALT_POINTS, bytes->points, sizeof bytes->points);
    memcpy(bytes->points + 4, &number, sizeof number);
    world_pattern(SALT_ODD, bytes->odd, sizeof bytes->odd);
    bytes->odd[WORLD_ODD - 1] = (uint8_t)number;
    world_pattern(SALT_STATE, bytes->state, sizeof bytes->state);
    world_pattern(SALT_PICTURE, bytes->picture, sizeof bytes->picture);
    memcpy(bytes->copied, bytes->points, sizeof bytes->copied);
    for (size_t i = 0; i < sizeof bytes->numbers; i += 4) {
        uint32_t each;
        memcpy(&each, bytes->points + i, 4);
        each *= 2;
        memcpy(bytes->numbers + i, &each, 4);
    }
    for (size_t i = 0; i < WORLD_TEXELS * 4; ++i) {
        const uint8_t color[4] = { (uint8_t)number, 255, 0, 255 };
        bytes->other[i] = (uint8_t)(color[i % 4]);
        bytes->target[i] = (uint8_t)(bytes->picture[i] + bytes->points[0]);
        bytes->volume[WORLD_TEXELS * 4 + i] = color[i % 4]; /* slice 1 */
    }
}

gpool_result world_read(recover_world *w, world_bytes *bytes)
{
    memset(bytes, 0xcd, sizeof *bytes);
    const struct {
        gpool_buffer buffer;
        uint8_t *bytes;
        size_t size;
    } buffers[] = {
        { w->h.points, bytes->points, sizeof bytes->points },
        { w->h.odd, bytes->odd, sizeof bytes->odd },
        { w->h.zeros, bytes->zeros, sizeof bytes->zeros },
        { w->h.numbers, bytes->numbers, sizeof bytes->numbers },
        { w->h.state, bytes->state, sizeof bytes->state },
        { w->h.copied, bytes->copied, sizeof bytes->copied },
    };
    for (size_t i = 0; i < UNIT_COUNT(buffers); ++i) {
        gpool_result result =
            gpool_buffer_read(w->pool, buffers[i].buffer, 0, buffers[i].bytes, buffers[i].size);
        if (result != GPOOL_OK) {
            return result;
        }
    }
    const struct {
        gpool_texture texture;
        uint8_t *bytes;
        size_t size;
        uint32_t depth;
    } textures[] = {
        { w->h.picture, bytes->picture, sizeof bytes->picture, 1 },
        { w->h.target, bytes->target, sizeof bytes->target, 1 },
        { w->h.other, bytes->other, sizeof bytes->other, 1 },
        { w->h.volume, bytes->volume, sizeof bytes->volume, WORLD_SLICES },
    };
    for (size_t i = 0; i < UNIT_COUNT(textures); ++i) {
        gpool_texture_region region = { .depth = textures[i].depth };
        gpool_result result = gpool_texture_read(w->pool, textures[i].texture, &region,
                                                 textures[i].bytes, textures[i].size);
        if (result != GPOOL_OK) {
            return result;
        }
    }
    return GPOOL_OK;
}

#define WORLD_COMPARE(got, wanted, member)                                                         \
    for (size_t i = 0; i < sizeof got->member; ++i) {                                              \
        if (got->member[i] != wanted->member[i]) {                                                 \
            fail_msg("frame %u: byte %zu of " #member " is 0x%02x, not 0x%02x", number, i,         \
                     got->member[i], wanted->member[i]);                                           \
        }                                                                                          \
    }

void world_check(recover_world *w, uint32_t number)
{
    world_bytes *got = malloc(2 * sizeof *got);
    assert_non_null(got);
    world_bytes *wanted = got + 1;
    world_expect(number, wanted);
    assert_good(w, world_read(w, got));
    WORLD_COMPARE(got, wanted, points)
    WORLD_COMPARE(got, wanted, odd)
    WORLD_COMPARE(got, wanted, zeros)
    WORLD_COMPARE(got, wanted, numbers)
    WORLD_COMPARE(got, wanted, state)
    WORLD_COMPARE(got, wanted, copied)
    WORLD_COMPARE(got, wanted, picture)
    WORLD_COMPARE(got, wanted, target)
    WORLD_COMPARE(got, wanted, other)
    WORLD_COMPARE(got, wanted, volume)
    free(got);
}

/* --- resources --- */

static void make_buffer(recover_world *w, gpool_buffer *handle, const void *data, uint64_t size,
                        gpool_buffer_usage usage, const char *label)
{
    if (handle->id == 0) {
        gpool_buffer_desc desc = {
            .data = data, .size = size, .usage = usage | GPOOL_BUFFER_READ_BACK, .label = label
        };
        *handle = gpool_buffer_create(w->pool, &desc);
    }
}

static void make_buffers(recover_world *w)
{
    uint8_t points[WORLD_POINTS];
    uint8_t odd[WORLD_ODD];
    uint8_t state[64];
    world_pattern(SALT_POINTS, points, sizeof points);
    world_pattern(SALT_ODD, odd, sizeof odd);
    world_pattern(SALT_STATE, state, sizeof state);
    make_buffer(w, &w->h.points, points, sizeof points,
                GPOOL_BUFFER_VERTEX | GPOOL_BUFFER_COPY_SOURCE, "points");
    make_buffer(w, &w->h.odd, odd, sizeof odd, GPOOL_BUFFER_INDEX, "odd");
    make_buffer(w, &w->h.zeros, NULL, 64, GPOOL_BUFFER_UNIFORM, "zeros");
    make_buffer(w, &w->h.numbers, NULL, 64, GPOOL_BUFFER_STORAGE_WRITE | GPOOL_BUFFER_COPY_TARGET,
                "numbers");
    make_buffer(w, &w->h.state, state, sizeof state, GPOOL_BUFFER_STORAGE_WRITE, "state");
    make_buffer(w, &w->h.copied, NULL, 64, GPOOL_BUFFER_COPY_TARGET, "copied");
}

static void make_texture(recover_world *w, gpool_texture *handle, gpool_texture_desc desc)
{
    if (handle->id == 0) {
        desc.width = WORLD_SIDE;
        desc.height = WORLD_SIDE;
        *handle = gpool_texture_create(w->pool, &desc);
    }
}

static void make_textures(recover_world *w)
{
    uint8_t picture[WORLD_TEXELS * 4];
    world_pattern(SALT_PICTURE, picture, sizeof picture);
    make_texture(w, &w->h.picture,
                 (gpool_texture_desc){ .format = WGPUTextureFormat_RGBA8Unorm,
                                       .usage = GPOOL_TEXTURE_SAMPLED | GPOOL_TEXTURE_READ_BACK,
                                       .data = picture,
                                       .data_size = sizeof picture,
                                       .label = "picture" });
    gpool_texture_desc target = { .format = WGPUTextureFormat_RGBA8Unorm,
                                  .usage = GPOOL_TEXTURE_TARGET | GPOOL_TEXTURE_READ_BACK,
                                  .label = "target" };
    make_texture(w, &w->h.target, target);
    target.format = WGPUTextureFormat_BGRA8Unorm;
    target.label = "other";
    make_texture(w, &w->h.other, target);
    target.format = WGPUTextureFormat_RGBA8Unorm;
    target.dimension = WGPUTextureDimension_3D;
    target.depth_or_layers = WORLD_SLICES;
    target.label = "volume";
    make_texture(w, &w->h.volume, target);
    make_texture(w, &w->h.depth,
                 (gpool_texture_desc){ .format = WGPUTextureFormat_Depth32Float,
                                       .usage = GPOOL_TEXTURE_TARGET,
                                       .label = "depth" });
}

static gpool_layout make_pictures_layout(recover_world *w)
{
    gpool_layout_entry entries[2] = { { .binding = 0, .type = GPOOL_BINDING_TEXTURE },
                                      { .binding = 1, .type = GPOOL_BINDING_SAMPLER } };
    gpool_layout_desc desc = { .entries = entries, .entry_count = 2, .label = "pictures" };
    return gpool_layout_create(w->pool, &desc);
}

static void make_blend(recover_world *w)
{
    gpool_layout layout = make_pictures_layout(w);
    gpool_shader_desc source = { .wgsl = picture_wgsl, .label = "picture" };
    gpool_shader shader = gpool_shader_create(w->pool, &source);
    WGPUBlendState blend = {
        .color = { WGPUBlendOperation_Add, WGPUBlendFactor_One, WGPUBlendFactor_Zero },
        .alpha = { WGPUBlendOperation_Add, WGPUBlendFactor_One, WGPUBlendFactor_Zero }
    };
    gpool_render_pipeline_desc desc = {
        .shader = shader,
        .vertex_entry = "vs",
        .fragment_entry = "fs",
        .layouts = { gpool_uniform_layout(w->pool), layout },
        .vertex_buffers[0] = { .stride = 8, .attributes[0] = { WGPUVertexFormat_Float32x2, 0, 0 } },
        .colors[0] = { .format = WGPUTextureFormat_RGBA8Unorm, .blend_state = &blend },
        .depth = { .format = WGPUTextureFormat_Depth32Float,
                   .compare = WGPUCompareFunction_Always,
                   .write = true },
        .samples = 1,
        .label = "blend",
    };
    w->h.blend = gpool_render_pipeline_create(w->pool, &desc);
    (void)gpool_shader_destroy(w->pool, shader);
    (void)gpool_layout_destroy(w->pool, layout);
}

void world_make(recover_world *w)
{
    gpool *p = w->pool;
    make_buffers(w);
    make_textures(w);
    if (w->h.sampler.id == 0) {
        gpool_sampler_desc desc = { .mag_filter = WGPUFilterMode_Linear, .label = "smooth" };
        w->h.sampler = gpool_sampler_create(p, &desc);
    }
    if (w->h.blend.id == 0) {
        make_blend(w);
    }
    if (w->h.pictures.id == 0) { /* equal to that of `blend`, which is gone */
        w->h.pictures = make_pictures_layout(w);
    }
    if (w->h.storage.id == 0) {
        gpool_layout_entry entry = { .type = GPOOL_BINDING_STORAGE_WRITE,
                                     .stages = WGPUShaderStage_Compute };
        w->h.storage = gpool_layout_create(
            p, &(gpool_layout_desc){ .entries = &entry, .entry_count = 1, .label = "storage" });
    }
    if (w->h.twice_shader.id == 0) {
        gpool_shader_desc source = { .wgsl = double_wgsl, .label = "double" };
        w->h.twice_shader = gpool_shader_create(p, &source);
    }
    if (w->h.twice.id == 0) {
        gpool_compute_pipeline_desc desc = { .shader = w->h.twice_shader,
                                             .entry = "main",
                                             .layouts = { w->h.storage },
                                             .label = "double" };
        w->h.twice = gpool_compute_pipeline_create(p, &desc);
    }
    if (w->h.fill.id == 0) {
        gpool_shader_desc source = { .wgsl = fill_wgsl, .label = "fill" };
        gpool_shader shader = gpool_shader_create(p, &source);
        gpool_render_pipeline_desc desc = { .shader = shader, .label = "fill" };
        w->h.fill = gpool_render_pipeline_create(p, &desc);
        (void)gpool_shader_destroy(p, shader);
    }
}

static void draw_fill(recover_world *w, gpool_recorder rec, gpool_color_attachment to,
                      uint32_t number)
{
    const float color[4] = { (float)(number % 256) / 255.0f, 1.0f, 0.0f, 1.0f };
    gpool_begin_render(rec, &(gpool_render_desc){ .color = { to } });
    gpool_set_pipeline(rec, w->h.fill);
    gpool_set_uniforms(rec, 0, color, sizeof color);
    gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 3 });
    gpool_end_pass(rec);
}

gpool_result world_frame(recover_world *w, uint32_t number)
{
    gpool *p = w->pool;
    gpool_result result = gpool_begin_frame(p);
    if (result != GPOOL_OK) {
        return result;
    }
    world_make(w);
    (void)gpool_buffer_write(p, w->h.points, 4, &number, sizeof number);
    (void)gpool_buffer_write(p, w->h.odd, WORLD_ODD - 1, &number, 1);
    gpool_buffer_desc desc = { .data = &number, .size = 4, .usage = GPOOL_BUFFER_VERTEX };
    gpool_buffer short_lived = gpool_buffer_create(p, &desc);
    (void)gpool_buffer_resize(p, short_lived, 200);
    gpool_recorder rec = gpool_frame_recorder(p);
    gpool_copy_buffer(rec, w->h.points, 0, w->h.copied, 0, 64);
    gpool_copy_buffer(rec, w->h.points, 0, w->h.numbers, 0, 64);
    gpool_begin_compute(rec, NULL);
    gpool_set_pipeline(rec, w->h.twice);
    gpool_binding binding = { .buffer = w->h.numbers };
    gpool_set_bindings(rec, 0, w->h.storage, &binding, 1, NULL, 0);
    gpool_dispatch(rec, 16, 1, 1);
    gpool_end_pass(rec);
    draw_fill(w, rec, (gpool_color_attachment){ .texture = w->h.target }, number);
    draw_fill(w, rec, (gpool_color_attachment){ .texture = w->h.other }, number);
    draw_fill(w, rec, (gpool_color_attachment){ .texture = w->h.volume, .layer = 1 }, number);
    gpool_begin_render(rec, &(gpool_render_desc){ .color = { { .texture = w->h.target } },
                                                  .depth = { .texture = w->h.depth } });
    gpool_set_pipeline(rec, w->h.blend);
    gpool_set_vertex_buffer(rec, 0, w->h.points, 0);
    gpool_set_uniforms(rec, 0, &number, sizeof number);
    gpool_binding pictures[2] = { { .binding = 0, .texture = w->h.picture },
                                  { .binding = 1, .sampler = w->h.sampler } };
    gpool_set_bindings(rec, 1, w->h.pictures, pictures, 2, NULL, 0);
    gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 3 });
    gpool_end_pass(rec);
    (void)gpool_buffer_destroy(p, short_lived);
    return gpool_end_frame(p);
}

/* --- recovery --- */

static void refill_asked(recover_world *w, uint64_t id)
{
    if (w->asked_count < UNIT_COUNT(w->asked)) {
        w->asked[w->asked_count++] = id;
    }
    if (w->in_refill != NULL) {
        w->in_refill(w, id);
    }
}

/* Frames write all gpu-written buffers again but `state`. */
static gpool_result refill_buffer(void *user, gpool *pool, gpool_buffer buffer,
                                  const gpool_buffer_info *info)
{
    recover_world *w = user;
    uint8_t state[64];
    w->asked_buffers += 1;
    refill_asked(w, buffer.id);
    if (buffer.id != w->h.state.id) {
        return GPOOL_OK;
    }
    assert_same(info->size, sizeof state);
    assert_true(info->gpu_written && !info->failed && !info->imported);
    assert_string_equal(info->label, "state");
    world_pattern(SALT_STATE, state, sizeof state);
    return gpool_buffer_write(pool, buffer, 0, state, sizeof state);
}

static gpool_result refill_texture(void *user, gpool *pool, gpool_texture texture,
                                   const gpool_texture_info *info)
{
    recover_world *w = user;
    uint8_t picture[WORLD_TEXELS * 4];
    w->asked_textures += 1;
    refill_asked(w, texture.id);
    if (texture.id != w->h.picture.id) {
        return GPOOL_OK;
    }
    assert_same(info->width, WORLD_SIDE);
    assert_same(info->view_count, 0);
    assert_string_equal(info->label, "picture");
    world_pattern(SALT_PICTURE, picture, sizeof picture);
    return gpool_texture_write(pool, texture, NULL, picture, sizeof picture, 0);
}

gpool_recover_desc world_refills(recover_world *w)
{
    return (gpool_recover_desc){ .user = w,
                                 .refill_buffer = refill_buffer,
                                 .refill_texture = refill_texture };
}

gpool_result world_recover(recover_world *w, gpool_device *device, gpool_recover_report *report)
{
    gpool_recover_desc desc = world_refills(w);
    gpool_result result = gpool_recover(w->pool, device, &desc, report);
    if (gpool_pool_device(w->pool) == device && device != w->device) {
        gpool_device_release(w->device);
        w->device = device;
    }
    return result;
}

uint64_t world_live(recover_world *w, gpool_kind kind)
{
    gpool_stats stats;
    assert_good(w, gpool_get_stats(w->pool, &stats));
    return stats.live_count[kind];
}

uint64_t world_version(recover_world *w, uint64_t id)
{
    gpool_buffer_info buffer = { 0 };
    gpool_texture_info texture = { 0 };
    if (gpool_handle_kind(id) == GPOOL_KIND_BUFFER) {
        assert_good(w, gpool_buffer_get_info(w->pool, (gpool_buffer){ id }, &buffer));
        return buffer.version;
    }
    assert_good(w, gpool_texture_get_info(w->pool, (gpool_texture){ id }, &texture));
    return texture.version;
}

bool world_failed(recover_world *w, uint64_t id)
{
    gpool_buffer_info buffer = { 0 };
    gpool_texture_info texture = { 0 };
    if (gpool_handle_kind(id) == GPOOL_KIND_BUFFER) {
        assert_good(w, gpool_buffer_get_info(w->pool, (gpool_buffer){ id }, &buffer));
        return buffer.failed;
    }
    assert_good(w, gpool_texture_get_info(w->pool, (gpool_texture){ id }, &texture));
    return texture.failed;
}
