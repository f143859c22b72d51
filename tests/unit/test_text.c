/* UTF-8 and the cleaning of labels. */
#include "base/text.h"

#include "unit/unit.h"

#include <string.h>

static void well_formed_sequences_are_accepted(void **state)
{
    (void)state;
    static const char *const good[] = { "",
                                        "plain",
                                        "\xc2\x80",
                                        "\xdf\xbf",
                                        "\xe0\xa0\x80",
                                        "\xed\x9f\xbf",
                                        "\xee\x80\x80",
                                        "\xef\xbf\xbf",
                                        "\xf0\x90\x80\x80",
                                        "\xf4\x8f\xbf\xbf" };
    for (size_t i = 0; i < sizeof good / sizeof *good; ++i) {
        assert_true(gpool__is_utf8(good[i], strlen(good[i])));
    }
}

static void ill_formed_sequences_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = { "\x80",
                                       "\xbf",
                                       "\xc0\x80",
                                       "\xc1\xbf",
                                       "\xc2",
                                       "\xc2 ",
                                       "\xe0\x9f\xbf",
                                       "\xe2\x82",
                                       "\xed\xa0\x80",
                                       "\xf0\x8f\xbf\xbf",
                                       "\xf4\x90\x80\x80",
                                       "\xf5\x80\x80\x80",
                                       "\xff",
                                       "a\xe2\x82z" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; ++i) {
        assert_false(gpool__is_utf8(bad[i], strlen(bad[i])));
    }
}

/* A decoder of its own kind: computes the code point and asks whether it needs that length. */
static size_t naive_length(const unsigned char *c, size_t size)
{
    for (size_t length = 1; length <= 4 && length <= size; ++length) {
        static const unsigned char masks[] = { 0x80, 0xe0, 0xf0, 0xf8 };
        static const unsigned char marks[] = { 0x00, 0xc0, 0xe0, 0xf0 };
        if ((c[0] & masks[length - 1]) != marks[length - 1]) {
            continue;
        }
        uint32_t point = c[0] & (unsigned char)~masks[length - 1];
        for (size_t i = 1; i < length; ++i) {
            if ((c[i] & 0xc0) != 0x80) {
                return 0;
            }
            point = point << 6 | (c[i] & 0x3fu);
        }
        static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };
        bool surrogate = point >= 0xd800 && point <= 0xdfff;
        return point >= least[length - 1] && point <= 0x10ffff && !surrogate ? length : 0;
    }
    return 0;
}

static void random_bytes_agree_with_a_naive_decoder(void **state)
{
    (void)state;
    for (uint32_t n = 0; n < 2000000; ++n) {
        uint32_t bits = n * 2654435761u;
        char text[4];
        memcpy(text, &bits, 4);
        /* Lead and continuation bytes more often than chance gives them. */
        text[0] = (char)(0xc0 | (n & 0x3f));
        text[1] = (char)((n & 64) != 0 ? 0x80 | (text[1] & 0x3f) : text[1]);
        text[2] = (char)(0x80 | (text[2] & 0x3f));
        for (size_t size = 0; size <= 4; ++size) {
            assert_int_equal(gpool__utf8_length(text, size),
                             naive_length((const unsigned char *)text, size));
        }
    }
}

static void cleaning_never_cuts_a_sequence(void **state)
{
    (void)state;
    const char text[] = "a\xe2\x82\xac"
                        "b\xf0\x9f\x8c\x8d"
                        "c\xff"
                        "d";
    for (size_t size = 1; size < 20; ++size) {
        char target[32];
        gpool__clean(target, size, text, sizeof text);
        assert_true(strlen(target) < size);
        assert_true(gpool__is_utf8(target, strlen(target)));
    }
    char in_place[32];
    memcpy(in_place, text, sizeof text);
    gpool__clean(in_place, sizeof in_place, in_place, sizeof text);
    assert_string_equal(in_place, "a\xe2\x82\xac"
                                  "b\xf0\x9f\x8c\x8d"
                                  "c?d");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(well_formed_sequences_are_accepted),
        cmocka_unit_test(ill_formed_sequences_are_refused),
        cmocka_unit_test(random_bytes_agree_with_a_naive_decoder),
        cmocka_unit_test(cleaning_never_cuts_a_sequence),
    };
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
