/* first_frame.h: how long the sketch takes to its first frame, and what it compiles until then. */
#ifndef SKETCH_FIRST_FRAME_H
#define SKETCH_FIRST_FRAME_H

#include <gpool/gpool.h>

/* One start; all zero before it. */
typedef struct first_frame {
    double begin;                /* ms, when the device was asked for */
    double device, warm, scene;  /* ms that each took */
    double frame;                /* ms from `begin` until the GPU had drawn the first frame */
    gpool_warm_up_report report; /* of the warm-up */
    gpool_stats after_warm_up;
    gpool_stats after_frame;
} first_frame;

/* Milliseconds of a clock that only runs forward. */
double first_frame_now(void);

/* Compiles what the last run used. False after saying why on stderr. */
bool first_frame_warm_up(first_frame *all, gpool *pool);

/* After the first frame: waits for the GPU. */
void first_frame_done(first_frame *all, gpool *pool);

/* The lines of the report. */
void first_frame_print(const first_frame *all);

#endif
