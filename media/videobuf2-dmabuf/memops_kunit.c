// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of what videobuf2 calls: hints of one frame, brackets of drivers, a
 * frame's way from prepare to finish, and who is told to be a user.
 */
#include <kunit/test.h>
#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/module.h>
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

static struct vdb_plane *plane(struct kunit *test)
{
	struct fixture *f = test->priv;

	return f->vb.planes[0].mem_priv;
}

static struct vdb_engine *engine(struct kunit *test)
{
	return &plane(test)->own->engine;
}

static void alloc(struct kunit *test, struct device *dev,
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

/* An importer's device that tells nobody what it does. */
static void import(struct kunit *test, struct vdb_kunit_device *d,
		   const char *name, enum dma_data_direction dir)
{
	struct device *dev = vdb_kunit_add_device(test, name,
						  VDB_KUNIT_NONCOHERENT);

	KUNIT_ASSERT_EQ(test, vdb_kunit_map(d, plane(test)->own, dev, dir), 0);
}

static bool memory_has(struct kunit *test)
{
	struct vdb_engine *e = engine(test);

	return e->closed == VDB_MEMORY ||
	       (e->closed < 0 && test_bit(0, e->views[VDB_MEMORY].newest));
}

/* From prepare to finish the device may be writing, and not longer. */
static void frames_are_epochs(struct kunit *test)
{
	struct fixture *f = test->priv;
	void *priv;

	alloc(test, f->dev, DMA_FROM_DEVICE);
	priv = plane(test);
	KUNIT_EXPECT_EQ(test, engine(test)->views[VDB_MEMORY].writing, 0);
	OPS->prepare(priv);
	/* Two planes that are one dma-buf have one mem_priv. */
	OPS->prepare(priv);
	KUNIT_EXPECT_EQ(test, engine(test)->views[VDB_MEMORY].writing, 1);
	OPS->finish(priv);
	KUNIT_EXPECT_EQ(test, engine(test)->views[VDB_MEMORY].writing, 0);
	KUNIT_EXPECT_EQ(test, engine(test)->closed, VDB_MEMORY);
	OPS->finish(priv);
	KUNIT_EXPECT_EQ(test, engine(test)->views[VDB_MEMORY].writing, 0);
}

/* A queue whose device reads changes nothing. */
static void readers_are_no_writers(struct kunit *test)
{
	struct fixture *f = test->priv;

	alloc(test, f->dev, DMA_TO_DEVICE);
	OPS->prepare(plane(test));
	KUNIT_EXPECT_EQ(test, engine(test)->views[VDB_MEMORY].writing, 0);
	OPS->finish(plane(test));
	KUNIT_EXPECT_EQ(test, engine(test)->closed, -1);
}

/* Prepared, never queued, and taken away (VIDIOC_REMOVE_BUFS). */
static void epochs_end_with_the_plane(struct kunit *test)
{
	struct vdb_buffer *buf;
	struct fixture *f = test->priv;

	alloc(test, NULL, DMA_FROM_DEVICE);
	buf = plane(test)->own;
	get_dma_buf(buf->dbuf);
	OPS->prepare(plane(test));
	KUNIT_EXPECT_EQ(test, buf->engine.views[VDB_CPU].writing, 1);
	OPS->put(plane(test));
	f->vb.planes[0].mem_priv = NULL;
	KUNIT_EXPECT_EQ(test, buf->engine.views[VDB_CPU].writing, 0);
	dma_buf_put(buf->dbuf);
}

/* To the first chunk, through a mapping of its own. */
static void process_writes(struct kunit *test, u8 value)
{
	struct vdb_buffer *own = plane(test)->own;

	mutex_lock(&own->lock);
	vdb_coherency_fault(own, 0, false, true);
	mutex_unlock(&own->lock);
	memset(page_address(own->storage.pages[0]), value, PAGE_SIZE);
}

/* vb2 sets hints and never clears them: they are for one frame. */
static void hints_are_used_up(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct vdb_kunit_device d;

	alloc(test, f->dev, DMA_TO_DEVICE);
	d = (struct vdb_kunit_device){ f->dev, plane(test)->att,
				       vdb_attachment_of(plane(test)->att),
				       plane(test)->sgt };
	process_writes(test, 0x33);

	f->vb.skip_cache_sync_on_prepare = 1;
	f->vb.skip_cache_sync_on_finish = 1;
	OPS->prepare(plane(test));
	KUNIT_EXPECT_FALSE(test, f->vb.skip_cache_sync_on_prepare);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read_byte(test, &d, 0), 0);
	OPS->finish(plane(test));
	KUNIT_EXPECT_FALSE(test, f->vb.skip_cache_sync_on_finish);
}

/* What others wrote is no matter of a promise that no process wrote. */
static void hints_are_for_the_cpu_only(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct vdb_kunit_device d;

	alloc(test, f->dev, DMA_TO_DEVICE);
	import(test, &d, "importer", DMA_BIDIRECTIONAL);
	vdb_coherency_wrote(plane(test)->own);
	KUNIT_EXPECT_TRUE(test, memory_has(test));
	vdb_coherency_begin(plane(test)->own, true);
	KUNIT_ASSERT_NOT_NULL(test, vdb_mapping_vmap(plane(test)->own, true));
	memset(page_address(plane(test)->own->storage.pages[0]), 0x33,
	       PAGE_SIZE);
	f->vb.skip_cache_sync_on_prepare = 1;
	OPS->prepare(plane(test));
	KUNIT_EXPECT_EQ(test, vdb_kunit_read_byte(test, &d, 0), 0x33);
	OPS->finish(plane(test));
	vdb_coherency_end(plane(test)->own, true);
	vdb_mapping_vunmap(plane(test)->own, true);
	vdb_kunit_unmap(&d, DMA_BIDIRECTIONAL);
}

/* Nor is what the kernel's CPU wrote, alone with the buffer. */
static void hints_are_for_processes_only(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct vdb_kunit_device d;

	alloc(test, f->dev, DMA_TO_DEVICE);
	d = (struct vdb_kunit_device){ f->dev, plane(test)->att,
				       vdb_attachment_of(plane(test)->att),
				       plane(test)->sgt };
	memset(page_address(plane(test)->own->storage.pages[0]), 0x44,
	       PAGE_SIZE);
	vdb_coherency_wrote(plane(test)->own);
	f->vb.skip_cache_sync_on_prepare = 1;
	OPS->prepare(plane(test));
	KUNIT_EXPECT_EQ(test, vdb_kunit_read_byte(test, &d, 0), 0x44);
	OPS->finish(plane(test));
}

/* Where a driver brackets what its CPU draws, this is what reaches others. */
static void brackets_of_drivers_count(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct vdb_kunit_device d;
	unsigned int i;
	u8 *vaddr;
	int ret;

	for (i = 0; i < 2; i++) {
		/* By the CPU alone, and in its device's place. */
		alloc(test, i ? f->dev : NULL, DMA_FROM_DEVICE);
		import(test, &d, i ? "second" : "first", DMA_BIDIRECTIONAL);
		vaddr = OPS->vaddr(&f->vb, plane(test));
		KUNIT_ASSERT_NOT_NULL(test, vaddr);
		OPS->prepare(plane(test));
		ret = vb2_dmabuf_plane_begin_cpu_access(&f->vb, 0,
							DMA_TO_DEVICE);
		KUNIT_EXPECT_EQ(test, ret, 0);
		memset(vaddr, 0x44, SIZE);
		/* Somebody looks: it must not be overwritten. */
		vdb_coherency_begin(plane(test)->own, false);
		vdb_coherency_end(plane(test)->own, false);
		KUNIT_EXPECT_EQ(test, vaddr[SIZE - 1], 0x44);
		ret = vb2_dmabuf_plane_end_cpu_access(&f->vb, 0, DMA_TO_DEVICE);
		KUNIT_EXPECT_EQ(test, ret, 0);
		OPS->finish(plane(test));
		vb2_dmabuf_buf_finish(&f->vb);
		KUNIT_EXPECT_EQ(test, vdb_kunit_read_byte(test, &d, 0), 0x44);
		KUNIT_EXPECT_EQ(test, vaddr[0], 0x44);
		KUNIT_EXPECT_EQ(test, engine(test)->mappings, 0);
		vdb_kunit_unmap(&d, DMA_BIDIRECTIONAL);
		OPS->put(plane(test));
		f->vb.planes[0].mem_priv = NULL;
	}
}

/* A driver that writes a header while vb2 prepares, or read() and write(). */
static void unbracketed_writes_reach_the_device(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct vdb_kunit_device d;
	u8 *vaddr;

	alloc(test, f->dev, DMA_TO_DEVICE);
	d = (struct vdb_kunit_device){ f->dev, plane(test)->att,
				       vdb_attachment_of(plane(test)->att),
				       plane(test)->sgt };
	f->vb.state = VB2_BUF_STATE_PREPARING;
	vaddr = OPS->vaddr(&f->vb, plane(test));
	KUNIT_ASSERT_NOT_NULL(test, vaddr);
	vaddr[0] = 0x55;
	OPS->prepare(plane(test));
	KUNIT_EXPECT_EQ(test, vdb_kunit_read_byte(test, &d, 0), 0x55);
	OPS->finish(plane(test));
	f->vb.state = VB2_BUF_STATE_DEQUEUED;
	f->queue.fileio = (void *)1;
	vaddr[0] = 0x66;
	OPS->prepare(plane(test));
	f->queue.fileio = NULL;
	KUNIT_EXPECT_EQ(test, vdb_kunit_read_byte(test, &d, 0), 0x66);
	OPS->finish(plane(test));
}

static void users_are_who_has_it_mapped(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct dma_buf *rw, *ro, *again;

	alloc(test, f->dev, DMA_FROM_DEVICE);
	KUNIT_EXPECT_EQ(test, OPS->num_users(plane(test)), 1);
	rw = OPS->get_dmabuf(&f->vb, plane(test), O_RDWR);
	ro = OPS->get_dmabuf(&f->vb, plane(test), O_RDONLY);
	again = OPS->get_dmabuf(&f->vb, plane(test), O_RDONLY);
	KUNIT_EXPECT_PTR_EQ(test, ro, again);
	KUNIT_EXPECT_PTR_NE(test, rw, ro);
	KUNIT_EXPECT_FALSE(test, ro->file->f_mode & FMODE_WRITE);
	KUNIT_EXPECT_EQ(test, plane(test)->own->restricted_inode[O_RDONLY],
			file_inode(ro->file)->i_ino);
	KUNIT_EXPECT_EQ(test, OPS->num_users(plane(test)), 1);
	plane(test)->own->user_mappings++;
	KUNIT_EXPECT_EQ(test, OPS->num_users(plane(test)), 2);
	plane(test)->own->user_mappings--;
	dma_buf_put(again);
	dma_buf_put(ro);
	dma_buf_put(rw);
}

/* vb2 has checked the first of two planes that are the same dma-buf. */
static void every_plane_must_fit(struct kunit *test)
{
	struct fixture *f = test->priv;

	alloc(test, f->dev, DMA_FROM_DEVICE);
	f->vb.num_planes = 2;
	f->vb.planes[1].mem_priv = plane(test);
	f->vb.planes[1].length = SIZE;
	KUNIT_EXPECT_FALSE(test, IS_ERR(vb2_dmabuf_plane_sgt(&f->vb, 1)));
	f->vb.planes[1].length = SIZE + 1;
	KUNIT_EXPECT_EQ(test, PTR_ERR(vb2_dmabuf_plane_sgt(&f->vb, 1)),
			-EINVAL);
	KUNIT_EXPECT_NULL(test, OPS->vaddr(&f->vb, plane(test)));
	f->vb.num_planes = 1;
}

/* In an interrupt nothing can be mapped; one block has an address anyway. */
static void addresses_in_interrupts(struct kunit *test)
{
	struct fixture *f = test->priv;
	unsigned long flags;
	void *vaddr;

	alloc(test, f->dev, DMA_FROM_DEVICE);
	local_irq_save(flags);
	vaddr = OPS->vaddr(&f->vb, plane(test));
	local_irq_restore(flags);
	KUNIT_EXPECT_NULL(test, vaddr);
	OPS->put(plane(test));
	f->queue.dma_attrs = DMA_ATTR_FORCE_CONTIGUOUS;
	alloc(test, f->dev, DMA_FROM_DEVICE);
	local_irq_save(flags);
	vaddr = OPS->vaddr(&f->vb, plane(test));
	local_irq_restore(flags);
	KUNIT_EXPECT_NOT_NULL(test, vaddr);
}

static int memops_test_init(struct kunit *test)
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

static void memops_test_exit(struct kunit *test)
{
	struct fixture *f = test->priv;

	if (f && f->vb.planes[0].mem_priv)
		OPS->put(f->vb.planes[0].mem_priv);
}

static struct kunit_case memops_cases[] = {
	KUNIT_CASE(frames_are_epochs),
	KUNIT_CASE(readers_are_no_writers),
	KUNIT_CASE(epochs_end_with_the_plane),
	KUNIT_CASE(hints_are_used_up),
	KUNIT_CASE(hints_are_for_the_cpu_only),
	KUNIT_CASE(hints_are_for_processes_only),
	KUNIT_CASE(brackets_of_drivers_count),
	KUNIT_CASE(unbracketed_writes_reach_the_device),
	KUNIT_CASE(users_are_who_has_it_mapped),
	KUNIT_CASE(every_plane_must_fit),
	KUNIT_CASE(addresses_in_interrupts),
	{}
};

static struct kunit_suite memops_suite = {
	.name = "videobuf2-dmabuf-memops",
	.init = memops_test_init,
	.exit = memops_test_exit,
	.test_cases = memops_cases,
};

kunit_test_suite(memops_suite);
