// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the simulated bus with every allocation failing in turn: who asked
 * is told, and nothing is lost.
 */
#include <kunit/device.h>
#include <linux/err.h>
#include <linux/fault-inject.h>
#include <linux/mmzone.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/vmstat.h>

#include "simrules_kunit.h"

#ifdef CONFIG_FAULT_INJECTION
/* Without an IOMMU, so that a table has as many segments as pages. */
static const struct vivid_ext_bus_config memory = {
	false, false, 64, UINT_MAX, UINT_MAX
};

/* There is nothing between memory and the device. */
static const struct vivid_ext_bus_config coherent = {
	true, true, 64, UINT_MAX, UINT_MAX
};

/* A view, which is whole or none. Return: 0 or an error. */
static int try_view(struct device *dev, struct sg_table *sgt)
{
	struct vivid_ext_view *view;
	int ret;

	view = vivid_ext_view_create(dev, sgt, SIZE, DMA_TO_DEVICE);
	if (!view)
		return -EINVAL;
	if (IS_ERR(view))
		return PTR_ERR(view);
	ret = vivid_ext_view_addr(view) ? 0 : -EINVAL;
	vivid_ext_view_destroy(view);
	return ret;
}

/* So many that it shows when they are lost. */
static int try_allocation(struct device *dev)
{
	const size_t size = 256 * PAGE_SIZE;
	const struct dma_map_ops *ops = get_dma_ops(dev);
	struct sg_table sgt;
	dma_addr_t addr;
	void *vaddr;
	int ret;

	vaddr = ops->alloc(dev, size, &addr, GFP_KERNEL, 0);
	if (!vaddr)
		return -ENOMEM;
	ret = ops->get_sgtable(dev, &sgt, vaddr, addr, size, 0);
	if (!ret)
		sg_free_table(&sgt);
	ops->free(dev, size, vaddr, addr, 0);
	return ret;
}

/* All that asks for memory. Return: 0 or the first error. */
static int try_all(struct fixture *f)
{
	struct device *dev;
	dma_addr_t addr;
	int ret, n;

	ret = vivid_ext_bus_change(f->owner, &memory);
	if (ret)
		return ret;
	dev = vivid_ext_bus_device(f->owner);
	n = get_dma_ops(dev)->map_sg(dev, f->sgt.sgl, PAGES, DMA_TO_DEVICE, 0);
	if (n < 0)
		return n;
	f->sgt.nents = n;
	ret = try_view(dev, &f->sgt);
	get_dma_ops(dev)->unmap_sg(dev, f->sgt.sgl, PAGES, DMA_TO_DEVICE, 0);
	if (ret)
		return ret;
	addr = vdb_dma_ops_map(get_dma_ops(dev), dev, virt_to_page(f->mem),
			       SIZE, DMA_TO_DEVICE);
	if (addr == DMA_MAPPING_ERROR)
		return -ENOMEM;
	vdb_dma_ops_unmap(get_dma_ops(dev), dev, addr, SIZE, DMA_TO_DEVICE);
	return try_allocation(f->dev);
}

/* Return: how many faults there are. */
static unsigned int sweep(struct kunit *test)
{
	struct fixture *f = test->priv;
	unsigned int n = 0, left;
	struct device *dev;
	int ret;

	do {
		current->fail_nth = ++n;
		ret = try_all(f);
		left = current->fail_nth;
		current->fail_nth = 0;
		if (left)
			KUNIT_EXPECT_EQ(test, ret, 0);
		else if (ret)
			KUNIT_EXPECT_EQ(test, ret, -ENOMEM);
		dev = vivid_ext_bus_device(f->owner);
		KUNIT_EXPECT_EQ(test, vivid_ext_simbus_of(dev)->given, 0);
		cond_resched();
	} while (!left && n < 500);
	return n - 1;
}

/*
 * Of the allocations some are of what looks for mistakes, another one each
 * time: one sweep does not meet all of ours.
 */
static void faults_lose_nothing(struct kunit *test)
{
	struct fixture *f = test->priv;
	/* What debugging keeps of what is freed. */
	const long rounds = 20, slack = 2048;
	unsigned long before;
	unsigned int n, i;
	long missing;

	/* The owner changes its bus; this one is for allocations. */
	f->dev = vivid_ext_kunit_add_device(test, "coherent", &coherent);
	n = sweep(test);
	KUNIT_EXPECT_GT_MSG(test, n, 20U,
			    "fault injection is off: ignore-gfp-wait?");
	KUNIT_EXPECT_LT(test, n, 499U);
	before = global_zone_page_state(NR_FREE_PAGES);
	for (i = 0; i < rounds; i++)
		sweep(test);
	missing = before - global_zone_page_state(NR_FREE_PAGES);
	kunit_info(test, "%u faults, %ld pages less\n", n, missing);
	KUNIT_EXPECT_LT_MSG(test, missing, slack, "pages have been lost");
}

#else
static void faults_lose_nothing(struct kunit *test)
{
	kunit_skip(test, "this kernel injects no faults");
}
#endif

static struct kunit_case fault_cases[] = {
	KUNIT_CASE_SLOW(faults_lose_nothing),
	{}
};

static struct kunit_suite fault_suite = {
	.name = "vivid-ext-faults",
	.init = vivid_ext_kunit_rules_init,
	.test_cases = fault_cases,
};

kunit_test_suite(fault_suite);
