#include "crowd.h"

#include "noise.h"

static const struct crowd_group {
    const char *label;
    uint32_t size;
} crowd_groups[CROWD_COUNT] = {
    [CROWD_CENTER] = { "centre piece", 1 }, [CROWD_PEDESTAL] = { "pedestals", 2 },
    [CROWD_ENGINE] = { "engines", 1 },      [CROWD_HORSES] = { "horses", 50 },
    [CROWD_CATS] = { "cats", 40 },          [CROWD_TREES] = { "trees", 150 },
    [CROWD_CRATES] = { "crates", 40 },      [CROWD_ROCKS] = { "rocks", 50 },
    [CROWD_GRAVEL] = { "stones", 350 },
};

uint32_t crowd_size(crowd_kind kind)
{
    return crowd_groups[kind].size;
}

const char *crowd_label(crowd_kind kind)
{
    return crowd_groups[kind].label;
}

bool crowd_on_ground(crowd_kind kind)
{
    return kind < CROWD_CRATES;
}

bool crowd_moves(crowd_kind kind, uint32_t index)
{
    return kind >= CROWD_HORSES && index % CROWD_MOVES_EACH == 0;
}

static float random_between(crowd_kind kind, uint32_t index, uint32_t row, float low, float high)
{
    return mixf(low, high, noise_random((uint32_t)kind * 16u + row, index));
}

static void set_tint(instance *who, vec3 tint)
{
    who->tint[0] = tint.x;
    who->tint[1] = tint.y;
    who->tint[2] = tint.z;
}

static void set_place(instance *who, float x, float y, float z)
{
    who->position[0] = x;
    who->position[1] = y;
    who->position[2] = z;
}

/* Picks a colour between two of a list, by member. */
static vec3 pick_color(crowd_kind kind, uint32_t index, const vec3 *colors, uint32_t count)
{
    float at = random_between(kind, index, 9, 0.0f, (float)count - 1.001f);
    uint32_t i = (uint32_t)at;
    float t = at - (float)i;
    return vec3_add(vec3_scale(colors[i], 1.0f - t), vec3_scale(colors[i + 1u], t));
}

/* A place on dry land between two distances from the middle; the first good one of some tries. */
static void find_land(crowd_kind kind, uint32_t index, float near, float far,
                      const generator *ground, float *x, float *z)
{
    for (uint32_t attempt = 0; attempt < 24; ++attempt) {
        uint32_t row = index * 24u + attempt;
        float angle = 2.0f * SKETCH_PI * noise_random((uint32_t)kind * 16u + 1u, row);
        float r = mixf(near, far, sqrtf(noise_random((uint32_t)kind * 16u + 2u, row)));
        *x = r * cosf(angle);
        *z = r * sinf(angle);
        if (generator_height(ground, *x, *z) > GENERATOR_WATER + 0.25f) {
            return;
        }
    }
}

/* A tenth of the horses gallops around the centre piece, the others graze on the far shore. */
static void place_horse(instance *who, uint32_t index, float seconds, const generator *ground)
{
    static const vec3 coats[4] = { { 0.16f, 0.08f, 0.05f },
                                   { 0.42f, 0.22f, 0.11f },
                                   { 0.55f, 0.42f, 0.30f },
                                   { 0.70f, 0.66f, 0.62f } };
    float x, z, heading, hop = 0.0f, size = random_between(CROWD_HORSES, index, 4, 1.2f, 1.7f);
    if (crowd_moves(CROWD_HORSES, index)) {
        float angle = 2.0f * SKETCH_PI * (float)(index / CROWD_MOVES_EACH) / 5.0f + 0.62f * seconds;
        x = 4.5f * cosf(angle);
        z = 4.5f * sinf(angle);
        heading = -angle - 0.5f * SKETCH_PI;
        hop = 0.28f * fabsf(sinf(5.5f * seconds + (float)index));
        size = 1.9f;
    } else {
        find_land(CROWD_HORSES, index, 20.0f, 40.0f, ground, &x, &z);
        heading = random_between(CROWD_HORSES, index, 3, -SKETCH_PI, SKETCH_PI);
    }
    set_place(who, x, fmaxf(generator_height(ground, x, z), GENERATOR_WATER) + hop, z);
    quaternion_turn(who->rotation, vec3_make(0, 1, 0), heading);
    set_tint(who, pick_color(CROWD_HORSES, index, coats, 4));
    who->scale = size;
    who->gloss = 0.35f;
}

/* Cats watch the centre piece; a tenth of them jumps for it. */
static void place_cat(instance *who, uint32_t index, float seconds, const generator *ground)
{
    static const vec3 furs[5] = { { 0.62f, 0.24f, 0.07f },
                                  { 0.75f, 0.50f, 0.28f },
                                  { 0.13f, 0.12f, 0.15f },
                                  { 0.62f, 0.58f, 0.56f },
                                  { 0.50f, 0.24f, 0.15f } };
    float x, z, hop = 0.0f, shore = index < 34u ? 0.0f : 1.0f;
    find_land(CROWD_CATS, index, mixf(3.6f, 19.0f, shore), mixf(9.0f, 34.0f, shore), ground, &x,
              &z);
    if (crowd_moves(CROWD_CATS, index)) {
        hop = 1.1f * fabsf(sinf(3.0f * seconds + (float)index * 0.7f));
    }
    set_place(who, x, fmaxf(generator_height(ground, x, z), GENERATOR_WATER) + hop, z);
    quaternion_turn(who->rotation, vec3_make(0, 1, 0), atan2f(-x, -z));
    set_tint(who, pick_color(CROWD_CATS, index, furs, 5));
    who->scale = random_between(CROWD_CATS, index, 4, 0.75f, 1.15f);
    who->gloss = 0.25f;
}

/* Trees stand on the far shore, in the hills and at the island's edge; some sway. */
static void place_tree(instance *who, uint32_t index, float seconds, const generator *ground)
{
    static const vec3 leaves[5] = { { 0.05f, 0.13f, 0.09f },
                                    { 0.09f, 0.20f, 0.08f },
                                    { 0.20f, 0.22f, 0.06f },
                                    { 0.46f, 0.20f, 0.05f },
                                    { 0.52f, 0.12f, 0.06f } };
    float x, z, sway = 0.02f, hill = index < 12u ? 0.0f : 1.0f;
    find_land(CROWD_TREES, index, mixf(7.6f, 20.0f, hill), mixf(9.9f, 62.0f, hill), ground, &x, &z);
    if (index < 12u && x + 1.5f * z > 7.0f && generator_height(ground, -x, -z) > 0.3f) {
        x = -x; /* not between the camera and the centre piece */
        z = -z;
    }
    if (crowd_moves(CROWD_TREES, index)) {
        sway = 0.07f * sinf(1.6f * seconds + (float)index);
    }
    set_place(who, x, generator_height(ground, x, z) - 0.1f, z);
    quaternion_turn(who->rotation, vec3_make(0.8f, 0.0f, 0.6f), sway);
    set_tint(who, pick_color(CROWD_TREES, index, leaves, 5));
    who->scale = random_between(CROWD_TREES, index, 4, 1.3f, 2.6f) * mixf(0.6f, 1.3f, hill);
    who->gloss = 0.05f;
}

/* Crates swim in the lake. */
static void place_crate(instance *who, uint32_t index, float seconds)
{
    float angle = random_between(CROWD_CRATES, index, 1, 0.0f, 2.0f * SKETCH_PI);
    float r = random_between(CROWD_CRATES, index, 2, 11.5f, 20.0f);
    float size = random_between(CROWD_CRATES, index, 4, 0.5f, 1.0f), roll = 0.12f, bob = 0.0f;
    if (crowd_moves(CROWD_CRATES, index)) {
        roll = 0.22f * sinf(1.7f * seconds + (float)index);
        bob = 0.12f * sinf(2.3f * seconds + (float)index);
        angle += 0.03f * seconds;
    }
    set_place(who, r * cosf(angle), GENERATOR_WATER - 0.62f * size + bob, r * sinf(angle));
    float lean = random_between(CROWD_CRATES, index, 3, 0.0f, 6.28f);
    vec3 axis = vec3_normalize(vec3_make(sinf(lean), 0.2f, cosf(lean)));
    quaternion_turn(who->rotation, axis, roll + 0.2f * lean);
    vec3 light = { 1.25f, 0.95f, 0.68f }, dark = { 0.8f, 0.52f, 0.34f };
    float t = random_between(CROWD_CRATES, index, 9, 0.0f, 1.0f);
    set_tint(who, vec3_add(vec3_scale(light, t), vec3_scale(dark, 1.0f - t)));
    who->scale = size;
    who->gloss = 0.15f;
}

/* A belt in its own plane: the renderer tilts and turns all of it by one matrix. */
static void place_rock(instance *who, crowd_kind kind, uint32_t index, float seconds)
{
    static const vec3 stones[5] = { { 0.32f, 0.24f, 0.30f },
                                    { 0.60f, 0.40f, 0.30f },
                                    { 0.44f, 0.40f, 0.46f },
                                    { 0.76f, 0.56f, 0.42f },
                                    { 0.36f, 0.30f, 0.44f } };
    float u = random_between(kind, index, 2, -1.0f, 1.0f), lane = u * fabsf(u);
    float angle = random_between(kind, index, 1, 0.0f, 2.0f * SKETCH_PI);
    float r = 9.3f + 2.1f * lane;
    float y = random_between(kind, index, 5, -0.45f, 0.45f) * (1.0f - 0.5f * fabsf(lane));
    if (crowd_moves(kind, index)) { /* strays: faster than the belt, and up and down */
        angle += 0.35f * seconds;
        y += 0.5f * sinf(1.3f * seconds + (float)index);
    }
    float small = random_between(kind, index, 4, 0.0f, 1.0f);
    set_place(who, r * cosf(angle), y, r * sinf(angle));
    float lean = random_between(kind, index, 6, 0.0f, 6.28f);
    vec3 axis = vec3_normalize(vec3_make(sinf(lean), cosf(lean * 1.7f), cosf(lean)));
    quaternion_turn(who->rotation, axis, random_between(kind, index, 7, 0.0f, 6.28f));
    set_tint(who, pick_color(kind, index, stones, 5));
    who->scale = kind == CROWD_ROCKS ? mixf(0.22f, 0.62f, small * small * small)
                                     : mixf(0.06f, 0.20f, small * small);
    who->spin = random_between(kind, index, 8, -0.35f, 0.35f);
    who->turn = random_between(kind, index, 10, 0.0f, 2.0f);
    who->gloss = 0.35f;
    if (index % 13u == 5u) { /* some are ore */
        who->metal = 0.9f;
        who->gloss = 0.75f;
        set_tint(who, vec3_make(1.0f, 0.70f, 0.36f));
    }
}

instance crowd_member(crowd_kind kind, uint32_t index, float seconds, const generator *ground)
{
    instance who = { .scale = 1.0f, .rotation = { 0, 0, 0, 1 }, .tint = { 1, 1, 1 } };
    float middle = generator_height(ground, 0.0f, 0.0f);
    switch (kind) {
    case CROWD_CENTER:
        set_place(&who, 0.0f, middle + 0.85f, 0.0f);
        quaternion_turn(who.rotation, vec3_make(0, 1, 0), 1.06f);
        set_tint(&who, vec3_make(1.0f, 0.62f, 0.34f));
        who.metal = 0.6f;
        who.gloss = 0.6f;
        break;
    case CROWD_PEDESTAL:
        set_place(&who, 0.0f, middle - 0.15f, 0.0f);
        if (index == 1) { /* the engine's */
            set_place(&who, 6.6f, generator_height(ground, 6.6f, -1.6f) - 0.2f, -1.6f);
            who.scale = 0.6f;
        }
        set_tint(&who, vec3_make(0.62f, 0.56f, 0.56f));
        who.gloss = 0.3f;
        break;
    case CROWD_ENGINE:
        set_place(&who, 6.6f, generator_height(ground, 6.6f, -1.6f) + 0.4f, -1.6f);
        quaternion_turn(who.rotation, vec3_make(0, 1, 0), 0.2f);
        who.gloss = 0.6f;
        break;
    case CROWD_HORSES:
        place_horse(&who, index, seconds, ground);
        break;
    case CROWD_CATS:
        place_cat(&who, index, seconds, ground);
        break;
    case CROWD_TREES:
        place_tree(&who, index, seconds, ground);
        break;
    case CROWD_CRATES:
        place_crate(&who, index, seconds);
        break;
    default:
        place_rock(&who, kind, index, seconds);
        break;
    }
    return who;
}
