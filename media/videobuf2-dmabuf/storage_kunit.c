// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of where pages come from, and that whatever fails on the way to a
 * buffer that is mapped everywhere, nothing is left behind.
 */
#include <kunit/device.h>
#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/vmstat.h>

#include "kunit.h"

static bool all_zero(struct vdb_storage *st)
{
	unsigned int i;

	for (i = 0; i < st->nr_pages; i++)
		if (memchr_inv(page_address(st->pages[i]), 0, PAGE_SIZE))
			return false;
	return true;
}

/* Sizes on both sides of those of the blocks that are asked for. */
static void pages_are_zeroed_and_single(struct kunit *test)
{
	static const unsigned int sizes[] = { 1, 15, 16, 17, 255, 256, 273 };
	struct vdb_storage st;
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		KUNIT_ASSERT_EQ(test,
				vdb_storage_alloc(&st, NULL,
						  sizes[i] * PAGE_SIZE, 0,
						  false), 0);
		KUNIT_EXPECT_EQ(test, st.nr_pages, sizes[i]);
		KUNIT_EXPECT_TRUE(test, all_zero(&st));
		for (j = 0; j < st.nr_pages; j++)
			KUNIT_ASSERT_EQ(test, page_count(st.pages[j]), 1);
		vdb_storage_free(&st);
	}
}

static void contiguous_is(struct kunit *test)
{
	struct vdb_storage st;
	unsigned int i;

	KUNIT_ASSERT_EQ(test, vdb_storage_alloc(&st, NULL, 37 * PAGE_SIZE, 0,
						true), 0);
	KUNIT_EXPECT_EQ(test, st.nr_pages, 37);
	KUNIT_EXPECT_TRUE(test, all_zero(&st));
	for (i = 1; i < st.nr_pages; i++)
		KUNIT_ASSERT_EQ(test, page_to_pfn(st.pages[i]),
				page_to_pfn(st.pages[0]) + i);
	vdb_storage_free(&st);
	KUNIT_EXPECT_EQ(test, vdb_storage_alloc(&st, NULL,
						PAGE_SIZE << (VDB_MAX_ORDER + 1),
						0, true), -ENOMEM);
}

static void views_have_their_mode(struct kunit *test)
{
	struct vdb_buffer *buf = vdb_buffer_create(NULL, PAGE_SIZE, 0, false,
						   VDB_POLICY_AUTO);
	struct dma_buf *view;

	KUNIT_ASSERT_FALSE(test, IS_ERR(buf));
	view = vdb_buffer_view(buf, O_RDONLY);
	KUNIT_ASSERT_FALSE(test, IS_ERR(view));
	KUNIT_EXPECT_EQ(test, view->file->f_flags & O_ACCMODE, O_RDONLY);
	KUNIT_EXPECT_PTR_EQ(test, vdb_buffer_of(view), buf);
	KUNIT_EXPECT_PTR_EQ(test, view->file->f_mapping,
			    buf->dbuf->file->f_mapping);
	/* It keeps the buffer alive. */
	dma_buf_put(buf->dbuf);
	KUNIT_EXPECT_EQ(test, view->size, PAGE_SIZE);
	dma_buf_put(view);
}

#ifdef CONFIG_FAULT_INJECTION
/* All that a buffer goes through; what fails is left undone. */
static int live(struct device *a, struct device *b, size_t size,
		bool contiguous)
{
	struct vdb_kunit_device da, db;
	struct vdb_buffer *buf;
	struct dma_buf *view;
	int ret;

	buf = vdb_buffer_create(NULL, size, 0, contiguous, VDB_POLICY_AUTO);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	view = vdb_buffer_view(buf, O_RDONLY);
	ret = PTR_ERR_OR_ZERO(view);
	if (ret)
		goto out_put;
	ret = vdb_kunit_map(&da, buf, a, DMA_BIDIRECTIONAL);
	if (ret)
		goto out_put_view;
	ret = vdb_kunit_map(&db, buf, b, DMA_TO_DEVICE);
	if (ret)
		goto out_unmap;
	/* Not by dma_buf_vmap(), which warns if there is no memory. */
	if (vdb_mapping_vmap(buf, false)) {
		ret = dma_buf_begin_cpu_access(buf->dbuf, DMA_BIDIRECTIONAL);
		dma_buf_end_cpu_access(buf->dbuf, DMA_BIDIRECTIONAL);
		vdb_mapping_vunmap(buf, false);
	} else {
		ret = -ENOMEM;
	}
	vdb_kunit_unmap(&db, DMA_TO_DEVICE);
out_unmap:
	vdb_kunit_unmap(&da, DMA_BIDIRECTIONAL);
out_put_view:
	dma_buf_put(view);
out_put:
	dma_buf_put(buf->dbuf);
	return ret;
}

/* Fail each allocation in turn, until there is none left to fail. */
static void sweep(struct kunit *test, struct device *a, struct device *b,
		  size_t size, bool contiguous)
{
	unsigned int n = 1, errors = 0, left;
	int ret;

	do {
		current->fail_nth = n;
		ret = live(a, b, size, contiguous);
		left = current->fail_nth;
		current->fail_nth = 0;
		errors += ret < 0;
		if (left)
			KUNIT_EXPECT_EQ_MSG(test, ret, 0, "no fault, but");
		cond_resched();
	} while (!left && n++ < 2000);
	kunit_info(test, "%u faults, %u errors\n", n - 1, errors);
	KUNIT_EXPECT_GT_MSG(test, errors, 8U,
			    "fault injection is off: ignore-gfp-wait?");
	KUNIT_EXPECT_LT(test, n, 2000U);
}

/*
 * A kernel thread's files are closed later, by a worker that may be at it, and
 * poisons what it frees. Return: how many pages of @before are not there now;
 * waits until it is less than @slack, for a while.
 */
static long missing_pages(unsigned long before, long slack)
{
	unsigned int tries = 50;
	long missing;

	do {
		flush_delayed_fput();
		msleep(200);
		missing = before - global_zone_page_state(NR_FREE_PAGES);
	} while (missing >= slack && --tries);
	return missing;
}

static void faults_leave_nothing(struct kunit *test)
{
	struct device *a = vdb_kunit_add_device(test, "a",
						VDB_KUNIT_NONCOHERENT);
	struct device *b = vdb_kunit_add_device(test, "b",
						VDB_KUNIT_NONCOHERENT_IOMMU);
	struct device *c = vdb_kunit_add_device(test, "c", VDB_KUNIT_REAL);
	/* The last sweep's buffers are larger than what debugging keeps. */
	const long slack = 3072;
	unsigned long before;

	KUNIT_ASSERT_EQ(test, live(a, b, SZ_1M, false), 0);
	missing_pages(0, slack);
	before = global_zone_page_state(NR_FREE_PAGES);
	sweep(test, a, b, 40 * PAGE_SIZE, false);
	sweep(test, a, c, 40 * PAGE_SIZE, true);
	/* The single pages at its end are those that can't be had. */
	sweep(test, c, c, SZ_16M + 15 * PAGE_SIZE, false);
	KUNIT_EXPECT_LT_MSG(test, missing_pages(before, slack), slack,
			    "pages have been lost");
}
#else
static void faults_leave_nothing(struct kunit *test)
{
	kunit_skip(test, "the kernel can't inject faults");
}
#endif

static struct kunit_case storage_cases[] = {
	KUNIT_CASE(pages_are_zeroed_and_single),
	KUNIT_CASE(contiguous_is),
	KUNIT_CASE(views_have_their_mode),
	KUNIT_CASE_SLOW(faults_leave_nothing),
	{}
};

static struct kunit_suite storage_suite = {
	.name = "videobuf2-dmabuf-storage",
	.test_cases = storage_cases,
};

kunit_test_suite(storage_suite);
