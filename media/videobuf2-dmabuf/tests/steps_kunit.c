// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of single events, by value: what each of them synchronises and counts,
 * and which views there are after it; and of a frame that ends in the middle of
 * one.
 */
#include <kunit/static_stub.h>
#include <kunit/test.h>
#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/sched.h>

#include "fixture.h"
#include "watch.h"

static void queues_device(struct kunit *test)
{
	struct vdb_fixture *f = test->priv;
	struct vdb_kunit_device a;

	vdb_watch(test);
	vdb_map_tracked(test, &a, f->a, DMA_BIDIRECTIONAL);
	EXPECT_MOVES(test, "a>0-33");
	EXPECT_STATS(test, [VDB_ATTACHMENTS] = 1, [VDB_MAPS] = 1,
		     [VDB_SYNCS_FOR_DEVICE] = 1, [VDB_BYTES_SYNCED] = SIZE);
	vdb_coherency_queue(a.own, true);
	KUNIT_EXPECT_TRUE(test, f->buf->device_owned);
	EXPECT_STATS(test, [VDB_SYNCS_ELIDED] = 1);
	vdb_kunit_write(test, &a, 0x22);
	vdb_coherency_done(a.own, true);
	KUNIT_EXPECT_FALSE(test, f->buf->device_owned);
	EXPECT_STATS(test, 0);
	vdb_coherency_deliver(f->buf, false);
	EXPECT_MOVES(test, "");
	EXPECT_STATS(test, [VDB_SYNCS_ELIDED] = 1);
	vdb_cpu_read(f->buf, 1);
	EXPECT_MOVES(test, "a<16-32");
	EXPECT_STATS(test, [VDB_SYNCS_FOR_CPU] = 1,
		     [VDB_BYTES_SYNCED] = VDB_CHUNK_SIZE);

	/* Nothing was written: all is where it was. */
	vdb_coherency_queue(a.own, true);
	vdb_coherency_done(a.own, false);
	vdb_coherency_deliver(f->buf, true);
	EXPECT_MOVES(test, "a<0-16 a<32-33");
	EXPECT_STATS(test, [VDB_SYNCS_ELIDED] = 1, [VDB_SYNCS_FOR_CPU] = 2,
		     [VDB_BYTES_SYNCED] = VDB_CHUNK_SIZE + PAGE_SIZE);

	/* What only it has is fetched before it goes. */
	vdb_kunit_frame(test, &a, 0x33);
	EXPECT_MOVES(test, "");
	vdb_kunit_unmap(&a, DMA_BIDIRECTIONAL);
	EXPECT_MOVES(test, "a<0-33");
	EXPECT_STATS(test, [VDB_ATTACHMENTS] = -1, [VDB_SYNCS_ELIDED] = 2,
		     [VDB_SYNCS_FOR_CPU] = 1, [VDB_BYTES_SYNCED] = SIZE);
}

/* A process and a kernel mapping, in brackets. */
static void accesses(struct kunit *test)
{
	struct vdb_fixture *f = test->priv;
	struct dma_buf *dbuf = f->buf->dbuf;
	struct vdb_kunit_device a;

	vdb_map_tracked(test, &a, f->a, DMA_BIDIRECTIONAL);
	vdb_kunit_frame(test, &a, 0x22);
	vdb_watch(test);
	dma_buf_begin_cpu_access(dbuf, DMA_BIDIRECTIONAL);
	EXPECT_MOVES(test, "a<0-33");
	EXPECT_STATS(test, [VDB_BEGIN_CPU_ACCESS] = 1, [VDB_SYNCS_FOR_CPU] = 1,
		     [VDB_BYTES_SYNCED] = SIZE);
	KUNIT_EXPECT_EQ(test, f->buf->cpu_users, 1);
	vdb_cpu_write(f->buf, 2, 0x33);
	dma_buf_begin_cpu_access(dbuf, DMA_FROM_DEVICE);
	KUNIT_EXPECT_EQ(test, f->buf->cpu_users, 2);
	dma_buf_end_cpu_access(dbuf, DMA_FROM_DEVICE);
	EXPECT_MOVES(test, "");
	EXPECT_STATS(test, [VDB_BEGIN_CPU_ACCESS] = 1,
		     [VDB_END_CPU_ACCESS] = 1, [VDB_SYNCS_ELIDED] = 2);
	dma_buf_end_cpu_access(dbuf, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, f->buf->cpu_users, 0);
	vdb_coherency_end(f->buf, false);
	KUNIT_EXPECT_EQ(test, f->buf->cpu_users, 0);
	EXPECT_STATS(test, [VDB_END_CPU_ACCESS] = 1, [VDB_SYNCS_ELIDED] = 2);
	/* A process wrote: that is told by who may have, and not by others. */
	f->buf->unsynced = true;
	vdb_coherency_end(f->buf, false);
	KUNIT_EXPECT_TRUE(test, f->buf->unsynced);
	vdb_coherency_end(f->buf, true);
	KUNIT_EXPECT_FALSE(test, f->buf->unsynced);
	EXPECT_STATS(test, [VDB_SYNCS_ELIDED] = 2);
	vdb_coherency_begin(f->buf, true);
	vdb_coherency_queue(a.own, true);
	KUNIT_EXPECT_EQ(test, f->buf->cpu_users, 0);
	EXPECT_MOVES(test, "a>32-33");
	EXPECT_STATS(test, [VDB_SYNCS_ELIDED] = 1, [VDB_SYNCS_FOR_DEVICE] = 1,
		     [VDB_BYTES_SYNCED] = PAGE_SIZE);
	vdb_coherency_done(a.own, true);

	/* Who has a mapping may write all of it. */
	KUNIT_ASSERT_NOT_NULL(test, vdb_mapping_vmap(f->buf, true));
	EXPECT_MOVES(test, "a<0-33");
	EXPECT_STATS(test, [VDB_VMAPS] = 1, [VDB_SYNCS_FOR_CPU] = 1,
		     [VDB_BYTES_SYNCED] = SIZE);
	vdb_coherency_begin(f->buf, true);
	vdb_coherency_end(f->buf, true);
	vdb_mapping_vunmap(f->buf, true);
	EXPECT_STATS(test, [VDB_SYNCS_ELIDED] = 2);
	vdb_coherency_queue(a.own, true);
	EXPECT_MOVES(test, "a>0-33");
	vdb_coherency_done(a.own, false);
	vdb_kunit_unmap(&a, DMA_BIDIRECTIONAL);
}

/* The driver's CPU, beside an importer that says nothing. */
static void drivers_cpu(struct kunit *test)
{
	struct vdb_fixture *f = test->priv;
	struct vdb_kunit_device a;

	vdb_map_silent(test, &a, f->a, DMA_BIDIRECTIONAL);
	vdb_watch(test);
	vdb_coherency_queue_cpu(f->buf, true);
	KUNIT_EXPECT_TRUE(test, f->buf->drawn);
	EXPECT_MOVES(test, "a<0-33");
	EXPECT_STATS(test, [VDB_SYNCS_FOR_CPU] = 1, [VDB_BYTES_SYNCED] = SIZE);
	vdb_coherency_look(f->buf);
	vdb_coherency_done_cpu(f->buf, true);
	EXPECT_MOVES(test, "");
	EXPECT_STATS(test, 0);
	vdb_coherency_deliver(f->buf, false);
	EXPECT_MOVES(test, "a>0-33");
	EXPECT_STATS(test, [VDB_SYNCS_FOR_DEVICE] = 1,
		     [VDB_BYTES_SYNCED] = SIZE);
	vdb_coherency_look(f->buf);
	EXPECT_MOVES(test, "a<0-33");
	vdb_coherency_wrote(f->buf);
	EXPECT_MOVES(test, "a>0-33");
	vdb_coherency_queue_cpu(f->buf, false);
	EXPECT_MOVES(test, "a<0-33");
	vdb_kunit_unmap(&a, DMA_BIDIRECTIONAL);
	EXPECT_MOVES(test, "a<0-33");
}

/* One dma-buf may be in two buffers of a queue. */
static void buffers_are_queued_twice(struct kunit *test)
{
	struct vdb_fixture *f = test->priv;
	struct vdb_kunit_device a;

	vdb_map_tracked(test, &a, f->a, DMA_FROM_DEVICE);
	vdb_coherency_queue(a.own, true);
	vdb_coherency_queue(a.own, true);
	KUNIT_EXPECT_EQ(test, a.own->writing, 2);
	vdb_kunit_write(test, &a, 0x22);
	vdb_coherency_done(a.own, true);
	KUNIT_EXPECT_EQ(test, a.own->writing, 1);
	/* It is still being written. */
	KUNIT_EXPECT_EQ(test, vdb_cpu_read(f->buf, 0), 0x11);
	vdb_kunit_write(test, &a, 0x33);
	vdb_coherency_done(a.own, true);
	KUNIT_EXPECT_EQ(test, a.own->writing, 0);
	KUNIT_EXPECT_EQ(test, vdb_cpu_read(f->buf, 0), 0x33);
	/* One too many. */
	vdb_kunit_write(test, &a, 0x44);
	vdb_coherency_done(a.own, true);
	KUNIT_EXPECT_EQ(test, a.own->writing, 0);
	KUNIT_EXPECT_EQ(test, vdb_cpu_read(f->buf, 0), 0x33);
	vdb_coherency_queue(a.own, true);
	vdb_coherency_queue(a.own, true);
	vdb_kunit_unmap(&a, DMA_FROM_DEVICE);
	KUNIT_EXPECT_EQ(test, vdb_cpu_sees(f->buf, 0), 0x44);
	KUNIT_EXPECT_EQ(test, f->buf->engine.views[VDB_MEMORY].writing, 0);

	/* A queue that only reads writes nothing. */
	vdb_map_tracked(test, &a, f->a, DMA_TO_DEVICE);
	vdb_coherency_queue(a.own, true);
	KUNIT_EXPECT_EQ(test, a.own->writing, 0);
	KUNIT_EXPECT_EQ(test, f->buf->engine.views[VDB_MEMORY].writing, 0);
	vdb_coherency_done(a.own, true);
	vdb_kunit_unmap(&a, DMA_TO_DEVICE);
}

/* Is "the CPU wrote nothing" believed? If not the chunk is flushed. */
static bool believed(struct vdb_buffer *buf, struct vdb_kunit_device *d)
{
	vdb_watch_moves();
	vdb_cpu_write(buf, 1, 0x33);
	vdb_coherency_queue(d->own, false);
	vdb_coherency_done(d->own, false);
	return !*vdb_watch_moves();
}

/* The promise is about processes, and this device, and nobody else. */
static void promises_are_doubted(struct kunit *test)
{
	struct vdb_fixture *f = test->priv;
	struct vdb_kunit_device a, b;

	vdb_watch(test);
	vdb_map_tracked(test, &a, f->a, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_TRUE(test, believed(f->buf, &a));
	vdb_map_tracked(test, &b, f->b, DMA_TO_DEVICE);
	KUNIT_EXPECT_FALSE(test, believed(f->buf, &a));
	vdb_kunit_unmap(&b, DMA_TO_DEVICE);
	KUNIT_EXPECT_TRUE(test, believed(f->buf, &a));
	vdb_coherency_queue_cpu(f->buf, false);
	KUNIT_EXPECT_TRUE(test, believed(f->buf, &a));
	vdb_coherency_queue_cpu(f->buf, true);
	vdb_coherency_done_cpu(f->buf, true);
	KUNIT_EXPECT_FALSE(test, believed(f->buf, &a));
	vdb_kunit_unmap(&a, DMA_BIDIRECTIONAL);
}

static enum vdb_view_kind bounced(struct vdb_attachment *att)
{
	return VDB_VIEW_PRIVATE;
}

static void carry_nothing(struct vdb_attachment *att, size_t offset,
			  dma_addr_t addr, size_t len, bool for_cpu)
{
}

/* Each bounced device has a view of its own; who comes later takes one over. */
static void copies_are_views(struct kunit *test)
{
	struct vdb_fixture *f = test->priv;
	struct vdb_engine *e = &f->buf->engine;
	struct vdb_kunit_device a, d[3];
	unsigned int i;

	vdb_map_tracked(test, &a, f->a, DMA_BIDIRECTIONAL);
	kunit_activate_static_stub(test, vdb_sync_kind, bounced);
	kunit_activate_static_stub(test, vdb_sync_run, carry_nothing);
	vdb_watch(test);
	for (i = 0; i < 2; i++) {
		vdb_map_tracked(test, &d[i], f->c, DMA_BIDIRECTIONAL);
		EXPECT_MOVES(test, "c>0-33");
		KUNIT_EXPECT_EQ(test, d[i].own->kind, VDB_VIEW_PRIVATE);
		KUNIT_EXPECT_EQ(test, d[i].own->view, VDB_FIRST_PRIVATE + i);
		KUNIT_EXPECT_EQ(test, e->nr_views, VDB_FIRST_PRIVATE + 1 + i);
		KUNIT_EXPECT_EQ(test, e->views[VDB_MEMORY].devices, 1);
		KUNIT_EXPECT_TRUE(test, bitmap_full(e->views[0].newest, 3));
		KUNIT_EXPECT_TRUE(test, bitmap_full(e->views[1].newest, 3));
	}
	/* What one wrote goes by way of the CPU to the others. */
	vdb_coherency_queue(d[0].own, true);
	vdb_coherency_done(d[0].own, true);
	vdb_coherency_queue(d[1].own, true);
	EXPECT_MOVES(test, "c<0-33 c>0-33");
	vdb_coherency_done(d[1].own, true);
	vdb_coherency_queue(a.own, true);
	EXPECT_MOVES(test, "c<0-33 a>0-33");
	vdb_coherency_done(a.own, false);

	vdb_kunit_unmap(&d[0], DMA_BIDIRECTIONAL);
	EXPECT_MOVES(test, "");
	vdb_map_tracked(test, &d[2], f->c, DMA_BIDIRECTIONAL);
	EXPECT_MOVES(test, "c>0-33");
	KUNIT_EXPECT_EQ(test, d[2].own->view, VDB_FIRST_PRIVATE);
	KUNIT_EXPECT_EQ(test, e->nr_views, VDB_FIRST_PRIVATE + 2);
	KUNIT_EXPECT_EQ(test, e->outside, 3);
	vdb_kunit_unmap(&d[2], DMA_BIDIRECTIONAL);
	vdb_kunit_unmap(&d[1], DMA_BIDIRECTIONAL);
	kunit_deactivate_static_stub(test, vdb_sync_run);
	vdb_kunit_unmap(&a, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, e->outside, 0);
}

#ifdef CONFIG_FAULT_INJECTION
/* Of a second silent writer, one that is bounced, with so many faults to go. */
static int map_late(struct kunit *test, unsigned int n)
{
	struct vdb_fixture *f = test->priv;
	struct vdb_kunit_device a, c;
	struct vdb_buffer *buf;
	struct vdb_engine *e;
	int ret;

	buf = vdb_buffer_create(NULL, SIZE, 0, false, VDB_POLICY_AUTO);
	KUNIT_ASSERT_FALSE(test, IS_ERR(buf));
	KUNIT_ASSERT_EQ(test, vdb_kunit_map(&a, buf, f->a, DMA_BIDIRECTIONAL),
			0);
	e = &buf->engine;
	kunit_activate_static_stub(test, vdb_sync_kind, bounced);
	kunit_activate_static_stub(test, vdb_sync_run, carry_nothing);
	current->fail_nth = n;
	ret = vdb_kunit_map(&c, buf, f->c, DMA_BIDIRECTIONAL);
	if (current->fail_nth && !ret)
		ret = 1;
	current->fail_nth = 0;
	if (ret >= 0) {
		KUNIT_EXPECT_EQ(test, e->outside, 2);
		KUNIT_EXPECT_NOT_NULL(test, buf->noted);
		vdb_kunit_unmap(&c, DMA_BIDIRECTIONAL);
	}
	KUNIT_EXPECT_TRUE(test, list_is_singular(&buf->attachments));
	KUNIT_EXPECT_EQ(test, e->outside, 1);
	KUNIT_EXPECT_EQ(test, e->views[VDB_MEMORY].silent_writers, 1);
	kunit_deactivate_static_stub(test, vdb_sync_run);
	kunit_deactivate_static_stub(test, vdb_sync_kind);
	vdb_kunit_unmap(&a, DMA_BIDIRECTIONAL);
	dma_buf_put(buf->dbuf);
	return ret;
}

/*
 * Each allocation of a map fails in turn: then nothing has changed. The debug
 * kernel allocates as well, not always the same, so each number has its turn
 * some times.
 */
static void maps_fail_whole(struct kunit *test)
{
	unsigned int n, i, errors = 0;
	int ret;

	for (n = 1, ret = 0; n < 100 && ret <= 0; n++) {
		for (i = 0; i < 4; i++) {
			ret = map_late(test, n);
			if (ret < 0)
				KUNIT_EXPECT_EQ(test, ret, -ENOMEM);
			errors += ret < 0;
		}
	}
	/* Attachments, table, runs, view, its bitmap; noted bytes are many. */
	KUNIT_EXPECT_GE(test, errors, 7U);
	KUNIT_EXPECT_LT(test, n, 100U);
}
#else
static void maps_fail_whole(struct kunit *test)
{
	kunit_skip(test, "the kernel can't inject faults");
}
#endif

/* A frame that ends when the lock was taken so many times. */
static struct vdb_attachment *frame;
static int until_done;

static unsigned long lock_late(struct vdb_engine *e)
{
	unsigned long flags;

	if (!until_done--)
		vdb_coherency_done(frame, true);
	spin_lock_irqsave(&frame->buf->state_lock, flags);
	return flags;
}

enum middle { OF_MAP, OF_COHERENT_MAP, OF_UNMAP, OF_FAULT, OF_ACCESS, OF_VMAP,
	      OF_QBUF, OF_DQBUF, MIDDLES };

static void happen(struct kunit *test, enum middle what,
		   struct vdb_kunit_device *d)
{
	struct vdb_fixture *f = test->priv;

	switch (what) {
	case OF_MAP:
		vdb_map_silent(test, d, f->b, DMA_TO_DEVICE);
		break;
	case OF_COHERENT_MAP:
		vdb_map_silent(test, d, f->c, DMA_BIDIRECTIONAL);
		break;
	case OF_UNMAP:
		vdb_kunit_unmap(d, DMA_TO_DEVICE);
		break;
	case OF_FAULT:
		vdb_cpu_read(f->buf, 1);
		break;
	case OF_ACCESS:
		vdb_coherency_begin(f->buf, false);
		vdb_coherency_end(f->buf, false);
		break;
	case OF_VMAP:
		KUNIT_ASSERT_NOT_NULL(test, vdb_mapping_vmap(f->buf, true));
		break;
	case OF_QBUF:
		vdb_coherency_queue(d->own, true);
		break;
	default:
		vdb_coherency_deliver(f->buf, true);
	}
}

static bool has_before(enum middle what)
{
	return what == OF_UNMAP || what == OF_QBUF;
}

static bool has_after(enum middle what)
{
	return what == OF_MAP || what == OF_COHERENT_MAP || what == OF_QBUF;
}

/* @late: how often the lock is taken before. Return: it was, and more. */
static bool end_in_the_middle(struct kunit *test, enum middle what, int late)
{
	struct vdb_fixture *f = test->priv;
	struct vdb_kunit_device a, d;
	enum dma_data_direction dir = DMA_TO_DEVICE;
	u8 value = 0x20 + late;
	bool ended, inside;

	if (what == OF_COHERENT_MAP)
		dir = DMA_BIDIRECTIONAL;
	vdb_map_tracked(test, &a, f->a, DMA_FROM_DEVICE);
	if (has_before(what))
		KUNIT_ASSERT_EQ(test, vdb_kunit_map_as(&d, f->buf, f->c, dir,
						       what == OF_QBUF), 0);
	vdb_coherency_queue(a.own, true);
	vdb_kunit_write(test, &a, value);
	frame = a.own;
	until_done = late;
	kunit_activate_static_stub(test, vdb_hand_lock, lock_late);
	happen(test, what, &d);
	kunit_deactivate_static_stub(test, vdb_hand_lock);
	ended = until_done < 0;
	/* Once more for it itself; and then, if it was not the very last. */
	inside = until_done < -2;
	if (!ended)
		vdb_coherency_done(a.own, true);
	vdb_coherency_deliver(f->buf, false);

	if (has_after(what) && (inside || what != OF_QBUF)) {
		KUNIT_EXPECT_EQ_MSG(test, vdb_kunit_read(test, &d, 1), value,
				    "%d, %d", what, late);
		KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &d, 2), value);
	}
	KUNIT_EXPECT_EQ_MSG(test, vdb_cpu_read(f->buf, 1), value, "%d, %d",
			    what, late);
	if (what == OF_VMAP)
		vdb_mapping_vunmap(f->buf, true);
	if (has_after(what))
		vdb_kunit_unmap(&d, dir);
	vdb_kunit_unmap(&a, DMA_FROM_DEVICE);
	KUNIT_EXPECT_EQ(test, vdb_cpu_sees(f->buf, 2), value);
	return ended;
}

/* It is not lost, whenever an interrupt says that it is done. */
static void frames_end_in_the_middle(struct kunit *test)
{
	enum middle what;
	int late;

	for (what = 0; what < MIDDLES; what++) {
		for (late = 0; late < 100; late++)
			if (!end_in_the_middle(test, what, late))
				break;
		KUNIT_EXPECT_GT_MSG(test, late, 0, "%d", what);
		KUNIT_EXPECT_LT(test, late, 100);
	}
}

static struct kunit_case steps_cases[] = {
	KUNIT_CASE(queues_device),
	KUNIT_CASE(accesses),
	KUNIT_CASE(drivers_cpu),
	KUNIT_CASE(buffers_are_queued_twice),
	KUNIT_CASE(promises_are_doubted),
	KUNIT_CASE(copies_are_views),
	KUNIT_CASE(maps_fail_whole),
	KUNIT_CASE(frames_end_in_the_middle),
	{}
};

static struct kunit_suite steps_suite = {
	.name = "videobuf2-dmabuf-steps",
	.init = vdb_fixture_set_up,
	.exit = vdb_fixture_tear_down,
	.test_cases = steps_cases,
};

kunit_test_suite(steps_suite);
