// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the attachments that a queue shares and keeps.
 */
#include <kunit/device.h>
#include <kunit/test.h>
#include <linux/device.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/sched.h>
#include <media/videobuf2-core.h>

#include "cache_fixture.h"

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

static unsigned int resources(struct device *dev)
{
	struct list_head *at;
	unsigned int n = 0;

	list_for_each(at, &dev->devres_head)
		n++;
	return n;
}

/* A reference to the device, and where it has a driver, word when it goes. */
static void caches_leave_nothing(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct device *devs[] = {
		f->dev,
		vdb_kunit_add_device(test, "driverless", VDB_KUNIT_NONCOHERENT),
	};
	unsigned int i, n, refs;
	struct vb2_queue *queue = kunit_kzalloc(test, sizeof(*queue),
						GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, queue);
	KUNIT_ASSERT_NULL(test, devs[1]->driver);
	for (i = 0; i < ARRAY_SIZE(devs); i++) {
		struct vdb_cache *cache;

		n = resources(devs[i]);
		refs = kref_read(&devs[i]->kobj.kref);
		cache = vdb_cache_get(queue, devs[i]);
		KUNIT_ASSERT_NOT_NULL(test, cache);
		KUNIT_EXPECT_EQ(test, resources(devs[i]), n + !i);
		KUNIT_EXPECT_EQ(test, kref_read(&devs[i]->kobj.kref), refs + 1);
		KUNIT_EXPECT_PTR_EQ(test, vdb_cache_get(queue, devs[i]), cache);
		vdb_cache_put(cache, false);
		KUNIT_EXPECT_PTR_EQ(test, vdb_cache_get(queue, devs[i]), cache);
		vdb_cache_put(cache, false);
		vdb_cache_put(cache, false);
		KUNIT_EXPECT_EQ(test, resources(devs[i]), n);
		KUNIT_EXPECT_EQ(test, kref_read(&devs[i]->kobj.kref), refs);
	}
}

/* In whichever order they go. */
static void queues_go_before_their_imports(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct vdb_buffer *buf = new_buffer(test);
	struct vdb_plane plane = plane_of(test, buf);
	unsigned long refs = file_count(buf->dbuf->file);

	plane.cache = another_cache(test);
	KUNIT_ASSERT_EQ(test, vdb_plane_attach(&plane, false), 0);
	KUNIT_EXPECT_EQ(test, file_count(buf->dbuf->file), refs + 1);
	KUNIT_EXPECT_NOT_NULL(test, plane.import);
	vdb_plane_detach(&plane);
	KUNIT_EXPECT_NULL(test, plane.import);
	KUNIT_EXPECT_NULL(test, plane.att);
	KUNIT_EXPECT_NULL(test, plane.sgt);
	vdb_cache_put(plane.cache, true);
	KUNIT_EXPECT_EQ(test, idle(), 1);
	KUNIT_EXPECT_TRUE(test, vdb_cache_make_room(f->dev));
	KUNIT_EXPECT_EQ(test, attachments(buf), 0);
	KUNIT_EXPECT_EQ(test, file_count(buf->dbuf->file), refs);
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

static struct kunit_case cache_cases[] = {
	KUNIT_CASE(planes_share),
	KUNIT_CASE(directions_do_not_share),
	KUNIT_CASE(queues_do_not_share),
	KUNIT_CASE(devices_do_not_share),
	KUNIT_CASE(pools_are_kept),
	KUNIT_CASE(the_last_plane_is_replaced),
	KUNIT_CASE(a_plane_that_goes_takes_all_idle),
	KUNIT_CASE(the_driver_goes),
	KUNIT_CASE(caches_leave_nothing),
	KUNIT_CASE(queues_go_before_their_imports),
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
