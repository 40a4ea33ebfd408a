// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of what is left of a buffer, an export, an attachment or a mapping that
 * can't be had: nothing, by value, whichever allocation fails.
 */
#include <kunit/static_stub.h>
#include <kunit/test.h>
#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/iosys-map.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/vmstat.h>

#include "kunit.h"

#define SIZE (4 * PAGE_SIZE)

static void fail_at(unsigned int n)
{
#ifdef CONFIG_FAULT_INJECTION
	current->fail_nth = n;
#endif
}

/* Return: whether one has failed. */
static bool has_failed(void)
{
	bool failed = false;

#ifdef CONFIG_FAULT_INJECTION
	failed = !current->fail_nth;
	current->fail_nth = 0;
#endif
	return failed;
}

static struct vdb_buffer *new_buffer(struct kunit *test, bool contiguous)
{
	struct vdb_buffer *buf = vdb_buffer_create(NULL, SIZE, 0, contiguous,
						   VDB_POLICY_AUTO);

	KUNIT_ASSERT_FALSE(test, IS_ERR(buf));
	return buf;
}

/* Each time without it, and once with all. */
static void buffers_are_whole_or_not(struct kunit *test)
{
	/* What debugging keeps is less than what the errors would lose. */
	const unsigned long slack = 2500;
	unsigned int n, errors = 0, made = 0;
	unsigned long before;
	bool failed = true;

	vdb_kunit_stats(test, NULL, NULL);
	before = global_zone_page_state(NR_FREE_PAGES);
	for (n = 1; failed && n < 100; n++) {
		struct vdb_buffer *buf;

		fail_at(n);
		buf = vdb_buffer_create(NULL, SZ_4M, 0, false, VDB_POLICY_AUTO);
		failed = has_failed();
		if (IS_ERR(buf)) {
			KUNIT_EXPECT_EQ(test, PTR_ERR(buf), -ENOMEM);
			errors++;
		} else {
			made++;
			dma_buf_put(buf->dbuf);
			flush_delayed_fput();
		}
	}
	KUNIT_EXPECT_FALSE(test, failed);
	KUNIT_EXPECT_GT(test, errors, 0);
	vdb_kunit_stats(test, "made",
			VDB_KUNIT_STATS([VDB_BUFFERS_TOTAL] = made));
	KUNIT_EXPECT_LT(test, before,
			global_zone_page_state(NR_FREE_PAGES) + slack);
}

static struct page *no_block(gfp_t gfp, unsigned int order)
{
	return NULL;
}

/* The array of pages, the area's device, and what is in it. */
static void areas_are_whole_or_not(struct kunit *test)
{
	unsigned int n, errors = 0;
	struct vdb_storage st;
	bool failed = true;

	kunit_activate_static_stub(test, vdb_storage_block, no_block);
	for (n = 1; failed && n < 100; n++) {
		int ret;

		fail_at(n);
		ret = vdb_storage_alloc(&st, NULL, SIZE, 0, true);
		failed = has_failed();
		if (ret) {
			KUNIT_EXPECT_EQ(test, ret, -ENOMEM);
			errors++;
			continue;
		}
		KUNIT_EXPECT_NOT_NULL(test, st.dma_dev);
		vdb_storage_free(&st);
	}
	KUNIT_EXPECT_FALSE(test, failed);
	KUNIT_EXPECT_GT(test, errors, 0);
}

static void exports_are_whole_or_not(struct kunit *test)
{
	unsigned int n, errors = 0;
	bool failed = true;

	for (n = 1; failed && n < 100; n++) {
		struct vdb_buffer *buf = new_buffer(test, false);
		struct dma_buf *view;

		fail_at(n);
		view = vdb_buffer_view(buf, O_RDONLY);
		failed = has_failed();
		if (!IS_ERR(view)) {
			dma_buf_put(view);
		} else {
			errors++;
			KUNIT_EXPECT_EQ(test, PTR_ERR(view), -ENOMEM);
			KUNIT_EXPECT_EQ(test, file_count(buf->dbuf->file), 1);
			KUNIT_EXPECT_NULL(test, buf->restricted[O_RDONLY]);
			KUNIT_EXPECT_EQ(test, buf->restricted_inode[O_RDONLY],
					0);
		}
		dma_buf_put(buf->dbuf);
	}
	KUNIT_EXPECT_GT(test, errors, 0);
}

static void expect_unmapped(struct kunit *test, struct vdb_attachment *att)
{
	KUNIT_EXPECT_EQ(test, att->maps, 0);
	KUNIT_EXPECT_EQ(test, att->dir, DMA_NONE);
	KUNIT_EXPECT_EQ(test, att->asked, DMA_NONE);
	KUNIT_EXPECT_NULL(test, att->runs);
}

static void attachments_are_whole_or_not(struct kunit *test)
{
	struct device *dev = vdb_kunit_add_device(test, "device",
						  VDB_KUNIT_NONCOHERENT);
	struct vdb_buffer *buf = new_buffer(test, false);
	unsigned int n, errors = 0;
	bool failed = true;

	vdb_kunit_stats(test, NULL, NULL);
	for (n = 1; failed && n < 100; n++) {
		struct dma_buf_attachment *att;

		fail_at(n);
		att = dma_buf_attach(buf->dbuf, dev);
		failed = has_failed();
		if (IS_ERR(att)) {
			errors++;
			KUNIT_EXPECT_EQ(test, PTR_ERR(att), -ENOMEM);
		} else {
			struct vdb_attachment *own = vdb_attachment_of(att);

			KUNIT_EXPECT_PTR_EQ(test, own->buf, buf);
			KUNIT_EXPECT_PTR_EQ(test, own->dev, dev);
			expect_unmapped(test, own);
			dma_buf_detach(buf->dbuf, att);
		}
		KUNIT_EXPECT_TRUE(test, list_empty(&buf->attachments));
	}
	KUNIT_EXPECT_GT(test, errors, 0);
	vdb_kunit_stats(test, "all gone",
			VDB_KUNIT_STATS([VDB_ATTACHMENTS] = 0));
	dma_buf_put(buf->dbuf);
}

/* And who is refused is told why, once. */
static void maps_are_whole_or_not(struct kunit *test)
{
	struct device *dev = vdb_kunit_add_device(test, "device",
						  VDB_KUNIT_NONCOHERENT);
	struct vdb_buffer *buf = new_buffer(test, false);
	unsigned int n, errors = 0, tables = 0;
	bool failed = true;

	vdb_kunit_listen_refusals(test, "can't map 16384 bytes in");
	for (n = 1; failed && n < 100; n++) {
		struct dma_buf_attachment *att = dma_buf_attach(buf->dbuf, dev);
		struct vdb_attachment *own;
		struct sg_table *sgt;

		KUNIT_ASSERT_FALSE(test, IS_ERR(att));
		own = vdb_attachment_of(att);
		fail_at(n);
		sgt = dma_buf_map_attachment_unlocked(att, DMA_BIDIRECTIONAL);
		failed = has_failed();
		if (IS_ERR(sgt)) {
			errors++;
			tables += !!own->sgt.sgl;
			KUNIT_EXPECT_EQ(test, PTR_ERR(sgt), -ENOMEM);
		} else {
			dma_buf_unmap_attachment_unlocked(att, sgt,
							  DMA_BIDIRECTIONAL);
		}
		KUNIT_EXPECT_EQ(test, own->maps, 0);
		KUNIT_EXPECT_EQ(test, own->dir, DMA_NONE);
		KUNIT_EXPECT_NULL(test, own->runs);
		if (IS_ERR(sgt))
			expect_unmapped(test, own);
		KUNIT_EXPECT_EQ(test, buf->engine.outside, 0);
		dma_buf_detach(buf->dbuf, att);
	}
	KUNIT_EXPECT_GT(test, errors, 0);
	KUNIT_EXPECT_LE(test, tables, errors);
	KUNIT_EXPECT_EQ(test, vdb_kunit_heard(), tables);
	dma_buf_put(buf->dbuf);
}

/* The dma-buf's own operation: its core complains of what fails. */
static void kernel_mappings_are_there_or_not(struct kunit *test)
{
	struct vdb_buffer *buf = new_buffer(test, true);
	const struct dma_buf_ops *ops = buf->dbuf->ops;
	struct iosys_map map = {};
	int ret;

	swap(buf->storage.pages[0], buf->storage.pages[1]);
	fail_at(1);
	ret = ops->vmap(buf->dbuf, &map);
	KUNIT_EXPECT_TRUE(test, has_failed());
	KUNIT_EXPECT_EQ(test, ret, -ENOMEM);
	KUNIT_EXPECT_TRUE(test, iosys_map_is_null(&map));
	KUNIT_EXPECT_EQ(test, buf->vmaps, 0);
	KUNIT_ASSERT_EQ(test, ops->vmap(buf->dbuf, &map), 0);
	KUNIT_EXPECT_PTR_EQ(test, map.vaddr, buf->vaddr);
	KUNIT_EXPECT_EQ(test, buf->engine.mappings, 1);
	ops->vunmap(buf->dbuf, &map);
	KUNIT_EXPECT_EQ(test, buf->engine.mappings, 0);
	KUNIT_EXPECT_EQ(test, buf->vmaps, 0);
	dma_buf_put(buf->dbuf);
}

static int set_up(struct kunit *test)
{
	if (!IS_ENABLED(CONFIG_FAULT_INJECTION))
		kunit_skip(test, "the kernel can't inject faults");
	return 0;
}

static struct kunit_case failure_cases[] = {
	KUNIT_CASE_SLOW(buffers_are_whole_or_not),
	KUNIT_CASE(areas_are_whole_or_not),
	KUNIT_CASE(exports_are_whole_or_not),
	KUNIT_CASE(attachments_are_whole_or_not),
	KUNIT_CASE(maps_are_whole_or_not),
	KUNIT_CASE(kernel_mappings_are_there_or_not),
	{}
};

static struct kunit_suite failure_suite = {
	.name = "videobuf2-dmabuf-failure",
	.init = set_up,
	.test_cases = failure_cases,
};

kunit_test_suite(failure_suite);
