/* Runs every file of a folder through a fuzz target, without a fuzz engine. Argument: the folder. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#define LARGEST ((size_t)1 << 20)

static int replay_file(const char *folder, const char *name)
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
    int failed = LLVMFuzzerTestOneInput(bytes, size);
    free(bytes);
    return failed;
}

int main(int argc, char **argv)
{
    DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
    if (folder == NULL) {
        (void)fprintf(stderr, "usage: replay_corpus FOLDER\n");
        return 2;
    }
    int failed = 0;
    int files = 0;
    const struct dirent *entry;
    while ((entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] != '.') {
            failed += replay_file(argv[1], entry->d_name);
            files += 1;
        }
    }
    (void)closedir(folder);
    printf("%d files\n", files);
    return failed > 0 || files == 0;
}
