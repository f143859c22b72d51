/*
 * What the comments in include/gpool promise: the result codes of each function, and whether it
 * allocates. Read from the headers themselves, so a code that is returned but not documented is seen.
 */
#define _POSIX_C_SOURCE 200809L

#include "fault.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RULE_LIMIT 256u

typedef struct rule {
    char name[48];
    char as[48]; /* "as gpool_x()": the codes of that one too */
    fault_rule rule;
} rule;

static rule rules[RULE_LIMIT];
static size_t rule_count;

static bool rule_in_name(char c)
{
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool rule_has(const char *from, const char *end, const char *text)
{
    const char *found = strstr(from, text);
    return found != NULL && found < end;
}

/* Bits of the codes that a comment names. */
static uint64_t rule_codes(const char *from, const char *end)
{
    uint64_t codes = UINT64_C(1) << GPOOL_OK;
    for (int code = 1; code < GPOOL_RESULT_COUNT; ++code) {
        const char *name = gpool_result_name((gpool_result)code);
        size_t length = strlen(name);
        for (const char *at = strstr(from, name); at != NULL && at < end; at = strstr(at, name)) {
            at += length;
            codes |= rule_in_name(*at) ? 0 : UINT64_C(1) << code;
        }
    }
    if (rule_has(from, end, "handle error")) {
        codes |=
            UINT64_C(1) << GPOOL_ERROR_NULL_HANDLE | UINT64_C(1) << GPOOL_ERROR_INVALID_HANDLE |
            UINT64_C(1) << GPOOL_ERROR_FOREIGN_HANDLE | UINT64_C(1) << GPOOL_ERROR_STALE_HANDLE;
    }
    /* What a recorder call failed with is told by the submit; what a submit itself latches. */
    if (rule_has(from, end, "latched")) {
        codes |= FAULT_LATCHED;
    }
    return codes;
}

static void rule_copy_name(char *target, size_t size, const char *from)
{
    size_t length = 0;
    while (rule_in_name(from[length]) && length + 1 < size) {
        target[length] = from[length];
        length += 1;
    }
    target[length] = '\0';
}

/* Name of the function declared behind a comment, or NULL. */
static const char *rule_function(const char *from)
{
    const char *open = from + strcspn(from, "(;{/");
    if (*open != '(') {
        return NULL;
    }
    const char *name = open;
    while (name > from && rule_in_name(name[-1])) {
        name -= 1;
    }
    return strncmp(name, "gpool_", 6) == 0 ? name : NULL;
}

static void rules_read(const char *text)
{
    for (const char *from = strstr(text, "/**"); from != NULL; from = strstr(from + 3, "/**")) {
        const char *end = strstr(from, "*/");
        const char *name = end != NULL && from[3] != '<' ? rule_function(end + 2) : NULL;
        if (name == NULL || rule_count == RULE_LIMIT) {
            continue;
        }
        rule *r = &rules[rule_count++];
        rule_copy_name(r->name, sizeof r->name, name);
        r->rule.codes = rule_codes(from, end);
        r->rule.never_allocates = rule_has(from, end, "Allocates: never");
        const char *as = strstr(from, " as gpool_");
        if (as != NULL && as < end) {
            rule_copy_name(r->as, sizeof r->as, as + 4);
        } else if (rule_has(from, end, "upload error")) {
            (void)snprintf(r->as, sizeof r->as, "gpool_process_uploads");
        }
    }
}

static void rules_read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    char *text = calloc(1, 1u << 20);
    if (file == NULL || text == NULL) {
        (void)fprintf(stderr, "%s cannot be read\n", path);
        exit(1);
    }
    (void)fread(text, 1, (1u << 20) - 1, file);
    rules_read(text);
    free(text);
    (void)fclose(file);
}

static rule *rule_find(const char *name)
{
    for (size_t i = 0; i < rule_count; ++i) {
        if (strcmp(rules[i].name, name) == 0) {
            return &rules[i];
        }
    }
    return NULL;
}

static void rules_fill(void)
{
    DIR *folder = opendir(FAULT_HEADERS);
    if (folder == NULL) {
        (void)fprintf(stderr, "%s cannot be read\n", FAULT_HEADERS);
        exit(1);
    }
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char path[1024];
        if (strstr(entry->d_name, ".h") != NULL) {
            (void)snprintf(path, sizeof path, "%s/%s", FAULT_HEADERS, entry->d_name);
            rules_read_file(path);
        }
    }
    (void)closedir(folder);
    /* A reference may lead to another one. */
    for (size_t round = 0; round < 3; ++round) {
        for (size_t i = 0; i < rule_count; ++i) {
            const rule *other = rules[i].as[0] != '\0' ? rule_find(rules[i].as) : NULL;
            rules[i].rule.codes |= other != NULL ? other->rule.codes : 0;
        }
    }
}

const fault_rule *fault_rule_of(const char *call)
{
    char name[48];
    if (rule_count == 0) {
        rules_fill();
    }
    rule_copy_name(name, sizeof name, call);
    const rule *found = rule_find(name);
    return found != NULL ? &found->rule : NULL;
}
