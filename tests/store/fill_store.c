/* Fills a store with entries of 100 bytes: fill_store <directory> <count> */
#include "store_world.h"

int main(int argc, char **argv)
{
    const gpool_store_desc desc = { .directory = argc == 3 ? argv[1] : "" };
    gpool_store *store = NULL;
    if (gpool_store_open(&desc, &store) != GPOOL_OK) {
        return 1;
    }
    for (uint64_t i = 0; argc == 3 && i < strtoull(argv[2], NULL, 0); ++i) {
        (void)world_save(store, i, 1, 100);
    }
    gpool_store_stats stats = world_stats(store);
    gpool_store_close(store);
    return stats.saves > 0 ? 0 : 1;
}
