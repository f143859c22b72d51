/*
 * What the files of textures share: texture.c makes, resizes and destroys, texture_check.c has the
 * rules, texture_region.c regions and reads, texture_view.c views, texture_shadow.c and
 * texture_upload.c the CPU copy and how it reaches the GPU.
 */
#ifndef GPOOL_POOL_TEXTURE_STATE_H
#define GPOOL_POOL_TEXTURE_STATE_H

#include "pool/pool_state.h"
#include "track/rect_set.h"

#define GPOOL__TEXTURE_USAGES 0x3fu /* all GPOOL_TEXTURE_* flags */

/* One level of a shadow: slices (or layers) of rows of blocks, without padding. */
typedef struct gpool__shadow_level {
    uint64_t offset;      /* of its first byte */
    uint64_t slice_bytes; /* rows x row_bytes */
    uint32_t row_bytes;
    uint32_t columns; /* blocks */
    uint32_t rows;    /* of blocks */
    uint32_t slices;
    uint32_t first_set;   /* of its slices, in order */
    uint32_t dirty_first; /* slices with rectangles lie in [dirty_first, dirty_end) */
    uint32_t dirty_end;   /* equal to dirty_first = clean */
} gpool__shadow_level;

/*
 * The CPU copy of a texture, all levels and slices, and which of it the GPU does not have yet. One block
 * of memory: this, levels, sets, bytes. A texture that commands can write has none.
 */
typedef struct gpool__texture_shadow {
    gpool__texture *texture;
    struct gpool__texture_shadow *dirty_next;
    struct gpool__texture_shadow *dirty_previous;
    bool in_dirty_list;
    bool raw; /* the GPU object was handed out */
    uint8_t block_width;
    uint8_t block_height;
    uint32_t block_bytes;
    uint32_t level_count;
    size_t memory_size;
    gpool__rect_set *sets;
    uint8_t *bytes;
    gpool__shadow_level levels[];
} gpool__texture_shadow;

/** Makes the shadow of a texture, all zeros and clean; GPOOL_ERROR_OUT_OF_MEMORY recorded. */
gpool_result gpool__shadow_create(gpool *pool, gpool__texture *texture);

/** Takes a shadow out of the list and frees it; NULL is silent. */
void gpool__shadow_free(gpool *pool, gpool__texture_shadow *shadow);

/** Copies checked data into the shadow of a texture and marks the part dirty. */
void gpool__shadow_write(gpool *pool, gpool__texture_shadow *shadow,
                         const gpool__texture_part *part, const void *data, uint32_t bytes_per_row);

/** Copies what lies inside both extents in every level that both have. */
void gpool__shadow_copy(gpool__texture_shadow *to, const gpool__texture_shadow *from);

/** Marks everything dirty. */
void gpool__shadow_mark_all(gpool *pool, gpool__texture_shadow *shadow);

/** Forgets all marks. */
void gpool__shadow_clear(gpool *pool, gpool__texture_shadow *shadow);

/** Bytes of all rectangles. */
uint64_t gpool__shadow_dirty_bytes(const gpool__texture_shadow *shadow);

/** Puts a shadow with dirty rectangles into the list. */
void gpool__texture_enlist(gpool *pool, gpool__texture_shadow *shadow);

/** Takes a shadow out of the list. */
void gpool__texture_delist(gpool *pool, gpool__texture_shadow *shadow);

/**
 * Sends what is dirty of one texture to the queue; without a shadow, nothing. On an error all of it
 * stays dirty.
 */
gpool_result gpool__texture_flush(gpool *pool, gpool__texture *texture);

/** True when a texture may be handed out for this access, and sends what is dirty; else told. */
bool gpool__texture_hand_out(gpool *pool, gpool__texture *texture, gpool_access access,
                             gpool_result *result);

/** True when a resize keeps the content on the GPU; depth, stencil and multisampled are cleared. */
bool gpool__texture_keeps_content(const gpool__texture *texture);

/** Usage of the GPU object of a texture that is no import. */
WGPUTextureUsage gpool__texture_gpu_usage(const gpool__texture *texture);

/** Bytes of all levels, layers and samples. */
uint64_t gpool__texture_count_bytes(const gpool__texture *texture);

/** Levels down to one texel. */
uint32_t gpool__texture_max_levels(const gpool__texture *texture);

/** Checks an extent against the device's limits and the format's blocks. */
gpool_result gpool__texture_check_extent(gpool *pool, const gpool__texture *texture,
                                         const char *label);

/** Checks rules between format, dimension, usage and samples. */
gpool_result gpool__texture_check_kind(gpool *pool, const gpool__texture *texture,
                                       const char *label);

/** Fills a texture from a descriptor with defaults resolved, and checks it. */
gpool_result gpool__texture_resolve_desc(gpool *pool, const gpool_texture_desc *desc,
                                         gpool__texture *texture);

#endif
