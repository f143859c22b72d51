#include "base/checked.h"

#include "unit/unit.h"

__extension__ typedef unsigned __int128 wide;

#define VALUE_COUNT 30u

/* Each boundary and its neighbours; the neighbours of 0 and of 2^64 - 1 wrap around. */
static void fill_values(uint64_t values[VALUE_COUNT])
{
    static const uint64_t boundaries[] = {
        0, 1, 3, 4, 255, 256, UINT64_C(1) << 31, UINT64_C(1) << 32, UINT64_C(1) << 53, UINT64_MAX,
    };
    assert_int_equal(UNIT_COUNT(boundaries) * 3, VALUE_COUNT);
    for (size_t i = 0; i < UNIT_COUNT(boundaries); ++i) {
        values[3 * i] = boundaries[i] - 1;
        values[3 * i + 1] = boundaries[i];
        values[3 * i + 2] = boundaries[i] + 1;
    }
}

static void range_is_inside_exactly_when_its_true_end_is(void **state)
{
    (void)state;
    uint64_t values[VALUE_COUNT];
    fill_values(values);
    for (size_t i = 0; i < VALUE_COUNT; ++i) {
        for (size_t j = 0; j < VALUE_COUNT; ++j) {
            for (size_t k = 0; k < VALUE_COUNT; ++k) {
                const bool inside = (wide)values[i] + values[j] <= values[k];
                assert_same(gpool__range_inside(values[i], values[j], values[k]), inside);
            }
        }
    }
}

static void rounding_gives_the_nearest_multiple_for_every_unit(void **state)
{
    (void)state;
    uint64_t values[VALUE_COUNT];
    fill_values(values);
    for (size_t i = 0; i < VALUE_COUNT; ++i) {
        for (uint32_t shift = 0; shift < 64; ++shift) {
            const uint64_t unit = UINT64_C(1) << shift;
            const uint64_t down = values[i] / unit * unit;
            assert_int_equal(gpool__round_down(values[i], unit), down);
            if (values[i] <= UINT64_MAX - unit + 1) {
                const wide up = ((wide)values[i] + unit - 1) / unit * unit;
                assert_int_equal(gpool__round_up(values[i], unit), (uint64_t)up);
            }
        }
    }
}

static void min_and_max_agree_with_the_order_of_the_numbers(void **state)
{
    (void)state;
    uint64_t values[VALUE_COUNT];
    fill_values(values);
    for (size_t i = 0; i < VALUE_COUNT; ++i) {
        for (size_t j = 0; j < VALUE_COUNT; ++j) {
            const uint64_t low = gpool__min(values[i], values[j]);
            const uint64_t high = gpool__max(values[i], values[j]);
            assert_in_range(values[i], low, high);
            assert_in_range(values[j], low, high);
            assert_true((wide)low + high == (wide)values[i] + values[j]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(range_is_inside_exactly_when_its_true_end_is),
        cmocka_unit_test(rounding_gives_the_nearest_multiple_for_every_unit),
        cmocka_unit_test(min_and_max_agree_with_the_order_of_the_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
