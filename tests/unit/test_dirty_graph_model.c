/*
 * Random edits, marks, triggers and updates of a small graph, against a model that knows versions
 * and recomputes everything from scratch.
 */
#include "track/dirty_graph_state.h"

#include "unit/unit.h"

#define NODES 20u
#define EDGES 70u
#define VIEWS 6u
#define NONE  UINT32_MAX

static uint64_t seed;

typedef struct model_node {
    gpool_dirty_node id;
    bool alive;
    bool pending;     /* must compute: marked, fresh or failed */
    uint64_t version; /* rises with each new output */
    uint64_t parameter;
    uint64_t trigger_value; /* what the trigger brought in last */
    uint64_t value;         /* output */
    gpool_dirty_trigger trigger;
    /* of the running or last update */
    bool failed;
    bool marked;  /* by a compute function */
    bool touched; /* may have had its turn */
    bool must;    /* its turn must come */
    uint32_t calls;
} model_node;

typedef struct model_edge {
    gpool_dirty_edge id;
    bool alive;
    bool weak;
    uint32_t source;
    uint32_t consumer;
    uint64_t seen;    /* version consumed; 0 = none */
    uint64_t sampled; /* value of the source at that time */
} model_edge;

typedef struct model_view {
    gpool_dirty_node node;
    gpool_dirty_view view;
    uint64_t version;
} model_view;

typedef struct model {
    gpool_dirty_graph *graph;
    unit_allocator allocator;
    uint64_t random;
    model_node nodes[NODES];
    model_edge edges[EDGES];
    model_view views[VIEWS];
    gpool_dirty_node dead_node;
    gpool_dirty_edge dead_edge;
    uint64_t pass, time;
    bool has_pass;
    uint32_t fail_percent;
    uint32_t mark_percent;
    bool all;        /* the update is for all nodes */
    uint32_t target; /* else for this one */
    uint64_t computed, failures, inner_marks, cycles;
} model;

static bool chance(model *m, uint32_t percent)
{
    return unit_random_below(&m->random, 100) < percent;
}

static uint32_t pick_node(model *m)
{
    const uint32_t from = (uint32_t)unit_random_below(&m->random, NODES);
    for (uint32_t i = 0; i < NODES; ++i) {
        if (m->nodes[(from + i) % NODES].alive) {
            return (from + i) % NODES;
        }
    }
    return NONE;
}

/* Nodes from which `node` can be reached, with itself. */
static void upstream(const model *m, uint32_t node, bool weak_too, bool *set)
{
    memset(set, 0, NODES * sizeof *set);
    set[node] = true;
    for (bool more = true; more;) {
        more = false;
        for (uint32_t i = 0; i < EDGES; ++i) {
            const model_edge *e = &m->edges[i];
            if (e->alive && (weak_too || !e->weak) && set[e->consumer] && !set[e->source]) {
                set[e->source] = true;
                more = true;
            }
        }
    }
}

static bool real_clean(const model *m, uint32_t node)
{
    return gpool_dirty_graph_is_clean(m->graph, m->nodes[node].id);
}

/* By versions alone: something in it or upstream of it was not consumed. */
static bool naive_stale(const model *m, uint32_t node)
{
    bool set[NODES];
    upstream(m, node, false, set);
    for (uint32_t i = 0; i < NODES; ++i) {
        if (set[i] && m->nodes[i].pending) {
            return true;
        }
    }
    for (uint32_t i = 0; i < EDGES; ++i) {
        const model_edge *e = &m->edges[i];
        if (e->alive && !e->weak && set[e->consumer] && e->seen != m->nodes[e->source].version) {
            return true;
        }
    }
    return false;
}

static bool failed_upstream(const model *m, uint32_t node)
{
    bool set[NODES];
    upstream(m, node, false, set);
    for (uint32_t i = 0; i < NODES; ++i) {
        if (set[i] && m->nodes[i].failed) {
            return true;
        }
    }
    return false;
}

static bool marked_upstream(const model *m, uint32_t node)
{
    bool set[NODES];
    upstream(m, node, false, set);
    for (uint32_t i = 0; i < NODES; ++i) {
        if (set[i] && m->nodes[i].marked) {
            return true;
        }
    }
    return false;
}

/* A real node may be stale for nothing, never clean for nothing. */
static void compare(const model *m)
{
    bool clean = true;
    assert_same(gpool__graph_validate(m->graph), true);
    for (uint32_t i = 0; i < NODES; ++i) {
        if (m->nodes[i].alive) {
            assert_same(gpool_dirty_graph_check(m->graph, m->nodes[i].id), GPOOL_OK);
            assert_same(real_clean(m, i) && naive_stale(m, i), false);
            clean = clean && real_clean(m, i);
        }
    }
    assert_same(gpool_dirty_graph_all_clean(m->graph), clean);
}

static uint64_t combine(uint32_t edge, uint64_t sum, uint64_t input)
{
    return sum + (edge % 5 + 1) * input;
}

static uint64_t from_inputs(const model *m, uint32_t node)
{
    const model_node *n = &m->nodes[node];
    uint64_t sum = n->parameter + n->trigger_value;
    for (uint32_t i = 0; i < EDGES; ++i) {
        if (m->edges[i].alive && m->edges[i].consumer == node) {
            sum = combine(i, sum, m->edges[i].sampled);
        }
    }
    return sum % 5;
}

/* The value of a node when everything is computed anew; weak inputs as they were last sampled. */
static uint64_t from_scratch(const model *m, uint32_t node)
{
    const model_node *n = &m->nodes[node];
    uint64_t sum = n->parameter + n->trigger_value;
    for (uint32_t i = 0; i < EDGES; ++i) {
        const model_edge *e = &m->edges[i];
        if (e->alive && e->consumer == node) {
            sum = combine(i, sum, e->weak ? e->sampled : from_scratch(m, e->source));
        }
    }
    return sum % 5;
}

static void mark_node(model *m, uint32_t node)
{
    m->nodes[node].parameter = unit_random_below(&m->random, 5);
    m->nodes[node].pending = true;
    assert_same(gpool_dirty_graph_mark(m->graph, m->nodes[node].id), GPOOL_OK);
}

static void mark_inside(model *m)
{
    const uint32_t node = pick_node(m);
    model_node *n = &m->nodes[node];
    n->must = n->must || !n->touched;
    mark_node(m, node);
    n->marked = true;
    m->inner_marks += 1;
    for (uint32_t i = 0; i < NODES; ++i) {
        bool set[NODES];
        if (m->nodes[i].alive) {
            upstream(m, i, false, set);
            m->nodes[i].touched = m->nodes[i].touched || set[node];
        }
    }
}

static void check_turn(const model *m, uint32_t node)
{
    const model_node *n = &m->nodes[node];
    bool needed = n->pending;
    bool wanted[NODES];
    if (!m->all) {
        upstream(m, m->target, true, wanted);
        assert_same(wanted[node], true);
    }
    for (uint32_t i = 0; i < EDGES; ++i) {
        const model_edge *e = &m->edges[i];
        if (!e->alive || e->consumer != node) {
            continue;
        }
        const bool fails = failed_upstream(m, e->source);
        if (!e->weak) {
            needed = needed || e->seen != m->nodes[e->source].version;
            /* A source that rested before something upstream was marked, then failed, may serve. */
            assert_same(fails && !m->nodes[e->source].calls && !marked_upstream(m, e->source),
                        false);
            assert_same(m->nodes[e->source].failed, false);
        }
        assert_same(real_clean(m, e->source) || fails || marked_upstream(m, e->source), true);
        if (m->mark_percent == 0 && !e->weak) {
            assert_same(fails, false);
            assert_same(real_clean(m, e->source), true);
        }
    }
    assert_same(needed, true);
}

static gpool_dirty_outcome compute(void *user, gpool_dirty_node id)
{
    model *m = user;
    const uint32_t node = gpool_dirty_node_index(id);
    assert_in_range(node, 0, NODES - 1);
    model_node *n = &m->nodes[node];
    assert_int_equal(n->id.id, id.id);
    assert_same(n->alive, true);
    assert_int_equal(n->calls, 0);
    check_turn(m, node);
    n->calls += 1;
    m->computed += 1;
    n->pending = false;
    n->touched = true;
    for (uint32_t i = 0; i < EDGES; ++i) {
        model_edge *e = &m->edges[i];
        if (e->alive && e->consumer == node) {
            e->seen = m->nodes[e->source].version;
            e->sampled = m->nodes[e->source].value;
        }
    }
    const uint64_t value = from_inputs(m, node);
    while (chance(m, m->mark_percent)) {
        mark_inside(m);
    }
    if (chance(m, m->fail_percent)) {
        n->pending = true;
        n->failed = true;
        m->failures += 1;
        return GPOOL_DIRTY_FAILED;
    }
    if (value == n->value && n->version > 1 && chance(m, 80)) {
        return GPOOL_DIRTY_UNCHANGED;
    }
    n->value = value;
    n->version += 1;
    return GPOOL_DIRTY_CHANGED;
}

static void update(model *m, uint32_t target)
{
    m->all = target == NONE;
    m->target = target;
    for (uint32_t i = 0; i < NODES; ++i) {
        model_node *n = &m->nodes[i];
        n->failed = n->marked = n->must = false;
        n->calls = 0;
        n->touched = n->alive && !real_clean(m, i);
    }
    const gpool_result result =
        m->all ? gpool_dirty_graph_update_all(m->graph, compute, m)
               : gpool_dirty_graph_update(m->graph, m->nodes[target].id, compute, m);
    bool failed = false;
    for (uint32_t i = 0; i < NODES; ++i) {
        const model_node *n = &m->nodes[i];
        failed = failed || n->failed;
        if (!n->alive) {
            continue;
        }
        if (n->must && m->all) {
            assert_same(n->calls == 1 || failed_upstream(m, i), true);
        }
        if (m->all || i == target) {
            const bool fails = failed_upstream(m, i);
            assert_same(fails && real_clean(m, i), false);
            assert_same(fails || marked_upstream(m, i) || real_clean(m, i), true);
        }
    }
    assert_same(result, failed ? GPOOL_ERROR_FAILED_RESOURCE : GPOOL_OK);
    for (uint32_t i = 0; i < NODES; ++i) {
        m->nodes[i].failed = m->nodes[i].marked = false;
    }
}

static void begin_pass(model *m)
{
    const uint64_t pass = m->pass + unit_random_below(&m->random, 3) - 1;
    const uint64_t time = m->time + unit_random_below(&m->random, 2);
    assert_same(gpool_dirty_graph_begin_pass(m->graph, pass, (double)time), GPOOL_OK);
    if (m->has_pass && pass == m->pass) {
        return;
    }
    for (uint32_t i = 0; i < NODES; ++i) {
        model_node *n = &m->nodes[i];
        if (n->alive &&
            (n->trigger == GPOOL_DIRTY_TRIGGER_ALWAYS ||
             (n->trigger == GPOOL_DIRTY_TRIGGER_ANIMATED && (!m->has_pass || time != m->time)))) {
            n->pending = true;
            n->trigger_value = unit_random_below(&m->random, 5);
            assert_same(real_clean(m, i), false);
        }
    }
    m->has_pass = true;
    m->pass = pass;
    m->time = time;
}

static gpool_dirty_trigger pick_trigger(model *m)
{
    return chance(m, 60) ? GPOOL_DIRTY_TRIGGER_NEVER
                         : (gpool_dirty_trigger)unit_random_below(&m->random, 3);
}

static void add_node(model *m)
{
    gpool_dirty_node id;
    uint32_t alive = 0;
    for (uint32_t i = 0; i < NODES; ++i) {
        alive += m->nodes[i].alive;
    }
    if (alive == NODES) {
        return;
    }
    const gpool_dirty_trigger trigger = pick_trigger(m);
    assert_same(gpool_dirty_graph_add(m->graph, trigger, &id), GPOOL_OK);
    const uint32_t node = gpool_dirty_node_index(id);
    assert_in_range(node, 0, NODES - 1);
    assert_same(m->nodes[node].alive, false);
    assert_true(m->nodes[node].id.id < id.id);
    m->nodes[node] = (model_node){ .id = id,
                                   .alive = true,
                                   .pending = true,
                                   .version = 1,
                                   .trigger = trigger,
                                   .parameter = unit_random_below(&m->random, 5) };
}

static void cut_edge(model *m, uint32_t edge)
{
    m->dead_edge = m->edges[edge].id;
    m->edges[edge].alive = false;
    m->nodes[m->edges[edge].consumer].pending = true;
}

static void remove_node(model *m, uint32_t node)
{
    assert_same(gpool_dirty_graph_remove(m->graph, m->nodes[node].id), GPOOL_OK);
    for (uint32_t i = 0; i < EDGES; ++i) {
        if (m->edges[i].alive && (m->edges[i].source == node || m->edges[i].consumer == node)) {
            cut_edge(m, i);
        }
    }
    m->nodes[node].alive = false;
    m->dead_node = m->nodes[node].id;
}

static bool is_edge(const model *m, gpool_dirty_node source, gpool_dirty_node consumer)
{
    for (uint32_t i = 0; i < EDGES; ++i) {
        const model_edge *e = &m->edges[i];
        if (e->alive && m->nodes[e->source].id.id == source.id &&
            m->nodes[e->consumer].id.id == consumer.id) {
            return true;
        }
    }
    return false;
}

static void check_path(model *m, uint32_t from, uint32_t to, bool exists)
{
    gpool_dirty_node path[NODES];
    size_t count = 0;
    assert_same(gpool_dirty_graph_find_path(m->graph, m->nodes[from].id, m->nodes[to].id, path,
                                            NODES, &count),
                GPOOL_OK);
    assert_same(count != 0, exists);
    assert_in_range(count, 0, NODES);
    if (exists) {
        assert_int_equal(path[0].id, m->nodes[from].id.id);
        assert_int_equal(path[count - 1].id, m->nodes[to].id.id);
        for (size_t i = 0; i + 1 < count; ++i) {
            assert_same(is_edge(m, path[i], path[i + 1]), true);
        }
    }
}

static void connect_nodes(model *m, uint32_t source, uint32_t consumer)
{
    bool set[NODES];
    uint32_t slot = 0;
    while (slot < EDGES && m->edges[slot].alive) {
        slot += 1;
    }
    if (slot == EDGES) {
        return;
    }
    upstream(m, source, true, set);
    const bool weak = chance(m, 25);
    gpool_dirty_edge id;
    const gpool_result result =
        gpool_dirty_graph_connect(m->graph, m->nodes[source].id, m->nodes[consumer].id,
                                  weak ? GPOOL_DIRTY_WEAK : GPOOL_DIRTY_STRONG, &id);
    assert_same(result, set[consumer] ? GPOOL_ERROR_INVALID_ARGUMENT : GPOOL_OK);
    check_path(m, consumer, source, set[consumer]);
    if (result == GPOOL_OK) {
        m->edges[slot] = (model_edge){
            .id = id, .alive = true, .weak = weak, .source = source, .consumer = consumer
        };
        m->nodes[consumer].pending = true;
    } else {
        m->cycles += 1;
    }
}

static void disconnect_some(model *m)
{
    const uint32_t edge = (uint32_t)unit_random_below(&m->random, EDGES);
    if (m->edges[edge].alive) {
        assert_same(gpool_dirty_graph_disconnect(m->graph, m->edges[edge].id), GPOOL_OK);
        cut_edge(m, edge);
    }
}

static void change_trigger(model *m, uint32_t node)
{
    model_node *n = &m->nodes[node];
    const gpool_dirty_trigger trigger = pick_trigger(m);
    assert_same(gpool_dirty_graph_set_trigger(m->graph, n->id, trigger), GPOOL_OK);
    n->pending = n->pending || (trigger != n->trigger && trigger != GPOOL_DIRTY_TRIGGER_NEVER);
    n->trigger = trigger;
}

static void look(model *m)
{
    model_view *v = &m->views[unit_random_below(&m->random, VIEWS)];
    gpool_dirty_flag *flag = gpool_dirty_graph_flag(m->graph, v->node);
    const model_node *n = &m->nodes[gpool_dirty_node_index(v->node) % NODES];
    if (flag == NULL) {
        assert_same(v->node.id != 0 && n->alive && n->id.id == v->node.id, false);
        const uint32_t node = pick_node(m);
        *v = (model_view){ .node = m->nodes[node].id };
        return;
    }
    assert_same(gpool_dirty_view_is(&v->view, flag), v->version != n->version);
    gpool_dirty_view_clear(&v->view, gpool_dirty_view_begin(&v->view, flag));
    v->version = n->version;
}

static void refuse_the_dead(model *m)
{
    if (m->dead_node.id != 0) {
        assert_same(gpool_dirty_graph_mark(m->graph, m->dead_node), GPOOL_ERROR_STALE_HANDLE);
        assert_same(gpool_dirty_graph_is_clean(m->graph, m->dead_node), false);
    }
    if (m->dead_edge.id != 0) {
        assert_same(gpool_dirty_graph_disconnect(m->graph, m->dead_edge), GPOOL_ERROR_STALE_HANDLE);
    }
}

/* One undisturbed update makes all clean, and every value what it is from scratch. */
static void come_to_rest(model *m)
{
    const uint32_t fails = m->fail_percent;
    const uint32_t marks = m->mark_percent;
    m->fail_percent = m->mark_percent = 0;
    update(m, NONE);
    compare(m);
    assert_same(gpool_dirty_graph_all_clean(m->graph), true);
    for (uint32_t i = 0; i < NODES; ++i) {
        if (m->nodes[i].alive) {
            assert_int_equal(m->nodes[i].value, from_scratch(m, i));
        }
    }
    m->fail_percent = fails;
    m->mark_percent = marks;
}

static void step(model *m)
{
    const uint32_t node = pick_node(m);
    const uint64_t what = unit_random_below(&m->random, 100);
    if (node == NONE || what < 8) {
        add_node(m);
    } else if (what < 11) {
        remove_node(m, node);
    } else if (what < 30) {
        connect_nodes(m, node, pick_node(m));
    } else if (what < 36) {
        disconnect_some(m);
    } else if (what < 58) {
        mark_node(m, node);
    } else if (what < 61) {
        change_trigger(m, node);
    } else if (what < 69) {
        begin_pass(m);
    } else if (what < 83) {
        update(m, node);
    } else if (what < 88) {
        update(m, NONE);
    } else if (what < 96) {
        look(m);
    } else if (what < 98) {
        refuse_the_dead(m);
    } else {
        come_to_rest(m);
    }
    compare(m);
}

static void run(uint64_t from, uint32_t fail_percent, uint32_t mark_percent)
{
    static model m;
    uint64_t computed = 0;
    uint64_t failures = 0;
    uint64_t inner_marks = 0;
    uint64_t cycles = 0;
    for (uint64_t round = 0; round < 40; ++round) {
        m = (model){ .random = from + round,
                     .fail_percent = fail_percent,
                     .mark_percent = mark_percent };
        const gpool_allocator hooks = unit_hooks(&m.allocator);
        assert_same(gpool_dirty_graph_create(&hooks, &m.graph), GPOOL_OK);
        for (int i = 0; i < 500; ++i) {
            step(&m);
        }
        come_to_rest(&m);
        gpool_dirty_graph_stats stats;
        gpool_dirty_graph_get_stats(m.graph, &stats);
        assert_int_equal(stats.computed, m.computed);
        assert_int_equal(stats.failed, m.failures);
        gpool_dirty_graph_destroy(m.graph);
        assert_int_equal(m.allocator.blocks, 0);
        assert_int_equal(m.allocator.wrong_sizes, 0);
        computed += m.computed;
        failures += m.failures;
        inner_marks += m.inner_marks;
        cycles += m.cycles;
    }
    printf("%u%% fail, %u%% mark inside: %u computes, %u failures, %u marks inside, %u cycles\n",
           fail_percent, mark_percent, (unsigned)computed, (unsigned)failures,
           (unsigned)inner_marks, (unsigned)cycles);
    assert_in_range(computed, 1000, UINT32_MAX);
    assert_in_range(cycles, 100, UINT32_MAX);
    assert_same(failures != 0, fail_percent != 0);
    assert_same(inner_marks != 0, mark_percent != 0);
}

static void random_work_computes_what_changed_and_nothing_else(void **state)
{
    (void)state;
    run(seed, 0, 0);
}

static void random_work_with_failures_leaves_them_stale(void **state)
{
    (void)state;
    run(seed + 1000, 15, 0);
}

static void random_marks_inside_compute_are_never_lost(void **state)
{
    (void)state;
    run(seed + 2000, 0, 25);
}

static void random_work_with_failures_and_marks_inside(void **state)
{
    (void)state;
    run(seed + 3000, 12, 20);
    run(seed + 4000, 50, 60);
}

int main(int argc, char **argv)
{
    seed = unit_seed(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_work_computes_what_changed_and_nothing_else),
        cmocka_unit_test(random_work_with_failures_leaves_them_stale),
        cmocka_unit_test(random_marks_inside_compute_are_never_lost),
        cmocka_unit_test(random_work_with_failures_and_marks_inside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
