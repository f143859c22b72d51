#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include "base/log.h"

#include "unit/unit.h"

#include <pthread.h>
#include <unistd.h>

/* What the callback saw. */
typedef struct sink {
    uint64_t records;
    gpool_log_record last;
    char operation[64];
    char message[2 * GPOOL__MESSAGE_SIZE];
} sink;

static void receive(void *user, const gpool_log_record *record)
{
    sink *s = user;
    s->records += 1;
    s->last = *record;
    assert_in_range(strlen(record->message), 1, GPOOL__MESSAGE_SIZE - 1);
    (void)snprintf(s->message, sizeof s->message, "%s", record->message);
    (void)snprintf(s->operation, sizeof s->operation, "%s", record->operation);
}

static sink seen;
static gpool__log log_under_test;

static int open_log(void **state)
{
    (void)state;
    seen = (sink){ 0 };
    *gpool__current() = (gpool__operation){ 0 };
    gpool__log_init(&log_under_test, receive, &seen, "owner");
    return 0;
}

static void new_log_has_no_error_and_an_empty_message(void **state)
{
    (void)state;
    assert_same(log_under_test.last.code, GPOOL_OK);
    assert_same(log_under_test.last.id, GPOOL_LOG_NONE);
    assert_string_equal(log_under_test.last.message, "");
    assert_int_equal(log_under_test.errors, 0);
}

static void failure_is_returned_logged_and_kept_as_the_last_error(void **state)
{
    (void)state;
    const gpool_result result =
        gpool__fail(&log_under_test, GPOOL_LOG_RANGE, GPOOL_ERROR_OUT_OF_RANGE, "At [%d]", 4711);
    assert_same(result, GPOOL_ERROR_OUT_OF_RANGE);
    assert_int_equal(seen.records, 1);
    assert_same(seen.last.level, GPOOL_LOG_LEVEL_ERROR);
    assert_same(seen.last.id, GPOOL_LOG_RANGE);
    assert_same(seen.last.result, GPOOL_ERROR_OUT_OF_RANGE);
    assert_same(log_under_test.last.code, GPOOL_ERROR_OUT_OF_RANGE);
    assert_same(log_under_test.last.id, GPOOL_LOG_RANGE);
    assert_string_equal(log_under_test.last.message, seen.message);
    assert_non_null(strstr(seen.message, "4711"));
    assert_non_null(strstr(seen.message, "owner"));
    assert_int_equal(log_under_test.errors, 1);
}

static void note_is_logged_and_leaves_the_last_error(void **state)
{
    (void)state;
    (void)gpool__fail(&log_under_test, GPOOL_LOG_LIMIT, GPOOL_ERROR_LIMIT, "First");
    gpool__note(&log_under_test, GPOOL_LOG_LEAK, "Second [%d]", 4711);
    assert_int_equal(seen.records, 2);
    assert_same(seen.last.level, GPOOL_LOG_LEVEL_WARN);
    assert_same(seen.last.id, GPOOL_LOG_LEAK);
    assert_same(seen.last.result, GPOOL_OK);
    assert_non_null(strstr(seen.message, "4711"));
    assert_same(log_under_test.last.id, GPOOL_LOG_LIMIT);
    assert_same(log_under_test.last.code, GPOOL_ERROR_LIMIT);
    assert_null(strstr(log_under_test.last.message, "4711"));
    assert_int_equal(log_under_test.errors, 1);
    gpool__note(&log_under_test, GPOOL_LOG_DEVICE, "Third");
    assert_same(seen.last.level, GPOOL_LOG_LEVEL_INFO);
}

static void record_names_the_running_operation(void **state)
{
    (void)state;
    (void)gpool__fail(&log_under_test, GPOOL_LOG_LIMIT, GPOOL_ERROR_LIMIT, "Outside");
    assert_string_equal(seen.operation, "");
    gpool__current()->name = "gpool_buffer_write";
    (void)gpool__fail(&log_under_test, GPOOL_LOG_LIMIT, GPOOL_ERROR_LIMIT, "Inside");
    assert_string_equal(seen.operation, "gpool_buffer_write");
    assert_non_null(strstr(seen.message, "gpool_buffer_write"));
    gpool__current()->name = NULL;
}

static void *read_operation(void *user)
{
    *(const char **)user = gpool__current()->name;
    gpool__current()->name = "other";
    return NULL;
}

static void operation_belongs_to_its_thread(void **state)
{
    (void)state;
    gpool__current()->name = "mine";
    const char *others = "unset";
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, read_operation, &others), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_null(others);
    assert_string_equal(gpool__current()->name, "mine");
    gpool__current()->name = NULL;
}

static void records_are_kept_while_held_and_told_in_order(void **state)
{
    (void)state;
    gpool__log_hold();
    gpool__log_hold();
    gpool__current()->name = "gpool_first";
    (void)gpool__fail(&log_under_test, GPOOL_LOG_LIMIT, GPOOL_ERROR_LIMIT, "First");
    gpool__current()->name = NULL;
    assert_same(log_under_test.last.id, GPOOL_LOG_LIMIT); /* made at once */
    gpool__log_release();
    gpool__note(&log_under_test, GPOOL_LOG_LEAK, "Second");
    gpool__log_flush();
    assert_int_equal(seen.records, 0);
    gpool__log_release();
    assert_int_equal(seen.records, 2);
    assert_same(seen.last.id, GPOOL_LOG_LEAK);
    /* Within a public call they wait for its end, or for the next record. */
    gpool__current()->name = "gpool_second";
    gpool__log_hold();
    (void)gpool__fail(&log_under_test, GPOOL_LOG_RANGE, GPOOL_ERROR_OUT_OF_RANGE, "Third");
    gpool__log_release();
    assert_int_equal(seen.records, 2);
    (void)gpool__fail(&log_under_test, GPOOL_LOG_LIMIT, GPOOL_ERROR_LIMIT, "Fourth");
    assert_int_equal(seen.records, 4);
    assert_same(seen.last.id, GPOOL_LOG_LIMIT);
    gpool__log_hold();
    (void)gpool__fail(&log_under_test, GPOOL_LOG_RANGE, GPOOL_ERROR_OUT_OF_RANGE, "Fifth");
    gpool__log_release();
    gpool__current()->name = NULL;
    gpool__log_flush();
    assert_int_equal(seen.records, 5);
    assert_string_equal(seen.operation, "gpool_second");
}

static void repeats_are_held_back_but_for_powers_of_two(void **state)
{
    (void)state;
    uint64_t wanted = 0;
    for (uint32_t i = 1; i <= 5000; ++i) {
        wanted += i <= 32 || (i & (i - 1)) == 0;
        (void)gpool__fail(&log_under_test, GPOOL_LOG_USAGE, GPOOL_ERROR_MISSING_USAGE, "No [%u]",
                          i);
        assert_int_equal(seen.records, wanted);
    }
    assert_int_equal(wanted, 32 + 7);
    assert_non_null(strstr(seen.message, "4096"));
}

static void held_back_error_is_still_the_last_one_and_counted(void **state)
{
    (void)state;
    for (int i = 0; i < 40; ++i) {
        (void)gpool__fail(&log_under_test, GPOOL_LOG_USAGE, GPOOL_ERROR_MISSING_USAGE, "A");
    }
    assert_int_equal(seen.records, 32);
    (void)gpool__fail(&log_under_test, GPOOL_LOG_LIMIT, GPOOL_ERROR_LIMIT, "B");
    const gpool_result result = gpool__fail(&log_under_test, GPOOL_LOG_USAGE,
                                            GPOOL_ERROR_MISSING_USAGE, "Number [%d]", 4711);
    assert_same(result, GPOOL_ERROR_MISSING_USAGE);
    assert_int_equal(seen.records, 33);
    assert_same(log_under_test.last.id, GPOOL_LOG_USAGE);
    assert_non_null(strstr(log_under_test.last.message, "4711"));
    assert_int_equal(log_under_test.errors, 42);
}

static void each_id_is_held_back_for_itself(void **state)
{
    (void)state;
    for (int i = 0; i < 40; ++i) {
        gpool__note(&log_under_test, GPOOL_LOG_LEAK, "A");
    }
    assert_int_equal(seen.records, 32);
    gpool__note(&log_under_test, GPOOL_LOG_FALLBACK, "B");
    assert_int_equal(seen.records, 33);
}

static void counter_of_repeats_stops_at_its_end(void **state)
{
    (void)state;
    log_under_test.counts[GPOOL_LOG_LEAK] = UINT32_MAX - 1;
    for (int i = 0; i < 4; ++i) {
        gpool__note(&log_under_test, GPOOL_LOG_LEAK, "A");
    }
    assert_int_equal(log_under_test.counts[GPOOL_LOG_LEAK], UINT32_MAX);
    assert_int_equal(seen.records, 0);
}

static void argument_may_point_into_the_last_message(void **state)
{
    (void)state;
    (void)gpool__fail(&log_under_test, GPOOL_LOG_LIMIT, GPOOL_ERROR_LIMIT, "Cause [%d]", 4711);
    char before[GPOOL__MESSAGE_SIZE];
    memcpy(before, log_under_test.last.message, sizeof before);
    (void)gpool__fail(&log_under_test, GPOOL_LOG_GPU_ERROR, GPOOL_ERROR_GPU, "Failed: %s",
                      log_under_test.last.message);
    assert_non_null(strstr(log_under_test.last.message, before));
    assert_int_equal(strncmp(log_under_test.last.message, "Failed: ", 8), 0);
}

static void message_too_long_is_cut_at_every_length(void **state)
{
    (void)state;
    char text[3 * GPOOL__MESSAGE_SIZE];
    memset(text, 'x', sizeof text);
    for (int length = GPOOL__MESSAGE_SIZE - 80; length < GPOOL__MESSAGE_SIZE + 20; ++length) {
        log_under_test.counts[GPOOL_LOG_LIMIT] = 63; /* the 64th is logged with its count */
        (void)gpool__fail(&log_under_test, GPOOL_LOG_LIMIT, GPOOL_ERROR_LIMIT, "%.*s", length,
                          text);
        const size_t kept = strlen(log_under_test.last.message);
        const size_t least =
            (size_t)length < GPOOL__MESSAGE_SIZE - 1 ? (size_t)length : GPOOL__MESSAGE_SIZE - 1;
        assert_in_range(kept, least, GPOOL__MESSAGE_SIZE - 1);
        assert_in_range(strlen(seen.message), kept, GPOOL__MESSAGE_SIZE - 1);
    }
    assert_int_equal(seen.records, 100);
}

/* Bytes that reach the standard error output while one record is logged without a callback. */
static long bytes_on_stderr(gpool_log_id id)
{
    (void)fflush(stderr);
    FILE *file = tmpfile();
    assert_non_null(file);
    const int kept = dup(STDERR_FILENO);
    assert_int_equal(dup2(fileno(file), STDERR_FILENO), STDERR_FILENO);
    gpool__log plain;
    gpool__log_init(&plain, NULL, NULL, "owner");
    gpool__note(&plain, id, "A record");
    (void)fflush(stderr);
    (void)dup2(kept, STDERR_FILENO);
    (void)close(kept);
    (void)fseek(file, 0, SEEK_END);
    const long bytes = ftell(file);
    (void)fclose(file);
    return bytes;
}

static void without_callback_errors_and_warnings_go_to_stderr_but_not_the_rest(void **state)
{
    (void)state;
    assert_in_range(bytes_on_stderr(GPOOL_LOG_LIMIT), 10, 1000);
    assert_in_range(bytes_on_stderr(GPOOL_LOG_LEAK), 10, 1000);
    assert_int_equal(bytes_on_stderr(GPOOL_LOG_DEVICE), 0);
}

static void control_bytes_become_spaces_and_stray_bytes_question_marks(void **state)
{
    (void)state;
    char target[300];
    for (int c = 1; c < 256; ++c) {
        const char text[] = { 'a', (char)c, 'b' };
        const char shown = c < 32 || c == 127 ? ' ' : c < 128 ? (char)c : '?';
        const char wanted[] = { 'a', shown, 'b', '\0' };
        assert_ptr_equal(gpool__clean(target, sizeof target, text, sizeof text), target);
        assert_string_equal(target, wanted);
    }
}

static void cleaning_stops_at_zero_byte_length_and_room(void **state)
{
    (void)state;
    char target[8];
    assert_string_equal(gpool__clean(target, sizeof target, "ab\0cd", 5), "ab");
    assert_string_equal(gpool__clean(target, sizeof target, "abcdef", 3), "abc");
    assert_string_equal(gpool__clean(target, sizeof target, "abcdefghij", 10), "abcdefg");
    assert_string_equal(gpool__clean(target, sizeof target, "abcdefghij", SIZE_MAX), "abcdefg");
    assert_string_equal(gpool__clean(target, sizeof target, NULL, 10), "");
    assert_string_equal(gpool__clean(target, 1, "abc", 3), "");
    memset(target, 'z', sizeof target);
    (void)gpool__clean(target, 0, "abc", 3);
    assert_int_equal(target[0], 'z');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(new_log_has_no_error_and_an_empty_message, open_log),
        cmocka_unit_test_setup(failure_is_returned_logged_and_kept_as_the_last_error, open_log),
        cmocka_unit_test_setup(note_is_logged_and_leaves_the_last_error, open_log),
        cmocka_unit_test_setup(record_names_the_running_operation, open_log),
        cmocka_unit_test_setup(operation_belongs_to_its_thread, open_log),
        cmocka_unit_test_setup(records_are_kept_while_held_and_told_in_order, open_log),
        cmocka_unit_test_setup(repeats_are_held_back_but_for_powers_of_two, open_log),
        cmocka_unit_test_setup(held_back_error_is_still_the_last_one_and_counted, open_log),
        cmocka_unit_test_setup(each_id_is_held_back_for_itself, open_log),
        cmocka_unit_test_setup(counter_of_repeats_stops_at_its_end, open_log),
        cmocka_unit_test_setup(argument_may_point_into_the_last_message, open_log),
        cmocka_unit_test_setup(message_too_long_is_cut_at_every_length, open_log),
        cmocka_unit_test_setup(without_callback_errors_and_warnings_go_to_stderr_but_not_the_rest,
                               open_log),
        cmocka_unit_test_setup(control_bytes_become_spaces_and_stray_bytes_question_marks,
                               open_log),
        cmocka_unit_test_setup(cleaning_stops_at_zero_byte_length_and_room, open_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
