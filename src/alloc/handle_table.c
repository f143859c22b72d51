#include "alloc/handle_table.h"

#include "base/checked.h"

#include <string.h>

#define TABLE_END UINT32_MAX

void gpool__table_init(gpool__table *table, gpool__memory *memory, gpool_kind kind, uint32_t tag,
                       size_t payload_size, uint32_t first_generation)
{
    *table = (gpool__table){
        .memory = memory,
        .stride = (uint32_t)gpool__round_up(payload_size, 16),
        .prefix = (uint32_t)kind << 24 | tag << 28,
        .free_first = TABLE_END,
        .free_last = TABLE_END,
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

static gpool__slot_head *table_reuse(gpool__table *table)
{
    gpool__slot_head *head = gpool__table_at(table, table->free_first);
    table->free_first = head->next;
    if (table->free_first == TABLE_END) {
        table->free_last = TABLE_END;
    }
    table->free_count -= 1;
    return head;
}

gpool__slot_head *gpool__table_take(gpool__table *table, bool *full)
{
    gpool__slot_head *head = NULL;
    uint32_t generation = table->first_generation;
    uint32_t index = 0;
    *full = false;
    if (table->free_first != TABLE_END) {
        head = table_reuse(table);
        generation = (uint32_t)(head->id >> 32) + 1;
        index = head->index;
    } else {
        index = table->slot_count;
        if (index >= GPOOL__MAX_SLOTS) {
            *full = true;
            return NULL;
        }
        if (index == table->page_count * GPOOL__PAGE_SLOTS && !table_add_page(table)) {
            return NULL;
        }
        table->slot_count += 1;
        head = gpool__table_at(table, index);
    }
    memset(head, 0, table->stride);
    head->index = index;
    head->next = TABLE_END;
    head->id = (uint64_t)generation << 32 | table->prefix | index;
    table->live_count += 1;
    table->last_generation = (uint32_t)gpool__max(table->last_generation, generation);
    return head;
}

void gpool__table_kill(gpool__table *table, gpool__slot_head *head)
{
    head->id |= UINT32_MAX;
    table->live_count -= 1;
}

void gpool__table_give_back(gpool__table *table, gpool__slot_head *head)
{
    if ((uint32_t)(head->id >> 32) >= GPOOL__GENERATION_MAX) {
        table->spent_count += 1;
        return;
    }
    head->next = TABLE_END;
    if (table->free_last == TABLE_END) {
        table->free_first = head->index;
    } else {
        gpool__table_at(table, table->free_last)->next = head->index;
    }
    table->free_last = head->index;
    table->free_count += 1;
}

bool gpool__table_validate(const gpool__table *table)
{
    uint32_t live = 0;
    for (uint32_t i = 0; i < table->slot_count; ++i) {
        const gpool__slot_head *head = gpool__table_at(table, i);
        if (head->index != i || head->id >> 32 == 0 || head->id >> 32 > table->last_generation) {
            return false;
        }
        if (gpool__slot_is_live(head)) {
            live += 1;
            if ((uint32_t)head->id != (table->prefix | i)) {
                return false;
            }
        }
    }
    uint32_t free_count = 0;
    uint32_t last = TABLE_END;
    for (uint32_t i = table->free_first; i != TABLE_END; i = gpool__table_at(table, i)->next) {
        if (i >= table->slot_count || gpool__slot_is_live(gpool__table_at(table, i)) ||
            ++free_count > table->free_count) {
            return false;
        }
        last = i;
    }
    return live == table->live_count && free_count == table->free_count && last == table->free_last;
}
