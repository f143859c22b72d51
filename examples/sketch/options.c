#include "options.h"

#include "particles.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char options_common[] =
    "  --frames N         %s\n"
    "  --move SHARE       of the 100,000 particles that moves each frame, 0.001 to 1 (0.01)\n"
    "  --model FILE       model that takes the place of the centre piece\n"
    "  --models DIR       folder of the models and textures (%s)\n"
    "  --shaders DIR      folder of the shaders (%s)\n"
    "  --width N          pixels (960)\n"
    "  --height N         pixels (540)\n"
    "  --adapter KIND     software or hardware (GPOOL_ADAPTER, else any)\n"
    "  --library FILE     WebGPU library (GPOOL_WEBGPU, else the usual names)\n";

static const char *program_name(options_program program)
{
    return program == OPTIONS_WINDOW ? "gpool-window" : "gpool-sketch";
}

static void print_usage(FILE *stream, options_program program)
{
    bool window = program == OPTIONS_WINDOW;
    fprintf(stream, "usage: %s [options]\n", program_name(program));
    fprintf(stream, options_common,
            window ? "frames to show, 0 = until it is closed (0)" : "frames to draw (240)",
            SKETCH_MODELS_DIR, SKETCH_SHADERS_DIR);
    if (window) {
        fputs("  --screenshot FILE  draws the last frame once more into this PNG file\n"
              "  --resize-test      changes the window's size now and then\n",
              stream);
    } else {
        fputs(
            "  --out FILE         PNG file of the last frame (out/sketch.png)\n"
            "  --heap FILE        PNG file of what lies where in the heap at the end\n"
            "  --reload DIR       copies the shaders there, breaks one during the run and mends it\n",
            stream);
    }
}

static bool read_number(const char *text, uint32_t low, uint32_t high, uint32_t *number)
{
    char *end = NULL;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != 0 || errno != 0 || value < low || value > high) {
        return false;
    }
    *number = (uint32_t)value;
    return true;
}

static bool read_share(const char *text, double low, double high, double *share)
{
    char *end = NULL;
    double value = strtod(text, &end);
    if (strspn(text, "0123456789.") != strlen(text) || end == text || *end != 0 ||
        !(value >= low && value <= high)) {
        return false;
    }
    *share = value;
    return true;
}

/* An empty text means any. */
static bool read_adapter(const char *text, gpool_adapter_choice *adapter)
{
    if (strcmp(text, "software") == 0) {
        *adapter = GPOOL_ADAPTER_SOFTWARE;
    } else if (strcmp(text, "hardware") == 0) {
        *adapter = GPOOL_ADAPTER_HARDWARE;
    } else if (text[0] == 0 || strcmp(text, "any") == 0) {
        *adapter = GPOOL_ADAPTER_ANY;
    } else {
        return false;
    }
    return true;
}

/* What a value must be, where that is worth a line of its own. */
static const char *expected_value(const char *name)
{
    return strcmp(name, "--move") == 0 ? ": a number from 0.001 to 1 is needed" : "";
}

/* Takes one option with its value; false when there is no such option or the value is no good. */
static bool take_option(options *chosen, options_program program, const char *name,
                        const char *value)
{
    const struct text_option {
        const char *name;
        const char **target;
    } texts[] = { { "--model", &chosen->model },
                  { "--models", &chosen->models },
                  { "--shaders", &chosen->shaders },
                  { "--library", &chosen->library },
                  { program == OPTIONS_WINDOW ? "--screenshot" : "--out", &chosen->out },
                  { program == OPTIONS_WINDOW ? "--library" : "--reload",
                    program == OPTIONS_WINDOW ? &chosen->library : &chosen->reload },
                  { program == OPTIONS_WINDOW ? "--library" : "--heap",
                    program == OPTIONS_WINDOW ? &chosen->library : &chosen->heap },
                  { program == OPTIONS_WINDOW ? "--library" : "--cache",
                    program == OPTIONS_WINDOW ? &chosen->library : &chosen->cache } };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; ++i) {
        if (strcmp(name, texts[i].name) == 0) {
            *texts[i].target = value;
            return value[0] != 0;
        }
    }
    if (strcmp(name, "--frames") == 0) {
        uint32_t least = program == OPTIONS_WINDOW ? 0 : 1;
        return read_number(value, least, 1000000, &chosen->frames);
    }
    if (strcmp(name, "--move") == 0) {
        return read_share(value, PARTICLES_LEAST_MOVE, PARTICLES_MOST_MOVE, &chosen->move);
    }
    if (strcmp(name, "--width") == 0) {
        return read_number(value, 1, 8192, &chosen->width);
    }
    if (strcmp(name, "--height") == 0) {
        return read_number(value, 1, 8192, &chosen->height);
    }
    return strcmp(name, "--adapter") == 0 && read_adapter(value, &chosen->adapter);
}

int options_read(options *chosen, options_program program, int argc, char **argv)
{
    *chosen = (options){ .frames = program == OPTIONS_WINDOW ? 0 : 240,
                         .width = 960,
                         .height = 540,
                         .move = 0.01,
                         .out = program == OPTIONS_WINDOW ? NULL : "out/sketch.png",
                         .models = SKETCH_MODELS_DIR,
                         .shaders = SKETCH_SHADERS_DIR };
    const char *adapter = getenv("GPOOL_ADAPTER");
    if (adapter != NULL && !read_adapter(adapter, &chosen->adapter)) {
        fprintf(stderr, "%s: GPOOL_ADAPTER is [%s], not software, hardware or any\n",
                program_name(program), adapter);
        return 2;
    }
    for (int i = 1; i < argc; ++i) {
        if (strcmp(argv[i], "--help") == 0) {
            print_usage(stdout, program);
            return 0;
        }
        if (program == OPTIONS_WINDOW && strcmp(argv[i], "--resize-test") == 0) {
            chosen->resize_test = true;
            continue;
        }
        if (i + 1 == argc || !take_option(chosen, program, argv[i], argv[i + 1])) {
            fprintf(stderr, "%s: cannot use [%s%s%s]%s\n", program_name(program), argv[i],
                    i + 1 < argc ? " " : "", i + 1 < argc ? argv[i + 1] : "",
                    expected_value(argv[i]));
            print_usage(stderr, program);
            return 2;
        }
        i += 1;
    }
    return -1;
}
