#include "base/memory.h"

#include "unit/unit.h"

static uint64_t seed;

typedef struct fixture {
    unit_allocator allocator;
    gpool_allocator hooks;
    gpool__memory memory;
} fixture;

static void open_fixture(fixture *f)
{
    f->allocator = (unit_allocator){ 0 };
    f->hooks = unit_hooks(&f->allocator);
    gpool__memory_init(&f->memory, &f->hooks);
}

static void close_fixture(const fixture *f)
{
    assert_int_equal(f->memory.bytes, 0);
    assert_int_equal(f->allocator.blocks, 0);
    assert_int_equal(f->allocator.wrong_sizes, 0);
    assert_int_equal(f->memory.allocations, f->allocator.calls);
}

/* Number of bytes from `from` up to `to` that are not zero. */
static size_t nonzero(const char *bytes, size_t from, size_t to)
{
    size_t count = 0;
    for (size_t i = from; i < to; ++i) {
        count += bytes[i] != 0;
    }
    return count;
}

static void unset_block_is_counted_and_has_any_bytes(void **state)
{
    (void)state;
    fixture f;
    open_fixture(&f);
    assert_null(gpool__alloc_unset(&f.memory, 0));
    char *block = gpool__alloc_unset(&f.memory, 100);
    assert_non_null(block);
    assert_int_equal(nonzero(block, 0, 100), 100); /* the hooks' rubbish */
    assert_int_equal(f.memory.bytes, 100);
    assert_int_equal(f.memory.allocations, 1);
    f.allocator.fail_at = 2;
    assert_null(gpool__alloc_unset(&f.memory, 50));
    assert_int_equal(f.memory.bytes, 100);
    gpool__free(&f.memory, block, 100);
    close_fixture(&f);
}

static void no_hooks_mean_the_heap(void **state)
{
    (void)state;
    const gpool_allocator none = { 0 };
    const gpool_allocator *choices[] = { NULL, &none };
    for (size_t i = 0; i < UNIT_COUNT(choices); ++i) {
        gpool__memory memory;
        gpool__memory_init(&memory, choices[i]);
        assert_int_equal(memory.bytes, 0);
        assert_int_equal(memory.allocations, 0);
        char *block = gpool__alloc(&memory, 100);
        assert_non_null(block);
        assert_int_equal((uintptr_t)block % 16, 0);
        assert_int_equal(nonzero(block, 0, 100), 0);
        memset(block, 7, 100);
        block = gpool__realloc(&memory, block, 100, 100000);
        assert_non_null(block);
        assert_int_equal(nonzero(block, 0, 100000), 100);
        assert_int_equal(memory.bytes, 100000);
        assert_int_equal(memory.allocations, 2);
        gpool__free(&memory, block, 100000);
        assert_int_equal(memory.bytes, 0);
        assert_int_equal(memory.allocations, 2);
    }
}

static void hooks_get_their_user_and_true_sizes(void **state)
{
    (void)state;
    fixture f;
    open_fixture(&f);
    void *block = gpool__alloc(&f.memory, 40);
    assert_ptr_equal(f.allocator.last_user, &f.allocator);
    assert_int_equal(f.allocator.last_old_size, 0);
    assert_int_equal(f.allocator.last_new_size, 40);
    block = gpool__realloc(&f.memory, block, 40, 90);
    assert_int_equal(f.allocator.last_old_size, 40);
    assert_int_equal(f.allocator.last_new_size, 90);
    block = gpool__realloc(&f.memory, block, 90, 10);
    assert_int_equal(f.allocator.last_old_size, 90);
    assert_int_equal(f.memory.bytes, 10);
    gpool__free(&f.memory, block, 10);
    assert_int_equal(f.allocator.last_old_size, 10);
    assert_int_equal(f.allocator.last_new_size, 0);
    close_fixture(&f);
}

static void new_bytes_are_zero_though_the_hook_gives_rubbish(void **state)
{
    (void)state;
    fixture f;
    open_fixture(&f);
    char *block = gpool__alloc(&f.memory, 33);
    assert_int_equal(nonzero(block, 0, 33), 0);
    memset(block, 1, 33);
    block = gpool__realloc(&f.memory, block, 33, 77);
    assert_int_equal(nonzero(block, 0, 33), 33);
    assert_int_equal(nonzero(block, 33, 77), 0);
    block = gpool__realloc(&f.memory, block, 77, 5);
    assert_int_equal(nonzero(block, 0, 5), 5);
    gpool__free(&f.memory, block, 5);
    close_fixture(&f);
}

static void nothing_is_allocated_or_freed_for_nothing(void **state)
{
    (void)state;
    fixture f;
    open_fixture(&f);
    assert_null(gpool__alloc(&f.memory, 0));
    gpool__free(&f.memory, NULL, 0);
    gpool__free(&f.memory, NULL, 12);
    gpool__free_string(&f.memory, NULL);
    assert_int_equal(f.allocator.calls, 0);
    assert_int_equal(f.allocator.frees, 0);
    close_fixture(&f);
}

static void failed_calls_leave_blocks_and_counts_as_they_were(void **state)
{
    (void)state;
    fixture f;
    open_fixture(&f);
    char *block = gpool__alloc(&f.memory, 8);
    memset(block, 3, 8);
    f.allocator.fail_at = 2;
    f.allocator.fail_for_ever = true;
    assert_null(gpool__alloc(&f.memory, 8));
    assert_null(gpool__realloc(&f.memory, block, 8, 800));
    assert_null(gpool__copy_string(&f.memory, "text"));
    assert_int_equal(f.memory.bytes, 8);
    assert_int_equal(nonzero(block, 0, 8), 8);
    gpool__free(&f.memory, block, 8);
    close_fixture(&f);
}

static void strings_are_copied_and_empty_ones_cost_nothing(void **state)
{
    (void)state;
    fixture f;
    open_fixture(&f);
    char source[] = "a label";
    char *copy = gpool__copy_string(&f.memory, source);
    source[0] = 'X';
    assert_string_equal(copy, "a label");
    assert_int_equal(f.memory.bytes, sizeof source);
    char *empty = gpool__copy_string(&f.memory, "");
    char *none = gpool__copy_string(&f.memory, NULL);
    assert_string_equal(empty, "");
    assert_string_equal(none, "");
    assert_int_equal(f.allocator.calls, 1);
    gpool__free_string(&f.memory, empty);
    gpool__free_string(&f.memory, none);
    gpool__free_string(&f.memory, copy);
    assert_int_equal(f.allocator.frees, 1);
    close_fixture(&f);
}

static void reserve_doubles_and_keeps_the_items(void **state)
{
    (void)state;
    fixture f;
    open_fixture(&f);
    uint32_t *items = NULL;
    uint32_t capacity = 0;
    for (uint32_t count = 1; count <= 5000; ++count) {
        void *block = items;
        assert_same(gpool__reserve(&f.memory, &block, &capacity, count, sizeof *items), true);
        items = block;
        assert_in_range(capacity, count, count < 8 ? 8 : 2 * (uint64_t)count);
        items[count - 1] = count;
        assert_int_equal(f.memory.bytes, capacity * sizeof *items);
    }
    for (uint32_t i = 0; i < 5000; ++i) {
        assert_int_equal(items[i], i + 1);
    }
    assert_int_equal(f.allocator.calls, 11); /* 8 to 8192 */
    gpool__free(&f.memory, items, capacity * sizeof *items);
    close_fixture(&f);
}

static void reserve_jumps_to_the_count_and_does_nothing_when_there_is_room(void **state)
{
    (void)state;
    fixture f;
    open_fixture(&f);
    void *items = NULL;
    uint32_t capacity = 0;
    assert_same(gpool__reserve(&f.memory, &items, &capacity, 0, 4), true);
    assert_null(items);
    assert_same(gpool__reserve(&f.memory, &items, &capacity, 1000, 4), true);
    assert_int_equal(capacity, 1024);
    const void *before = items;
    assert_same(gpool__reserve(&f.memory, &items, &capacity, 1024, 4), true);
    assert_same(gpool__reserve(&f.memory, &items, &capacity, 3, 4), true);
    assert_ptr_equal(items, before);
    assert_int_equal(f.allocator.calls, 1);
    gpool__free(&f.memory, items, 4 * (size_t)capacity);
    close_fixture(&f);
}

static void reserve_without_memory_leaves_the_array_as_it_was(void **state)
{
    (void)state;
    fixture f;
    open_fixture(&f);
    void *items = NULL;
    uint32_t capacity = 0;
    assert_same(gpool__reserve(&f.memory, &items, &capacity, 8, 4), true);
    memset(items, 9, 32);
    const void *before = items;
    f.allocator.fail_at = 2;
    assert_same(gpool__reserve(&f.memory, &items, &capacity, 9, 4), false);
    assert_ptr_equal(items, before);
    assert_int_equal(capacity, 8);
    assert_int_equal(nonzero(items, 0, 32), 32);
    assert_same(gpool__reserve(&f.memory, &items, &capacity, 9, 4), true);
    assert_int_equal(capacity, 16);
    assert_int_equal(nonzero(items, 0, 64), 32);
    gpool__free(&f.memory, items, 64);
    close_fixture(&f);
}

static void reserve_beyond_32_bits_or_the_address_space_is_refused_without_a_call(void **state)
{
    (void)state;
    fixture f;
    open_fixture(&f);
    void *items = NULL;
    uint32_t capacity = 0;
    assert_same(gpool__reserve(&f.memory, &items, &capacity, UINT32_MAX, 1), false);
    assert_same(gpool__reserve(&f.memory, &items, &capacity, (1u << 31) + 1, 1), false);
    assert_same(gpool__reserve(&f.memory, &items, &capacity, 8, SIZE_MAX / 8 + 1), false);
    assert_null(items);
    assert_int_equal(capacity, 0);
    assert_int_equal(f.allocator.calls, 0);
    close_fixture(&f);
}

static void random_work_keeps_counts_and_bytes(void **state)
{
    (void)state;
    enum {
        BLOCKS = 24
    };
    fixture f;
    open_fixture(&f);
    unsigned char *blocks[BLOCKS] = { NULL };
    size_t sizes[BLOCKS] = { 0 };
    uint64_t random = seed;
    for (int step = 0; step < 20000; ++step) {
        const size_t i = (size_t)unit_random_below(&random, BLOCKS);
        const size_t size = 1 + (size_t)unit_random_below(&random, 200);
        f.allocator.fail_at = unit_random_below(&random, 4) == 0 ? f.allocator.calls + 1 : 0;
        if (blocks[i] != NULL && unit_random_below(&random, 2) == 0) {
            gpool__free(&f.memory, blocks[i], sizes[i]);
            blocks[i] = NULL;
            sizes[i] = 0;
        } else {
            unsigned char *moved = gpool__realloc(&f.memory, blocks[i], sizes[i], size);
            assert_same(moved == NULL, f.allocator.fail_at != 0);
            if (moved != NULL) {
                const size_t grown = size > sizes[i] ? size - sizes[i] : 0;
                assert_int_equal(nonzero((char *)moved, size - grown, size), 0);
                memset(moved, (int)i + 1, size);
                blocks[i] = moved;
                sizes[i] = size;
            }
        }
        size_t bytes = 0;
        for (size_t j = 0; j < BLOCKS; ++j) {
            bytes += sizes[j];
            if (sizes[j] > 0) {
                assert_int_equal(blocks[j][0], j + 1);
                assert_int_equal(blocks[j][sizes[j] - 1], j + 1);
            }
        }
        assert_int_equal(f.memory.bytes, bytes);
    }
    for (size_t i = 0; i < BLOCKS; ++i) {
        gpool__free(&f.memory, blocks[i], sizes[i]);
    }
    close_fixture(&f);
}

int main(int argc, char **argv)
{
    seed = unit_seed(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unset_block_is_counted_and_has_any_bytes),
        cmocka_unit_test(no_hooks_mean_the_heap),
        cmocka_unit_test(hooks_get_their_user_and_true_sizes),
        cmocka_unit_test(new_bytes_are_zero_though_the_hook_gives_rubbish),
        cmocka_unit_test(nothing_is_allocated_or_freed_for_nothing),
        cmocka_unit_test(failed_calls_leave_blocks_and_counts_as_they_were),
        cmocka_unit_test(strings_are_copied_and_empty_ones_cost_nothing),
        cmocka_unit_test(reserve_doubles_and_keeps_the_items),
        cmocka_unit_test(reserve_jumps_to_the_count_and_does_nothing_when_there_is_room),
        cmocka_unit_test(reserve_without_memory_leaves_the_array_as_it_was),
        cmocka_unit_test(reserve_beyond_32_bits_or_the_address_space_is_refused_without_a_call),
        cmocka_unit_test(random_work_keeps_counts_and_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
