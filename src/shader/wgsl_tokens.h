/*
 * WGSL cut into tokens: names interned, brackets and template lists matched. One pass over the source,
 * memory and time linear in it, no recursion. Any bytes are taken: what is no WGSL gives tokens that
 * mean nothing, and brackets without a partner.
 *
 * Operators are single bytes here (`&&` is two tokens): nobody who reads these tokens evaluates more than
 * integer constants. The source must outlive the tokens.
 */
#ifndef GPOOL_SHADER_WGSL_TOKENS_H
#define GPOOL_SHADER_WGSL_TOKENS_H

#include "base/memory.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* No token, no name, no partner. */
#define GPOOL__NO_TOKEN UINT32_MAX

typedef enum gpool__token_kind {
    GPOOL__TOKEN_END, /* behind the last one, any number of times */
    GPOOL__TOKEN_NAME,
    GPOOL__TOKEN_NUMBER,
    GPOOL__TOKEN_MARK,    /* a byte of punctuation */
    GPOOL__TOKEN_OPEN,    /* ( [ { with its partner */
    GPOOL__TOKEN_CLOSE,   /* ) ] } with its partner */
    GPOOL__TOKEN_LIST,    /* < that begins a template list */
    GPOOL__TOKEN_LIST_END /* > that ends one */
} gpool__token_kind;

typedef struct gpool__token {
    uint32_t at;    /* byte in the source */
    uint32_t value; /* names: number of the name; OPEN to LIST_END: the partner's token */
    uint8_t kind;
    char mark; /* first byte; names: 0 */
} gpool__token;

/* A name, as often as it comes. */
typedef struct gpool__name {
    uint32_t at;   /* byte where it comes first */
    uint32_t size; /* bytes */
    uint64_t hash;
} gpool__name;

typedef struct gpool__tokens {
    const char *source;
    uint32_t size;
    gpool__token *tokens; /* `count` and two ENDs */
    uint32_t count;
    uint32_t capacity;
    gpool__name *names;
    uint32_t name_count;
    uint32_t name_capacity;
    uint32_t *buckets;     /* by hash and `secret`: number of the name + 1; 0 = free */
    uint32_t bucket_count; /* a power of two, or 0 */
    uint64_t secret;       /* no source can know which names share a bucket */
} gpool__tokens;

/** Cuts a source of less than 2^31 bytes. False without memory, with nothing held. */
bool gpool__tokens_init(gpool__tokens *tokens, gpool__memory *memory, const char *source,
                        size_t size);
void gpool__tokens_fini(gpool__tokens *tokens, gpool__memory *memory);

/** Number of a name, GPOOL__NO_TOKEN when the source has it not. */
uint32_t gpool__tokens_find(const gpool__tokens *tokens, const char *name, size_t size);

/** True when a name is this word. */
bool gpool__name_is(const gpool__tokens *tokens, uint32_t name, const char *word);

/** True when a name begins like this. */
bool gpool__name_begins(const gpool__tokens *tokens, uint32_t name, const char *word);

/** First byte at or after `at` that is neither blank nor in a comment; in wgsl_scan.c. */
size_t gpool__wgsl_skip_blank(const char *source, size_t size, size_t at);

#endif
