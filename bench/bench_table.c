#include "bench_table.h"

#include "alloc/handle_table.h"

#include <stdlib.h>

struct bench_table {
    gpool__table table;
    gpool__memory memory;
};

typedef struct table_payload {
    gpool__slot_head head;
    uint64_t value;
} table_payload;

bench_table *bench_table_new(gpool_kind kind, uint32_t tag, uint32_t first_generation)
{
    bench_table *table = calloc(1, sizeof *table);
    if (table != NULL) {
        gpool__memory_init(&table->memory, NULL);
        gpool__table_init(&table->table, &table->memory, kind, tag, sizeof(table_payload),
                          first_generation);
    }
    return table;
}

void bench_table_delete(bench_table *table)
{
    gpool__table_fini(&table->table);
    free(table);
}

uint64_t bench_table_create(bench_table *table, uint64_t value)
{
    uint64_t id = 0;
    table_payload *payload = (table_payload *)gpool__table_take(&table->table, &id);
    if (payload == NULL) {
        return 0;
    }
    payload->value = value;
    return id;
}

bool bench_table_destroy(bench_table *table, uint64_t id)
{
    gpool__slot_head *head = gpool__table_get(&table->table, id);
    if (head == NULL) {
        return false;
    }
    gpool__table_kill(&table->table, head, id);
    gpool__table_give_back(&table->table, head, id);
    return true;
}

const uint64_t *bench_table_get(const bench_table *table, uint64_t id)
{
    const table_payload *payload = (const table_payload *)gpool__table_get(&table->table, id);
    return payload != NULL ? &payload->value : NULL;
}

uint32_t bench_table_spent(const bench_table *table)
{
    return table->table.spent_count;
}
