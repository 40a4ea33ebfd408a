// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of a frame's way through a queue: from prepare to finish, hints that are
 * for one frame, brackets of drivers, and what is said to those that need help.
 */
#include <linux/dma-buf.h>
#include <linux/module.h>

#include "queue_fixture.h"

/* An importer's device that tells nobody what it does. */
static void import(struct kunit *test, struct vdb_kunit_device *d,
		   const char *name, enum dma_data_direction dir)
{
	struct device *dev = vdb_kunit_add_device(test, name,
						  VDB_KUNIT_NONCOHERENT);

	KUNIT_ASSERT_EQ(test, vdb_kunit_map(d, plane(test)->own, dev, dir), 0);
}

static bool has(struct kunit *test, unsigned int view)
{
	struct vdb_engine *e = engine(test);

	return e->closed == view ||
	       (e->closed < 0 && test_bit(0, e->views[view].newest));
}

static bool memory_has(struct kunit *test)
{
	return has(test, VDB_MEMORY);
}

static bool cpu_sees(struct kunit *test)
{
	return has(test, VDB_CPU);
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

	alloc(test, NULL, DMA_FROM_DEVICE);
	buf = plane(test)->own;
	get_dma_buf(buf->dbuf);
	OPS->prepare(plane(test));
	KUNIT_EXPECT_EQ(test, buf->engine.views[VDB_CPU].writing, 1);
	put(test);
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

	/* The next one is without. */
	process_writes(test, 0x55);
	OPS->prepare(plane(test));
	KUNIT_EXPECT_EQ(test, vdb_kunit_read_byte(test, &d, 0), 0x55);
	OPS->finish(plane(test));
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
		put(test);
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

/* Prepared, and done: what a device does in between does not matter here. */
static void frame(struct kunit *test)
{
	OPS->prepare(plane(test));
	OPS->finish(plane(test));
}

static s64 hurried(void)
{
	return vdb_stat_read(VDB_HURRIED_FRAMES);
}

/* A driver that looks at its frames, and has nothing else to say. */
static void begin_without_help(struct kunit *test, const struct vb2_ops *ops)
{
	struct fixture *f = test->priv;

	f->queue.ops = ops;
	alloc(test, f->dev, DMA_FROM_DEVICE);
	KUNIT_ASSERT_NOT_NULL(test, OPS->vaddr(&f->vb, plane(test)));
}

/* By the next frame it is known that nobody moved the bytes in DQBUF. */
static void who_needs_help_is_told_once(struct kunit *test)
{
	static const struct vb2_ops first, second;
	struct fixture *f = test->priv;
	char name[100];
	s64 before;

	begin_without_help(test, &first);
	f->queue.dev = f->dev;
	snprintf(name, sizeof(name), "%s %s: vb2_buffer_done() moves frames",
		 dev_driver_string(f->dev), dev_name(f->dev));
	vdb_kunit_listen(test, name);
	before = hurried();
	frame(test);
	KUNIT_EXPECT_EQ(test, hurried() - before, 1);
	KUNIT_EXPECT_EQ(test, vdb_kunit_heard(), 0);
	frame(test);
	KUNIT_EXPECT_EQ(test, hurried() - before, 2);
	KUNIT_EXPECT_EQ(test, vdb_kunit_heard(), 1);
	frame(test);
	put(test);
	begin_without_help(test, &first);
	frame(test);
	frame(test);
	KUNIT_EXPECT_EQ(test, vdb_kunit_heard(), 1);
	/* Another driver. */
	put(test);
	begin_without_help(test, &second);
	f->queue.dev = NULL;
	strscpy(f->queue.name, "cap-7", sizeof(f->queue.name));
	vdb_kunit_listen(test, "queue cap-7: vb2_buffer_done() moves frames");
	frame(test);
	frame(test);
	KUNIT_EXPECT_EQ(test, vdb_kunit_heard(), 1);
}

/* A buf_finish of its own, which calls the helper: one frame, to learn it. */
static void who_has_help_is_not_told(struct kunit *test)
{
	static const struct vb2_ops own;
	struct fixture *f = test->priv;
	unsigned int i;
	s64 before;

	begin_without_help(test, &own);
	vdb_kunit_listen(test, "vb2_buffer_done() moves frames");
	before = hurried();
	for (i = 0; i < 3; i++) {
		frame(test);
		KUNIT_EXPECT_EQ(test, plane(test)->delivers, i > 0);
		KUNIT_EXPECT_EQ(test, cpu_sees(test), !i);
		vb2_dmabuf_buf_finish(&f->vb);
		KUNIT_EXPECT_TRUE(test, cpu_sees(test));
	}
	KUNIT_EXPECT_EQ(test, hurried() - before, 1);
	/* Or the helper itself. */
	put(test);
	begin_without_help(test, &queue_ops);
	for (i = 0; i < 3; i++) {
		frame(test);
		vb2_dmabuf_buf_finish(&f->vb);
	}
	KUNIT_EXPECT_EQ(test, hurried() - before, 1);
	KUNIT_EXPECT_EQ(test, vdb_kunit_heard(), 0);
}

/* Where nobody looks nothing moves; and a reader makes no frame. */
static void who_needs_none_is_not_told(struct kunit *test)
{
	static const struct vb2_ops none;
	struct fixture *f = test->priv;
	s64 before = hurried();
	unsigned int i;

	vdb_kunit_listen(test, "vb2_buffer_done() moves frames");
	for (i = 0; i < 2; i++) {
		f->queue.ops = &none;
		alloc(test, f->dev, i ? DMA_TO_DEVICE : DMA_FROM_DEVICE);
		if (i)
			OPS->vaddr(&f->vb, plane(test));
		frame(test);
		frame(test);
		put(test);
	}
	KUNIT_EXPECT_EQ(test, hurried(), before);
	KUNIT_EXPECT_EQ(test, vdb_kunit_heard(), 0);
}

/* What the CPU draws reaches importers in vb2_buffer_done(), or in DQBUF. */
static void drawn_frames_need_help_too(struct kunit *test)
{
	static const struct vb2_ops none;
	struct fixture *f = test->priv;
	struct vdb_kunit_device d;
	unsigned int i;
	s64 before;
	u8 *vaddr;

	for (i = 0; i < 2; i++) {
		f->queue.ops = i ? &queue_ops : &none;
		alloc(test, NULL, DMA_FROM_DEVICE);
		import(test, &d, i ? "second" : "first", DMA_TO_DEVICE);
		vaddr = OPS->vaddr(&f->vb, plane(test));
		KUNIT_ASSERT_NOT_NULL(test, vaddr);
		before = hurried();
		OPS->prepare(plane(test));
		vaddr[0] = 0x77;
		OPS->finish(plane(test));
		KUNIT_EXPECT_EQ(test, hurried() - before, !i);
		KUNIT_EXPECT_EQ(test, vdb_kunit_read_byte(test, &d, 0),
				i ? 0 : 0x77);
		if (i)
			vb2_dmabuf_buf_finish(&f->vb);
		KUNIT_EXPECT_EQ(test, vdb_kunit_read_byte(test, &d, 0), 0x77);
		vdb_kunit_unmap(&d, DMA_TO_DEVICE);
		put(test);
	}
}

/* For the driver's CPU, that is, and in this frame. */
static void hints_spare_the_look(struct kunit *test)
{
	static const struct vb2_ops none;
	struct fixture *f = test->priv;
	s64 before;

	begin_without_help(test, &none);
	before = hurried();
	f->vb.skip_cache_sync_on_finish = 1;
	frame(test);
	KUNIT_EXPECT_EQ(test, hurried(), before);
	KUNIT_EXPECT_FALSE(test, cpu_sees(test));
	frame(test);
	KUNIT_EXPECT_EQ(test, hurried(), before + 1);
}

/* All planes of a frame have its hints, and the last one uses them up. */
static void hints_are_for_all_planes(struct kunit *test)
{
	struct fixture *f = test->priv;
	void *second;

	alloc(test, f->dev, DMA_FROM_DEVICE);
	second = OPS->alloc(&f->vb, f->dev, SIZE);
	KUNIT_ASSERT_FALSE(test, IS_ERR(second));
	f->vb.num_planes = 2;
	f->vb.planes[1].mem_priv = second;
	f->vb.skip_cache_sync_on_prepare = 1;
	f->vb.skip_cache_sync_on_finish = 1;
	OPS->prepare(plane(test));
	KUNIT_EXPECT_TRUE(test, f->vb.skip_cache_sync_on_prepare);
	OPS->prepare(second);
	KUNIT_EXPECT_FALSE(test, f->vb.skip_cache_sync_on_prepare);
	KUNIT_EXPECT_TRUE(test, f->vb.skip_cache_sync_on_finish);
	OPS->finish(plane(test));
	KUNIT_EXPECT_TRUE(test, f->vb.skip_cache_sync_on_finish);
	KUNIT_EXPECT_TRUE(test, plane(test)->skip_look);
	OPS->finish(second);
	KUNIT_EXPECT_FALSE(test, f->vb.skip_cache_sync_on_finish);
	KUNIT_EXPECT_TRUE(test, ((struct vdb_plane *)second)->skip_look);
	OPS->put(second);
	f->vb.num_planes = 1;
}

/* vb2 sets them for all imported buffers: nothing is promised by that. */
static void hints_of_imports_say_nothing(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct vdb_buffer *buf = vdb_buffer_create(NULL, SIZE, 0, false,
						   VDB_POLICY_AUTO);
	struct vdb_kunit_device d;
	struct vdb_plane *p;

	KUNIT_ASSERT_FALSE(test, IS_ERR(buf));
	f->queue.dma_dir = DMA_TO_DEVICE;
	p = OPS->attach_dmabuf(&f->vb, f->dev, buf->dbuf, SIZE);
	KUNIT_ASSERT_FALSE(test, IS_ERR(p));
	f->vb.planes[0].mem_priv = p;
	KUNIT_ASSERT_EQ(test, OPS->map_dmabuf(p), 0);
	d = (struct vdb_kunit_device){ f->dev, p->att,
				       vdb_attachment_of(p->att), p->sgt };
	KUNIT_ASSERT_NOT_NULL(test, vdb_mapping_vmap(buf, true));
	vdb_coherency_begin(buf, true);
	memset(page_address(buf->storage.pages[0]), 0x33, PAGE_SIZE);
	f->vb.skip_cache_sync_on_prepare = 1;
	f->vb.skip_cache_sync_on_finish = 1;
	OPS->prepare(p);
	KUNIT_EXPECT_TRUE(test, f->vb.skip_cache_sync_on_prepare);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read_byte(test, &d, 0), 0x33);
	OPS->finish(p);
	KUNIT_EXPECT_TRUE(test, f->vb.skip_cache_sync_on_finish);
	KUNIT_EXPECT_FALSE(test, p->skip_look);
	vdb_coherency_end(buf, true);
	vdb_mapping_vunmap(buf, true);
	OPS->unmap_dmabuf(p);
	OPS->detach_dmabuf(p);
	f->vb.planes[0].mem_priv = NULL;
	dma_buf_put(buf->dbuf);
}

/* An address that is not asked for again is one that nobody writes to. */
static void questions_are_for_a_frame(struct kunit *test)
{
	struct fixture *f = test->priv;

	alloc(test, f->dev, DMA_TO_DEVICE);
	OPS->prepare(plane(test));
	OPS->finish(plane(test));
	f->vb.state = VB2_BUF_STATE_PREPARING;
	KUNIT_ASSERT_NOT_NULL(test, OPS->vaddr(&f->vb, plane(test)));
	vdb_kunit_stats(test, NULL, NULL);
	OPS->prepare(plane(test));
	vdb_kunit_stats(test, "asked",
			VDB_KUNIT_STATS([VDB_SYNCS_FOR_DEVICE] = 1,
					[VDB_BYTES_SYNCED] = SIZE));
	OPS->finish(plane(test));
	vdb_kunit_stats(test, "done", VDB_KUNIT_STATS([VDB_MAPS] = 0));
	OPS->prepare(plane(test));
	vdb_kunit_stats(test, "not asked",
			VDB_KUNIT_STATS([VDB_SYNCS_ELIDED] = 1));
	OPS->finish(plane(test));
	f->vb.state = VB2_BUF_STATE_ACTIVE;
	OPS->vaddr(&f->vb, plane(test));
	OPS->prepare(plane(test));
	vdb_kunit_stats(test, "asked too early",
			VDB_KUNIT_STATS([VDB_SYNCS_ELIDED] = 1));
	OPS->finish(plane(test));
}

/* However often the driver says it. */
static void brackets_are_one_mapping(struct kunit *test)
{
	struct fixture *f = test->priv;
	unsigned int i;

	alloc(test, f->dev, DMA_FROM_DEVICE);
	for (i = 0; i < 2; i++) {
		vb2_dmabuf_plane_begin_cpu_access(&f->vb, 0, DMA_TO_DEVICE);
		KUNIT_EXPECT_EQ(test, engine(test)->mappings, 1);
	}
	for (i = 0; i < 2; i++) {
		vb2_dmabuf_plane_end_cpu_access(&f->vb, 0, DMA_TO_DEVICE);
		KUNIT_EXPECT_EQ(test, engine(test)->mappings, 0);
	}
}

/* Of other allocators' buffers nothing is known, of planes without memory too. */
static void other_queues_are_left_alone(struct kunit *test)
{
	static const struct vb2_mem_ops other;
	static const struct vb2_ops none;
	struct fixture *f = test->priv;

	begin_without_help(test, &none);
	OPS->prepare(plane(test));
	f->queue.mem_ops = &other;
	vb2_dmabuf_buf_finish(&f->vb);
	KUNIT_EXPECT_FALSE(test, plane(test)->delivers);
	f->queue.mem_ops = OPS;
	f->vb.num_planes = 2;
	f->vb.planes[1] = f->vb.planes[0];
	f->vb.planes[0].mem_priv = NULL;
	vb2_dmabuf_buf_finish(&f->vb);
	f->vb.planes[0] = f->vb.planes[1];
	KUNIT_EXPECT_TRUE(test, plane(test)->delivers);
	f->vb.num_planes = 1;
	OPS->finish(plane(test));
}

static struct kunit_case frame_cases[] = {
	KUNIT_CASE(frames_are_epochs),
	KUNIT_CASE(readers_are_no_writers),
	KUNIT_CASE(epochs_end_with_the_plane),
	KUNIT_CASE(hints_are_used_up),
	KUNIT_CASE(hints_are_for_the_cpu_only),
	KUNIT_CASE(hints_are_for_processes_only),
	KUNIT_CASE(brackets_of_drivers_count),
	KUNIT_CASE(unbracketed_writes_reach_the_device),
	KUNIT_CASE(who_needs_help_is_told_once),
	KUNIT_CASE(who_has_help_is_not_told),
	KUNIT_CASE(who_needs_none_is_not_told),
	KUNIT_CASE(drawn_frames_need_help_too),
	KUNIT_CASE(hints_spare_the_look),
	KUNIT_CASE(hints_are_for_all_planes),
	KUNIT_CASE(hints_of_imports_say_nothing),
	KUNIT_CASE(questions_are_for_a_frame),
	KUNIT_CASE(brackets_are_one_mapping),
	KUNIT_CASE(other_queues_are_left_alone),
	{}
};

static struct kunit_suite frame_suite = {
	.name = "videobuf2-dmabuf-frame",
	.init = queue_test_init,
	.exit = queue_test_exit,
	.test_cases = frame_cases,
};

kunit_test_suite(frame_suite);
