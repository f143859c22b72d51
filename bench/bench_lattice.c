/* A dirty graph that is all diamonds: each node reads its left and its upper neighbour. */
#include "bench.h"

#include <gpool/dirty_graph.h>

#include <stdlib.h>

#define LATTICE_PASSES  8u
#define LATTICE_ANSWERS 1000u

/* There are more ways from the first node to the last than a double can count. */
typedef struct lattice {
    gpool_dirty_graph *graph;
    gpool_dirty_node *nodes; /* by row */
    uint32_t *computes;      /* of each node, by its index in the graph */
    uint64_t count;
    uint64_t width;
    uint64_t passes; /* so many times each node should have been computed */
} lattice;

static gpool_dirty_outcome lattice_compute(void *user, gpool_dirty_node node)
{
    lattice *l = user;
    l->computes[gpool_dirty_node_index(node)] += 1;
    return GPOOL_DIRTY_CHANGED;
}

static void lattice_connect(const lattice *l, uint64_t source, uint64_t consumer)
{
    bench_require(gpool_dirty_graph_connect(l->graph, l->nodes[source], l->nodes[consumer],
                                            GPOOL_DIRTY_STRONG, NULL) == GPOOL_OK,
                  "an edge is refused");
}

static void lattice_update(lattice *l)
{
    bench_require(gpool_dirty_graph_update_all(l->graph, lattice_compute, l) == GPOOL_OK,
                  "an update fails");
    l->passes += 1;
}

static void lattice_mark(const lattice *l, uint64_t node)
{
    bench_require(gpool_dirty_graph_mark(l->graph, l->nodes[node]) == GPOOL_OK,
                  "a mark is refused");
}

static void lattice_open(lattice *l, uint64_t count)
{
    uint64_t width = 1;
    while (width * width < count || count % width != 0) {
        width += 1; /* as square as it can be */
    }
    *l = (lattice){
        .nodes = bench_alloc(count, sizeof *l->nodes),
        .computes = bench_alloc(count, sizeof *l->computes),
        .count = count,
        .width = width,
    };
    bench_require(gpool_dirty_graph_create(NULL, &l->graph) == GPOOL_OK, "there is no memory");
    for (uint64_t i = 0; i < count; ++i) {
        bench_require(gpool_dirty_graph_add(l->graph, GPOOL_DIRTY_TRIGGER_NEVER, &l->nodes[i]) ==
                          GPOOL_OK,
                      "a node is refused");
        if (i % width > 0) {
            lattice_connect(l, i - 1, i);
        }
        if (i >= width) {
            lattice_connect(l, i - width, i);
        }
    }
    lattice_update(l);
}

static void lattice_close(lattice *l)
{
    gpool_dirty_graph_destroy(l->graph);
    free(l->nodes);
    free(l->computes);
}

/* Nodes that were not computed once in each pass. */
static uint64_t lattice_wrong(const lattice *l)
{
    uint64_t wrong = 0;
    for (uint64_t i = 0; i < l->count; ++i) {
        wrong += l->computes[gpool_dirty_node_index(l->nodes[i])] != l->passes;
    }
    return wrong;
}

/* Marks a node in the middle: those behind it are computed once, all others not at all. */
static uint64_t lattice_wrong_quarter(lattice *l)
{
    const uint64_t column = l->width / 2;
    const uint64_t row = l->count / l->width / 2;
    uint64_t wrong = 0;
    lattice_mark(l, row * l->width + column);
    lattice_update(l);
    for (uint64_t i = 0; i < l->count; ++i) {
        uint32_t *computes = &l->computes[gpool_dirty_node_index(l->nodes[i])];
        const bool behind = i % l->width >= column && i / l->width >= row;
        wrong += *computes != l->passes - !behind;
        *computes = (uint32_t)l->passes;
    }
    return wrong;
}

static void lattice_work(void *state, uint64_t count)
{
    lattice *l = state;
    for (uint64_t done = 0; done < count; done += l->count) {
        lattice_mark(l, 0);
        lattice_update(l);
    }
}

static gpool_dirty_graph_stats lattice_stats(const lattice *l)
{
    gpool_dirty_graph_stats stats;
    gpool_dirty_graph_get_stats(l->graph, &stats);
    return stats;
}

/* Asks a clean graph in all ways; returns nanoseconds a question, adds the nodes it went through. */
static double lattice_ask(lattice *l, uint64_t *visited)
{
    const gpool_dirty_node last = l->nodes[l->count - 1];
    const uint64_t before = lattice_stats(l).visited;
    bool clean = true;
    const uint64_t begin = bench_cpu_ns();
    for (unsigned i = 0; i < LATTICE_ANSWERS; ++i) {
        clean = gpool_dirty_graph_all_clean(l->graph) && clean;
        clean = gpool_dirty_graph_is_clean(l->graph, last) && clean;
        clean = gpool_dirty_graph_update(l->graph, last, lattice_compute, l) == GPOOL_OK && clean;
        clean = gpool_dirty_graph_update_all(l->graph, lattice_compute, l) == GPOOL_OK && clean;
    }
    const double taken = (double)(bench_cpu_ns() - begin) / (4.0 * LATTICE_ANSWERS);
    bench_require(clean, "the graph is not clean");
    *visited += lattice_stats(l).visited - before;
    return taken;
}

void bench_dirty_lattice(bench_run *run, bench_row *row, uint64_t argument)
{
    lattice l;
    lattice few;
    lattice_open(&l, bench_objects(run, argument));
    lattice_open(&few, l.count / 100);
    const uint64_t computed_before = lattice_stats(&l).computed;
    const uint64_t passes_before = l.passes;
    bench_measure(run, row, (bench_side){ .work = lattice_work, .state = &l }, NULL,
                  LATTICE_PASSES * l.count);
    const double computed = (double)(lattice_stats(&l).computed - computed_before);
    const uint64_t wrong = lattice_wrong(&l);
    bench_add_counter(row, "nodes", (double)l.count);
    bench_add_counter(row, "edges", (double)lattice_stats(&l).edges);
    bench_add_counter(row, "computed_per_pass", computed / (double)(l.passes - passes_before));
    bench_add_limited(row, "not_computed_once", (double)wrong, 0);
    bench_add_limited(row, "wrong_after_a_mark_inside", (double)lattice_wrong_quarter(&l), 0);
    uint64_t visited = 0;
    const double ns = lattice_ask(&l, &visited);
    bench_add_limited(row, "visited_when_clean", (double)visited, 0);
    bench_add_counter(row, "ns_of_a_clean_answer", ns);
    bench_add_counter(row, "the_same_with_a_hundredth", lattice_ask(&few, &visited));
    bench_add_limited(row, "computed_when_clean", (double)(lattice_wrong(&l) + lattice_wrong(&few)),
                      0);
    lattice_close(&l);
    lattice_close(&few);
}
