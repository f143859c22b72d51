/* How tickets end before their bytes are taken: dropped, failed, lost, with their scope or pool. */
#include "ticket_world.h"

#include <gpool/gpool.h>

/* --- dropped by the program --- */

/* Drops a ticket at a stage; the next ones use its memory and must give what they read. */
static void drop_at(const sim_desc *desc, int stage)
{
    sim_pool p;
    sim_pool_open(&p, desc);
    sim_set_completion(p.s, SIM_COMPLETE_AFTER_POLLS, 3);
    const char *const texts[2] = { "abcdefgh", "ABCDEFGH" };
    gpool_buffer buffers[2] = { ticket_buffer(&p, texts[0], 8), ticket_buffer(&p, texts[1], 8) };
    for (int round = 0; round < 5; ++round) {
        assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
        gpool_recorder rec = gpool_frame_recorder(p.pool);
        gpool_ticket dropped = gpool_read_buffer(rec, buffers[0], 0, 8, NULL);
        if (stage == 0) {
            assert_same(gpool_ticket_destroy(p.pool, dropped), GPOOL_OK);
        }
        gpool_ticket inside = gpool_read_buffer(rec, buffers[1], 0, 8, NULL);
        assert_same(gpool_end_frame(p.pool), GPOOL_OK);
        if (stage == 2) {
            assert_same(gpool_ticket_wait(p.pool, dropped, TICKET_SECOND), GPOOL_OK);
        }
        if (stage != 0) {
            assert_same(gpool_ticket_destroy(p.pool, dropped), GPOOL_OK);
        }
        assert_same(gpool_ticket_status(p.pool, dropped), GPOOL_ERROR_STALE_HANDLE);
        gpool_ticket after = ticket_read(&p, buffers[1], 2, 6);
        ticket_gives(&p, inside, texts[1], 8);
        ticket_gives(&p, after, texts[1] + 2, 6);
        assert_same(sim_pool_stats(&p).live_bytes[GPOOL_KIND_TICKET], 0);
    }
    /* Memory was used again, whatever the stage. */
    assert_in_range(ticket_made(&p), 3, 6);
    assert_same(gpool_buffer_destroy(p.pool, buffers[0]), GPOOL_OK);
    assert_same(gpool_buffer_destroy(p.pool, buffers[1]), GPOOL_OK);
    sim_pool_close(&p, 0);
}

static void drop_at_all(const sim_desc *desc)
{
    for (int stage = 0; stage < 3; ++stage) {
        drop_at(desc, stage);
    }
}

static void dropped_at_any_stage_its_memory_serves_the_next(void **state)
{
    (void)state;
    TICKET_MANNERS(drop_at_all)
}

static void request_given_up_is_not_taken_for_the_next_one(void **state)
{
    (void)state;
    sim_pool p;
    sim_pool_open(&p, &(sim_desc){ .personality = SIM_DAWN, .completion = SIM_COMPLETE_MANUALLY });
    gpool_buffer buffer = ticket_buffer(&p, "abcdefgh", 8);
    /* Without a poll between: the answer to the request given up is still under way. */
    assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
    gpool_ticket first = gpool_read_buffer(gpool_frame_recorder(p.pool), buffer, 0, 4, NULL);
    assert_same(gpool_submit(p.pool), GPOOL_OK);
    assert_same(gpool_ticket_destroy(p.pool, first), GPOOL_OK);
    gpool_ticket second = gpool_read_buffer(gpool_frame_recorder(p.pool), buffer, 4, 4, NULL);
    assert_same(gpool_submit(p.pool), GPOOL_OK);
    assert_same(gpool_ticket_status(p.pool, second), GPOOL_NOT_READY);
    assert_true(sim_complete(p.s, SIM_ALL));
    ticket_gives(&p, second, "efgh", 4);
    assert_same(gpool_end_frame(p.pool), GPOOL_OK);
    assert_same(gpool_buffer_destroy(p.pool, buffer), GPOOL_OK);
    sim_set_completion(p.s, SIM_COMPLETE_AT_POLL, 0);
    sim_pool_close(&p, 0);
}

static void *drop_elsewhere(void *user)
{
    sim_pool *p = ((void **)user)[0];
    gpool_ticket *tickets = ((void **)user)[1];
    uint64_t good = 0;
    for (int i = 0; i < 3; ++i) {
        good += gpool_ticket_destroy(p->pool, tickets[i]) == GPOOL_OK;
    }
    return good == 3 ? NULL : user;
}

static void dropped_by_another_thread_it_is_out_of_all_submits(void **state)
{
    (void)state;
    for (int personality = 0; personality < 2; ++personality) {
        sim_pool p;
        sim_pool_open(&p, &(sim_desc){ .personality = (sim_personality)personality });
        gpool_buffer buffer = ticket_buffer(&p, "abcd", 4);
        gpool_ticket tickets[3];
        tickets[0] = ticket_read(&p, buffer, 0, 4); /* mapped */
        assert_same(gpool_ticket_wait(p.pool, tickets[0], TICKET_SECOND), GPOOL_OK);
        sim_set_completion(p.s, SIM_COMPLETE_MANUALLY, 0);
        tickets[1] = ticket_read(&p, buffer, 0, 4); /* in flight */
        assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
        gpool_recorder rec = gpool_frame_recorder(p.pool);
        tickets[2] = gpool_read_buffer(rec, buffer, 0, 4, NULL); /* recorded */
        pthread_t thread;
        void *user[2] = { &p, tickets };
        void *wrong = NULL;
        assert_int_equal(pthread_create(&thread, NULL, drop_elsewhere, user), 0);
        assert_int_equal(pthread_join(thread, &wrong), 0);
        assert_null(wrong);
        assert_true(gpool__pool_validate(p.pool));
        gpool_ticket next[4];
        for (int i = 0; i < 4; ++i) {
            next[i] = gpool_read_buffer(rec, buffer, (uint64_t)i, 1, NULL);
        }
        assert_same(gpool_submit(p.pool), GPOOL_OK);
        assert_same(sim_pool_stats(&p).live_count[GPOOL_KIND_TICKET], 4);
        rec = gpool_frame_recorder(p.pool);
        gpool_ticket last = gpool_read_buffer(rec, buffer, 0, 4, NULL);
        assert_same(gpool_end_frame(p.pool), GPOOL_OK);
        assert_true(sim_complete(p.s, SIM_ALL));
        for (int i = 0; i < 4; ++i) {
            ticket_gives(&p, next[i], "abcd" + i, 1);
        }
        ticket_gives(&p, last, "abcd", 4);
        assert_same(gpool_buffer_destroy(p.pool, buffer), GPOOL_OK);
        sim_set_completion(p.s, SIM_COMPLETE_AT_POLL, 0);
        sim_pool_close(&p, 0);
    }
}

static void tickets_belong_to_scopes_have_references_and_are_told_as_leaks(void **state)
{
    (void)state;
    sim_pool p;
    sim_pool_open(&p, NULL);
    gpool_scope scope = sim_pool_scope(&p, (gpool_scope){ 0 }, "shots");
    gpool_buffer buffer = ticket_buffer(&p, "abcd", 4);
    gpool_ticket tickets[3];
    assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
    for (int i = 0; i < 3; ++i) {
        gpool_ticket_desc desc = { .scope = scope, .label = "shot" };
        tickets[i] = gpool_read_buffer(gpool_frame_recorder(p.pool), buffer, 0, 4, &desc);
    }
    assert_same(gpool_move(p.pool, tickets[2].id, (gpool_scope){ 0 }), GPOOL_OK);
    assert_same(gpool_end_frame(p.pool), GPOOL_OK);
    gpool_scope_info info = sim_pool_info(&p, scope);
    assert_same(info.own.count[GPOOL_KIND_TICKET], 2);
    assert_same(info.own.bytes[GPOOL_KIND_TICKET], 2048);
    assert_true(gpool__pool_validate(p.pool));
    assert_same(gpool_retain(p.pool, tickets[0].id), GPOOL_OK);
    assert_same(gpool_release(p.pool, tickets[0].id), GPOOL_OK);
    ticket_gives(&p, tickets[0], "abcd", 4);
    assert_same(sim_pool_info(&p, scope).own.bytes[GPOOL_KIND_TICKET], 1024);
    assert_same(gpool_scope_end(p.pool, scope), GPOOL_OK);
    assert_same(gpool_ticket_status(p.pool, tickets[1]), GPOOL_ERROR_STALE_HANDLE);
    assert_same(sim_pool_stats(&p).live_bytes[GPOOL_KIND_TICKET], 1024);
    assert_same(gpool_buffer_destroy(p.pool, buffer), GPOOL_OK);
    gpool_ticket_get_info(p.pool, tickets[2], &(gpool_ticket_info){ 0 });
    sim_pool_close(&p, 1);
}

/* --- failed --- */

static void assert_failed(sim_pool *p, gpool_ticket ticket, gpool_result code)
{
    const uint64_t errors = sim_pool_stats(p).errors;
    uint8_t got[8];
    assert_same(gpool_ticket_status(p->pool, ticket), code);
    gpool_ticket_info info = ticket_info(p, ticket);
    assert_same(info.state, GPOOL_TICKET_FAILED);
    assert_same(info.result, code);
    assert_same(info.gpu_size, 0);
    assert_same(sim_pool_stats(p).errors, errors);
    assert_same(gpool_ticket_take(p->pool, ticket, got, 8), code);
    assert_same(gpool_last_error(p->pool)->code, code);
    assert_same(gpool_ticket_wait(p->pool, ticket, TICKET_SECOND), code);
    assert_same(sim_pool_stats(p).errors, errors + 2);
    assert_true(gpool__pool_validate(p->pool));
    assert_same(gpool_ticket_destroy(p->pool, ticket), GPOOL_OK);
}

static void dropped_recorder_is_told(const sim_desc *desc)
{
    sim_pool p;
    sim_pool_open(&p, desc);
    gpool_buffer buffer = ticket_buffer(&p, "abcd", 4);
    assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
    gpool_ticket ticket = gpool_read_buffer(gpool_frame_recorder(p.pool), buffer, 0, 4, NULL);
    gpool_ticket empty = gpool_read_buffer(gpool_frame_recorder(p.pool), buffer, 0, 0, NULL);
    sim_fail(p.s, GPOOL_GPU_CommandEncoderFinish, 1, SIM_FAIL_VALIDATION, false);
    assert_same(gpool_end_frame(p.pool), GPOOL_ERROR_GPU);
    assert_same(sim_fail_hits(p.s), 1);
    sim_fail_none(p.s);
    assert_failed(&p, ticket, GPOOL_ERROR_DROPPED);
    assert_failed(&p, empty, GPOOL_ERROR_DROPPED);
    assert_same(gpool_gpu_call_count(p.pool, GPOOL_GPU_BufferMapAsync), 0);
    ticket_gives(&p, ticket_read(&p, buffer, 0, 4), "abcd", 4);
    assert_same(gpool_buffer_destroy(p.pool, buffer), GPOOL_OK);
    sim_pool_close(&p, 0);
}

static void dropped_recorder_fails_its_tickets(void **state)
{
    (void)state;
    TICKET_MANNERS(dropped_recorder_is_told)
}

static void upload_that_fails_keeps_tickets_until_the_recorder_is_submitted_or_dropped(void **state)
{
    (void)state;
    for (int again = 0; again < 2; ++again) {
        sim_pool p;
        sim_pool_open(&p, NULL);
        gpool_buffer buffer = ticket_buffer(&p, "abcd", 4);
        assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
        gpool_ticket ticket = gpool_read_buffer(gpool_frame_recorder(p.pool), buffer, 0, 4, NULL);
        sim_fail(p.s, GPOOL_GPU_QueueWriteBuffer, 1, SIM_FAIL_VALIDATION, true);
        assert_same(gpool_submit(p.pool), GPOOL_ERROR_GPU);
        assert_same(gpool_ticket_status(p.pool, ticket), GPOOL_NOT_READY);
        assert_same(gpool_ticket_wait(p.pool, ticket, 1), GPOOL_ERROR_WRONG_PHASE);
        if (again != 0) {
            sim_fail_none(p.s);
        }
        assert_same(gpool_end_frame(p.pool), again != 0 ? GPOOL_OK : GPOOL_ERROR_GPU);
        sim_fail_none(p.s);
        if (again != 0) {
            ticket_gives(&p, ticket, "abcd", 4);
        } else {
            assert_failed(&p, ticket, GPOOL_ERROR_DROPPED);
        }
        assert_same(gpool_buffer_destroy(p.pool, buffer), GPOOL_OK);
        sim_pool_close(&p, 0);
    }
}

static void refused_maps_fail(const sim_desc *desc)
{
    static const int functions[] = { GPOOL_GPU_BufferMapAsync, GPOOL_GPU_QueueSubmit };
    for (size_t i = 0; i < UNIT_COUNT(functions); ++i) {
        sim_pool p;
        sim_pool_open(&p, desc);
        gpool_buffer buffer = ticket_buffer(&p, "abcd", 4);
        uint64_t live = sim_live(p.s, SIM_KIND_BUFFER);
        assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
        gpool_ticket ticket = gpool_read_buffer(gpool_frame_recorder(p.pool), buffer, 0, 4, NULL);
        gpool_ticket good = gpool_read_buffer(gpool_frame_recorder(p.pool), buffer, 0, 4, NULL);
        sim_fail(p.s, functions[i], 1, SIM_FAIL_VALIDATION, false);
        bool map = functions[i] == GPOOL_GPU_BufferMapAsync;
        gpool_result result = gpool_end_frame(p.pool);
        if (sim_fail_hits(p.s) == 0) {
            ticket_gives(&p, ticket, "abcd", 4); /* submits cannot fail so here */
            ticket_gives(&p, good, "abcd", 4);
        } else {
            assert_same(result, map ? GPOOL_OK : GPOOL_ERROR_GPU);
            sim_fail_none(p.s);
            (void)gpool_ticket_status(p.pool, ticket); /* Dawn may tell at a poll */
            assert_failed(&p, ticket, GPOOL_ERROR_GPU);
            /* Memory that was refused serves nobody again; the map is told once. */
            assert_same(sim_live(p.s, SIM_KIND_BUFFER), live + (map ? 1 : 2));
            if (map) {
                ticket_gives(&p, good, "abcd", 4);
            } else {
                assert_failed(&p, good, GPOOL_ERROR_GPU);
            }
        }
        assert_same(gpool_buffer_destroy(p.pool, buffer), GPOOL_OK);
        sim_pool_close(&p, 0);
    }
}

static void refused_maps_and_submits_fail_their_tickets(void **state)
{
    (void)state;
    TICKET_MANNERS(refused_maps_fail)
}

static void range_that_does_not_come_fails_the_ticket(void **state)
{
    (void)state;
    sim_pool p;
    sim_pool_open(&p, NULL);
    gpool_buffer buffer = ticket_buffer(&p, "abcd", 4);
    gpool_ticket ticket = ticket_read(&p, buffer, 0, 4);
    assert_same(gpool_ticket_wait(p.pool, ticket, TICKET_SECOND), GPOOL_OK);
    sim_fail(p.s, GPOOL_GPU_BufferGetConstMappedRange, 1, SIM_FAIL_NULL, false);
    char got[4];
    assert_same(gpool_ticket_take(p.pool, ticket, got, 4), GPOOL_ERROR_GPU);
    sim_fail_none(p.s);
    assert_failed(&p, ticket, GPOOL_ERROR_GPU);
    ticket_gives(&p, ticket_read(&p, buffer, 0, 4), "abcd", 4);
    assert_same(gpool_buffer_destroy(p.pool, buffer), GPOOL_OK);
    sim_pool_close(&p, 0);
}

/* --- lost, recovered, or with their pool --- */

/* Tickets in every state: recorded, in flight, ready, ready without bytes. */
static void make_all(sim_pool *p, gpool_buffer buffer, gpool_ticket tickets[4])
{
    tickets[2] = ticket_read(p, buffer, 0, 4);
    tickets[3] = ticket_read(p, buffer, 0, 0);
    assert_same(gpool_ticket_wait(p->pool, tickets[2], TICKET_SECOND), GPOOL_OK);
    assert_same(gpool_wait_idle(p->pool), GPOOL_OK);
    sim_set_completion(p->s, SIM_COMPLETE_MANUALLY, 0);
    tickets[1] = ticket_read(p, buffer, 0, 4);
    assert_same(gpool_ticket_status(p->pool, tickets[1]), GPOOL_NOT_READY);
}

static void lose_device(const sim_desc *desc)
{
    /* Known at once, or not before somebody asks for the bytes. */
    for (int silent = 0; silent < 2; ++silent) {
        sim_pool p;
        sim_pool_open(&p, desc);
        gpool_buffer buffer = ticket_buffer(&p, "abcd", 4);
        gpool_ticket tickets[4];
        char got[4] = "----";
        make_all(&p, buffer, tickets);
        assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
        tickets[0] = gpool_read_buffer(gpool_frame_recorder(p.pool), buffer, 0, 4, NULL);
        sim_lose(p.s);
        sim_drain(p.s); /* where a thread tells, it has told */
        if (silent == 0) {
            assert_same(gpool_end_frame(p.pool), GPOOL_ERROR_DEVICE_LOST);
        } else {
            assert_same(gpool_ticket_take(p.pool, tickets[2], got, 4), GPOOL_ERROR_DEVICE_LOST);
            assert_memory_equal(got, "----", 4);
            assert_same(gpool_ticket_wait(p.pool, tickets[0], 1), GPOOL_ERROR_DEVICE_LOST);
            assert_same(gpool_end_frame(p.pool), GPOOL_ERROR_DEVICE_LOST);
        }
        for (int i = 0; i < 4; ++i) {
            assert_failed(&p, tickets[i], GPOOL_ERROR_DEVICE_LOST);
        }
        assert_same(gpool_buffer_destroy(p.pool, buffer), GPOOL_OK);
        assert_same(sim_pool_stats(&p).live_bytes[GPOOL_KIND_TICKET], 0);
        sim_pool_close(&p, 0);
    }
}

static void lost_device_fails_tickets_in_every_state(void **state)
{
    (void)state;
    TICKET_MANNERS(lose_device)
}

static void recover_to_another(const sim_desc *desc)
{
    for (int lost = 0; lost < 2; ++lost) {
        sim_pool p;
        sim_pool_open(&p, desc);
        gpool_device_desc open = { .gpu = &p.table, .log = sim_pool_on_log, .log_user = &p };
        gpool_buffer buffer = ticket_buffer(&p, "abcd", 4);
        gpool_ticket tickets[4];
        make_all(&p, buffer, tickets);
        assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
        tickets[0] = gpool_read_buffer(gpool_frame_recorder(p.pool), buffer, 0, 4, NULL);
        assert_same(gpool_ticket_destroy(p.pool, gpool_read_buffer(gpool_frame_recorder(p.pool),
                                                                   buffer, 0, 2, NULL)),
                    GPOOL_OK);
        if (lost != 0) {
            sim_lose(p.s);
            sim_drain(p.s);
            assert_same(gpool_end_frame(p.pool), GPOOL_ERROR_DEVICE_LOST);
        } else {
            assert_same(gpool_end_frame(p.pool), GPOOL_OK);
            assert_true(sim_pool_stats(&p).internal_bytes > 0);
        }
        gpool_device *fresh = NULL;
        assert_same(gpool_device_open(&open, &fresh), GPOOL_OK);
        sim_set_completion(p.s, SIM_COMPLETE_AT_POLL, 0);
        gpool_recover_report report;
        assert_same(gpool_recover(p.pool, fresh, NULL, &report), GPOOL_OK);
        assert_same(report.failed[GPOOL_KIND_TICKET], 0);
        gpool_device_release(p.device);
        p.device = fresh;
        assert_same(sim_pool_stats(&p).internal_bytes, 0);
        assert_same(sim_pool_stats(&p).live_count[GPOOL_KIND_TICKET], 4);
        ticket_gives(&p, ticket_read(&p, buffer, 0, 4), "abcd", 4);
        for (int i = 0; i < 4; ++i) {
            assert_failed(&p, tickets[i], GPOOL_ERROR_DEVICE_LOST);
        }
        ticket_gives(&p, ticket_read(&p, buffer, 0, 4), "abcd", 4);
        assert_same(gpool_buffer_destroy(p.pool, buffer), GPOOL_OK);
        sim_pool_close(&p, 0);
    }
}

static void tickets_of_the_device_before_a_recovery_are_failed(void **state)
{
    (void)state;
    TICKET_MANNERS(recover_to_another)
}

static void end_pool_early(const sim_desc *desc)
{
    sim_pool p;
    sim_pool_open(&p, desc);
    gpool_desc mine = { .compile_workers = GPOOL_WORKERS_NONE,
                        .wait_timeout_ms = 1,
                        .log = sim_pool_on_log,
                        .log_user = &p };
    gpool *other = NULL;
    assert_same(gpool_create(p.device, &mine, &other), GPOOL_OK);
    gpool *first = p.pool;
    p.pool = other;
    gpool_buffer buffer = ticket_buffer(&p, "abcd", 4);
    gpool_ticket tickets[4];
    make_all(&p, buffer, tickets);
    assert_same(gpool_begin_frame(other), GPOOL_OK);
    (void)gpool_read_buffer(gpool_frame_recorder(other), buffer, 0, 4, NULL);
    gpool_destroy(other);
    assert_int_equal(sim_pool_taken(&p, GPOOL_LOG_LEAK), 5);
    /* The answers come when the pool is gone. */
    (void)sim_complete(p.s, SIM_ALL);
    p.pool = first;
    sim_set_completion(p.s, SIM_COMPLETE_AT_POLL, 0);
    sim_pool_frame(&p);
    assert_same(gpool_tick(first), GPOOL_OK);
    sim_pool_close(&p, 0);
}

static void pool_ends_with_tickets_in_flight(void **state)
{
    (void)state;
    TICKET_MANNERS(end_pool_early)
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dropped_at_any_stage_its_memory_serves_the_next),
        cmocka_unit_test(request_given_up_is_not_taken_for_the_next_one),
        cmocka_unit_test(dropped_by_another_thread_it_is_out_of_all_submits),
        cmocka_unit_test(tickets_belong_to_scopes_have_references_and_are_told_as_leaks),
        cmocka_unit_test(dropped_recorder_fails_its_tickets),
        cmocka_unit_test(
            upload_that_fails_keeps_tickets_until_the_recorder_is_submitted_or_dropped),
        cmocka_unit_test(refused_maps_and_submits_fail_their_tickets),
        cmocka_unit_test(range_that_does_not_come_fails_the_ticket),
        cmocka_unit_test(lost_device_fails_tickets_in_every_state),
        cmocka_unit_test(tickets_of_the_device_before_a_recovery_are_failed),
        cmocka_unit_test(pool_ends_with_tickets_in_flight),
    };
    return cmocka_run_group_tests_name("ends of tickets", tests, NULL, NULL);
}
