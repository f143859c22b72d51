/* Offsets and sizes of recorded reads, sizes of targets, times of waits. */
#include "bounds.h"

static void read_pairs(bounds_world *w, gpool_buffer buffer, const uint8_t *bytes, uint64_t size)
{
    uint8_t target[600];
    bounds_set values = bounds_values(size);
    for (uint32_t i = 0; i < values.count * values.count; ++i) {
        uint64_t at = values.v[i / values.count];
        uint64_t many = values.v[i % values.count];
        bounds_oracle o = { 0 };
        bounds_rule_range(&o, at, many, size);
        gpool_recorder rec = bounds_begin(w);
        bounds_before(w, "gpool_read_buffer");
        gpool_ticket ticket = gpool_read_buffer(rec, buffer, at, many, NULL);
        bool good = bounds_after_record(w, &o, at, many);
        bounds_must(w, good == (ticket.id != 0), "a ticket comes of a good call", at, many);
        bounds_end(w, !good);
        if (good) {
            memset(target, 0xee, sizeof target);
            bounds_good(w, gpool_ticket_wait(w->pool, ticket, UINT64_MAX));
            bounds_good(w, gpool_ticket_take(w->pool, ticket, target + 8, many));
            bounds_must(w, memcmp(target + 8, bytes + at, many) == 0, "the bytes are right", at,
                        many);
            for (uint64_t k = 0; k < sizeof target; ++k) {
                bounds_must(w, target[k] == 0xee || (k >= 8 && k - 8 < many),
                            "nothing else is written", at, many);
            }
        }
    }
}

static void offsets_and_sizes_of_read_buffer(void **state)
{
    static const struct {
        uint64_t size;
        gpool_buffer_usage usage;
    } subjects[] = {
        { 1, GPOOL_BUFFER_READ_BACK },
        { 5, GPOOL_BUFFER_VERTEX | GPOOL_BUFFER_READ_BACK },
        { 255, GPOOL_BUFFER_READ_BACK },
        { 257, GPOOL_BUFFER_READ_BACK },
        { 512, GPOOL_BUFFER_STORAGE_WRITE | GPOOL_BUFFER_READ_BACK },
    };
    uint8_t bytes[512];
    bounds_world w;
    bounds_open(&w, bounds_personality(state), NULL);
    (void)bounds_begin(&w); /* state made at the first frame is there */
    bounds_end(&w, false);
    for (size_t i = 0; i < UNIT_COUNT(subjects); ++i) {
        bounds_fill(bytes, sizeof bytes, i);
        gpool_buffer buffer = bounds_buffer(&w, bytes, subjects[i].size, subjects[i].usage);
        read_pairs(&w, buffer, bytes, subjects[i].size);
        bounds_good(&w, gpool_buffer_destroy(w.pool, buffer));
        bounds_settle(&w);
    }
    bounds_close(&w);
}

static void sizes_of_targets_and_times_of_waits(void **state)
{
    static const uint64_t sizes[] = { 0, 1, 4, 60 };
    bounds_world w;
    bounds_open(&w, bounds_personality(state), NULL);
    for (size_t i = 0; i < UNIT_COUNT(sizes); ++i) {
        bounds_set values = bounds_values(sizes[i]);
        for (uint32_t k = 0; k < values.count; ++k) {
            uint8_t target[64];
            memset(target, 0xee, sizeof target);
            gpool_recorder rec = bounds_begin(&w);
            gpool_ticket ticket = gpool_read_buffer(rec, w.witness, 0, sizes[i], NULL);
            bounds_end(&w, false);
            /* Any time will do: the GPU of this world has finished by the first poll. */
            bounds_good(&w, gpool_wait_idle(w.pool));
            bounds_good(&w, gpool_ticket_wait(w.pool, ticket, values.v[k]));
            bounds_oracle o = { 0 };
            bounds_rule(&o, values.v[k] < sizes[i], GPOOL_ERROR_OUT_OF_RANGE, values.v[k]);
            bounds_before(&w, "gpool_ticket_take");
            gpool_result got = gpool_ticket_take(w.pool, ticket, target, (size_t)values.v[k]);
            bool good = bounds_after(&w, &o, got, sizes[i], values.v[k]);
            for (uint64_t at = good ? sizes[i] : 0; at < sizeof target; ++at) {
                bounds_must(&w, target[at] == 0xee, "nothing else is written", sizes[i],
                            values.v[k]);
            }
            assert_same(gpool_ticket_destroy(w.pool, ticket),
                        good ? GPOOL_ERROR_STALE_HANDLE : GPOOL_OK);
        }
    }
    bounds_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOUNDS_TEST(offsets_and_sizes_of_read_buffer),
        BOUNDS_TEST(sizes_of_targets_and_times_of_waits),
    };
    return cmocka_run_group_tests_name("bounds of tickets", tests, NULL, NULL);
}
