/* The host version of the pool's own scatter pass: every simulator has it from the start. */
#include "sim_state.h"

#include "pool/scatter.h"

#include <string.h>

/* One invocation after another, as in the WGSL; outside of a binding nothing is read or written. */
static void scatter_host(const sim_work *work, void *user)
{
    (void)user;
    uint64_t into_size = 0;
    uint64_t sent_size = 0;
    uint64_t head_size = 0;
    uint8_t *into = sim_work_buffer(work, 0, 0, &into_size);
    const uint8_t *sent = sim_work_buffer(work, 0, 1, &sent_size);
    const uint8_t *head_bytes = sim_work_buffer(work, 0, 2, &head_size);
    uint32_t head[4];
    if (into == NULL || sent == NULL || head_bytes == NULL || head_size < sizeof head) {
        return;
    }
    memcpy(head, head_bytes, sizeof head);
    uint64_t invocations = (uint64_t)sim_work_counts(work)[0] * 64;
    for (uint64_t id = 0; id < invocations && id < head[2]; ++id) {
        uint32_t place;
        uint64_t index = (uint64_t)head[0] * 16 + id * 4;
        if (index + 4 > sent_size) {
            continue;
        }
        memcpy(&place, sent + index, 4);
        for (uint64_t k = 0; k < 4; ++k) {
            uint64_t from = ((uint64_t)head[1] + id * 4 + k) * 16;
            uint64_t to = ((uint64_t)place * 4 + k) * 16;
            if (from + 16 <= sent_size && to + 16 <= into_size) {
                memcpy(into + to, sent + from, 16);
            }
        }
    }
}

void sim_scatter_register(sim *s)
{
    sim_register_shader(s, gpool__scatter_wgsl, scatter_host, NULL);
}
