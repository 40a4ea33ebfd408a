// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the attachments that nobody uses: how many stay, and for how long.
 */
#include <kunit/test.h>
#include <linux/device.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/shrinker.h>
#include <media/videobuf2-core.h>

#include "cache_fixture.h"

/* All others have forgotten the first buffer; the second one stays. */
static void the_lost_go(struct kunit *test)
{
	struct vdb_buffer *lost = new_buffer(test), *buf = new_buffer(test);

	use_once(test, lost);
	use_once(test, buf);
	vdb_cache_sweep(jiffies);
	KUNIT_EXPECT_EQ(test, idle(), 2);
	dma_buf_put(lost->dbuf);
	KUNIT_EXPECT_EQ(test, idle(), 2);
	vdb_cache_sweep(jiffies);
	KUNIT_EXPECT_EQ(test, idle(), 1);
	KUNIT_EXPECT_EQ(test, attachments(buf), 1);

	/* What has to be mapped takes their place, not room besides. */
	dma_buf_put(buf->dbuf);
	buf = new_buffer(test);
	use_once(test, buf);
	KUNIT_EXPECT_EQ(test, idle(), 1);
	KUNIT_EXPECT_EQ(test, attachments(buf), 1);
	dma_buf_put(buf->dbuf);
}

/* Two queues that keep it for each other are not others. */
static void the_lost_are_not_held_by_queues(struct kunit *test)
{
	struct vdb_buffer *lost = new_buffer(test);
	struct vdb_plane a = plane_of(test, lost), b = plane_of(test, lost);

	b.cache = another_cache(test);
	KUNIT_ASSERT_EQ(test, vdb_plane_attach(&a, false), 0);
	KUNIT_ASSERT_EQ(test, vdb_plane_attach(&b, false), 0);
	vdb_plane_detach(&a);
	vdb_plane_detach(&b);
	vdb_cache_sweep(jiffies);
	KUNIT_EXPECT_EQ(test, idle(), 2);
	dma_buf_put(lost->dbuf);
	vdb_cache_sweep(jiffies);
	KUNIT_EXPECT_EQ(test, idle(), 0);
	vdb_cache_put(b.cache, false);
}

static void idle_ones_are_few(struct kunit *test)
{
	struct vdb_buffer *bufs[12];
	unsigned int i;

	set_limits(8, wide.bytes);
	for (i = 0; i < ARRAY_SIZE(bufs); i++) {
		bufs[i] = new_buffer(test);
		use_once(test, bufs[i]);
		/* Used all the time. */
		use_once(test, bufs[0]);
	}
	KUNIT_EXPECT_EQ(test, idle(), 8);
	/* Those idle longest have gone. */
	for (i = 0; i < ARRAY_SIZE(bufs); i++) {
		KUNIT_EXPECT_EQ(test, attachments(bufs[i]), !i || i >= 5);
		dma_buf_put(bufs[i]->dbuf);
	}
}

static void idle_bytes_are_few(struct kunit *test)
{
	struct vdb_buffer *bufs[4];
	unsigned int i;

	set_limits(wide.number, 2 * SIZE);
	for (i = 0; i < ARRAY_SIZE(bufs); i++) {
		bufs[i] = new_buffer(test);
		use_once(test, bufs[i]);
	}
	KUNIT_EXPECT_EQ(test, vdb_cache_count(), 2 * PAGES);
	for (i = 0; i < ARRAY_SIZE(bufs); i++)
		KUNIT_EXPECT_EQ(test, attachments(bufs[i]), i >= 2);
	/* Not even one fits. */
	set_limits(wide.number, SIZE - 1);
	use_once(test, bufs[3]);
	KUNIT_EXPECT_EQ(test, vdb_cache_count(), 0);
	for (i = 0; i < ARRAY_SIZE(bufs); i++) {
		KUNIT_EXPECT_EQ(test, attachments(bufs[i]), 0);
		dma_buf_put(bufs[i]->dbuf);
	}
}

/* A queue that streams, and has done without it for long. */
static void idle_ones_grow_old(struct kunit *test)
{
	struct vdb_buffer *buf = new_buffer(test);
	unsigned long start = jiffies;

	use_once(test, buf);
	vdb_cache_sweep(start + wide.kept - 1);
	KUNIT_EXPECT_EQ(test, idle(), 1);
	vdb_cache_sweep(jiffies + wide.kept);
	KUNIT_EXPECT_EQ(test, idle(), 0);
	KUNIT_EXPECT_EQ(test, attachments(buf), 0);
	dma_buf_put(buf->dbuf);
}

/* Unless the queue starts again at once. */
static void idle_ones_go_when_the_queue_stops(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct vdb_buffer *bufs[2] = { new_buffer(test), new_buffer(test) };
	unsigned long now = jiffies;

	use_once(test, bufs[0]);
	use_once(test, bufs[1]);
	f->queue.streaming = 0;
	vdb_cache_sweep(now);
	KUNIT_EXPECT_EQ(test, idle(), 2);
	f->queue.streaming = 1;
	vdb_cache_sweep(now + 1);
	f->queue.streaming = 0;
	vdb_cache_sweep(now + 2);
	KUNIT_EXPECT_EQ(test, idle(), 2);
	vdb_cache_sweep(now + 3);
	KUNIT_EXPECT_EQ(test, idle(), 0);
	KUNIT_EXPECT_EQ(test, attachments(bufs[0]), 0);
	dma_buf_put(bufs[0]->dbuf);
	dma_buf_put(bufs[1]->dbuf);
}

/* Every few ticks somebody looks, without being asked. */
static void a_work_looks(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct vdb_buffer *buf = new_buffer(test);
	struct vdb_cache_limits often = wide;

	often.period = 1;
	use_once(test, buf);
	KUNIT_EXPECT_EQ(test, attachments(buf), 1);
	f->queue.streaming = 0;
	vdb_cache_set_limits(&often);
	KUNIT_EXPECT_TRUE(test, becomes(attachments, buf, 0));
	dma_buf_put(buf->dbuf);
}

/* What the shrinker takes is not found any more, and goes in a moment. */
static void memory_is_short(struct kunit *test)
{
	struct vdb_buffer *bufs[3];
	struct dma_buf_attachment *att[3];
	struct vdb_plane plane;
	unsigned int i;

	KUNIT_EXPECT_EQ(test, vdb_cache_scan(1), 0);
	for (i = 0; i < ARRAY_SIZE(bufs); i++) {
		bufs[i] = new_buffer(test);
		att[i] = use_once(test, bufs[i]);
	}
	KUNIT_EXPECT_EQ(test, vdb_cache_count(), 3 * PAGES);
	KUNIT_EXPECT_EQ(test, vdb_cache_scan(2 * PAGES), 2 * PAGES);
	KUNIT_EXPECT_EQ(test, vdb_cache_count(), PAGES);
	KUNIT_EXPECT_TRUE(test, becomes(attachments, bufs[0], 0));
	KUNIT_EXPECT_TRUE(test, becomes(attachments, bufs[1], 0));
	KUNIT_EXPECT_EQ(test, attachments(bufs[2]), 1);
	KUNIT_EXPECT_PTR_EQ(test, use_once(test, bufs[2]), att[2]);

	plane = plane_of(test, bufs[2]);
	KUNIT_EXPECT_EQ(test, vdb_cache_scan(1), PAGES);
	KUNIT_ASSERT_EQ(test, vdb_plane_attach(&plane, false), 0);
	KUNIT_EXPECT_TRUE(test, becomes(attachments, bufs[2], 1));
	vdb_plane_detach(&plane);
	KUNIT_EXPECT_EQ(test, idle(), 1);
	for (i = 0; i < ARRAY_SIZE(bufs); i++)
		dma_buf_put(bufs[i]->dbuf);
}

/* A bounce buffer for one: what is idle must not keep the next one out. */
static void idle_ones_make_room(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct vdb_buffer *buf = new_buffer(test);
	struct vdb_plane a = plane_of(test, buf), b = a, c = a;
	struct dma_buf *bufs[2];

	bufs[0] = vdb_kunit_narrow_buffer(test, SIZE);
	bufs[1] = vdb_kunit_narrow_buffer(test, SIZE);
	b.dbuf = bufs[0];
	c.dbuf = bufs[1];
	KUNIT_ASSERT_EQ(test, vdb_plane_attach(&b, false), 0);
	KUNIT_EXPECT_EQ(test, vdb_plane_attach(&c, false), -EINVAL);
	vdb_plane_detach(&b);
	KUNIT_EXPECT_EQ(test, idle(), 1);
	KUNIT_EXPECT_EQ(test, vdb_plane_attach(&c, false), 0);
	KUNIT_EXPECT_EQ(test, idle(), 0);
	vdb_plane_detach(&c);
	KUNIT_EXPECT_TRUE(test, vdb_cache_make_room(f->dev));
	KUNIT_EXPECT_FALSE(test, vdb_cache_make_room(f->dev));
	dma_buf_put(bufs[0]);
	dma_buf_put(bufs[1]);

	/* Others' are not in its way. */
	use_once(test, buf);
	KUNIT_EXPECT_FALSE(test, vdb_cache_make_room(f->dev->parent));
	KUNIT_EXPECT_EQ(test, idle(), 1);
	dma_buf_put(buf->dbuf);
}

/* Of those that were idle longest, a miss looks at sixteen and at no more. */
static void a_miss_looks_at_few(struct kunit *test)
{
	struct vdb_buffer *bufs[18], *buf = new_buffer(test);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bufs); i++) {
		bufs[i] = new_buffer(test);
		use_once(test, bufs[i]);
	}
	for (i = 0; i < ARRAY_SIZE(bufs); i++)
		dma_buf_put(bufs[i]->dbuf);
	use_once(test, buf);
	KUNIT_EXPECT_EQ(test, idle(), ARRAY_SIZE(bufs) - 16 + 1);
	dma_buf_put(buf->dbuf);
}

/* Bytes that may have no other user are a quarter of all. */
static void limits_are_set(struct kunit *test)
{
	struct fixture *f = test->priv;

	KUNIT_EXPECT_EQ(test, f->limits.number, 1024);
	KUNIT_EXPECT_EQ(test, f->limits.bytes,
			(u64)totalram_pages() * PAGE_SIZE / 4);
	KUNIT_EXPECT_EQ(test, f->limits.period, HZ / 4);
	KUNIT_EXPECT_EQ(test, f->limits.kept, 30 * HZ);
}

static void idle_ones_are_counted(struct kunit *test)
{
	struct vdb_buffer *buf = new_buffer(test);
	struct vdb_plane plane = plane_of(test, buf);

	KUNIT_ASSERT_EQ(test, vdb_plane_attach(&plane, false), 0);
	vdb_kunit_stats(test, NULL, NULL);
	vdb_plane_detach(&plane);
	vdb_kunit_stats(test, "idle",
			VDB_KUNIT_STATS([VDB_IMPORTS_IDLE] = 1,
					[VDB_IMPORT_BYTES_IDLE] = SIZE));
	KUNIT_ASSERT_EQ(test, vdb_plane_attach(&plane, false), 0);
	vdb_kunit_stats(test, "used",
			VDB_KUNIT_STATS([VDB_IMPORT_HITS] = 1,
					[VDB_IMPORTS_IDLE] = -1,
					[VDB_IMPORT_BYTES_IDLE] = -(s64)SIZE));
	vdb_plane_detach(&plane);
	vdb_cache_make_room(NULL);
	vdb_kunit_stats(test, "dropped",
			VDB_KUNIT_STATS([VDB_ATTACHMENTS] = -1));
	dma_buf_put(buf->dbuf);
}

/* What it asks for, and no more; at the end it is told to stop. */
static void the_kernel_asks_for_them(struct kunit *test)
{
	struct vdb_buffer *bufs[2] = { new_buffer(test), new_buffer(test) };
	struct shrinker *s = vdb_cache_shrinker;
	struct shrink_control sc = { .nr_to_scan = PAGES };

	KUNIT_ASSERT_NOT_NULL(test, s);
	KUNIT_EXPECT_EQ(test, s->count_objects(s, &sc), 0);
	KUNIT_EXPECT_EQ(test, s->scan_objects(s, &sc), SHRINK_STOP);
	use_once(test, bufs[0]);
	use_once(test, bufs[1]);
	KUNIT_EXPECT_EQ(test, s->count_objects(s, &sc), 2 * PAGES);
	KUNIT_EXPECT_EQ(test, s->scan_objects(s, &sc), PAGES);
	KUNIT_EXPECT_EQ(test, s->count_objects(s, &sc), PAGES);
	KUNIT_EXPECT_TRUE(test, becomes(attachments, bufs[0], 0));
	KUNIT_EXPECT_EQ(test, attachments(bufs[1]), 1);
	sc.nr_to_scan = PAGES + 1;
	use_once(test, bufs[0]);
	KUNIT_EXPECT_EQ(test, s->scan_objects(s, &sc), 2 * PAGES);
	KUNIT_EXPECT_TRUE(test, becomes(attachments, bufs[1], 0));
	dma_buf_put(bufs[0]->dbuf);
	dma_buf_put(bufs[1]->dbuf);
}

static struct kunit_case idle_cases[] = {
	KUNIT_CASE(the_lost_go),
	KUNIT_CASE(the_lost_are_not_held_by_queues),
	KUNIT_CASE(idle_ones_are_few),
	KUNIT_CASE(idle_bytes_are_few),
	KUNIT_CASE(idle_ones_grow_old),
	KUNIT_CASE(idle_ones_go_when_the_queue_stops),
	KUNIT_CASE(a_work_looks),
	KUNIT_CASE(memory_is_short),
	KUNIT_CASE(idle_ones_make_room),
	KUNIT_CASE(a_miss_looks_at_few),
	KUNIT_CASE(limits_are_set),
	KUNIT_CASE(idle_ones_are_counted),
	KUNIT_CASE(the_kernel_asks_for_them),
	{}
};

static struct kunit_suite idle_suite = {
	.name = "videobuf2-dmabuf-idle",
	.init = set_up,
	.exit = tear_down,
	.test_cases = idle_cases,
};

kunit_test_suite(idle_suite);
