#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700
#endif
#include "unit/source_work.h"

#include "base/hash.h"

static void text_without_directives_stays_byte_for_byte(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",          "\n",
        "fn a() {}", "fn a() {}\n",
        "a\n\n",     "\t x /* \xc3\xa9 */ = 1u; // \xf0\x9f\x98\x80\n"
    };
    for (size_t i = 0; i < UNIT_COUNT(texts); ++i) {
        work_expect(texts[i], texts[i]);
    }
}

static void line_breaks_of_wgsl_all_become_one(void **state)
{
    (void)state;
    work_expect("a\r\nb\rc\n\rd\ve\ff\xc2\x85g\xe2\x80\xa8h\xe2\x80\xa9i",
                "a\nb\nc\n\nd\ne\nf\ng\nh\ni");
    work_expect("// comment\xe2\x80\xa8#define A 2\rA", "// comment\n\n2");
}

static void byte_order_mark_is_dropped(void **state)
{
    (void)state;
    work_put("a", "\xef\xbb\xbf#define A 1\nA");
    work_expect("\xef\xbb\xbf#include \"a\"\nA", "\n1\n1");
}

static void names_in_code_are_replaced_whole(void **state)
{
    (void)state;
    work_expect("#define N 4\nN NN aN N1 _N N_ (N) N.N\xc3\xa9N N\xc3\xa9 [N]",
                "\n4 NN aN N1 _N N_ (4) 4.N\xc3\xa9N N\xc3\xa9 [4]");
    work_expect("#define u x\n#define x1F y\n1u 0x1F 2.u 1.5u u", "\n\n1u 0x1F 2.u 1.5u x");
    work_expect("#define N 4\nN\xe2\x80\x8eN\xe2\x80\x8f", "\n4\xe2\x80\x8e"
                                                           "4\xe2\x80\x8f");
}

static void comments_are_left_alone(void **state)
{
    (void)state;
    work_expect("#define N 4\n// N\nN // N /* \nN /* N // */ N /* a /* N */ N */ N /*/ N */ N",
                "\n// N\n4 // N /* \n4 /* N // */ 4 /* a /* N */ N */ 4 /*/ N */ 4");
    work_expect("/*\n#define N 4\n#nonsense\n/*\n#endif\n*/\n#else\n*/ N",
                "/*\n#define N 4\n#nonsense\n/*\n#endif\n*/\n#else\n*/ N");
    work_expect("/* */ #define N 4", "/* */ #define N 4");
}

static void values_are_replaced_again_but_not_by_themselves(void **state)
{
    (void)state;
    work_expect("#define A B + 1\n#define B A * C\n#define C 2\nA;B;C",
                "\n\n\nA * 2 + 1;B + 1 * 2;2");
    work_expect("#define A A\nA A", "\nA A");
    work_expect("#define E\n#define F E E\na E b F c", "\n\na  b   c");
}

static void operators_do_not_melt(void **state)
{
    (void)state;
    work_expect("#define N -1\n#define D /\n#define E\n-N a D/ 2 /E/ 2 N-N D* 3 4*D 5",
                "\n\n\n- -1 a / / 2 / / 2 -1- -1 / * 3 4* / 5");
    work_expect("#define N -1\n#define M -N\n-M (N) a=N", "\n\n- - -1 (-1) a= -1");
}

static void comments_in_directives_are_blanks(void **state)
{
    (void)state;
    work_expect(
        "  #  define /* a */ A /* b */ 1 /* c /* d */ */ + // e\n\t#ifdef A // x\nA\n#endif /* y */",
        "\n\n1 +\n");
    work_expect("#define A 1/**/2\nA", "\n1 2");
}

static void switches_choose_lines(void **state)
{
    (void)state;
    static const char text[] =
        "#ifdef A\na\n#ifdef B\nab\n#else\na!b\n#endif\n#else\n!a\n#ifndef B\n"
        "!a!b\n#endif\n#endif\nend";
    work_expect(text, "\n\n\n\n\n\n\n\n!a\n\n!a!b\n\n\nend");
    static const gpool__source_define a[] = { { "A", NULL } };
    static const gpool__source_define both[] = { { "A", "" }, { "B", "7 /* seven */" } };
    assert_same(work_expand((gpool__source_desc){
                    .text = text, .size = sizeof text - 1, .defines = a, .define_count = 1 }),
                GPOOL_OK);
    assert_string_equal(work_source.text, "\na\n\n\n\na!b\n\n\n\n\n\n\n\nend");
    assert_same(work_expand((gpool__source_desc){
                    .text = text, .size = sizeof text - 1, .defines = both, .define_count = 2 }),
                GPOOL_OK);
    assert_string_equal(work_source.text, "\na\n\nab\n\n\n\n\n\n\n\n\n\nend");
}

static void undef_and_ifndef_follow_the_state_of_now(void **state)
{
    (void)state;
    work_expect("#undef N\n#define N 1\nN\n#undef N\nN\n#define N 2\nN\n#ifndef N\nno\n#endif\n",
                "\n\n1\n\nN\n\n2\n\n\n\n");
}

static void what_is_switched_off_is_not_looked_at(void **state)
{
    (void)state;
    work_expect("#ifdef NO\n#include \"none\"\n#define N 1\n#define 5\n/*\n#endif\n*/ x\n#endif\nN",
                "\n\n\n\n\n\n\n\nN");
}

static void definition_again_needs_the_same_value(void **state)
{
    (void)state;
    work_expect("#define N 1\n#define N 1 // same\nN", "\n\n1");
    work_refuse("#define N 1\n  #define N 2", GPOOL_ERROR_INVALID_ARGUMENT, "main", 2, 3);
    static const gpool__source_define n[] = { { "N", "2" } };
    static const char text[] = "#define N 1";
    assert_same(work_expand((gpool__source_desc){
                    .text = text, .size = sizeof text - 1, .defines = n, .define_count = 1 }),
                GPOOL_ERROR_INVALID_ARGUMENT);
    static const char guarded[] = "#ifndef N\n#define N 1\n#endif\nN";
    assert_same(work_expand((gpool__source_desc){
                    .text = guarded, .size = sizeof guarded - 1, .defines = n, .define_count = 1 }),
                GPOOL_OK);
    assert_string_equal(work_source.text, "\n\n\n2");
}

static void bad_directives_are_refused_at_their_place(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t line;
        uint32_t column;
    } cases[] = {
        { "\n\n  #if 1", 3, 3 },
        { "#", 1, 1 },
        { "#elif A", 1, 1 },
        { "\xe2\x80\x8e#pragma once", 1, 2 },
        { "#ifdef NO\n#if 1\n#endif", 2, 1 },
        { "#define", 1, 1 },
        { "#define 1A 2", 1, 1 },
        { "#define F(x) x", 1, 1 },
        { "#define F+1", 1, 1 },
        { "#define N\xc3\xa9 2", 1, 1 },
        { "#define N 1 \\\n2", 1, 1 },
        { "#define N 1 /* a\n*/", 1, 1 },
        { "#ifdef", 1, 1 },
        { "#ifdef A B\n#endif", 1, 1 },
        { "#ifndef 1\n#endif", 1, 1 },
        { "#undef A+", 1, 1 },
        { "#else", 1, 1 },
        { "#endif", 1, 1 },
        { "#ifdef A\n#else\n#else\n#endif", 3, 1 },
        { "#ifdef A\n#else A\n#endif", 2, 1 },
        { "a\n#ifdef A\n#ifdef B\n#endif", 2, 0 },
        { "a\n\xc3\xa9 /* /* */ \n", 2, 3 },
        { "#include", 1, 1 },
        { "#include <a>", 1, 1 },
        { "#include \"a", 1, 1 },
        { "#include \"a\" b", 1, 1 },
        { "#includes \"a\"", 1, 1 },
    };
    work_put("a", "");
    for (size_t i = 0; i < UNIT_COUNT(cases); ++i) {
        work_refuse(cases[i].text, GPOOL_ERROR_INVALID_ARGUMENT, "main", cases[i].line,
                    cases[i].column);
    }
}

static void bad_definitions_of_the_caller_are_refused(void **state)
{
    (void)state;
    static const gpool__source_define cases[] = {
        { NULL, "1" },   { "", "1" },   { "a b", "1" },           { "A", "1\n2" },
        { "A", "\xff" }, { "A", "/*" }, { "A", "1\xe2\x80\xa9" }, { "A", "\\" },
    };
    for (size_t i = 0; i < UNIT_COUNT(cases); ++i) {
        assert_same(work_expand((gpool__source_desc){
                        .text = "", .defines = &cases[i], .define_count = 1 }),
                    GPOOL_ERROR_INVALID_ARGUMENT);
        assert_int_equal(work_source.error_file, GPOOL__SOURCE_NONE);
    }
}

static void text_that_no_compiler_bears_is_refused_at_its_place(void **state)
{
    (void)state;
    work_refuse("ab\r\n\xc3\xa9\xff", GPOOL_ERROR_INVALID_ARGUMENT, "main", 2, 2);
    assert_same(work_expand((gpool__source_desc){ .text = "a\n\0b", .size = 4, .label = "main" }),
                GPOOL_ERROR_INVALID_ARGUMENT);
    assert_int_equal(work_source.error_line, 2);
    assert_int_equal(work_source.error_column, 1);
    work_put("v", "// \xc3");
    work_refuse("#include \"v\"", GPOOL_ERROR_FILE, "v", 1, 4);
}

static void include_gives_the_lines_of_the_file_once(void **state)
{
    (void)state;
    work_put("a", "a1\na2");
    work_put("b", "b1\n#include \"a\"\nb3\n");
    work_put("empty", "");
    work_expect("#include \"a\"\n#include \"a\" // again\nx", "a1\na2\n\nx");
    work_expect("1\n#include \"b\"\n#include \"./a\"\n#include \"empty\"\n5",
                "1\nb1\na1\na2\nb3\n\n5");
    work_expect("#include \"b\"", "b1\na1\na2\nb3\n");
    work_expect("#include \"empty\"", "");
    assert_int_equal(gpool__source_place_of(&work_source, 0).line, 1);
}

static void includes_share_definitions(void **state)
{
    (void)state;
    work_put("a", "#ifdef FAST\n#define N 1\n#else\n#define N 2\n#endif\n");
    work_expect("#define FAST\n#include \"a\"\nN", "\n\n\n\n\n\n1");
}

static void circle_of_includes_is_named(void **state)
{
    (void)state;
    work_put("a", "\n#include \"b\"");
    work_put("b", "#include \"c\"");
    work_put("c", "\n\n #include \"a\"");
    work_refuse("#include \"a\"", GPOOL_ERROR_INVALID_ARGUMENT, "c", 3, 2);
    assert_non_null(strstr(work_source.message, "a -> b -> c -> a"));
    work_put("a", "#ifndef DONE\n#define DONE\n#include \"b\"\n#endif");
    work_refuse("#include \"a\"", GPOOL_ERROR_INVALID_ARGUMENT, "c", 3, 2);
    work_put("c", "#ifndef DONE\n#include \"a\"\n#endif\n");
    work_expect("#include \"a\"", "\n\n\n\n\n\n");
}

static void missing_file_is_told_with_what_was_looked_for(void **state)
{
    (void)state;
    work_put("lib/a", "\n#include \"b\"");
    work_refuse("#include \"lib/a\"", GPOOL_ERROR_FILE, "lib/a", 2, 1);
    assert_non_null(work_seen("lib/b"));
    assert_true(work_seen("lib/b")->missing);
    assert_true(work_seen("b")->missing);
    assert_int_equal(work_seen("b")->hash, 0);
    assert_false(work_seen("lib/a")->missing);
    assert_int_equal(work_seen("lib/a")->hash, gpool__hash("\n#include \"b\"", 13));
    work_put("b", "found");
    work_expect("#include \"lib/a\"", "\nfound\n");
    assert_true(work_seen("lib/b")->missing);
    work_put("lib/b", "nearer");
    work_expect("#include \"lib/a\"", "\nnearer\n");
}

static void names_of_files_are_cleaned_and_refused(void **state)
{
    (void)state;
    static const struct {
        const char *folder;
        const char *name;
        const char *wanted;
    } cases[] = {
        { "", "a", "a" },          { "", "./a//b/./c", "a/b/c" },
        { "x/y", "../a", "x/a" },  { "x/y", "../../a", "a" },
        { "x", "b/../../a", "a" }, { "", "a..b/...", "a..b/..." },
        { "x", "../../a", NULL },  { "", "../a", NULL },
        { "", "a/../../b", NULL }, { "", "/a", NULL },
        { "", "", NULL },          { "", ".", NULL },
        { "", "a/", NULL },        { "", "a/..", NULL },
        { "", "C:a", NULL },       { "", "a\\b", NULL },
        { "", "a\nb", NULL },      { "", "a\x7f", NULL },
        { "", "a\xff", NULL },
    };
    for (size_t i = 0; i < UNIT_COUNT(cases); ++i) {
        char clean[GPOOL__SOURCE_NAME];
        const char *problem = gpool__source_clean_name(cases[i].folder, cases[i].name, clean);
        assert_same(problem == NULL, cases[i].wanted != NULL);
        if (cases[i].wanted != NULL) {
            assert_string_equal(clean, cases[i].wanted);
        }
    }
    static char name[GPOOL__SOURCE_NAME + 8];
    memset(name, 'n', sizeof name - 1);
    char clean[GPOOL__SOURCE_NAME];
    assert_non_null(gpool__source_clean_name("", name, clean));
    name[GPOOL__SOURCE_NAME - 1] = '\0'; /* with it, all that a name may have */
    assert_null(gpool__source_clean_name("", name, clean));
    assert_string_equal(clean, name);
    assert_non_null(gpool__source_clean_name("x", name, clean));
}

static void virtual_files_are_put_replaced_and_removed(void **state)
{
    (void)state;
    assert_same(gpool__source_files_put(&work_files, "../a", "x", 1), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_same(gpool__source_files_put(&work_files, NULL, "x", 1), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_same(gpool__source_files_put(&work_files, "a", NULL, 1), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_same(gpool__source_files_put(&work_files, "a", "x", GPOOL__SOURCE_SIZE + 1),
                GPOOL_ERROR_LIMIT);
    char name[16];
    for (int i = 0; i < 100; ++i) {
        (void)snprintf(name, sizeof name, "f%d", i);
        work_put(name, name);
    }
    work_put("./f7", "seven");
    assert_int_equal(work_files.count, 100);
    assert_true(gpool__source_files_remove(&work_files, "f8"));
    assert_false(gpool__source_files_remove(&work_files, "f8"));
    assert_false(gpool__source_files_remove(&work_files, "../f9"));
    work_expect("#include \"f7\"\n#include \"f99\"", "seven\nf99\n");
    work_refuse("#include \"f8\"", GPOOL_ERROR_FILE, "main", 1, 1);
}

static void every_limit_is_kept(void **state)
{
    (void)state;
    char name[16];
    char text[64];
    for (int i = 0; i < 70; ++i) {
        (void)snprintf(name, sizeof name, "d%d", i);
        (void)snprintf(text, sizeof text, "#include \"d%d\"", i + 1);
        work_put(name, text);
    }
    work_put("d63", "deep");
    work_expect("#include \"d1\"", "deep\n");
    work_put("d63", "#include \"d64\"");
    work_put("d64", "too deep");
    work_refuse("#include \"d1\"", GPOOL_ERROR_LIMIT, "d63", 1, 1);
    static char big[GPOOL__SOURCE_SIZE + 2];
    memset(big, ' ', sizeof big - 1);
    assert_same(work_text(big), GPOOL_ERROR_LIMIT);
    big[GPOOL__SOURCE_SIZE] = '\0';
    assert_same(work_text(big), GPOOL_OK);
    assert_int_equal(work_source.size, GPOOL__SOURCE_SIZE);
    size_t used = 0;
    for (int i = 0; i < 65; ++i) {
        used += (size_t)snprintf(big + used, sizeof big - used, "#ifdef A\n");
    }
    assert_same(work_text(big), GPOOL_ERROR_LIMIT);
    assert_int_equal(work_source.error_line, 65);
    used = 0;
    for (int i = 0; i < 1025; ++i) {
        used += (size_t)snprintf(big + used, sizeof big - used, "#define N%d\n", i);
    }
    assert_same(work_text(big), GPOOL_ERROR_LIMIT);
    assert_int_equal(work_source.error_line, 1025);
    used = 0;
    for (int i = 0; i < 1025; ++i) {
        used += (size_t)snprintf(big + used, sizeof big - used, "#include \"f%d\"\n", i);
        (void)snprintf(name, sizeof name, "f%d", i);
        work_put(name, "");
    }
    assert_same(work_text(big), GPOOL_ERROR_LIMIT);
    assert_int_equal(work_source.error_line, 1024); /* the main source is one, too */
}

static void growth_of_values_is_bounded(void **state)
{
    (void)state;
    enum {
        VALUE = 1 << 20
    };
    /* Each one twice the next; and one long value many times. */
    char text[2048];
    size_t used = (size_t)snprintf(text, sizeof text, "#define A0 x\n");
    for (int k = 1; k < 40; ++k) {
        used += (size_t)snprintf(text + used, sizeof text - used, "#define A%d A%d A%d\n", k, k - 1,
                                 k - 1);
    }
    (void)snprintf(text + used, sizeof text - used, "  A39");
    assert_same(work_text(text), GPOOL_ERROR_LIMIT);
    assert_int_equal(work_source.error_line, 41);
    char *value = calloc(1, VALUE + 1);
    assert_non_null(value);
    memset(value, 'v', VALUE);
    const gpool__source_define define = { "A", value };
    assert_same(work_expand((gpool__source_desc){ .text = "A A A A A A A A A A A A A A A A A A",
                                                  .size = 35,
                                                  .defines = &define,
                                                  .define_count = 1 }),
                GPOOL_ERROR_LIMIT);
    assert_same(work_expand((gpool__source_desc){
                    .text = "A A A A", .size = 7, .defines = &define, .define_count = 1 }),
                GPOOL_OK);
    assert_int_equal(work_source.size, 4 * VALUE + 3);
    free(value);
    /* A chain as long as there are names. */
    static char chain[64 * 1024];
    used = 0;
    for (int k = 0; k < 1024; ++k) {
        used += (size_t)snprintf(chain + used, sizeof chain - used, "#define A%d A%d\n", k, k + 1);
    }
    (void)snprintf(chain + used, sizeof chain - used, "A0");
    assert_same(work_text(chain), GPOOL_OK);
    assert_string_equal(work_source.text + work_source.size - 6, "\nA1024");
    /* Work without output: the chain ends in nothing, and is walked through often. */
    used = 0;
    for (int k = 0; k < 1023; ++k) {
        used += (size_t)snprintf(chain + used, sizeof chain - used, "#define A%d A%d\n", k, k + 1);
    }
    used += (size_t)snprintf(chain + used, sizeof chain - used, "#define A1023\n");
    while (used + 4 < sizeof chain) {
        used += (size_t)snprintf(chain + used, sizeof chain - used, "A0 ");
    }
    assert_same(work_text(chain), GPOOL_ERROR_LIMIT);
    assert_int_equal(work_source.error_line, 1025);
}

static void long_lines_take_linear_time(void **state)
{
    (void)state;
    enum {
        SIZE = 1 << 20
    };
    char *text = malloc(SIZE + 64);
    assert_non_null(text);
    size_t used = (size_t)snprintf(text, 64, "#define N 7\n");
    while (used < SIZE) {
        memcpy(text + used, "N+", 2);
        used += 2;
    }
    text[used] = '\0';
    assert_same(work_text(text), GPOOL_OK);
    assert_int_equal(work_source.size, used - 11);
    assert_int_equal(gpool__source_place_of(&work_source, work_source.size - 1).column,
                     work_source.size - 1);
    free(text);
}

static void places_lead_back_to_files_and_columns(void **state)
{
    (void)state;
    static const gpool__source_define caller[] = { { "WIDE", "123456" } };
    work_put("a", "a1\n  \xc3\xa9 WIDE x WIDE;\n");
    static const char text[] = "one\n#include \"a\"\n#ifdef WIDE\nWIDE + \xc3\xa9 + y\n#endif\nz";
    assert_same(work_expand((gpool__source_desc){ .text = text,
                                                  .size = sizeof text - 1,
                                                  .label = "main",
                                                  .defines = caller,
                                                  .define_count = 1 }),
                GPOOL_OK);
    assert_string_equal(work_source.text,
                        "one\na1\n  \xc3\xa9 123456 x 123456;\n\n123456 + \xc3\xa9 + y\n\nz");
    static const struct {
        const char *at;
        const char *file;
        uint32_t line;
        uint32_t column;
    } cases[] = {
        { "one", "main", 1, 1 },
        { "ne", "main", 1, 2 },
        { "a1", "a", 1, 1 },
        { "\xc3\xa9 1", "a", 2, 3 },
        { "123456 x", "a", 2, 5 },
        { "3456 x", "a", 2, 5 },
        { " x", "a", 2, 9 },
        { "x 1", "a", 2, 10 },
        { "56;", "a", 2, 12 },
        { ";", "a", 2, 16 },
        { "\n\n1", "a", 2, 17 },
        { "123456 +", "main", 4, 1 },
        { "+ \xc3\xa9", "main", 4, 6 },
        { "y\n", "main", 4, 12 },
        { "z", "main", 6, 1 },
        { "", "main", 6, 2 },
    };
    for (size_t i = 0; i < UNIT_COUNT(cases); ++i) {
        const char *at = strstr(work_source.text, cases[i].at);
        at = cases[i].at[0] == '\0' ? work_source.text + work_source.size : at;
        assert_non_null(at);
        const gpool__source_place place =
            gpool__source_place_of(&work_source, (size_t)(at - work_source.text));
        assert_string_equal(work_source.files[place.file].name, cases[i].file);
        assert_int_equal(place.line, cases[i].line);
        assert_int_equal(place.column, cases[i].column);
    }
    assert_int_equal(gpool__source_place_of_line(&work_source, 0).line, 1);
    assert_int_equal(gpool__source_place_of_line(&work_source, 999).line, 6);
    assert_int_equal(gpool__source_place_of(&work_source, SIZE_MAX).line, 6);
}

static void blank_between_operators_moves_no_column(void **state)
{
    (void)state;
    work_expect("#define N 2-\nN-x -N", "\n2- -x -2-");
    static const uint32_t columns[] = { 1, 1, 1, 2, 3, 4, 5, 6, 6, 7 };
    for (size_t i = 0; i < UNIT_COUNT(columns); ++i) {
        assert_int_equal(gpool__source_place_of(&work_source, i + 1).column, columns[i]);
    }
}

static void text_is_the_same_wherever_the_files_lie(void **state)
{
    (void)state;
    work_put("a", "#define N 3\nN\n");
    work_put("deep/a", "#define N 3\nN\n");
    work_expect("#include \"a\"\nN", "\n3\n3");
    const uint64_t hash = gpool__hash(work_source.text, work_source.size);
    work_expect("#include \"deep/a\"\r\nN", "\n3\n3");
    assert_int_equal(gpool__hash(work_source.text, work_source.size), hash);
}

static void lack_of_memory_anywhere_leaves_nothing(void **state)
{
    (void)state;
    work_put("a", "#define N M\n#define M (1)\n/* */ N\n#ifdef N\n#include \"b\"\n#endif\n");
    work_put("b", "b N");
    static const char text[] = "#include \"a\"\nN\n#undef N\n#define N 2\nN";
    static const gpool__source_define caller[] = { { "X", "1" } };
    static const char *const roots[] = { "/", "." };
    const gpool__source_desc desc = { .text = text,
                                      .size = sizeof text - 1,
                                      .defines = caller,
                                      .define_count = 1,
                                      .roots = roots,
                                      .root_count = 2 };
    assert_same(work_expand(desc), GPOOL_OK);
    gpool__source_fini(&work_source);
    const uint64_t blocks = work_allocator.blocks;
    uint64_t points = 0;
    for (uint64_t k = 1;; ++k) {
        work_allocator.calls = 0;
        work_allocator.fail_at = (k + 1) / 2; /* once, then for ever */
        work_allocator.fail_for_ever = k % 2 == 0;
        const gpool_result result = work_expand(desc);
        work_allocator.fail_at = 0;
        if (result == GPOOL_OK && work_allocator.calls < (k + 1) / 2) {
            break;
        }
        /* The last call only gives back what is too much. */
        if (result != GPOOL_OK) {
            assert_same(result, GPOOL_ERROR_OUT_OF_MEMORY);
            points += 1;
        }
        gpool__source_fini(&work_source);
        assert_int_equal(work_allocator.blocks, blocks);
    }
    printf("%u allocations failed\n", (unsigned)points);
    assert_in_range(points, 40, 1000);
}

static void lack_of_memory_for_a_virtual_file_leaves_the_old_one(void **state)
{
    (void)state;
    work_put("a", "old");
    for (uint64_t k = 1; k <= 2; ++k) {
        work_allocator.calls = 0;
        work_allocator.fail_at = k;
        assert_same(gpool__source_files_put(&work_files, "a", "new", 3), GPOOL_ERROR_OUT_OF_MEMORY);
        assert_same(gpool__source_files_put(&work_files, "a", "", 0), GPOOL_OK);
        work_allocator.fail_at = 0;
        work_put("a", "old");
    }
    work_expect("#include \"a\"", "old\n");
}

int main(void)
{
#define SOURCE_TEST(function) cmocka_unit_test_setup_teardown(function, work_open, work_close)
    const struct CMUnitTest tests[] = {
        SOURCE_TEST(text_without_directives_stays_byte_for_byte),
        SOURCE_TEST(line_breaks_of_wgsl_all_become_one),
        SOURCE_TEST(byte_order_mark_is_dropped),
        SOURCE_TEST(names_in_code_are_replaced_whole),
        SOURCE_TEST(comments_are_left_alone),
        SOURCE_TEST(values_are_replaced_again_but_not_by_themselves),
        SOURCE_TEST(operators_do_not_melt),
        SOURCE_TEST(comments_in_directives_are_blanks),
        SOURCE_TEST(switches_choose_lines),
        SOURCE_TEST(undef_and_ifndef_follow_the_state_of_now),
        SOURCE_TEST(what_is_switched_off_is_not_looked_at),
        SOURCE_TEST(definition_again_needs_the_same_value),
        SOURCE_TEST(bad_directives_are_refused_at_their_place),
        SOURCE_TEST(bad_definitions_of_the_caller_are_refused),
        SOURCE_TEST(text_that_no_compiler_bears_is_refused_at_its_place),
        SOURCE_TEST(include_gives_the_lines_of_the_file_once),
        SOURCE_TEST(includes_share_definitions),
        SOURCE_TEST(circle_of_includes_is_named),
        SOURCE_TEST(missing_file_is_told_with_what_was_looked_for),
        SOURCE_TEST(names_of_files_are_cleaned_and_refused),
        SOURCE_TEST(virtual_files_are_put_replaced_and_removed),
        SOURCE_TEST(every_limit_is_kept),
        SOURCE_TEST(growth_of_values_is_bounded),
        SOURCE_TEST(long_lines_take_linear_time),
        SOURCE_TEST(places_lead_back_to_files_and_columns),
        SOURCE_TEST(blank_between_operators_moves_no_column),
        SOURCE_TEST(text_is_the_same_wherever_the_files_lie),
        SOURCE_TEST(lack_of_memory_anywhere_leaves_nothing),
        SOURCE_TEST(lack_of_memory_for_a_virtual_file_leaves_the_old_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
