// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where a buffer's pages come from: large blocks first, or one block.
 */
#include <linux/device.h>
#include <linux/dma-map-ops.h>
#include <linux/gfp.h>
#include <linux/highmem.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "compat.h"
#include "internal.h"

/*
 * 1 MiB and 64 KiB are sizes that IOMMUs have entries for, and keep the lists
 * of segments short; larger blocks are rarely there on a machine that has been
 * up for a while, and looking for them costs more than they save.
 */
static const unsigned int orders[] = { 8, 4, 0 };

/**
 * vdb_device_does_dma - whether a device can be given DMA addresses
 * @dev: a device, or NULL
 *
 * The DMA API warns with a backtrace for a device without a mask, so this is
 * asked before anything is mapped.
 *
 * Return: true if it can.
 */
bool vdb_device_does_dma(struct device *dev)
{
	return dev && dev->dma_mask && *dev->dma_mask;
}

/* The zone that the device can reach, where nothing translates for it. */
static gfp_t device_zone(struct device *dev)
{
	u64 mask;

	if (!vdb_device_does_dma(dev) || !dma_addressing_limited(dev))
		return 0;

	mask = min_not_zero(dma_get_mask(dev), dev->bus_dma_limit);
	if (mask < DMA_BIT_MASK(32) && IS_ENABLED(CONFIG_ZONE_DMA))
		return GFP_DMA;
	return IS_ENABLED(CONFIG_ZONE_DMA32) ? GFP_DMA32 : GFP_DMA;
}

/* Without assuming that the array of struct page has no holes. */
static struct page *block_page(struct page *page, unsigned int i)
{
	return pfn_to_page(page_to_pfn(page) + i);
}

/* A block no larger than wanted; its pages are freed one by one later. */
static unsigned int add_block(struct vdb_storage *st, unsigned int at,
			      unsigned int *first_order, gfp_t gfp)
{
	unsigned int i, j;

	for (i = *first_order; i < ARRAY_SIZE(orders); i++) {
		unsigned int order = orders[i];
		struct page *page;
		gfp_t how = gfp;

		if (st->nr_pages - at < 1U << order)
			continue;
		/* Take a large block if it is there, don't fight for it. */
		if (order)
			how = (gfp | __GFP_NOWARN | __GFP_NORETRY) &
			      ~__GFP_RECLAIM;
		page = alloc_pages(how, order);
		if (!page)
			continue;

		*first_order = i;
		if (order)
			split_page(page, order);
		for (j = 0; j < 1U << order; j++)
			st->pages[at + j] = block_page(page, j);
		return 1U << order;
	}
	return 0;
}

static int alloc_scattered(struct vdb_storage *st, gfp_t gfp)
{
	unsigned int at = 0, first_order = 0;

	while (at < st->nr_pages) {
		unsigned int n = 0;

		/* A buffer can be gigabytes: let the user change their mind. */
		if (!fatal_signal_pending(current))
			n = add_block(st, at, &first_order, gfp);
		if (!n)
			goto err_free;
		at += n;
	}
	return 0;

err_free:
	while (at--)
		__free_page(st->pages[at]);
	return -ENOMEM;
}

static struct page *alloc_block(struct vdb_storage *st, gfp_t gfp)
{
	unsigned int order = get_order((size_t)st->nr_pages << PAGE_SHIFT);
	struct page *page;
	unsigned int i;

	if (order > VDB_MAX_ORDER)
		return NULL;
	page = alloc_pages(gfp | __GFP_NOWARN, order);
	if (!page)
		return NULL;
	split_page(page, order);
	for (i = st->nr_pages; i < 1U << order; i++)
		__free_page(block_page(page, i));
	return page;
}

/*
 * The device's contiguous area (CMA). Not through an IOMMU or a bus of its
 * own: those may be gone before the buffer is.
 */
static struct page *alloc_area(struct vdb_storage *st, struct device *dev,
			       gfp_t gfp)
{
	size_t size = (size_t)st->nr_pages << PAGE_SHIFT;
	struct page *page;

	if (!vdb_device_does_dma(dev) || !dev->coherent_dma_mask ||
	    get_dma_ops(dev) || device_iommu_mapped(dev))
		return NULL;
	/* It finds the zone itself, and warns if it is told. */
	page = dma_alloc_pages(dev, size, &st->dma_addr, DMA_BIDIRECTIONAL,
			       gfp & ~(GFP_ZONEMASK | __GFP_ZERO |
				       __GFP_ACCOUNT | __GFP_COMP));
	if (page)
		st->dma_dev = get_device(dev);
	return page;
}

static int alloc_contiguous(struct vdb_storage *st, struct device *dev,
			    gfp_t gfp)
{
	struct page *page;
	unsigned int i;

	page = alloc_block(st, gfp);
	if (!page)
		page = alloc_area(st, dev, gfp);
	if (!page) {
		vdb_notice(dev, "no contiguous block of %u pages (the page allocator's largest has %lu)",
			   st->nr_pages, 1UL << VDB_MAX_ORDER);
		return -ENOMEM;
	}
	for (i = 0; i < st->nr_pages; i++)
		st->pages[i] = block_page(page, i);
	/* Areas come as they are. */
	if (st->dma_dev)
		for (i = 0; i < st->nr_pages; i++)
			clear_highpage(st->pages[i]);
	return 0;
}

/*
 * Buffers can't be swapped out: what takes the last page leaves others to the
 * OOM killer. A sixteenth of the machine is left to them.
 */
static bool too_much(struct device *dev, unsigned int nr_pages)
{
	long available = si_mem_available();
	unsigned long reserve = totalram_pages() / 16;

	if (available > 0 && nr_pages + reserve <= available)
		return false;
	vdb_notice(dev, "%u pages wanted, %ld available, %lu of them kept back",
		   nr_pages, available, reserve);
	return true;
}

/**
 * vdb_storage_alloc - get zeroed pages for a buffer
 * @st: filled in
 * @dev: the device that will use them most, or NULL; others may attach later
 * @size: bytes, a multiple of the page size
 * @gfp: more flags for the page allocator, a zone for example
 * @contiguous: in one physical block
 *
 * Context: process; may sleep.
 * Return: 0, or -ENOMEM (also when a fatal signal came).
 */
int vdb_storage_alloc(struct vdb_storage *st, struct device *dev, size_t size,
		      gfp_t gfp, bool contiguous)
{
	int ret;

	if (size >> PAGE_SHIFT > INT_MAX)
		return -ENOMEM;
	st->nr_pages = size >> PAGE_SHIFT;
	if (too_much(dev, st->nr_pages))
		return -ENOMEM;
	st->dma_dev = NULL;
	st->pages = kvmalloc_array(st->nr_pages, sizeof(*st->pages),
				   GFP_KERNEL);
	if (!st->pages)
		return -ENOMEM;

	gfp |= GFP_KERNEL | __GFP_ZERO | __GFP_ACCOUNT;
	/* A driver's own zone goes first: two of them are none. */
	if (!(gfp & GFP_ZONEMASK))
		gfp |= device_zone(dev);
	if (!(gfp & GFP_ZONEMASK))
		gfp |= __GFP_HIGHMEM;
	/* One that can't be had is an error for the user, not for the log. */
	gfp |= __GFP_NOWARN | __GFP_RETRY_MAYFAIL;

	if (contiguous)
		ret = alloc_contiguous(st, dev, gfp & ~__GFP_HIGHMEM);
	else
		ret = alloc_scattered(st, gfp);
	if (ret)
		kvfree(st->pages);
	return ret;
}
EXPORT_SYMBOL_VDB_KUNIT(vdb_storage_alloc);

/**
 * vdb_storage_free - give the pages back
 * @st: from vdb_storage_alloc()
 *
 * A page that somebody has pinned lives until they let it go.
 * Context: process; may sleep.
 */
void vdb_storage_free(struct vdb_storage *st)
{
	unsigned int i;

	if (st->dma_dev) {
		dma_free_pages(st->dma_dev, (size_t)st->nr_pages << PAGE_SHIFT,
			       st->pages[0], st->dma_addr, DMA_BIDIRECTIONAL);
		put_device(st->dma_dev);
	} else {
		for (i = 0; i < st->nr_pages; i++)
			__free_page(st->pages[i]);
	}
	kvfree(st->pages);
}
EXPORT_SYMBOL_VDB_KUNIT(vdb_storage_free);
