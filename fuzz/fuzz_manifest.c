/*
 * Fuzz target: bytes as a manifest, and the same with the right head. Of what is accepted, every record
 * must be one that may reach a compiler, and what is written of it must be read as the same again.
 */
#include "base/text.h"
#include "shader/manifest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const gpool__manifest_rules rules = {
    .groups = 4, .bindings = 1000, .buffer_size = (uint64_t)1 << 28, .no_bgra = true
};

static void require(bool good, const char *what)
{
    if (!good) {
        (void)fprintf(stderr, "manifest: %s\n", what);
        abort();
    }
}

static void check_string(const uint8_t *bytes, size_t size, const char *text)
{
    const char *first = (const char *)bytes;
    if (text != NULL) {
        require(text >= first && text < first + size, "a string lies outside");
        require(memchr(text, '\0', (size_t)(first + size - text)) != NULL, "a string has no end");
        require(gpool__is_utf8(text, strlen(text)), "a string is no UTF-8");
    }
}

static void check_pipeline(const gpool__manifest *manifest, uint32_t index)
{
    gpool__manifest_pipeline pipeline;
    gpool__manifest_get_pipeline(manifest, index, &pipeline);
    check_string(manifest->bytes, manifest->size, pipeline.label);
    check_string(manifest->bytes, manifest->size, pipeline.vertex_entry);
    check_string(manifest->bytes, manifest->size, pipeline.fragment_entry);
    require(pipeline.vertex < manifest->module_count, "a module is not there");
    require(pipeline.fragment < manifest->module_count || pipeline.fragment == GPOOL__MANIFEST_NONE,
            "a fragment module is not there");
    require(pipeline.last_run <= manifest->run, "a run is yet to come");
    require(gpool__recipe_is_good(&pipeline.recipe, pipeline.attributes, true),
            "a recipe is not good");
    for (uint32_t i = 0; i < GPOOL_MAX_GROUPS; ++i) {
        require(pipeline.groups[i] < manifest->layout_count ||
                    pipeline.groups[i] == GPOOL__MANIFEST_NONE,
                "a layout is not there");
    }
}

static void check_records(const gpool__manifest *manifest)
{
    for (uint32_t i = 0; i < manifest->module_count; ++i) {
        gpool__manifest_module module;
        gpool__manifest_get_module(manifest, i, &module);
        check_string(manifest->bytes, manifest->size, module.label);
        require(gpool__wgsl_problem(module.text, module.size) == NULL, "a text is not good");
    }
    for (uint32_t i = 0; i < manifest->layout_count; ++i) {
        gpool_layout_entry entries[GPOOL_MAX_BINDINGS];
        uint32_t count = gpool__manifest_get_layout(manifest, i, entries);
        for (uint32_t k = 0; k < count; ++k) {
            require(gpool__manifest_entry_is_good(&entries[k], &rules), "an entry is not good");
        }
    }
    for (uint32_t i = 0; i < manifest->pipeline_count; ++i) {
        check_pipeline(manifest, i);
    }
}

/* What is written of a manifest is one, and what is written of that is the same. */
static void check_writing(gpool__memory *memory, const gpool__manifest *manifest)
{
    uint8_t *bytes[2] = { NULL };
    size_t sizes[2] = { 0 };
    uint32_t capacities[2] = { 0 };
    gpool__manifest again;
    require(gpool__manifest_build(memory, NULL, 0, manifest, manifest->run, &rules, &bytes[0],
                                  &sizes[0], &capacities[0]) == GPOOL_OK,
            "it is not written");
    require(gpool__manifest_init(&again, memory, bytes[0], sizes[0], &rules) == GPOOL_OK,
            "what was written is not read");
    check_records(&again);
    require(again.module_count <= manifest->module_count &&
                again.layout_count <= manifest->layout_count &&
                again.pipeline_count <= manifest->pipeline_count,
            "more is written than was there");
    require(gpool__manifest_build(memory, NULL, 0, &again, manifest->run, &rules, &bytes[1],
                                  &sizes[1], &capacities[1]) == GPOOL_OK,
            "it is not written again");
    require(sizes[0] == sizes[1] && memcmp(bytes[0], bytes[1], sizes[0]) == 0,
            "the same manifest has two forms");
    gpool__manifest_fini(&again, memory);
    gpool__free(memory, bytes[0], capacities[0]);
    gpool__free(memory, bytes[1], capacities[1]);
}

static void check(const uint8_t *bytes, size_t size)
{
    gpool__memory memory;
    gpool__manifest manifest;
    gpool__memory_init(&memory, NULL);
    if (gpool__manifest_init(&manifest, &memory, bytes, size, &rules) == GPOOL_OK) {
        require(memory.bytes <= size, "it takes more memory than it has bytes");
        check_records(&manifest);
        check_writing(&memory, &manifest);
    }
    gpool__manifest_fini(&manifest, &memory);
    require(memory.bytes == 0, "memory is left");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    /* A block of that size only, so that a byte too many is seen. */
    uint8_t *image = calloc(1, size + (size == 0));
    require(image != NULL, "no memory");
    if (size != 0) {
        memcpy(image, bytes, size);
    }
    check(image, size);
    if (size >= 12) {
        memcpy(image, "gpmanif\n\1\0\0\0", 12);
        if (memcmp(image, bytes, 12) != 0) {
            check(image, size);
        }
    }
    free(image);
    return 0;
}
