#define _POSIX_C_SOURCE 200809L
#include "run_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* One frame in nanoseconds, and what it made. */
typedef struct frame_record {
    double wall, thread;   /* of the sketch's whole frame */
    double own, gpu, wait; /* in gpool itself; in webgpu.h called by gpool; waiting for the GPU */
    uint64_t allocations, gpu_objects, gpu_calls, written, sent;
    bool made; /* the sketch itself made or resized something */
} frame_record;

/* What was written to one buffer in the steady frames, and how it went out. */
typedef struct buffer_record {
    uint64_t written_before; /* in the frames before this one */
    uint64_t written, sent, calls;
    gpool_upload_way way; /* of the newest upload */
    gpool_upload_reason reason;
} buffer_record;

struct report {
    gpool *pool;
    uint32_t frames, done;
    frame_record *records;
    double *sorted; /* room for one column */
    buffer_record buffers[SCENE_BUFFERS];
    gpool_stats before;
    double wall_before, thread_before, wall_start;
};

/* Frames in which drivers and pools still reach their size. */
#define REPORT_WARM_UP 10u

static double now(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

report *report_create(gpool *pool, uint32_t frames)
{
    report *rep = calloc(1, sizeof *rep);
    if (rep == NULL) {
        return NULL;
    }
    rep->pool = pool;
    rep->frames = frames;
    rep->records = calloc(frames, sizeof *rep->records);
    rep->sorted = calloc(frames, sizeof *rep->sorted);
    rep->wall_start = now(CLOCK_MONOTONIC);
    if (rep->records == NULL || rep->sorted == NULL) {
        report_destroy(rep);
        return NULL;
    }
    return rep;
}

void report_destroy(report *rep)
{
    if (rep != NULL) {
        free(rep->records);
        free(rep->sorted);
        free(rep);
    }
}

void report_begin_frame(report *rep)
{
    gpool_get_stats(rep->pool, &rep->before);
    rep->wall_before = now(CLOCK_MONOTONIC);
    rep->thread_before = now(CLOCK_THREAD_CPUTIME_ID);
}

/* Warmed up, and the sketch itself made nothing new. */
static bool is_steady(const report *rep, uint32_t frame)
{
    return frame >= REPORT_WARM_UP && !rep->records[frame].made;
}

/* Asks how the buffers that were written in this frame went out. */
static void note_uploads(report *rep, const scene *all)
{
    scene_buffer now[SCENE_BUFFERS];
    scene_get_buffers(all, now);
    for (uint32_t i = 0; i < SCENE_BUFFERS; ++i) {
        buffer_record *record = &rep->buffers[i];
        uint64_t written = now[i].written - record->written_before;
        record->written_before = now[i].written;
        gpool_upload_info info;
        if (written > 0 && is_steady(rep, rep->done) &&
            gpool_upload_explain(rep->pool, now[i].buffer, &info) == GPOOL_OK) {
            record->written += written;
            record->sent += info.sent_bytes;
            record->calls += info.calls;
            record->way = info.way;
            record->reason = info.reason;
        }
    }
}

void report_end_frame(report *rep, const scene *all, bool made)
{
    frame_record *record = &rep->records[rep->done];
    record->thread = now(CLOCK_THREAD_CPUTIME_ID) - rep->thread_before;
    record->wall = now(CLOCK_MONOTONIC) - rep->wall_before;
    gpool_stats after;
    gpool_get_stats(rep->pool, &after);
    const gpool_stats *before = &rep->before;
    record->own = (double)(after.own_ns - before->own_ns);
    record->gpu = (double)(after.gpu_call_ns - before->gpu_call_ns);
    record->wait = (double)(after.wait_ns - before->wait_ns);
    record->allocations = after.allocations - before->allocations;
    record->gpu_objects = after.gpu_objects - before->gpu_objects;
    record->gpu_calls = after.gpu_calls - before->gpu_calls;
    record->made = made;
    record->written = after.written_bytes - before->written_bytes;
    record->sent = after.sent_bytes - before->sent_bytes;
    note_uploads(rep, all);
    rep->done += 1;
}

void report_progress(const report *rep)
{
    uint32_t done = rep->done, frames = rep->frames;
    double seconds = (now(CLOCK_MONOTONIC) - rep->wall_start) * 1e-9;
    if (isatty(STDOUT_FILENO)) {
        char bar[41];
        for (uint32_t i = 0; i < 40; ++i) {
            bar[i] = (uint64_t)i * frames < (uint64_t)done * 40u ? '#' : '.';
        }
        bar[40] = 0;
        printf("\r[%s] frame %u of %u, %.1f s", bar, done, frames, seconds);
        printf(done == frames ? "\n" : "");
        fflush(stdout);
    } else if ((uint64_t)done * 10u / frames != (uint64_t)(done - 1u) * 10u / frames) {
        printf("frame %u of %u, %.1f s\n", done, frames, seconds);
        fflush(stdout);
    }
}

static int compare_numbers(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* A column of numbers over the frames after the warm-up: value below which `part` of them lie. */
static double percentile(const report *rep, double (*column)(const frame_record *record),
                         double part)
{
    uint32_t first = rep->done > 2u * REPORT_WARM_UP ? REPORT_WARM_UP : 0, count = 0;
    for (uint32_t i = first; i < rep->done; ++i) {
        rep->sorted[count++] = column(&rep->records[i]);
    }
    qsort(rep->sorted, count, sizeof *rep->sorted, compare_numbers);
    return count > 0 ? rep->sorted[(uint32_t)(part * (double)(count - 1u) + 0.5)] : 0.0;
}

static double column_wall(const frame_record *record)
{
    return record->wall * 1e-6;
}

static double column_thread(const frame_record *record)
{
    return record->thread * 1e-6;
}

static double column_own(const frame_record *record)
{
    return record->own * 1e-3;
}

static double column_gpu(const frame_record *record)
{
    return record->gpu * 1e-3;
}

static double column_wait(const frame_record *record)
{
    return record->wait * 1e-3;
}

static void print_resources(const gpool_stats *stats)
{
    printf("%-28s %10s %14s\n", "live resources", "count", "bytes");
    for (int kind = 1; kind < GPOOL_KIND_COUNT; ++kind) {
        printf("  %-26s %10llu %14llu\n", gpool_kind_name((gpool_kind)kind),
               (unsigned long long)stats->live_count[kind],
               (unsigned long long)stats->live_bytes[kind]);
    }
    printf("  %-26s %10llu %14llu\n", "retired, not yet freed",
           (unsigned long long)stats->retired_count, (unsigned long long)stats->retired_bytes);
    printf("  %-26s %10s %14llu\n", "gpool's own", "", (unsigned long long)stats->internal_bytes);
}

/* Of each buffer that was written: what it took, and the way its newest bytes went. */
static void print_buffers(const report *rep, const scene *all, double frames)
{
    scene_buffer buffers[SCENE_BUFFERS];
    scene_get_buffers(all, buffers);
    printf("%-28s %10s %14s %8s  %s\n", "buffers, per steady frame", "written", "sent", "calls",
           "way, reason");
    for (uint32_t i = 0; i < SCENE_BUFFERS; ++i) {
        const buffer_record *record = &rep->buffers[i];
        gpool_buffer_info info;
        if (record->written > 0 &&
            gpool_buffer_get_info(rep->pool, buffers[i].buffer, &info) == GPOOL_OK) {
            printf("  %-26s %10.0f %14.0f %8.2f  %s, %s\n", info.label,
                   (double)record->written / frames, (double)record->sent / frames,
                   (double)record->calls / frames, gpool_upload_way_name(record->way),
                   gpool_upload_reason_name(record->reason));
        }
    }
}

static void print_ways(const gpool_stats *stats)
{
    printf("%-28s %10s %14s\n", "uploads of buffers", "calls", "bytes");
    for (int way = GPOOL_UPLOAD_AUTO + 1; way < GPOOL_UPLOAD_COUNT; ++way) {
        printf("  %-26s %10llu %14llu\n", gpool_upload_way_name((gpool_upload_way)way),
               (unsigned long long)stats->upload_calls[way],
               (unsigned long long)stats->upload_bytes[way]);
    }
}

static void print_steady(const report *rep, const scene *all)
{
    frame_record sum = { 0 };
    uint32_t steady = 0;
    for (uint32_t i = REPORT_WARM_UP; i < rep->done; ++i) {
        const frame_record *record = &rep->records[i];
        if (is_steady(rep, i)) {
            sum.allocations += record->allocations;
            sum.gpu_objects += record->gpu_objects;
            sum.gpu_calls += record->gpu_calls;
            sum.written += record->written;
            sum.sent += record->sent;
            steady += 1;
        }
    }
    double count = steady > 0 ? (double)steady : 1.0;
    printf("%-28s %10s\n", "steady frames", "per frame");
    printf("  %-26s %10u of %u\n", "such frames", steady, rep->done);
    printf("  %-26s %10.2f\n", "allocations", (double)sum.allocations / count);
    printf("  %-26s %10.2f\n", "GPU objects made", (double)sum.gpu_objects / count);
    printf("  %-26s %10.2f\n", "GPU calls", (double)sum.gpu_calls / count);
    printf("  %-26s %10.0f\n", "bytes written", (double)sum.written / count);
    printf("  %-26s %10.0f\n", "bytes sent", (double)sum.sent / count);
    print_buffers(rep, all, count);
}

static void print_times(const report *rep)
{
    double wall = percentile(rep, column_wall, 0.5), thread = percentile(rep, column_thread, 0.5);
    double own = percentile(rep, column_own, 0.5);
    printf("%-28s %10s %14s\n", "times", "median", "p99");
    printf("  %-26s %7.2f ms %11.2f ms\n", "frame, wall clock", wall,
           percentile(rep, column_wall, 0.99));
    printf("  %-26s %7.2f ms %11.2f ms\n", "frame, thread CPU", thread,
           percentile(rep, column_thread, 0.99));
    printf("  %-26s %7.1f us %11.1f us\n", "gpool's own CPU", own,
           percentile(rep, column_own, 0.99));
    printf("  %-26s %7.1f us %11.1f us\n", "CPU in webgpu.h", percentile(rep, column_gpu, 0.5),
           percentile(rep, column_gpu, 0.99));
    printf("  %-26s %7.1f us %11.1f us\n", "CPU waiting for the GPU",
           percentile(rep, column_wait, 0.5), percentile(rep, column_wait, 0.99));
    printf("  %-26s %9.2f%% of the frame's CPU, %.2f%% of its wall time\n", "gpool's own CPU is",
           0.1 * own / thread, 0.1 * own / wall);
}

static void print_scene(const scene *all)
{
    scene_counts counts = scene_get_counts(all);
    const generator_counts *gen = &counts.generator;
    printf("%-28s %10u instances, %u triangles\n", "scene", counts.instances, counts.triangles);
    printf("  %-26s %10u, of which %u move each frame\n", "particles", counts.particles,
           counts.particles_moved_each);
    printf("  %-26s %10llu moved, %llu put back on the ground\n", "records written",
           (unsigned long long)counts.moved, (unsigned long long)counts.replaced);
    printf("  %-26s %10llu times, %llu resizes, rows: %llu written (%llu bytes), %llu kept\n",
           "ground made", (unsigned long long)gen->grounds, (unsigned long long)gen->resizes,
           (unsigned long long)gen->rows_written, (unsigned long long)gen->row_bytes,
           (unsigned long long)gen->rows_kept);
    printf("  %-26s %10llu\n", "cloud textures made", (unsigned long long)gen->textures_made);
    printf("  %-26s %10llu computed, %llu at rest\n", "graph nodes",
           (unsigned long long)counts.nodes_computed, (unsigned long long)counts.nodes_rested);
}

/* What all geometry lies in, and what sharing saved: see heap_map.h for a picture of it. */
static void print_heap(gpool *pool, const gpool_stats *stats, const scene *all)
{
    scene_counts counts = scene_get_counts(all);
    gpool_heap_info heap;
    if (gpool_heap_get_info(pool, scene_heap(all), &heap) != GPOOL_OK) {
        return;
    }
    printf("%-28s %10s\n", "heap of all geometry", "");
    printf("  %-26s %10u of %llu bytes\n", "slabs", heap.slab_count,
           (unsigned long long)heap.bytes);
    printf("  %-26s %10llu live, %llu retired, %llu free\n", "bytes in them",
           (unsigned long long)heap.live_bytes, (unsigned long long)heap.retired_bytes,
           (unsigned long long)heap.free_bytes);
    printf("  %-26s %9.1f%%, %u free ranges, the largest of %llu bytes\n", "fragmentation",
           100.0 * (double)heap.fragmentation, heap.free_ranges,
           (unsigned long long)heap.largest_free);
    printf("  %-26s %10u\n", "meshes live", heap.mesh_count);
    printf("  %-26s %10llu of %llu bytes\n", "meshes created",
           (unsigned long long)counts.meshes_created, (unsigned long long)counts.mesh_bytes);
    printf("  %-26s %10llu\n", "meshes destroyed", (unsigned long long)counts.meshes_destroyed);
    printf("  %-26s %10llu of %llu meshes, in %llu frames\n", "bytes moved",
           (unsigned long long)heap.moved_bytes, (unsigned long long)counts.meshes_moved,
           (unsigned long long)counts.frames_moved);
    printf("  %-26s %10llu of %llu, in %llu draws\n", "rebinds saved",
           (unsigned long long)stats->mesh_shared,
           (unsigned long long)(stats->mesh_shared + stats->mesh_binds),
           (unsigned long long)stats->mesh_draws);
}

static const char *implementation_name(gpool_implementation implementation)
{
    switch (implementation) {
    case GPOOL_IMPLEMENTATION_WGPU_NATIVE:
        return "wgpu-native";
    case GPOOL_IMPLEMENTATION_DAWN:
        return "Dawn";
    case GPOOL_IMPLEMENTATION_OTHER:
        break;
    }
    return "another WebGPU";
}

void report_print(const report *rep, const scene *all, const char *out)
{
    gpool_stats stats;
    gpool_device_info device;
    if (gpool_get_stats(rep->pool, &stats) != GPOOL_OK ||
        gpool_device_get_info(gpool_pool_device(rep->pool), &device) != GPOOL_OK) {
        return;
    }
    printf("\ngpool %s on %s, adapter %s\n", gpool_version(),
           implementation_name(device.implementation), device.adapter);
    printf("%-28s %10u in %.1f s\n", "frames", rep->done,
           (now(CLOCK_MONOTONIC) - rep->wall_start) * 1e-9);
    print_times(rep);
    print_steady(rep, all);
    printf("%-28s\n", "whole run");
    const struct total {
        const char *name;
        uint64_t value;
    } totals[] = {
        { "bytes written by the user", stats.written_bytes },
        { "bytes sent for them", stats.sent_bytes },
        { "bytes sent for uniforms", stats.uniform_bytes },
        { "GPU calls", stats.gpu_calls },
        { "GPU objects made", stats.gpu_objects },
        { "draws", stats.draws },
        { "submits", stats.submits },
        { "resources created", stats.created },
        { "deletions", stats.freed },
        { "bind groups found", stats.bind_hits },
        { "bind groups made", stats.bind_misses },
        { "errors", stats.errors },
    };
    for (size_t i = 0; i < sizeof totals / sizeof totals[0]; ++i) {
        printf("  %-26s %10llu\n", totals[i].name, (unsigned long long)totals[i].value);
    }
    print_ways(&stats);
    print_resources(&stats);
    print_heap(rep->pool, &stats, all);
    print_scene(all);
    printf("%-28s %s\n", "picture", out);
}
