/*
 * Random operations on the whole pool against the plain model. Arguments: seed and steps; a long run
 * is `test_pool_model 1 100000000`. With GPOOL_MODEL_TRACE=FILE each list of operations is written to
 * FILE before it runs, for a replay, and each step is printed.
 */
#include "unit.h"

#include "pool_model.h"

#define SHORT_STEPS 120000u
#define LONGEST     6000u /* bytes of one list of operations */

static uint64_t test_seed;
static uint64_t test_steps = SHORT_STEPS;

static void trace(const uint8_t *bytes, size_t size)
{
    const char *path = getenv("GPOOL_MODEL_TRACE");
    FILE *file = path != NULL ? fopen(path, "wb") : NULL;
    if (file != NULL) {
        (void)fwrite(bytes, 1, size, file);
        (void)fclose(file);
    }
}

static void the_pool_does_what_the_model_does(void **state)
{
    (void)state;
    static uint8_t bytes[LONGEST];
    pool_model_totals totals = { 0 };
    uint64_t seed = test_seed;
    while (totals.steps < test_steps) {
        size_t size = 1 + unit_random_below(&seed, totals.runs % 4 == 0 ? LONGEST : 600);
        for (size_t i = 0; i < size; ++i) {
            bytes[i] = (uint8_t)unit_random(&seed);
        }
        /* Each personality in turn, whatever the numbers are. */
        bytes[0] = (uint8_t)((bytes[0] & ~1u) | (totals.runs & 1u));
        trace(bytes, size);
        pool_model_run(bytes, size, &totals);
    }
    printf(
        "%llu steps in %llu pools: %llu faults, %llu losses, %llu recoveries, %llu good and %llu refused results, "
        "%llu commands, %llu tickets taken, %llu objects recycled, %llu bytes compared\n",
        (unsigned long long)totals.steps, (unsigned long long)totals.runs,
        (unsigned long long)totals.faults, (unsigned long long)totals.losses,
        (unsigned long long)totals.recoveries, (unsigned long long)totals.good,
        (unsigned long long)totals.refused, (unsigned long long)totals.commands,
        (unsigned long long)totals.tickets, (unsigned long long)totals.recycled,
        (unsigned long long)totals.compared);
    assert_true(totals.recycled > test_steps / 1000);
    assert_true(totals.commands > test_steps / 100);
    assert_true(totals.tickets > test_steps / 1000);
    assert_true(totals.good > totals.refused);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_pool_does_what_the_model_does),
    };
    test_seed = unit_seed(argc, argv);
    if (argc > 2) {
        test_steps = strtoull(argv[2], NULL, 0);
    }
    return cmocka_run_group_tests_name("pool_model", tests, NULL, NULL);
}
