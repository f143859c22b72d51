/*
 * Random trees of includes, definitions and conditionals, against an expansion that is as plain as can
 * be: it recurses, keeps a place for every byte, and knows no blocks, runs or shifts.
 */
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700
#endif
#include "unit/source_work.h"

#include <ctype.h>

#define FILES 7u
#define NAMES 6u
#define TEXT  (1u << 18)

static uint64_t seed;

typedef struct model_byte {
    char c;
    uint32_t file;
    uint32_t line;
    uint32_t column;
} model_byte;

typedef struct model {
    uint64_t random;
    char texts[FILES][2048];
    /* the expansion */
    model_byte bytes[TEXT];
    size_t size;
    bool defined[NAMES];
    char values[NAMES][64];
    bool included[FILES];
    bool open[FILES];
    gpool_result result;
    uint32_t error_file;
    uint32_t error_line;
    /* the code under way */
    uint32_t file, line;
    uint32_t origin, last_origin; /* which piece of text a byte is of */
    uint32_t name_column;         /* of the last name replaced */
} model;

static model m;

/* --- texts --- */

static const char *pick(const char *const *from, size_t count)
{
    return from[unit_random_below(&m.random, count)];
}
#define PICK(list) pick(list, UNIT_COUNT(list))

static void add(char *text, const char *more)
{
    if (strlen(text) + strlen(more) + 64 < sizeof m.texts[0]) {
        strcat(text, more);
    }
}

static const char *const names[] = { "A", "B", "C", "D", "E", "F" };

static void add_directive(char *text, uint32_t file)
{
    static const char *const values[] = { "1",   "-1", "B",   "C C", "/",       "+ D",  "(A)", "",
                                          "E F", "*",  "A B", "-C",  "x A1 1A", "- -F", "F-" };
    static const char *const ends[] = { "", "", " // A", " /* B */", "\t" };
    char line[128];
    const uint64_t what = unit_random_below(&m.random, 100);
    if (what < 40) {
        const char *name = PICK(names);
        /* Another value is an error, which is to be the exception. */
        if (unit_random_below(&m.random, 30) > 0) {
            (void)snprintf(line, sizeof line, "#undef %s\n", name);
            add(text, line);
        }
        (void)snprintf(line, sizeof line, "#define %s %s", name, PICK(values));
    } else if (what < 50) {
        (void)snprintf(line, sizeof line, " # undef %s", PICK(names));
    } else if (what < 80) {
        /* Mostly later files: circles, and files that are not there, are the exception. */
        const bool wild = unit_random_below(&m.random, 100) == 0;
        const uint64_t to = wild ? unit_random_below(&m.random, FILES + 1)
                            : file + 1 < FILES
                                ? file + 1 + unit_random_below(&m.random, FILES - file - 1)
                                : file;
        if (wild || to > file) {
            (void)snprintf(line, sizeof line, "#include \"f%u\"", (unsigned)to);
        } else {
            (void)snprintf(line, sizeof line, "#undef Z");
        }
    } else {
        (void)snprintf(line, sizeof line, "%s",
                       unit_random_below(&m.random, 300) == 0 ? "#else" : "#undef Z");
    }
    add(text, line);
    add(text, PICK(ends));
}

static void add_code(char *text)
{
    static const char *const tokens[] = { "A", "B", "C", "D",  "E",  "F",        "AB", "1A", "0xF",
                                          " ", " ", " ", "-",  "/(", "+",        ")*", "(",  ")",
                                          "x", ".", "<", "/A", "*B", "/* A */ ", "_" };
    static const char *const rare[] = { "// B", "/* C", "*/", "/*/* D */" };
    for (uint64_t count = unit_random_below(&m.random, 16); count > 0; --count) {
        add(text, unit_random_below(&m.random, 1000) == 0 ? PICK(rare) : PICK(tokens));
    }
    /* A directive in a comment, now and then. */
    if (unit_random_below(&m.random, 100) == 0) {
        add(text, "\n/*\n#define A 5\n*/ A");
    }
}

static void add_lines(char *text, uint32_t file, uint32_t depth)
{
    char line[64];
    for (uint64_t count = unit_random_below(&m.random, depth == 0 ? 16 : 5); count > 0; --count) {
        const uint64_t what = unit_random_below(&m.random, 100);
        if (what < 45) {
            add_code(text);
        } else if (what < 75 || depth > 3) {
            add_directive(text, file);
        } else {
            (void)snprintf(line, sizeof line, "#%s %s\n",
                           unit_random_below(&m.random, 2) ? "ifdef" : "ifndef", PICK(names));
            add(text, line);
            add_lines(text, file, depth + 1);
            if (unit_random_below(&m.random, 2) == 0) {
                add(text, "#else\n");
                add_lines(text, file, depth + 1);
            }
            add(text, unit_random_below(&m.random, 300) == 0 ? "" : "#endif");
        }
        add(text, "\n");
    }
}

/* --- the plain expansion --- */

static void model_fail(gpool_result result, uint32_t file, uint32_t line)
{
    if (m.result == GPOOL_OK) {
        m.result = result;
        m.error_file = file;
        m.error_line = line;
    }
}

static void put(char c, uint32_t column)
{
    assert_in_range(m.size, 0, TEXT - 1);
    m.bytes[m.size++] = (model_byte){ c, m.file, m.line, column };
}

static bool is_operator(char c)
{
    return c != '\0' && strchr("+-*/%&|^<>=!", c) != NULL;
}

/* A byte of code: of another origin than the one before it does not melt with that one. */
static void put_code(char c, uint32_t column)
{
    if (m.size > 0 && m.last_origin != m.origin && is_operator(c) &&
        is_operator(m.bytes[m.size - 1].c)) {
        put(' ', m.name_column);
    }
    m.last_origin = m.origin;
    put(c, column);
}

static int name_of(const char *token, size_t size)
{
    return size == 1 && token[0] >= 'A' && token[0] <= 'F' && m.defined[token[0] - 'A']
               ? token[0] - 'A'
               : -1;
}

static size_t token_of(const char *text)
{
    size_t size = 0;
    if (isdigit((unsigned char)text[0])) {
        while (isalnum((unsigned char)text[size]) || text[size] == '_' || text[size] == '.') {
            size += 1;
        }
        return size;
    }
    while (isalnum((unsigned char)text[size]) || text[size] == '_') {
        size += 1;
    }
    return size > 0 ? size : 1;
}

static void put_value(int name, uint32_t busy)
{
    m.origin += 1;
    for (const char *at = m.values[name]; *at != '\0';) {
        const size_t size = token_of(at);
        const int inner = name_of(at, size);
        if (inner >= 0 && (busy >> inner & 1) == 0) {
            put_value(inner, busy | UINT32_C(1) << inner);
        } else {
            for (size_t i = 0; i < size; ++i) {
                put_code(at[i], m.name_column);
            }
        }
        at += size;
    }
    m.origin += 1;
}

/* One line of code or comment; returns how many comments are open behind it. */
static uint32_t put_line(const char *line, uint32_t depth, bool active)
{
    size_t at = 0;
    while (line[at] != '\0') {
        size_t size = 1;
        const bool begin = line[at] == '/' && line[at + 1] == '*';
        const bool end = depth > 0 && line[at] == '*' && line[at + 1] == '/';
        int name = -1;
        if (begin || end) {
            depth = begin ? depth + 1 : depth - 1;
            size = 2;
        } else if (depth == 0 && line[at] == '/' && line[at + 1] == '/') {
            size = strlen(line + at);
        } else if (depth == 0) {
            size = token_of(line + at);
            name = name_of(line + at, size);
        }
        if (active && name >= 0) {
            m.name_column = (uint32_t)at + 1;
            put_value(name, UINT32_C(1) << name);
        } else if (active) {
            for (size_t i = 0; i < size; ++i) {
                put_code(line[at + i], (uint32_t)(at + i) + 1);
            }
        }
        at += size;
    }
    return depth;
}

static void model_file(uint32_t file);

/* A directive; true when it gives the lines of a file. */
static bool model_directive(const char *line, uint32_t file, uint32_t number, bool *active,
                            bool *outer, uint32_t *elses, uint32_t *depth)
{
    char word[16] = "";
    char first[16] = "";
    char text[256];
    (void)snprintf(text, sizeof text, "%s", line);
    char *comment = strstr(text, "//");
    comment = comment != NULL ? comment : strstr(text, "/*");
    if (comment != NULL) {
        *comment = '\0';
    }
    int used = 0;
    (void)sscanf(text, " # %15s %15s %n", word, first, &used);
    if (strcmp(word, "ifdef") == 0 || strcmp(word, "ifndef") == 0) {
        const bool is = m.defined[first[0] - 'A'] == (strcmp(word, "ifdef") == 0);
        *depth += 1;
        outer[*depth] = active[*depth - 1];
        active[*depth] = outer[*depth] && is;
        elses[*depth] = 0;
    } else if (strcmp(word, "else") == 0) {
        if (*depth == 0 || elses[*depth] > 0) {
            model_fail(GPOOL_ERROR_INVALID_ARGUMENT, file, number);
            return false;
        }
        elses[*depth] = 1;
        active[*depth] = outer[*depth] && !active[*depth];
    } else if (strcmp(word, "endif") == 0) {
        if (*depth == 0) {
            model_fail(GPOOL_ERROR_INVALID_ARGUMENT, file, number);
            return false;
        }
        *depth -= 1;
    } else if (!active[*depth]) {
        return false;
    } else if (strcmp(word, "undef") == 0 && first[0] != 'Z') {
        m.defined[first[0] - 'A'] = false;
    } else if (strcmp(word, "define") == 0) {
        const int name = first[0] - 'A';
        const char *value = used > 0 ? text + used : "";
        size_t size = strlen(value);
        while (size > 0 && isblank((unsigned char)value[size - 1])) {
            size -= 1;
        }
        if (m.defined[name] &&
            (strlen(m.values[name]) != size || strncmp(m.values[name], value, size) != 0)) {
            model_fail(GPOOL_ERROR_INVALID_ARGUMENT, file, number);
            return false;
        }
        m.defined[name] = true;
        (void)snprintf(m.values[name], sizeof m.values[name], "%.*s", (int)size, value);
    } else if (strcmp(word, "include") == 0) {
        const uint32_t to = (uint32_t)atoi(first + 2);
        if (to == 0 || to >= FILES) { /* the main source has no name to include */
            model_fail(GPOOL_ERROR_FILE, file, number);
        } else if (m.open[to]) {
            model_fail(GPOOL_ERROR_INVALID_ARGUMENT, file, number);
        } else if (!m.included[to]) {
            model_file(to);
            m.file = file;
            return true;
        }
    }
    return false;
}

static void model_file(uint32_t file)
{
    bool active[64] = { true };
    bool outer[64] = { true };
    uint32_t elses[64] = { 0 };
    uint32_t depth = 0;
    uint32_t comments = 0;
    const char *at = m.texts[file];
    m.included[file] = m.open[file] = true;
    for (uint32_t number = 1; m.result == GPOOL_OK; ++number) {
        const size_t size = strcspn(at, "\n");
        const bool last = at[size] == '\0';
        static char lines[FILES][2048];
        char *line = lines[file];
        memcpy(line, at, size);
        line[size] = '\0';
        const bool directive = comments == 0 && line[strspn(line, " \t")] == '#';
        const bool shown = active[depth];
        bool given = false;
        m.file = file;
        m.line = number;
        if (directive) {
            given = model_directive(line, file, number, active, outer, elses, &depth);
            m.line = number;
        } else {
            comments = put_line(line, comments, shown);
        }
        m.origin += 1;
        if (m.result == GPOOL_OK && !given && !(last && (file == 0 || size == 0))) {
            put('\n', directive || !shown ? 1 : (uint32_t)size + 1);
        }
        if (last) {
            break;
        }
        at += size + 1;
    }
    if (m.result == GPOOL_OK && comments > 0) {
        model_fail(GPOOL_ERROR_INVALID_ARGUMENT, file, 0);
    } else if (m.result == GPOOL_OK && depth > 0) {
        model_fail(GPOOL_ERROR_INVALID_ARGUMENT, file, 0);
    }
    m.open[file] = false;
}

/* --- comparison --- */

static const char *file_name(uint32_t file)
{
    static const char *const all[] = { "main", "f1", "f2", "f3", "f4", "f5", "f6" };
    return all[file];
}

static void compare(uint64_t round)
{
    const gpool_result result = work_text(m.texts[0]);
    if (result != m.result) {
        fail_msg("round %u: %s, not %s: %s\n%s", (unsigned)round, gpool_result_name(result),
                 gpool_result_name(m.result), work_source.message, m.texts[0]);
    }
    if (result != GPOOL_OK) {
        assert_string_equal(work_source.files[work_source.error_file].name,
                            file_name(m.error_file));
        if (m.error_line > 0) {
            assert_int_equal(work_source.error_line, m.error_line);
        }
        if (getenv("DBG"))
            puts(strchr(work_source.message, ' '));
        return;
    }
    assert_int_equal(work_source.size, m.size);
    for (size_t i = 0; i < m.size; ++i) {
        if (work_source.text[i] != m.bytes[i].c) {
            fail_msg("round %u: byte %u differs\n%s", (unsigned)round, (unsigned)i,
                     work_source.text);
        }
    }
    for (size_t i = 0; i < m.size; i += 1 + i / 200) {
        const gpool__source_place place = gpool__source_place_of(&work_source, i);
        assert_string_equal(work_source.files[place.file].name, file_name(m.bytes[i].file));
        assert_int_equal(place.line, m.bytes[i].line);
        assert_int_equal(place.column, m.bytes[i].column);
    }
}

static void random_trees_are_what_a_plain_expansion_gives(void **state)
{
    (void)state;
    enum {
        ROUNDS = 3000
    };
    uint32_t good = 0;
    uint32_t includes = 0;
    uint32_t shifts = 0;
    size_t largest = 0;
    for (uint64_t round = 0; round < ROUNDS; ++round) {
        memset(&m, 0, sizeof m);
        m.random = seed * 1000003 + round;
        for (uint32_t f = 0; f < FILES; ++f) {
            add_lines(m.texts[f], f, 0);
            add_code(m.texts[f]);
            if (f > 0) {
                work_put(file_name(f), m.texts[f]);
            }
        }
        model_file(0);
        compare(round);
        good += m.result == GPOOL_OK;
        for (uint32_t f = 1; f < FILES; ++f) {
            includes += m.result == GPOOL_OK && m.included[f];
        }
        shifts += m.result == GPOOL_OK ? work_source.shift_count : 0;
        largest = m.size > largest ? m.size : largest;
    }
    printf("%u of %u expanded, with %u files and %u names replaced, at most %u bytes\n",
           (unsigned)good, (unsigned)ROUNDS, (unsigned)includes, (unsigned)shifts,
           (unsigned)largest);
    assert_in_range(good, ROUNDS / 4, ROUNDS);
    assert_in_range(includes, ROUNDS / 2, UINT32_MAX);
    assert_in_range(shifts, 2 * ROUNDS, UINT32_MAX);
}

int main(int argc, char **argv)
{
    seed = unit_seed(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(random_trees_are_what_a_plain_expansion_gives, work_open,
                                        work_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
