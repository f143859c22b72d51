#include "base/log.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A record that waits to be told; the message stands behind it. */
typedef struct gpool__log_kept {
    struct gpool__log_kept *next;
    gpool_log_fn fn;
    void *user;
    _Atomic uint32_t *untold;
    gpool_log_record record;
} gpool__log_kept;

static GPOOL__THREAD_LOCAL gpool__operation log_current;

gpool__operation *gpool__current(void)
{
    return &log_current;
}

uint64_t gpool__thread_number(void)
{
    static _Atomic uint64_t log_threads;
    if (log_current.thread == 0) {
        log_current.thread = atomic_fetch_add(&log_threads, 1) + 1;
    }
    return log_current.thread;
}

static const struct {
    const char *name;
    const char *text;
    gpool_log_level level;
} log_entries[GPOOL_LOG_COUNT] = {
#define GPOOL_X(name, level, text) { "GPOOL_LOG_" #name, text, GPOOL_LOG_LEVEL_##level },
    GPOOL_LOGS(GPOOL_X)
#undef GPOOL_X
};

const char *gpool_log_name(gpool_log_id id)
{
    return (unsigned)id < GPOOL_LOG_COUNT ? log_entries[id].name : "GPOOL_LOG_?";
}

const char *gpool_log_text(gpool_log_id id)
{
    return (unsigned)id < GPOOL_LOG_COUNT ? log_entries[id].text : "unknown log id";
}

static void log_to_stderr(void *user, const gpool_log_record *record)
{
    static const char *const levels[] = { "error", "warning", "info" };
    (void)user;
    if (record->level != GPOOL_LOG_LEVEL_INFO) {
        /* Further lines are set in: none that a label or a shader has can pass for a record. */
        char text[2 * GPOOL__MESSAGE_SIZE];
        size_t used = 0;
        for (const char *c = record->message; *c != '\0' && used + 6 < sizeof text; ++c) {
            text[used++] = *c;
            if (*c == '\n') {
                memset(text + used, ' ', 4);
                used += 4;
            }
        }
        text[used] = '\0';
        fprintf(stderr, "gpool: %s: %s [%s]\n", levels[record->level], text,
                gpool_log_name(record->id));
    }
}

void gpool__log_init(gpool__log *log, gpool_log_fn fn, void *user, const char *owner)
{
    memset(log, 0, sizeof *log);
    log->fn = fn != NULL ? fn : log_to_stderr;
    log->user = user;
    log->owner = owner;
    log->last.message = "";
}

/* Calls back; a record that the callback causes on this thread comes after it, not inside. */
static void log_tell(gpool_log_fn fn, void *user, const gpool_log_record *record)
{
    log_current.holds += 1;
    fn(user, record);
    log_current.holds -= 1;
}

void gpool__log_hold(void)
{
    log_current.holds += 1;
}

void gpool__log_flush(void)
{
    gpool__operation *now = &log_current;
    while (now->kept != NULL && now->holds == 0) {
        gpool__log_kept *kept = now->kept;
        now->kept = kept->next;
        log_tell(kept->fn, kept->user, &kept->record);
        if (kept->untold != NULL) {
            atomic_fetch_sub(kept->untold, 1);
        }
        free(kept);
    }
}

void gpool__log_release(void)
{
    log_current.holds -= 1;
    if (log_current.name == NULL) {
        gpool__log_flush();
    }
}

/* Keeps a copy. Without memory for it the record is told at once: rather with a lock held than never. */
static void log_keep(const gpool__log *log, const gpool_log_record *record)
{
    size_t size = strlen(record->message) + 1;
    gpool__log_kept *kept = malloc(sizeof *kept + size);
    if (kept == NULL) {
        log_tell(log->fn, log->user, record);
        return;
    }
    *kept = (gpool__log_kept){ NULL, log->fn, log->user, log->untold, *record };
    kept->record.message = memcpy(kept + 1, record->message, size);
    if (log->untold != NULL) {
        atomic_fetch_add(log->untold, 1);
    }
    gpool__operation *now = &log_current;
    if (now->kept == NULL) {
        now->kept = kept;
    } else {
        now->kept_last->next = kept;
    }
    now->kept_last = kept;
}

/* Counts a record; false when it is one of the repeats that are held back. */
static bool log_count(gpool__log *log, gpool_log_id id, char *message, size_t size, int written)
{
    uint32_t count = log->counts[id] < UINT32_MAX ? ++log->counts[id] : UINT32_MAX;
    if (count <= 32) {
        return true;
    }
    size_t end = strlen(message);
    if (written >= 0 && end + 1 < size) {
        (void)snprintf(message + end, size - end, " (seen %u times)", (unsigned)count);
    }
    return (count & (count - 1)) == 0;
}

static void log_emit(const gpool__log *log, gpool_log_id id, gpool_result result,
                     const char *message)
{
    const char *operation = gpool__current()->name;
    gpool_log_record record = {
        .level = log_entries[id].level,
        .id = id,
        .result = result,
        .operation = operation != NULL ? operation : "",
        .message = message,
    };
    if (gpool__current()->holds > 0) {
        log_keep(log, &record);
    } else {
        gpool__log_flush();
        log_tell(log->fn, log->user, &record);
        gpool__log_flush();
    }
}

static void log_lock(gpool__log *log)
{
    if (log->lock != NULL) {
        gpool__mutex_lock(log->lock);
    }
}

static void log_unlock(gpool__log *log)
{
    if (log->lock != NULL) {
        gpool__mutex_unlock(log->lock);
    }
}

static int log_format(gpool__log *log, char *message, size_t size, const char *format,
                      va_list arguments)
{
    int written = vsnprintf(message, size, format, arguments);
    const char *operation = gpool__current()->name;
    if (written >= 0 && (size_t)written < size) {
        int more = snprintf(message + written, size - (size_t)written, " (%s of \"%s\")",
                            operation != NULL ? operation : "outside calls", log->owner);
        written = more >= 0 ? written + more : more;
    }
    /* Labels and paths are the user's, and a cut may have fallen inside a character. */
    size_t length = strlen(message);
    for (size_t back = 1; length + 1 == size && back <= 3; ++back) {
        if (((unsigned char)message[length - back] & 0xc0) == 0xc0) {
            length -= gpool__utf8_length(message + length - back, back) == back ? 0 : back;
            break;
        }
    }
    (void)gpool__clean_lines(message, size, message, length);
    return written;
}

gpool_result gpool__fail(gpool__log *log, gpool_log_id id, gpool_result result, const char *format,
                         ...)
{
    /* Formatted aside first: an argument may point into the previous message. */
    char message[GPOOL__MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    int written = log_format(log, message, sizeof message, format, arguments);
    va_end(arguments);
    log_lock(log);
    log->errors += 1;
    memcpy(log->message, message, sizeof message);
    log->last = (gpool_error){ result, id, log->message };
    bool told = log_count(log, id, message, sizeof message, written);
    log_unlock(log);
    if (told) {
        log_emit(log, id, result, message);
    }
    return result;
}

void gpool__note(gpool__log *log, gpool_log_id id, const char *format, ...)
{
    char message[GPOOL__MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    int written = log_format(log, message, sizeof message, format, arguments);
    va_end(arguments);
    log_lock(log);
    bool told = log_count(log, id, message, sizeof message, written);
    log_unlock(log);
    if (told) {
        log_emit(log, id, GPOOL_OK, message);
    }
}
