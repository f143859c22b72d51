#include "scene.h"

#include "assets.h"
#include "palette.h"
#include "particles.h"
#include "swarm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The shadow map is drawn again each so many frames. */
#define SHADOW_FRAMES 3u

/* All geometry lies in slabs of this size; compaction copies at most so many bytes a frame. */
#define SLAB_BYTES    ((uint64_t)1 << 20)
#define COMPACT_BYTES ((uint64_t)128 << 10)

/* The graph's nodes that somebody asks for. */
typedef struct scene_nodes {
    node_id seconds, orbit, camera_height, dusk, palette, phase, detail, epoch, fade, drift, tilt;
} scene_nodes;

/* One kind of the crowd: its records here, and in the pool. */
typedef struct scene_group {
    instance *members;
    uint32_t count;
    gpool_buffer buffer;
    uint64_t bytes_written; /* since the first frame */
} scene_group;

struct scene {
    gpool *pool;
    gpool_scope scope; /* owns all but the renderer's and the graph's */
    gpool_heap heap;
    node_graph *graph;
    scene_nodes nodes;
    generator *gen;
    renderer *draw;
    assets assets;
    scene_group groups[CROWD_COUNT];
    particles dust;
    swarm whirl;
    gpool_dirty_view ground_seen;
    bool update_shadows;
    bool users_model; /* the centre piece is of unknown make */
    uint64_t moved, replaced;
    uint64_t meshes_moved, frames_moved;
    bool meshes_move; /* compaction moved some since the last update */
};

static node_id add(scene *all, node_type type, node_id a, node_id b, const float p[4])
{
    return node_graph_add(all->graph, &(node_desc){ type, { a, b }, p[0], p[1], p[2], p[3] });
}

#define PARAMETERS(...)                                                                            \
    (const float[4])                                                                               \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

/* Wires the graph; the values at 4 seconds are those of the picture. */
static bool wire_graph(scene *all)
{
    scene_nodes *n = &all->nodes;
    const node_id none = NODE_NONE;
    n->seconds = add(all, NODE_TIME, none, none, PARAMETERS(0));
    n->orbit = add(all, NODE_LINEAR, n->seconds, none, PARAMETERS(0.09f, 0.62f));
    node_id swing =
        add(all, NODE_OSCILLATOR, n->seconds, none, PARAMETERS(2.9f, 4.3f, 0.05f, 0.05f));
    node_id tremble = add(all, NODE_NOISE, n->seconds, none, PARAMETERS(-0.15f, 0.15f, 0.7f, 4.2f));
    n->camera_height = add(all, NODE_SUM, swing, tremble, PARAMETERS(1.0f, 1.0f));
    /* The palette follows in steps, so that its texture rests between them. */
    node_id evening =
        add(all, NODE_OSCILLATOR, n->seconds, none, PARAMETERS(0.25f, 0.75f, 0.03f, 0.0f));
    n->dusk = add(all, NODE_FLOOR, evening, none, PARAMETERS(1.0f / 32.0f));
    n->palette = add(all, NODE_PALETTE, n->dusk, none, PARAMETERS(0));
    node_id growth = add(all, NODE_LINEAR, n->seconds, none, PARAMETERS(0.05f, 2.3f));
    n->phase = add(all, NODE_FLOOR, growth, none, PARAMETERS(1.0f / 40.0f));
    n->detail = add(all, NODE_STEP, n->seconds, none, PARAMETERS(96.0f, 128.0f, 0.75f));
    node_id age = add(all, NODE_LINEAR, n->seconds, none, PARAMETERS(1.0f / 0.8f, 0.0f));
    n->epoch = add(all, NODE_FLOOR, age, none, PARAMETERS(1.0f));
    n->fade = add(all, NODE_FRACTION, age, none, PARAMETERS(0));
    n->drift = add(all, NODE_LINEAR, n->seconds, none, PARAMETERS(0.004f, 0.0f));
    n->tilt = add(all, NODE_OSCILLATOR, n->seconds, none, PARAMETERS(-0.24f, -0.14f, 0.04f, 0.1f));
    return n->tilt.id != 0; /* the last one tells about all */
}

/* Draws are by handle, so that there is nothing to do but count. */
static void count_moved(void *user, gpool *pool, gpool_mesh mesh, const gpool_mesh_info *info)
{
    (void)pool;
    (void)mesh;
    (void)info;
    scene *all = user;
    all->meshes_moved += 1;
    all->meshes_move = true;
}

static bool make_heap(scene *all)
{
    all->heap = gpool_heap_create(all->pool, &(gpool_heap_desc){ .slab_size = SLAB_BYTES,
                                                                 .compact_bytes = COMPACT_BYTES,
                                                                 .moved = count_moved,
                                                                 .moved_user = all,
                                                                 .label = "geometry",
                                                                 .scope = all->scope });
    if (all->heap.id == 0) {
        fprintf(stderr, "sketch: no heap: %s\n", gpool_last_error(all->pool)->message);
    }
    return all->heap.id != 0;
}

static bool make_group(scene *all, crowd_kind kind)
{
    scene_group *group = &all->groups[kind];
    group->count = crowd_size(kind);
    group->members = calloc(group->count, sizeof(instance));
    if (group->members == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < group->count; ++i) {
        group->members[i] = crowd_member(kind, i, 0.0f, all->gen);
    }
    group->buffer = gpool_buffer_create(
        all->pool, &(gpool_buffer_desc){ .data = group->members,
                                         .size = group->count * sizeof(instance),
                                         .usage = GPOOL_BUFFER_VERTEX,
                                         .label = crowd_label(kind),
                                         .scope = all->scope });
    return group->buffer.id != 0;
}

static bool build(scene *all, const scene_desc *desc)
{
    all->graph = node_graph_create(all->pool);
    if (all->graph == NULL || !wire_graph(all)) {
        fprintf(stderr, "sketch: the node graph cannot be made\n");
        return false;
    }
    all->draw = renderer_create(all->pool, desc->shaders);
    if (all->draw == NULL || !make_heap(all) ||
        !assets_init(&all->assets, all->pool, all->scope, all->heap, desc->models, desc->model)) {
        return false;
    }
    all->gen = generator_create(all->pool, &(generator_desc){ .scope = all->scope,
                                                              .heap = all->heap,
                                                              .graph = all->graph,
                                                              .phase = all->nodes.phase,
                                                              .detail = all->nodes.detail,
                                                              .epoch = all->nodes.epoch });
    bool ok = all->gen != NULL;
    for (crowd_kind kind = 0; ok && kind < CROWD_COUNT; ++kind) {
        ok = make_group(all, kind);
    }
    ok = ok && particles_init(&all->dust, all->pool, all->scope, desc->move) == GPOOL_OK &&
         swarm_init(&all->whirl, all->pool, all->scope, all->heap) == GPOOL_OK;
    if (!ok) {
        fprintf(stderr, "sketch: crowd, particles and swarm cannot be made: %s\n",
                gpool_last_error(all->pool)->message);
    }
    return ok;
}

scene *scene_create(gpool *pool, const scene_desc *desc)
{
    scene *all = calloc(1, sizeof *all);
    if (all == NULL) {
        fprintf(stderr, "sketch: no memory for the scene\n");
        return NULL;
    }
    all->pool = pool;
    all->scope = gpool_scope_create(pool, &(gpool_scope_desc){ .label = "scene" });
    all->users_model = desc->model != NULL;
    if (all->scope.id == 0 || !build(all, desc)) {
        scene_destroy(all);
        return NULL;
    }
    return all;
}

void scene_destroy(scene *all)
{
    if (all == NULL) {
        return;
    }
    for (int kind = 0; kind < CROWD_COUNT; ++kind) {
        free(all->groups[kind].members);
    }
    generator_destroy(all->gen);
    assets_fini(&all->assets, all->pool);
    gpool_scope_end(all->pool, all->scope);
    renderer_destroy(all->draw);
    node_graph_destroy(all->graph);
    free(all);
}

gpool_result scene_set_target(scene *all, WGPUTextureFormat format, uint32_t width, uint32_t height)
{
    return renderer_set_target(all->draw, format, width, height);
}

/* Writes one record at its own place in the buffer, if it differs from what is there. */
static gpool_result write_member(scene *all, crowd_kind kind, uint32_t i, float seconds,
                                 uint64_t *written)
{
    scene_group *group = &all->groups[kind];
    instance now = crowd_member(kind, i, seconds, all->gen);
    if (memcmp(&group->members[i], &now, sizeof now) == 0) {
        return GPOOL_OK;
    }
    group->members[i] = now;
    *written += 1;
    group->bytes_written += sizeof now;
    return gpool_buffer_write(all->pool, group->buffer, i * sizeof now, &now, sizeof now);
}

/* Those that move by themselves each frame; those on the ground when the ground changed. */
static gpool_result move_crowd(scene *all, float seconds)
{
    gpool_dirty_flag *ground = generator_ground_changed(all->gen);
    bool moved_ground = gpool_dirty_view_is(&all->ground_seen, ground);
    uint64_t target = gpool_dirty_view_begin(&all->ground_seen, ground);
    gpool_result result = GPOOL_OK;
    for (crowd_kind kind = 0; kind < CROWD_COUNT; ++kind) {
        bool all_move = moved_ground && crowd_on_ground(kind);
        for (uint32_t i = 0; i < all->groups[kind].count && result == GPOOL_OK; ++i) {
            bool moves = crowd_moves(kind, i);
            if (moves || all_move) {
                result = write_member(all, kind, i, seconds, moves ? &all->moved : &all->replaced);
            }
        }
    }
    if (result == GPOOL_OK) {
        gpool_dirty_view_clear(&all->ground_seen, target);
    }
    return result;
}

gpool_result scene_update(scene *all, uint64_t number)
{
    float seconds = (float)number / 60.0f;
    all->frames_moved += all->meshes_move ? 1 : 0; /* it was when the frame began */
    all->meshes_move = false;
    gpool_result result = node_graph_update(all->graph, number, seconds);
    if (result == GPOOL_OK) {
        result = generator_update(all->gen, number);
    }
    bool ground_is_new = gpool_dirty_view_is(&all->ground_seen, generator_ground_changed(all->gen));
    /* Shadows may be two frames late: nobody sees it, and it saves much of the vertex work. */
    all->update_shadows = number % SHADOW_FRAMES == 1 || ground_is_new;
    if (result == GPOOL_OK) {
        result = move_crowd(all, seconds);
    }
    if (result == GPOOL_OK) {
        vec3 middle = { 0.0f, generator_height(all->gen, 0.0f, 0.0f), 0.0f };
        result = swarm_update(&all->whirl, number, middle);
    }
    return result == GPOOL_OK ? particles_update(&all->dust, number, seconds) : result;
}

/* The belt's tilt and turn, of its rocks and its dust. */
static mat4 place_belt(const scene *all)
{
    float turn = 0.05f * node_graph_value(all->graph, all->nodes.seconds);
    float tilt = node_graph_value(all->graph, all->nodes.tilt);
    return mat4_place(turn, tilt, vec3_make(0.0f, 5.2f, 0.0f));
}

static draw_item make_item(const scene *all, crowd_kind kind)
{
    draw_item item = { .mesh = all->assets.meshes[kind],
                       .instances = all->groups[kind].buffer,
                       .instance_count = all->groups[kind].count,
                       .style = DRAW_SOLID,
                       .casts_shadow = true,
                       .place = mat4_identity(),
                       .texture_scale = 1.0f,
                       .rim = 0.10f };
    if (kind == CROWD_CENTER && all->users_model) {
        item.style = DRAW_TWO_SIDED;
    } else if (kind == CROWD_PEDESTAL) {
        item.style = DRAW_TEXTURED;
        item.surface = all->assets.ground;
        item.texture_strength = 0.6f;
    } else if (kind == CROWD_CRATES) {
        item.style = DRAW_TEXTURED;
        item.surface = all->assets.wood;
        item.texture_strength = 1.0f;
    } else if (kind == CROWD_ROCKS || kind == CROWD_GRAVEL) {
        item.place = place_belt(all);
        item.casts_shadow = false;
        item.rim = 0.2f;
    }
    if (kind == CROWD_ROCKS && all->assets.from_file[CROWD_ROCKS]) {
        item.style = DRAW_ROCK;
        item.surface = all->assets.rock;
        item.bumps = all->assets.rock_normals;
        item.texture_strength = 0.75f;
    }
    return item;
}

/* As many meshes as instances, with one pipeline and one set of uniforms for all. */
static draw_item make_swarm_item(const scene *all)
{
    return (draw_item){ .meshes = all->whirl.meshes,
                        .instances = all->whirl.buffer,
                        .instance_count = all->whirl.count,
                        .style = DRAW_SOLID,
                        .casts_shadow = true,
                        .place = mat4_identity(),
                        .texture_scale = 1.0f,
                        .rim = 0.25f };
}

void scene_draw(scene *all, gpool_texture target)
{
    const scene_nodes *n = &all->nodes;
    draw_item items[CROWD_COUNT + 1];
    for (crowd_kind kind = 0; kind < CROWD_COUNT; ++kind) {
        items[kind] = make_item(all, kind);
    }
    items[CROWD_COUNT] = make_swarm_item(all);
    float orbit = node_graph_value(all->graph, n->orbit);
    float dusk = node_graph_value(all->graph, n->dusk);
    generator_ground ground = generator_get_ground(all->gen);
    const float distance = 15.5f;
    draw_frame frame = {
        .eye = { distance * cosf(orbit), node_graph_value(all->graph, n->camera_height),
                 distance * sinf(orbit) },
        .target = { 0.0f, 3.5f, 0.0f },
        .field_of_view = 0.74f,
        .sun = vec3_normalize(vec3_make(-0.64f, 0.44f, 0.70f)),
        .sun_color = { 3.1f, 2.05f - 0.3f * dusk, 1.2f - 0.5f * dusk },
        .sky_light = { 0.17f, 0.23f, 0.40f },
        .ground_light = { 0.10f, 0.08f, 0.06f },
        .exposure = 0.8f,
        .fog = 0.0085f,
        .seconds = node_graph_value(all->graph, n->seconds),
        .cloud_fade = node_graph_value(all->graph, n->fade),
        .cloud_drift = node_graph_value(all->graph, n->drift),
        .nebula_strength = 1.8f * dusk,
        .water = GENERATOR_WATER,
        .depth_reach = GENERATOR_REACH,
        .update_shadows = all->update_shadows,
        .palette = node_graph_texture(all->graph, n->palette),
        .clouds = { generator_cloud(all->gen, 0), generator_cloud(all->gen, 1) },
        .nebula = all->assets.nebula,
        .ground_surface = all->assets.ground,
        .depth_map = ground.depth_map,
        .ground = ground.mesh,
        .particles = all->dust.buffer,
        .particle_count = PARTICLES_COUNT,
        .particle_place = place_belt(all),
    };
    for (int i = 0; i < 4; ++i) {
        frame.air[i] = palette_color(dusk, i % 2 == 0 ? 0.06f : 0.34f, i / 2);
    }
    renderer_draw(all->draw, &frame, items, CROWD_COUNT + 1, target);
}

gpool_heap scene_heap(const scene *all)
{
    return all->heap;
}

gpool_shader scene_shader(const scene *all)
{
    return renderer_shader(all->draw);
}

scene_counts scene_get_counts(const scene *all)
{
    scene_counts counts = { .moved = all->moved,
                            .replaced = all->replaced,
                            .particles = PARTICLES_COUNT,
                            .particles_moved_each = all->dust.moved_each,
                            .generator = generator_get_counts(all->gen),
                            .instances = all->whirl.count,
                            .triangles = all->whirl.triangles,
                            .meshes_created = all->whirl.created,
                            .meshes_destroyed = all->whirl.destroyed,
                            .mesh_bytes = all->whirl.bytes,
                            .meshes_moved = all->meshes_moved,
                            .frames_moved = all->frames_moved };
    node_graph_counts(all->graph, &counts.nodes_computed, &counts.nodes_rested);
    for (int kind = 0; kind < CROWD_COUNT; ++kind) {
        counts.instances += all->groups[kind].count;
        counts.triangles += all->groups[kind].count * all->assets.index_counts[kind] / 3u;
    }
    return counts;
}

void scene_get_buffers(const scene *all, scene_buffer *buffers)
{
    *buffers++ = (scene_buffer){ all->dust.buffer, all->dust.bytes_written };
    *buffers++ = (scene_buffer){ all->whirl.buffer, all->whirl.records_written };
    for (int kind = 0; kind < CROWD_COUNT; ++kind) {
        *buffers++ = (scene_buffer){ all->groups[kind].buffer, all->groups[kind].bytes_written };
    }
}
