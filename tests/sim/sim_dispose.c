/* What each kind of object owns and holds. */
#include "sim_state.h"

#include <stdlib.h>

static void dispose_drop(void *object)
{
    if (object != NULL) {
        sim_drop(object);
    }
}

static void dispose_group(sim_group *group)
{
    for (size_t i = 0; i < group->count; ++i) {
        dispose_drop(group->bounds[i].object);
    }
    free(group->bounds);
    dispose_drop(group->layout);
}

static void dispose_pipeline(sim_pipeline *pipeline)
{
    dispose_drop(pipeline->layout);
    dispose_drop(pipeline->vertex);
    dispose_drop(pipeline->fragment);
}

void sim_object_dispose(sim_object *object)
{
    sim *s = object->owner;
    switch (object->kind) {
    case SIM_KIND_DEVICE:
        sim_queue_drop_writes((sim_device *)object);
        break;
    case SIM_KIND_BUFFER: {
        sim_buffer *buffer = (sim_buffer *)object;
        s->kept_bytes -= buffer->bytes != NULL ? buffer->size : 0;
        free(buffer->bytes);
        free(buffer->mapping);
        break;
    }
    case SIM_KIND_TEXTURE: {
        sim_texture *texture = (sim_texture *)object;
        s->kept_bytes -= texture->bytes != NULL ? texture->total : 0;
        free(texture->bytes);
        break;
    }
    case SIM_KIND_TEXTURE_VIEW:
        dispose_drop(((sim_view *)object)->texture);
        break;
    case SIM_KIND_SHADER_MODULE:
        free(((sim_shader *)object)->source);
        break;
    case SIM_KIND_BIND_GROUP_LAYOUT:
        free(((sim_layout *)object)->entries);
        break;
    case SIM_KIND_BIND_GROUP:
        dispose_group((sim_group *)object);
        break;
    case SIM_KIND_PIPELINE_LAYOUT:
        for (uint32_t i = 0; i < SIM_GROUPS; ++i) {
            dispose_drop(((sim_pipeline_layout *)object)->groups[i]);
        }
        break;
    case SIM_KIND_RENDER_PIPELINE:
    case SIM_KIND_COMPUTE_PIPELINE:
        dispose_pipeline((sim_pipeline *)object);
        break;
    case SIM_KIND_COMMAND_ENCODER:
        sim_script_fini(&((sim_encoder *)object)->script);
        break;
    case SIM_KIND_RENDER_PASS:
    case SIM_KIND_COMPUTE_PASS: {
        sim_pass_encoder *pass = (sim_pass_encoder *)object;
        if (pass->encoder != NULL) {
            if (pass->encoder->open_pass == object) {
                /* Released without End: the encoder keeps the mark of an open pass. */
                pass->encoder->open_pass = &pass->encoder->base;
            }
            sim_drop(&pass->encoder->base);
        }
        break;
    }
    case SIM_KIND_COMMAND_BUFFER:
        sim_script_fini(&((sim_command_buffer *)object)->script);
        break;
    default:
        break;
    }
}

void sim_script_fini(sim_script *script)
{
    while (script->first != NULL) {
        sim_command *next = script->first->next;
        free(script->first->pass);
        free(script->first->work);
        free(script->first);
        script->first = next;
    }
    script->last = NULL;
    sim_list_clear(&script->uses);
}
