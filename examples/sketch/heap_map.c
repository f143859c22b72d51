#include "heap_map.h"

#include "noise.h"
#include "picture.h"
#include "vector.h"

#include <stdio.h>

#define MAP_WIDTH  960u /* of a line */
#define MAP_LINE   14u  /* height of one, with the gap below it */
#define MAP_GAP    2u
#define MAP_LINES  4u  /* of a slab of the usual size */
#define MAP_MARGIN 16u /* around everything, and between slabs */

/* Lines of a slab: large ones are drawn at the same scale. */
static uint32_t lines_of(const gpool_heap_info *info, const gpool_heap_slab *slab)
{
    return (uint32_t)((slab->size * MAP_LINES + info->slab_size - 1) / info->slab_size);
}

static void set_texel(picture *map, uint32_t x, uint32_t y, vec3 color)
{
    uint8_t *texel = map->texels + ((size_t)y * map->width + x) * 4u;
    texel[0] = (uint8_t)(clampf(color.x, 0.0f, 1.0f) * 255.0f);
    texel[1] = (uint8_t)(clampf(color.y, 0.0f, 1.0f) * 255.0f);
    texel[2] = (uint8_t)(clampf(color.z, 0.0f, 1.0f) * 255.0f);
    texel[3] = 255;
}

static vec3 piece_color(const gpool_heap_piece *piece)
{
    if (piece->state == GPOOL_PIECE_FREE) {
        return vec3_make(0.10f, 0.11f, 0.13f);
    }
    if (piece->state == GPOOL_PIECE_RETIRED) {
        return vec3_make(0.45f, 0.45f, 0.47f);
    }
    float hue = 6.2832f * noise_random(7, (uint32_t)(piece->mesh.id ^ piece->mesh.id >> 32));
    vec3 color = vec3_make(0.62f + 0.36f * cosf(hue), 0.58f + 0.36f * cosf(hue - 2.0944f),
                           0.58f + 0.36f * cosf(hue + 2.0944f));
    return vec3_scale(color, piece->part == GPOOL_MESH_INDICES ? 0.62f : 1.0f);
}

/* Fills the columns of a piece, at least one; its last one is darker, so that neighbours are told apart. */
static void draw_piece(picture *map, uint32_t top, double scale, const gpool_heap_piece *piece)
{
    uint32_t begin = (uint32_t)((double)piece->range.offset * scale);
    uint32_t end = (uint32_t)((double)(piece->range.offset + piece->range.size) * scale);
    vec3 color = piece_color(piece);
    for (uint32_t at = begin; at < end || at == begin; ++at) {
        bool edge = at + 1u == end && end > begin + 2u && piece->state != GPOOL_PIECE_FREE;
        uint32_t y = top + at / MAP_WIDTH * MAP_LINE;
        for (uint32_t row = 0; row < MAP_LINE - MAP_GAP && y + row < map->height; ++row) {
            set_texel(map, MAP_MARGIN + at % MAP_WIDTH, y + row,
                      vec3_scale(color, edge ? 0.55f : 1.0f));
        }
    }
}

static bool draw_slabs(picture *map, gpool *pool, gpool_heap heap, const gpool_heap_info *info)
{
    uint32_t top = MAP_MARGIN;
    double scale = (double)(MAP_LINES * MAP_WIDTH) / (double)info->slab_size;
    for (uint32_t i = 0; i < info->slab_count; ++i) {
        gpool_heap_slab slab;
        gpool_heap_cursor cursor = { 0 };
        gpool_heap_piece piece;
        if (gpool_heap_get_slab(pool, heap, i, &slab) != GPOOL_OK) {
            return false;
        }
        while (gpool_heap_next_piece(pool, heap, i, &cursor, &piece)) {
            draw_piece(map, top, scale, &piece);
        }
        top += lines_of(info, &slab) * MAP_LINE + MAP_MARGIN;
    }
    return true;
}

bool heap_map_write(gpool *pool, gpool_heap heap, const char *path)
{
    gpool_heap_info info;
    picture map;
    bool ok = gpool_heap_get_info(pool, heap, &info) == GPOOL_OK;
    uint32_t height = MAP_MARGIN;
    for (uint32_t i = 0; ok && i < info.slab_count; ++i) {
        gpool_heap_slab slab;
        ok = gpool_heap_get_slab(pool, heap, i, &slab) == GPOOL_OK;
        height += ok ? lines_of(&info, &slab) * MAP_LINE + MAP_MARGIN : 0;
    }
    if (!ok || !picture_init(&map, MAP_WIDTH + 2u * MAP_MARGIN, height)) {
        fprintf(stderr, "sketch: the heap cannot be drawn\n");
        return false;
    }
    for (uint32_t y = 0; y < map.height; ++y) {
        for (uint32_t x = 0; x < map.width; ++x) {
            set_texel(&map, x, y, vec3_make(0.03f, 0.03f, 0.04f));
        }
    }
    ok = draw_slabs(&map, pool, heap, &info) && picture_write(&map, path);
    picture_fini(&map);
    return ok;
}
