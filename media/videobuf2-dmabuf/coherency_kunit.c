// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of who has the newest bytes of a buffer: devices on the simulated bus
 * and the CPU write, and each reader must see what was written last; and that
 * no more is moved than has to be. What the engine decides is proved in user
 * space (tests/prove); here it is carried out.
 */
#include <kunit/device.h>
#include <kunit/test.h>
#include <linux/bitmap.h>
#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/string.h>

#include "../../drivers/vivid-ext/kunit.h"
#include "kunit.h"
#include "trace.h"

/* Three chunks, the last of them one page. */
#define CHUNKS 3
#define SIZE (2 * VDB_CHUNK_SIZE + PAGE_SIZE)

/**
 * struct fixture - what each test begins with
 * @buf: a buffer filled by the CPU with 0x11
 * @a: a non-coherent device
 * @b: another one, behind an IOMMU
 * @c: a coherent one
 */
struct fixture {
	struct vdb_buffer *buf;
	struct device *a;
	struct device *b;
	struct device *c;
};

/* The CPU's bytes, without telling anybody. */
static void cpu_fill(struct vdb_buffer *buf, unsigned int chunk, u8 value)
{
	unsigned int i = chunk * VDB_CHUNK_PAGES;

	for (; i < buf->storage.nr_pages && i < (chunk + 1) * VDB_CHUNK_PAGES;
	     i++)
		memset(page_address(buf->storage.pages[i]), value, PAGE_SIZE);
}

static int cpu_sees(struct vdb_buffer *buf, unsigned int chunk)
{
	u8 *at = page_address(buf->storage.pages[chunk * VDB_CHUNK_PAGES]);

	return memchr_inv(at, *at, PAGE_SIZE) ? -1 : *at;
}

/* As page faults do. */
static int cpu_read(struct vdb_buffer *buf, unsigned int chunk)
{
	mutex_lock(&buf->lock);
	vdb_coherency_fault(buf, chunk, false, false);
	mutex_unlock(&buf->lock);
	return cpu_sees(buf, chunk);
}

static void cpu_write(struct vdb_buffer *buf, unsigned int chunk, u8 value)
{
	mutex_lock(&buf->lock);
	vdb_coherency_fault(buf, chunk, false, true);
	mutex_unlock(&buf->lock);
	cpu_fill(buf, chunk, value);
}

/* Does the directory say that a view has a chunk's newest bytes? */
static bool has(struct vdb_buffer *buf, unsigned int view, unsigned int chunk)
{
	const struct vdb_engine *e = &buf->engine;

	if (e->closed >= 0)
		return e->closed == view;
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

/* The device of a queue of ours: it says when it begins and ends. */
static void map_tracked(struct kunit *test, struct vdb_kunit_device *d,
			struct device *dev, enum dma_data_direction dir)
{
	struct fixture *f = test->priv;

	KUNIT_ASSERT_EQ(test, vdb_kunit_map_as(d, f->buf, dev, dir, true), 0);
}

static void map_silent(struct kunit *test, struct vdb_kunit_device *d,
		       struct device *dev, enum dma_data_direction dir)
{
	struct fixture *f = test->priv;

	KUNIT_ASSERT_EQ(test, vdb_kunit_map(d, f->buf, dev, dir), 0);
}

static void views_are_told_apart(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct vdb_engine *e = &f->buf->engine;
	struct vdb_kunit_device a, b, c;

	map_tracked(test, &a, f->a, DMA_BIDIRECTIONAL);
	map_tracked(test, &b, f->b, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, a.own->kind, VDB_VIEW_MEMORY);
	KUNIT_EXPECT_EQ(test, b.own->kind, VDB_VIEW_MEMORY);
	KUNIT_EXPECT_EQ(test, e->views[VDB_MEMORY].devices, 2);
	KUNIT_EXPECT_EQ(test, e->views[VDB_MEMORY].silent, 0);
	if (IS_ENABLED(CONFIG_NEED_SG_DMA_LENGTH))
		KUNIT_EXPECT_EQ(test, b.sgt->nents, 1);
	map_silent(test, &c, f->c, DMA_TO_DEVICE);
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
	struct fixture *f = test->priv;
	struct vdb_engine *e = &f->buf->engine;
	struct vdb_kunit_device a;
	struct sg_table *again;

	map_silent(test, &a, f->a, DMA_BIDIRECTIONAL);
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
	KUNIT_EXPECT_EQ(test, cpu_sees(f->buf, 1), 0x22);

	/* Another direction is fine now; and to forget the unmap is, too. */
	a.sgt = dma_buf_map_attachment_unlocked(a.att, DMA_FROM_DEVICE);
	KUNIT_ASSERT_FALSE(test, IS_ERR(a.sgt));
	vdb_kunit_write(test, &a, 0x33);
	dma_buf_detach(f->buf->dbuf, a.att);
	KUNIT_EXPECT_EQ(test, e->outside, 0);
	KUNIT_EXPECT_TRUE(test, list_empty(&f->buf->attachments));
	KUNIT_EXPECT_EQ(test, cpu_sees(f->buf, 1), 0x33);
}

/* What the CPU wrote before the map is there after it, in any direction. */
static void map_gives_the_newest(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct vdb_kunit_device a;

	map_tracked(test, &a, f->a, DMA_FROM_DEVICE);
	KUNIT_EXPECT_EQ(test, a.own->dma_dir, DMA_BIDIRECTIONAL);
	vdb_coherency_queue(a.own, true);
	vdb_coherency_done(a.own, true);
	/* It has left everything as it was. */
	KUNIT_EXPECT_EQ(test, cpu_read(f->buf, 0), 0x11);
	KUNIT_EXPECT_EQ(test, cpu_read(f->buf, CHUNKS - 1), 0x11);
	vdb_kunit_unmap(&a, DMA_FROM_DEVICE);
}

/* A frame is fetched where the CPU looks, and no sooner. */
static void stale_chunks_are_fetched_lazily(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct vdb_kunit_device a;

	map_tracked(test, &a, f->a, DMA_FROM_DEVICE);
	vdb_kunit_frame(test, &a, 0x22);
	KUNIT_EXPECT_FALSE(test, has(f->buf, VDB_CPU, 0));
	KUNIT_EXPECT_FALSE(test, has(f->buf, VDB_CPU, 2));
	KUNIT_EXPECT_EQ(test, cpu_sees(f->buf, 1), 0x11);

	KUNIT_EXPECT_EQ(test, cpu_read(f->buf, 1), 0x22);
	KUNIT_EXPECT_TRUE(test, has(f->buf, VDB_CPU, 1));
	KUNIT_EXPECT_FALSE(test, has(f->buf, VDB_CPU, 0));
	KUNIT_EXPECT_FALSE(test, has(f->buf, VDB_CPU, 2));
	KUNIT_EXPECT_EQ(test, cpu_sees(f->buf, 0), 0x11);
	KUNIT_EXPECT_EQ(test, vivid_ext_kunit_count(test, f->a, "bytes_to_cpu"),
			VDB_CHUNK_SIZE);

	/* The last chunk is shorter. */
	KUNIT_EXPECT_EQ(test, cpu_read(f->buf, CHUNKS - 1), 0x22);
	KUNIT_EXPECT_EQ(test, vivid_ext_kunit_count(test, f->a, "bytes_to_cpu"),
			VDB_CHUNK_SIZE + PAGE_SIZE);
	vdb_kunit_unmap(&a, DMA_FROM_DEVICE);
	KUNIT_EXPECT_EQ(test, cpu_sees(f->buf, 0), 0x22);
	KUNIT_EXPECT_TRUE(test, cpu_has_all(f->buf));
}

/* One device of those that look at memory is asked for all, in its direction. */
static void memory_is_synchronised_once(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct vdb_kunit_device a, b, c;
	long long before;

	map_tracked(test, &c, f->c, DMA_TO_DEVICE);
	map_silent(test, &b, f->b, DMA_TO_DEVICE);
	map_tracked(test, &a, f->a, DMA_FROM_DEVICE);
	before = moved(test, f->a) + moved(test, f->b);
	vdb_kunit_frame(test, &a, 0x22);
	KUNIT_EXPECT_EQ(test, moved(test, f->a) + moved(test, f->b), before);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &b, 0), 0x22);
	dma_buf_begin_cpu_access(f->buf->dbuf, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, cpu_sees(f->buf, 0), 0x22);
	KUNIT_EXPECT_EQ(test, vivid_ext_kunit_count(test, f->a, "bytes_to_cpu"),
			SIZE);
	cpu_write(f->buf, 0, 0x33);
	cpu_write(f->buf, 1, 0x33);
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
	struct fixture *f = test->priv;
	struct vdb_kunit_device a, b, c;
	long long before;

	map_tracked(test, &a, f->a, DMA_FROM_DEVICE);
	map_tracked(test, &b, f->b, DMA_BIDIRECTIONAL);
	map_tracked(test, &c, f->c, DMA_BIDIRECTIONAL);
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
	struct fixture *f = test->priv;
	struct vdb_kunit_device a;
	long long before;

	map_tracked(test, &a, f->a, DMA_BIDIRECTIONAL);
	vdb_kunit_frame(test, &a, 0x22);
	KUNIT_EXPECT_EQ(test, cpu_read(f->buf, 0), 0x22);
	before = moved(test, f->a);
	KUNIT_EXPECT_EQ(test, cpu_read(f->buf, 0), 0x22);
	vdb_coherency_end(f->buf, false);
	vdb_coherency_queue(a.own, true);
	vdb_coherency_done(a.own, true);
	KUNIT_EXPECT_EQ(test, moved(test, f->a), before);
	vdb_kunit_unmap(&a, DMA_BIDIRECTIONAL);
}

/* What the CPU writes is for the device when it gets the buffer. */
static void dirty_chunks_are_flushed(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct vdb_kunit_device a;

	map_tracked(test, &a, f->a, DMA_TO_DEVICE);
	cpu_write(f->buf, 1, 0x33);
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
	map_silent(test, &a, f->a, DMA_TO_DEVICE);
	vdb_coherency_begin(f->buf, true);
	cpu_write(f->buf, 2, 0x44);
	vdb_coherency_end(f->buf, true);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &a, 2), 0x44);
	vdb_kunit_unmap(&a, DMA_TO_DEVICE);
}

/* A write of one chunk keeps the device's bytes in all others. */
static void cpu_and_device_write_in_turn(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct vdb_kunit_device a;

	map_tracked(test, &a, f->a, DMA_BIDIRECTIONAL);
	vdb_kunit_frame(test, &a, 0x22);
	cpu_write(f->buf, 1, 0x33);
	vdb_coherency_queue(a.own, true);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &a, 0), 0x22);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &a, 1), 0x33);
	vdb_coherency_done(a.own, true);
	KUNIT_EXPECT_EQ(test, cpu_read(f->buf, 0), 0x22);
	KUNIT_EXPECT_EQ(test, cpu_read(f->buf, 1), 0x33);

	/* A frame makes what the CPU wrote before it obsolete. */
	cpu_write(f->buf, 0, 0x44);
	vdb_kunit_frame(test, &a, 0x55);
	KUNIT_EXPECT_EQ(test, cpu_read(f->buf, 0), 0x55);
	vdb_kunit_unmap(&a, DMA_BIDIRECTIONAL);
}

/* "I wrote nothing": not flushed, even though it did. */
static void hint_is_taken(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct vdb_kunit_device a;

	map_tracked(test, &a, f->a, DMA_BIDIRECTIONAL);
	cpu_write(f->buf, 1, 0x33);
	vdb_coherency_queue(a.own, false);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &a, 1), 0x11);
	vdb_coherency_done(a.own, true);
	vdb_kunit_unmap(&a, DMA_BIDIRECTIONAL);
}

/* A driver that looks at frames, or adds to them, without a bracket. */
static void unbracketed_drivers_are_served(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct vdb_kunit_device a;
	unsigned int i;

	map_tracked(test, &a, f->a, DMA_BIDIRECTIONAL);
	vdb_coherency_queue(a.own, true);
	vdb_kunit_write(test, &a, 0x22);
	vdb_coherency_done(a.own, true);
	vdb_coherency_deliver(f->buf, true);
	for (i = 0; i < CHUNKS; i++)
		KUNIT_EXPECT_EQ(test, cpu_sees(f->buf, i), 0x22);
	cpu_fill(f->buf, 1, 0x33);
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
	struct fixture *f = test->priv;
	struct vdb_kunit_device a;
	unsigned int i;

	map_silent(test, &a, f->a, DMA_BIDIRECTIONAL);
	vdb_coherency_queue_cpu(f->buf, true);
	for (i = 0; i < CHUNKS; i++)
		cpu_fill(f->buf, i, 0x33);
	vdb_coherency_begin(f->buf, false);
	KUNIT_EXPECT_EQ(test, cpu_sees(f->buf, 0), 0x33);
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
	struct fixture *f = test->priv;
	struct vdb_kunit_device a, c;
	unsigned int syncs = 0;
	int ret;

	map_tracked(test, &a, f->a, DMA_BIDIRECTIONAL);
	map_silent(test, &c, f->c, DMA_BIDIRECTIONAL);
	vdb_coherency_queue(a.own, true);
	cpu_read(f->buf, 0);
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
	struct fixture *f = test->priv;
	struct vdb_kunit_device a, c;
	unsigned long flags;

	map_tracked(test, &a, f->a, DMA_BIDIRECTIONAL);
	map_silent(test, &c, f->c, DMA_TO_DEVICE);
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
	cpu_read(f->buf, 1);
	vdb_kunit_write(test, &a, 0x33);
	vdb_coherency_done(a.own, true);
	vdb_coherency_deliver_now(f->buf, false);
	KUNIT_EXPECT_EQ(test, cpu_sees(f->buf, 1), 0x33);
	KUNIT_EXPECT_NE(test, cpu_sees(f->buf, 0), 0x33);
	vdb_kunit_unmap(&a, DMA_BIDIRECTIONAL);
}

/* Who drops its mapping must not disturb a frame that is being made. */
static void importer_leaves_while_device_writes(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct vdb_kunit_device a, b, c;

	map_tracked(test, &a, f->a, DMA_FROM_DEVICE);
	map_silent(test, &b, f->b, DMA_BIDIRECTIONAL);
	map_silent(test, &c, f->c, DMA_BIDIRECTIONAL);
	vdb_coherency_queue(a.own, true);
	vdb_kunit_write(test, &a, 0x22);
	vdb_kunit_unmap(&c, DMA_BIDIRECTIONAL);
	vdb_kunit_unmap(&b, DMA_BIDIRECTIONAL);
	vdb_coherency_done(a.own, true);
	vdb_coherency_deliver(f->buf, false);
	KUNIT_EXPECT_EQ(test, cpu_read(f->buf, 0), 0x22);
	vdb_kunit_unmap(&a, DMA_FROM_DEVICE);
}

/* What a coherent device wrote is there for others after it has gone. */
static void coherent_writer_leaves(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct vdb_kunit_device a, b, c;

	map_tracked(test, &a, f->a, DMA_TO_DEVICE);
	map_silent(test, &c, f->c, DMA_BIDIRECTIONAL);
	vdb_kunit_write(test, &c, 0x22);
	/* Or before: for one that comes to look at memory as well. */
	map_silent(test, &b, f->b, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &b, 0), 0x22);
	vdb_kunit_unmap(&b, DMA_TO_DEVICE);
	vdb_kunit_write(test, &c, 0x33);
	vdb_kunit_unmap(&c, DMA_BIDIRECTIONAL);
	vdb_coherency_queue(a.own, true);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &a, 0), 0x33);
	vdb_coherency_done(a.own, true);
	vdb_kunit_unmap(&a, DMA_TO_DEVICE);
}

/* Devices of others may write while they are mapped. */
static void silent_writer_is_heard(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct vdb_kunit_device a, b, c;

	map_silent(test, &a, f->a, DMA_BIDIRECTIONAL);
	vdb_kunit_write(test, &a, 0x22);
	KUNIT_EXPECT_EQ(test, cpu_read(f->buf, 2), 0x22);

	/* One that comes later must not put older bytes over these. */
	vdb_kunit_write(test, &a, 0x33);
	map_silent(test, &b, f->b, DMA_TO_DEVICE);
	map_silent(test, &c, f->c, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &b, 0), 0x33);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &c, 0), 0x33);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &a, 0), 0x33);

	vdb_kunit_write(test, &a, 0x44);
	vdb_kunit_unmap(&a, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, cpu_sees(f->buf, 0), 0x44);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &b, 0), 0x44);
	vdb_kunit_unmap(&c, DMA_TO_DEVICE);
	vdb_kunit_unmap(&b, DMA_TO_DEVICE);
}

/* Two that say nothing, each a part of one chunk: none is "the last one". */
static void silent_writers_are_told_apart(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct vdb_kunit_device a, c;
	u8 *at = page_address(f->buf->storage.pages[0]);

	map_silent(test, &a, f->a, DMA_BIDIRECTIONAL);
	map_silent(test, &c, f->c, DMA_BIDIRECTIONAL);
	vdb_kunit_write_part(test, &a, 10, 20, 0x22);
	vdb_kunit_write_part(test, &c, 50, 100, 0x33);
	vdb_coherency_begin(f->buf, false);
	KUNIT_EXPECT_EQ(test, at[9], 0x11);
	KUNIT_EXPECT_EQ(test, at[10], 0x22);
	KUNIT_EXPECT_EQ(test, at[29], 0x22);
	KUNIT_EXPECT_EQ(test, at[30], 0x11);
	KUNIT_EXPECT_EQ(test, at[50], 0x33);
	KUNIT_EXPECT_EQ(test, at[149], 0x33);
	KUNIT_EXPECT_EQ(test, at[150], 0x11);
	vdb_coherency_end(f->buf, false);
	/* Each sees what the other one wrote. */
	KUNIT_EXPECT_EQ(test, vdb_kunit_read_byte(test, &a, 60), 0x33);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read_byte(test, &c, 15), 0x22);
	/* And what it wrote last is not lost when it goes. */
	vdb_kunit_write_part(test, &a, VDB_CHUNK_SIZE - 1, 2, 0x44);
	vdb_kunit_unmap(&a, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read_byte(test, &c, VDB_CHUNK_SIZE),
			0x44);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read_byte(test, &c, 60), 0x33);
	vdb_kunit_unmap(&c, DMA_BIDIRECTIONAL);
}

/* A device that is coherent has the CPU's view, others have memory. */
static void frames_reach_all_views(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct vdb_kunit_device a, b, c, s;

	map_tracked(test, &a, f->a, DMA_BIDIRECTIONAL);
	map_tracked(test, &c, f->c, DMA_BIDIRECTIONAL);
	map_silent(test, &b, f->b, DMA_TO_DEVICE);
	map_silent(test, &s, f->c, DMA_TO_DEVICE);
	vdb_kunit_frame(test, &a, 0x22);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &b, 0), 0x22);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &s, 0), 0x22);
	vdb_kunit_frame(test, &c, 0x33);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &s, 1), 0x33);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &b, 2), 0x33);
	KUNIT_EXPECT_EQ(test, cpu_read(f->buf, 0), 0x33);
	vdb_kunit_unmap(&a, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, cpu_sees(f->buf, 0), 0x33);
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
	struct fixture *f = test->priv;
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
	KUNIT_EXPECT_EQ(test, cpu_sees(buf, 0), 0x22);
	KUNIT_EXPECT_EQ(test, cpu_sees(buf, chunks - 1), 0x22);
	cpu_write(buf, chunks - 1, 0x33);
	dma_buf_end_cpu_access(buf->dbuf, DMA_BIDIRECTIONAL);
	vdb_coherency_queue(a.own, true);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &a, 0), 0x22);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &a, chunks - 1), 0x33);
	vdb_kunit_write(test, &a, 0x55);
	vdb_coherency_done(a.own, true);
	vdb_kunit_unmap(&a, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, cpu_sees(buf, 0), 0x55);
	KUNIT_EXPECT_EQ(test, cpu_sees(buf, chunks - 1), 0x55);
out:
	unregister_trace_vdb_sync(largest_sync, &largest);
	tracepoint_synchronize_unregister();
	dma_buf_put(buf->dbuf);
	KUNIT_EXPECT_EQ(test, largest, VDB_PIECE_CHUNKS * VDB_CHUNK_SIZE);
}

/* What was finished by a device that has gone is not lost. */
static void writer_leaves(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct vdb_kunit_device a, b;

	map_tracked(test, &a, f->a, DMA_FROM_DEVICE);
	vdb_coherency_queue(a.own, true);
	vdb_kunit_write(test, &a, 0x22);
	/* In the middle of a frame, even. */
	vdb_kunit_unmap(&a, DMA_FROM_DEVICE);
	KUNIT_EXPECT_TRUE(test, cpu_has_all(f->buf));
	KUNIT_EXPECT_EQ(test, cpu_read(f->buf, 0), 0x22);
	map_silent(test, &b, f->b, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &b, 0), 0x22);
	vdb_kunit_unmap(&b, DMA_BIDIRECTIONAL);
}

static int coherency_test_init(struct kunit *test)
{
	struct fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	unsigned int i;

	if (!f)
		return -ENOMEM;
	test->priv = f;
	f->a = vdb_kunit_add_device(test, "memory-a", VDB_KUNIT_NONCOHERENT);
	f->b = vdb_kunit_add_device(test, "memory-b",
				    VDB_KUNIT_NONCOHERENT_IOMMU);
	f->c = vdb_kunit_add_device(test, "coherent-c", VDB_KUNIT_REAL);
	f->buf = vdb_buffer_create(NULL, SIZE, 0, false,
				   VDB_POLICY_AUTO);
	if (IS_ERR(f->buf))
		return PTR_ERR(f->buf);
	for (i = 0; i < CHUNKS; i++)
		cpu_fill(f->buf, i, 0x11);
	return 0;
}

static void coherency_test_exit(struct kunit *test)
{
	struct fixture *f = test->priv;

	if (!f || IS_ERR_OR_NULL(f->buf))
		return;
	KUNIT_EXPECT_EQ(test, vivid_ext_kunit_count(test, f->a, "faults"), 0);
	KUNIT_EXPECT_EQ(test, vivid_ext_kunit_count(test, f->a,
						    "syncs_in_wrong_direction"),
			0);
	KUNIT_EXPECT_EQ(test, vivid_ext_kunit_count(test, f->b,
						    "syncs_in_wrong_direction"),
			0);
	dma_buf_put(f->buf->dbuf);
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
	KUNIT_CASE(importer_leaves_while_device_writes),
	KUNIT_CASE(coherent_writer_leaves),
	KUNIT_CASE(silent_writer_is_heard),
	KUNIT_CASE(silent_writers_are_told_apart),
	KUNIT_CASE(frames_reach_all_views),
	KUNIT_CASE(long_syncs_come_in_pieces),
	KUNIT_CASE(writer_leaves),
	{}
};

static struct kunit_suite coherency_suite = {
	.name = "videobuf2-dmabuf-coherency",
	.init = coherency_test_init,
	.exit = coherency_test_exit,
	.test_cases = coherency_cases,
};

kunit_test_suite(coherency_suite);
