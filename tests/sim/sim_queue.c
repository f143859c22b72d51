/* The queue: writes, submits, the time line, work-done. */
#include "sim_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- writes --- */

static void queue_apply(const sim_write *write)
{
    if (write->buffer != NULL) {
        if (write->buffer->bytes != NULL) {
            memcpy(write->buffer->bytes + write->offset, write->data, write->size);
        }
    } else if (write->to.texture->bytes != NULL) {
        sim_copy_rows((uint8_t *)(uintptr_t)write->data, &write->rows, &write->to, &write->extent,
                      true);
    }
}

static void queue_free_write(sim_write *write)
{
    sim_drop(write->buffer != NULL ? &write->buffer->base : &write->to.texture->base);
    free(write);
}

/* Writes of wgpu-native wait for the next submit, those of Dawn do not. */
static void queue_add_write(sim_device *device, sim_write *write)
{
    sim_hold(write->buffer != NULL ? &write->buffer->base : &write->to.texture->base);
    if (sim_is_dawn(device->base.owner)) {
        queue_apply(write);
        queue_free_write(write);
        return;
    }
    if (device->last_write != NULL) {
        device->last_write->next = write;
    } else {
        device->writes = write;
    }
    device->last_write = write;
}

static void queue_take_writes(sim_device *device, bool apply)
{
    sim_write *write = device->writes;
    device->writes = NULL;
    device->last_write = NULL;
    while (write != NULL) {
        sim_write *next = write->next;
        if (apply) {
            queue_apply(write);
        }
        queue_free_write(write);
        write = next;
    }
}

void sim_queue_drop_writes(sim_device *device)
{
    queue_take_writes(device, false);
}

/* Loss, faults and other devices; false when the write does not happen. */
static bool queue_may_write(sim_call *call, const sim_object *target, sim_text *why)
{
    if (call->device->lost) {
        return sim_say(why, "Validation error: Parent device is lost");
    }
    if (call->way == SIM_FAIL_VALIDATION) {
        return sim_say(why, "Injected failure of %s", sim_function_name(call->function));
    }
    if (call->way == SIM_FAIL_OUT_OF_MEMORY) {
        /* Staging memory: wgpu-native tells it and loses the device; Dawn says nothing for
         * buffers, and the write is gone. */
        if (sim_is_dawn(call->sim)) {
            sim_device_lose(call->device);
        }
        return false;
    }
    if (target->device != call->device) {
        return sim_say(why, "\"%s\" is of another device", target->label);
    }
    if (target->invalid || target->destroyed) {
        return sim_say(why, "\"%s\" is invalid or destroyed", target->label);
    }
    return true;
}

static bool queue_check_buffer(const sim_buffer *buffer, uint64_t offset, uint64_t size,
                               sim_text *why)
{
    if ((buffer->usage & WGPUBufferUsage_CopyDst) == 0) {
        return sim_say(why, "the buffer \"%s\" lacks CopyDst", buffer->base.label);
    }
    if (buffer->map != SIM_UNMAPPED) {
        return sim_say(why, "the buffer \"%s\" is mapped, or a map is pending", buffer->base.label);
    }
    if (offset % 4 != 0 || size % 4 != 0) {
        return sim_say(why, "offset %llu or size %llu is no multiple of 4",
                       (unsigned long long)offset, (unsigned long long)size);
    }
    return (offset <= buffer->size && size <= buffer->size - offset) ||
           sim_say(why, "%llu bytes at %llu lie outside the buffer \"%s\"",
                   (unsigned long long)size, (unsigned long long)offset, buffer->base.label);
}

static void queue_refuse(sim_call *call, const sim_text *why)
{
    sim_device *device = call->device;
    if (call->way == SIM_FAIL_OUT_OF_MEMORY) {
        sim_error_memory(device, call->function);
        sim_device_lose(device);
        return;
    }
    sim_error(device, WGPUErrorType_Validation, "%s: %s", sim_function_name(call->function),
              why->text);
}

static void queue_write_buffer(WGPUQueue handle, WGPUBuffer target, uint64_t offset,
                               void const *data, size_t size)
{
    sim_call call;
    sim_text why;
    sim_queue *queue = sim_enter(&call, GPOOL_GPU_QueueWriteBuffer, handle, SIM_KIND_QUEUE);
    sim_buffer *buffer = queue != NULL ? sim_get(&call, target, SIM_KIND_BUFFER) : NULL;
    if (buffer != NULL) {
        if (!queue_may_write(&call, &buffer->base, &why) ||
            !queue_check_buffer(buffer, offset, size, &why)) {
            queue_refuse(&call, &why);
        } else {
            sim_write *write = sim_must(calloc(1, sizeof *write + size));
            write->buffer = buffer;
            write->offset = offset;
            write->size = size;
            if (size > 0) {
                memcpy(write->data, data, size);
            }
            queue_add_write(call.device, write);
        }
    }
    sim_leave(&call);
}

static void queue_write_texture(WGPUQueue handle, WGPUTexelCopyTextureInfo const *to,
                                void const *data, size_t size,
                                WGPUTexelCopyBufferLayout const *layout, WGPUExtent3D const *extent)
{
    sim_call call;
    sim_text why;
    sim_rows rows = { 0 };
    sim_queue *queue = sim_enter(&call, GPOOL_GPU_QueueWriteTexture, handle, SIM_KIND_QUEUE);
    sim_texture *texture = queue != NULL ? sim_get(&call, to->texture, SIM_KIND_TEXTURE) : NULL;
    if (texture != NULL && layout->bytesPerRow == 0 && !sim_is_dawn(call.sim)) {
        sim_fatal(call.sim, call.function, "bytesPerRow is 0");
    } else if (texture != NULL) {
        if (!queue_may_write(&call, &texture->base, &why) ||
            !sim_check_place(texture, to, extent, WGPUTextureUsage_CopyDst, &why) ||
            !sim_check_rows(texture, to, extent, layout, size, true, true, &rows, &why)) {
            queue_refuse(&call, &why);
        } else {
            sim_write *write = sim_must(calloc(1, sizeof *write + size));
            write->to = (sim_place){ texture, to->mipLevel, to->origin,
                                     to->aspect != 0 ? to->aspect : WGPUTextureAspect_All };
            write->rows = rows;
            write->extent = *extent;
            write->size = size;
            if (size > 0) {
                memcpy(write->data, data, size);
            }
            queue_add_write(call.device, write);
        }
    }
    sim_leave(&call);
}

/* --- submits --- */

static bool queue_check_use(const sim_object *object, sim_text *why)
{
    if (object->invalid || object->destroyed) {
        return sim_say(why, "the %s \"%s\" is invalid or destroyed", sim_kind_name(object->kind),
                       object->label);
    }
    if (object->kind == SIM_KIND_BUFFER && ((const sim_buffer *)object)->map != SIM_UNMAPPED) {
        return sim_say(why, "the buffer \"%s\" is mapped, or a map is pending", object->label);
    }
    if (object->kind == SIM_KIND_TEXTURE_VIEW) {
        return queue_check_use(&((const sim_view *)object)->texture->base, why);
    }
    if (object->kind == SIM_KIND_BIND_GROUP) {
        const sim_group *group = (const sim_group *)object;
        for (size_t i = 0; i < group->count; ++i) {
            if (!queue_check_use(group->bounds[i].object, why)) {
                return false;
            }
        }
    }
    return true;
}

static bool queue_check_commands(const sim_call *call, sim_command_buffer *commands, sim_text *why)
{
    const char *label = commands->base.label;
    if (commands->base.device != call->device) {
        return sim_say(why, "the command buffer \"%s\" is of another device", label);
    }
    if (commands->base.invalid) {
        return sim_say(why, "the command buffer \"%s\" is invalid", label);
    }
    if (commands->submitted) {
        return sim_say(why, "the command buffer \"%s\" was submitted already", label);
    }
    for (size_t i = 0; i < commands->script.uses.count; ++i) {
        if (!queue_check_use(commands->script.uses.items[i], why)) {
            return false;
        }
    }
    return true;
}

static void queue_mark_use(sim_object *object, uint64_t serial)
{
    if (object->kind == SIM_KIND_BUFFER) {
        ((sim_buffer *)object)->last_use = serial;
    } else if (object->kind == SIM_KIND_BIND_GROUP) {
        sim_group *group = (sim_group *)object;
        for (size_t i = 0; i < group->count; ++i) {
            queue_mark_use(group->bounds[i].object, serial);
        }
    }
}

static void queue_run(sim_call *call, size_t count, sim_command_buffer **commands)
{
    sim *s = call->sim;
    sim_submit *submit = sim_must(calloc(1, sizeof *submit));
    submit->serial = ++s->serial;
    submit->polls = s->desc.polls;
    for (sim_write *write = call->device->writes; write != NULL; write = write->next) {
        if (write->buffer != NULL) {
            write->buffer->last_use = submit->serial;
        }
    }
    queue_take_writes(call->device, true);
    for (size_t i = 0; i < count; ++i) {
        sim_script *script = &commands[i]->script;
        sim_execute(s, script);
        for (size_t j = 0; j < script->uses.count; ++j) {
            queue_mark_use(script->uses.items[j], submit->serial);
            sim_list_add(&submit->uses, script->uses.items[j]);
        }
        sim_script_fini(script);
        commands[i]->submitted = true;
    }
    sim_submit **end = &s->submits;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = submit;
    if (s->desc.completion == SIM_COMPLETE_AT_SUBMIT) {
        sim_submit_done(s, submit->serial);
    }
}

static bool queue_check_submit(sim_call *call, size_t count, const WGPUCommandBuffer *handles,
                               sim_command_buffer **commands, sim_text *why)
{
    for (size_t i = 0; i < count; ++i) {
        commands[i] = sim_get(call, handles[i], SIM_KIND_COMMAND_BUFFER);
        if (commands[i] == NULL) {
            return sim_say(why, "a command buffer is not alive");
        }
        if (!queue_check_commands(call, commands[i], why)) {
            return false;
        }
        for (size_t j = 0; j < i; ++j) {
            if (commands[j] == commands[i]) {
                return sim_say(why, "a command buffer is there twice");
            }
        }
    }
    return true;
}

static void queue_submit(WGPUQueue handle, size_t count, WGPUCommandBuffer const *handles)
{
    sim_call call;
    sim_text why;
    sim_queue *queue = sim_enter(&call, GPOOL_GPU_QueueSubmit, handle, SIM_KIND_QUEUE);
    if (queue != NULL) {
        sim *s = call.sim;
        bool dawn = sim_is_dawn(s);
        sim_command_buffer **commands = sim_must(calloc(count + 1, sizeof(void *)));
        if (call.device->lost) {
            if (!dawn && call.device->lost_shown) {
                sim_fatal(s, call.function, "the device is lost");
            }
            s->untold += !dawn && !call.device->lost_shown;
        } else if (call.way == SIM_FAIL_VALIDATION) {
            sim_error(call.device, WGPUErrorType_Validation, "Injected failure of QueueSubmit");
        } else if (!queue_check_submit(&call, count, handles, commands, &why)) {
            if (dawn) {
                sim_error(call.device, WGPUErrorType_Validation, "Submit: %s", why.text);
            } else {
                sim_fatal(s, call.function, "%s", why.text);
            }
        } else if (call.way == SIM_FAIL_LOST) {
            sim_device_lose(call.device);
        } else {
            queue_run(&call, count, commands);
        }
        free(commands);
        if (dawn) {
            sim_events_kick(s);
        } else {
            sim_events_deliver(s);
        }
    }
    sim_leave(&call);
}

/* --- the time line --- */

bool sim_is_complete(const sim *s, uint64_t serial)
{
    for (const sim_submit *submit = s->submits; submit != NULL; submit = submit->next) {
        if (submit->serial == serial) {
            return false;
        }
    }
    return true;
}

void sim_submit_done(sim *s, uint64_t serial)
{
    sim_submit **link = &s->submits;
    while (*link != NULL) {
        sim_submit *submit = *link;
        if (serial == SIM_ALL || submit->serial == serial) {
            *link = submit->next;
            sim_list_clear(&submit->uses);
            free(submit);
        } else {
            link = &submit->next;
        }
    }
}

void sim_submits_poll(sim *s)
{
    if (s->desc.completion == SIM_COMPLETE_MANUALLY) {
        return;
    }
    sim_submit **link = &s->submits;
    while (*link != NULL) {
        sim_submit *submit = *link;
        if (s->desc.completion == SIM_COMPLETE_AFTER_POLLS && submit->polls > 1) {
            submit->polls -= 1;
            link = &submit->next;
        } else {
            *link = submit->next;
            sim_list_clear(&submit->uses);
            free(submit);
        }
    }
}

void sim_set_completion(sim *s, sim_completion completion, uint32_t polls)
{
    sim_lock();
    s->desc.completion = completion;
    s->desc.polls = polls;
    sim_unlock();
}

uint64_t sim_submitted(sim *s)
{
    sim_lock();
    uint64_t serial = s->serial;
    sim_unlock();
    return serial;
}

uint64_t sim_in_flight(sim *s)
{
    uint64_t count = 0;
    sim_lock();
    for (const sim_submit *submit = s->submits; submit != NULL; submit = submit->next) {
        count += 1;
    }
    sim_unlock();
    return count;
}

bool sim_complete(sim *s, uint64_t serial)
{
    sim_lock();
    bool any = serial == SIM_ALL ? s->submits != NULL : !sim_is_complete(s, serial);
    sim_submit_done(s, serial);
    sim_events_kick(s);
    sim_unlock();
    sim_events_run_now();
    return any;
}

static WGPUFuture queue_on_done(WGPUQueue handle, WGPUQueueWorkDoneCallbackInfo info)
{
    sim_call call;
    sim_queue *queue = sim_enter(&call, GPOOL_GPU_QueueOnSubmittedWorkDone, handle, SIM_KIND_QUEUE);
    if (queue != NULL && info.callback == NULL) {
        sim_fatal(call.sim, call.function, "the callback is NULL");
    } else if (queue != NULL) {
        sim_event *event = sim_event_new(call.sim, SIM_EVENT_DONE, (void (*)(void))info.callback,
                                         info.userdata1, info.userdata2);
        event->serial = call.sim->serial;
        sim_event_post(event);
    }
    sim_leave(&call);
    return (WGPUFuture){ 0 };
}

void sim_table_queue(gpool_gpu *table)
{
    table->QueueWriteBuffer = queue_write_buffer;
    table->QueueWriteTexture = queue_write_texture;
    table->QueueSubmit = queue_submit;
    table->QueueOnSubmittedWorkDone = queue_on_done;
}
