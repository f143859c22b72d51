/* Meshes and pictures on their way into the pool; declared in renderer.h. */
#include "renderer.h"

mesh renderer_make_mesh(gpool *pool, gpool_scope scope, const geometry *shape, const char *label)
{
    mesh made = { .index_count = shape->index_count };
    made.vertices = gpool_buffer_create(
        pool, &(gpool_buffer_desc){ .data = shape->vertices,
                                    .size = shape->vertex_count * sizeof(vertex),
                                    .usage = GPOOL_BUFFER_VERTEX,
                                    .label = label,
                                    .scope = scope });
    made.indices = gpool_buffer_create(
        pool, &(gpool_buffer_desc){ .data = shape->indices,
                                    .size = shape->index_count * sizeof(uint32_t),
                                    .usage = GPOOL_BUFFER_INDEX,
                                    .label = label,
                                    .scope = scope });
    if (made.vertices.id == 0 || made.indices.id == 0) {
        made = (mesh){ 0 }; /* what there is of it goes with its scope */
    }
    return made;
}

gpool_texture renderer_make_texture(gpool *pool, gpool_scope scope, picture *image, bool colors,
                                    const char *label)
{
    gpool_texture made = gpool_texture_create(
        pool, &(gpool_texture_desc){ .width = image->width,
                                     .height = image->height,
                                     .format = colors ? WGPUTextureFormat_RGBA8UnormSrgb
                                                      : WGPUTextureFormat_RGBA8Unorm,
                                     .mip_levels = UINT32_MAX,
                                     .usage = GPOOL_TEXTURE_SAMPLED,
                                     .data = image->texels,
                                     .data_size = (size_t)image->width * image->height * 4u,
                                     .label = label,
                                     .scope = scope });
    if (made.id == 0) {
        return made;
    }
    for (uint32_t level = 1; image->width > 1 || image->height > 1; ++level) {
        picture_halve(image);
        gpool_result result =
            gpool_texture_write(pool, made, &(gpool_texture_region){ .mip_level = level },
                                image->texels, (size_t)image->width * image->height * 4u, 0);
        if (result != GPOOL_OK) {
            gpool_texture_destroy(pool, made);
            return (gpool_texture){ 0 };
        }
    }
    return made;
}
