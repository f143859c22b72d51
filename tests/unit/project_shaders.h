/*
 * What the shaders of this project bind: those in strings of its sources, and the sketch's files. A test
 * compares this with the scan; it was checked line by line against the sources. Name, group, binding and kind, as in
 * bindings_text.h; float textures are told as if nobody sampled them.
 */
#ifndef GPOOL_TESTS_PROJECT_SHADERS_H
#define GPOOL_TESTS_PROJECT_SHADERS_H

static const struct {
    const char *file;
    const char *vars;
} project_shaders[] = {
    { "bench/bench_sketch.c", "u 0.0 uniform; picture 1.0 texture 2d unfilterable; soft 1.1"
                              " sampler; table 1.2 read; numbers 0.0 write" },
    { "bench/bench_upload_calls.c", "u 0.0 uniform" },
    { "examples/01_triangle.c", "uniforms 0.0 uniform" },
    { "examples/02_compute.c", "constants 0.0 uniform; numbers 1.0 read; results 1.1 write" },
    { "examples/03_textures.c", "nearest 0.0 sampler; tiles 0.1 texture 2d unfilterable" },
    { "examples/04_recover.c", "shade 0.0 uniform; photo 1.0 texture 2d unfilterable" },
    { "examples/sketch/shaders/scene.wgsl",
      "frame 0.0 uniform; item 1.0 uniform; repeating 2.0 sampler; "
      "clamped 2.1 sampler; nearer 2.2 comparison; shadow_map 2.3 "
      "texture 2d depth; palette 2.4 texture 2d unfilterable; "
      "older_cloud 2.5 texture 2d unfilterable; newer_cloud 2.6 "
      "texture 2d unfilterable; nebula 2.7 texture 2d unfilterable;"
      " depth_map 2.8 texture 2d unfilterable; surface 3.0 texture "
      "2d unfilterable; bumps 3.1 texture 2d unfilterable" },
    { "examples/sketch/shaders/shadow.wgsl", "frame 0.0 uniform; item 1.0 uniform" },
    { "src/pool/scatter.c", "into 0.0 write; sent 0.1 read; head 0.2 uniform" },
    { "src/record/record_mips.c", "above 0.0 texture 2d unfilterable" },
    { "tests/consume/main.c", "color 0.0 uniform" },
    { "tests/fault/fault_contents.c", "color 0.0 uniform; numbers 0.0 write; first 0.0 uniform; "
                                      "numbers 1.0 write; second 1.1 uniform; picture 1.2 texture "
                                      "2d unfilterable; plain 1.3 sampler" },
    { "tests/gpu/fixture.c", "color 0.0 uniform" },
    { "tests/gpu/gpu_buffers_model.c", "words 0.0 write" },
    { "tests/gpu/gpu_fuzz_calls.c", "a 0.0 write" },
    { "tests/gpu/gpu_record_bind.c", "factor 1.0 uniform; picture 1.2 texture 2d unfilterable; "
                                     "soft 1.5 sampler; table 1.7 read; index 0.0 uniform; color "
                                     "0.0 read; rows 0.0 uniform; picture 0.0 texture 2d "
                                     "unfilterable" },
    { "tests/gpu/gpu_record_copy.c", "source 0.0 read; result 0.1 write; factor 1.0 uniform; "
                                     "picture 0.0 storage 2d RGBA8Unorm write" },
    { "tests/gpu/gpu_record_order.c", "color 0.0 uniform; picture 1.0 texture 2d unfilterable; soft"
                                      " 1.1 sampler" },
    { "tests/gpu/gpu_record_pass.c", "u 0.0 uniform" },
    { "tests/gpu/gpu_record_raw.c", "words 0.0 write" },
    { "tests/gpu/gpu_record_refused.c", "color 0.0 uniform; more 1.0 uniform" },
    { "tests/gpu/gpu_recover.c", "uniforms 0.0 uniform; picture 1.0 texture 2d unfilterable; "
                                 "nearest 1.1 sampler; words 1.2 read; words 0.0 write" },
    { "tests/gpu/gpu_shaders.c", "" },
    { "tests/gpu/gpu_steady.c", "u 0.0 uniform; picture 1.0 texture 2d unfilterable; soft 1.1"
                                " sampler; table 1.2 read" },
    { "tests/gpu/gpu_stream.c", "red 0.0 uniform; green 0.1 read; blue 1.0 uniform" },
    { "tests/gpu/gpu_textures_views.c", "picture 0.0 texture 2d unfilterable" },
    { "tests/gpu/gpu_uploads.c", "color 0.0 read" },
    { "tests/gpu/hostile_draws.c", "picture 1.0 texture 2d unfilterable; big 0.0 uniform" },
    { "tests/gpu/hostile_shaders.c", "a 4.0 uniform; a 0.0 uniform ?; a 0.0 write; "
                                     "a 4294967295.0 uniform ?" },
    { "tests/model/model_record.c", "color 0.0 uniform; source 1.0 read; numbers 0.0 write" },
    { "tests/recover/recover_world.c", "color 0.0 uniform; picture 1.0 texture 2d unfilterable; "
                                       "nearest 1.1 sampler; numbers 0.0 write" },
    { "tests/sim/stream_world.h", "one 0.0 uniform; many 0.1 read; sums 0.2 write; two 1.0 "
                                  "uniform" },
    { "tests/sim/test_sim_program.c", "color 0.0 uniform; numbers 0.0 write" },
};

#endif
