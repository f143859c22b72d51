#include "shader/shader_state.h"

#include "unit/unit.h"

static uint64_t seed;

/* Asks with a block of exactly the text's size, so that reading past it is noticed. */
static bool has_groups(const char *text)
{
    const size_t size = strlen(text);
    char *block = malloc(size > 0 ? size : 1);
    assert_non_null(block);
    memcpy(block, text, size);
    const bool found = gpool__wgsl_has_groups(block, size);
    free(block);
    return found;
}

/* Expects one answer for each text, and names the text when it is another one. */
static void expect_all(const char *const *texts, size_t count, bool wanted)
{
    for (size_t i = 0; i < count; ++i) {
        if (has_groups(texts[i]) != wanted) {
            print_error("source: %s\n", texts[i]);
        }
        assert_same(has_groups(texts[i]), wanted);
    }
}

static void attribute_is_found_wherever_it_stands(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "@group(0) @binding(0) var<uniform> u: U;",
        "@binding(0) @group(0) var<uniform> u: U;",
        "@fragment fn f() {}\n@group(1)@binding(2) var t: texture_2d<f32>;",
        "x@group(0)",
        "@@group(0)",
        "@group",
        "\xc3\xa4@group(0)",
        "@gro @group(0)",
    };
    expect_all(texts, UNIT_COUNT(texts), true);
}

static void blanks_and_comments_may_stand_between_at_and_group(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "@ group(0)",
        "@\tgroup(0)",
        "@\r\ngroup(0)",
        "@\n\v\f group (0)",
        "@/**/group(0)",
        "@ /* a /* b */ c */ group(0)",
        "@// @nothing\ngroup(0)",
        "@ /*@*/ // x\n /**/ group /* */ (0)",
    };
    expect_all(texts, UNIT_COUNT(texts), true);
}

static void every_blank_of_wgsl_may_stand_between_at_and_group(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "@\xc2\x85group(0)",     /* next line */
        "@\xe2\x80\x8egroup(0)", /* left-to-right mark */
        "@\xe2\x80\x8fgroup(0)", /* right-to-left mark */
        "@\xe2\x80\xa8group(0)", /* line separator */
        "@\xe2\x80\xa9group(0)", /* paragraph separator */
        "@group\xc2\x85(0)",     "@group\xe2\x80\xa8(0)",
    };
    expect_all(texts, UNIT_COUNT(texts), true);
}

static void attribute_in_comments_is_none(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "// @group(0) @binding(0)",
        "// @group(0)\nfn f() {}",
        "/* @group(0) */",
        "/* /* */ @group(0) */ fn f() {}",
        "/* /* /* */ */ @group(0) */",
        "/* // */ fn f() {} // @group(0)",
        "//* @group(0)\n",
        "/*/ @group(0) */",
        "/* @group(0)",
        "/* /* @group(0) */",
        "@ // group(0)",
        "@/* group(0) */",
    };
    expect_all(texts, UNIT_COUNT(texts), false);
}

static void attribute_after_comments_is_found(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "// comment\n@group(0)", "/* comment */@group(0)", "/* /* nested */ */@group(0)",
        "/**/@group(0)",         "/***/@group(0)",         "/* **/@group(0)",
        "/* // */@group(0)",     "// /*\n@group(0)",       "/*/*/**/*/*/@group(0)",
        "1 / 2 * 3; @group(0)",  "a */ @group(0)",
    };
    expect_all(texts, UNIT_COUNT(texts), true);
}

static void line_comment_ends_at_every_line_break_of_wgsl(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "// comment\r@group(0)",           "// comment\v@group(0)",
        "// comment\f@group(0)",           "// comment\r\n@group(0)",
        "// comment\xc2\x85@group(0)",     "// comment\xe2\x80\xa8@group(0)",
        "// comment\xe2\x80\xa9@group(0)",
    };
    expect_all(texts, UNIT_COUNT(texts), true);
}

static void source_without_the_attribute_has_none(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        " ",
        "/",
        "@",
        "//",
        "/*",
        "/*/",
        "@g",
        "@grou",
        "@\xc2",
        "@\xe2\x80",
        "@\xe2\x80\x93group(0)",
        "@\xc2\xa0group(0)",
        "// \xc2\xa0 @group(0)",
        "// \xe2\x80\x8e @group(0)",
        "@ grou",
        "@gro/**/up(0)",
        "group(0)",
        "fn group() {}",
        "@workgroup_size(64)",
        "@compute @workgroup_size(8, 8) fn f() {}",
        "var<workgroup> group: array<f32, 64>;",
        "@binding(0) var group: sampler;",
        "@Group(0)",
        "@GROUP(0)",
        "@location(0) @interpolate(flat) group: u32",
    };
    expect_all(texts, UNIT_COUNT(texts), false);
}

static void name_that_only_begins_with_group_is_none(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "@groups(0)", "@group_size(64)", "@group2(0)", "@ groupB", "@group\xc3\xa4(0)",
    };
    expect_all(texts, UNIT_COUNT(texts), false);
}

static void size_ends_the_source_and_zero_bytes_do_not(void **state)
{
    (void)state;
    static const char text[] = "fn f() {}\0 @group(0) rest";
    assert_same(gpool__wgsl_has_groups(text, sizeof text - 1), true);
    for (size_t size = 0; size < sizeof text - 1; ++size) {
        assert_same(gpool__wgsl_has_groups(text, size), size >= 17);
    }
}

/*
 * The naive model: first the comments are painted over, character by character, then the words that
 * are left are compared.
 */
static bool model_has_groups(const char *text)
{
    char plain[256];
    size_t used = 0;
    size_t depth = 0;
    bool in_line = false;
    for (size_t i = 0; text[i] != '\0'; ++i) {
        const bool slash_star = text[i] == '/' && text[i + 1] == '*';
        const bool star_slash = text[i] == '*' && text[i + 1] == '/';
        if (in_line) {
            in_line = text[i] != '\n';
        } else if (slash_star || (depth > 0 && star_slash)) {
            depth = slash_star ? depth + 1 : depth - 1;
            i += 1;
            plain[used++] = depth == 0 ? ' ' : '?';
            used -= depth > 0;
        } else if (depth == 0 && text[i] == '/' && text[i + 1] == '/') {
            in_line = true;
            plain[used++] = ' ';
        } else if (depth == 0) {
            plain[used++] = text[i];
        }
    }
    plain[used] = '\0';
    for (const char *at = strchr(plain, '@'); at != NULL; at = strchr(at + 1, '@')) {
        const char *name = at + 1 + strspn(at + 1, " \n");
        if (strncmp(name, "group", 5) == 0 && strchr(" \n(@/*", name[5]) != NULL) {
            return true;
        }
    }
    return false;
}

static void random_sources_agree_with_a_naive_scan(void **state)
{
    (void)state;
    static const char *const pieces[] = {
        "@", "@", "group", "group", "(", " ", "\n", "//", "/*", "/*", "*/", "*/", "/", "*", "x",
    };
    uint64_t random = seed;
    uint32_t found = 0;
    for (int round = 0; round < 100000; ++round) {
        char text[256] = "";
        const size_t count = 2 + (size_t)unit_random_below(&random, 14);
        bool glued = false;
        for (size_t i = 0, last = 0; i < count; ++i) {
            size_t piece = (size_t)unit_random_below(&random, UNIT_COUNT(pieces));
            glued = i > 0 && (last == 2 || last == 3) && (piece == 2 || piece == 3 || piece == 14);
            piece = glued ? 5 : piece;
            strcat(text, pieces[piece]);
            last = piece;
        }
        const bool wanted = model_has_groups(text);
        if (has_groups(text) != wanted) {
            print_error("source: %s\n", text);
        }
        assert_same(has_groups(text), wanted);
        found += wanted;
    }
    assert_in_range(found, 2000, 98000);
}

int main(int argc, char **argv)
{
    seed = unit_seed(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attribute_is_found_wherever_it_stands),
        cmocka_unit_test(blanks_and_comments_may_stand_between_at_and_group),
        cmocka_unit_test(every_blank_of_wgsl_may_stand_between_at_and_group),
        cmocka_unit_test(attribute_in_comments_is_none),
        cmocka_unit_test(attribute_after_comments_is_found),
        cmocka_unit_test(line_comment_ends_at_every_line_break_of_wgsl),
        cmocka_unit_test(source_without_the_attribute_has_none),
        cmocka_unit_test(name_that_only_begins_with_group_is_none),
        cmocka_unit_test(size_ends_the_source_and_zero_bytes_do_not),
        cmocka_unit_test(random_sources_agree_with_a_naive_scan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
