#include "unit/plan_model.h"
#include "unit/unit.h"

static uint64_t seed;

static void plans_are_allowed_and_the_fastest(void **state)
{
    (void)state;
    static uint8_t bytes[400];
    for (uint32_t i = 0; i < 8000; ++i) {
        const size_t size = 1 + (size_t)unit_random_below(&seed, sizeof bytes);
        for (size_t at = 0; at < size; ++at) {
            bytes[at] = (uint8_t)unit_random(&seed);
        }
        plan_model_run(bytes, size);
    }
}

/* A buffer of so many granules, of which every other one is dirty. */
static dirty_model every_other(uint64_t granules)
{
    dirty_model marks;
    dirty_model_open(&marks, granules * GPOOL__GRANULE, GPOOL__GRANULE);
    for (uint64_t i = 0; i < granules; i += 2) {
        dirty_model_mark(&marks, i * GPOOL__GRANULE, 1, false);
    }
    return marks;
}

static void scatter_and_staging_are_given_up_together(void **state)
{
    (void)state;
    /* Scatter is worth its pass against copies, but both together are not worth it against writes. */
    static const gpool_upload_costs costs = { .write_call = 15.0f,
                                              .write_byte = 1.0f,
                                              .stage_fixed = 100.0f,
                                              .copy_call = 10.0f,
                                              .copy_byte = 1.0f,
                                              .scatter_fixed = 90.0f,
                                              .scatter_granule = 64.0f };
    dirty_model marks = every_other(20);
    const gpool__plan_input input = {
        .dirty = marks.map, .size = marks.size, .window = 65536, .by_queue = true
    };
    gpool__plan plan = gpool__plan_buffer(&costs, &input);
    gpool__plan *one = &plan;
    assert_same(plan.way, GPOOL_UPLOAD_SCATTER);
    gpool__plan_settle(&costs, &one, 1);
    assert_same(plan.way, GPOOL_UPLOAD_DIRECT);
    assert_false(plan.staged);
    dirty_model_close(&marks);
}

static void a_small_buffer_is_predicted_to_take_what_its_queue_write_takes(void **state)
{
    (void)state;
    static const gpool_upload_costs costs = { .write_call = 1000.0f, .copy_call = 10.0f };
    dirty_model marks = every_other(3);
    gpool__plan_input input = {
        .dirty = marks.map, .size = marks.size, .small = true, .by_queue = true
    };
    gpool__plan plan = gpool__plan_buffer(&costs, &input);
    assert_same(plan.reason, GPOOL_UPLOAD_REASON_SMALL);
    assert_false(plan.staged);
    assert_true(!(plan.ns[GPOOL_UPLOAD_WHOLE] < 1000.0f));
    input.by_queue = false;
    plan = gpool__plan_buffer(&costs, &input);
    assert_true(plan.staged);
    assert_true(plan.ns[GPOOL_UPLOAD_WHOLE] < 1000.0f);
    dirty_model_close(&marks);
}

static void what_is_told_of_the_whole_is_its_queue_write_where_that_is_cheaper(void **state)
{
    (void)state;
    /* Staging is cheaper for the bytes, and dearer with what is paid once. */
    static const gpool_upload_costs costs = { .write_call = 100.0f,
                                              .write_byte = 1.0f,
                                              .stage_fixed = 1000.0f,
                                              .copy_call = 10.0f,
                                              .copy_byte = 1.0f };
    dirty_model marks = every_other(4);
    const gpool__plan_input input = { .dirty = marks.map, .size = marks.size, .by_queue = true };
    gpool__plan plan = gpool__plan_buffer(&costs, &input);
    gpool__plan *one = &plan;
    gpool__plan_settle(&costs, &one, 1);
    assert_same(plan.way, GPOOL_UPLOAD_DIRECT);
    const float whole = gpool__plan_alone(&costs, &plan, GPOOL_UPLOAD_WHOLE);
    assert_int_equal((int)whole, 100 + 256);
    dirty_model_close(&marks);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plans_are_allowed_and_the_fastest),
        cmocka_unit_test(scatter_and_staging_are_given_up_together),
        cmocka_unit_test(a_small_buffer_is_predicted_to_take_what_its_queue_write_takes),
        cmocka_unit_test(what_is_told_of_the_whole_is_its_queue_write_where_that_is_cheaper),
    };
    seed = unit_seed(argc, argv);
    return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
