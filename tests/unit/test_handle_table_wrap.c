/* The handle table compiled with so few generations that they run out all the time. */
#define GPOOL__GENERATION_MAX 15
#define gpool__table_init     wrap_table_init
#define gpool__table_fini     wrap_table_fini
#define gpool__table_grow     wrap_table_grow
#define gpool__table_find     wrap_table_find
#define gpool__table_validate wrap_table_validate
#include "alloc/handle_table.c"

#include "unit/handle_model.h"

static uint64_t seed;
static handle_model model;

static void random_work_never_reuses_an_id_while_generations_run_out(void **state)
{
    (void)state;
    handle_model_run(&model, seed, 1, 30000, 40);
    assert_in_range(model.spent_count, 60, MODEL_SLOTS);
}

static void random_work_on_a_used_tag_starts_above_its_generations(void **state)
{
    (void)state;
    handle_model_run(&model, seed + 1, 12, 12000, 40);
    assert_in_range(model.spent_count, 60, MODEL_SLOTS);
    assert_int_equal(gpool_handle_generation(model.ids[0]), 12);
}

static void slot_of_the_last_generation_is_used_once(void **state)
{
    (void)state;
    handle_model_run(&model, seed + 2, GPOOL__GENERATION_MAX, 3000, 20);
    assert_int_equal(model.free_count, 0);
    assert_in_range(model.spent_count, 60, MODEL_SLOTS);
}

static void spent_slot_is_left_behind_and_a_new_one_taken(void **state)
{
    (void)state;
    gpool__memory memory;
    gpool__memory_init(&memory, NULL);
    gpool__table table;
    gpool__table_init(&table, &memory, GPOOL_KIND_BUFFER, 3, sizeof(gpool__slot_head), 1);
    uint64_t ids[GPOOL__GENERATION_MAX];
    uint64_t id = 0;
    for (uint32_t i = 0; i < GPOOL__GENERATION_MAX; ++i) {
        gpool__slot_head *head = gpool__table_take(&table, &id);
        assert_non_null(head);
        ids[i] = head->id;
        assert_int_equal(gpool_handle_slot(head->id), 0);
        assert_int_equal(gpool_handle_generation(head->id), i + 1);
        gpool__table_kill(&table, head, id);
        assert_int_equal(table.spent_count, 0);
        gpool__table_give_back(&table, head, id);
    }
    assert_int_equal(table.spent_count, 1);
    assert_int_equal(table.free_count, 0);
    gpool__slot_head *head = gpool__table_take(&table, &id);
    assert_non_null(head);
    assert_int_equal(gpool_handle_slot(head->id), 1);
    assert_int_equal(gpool_handle_generation(head->id), 1);
    for (uint32_t i = 0; i < GPOOL__GENERATION_MAX; ++i) {
        assert_null(gpool__table_get(&table, ids[i]));
    }
    assert_same(gpool__table_validate(&table, 0), true);
    gpool__table_fini(&table);
}

static void dead_marker_of_the_last_generation_is_no_handle(void **state)
{
    (void)state;
    gpool__memory memory;
    gpool__memory_init(&memory, NULL);
    gpool__table table;
    gpool__table_init(&table, &memory, 15, 15, sizeof(gpool__slot_head), GPOOL__GENERATION_MAX);
    uint64_t id = 0;
    gpool__slot_head *head = gpool__table_take(&table, &id);
    assert_non_null(head);
    assert_int_equal(id, head->id);
    assert_same(gpool__table_is_live(&table, head), true);
    gpool__table_kill(&table, head, id);
    gpool__table_give_back(&table, head, id);
    assert_null(gpool__table_get(&table, id));
    assert_null(gpool__table_get(&table, head->id));
    gpool__table_fini(&table);
}

int main(int argc, char **argv)
{
    seed = unit_seed(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_work_never_reuses_an_id_while_generations_run_out),
        cmocka_unit_test(random_work_on_a_used_tag_starts_above_its_generations),
        cmocka_unit_test(slot_of_the_last_generation_is_used_once),
        cmocka_unit_test(spent_slot_is_left_behind_and_a_new_one_taken),
        cmocka_unit_test(dead_marker_of_the_last_generation_is_no_handle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
