/*
 * Writing a manifest: what this run used, then the rest of earlier ones, each thing once; then what is
 * too old or too much is left out, the least used first.
 */
#include "shader/manifest.h"

#include "base/hash.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define BUILD_NO_MEMORY UINT32_MAX
#define BUILD_NOT_KEPT  UINT32_MAX
/* Bytes of a record beside its strings, body and entries. */
#define BUILD_HEADER   32u
#define BUILD_MODULE   16u
#define BUILD_LAYOUT   4u
#define BUILD_PIPELINE 32u

/* What all three kinds have. */
typedef struct build_item {
    uint64_t hash;
    uint32_t chain; /* index + 1 of the next one of its bucket */
    uint32_t last_run;
    uint32_t uses;
    uint32_t place; /* in what is written; BUILD_NOT_KEPT */
} build_item;

typedef struct build_module {
    build_item item;
    const char *text;
    size_t size;
    char label[GPOOL__MANIFEST_LABEL];
} build_module;

typedef struct build_layout {
    build_item item;
    uint32_t count;
    gpool_layout_entry entries[GPOOL_MAX_BINDINGS];
} build_layout;

/* Indexes here are those of `build`. */
typedef struct build_pipeline {
    build_item item;
    uint32_t vertex;
    uint32_t fragment; /* index + 1 */
    uint32_t group_count;
    uint32_t groups[GPOOL_MAX_GROUPS]; /* index + 1 */
    uint32_t body_at;                  /* in `bodies`: recipe, and the names with their sizes */
    uint32_t body_size;
    char label[GPOOL__MANIFEST_LABEL];
} build_pipeline;

/* Items of one kind, found by their content. */
typedef struct build_list {
    void *items;
    size_t item_size;
    uint32_t count;
    uint32_t capacity;
    uint32_t *buckets; /* index + 1 of the first */
    uint32_t bucket_count;
} build_list;

typedef struct build {
    gpool__memory *memory;
    const gpool__manifest_rules *rules;
    uint32_t run;
    build_list modules;
    build_list layouts;
    build_list pipelines;
    gpool__manifest_io bodies;
    gpool__manifest_io out;
} build;

/* --- lists --- */

static build_item *build_at(const build_list *list, uint32_t index)
{
    return (build_item *)(void *)((char *)list->items + index * list->item_size);
}

static bool build_list_grow(build *b, build_list *list)
{
    if (!gpool__reserve(b->memory, &list->items, &list->capacity, list->count + 1,
                        list->item_size)) {
        return false;
    }
    if (list->count < list->bucket_count) {
        return true;
    }
    uint32_t count = list->bucket_count == 0 ? 64 : list->bucket_count * 4;
    uint32_t *buckets = gpool__alloc(b->memory, count * sizeof *buckets);
    if (buckets == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < list->count; ++i) {
        build_item *item = build_at(list, i);
        item->chain = buckets[item->hash & (count - 1)];
        buckets[item->hash & (count - 1)] = i + 1;
    }
    gpool__free(b->memory, list->buckets, list->bucket_count * sizeof *list->buckets);
    list->buckets = buckets;
    list->bucket_count = count;
    return true;
}

/* The first of a bucket; the others follow by `chain`. */
static uint32_t build_first(const build_list *list, uint64_t hash)
{
    return list->bucket_count == 0 ? 0 : list->buckets[hash & (list->bucket_count - 1)];
}

/* A new item, all zero but for its hash; room is there. */
static build_item *build_add(build_list *list, uint64_t hash)
{
    build_item *item = build_at(list, list->count++);
    memset(item, 0, list->item_size);
    uint32_t *bucket = &list->buckets[hash & (list->bucket_count - 1)];
    item->hash = hash;
    item->chain = *bucket;
    *bucket = list->count;
    return item;
}

static void build_count(build_item *item, uint32_t last_run, uint32_t uses)
{
    item->last_run = last_run > item->last_run ? last_run : item->last_run;
    item->uses = uses < UINT32_MAX - item->uses ? item->uses + uses : UINT32_MAX;
}

static void build_list_fini(build *b, build_list *list)
{
    gpool__free(b->memory, list->items, list->capacity * list->item_size);
    gpool__free(b->memory, list->buckets, list->bucket_count * sizeof *list->buckets);
}

/* --- each kind: the index of an equal one, or of a new one; BUILD_NO_MEMORY --- */

static void build_label(char label[GPOOL__MANIFEST_LABEL], const char *from)
{
    (void)gpool__clean(label, GPOOL__MANIFEST_LABEL, from, strlen(from));
}

static uint32_t build_get_module(build *b, const char *text, size_t size, const char *label,
                                 uint32_t last_run, uint32_t uses)
{
    uint64_t hash = gpool__hash(text, size) & ~b->rules->no_hash;
    for (uint32_t i = build_first(&b->modules, hash); i != 0;) {
        build_module *each = (build_module *)(void *)build_at(&b->modules, i - 1);
        if (each->size == size && memcmp(each->text, text, size) == 0) {
            build_count(&each->item, last_run, uses);
            return i - 1;
        }
        i = each->item.chain;
    }
    if (!build_list_grow(b, &b->modules)) {
        return BUILD_NO_MEMORY;
    }
    build_module *module = (build_module *)(void *)build_add(&b->modules, hash);
    build_count(&module->item, last_run, uses);
    module->text = text;
    module->size = size;
    build_label(module->label, label);
    return b->modules.count - 1;
}

static uint32_t build_get_layout(build *b, const gpool_layout_entry *entries, uint32_t count)
{
    uint64_t hash = gpool__hash(entries, count * sizeof *entries) & ~b->rules->no_hash;
    for (uint32_t i = build_first(&b->layouts, hash); i != 0;) {
        const build_layout *each = (build_layout *)(void *)build_at(&b->layouts, i - 1);
        if (each->count == count && memcmp(each->entries, entries, count * sizeof *entries) == 0) {
            return i - 1;
        }
        i = each->item.chain;
    }
    if (!build_list_grow(b, &b->layouts)) {
        return BUILD_NO_MEMORY;
    }
    build_layout *layout = (build_layout *)(void *)build_add(&b->layouts, hash);
    layout->count = count;
    memcpy(layout->entries, entries, count * sizeof *entries);
    return b->layouts.count - 1;
}

static bool build_same_pipeline(const build *b, const build_pipeline *a, const build_pipeline *c)
{
    return a->vertex == c->vertex && a->fragment == c->fragment &&
           a->group_count == c->group_count && a->body_size == c->body_size &&
           memcmp(a->groups, c->groups, sizeof a->groups) == 0 &&
           memcmp(b->bodies.to + a->body_at, b->bodies.to + c->body_at, a->body_size) == 0;
}

static void build_name_size(build *b, const char *name)
{
    uint32_t size = name != NULL ? (uint32_t)strlen(name) + 1 : 0;
    gpool__manifest_number(&b->bodies, &size);
}

/* Writes recipe and names to the bodies, and finds or adds a pipeline of them. The draft has all but
 * body and item. False without memory. */
static bool build_get_pipeline(build *b, build_pipeline *draft, gpool__recipe *recipe,
                               gpool_attribute *attributes, const gpool__recipe_names *names,
                               uint32_t last_run, uint32_t uses)
{
    gpool__manifest_io *io = &b->bodies;
    draft->body_at = (uint32_t)io->at;
    gpool__manifest_recipe(io, recipe, attributes);
    build_name_size(b, names->vertex);
    build_name_size(b, names->fragment);
    gpool__manifest_write(io, names->vertex, names->vertex != NULL ? strlen(names->vertex) + 1 : 0);
    gpool__manifest_write(io, names->fragment,
                          names->fragment != NULL ? strlen(names->fragment) + 1 : 0);
    if (!io->good) {
        return false;
    }
    draft->body_size = (uint32_t)io->at - draft->body_at;
    uint64_t hash = gpool__hash(io->to + draft->body_at, draft->body_size) ^
                    gpool__hash(&draft->vertex, offsetof(build_pipeline, body_at) -
                                                    offsetof(build_pipeline, vertex));
    hash &= ~b->rules->no_hash;
    for (uint32_t i = build_first(&b->pipelines, hash); i != 0;) {
        build_pipeline *each = (build_pipeline *)(void *)build_at(&b->pipelines, i - 1);
        if (build_same_pipeline(b, each, draft)) {
            build_count(&each->item, last_run, uses);
            io->at = draft->body_at; /* what was written is there already */
            return true;
        }
        i = each->item.chain;
    }
    if (!build_list_grow(b, &b->pipelines)) {
        return false;
    }
    build_pipeline *pipeline = (build_pipeline *)(void *)build_add(&b->pipelines, hash);
    build_item item = pipeline->item;
    *pipeline = *draft;
    pipeline->item = item;
    build_count(&pipeline->item, last_run, uses);
    build_label(pipeline->label, names->label);
    return true;
}

/* --- what is put together --- */

static uint32_t build_use_module(build *b, const gpool__module *module, uint32_t uses)
{
    return build_get_module(b, module->text, module->base.key_size, gpool__module_label(module),
                            b->run, uses);
}

/* A program of this run. One that the reader would not take is left out; false without memory. */
static bool build_use_program(build *b, const gpool__program *program, uint32_t uses)
{
    gpool__recipe recipe = program->recipe;
    gpool_attribute attributes[GPOOL__RECIPE_ATTRIBUTES];
    const gpool__recipe_names names = { .vertex = gpool__recipe_vertex_entry(&program->recipe),
                                        .fragment = gpool__recipe_fragment_entry(&program->recipe),
                                        .label = gpool__program_label(program) };
    memcpy(attributes, gpool__recipe_attributes(&program->recipe),
           recipe.attribute_count * sizeof *attributes);
    bool good = gpool__recipe_is_good(&recipe, attributes, b->rules->no_bgra);
    build_pipeline draft = { .group_count = recipe.group_count };
    for (uint32_t i = 0; i < recipe.group_count && good; ++i) {
        const gpool__group_layout *group = recipe.groups[i];
        for (uint32_t k = 0; group != NULL && k < group->entry_count; ++k) {
            good = good && gpool__manifest_entry_is_good(&group->entries[k], b->rules);
        }
    }
    if (!good) {
        return true;
    }
    draft.vertex = build_use_module(b, recipe.vertex, 0);
    bool room = draft.vertex != BUILD_NO_MEMORY;
    if (recipe.fragment != NULL && room) {
        draft.fragment = build_use_module(b, recipe.fragment, 0) + 1;
        room = draft.fragment != 0;
    }
    for (uint32_t i = 0; i < recipe.group_count && room; ++i) {
        const gpool__group_layout *group = recipe.groups[i];
        if (group != NULL) {
            draft.groups[i] = build_get_layout(b, group->entries, group->entry_count) + 1;
            room = draft.groups[i] != 0;
        }
    }
    return room && build_get_pipeline(b, &draft, &recipe, attributes, &names, b->run, uses);
}

/* A pipeline of an earlier run. Its modules have not the indexes of theirs there. */
static bool build_keep_pipeline(build *b, const gpool__manifest *old, uint32_t index)
{
    gpool__manifest_pipeline pipeline;
    gpool__manifest_module modules[2];
    gpool_layout_entry entries[GPOOL_MAX_BINDINGS];
    gpool__manifest_get_pipeline(old, index, &pipeline);
    build_pipeline draft = { .group_count = pipeline.recipe.group_count };
    uint32_t indexes[2] = { pipeline.vertex, pipeline.fragment };
    uint32_t found[2] = { 0, BUILD_NO_MEMORY };
    for (int i = 0; i < 2 && indexes[i] != GPOOL__MANIFEST_NONE; ++i) {
        gpool__manifest_get_module(old, indexes[i], &modules[i]);
        found[i] = build_get_module(b, modules[i].text, modules[i].size, modules[i].label, 0, 0);
        if (found[i] == BUILD_NO_MEMORY) {
            return false;
        }
    }
    draft.vertex = found[0];
    draft.fragment = found[1] + 1;
    for (uint32_t i = 0; i < draft.group_count; ++i) {
        if (pipeline.groups[i] == GPOOL__MANIFEST_NONE) {
            continue;
        }
        uint32_t count = gpool__manifest_get_layout(old, pipeline.groups[i], entries);
        draft.groups[i] = build_get_layout(b, entries, count) + 1;
        if (draft.groups[i] == 0) {
            return false;
        }
    }
    const gpool__recipe_names names = { pipeline.vertex_entry, pipeline.fragment_entry,
                                        pipeline.label };
    return build_get_pipeline(b, &draft, &pipeline.recipe, pipeline.attributes, &names,
                              pipeline.last_run, pipeline.uses);
}

static bool build_collect(build *b, const gpool__manifest_use *uses, uint32_t count,
                          const gpool__manifest *old)
{
    for (uint32_t i = 0; i < count; ++i) {
        bool good = uses[i].program != NULL
                        ? build_use_program(b, uses[i].program, uses[i].uses)
                        : build_use_module(b, uses[i].module, uses[i].uses) != BUILD_NO_MEMORY;
        if (!good) {
            return false;
        }
    }
    for (uint32_t i = 0; i < old->module_count; ++i) {
        gpool__manifest_module module;
        gpool__manifest_get_module(old, i, &module);
        if (build_get_module(b, module.text, module.size, module.label, module.last_run,
                             module.uses) == BUILD_NO_MEMORY) {
            return false;
        }
    }
    for (uint32_t i = 0; i < old->pipeline_count; ++i) {
        if (!build_keep_pipeline(b, old, i)) {
            return false;
        }
    }
    return true;
}

/* --- what is left out --- */

typedef struct build_rank {
    uint32_t last_run;
    uint32_t uses;
    uint32_t index;
} build_rank;

/* What is kept first: used last, most, first. */
static int build_order(const void *a, const void *b)
{
    const build_rank *x = a;
    const build_rank *y = b;
    if (x->last_run != y->last_run) {
        return x->last_run > y->last_run ? -1 : 1;
    }
    if (x->uses != y->uses) {
        return x->uses > y->uses ? -1 : 1;
    }
    return x->index < y->index ? -1 : x->index > y->index;
}

/* What is kept so far. */
typedef struct build_sum {
    size_t bytes;
    uint32_t modules;
    uint32_t pipelines;
} build_sum;

/* Bytes of a module in the sum; 0 when it is kept already. */
static size_t build_module_cost(const build_module *module)
{
    return module->item.place != BUILD_NOT_KEPT
               ? 0
               : BUILD_MODULE + strlen(module->label) + 1 + module->size;
}

static void build_try_module(build *b, uint32_t index, build_sum *sum)
{
    build_module *module = (build_module *)(void *)build_at(&b->modules, index);
    size_t cost = build_module_cost(module);
    if (cost != 0 && sum->modules < GPOOL__MANIFEST_COUNT &&
        cost <= GPOOL__MANIFEST_BYTES - sum->bytes) {
        module->item.place = 0;
        sum->modules += 1;
        sum->bytes += cost;
    }
}

/* With all that it needs, or not at all. */
static void build_try_pipeline(build *b, uint32_t index, build_sum *sum)
{
    build_pipeline *pipeline = (build_pipeline *)(void *)build_at(&b->pipelines, index);
    build_module *modules[2] = { (build_module *)(void *)build_at(&b->modules, pipeline->vertex) };
    build_layout *layouts[GPOOL_MAX_GROUPS] = { NULL };
    size_t cost = BUILD_PIPELINE + pipeline->body_size + strlen(pipeline->label) + 1 +
                  4 * (size_t)pipeline->group_count + build_module_cost(modules[0]);
    uint32_t more = build_module_cost(modules[0]) != 0;
    if (pipeline->fragment != 0 && pipeline->fragment - 1 != pipeline->vertex) {
        modules[1] = (build_module *)(void *)build_at(&b->modules, pipeline->fragment - 1);
        cost += build_module_cost(modules[1]);
        more += build_module_cost(modules[1]) != 0;
    }
    for (uint32_t i = 0; i < pipeline->group_count; ++i) {
        if (pipeline->groups[i] != 0) {
            layouts[i] = (build_layout *)(void *)build_at(&b->layouts, pipeline->groups[i] - 1);
            cost += layouts[i]->item.place == BUILD_NOT_KEPT
                        ? BUILD_LAYOUT + layouts[i]->count * GPOOL__MANIFEST_ENTRY
                        : 0;
        }
    }
    if (sum->pipelines == GPOOL__MANIFEST_COUNT || more > GPOOL__MANIFEST_COUNT - sum->modules ||
        cost > GPOOL__MANIFEST_BYTES - sum->bytes) {
        return;
    }
    for (int i = 0; i < 2 && modules[i] != NULL; ++i) {
        modules[i]->item.place = 0;
    }
    for (int i = 0; i < GPOOL_MAX_GROUPS; ++i) {
        if (layouts[i] != NULL) {
            layouts[i]->item.place = 0;
        }
    }
    pipeline->item.place = 0;
    sum->modules += more;
    sum->pipelines += 1;
    sum->bytes += cost;
}

/* Offers the items of a list by rank, those that are not too old. False without memory. */
static bool build_choose(build *b, build_list *list, build_sum *sum,
                         void (*offer)(build *b, uint32_t index, build_sum *sum))
{
    build_rank *ranks = gpool__alloc(b->memory, list->count * sizeof *ranks);
    if (ranks == NULL && list->count != 0) {
        return false;
    }
    uint32_t count = 0;
    for (uint32_t i = 0; i < list->count; ++i) {
        const build_item *item = build_at(list, i);
        if (b->run - item->last_run < GPOOL__MANIFEST_RUNS) {
            ranks[count++] = (build_rank){ item->last_run, item->uses, i };
        }
    }
    if (count > 0) {
        qsort(ranks, count, sizeof *ranks, build_order);
    }
    for (uint32_t i = 0; i < count; ++i) {
        offer(b, ranks[i].index, sum);
    }
    gpool__free(b->memory, ranks, list->count * sizeof *ranks);
    return true;
}

/* Numbers what is kept, in order of use. Returns how many. */
static uint32_t build_number(build_list *list)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < list->count; ++i) {
        build_item *item = build_at(list, i);
        if (item->place != BUILD_NOT_KEPT) {
            item->place = count++;
        }
    }
    return count;
}

/* --- what is written --- */

static void build_text(gpool__manifest_io *io, const char *text)
{
    gpool__manifest_write(io, text, strlen(text) + 1);
}

static void build_put(gpool__manifest_io *io, uint32_t value)
{
    gpool__manifest_number(io, &value);
}

static void build_write_module(build *b, const build_module *module)
{
    build_put(&b->out, module->item.last_run);
    build_put(&b->out, module->item.uses);
    build_put(&b->out, (uint32_t)strlen(module->label) + 1);
    build_put(&b->out, (uint32_t)module->size);
    build_text(&b->out, module->label);
    gpool__manifest_write(&b->out, module->text, module->size);
}

static void build_write_layout(build *b, build_layout *layout)
{
    build_put(&b->out, layout->count);
    for (uint32_t i = 0; i < layout->count; ++i) {
        gpool__manifest_entry(&b->out, &layout->entries[i]);
    }
}

/* The body has the sizes of two names before them: that of the label stands with those. */
static void build_write_pipeline(build *b, const build_pipeline *pipeline)
{
    gpool__manifest_io *io = &b->out;
    build_put(io, pipeline->item.last_run);
    build_put(io, pipeline->item.uses);
    build_put(io, build_at(&b->modules, pipeline->vertex)->place);
    build_put(
        io, pipeline->fragment == 0 ? 0 : build_at(&b->modules, pipeline->fragment - 1)->place + 1);
    build_put(io, pipeline->group_count);
    for (uint32_t i = 0; i < pipeline->group_count; ++i) {
        uint32_t group = pipeline->groups[i];
        build_put(io, group == 0 ? 0 : build_at(&b->layouts, group - 1)->place + 1);
    }
    build_put(io, (uint32_t)strlen(pipeline->label) + 1);
    build_text(io, pipeline->label);
    gpool__manifest_write(io, b->bodies.to + pipeline->body_at, pipeline->body_size);
}

static bool build_write(build *b)
{
    uint32_t counts[3] = { build_number(&b->modules), build_number(&b->layouts),
                           build_number(&b->pipelines) };
    gpool__manifest_write(&b->out, GPOOL__MANIFEST_MAGIC, 8);
    build_put(&b->out, GPOOL__MANIFEST_VERSION);
    build_put(&b->out, b->run);
    for (int i = 0; i < 3; ++i) {
        build_put(&b->out, counts[i]);
    }
    for (uint32_t i = 0; i < b->modules.count; ++i) {
        const build_module *module = (build_module *)(void *)build_at(&b->modules, i);
        if (module->item.place != BUILD_NOT_KEPT) {
            build_write_module(b, module);
        }
    }
    for (uint32_t i = 0; i < b->layouts.count; ++i) {
        build_layout *layout = (build_layout *)(void *)build_at(&b->layouts, i);
        if (layout->item.place != BUILD_NOT_KEPT) {
            build_write_layout(b, layout);
        }
    }
    for (uint32_t i = 0; i < b->pipelines.count; ++i) {
        const build_pipeline *pipeline = (build_pipeline *)(void *)build_at(&b->pipelines, i);
        if (pipeline->item.place != BUILD_NOT_KEPT) {
            build_write_pipeline(b, pipeline);
        }
    }
    return b->out.good;
}

static void build_keep_nothing(build_list *list)
{
    for (uint32_t i = 0; i < list->count; ++i) {
        build_at(list, i)->place = BUILD_NOT_KEPT;
    }
}

gpool_result gpool__manifest_build(gpool__memory *memory, const gpool__manifest_use *uses,
                                   uint32_t count, const gpool__manifest *old, uint32_t run,
                                   const gpool__manifest_rules *rules, uint8_t **bytes,
                                   size_t *size, uint32_t *capacity)
{
    build b = { .memory = memory, .rules = rules, .run = run };
    build_sum sum = { .bytes = BUILD_HEADER };
    b.modules.item_size = sizeof(build_module);
    b.layouts.item_size = sizeof(build_layout);
    b.pipelines.item_size = sizeof(build_pipeline);
    b.bodies = (gpool__manifest_io){ .memory = memory, .good = true };
    b.out = b.bodies;
    bool good = build_collect(&b, uses, count, old);
    build_keep_nothing(&b.modules);
    build_keep_nothing(&b.layouts);
    build_keep_nothing(&b.pipelines);
    good = good && build_choose(&b, &b.pipelines, &sum, build_try_pipeline) &&
           build_choose(&b, &b.modules, &sum, build_try_module) && build_write(&b);
    build_list_fini(&b, &b.modules);
    build_list_fini(&b, &b.layouts);
    build_list_fini(&b, &b.pipelines);
    gpool__free(memory, b.bodies.to, b.bodies.capacity);
    if (!good) {
        gpool__free(memory, b.out.to, b.out.capacity);
        b.out = (gpool__manifest_io){ .memory = memory };
    }
    *bytes = b.out.to;
    *size = b.out.at;
    *capacity = b.out.capacity;
    return good ? GPOOL_OK : GPOOL_ERROR_OUT_OF_MEMORY;
}
