/*
 * The compile queue and its workers.
 *
 * A made goes WAITING -> RUNNING -> DONE. Whoever finds it waiting, a worker or the owner who cannot
 * wait, takes it out of the queue under the lock; nobody else touches what is running. The newest
 * requests wait behind the older ones, so what a made needs stands before it.
 */
#include "shader/shader_state.h"

#include "gpu/quirks.h"

#include <string.h>

void gpool__run_report(const gpool__run *run, const char *message)
{
    if (run->report != NULL) {
        size_t length = strlen(message);
        length = length < GPOOL__MESSAGE_SIZE ? length : GPOOL__MESSAGE_SIZE - 1;
        memcpy(run->report, message, length);
        run->report[length] = '\0';
    }
}

/* Compiles what this thread took. */
static void compiler_run(gpool__made *made, gpool_device *device, gpool__seam *seam)
{
    gpool__run run = { .device = device, .seam = seam, .report = made->report };
    gpool_result result = GPOOL_OK;
    void *gpu = made->kind->make(&run, made, &result);
    made->gpu = gpu;
    made->result = result;
}

static bool compiler_can_run(const gpool__made *made)
{
    for (int i = 0; i < GPOOL__NEEDS; ++i) {
        const gpool__made *need = made->kind->need(made, i);
        if (need != NULL &&
            atomic_load_explicit(&need->state, memory_order_acquire) != GPOOL__MADE_DONE) {
            return false;
        }
    }
    return true;
}

/* Takes a waiting one out of the queue. Under the lock. */
static void compiler_unlink(gpool__compiler *compiler, gpool__made *made)
{
    if (made->previous != NULL) {
        made->previous->next = made->next;
    } else {
        compiler->first = made->next;
    }
    if (made->next != NULL) {
        made->next->previous = made->previous;
    } else {
        compiler->last = made->previous;
    }
    made->next = NULL;
    made->previous = NULL;
}

/* The same, to compile it. */
static void compiler_take(gpool__compiler *compiler, gpool__made *made)
{
    compiler_unlink(compiler, made);
    atomic_store_explicit(&made->state, GPOOL__MADE_RUNNING, memory_order_relaxed);
    compiler->running += 1;
}

/* The first of the queue that can run; NULL when there is none. Under the lock. */
static gpool__made *compiler_first(const gpool__compiler *compiler)
{
    gpool__made *made = compiler->first;
    while (made != NULL && !compiler_can_run(made)) {
        made = made->next;
    }
    return made;
}

/* Puts a compiled one among the done. Under the lock. */
static void compiler_give(gpool__compiler *compiler, gpool__made *made)
{
    made->next = compiler->done;
    compiler->done = made;
    compiler->running -= 1;
    atomic_store_explicit(&made->state, GPOOL__MADE_DONE, memory_order_release);
    atomic_fetch_add_explicit(&compiler->news, 1, memory_order_release);
    gpool__condition_wake(&compiler->changed);
}

/* Does what was sent. Under the lock, which it gives up meanwhile. */
static void compiler_do_errand(gpool__compiler *compiler)
{
    void (*errand)(void *user) = compiler->errand;
    compiler->errand_runs = true;
    gpool__mutex_unlock(&compiler->lock);
    errand(compiler->errand_user);
    gpool__log_flush();
    gpool__mutex_lock(&compiler->lock);
    compiler->errand_runs = false;
    compiler->errand = NULL;
    gpool__condition_wake(&compiler->changed);
}

static void compiler_work(void *user)
{
    gpool__worker *worker = user;
    gpool__compiler *compiler = worker->compiler;
    gpool__operation *now = gpool__current();
    gpool__mutex_lock(&compiler->lock);
    while (!compiler->ends) {
        gpool__made *made = compiler->paused ? NULL : compiler_first(compiler);
        if (made == NULL && compiler->errand != NULL && !compiler->errand_runs) {
            compiler_do_errand(compiler);
            continue;
        }
        if (made == NULL) {
            gpool__condition_wait(&compiler->changed, &compiler->lock, UINT64_MAX);
            continue;
        }
        compiler_take(compiler, made);
        gpool_device *device = compiler->device;
        gpool__mutex_unlock(&compiler->lock);
        worker->seam.table = &device->table;
        now->name = "compile worker";
        compiler_run(made, device, &worker->seam);
        now->name = NULL;
        gpool__log_flush();
        gpool__mutex_lock(&compiler->lock);
        for (int i = 0; i < GPOOL_GPU_COUNT; ++i) {
            compiler->calls[i] += worker->seam.calls[i];
            worker->seam.calls[i] = 0;
        }
        compiler_give(compiler, made);
    }
    gpool__mutex_unlock(&compiler->lock);
}

void gpool__compiler_init(gpool *pool, gpool__compiler *compiler, uint32_t workers)
{
    gpool__mutex_init(&compiler->lock);
    gpool__condition_init(&compiler->changed);
    compiler->device = pool->device;
    compiler->wanted = workers;
}

/* Workers begin with the first that is asked for: a pool without shaders has no thread. */
static void compiler_start(gpool *pool, gpool__compiler *compiler)
{
    if (compiler->worker_count > 0 || compiler->wanted == 0) {
        return;
    }
    const char *why = NULL;
    gpool__worker *workers = NULL;
    if (!gpool__quirks_is_parallel(pool->device->info.implementation, pool->device->scopes,
                                   pool->device->info.features, pool->device->info.feature_count)) {
        why = "the device must not be used by several threads";
    } else {
        workers = gpool__alloc(&pool->memory, compiler->wanted * sizeof *workers);
        why = workers == NULL ? "there is no memory" : NULL;
    }
    uint32_t count = 0;
    while (workers != NULL && count < compiler->wanted) {
        workers[count].compiler = compiler;
        if (!gpool__thread_start(&workers[count].thread, compiler_work, &workers[count])) {
            why = "the system starts no thread";
            break;
        }
        count += 1;
    }
    if (count < compiler->wanted) {
        gpool__note(&pool->log, GPOOL_LOG_FALLBACK,
                    "The pool \"%s\" has [%u] compile workers instead of [%u]: %s", pool->label,
                    count, compiler->wanted, why);
    }
    if (count == 0) {
        gpool__free(&pool->memory, workers, compiler->wanted * sizeof *workers);
        workers = NULL;
        compiler->wanted = 0;
    }
    compiler->workers = workers;
    compiler->worker_count = count;
}

void gpool__compiler_stop(gpool__compiler *compiler)
{
    gpool__mutex_lock(&compiler->lock);
    compiler->ends = true;
    gpool__condition_wake(&compiler->changed);
    gpool__mutex_unlock(&compiler->lock);
    for (uint32_t i = 0; i < compiler->worker_count; ++i) {
        gpool__thread_join(&compiler->workers[i].thread);
    }
    compiler->worker_count = 0;
    while (compiler->first != NULL) {
        gpool__made *made = compiler->first;
        compiler->first = made->next;
        made->result = GPOOL_ERROR_WRONG_PHASE;
        made->collected = true;
        atomic_store(&made->state, GPOOL__MADE_DONE);
    }
    compiler->last = NULL;
    while (compiler->done != NULL) {
        compiler->done->collected = true;
        compiler->done = compiler->done->next;
    }
}

void gpool__compiler_fini(gpool *pool, gpool__compiler *compiler)
{
    gpool__free(&pool->memory, compiler->workers, compiler->wanted * sizeof *compiler->workers);
    compiler->workers = NULL;
    gpool__condition_fini(&compiler->changed);
    gpool__mutex_fini(&compiler->lock);
}

void gpool__compiler_pause(gpool__compiler *compiler)
{
    gpool__mutex_lock(&compiler->lock);
    compiler->paused = true;
    while (compiler->running > 0) {
        gpool__condition_wait(&compiler->changed, &compiler->lock, UINT64_MAX);
    }
    gpool__mutex_unlock(&compiler->lock);
}

bool gpool__compiler_withdraw(gpool *pool, gpool__made *made)
{
    gpool__compiler *compiler = &pool->shaders->compiler;
    gpool__mutex_lock(&compiler->lock);
    bool waits = atomic_load_explicit(&made->state, memory_order_relaxed) == GPOOL__MADE_WAITING;
    if (waits) {
        compiler_unlink(compiler, made);
    }
    gpool__mutex_unlock(&compiler->lock);
    compiler->pending -= waits ? 1 : 0;
    return waits;
}

void gpool__compiler_resume(gpool *pool, gpool__compiler *compiler)
{
    gpool__mutex_lock(&compiler->lock);
    compiler->device = pool->device;
    compiler->paused = false;
    gpool__condition_wake(&compiler->changed);
    gpool__mutex_unlock(&compiler->lock);
}

/* Compiles one here that was taken, with all it needs. */
static void compiler_run_here(gpool *pool, gpool__compiler *compiler, gpool__made *made)
{
    compiler_run(made, pool->device, &pool->seam);
    gpool__mutex_lock(&compiler->lock);
    compiler_give(compiler, made);
    gpool__mutex_unlock(&compiler->lock);
}

/* Waits for one up to the time `until`, or compiles it here. */
static gpool_result compiler_settle(gpool *pool, gpool__made *made, uint64_t until)
{
    gpool__compiler *compiler = &pool->shaders->compiler;
    for (int i = 0; i < GPOOL__NEEDS; ++i) {
        gpool__made *need = made->kind->need(made, i);
        if (need != NULL) {
            gpool_result result = compiler_settle(pool, need, until);
            if (result != GPOOL_OK) {
                return result;
            }
        }
    }
    bool taken = false;
    gpool_result result = GPOOL_OK;
    gpool__mutex_lock(&compiler->lock);
    while (atomic_load(&made->state) != GPOOL__MADE_DONE && !taken) {
        taken = atomic_load(&made->state) == GPOOL__MADE_WAITING;
        if (taken) {
            compiler_take(compiler, made);
            break;
        }
        uint64_t now = until == UINT64_MAX ? 0 : gpool__now_ns();
        if (now >= until) {
            result = GPOOL_ERROR_TIMEOUT;
            break;
        }
        gpool__condition_wait(&compiler->changed, &compiler->lock,
                              until == UINT64_MAX ? UINT64_MAX : until - now);
    }
    gpool__mutex_unlock(&compiler->lock);
    if (taken) {
        compiler_run_here(pool, compiler, made);
    }
    return result;
}

gpool_result gpool__compiler_finish(gpool *pool, gpool__made *made, uint64_t timeout_ns)
{
    if (made->collected) {
        return GPOOL_OK;
    }
    uint64_t now = gpool__now_ns();
    uint64_t until = timeout_ns < UINT64_MAX - now ? now + timeout_ns : UINT64_MAX;
    gpool_result result = compiler_settle(pool, made, until);
    gpool__compiler_collect(pool);
    return result;
}

void gpool__compiler_wait(gpool__compiler *compiler, uint64_t ns)
{
    gpool__mutex_lock(&compiler->lock);
    if (compiler->done == NULL && (compiler->first != NULL || compiler->running > 0)) {
        gpool__condition_wait(&compiler->changed, &compiler->lock, ns);
    }
    gpool__mutex_unlock(&compiler->lock);
}

bool gpool__compiler_send(gpool__compiler *compiler, void (*errand)(void *user), void *user)
{
    if (compiler->worker_count == 0) {
        return false;
    }
    gpool__mutex_lock(&compiler->lock);
    compiler->errand = errand;
    compiler->errand_user = user;
    gpool__condition_wake(&compiler->changed);
    gpool__mutex_unlock(&compiler->lock);
    return true;
}

bool gpool__compiler_errand_done(gpool__compiler *compiler)
{
    gpool__mutex_lock(&compiler->lock);
    bool done = compiler->errand == NULL;
    gpool__mutex_unlock(&compiler->lock);
    return done;
}

bool gpool__compiler_errand_end(gpool__compiler *compiler)
{
    gpool__mutex_lock(&compiler->lock);
    bool dropped = compiler->errand != NULL && !compiler->errand_runs;
    if (dropped) {
        compiler->errand = NULL;
    }
    while (compiler->errand != NULL) {
        gpool__condition_wait(&compiler->changed, &compiler->lock, UINT64_MAX);
    }
    gpool__mutex_unlock(&compiler->lock);
    return !dropped;
}

void gpool__compiler_ask(gpool *pool, gpool__made *made)
{
    gpool__compiler *compiler = &pool->shaders->compiler;
    compiler_start(pool, compiler);
    if (made->report == NULL) {
        made->report = gpool__alloc(&pool->memory, GPOOL__MESSAGE_SIZE); /* or without */
    }
    made->collected = false;
    made->result = GPOOL_OK;
    made->next = NULL;
    compiler->pending += 1;
    gpool__mutex_lock(&compiler->lock);
    atomic_store_explicit(&made->state, GPOOL__MADE_WAITING, memory_order_relaxed);
    made->previous = compiler->last;
    if (compiler->last != NULL) {
        compiler->last->next = made;
    } else {
        compiler->first = made;
    }
    compiler->last = made;
    gpool__condition_wake(&compiler->changed);
    gpool__mutex_unlock(&compiler->lock);
    if (compiler->worker_count == 0) {
        (void)gpool__compiler_finish(pool, made, UINT64_MAX);
    }
}

/* Takes one over: its message is kept, the room for it given back. */
static void compiler_collect_one(gpool *pool, gpool__made *made)
{
    made->collected = true;
    pool->shaders->compiler.pending -= 1;
    gpool__free_string(&pool->memory, made->message);
    made->message = NULL;
    if (made->result != GPOOL_OK) {
        made->message = gpool__copy_string(&pool->memory, made->report);
        gpool__cache_forget(made->kind->cache(pool), made);
    }
    gpool__free(&pool->memory, made->report, GPOOL__MESSAGE_SIZE);
    made->report = NULL;
}

void gpool__compiler_collect(gpool *pool)
{
    gpool__compiler *compiler = &pool->shaders->compiler;
    if (atomic_load_explicit(&compiler->news, memory_order_acquire) == 0) {
        return;
    }
    gpool__mutex_lock(&compiler->lock);
    gpool__made *newest = compiler->done;
    compiler->done = NULL;
    atomic_store_explicit(&compiler->news, 0, memory_order_relaxed);
    for (int i = 0; i < GPOOL_GPU_COUNT; ++i) {
        pool->seam.calls[i] += compiler->calls[i];
        compiler->calls[i] = 0;
    }
    gpool__mutex_unlock(&compiler->lock);
    gpool__made *oldest = NULL; /* told in the order in which they were done */
    while (newest != NULL) {
        gpool__made *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    for (gpool__made *made = oldest; made != NULL; made = made->next) {
        compiler_collect_one(pool, made);
    }
    /* Shaders first: their pipelines say no more than that they failed. */
    gpool__codes_settle(pool);
    while (oldest != NULL) {
        gpool__made *made = oldest;
        oldest = made->next;
        made->next = NULL;
        if (made->references > 0 && made->result != GPOOL_OK && made->kind->tell != NULL &&
            made->uses > 0) { /* what only the warm-up asked for is nobody's error */
            (void)made->kind->tell(pool, made, made->result,
                                   made->message != NULL ? made->message : "");
        }
    }
    /* Only now: programs that go take modules along, which may be among the done. */
    gpool__cache_sweep(pool, &pool->shaders->programs);
    gpool__cache_sweep(pool, &pool->shaders->modules);
}

void gpool__made_rebuilt(gpool *pool, gpool__made *made)
{
    if (made->pass != pool->rebuild_pass) {
        return;
    }
    made->result = made->fresh_result;
    gpool__free_string(&pool->memory, made->message);
    made->message = NULL;
    if (made->result == GPOOL_OK) {
        gpool__cache_return(made->kind->cache(pool), made);
    } else {
        gpool__cache_forget(made->kind->cache(pool), made);
    }
}
