/* What covers a recycled texture needs no clear, and what does not cover it does. */
#include "recycle_pool.h"

#include "pool/texture_state.h"

#define RED 0xff0000ffu

static gpool_texture recycled(sim_pool *p, gpool_texture_desc desc)
{
    uint64_t hits = sim_pool_stats(p).recycle_hits;
    gpool_texture texture = make_texture(p, desc);
    assert_int_equal(sim_pool_stats(p).recycle_hits, hits + 1);
    return texture;
}

static void pass(sim_pool *p, gpool_texture texture, gpool_load_op load, gpool_store_op store)
{
    gpool_recorder rec = gpool_frame_recorder(p->pool);
    gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = texture,
                                                                .load = load,
                                                                .store = store,
                                                                .clear = { 1, 0, 0, 1 } } });
    gpool_end_pass(rec);
}

static uint64_t passes(sim_pool *p)
{
    return sim_call_count(p->s, GPOOL_GPU_CommandEncoderBeginRenderPass);
}

/* All texels of the first level and layer are one value. */
static void filled(sim_pool *p, gpool_texture texture, uint32_t texel)
{
    uint32_t got[16 * 8];
    const gpool_texture_region first = { 0 };
    assert_same(gpool_texture_read(p->pool, texture, &first, got, sizeof got), GPOOL_OK);
    for (size_t i = 0; i < UNIT_COUNT(got); ++i) {
        assert_int_equal(got[i], texel);
    }
}

static uint32_t raw_texel(sim_pool *p, gpool_texture handle)
{
    gpool_result result;
    const gpool__texture *texture =
        (gpool__texture *)gpool__resolve(p->pool, handle.id, GPOOL_KIND_TEXTURE, &result);
    assert_non_null(texture);
    uint32_t texel = 0x55555555;
    assert_true(sim_read_texel(p->s, texture->gpu, 0, 15, 7, 0, &texel, sizeof texel));
    return texel;
}

/* --- what covers --- */

static void a_pass_that_clears_all_of_a_target_is_its_only_clear(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(manners); ++i) {
        sim_pool p;
        open(&p, i, (gpool_recycle_desc){ 0 });
        keep_texture(&p, target_desc());
        /* Drawn and destroyed in its frame, over and over. */
        for (int frame = 0; frame < 5; ++frame) {
            uint64_t before = passes(&p);
            uint64_t encoders = sim_call_count(p.s, GPOOL_GPU_CommandEncoderFinish);
            assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
            gpool_texture texture = recycled(&p, target_desc());
            pass(&p, texture, GPOOL_LOAD_CLEAR, GPOOL_STORE_KEEP);
            if (frame < 4) {
                assert_same(gpool_texture_destroy(p.pool, texture), GPOOL_OK);
            }
            assert_same(gpool_end_frame(p.pool), GPOOL_OK);
            assert_int_equal(passes(&p), before + 1);
            assert_int_equal(sim_call_count(p.s, GPOOL_GPU_CommandEncoderFinish), encoders + 1);
            drain(&p);
            if (frame == 4) {
                filled(&p, texture, RED);
                assert_int_equal(passes(&p), before + 1);
                end(&p, texture.id);
            }
        }
        sim_pool_close(&p, 0);
    }
}

static void a_covered_texture_makes_no_submit_by_itself(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(manners); ++i) {
        sim_pool p;
        open(&p, i, (gpool_recycle_desc){ 0 });
        keep_texture(&p, target_desc());
        assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
        gpool_texture texture = recycled(&p, target_desc());
        pass(&p, texture, GPOOL_LOAD_CLEAR, GPOOL_STORE_KEEP);
        uint64_t before = sim_call_count(p.s, GPOOL_GPU_QueueSubmit);
        for (int k = 0; k < 3; ++k) {
            assert_same(gpool_tick(p.pool), GPOOL_OK);
            assert_same(gpool_process_uploads(p.pool), GPOOL_OK);
        }
        assert_int_equal(sim_call_count(p.s, GPOOL_GPU_QueueSubmit), before);
        assert_same(gpool_end_frame(p.pool), GPOOL_OK);
        assert_int_equal(sim_call_count(p.s, GPOOL_GPU_QueueSubmit), before + 1);
        filled(&p, texture, RED);
        /* What nothing covers is cleared by a tick, as it may be used by nobody for long. */
        drain(&p);
        end(&p, texture.id);
        drain(&p);
        texture = recycled(&p, target_desc());
        before = sim_call_count(p.s, GPOOL_GPU_QueueSubmit);
        assert_same(gpool_tick(p.pool), GPOOL_OK);
        assert_int_equal(sim_call_count(p.s, GPOOL_GPU_QueueSubmit), before + 1);
        end(&p, texture.id);
        sim_pool_close(&p, 0);
    }
}

/* Submits that are not the recording's pass over what it covers, and what waits beside it is cleared. */
static void a_covered_texture_waits_for_the_submit_of_its_recording(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(manners); ++i) {
        sim_pool p;
        open(&p, i, (gpool_recycle_desc){ 0 });
        for (int round = 0; round < 2; ++round) {
            gpool_texture textures[5];
            for (int t = 0; t < 5; ++t) {
                textures[t] = make_texture(&p, target_desc());
                assert_same(gpool_texture_write(p.pool, textures[t], NULL, dirt(), LARGE, 0),
                            GPOOL_OK);
            }
            for (int t = 0; t < 5; ++t) {
                assert_same(gpool_texture_destroy(p.pool, textures[t]), GPOOL_OK);
            }
            drain(&p);
        }
        assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
        uint64_t before = passes(&p);
        gpool_texture gone = recycled(&p, target_desc());
        gpool_texture first = recycled(&p, target_desc());
        gpool_texture idle = recycled(&p, target_desc());
        gpool_texture second = recycled(&p, target_desc());
        (void)gpool_frame_recorder(p.pool); /* what is destroyed may be named from here on */
        assert_same(gpool_texture_destroy(p.pool, gone), GPOOL_OK);
        pass(&p, first, GPOOL_LOAD_CLEAR, GPOOL_STORE_KEEP);
        pass(&p, second, GPOOL_LOAD_CLEAR, GPOOL_STORE_KEEP);
        sim_fail(p.s, GPOOL_GPU_CommandEncoderFinish, 1, SIM_FAIL_VALIDATION, false);
        assert_same(gpool_process_uploads(p.pool), GPOOL_ERROR_GPU);
        sim_fail_none(p.s);
        before += 2; /* the clears of `gone` and `idle`, in vain */
        assert_true(gpool__pool_validate(p.pool));
        assert_same(gpool_process_uploads(p.pool), GPOOL_OK);
        assert_true(gpool__pool_validate(p.pool));
        assert_same(gpool_tick(p.pool), GPOOL_OK);
        assert_int_equal(raw_texel(&p, idle), 0);
        assert_int_not_equal(raw_texel(&p, first), 0);
        gpool_texture late = recycled(&p, target_desc());
        assert_same(gpool_submit(p.pool), GPOOL_OK);
        assert_true(gpool__pool_validate(p.pool));
        /* Two passes, and clears of `gone`, `idle` and `late`. */
        assert_int_equal(passes(&p), before + 5);
        assert_same(gpool_end_frame(p.pool), GPOOL_OK);
        filled(&p, first, RED);
        filled(&p, second, RED);
        filled(&p, idle, 0);
        filled(&p, late, 0);
        end(&p, first.id);
        end(&p, second.id);
        end(&p, idle.id);
        end(&p, late.id);
        sim_pool_close(&p, 0);
    }
}

static void a_write_or_copy_of_all_replaces_the_clear(void **state)
{
    (void)state;
    for (int way = 0; way < 4; ++way) {
        sim_pool p;
        open(&p, (size_t)way % 3, (gpool_recycle_desc){ 0 });
        gpool_texture_desc other = target_desc();
        other.usage |= GPOOL_TEXTURE_SAMPLED; /* another class */
        gpool_texture source = make_texture(&p, other);
        static uint8_t bytes[8 * 256];
        memset(bytes, 0x3e, sizeof bytes);
        assert_same(gpool_texture_write(p.pool, source, NULL, bytes, sizeof bytes, 0), GPOOL_OK);
        gpool_buffer rows = make(&p, sizeof bytes, SHADOWED, bytes);
        keep_texture(&p, target_desc());
        gpool_texture texture = recycled(&p, target_desc());
        uint64_t before = passes(&p);
        uint64_t submits = sim_pool_stats(&p).submits;
        if (way == 0) {
            gpool_texture_region all = { .width = 16, .height = 8 };
            assert_same(gpool_texture_write(p.pool, texture, &all, bytes, sizeof bytes, 0),
                        GPOOL_OK);
            assert_int_equal(sim_pool_stats(&p).submits, submits);
        } else {
            assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
            gpool_recorder rec = gpool_frame_recorder(p.pool);
            if (way == 1) {
                gpool_copy_texture(rec, source, NULL, texture, NULL);
            } else if (way == 2) {
                gpool_copy_buffer_to_texture(rec, rows, 0, 256, texture, NULL);
            } else {
                /* Covered by the recording, and meanwhile by the queue. */
                gpool_copy_texture(rec, source, NULL, texture, NULL);
                assert_same(gpool_texture_write(p.pool, texture, NULL, dirt(), LARGE, 0), GPOOL_OK);
                assert_int_equal(sim_pool_stats(&p).submits, submits);
                filled(&p, texture, 0xd1d1d1d1);
            }
            assert_same(gpool_end_frame(p.pool), GPOOL_OK);
        }
        filled(&p, texture, 0x3e3e3e3e);
        assert_int_equal(passes(&p), before);
        end(&p, texture.id);
        end(&p, source.id);
        end(&p, rows.id);
        sim_pool_close(&p, 0);
    }
}

/* --- what does not --- */

typedef enum before_cover {
    BEFORE_NONE,
    BEFORE_PART_WRITE,
    BEFORE_PART_COPY,
    BEFORE_PART_ROWS,
    BEFORE_COPY_OUT,
    BEFORE_ROWS_OUT,
    BEFORE_READ_TICKET,
    BEFORE_LOAD,
    BEFORE_DISCARD,
    BEFORE_BIND,
    BEFORE_RAW,
    BEFORE_COUNT
} before_cover;

typedef struct cover_world {
    sim_pool p;
    gpool_texture other; /* full of 0x3e */
    gpool_buffer rows;   /* the same */
    gpool_layout layout;
    gpool_ticket ticket;
} cover_world;

static void world_open(cover_world *w, size_t manner)
{
    *w = (cover_world){ 0 };
    open(&w->p, manner, (gpool_recycle_desc){ 0 });
    static uint8_t bytes[8 * 256];
    memset(bytes, 0x3e, sizeof bytes);
    gpool_texture_desc other = target_desc();
    other.format = WGPUTextureFormat_RGBA8Unorm;
    other.usage &= ~(gpool_texture_usage)GPOOL_TEXTURE_TARGET; /* another class */
    w->other = make_texture(&w->p, other);
    assert_same(gpool_texture_write(w->p.pool, w->other, NULL, bytes, sizeof bytes, 0), GPOOL_OK);
    w->rows = make(&w->p, sizeof bytes, WRITTEN | GPOOL_BUFFER_COPY_TARGET, bytes);
    const gpool_layout_entry entry = { .type = GPOOL_BINDING_TEXTURE };
    w->layout =
        gpool_layout_create(w->p.pool, &(gpool_layout_desc){ .entries = &entry, .entry_count = 1 });
    assert_int_not_equal(w->layout.id, 0);
}

static gpool_texture_desc sampled_desc(void)
{
    gpool_texture_desc desc = target_desc();
    desc.usage |= GPOOL_TEXTURE_SAMPLED;
    return desc;
}

static void world_use(cover_world *w, gpool_texture texture, before_cover use)
{
    sim_pool *p = &w->p;
    gpool_recorder rec = gpool_frame_recorder(p->pool);
    const gpool_texture_region part = { .width = 15, .height = 8 };
    switch (use) {
    case BEFORE_PART_WRITE:
        assert_same(gpool_texture_write(p->pool, texture, &part, dirt(), LARGE, 0), GPOOL_OK);
        break;
    case BEFORE_PART_COPY:
        gpool_copy_texture(rec, w->other, &part, texture, &part);
        break;
    case BEFORE_PART_ROWS:
        gpool_copy_buffer_to_texture(rec, w->rows, 0, 256, texture, &part);
        break;
    case BEFORE_COPY_OUT:
        gpool_copy_texture(rec, texture, NULL, w->other, NULL);
        break;
    case BEFORE_ROWS_OUT:
        gpool_copy_texture_to_buffer(rec, texture, NULL, w->rows, 0, 256);
        break;
    case BEFORE_READ_TICKET:
        w->ticket = gpool_read_texture(rec, texture, NULL, NULL);
        break;
    case BEFORE_LOAD:
        pass(p, texture, GPOOL_LOAD_KEEP, GPOOL_STORE_KEEP);
        break;
    case BEFORE_DISCARD:
        pass(p, texture, GPOOL_LOAD_CLEAR, GPOOL_STORE_DISCARD);
        break;
    case BEFORE_BIND:
        gpool_begin_compute(rec, NULL);
        gpool_set_bindings(rec, 0, w->layout, &(gpool_binding){ .texture = texture }, 1, NULL, 0);
        gpool_end_pass(rec);
        break;
    case BEFORE_RAW:
        assert_non_null(gpool_texture_gpu(p->pool, texture, GPOOL_ACCESS_READ));
        assert_int_equal(raw_texel(p, texture), 0);
        break;
    default:
        break;
    }
}

/* A first use that sees or keeps any of it: cleared before, though a pass covers it later. */
static void any_other_first_use_sees_zeros(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(manners) * BEFORE_COUNT; ++i) {
        before_cover use = (before_cover)(i % BEFORE_COUNT);
        cover_world w;
        world_open(&w, i / BEFORE_COUNT);
        sim_pool *p = &w.p;
        keep_texture(p, sampled_desc());
        assert_same(gpool_begin_frame(p->pool), GPOOL_OK);
        uint64_t before = passes(p);
        gpool_texture texture = recycled(p, sampled_desc());
        world_use(&w, texture, use);
        pass(p, texture, GPOOL_LOAD_CLEAR, GPOOL_STORE_KEEP);
        assert_same(gpool_end_frame(p->pool), GPOOL_OK);
        filled(p, texture, RED);
        bool own_pass = use == BEFORE_LOAD || use == BEFORE_DISCARD;
        assert_int_equal(passes(p), before + 1 + own_pass + (use != BEFORE_NONE));
        if (use == BEFORE_COPY_OUT) {
            filled(p, w.other, 0);
        } else if (use == BEFORE_ROWS_OUT) {
            same(p, w.rows, 64, 0, 0);
        } else if (use == BEFORE_READ_TICKET) {
            uint8_t got[16 * 8 * 4];
            static const uint8_t zeros[sizeof got];
            assert_same(gpool_ticket_wait(p->pool, w.ticket, UINT64_MAX), GPOOL_OK);
            assert_same(gpool_ticket_take(p->pool, w.ticket, got, sizeof got), GPOOL_OK);
            assert_memory_equal(got, zeros, sizeof got);
        }
        end(p, texture.id);
        end(p, w.layout.id);
        end(p, w.other.id);
        end(p, w.rows.id);
        sim_pool_close(p, 0);
    }
}

/* The use is all there is: nothing of before is left beside it or behind it. */
static void what_covers_in_part_or_not_at_all_leaves_zeros(void **state)
{
    (void)state;
    static const before_cover uses[] = { BEFORE_PART_WRITE, BEFORE_PART_COPY, BEFORE_PART_ROWS,
                                         BEFORE_LOAD,       BEFORE_DISCARD,   BEFORE_BIND };
    for (size_t i = 0; i < UNIT_COUNT(manners) * UNIT_COUNT(uses); ++i) {
        before_cover use = uses[i % UNIT_COUNT(uses)];
        cover_world w;
        world_open(&w, i / UNIT_COUNT(uses));
        sim_pool *p = &w.p;
        keep_texture(p, sampled_desc());
        assert_same(gpool_begin_frame(p->pool), GPOOL_OK);
        uint64_t before = passes(p);
        gpool_texture texture = recycled(p, sampled_desc());
        world_use(&w, texture, use);
        assert_same(gpool_end_frame(p->pool), GPOOL_OK);
        bool own_pass = use == BEFORE_LOAD || use == BEFORE_DISCARD;
        assert_int_equal(passes(p), before + 1 + own_pass);
        uint32_t got[16 * 8];
        assert_same(gpool_texture_read(p->pool, texture, NULL, got, sizeof got), GPOOL_OK);
        uint32_t beside = use == BEFORE_PART_WRITE  ? 0xd1d1d1d1
                          : use == BEFORE_PART_COPY ? 0x3e3e3e3e
                          : use == BEFORE_PART_ROWS ? 0x3e3e3e3e
                                                    : 0;
        for (size_t t = 0; t < UNIT_COUNT(got); ++t) {
            assert_int_equal(got[t], t % 16 == 15 ? 0 : beside);
        }
        end(p, texture.id);
        end(p, w.layout.id);
        end(p, w.other.id);
        end(p, w.rows.id);
        sim_pool_close(p, 0);
    }
}

static void one_level_or_layer_covered_does_not_cover_the_others(void **state)
{
    (void)state;
    static const uint32_t shapes[][2] = { { 2, 1 }, { 1, 2 }, { 3, 4 } };
    for (size_t i = 0; i < UNIT_COUNT(shapes) * 2; ++i) {
        sim_pool p;
        open(&p, i % 2, (gpool_recycle_desc){ 0 });
        gpool_texture_desc desc = target_desc();
        desc.mip_levels = shapes[i / 2][0];
        desc.depth_or_layers = shapes[i / 2][1];
        keep_texture(&p, desc);
        gpool_texture texture = recycled(&p, desc);
        if (i % 2 == 0) {
            assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
            pass(&p, texture, GPOOL_LOAD_CLEAR, GPOOL_STORE_KEEP);
            assert_same(gpool_end_frame(p.pool), GPOOL_OK);
            filled(&p, texture, RED);
        } else {
            gpool_texture_region all = { .width = 16, .height = 8 };
            assert_same(gpool_texture_write(p.pool, texture, &all, dirt(), LARGE, 0), GPOOL_OK);
            filled(&p, texture, 0xd1d1d1d1);
        }
        for (uint32_t z = 1; z < desc.depth_or_layers; ++z) {
            uint8_t got[16 * 8 * 4];
            static const uint8_t zeros[sizeof got];
            gpool_texture_region layer = { .z = z };
            assert_same(gpool_texture_read(p.pool, texture, &layer, got, sizeof got), GPOOL_OK);
            assert_memory_equal(got, zeros, sizeof got);
        }
        for (uint32_t level = 1; level < desc.mip_levels; ++level) {
            zero_level(&p, texture, level, desc.depth_or_layers);
        }
        end(&p, texture.id);
        sim_pool_close(&p, 0);
    }
}

/* --- ahead of the recording that covers it --- */

static void what_comes_before_the_recording_sees_zeros(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(manners) * 4; ++i) {
        sim_pool p;
        open(&p, i / 4, (gpool_recycle_desc){ 0 });
        keep_texture(&p, sampled_desc());
        assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
        gpool_texture texture = recycled(&p, sampled_desc());
        pass(&p, texture, GPOOL_LOAD_CLEAR, GPOOL_STORE_KEEP);
        assert_int_not_equal(raw_texel(&p, texture), 0); /* so that this can fail */
        if (i % 4 == 0) {
            filled(&p, texture, 0);
        } else if (i % 4 == 1) {
            const uint32_t texel = 0x3e3e3e3e;
            gpool_texture_region one = { .width = 1, .height = 1 };
            assert_same(gpool_texture_write(p.pool, texture, &one, &texel, 4, 0), GPOOL_OK);
            uint32_t got[16 * 8];
            assert_same(gpool_texture_read(p.pool, texture, NULL, got, sizeof got), GPOOL_OK);
            for (size_t t = 0; t < UNIT_COUNT(got); ++t) {
                assert_int_equal(got[t], t == 0 ? texel : 0);
            }
        } else if (i % 4 == 2) {
            assert_non_null(gpool_texture_gpu(p.pool, texture, GPOOL_ACCESS_READ));
            assert_int_equal(raw_texel(&p, texture), 0);
        } else {
            assert_non_null(gpool_texture_gpu_view(p.pool, texture, NULL, GPOOL_ACCESS_WRITE));
            assert_int_equal(raw_texel(&p, texture), 0);
        }
        assert_same(gpool_end_frame(p.pool), GPOOL_OK);
        filled(&p, texture, RED);
        end(&p, texture.id);
        sim_pool_close(&p, 0);
    }
}

/* --- a recording that is never submitted --- */

typedef enum cover_end {
    END_FINISH_FAILS,
    END_SUBMIT_FAILS,
    END_UPLOAD_FAILS,
    END_PASS_FAILS,
    END_COUNT
} cover_end;

static void fail_at_end(sim_pool *p, cover_end way)
{
    switch (way) {
    case END_FINISH_FAILS:
        sim_fail(p->s, GPOOL_GPU_CommandEncoderFinish, 1, SIM_FAIL_VALIDATION, false);
        break;
    case END_SUBMIT_FAILS:
        sim_fail(p->s, GPOOL_GPU_QueueSubmit, 1, SIM_FAIL_VALIDATION, false);
        break;
    default:
        sim_fail(p->s, GPOOL_GPU_QueueWriteBuffer, 1, SIM_FAIL_VALIDATION, false);
        break;
    }
}

static void a_pass_that_is_never_submitted_covers_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(manners) * END_COUNT * 2; ++i) {
        cover_end way = (cover_end)(i / 2 % END_COUNT);
        bool by_copy = i % 2 == 1;
        cover_world w;
        world_open(&w, i / 2 / END_COUNT);
        sim_pool *p = &w.p;
        keep_texture(p, sampled_desc());
        gpool_buffer dirty = make(p, SMALL, SHADOWED, NULL);
        assert_same(gpool_begin_frame(p->pool), GPOOL_OK);
        gpool_texture texture = recycled(p, sampled_desc());
        if (way == END_PASS_FAILS) {
            /* The second attachment is of another size: the pass does not begin. */
            gpool_texture_desc small = target_desc();
            small.width = 4;
            gpool_texture wrong = make_texture(p, small);
            gpool_recorder rec = gpool_frame_recorder(p->pool);
            gpool_begin_render(rec, &(gpool_render_desc){ .color = { { .texture = texture },
                                                                     { .texture = wrong } } });
            gpool_end_pass(rec);
            assert_same(gpool_end_frame(p->pool), GPOOL_ERROR_INVALID_ARGUMENT);
            end(p, wrong.id);
        } else {
            if (by_copy) {
                gpool_copy_texture(gpool_frame_recorder(p->pool), w.other, NULL, texture, NULL);
            } else {
                pass(p, texture, GPOOL_LOAD_CLEAR, GPOOL_STORE_KEEP);
            }
            assert_same(gpool_buffer_write(p->pool, dirty, 0, dirt(), 16), GPOOL_OK);
            fail_at_end(p, way);
            assert_same(gpool_end_frame(p->pool), GPOOL_ERROR_GPU);
            assert_true(sim_fail_hits(p->s) > 0);
            sim_fail_none(p->s);
            assert_int_not_equal(raw_texel(p, texture), by_copy ? 0x3e3e3e3e : RED);
        }
        assert_true(gpool__pool_validate(p->pool));
        assert_same(gpool_process_uploads(p->pool), GPOOL_OK);
        assert_int_equal(raw_texel(p, texture), 0);
        filled(p, texture, 0);
        end(p, texture.id);
        /* And the next one is covered as ever. */
        uint64_t before = passes(p);
        assert_same(gpool_begin_frame(p->pool), GPOOL_OK);
        texture = recycled(p, sampled_desc());
        pass(p, texture, GPOOL_LOAD_CLEAR, GPOOL_STORE_KEEP);
        assert_same(gpool_end_frame(p->pool), GPOOL_OK);
        filled(p, texture, RED);
        assert_int_equal(passes(p), before + 1);
        end(p, texture.id);
        end(p, dirty.id);
        end(p, w.layout.id);
        end(p, w.other.id);
        end(p, w.rows.id);
        sim_pool_close(p, 0);
    }
}

static void a_refused_write_of_all_replaces_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(manners); ++i) {
        sim_pool p;
        open(&p, i, (gpool_recycle_desc){ 0 });
        keep_texture(&p, target_desc());
        gpool_texture texture = recycled(&p, target_desc());
        sim_fail(p.s, GPOOL_GPU_QueueWriteTexture, 1, SIM_FAIL_VALIDATION, false);
        assert_same(gpool_texture_write(p.pool, texture, NULL, dirt(), LARGE, 0), GPOOL_ERROR_GPU);
        sim_fail_none(p.s);
        filled(&p, texture, 0);
        end(&p, texture.id);
        sim_pool_close(&p, 0);
    }
}

/* A clear that the batch has comes after a queue write: that one waits for its submit. */
static void a_write_of_all_does_not_overtake_a_clear_in_the_batch(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(manners) * 2; ++i) {
        sim_pool p;
        open(&p, i / 2, (gpool_recycle_desc){ 0 });
        keep_texture(&p, target_desc());
        gpool_buffer dirty = make(&p, SMALL, SHADOWED, NULL);
        drain(&p);
        assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
        gpool_texture texture = recycled(&p, target_desc());
        assert_same(gpool_buffer_write(p.pool, dirty, 0, dirt(), 16), GPOOL_OK);
        sim_fail(p.s, GPOOL_GPU_QueueWriteBuffer, 1, SIM_FAIL_VALIDATION, false);
        assert_same(gpool_submit(p.pool), GPOOL_ERROR_GPU);
        assert_int_equal(sim_fail_hits(p.s), 1);
        sim_fail_none(p.s);
        if (i % 2 == 0) {
            assert_same(gpool_texture_write(p.pool, texture, NULL, dirt(), LARGE, 0), GPOOL_OK);
        } else {
            pass(&p, texture, GPOOL_LOAD_CLEAR, GPOOL_STORE_KEEP);
        }
        assert_same(gpool_end_frame(p.pool), GPOOL_OK);
        filled(&p, texture, i % 2 == 0 ? 0xd1d1d1d1 : RED);
        end(&p, texture.id);
        end(&p, dirty.id);
        sim_pool_close(&p, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pass_that_clears_all_of_a_target_is_its_only_clear),
        cmocka_unit_test(a_covered_texture_makes_no_submit_by_itself),
        cmocka_unit_test(a_covered_texture_waits_for_the_submit_of_its_recording),
        cmocka_unit_test(a_write_or_copy_of_all_replaces_the_clear),
        cmocka_unit_test(any_other_first_use_sees_zeros),
        cmocka_unit_test(what_covers_in_part_or_not_at_all_leaves_zeros),
        cmocka_unit_test(one_level_or_layer_covered_does_not_cover_the_others),
        cmocka_unit_test(what_comes_before_the_recording_sees_zeros),
        cmocka_unit_test(a_pass_that_is_never_submitted_covers_nothing),
        cmocka_unit_test(a_refused_write_of_all_replaces_nothing),
        cmocka_unit_test(a_write_of_all_does_not_overtake_a_clear_in_the_batch),
    };
    return cmocka_run_group_tests_name("recycle_cover", tests, NULL, NULL);
}
