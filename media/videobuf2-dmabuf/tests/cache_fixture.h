/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the suites of the import cache's two halves begin with.
 */
#ifndef VDB_CACHE_FIXTURE_H
#define VDB_CACHE_FIXTURE_H

#include <kunit/device.h>
#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <media/videobuf2-core.h>

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

static inline void set_limits(unsigned int number, u64 bytes)
{
	struct vdb_cache_limits new = wide;

	new.number = number;
	new.bytes = bytes;
	vdb_cache_set_limits(&new);
}

static inline struct vdb_buffer *new_buffer(struct kunit *test)
{
	struct vdb_buffer *buf = vdb_buffer_create(NULL, SIZE, 0, false,
						   VDB_POLICY_AUTO);

	KUNIT_ASSERT_FALSE(test, IS_ERR(buf));
	return buf;
}

/* A plane that imports @buf. */
static inline struct vdb_plane plane_of(struct kunit *test, struct vdb_buffer *buf)
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
static inline struct dma_buf_attachment *
use_once(struct kunit *test, struct vdb_buffer *buf)
{
	struct vdb_plane plane = plane_of(test, buf);
	struct dma_buf_attachment *att;

	KUNIT_ASSERT_EQ(test, vdb_plane_attach(&plane, false), 0);
	att = plane.att;
	vdb_plane_detach(&plane);
	return att;
}

/* That of a second queue. */
static inline struct vdb_cache *another_cache(struct kunit *test)
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

static inline unsigned int attachments(struct vdb_buffer *buf)
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
static inline unsigned long idle(void)
{
	return vdb_cache_count() / PAGES;
}

/* For what a work does; a minute at most. */
static inline bool becomes(unsigned int (*count)(struct vdb_buffer *),
			   struct vdb_buffer *buf, unsigned int value)
{
	unsigned int i;

	for (i = 0; i < 3000 && count(buf) != value; i++)
		msleep(20);
	return count(buf) == value;
}

static inline int set_up(struct kunit *test)
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

static inline void tear_down(struct kunit *test)
{
	struct fixture *f = test->priv;

	if (!f)
		return;
	vdb_cache_put(f->cache, false);
	KUNIT_EXPECT_EQ(test, idle(), 0);
	vdb_cache_set_limits(&f->limits);
}

#endif
