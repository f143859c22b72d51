/* options.h: the command line of gpool-sketch and gpool-window. */
#ifndef SKETCH_OPTIONS_H
#define SKETCH_OPTIONS_H

#include <gpool/gpool.h>

/* Which program asks: some options are for one of them only. */
typedef enum options_program {
    OPTIONS_SKETCH,
    OPTIONS_WINDOW
} options_program;

typedef struct options {
    uint32_t frames; /* 0 = until the window is closed */
    uint32_t width, height;
    const char *out; /* picture to write; NULL = none */
    const char *model, *models, *shaders;
    const char *reload; /* folder for the shaders that are broken and mended; NULL = they are not */
    const char *heap;   /* picture of the heap at the end; NULL = none */
    const char *cache;  /* folder of the disk store; NULL = nothing is kept for the next start */
    const char *library; /* NULL = as gpool_gpu_load() finds one */
    gpool_adapter_choice adapter;
    double move; /* share of the particles that moves each frame */
    bool resize_test;
} options;

/*
 * Reads the command line over the defaults and the environment (GPOOL_ADAPTER here, GPOOL_WEBGPU in
 * gpool). Returns -1 to go on, else the exit code: 0 after --help, 2 after saying what is wrong.
 */
int options_read(options *chosen, options_program program, int argc, char **argv);

#endif
