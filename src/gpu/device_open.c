#include "gpu/device_state.h"

#include "gpu/quirks.h"

#include <stdlib.h>
#include <string.h>

#ifndef GPOOL_WEBGPU_HEADER_SHA256
#define GPOOL_WEBGPU_HEADER_SHA256 "unknown"
#endif

const char *gpool_webgpu_header(void)
{
    return GPOOL_WEBGPU_HEADER_SHA256;
}

/*
 * Answer of a request. It may come on another thread that polls the same instance, also after the
 * waiter gave up, so it is libc memory that whoever comes second frees.
 */
typedef struct open_answer {
    _Atomic int state; /* OPEN_WAITING, then what came first */
    gpool_gpu table;   /* gives back an object that nobody waits for */
    bool is_device;
    void *object;
    char message[256];
} open_answer;

enum {
    OPEN_WAITING,
    OPEN_ANSWERED,
    OPEN_ABANDONED
};

static void open_store(open_answer *answer, void *object, WGPUStringView message)
{
    size_t length = message.data == NULL            ? 0
                    : message.length == WGPU_STRLEN ? strlen(message.data)
                                                    : message.length;
    gpool__clean(answer->message, sizeof answer->message, message.data, length);
    answer->object = object;
    if (atomic_exchange(&answer->state, OPEN_ANSWERED) == OPEN_ABANDONED) {
        if (object != NULL && answer->is_device) {
            answer->table.DeviceRelease(object);
        } else if (object != NULL) {
            answer->table.AdapterRelease(object);
        }
        free(answer);
    }
}

static void open_on_adapter(WGPURequestAdapterStatus status, WGPUAdapter adapter,
                            WGPUStringView message, void *answer, void *unused)
{
    (void)unused;
    open_store(answer, status == WGPURequestAdapterStatus_Success ? adapter : NULL, message);
}

static void open_on_device(WGPURequestDeviceStatus status, WGPUDevice device,
                           WGPUStringView message, void *answer, void *unused)
{
    (void)unused;
    open_store(answer, status == WGPURequestDeviceStatus_Success ? device : NULL, message);
}

/* Room for an answer; NULL with the error recorded. */
static open_answer *open_ask(gpool_device *device, bool is_device)
{
    open_answer *answer = calloc(1, sizeof *answer);
    if (answer == NULL) {
        (void)gpool__fail(&device->log, GPOOL_LOG_MEMORY, GPOOL_ERROR_OUT_OF_MEMORY,
                          "No memory to ask for %s", is_device ? "a device" : "an adapter");
        return NULL;
    }
    answer->table = device->table;
    answer->is_device = is_device;
    return answer;
}

/* True when the answer came in time; false gives it up: it is not ours any more. */
static bool open_wait(gpool_device *device, open_answer *answer)
{
    uint64_t begin = gpool__now_ns();
    while (atomic_load(&answer->state) == OPEN_WAITING &&
           gpool__now_ns() - begin < GPOOL__OPEN_TIMEOUT_NS) {
        device->table.InstanceProcessEvents(device->instance);
        if (atomic_load(&answer->state) == OPEN_WAITING) {
            gpool__sleep_ns(100000);
        }
    }
    int waiting = OPEN_WAITING;
    return !atomic_compare_exchange_strong(&answer->state, &waiting, OPEN_ABANDONED);
}

static gpool_result open_compare(gpool__log *log, const gpool_header_fingerprint *print)
{
    static const char *const facts[] = {
#define GPOOL_X(fact) #fact,
        GPOOL_HEADER_FACTS(GPOOL_X)
#undef GPOOL_X
    };
    gpool_header_fingerprint own = gpool_header_fingerprint_here();
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; ++i) {
        if (own.values[i] != print->values[i]) {
            return gpool__fail(log, GPOOL_LOG_HEADER, GPOOL_ERROR_HEADER,
                               "The caller was compiled with another webgpu.h: %s is [%u] there "
                               "and [%u] in gpool (built for SHA-256 %s)",
                               facts[i], print->values[i], own.values[i], gpool_webgpu_header());
        }
    }
    return GPOOL_OK;
}

static void open_free(gpool_device *device)
{
    gpool__memory *memory = &device->memory;
    char *strings[] = { (char *)(uintptr_t)device->info.adapter,
                        (char *)(uintptr_t)device->info.driver,
                        (char *)(uintptr_t)device->info.label };
    for (size_t i = 0; i < sizeof strings / sizeof strings[0]; ++i) {
        gpool__free_string(memory, strings[i]);
    }
    gpool__free(memory, (void *)(uintptr_t)device->info.features,
                device->info.feature_count * sizeof *device->info.features);
    gpool__mutex_fini(&device->queue_lock);
    gpool__mutex_fini(&device->log_lock);
    gpool__memory own = *memory;
    gpool__free(&own, device, sizeof *device);
}

static void open_close(gpool_device *device)
{
    const gpool_gpu *gpu = &device->table;
    if (device->events != NULL) {
        /* From here callbacks are late: a loss that comes of closing is no news. */
        atomic_fetch_add(&device->events->generation, 1);
    }
    if (device->queue != NULL) {
        gpu->QueueRelease(device->queue);
    }
    if (device->device != NULL) {
        gpu->DeviceRelease(device->device);
    }
    if (device->adapter != NULL) {
        gpu->AdapterRelease(device->adapter);
    }
    if (device->instance != NULL) {
        /* Delivers what is left, Dawn's lost callback among it. */
        gpu->InstanceProcessEvents(device->instance);
        gpu->InstanceRelease(device->instance);
    }
    /* Dawn may still store blobs up to here. */
    gpool__quirks_blobs_give_back(&device->memory, device->blobs);
    if (device->events != NULL) {
        gpool__events_give_back(device->events);
    }
    open_free(device);
}

gpool_result gpool__device_no_memory(gpool__log *log)
{
    return gpool__fail(log, GPOOL_LOG_MEMORY, GPOOL_ERROR_OUT_OF_MEMORY,
                       "No memory for the device");
}

/* A device shell with log and memory; what can fail is told to stderr or the caller's log. */
static gpool_result open_shell(const gpool_allocator *allocator, const char *label, gpool_log_fn fn,
                               void *user, gpool_device **out)
{
    gpool__memory memory;
    gpool__memory_init(&memory, allocator);
    gpool_device *device = gpool__alloc(&memory, sizeof *device);
    if (device == NULL) {
        gpool__log log;
        gpool__log_init(&log, fn, user, label != NULL ? label : "device");
        return gpool__device_no_memory(&log);
    }
    device->memory = memory;
    atomic_init(&device->references, 1);
    gpool__mutex_init(&device->queue_lock);
    gpool__mutex_init(&device->log_lock);
    device->info.label =
        gpool__copy_string(&device->memory, label != NULL && label[0] != '\0' ? label : "device");
    gpool__log_init(&device->log, fn, user, device->info.label != NULL ? device->info.label : "");
    device->events = gpool__events_take(device);
    if (device->info.label == NULL || device->events == NULL) {
        gpool_result result = gpool__device_no_memory(&device->log);
        open_close(device);
        return result;
    }
    device->log.lock = &device->log_lock;
    device->log.untold = &device->events->untold;
    *out = device;
    return GPOOL_OK;
}

static gpool_result open_table(gpool_device *device, const gpool_gpu *gpu, const char *library)
{
    if (gpu != NULL) {
        const char *missing = gpool__gpu_missing(gpu);
        if (missing != NULL) {
            return gpool__fail(&device->log, GPOOL_LOG_LIBRARY, GPOOL_ERROR_LIBRARY,
                               "The table given has no function [%s]", missing);
        }
        device->table = *gpu;
        (void)gpool__quirks_dawn_translate(&device->table);
    } else {
        gpool_result result = gpool__gpu_load(&device->log, library, &device->table);
        if (result != GPOOL_OK) {
            return result;
        }
    }
    device->seam.table = &device->table;
    device->info.implementation =
        gpool__quirks_family(&device->table, &device->info.implementation_version);
    device->info.translated = gpool__quirks_dawn_translated(&device->table);
    return GPOOL_OK;
}

/* GPOOL_OK also when there is no such adapter: then *adapter is NULL and `reason` says why. */
static gpool_result open_request_adapter(gpool_device *device, const gpool_device_desc *desc,
                                         bool fallback, WGPUAdapter *adapter, char *reason,
                                         size_t size)
{
    *adapter = NULL;
    open_answer *answer = open_ask(device, false);
    if (answer == NULL) {
        return GPOOL_ERROR_OUT_OF_MEMORY;
    }
    WGPURequestAdapterOptions options = {
        .featureLevel = WGPUFeatureLevel_Core,
        .powerPreference = WGPUPowerPreference_HighPerformance,
        .forceFallbackAdapter = fallback,
        .compatibleSurface = desc->surface,
    };
    WGPURequestAdapterCallbackInfo info = {
        .mode = WGPUCallbackMode_AllowProcessEvents,
        .callback = open_on_adapter,
        .userdata1 = answer,
    };
    (void)device->table.InstanceRequestAdapter(device->instance, &options, info);
    if (!open_wait(device, answer)) {
        return GPOOL_ERROR_TIMEOUT;
    }
    *adapter = answer->object;
    gpool__clean(reason, size, answer->message, sizeof answer->message);
    free(answer);
    return GPOOL_OK;
}

static WGPUAdapterType open_adapter_type(gpool_device *device, WGPUAdapter adapter,
                                         WGPUBackendType *backend)
{
    WGPUAdapterInfo info = { 0 };
    if (device->table.AdapterGetInfo(adapter, &info) != WGPUStatus_Success) {
        return WGPUAdapterType_Unknown;
    }
    WGPUAdapterType type = info.adapterType;
    *backend = info.backendType;
    device->table.AdapterInfoFreeMembers(info);
    return type;
}

/* Tries the order of the caller's choice; an adapter of the wrong kind is given back. */
static gpool_result open_adapter(gpool_device *device, const gpool_device_desc *desc)
{
    bool timeout = false;
    char reason[256] = "";
    bool wants_software = desc->adapter == GPOOL_ADAPTER_SOFTWARE;
    for (int attempt = 0; attempt < 2 && device->adapter == NULL; ++attempt) {
        bool fallback = attempt == 0 ? wants_software : !wants_software;
        if (desc->adapter == GPOOL_ADAPTER_HARDWARE && fallback) {
            break;
        }
        WGPUAdapter adapter = NULL;
        gpool_result result =
            open_request_adapter(device, desc, fallback, &adapter, reason, sizeof reason);
        if (result == GPOOL_ERROR_OUT_OF_MEMORY) {
            return result;
        }
        timeout = timeout || result == GPOOL_ERROR_TIMEOUT;
        if (adapter == NULL) {
            continue;
        }
        WGPUBackendType backend = WGPUBackendType_Undefined;
        WGPUAdapterType type = open_adapter_type(device, adapter, &backend);
        bool software = type == WGPUAdapterType_CPU;
        bool wrong = backend == WGPUBackendType_Null ||
                     (desc->adapter == GPOOL_ADAPTER_HARDWARE && software) ||
                     (wants_software && !software);
        if (wrong) {
            device->table.AdapterRelease(adapter);
        } else {
            device->adapter = adapter;
        }
    }
    if (device->adapter == NULL) {
        static const char *const kinds[] = { "any", "hardware", "software" };
        return gpool__fail(&device->log, GPOOL_LOG_ADAPTER,
                           timeout ? GPOOL_ERROR_TIMEOUT : GPOOL_ERROR_NO_ADAPTER,
                           "No adapter of the asked kind [%s] is there: %s", kinds[desc->adapter],
                           timeout ? "no answer within 10 s" : reason);
    }
    return GPOOL_OK;
}

static bool open_has(const WGPUFeatureName *features, size_t count, WGPUFeatureName feature)
{
    for (size_t i = 0; i < count; ++i) {
        if (features[i] == feature) {
            return true;
        }
    }
    return false;
}

/* Collects the features to ask for: required ones must be there, optional ones may. */
static gpool_result open_features(gpool_device *device, const gpool_device_desc *desc,
                                  WGPUFeatureName *features, size_t capacity, size_t *count)
{
    *count = 0;
    for (size_t i = 0; i < desc->required_feature_count + desc->optional_feature_count; ++i) {
        bool required = i < desc->required_feature_count;
        WGPUFeatureName feature = required
                                      ? desc->required_features[i]
                                      : desc->optional_features[i - desc->required_feature_count];
        bool there = (device->table.AdapterHasFeature(device->adapter, feature) & 0xffu) != 0;
        if (required && !there) {
            return gpool__fail(&device->log, GPOOL_LOG_UNSUPPORTED, GPOOL_ERROR_UNSUPPORTED,
                               "The adapter lacks the required feature [0x%x]", (unsigned)feature);
        }
        if (!there || open_has(features, *count, feature)) {
            continue;
        }
        if (*count + 1 == capacity) { /* the last place is Dawn's, below */
            return gpool__fail(&device->log, GPOOL_LOG_LIMIT, GPOOL_ERROR_LIMIT,
                               "More than [%u] features are asked for, feature [0x%x] among them",
                               (unsigned)*count, (unsigned)feature);
        }
        features[(*count)++] = feature;
    }
    /* Without it a Dawn device must not be shared between threads. */
    if (device->info.implementation == GPOOL_IMPLEMENTATION_DAWN &&
        !open_has(features, *count, GPOOL__DAWN_IMPLICIT_DEVICE_SYNCHRONIZATION) &&
        (device->table.AdapterHasFeature(device->adapter,
                                         GPOOL__DAWN_IMPLICIT_DEVICE_SYNCHRONIZATION) &
         0xffu) != 0) {
        features[(*count)++] = GPOOL__DAWN_IMPLICIT_DEVICE_SYNCHRONIZATION;
    }
    return GPOOL_OK;
}

/* Links the device to be to the store of driver blobs. */
static gpool_result open_blobs(gpool_device *device, gpool_store *store)
{
    if (store == NULL) {
        return GPOOL_OK;
    }
    if (!device->info.translated) {
        static const char *const reasons[] = {
            "the implementation has no way known to gpool to hand them out",
            "wgpu-native does not hand them out",
            "this build of Dawn is not the one whose cache callbacks are known",
        };
        gpool__note(&device->log, GPOOL_LOG_FALLBACK, "Driver blobs are not kept: %s",
                    reasons[device->info.implementation]);
        return GPOOL_OK;
    }
    device->blobs =
        gpool__quirks_blobs_take(&device->memory, &device->table, device->adapter, store);
    return device->blobs != NULL ? GPOOL_OK : gpool__device_no_memory(&device->log);
}

static gpool_result open_device(gpool_device *device, const gpool_device_desc *desc)
{
    WGPUFeatureName features[64];
    size_t feature_count = 0;
    gpool_result result = open_features(device, desc, features, 64, &feature_count);
    if (result == GPOOL_OK) {
        result = open_blobs(device, desc->blobs);
    }
    if (result != GPOOL_OK) {
        return result;
    }
    WGPULimits limits = { 0 };
    if (desc->limits != NULL) {
        limits = *desc->limits;
    } else if (device->table.AdapterGetLimits(device->adapter, &limits) != WGPUStatus_Success) {
        return gpool__fail(&device->log, GPOOL_LOG_ADAPTER, GPOOL_ERROR_GPU,
                           "The adapter does not tell its limits");
    }
    limits.nextInChain = NULL;
    open_answer *answer = open_ask(device, true);
    if (answer == NULL) {
        return GPOOL_ERROR_OUT_OF_MEMORY;
    }
    void *generation = (void *)atomic_load(&device->events->generation);
    WGPUDeviceDescriptor descriptor = {
        .nextInChain = gpool__quirks_blobs_chain(device->blobs),
        .label = gpool__view(device->info.label),
        .requiredFeatureCount = feature_count,
        .requiredFeatures = features,
        .requiredLimits = &limits,
        /* Dawn tells a loss at once then; wgpu-native passes over the mode. */
        .deviceLostCallbackInfo = { .mode = WGPUCallbackMode_AllowSpontaneous,
                                    .callback = gpool__events_on_lost,
                                    .userdata1 = device->events,
                                    .userdata2 = generation },
        .uncapturedErrorCallbackInfo = { .callback = gpool__events_on_error,
                                         .userdata1 = device->events,
                                         .userdata2 = generation },
    };
    WGPURequestDeviceCallbackInfo info = {
        .mode = WGPUCallbackMode_AllowProcessEvents,
        .callback = open_on_device,
        .userdata1 = answer,
    };
    (void)device->table.AdapterRequestDevice(device->adapter, &descriptor, info);
    if (!open_wait(device, answer)) {
        return gpool__fail(&device->log, GPOOL_LOG_ADAPTER, GPOOL_ERROR_TIMEOUT,
                           "The adapter gave no device within 10 s");
    }
    device->device = answer->object;
    if (device->device == NULL) {
        result = gpool__fail(&device->log, GPOOL_LOG_ADAPTER, GPOOL_ERROR_GPU,
                             "The adapter gave no device: %s", answer->message);
    } else {
        device->queue = device->table.DeviceGetQueue(device->device);
    }
    free(answer);
    return result;
}

static gpool_result open_run(gpool_device *device, const gpool_device_desc *desc,
                             const gpool_header_fingerprint *print)
{
    gpool_result result = open_compare(&device->log, print);
    if (result == GPOOL_OK) {
        result = open_table(device, desc->gpu, desc->library);
    }
    if (result != GPOOL_OK) {
        return result;
    }
    if (desc->instance != NULL) {
        device->instance = desc->instance;
        device->table.InstanceAddRef(device->instance);
    } else {
        device->instance = device->table.CreateInstance(NULL);
    }
    if (device->instance == NULL) {
        return gpool__fail(&device->log, GPOOL_LOG_ADAPTER, GPOOL_ERROR_GPU,
                           "The implementation gave no instance");
    }
    result = open_adapter(device, desc);
    if (result == GPOOL_OK) {
        result = open_device(device, desc);
    }
    return result == GPOOL_OK ? gpool__device_probe(device) : result;
}

gpool_result gpool_device_open_checked(const gpool_device_desc *desc,
                                       const gpool_header_fingerprint *print, gpool_device **out)
{
    static const gpool_device_desc defaults = { 0 };
    if (out == NULL) {
        return GPOOL_ERROR_INVALID_ARGUMENT;
    }
    *out = NULL;
    if (desc == NULL) {
        desc = &defaults;
    }
    if (print == NULL || (unsigned)desc->adapter > GPOOL_ADAPTER_SOFTWARE ||
        (desc->required_feature_count > 0 && desc->required_features == NULL) ||
        (desc->optional_feature_count > 0 && desc->optional_features == NULL)) {
        return GPOOL_ERROR_INVALID_ARGUMENT;
    }
    if (gpool__is_inside()) {
        return GPOOL_ERROR_WRONG_PHASE; /* a callback inside a call of gpool */
    }
    gpool__operation *now = gpool__current();
    now->name = "gpool_device_open";
    gpool_device *device = NULL;
    gpool_result result =
        open_shell(&desc->allocator, desc->label, desc->log, desc->log_user, &device);
    if (result == GPOOL_OK) {
        result = open_run(device, desc, print);
        if (result != GPOOL_OK) {
            open_close(device);
            device = NULL;
        }
    }
    now->name = NULL;
    gpool__log_flush();
    *out = device;
    return result;
}

static gpool_result adopt_run(gpool_device *device, const gpool_device_adopt_desc *desc,
                              const gpool_header_fingerprint *print)
{
    gpool_result result = open_compare(&device->log, print);
    if (result == GPOOL_OK) {
        result = open_table(device, desc->gpu, desc->library);
    }
    if (result != GPOOL_OK) {
        return result;
    }
    const gpool_gpu *gpu = &device->table;
    device->info.adopted = true;
    device->instance = desc->instance;
    gpu->InstanceAddRef(desc->instance);
    device->adapter = desc->adapter;
    gpu->AdapterAddRef(desc->adapter);
    device->device = desc->device;
    gpu->DeviceAddRef(desc->device);
    if (desc->queue != NULL) {
        device->queue = desc->queue;
        gpu->QueueAddRef(desc->queue);
    } else {
        device->queue = gpu->DeviceGetQueue(desc->device);
    }
    return GPOOL_OK;
}

gpool_result gpool_device_adopt_checked(const gpool_device_adopt_desc *desc,
                                        const gpool_header_fingerprint *print, gpool_device **out)
{
    if (out == NULL) {
        return GPOOL_ERROR_INVALID_ARGUMENT;
    }
    *out = NULL;
    if (desc == NULL || print == NULL || desc->instance == NULL || desc->adapter == NULL ||
        desc->device == NULL) {
        return GPOOL_ERROR_INVALID_ARGUMENT;
    }
    if (gpool__is_inside()) {
        return GPOOL_ERROR_WRONG_PHASE; /* a callback inside a call of gpool */
    }
    gpool__operation *now = gpool__current();
    now->name = "gpool_device_adopt";
    gpool_device *device = NULL;
    gpool_result result =
        open_shell(&desc->allocator, desc->label, desc->log, desc->log_user, &device);
    if (result == GPOOL_OK) {
        result = adopt_run(device, desc, print);
        if (result == GPOOL_OK) {
            /* The caller's callback forwards to the device, so it must know it before the probe. */
            *out = device;
            result = gpool__device_probe(device);
        }
        if (result != GPOOL_OK) {
            *out = NULL;
            open_close(device);
            device = NULL;
        }
    }
    now->name = NULL;
    gpool__log_flush();
    *out = device;
    return result;
}

void gpool_device_release(gpool_device *device)
{
    if (device == NULL || atomic_fetch_sub(&device->references, 1) != 1) {
        return;
    }
    /* Work in flight ends first, within a limit: a hung GPU must not hang the program here. */
    (void)gpool__device_wait_serial(device, &device->seam, gpool__device_submitted(device),
                                    GPOOL__OPEN_TIMEOUT_NS);
    open_close(device);
}
