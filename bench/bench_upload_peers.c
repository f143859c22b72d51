/*
 * What programs do today, through the raw function table, each as a careful program would: staging
 * buffers stay mapped while the CPU has them and come back by map callbacks; shadows are written in
 * place; nothing is made anew each frame but the encoder.
 */
#include "bench_upload.h"

#include <stdlib.h>
#include <string.h>

/* One that the CPU fills, two that are out. */
#define PEERS_RING 3u

typedef struct peers_staging {
    WGPUBuffer buffer;
    uint8_t *bytes; /* NULL while the GPU has it */
    bool mapped;    /* set by the callback */
} peers_staging;

typedef struct peers_state {
    bench_gpu *gpu;
    const gpool_gpu *table;
    WGPUBuffer target;
    WGPUBuffer used; /* what each frame copies four bytes to */
    uint8_t *shadow;
    peers_staging ring[PEERS_RING];
    uint64_t ring_size;
    uint32_t ring_next;
    uint64_t calls;
    bool busy;
} peers_state;

static void peers_begin_frame(peers_state *s)
{
    if (s->busy) {
        bench_gpu_use(s->gpu, s->target, s->used);
    }
}

/* Ends a frame whose copies, if any, are in the encoder. */
static void peers_submit(peers_state *s, WGPUCommandEncoder encoder)
{
    const gpool_gpu *table = s->table;
    table->CommandEncoderCopyBufferToBuffer(encoder, s->target, 0, s->used, 0, 4);
    WGPUCommandBuffer commands = table->CommandEncoderFinish(encoder, NULL);
    table->QueueSubmit(s->gpu->queue, 1, &commands);
    table->CommandBufferRelease(commands);
    table->CommandEncoderRelease(encoder);
    bench_gpu_note_frame(s->gpu);
    s->calls += 7; /* with the encoder's creation and the work-done callback */
}

static void peers_end_frame(peers_state *s)
{
    peers_submit(s, s->table->DeviceCreateCommandEncoder(s->gpu->raw, NULL));
}

static void peers_queue_frame(void *state, const upload_writes *writes)
{
    peers_state *s = state;
    const uint8_t *data = writes->data;
    peers_begin_frame(s);
    if (s->shadow != NULL) { /* the frame makes its bytes here */
        memcpy(s->shadow, data, (size_t)writes->count * writes->size);
        data = s->shadow;
    }
    for (uint32_t i = 0; i < writes->count; ++i) {
        s->table->QueueWriteBuffer(s->gpu->queue, s->target, writes->offsets[i],
                                   data + (size_t)i * writes->size, writes->size);
    }
    s->calls += writes->count;
    peers_end_frame(s);
}

static void peers_on_map(WGPUMapAsyncStatus status, WGPUStringView message, void *user,
                         void *unused)
{
    (void)message;
    (void)unused;
    ((peers_staging *)user)->mapped = status == WGPUMapAsyncStatus_Success;
}

/* The next staging buffer of the ring, mapped. */
static peers_staging *peers_take_staging(peers_state *s)
{
    peers_staging *staging = &s->ring[s->ring_next++ % PEERS_RING];
    while (!staging->mapped) {
        bench_gpu_poll(s->gpu);
    }
    if (staging->bytes == NULL) {
        staging->bytes = gpool_device_gpu(s->gpu->device)
                             ->BufferGetMappedRange(staging->buffer, 0, (size_t)s->ring_size);
        s->calls += 1;
    }
    bench_require(staging->bytes != NULL, "a staging buffer is not mapped");
    return staging;
}

static void peers_copies_frame(void *state, const upload_writes *writes)
{
    peers_state *s = state;
    const gpool_gpu *table = s->table;
    peers_staging *staging = peers_take_staging(s);
    peers_begin_frame(s);
    memcpy(staging->bytes, writes->data, (size_t)writes->count * writes->size);
    table->BufferUnmap(staging->buffer);
    staging->bytes = NULL;
    staging->mapped = false;
    WGPUCommandEncoder encoder = table->DeviceCreateCommandEncoder(s->gpu->raw, NULL);
    for (uint32_t i = 0; i < writes->count; ++i) {
        table->CommandEncoderCopyBufferToBuffer(encoder, staging->buffer,
                                                (uint64_t)i * writes->size, s->target,
                                                writes->offsets[i], writes->size);
    }
    peers_submit(s, encoder);
    const WGPUBufferMapCallbackInfo info = {
        .mode = WGPUCallbackMode_AllowProcessEvents,
        .callback = peers_on_map,
        .userdata1 = staging,
    };
    (void)table->BufferMapAsync(staging->buffer, WGPUMapMode_Write, 0, (size_t)s->ring_size, info);
    s->calls += writes->count + 2;
}

/* Writes to the shadow; tells the span of bytes written. */
static void peers_shadow(peers_state *s, const upload_writes *writes, uint64_t *begin,
                         uint64_t *end)
{
    *begin = UINT64_MAX;
    *end = 0;
    for (uint32_t i = 0; i < writes->count; ++i) {
        const uint64_t offset = writes->offsets[i];
        memcpy(s->shadow + offset, writes->data + (size_t)i * writes->size, writes->size);
        *begin = offset < *begin ? offset : *begin;
        *end = offset + writes->size > *end ? offset + writes->size : *end;
    }
}

static void peers_whole_frame(void *state, const upload_writes *writes)
{
    peers_state *s = state;
    peers_begin_frame(s);
    uint64_t begin = 0;
    uint64_t end = 0;
    peers_shadow(s, writes, &begin, &end);
    s->table->QueueWriteBuffer(s->gpu->queue, s->target, 0, s->shadow, (size_t)writes->buffer_size);
    s->calls += 1;
    peers_end_frame(s);
}

static void peers_span_frame(void *state, const upload_writes *writes)
{
    peers_state *s = state;
    peers_begin_frame(s);
    uint64_t begin = 0;
    uint64_t end = 0;
    peers_shadow(s, writes, &begin, &end);
    s->table->QueueWriteBuffer(s->gpu->queue, s->target, begin, s->shadow + begin,
                               (size_t)(end - begin));
    s->calls += 1;
    peers_end_frame(s);
}

static void peers_wait(void *state, uint64_t most)
{
    bench_gpu_wait(((peers_state *)state)->gpu, most);
}

static void peers_read(void *state, uint8_t *target)
{
    peers_state *s = state;
    bench_gpu_read(s->gpu, s->target, target, s->table->BufferGetSize(s->target));
}

static uint64_t peers_calls(void *state)
{
    return ((peers_state *)state)->calls;
}

static void peers_close(void *state)
{
    peers_state *s = state;
    for (uint32_t i = 0; i < PEERS_RING && s->ring_size > 0; ++i) {
        while (!s->ring[i].mapped) { /* its callback names this state */
            bench_gpu_poll(s->gpu);
        }
        s->table->BufferUnmap(s->ring[i].buffer);
        s->table->BufferRelease(s->ring[i].buffer);
    }
    s->table->BufferRelease(s->target);
    s->table->BufferRelease(s->used);
    free(s->shadow);
    free(s);
}

static void peers_open_ring(peers_state *s, uint64_t size)
{
    s->ring_size = (size + 7) / 8 * 8; /* what may be mapped */
    for (uint32_t i = 0; i < PEERS_RING; ++i) {
        peers_staging *staging = &s->ring[i];
        staging->buffer = bench_gpu_make_buffer(
            s->gpu, s->ring_size, WGPUBufferUsage_MapWrite | WGPUBufferUsage_CopySrc, true);
        staging->bytes = gpool_device_gpu(s->gpu->device)
                             ->BufferGetMappedRange(staging->buffer, 0, (size_t)s->ring_size);
        staging->mapped = true;
    }
}

void upload_open_peer(upload_side *side, bench_gpu *gpu, const upload_load *load,
                      upload_peer_kind kind)
{
    static const upload_side sides[UPLOAD_PEER_COUNT] = {
        [UPLOAD_PEER_QUEUE] = { .name = "queue writes",
                                .total_name = "total_ms_queue_writes",
                                .cpu_name = "cpu_ms_queue_writes",
                                .calls_name = "calls_queue_writes",
                                .frame = peers_queue_frame },
        [UPLOAD_PEER_COPIES] = { .name = "staging copies",
                                 .total_name = "total_ms_staging_copies",
                                 .cpu_name = "cpu_ms_staging_copies",
                                 .calls_name = "calls_staging_copies",
                                 .frame = peers_copies_frame },
        [UPLOAD_PEER_WHOLE] = { .name = "whole write",
                                .total_name = "total_ms_whole_write",
                                .cpu_name = "cpu_ms_whole_write",
                                .calls_name = "calls_whole_write",
                                .frame = peers_whole_frame },
        [UPLOAD_PEER_SPAN] = { .name = "min-to-max write",
                               .total_name = "total_ms_min_to_max_write",
                               .cpu_name = "cpu_ms_min_to_max_write",
                               .calls_name = "calls_min_to_max_write",
                               .frame = peers_span_frame },
    };
    peers_state *s = bench_alloc(1, sizeof *s);
    s->gpu = gpu;
    s->table = gpu->table;
    s->target = bench_gpu_make_buffer(gpu, load->buffer_size, UPLOAD_USAGE, false);
    s->used = bench_gpu_make_buffer(gpu, 4, WGPUBufferUsage_CopyDst, false);
    if (kind == UPLOAD_PEER_COPIES) {
        peers_open_ring(s, (uint64_t)load->count * load->size);
    } else if (kind != UPLOAD_PEER_QUEUE || load->made) {
        s->shadow = bench_alloc((size_t)load->buffer_size, 1);
    }
    *side = sides[kind];
    side->most = 1;
    s->busy = load->pace == UPLOAD_BUSY;
    if (load->pace == UPLOAD_IDLE) {
        bench_require(kind == UPLOAD_PEER_QUEUE, "this peer is never idle");
        side->most = 0;
        side->total_name = "total_ms_queue_writes_idle";
        side->cpu_name = "cpu_ms_queue_writes_idle";
        side->calls_name = NULL;
    }
    side->state = s;
    side->wait = peers_wait;
    side->read = peers_read;
    side->calls = peers_calls;
    side->close = peers_close;
}
