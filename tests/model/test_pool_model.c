/*
 * Random operations on the whole pool against the plain model. Arguments: seed, steps and the way that
 * uploads are forced to, 0 (AUTO) to 4 (WHOLE), 5 and 6 for a mix; without it each in turn. A long run
 * is `test_pool_model 1 100000000`. With GPOOL_MODEL_TRACE=FILE each list of operations is written to
 * FILE before it runs, for a replay, and each step is printed.
 */
#include "unit.h"

#include "pool_model.h"

#define SHORT_STEPS 1000000u
#define LONGEST     6000u /* bytes of one list of operations */

static uint64_t test_seed;
static uint64_t test_steps = SHORT_STEPS;
static uint64_t test_way = POOL_MODEL_WAYS; /* each in turn */

static void trace(const uint8_t *bytes, size_t size)
{
    const char *path = getenv("GPOOL_MODEL_TRACE");
    FILE *file = path != NULL ? fopen(path, "wb") : NULL;
    if (file != NULL) {
        (void)fwrite(bytes, 1, size, file);
        (void)fclose(file);
    }
}

/* Pools went the way that they were forced to, and those that chose went every way. */
static void check_ways(const pool_model_totals *totals)
{
    uint64_t chosen[POOL_MODEL_WAYS] = { 0 };
    bool any_chose = false;
    for (uint32_t forced = 0; forced < POOL_MODEL_WAYS; ++forced) {
        if (test_way < POOL_MODEL_WAYS && forced != test_way) {
            continue;
        }
        const uint64_t *calls = totals->uploads[forced];
        printf("uploads, forced %u: %llu direct, %llu merged, %llu scatter, %llu whole\n", forced,
               (unsigned long long)calls[1], (unsigned long long)calls[2],
               (unsigned long long)calls[3], (unsigned long long)calls[4]);
        const bool chose = forced == 0 || forced > 4;
        any_chose = any_chose || forced > 4;
        assert_true(chose || calls[forced] > test_steps / 10000);
        for (uint32_t way = 1; chose && way <= 4; ++way) {
            chosen[way] += calls[way];
        }
    }
    for (uint32_t way = 1; any_chose && way <= 4; ++way) {
        assert_true(chosen[way] > test_steps / 10000);
    }
}

static void the_pool_does_what_the_model_does(void **state)
{
    (void)state;
    static uint8_t bytes[LONGEST + POOL_MODEL_WAYS];
    pool_model_totals totals = { 0 };
    uint64_t seed = test_seed;
    while (totals.steps < test_steps) {
        size_t size = 1 + unit_random_below(&seed, totals.runs % 4 == 0 ? LONGEST : 600);
        uint64_t way = test_way < POOL_MODEL_WAYS ? test_way : totals.runs % POOL_MODEL_WAYS;
        size += (size_t)((way + POOL_MODEL_WAYS - size % POOL_MODEL_WAYS) % POOL_MODEL_WAYS);
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
    printf(
        "%llu recorded writes, %llu dispatches, %llu imports, %llu edits, %llu resizes, %llu plans "
        "explained\n",
        (unsigned long long)totals.record_writes, (unsigned long long)totals.gpu_writes,
        (unsigned long long)totals.imports, (unsigned long long)totals.edits,
        (unsigned long long)totals.resizes, (unsigned long long)totals.explained);
    check_ways(&totals);
    /* Everything that meets an upload was among the steps. */
    const uint64_t kinds[] = { totals.record_writes, totals.gpu_writes, totals.imports,
                               totals.edits,         totals.resizes,    totals.explained };
    for (size_t i = 0; i < UNIT_COUNT(kinds); ++i) {
        assert_true(kinds[i] > test_steps / 10000);
    }
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
    if (argc > 3) {
        test_way = strtoull(argv[3], NULL, 0);
    }
    return cmocka_run_group_tests_name("pool_model", tests, NULL, NULL);
}
