/*
 * Copies and clears, outside passes.
 */
#include "record/recording.h"

#include "gpu/format.h"
#include "pool/buffer_keep.h"
#include "pool/staging.h"

#include <string.h>

static gpool__buffer *copy_buffer_of(gpool *pool, gpool_buffer handle, bool source,
                                     gpool_result *result)
{
    gpool__buffer *buffer =
        source ? gpool__record_source(pool, handle, result)
               : (gpool__buffer *)gpool__resolve_good(pool, handle.id, GPOOL_KIND_BUFFER, result);
    gpool_buffer_usage needed =
        source ? GPOOL_BUFFER_COPY_SOURCE | GPOOL_BUFFER_READ_BACK : GPOOL_BUFFER_COPY_TARGET;
    if (buffer != NULL && (buffer->usage & needed) == 0) {
        *result =
            GPOOL__FAIL(pool, USAGE, MISSING_USAGE, "The usage [0x%x] of buffer \"%s\" lacks %s",
                        buffer->usage, buffer->base.label, source ? "COPY_SOURCE" : "COPY_TARGET");
        return NULL;
    }
    return buffer;
}

static gpool__texture *copy_texture_of(gpool *pool, gpool_texture handle, bool source,
                                       gpool_result *result)
{
    gpool__texture *texture =
        (gpool__texture *)gpool__resolve_good(pool, handle.id, GPOOL_KIND_TEXTURE, result);
    gpool_texture_usage needed =
        source ? GPOOL_TEXTURE_COPY_SOURCE | GPOOL_TEXTURE_READ_BACK : GPOOL_TEXTURE_COPY_TARGET;
    if (texture != NULL && (texture->usage & needed) == 0) {
        *result = GPOOL__FAIL(pool, USAGE, MISSING_USAGE,
                              "The usage [0x%x] of texture \"%s\" lacks %s", texture->usage,
                              texture->base.label, source ? "COPY_SOURCE" : "COPY_TARGET");
        return NULL;
    }
    return texture;
}

/* Ranges of copies are multiples of 4 and lie inside the GPU object. */
static gpool_result copy_check_range(gpool *pool, const gpool__buffer *buffer, uint64_t offset,
                                     uint64_t size)
{
    if (offset % 4 != 0 || size % 4 != 0) {
        return GPOOL__FAIL(pool, ALIGNMENT, MISALIGNED,
                           "Offset [%llu] and size [%llu] of a copy with buffer \"%s\" are not "
                           "multiples of 4",
                           (unsigned long long)offset, (unsigned long long)size,
                           buffer->base.label);
    }
    if (!gpool__range_inside(offset, size, gpool__buffer_gpu_size(buffer))) {
        return GPOOL__FAIL(pool, RANGE, OUT_OF_RANGE,
                           "Offset [%llu] and size [%llu] of a copy lie outside buffer \"%s\" of "
                           "[%llu] bytes",
                           (unsigned long long)offset, (unsigned long long)size, buffer->base.label,
                           (unsigned long long)buffer->size);
    }
    return GPOOL_OK;
}

/* Copies the caller's bytes at this point of the recording: through staging that lives as long as it. */
static gpool_result copy_write(struct gpool_recorder_state *state, gpool_buffer handle,
                               uint64_t offset, const void *data, uint64_t size)
{
    gpool *pool = state->pool;
    gpool_result result;
    gpool__buffer *buffer = copy_buffer_of(pool, handle, false, &result);
    if (buffer == NULL) {
        return result;
    }
    result = copy_check_range(pool, buffer, offset, size);
    if (result == GPOOL_OK && data == NULL && size > 0) {
        result = GPOOL__FAIL(pool, ARGUMENT_NULL, INVALID_ARGUMENT,
                             "The data [NULL] for buffer \"%s\" is null", buffer->base.label);
    }
    if (result != GPOOL_OK) {
        return result;
    }
    /* The encoder before the bytes: a new one tells a loss, and an open pass refuses the call. */
    WGPUCommandEncoder encoder = gpool__record_encoder(state, &result);
    if (encoder == NULL || size == 0) {
        return result;
    }
    gpool__staged staged;
    result = gpool__staging_take(pool, GPOOL__STAGE_RECORD, size, &staged);
    if (result == GPOOL_ERROR_BUDGET) {
        result = GPOOL__FAIL(pool, BUDGET, BUDGET,
                             "A recorded write of [%llu] bytes to buffer \"%s\" finds the staging "
                             "budget of [%llu] bytes used up",
                             (unsigned long long)size, buffer->base.label,
                             (unsigned long long)pool->staging.budget);
    }
    if (result != GPOOL_OK) {
        return result;
    }
    /* Before the shadow goes: the data may lie in it, see gpool_buffer_edit(). */
    memcpy(staged.bytes, data, (size_t)size);
    result = gpool__buffer_become_gpu_written(pool, buffer);
    if (result != GPOOL_OK) {
        return result;
    }
    GPOOL__GPU(&pool->seam, CommandEncoderCopyBufferToBuffer)
    (encoder, staged.gpu, staged.offset, buffer->gpu, offset, size);
    gpool__resource_record(pool, &buffer->base);
    pool->stats.written_bytes += size;
    pool->stats.sent_bytes += size;
    return GPOOL_OK;
}

void gpool_record_write(gpool_recorder rec, gpool_buffer buffer, uint64_t offset, const void *data,
                        uint64_t size)
{
    gpool__call call;
    struct gpool_recorder_state *state = gpool__record_enter(rec, "gpool_record_write", &call);
    if (state != NULL) {
        gpool__record_leave(state, &call, copy_write(state, buffer, offset, data, size));
    }
}

static gpool_result copy_buffers(struct gpool_recorder_state *state, gpool_buffer source,
                                 uint64_t source_offset, gpool_buffer target,
                                 uint64_t target_offset, uint64_t size)
{
    gpool *pool = state->pool;
    gpool_result result;
    gpool__buffer *from = copy_buffer_of(pool, source, true, &result);
    gpool__buffer *to = from != NULL ? copy_buffer_of(pool, target, false, &result) : NULL;
    if (to == NULL) {
        return result;
    }
    if (from == to) {
        return GPOOL__FAIL(pool, ARGUMENT_VALUE, INVALID_ARGUMENT,
                           "Source and target of a copy are the same buffer \"%s\"",
                           from->base.label);
    }
    result = copy_check_range(pool, from, source_offset, size);
    if (result == GPOOL_OK) {
        result = copy_check_range(pool, to, target_offset, size);
    }
    WGPUCommandEncoder encoder = result == GPOOL_OK ? gpool__record_encoder(state, &result) : NULL;
    if (encoder == NULL || size == 0) {
        return result;
    }
    result = gpool__buffer_become_gpu_written(pool, to);
    if (result == GPOOL_OK) {
        gpool__resource_record(pool, &from->base);
        gpool__resource_record(pool, &to->base);
        GPOOL__GPU(&pool->seam, CommandEncoderCopyBufferToBuffer)
        (encoder, from->gpu, source_offset, to->gpu, target_offset, size);
    }
    return result;
}

void gpool_copy_buffer(gpool_recorder rec, gpool_buffer source, uint64_t source_offset,
                       gpool_buffer target, uint64_t target_offset, uint64_t size)
{
    gpool__call call;
    struct gpool_recorder_state *state = gpool__record_enter(rec, "gpool_copy_buffer", &call);
    if (state != NULL) {
        gpool__record_leave(
            state, &call, copy_buffers(state, source, source_offset, target, target_offset, size));
    }
}

static gpool_result copy_clear(struct gpool_recorder_state *state, gpool_buffer handle,
                               uint64_t offset, uint64_t size)
{
    gpool *pool = state->pool;
    gpool_result result;
    gpool__buffer *buffer = copy_buffer_of(pool, handle, false, &result);
    if (buffer == NULL) {
        return result;
    }
    result = copy_check_range(pool, buffer, offset, size);
    WGPUCommandEncoder encoder = result == GPOOL_OK ? gpool__record_encoder(state, &result) : NULL;
    /* Size 0 ends the process inside wgpu-native; here it is nothing. */
    if (encoder == NULL || size == 0) {
        return result;
    }
    result = gpool__buffer_become_gpu_written(pool, buffer);
    if (result == GPOOL_OK) {
        gpool__resource_record(pool, &buffer->base);
        GPOOL__GPU(&pool->seam, CommandEncoderClearBuffer)(encoder, buffer->gpu, offset, size);
    }
    return result;
}

void gpool_clear_buffer(gpool_recorder rec, gpool_buffer buffer, uint64_t offset, uint64_t size)
{
    gpool__call call;
    struct gpool_recorder_state *state = gpool__record_enter(rec, "gpool_clear_buffer", &call);
    if (state != NULL) {
        gpool__record_leave(state, &call, copy_clear(state, buffer, offset, size));
    }
}

static WGPUTexelCopyTextureInfo copy_place(const gpool__texture *texture,
                                           const gpool__texture_part *part)
{
    WGPUTexelCopyTextureInfo place = {
        .texture = texture->gpu,
        .mipLevel = part->level,
        .origin = { part->x, part->y, part->z },
        .aspect = part->aspect,
    };
    return place;
}

static gpool_result copy_textures(struct gpool_recorder_state *state, gpool_texture source,
                                  const gpool_texture_region *source_region, gpool_texture target,
                                  const gpool_texture_region *target_region)
{
    gpool *pool = state->pool;
    gpool_result result;
    gpool__texture *from = copy_texture_of(pool, source, true, &result);
    gpool__texture *to = from != NULL ? copy_texture_of(pool, target, false, &result) : NULL;
    if (to == NULL) {
        return result;
    }
    gpool__texture_part part;
    result = gpool__texture_resolve_part(pool, from, source_region, GPOOL__PART_COPY, &part);
    if (result != GPOOL_OK) {
        return result;
    }
    /* The target region gives the origin; its extent is the source's. */
    gpool_texture_region wanted = { 0 };
    if (target_region != NULL) {
        wanted = *target_region;
    }
    wanted.width = part.width;
    wanted.height = part.height;
    wanted.depth = part.depth;
    gpool__texture_part place;
    result = gpool__texture_resolve_part(pool, to, &wanted, GPOOL__PART_COPY, &place);
    if (result != GPOOL_OK) {
        return result;
    }
    if (gpool__format_linear(from->format) != gpool__format_linear(to->format) ||
        from->samples != to->samples) {
        return GPOOL__FAIL(pool, ARGUMENT_VALUE, INVALID_ARGUMENT,
                           "A copy from \"%s\" [format 0x%x, %u samples] to \"%s\" [format 0x%x, "
                           "%u samples] needs equal formats and samples",
                           from->base.label, (unsigned)from->format, from->samples, to->base.label,
                           (unsigned)to->format, to->samples);
    }
    bool apart = from->dimension != WGPUTextureDimension_3D &&
                 (part.z + part.depth <= place.z || place.z + place.depth <= part.z);
    if (from == to && part.level == place.level && !apart) {
        return GPOOL__FAIL(
            pool, ARGUMENT_VALUE, INVALID_ARGUMENT,
            "A copy within texture \"%s\" has level [%u], layers [%u+%u] and [%u+%u] "
            "on both sides: they must not overlap",
            from->base.label, part.level, part.z, part.depth, place.z, place.depth);
    }
    WGPUCommandEncoder encoder = gpool__record_encoder(state, &result);
    if (encoder == NULL) {
        return result;
    }
    WGPUTexelCopyTextureInfo gpu_from = copy_place(from, &part);
    WGPUTexelCopyTextureInfo gpu_to = copy_place(to, &place);
    WGPUExtent3D extent = { part.width, part.height, part.depth };
    gpool__resource_record(pool, &from->base);
    gpool__recycle_cover(pool, to, &place);
    gpool__resource_record(pool, &to->base);
    GPOOL__GPU(&pool->seam, CommandEncoderCopyTextureToTexture)
    (encoder, &gpu_from, &gpu_to, &extent);
    return GPOOL_OK;
}

void gpool_copy_texture(gpool_recorder rec, gpool_texture source,
                        const gpool_texture_region *source_region, gpool_texture target,
                        const gpool_texture_region *target_region)
{
    gpool__call call;
    struct gpool_recorder_state *state = gpool__record_enter(rec, "gpool_copy_texture", &call);
    if (state != NULL) {
        gpool__record_leave(state, &call,
                            copy_textures(state, source, source_region, target, target_region));
    }
}

/* Checks the buffer side of a copy between buffer and texture. */
static gpool_result copy_check_rows(gpool *pool, const gpool__buffer *buffer,
                                    const gpool__texture *texture, const gpool__texture_part *part,
                                    uint64_t offset, uint32_t bytes_per_row)
{
    gpool__format facts = gpool__format_facts(texture->format);
    uint64_t block = gpool__format_copy_bytes(facts, part->aspect, false);
    bool depth = facts.depth || facts.stencil;
    if (bytes_per_row % 256 != 0 || bytes_per_row < part->row_bytes ||
        offset % (depth ? 4 : block) != 0 || offset % 4 != 0) {
        return GPOOL__FAIL(
            pool, ALIGNMENT, MISALIGNED,
            "The stride [%u] must be a multiple of 256 and at least [%u], the offset "
            "[%llu] a multiple of 4 and of the block's [%llu] bytes",
            bytes_per_row, part->row_bytes, (unsigned long long)offset, (unsigned long long)block);
    }
    uint64_t rows = (uint64_t)part->row_count * part->depth;
    uint64_t needed = (uint64_t)bytes_per_row * (rows - 1) + part->row_bytes;
    if (!gpool__range_inside(offset, needed, gpool__buffer_gpu_size(buffer))) {
        return GPOOL__FAIL(pool, RANGE, OUT_OF_RANGE,
                           "Offset [%llu] and the [%llu] bytes of a copy with texture \"%s\" lie "
                           "outside buffer \"%s\" of [%llu] bytes",
                           (unsigned long long)offset, (unsigned long long)needed,
                           texture->base.label, buffer->base.label,
                           (unsigned long long)buffer->size);
    }
    return GPOOL_OK;
}

static gpool_result copy_between(struct gpool_recorder_state *state, bool to_buffer,
                                 gpool_buffer buffer_handle, uint64_t offset,
                                 uint32_t bytes_per_row, gpool_texture texture_handle,
                                 const gpool_texture_region *region)
{
    gpool *pool = state->pool;
    gpool_result result;
    gpool__texture *texture = copy_texture_of(pool, texture_handle, to_buffer, &result);
    gpool__buffer *buffer =
        texture != NULL ? copy_buffer_of(pool, buffer_handle, !to_buffer, &result) : NULL;
    if (buffer == NULL) {
        return result;
    }
    gpool__texture_part part;
    result = gpool__texture_resolve_part(pool, texture, region,
                                         to_buffer ? GPOOL__PART_READ : GPOOL__PART_WRITE, &part);
    if (result == GPOOL_OK) {
        result = copy_check_rows(pool, buffer, texture, &part, offset, bytes_per_row);
    }
    WGPUCommandEncoder encoder = result == GPOOL_OK ? gpool__record_encoder(state, &result) : NULL;
    if (encoder != NULL && to_buffer) {
        result = gpool__buffer_become_gpu_written(pool, buffer);
    }
    if (encoder == NULL || result != GPOOL_OK) {
        return result;
    }
    WGPUTexelCopyTextureInfo place = copy_place(texture, &part);
    WGPUTexelCopyBufferInfo memory = {
        .buffer = buffer->gpu,
        .layout = { .offset = offset,
                    .bytesPerRow = bytes_per_row,
                    .rowsPerImage = part.row_count },
    };
    WGPUExtent3D extent = { part.width, part.height, part.depth };
    if (!to_buffer) {
        gpool__recycle_cover(pool, texture, &part);
    }
    gpool__resource_record(pool, &texture->base);
    gpool__resource_record(pool, &buffer->base);
    if (to_buffer) {
        GPOOL__GPU(&pool->seam, CommandEncoderCopyTextureToBuffer)
        (encoder, &place, &memory, &extent);
    } else {
        GPOOL__GPU(&pool->seam, CommandEncoderCopyBufferToTexture)
        (encoder, &memory, &place, &extent);
    }
    return GPOOL_OK;
}

void gpool_copy_texture_to_buffer(gpool_recorder rec, gpool_texture source,
                                  const gpool_texture_region *region, gpool_buffer target,
                                  uint64_t offset, uint32_t bytes_per_row)
{
    gpool__call call;
    struct gpool_recorder_state *state =
        gpool__record_enter(rec, "gpool_copy_texture_to_buffer", &call);
    if (state != NULL) {
        gpool__record_leave(
            state, &call, copy_between(state, true, target, offset, bytes_per_row, source, region));
    }
}

void gpool_copy_buffer_to_texture(gpool_recorder rec, gpool_buffer source, uint64_t offset,
                                  uint32_t bytes_per_row, gpool_texture target,
                                  const gpool_texture_region *region)
{
    gpool__call call;
    struct gpool_recorder_state *state =
        gpool__record_enter(rec, "gpool_copy_buffer_to_texture", &call);
    if (state != NULL) {
        gpool__record_leave(
            state, &call,
            copy_between(state, false, source, offset, bytes_per_row, target, region));
    }
}
