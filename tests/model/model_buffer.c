/* Operations on buffers. */
#include "model_state.h"

#include <stdlib.h>
#include <string.h>

#define WRITABLE                                                                                   \
    ((gpool_buffer_usage)(GPOOL_BUFFER_STORAGE_WRITE | GPOOL_BUFFER_COPY_TARGET |                  \
                          GPOOL_BUFFER_QUERY_TARGET))

static uint64_t padded(uint64_t size)
{
    return (size + 3) / 4 * 4;
}

static model_buffer *buffer_of(const model_ref *ref)
{
    return (model_buffer *)(void *)ref->thing;
}

/* Sizes around the borders that matter, and any other. */
static uint64_t buffer_size(model *m)
{
    static const uint64_t borders[] = { 0,   1,    3,    4,    64,   252,        255,
                                        256, 4096, 4100, 8192, 8448, UINT64_MAX, UINT64_MAX / 2 };
    uint32_t choice = model_take8(m);
    if (choice >= 64 && choice < 144) {
        return 256; /* often the same, to be recycled */
    }
    if (choice < 56) {
        return borders[choice % (sizeof borders / sizeof *borders)];
    }
    uint64_t size = 1 + model_take16(m) % (choice < 200 ? 600 : 9000);
    size += choice >= 240 ? (uint64_t)16384 + choice % 16 * 1300 : 0; /* may be scattered to */
    return choice % 4 == 0 ? size : padded(size);
}

static gpool_result buffer_check_size(uint64_t size, gpool_buffer_usage usage)
{
    if (size == 0) {
        return GPOOL_ERROR_OUT_OF_RANGE;
    }
    if (size > UINT32_MAX) {
        return GPOOL_ERROR_LIMIT;
    }
    return (usage & WRITABLE) != 0 && size % 4 != 0 ? GPOOL_ERROR_MISALIGNED : GPOOL_OK;
}

/* Brings what the buffer had before the call that asks. */
static gpool_result refill(void *user, gpool *pool, gpool_buffer buffer,
                           const gpool_buffer_info *info, void *bytes)
{
    const model_buffer *b = user;
    if (gpool_process_uploads(pool) != GPOOL_ERROR_WRONG_PHASE || info->size != b->size ||
        buffer.id != b->thing.id || b->refill_fails) {
        return GPOOL_ERROR_FILE;
    }
    memcpy(bytes, b->bytes, b->size);
    return GPOOL_OK;
}

/* The pool says whether a shadow was dropped; what must follow from that is known here. */
static bool is_dropped(model *m, const model_buffer *b)
{
    gpool_buffer_info info = { 0 };
    return b->drops && !b->gpu_written &&
           gpool_buffer_get_info(m->pool, (gpool_buffer){ b->thing.id }, &info) == GPOOL_OK &&
           info.dropped;
}

/* Result of a good change of a part. */
static gpool_result change(model *m, const model_buffer *b, uint64_t size)
{
    return size == 0 || size == b->size || !is_dropped(m, b) ? GPOOL_OK
           : !b->refills                                     ? GPOOL_ERROR_NO_SHADOW
           : b->refill_fails                                 ? GPOOL_ERROR_FILE
                                                             : GPOOL_OK;
}

void model_buffer_create(model *m)
{
    static const gpool_buffer_usage usages[] = {
        GPOOL_BUFFER_VERTEX | GPOOL_BUFFER_COPY_SOURCE | GPOOL_BUFFER_READ_BACK,
        GPOOL_BUFFER_STORAGE | GPOOL_BUFFER_COPY_SOURCE | GPOOL_BUFFER_READ_BACK,
        GPOOL_BUFFER_UNIFORM | GPOOL_BUFFER_COPY_SOURCE | GPOOL_BUFFER_COPY_TARGET |
            GPOOL_BUFFER_READ_BACK,
        GPOOL_BUFFER_STORAGE_WRITE | GPOOL_BUFFER_COPY_SOURCE | GPOOL_BUFFER_COPY_TARGET |
            GPOOL_BUFFER_READ_BACK,
        GPOOL_BUFFER_STORAGE | GPOOL_BUFFER_COPY_TARGET | GPOOL_BUFFER_READ_BACK,
        GPOOL_BUFFER_INDEX,
        0,
        1u << 20,
    };
    uint32_t choice = model_take8(m);
    gpool_buffer_usage usage = usages[choice % 32 < 2 ? 6 + choice % 32 : choice % 6];
    uint64_t size = buffer_size(m);
    model_ref owner = model_pick_owner(m);
    uint32_t place = model_place(m, GPOOL_KIND_BUFFER);
    if (place == UINT32_MAX) {
        return;
    }
    gpool_result expected = usage == 0          ? GPOOL_ERROR_MISSING_USAGE
                            : usage == 1u << 20 ? GPOOL_ERROR_INVALID_ARGUMENT
                                                : buffer_check_size(size, usage);
    expected = expected == GPOOL_OK ? owner.code : expected;
    model_buffer *b = model_must(calloc(1, sizeof *b));
    b->thing.kind = GPOOL_KIND_BUFFER;
    b->thing.scope = owner.thing;
    b->size = expected == GPOOL_OK ? size : 4;
    b->usage = usage;
    b->gpu_written = (usage & GPOOL_BUFFER_STORAGE_WRITE) != 0;
    b->drops = choice / 8 % 2 != 0;
    b->refills = choice / 16 % 2 != 0;
    b->refill_fails = choice / 32 % 4 == 0;
    b->thing.gpu_bytes = padded(b->size);
    bool data = expected == GPOOL_OK && choice >= 128;
    b->bytes = data ? model_bytes(m, padded(b->size)) : model_must(calloc(1, padded(b->size)));
    memset(b->bytes + b->size, 0, padded(b->size) - b->size);
    gpool_buffer_desc desc = { .data = data ? b->bytes : NULL,
                               .size = size,
                               .usage = usage,
                               .keep = b->drops ? GPOOL_KEEP_DROP : GPOOL_KEEP_AUTO,
                               .refill = b->refills ? refill : NULL,
                               .refill_user = b,
                               .label = choice % 2 == 0 ? "model" : NULL,
                               .scope = { owner.id } };
    gpool_buffer handle = gpool_buffer_create(m->pool, &desc);
    gpool_buffer_info info = { 0 };
    if (handle.id != 0 && gpool_buffer_get_info(m->pool, handle, &info) != GPOOL_OK) {
        model_fail(m, "a new buffer has no info");
    }
    (void)model_created(m, place, &b->thing, handle.id, info.failed, expected);
}

void model_buffer_import(model *m)
{
    uint32_t choice = model_take8(m);
    model_ref owner = model_pick_owner(m);
    uint32_t place = model_place(m, GPOOL_KIND_BUFFER);
    if (place == UINT32_MAX || model_is_lost(m)) {
        return;
    }
    sim_fail_none(m->s);
    WGPUBufferDescriptor raw_desc = { .usage = WGPUBufferUsage_CopySrc | WGPUBufferUsage_CopyDst |
                                               WGPUBufferUsage_Storage,
                                      .size = 4 * (1 + choice % 64) };
    WGPUBuffer raw = m->table.DeviceCreateBuffer(gpool_device_raw(m->device), &raw_desc);
    bool allowed = choice % 16 != 0;
    gpool_buffer_import_desc desc = {
        .buffer = raw,
        .usage = GPOOL_BUFFER_COPY_SOURCE | GPOOL_BUFFER_COPY_TARGET | GPOOL_BUFFER_READ_BACK |
                 (allowed ? GPOOL_BUFFER_STORAGE : GPOOL_BUFFER_VERTEX),
        .this_frame = choice % 2 == 0,
        .label = "import",
        .scope = { owner.id },
    };
    gpool_result expected = desc.this_frame && !m->in_frame ? GPOOL_ERROR_WRONG_PHASE
                            : !allowed                      ? GPOOL_ERROR_MISSING_USAGE
                                                            : owner.code;
    model_buffer *b = model_must(calloc(1, sizeof *b));
    b->thing = (model_thing){ .kind = GPOOL_KIND_BUFFER,
                              .scope = owner.thing,
                              .imported = true,
                              .this_frame = desc.this_frame };
    b->size = raw_desc.size;
    b->bytes = model_must(calloc(1, b->size));
    b->usage = desc.usage;
    b->gpu_written = true;
    gpool_buffer handle = gpool_buffer_import(m->pool, &desc);
    m->table.BufferRelease(raw);
    m->totals->imports += model_created(m, place, &b->thing, handle.id, false, expected);
}

void model_buffer_write(model *m)
{
    model_ref ref = model_pick(m, GPOOL_KIND_BUFFER);
    model_buffer *b = buffer_of(&ref);
    uint64_t whole = b != NULL ? b->size : 64;
    uint32_t choice = model_take8(m);
    uint64_t offset = model_take16(m) % (whole + 2);
    uint64_t size = model_take8(m);
    if (choice < 64) {
        offset = 0;
        size = whole;
    } else if (choice < 224) {
        offset -= b != NULL && b->gpu_written ? offset % 4 : 0;
        size = offset < whole && size > whole - offset ? whole - offset : size;
        size -= b != NULL && b->gpu_written ? size % 4 : 0;
    } else if (choice >= 252) {
        offset = UINT64_MAX - choice % 2;
    }
    gpool_result expected = ref.code;
    if (expected == GPOOL_OK) {
        if (offset > b->size || size > b->size - offset) {
            expected = GPOOL_ERROR_OUT_OF_RANGE;
        } else if (size > 0 && b->gpu_written && (offset % 4 != 0 || size % 4 != 0)) {
            expected = GPOOL_ERROR_MISALIGNED;
        } else {
            expected = change(m, b, size);
        }
    }
    uint8_t *data = model_bytes(m, size);
    gpool_result got = gpool_buffer_write(m->pool, (gpool_buffer){ ref.id }, offset, data, size);
    if (model_result(m, got, expected) && size > 0) {
        memcpy(b->bytes + offset, data, size);
    }
    free(data);
}

void model_buffer_elements(model *m)
{
    model_ref ref = model_pick(m, GPOOL_KIND_BUFFER);
    model_buffer *b = buffer_of(&ref);
    uint64_t whole = b != NULL ? b->size : 64;
    uint32_t choice = model_take8(m);
    uint64_t stride = choice < 4                    ? 0
                      : b != NULL && b->gpu_written ? 4 + choice / 64 * 4
                                                    : 1 + choice % 70;
    uint64_t first = stride == 0 ? 0 : model_take16(m) % (whole / stride + 1);
    uint64_t count = model_take8(m) % 32;
    if (choice >= 16 && stride > 0 && count > whole / stride - first) {
        count = whole / stride - first;
    } else if (choice == 5) {
        first = UINT64_MAX / 2;
    } else if (choice == 6) {
        count = UINT64_MAX / stride + 1;
    }
    gpool_result expected = ref.code;
    if (expected == GPOOL_OK) {
        bool fits = stride == 0 || (first <= whole / stride && count <= whole / stride - first);
        expected =
            stride == 0 ? GPOOL_ERROR_INVALID_ARGUMENT
            : !fits     ? GPOOL_ERROR_OUT_OF_RANGE
            : b->gpu_written && count > 0 && (first * stride % 4 != 0 || count * stride % 4 != 0)
                ? GPOOL_ERROR_MISALIGNED
                : change(m, b, count * stride);
    }
    uint64_t size = expected == GPOOL_OK ? count * stride : 0;
    uint8_t *data = model_bytes(m, size);
    gpool_result got =
        gpool_buffer_write_elements(m->pool, (gpool_buffer){ ref.id }, first, count, stride, data);
    if (model_result(m, got, expected) && size > 0) {
        memcpy(b->bytes + first * stride, data, size);
    }
    free(data);
}

/* A list of elements, some of them twice, from memory of its own or out of the shadow itself. */
void model_buffer_scattered(model *m)
{
    model_ref ref = model_pick(m, GPOOL_KIND_BUFFER);
    model_buffer *b = buffer_of(&ref);
    uint64_t whole = b != NULL ? b->size : 64;
    uint32_t choice = model_take8(m);
    uint64_t stride = choice < 4                    ? 0
                      : b != NULL && b->gpu_written ? 4 + choice / 64 * 4
                      : choice % 8 == 0             ? 256 + choice / 64
                                                    : 1 + choice % 70;
    uint64_t elements = stride > 0 ? whole / stride : 0;
    uint32_t indices[48];
    uint64_t count = model_take8(m) % (sizeof indices / sizeof *indices);
    uint32_t step = model_take8(m) % 4;
    uint32_t next = model_take16(m);
    bool fits = stride > 0;
    for (uint64_t i = 0; i < count; ++i) {
        /* Runs of neighbours, and leaps among few or among all. */
        next = i % 6 == 5 ? model_take16(m) % (step == 3 ? 70000u : 8) : next + step;
        indices[i] = choice >= 16 && elements > 0 ? (uint32_t)(next % elements) : next;
        fits = fits && indices[i] < elements;
    }
    gpool_result expected = ref.code;
    if (expected == GPOOL_OK) {
        expected = stride == 0 || (choice == 5 && count > 0) ? GPOOL_ERROR_INVALID_ARGUMENT
                   : !fits                                   ? GPOOL_ERROR_OUT_OF_RANGE
                                                             : change(m, b, count > 0 ? stride : 0);
    }
    uint64_t size = expected == GPOOL_OK ? count * stride : 0;
    uint8_t *data = model_bytes(m, size);
    const uint8_t *given = data;
    uint64_t inside = 0;
    if (size > 0 && size <= whole && choice % 4 == 1 && !b->gpu_written && !b->drops) {
        inside = 1 + next % (whole - size + 1);
        given = gpool_buffer_edit(m->pool, (gpool_buffer){ ref.id }, inside - 1, size);
        if (given == NULL) {
            model_fail(m, "an edit gives no memory");
        }
    }
    gpool_stats before;
    gpool_stats after;
    (void)gpool_get_stats(m->pool, &before);
    gpool_result got = gpool_buffer_write_scattered(
        m->pool, (gpool_buffer){ ref.id }, choice == 5 ? NULL : indices, count, stride, given);
    (void)gpool_get_stats(m->pool, &after);
    if (!model_result(m, got, expected)) {
        /* What went to the queue before it refused stays. */
        bool partly = b != NULL && b->gpu_written && !model_is_lost(m);
        count = partly ? (after.sent_bytes - before.sent_bytes) / (stride > 0 ? stride : 1) : 0;
    }
    for (uint64_t i = 0; i < count; ++i) {
        const uint8_t *from = inside > 0 ? b->bytes + inside - 1 : data;
        memmove(b->bytes + indices[i] * stride, from + i * stride, stride);
    }
    free(data);
}

void model_buffer_edit(model *m)
{
    model_ref ref = model_pick(m, GPOOL_KIND_BUFFER);
    model_buffer *b = buffer_of(&ref);
    uint64_t whole = b != NULL ? b->size : 64;
    uint64_t offset = model_take16(m) % (whole + 2);
    uint64_t size = model_take8(m);
    uint32_t choice = model_take8(m);
    if (choice >= 8 && offset < whole && size > whole - offset) {
        size = whole - offset;
    }
    gpool_result expected = ref.code;
    if (expected == GPOOL_OK) {
        expected = offset > whole || size > whole - offset ? GPOOL_ERROR_OUT_OF_RANGE
                   : b->gpu_written                        ? GPOOL_ERROR_NO_SHADOW
                                                           : change(m, b, size);
    }
    bool zeros = expected == GPOOL_OK && b->drops && size == b->size && is_dropped(m, b);
    uint8_t *memory = gpool_buffer_edit(m->pool, (gpool_buffer){ ref.id }, offset, size);
    if (expected == GPOOL_OK && size == 0) {
        if (memory != NULL) {
            model_fail(m, "an edit of nothing gives memory");
        }
        return;
    }
    gpool_result got = memory != NULL ? GPOOL_OK : gpool_last_error(m->pool)->code;
    if (!model_result(m, got, expected)) {
        return;
    }
    m->totals->edits += 1;
    if (zeros) {
        memset(b->bytes, 0, size);
    }
    model_same(m, "the memory of an edit", memory, b->bytes + offset, size);
    uint8_t *data = model_bytes(m, size);
    memcpy(memory, data, size);
    memcpy(b->bytes + offset, data, size);
    free(data);
}

/* What is told of the next upload: the way that was asked for, or the one that is fastest. */
static bool explains_itself(const model *m, const gpool_upload_info *info)
{
    if (info->next == GPOOL_UPLOAD_AUTO) {
        return info->why == GPOOL_UPLOAD_REASON_NONE;
    }
    bool fastest = true;
    for (int way = GPOOL_UPLOAD_DIRECT; way < GPOOL_UPLOAD_COUNT; ++way) {
        fastest = fastest &&
                  (info->ns[way] < 0.0f || info->ns[way] * 1.00001f >= info->ns[GPOOL_UPLOAD_AUTO]);
    }
    return info->ns[info->next] >= 0.0f && info->ns[GPOOL_UPLOAD_AUTO] == info->ns[info->next] &&
           (info->why != GPOOL_UPLOAD_REASON_FASTEST || fastest) &&
           (info->why != GPOOL_UPLOAD_REASON_FORCED ||
            info->next == (gpool_upload_way)(m->input_size % POOL_MODEL_WAYS));
}

void model_buffer_explain(model *m)
{
    model_ref ref = model_pick(m, GPOOL_KIND_BUFFER);
    gpool_upload_info info = { 0 };
    gpool_buffer_info buffer = { 0 };
    gpool_result got = gpool_upload_explain(m->pool, (gpool_buffer){ ref.id }, &info);
    if (got != (ref.thing != NULL ? GPOOL_OK : ref.code)) {
        model_fail(m, "explain gives %s", gpool_result_name(got));
    }
    if (got == GPOOL_OK && !model_is_lost(m)) {
        m->totals->explained += info.dirty_bytes > 0;
        (void)gpool_buffer_get_info(m->pool, (gpool_buffer){ ref.id }, &buffer);
        if (info.dirty_bytes != buffer.dirty_bytes ||
            (info.next != GPOOL_UPLOAD_AUTO) != (info.dirty_bytes > 0) ||
            (info.sent_bytes > 0) != (info.way != GPOOL_UPLOAD_AUTO) ||
            (info.calls > 0) != (info.way != GPOOL_UPLOAD_AUTO) || !explains_itself(m, &info)) {
            model_fail(m, "explain tells %llu dirty bytes, %llu sent, way %d, next %d",
                       (unsigned long long)info.dirty_bytes, (unsigned long long)info.sent_bytes,
                       (int)info.way, (int)info.next);
        }
    }
}

void model_buffer_resize(model *m)
{
    model_ref ref = model_pick(m, GPOOL_KIND_BUFFER);
    model_buffer *b = buffer_of(&ref);
    uint64_t size = buffer_size(m);
    gpool_result expected = ref.code;
    if (expected == GPOOL_OK) {
        expected = b->thing.imported ? GPOOL_ERROR_UNSUPPORTED : buffer_check_size(size, b->usage);
    }
    bool odd = expected == GPOOL_OK && size < b->size && size % 4 != 0 && is_dropped(m, b);
    bool changes = expected == GPOOL_OK && size != b->size;
    if (changes && m->recording && b->thing.named == MODEL_NAMED) {
        expected = GPOOL_ERROR_RECORDED;
    } else if (odd) {
        expected = GPOOL_ERROR_MISALIGNED;
    }
    gpool_result got = gpool_buffer_resize(m->pool, (gpool_buffer){ ref.id }, size);
    if (changes && m->recording && b->thing.named == MODEL_MAYBE_NAMED &&
        got == GPOOL_ERROR_RECORDED) {
        return;
    }
    if (!model_result(m, got, expected) || !changes) {
        return;
    }
    m->totals->resizes += 1;
    uint8_t *bytes = model_must(calloc(1, padded(size)));
    memcpy(bytes, b->bytes, size < b->size ? size : b->size);
    free(b->bytes);
    b->bytes = bytes;
    uint64_t old = b->thing.gpu_bytes;
    b->thing.gpu_bytes = padded(size);
    b->size = size;
    model_replaced(m, &b->thing, old);
}

void model_buffer_destroy(model *m)
{
    model_ref ref = model_pick(m, GPOOL_KIND_BUFFER);
    gpool_result expected = ref.thing != NULL || ref.id == 0 ? GPOOL_OK : ref.code;
    bool elsewhere = model_elsewhere(m);
    gpool_result got = gpool_buffer_destroy(m->pool, (gpool_buffer){ ref.id });
    model_back(m);
    if (model_exactly(m, got, expected)) {
        model_ended(m, &ref, elsewhere);
    }
}

void model_buffer_read(model *m)
{
    model_ref ref = model_pick(m, GPOOL_KIND_BUFFER);
    model_buffer *b = buffer_of(&ref);
    uint32_t choice = model_take8(m);
    uint64_t whole = b != NULL ? b->size : 16;
    uint64_t offset = choice < 128 ? 0 : model_take16(m) % (whole + 2);
    uint64_t size = choice < 128 ? whole : model_take8(m);
    gpool_result expected = ref.code;
    if (expected == GPOOL_OK) {
        expected = (b->usage & GPOOL_BUFFER_READ_BACK) == 0      ? GPOOL_ERROR_MISSING_USAGE
                   : offset > b->size || size > b->size - offset ? GPOOL_ERROR_OUT_OF_RANGE
                                                                 : GPOOL_OK;
    }
    model_complete_all(m);
    sim_set_completion(m->s, SIM_COMPLETE_AT_POLL, 0);
    uint8_t *target = model_must(calloc(1, size + 1));
    gpool_result got = gpool_buffer_read(m->pool, (gpool_buffer){ ref.id }, offset, target, size);
    if (model_result(m, got, expected) && size > 0) {
        model_same(m, "a read of a buffer", target, b->bytes + offset, size);
    }
    free(target);
    sim_set_completion(m->s, m->sim_desc.completion, m->sim_desc.polls);
}

/* Looks at the GPU's own bytes after a flush. */
void model_buffer_peek(model *m)
{
    model_ref ref = model_pick(m, GPOOL_KIND_BUFFER);
    model_buffer *b = buffer_of(&ref);
    /* A buffer that no usage lets commands write is not asked for writing. */
    bool write = model_take8(m) % 8 == 0 && b != NULL && (b->usage & WRITABLE) != 0;
    WGPUBuffer gpu = gpool_buffer_gpu(m->pool, (gpool_buffer){ ref.id },
                                      write ? GPOOL_ACCESS_WRITE : GPOOL_ACCESS_READ);
    gpool_result got = gpu != NULL ? GPOOL_OK : gpool_last_error(m->pool)->code;
    if (!model_result(m, got, ref.code)) {
        return;
    }
    /* Handed out before the recording opens: it is not said whether that names it. */
    b->thing.named = m->recording ? MODEL_NAMED : MODEL_MAYBE_NAMED;
    b->gpu_written = b->gpu_written || write;
    /* What was handed to the queue is there with the next submit. */
    bool waits = m->killed_count > 0; /* this one may be in a scope that another thread ended */
    model_drain(m);
    if (!model_result(m, gpool_process_uploads(m->pool), GPOOL_OK) || model_is_unsent(m) || waits) {
        return;
    }
    uint64_t size = padded(b->size);
    uint8_t *target = model_must(malloc(size));
    if (!sim_read_buffer(m->s, gpu, 0, target, size)) {
        model_fail(m, "the GPU's bytes cannot be seen");
    }
    gpool_buffer_info info = { 0 };
    if (b->drops && gpool_buffer_get_info(m->pool, (gpool_buffer){ ref.id }, &info) == GPOOL_OK &&
        info.shadow_bytes > 0) {
        model_fail(m, "a shadow is there after the submit");
    }
    model_same(m, "the GPU's bytes of a buffer", target, b->bytes, size);
    free(target);
}

void model_buffer_info(model *m)
{
    model_ref ref = model_pick(m, GPOOL_KIND_BUFFER);
    const model_buffer *b = buffer_of(&ref);
    gpool_buffer_info info = { 0 };
    gpool_result expected = ref.thing != NULL ? GPOOL_OK : ref.code;
    gpool_result got = gpool_buffer_get_info(m->pool, (gpool_buffer){ ref.id }, &info);
    if (got != expected) {
        model_fail(m, "info gives %s", gpool_result_name(got));
    }
    if (b == NULL || model_is_lost(m)) {
        return;
    }
    if (info.size != b->size || info.usage != b->usage || info.failed != b->thing.failed ||
        info.imported != b->thing.imported || info.gpu_written != b->gpu_written ||
        (info.dropped && (!b->drops || b->gpu_written || info.shadow_bytes > 0)) ||
        (info.keep == GPOOL_KEEP_DROP) != (b->drops || b->gpu_written) ||
        (info.shadow_bytes > 0 && info.shadow_bytes != padded(b->size)) ||
        (info.keep == GPOOL_KEEP_SHADOW && info.shadow_bytes == 0)) {
        model_fail(m, "info: size %llu and %llu, gpu-written %d and %d",
                   (unsigned long long)info.size, (unsigned long long)b->size, info.gpu_written,
                   b->gpu_written);
    }
}
