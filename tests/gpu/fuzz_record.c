/* Random recorder calls. */
#include "gpu/fuzz_calls.h"

void fuzz_record_pass(gpool_recorder rec)
{
    gpool_render_desc desc = { .label = "fuzz" };
    desc.color[fuzz_pick(3) == 0 ? fuzz_pick(8) : 0] = (gpool_color_attachment){
        .texture = TEXTURE,
        .mip_level = fuzz_pick(4) == 0 ? fuzz_pick(3) : 0,
        .layer = fuzz_pick(4) == 0 ? fuzz_pick(3) : 0,
        .resolve = fuzz_pick(6) == 0 ? TEXTURE : (gpool_texture){ 0 },
        .load = (gpool_load_op)fuzz_enum(0),
        .store = (gpool_store_op)fuzz_enum(0),
    };
    if (fuzz_pick(4) == 0) {
        desc.depth = (gpool_depth_attachment){ .texture = TEXTURE,
                                               .read_only = fuzz_pick(2) == 0,
                                               .clear = (float)fuzz_pick(3) - 1.0f };
    }
    switch (fuzz_pick(6)) {
    case 0:
    case 1:
        gpool_begin_render(rec, &desc);
        break;
    case 2:
        gpool_begin_compute(rec, "fuzz");
        break;
    case 3:
        gpool_push_group(rec, "fuzz");
        break;
    case 4:
        gpool_pop_group(rec);
        break;
    default:
        gpool_end_pass(rec);
        break;
    }
}

void fuzz_record_bind(gpool_recorder rec)
{
    gpool_binding bindings[4];
    uint32_t offsets[4] = { (uint32_t)fuzz_size(), 0, 256, 0 };
    for (uint32_t i = 0; i < 4; ++i) {
        bindings[i] = (gpool_binding){ .binding = fuzz_pick(6),
                                       .buffer = BUFFER,
                                       .offset = fuzz_pick(3) == 0 ? fuzz_size() : 0,
                                       .size = fuzz_pick(3) == 0 ? fuzz_size() : 0,
                                       .texture = TEXTURE,
                                       .view = fuzz_view(),
                                       .sampler = SAMPLER };
    }
    switch (fuzz_pick(6)) {
    case 0:
        gpool_set_bindings(rec, fuzz_pick(5), LAYOUT, bindings, fuzz_pick(5), offsets,
                           fuzz_pick(3));
        break;
    case 1:
        gpool_set_bindings(rec, fuzz_pick(5), gpool_uniform_layout(fuzz.pool), bindings, 1,
                           offsets + 1, 1);
        break;
    case 2:
        gpool_set_uniforms(rec, fuzz_pick(5), fuzz.bytes, fuzz_real_size());
        break;
    case 3:
        gpool_set_vertex_buffer(rec, fuzz_pick(9), BUFFER, fuzz_size());
        break;
    case 4:
        gpool_set_index_buffer(rec, BUFFER, (WGPUIndexFormat)fuzz_enum(2), fuzz_size());
        break;
    default:
        gpool_set_pipeline(rec, PIPELINE);
        break;
    }
}

void fuzz_record_state(gpool_recorder rec)
{
    double blend[4] = { (double)fuzz_pick(3), 0.5, 1e300, 0 };
    float s = (float)fuzz_pick(9);
    gpool_draw_args args = { fuzz_pick(2) == 0 ? fuzz_pick(7) : 0,
                             fuzz_pick(2) == 0 ? fuzz_pick(7) : 0,
                             fuzz_pick(3),
                             fuzz_pick(5),
                             fuzz_pick(5),
                             (int32_t)fuzz_pick(5) - 2,
                             fuzz_pick(2) };
    switch (fuzz_pick(8)) {
    case 0:
        gpool_set_viewport(rec, 0, 0, s, s, 0, 1);
        break;
    case 1:
        gpool_set_scissor(rec, fuzz_pick(9), 0, fuzz_pick(9), (uint32_t)fuzz_size());
        break;
    case 2:
        gpool_set_blend_constant(rec, blend);
        break;
    case 3:
        gpool_set_stencil_reference(rec, fuzz_pick(300));
        break;
    case 4:
        gpool_dispatch(rec, fuzz_pick(3), fuzz_enum(1), 1);
        break;
    default:
        gpool_draw(rec, &args);
        break;
    }
}

void fuzz_record_copy(gpool_recorder rec)
{
    gpool_texture_region a = fuzz_region();
    gpool_texture_region b = fuzz_region();
    uint32_t row = fuzz_pick(3) == 0 ? (uint32_t)fuzz_size() : 256 * fuzz_pick(3);
    switch (fuzz_pick(6)) {
    case 0:
        gpool_copy_buffer(rec, BUFFER, fuzz_size(), BUFFER, fuzz_size(), fuzz_size());
        break;
    case 1:
        gpool_clear_buffer(rec, BUFFER, fuzz_size(), fuzz_size());
        break;
    case 2:
        gpool_copy_texture(rec, TEXTURE, fuzz_pick(2) == 0 ? NULL : &a, TEXTURE, &b);
        break;
    case 3:
        gpool_copy_texture_to_buffer(rec, TEXTURE, fuzz_pick(2) == 0 ? NULL : &a, BUFFER,
                                     (uint64_t)fuzz_pick(8) * 4, row);
        break;
    case 4:
        gpool_copy_buffer_to_texture(rec, BUFFER, (uint64_t)fuzz_pick(8) * 4, row, TEXTURE,
                                     fuzz_pick(2) == 0 ? NULL : &a);
        break;
    default:
        (void)gpool_recorder_encoder(rec);
        (void)gpool_recorder_render_pass(rec);
        (void)gpool_recorder_finish_raw(rec, NULL);
        break;
    }
}

void fuzz_record_read(gpool_recorder rec)
{
    gpool_texture_region region = fuzz_region();
    gpool_ticket_desc desc = { .label = "fuzz",
                               .scope = fuzz_pick(4) == 0 ? SCOPE : (gpool_scope){ 0 } };
    gpool_ticket ticket =
        fuzz_pick(2) == 0
            ? gpool_read_buffer(rec, BUFFER, fuzz_size(), fuzz_real_size(), &desc)
            : gpool_read_texture(rec, TEXTURE, fuzz_pick(2) == 0 ? NULL : &region, &desc);
    if (ticket.id != 0) {
        /* As many as are kept are alive. */
        uint64_t *place = &fuzz.ids[GPOOL_KIND_TICKET][fuzz_pick(FUZZ_KEPT)];
        (void)gpool_ticket_destroy(fuzz.pool, (gpool_ticket){ *place });
        *place = ticket.id;
    }
}

/* A pass as a program would write it, with handles that may not fit. */
void fuzz_record_all(gpool_recorder rec)
{
    gpool_binding binding = { .buffer = BUFFER, .texture = TEXTURE, .sampler = SAMPLER };
    uint32_t offset = 0;
    if (fuzz_pick(8) != 0) {
        gpool_end_pass(rec);
    }
    if (fuzz_pick(3) == 0) {
        gpool_begin_compute(rec, NULL);
    } else {
        gpool_render_desc desc = { .color[0] = { .texture =
                                                     fuzz_pick(2) == 0 ? TEXTURE : fuzz.target } };
        desc.depth.texture = fuzz_pick(4) == 0 ? TEXTURE : (gpool_texture){ 0 };
        gpool_begin_render(rec, &desc);
    }
    for (uint32_t n = fuzz_pick(4) + 1; n > 0; --n) {
        gpool_set_pipeline(rec, fuzz_pick(2) == 0 ? PIPELINE : fuzz.fill);
        gpool_set_uniforms(rec, 0, fuzz.bytes, (uint64_t)fuzz_pick(3) * 16 + 4);
        if (fuzz_pick(2) == 0) {
            gpool_set_bindings(rec, fuzz_pick(2), LAYOUT, &binding, 1, &offset, fuzz_pick(2));
        }
        gpool_set_vertex_buffer(rec, 0, BUFFER, (uint64_t)fuzz_pick(8) * 4);
        gpool_set_index_buffer(rec, BUFFER, (WGPUIndexFormat)(fuzz_pick(2) + 1),
                               (uint64_t)fuzz_pick(8) * 2);
        if (fuzz_pick(8) == 0) {
            fuzz_destroy_some();
        }
        gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 3, .instance_count = fuzz_pick(3) });
        gpool_draw(rec, &(gpool_draw_args){ .index_count = 3, .first_index = fuzz_pick(3) });
        gpool_draw_indirect(rec, BUFFER, (uint64_t)fuzz_pick(8) * 4, fuzz_pick(2) == 0);
        gpool_dispatch(rec, 1, 1, 1);
        gpool_dispatch_indirect(rec, BUFFER, (uint64_t)fuzz_pick(8) * 4);
    }
    if (fuzz_pick(10) != 0) {
        gpool_end_pass(rec);
    }
}
