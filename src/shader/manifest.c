/*
 * Manifests: the fields of a record, and the reader.
 */
#include "shader/manifest.h"

#include "base/text.h"
#include "gpu/format.h"

#include <string.h>

/* Least bytes of each kind of record: no count can ask for more than the bytes have room for. */
#define MANIFEST_MODULE   17u
#define MANIFEST_LAYOUT   4u
#define MANIFEST_PIPELINE 37u

/* --- fields --- */

void gpool__manifest_write(gpool__manifest_io *io, const void *bytes, size_t size)
{
    void *to = io->to;
    if (!io->good || size == 0) {
        return;
    }
    io->good = size < UINT32_MAX - io->at &&
               gpool__reserve(io->memory, &to, &io->capacity, (uint32_t)(io->at + size), 1);
    io->to = to;
    if (io->good) {
        memcpy(io->to + io->at, bytes, size);
        io->at += size;
    }
}

void gpool__manifest_number(gpool__manifest_io *io, uint32_t *value)
{
    if (io->from == NULL) {
        const uint8_t bytes[4] = { (uint8_t)*value, (uint8_t)(*value >> 8), (uint8_t)(*value >> 16),
                                   (uint8_t)(*value >> 24) };
        gpool__manifest_write(io, bytes, sizeof bytes);
        return;
    }
    io->good = io->good && io->size - io->at >= 4;
    *value = 0;
    if (io->good) {
        const uint8_t *bytes = io->from + io->at;
        *value = (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
                 (uint32_t)bytes[3] << 24;
        io->at += 4;
    }
}

/* A number that bounds a loop or an array. */
static void manifest_count(gpool__manifest_io *io, uint32_t *value, uint32_t most)
{
    gpool__manifest_number(io, value);
    if (*value > most) {
        io->good = false;
        *value = 0;
    }
}

/* Enumerations have the size of a number; floats are their bits. */
#define MANIFEST_FIELD(io, field)                                                                  \
    do {                                                                                           \
        uint32_t manifest_value;                                                                   \
        _Static_assert(sizeof(field) == sizeof manifest_value, "it is no field of 32 bits");       \
        memcpy(&manifest_value, &(field), sizeof manifest_value);                                  \
        gpool__manifest_number(io, &manifest_value);                                               \
        memcpy(&(field), &manifest_value, sizeof manifest_value);                                  \
    } while (0)

static void manifest_flag(gpool__manifest_io *io, bool *flag)
{
    uint32_t value = *flag;
    manifest_count(io, &value, 1);
    *flag = value != 0;
}

static void manifest_wide(gpool__manifest_io *io, uint64_t *value)
{
    uint32_t low = (uint32_t)*value;
    uint32_t high = (uint32_t)(*value >> 32);
    gpool__manifest_number(io, &low);
    gpool__manifest_number(io, &high);
    *value = (uint64_t)high << 32 | low;
}

void gpool__manifest_entry(gpool__manifest_io *io, gpool_layout_entry *entry)
{
    MANIFEST_FIELD(io, entry->binding);
    MANIFEST_FIELD(io, entry->type);
    manifest_wide(io, &entry->stages);
    manifest_flag(io, &entry->dynamic_offset);
    manifest_wide(io, &entry->min_size);
    MANIFEST_FIELD(io, entry->sample_type);
    MANIFEST_FIELD(io, entry->dimension);
    manifest_flag(io, &entry->multisampled);
    MANIFEST_FIELD(io, entry->format);
    MANIFEST_FIELD(io, entry->access);
}

static void manifest_blend(gpool__manifest_io *io, WGPUBlendComponent *blend)
{
    MANIFEST_FIELD(io, blend->operation);
    MANIFEST_FIELD(io, blend->srcFactor);
    MANIFEST_FIELD(io, blend->dstFactor);
}

static void manifest_stencil(gpool__manifest_io *io, WGPUStencilFaceState *face)
{
    MANIFEST_FIELD(io, face->compare);
    MANIFEST_FIELD(io, face->failOp);
    MANIFEST_FIELD(io, face->depthFailOp);
    MANIFEST_FIELD(io, face->passOp);
}

static void manifest_targets(gpool__manifest_io *io, gpool__recipe *recipe)
{
    manifest_count(io, &recipe->targets.color_count, GPOOL_MAX_COLORS);
    MANIFEST_FIELD(io, recipe->blends);
    for (uint32_t i = 0; i < recipe->targets.color_count; ++i) {
        MANIFEST_FIELD(io, recipe->targets.colors[i]);
        MANIFEST_FIELD(io, recipe->write_masks[i]);
        if ((recipe->blends >> i & 1u) != 0) {
            manifest_blend(io, &recipe->blend[i].color);
            manifest_blend(io, &recipe->blend[i].alpha);
        }
    }
    MANIFEST_FIELD(io, recipe->targets.samples);
    MANIFEST_FIELD(io, recipe->targets.depth);
    if (recipe->targets.depth == 0) {
        return;
    }
    MANIFEST_FIELD(io, recipe->depth_write);
    MANIFEST_FIELD(io, recipe->depth_compare);
    manifest_stencil(io, &recipe->stencil_front);
    manifest_stencil(io, &recipe->stencil_back);
    MANIFEST_FIELD(io, recipe->stencil_read_mask);
    MANIFEST_FIELD(io, recipe->stencil_write_mask);
    MANIFEST_FIELD(io, recipe->bias);
    MANIFEST_FIELD(io, recipe->bias_slope_scale);
    MANIFEST_FIELD(io, recipe->bias_clamp);
}

void gpool__manifest_recipe(gpool__manifest_io *io, gpool__recipe *recipe,
                            gpool_attribute attributes[GPOOL__RECIPE_ATTRIBUTES])
{
    manifest_count(io, &recipe->compute, 1);
    if (recipe->compute != 0) {
        return;
    }
    manifest_targets(io, recipe);
    MANIFEST_FIELD(io, recipe->topology);
    MANIFEST_FIELD(io, recipe->strip_index_format);
    MANIFEST_FIELD(io, recipe->front_face);
    MANIFEST_FIELD(io, recipe->cull_mode);
    MANIFEST_FIELD(io, recipe->alpha_to_coverage);
    manifest_count(io, &recipe->slot_count, GPOOL_MAX_VERTEX_BUFFERS);
    uint32_t used = 0;
    for (uint32_t slot = 0; slot < recipe->slot_count; ++slot) {
        gpool__recipe_slot *each = &recipe->slots[slot];
        MANIFEST_FIELD(io, each->stride);
        MANIFEST_FIELD(io, each->step);
        manifest_count(io, &each->attribute_count, GPOOL_MAX_ATTRIBUTES);
        for (uint32_t i = 0; i < each->attribute_count; ++i, ++used) {
            MANIFEST_FIELD(io, attributes[used].format);
            MANIFEST_FIELD(io, attributes[used].offset);
            MANIFEST_FIELD(io, attributes[used].shader_location);
        }
    }
    recipe->attribute_count = used;
}

/* --- checks --- */

static bool manifest_is_one_of(unsigned value, unsigned first, unsigned last)
{
    return value >= first && value <= last;
}

bool gpool__manifest_entry_is_good(const gpool_layout_entry *entry,
                                   const gpool__manifest_rules *rules)
{
    const WGPUShaderStage all =
        WGPUShaderStage_Vertex | WGPUShaderStage_Fragment | WGPUShaderStage_Compute;
    const bool buffer = entry->type <= GPOOL_BINDING_STORAGE_WRITE;
    const bool texture = entry->type == GPOOL_BINDING_TEXTURE;
    const bool storage = entry->type == GPOOL_BINDING_STORAGE_TEXTURE;
    if ((unsigned)entry->type >= GPOOL_BINDING_TYPE_COUNT || entry->binding >= rules->bindings ||
        entry->stages == 0 || (entry->stages & ~all) != 0 || entry->min_size > rules->buffer_size) {
        return false;
    }
    /* What its type has, and nothing else: as layouts resolve it. */
    return (buffer || (!entry->dynamic_offset && entry->min_size == 0)) &&
           (texture ? manifest_is_one_of((unsigned)entry->sample_type, WGPUTextureSampleType_Float,
                                         WGPUTextureSampleType_Uint)
                    : entry->sample_type == 0 && !entry->multisampled) &&
           (storage ? gpool__format_facts(entry->format).block_width != 0 &&
                          manifest_is_one_of((unsigned)entry->access,
                                             WGPUStorageTextureAccess_WriteOnly,
                                             WGPUStorageTextureAccess_ReadWrite)
                    : entry->format == 0 && entry->access == 0) &&
           (texture || storage
                ? manifest_is_one_of((unsigned)entry->dimension, WGPUTextureViewDimension_1D,
                                     WGPUTextureViewDimension_3D)
                : entry->dimension == 0);
}

/* A string of so many bytes with its zero byte; NULL and no longer good when it is none. */
static const char *manifest_string(gpool__manifest_io *io, uint32_t size)
{
    if (!io->good || size == 0 || size > io->size - io->at) {
        io->good = false;
        return NULL;
    }
    const char *text = (const char *)io->from + io->at;
    io->at += size;
    io->good = memchr(text, '\0', size) == text + size - 1 && gpool__is_utf8(text, size - 1);
    return io->good ? text : NULL;
}

/* A label goes to logs: it is as gpool__clean() leaves it. */
static const char *manifest_label(gpool__manifest_io *io, uint32_t size)
{
    const char *label = manifest_string(io, size);
    char clean[GPOOL__MANIFEST_LABEL];
    if (label == NULL || size > sizeof clean ||
        strcmp(gpool__clean(clean, sizeof clean, label, size), label) != 0) {
        io->good = false;
        return "";
    }
    return label;
}

/* --- records --- */

static void manifest_read_module(gpool__manifest_io *io, gpool__manifest_module *module)
{
    uint32_t label_size = 0;
    uint32_t size = 0;
    *module = (gpool__manifest_module){ .last_run = 0 };
    MANIFEST_FIELD(io, module->last_run);
    MANIFEST_FIELD(io, module->uses);
    gpool__manifest_number(io, &label_size);
    gpool__manifest_number(io, &size);
    module->label = manifest_label(io, label_size);
    io->good = io->good && size <= io->size - io->at;
    module->text = (const char *)io->from + io->at;
    module->size = io->good ? size : 0;
    io->at += module->size;
}

static uint32_t manifest_read_layout(gpool__manifest_io *io,
                                     gpool_layout_entry entries[GPOOL_MAX_BINDINGS])
{
    uint32_t count = 0;
    manifest_count(io, &count, GPOOL_MAX_BINDINGS);
    memset(entries, 0, count * sizeof *entries);
    for (uint32_t i = 0; i < count; ++i) {
        gpool__manifest_entry(io, &entries[i]);
    }
    return count;
}

static void manifest_read_pipeline(gpool__manifest_io *io, gpool__manifest_pipeline *pipeline)
{
    memset(pipeline, 0, sizeof *pipeline);
    MANIFEST_FIELD(io, pipeline->last_run);
    MANIFEST_FIELD(io, pipeline->uses);
    MANIFEST_FIELD(io, pipeline->vertex);
    MANIFEST_FIELD(io, pipeline->fragment);
    pipeline->fragment -= 1; /* 0 is NONE */
    manifest_count(io, &pipeline->recipe.group_count, GPOOL_MAX_GROUPS);
    for (uint32_t i = 0; i < GPOOL_MAX_GROUPS; ++i) {
        if (i < pipeline->recipe.group_count) {
            MANIFEST_FIELD(io, pipeline->groups[i]);
        }
        pipeline->groups[i] -= 1;
    }
    uint32_t sizes[3] = { 0 };
    gpool__manifest_number(io, &sizes[0]);
    pipeline->label = manifest_label(io, sizes[0]);
    gpool__manifest_recipe(io, &pipeline->recipe, pipeline->attributes);
    gpool__manifest_number(io, &sizes[1]);
    gpool__manifest_number(io, &sizes[2]);
    pipeline->vertex_entry = sizes[1] != 0 ? manifest_string(io, sizes[1]) : NULL;
    pipeline->fragment_entry = sizes[2] != 0 ? manifest_string(io, sizes[2]) : NULL;
}

/* --- the reader --- */

static bool manifest_module_is_good(const gpool__manifest *manifest, gpool__manifest_io *io)
{
    gpool__manifest_module module;
    manifest_read_module(io, &module);
    return io->good && module.last_run <= manifest->run &&
           gpool__wgsl_problem(module.text, module.size) == NULL;
}

static bool manifest_layout_is_good(gpool__manifest_io *io, const gpool__manifest_rules *rules)
{
    gpool_layout_entry entries[GPOOL_MAX_BINDINGS];
    uint32_t count = manifest_read_layout(io, entries);
    bool good = io->good;
    for (uint32_t i = 0; i < count && good; ++i) {
        good = gpool__manifest_entry_is_good(&entries[i], rules) &&
               (i == 0 || entries[i].binding > entries[i - 1].binding);
    }
    return good;
}

static bool manifest_pipeline_is_good(const gpool__manifest *manifest, gpool__manifest_io *io,
                                      const gpool__manifest_rules *rules)
{
    gpool__manifest_pipeline pipeline;
    manifest_read_pipeline(io, &pipeline);
    const gpool__recipe *recipe = &pipeline.recipe;
    bool none = pipeline.fragment == GPOOL__MANIFEST_NONE;
    if (!io->good || pipeline.last_run > manifest->run ||
        pipeline.vertex >= manifest->module_count ||
        (!none && (pipeline.fragment >= manifest->module_count || recipe->compute != 0)) ||
        (none && pipeline.fragment_entry != NULL) || recipe->group_count > rules->groups) {
        return false;
    }
    for (uint32_t i = 0; i < recipe->group_count; ++i) {
        bool last = i + 1 == recipe->group_count;
        if (pipeline.groups[i] >= manifest->layout_count &&
            (pipeline.groups[i] != GPOOL__MANIFEST_NONE || last)) {
            return false;
        }
    }
    return gpool__recipe_is_good(recipe, pipeline.attributes, rules->no_bgra);
}

/* Reads all records; false when one is not good. */
static bool manifest_read(gpool__manifest *manifest, gpool__manifest_io *io,
                          const gpool__manifest_rules *rules)
{
    uint32_t *place = manifest->places;
    bool good = true;
    for (uint32_t i = 0; i < manifest->module_count && good; ++i) {
        *place++ = (uint32_t)io->at;
        good = manifest_module_is_good(manifest, io);
    }
    for (uint32_t i = 0; i < manifest->layout_count && good; ++i) {
        *place++ = (uint32_t)io->at;
        good = manifest_layout_is_good(io, rules);
    }
    for (uint32_t i = 0; i < manifest->pipeline_count && good; ++i) {
        *place++ = (uint32_t)io->at;
        good = manifest_pipeline_is_good(manifest, io, rules);
    }
    return good && io->at == io->size;
}

static size_t manifest_places(const gpool__manifest *manifest)
{
    size_t count =
        (size_t)manifest->module_count + manifest->layout_count + manifest->pipeline_count;
    return count * sizeof *manifest->places;
}

gpool_result gpool__manifest_init(gpool__manifest *manifest, gpool__memory *memory,
                                  const void *bytes, size_t size,
                                  const gpool__manifest_rules *rules)
{
    uint32_t version = 0;
    *manifest = (gpool__manifest){ .bytes = bytes, .size = size };
    gpool__manifest_io io = { .from = bytes, .size = size, .good = true };
    bool good =
        size >= 8 && size <= GPOOL__MANIFEST_BYTES && memcmp(bytes, GPOOL__MANIFEST_MAGIC, 8) == 0;
    if (good) {
        io.at = 8;
        gpool__manifest_number(&io, &version);
        gpool__manifest_number(&io, &manifest->run);
        manifest_count(&io, &manifest->module_count, GPOOL__MANIFEST_COUNT);
        manifest_count(&io, &manifest->layout_count, GPOOL__MANIFEST_LAYOUTS);
        manifest_count(&io, &manifest->pipeline_count, GPOOL__MANIFEST_COUNT);
        good = io.good && version == GPOOL__MANIFEST_VERSION &&
               (uint64_t)manifest->module_count * MANIFEST_MODULE +
                       (uint64_t)manifest->layout_count * MANIFEST_LAYOUT +
                       (uint64_t)manifest->pipeline_count * MANIFEST_PIPELINE <=
                   size - io.at;
    }
    if (!good) {
        *manifest = (gpool__manifest){ 0 };
        return GPOOL_NOT_FOUND;
    }
    size_t places = manifest_places(manifest);
    manifest->places = gpool__alloc(memory, places);
    if (manifest->places == NULL && places != 0) {
        *manifest = (gpool__manifest){ 0 };
        return GPOOL_ERROR_OUT_OF_MEMORY;
    }
    if (!manifest_read(manifest, &io, rules)) {
        gpool__manifest_fini(manifest, memory);
        return GPOOL_NOT_FOUND;
    }
    return GPOOL_OK;
}

void gpool__manifest_fini(gpool__manifest *manifest, gpool__memory *memory)
{
    gpool__free(memory, manifest->places, manifest_places(manifest));
    *manifest = (gpool__manifest){ 0 };
}

void gpool__manifest_counts(const uint8_t *bytes, uint32_t *modules, uint32_t *pipelines)
{
    uint32_t layouts = 0;
    gpool__manifest_io io = { .from = bytes, .at = 16, .size = 28, .good = true };
    gpool__manifest_number(&io, modules);
    gpool__manifest_number(&io, &layouts);
    gpool__manifest_number(&io, pipelines);
}

static gpool__manifest_io manifest_at(const gpool__manifest *manifest, uint32_t record)
{
    return (gpool__manifest_io){ .from = manifest->bytes,
                                 .at = manifest->places[record],
                                 .size = manifest->size,
                                 .good = true };
}

void gpool__manifest_get_module(const gpool__manifest *manifest, uint32_t index,
                                gpool__manifest_module *module)
{
    gpool__manifest_io io = manifest_at(manifest, index);
    manifest_read_module(&io, module);
}

uint32_t gpool__manifest_get_layout(const gpool__manifest *manifest, uint32_t index,
                                    gpool_layout_entry entries[GPOOL_MAX_BINDINGS])
{
    gpool__manifest_io io = manifest_at(manifest, manifest->module_count + index);
    return manifest_read_layout(&io, entries);
}

void gpool__manifest_get_pipeline(const gpool__manifest *manifest, uint32_t index,
                                  gpool__manifest_pipeline *pipeline)
{
    gpool__manifest_io io =
        manifest_at(manifest, manifest->module_count + manifest->layout_count + index);
    manifest_read_pipeline(&io, pipeline);
}
