/* Tickets on the simulator: what their tests share. */
#ifndef GPOOL_TESTS_TICKET_WORLD_H
#define GPOOL_TESTS_TICKET_WORLD_H

#include "sim_pool.h"

#define TICKET_SECOND UINT64_C(1000000000)

/** Runs a test for each personality and each delivery of callbacks. */
#define TICKET_MANNERS(test)                                                                       \
    for (int manner_ = 0; manner_ < 6; ++manner_) {                                                \
        sim_desc desc_ = { .personality = manner_ % 2 == 0 ? SIM_WGPU_NATIVE : SIM_DAWN,           \
                           .delivery = (sim_delivery)(manner_ / 2) };                              \
        test(&desc_);                                                                              \
    }

static inline void ticket_pattern(uint8_t *bytes, size_t size, uint32_t salt)
{
    for (size_t i = 0; i < size; ++i) {
        bytes[i] = (uint8_t)((i * 7 + salt * 31 + i / 256) & 0xff);
    }
}

static inline gpool_buffer ticket_buffer(sim_pool *p, const void *data, uint64_t size)
{
    gpool_buffer buffer = gpool_buffer_create(
        p->pool, &(gpool_buffer_desc){ .data = data,
                                       .size = size,
                                       .usage = GPOOL_BUFFER_COPY_SOURCE | GPOOL_BUFFER_READ_BACK,
                                       .label = "source" });
    assert_int_not_equal(buffer.id, 0);
    return buffer;
}

/** A frame with one read of a buffer. */
static inline gpool_ticket ticket_read(sim_pool *p, gpool_buffer buffer, uint64_t offset,
                                       uint64_t size)
{
    assert_same(gpool_begin_frame(p->pool), GPOOL_OK);
    gpool_ticket ticket =
        gpool_read_buffer(gpool_frame_recorder(p->pool), buffer, offset, size, NULL);
    assert_int_not_equal(ticket.id, 0);
    assert_same(gpool_end_frame(p->pool), GPOOL_OK);
    return ticket;
}

static inline gpool_ticket_info ticket_info(sim_pool *p, gpool_ticket ticket)
{
    gpool_ticket_info info;
    assert_same(gpool_ticket_get_info(p->pool, ticket, &info), GPOOL_OK);
    return info;
}

/** Waits for a ticket and takes it: it gives these bytes. */
static inline void ticket_gives(sim_pool *p, gpool_ticket ticket, const void *wanted, size_t size)
{
    uint8_t *got = malloc(size + 1);
    assert_non_null(got);
    memset(got, 0xee, size + 1);
    assert_same(gpool_ticket_wait(p->pool, ticket, TICKET_SECOND), GPOOL_OK);
    assert_same(gpool_ticket_take(p->pool, ticket, got, size), GPOOL_OK);
    assert_memory_equal(got, wanted, size);
    assert_int_equal(got[size], 0xee);
    free(got);
}

/** Buffers that the pool has made. */
static inline uint64_t ticket_made(sim_pool *p)
{
    return gpool_gpu_call_count(p->pool, GPOOL_GPU_DeviceCreateBuffer);
}

#endif
