/* gpool/readback.h: reading back without waiting. */
#ifndef GPOOL_READBACK_H
#define GPOOL_READBACK_H

#include <gpool/record.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Tickets that may be alive in a pool at a time. */
#define GPOOL_MAX_TICKETS 1024

/** How a ticket is made. */
typedef struct gpool_ticket_desc {
    const char *label; /**< name in messages, copied; NULL = "" */
    gpool_scope scope; /**< owner; null = the pool's root scope */
} gpool_ticket_desc;

/** How far a ticket is. */
typedef enum gpool_ticket_state {
    GPOOL_TICKET_RECORDED,  /**< its recorder is not submitted */
    GPOOL_TICKET_SUBMITTED, /**< the GPU has not answered */
    GPOOL_TICKET_READY,     /**< the bytes can be taken */
    GPOOL_TICKET_FAILED     /**< the bytes will never come: see gpool_ticket_info.result */
} gpool_ticket_state;

/** What a ticket is. */
typedef struct gpool_ticket_info {
    uint64_t size;          /**< bytes that gpool_ticket_take() gives: rows without padding */
    uint64_t bytes_per_row; /**< of a row of texels or blocks; of a buffer all bytes are one row */
    uint64_t row_count;     /**< rows of all slices or layers; 0 for an empty read */
    uint64_t gpu_size;      /**< bytes of the staging memory it holds; 0 when failed */
    uint64_t created_frame; /**< frame it was recorded in */
    gpool_ticket_state state; /**< as known without a poll */
    gpool_result result;      /**< why it failed; GPOOL_OK else */
    const char *label;        /**< valid until the ticket is over */
} gpool_ticket_info;

/**
 * Records a read of a buffer, outside passes, at this point of the recorder: it gives what the commands
 * before it left there, and what gpool_buffer_write() wrote before the submit. Destroying the buffer
 * afterwards is legal.
 *
 * @param offset bytes from the start of the buffer; any alignment
 * @param size   bytes; 0 reads nothing and is ready with the submit
 * @param desc   NULL = all defaults
 * @return the ticket; null when the command was skipped and its error latched: a handle error;
 *         GPOOL_ERROR_FAILED_RESOURCE; GPOOL_ERROR_MISSING_USAGE (no READ_BACK);
 *         GPOOL_ERROR_OUT_OF_RANGE; GPOOL_ERROR_MISALIGNED (the last bytes of an import whose size is
 *         no multiple of 4); GPOOL_ERROR_WRONG_PHASE (a pass is open, or an old recorder);
 *         GPOOL_ERROR_LIMIT (GPOOL_MAX_TICKETS are alive, or over maxBufferSize);
 *         GPOOL_ERROR_OUT_OF_MEMORY; GPOOL_ERROR_OUT_OF_GPU_MEMORY; GPOOL_ERROR_GPU;
 *         GPOOL_ERROR_DEVICE_LOST. See gpool_last_error().
 * Thread: owner. Allocates: when no staging memory of that size is kept from reads before.
 */
GPOOL_API gpool_ticket gpool_read_buffer(gpool_recorder rec, gpool_buffer buffer, uint64_t offset,
                                         uint64_t size, const gpool_ticket_desc *desc);

/**
 * Records a read of a texture's region; else as gpool_read_buffer(). What gpool_texture_read() can
 * read this can, and rows come packed as there.
 *
 * @param region NULL = all of mip level 0
 * @param desc   NULL = all defaults
 * @return the ticket; null when the command was skipped and its error latched: those of
 *         gpool_read_buffer() and GPOOL_ERROR_UNSUPPORTED, GPOOL_ERROR_INVALID_ARGUMENT (the region).
 * Thread: owner. Allocates: when no staging memory of that size is kept from reads before.
 */
GPOOL_API gpool_ticket gpool_read_texture(gpool_recorder rec, gpool_texture texture,
                                          const gpool_texture_region *region,
                                          const gpool_ticket_desc *desc);

/**
 * Tells whether the bytes are there; polls the device if nothing did since this ticket was looked at
 * last.
 *
 * @return GPOOL_OK (take them); GPOOL_NOT_READY (recorded or under way; logs nothing); a handle error;
 *         for a failed ticket GPOOL_ERROR_DROPPED (its recorder was dropped), GPOOL_ERROR_DEVICE_LOST
 *         (also after gpool_recover()), GPOOL_ERROR_GPU or GPOOL_ERROR_OUT_OF_GPU_MEMORY (the submit or
 *         the map reported an error); GPOOL_ERROR_INVALID_ARGUMENT (null pool). A failed ticket stays
 *         so until it is destroyed.
 * Thread: owner. Allocates: never. Never blocks. Cost: at most one poll.
 */
GPOOL_API gpool_result gpool_ticket_status(gpool *pool, gpool_ticket ticket);

/**
 * Copies the bytes out, rows packed, and ends the ticket: its handle is stale, whatever its references,
 * and its staging memory is kept for the next read.
 *
 * @param target      receives gpool_ticket_info.size bytes; may be NULL for an empty read
 * @param target_size bytes in `target`
 * @return GPOOL_OK; GPOOL_NOT_READY (nothing changed; logs nothing); GPOOL_ERROR_OUT_OF_RANGE (the
 *         target is short); GPOOL_ERROR_INVALID_ARGUMENT (null target or pool); a handle error; and the
 *         same as gpool_ticket_status() for a ticket that failed, now or before: it holds no bytes then
 *         and stays until it is destroyed. GPOOL_ERROR_OUT_OF_GPU_MEMORY of a ticket that is ready: it
 *         stays so, try again.
 * Thread: owner. Allocates: never. Never blocks. Cost: the copy, at most one poll.
 */
GPOOL_API gpool_result gpool_ticket_take(gpool *pool, gpool_ticket ticket, void *target,
                                         size_t target_size);

/**
 * Blocks until the bytes are there: polls and sleeps, never spins.
 *
 * @param timeout_ns ns to wait at most, from now
 * @return GPOOL_OK (take them); GPOOL_ERROR_TIMEOUT (wait again, or go on); GPOOL_ERROR_WRONG_PHASE
 *         (the recorder is not submitted yet: this would never end); a handle error;
 *         GPOOL_ERROR_INVALID_ARGUMENT (null pool); and the same as gpool_ticket_status() for a ticket
 *         that failed, now or before.
 * Thread: owner. Allocates: never. Cost: blocks.
 */
GPOOL_API gpool_result gpool_ticket_wait(gpool *pool, gpool_ticket ticket, uint64_t timeout_ns);

/**
 * Drops a ticket, in any state; null is nothing. Commands recorded stay as they are. A ticket that is
 * taken needs no destroy.
 *
 * @return GPOOL_OK, also for the null handle; another handle error; GPOOL_ERROR_INVALID_ARGUMENT (null
 *         pool).
 * Thread: any; see gpool_create(). Allocates: never.
 */
GPOOL_API gpool_result gpool_ticket_destroy(gpool *pool, gpool_ticket ticket);

/**
 * Tells what a ticket is.
 *
 * @return GPOOL_OK, a handle error or GPOOL_ERROR_INVALID_ARGUMENT (null `info` or pool).
 * Thread: owner. Allocates: never.
 */
GPOOL_API gpool_result gpool_ticket_get_info(gpool *pool, gpool_ticket ticket,
                                             gpool_ticket_info *info);

#ifdef __cplusplus
}
#endif
#endif
