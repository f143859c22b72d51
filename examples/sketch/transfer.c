/* Meshes and pictures on their way into the pool; declared in renderer.h. */
#include "renderer.h"

gpool_mesh renderer_make_mesh(gpool *pool, gpool_scope scope, gpool_heap heap,
                              const geometry *shape, const char *label)
{
    return gpool_mesh_create(pool, &(gpool_mesh_desc){ .heap = heap,
                                                       .vertices = shape->vertices,
                                                       .vertex_count = shape->vertex_count,
                                                       .vertex_stride = sizeof(vertex),
                                                       .indices = shape->indices,
                                                       .index_count = shape->index_count,
                                                       .label = label,
                                                       .scope = scope });
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
