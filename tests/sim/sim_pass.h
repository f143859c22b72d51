/* What render and compute passes share. */
#ifndef GPOOL_TESTS_SIM_PASS_H
#define GPOOL_TESTS_SIM_PASS_H

#include "sim_state.h"

/* Looks a pass up for a command; NULL when it takes none. */
sim_pass_encoder *sim_pass_enter(sim_call *call, int function, const void *handle, sim_kind kind);
/* A new pass of an encoder; after an error one that takes commands and does nothing. */
sim_pass_encoder *sim_pass_new(const sim_call *call, sim_encoder *encoder, sim_kind kind,
                               WGPUStringView label);
void sim_pass_end(int function, const void *handle, sim_kind kind);
void sim_pass_push(int function, const void *handle, sim_kind kind);
void sim_pass_pop(int function, const void *handle, sim_kind kind);
void sim_pass_marker(int function, const void *handle, sim_kind kind);
void sim_pass_set_group(int function, const void *handle, sim_kind kind, uint32_t index,
                        WGPUBindGroup group, size_t count, const uint32_t *offsets);
/* Pipeline set, groups there and compatible. */
bool sim_pass_check_groups(const sim_pass_encoder *pass, sim_text *why);
bool sim_pass_check_indirect(const sim_buffer *buffer, uint64_t offset, uint64_t size,
                             sim_text *why);
/* Adds a draw or dispatch with the state of now. */
sim_work *sim_pass_add_work(sim_pass_encoder *pass);

#endif
