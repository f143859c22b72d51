/* Messages below are what wgpu-native 29 and the Dawn of the tests said about such texts. */
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700
#endif
#include "unit/source_work.h"

static gpool__source_error answer;

static int close_translate(void **state)
{
    gpool__source_error_fini(&work_memory, &answer);
    return work_close(state);
}

static void translate(const char *message)
{
    gpool__source_error_fini(&work_memory, &answer);
    assert_same(
        gpool__source_translate(&work_memory, &work_source, message, strlen(message), &answer),
        GPOOL_OK);
    assert_int_equal(answer.message_size, strlen(answer.message));
}

static void expect_place(const char *file, uint32_t line, uint32_t column, const char *words)
{
    char wanted[600];
    (void)snprintf(wanted, sizeof wanted, "%s:%u:%u: %s", file, (unsigned)line, (unsigned)column,
                   words);
    assert_true(answer.found);
    assert_string_equal(answer.file, file);
    assert_int_equal(answer.place.line, line);
    assert_int_equal(answer.place.column, column);
    assert_string_equal(answer.line, wanted);
}

/*
 * Text: lines 1 to 9 are "pad" of main, 10 is fn x of lib (line 1), 11 a switch of lib, 12 "let" of lib
 * (line 3), 13 is line 11 of main.
 */
static void expand_two_files(void)
{
    work_put(
        "lib",
        "fn x() {}\n#define WIDE 1.0 + 2.0\n  /* \xc3\xa9\xf0\x9f\x98\x80 */ let y = WIDE * unknown;\n");
    assert_same(
        work_text("pad\npad\npad\npad\npad\npad\npad\npad\npad\n#include \"lib\"\nfn x() {}\n"),
        GPOOL_OK);
}

static void message_of_naga_is_told_by_file(void **state)
{
    (void)state;
    expand_two_files();
    translate(
        "Validation Error\n\nCaused by:\n  In wgpuDeviceCreateShaderModule, label = 'lab'\n    \n"
        "Shader 'lab' parsing error: no definition in scope for identifier: `unknown`\n"
        "   \xe2\x94\x8c\xe2\x94\x80 wgsl:12:32\n"
        "   \xe2\x94\x82\n"
        "12 \xe2\x94\x82   /* \xc3\xa9\xf0\x9f\x98\x80 */ let y = 1.0 + 2.0 * unknown;\n"
        "   \xe2\x94\x82                                ^^^^^^^ unknown identifier\n\n\n");
    expect_place("lib", 3, 27, "no definition in scope for identifier: `unknown`");
    assert_string_equal(
        answer.message,
        "Validation Error\n\nCaused by:\n  In wgpuDeviceCreateShaderModule, label = 'lab'\n    \n"
        "Shader 'lab' parsing error: no definition in scope for identifier: `unknown`\n"
        "  \xe2\x94\x8c\xe2\x94\x80 lib:3:27\n"
        "  \xe2\x94\x82\n"
        "3 \xe2\x94\x82   /* \xc3\xa9\xf0\x9f\x98\x80 */ let y = 1.0 + 2.0 * unknown;\n"
        "  \xe2\x94\x82                                ^^^^^^^ unknown identifier\n\n\n");
}

static void excerpt_of_naga_over_two_files_names_both(void **state)
{
    (void)state;
    expand_two_files();
    translate("Shader 'lab' parsing error: redefinition of `x`\n"
              "   \xe2\x94\x8c\xe2\x94\x80 wgsl:10:4\n"
              "   \xe2\x94\x82\n"
              "10 \xe2\x94\x82 fn x() {}\n"
              "   \xe2\x94\x82    ^ previous definition of `x`\n"
              "   \xc2\xb7\n"
              "13 \xe2\x94\x82 fn x() {}\n"
              "   \xe2\x94\x82    ^ redefinition of `x`\n");
    expect_place("lib", 1, 4, "redefinition of `x`");
    assert_string_equal(answer.message, "Shader 'lab' parsing error: redefinition of `x`\n"
                                        "   \xe2\x94\x8c\xe2\x94\x80 lib:1:4\n"
                                        "   \xe2\x94\x82\n"
                                        " 1 \xe2\x94\x82 fn x() {}\n"
                                        "   \xe2\x94\x82    ^ previous definition of `x`\n"
                                        "   \xc2\xb7\n"
                                        "   \xe2\x94\x9c\xe2\x94\x80 main:11\n"
                                        "11 \xe2\x94\x82 fn x() {}\n"
                                        "   \xe2\x94\x82    ^ redefinition of `x`\n");
}

static void validation_of_naga_gives_its_reason_too(void **state)
{
    (void)state;
    assert_same(work_text("@fragment fn main() -> @location(0) vec4f {\n  return vec3f(1.0);\n}\n"),
                GPOOL_OK);
    translate(
        "Validation Error\n\nCaused by:\n  In wgpuDeviceCreateShaderModule, label = 'a:7:7 \xe2\x94\x8c\xe2\x94\x80 b:1:1'\n\n"
        "Shader validation error: Entry point main at Fragment is invalid\n"
        "  \xe2\x94\x8c\xe2\x94\x80 a:7:7 \xe2\x94\x8c\xe2\x94\x80 b:1:1:2:10\n"
        "  \xe2\x94\x82\n"
        "2 \xe2\x94\x82   return vec3f(1.0);\n"
        "  \xe2\x94\x82          ^^^^^^^^^^ naga::ir::Expression [1]\n"
        "  \xe2\x94\x82\n"
        "  = The `return` expression Some([1]) does not match\n\n\n"
        "      The `return` expression Some([1]) does not match");
    expect_place(
        "main", 2, 10,
        "Entry point main at Fragment is invalid: The `return` expression Some([1]) does not match");
}

static void spans_of_many_lines_keep_their_drawing(void **state)
{
    (void)state;
    assert_same(work_text("fn a() -> u32 {\n return;\n}\n"), GPOOL_OK);
    static const char drawing[] =
        "Shader validation error: Function [0] 'a' is invalid\n"
        "  \xe2\x94\x8c\xe2\x94\x80 main:1:1\n"
        "  \xe2\x94\x82  \n"
        "1 \xe2\x94\x82 \xe2\x95\xad fn a() -> u32 {\n"
        "2 \xe2\x94\x82 \xe2\x94\x82  return;\n"
        "  \xe2\x94\x82 \xe2\x94\x82  ^^^^^^ invalid return\n"
        "3 \xe2\x94\x82 \xe2\x94\x82 }\n"
        "  \xe2\x94\x82 \xe2\x95\xb0\xe2\x94\x80^ naga::ir::Function [0]\n"
        "  \xe2\x94\x82  \n"
        "  = note: something\n";
    translate(drawing);
    assert_string_equal(answer.message, drawing);
    expect_place("main", 1, 1, "Function [0] 'a' is invalid");
}

static void message_of_tint_is_told_by_file(void **state)
{
    (void)state;
    expand_two_files();
    translate(
        "Error while parsing WGSL: :12:36 error: unresolved value 'unknown'\n"
        "  /* \xc3\xa9\xf0\x9f\x98\x80 */ let y = 1.0 + 2.0 * unknown;\n\n"
        ":13:4 note: 'x' previously declared here\nfn x() {}\n   ^\n\n"
        " - While calling [Device \"device\"].CreateShaderModule([ShaderModuleDescriptor \"lab\"]).\n");
    expect_place("lib", 3, 27, "unresolved value 'unknown'");
    assert_string_equal(
        answer.message,
        "Error while parsing WGSL: lib:3:27 error: unresolved value 'unknown'\n"
        "  /* \xc3\xa9\xf0\x9f\x98\x80 */ let y = 1.0 + 2.0 * unknown;\n\n"
        "main:11:4 note: 'x' previously declared here\nfn x() {}\n   ^\n\n"
        " - While calling [Device \"device\"].CreateShaderModule([ShaderModuleDescriptor \"lab\"]).\n");
}

static void error_of_tint_goes_before_its_warnings(void **state)
{
    (void)state;
    expand_two_files();
    translate("Error while parsing WGSL: :1:1 warning: code is unreachable\npad\n"
              ":13:1 error: the error\n:2:1 error: a second one\n");
    expect_place("main", 11, 1, "the error");
    translate(":2:1 warning: only this\n");
    expect_place("main", 2, 1, "only this");
}

static void message_without_a_place_stays_as_it_is(void **state)
{
    (void)state;
    expand_two_files();
    static const char *const messages[] = {
        "\n  The device is lost\n",
        "At 3:5 something",
        ":3 error: x",
        ":3: error: x",
        ":3:5 gone: x",
        "\xe2\x94\x8c\xe2\x94\x80 wgsl:3",
        "\xe2\x94\x8c\xe2\x94\x80 :3:",
        "12 \xe2\x94\x82 no drawing here",
        "\xe2\x94\x8c\xe2\x94\x80 3:5",
    };
    for (size_t i = 0; i < UNIT_COUNT(messages); ++i) {
        translate(messages[i]);
        assert_false(answer.found);
        assert_string_equal(answer.message, messages[i]);
        assert_string_equal(answer.file, "");
        assert_int_equal(answer.place.line, 0);
    }
    translate(messages[0]);
    assert_string_equal(answer.line, "The device is lost");
    translate("");
    assert_string_equal(answer.line, "");
    assert_string_equal(answer.message, "");
}

static void places_outside_of_the_text_are_its_end(void **state)
{
    (void)state;
    expand_two_files();
    translate(":999:1 error: x");
    expect_place("main", 12, 1, "x");
    translate(":4294967299:99999999999999 error: x");
    expect_place("main", 12, 1, "x");
    translate(":1:99 error: x");
    expect_place("main", 1, 4, "x");
    translate(":0:0 error: x");
    expect_place("main", 1, 1, "x");
}

static void failed_expansion_has_no_places(void **state)
{
    (void)state;
    assert_same(work_text("#nonsense"), GPOOL_ERROR_INVALID_ARGUMENT);
    translate(":1:1 error: x\n  \xe2\x94\x8c\xe2\x94\x80 wgsl:1:1\n1 \xe2\x94\x82 x");
    assert_false(answer.found);
}

static void control_bytes_and_long_messages_are_tamed(void **state)
{
    (void)state;
    expand_two_files();
    translate(":1:1 error: \x1b[31mred\xff\r\n");
    expect_place("main", 1, 1, " [31mred? ");
    enum {
        SIZE = 1 << 20
    };
    char *big = malloc(SIZE + 1);
    assert_non_null(big);
    for (size_t i = 0; i + 16 <= SIZE; i += 16) {
        memcpy(big + i, ":13:1 error: \xc3\xa9\n", 16);
    }
    big[SIZE] = '\0';
    gpool__source_error_fini(&work_memory, &answer);
    assert_same(gpool__source_translate(&work_memory, &work_source, big, SIZE, &answer), GPOOL_OK);
    assert_in_range(answer.message_size, 1000, 256 << 10);
    expect_place("main", 11, 1, "\xc3\xa9");
    memset(big, 'x', SIZE);
    gpool__source_error_fini(&work_memory, &answer);
    assert_same(gpool__source_translate(&work_memory, &work_source, big, SIZE, &answer), GPOOL_OK);
    assert_int_equal(answer.message_size, 64 << 10);
    free(big);
}

static void label_with_control_bytes_is_cleaned(void **state)
{
    (void)state;
    assert_same(work_expand((gpool__source_desc){ .text = "x", .size = 1, .label = "a\nb\x1b" }),
                GPOOL_OK);
    translate(":1:1 error: x");
    assert_string_equal(answer.message, "a b :1:1 error: x");
    assert_string_equal(answer.line, "a b :1:1: x");
}

static void lack_of_memory_is_told(void **state)
{
    (void)state;
    expand_two_files();
    for (uint64_t k = 1; k <= 2; ++k) {
        work_allocator.calls = 0;
        work_allocator.fail_at = k;
        assert_same(
            gpool__source_translate(&work_memory, &work_source, ":1:1 error: x", 13, &answer),
            GPOOL_ERROR_OUT_OF_MEMORY);
        work_allocator.fail_at = 0;
        assert_null(answer.message);
        assert_non_null(answer.file);
    }
    translate(":1:1 error: x");
    assert_true(work_allocator.calls >= 2);
}

int main(void)
{
#define TRANSLATE_TEST(function)                                                                   \
    cmocka_unit_test_setup_teardown(function, work_open, close_translate)
    const struct CMUnitTest tests[] = {
        TRANSLATE_TEST(message_of_naga_is_told_by_file),
        TRANSLATE_TEST(excerpt_of_naga_over_two_files_names_both),
        TRANSLATE_TEST(validation_of_naga_gives_its_reason_too),
        TRANSLATE_TEST(spans_of_many_lines_keep_their_drawing),
        TRANSLATE_TEST(message_of_tint_is_told_by_file),
        TRANSLATE_TEST(error_of_tint_goes_before_its_warnings),
        TRANSLATE_TEST(message_without_a_place_stays_as_it_is),
        TRANSLATE_TEST(places_outside_of_the_text_are_its_end),
        TRANSLATE_TEST(failed_expansion_has_no_places),
        TRANSLATE_TEST(control_bytes_and_long_messages_are_tamed),
        TRANSLATE_TEST(label_with_control_bytes_is_cleaned),
        TRANSLATE_TEST(lack_of_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
