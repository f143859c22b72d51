/* Modules, layouts and programs made up by chance, without a pool, for tests of manifests. */
#ifndef GPOOL_TESTS_MANIFEST_SAMPLES_H
#define GPOOL_TESTS_MANIFEST_SAMPLES_H

#include "unit.h"

#include "shader/manifest.h"

#define SAMPLES 12u

typedef struct samples {
    gpool__module *modules[SAMPLES];
    gpool__group_layout *layouts[SAMPLES];
    gpool__program *programs[SAMPLES];
    gpool__manifest_use uses[2 * SAMPLES];
    uint32_t use_count;
} samples;

static const gpool__manifest_rules samples_rules = {
    .groups = 4, .bindings = 1000, .buffer_size = (uint64_t)1 << 30, .no_bgra = true
};

/* One of [first, last]. */
static inline uint32_t samples_from(uint64_t *seed, uint32_t first, uint32_t last)
{
    return first + (uint32_t)unit_random_below(seed, last - first + 1);
}

static inline gpool__module *samples_module(uint64_t *seed, uint32_t number)
{
    char text[160];
    int size =
        snprintf(text, sizeof text, "// %u \xc3\xa4\n@compute @workgroup_size(%u) fn main() {}\n",
                 number, samples_from(seed, 1, 64));
    char label[32];
    int label_size = snprintf(label, sizeof label, "module %u", number) + 1;
    gpool__module *module = calloc(1, sizeof *module + (size_t)(size + label_size));
    assert_non_null(module);
    module->base.key_size = (size_t)size;
    memcpy(module->text, text, (size_t)size);
    memcpy(module->text + size, label, (size_t)label_size);
    return module;
}

static inline void samples_entry(uint64_t *seed, gpool_layout_entry *entry)
{
    static const WGPUTextureFormat formats[] = { WGPUTextureFormat_RGBA8Unorm,
                                                 WGPUTextureFormat_R32Float,
                                                 WGPUTextureFormat_RG32Uint };
    entry->type = (gpool_binding_type)samples_from(seed, 0, GPOOL_BINDING_TYPE_COUNT - 1);
    entry->stages = samples_from(seed, 1, 7);
    if (entry->type <= GPOOL_BINDING_STORAGE_WRITE) {
        entry->dynamic_offset = unit_random_below(seed, 2) != 0;
        entry->min_size = unit_random_below(seed, 4096);
    } else if (entry->type == GPOOL_BINDING_TEXTURE) {
        entry->sample_type = (WGPUTextureSampleType)samples_from(seed, WGPUTextureSampleType_Float,
                                                                 WGPUTextureSampleType_Uint);
        entry->multisampled = unit_random_below(seed, 2) != 0;
    } else if (entry->type == GPOOL_BINDING_STORAGE_TEXTURE) {
        entry->format = formats[unit_random_below(seed, 3)];
        entry->access = (WGPUStorageTextureAccess)samples_from(
            seed, WGPUStorageTextureAccess_WriteOnly, WGPUStorageTextureAccess_ReadWrite);
    }
    if (entry->type == GPOOL_BINDING_TEXTURE || entry->type == GPOOL_BINDING_STORAGE_TEXTURE) {
        entry->dimension = (WGPUTextureViewDimension)samples_from(seed, WGPUTextureViewDimension_1D,
                                                                  WGPUTextureViewDimension_3D);
    }
}

static inline gpool__group_layout *samples_layout(uint64_t *seed)
{
    uint32_t count = samples_from(seed, 0, 5);
    gpool__group_layout *layout = calloc(1, sizeof *layout + count * sizeof *layout->entries);
    assert_non_null(layout);
    layout->entry_count = count;
    for (uint32_t i = 0; i < count; ++i) {
        layout->entries[i].binding = i * 3;
        samples_entry(seed, &layout->entries[i]);
    }
    return layout;
}

static inline void samples_stencil(uint64_t *seed, WGPUStencilFaceState *face)
{
    face->compare = (WGPUCompareFunction)samples_from(seed, 1, WGPUCompareFunction_Always);
    face->failOp = (WGPUStencilOperation)samples_from(seed, 1, WGPUStencilOperation_DecrementWrap);
    face->depthFailOp = WGPUStencilOperation_Keep;
    face->passOp = (WGPUStencilOperation)samples_from(seed, 1, WGPUStencilOperation_DecrementWrap);
}

static inline void samples_blend(uint64_t *seed, WGPUBlendComponent *blend)
{
    blend->operation = (WGPUBlendOperation)samples_from(seed, 0, WGPUBlendOperation_Max);
    blend->srcFactor = (WGPUBlendFactor)samples_from(seed, 0, WGPUBlendFactor_OneMinusSrc1Alpha);
    blend->dstFactor = (WGPUBlendFactor)samples_from(seed, 0, WGPUBlendFactor_OneMinusSrc1Alpha);
}

static inline void samples_targets(uint64_t *seed, gpool__recipe *recipe)
{
    static const WGPUTextureFormat colors[] = { WGPUTextureFormat_Undefined,
                                                WGPUTextureFormat_RGBA8Unorm,
                                                WGPUTextureFormat_BGRA8UnormSrgb,
                                                WGPUTextureFormat_RGBA16Float };
    static const WGPUTextureFormat depths[] = { WGPUTextureFormat_Undefined,
                                                WGPUTextureFormat_Depth32Float,
                                                WGPUTextureFormat_Depth24PlusStencil8,
                                                WGPUTextureFormat_Stencil8 };
    recipe->targets.color_count = samples_from(seed, 0, GPOOL_MAX_COLORS);
    recipe->targets.samples = unit_random_below(seed, 2) != 0 ? 4 : 1;
    recipe->targets.depth = depths[unit_random_below(seed, 4)];
    for (uint32_t i = 0; i < recipe->targets.color_count; ++i) {
        recipe->targets.colors[i] = colors[unit_random_below(seed, 4)];
        if (recipe->targets.colors[i] == 0) {
            continue;
        }
        recipe->write_masks[i] = samples_from(seed, 0, 15);
        if (unit_random_below(seed, 2) != 0) {
            recipe->blends |= 1u << i;
            samples_blend(seed, &recipe->blend[i].color);
            samples_blend(seed, &recipe->blend[i].alpha);
        }
    }
    if (recipe->targets.depth != 0) {
        recipe->depth_write = samples_from(seed, 0, 1);
        recipe->depth_compare = samples_from(seed, 1, WGPUCompareFunction_Always);
        samples_stencil(seed, &recipe->stencil_front);
        samples_stencil(seed, &recipe->stencil_back);
        recipe->stencil_read_mask = (uint32_t)unit_random(seed);
        recipe->stencil_write_mask = (uint32_t)unit_random(seed);
        recipe->bias = -3;
        recipe->bias_slope_scale = 0.5f;
        recipe->bias_clamp = -1.25f;
    }
}

static inline void samples_render(uint64_t *seed, gpool__recipe *recipe,
                                  gpool_attribute *attributes)
{
    samples_targets(seed, recipe);
    recipe->topology = samples_from(seed, 1, WGPUPrimitiveTopology_TriangleStrip);
    if (recipe->topology == WGPUPrimitiveTopology_TriangleStrip) {
        recipe->strip_index_format = samples_from(seed, 0, WGPUIndexFormat_Uint32);
    }
    recipe->front_face = samples_from(seed, 1, WGPUFrontFace_CW);
    recipe->cull_mode = samples_from(seed, 1, WGPUCullMode_Back);
    recipe->alpha_to_coverage = samples_from(seed, 0, 1);
    recipe->slot_count = samples_from(seed, 0, GPOOL_MAX_VERTEX_BUFFERS);
    for (uint32_t slot = 0; slot < recipe->slot_count; ++slot) {
        uint32_t count = samples_from(seed, 1, 3);
        recipe->slots[slot].step = samples_from(seed, 1, WGPUVertexStepMode_Instance);
        recipe->slots[slot].stride = 16 * count;
        recipe->slots[slot].attribute_count = count;
        for (uint32_t i = 0; i < count; ++i) {
            attributes[recipe->attribute_count++] = (gpool_attribute){
                .format = (WGPUVertexFormat)samples_from(seed, 1, WGPUVertexFormat_Float32x4),
                .offset = 16 * i,
                .shader_location = slot * 16 + i,
            };
        }
    }
}

static inline gpool__program *samples_program(uint64_t *seed, const samples *s, uint32_t number)
{
    gpool__recipe recipe;
    gpool_attribute attributes[GPOOL__RECIPE_ATTRIBUTES];
    memset(&recipe, 0, sizeof recipe);
    memset(attributes, 0, sizeof attributes);
    recipe.vertex = s->modules[unit_random_below(seed, SAMPLES)];
    recipe.compute = samples_from(seed, 0, 1);
    recipe.group_count = samples_from(seed, 0, GPOOL_MAX_GROUPS);
    for (uint32_t i = 0; i < recipe.group_count; ++i) {
        bool none = unit_random_below(seed, 4) == 0 && i + 1 != recipe.group_count;
        recipe.groups[i] = none ? NULL : s->layouts[unit_random_below(seed, SAMPLES)];
    }
    const char *names[2] = { unit_random_below(seed, 2) != 0 ? "main" : NULL, NULL };
    if (recipe.compute == 0) {
        samples_render(seed, &recipe, attributes);
        if (unit_random_below(seed, 4) != 0) {
            recipe.fragment = s->modules[unit_random_below(seed, SAMPLES)];
            names[1] = unit_random_below(seed, 2) != 0 ? "fs_\xc3\xa4" : NULL;
        }
    }
    char label[32];
    size_t label_size = (size_t)snprintf(label, sizeof label, "pipeline %u", number) + 1;
    size_t sizes[2] = { names[0] != NULL ? strlen(names[0]) + 1 : 0,
                        names[1] != NULL ? strlen(names[1]) + 1 : 0 };
    recipe.vertex_entry_size = (uint32_t)sizes[0];
    recipe.fragment_entry_size = (uint32_t)sizes[1];
    size_t attribute_bytes = recipe.attribute_count * sizeof *attributes;
    gpool__program *program =
        calloc(1, sizeof *program + attribute_bytes + sizes[0] + sizes[1] + label_size);
    assert_non_null(program);
    char *to = (char *)&program->recipe;
    program->base.key_size = sizeof recipe + attribute_bytes + sizes[0] + sizes[1];
    memcpy(to, &recipe, sizeof recipe);
    memcpy(to + sizeof recipe, attributes, attribute_bytes);
    if (names[0] != NULL) {
        memcpy(to + sizeof recipe + attribute_bytes, names[0], sizes[0]);
    }
    if (names[1] != NULL) {
        memcpy(to + sizeof recipe + attribute_bytes + sizes[0], names[1], sizes[1]);
    }
    memcpy(to + program->base.key_size, label, label_size);
    return program;
}

/* All of them are used, modules first. */
static inline void samples_init(samples *s, uint64_t *seed)
{
    *s = (samples){ .use_count = 0 };
    for (uint32_t i = 0; i < SAMPLES; ++i) {
        s->modules[i] = samples_module(seed, i);
        s->layouts[i] = samples_layout(seed);
    }
    for (uint32_t i = 0; i < SAMPLES; ++i) {
        s->programs[i] = samples_program(seed, s, i);
        s->uses[i] = (gpool__manifest_use){ .module = s->modules[i], .uses = i + 1 };
        s->uses[SAMPLES + i] = (gpool__manifest_use){ .program = s->programs[i], .uses = 100 + i };
    }
    s->use_count = 2 * SAMPLES;
}

static inline void samples_fini(samples *s)
{
    for (uint32_t i = 0; i < SAMPLES; ++i) {
        free(s->modules[i]);
        free(s->layouts[i]);
        free(s->programs[i]);
    }
}

#endif
