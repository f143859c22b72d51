/* The scan of real shaders: those of tests/shaders/, against tables written by hand. */
#include "unit/bindings_text.h"
#include "unit/shader_samples.h"
#include "unit/unit.h"

static gpool__memory memory;

static void sample_groups(const shader_sample *sample, gpool__bindings_groups *groups)
{
    size_t size;
    size_t other_size = 0;
    char *text = bindings_read(SHADER_SAMPLES_FOLDER, sample->file, &size);
    char *other = sample->fragment_file != NULL
                      ? bindings_read(SHADER_SAMPLES_FOLDER, sample->fragment_file, &other_size)
                      : NULL;
    gpool__bindings scan;
    gpool__bindings other_scan = { 0 };
    assert_same(gpool__bindings_init(&scan, &memory, text, size), GPOOL_OK);
    if (other != NULL) {
        assert_same(gpool__bindings_init(&other_scan, &memory, other, other_size), GPOOL_OK);
    }
    const bool compute = sample->compute != NULL;
    const gpool__bindings_stage stages[] = {
        { .scan = &scan,
          .entry = compute ? sample->compute : sample->vertex,
          .stage = compute ? WGPUShaderStage_Compute : WGPUShaderStage_Vertex },
        { .scan = other != NULL ? &other_scan : &scan,
          .entry = sample->fragment,
          .stage = WGPUShaderStage_Fragment },
    };
    const WGPULimits limits = bindings_limits();
    gpool__bindings_error error;
    const gpool_result result = gpool__bindings_layouts(
        &memory, stages, compute || sample->colors == 0 ? 1 : 2, &limits, groups, &error);
    if (result != GPOOL_OK) {
        print_error("%s: %s\n", sample->file, error.message);
    }
    assert_same(result, GPOOL_OK);
    gpool__bindings_fini(&scan, &memory);
    gpool__bindings_fini(&other_scan, &memory);
    free(other);
    free(text);
}

static void samples_get_the_layouts_of_the_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(shader_samples); ++i) {
        const shader_sample *sample = &shader_samples[i];
        gpool__bindings_groups groups;
        char text[BINDINGS_TEXT];
        sample_groups(sample, &groups);
        bindings_groups_text(text, &groups);
        if (strcmp(text, sample->layouts) != 0) {
            print_error("%s, pipeline %zu\n", sample->file, i);
        }
        assert_string_equal(text, sample->layouts);
    }
    assert_int_equal(memory.bytes, 0);
}

int main(void)
{
    const gpool_allocator none = { 0 };
    gpool__memory_init(&memory, &none);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_get_the_layouts_of_the_table),
    };
    return cmocka_run_group_tests_name("bindings_samples", tests, NULL, NULL);
}
