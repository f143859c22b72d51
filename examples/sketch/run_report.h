/* run_report.h: what a run of the sketch cost: progress while it runs, a table at its end. */
#ifndef SKETCH_RUN_REPORT_H
#define SKETCH_RUN_REPORT_H

#include "scene.h"

typedef struct report report;

/* Returns NULL without memory. */
report *report_create(gpool *pool, uint32_t frames);
void report_destroy(report *rep);

/* Around each frame. `made` = the sketch itself created, destroyed or resized something in it. */
void report_begin_frame(report *rep);
void report_end_frame(report *rep, const scene *all, bool made);

/* One moving line on a terminal, else a line for each tenth. */
void report_progress(const report *rep);

/* The table, on stdout. */
void report_print(const report *rep, const scene *all, const char *out);

#endif
