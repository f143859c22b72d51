/*
 * Tests that try to break gpool. wgpu-native ends the process on many a mistake, so each block of
 * hostile calls runs in a forked child with an alarm; the device is opened inside the child, as a
 * Vulkan device does not survive a fork. A child that does not end well fails its test by name.
 *
 * A hostile_world holds witnesses: after bad calls the counters of the pool, the witnesses' bytes
 * and a drawn pixel must be as if the calls had not been made.
 */
#ifndef GPOOL_TESTS_GPU_HOSTILE_H
#define GPOOL_TESTS_GPU_HOSTILE_H

#include "gpu/fixture.h"

#define HOSTILE_WITNESS_BYTES 64

/** What a block works on; all handles are good. */
typedef struct hostile_world {
    fixture *f;
    gpool *pool;
    gpool_buffer witness;          /**< every usage but STORAGE_WRITE, 64 known bytes */
    gpool_texture witness_texture; /**< 4 x 4 RGBA8Unorm, every usage but STORAGE, known bytes */
    gpool_texture target;          /**< 8 x 8 RGBA8Unorm */
    gpool_pipeline fill;           /**< draws all of the target in its uniforms */
    gpool_stats before;            /**< counters at hostile_begin() */
    uint32_t frames;               /**< good frames drawn */
} hostile_world;

typedef void (*hostile_block)(hostile_world *w);

/** Runs a function in a child of `seconds` at most; fails the test unless it returned. */
void hostile_fork(const char *name, void (*run)(void *user), void *user, unsigned seconds);

/** The same, but only tells: false when the child did not return. For loops over many points. */
bool hostile_try(const char *name, void (*run)(void *user), void *user, unsigned seconds);

/** Runs a block in a child with a device, a pool and a world of its own. */
void hostile_run(const char *name, hostile_block block, unsigned seconds);

/** Builds a world in the fixture's pool; the log is cleared. */
void hostile_open(hostile_world *w, fixture *f);

/** Remembers the counters. */
void hostile_begin(hostile_world *w);

/** Fails unless the counters of resources and submits are as at hostile_begin(). */
#define hostile_unchanged(w) hostile_unchanged_at(w, __FILE__, __LINE__)
void hostile_unchanged_at(hostile_world *w, const char *file, int line);

/** Fails unless a call gave this code, logged one error of this id and changed nothing. */
#define hostile_refused(w, call, code, log_id)                                                     \
    do {                                                                                           \
        hostile_begin(w);                                                                          \
        hostile_refused_at(w, call, GPOOL_ERROR_##code, GPOOL_LOG_##log_id, __FILE__, __LINE__);   \
    } while (0)
void hostile_refused_at(hostile_world *w, gpool_result got, gpool_result wanted, gpool_log_id id,
                        const char *file, int line);

/** The last error when a creator gave the null handle, else GPOOL_OK: for hostile_refused(). */
gpool_result hostile_null(hostile_world *w, uint64_t id);

/** The last error when a getter gave NULL, else GPOOL_OK. */
gpool_result hostile_none(hostile_world *w, const void *object);

/** Draws a good frame in a new color; the pixel and the witnesses must be right. */
#define hostile_good_frame(w) hostile_good_frame_at(w, __FILE__, __LINE__)
void hostile_good_frame_at(hostile_world *w, const char *file, int line);

/** Ends what is left of a frame, whatever happens, and draws a good one. */
#define hostile_recover(w) hostile_recover_at(w, __FILE__, __LINE__)
void hostile_recover_at(hostile_world *w, const char *file, int line);

/** Begins a frame; the recorder is in a pass when asked for: 0 none, 1 render, 2 compute. */
gpool_recorder hostile_frame(hostile_world *w, int pass);

/** Ends pass (if any) and frame; returns the frame's result. */
gpool_result hostile_end(hostile_world *w, gpool_recorder rec, int pass);

/** One recorder call in a frame of its own must be skipped with this error. */
#define hostile_skips(w, pass, call, code, log_id)                                                 \
    do {                                                                                           \
        gpool_recorder rec = hostile_frame(w, pass);                                               \
        hostile_begin(w);                                                                          \
        call;                                                                                      \
        hostile_skipped_at(w, rec, pass, GPOOL_ERROR_##code, GPOOL_LOG_##log_id, __FILE__,         \
                           __LINE__);                                                              \
    } while (0)
void hostile_skipped_at(hostile_world *w, gpool_recorder rec, int pass, gpool_result code,
                        gpool_log_id id, const char *file, int line);

/** Recorder calls whose frame may end in any result; only survival and the next frame count. */
#define hostile_survives(w, pass, calls)                                                           \
    do {                                                                                           \
        gpool_recorder rec = hostile_frame(w, pass);                                               \
        calls;                                                                                     \
        (void)hostile_end(w, rec, pass);                                                           \
        hostile_good_frame(w);                                                                     \
    } while (0)

/** Recorder calls that the implementation must find at Finish: GPOOL_ERROR_GPU, nothing drawn. */
#define hostile_drops(w, pass, calls)                                                              \
    do {                                                                                           \
        gpool_recorder rec = hostile_frame(w, pass);                                               \
        calls;                                                                                     \
        assert_result(hostile_end(w, rec, pass), GPOOL_ERROR_GPU);                                 \
        hostile_good_frame(w);                                                                     \
    } while (0)

/** Random 64 bits. */
uint64_t hostile_random64(uint64_t *seed);

/** Sizes and offsets that break sums; HOSTILE_EDGES of them. */
#define HOSTILE_EDGES 24
extern const uint64_t hostile_edges[HOSTILE_EDGES];

/* Blocks of the group bad_input. */
void hostile_handles_of_functions(hostile_world *w);
void hostile_handles_of_recorder(hostile_world *w);
void hostile_handles_of_creators(hostile_world *w);
void hostile_handles_of_any_kind(hostile_world *w);
void hostile_handles_forged(hostile_world *w);
void hostile_null_pointers(hostile_world *w);
void hostile_null_recorder(hostile_world *w);
void hostile_null_pool(hostile_world *w);
void hostile_buffer_descs(hostile_world *w);
void hostile_texture_descs(hostile_world *w);
void hostile_texture_formats(hostile_world *w);
void hostile_sampler_descs(hostile_world *w);
void hostile_layout_descs(hostile_world *w);
void hostile_layout_min_size(hostile_world *w);
void hostile_strange_groups(hostile_world *w);
void hostile_view_descs(hostile_world *w);
void hostile_view_limit(hostile_world *w);
void hostile_device_descs(hostile_world *w);
void hostile_strange_strings(hostile_world *w);
void hostile_ranges_of_buffers(hostile_world *w);
void hostile_ranges_of_copies(hostile_world *w);
void hostile_ranges_of_bindings(hostile_world *w);
void hostile_ranges_empty(hostile_world *w);
void hostile_ranges_unaligned(hostile_world *w);
void hostile_ranges_of_textures(hostile_world *w);
void hostile_phases_of_frame(hostile_world *w);
void hostile_phases_of_recorder(hostile_world *w);
void hostile_stream(hostile_world *w);
void hostile_state_values(hostile_world *w);
void hostile_draws(hostile_world *w);
void hostile_passes(hostile_world *w);
void hostile_bindings(hostile_world *w);
void hostile_lifetimes(hostile_world *w);
void hostile_same_size(hostile_world *w);
void hostile_usages(hostile_world *w);
void hostile_pipeline_descs(hostile_world *w);
void hostile_vertex_formats(hostile_world *w);
void hostile_depth_states(hostile_world *w);
void hostile_interfaces(hostile_world *w);
void hostile_shaders(hostile_world *w);
void hostile_mutated_shaders(hostile_world *w);
void hostile_shaders_of_bytes(hostile_world *w);
void hostile_deep_brackets(hostile_world *w);
void hostile_deep_operators(hostile_world *w);
void hostile_deep_sums(hostile_world *w);
void hostile_deep_branches(hostile_world *w);
void hostile_deep_templates(hostile_world *w);
void hostile_deep_indexes(hostile_world *w);
void hostile_deep_mixtures(hostile_world *w);
void hostile_own_encoder(hostile_world *w);
void hostile_raw_access(hostile_world *w);
void hostile_uninitialized(hostile_world *w);
void hostile_raw(hostile_world *w);

#endif
