#include <gpool/dirty.h>

#include <string.h>

gpool_result gpool_tracked_set(gpool_tracked *tracked, void *value, const void *source, size_t size,
                               uint64_t frame)
{
    if (tracked == NULL || value == NULL || source == NULL) {
        return GPOOL_ERROR_INVALID_ARGUMENT;
    }
    memmove(value, source, size);
    gpool_dirty_mark(&tracked->input, frame);
    gpool_dirty_mark(&tracked->changed, frame);
    return GPOOL_OK;
}

gpool_result gpool_tracked_update(gpool_tracked *tracked, void *value, uint64_t frame,
                                  gpool_compute_fn compute, void *user, bool *computed)
{
    if (computed != NULL) {
        *computed = false;
    }
    if (tracked == NULL || compute == NULL) {
        return GPOOL_ERROR_INVALID_ARGUMENT;
    }
    if (!gpool_dirty_is(&tracked->input)) {
        return GPOOL_OK;
    }
    /* The target is read before the work: a mark raised during it survives the clear. */
    uint64_t target = gpool_dirty_begin(&tracked->input);
    if (!compute(value, user)) {
        return GPOOL_ERROR_FAILED_RESOURCE;
    }
    gpool_dirty_clear(&tracked->input, target);
    gpool_dirty_mark(&tracked->changed, frame);
    if (computed != NULL) {
        *computed = true;
    }
    return GPOOL_OK;
}
