#include "shader/shader_state.h"

#include "unit/unit.h"

/* A source made of a part many times over, and what closes it as many times. */
typedef struct source {
    const char *first;
    const char *part;
    const char *middle;
    const char *close;
    const char *last;
} source;

static char *repeat(char *end, const char *part, size_t count)
{
    const size_t size = strlen(part);
    for (size_t i = 0; i < count; ++i, end += size) {
        memcpy(end, part, size);
    }
    return end;
}

/* Asks with a block of exactly the text's size, so that reading past it is noticed. */
static bool is_refused(const source *s, size_t count)
{
    const size_t size = strlen(s->first) + strlen(s->middle) + strlen(s->last) +
                        count * (strlen(s->part) + strlen(s->close));
    char *text = malloc(size);
    assert_non_null(text);
    char *end = repeat(text, s->first, 1);
    end = repeat(end, s->part, count);
    end = repeat(end, s->middle, 1);
    end = repeat(end, s->close, count);
    end = repeat(end, s->last, 1);
    assert_ptr_equal(end, text + size);
    const bool refused = gpool__wgsl_problem(text, size) != NULL;
    free(text);
    return refused;
}

static void expect_all(const source *sources, size_t number, size_t count, bool refused)
{
    for (size_t i = 0; i < number; ++i) {
        if (is_refused(&sources[i], count) != refused) {
            print_error("%zu times: %s %s\n", count, sources[i].first, sources[i].part);
        }
        assert_same(is_refused(&sources[i], count), refused);
    }
}

static void long_lists_are_no_nesting(void **state)
{
    (void)state;
    static const source sources[] = {
        { "const t = array<vec3<f32>, 3000>(", "vec3<f32>(1.0, 2.0, 3.0), ", "", "", ");" },
        { "const t = array<array<vec2<f32>, 1>, 3000>(", "array<vec2<f32>, 1>(vec2<f32>(1)),", "",
          "", ");" },
        { "const t = array<f32, 3000>(", "max(1.0, 2.0 * (3.0 + 0.5)), ", "", "", ");" },
        { "const t = array<bool, 3000>(", "(1 < 2), (x <= 3), (1 << 2) >= (8 >> 1), ", "", "",
          ");" },
        { "const t = array<f32, 3000>(", "select(1.0, 2.0, a < b), ", "", "", ");" },
        { "fn f() { ", "if a < b { x = vec2<i32>(); } else { x = y; }", "", "", "}" },
        { "", "fn f() { if a { b(); } else if c { d(); } else { e(); } }", "", "", "" },
        { "fn f() { ", "for (var i = 0; i < 9; i++) { a[i] = b < c; }", "", "", "}" },
        { "", "fn f(a: ptr<function, array<i32, 4>>) -> vec3<f32> { return vec3<f32>(); }", "", "",
          "" },
        { "", "@group(0) @binding(0) var<storage, read_write> a: array<vec4<f32>>;", "", "", "" },
        { "struct S { ", "@location(0) a: vec4<f32>, ", "", "", "}" },
        { "fn f() { switch a { ", "case 1 { x = a < b; } ", "", "", "} }" },
        { "fn f() { ", "x += 1; y = x.a.b[0][1]; z <<= 1u; w = a && b < c || d > e; ", "", "",
          "}" },
    };
    expect_all(sources, UNIT_COUNT(sources), 3000, false);
}

static void comparisons_in_a_list_are_no_nesting(void **state)
{
    (void)state;
    static const source sources[] = {
        { "const t = array<bool, 900>(", "a < b, ", "", "", ");" },
        { "const t = array<bool, 900>(", "a < 2 && b < c, ", "", "", ");" },
    };
    expect_all(sources, UNIT_COUNT(sources), 900, false);
}

static void sums_of_calls_and_templates_are_chains(void **state)
{
    (void)state;
    static const source sources[] = {
        { "const a = 0.5", " + vec2<f32>(0.5, 1.5).x", "", "", ";" },
        { "const a = 0.5", " + 2.5 * sin(0.5 + x[1])", "", "", ";" },
        { "const a = x", " + array<f32, 2>(0.5)[0]", "", "", ";" },
        { "const a = 0.5 ", " * (a + b - vec3<f32>(1.0).y)", "", "", ";" },
    };
    expect_all(sources, UNIT_COUNT(sources), 200, false);
}

/* Each of these, 20000 times, ends the process in wgpu-native. */
static void nesting_that_ends_the_process_is_refused(void **state)
{
    (void)state;
    static const source sources[] = {
        { "const a = ", "(", "1", ")", ";" },
        { "fn f() { ", "{", "", "}", "}" },
        { "const a = ", "x[", "1", "]", ";" },
        { "alias A = ", "array<", "f32", ">", ";" },
        { "alias A = ", "foo /* a */ <", "f32", "/* a */ >", ";" },
        { "alias A = ", "array<f32,", "f32", ">", ";" },
        { "alias A = ", "array<(", "f32", ")>", ";" },
        { "fn f(p: ", "ptr<function,", "f32", ">", ") {}" },
        { "fn f() { let x = f(", "a<b,", "1", ">", "); }" },
        { "fn f() { let x = ", "a<", "1", "", "; }" },
        { "fn f() { let x = ", "a<b && ", "true", "", "; }" },
        { "const a = 1", "+1", "", "", ";" },
        { "const a = 1", "+array<i32,1>(1)[0]", "", "", ";" },
        { "const a = ", "-", "1", "", ";" },
        { "const a = ", "(1+", "1", ")", ";" },
        { "fn f(x: i32) -> i32 { return x", "[0]", "", "", "; }" },
        { "fn f(x: i32) -> i32 { return x", ".x", "", "", "; }" },
        { "fn f() { ", "if true {} else ", "{}", "", "}" },
        { "fn f() { ", "if true { ", "", "}", "}" },
    };
    expect_all(sources, UNIT_COUNT(sources), 20000, true);
    expect_all(sources, UNIT_COUNT(sources), 1100, true);
}

/* Neither is deep or long alone: chains in brackets in chains. */
static void chains_within_each_other_add_up(void **state)
{
    (void)state;
    char chain[4096];
    char *end = repeat(chain, "+1", 1000);
    memcpy(end, ")", 2);
    source s = { "const a = ", "(", "1", chain, ";" };
    assert_false(is_refused(&s, 1));
    assert_true(is_refused(&s, 20));
    end = repeat(chain, "- ", 500);
    memcpy(end, "(", 2);
    s = (source){ "const a = ", chain, "1", ")", ";" };
    assert_false(is_refused(&s, 1));
    assert_true(is_refused(&s, 20));
    s.close = ""; /* as deep when it is never closed */
    assert_true(is_refused(&s, 20));
    end = repeat(chain, "array<", 200);
    memcpy(end, "(", 2);
    s = (source){ "alias A = ", chain, "1", "", ";" };
    assert_true(is_refused(&s, 100));
    end = repeat(chain, "1+", 300);
    memcpy(end, "array<", 7);
    s = (source){ "alias A = ", chain, "f32", ">", ";" };
    assert_false(is_refused(&s, 1));
    assert_true(is_refused(&s, 20));
    end = repeat(chain, "+1", 900);
    memcpy(end, ", 0)", 5);
    char begun[4200] = " + a < 1";
    (void)strcat(begun, chain);
    s = (source){ "const a = ", "f(", "1", begun, ";" };
    assert_false(is_refused(&s, 1));
    assert_true(is_refused(&s, 20));
    end = repeat(chain, "+1", 900);
    memcpy(end, "<a", 3);
    s = (source){ "const a = f(a", chain, ", 0", "", ");" };
    assert_false(is_refused(&s, 1));
    assert_true(is_refused(&s, 20));
    s.middle = "";
    assert_true(is_refused(&s, 20));
    static char branches[20000];
    end = repeat(branches, "if true {} else ", 1000);
    memcpy(end, "{", 2);
    s = (source){ "fn f() { ", branches, "", "}", "}" };
    assert_false(is_refused(&s, 1));
    assert_true(is_refused(&s, 8));
}

static void limits_are_where_they_are_said_to_be(void **state)
{
    (void)state;
    source s = { "const a = ", "(", "1", ")", ";" };
    assert_false(is_refused(&s, 256));
    assert_true(is_refused(&s, 257));
    s = (source){ "alias A = ", "array<", "f32", ">", ";" };
    assert_false(is_refused(&s, 256));
    assert_true(is_refused(&s, 257));
    s = (source){ "const a = 1", "+1.5", "", "", ";" };
    assert_false(is_refused(&s, 1024));
    assert_true(is_refused(&s, 1025));
    s = (source){ "fn f() { ", "if a {} else ", "{}", "", "}" };
    assert_false(is_refused(&s, 1024));
    assert_true(is_refused(&s, 1025));
    s = (source){ "fn f() { ", "if a {} else if b {} else {} ", "", "", "}" };
    assert_false(is_refused(&s, 5000)); /* one after another is no chain */
}

static void broken_sources_do_no_harm(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",    ")))}}}]]]", "<", ">", "a<", "a<(>)", "a<(}>]",
        "a<b", "-",         "=", "&", "|",  "!",     "a<<b<=c>=d"
    };
    for (size_t i = 0; i < UNIT_COUNT(texts); ++i) {
        source s = { "", texts[i], "", "", "" };
        assert_false(is_refused(&s, 1));
        (void)is_refused(&s, 3000);
    }
    uint64_t random = 7;
    for (int run = 0; run < 3000; ++run) {
        static const char parts[] = "ab1<><>()[]{},;&|=!-+. <";
        char text[200];
        const size_t size = (size_t)unit_random_below(&random, sizeof text);
        for (size_t i = 0; i < size; ++i) {
            text[i] = parts[unit_random_below(&random, sizeof parts)]; /* the zero byte, too */
        }
        (void)gpool__wgsl_problem(text, size);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(long_lists_are_no_nesting),
        cmocka_unit_test(comparisons_in_a_list_are_no_nesting),
        cmocka_unit_test(sums_of_calls_and_templates_are_chains),
        cmocka_unit_test(nesting_that_ends_the_process_is_refused),
        cmocka_unit_test(chains_within_each_other_add_up),
        cmocka_unit_test(limits_are_where_they_are_said_to_be),
        cmocka_unit_test(broken_sources_do_no_harm),
    };
    return cmocka_run_group_tests_name("wgsl_limits", tests, NULL, NULL);
}
