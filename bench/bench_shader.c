#define _POSIX_C_SOURCE 200809L

#include "bench_shader.h"

#include <stdarg.h>
#include <time.h>
#include <unistd.h>

typedef struct shader_text {
    char *text;
    size_t length;
} shader_text;

static void shader_add(shader_text *to, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const int length =
        vsnprintf(to->text + to->length, BENCH_WGSL_SIZE - to->length, format, arguments);
    va_end(arguments);
    to->length += length > 0 ? (size_t)length : 0;
    bench_require(to->length < BENCH_WGSL_SIZE, "a source is too long");
}

uint64_t bench_wgsl_salt(void)
{
    static uint64_t state;
    if (state == 0) {
        struct timespec now;
        (void)clock_gettime(CLOCK_REALTIME, &now);
        state = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
        state ^= (uint64_t)getpid() << 44;
    }
    return bench_random(&state);
}

/* Functions that differ by constants only: four digits of the salt's sequence in each. */
static void shader_add_octaves(shader_text *to, uint64_t salt, uint32_t octaves)
{
    uint64_t random = salt;
    for (uint32_t i = 0; i < octaves; ++i) {
        const unsigned turn = (unsigned)(bench_random(&random) % 10000);
        const unsigned scale = (unsigned)(bench_random(&random) % 10000);
        const unsigned spread = (unsigned)(bench_random(&random) % 10000);
        shader_add(
            to,
            "// Octave %u: the point turned and cut into cells, each with a value of its own.\n"
            "fn octave_%u(point: vec2f, seed: f32) -> f32 {\n"
            "    let turned = vec2f(point.x * 0.8%04u - point.y * 0.6,\n"
            "                       point.x * 0.6 + point.y * 0.8%04u);\n"
            "    var value = 0.0;\n"
            "    for (var i = 0; i < 4; i++) {\n"
            "        let cell = floor(turned * (1.5%04u + f32(i)));\n"
            "        let angle = dot(cell, vec2f(12.9898, 78.233)) + seed;\n"
            "        value += fract(sin(angle) * 43758.%04u) * 0.25;\n"
            "    }\n"
            "    return smoothstep(0.0, 1.0, value);\n"
            "}\n"
            "\n",
            i, i, turn, turn, scale, spread);
    }
    shader_add(to, "fn sum_of_octaves(point: vec2f, seed: f32) -> f32 {\n"
                   "    var sum = 0.0;\n");
    for (uint32_t i = 0; i < octaves; ++i) {
        shader_add(to, "    sum += octave_%u(point * %u.0, seed);\n", i, 1u << i);
    }
    shader_add(to, "    return sum / %u.0;\n}\n\n", octaves);
}

size_t bench_wgsl_compute(char text[BENCH_WGSL_SIZE], uint64_t salt, uint32_t octaves)
{
    shader_text to = { text, 0 };
    shader_add(&to, "// A field of noise, moved by its own slope.\n"
                    "struct Settings {\n"
                    "    shift: vec2f,\n"
                    "    strength: f32,\n"
                    "    count: u32,\n"
                    "}\n"
                    "@group(0) @binding(0) var<storage, read_write> field: array<vec4f>;\n"
                    "@group(0) @binding(1) var<uniform> settings: Settings;\n"
                    "\n");
    shader_add_octaves(&to, salt, octaves);
    shader_add(&to, "@compute @workgroup_size(64)\n"
                    "fn main(@builtin(global_invocation_id) id: vec3u) {\n"
                    "    if (id.x >= settings.count) {\n"
                    "        return;\n"
                    "    }\n"
                    "    var point = field[id.x];\n"
                    "    let here = sum_of_octaves(point.xy, point.w);\n"
                    "    let right = sum_of_octaves(point.xy + vec2f(0.01, 0.0), point.w);\n"
                    "    let slope = (right - here) * settings.strength;\n"
                    "    point = vec4f(point.xy + settings.shift + slope, here, point.w);\n"
                    "    field[id.x] = point;\n"
                    "}\n");
    return to.length;
}

size_t bench_wgsl_render(char text[BENCH_WGSL_SIZE], uint64_t salt, uint32_t octaves,
                         bench_cell cell)
{
    shader_text to = { text, 0 };
    shader_add(&to,
               "// A cell of a grid, filled with noise.\n"
               "const cell = vec2f(%u.0, %u.0);\n"
               "const cells = vec2f(%u.0, %u.0);\n"
               "\n"
               "@vertex fn vs(@builtin(vertex_index) i: u32) -> @builtin(position) vec4f {\n"
               "    let corner = vec2f(f32((0x32u >> i) & 1u), f32((0x2cu >> i) & 1u));\n"
               "    let at = (cell + corner) / cells;\n"
               "    return vec4f(at.x * 2.0 - 1.0, 1.0 - at.y * 2.0, 0.0, 1.0);\n"
               "}\n"
               "\n",
               cell.column, cell.row, cell.columns, cell.rows);
    shader_add_octaves(&to, salt, octaves);
    shader_add(&to, "@fragment fn fs(@builtin(position) at: vec4f) -> @location(0) vec4f {\n"
                    "    let point = at.xy / 8.0;\n"
                    "    let sum = sum_of_octaves(point, 0.25);\n"
                    "    return vec4f(0.25 + 0.75 * sum, 1.0 - sum * sum, 1.0 - sum * 0.5, 1.0);\n"
                    "}\n");
    return to.length;
}

void bench_on_open(bench_on *on, bench_row *row)
{
    *on = (bench_on){ .gpu = bench_gpu_open(row) };
    if (on->gpu != NULL) {
        on->device = on->gpu->device;
    } else {
        row->absent = NULL;
        bench_sim_open(&on->sim);
        on->device = on->sim.device;
    }
}

void bench_on_close(bench_on *on, bench_row *row)
{
    if (on->gpu == NULL) {
        bench_sim_close(&on->sim, row);
    }
}

void bench_on_frame(gpool *pool)
{
    bench_require(gpool_begin_frame(pool) == GPOOL_OK && gpool_end_frame(pool) == GPOOL_OK,
                  "a frame fails");
}

void bench_sleep_until(uint64_t ns)
{
    const uint64_t now = bench_wall_ns();
    if (now < ns) {
        const struct timespec pause = { (time_t)((ns - now) / 1000000000u),
                                        (long)((ns - now) % 1000000000u) };
        (void)nanosleep(&pause, NULL);
    }
}
