/*
 * The plan of uploads beside a plain one: costs, sizes and dirty maps driven by bytes, every range
 * and time counted again from one bool for each granule. Ends the program when the two differ, or
 * when a plan is not allowed or not the fastest.
 */
#ifndef GPOOL_TESTS_UNIT_PLAN_MODEL_H
#define GPOOL_TESTS_UNIT_PLAN_MODEL_H

#include "unit/dirty_map_model.h"

#include "pool/plan.h"

#include <math.h>

#define PLAN_MODEL_BUFFERS 6u

typedef struct plan_buffer {
    dirty_model marks;
    gpool__plan_input input;
    gpool__plan plan;   /* as it is alone */
    uint64_t ranges[2]; /* counted, joined for direct and for merged */
    uint64_t bytes[2];
} plan_buffer;

typedef struct plan_model {
    gpool_upload_costs costs;
    plan_buffer buffers[PLAN_MODEL_BUFFERS];
    uint32_t count;
} plan_model;

/* --- the input --- */

static inline float plan_script_cost(dirty_script *s)
{
    const uint64_t kind = dirty_script_take(s, 1);
    const uint32_t bits = kind % 8 == 3 ? (uint32_t)dirty_script_take(s, 4) : 0;
    float raw;
    memcpy(&raw, &bits, sizeof raw);
    switch (kind % 8) {
    case 0:
        return 0.0f;
    case 1:
        return (float)(kind / 8);
    case 2:
        return (float)dirty_script_take(s, 2);
    case 3:
        return raw; /* negative, infinite, none, a very small one */
    case 4:
        return 1.0f / (float)(1 + dirty_script_take(s, 2));
    case 5:
        return ldexpf(1.0f, (int)(kind / 8) * 2 - 22); /* to 2^40, which is more than is allowed */
    default:
        return (float)dirty_script_take(s, 2) / 256.0f;
    }
}

static inline void plan_script_costs(dirty_script *s, gpool_upload_costs *costs)
{
    /* What a GPU was measured to cost: some of all tables are near it, where the ways compete. */
    static const float near[8] = {
        2290.0f, 0.072f, 10400.0f, 1660.0f, 0.07f, 5000.0f, 809.0f, 70.0f
    };
    const bool is_near = dirty_script_take(s, 1) % 2 != 0;
    float fields[8];
    bool good = true;
    for (int i = 0; i < 8; ++i) {
        fields[i] =
            is_near ? near[i] * (float)dirty_script_take(s, 1) / 128.0f : plan_script_cost(s);
        good = good && isfinite(fields[i]) && fields[i] >= 0.0f && fields[i] <= 1e12f;
    }
    *costs = (gpool_upload_costs){ fields[0], fields[1], fields[2], fields[3],
                                   fields[4], fields[5], fields[6], fields[7] };
    MODEL_REQUIRE(gpool__costs_are_good(costs) == good);
    if (!good) {
        *costs = (gpool_upload_costs){ .write_call = 1000.0f, .write_byte = 1.0f };
    }
}

static inline void plan_script_buffer(dirty_script *s, plan_buffer *b)
{
    static const uint64_t windows[] = { 0, 0, 256, 1000, 65536, UINT64_C(1) << 27, 1, UINT64_MAX };
    const uint64_t kind = dirty_script_take(s, 1);
    const uint64_t size = dirty_script_size(s, GPOOL__GRANULE);
    dirty_model_open(&b->marks, size, GPOOL__GRANULE);
    for (uint64_t left = kind / 8 + 1; left > 0; --left) {
        const uint64_t op = dirty_script_take(s, 1);
        const uint64_t offset = dirty_script_number(s, &b->marks);
        if (op == 0) {
            dirty_model_mark_all(&b->marks);
        } else {
            dirty_model_mark(&b->marks, offset, op % 8 == 0 ? op * 64 : 1 + op, false);
        }
    }
    if (gpool_dirty_map_state(b->marks.map) == GPOOL_DIRTY_NONE) {
        dirty_model_mark(&b->marks, 0, 1, false); /* what is clean is not planned */
    }
    const uint64_t how = dirty_script_take(s, 1);
    b->input = (gpool__plan_input){
        .dirty = b->marks.map,
        .size = (size + 3) / 4 * 4,
        .window = windows[how % 8] == UINT64_MAX ? size + how / 8 : windows[how % 8],
        .small = size < GPOOL__WHOLE_BELOW,
        .by_queue = kind % 4 != 0,
        .force =
            how / 8 < 12 ? (gpool_upload_way)(how / 8 % GPOOL_UPLOAD_COUNT) : GPOOL_UPLOAD_AUTO,
    };
}

/* --- one buffer --- */

static inline bool plan_same(double got, double wanted)
{
    return fabs(got - wanted) <= 1e-5 * fabs(wanted) + 1e-30;
}

/* The gap at which a call is worth its bytes; counted again, so that it may be off by rounding. */
static inline void plan_model_count(const plan_buffer *b, uint64_t gap, uint64_t *ranges,
                                    uint64_t *bytes)
{
    gpool_range range;
    *ranges = 0;
    *bytes = 0;
    for (uint64_t at = 0; dirty_model_next(&b->marks, gap, 1, &at, &range); *ranges += 1) {
        *bytes += range.size;
    }
    *bytes = (*bytes + 3) / 4 * 4;
}

static inline uint64_t plan_model_gap(float call, float byte)
{
    const double gap = byte > 0.0f ? (double)call / (double)byte : 1048576.0;
    return gap < 1048576.0 ? (uint64_t)(float)gap : 1048576;
}

/* What each way must be predicted to cost. */
static inline void plan_model_times(plan_model *m, plan_buffer *b, double *ns)
{
    const gpool_upload_costs *c = &m->costs;
    const double size = (double)b->input.size;
    const double call[2] = { (double)c->write_call, (double)c->copy_call };
    const double byte[2] = { (double)c->write_byte, (double)c->copy_byte };
    double whole[2];
    for (int i = 0; i < 2; ++i) {
        plan_model_count(b, plan_model_gap((float)call[i], (float)byte[i]), &b->ranges[i],
                         &b->bytes[i]);
        ns[GPOOL_UPLOAD_DIRECT + i] =
            (double)b->ranges[i] * call[i] + (double)b->bytes[i] * byte[i];
        whole[i] = call[i] + size * byte[i];
    }
    ns[GPOOL_UPLOAD_MERGED] += (double)b->plan.ranges * (double)GPOOL__RUN_NS;
    ns[GPOOL_UPLOAD_SCATTER] = -1.0;
    if (b->input.window > 0) {
        uint64_t granules = 0;
        for (uint64_t i = 0; i < b->marks.count; ++i) {
            granules += b->marks.dirty[i];
        }
        ns[GPOOL_UPLOAD_SCATTER] =
            ceil(size / (double)b->input.window) * (double)c->scatter_buffer +
            (double)granules * (double)c->scatter_granule;
    }
    if (!b->input.by_queue) {
        ns[GPOOL_UPLOAD_DIRECT] = -1.0;
        whole[0] = -1.0;
    }
    ns[GPOOL_UPLOAD_WHOLE] = whole[0] < 0.0 || whole[1] < whole[0] ? whole[1] : whole[0];
    MODEL_REQUIRE(plan_same((double)b->plan.whole_queue, whole[0]));
    MODEL_REQUIRE(plan_same((double)b->plan.whole_staged, whole[1]));
}

/* What holds of a plan at all times: it is allowed, its time is of what it does, its gap is its way's. */
static inline void plan_model_check(const plan_model *m, const plan_buffer *b,
                                    const gpool__plan *plan)
{
    const gpool_upload_way way = plan->way;
    const bool direct = way == GPOOL_UPLOAD_DIRECT;
    MODEL_REQUIRE(way > GPOOL_UPLOAD_AUTO && way < GPOOL_UPLOAD_COUNT);
    MODEL_REQUIRE(way != GPOOL_UPLOAD_SCATTER || b->input.window > 0);
    MODEL_REQUIRE(plan->staged || b->input.by_queue);
    MODEL_REQUIRE(way == GPOOL_UPLOAD_WHOLE || plan->staged == !direct);
    MODEL_REQUIRE(plan->ns[way] >= 0.0f && isfinite(plan->ns[way]));
    MODEL_REQUIRE(way != GPOOL_UPLOAD_WHOLE ||
                  plan->ns[way] == (plan->staged ? plan->whole_staged : plan->whole_queue));
    MODEL_REQUIRE(plan->gap == (direct ? plan_model_gap(m->costs.write_call, m->costs.write_byte)
                                       : plan_model_gap(m->costs.copy_call, m->costs.copy_byte)));
    if (direct || way == GPOOL_UPLOAD_MERGED) {
        /* What will be sent is what was counted. */
        gpool_dirty_count sent;
        MODEL_REQUIRE(gpool_dirty_map_count(b->marks.map, plan->gap, 1, &sent) == GPOOL_OK);
        MODEL_REQUIRE(sent.ranges == b->ranges[!direct]);
        MODEL_REQUIRE((sent.range_bytes + 3) / 4 * 4 == b->bytes[!direct]);
    }
}

/* The least time of the ways that are left when staging, or scattering, is not allowed; NAN = none. */
static inline double plan_model_least(const gpool__plan *plan, bool staged, bool scatter)
{
    double least = NAN;
    const double direct = (double)plan->ns[GPOOL_UPLOAD_DIRECT];
    const double times[] = { direct >= 0.0 ? direct : NAN,
                             plan->whole_queue >= 0.0f ? (double)plan->whole_queue : NAN,
                             staged ? (double)plan->ns[GPOOL_UPLOAD_MERGED] : NAN,
                             staged ? (double)plan->whole_staged : NAN,
                             staged && scatter && plan->ns[GPOOL_UPLOAD_SCATTER] >= 0.0f
                                 ? (double)plan->ns[GPOOL_UPLOAD_SCATTER]
                                 : NAN };
    for (size_t i = 0; i < sizeof times / sizeof times[0]; ++i) {
        least = fmin(least, times[i]); /* the other one where one is NAN */
    }
    return least;
}

static inline void plan_model_one(plan_model *m, plan_buffer *b)
{
    double ns[GPOOL_UPLOAD_COUNT] = { 0 };
    const gpool_upload_way force = b->input.force;
    b->plan = gpool__plan_buffer(&m->costs, &b->input);
    const gpool__plan *plan = &b->plan;
    gpool_dirty_count count;
    MODEL_REQUIRE(gpool_dirty_map_count(b->marks.map, 0, 1, &count) == GPOOL_OK);
    MODEL_REQUIRE(plan->granules == count.granules && plan->ranges == count.ranges &&
                  plan->dirty_bytes == count.dirty_bytes);
    plan_model_times(m, b, ns);
    for (int way = GPOOL_UPLOAD_DIRECT; way < GPOOL_UPLOAD_WHOLE; ++way) {
        MODEL_REQUIRE(plan_same((double)plan->ns[way], ns[way]));
    }
    plan_model_check(m, b, plan);
    if (b->input.small) {
        MODEL_REQUIRE(plan->way == GPOOL_UPLOAD_WHOLE &&
                      plan->reason == GPOOL_UPLOAD_REASON_SMALL &&
                      plan->staged == !b->input.by_queue);
    } else if (force != GPOOL_UPLOAD_AUTO && ns[force] >= 0.0) {
        MODEL_REQUIRE(plan->way == force && plan->reason == GPOOL_UPLOAD_REASON_FORCED);
    } else {
        MODEL_REQUIRE(plan->reason == GPOOL_UPLOAD_REASON_FASTEST);
        MODEL_REQUIRE(!((double)plan->ns[plan->way] > plan_model_least(plan, true, true)));
    }
}

/* --- all of a flush --- */

/* What a flush is predicted to take, with what is paid once. */
static inline double plan_model_total(const plan_model *m, const gpool__plan *plans)
{
    double total = 0.0;
    bool staged = false;
    bool scatter = false;
    for (uint32_t i = 0; i < m->count; ++i) {
        total += (double)plans[i].ns[plans[i].way];
        staged = staged || plans[i].staged;
        scatter = scatter || plans[i].way == GPOOL_UPLOAD_SCATTER;
    }
    return total + (staged ? (double)m->costs.stage_fixed : 0.0) +
           (scatter ? (double)m->costs.scatter_fixed : 0.0);
}

/* What it would take if none scattered, or none were staged; those that must stay as they are. NAN
 * where that is not possible. */
static inline double plan_model_without(const plan_model *m, bool staged)
{
    double total = 0.0;
    bool stage = false;
    for (uint32_t i = 0; i < m->count; ++i) {
        const gpool__plan *plan = &m->buffers[i].plan;
        const bool free = plan->reason == GPOOL_UPLOAD_REASON_FASTEST;
        const bool has_to = !free && (staged ? plan->way == GPOOL_UPLOAD_SCATTER : plan->staged);
        const double least = plan_model_least(plan, staged, false);
        total += has_to ? (double)NAN : free ? least : (double)plan->ns[plan->way];
        stage = stage || staged; /* some may need it, which costs no more than all */
    }
    return total + (stage ? (double)m->costs.stage_fixed : 0.0);
}

static inline void plan_model_settle(const plan_model *m)
{
    gpool__plan plans[PLAN_MODEL_BUFFERS];
    gpool__plan *list[PLAN_MODEL_BUFFERS] = { NULL };
    double alone = 0.0;
    for (uint32_t i = 0; i < m->count; ++i) {
        plans[i] = m->buffers[i].plan;
        list[i] = &plans[i];
    }
    alone = plan_model_total(m, plans);
    gpool__plan_settle(&m->costs, list, m->count);
    const double settled = plan_model_total(m, plans);
    const double slack = 1e-4 * (fabs(alone) + fabs(settled)) + 1e-20;
    for (uint32_t i = 0; i < m->count; ++i) {
        const gpool__plan *before = &m->buffers[i].plan;
        plan_model_check(m, &m->buffers[i], &plans[i]);
        MODEL_REQUIRE(plans[i].reason == before->reason);
        MODEL_REQUIRE(before->reason == GPOOL_UPLOAD_REASON_FASTEST ||
                      (plans[i].way == before->way && plans[i].staged == before->staged));
    }
    /* NAN, where a way out is not possible, is more than nothing. */
    MODEL_REQUIRE(!(settled > alone + slack));
    MODEL_REQUIRE(!(settled > plan_model_without(m, true) + slack));
    MODEL_REQUIRE(!(settled > plan_model_without(m, false) + slack));
}

/* What is told of one buffer alone: its way takes least, unless it was told to go another. */
static inline void plan_model_explain(const plan_model *m, const plan_buffer *b)
{
    gpool__plan plan = b->plan;
    gpool__plan *one = &plan;
    gpool__plan_settle(&m->costs, &one, 1);
    const double fixed = (double)m->costs.stage_fixed;
    const double told = (double)gpool__plan_alone(&m->costs, &plan, plan.way);
    const double once = (plan.staged ? fixed : 0.0) +
                        (plan.way == GPOOL_UPLOAD_SCATTER ? (double)m->costs.scatter_fixed : 0.0);
    MODEL_REQUIRE(plan_same(told, (double)plan.ns[plan.way] + once));
    for (int way = GPOOL_UPLOAD_DIRECT; way < GPOOL_UPLOAD_COUNT; ++way) {
        const double other = (double)gpool__plan_alone(&m->costs, &plan, (gpool_upload_way)way);
        MODEL_REQUIRE((other < 0.0) == (b->plan.ns[way] < 0.0f));
        MODEL_REQUIRE(plan.reason != GPOOL_UPLOAD_REASON_FASTEST || other < 0.0 ||
                      told <= other * (1.0 + 1e-5) + 1e-20);
    }
    const double whole = (double)gpool__plan_alone(&m->costs, &plan, GPOOL_UPLOAD_WHOLE);
    const double queue = (double)plan.whole_queue;
    const double staged = (double)plan.whole_staged + fixed;
    MODEL_REQUIRE(plan.way == GPOOL_UPLOAD_WHOLE ||
                  plan_same(whole, queue >= 0.0 ? fmin(queue, staged) : staged));
}

/** Runs a script: one flush of some buffers. */
static inline void plan_model_run(const uint8_t *bytes, size_t size)
{
    static plan_model m;
    dirty_script script = { .bytes = bytes, .left = size };
    plan_script_costs(&script, &m.costs);
    m.count = 0;
    do {
        plan_buffer *b = &m.buffers[m.count++];
        plan_script_buffer(&script, b);
        plan_model_one(&m, b);
        plan_model_explain(&m, b);
    } while (script.left > 0 && m.count < PLAN_MODEL_BUFFERS);
    plan_model_settle(&m);
    for (uint32_t i = 0; i < m.count; ++i) {
        dirty_model_close(&m.buffers[i].marks);
    }
}

#endif
