/* Reload: what a change makes anew, what it leaves as it was, what is told. */
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700
#endif
#include "reload_world.h"

static const uint32_t reload_workers[] = { GPOOL_WORKERS_NONE, 1, 4 };

static gpool_shader from_file(sim_pool *p, const char *path)
{
    gpool_shader shader =
        gpool_shader_create(p->pool, &(gpool_shader_desc){ .path = path, .scope = compile_scope });
    assert_int_not_equal(shader.id, 0);
    return shader;
}

static void sources_come_from_files_roots_and_virtual_files_with_switches(void **state)
{
    (void)state;
    sim_pool p;
    compile_open(&p, 1);
    reload_make_folder();
    reload_write("main.wgsl", "#include \"number.wgsl\"\n#ifdef SHOUT\nfn loud() {}\n#else\n"
                              "fn quiet() {}\n#endif\n" RELOAD_MAIN);
    reload_write("number.wgsl", "const number = 3u;\n");
    const gpool_define shout[] = { { "SHOUT", NULL } };
    gpool_shader quiet = from_file(&p, reload_path("main.wgsl"));
    gpool_shader loud =
        gpool_shader_create(p.pool, &(gpool_shader_desc){ .path = reload_path("main.wgsl"),
                                                          .defines = shout,
                                                          .define_count = 1,
                                                          .scope = compile_scope });
    assert_same(gpool_shader_wait(p.pool, quiet, UINT64_MAX), GPOOL_OK);
    assert_same(gpool_shader_wait(p.pool, loud, UINT64_MAX), GPOOL_OK);
    assert_non_null(strstr(compile_in_use(&p, quiet)->text, "fn quiet"));
    assert_null(strstr(compile_in_use(&p, quiet)->text, "fn loud"));
    assert_non_null(strstr(compile_in_use(&p, loud)->text, "fn loud"));
    assert_int_equal(reload_in_use(&p, loud), 3);
    /* Text of the program's finds no file before there is a root. */
    gpool_shader text = compile_shader(&p, reload_main, "text");
    assert_same(gpool_shader_status(p.pool, text), GPOOL_ERROR_FILE);
    assert_int_equal(sim_pool_taken(&p, GPOOL_LOG_FILE), 1);
    assert_same(gpool_shader_add_root(p.pool, reload_folder), GPOOL_OK);
    gpool_shader rooted = compile_shader(&p, reload_main, "text");
    assert_same(gpool_shader_wait(p.pool, rooted, UINT64_MAX), GPOOL_OK);
    assert_int_equal(reload_in_use(&p, rooted), 3);
    /* A virtual file hides the one on disk, and gives it free again. */
    reload_set(&p, "number.wgsl", reload_lib("number", 7));
    reload_settle(&p);
    assert_int_equal(reload_in_use(&p, rooted), 7);
    reload_set(&p, "number.wgsl", NULL);
    reload_settle(&p);
    assert_int_equal(reload_in_use(&p, rooted), 3);
    assert_int_equal(sim_pool_stats(&p).failed_reloads, 0);
    static const char *const names[] = { "main.wgsl", "number.wgsl" };
    reload_remove_folder(names, 2);
    compile_close(&p);
}

static void one_file_of_30_makes_its_dependents_anew_and_no_others(void **state)
{
    (void)state;
    enum {
        FILES = 30,
        SHADERS = 40
    };
    for (size_t w = 0; w < UNIT_COUNT(reload_workers); ++w) {
        sim_pool p;
        compile_open(&p, reload_workers[w]);
        char name[32];
        char text[512];
        for (uint64_t i = 0; i < FILES; ++i) {
            (void)snprintf(name, sizeof name, "f%llu", (unsigned long long)i);
            const char *lib = reload_lib(name, 0);
            (void)snprintf(text, sizeof text, "%s.wgsl", name);
            reload_set(&p, text, lib);
        }
        gpool_shader shaders[SHADERS];
        gpool_pipeline pipelines[SHADERS];
        bool uses[SHADERS][FILES] = { { false } };
        uint64_t random = 5;
        for (uint32_t i = 0; i < SHADERS; ++i) {
            size_t at = (size_t)snprintf(text, sizeof text, "const self = %uu;\n", i);
            for (int k = 0; k < 3; ++k) {
                uint32_t file = (uint32_t)unit_random_below(&random, FILES);
                uses[i][file] = true;
                at +=
                    (size_t)snprintf(text + at, sizeof text - at, "#include \"f%u.wgsl\"\n", file);
            }
            (void)snprintf(text + at, sizeof text - at, "fn vs() {}\nfn fs() {}\n");
            shaders[i] = compile_shader(&p, text, "dependent");
            pipelines[i] = compile_pipeline(&p, shaders[i], "dependent");
        }
        compile_settle_all(&p);
        for (uint32_t file = 0; file < FILES; ++file) {
            gpool_stats before = sim_pool_stats(&p);
            uint32_t versions[SHADERS];
            uint32_t dependents = 0;
            for (uint32_t i = 0; i < SHADERS; ++i) {
                versions[i] = gpool_pipeline_version(p.pool, pipelines[i]);
                dependents += uses[i][file];
            }
            (void)snprintf(name, sizeof name, "f%u", file);
            (void)snprintf(text, sizeof text, "%s.wgsl", name);
            reload_set(&p, text, reload_lib(name, 1 + file));
            reload_settle(&p);
            gpool_stats after = sim_pool_stats(&p);
            assert_int_equal(after.shader_misses - before.shader_misses, dependents);
            assert_int_equal(after.pipeline_misses - before.pipeline_misses, dependents);
            assert_int_equal(after.shader_hits, before.shader_hits);
            assert_int_equal(after.reloads - before.reloads, dependents > 0);
            for (uint32_t i = 0; i < SHADERS; ++i) {
                assert_int_equal(gpool_pipeline_version(p.pool, pipelines[i]) - versions[i],
                                 uses[i][file]);
                assert_int_equal(reload_number_of(compile_in_use(&p, shaders[i]), name),
                                 uses[i][file] ? 1 + file : UINT64_MAX);
            }
        }
        compile_close(&p);
    }
}

static void a_broken_file_keeps_the_last_good_until_it_is_mended(void **state)
{
    (void)state;
    for (size_t w = 0; w < UNIT_COUNT(reload_workers); ++w) {
        sim_pool p;
        compile_open(&p, reload_workers[w]);
        gpool_texture target = compile_target(&p);
        reload_set(&p, "number.wgsl", reload_lib("number", 1));
        gpool_shader shader = compile_shader(&p, reload_main, "main");
        gpool_pipeline pipeline = compile_pipeline(&p, shader, "drawn");
        assert_int_equal(reload_drawn(&p, pipeline, target), 1);
        /* A directive, a compile, a pipeline, a file that is gone: four ways to break it. */
        static const char *const broken[] = { "\n#if\nconst number = 2u;\n",
                                              "const number = 2u;\nfn f( {}\n",
                                              "#define vs us\nconst number = 2u;\n", NULL };
        static const gpool_result results[] = { GPOOL_ERROR_INVALID_ARGUMENT, GPOOL_ERROR_GPU,
                                                GPOOL_ERROR_GPU, GPOOL_ERROR_FILE };
        static const gpool_log_id ids[] = { GPOOL_LOG_SHADER_COMPILE, GPOOL_LOG_SHADER_COMPILE,
                                            GPOOL_LOG_PIPELINE_CREATE, GPOOL_LOG_FILE };
        for (uint32_t i = 0; i < UNIT_COUNT(broken); ++i) {
            gpool_stats before = sim_pool_stats(&p);
            reload_set(&p, "number.wgsl", broken[i]);
            for (int frame = 0; frame < 5; ++frame) {
                assert_int_equal(reload_drawn(&p, pipeline, target), 1 + i);
                reload_settle(&p);
            }
            gpool_stats after = sim_pool_stats(&p);
            assert_int_equal(after.failed_reloads - before.failed_reloads, 1);
            assert_int_equal(after.reloads, before.reloads);
            assert_int_equal(sim_pool_taken(&p, ids[i]), 1); /* told once */
            gpool_shader_info info = reload_info(&p, shader);
            assert_same(info.status, GPOOL_OK);
            assert_same(info.reload_status, results[i]);
            assert_int_equal(info.version, 1 + i);
            assert_true(info.message[0] != '\0');
            assert_same(gpool_shader_status(p.pool, shader), GPOOL_OK);
            assert_same(gpool_pipeline_status(p.pool, pipeline), GPOOL_OK);
            if (i == 0) {
                assert_string_equal(info.file, "number.wgsl");
                assert_int_equal(info.line, 2);
            }
            /* A version that is as broken as the one before is told again: it is another one. */
            reload_set(&p, "number.wgsl", reload_lib("number", 2 + i));
            reload_settle(&p);
            assert_int_equal(reload_drawn(&p, pipeline, target), 2 + i);
            info = reload_info(&p, shader);
            assert_same(info.reload_status, GPOOL_OK);
            assert_string_equal(info.message, "");
            assert_string_equal(info.file, "");
            assert_int_equal(info.version, 2 + i);
            assert_int_equal(gpool_pipeline_version(p.pool, pipeline), 2 + i);
        }
        compile_close(&p);
    }
}

static void files_that_belong_together_are_new_together(void **state)
{
    (void)state;
    for (size_t w = 0; w < UNIT_COUNT(reload_workers); ++w) {
        sim_pool p;
        compile_open(&p, reload_workers[w]);
        gpool_texture target = compile_target(&p);
        reload_set(&p, "number.wgsl", reload_lib("number", 1));
        reload_set(&p, "other.wgsl", reload_lib("number", 1));
        gpool_shader a = compile_shader(&p, reload_main, "a");
        gpool_shader b = compile_shader(&p, "#include \"other.wgsl\"\n// b\n" RELOAD_MAIN, "b");
        gpool_pipeline of_a = compile_pipeline(&p, a, "a");
        gpool_pipeline of_b = compile_pipeline(&p, b, "b");
        compile_settle_all(&p);
        reload_set(&p, "number.wgsl", reload_lib("number", 2));
        reload_set(&p, "other.wgsl", "const number = 2u; )\n");
        reload_settle(&p);
        assert_int_equal(reload_drawn(&p, of_a, target), 1);
        assert_int_equal(reload_drawn(&p, of_b, target), 1);
        assert_int_equal(sim_pool_stats(&p).failed_reloads, 1);
        reload_set(&p, "other.wgsl", reload_lib("number", 3));
        reload_settle(&p);
        assert_int_equal(reload_drawn(&p, of_a, target), 2);
        assert_int_equal(reload_drawn(&p, of_b, target), 3);
        assert_int_equal(sim_pool_stats(&p).reloads, 1);
        compile_close(&p);
    }
}

static void a_shader_mended_beside_a_broken_one_has_no_complaint(void **state)
{
    (void)state;
    for (size_t w = 0; w < UNIT_COUNT(reload_workers); ++w) {
        sim_pool p;
        compile_open(&p, reload_workers[w]);
        reload_set(&p, "number.wgsl", reload_lib("number", 1));
        reload_set(&p, "other.wgsl", reload_lib("number", 1));
        gpool_shader a = compile_shader(&p, reload_main, "a");
        gpool_shader b = compile_shader(&p, "#include \"other.wgsl\"\n// b\n" RELOAD_MAIN, "b");
        compile_settle_all(&p);
        reload_set(&p, "number.wgsl", "#if\n");
        reload_settle(&p);
        assert_same(reload_info(&p, a).reload_status, GPOOL_ERROR_INVALID_ARGUMENT);
        /* What is mended waits for the rest of its set, with nothing wrong with it. */
        reload_set(&p, "number.wgsl", reload_lib("number", 2));
        reload_set(&p, "other.wgsl", "#if\n");
        reload_settle(&p);
        assert_same(reload_info(&p, b).reload_status, GPOOL_ERROR_INVALID_ARGUMENT);
        assert_same(reload_info(&p, a).reload_status, GPOOL_OK);
        assert_string_equal(reload_info(&p, a).message, "");
        assert_int_equal(reload_info(&p, a).version, 1);
        compile_close(&p);
    }
}

static void without_watching_nothing_is_looked_at_before_the_caller_tells(void **state)
{
    (void)state;
    sim_pool p;
    compile_open(&p, 1);
    reload_make_folder();
    reload_write("main.wgsl", reload_main);
    reload_write("number.wgsl", reload_lib("number", 1));
    gpool_shader shader = from_file(&p, reload_path("main.wgsl"));
    assert_same(gpool_shader_wait(p.pool, shader, UINT64_MAX), GPOOL_OK);
    reload_write("number.wgsl", reload_lib("number", 22));
    for (int i = 0; i < 5; ++i) {
        reload_settle(&p);
    }
    assert_int_equal(reload_in_use(&p, shader), 1);
    assert_same(gpool_shader_file_changed(p.pool, reload_path("number.wgsl")), GPOOL_OK);
    assert_same(gpool_shader_file_changed(p.pool, "/no/shader/comes/from.here"), GPOOL_OK);
    reload_settle(&p);
    assert_int_equal(reload_in_use(&p, shader), 22);
    assert_same(gpool_shader_file_changed(p.pool, reload_path("number.wgsl")), GPOOL_OK);
    reload_settle(&p);
    assert_int_equal(sim_pool_stats(&p).reloads, 1); /* the same bytes */
    static const char *const names[] = { "main.wgsl", "number.wgsl" };
    reload_remove_folder(names, 2);
    compile_close(&p);
}

static void watched_files_are_seen_by_themselves(void **state)
{
    (void)state;
    sim_pool p;
    compile_open_with(&p, &(sim_desc){ 0 },
                      (gpool_desc){ .compile_workers = 2, .shader_watch_ms = 1 });
    reload_make_folder();
    reload_write("main.wgsl", reload_main);
    gpool_shader shader = from_file(&p, reload_path("main.wgsl"));
    assert_same(gpool_shader_status(p.pool, shader), GPOOL_ERROR_FILE);
    assert_int_equal(sim_pool_taken(&p, GPOOL_LOG_FILE), 1);
    for (uint64_t number = 1; number <= 3; ++number) {
        reload_write("number.wgsl", reload_lib("number", number)); /* appears, then changes */
        const uint64_t begin = gpool__now_ns();
        do {
            compile_nap();
            sim_pool_frame(&p);
        } while (reload_in_use(&p, shader) != number &&
                 gpool__now_ns() - begin < UINT64_C(20000000000));
        assert_int_equal(reload_in_use(&p, shader), number);
        assert_same(gpool_shader_status(p.pool, shader), GPOOL_OK);
    }
    static const char *const names[] = { "main.wgsl", "number.wgsl" };
    reload_remove_folder(names, 2);
    compile_close(&p);
}

static void dirty_makes_exactly_that_entry_anew(void **state)
{
    (void)state;
    for (size_t w = 0; w < UNIT_COUNT(reload_workers); ++w) {
        sim_pool p;
        compile_open(&p, reload_workers[w]);
        gpool_shader a = compile_shader(&p, compile_text(1), "a");
        gpool_shader b = compile_shader(&p, compile_text(1), "b");
        gpool_shader c = compile_shader(&p, compile_text(2), "c");
        gpool_pipeline of_a = compile_pipeline(&p, a, "a");
        gpool_pipeline of_b = compile_pipeline(&p, b, "b");
        gpool_pipeline of_c = compile_pipeline(&p, c, "c");
        compile_settle_all(&p);
        gpool_stats before = sim_pool_stats(&p);
        const gpool__module *was = compile_in_use(&p, b);
        assert_same(gpool_shader_dirty(p.pool, a), GPOOL_OK);
        reload_settle(&p);
        gpool_stats after = sim_pool_stats(&p);
        assert_int_equal(after.shader_misses - before.shader_misses, 1);
        assert_int_equal(after.pipeline_misses - before.pipeline_misses, 1);
        assert_int_equal(gpool_pipeline_version(p.pool, of_a), 2);
        assert_int_equal(gpool_pipeline_version(p.pool, of_b), 1);
        assert_int_equal(gpool_pipeline_version(p.pool, of_c), 1);
        assert_true(compile_in_use(&p, a) != was);
        assert_true(compile_in_use(&p, b) == was);
        assert_int_equal(reload_info(&p, a).version, 2);
        assert_int_equal(reload_info(&p, b).version, 1);
        /* The newest one is what others find. */
        gpool_shader d = compile_shader(&p, compile_text(1), "d");
        assert_true(compile_in_use(&p, d) == compile_in_use(&p, a));
        /* Both dirty: one compile for both. */
        before = sim_pool_stats(&p);
        assert_same(gpool_shader_dirty(p.pool, a), GPOOL_OK);
        assert_same(gpool_shader_dirty(p.pool, b), GPOOL_OK);
        reload_settle(&p);
        after = sim_pool_stats(&p);
        assert_int_equal(after.shader_misses - before.shader_misses, 1);
        assert_true(compile_in_use(&p, a) == compile_in_use(&p, b));
        compile_close(&p);
    }
}

static void a_shader_that_was_broken_comes_alive_with_its_pipelines(void **state)
{
    (void)state;
    for (size_t w = 0; w < UNIT_COUNT(reload_workers); ++w) {
        for (int way = 0; way < 3; ++way) {
            static const char *const broken[] = { NULL, "#if\n", "const number = 0u; (\n" };
            static const gpool_result results[] = { GPOOL_ERROR_FILE, GPOOL_ERROR_INVALID_ARGUMENT,
                                                    GPOOL_ERROR_GPU };
            sim_pool p;
            compile_open(&p, reload_workers[w]);
            gpool_texture target = compile_target(&p);
            if (broken[way] != NULL) {
                reload_set(&p, "number.wgsl", broken[way]);
            }
            gpool_shader shader = compile_shader(&p, reload_main, "late");
            gpool_pipeline own = compile_pipeline(&p, shader, "own targets");
            gpool_pipeline open = gpool_render_pipeline_create(
                p.pool, &(gpool_render_pipeline_desc){ .shader = shader, .scope = compile_scope });
            compile_settle_all(&p);
            assert_same(gpool_shader_status(p.pool, shader), results[way]);
            assert_same(gpool_pipeline_status(p.pool, own), GPOOL_ERROR_FAILED_RESOURCE);
            assert_same(gpool_pipeline_status(p.pool, open), GPOOL_ERROR_FAILED_RESOURCE);
            reload_set(&p, "number.wgsl", reload_lib("number", 9));
            reload_settle(&p);
            assert_same(gpool_shader_status(p.pool, shader), GPOOL_OK);
            assert_same(gpool_pipeline_wait(p.pool, own, UINT64_MAX), GPOOL_OK);
            assert_same(gpool_pipeline_status(p.pool, open), GPOOL_OK);
            assert_int_equal(reload_drawn(&p, own, target), 9);
            assert_int_equal(reload_drawn(&p, open, target), 9);
            compile_close(&p);
        }
    }
}

static void a_text_that_no_compiler_bears_stays_failed_when_called_dirty(void **state)
{
    (void)state;
    sim_pool p;
    compile_open(&p, 1);
    char text[1024];
    memset(text, '(', 600);
    text[600] = '\0';
    gpool_shader shader = compile_shader(&p, text, "deep");
    assert_same(gpool_shader_status(p.pool, shader), GPOOL_ERROR_LIMIT);
    assert_same(gpool_shader_dirty(p.pool, shader), GPOOL_OK);
    reload_settle(&p);
    assert_same(gpool_shader_status(p.pool, shader), GPOOL_ERROR_LIMIT);
    assert_int_equal(sim_pool_stats(&p).reloads, 0);
    compile_close(&p);
}

static void a_pipeline_that_never_was_keeps_no_shader_from_new_text(void **state)
{
    (void)state;
    for (size_t w = 0; w < UNIT_COUNT(reload_workers); ++w) {
        sim_pool p;
        compile_open(&p, reload_workers[w]);
        gpool_texture target = compile_target(&p);
        reload_set(&p, "number.wgsl", reload_lib("number", 1));
        gpool_shader shader = compile_shader(&p, reload_main, "main");
        gpool_pipeline good = compile_pipeline(&p, shader, "good");
        gpool_pipeline dead = gpool_render_pipeline_create(
            p.pool, &(gpool_render_pipeline_desc){ .shader = shader,
                                                   .vertex_entry = "elsewhere",
                                                   .colors[0].format = COMPILE_FORMAT,
                                                   .samples = 1,
                                                   .label = "dead",
                                                   .scope = compile_scope });
        compile_settle_all(&p);
        assert_int_equal(sim_pool_taken(&p, GPOOL_LOG_PIPELINE_CREATE), 1);
        reload_set(&p, "number.wgsl", reload_lib("number", 2));
        reload_settle(&p);
        assert_int_equal(reload_drawn(&p, good, target), 2);
        assert_same(gpool_pipeline_status(p.pool, dead), GPOOL_ERROR_GPU);
        assert_int_equal(sim_pool_stats(&p).failed_reloads, 0);
        assert_int_equal(sim_pool_taken(&p, GPOOL_LOG_PIPELINE_CREATE), 1);
        /* The text that has the function at last makes it whole. */
        reload_set(&p, "number.wgsl", "const number = 3u;\nfn elsewhere() {}\n");
        reload_settle(&p);
        assert_same(gpool_pipeline_status(p.pool, dead), GPOOL_OK);
        assert_int_equal(reload_drawn(&p, dead, target), 3);
        /* And from then on it is one to be kept whole. */
        reload_set(&p, "number.wgsl", reload_lib("number", 4));
        reload_settle(&p);
        assert_int_equal(reload_drawn(&p, dead, target), 3);
        assert_int_equal(reload_drawn(&p, good, target), 3);
        assert_int_equal(sim_pool_stats(&p).failed_reloads, 1);
        compile_close(&p);
    }
}

static void pipelines_follow_files_when_the_shader_handle_is_gone(void **state)
{
    (void)state;
    sim_pool p;
    compile_open(&p, 1);
    gpool_texture target = compile_target(&p);
    reload_set(&p, "number.wgsl", reload_lib("number", 1));
    gpool_shader shader = compile_shader(&p, reload_main, "brief");
    gpool_pipeline pipeline = compile_pipeline(&p, shader, "stays");
    assert_same(gpool_shader_destroy(p.pool, shader), GPOOL_OK);
    sim_pool_frame(&p);
    sim_pool_frame(&p);
    reload_set(&p, "number.wgsl", reload_lib("number", 2));
    reload_settle(&p);
    assert_int_equal(reload_drawn(&p, pipeline, target), 2);
    assert_same(gpool_pipeline_destroy(p.pool, pipeline), GPOOL_OK);
    sim_pool_frame(&p);
    sim_pool_frame(&p);
    assert_null(p.pool->shaders->codes);
    assert_int_equal(p.pool->shaders->watch.id_count, 0);
    compile_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sources_come_from_files_roots_and_virtual_files_with_switches),
        cmocka_unit_test(one_file_of_30_makes_its_dependents_anew_and_no_others),
        cmocka_unit_test(a_broken_file_keeps_the_last_good_until_it_is_mended),
        cmocka_unit_test(files_that_belong_together_are_new_together),
        cmocka_unit_test(a_shader_mended_beside_a_broken_one_has_no_complaint),
        cmocka_unit_test(without_watching_nothing_is_looked_at_before_the_caller_tells),
        cmocka_unit_test(watched_files_are_seen_by_themselves),
        cmocka_unit_test(dirty_makes_exactly_that_entry_anew),
        cmocka_unit_test(a_shader_that_was_broken_comes_alive_with_its_pipelines),
        cmocka_unit_test(a_text_that_no_compiler_bears_stays_failed_when_called_dirty),
        cmocka_unit_test(a_pipeline_that_never_was_keeps_no_shader_from_new_text),
        cmocka_unit_test(pipelines_follow_files_when_the_shader_handle_is_gone),
    };
    return cmocka_run_group_tests_name("sim_reload", tests, NULL, NULL);
}
