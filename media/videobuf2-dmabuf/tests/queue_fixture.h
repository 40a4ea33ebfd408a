/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For suites that call what videobuf2 and drivers call: a queue with a buffer.
 */
#ifndef VDB_QUEUE_FIXTURE_H
#define VDB_QUEUE_FIXTURE_H

#include <kunit/test.h>
#include <linux/err.h>
#include <media/videobuf2-dmabuf.h>

#include "kunit.h"

#define SIZE (VDB_CHUNK_SIZE + PAGE_SIZE)
#define OPS (&vb2_dmabuf_memops)

/**
 * struct fixture - what each test begins with
 * @queue: a queue whose device writes, with a buffer of one plane
 * @vb: the buffer
 * @dev: a device on a bus that is not coherent
 */
struct fixture {
	struct vb2_queue queue;
	struct vb2_buffer vb;
	struct device *dev;
};

static const struct vb2_ops queue_ops = {
	.buf_finish = vb2_dmabuf_buf_finish,
};

static inline struct vdb_plane *plane(struct kunit *test)
{
	struct fixture *f = test->priv;

	return f->vb.planes[0].mem_priv;
}

static inline struct vdb_engine *engine(struct kunit *test)
{
	return &plane(test)->own->engine;
}

static inline void alloc(struct kunit *test, struct device *dev,
			 enum dma_data_direction dir)
{
	struct fixture *f = test->priv;
	void *priv;

	f->queue.dma_dir = dir;
	priv = OPS->alloc(&f->vb, dev, SIZE);
	KUNIT_ASSERT_FALSE(test, IS_ERR(priv));
	f->vb.planes[0].mem_priv = priv;
	f->vb.planes[0].length = SIZE;
}

static inline void put(struct kunit *test)
{
	struct fixture *f = test->priv;

	OPS->put(plane(test));
	f->vb.planes[0].mem_priv = NULL;
}

static inline int queue_test_init(struct kunit *test)
{
	struct fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);

	if (!f)
		return -ENOMEM;
	test->priv = f;
	f->dev = vdb_kunit_add_device(test, "queue", VDB_KUNIT_NONCOHERENT);
	f->queue.ops = &queue_ops;
	f->queue.mem_ops = &vb2_dmabuf_memops;
	f->vb.vb2_queue = &f->queue;
	f->vb.num_planes = 1;
	f->vb.memory = VB2_MEMORY_MMAP;
	return 0;
}

static inline void queue_test_exit(struct kunit *test)
{
	struct fixture *f = test->priv;

	if (f && f->vb.planes[0].mem_priv)
		OPS->put(f->vb.planes[0].mem_priv);
}

#endif
