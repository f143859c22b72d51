/*
 * What a spike leaves behind: much is uploaded once, then frames are quiet again. Staging, stream
 * memory and the CPU memory of the pool must be what they were, and frames must make nothing any more.
 * The peer never gives back what a spike took: StagingBelt, whose process grows.
 */
#include "bench_gpu.h"
#include "peers/peers.h"

#include <stdlib.h>
#include <string.h>

#define RING_QUIET   120u                /* frames before the spike and after it */
#define RING_TRIMMED 80u                 /* of those after it; then all is given back */
#define RING_PIECE   ((uint64_t)1 << 20) /* of the frames that warm up */
#define RING_SMALL   ((uint64_t)1 << 20) /* bytes of the buffer of quiet frames */
#define RING_WRITES  64u                 /* of a quiet frame */
#define RING_WRITE   64u
#define RING_MOST    1.25
#define RING_VALUE   0x5au
/* A quick run's spike. */
#define RING_QUICK ((uint64_t)8 << 20)

typedef struct ring_state {
    bench_gpu *gpu;
    gpool *pool;
    gpool_buffer large;
    gpool_buffer small;
    gpool_buffer used; /* what each frame copies four bytes to */
    uint64_t size;     /* of the spike */
    uint64_t random;
    uint64_t asked; /* calls of the allocator's hook for memory */
} ring_state;

/* What is held, and what was made until now. */
typedef struct ring_sample {
    gpool_stats stats;
    uint64_t asked;
    uint64_t buffers; /* GPU buffers made */
    uint64_t process;
} ring_sample;

static void *ring_resize(void *user, void *block, size_t old_size, size_t new_size)
{
    (void)old_size;
    if (new_size == 0) {
        free(block);
        return NULL;
    }
    ((ring_state *)user)->asked += 1;
    return realloc(block, new_size);
}

static ring_sample ring_take(ring_state *s)
{
    ring_sample sample = { .asked = s->asked, .process = bench_process_bytes() };
    bench_require(gpool_get_stats(s->pool, &sample.stats) == GPOOL_OK, "there are no counters");
    sample.buffers = gpool_gpu_call_count(s->pool, GPOOL_GPU_DeviceCreateBuffer);
    return sample;
}

/* One frame of small writes, and `size` bytes of the large buffer that get this value. */
static void ring_frame(ring_state *s, uint64_t offset, uint64_t size, int value)
{
    bool good = gpool_begin_frame(s->pool) == GPOOL_OK;
    for (uint32_t i = 0; i < RING_WRITES; ++i) {
        const uint64_t place = bench_random(&s->random) % (RING_SMALL / RING_WRITE);
        uint8_t data[RING_WRITE];
        memset(data, (int)(place & 255u), sizeof data);
        memcpy(data, &s->random, sizeof s->random);
        good = gpool_buffer_write(s->pool, s->small, place * RING_WRITE, data, sizeof data) ==
                   GPOOL_OK &&
               good;
    }
    if (size > 0) {
        void *bytes = gpool_buffer_edit(s->pool, s->large, offset, size);
        bench_require(bytes != NULL, "there is no shadow");
        memset(bytes, value, (size_t)size);
    }
    gpool_copy_buffer(gpool_frame_recorder(s->pool), s->small, 0, s->used, 0, 4);
    good = gpool_end_frame(s->pool) == GPOOL_OK && good;
    bench_gpu_note_frame(s->gpu);
    bench_gpu_wait(s->gpu, 0); /* with frames out, what is held is a matter of luck */
    bench_require(good, "a frame fails");
}

static void ring_quiet(ring_state *s, uint32_t frames)
{
    for (uint32_t i = 0; i < frames; ++i) {
        ring_frame(s, 0, 0, 0);
    }
}

static void ring_open(ring_state *s, bool ring)
{
    const gpool_desc desc = {
        .label = "spike",
        .allocator = { .resize = ring_resize, .user = s },
        /* Through the ring, which then must hold all of it; or as it comes. */
        .upload = { .force = ring ? GPOOL_UPLOAD_MERGED : GPOOL_UPLOAD_AUTO,
                    .staging_budget = ring ? 2 * s->size + (64u << 20) : 0 },
    };
    bench_require(gpool_create(s->gpu->device, &desc, &s->pool) == GPOOL_OK,
                  "the pool is not made");
    s->large = gpool_buffer_create(
        s->pool, &(gpool_buffer_desc){ .size = s->size,
                                       .usage = GPOOL_BUFFER_STORAGE | GPOOL_BUFFER_READ_BACK,
                                       .label = "large" });
    s->small = gpool_buffer_create(
        s->pool, &(gpool_buffer_desc){ .size = RING_SMALL,
                                       .usage = GPOOL_BUFFER_STORAGE | GPOOL_BUFFER_COPY_SOURCE,
                                       .label = "small" });
    s->used = gpool_buffer_create(
        s->pool,
        &(gpool_buffer_desc){ .size = 4, .usage = GPOOL_BUFFER_COPY_TARGET, .label = "used" });
    bench_require(s->large.id != 0 && s->small.id != 0 && s->used.id != 0, "a buffer is not made");
}

/* The spike arrived by itself, at both ends and in the middle. */
static void ring_verify(ring_state *s)
{
    gpool_buffer_info info;
    const uint64_t offsets[] = { 0, s->size / 2, s->size - RING_PIECE };
    uint8_t *got = bench_alloc(RING_PIECE, 1);
    bench_require(gpool_buffer_get_info(s->pool, s->large, &info) == GPOOL_OK &&
                      info.dirty_bytes == 0,
                  "the spike was not sent");
    for (size_t i = 0; i < sizeof offsets / sizeof offsets[0]; ++i) {
        bench_require(gpool_buffer_read(s->pool, s->large, offsets[i], got, RING_PIECE) == GPOOL_OK,
                      "the spike cannot be read");
        for (uint64_t k = 0; k < RING_PIECE; ++k) {
            bench_require(got[k] == RING_VALUE, "bytes on the GPU are wrong");
        }
    }
    free(got);
}

/* StagingBelt with the same load: what its process holds more after it all. */
static void ring_run_belt(ring_state *s, bench_row *row)
{
    const uint64_t zero = 0;
    uint64_t offsets[RING_WRITES];
    peer_belt *belt = peer_belt_open(s->gpu->adapter, s->size, 4096, false);
    if (belt == NULL) {
        return;
    }
    uint8_t *data = bench_alloc((size_t)s->size, 1);
    memset(data, RING_VALUE, (size_t)s->size);
    for (uint64_t at = 0; at < s->size; at += RING_PIECE) {
        peer_belt_frame(belt, &at, 1, RING_PIECE, data);
        peer_belt_wait(belt, 0);
    }
    uint64_t before = 0;
    for (uint32_t frame = 0; frame < 2 * RING_QUIET; ++frame) {
        if (frame == RING_QUIET) {
            before = bench_process_bytes();
            peer_belt_frame(belt, &zero, 1, (uint32_t)s->size, data);
        }
        for (uint32_t i = 0; i < RING_WRITES; ++i) {
            offsets[i] = bench_random(&s->random) % (RING_SMALL / RING_WRITE) * RING_WRITE;
        }
        peer_belt_frame(belt, offsets, RING_WRITES, RING_WRITE, data);
        peer_belt_wait(belt, 0);
    }
    bench_add_counter(row, "process_bytes_grown_staging_belt",
                      (double)bench_process_bytes() - (double)before);
    peer_belt_close(belt);
    free(data);
}

void bench_ring_spike(bench_run *run, bench_row *row, uint64_t argument)
{
    ring_state s = { .gpu = bench_gpu_open(row), .random = 1 };
    if (s.gpu == NULL) {
        return;
    }
    const bool ring = argument % 2 != 0; /* all goes through the ring */
    s.size = run->quick ? RING_QUICK : argument / 2 * 2 << 20;
    ring_open(&s, ring);
    for (uint64_t at = 0; at < s.size; at += RING_PIECE) {
        ring_frame(&s, at, RING_PIECE, 1); /* so that all pages of the buffer are there */
    }
    ring_quiet(&s, RING_QUIET);
    const ring_sample before = ring_take(&s);
    ring_frame(&s, 0, s.size, RING_VALUE);
    const ring_sample spike = ring_take(&s);
    ring_quiet(&s, RING_TRIMMED);
    const ring_sample trimmed = ring_take(&s);
    ring_quiet(&s, RING_QUIET - RING_TRIMMED);
    const ring_sample after = ring_take(&s);
    ring_verify(&s);
    bench_set_ours(row, (double)after.stats.internal_bytes / (double)before.stats.internal_bytes);
    bench_add_counter(row, "spike_bytes", (double)s.size);
    bench_add_counter(row, "internal_bytes_before", (double)before.stats.internal_bytes);
    bench_add_counter(row, "internal_bytes_at_the_spike", (double)spike.stats.internal_bytes);
    bench_add_counter(row, "internal_bytes_after", (double)after.stats.internal_bytes);
    bench_add_counter(row, "staging_bytes_after", (double)after.stats.staging_bytes);
    bench_add_limited(row, "cpu_bytes_by_before",
                      (double)after.stats.cpu_bytes / (double)before.stats.cpu_bytes, RING_MOST);
    bench_add_limited(row, "allocations_when_trimmed", (double)(after.asked - trimmed.asked), 0);
    bench_add_limited(row, "buffers_made_when_trimmed", (double)(after.buffers - trimmed.buffers),
                      0);
    bench_add_counter(row, "process_bytes_before", (double)before.process);
    bench_add_counter(row, "process_bytes_grown", (double)after.process - (double)before.process);
    (void)gpool_buffer_destroy(s.pool, s.large);
    (void)gpool_buffer_destroy(s.pool, s.small);
    (void)gpool_buffer_destroy(s.pool, s.used);
    gpool_destroy(s.pool);
    ring_run_belt(&s, row);
}
