#include "alloc/handle_table.h"

#include "unit/handle_model.h"

static uint64_t seed;
static handle_model model;

typedef struct fixture {
    unit_allocator allocator;
    gpool_allocator hooks;
    gpool__memory memory;
    gpool__table table;
} fixture;

static void open_table(fixture *f, gpool_kind kind, uint32_t tag)
{
    f->allocator = (unit_allocator){ 0 };
    f->hooks = unit_hooks(&f->allocator);
    gpool__memory_init(&f->memory, &f->hooks);
    gpool__table_init(&f->table, &f->memory, kind, tag, sizeof(handle_payload), 1);
}

static void close_table(fixture *f)
{
    gpool__table_fini(&f->table);
    assert_int_equal(f->memory.bytes, 0);
    assert_int_equal(f->allocator.blocks, 0);
    assert_int_equal(f->allocator.wrong_sizes, 0);
}

static gpool__slot_head *take(gpool__table *table)
{
    uint64_t id = 0;
    gpool__slot_head *head = gpool__table_take(table, &id);
    assert_non_null(head);
    assert_int_equal(id, head->id);
    return head;
}

static void retire(gpool__table *table, gpool__slot_head *head)
{
    const uint64_t id = head->id;
    gpool__table_kill(table, head, id);
    gpool__table_give_back(table, head, id);
}

static void random_work_never_reuses_an_id(void **state)
{
    (void)state;
    handle_model_run(&model, seed, 1, 6000, 500);
    handle_model_run(&model, seed + 1, 1000000, 6000, 30);
    handle_model_run(&model, seed + 2, UINT32_MAX - 2, 3000, 30);
    assert_in_range(model.spent_count, 1, MODEL_SLOTS);
}

static void empty_table_allocates_nothing_and_accepts_nothing(void **state)
{
    (void)state;
    fixture f;
    open_table(&f, GPOOL_KIND_BUFFER, 0);
    assert_int_equal(f.memory.allocations, 0);
    assert_null(gpool__table_get(&f.table, 0));
    assert_null(gpool__table_get(&f.table, UINT64_MAX));
    assert_null(gpool__table_get(&f.table, UINT64_C(1) << 32 | 1u << 24));
    assert_same(gpool__table_validate(&f.table, 0), true);
    close_table(&f);
}

static void handle_holds_slot_kind_tag_and_generation(void **state)
{
    (void)state;
    fixture f;
    open_table(&f, GPOOL_KIND_PIPELINE, 15);
    for (uint32_t slot = 0; slot < 3; ++slot) {
        const uint64_t id = take(&f.table)->id;
        assert_int_equal(gpool_handle_slot(id), slot);
        assert_same(gpool_handle_kind(id), GPOOL_KIND_PIPELINE);
        assert_int_equal(gpool_handle_tag(id), 15);
        assert_int_equal(gpool_handle_generation(id), 1);
    }
    close_table(&f);
}

static void stale_handle_is_refused_after_slot_reuse(void **state)
{
    (void)state;
    fixture f;
    open_table(&f, GPOOL_KIND_BUFFER, 1);
    gpool__slot_head *head = take(&f.table);
    const uint64_t old_id = head->id;
    retire(&f.table, head);
    gpool__slot_head *again = take(&f.table);
    assert_ptr_equal(again, head);
    assert_int_equal(gpool_handle_generation(again->id), 2);
    assert_null(gpool__table_get(&f.table, old_id));
    assert_ptr_equal(gpool__table_get(&f.table, again->id), head);
    close_table(&f);
}

static void handle_of_another_kind_or_tag_is_refused(void **state)
{
    (void)state;
    fixture a;
    fixture b;
    fixture c;
    open_table(&a, GPOOL_KIND_BUFFER, 1);
    open_table(&b, GPOOL_KIND_TEXTURE, 1);
    open_table(&c, GPOOL_KIND_BUFFER, 2);
    const uint64_t id = take(&a.table)->id;
    (void)take(&b.table);
    (void)take(&c.table);
    assert_non_null(gpool__table_get(&a.table, id));
    assert_null(gpool__table_get(&b.table, id));
    assert_null(gpool__table_get(&c.table, id));
    close_table(&a);
    close_table(&b);
    close_table(&c);
}

static void killed_slot_is_not_reused_before_it_is_given_back(void **state)
{
    (void)state;
    fixture f;
    open_table(&f, GPOOL_KIND_BUFFER, 1);
    gpool__slot_head *first = take(&f.table);
    const uint64_t first_id = first->id;
    gpool__table_kill(&f.table, first, first_id);
    assert_ptr_not_equal(take(&f.table), first);
    gpool__table_give_back(&f.table, first, first_id);
    assert_ptr_equal(take(&f.table), first);
    close_table(&f);
}

static void slots_are_reused_oldest_first(void **state)
{
    (void)state;
    static const uint32_t order[] = { 5, 0, 7, 3, 1, 6, 2, 4 };
    fixture f;
    open_table(&f, GPOOL_KIND_BUFFER, 1);
    gpool__slot_head *heads[UNIT_COUNT(order)];
    for (size_t i = 0; i < UNIT_COUNT(order); ++i) {
        heads[i] = take(&f.table);
    }
    for (int round = 0; round < 3; ++round) {
        for (size_t i = 0; i < UNIT_COUNT(order); ++i) {
            retire(&f.table, heads[order[i]]);
        }
        for (size_t i = 0; i < UNIT_COUNT(order); ++i) {
            assert_int_equal(gpool_handle_slot(gpool__table_handle(&f.table, take(&f.table))),
                             order[i]);
        }
        assert_int_equal(gpool_handle_slot(gpool__table_handle(&f.table, take(&f.table))),
                         UNIT_COUNT(order) + (size_t)round);
    }
    close_table(&f);
}

static void payloads_never_move_while_the_table_grows(void **state)
{
    (void)state;
    static handle_payload *payloads[10 * GPOOL__PAGE_SLOTS + 1];
    fixture f;
    open_table(&f, GPOOL_KIND_BUFFER, 1);
    for (size_t i = 0; i < UNIT_COUNT(payloads); ++i) {
        payloads[i] = (handle_payload *)(void *)take(&f.table);
        assert_int_equal((uintptr_t)payloads[i] % 8, 0);
        payloads[i]->words[0] = i + 1;
    }
    for (size_t i = 0; i < UNIT_COUNT(payloads); ++i) {
        assert_ptr_equal(gpool__table_at(&f.table, (uint32_t)i), payloads[i]);
        assert_ptr_equal(gpool__table_get(&f.table, payloads[i]->head.id), payloads[i]);
        assert_int_equal(payloads[i]->words[0], i + 1);
    }
    assert_int_equal(f.table.page_count, 11);
    close_table(&f);
}

/* An id that looks like one of the table's, but for a few bits. */
static uint64_t forge(uint64_t *random, uint32_t prefix)
{
    const uint64_t bits = unit_random(random);
    switch (bits & 3u) {
    case 0:
        return unit_random(random);
    case 1:
        return (bits >> 8 & 7u) << 32 | prefix | (bits >> 12 & 0x7ffu);
    case 2:
        return ((bits >> 8 & 7u) << 32 | prefix | (bits >> 12 & 0x7ffu)) ^
               UINT64_C(1) << (bits >> 24 & 63u);
    default:
        return (bits >> 8 & 7u) << 32 | UINT32_MAX;
    }
}

static void forged_handles_resolve_only_to_live_slots(void **state)
{
    (void)state;
    static uint64_t live[MODEL_SLOTS]; /* by slot */
    fixture f;
    open_table(&f, GPOOL_KIND_SHADER, 9);
    uint64_t random = seed + 3;
    for (int i = 0; i < 3000; ++i) {
        gpool__slot_head *head = take(&f.table);
        live[gpool_handle_slot(head->id)] = head->id;
        const uint32_t victim = (uint32_t)unit_random_below(&random, f.table.slot_count);
        head = gpool__table_at(&f.table, victim);
        if (gpool__table_is_live(&f.table, head) && unit_random_below(&random, 4) != 0) {
            live[victim] = 0;
            retire(&f.table, head);
        }
    }
    assert_same(gpool__table_validate(&f.table, 0), true);
    uint64_t accepted = 0;
    uint64_t wrong = 0;
    for (uint32_t i = 0; i < 10000000u; ++i) {
        const uint64_t id = forge(&random, f.table.prefix);
        const uint64_t slot = id & 0xffffffu;
        const bool wanted = id != 0 && slot < UNIT_COUNT(live) && live[slot] == id;
        const gpool__slot_head *head = gpool__table_get(&f.table, id);
        accepted += head != NULL;
        wrong += (head != NULL) != wanted ||
                 (head != NULL && gpool_handle_slot(gpool__table_handle(&f.table, head)) != slot);
    }
    assert_int_equal(wrong, 0);
    assert_in_range(accepted, 1000, 9000000);
    close_table(&f);
}

static void failed_allocation_leaves_the_table_whole(void **state)
{
    (void)state;
    enum {
        TAKES = 9 * GPOOL__PAGE_SLOTS
    };
    static uint64_t ids[TAKES];
    for (int for_ever = 0; for_ever < 2; ++for_ever) {
        bool failed = true;
        for (uint64_t k = 1; failed; ++k) {
            failed = false;
            fixture f;
            open_table(&f, GPOOL_KIND_BUFFER, 1);
            f.allocator.fail_at = k;
            f.allocator.fail_for_ever = for_ever != 0;
            for (uint32_t i = 0; i < TAKES; ++i) {
                uint64_t id = 1;
                gpool__slot_head *head = gpool__table_take(&f.table, &id);
                if (head == NULL) {
                    failed = true;
                    assert_int_equal(id, 0);
                    assert_same(gpool__table_is_full(&f.table), false);
                    assert_int_equal(f.table.live_count, i);
                    assert_same(gpool__table_validate(&f.table, 0), true);
                    for (uint32_t j = 0; j < i; ++j) {
                        assert_ptr_equal(gpool__table_get(&f.table, ids[j]),
                                         gpool__table_at(&f.table, j));
                    }
                    if (i > 0) { /* a slot given back needs no memory */
                        retire(&f.table, gpool__table_at(&f.table, 0));
                        ids[0] = take(&f.table)->id;
                    }
                    f.allocator.fail_at = 0; /* memory is back */
                    head = take(&f.table);
                }
                ids[i] = head->id;
            }
            assert_same(gpool__table_validate(&f.table, 0), true);
            assert_int_equal(f.table.slot_count, TAKES);
            close_table(&f);
            /* 9 pages and 2 lists of pages */
            assert_same(failed, k <= 11);
        }
    }
}

static void full_table_says_so_and_still_reuses_slots(void **state)
{
    (void)state;
    fixture f;
    open_table(&f, GPOOL_KIND_BUFFER, 1);
    gpool__slot_head *head = take(&f.table);
    f.table.slot_count = GPOOL__MAX_SLOTS; /* planted: the real thing takes gigabytes */
    uint64_t id = 1;
    const uint64_t allocations = f.memory.allocations;
    assert_null(gpool__table_take(&f.table, &id));
    assert_int_equal(id, 0);
    assert_same(gpool__table_is_full(&f.table), true);
    assert_int_equal(f.memory.allocations, allocations);
    retire(&f.table, head);
    assert_ptr_equal(take(&f.table), head);
    f.table.slot_count = 1;
    assert_same(gpool__table_validate(&f.table, 0), true);
    close_table(&f);
}

static void slot_number_of_dead_markers_is_never_given_out(void **state)
{
    (void)state;
    assert_int_equal(gpool_handle_slot(UINT32_MAX), GPOOL__MAX_SLOTS);
}

/* Plants `broken` in a 32-bit field, expects validate to see it, and mends it. */
static void expect_seen(gpool__table *table, uint32_t *field, uint32_t broken)
{
    const uint32_t whole = *field;
    *field = broken;
    const bool valid = gpool__table_validate(table, 0);
    *field = whole;
    assert_same(valid, false);
    assert_same(gpool__table_validate(table, 0), true);
}

/* Plants a link of the free list: of a slot, or of the table. */
static void expect_link_seen(gpool__table *table, gpool__slot_free **link, gpool__slot_head *broken)
{
    gpool__slot_free *whole = *link;
    *link = (gpool__slot_free *)broken;
    const bool valid = gpool__table_validate(table, 0);
    *link = whole;
    assert_same(valid, false);
    assert_same(gpool__table_validate(table, 0), true);
}

static gpool__slot_free **next_of(gpool__slot_head *head)
{
    return &((gpool__slot_free *)head)->next;
}

static void expect_id_seen(gpool__table *table, gpool__slot_head *head, uint64_t broken)
{
    const uint64_t whole = head->id;
    head->id = broken;
    const bool valid = gpool__table_validate(table, 0);
    head->id = whole;
    assert_same(valid, false);
    assert_same(gpool__table_validate(table, 0), true);
}

/* Slots 0 to 9, of which 2, 4 and 6 are free in this order, 8 killed. */
static void open_varied_table(fixture *f, gpool__slot_head **heads)
{
    open_table(f, GPOOL_KIND_BUFFER, 1);
    for (size_t i = 0; i < 10; ++i) {
        heads[i] = take(&f->table);
    }
    retire(&f->table, heads[2]);
    retire(&f->table, heads[4]);
    retire(&f->table, heads[6]);
    gpool__table_kill(&f->table, heads[8], heads[8]->id);
    assert_same(gpool__table_validate(&f->table, 0), true);
}

static void validate_sees_a_corrupted_slot(void **state)
{
    (void)state;
    fixture f;
    gpool__slot_head *heads[10];
    open_varied_table(&f, heads);
    expect_id_seen(&f.table, heads[3], heads[3]->id + 1);
    expect_id_seen(&f.table, heads[4], heads[4]->id + 1);
    expect_id_seen(&f.table, heads[1], heads[3]->id);
    expect_id_seen(&f.table, heads[1], heads[1]->id ^ 1u << 24);
    expect_id_seen(&f.table, heads[1], heads[1]->id ^ 1u << 28);
    expect_id_seen(&f.table, heads[1], heads[1]->id & UINT32_MAX);
    expect_id_seen(&f.table, heads[1], heads[1]->id | UINT32_MAX);
    expect_id_seen(&f.table, heads[2], UINT32_MAX);
    expect_id_seen(&f.table, heads[2], UINT64_C(1) << 32 | f.table.prefix | 2u);
    expect_id_seen(&f.table, heads[8], UINT64_C(1) << 32 | f.table.prefix | 8u);
    close_table(&f);
}

static void validate_sees_a_corrupted_free_list(void **state)
{
    (void)state;
    fixture f;
    gpool__slot_head *heads[10];
    open_varied_table(&f, heads);
    expect_link_seen(&f.table, next_of(heads[2]), heads[2]);
    expect_link_seen(&f.table, next_of(heads[6]), heads[2]);
    expect_link_seen(&f.table, next_of(heads[4]), gpool__table_at(&f.table, 10));
    expect_link_seen(&f.table, next_of(heads[4]), NULL);
    expect_link_seen(&f.table, next_of(heads[4]), heads[5]);
    expect_link_seen(&f.table, next_of(heads[6]), heads[8]);
    expect_link_seen(&f.table, &f.table.free_first, NULL);
    expect_link_seen(&f.table, &f.table.free_first, heads[4]);
    close_table(&f);
}

static void validate_sees_a_corrupted_end_of_the_free_list(void **state)
{
    (void)state;
    fixture f;
    gpool__slot_head *heads[10];
    open_varied_table(&f, heads);
    expect_link_seen(&f.table, &f.table.free_last, heads[4]);
    expect_link_seen(&f.table, &f.table.free_last, NULL);
    close_table(&f);
}

static void validate_sees_wrong_counts(void **state)
{
    (void)state;
    fixture f;
    gpool__slot_head *heads[10];
    open_varied_table(&f, heads);
    expect_seen(&f.table, &f.table.live_count, f.table.live_count + 1);
    expect_seen(&f.table, &f.table.live_count, f.table.live_count - 1);
    expect_seen(&f.table, &f.table.free_count, f.table.free_count + 1);
    expect_seen(&f.table, &f.table.free_count, f.table.free_count - 1);
    expect_seen(&f.table, &f.table.slot_count, f.table.slot_count - 1);
    close_table(&f);
}

static void validate_sees_a_generation_above_the_last_one(void **state)
{
    (void)state;
    fixture f;
    gpool__slot_head *heads[10];
    open_varied_table(&f, heads);
    (void)take(&f.table);
    assert_int_equal(f.table.last_generation, 2);
    expect_seen(&f.table, &f.table.last_generation, 1);
    close_table(&f);
}

int main(int argc, char **argv)
{
    seed = unit_seed(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_work_never_reuses_an_id),
        cmocka_unit_test(empty_table_allocates_nothing_and_accepts_nothing),
        cmocka_unit_test(handle_holds_slot_kind_tag_and_generation),
        cmocka_unit_test(stale_handle_is_refused_after_slot_reuse),
        cmocka_unit_test(handle_of_another_kind_or_tag_is_refused),
        cmocka_unit_test(killed_slot_is_not_reused_before_it_is_given_back),
        cmocka_unit_test(slots_are_reused_oldest_first),
        cmocka_unit_test(payloads_never_move_while_the_table_grows),
        cmocka_unit_test(forged_handles_resolve_only_to_live_slots),
        cmocka_unit_test(failed_allocation_leaves_the_table_whole),
        cmocka_unit_test(full_table_says_so_and_still_reuses_slots),
        cmocka_unit_test(slot_number_of_dead_markers_is_never_given_out),
        cmocka_unit_test(validate_sees_a_corrupted_slot),
        cmocka_unit_test(validate_sees_a_corrupted_free_list),
        cmocka_unit_test(validate_sees_a_corrupted_end_of_the_free_list),
        cmocka_unit_test(validate_sees_wrong_counts),
        cmocka_unit_test(validate_sees_a_generation_above_the_last_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
