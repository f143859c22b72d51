#include "pool/plan.h"

#include "base/checked.h"
#include "track/dirty_map.h"

bool gpool__costs_are_good(const gpool_upload_costs *costs)
{
    const float fields[] = { costs->write_call,     costs->write_byte,     costs->stage_fixed,
                             costs->copy_call,      costs->copy_byte,      costs->scatter_fixed,
                             costs->scatter_buffer, costs->scatter_granule };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; ++i) {
        if (!(fields[i] >= 0.0f && fields[i] <= 1e12f)) {
            return false;
        }
    }
    return true;
}

/* The gap at which a call costs as much as the bytes of the gap; bounded for tables with zeros. */
static uint64_t plan_gap(float call, float byte)
{
    const float most = 1048576.0f;
    return byte * most > call ? (uint64_t)(call / byte) : (uint64_t)most;
}

/* The gap of a way's ranges. */
static uint64_t plan_gap_of(const gpool_upload_costs *costs, gpool_upload_way way)
{
    return way == GPOOL_UPLOAD_DIRECT ? plan_gap(costs->write_call, costs->write_byte)
                                      : plan_gap(costs->copy_call, costs->copy_byte);
}

uint64_t gpool__plan_write_bytes(const gpool_upload_costs *costs)
{
    return plan_gap_of(costs, GPOOL_UPLOAD_DIRECT);
}

/* Bytes up to the next multiple of 4: a map ends where its buffer does. */
static float plan_bytes(uint64_t bytes)
{
    return (float)gpool__round_up(bytes, 4);
}

/* True when a way needs an encoder and staging; WHOLE does where that is cheaper or the only way. */
static bool plan_is_staged(const gpool__plan *plan, gpool_upload_way way)
{
    return way == GPOOL_UPLOAD_MERGED || way == GPOOL_UPLOAD_SCATTER ||
           (way == GPOOL_UPLOAD_WHOLE &&
            (plan->whole_queue < 0.0f || plan->whole_staged < plan->whole_queue));
}

/* Sets the fastest way among those allowed. */
static void plan_pick(gpool__plan *plan, bool staged, bool scatter)
{
    bool whole_staged = staged && plan_is_staged(plan, GPOOL_UPLOAD_WHOLE);
    plan->ns[GPOOL_UPLOAD_WHOLE] = whole_staged ? plan->whole_staged : plan->whole_queue;
    const bool allowed[GPOOL_UPLOAD_COUNT] = {
        [GPOOL_UPLOAD_DIRECT] = true,
        [GPOOL_UPLOAD_MERGED] = staged,
        [GPOOL_UPLOAD_SCATTER] = staged && scatter,
        [GPOOL_UPLOAD_WHOLE] = true,
    };
    plan->way = GPOOL_UPLOAD_AUTO;
    for (int way = GPOOL_UPLOAD_DIRECT; way < GPOOL_UPLOAD_COUNT; ++way) {
        if (allowed[way] && plan->ns[way] >= 0.0f &&
            (plan->way == GPOOL_UPLOAD_AUTO || plan->ns[way] < plan->ns[plan->way])) {
            plan->way = (gpool_upload_way)way;
        }
    }
    plan->staged = staged && plan_is_staged(plan, plan->way);
}

/* A way that was asked for, where it is possible. */
static bool plan_force(gpool__plan *plan, gpool_upload_way way)
{
    if (way == GPOOL_UPLOAD_AUTO || plan->ns[way] < 0.0f) {
        return false;
    }
    plan->way = way;
    plan->reason = GPOOL_UPLOAD_REASON_FORCED;
    plan->staged = plan_is_staged(plan, way);
    return true;
}

gpool__plan gpool__plan_buffer(const gpool_upload_costs *costs, const gpool__plan_input *input)
{
    gpool__plan plan = { .reason = GPOOL_UPLOAD_REASON_FASTEST };
    gpool__dirty_survey seen =
        gpool__dirty_map_survey(input->dirty, plan_gap_of(costs, GPOOL_UPLOAD_DIRECT),
                                plan_gap_of(costs, GPOOL_UPLOAD_MERGED));
    plan.granules = seen.granules;
    plan.dirty_bytes = seen.dirty_bytes;
    plan.ranges = seen.ranges[0];
    float size = (float)input->size;
    float *ns = plan.ns;
    ns[GPOOL_UPLOAD_DIRECT] = !input->by_queue ? -1.0f
                                               : (float)seen.ranges[1] * costs->write_call +
                                                     plan_bytes(seen.bytes[1]) * costs->write_byte;
    ns[GPOOL_UPLOAD_MERGED] = (float)seen.ranges[2] * costs->copy_call +
                              plan_bytes(seen.bytes[2]) * costs->copy_byte +
                              (float)seen.ranges[0] * GPOOL__RUN_NS;
    ns[GPOOL_UPLOAD_SCATTER] = -1.0f;
    if (input->window > 0) {
        float windows = (float)((input->size + input->window - 1) / input->window);
        ns[GPOOL_UPLOAD_SCATTER] =
            windows * costs->scatter_buffer + (float)seen.granules * costs->scatter_granule;
    }
    plan.whole_staged = costs->copy_call + size * costs->copy_byte;
    plan.whole_queue = input->by_queue ? costs->write_call + size * costs->write_byte : -1.0f;
    plan_pick(&plan, true, true);
    if (input->small) {
        plan.way = GPOOL_UPLOAD_WHOLE;
        plan.reason = GPOOL_UPLOAD_REASON_SMALL;
        plan.staged = plan.whole_queue < 0.0f;
        ns[GPOOL_UPLOAD_WHOLE] = plan.staged ? plan.whole_staged : plan.whole_queue;
    } else {
        (void)plan_force(&plan, input->force);
    }
    plan.gap = plan_gap_of(costs, plan.way);
    return plan;
}

/* Whether a plan is of the class of ways: those that scatter, or those that need staging. */
static bool plan_is_of(const gpool__plan *plan, bool scatter)
{
    return scatter ? plan->way == GPOOL_UPLOAD_SCATTER : plan->staged;
}

/* What all would lose together if a class of ways were not allowed; changes them when it is too little.
 * `once` is what the class costs once. */
static void plan_join(const gpool_upload_costs *costs, gpool__plan *const *plans, uint32_t count,
                      bool scatter, float once)
{
    float lost = 0.0f;
    for (uint32_t i = 0; i < count; ++i) {
        const gpool__plan *plan = plans[i];
        if (!plan_is_of(plan, scatter)) {
            continue;
        }
        gpool__plan other = *plan;
        plan_pick(&other, scatter, false);
        if (plan->reason != GPOOL_UPLOAD_REASON_FASTEST || other.way == GPOOL_UPLOAD_AUTO) {
            return; /* it is paid anyway */
        }
        lost += other.ns[other.way] - plan->ns[plan->way];
    }
    for (uint32_t i = 0; i < count && lost < once; ++i) {
        gpool__plan *plan = plans[i];
        if (plan_is_of(plan, scatter)) {
            plan_pick(plan, scatter, false);
            plan->gap = plan_gap_of(costs, plan->way);
        }
    }
}

void gpool__plan_settle(const gpool_upload_costs *costs, gpool__plan *const *plans, uint32_t count)
{
    plan_join(costs, plans, count, true, costs->scatter_fixed);
    /* Without staging nothing scatters either. */
    float once = costs->stage_fixed;
    for (uint32_t i = 0; i < count; ++i) {
        if (plans[i]->way == GPOOL_UPLOAD_SCATTER) {
            once = costs->stage_fixed + costs->scatter_fixed;
        }
    }
    plan_join(costs, plans, count, false, once);
}

float gpool__plan_alone(const gpool_upload_costs *costs, const gpool__plan *plan,
                        gpool_upload_way way)
{
    if (plan->ns[way] < 0.0f) {
        return -1.0f;
    }
    if (way == GPOOL_UPLOAD_WHOLE) {
        float staged = plan->whole_staged + costs->stage_fixed;
        bool by_queue = way == plan->way ? !plan->staged
                                         : plan->whole_queue >= 0.0f && plan->whole_queue <= staged;
        return by_queue ? plan->whole_queue : staged;
    }
    return plan->ns[way] + (way == GPOOL_UPLOAD_DIRECT ? 0.0f : costs->stage_fixed) +
           (way == GPOOL_UPLOAD_SCATTER ? costs->scatter_fixed : 0.0f);
}
