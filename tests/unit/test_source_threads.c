#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700
#endif
#include "unit/source_work.h"

#include <pthread.h>
#include <stdatomic.h>

#define READERS 3
#define ROUNDS  3000

static atomic_bool done;

/* Expands again and again while the files change; each text must be one of those that were put. */
static void *read_all(void *user)
{
    uint32_t *wrong = user;
    gpool__memory memory;
    gpool__memory_init(&memory, NULL);
    static const char text[] = "#include \"a\"\n#include \"f7\"";
    for (uint32_t i = 0; i < ROUNDS || !atomic_load(&done); ++i) {
        gpool__source source;
        const gpool__source_desc desc = { .text = text,
                                          .size = sizeof text - 1,
                                          .files = &work_files };
        const gpool_result result = gpool__source_expand(&memory, &desc, &source);
        if (result == GPOOL_OK) {
            const char first = source.text[0];
            const size_t size = strcspn(source.text, "\n");
            *wrong += size != (size_t)(first - 'a') * 50 + 1;
            for (size_t k = 0; k < size; ++k) {
                *wrong += source.text[k] != first;
            }
        } else {
            *wrong += result != GPOOL_ERROR_FILE;
        }
        gpool__source_fini(&source);
    }
    *wrong += memory.bytes != 0;
    return NULL;
}

static void threads_expand_while_virtual_files_change(void **state)
{
    (void)state;
    pthread_t threads[READERS];
    uint32_t wrong[READERS] = { 0 };
    char text[1500];
    work_put("a", "a");
    for (int i = 0; i < READERS; ++i) {
        assert_int_equal(pthread_create(&threads[i], NULL, read_all, &wrong[i]), 0);
    }
    for (uint32_t i = 0; i < ROUNDS; ++i) {
        const uint32_t kind = i % 20;
        const size_t size = (size_t)kind * 50 + 1;
        memset(text, (int)('a' + kind), size);
        assert_same(gpool__source_files_put(&work_files, "a", text, size), GPOOL_OK);
        char name[16];
        (void)snprintf(name, sizeof name, "f%u", (unsigned)(i % 40));
        if (i / 40 % 2 == 0) {
            work_put(name, "x");
        } else {
            assert_true(gpool__source_files_remove(&work_files, name));
        }
    }
    atomic_store(&done, true);
    for (int i = 0; i < READERS; ++i) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(wrong[i], 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(threads_expand_while_virtual_files_change, work_open,
                                        work_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
