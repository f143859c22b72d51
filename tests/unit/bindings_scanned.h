/*
 * What the tests of the binding scan share: scans of exactly sized blocks, and expectations of their
 * layouts and errors.
 */
#ifndef GPOOL_TESTS_BINDINGS_SCANNED_H
#define GPOOL_TESTS_BINDINGS_SCANNED_H

#include "unit/bindings_text.h"
#include "unit/unit.h"

static gpool__memory memory;

static inline void scan_begin(void)
{
    const gpool_allocator none = { 0 };
    gpool__memory_init(&memory, &none);
}

typedef struct scanned {
    char *block; /* exactly as large as the source, so that reading past it is noticed */
    gpool__bindings scan;
} scanned;

static inline scanned scan_of(const char *text)
{
    scanned s;
    const size_t size = strlen(text);
    s.block = malloc(size > 0 ? size : 1);
    assert_non_null(s.block);
    memcpy(s.block, text, size);
    assert_same(gpool__bindings_init(&s.scan, &memory, s.block, size), GPOOL_OK);
    return s;
}

static inline void scan_end(scanned *s)
{
    gpool__bindings_fini(&s->scan, &memory);
    free(s->block);
}

/* Result of the layouts of a compute entry point, or of a vertex and a fragment one. */
static inline gpool_result layouts_of(const gpool__bindings *scan, const char *compute,
                                      gpool__bindings_groups *groups, gpool__bindings_error *error)
{
    const gpool__bindings_stage stages[] = {
        { .scan = scan,
          .entry = compute,
          .stage = compute != NULL ? WGPUShaderStage_Compute : WGPUShaderStage_Vertex },
        { .scan = scan, .stage = WGPUShaderStage_Fragment },
    };
    const WGPULimits limits = bindings_limits();
    return gpool__bindings_layouts(&memory, stages, compute != NULL ? 1 : 2, &limits, groups,
                                   error);
}

/* Expects these layouts of the compute entry point `main`. */
static inline void expect_layouts(const char *source, const char *wanted)
{
    scanned s = scan_of(source);
    gpool__bindings_groups groups;
    gpool__bindings_error error;
    char text[BINDINGS_TEXT];
    const gpool_result result = layouts_of(&s.scan, "main", &groups, &error);
    bindings_groups_text(text, &groups);
    if (result != GPOOL_OK || strcmp(text, wanted) != 0) {
        print_error("source: %s\nmessage: %s\n", source, error.message);
    }
    assert_same(result, GPOOL_OK);
    assert_string_equal(text, wanted);
    scan_end(&s);
}

/* Expects the result and the name in the message, for `main` or for both stages of a picture. */
static inline void expect_error(const char *source, const char *compute, gpool_result wanted,
                                const char *at)
{
    scanned s = scan_of(source);
    gpool__bindings_groups groups;
    gpool__bindings_error error;
    const gpool_result result = layouts_of(&s.scan, compute, &groups, &error);
    const bool placed =
        at == NULL ? error.at == 0 : error.at == (uint32_t)(strstr(source, at) - source);
    if (result != wanted || !placed) {
        print_error("source: %s\nmessage: %s at %u\n", source, error.message, error.at);
    }
    assert_same(result, wanted);
    assert_true(placed);
    assert_true(error.message[0] != '\0');
    assert_int_equal(groups.group_count, 0);
    scan_end(&s);
}

/* A compute shader that declares and then uses. */
#define MAIN(declarations, body)                                                                   \
    declarations "\n@compute @workgroup_size(1) fn main() { " body " }\n"

#endif
