#include "alloc/retire_queue.h"

#include "unit/unit.h"

static uint64_t seed;

static void empty_queue_gives_nothing(void **state)
{
    (void)state;
    gpool__retire_queue queue = { 0 };
    assert_null(gpool__retire_take(&queue, UINT64_MAX, UINT64_MAX));
    gpool__retire_close(&queue, 1);
    assert_null(gpool__retire_take(&queue, UINT64_MAX, UINT64_MAX));
}

static void nothing_leaves_before_its_serial_is_done(void **state)
{
    (void)state;
    gpool__retire_queue queue = { 0 };
    gpool__retired thing = { 0 };
    gpool__retire_ready(&queue, &thing, 3, 10);
    assert_null(gpool__retire_take(&queue, 9, UINT64_MAX));
    assert_ptr_equal(gpool__retire_take(&queue, 10, UINT64_MAX), &thing);
    assert_null(gpool__retire_take(&queue, UINT64_MAX, UINT64_MAX));
}

static void nothing_leaves_before_its_frame_is_old_enough(void **state)
{
    (void)state;
    gpool__retire_queue queue = { 0 };
    gpool__retired thing = { 0 };
    gpool__retire_ready(&queue, &thing, 3, 10);
    assert_null(gpool__retire_take(&queue, UINT64_MAX, 2));
    assert_ptr_equal(gpool__retire_take(&queue, UINT64_MAX, 3), &thing);
}

static void waiting_things_stay_whatever_is_done(void **state)
{
    (void)state;
    gpool__retire_queue queue = { 0 };
    gpool__retired thing = { 0 };
    gpool__retire_wait(&queue, &thing, 0);
    assert_null(gpool__retire_take(&queue, UINT64_MAX, UINT64_MAX));
    gpool__retire_close(&queue, 7);
    assert_null(gpool__retire_take(&queue, 6, UINT64_MAX));
    assert_ptr_equal(gpool__retire_take(&queue, 7, UINT64_MAX), &thing);
}

static void close_stamps_all_that_wait_and_keeps_the_order(void **state)
{
    (void)state;
    gpool__retire_queue queue = { 0 };
    gpool__retired things[5] = { 0 };
    gpool__retire_ready(&queue, &things[0], 1, 4);
    gpool__retire_wait(&queue, &things[1], 1);
    gpool__retire_wait(&queue, &things[2], 2);
    gpool__retire_close(&queue, 5);
    gpool__retire_wait(&queue, &things[3], 3);
    gpool__retire_close(&queue, 6);
    gpool__retire_ready(&queue, &things[4], 3, 6);
    for (size_t i = 0; i < UNIT_COUNT(things); ++i) {
        const gpool__retired *taken = gpool__retire_take(&queue, 6, 3);
        assert_ptr_equal(taken, &things[i]);
        assert_null(taken->next);
    }
    assert_null(gpool__retire_take(&queue, UINT64_MAX, UINT64_MAX));
}

static void close_with_nothing_waiting_leaves_the_ready_alone(void **state)
{
    (void)state;
    gpool__retire_queue queue = { 0 };
    gpool__retired thing = { 0 };
    gpool__retire_ready(&queue, &thing, 1, 4);
    gpool__retire_close(&queue, 9);
    assert_ptr_equal(gpool__retire_take(&queue, 4, 1), &thing);
}

static void emptied_queue_takes_things_again(void **state)
{
    (void)state;
    gpool__retire_queue queue = { 0 };
    gpool__retired things[2] = { 0 };
    for (uint64_t serial = 1; serial < 6; ++serial) {
        gpool__retire_ready(&queue, &things[0], serial, serial);
        assert_ptr_equal(gpool__retire_take(&queue, serial, serial), &things[0]);
        gpool__retire_wait(&queue, &things[0], serial);
        gpool__retire_close(&queue, serial);
        gpool__retire_ready(&queue, &things[1], serial, serial);
        assert_ptr_equal(gpool__retire_take(&queue, serial, serial), &things[0]);
        assert_ptr_equal(gpool__retire_take(&queue, serial, serial), &things[1]);
        assert_null(gpool__retire_take(&queue, UINT64_MAX, UINT64_MAX));
    }
}

/*
 * The naive model: a table of things with the time they became ready, searched from end to end. The
 * GPU finishes submits in bursts at random times; frames go on meanwhile.
 */
#define THINGS 300u

typedef enum place {
    PLACE_OUT,
    PLACE_WAITING,
    PLACE_READY
} place;

typedef struct model {
    gpool__retire_queue queue;
    gpool__retired things[THINGS];
    place places[THINGS];
    uint64_t order[THINGS]; /* rises with the time of entry */
    uint64_t serials[THINGS];
    uint64_t frames[THINGS];
    uint64_t entries;
    uint64_t taken;
    uint64_t frame;
    uint64_t submitted;
    uint64_t done;
    bool recording;
} model;

/* The oldest of the ready, which waiting things overtake only by being closed. */
static size_t model_front(const model *m)
{
    size_t front = THINGS;
    for (size_t i = 0; i < THINGS; ++i) {
        if (m->places[i] == PLACE_READY && (front == THINGS || m->order[i] < m->order[front])) {
            front = i;
        }
    }
    return front;
}

static void model_give_up(model *m, uint64_t *random)
{
    const size_t i = (size_t)unit_random_below(random, THINGS);
    if (m->places[i] != PLACE_OUT) {
        return;
    }
    m->order[i] = ++m->entries;
    m->frames[i] = m->frame;
    if (m->recording) {
        m->places[i] = PLACE_WAITING;
        gpool__retire_wait(&m->queue, &m->things[i], m->frame);
    } else {
        m->places[i] = PLACE_READY;
        m->serials[i] = m->submitted;
        gpool__retire_ready(&m->queue, &m->things[i], m->frame, m->submitted);
    }
}

static void model_submit(model *m, bool dropped)
{
    m->submitted += dropped ? 0 : 1;
    m->recording = false;
    for (size_t i = 0; i < THINGS; ++i) {
        if (m->places[i] == PLACE_WAITING) {
            m->places[i] = PLACE_READY;
            m->serials[i] = m->submitted;
        }
    }
    gpool__retire_close(&m->queue, m->submitted);
}

/* Takes at most `most` things and compares each with the model. */
static void model_collect(model *m, uint64_t newest_frame, uint64_t most)
{
    for (uint64_t n = 0; n < most; ++n) {
        const size_t front = model_front(m);
        const bool may =
            front < THINGS && m->serials[front] <= m->done && m->frames[front] <= newest_frame;
        gpool__retired *taken = gpool__retire_take(&m->queue, m->done, newest_frame);
        assert_ptr_equal(taken, may ? &m->things[front] : NULL);
        if (taken == NULL) {
            return;
        }
        assert_int_equal(taken->serial, m->serials[front]);
        assert_int_equal(taken->frame, m->frames[front]);
        m->places[front] = PLACE_OUT;
        m->taken += 1;
    }
}

static void model_compare(const model *m)
{
    size_t waiting = 0;
    size_t ready = 0;
    for (size_t i = 0; i < THINGS; ++i) {
        waiting += m->places[i] == PLACE_WAITING;
        ready += m->places[i] == PLACE_READY;
    }
    size_t waiting_found = 0;
    for (const gpool__retired *t = m->queue.waiting.first; t != NULL; t = t->next) {
        waiting_found += 1;
    }
    size_t ready_found = 0;
    uint64_t serial = 0;
    for (const gpool__retired *t = m->queue.ready.first; t != NULL; t = t->next) {
        ready_found += 1;
        assert_in_range(t->serial, serial, m->submitted);
        serial = t->serial;
    }
    assert_int_equal(waiting_found, waiting);
    assert_int_equal(ready_found, ready);
}

static void random_frames_free_each_thing_once_and_never_early(void **state)
{
    (void)state;
    static model m;
    uint64_t random = seed;
    m = (model){ .frame = 1 };
    for (int step = 0; step < 20000; ++step) {
        switch (unit_random_below(&random, 12)) {
        case 0:
            m.frame += 1;
            break;
        case 1:
            m.recording = true;
            break;
        case 2:
            model_submit(&m, unit_random_below(&random, 5) == 0);
            break;
        case 3:
        case 4: /* the GPU finishes some of what is out */
            m.done += unit_random_below(&random, m.submitted - m.done + 1);
            break;
        case 5:
        case 6: {
            const uint64_t delay = unit_random_below(&random, 4);
            model_collect(&m, m.frame < delay ? 0 : m.frame - delay,
                          unit_random_below(&random, 3) == 0 ? 2 : UINT64_MAX);
            break;
        }
        default:
            model_give_up(&m, &random);
            break;
        }
        model_compare(&m);
    }
    model_submit(&m, false);
    m.done = m.submitted;
    model_collect(&m, m.frame, UINT64_MAX);
    assert_int_equal(m.taken, m.entries);
    assert_in_range(m.taken, 1000, 20000);
}

int main(int argc, char **argv)
{
    seed = unit_seed(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_queue_gives_nothing),
        cmocka_unit_test(nothing_leaves_before_its_serial_is_done),
        cmocka_unit_test(nothing_leaves_before_its_frame_is_old_enough),
        cmocka_unit_test(waiting_things_stay_whatever_is_done),
        cmocka_unit_test(close_stamps_all_that_wait_and_keeps_the_order),
        cmocka_unit_test(close_with_nothing_waiting_leaves_the_ready_alone),
        cmocka_unit_test(emptied_queue_takes_things_again),
        cmocka_unit_test(random_frames_free_each_thing_once_and_never_early),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
