/*
 * UTF-8: what reaches an implementation or the log must be well formed.
 */
#ifndef GPOOL_BASE_TEXT_H
#define GPOOL_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/** Bytes of the well-formed UTF-8 sequence at the start of `text`, 0 when there is none. */
size_t gpool__utf8_length(const char *text, size_t size);

/** True when all bytes are well-formed UTF-8. */
bool gpool__is_utf8(const char *text, size_t size);

/**
 * Copies text up to its zero byte, `length` or the target's end: control bytes become blanks, what is
 * not UTF-8 becomes '?', no sequence is cut. May work in place. Returns the target. For labels.
 */
char *gpool__clean(char *target, size_t size, const char *text, size_t length);

/** The same, keeping line breaks: for a compiler's own drawing of where it failed. */
char *gpool__clean_lines(char *target, size_t size, const char *text, size_t length);

#endif
