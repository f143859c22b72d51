/*
 * Bad input: each gives a result and a named record, the pool is exactly as before, and never the
 * end of the process. Each block runs in a child of its own.
 */
#include "gpu/hostile.h"

int gpu_bad_input_run(void);

#define SECONDS 60

#define BLOCK(name)                                                                                \
    static void name(void **state)                                                                 \
    {                                                                                              \
        (void)state;                                                                               \
        hostile_run(#name, hostile_##name, SECONDS);                                               \
    }

#define BLOCKS(X)                                                                                  \
    X(handles_of_functions)                                                                        \
    X(handles_of_recorder)                                                                         \
    X(handles_of_creators)                                                                         \
    X(handles_of_any_kind)                                                                         \
    X(handles_forged)                                                                              \
    X(buffer_descs)                                                                                \
    X(texture_descs)                                                                               \
    X(texture_formats)                                                                             \
    X(sampler_descs)                                                                               \
    X(layout_descs)                                                                                \
    X(view_descs)                                                                                  \
    X(view_limit)                                                                                  \
    X(device_descs)                                                                                \
    X(strange_strings)                                                                             \
    X(strange_groups)                                                                              \
    X(layout_min_size)                                                                             \
    X(ranges_of_buffers)                                                                           \
    X(ranges_of_copies)                                                                            \
    X(ranges_of_bindings)                                                                          \
    X(ranges_empty)                                                                                \
    X(ranges_unaligned)                                                                            \
    X(ranges_of_textures)                                                                          \
    X(stream)                                                                                      \
    X(state_values)                                                                                \
    X(draws)                                                                                       \
    X(passes)                                                                                      \
    X(pipeline_descs)                                                                              \
    X(vertex_formats)                                                                              \
    X(depth_states)                                                                                \
    X(interfaces)                                                                                  \
    X(shaders)                                                                                     \
    X(mutated_shaders)                                                                             \
    X(shaders_of_bytes)                                                                            \
    X(deep_brackets)                                                                               \
    X(deep_operators)                                                                              \
    X(deep_sums)                                                                                   \
    X(deep_branches)                                                                               \
    X(deep_templates)                                                                              \
    X(deep_indexes)                                                                                \
    X(deep_mixtures)                                                                               \
    X(null_pool)                                                                                   \
    X(null_pointers)                                                                               \
    X(null_recorder)                                                                               \
    X(phases_of_frame)                                                                             \
    X(phases_of_recorder)                                                                          \
    X(lifetimes)                                                                                   \
    X(same_size)                                                                                   \
    X(usages)                                                                                      \
    X(bindings)                                                                                    \
    X(raw)                                                                                         \
    X(own_encoder)                                                                                 \
    X(raw_access)                                                                                  \
    X(uninitialized)

BLOCKS(BLOCK)

int gpu_bad_input_run(void)
{
#define TEST(name) cmocka_unit_test(name),
    const struct CMUnitTest tests[] = { BLOCKS(TEST) };
    return cmocka_run_group_tests_name("bad_input", tests, NULL, NULL);
}
