#include "shader/watch.h"

#include "base/hash.h"

#include <string.h>

#define WATCH_PERIOD UINT64_C(250000000)
#define WATCH_SETTLE UINT64_C(100000000)
#define WATCH_LOOKS  32u
#define WATCH_READS  8u
#define WATCH_BYTES  ((uint64_t)1 << 20)

/* Content that cannot be told: a folder, no permission, too large. No hash is expected to be this. */
#define WATCH_UNREADABLE UINT64_C(1)

typedef struct gpool__watched {
    char *name; /* of a virtual file, or a path; NULL = a slot of no use */
    uint64_t key;
    uint64_t hash;           /* of the content last read; 0 = missing */
    gpool__file_stamp stamp; /* at that time */
    gpool__file_stamp next;  /* what it settles on, while `settling` */
    uint64_t since;          /* when `next` was seen first */
    uint32_t references;     /* edges to it */
    uint32_t chain; /* index plus 1 of the next one in its bucket, or in the list of free slots */
    bool on_disk;
    bool settling; /* `next` and `since` do */
    bool marked;   /* read at the next poll */
} gpool__watched;

/* A file of an id. */
typedef struct gpool__watch_edge {
    uint32_t file;
    uint64_t hash; /* of what it was made of, or told of last */
} gpool__watch_edge;

typedef struct gpool__watcher {
    uint64_t id;
    gpool__watch_edge *edges;
    uint32_t count; /* of edges */
    bool changed;
} gpool__watcher;

void gpool__watch_init(gpool__watch *watch, gpool__memory *memory, const gpool__watch_desc *desc)
{
    *watch = (gpool__watch){ .memory = memory };
    if (desc != NULL) {
        watch->desc = *desc;
    }
    gpool__watch_desc *used = &watch->desc;
    used->period_ns = used->period_ns > 0 ? used->period_ns : WATCH_PERIOD;
    used->settle_ns = used->settle_ns > 0 ? used->settle_ns : WATCH_SETTLE;
    used->looks = used->looks > 0 ? used->looks : WATCH_LOOKS;
    used->reads = used->reads > 0 ? used->reads : WATCH_READS;
}

/* --- files --- */

static uint64_t watch_key(const char *name, bool on_disk)
{
    return gpool__hash(name, strlen(name)) + on_disk;
}

static uint32_t *watch_bucket(const gpool__watch *watch, uint64_t key)
{
    return &watch->buckets[key & (watch->bucket_count - 1)];
}

static gpool__watched *watch_find(const gpool__watch *watch, const char *name, bool on_disk)
{
    uint64_t key = watch_key(name, on_disk);
    for (uint32_t at = watch->bucket_count > 0 ? *watch_bucket(watch, key) : 0; at != 0;
         at = watch->files[at - 1].chain) {
        gpool__watched *file = &watch->files[at - 1];
        if (file->key == key && file->on_disk == on_disk && strcmp(file->name, name) == 0) {
            return file;
        }
    }
    return NULL;
}

static void watch_insert(gpool__watch *watch, uint32_t index)
{
    uint32_t *bucket = watch_bucket(watch, watch->files[index].key);
    watch->files[index].chain = *bucket;
    *bucket = index + 1;
}

static bool watch_grow_buckets(gpool__watch *watch, uint32_t files)
{
    if (files <= watch->bucket_count) {
        return true;
    }
    uint32_t count = watch->bucket_count > 0 ? watch->bucket_count : 16;
    while (count < files) {
        count *= 2;
    }
    uint32_t *buckets = gpool__alloc(watch->memory, count * sizeof *buckets);
    if (buckets == NULL) {
        return false;
    }
    gpool__free(watch->memory, watch->buckets, watch->bucket_count * sizeof *buckets);
    watch->buckets = buckets;
    watch->bucket_count = count;
    for (uint32_t i = 0; i < watch->file_count; ++i) {
        if (watch->files[i].name != NULL) {
            watch_insert(watch, i);
        }
    }
    return true;
}

/* The file of that name, made when there is none; NULL without memory. */
static gpool__watched *watch_file(gpool__watch *watch, const char *name, bool on_disk)
{
    gpool__watched *file = watch_find(watch, name, on_disk);
    if (file != NULL) {
        return file;
    }
    char *copy = gpool__copy_string(watch->memory, name);
    uint32_t count = watch->file_count + (watch->free_file == 0);
    if (copy == NULL || !watch_grow_buckets(watch, count) ||
        !gpool__reserve(watch->memory, (void **)&watch->files, &watch->file_capacity, count,
                        sizeof *watch->files)) {
        gpool__free_string(watch->memory, copy);
        return NULL;
    }
    uint32_t index = watch->free_file > 0 ? watch->free_file - 1 : watch->file_count;
    file = &watch->files[index];
    watch->free_file = watch->free_file > 0 ? file->chain : 0;
    watch->file_count = count;
    *file = (gpool__watched){ .name = copy, .key = watch_key(name, on_disk), .on_disk = on_disk };
    watch_insert(watch, index);
    return file;
}

static void watch_release(gpool__watch *watch, uint32_t index)
{
    gpool__watched *file = &watch->files[index];
    if (--file->references > 0) {
        return;
    }
    uint32_t *at = watch_bucket(watch, file->key);
    while (*at != index + 1) {
        at = &watch->files[*at - 1].chain;
    }
    *at = file->chain;
    watch->waiting -= file->settling || file->marked;
    gpool__free_string(watch->memory, file->name);
    *file = (gpool__watched){ .chain = watch->free_file };
    watch->free_file = index + 1;
}

/* --- ids --- */

static void watch_drop_edges(gpool__watch *watch, gpool__watch_edge *edges, uint32_t count,
                             uint32_t capacity)
{
    for (uint32_t i = 0; i < count; ++i) {
        watch_release(watch, edges[i].file);
    }
    gpool__free(watch->memory, edges, capacity * sizeof *edges);
}

static void watch_forget(gpool__watch *watch, gpool__watcher *watcher)
{
    watch->changed -= watcher->changed;
    watch_drop_edges(watch, watcher->edges, watcher->count, watcher->count);
    watcher->changed = false;
    watcher->edges = NULL;
    watcher->count = 0;
}

void gpool__watch_fini(gpool__watch *watch)
{
    for (uint32_t i = 0; i < watch->id_count; ++i) {
        watch_forget(watch, &watch->ids[i]);
    }
    gpool__free(watch->memory, watch->ids, watch->id_capacity * sizeof *watch->ids);
    gpool__free(watch->memory, watch->files, watch->file_capacity * sizeof *watch->files);
    gpool__free(watch->memory, watch->buckets, watch->bucket_count * sizeof *watch->buckets);
    *watch = (gpool__watch){ 0 };
}

static gpool__watcher *watch_id(const gpool__watch *watch, uint64_t id)
{
    for (uint32_t i = 0; i < watch->id_count; ++i) {
        if (watch->ids[i].id == id) {
            return &watch->ids[i];
        }
    }
    return NULL;
}

/* What the list says of a file, against what is known of it. */
static gpool__watch_edge watch_edge_to(gpool__watch *watch, gpool__watched *file,
                                       const gpool__source_file *given)
{
    /* It was there but not taken, because of what it is or where. That is as good as a content. */
    bool unread = given->missing && given->stamp.exists;
    uint64_t hash = unread ? WATCH_UNREADABLE : given->hash;
    file->references += 1;
    if (file->references == 1) {
        file->hash = hash;
        file->stamp = given->stamp;
        file->stamp.fresh = file->stamp.fresh && !unread;
    } else if (unread) {
        hash = file->hash;
    } else if (hash != file->hash) {
        /* It changed between two lists, or since this one was made: the next look finds out. */
        file->stamp = (gpool__file_stamp){ .exists = true, .inode = UINT64_MAX };
    }
    return (gpool__watch_edge){ .file = (uint32_t)(file - watch->files), .hash = hash };
}

gpool_result gpool__watch_set(gpool__watch *watch, uint64_t id, const gpool__source_file *files,
                              uint32_t count)
{
    gpool__watcher *watcher = watch_id(watch, id);
    if (watcher == NULL && !gpool__reserve(watch->memory, (void **)&watch->ids, &watch->id_capacity,
                                           watch->id_count + 1, sizeof *watch->ids)) {
        return GPOOL_ERROR_OUT_OF_MEMORY;
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; ++i) {
        kept += files[i].kind != GPOOL__SOURCE_TEXT;
    }
    gpool__watch_edge *edges = gpool__alloc(watch->memory, kept * sizeof *edges);
    if (edges == NULL && kept > 0) {
        return GPOOL_ERROR_OUT_OF_MEMORY;
    }
    uint32_t used = 0;
    for (uint32_t i = 0; i < count; ++i) {
        bool on_disk = files[i].kind == GPOOL__SOURCE_DISK;
        if (files[i].kind == GPOOL__SOURCE_TEXT) {
            continue;
        }
        gpool__watched *file = watch_file(watch, on_disk ? files[i].path : files[i].name, on_disk);
        if (file == NULL) {
            watch_drop_edges(watch, edges, used, kept);
            return GPOOL_ERROR_OUT_OF_MEMORY;
        }
        edges[used++] = watch_edge_to(watch, file, &files[i]);
    }
    if (watcher == NULL) {
        watcher = &watch->ids[watch->id_count++];
        *watcher = (gpool__watcher){ .id = id };
    } else {
        watch_forget(watch, watcher);
    }
    watcher->edges = edges;
    watcher->count = kept;
    return GPOOL_OK;
}

void gpool__watch_remove(gpool__watch *watch, uint64_t id)
{
    gpool__watcher *watcher = watch_id(watch, id);
    if (watcher == NULL) {
        return;
    }
    watch_forget(watch, watcher);
    uint32_t index = (uint32_t)(watcher - watch->ids);
    watch->id_count -= 1;
    memmove(watcher, watcher + 1, (watch->id_count - index) * sizeof *watcher);
    watch->next_id -= watch->next_id > index;
}

const char *gpool__watch_file(gpool__watch *watch, uint64_t id, uint32_t index)
{
    const gpool__watcher *watcher = watch_id(watch, id);
    for (uint32_t i = 0; watcher != NULL && i < watcher->count; ++i) {
        if (watcher->edges[i].hash != 0 && index-- == 0) {
            return watch->files[watcher->edges[i].file].name;
        }
    }
    return NULL;
}

/* --- looking --- */

/* A content is known: who was made of another one is changed. */
static void watch_tell(gpool__watch *watch, gpool__watched *file, uint64_t hash)
{
    uint32_t index = (uint32_t)(file - watch->files);
    watch->stats.changes += file->hash != hash;
    file->hash = hash;
    for (uint32_t i = 0; i < watch->id_count; ++i) {
        gpool__watcher *watcher = &watch->ids[i];
        for (uint32_t k = 0; k < watcher->count; ++k) {
            gpool__watch_edge *edge = &watcher->edges[k];
            if (edge->file != index) {
                continue;
            }
            if (edge->hash != hash && !watcher->changed) {
                watcher->changed = true;
                watch->changed += 1;
            }
            edge->hash = hash;
        }
    }
}

/* How much one poll may still do. */
typedef struct watch_budget {
    uint32_t looks;
    uint32_t reads;
    uint64_t bytes;
} watch_budget;

/* Reads a file that has settled. False when it must be tried again. */
static bool watch_read(gpool__watch *watch, watch_budget *budget, gpool__watched *file)
{
    uint64_t hash = 0;
    gpool__file_stamp stamp = file->next;
    if (stamp.exists) {
        char *content = NULL;
        size_t size = 0;
        size_t block_size = 0;
        gpool_result result =
            gpool__file_read_stamped(watch->memory, file->name, false, GPOOL__SOURCE_SIZE, &stamp,
                                     &content, &size, &block_size);
        budget->reads -= 1;
        budget->bytes -= size < budget->bytes ? size : budget->bytes;
        watch->stats.reads += 1;
        if (result == GPOOL_ERROR_OUT_OF_MEMORY) {
            return false;
        }
        hash = result == GPOOL_OK ? gpool__hash(content, size) : WATCH_UNREADABLE;
        gpool__free(watch->memory, content, block_size);
        if (!file->marked && !gpool__file_same(&stamp, &file->next)) {
            return false;
        }
    }
    file->stamp = stamp;
    watch_tell(watch, file, hash);
    return true;
}

static void watch_wait(gpool__watch *watch, gpool__watched *file, bool settling, bool marked)
{
    watch->waiting -= file->settling || file->marked;
    file->settling = settling;
    file->marked = marked;
    watch->waiting += file->settling || file->marked;
}

/* Looks at a file and reads it when it is time to. */
static void watch_look(gpool__watch *watch, watch_budget *budget, gpool__watched *file,
                       uint64_t now_ns)
{
    gpool__file_stamp stamp;
    gpool__file_look(file->name, &stamp);
    budget->looks -= 1;
    watch->stats.looks += 1;
    bool same = gpool__file_same(&stamp, &file->stamp);
    if (same && !file->stamp.fresh && !file->marked) {
        watch_wait(watch, file, false, false); /* it is again what it was */
        return;
    }
    if (!file->settling || !gpool__file_same(&stamp, &file->next) || now_ns < file->since) {
        file->since = now_ns;
    }
    file->next = stamp;
    watch_wait(watch, file, true, file->marked);
    bool hollow = !stamp.exists || stamp.size == 0;
    uint64_t settle = watch->desc.settle_ns * (hollow ? 4 : 1);
    bool due = file->marked || same || now_ns - file->since >= settle;
    if (due && (budget->reads > 0 || !stamp.exists) && budget->bytes > 0 &&
        watch_read(watch, budget, file)) {
        watch_wait(watch, file, false, false);
    }
}

/* Is this file to be looked at before its turn in the round? */
static bool watch_is_due(const gpool__watch *watch, const gpool__watched *file, uint64_t now_ns)
{
    return file->marked || (file->settling && (now_ns < file->since ||
                                               now_ns - file->since >= watch->desc.settle_ns));
}

uint32_t gpool__watch_poll(gpool__watch *watch, uint64_t now_ns)
{
    watch_budget budget = { watch->desc.looks, watch->desc.reads, WATCH_BYTES };
    if (watch->waiting > 0) {
        for (uint32_t i = 0; i < watch->file_count && budget.looks > 0; ++i) {
            gpool__watched *file = &watch->files[i];
            if (file->name != NULL && file->on_disk && watch_is_due(watch, file, now_ns)) {
                watch_look(watch, &budget, file, now_ns);
            }
        }
    }
    bool turn = watch->desc.period_ns != UINT64_MAX && now_ns >= watch->next_ns;
    if (!watch->in_round && (turn || watch->wanted)) {
        watch->in_round = true;
        watch->wanted = false;
        watch->cursor = 0;
        watch->next_ns = now_ns + watch->desc.period_ns;
    }
    for (; watch->in_round && budget.looks > 0; ++watch->cursor) {
        if (watch->cursor >= watch->file_count) {
            watch->in_round = false;
            break;
        }
        gpool__watched *file = &watch->files[watch->cursor];
        if (file->name != NULL && file->on_disk && !file->settling && !file->marked) {
            watch_look(watch, &budget, file, now_ns);
        }
    }
    return watch->changed;
}

bool gpool__watch_take(gpool__watch *watch, uint64_t *id)
{
    if (watch->changed == 0) {
        return false;
    }
    for (uint32_t i = 0; i < watch->id_count; ++i) {
        uint32_t index = (watch->next_id + i) % watch->id_count;
        gpool__watcher *watcher = &watch->ids[index];
        if (watcher->changed) {
            watcher->changed = false;
            watch->changed -= 1;
            watch->next_id = index + 1;
            *id = watcher->id;
            return true;
        }
    }
    return false;
}

/* --- marks --- */

static uint32_t watch_mark_file(gpool__watch *watch, gpool__watched *file)
{
    watch_wait(watch, file, file->settling, true);
    return 1;
}

uint32_t gpool__watch_mark(gpool__watch *watch, const char *path)
{
    /* The same file may be watched under other paths, and be another one by now: a round finds them. */
    watch->wanted = watch->id_count > 0;
    char absolute[GPOOL__PATH_SIZE];
    gpool__watched *file = NULL;
    if (gpool__file_absolute_path(path, absolute)) {
        file = watch_find(watch, absolute, true);
    }
    if (file != NULL) {
        return watch_mark_file(watch, file);
    }
    uint32_t marked = 0;
    gpool__file_stamp stamp;
    gpool__file_look(path, &stamp);
    for (uint32_t i = 0; i < watch->file_count && stamp.inode != 0; ++i) {
        file = &watch->files[i];
        bool same = file->stamp.inode == stamp.inode && file->stamp.device == stamp.device;
        if (file->name != NULL && file->on_disk && same) {
            marked += watch_mark_file(watch, file);
        }
    }
    return marked;
}

void gpool__watch_mark_virtual(gpool__watch *watch, const char *name, uint64_t hash)
{
    char clean[GPOOL__SOURCE_NAME];
    if (gpool__source_clean_name("", name, clean) != NULL) {
        return;
    }
    gpool__watched *file = watch_find(watch, clean, false);
    if (file != NULL) {
        watch_tell(watch, file, hash);
    }
}
