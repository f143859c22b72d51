#define _POSIX_C_SOURCE 200809L
#include "assets.h"

#include "model.h"
#include "noise.h"
#include "shapes.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define GROUND_TEXELS 256u

/* Where the mesh of a kind comes from. */
typedef struct asset_source {
    const char *file; /* in the model folder; NULL = always made */
    const char *label;
    uint32_t cells; /* fineness for geometry_reduce(); 0 = as it is */
    float size;     /* of the longest side */
    bool upright;   /* stands on its head in the file */
    bool centered;  /* turns about its middle */
} asset_source;

static const asset_source asset_sources[CROWD_COUNT] = {
    [CROWD_CENTER] = { "bunny.obj", "bunny", 41, 4.4f, false, false },
    [CROWD_PEDESTAL] = { NULL, "pedestal", 0, 5.6f, false, false },
    [CROWD_ENGINE] = { "2CylinderEngine.glb", "engine", 64, 4.2f, false, false },
    [CROWD_HORSES] = { "horse.3ds", "horse", 8, 1.0f, true, false },
    [CROWD_CATS] = { "cat.3ds", "cat", 10, 1.0f, true, false },
    [CROWD_TREES] = { NULL, "tree", 0, 1.0f, false, false },
    [CROWD_CRATES] = { NULL, "crate", 0, 1.0f, false, false },
    [CROWD_ROCKS] = { "asteroid-low.3ds", "rock", 0, 1.0f, true, true },
    [CROWD_GRAVEL] = { "asteroid-high.3ds", "gravel", 4, 1.0f, true, true },
};

static bool make_shape(geometry *shape, crowd_kind kind)
{
    static const float pedestal[][2] = { { 2.8f, 0.0f },  { 2.8f, 0.34f }, { 2.62f, 0.42f },
                                         { 2.3f, 0.42f }, { 2.3f, 0.76f }, { 2.14f, 0.84f },
                                         { 1.9f, 0.84f }, { 1.9f, 0.92f }, { 1.8f, 1.0f },
                                         { 0.0f, 1.0f } };
    static const float horse[][2] = { { 0.20f, 0.0f },  { 0.20f, 0.10f }, { 0.10f, 0.24f },
                                      { 0.16f, 0.60f }, { 0.22f, 0.72f }, { 0.10f, 0.92f },
                                      { 0.0f, 1.0f } };
    static const float cat[][2] = { { 0.34f, 0.0f },  { 0.40f, 0.16f }, { 0.22f, 0.46f },
                                    { 0.24f, 0.66f }, { 0.12f, 0.80f }, { 0.0f, 0.82f } };
    static const float tree[][2] = { { 0.05f, 0.0f },  { 0.04f, 0.14f }, { 0.26f, 0.12f },
                                     { 0.11f, 0.45f }, { 0.20f, 0.42f }, { 0.07f, 0.72f },
                                     { 0.14f, 0.69f }, { 0.0f, 1.0f } };
    switch (kind) {
    case CROWD_TREES:
        return shape_lathe(shape, tree, sizeof tree / sizeof tree[0], 7);
    case CROWD_CENTER:
        return shape_knot(shape, 2, 3, 160, 20);
    case CROWD_PEDESTAL:
        return shape_lathe(shape, pedestal, sizeof pedestal / sizeof pedestal[0], 48);
    case CROWD_ENGINE:
        return shape_knot(shape, 3, 5, 200, 12);
    case CROWD_HORSES:
        return shape_lathe(shape, horse, sizeof horse / sizeof horse[0], 14);
    case CROWD_CATS:
        return shape_lathe(shape, cat, sizeof cat / sizeof cat[0], 14);
    case CROWD_CRATES:
        return shape_crate(shape);
    case CROWD_ROCKS:
        return shape_rock(shape, 12, 5);
    default:
        return shape_rock(shape, 6, 9);
    }
}

/* Path of a file in a folder that can be read; false where there is none. */
static bool find_file(char path[4096], const char *folder, const char *name)
{
    int length = snprintf(path, 4096, "%s/%s", folder, name);
    return length > 0 && length < 4096 && access(path, R_OK) == 0;
}

/* `file` NULL = make the shape. */
static bool load_mesh(assets *all, gpool *pool, crowd_kind kind, const char *file, bool users_own)
{
    const asset_source *source = &asset_sources[kind];
    geometry shape;
    bool ok = file != NULL ? model_read(&shape, file) : make_shape(&shape, kind);
    if (!ok) {
        if (file == NULL) {
            fprintf(stderr, "sketch: no memory for the %s\n", source->label);
        }
        return false;
    }
    if (file != NULL && !users_own) {
        if (source->upright) {
            geometry_turn_upright(&shape);
        }
        if (source->cells != 0) {
            ok = geometry_reduce(&shape, source->cells, !source->centered);
        }
    }
    if (kind == CROWD_ENGINE) {
        geometry_soften_colors(&shape, 0.62f, 0.25f);
    }
    geometry_normalize(&shape, source->size);
    if (source->centered) {
        geometry_center(&shape);
    }
    if (ok) {
        all->meshes[kind] = renderer_make_mesh(pool, all->scope, all->heap, &shape, source->label);
        all->index_counts[kind] = shape.index_count;
        all->from_file[kind] = file != NULL;
        ok = all->meshes[kind].id != 0;
    }
    if (!ok) {
        fprintf(stderr, "sketch: no %s: %s\n", source->label, gpool_last_error(pool)->message);
    }
    geometry_fini(&shape);
    return ok;
}

static bool load_meshes(assets *all, gpool *pool, const char *folder, const char *model)
{
    char path[4096];
    uint32_t wanted = 0, missing = 0;
    for (crowd_kind kind = 0; kind < CROWD_COUNT; ++kind) {
        bool users_own = kind == CROWD_CENTER && model != NULL;
        const char *file = users_own ? model : NULL;
        if (!users_own && asset_sources[kind].file != NULL) {
            file = find_file(path, folder, asset_sources[kind].file) ? path : NULL;
            wanted += 1;
            missing += file == NULL;
        }
        if (!load_mesh(all, pool, kind, file, users_own)) {
            return false;
        }
    }
    if (missing > 0) {
        fprintf(stderr, "sketch: %u of %u model files are missing in %s, shapes are made instead\n",
                missing, wanted, folder);
    }
    return true;
}

/*
 * Reads a texture, halved to at most 512 texels: it never fills more of the picture. True with a
 * null texture when the file is missing, for the renderer then does without.
 */
static bool load_texture(const assets *all, gpool_texture *texture, gpool *pool, const char *folder,
                         const char *name, bool colors)
{
    char path[4096];
    picture image;
    if (!find_file(path, folder, name)) {
        return true;
    }
    if (!picture_read(&image, path)) {
        return false;
    }
    while (image.width > 512 || image.height > 512) {
        picture_halve(&image);
    }
    *texture = renderer_make_texture(pool, all->scope, &image, colors, name);
    picture_fini(&image);
    if (texture->id == 0) {
        fprintf(stderr, "sketch: no texture: %s\n", gpool_last_error(pool)->message);
    }
    return texture->id != 0;
}

static bool make_ground_texture(assets *all, gpool *pool)
{
    picture image;
    if (!picture_init(&image, GROUND_TEXELS, GROUND_TEXELS)) {
        fprintf(stderr, "sketch: no memory for the ground's texture\n");
        return false;
    }
    for (uint32_t y = 0; y < GROUND_TEXELS; ++y) {
        for (uint32_t x = 0; x < GROUND_TEXELS; ++x) {
            uint8_t *texel = image.texels + ((size_t)y * GROUND_TEXELS + x) * 4u;
            for (uint32_t c = 0; c < 3; ++c) {
                float value = noise_tiled((float)x * (16.0f / GROUND_TEXELS),
                                          (float)y * (16.0f / GROUND_TEXELS), 16, 4,
                                          77u + (c > 1 ? 0u : c) * 13u);
                texel[c] = (uint8_t)(value * 255.0f);
            }
            texel[3] = 255;
        }
    }
    all->ground = renderer_make_texture(pool, all->scope, &image, false, "ground");
    picture_fini(&image);
    return all->ground.id != 0;
}

bool assets_init(assets *all, gpool *pool, gpool_scope scope, gpool_heap heap, const char *folder,
                 const char *model)
{
    *all = (assets){ .heap = heap,
                     .scope = gpool_scope_create(
                         pool, &(gpool_scope_desc){ .parent = scope, .label = "assets" }) };
    return all->scope.id != 0 && load_meshes(all, pool, folder, model) &&
           load_texture(all, &all->wood, pool, folder, "textures/crate-base.png", true) &&
           load_texture(all, &all->rock, pool, folder, "textures/asteroid-height-map.png", false) &&
           load_texture(all, &all->nebula, pool, folder, "textures/nasa1.png", false) &&
           (!all->from_file[CROWD_ROCKS] ||
            load_texture(all, &all->rock_normals, pool, folder, "textures/asteroid-normal-map.png",
                         false)) &&
           make_ground_texture(all, pool);
}

void assets_fini(assets *all, gpool *pool)
{
    gpool_scope_end(pool, all->scope);
    *all = (assets){ 0 };
}
