/*
 * A look at WGSL source before it reaches a compiler: does it bind anything, and is it within what
 * compilers bear. The compilers of both implementations recurse over the source's structure, and
 * wgpu-native's slices it by bytes: deep nesting overflows the stack, bytes that are no UTF-8 end
 * the process. Neither can be caught, so both are refused here.
 */
#include "shader/shader_state.h"

#include "base/text.h"

#include <string.h>

/* WGSL itself allows 127 nested blocks; expressions may nest a little more here. */
#define WGSL_DEPTH 256u
/* Operators in one expression, branches of one else-if chain. */
#define WGSL_CHAIN 1024u

/* Bytes of the white space at `at`, 0 when there is none: the code points of WGSL, section 3.2. */
static size_t wgsl_blank(const char *source, size_t size, size_t at, bool *line_break)
{
    const unsigned char *c = (const unsigned char *)source + at;
    size_t left = size - at;
    *line_break = false;
    if (left >= 1 && (c[0] == ' ' || c[0] == '\t')) {
        return 1;
    }
    *line_break = true;
    if (left >= 1 && c[0] >= '\n' && c[0] <= '\r') {
        return 1;
    }
    if (left >= 2 && c[0] == 0xc2 && c[1] == 0x85) { /* next line */
        return 2;
    }
    if (left >= 3 && c[0] == 0xe2 && c[1] == 0x80) {
        if (c[2] == 0xa8 || c[2] == 0xa9) { /* line and paragraph separator */
            return 3;
        }
        *line_break = false;
        if (c[2] == 0x8e || c[2] == 0x8f) { /* direction marks */
            return 3;
        }
    }
    *line_break = false;
    return 0;
}

/* Length of the comment at `at`, 0 when there is none; WGSL block comments nest. */
static size_t wgsl_comment(const char *source, size_t size, size_t at)
{
    if (at + 1 >= size || source[at] != '/') {
        return 0;
    }
    size_t i = at + 2;
    if (source[at + 1] == '/') {
        bool line_break = false;
        while (i < size && (wgsl_blank(source, size, i, &line_break) == 0 || !line_break)) {
            i += 1;
        }
        return i - at;
    }
    if (source[at + 1] != '*') {
        return 0;
    }
    for (size_t depth = 1; i < size && depth > 0;) {
        bool pair = i + 1 < size;
        if (pair && source[i] == '/' && source[i + 1] == '*') {
            depth += 1;
            i += 2;
        } else if (pair && source[i] == '*' && source[i + 1] == '/') {
            depth -= 1;
            i += 2;
        } else {
            i += 1;
        }
    }
    return i - at;
}

/* First byte at or after `at` that is neither blank nor comment. */
static size_t wgsl_skip_blank(const char *source, size_t size, size_t at)
{
    size_t step = 1;
    while (at < size && step > 0) {
        bool line_break = false;
        step = wgsl_comment(source, size, at);
        step = step > 0 ? step : wgsl_blank(source, size, at, &line_break);
        at += step;
    }
    return at;
}

/* True when the name at `at` is `group` and ends there; bytes above 127 may continue a name. */
static bool wgsl_is_group(const char *source, size_t size, size_t at)
{
    static const size_t length = 5;
    if (size - at < length || memcmp(source + at, "group", length) != 0) {
        return false;
    }
    if (size - at == length) {
        return true;
    }
    unsigned char next = (unsigned char)source[at + length];
    bool blank = wgsl_skip_blank(source, size, at + length) > at + length;
    return blank || !(next == '_' || next > 127 || (next >= '0' && next <= '9') ||
                      (next >= 'a' && next <= 'z') || (next >= 'A' && next <= 'Z'));
}

bool gpool__wgsl_has_groups(const char *source, size_t size)
{
    for (size_t i = wgsl_skip_blank(source, size, 0); i < size;
         i = wgsl_skip_blank(source, size, i + 1)) {
        if (source[i] == '@' && wgsl_is_group(source, size, wgsl_skip_blank(source, size, i + 1))) {
            return true;
        }
    }
    return false;
}

typedef struct wgsl_nesting {
    uint32_t depth;
    uint32_t angles;                    /* '<' since the last statement: nested templates */
    uint32_t operators[WGSL_DEPTH + 1]; /* in the expression at each depth */
    uint32_t branches[WGSL_DEPTH + 1];  /* `else` in the chain at each depth */
} wgsl_nesting;

/* Counts one character of punctuation; false when a limit is reached. */
static bool wgsl_count(wgsl_nesting *nesting, char c)
{
    uint32_t *operators = &nesting->operators[nesting->depth];
    switch (c) {
    case '(':
    case '[':
    case '{':
        if (++nesting->depth > WGSL_DEPTH) {
            return false;
        }
        nesting->operators[nesting->depth] = 0;
        nesting->branches[nesting->depth] = 0;
        break;
    case ')':
    case ']':
    case '}':
        nesting->depth -= nesting->depth > 0 ? 1 : 0;
        if (c == '}') {
            nesting->operators[nesting->depth] = 0;
            nesting->angles = 0;
        }
        break;
    case ';':
        nesting->angles = 0;
        *operators = 0;
        break;
    case ',':
        *operators = 0;
        break;
    case '<':
        nesting->angles += 1;
        *operators += 1;
        break;
    default:
        *operators += strchr("+-*/%&|^=!~>.", c) != NULL ? 1 : 0;
        break;
    }
    return nesting->angles <= WGSL_DEPTH && *operators <= WGSL_CHAIN;
}

static bool wgsl_in_name(char c)
{
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Counts a name: an `else` lengthens the chain, an `if` that follows no `else` begins one. */
static bool wgsl_count_name(wgsl_nesting *nesting, const char *name, size_t length, bool after_else)
{
    uint32_t *branches = &nesting->branches[nesting->depth];
    if (length == 4 && memcmp(name, "else", 4) == 0) {
        *branches += 1;
    } else if (length == 2 && memcmp(name, "if", 2) == 0 && !after_else) {
        *branches = 0;
    }
    return *branches <= WGSL_CHAIN;
}

const char *gpool__wgsl_problem(const char *source, size_t size)
{
    if (!gpool__is_utf8(source, size)) {
        return "its source is not UTF-8";
    }
    wgsl_nesting nesting = { 0 };
    bool after_else = false;
    size_t i = wgsl_skip_blank(source, size, 0);
    while (i < size) {
        size_t end = i;
        while (end < size && wgsl_in_name(source[end])) {
            end += 1;
        }
        bool good = true;
        if (end > i) {
            good = wgsl_count_name(&nesting, source + i, end - i, after_else);
            after_else = end - i == 4 && memcmp(source + i, "else", 4) == 0;
        } else {
            good = source[i] == '\0' || wgsl_count(&nesting, source[i]);
            after_else = false;
            end = i + 1;
        }
        if (!good) {
            return "it nests over 256 levels deep, or chains over 1024 operators or branches";
        }
        i = wgsl_skip_blank(source, size, end);
    }
    return NULL;
}
