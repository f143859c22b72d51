/* Pools on the simulator that recycle: what is put into the store is dirty, what comes out must be zero. */
#ifndef GPOOL_TESTS_SIM_RECYCLE_POOL_H
#define GPOOL_TESTS_SIM_RECYCLE_POOL_H

#include "sim_pool.h"

#define SMALL 256u
#define LARGE 131072u /* cleared by the GPU rather than sent */

#define WRITTEN  (GPOOL_BUFFER_STORAGE_WRITE | SIM_POOL_COPYABLE)
#define SHADOWED (GPOOL_BUFFER_VERTEX | GPOOL_BUFFER_COPY_SOURCE | GPOOL_BUFFER_READ_BACK)

static const sim_desc manners[] = { { .personality = SIM_WGPU_NATIVE },
                                    { .personality = SIM_DAWN },
                                    { .reuse_handles = true } };

static inline void open(sim_pool *p, size_t manner, gpool_recycle_desc recycle)
{
    sim_pool_open_with(p, &manners[manner], &(gpool_upload_desc){ 0 }, recycle);
}

/* Bytes that are not zero. */
static inline const uint8_t *dirt(void)
{
    static uint8_t bytes[LARGE];
    memset(bytes, 0xd1, sizeof bytes);
    return bytes;
}

static inline gpool_buffer make(sim_pool *p, uint64_t size, gpool_buffer_usage usage,
                                const void *data)
{
    gpool_buffer buffer = gpool_buffer_create(
        p->pool,
        &(gpool_buffer_desc){ .data = data, .size = size, .usage = usage, .label = "recycled" });
    assert_int_not_equal(buffer.id, 0);
    return buffer;
}

static inline gpool_texture_desc target_desc(void)
{
    return (gpool_texture_desc){ .width = 16,
                                 .height = 8,
                                 .format = WGPUTextureFormat_RGBA8Unorm,
                                 .usage = GPOOL_TEXTURE_TARGET | GPOOL_TEXTURE_READ_BACK |
                                          GPOOL_TEXTURE_COPY_SOURCE | GPOOL_TEXTURE_COPY_TARGET,
                                 .label = "recycled" };
}

static inline gpool_texture make_texture(sim_pool *p, gpool_texture_desc desc)
{
    gpool_texture texture = gpool_texture_create(p->pool, &desc);
    assert_int_not_equal(texture.id, 0);
    return texture;
}

/* Frees by serial: everything that is retired. */
static inline void drain(sim_pool *p)
{
    assert_same(gpool_process_uploads(p->pool), GPOOL_OK);
    assert_same(gpool_tick(p->pool), GPOOL_OK);
    assert_same(gpool_tick(p->pool), GPOOL_OK);
    assert_int_equal(sim_pool_stats(p).retired_count, 0);
    assert_true(gpool__pool_validate(p->pool));
}

static inline void end(sim_pool *p, uint64_t id)
{
    assert_same(gpool_release(p->pool, id), GPOOL_OK);
    drain(p);
}

/* Puts a dirty buffer of a class into the store. */
static inline void keep(sim_pool *p, uint64_t size, gpool_buffer_usage usage)
{
    gpool_buffer buffer = make(p, size, usage, dirt());
    drain(p);
    end(p, buffer.id);
}

/* The same for a texture: all levels and layers are dirty. */
static inline void keep_texture(sim_pool *p, gpool_texture_desc desc)
{
    gpool_texture texture = make_texture(p, desc);
    gpool_texture_info info;
    assert_same(gpool_texture_get_info(p->pool, texture, &info), GPOOL_OK);
    for (uint32_t level = 0; level < info.mip_levels; ++level) {
        gpool_texture_region all = { .mip_level = level,
                                     .depth = info.dimension == WGPUTextureDimension_3D
                                                  ? (info.depth_or_layers >> level) + 0u
                                                  : info.depth_or_layers };
        assert_same(gpool_texture_write(p->pool, texture, &all, dirt(), LARGE, 0), GPOOL_OK);
    }
    drain(p);
    end(p, texture.id);
}

static inline void expect(sim_pool *p, uint64_t hits, uint64_t misses, uint64_t count,
                          uint64_t bytes)
{
    gpool_stats stats = sim_pool_stats(p);
    assert_int_equal(stats.recycle_hits, hits);
    assert_int_equal(stats.recycle_misses, misses);
    assert_int_equal(stats.recycled_count, count);
    assert_int_equal(stats.recycled_bytes, bytes);
}

/* All bytes of a buffer are zero but those of a part, which are dirt. */
static inline void same(sim_pool *p, gpool_buffer buffer, uint64_t size, uint64_t offset,
                        uint64_t dirty)
{
    static uint8_t got[LARGE];
    static uint8_t wanted[LARGE];
    memset(wanted, 0, sizeof wanted);
    memcpy(wanted + offset, dirt(), (size_t)dirty);
    memset(got, 0x77, sizeof got);
    assert_same(gpool_buffer_read(p->pool, buffer, 0, got, size), GPOOL_OK);
    assert_memory_equal(got, wanted, (size_t)size);
}

static inline WGPUBuffer gpu_of(sim_pool *p, gpool_buffer handle)
{
    gpool_result result;
    const gpool__buffer *buffer =
        (gpool__buffer *)gpool__resolve(p->pool, handle.id, GPOOL_KIND_BUFFER, &result);
    assert_non_null(buffer);
    return buffer->gpu;
}

/* All of a level is zero. */
static inline void zero_level(sim_pool *p, gpool_texture texture, uint32_t level, uint32_t layers)
{
    static uint8_t got[LARGE];
    static const uint8_t zeros[LARGE];
    for (uint32_t z = 0; z < layers; ++z) {
        gpool_texture_region region = { .mip_level = level, .z = z };
        memset(got, 0, sizeof got);
        assert_same(gpool_texture_read(p->pool, texture, &region, got, sizeof got), GPOOL_OK);
        assert_memory_equal(got, zeros, sizeof got);
    }
}

#endif
