/*
 * What the scan knows while it is made: the declarations of the module by name, constants and aliases
 * with what they turned out to be. All of it goes when the scan is done.
 */
#ifndef GPOOL_SHADER_BINDINGS_STATE_H
#define GPOOL_SHADER_BINDINGS_STATE_H

#include "shader/bindings.h"
#include "shader/wgsl_tokens.h"

typedef enum gpool__decl_kind {
    GPOOL__DECL_NONE, /* the module declares no such name: it is a local's, or of WGSL itself */
    GPOOL__DECL_VAR,  /* with a binding; index of gpool__bindings.vars */
    GPOOL__DECL_FN,   /* index of gpool__bindings.fns */
    GPOOL__DECL_CONST,
    GPOOL__DECL_ALIAS,
    GPOOL__DECL_OTHER
} gpool__decl_kind;

typedef struct gpool__decl {
    uint8_t kind;
    uint8_t state;  /* constants and aliases: gpool__known */
    uint32_t index; /* variables and functions; constants and aliases: first token behind the = */
    uint32_t value; /* constants: the value; aliases: token of the type it stands for */
} gpool__decl;

typedef enum gpool__known {
    GPOOL__KNOWN_NOT_YET,
    GPOOL__KNOWN_ASKED, /* met again now: a cycle */
    GPOOL__KNOWN,
    GPOOL__KNOWN_NEVER
} gpool__known;

/* Tokens of a variable: attributes from a first token up to another. */
typedef struct gpool__var_text {
    uint32_t name;
    uint32_t group[2];
    uint32_t binding[2];
} gpool__var_text;

/* A parameter of a function; only those that are textures and samplers matter. */
typedef struct gpool__param {
    uint32_t name; /* NO_TOKEN = none */
    uint32_t type; /* its token */
} gpool__param;

/* Tokens of a function. */
typedef struct gpool__fn_text {
    uint32_t body; /* its { */
    uint32_t first_param;
    uint32_t param_count;
} gpool__fn_text;

typedef struct gpool__scan {
    gpool__bindings *out;
    gpool__memory *memory;
    gpool__tokens tokens;
    gpool__decl *decls;  /* by name */
    uint32_t *constants; /* names, in the order of the source */
    uint32_t constant_count;
    uint32_t constant_capacity;
    gpool__var_text *var_texts; /* by variable */
    uint32_t var_text_capacity;
    gpool__param *params;
    uint32_t param_count;
    uint32_t param_capacity;
    gpool__fn_text *fn_texts; /* by function */
    uint32_t fn_text_capacity;
} gpool__scan;

static inline const gpool__token *gpool__token_at(const gpool__scan *s, uint32_t token)
{
    return &s->tokens.tokens[token < s->tokens.count ? token : s->tokens.count];
}

static inline bool gpool__token_is(const gpool__scan *s, uint32_t token, char mark)
{
    return gpool__token_at(s, token)->mark == mark;
}

/** Number of the name at a token, GPOOL__NO_TOKEN for other tokens. */
static inline uint32_t gpool__token_name(const gpool__scan *s, uint32_t token)
{
    const gpool__token *t = gpool__token_at(s, token);
    return t->kind == GPOOL__TOKEN_NAME ? t->value : GPOOL__NO_TOKEN;
}

/** True when the token is this word. */
static inline bool gpool__token_word(const gpool__scan *s, uint32_t token, const char *word)
{
    return gpool__name_is(&s->tokens, gpool__token_name(s, token), word);
}

/** Evaluates the constants of the module in their order, so that long chains need no depth. */
void gpool__scan_constants(gpool__scan *s);

/** Value of the integer constant from one token up to another; false when it cannot be told. */
bool gpool__scan_constant(gpool__scan *s, uint32_t first, uint32_t last, uint32_t *value);

/** Token of the type that the type at `token` stands for, through aliases; NO_TOKEN for a cycle. */
uint32_t gpool__scan_alias(gpool__scan *s, uint32_t token);

/**
 * Fills the entry of a texture or sampler with the type at `token`; returns why it cannot be told, or
 * NULL. What ends the type is not looked at.
 */
const char *gpool__scan_type(gpool__scan *s, uint32_t token, gpool_layout_entry *entry);

/** Token behind a bracketed group or template list that begins at `token`; `token` when none does. */
uint32_t gpool__scan_behind(const gpool__scan *s, uint32_t token);

/** Token behind the attribute whose name is at `token`. */
uint32_t gpool__scan_behind_attribute(const gpool__scan *s, uint32_t token);

/** Finds what each function uses and calls. False without memory. */
bool gpool__scan_uses(gpool__scan *s);

#endif
