/* The scan of real shaders: those of tests/shaders/, against tables written by hand. */
#include "unit/bindings_text.h"
#include "unit/shader_samples.h"
#include "unit/unit.h"

#include "unit/project_shaders.h"

static gpool__memory memory;

static void sample_groups(const shader_sample *sample, gpool__bindings_groups *groups)
{
    size_t size;
    size_t other_size = 0;
    char *text = bindings_read(SHADER_SAMPLES_FOLDER, sample->file, &size);
    char *other = sample->fragment_file != NULL
                      ? bindings_read(SHADER_SAMPLES_FOLDER, sample->fragment_file, &other_size)
                      : NULL;
    gpool__bindings scan;
    gpool__bindings other_scan = { 0 };
    assert_same(gpool__bindings_init(&scan, &memory, text, size), GPOOL_OK);
    if (other != NULL) {
        assert_same(gpool__bindings_init(&other_scan, &memory, other, other_size), GPOOL_OK);
    }
    const bool compute = sample->compute != NULL;
    const gpool__bindings_stage stages[] = {
        { .scan = &scan,
          .entry = compute ? sample->compute : sample->vertex,
          .stage = compute ? WGPUShaderStage_Compute : WGPUShaderStage_Vertex },
        { .scan = other != NULL ? &other_scan : &scan,
          .entry = sample->fragment,
          .stage = WGPUShaderStage_Fragment },
    };
    const WGPULimits limits = bindings_limits();
    gpool__bindings_error error;
    const gpool_result result = gpool__bindings_layouts(
        &memory, stages, compute || sample->colors == 0 ? 1 : 2, &limits, groups, &error);
    if (result != GPOOL_OK) {
        print_error("%s: %s\n", sample->file, error.message);
    }
    assert_same(result, GPOOL_OK);
    gpool__bindings_fini(&scan, &memory);
    gpool__bindings_fini(&other_scan, &memory);
    free(other);
    free(text);
}

static void samples_get_the_layouts_of_the_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(shader_samples); ++i) {
        const shader_sample *sample = &shader_samples[i];
        gpool__bindings_groups groups;
        char text[BINDINGS_TEXT];
        sample_groups(sample, &groups);
        bindings_groups_text(text, &groups);
        if (strcmp(text, sample->layouts) != 0) {
            print_error("%s, pipeline %zu\n", sample->file, i);
        }
        assert_string_equal(text, sample->layouts);
    }
    assert_int_equal(memory.bytes, 0);
}

/* Reads the string literal at `*at`, which is behind its opening quote, to the end of `text`. */
static void read_literal(const char **at, char *text, size_t *length)
{
    const char *c = *at;
    for (; *c != '"' && *c != '\0'; ++c) {
        char byte = *c;
        if (*c == '\\' && c[1] != '\0') {
            c += 1;
            byte = (char)(*c == 'n' ? '\n' : *c == 't' ? '\t' : *c);
        }
        text[(*length)++] = byte;
    }
    *at = c + (*c == '"');
}

/* What strings stand side by side at or behind `*at` in C, outside comments; false at the end. */
static bool read_strings(const char **at, char *text)
{
    size_t length = 0;
    bool found = false;
    const char *c = *at;
    while (*c != '\0') {
        const char *end = NULL;
        if (c[0] == '/' && c[1] == '*') {
            end = strstr(c, "*/");
            c = end != NULL ? end + 2 : c + strlen(c);
        } else if (c[0] == '/' && c[1] == '/') {
            c += strcspn(c, "\n");
        } else if (c[0] == '\'' && c[1] != '\0') {
            end = strchr(c + (c[1] == '\\' ? 3 : 2), '\'');
            c = end != NULL ? end + 1 : c + 1;
        } else if (*c == '"') {
            c += 1;
            read_literal(&c, text, &length);
            found = true;
        } else if (found && strchr(" \t\n\\", *c) == NULL) {
            break;
        } else {
            c += 1;
        }
    }
    text[length] = '\0';
    *at = c;
    return found;
}

static void add_vars(char found[BINDINGS_TEXT], const char *source)
{
    gpool__bindings scan;
    assert_same(gpool__bindings_init(&scan, &memory, source, strlen(source)), GPOOL_OK);
    for (uint32_t i = 0; i < scan.var_count; ++i) {
        const gpool__binding_var *var = &scan.vars[i];
        gpool_layout_entry entry = var->entry;
        entry.stages = 0;
        char name[96];
        (void)snprintf(name, sizeof name, "%s%.*s %u.%u", found[0] != '\0' ? "; " : "",
                       (int)(var->name_size < 64 ? var->name_size : 64), source + var->name_at,
                       var->group, var->entry.binding);
        bindings_add(found, name);
        bindings_add_kind(found, &entry);
        bindings_add(found, var->unclear != NULL ? " ?" : "");
    }
    gpool__bindings_fini(&scan, &memory);
}

static void shaders_of_the_project_bind_what_the_table_says(void **state)
{
    (void)state;
    bool good = true;
    for (size_t i = 0; i < UNIT_COUNT(project_shaders); ++i) {
        size_t size;
        char *text = bindings_read("", project_shaders[i].file, &size);
        char *source = malloc(size + 1);
        assert_non_null(source);
        char found[BINDINGS_TEXT] = "";
        const char *at = text;
        if (strstr(project_shaders[i].file, ".wgsl") != NULL) {
            add_vars(found, text);
            at = text + size;
        }
        while (read_strings(&at, source)) {
            add_vars(found, source);
        }
        if (strcmp(found, project_shaders[i].vars) != 0) {
            print_error("%s\n  has   %s\n  table %s\n", project_shaders[i].file, found,
                        project_shaders[i].vars);
            good = false;
        }
        free(source);
        free(text);
    }
    assert_true(good);
    assert_int_equal(memory.bytes, 0);
}

int main(void)
{
    const gpool_allocator none = { 0 };
    gpool__memory_init(&memory, &none);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_get_the_layouts_of_the_table),
        cmocka_unit_test(shaders_of_the_project_bind_what_the_table_says),
    };
    return cmocka_run_group_tests_name("bindings_samples", tests, NULL, NULL);
}
