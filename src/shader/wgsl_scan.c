/*
 * A look at WGSL source before it reaches a compiler: is it within what compilers bear. The compilers of
 * both implementations recurse over the source's structure, and wgpu-native's slices it by bytes: deep
 * nesting overflows the stack, bytes that are no UTF-8 end the process. Neither can be caught, so both are
 * refused here.
 */
#include "shader/shader_state.h"
#include "shader/source_state.h"
#include "shader/wgsl_tokens.h"

#include "base/text.h"

#include <string.h>

/* WGSL itself allows 127 nested blocks; expressions may nest a little more here. */
#define WGSL_DEPTH 256u
/* Operators in one expression; branches of else-if chains within each other. */
#define WGSL_CHAIN 1024u
/* Levels of the tree of an expression, estimated from above. */
#define WGSL_HEIGHT 2048u
/* `<` that may still turn out to begin a template list. */
#define WGSL_PENDING 1024u

/* Length of the comment at `at`, 0 when there is none; WGSL block comments nest. */
static size_t wgsl_comment(const char *source, size_t size, size_t at)
{
    if (at + 1 >= size || source[at] != '/') {
        return 0;
    }
    size_t i = at + 2;
    if (source[at + 1] == '/') {
        while (i < size && gpool__source_break(source + i, size - i) == 0) {
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

size_t gpool__wgsl_skip_blank(const char *source, size_t size, size_t at)
{
    size_t step = 1;
    while (at < size && step > 0) {
        step = wgsl_comment(source, size, at);
        step = step > 0 ? step : gpool__source_blank(source + at, size - at);
        step = step > 0 ? step : gpool__source_break(source + at, size - at);
        at += step;
    }
    return at;
}

/* What is open at one depth of brackets. */
typedef struct wgsl_level {
    uint32_t operators; /* of the current expression */
    uint32_t inner;     /* height of the tallest bracket or template list closed in it */
    uint32_t others;    /* height of the tallest expression before it, from comma to comma */
    uint32_t branches;  /* `else` in the current chain */
} wgsl_level;

/* A `<` after a name: a template list if its `>` comes, else a comparison. */
typedef struct wgsl_template {
    uint32_t depth;    /* of brackets */
    uint32_t height;   /* of template lists inside */
    uint32_t chain;    /* height of the comparison that a comma ended since; 0 = no comma yet */
    wgsl_level before; /* without what came since */
} wgsl_template;

/*
 * How deep a parser would recurse. Chains deepen the tree too: `1+1+1` is one sum within another, and a
 * bracket adds the height of its content to the chain that it stands in.
 */
typedef struct wgsl_nesting {
    uint32_t depth;
    uint32_t above;    /* operators of the levels below the current one */
    uint32_t branches; /* of all levels */
    bool over_limit;
    uint32_t pending_count;
    wgsl_level levels[WGSL_DEPTH + 1];
    wgsl_template pending[WGSL_PENDING];
} wgsl_nesting;

static uint32_t wgsl_max(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static uint32_t wgsl_height(const wgsl_level *level)
{
    return wgsl_max(level->others, level->operators + level->inner);
}

static void wgsl_check(wgsl_nesting *nesting, const wgsl_level *level)
{
    nesting->over_limit = nesting->over_limit || level->operators > WGSL_CHAIN ||
                          nesting->above + wgsl_height(level) > WGSL_HEIGHT;
}

static void wgsl_end_expression(wgsl_level *level)
{
    level->operators = 0;
    level->inner = 0;
    level->others = 0;
}

/* What is pending in the current brackets was no template list. */
static void wgsl_drop_pending(wgsl_nesting *nesting)
{
    while (nesting->pending_count > 0 &&
           nesting->pending[nesting->pending_count - 1].depth == nesting->depth) {
        const wgsl_template *last = &nesting->pending[--nesting->pending_count];
        wgsl_level *level = &nesting->levels[last->depth];
        if (last->chain == 0) {
            level->operators += last->before.operators + 1;
            level->inner = wgsl_max(level->inner, last->before.inner);
        }
        level->others = wgsl_max(level->others, wgsl_max(last->before.others, last->chain));
        if (nesting->pending_count > 0) {
            wgsl_template *outer = &nesting->pending[nesting->pending_count - 1];
            outer->height = wgsl_max(outer->height, last->height);
        }
        wgsl_check(nesting, level);
    }
}

static void wgsl_end_statement(wgsl_nesting *nesting)
{
    wgsl_drop_pending(nesting);
    nesting->pending_count = 0;
    wgsl_end_expression(&nesting->levels[nesting->depth]);
}

static void wgsl_open(wgsl_nesting *nesting, char c)
{
    wgsl_level *level = &nesting->levels[nesting->depth];
    if (c == '{') {
        wgsl_end_statement(nesting);
    } else {
        level->operators += 1; /* calls and indexes are chained like operators */
    }
    if (nesting->depth == WGSL_DEPTH) {
        nesting->over_limit = true;
        return;
    }
    nesting->above += level->operators;
    nesting->depth += 1;
    nesting->levels[nesting->depth] = (wgsl_level){ 0 };
}

static void wgsl_close(wgsl_nesting *nesting, char c)
{
    wgsl_level *level = &nesting->levels[nesting->depth];
    wgsl_drop_pending(nesting);
    if (nesting->depth > 0) {
        uint32_t height = wgsl_height(level);
        nesting->branches -= level->branches;
        nesting->depth -= 1;
        level -= 1;
        nesting->above -= level->operators;
        level->inner = wgsl_max(level->inner, height + 1);
    }
    if (c == '}') {
        wgsl_end_statement(nesting);
    }
}

static void wgsl_begin_template(wgsl_nesting *nesting)
{
    if (nesting->pending_count == WGSL_PENDING) {
        nesting->over_limit = true;
        return;
    }
    wgsl_level *level = &nesting->levels[nesting->depth];
    nesting->pending[nesting->pending_count++] =
        (wgsl_template){ .depth = nesting->depth, .before = *level };
    wgsl_end_expression(level);
}

static void wgsl_comma(wgsl_nesting *nesting)
{
    wgsl_level *level = &nesting->levels[nesting->depth];
    uint32_t operators = level->operators;
    uint32_t inner = level->inner;
    for (uint32_t i = nesting->pending_count; i > 0; --i) {
        wgsl_template *pending = &nesting->pending[i - 1];
        if (pending->depth != nesting->depth || pending->chain != 0) {
            break;
        }
        operators += pending->before.operators + 1;
        inner = wgsl_max(inner, pending->before.inner);
        pending->chain = operators + inner;
    }
    level->others = wgsl_height(level);
    level->operators = 0;
    level->inner = 0;
}

/* A `>`: false when it ends no template list. */
static bool wgsl_end_template(wgsl_nesting *nesting)
{
    if (nesting->pending_count == 0 ||
        nesting->pending[nesting->pending_count - 1].depth != nesting->depth) {
        return false;
    }
    const wgsl_template *last = &nesting->pending[--nesting->pending_count];
    const uint32_t height = last->height + 1;
    nesting->over_limit = nesting->over_limit || height > WGSL_DEPTH;
    if (nesting->pending_count > 0) {
        wgsl_template *outer = &nesting->pending[nesting->pending_count - 1];
        outer->height = wgsl_max(outer->height, height);
    }
    wgsl_level *level = &nesting->levels[nesting->depth];
    const uint32_t content = wgsl_height(level);
    const uint32_t branches = level->branches;
    *level = last->before;
    level->branches = branches;
    level->inner = wgsl_max(level->inner, content + 1);
    return true;
}

/*
 * Counts the punctuation at `at` and returns its bytes. Template lists are found as in section 3.9 of the
 * WGSL specification: the `<` after a name waits for a `>` at its depth.
 */
static size_t wgsl_count(wgsl_nesting *nesting, const char *at, size_t left, bool after_name,
                         bool after_number)
{
    const char c = at[0];
    const char next = (char)(left > 1 ? at[1] : '\0');
    wgsl_level *level = &nesting->levels[nesting->depth];
    bool is_operator = false;
    bool is_pair = false;
    switch (c) {
    case '(':
    case '[':
    case '{':
        wgsl_open(nesting, c);
        break;
    case ')':
    case ']':
    case '}':
        wgsl_close(nesting, c);
        break;
    case ';':
        wgsl_end_statement(nesting);
        break;
    case ',':
        wgsl_comma(nesting);
        break;
    case '<':
        is_pair = next == '<' || next == '=';
        is_operator = is_pair || !after_name;
        if (!is_operator) {
            wgsl_begin_template(nesting);
        }
        break;
    case '>':
        is_operator = !wgsl_end_template(nesting);
        is_pair = is_operator && next == '=';
        break;
    case '&':
    case '|':
        is_operator = true;
        is_pair = next == c;
        if (is_pair) {
            wgsl_drop_pending(nesting);
        }
        break;
    case '!':
    case '=':
        is_pair = next == '=';
        is_operator = is_pair || c == '!';
        break;
    default:
        is_operator = c != '\0' && strchr("+-*/%^~.", c) != NULL && !(c == '.' && after_number);
        break;
    }
    level = &nesting->levels[nesting->depth];
    level->operators += is_operator ? 1 : 0;
    wgsl_check(nesting, level);
    return is_pair ? 2 : 1;
}

/* Bytes of the name, keyword or number at `at`; other than ASCII letters are not told apart. */
static size_t wgsl_name(const char *source, size_t size, size_t at)
{
    size_t end = at;
    while (end < size && (source[end] == '_' || (source[end] >= '0' && source[end] <= '9') ||
                          (source[end] >= 'a' && source[end] <= 'z') ||
                          (source[end] >= 'A' && source[end] <= 'Z'))) {
        end += 1;
    }
    return end - at;
}

static bool wgsl_is(const char *name, size_t length, const char *keyword)
{
    return strlen(keyword) == length && memcmp(name, keyword, length) == 0;
}

/* Counts a name: an `else` lengthens the chain, an `if` that follows no `else` begins one. */
static void wgsl_count_name(wgsl_nesting *nesting, const char *name, size_t length, bool after_else)
{
    wgsl_level *level = &nesting->levels[nesting->depth];
    if (wgsl_is(name, length, "else")) {
        level->branches += 1;
        nesting->branches += 1;
    } else if (wgsl_is(name, length, "if") && !after_else) {
        nesting->branches -= level->branches;
        level->branches = 0;
    }
    nesting->over_limit = nesting->over_limit || nesting->branches > WGSL_CHAIN;
}

const char *gpool__wgsl_problem(const char *source, size_t size)
{
    if (!gpool__is_utf8(source, size)) {
        return "its source is not UTF-8";
    }
    wgsl_nesting nesting; /* large, and filled as it is used */
    nesting.depth = 0;
    nesting.above = 0;
    nesting.branches = 0;
    nesting.over_limit = false;
    nesting.pending_count = 0;
    nesting.levels[0] = (wgsl_level){ 0 };
    bool after_else = false;
    bool after_name = false;
    bool after_number = false;
    size_t i = gpool__wgsl_skip_blank(source, size, 0);
    while (i < size && !nesting.over_limit) {
        size_t length = wgsl_name(source, size, i);
        if (length > 0) {
            wgsl_count_name(&nesting, source + i, length, after_else);
            after_else = wgsl_is(source + i, length, "else");
            after_number = source[i] >= '0' && source[i] <= '9' && !after_name;
            after_name = !after_number;
        } else {
            length = wgsl_count(&nesting, source + i, size - i, after_name, after_number);
            after_else = false;
            after_number = false;
            after_name = (unsigned char)source[i] > 127;
        }
        i = gpool__wgsl_skip_blank(source, size, i + length);
    }
    wgsl_drop_pending(&nesting);
    return nesting.over_limit
               ? "it nests over 256 levels deep, or chains over 1024 operators or branches"
               : NULL;
}
