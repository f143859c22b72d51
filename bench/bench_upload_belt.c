/* StagingBelt of the crate wgpu, a device of its own on the same adapter. */
#include "bench_upload.h"
#include "peers/peers.h"

#define BELT_CHUNK_LEAST 4096u

static void belt_frame(void *state, const upload_writes *writes)
{
    peer_belt_frame(state, writes->offsets, writes->count, writes->size, writes->data);
}

static void belt_wait(void *state, uint64_t most)
{
    peer_belt_wait(state, most);
}

static void belt_read(void *state, uint8_t *target)
{
    peer_belt_read(state, target);
}

static void belt_close(void *state)
{
    peer_belt_close(state);
}

bool upload_open_belt(upload_side *side, bench_gpu *gpu, const upload_load *load)
{
    /* Its documentation: a chunk is best as large as what a frame uploads. An element takes 8 bytes
     * at least, as mapped ranges begin at multiples of 8. */
    const uint64_t each = load->size < 8 ? 8 : load->size;
    const uint64_t all = load->count * each;
    peer_belt *belt =
        peer_belt_open(gpu->adapter, load->buffer_size,
                       all > BELT_CHUNK_LEAST ? all : BELT_CHUNK_LEAST, load->pace == UPLOAD_BUSY);
    if (belt == NULL) {
        return false;
    }
    *side = (upload_side){
        .name = PEER_BELT_NAME,
        .total_name = "total_ms_staging_belt",
        .cpu_name = "cpu_ms_staging_belt",
        .most = 1,
        .state = belt,
        .frame = belt_frame,
        .wait = belt_wait,
        .read = belt_read,
        .close = belt_close,
    };
    return true;
}
