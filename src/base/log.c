#include "base/log.h"

#include "base/thread.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static GPOOL__THREAD_LOCAL gpool__operation log_current;

gpool__operation *gpool__current(void)
{
    return &log_current;
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
        fprintf(stderr, "gpool: %s: %s [%s]\n", levels[record->level], record->message,
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

static void log_emit(gpool__log *log, gpool_log_id id, gpool_result result, char *message,
                     size_t size, int written)
{
    uint32_t count = log->counts[id] < UINT32_MAX ? ++log->counts[id] : UINT32_MAX;
    if (count > 32) {
        if ((count & (count - 1)) != 0) {
            return;
        }
        size_t end = strlen(message);
        if (written >= 0 && end + 1 < size) {
            (void)snprintf(message + end, size - end, " (seen %u times)", (unsigned)count);
        }
    }
    const char *operation = gpool__current()->name;
    gpool_log_record record = {
        .level = log_entries[id].level,
        .id = id,
        .result = result,
        .operation = operation != NULL ? operation : "",
        .message = message,
    };
    log->fn(log->user, &record);
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
    log->errors += 1;
    memcpy(log->message, message, sizeof message);
    log->last = (gpool_error){ result, id, log->message };
    log_emit(log, id, result, message, sizeof message, written);
    return result;
}

void gpool__note(gpool__log *log, gpool_log_id id, const char *format, ...)
{
    char message[GPOOL__MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    int written = log_format(log, message, sizeof message, format, arguments);
    va_end(arguments);
    log_emit(log, id, GPOOL_OK, message, sizeof message, written);
}
