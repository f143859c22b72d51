#include "shader/wgsl_tokens.h"

#include "base/hash.h"
#include "base/thread.h"

#include <string.h>

/* A `<` that a template list may begin with. */
typedef struct tokens_candidate {
    uint32_t token;
    uint32_t depth; /* of ( and [ since the statement began */
} tokens_candidate;

/* What is open while the source is cut. */
typedef struct tokens_cut {
    gpool__tokens *out;
    gpool__memory *memory;
    uint32_t *open; /* brackets, the innermost last */
    uint32_t open_count;
    uint32_t open_capacity;
    tokens_candidate *lists;
    uint32_t list_count;
    uint32_t list_capacity;
    uint32_t depth; /* of ( and [ as section 3.9 counts it */
} tokens_cut;

static bool tokens_is_letter(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool tokens_is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

/* Bytes of the name at `at`. A byte above 127 belongs to it unless a blank begins there. */
static size_t tokens_name_size(const gpool__tokens *tokens, size_t at)
{
    size_t end = at;
    while (end < tokens->size) {
        const unsigned char c = (unsigned char)tokens->source[end];
        if (c > 127 ? gpool__wgsl_skip_blank(tokens->source, tokens->size, end) > end
                    : !tokens_is_letter(c) && !tokens_is_digit(c)) {
            break;
        }
        end += 1;
    }
    return end - at;
}

/* Bytes of the number at `at`, with its suffix: `0x1p-3f` and `1.5e+2` have a sign inside. */
static size_t tokens_number_size(const gpool__tokens *tokens, size_t at)
{
    const char *source = tokens->source;
    const bool hex = at + 1 < tokens->size && source[at] == '0' && (source[at + 1] | 32) == 'x';
    size_t end = at + 1;
    while (end < tokens->size) {
        const char c = source[end];
        const char before = (char)(source[end - 1] | 32);
        const bool sign = (c == '+' || c == '-') && before == (hex ? 'p' : 'e');
        if (!sign && c != '.' && !tokens_is_digit((unsigned char)c) &&
            !tokens_is_letter((unsigned char)c)) {
            break;
        }
        end += 1;
    }
    return end - at;
}

static bool tokens_same(const gpool__tokens *tokens, const gpool__name *name, const char *text,
                        size_t size)
{
    return name->size == size && memcmp(tokens->source + name->at, text, size) == 0;
}

/* Where the search for a name begins: all bits of the hash decide, as those of one table can be met. */
static uint32_t tokens_home(const gpool__tokens *tokens, uint64_t hash, uint32_t bucket_count)
{
    return (uint32_t)(((hash ^ tokens->secret) * UINT64_C(0x9e3779b97f4a7c15)) >> 32) &
           (bucket_count - 1);
}

/* Bucket of a name, or the free one where it belongs. There always is a free one. */
static uint32_t tokens_bucket(const gpool__tokens *tokens, uint64_t hash, const char *text,
                              size_t size)
{
    const uint32_t mask = tokens->bucket_count - 1;
    uint32_t bucket = tokens_home(tokens, hash, tokens->bucket_count);
    while (tokens->buckets[bucket] != 0) {
        const gpool__name *name = &tokens->names[tokens->buckets[bucket] - 1];
        if (name->hash == hash && tokens_same(tokens, name, text, size)) {
            break;
        }
        bucket = (bucket + 1) & mask;
    }
    return bucket;
}

static bool tokens_grow_buckets(gpool__tokens *tokens, gpool__memory *memory)
{
    const uint32_t count = tokens->bucket_count == 0 ? 256 : tokens->bucket_count * 4;
    uint32_t *buckets = gpool__alloc(memory, count * sizeof *buckets);
    if (buckets == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < tokens->name_count; ++i) {
        uint32_t bucket = tokens_home(tokens, tokens->names[i].hash, count);
        while (buckets[bucket] != 0) {
            bucket = (bucket + 1) & (count - 1);
        }
        buckets[bucket] = i + 1;
    }
    gpool__free(memory, tokens->buckets, tokens->bucket_count * sizeof *buckets);
    tokens->buckets = buckets;
    tokens->bucket_count = count;
    return true;
}

/* Number of a name, new or not; GPOOL__NO_TOKEN without memory. */
static uint32_t tokens_intern(tokens_cut *cut, size_t at, size_t size)
{
    gpool__tokens *tokens = cut->out;
    if (tokens->name_count * 2 >= tokens->bucket_count &&
        !tokens_grow_buckets(tokens, cut->memory)) {
        return GPOOL__NO_TOKEN;
    }
    const char *text = tokens->source + at;
    const uint64_t hash = gpool__hash(text, size);
    const uint32_t bucket = tokens_bucket(tokens, hash, text, size);
    if (tokens->buckets[bucket] == 0) {
        if (!gpool__reserve(cut->memory, (void **)&tokens->names, &tokens->name_capacity,
                            tokens->name_count + 1, sizeof *tokens->names)) {
            return GPOOL__NO_TOKEN;
        }
        tokens->names[tokens->name_count] =
            (gpool__name){ .at = (uint32_t)at, .size = (uint32_t)size, .hash = hash };
        tokens->name_count += 1;
        tokens->buckets[bucket] = tokens->name_count;
    }
    return tokens->buckets[bucket] - 1;
}

static void tokens_pair(gpool__tokens *tokens, uint32_t first, uint32_t last)
{
    tokens->tokens[first].value = last;
    tokens->tokens[last].value = first;
}

/* No template list goes on past the end of the brackets it began in. */
static void tokens_drop_lists(tokens_cut *cut)
{
    while (cut->list_count > 0 && cut->lists[cut->list_count - 1].depth >= cut->depth) {
        cut->list_count -= 1;
    }
}

static bool tokens_open(tokens_cut *cut, uint32_t token, char mark)
{
    if (mark == '{') {
        cut->depth = 0;
        cut->list_count = 0;
    } else {
        cut->depth += 1;
    }
    cut->out->tokens[token].kind = GPOOL__TOKEN_OPEN;
    if (!gpool__reserve(cut->memory, (void **)&cut->open, &cut->open_capacity, cut->open_count + 1,
                        sizeof *cut->open)) {
        return false;
    }
    cut->open[cut->open_count++] = token;
    return true;
}

/* A bracket that closes nothing stays without a partner, and what is open stays open. */
static void tokens_close(tokens_cut *cut, uint32_t token, char mark)
{
    if (mark == '}') {
        cut->depth = 0;
        cut->list_count = 0;
    } else {
        tokens_drop_lists(cut);
        cut->depth -= cut->depth > 0 ? 1 : 0;
    }
    cut->out->tokens[token].kind = GPOOL__TOKEN_CLOSE;
    const char wanted = (char)(mark == ')' ? '(' : mark == ']' ? '[' : '{');
    if (cut->open_count > 0 && cut->out->tokens[cut->open[cut->open_count - 1]].mark == wanted) {
        tokens_pair(cut->out, cut->open[--cut->open_count], token);
    }
}

/* Punctuation, with the discovery of template lists of section 3.9 of the WGSL specification. */
static bool tokens_mark(tokens_cut *cut, uint32_t token, char mark)
{
    gpool__tokens *tokens = cut->out;
    gpool__token *all = tokens->tokens;
    const char next =
        (char)(all[token].at + 1 < tokens->size ? tokens->source[all[token].at + 1] : '\0');
    const bool glued = token > 0 && all[token - 1].at + 1 == all[token].at &&
                       all[token - 1].kind == GPOOL__TOKEN_MARK;
    const char before = (char)(glued ? all[token - 1].mark : '\0');
    switch (mark) {
    case '(':
    case '[':
    case '{':
        return tokens_open(cut, token, mark);
    case ')':
    case ']':
    case '}':
        tokens_close(cut, token, mark);
        return true;
    case '<':
        if (token > 0 && all[token - 1].kind == GPOOL__TOKEN_NAME && next != '<' && next != '=') {
            if (!gpool__reserve(cut->memory, (void **)&cut->lists, &cut->list_capacity,
                                cut->list_count + 1, sizeof *cut->lists)) {
                return false;
            }
            cut->lists[cut->list_count++] =
                (tokens_candidate){ .token = token, .depth = cut->depth };
        }
        return true;
    case '>':
        if (cut->list_count > 0 && cut->lists[cut->list_count - 1].depth == cut->depth) {
            const uint32_t first = cut->lists[--cut->list_count].token;
            all[first].kind = GPOOL__TOKEN_LIST;
            all[token].kind = GPOOL__TOKEN_LIST_END;
            tokens_pair(tokens, first, token);
        }
        return true;
    case '=':
        /* An assignment ends all lists; `==`, `!=`, `<=` and `>=` do not. */
        if (next != '=' && before != '=' && before != '!' && before != '<' && before != '>') {
            cut->depth = 0;
            cut->list_count = 0;
        }
        return true;
    case ';':
    case ':':
        cut->depth = 0;
        cut->list_count = 0;
        return true;
    case '&':
    case '|':
        if (before == mark) {
            tokens_drop_lists(cut);
        }
        return true;
    default:
        return true;
    }
}

/* Appends a token; NULL without memory. Room for two ENDs is kept. */
static gpool__token *tokens_add(tokens_cut *cut, size_t at)
{
    gpool__tokens *tokens = cut->out;
    if (!gpool__reserve(cut->memory, (void **)&tokens->tokens, &tokens->capacity, tokens->count + 3,
                        sizeof *tokens->tokens)) {
        return NULL;
    }
    gpool__token *token = &tokens->tokens[tokens->count];
    *token = (gpool__token){ .at = (uint32_t)at, .value = GPOOL__NO_TOKEN };
    return token;
}

/* Blanks are mostly spaces and line feeds: they need no call. */
static size_t tokens_skip(const gpool__tokens *tokens, size_t at)
{
    while (at < tokens->size && (tokens->source[at] == ' ' || tokens->source[at] == '\n')) {
        at += 1;
    }
    if (at < tokens->size && (tokens->source[at] == '/' || (unsigned char)tokens->source[at] < 32 ||
                              (unsigned char)tokens->source[at] > 127)) {
        at = gpool__wgsl_skip_blank(tokens->source, tokens->size, at);
    }
    return at;
}

static bool tokens_cut_all(tokens_cut *cut)
{
    gpool__tokens *tokens = cut->out;
    size_t at = tokens_skip(tokens, 0);
    while (at < tokens->size) {
        gpool__token *token = tokens_add(cut, at);
        if (token == NULL) {
            return false;
        }
        const unsigned char c = (unsigned char)tokens->source[at];
        size_t size = 1;
        if (tokens_is_letter(c) || c > 127) {
            size = tokens_name_size(tokens, at);
            token->kind = GPOOL__TOKEN_NAME;
            token->value = tokens_intern(cut, at, size);
            if (token->value == GPOOL__NO_TOKEN) {
                return false;
            }
        } else if (tokens_is_digit(c)) {
            size = tokens_number_size(tokens, at);
            token->kind = GPOOL__TOKEN_NUMBER;
            token->mark = (char)c;
        } else {
            token->kind = GPOOL__TOKEN_MARK;
            token->mark = (char)c;
            if (!tokens_mark(cut, tokens->count, (char)c)) {
                return false;
            }
        }
        tokens->count += 1;
        at = tokens_skip(tokens, at + size);
    }
    return true;
}

bool gpool__tokens_init(gpool__tokens *tokens, gpool__memory *memory, const char *source,
                        size_t size)
{
    *tokens = (gpool__tokens){ .source = source,
                               .size = (uint32_t)size,
                               .secret = gpool__now_ns() ^ (uint64_t)(uintptr_t)&tokens };
    tokens_cut cut = { .out = tokens, .memory = memory };
    bool good = size < (size_t)INT32_MAX && tokens_cut_all(&cut) &&
                tokens_add(&cut, size) != NULL; /* there may have been none */
    gpool__free(memory, cut.open, cut.open_capacity * sizeof *cut.open);
    gpool__free(memory, cut.lists, cut.list_capacity * sizeof *cut.lists);
    if (!good) {
        gpool__tokens_fini(tokens, memory);
        return false;
    }
    tokens->tokens[tokens->count + 1] = tokens->tokens[tokens->count];
    return true;
}

void gpool__tokens_fini(gpool__tokens *tokens, gpool__memory *memory)
{
    gpool__free(memory, tokens->tokens, tokens->capacity * sizeof *tokens->tokens);
    gpool__free(memory, tokens->names, tokens->name_capacity * sizeof *tokens->names);
    gpool__free(memory, tokens->buckets, tokens->bucket_count * sizeof *tokens->buckets);
    *tokens = (gpool__tokens){ 0 };
}

uint32_t gpool__tokens_find(const gpool__tokens *tokens, const char *name, size_t size)
{
    if (tokens->bucket_count == 0) {
        return GPOOL__NO_TOKEN;
    }
    const uint32_t bucket = tokens_bucket(tokens, gpool__hash(name, size), name, size);
    return tokens->buckets[bucket] - 1; /* none: 0 - 1 */
}

bool gpool__name_is(const gpool__tokens *tokens, uint32_t name, const char *word)
{
    return name < tokens->name_count &&
           tokens_same(tokens, &tokens->names[name], word, strlen(word));
}

bool gpool__name_begins(const gpool__tokens *tokens, uint32_t name, const char *word)
{
    const size_t size = strlen(word);
    return name < tokens->name_count && tokens->names[name].size >= size &&
           memcmp(tokens->source + tokens->names[name].at, word, size) == 0;
}
