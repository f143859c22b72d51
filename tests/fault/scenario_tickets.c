/* Reads by tickets: recorded, waited for, taken, dropped at every stage, and their staging memory. */
#include "fault.h"

#include <string.h>

#define SECOND UINT64_C(1000000000)

/* Waits for a ticket of a frame that succeeded and compares; of any other, drops it. */
static void ticket_gives(fault_world *w, gpool_ticket ticket, bool done, const void *wanted,
                         size_t size)
{
    uint8_t got[512];
    memset(got, 0xee, sizeof got);
    if (ticket.id == 0) {
        return;
    }
    if (done && FAULT_DO(w, ticket.id, gpool_ticket_wait(w->pool, ticket, SECOND)) &&
        FAULT_DO(w, ticket.id, gpool_ticket_take(w->pool, ticket, got, size))) {
        FAULT_EXPECT(w, memcmp(got, wanted, size) == 0 && got[size] == 0xee);
        FAULT_EXPECT(w, gpool_ticket_status(w->pool, ticket) == GPOOL_ERROR_STALE_HANDLE);
        return;
    }
    /* Whatever happened, it says what: ready, not yet, or why not. */
    gpool_ticket_info info = { 0 };
    gpool_result status = gpool_ticket_status(w->pool, ticket);
    FAULT_EXPECT(w, gpool_ticket_get_info(w->pool, ticket, &info) == GPOOL_OK);
    FAULT_EXPECT(w, (info.state == GPOOL_TICKET_FAILED) == (info.result != GPOOL_OK));
    FAULT_EXPECT(w, info.state != GPOOL_TICKET_FAILED || status == info.result);
    FAULT_EXPECT(w, info.state != GPOOL_TICKET_FAILED || info.gpu_size == 0);
    FAULT_EXPECT(w, info.state != GPOOL_TICKET_RECORDED);
    fault_destroy(w, ticket.id);
}

static gpool_ticket read_some(fault_world *w, gpool_recorder rec, const fault_buffer *buffer,
                              uint64_t offset, uint64_t size)
{
    return FAULT_MAKE_BRIEF(w, gpool_ticket,
                            gpool_read_buffer(rec, buffer->handle, offset, size, NULL));
}

static gpool_result scenario_tickets(fault_world *w)
{
    static fault_buffer plain;
    static fault_buffer written;
    static fault_texture picture;
    uint8_t bytes[1024];
    fault_pattern(bytes, sizeof bytes, 21);
    fault_buffer_make(w, &plain, GPOOL_BUFFER_COPY_SOURCE | GPOOL_BUFFER_READ_BACK, 101, bytes);
    fault_buffer_make(w, &written, GPOOL_BUFFER_STORAGE_WRITE | GPOOL_BUFFER_READ_BACK, 64,
                      bytes + 64);
    fault_texture_make(w, &picture, GPOOL_TEXTURE_SAMPLED | GPOOL_TEXTURE_READ_BACK, 5, 3, bytes);
    for (int round = 0; round < 3; ++round) {
        bool whole = fault_is_whole(w);
        bool done = FAULT_DO(w, 0, gpool_begin_frame(w->pool));
        gpool_recorder rec = gpool_frame_recorder(w->pool);
        gpool_ticket a = read_some(w, rec, &plain, 3, 97);
        gpool_ticket dropped = read_some(w, rec, &written, 0, 64);
        fault_destroy(w, dropped.id);
        gpool_ticket b = read_some(w, rec, &written, 5, 9);
        gpool_ticket c =
            FAULT_MAKE_BRIEF(w, gpool_ticket, gpool_read_texture(rec, picture.handle, NULL, NULL));
        gpool_ticket flying = read_some(w, rec, &plain, 0, 4);
        done = FAULT_DO(w, 0, gpool_end_frame(w->pool)) && done && whole;
        fault_destroy(w, flying.id);
        ticket_gives(w, a, done && plain.known, plain.bytes + 3, 97);
        ticket_gives(w, b, done && written.known, written.bytes + 5, 9);
        ticket_gives(w, c, done && picture.known, picture.texels, 60);
    }
    return fault_end(w);
}

FAULT_SWEEP(tickets, scenario_tickets)
