/*
 * Foreign buffers: never recycled, never resized, without a shadow.
 */
#include "pool/pool_state.h"

static gpool_buffer buffer_import(gpool *pool, const gpool_buffer_import_desc *desc)
{
    gpool_buffer none = { 0 };
    if (desc == NULL || desc->buffer == NULL) {
        (void)GPOOL__FAIL(pool, ARGUMENT_NULL, INVALID_ARGUMENT,
                          "The descriptor or its buffer [NULL] is null");
        return none;
    }
    const char *label = desc->label != NULL ? desc->label : "";
    if (desc->this_frame && !pool->in_frame) {
        (void)GPOOL__FAIL(pool, PHASE, WRONG_PHASE,
                          "Import of buffer \"%s\" for this frame outside a frame", label);
        return none;
    }
    if (desc->usage == 0 || (desc->usage & ~GPOOL__BUFFER_USAGES) != 0) {
        (void)GPOOL__FAIL(pool, USAGE, MISSING_USAGE,
                          "The usage [0x%x] of import \"%s\" is empty or has unknown flags",
                          desc->usage, label);
        return none;
    }
    /* What a use needs is compared with what the object has; CopyDst comes with writes only. */
    WGPUBufferUsage has = GPOOL__GPU(&pool->seam, BufferGetUsage)(desc->buffer);
    gpool__buffer bare = { .size = 4, .usage = desc->usage };
    WGPUBufferUsage needs =
        gpool__buffer_gpu_usage(&bare) & ~(WGPUBufferUsage_CopyDst | WGPUBufferUsage_CopySrc);
    needs |= (desc->usage & GPOOL_BUFFER_COPY_TARGET) != 0 ? WGPUBufferUsage_CopyDst : 0;
    needs |= (desc->usage & (GPOOL_BUFFER_COPY_SOURCE | GPOOL_BUFFER_READ_BACK)) != 0
                 ? WGPUBufferUsage_CopySrc
                 : 0;
    uint64_t size = GPOOL__GPU(&pool->seam, BufferGetSize)(desc->buffer);
    if ((needs & ~has) != 0 || size == 0) {
        (void)GPOOL__FAIL(
            pool, USAGE, MISSING_USAGE,
            "The buffer imported as \"%s\" has WebGPU usage [0x%llx] and size [%llu], "
            "usage [0x%llx] is needed",
            label, (unsigned long long)has, (unsigned long long)size, (unsigned long long)needs);
        return none;
    }
    if (desc->this_frame && !gpool__frame_import_reserve(pool)) {
        return none;
    }
    gpool__buffer *buffer =
        (gpool__buffer *)gpool__resource_take(pool, GPOOL_KIND_BUFFER, desc->label, desc->scope);
    if (buffer == NULL) {
        return none;
    }
    GPOOL__GPU(&pool->seam, BufferAddRef)(desc->buffer);
    buffer->gpu = desc->buffer;
    buffer->size = size;
    buffer->usage = desc->usage;
    buffer->version = 1;
    buffer->gpu_written = true;
    buffer->imported = true;
    buffer->raw = true;
    if (desc->this_frame) {
        gpool__frame_import_add(pool, &buffer->base);
    }
    return (gpool_buffer){ gpool__handle_of(pool, &buffer->base) };
}

gpool_buffer gpool_buffer_import(gpool *pool, const gpool_buffer_import_desc *desc)
{
    gpool_buffer buffer = { 0 };
    gpool__call call;
    if (gpool__enter(pool, "gpool_buffer_import", &call) == GPOOL_OK) {
        buffer = buffer_import(pool, desc);
        gpool__leave(pool, &call);
    }
    return buffer;
}
