/*
 * What a short life costs: buffers where the implementation's own allocator is full of holes, and
 * targets of a screen's size. Ours come from the pool's store; the peer makes and releases raw objects.
 * Buffers live for a frame: they are given up in the next one. Textures are given up at once. Both sides
 * poll in each frame. Times are of the thread that does it.
 */
#include "bench_gpu.h"

#include <stdlib.h>

#define RECYCLE_SIZE     256u
#define RECYCLE_BUFFERS  64u /* of a frame */
#define RECYCLE_TEXTURES 3u  /* of a frame; as many as the default budget keeps */
#define RECYCLE_USAGE    (WGPUBufferUsage_Vertex | WGPUBufferUsage_CopyDst)
#define RECYCLE_WARM     8u /* frames */

typedef struct recycle_state {
    bench_gpu *gpu;
    gpool *pool;
    bool used; /* textures are drawn to: cleared by a pass */
    uint8_t data[RECYCLE_SIZE];
    gpool_buffer ours[RECYCLE_BUFFERS];
    WGPUBuffer raw[RECYCLE_BUFFERS];
    gpool_texture our_textures[RECYCLE_TEXTURES];
    WGPUTexture raw_textures[RECYCLE_TEXTURES];
    WGPUBuffer *holes;
    uint32_t hole_count;
} recycle_state;

static void recycle_begin_ours(recycle_state *s)
{
    bench_require(gpool_begin_frame(s->pool) == GPOOL_OK, "a frame cannot begin");
}

static void recycle_end_ours(recycle_state *s)
{
    bench_require(gpool_end_frame(s->pool) == GPOOL_OK, "a frame failed");
}

static void recycle_buffers_ours(void *state, uint64_t count)
{
    recycle_state *s = state;
    for (uint64_t done = 0; done < count; done += RECYCLE_BUFFERS) {
        gpool_buffer fresh[RECYCLE_BUFFERS];
        recycle_begin_ours(s);
        for (uint32_t i = 0; i < RECYCLE_BUFFERS; ++i) {
            fresh[i] =
                gpool_buffer_create(s->pool, &(gpool_buffer_desc){ .size = RECYCLE_SIZE,
                                                                   .usage = GPOOL_BUFFER_VERTEX });
            (void)gpool_buffer_write(s->pool, fresh[i], 0, s->data, RECYCLE_SIZE);
            (void)gpool_buffer_destroy(s->pool, s->ours[i]);
            s->ours[i] = fresh[i];
        }
        recycle_end_ours(s);
    }
}

static void recycle_buffers_peer(void *state, uint64_t count)
{
    recycle_state *s = state;
    const gpool_gpu *table = s->gpu->table;
    for (uint64_t done = 0; done < count; done += RECYCLE_BUFFERS) {
        for (uint32_t i = 0; i < RECYCLE_BUFFERS; ++i) {
            WGPUBuffer fresh = bench_gpu_make_buffer(s->gpu, RECYCLE_SIZE, RECYCLE_USAGE, false);
            table->QueueWriteBuffer(s->gpu->queue, fresh, 0, s->data, RECYCLE_SIZE);
            if (s->raw[i] != NULL) {
                table->BufferRelease(s->raw[i]);
            }
            s->raw[i] = fresh;
        }
        table->QueueSubmit(s->gpu->queue, 0, NULL);
        bench_gpu_note_frame(s->gpu);
        bench_gpu_wait(s->gpu, 2);
    }
}

/* As many raw buffers again as holes are left between them. */
static void recycle_make_holes(recycle_state *s, uint32_t count)
{
    s->hole_count = count;
    s->holes = bench_alloc(count, sizeof *s->holes);
    WGPUBuffer *gone = bench_alloc(count, sizeof *gone);
    for (uint32_t i = 0; i < count; ++i) {
        s->holes[i] = bench_gpu_make_buffer(s->gpu, RECYCLE_SIZE, RECYCLE_USAGE, false);
        gone[i] = bench_gpu_make_buffer(s->gpu, RECYCLE_SIZE, RECYCLE_USAGE, false);
    }
    for (uint32_t i = 0; i < count; ++i) {
        s->gpu->table->BufferRelease(gone[i]);
    }
    free(gone);
    bench_gpu_poll(s->gpu);
}

static WGPUTexture recycle_make_raw_texture(recycle_state *s)
{
    const WGPUTextureDescriptor desc = {
        .usage =
            WGPUTextureUsage_RenderAttachment | WGPUTextureUsage_CopySrc | WGPUTextureUsage_CopyDst,
        .dimension = WGPUTextureDimension_2D,
        .size = { 1920, 1080, 1 },
        .format = WGPUTextureFormat_RGBA16Float,
        .mipLevelCount = 1,
        .sampleCount = 1,
    };
    return s->gpu->table->DeviceCreateTexture(s->gpu->raw, &desc);
}

static void recycle_clear_raw(recycle_state *s, WGPUTexture texture)
{
    const gpool_gpu *table = s->gpu->table;
    WGPUTextureView view = table->TextureCreateView(texture, NULL);
    WGPUCommandEncoder encoder = table->DeviceCreateCommandEncoder(s->gpu->raw, NULL);
    const WGPURenderPassColorAttachment color = { .view = view,
                                                  .depthSlice = WGPU_DEPTH_SLICE_UNDEFINED,
                                                  .loadOp = WGPULoadOp_Clear,
                                                  .storeOp = WGPUStoreOp_Store };
    const WGPURenderPassDescriptor pass = { .colorAttachmentCount = 1, .colorAttachments = &color };
    WGPURenderPassEncoder render = table->CommandEncoderBeginRenderPass(encoder, &pass);
    table->RenderPassEncoderEnd(render);
    table->RenderPassEncoderRelease(render);
    WGPUCommandBuffer commands = table->CommandEncoderFinish(encoder, NULL);
    table->QueueSubmit(s->gpu->queue, 1, &commands);
    table->CommandBufferRelease(commands);
    table->CommandEncoderRelease(encoder);
    table->TextureViewRelease(view);
}

static void recycle_textures_ours(void *state, uint64_t count)
{
    recycle_state *s = state;
    for (uint64_t done = 0; done < count; done += RECYCLE_TEXTURES) {
        recycle_begin_ours(s);
        for (uint32_t i = 0; i < RECYCLE_TEXTURES; ++i) {
            gpool_texture fresh = gpool_texture_create(
                s->pool, &(gpool_texture_desc){ .width = 1920,
                                                .height = 1080,
                                                .format = WGPUTextureFormat_RGBA16Float,
                                                .usage = GPOOL_TEXTURE_TARGET });
            if (s->used) {
                gpool_recorder rec = gpool_frame_recorder(s->pool);
                gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = fresh } });
                gpool_end_pass(rec);
            }
            (void)gpool_texture_destroy(s->pool, fresh);
        }
        recycle_end_ours(s);
    }
}

static void recycle_textures_peer(void *state, uint64_t count)
{
    recycle_state *s = state;
    for (uint64_t done = 0; done < count; done += RECYCLE_TEXTURES) {
        for (uint32_t i = 0; i < RECYCLE_TEXTURES; ++i) {
            WGPUTexture fresh = recycle_make_raw_texture(s);
            bench_require(fresh != NULL, "a texture cannot be made");
            if (s->used) {
                recycle_clear_raw(s, fresh);
            }
            s->gpu->table->TextureRelease(fresh);
        }
        bench_gpu_note_frame(s->gpu);
        bench_gpu_wait(s->gpu, 2);
    }
}

static bool recycle_open(recycle_state *s, bench_row *row)
{
    *s = (recycle_state){ .gpu = bench_gpu_open(row) };
    if (s->gpu == NULL) {
        return false;
    }
    bench_require(gpool_create(s->gpu->device, NULL, &s->pool) == GPOOL_OK, "there is no pool");
    return true;
}

static void recycle_close(recycle_state *s, bench_row *row, uint64_t made)
{
    gpool_stats stats;
    (void)gpool_get_stats(s->pool, &stats);
    bench_add_counter(row, "hits", (double)stats.recycle_hits);
    /* All that were made before the first came back. */
    bench_add_limited(row, "misses", (double)stats.recycle_misses, (double)(made * RECYCLE_WARM));
    bench_add_counter(row, "recycled_bytes", (double)stats.recycled_bytes);
    for (uint32_t i = 0; i < RECYCLE_BUFFERS; ++i) {
        (void)gpool_buffer_destroy(s->pool, s->ours[i]);
        if (s->raw[i] != NULL) {
            s->gpu->table->BufferRelease(s->raw[i]);
        }
    }
    gpool_destroy(s->pool);
    for (uint32_t i = 0; i < s->hole_count; ++i) {
        s->gpu->table->BufferRelease(s->holes[i]);
    }
    free(s->holes);
}

void bench_recycle_holes(bench_run *run, bench_row *row, uint64_t argument)
{
    recycle_state s;
    if (!recycle_open(&s, row)) {
        return;
    }
    if (s.gpu->is_dawn) {
        row->bar.kind = BENCH_BAR_NONE; /* its allocator does not mind holes */
    }
    recycle_make_holes(&s, (uint32_t)bench_objects(run, argument));
    recycle_buffers_ours(&s, RECYCLE_WARM * RECYCLE_BUFFERS);
    recycle_buffers_peer(&s, RECYCLE_BUFFERS);
    const bench_side ours = { .work = recycle_buffers_ours, .state = &s };
    const bench_side peer = { .name = "raw create, write, release",
                              .work = recycle_buffers_peer,
                              .state = &s };
    bench_measure(run, row, ours, &peer, 4 * RECYCLE_BUFFERS);
    bench_add_counter(row, "holes", s.hole_count);
    recycle_close(&s, row, RECYCLE_BUFFERS);
}

void bench_recycle_texture(bench_run *run, bench_row *row, uint64_t argument)
{
    recycle_state s;
    if (!recycle_open(&s, row)) {
        return;
    }
    s.used = argument != 0;
    if (s.gpu->place != BENCH_PLACE_HARDWARE) {
        row->bar.kind = BENCH_BAR_NONE;
    }
    recycle_textures_ours(&s, RECYCLE_WARM * RECYCLE_TEXTURES);
    recycle_textures_peer(&s, RECYCLE_TEXTURES);
    const bench_side ours = { .work = recycle_textures_ours, .state = &s };
    const bench_side peer = { .name = "raw create, release",
                              .work = recycle_textures_peer,
                              .state = &s };
    bench_measure(run, row, ours, &peer, 10 * RECYCLE_TEXTURES);
    recycle_close(&s, row, RECYCLE_TEXTURES);
}
