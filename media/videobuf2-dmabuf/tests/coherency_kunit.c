// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of who has the newest bytes of a buffer: devices on the simulated bus
 * and the CPU write, and each reader must see what was written last; and that
 * no more is moved than has to be. What the engine decides is proved in user
 * space (tests/prove); here it is carried out.
 */
#include <kunit/test.h>
#include <linux/bitmap.h>
#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/string.h>

#include "vivid-ext/bus/tests/kunit.h"
#include "fixture.h"
#include "trace.h"

/* Does the directory say that a view has a chunk's newest bytes? */
static bool has(struct vdb_buffer *buf, unsigned int view, unsigned int chunk)
{
	const struct vdb_engine *e = &buf->engine;

	if (e->closed >= 0)
		return e->closed == view;
	/* What is being written comes into the directory when it ends. */
	if (view != VDB_CPU && test_bit(chunk, e->writable) &&
	    test_bit(chunk, e->views[VDB_CPU].newest))
		return false;
	return test_bit(chunk, e->views[view].newest);
}

static bool cpu_has_all(struct vdb_buffer *buf)
{
	return has(buf, VDB_CPU, 0) && has(buf, VDB_CPU, 1) &&
	       has(buf, VDB_CPU, 2);
}

static long long moved(struct kunit *test, struct device *dev)
{
	return vivid_ext_kunit_count(test, dev, "bytes_to_cpu") +
	       vivid_ext_kunit_count(test, dev, "bytes_to_device");
}

static void views_are_told_apart(struct kunit *test)
{
	struct vdb_fixture *f = test->priv;
	struct vdb_engine *e = &f->buf->engine;
	struct vdb_kunit_device a, b, c;

	vdb_map_tracked(test, &a, f->a, DMA_BIDIRECTIONAL);
	vdb_map_tracked(test, &b, f->b, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, a.own->kind, VDB_VIEW_MEMORY);
	KUNIT_EXPECT_EQ(test, b.own->kind, VDB_VIEW_MEMORY);
	KUNIT_EXPECT_EQ(test, e->views[VDB_MEMORY].devices, 2);
	KUNIT_EXPECT_EQ(test, e->views[VDB_MEMORY].silent, 0);
	if (IS_ENABLED(CONFIG_NEED_SG_DMA_LENGTH))
		KUNIT_EXPECT_EQ(test, b.sgt->nents, 1);
	vdb_map_silent(test, &c, f->c, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, c.own->kind, VDB_VIEW_CPU);
	KUNIT_EXPECT_EQ(test, e->outside, 2);
	KUNIT_EXPECT_EQ(test, e->views[VDB_CPU].silent, 1);
	KUNIT_EXPECT_EQ(test, e->views[VDB_CPU].silent_writers, 0);
	vdb_kunit_unmap(&c, DMA_TO_DEVICE);
	vdb_kunit_unmap(&b, DMA_TO_DEVICE);
	vdb_kunit_unmap(&a, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, e->outside, 0);
	KUNIT_EXPECT_EQ(test, e->views[VDB_MEMORY].devices, 0);
	KUNIT_EXPECT_EQ(test, e->views[VDB_CPU].silent, 0);
}

/* A device may be mapped again; the last unmap counts, or the detach. */
static void maps_are_counted(struct kunit *test)
{
	struct vdb_fixture *f = test->priv;
	struct vdb_engine *e = &f->buf->engine;
	struct vdb_kunit_device a;
	struct sg_table *again;

	vdb_map_silent(test, &a, f->a, DMA_BIDIRECTIONAL);
	again = dma_buf_map_attachment_unlocked(a.att, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_PTR_EQ(test, again, a.sgt);
	KUNIT_EXPECT_EQ(test, a.own->maps, 2);
	again = dma_buf_map_attachment_unlocked(a.att, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(again), -EBUSY);
	dma_buf_unmap_attachment_unlocked(a.att, a.sgt, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, e->outside, 1);
	vdb_kunit_write(test, &a, 0x22);
	dma_buf_unmap_attachment_unlocked(a.att, a.sgt, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, e->outside, 0);
	KUNIT_EXPECT_EQ(test, vdb_cpu_sees(f->buf, 1), 0x22);

	/* Another direction is fine now; and to forget the unmap is, too. */
	a.sgt = dma_buf_map_attachment_unlocked(a.att, DMA_FROM_DEVICE);
	KUNIT_ASSERT_FALSE(test, IS_ERR(a.sgt));
	vdb_kunit_write(test, &a, 0x33);
	dma_buf_detach(f->buf->dbuf, a.att);
	KUNIT_EXPECT_EQ(test, e->outside, 0);
	KUNIT_EXPECT_TRUE(test, list_empty(&f->buf->attachments));
	KUNIT_EXPECT_EQ(test, vdb_cpu_sees(f->buf, 1), 0x33);
}

/* What the CPU wrote before the map is there after it, in any direction. */
static void map_gives_the_newest(struct kunit *test)
{
	struct vdb_fixture *f = test->priv;
	struct vdb_kunit_device a;

	vdb_map_tracked(test, &a, f->a, DMA_FROM_DEVICE);
	KUNIT_EXPECT_EQ(test, a.own->dma_dir, DMA_BIDIRECTIONAL);
	vdb_coherency_queue(a.own, true);
	vdb_coherency_done(a.own, true);
	/* It has left everything as it was. */
	KUNIT_EXPECT_EQ(test, vdb_cpu_read(f->buf, 0), 0x11);
	KUNIT_EXPECT_EQ(test, vdb_cpu_read(f->buf, CHUNKS - 1), 0x11);
	vdb_kunit_unmap(&a, DMA_FROM_DEVICE);
}

/* A frame is fetched where the CPU looks, and no sooner. */
static void stale_chunks_are_fetched_lazily(struct kunit *test)
{
	struct vdb_fixture *f = test->priv;
	struct vdb_kunit_device a;

	vdb_map_tracked(test, &a, f->a, DMA_FROM_DEVICE);
	vdb_kunit_frame(test, &a, 0x22);
	KUNIT_EXPECT_FALSE(test, has(f->buf, VDB_CPU, 0));
	KUNIT_EXPECT_FALSE(test, has(f->buf, VDB_CPU, 2));
	KUNIT_EXPECT_EQ(test, vdb_cpu_sees(f->buf, 1), 0x11);

	KUNIT_EXPECT_EQ(test, vdb_cpu_read(f->buf, 1), 0x22);
	KUNIT_EXPECT_TRUE(test, has(f->buf, VDB_CPU, 1));
	KUNIT_EXPECT_FALSE(test, has(f->buf, VDB_CPU, 0));
	KUNIT_EXPECT_FALSE(test, has(f->buf, VDB_CPU, 2));
	KUNIT_EXPECT_EQ(test, vdb_cpu_sees(f->buf, 0), 0x11);
	KUNIT_EXPECT_EQ(test, vivid_ext_kunit_count(test, f->a, "bytes_to_cpu"),
			VDB_CHUNK_SIZE);

	/* The last chunk is shorter. */
	KUNIT_EXPECT_EQ(test, vdb_cpu_read(f->buf, CHUNKS - 1), 0x22);
	KUNIT_EXPECT_EQ(test, vivid_ext_kunit_count(test, f->a, "bytes_to_cpu"),
			VDB_CHUNK_SIZE + PAGE_SIZE);
	vdb_kunit_unmap(&a, DMA_FROM_DEVICE);
	KUNIT_EXPECT_EQ(test, vdb_cpu_sees(f->buf, 0), 0x22);
	KUNIT_EXPECT_TRUE(test, cpu_has_all(f->buf));
}

/* One device of those that look at memory is asked for all, in its direction. */
static void memory_is_synchronised_once(struct kunit *test)
{
	struct vdb_fixture *f = test->priv;
	struct vdb_kunit_device a, b, c;
	long long before;

	vdb_map_tracked(test, &c, f->c, DMA_TO_DEVICE);
	vdb_map_silent(test, &b, f->b, DMA_TO_DEVICE);
	vdb_map_tracked(test, &a, f->a, DMA_FROM_DEVICE);
	before = moved(test, f->a) + moved(test, f->b);
	vdb_kunit_frame(test, &a, 0x22);
	KUNIT_EXPECT_EQ(test, moved(test, f->a) + moved(test, f->b), before);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &b, 0), 0x22);
	dma_buf_begin_cpu_access(f->buf->dbuf, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, vdb_cpu_sees(f->buf, 0), 0x22);
	KUNIT_EXPECT_EQ(test, vivid_ext_kunit_count(test, f->a, "bytes_to_cpu"),
			SIZE);
	vdb_cpu_write(f->buf, 0, 0x33);
	vdb_cpu_write(f->buf, 1, 0x33);
	before = moved(test, f->a) + moved(test, f->b);
	dma_buf_end_cpu_access(f->buf->dbuf, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, moved(test, f->a) + moved(test, f->b) - before,
			2 * VDB_CHUNK_SIZE);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &b, 1), 0x33);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &b, 2), 0x22);
	vdb_kunit_unmap(&c, DMA_TO_DEVICE);
	vdb_kunit_unmap(&b, DMA_TO_DEVICE);
	vdb_kunit_unmap(&a, DMA_FROM_DEVICE);
}

/* Imports of our own queues that idle, in the cache or not, cost a frame nothing. */
static void idle_queues_cost_nothing(struct kunit *test)
{
	struct vdb_fixture *f = test->priv;
	struct vdb_kunit_device a, b, c;
	long long before;

	vdb_map_tracked(test, &a, f->a, DMA_FROM_DEVICE);
	vdb_map_tracked(test, &b, f->b, DMA_BIDIRECTIONAL);
	vdb_map_tracked(test, &c, f->c, DMA_BIDIRECTIONAL);
	vdb_kunit_frame(test, &a, 0x22);
	before = moved(test, f->a) + moved(test, f->b);
	vdb_kunit_frame(test, &a, 0x33);
	vdb_coherency_queue(a.own, true);
	vdb_coherency_done(a.own, true);
	KUNIT_EXPECT_EQ(test, moved(test, f->a) + moved(test, f->b), before);
	vdb_kunit_unmap(&c, DMA_BIDIRECTIONAL);
	vdb_kunit_unmap(&b, DMA_BIDIRECTIONAL);
	vdb_kunit_unmap(&a, DMA_FROM_DEVICE);
}

/* What has been synchronised once is not again. */
static void syncs_are_elided(struct kunit *test)
{
	struct vdb_fixture *f = test->priv;
	struct vdb_kunit_device a;
	long long before;

	vdb_map_tracked(test, &a, f->a, DMA_BIDIRECTIONAL);
	vdb_kunit_frame(test, &a, 0x22);
	KUNIT_EXPECT_EQ(test, vdb_cpu_read(f->buf, 0), 0x22);
	before = moved(test, f->a);
	KUNIT_EXPECT_EQ(test, vdb_cpu_read(f->buf, 0), 0x22);
	vdb_coherency_end(f->buf, false);
	vdb_coherency_queue(a.own, true);
	vdb_coherency_done(a.own, true);
	KUNIT_EXPECT_EQ(test, moved(test, f->a), before);
	vdb_kunit_unmap(&a, DMA_BIDIRECTIONAL);
}

/* What the CPU writes is for the device when it gets the buffer. */
static void dirty_chunks_are_flushed(struct kunit *test)
{
	struct vdb_fixture *f = test->priv;
	struct vdb_kunit_device a;

	vdb_map_tracked(test, &a, f->a, DMA_TO_DEVICE);
	vdb_cpu_write(f->buf, 1, 0x33);
	KUNIT_EXPECT_FALSE(test, has(f->buf, VDB_MEMORY, 1));
	KUNIT_EXPECT_TRUE(test, has(f->buf, VDB_MEMORY, 0));
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &a, 1), 0x11);
	vdb_coherency_queue(a.own, true);
	KUNIT_EXPECT_TRUE(test, has(f->buf, VDB_MEMORY, 1));
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &a, 0), 0x11);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &a, 1), 0x33);
	vdb_coherency_done(a.own, true);
	KUNIT_EXPECT_TRUE(test, cpu_has_all(f->buf));
	vdb_kunit_unmap(&a, DMA_TO_DEVICE);

	/* For who tells nothing when it ends. */
	vdb_map_silent(test, &a, f->a, DMA_TO_DEVICE);
	vdb_coherency_begin(f->buf, true);
	vdb_cpu_write(f->buf, 2, 0x44);
	vdb_coherency_end(f->buf, true);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &a, 2), 0x44);
	vdb_kunit_unmap(&a, DMA_TO_DEVICE);
}

/* A write of one chunk keeps the device's bytes in all others. */
static void cpu_and_device_write_in_turn(struct kunit *test)
{
	struct vdb_fixture *f = test->priv;
	struct vdb_kunit_device a;

	vdb_map_tracked(test, &a, f->a, DMA_BIDIRECTIONAL);
	vdb_kunit_frame(test, &a, 0x22);
	vdb_cpu_write(f->buf, 1, 0x33);
	vdb_coherency_queue(a.own, true);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &a, 0), 0x22);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &a, 1), 0x33);
	vdb_coherency_done(a.own, true);
	KUNIT_EXPECT_EQ(test, vdb_cpu_read(f->buf, 0), 0x22);
	KUNIT_EXPECT_EQ(test, vdb_cpu_read(f->buf, 1), 0x33);

	/* A frame makes what the CPU wrote before it obsolete. */
	vdb_cpu_write(f->buf, 0, 0x44);
	vdb_kunit_frame(test, &a, 0x55);
	KUNIT_EXPECT_EQ(test, vdb_cpu_read(f->buf, 0), 0x55);
	vdb_kunit_unmap(&a, DMA_BIDIRECTIONAL);
}

/* "I wrote nothing": not flushed, even though it did. */
static void hint_is_taken(struct kunit *test)
{
	struct vdb_fixture *f = test->priv;
	struct vdb_kunit_device a;

	vdb_map_tracked(test, &a, f->a, DMA_BIDIRECTIONAL);
	vdb_cpu_write(f->buf, 1, 0x33);
	vdb_coherency_queue(a.own, false);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &a, 1), 0x11);
	vdb_coherency_done(a.own, true);
	vdb_kunit_unmap(&a, DMA_BIDIRECTIONAL);
}

/* A driver that looks at frames, or adds to them, without a bracket. */
static void unbracketed_drivers_are_served(struct kunit *test)
{
	struct vdb_fixture *f = test->priv;
	struct vdb_kunit_device a;
	unsigned int i;

	vdb_map_tracked(test, &a, f->a, DMA_BIDIRECTIONAL);
	vdb_coherency_queue(a.own, true);
	vdb_kunit_write(test, &a, 0x22);
	vdb_coherency_done(a.own, true);
	vdb_coherency_deliver(f->buf, true);
	for (i = 0; i < CHUNKS; i++)
		KUNIT_EXPECT_EQ(test, vdb_cpu_sees(f->buf, i), 0x22);
	vdb_cpu_fill(f->buf, 1, 0x33);
	vdb_coherency_wrote(f->buf);
	vdb_coherency_queue(a.own, true);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &a, 1), 0x33);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &a, 2), 0x22);
	vdb_coherency_done(a.own, true);
	vdb_kunit_unmap(&a, DMA_BIDIRECTIONAL);
}

/* A driver's CPU makes a frame: nobody's bytes are put over it meanwhile. */
static void drawn_frames_reach_devices(struct kunit *test)
{
	struct vdb_fixture *f = test->priv;
	struct vdb_kunit_device a;
	unsigned int i;

	vdb_map_silent(test, &a, f->a, DMA_BIDIRECTIONAL);
	vdb_coherency_queue_cpu(f->buf, true);
	for (i = 0; i < CHUNKS; i++)
		vdb_cpu_fill(f->buf, i, 0x33);
	vdb_coherency_begin(f->buf, false);
	KUNIT_EXPECT_EQ(test, vdb_cpu_sees(f->buf, 0), 0x33);
	vdb_coherency_end(f->buf, false);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &a, 0), 0x11);
	vdb_coherency_done_cpu(f->buf, true);
	vdb_coherency_deliver(f->buf, false);
	for (i = 0; i < CHUNKS; i++)
		KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &a, i), 0x33);
	vdb_kunit_unmap(&a, DMA_BIDIRECTIONAL);
}

static void count_syncs(void *data, const struct vdb_attachment *att,
			size_t from, size_t to, bool for_cpu)
{
	++*(unsigned int *)data;
}

/* vb2_buffer_done() moves nothing, whoever looks at the buffer. */
static void done_moves_nothing(struct kunit *test)
{
	struct vdb_fixture *f = test->priv;
	struct vdb_kunit_device a, c;
	unsigned int syncs = 0;
	int ret;

	vdb_map_tracked(test, &a, f->a, DMA_BIDIRECTIONAL);
	vdb_map_silent(test, &c, f->c, DMA_BIDIRECTIONAL);
	vdb_coherency_queue(a.own, true);
	vdb_cpu_read(f->buf, 0);
	vdb_kunit_write(test, &a, 0x22);
	ret = register_trace_vdb_sync(count_syncs, &syncs);
	KUNIT_ASSERT_EQ(test, ret, 0);
	vdb_coherency_done(a.own, true);
	KUNIT_EXPECT_EQ(test, syncs, 0);
	vdb_coherency_deliver(f->buf, false);
	KUNIT_EXPECT_GT(test, syncs, 0);
	unregister_trace_vdb_sync(count_syncs, &syncs);
	tracepoint_synchronize_unregister();
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &c, 2), 0x22);
	vdb_kunit_unmap(&c, DMA_BIDIRECTIONAL);
	vdb_kunit_unmap(&a, DMA_BIDIRECTIONAL);
}

/* Unless the driver does not say when it delivers. */
static void frames_are_delivered_in_interrupts(struct kunit *test)
{
	struct vdb_fixture *f = test->priv;
	struct vdb_kunit_device a, c;
	unsigned long flags;

	vdb_map_tracked(test, &a, f->a, DMA_BIDIRECTIONAL);
	vdb_map_silent(test, &c, f->c, DMA_TO_DEVICE);
	vdb_coherency_queue(a.own, true);
	vdb_kunit_write(test, &a, 0x22);
	local_irq_save(flags);
	vdb_coherency_done(a.own, true);
	vdb_coherency_deliver_now(f->buf, true);
	local_irq_restore(flags);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &c, 2), 0x22);
	vdb_kunit_unmap(&c, DMA_TO_DEVICE);

	/* What a process has looked at is fetched, and nothing else. */
	vdb_coherency_queue(a.own, true);
	vdb_cpu_read(f->buf, 1);
	vdb_kunit_write(test, &a, 0x33);
	vdb_coherency_done(a.own, true);
	vdb_coherency_deliver_now(f->buf, false);
	KUNIT_EXPECT_EQ(test, vdb_cpu_sees(f->buf, 1), 0x33);
	KUNIT_EXPECT_NE(test, vdb_cpu_sees(f->buf, 0), 0x33);
	vdb_kunit_unmap(&a, DMA_BIDIRECTIONAL);
}

/* A device that is coherent has the CPU's view, others have memory. */
static void frames_reach_all_views(struct kunit *test)
{
	struct vdb_fixture *f = test->priv;
	struct vdb_kunit_device a, b, c, s;

	vdb_map_tracked(test, &a, f->a, DMA_BIDIRECTIONAL);
	vdb_map_tracked(test, &c, f->c, DMA_BIDIRECTIONAL);
	vdb_map_silent(test, &b, f->b, DMA_TO_DEVICE);
	vdb_map_silent(test, &s, f->c, DMA_TO_DEVICE);
	vdb_kunit_frame(test, &a, 0x22);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &b, 0), 0x22);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &s, 0), 0x22);
	vdb_kunit_frame(test, &c, 0x33);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &s, 1), 0x33);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &b, 2), 0x33);
	KUNIT_EXPECT_EQ(test, vdb_cpu_read(f->buf, 0), 0x33);
	vdb_kunit_unmap(&a, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, vdb_cpu_sees(f->buf, 0), 0x33);
	vdb_kunit_unmap(&b, DMA_TO_DEVICE);
	vdb_kunit_unmap(&s, DMA_TO_DEVICE);
	vdb_kunit_unmap(&c, DMA_BIDIRECTIONAL);
}

static void largest_sync(void *data, const struct vdb_attachment *att,
			 size_t from, size_t to, bool for_cpu)
{
	size_t *largest = data;

	*largest = max(*largest, to - from);
}

/* Interrupts are off while bytes move: not for long. */
static void long_syncs_come_in_pieces(struct kunit *test)
{
	struct vdb_fixture *f = test->priv;
	unsigned int chunks = 3 * VDB_PIECE_CHUNKS + 1;
	struct vdb_kunit_device a;
	struct vdb_buffer *buf;
	size_t largest = 0;
	int ret;

	buf = vdb_buffer_create(NULL, chunks * VDB_CHUNK_SIZE, 0, false,
				VDB_POLICY_AUTO);
	KUNIT_ASSERT_FALSE(test, IS_ERR(buf));
	ret = register_trace_vdb_sync(largest_sync, &largest);
	KUNIT_EXPECT_EQ(test, ret, 0);
	ret = vdb_kunit_map_as(&a, buf, f->a, DMA_BIDIRECTIONAL, true);
	KUNIT_EXPECT_EQ(test, ret, 0);
	if (ret)
		goto out;
	vdb_kunit_frame(test, &a, 0x22);
	dma_buf_begin_cpu_access(buf->dbuf, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, vdb_cpu_sees(buf, 0), 0x22);
	KUNIT_EXPECT_EQ(test, vdb_cpu_sees(buf, chunks - 1), 0x22);
	vdb_cpu_write(buf, chunks - 1, 0x33);
	dma_buf_end_cpu_access(buf->dbuf, DMA_BIDIRECTIONAL);
	vdb_coherency_queue(a.own, true);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &a, 0), 0x22);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &a, chunks - 1), 0x33);
	vdb_kunit_write(test, &a, 0x55);
	vdb_coherency_done(a.own, true);
	vdb_kunit_unmap(&a, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, vdb_cpu_sees(buf, 0), 0x55);
	KUNIT_EXPECT_EQ(test, vdb_cpu_sees(buf, chunks - 1), 0x55);
out:
	unregister_trace_vdb_sync(largest_sync, &largest);
	tracepoint_synchronize_unregister();
	dma_buf_put(buf->dbuf);
	KUNIT_EXPECT_EQ(test, largest, VDB_PIECE_CHUNKS * VDB_CHUNK_SIZE);
}

/* What was finished by a device that has gone is not lost. */
static void writer_leaves(struct kunit *test)
{
	struct vdb_fixture *f = test->priv;
	struct vdb_kunit_device a, b;

	vdb_map_tracked(test, &a, f->a, DMA_FROM_DEVICE);
	vdb_coherency_queue(a.own, true);
	vdb_kunit_write(test, &a, 0x22);
	/* In the middle of a frame, even. */
	vdb_kunit_unmap(&a, DMA_FROM_DEVICE);
	KUNIT_EXPECT_TRUE(test, cpu_has_all(f->buf));
	KUNIT_EXPECT_EQ(test, vdb_cpu_read(f->buf, 0), 0x22);
	vdb_map_silent(test, &b, f->b, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &b, 0), 0x22);
	vdb_kunit_unmap(&b, DMA_BIDIRECTIONAL);
}

static struct kunit_case coherency_cases[] = {
	KUNIT_CASE(views_are_told_apart),
	KUNIT_CASE(maps_are_counted),
	KUNIT_CASE(map_gives_the_newest),
	KUNIT_CASE(stale_chunks_are_fetched_lazily),
	KUNIT_CASE(memory_is_synchronised_once),
	KUNIT_CASE(idle_queues_cost_nothing),
	KUNIT_CASE(syncs_are_elided),
	KUNIT_CASE(dirty_chunks_are_flushed),
	KUNIT_CASE(cpu_and_device_write_in_turn),
	KUNIT_CASE(hint_is_taken),
	KUNIT_CASE(unbracketed_drivers_are_served),
	KUNIT_CASE(drawn_frames_reach_devices),
	KUNIT_CASE(done_moves_nothing),
	KUNIT_CASE(frames_are_delivered_in_interrupts),
	KUNIT_CASE(frames_reach_all_views),
	KUNIT_CASE(long_syncs_come_in_pieces),
	KUNIT_CASE(writer_leaves),
	{}
};

static struct kunit_suite coherency_suite = {
	.name = "videobuf2-dmabuf-coherency",
	.init = vdb_fixture_set_up,
	.exit = vdb_fixture_tear_down,
	.test_cases = coherency_cases,
};

kunit_test_suite(coherency_suite);
