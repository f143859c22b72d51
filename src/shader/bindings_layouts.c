#include "shader/bindings.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define LAYOUTS_STAGES 3
/* Bytes of a name that a message shows. */
#define LAYOUTS_NAME 64

/* What an entry point does with a variable. */
enum {
    LAYOUTS_USED = 1,
    LAYOUTS_SAMPLED = 2,
    LAYOUTS_UNFILTERED = 4
};

/* An entry of a layout in the making. */
typedef struct layouts_slot {
    gpool_layout_entry entry;
    const gpool__binding_var *var; /* that it came from first */
    uint32_t stage;                /* index of its stage */
    WGPUShaderStage used;          /* stages that use it */
} layouts_slot;

typedef struct layouts_work {
    const gpool__bindings_stage *stages;
    const WGPULimits *limits;
    gpool__bindings_error *error;
    uint32_t counts[GPOOL_MAX_GROUPS];
    layouts_slot slots[GPOOL_MAX_GROUPS][GPOOL_MAX_BINDINGS];
} layouts_work;

/* Kinds of entries that have a limit per stage. */
typedef enum layouts_class {
    LAYOUTS_UNIFORM,
    LAYOUTS_STORAGE,
    LAYOUTS_TEXTURE,
    LAYOUTS_STORAGE_TEXTURE,
    LAYOUTS_SAMPLER,
    LAYOUTS_CLASS_COUNT
} layouts_class;

static const char *const layouts_class_names[] = { "uniform buffers", "storage buffers", "textures",
                                                   "storage textures", "samplers" };

static const char *layouts_stage_name(WGPUShaderStage stage)
{
    return stage == WGPUShaderStage_Vertex     ? "vertex"
           : stage == WGPUShaderStage_Fragment ? "fragment"
                                               : "compute";
}

static void layouts_clean(gpool__bindings_error *error)
{
    (void)gpool__clean(error->message, sizeof error->message, error->message,
                       sizeof error->message);
}

/* Keeps a sentence about a variable, and returns the result. */
static gpool_result layouts_fail(const layouts_work *work, uint32_t stage,
                                 const gpool__binding_var *var, gpool_result result,
                                 const char *why)
{
    const gpool__bindings *scan = work->stages[stage].scan;
    gpool__bindings_error *error = work->error;
    const int size = (int)(var->name_size < LAYOUTS_NAME ? var->name_size : LAYOUTS_NAME);
    (void)snprintf(error->message, sizeof error->message,
                   "Variable \"%.*s\" of line [%u], which the [%s] stage uses: %s", size,
                   scan->source + var->name_at, var->line,
                   layouts_stage_name(work->stages[stage].stage), why);
    layouts_clean(error);
    error->stage = stage;
    error->at = var->name_at;
    return result;
}

/* The same about two variables with one number. */
static gpool_result layouts_clash(const layouts_work *work, const layouts_slot *slot,
                                  uint32_t stage, const gpool__binding_var *var)
{
    const gpool__binding_var *first = slot->var;
    char why[256];
    const int size = (int)(first->name_size < LAYOUTS_NAME ? first->name_size : LAYOUTS_NAME);
    (void)snprintf(why, sizeof why,
                   "\"%.*s\" of line [%u] of the [%s] stage has @group(%u) @binding(%u), too, %s",
                   size, work->stages[slot->stage].scan->source + first->name_at, first->line,
                   layouts_stage_name(work->stages[slot->stage].stage), first->group,
                   first->entry.binding,
                   slot->stage == stage ? "in the same stage" : "with another type");
    return layouts_fail(work, stage, var, GPOOL_ERROR_INVALID_ARGUMENT, why);
}

static bool layouts_is_written(const gpool_layout_entry *entry)
{
    return entry->type == GPOOL_BINDING_STORAGE_WRITE ||
           (entry->type == GPOOL_BINDING_STORAGE_TEXTURE &&
            entry->access != WGPUStorageTextureAccess_ReadOnly);
}

static bool layouts_is_float(const gpool_layout_entry *entry)
{
    return entry->type == GPOOL_BINDING_TEXTURE &&
           (entry->sample_type == WGPUTextureSampleType_Float ||
            entry->sample_type == WGPUTextureSampleType_UnfilterableFloat);
}

/* Gives an entry of another stage what both need; false when there is no such thing. */
static bool layouts_merge(gpool_layout_entry *entry, const gpool_layout_entry *other)
{
    const bool floats = layouts_is_float(entry) && layouts_is_float(other);
    if (floats && other->sample_type == WGPUTextureSampleType_Float) {
        entry->sample_type = WGPUTextureSampleType_Float;
    }
    return entry->type == other->type && entry->dimension == other->dimension &&
           entry->multisampled == other->multisampled && entry->format == other->format &&
           entry->access == other->access && (floats || entry->sample_type == other->sample_type);
}

/* Adds what an entry point uses. */
static gpool_result layouts_add(layouts_work *work, uint32_t stage, const gpool__binding_var *var,
                                unsigned flags)
{
    const WGPUShaderStage bit = work->stages[stage].stage;
    const uint32_t groups = work->limits->maxBindGroups < GPOOL_MAX_GROUPS
                                ? work->limits->maxBindGroups
                                : GPOOL_MAX_GROUPS;
    if (var->unclear != NULL) {
        char why[192];
        (void)snprintf(why, sizeof why, "%s; give the pipeline explicit layouts", var->unclear);
        return layouts_fail(work, stage, var, GPOOL_ERROR_INVALID_ARGUMENT, why);
    }
    if (var->group >= groups) {
        return layouts_fail(work, stage, var, GPOOL_ERROR_LIMIT, "its @group is over the limit");
    }
    if (var->entry.binding >= work->limits->maxBindingsPerBindGroup) {
        return layouts_fail(work, stage, var, GPOOL_ERROR_LIMIT,
                            "its @binding is not below maxBindingsPerBindGroup");
    }
    if (bit == WGPUShaderStage_Vertex && layouts_is_written(&var->entry)) {
        return layouts_fail(work, stage, var, GPOOL_ERROR_INVALID_ARGUMENT,
                            "a vertex stage must not write");
    }
    if ((flags & LAYOUTS_UNFILTERED) != 0) {
        return layouts_fail(work, stage, var, GPOOL_ERROR_UNSUPPORTED,
                            "it reads a depth or integer texture, for which it must not filter");
    }
    gpool_layout_entry entry = var->entry;
    const bool filtered = (flags & LAYOUTS_SAMPLED) != 0 && !entry.multisampled;
    if (filtered && layouts_is_float(&entry)) {
        entry.sample_type = WGPUTextureSampleType_Float;
    }
    uint32_t *count = &work->counts[var->group];
    layouts_slot *slots = work->slots[var->group];
    uint32_t place = 0;
    while (place < *count && slots[place].entry.binding < entry.binding) {
        place += 1;
    }
    layouts_slot *slot = &slots[place];
    if (place < *count && slot->entry.binding == entry.binding) {
        if (slot->used == bit || !layouts_merge(&slot->entry, &entry)) {
            return layouts_clash(work, slot, stage, var);
        }
        slot->used |= bit;
        return GPOOL_OK;
    }
    if (*count == GPOOL_MAX_BINDINGS) {
        return layouts_fail(work, stage, var, GPOOL_ERROR_LIMIT,
                            "its group has more bindings than GPOOL_MAX_BINDINGS");
    }
    memmove(slot + 1, slot, (*count - place) * sizeof *slot);
    *slot = (layouts_slot){ .entry = entry, .var = var, .stage = stage, .used = bit };
    *count += 1;
    return GPOOL_OK;
}

/* Marks what a function and those it calls use. `queue` and `met` have room for all functions. */
static void layouts_reach(const gpool__bindings *scan, uint32_t fn, uint32_t *queue, uint8_t *met,
                          uint8_t *vars)
{
    uint32_t count = 0;
    queue[count++] = fn;
    met[fn] = 1;
    while (count > 0) {
        const gpool__binding_fn *each = &scan->fns[queue[--count]];
        for (uint32_t i = 0; i < each->use_count; ++i) {
            const gpool__binding_use *use = &scan->uses[each->first_use + i];
            vars[use->var] |= (uint8_t)(LAYOUTS_USED | (use->sampled ? LAYOUTS_SAMPLED : 0) |
                                        (use->unfiltered ? LAYOUTS_UNFILTERED : 0));
        }
        for (uint32_t i = 0; i < each->call_count; ++i) {
            const uint32_t callee = scan->calls[each->first_call + i];
            if (met[callee] == 0) {
                met[callee] = 1;
                queue[count++] = callee;
            }
        }
    }
}

static gpool_result layouts_add_stage(layouts_work *work, gpool__memory *memory, uint32_t stage)
{
    const gpool__bindings_stage *given = &work->stages[stage];
    const gpool__bindings *scan = given->scan;
    const gpool__binding_entry *entry = gpool__bindings_entry(scan, given->stage, given->entry);
    if (entry == NULL) {
        (void)snprintf(work->error->message, sizeof work->error->message,
                       "There is no [%s] function \"%.*s\", or more than one and none is named",
                       layouts_stage_name(given->stage), LAYOUTS_NAME,
                       given->entry != NULL ? given->entry : "");
        layouts_clean(work->error);
        work->error->stage = stage;
        return GPOOL_ERROR_INVALID_ARGUMENT;
    }
    if (scan->var_count == 0) {
        return GPOOL_OK;
    }
    const size_t size = scan->fn_count * (sizeof(uint32_t) + 1) + scan->var_count;
    uint32_t *queue = gpool__alloc(memory, size);
    if (queue == NULL) {
        return GPOOL_ERROR_OUT_OF_MEMORY;
    }
    uint8_t *met = (uint8_t *)(queue + scan->fn_count);
    uint8_t *vars = met + scan->fn_count;
    layouts_reach(scan, entry->fn, queue, met, vars);
    gpool_result result = GPOOL_OK;
    for (uint32_t i = 0; i < scan->var_count && result == GPOOL_OK; ++i) {
        if (vars[i] != 0) {
            result = layouts_add(work, stage, &scan->vars[i], vars[i]);
        }
    }
    gpool__free(memory, queue, size);
    return result;
}

/* True for a group that gpool_set_uniforms() can fill. */
static bool layouts_is_uniform_group(const layouts_work *work, uint32_t group)
{
    const gpool_layout_entry *first = &work->slots[group][0].entry;
    return work->counts[group] == 1 && first->type == GPOOL_BINDING_UNIFORM && first->binding == 0;
}

static void layouts_make_dynamic(layouts_work *work)
{
    uint32_t left = work->limits->maxDynamicUniformBuffersPerPipelineLayout;
    for (int pass = 0; pass < 2; ++pass) {
        for (uint32_t group = 0; group < GPOOL_MAX_GROUPS; ++group) {
            for (uint32_t i = 0; i < work->counts[group]; ++i) {
                gpool_layout_entry *entry = &work->slots[group][i].entry;
                if (left > 0 && layouts_is_uniform_group(work, group) == (pass == 0) &&
                    entry->type == GPOOL_BINDING_UNIFORM) {
                    entry->dynamic_offset = true;
                    left -= 1;
                }
            }
        }
    }
}

static layouts_class layouts_class_of(const gpool_layout_entry *entry)
{
    switch (entry->type) {
    case GPOOL_BINDING_UNIFORM:
        return LAYOUTS_UNIFORM;
    case GPOOL_BINDING_STORAGE:
    case GPOOL_BINDING_STORAGE_WRITE:
        return LAYOUTS_STORAGE;
    case GPOOL_BINDING_TEXTURE:
        return LAYOUTS_TEXTURE;
    case GPOOL_BINDING_STORAGE_TEXTURE:
        return LAYOUTS_STORAGE_TEXTURE;
    default:
        return LAYOUTS_SAMPLER;
    }
}

static uint32_t layouts_limit(const WGPULimits *limits, layouts_class class)
{
    const uint32_t values[] = { limits->maxUniformBuffersPerShaderStage,
                                limits->maxStorageBuffersPerShaderStage,
                                limits->maxSampledTexturesPerShaderStage,
                                limits->maxStorageTexturesPerShaderStage,
                                limits->maxSamplersPerShaderStage };
    return values[class];
}

/* Lets entries of a class be seen as widely as may be, or by the stages that use them. */
static void layouts_show(layouts_work *work, layouts_class class, bool widely)
{
    const WGPUShaderStage all =
        WGPUShaderStage_Vertex | WGPUShaderStage_Fragment | WGPUShaderStage_Compute;
    for (uint32_t group = 0; group < GPOOL_MAX_GROUPS; ++group) {
        const bool wide = widely || layouts_is_uniform_group(work, group);
        for (uint32_t i = 0; i < work->counts[group]; ++i) {
            layouts_slot *slot = &work->slots[group][i];
            if (layouts_class_of(&slot->entry) == class) {
                const WGPUShaderStage most =
                    layouts_is_written(&slot->entry) ? all & ~WGPUShaderStage_Vertex : all;
                slot->entry.stages = wide ? most : slot->used;
            }
        }
    }
}

/* Entries of a class in the stage that sees most of them; the stage is in `*stage`. */
static uint32_t layouts_most(const layouts_work *work, layouts_class class, WGPUShaderStage *stage)
{
    static const WGPUShaderStage stages[LAYOUTS_STAGES] = { WGPUShaderStage_Vertex,
                                                            WGPUShaderStage_Fragment,
                                                            WGPUShaderStage_Compute };
    uint32_t most = 0;
    for (int s = 0; s < LAYOUTS_STAGES; ++s) {
        uint32_t count = 0;
        for (uint32_t group = 0; group < GPOOL_MAX_GROUPS; ++group) {
            for (uint32_t i = 0; i < work->counts[group]; ++i) {
                const gpool_layout_entry *entry = &work->slots[group][i].entry;
                count += layouts_class_of(entry) == class && (entry->stages & stages[s]) != 0;
            }
        }
        if (count > most) {
            most = count;
            *stage = stages[s];
        }
    }
    return most;
}

static gpool_result layouts_show_all(layouts_work *work)
{
    for (int c = 0; c < LAYOUTS_CLASS_COUNT; ++c) {
        const layouts_class class = (layouts_class)c;
        const uint32_t limit = layouts_limit(work->limits, class);
        WGPUShaderStage stage = WGPUShaderStage_None;
        layouts_show(work, class, true);
        if (layouts_most(work, class, &stage) <= limit) {
            continue;
        }
        layouts_show(work, class, false);
        const uint32_t most = layouts_most(work, class, &stage);
        if (most > limit) {
            (void)snprintf(work->error->message, sizeof work->error->message,
                           "The [%s] stage has [%u] %s, over the device's limit of [%u]",
                           layouts_stage_name(stage), most, layouts_class_names[class], limit);
            work->error->stage = 0;
            return GPOOL_ERROR_LIMIT;
        }
    }
    return GPOOL_OK;
}

static void layouts_give(const layouts_work *work, gpool__bindings_groups *groups)
{
    for (uint32_t group = 0; group < GPOOL_MAX_GROUPS; ++group) {
        groups->counts[group] = work->counts[group];
        groups->group_count = work->counts[group] > 0 ? group + 1 : groups->group_count;
        for (uint32_t i = 0; i < work->counts[group]; ++i) {
            groups->entries[group][i] = work->slots[group][i].entry;
        }
    }
}

gpool_result gpool__bindings_layouts(gpool__memory *memory, const gpool__bindings_stage *stages,
                                     uint32_t stage_count, const WGPULimits *limits,
                                     gpool__bindings_groups *groups, gpool__bindings_error *error)
{
    memset(groups, 0, sizeof *groups);
    *error = (gpool__bindings_error){ 0 };
    layouts_work work = { .stages = stages, .limits = limits, .error = error };
    gpool_result result = GPOOL_OK;
    for (uint32_t i = 0; i < stage_count && result == GPOOL_OK; ++i) {
        result = layouts_add_stage(&work, memory, i);
    }
    if (result != GPOOL_OK) {
        return result;
    }
    layouts_make_dynamic(&work);
    result = layouts_show_all(&work);
    if (result == GPOOL_OK) {
        layouts_give(&work, groups);
    }
    return result;
}
