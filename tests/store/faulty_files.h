/*
 * The file operations of the system with faults: fails operation k once or for ever, reads and writes
 * by halves, moves the clock, and shows other owners. Also records what changes the directory.
 */
#ifndef GPOOL_TESTS_FAULTY_FILES_H
#define GPOOL_TESTS_FAULTY_FILES_H

#include "base/directory.h"

#include <gpool/store.h>

#include <stdatomic.h>

/* What a recorded operation did. */
typedef enum faulty_kind {
    FAULTY_CREATE,
    FAULTY_WRITE,
    FAULTY_RENAME,
    FAULTY_UNLINK
} faulty_kind;

typedef struct faulty_record {
    faulty_kind kind;
    uint32_t file; /* of create and write: number of the file, from 0 */
    char name[64]; /* of create, rename and unlink */
    char to[64];   /* of rename */
    uint64_t offset;
    size_t size;
    uint8_t *data;
} faulty_record;

#define FAULTY_RECORDS     4096
#define FAULTY_DESCRIPTORS 256

typedef struct faulty_files {
    gpool__files table;      /* hand this to the store */
    _Atomic uint64_t calls;  /* of all operations but who and now */
    uint64_t fail_at;        /* number of the call that fails, 0 = none */
    bool for_ever;           /* and all after it */
    int error;               /* with this negative errno */
    _Atomic uint64_t failed; /* calls that did */
    bool halves;             /* reads and writes do half of what they could */
    bool interrupts;         /* every other read and write is interrupted */
    int close_error;         /* what closing an entry's file gives after a write; 0 = nothing */
    bool full;               /* no file grows until an entry is deleted */
    int rename_error;        /* what a rename gives that was done; 0 = its own result */
    uint32_t steals;         /* so many files are deleted when they were created, as by a cleaner */
    bool watch_locks;       /* looks whether a file is locked while it is written, see `unlocked` */
    uint64_t unlocked;      /* writes of files that were not */
    int64_t clock_shift_ns; /* added to the clock */
    bool privileged;        /* what who() tells */
    uint32_t directory_owner_shift; /* added to the owners of directories */
    uint32_t file_owner_shift;      /* and of files */
    int directory_owner_root;       /* 1: all directories belong to root */

    uint64_t call_at; /* on_call is called once, before the call of this number; 0 = not */
    void (*on_call)(void *user); /* */
    void (*on_list)(void *user); /* called once when a directory has been read; NULL = not */
    void (*on_read)(void *user); /* the same when bytes have been read */
    void *on_user;
    uint64_t turns;                      /* of `interrupts` */
    bool is_written[FAULTY_DESCRIPTORS]; /* for `close_error` */

    faulty_record *records; /* NULL = records nothing; one thread only */
    uint32_t record_count;
    uint32_t file_count;
    uint32_t file_of[FAULTY_DESCRIPTORS]; /* number of the file behind a descriptor */
} faulty_files;

void faulty_init(faulty_files *faulty);

/** Begins without faults, and opens a store with these operations; fails the test when that fails. */
gpool_store *faulty_open(faulty_files *faulty, const gpool_store_desc *desc);

/** Begins to record; faulty_fini() frees the records. */
void faulty_record_begin(faulty_files *faulty);
void faulty_fini(faulty_files *faulty);

#endif
