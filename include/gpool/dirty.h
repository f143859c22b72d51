/* gpool/dirty.h: who has seen which change. Pure CPU, needs no pool, no webgpu.h. */
#ifndef GPOOL_DIRTY_H
#define GPOOL_DIRTY_H

#include <gpool/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Says whether something changed since its consumer last looked. `{0}` is a fresh flag: dirty.
 *
 * A consumer reads the target with gpool_dirty_begin(), does its work, then hands that target to
 * gpool_dirty_clear(). Marks within one frame count once, but a mark raised after begin, in the
 * same frame or during the work, is a new one and survives the clear. Counters are compared for
 * inequality only, so they may wrap; frame numbers are compared for equality only.
 * Idea: tixl's reference/target pair; the arming repairs its lost mark.
 * All functions below: Thread: the one that owns the flag and its views, one at a time.
 */
typedef struct gpool_dirty_flag {
    uint64_t reference; /**< target the flag's own consumer has seen */
    uint64_t marks;     /**< marks counted so far; the target is `marks + 1` */
    uint64_t frame;     /**< frame of the last counted mark; meaningful while `armed` */
    bool armed;         /**< a mark of `frame` is counted and no consumer has begun since */
} gpool_dirty_flag;

/**
 * One more consumer of a flag, with its own reference. `{0}` is fresh: dirty.
 * One consumer's clear never hides a change from another.
 */
typedef struct gpool_dirty_view {
    uint64_t reference; /**< target this consumer has seen; 0 = none */
} gpool_dirty_view;

/** Returns the flag's target: differs from every target returned before the last counted mark. */
static inline uint64_t gpool_dirty_target(const gpool_dirty_flag *flag)
{
    return flag->marks + 1;
}

/** Notes a change made in `frame`; several in one frame count once until a consumer begins. */
static inline void gpool_dirty_mark(gpool_dirty_flag *flag, uint64_t frame)
{
    if (flag->armed && flag->frame == frame) {
        return;
    }
    flag->marks += 1;
    flag->frame = frame;
    flag->armed = true;
}

/** True while the flag's own consumer has not seen the newest target. */
static inline bool gpool_dirty_is(const gpool_dirty_flag *flag)
{
    return flag->reference != gpool_dirty_target(flag);
}

/** Returns how many counted marks (and the initial one) the flag's own consumer is behind. */
static inline uint64_t gpool_dirty_lag(const gpool_dirty_flag *flag)
{
    return gpool_dirty_target(flag) - flag->reference;
}

/** Starts consuming: returns the target to hand to gpool_dirty_clear() and re-arms the flag. */
static inline uint64_t gpool_dirty_begin(gpool_dirty_flag *flag)
{
    flag->armed = false;
    return gpool_dirty_target(flag);
}

/** Ends consuming: everything up to `target` is seen. Do not call when the work failed. */
static inline void gpool_dirty_clear(gpool_dirty_flag *flag, uint64_t target)
{
    flag->reference = target;
}

/** True while this consumer has not seen the newest target of `flag`. */
static inline bool gpool_dirty_view_is(const gpool_dirty_view *view, const gpool_dirty_flag *flag)
{
    return view->reference != gpool_dirty_target(flag);
}

/** Returns how many counted marks (and the initial one) this consumer is behind. */
static inline uint64_t gpool_dirty_view_lag(const gpool_dirty_view *view,
                                            const gpool_dirty_flag *flag)
{
    return gpool_dirty_target(flag) - view->reference;
}

/** Starts consuming through a view; see gpool_dirty_begin(). */
static inline uint64_t gpool_dirty_view_begin(const gpool_dirty_view *view, gpool_dirty_flag *flag)
{
    (void)view;
    return gpool_dirty_begin(flag);
}

/** Ends consuming through a view; see gpool_dirty_clear(). */
static inline void gpool_dirty_view_clear(gpool_dirty_view *view, uint64_t target)
{
    view->reference = target;
}

/**
 * A value of any type with its change state: `input` is raised when the value is set or marked,
 * `changed` when it was set or a compute succeeded; consumers hold views of `changed`.
 */
typedef struct gpool_tracked {
    gpool_dirty_flag input;   /**< dirty = the value should be computed anew */
    gpool_dirty_flag changed; /**< target rises with each new value */
} gpool_tracked;

/** Declares a struct type of a value and its gpool_tracked, as `value` and `tracked`. */
#define GPOOL_TRACKED(type)                                                                        \
    struct {                                                                                       \
        type value;                                                                                \
        gpool_tracked tracked;                                                                     \
    }

/** Computes a value; returns false on failure, which leaves the input dirty. */
typedef bool (*gpool_compute_fn)(void *value, void *user);

/**
 * Copies `size` bytes from `source` over `value` and marks the change, also when they are equal.
 *
 * @return GPOOL_OK, or GPOOL_ERROR_INVALID_ARGUMENT for a null pointer.
 * Thread: the one that owns the tracked value. Allocates: never.
 */
GPOOL_API gpool_result gpool_tracked_set(gpool_tracked *tracked, void *value, const void *source,
                                         size_t size, uint64_t frame);

/** Marks the inputs of a value as changed, so that the next update computes. Thread: owner's. */
static inline void gpool_tracked_mark(gpool_tracked *tracked, uint64_t frame)
{
    gpool_dirty_mark(&tracked->input, frame);
}

/**
 * Computes the value when its inputs changed since the last success, else does nothing.
 *
 * A mark raised inside `compute` leaves the value dirty for the next update.
 * @param value    handed to `compute`; usually the tracked value
 * @param computed set to whether `compute` ran and succeeded; may be NULL
 * @return GPOOL_OK, also when nothing was to do; GPOOL_ERROR_FAILED_RESOURCE when `compute`
 *         returned false (inputs stay dirty); GPOOL_ERROR_INVALID_ARGUMENT for a null pointer.
 * Thread: the one that owns the tracked value. Allocates: never itself.
 */
GPOOL_API gpool_result gpool_tracked_update(gpool_tracked *tracked, void *value, uint64_t frame,
                                            gpool_compute_fn compute, void *user, bool *computed);

#ifdef __cplusplus
}
#endif
#endif
