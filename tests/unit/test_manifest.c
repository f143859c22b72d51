/* Manifests: what is written is read, what is damaged is refused, what is old or too much is dropped. */
#include "manifest_samples.h"

#include "base/text.h"

static uint64_t first_seed;

/* A manifest with its bytes. */
typedef struct written {
    uint8_t *bytes;
    size_t size;
    uint32_t capacity;
    gpool__manifest manifest;
} written;

static gpool__memory plain_memory(void)
{
    gpool__memory memory;
    gpool__memory_init(&memory, NULL);
    return memory;
}

static written write_with(gpool__memory *memory, const gpool__manifest_use *uses, uint32_t count,
                          const gpool__manifest *old, uint32_t run,
                          const gpool__manifest_rules *rules)
{
    static const gpool__manifest none = { .run = 0 };
    written w = { .size = 0 };
    assert_same(gpool__manifest_build(memory, uses, count, old != NULL ? old : &none, run, rules,
                                      &w.bytes, &w.size, &w.capacity),
                GPOOL_OK);
    assert_same(gpool__manifest_init(&w.manifest, memory, w.bytes, w.size, rules), GPOOL_OK);
    return w;
}

static written write_it(gpool__memory *memory, const gpool__manifest_use *uses, uint32_t count,
                        const gpool__manifest *old, uint32_t run)
{
    return write_with(memory, uses, count, old, run, &samples_rules);
}

static void free_it(gpool__memory *memory, written *w)
{
    gpool__manifest_fini(&w->manifest, memory);
    gpool__free(memory, w->bytes, w->capacity);
    *w = (written){ .size = 0 };
}

static bool same_string(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* A record is what a program was. */
static void check_program(const gpool__manifest *manifest, uint32_t index,
                          const gpool__program *program)
{
    gpool__manifest_pipeline record;
    gpool__manifest_module module;
    gpool_layout_entry entries[GPOOL_MAX_BINDINGS];
    gpool__manifest_get_pipeline(manifest, index, &record);
    gpool__recipe wanted = program->recipe;
    gpool__manifest_get_module(manifest, record.vertex, &module);
    assert_same(module.size, wanted.vertex->base.key_size);
    assert_memory_equal(module.text, wanted.vertex->text, module.size);
    assert_same(record.fragment == GPOOL__MANIFEST_NONE, wanted.fragment == NULL);
    if (wanted.fragment != NULL) {
        gpool__manifest_get_module(manifest, record.fragment, &module);
        assert_same(module.size, wanted.fragment->base.key_size);
        assert_memory_equal(module.text, wanted.fragment->text, module.size);
    }
    for (uint32_t i = 0; i < GPOOL_MAX_GROUPS; ++i) {
        assert_same(record.groups[i] == GPOOL__MANIFEST_NONE, wanted.groups[i] == NULL);
        if (wanted.groups[i] != NULL) {
            uint32_t count = gpool__manifest_get_layout(manifest, record.groups[i], entries);
            assert_same(count, wanted.groups[i]->entry_count);
            assert_memory_equal(entries, wanted.groups[i]->entries, count * sizeof *entries);
        }
    }
    assert_memory_equal(record.attributes, gpool__recipe_attributes(&program->recipe),
                        wanted.attribute_count * sizeof *record.attributes);
    assert_true(same_string(record.vertex_entry, gpool__recipe_vertex_entry(&program->recipe)));
    assert_true(same_string(record.fragment_entry, gpool__recipe_fragment_entry(&program->recipe)));
    assert_string_equal(record.label, gpool__program_label(program));
    /* And all the rest, as one: what gpool__program_get_recipe() sets is taken over. */
    record.recipe.vertex = wanted.vertex;
    record.recipe.fragment = wanted.fragment;
    memcpy(record.recipe.groups, wanted.groups, sizeof wanted.groups);
    record.recipe.vertex_entry_size = wanted.vertex_entry_size;
    record.recipe.fragment_entry_size = wanted.fragment_entry_size;
    assert_memory_equal(&record.recipe, &wanted, sizeof wanted);
}

static void what_is_written_is_read_in_every_byte_of_the_recipe(void **state)
{
    (void)state;
    uint64_t seed = first_seed;
    gpool__memory memory = plain_memory();
    for (int round = 0; round < 200; ++round) {
        samples s;
        samples_init(&s, &seed);
        written w = write_it(&memory, s.uses, s.use_count, NULL, 7);
        assert_same(w.manifest.run, 7);
        assert_same(w.manifest.module_count, SAMPLES);
        uint32_t index = 0;
        for (uint32_t i = 0; i < SAMPLES; ++i) {
            gpool__manifest_module module;
            gpool__manifest_get_module(&w.manifest, i, &module);
            assert_memory_equal(module.text, s.modules[i]->text, module.size);
            assert_same(module.last_run, 7);
            assert_same(module.uses, i + 1);
            bool twice = false;
            for (uint32_t k = 0; k < i && s.programs[i]->recipe.compute != 0; ++k) {
                twice = twice || (s.programs[k]->base.key_size == s.programs[i]->base.key_size &&
                                  memcmp(&s.programs[k]->recipe, &s.programs[i]->recipe,
                                         s.programs[i]->base.key_size) == 0);
            }
            /* Layouts made by chance may be equal, too: then programs are without being the same. */
            if (!twice && w.manifest.pipeline_count == SAMPLES) {
                check_program(&w.manifest, index, s.programs[i]);
            }
            index += !twice;
        }
        uint32_t modules = 0;
        uint32_t pipelines = 0;
        gpool__manifest_counts(w.bytes, &modules, &pipelines);
        assert_same(modules, w.manifest.module_count);
        assert_same(pipelines, w.manifest.pipeline_count);
        assert_true(pipelines + 3 > SAMPLES);
        free_it(&memory, &w);
        samples_fini(&s);
    }
    assert_same(memory.bytes, 0);
}

static void the_same_uses_give_the_same_bytes(void **state)
{
    (void)state;
    uint64_t seed = first_seed + 1;
    gpool__memory memory = plain_memory();
    for (int round = 0; round < 50; ++round) {
        samples s;
        samples_init(&s, &seed);
        written a = write_it(&memory, s.uses, s.use_count, NULL, 3);
        written b = write_it(&memory, s.uses, s.use_count, NULL, 3);
        written c =
            write_it(&memory, NULL, 0, &a.manifest, 3); /* all that it has, read and written */
        gpool__manifest_rules collide = samples_rules;
        collide.no_hash = UINT64_MAX;
        written d = write_with(&memory, s.uses, s.use_count, NULL, 3, &collide);
        assert_same(a.size, b.size);
        assert_memory_equal(a.bytes, b.bytes, a.size);
        assert_same(a.size, c.size);
        assert_memory_equal(a.bytes, c.bytes, a.size);
        assert_same(a.size, d.size);
        assert_memory_equal(a.bytes, d.bytes, a.size);
        free_it(&memory, &a);
        free_it(&memory, &b);
        free_it(&memory, &c);
        free_it(&memory, &d);
        samples_fini(&s);
    }
}

static void uses_of_runs_are_added_and_the_newest_order_leads(void **state)
{
    (void)state;
    uint64_t seed = first_seed + 2;
    gpool__memory memory = plain_memory();
    samples s;
    samples_init(&s, &seed);
    written first = write_it(&memory, s.uses, SAMPLES, NULL, 1);
    const gpool__manifest_use again[] = { { .module = s.modules[5], .uses = 4 },
                                          { .module = s.modules[2], .uses = UINT32_MAX } };
    written second = write_it(&memory, again, 2, &first.manifest, 2);
    const uint32_t order[] = { 5, 2, 0, 1, 3, 4, 6, 7, 8, 9, 10, 11 };
    assert_same(second.manifest.module_count, SAMPLES);
    for (uint32_t i = 0; i < SAMPLES; ++i) {
        gpool__manifest_module module;
        gpool__manifest_get_module(&second.manifest, i, &module);
        assert_memory_equal(module.text, s.modules[order[i]]->text, module.size);
        assert_same(module.last_run, i < 2 ? 2 : 1);
        assert_same(module.uses, i == 0 ? 10 : i == 1 ? UINT32_MAX : order[i] + 1);
    }
    free_it(&memory, &first);
    free_it(&memory, &second);
    samples_fini(&s);
}

static void what_eight_runs_did_not_use_is_dropped(void **state)
{
    (void)state;
    uint64_t seed = first_seed + 3;
    gpool__memory memory = plain_memory();
    samples s;
    samples_init(&s, &seed);
    written w = write_it(&memory, s.uses, s.use_count, NULL, 1);
    uint32_t all = w.manifest.pipeline_count;
    const gpool__manifest_use one = { .program = s.programs[0], .uses = 1 };
    for (uint32_t run = 2; run <= 9; ++run) {
        written next = write_it(&memory, &one, 1, &w.manifest, run);
        assert_same(next.manifest.pipeline_count, run <= 8 ? all : 1);
        bool two = s.programs[0]->recipe.fragment != NULL &&
                   s.programs[0]->recipe.fragment != s.programs[0]->recipe.vertex;
        assert_same(next.manifest.module_count, run <= 8 ? SAMPLES : two ? 2 : 1);
        free_it(&memory, &w);
        w = next;
    }
    check_program(&w.manifest, 0, s.programs[0]);
    free_it(&memory, &w);
    samples_fini(&s);
}

/* Every record of what was accepted is one that may reach a compiler. */
static void check_is_harmless(const gpool__manifest *manifest)
{
    for (uint32_t i = 0; i < manifest->module_count; ++i) {
        gpool__manifest_module module;
        gpool__manifest_get_module(manifest, i, &module);
        assert_null(gpool__wgsl_problem(module.text, module.size));
        assert_true(gpool__is_utf8(module.label, strlen(module.label)));
    }
    for (uint32_t i = 0; i < manifest->layout_count; ++i) {
        gpool_layout_entry entries[GPOOL_MAX_BINDINGS];
        uint32_t count = gpool__manifest_get_layout(manifest, i, entries);
        assert_true(count <= GPOOL_MAX_BINDINGS);
        for (uint32_t k = 0; k < count; ++k) {
            assert_true(gpool__manifest_entry_is_good(&entries[k], &samples_rules));
        }
    }
    for (uint32_t i = 0; i < manifest->pipeline_count; ++i) {
        gpool__manifest_pipeline pipeline;
        gpool__manifest_get_pipeline(manifest, i, &pipeline);
        assert_true(pipeline.vertex < manifest->module_count);
        assert_true(gpool__recipe_is_good(&pipeline.recipe, pipeline.attributes, true));
    }
}

/* Parses a block of just that size, so that a byte too many is seen. */
static bool parses(const uint8_t *bytes, size_t size, bool *again)
{
    unit_allocator allocator = { .calls = 0 };
    const gpool_allocator hooks = unit_hooks(&allocator);
    gpool__memory memory;
    gpool__memory_init(&memory, &hooks);
    uint8_t *exact = malloc(size != 0 ? size : 1);
    assert_non_null(exact);
    memcpy(exact, bytes, size);
    gpool__manifest manifest;
    gpool_result result = gpool__manifest_init(&manifest, &memory, exact, size, &samples_rules);
    assert_true(allocator.last_new_size <= size); /* four bytes a record, of 4 bytes at least */
    if (result == GPOOL_OK) {
        check_is_harmless(&manifest);
        if (again != NULL) {
            uint8_t *built = NULL;
            size_t built_size = 0;
            uint32_t capacity = 0;
            assert_same(gpool__manifest_build(&memory, NULL, 0, &manifest, manifest.run,
                                              &samples_rules, &built, &built_size, &capacity),
                        GPOOL_OK);
            gpool__manifest second;
            assert_same(gpool__manifest_init(&second, &memory, built, built_size, &samples_rules),
                        GPOOL_OK);
            check_is_harmless(&second);
            gpool__manifest_fini(&second, &memory);
            gpool__free(&memory, built, capacity);
        }
    } else {
        assert_same(result, GPOOL_NOT_FOUND);
        assert_null(manifest.places);
    }
    gpool__manifest_fini(&manifest, &memory);
    free(exact);
    assert_same(allocator.blocks, 0);
    assert_same(allocator.wrong_sizes, 0);
    return result == GPOOL_OK;
}

static void every_flipped_bit_is_refused_or_harmless(void **state)
{
    (void)state;
    uint64_t seed = first_seed + 4;
    gpool__memory memory = plain_memory();
    samples s;
    samples_init(&s, &seed);
    written w = write_it(&memory, s.uses, s.use_count, NULL, 3);
    uint64_t accepted = 0;
    for (size_t bit = 0; bit < w.size * 8; ++bit) {
        w.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        bool again = true;
        accepted += parses(w.bytes, w.size, &again);
        w.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    print_message("%zu bits flipped, %llu of them make another manifest\n", w.size * 8,
                  (unsigned long long)accepted);
    assert_true(w.size * 8 >= 32768);
    assert_true(parses(w.bytes, w.size, NULL));
    free_it(&memory, &w);
    samples_fini(&s);
}

static void every_length_but_its_own_is_refused(void **state)
{
    (void)state;
    uint64_t seed = first_seed + 5;
    gpool__memory memory = plain_memory();
    samples s;
    samples_init(&s, &seed);
    written w = write_it(&memory, s.uses, s.use_count, NULL, 3);
    for (size_t size = 0; size < w.size; ++size) {
        assert_false(parses(w.bytes, size, NULL));
    }
    uint8_t *longer = calloc(1, w.size + 64);
    assert_non_null(longer);
    memcpy(longer, w.bytes, w.size);
    for (size_t more = 1; more <= 64; ++more) {
        assert_false(parses(longer, w.size + more, NULL));
    }
    free(longer);
    free_it(&memory, &w);
    samples_fini(&s);
}

static void numbers_at_their_ends_are_refused_or_harmless(void **state)
{
    (void)state;
    static const uint32_t values[] = { 0,          1,          2,         5,    0x7f,
                                       0xff,       4095,       4096,      4097, 0x7fffffff,
                                       0x80000000, 0xfffffffe, UINT32_MAX };
    uint64_t seed = first_seed + 6;
    gpool__memory memory = plain_memory();
    samples s;
    samples_init(&s, &seed);
    written w = write_it(&memory, s.uses, s.use_count, NULL, 3);
    for (size_t at = 8; at + 4 <= w.size; ++at) {
        uint8_t kept[4];
        memcpy(kept, w.bytes + at, 4);
        for (size_t i = 0; i < UNIT_COUNT(values); ++i) {
            for (int byte = 0; byte < 4; ++byte) {
                w.bytes[at + (size_t)byte] = (uint8_t)(values[i] >> 8 * byte);
            }
            (void)parses(w.bytes, w.size, NULL);
        }
        memcpy(w.bytes + at, kept, 4);
    }
    free_it(&memory, &w);
    samples_fini(&s);
}

static void caps_drop_what_was_used_least(void **state)
{
    (void)state;
    enum {
        MANY = GPOOL__MANIFEST_COUNT + 100
    };
    uint64_t seed = first_seed + 7;
    gpool__memory memory = plain_memory();
    gpool__module **modules = calloc(MANY, sizeof *modules);
    gpool__manifest_use *uses = calloc(MANY, sizeof *uses);
    assert_true(modules != NULL && uses != NULL);
    for (uint32_t i = 0; i < MANY; ++i) {
        modules[i] = samples_module(&seed, i);
        uses[i] = (gpool__manifest_use){ .module = modules[i], .uses = 1 + (i >= 100) };
    }
    written w = write_it(&memory, uses, MANY, NULL, 1);
    assert_same(w.manifest.module_count, GPOOL__MANIFEST_COUNT);
    gpool__manifest_module module;
    gpool__manifest_get_module(&w.manifest, 0, &module);
    assert_memory_equal(module.text, modules[100]->text, module.size);
    free_it(&memory, &w);
    for (uint32_t i = 0; i < MANY; ++i) {
        free(modules[i]);
    }
    free(modules);
    free(uses);
}

static void more_bytes_than_fit_drop_what_was_used_least(void **state)
{
    (void)state;
    enum {
        BIG = 5u << 20,
        COUNT = 4
    };
    gpool__memory memory = plain_memory();
    gpool__module *modules[COUNT];
    gpool__manifest_use uses[COUNT];
    for (uint32_t i = 0; i < COUNT; ++i) {
        modules[i] = calloc(1, sizeof **modules + BIG + 1);
        assert_non_null(modules[i]);
        modules[i]->base.key_size = BIG;
        memset(modules[i]->text, ' ', BIG);
        modules[i]->text[0] = (char)('a' + i);
        uses[i] = (gpool__manifest_use){ .module = modules[i], .uses = COUNT - i };
    }
    written w = write_it(&memory, uses, COUNT, NULL, 1);
    assert_same(w.manifest.module_count, 3);
    assert_true(w.size <= GPOOL__MANIFEST_BYTES);
    gpool__manifest_module last;
    gpool__manifest_get_module(&w.manifest, 2, &last);
    assert_same(last.text[0], 'c');
    free_it(&memory, &w);
    for (uint32_t i = 0; i < COUNT; ++i) {
        free(modules[i]);
    }
}

static void no_memory_is_told_and_leaves_nothing(void **state)
{
    (void)state;
    uint64_t seed = first_seed + 8;
    gpool__memory plain = plain_memory();
    samples s;
    samples_init(&s, &seed);
    written w = write_it(&plain, s.uses, s.use_count, NULL, 3);
    for (uint64_t k = 1;; ++k) {
        unit_allocator allocator = { .fail_at = k };
        const gpool_allocator hooks = unit_hooks(&allocator);
        gpool__memory memory;
        gpool__memory_init(&memory, &hooks);
        gpool__manifest old;
        uint8_t *bytes = NULL;
        size_t size = 0;
        uint32_t capacity = 0;
        gpool_result result = gpool__manifest_init(&old, &memory, w.bytes, w.size, &samples_rules);
        if (result == GPOOL_OK) {
            result = gpool__manifest_build(&memory, s.uses, s.use_count, &old, 4, &samples_rules,
                                           &bytes, &size, &capacity);
        }
        gpool__free(&memory, bytes, capacity);
        gpool__manifest_fini(&old, &memory);
        assert_same(allocator.blocks, 0);
        assert_same(allocator.wrong_sizes, 0);
        if (allocator.calls < k) {
            assert_same(result, GPOOL_OK);
            assert_true(k > 10);
            break;
        }
        assert_same(result, GPOOL_ERROR_OUT_OF_MEMORY);
    }
    free_it(&plain, &w);
    samples_fini(&s);
}

static void what_the_device_does_not_allow_makes_it_none(void **state)
{
    (void)state;
    uint64_t seed = first_seed + 9;
    gpool__memory memory = plain_memory();
    samples s;
    samples_init(&s, &seed);
    written w = write_it(&memory, s.uses, s.use_count, NULL, 3);
    gpool__manifest_rules rules[3] = { samples_rules, samples_rules, samples_rules };
    rules[0].groups = 0;
    rules[1].bindings = 1;
    rules[2].buffer_size = 0;
    for (int i = 0; i < 3; ++i) {
        gpool__manifest manifest;
        assert_same(gpool__manifest_init(&manifest, &memory, w.bytes, w.size, &rules[i]),
                    GPOOL_NOT_FOUND);
    }
    free_it(&memory, &w);
    samples_fini(&s);
}

int main(int argc, char **argv)
{
    first_seed = unit_seed(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_in_every_byte_of_the_recipe),
        cmocka_unit_test(the_same_uses_give_the_same_bytes),
        cmocka_unit_test(uses_of_runs_are_added_and_the_newest_order_leads),
        cmocka_unit_test(what_eight_runs_did_not_use_is_dropped),
        cmocka_unit_test(every_flipped_bit_is_refused_or_harmless),
        cmocka_unit_test(every_length_but_its_own_is_refused),
        cmocka_unit_test(numbers_at_their_ends_are_refused_or_harmless),
        cmocka_unit_test(caps_drop_what_was_used_least),
        cmocka_unit_test(more_bytes_than_fit_drop_what_was_used_least),
        cmocka_unit_test(no_memory_is_told_and_leaves_nothing),
        cmocka_unit_test(what_the_device_does_not_allow_makes_it_none),
    };
    return cmocka_run_group_tests_name("manifest", tests, NULL, NULL);
}
