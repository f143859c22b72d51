/*
 * Virtual files, and what a file may be called.
 */
#include "shader/source_state.h"

#include "base/hash.h"
#include "base/text.h"

#include <string.h>

void gpool__source_files_init(gpool__source_files *files, gpool__memory *memory)
{
    *files = (gpool__source_files){ .memory = memory };
    gpool__mutex_init(&files->lock);
}

static void source_files_drop(gpool__source_files *files, gpool__source_virtual *item)
{
    gpool__free_string(files->memory, item->name);
    gpool__free(files->memory, item->text, item->size);
}

void gpool__source_files_fini(gpool__source_files *files)
{
    for (uint32_t i = 0; i < files->count; ++i) {
        source_files_drop(files, &files->items[i]);
    }
    gpool__free(files->memory, files->items, files->capacity * sizeof *files->items);
    gpool__mutex_fini(&files->lock);
    *files = (gpool__source_files){ 0 };
}

gpool__source_virtual *gpool__source_virtual_of(gpool__source_files *files, const char *name)
{
    uint64_t key = gpool__hash(name, strlen(name));
    for (uint32_t i = 0; i < files->count; ++i) {
        gpool__source_virtual *item = &files->items[i];
        if (item->key == key && strcmp(item->name, name) == 0) {
            return item;
        }
    }
    return NULL;
}

gpool_result gpool__source_files_put(gpool__source_files *files, const char *name, const char *text,
                                     size_t size)
{
    char clean[GPOOL__SOURCE_NAME];
    if (name == NULL || (text == NULL && size > 0) ||
        gpool__source_clean_name("", name, clean) != NULL) {
        return GPOOL_ERROR_INVALID_ARGUMENT;
    }
    if (size > GPOOL__SOURCE_SIZE) {
        return GPOOL_ERROR_LIMIT;
    }
    gpool__source_virtual fresh = { .name = gpool__copy_string(files->memory, clean),
                                    .key = gpool__hash(clean, strlen(clean)),
                                    .text = gpool__alloc(files->memory, size),
                                    .size = size };
    /* Only the owner changes the list, so it may read without the lock. */
    gpool__source_virtual *item = gpool__source_virtual_of(files, clean);
    gpool__source_virtual *items = files->items;
    uint32_t capacity = files->capacity;
    if (item == NULL && files->count == capacity) {
        /* Readers must not wait for the allocator, so the list grows beside the old one. */
        capacity = capacity == 0 ? 8 : capacity * 2;
        items = gpool__alloc(files->memory, capacity * sizeof *items);
    }
    if (fresh.name == NULL || (fresh.text == NULL && size > 0) || items == NULL) {
        if (items != files->items) {
            gpool__free(files->memory, items, capacity * sizeof *items);
        }
        source_files_drop(files, &fresh);
        return GPOOL_ERROR_OUT_OF_MEMORY;
    }
    if (size > 0) {
        memcpy(fresh.text, text, size);
    }
    gpool__source_virtual *old_items = NULL;
    uint32_t old_capacity = files->capacity;
    gpool__source_virtual old = { 0 };
    gpool__mutex_lock(&files->lock);
    if (item != NULL) {
        old = *item;
        *item = fresh;
    } else {
        if (items != files->items) {
            if (files->count > 0) {
                memcpy(items, files->items, files->count * sizeof *items);
            }
            old_items = files->items;
            files->items = items;
            files->capacity = capacity;
        }
        files->items[files->count++] = fresh;
    }
    gpool__mutex_unlock(&files->lock);
    source_files_drop(files, &old);
    gpool__free(files->memory, old_items, old_capacity * sizeof *items);
    return GPOOL_OK;
}

bool gpool__source_files_remove(gpool__source_files *files, const char *name)
{
    char clean[GPOOL__SOURCE_NAME];
    if (name == NULL || gpool__source_clean_name("", name, clean) != NULL) {
        return false;
    }
    gpool__source_virtual *item = gpool__source_virtual_of(files, clean);
    if (item == NULL) {
        return false;
    }
    gpool__source_virtual old = *item;
    gpool__mutex_lock(&files->lock);
    *item = files->items[--files->count];
    gpool__mutex_unlock(&files->lock);
    source_files_drop(files, &old);
    return true;
}

/* What is wrong with a name, whatever it names. */
static const char *source_files_problem(const char *name)
{
    size_t size = strlen(name);
    if (size == 0) {
        return "is empty";
    }
    if (size >= GPOOL__SOURCE_NAME) {
        return "is too long";
    }
    if (!gpool__is_utf8(name, size)) {
        return "is no UTF-8";
    }
    if (name[0] == '/') {
        return "is absolute: names are relative to a root";
    }
    for (size_t i = 0; i < size; ++i) {
        unsigned char c = (unsigned char)name[i];
        if (c < 32 || c == 127) {
            return "has a control byte";
        }
        if (c == '\\' || c == ':') {
            return c == ':' ? "has a [:]" : "has a [\\]: folders are parted by [/]";
        }
    }
    return NULL;
}

const char *gpool__source_clean_name(const char *folder, const char *name, char *target)
{
    const char *problem = source_files_problem(name);
    if (problem != NULL) {
        return problem;
    }
    size_t used = strlen(folder);
    if (used > 0) {
        memcpy(target, folder, used);
        target[used++] = '/';
    }
    size_t part = 0;
    for (const char *from = name;; from += part + 1) {
        part = strcspn(from, "/");
        if (part == 2 && from[0] == '.' && from[1] == '.') {
            if (used == 0) {
                return "leads out of the root";
            }
            used -= 1; /* the slash */
            while (used > 0 && target[used - 1] != '/') {
                used -= 1;
            }
        } else if (part > 1 || (part == 1 && from[0] != '.')) {
            if (used + part + 1 > GPOOL__SOURCE_NAME) {
                return "is too long";
            }
            memcpy(target + used, from, part);
            used += part;
            target[used++] = '/';
        }
        if (from[part] == '\0') {
            break;
        }
    }
    bool last = part == 0 || (part == 1 && name[strlen(name) - 1] == '.') ||
                (part == 2 && strcmp(name + strlen(name) - 2, "..") == 0);
    if (used == 0 || last) {
        return "names a folder";
    }
    target[used - 1] = '\0';
    return NULL;
}
