// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of a device that changes its bus, or leaves it, while somebody still
 * has what it was given there: that lives and dies on the bus it came from.
 */
#include <kunit/device.h>
#include <kunit/test.h>
#include <linux/dma-mapping.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/string.h>

#include "bus/config.h"
#include "kunit.h"

#define PAGES 4
#define SIZE (PAGES * PAGE_SIZE)

enum { REAL, MEMORY, IOMMU, COHERENT, BUSES };

static const struct vivid_ext_bus_config configs[BUSES] = {
	[REAL] = { true, false, 64, UINT_MAX, UINT_MAX },
	[MEMORY] = { false, false, 64, UINT_MAX, UINT_MAX },
	[IOMMU] = { false, true, 32, UINT_MAX, UINT_MAX },
	[COHERENT] = { true, true, 64, UINT_MAX, UINT_MAX },
};

/**
 * struct given - what a device can be given
 * @dev: the device, as its bus was then; with a reference
 * @coherent: dma_alloc_coherent()
 * @coherent_addr: its address
 * @coherent_sgt: dma_get_sgtable() of it
 * @noncontig: dma_alloc_noncontiguous(), or NULL where the bus has none
 * @pages: the CPU's, that the rest is made of
 * @sgt: dma_map_sgtable() of the first half of @pages
 * @addr: dma_map_page() of what follows
 */
struct given {
	struct device *dev;
	void *coherent;
	dma_addr_t coherent_addr;
	struct sg_table coherent_sgt;
	struct sg_table *noncontig;
	struct page *pages;
	struct sg_table sgt;
	dma_addr_t addr;
};

static void map_pages(struct kunit *test, struct given *g)
{
	unsigned int i;

	g->pages = alloc_pages(GFP_KERNEL, get_order(SIZE));
	KUNIT_ASSERT_NOT_NULL(test, g->pages);
	memset(page_address(g->pages), 0x11, SIZE);
	KUNIT_ASSERT_EQ(test, sg_alloc_table(&g->sgt, PAGES / 2, GFP_KERNEL),
			0);
	for (i = 0; i < PAGES / 2; i++)
		sg_set_page(&g->sgt.sgl[i], g->pages + PAGES / 2 - 1 - i,
			    PAGE_SIZE, 0);
	KUNIT_ASSERT_EQ(test, dma_map_sgtable(g->dev, &g->sgt,
					      DMA_BIDIRECTIONAL, 0), 0);
	g->addr = dma_map_page(g->dev, g->pages + PAGES / 2, 0, SIZE / 2,
			       DMA_FROM_DEVICE);
	KUNIT_ASSERT_EQ(test, dma_mapping_error(g->dev, g->addr), 0);
}

static void give(struct kunit *test, struct device *owner, struct given *g)
{
	memset(g, 0, sizeof(*g));
	g->dev = get_device(vivid_ext_bus_device(owner));
	g->coherent = dma_alloc_coherent(g->dev, SIZE, &g->coherent_addr,
					 GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, g->coherent);
	memset(g->coherent, 0x22, SIZE);
	KUNIT_ASSERT_EQ(test, dma_get_sgtable(g->dev, &g->coherent_sgt,
					      g->coherent, g->coherent_addr,
					      SIZE), 0);
	g->noncontig = dma_alloc_noncontiguous(g->dev, SIZE, DMA_BIDIRECTIONAL,
					       GFP_KERNEL, 0);
	map_pages(test, g);
}

/* What can still be done with it is done, and then it is given back. */
static void give_back(struct kunit *test, struct given *g)
{
	struct page *coherent = virt_to_page(g->coherent);
	unsigned int i;

	dma_sync_sgtable_for_cpu(g->dev, &g->sgt, DMA_BIDIRECTIONAL);
	dma_sync_sgtable_for_device(g->dev, &g->sgt, DMA_BIDIRECTIONAL);
	dma_sync_single_for_device(g->dev, g->addr, SIZE / 2, DMA_FROM_DEVICE);
	KUNIT_EXPECT_PTR_EQ(test, sg_page(g->coherent_sgt.sgl), coherent);
	KUNIT_EXPECT_EQ(test, ((u8 *)g->coherent)[SIZE - 1], 0x22);

	sg_free_table(&g->coherent_sgt);
	get_page(coherent);
	dma_free_coherent(g->dev, SIZE, g->coherent, g->coherent_addr);
	/* Once, and not twice; and ours is the last. */
	KUNIT_EXPECT_EQ(test, page_count(coherent), 1);
	put_page(coherent);
	if (g->noncontig)
		dma_free_noncontiguous(g->dev, SIZE, g->noncontig,
				       DMA_BIDIRECTIONAL);
	dma_unmap_sgtable(g->dev, &g->sgt, DMA_BIDIRECTIONAL,
			  DMA_ATTR_SKIP_CPU_SYNC);
	dma_unmap_page_attrs(g->dev, g->addr, SIZE / 2, DMA_FROM_DEVICE,
			     DMA_ATTR_SKIP_CPU_SYNC);
	sg_free_table(&g->sgt);
	KUNIT_EXPECT_EQ(test, page_count(g->pages), 1);
	for (i = 0; i < SIZE; i++)
		if (((u8 *)page_address(g->pages))[i] != 0x11)
			break;
	KUNIT_EXPECT_EQ(test, i, SIZE);
	__free_pages(g->pages, get_order(SIZE));
	put_device(g->dev);
}

/* From each bus to each other one and back, with things left on both. */
static void buses_change(struct kunit *test)
{
	unsigned int from, to;

	for (from = 0; from < BUSES * BUSES; from++) {
		struct given old, new;
		struct device *owner;
		char name[16];

		to = from / BUSES;
		snprintf(name, sizeof(name), "owner%u", from);
		owner = vivid_ext_kunit_add_owner(test, name,
						  &configs[from % BUSES]);
		give(test, owner, &old);
		KUNIT_ASSERT_EQ(test, vivid_ext_bus_change(owner, &configs[to]),
				0);
		give(test, owner, &new);
		if (from % BUSES == REAL && to == REAL)
			KUNIT_EXPECT_PTR_EQ(test, old.dev, new.dev);
		else
			KUNIT_EXPECT_PTR_NE(test, old.dev, new.dev);
		give_back(test, &old);
		KUNIT_ASSERT_EQ(test, vivid_ext_bus_change(owner, &configs[REAL]),
				0);
		give_back(test, &new);
		KUNIT_EXPECT_PTR_EQ(test, vivid_ext_bus_device(owner), owner);
		kunit_device_unregister(test, owner);
	}
}

/* The driver is gone, and then one after the other gives back what it has. */
static void owners_leave(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < BUSES; i++) {
		struct given first, second;
		struct device *owner;
		char name[16];

		/* There the owner itself would have to stay. */
		if (i == REAL)
			continue;
		snprintf(name, sizeof(name), "owner%u", i);
		owner = vivid_ext_kunit_add_owner(test, name, &configs[i]);
		give(test, owner, &first);
		give(test, owner, &second);
		kunit_device_unregister(test, owner);
		give_back(test, &first);
		KUNIT_EXPECT_EQ(test, vivid_ext_kunit_count(test, second.dev,
							    "faults"), 0);
		give_back(test, &second);
	}
}

/* A bus that can't be leaves the device where it is. */
static void wrong_buses_are_refused(struct kunit *test)
{
	static const struct vivid_ext_bus_config wrong = {
		false, false, 12, UINT_MAX, UINT_MAX
	};
	struct device *owner = vivid_ext_kunit_add_owner(test, "owner",
							 &configs[MEMORY]);
	struct device *dev = vivid_ext_bus_device(owner);

	KUNIT_EXPECT_EQ(test, vivid_ext_bus_change(owner, &wrong), -EINVAL);
	KUNIT_EXPECT_PTR_EQ(test, vivid_ext_bus_device(owner), dev);
	KUNIT_EXPECT_EQ(test, vivid_ext_bus_config(owner)->dma_bits, 64);
}

static struct kunit_case bus_cases[] = {
	KUNIT_CASE(buses_change),
	KUNIT_CASE(owners_leave),
	KUNIT_CASE(wrong_buses_are_refused),
	{}
};

static struct kunit_suite bus_suite = {
	.name = "vivid-ext-bus",
	.test_cases = bus_cases,
};

kunit_test_suite(bus_suite);
