#include "base/text.h"

#include <string.h>

/* Well-formed sequences by table 3-7 of the Unicode standard: no overlong forms, no surrogates. */
size_t gpool__utf8_length(const char *text, size_t size)
{
    const unsigned char *c = (const unsigned char *)text;
    if (size == 0) {
        return 0;
    }
    if (c[0] < 0x80) {
        return 1;
    }
    size_t length = c[0] >= 0xc2 && c[0] <= 0xdf   ? 2
                    : (c[0] & 0xf0) == 0xe0        ? 3
                    : c[0] >= 0xf0 && c[0] <= 0xf4 ? 4
                                                   : 0;
    if (length == 0 || length > size) {
        return 0;
    }
    unsigned char low = c[0] == 0xe0 ? 0xa0 : c[0] == 0xf0 ? 0x90 : 0x80;
    unsigned char high = c[0] == 0xed ? 0x9f : c[0] == 0xf4 ? 0x8f : 0xbf;
    if (c[1] < low || c[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < length; ++i) {
        if ((c[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return length;
}

bool gpool__is_utf8(const char *text, size_t size)
{
    for (size_t i = 0; i < size;) {
        size_t length = gpool__utf8_length(text + i, size - i);
        if (length == 0) {
            return false;
        }
        i += length;
    }
    return true;
}

static char *text_clean(char *target, size_t size, const char *text, size_t length, bool lines)
{
    size_t used = 0;
    for (size_t i = 0; text != NULL && i < length && text[i] != '\0';) {
        unsigned char c = (unsigned char)text[i];
        size_t step = gpool__utf8_length(text + i, length - i);
        size_t bytes = step > 0 ? step : 1;
        if (used + bytes >= size) {
            break;
        }
        if (step > 1) {
            memmove(target + used, text + i, step);
        } else {
            bool blank = (c < 32 && !(lines && c == '\n')) || c == 127;
            target[used] = (char)(step == 0 ? '?' : blank ? ' ' : c);
        }
        used += bytes;
        i += bytes;
    }
    if (size > 0) {
        target[used] = '\0';
    }
    return target;
}

char *gpool__clean(char *target, size_t size, const char *text, size_t length)
{
    return text_clean(target, size, text, length, false);
}

char *gpool__clean_lines(char *target, size_t size, const char *text, size_t length)
{
    return text_clean(target, size, text, length, true);
}
