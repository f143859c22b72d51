/* What frames write, and whether it arrived. */
#include "bench_upload.h"

#include <stdlib.h>
#include <string.h>

#define LOAD_SEED    20260401u
#define LOAD_CLUSTER 16u
/* Data of a frame begins at one of these many places, so that each write has other bytes. */
#define LOAD_SHIFTS 61u
#define LOAD_SHIFT  64u

/* `count` different numbers below `below`, in random order: the first of a shuffle. */
static void load_pick(uint32_t *picked, uint32_t count, uint32_t below, uint64_t *random)
{
    uint32_t *all = bench_alloc(below, sizeof *all);
    for (uint32_t i = 0; i < below; ++i) {
        all[i] = i;
    }
    for (uint32_t i = 0; i < count; ++i) {
        const uint32_t other = i + (uint32_t)(bench_random(random) % (below - i));
        picked[i] = all[other];
        all[other] = all[i];
    }
    free(all);
}

static void load_place(upload_load *load, uint64_t *offsets, upload_pattern pattern,
                       uint64_t *random)
{
    const uint32_t elements = (uint32_t)(load->buffer_size / load->size);
    const uint32_t run = pattern == UPLOAD_SCATTERED   ? 1
                         : pattern == UPLOAD_CLUSTERED ? LOAD_CLUSTER
                                                       : load->count;
    const uint32_t runs = (load->count + run - 1) / run;
    uint32_t *picked = bench_alloc(runs, sizeof *picked);
    if (pattern == UPLOAD_SEQUENTIAL) {
        picked[0] = (uint32_t)(bench_random(random) % (elements - load->count + 1));
    } else {
        load_pick(picked, runs, elements / run, random);
        for (uint32_t i = 0; i < runs; ++i) {
            picked[i] *= run;
        }
    }
    for (uint32_t i = 0; i < load->count; ++i) {
        offsets[i] = (uint64_t)(picked[i / run] + i % run) * load->size;
    }
    free(picked);
}

void upload_load_init(upload_load *load, uint64_t buffer_size, uint32_t count, uint32_t size,
                      upload_pattern pattern)
{
    uint64_t random = LOAD_SEED;
    const uint64_t words = ((uint64_t)count * size + LOAD_SHIFTS * LOAD_SHIFT + 7) / 8;
    *load = (upload_load){
        .buffer_size = buffer_size,
        .count = count,
        .size = size,
        .offsets = bench_alloc((size_t)count * UPLOAD_SETS, sizeof *load->offsets),
        .indices = bench_alloc((size_t)count * UPLOAD_SETS, sizeof *load->indices),
        .data = bench_alloc((size_t)words, 8),
    };
    bench_require((uint64_t)count * size <= buffer_size, "a load is larger than its buffer");
    for (uint32_t set = 0; set < UPLOAD_SETS; ++set) {
        load_place(load, load->offsets + (size_t)set * count, pattern, &random);
    }
    for (size_t i = 0; i < (size_t)count * UPLOAD_SETS; ++i) {
        load->indices[i] = (uint32_t)(load->offsets[i] / size);
    }
    for (uint64_t i = 0; i < words; ++i) {
        const uint64_t word = bench_random(&random);
        memcpy(load->data + i * 8, &word, 8);
    }
}

void upload_load_fini(upload_load *load)
{
    free(load->offsets);
    free(load->indices);
    free(load->data);
    *load = (upload_load){ 0 };
}

upload_writes upload_load_frame(const upload_load *load, uint64_t frame)
{
    const size_t first = (size_t)(frame % UPLOAD_SETS) * load->count;
    return (upload_writes){
        .offsets = load->offsets + first,
        .indices = load->indices + first,
        .data = load->data + frame % LOAD_SHIFTS * LOAD_SHIFT,
        .count = load->count,
        .size = load->size,
        .buffer_size = load->buffer_size,
    };
}

uint64_t upload_frame(upload_side *side, const upload_load *load)
{
    const upload_writes writes = upload_load_frame(load, side->frames);
    side->wait(side->state, side->most);
    const uint64_t begin = bench_cpu_ns();
    side->frame(side->state, &writes);
    side->frames += 1;
    return bench_cpu_ns() - begin;
}

/* Two blocks of this size, kept: a new one each time would cost more than the comparison. */
static uint8_t *load_blocks(uint64_t size)
{
    static uint8_t *blocks;
    static uint64_t kept;
    if (size > kept) {
        free(blocks);
        blocks = bench_alloc((size_t)size, 2);
        kept = size;
    }
    return blocks;
}

void upload_verify(upload_side *side, const upload_load *load)
{
    uint8_t *wanted = load_blocks(load->buffer_size);
    uint8_t *got = wanted + load->buffer_size;
    memset(wanted, 0, (size_t)load->buffer_size);
    /* The places repeat after UPLOAD_SETS frames, so the last of them made all there is. */
    for (uint64_t frame = side->frames < UPLOAD_SETS ? 0 : side->frames - UPLOAD_SETS;
         frame < side->frames; ++frame) {
        const upload_writes writes = upload_load_frame(load, frame);
        for (uint32_t i = 0; i < writes.count; ++i) {
            memcpy(wanted + writes.offsets[i], writes.data + (size_t)i * writes.size, writes.size);
        }
    }
    side->wait(side->state, 0);
    side->read(side->state, got);
    if (memcmp(wanted, got, (size_t)load->buffer_size) != 0) {
        uint64_t wrong = 0;
        for (uint64_t i = 0; i < load->buffer_size; ++i) {
            wrong += wanted[i] != got[i];
        }
        fprintf(stderr, "gpool-bench: %s: %llu of %llu bytes on the GPU are wrong\n", side->name,
                (unsigned long long)wrong, (unsigned long long)load->buffer_size);
        exit(2);
    }
}

void upload_close(upload_side *side)
{
    side->wait(side->state, 0);
    side->close(side->state);
    *side = (upload_side){ 0 };
}
