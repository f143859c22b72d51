/* The recording table: numbers of objects, the hash, and one wrapper for each function. */
#include "sim_record.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

typedef struct record_entry {
    const void *handle;
    uint64_t number;
} record_entry;

static pthread_mutex_t record_lock = PTHREAD_MUTEX_INITIALIZER;
static gpool_gpu record_real;
static bool record_open;
static FILE *record_file;
static uint64_t record_total;
static uint64_t record_sum;
static uint64_t record_next;
static record_entry *record_entries; /* open addressing, a power of two */
static size_t record_capacity;
static size_t record_used;

static record_entry *record_find(const void *handle)
{
    size_t at = (size_t)XXH3_64bits(&handle, sizeof handle) & (record_capacity - 1);
    while (record_entries[at].handle != NULL && record_entries[at].handle != handle) {
        at = (at + 1) & (record_capacity - 1);
    }
    return &record_entries[at];
}

static void record_grow(void)
{
    record_entry *old = record_entries;
    size_t count = record_capacity;
    record_capacity = count == 0 ? 1024 : count * 2;
    record_entries = calloc(record_capacity, sizeof *record_entries);
    if (record_entries == NULL) {
        abort();
    }
    for (size_t i = 0; i < count; ++i) {
        if (old[i].handle != NULL) {
            *record_find(old[i].handle) = old[i];
        }
    }
    free(old);
}

uint64_t record_number(const void *handle, bool created)
{
    (void)pthread_mutex_lock(&record_lock);
    if (record_used * 2 >= record_capacity) {
        record_grow();
    }
    record_entry *entry = record_find(handle);
    if (entry->handle == NULL || created) {
        record_used += entry->handle == NULL;
        *entry = (record_entry){ handle, ++record_next };
    }
    uint64_t number = entry->number;
    (void)pthread_mutex_unlock(&record_lock);
    return number;
}

void record_say(record_line *line, const char *format, ...)
{
    size_t room = sizeof line->text - line->length;
    va_list list;
    va_start(list, format);
    int written = vsnprintf(line->text + line->length, room, format, list);
    va_end(list);
    if (written >= 0 && (size_t)written < room) {
        line->length += (size_t)written;
        return;
    }
    /* A full line goes into the hash and begins anew. */
    line->hash = XXH3_64bits_withSeed(line->text, line->length, line->hash);
    line->length = 0;
    va_start(list, format);
    written = vsnprintf(line->text, sizeof line->text, format, list);
    va_end(list);
    line->length = written < 0                               ? 0
                   : (size_t)written < sizeof line->text - 1 ? (size_t)written
                                                             : sizeof line->text - 1;
}

static void record_commit(record_line *line)
{
    (void)pthread_mutex_lock(&record_lock);
    if (record_open) {
        line->hash = XXH3_64bits_withSeed(line->text, line->length, line->hash);
        record_sum = XXH3_64bits_withSeed(&line->hash, sizeof line->hash, record_sum);
        record_total += 1;
        if (record_file != NULL) {
            (void)fprintf(record_file, "%.*s\n", (int)line->length, line->text);
        }
    }
    (void)pthread_mutex_unlock(&record_lock);
}

#define RECORD_SILENT_FUNCTION(name)                                                               \
    static void record_##name(record_line *line, WGPU##name value)                                 \
    {                                                                                              \
        (void)line;                                                                                \
        (void)value;                                                                               \
    }
RECORD_SILENT(RECORD_SILENT_FUNCTION)

#define RECORD_PICK_DESCRIPTOR(name) WGPU##name const * : record_##name,
#define RECORD_PICK_SILENT(name)     WGPU##name : record_##name,

/* clang-format off */
#define RECORD_ONE(line, x)                                                                        \
    _Generic((x),                                                                                  \
        RECORD_DESCRIPTORS(RECORD_PICK_DESCRIPTOR)                                                 \
        RECORD_SILENT(RECORD_PICK_SILENT)                                                          \
        uint32_t: record_u32, uint64_t: record_u64, int32_t: record_i32, float: record_f32,        \
        WGPUStringView: record_text, void const *: record_bytes,                                   \
        uint32_t const *: record_offsets, WGPUCommandBuffer const *: record_commands,              \
        WGPUInstanceDescriptor const *: record_nothing, WGPUSupportedFeatures *: record_nothing,   \
        WGPUAdapterInfo *: record_nothing, WGPULimits *: record_nothing,                           \
        WGPUSurfaceDescriptor const *: record_nothing,                                             \
        WGPUSurfaceConfiguration const *: record_nothing,                                          \
        WGPUSurfaceCapabilities *: record_nothing, WGPUSurfaceTexture *: record_nothing,           \
        default: record_handle)(line, x)
#define RECORD_1(l, a)             RECORD_ONE(l, a)
#define RECORD_2(l, a, ...)        RECORD_ONE(l, a); RECORD_1(l, __VA_ARGS__)
#define RECORD_3(l, a, ...)        RECORD_ONE(l, a); RECORD_2(l, __VA_ARGS__)
#define RECORD_4(l, a, ...)        RECORD_ONE(l, a); RECORD_3(l, __VA_ARGS__)
#define RECORD_5(l, a, ...)        RECORD_ONE(l, a); RECORD_4(l, __VA_ARGS__)
#define RECORD_6(l, a, ...)        RECORD_ONE(l, a); RECORD_5(l, __VA_ARGS__)
#define RECORD_7(l, a, ...)        RECORD_ONE(l, a); RECORD_6(l, __VA_ARGS__)
#define RECORD_NTH(a, b, c, d, e, f, g, n, ...) n
#define RECORD_COUNT(...)          RECORD_NTH(__VA_ARGS__, RECORD_7, RECORD_6, RECORD_5, RECORD_4,  \
                                              RECORD_3, RECORD_2, RECORD_1, 0)
#define RECORD_ARGUMENTS(...)      RECORD_COUNT(__VA_ARGS__)(&line, __VA_ARGS__)
/* Results: new objects get a number, other things are not told. */
#define RECORD_RESULT(x)                                                                           \
    _Generic((x),                                                                                  \
        WGPUFuture: record_no_future, uint32_t: record_no_u32, uint64_t: record_no_u64,            \
        void const *: record_no_pointer, default: record_new)(&line, x)
/* clang-format on */

static void record_no_future(record_line *line, WGPUFuture value)
{
    (void)line;
    (void)value;
}

static void record_no_u32(record_line *line, uint32_t value)
{
    record_say(line, " = %u", value);
}

static void record_no_u64(record_line *line, uint64_t value)
{
    record_say(line, " = %llu", (unsigned long long)value);
}

static void record_no_pointer(record_line *line, const void *pointer)
{
    record_say(line, " = %s", pointer != NULL ? "range" : "NULL");
}

static void record_new(record_line *line, const void *handle)
{
    record_say(line, " = #%llu",
               (unsigned long long)(handle != NULL ? record_number(handle, true) : 0));
}

/* How often it polls depends on time. */
#define RECORD_SKIPS(name) (GPOOL_GPU_##name == GPOOL_GPU_InstanceProcessEvents)

#define GPOOL_V(name, parameters, arguments)                                                       \
    static void record_call_##name parameters                                                      \
    {                                                                                              \
        if (RECORD_SKIPS(name)) {                                                                  \
            record_real.name arguments;                                                            \
            return;                                                                                \
        }                                                                                          \
        record_line line = { .hash = 0 };                                                          \
        record_say(&line, "%s", #name);                                                            \
        RECORD_ARGUMENTS arguments;                                                                \
        record_commit(&line);                                                                      \
        record_real.name arguments;                                                                \
    }
#define GPOOL_R(type, name, parameters, arguments)                                                 \
    static type record_call_##name parameters                                                      \
    {                                                                                              \
        record_line line = { .hash = 0 };                                                          \
        record_say(&line, "%s", #name);                                                            \
        RECORD_ARGUMENTS arguments;                                                                \
        type result = record_real.name arguments;                                                  \
        RECORD_RESULT(result);                                                                     \
        record_commit(&line);                                                                      \
        return result;                                                                             \
    }
GPOOL_GPU_REQUIRED(GPOOL_V, GPOOL_R)
GPOOL_GPU_OPTIONAL(GPOOL_V, GPOOL_R)
#undef GPOOL_V
#undef GPOOL_R

bool sim_record_begin(const gpool_gpu *real, gpool_gpu *wrapped, void *text)
{
    (void)pthread_mutex_lock(&record_lock);
    bool free_now = !record_open;
    if (free_now) {
        record_real = *real;
        record_open = true;
        record_file = text;
        record_total = 0;
        record_sum = 0;
        record_next = 0;
        record_used = 0;
        record_capacity = 0;
        free(record_entries);
        record_entries = NULL;
    }
    (void)pthread_mutex_unlock(&record_lock);
    if (!free_now) {
        return false;
    }
    *wrapped = *real;
#define GPOOL_V(name, parameters, arguments)                                                       \
    wrapped->name = real->name != NULL ? record_call_##name : NULL;
#define GPOOL_R(type, name, parameters, arguments) GPOOL_V(name, parameters, arguments)
    GPOOL_GPU_REQUIRED(GPOOL_V, GPOOL_R)
    GPOOL_GPU_OPTIONAL(GPOOL_V, GPOOL_R)
#undef GPOOL_V
#undef GPOOL_R
    return true;
}

uint64_t sim_record_hash(void)
{
    (void)pthread_mutex_lock(&record_lock);
    uint64_t sum = record_sum;
    (void)pthread_mutex_unlock(&record_lock);
    return sum;
}

uint64_t sim_record_calls(void)
{
    (void)pthread_mutex_lock(&record_lock);
    uint64_t total = record_total;
    (void)pthread_mutex_unlock(&record_lock);
    return total;
}

void sim_record_end(void)
{
    (void)pthread_mutex_lock(&record_lock);
    record_open = false;
    record_file = NULL;
    free(record_entries);
    record_entries = NULL;
    record_capacity = 0;
    record_used = 0;
    (void)pthread_mutex_unlock(&record_lock);
}
