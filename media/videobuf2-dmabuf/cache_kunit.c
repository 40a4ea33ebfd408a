// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the attachments that a queue shares and keeps.
 */
#include <kunit/device.h>
#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/sched.h>
#include <media/videobuf2-core.h>

#include "compat.h"
#include "kunit.h"

#define PAGES 4
#define SIZE (PAGES * PAGE_SIZE)

/**
 * struct fixture - what each test begins with
 * @dev: a device that is not coherent
 * @queue: streams; vb2 knows nothing of it
 * @cache: the queue's; the test counts as a plane
 * @limits: restored after the test
 */
struct fixture {
	struct device *dev;
	struct vb2_queue queue;
	struct vdb_cache *cache;
	struct vdb_cache_limits limits;
};

/* What no test reaches that does not set it, and nothing goes by itself. */
static const struct vdb_cache_limits wide = {
	.number = 1000,
	.bytes = 1000 * SIZE,
	.period = 3600 * HZ,
	.kept = 5 * HZ,
};

static void set_limits(unsigned int number, u64 bytes)
{
	struct vdb_cache_limits new = wide;

	new.number = number;
	new.bytes = bytes;
	vdb_cache_set_limits(&new);
}

static struct vdb_buffer *new_buffer(struct kunit *test)
{
	struct vdb_buffer *buf = vdb_buffer_create(NULL, SIZE, 0, false,
						   VDB_POLICY_AUTO);

	KUNIT_ASSERT_FALSE(test, IS_ERR(buf));
	return buf;
}

/* A plane that imports @buf. */
static struct vdb_plane plane_of(struct kunit *test, struct vdb_buffer *buf)
{
	struct fixture *f = test->priv;

	return (struct vdb_plane) {
		.dev = f->dev,
		.cache = f->cache,
		.dir = DMA_FROM_DEVICE,
		.size = SIZE,
		.dbuf = buf->dbuf,
	};
}

/* A plane had it, and has another one. Return: what it was mapped by. */
static struct dma_buf_attachment *use_once(struct kunit *test,
					   struct vdb_buffer *buf)
{
	struct vdb_plane plane = plane_of(test, buf);
	struct dma_buf_attachment *att;

	KUNIT_ASSERT_EQ(test, vdb_plane_attach(&plane, false), 0);
	att = plane.att;
	vdb_plane_detach(&plane);
	return att;
}

/* That of a second queue. */
static struct vdb_cache *another_cache(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct vb2_queue *queue = kunit_kzalloc(test, sizeof(*queue),
						GFP_KERNEL);
	struct vdb_cache *cache;

	KUNIT_ASSERT_NOT_NULL(test, queue);
	queue->streaming = 1;
	cache = vdb_cache_get(queue, f->dev);
	KUNIT_ASSERT_NOT_NULL(test, cache);
	return cache;
}

static unsigned int attachments(struct vdb_buffer *buf)
{
	struct list_head *at;
	unsigned int n = 0;

	mutex_lock(&buf->lock);
	list_for_each(at, &buf->attachments)
		n++;
	mutex_unlock(&buf->lock);
	return n;
}

/* How many are idle; all have the same size. */
static unsigned long idle(void)
{
	return vdb_cache_count() / PAGES;
}

/* For what a work does; a minute at most. */
static bool becomes(unsigned int (*count)(struct vdb_buffer *),
		    struct vdb_buffer *buf, unsigned int value)
{
	unsigned int i;

	for (i = 0; i < 3000 && count(buf) != value; i++)
		msleep(20);
	return count(buf) == value;
}

static void planes_share(struct kunit *test)
{
	struct vdb_buffer *buf = new_buffer(test);
	struct vdb_plane a = plane_of(test, buf), b = plane_of(test, buf);

	KUNIT_ASSERT_EQ(test, vdb_plane_attach(&a, false), 0);
	KUNIT_ASSERT_EQ(test, vdb_plane_attach(&b, false), 0);
	KUNIT_EXPECT_PTR_EQ(test, a.att, b.att);
	KUNIT_EXPECT_PTR_EQ(test, a.sgt, b.sgt);
	KUNIT_EXPECT_EQ(test, attachments(buf), 1);
	vdb_plane_detach(&a);
	KUNIT_EXPECT_EQ(test, attachments(buf), 1);
	KUNIT_EXPECT_EQ(test, idle(), 0);
	/* Idle, and found again. */
	vdb_plane_detach(&b);
	KUNIT_EXPECT_EQ(test, attachments(buf), 1);
	KUNIT_EXPECT_EQ(test, idle(), 1);
	KUNIT_ASSERT_EQ(test, vdb_plane_attach(&a, false), 0);
	KUNIT_EXPECT_EQ(test, attachments(buf), 1);
	KUNIT_EXPECT_EQ(test, idle(), 0);
	vdb_plane_detach(&a);
	dma_buf_put(buf->dbuf);
}

static void directions_do_not_share(struct kunit *test)
{
	struct vdb_buffer *buf = new_buffer(test);
	struct vdb_plane a = plane_of(test, buf), b = plane_of(test, buf);

	b.dir = DMA_TO_DEVICE;
	KUNIT_ASSERT_EQ(test, vdb_plane_attach(&a, false), 0);
	KUNIT_ASSERT_EQ(test, vdb_plane_attach(&b, false), 0);
	KUNIT_EXPECT_PTR_NE(test, a.att, b.att);
	vdb_plane_detach(&b);
	vdb_plane_detach(&a);
	KUNIT_EXPECT_EQ(test, idle(), 2);
	dma_buf_put(buf->dbuf);
}

/* And each drops its own only. */
static void queues_do_not_share(struct kunit *test)
{
	struct vdb_buffer *buf = new_buffer(test);
	struct vdb_plane a = plane_of(test, buf), b = plane_of(test, buf);

	b.cache = another_cache(test);
	KUNIT_EXPECT_PTR_NE(test, a.cache, b.cache);
	KUNIT_ASSERT_EQ(test, vdb_plane_attach(&a, false), 0);
	KUNIT_ASSERT_EQ(test, vdb_plane_attach(&b, false), 0);
	KUNIT_EXPECT_PTR_NE(test, a.att, b.att);
	vdb_plane_detach(&a);
	vdb_plane_detach(&b);
	KUNIT_EXPECT_EQ(test, idle(), 2);
	vdb_cache_put(b.cache, false);
	KUNIT_EXPECT_EQ(test, idle(), 1);
	KUNIT_EXPECT_EQ(test, attachments(buf), 1);
	dma_buf_put(buf->dbuf);
}

static void devices_do_not_share(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct device *dev = vdb_kunit_add_device(test, "another",
						  VDB_KUNIT_NONCOHERENT);
	struct vdb_cache *other = vdb_cache_get(&f->queue, dev);
	struct vdb_cache *same = vdb_cache_get(&f->queue, f->dev);

	KUNIT_ASSERT_NOT_NULL(test, other);
	KUNIT_EXPECT_PTR_NE(test, other, f->cache);
	KUNIT_EXPECT_PTR_EQ(test, same, f->cache);
	vdb_cache_put(same, false);
	vdb_cache_put(other, false);
}

/* A pool of 48 through four slots: each is mapped once. */
static void pools_are_kept(struct kunit *test)
{
	struct dma_buf_attachment *first[48];
	struct vdb_buffer *bufs[48];
	struct vdb_plane *slots = kunit_kcalloc(test, 4, sizeof(*slots),
						GFP_KERNEL);
	unsigned int i, round, hits = 0;

	KUNIT_ASSERT_NOT_NULL(test, slots);
	for (i = 0; i < ARRAY_SIZE(bufs); i++)
		bufs[i] = new_buffer(test);
	for (round = 0; round < 3; round++)
		for (i = 0; i < ARRAY_SIZE(bufs); i++) {
			struct vdb_plane *slot = &slots[i % 4];

			vdb_plane_detach(slot);
			*slot = plane_of(test, bufs[i]);
			KUNIT_ASSERT_EQ(test, vdb_plane_attach(slot, false), 0);
			if (!round)
				first[i] = slot->att;
			else
				hits += slot->att == first[i];
		}
	KUNIT_EXPECT_EQ(test, hits, 2 * ARRAY_SIZE(bufs));
	KUNIT_EXPECT_EQ(test, idle(), ARRAY_SIZE(bufs) - 4);
	for (i = 0; i < 4; i++)
		vdb_plane_detach(&slots[i]);
	for (i = 0; i < ARRAY_SIZE(bufs); i++)
		dma_buf_put(bufs[i]->dbuf);
}

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

/* With one buffer, QBUF of another dma-buf leaves no plane for a moment. */
static void the_last_plane_is_replaced(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct vdb_buffer *buf = new_buffer(test);
	struct dma_buf_attachment *att = use_once(test, buf);
	unsigned long now = jiffies;

	vdb_cache_put(f->cache, true);
	KUNIT_EXPECT_EQ(test, attachments(buf), 1);
	f->cache = vdb_cache_get(&f->queue, f->dev);
	KUNIT_ASSERT_NOT_NULL(test, f->cache);
	KUNIT_EXPECT_PTR_EQ(test, use_once(test, buf), att);
	KUNIT_EXPECT_EQ(test, idle(), 1);

	/* Or QBUF failed: the queue may go, and is not looked at. */
	vdb_cache_put(f->cache, true);
	vdb_cache_sweep(now);
	KUNIT_EXPECT_EQ(test, attachments(buf), 1);
	vdb_cache_sweep(now + 1);
	KUNIT_EXPECT_EQ(test, attachments(buf), 0);
	f->cache = vdb_cache_get(&f->queue, f->dev);
	KUNIT_ASSERT_NOT_NULL(test, f->cache);
	dma_buf_put(buf->dbuf);
}

/* Also while others have planes: the queue may go next. */
static void a_plane_that_goes_takes_all_idle(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct vdb_cache *again = vdb_cache_get(&f->queue, f->dev);
	struct vdb_buffer *buf = new_buffer(test), *used = new_buffer(test);
	struct vdb_plane plane = plane_of(test, used);

	KUNIT_ASSERT_EQ(test, vdb_plane_attach(&plane, false), 0);
	use_once(test, buf);
	vdb_cache_put(again, false);
	KUNIT_EXPECT_EQ(test, attachments(buf), 0);
	KUNIT_EXPECT_EQ(test, attachments(used), 1);
	vdb_plane_detach(&plane);
	vdb_cache_put(f->cache, false);
	KUNIT_EXPECT_EQ(test, attachments(used), 0);
	f->cache = vdb_cache_get(&f->queue, f->dev);
	KUNIT_ASSERT_NOT_NULL(test, f->cache);
	dma_buf_put(used->dbuf);
	dma_buf_put(buf->dbuf);
}

/* Before the driver's devres, of which the bus may be. */
static void the_driver_goes(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct vdb_buffer *buf = new_buffer(test);

	use_once(test, buf);
	KUNIT_ASSERT_NOT_NULL(test, f->dev->driver);
	device_release_driver(f->dev);
	KUNIT_EXPECT_EQ(test, idle(), 0);
	KUNIT_EXPECT_EQ(test, attachments(buf), 0);
	/* A file that is still open: mapped where needed, and never kept. */
	use_once(test, buf);
	KUNIT_EXPECT_EQ(test, idle(), 0);
	KUNIT_EXPECT_EQ(test, attachments(buf), 0);
	dma_buf_put(buf->dbuf);
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

#ifdef CONFIG_FAULT_INJECTION
#define FAULT_TURNS 4

/*
 * Each allocation fails in turn; what is left behind is 0 or 1 attachment. The
 * debug kernel allocates as well, not always the same (pages for a slab or for
 * stacks, kmemleak's objects), which shifts what a number means: each has its
 * turn some times, or most of ours could be missed.
 */
static void faults_leave_nothing(struct kunit *test)
{
	struct vdb_buffer *buf = new_buffer(test);
	unsigned int n = 0, turn = 0, errors = 0, left;
	struct fixture *f = test->priv;

	vdb_cache_put(f->cache, false);
	do {
		struct vdb_plane a;
		int ret = -ENOMEM;

		n += !(turn++ % FAULT_TURNS);
		current->fail_nth = n;
		f->cache = vdb_cache_get(&f->queue, f->dev);
		if (f->cache) {
			a = plane_of(test, buf);
			ret = vdb_plane_attach(&a, false);
		}
		left = current->fail_nth;
		current->fail_nth = 0;
		errors += !!ret;
		KUNIT_EXPECT_EQ(test, attachments(buf), !ret);
		if (!f->cache)
			continue;
		vdb_plane_detach(&a);
		vdb_cache_put(f->cache, false);
		KUNIT_EXPECT_EQ(test, attachments(buf), 0);
	} while (!left && n < 100);
	KUNIT_EXPECT_GT(test, errors, 3U);
	KUNIT_EXPECT_LT(test, n, 100U);
	f->cache = vdb_cache_get(&f->queue, f->dev);
	KUNIT_ASSERT_NOT_NULL(test, f->cache);
	dma_buf_put(buf->dbuf);
}
#else
static void faults_leave_nothing(struct kunit *test)
{
	kunit_skip(test, "the kernel can't inject faults");
}
#endif

static int set_up(struct kunit *test)
{
	struct fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, f);
	/* One that has a driver. */
	f->dev = vdb_kunit_add_device(test, "importer", VDB_KUNIT_REAL);
	f->queue.streaming = 1;
	f->cache = vdb_cache_get(&f->queue, f->dev);
	KUNIT_ASSERT_NOT_NULL(test, f->cache);
	f->limits = wide;
	vdb_cache_set_limits(&f->limits);
	test->priv = f;
	return 0;
}

static void tear_down(struct kunit *test)
{
	struct fixture *f = test->priv;

	if (!f)
		return;
	vdb_cache_put(f->cache, false);
	KUNIT_EXPECT_EQ(test, idle(), 0);
	vdb_cache_set_limits(&f->limits);
}

static struct kunit_case cache_cases[] = {
	KUNIT_CASE(planes_share),
	KUNIT_CASE(directions_do_not_share),
	KUNIT_CASE(queues_do_not_share),
	KUNIT_CASE(devices_do_not_share),
	KUNIT_CASE(pools_are_kept),
	KUNIT_CASE(the_lost_go),
	KUNIT_CASE(the_lost_are_not_held_by_queues),
	KUNIT_CASE(idle_ones_are_few),
	KUNIT_CASE(idle_bytes_are_few),
	KUNIT_CASE(idle_ones_grow_old),
	KUNIT_CASE(idle_ones_go_when_the_queue_stops),
	KUNIT_CASE(a_work_looks),
	KUNIT_CASE(memory_is_short),
	KUNIT_CASE(the_last_plane_is_replaced),
	KUNIT_CASE(a_plane_that_goes_takes_all_idle),
	KUNIT_CASE(the_driver_goes),
	KUNIT_CASE(idle_ones_make_room),
	KUNIT_CASE(faults_leave_nothing),
	{}
};

static struct kunit_suite cache_suite = {
	.name = "videobuf2-dmabuf-cache",
	.init = set_up,
	.exit = tear_down,
	.test_cases = cache_cases,
};

kunit_test_suite(cache_suite);
