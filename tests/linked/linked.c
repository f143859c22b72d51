/* A program that is linked with its WebGPU implementation instead of loading it. */
#include <gpool/linked.h>
#include <gpool/gpool.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void)
{
    gpool_gpu table;
    gpool_device *device = NULL;
    gpool *pool = NULL;
    const char *adapter = getenv("GPOOL_ADAPTER");
    bool software = adapter != NULL && strcmp(adapter, "software") == 0;
    if (gpool_gpu_linked(NULL) != GPOOL_ERROR_INVALID_ARGUMENT ||
        gpool_gpu_linked(&table) != GPOOL_OK || table.GetVersion == NULL ||
        table.DeviceTick != NULL) {
        puts("the table is wrong");
        return 1;
    }
    gpool_device_desc desc = { .gpu = &table,
                               .adapter = software ? GPOOL_ADAPTER_SOFTWARE : GPOOL_ADAPTER_ANY };
    if (gpool_device_open(&desc, &device) != GPOOL_OK ||
        gpool_create(device, NULL, &pool) != GPOOL_OK) {
        return 1;
    }
    uint32_t words[4] = { 1, 2, 3, 4 };
    uint32_t back[4] = { 0 };
    gpool_buffer buffer = gpool_buffer_create(
        pool, &(gpool_buffer_desc){ .size = sizeof words,
                                    .usage = GPOOL_BUFFER_VERTEX | GPOOL_BUFFER_READ_BACK });
    gpool_buffer_write(pool, buffer, 0, words, sizeof words);
    gpool_result read = gpool_buffer_read(pool, buffer, 0, back, sizeof back);
    gpool_buffer_destroy(pool, buffer);
    gpool_destroy(pool);
    gpool_device_release(device);
    return read == GPOOL_OK && memcmp(words, back, sizeof words) == 0 ? 0 : 1;
}
