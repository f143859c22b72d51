/* Buffers that drop their shadow: written whole, written in part over a refill, resized, copied to. */
#include "fault.h"

#include <string.h>

#define KEEP_USAGE (GPOOL_BUFFER_VERTEX | GPOOL_BUFFER_READ_BACK)

static gpool_result keep_fill(void *user, gpool *pool, gpool_buffer buffer,
                              const gpool_buffer_info *info, void *bytes)
{
    const fault_buffer *kept = user;
    (void)pool;
    memcpy(bytes, kept->bytes, (size_t)info->size);
    return buffer.id == kept->handle.id ? GPOOL_OK : GPOOL_ERROR_FILE;
}

static void keep_make(fault_world *w, fault_buffer *kept, uint64_t size, uint32_t number,
                      bool refill)
{
    *kept = (fault_buffer){ .size = size, .known = true };
    if (number != 0) {
        fault_pattern(kept->bytes, (size_t)size, number);
    }
    gpool_buffer_desc desc = { .data = number != 0 ? kept->bytes : NULL,
                               .size = size,
                               .usage = KEEP_USAGE,
                               .keep = GPOOL_KEEP_DROP,
                               .refill = refill ? keep_fill : NULL,
                               .refill_user = kept,
                               .label = "kept" };
    kept->handle = FAULT_MAKE(w, gpool_buffer, gpool_buffer_create(w->pool, &desc));
}

static void keep_write(fault_world *w, fault_buffer *kept, uint64_t offset, uint64_t size,
                       uint32_t number)
{
    static uint8_t bytes[FAULT_BYTES];
    fault_pattern(bytes, (size_t)size, number);
    (void)fault_buffer_write(w, kept, offset, bytes, size);
}

static void keep_edit(fault_world *w, fault_buffer *kept, uint32_t number)
{
    uint8_t *memory =
        FAULT_GET(w, kept->handle.id, gpool_buffer_edit(w->pool, kept->handle, 300, 50));
    if (memory != NULL) {
        FAULT_EXPECT(w, memcmp(memory, kept->bytes + 300, 50) == 0);
        fault_pattern(memory, 50, number);
        memcpy(kept->bytes + 300, memory, 50);
    }
}

/* What was sent without an error has left nothing behind. */
static void keep_send(fault_world *w, const fault_buffer *kept)
{
    gpool_buffer_info info;
    if (FAULT_DO(w, 0, gpool_process_uploads(w->pool)) &&
        gpool_buffer_get_info(w->pool, kept->handle, &info) == GPOOL_OK && !info.failed) {
        FAULT_EXPECT(w, info.shadow_bytes == 0);
    }
}

static gpool_result scenario_keep(fault_world *w)
{
    static fault_buffer whole;
    static fault_buffer parts;
    /* A pool of its own: how much staging it keeps depends on the fault. */
    gpool *before = w->pool;
    gpool *pool = NULL;
    uint64_t leaks = w->log_counts[GPOOL_LOG_LEAK];
    gpool_desc desc = fault_pool_desc(w);
    if (!FAULT_DO(w, 0, gpool_create(w->device, &desc, &pool))) {
        return fault_end(w);
    }
    (void)fault_use(w, pool);
    keep_make(w, &whole, 16390, 1, false);
    keep_make(w, &parts, 1003, 0, true);
    keep_write(w, &parts, 100, 77, 2); /* of zeros */
    keep_send(w, &whole);
    keep_send(w, &parts);
    keep_write(w, &whole, 0, whole.size, 3);
    keep_write(w, &parts, 500, 33, 4);
    keep_send(w, &whole);
    keep_edit(w, &parts, 5);
    (void)FAULT_DO(w, 0, gpool_begin_frame(w->pool));
    keep_write(w, &whole, 0, whole.size, 6);
    (void)FAULT_DO(w, 0, gpool_submit(w->pool));
    keep_write(w, &parts, 0, 20, 7);
    (void)FAULT_DO(w, 0, gpool_end_frame(w->pool));
    fault_buffer_check(w, &whole);
    fault_buffer_check(w, &parts);
    (void)fault_buffer_resize(w, &whole, 17001);
    (void)fault_buffer_resize(w, &parts, 404);
    fault_buffer_check(w, &whole);
    keep_write(w, &parts, 99, 9, 8);
    (void)fault_buffer_resize(w, &parts, 1200);
    fault_buffer_check(w, &parts);
    keep_write(w, &whole, 0, whole.size, 9); /* pending when it is destroyed */
    fault_destroy_pool(w, before);
    w->log_counts[GPOOL_LOG_LEAK] = leaks;
    return fault_end(w);
}

FAULT_SWEEP(keep, scenario_keep)
