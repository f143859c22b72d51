/* WGSL cut into tokens: template lists told from comparisons, brackets matched, names interned. */
#include "shader/wgsl_tokens.h"

#include "unit/unit.h"

static gpool__memory memory;

static gpool__tokens cut(const char *source)
{
    gpool__tokens tokens;
    assert_true(gpool__tokens_init(&tokens, &memory, source, strlen(source)));
    for (uint32_t i = 0; i < tokens.count; ++i) {
        const gpool__token *token = &tokens.tokens[i];
        if (token->kind > GPOOL__TOKEN_MARK && token->value != GPOOL__NO_TOKEN) {
            assert_int_equal(tokens.tokens[token->value].value, i);
        }
    }
    assert_int_equal(tokens.tokens[tokens.count].kind, GPOOL__TOKEN_END);
    assert_int_equal(tokens.tokens[tokens.count + 1].kind, GPOOL__TOKEN_END);
    return tokens;
}

/* A letter for each token: n name, 0 number, < and > of template lists, l and g of comparisons. */
static void expect_tokens(const char *source, const char *wanted)
{
    gpool__tokens tokens = cut(source);
    char text[256] = "";
    for (uint32_t i = 0; i < tokens.count; ++i) {
        const gpool__token *token = &tokens.tokens[i];
        const bool compares = token->kind == GPOOL__TOKEN_MARK;
        text[i] = token->mark;
        if (token->kind == GPOOL__TOKEN_NAME || token->kind == GPOOL__TOKEN_NUMBER) {
            text[i] = (char)(token->kind == GPOOL__TOKEN_NAME ? 'n' : '0');
        } else if (compares && (token->mark == '<' || token->mark == '>')) {
            text[i] = (char)(token->mark == '<' ? 'l' : 'g');
        }
    }
    if (strcmp(text, wanted) != 0) {
        print_error("source: %s\n", source);
    }
    assert_string_equal(text, wanted);
    gpool__tokens_fini(&tokens, &memory);
    assert_int_equal(memory.bytes, 0);
}

/* Section 3.9 of the WGSL specification, with its examples. */
static void template_lists_are_told_from_comparisons(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        { "a<b>", "n<n>" },
        { "a<b,c>", "n<n,n>" },
        { "a /* x */ < // y\n b >", "n<n>" },
        { "a<b<c>>", "n<n<n>>" },
        { "a<b<c>>=d", "n<n<n>>=n" },
        { "a < b", "nln" },
        { "a > b", "ngn" },
        { "a<b && c>d", "nln&&ngn" },
        { "a<b || c>d", "nln||ngn" },
        { "a<b & c>d", "n<n&n>n" },
        { "a<(b && c)>d", "n<(n&&n)>n" },
        { "f(a<b, c>(d))", "n(n<n,n>(n))" },
        { "a<(b<c)>d", "n<(nln)>n" },
        { "a<(b>c)>d", "n<(ngn)>n" },
        { "(a<b)>d", "(nln)gn" },
        { "a[b<c]>d", "n[nln]gn" },
        { "a<b[c>d]", "nln[ngn]" },
        { "f(a < b) > c", "n(nln)gn" },
        { "if (a < b) { c > d }", "n(nln){ngn}" },
        { "a << b > c", "nllngn" },
        { "a<<=b>c", "nll=ngn" },
        { "a <= b > c", "nl=ngn" },
        { "a<b>=c", "n<n>=n" },
        { "a<b>>c", "n<n>gn" },
        { "a>b>=c<d>", "ngng=n<n>" },
        { "a<b == c>", "n<n==n>" },
        { "a<b != c>", "n<n!=n>" },
        { "a<!b>", "n<!n>" },
        { "a<b >= c>", "n<n>=ng" },
        { "a<b = c>", "nln=ng" },
        { "a<b += c>", "nln+=ng" },
        { "a<b; c>", "nln;ng" },
        { "a<b: c>", "nln:ng" },
        { "a<b{ c>", "nln{ng" },
        { "a<b} c>", "nln}ng" },
        { "1<a>", "0lng" },
        { "a<1>", "n<0>" },
        { ")a<b>", ")n<n>" },
    };
    for (size_t i = 0; i < UNIT_COUNT(rows); ++i) {
        expect_tokens(rows[i][0], rows[i][1]);
    }
}

static void numbers_and_names_end_where_they_should(void **state)
{
    (void)state;
    expect_tokens("", "");
    expect_tokens(" \t\r\n\v\f/* */", "");
    expect_tokens("1.5e+3 1E-2f 0x1p-3f 0XAP+1 0xe+1 1+2 1u-2i", "00000+00+00-0");
    expect_tokens("a.b a1_ _ \xc3\xa4\xff z\xc2\x85y\xe2\x80\x8ex", "n.nnnnnnn");
    expect_tokens("a-b->c@d", "n-n-gn@n");
}

static void brackets_have_their_partners(void **state)
{
    (void)state;
    static const struct {
        const char *source;
        uint32_t partners[8]; /* 99 = none */
    } rows[] = {
        { "()", { 1, 0 } },      { "([{}])", { 5, 4, 3, 2, 1, 0 } },
        { "(]", { 99, 99 } },    { "(])", { 2, 99, 0 } },
        { ")(", { 99, 99 } },    { "({)}", { 99, 3, 99, 1 } },
        { "}{}", { 99, 2, 1 } },
    };
    for (size_t i = 0; i < UNIT_COUNT(rows); ++i) {
        gpool__tokens tokens = cut(rows[i].source);
        for (uint32_t t = 0; t < tokens.count; ++t) {
            const uint32_t wanted = rows[i].partners[t];
            assert_int_equal(tokens.tokens[t].value, wanted == 99 ? GPOOL__NO_TOKEN : wanted);
        }
        gpool__tokens_fini(&tokens, &memory);
    }
}

static void a_name_has_one_number(void **state)
{
    (void)state;
    char source[16384];
    size_t at = 0;
    for (int round = 0; round < 2; ++round) {
        for (int i = 0; i < 1000; ++i) {
            at += (size_t)snprintf(source + at, sizeof source - at, "n%d ", i);
        }
    }
    gpool__tokens tokens = cut(source);
    assert_int_equal(tokens.count, 2000);
    assert_int_equal(tokens.name_count, 1000);
    for (uint32_t i = 0; i < 1000; ++i) {
        char name[16];
        const int size = snprintf(name, sizeof name, "n%u", i);
        assert_int_equal(tokens.tokens[i].value, i);
        assert_int_equal(tokens.tokens[i + 1000].value, i);
        assert_int_equal(gpool__tokens_find(&tokens, name, (size_t)size), i);
        assert_true(gpool__name_is(&tokens, i, name));
        assert_true(gpool__name_begins(&tokens, i, "n"));
    }
    assert_false(gpool__name_is(&tokens, 10, "n1"));
    assert_false(gpool__name_is(&tokens, 1, "n10"));
    assert_false(gpool__name_begins(&tokens, 1, "n10"));
    assert_false(gpool__name_is(&tokens, GPOOL__NO_TOKEN, ""));
    assert_int_equal(gpool__tokens_find(&tokens, "n1000", 5), GPOOL__NO_TOKEN);
    gpool__tokens_fini(&tokens, &memory);
    tokens = cut("1");
    assert_int_equal(gpool__tokens_find(&tokens, "a", 1), GPOOL__NO_TOKEN);
    gpool__tokens_fini(&tokens, &memory);
    assert_int_equal(memory.bytes, 0);
}

int main(void)
{
    const gpool_allocator none = { 0 };
    gpool__memory_init(&memory, &none);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(template_lists_are_told_from_comparisons),
        cmocka_unit_test(numbers_and_names_end_where_they_should),
        cmocka_unit_test(brackets_have_their_partners),
        cmocka_unit_test(a_name_has_one_number),
    };
    return cmocka_run_group_tests_name("wgsl_tokens", tests, NULL, NULL);
}
