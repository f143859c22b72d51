/*
 * Size arithmetic that cannot wrap, and small integer helpers.
 */
#ifndef GPOOL_BASE_CHECKED_H
#define GPOOL_BASE_CHECKED_H

#include <stdbool.h>
#include <stdint.h>

/** True when [offset, offset + size) lies inside [0, limit), without computing the sum. */
static inline bool gpool__range_inside(uint64_t offset, uint64_t size, uint64_t limit)
{
    return offset <= limit && size <= limit - offset;
}

/** Rounds up to a multiple of a power of two; the value must be at most 2^64 - unit. */
static inline uint64_t gpool__round_up(uint64_t value, uint64_t unit)
{
    return (value + unit - 1) & ~(unit - 1);
}

/** Rounds down to a multiple of a power of two. */
static inline uint64_t gpool__round_down(uint64_t value, uint64_t unit)
{
    return value & ~(unit - 1);
}

/** The smaller of two. */
static inline uint64_t gpool__min(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/** The larger of two. */
static inline uint64_t gpool__max(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/** For functions that only prefetch: compilers take one that they do not inline for one without effect, and
 * drop its calls. */
#if defined(__GNUC__)
#define GPOOL__ALWAYS_INLINE static inline __attribute__((always_inline))
#else
#define GPOOL__ALWAYS_INLINE static inline
#endif

/** Asks for the memory at an address, which is read or written soon; it may be any address. */
GPOOL__ALWAYS_INLINE void gpool__prefetch(const void *address)
{
#if defined(__GNUC__)
    __builtin_prefetch(address, 1);
#else
    (void)address;
#endif
}

/** Number of the lowest set bit; `bits` must not be 0. */
static inline uint32_t gpool__lowest_bit(uint64_t bits)
{
#if defined(__GNUC__)
    return (uint32_t)__builtin_ctzll(bits);
#else
    uint32_t index = 0;
    while ((bits & 1u) == 0) {
        bits >>= 1;
        index += 1;
    }
    return index;
#endif
}

/** Number of the highest set bit; `bits` must not be 0. */
static inline uint32_t gpool__highest_bit(uint64_t bits)
{
#if defined(__GNUC__)
    return 63u - (uint32_t)__builtin_clzll(bits);
#else
    uint32_t index = 0;
    while (bits > 1) {
        bits >>= 1;
        index += 1;
    }
    return index;
#endif
}

/** How many bits are set: sums of 2, 4 and 8 neighbours, and all bytes by a product. */
static inline uint32_t gpool__count_bits(uint64_t bits)
{
    bits -= bits >> 1 & UINT64_C(0x5555555555555555);
    bits = (bits & UINT64_C(0x3333333333333333)) + (bits >> 2 & UINT64_C(0x3333333333333333));
    bits = (bits + (bits >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    return (uint32_t)(bits * UINT64_C(0x0101010101010101) >> 56);
}

/** Multiplies; false, with `*product` untouched, when it does not fit. */
static inline bool gpool__multiply(uint64_t a, uint64_t b, uint64_t *product)
{
    if (b != 0 && a > UINT64_MAX / b) {
        return false;
    }
    *product = a * b;
    return true;
}

#endif
