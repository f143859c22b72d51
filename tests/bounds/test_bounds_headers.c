/*
 * The table of all public functions: which numbers each takes, and the tests that try every pair of
 * boundary values in them. The headers are read, so that a new function without a row fails here.
 */
#include "bounds.h"

#include <ctype.h>
#include <dirent.h>

typedef struct row {
    const char *function;
    const char *numbers; /* "" = takes none */
    const char *tests;   /* in tests/bounds, parted by blanks */
} row;

/* clang-format off */
static const row rows[] = {
    /* base.h */
    { "gpool_result_name", "result",
      "names_of_any_number" },
    { "gpool_result_text", "result",
      "names_of_any_number" },
    { "gpool_log_name", "id",
      "names_of_any_number" },
    { "gpool_log_text", "id",
      "names_of_any_number" },
    { "gpool_version", "", "" },
    /* bind.h */
    { "gpool_layout_create", "entry_count, binding, type, stages, min_size",
      "entry_counts_and_numbers_of_layouts least_sizes_types_and_stages_of_layouts" },
    { "gpool_layout_destroy", "", "" },
    { "gpool_uniform_layout", "", "" },
    { "gpool_layout_gpu", "", "" },
    /* buffer.h */
    { "gpool_buffer_create", "size, usage",
      "sizes_and_limits_of_create usages_of_create_and_access_are_enumerations" },
    { "gpool_buffer_import", "size of the object",
      "sizes_of_imports" },
    { "gpool_buffer_write", "offset, size",
      "offsets_and_sizes_of_write_and_read sizes_of_imports fault_row_16_the_four_byte_rule" },
    { "gpool_buffer_write_elements", "first, count, stride",
      "firsts_counts_and_strides_of_elements" },
    { "gpool_buffer_write_scattered", "indices, count, stride",
      "indices_counts_and_strides_of_scattered_elements indices_in_the_shadow_that_is_written_are_refused "
      "scattered_elements_of_imports_take_copy_target" },
    { "gpool_buffer_edit", "offset, size",
      "offsets_and_sizes_of_edits" },
    { "gpool_upload_explain", "", "" },
    { "gpool_buffer_resize", "size",
      "sizes_of_resize" },
    { "gpool_buffer_destroy", "", "" },
    { "gpool_buffer_get_info", "", "" },
    { "gpool_buffer_read", "offset, size",
      "offsets_and_sizes_of_write_and_read sizes_of_imports" },
    { "gpool_buffer_gpu", "access",
      "usages_of_create_and_access_are_enumerations" },
    /* device.h */
    { "gpool_header_fingerprint_here", "", "" },
    { "gpool_webgpu_header", "", "" },
    { "gpool_device_open_checked", "feature counts, limits",
      "features_and_limits_of_devices" },
    { "gpool_device_adopt_checked", "", "" },
    { "gpool_device_open", "feature counts, limits",
      "features_and_limits_of_devices" },
    { "gpool_device_adopt", "", "" },
    { "gpool_device_retain", "", "" },
    { "gpool_device_release", "", "" },
    { "gpool_device_notify_error", "type, message.length",
      "lengths_of_messages" },
    { "gpool_device_notify_lost", "reason, message.length",
      "lengths_of_messages" },
    { "gpool_device_get_info", "", "" },
    { "gpool_device_get_blob_stats", "", "" },
    { "gpool_device_has_feature", "feature",
      "counters_and_features_of_any_number" },
    { "gpool_device_gpu", "", "" },
    { "gpool_device_raw_instance", "", "" },
    { "gpool_device_raw_adapter", "", "" },
    { "gpool_device_raw", "", "" },
    { "gpool_device_raw_queue", "", "" },
    { "gpool_device_submitted", "", "" },
    { "gpool_device_done", "", "" },
    { "gpool_device_poll", "", "" },
    { "gpool_device_wait", "serial, timeout_ms",
      "serials_and_times_of_waits" },
    /* dirty.h */
    { "gpool_dirty_target", "", "" },
    { "gpool_dirty_mark", "frame",
      "sizes_and_frames_of_tracked_values" },
    { "gpool_dirty_is", "", "" },
    { "gpool_dirty_lag", "", "" },
    { "gpool_dirty_begin", "", "" },
    { "gpool_dirty_clear", "target",
      "sizes_and_frames_of_tracked_values" },
    { "gpool_dirty_view_is", "", "" },
    { "gpool_dirty_view_lag", "", "" },
    { "gpool_dirty_view_begin", "", "" },
    { "gpool_dirty_view_clear", "target",
      "sizes_and_frames_of_tracked_values" },
    { "gpool_tracked_set", "size, frame",
      "sizes_and_frames_of_tracked_values" },
    { "gpool_tracked_mark", "frame",
      "sizes_and_frames_of_tracked_values" },
    { "gpool_tracked_update", "frame",
      "sizes_and_frames_of_tracked_values" },
    /* dirty_graph.h */
    { "gpool_dirty_node_index", "", "" },
    { "gpool_dirty_graph_create", "", "" },
    { "gpool_dirty_graph_destroy", "", "" },
    { "gpool_dirty_graph_add", "", "" },
    { "gpool_dirty_graph_remove", "ids",
      "numbers_of_dirty_graphs" },
    { "gpool_dirty_graph_connect", "ids",
      "numbers_of_dirty_graphs" },
    { "gpool_dirty_graph_disconnect", "ids",
      "numbers_of_dirty_graphs" },
    { "gpool_dirty_graph_find_path", "capacity",
      "numbers_of_dirty_graphs" },
    { "gpool_dirty_graph_set_trigger", "ids",
      "numbers_of_dirty_graphs" },
    { "gpool_dirty_graph_mark", "ids",
      "numbers_of_dirty_graphs" },
    { "gpool_dirty_graph_begin_pass", "pass, time",
      "numbers_of_dirty_graphs" },
    { "gpool_dirty_graph_update", "", "" },
    { "gpool_dirty_graph_update_all", "", "" },
    { "gpool_dirty_graph_is_clean", "", "" },
    { "gpool_dirty_graph_all_clean", "", "" },
    { "gpool_dirty_graph_check", "ids",
      "numbers_of_dirty_graphs" },
    { "gpool_dirty_graph_flag", "ids",
      "numbers_of_dirty_graphs" },
    { "gpool_dirty_graph_get_stats", "", "" },
    /* gpu.h */
    { "gpool_gpu_load", "", "" },
    /* handle.h */
    { "gpool_handle_kind", "id",
      "fields_of_handles" },
    { "gpool_handle_slot", "id",
      "fields_of_handles" },
    { "gpool_handle_tag", "id",
      "fields_of_handles" },
    { "gpool_handle_generation", "id",
      "fields_of_handles" },
    /* inspect.h */
    { "gpool_get_stats", "", "" },
    { "gpool_gpu_call_count", "function",
      "counters_and_features_of_any_number" },
    { "gpool_kind_name", "kind",
      "names_of_any_number" },
    /* linked.h */
    { "gpool_gpu_complete", "", "" },
    { "gpool_gpu_linked", "", "" },
    /* mesh.h */
    { "gpool_heap_create", "slab_size, budget, compact_bytes, empty_frames",
      "sizes_and_budgets_of_heaps" },
    { "gpool_default_heap", "", "" },
    { "gpool_heap_destroy", "", "" },
    { "gpool_heap_compact", "byte_budget",
      "sizes_and_budgets_of_heaps" },
    { "gpool_heap_get_info", "", "" },
    { "gpool_heap_get_slab", "index",
      "indices_of_slabs" },
    { "gpool_heap_next_piece", "index",
      "indices_of_slabs" },
    { "gpool_mesh_create", "counts, stride, format, keep",
      "counts_and_strides_of_meshes enumerations_and_pointers_of_meshes" },
    { "gpool_mesh_write", "part, offset, size",
      "offsets_and_sizes_of_mesh_writes" },
    { "gpool_mesh_resize", "counts",
      "counts_of_mesh_resizes" },
    { "gpool_mesh_pin", "", "" },
    { "gpool_mesh_get_info", "", "" },
    { "gpool_mesh_destroy", "", "" },
    /* pipeline.h */
    { "gpool_render_pipeline_create", "stride, offset, location, samples, masks, bias, layouts",
      "numbers_of_vertex_layouts samples_masks_and_depth_of_pipelines groups_of_pipelines" },
    { "gpool_compute_pipeline_create", "", "" },
    { "gpool_pipeline_status", "", "" },
    { "gpool_pipeline_wait", "timeout_ns",
      "times_of_waits_for_compiles" },
    { "gpool_pipeline_version", "", "" },
    { "gpool_pipeline_destroy", "", "" },
    /* pool.h */
    { "gpool_create", "frames, delay, time",
      "frames_delays_and_times_of_pools" },
    { "gpool_destroy", "", "" },
    { "gpool_own", "", "" },
    { "gpool_last_error", "", "" },
    { "gpool_pool_device", "", "" },
    { "gpool_frame", "", "" },
    { "gpool_begin_frame", "", "" },
    { "gpool_submit", "", "" },
    { "gpool_process_uploads", "", "" },
    { "gpool_process_deletions", "", "" },
    { "gpool_end_frame", "", "" },
    { "gpool_tick", "", "" },
    { "gpool_wait_idle", "", "" },
    { "gpool_note_external_submit", "", "" },
    /* range.h */
    { "gpool_dirty_map_create", "size, granule",
      "sizes_and_granules_of_dirty_maps" },
    { "gpool_dirty_map_destroy", "", "" },
    { "gpool_dirty_map_mark", "offset, size",
      "numbers_of_dirty_maps" },
    { "gpool_dirty_map_mark_shared", "offset, size",
      "numbers_of_dirty_maps" },
    { "gpool_dirty_map_mark_all", "", "" },
    { "gpool_dirty_map_mark_from", "", "" },
    { "gpool_dirty_map_clear", "", "" },
    { "gpool_dirty_map_clear_range", "offset, size",
      "numbers_of_dirty_maps" },
    { "gpool_dirty_map_state", "", "" },
    { "gpool_dirty_map_next", "gap, align, cursor",
      "numbers_of_dirty_maps" },
    { "gpool_dirty_map_count", "gap, align",
      "numbers_of_dirty_maps" },
    { "gpool_range_allocator_memory", "max_nodes",
      "sizes_and_nodes_of_range_allocators" },
    { "gpool_range_allocator_create", "size, max_nodes, memory_size",
      "sizes_and_nodes_of_range_allocators" },
    { "gpool_range_allocator_destroy", "", "" },
    { "gpool_range_alloc", "size, align, user",
      "sizes_alignments_and_growth_of_ranges" },
    { "gpool_range_free", "offset, node, stamp",
      "offsets_nodes_and_stamps_of_ranges" },
    { "gpool_range_get", "offset, node, stamp",
      "offsets_nodes_and_stamps_of_ranges" },
    { "gpool_range_allocator_grow", "size",
      "sizes_alignments_and_growth_of_ranges" },
    { "gpool_range_allocator_next", "cursor",
      "offsets_nodes_and_stamps_of_ranges" },
    { "gpool_range_allocator_next_free", "cursor",
      "offsets_nodes_and_stamps_of_ranges" },
    { "gpool_range_allocator_report", "", "" },
    { "gpool_range_allocator_validate", "", "" },
    { "gpool_range_plan_moves", "budget, capacity, align",
      "budgets_and_alignments_of_moves" },
    /* record.h */
    { "gpool_frame_recorder", "", "" },
    { "gpool_begin_render", "level, layer, load, store, clears",
      "levels_and_layers_of_attachments loads_stores_and_clears_of_attachments" },
    { "gpool_begin_compute", "", "" },
    { "gpool_end_pass", "", "" },
    { "gpool_set_pipeline", "", "" },
    { "gpool_skip_not_ready", "", "" },
    { "gpool_set_vertex_buffer", "slot, offset",
      "slots_and_offsets_of_vertex_buffers" },
    { "gpool_set_index_buffer", "format, offset",
      "formats_and_offsets_of_index_buffers" },
    { "gpool_set_bindings", "group, counts, offsets, sizes, dynamic offsets, views",
      "offsets_and_sizes_of_bindings dynamic_offsets_of_bindings groups_and_counts_of_bindings views_of_bindings" },
    { "gpool_set_uniforms", "group, size",
      "groups_and_sizes_of_uniforms groups_of_pipelines" },
    { "gpool_set_viewport", "all six",
      "pairs_of_viewport" },
    { "gpool_set_scissor", "all four",
      "pairs_of_scissor" },
    { "gpool_set_blend_constant", "rgba",
      "pairs_of_viewport" },
    { "gpool_set_stencil_reference", "reference",
      "pairs_of_scissor" },
    { "gpool_draw", "counts, firsts, base_vertex",
      "counts_and_firsts_of_draws counts_and_firsts_of_indexed_draws" },
    { "gpool_set_mesh", "slot",
      "slots_firsts_and_counts_of_mesh_draws" },
    { "gpool_draw_mesh", "first, count",
      "slots_firsts_and_counts_of_mesh_draws" },
    { "gpool_draw_indirect", "offset",
      "offsets_of_indirect_arguments" },
    { "gpool_dispatch", "x, y, z",
      "workgroups_of_dispatches" },
    { "gpool_dispatch_indirect", "offset",
      "offsets_of_indirect_arguments" },
    { "gpool_copy_buffer", "offsets, size",
      "offsets_and_sizes_of_copy_buffer" },
    { "gpool_record_write", "offset, size",
      "offsets_and_sizes_of_recorded_writes" },
    { "gpool_clear_buffer", "offset, size",
      "offsets_and_sizes_of_clear_buffer" },
    { "gpool_copy_texture", "both regions",
      "source_regions_of_copy_texture target_regions_of_copy_texture layers_and_levels_within_one_texture" },
    { "gpool_texture_generate_mips", "range",
      "ranges_of_generate_mips" },
    { "gpool_copy_texture_to_buffer", "region, offset, bytes_per_row",
      "regions_of_copies_to_buffers offsets_and_strides_of_buffers_and_textures" },
    { "gpool_copy_buffer_to_texture", "region, offset, bytes_per_row",
      "regions_of_copies_from_buffers offsets_and_strides_of_buffers_and_textures" },
    { "gpool_push_group", "", "" },
    { "gpool_pop_group", "", "" },
    { "gpool_set_raw_render_pipeline", "", "" },
    { "gpool_set_raw_compute_pipeline", "", "" },
    { "gpool_set_raw_bind_group", "group, count",
      "groups_and_counts_of_bindings" },
    { "gpool_recorder_encoder", "", "" },
    { "gpool_recorder_render_pass", "", "" },
    { "gpool_recorder_compute_pass", "", "" },
    { "gpool_recorder_finish_raw", "", "" },
    /* store.h */
    { "gpool_store_open", "max_bytes, max_entry_bytes, mode",
      "caps_and_modes_of_stores" },
    { "gpool_store_close", "", "" },
    { "gpool_store_load", "key_size",
      "sizes_of_keys_and_payloads" },
    { "gpool_store_free_data", "", "" },
    { "gpool_store_save", "key_size, size",
      "sizes_of_keys_and_payloads caps_and_modes_of_stores" },
    { "gpool_store_remove", "key_size",
      "sizes_of_keys_and_payloads" },
    { "gpool_store_clear", "", "" },
    { "gpool_store_verify", "", "" },
    { "gpool_store_list", "", "" },
    { "gpool_store_get_stats", "", "" },
    { "gpool_store_directory", "", "" },
    { "gpool_store_reason_text", "reason",
      "names_of_reasons" },
    /* stream.h */
    { "gpool_stream_alloc", "size, alignment",
      "sizes_and_alignments_of_slices" },
    { "gpool_stream_buffer", "slice",
      "fields_of_slices" },
    /* readback.h */
    { "gpool_read_buffer", "offset, size",
      "offsets_and_sizes_of_read_buffer" },
    { "gpool_read_texture", "region",
      "regions_of_read_texture" },
    { "gpool_ticket_status", "", "" },
    { "gpool_ticket_take", "target_size",
      "sizes_of_targets_and_times_of_waits" },
    { "gpool_ticket_wait", "timeout_ns",
      "sizes_of_targets_and_times_of_waits" },
    { "gpool_ticket_destroy", "", "" },
    { "gpool_ticket_get_info", "", "" },
    /* recover.h */
    { "gpool_recover", "", "" },
    /* scope.h */
    { "gpool_scope_create", "", "" },
    { "gpool_scope_end", "", "" },
    { "gpool_scope_get_info", "", "" },
    { "gpool_retain", "id",
      "ids_of_shared_ownership" },
    { "gpool_release", "id",
      "ids_of_shared_ownership" },
    { "gpool_move", "id",
      "ids_of_shared_ownership" },
    /* shader.h */
    { "gpool_shader_create", "size",
      "sizes_of_shaders" },
    { "gpool_shader_from_file", "", "" },
    { "gpool_shader_status", "", "" },
    { "gpool_shader_wait", "timeout_ns",
      "times_of_waits_for_compiles" },
    { "gpool_shader_get_info", "", "" },
    { "gpool_shader_binding", "", "" },
    { "gpool_shader_dirty", "", "" },
    { "gpool_shader_add_root", "", "" },
    { "gpool_shader_set_file", "size",
      "sizes_of_virtual_files" },
    { "gpool_shader_file_changed", "", "" },
    { "gpool_shader_file", "index",
      "numbers_of_files_of_shaders" },
    { "gpool_shader_destroy", "", "" },
    /* texture.h */
    { "gpool_texture_create", "extent, levels, samples, usage, data_size, bytes_per_row",
      "extents_levels_and_samples_of_create data_and_strides_of_create enumerations_of_textures" },
    { "gpool_texture_import", "extent and levels of the object",
      "extents_of_imports" },
    { "gpool_texture_write", "region, data_size, bytes_per_row",
      "regions_of_texture_write regions_of_texture_write_with_a_shadow "
      "sizes_and_strides_of_texture_write_and_read" },
    { "gpool_texture_edit", "region",
      "regions_of_texture_edit" },
    { "gpool_texture_resize", "extent",
      "extents_of_resize" },
    { "gpool_texture_destroy", "", "" },
    { "gpool_texture_get_info", "", "" },
    { "gpool_texture_read", "region, target_size",
      "regions_of_texture_read sizes_and_strides_of_texture_write_and_read" },
    { "gpool_texture_gpu", "access",
      "enumerations_of_textures" },
    { "gpool_texture_gpu_view", "levels, layers, dimension, access",
      "levels_and_layers_of_views enumerations_of_textures" },
    { "gpool_sampler_create", "lod_min, lod_max, max_anisotropy, enumerations",
      "levels_and_anisotropy_of_samplers" },
    { "gpool_sampler_destroy", "", "" },
    { "gpool_sampler_get_desc", "", "" },
    { "gpool_sampler_gpu", "", "" },
    /* upload.h */
    { "gpool_upload_way_name", "way",
      "names_of_ways_and_reasons" },
    { "gpool_upload_reason_name", "reason",
      "names_of_ways_and_reasons" },
    /* warm_up.h */
    { "gpool_warm_up", "", "" },
};
/* clang-format on */

/* One declaration of the headers. */
typedef struct declaration {
    char name[64];
    char arguments[512];
    char comment[4096];
} declaration;

static declaration declarations[512];
static size_t declaration_count;
static char *sources; /* all of tests/bounds */
static char *handles; /* the operations on handles */
static char *threads; /* those, and the calls of strangers */

/* Appends a file to a text. */
static char *read_more(char *text, const char *path)
{
    size_t size = text != NULL ? strlen(text) : 0;
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char block[4096];
    size_t got;
    while ((got = fread(block, 1, sizeof block, file)) > 0) {
        char *longer = realloc(text, size + got + 1);
        assert_non_null(longer);
        text = longer;
        memcpy(text + size, block, got);
        size += got;
        text[size] = '\0';
    }
    (void)fclose(file);
    return text;
}

static char *read_all(const char *folder, const char *ending)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", BOUNDS_ROOT, folder);
    DIR *directory = opendir(path);
    assert_non_null(directory);
    char *text = NULL;
    struct dirent *entry;
    while ((entry = readdir(directory)) != NULL) {
        size_t length = strlen(entry->d_name);
        if (length < 3 || strcmp(entry->d_name + length - 2, ending) != 0) {
            continue;
        }
        (void)snprintf(path, sizeof path, "%s/%s/%s", BOUNDS_ROOT, folder, entry->d_name);
        text = read_more(text, path);
    }
    (void)closedir(directory);
    assert_non_null(text);
    return text;
}

static void copy_part(char *target, size_t capacity, const char *from, const char *to)
{
    size_t length = (size_t)(to - from);
    assert_true(length < capacity);
    memcpy(target, from, length);
    target[length] = '\0';
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* The last documentation comment before `at`. */
static void take_comment(declaration *d, const char *text, const char *at)
{
    const char *begin = at;
    while (begin > text && strncmp(begin, "/**", 3) != 0) {
        begin -= 1;
    }
    copy_part(d->comment, sizeof d->comment, begin, strstr(begin, "*/"));
}

static void take_declaration(const char *text, const char *at)
{
    /* The first word before a parenthesis is the name. */
    const char *open = strchr(at, '(');
    const char *end = at + strcspn(at, ";{");
    if (open == NULL || open > end) {
        return;
    }
    const char *name = open;
    while (is_word(name[-1])) {
        name -= 1;
    }
    if (strncmp(name, "gpool_", 6) != 0) {
        return; /* an attribute or a macro */
    }
    assert_true(declaration_count < UNIT_COUNT(declarations));
    declaration *d = &declarations[declaration_count++];
    copy_part(d->name, sizeof d->name, name, open);
    copy_part(d->arguments, sizeof d->arguments, open, end);
    take_comment(d, text, at);
}

static void read_headers(void)
{
    char *text = read_all("include/gpool", ".h");
    static const char *const marks[] = { "\nGPOOL_API ", "\nstatic inline " };
    for (size_t i = 0; i < UNIT_COUNT(marks); ++i) {
        for (const char *at = text; (at = strstr(at, marks[i])) != NULL; ++at) {
            take_declaration(text, at + 1);
        }
    }
    free(text);
}

static const declaration *find_declaration(const char *name)
{
    for (size_t i = 0; i < declaration_count; ++i) {
        if (strcmp(declarations[i].name, name) == 0) {
            return &declarations[i];
        }
    }
    return NULL;
}

static const row *find_row(const char *name)
{
    for (size_t i = 0; i < UNIT_COUNT(rows); ++i) {
        if (strcmp(rows[i].function, name) == 0) {
            return &rows[i];
        }
    }
    return NULL;
}

static void every_function_of_the_headers_has_a_row(void **state)
{
    (void)state;
    assert_true(declaration_count > 100);
    for (size_t i = 0; i < declaration_count; ++i) {
        if (find_row(declarations[i].name) == NULL) {
            fail_msg("%s has no row in tests/bounds/test_bounds_headers.c", declarations[i].name);
        }
    }
    for (size_t i = 0; i < UNIT_COUNT(rows); ++i) {
        if (find_declaration(rows[i].function) == NULL || find_row(rows[i].function) != &rows[i]) {
            fail_msg("%s is in no header, or twice in the table", rows[i].function);
        }
    }
}

/* True when the text has the words, in front of something that is no word. */
static bool has_word(const char *text, const char *word)
{
    for (const char *at = text; (at = strstr(at, word)) != NULL; ++at) {
        if (!is_word(at[strlen(word)]) && (at == text || !is_word(at[-1]))) {
            return true;
        }
    }
    return false;
}

static void every_function_with_numbers_has_tests(void **state)
{
    (void)state;
    static const char *const numbers[] = { "uint64_t",    "uint32_t", "uint16_t",
                                           "int32_t",     "size_t",   "int",
                                           "float",       "double",   "gpool_texture_region",
                                           "gpool_access" };
    for (size_t i = 0; i < declaration_count; ++i) {
        const row *r = find_row(declarations[i].name);
        for (size_t k = 0; r != NULL && k < UNIT_COUNT(numbers); ++k) {
            if (has_word(declarations[i].arguments, numbers[k]) && r->numbers[0] == '\0') {
                fail_msg("%s takes a %s, the table names no test", r->function, numbers[k]);
            }
        }
    }
}

static void every_test_of_the_table_exists_and_calls_the_function(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(rows); ++i) {
        assert_same(rows[i].numbers[0] == '\0', rows[i].tests[0] == '\0');
        const char *at = rows[i].tests;
        while (*at != '\0') {
            char line[128];
            size_t length = strcspn(at, " ");
            (void)snprintf(line, sizeof line, "static void %.*s(void **state)", (int)length, at);
            if (strstr(sources, line) == NULL) {
                fail_msg("%s is tested by %.*s, which is not there", rows[i].function, (int)length,
                         at);
            }
            at += length + strspn(at + length, " ");
        }
        char call[80];
        (void)snprintf(call, sizeof call, "%s(", rows[i].function);
        /* The unchecked variant of a call is what the inline wrapper calls. */
        bool wrapped = strstr(rows[i].function, "_checked") != NULL;
        if (rows[i].tests[0] != '\0' && !wrapped && strstr(sources, call) == NULL) {
            fail_msg("%s is called nowhere in tests/bounds", rows[i].function);
        }
    }
}

static bool has_call(const char *text, const char *function)
{
    char call[80];
    (void)snprintf(call, sizeof call, "%s(", function);
    return strstr(text, call) != NULL;
}

/* tests/bounds/handle_ops.c has every function with a handle. */
static void every_function_with_a_handle_is_in_the_matrix(void **state)
{
    (void)state;
    static const char *const kinds[] = { "gpool_buffer", "gpool_texture", "gpool_sampler",
                                         "gpool_layout", "gpool_shader",  "gpool_pipeline",
                                         "gpool_scope",  "gpool_ticket",  "gpool_heap",
                                         "gpool_mesh",   "gpool_recorder" };
    assert_same(UNIT_COUNT(kinds), GPOOL_KIND_COUNT);
    for (size_t i = 0; i < declaration_count; ++i) {
        bool takes = false;
        for (size_t k = 0; k + 1 < UNIT_COUNT(kinds); ++k) {
            takes = takes || has_word(declarations[i].arguments, kinds[k]);
        }
        if (takes && !has_call(handles, declarations[i].name)) {
            fail_msg("%s takes a handle and is not in tests/bounds/handle_ops.c",
                     declarations[i].name);
        }
    }
}

/* Row 14: every function whose comment says that it is the owner's is called by a stranger. */
static void every_function_of_the_owner_is_called_by_a_stranger(void **state)
{
    (void)state;
    uint32_t count = 0;
    for (size_t i = 0; i < declaration_count; ++i) {
        bool owner = strstr(declarations[i].comment, "Thread: owner.") != NULL;
        count += owner;
        if (owner && !has_call(threads, declarations[i].name)) {
            fail_msg("%s is the owner's and not called in tests/bounds/test_fault_threads.c",
                     declarations[i].name);
        }
    }
    assert_true(count > 60);
}

static int setup(void **state)
{
    (void)state;
    sources = read_all("tests/bounds", ".c");
    handles = read_more(NULL, BOUNDS_ROOT "/tests/bounds/handle_ops.c");
    threads = read_more(NULL, BOUNDS_ROOT "/tests/bounds/handle_ops.c");
    threads = read_more(threads, BOUNDS_ROOT "/tests/bounds/test_fault_threads.c");
    read_headers();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(sources);
    free(handles);
    free(threads);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_function_of_the_headers_has_a_row),
        cmocka_unit_test(every_function_with_numbers_has_tests),
        cmocka_unit_test(every_test_of_the_table_exists_and_calls_the_function),
        cmocka_unit_test(every_function_with_a_handle_is_in_the_matrix),
        cmocka_unit_test(every_function_of_the_owner_is_called_by_a_stranger),
    };
    return cmocka_run_group_tests_name("bounds of headers", tests, setup, teardown);
}
