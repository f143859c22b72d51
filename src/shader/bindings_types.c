#include "shader/bindings_state.h"

/* Parentheses and constants within each other, of an attribute's argument. */
#define TYPES_DEPTH 32

/* What texture kinds there are. */
typedef struct types_texture {
    const char *name;
    gpool_binding_type type;
    WGPUTextureViewDimension dimension;
    bool multisampled;
    bool depth;
} types_texture;

static const types_texture types_textures[] = {
    { "texture_1d", GPOOL_BINDING_TEXTURE, WGPUTextureViewDimension_1D, false, false },
    { "texture_2d", GPOOL_BINDING_TEXTURE, WGPUTextureViewDimension_2D, false, false },
    { "texture_2d_array", GPOOL_BINDING_TEXTURE, WGPUTextureViewDimension_2DArray, false, false },
    { "texture_3d", GPOOL_BINDING_TEXTURE, WGPUTextureViewDimension_3D, false, false },
    { "texture_cube", GPOOL_BINDING_TEXTURE, WGPUTextureViewDimension_Cube, false, false },
    { "texture_cube_array", GPOOL_BINDING_TEXTURE, WGPUTextureViewDimension_CubeArray, false,
      false },
    { "texture_multisampled_2d", GPOOL_BINDING_TEXTURE, WGPUTextureViewDimension_2D, true, false },
    { "texture_depth_2d", GPOOL_BINDING_TEXTURE, WGPUTextureViewDimension_2D, false, true },
    { "texture_depth_2d_array", GPOOL_BINDING_TEXTURE, WGPUTextureViewDimension_2DArray, false,
      true },
    { "texture_depth_cube", GPOOL_BINDING_TEXTURE, WGPUTextureViewDimension_Cube, false, true },
    { "texture_depth_cube_array", GPOOL_BINDING_TEXTURE, WGPUTextureViewDimension_CubeArray, false,
      true },
    { "texture_depth_multisampled_2d", GPOOL_BINDING_TEXTURE, WGPUTextureViewDimension_2D, true,
      true },
    { "texture_storage_1d", GPOOL_BINDING_STORAGE_TEXTURE, WGPUTextureViewDimension_1D, false,
      false },
    { "texture_storage_2d", GPOOL_BINDING_STORAGE_TEXTURE, WGPUTextureViewDimension_2D, false,
      false },
    { "texture_storage_2d_array", GPOOL_BINDING_STORAGE_TEXTURE, WGPUTextureViewDimension_2DArray,
      false, false },
    { "texture_storage_3d", GPOOL_BINDING_STORAGE_TEXTURE, WGPUTextureViewDimension_3D, false,
      false },
};

/* The texel formats of the WGSL specification, section "Storage Texture Types". */
static const struct {
    const char *name;
    WGPUTextureFormat format;
} types_formats[] = {
    { "rgba8unorm", WGPUTextureFormat_RGBA8Unorm },
    { "rgba8snorm", WGPUTextureFormat_RGBA8Snorm },
    { "rgba8uint", WGPUTextureFormat_RGBA8Uint },
    { "rgba8sint", WGPUTextureFormat_RGBA8Sint },
    { "rgba16unorm", WGPUTextureFormat_RGBA16Unorm },
    { "rgba16snorm", WGPUTextureFormat_RGBA16Snorm },
    { "rgba16uint", WGPUTextureFormat_RGBA16Uint },
    { "rgba16sint", WGPUTextureFormat_RGBA16Sint },
    { "rgba16float", WGPUTextureFormat_RGBA16Float },
    { "rg8unorm", WGPUTextureFormat_RG8Unorm },
    { "rg8snorm", WGPUTextureFormat_RG8Snorm },
    { "rg8uint", WGPUTextureFormat_RG8Uint },
    { "rg8sint", WGPUTextureFormat_RG8Sint },
    { "rg16unorm", WGPUTextureFormat_RG16Unorm },
    { "rg16snorm", WGPUTextureFormat_RG16Snorm },
    { "rg16uint", WGPUTextureFormat_RG16Uint },
    { "rg16sint", WGPUTextureFormat_RG16Sint },
    { "rg16float", WGPUTextureFormat_RG16Float },
    { "r32uint", WGPUTextureFormat_R32Uint },
    { "r32sint", WGPUTextureFormat_R32Sint },
    { "r32float", WGPUTextureFormat_R32Float },
    { "rg32uint", WGPUTextureFormat_RG32Uint },
    { "rg32sint", WGPUTextureFormat_RG32Sint },
    { "rg32float", WGPUTextureFormat_RG32Float },
    { "rgba32uint", WGPUTextureFormat_RGBA32Uint },
    { "rgba32sint", WGPUTextureFormat_RGBA32Sint },
    { "rgba32float", WGPUTextureFormat_RGBA32Float },
    { "bgra8unorm", WGPUTextureFormat_BGRA8Unorm },
    { "r8unorm", WGPUTextureFormat_R8Unorm },
    { "r8snorm", WGPUTextureFormat_R8Snorm },
    { "r8uint", WGPUTextureFormat_R8Uint },
    { "r8sint", WGPUTextureFormat_R8Sint },
    { "r16unorm", WGPUTextureFormat_R16Unorm },
    { "r16snorm", WGPUTextureFormat_R16Snorm },
    { "r16uint", WGPUTextureFormat_R16Uint },
    { "r16sint", WGPUTextureFormat_R16Sint },
    { "r16float", WGPUTextureFormat_R16Float },
    { "rgb10a2unorm", WGPUTextureFormat_RGB10A2Unorm },
    { "rgb10a2uint", WGPUTextureFormat_RGB10A2Uint },
    { "rg11b10ufloat", WGPUTextureFormat_RG11B10Ufloat },
};

/* An expression being read; constants are 64 bits wide, so that products of good values fit. */
typedef struct types_reader {
    gpool__scan *scan;
    uint32_t token;
    uint32_t depth;
    bool failed;
} types_reader;

static int64_t types_expression(types_reader *reader);

static int64_t types_fail(types_reader *reader)
{
    reader->failed = true;
    return 0;
}

static int64_t types_checked(types_reader *reader, int64_t value)
{
    return value >= -INT32_MAX && value <= INT32_MAX ? value : types_fail(reader);
}

/* An integer literal, decimal or hexadecimal, with or without suffix. */
static int64_t types_number(types_reader *reader)
{
    const gpool__tokens *tokens = &reader->scan->tokens;
    size_t at = gpool__token_at(reader->scan, reader->token++)->at;
    const size_t size = tokens->size;
    const char *source = tokens->source;
    const bool hex = at + 1 < size && source[at] == '0' && (source[at + 1] | 32) == 'x';
    at += hex ? 2 : 0;
    int64_t value = 0;
    for (; at < size; ++at) {
        const char c = source[at];
        const char lower = (char)(c | 32);
        int digit = -1;
        if (c >= '0' && c <= '9') {
            digit = c - '0';
        } else if (hex && lower >= 'a' && lower <= 'f') {
            digit = lower - 'a' + 10;
        }
        if (digit < 0) {
            break;
        }
        value = types_checked(reader, value * (hex ? 16 : 10) + digit);
    }
    at += at < size && (source[at] == 'u' || source[at] == 'i') ? 1 : 0;
    const unsigned char next = (unsigned char)(at < size ? source[at] : ' ');
    const bool goes_on = next == '.' || next == '_' || (next >= '0' && next <= '9') ||
                         (next >= 'a' && next <= 'z') || (next >= 'A' && next <= 'Z');
    return goes_on ? types_fail(reader) : value;
}

/* A constant of the module. Evaluated once, so that chains of sums cannot double the work. */
static int64_t types_constant(types_reader *reader, gpool__decl *decl)
{
    gpool__scan *s = reader->scan;
    if (decl->state == GPOOL__KNOWN) {
        return decl->value;
    }
    if (decl->state != GPOOL__KNOWN_NOT_YET || !gpool__token_is(s, decl->index - 1, '=')) {
        return types_fail(reader);
    }
    decl->state = GPOOL__KNOWN_ASKED;
    types_reader inner = { .scan = s, .token = decl->index, .depth = reader->depth };
    const int64_t value = types_expression(&inner);
    const bool good = !inner.failed && value >= 0 && gpool__token_is(s, inner.token, ';');
    decl->state = good ? GPOOL__KNOWN : GPOOL__KNOWN_NEVER;
    decl->value = (uint32_t)value;
    return good ? value : types_fail(reader);
}

static int64_t types_primary(types_reader *reader)
{
    gpool__scan *s = reader->scan;
    const gpool__token *t = gpool__token_at(s, reader->token);
    if (t->kind == GPOOL__TOKEN_NUMBER) {
        return types_number(reader);
    }
    if (t->kind == GPOOL__TOKEN_NAME && s->decls[t->value].kind == GPOOL__DECL_CONST) {
        reader->token += 1;
        return types_constant(reader, &s->decls[t->value]);
    }
    /* u32(3) is 3 here, too. */
    const bool conversion = t->kind == GPOOL__TOKEN_NAME &&
                            s->decls[t->value].kind == GPOOL__DECL_NONE &&
                            (gpool__name_is(&s->tokens, t->value, "u32") ||
                             gpool__name_is(&s->tokens, t->value, "i32"));
    reader->token += conversion ? 1 : 0;
    if (!gpool__token_is(s, reader->token, '(')) {
        return types_fail(reader);
    }
    reader->token += 1;
    const int64_t value = types_expression(reader);
    if (!gpool__token_is(s, reader->token, ')')) {
        return types_fail(reader);
    }
    reader->token += 1;
    return value;
}

static int64_t types_unary(types_reader *reader)
{
    bool negative = false;
    while (gpool__token_is(reader->scan, reader->token, '-')) {
        negative = !negative;
        reader->token += 1;
    }
    const int64_t value = types_primary(reader);
    return negative ? -value : value;
}

static int64_t types_product(types_reader *reader)
{
    int64_t value = types_unary(reader);
    while (!reader->failed) {
        const char mark = gpool__token_at(reader->scan, reader->token)->mark;
        if (mark != '*' && mark != '/' && mark != '%') {
            break;
        }
        reader->token += 1;
        const int64_t next = types_unary(reader);
        if (mark == '*') {
            value = types_checked(reader, value * next);
        } else if (next == 0) {
            return types_fail(reader);
        } else {
            value = mark == '/' ? value / next : value % next;
        }
    }
    return value;
}

static int64_t types_expression(types_reader *reader)
{
    if (reader->depth == TYPES_DEPTH) {
        return types_fail(reader);
    }
    reader->depth += 1;
    int64_t value = types_product(reader);
    while (!reader->failed) {
        const char mark = gpool__token_at(reader->scan, reader->token)->mark;
        if (mark != '+' && mark != '-') {
            break;
        }
        reader->token += 1;
        const int64_t next = types_product(reader);
        value = types_checked(reader, mark == '+' ? value + next : value - next);
    }
    reader->depth -= 1;
    return value;
}

void gpool__scan_constants(gpool__scan *s)
{
    for (uint32_t i = 0; i < s->constant_count; ++i) {
        types_reader reader = { .scan = s };
        (void)types_constant(&reader, &s->decls[s->constants[i]]);
    }
}

bool gpool__scan_constant(gpool__scan *s, uint32_t first, uint32_t last, uint32_t *value)
{
    types_reader reader = { .scan = s, .token = first };
    const int64_t result = types_expression(&reader);
    if (reader.failed || reader.token != last || result < 0) {
        return false;
    }
    *value = (uint32_t)result;
    return true;
}

/* The alias that stands at a token; NULL when it is none. */
static gpool__decl *types_alias(gpool__scan *s, uint32_t token)
{
    const uint32_t name = gpool__token_name(s, token);
    return name != GPOOL__NO_TOKEN && s->decls[name].kind == GPOOL__DECL_ALIAS ? &s->decls[name]
                                                                               : NULL;
}

uint32_t gpool__scan_alias(gpool__scan *s, uint32_t token)
{
    /* Down the chain to its end, then the end is told to all of them: each is met once. */
    uint32_t end = token;
    gpool__decl *alias = types_alias(s, end);
    while (alias != NULL && alias->state == GPOOL__KNOWN_NOT_YET) {
        alias->state = GPOOL__KNOWN_ASKED;
        end = alias->index;
        alias = gpool__token_is(s, end - 1, '=') ? types_alias(s, end) : NULL;
    }
    if (alias != NULL) {
        end = alias->state == GPOOL__KNOWN ? alias->value : GPOOL__NO_TOKEN;
    }
    uint32_t each = token;
    alias = types_alias(s, each);
    while (alias != NULL && alias->state == GPOOL__KNOWN_ASKED) {
        alias->state = end == GPOOL__NO_TOKEN ? GPOOL__KNOWN_NEVER : GPOOL__KNOWN;
        alias->value = end;
        alias = types_alias(s, alias->index);
    }
    return end;
}

/* True when the template list of the type at `token` has that many arguments of one name each. */
static bool types_has_list(const gpool__scan *s, uint32_t token, uint32_t count)
{
    const gpool__token *list = gpool__token_at(s, token + 1);
    if (list->kind != GPOOL__TOKEN_LIST) {
        return false;
    }
    const uint32_t end = token + 1 + 2 * count;
    for (uint32_t i = token + 3; i < end; i += 2) {
        if (!gpool__token_is(s, i, ',')) {
            return false;
        }
    }
    return list->value == end || (gpool__token_is(s, end, ',') && list->value == end + 1);
}

static const char *types_sampled(gpool__scan *s, uint32_t token, gpool_layout_entry *entry)
{
    const uint32_t texel =
        types_has_list(s, token, 1) ? gpool__scan_alias(s, token + 2) : GPOOL__NO_TOKEN;
    if (gpool__token_word(s, texel, "f32")) {
        entry->sample_type = WGPUTextureSampleType_UnfilterableFloat;
    } else if (gpool__token_word(s, texel, "i32")) {
        entry->sample_type = WGPUTextureSampleType_Sint;
    } else if (gpool__token_word(s, texel, "u32")) {
        entry->sample_type = WGPUTextureSampleType_Uint;
    } else {
        return "its texels are none of f32, i32 and u32";
    }
    return NULL;
}

static const char *types_storage(gpool__scan *s, uint32_t token, gpool_layout_entry *entry)
{
    if (!types_has_list(s, token, 2)) {
        return "its type has no texel format and access mode";
    }
    for (size_t i = 0; i < sizeof types_formats / sizeof types_formats[0]; ++i) {
        if (gpool__token_word(s, token + 2, types_formats[i].name)) {
            entry->format = types_formats[i].format;
        }
    }
    if (entry->format == WGPUTextureFormat_Undefined) {
        return "its texel format is unknown";
    }
    if (gpool__token_word(s, token + 4, "write")) {
        entry->access = WGPUStorageTextureAccess_WriteOnly;
    } else if (gpool__token_word(s, token + 4, "read")) {
        entry->access = WGPUStorageTextureAccess_ReadOnly;
    } else if (gpool__token_word(s, token + 4, "read_write")) {
        entry->access = WGPUStorageTextureAccess_ReadWrite;
    } else {
        return "its access mode is none of read, write and read_write";
    }
    return NULL;
}

const char *gpool__scan_type(gpool__scan *s, uint32_t token, gpool_layout_entry *entry)
{
    const uint32_t type = gpool__scan_alias(s, token);
    if (type == GPOOL__NO_TOKEN) {
        return "its type is an alias of itself";
    }
    if (gpool__token_word(s, type, "sampler")) {
        entry->type = GPOOL_BINDING_SAMPLER;
        return NULL;
    }
    if (gpool__token_word(s, type, "sampler_comparison")) {
        entry->type = GPOOL_BINDING_SAMPLER_COMPARISON;
        return NULL;
    }
    for (size_t i = 0; i < sizeof types_textures / sizeof types_textures[0]; ++i) {
        const types_texture *texture = &types_textures[i];
        if (!gpool__token_word(s, type, texture->name)) {
            continue;
        }
        entry->type = texture->type;
        entry->dimension = texture->dimension;
        entry->multisampled = texture->multisampled;
        if (texture->type == GPOOL_BINDING_STORAGE_TEXTURE) {
            return types_storage(s, type, entry);
        }
        if (texture->depth) {
            entry->sample_type = WGPUTextureSampleType_Depth;
            return NULL;
        }
        return types_sampled(s, type, entry);
    }
    return "its type is no texture or sampler that gpool knows";
}
