/*
 * Reads: copies into staging memory, outside passes, and their tickets.
 */
#include "record/recording.h"

#include "pool/ticket.h"

static gpool_result read_buffer(struct gpool_recorder_state *state, gpool_buffer handle,
                                uint64_t offset, uint64_t size, const gpool_ticket_desc *desc,
                                gpool_ticket *made)
{
    gpool *pool = state->pool;
    gpool_result result;
    gpool__buffer *buffer =
        (gpool__buffer *)gpool__resolve_good(pool, handle.id, GPOOL_KIND_BUFFER, &result);
    if (buffer == NULL) {
        return result;
    }
    uint64_t first = 0;
    uint64_t bytes = 0;
    result = gpool__buffer_read_part(pool, buffer, offset, size, &first, &bytes);
    WGPUCommandEncoder encoder = result == GPOOL_OK ? gpool__record_encoder(state, &result) : NULL;
    if (encoder == NULL) {
        return result;
    }
    gpool__rows rows = {
        .offset = offset - first, .bytes = size, .stride = size, .count = size > 0 ? 1 : 0
    };
    gpool__ticket *ticket = gpool__ticket_make(pool, desc, bytes, rows, &result);
    if (ticket == NULL) {
        return result;
    }
    gpool__resource_record(pool, &buffer->base);
    if (bytes > 0) {
        GPOOL__GPU(&pool->seam, CommandEncoderCopyBufferToBuffer)
        (encoder, buffer->gpu, first, ticket->landing->gpu, 0, bytes);
    }
    made->id = gpool__handle_of(pool, &ticket->base);
    return GPOOL_OK;
}

gpool_ticket gpool_read_buffer(gpool_recorder rec, gpool_buffer buffer, uint64_t offset,
                               uint64_t size, const gpool_ticket_desc *desc)
{
    gpool_ticket made = { 0 };
    gpool__call call;
    struct gpool_recorder_state *state = gpool__record_enter(rec, "gpool_read_buffer", &call);
    if (state != NULL) {
        gpool__record_leave(state, &call, read_buffer(state, buffer, offset, size, desc, &made));
    }
    return made;
}

static gpool_result read_texture(struct gpool_recorder_state *state, gpool_texture handle,
                                 const gpool_texture_region *region, const gpool_ticket_desc *desc,
                                 gpool_ticket *made)
{
    gpool *pool = state->pool;
    gpool_result result;
    gpool__texture *texture =
        (gpool__texture *)gpool__resolve_good(pool, handle.id, GPOOL_KIND_TEXTURE, &result);
    if (texture == NULL) {
        return result;
    }
    gpool__texture_part part;
    gpool__rows rows;
    result = gpool__texture_read_part(pool, texture, region, &part, &rows);
    WGPUCommandEncoder encoder = result == GPOOL_OK ? gpool__record_encoder(state, &result) : NULL;
    gpool__ticket *ticket =
        encoder != NULL ? gpool__ticket_make(pool, desc, rows.stride * rows.count, rows, &result)
                        : NULL;
    if (ticket == NULL) {
        return result;
    }
    gpool__resource_record(pool, &texture->base);
    gpool__texture_copy_out(pool, encoder, texture, &part, &rows, ticket->landing->gpu);
    made->id = gpool__handle_of(pool, &ticket->base);
    return GPOOL_OK;
}

gpool_ticket gpool_read_texture(gpool_recorder rec, gpool_texture texture,
                                const gpool_texture_region *region, const gpool_ticket_desc *desc)
{
    gpool_ticket made = { 0 };
    gpool__call call;
    struct gpool_recorder_state *state = gpool__record_enter(rec, "gpool_read_texture", &call);
    if (state != NULL) {
        gpool__record_leave(state, &call, read_texture(state, texture, region, desc, &made));
    }
    return made;
}
