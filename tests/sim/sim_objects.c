/* Handles, references and holds; AddRef and Release of every kind. */
#include "sim_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A handle: index of the simulator + 1 in 4 bits, kind in 6, slot in 22, generation in 31. */
#define OBJECT_KIND_SHIFT       4
#define OBJECT_SLOT_SHIFT       10
#define OBJECT_SLOTS            0x3fffffu
#define OBJECT_GENERATION_SHIFT 32
#define OBJECT_GENERATIONS      0x7fffffffu

_Static_assert(sizeof(void *) == 8, "handles are 64-bit numbers");

static const char *const object_kind_names[SIM_KIND_COUNT] = {
    "object",          "instance",        "adapter",           "device",
    "queue",           "buffer",          "texture",           "texture view",
    "sampler",         "shader module",   "bind group layout", "bind group",
    "pipeline layout", "render pipeline", "compute pipeline",  "command encoder",
    "render pass",     "compute pass",    "command buffer",
};

const char *sim_kind_name(sim_kind kind)
{
    return (unsigned)kind < SIM_KIND_COUNT ? object_kind_names[kind] : "unknown";
}

static uint32_t object_take_slot(sim *s)
{
    if (s->free_first != 0) {
        uint32_t slot = s->free_first - 1;
        s->free_first = s->slots[slot].next_free;
        s->free_last = s->free_first == 0 ? 0 : s->free_last;
        s->slots[slot].next_free = 0;
        return slot;
    }
    if (s->slot_count == s->slot_capacity) {
        s->slot_capacity = s->slot_capacity == 0 ? 256 : s->slot_capacity * 2;
        s->slots = sim_must(realloc(s->slots, s->slot_capacity * sizeof *s->slots));
    }
    if (s->slot_count > OBJECT_SLOTS) {
        (void)sim_must(NULL);
    }
    s->slots[s->slot_count] = (sim_slot){ .generation = 1, .released_by = -1 };
    return s->slot_count++;
}

/* The newest slot first where handles are reused on purpose, else the oldest first. */
static void object_give_slot(sim *s, uint32_t slot)
{
    sim_slot *place = &s->slots[slot];
    place->object = NULL;
    if (s->desc.reuse_handles) {
        place->next_free = s->free_first;
        s->free_first = slot + 1;
        s->free_last = s->free_last == 0 ? slot + 1 : s->free_last;
        return;
    }
    if (place->generation == OBJECT_GENERATIONS) {
        return;
    }
    place->generation += 1;
    place->next_free = 0;
    if (s->free_last != 0) {
        s->slots[s->free_last - 1].next_free = slot + 1;
    } else {
        s->free_first = slot + 1;
    }
    s->free_last = slot + 1;
}

void *sim_object_new(sim *s, sim_kind kind, size_t size, sim_device *device, WGPUStringView label)
{
    sim_object *object = sim_must(calloc(1, size));
    uint32_t slot = object_take_slot(s);
    object->owner = s;
    object->kind = kind;
    object->slot = slot;
    object->references = 1;
    object->device = device;
    object->handle = (uintptr_t)s->slots[slot].generation << OBJECT_GENERATION_SHIFT |
                     (uintptr_t)slot << OBJECT_SLOT_SHIFT | (uintptr_t)kind << OBJECT_KIND_SHIFT |
                     (s->index + 1);
    size_t length = sim_length(label);
    length = length < SIM_LABEL - 1 ? length : SIM_LABEL - 1;
    if (length > 0) {
        memcpy(object->label, label.data, length);
    }
    s->slots[slot].object = object;
    memcpy(s->slots[slot].label, object->label, SIM_LABEL);
    object->next = s->objects;
    if (s->objects != NULL) {
        s->objects->previous = object;
    }
    s->objects = object;
    s->live[kind] += 1;
    s->kept[kind] += 1;
    if (device != NULL) {
        sim_hold(&device->base);
    }
    return object;
}

sim_object *sim_object_find(sim *s, const void *handle, sim_kind kind, sim_text *why)
{
    uintptr_t value = (uintptr_t)handle;
    const char *wanted = sim_kind_name(kind);
    if (value == 0) {
        (void)sim_say(why, "a %s is NULL", wanted);
        return NULL;
    }
    uint32_t slot = (uint32_t)(value >> OBJECT_SLOT_SHIFT) & OBJECT_SLOTS;
    uint32_t generation = (uint32_t)(value >> OBJECT_GENERATION_SHIFT);
    sim_kind is = (sim_kind)(value >> OBJECT_KIND_SHIFT & 0x3fu);
    if ((value & 0xfu) != s->index + 1 || slot >= s->slot_count || generation == 0 ||
        generation > s->slots[slot].generation) {
        (void)sim_say(why, "a %s was never given out", wanted);
        return NULL;
    }
    const sim_slot *place = &s->slots[slot];
    if (is != kind) {
        (void)sim_say(why, "a %s is needed, this is a %s", wanted, sim_kind_name(is));
        return NULL;
    }
    if (place->object == NULL || place->object->handle != value) {
        (void)sim_say(why, "a %s is used after its release by %s (label \"%s\")", wanted,
                      sim_function_name(place->released_by), place->label);
        return NULL;
    }
    return place->object;
}

static void object_free(sim_object *object)
{
    sim *s = object->owner;
    sim_device *device = object->device;
    sim_object_dispose(object);
    if (object->previous != NULL) {
        object->previous->next = object->next;
    } else {
        s->objects = object->next;
    }
    if (object->next != NULL) {
        object->next->previous = object->previous;
    }
    s->kept[object->kind] -= 1;
    free(object);
    if (device != NULL) {
        sim_drop(&device->base);
    }
}

void sim_hold(sim_object *object)
{
    object->holds += 1;
}

void sim_drop(sim_object *object)
{
    object->holds -= 1;
    if (object->holds == 0 && object->references == 0) {
        object_free(object);
    }
}

void sim_list_add(sim_list *list, sim_object *object)
{
    if (list->count == list->capacity) {
        list->capacity = list->capacity == 0 ? 8 : list->capacity * 2;
        list->items = sim_must(realloc(list->items, list->capacity * sizeof *list->items));
    }
    list->items[list->count++] = object;
    sim_hold(object);
}

void sim_list_clear(sim_list *list)
{
    for (size_t i = 0; i < list->count; ++i) {
        sim_drop(list->items[i]);
    }
    free(list->items);
    *list = (sim_list){ 0 };
}

/* What the end of the last reference means besides memory. */
static void object_unreferenced(sim_object *object, int function)
{
    sim *s = object->owner;
    if (object->kind == SIM_KIND_BUFFER) {
        sim_events_abort_map((sim_buffer *)object, "Buffer was released before mapping was done");
    } else if (object->kind == SIM_KIND_DEVICE) {
        sim_device *device = (sim_device *)object;
        if (sim_is_dawn(s) && !device->lost_told) {
            sim_device_tell_lost(device, WGPUDeviceLostReason_Destroyed,
                                 "A device was released and is gone.");
        }
        sim_queue_drop_writes(device);
    } else if (object->kind == SIM_KIND_QUEUE && object->device->queue == object) {
        object->device->queue = NULL;
    }
    s->slots[object->slot].released_by = function;
    object_give_slot(s, object->slot);
    s->live[object->kind] -= 1;
}

static void object_add_ref(int function, const void *handle, sim_kind kind)
{
    sim_call call;
    sim_object *object = sim_enter(&call, function, handle, kind);
    if (object != NULL) {
        object->references += 1;
    }
    sim_leave(&call);
}

static void object_release(int function, const void *handle, sim_kind kind)
{
    sim_call call;
    sim_object *object = sim_enter(&call, function, handle, kind);
    if (object != NULL) {
        object->references -= 1;
        if (object->references == 0) {
            sim_hold(object);
            object_unreferenced(object, function);
            sim_drop(object);
        }
    }
    sim_leave(&call);
}

void sim_objects_free_all(sim *s)
{
    /* Holds between objects do not matter any more: only what an object owns itself is freed. */
    for (sim_object *object = s->objects; object != NULL; object = object->next) {
        object->holds += 0x40000000u;
    }
    for (sim_object *object = s->objects; object != NULL; object = object->next) {
        sim_object_dispose(object);
    }
    while (s->objects != NULL) {
        sim_object *next = s->objects->next;
        free(s->objects);
        s->objects = next;
    }
}

#define OBJECT_RELEASE(name, KIND)                                                                 \
    static void object_##name##Release(WGPU##name object)                                          \
    {                                                                                              \
        object_release(GPOOL_GPU_##name##Release, object, SIM_KIND_##KIND);                        \
    }
#define OBJECT_BOTH(name, KIND)                                                                    \
    OBJECT_RELEASE(name, KIND)                                                                     \
    static void object_##name##AddRef(WGPU##name object)                                           \
    {                                                                                              \
        object_add_ref(GPOOL_GPU_##name##AddRef, object, SIM_KIND_##KIND);                         \
    }

#define OBJECT_WITH_ADD_REF(X)                                                                     \
    X(Instance, INSTANCE)                                                                          \
    X(Adapter, ADAPTER)                                                                            \
    X(Device, DEVICE)                                                                              \
    X(Queue, QUEUE)                                                                                \
    X(Buffer, BUFFER)                                                                              \
    X(Texture, TEXTURE)                                                                            \
    X(ShaderModule, SHADER_MODULE)                                                                 \
    X(BindGroupLayout, BIND_GROUP_LAYOUT)                                                          \
    X(BindGroup, BIND_GROUP)                                                                       \
    X(RenderPipeline, RENDER_PIPELINE)                                                             \
    X(ComputePipeline, COMPUTE_PIPELINE)                                                           \
    X(CommandEncoder, COMMAND_ENCODER)
#define OBJECT_WITHOUT_ADD_REF(X)                                                                  \
    X(TextureView, TEXTURE_VIEW)                                                                   \
    X(Sampler, SAMPLER)                                                                            \
    X(PipelineLayout, PIPELINE_LAYOUT)                                                             \
    X(CommandBuffer, COMMAND_BUFFER)                                                               \
    X(RenderPassEncoder, RENDER_PASS)                                                              \
    X(ComputePassEncoder, COMPUTE_PASS)

OBJECT_WITH_ADD_REF(OBJECT_BOTH)
OBJECT_WITHOUT_ADD_REF(OBJECT_RELEASE)

void sim_table_objects(gpool_gpu *table)
{
#define OBJECT_SET_RELEASE(name, KIND) table->name##Release = object_##name##Release;
#define OBJECT_SET_BOTH(name, KIND)                                                                \
    OBJECT_SET_RELEASE(name, KIND)                                                                 \
    table->name##AddRef = object_##name##AddRef;
    OBJECT_WITH_ADD_REF(OBJECT_SET_BOTH)
    OBJECT_WITHOUT_ADD_REF(OBJECT_SET_RELEASE)
}
