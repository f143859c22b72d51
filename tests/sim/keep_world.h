/* Buffers that drop their shadow, and the program that can bring their content again. */
#ifndef GPOOL_TESTS_SIM_KEEP_WORLD_H
#define GPOOL_TESTS_SIM_KEEP_WORLD_H

#include "follow.h"

#define KEEP_SIZE  40000u
#define KEEP_EVERY 10u /* two implementations, five ways */

/* What a refill does beside filling. */
typedef enum keep_act {
    KEEP_FILLS,
    KEEP_FAILS,
    KEEP_CALLS, /* tries calls that are refused */
    KEEP_DESTROYS,
    KEEP_DESTROYS_AND_FAILS
} keep_act;

typedef struct keep {
    follow f;
    sim_pool *p;
    keep_act act;
    uint32_t asked;
} keep;

static inline void keep_open(sim_pool *p, size_t i)
{
    sim_desc desc = { .personality = i % 2 == 0 ? SIM_WGPU_NATIVE : SIM_DAWN };
    sim_pool_open_upload(p, &desc, &(gpool_upload_desc){ .force = (gpool_upload_way)(i / 2 % 5) });
}

static inline gpool_buffer_info keep_info(const keep *k)
{
    gpool_buffer_info info;
    assert_same(gpool_buffer_get_info(k->p->pool, k->f.handle, &info), GPOOL_OK);
    return info;
}

static inline gpool_result keep_fill(void *user, gpool *pool, gpool_buffer buffer,
                                     const gpool_buffer_info *info, void *bytes)
{
    keep *k = user;
    k->asked += 1;
    assert_ptr_equal(pool, k->p->pool);
    assert_int_equal(buffer.id, k->f.handle.id);
    assert_int_equal(info->size, k->f.size);
    assert_string_equal(info->label, "kept");
    for (uint64_t i = 0; i < info->size; ++i) {
        assert_int_equal(((const uint8_t *)bytes)[i], 0);
    }
    if (k->act == KEEP_CALLS) {
        uint8_t byte = 1;
        assert_same(gpool_buffer_write(pool, buffer, 0, &byte, 1), GPOOL_ERROR_WRONG_PHASE);
        assert_null(gpool_buffer_edit(pool, buffer, 0, 1));
        assert_same(gpool_buffer_resize(pool, buffer, 4), GPOOL_ERROR_WRONG_PHASE);
        assert_same(gpool_process_uploads(pool), GPOOL_ERROR_WRONG_PHASE);
        assert_same(gpool_process_deletions(pool), GPOOL_ERROR_WRONG_PHASE);
        gpool_destroy(pool);
        (void)sim_pool_taken(k->p, GPOOL_LOG_PHASE);
    }
    if (k->act == KEEP_DESTROYS || k->act == KEEP_DESTROYS_AND_FAILS) {
        assert_same(gpool_buffer_destroy(pool, buffer), GPOOL_OK);
    }
    if (k->act == KEEP_FAILS || k->act == KEEP_DESTROYS_AND_FAILS) {
        memset(bytes, 0xee, info->size);
        return GPOOL_ERROR_FILE;
    }
    memcpy(bytes, k->f.bytes, info->size);
    return GPOOL_OK;
}

/** Makes a buffer with GPOOL_KEEP_DROP; with data, of zeros, with a refill. */
static inline void keep_make(keep *k, sim_pool *p, uint64_t size, gpool_buffer_usage usage,
                             bool data, bool refill)
{
    *k = (keep){ .p = p, .f = { .size = size, .bytes = calloc(1, (size + 3) & ~UINT64_C(3)) } };
    assert_non_null(k->f.bytes);
    if (data) {
        follow_fill(k->f.bytes, size, size);
    }
    k->f.handle =
        gpool_buffer_create(p->pool, &(gpool_buffer_desc){ .data = data ? k->f.bytes : NULL,
                                                           .size = size,
                                                           .usage = usage,
                                                           .keep = GPOOL_KEEP_DROP,
                                                           .refill = refill ? keep_fill : NULL,
                                                           .refill_user = k,
                                                           .label = "kept" });
    assert_int_not_equal(k->f.handle.id, 0);
}

/** Fails unless only the GPU has the content, and that is what was written. */
static inline void keep_is_dropped(const keep *k, const char *when)
{
    gpool_buffer_info info = keep_info(k);
    if (info.shadow_bytes != 0 || !info.dropped || info.dirty_bytes != 0) {
        fail_msg("%s: a shadow of %llu bytes, dropped %d, dirty %llu", when,
                 (unsigned long long)info.shadow_bytes, info.dropped,
                 (unsigned long long)info.dirty_bytes);
    }
    follow_same(k->p, &k->f, when);
    assert_true(gpool__pool_validate(k->p->pool));
}

/** Sends what is dirty: nothing is left of the shadow. */
static inline void keep_send(const keep *k, const char *when)
{
    assert_same(gpool_process_uploads(k->p->pool), GPOOL_OK);
    keep_is_dropped(k, when);
}

/** Writes all of it. */
static inline void keep_write(keep *k, uint64_t seed)
{
    follow_fill(k->f.bytes, k->f.size, seed);
    assert_same(gpool_buffer_write(k->p->pool, k->f.handle, 0, k->f.bytes, k->f.size), GPOOL_OK);
}

/** Moves the pool to another device. */
static inline gpool_recover_report keep_recover(sim_pool *p, const gpool_recover_desc *how)
{
    gpool_device_desc desc = { .gpu = &p->table, .log = sim_pool_on_log, .log_user = p };
    gpool_device *device = NULL;
    gpool_recover_report report;
    assert_same(gpool_device_open(&desc, &device), GPOOL_OK);
    assert_same(gpool_recover(p->pool, device, how, &report), GPOOL_OK);
    gpool_device_release(p->device);
    p->device = device;
    return report;
}

#endif
