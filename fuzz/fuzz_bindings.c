/*
 * Fuzz target: bytes are scanned as WGSL. What comes out must hang together, be the same again, lie
 * inside the text, and be given back when memory runs out at any point.
 */
#include "base/text.h"
#include "shader/bindings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#define REQUIRE(condition)                                                                         \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            (void)fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);          \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* Entry points whose layouts are made; names compared with all others. */
#define MOST_ENTRIES 8u
#define MOST_NAMES   64u

typedef struct failing {
    uint64_t left; /* calls that still get memory */
} failing;

static void *resize(void *user, void *block, size_t old_size, size_t new_size)
{
    failing *f = user;
    (void)old_size;
    if (new_size == 0) {
        free(block);
        return NULL;
    }
    if (f->left == 0) {
        return NULL;
    }
    f->left -= 1;
    return realloc(block, new_size);
}

static void check_vars(const gpool__bindings *scan)
{
    for (uint32_t i = 0; i < scan->var_count; ++i) {
        const gpool__binding_var *var = &scan->vars[i];
        const gpool__binding_var *last = i > 0 ? &scan->vars[i - 1] : NULL;
        REQUIRE(var->name_size > 0 && var->name_size <= scan->size - var->name_at);
        REQUIRE(last == NULL || last->name_at + last->name_size <= var->name_at);
        REQUIRE(var->line >= (last != NULL ? last->line : 1));
        REQUIRE((unsigned)var->entry.type < GPOOL_BINDING_TYPE_COUNT);
        REQUIRE(var->unclear != NULL ||
                (var->group != GPOOL__NO_NUMBER && var->entry.binding != GPOOL__NO_NUMBER));
        for (uint32_t k = 0; k < i && i < MOST_NAMES; ++k) {
            REQUIRE(scan->vars[k].name_size != var->name_size ||
                    memcmp(scan->source + scan->vars[k].name_at, scan->source + var->name_at,
                           var->name_size) != 0);
        }
    }
}

static void check_functions(const gpool__bindings *scan)
{
    uint32_t uses = 0;
    uint32_t calls = 0;
    for (uint32_t i = 0; i < scan->fn_count; ++i) {
        const gpool__binding_fn *fn = &scan->fns[i];
        REQUIRE(fn->first_use == uses && fn->first_call == calls);
        uses += fn->use_count;
        calls += fn->call_count;
    }
    REQUIRE(uses == scan->use_count && calls == scan->call_count);
    for (uint32_t i = 0; i < scan->use_count; ++i) {
        const gpool__binding_use *use = &scan->uses[i];
        REQUIRE(use->var < scan->var_count);
        REQUIRE(!use->sampled || scan->vars[use->var].entry.type == GPOOL_BINDING_TEXTURE);
        REQUIRE(!use->unfiltered || scan->vars[use->var].entry.type == GPOOL_BINDING_SAMPLER);
    }
    for (uint32_t i = 0; i < scan->call_count; ++i) {
        REQUIRE(scan->calls[i] < scan->fn_count);
    }
    for (uint32_t i = 0; i < scan->entry_count; ++i) {
        const gpool__binding_entry *entry = &scan->entries[i];
        REQUIRE(entry->fn < scan->fn_count);
        REQUIRE(entry->name_size > 0 && entry->name_size <= scan->size - entry->name_at);
        REQUIRE(entry->stage == WGPUShaderStage_Vertex ||
                entry->stage == WGPUShaderStage_Fragment ||
                entry->stage == WGPUShaderStage_Compute);
    }
}

/* Two scans of one text are equal. */
static void check_same(const gpool__bindings *a, const gpool__bindings *b)
{
    REQUIRE(a->var_count == b->var_count && a->entry_count == b->entry_count);
    REQUIRE(a->use_count == b->use_count && a->call_count == b->call_count);
    for (uint32_t i = 0; i < a->var_count; ++i) {
        REQUIRE(memcmp(&a->vars[i].entry, &b->vars[i].entry, sizeof a->vars[i].entry) == 0);
        REQUIRE(a->vars[i].group == b->vars[i].group && a->vars[i].unclear == b->vars[i].unclear);
    }
    for (uint32_t i = 0; i < a->use_count; ++i) {
        REQUIRE(a->uses[i].var == b->uses[i].var && a->uses[i].sampled == b->uses[i].sampled);
        REQUIRE(a->uses[i].unfiltered == b->uses[i].unfiltered);
    }
}

static void check_groups(const gpool__bindings_groups *groups)
{
    uint32_t dynamic = 0;
    REQUIRE(groups->group_count <= GPOOL_MAX_GROUPS);
    for (uint32_t group = 0; group < GPOOL_MAX_GROUPS; ++group) {
        REQUIRE(groups->counts[group] <= GPOOL_MAX_BINDINGS);
        REQUIRE(groups->counts[group] == 0 || group < groups->group_count);
        for (uint32_t i = 0; i < groups->counts[group]; ++i) {
            const gpool_layout_entry *entry = &groups->entries[group][i];
            REQUIRE(i == 0 || entry[-1].binding < entry->binding);
            REQUIRE(entry->stages != 0);
            REQUIRE(entry->type != GPOOL_BINDING_STORAGE_WRITE ||
                    (entry->stages & WGPUShaderStage_Vertex) == 0);
            REQUIRE(entry->type != GPOOL_BINDING_STORAGE_TEXTURE || entry->format != 0);
            REQUIRE(!entry->multisampled || entry->sample_type != WGPUTextureSampleType_Float);
            dynamic += entry->dynamic_offset ? 1 : 0;
        }
    }
    REQUIRE(dynamic <= 8);
    REQUIRE(groups->group_count == 0 || groups->counts[groups->group_count - 1] > 0);
}

static void check_layouts(const gpool__bindings *scan, gpool__memory *memory, uint32_t number)
{
    static const WGPULimits limits = { .maxBindGroups = 4,
                                       .maxBindingsPerBindGroup = 1000,
                                       .maxDynamicUniformBuffersPerPipelineLayout = 8,
                                       .maxUniformBuffersPerShaderStage = 12,
                                       .maxStorageBuffersPerShaderStage = 8,
                                       .maxSampledTexturesPerShaderStage = 16,
                                       .maxStorageTexturesPerShaderStage = 4,
                                       .maxSamplersPerShaderStage = 16 };
    const gpool__binding_entry *entry = &scan->entries[number];
    char name[256];
    const int length = (int)(entry->name_size < 255 ? entry->name_size : 255);
    (void)snprintf(name, sizeof name, "%.*s", length, scan->source + entry->name_at);
    const gpool__bindings_stage stages[] = {
        { .scan = scan, .entry = name, .stage = entry->stage },
        { .scan = scan, .stage = WGPUShaderStage_Fragment },
    };
    gpool__bindings_groups groups;
    gpool__bindings_error error;
    const gpool_result result = gpool__bindings_layouts(
        memory, stages, entry->stage == WGPUShaderStage_Vertex ? 2 : 1, &limits, &groups, &error);
    check_groups(&groups);
    REQUIRE(result == GPOOL_OK || groups.group_count == 0);
    REQUIRE((error.message[0] == '\0') ==
            (result == GPOOL_OK || result == GPOOL_ERROR_OUT_OF_MEMORY));
    REQUIRE(gpool__is_utf8(error.message, strlen(error.message)));
    REQUIRE(error.at <= scan->size && error.stage < 2);
}

/* Scans with so many calls that get memory; returns how many were made. */
static uint64_t run(const char *text, size_t size, uint64_t calls, gpool__bindings *keep)
{
    failing f = { .left = calls };
    const gpool_allocator hooks = { .resize = resize, .user = &f };
    gpool__memory memory;
    gpool__memory_init(&memory, &hooks);
    gpool__bindings scan;
    const gpool_result result = gpool__bindings_init(&scan, &memory, text, size);
    REQUIRE(result == GPOOL_OK || (result == GPOOL_ERROR_OUT_OF_MEMORY && f.left == 0));
    REQUIRE(result == GPOOL_OK || memory.bytes == 0);
    check_vars(&scan);
    check_functions(&scan);
    for (uint32_t i = 0; i < scan.entry_count && i < MOST_ENTRIES; ++i) {
        check_layouts(&scan, &memory, i);
    }
    if (keep != NULL) {
        *keep = scan;
        return memory.allocations;
    }
    gpool__bindings_fini(&scan, &memory);
    REQUIRE(memory.bytes == 0);
    return memory.allocations;
}

static void drop(gpool__bindings *scan)
{
    failing f = { 0 };
    const gpool_allocator hooks = { .resize = resize, .user = &f };
    gpool__memory memory;
    gpool__memory_init(&memory, &hooks);
    gpool__bindings_fini(scan, &memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char *text = malloc(size > 0 ? size : 1);
    REQUIRE(text != NULL);
    if (size > 0) {
        memcpy(text, bytes, size);
    }
    gpool__bindings first;
    gpool__bindings second;
    const uint64_t calls = run(text, size, UINT64_MAX, &first);
    REQUIRE(run(text, size, UINT64_MAX, &second) == calls);
    check_same(&first, &second);
    drop(&first);
    drop(&second);
    if (calls > 0) {
        (void)run(text, size, (bytes[size / 2] + size) % calls, NULL);
    }
    free(text);
    return 0;
}
