/* picture.h: PNG files in and out. */
#ifndef SKETCH_PICTURE_H
#define SKETCH_PICTURE_H

#include <stdbool.h>
#include <stdint.h>

/* Packed rows of RGBA, 8 bits each, from the top. */
typedef struct picture {
    uint8_t *texels;
    uint32_t width, height;
} picture;

/* Reads a PNG file of any colour type; says on stderr why not. `image` is empty on failure. */
bool picture_read(picture *image, const char *path);

/* Writes an opaque PNG file, making its folder where that is missing; says on stderr why not. */
bool picture_write(const picture *image, const char *path);

bool picture_init(picture *image, uint32_t width, uint32_t height);
void picture_fini(picture *image);

/* Halves an image in place, down to one texel: the next mip level. */
void picture_halve(picture *image);

#endif
