/* Buffers and textures whose contents are followed, and shaders with host versions. */
#include "fault.h"

#include "record/recording.h"

#include <string.h>

void fault_pattern(uint8_t *bytes, size_t size, uint32_t number)
{
    uint32_t state = number * 2654435761u + 12345u;
    for (size_t i = 0; i < size; ++i) {
        state = state * 1664525u + 1013904223u;
        bytes[i] = (uint8_t)(state >> 24);
    }
}

/* --- buffers --- */

static void contents_compare(fault_world *w, const char *what, const uint8_t *got,
                             const uint8_t *expected, size_t size)
{
    for (size_t i = 0; i < size; ++i) {
        if (got[i] != expected[i]) {
            fault_problem(w, "%s: byte %zu is [%u], expected [%u]", what, i, got[i], expected[i]);
            return;
        }
    }
}

void fault_buffer_make(fault_world *w, fault_buffer *buffer, gpool_buffer_usage usage,
                       uint64_t size, const void *data)
{
    gpool_buffer_desc desc = { .data = data, .size = size, .usage = usage, .label = "followed" };
    *buffer = (fault_buffer){ .size = size, .known = true };
    if (data != NULL) {
        memcpy(buffer->bytes, data, (size_t)size);
    }
    buffer->handle = FAULT_MAKE(w, gpool_buffer, gpool_buffer_create(w->pool, &desc));
}

void fault_buffer_changed(fault_buffer *buffer, bool done, uint64_t offset, const void *data,
                          uint64_t size)
{
    buffer->known = buffer->known && done;
    if (done && data != NULL) {
        memcpy(buffer->bytes + offset, data, (size_t)size);
    } else if (done) {
        memset(buffer->bytes + offset, 0, (size_t)size);
    }
}

bool fault_buffer_write(fault_world *w, fault_buffer *buffer, uint64_t offset, const void *data,
                        uint64_t size)
{
    bool done = FAULT_DO(w, buffer->handle.id,
                         gpool_buffer_write(w->pool, buffer->handle, offset, data, size));
    if (done) {
        memcpy(buffer->bytes + offset, data, (size_t)size);
    }
    return done;
}

bool fault_buffer_scattered(fault_world *w, fault_buffer *buffer, const uint32_t *indices,
                            uint32_t count, uint64_t stride, const uint8_t *data)
{
    bool done = FAULT_DO(
        w, buffer->handle.id,
        gpool_buffer_write_scattered(w->pool, buffer->handle, indices, count, stride, data));
    buffer->known = buffer->known && done;
    for (uint32_t i = 0; done && i < count; ++i) {
        memcpy(buffer->bytes + indices[i] * stride, data + i * stride, (size_t)stride);
    }
    return done;
}

bool fault_buffer_resize(fault_world *w, fault_buffer *buffer, uint64_t size)
{
    gpool_buffer_info info = { 0 };
    bool done = FAULT_DO(w, buffer->handle.id, gpool_buffer_resize(w->pool, buffer->handle, size));
    if (!done) {
        return false;
    }
    uint64_t version = w->before.buffer.version + (size != buffer->size);
    FAULT_EXPECT(w, gpool_buffer_get_info(w->pool, buffer->handle, &info) == GPOOL_OK &&
                        info.size == size && info.version == version);
    if (size > buffer->size) {
        memset(buffer->bytes + buffer->size, 0, (size_t)(size - buffer->size));
    }
    buffer->size = size;
    return true;
}

void fault_buffer_check(fault_world *w, fault_buffer *buffer)
{
    static uint8_t got[FAULT_BYTES];
    memset(got, 0xee, sizeof got);
    bool done = FAULT_DO(w, buffer->handle.id,
                         gpool_buffer_read(w->pool, buffer->handle, 0, got, buffer->size));
    if (done && buffer->known) {
        contents_compare(w, "buffer", got, buffer->bytes, (size_t)buffer->size);
    }
}

/* --- textures --- */

void fault_texture_make(fault_world *w, fault_texture *texture, gpool_texture_usage usage,
                        uint32_t width, uint32_t height, const void *data)
{
    size_t size = (size_t)width * height * 4;
    gpool_texture_desc desc = { .width = width,
                                .height = height,
                                .format = WGPUTextureFormat_RGBA8Unorm,
                                .usage = usage,
                                .data = data,
                                .data_size = size,
                                .label = "followed" };
    *texture = (fault_texture){ .width = width, .height = height, .known = true };
    if (data != NULL) {
        memcpy(texture->texels, data, size);
    }
    texture->handle = FAULT_MAKE(w, gpool_texture, gpool_texture_create(w->pool, &desc));
}

bool fault_texture_write(fault_world *w, fault_texture *texture, const void *data)
{
    size_t size = (size_t)texture->width * texture->height * 4;
    bool done = FAULT_DO(w, texture->handle.id,
                         gpool_texture_write(w->pool, texture->handle, NULL, data, size, 0));
    if (done) {
        memcpy(texture->texels, data, size);
    }
    return done;
}

bool fault_texture_resize(fault_world *w, fault_texture *texture, uint32_t width, uint32_t height)
{
    bool done = FAULT_DO(w, texture->handle.id,
                         gpool_texture_resize(w->pool, texture->handle, width, height, 0));
    gpool_texture_info info = { 0 };
    if (!done) {
        return false;
    }
    bool same = width == texture->width && height == texture->height;
    FAULT_EXPECT(w, gpool_texture_get_info(w->pool, texture->handle, &info) == GPOOL_OK &&
                        info.width == width && info.height == height &&
                        info.version == w->before.texture.version + !same);
    uint8_t fresh[sizeof texture->texels] = { 0 };
    for (uint32_t y = 0; y < height && y < texture->height; ++y) {
        uint32_t columns = width < texture->width ? width : texture->width;
        memcpy(fresh + (size_t)y * width * 4, texture->texels + (size_t)y * texture->width * 4,
               (size_t)columns * 4);
    }
    memcpy(texture->texels, fresh, sizeof fresh);
    texture->width = width;
    texture->height = height;
    return true;
}

void fault_texture_filled(fault_texture *texture, bool done, const uint8_t rgba[4])
{
    texture->known = texture->known && done;
    for (uint32_t i = 0; done && i < texture->width * texture->height; ++i) {
        memcpy(texture->texels + (size_t)i * 4, rgba, 4);
    }
}

void fault_texture_check(fault_world *w, fault_texture *texture)
{
    uint8_t got[sizeof texture->texels];
    size_t size = (size_t)texture->width * texture->height * 4;
    memset(got, 0xee, sizeof got);
    bool done = FAULT_DO(w, texture->handle.id,
                         gpool_texture_read(w->pool, texture->handle, NULL, got, size));
    if (done && texture->known) {
        contents_compare(w, "texture", got, texture->texels, size);
    }
}

/* --- shaders --- */

const char fault_fill_wgsl[] =
    "@group(0) @binding(0) var<uniform> color: vec4f;\n"
    "@vertex fn vs(@builtin(vertex_index) i: u32) -> @builtin(position) vec4f {\n"
    "    return vec4f(f32(i & 1u) * 4.0 - 1.0, f32(i >> 1u) * 4.0 - 1.0, 0.0, 1.0);\n"
    "}\n"
    "@fragment fn fs() -> @location(0) vec4f { return color; }\n";

const char fault_double_wgsl[] =
    "@group(0) @binding(0) var<storage, read_write> numbers: array<u32>;\n"
    "@compute @workgroup_size(1) fn main(@builtin(global_invocation_id) id: vec3u) {\n"
    "    numbers[id.x] = numbers[id.x] * 2;\n"
    "}\n";

const char fault_gather_wgsl[] =
    "@group(0) @binding(0) var<uniform> first: vec4u;\n"
    "@group(1) @binding(0) var<storage, read_write> numbers: array<u32>;\n"
    "@group(1) @binding(1) var<uniform> second: vec4u;\n"
    "@group(1) @binding(2) var picture: texture_2d<f32>;\n"
    "@group(1) @binding(3) var plain: sampler;\n"
    "@compute @workgroup_size(1) fn main() {\n"
    "    let texel = textureSampleLevel(picture, plain, vec2f(0.0, 0.0), 0.0);\n"
    "    numbers[0] = first.x + second.x + u32(texel.r * 255.0 + 0.5);\n"
    "}\n";

static void host_fill(const sim_work *work, void *user)
{
    uint64_t size = 0;
    sim_pixels pixels;
    float color[4];
    const uint8_t *uniform = sim_work_buffer(work, 0, 0, &size);
    (void)user;
    if (uniform == NULL || size < sizeof color || !sim_work_target(work, 0, &pixels) ||
        pixels.row_bytes != (size_t)pixels.width * 4) {
        return;
    }
    memcpy(color, uniform, sizeof color);
    for (uint32_t i = 0; i < pixels.width * pixels.height * 4; ++i) {
        pixels.bytes[i] = (uint8_t)(color[i % 4] * 255.0f + 0.5f);
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

static void host_gather(const sim_work *work, void *user)
{
    uint64_t size = 0;
    uint32_t first = 0;
    uint32_t second = 0;
    sim_pixels pixels;
    const uint8_t *uniform = sim_work_buffer(work, 0, 0, &size);
    const uint8_t *buffer = sim_work_buffer(work, 1, 1, &size);
    uint8_t *numbers = sim_work_buffer(work, 1, 0, &size);
    (void)user;
    if (uniform != NULL && buffer != NULL && numbers != NULL &&
        sim_work_texture(work, 1, 2, &pixels)) {
        memcpy(&first, uniform, sizeof first);
        memcpy(&second, buffer, sizeof second);
        first += second + pixels.bytes[0];
        memcpy(numbers, &first, sizeof first);
    }
}

/* Means of 2 x 2 texels, for even extents. */
static void host_mips(const sim_work *work, void *user)
{
    sim_pixels above;
    sim_pixels below;
    (void)user;
    if (!sim_work_texture(work, 0, 0, &above) || !sim_work_target(work, 0, &below)) {
        return;
    }
    for (uint32_t i = 0; i < below.width * below.height * 4; ++i) {
        const uint8_t *first = above.bytes + i / 4 / below.width * 2 * above.row_bytes +
                               (size_t)(i / 4 % below.width) * 8 + i % 4;
        uint32_t sum =
            (uint32_t)first[0] + first[4] + first[above.row_bytes] + first[above.row_bytes + 4];
        below.bytes[i / 4 / below.width * below.row_bytes + i % (below.width * 4)] =
            (uint8_t)((sum + 2) / 4);
    }
}

void fault_register_shaders(sim *s)
{
    sim_register_shader(s, gpool__mips_wgsl, host_mips, NULL);
    sim_register_shader(s, fault_fill_wgsl, host_fill, NULL);
    sim_register_shader(s, fault_double_wgsl, host_double, NULL);
    sim_register_shader(s, fault_gather_wgsl, host_gather, NULL);
}
