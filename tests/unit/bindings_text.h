/*
 * Layouts as text, for tables of what a scan must find: "0.2 texture 2d float V; 1.0 uniform*" is a
 * texture at @group(0) @binding(2) that the vertex stage alone sees, and a uniform buffer with dynamic
 * offset that every stage sees that may.
 */
#ifndef GPOOL_TESTS_BINDINGS_TEXT_H
#define GPOOL_TESTS_BINDINGS_TEXT_H

#include "gpu/format.h"
#include "shader/bindings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BINDINGS_TEXT 4096

/** What WebGPU promises of every device. */
static inline WGPULimits bindings_limits(void)
{
    return (WGPULimits){ .maxBindGroups = 4,
                         .maxBindingsPerBindGroup = 1000,
                         .maxDynamicUniformBuffersPerPipelineLayout = 8,
                         .maxUniformBuffersPerShaderStage = 12,
                         .maxStorageBuffersPerShaderStage = 8,
                         .maxSampledTexturesPerShaderStage = 16,
                         .maxStorageTexturesPerShaderStage = 4,
                         .maxSamplersPerShaderStage = 16 };
}

static inline void bindings_add(char text[BINDINGS_TEXT], const char *more)
{
    const size_t length = strlen(text);
    (void)snprintf(text + length, BINDINGS_TEXT - length, "%s", more);
}

static inline void bindings_add_kind(char text[BINDINGS_TEXT], const gpool_layout_entry *entry)
{
    static const char *const types[] = { " uniform", " read",    " write",     " texture",
                                         " storage", " sampler", " comparison" };
    static const char *const dimensions[] = { "",      " 1d",         " 2d", " 2d_array",
                                              " cube", " cube_array", " 3d" };
    static const char *const samples[] = { "",       "",      " float", " unfilterable",
                                           " depth", " sint", " uint" };
    static const char *const accesses[] = { "", "", " write", " read", " read_write" };
    bindings_add(text, types[entry->type]);
    bindings_add(text, entry->dynamic_offset ? "*" : "");
    bindings_add(text, dimensions[entry->dimension]);
    bindings_add(text, samples[entry->sample_type]);
    bindings_add(text, entry->multisampled ? " ms" : "");
    if (entry->format != 0) {
        bindings_add(text, " ");
        bindings_add(text, gpool__format_name(entry->format));
    }
    bindings_add(text, accesses[entry->access]);
}

/** Stages are told where they are not all that may see the entry. */
static inline void bindings_add_entry(char text[BINDINGS_TEXT], uint32_t group,
                                      const gpool_layout_entry *entry)
{
    char number[32];
    (void)snprintf(number, sizeof number, "%s%u.%u", text[0] != '\0' ? "; " : "", group,
                   entry->binding);
    bindings_add(text, number);
    bindings_add_kind(text, entry);
    const bool written = entry->type == GPOOL_BINDING_STORAGE_WRITE ||
                         (entry->type == GPOOL_BINDING_STORAGE_TEXTURE &&
                          entry->access != WGPUStorageTextureAccess_ReadOnly);
    const WGPUShaderStage most = WGPUShaderStage_Fragment | WGPUShaderStage_Compute |
                                 (written ? WGPUShaderStage_None : WGPUShaderStage_Vertex);
    if (entry->stages != most) {
        bindings_add(text, " ");
        bindings_add(text, (entry->stages & WGPUShaderStage_Vertex) != 0 ? "V" : "");
        bindings_add(text, (entry->stages & WGPUShaderStage_Fragment) != 0 ? "F" : "");
        bindings_add(text, (entry->stages & WGPUShaderStage_Compute) != 0 ? "C" : "");
    }
}

/** All layouts of a pipeline. */
static inline void bindings_groups_text(char text[BINDINGS_TEXT],
                                        const gpool__bindings_groups *groups)
{
    text[0] = '\0';
    for (uint32_t group = 0; group < groups->group_count; ++group) {
        for (uint32_t i = 0; i < groups->counts[group]; ++i) {
            bindings_add_entry(text, group, &groups->entries[group][i]);
        }
    }
}

/** Reads a file of this project; ends the program when it is not there. Freed by the caller. */
static inline char *bindings_read(const char *folder, const char *name, size_t *size)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        (void)fprintf(stderr, "cannot read %s\n", path);
        abort();
    }
    size_t capacity = 1u << 16;
    size_t length = 0;
    char *text = malloc(capacity);
    while (text != NULL && !feof(file) && !ferror(file)) {
        length += fread(text + length, 1, capacity - 1 - length, file);
        if (length == capacity - 1) {
            capacity *= 2;
            text = realloc(text, capacity);
        }
    }
    (void)fclose(file);
    if (text == NULL) {
        abort();
    }
    text[length] = '\0';
    *size = length;
    return text;
}

#endif
