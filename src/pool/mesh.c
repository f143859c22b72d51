#include "pool/heap_state.h"

#include <string.h>

#define MESH_MAX_STRIDE 65536u
/* Up to so many bytes zeros are sent by the queue, which needs no submit. */
#define MESH_ZEROS 65536u

/* The program's way to bring a mesh's bytes; few meshes have one. */
typedef struct gpool__mesh_refill {
    gpool_fill_mesh_fn fn;
    void *user;
} gpool__mesh_refill;

static gpool__mesh *mesh_of(gpool__resource *resource)
{
    return (gpool__mesh *)(void *)resource;
}

static gpool__mesh *mesh_resolve(gpool *pool, gpool_mesh handle, gpool_result *result)
{
    return mesh_of(gpool__resolve_good(pool, handle.id, GPOOL_KIND_MESH, result));
}

static uint64_t mesh_index_size(WGPUIndexFormat format)
{
    return format == WGPUIndexFormat_Uint16 ? 2 : 4;
}

/* Bytes of a part with so many vertices or indices. */
static uint64_t mesh_part_bytes(const gpool__mesh *mesh, gpool_mesh_part part, uint32_t count)
{
    return (uint64_t)count *
           (part == GPOOL_MESH_VERTICES ? mesh->stride : mesh_index_size(mesh->format));
}

uint64_t gpool__mesh_align(const gpool *pool, const gpool__mesh *mesh, gpool_mesh_part part)
{
    uint64_t unit = part == GPOOL_MESH_VERTICES ? mesh->stride : GPOOL__WORD;
    if (!mesh->storage) {
        return unit;
    }
    /* The least common multiple with a power of two: what the stride lacks of its factors. */
    uint64_t binding = pool->device->info.limits.minStorageBufferOffsetAlignment;
    while (binding > 1 && unit % binding != 0) {
        unit *= 2;
    }
    return unit;
}

/* --- the list of a heap --- */

static void mesh_link(gpool *pool, gpool__heap *heap, gpool__mesh *mesh)
{
    mesh->heap = gpool__place_of(&heap->base);
    mesh->previous = 0;
    mesh->next = heap->meshes;
    heap->meshes = gpool__place_of(&mesh->base);
    if (mesh->next != 0) {
        mesh_of(gpool__resource_at(pool, mesh->next))->previous = heap->meshes;
    }
    heap->mesh_count += 1;
}

static void mesh_unlink(gpool *pool, gpool__mesh *mesh)
{
    if (mesh->heap == 0) {
        return;
    }
    gpool__heap *heap = gpool__heap_at(pool, mesh->heap);
    if (mesh->previous != 0) {
        mesh_of(gpool__resource_at(pool, mesh->previous))->next = mesh->next;
    } else {
        heap->meshes = mesh->next;
    }
    if (mesh->next != 0) {
        mesh_of(gpool__resource_at(pool, mesh->next))->previous = mesh->previous;
    }
    heap->mesh_count -= 1;
    mesh->heap = 0;
}

static void mesh_retiring(gpool *pool, gpool__resource *resource)
{
    gpool__mesh *mesh = mesh_of(resource);
    mesh_unlink(pool, mesh);
    gpool__slab_retire(&mesh->parts[GPOOL_MESH_VERTICES]);
    gpool__slab_retire(&mesh->parts[GPOOL_MESH_INDICES]);
}

static void mesh_release(gpool *pool, gpool__resource *resource)
{
    gpool__mesh *mesh = mesh_of(resource);
    gpool__slab_free(pool, &mesh->parts[GPOOL_MESH_VERTICES]);
    gpool__slab_free(pool, &mesh->parts[GPOOL_MESH_INDICES]);
    gpool__free(&pool->memory, mesh->refill, sizeof *mesh->refill);
    mesh->refill = NULL;
}

static void mesh_rebuilt(gpool *pool, gpool__resource *resource, gpool_result result)
{
    (void)pool;
    (void)result;
    gpool__mesh *mesh = mesh_of(resource);
    mesh->version += 1;
    for (int part = 0; part < GPOOL_MESH_PARTS; ++part) {
        const gpool__slab *slab = mesh->parts[part].slab;
        resource->failed = resource->failed || (slab != NULL && slab->buffer->base.failed);
    }
}

void gpool__meshes_init(gpool *pool)
{
    gpool__kind_init(pool, GPOOL_KIND_MESH, sizeof(gpool__mesh), mesh_release);
    pool->retiring[GPOOL_KIND_MESH] = mesh_retiring;
    pool->rebuild[GPOOL_KIND_MESH] = gpool__slabs_rebuild;
    pool->rebuilt[GPOOL_KIND_MESH] = mesh_rebuilt;
}

/* --- bytes --- */

/* Sends bytes of a part without a shadow; the last word may be there in part. */
static gpool_result mesh_send(gpool *pool, const gpool__mesh_place *place, uint64_t offset,
                              const uint8_t *data, uint64_t size)
{
    uint64_t at = gpool__place_offset(place) + offset;
    uint64_t whole = gpool__round_down(size, GPOOL__WORD);
    gpool_result result = GPOOL_OK;
    if (whole > 0) {
        result = gpool__buffer_send(pool, place->slab->buffer, at, data, whole);
    }
    if (result == GPOOL_OK && whole < size) {
        uint8_t word[GPOOL__WORD] = { 0 };
        memcpy(word, data + whole, (size_t)(size - whole));
        result = gpool__buffer_send(pool, place->slab->buffer, at + whole, word, GPOOL__WORD);
    }
    pool->stats.written_bytes += result == GPOOL_OK ? size : 0;
    return result;
}

static gpool_result mesh_put(gpool *pool, const gpool__mesh_place *place, uint64_t offset,
                             const void *data, uint64_t size)
{
    return place->slab->drops
               ? mesh_send(pool, place, offset, data, size)
               : gpool__buffer_write_to(pool, place->slab->buffer,
                                        gpool__place_offset(place) + offset, data, size);
}

/* Sends bytes of a part that stand in its shadow, also if they are what was there: the GPU never had what
 * moved away unsent. */
static void mesh_mark(gpool *pool, const gpool__mesh_place *place, uint64_t offset, uint64_t size)
{
    gpool__buffer *buffer = place->slab->buffer;
    gpool__dirty_map_mark(buffer->dirty, gpool__place_offset(place) + offset, size);
    gpool__upload_enlist(pool, buffer);
}

/* Makes a part zeros from an offset on, unless nobody had the memory before. */
static gpool_result mesh_clear(gpool *pool, const gpool__mesh_place *place, uint64_t from)
{
    static const uint8_t zeros[MESH_ZEROS];
    uint64_t size = gpool__round_up(place->size, GPOOL__WORD) - from;
    gpool__buffer *buffer = place->slab->buffer;
    if (place->fresh || size == 0) {
        return GPOOL_OK;
    }
    if (!place->slab->drops) {
        memset(buffer->shadow + gpool__place_offset(place) + from, 0, (size_t)size);
        mesh_mark(pool, place, from, size);
        return GPOOL_OK;
    }
    if (size <= sizeof zeros) {
        return gpool__buffer_send(pool, buffer, gpool__place_offset(place) + from, zeros, size);
    }
    gpool__move clear = { .to = *place };
    clear.to.at.offset += from / GPOOL__WORD;
    clear.to.size = size;
    return gpool__moves_submit(pool, &clear, 1);
}

/* --- creation --- */

static gpool_result mesh_check_part(gpool *pool, const void *data, uint32_t count, const char *what,
                                    const char *label)
{
    if (data != NULL && count == 0) {
        return GPOOL__FAIL(pool, ARGUMENT_VALUE, INVALID_ARGUMENT,
                           "The %s of mesh \"%s\" are there, but their count is [0]", what, label);
    }
    return GPOOL_OK;
}

static gpool_result mesh_check_desc(gpool *pool, const gpool_mesh_desc *desc)
{
    if (desc == NULL) {
        return GPOOL__FAIL(pool, ARGUMENT_NULL, INVALID_ARGUMENT, "The descriptor [NULL] is null");
    }
    const char *label = desc->label != NULL ? desc->label : "";
    if (desc->vertex_count == 0 && desc->index_count == 0) {
        return GPOOL__FAIL(pool, ARGUMENT_VALUE, INVALID_ARGUMENT,
                           "Mesh \"%s\" has [0] vertices and [0] indices", label);
    }
    gpool_result result =
        mesh_check_part(pool, desc->vertices, desc->vertex_count, "vertices", label);
    if (result == GPOOL_OK) {
        result = mesh_check_part(pool, desc->indices, desc->index_count, "indices", label);
    }
    if (result != GPOOL_OK) {
        return result;
    }
    if (!gpool__is_enum((unsigned)desc->index_format, WGPUIndexFormat_Uint32, true) ||
        (unsigned)desc->keep > GPOOL_KEEP_DROP) {
        return GPOOL__FAIL(pool, ARGUMENT_VALUE, INVALID_ARGUMENT,
                           "The index format [%u] or keep policy [%u] of mesh \"%s\" is unknown",
                           (unsigned)desc->index_format, (unsigned)desc->keep, label);
    }
    bool vertices = desc->vertex_count > 0 || desc->vertex_stride > 0;
    if (vertices && (desc->vertex_stride == 0 || desc->vertex_stride % GPOOL__WORD != 0 ||
                     desc->vertex_stride > MESH_MAX_STRIDE)) {
        return GPOOL__FAIL(pool, ALIGNMENT, MISALIGNED,
                           "The vertex stride [%u] of mesh \"%s\" is 0, no multiple of 4 or over "
                           "[%u]",
                           desc->vertex_stride, label, MESH_MAX_STRIDE);
    }
    return GPOOL_OK;
}

/* Room for a part of so many bytes, which are not written yet. */
static gpool_result mesh_take(gpool *pool, gpool__heap *heap, const gpool__mesh *mesh,
                              gpool_mesh_part part, uint64_t size, gpool__mesh_place *place)
{
    if (size == 0) {
        return GPOOL_OK;
    }
    return gpool__heap_take(pool, heap, size, gpool__mesh_align(pool, mesh, part), mesh->drops,
                            gpool__mesh_user(mesh, part), mesh->base.label, place);
}

static gpool_result mesh_fill(gpool *pool, const gpool__mesh_place *place, const void *data)
{
    if (place->slab == NULL) {
        return GPOOL_OK;
    }
    if (data == NULL) {
        return mesh_clear(pool, place, 0);
    }
    if (place->slab->drops) {
        return mesh_send(pool, place, 0, data, place->size);
    }
    memcpy(place->slab->buffer->shadow + gpool__place_offset(place), data, (size_t)place->size);
    mesh_mark(pool, place, 0, place->size);
    pool->stats.written_bytes += place->size;
    return GPOOL_OK;
}

static gpool_result mesh_set_refill(gpool *pool, gpool__mesh *mesh, const gpool_mesh_desc *desc)
{
    if (desc->refill == NULL) {
        return GPOOL_OK;
    }
    mesh->refill = gpool__alloc(&pool->memory, sizeof *mesh->refill);
    if (mesh->refill == NULL) {
        return GPOOL__FAIL(pool, MEMORY, OUT_OF_MEMORY, "No memory for the mesh \"%s\"",
                           mesh->base.label);
    }
    *mesh->refill = (gpool__mesh_refill){ desc->refill, desc->refill_user };
    return GPOOL_OK;
}

static gpool_result mesh_make(gpool *pool, gpool__heap *heap, const gpool_mesh_desc *desc,
                              gpool__mesh *mesh)
{
    mesh->stride = desc->vertex_stride;
    mesh->vertex_count = desc->vertex_count;
    mesh->index_count = desc->index_count;
    mesh->format = desc->index_format != 0 ? desc->index_format : WGPUIndexFormat_Uint32;
    mesh->version = 1;
    mesh->drops = desc->keep == GPOOL_KEEP_DROP;
    mesh->storage = desc->storage;
    mesh->pinned = desc->pinned;
    gpool__mesh_place *vertices = &mesh->parts[GPOOL_MESH_VERTICES];
    gpool__mesh_place *indices = &mesh->parts[GPOOL_MESH_INDICES];
    gpool_result result = mesh_set_refill(pool, mesh, desc);
    if (result == GPOOL_OK) {
        result =
            mesh_take(pool, heap, mesh, GPOOL_MESH_VERTICES,
                      mesh_part_bytes(mesh, GPOOL_MESH_VERTICES, desc->vertex_count), vertices);
    }
    if (result == GPOOL_OK) {
        result = mesh_take(pool, heap, mesh, GPOOL_MESH_INDICES,
                           mesh_part_bytes(mesh, GPOOL_MESH_INDICES, desc->index_count), indices);
    }
    if (result == GPOOL_OK) {
        result = mesh_fill(pool, vertices, desc->vertices);
    }
    if (result == GPOOL_OK) {
        result = mesh_fill(pool, indices, desc->indices);
    }
    return result;
}

static gpool_mesh mesh_create(gpool *pool, const gpool_mesh_desc *desc)
{
    gpool_mesh none = { 0 };
    gpool_result result = mesh_check_desc(pool, desc);
    gpool__heap *heap = result == GPOOL_OK ? gpool__heap_resolve(pool, desc->heap, &result) : NULL;
    gpool__mesh *mesh =
        heap != NULL
            ? mesh_of(gpool__resource_take(pool, GPOOL_KIND_MESH, desc->label, desc->scope))
            : NULL;
    if (mesh == NULL) {
        return none;
    }
    const uint32_t slabs = heap->slab_number;
    const uint64_t written = pool->stats.written_bytes;
    result = mesh_make(pool, heap, desc, mesh);
    if (result != GPOOL_OK) {
        pool->stats.written_bytes = written; /* of the first part */
        mesh_release(pool, &mesh->base);
        gpool__heap_undo(pool, heap, slabs);
        gpool__resource_cancel(pool, &mesh->base);
        return none;
    }
    mesh_link(pool, heap, mesh);
    gpool__resource_count_bytes(pool, &mesh->base, 0, gpool__resource_bytes(&mesh->base));
    return (gpool_mesh){ gpool__handle_of(pool, &mesh->base) };
}

gpool_mesh gpool_mesh_create(gpool *pool, const gpool_mesh_desc *desc)
{
    gpool_mesh mesh = { 0 };
    gpool__call call;
    if (gpool__enter(pool, "gpool_mesh_create", &call) == GPOOL_OK) {
        mesh = mesh_create(pool, desc);
        gpool__leave(pool, &call);
    }
    return mesh;
}

gpool_result gpool_mesh_destroy(gpool *pool, gpool_mesh mesh)
{
    return gpool__destroy_handle(pool, mesh.id, GPOOL_KIND_MESH, "gpool_mesh_destroy");
}

/* --- writes --- */

static gpool_result mesh_check_write(gpool *pool, const gpool__mesh *mesh, gpool_mesh_part part,
                                     uint64_t offset, const void *data, uint64_t size)
{
    const char *label = mesh->base.label;
    if ((unsigned)part >= GPOOL_MESH_PARTS) {
        return GPOOL__FAIL(pool, ARGUMENT_VALUE, INVALID_ARGUMENT,
                           "The part [%u] of mesh \"%s\" is unknown", (unsigned)part, label);
    }
    uint64_t bytes = mesh->parts[part].size;
    if (!gpool__range_inside(offset, size, bytes)) {
        return GPOOL__FAIL(
            pool, RANGE, OUT_OF_RANGE,
            "Offset [%llu] and size [%llu] lie outside the [%llu] bytes of part [%d] "
            "of mesh \"%s\"",
            (unsigned long long)offset, (unsigned long long)size, (unsigned long long)bytes,
            (int)part, label);
    }
    if (data == NULL && size > 0) {
        return GPOOL__FAIL(pool, ARGUMENT_NULL, INVALID_ARGUMENT,
                           "The data [NULL] for mesh \"%s\" is null", label);
    }
    if (mesh->drops && size > 0 &&
        (offset % GPOOL__WORD != 0 || (size % GPOOL__WORD != 0 && offset + size != bytes))) {
        return GPOOL__FAIL(
            pool, ALIGNMENT, MISALIGNED,
            "Offset [%llu] and size [%llu] of a write to mesh \"%s\", which keeps no "
            "shadow, are not multiples of 4",
            (unsigned long long)offset, (unsigned long long)size, label);
    }
    return GPOOL_OK;
}

gpool_result gpool_mesh_write(gpool *pool, gpool_mesh handle, gpool_mesh_part part, uint64_t offset,
                              const void *data, uint64_t size)
{
    gpool__call call;
    gpool_result result = gpool__enter(pool, "gpool_mesh_write", &call);
    if (result != GPOOL_OK) {
        return result;
    }
    const gpool__mesh *mesh = mesh_resolve(pool, handle, &result);
    if (mesh != NULL) {
        result = mesh_check_write(pool, mesh, part, offset, data, size);
        if (result == GPOOL_OK && size > 0) {
            result = mesh_put(pool, &mesh->parts[part], offset, data, size);
        }
    }
    gpool__leave(pool, &call);
    return result;
}

/* --- resize --- */

static gpool_result mesh_check_resize(gpool *pool, const gpool__mesh *mesh, uint32_t vertex_count,
                                      uint32_t index_count)
{
    const char *label = mesh->base.label;
    if ((vertex_count == 0 && index_count == 0) || (vertex_count > 0 && mesh->stride == 0)) {
        return GPOOL__FAIL(pool, ARGUMENT_VALUE, INVALID_ARGUMENT,
                           "Mesh \"%s\" with a stride of [%u] cannot have [%u] vertices and [%u] "
                           "indices",
                           label, mesh->stride, vertex_count, index_count);
    }
    /* Copies are of whole words: indices behind the end could not be made zeros. */
    if (mesh->drops && index_count < mesh->index_count &&
        mesh_part_bytes(mesh, GPOOL_MESH_INDICES, index_count) % GPOOL__WORD != 0) {
        return GPOOL__FAIL(pool, ALIGNMENT, MISALIGNED,
                           "The [%u] short indices to which mesh \"%s\" of [%u], which keeps no "
                           "shadow, is to shrink are an odd number",
                           index_count, label, mesh->index_count);
    }
    if (gpool__resource_is_recorded(pool, &mesh->base)) {
        return GPOOL__FAIL(pool, RECORDED, RECORDED,
                           "Resize of mesh \"%s\" to [%u] vertices and [%u] indices while a "
                           "recorder names it",
                           label, vertex_count, index_count);
    }
    return GPOOL_OK;
}

/* Brings what a part keeps to its new place. */
static gpool_result mesh_bring(gpool *pool, const gpool__mesh_place *from,
                               const gpool__mesh_place *to)
{
    if (to->slab == NULL) {
        return GPOOL_OK;
    }
    uint64_t kept = gpool__min(from->size, to->size);
    if (kept == 0) {
        return mesh_clear(pool, to, 0);
    }
    if (to->slab->drops) {
        gpool__move move = { .from = *from, .to = *to };
        return gpool__moves_submit(pool, &move, 1);
    }
    memcpy(to->slab->buffer->shadow + gpool__place_offset(to),
           from->slab->buffer->shadow + gpool__place_offset(from), (size_t)kept);
    mesh_mark(pool, to, 0, kept);
    /* An odd number of short indices ends in the middle of a word, whose rest need not be zeros. */
    return kept < to->size ? mesh_clear(pool, to, kept) : GPOOL_OK;
}

static gpool_result mesh_resize(gpool *pool, gpool__mesh *mesh, uint32_t vertex_count,
                                uint32_t index_count)
{
    const uint32_t counts[GPOOL_MESH_PARTS] = { vertex_count, index_count };
    gpool__heap *heap = gpool__heap_at(pool, mesh->heap);
    gpool__mesh_place fresh[GPOOL_MESH_PARTS] = { { 0 } };
    bool changes[GPOOL_MESH_PARTS] = { vertex_count != mesh->vertex_count,
                                       index_count != mesh->index_count };
    /* The old places move into a slot of their own, which retires like any other. */
    gpool__mesh *old = mesh_of(gpool__resource_take_spare(pool, GPOOL_KIND_MESH));
    if (old == NULL) {
        return gpool_last_error(pool)->code;
    }
    gpool_result result = GPOOL_OK;
    const uint32_t slabs = heap->slab_number;
    for (int part = 0; part < GPOOL_MESH_PARTS && result == GPOOL_OK; ++part) {
        if (changes[part]) {
            result =
                mesh_take(pool, heap, mesh, (gpool_mesh_part)part,
                          mesh_part_bytes(mesh, (gpool_mesh_part)part, counts[part]), &fresh[part]);
        }
        if (changes[part] && result == GPOOL_OK) {
            result = mesh_bring(pool, &mesh->parts[part], &fresh[part]);
        }
    }
    if (result != GPOOL_OK) {
        gpool__slab_free(pool, &fresh[GPOOL_MESH_VERTICES]);
        gpool__slab_free(pool, &fresh[GPOOL_MESH_INDICES]);
        gpool__heap_undo(pool, heap, slabs);
        gpool__resource_cancel(pool, &old->base);
        return result;
    }
    uint64_t bytes = gpool__resource_bytes(&mesh->base);
    for (int part = 0; part < GPOOL_MESH_PARTS; ++part) {
        if (changes[part]) {
            old->parts[part] = mesh->parts[part];
            mesh->parts[part] = fresh[part];
        }
    }
    mesh->vertex_count = vertex_count;
    mesh->index_count = index_count;
    mesh->version += 1;
    gpool__resource_count_bytes(pool, &mesh->base, bytes, gpool__resource_bytes(&mesh->base));
    gpool__resource_count_bytes(pool, &old->base, 0, gpool__resource_bytes(&old->base));
    gpool__resource_retire(pool, &old->base);
    return GPOOL_OK;
}

gpool_result gpool_mesh_resize(gpool *pool, gpool_mesh handle, uint32_t vertex_count,
                               uint32_t index_count)
{
    gpool__call call;
    gpool_result result = gpool__enter(pool, "gpool_mesh_resize", &call);
    if (result != GPOOL_OK) {
        return result;
    }
    gpool__mesh *mesh = mesh_resolve(pool, handle, &result);
    if (mesh != NULL && (vertex_count != mesh->vertex_count || index_count != mesh->index_count)) {
        result = mesh_check_resize(pool, mesh, vertex_count, index_count);
        if (result == GPOOL_OK) {
            result = mesh_resize(pool, mesh, vertex_count, index_count);
        }
    }
    gpool__leave(pool, &call);
    return result;
}

/* --- what is told --- */

static gpool_buffer mesh_slab_handle(gpool *pool, const gpool__mesh_place *place)
{
    gpool_buffer none = { 0 };
    return place->slab != NULL
               ? (gpool_buffer){ gpool__handle_of(pool, &place->slab->buffer->base) }
               : none;
}

gpool_mesh_info gpool__mesh_info_of(gpool *pool, const gpool__mesh *mesh)
{
    const gpool__mesh_place *vertices = &mesh->parts[GPOOL_MESH_VERTICES];
    const gpool__mesh_place *indices = &mesh->parts[GPOOL_MESH_INDICES];
    uint64_t vertex_offset = vertices->slab != NULL ? gpool__place_offset(vertices) : 0;
    uint64_t index_offset = indices->slab != NULL ? gpool__place_offset(indices) : 0;
    return (gpool_mesh_info){
        .vertex_buffer = mesh_slab_handle(pool, vertices),
        .vertex_offset = vertex_offset,
        .vertex_bytes = vertices->size,
        .vertex_stride = mesh->stride,
        .vertex_count = mesh->vertex_count,
        .base_vertex = mesh->stride != 0 ? (int32_t)(vertex_offset / mesh->stride) : 0,
        .index_buffer = mesh_slab_handle(pool, indices),
        .index_offset = index_offset,
        .index_bytes = indices->size,
        .index_format = mesh->format,
        .index_count = mesh->index_count,
        .first_index = (uint32_t)(index_offset / mesh_index_size(mesh->format)),
        .version = mesh->version,
        .created_frame = mesh->base.alive.created_frame,
        .heap = { gpool__handle_of(pool, gpool__resource_at(pool, mesh->heap)) },
        .keep = mesh->drops ? GPOOL_KEEP_DROP : GPOOL_KEEP_SHADOW,
        .pinned = mesh->pinned,
        .failed = mesh->base.failed,
        .label = mesh->base.label,
    };
}

gpool_result gpool_mesh_get_info(gpool *pool, gpool_mesh handle, gpool_mesh_info *info)
{
    gpool__call call;
    gpool_result result = gpool__enter(pool, "gpool_mesh_get_info", &call);
    if (result != GPOOL_OK) {
        return result;
    }
    const gpool__mesh *mesh = mesh_of(gpool__resolve(pool, handle.id, GPOOL_KIND_MESH, &result));
    if (mesh != NULL && info == NULL) {
        result = GPOOL__FAIL(pool, ARGUMENT_NULL, INVALID_ARGUMENT, "The info [NULL] is null");
    } else if (mesh != NULL) {
        *info = gpool__mesh_info_of(pool, mesh);
    }
    gpool__leave(pool, &call);
    return result;
}

gpool_result gpool_mesh_pin(gpool *pool, gpool_mesh handle, bool pinned)
{
    gpool__call call;
    gpool_result result = gpool__enter(pool, "gpool_mesh_pin", &call);
    if (result != GPOOL_OK) {
        return result;
    }
    gpool__mesh *mesh = mesh_of(gpool__resolve(pool, handle.id, GPOOL_KIND_MESH, &result));
    if (mesh != NULL) {
        /* What it kept from being emptied is tried again. */
        gpool__heap_at(pool, mesh->heap)->frees += mesh->pinned && !pinned ? 1 : 0;
        mesh->pinned = pinned;
    }
    gpool__leave(pool, &call);
    return result;
}

/* --- recovery --- */

/* Calls the program. It is inside a call of gpool, so it can change nothing but kill handles. */
static gpool_result mesh_ask(gpool *pool, const gpool__mesh *mesh, uint8_t *bytes,
                             uint64_t vertex_size)
{
    gpool_mesh handle = { gpool__handle_of(pool, &mesh->base) };
    gpool_mesh_info info = gpool__mesh_info_of(pool, mesh);
    gpool_result result = mesh->refill->fn(mesh->refill->user, pool, handle, &info,
                                           info.vertex_bytes > 0 ? bytes : NULL,
                                           info.index_bytes > 0 ? bytes + vertex_size : NULL);
    if (result != GPOOL_OK) {
        return gpool__fail(&pool->log, GPOOL_LOG_NO_SHADOW, result,
                           "The refill of mesh \"%s\" answered [%d], %s", mesh->base.label,
                           (int)result, gpool_result_text(result));
    }
    (void)gpool__resolve(pool, handle.id, GPOOL_KIND_MESH, &result);
    return result;
}

gpool_result gpool__mesh_refill_now(gpool *pool, gpool__mesh *mesh)
{
    if (mesh->refill == NULL) {
        return GPOOL_ERROR_UNSUPPORTED;
    }
    const gpool__mesh_place *vertices = &mesh->parts[GPOOL_MESH_VERTICES];
    const gpool__mesh_place *indices = &mesh->parts[GPOOL_MESH_INDICES];
    uint64_t vertex_size = gpool__round_up(vertices->size, 16);
    uint64_t size = vertex_size + indices->size;
    uint8_t *bytes = size <= SIZE_MAX ? gpool__alloc(&pool->memory, (size_t)size) : NULL;
    if (bytes == NULL) {
        return GPOOL__FAIL(pool, MEMORY, OUT_OF_MEMORY,
                           "No memory for the refill of mesh \"%s\", [%llu] bytes",
                           mesh->base.label, (unsigned long long)size);
    }
    gpool_result result = mesh_ask(pool, mesh, bytes, vertex_size);
    if (result == GPOOL_OK && vertices->slab != NULL) {
        result = mesh_send(pool, vertices, 0, bytes, vertices->size);
    }
    if (result == GPOOL_OK && indices->slab != NULL) {
        result = mesh_send(pool, indices, 0, bytes + vertex_size, indices->size);
    }
    gpool__free(&pool->memory, bytes, (size_t)size);
    return result;
}
