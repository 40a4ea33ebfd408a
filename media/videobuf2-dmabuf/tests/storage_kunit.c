// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of where pages come from, and that whatever fails on the way to a
 * buffer that is mapped everywhere, nothing is left behind.
 */
#include <kunit/device.h>
#include <kunit/static_stub.h>
#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/dma-buf.h>
#include <linux/dma-direct.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/swap.h>
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

/* Where it begins and ends is the device's; where something helps, nowhere. */
static void limits_by_device(struct kunit *test)
{
	struct device *none = kunit_device_register(test, "no-dma");
	struct device *dev = vdb_kunit_add_device(test, "limited",
						  VDB_KUNIT_REAL);
	u64 mask = dma_get_mask(dev);

	KUNIT_ASSERT_FALSE(test, IS_ERR(none));
	KUNIT_EXPECT_EQ(test, vdb_storage_limit(NULL), U64_MAX);
	KUNIT_EXPECT_EQ(test, vdb_storage_limit(dev), U64_MAX);
	/* What is beyond all memory is none. */
	dev->bus_dma_limit = DMA_BIT_MASK(50);
	KUNIT_EXPECT_EQ(test, vdb_storage_limit(dev), U64_MAX);
	dev->bus_dma_limit = 0x1234567;
	KUNIT_EXPECT_EQ(test, vdb_storage_limit(dev), 0x1234567);
	*dev->dma_mask = DMA_BIT_MASK(24);
	KUNIT_EXPECT_EQ(test, vdb_storage_limit(dev), DMA_BIT_MASK(24));
	dev->bus_dma_limit = 0;
	KUNIT_EXPECT_EQ(test, vdb_storage_limit(dev), DMA_BIT_MASK(24));
	*dev->dma_mask = mask;
	/* One without DMA has nothing to reach. */
	none->bus_dma_limit = 0x1234567;
	none->dma_mask = NULL;
	KUNIT_EXPECT_FALSE(test, vdb_device_does_dma(none));
	KUNIT_EXPECT_EQ(test, vdb_storage_limit(none), U64_MAX);
	none->dma_mask = &none->coherent_dma_mask;
	none->coherent_dma_mask = 0;
	KUNIT_EXPECT_FALSE(test, vdb_device_does_dma(none));
	KUNIT_EXPECT_EQ(test, vdb_storage_limit(none), U64_MAX);
	none->coherent_dma_mask = DMA_BIT_MASK(24);
	KUNIT_EXPECT_TRUE(test, vdb_device_does_dma(none));
	KUNIT_EXPECT_FALSE(test, vdb_device_does_dma(NULL));
	none->dma_mask = NULL;
}

static bool about(unsigned long a, unsigned long b)
{
	return max(a, b) - min(a, b) < totalram_pages() / 20;
}

static void machines_are_looked_at(struct kunit *test)
{
	struct device *dev = vdb_kunit_add_device(test, "real", VDB_KUNIT_REAL);
	struct vdb_memory m = {};
	size_t largest = 0;

	vdb_storage_memory(&m);
	KUNIT_EXPECT_EQ(test, m.total, totalram_pages());
	KUNIT_EXPECT_TRUE(test, about(m.free,
				      global_zone_page_state(NR_FREE_PAGES)));
	KUNIT_EXPECT_TRUE(test, about(m.available, si_mem_available()));
	KUNIT_EXPECT_EQ(test, m.swap, get_nr_swap_pages());
	if (!IS_ENABLED(CONFIG_SWIOTLB))
		KUNIT_EXPECT_EQ(test, vdb_storage_bounce(dev, &largest), 0);
	KUNIT_EXPECT_EQ(test, largest, dma_max_mapping_size(dev));
}

/* Of a block, what is more than was wanted goes at once. */
static void ends_of_blocks_are_given_back(struct kunit *test)
{
	unsigned long before = global_zone_page_state(NR_FREE_PAGES);
	struct vdb_storage st;
	unsigned int i;

	for (i = 0; i < 200; i++) {
		KUNIT_ASSERT_EQ(test, vdb_storage_alloc(&st, NULL,
							129 * PAGE_SIZE, 0,
							true), 0);
		vdb_storage_free(&st);
	}
	KUNIT_EXPECT_LT(test, before,
			global_zone_page_state(NR_FREE_PAGES) + 100 * 127);
}

/* Not what is left of their number when it is cut off. */
static void sizes_beyond_numbers(struct kunit *test)
{
	struct vdb_storage st;
	size_t size = ((1ULL << 32) + 1) << PAGE_SHIFT;

	vdb_kunit_stats(test, NULL, NULL);
	KUNIT_EXPECT_EQ(test, vdb_storage_alloc(&st, NULL, size, 0, false),
			-ENOMEM);
	vdb_kunit_stats(test, "beyond", VDB_KUNIT_STATS([VDB_REFUSALS] = 0));
	KUNIT_EXPECT_EQ(test, vdb_storage_alloc(&st, NULL,
						(size_t)INT_MAX << PAGE_SHIFT,
						0, false), -ENOMEM);
	vdb_kunit_stats(test, "too much", VDB_KUNIT_STATS([VDB_REFUSALS] = 1));
}

static struct page *no_block(gfp_t gfp, unsigned int order)
{
	return NULL;
}

/* Pages of an area belong to a device that is nobody else's. */
static void areas_have_a_device(struct kunit *test)
{
	struct device *devs[] = {
		NULL,
		vdb_kunit_add_device(test, "real", VDB_KUNIT_REAL),
		kunit_device_register(test, "no-dma"),
		vdb_kunit_add_device(test, "simulated", VDB_KUNIT_NONCOHERENT),
	};
	struct vdb_storage st;
	struct page *dirty;
	unsigned int i, j;

	devs[1]->bus_dma_limit = DMA_BIT_MASK(32) - 1;
	*devs[1]->dma_mask = DMA_BIT_MASK(33);
	devs[2]->bus_dma_limit = 1;
	devs[2]->dma_mask = NULL;
	for (i = 0; i < ARRAY_SIZE(devs); i++) {
		/* What it is likely to get. */
		dirty = alloc_pages(GFP_KERNEL, 3);
		KUNIT_ASSERT_NOT_NULL(test, dirty);
		memset(page_address(dirty), 0x5a, 8 * PAGE_SIZE);
		__free_pages(dirty, 3);
		kunit_activate_static_stub(test, vdb_storage_block, no_block);
		KUNIT_ASSERT_EQ(test, vdb_storage_alloc(&st, devs[i],
							7 * PAGE_SIZE, 0, true),
				0);
		kunit_deactivate_static_stub(test, vdb_storage_block);
		KUNIT_ASSERT_NOT_NULL(test, st.dma_dev);
		KUNIT_EXPECT_PTR_NE(test, st.dma_dev, devs[i]);
		KUNIT_EXPECT_EQ(test, *st.dma_dev->dma_mask,
				DMA_BIT_MASK(i == 1 ? 33 : 64));
		KUNIT_EXPECT_EQ(test, st.dma_dev->bus_dma_limit,
				i == 1 ? DMA_BIT_MASK(32) - 1 : 0);
		KUNIT_EXPECT_NULL(test, st.dma_dev->dma_range_map);
		KUNIT_EXPECT_STREQ(test, dev_name(st.dma_dev),
				   "videobuf2-dmabuf");
		KUNIT_EXPECT_EQ(test, kref_read(&st.dma_dev->kobj.kref), 1);
		KUNIT_EXPECT_EQ(test, st.dma_addr, page_to_phys(st.pages[0]));
		KUNIT_EXPECT_TRUE(test, all_zero(&st));
		for (j = 0; j < 7; j++)
			KUNIT_EXPECT_PTR_EQ(test, st.pages[j], st.pages[0] + j);
		vdb_storage_free(&st);
	}
	*devs[1]->dma_mask = DMA_BIT_MASK(64);
	devs[1]->bus_dma_limit = 0;
}

/* Where the device finds memory elsewhere, so does the area. */
static void areas_are_in_reach(struct kunit *test)
{
	const struct bus_dma_region nowhere[2] = { { .size = PAGE_SIZE } };
	struct device *dev = vdb_kunit_add_device(test, "far", VDB_KUNIT_REAL);
	const struct bus_dma_region all[2] = {
		{ .dma_start = SZ_4G, .size = SZ_64G },
	};
	struct vdb_storage st;

	kunit_activate_static_stub(test, vdb_storage_block, no_block);
	dev->dma_range_map = nowhere;
	vdb_kunit_listen_refusals(test, "no contiguous block of 2 pages up to address 0xffff");
	KUNIT_EXPECT_EQ(test, vdb_storage_alloc(&st, dev, 2 * PAGE_SIZE, 0,
						true), -ENOMEM);
	KUNIT_EXPECT_EQ(test, vdb_kunit_heard(), 1);
	dev->dma_range_map = all;
	KUNIT_ASSERT_EQ(test, vdb_storage_alloc(&st, dev, 2 * PAGE_SIZE,
						__GFP_HIGHMEM, true), 0);
	KUNIT_EXPECT_EQ(test, st.dma_addr, page_to_phys(st.pages[0]) + SZ_4G);
	KUNIT_EXPECT_NULL(test, st.dma_dev->dma_range_map);
	vdb_storage_free(&st);
	dev->dma_range_map = NULL;
}

static struct page *the_block;
static u64 the_limit;

static u64 play_limit(struct device *dev)
{
	return the_limit;
}

static struct page *play_the_block(gfp_t gfp, unsigned int order)
{
	struct page *page = the_block;

	the_block = NULL;
	return page;
}

/* With its last byte, and of each page it is the last one that counts. */
static void reach_ends_with_a_byte(struct kunit *test)
{
	struct device *dev = kunit_device_register(test, "limited");
	unsigned int order, beyond;
	struct vdb_storage st;
	int ret;

	KUNIT_ASSERT_FALSE(test, IS_ERR(dev));
	kunit_activate_static_stub(test, vdb_storage_block, play_the_block);
	kunit_activate_static_stub(test, vdb_storage_limit, play_limit);
	for (order = 0; order < 3; order++) {
		for (beyond = 0; beyond < 2; beyond++) {
			the_block = alloc_pages(GFP_KERNEL, order);
			KUNIT_ASSERT_NOT_NULL(test, the_block);
			the_limit = page_to_phys(the_block) +
					 (PAGE_SIZE << order) - 1 - beyond;
			ret = vdb_storage_alloc(&st, dev, PAGE_SIZE << order, 0,
						true);
			KUNIT_ASSERT_EQ(test, ret, 0);
			/* An area has another idea of reach. */
			KUNIT_EXPECT_EQ(test, !!st.dma_dev, beyond);
			vdb_storage_free(&st);
		}
	}
}

/* The first zone has it already. */
static void first_page_is_in_reach(struct kunit *test)
{
	struct device *dev = kunit_device_register(test, "limited");
	struct bus_dma_region map[2] = { { .size = PAGE_SIZE } };
	struct vdb_storage st;

	KUNIT_ASSERT_FALSE(test, IS_ERR(dev));
	kunit_activate_static_stub(test, vdb_storage_block, play_the_block);
	kunit_activate_static_stub(test, vdb_storage_limit, play_limit);
	the_limit = PAGE_SIZE - 1;
	the_block = alloc_page(GFP_KERNEL | __GFP_ZERO);
	KUNIT_ASSERT_NOT_NULL(test, the_block);
	map[0].cpu_start = page_to_phys(the_block);
	dev->dma_range_map = map;
	KUNIT_EXPECT_EQ(test, vdb_storage_alloc(&st, dev, PAGE_SIZE, 0, false),
			0);
	dev->dma_range_map = NULL;
	KUNIT_EXPECT_EQ(test, page_to_phys(st.pages[0]), map[0].cpu_start);
	vdb_storage_free(&st);
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
	KUNIT_CASE(limits_by_device),
	KUNIT_CASE(machines_are_looked_at),
	KUNIT_CASE(ends_of_blocks_are_given_back),
	KUNIT_CASE(sizes_beyond_numbers),
	KUNIT_CASE(areas_have_a_device),
	KUNIT_CASE(areas_are_in_reach),
	KUNIT_CASE(reach_ends_with_a_byte),
	KUNIT_CASE(first_page_is_in_reach),
	KUNIT_CASE(views_have_their_mode),
	KUNIT_CASE_SLOW(faults_leave_nothing),
	{}
};

static struct kunit_suite storage_suite = {
	.name = "videobuf2-dmabuf-storage",
	.test_cases = storage_cases,
};

kunit_test_suite(storage_suite);
