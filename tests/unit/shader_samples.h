/*
 * The shaders of tests/shaders/ and those of the sketch: each pipeline that can be made of them, with
 * the layouts that it must get. Written by hand from the shaders and the rules in shader/bindings.h; the
 * GPU tests make each pipeline with them.
 */
#ifndef GPOOL_TESTS_SHADER_SAMPLES_H
#define GPOOL_TESTS_SHADER_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>

typedef struct shader_sample {
    const char *file;
    const char *vertex;        /* entry point; NULL = the only one */
    const char *fragment;      /* the same */
    const char *fragment_file; /* module of the fragment stage; NULL = `file` */
    const char *compute;       /* entry point; NULL = a render pipeline */
    int colors;                /* 0 = depth only, no fragment stage */
    int attributes;            /* at locations from 0, four floats each */
    const char *layouts;       /* as in bindings_text.h */
} shader_sample;

#define SHADER_SAMPLES_FOLDER "tests/shaders/"
#define SHADER_SAMPLES_SCENE  "../../examples/sketch/shaders/scene.wgsl"
#define SHADER_SAMPLES_SHADOW "../../examples/sketch/shaders/shadow.wgsl"

static const shader_sample shader_samples[] = {
    { .file = "boids.wgsl", .compute = "fly", .layouts = "0.0 uniform*; 0.1 read; 0.2 write" },
    { .file = "boids.wgsl", .colors = 1, .attributes = 3, .layouts = "" },
    { .file = "shadow_map.wgsl",
      .vertex = "vs_shadow",
      .attributes = 1,
      .layouts = "0.0 uniform*; 1.0 uniform*" },
    { .file = "shadow_map.wgsl",
      .vertex = "vs_main",
      .fragment = "fs_main",
      .colors = 1,
      .attributes = 2,
      .layouts = "0.0 uniform*; 0.1 texture 2d depth; 0.2 comparison; 1.0 uniform*" },
    { .file = "gbuffer.wgsl",
      .vertex = "vs_fill",
      .fragment = "fs_fill",
      .colors = 2,
      .attributes = 3,
      .layouts = "0.0 uniform*; 1.0 uniform*; 1.1 texture 2d float; 1.2 sampler" },
    { .file = "gbuffer.wgsl",
      .vertex = "vs_all",
      .fragment = "fs_light",
      .colors = 1,
      .layouts = "0.0 uniform*; 1.3 texture 2d unfilterable; 1.4 texture 2d unfilterable; "
                 "1.5 texture 2d depth; 2.0 read" },
    { .file = "skybox.wgsl",
      .fragment = "fs_sky",
      .colors = 1,
      .layouts = "0.0 uniform*; 0.1 sampler; 0.2 texture cube float" },
    { .file = "skybox.wgsl",
      .fragment = "fs_mirror",
      .colors = 1,
      .layouts = "0.0 uniform*; 0.1 sampler; 0.3 texture cube_array float" },
    { .file = "blur.wgsl",
      .compute = "main",
      .layouts = "0.0 sampler; 0.1 uniform*; 1.1 texture 2d float; "
                 "1.2 storage 2d RGBA8Unorm write" },
    { .file = "particles.wgsl",
      .compute = "simulate",
      .layouts = "0.0 uniform*; 0.1 write; 0.2 write" },
    { .file = "particles.wgsl",
      .colors = 1,
      .layouts = "0.0 uniform*; 0.1 read; 1.0 texture 2d float; 1.1 sampler" },
    { .file = "instancing.wgsl",
      .colors = 1,
      .attributes = 1,
      .layouts = "0.0 uniform*; 1.0 read; 1.1 read" },
    { .file = "skinning.wgsl",
      .colors = 1,
      .attributes = 4,
      .layouts = "0.0 uniform*; 1.0 uniform*; 2.0 sampler; 2.1 texture 2d float" },
    { .file = "resolve.wgsl",
      .colors = 1,
      .layouts = "0.0 texture 2d unfilterable ms; 0.1 texture 2d depth ms" },
    { .file = "lut.wgsl",
      .colors = 1,
      .layouts = "0.0 texture 2d float; 0.1 texture 3d float; 0.2 texture 1d unfilterable; "
                 "0.3 sampler; 0.4 sampler" },
    { .file = "bitonic.wgsl",
      .compute = "sort_local",
      .layouts = "0.0 read; 0.1 write; 0.2 uniform*; 0.3 write" },
    { .file = "bitonic.wgsl", .compute = "sort_global", .layouts = "0.1 write; 0.2 uniform*" },
    { .file = "voxels.wgsl",
      .colors = 1,
      .layouts = "0.0 uniform*; 0.1 texture 3d uint; 0.2 uniform*; 0.3 texture 2d sint" },
    { .file = "scan.wgsl", .compute = "up", .layouts = "0.0 read; 0.1 write; 0.2 write" },
    { .file = "scan.wgsl", .compute = "down", .layouts = "0.1 write; 0.2 write" },
    { .file = "exposure.wgsl",
      .compute = "count",
      .layouts = "0.0 texture 2d unfilterable; 0.1 write" },
    { .file = "exposure.wgsl", .compute = "settle", .layouts = "0.1 write; 0.2 write" },
    { .file = "exposure.wgsl",
      .colors = 1,
      .layouts = "0.0 texture 2d float; 1.0 read; 1.1 sampler" },
    { .file = "layers.wgsl",
      .compute = "halve",
      .layouts = "0.0 texture 2d_array unfilterable; 0.1 storage 2d_array RGBA16Float write" },
    { .file = "terrain.wgsl",
      .colors = 1,
      .layouts = "0.0 uniform*; 1.0 texture 2d unfilterable; 1.1 texture 2d_array float; "
                 "1.2 texture 2d float; 1.3 sampler" },
    { .file = "ssao.wgsl",
      .compute = "main",
      .layouts = "0.0 texture 2d depth; 0.1 texture 2d unfilterable; 0.2 texture 2d float; "
                 "0.3 sampler; 0.4 uniform*; 0.5 storage 2d R32Float write" },
    { .file = "picking.wgsl",
      .compute = "main",
      .layouts = "0.0 texture 2d uint; 0.1 texture 2d sint; 0.2 texture 2d uint ms; 3.0 write" },
    { .file = "life.wgsl",
      .compute = "main",
      .layouts = "0.0 storage 2d R32Uint read_write; 0.1 storage 2d RGBA8Unorm write; "
                 "0.2 storage 1d RGBA32Float write; 0.3 storage 3d RGBA16Float write" },
    { .file = "fxaa.wgsl",
      .colors = 1,
      .layouts = "0.0 sampler; 0.1 texture 2d float; 0.2 texture 2d unfilterable" },
    { .file = "cascades.wgsl",
      .colors = 1,
      .layouts = "0.0 uniform*; 0.1 texture 2d_array depth; 0.2 texture cube depth; "
                 "0.3 texture cube_array depth; 0.4 comparison; 0.5 texture 2d depth" },
    { .file = "uniforms.wgsl",
      .compute = "main",
      .layouts = "0.0 uniform*; 0.1 uniform*; 0.2 uniform*; 0.3 uniform*; 1.0 uniform*; "
                 "1.1 uniform*; 1.2 uniform*; 2.4 uniform*; 2.9 uniform; 3.1 write" },
    { .file = "uniforms.wgsl",
      .colors = 1,
      .layouts = "0.0 uniform*; 0.1 uniform*; 0.2 uniform*; 0.3 uniform*; 1.0 uniform*; "
                 "1.1 uniform*; 1.2 uniform*; 2.4 uniform; 2.9 uniform; 3.0 uniform*" },
    { .file = "numbers.wgsl",
      .compute = "main",
      .layouts = "0.0 uniform*; 1.0 read; 1.2 texture 2d float; 1.3 sampler; "
                 "1.4 storage 2d RGBA8Unorm write; 1.7 write" },
    { .file = "hidden.wgsl",
      .colors = 1,
      .layouts = "0.0 uniform*; 0.2 uniform*; 0.4 texture 2d unfilterable" },
    { .file = "fluid.wgsl",
      .compute = "advect",
      .layouts = "0.0 uniform*; 0.1 texture 3d unfilterable; 0.2 texture 3d float; 0.3 sampler; "
                 "0.4 storage 3d RGBA16Float write; 0.5 texture 3d unfilterable" },
    { .file = "fullscreen.wgsl",
      .fragment_file = "bloom.wgsl",
      .colors = 1,
      .layouts = "0.0 uniform*; 1.0 uniform*; 1.1 sampler; 1.2 texture 2d float; "
                 "1.3 texture 2d float" },
    { .file = SHADER_SAMPLES_SCENE,
      .vertex = "vs_mesh",
      .fragment = "fs_mesh",
      .colors = 1,
      .attributes = 8,
      .layouts = "0.0 uniform*; 1.0 uniform*; 2.1 sampler; 2.2 comparison; "
                 "2.3 texture 2d depth; 2.4 texture 2d float" },
    { .file = SHADER_SAMPLES_SCENE,
      .vertex = "vs_mesh",
      .fragment = "fs_textured",
      .colors = 1,
      .attributes = 8,
      .layouts = "0.0 uniform*; 1.0 uniform*; 2.0 sampler; 2.1 sampler; 2.2 comparison; "
                 "2.3 texture 2d depth; 2.4 texture 2d float; 3.0 texture 2d float" },
    { .file = SHADER_SAMPLES_SCENE,
      .vertex = "vs_rock",
      .fragment = "fs_rock",
      .colors = 1,
      .attributes = 8,
      .layouts = "0.0 uniform*; 1.0 uniform*; 2.0 sampler; 2.1 sampler; 2.2 comparison; "
                 "2.3 texture 2d depth; 2.4 texture 2d float; 3.0 texture 2d float; "
                 "3.1 texture 2d float" },
    { .file = SHADER_SAMPLES_SCENE,
      .vertex = "vs_ground",
      .fragment = "fs_ground",
      .colors = 1,
      .attributes = 8,
      .layouts = "0.0 uniform*; 1.0 uniform*; 2.0 sampler; 2.2 comparison; 2.3 texture 2d depth; "
                 "2.5 texture 2d float; 2.6 texture 2d float; 3.0 texture 2d float" },
    { .file = SHADER_SAMPLES_SCENE,
      .vertex = "vs_water",
      .fragment = "fs_water",
      .colors = 1,
      .attributes = 0,
      .layouts = "0.0 uniform*; 2.1 sampler; 2.2 comparison; 2.3 texture 2d depth; "
                 "2.4 texture 2d float; 2.8 texture 2d float" },
    { .file = SHADER_SAMPLES_SCENE,
      .vertex = "vs_sky",
      .fragment = "fs_sky",
      .colors = 1,
      .attributes = 0,
      .layouts = "0.0 uniform*; 2.0 sampler; 2.1 sampler; 2.4 texture 2d float; "
                 "2.5 texture 2d float; 2.6 texture 2d float; 2.7 texture 2d float" },
    { .file = SHADER_SAMPLES_SCENE,
      .vertex = "vs_particle",
      .fragment = "fs_particle",
      .colors = 1,
      .attributes = 2,
      .layouts = "0.0 uniform*; 1.0 uniform*" },
    { .file = SHADER_SAMPLES_SHADOW,
      .vertex = "vs_shadow",
      .colors = 0,
      .attributes = 6,
      .layouts = "0.0 uniform*; 1.0 uniform*" },
};

#endif
