#include "gpu/quirks.h"

#include "unit/unit.h"

#define HEAD  "Validation Error\n\nCaused by:\n  In wgpu"
#define WORDS "Not enough memory left."

/* Asks with a block of exactly the text's size, so that reading past it is noticed. */
static WGPUErrorType type_of(WGPUErrorType type, const char *text)
{
    const size_t size = strlen(text);
    char *block = malloc(size > 0 ? size : 1);
    assert_non_null(block);
    memcpy(block, text, size);
    const WGPUErrorType found = gpool__quirks_error_type(type, block, size);
    free(block);
    return found;
}

static void expect_all(const char *const *texts, size_t count, WGPUErrorType wanted)
{
    for (size_t i = 0; i < count; ++i) {
        if (type_of(WGPUErrorType_Validation, texts[i]) != wanted) {
            print_error("message: %s\n", texts[i]);
        }
        assert_same(type_of(WGPUErrorType_Validation, texts[i]), wanted);
    }
}

/* Messages of wgpu-native 29.0.1.1, taken down. */
static void lack_of_memory_is_told_by_the_last_line(void **state)
{
    (void)state;
    static const char *const texts[] = {
        HEAD "DeviceCreateBuffer\n    " WORDS "\n",
        HEAD "DeviceCreateBuffer, label = 'lab'\n    " WORDS "\n",
        HEAD "DeviceCreateTexture, label = 'x\n    " WORDS "\n'\n    " WORDS "\n",
        HEAD "DeviceCreateComputePipeline\n    Internal error\n      " WORDS "\n",
    };
    expect_all(texts, UNIT_COUNT(texts), WGPUErrorType_OutOfMemory);
}

static void words_of_the_user_are_no_lack_of_memory(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "\n",
        "    " WORDS "\n",
        "x\n    " WORDS "\n",
        HEAD,
        HEAD "DeviceCreateBuffer",
        HEAD "DeviceCreateBuffer    " WORDS "\n",
        HEAD "DeviceCreateBuffer, label = '    " WORDS "\n",
        HEAD "DeviceCreateBuffer\n    " WORDS,
        HEAD "DeviceCreateBuffer\n    " WORDS "\n ",
        HEAD "DeviceCreateBuffer\n   " WORDS "\n",
        HEAD "DeviceCreateBuffer, label = '\n    " WORDS "\n'\n    `MAP` usage can only be\n",
        HEAD "DeviceCreateComputePipeline, label = ''\n    Error matching\n"
             "      Unable to find entry point 'x\n    " WORDS "\n'\n",
        HEAD "DeviceCreateShaderModule\n    " WORDS "\n",
        HEAD
        "DeviceCreateShaderModule, label = 'x'\n\nShader 'x' parsing error: expected\n  | // " WORDS
        "\n    " WORDS "\n",
    };
    expect_all(texts, UNIT_COUNT(texts), WGPUErrorType_Validation);
}

static void other_types_stay_what_they_are(void **state)
{
    (void)state;
    static const WGPUErrorType types[] = { WGPUErrorType_NoError, WGPUErrorType_OutOfMemory,
                                           WGPUErrorType_Internal, WGPUErrorType_Unknown };
    for (size_t i = 0; i < UNIT_COUNT(types); ++i) {
        assert_same(type_of(types[i], "anything"), types[i]);
        assert_same(type_of(types[i], HEAD "DeviceCreateBuffer\n    " WORDS "\n"), types[i]);
        assert_same(gpool__quirks_error_type(types[i], NULL, 0), types[i]);
    }
    assert_same(gpool__quirks_error_type(WGPUErrorType_Validation, NULL, 0),
                WGPUErrorType_Validation);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lack_of_memory_is_told_by_the_last_line),
        cmocka_unit_test(words_of_the_user_are_no_lack_of_memory),
        cmocka_unit_test(other_types_stay_what_they_are),
    };
    return cmocka_run_group_tests_name("quirks_family", tests, NULL, NULL);
}
