/*
 * Tickets: reads of buffers, which run with the other commands of their recording. What a ticket must
 * give is known when it ran; a fault while it was recorded or submitted leaves it in doubt: then it
 * gives the right bytes or an error.
 */
#include "model_state.h"

#include "pool/ticket.h"

#include <stdlib.h>
#include <string.h>

#define TICKET_WAIT UINT64_C(2000000000)

void model_ticket_ran(model_command *command, bool run)
{
    model_ticket *ticket = command->ticket;
    if (run) {
        memcpy(ticket->bytes, command->source->bytes + command->source_offset, ticket->size);
    }
    ticket->state = run ? MODEL_TICKET_RAN : MODEL_TICKET_DROPPED;
}

void model_ticket_read(model *m)
{
    model_ref from = model_pick(m, GPOOL_KIND_BUFFER);
    model_ref owner = model_pick_owner(m);
    const model_buffer *b = (const model_buffer *)(const void *)from.thing;
    uint32_t choice = model_take8(m);
    const uint64_t whole = b != NULL ? b->size : 16;
    const uint64_t offset = choice < 96 ? 0 : model_take16(m) % (whole + 2);
    const uint64_t size = choice < 96 ? whole : choice < 100 ? 0 : model_take8(m);
    uint32_t place = model_place(m, GPOOL_KIND_TICKET);
    if (place == UINT32_MAX || !model_has_room(m)) {
        return;
    }
    gpool_result expected = from.code;
    if (expected == GPOOL_OK) {
        expected = (b->usage & GPOOL_BUFFER_READ_BACK) == 0      ? GPOOL_ERROR_MISSING_USAGE
                   : offset > b->size || size > b->size - offset ? GPOOL_ERROR_OUT_OF_RANGE
                                                                 : owner.code;
    }
    model_ticket *ticket = model_must(calloc(1, sizeof *ticket + size));
    ticket->thing.kind = GPOOL_KIND_TICKET;
    ticket->thing.scope = owner.thing;
    ticket->size = size;
    model_command c = { .kind = MODEL_READ_BUFFER,
                        .source = (model_buffer *)(void *)from.thing,
                        .source_offset = offset,
                        .size = size,
                        .ticket = ticket };
    gpool_recorder rec = model_recorder(m);
    uint64_t skipped = model_skipped(m);
    gpool_ticket_desc desc = { .scope = { owner.id } };
    gpool_ticket made = gpool_read_buffer(rec, (gpool_buffer){ from.id }, offset, size,
                                          choice % 2 == 0 && owner.id == 0 ? NULL : &desc);
    if (made.id == 0) {
        c.ticket = NULL;
        model_thing_free(&ticket->thing);
        if (expected == GPOOL_OK && m->in_frame && !model_hit(m) && !model_is_lost(m)) {
            model_fail(m, "no ticket: %s", gpool_last_error(m->pool)->message);
        }
        if (expected == GPOOL_OK) {
            m->latched = m->in_frame ? m->pool->frame_error : m->latched;
            return;
        }
    } else {
        (void)model_created(m, place, &ticket->thing, made.id, false, expected);
        ticket->doubt = model_hit(m);
    }
    model_recorded(m, &c, expected, skipped);
}

/* What a poll of a ticket may give. */
static void check_answer(model *m, model_ticket *ticket, gpool_result got)
{
    ticket->doubt = ticket->doubt || model_hit(m); /* what failed once stays so */
    bool in_doubt = ticket->doubt;
    bool failed = got == GPOOL_ERROR_GPU || got == GPOOL_ERROR_OUT_OF_GPU_MEMORY ||
                  got == GPOOL_ERROR_DROPPED;
    bool good = false;
    switch (ticket->state) {
    case MODEL_TICKET_RECORDED:
        good = got == GPOOL_NOT_READY;
        break;
    case MODEL_TICKET_RAN:
        good = got == GPOOL_OK || got == GPOOL_NOT_READY || (in_doubt && failed);
        break;
    case MODEL_TICKET_DROPPED:
        good = got == GPOOL_ERROR_DROPPED || (in_doubt && failed);
        break;
    default:
        good = got == GPOOL_ERROR_DEVICE_LOST || ((ticket->was_dropped || in_doubt) && failed);
        break;
    }
    if (!good) {
        model_fail(m, "a ticket in state %d gives %s", (int)ticket->state, gpool_result_name(got));
    }
}

void model_ticket_poll(model *m)
{
    model_ref ref = model_pick(m, GPOOL_KIND_TICKET);
    model_ticket *ticket = (model_ticket *)(void *)ref.thing;
    const gpool_ticket handle = { ref.id };
    gpool_result got = gpool_ticket_status(m->pool, handle);
    if (ticket == NULL) {
        (void)model_exactly(m, got, ref.code);
        return;
    }
    gpool_ticket_info info;
    if (gpool_ticket_get_info(m->pool, handle, &info) != GPOOL_OK || info.size != ticket->size) {
        model_fail(m, "a ticket has no or another size");
    }
    if (!model_is_lost(m)) {
        check_answer(m, ticket, got);
    }
}

/* Takes it; waits before, or not. */
void model_ticket_take(model *m)
{
    model_ref ref = model_pick(m, GPOOL_KIND_TICKET);
    model_ticket *ticket = (model_ticket *)(void *)ref.thing;
    const gpool_ticket handle = { ref.id };
    const bool wait = model_take8(m) % 2 == 0;
    uint8_t *target = model_must(calloc(1, ticket != NULL ? ticket->size + 1 : 1));
    gpool_result got = GPOOL_OK;
    if (wait) {
        model_complete_all(m);
        got = gpool_ticket_wait(m->pool, handle, TICKET_WAIT);
    }
    bool recorded = wait && got == GPOOL_ERROR_WRONG_PHASE && ticket != NULL &&
                    ticket->state == MODEL_TICKET_RECORDED;
    if (got == GPOOL_OK && ticket != NULL) {
        gpool_result taken = gpool_ticket_take(m->pool, handle, target, ticket->size);
        if (wait && taken == GPOOL_NOT_READY) {
            model_fail(m, "a ticket is not ready after its wait");
        }
        got = taken;
    } else if (got == GPOOL_OK) {
        got = gpool_ticket_take(m->pool, handle, target, 0);
    }
    if (ticket == NULL) {
        (void)model_exactly(m, got, ref.code);
    } else if (!model_is_lost(m) && !recorded) {
        check_answer(m, ticket, got);
    }
    if (got == GPOOL_OK && ticket != NULL) {
        if (!model_is_lost(m)) {
            model_same(m, "a ticket", target, ticket->bytes, ticket->size);
        }
        m->totals->tickets += 1;
        model_ended(m, &ref, false);
    }
    free(target);
}

void model_ticket_destroy(model *m)
{
    model_ref ref = model_pick(m, GPOOL_KIND_TICKET);
    gpool_result expected = ref.thing != NULL || ref.id == 0 ? GPOOL_OK : ref.code;
    bool elsewhere = model_elsewhere(m);
    gpool_result got = gpool_ticket_destroy(m->pool, (gpool_ticket){ ref.id });
    model_back(m);
    if (model_exactly(m, got, expected)) {
        model_ended(m, &ref, elsewhere);
    }
}

void model_tickets_doubt(model *m)
{
    for (uint32_t i = 0; i < m->command_count; ++i) {
        if (m->commands[i].ticket != NULL) {
            m->commands[i].ticket->doubt = true;
        }
    }
}

void model_tickets_lost(model *m)
{
    for (uint32_t i = 0; i < MODEL_THINGS; ++i) {
        model_ticket *ticket = (model_ticket *)(void *)m->things[GPOOL_KIND_TICKET][i];
        if (ticket != NULL) {
            ticket->was_dropped = ticket->was_dropped || ticket->state == MODEL_TICKET_DROPPED;
            ticket->state = MODEL_TICKET_LOST;
        }
    }
}

uint64_t model_staging_buffers(const model *m)
{
    const gpool__table *table = &m->pool->tables[GPOOL_KIND_TICKET];
    uint64_t count = m->pool->landings.count;
    for (uint32_t i = 0; i < table->slot_count; ++i) {
        const gpool__resource *each = (const gpool__resource *)gpool__table_at(table, i);
        count += gpool__resource_is_held(each) && gpool__ticket_bytes(each) > 0;
    }
    return count;
}
