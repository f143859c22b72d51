#include "alloc/handle_table.h"

#include "base/checked.h"

void gpool__table_init(gpool__table *table, gpool__memory *memory, gpool_kind kind, uint32_t tag,
                       size_t payload_size, uint32_t first_generation)
{
    *table = (gpool__table){
        .memory = memory,
        .stride = (uint32_t)gpool__round_up(gpool__max(payload_size, sizeof(gpool__slot_free)), 8),
        .prefix = (uint32_t)kind << 24 | tag << 28,
        .first_generation = first_generation,
    };
}

void gpool__table_fini(gpool__table *table)
{
    for (uint32_t i = 0; i < table->page_count; ++i) {
        gpool__free(table->memory, table->pages[i], (size_t)table->stride * GPOOL__PAGE_SLOTS);
    }
    gpool__free(table->memory, table->pages, table->page_capacity * sizeof *table->pages);
    *table = (gpool__table){ 0 };
}

static bool table_add_page(gpool__table *table)
{
    void *pages = table->pages;
    if (!gpool__reserve(table->memory, &pages, &table->page_capacity, table->page_count + 1,
                        sizeof *table->pages)) {
        return false;
    }
    table->pages = pages;
    char *page = gpool__alloc(table->memory, (size_t)table->stride * GPOOL__PAGE_SLOTS);
    if (page == NULL) {
        return false;
    }
    table->pages[table->page_count++] = page;
    return true;
}

gpool__slot_head *gpool__table_grow(gpool__table *table)
{
    const uint32_t index = table->slot_count;
    if (index >= GPOOL__MAX_SLOTS ||
        (index == table->page_count * GPOOL__PAGE_SLOTS && !table_add_page(table))) {
        return NULL;
    }
    table->slot_count += 1;
    table->live_count += 1;
    table->last_generation = (uint32_t)gpool__max(table->last_generation, table->first_generation);
    gpool__slot_head *head = gpool__table_at(table, index);
    head->id = (uint64_t)table->first_generation << 32 | table->prefix | index;
    return head;
}

static bool table_validate_slots(const gpool__table *table)
{
    uint32_t live = 0;
    uint32_t last_generation = 0;
    for (uint32_t i = 0; i < table->slot_count; ++i) {
        const gpool__slot_head *head = gpool__table_at(table, i);
        const bool is_live = gpool__table_is_live(table, head);
        const uint32_t low = is_live ? (uint32_t)head->id : ~(uint32_t)head->id;
        const uint32_t generation = gpool_handle_generation(head->id);
        if (low != (table->prefix | i) || generation == 0) {
            return false;
        }
        live += is_live;
        last_generation = (uint32_t)gpool__max(last_generation, generation);
    }
    return live == table->live_count && last_generation <= table->last_generation;
}

static bool table_validate_free_list(const gpool__table *table)
{
    uint32_t count = 0;
    const gpool__slot_free *last = NULL;
    for (const gpool__slot_free *each = table->free_first; each != NULL; each = each->next) {
        const uint32_t index = gpool__table_index(table, &each->head);
        if (gpool__table_is_live(table, &each->head) || index >= table->slot_count ||
            gpool__table_at(table, index) != &each->head || ++count > table->free_count) {
            return false;
        }
        last = each;
    }
    return count == table->free_count && (last == NULL || last == table->free_last);
}

bool gpool__table_validate(const gpool__table *table)
{
    return table_validate_slots(table) && table_validate_free_list(table);
}
