/* gpool-cache: lists, verifies and clears a disk store (docs/store.md). */
#include <gpool/store.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Wide enough for the entries of any program; nothing is saved here. */
#define CACHE_MAX_ENTRY (UINT64_C(1) << 30)

typedef enum cache_status {
    CACHE_DONE,
    CACHE_BAD,  /* bad entries, or a directory that cannot be used */
    CACHE_USAGE /* wrong arguments */
} cache_status;

typedef struct cache_options {
    const char *command; /* NULL = none */
    const char *directory;
    bool keep;
    bool help;
} cache_options;

static void cache_help(FILE *file)
{
    fputs(
        "usage: gpool-cache COMMAND [options]\n"
        "  list         print the entries: name, bytes of the payload, when it was last used, key\n"
        "  verify       read every entry, and delete the bad ones\n"
        "  clear        delete every entry\n"
        "options:\n"
        "  --dir PATH   the store's directory (default: gpool in $XDG_CACHE_HOME or in\n"
        "               $HOME/.cache)\n"
        "  --keep       with verify: delete nothing\n"
        "  --help       print this\n"
        "Ends with 0 when all is well, with 1 when there are bad entries or the directory cannot be\n"
        "used (standard error says why), with 2 when the arguments are wrong.\n",
        file);
}

static bool cache_parse(int argc, char **argv, cache_options *options)
{
    *options = (cache_options){ 0 };
    for (int i = 1; i < argc; ++i) {
        if (strcmp(argv[i], "--help") == 0) {
            options->help = true;
        } else if (strcmp(argv[i], "--keep") == 0) {
            options->keep = true;
        } else if (strcmp(argv[i], "--dir") == 0 && i + 1 < argc) {
            options->directory = argv[++i];
        } else if (argv[i][0] != '-' && options->command == NULL) {
            options->command = argv[i];
        } else {
            fprintf(stderr, "gpool-cache: the argument [%s] is unknown or lacks its value\n",
                    argv[i]);
            return false;
        }
    }
    return true;
}

/* Opens the store, or tells why not; NULL then. Nothing is made where there is none. */
static gpool_store *cache_open(const cache_options *options, gpool_store_mode mode)
{
    gpool_store_desc desc = {
        .directory = options->directory,
        .mode = GPOOL_STORE_MODE_READ_ONLY,
        .max_bytes = UINT64_MAX,
        .max_entry_bytes = CACHE_MAX_ENTRY,
    };
    gpool_store *store = NULL;
    gpool_result result = GPOOL_OK;
    /* Only a directory that is there is opened for more. */
    for (int i = 0; i < 2 && result == GPOOL_OK; ++i) {
        gpool_store_close(store);
        result = gpool_store_open(&desc, &store);
        gpool_store_stats stats;
        gpool_store_get_stats(store, &stats);
        if (result == GPOOL_OK && (stats.mode > desc.mode || stats.mode == GPOOL_STORE_MODE_OFF)) {
            gpool_store_close(store);
            return NULL; /* the log has told */
        }
        desc.mode = mode;
    }
    if (result != GPOOL_OK) {
        fprintf(stderr, "gpool-cache: %s\n", gpool_result_text(result));
    }
    return store;
}

typedef struct cache_sums {
    uint64_t count;
    uint64_t bytes;
    uint64_t bad;
} cache_sums;

static bool cache_print(void *user, const gpool_store_entry *entry)
{
    cache_sums *sums = user;
    sums->count += 1;
    sums->bytes += entry->file_bytes;
    sums->bad += !entry->good;
    char used[32] = "?";
    const time_t seconds = (time_t)(entry->used_ns / 1000000000);
    const struct tm *utc = gmtime(&seconds);
    if (utc == NULL || strftime(used, sizeof used, "%Y-%m-%dT%H:%MZ", utc) == 0) {
        (void)snprintf(used, sizeof used, "?");
    }
    if (!entry->good) {
        printf("%s %10s %s bad: %" PRIu64 " bytes\n", entry->name, "-", used, entry->file_bytes);
        return true;
    }
    /* Keys are any bytes: none of them may reach a terminal. */
    char key[49];
    size_t length = 0;
    for (; length < entry->key_size && length + 1 < sizeof key; ++length) {
        char c = ((const char *)entry->key)[length];
        key[length] = (char)(c >= ' ' && c <= '~' ? c : '.');
    }
    key[length] = '\0';
    printf("%s %10zu %s %s\n", entry->name, entry->size, used, key);
    return true;
}

static cache_status cache_list(const cache_options *options)
{
    gpool_store *store = cache_open(options, GPOOL_STORE_MODE_READ_ONLY);
    if (store == NULL) {
        return CACHE_BAD;
    }
    cache_sums sums = { 0 };
    gpool_result result = gpool_store_list(store, cache_print, &sums);
    printf("%" PRIu64 " entries, %" PRIu64 " bytes, %" PRIu64 " bad in %s\n", sums.count,
           sums.bytes, sums.bad, gpool_store_directory(store));
    gpool_store_close(store);
    return result == GPOOL_OK && sums.bad == 0 ? CACHE_DONE : CACHE_BAD;
}

static cache_status cache_verify(const cache_options *options)
{
    gpool_store *store = cache_open(options, options->keep ? GPOOL_STORE_MODE_READ_ONLY
                                                           : GPOOL_STORE_MODE_READ_WRITE);
    if (store == NULL) {
        return CACHE_BAD;
    }
    gpool_store_report report;
    gpool_result result = gpool_store_verify(store, &report);
    printf("%" PRIu64 " good entries of %" PRIu64 " bytes, %" PRIu64 " bad of which %" PRIu64
           " were deleted, %" PRIu64 " not readable, %" PRIu64 " temporary files, %" PRIu64
           " files of others in %s\n",
           report.good, report.good_bytes, report.bad, report.removed, report.unread,
           report.temp_files, report.foreign_files, gpool_store_directory(store));
    gpool_store_close(store);
    return result == GPOOL_OK && report.bad + report.unread == 0 ? CACHE_DONE : CACHE_BAD;
}

static cache_status cache_clear(const cache_options *options)
{
    gpool_store *store = cache_open(options, GPOOL_STORE_MODE_READ_WRITE);
    if (store == NULL) {
        return CACHE_BAD;
    }
    gpool_store_stats stats;
    gpool_store_report left = { 0 };
    gpool_result result = gpool_store_clear(store);
    gpool_store_get_stats(store, &stats);
    result = result == GPOOL_OK ? gpool_store_verify(store, &left) : result;
    printf("%" PRIu64 " entries and %" PRIu64 " temporary files deleted in %s\n", stats.evictions,
           stats.temp_files, gpool_store_directory(store));
    gpool_store_close(store);
    return result == GPOOL_OK && left.good + left.bad + left.unread == 0 ? CACHE_DONE : CACHE_BAD;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        cache_status (*run)(const cache_options *options);
    } commands[] = {
        { "list", cache_list },
        { "verify", cache_verify },
        { "clear", cache_clear },
    };
    cache_options options;
    if (!cache_parse(argc, argv, &options)) {
        return CACHE_USAGE;
    }
    if (options.help) {
        cache_help(stdout);
        return CACHE_DONE;
    }
    for (size_t i = 0; i < sizeof commands / sizeof commands[0] && options.command != NULL; ++i) {
        if (strcmp(options.command, commands[i].name) == 0) {
            return (int)commands[i].run(&options);
        }
    }
    if (options.command != NULL) {
        fprintf(stderr, "gpool-cache: the command [%s] is unknown\n", options.command);
    }
    cache_help(stderr);
    return CACHE_USAGE;
}
