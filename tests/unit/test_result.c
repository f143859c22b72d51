#include "unit/unit.h"

static void every_result_has_a_distinct_name_and_text(void **state)
{
    (void)state;
    assert_in_range(GPOOL_RESULT_COUNT, 20, 200);
    for (int i = 0; i < GPOOL_RESULT_COUNT; ++i) {
        const char *name = gpool_result_name((gpool_result)i);
        const char *text = gpool_result_text((gpool_result)i);
        const char *wanted = i == GPOOL_OK          ? "GPOOL_OK"
                             : i == GPOOL_NOT_READY ? "GPOOL_NOT_READY" /* answers, no errors */
                             : i == GPOOL_NOT_FOUND ? "GPOOL_NOT_FOUND"
                                                    : "GPOOL_ERROR_";
        assert_int_equal(strncmp(name, wanted, strlen(wanted)), 0);
        assert_in_range(strlen(text), 4, 100);
        for (int j = 0; j < i; ++j) {
            assert_string_not_equal(name, gpool_result_name((gpool_result)j));
            assert_string_not_equal(text, gpool_result_text((gpool_result)j));
        }
    }
}

static void every_log_id_has_a_distinct_name_and_text(void **state)
{
    (void)state;
    assert_in_range(GPOOL_LOG_COUNT, 30, 200);
    for (int i = 0; i < GPOOL_LOG_COUNT; ++i) {
        const char *name = gpool_log_name((gpool_log_id)i);
        const char *text = gpool_log_text((gpool_log_id)i);
        assert_int_equal(strncmp(name, "GPOOL_LOG_", 10), 0);
        assert_in_range(strlen(name), 11, 60);
        assert_in_range(strlen(text), 4, 100);
        for (int j = 0; j < i; ++j) {
            assert_string_not_equal(name, gpool_log_name((gpool_log_id)j));
            assert_string_not_equal(text, gpool_log_text((gpool_log_id)j));
        }
    }
}

static void names_are_those_of_the_enumerators(void **state)
{
    (void)state;
    assert_string_equal(gpool_result_name(GPOOL_OK), "GPOOL_OK");
    assert_string_equal(gpool_result_name(GPOOL_ERROR_LIMIT), "GPOOL_ERROR_LIMIT");
    assert_string_equal(gpool_result_name(GPOOL_ERROR_FILE), "GPOOL_ERROR_FILE");
    assert_string_equal(gpool_log_name(GPOOL_LOG_NONE), "GPOOL_LOG_NONE");
    assert_string_equal(gpool_log_name(GPOOL_LOG_RANGE), "GPOOL_LOG_RANGE");
    assert_string_equal(gpool_log_name(GPOOL_LOG_DEVICE), "GPOOL_LOG_DEVICE");
}

static void success_and_no_log_are_zero(void **state)
{
    (void)state;
    assert_int_equal(GPOOL_OK, 0);
    assert_int_equal(GPOOL_LOG_NONE, 0);
}

static void unknown_codes_have_a_name_and_a_text_of_their_own(void **state)
{
    (void)state;
    static const int codes[] = { -1, GPOOL_RESULT_COUNT, GPOOL_LOG_COUNT, 100000, INT32_MIN };
    for (size_t i = 0; i < UNIT_COUNT(codes); ++i) {
        for (int j = 0; j < GPOOL_RESULT_COUNT && codes[i] != GPOOL_LOG_COUNT; ++j) {
            assert_string_not_equal(gpool_result_name((gpool_result)codes[i]),
                                    gpool_result_name((gpool_result)j));
            assert_string_not_equal(gpool_result_text((gpool_result)codes[i]),
                                    gpool_result_text((gpool_result)j));
        }
        for (int j = 0; j < GPOOL_LOG_COUNT && codes[i] != GPOOL_RESULT_COUNT; ++j) {
            assert_string_not_equal(gpool_log_name((gpool_log_id)codes[i]),
                                    gpool_log_name((gpool_log_id)j));
            assert_string_not_equal(gpool_log_text((gpool_log_id)codes[i]),
                                    gpool_log_text((gpool_log_id)j));
        }
    }
}

static void version_is_that_of_the_header(void **state)
{
    (void)state;
    char wanted[64];
    (void)snprintf(wanted, sizeof wanted, "%d.%d.%d", GPOOL_VERSION_MAJOR, GPOOL_VERSION_MINOR,
                   GPOOL_VERSION_PATCH);
    assert_string_equal(gpool_version(), wanted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_result_has_a_distinct_name_and_text),
        cmocka_unit_test(every_log_id_has_a_distinct_name_and_text),
        cmocka_unit_test(names_are_those_of_the_enumerators),
        cmocka_unit_test(success_and_no_log_are_zero),
        cmocka_unit_test(unknown_codes_have_a_name_and_a_text_of_their_own),
        cmocka_unit_test(version_is_that_of_the_header),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
