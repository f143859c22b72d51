#include "swarm.h"

#include "noise.h"
#include "shapes.h"

/* Frames there seem to have been before the first: the first picture is as full as any other. */
#define SWARM_BEFORE 1000u
/* Vertices of a member, log-uniform in between. */
#define SWARM_LEAST 30.0f
#define SWARM_LARGE 900.0f

/* A number from 0 to 1 that belongs to a member for life. */
static float trait(uint32_t row, uint32_t seed)
{
    return noise_random(900u + row, seed);
}

/* A turned body with `points` rings between two tips, pinched here and there. */
static bool make_top(geometry *shape, float vertices, uint32_t seed)
{
    float profile[24][2];
    uint32_t points = 4u + (uint32_t)clampf(sqrtf(vertices) * 0.4f, 0.0f, 20.0f);
    uint32_t sides = (uint32_t)clampf(vertices / (float)(2u * points - 2u), 4.0f, 48.0f);
    float waves = 1.0f + floorf(trait(3, seed) * 3.0f), depth = 0.45f * trait(4, seed);
    for (uint32_t i = 0; i < points; ++i) {
        float t = (float)i / (float)(points - 1u);
        float pinch = 1.0f - depth * (0.5f - 0.5f * cosf(2.0f * SKETCH_PI * waves * t));
        profile[i][0] = 0.75f * sqrtf(fmaxf(sinf(SKETCH_PI * t), 0.0f)) * pinch;
        profile[i][1] = 2.0f * t - 1.0f;
    }
    profile[0][0] = profile[points - 1u][0] = 0.0f;
    return shape_lathe(shape, (const float(*)[2])profile, points, sides);
}

/* What a member is: a knot, a rock or a turned body, of about as many vertices as asked for. */
static bool make_shape(geometry *shape, float vertices, uint32_t seed)
{
    float kind = trait(2, seed);
    if (kind < 0.35f && vertices > 250.0f) {
        static const uint32_t knots[4][2] = { { 2, 3 }, { 3, 2 }, { 2, 5 }, { 3, 4 } };
        const uint32_t *pick = knots[(uint32_t)(trait(3, seed) * 3.999f)];
        uint32_t sides = 4u + (uint32_t)(vertices / 250.0f);
        uint32_t steps = (uint32_t)(vertices / (float)(sides + 1u));
        return shape_knot(shape, pick[0], pick[1], steps, sides);
    }
    if (kind < 0.55f) {
        return shape_rock(shape, (uint32_t)sqrtf(0.5f * vertices), seed);
    }
    return make_top(shape, vertices, seed);
}

static float vertices_of(uint32_t seed)
{
    return SWARM_LEAST * powf(SWARM_LARGE / SWARM_LEAST, trait(1, seed));
}

static gpool_result create_member(swarm *all, swarm_member *member, uint32_t seed)
{
    geometry shape;
    if (!make_shape(&shape, vertices_of(seed), seed)) {
        return GPOOL_ERROR_OUT_OF_MEMORY;
    }
    /* Without a label: a copy of one is all that a mesh would allocate. */
    member->mesh = renderer_make_mesh(all->pool, all->scope, all->heap, &shape, NULL);
    if (member->mesh.id != 0) {
        all->created += 1;
        all->bytes += shape.vertex_count * sizeof(vertex) + shape.index_count * sizeof(uint32_t);
        member->index_count = shape.index_count;
    }
    geometry_fini(&shape);
    return member->mesh.id != 0 ? GPOOL_OK : gpool_last_error(all->pool)->code;
}

static void destroy_member(swarm *all, swarm_member *member)
{
    if (member->mesh.id != 0) {
        gpool_mesh_destroy(all->pool, member->mesh);
        member->mesh.id = 0;
        all->destroyed += 1;
    }
}

/* Where a member is: it grows, climbs a spiral and shrinks, turning about an axis of its own. */
static instance place_member(const swarm_member *member, uint32_t age, uint32_t seed, vec3 middle)
{
    static const vec3 glazes[6] = { { 0.95f, 0.30f, 0.22f }, { 0.98f, 0.62f, 0.16f },
                                    { 0.22f, 0.66f, 0.62f }, { 0.26f, 0.38f, 0.86f },
                                    { 0.72f, 0.28f, 0.70f }, { 0.92f, 0.88f, 0.80f } };
    float part = ((float)age + 0.5f) / (float)member->life;
    float begin = trait(5, seed), climb = 0.35f + 0.65f * begin;
    float way = begin * 0.6f + 0.4f * part;
    float angle = 2.0f * SKETCH_PI * trait(6, seed) + 2.6f * climb * part;
    float radius = mixf(3.5f, 4.6f, trait(7, seed)) - 1.9f * way * way;
    float fine = logf(vertices_of(seed) / SWARM_LEAST) / logf(SWARM_LARGE / SWARM_LEAST);
    float size = mixf(0.10f, 0.34f, fine) * sqrtf(sinf(SKETCH_PI * part)) * (0.6f + 0.4f * way);
    vec3 color = glazes[(uint32_t)(trait(8, seed) * 5.999f)];
    vec3 axis = vec3_normalize(
        vec3_make(trait(9, seed) - 0.5f, trait(10, seed) - 0.5f, trait(11, seed) - 0.5f));
    instance who = { .position = { middle.x + radius * cosf(angle), middle.y + 1.0f + 7.2f * way,
                                   middle.z + radius * sinf(angle) },
                     .scale = size,
                     .tint = { color.x, color.y, color.z },
                     .metal = trait(12, seed) < 0.3f ? 0.8f : 0.1f,
                     .gloss = 0.75f };
    quaternion_turn(who.rotation, axis, 6.28f * trait(13, seed) + 3.0f * part);
    return who;
}

gpool_result swarm_init(swarm *all, gpool *pool, gpool_scope scope, gpool_heap heap)
{
    *all = (swarm){ .pool = pool, .scope = scope, .heap = heap };
    all->buffer = gpool_buffer_create(pool, &(gpool_buffer_desc){
                                                .size = SWARM_MOST * sizeof(instance),
                                                .usage = GPOOL_BUFFER_VERTEX,
                                                .label = "swarm",
                                                .scope = scope,
                                            });
    return all->buffer.id != 0 ? GPOOL_OK : gpool_last_error(pool)->code;
}

/* Brings one place to the frame: another member may live there now, or none. */
static gpool_result update_member(swarm *all, swarm_member *member, uint32_t born, uint32_t age,
                                  uint32_t seed)
{
    if (member->born != born) {
        destroy_member(all, member);
        *member = (swarm_member){ .born = born };
        member->life =
            SWARM_AGES / 4u + (uint32_t)(trait(0, seed) * (float)(SWARM_AGES - SWARM_AGES / 4u));
        return age < member->life ? create_member(all, member, seed) : GPOOL_OK;
    }
    if (age >= member->life) {
        destroy_member(all, member);
    }
    return GPOOL_OK;
}

gpool_result swarm_update(swarm *all, uint64_t frame, vec3 middle)
{
    static instance records[SWARM_MOST];
    uint32_t now = SWARM_BEFORE + (uint32_t)frame;
    all->count = 0;
    all->triangles = 0;
    for (uint32_t i = 0; i < SWARM_MOST; ++i) {
        /* Members of one frame of birth stand side by side, those of all ages in a ring. */
        uint32_t age = (now + SWARM_AGES - i / SWARM_EACH) % SWARM_AGES, born = now - age;
        uint32_t seed = born * SWARM_EACH + i % SWARM_EACH;
        swarm_member *member = &all->members[i];
        gpool_result result = update_member(all, member, born, age, seed);
        if (result != GPOOL_OK) {
            return result;
        }
        if (member->mesh.id != 0) {
            records[all->count] = place_member(member, age, seed, middle);
            all->meshes[all->count++] = member->mesh;
            all->triangles += member->index_count / 3u;
        }
    }
    all->records_written += all->count * sizeof(instance);
    return gpool_buffer_write(all->pool, all->buffer, 0, records, all->count * sizeof(instance));
}
