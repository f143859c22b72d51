/*
 * What functions use. Each body is walked once with the locals that hide names of the module and the
 * calls that the walk is inside of. Textures and samplers handed on as arguments become links from the
 * argument to the parameter; what is sampled is then told back along the links, in one search.
 */
#include "shader/bindings_state.h"

/* What a name that is used can be to a sampling function. */
typedef enum use_role {
    USE_ROLE_NONE,
    USE_ROLE_FLOAT, /* texture that a filtering sampler may read */
    USE_ROLE_OTHER, /* texture that it may not: depth, integers */
    USE_ROLE_SAMPLER
} use_role;

/* What brackets are. */
typedef enum use_bracket {
    USE_BRACKET_OTHER,
    USE_BRACKET_GROUP,  /* (expression) */
    USE_BRACKET_CALL,   /* of a function of the module */
    USE_BRACKET_SAMPLE, /* of textureSample and its like */
    USE_BRACKET_READ    /* of another texture function */
} use_bracket;

typedef struct use_context {
    uint32_t open;
    uint32_t close;
    uint32_t scope_end; /* } of the innermost block */
    uint32_t fn;        /* of a call */
    uint32_t argument;  /* number of the current one */
    uint8_t bracket;
    uint8_t texture; /* role of the texture that is sampled */
} use_context;

/* A name hidden by a local, up to the token `end`. */
typedef struct use_local {
    uint32_t name;
    uint32_t before; /* what hid the name outside: its number + 1; 0 = nothing */
    uint32_t end;
    uint32_t param; /* of the function; NO_TOKEN = no parameter */
} use_local;

/* Something handed to a parameter: a use, or a parameter of the caller. */
typedef struct use_link {
    uint32_t source;
    uint32_t next; /* link to the same parameter + 1; 0 = last */
    bool is_param;
} use_link;

/* A parameter and whether it is sampled (textures) or reads what it must not filter (samplers). */
typedef struct use_param {
    uint32_t links; /* first link to it + 1 */
    uint8_t role;
    bool flagged;
} use_param;

typedef struct use_walk {
    gpool__scan *scan;
    gpool__memory *memory;
    use_context *contexts;
    uint32_t context_count;
    uint32_t context_capacity;
    use_local *locals;
    uint32_t local_count;
    uint32_t local_capacity;
    use_link *links;
    uint32_t link_count;
    uint32_t link_capacity;
    use_param *params;  /* by parameter */
    uint32_t *hidden;   /* by name: local that hides it + 1 */
    uint32_t *var_uses; /* by variable: its use in the current function + 1, or an older one */
    uint32_t *fn_calls; /* by function: the same for calls */
    uint32_t fn;        /* current function */
    uint32_t pending;   /* local that is declared at the next semicolon, or NO_TOKEN */
    uint32_t for_close; /* ) of the newest `for` */
    uint32_t for_end;   /* } of its body */
    uint32_t word_let;
    uint32_t word_var;
    uint32_t word_const;
    uint32_t word_for;
} use_walk;

static use_role use_role_of(const gpool_layout_entry *entry)
{
    if (entry->type == GPOOL_BINDING_SAMPLER) {
        return USE_ROLE_SAMPLER;
    }
    if (entry->type != GPOOL_BINDING_TEXTURE) {
        return USE_ROLE_NONE;
    }
    return entry->sample_type == WGPUTextureSampleType_UnfilterableFloat ? USE_ROLE_FLOAT
                                                                         : USE_ROLE_OTHER;
}

static bool use_hide(use_walk *w, uint32_t name, uint32_t end, uint32_t param)
{
    if (name == GPOOL__NO_TOKEN) {
        return true;
    }
    if (!gpool__reserve(w->memory, (void **)&w->locals, &w->local_capacity, w->local_count + 1,
                        sizeof *w->locals)) {
        return false;
    }
    w->locals[w->local_count++] =
        (use_local){ .name = name, .before = w->hidden[name], .end = end, .param = param };
    w->hidden[name] = w->local_count;
    return true;
}

/* Takes back the locals whose block is over at this token. */
static void use_unhide(use_walk *w, uint32_t token)
{
    while (w->local_count > 0 && w->locals[w->local_count - 1].end <= token) {
        const use_local *local = &w->locals[--w->local_count];
        w->hidden[local->name] = local->before;
    }
}

/* The use of a variable in the current function, new or not; NO_TOKEN without memory. */
static uint32_t use_of_var(use_walk *w, uint32_t var)
{
    gpool__bindings *out = w->scan->out;
    const uint32_t first = out->fns[w->fn].first_use;
    if (w->var_uses[var] <= first) {
        if (!gpool__reserve(w->memory, (void **)&out->uses, &out->use_capacity, out->use_count + 1,
                            sizeof *out->uses)) {
            return GPOOL__NO_TOKEN;
        }
        out->uses[out->use_count++] = (gpool__binding_use){ .var = var };
        w->var_uses[var] = out->use_count;
    }
    return w->var_uses[var] - 1;
}

static bool use_call(use_walk *w, uint32_t fn)
{
    gpool__bindings *out = w->scan->out;
    if (w->fn_calls[fn] > out->fns[w->fn].first_call) {
        return true;
    }
    if (!gpool__reserve(w->memory, (void **)&out->calls, &out->call_capacity, out->call_count + 1,
                        sizeof *out->calls)) {
        return false;
    }
    out->calls[out->call_count++] = fn;
    w->fn_calls[fn] = out->call_count;
    return true;
}

static void use_flag(use_walk *w, bool is_param, uint32_t source, use_role role)
{
    if (is_param) {
        w->params[source].flagged = true;
    } else if (role == USE_ROLE_SAMPLER) {
        w->scan->out->uses[source].unfiltered = true;
    } else {
        w->scan->out->uses[source].sampled = true;
    }
}

/* Hands a use or parameter to the current parameter of a call. */
static bool use_link_to(use_walk *w, const use_context *call, bool is_param, uint32_t source,
                        use_role role)
{
    const gpool__fn_text *callee = &w->scan->fn_texts[call->fn];
    if (call->argument >= callee->param_count) {
        use_flag(w, is_param, source, role); /* no such parameter: no compiler takes that */
        return true;
    }
    use_param *param = &w->params[callee->first_param + call->argument];
    if ((param->role == USE_ROLE_SAMPLER) != (role == USE_ROLE_SAMPLER)) {
        return true; /* nor a sampler for a texture */
    }
    if (!gpool__reserve(w->memory, (void **)&w->links, &w->link_capacity, w->link_count + 1,
                        sizeof *w->links)) {
        return false;
    }
    w->links[w->link_count++] =
        (use_link){ .source = source, .next = param->links, .is_param = is_param };
    param->links = w->link_count;
    return true;
}

/* What is done with a texture or sampler that stands at a token. */
static bool use_item(use_walk *w, uint32_t token, bool is_param, uint32_t source, use_role role)
{
    const gpool__scan *s = w->scan;
    uint32_t before = token - 1;
    uint32_t behind = token + 1;
    uint32_t depth = w->context_count - 1;
    use_context *context = &w->contexts[depth];
    /* Parentheses around nothing else change nothing. */
    while (depth > 0 && context->bracket == USE_BRACKET_GROUP && before == context->open &&
           behind == context->close) {
        before -= 1;
        behind += 1;
        depth -= 1;
        context = &w->contexts[depth];
    }
    const bool whole = (before == context->open || gpool__token_is(s, before, ',')) &&
                       (behind == context->close || gpool__token_is(s, behind, ','));
    const bool phony = gpool__token_is(s, before, '=') && gpool__token_is(s, behind, ';') &&
                       gpool__token_word(s, before - 1, "_");
    if (phony || (whole && context->bracket == USE_BRACKET_READ)) {
        return true;
    }
    if (whole && context->bracket == USE_BRACKET_CALL) {
        return use_link_to(w, context, is_param, source, role);
    }
    if (role == USE_ROLE_SAMPLER) {
        if (whole && context->bracket == USE_BRACKET_SAMPLE && context->texture == USE_ROLE_OTHER) {
            use_flag(w, is_param, source, role);
        }
        return true;
    }
    context->texture = (uint8_t)role;
    if (role == USE_ROLE_FLOAT) {
        use_flag(w, is_param, source, role);
    }
    return true;
}

static bool use_name(use_walk *w, uint32_t token, uint32_t name)
{
    gpool__scan *s = w->scan;
    if (w->hidden[name] != 0) {
        const uint32_t param = w->locals[w->hidden[name] - 1].param;
        const use_role role =
            param != GPOOL__NO_TOKEN ? (use_role)w->params[param].role : USE_ROLE_NONE;
        return role == USE_ROLE_NONE || use_item(w, token, true, param, role);
    }
    const gpool__decl *decl = &s->decls[name];
    if (decl->kind == GPOOL__DECL_FN) {
        return use_call(w, decl->index);
    }
    if (decl->kind != GPOOL__DECL_VAR) {
        return true;
    }
    const uint32_t use = use_of_var(w, decl->index);
    if (use == GPOOL__NO_TOKEN) {
        return false;
    }
    const use_role role = use_role_of(&s->out->vars[decl->index].entry);
    return role == USE_ROLE_NONE || use_item(w, token, false, use, role);
}

/* What the parenthesis at a token is, by what stands before it. */
static use_bracket use_bracket_at(const use_walk *w, uint32_t token, uint32_t *fn)
{
    const gpool__scan *s = w->scan;
    const gpool__token *before = gpool__token_at(s, token - 1);
    if (before->kind == GPOOL__TOKEN_LIST_END || before->kind == GPOOL__TOKEN_CLOSE) {
        return USE_BRACKET_OTHER;
    }
    if (before->kind != GPOOL__TOKEN_NAME) {
        return USE_BRACKET_GROUP;
    }
    const gpool__decl *decl = &s->decls[before->value];
    if (w->hidden[before->value] != 0) {
        return USE_BRACKET_OTHER;
    }
    if (decl->kind == GPOOL__DECL_FN) {
        *fn = decl->index;
        return USE_BRACKET_CALL;
    }
    if (decl->kind != GPOOL__DECL_NONE ||
        !gpool__name_begins(&s->tokens, before->value, "texture")) {
        return USE_BRACKET_OTHER;
    }
    return gpool__name_begins(&s->tokens, before->value, "textureSample") ||
                   gpool__name_begins(&s->tokens, before->value, "textureGather")
               ? USE_BRACKET_SAMPLE
               : USE_BRACKET_READ;
}

static bool use_open(use_walk *w, uint32_t token, uint32_t scope_end)
{
    const gpool__token *t = gpool__token_at(w->scan, token);
    use_context context = { .open = token, .close = t->value, .scope_end = scope_end };
    if (t->mark == '(') {
        context.bracket = (uint8_t)use_bracket_at(w, token, &context.fn);
    } else if (t->mark == '{') {
        context.scope_end = t->value;
    }
    if (!gpool__reserve(w->memory, (void **)&w->contexts, &w->context_capacity,
                        w->context_count + 1, sizeof *w->contexts)) {
        return false;
    }
    w->contexts[w->context_count++] = context;
    return true;
}

/* A declaration of a local: its name is no use. Returns the token to go on behind. */
static uint32_t use_declare(use_walk *w, uint32_t token)
{
    const uint32_t name = gpool__scan_behind(w->scan, token + 1);
    w->pending = gpool__token_name(w->scan, name);
    return w->pending != GPOOL__NO_TOKEN ? name : token;
}

static void use_for(use_walk *w, uint32_t token)
{
    const gpool__scan *s = w->scan;
    const uint32_t close = gpool__scan_behind(s, token + 1);
    uint32_t behind = close;
    while (gpool__token_is(s, behind, '@')) {
        behind = gpool__scan_behind_attribute(s, behind + 1);
    }
    if (close > token + 1 && gpool__token_is(s, behind, '{')) {
        const uint32_t end = gpool__scan_behind(s, behind);
        w->for_close = close - 1;
        w->for_end = end > behind ? end - 1 : behind;
    }
}

/* One token of a body; `*token` moves to the last one that was looked at. */
static bool use_token(use_walk *w, uint32_t *token)
{
    const gpool__scan *s = w->scan;
    const gpool__token *t = gpool__token_at(s, *token);
    use_context *context = &w->contexts[w->context_count - 1];
    switch (t->kind) {
    case GPOOL__TOKEN_OPEN:
    case GPOOL__TOKEN_LIST:
        return t->value == GPOOL__NO_TOKEN || use_open(w, *token, context->scope_end);
    case GPOOL__TOKEN_CLOSE:
    case GPOOL__TOKEN_LIST_END:
        w->context_count -= t->value != GPOOL__NO_TOKEN && w->context_count > 1 ? 1 : 0;
        return true;
    case GPOOL__TOKEN_NAME:
        if (gpool__token_is(s, *token - 1, '.')) {
            return true;
        }
        if (t->value == w->word_let || t->value == w->word_var || t->value == w->word_const) {
            *token = use_declare(w, *token);
            return true;
        }
        if (t->value == w->word_for) {
            use_for(w, *token);
            return true;
        }
        return use_name(w, *token, t->value);
    case GPOOL__TOKEN_MARK:
        if (t->mark == ',') {
            context->argument += 1;
        } else if (t->mark == '@') {
            *token = gpool__scan_behind_attribute(s, *token + 1) - 1;
        } else if (t->mark == ';') {
            const uint32_t end = *token < w->for_close ? w->for_end : context->scope_end;
            const uint32_t name = w->pending;
            w->pending = GPOOL__NO_TOKEN;
            return use_hide(w, name, end, GPOOL__NO_TOKEN);
        }
        return true;
    default:
        return true;
    }
}

static bool use_function(use_walk *w, uint32_t fn)
{
    gpool__scan *s = w->scan;
    const gpool__fn_text *text = &s->fn_texts[fn];
    gpool__binding_fn *out = &s->out->fns[fn];
    const uint32_t close = gpool__token_at(s, text->body)->value;
    out->first_use = s->out->use_count;
    out->first_call = s->out->call_count;
    w->fn = fn;
    w->pending = GPOOL__NO_TOKEN;
    w->for_close = 0;
    w->context_count = 0;
    for (uint32_t i = 0; i < text->param_count; ++i) {
        const uint32_t param = text->first_param + i;
        if (!use_hide(w, s->params[param].name, close, param)) {
            return false;
        }
    }
    if (!use_open(w, text->body, close)) {
        return false;
    }
    for (uint32_t token = text->body + 1; token < close; ++token) {
        use_unhide(w, token);
        if (!use_token(w, &token)) {
            return false;
        }
    }
    use_unhide(w, GPOOL__NO_TOKEN);
    out->use_count = s->out->use_count - out->first_use;
    out->call_count = s->out->call_count - out->first_call;
    return true;
}

/* Tells flags of parameters back to what was handed to them. `stack` has room for all parameters. */
static void use_spread(use_walk *w, uint32_t *stack)
{
    const gpool__scan *s = w->scan;
    uint32_t count = 0;
    for (uint32_t i = 0; i < s->param_count; ++i) {
        if (w->params[i].flagged) {
            stack[count++] = i;
        }
    }
    while (count > 0) {
        const use_param *param = &w->params[stack[--count]];
        for (uint32_t i = param->links; i != 0; i = w->links[i - 1].next) {
            const use_link *link = &w->links[i - 1];
            const bool first = link->is_param && !w->params[link->source].flagged;
            use_flag(w, link->is_param, link->source, (use_role)param->role);
            if (first) {
                stack[count++] = link->source;
            }
        }
    }
}

static bool use_all(use_walk *w)
{
    gpool__scan *s = w->scan;
    for (uint32_t i = 0; i < s->param_count; ++i) {
        gpool_layout_entry entry = { 0 };
        const char *unclear = gpool__scan_type(s, s->params[i].type, &entry);
        w->params[i].role = (uint8_t)(unclear == NULL ? use_role_of(&entry) : USE_ROLE_NONE);
    }
    for (uint32_t i = 0; i < s->out->fn_count; ++i) {
        if (!use_function(w, i)) {
            return false;
        }
    }
    return true;
}

static uint32_t use_word(const gpool__scan *s, const char *word, size_t size)
{
    return gpool__tokens_find(&s->tokens, word, size);
}

bool gpool__scan_uses(gpool__scan *s)
{
    const uint32_t names = s->tokens.name_count;
    const uint32_t params = s->param_count;
    const uint32_t vars = s->out->var_count;
    const uint32_t fns = s->out->fn_count;
    if (fns == 0) {
        return true;
    }
    use_walk w = { .scan = s,
                   .memory = s->memory,
                   .word_let = use_word(s, "let", 3),
                   .word_var = use_word(s, "var", 3),
                   .word_const = use_word(s, "const", 5),
                   .word_for = use_word(s, "for", 3) };
    uint32_t *stack = gpool__alloc(s->memory, params * sizeof *stack);
    w.params = gpool__alloc(s->memory, params * sizeof *w.params);
    w.hidden = gpool__alloc(s->memory, names * sizeof *w.hidden);
    w.var_uses = gpool__alloc(s->memory, vars * sizeof *w.var_uses);
    w.fn_calls = gpool__alloc(s->memory, fns * sizeof *w.fn_calls);
    bool good = (params == 0 || (stack != NULL && w.params != NULL)) && w.hidden != NULL &&
                (vars == 0 || w.var_uses != NULL) && w.fn_calls != NULL;
    good = good && use_all(&w);
    if (good && params > 0) {
        use_spread(&w, stack);
    }
    gpool__free(s->memory, stack, params * sizeof *stack);
    gpool__free(s->memory, w.params, params * sizeof *w.params);
    gpool__free(s->memory, w.hidden, names * sizeof *w.hidden);
    gpool__free(s->memory, w.var_uses, vars * sizeof *w.var_uses);
    gpool__free(s->memory, w.fn_calls, fns * sizeof *w.fn_calls);
    gpool__free(s->memory, w.contexts, w.context_capacity * sizeof *w.contexts);
    gpool__free(s->memory, w.locals, w.local_capacity * sizeof *w.locals);
    gpool__free(s->memory, w.links, w.link_capacity * sizeof *w.links);
    return good;
}
