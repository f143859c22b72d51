#include "base/thread.h"

#include "unit/unit.h"

#include <pthread.h>

#define MILLISECOND UINT64_C(1000000)

static void clock_never_goes_back_and_moves_on(void **state)
{
    (void)state;
    const uint64_t first = gpool__now_ns();
    assert_in_range(first, 1, UINT64_MAX);
    uint64_t last = first;
    for (int i = 0; i < 100000; ++i) {
        const uint64_t now = gpool__now_ns();
        assert_in_range(now, last, UINT64_MAX);
        last = now;
    }
    assert_in_range(last - first, 1, 60000 * MILLISECOND);
}

static void sleep_lasts_at_least_as_long_as_asked(void **state)
{
    (void)state;
    static const uint64_t naps[] = { 1, 50000, 5 * MILLISECOND, 30 * MILLISECOND };
    for (size_t i = 0; i < UNIT_COUNT(naps); ++i) {
        const uint64_t before = gpool__now_ns();
        gpool__sleep_ns(naps[i]);
        assert_in_range(gpool__now_ns() - before, naps[i], 30000 * MILLISECOND);
    }
}

static void sleep_of_more_than_a_second_is_not_cut_to_its_fraction(void **state)
{
    (void)state;
    const uint64_t before = gpool__now_ns();
    gpool__sleep_ns(1005 * MILLISECOND);
    assert_in_range(gpool__now_ns() - before, 1005 * MILLISECOND, 30000 * MILLISECOND);
}

static void cpu_time_stands_still_in_sleep_and_runs_in_work(void **state)
{
    (void)state;
    const uint64_t before_sleep = gpool__thread_cpu_ns();
    gpool__sleep_ns(100 * MILLISECOND);
    const uint64_t after_sleep = gpool__thread_cpu_ns();
    assert_in_range(after_sleep - before_sleep, 0, 50 * MILLISECOND);
    const uint64_t start = gpool__now_ns();
    uint64_t cpu = 0;
    while (cpu < 10 * MILLISECOND && gpool__now_ns() - start < 20000 * MILLISECOND) {
        cpu = gpool__thread_cpu_ns() - after_sleep;
    }
    assert_in_range(cpu, 10 * MILLISECOND, gpool__now_ns() - start + 2 * MILLISECOND);
}

static void *work(void *user)
{
    uint64_t *cpu = user;
    const uint64_t before = gpool__thread_cpu_ns();
    while (*cpu < 60 * MILLISECOND) {
        *cpu = gpool__thread_cpu_ns() - before;
    }
    return NULL;
}

static void cpu_time_is_that_of_the_calling_thread(void **state)
{
    (void)state;
    const uint64_t before = gpool__thread_cpu_ns();
    uint64_t others = 0;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, work, &others), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_in_range(others, 60 * MILLISECOND, 20000 * MILLISECOND);
    assert_in_range(gpool__thread_cpu_ns() - before, 0, 30 * MILLISECOND);
}

typedef struct shared {
    gpool__mutex *mutex;
    volatile uint64_t count;
} shared;

#define ROUNDS 20000u

static void *count_up(void *user)
{
    shared *s = user;
    for (uint32_t i = 0; i < ROUNDS; ++i) {
        gpool__mutex_lock(s->mutex);
        const uint64_t count = s->count;
        if (i % 64 == 0) { /* invites the other thread in between */
            gpool__sleep_ns(1);
        }
        s->count = count + 1;
        gpool__mutex_unlock(s->mutex);
    }
    return NULL;
}

static void expect_exclusion(gpool__mutex *mutex)
{
    shared s = { .mutex = mutex };
    pthread_t threads[2];
    for (size_t i = 0; i < UNIT_COUNT(threads); ++i) {
        assert_int_equal(pthread_create(&threads[i], NULL, count_up, &s), 0);
    }
    for (size_t i = 0; i < UNIT_COUNT(threads); ++i) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    assert_int_equal(s.count, UNIT_COUNT(threads) * ROUNDS);
}

static void mutex_lets_one_thread_in_at_a_time(void **state)
{
    (void)state;
    static gpool__mutex fixed = GPOOL__MUTEX_INIT;
    expect_exclusion(&fixed);
    gpool__mutex made;
    gpool__mutex_init(&made);
    expect_exclusion(&made);
    gpool__mutex_fini(&made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clock_never_goes_back_and_moves_on),
        cmocka_unit_test(sleep_lasts_at_least_as_long_as_asked),
        cmocka_unit_test(sleep_of_more_than_a_second_is_not_cut_to_its_fraction),
        cmocka_unit_test(cpu_time_stands_still_in_sleep_and_runs_in_work),
        cmocka_unit_test(cpu_time_is_that_of_the_calling_thread),
        cmocka_unit_test(mutex_lets_one_thread_in_at_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
