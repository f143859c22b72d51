#include "pool/ticket.h"

static gpool__ticket *ticket_of(gpool__resource *resource)
{
    return (gpool__ticket *)resource;
}

static uint64_t ticket_size(const gpool__ticket *ticket)
{
    return ticket->rows.bytes * ticket->rows.count;
}

/* --- the list of the open recording --- */

static void ticket_enlist(gpool *pool, gpool__ticket *ticket)
{
    ticket->previous = pool->recorded_last;
    ticket->next = NULL;
    if (pool->recorded_last != NULL) {
        pool->recorded_last->next = ticket;
    } else {
        pool->recorded_first = ticket;
    }
    pool->recorded_last = ticket;
}

static void ticket_delist(gpool *pool, gpool__ticket *ticket)
{
    if (ticket->previous != NULL) {
        ticket->previous->next = ticket->next;
    } else if (pool->recorded_first == ticket) {
        pool->recorded_first = ticket->next;
    } else {
        return; /* on no list */
    }
    if (ticket->next != NULL) {
        ticket->next->previous = ticket->previous;
    } else {
        pool->recorded_last = ticket->previous;
    }
    ticket->next = NULL;
    ticket->previous = NULL;
}

/* --- what happens to a ticket --- */

/* Gives its staging memory back; its bytes count no more. */
static void ticket_let_go(gpool *pool, gpool__ticket *ticket)
{
    gpool__landing *landing = ticket->landing;
    if (landing != NULL) {
        gpool__resource_count_bytes(pool, &ticket->base, landing->size, 0);
        ticket->landing = NULL;
        gpool__landing_give_back(pool, landing);
    }
}

static void ticket_fail(gpool *pool, gpool__ticket *ticket, gpool_result result)
{
    ticket_delist(pool, ticket);
    ticket->state = GPOOL_TICKET_FAILED;
    ticket->result = result;
    ticket_let_go(pool, ticket);
}

static void ticket_retiring(gpool *pool, gpool__resource *resource)
{
    ticket_delist(pool, ticket_of(resource));
    ticket_let_go(pool, ticket_of(resource));
}

/* A ticket that is still alive when its pool ends; others hold nothing. */
static void ticket_release(gpool *pool, gpool__resource *resource)
{
    gpool__ticket *ticket = ticket_of(resource);
    if (ticket->landing != NULL) {
        gpool__landing_drop(pool, ticket->landing);
        ticket->landing = NULL;
    }
}

void gpool__tickets_init(gpool *pool)
{
    gpool__kind_init(pool, GPOOL_KIND_TICKET, sizeof(gpool__ticket), ticket_release);
    pool->retiring[GPOOL_KIND_TICKET] = ticket_retiring;
}

uint64_t gpool__ticket_bytes(const gpool__resource *resource)
{
    const gpool__ticket *ticket = (const gpool__ticket *)(const void *)resource;
    return ticket->landing != NULL ? ticket->landing->size : 0;
}

gpool__ticket *gpool__ticket_make(gpool *pool, const gpool_ticket_desc *desc, uint64_t size,
                                  gpool__rows rows, gpool_result *result)
{
    static const gpool_ticket_desc defaults = { 0 };
    desc = desc != NULL ? desc : &defaults;
    if (gpool__device_is_lost(pool->device)) {
        *result = GPOOL__FAIL(pool, DEVICE_LOST, DEVICE_LOST, "The device \"%s\" is lost",
                              pool->device->info.label);
        return NULL;
    }
    if (pool->tables[GPOOL_KIND_TICKET].live_count >= GPOOL_MAX_TICKETS) {
        *result = GPOOL__FAIL(pool, LIMIT, LIMIT, "The pool holds [%u] tickets already",
                              pool->tables[GPOOL_KIND_TICKET].live_count);
        return NULL;
    }
    gpool__ticket *ticket =
        ticket_of(gpool__resource_take(pool, GPOOL_KIND_TICKET, desc->label, desc->scope));
    if (ticket == NULL) {
        *result = gpool_last_error(pool)->code;
        return NULL;
    }
    gpool__landing *landing = size > 0 ? gpool__landing_take(pool, size, result) : NULL;
    if (size > 0 && landing == NULL) {
        gpool__resource_cancel(pool, &ticket->base);
        return NULL;
    }
    ticket->landing = landing;
    ticket->rows = rows;
    ticket->map_size = size;
    gpool__resource_count_bytes(pool, &ticket->base, 0, gpool__ticket_bytes(&ticket->base));
    ticket_enlist(pool, ticket);
    *result = GPOOL_OK;
    return ticket;
}

/* --- the recording's end --- */

static void ticket_submitted(gpool *pool, gpool__ticket *ticket)
{
    ticket->state = GPOOL_TICKET_SUBMITTED;
    ticket->polls = pool->seam.calls[GPOOL_GPU_InstanceProcessEvents];
    if (ticket->landing == NULL) {
        ticket->state = GPOOL_TICKET_READY;
        return;
    }
    gpool_result result = gpool__landing_map(pool, ticket->landing, ticket->map_size);
    if (result != GPOOL_OK) {
        if (result != GPOOL_ERROR_DEVICE_LOST) {
            (void)gpool__fail_gpu(pool, result, "Mapping for ticket", ticket->base.label);
        }
        ticket_fail(pool, ticket, result);
    }
}

void gpool__tickets_submitted(gpool *pool, gpool_result result)
{
    if (result == GPOOL_ERROR_OUT_OF_MEMORY) {
        return; /* nothing went out: they are dropped with their recording */
    }
    gpool__ticket *ticket;
    while ((ticket = pool->recorded_first) != NULL) {
        ticket_delist(pool, ticket);
        if (result == GPOOL_OK) {
            ticket_submitted(pool, ticket);
        } else {
            ticket_fail(pool, ticket, result);
        }
    }
}

void gpool__tickets_dropped(gpool *pool)
{
    while (pool->recorded_first != NULL) {
        ticket_fail(pool, pool->recorded_first,
                    gpool__device_is_lost(pool->device) ? GPOOL_ERROR_DEVICE_LOST
                                                        : GPOOL_ERROR_DROPPED);
    }
}

void gpool__tickets_leave_device(gpool *pool)
{
    const gpool__table *table = &pool->tables[GPOOL_KIND_TICKET];
    for (uint32_t i = 0; i < table->slot_count; ++i) {
        gpool__resource *resource = (gpool__resource *)gpool__table_at(table, i);
        if (gpool__resource_is_held(resource) &&
            ticket_of(resource)->state != GPOOL_TICKET_FAILED) {
            ticket_fail(pool, ticket_of(resource), GPOOL_ERROR_DEVICE_LOST);
        }
    }
    gpool__landing_fini(pool);
}

/* --- looking at a ticket --- */

static void ticket_look(gpool *pool, gpool__ticket *ticket)
{
    if (gpool__device_is_lost(pool->device)) {
        ticket_fail(pool, ticket, GPOOL_ERROR_DEVICE_LOST); /* also when it failed before */
    } else if (ticket->state == GPOOL_TICKET_SUBMITTED &&
               gpool__map_is_answered(ticket->landing->map)) {
        if (gpool__map_is_good(ticket->landing->map)) {
            ticket->state = GPOOL_TICKET_READY;
        } else {
            (void)GPOOL__FAIL(pool, GPU_ERROR, GPU,
                              "The staging memory of ticket \"%s\" cannot be "
                              "mapped",
                              ticket->base.label);
            ticket_fail(pool, ticket, GPOOL_ERROR_GPU);
        }
    }
}

/* The same with a poll where one may help. Of a round over many tickets only the first one polls. */
static void ticket_poll(gpool *pool, gpool__ticket *ticket)
{
    if (ticket->state == GPOOL_TICKET_SUBMITTED && !gpool__map_is_answered(ticket->landing->map) &&
        !gpool__device_is_lost(pool->device)) {
        if (ticket->polls == pool->seam.calls[GPOOL_GPU_InstanceProcessEvents]) {
            gpool__device_process(pool->device, &pool->seam);
        }
        ticket->polls = pool->seam.calls[GPOOL_GPU_InstanceProcessEvents];
    }
    ticket_look(pool, ticket);
}

static gpool_result ticket_status(const gpool__ticket *ticket)
{
    return ticket->state == GPOOL_TICKET_READY    ? GPOOL_OK
           : ticket->state == GPOOL_TICKET_FAILED ? ticket->result
                                                  : GPOOL_NOT_READY;
}

/* Records why a ticket cannot be waited for or taken. */
static gpool_result ticket_tell(gpool *pool, const gpool__ticket *ticket)
{
    const gpool_result result = ticket->result;
    gpool_log_id id = result == GPOOL_ERROR_DROPPED
                          ? GPOOL_LOG_RECORDER_DROPPED
                          : gpool__capture_log_id(result, GPOOL_LOG_GPU_ERROR);
    return gpool__fail(&pool->log, id, result, "The ticket \"%s\" of frame [%llu] failed: %s",
                       ticket->base.label, (unsigned long long)ticket->base.alive.created_frame,
                       gpool_result_text(result));
}

gpool_result gpool_ticket_status(gpool *pool, gpool_ticket handle)
{
    gpool__call call;
    gpool_result result = gpool__enter(pool, "gpool_ticket_status", &call);
    if (result == GPOOL_OK) {
        gpool__ticket *ticket =
            ticket_of(gpool__resolve(pool, handle.id, GPOOL_KIND_TICKET, &result));
        if (ticket != NULL) {
            ticket_poll(pool, ticket);
            result = ticket_status(ticket);
        }
        gpool__leave(pool, &call);
    }
    return result;
}

static gpool_result ticket_take(gpool *pool, gpool_ticket handle, void *target, size_t target_size)
{
    gpool_result result;
    gpool__ticket *ticket = ticket_of(gpool__resolve(pool, handle.id, GPOOL_KIND_TICKET, &result));
    if (ticket == NULL) {
        return result;
    }
    const uint64_t size = ticket_size(ticket);
    if (target == NULL && size > 0) {
        return GPOOL__FAIL(pool, ARGUMENT_NULL, INVALID_ARGUMENT,
                           "The target [NULL] for ticket \"%s\" is null", ticket->base.label);
    }
    if (size > target_size) {
        return GPOOL__FAIL(pool, RANGE, OUT_OF_RANGE,
                           "The target of [%llu] bytes for ticket \"%s\" is short of [%llu]",
                           (unsigned long long)target_size, ticket->base.label,
                           (unsigned long long)size);
    }
    ticket_poll(pool, ticket);
    if (ticket->state == GPOOL_TICKET_READY && ticket->landing != NULL) {
        result =
            gpool__read_mapped(pool, ticket->landing->gpu, ticket->map_size, ticket->rows, target);
        if (result == GPOOL_ERROR_OUT_OF_GPU_MEMORY) {
            return gpool__fail_gpu(pool, result, "Taking ticket", ticket->base.label);
        }
        if (result != GPOOL_OK) {
            ticket_fail(pool, ticket, result);
        }
    }
    result = ticket_status(ticket);
    if (result == GPOOL_OK) {
        gpool__resource_retire(pool, &ticket->base);
    } else if (result != GPOOL_NOT_READY) {
        result = ticket_tell(pool, ticket);
    }
    return result;
}

gpool_result gpool_ticket_take(gpool *pool, gpool_ticket ticket, void *target, size_t target_size)
{
    gpool__call call;
    gpool_result result = gpool__enter(pool, "gpool_ticket_take", &call);
    if (result == GPOOL_OK) {
        result = ticket_take(pool, ticket, target, target_size);
        gpool__leave(pool, &call);
    }
    return result;
}

static gpool_result ticket_wait(gpool *pool, gpool_ticket handle, uint64_t timeout_ns)
{
    gpool_result result;
    gpool__ticket *ticket = ticket_of(gpool__resolve(pool, handle.id, GPOOL_KIND_TICKET, &result));
    if (ticket == NULL) {
        return result;
    }
    ticket_look(pool, ticket);
    if (ticket->state == GPOOL_TICKET_RECORDED) {
        return GPOOL__FAIL(pool, PHASE, WRONG_PHASE,
                           "The recorder of ticket \"%s\" is not submitted: waiting for it would "
                           "never end",
                           ticket->base.label);
    }
    if (ticket->state == GPOOL_TICKET_SUBMITTED) {
        result = gpool__map_wait(pool, ticket->landing->map, timeout_ns);
        if (result == GPOOL_ERROR_TIMEOUT) {
            return GPOOL__FAIL(pool, TIMEOUT, TIMEOUT,
                               "The GPU did not finish ticket \"%s\" within [%llu] us",
                               ticket->base.label, (unsigned long long)(timeout_ns / 1000u));
        }
        ticket_look(pool, ticket);
    }
    result = ticket_status(ticket);
    return result == GPOOL_OK ? result : ticket_tell(pool, ticket);
}

gpool_result gpool_ticket_wait(gpool *pool, gpool_ticket ticket, uint64_t timeout_ns)
{
    gpool__call call;
    gpool_result result = gpool__enter(pool, "gpool_ticket_wait", &call);
    if (result == GPOOL_OK) {
        result = ticket_wait(pool, ticket, timeout_ns);
        gpool__leave(pool, &call);
    }
    return result;
}

gpool_result gpool_ticket_destroy(gpool *pool, gpool_ticket ticket)
{
    return gpool__destroy_handle(pool, ticket.id, GPOOL_KIND_TICKET, "gpool_ticket_destroy");
}

static gpool_result ticket_get_info(gpool *pool, gpool_ticket handle, gpool_ticket_info *info)
{
    gpool_result result;
    gpool__ticket *ticket = ticket_of(gpool__resolve(pool, handle.id, GPOOL_KIND_TICKET, &result));
    if (ticket == NULL) {
        return result;
    }
    if (info == NULL) {
        return GPOOL__FAIL(pool, ARGUMENT_NULL, INVALID_ARGUMENT, "The info [NULL] is null");
    }
    ticket_look(pool, ticket);
    *info = (gpool_ticket_info){
        .size = ticket_size(ticket),
        .bytes_per_row = ticket->rows.bytes,
        .row_count = ticket->rows.count,
        .gpu_size = gpool__ticket_bytes(&ticket->base),
        .created_frame = ticket->base.alive.created_frame,
        .state = ticket->state,
        .result = ticket->result,
        .label = ticket->base.label,
    };
    return GPOOL_OK;
}

gpool_result gpool_ticket_get_info(gpool *pool, gpool_ticket ticket, gpool_ticket_info *info)
{
    gpool__call call;
    gpool_result result = gpool__enter(pool, "gpool_ticket_get_info", &call);
    if (result == GPOOL_OK) {
        result = ticket_get_info(pool, ticket, info);
        gpool__leave(pool, &call);
    }
    return result;
}
