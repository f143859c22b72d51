/*
 * The inside of an expansion. source.c reads lines and directives, source_find.c finds and reads
 * files, source_define.c keeps definitions and puts values in. All stop at the first error, which
 * gpool__source_fail() records; what was allocated is freed in one place, gpool__source_expand().
 */
#ifndef GPOOL_SHADER_SOURCE_STATE_H
#define GPOOL_SHADER_SOURCE_STATE_H

#include "base/log.h"
#include "shader/source.h"

#define GPOOL__SOURCE_ROOTS 64u

typedef struct gpool__source_virtual {
    char *name;
    uint64_t key; /* hash of the name */
    char *text;   /* NULL when empty */
    size_t size;
} gpool__source_virtual;

/* What the expansion knows of gpool__source.files of the same index. */
typedef struct gpool__source_seen {
    uint64_t key; /* hash of kind and path or name */
    char *real;   /* path without links; NULL = not on disk, or not read */
    char *inner;  /* name within its root or among the virtual files; NULL = not read */
    uint32_t root;
    bool open; /* being expanded now */
} gpool__source_seen;

typedef struct gpool__source_root {
    char *shown; /* as the caller gave it, without a slash at the end; "" = the working folder */
    char *real;  /* without links; NULL = there is none */
} gpool__source_root;

typedef struct gpool__source_macro {
    char *block; /* name, value, a zero byte each */
    size_t name_size;
    size_t value_size;
    uint32_t file; /* where it was defined; GPOOL__SOURCE_NONE = by the caller */
    uint32_t line;
    bool defined;
    bool busy; /* being replaced */
} gpool__source_macro;

/* A value being put in. */
typedef struct gpool__source_level {
    uint32_t macro;
    size_t at;
} gpool__source_level;

/* A file being read. */
typedef struct gpool__source_frame {
    const char *text;
    size_t size;
    char *block; /* what to free; NULL = the caller's text */
    size_t block_size;
    size_t at;          /* start of the next line */
    uint32_t line;      /* number of the line under way */
    uint32_t file;      /* index in gpool__source.files */
    uint32_t base;      /* conditionals of the files around it */
    uint32_t depth;     /* of block comments */
    uint32_t open_line; /* where the outermost of them began */
    uint32_t open_column;
    bool over; /* its last line was read */
} gpool__source_frame;

typedef struct gpool__source_condition {
    uint32_t line;
    uint32_t else_line; /* 0 = none yet */
    bool outer;         /* the lines around it are on */
    bool active;        /* its lines are */
} gpool__source_condition;

typedef struct gpool__expander {
    gpool__memory *memory;
    const gpool__source_desc *desc;
    gpool__source *source;
    gpool__source_limits limits;
    size_t read; /* bytes of all files so far */
    size_t work; /* bytes of values looked through so far */
    uint32_t opened;
    /* text */
    uint32_t lines; /* complete lines of the text */
    bool begun;     /* the line under way belongs to a run */
    bool seam;      /* the next byte of code comes from elsewhere than the last */
    bool shifting;  /* the last shift is not over */
    /* stacks and tables */
    gpool__source_root roots[GPOOL__SOURCE_ROOTS + 1];
    uint32_t root_count;
    gpool__source_frame *frames;
    uint32_t frame_count, frame_capacity;
    gpool__source_condition *conditions;
    uint32_t condition_count, condition_capacity;
    gpool__source_level *levels;
    uint32_t level_count, level_capacity;
    gpool__source_seen *seen;
    uint32_t seen_capacity;
    gpool__source_macro *macros;
    uint32_t macro_count, macro_capacity;
    uint32_t *slots; /* index of a macro plus 1 */
    uint32_t slot_count;
    char *scratch; /* a directive without its comments */
    size_t scratch_size;
} gpool__expander;

/* --- source.c --- */

/** Records the first error: `file`, `line` and `column` as in gpool__source. Returns `result`. */
gpool_result gpool__source_fail(gpool__expander *x, gpool_result result, uint32_t file,
                                uint32_t line, uint32_t column, const char *format, ...)
    GPOOL__PRINTF(6, 7);

gpool_result gpool__source_no_memory(gpool__expander *x);

/** Adds bytes to the text as they are. */
gpool_result gpool__source_append(gpool__expander *x, const char *bytes, size_t size);

/** Adds code; a blank before it where two operators of different origin would become one. */
gpool_result gpool__source_append_code(gpool__expander *x, const char *bytes, size_t size);

/**
 * Copies a directive's rest without comments and outer blanks to `x->scratch`; GPOOL_OK with its size.
 */
gpool_result gpool__source_strip(gpool__expander *x, uint32_t file, uint32_t line, uint32_t column,
                                 const char *text, size_t size, size_t *stripped);

/** Bytes of the line break of WGSL at `text`, 0 when there is none; CR LF is one. */
size_t gpool__source_break(const char *text, size_t size);

/** Bytes of the blank of WGSL at `text` that is no line break, 0 when there is none. */
size_t gpool__source_blank(const char *text, size_t size);

/** Bytes of the identifier at `text`, 0 when there is none. Bytes above 127 may belong to one. */
size_t gpool__source_identifier(const char *text, size_t size);

/** Bytes of the number at `text`, with all that would be read as part of it; 0 = none. */
size_t gpool__source_number(const char *text, size_t size);

/** Bytes of the identifier, number or other character at `text`, which is not the end. */
size_t gpool__source_token(const char *text, size_t size);

/** Code points in a text. */
uint32_t gpool__source_points(const char *text, size_t size);

/* --- source_define.c --- */

gpool_result gpool__source_open_defines(gpool__expander *x);
void gpool__source_close_defines(gpool__expander *x);

/** The definition of a name now, NULL when there is none. */
gpool__source_macro *gpool__source_defined(gpool__expander *x, const char *name, size_t size);

gpool_result gpool__source_define_name(gpool__expander *x, uint32_t file, uint32_t line,
                                       uint32_t column, const char *name, size_t name_size,
                                       const char *value, size_t value_size);

/** Puts the value of a macro into the text; `column` is where its name stands. */
gpool_result gpool__source_replace(gpool__expander *x, gpool__source_macro *macro, uint32_t column);

/* --- source_files.c --- */

/** The virtual file of that name, NULL when there is none. Under the lock, or by the owner. */
gpool__source_virtual *gpool__source_virtual_of(gpool__source_files *files, const char *name);

/* --- source_find.c --- */

gpool_result gpool__source_open_roots(gpool__expander *x);
void gpool__source_close_files(gpool__expander *x);

/** Begins the main source. */
gpool_result gpool__source_open_main(gpool__expander *x);

/** Begins a file named in the top frame; `*again` = it was included before, and nothing is begun. */
gpool_result gpool__source_open_include(gpool__expander *x, const char *name, size_t size,
                                        uint32_t column, bool *again);

/** Ends the top frame. */
void gpool__source_close_frame(gpool__expander *x);

#endif
