/* The smallest program that uses an installed gpool. */
#include <gpool/gpool.h>

#include <stdio.h>

int main(void)
{
    gpool_device *device = NULL;
    gpool *pool = NULL;
    if (gpool_device_open(NULL, &device) != GPOOL_OK ||
        gpool_create(device, NULL, &pool) != GPOOL_OK) {
        return 1; /* the log said why */
    }
    gpool_buffer points = gpool_buffer_create(
        pool,
        &(gpool_buffer_desc){ .size = 1024, .usage = GPOOL_BUFFER_VERTEX, .label = "points" });
    for (int i = 0; i < 3; ++i) {
        gpool_begin_frame(pool);
        gpool_buffer_write(pool, points, 0, &i, sizeof i);
        if (gpool_end_frame(pool) != GPOOL_OK) {
            puts(gpool_last_error(pool)->message);
            return 1;
        }
    }
    gpool_buffer_destroy(pool, points);
    gpool_destroy(pool);
    gpool_device_release(device);
    return 0;
}
