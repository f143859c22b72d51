/*
 * Facts about texture formats: block size, bytes, aspects, needed feature. From the tables of the
 * WebGPU specification, section "Texture Format Capabilities".
 */
#ifndef GPOOL_GPU_FORMAT_H
#define GPOOL_GPU_FORMAT_H

#include <webgpu.h>

#include <stdbool.h>
#include <stdint.h>

typedef struct gpool__format {
    uint8_t block_width;     /* texels; 0 = not a format */
    uint8_t block_height;    /* texels */
    uint8_t block_bytes;     /* bytes of a block in memory, all aspects */
    uint8_t depth_bytes;     /* bytes of a depth texel in copies; 0 = none or not copyable */
    bool depth;              /* has a depth aspect */
    bool stencil;            /* has a stencil aspect */
    bool depth_writable;     /* depth may be written from memory */
    WGPUFeatureName feature; /* feature it needs; 0 = none */
} gpool__format;

/** Facts of a format; block_width 0 for anything that is none. */
gpool__format gpool__format_facts(WGPUTextureFormat format);

/** The sRGB or linear twin of an 8-bit RGBA or BGRA format; Undefined when it has none. */
WGPUTextureFormat gpool__format_twin(WGPUTextureFormat format);

/** The format without sRGB encoding: formats with the same one can be copied to each other. */
WGPUTextureFormat gpool__format_linear(WGPUTextureFormat format);

/** Name of a format as in webgpu.h, such as "RGBA8Unorm"; "unknown" for anything that is none. */
const char *gpool__format_name(WGPUTextureFormat format);

/**
 * True for uncompressed color formats that a linear filter may read and that some device renders to;
 * `float32` says whether the device filters 32-bit floats.
 */
bool gpool__format_is_filterable(WGPUTextureFormat format, bool float32);

/**
 * Bytes of a block of one aspect in copies between memory and textures; 0 when that is not
 * possible. Aspect All of a format with one aspect means that aspect.
 */
uint32_t gpool__format_copy_bytes(gpool__format facts, WGPUTextureAspect aspect, bool write);

#endif
