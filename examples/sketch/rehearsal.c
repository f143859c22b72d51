#define _POSIX_C_SOURCE 200809L
#include "rehearsal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The statement that loses its end, and how it ends when it is broken. */
#define WHOLE  "return vec4f("
#define BROKEN "return vec4f(;"

struct rehearsal {
    char path[4096]; /* of scene.wgsl */
    char *text;
    size_t size;
    uint32_t break_at, mend_at;    /* frames, at the earliest */
    uint32_t broken_in, mended_in; /* frames; 0 = not yet */
    uint32_t told_at;              /* frame after which the error was known; 0 = not yet */
    uint32_t swapped_at;           /* frame after which the mended one was in use; 0 = not yet */
    uint32_t version;              /* of the shader before anything was done */
    uint64_t draws_lost;           /* draws skipped since the shader was broken */
    uint64_t skipped_before;
    char message[512];
};

static char *read_whole(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    long length = -1;
    if (file != NULL && fseek(file, 0, SEEK_END) == 0) {
        length = ftell(file);
        rewind(file);
    }
    char *text = length >= 0 ? malloc((size_t)length + 1) : NULL;
    bool good = text != NULL && fread(text, 1, (size_t)length, file) == (size_t)length;
    if (file != NULL) {
        fclose(file);
    }
    if (!good) {
        fprintf(stderr, "gpool-sketch: cannot read [%s]: %s\n", path, strerror(errno));
        free(text);
        return NULL;
    }
    text[length] = 0;
    *size = (size_t)length;
    return text;
}

/* In place, as the simplest of editors does it. */
static bool write_parts(const char *path, const char *const parts[3], const size_t sizes[3])
{
    FILE *file = fopen(path, "wb");
    bool good = file != NULL;
    for (int i = 0; good && i < 3; ++i) {
        good = fwrite(parts[i], 1, sizes[i], file) == sizes[i];
    }
    good = (file == NULL || fclose(file) == 0) && good;
    if (!good) {
        fprintf(stderr, "gpool-sketch: cannot write [%s]: %s\n", path, strerror(errno));
    }
    return good;
}

static bool write_whole(const char *path, const char *text, size_t size)
{
    return write_parts(path, (const char *const[3]){ text, "", "" },
                       (const size_t[3]){ size, 0, 0 });
}

static bool copy(const char *from_folder, const char *to_folder, const char *name)
{
    char from[4096], to[4096];
    (void)snprintf(from, sizeof from, "%s/%s", from_folder, name);
    (void)snprintf(to, sizeof to, "%s/%s", to_folder, name);
    size_t size = 0;
    char *text = read_whole(from, &size);
    bool good = text != NULL && write_whole(to, text, size);
    free(text);
    return good;
}

rehearsal *rehearsal_create(const char *shaders, const char *folder, uint32_t frames)
{
    if (mkdir(folder, 0777) != 0 && errno != EEXIST) {
        fprintf(stderr, "gpool-sketch: cannot make [%s]: %s\n", folder, strerror(errno));
        return NULL;
    }
    rehearsal *all = calloc(1, sizeof *all);
    if (all == NULL || !copy(shaders, folder, "scene.wgsl") ||
        !copy(shaders, folder, "shadow.wgsl")) {
        rehearsal_destroy(all);
        return NULL;
    }
    (void)snprintf(all->path, sizeof all->path, "%s/scene.wgsl", folder);
    all->text = read_whole(all->path, &all->size);
    if (all->text == NULL || strstr(all->text, WHOLE) == NULL) {
        fprintf(stderr, "gpool-sketch: nothing to break in [%s]\n", all->path);
        rehearsal_destroy(all);
        return NULL;
    }
    all->break_at = frames / 4 + 1;
    all->mend_at = frames / 2 + 1;
    return all;
}

void rehearsal_destroy(rehearsal *all)
{
    if (all != NULL) {
        free(all->text);
        free(all);
    }
}

bool rehearsal_step(rehearsal *all, uint32_t frame, gpool *pool)
{
    bool good = true;
    if (all->broken_in == 0 && frame >= all->break_at) {
        const char *at = strstr(all->text, WHOLE);
        const char *rest = at + strlen(WHOLE);
        good = write_parts(all->path, (const char *const[3]){ all->text, BROKEN, rest },
                           (const size_t[3]){ (size_t)(at - all->text), strlen(BROKEN),
                                              all->size - (size_t)(rest - all->text) });
        all->broken_in = frame;
        gpool_shader_file_changed(pool, all->path); /* sooner than the pool would see it */
    } else if (all->mended_in == 0 && frame >= all->mend_at && all->told_at != 0) {
        /* Another text than before, so that it is compiled again. */
        static const char note[] = "// mended\n";
        good = write_parts(all->path, (const char *const[3]){ all->text, note, "" },
                           (const size_t[3]){ all->size, sizeof note - 1, 0 });
        all->mended_in = frame;
        gpool_shader_file_changed(pool, all->path);
    }
    return good;
}

bool rehearsal_is_over(const rehearsal *all)
{
    return all->swapped_at != 0;
}

void rehearsal_look(rehearsal *all, uint32_t frame, gpool *pool, gpool_shader shader)
{
    gpool_shader_info info;
    gpool_stats stats;
    if (gpool_shader_get_info(pool, shader, &info) != GPOOL_OK ||
        gpool_get_stats(pool, &stats) != GPOOL_OK) {
        return;
    }
    uint64_t skipped = stats.skipped + stats.unready_draws;
    if (all->broken_in == 0) {
        all->version = info.version;
        all->skipped_before = skipped;
        return;
    }
    all->draws_lost = skipped - all->skipped_before;
    if (all->told_at == 0 && info.reload_status != GPOOL_OK) {
        all->told_at = frame;
        (void)snprintf(all->message, sizeof all->message, "%s", info.message);
    }
    if (all->swapped_at == 0 && info.version != all->version) {
        all->swapped_at = frame;
    }
}

bool rehearsal_print(const rehearsal *all)
{
    printf("%-28s %s\n", "reload", all->path);
    printf("  %-26s %10u, told after frame %u: %s\n", "broken in frame", all->broken_in,
           all->told_at, all->message);
    printf("  %-26s %10u, in use after frame %u\n", "mended in frame", all->mended_in,
           all->swapped_at);
    printf("  %-26s %10llu\n", "draws lost meanwhile", (unsigned long long)all->draws_lost);
    bool good = all->told_at != 0 && all->swapped_at != 0 && all->draws_lost == 0;
    if (!good) {
        fprintf(stderr, "gpool-sketch: the reload did not go as it should\n");
    }
    return good;
}
