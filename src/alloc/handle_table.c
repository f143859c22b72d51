#include "alloc/handle_table.h"

#include "base/checked.h"

#include <string.h>

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

/* Other threads may look into the directory of pages while it grows, so that is never done in place;
 * the allocator is not called under the lock, as nothing of the user's is. */
static bool table_add_page(gpool__table *table)
{
    const size_t page_size = (size_t)table->stride * GPOOL__PAGE_SLOTS;
    char *page = gpool__alloc(table->memory, page_size);
    char **old = NULL;
    char **pages = table->pages;
    uint32_t capacity = table->page_capacity;
    if (page != NULL && table->page_count == capacity) {
        capacity = capacity == 0 ? 8 : capacity * 2;
        old = table->pages;
        pages = gpool__alloc(table->memory, capacity * sizeof *pages);
        if (pages != NULL && old != NULL) {
            memcpy(pages, old, table->page_count * sizeof *pages);
        }
    }
    if (page == NULL || pages == NULL) {
        gpool__free(table->memory, page, page_size);
        return false;
    }
    const size_t old_size = table->page_capacity * sizeof *old;
    pages[table->page_count] = page;
    if (table->lock != NULL) {
        gpool__mutex_lock(table->lock);
    }
    table->pages = pages;
    table->page_capacity = capacity;
    table->page_count += 1;
    if (table->lock != NULL) {
        gpool__mutex_unlock(table->lock);
    }
    gpool__free(table->memory, old, old_size);
    return true;
}

gpool__slot_head *gpool__table_find(const gpool__table *table, uint64_t id)
{
    /* Not slot_count, which the owner raises without the lock: heads of slots never used are 0. */
    const uint32_t slot = gpool_handle_slot(id);
    return slot / GPOOL__PAGE_SLOTS < table->page_count ? gpool__table_at(table, slot) : NULL;
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
    atomic_store_explicit(&head->id,
                          (uint64_t)table->first_generation << 32 | table->prefix | index,
                          memory_order_release);
    return head;
}

static bool table_validate_slots(const gpool__table *table, uint32_t killed)
{
    uint32_t live = 0;
    uint32_t last_generation = 0;
    for (uint32_t i = 0; i < table->slot_count; ++i) {
        const gpool__slot_head *head = gpool__table_at(table, i);
        const bool is_live = gpool__table_is_live(table, head);
        const uint64_t id = gpool__head_id(head);
        const uint32_t low = is_live ? (uint32_t)id : ~(uint32_t)id;
        const uint32_t generation = gpool_handle_generation(id);
        if (low != (table->prefix | i) || generation == 0) {
            return false;
        }
        live += is_live;
        last_generation = (uint32_t)gpool__max(last_generation, generation);
    }
    return live + killed == table->live_count && last_generation <= table->last_generation;
}

static bool table_validate_free_list(const gpool__table *table)
{
    uint32_t count = 0;
    const gpool__slot_free *last = NULL;
    for (const gpool__slot_free *each = table->free_first; each != NULL; each = each->next) {
        const uint32_t index = gpool_handle_slot(gpool__table_handle(table, &each->head));
        if (gpool__table_is_live(table, &each->head) || index >= table->slot_count ||
            gpool__table_at(table, index) != &each->head || ++count > table->free_count) {
            return false;
        }
        last = each;
    }
    return count == table->free_count && (last == NULL || last == table->free_last);
}

bool gpool__table_validate(const gpool__table *table, uint32_t killed)
{
    return table_validate_slots(table, killed) && table_validate_free_list(table);
}
