/*
 * compare_pictures <a.png> <b.png>: are two pictures of the sketch the same but for rounding? Two
 * implementations and two drivers do not agree on every last bit, nor on every edge.
 */
#include "picture.h"

#include <stdio.h>
#include <stdlib.h>

/* Mean difference of a channel, of 255. The same frame is below 0.4, its neighbours above 1.4. */
#define COMPARE_LIMIT 1.0
/* Mean distance of a channel from its mean over the picture: an empty picture has 0. */
#define COMPARE_LIVELY 15.0

static double mean_difference(const picture *a, const picture *b)
{
    double sum = 0.0;
    size_t texels = (size_t)a->width * a->height;
    for (size_t i = 0; i < texels * 4u; ++i) {
        sum += i % 4u < 3u ? abs(a->texels[i] - b->texels[i]) : 0;
    }
    return sum / (3.0 * (double)texels);
}

static double liveliness(const picture *image)
{
    double sum = 0.0;
    size_t texels = (size_t)image->width * image->height;
    for (size_t channel = 0; channel < 3; ++channel) {
        double mean = 0.0;
        for (size_t i = 0; i < texels; ++i) {
            mean += image->texels[i * 4u + channel];
        }
        mean /= (double)texels;
        for (size_t i = 0; i < texels; ++i) {
            double distance = image->texels[i * 4u + channel] - mean;
            sum += distance < 0.0 ? -distance : distance;
        }
    }
    return sum / (3.0 * (double)texels);
}

int main(int argc, char **argv)
{
    picture a, b;
    if (argc != 3 || !picture_read(&a, argv[1])) {
        fprintf(stderr, "usage: compare_pictures <a.png> <b.png>\n");
        return 2;
    }
    if (!picture_read(&b, argv[2])) {
        picture_fini(&a);
        return 2;
    }
    bool same = a.width == b.width && a.height == b.height;
    if (same) {
        double difference = mean_difference(&a, &b), lively = liveliness(&a);
        printf("mean difference %.3f (limit %.1f), liveliness %.1f (at least %.1f)\n", difference,
               COMPARE_LIMIT, lively, COMPARE_LIVELY);
        same = difference <= COMPARE_LIMIT && lively >= COMPARE_LIVELY;
    } else {
        printf("sizes differ: %u x %u and %u x %u\n", a.width, a.height, b.width, b.height);
    }
    picture_fini(&a);
    picture_fini(&b);
    return same ? 0 : 1;
}
