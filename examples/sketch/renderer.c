#include "renderer.h"

#include "renderer_parts.h"

#include <stdio.h>
#include <stdlib.h>

/* Uniforms as the shaders declare them. */
typedef struct frame_uniforms {
    mat4 view_projection;
    mat4 shadow;
    float eye[4], right[4], up[4], forward[4];
    float sun[4], sun_color[4], sky_light[4], ground_light[4];
    float air[4][4];
} frame_uniforms;

typedef struct item_uniforms {
    mat4 place;
    float look[4];
} item_uniforms;

struct renderer {
    gpool *pool;
    renderer_parts parts;
    gpool_texture color, depth; /* multisampled; made by renderer_set_target() */
    WGPUTextureFormat format;
    uint32_t width, height;
};

renderer *renderer_create(gpool *pool, const char *shaders)
{
    renderer *draw = calloc(1, sizeof *draw);
    if (draw == NULL) {
        fprintf(stderr, "sketch: no memory for the renderer\n");
        return NULL;
    }
    draw->pool = pool;
    if (renderer_parts_init(&draw->parts, pool, shaders) != GPOOL_OK) {
        fprintf(stderr, "sketch: the renderer cannot start: %s\n", gpool_last_error(pool)->message);
        renderer_destroy(draw);
        return NULL;
    }
    return draw;
}

gpool_shader renderer_shader(const renderer *draw)
{
    return draw->parts.scene_shader;
}

void renderer_destroy(renderer *draw)
{
    if (draw == NULL) {
        return;
    }
    gpool_texture_destroy(draw->pool, draw->color);
    gpool_texture_destroy(draw->pool, draw->depth);
    renderer_parts_fini(&draw->parts, draw->pool);
    free(draw);
}

static gpool_result fit_texture(gpool *pool, gpool_texture *texture, WGPUTextureFormat format,
                                uint32_t width, uint32_t height, const char *label)
{
    if (texture->id != 0) {
        return gpool_texture_resize(pool, *texture, width, height, 0);
    }
    *texture = gpool_texture_create(pool, &(gpool_texture_desc){ .width = width,
                                                                 .height = height,
                                                                 .format = format,
                                                                 .samples = RENDERER_SAMPLES,
                                                                 .usage = GPOOL_TEXTURE_TARGET,
                                                                 .label = label });
    return texture->id != 0 ? GPOOL_OK : gpool_last_error(pool)->code;
}

gpool_result renderer_set_target(renderer *draw, WGPUTextureFormat format, uint32_t width,
                                 uint32_t height)
{
    if (draw->format == format && draw->width == width && draw->height == height) {
        return GPOOL_OK;
    }
    if (draw->format != format) { /* a texture can change its size, but not its format */
        gpool_texture_destroy(draw->pool, draw->color);
        draw->color.id = 0;
    }
    gpool_result result = fit_texture(draw->pool, &draw->color, format, width, height, "samples");
    if (result == GPOOL_OK) {
        result =
            fit_texture(draw->pool, &draw->depth, RENDERER_DEPTH_FORMAT, width, height, "depth");
    }
    if (result == GPOOL_OK) {
        draw->format = format;
        draw->width = width;
        draw->height = height;
    }
    return result;
}

static void put(float target[4], vec3 v, float w)
{
    target[0] = v.x;
    target[1] = v.y;
    target[2] = v.z;
    target[3] = w;
}

/* The sun's view of the middle of the scene: one box that holds all casters. */
static mat4 sun_view(const draw_frame *frame)
{
    mat4 view = mat4_look_at(vec3_add(vec3_scale(frame->sun, 60.0f), vec3_make(0, 2, 0)),
                             vec3_make(0, 2, 0));
    mat4 projection =
        mat4_orthographic(RENDERER_SHADOW_REACH, RENDERER_SHADOW_REACH, 10.0f, 110.0f);
    return mat4_multiply(&projection, &view);
}

static frame_uniforms make_frame_uniforms(const renderer *draw, const draw_frame *frame)
{
    frame_uniforms result;
    float aspect = (float)draw->width / (float)draw->height;
    mat4 view = mat4_look_at(frame->eye, frame->target);
    mat4 projection = mat4_perspective(frame->field_of_view, aspect, 0.2f, 400.0f);
    result.view_projection = mat4_multiply(&projection, &view);
    /* Clip space to texture space: x and y from -1..1 to 0..1, y upside down. */
    const mat4 to_texture = { { 0.5f, 0, 0, 0, 0, -0.5f, 0, 0, 0, 0, 1, 0, 0.5f, 0.5f, 0, 1 } };
    mat4 sun = sun_view(frame);
    result.shadow = mat4_multiply(&to_texture, &sun);
    vec3 right = { view.m[0], view.m[4], view.m[8] };
    vec3 up = { view.m[1], view.m[5], view.m[9] };
    vec3 forward = { -view.m[2], -view.m[6], -view.m[10] };
    float half = tanf(frame->field_of_view * 0.5f);
    put(result.eye, frame->eye, frame->seconds);
    put(result.right, vec3_scale(right, half * aspect), frame->cloud_fade);
    put(result.up, vec3_scale(up, half), frame->cloud_drift);
    put(result.forward, forward, frame->nebula_strength);
    put(result.sun, frame->sun, frame->fog);
    put(result.sun_color, frame->sun_color, frame->exposure);
    put(result.sky_light, frame->sky_light, frame->water);
    put(result.ground_light, frame->ground_light, frame->depth_reach);
    for (int i = 0; i < 4; ++i) {
        put(result.air[i], frame->air[i], 1.0f);
    }
    return result;
}

static void set_item_uniforms(gpool_recorder rec, const draw_item *item)
{
    item_uniforms uniforms = { item->place,
                               { item->texture_scale, item->texture_strength, item->rim, 0.0f } };
    gpool_set_uniforms(rec, 1, &uniforms, sizeof uniforms);
}

static void draw_instances(gpool_recorder rec, const draw_item *item)
{
    gpool_set_vertex_buffer(rec, 1, item->instances, 0);
    if (item->meshes == NULL) {
        gpool_draw_mesh(rec, item->mesh,
                        &(gpool_draw_mesh_args){ .instance_count = item->instance_count });
        return;
    }
    for (uint32_t i = 0; i < item->instance_count; ++i) {
        gpool_draw_mesh(rec, item->meshes[i], &(gpool_draw_mesh_args){ .first_instance = i });
    }
}

static void draw_shadows(const renderer *draw, gpool_recorder rec, const draw_frame *frame,
                         const draw_item *items, uint32_t item_count)
{
    mat4 sun = sun_view(frame);
    gpool_begin_render(rec, &(gpool_render_desc){ .depth = { .texture = draw->parts.shadow_map },
                                                  .label = "shadows" });
    gpool_set_pipeline(rec, draw->parts.shadow);
    gpool_set_uniforms(rec, 0, &sun, sizeof sun);
    for (uint32_t i = 0; i < item_count; ++i) {
        if (items[i].casts_shadow) {
            set_item_uniforms(rec, &items[i]);
            draw_instances(rec, &items[i]);
        }
    }
    gpool_end_pass(rec);
}

static void bind_scene(const renderer_parts *parts, gpool_recorder rec, const draw_frame *frame)
{
    const gpool_binding bindings[] = {
        { .binding = 0, .sampler = parts->repeating },
        { .binding = 1, .sampler = parts->clamped },
        { .binding = 2, .sampler = parts->comparing },
        { .binding = 3, .texture = parts->shadow_map },
        { .binding = 4, .texture = frame->palette },
        { .binding = 5, .texture = frame->clouds[0] },
        { .binding = 6, .texture = frame->clouds[1] },
        { .binding = 7, .texture = frame->nebula.id != 0 ? frame->nebula : parts->black },
        { .binding = 8, .texture = frame->depth_map },
    };
    gpool_set_bindings(rec, 2, parts->scene_layout, bindings, sizeof bindings / sizeof bindings[0],
                       NULL, 0);
}

static void bind_material(const renderer_parts *parts, gpool_recorder rec, gpool_texture surface,
                          gpool_texture bumps)
{
    const gpool_binding bindings[] = {
        { .binding = 0, .texture = surface.id != 0 ? surface : parts->white },
        { .binding = 1, .texture = bumps.id != 0 ? bumps : parts->black },
    };
    gpool_set_bindings(rec, 3, parts->material_layout, bindings, 2, NULL, 0);
}

static void draw_ground(const renderer *draw, gpool_recorder rec, const draw_frame *frame)
{
    const draw_item ground = { .place = mat4_identity(),
                               .texture_scale = 1.0f,
                               .texture_strength = 0.75f };
    gpool_set_pipeline(rec, draw->parts.ground);
    set_item_uniforms(rec, &ground);
    bind_material(&draw->parts, rec, frame->ground_surface, (gpool_texture){ 0 });
    gpool_draw_mesh(rec, frame->ground, NULL);
}

static void draw_particles(const renderer *draw, gpool_recorder rec, const draw_frame *frame)
{
    const draw_item dust = { .place = frame->particle_place };
    gpool_set_pipeline(rec, draw->parts.particles);
    set_item_uniforms(rec, &dust);
    gpool_set_vertex_buffer(rec, 0, frame->particles, 0);
    gpool_draw(rec, &(gpool_draw_args){ .vertex_count = frame->particle_count });
}

void renderer_draw(renderer *draw, const draw_frame *frame, const draw_item *items,
                   uint32_t item_count, gpool_texture target)
{
    gpool_recorder rec = gpool_frame_recorder(draw->pool);
    if (frame->update_shadows) {
        draw_shadows(draw, rec, frame, items, item_count);
    }
    frame_uniforms uniforms = make_frame_uniforms(draw, frame);
    gpool_begin_render(
        rec,
        &(gpool_render_desc){
            .color[0] = { .texture = draw->color, .resolve = target, .store = GPOOL_STORE_DISCARD },
            .depth = { .texture = draw->depth, .store = GPOOL_STORE_DISCARD },
            .label = "scene" });
    gpool_set_uniforms(rec, 0, &uniforms, sizeof uniforms);
    bind_scene(&draw->parts, rec, frame);
    for (uint32_t i = 0; i < item_count; ++i) {
        gpool_set_pipeline(rec, draw->parts.meshes[items[i].style]);
        set_item_uniforms(rec, &items[i]);
        bind_material(&draw->parts, rec, items[i].surface, items[i].bumps);
        draw_instances(rec, &items[i]);
    }
    gpool_set_pipeline(rec, draw->parts.water); /* before the ground: hides the lake's bed */
    gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 4 });
    draw_ground(draw, rec, frame);
    gpool_set_pipeline(rec, draw->parts.sky); /* last of all that hides: only where nothing is */
    gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 3 });
    draw_particles(draw, rec, frame);
    gpool_end_pass(rec);
}
