/* Rows 30, 31 and 38: files that are not what was written, whatever bit, length or name is wrong. */
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700
#endif
#include "store_world.h"

#include "base/hash.h"

/* The bytes of a good entry of a key, as saved. */
typedef struct sample {
    uint64_t key;
    const char *path;
    uint8_t *bytes;
    size_t size;
} sample;

static sample sample_make(const store_world *w, gpool_store *store, uint64_t key, size_t size)
{
    sample s = { .key = key };
    assert_same(world_save(store, key, 1, size), GPOOL_OK);
    s.path = strdup(world_entry_path(w, key));
    s.bytes = malloc(size + 4096);
    assert_true(s.path != NULL && s.bytes != NULL);
    s.size = world_read_file(s.path, s.bytes, size + 4096);
    assert_true(s.size > size && s.size < size + 4096);
    return s;
}

static void sample_free(sample *s)
{
    free((char *)s->path);
    free(s->bytes);
}

/* Puts other bytes there: they must be a miss, counted and deleted. The next save repairs them. */
static void expect_refused(gpool_store *store, const sample *s, const uint8_t *bytes, size_t size,
                           size_t payload_size)
{
    const gpool_store_stats before = world_stats(store);
    world_write_file(s->path, bytes, size);
    assert_same(world_load(store, s->key), WORLD_MISS);
    assert_int_equal(world_stats(store).bad_entries, before.bad_entries + 1);
    assert_int_equal(world_stats(store).misses, before.misses + 1);
    assert_false(world_exists(s->path));
    if (before.bad_entries % 8 == 0) {
        world_write_file(s->path, bytes, size); /* a save that finds the bad one still there */
    }
    assert_same(world_save(store, s->key, 1, payload_size), GPOOL_OK);
    assert_int_equal(world_stats(store).saves, before.saves + 1);
    assert_same(world_load(store, s->key), WORLD_RIGHT);
}

static void every_bit_of_an_entry_counts(void **state)
{
    (void)state;
    store_world w;
    world_open(&w);
    gpool_store *store = world_store(&w);
    /* 4 KiB, and one whose size is no multiple of anything. */
    static const size_t sizes[] = { 4032, 16, 333 };
    uint64_t bits = 0;
    for (size_t i = 0; i < UNIT_COUNT(sizes); ++i) {
        sample s = sample_make(&w, store, i, sizes[i]);
        assert_true(i != 0 || s.size == 4096);
        for (size_t bit = 0; bit < 8 * s.size; ++bit) {
            s.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            expect_refused(store, &s, s.bytes, s.size, sizes[i]);
            s.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            bits += 1;
        }
        sample_free(&s);
    }
    printf("%llu bits flipped\n", (unsigned long long)bits);
    assert_true(bits >= 32768);
    assert_int_equal(world_stats(store).hits, bits);
    gpool_store_close(store);
    world_close(&w);
}

static void every_other_length_is_refused(void **state)
{
    (void)state;
    store_world w;
    world_open(&w);
    gpool_store *store = world_store(&w);
    sample s = sample_make(&w, store, 1, 1000);
    uint64_t random = 5;
    for (size_t size = 0; size < s.size; ++size) {
        expect_refused(store, &s, s.bytes, size, 1000);
    }
    uint8_t *longer = malloc(s.size + 1000);
    assert_non_null(longer);
    memcpy(longer, s.bytes, s.size);
    for (size_t more = 1; more <= 1000; ++more) {
        for (size_t i = 0; i < more; ++i) {
            /* Zeros, rubbish, or the entry again. */
            longer[s.size + i] = more % 3 == 0   ? 0
                                 : more % 3 == 1 ? (uint8_t)unit_random(&random)
                                                 : s.bytes[i];
        }
        expect_refused(store, &s, longer, s.size + more, 1000);
    }
    /* A file of the right length with a tail of zeros, as a file system may leave after a crash. */
    for (size_t from = 0; from < s.size; from += 7) {
        memcpy(longer, s.bytes, s.size);
        memset(longer + from, 0, s.size - from);
        expect_refused(store, &s, longer, s.size, 1000);
    }
    free(longer);
    sample_free(&s);
    gpool_store_close(store);
    world_close(&w);
}

static void entry_of_another_key_is_refused(void **state)
{
    (void)state;
    store_world w;
    world_open(&w);
    gpool_store *store = world_store(&w);
    sample a = sample_make(&w, store, 1, 1000);
    sample b = sample_make(&w, store, 2, 1000);
    sample c = sample_make(&w, store, 10, 1000); /* its key is longer */
    expect_refused(store, &a, b.bytes, b.size, 1000);
    expect_refused(store, &b, a.bytes, a.size, 1000);
    expect_refused(store, &a, c.bytes, c.size, 1000);
    expect_refused(store, &c, a.bytes, a.size, 1000);
    sample_free(&a);
    sample_free(&b);
    sample_free(&c);
    gpool_store_close(store);
    world_close(&w);
}

/* Writes the hash that belongs to the bytes before it: what another writer would have made. */
static void seal(uint8_t *bytes, size_t size)
{
    gpool__hash128(bytes, size - 16, bytes + size - 16);
}

static void entry_of_another_version_or_machine_is_refused_with_the_right_hash_too(void **state)
{
    (void)state;
    store_world w;
    world_open(&w);
    gpool_store *store = world_store(&w);
    sample s = sample_make(&w, store, 1, 1000);
    uint8_t *other = malloc(s.size);
    assert_non_null(other);
    uint64_t refused = 0;
    for (size_t at = 0; at < 48; ++at) {
        for (uint32_t change = 1; change < 256; ++change) {
            memcpy(other, s.bytes, s.size);
            other[at] ^= (uint8_t)change;
            seal(other, s.size);
            expect_refused(store, &s, other, s.size, 1000);
            refused += 1;
        }
    }
    assert_int_equal(refused, 48 * 255);
    free(other);
    sample_free(&s);
    gpool_store_close(store);
    world_close(&w);
}

/* --- the bytes themselves --- */

static void entry_is_laid_out_as_documented(void **state)
{
    (void)state;
    size_t size = 0;
    assert_true(gpool__entry_size(3, 5, &size));
    assert_int_equal(size, 32 + 16 + 5 + 16);
    uint8_t image[69];
    gpool__entry_build(image, "abc", 3, "12345", 5);
    static const uint8_t head[16] = { 'g', 'p', 's', 't', 'o', 'r', 'e', '\n', 1, 0, 0, 0, 8, 1 };
    if (sizeof(void *) == 8) {
        assert_memory_equal(image, head, 16);
    }
    static const uint8_t numbers[16] = { 3, 0, 0, 0, 0, 0, 0, 0, 5 };
    assert_memory_equal(image + 16, numbers, 16);
    static const uint8_t key[16] = { 'a', 'b', 'c' };
    assert_memory_equal(image + 32, key, 16);
    assert_memory_equal(image + 48, "12345", 5);
    gpool__entry entry;
    assert_true(gpool__entry_parse(image, size, &entry));
    assert_int_equal(entry.key_size, 3);
    assert_int_equal(entry.payload_offset, 48);
    assert_int_equal(entry.payload_size, 5);
    assert_true(gpool__entry_has_key(image, &entry, "abc", 3));
    assert_false(gpool__entry_has_key(image, &entry, "abd", 3));
    assert_false(gpool__entry_has_key(image, &entry, "ab", 2));
    assert_false(gpool__entry_has_key(image, &entry, "abc\0", 4));
}

static void names_are_hashes_of_keys(void **state)
{
    (void)state;
    char a[GPOOL__ENTRY_NAME_SIZE];
    char b[GPOOL__ENTRY_NAME_SIZE];
    gpool__entry_name("abc", 3, 16, a);
    gpool__entry_name("abd", 3, 16, b);
    assert_true(gpool__entry_is_name(a) && gpool__entry_is_name(b));
    assert_string_not_equal(a, b);
    gpool__entry_name("abc", 3, 2, b);
    assert_memory_equal(a, b, 4);
    assert_string_equal(b + 4, "0000000000000000000000000000");
    assert_false(gpool__entry_is_name(""));
    assert_false(gpool__entry_is_name("0123456789abcdef0123456789abcde"));
    assert_false(gpool__entry_is_name("0123456789abcdef0123456789abcdef0"));
    assert_false(gpool__entry_is_name("0123456789ABCDEF0123456789abcdef"));
    assert_false(gpool__entry_is_name("../3456789abcdef0123456789abcdef"));
}

static void sizes_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    size_t size = 7;
    assert_false(gpool__entry_size(0, 1, &size));
    assert_false(gpool__entry_size(SIZE_MAX, 1, &size));
    assert_false(gpool__entry_size(SIZE_MAX / 2, SIZE_MAX / 2, &size));
    assert_false(gpool__entry_size(1, SIZE_MAX, &size));
    assert_int_equal(size, 7);
    assert_true(gpool__entry_size(SIZE_MAX / 4, SIZE_MAX / 2, &size));
}

/* Lengths in the header that point outside, with the right hash: as an attacker would write them. */
static void lengths_are_not_believed(void **state)
{
    (void)state;
    uint8_t image[128];
    gpool__entry entry;
    gpool__entry_build(image, "key", 3, "payload 12345678", 16);
    size_t size = 0;
    assert_true(gpool__entry_size(3, 16, &size));
    static const uint64_t values[] = { 0,
                                       1,
                                       2,
                                       4,
                                       15,
                                       16,
                                       17,
                                       31,
                                       32,
                                       33,
                                       48,
                                       64,
                                       INT64_MAX,
                                       UINT64_MAX,
                                       UINT64_MAX - 15,
                                       UINT32_MAX,
                                       UINT64_MAX - 31,
                                       UINT64_MAX - 47 };
    for (size_t i = 0; i < UNIT_COUNT(values); ++i) {
        for (size_t k = 0; k < UNIT_COUNT(values); ++k) {
            uint8_t forged[128];
            memcpy(forged, image, sizeof forged);
            for (int byte = 0; byte < 8; ++byte) {
                forged[16 + byte] = (uint8_t)(values[i] >> 8 * byte);
                forged[24 + byte] = (uint8_t)(values[k] >> 8 * byte);
            }
            seal(forged, size);
            /* Zeros may belong to the key or follow it, and all up to the hash may be key. */
            bool fits =
                ((values[i] == 4 || values[i] == 15 || values[i] == 16) && values[k] == 16) ||
                (values[i] == 32 && values[k] == 0);
            assert_same(gpool__entry_parse(forged, size, &entry), fits);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_bit_of_an_entry_counts),
        cmocka_unit_test(every_other_length_is_refused),
        cmocka_unit_test(entry_of_another_key_is_refused),
        cmocka_unit_test(entry_of_another_version_or_machine_is_refused_with_the_right_hash_too),
        cmocka_unit_test(entry_is_laid_out_as_documented),
        cmocka_unit_test(names_are_hashes_of_keys),
        cmocka_unit_test(sizes_that_do_not_fit_are_refused),
        cmocka_unit_test(lengths_are_not_believed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
