/* Recorded commands, and what they do to the model at the submit. */
#include "model_state.h"

#include <stdlib.h>
#include <string.h>

static const char paint_wgsl[] =
    "@group(0) @binding(0) var<uniform> color: vec4u;\n"
    "@group(1) @binding(0) var<storage, read> source: array<u32>;\n"
    "@vertex fn vs(@builtin(vertex_index) i: u32) -> @builtin(position) vec4f {\n"
    "    return vec4f(f32(i & 1u) * 4.0 - 1.0, f32(i >> 1u) * 4.0 - 1.0, 0.0, 1.0);\n"
    "}\n"
    "@fragment fn fs() -> @location(0) vec4f {\n"
    "    return unpack4x8unorm(source[0] ^ color.x);\n"
    "}\n";

static const char work_wgsl[] =
    "@group(0) @binding(0) var<storage, read_write> numbers: array<u32>;\n"
    "@compute @workgroup_size(1) fn main(@builtin(global_invocation_id) id: vec3u) {\n"
    "    numbers[id.x] = numbers[id.x] * 3 + 1;\n"
    "}\n";

static void host_paint(const sim_work *work, void *user)
{
    uint64_t size = 0;
    uint64_t source_size = 0;
    sim_pixels pixels;
    const uint8_t *color = sim_work_buffer(work, 0, 0, &size);
    const uint8_t *source = sim_work_buffer(work, 1, 0, &source_size);
    (void)user;
    if (color == NULL || size < 16 || source == NULL || source_size < 4 ||
        !sim_work_target(work, 0, &pixels)) {
        return;
    }
    for (uint32_t i = 0; i < pixels.width * pixels.height * 4; ++i) {
        uint32_t x = i % (pixels.width * 4);
        uint32_t y = i / (pixels.width * 4);
        pixels.bytes[y * pixels.row_bytes + x] = color[x % 4] ^ source[x % 4];
    }
}

static void work_on(uint8_t *bytes, uint64_t size, uint32_t count)
{
    for (uint32_t i = 0; i < count && i < size / 4; ++i) {
        uint32_t number;
        memcpy(&number, bytes + (size_t)i * 4, 4);
        number = number * 3 + 1;
        memcpy(bytes + (size_t)i * 4, &number, 4);
    }
}

static void host_work(const sim_work *work, void *user)
{
    uint64_t size = 0;
    uint8_t *numbers = sim_work_buffer(work, 0, 0, &size);
    (void)user;
    if (numbers != NULL) {
        work_on(numbers, size, sim_work_counts(work)[0]);
    }
}

void model_setup_pipelines(model *m)
{
    sim_register_shader(m->s, paint_wgsl, host_paint, NULL);
    sim_register_shader(m->s, work_wgsl, host_work, NULL);
    gpool_shader_desc paint = { .wgsl = paint_wgsl, .label = "paint" };
    gpool_shader_desc work = { .wgsl = work_wgsl, .label = "work" };
    m->shaders[0] = gpool_shader_create(m->pool, &paint);
    m->shaders[1] = gpool_shader_create(m->pool, &work);
    gpool_layout_entry entry = { .binding = 0, .type = GPOOL_BINDING_STORAGE };
    gpool_layout_desc layout = { .entries = &entry, .entry_count = 1 };
    m->layouts[0] = gpool_layout_create(m->pool, &layout);
    entry.type = GPOOL_BINDING_STORAGE_WRITE;
    entry.stages = WGPUShaderStage_Compute;
    m->layouts[1] = gpool_layout_create(m->pool, &layout);
    gpool_render_pipeline_desc render = {
        .shader = m->shaders[0],
        .layouts = { gpool_uniform_layout(m->pool), m->layouts[0] },
        .colors = { { .format = WGPUTextureFormat_RGBA8Unorm } },
        .samples = 1,
        .label = "paint",
    };
    gpool_compute_pipeline_desc compute = { .shader = m->shaders[1],
                                            .layouts = { m->layouts[1] },
                                            .label = "work" };
    m->pipelines[0] = gpool_render_pipeline_create(m->pool, &render);
    m->pipelines[1] = gpool_compute_pipeline_create(m->pool, &compute);
    if (gpool_pipeline_status(m->pool, m->pipelines[0]) != GPOOL_OK ||
        gpool_pipeline_status(m->pool, m->pipelines[1]) != GPOOL_OK) {
        model_fail(m, "no pipelines: %s", gpool_last_error(m->pool)->message);
    }
}

/* --- what commands do --- */

static void run_copy_texture(const model_command *c)
{
    for (uint32_t z = 0; z < c->part.depth; ++z) {
        for (uint32_t y = 0; y < c->part.height; ++y) {
            memcpy(model_texture_row(c->target_texels, &c->target_part, y, z),
                   model_texture_row(c->texels, &c->part, y, z),
                   (size_t)c->part.width * c->texels->texel);
        }
    }
}

static void run_copy_rows(const model_command *c, bool to_buffer)
{
    size_t row = (size_t)c->part.width * c->texels->texel;
    for (uint32_t i = 0; i < c->part.height * c->part.depth; ++i) {
        uint8_t *texels =
            model_texture_row(c->texels, &c->part, i % c->part.height, i / c->part.height);
        if (to_buffer) {
            memcpy(c->target->bytes + c->target_offset + (size_t)i * c->stride, texels, row);
        } else {
            memcpy(texels, c->source->bytes + c->source_offset + (size_t)i * c->stride, row);
        }
    }
}

static void run_paint(const model_command *c, bool draw)
{
    for (uint32_t y = 0; y < c->part.height; ++y) {
        uint8_t *row = model_texture_row(c->texels, &c->part, y, 0);
        for (uint32_t x = 0; x < c->part.width * 4; ++x) {
            row[x] = (uint8_t)(c->color[x % 4] ^ (draw ? c->source->bytes[x % 4] : 0));
        }
    }
}

static void run_command(const model_command *c)
{
    switch (c->kind) {
    case MODEL_COPY_BUFFER:
        memcpy(c->target->bytes + c->target_offset, c->source->bytes + c->source_offset, c->size);
        break;
    case MODEL_CLEAR_BUFFER:
        memset(c->target->bytes + c->target_offset, 0, c->size);
        break;
    case MODEL_WRITE_BUFFER:
        memcpy(c->target->bytes + c->target_offset, c->data, c->size);
        break;
    case MODEL_COPY_TEXTURE:
        run_copy_texture(c);
        break;
    case MODEL_TEXTURE_TO_BUFFER:
        run_copy_rows(c, true);
        break;
    case MODEL_BUFFER_TO_TEXTURE:
        run_copy_rows(c, false);
        break;
    case MODEL_CLEAR_TARGET:
        run_paint(c, false);
        break;
    case MODEL_DRAW:
        run_paint(c, true);
        break;
    case MODEL_READ_BUFFER: /* see model_ticket_ran() */
        break;
    case MODEL_DISPATCH:
        work_on(c->target->bytes, (c->target->size + 3) / 4 * 4, (uint32_t)c->size);
        break;
    }
}

static void unuse(void *thing)
{
    if (thing != NULL) {
        model_unuse(thing);
    }
}

void model_run_commands(model *m, bool run)
{
    for (uint32_t i = 0; i < m->command_count; ++i) {
        if (run) {
            run_command(&m->commands[i]);
            m->totals->commands += 1;
            m->totals->record_writes += m->commands[i].kind == MODEL_WRITE_BUFFER;
            m->totals->gpu_writes += m->commands[i].kind == MODEL_DISPATCH;
        }
        if (m->commands[i].ticket != NULL) {
            model_ticket_ran(&m->commands[i], run);
        }
    }
    for (uint32_t i = 0; i < m->command_count; ++i) {
        unuse(m->commands[i].source);
        unuse(m->commands[i].target);
        unuse(m->commands[i].texels);
        unuse(m->commands[i].target_texels);
        unuse(m->commands[i].ticket);

        free(m->commands[i].data);
    }
    m->command_count = 0;
    for (int kind = 1; kind < GPOOL_KIND_COUNT && m->recording; ++kind) {
        for (uint32_t i = 0; i < MODEL_THINGS; ++i) {
            if (m->things[kind][i] != NULL) {
                m->things[kind][i]->named = MODEL_NOT_NAMED;
            }
        }
    }
}

/* --- recording --- */

gpool_recorder model_recorder(model *m)
{
    gpool_recorder rec = gpool_frame_recorder(m->pool);
    if ((rec.state != NULL) != m->in_frame && !model_is_lost(m)) {
        model_fail(m, "a recorder %s", m->in_frame ? "is missing" : "outside a frame");
    }
    if (rec.state != NULL && !m->recording) {
        m->recording = true;
        m->hits_begun = m->hits_before;
    }
    return rec;
}

static uint64_t counter(model *m, bool draws)
{
    gpool_stats stats;
    (void)gpool_get_stats(m->pool, &stats);
    return draws ? stats.draws : stats.skipped;
}

static void use(void *thing)
{
    if (thing != NULL) {
        model_use(thing);
    }
}

static void keep(model *m, const model_command *command)
{
    m->commands[m->command_count++] = *command;
    use(command->source);
    use(command->target);
    use(command->texels);
    use(command->target_texels);
    use(command->ticket);
}

static void latch(model *m, gpool_result result)
{
    if (m->latched == GPOOL_OK) {
        m->latched = result;
    }
}

static void maybe(void *thing)
{
    if (thing != NULL && ((model_thing *)thing)->named == MODEL_NOT_NAMED) {
        ((model_thing *)thing)->named = MODEL_MAYBE_NAMED;
    }
}

uint64_t model_skipped(model *m)
{
    return counter(m, false);
}

void model_recorded(model *m, const model_command *command, gpool_result expected,
                    uint64_t skipped_before)
{
    if (!m->in_frame || model_is_lost(m)) {
        return;
    }
    bool hit = model_hit(m);
    bool skipped = counter(m, false) > skipped_before;
    if (!hit && skipped != (expected != GPOOL_OK)) {
        model_fail(m, "a command is %s, expected %s", skipped ? "skipped" : "recorded",
                   gpool_result_name(expected));
    }
    if (hit) {
        m->latched = m->pool->frame_error;
        maybe(command->source);
        maybe(command->target);
        maybe(command->texels);
        maybe(command->target_texels);
        if (command->target != NULL && command->target->thing.dead == false &&
            !command->target->thing.failed) {
            /* The flush before may have worked although the command did not. */
            command->target->gpu_written =
                ((const gpool__buffer *)(void *)gpool__table_get(
                     &m->pool->tables[GPOOL_KIND_BUFFER], command->target->thing.id))
                    ->gpu_written;
        }
    } else if (expected != GPOOL_OK) {
        latch(m, expected);
    }
    bool nothing = (command->kind == MODEL_COPY_BUFFER || command->kind == MODEL_CLEAR_BUFFER ||
                    command->kind == MODEL_WRITE_BUFFER) &&
                   command->size == 0;
    if (expected == GPOOL_OK && !skipped && !nothing) {
        keep(m, command);
        if (command->target != NULL) {
            command->target->gpu_written = true;
        }
    }
}

static gpool_result needs_buffer(const model_ref *ref, gpool_buffer_usage usage)
{
    const model_buffer *b = (const model_buffer *)(const void *)ref->thing;
    if (ref->code != GPOOL_OK) {
        return ref->code;
    }
    return (b->usage & usage) == 0 ? GPOOL_ERROR_MISSING_USAGE : GPOOL_OK;
}

static gpool_result needs_texture(const model_ref *ref, gpool_texture_usage usage)
{
    const model_texture *t = (const model_texture *)(const void *)ref->thing;
    if (ref->code != GPOOL_OK) {
        return ref->code;
    }
    return (t->usage & usage) == 0 ? GPOOL_ERROR_MISSING_USAGE : GPOOL_OK;
}

#define BUFFER_SOURCE  (GPOOL_BUFFER_COPY_SOURCE | GPOOL_BUFFER_READ_BACK)
#define TEXTURE_SOURCE (GPOOL_TEXTURE_COPY_SOURCE | GPOOL_TEXTURE_READ_BACK)

static gpool_result check_range(const model_buffer *b, uint64_t offset, uint64_t size)
{
    uint64_t whole = (b->size + 3) / 4 * 4;
    if (offset % 4 != 0 || size % 4 != 0) {
        return GPOOL_ERROR_MISALIGNED;
    }
    return offset > whole || size > whole - offset ? GPOOL_ERROR_OUT_OF_RANGE : GPOOL_OK;
}

bool model_has_room(const model *m)
{
    return m->command_count + 2 <= MODEL_COMMANDS;
}

/* An offset that is mostly good. */
static uint64_t some_offset(model *m)
{
    uint32_t choice = model_take8(m);
    return choice < 128 ? 0 : choice < 250 ? (uint64_t)(choice - 128) * 4 : choice;
}

void model_copy_buffer(model *m)
{
    model_ref from = model_pick(m, GPOOL_KIND_BUFFER);
    model_ref to = model_pick(m, GPOOL_KIND_BUFFER);
    model_command c = { .kind = MODEL_COPY_BUFFER,
                        .source = (model_buffer *)(void *)from.thing,
                        .target = (model_buffer *)(void *)to.thing };
    c.source_offset = some_offset(m);
    c.target_offset = some_offset(m);
    c.size = some_offset(m);
    if (!model_has_room(m)) {
        return;
    }
    gpool_result expected = needs_buffer(&from, BUFFER_SOURCE);
    if (expected == GPOOL_OK) {
        expected = needs_buffer(&to, GPOOL_BUFFER_COPY_TARGET);
    }
    if (expected == GPOOL_OK && c.source == c.target) {
        expected = GPOOL_ERROR_INVALID_ARGUMENT;
    }
    if (expected == GPOOL_OK) {
        expected = check_range(c.source, c.source_offset, c.size);
    }
    if (expected == GPOOL_OK) {
        expected = check_range(c.target, c.target_offset, c.size);
    }
    gpool_recorder rec = model_recorder(m);
    uint64_t skipped = counter(m, false);
    gpool_copy_buffer(rec, (gpool_buffer){ from.id }, c.source_offset, (gpool_buffer){ to.id },
                      c.target_offset, c.size);
    model_recorded(m, &c, expected, skipped);
}

void model_clear_buffer(model *m)
{
    model_ref to = model_pick(m, GPOOL_KIND_BUFFER);
    model_command c = { .kind = MODEL_CLEAR_BUFFER, .target = (model_buffer *)(void *)to.thing };
    c.target_offset = some_offset(m);
    c.size = some_offset(m);
    if (!model_has_room(m)) {
        return;
    }
    gpool_result expected = needs_buffer(&to, GPOOL_BUFFER_COPY_TARGET);
    if (expected == GPOOL_OK) {
        expected = check_range(c.target, c.target_offset, c.size);
    }
    gpool_recorder rec = model_recorder(m);
    uint64_t skipped = counter(m, false);
    gpool_clear_buffer(rec, (gpool_buffer){ to.id }, c.target_offset, c.size);
    model_recorded(m, &c, expected, skipped);
}

void model_record_write(model *m)
{
    model_ref to = model_pick(m, GPOOL_KIND_BUFFER);
    model_command c = { .kind = MODEL_WRITE_BUFFER, .target = (model_buffer *)(void *)to.thing };
    c.target_offset = some_offset(m);
    c.size = some_offset(m);
    if (!model_has_room(m)) {
        return;
    }
    gpool_result expected = needs_buffer(&to, GPOOL_BUFFER_COPY_TARGET);
    if (expected == GPOOL_OK) {
        expected = check_range(c.target, c.target_offset, c.size);
    }
    c.data = model_bytes(m, c.size);
    gpool_recorder rec = model_recorder(m);
    uint64_t skipped = counter(m, false);
    uint32_t kept = m->command_count;
    gpool_record_write(rec, (gpool_buffer){ to.id }, c.target_offset, c.data, c.size);
    model_recorded(m, &c, expected, skipped);
    if (m->command_count == kept) {
        free(c.data);
    }
}

void model_copy_texture(model *m)
{
    model_ref from = model_pick(m, GPOOL_KIND_TEXTURE);
    model_ref to = model_pick(m, GPOOL_KIND_TEXTURE);
    gpool_texture_region region = model_texture_region(m);
    gpool_texture_region place = model_texture_region(m);
    model_command c = { .kind = MODEL_COPY_TEXTURE,
                        .texels = (model_texture *)(void *)from.thing,
                        .target_texels = (model_texture *)(void *)to.thing };
    if (!model_has_room(m)) {
        return;
    }
    gpool_result expected = needs_texture(&from, TEXTURE_SOURCE);
    if (expected == GPOOL_OK) {
        expected = needs_texture(&to, GPOOL_TEXTURE_COPY_TARGET);
    }
    if (expected == GPOOL_OK) {
        expected = model_texture_part(c.texels, &region, &c.part);
    }
    if (expected == GPOOL_OK) {
        gpool_texture_region wanted = place;
        wanted.width = c.part.width;
        wanted.height = c.part.height;
        wanted.depth = c.part.depth;
        expected = model_texture_part(c.target_texels, &wanted, &c.target_part);
    }
    if (expected == GPOOL_OK) {
        /* Within one level only layers that do not overlap; a 3D level is one whole. */
        bool apart = !c.texels->solid && (c.part.z + c.part.depth <= c.target_part.z ||
                                          c.target_part.z + c.target_part.depth <= c.part.z);
        bool same = c.texels == c.target_texels && c.part.level == c.target_part.level;
        if (c.texels->format != c.target_texels->format || (same && !apart)) {
            expected = GPOOL_ERROR_INVALID_ARGUMENT;
        }
    }
    gpool_recorder rec = model_recorder(m);
    uint64_t skipped = counter(m, false);
    gpool_copy_texture(rec, (gpool_texture){ from.id }, &region, (gpool_texture){ to.id }, &place);
    model_recorded(m, &c, expected, skipped);
}

static gpool_result check_rows(const model_command *c, const model_buffer *b, uint64_t offset)
{
    uint64_t row = (uint64_t)c->part.width * c->texels->texel;
    uint64_t rows = (uint64_t)c->part.height * c->part.depth;
    uint64_t needed = (uint64_t)c->stride * (rows - 1) + row;
    uint64_t whole = (b->size + 3) / 4 * 4;
    if (c->stride % 256 != 0 || c->stride < row || offset % 4 != 0) {
        return GPOOL_ERROR_MISALIGNED;
    }
    return offset > whole || needed > whole - offset ? GPOOL_ERROR_OUT_OF_RANGE : GPOOL_OK;
}

static void copy_between(model *m, bool to_buffer)
{
    model_ref texture = model_pick(m, GPOOL_KIND_TEXTURE);
    model_ref buffer = model_pick(m, GPOOL_KIND_BUFFER);
    gpool_texture_region region = model_texture_region(m);
    model_buffer *b = (model_buffer *)(void *)buffer.thing;
    uint64_t offset = some_offset(m);
    model_command c = { .kind = to_buffer ? MODEL_TEXTURE_TO_BUFFER : MODEL_BUFFER_TO_TEXTURE,
                        .texels = (model_texture *)(void *)texture.thing,
                        .source = to_buffer ? NULL : b,
                        .target = to_buffer ? b : NULL,
                        .source_offset = offset,
                        .target_offset = offset,
                        .stride = MODEL_STRIDE };
    if (!model_has_room(m)) {
        return;
    }
    gpool_result expected =
        needs_texture(&texture, to_buffer ? TEXTURE_SOURCE : GPOOL_TEXTURE_COPY_TARGET);
    if (expected == GPOOL_OK) {
        expected = needs_buffer(&buffer, to_buffer ? GPOOL_BUFFER_COPY_TARGET : BUFFER_SOURCE);
    }
    if (expected == GPOOL_OK) {
        expected = model_texture_part(c.texels, &region, &c.part);
    }
    if (expected == GPOOL_OK) {
        expected = check_rows(&c, b, offset);
    }
    gpool_recorder rec = model_recorder(m);
    uint64_t skipped = counter(m, false);
    if (to_buffer) {
        gpool_copy_texture_to_buffer(rec, (gpool_texture){ texture.id }, &region,
                                     (gpool_buffer){ buffer.id }, offset, c.stride);
    } else {
        gpool_copy_buffer_to_texture(rec, (gpool_buffer){ buffer.id }, offset, c.stride,
                                     (gpool_texture){ texture.id }, &region);
    }
    model_recorded(m, &c, expected, skipped);
}

void model_texture_to_buffer(model *m)
{
    copy_between(m, true);
}

void model_buffer_to_texture(model *m)
{
    copy_between(m, false);
}

/* Where a pass draws; its code when it cannot. */
static gpool_result draw_target(const model_ref *ref, uint32_t level, uint32_t layer,
                                model_command *c)
{
    gpool_result result = needs_texture(ref, GPOOL_TEXTURE_TARGET);
    if (result != GPOOL_OK) {
        return result;
    }
    c->texels = (model_texture *)(void *)ref->thing;
    if (level >= c->texels->levels || layer >= c->texels->depth) {
        return GPOOL_ERROR_OUT_OF_RANGE;
    }
    c->part = (model_part){ .level = level, .z = layer, .depth = 1 };
    uint32_t depth;
    model_texture_level(c->texels, level, &c->part.width, &c->part.height, &depth);
    return GPOOL_OK;
}

void model_draw(model *m)
{
    model_ref target = model_pick(m, GPOOL_KIND_TEXTURE);
    model_ref source = model_pick(m, GPOOL_KIND_BUFFER);
    uint32_t choice = model_take8(m);
    uint32_t value = model_take8(m);
    if (!model_has_room(m)) {
        return;
    }
    model_command clear = { .kind = MODEL_CLEAR_TARGET };
    gpool_render_desc desc = { .color = { { .texture = { target.id },
                                            .mip_level = choice % 4 == 3 ? 1 : 0,
                                            .layer = choice / 4 % 4 == 3 ? 1 : 0 } } };
    for (uint32_t i = 0; i < 4; ++i) {
        desc.color[0].clear[i] = (value >> i & 1) != 0 ? 1.0 : 0.0;
        clear.color[i] = (value >> i & 1) != 0 ? 255 : 0;
    }
    gpool_result pass = draw_target(&target, desc.color[0].mip_level, desc.color[0].layer, &clear);
    /* A null attachment is none, and a pass needs one: the same code. */
    gpool_result bound = needs_buffer(&source, GPOOL_BUFFER_STORAGE | GPOOL_BUFFER_STORAGE_WRITE);
    model_command draw = clear;
    draw.kind = MODEL_DRAW;
    draw.source = (model_buffer *)(void *)source.thing;
    const uint8_t uniforms[16] = { (uint8_t)value, (uint8_t)(value * 7), (uint8_t)(choice * 5), 9 };
    memcpy(draw.color, uniforms, 4);
    gpool_binding binding = { .binding = 0, .buffer = { source.id } };
    gpool_draw_args args = { .vertex_count = 3 };

    gpool_recorder rec = model_recorder(m);
    uint64_t skipped = counter(m, false);
    gpool_begin_render(rec, &desc);
    bool begun = m->in_frame && counter(m, false) == skipped;
    gpool_set_pipeline(rec, m->pipelines[0]);
    gpool_set_uniforms(rec, 0, uniforms, sizeof uniforms);
    gpool_set_bindings(rec, 1, m->layouts[0], &binding, 1, NULL, 0);
    uint64_t draws = counter(m, true);
    gpool_draw(rec, &args);
    bool drawn = counter(m, true) > draws;
    gpool_end_pass(rec);
    if (!m->in_frame || model_is_lost(m)) {
        return;
    }
    gpool_result expected = pass != GPOOL_OK ? pass : bound;
    if (model_hit(m)) {
        m->latched = m->pool->frame_error;
        maybe(target.thing);
        maybe(source.thing);
    } else {
        latch(m, expected);
        if (begun != (pass == GPOOL_OK) || drawn != (expected == GPOOL_OK)) {
            model_fail(m, "a pass %s, a draw %s; expected %s: %s", begun ? "begins" : "fails",
                       drawn ? "is made" : "is skipped", gpool_result_name(expected),
                       gpool_last_error(m->pool)->message);
        }
    }
    if (begun && pass == GPOOL_OK) {
        keep(m, &clear);
        if (drawn && bound == GPOOL_OK) {
            keep(m, &draw);
        }
    }
}

void model_dispatch(model *m)
{
    model_ref target = model_pick(m, GPOOL_KIND_BUFFER);
    model_command c = { .kind = MODEL_DISPATCH, .size = 1 + model_take8(m) % 16 };
    if (!model_has_room(m)) {
        return;
    }
    c.target = (model_buffer *)(void *)target.thing;
    gpool_result expected = needs_buffer(&target, GPOOL_BUFFER_STORAGE_WRITE);
    gpool_binding binding = { .binding = 0, .buffer = { target.id } };
    gpool_recorder rec = model_recorder(m);
    gpool_begin_compute(rec, NULL);
    gpool_set_pipeline(rec, m->pipelines[1]);
    gpool_set_bindings(rec, 0, m->layouts[1], &binding, 1, NULL, 0);
    uint64_t draws = counter(m, true);
    gpool_dispatch(rec, (uint32_t)c.size, 1, 1);
    bool done = counter(m, true) > draws;
    gpool_end_pass(rec);
    if (!m->in_frame || model_is_lost(m)) {
        return;
    }
    if (model_hit(m)) {
        m->latched = m->pool->frame_error;
        maybe(target.thing);
    } else {
        latch(m, expected);
        if (done != (expected == GPOOL_OK)) {
            model_fail(m, "a dispatch is %s; expected %s", done ? "made" : "skipped",
                       gpool_result_name(expected));
        }
    }
    if (done && expected == GPOOL_OK) {
        keep(m, &c);
    }
}
