#include <gpool/base.h>

static const struct {
    const char *name;
    const char *text;
} result_entries[GPOOL_RESULT_COUNT] = {
#define GPOOL_X(name, text) { "GPOOL_" #name, text },
    GPOOL_RESULTS(GPOOL_X)
#undef GPOOL_X
};

const char *gpool_result_name(gpool_result result)
{
    return (unsigned)result < GPOOL_RESULT_COUNT ? result_entries[result].name : "GPOOL_?";
}

const char *gpool_result_text(gpool_result result)
{
    return (unsigned)result < GPOOL_RESULT_COUNT ? result_entries[result].text : "unknown result";
}

#define RESULT_STRING_(x) #x
#define RESULT_STRING(x)  RESULT_STRING_(x)

const char *gpool_version(void)
{
    return RESULT_STRING(GPOOL_VERSION_MAJOR) "." RESULT_STRING(
        GPOOL_VERSION_MINOR) "." RESULT_STRING(GPOOL_VERSION_PATCH);
}
