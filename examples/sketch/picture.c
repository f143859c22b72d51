#define _POSIX_C_SOURCE 200809L
#include "picture.h"

#include <errno.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

bool picture_init(picture *image, uint32_t width, uint32_t height)
{
    *image = (picture){ calloc((size_t)width * height, 4), width, height };
    if (image->texels == NULL) {
        *image = (picture){ 0 };
    }
    return image->texels != NULL;
}

void picture_fini(picture *image)
{
    free(image->texels);
    *image = (picture){ 0 };
}

bool picture_read(picture *image, const char *path)
{
    *image = (picture){ 0 };
    png_image png = { .version = PNG_IMAGE_VERSION };
    bool ok = png_image_begin_read_from_file(&png, path) != 0;
    if (ok) {
        png.format = PNG_FORMAT_RGBA;
        ok = picture_init(image, png.width, png.height) &&
             png_image_finish_read(&png, NULL, image->texels, 0, NULL) != 0;
    }
    if (!ok) {
        fprintf(stderr, "sketch: cannot read the picture %s: %s\n", path,
                png.message[0] != 0 ? png.message : "no memory");
        png_image_free(&png);
        picture_fini(image);
    }
    return ok;
}

/* Makes every folder above the file. */
static bool make_folders(const char *path)
{
    char folder[4096];
    size_t length = strlen(path);
    if (length >= sizeof folder) {
        errno = ENAMETOOLONG;
        return false;
    }
    for (size_t i = 1; i < length; ++i) {
        if (path[i] == '/') {
            memcpy(folder, path, i);
            folder[i] = 0;
            if (mkdir(folder, 0777) != 0 && errno != EEXIST) {
                return false;
            }
        }
    }
    return true;
}

bool picture_write(const picture *image, const char *path)
{
    if (!make_folders(path)) {
        fprintf(stderr, "sketch: cannot make the folder of %s: %s\n", path, strerror(errno));
        return false;
    }
    uint8_t *opaque = malloc((size_t)image->width * image->height * 3u);
    if (opaque == NULL) {
        fprintf(stderr, "sketch: no memory to write %s\n", path);
        return false;
    }
    for (size_t i = 0; i < (size_t)image->width * image->height; ++i) {
        memcpy(opaque + i * 3u, image->texels + i * 4u, 3);
    }
    png_image png = { .version = PNG_IMAGE_VERSION,
                      .width = image->width,
                      .height = image->height,
                      .format = PNG_FORMAT_RGB };
    bool ok = png_image_write_to_file(&png, path, 0, opaque, 0, NULL) != 0;
    if (!ok) {
        fprintf(stderr, "sketch: cannot write %s: %s\n", path, png.message);
    }
    free(opaque);
    return ok;
}

void picture_halve(picture *image)
{
    uint32_t width = image->width > 1 ? image->width / 2 : 1;
    uint32_t height = image->height > 1 ? image->height / 2 : 1;
    for (uint32_t y = 0; y < height; ++y) {
        for (uint32_t x = 0; x < width; ++x) {
            uint32_t x1 = x * 2 + 1 < image->width ? x * 2 + 1 : x * 2;
            uint32_t y1 = y * 2 + 1 < image->height ? y * 2 + 1 : y * 2;
            const uint8_t *top = image->texels + (size_t)y * 2 * image->width * 4;
            const uint8_t *bottom = image->texels + (size_t)y1 * image->width * 4;
            for (uint32_t c = 0; c < 4; ++c) {
                /* The target lies before all sources not yet read, so one buffer is enough. */
                image->texels[((size_t)y * width + x) * 4 + c] =
                    (uint8_t)((top[x * 8 + c] + top[x1 * 4 + c] + bottom[x * 8 + c] +
                               bottom[x1 * 4 + c] + 2) /
                              4);
            }
        }
    }
    image->width = width;
    image->height = height;
}
