/* The binding scan of sources made to hurt it: linear in all of them, whole without memory. */
#include "unit/bindings_scanned.h"

#include "unit/shader_samples.h"

#include "base/hash.h"
#include "shader/wgsl_tokens.h"

#include <time.h>

static uint64_t seed;

#define HOSTILE_SIZE (4u << 20)
/* A scan with a square in it takes minutes for these. */
#define HOSTILE_SECONDS 5.0

/* One source: a beginning, `count` times a part, an end. In the part # is its number and $ the next. */
typedef struct hostile {
    const char *what;
    const char *begin;
    const char *part;
    const char *end;
    uint32_t count;
    const char *layouts; /* of `main`; NULL = it has none, or not those */
} hostile;

#define HOSTILE_MAIN "@compute @workgroup_size(1) fn main() "

static const hostile hostiles[] = {
    { "functions", HOSTILE_MAIN "{ f0(); }\n@group(0) @binding(0) var<uniform> u: vec4f;\n",
      "fn f#() { f$(); }\n", "fn f50000() { _ = u; }", 50000, "0.0 uniform*" },
    { "textures handed on",
      "@group(0) @binding(0) var t: texture_2d<f32>; @group(0) @binding(1) var s: sampler;\n" HOSTILE_MAIN
      "{ f0(t); }\n",
      "fn f#(a: texture_2d<f32>) { f$(a); }\n",
      "fn f50000(a: texture_2d<f32>) { _ = textureSample(a, s, v); }", 50000,
      "0.0 texture 2d float; 0.1 sampler" },
    { "aliases", "@group(0) @binding(0) var t: a0; " HOSTILE_MAIN "{ _ = t; }\n",
      "alias a# = a$;\n", "alias a100000 = texture_2d<u32>;", 100000, "0.0 texture 2d uint" },
    { "users of aliases", "alias b0 = sampler;",
      "alias b$ = b#; @group(0) @binding(0) var v#: b$;\n", "", 40000, NULL },
    { "a ring of aliases", "@group(0) @binding(0) var t: a0; " HOSTILE_MAIN "{ }\n",
      "alias a# = a$;\n", "alias a100000 = a0;", 100000, "" },
    { "constants",
      "const c0 = 0; @group(0) @binding(c100000 - c99995) var<uniform> u: vec4f; " HOSTILE_MAIN
      "{ _ = u; }\n",
      "const c$ = c# + 1;\n", "", 100000, "0.5 uniform*" },
    { "constants, the last first", "@group(0) @binding(c0) var<uniform> u: vec4f;\n",
      "const c# = c$ + 1;\n", "const c100000 = 0;", 100000, NULL },
    { "doubled constants",
      "const c0 = 0; @group(0) @binding(c100000) var<uniform> u: f32; " HOSTILE_MAIN "{ _ = u; }\n",
      "const c$ = c# + c#;\n", "", 100000, "0.0 uniform*" },
    { "constants of nothing", "", "const c# c$\n", "", 100000, NULL },
    { "constants without value", "", "const c# c$;\n", "", 100000, NULL },
    { "variables", HOSTILE_MAIN "{ _ = v7; }\n",
      "@group(0) @binding(#) var<uniform> v#: vec4f; // $\n", "", 50000, "0.7 uniform*" },
    { "entry points", "", "@compute @workgroup_size(1) fn e#() { e$(); }\n", "", 50000, NULL },
    { "parentheses", HOSTILE_MAIN "{ _ = ", "(", "1", 1000000, NULL },
    { "closed parentheses", HOSTILE_MAIN "{ _ = ", "(()", "1", 1000000, NULL },
    { "a texture in parentheses", "@group(0) @binding(0) var t: sampler;" HOSTILE_MAIN "{ ", "(t)(",
      "", 300000, NULL },
    { "blocks", HOSTILE_MAIN, "{ let a = 1; ", "", 200000, NULL },
    { "blocks closed", HOSTILE_MAIN "{ ", "{ let a# = a$; } ", "}", 100000, "" },
    { "lists", HOSTILE_MAIN "{ a", "<a", "", 1000000, NULL },
    { "lists closed", HOSTILE_MAIN "{ a", "<a>", "", 1000000, NULL },
    { "lists and brackets", HOSTILE_MAIN "{ a", "<a(a<a", "", 500000, NULL },
    { "loops", HOSTILE_MAIN "{ ", "for (var a# = 0; a$ < 1; ) { ", "", 60000, NULL },
    { "parameters", "fn f(", "a#: texture_2d<f32>, b$: sampler, ", ") { }", 60000, NULL },
    { "arguments",
      "@group(0) @binding(0) var t: texture_2d<f32>; fn f(a: sampler) {} " HOSTILE_MAIN "{ f(",
      "t, ", "1); }", 500000, "0.0 texture 2d float" },
    { "links",
      "@group(0) @binding(0) var t: texture_2d<f32>; fn f(a: texture_2d<f32>) { f(a); } " HOSTILE_MAIN
      "{",
      "f(t); ", "}", 200000, "0.0 texture 2d unfilterable" },
    { "attributes", "", "@", "", 1000000, NULL },
    { "attributes with arguments", "", "@group(1)", "", 400000, NULL },
    { "comments", "", "/*", "", 1000000, NULL },
    { "lines of comment", "", "//\n", "", 1000000, NULL },
    { "minus", "@group(", "-", "1) @binding(0) var a: sampler;", 1000000, NULL },
    { "other bytes", "", "\xff\xc2\x85", "", 1000000, NULL },
    { "semicolons", "", ";", "", 1000000, NULL },
    { "fn", "", "fn ", "", 1000000, NULL },
    { "heads of functions", "", "fn f#() -> a$ ", "", 100000, NULL },
    { "var", "", "@group(0) @binding(0) var ", "", 150000, NULL },
    { "structures", "", "struct s# { a$: f32 ", "", 100000, NULL },
    { "empty structures", "", "struct {", "", 400000, NULL },
};

static size_t hostile_part(char *text, const char *part, uint32_t number)
{
    size_t at = 0;
    for (const char *c = part; *c != '\0'; ++c) {
        if (*c == '#' || *c == '$') {
            at += (size_t)snprintf(text + at, 16, "%u", number + (*c == '$' ? 1u : 0u));
        } else {
            text[at++] = *c;
        }
    }
    return at;
}

static char *hostile_text(const hostile *h)
{
    char *text = malloc(HOSTILE_SIZE);
    assert_non_null(text);
    size_t at = (size_t)snprintf(text, HOSTILE_SIZE, "%s", h->begin);
    for (uint32_t i = 0; i < h->count; ++i) {
        assert_true(at + 200 < HOSTILE_SIZE);
        at += hostile_part(text + at, h->part, i);
    }
    (void)snprintf(text + at, HOSTILE_SIZE - at, "%s", h->end);
    return text;
}

static double seconds(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

static void hostile_sources_take_linear_time(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(hostiles); ++i) {
        char *text = hostile_text(&hostiles[i]);
        const double begin = seconds();
        scanned s = scan_of(text);
        gpool__bindings_groups groups;
        gpool__bindings_error error;
        char got[BINDINGS_TEXT];
        const gpool_result result = layouts_of(&s.scan, "main", &groups, &error);
        const double took = seconds() - begin;
        bindings_groups_text(got, &groups);
        print_message("%8.1f ms, %4.1f MB: %s\n", took * 1e3, (double)strlen(text) * 1e-6,
                      hostiles[i].what);
        if (hostiles[i].layouts != NULL) {
            assert_same(result, GPOOL_OK);
            assert_string_equal(got, hostiles[i].layouts);
        }
        assert_true(took < HOSTILE_SECONDS);
        scan_end(&s);
        free(text);
    }
}

/* Who knows the hash can find names that differ in it only above the bits of a table of this size. */
static void names_made_to_share_a_bucket_do_not(void **state)
{
    (void)state;
    enum {
        NAMES = 2000,
        BUCKETS = 4096,
        SIZE = 8
    };
    char *text = malloc(NAMES * SIZE);
    assert_non_null(text);
    char name[SIZE + 1];
    size_t used = 0;
    for (uint64_t i = 0; used < NAMES * SIZE; ++i) {
        for (uint32_t k = 0; k < SIZE - 1; ++k) {
            name[k] = (char)('a' + (i >> 4 * k) % 16);
        }
        if (gpool__hash(name, SIZE - 1) % BUCKETS == 0) {
            name[SIZE - 1] = ' ';
            memcpy(text + used, name, SIZE);
            used += SIZE;
        }
    }
    gpool__tokens tokens;
    assert_true(gpool__tokens_init(&tokens, &memory, text, used));
    assert_int_equal(tokens.name_count, NAMES);
    assert_int_equal(tokens.bucket_count, BUCKETS);
    uint32_t longest = 0;
    uint32_t row = 0;
    for (uint32_t i = 0; i < BUCKETS; ++i) {
        row = tokens.buckets[i] != 0 ? row + 1 : 0;
        longest = row > longest ? row : longest;
    }
    assert_in_range(longest, 1, 200);
    gpool__tokens_fini(&tokens, &memory);
    free(text);
}

static void a_mebibyte_of_shader_takes_milliseconds(void **state)
{
    (void)state;
    size_t size;
    char *part = bindings_read(SHADER_SAMPLES_FOLDER, "gbuffer.wgsl", &size);
    char *text = malloc(HOSTILE_SIZE);
    assert_non_null(text);
    size_t at = 0;
    /* The same declarations again and again: as many tokens as another shader of that size. */
    while (at < 1u << 20) {
        memcpy(text + at, part, size);
        at += size;
    }
    text[at] = '\0';
    double least = HOSTILE_SECONDS;
    for (int i = 0; i < 5; ++i) {
        scanned s = scan_of(text);
        scan_end(&s);
        const double begin = seconds();
        s = scan_of(text);
        const double took = seconds() - begin;
        least = took < least ? took : least;
        scan_end(&s);
    }
    print_message("%.2f ms for %zu bytes\n", least * 1e3, at);
    assert_true(least < HOSTILE_SECONDS);
    free(text);
    free(part);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    size_t size;
    char *text = bindings_read(SHADER_SAMPLES_FOLDER, "terrain.wgsl", &size);
    const WGPULimits limits = bindings_limits();
    unit_allocator allocator = { 0 };
    const gpool_allocator hooks = unit_hooks(&allocator);
    bool done = false;
    uint64_t failed = 0;
    for (uint64_t fail_at = 1; !done; ++fail_at) {
        allocator = (unit_allocator){ .fail_at = fail_at };
        gpool__memory own;
        gpool__memory_init(&own, &hooks);
        gpool__bindings scan;
        gpool__bindings_groups groups;
        gpool__bindings_error error;
        const gpool_result result = gpool__bindings_init(&scan, &own, text, size);
        const gpool__bindings_stage stage = { .scan = &scan, .stage = WGPUShaderStage_Fragment };
        done = result == GPOOL_OK;
        if (done) {
            const gpool_result made =
                gpool__bindings_layouts(&own, &stage, 1, &limits, &groups, &error);
            done = made == GPOOL_OK;
            assert_same(made, done ? GPOOL_OK : GPOOL_ERROR_OUT_OF_MEMORY);
        } else {
            assert_same(result, GPOOL_ERROR_OUT_OF_MEMORY);
            assert_int_equal(scan.var_count + scan.entry_count + scan.fn_count, 0);
        }
        gpool__bindings_fini(&scan, &own);
        failed += done ? 0 : 1;
        assert_int_equal(own.bytes, 0);
        assert_int_equal(allocator.blocks, 0);
        assert_int_equal(allocator.wrong_sizes, 0);
    }
    assert_true(failed > 20); /* the tokens alone grow six times */
    free(text);
}

/* Samples with bytes changed, cut and put elsewhere: nothing but a scan comes of it. */
static void changed_samples_are_scanned(void **state)
{
    (void)state;
    for (int round = 0; round < 3000; ++round) {
        const uint64_t pick = unit_random_below(&seed, UNIT_COUNT(shader_samples));
        size_t size;
        char *text = bindings_read(SHADER_SAMPLES_FOLDER, shader_samples[pick].file, &size);
        for (uint64_t i = unit_random_below(&seed, 8); i > 0; --i) {
            const size_t a = unit_random_below(&seed, size);
            const size_t b = unit_random_below(&seed, size);
            const size_t most = size - (a > b ? a : b);
            memmove(text + a, text + b, unit_random_below(&seed, most < 64 ? most + 1 : 64));
            text[b] = (char)unit_random(&seed);
        }
        text[unit_random_below(&seed, size)] = '\0';
        scanned s = scan_of(text);
        for (uint32_t i = 0; i < s.scan.var_count; ++i) {
            assert_true(s.scan.vars[i].name_at + s.scan.vars[i].name_size <= strlen(text));
        }
        scan_end(&s);
        free(text);
    }
}

int main(int argc, char **argv)
{
    scan_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_sources_take_linear_time),
        cmocka_unit_test(names_made_to_share_a_bucket_do_not),
        cmocka_unit_test(a_mebibyte_of_shader_takes_milliseconds),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(changed_samples_are_scanned),
    };
    seed = unit_seed(argc, argv);
    return cmocka_run_group_tests_name("bindings_hostile", tests, NULL, NULL);
}
