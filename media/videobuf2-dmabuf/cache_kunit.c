// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the attachments that a queue shares and keeps.
 */
#include <kunit/device.h>
#include <kunit/test.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/sched.h>

#include "kunit.h"

#define SIZE (4 * PAGE_SIZE)

/**
 * struct fixture - what each test begins with
 * @dev: a device that is not coherent
 * @cache: that of a queue, which is but an address here
 */
struct fixture {
	struct device *dev;
	struct vdb_cache *cache;
};

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
	KUNIT_EXPECT_NULL(test, a.att);
	KUNIT_EXPECT_EQ(test, attachments(buf), 1);
	/* Idle, and found again. */
	vdb_plane_detach(&b);
	KUNIT_EXPECT_EQ(test, attachments(buf), 1);
	KUNIT_ASSERT_EQ(test, vdb_plane_attach(&a, false), 0);
	KUNIT_EXPECT_EQ(test, attachments(buf), 1);
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
	dma_buf_put(buf->dbuf);
}

/* All others have forgotten the first buffer when the second one comes. */
static void the_lost_go(struct kunit *test)
{
	struct vdb_buffer *lost = new_buffer(test), *buf = new_buffer(test);
	struct vdb_plane a = plane_of(test, lost), b = plane_of(test, buf);

	KUNIT_ASSERT_EQ(test, vdb_plane_attach(&a, false), 0);
	vdb_plane_detach(&a);
	get_dma_buf(lost->dbuf);
	KUNIT_ASSERT_EQ(test, vdb_plane_attach(&b, false), 0);
	KUNIT_EXPECT_EQ(test, attachments(lost), 1);
	vdb_plane_detach(&b);
	/* The cache has one reference, the test looks through another one. */
	dma_buf_put(lost->dbuf);
	KUNIT_EXPECT_EQ(test, attachments(lost), 1);
	KUNIT_EXPECT_EQ(test, file_count(lost->dbuf->file), 2);
	dma_buf_put(lost->dbuf);
	KUNIT_ASSERT_EQ(test, vdb_plane_attach(&b, false), 0);
	KUNIT_EXPECT_EQ(test, vdb_cache_idle(b.cache), 0);
	vdb_plane_detach(&b);
	dma_buf_put(buf->dbuf);
}

static void idle_ones_are_few(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct vdb_buffer *bufs[48];
	unsigned int i, left = 0;

	for (i = 0; i < ARRAY_SIZE(bufs); i++) {
		struct vdb_plane plane;

		bufs[i] = new_buffer(test);
		plane = plane_of(test, bufs[i]);
		KUNIT_ASSERT_EQ(test, vdb_plane_attach(&plane, false), 0);
		vdb_plane_detach(&plane);
	}
	KUNIT_EXPECT_EQ(test, vdb_cache_idle(f->cache), 32);
	/* The oldest have gone. */
	for (i = 0; i < ARRAY_SIZE(bufs); i++) {
		left += attachments(bufs[i]);
		KUNIT_EXPECT_EQ(test, attachments(bufs[i]), i >= 16);
		dma_buf_put(bufs[i]->dbuf);
	}
	KUNIT_EXPECT_EQ(test, left, 32);
}

/* A queue may be at the end while others import: each has its own. */
static void the_last_plane_drops_all(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct vdb_cache *again = vdb_cache_get((struct vb2_queue *)f);
	struct vdb_buffer *buf = new_buffer(test);
	struct vdb_plane a = plane_of(test, buf);

	KUNIT_EXPECT_PTR_EQ(test, again, f->cache);
	KUNIT_ASSERT_EQ(test, vdb_plane_attach(&a, false), 0);
	vdb_plane_detach(&a);
	vdb_cache_put(again);
	KUNIT_EXPECT_EQ(test, attachments(buf), 1);
	vdb_cache_put(f->cache);
	KUNIT_EXPECT_EQ(test, attachments(buf), 0);
	f->cache = vdb_cache_get((struct vb2_queue *)f);
	KUNIT_ASSERT_NOT_NULL(test, f->cache);
	dma_buf_put(buf->dbuf);
}

#ifdef CONFIG_FAULT_INJECTION
/* Each allocation fails in turn; what is left behind is 0 or 1 attachment. */
static void faults_leave_nothing(struct kunit *test)
{
	struct vdb_buffer *buf = new_buffer(test);
	unsigned int n = 0, errors = 0, left;

	do {
		struct vdb_plane a = plane_of(test, buf);
		struct fixture *f = test->priv;
		int ret;

		current->fail_nth = ++n;
		ret = vdb_plane_attach(&a, false);
		left = current->fail_nth;
		current->fail_nth = 0;
		errors += !!ret;
		KUNIT_EXPECT_EQ(test, attachments(buf), !ret);
		vdb_plane_detach(&a);
		vdb_cache_put(f->cache);
		KUNIT_EXPECT_EQ(test, attachments(buf), 0);
		f->cache = vdb_cache_get((struct vb2_queue *)f);
		KUNIT_ASSERT_NOT_NULL(test, f->cache);
	} while (!left && n < 100);
	KUNIT_EXPECT_GT(test, errors, 1U);
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
	f->dev = vdb_kunit_add_device(test, "importer", VDB_KUNIT_NONCOHERENT);
	f->cache = vdb_cache_get((struct vb2_queue *)f);
	KUNIT_ASSERT_NOT_NULL(test, f->cache);
	test->priv = f;
	return 0;
}

static void tear_down(struct kunit *test)
{
	struct fixture *f = test->priv;

	if (f)
		vdb_cache_put(f->cache);
}

static struct kunit_case cache_cases[] = {
	KUNIT_CASE(planes_share),
	KUNIT_CASE(directions_do_not_share),
	KUNIT_CASE(the_lost_go),
	KUNIT_CASE(idle_ones_are_few),
	KUNIT_CASE(the_last_plane_drops_all),
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
