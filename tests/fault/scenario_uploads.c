/* Uploads by staging and by scatter, recorded writes. */
#include "fault.h"

#include <string.h>

#define LARGE 16404u /* may be scattered to; its last granule is not whole */

#define COPYING (GPOOL_BUFFER_COPY_SOURCE | GPOOL_BUFFER_COPY_TARGET | GPOOL_BUFFER_READ_BACK)

typedef struct upload_things {
    fault_buffer large;
    fault_buffer small;
    fault_buffer recorded;
} upload_things;

/* Pieces here and there, and the last byte. */
static void uploads_write(fault_world *w, fault_buffer *buffer, uint32_t number)
{
    uint8_t bytes[80];
    fault_pattern(bytes, sizeof bytes, number);
    for (uint64_t at = number % 7; at + 80 < buffer->size; at += 3000) {
        (void)fault_buffer_write(w, buffer, at, bytes, sizeof bytes);
    }
    (void)fault_buffer_write(w, buffer, buffer->size - 1, bytes, 1);
}

static void uploads_edit(fault_world *w, fault_buffer *buffer, uint32_t number)
{
    uint8_t bytes[64];
    fault_pattern(bytes, sizeof bytes, number);
    uint8_t *memory =
        FAULT_GET(w, buffer->handle.id, gpool_buffer_edit(w->pool, buffer->handle, 500, 64));
    if (memory != NULL) {
        FAULT_EXPECT(w, !buffer->known || memcmp(memory, buffer->bytes + 500, 64) == 0);
        memcpy(memory, bytes, sizeof bytes);
        memcpy(buffer->bytes + 500, bytes, sizeof bytes);
    }
}

/* A frame whose recorder writes; more than a block of staging at the second place. */
static void uploads_frame(fault_world *w, upload_things *t, uint32_t number)
{
    uint8_t bytes[4096];
    fault_pattern(bytes, sizeof bytes, number);
    (void)FAULT_DO(w, 0, gpool_begin_frame(w->pool));
    uploads_write(w, &t->large, number);
    gpool_recorder rec = gpool_frame_recorder(w->pool);
    gpool_record_write(rec, t->recorded.handle, 64, bytes, 64);
    gpool_copy_buffer(rec, t->recorded.handle, 64, t->small.handle, 128, 64);
    gpool_record_write(rec, t->recorded.handle, 0, bytes + 64, 1024);
    uploads_write(w, &t->large, number + 1);
    bool done = FAULT_DO(w, 0, gpool_end_frame(w->pool));
    fault_buffer_changed(&t->recorded, done, 0, bytes + 64, 1024);
    fault_buffer_changed(&t->small, done, 128, bytes, 64);
}

static void uploads_way(fault_world *w, upload_things *t, gpool_upload_way way)
{
    gpool *before = w->pool;
    gpool *pool = NULL;
    uint64_t leaks = w->log_counts[GPOOL_LOG_LEAK];
    uint8_t bytes[1200];
    fault_pattern(bytes, sizeof bytes, 5);
    gpool_desc desc = fault_pool_desc(w);
    desc.upload.force = way;
    if (!FAULT_DO(w, 0, gpool_create(w->device, &desc, &pool))) {
        return;
    }
    (void)fault_use(w, pool);
    fault_buffer_make(w, &t->large, GPOOL_BUFFER_VERTEX | GPOOL_BUFFER_READ_BACK, LARGE, NULL);
    fault_buffer_make(w, &t->small, COPYING, 512, bytes);
    fault_buffer_make(w, &t->recorded, COPYING, 1200, bytes);
    uploads_write(w, &t->large, 1);
    (void)FAULT_DO(w, 0, gpool_process_uploads(w->pool));
    uploads_write(w, &t->large, 2);
    uploads_edit(w, &t->large, 3);
    uploads_write(w, &t->recorded, 4);
    fault_buffer_check(w, &t->large);
    uploads_frame(w, t, 10);
    uploads_frame(w, t, 20);
    fault_buffer_check(w, &t->recorded);
    (void)fault_buffer_write(w, &t->recorded, 64, bytes, 64);
    fault_buffer_check(w, &t->recorded);
    fault_buffer_check(w, &t->small);
    (void)fault_buffer_resize(w, &t->large, LARGE + 400);
    uploads_write(w, &t->large, 5);
    fault_buffer_check(w, &t->large);
    gpool_upload_info info;
    FAULT_EXPECT(w, !fault_is_whole(w) ||
                        (gpool_upload_explain(w->pool, t->large.handle, &info) == GPOOL_OK &&
                         (info.way == way || fault_hits(w) > 0)));
    (void)FAULT_DO(w, 0, gpool_tick(w->pool));
    fault_destroy_pool(w, before);
    w->log_counts[GPOOL_LOG_LEAK] = leaks;
}

static gpool_result scenario_staging(fault_world *w)
{
    static upload_things t;
    uploads_way(w, &t, GPOOL_UPLOAD_MERGED);
    return fault_end(w);
}

static gpool_result scenario_scatter(fault_world *w)
{
    static upload_things t;
    uploads_way(w, &t, GPOOL_UPLOAD_SCATTER);
    return fault_end(w);
}

FAULT_SWEEP(uploads_staging, scenario_staging)
FAULT_SWEEP(uploads_scatter, scenario_scatter)
