/* gpool/gpool.h: all public headers. */
#ifndef GPOOL_GPOOL_H
#define GPOOL_GPOOL_H

#include <gpool/base.h>
#include <gpool/handle.h>
#include <gpool/dirty.h>
#include <gpool/dirty_graph.h>
#include <gpool/range.h>
#include <gpool/store.h>
#include <gpool/gpu.h>
#include <gpool/device.h>
#include <gpool/pool.h>
#include <gpool/scope.h>
#include <gpool/buffer.h>
#include <gpool/mesh.h>
#include <gpool/texture.h>
#include <gpool/bind.h>
#include <gpool/shader.h>
#include <gpool/pipeline.h>
#include <gpool/warm_up.h>
#include <gpool/record.h>
#include <gpool/stream.h>
#include <gpool/readback.h>
#include <gpool/recover.h>
#include <gpool/inspect.h>

#endif
