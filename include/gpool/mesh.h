/* gpool/mesh.h: geometry that shares few large buffers. */
#ifndef GPOOL_MESH_H
#define GPOOL_MESH_H

#include <gpool/buffer.h>
#include <gpool/range.h>

#ifdef __cplusplus
extern "C" {
#endif

/** One half of a mesh. */
typedef enum gpool_mesh_part {
    GPOOL_MESH_VERTICES, /**< its vertices */
    GPOOL_MESH_INDICES,  /**< its indices */
    GPOOL_MESH_PARTS     /**< number of parts */
} gpool_mesh_part;

/**
 * What a mesh is and where it lies. Places are good until the version rises: after a gpool_mesh_resize(),
 * a gpool_recover(), or a gpool_begin_frame() in which the heap moved it. What is recorded with a place
 * stays right: the bytes there are kept until the GPU is done with them and the delete delay is over.
 */
typedef struct gpool_mesh_info {
    gpool_buffer vertex_buffer;   /**< slab that holds the vertices; null without vertices */
    uint64_t vertex_offset;       /**< bytes from its start, a multiple of vertex_stride */
    uint64_t vertex_bytes;        /**< vertex_count * vertex_stride */
    uint32_t vertex_stride;       /**< bytes from vertex to vertex */
    uint32_t vertex_count;        /**< vertices */
    int32_t base_vertex;          /**< vertex_offset / vertex_stride: base or first vertex of draws
                                       with the whole slab as vertex buffer */
    gpool_buffer index_buffer;    /**< slab that holds the indices; null without indices */
    uint64_t index_offset;        /**< bytes from its start, a multiple of 4 */
    uint64_t index_bytes;         /**< index_count * 2 or 4 */
    WGPUIndexFormat index_format; /**< of the indices */
    uint32_t index_count;         /**< indices */
    uint32_t first_index;         /**< index_offset in indices: first index of draws */
    uint64_t version;             /**< rises when a place changes */
    uint64_t created_frame;       /**< frame of creation */
    gpool_heap heap;              /**< heap it lies in */
    gpool_keep keep;              /**< SHADOW, or DROP: only the GPU has its bytes */
    bool pinned;                  /**< it is never moved */
    bool failed;                  /**< its slab could not be made again; does nothing */
    const char *label;            /**< valid until the mesh is destroyed */
} gpool_mesh_info;

/**
 * Tells that meshes of a heap were moved: of each, once, when its new place is good. Called inside
 * gpool_begin_frame(), on its thread. It may destroy, release and retain; all other calls are refused
 * as gpool_create() tells.
 *
 * @param user gpool_heap_desc.moved_user
 * @param mesh handle, as gpool_mesh_create() returned it
 * @param info where it lies now
 */
typedef void (*gpool_moved_fn)(void *user, gpool *pool, gpool_mesh mesh,
                               const gpool_mesh_info *info);

/**
 * Brings the bytes of a mesh that only the GPU had, for gpool_recover(). The same rules as for
 * gpool_moved_fn.
 *
 * @param user     gpool_mesh_desc.refill_user
 * @param mesh     handle, as gpool_mesh_create() returned it
 * @param info     what it is
 * @param vertices info->vertex_bytes zeros, to be filled; NULL without vertices
 * @param indices  info->index_bytes zeros, to be filled; NULL without indices
 * @return GPOOL_OK; anything else counts the mesh as lost: its bytes are zeros
 */
typedef gpool_result (*gpool_fill_mesh_fn)(void *user, gpool *pool, gpool_mesh mesh,
                                           const gpool_mesh_info *info, void *vertices,
                                           void *indices);

/** How gpool_heap_create() makes a heap. All zero is a good default. */
typedef struct gpool_heap_desc {
    uint64_t slab_size; /**< bytes of a slab, at most 4 GiB and the device's maxBufferSize;
                                   0 = 16 MiB. A part of more than half of it gets a slab of its own */
    uint64_t budget;    /**< most bytes of all its slabs; 0 = no limit */
    uint64_t
        compact_bytes;     /**< bytes to copy each frame as gpool_heap_compact() does; 0 = only when
                                   asked */
    uint32_t empty_frames; /**< frames after which an empty slab is freed; 0 = 60 */
    gpool_moved_fn moved;  /**< told what was moved; NULL = nobody */
    void *moved_user;      /**< handed to `moved` */
    const char *label;     /**< name in messages and of its slabs, copied; NULL = "" */
    gpool_scope scope;     /**< owner; null = the pool's root scope */
} gpool_heap_desc;

/** What a heap holds. */
typedef struct gpool_heap_info {
    uint64_t slab_size;     /**< bytes of a slab */
    uint64_t budget;        /**< most bytes of all slabs; 0 = no limit */
    uint32_t slab_count;    /**< slabs now, those of their own for large parts too */
    uint32_t mesh_count;    /**< live meshes */
    uint64_t bytes;         /**< GPU bytes of all slabs */
    uint64_t live_bytes;    /**< bytes of live meshes, alignment included */
    uint64_t retired_bytes; /**< bytes given up and not yet free: the GPU may use them */
    uint64_t free_bytes;    /**< the rest */
    uint64_t largest_free;  /**< bytes of the largest free range */
    uint32_t free_ranges;   /**< free ranges */
    float fragmentation;    /**< 1 - the sum of each slab's largest free range / free_bytes; 0 =
                                   the free bytes of each slab are one range */
    uint64_t moves;         /**< parts moved by compaction so far */
    uint64_t moved_bytes;   /**< bytes of those */
    uint64_t copied_bytes;  /**< bytes the GPU copied for that: twice those moved within a slab */
    uint64_t created_frame; /**< frame of creation */
    const char *label;      /**< valid until the heap is destroyed */
} gpool_heap_info;

/** One slab of a heap. */
typedef struct gpool_heap_slab {
    gpool_buffer buffer;   /**< to bind, draw from, copy from and read: see gpool_heap_create() */
    uint64_t size;         /**< bytes */
    uint64_t free_bytes;   /**< bytes in free ranges */
    uint64_t largest_free; /**< bytes of the largest */
    uint32_t free_ranges;  /**< free ranges */
    bool single;           /**< made for one part that is too large for a slab */
    gpool_keep keep;       /**< SHADOW or DROP, as the meshes in it */
} gpool_heap_slab;

/** What a piece of a slab is. */
typedef enum gpool_piece_state {
    GPOOL_PIECE_FREE,   /**< free */
    GPOOL_PIECE_LIVE,   /**< part of a live mesh */
    GPOOL_PIECE_RETIRED /**< given up; the GPU may still use it */
} gpool_piece_state;

/** A piece of a slab, for maps of a heap. */
typedef struct gpool_heap_piece {
    gpool_range range;       /**< bytes of the slab */
    gpool_piece_state state; /**< what it is */
    gpool_mesh mesh;         /**< owner of a live piece; else null */
    gpool_mesh_part part;    /**< which part of it */
} gpool_heap_piece;

/** Where a walk over the pieces of a slab is; all zero = at the beginning. */
typedef struct gpool_heap_cursor {
    gpool_range_cursor live; /**< the last live or retired piece */
    uint64_t word;           /**< end of the last piece, in units of 4 bytes */
} gpool_heap_cursor;

/** How gpool_mesh_create() makes a mesh. Vertices, indices or both. */
typedef struct gpool_mesh_desc {
    gpool_heap heap;              /**< null = the pool's own, gpool_default_heap() */
    const void *vertices;         /**< vertex_count * vertex_stride bytes, copied; NULL = zeros */
    uint32_t vertex_count;        /**< vertices; 0 = none */
    uint32_t vertex_stride;       /**< bytes of a vertex: a multiple of 4, at most 65,536 */
    const void *indices;          /**< index_count indices, copied; NULL = zeros */
    uint32_t index_count;         /**< indices; 0 = none */
    WGPUIndexFormat index_format; /**< 0 = Uint32 */
    gpool_keep keep; /**< 0 and SHADOW: a CPU copy is kept, commands cannot write it; DROP:
                                       none, and commands may: copies, read-write storage bindings */
    bool storage;    /**< parts begin where storage bindings may begin */
    bool pinned;     /**< never moved by compaction */
    gpool_fill_mesh_fn refill; /**< brings what only the GPU had; NULL = nothing does */
    void *refill_user;         /**< handed to `refill` */
    const char *label;         /**< name in messages, copied; NULL = "" */
    gpool_scope scope;         /**< owner; null = the pool's root scope */
} gpool_mesh_desc;

/**
 * Creates a heap: memory for many meshes in few large buffers, its slabs. They are made when meshes need
 * them and freed when they have been empty for a while. A slab can be a vertex, index and indirect buffer
 * and a read-only storage binding, copied from and read back; those of meshes with GPOOL_KEEP_DROP can
 * also be written by copies and storage bindings. It is the heap's: it cannot be destroyed, resized or
 * edited in place.
 *
 * @param desc NULL = all defaults
 * @return the handle; null for a caller's mistake (GPOOL_ERROR_LIMIT: slab_size is over the device's
 *         maxBufferSize or 4 GiB; GPOOL_ERROR_OUT_OF_RANGE: it is under 4,096 or no multiple of 4; a
 *         handle error of the scope) or GPOOL_ERROR_OUT_OF_MEMORY.
 * Thread: owner. Allocates: yes, no GPU memory.
 */
GPOOL_API gpool_heap gpool_heap_create(gpool *pool, const gpool_heap_desc *desc);

/** The heap of meshes that name none; made at the first such mesh, or here. Null without memory. Thread:
 * owner. Allocates: the first time. */
GPOOL_API gpool_heap gpool_default_heap(gpool *pool);

/**
 * Destroys a heap with all meshes in it. Slabs are freed as buffers are: when the GPU is done.
 *
 * @return GPOOL_OK, also for the null handle; GPOOL_ERROR_INVALID_ARGUMENT for the pool's own; another
 *         handle error.
 * Thread: any; meshes end at the owner's next frame call then. Allocates: never.
 */
GPOOL_API gpool_result gpool_heap_destroy(gpool *pool, gpool_heap heap);

/**
 * Asks to bring free memory of a heap together: the next gpool_begin_frame() copies at most so many bytes
 * on the GPU. Parts move out of the emptiest slab, so that it can be freed, or within a slab, through
 * memory beside it, which copies twice. Versions rise, writes that wait follow, and what a part leaves is
 * kept as if it were destroyed. Pinned meshes and parts too large for the budget stay. Nothing is done
 * when it is not worth it: call it each frame, or set gpool_heap_desc.compact_bytes.
 *
 * @param byte_budget most bytes to copy, for one frame; 0 takes back what was asked
 * @return GPOOL_OK or a handle error.
 * Thread: owner. Allocates: never. Cost: in gpool_begin_frame(), what is moved.
 */
GPOOL_API gpool_result gpool_heap_compact(gpool *pool, gpool_heap heap, uint64_t byte_budget);

/**
 * Tells what a heap holds.
 *
 * @return GPOOL_OK, a handle error or GPOOL_ERROR_INVALID_ARGUMENT (null `info`).
 * Thread: owner. Cost: its slabs.
 */
GPOOL_API gpool_result gpool_heap_get_info(gpool *pool, gpool_heap heap, gpool_heap_info *info);

/**
 * Tells what a slab is.
 *
 * @param index 0 to gpool_heap_info.slab_count - 1
 * @return GPOOL_OK; a handle error; GPOOL_ERROR_OUT_OF_RANGE (no such slab);
 *         GPOOL_ERROR_INVALID_ARGUMENT (null `slab`).
 * Thread: owner.
 */
GPOOL_API gpool_result gpool_heap_get_slab(gpool *pool, gpool_heap heap, uint32_t index,
                                           gpool_heap_slab *slab);

/**
 * Walks the pieces of a slab in the order of their offsets, all of them: they cover it without a gap.
 *
 * @param index  0 to gpool_heap_info.slab_count - 1
 * @param cursor all zero at first, then as the call before left it
 * @param piece  set to the piece; untouched when there is none
 * @return true with a piece; false when there is no more, and for a mistake, which is told. Between two
 *         calls nothing may be created, moved or freed.
 * Thread: owner.
 */
GPOOL_API bool gpool_heap_next_piece(gpool *pool, gpool_heap heap, uint32_t index,
                                     gpool_heap_cursor *cursor, gpool_heap_piece *piece);

/**
 * Creates a mesh in a heap. Equal strides draw from the same slabs, with no rebinding between meshes.
 *
 * @return the handle; null with nothing left behind: GPOOL_ERROR_INVALID_ARGUMENT (null descriptor, no
 *         vertices and no indices, data without a count, an unknown format or keep policy),
 *         GPOOL_ERROR_MISALIGNED (a stride that is 0, no multiple of 4 or over 65,536),
 *         GPOOL_ERROR_LIMIT (a part is over the device's maxBufferSize), GPOOL_ERROR_BUDGET (the heap's),
 *         GPOOL_ERROR_OUT_OF_MEMORY, GPOOL_ERROR_OUT_OF_GPU_MEMORY, GPOOL_ERROR_GPU,
 *         GPOOL_ERROR_DEVICE_LOST, or a handle error of heap or scope.
 * Thread: owner. Allocates: a slab, now and then. Cost: the copy.
 */
GPOOL_API gpool_mesh gpool_mesh_create(gpool *pool, const gpool_mesh_desc *desc);

/**
 * Writes bytes of a mesh: as gpool_buffer_write() does, seen by every command of the next submit.
 *
 * @param offset bytes from the start of the part; any alignment, but with GPOOL_KEEP_DROP a multiple of 4
 * @param data   `size` bytes, copied
 * @param size   bytes; 0 does nothing; with GPOOL_KEEP_DROP a multiple of 4, or up to the part's end
 * @return GPOOL_OK; a handle error; GPOOL_ERROR_FAILED_RESOURCE; GPOOL_ERROR_INVALID_ARGUMENT (null data,
 *         unknown part); GPOOL_ERROR_OUT_OF_RANGE; with GPOOL_KEEP_DROP also GPOOL_ERROR_MISALIGNED,
 *         GPOOL_ERROR_GPU, GPOOL_ERROR_OUT_OF_GPU_MEMORY, GPOOL_ERROR_OUT_OF_MEMORY and
 *         GPOOL_ERROR_DEVICE_LOST.
 * Thread: owner. Allocates: never with a shadow. Cost: the copy.
 */
GPOOL_API gpool_result gpool_mesh_write(gpool *pool, gpool_mesh mesh, gpool_mesh_part part,
                                        uint64_t offset, const void *data, uint64_t size);

/**
 * Changes the counts; content up to the smaller ones is kept, the rest is zeros. Handle, stride and
 * format stay, the version rises. Counts as they are do nothing. (A copy on the GPU takes whole words: one
 * of an odd number of 16-bit indices brings one more, which is content, too.)
 *
 * @param vertex_count vertices; 0 = none
 * @param index_count  indices; 0 = none
 * @return GPOOL_OK; a handle error; GPOOL_ERROR_FAILED_RESOURCE; GPOOL_ERROR_INVALID_ARGUMENT (both are 0,
 *         or vertices for a mesh without a stride); GPOOL_ERROR_RECORDED (gpool_set_mesh() or
 *         gpool_draw_mesh() named it in the open recording); GPOOL_ERROR_MISALIGNED (with GPOOL_KEEP_DROP
 *         a smaller, odd number of 16-bit indices); and as gpool_mesh_create(). On an error the mesh is
 *         as before.
 * Thread: owner. Allocates: as gpool_mesh_create(). Cost: the content once.
 */
GPOOL_API gpool_result gpool_mesh_resize(gpool *pool, gpool_mesh mesh, uint32_t vertex_count,
                                         uint32_t index_count);

/**
 * Keeps a mesh where it is, or lets compaction move it again: for places that are kept elsewhere, such as
 * arguments of indirect draws.
 *
 * @return GPOOL_OK or a handle error.
 * Thread: owner.
 */
GPOOL_API gpool_result gpool_mesh_pin(gpool *pool, gpool_mesh mesh, bool pinned);

/**
 * Tells what a mesh is and where it lies.
 *
 * @return GPOOL_OK, a handle error or GPOOL_ERROR_INVALID_ARGUMENT (null `info`).
 * Thread: owner.
 */
GPOOL_API gpool_result gpool_mesh_get_info(gpool *pool, gpool_mesh mesh, gpool_mesh_info *info);

/**
 * Destroys a mesh. The handle is stale at once; work recorded before still runs, and its memory is free
 * again when the GPU is done and the delay has passed.
 *
 * @return GPOOL_OK, also for the null handle; another handle error.
 * Thread: any. Allocates: never.
 */
GPOOL_API gpool_result gpool_mesh_destroy(gpool *pool, gpool_mesh mesh);

#ifdef __cplusplus
}
#endif
#endif
