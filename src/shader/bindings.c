#include "shader/bindings_state.h"

#include <string.h>

/* What stands before a declaration. */
typedef struct bindings_attributes {
    uint32_t group[2]; /* first token of the argument, and the one behind its last */
    uint32_t binding[2];
    uint32_t workgroup; /* its ( */
    WGPUShaderStage stage;
    bool has_group;
    bool has_binding;
} bindings_attributes;

static bool bindings_is_open(const gpool__scan *s, uint32_t token, char mark)
{
    const gpool__token *t = gpool__token_at(s, token);
    return t->kind == GPOOL__TOKEN_OPEN && t->mark == mark && t->value != GPOOL__NO_TOKEN;
}

uint32_t gpool__scan_behind(const gpool__scan *s, uint32_t token)
{
    const gpool__token *t = gpool__token_at(s, token);
    const bool opens = (t->kind == GPOOL__TOKEN_OPEN || t->kind == GPOOL__TOKEN_LIST) &&
                       t->value != GPOOL__NO_TOKEN;
    return opens ? t->value + 1 : token;
}

/* First token at or after `token` with that mark or a semicolon; or what ends the brackets it is in. */
static uint32_t bindings_seek(const gpool__scan *s, uint32_t token, char mark)
{
    while (token < s->tokens.count && !gpool__token_is(s, token, mark) &&
           !gpool__token_is(s, token, ';')) {
        const gpool__token *t = gpool__token_at(s, token);
        if (t->kind == GPOOL__TOKEN_CLOSE && t->value != GPOOL__NO_TOKEN) {
            break;
        }
        const uint32_t behind = gpool__scan_behind(s, token);
        token = behind > token ? behind : token + 1;
    }
    return token;
}

uint32_t gpool__scan_behind_attribute(const gpool__scan *s, uint32_t token)
{
    return bindings_is_open(s, token + 1, '(') ? gpool__scan_behind(s, token + 1) : token + 1;
}

/* The attribute whose name is at `token`; returns the token behind it. */
static uint32_t bindings_attribute(const gpool__scan *s, uint32_t token, bindings_attributes *found)
{
    const uint32_t open = token + 1;
    const uint32_t behind = gpool__scan_behind_attribute(s, token);
    const bool has_arguments = behind > open;
    /* A comma may follow the argument. */
    const uint32_t last =
        has_arguments && gpool__token_is(s, behind - 2, ',') ? behind - 2 : behind - 1;
    if (gpool__token_word(s, token, "group") && has_arguments) {
        found->has_group = true;
        found->group[0] = open + 1;
        found->group[1] = last;
    } else if (gpool__token_word(s, token, "binding") && has_arguments) {
        found->has_binding = true;
        found->binding[0] = open + 1;
        found->binding[1] = last;
    } else if (gpool__token_word(s, token, "workgroup_size") && has_arguments) {
        found->workgroup = open;
    } else if (gpool__token_word(s, token, "vertex")) {
        found->stage = WGPUShaderStage_Vertex;
    } else if (gpool__token_word(s, token, "fragment")) {
        found->stage = WGPUShaderStage_Fragment;
    } else if (gpool__token_word(s, token, "compute")) {
        found->stage = WGPUShaderStage_Compute;
    }
    return behind;
}

/* Enters a name of the module; false when it is there already, which no compiler takes. */
static bool bindings_declare(gpool__scan *s, uint32_t name, gpool__decl_kind kind, uint32_t index)
{
    if (name == GPOOL__NO_TOKEN || s->decls[name].kind != GPOOL__DECL_NONE) {
        return false;
    }
    s->decls[name] = (gpool__decl){ .kind = (uint8_t)kind, .index = index };
    return true;
}

/* A constant whose value begins at `value`. */
static bool bindings_constant(gpool__scan *s, uint32_t name, uint32_t value)
{
    if (!bindings_declare(s, name, GPOOL__DECL_CONST, value)) {
        return true;
    }
    if (!gpool__reserve(s->memory, (void **)&s->constants, &s->constant_capacity,
                        s->constant_count + 1, sizeof *s->constants)) {
        return false;
    }
    s->constants[s->constant_count++] = name;
    return true;
}

/* A variable: `token` is behind `var`. Types wait until all aliases are known. */
static bool bindings_var(gpool__scan *s, uint32_t token, const bindings_attributes *attributes)
{
    gpool__bindings *out = s->out;
    const uint32_t name_token = gpool__scan_behind(s, token);
    const uint32_t name = gpool__token_name(s, name_token);
    const bool bound = attributes->has_group && attributes->has_binding;
    if (!bindings_declare(s, name, bound ? GPOOL__DECL_VAR : GPOOL__DECL_OTHER, out->var_count) ||
        !bound) {
        return true;
    }
    if (!gpool__reserve(s->memory, (void **)&out->vars, &out->var_capacity, out->var_count + 1,
                        sizeof *out->vars) ||
        !gpool__reserve(s->memory, (void **)&s->var_texts, &s->var_text_capacity,
                        out->var_count + 1, sizeof *s->var_texts)) {
        return false;
    }
    s->var_texts[out->var_count] = (gpool__var_text){
        .name = name_token,
        .group = { attributes->group[0], attributes->group[1] },
        .binding = { attributes->binding[0], attributes->binding[1] },
    };
    out->var_count += 1;
    return true;
}

/* The parameters between two parentheses. */
static bool bindings_params(gpool__scan *s, uint32_t open)
{
    const uint32_t close = gpool__token_at(s, open)->value;
    for (uint32_t i = open + 1; i < close;) {
        while (gpool__token_is(s, i, '@')) {
            i = gpool__scan_behind_attribute(s, i + 1);
        }
        if (i >= close) {
            break;
        }
        if (!gpool__reserve(s->memory, (void **)&s->params, &s->param_capacity, s->param_count + 1,
                            sizeof *s->params)) {
            return false;
        }
        s->params[s->param_count++] =
            (gpool__param){ .name = gpool__token_name(s, i), .type = i + 2 };
        i = bindings_seek(s, i, ',') + 1;
    }
    return true;
}

static bool bindings_entry_point(gpool__scan *s, uint32_t name_token, uint32_t fn,
                                 const bindings_attributes *attributes)
{
    gpool__bindings *out = s->out;
    if (!gpool__reserve(s->memory, (void **)&out->entries, &out->entry_capacity,
                        out->entry_count + 1, sizeof *out->entries)) {
        return false;
    }
    gpool__binding_entry *entry = &out->entries[out->entry_count++];
    *entry = (gpool__binding_entry){
        .name_at = gpool__token_at(s, name_token)->at,
        .name_size = s->tokens.names[gpool__token_name(s, name_token)].size,
        .fn = fn,
        .stage = attributes->stage,
        /* Kept for bindings_finish_entry(), which needs all constants. */
        .workgroup = { attributes->workgroup },
    };
    return true;
}

/* A function whose name is at `name_token`; `*next` becomes the token behind its body. */
static bool bindings_function(gpool__scan *s, uint32_t name_token,
                              const bindings_attributes *attributes, uint32_t *next)
{
    gpool__bindings *out = s->out;
    const uint32_t open = name_token + 1;
    *next = open;
    if (!bindings_is_open(s, open, '(')) {
        return true;
    }
    /* Between parameters and body: the type that is returned, with attributes; never a { of its own. */
    const uint32_t behind = gpool__scan_behind(s, open);
    uint32_t body = behind;
    while (body < s->tokens.count && !gpool__token_is(s, body, '{') &&
           !gpool__token_is(s, body, ';') && !gpool__token_is(s, body, '}')) {
        body += 1;
    }
    *next = body;
    if (!bindings_is_open(s, body, '{')) {
        return true;
    }
    *next = gpool__scan_behind(s, body);
    if (!bindings_declare(s, gpool__token_name(s, name_token), GPOOL__DECL_FN, out->fn_count)) {
        return true;
    }
    if (!gpool__reserve(s->memory, (void **)&out->fns, &out->fn_capacity, out->fn_count + 1,
                        sizeof *out->fns) ||
        !gpool__reserve(s->memory, (void **)&s->fn_texts, &s->fn_text_capacity, out->fn_count + 1,
                        sizeof *s->fn_texts)) {
        return false;
    }
    gpool__fn_text *text = &s->fn_texts[out->fn_count];
    *text = (gpool__fn_text){ .body = body, .first_param = s->param_count };
    if (!bindings_params(s, open)) {
        return false;
    }
    text->param_count = s->param_count - text->first_param;
    out->fn_count += 1;
    return attributes->stage == WGPUShaderStage_None ||
           bindings_entry_point(s, name_token, out->fn_count - 1, attributes);
}

/* The declaration at `*token`, which is moved behind it. */
static bool bindings_declaration(gpool__scan *s, uint32_t *token)
{
    bindings_attributes attributes = { 0 };
    uint32_t i = *token;
    while (gpool__token_is(s, i, '@')) {
        i = bindings_attribute(s, i + 1, &attributes);
    }
    const uint32_t name = gpool__token_name(s, i + 1);
    if (gpool__token_word(s, i, "fn")) {
        return bindings_function(s, i + 1, &attributes, token);
    }
    bool good = true;
    if (gpool__token_word(s, i, "var")) {
        good = bindings_var(s, i + 1, &attributes);
    } else if (gpool__token_word(s, i, "const")) {
        good = bindings_constant(s, name, bindings_seek(s, i, '=') + 1);
    } else if (gpool__token_word(s, i, "alias")) {
        (void)bindings_declare(s, name, GPOOL__DECL_ALIAS, i + 3);
    } else if (gpool__token_word(s, i, "override")) {
        (void)bindings_declare(s, name, GPOOL__DECL_OTHER, 0);
    } else if (gpool__token_word(s, i, "struct")) {
        (void)bindings_declare(s, name, GPOOL__DECL_OTHER, 0);
        const bool braces = bindings_is_open(s, i + 2, '{');
        *token = braces ? gpool__scan_behind(s, i + 2) : i + 1;
        return true;
    }
    /* What ends in nothing that belongs here: on from there. */
    *token = bindings_seek(s, i, ';') + 1;
    return good;
}

/* Line of a byte, counted on from another one before it. */
static uint32_t bindings_lines(const char *source, uint32_t from, uint32_t to)
{
    uint32_t count = 0;
    const char *at = source + from;
    const char *const end = source + to;
    while (at < end && (at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        count += 1;
        at += 1;
    }
    return count;
}

/* The address space of the variable whose name is at `name`, which is behind `var` or its list. */
static const char *bindings_space(gpool__scan *s, uint32_t name, gpool__binding_var *var)
{
    const gpool__token *before = gpool__token_at(s, name - 1);
    if (before->kind != GPOOL__TOKEN_LIST_END) {
        return gpool__scan_type(s, name + 2, &var->entry);
    }
    const uint32_t list = before->value;
    const bool has_access = gpool__token_is(s, list + 2, ',') && list + 3 < name - 1;
    if (gpool__token_word(s, list + 1, "uniform")) {
        var->entry.type = GPOOL_BINDING_UNIFORM;
    } else if (gpool__token_word(s, list + 1, "storage")) {
        var->entry.type = GPOOL_BINDING_STORAGE;
        if (has_access && (gpool__token_word(s, list + 3, "read_write") ||
                           gpool__token_word(s, list + 3, "write"))) {
            var->entry.type = GPOOL_BINDING_STORAGE_WRITE;
        } else if (has_access && !gpool__token_word(s, list + 3, "read")) {
            return "its access mode is none of read and read_write";
        }
    } else {
        return "its address space is none of uniform and storage";
    }
    const uint32_t type = gpool__scan_alias(s, name + 2);
    if (type == GPOOL__NO_TOKEN || gpool__token_word(s, type, "binding_array")) {
        return "its type is an array of bindings, or an alias of itself";
    }
    return NULL;
}

/* Fills a variable, now that all constants and aliases are known. */
static void bindings_finish_var(gpool__scan *s, uint32_t index)
{
    const gpool__var_text *text = &s->var_texts[index];
    gpool__binding_var *var = &s->out->vars[index];
    const gpool__token *name = gpool__token_at(s, text->name);
    /* Cleared first, so that equal entries are equal in every byte. */
    memset(var, 0, sizeof *var);
    var->name_at = name->at;
    var->name_size = s->tokens.names[name->value].size;
    const uint32_t line_at = index > 0 ? var[-1].name_at : 0;
    var->line = (index > 0 ? var[-1].line : 1) + bindings_lines(s->out->source, line_at, name->at);
    var->unclear = bindings_space(s, text->name, var);
    if (!gpool__scan_constant(s, text->binding[0], text->binding[1], &var->entry.binding)) {
        var->entry.binding = GPOOL__NO_NUMBER;
        var->unclear = "its @binding is no integer constant";
    }
    if (!gpool__scan_constant(s, text->group[0], text->group[1], &var->group)) {
        var->group = GPOOL__NO_NUMBER;
        var->unclear = "its @group is no integer constant";
    }
}

static void bindings_finish_entry(gpool__scan *s, gpool__binding_entry *entry)
{
    const uint32_t open = entry->workgroup[0];
    const uint32_t close = gpool__token_at(s, open)->value;
    for (int i = 0; i < 3; ++i) {
        entry->workgroup[i] = entry->stage == WGPUShaderStage_Compute ? 1 : 0;
    }
    if (entry->stage != WGPUShaderStage_Compute || open == 0) {
        return;
    }
    uint32_t first = open + 1;
    for (int i = 0; i < 3 && first < close; ++i) {
        const uint32_t last = bindings_seek(s, first, ',');
        if (!gpool__scan_constant(s, first, last, &entry->workgroup[i])) {
            entry->workgroup[i] = 0;
        }
        first = last + 1;
    }
}

static bool bindings_scan(gpool__scan *s)
{
    gpool__bindings *out = s->out;
    if (!gpool__tokens_init(&s->tokens, s->memory, out->source, out->size)) {
        return false;
    }
    if (s->tokens.name_count == 0) {
        return true;
    }
    s->decls = gpool__alloc(s->memory, s->tokens.name_count * sizeof *s->decls);
    if (s->decls == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < s->tokens.count;) {
        if (!bindings_declaration(s, &i)) {
            return false;
        }
    }
    gpool__scan_constants(s);
    for (uint32_t i = 0; i < out->var_count; ++i) {
        bindings_finish_var(s, i);
    }
    for (uint32_t i = 0; i < out->entry_count; ++i) {
        bindings_finish_entry(s, &out->entries[i]);
    }
    return gpool__scan_uses(s);
}

gpool_result gpool__bindings_init(gpool__bindings *scan, gpool__memory *memory, const char *source,
                                  size_t size)
{
    *scan = (gpool__bindings){ 0 };
    if (size >= (size_t)INT32_MAX) {
        return GPOOL_ERROR_LIMIT;
    }
    scan->source = source;
    scan->size = (uint32_t)size;
    gpool__scan s = { .out = scan, .memory = memory };
    const bool good = bindings_scan(&s);
    gpool__free(memory, s.decls, s.tokens.name_count * sizeof *s.decls);
    gpool__free(memory, s.constants, s.constant_capacity * sizeof *s.constants);
    gpool__free(memory, s.var_texts, s.var_text_capacity * sizeof *s.var_texts);
    gpool__free(memory, s.fn_texts, s.fn_text_capacity * sizeof *s.fn_texts);
    gpool__free(memory, s.params, s.param_capacity * sizeof *s.params);
    gpool__tokens_fini(&s.tokens, memory);
    if (!good) {
        gpool__bindings_fini(scan, memory);
        return GPOOL_ERROR_OUT_OF_MEMORY;
    }
    return GPOOL_OK;
}

void gpool__bindings_fini(gpool__bindings *scan, gpool__memory *memory)
{
    gpool__free(memory, scan->vars, scan->var_capacity * sizeof *scan->vars);
    gpool__free(memory, scan->entries, scan->entry_capacity * sizeof *scan->entries);
    gpool__free(memory, scan->fns, scan->fn_capacity * sizeof *scan->fns);
    gpool__free(memory, scan->uses, scan->use_capacity * sizeof *scan->uses);
    gpool__free(memory, scan->calls, scan->call_capacity * sizeof *scan->calls);
    *scan = (gpool__bindings){ 0 };
}

static bool bindings_named(const gpool__bindings *scan, uint32_t at, uint32_t size,
                           const char *name, size_t name_size)
{
    return size == name_size && memcmp(scan->source + at, name, size) == 0;
}

const gpool__binding_var *gpool__bindings_find(const gpool__bindings *scan, const char *name)
{
    const size_t size = strlen(name);
    for (uint32_t i = 0; i < scan->var_count; ++i) {
        const gpool__binding_var *var = &scan->vars[i];
        if (bindings_named(scan, var->name_at, var->name_size, name, size)) {
            return var;
        }
    }
    return NULL;
}

const gpool__binding_entry *gpool__bindings_entry(const gpool__bindings *scan,
                                                  WGPUShaderStage stage, const char *name)
{
    const size_t size = name != NULL ? strlen(name) : 0;
    const gpool__binding_entry *found = NULL;
    for (uint32_t i = 0; i < scan->entry_count; ++i) {
        const gpool__binding_entry *entry = &scan->entries[i];
        if (entry->stage != stage ||
            (name != NULL && !bindings_named(scan, entry->name_at, entry->name_size, name, size))) {
            continue;
        }
        if (found != NULL) {
            return NULL;
        }
        found = entry;
    }
    return found;
}
