/* Runs every file of a folder through the pool model, without a fuzz engine. Argument: the folder. */
#include "pool_model.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#define LARGEST ((size_t)1 << 20)

static int replay_file(const char *folder, const char *name, pool_model_totals *totals)
{
    char path[4096];
    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path) {
        return 1;
    }
    FILE *file = fopen(path, "rb");
    uint8_t *bytes = malloc(LARGEST);
    if (file == NULL || bytes == NULL) {
        free(bytes);
        return 1;
    }
    size_t size = fread(bytes, 1, LARGEST, file);
    (void)fclose(file);
    /* So that a failure tells which file it was. */
    printf("%s\n", name);
    (void)fflush(stdout);
    pool_model_run(bytes, size, totals);
    free(bytes);
    return 0;
}

int main(int argc, char **argv)
{
    pool_model_totals totals = { 0 };
    DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
    if (folder == NULL) {
        (void)fprintf(stderr, "usage: replay_corpus FOLDER\n");
        return 2;
    }
    int failed = 0;
    const struct dirent *entry;
    while ((entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] != '.') {
            failed += replay_file(argv[1], entry->d_name, &totals);
        }
    }
    (void)closedir(folder);
    printf("%llu files, %llu steps\n", (unsigned long long)totals.runs,
           (unsigned long long)totals.steps);
    return failed > 0 || totals.runs == 0;
}
