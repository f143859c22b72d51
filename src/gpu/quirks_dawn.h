/*
 * What tells the one Dawn build whose enumerations and structures are known from any other.
 */
#ifndef GPOOL_GPU_QUIRKS_DAWN_H
#define GPOOL_GPU_QUIRKS_DAWN_H

/* XXH3-64 of libwebgpu_wrapper.so of the npm package bun-webgpu-linux-x64 0.1.7. */
#define GPOOL__DAWN_HASH UINT64_C(0x08226b1a3b6655fc)
#define GPOOL__DAWN_SIZE 19695792

#endif
