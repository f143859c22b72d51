/*
 * Shader source: includes and switches expanded into one text, and the way back from a place in
 * that text to file and line. Pure CPU; any thread, each expansion with a gpool__memory of its own.
 *
 * Directives, each on a line of its own, after blanks, never inside a comment:
 *
 *     #include "file"            the file's lines, the first time it is named; later nothing
 *     #define NAME [value]       defines a switch; code then reads `value` where NAME stands
 *     #undef NAME                ends it; silent when there is none
 *     #ifdef NAME, #ifndef NAME, #else, #endif
 *
 * - A comment may follow on the same line; a block comment must end there. No continued lines.
 * - Names are ASCII identifiers. Only whole identifiers of code are replaced, never part of one, of a
 *   number or of a comment. A value is looked through for names again, but for those being replaced. No
 *   parameters. Where a replacement would melt two operators into one (`-N` of `-1`), a blank is put.
 * - Defining a name again with another value is an error: #undef it or guard it by #ifndef. The
 *   caller's definitions come first.
 * - Lines switched off are read for comments, conditionals and unknown directives only. Conditionals
 *   and block comments end in the file that they begin in.
 * - A file is included once, whatever path led to it; a file that includes itself, over any number of
 *   others, is an error that names the chain.
 *
 * The text: every line of a file gives one line, empty for directives and what is switched off; the
 * line of an #include gives the lines of the file. So without includes line numbers are those of the
 * file. All line breaks of WGSL (CR LF, form feed, U+2028, ...) become "\n", on which compilers agree,
 * and a byte order mark is dropped. There are no paths and no line markers in it: equal inputs give
 * equal bytes, wherever they lie.
 *
 * Files: `"name"` in a file is looked for beside that file, then from the top; in each of the two
 * places among the virtual files first, then on disk (beside the file: in its own root; from the top:
 * in the roots in order). The first that exists is taken. Names are relative, with '/'; what is
 * absolute, leads out of the root by ".." or a link, has '\', ':' or control bytes, is no regular file,
 * no UTF-8 or has a zero byte is refused. The folder of the main file is a root, too, unless one of the
 * roots holds it. A root that others may write to is no boundary: whoever can swap folders for links
 * while we read could just as well write into the shader.
 */
#ifndef GPOOL_SHADER_SOURCE_H
#define GPOOL_SHADER_SOURCE_H

#include "base/file.h"
#include "base/thread.h"

#define GPOOL__SOURCE_SIZE    ((size_t)16 << 20) /* bytes of the text, and of all files together */
#define GPOOL__SOURCE_DEPTH   64u /* includes, and conditionals of a file, in each other */
#define GPOOL__SOURCE_FILES   1024u
#define GPOOL__SOURCE_LOOKS   8192u /* files looked for, with those that are not there */
#define GPOOL__SOURCE_DEFINES 1024u /* names that were ever defined */
#define GPOOL__SOURCE_SHIFTS  ((uint32_t)1 << 20) /* replaced names in the text */
#define GPOOL__SOURCE_NAME    1024u               /* bytes of a file's name, with its zero byte */
#define GPOOL__SOURCE_MESSAGE 1024u
#define GPOOL__SOURCE_NONE    UINT32_MAX

/* --- virtual files --- */

/*
 * Names and their texts. Has a lock of its own: the owner of `memory` adds and removes, any thread
 * reads. The lock is held for a lookup or a copy, never over a call of the allocator by a reader.
 */
typedef struct gpool__source_files {
    gpool__memory *memory;
    gpool__mutex lock;
    struct gpool__source_virtual *items;
    uint32_t count;
    uint32_t capacity;
} gpool__source_files;

void gpool__source_files_init(gpool__source_files *files, gpool__memory *memory);
void gpool__source_files_fini(gpool__source_files *files);

/**
 * Adds a file or replaces its text, which is copied. GPOOL_OK, GPOOL_ERROR_INVALID_ARGUMENT for a name
 * that no include could say, GPOOL_ERROR_LIMIT over 16 MiB, GPOOL_ERROR_OUT_OF_MEMORY. On an error all
 * is as before.
 */
gpool_result gpool__source_files_put(gpool__source_files *files, const char *name, const char *text,
                                     size_t size);

/** Removes a file; false when there is none of that name. */
bool gpool__source_files_remove(gpool__source_files *files, const char *name);

/**
 * Writes a name without "." and empty parts to `target` of GPOOL__SOURCE_NAME bytes, ".." resolved
 * against `folder` ("" = the top). NULL, or what is wrong with the name.
 */
const char *gpool__source_clean_name(const char *folder, const char *name, char *target);

/* --- expansion --- */

typedef struct gpool__source_define {
    const char *name;
    const char *value; /* NULL = none */
} gpool__source_define;

/* Lower bounds than the ones above, for tests; 0 = the ones above. */
typedef struct gpool__source_limits {
    size_t size;
    uint32_t depth;
    uint32_t files;
    uint32_t defines;
} gpool__source_limits;

typedef struct gpool__source_desc {
    const char *text;  /* main source; NULL = a file */
    size_t size;       /* bytes of it */
    const char *label; /* its name in errors; NULL = "shader" */
    const char *path;  /* main file, when `text` is NULL */
    const gpool__source_define *defines;
    uint32_t define_count;
    const char *const *roots; /* folders to search, in order */
    uint32_t root_count;
    gpool__source_files *files; /* virtual ones; NULL = none */
    gpool__source_limits limits;
} gpool__source_desc;

typedef enum gpool__source_kind {
    GPOOL__SOURCE_TEXT, /* the main source as a text */
    GPOOL__SOURCE_VIRTUAL,
    GPOOL__SOURCE_DISK
} gpool__source_kind;

/* A file that was read, or looked for in vain: when it changes or appears the text may be another. */
typedef struct gpool__source_file {
    gpool__source_kind kind;
    bool missing;  /* or not readable, or refused */
    char *name;    /* as shown: label, virtual name, or path as the caller would open it */
    char *path;    /* on disk: from the root of the file system, links kept; else NULL */
    uint64_t hash; /* XXH3-64 of its bytes; 0 = missing */
    gpool__file_stamp stamp; /* on disk: before it was read */
} gpool__source_file;

/* Lines of the text from `first` on are those of a file from `line` on; the last run ends the text. */
typedef struct gpool__source_run {
    uint32_t first;
    uint32_t file;
    uint32_t line;
} gpool__source_run;

/* A name that was replaced: bytes [at, at + size) of the text stand for it. */
typedef struct gpool__source_shift {
    uint32_t at;
    uint32_t size;
    uint32_t column; /* of the name in its line of the file: code points from 1 */
    uint32_t length; /* of the name */
} gpool__source_shift;

typedef struct gpool__source {
    gpool__memory *memory;
    gpool_result result;
    char *text; /* expanded, with a zero byte after it; NULL on an error */
    size_t size;
    size_t text_block;
    gpool__source_file *files; /* all, in the order of first sight; file 0 is the main source */
    uint32_t file_count;
    uint32_t file_capacity;
    gpool__source_run *runs;
    uint32_t run_count;
    uint32_t run_capacity;
    uint32_t line_count; /* of the text, with what is behind its last line break */
    gpool__source_shift *shifts;
    uint32_t shift_count;
    uint32_t shift_capacity;
    /* on an error: */
    uint32_t error_file;   /* index in `files`; GPOOL__SOURCE_NONE = a definition of the caller's */
    uint32_t error_line;   /* from 1; 0 = the whole file */
    uint32_t error_column; /* code points from 1; 0 = the whole line */
    char message[GPOOL__SOURCE_MESSAGE]; /* "file:line:column: what"; "" without an error */
} gpool__source;

/**
 * Expands a source. Always fills `source`, which gpool__source_fini() must end.
 *
 * Errors, with `message` and the files seen so far: GPOOL_ERROR_INVALID_ARGUMENT (a directive, a
 * definition, or a main text that is no UTF-8), GPOOL_ERROR_FILE (a file that is not there, cannot be
 * read or is refused; an empty main file, which is an editor's half-written one), GPOOL_ERROR_LIMIT,
 * GPOOL_ERROR_OUT_OF_MEMORY. Cost: linear in the files and the text.
 */
gpool_result gpool__source_expand(gpool__memory *memory, const gpool__source_desc *desc,
                                  gpool__source *source);

/** Frees all of it; a zeroed one is silent. */
void gpool__source_fini(gpool__source *source);

/* --- the way back --- */

typedef struct gpool__source_place {
    uint32_t file; /* index in gpool__source.files */
    uint32_t line;
    uint32_t column; /* code points from 1 */
} gpool__source_place;

/** Place in the files of a byte of the text, at most its size. Cost: linear in what is before it. */
gpool__source_place gpool__source_place_of(const gpool__source *source, size_t offset);

/**
 * The same for a line of the text, from 1, without a column; lines behind the end are its last one.
 * Cost: logarithmic.
 */
gpool__source_place gpool__source_place_of_line(const gpool__source *source, uint32_t line);

/* What a compiler said, told in terms of the files. */
typedef struct gpool__source_error {
    bool found;                /* it named a place; else `place` is zero and `file` "" */
    gpool__source_place place; /* of its first error */
    const char *file;          /* name of that file, of the source */
    char line[512];      /* "file:line:column: what"; the first line of the message without place */
    char *message;       /* all of it, with the places of the files */
    size_t message_size; /* bytes of it, without the zero byte */
    size_t message_block;
} gpool__source_error;

/**
 * Rewrites the message of a compiler about the text of `source`: of naga (wgpu-native; columns count
 * code points) or Tint (Dawn; columns count bytes), told apart by their shape. Any bytes may come:
 * control bytes become blanks; what is behind the first 64 KiB is cut off, what would be behind the first 256
 * KiB of the answer as well. GPOOL_OK or GPOOL_ERROR_OUT_OF_MEMORY, with `message` NULL; both fill
 * `error`.
 */
gpool_result gpool__source_translate(gpool__memory *memory, const gpool__source *source,
                                     const char *message, size_t size, gpool__source_error *error);

/** Frees the message. */
void gpool__source_error_fini(gpool__memory *memory, gpool__source_error *error);

#endif
