/*
 * From the name in an #include to an open file: the places where it may lie, and what is refused.
 */
#include "shader/source_state.h"

#include "base/checked.h"
#include "base/hash.h"

#include <errno.h>
#include <string.h>

/* Where the name stands that is looked for; the main file's stands nowhere. */
typedef struct find_cause {
    uint32_t file;
    uint32_t line;
    uint32_t column;
    const char *name;
} find_cause;

/* The answer to a look into one place. */
typedef enum find_answer {
    FIND_NOTHING,
    FIND_OPENED,
    FIND_AGAIN,
    FIND_ERROR
} find_answer;

static gpool_result find_fail(gpool__expander *x, const find_cause *cause, gpool_result result,
                              const char *what)
{
    return gpool__source_fail(x, result, cause->file, cause->line, cause->column,
                              "The file [%s] %s", cause->name, what);
}

/* Joins folder and name; false when it is too long. */
static bool find_join(char *target, const char *folder, const char *name)
{
    size_t front = strlen(folder);
    size_t back = strlen(name) + 1;
    bool slash = front > 0 && folder[front - 1] != '/';
    if (front + slash + back > GPOOL__PATH_SIZE) {
        return false;
    }
    memcpy(target, folder, front);
    if (slash) {
        target[front] = '/';
    }
    memcpy(target + front + slash, name, back);
    return true;
}

/* --- roots --- */

/* Adds a root, without the slashes at its end. */
static bool find_add_root(gpool__expander *x, const char *shown)
{
    char path[GPOOL__PATH_SIZE];
    char real[GPOOL__PATH_SIZE];
    size_t size = strlen(shown);
    while (size > 1 && shown[size - 1] == '/') {
        size -= 1;
    }
    size = size < sizeof path ? size : sizeof path - 1;
    memcpy(path, shown, size);
    path[size] = '\0';
    bool there = gpool__file_real_path(size > 0 ? path : ".", real);
    gpool__source_root *root = &x->roots[x->root_count];
    root->shown = gpool__copy_string(x->memory, strcmp(path, ".") == 0 ? "" : path);
    root->real = there ? gpool__copy_string(x->memory, real) : NULL;
    x->root_count += 1;
    return root->shown != NULL && (!there || root->real != NULL);
}

gpool_result gpool__source_open_roots(gpool__expander *x)
{
    if (x->desc->root_count > GPOOL__SOURCE_ROOTS) {
        return gpool__source_fail(x, GPOOL_ERROR_LIMIT, GPOOL__SOURCE_NONE, 0, 0,
                                  "[%u] search folders are more than [%u]",
                                  (unsigned)x->desc->root_count, GPOOL__SOURCE_ROOTS);
    }
    /* Number 0 is for the folder of the main file. */
    x->root_count = 1;
    for (uint32_t i = 0; i < x->desc->root_count; ++i) {
        const char *root = x->desc->roots[i];
        if (!find_add_root(x, root != NULL ? root : "")) {
            return gpool__source_no_memory(x);
        }
    }
    return GPOOL_OK;
}

/* The part of a real path inside a root; NULL when it is not in it. */
static const char *find_inside(const gpool__source_root *root, const char *real)
{
    if (root->real == NULL) {
        return NULL;
    }
    size_t size = strlen(root->real);
    if (strncmp(root->real, real, size) != 0) {
        return NULL;
    }
    if (size > 0 && root->real[size - 1] == '/') {
        return real + size;
    }
    return real[size] == '/' ? real + size + 1 : NULL;
}

/* --- what was seen --- */

void gpool__source_close_frame(gpool__expander *x)
{
    gpool__source_frame *frame = &x->frames[--x->frame_count];
    gpool__free(x->memory, frame->block, frame->block_size);
    x->seen[frame->file].open = false;
}

void gpool__source_close_files(gpool__expander *x)
{
    while (x->frame_count > 0) {
        gpool__source_close_frame(x);
    }
    gpool__free(x->memory, x->frames, x->frame_capacity * sizeof *x->frames);
    for (uint32_t i = 0; i < x->source->file_count && x->seen != NULL; ++i) {
        gpool__free_string(x->memory, x->seen[i].real);
        gpool__free_string(x->memory, x->seen[i].inner);
    }
    gpool__free(x->memory, x->seen, x->seen_capacity * sizeof *x->seen);
    for (uint32_t i = 0; i < x->root_count; ++i) {
        gpool__free_string(x->memory, x->roots[i].shown);
        gpool__free_string(x->memory, x->roots[i].real);
    }
}

static uint64_t find_key(gpool__source_kind kind, const char *name)
{
    return gpool__hash(name, strlen(name)) + (uint64_t)kind;
}

/* The file seen under this name, GPOOL__SOURCE_NONE when it is new. */
static uint32_t find_seen(const gpool__expander *x, gpool__source_kind kind, const char *name)
{
    uint64_t key = find_key(kind, name);
    for (uint32_t i = 0; i < x->source->file_count; ++i) {
        if (x->seen[i].key == key && x->source->files[i].kind == kind &&
            strcmp(x->source->files[i].name, name) == 0) {
            return i;
        }
    }
    return GPOOL__SOURCE_NONE;
}

/* Notes a file as missing; `*index` is where it stands. */
static gpool_result find_note(gpool__expander *x, const find_cause *cause, gpool__source_kind kind,
                              const char *name, uint32_t *index)
{
    gpool__source *source = x->source;
    *index = find_seen(x, kind, name);
    if (*index != GPOOL__SOURCE_NONE) {
        return GPOOL_OK;
    }
    if (source->file_count == GPOOL__SOURCE_LOOKS) {
        return find_fail(x, cause, GPOOL_ERROR_LIMIT, "is one too many to look for");
    }
    char path[GPOOL__PATH_SIZE];
    bool disk = kind == GPOOL__SOURCE_DISK;
    if (disk && !gpool__file_absolute_path(name, path)) {
        return find_fail(x, cause, GPOOL_ERROR_FILE, "has too long a path");
    }
    uint32_t count = source->file_count + 1;
    gpool__source_file file = { .kind = kind,
                                .missing = true,
                                .name = gpool__copy_string(x->memory, name),
                                .path = disk ? gpool__copy_string(x->memory, path) : NULL };
    if (file.name == NULL || (disk && file.path == NULL) ||
        !gpool__reserve(x->memory, (void **)&source->files, &source->file_capacity, count,
                        sizeof *source->files) ||
        !gpool__reserve(x->memory, (void **)&x->seen, &x->seen_capacity, count, sizeof *x->seen)) {
        gpool__free_string(x->memory, file.name);
        gpool__free_string(x->memory, file.path);
        return gpool__source_no_memory(x);
    }
    *index = source->file_count;
    source->files[*index] = file;
    x->seen[*index] = (gpool__source_seen){ .key = find_key(kind, name) };
    source->file_count = count;
    return GPOOL_OK;
}

/* --- content --- */

static void find_place(const char *text, size_t at, uint32_t *line, uint32_t *column)
{
    size_t start = 0;
    *line = 1;
    for (size_t i = 0; i < at;) {
        size_t step = gpool__source_break(text + i, at - i);
        if (step > 0) {
            *line += 1;
            start = i + step;
        }
        i += step > 0 ? step : 1;
    }
    *column = gpool__source_points(text + start, at - start) + 1;
}

/* Fails, at its place, over a byte that no source has. */
static gpool_result find_check_text(gpool__expander *x, const gpool__source_frame *frame)
{
    size_t at = 0;
    while (at < frame->size && frame->text[at] != '\0') {
        size_t step = gpool__utf8_length(frame->text + at, frame->size - at);
        if (step == 0) {
            break;
        }
        at += step;
    }
    if (at == frame->size) {
        return GPOOL_OK;
    }
    uint32_t line = 0;
    uint32_t column = 0;
    find_place(frame->text, at, &line, &column);
    bool text = x->source->files[frame->file].kind == GPOOL__SOURCE_TEXT;
    return gpool__source_fail(
        x, text ? GPOOL_ERROR_INVALID_ARGUMENT : GPOOL_ERROR_FILE, frame->file, line, column,
        frame->text[at] == '\0' ? "The source has a zero byte" : "The source is no UTF-8");
}

/* Begins a file whose content is here; frees the block when that fails. */
static gpool_result find_begin(gpool__expander *x, const find_cause *cause,
                               gpool__source_frame frame, const char *inner)
{
    gpool__source_seen *seen = &x->seen[frame.file];
    gpool__source_file *file = &x->source->files[frame.file];
    gpool_result result = GPOOL_OK;
    if (x->frame_count > 0 && x->frame_count == x->limits.depth) {
        result = gpool__source_fail(x, GPOOL_ERROR_LIMIT, cause->file, cause->line, cause->column,
                                    "The file [%s] is more than [%u] includes deep", cause->name,
                                    (unsigned)x->limits.depth);
    } else if (x->opened == x->limits.files) {
        result = gpool__source_fail(x, GPOOL_ERROR_LIMIT, cause->file, cause->line, cause->column,
                                    "The file [%s] is one more than the [%u] that may be included",
                                    cause->name, (unsigned)x->limits.files);
    } else if (frame.size > x->limits.size - x->read) {
        result = gpool__source_fail(x, GPOOL_ERROR_LIMIT, cause->file, cause->line, cause->column,
                                    "With the file [%s] there are more than [%llu] bytes of source",
                                    cause->name, (unsigned long long)x->limits.size);
    } else if (!gpool__reserve(x->memory, (void **)&x->frames, &x->frame_capacity,
                               x->frame_count + 1, sizeof *x->frames)) {
        result = gpool__source_no_memory(x);
    } else {
        seen->inner = gpool__copy_string(x->memory, inner);
        result = seen->inner != NULL ? GPOOL_OK : gpool__source_no_memory(x);
    }
    if (result != GPOOL_OK) {
        gpool__free(x->memory, frame.block, frame.block_size);
        return result;
    }
    x->opened += 1;
    x->read += frame.size;
    file->missing = false;
    file->hash = gpool__hash(frame.text, frame.size);
    frame.line = 1;
    frame.base = x->condition_count;
    x->frames[x->frame_count++] = frame;
    seen->open = true;
    result = find_check_text(x, &frame);
    if (frame.size >= 3 && memcmp(frame.text, "\xef\xbb\xbf", 3) == 0) {
        x->frames[x->frame_count - 1].at = 3;
    }
    return result;
}

/* A file that was begun before: over, or around this one. */
static find_answer find_again(gpool__expander *x, const find_cause *cause, uint32_t file)
{
    if (!x->seen[file].open) {
        return FIND_AGAIN;
    }
    char chain[GPOOL__SOURCE_MESSAGE] = "";
    size_t used = 0;
    bool on = false;
    for (uint32_t i = 0; i < x->frame_count; ++i) {
        on = on || x->frames[i].file == file;
        const char *name = x->source->files[x->frames[i].file].name;
        size_t size = strlen(name);
        if (on && used + size + 8 < sizeof chain) {
            memcpy(chain + used, name, size);
            memcpy(chain + used + size, " -> ", 5);
            used += size + 4;
        } else if (on && (used < 4 || memcmp(chain + used - 4, "... ", 4) != 0)) {
            memcpy(chain + used, "... ", 5);
            used += 4;
        }
    }
    (void)gpool__source_fail(x, GPOOL_ERROR_INVALID_ARGUMENT, cause->file, cause->line,
                             cause->column, "The file includes itself: %s%s", chain,
                             x->source->files[file].name);
    return FIND_ERROR;
}

/* --- places --- */

static find_answer find_virtual(gpool__expander *x, const find_cause *cause, const char *name)
{
    gpool__source_files *files = x->desc->files;
    if (files == NULL) {
        return FIND_NOTHING;
    }
    uint32_t index = 0;
    if (find_note(x, cause, GPOOL__SOURCE_VIRTUAL, name, &index) != GPOOL_OK) {
        return FIND_ERROR;
    }
    if (x->seen[index].inner != NULL) {
        return find_again(x, cause, index);
    }
    /* The allocator is not called under the lock, so the text may have another size by then. */
    char *block = NULL;
    size_t block_size = 0;
    for (;;) {
        gpool__mutex_lock(&files->lock);
        const gpool__source_virtual *item = gpool__source_virtual_of(files, name);
        size_t size = item != NULL ? item->size : 0;
        bool there = item != NULL;
        bool fits = there && size < block_size;
        if (fits && size > 0) {
            memcpy(block, item->text, size);
        }
        gpool__mutex_unlock(&files->lock);
        if (fits) {
            gpool__source_frame frame = {
                .text = block, .size = size, .block = block, .block_size = block_size, .file = index
            };
            return find_begin(x, cause, frame, name) == GPOOL_OK ? FIND_OPENED : FIND_ERROR;
        }
        gpool__free(x->memory, block, block_size);
        if (!there) {
            return FIND_NOTHING;
        }
        block_size = size + 1;
        block = gpool__alloc(x->memory, block_size);
        if (block == NULL) {
            (void)gpool__source_no_memory(x);
            return FIND_ERROR;
        }
    }
}

/* Reads the file `real`, seen under `index`. */
static find_answer find_read(gpool__expander *x, const find_cause *cause, uint32_t index,
                             const char *real, uint32_t root, const char *inner)
{
    gpool__source_file *file = &x->source->files[index];
    gpool__source_frame frame = { .file = index };
    errno = 0;
    gpool_result result =
        gpool__file_read_stamped(x->memory, real, true, x->limits.size, &file->stamp, &frame.block,
                                 &frame.size, &frame.block_size);
    if (result == GPOOL_ERROR_OUT_OF_MEMORY) {
        (void)gpool__source_no_memory(x);
        return FIND_ERROR;
    }
    if (result != GPOOL_OK) {
        bool large = file->stamp.regular && file->stamp.size > x->limits.size;
        (void)find_fail(x, cause, large ? GPOOL_ERROR_LIMIT : GPOOL_ERROR_FILE,
                        errno != 0 ? strerror(errno)
                        : large    ? "is larger than a source may be"
                                   : "is no regular file");
        return FIND_ERROR;
    }
    frame.text = frame.block;
    x->seen[index].root = root;
    x->seen[index].real = gpool__copy_string(x->memory, real);
    if (x->seen[index].real == NULL) {
        gpool__free(x->memory, frame.block, frame.block_size);
        (void)gpool__source_no_memory(x);
        return FIND_ERROR;
    }
    return find_begin(x, cause, frame, inner) == GPOOL_OK ? FIND_OPENED : FIND_ERROR;
}

/* The file that was read from this real path, under whatever name. */
static uint32_t find_real(const gpool__expander *x, const char *real)
{
    for (uint32_t i = 0; i < x->source->file_count; ++i) {
        if (x->seen[i].real != NULL && strcmp(x->seen[i].real, real) == 0) {
            return i;
        }
    }
    return GPOOL__SOURCE_NONE;
}

static find_answer find_on_disk(gpool__expander *x, const find_cause *cause, uint32_t number,
                                const char *name)
{
    const gpool__source_root *root = &x->roots[number];
    char shown[GPOOL__PATH_SIZE];
    char real[GPOOL__PATH_SIZE];
    uint32_t index = 0;
    if (root->shown == NULL) {
        return FIND_NOTHING;
    }
    if (!find_join(shown, root->shown, name)) {
        (void)find_fail(x, cause, GPOOL_ERROR_FILE, "has too long a path");
        return FIND_ERROR;
    }
    if (find_note(x, cause, GPOOL__SOURCE_DISK, shown, &index) != GPOOL_OK) {
        return FIND_ERROR;
    }
    if (!gpool__file_real_path(shown, real)) {
        if (errno == ENOENT || errno == ENOTDIR) {
            return FIND_NOTHING;
        }
        int reason = errno;
        gpool__file_look(shown, &x->source->files[index].stamp);
        (void)find_fail(x, cause, GPOOL_ERROR_FILE, strerror(reason));
        return FIND_ERROR;
    }
    if (find_inside(root, real) == NULL) {
        gpool__file_look(shown, &x->source->files[index].stamp);
        (void)find_fail(x, cause, GPOOL_ERROR_FILE, "is a link that leads out of the root");
        return FIND_ERROR;
    }
    uint32_t other = find_real(x, real);
    if (other != GPOOL__SOURCE_NONE) {
        /* The same by another way: when that way leads elsewhere one day, it is another file. */
        gpool__source_file *file = &x->source->files[index];
        const gpool__source_file *same = &x->source->files[other];
        file->missing = same->missing;
        file->hash = same->hash;
        if (other != index) {
            file->stamp = same->stamp;
        }
        return find_again(x, cause, other);
    }
    return find_read(x, cause, index, real, number, name);
}

/* --- the two ways in --- */

/* The folder of the main file is a root, unless another one holds it. */
static gpool_result find_main_file(gpool__expander *x, const char *path)
{
    find_cause cause = { .file = 0, .name = path };
    char real[GPOOL__PATH_SIZE];
    char inner[GPOOL__PATH_SIZE];
    char shown[GPOOL__PATH_SIZE];
    uint32_t index = 0;
    gpool_result result = find_note(x, &cause, GPOOL__SOURCE_DISK, path, &index);
    if (result != GPOOL_OK) {
        return result;
    }
    if (!gpool__file_real_path(path, real)) {
        int reason = errno;
        gpool__file_look(path, &x->source->files[index].stamp);
        return find_fail(x, &cause, GPOOL_ERROR_FILE, strerror(reason));
    }
    /* Includes are looked for beside the file as it was named, not where a link to it leads. */
    const char *slash = strrchr(path, '/');
    size_t folder = slash == NULL ? 0 : slash == path ? 1 : (size_t)(slash - path);
    memcpy(shown, path, folder);
    shown[folder] = '\0';
    char above[GPOOL__PATH_SIZE];
    uint32_t number = 0;
    const char *inside = NULL;
    if (gpool__file_real_path(folder > 0 ? shown : ".", above) && find_join(inner, above, "x")) {
        for (uint32_t i = 1; i < x->root_count && inside == NULL; ++i) {
            inside = find_inside(&x->roots[i], inner);
            number = i;
        }
    }
    const char *name = slash != NULL ? slash + 1 : path;
    if (inside == NULL) {
        number = 0;
        uint32_t count = x->root_count;
        x->root_count = 0;
        bool added = find_add_root(x, shown);
        x->root_count = count;
        if (!added) {
            return gpool__source_no_memory(x);
        }
        memcpy(shown, "x", 2);
    } else {
        memmove(shown, inside, strlen(inside) + 1);
    }
    /* `shown` is a file "x" in the folder: the main one has that folder, and its own name. */
    size_t front = strlen(shown) - 1;
    if (front + strlen(name) >= GPOOL__SOURCE_NAME) {
        return find_fail(x, &cause, GPOOL_ERROR_FILE, "has too long a path");
    }
    memcpy(shown + front, name, strlen(name) + 1);
    if (find_read(x, &cause, index, real, number, shown) != FIND_OPENED) {
        return x->source->result;
    }
    if (x->frames[0].size == 0) {
        return find_fail(x, &cause, GPOOL_ERROR_FILE, "is empty");
    }
    return GPOOL_OK;
}

gpool_result gpool__source_open_main(gpool__expander *x)
{
    const gpool__source_desc *desc = x->desc;
    if (desc->text == NULL) {
        return find_main_file(x, desc->path != NULL ? desc->path : "");
    }
    const char *label = desc->label != NULL && desc->label[0] != '\0' ? desc->label : "shader";
    find_cause cause = { .file = GPOOL__SOURCE_NONE, .name = label };
    uint32_t index = 0;
    gpool_result result = find_note(x, &cause, GPOOL__SOURCE_TEXT, label, &index);
    if (result == GPOOL_OK) {
        gpool__source_frame frame = { .text = desc->text, .size = desc->size, .file = index };
        result = find_begin(x, &cause, frame, "");
    }
    return result;
}

/* Looks for a file beside the one that names it, then from the top. */
static find_answer find_everywhere(gpool__expander *x, const find_cause *cause,
                                   const gpool__source_frame *frame, const char **problem)
{
    gpool__source_kind kind = x->source->files[frame->file].kind;
    uint32_t root = x->seen[frame->file].root;
    const char *inner = x->seen[frame->file].inner;
    const char *slash = strrchr(inner, '/');
    char folder[GPOOL__SOURCE_NAME] = "";
    char name[GPOOL__SOURCE_NAME];
    if (slash != NULL) {
        memcpy(folder, inner, (size_t)(slash - inner));
        folder[slash - inner] = '\0';
    }
    bool valid = false;
    find_answer answer = FIND_NOTHING;
    /* Without root and folder, beside is the top. */
    uint32_t first = kind != GPOOL__SOURCE_DISK && folder[0] == '\0';
    for (uint32_t top = first; top < 2 && answer == FIND_NOTHING; ++top) {
        *problem = gpool__source_clean_name(top ? "" : folder, cause->name, name);
        if (*problem != NULL) {
            continue;
        }
        valid = true;
        answer = find_virtual(x, cause, name);
        /* Beside a file on disk there is its own root only. */
        bool own = kind == GPOOL__SOURCE_DISK && !top;
        for (uint32_t i = own ? root : 0;
             i < (own ? root + 1 : x->root_count) && answer == FIND_NOTHING; ++i) {
            answer = find_on_disk(x, cause, i, name);
        }
    }
    *problem = valid ? NULL : *problem;
    return answer;
}

gpool_result gpool__source_open_include(gpool__expander *x, const char *name, size_t size,
                                        uint32_t column, bool *again)
{
    const gpool__source_frame frame = x->frames[x->frame_count - 1];
    char wanted[GPOOL__SOURCE_NAME];
    find_cause cause = { frame.file, frame.line, column, wanted };
    size_t length = gpool__min(size, sizeof wanted - 1);
    memcpy(wanted, name, length);
    wanted[length] = '\0';
    if (length < size) {
        return find_fail(x, &cause, GPOOL_ERROR_FILE, "has too long a name");
    }
    const char *problem = NULL;
    find_answer answer = find_everywhere(x, &cause, &frame, &problem);
    *again = answer == FIND_AGAIN;
    if (problem != NULL) {
        return find_fail(x, &cause, GPOOL_ERROR_FILE, problem);
    }
    if (answer == FIND_NOTHING) {
        return find_fail(x, &cause, GPOOL_ERROR_FILE, "is in none of the folders to search");
    }
    return answer == FIND_ERROR ? x->source->result : GPOOL_OK;
}
