/* A long run of the sketch: what is alive after it is what was alive after its first tenth. */
#include "bench_sketch.h"

#include <stdlib.h>

void bench_soak(bench_run *run, bench_row *row, uint64_t argument)
{
    const uint64_t frames = bench_repeats(run, argument);
    sketch *s = bench_alloc(1, sizeof *s);
    sketch_sample first;
    sketch_sample last;
    const uint64_t begin = bench_wall_ns();
    sketch_open(s);
    while (s->frame < frames) {
        sketch_run(s);
        if (s->frame == frames / 10) {
            sketch_take(s, &first);
        }
    }
    sketch_take(s, &last);
    sketch_compare(run, row, &first, &last);
    bench_add_limited(row, "retired_at_rest",
                      (double)(first.pool.retired_count + last.pool.retired_count), 0);
    bench_add_counter(row, "frames", (double)s->frame);
    bench_add_counter(row, "created", (double)last.pool.created);
    bench_add_counter(row, "draws", (double)last.pool.draws);
    bench_add_counter(row, "gpu_calls", (double)last.pool.gpu_calls);
    bench_add_counter(row, "reads", (double)s->reads);
    bench_add_limited(row, "wrong_reads", (double)s->wrong, 0);
    bench_add_limited(row, "errors", (double)(s->errors + last.pool.errors), 0);
    bench_add_counter(row, "seconds", (double)(bench_wall_ns() - begin) * 1e-9);
    sketch_close(s, row);
    free(s);
}
