/* Offsets, sizes, regions and strides on the edges of what sums can hold. */
#include "gpu/hostile.h"

#include <stdlib.h>
#include <string.h>

/* Inside by wide arithmetic: the oracle of gpool's own check. */
static bool inside(uint64_t offset, uint64_t size, uint64_t whole)
{
    return offset <= whole && size <= whole - offset;
}

void hostile_ranges_of_buffers(hostile_world *w)
{
    uint8_t data[HOSTILE_WITNESS_BYTES];
    assert_good(gpool_buffer_read(w->pool, w->witness, 0, data, sizeof data));
    gpool_buffer written = fixture_buffer(w->f, data, sizeof data,
                                          GPOOL_BUFFER_STORAGE_WRITE | GPOOL_BUFFER_READ_BACK);
    gpool_buffer buffers[] = { w->witness, written };
    for (int b = 0; b < 2; ++b) {
        for (int i = 0; i < HOSTILE_EDGES; ++i) {
            for (int j = 0; j < HOSTILE_EDGES; ++j) {
                uint64_t offset = hostile_edges[i];
                uint64_t size = hostile_edges[j];
                if (inside(offset, size, sizeof data)) {
                    continue;
                }
                hostile_refused(w, gpool_buffer_write(w->pool, buffers[b], offset, data, size),
                                OUT_OF_RANGE, RANGE);
                hostile_refused(w, gpool_buffer_read(w->pool, buffers[b], offset, data, size),
                                OUT_OF_RANGE, RANGE);
            }
        }
    }
    assert_buffer(w->f, written, 0, data, sizeof data);
    hostile_good_frame(w);
}

/* Recorder calls whose two numbers come from the edges; bad ones are skipped, none is fatal. */
void hostile_ranges_of_copies(hostile_world *w)
{
    gpool_buffer target = fixture_buffer(w->f, NULL, 64, 0x3ff);
    gpool_texture texture = fixture_target(w->f, 4, 4);
    for (int i = 0; i < HOSTILE_EDGES; ++i) {
        gpool_recorder rec = hostile_frame(w, 0);
        uint64_t skipped = fixture_stats(w->f).skipped;
        uint32_t bad = 0;
        for (int j = 0; j < HOSTILE_EDGES; ++j) {
            uint64_t a = hostile_edges[i];
            uint64_t b = hostile_edges[j];
            bool good = inside(a, b, 64) && a % 4 == 0 && b % 4 == 0;
            gpool_copy_buffer(rec, w->witness, a, target, 0, b);
            gpool_copy_buffer(rec, w->witness, 0, target, a, b);
            gpool_clear_buffer(rec, target, a, b);
            bad += good ? 0 : 3;
            if (b == 0 || b > 0xffffffff || b % 256 != 0) {
                gpool_copy_texture_to_buffer(rec, texture, NULL, target, a, (uint32_t)b);
                gpool_copy_buffer_to_texture(rec, w->witness, a, (uint32_t)b, texture, NULL);
                bad += 2;
            }
        }
        assert_int_equal(fixture_stats(w->f).skipped - skipped, bad);
        assert_int_not_equal(hostile_end(w, rec, 0), GPOOL_OK);
    }
    hostile_good_frame(w);
}

void hostile_ranges_of_bindings(hostile_world *w)
{
    gpool_buffer buffer = fixture_buffer(w->f, NULL, 512, 0x3ff);
    gpool_layout_entry entries[] = {
        { .binding = 0, .type = GPOOL_BINDING_STORAGE_WRITE, .stages = WGPUShaderStage_Compute }
    };
    gpool_layout layout = gpool_layout_create(
        w->pool, &(gpool_layout_desc){ .entries = entries, .entry_count = 1, .label = "range" });
    gpool_layout dynamic = gpool_uniform_layout(w->pool);
    for (int i = 0; i < HOSTILE_EDGES; ++i) {
        gpool_recorder rec = hostile_frame(w, 2);
        for (int j = 0; j < HOSTILE_EDGES; ++j) {
            gpool_binding binding = { .buffer = buffer,
                                      .offset = hostile_edges[i],
                                      .size = hostile_edges[j] };
            uint32_t offset = (uint32_t)hostile_edges[j];
            gpool_set_bindings(rec, 0, layout, &binding, 1, NULL, 0);
            gpool_set_bindings(rec, 0, dynamic, &binding, 1, &offset, 1);
            binding.size = 0;
            gpool_set_bindings(rec, 0, dynamic, &binding, 1, &offset, 1);
            binding.offset = 0;
            gpool_set_bindings(rec, 0, dynamic, &binding, 1, &offset, 1);
            gpool_set_uniforms(rec, 0, w, hostile_edges[j] > 64 ? hostile_edges[j] | 1u << 31 : 1);
        }
        (void)hostile_end(w, rec, 2);
    }
    for (int i = 0; i < HOSTILE_EDGES; ++i) {
        gpool_recorder rec = hostile_frame(w, 1);
        gpool_set_vertex_buffer(rec, 0, buffer, hostile_edges[i]);
        gpool_set_vertex_buffer(rec, (uint32_t)hostile_edges[i], buffer, 0);
        gpool_set_index_buffer(rec, buffer, WGPUIndexFormat_Uint16, hostile_edges[i]);
        gpool_set_index_buffer(rec, buffer, WGPUIndexFormat_Uint32, hostile_edges[i]);
        gpool_draw_indirect(rec, buffer, hostile_edges[i], false);
        gpool_draw_indirect(rec, buffer, hostile_edges[i], true);
        (void)hostile_end(w, rec, 1);
    }
    hostile_good_frame(w);
}

/* An offset at the very end binds nothing: legal as a number, useless, and never fatal. */
void hostile_ranges_empty(hostile_world *w)
{
    gpool_buffer buffer = fixture_buffer(w->f, NULL, 512, 0x3ff);
    gpool_buffer odd = fixture_buffer(w->f, NULL, 510, GPOOL_BUFFER_VERTEX | GPOOL_BUFFER_INDEX);
    hostile_survives(w, 1, gpool_set_vertex_buffer(rec, 0, buffer, 512));
    hostile_survives(w, 1, gpool_set_index_buffer(rec, buffer, WGPUIndexFormat_Uint32, 512));
    hostile_survives(w, 1, gpool_set_index_buffer(rec, buffer, WGPUIndexFormat_Uint16, 512));
    hostile_survives(w, 1, gpool_set_vertex_buffer(rec, 7, odd, 508));
    hostile_survives(w, 1, gpool_set_index_buffer(rec, odd, WGPUIndexFormat_Uint16, 510));
    hostile_survives(w, 1, gpool_set_index_buffer(rec, odd, WGPUIndexFormat_Uint16, 506));
    hostile_survives(w, 0, gpool_clear_buffer(rec, buffer, 512, 0));
    hostile_survives(w, 0, gpool_copy_buffer(rec, buffer, 512, w->witness, 64, 0));
}

void hostile_ranges_unaligned(hostile_world *w)
{
    uint8_t bytes[64];
    uint8_t junk[64];
    memset(junk, 0xee, sizeof junk);
    for (int i = 0; i < 64; ++i) {
        bytes[i] = (uint8_t)(i + 1);
    }
    gpool_buffer written =
        fixture_buffer(w->f, bytes, 64, GPOOL_BUFFER_STORAGE_WRITE | GPOOL_BUFFER_READ_BACK | 0xc0);
    for (uint64_t offset = 0; offset < 8; ++offset) {
        for (uint64_t size = 1; size < 12; ++size) {
            if (offset % 4 != 0 || size % 4 != 0) {
                hostile_refused(w, gpool_buffer_write(w->pool, written, offset, junk, size),
                                MISALIGNED, ALIGNMENT);
                hostile_skips(w, 0, gpool_clear_buffer(rec, written, offset, size), MISALIGNED,
                              ALIGNMENT);
                hostile_skips(w, 0, gpool_copy_buffer(rec, w->witness, 0, written, offset, size),
                              MISALIGNED, ALIGNMENT);
                hostile_skips(w, 0, gpool_copy_buffer(rec, w->witness, offset, written, 0, size),
                              MISALIGNED, ALIGNMENT);
            }
        }
    }
    assert_buffer(w->f, written, 0, bytes, 64);
    /* Commands write whole words, so such a buffer has no odd size, and what it gains is zero. */
    for (uint64_t size = 1; size < 12; ++size) {
        if (size % 4 != 0) {
            hostile_refused(w, gpool_buffer_resize(w->pool, written, size), MISALIGNED, ALIGNMENT);
        }
    }
    assert_good(gpool_buffer_resize(w->pool, written, 4));
    assert_good(gpool_buffer_resize(w->pool, written, 12));
    memset(bytes + 4, 0, 8);
    assert_buffer(w->f, written, 0, bytes, 12);
    hostile_good_frame(w);
}

#define REGION_REFUSED(w, texture, code, log_id, ...)                                              \
    do {                                                                                           \
        gpool_texture_region region = { __VA_ARGS__ };                                             \
        hostile_refused(w, gpool_texture_write((w)->pool, texture, &region, data, sizeof data, 0), \
                        code, log_id);                                                             \
        hostile_refused(w, gpool_texture_read((w)->pool, texture, &region, data, sizeof data),     \
                        code, log_id);                                                             \
        hostile_skips(w, 0, gpool_copy_texture(rec, (w)->witness_texture, NULL, texture, &region), \
                      code, log_id);                                                               \
    } while (0)

static void regions_outside(hostile_world *w, gpool_texture texture)
{
    static uint8_t data[4096];
    static const uint32_t far[] = { 5, 8, 0x7fffffffu, 0x80000000u, UINT32_MAX - 3, UINT32_MAX };
    for (int i = 0; i < 6; ++i) {
        uint32_t n = far[i];
        REGION_REFUSED(w, texture, OUT_OF_RANGE, RANGE, .x = n, .width = 1);
        REGION_REFUSED(w, texture, OUT_OF_RANGE, RANGE, .y = n, .height = 1);
        REGION_REFUSED(w, texture, OUT_OF_RANGE, RANGE, .z = n);
        REGION_REFUSED(w, texture, OUT_OF_RANGE, RANGE, .mip_level = n);
        gpool_texture_region wide = { .x = 1, .width = n };
        hostile_refused(w, gpool_texture_write(w->pool, texture, &wide, data, sizeof data, 0),
                        OUT_OF_RANGE, RANGE);
        wide = (gpool_texture_region){ .y = 1, .height = n };
        hostile_refused(w, gpool_texture_read(w->pool, texture, &wide, data, sizeof data),
                        OUT_OF_RANGE, RANGE);
        wide = (gpool_texture_region){ .z = 1, .depth = n };
        hostile_refused(w, gpool_texture_read(w->pool, texture, &wide, data, sizeof data),
                        OUT_OF_RANGE, RANGE);
    }
    static const uint32_t aspects[] = { 4, 0x7fffffffu, UINT32_MAX };
    for (int i = 0; i < 3; ++i) {
        REGION_REFUSED(w, texture, INVALID_ARGUMENT, ARGUMENT_VALUE,
                       .aspect = (WGPUTextureAspect)aspects[i]);
    }
    REGION_REFUSED(w, texture, UNSUPPORTED, UNSUPPORTED, .aspect = WGPUTextureAspect_DepthOnly);
    REGION_REFUSED(w, texture, UNSUPPORTED, UNSUPPORTED, .aspect = WGPUTextureAspect_StencilOnly);
}

void hostile_ranges_of_textures(hostile_world *w)
{
    static uint8_t data[4096];
    gpool_texture_desc desc = { .width = 4,
                                .height = 4,
                                .depth_or_layers = 2,
                                .mip_levels = 2,
                                .format = WGPUTextureFormat_RGBA8Unorm,
                                .usage = 0x3f,
                                .label = "regions" };
    gpool_texture texture = gpool_texture_create(w->pool, &desc);
    assert_int_not_equal(texture.id, 0);
    regions_outside(w, texture);
    hostile_refused(w, gpool_texture_write(w->pool, texture, NULL, data, 127, 0), OUT_OF_RANGE,
                    RANGE);
    hostile_refused(w, gpool_texture_write(w->pool, texture, NULL, data, 0, 0), OUT_OF_RANGE,
                    RANGE);
    hostile_refused(w, gpool_texture_write(w->pool, texture, NULL, data, 4096, 15), MISALIGNED,
                    ALIGNMENT);
    hostile_refused(w, gpool_texture_write(w->pool, texture, NULL, data, 4096, 1024), OUT_OF_RANGE,
                    RANGE);
    hostile_refused(w, gpool_texture_write(w->pool, texture, NULL, data, 4096, UINT32_MAX),
                    OUT_OF_RANGE, RANGE);
    hostile_refused(w, gpool_texture_read(w->pool, texture, NULL, data, 127), OUT_OF_RANGE, RANGE);
    /* Strides that are no multiple of a texel. */
    for (uint32_t stride = 16; stride < 40; ++stride) {
        (void)gpool_texture_write(w->pool, texture, NULL, data, 4096, stride);
        hostile_good_frame(w);
    }
    static const WGPUTextureFormat depths[] = {
        WGPUTextureFormat_Stencil8, WGPUTextureFormat_Depth16Unorm, WGPUTextureFormat_Depth24Plus,
        WGPUTextureFormat_Depth24PlusStencil8, WGPUTextureFormat_Depth32Float
    };
    for (int i = 0; i < 5; ++i) {
        desc.format = depths[i];
        desc.usage = 0x3f & ~GPOOL_TEXTURE_STORAGE;
        desc.depth_or_layers = 1;
        gpool_texture depth = gpool_texture_create(w->pool, &desc);
        for (uint32_t aspect = 0; aspect < 4; ++aspect) {
            for (uint32_t part = 0; part < 3; ++part) {
                gpool_texture_region region = { .aspect = (WGPUTextureAspect)aspect,
                                                .width = part,
                                                .mip_level = part / 2 };
                (void)gpool_texture_write(w->pool, depth, &region, data, sizeof data, 0);
                (void)gpool_texture_read(w->pool, depth, &region, data, sizeof data);
                gpool_recorder rec = hostile_frame(w, 0);
                gpool_copy_texture_to_buffer(rec, depth, &region, w->witness, 0, 256);
                (void)hostile_end(w, rec, 0);
                rec = hostile_frame(w, 0);
                gpool_copy_buffer_to_texture(rec, w->witness, 0, 256, depth, &region);
                (void)hostile_end(w, rec, 0);
                rec = hostile_frame(w, 0);
                gpool_copy_texture(rec, depth, &region, depth,
                                   &(gpool_texture_region){ .mip_level = 1 });
                (void)hostile_end(w, rec, 0);
            }
        }
        hostile_good_frame(w);
    }
}
