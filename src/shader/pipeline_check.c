/*
 * Checks of pipeline descriptors, and of recipes that come from a manifest. Unknown enumeration values
 * end the process inside wgpu-native, so each one is looked at before the call.
 */
#include "shader/shader_state.h"

#include "base/text.h"
#include "gpu/format.h"

#include <string.h>

uint32_t gpool__vertex_format_bytes(WGPUVertexFormat format)
{
    static const uint8_t bytes[] = {
        0,                                        /* none */
        1, 2, 4,  1,  2, 4, 1,  2,  4, 1, 2,  4,  /* 8 bits: Uint, Sint, Unorm, Snorm, x1 x2 x4 */
        2, 4, 8,  2,  4, 8, 2,  4,  8, 2, 4,  8,  /* 16 bits: Uint, Sint, Unorm, Snorm */
        2, 4, 8,                                  /* Float16 */
        4, 8, 12, 16, 4, 8, 12, 16, 4, 8, 12, 16, /* 32 bits: Float, Uint, Sint, x1 to x4 */
        4, 4,                                     /* Unorm10_10_10_2, Unorm8x4BGRA */
    };
    return (unsigned)format < sizeof bytes ? bytes[(unsigned)format] : 0;
}

static bool check_blend(const WGPUBlendComponent *blend)
{
    return gpool__is_enum((unsigned)blend->operation, WGPUBlendOperation_Max, true) &&
           gpool__is_enum((unsigned)blend->srcFactor, WGPUBlendFactor_OneMinusSrc1Alpha, true) &&
           gpool__is_enum((unsigned)blend->dstFactor, WGPUBlendFactor_OneMinusSrc1Alpha, true);
}

static bool check_stencil(const WGPUStencilFaceState *face)
{
    const unsigned last = WGPUStencilOperation_DecrementWrap;
    return gpool__is_enum((unsigned)face->compare, WGPUCompareFunction_Always, true) &&
           gpool__is_enum((unsigned)face->failOp, last, true) &&
           gpool__is_enum((unsigned)face->depthFailOp, last, true) &&
           gpool__is_enum((unsigned)face->passOp, last, true);
}

static bool check_color_format(WGPUTextureFormat format)
{
    gpool__format facts = gpool__format_facts(format);
    return facts.block_width == 1 && !facts.depth && !facts.stencil;
}

/* Only strips have an index format of their own. */
static bool check_strip(unsigned topology, unsigned index_format)
{
    return index_format == 0 || topology == WGPUPrimitiveTopology_LineStrip ||
           topology == WGPUPrimitiveTopology_TriangleStrip;
}

static bool check_targets(const gpool_render_pipeline_desc *desc)
{
    for (int i = 0; i < GPOOL_MAX_COLORS; ++i) {
        const gpool_color_target *color = &desc->colors[i];
        if ((color->format != 0 && !check_color_format(color->format)) ||
            (unsigned)color->blend >= GPOOL_BLEND_COUNT ||
            (color->write_mask & ~WGPUColorWriteMask_All) != 0 ||
            (color->blend_state != NULL && (!check_blend(&color->blend_state->color) ||
                                            !check_blend(&color->blend_state->alpha)))) {
            return false;
        }
    }
    const gpool_depth_state *depth = &desc->depth;
    gpool__format facts = gpool__format_facts(depth->format);
    return (depth->format == 0 || facts.depth || facts.stencil) &&
           gpool__is_enum((unsigned)depth->compare, WGPUCompareFunction_Always, true) &&
           check_stencil(&depth->stencil_front) && check_stencil(&depth->stencil_back);
}

static bool check_primitive(const gpool_render_pipeline_desc *desc)
{
    return gpool__is_enum((unsigned)desc->topology, WGPUPrimitiveTopology_TriangleStrip, true) &&
           gpool__is_enum((unsigned)desc->strip_index_format, WGPUIndexFormat_Uint32, true) &&
           gpool__is_enum((unsigned)desc->front_face, WGPUFrontFace_CW, true) &&
           gpool__is_enum((unsigned)desc->cull_mode, WGPUCullMode_Back, true) &&
           check_strip((unsigned)desc->topology, (unsigned)desc->strip_index_format);
}

static gpool_result check_attributes(gpool *pool, const gpool_vertex_layout *layout, int slot,
                                     const char *label)
{
    for (int i = 0; i < GPOOL_MAX_ATTRIBUTES && layout->attributes[i].format != 0; ++i) {
        const gpool_attribute *attribute = &layout->attributes[i];
        uint32_t bytes = gpool__vertex_format_bytes(attribute->format);
        uint32_t most = layout->stride != 0 ? layout->stride : UINT32_MAX;
        if (bytes == 0 || !gpool__range_inside(attribute->offset, bytes, most)) {
            return GPOOL__FAIL(
                pool, ARGUMENT_VALUE, INVALID_ARGUMENT,
                "Attribute [%d] of vertex slot [%d] of pipeline \"%s\" has an unknown "
                "format, or format [%d] at offset [%u] is over the stride [%u]",
                i, slot, label, (int)attribute->format, attribute->offset, most);
        }
    }
    return GPOOL_OK;
}

static gpool_result check_vertices(gpool *pool, const gpool_render_pipeline_desc *desc,
                                   const char *label)
{
    bool ended = false;
    gpool_result result = GPOOL_OK;
    for (int slot = 0; slot < GPOOL_MAX_VERTEX_BUFFERS && result == GPOOL_OK; ++slot) {
        const gpool_vertex_layout *layout = &desc->vertex_buffers[slot];
        /* wgpu-native knows no slots left out, so nobody may leave one out. */
        bool used = layout->attributes[0].format != 0;
        if (!gpool__is_enum((unsigned)layout->step, WGPUVertexStepMode_Instance, true) ||
            layout->stride % 4 != 0 || (used && ended)) {
            return GPOOL__FAIL(pool, ARGUMENT_VALUE, INVALID_ARGUMENT,
                               "Vertex slot [%d] of pipeline \"%s\" comes after a gap, or its step "
                               "[%d] is unknown or its stride [%u] no multiple of 4",
                               slot, label, (int)layout->step, layout->stride);
        }
        ended = !used;
        result = check_attributes(pool, layout, slot, label);
    }
    return result;
}

/* wgpu-native knows all vertex formats of webgpu.h but this one, and ends the process on it. */
static bool check_has_bgra(const gpool_render_pipeline_desc *desc)
{
    for (int slot = 0; slot < GPOOL_MAX_VERTEX_BUFFERS; ++slot) {
        const gpool_attribute *attributes = desc->vertex_buffers[slot].attributes;
        for (int i = 0; i < GPOOL_MAX_ATTRIBUTES && attributes[i].format != 0; ++i) {
            if (attributes[i].format == WGPUVertexFormat_Unorm8x4BGRA) {
                return true;
            }
        }
    }
    return false;
}

bool gpool__pipeline_check_entry(const char *entry)
{
    return entry == NULL || gpool__is_utf8(entry, strlen(entry));
}

gpool_result gpool__pipeline_check_desc(gpool *pool, const gpool_render_pipeline_desc *desc)
{
    const char *label = desc->label != NULL ? desc->label : "";
    const char *wrong = !check_primitive(desc) ? "primitive state"
                        : !check_targets(desc) ? "color target or depth state"
                                               : NULL;
    if (wrong != NULL) {
        return GPOOL__FAIL(pool, ARGUMENT_VALUE, INVALID_ARGUMENT,
                           "The [%s] of pipeline \"%s\" has an unknown or impossible value", wrong,
                           label);
    }
    if (desc->samples != 0 && desc->samples != 1 && desc->samples != 4) {
        return GPOOL__FAIL(pool, ARGUMENT_VALUE, INVALID_ARGUMENT,
                           "The sample count [%u] of pipeline \"%s\" is neither 1 nor 4",
                           desc->samples, label);
    }
    gpool_result result = check_vertices(pool, desc, label);
    if (result != GPOOL_OK) {
        return result;
    }
    if (pool->device->info.implementation == GPOOL_IMPLEMENTATION_WGPU_NATIVE &&
        check_has_bgra(desc)) {
        return GPOOL__FAIL(
            pool, UNSUPPORTED, UNSUPPORTED,
            "wgpu-native does not know vertex format Unorm8x4BGRA of pipeline \"%s\"", label);
    }
    if (!gpool__pipeline_check_entry(desc->vertex_entry) ||
        !gpool__pipeline_check_entry(desc->fragment_entry)) {
        return GPOOL__FAIL(pool, ARGUMENT_VALUE, INVALID_ARGUMENT,
                           "An entry point name of pipeline \"%s\" is not UTF-8", label);
    }
    return GPOOL_OK;
}

/* --- recipes: no default is left open in them --- */

static bool recipe_blend_is_good(const WGPUBlendState *blend)
{
    return check_blend(&blend->color) && check_blend(&blend->alpha);
}

static bool recipe_stencil_is_good(const WGPUStencilFaceState *face)
{
    return check_stencil(face) && face->compare != 0 && face->failOp != 0 &&
           face->depthFailOp != 0 && face->passOp != 0;
}

static bool recipe_targets_are_good(const gpool__recipe *recipe)
{
    const gpool__targets *targets = &recipe->targets;
    if (targets->color_count > GPOOL_MAX_COLORS || recipe->blends >> targets->color_count != 0 ||
        (targets->samples != 1 && targets->samples != 4)) {
        return false;
    }
    for (uint32_t i = 0; i < targets->color_count; ++i) {
        bool blends = (recipe->blends >> i & 1u) != 0;
        bool good = targets->colors[i] == 0
                        ? !blends && recipe->write_masks[i] == 0
                        : check_color_format(targets->colors[i]) &&
                              (recipe->write_masks[i] & ~(uint32_t)WGPUColorWriteMask_All) == 0 &&
                              (!blends || recipe_blend_is_good(&recipe->blend[i]));
        if (!good) {
            return false;
        }
    }
    if (targets->depth == 0) {
        return true;
    }
    gpool__format facts = gpool__format_facts(targets->depth);
    return (facts.depth || facts.stencil) && recipe->depth_write <= WGPUOptionalBool_True &&
           gpool__is_enum(recipe->depth_compare, WGPUCompareFunction_Always, false) &&
           recipe_stencil_is_good(&recipe->stencil_front) &&
           recipe_stencil_is_good(&recipe->stencil_back);
}

static bool recipe_slots_are_good(const gpool__recipe *recipe, const gpool_attribute *attributes,
                                  bool no_bgra)
{
    uint32_t used = 0;
    if (recipe->slot_count > GPOOL_MAX_VERTEX_BUFFERS) {
        return false;
    }
    for (uint32_t slot = 0; slot < recipe->slot_count; ++slot) {
        const gpool__recipe_slot *each = &recipe->slots[slot];
        if (each->attribute_count == 0 || each->attribute_count > GPOOL_MAX_ATTRIBUTES ||
            each->stride % 4 != 0 ||
            !gpool__is_enum(each->step, WGPUVertexStepMode_Instance, false)) {
            return false;
        }
        for (uint32_t i = 0; i < each->attribute_count; ++i, ++used) {
            const gpool_attribute *attribute = &attributes[used];
            uint32_t bytes = gpool__vertex_format_bytes(attribute->format);
            if (bytes == 0 || !gpool__range_inside(attribute->offset, bytes, each->stride) ||
                (no_bgra && attribute->format == WGPUVertexFormat_Unorm8x4BGRA)) {
                return false;
            }
        }
    }
    return used == recipe->attribute_count;
}

bool gpool__recipe_is_good(const gpool__recipe *recipe, const gpool_attribute *attributes,
                           bool no_bgra)
{
    if (recipe->compute != 0) {
        return recipe->compute == 1;
    }
    return gpool__is_enum(recipe->topology, WGPUPrimitiveTopology_TriangleStrip, false) &&
           gpool__is_enum(recipe->strip_index_format, WGPUIndexFormat_Uint32, true) &&
           gpool__is_enum(recipe->front_face, WGPUFrontFace_CW, false) &&
           gpool__is_enum(recipe->cull_mode, WGPUCullMode_Back, false) &&
           check_strip(recipe->topology, recipe->strip_index_format) &&
           recipe->alpha_to_coverage <= 1 && recipe_targets_are_good(recipe) &&
           recipe_slots_are_good(recipe, attributes, no_bgra);
}
