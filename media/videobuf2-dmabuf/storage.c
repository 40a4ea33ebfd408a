// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where a buffer's pages come from: large blocks first, or one block.
 */
#include <linux/cc_platform.h>
#include <linux/device.h>
#include <linux/dma-direct.h>
#include <linux/dma-map-ops.h>
#include <linux/gfp.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/swap.h>
#include <linux/vmstat.h>

#include "internal.h"

/*
 * 1 MiB and 64 KiB are sizes that IOMMUs have entries for, and keep the lists
 * of segments short; larger blocks are rarely there on a machine that has been
 * up for a while, and looking for them costs more than they save.
 */
static const unsigned int orders[] = { 8, 4, 0 };

/* After so many pages the rest of the machine is looked at again. */
#define LOOK_AROUND 256

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
EXPORT_SYMBOL_VDB_KUNIT(vdb_device_does_dma);

/**
 * vdb_storage_limit - the last address that a device has
 * @dev: the device, or NULL
 *
 * Return: the address, U64_MAX where it has all or something translates for it.
 */
u64 vdb_storage_limit(struct device *dev)
{
	VDB_STATIC_STUB(vdb_storage_limit, dev);

	if (!vdb_device_does_dma(dev) || vdb_dma_translated(dev) ||
	    !dma_addressing_limited(dev))
		return U64_MAX;
	return min_not_zero(dma_get_mask(dev), dev->bus_dma_limit);
}
EXPORT_SYMBOL_VDB_KUNIT(vdb_storage_limit);

/**
 * vdb_storage_bounce - a device's bounce buffers
 * @dev: the device
 * @largest: how much it can have copied at once, SIZE_MAX where nothing is
 *
 * Return: where they end in memory, 0 where there are none.
 */
phys_addr_t vdb_storage_bounce(struct device *dev, size_t *largest)
{
	VDB_STATIC_STUB(vdb_storage_bounce, dev, largest);

	*largest = dma_max_mapping_size(dev);
	return vdb_bounce_end(dev);
}
EXPORT_SYMBOL_VDB_KUNIT(vdb_storage_bounce);

/* Will what is out of a device's reach be copied for it? */
static bool can_bounce(struct device *dev, u64 limit, size_t size)
{
	size_t largest;
	phys_addr_t end = vdb_storage_bounce(dev, &largest);

	return end && largest != SIZE_MAX && size <= largest &&
	       phys_to_dma(dev, end - 1) <= limit;
}

/* Without assuming that the array of struct page has no holes. */
static struct page *block_page(struct page *page, unsigned int i)
{
	return pfn_to_page(page_to_pfn(page) + i);
}

/**
 * vdb_storage_memory - how much memory the machine has
 * @m: filled in, in pages
 *
 * What is available is what the kernel counts, but for a contiguous area: that
 * is not for us.
 */
void vdb_storage_memory(struct vdb_memory *m)
{
	VDB_STATIC_STUB(vdb_storage_memory, m);

	m->total = totalram_pages();
	m->free = global_zone_page_state(NR_FREE_PAGES);
	m->swap = get_nr_swap_pages();
	m->available = si_mem_available() -
		       (long)global_zone_page_state(NR_FREE_CMA_PAGES);
}
EXPORT_SYMBOL_VDB_KUNIT(vdb_storage_memory);

/**
 * vdb_storage_block - ask the page allocator for pages in a row
 * @gfp: how
 * @order: how many
 *
 * Return: the first page, or NULL.
 */
struct page *vdb_storage_block(gfp_t gfp, unsigned int order)
{
	VDB_STATIC_STUB(vdb_storage_block, gfp, order);

	return alloc_pages(gfp, order);
}
EXPORT_SYMBOL_VDB_KUNIT(vdb_storage_block);

/*
 * Buffers can't be swapped out, and nobody sees whose they are: who takes the
 * last page makes the OOM killer look at others. So what can't be had is not
 * tried. This counts free pages twice, and the one time all of them, and keeps
 * none back: what is there is given.
 */
static bool too_much(struct device *dev, unsigned int nr_pages)
{
	struct vdb_memory m;
	long available;

	vdb_storage_memory(&m);
	available = max(m.available, 0L) + m.swap;
	if (nr_pages <= m.total && nr_pages <= available + m.free)
		return false;
	vdb_notice(dev, "%u pages wanted, %ld available, the machine has %lu",
		   nr_pages, available, m.total);
	return true;
}

/**
 * struct search - looking for the pages of a buffer
 * @dev: the device that has to reach them, or NULL
 * @limit: its last address, U64_MAX where all will do
 * @pages: filled in
 * @wanted: how many
 * @found: and so many are there
 * @orders: blocks to ask for, the largest first
 * @num_orders: how many of these
 * @first_order: the largest that was there the last time
 * @gfp: for the page allocator, but for the zone
 * @aside: blocks out of reach, so that others come up
 * @aside_left: so many pages may yet be put there in this zone
 */
struct search {
	struct device *dev;
	u64 limit;
	struct page **pages;
	unsigned int wanted;
	unsigned int found;
	const unsigned int *orders;
	unsigned int num_orders;
	unsigned int first_order;
	gfp_t gfp;
	struct list_head aside;
	unsigned long aside_left;
};

static bool in_reach(struct search *s, struct page *page, unsigned int order)
{
	dma_addr_t addr;

	if (s->limit == U64_MAX)
		return true;
	addr = phys_to_dma(s->dev, page_to_phys(page));
	return addr != DMA_MAPPING_ERROR &&
	       addr + (PAGE_SIZE << order) - 1 <= s->limit;
}

/* The machine goes on beside a look at all that is free. */
static bool put_aside(struct search *s, struct page *page, unsigned int order)
{
	struct vdb_memory m;

	vdb_storage_memory(&m);
	if (s->aside_left >> order == 0 || m.available < (long)(m.total / 16)) {
		s->aside_left = 0;
		__free_pages(page, order);
		return false;
	}
	s->aside_left -= 1UL << order;
	set_page_private(page, order);
	list_add(&page->lru, &s->aside);
	return true;
}

static void give_aside_back(struct search *s)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, &s->aside, lru) {
		unsigned int order = page_private(page);

		set_page_private(page, 0);
		__free_pages(page, order);
	}
	INIT_LIST_HEAD(&s->aside);
}

static struct page *take_block(struct search *s, unsigned int order, gfp_t gfp)
{
	struct page *page;
	unsigned int i;

	/* A buffer can be gigabytes: let the user change their mind. */
	while (!fatal_signal_pending(current)) {
		page = vdb_storage_block(gfp, order);
		if (!page)
			break;
		if (in_reach(s, page, order)) {
			if (order)
				split_page(page, order);
			for (i = 0; !(gfp & __GFP_ZERO) && i < 1U << order; i++)
				clear_highpage(block_page(page, i));
			return page;
		}
		if (!put_aside(s, page, order))
			break;
		cond_resched();
	}
	return NULL;
}

/* A block no larger than wanted; its pages are freed one by one later. */
static bool add_block(struct search *s, gfp_t gfp)
{
	unsigned int i, j, n;

	for (i = s->first_order; i < s->num_orders; i++) {
		unsigned int order = s->orders[i];
		struct page *page;
		gfp_t how = gfp;

		if (i + 1 < s->num_orders) {
			if (s->wanted - s->found < 1U << order)
				continue;
			/* Take a large block that is there, fight for none. */
			how = (gfp | __GFP_NORETRY) & ~__GFP_RECLAIM;
		}
		page = take_block(s, order, how);
		if (!page)
			continue;

		s->first_order = i;
		n = min(s->wanted - s->found, 1U << order);
		for (j = 0; j < n; j++)
			s->pages[s->found++] = block_page(page, j);
		for (; j < 1U << order; j++)
			__free_page(block_page(page, j));
		return true;
	}
	return false;
}

/* Return: whether all pages are there now. */
static bool search_zone(struct search *s, gfp_t zone, bool reclaim,
			unsigned long aside)
{
	gfp_t gfp = s->gfp | zone;
	struct vdb_memory m;

	if (!reclaim)
		gfp = (gfp | __GFP_NORETRY) & ~__GFP_RECLAIM;
	/* What may turn out to be useless is cleared when it is not. */
	if (s->limit != U64_MAX && !(zone & GFP_DMA) &&
	    !((zone & GFP_DMA32) && s->limit >= DMA_BIT_MASK(32)))
		gfp &= ~__GFP_ZERO;
	s->first_order = 0;
	s->aside_left = aside;
	while (s->found < s->wanted) {
		if (s->found % LOOK_AROUND == 0 && list_empty(&s->aside)) {
			if (too_much(s->dev, s->wanted - s->found))
				return false;
			/* Of the last pages, those that are there. */
			vdb_storage_memory(&m);
			if (m.available <= 0)
				gfp |= __GFP_NORETRY;
		}
		if (!add_block(s, gfp))
			return false;
	}
	return true;
}

/*
 * Zones are cut as the machine wants it, and not for this device: below 32 bits
 * there is but one, on PCs the 16 MiB of ISA cards. So the next larger zone
 * comes first, for what is free in it and in reach, then for what others would
 * give up; and last, where bounce buffers help, any memory.
 */
static bool search_limited(struct search *s)
{
	bool wide = s->limit > DMA_BIT_MASK(32);
	unsigned long more = 4UL * s->wanted;

	if (s->limit <= DMA_BIT_MASK(24) && search_zone(s, GFP_DMA, true, more))
		return true;
	if ((wide && search_zone(s, __GFP_HIGHMEM, false, s->wanted)) ||
	    search_zone(s, GFP_DMA32, false, ULONG_MAX) ||
	    search_zone(s, GFP_DMA32, true, more) ||
	    search_zone(s, GFP_DMA, true, more) ||
	    (wide && search_zone(s, __GFP_HIGHMEM, false, ULONG_MAX)))
		return true;

	give_aside_back(s);
	if (!can_bounce(s->dev, s->limit, PAGE_SIZE << s->orders[s->num_orders - 1]))
		return false;
	s->limit = U64_MAX;
	return search_zone(s, __GFP_HIGHMEM, true, 0);
}

/* Return: 0, or -ENOMEM with nothing left behind. */
static int search_pages(struct search *s)
{
	bool all;

	INIT_LIST_HEAD(&s->aside);
	/* A driver's own zone goes first: two of them are none. */
	s->limit = s->gfp & GFP_ZONEMASK ? U64_MAX : vdb_storage_limit(s->dev);
	if (s->limit != U64_MAX)
		all = search_limited(s);
	else
		all = search_zone(s, s->gfp & GFP_ZONEMASK ?: __GFP_HIGHMEM,
				  true, 0);
	give_aside_back(s);
	if (all)
		return 0;

	while (s->found)
		__free_page(s->pages[--s->found]);
	return -ENOMEM;
}

static int alloc_scattered(struct vdb_storage *st, struct device *dev,
			   gfp_t gfp)
{
	struct search s = {
		.dev = dev,
		.pages = st->pages,
		.wanted = st->nr_pages,
		.orders = orders,
		.num_orders = ARRAY_SIZE(orders),
		.gfp = gfp,
	};
	int ret = search_pages(&s);

	if (ret && !fatal_signal_pending(current))
		vdb_notice(dev, "no %u pages up to address %#llx", s.wanted,
			   s.limit);
	return ret;
}

static int alloc_block(struct vdb_storage *st, struct device *dev, gfp_t gfp)
{
	unsigned int order = get_order((size_t)st->nr_pages << PAGE_SHIFT);
	struct search s = {
		.dev = dev,
		.pages = st->pages,
		.wanted = st->nr_pages,
		.orders = &order,
		.num_orders = 1,
		.gfp = gfp,
	};

	return order > VDB_MAX_ORDER ? -ENOMEM : search_pages(&s);
}

#ifdef CONFIG_DMA_CMA
static void share_area(struct device *area, struct device *dev)
{
	area->cma_area = dev->cma_area;
}
#else
static void share_area(struct device *area, struct device *dev)
{
}
#endif

static void area_release(struct device *area)
{
	kfree(area);
}

/*
 * Pages of a contiguous area (CMA) go back to the area that the device has at
 * that time, and if they are not of that one, to the page allocator, which is
 * then given what is not its own. A driver lets go of its area, and of its
 * device, long before the last user of a buffer is gone. So they are allocated
 * for a device that is nobody else's, lives as long as they do, and has the
 * same area and reach.
 */
static struct device *area_device(struct device *dev)
{
	struct device *area = kzalloc(sizeof(*area), GFP_KERNEL);

	if (!area)
		return NULL;
	device_initialize(area);
	area->init_name = "videobuf2-dmabuf";
	area->release = area_release;
	area->dma_mask = &area->coherent_dma_mask;
	area->coherent_dma_mask = DMA_BIT_MASK(64);
	if (!dev)
		return area;
	set_dev_node(area, dev_to_node(dev));
	share_area(area, dev);
	if (vdb_device_does_dma(dev) && !vdb_dma_translated(dev)) {
		area->coherent_dma_mask = dma_get_mask(dev);
		area->bus_dma_limit = dev->bus_dma_limit;
	}
	return area;
}

/*
 * No page of an area is charged to a memory cgroup: nothing that does it is
 * exported. What the page allocator gives instead of it is.
 */
static int alloc_area(struct vdb_storage *st, struct device *dev, gfp_t gfp)
{
	struct device *area;
	struct page *page;
	unsigned int i;

	/* Else the kernel's mapping of it would not be as a process's. */
	if (cc_platform_has(CC_ATTR_MEM_ENCRYPT))
		return -ENOMEM;
	area = area_device(dev);
	if (!area)
		return -ENOMEM;
	/* Nobody translates for it, Xen for example. */
	if (get_dma_ops(area))
		goto err_put;
	/* Only for as long as somebody sees to it that it stays. */
	area->dma_range_map = dev ? dev->dma_range_map : NULL;
	/* It finds the zone itself, and warns if it is told. */
	page = dma_alloc_pages(area, (size_t)st->nr_pages << PAGE_SHIFT,
			       &st->dma_addr, DMA_BIDIRECTIONAL,
			       gfp & ~(GFP_ZONEMASK | __GFP_ZERO));
	area->dma_range_map = NULL;
	if (!page)
		goto err_put;
	st->dma_dev = area;
	for (i = 0; i < st->nr_pages; i++) {
		st->pages[i] = block_page(page, i);
		/* Areas come as they are. */
		clear_highpage(st->pages[i]);
	}
	return 0;

err_put:
	put_device(area);
	return -ENOMEM;
}

static int alloc_contiguous(struct vdb_storage *st, struct device *dev,
			    gfp_t gfp)
{
	int ret;

	ret = alloc_block(st, dev, gfp);
	if (ret && !fatal_signal_pending(current))
		ret = alloc_area(st, dev, gfp);
	if (ret && !fatal_signal_pending(current))
		vdb_notice(dev, "no contiguous block of %u pages up to address %#llx (the page allocator's largest has %lu)",
			   st->nr_pages, vdb_storage_limit(dev), 1UL << VDB_MAX_ORDER);
	return ret;
}

/**
 * vdb_storage_alloc - get zeroed pages for a buffer
 * @st: filled in
 * @dev: the device that will use them most, or NULL; others may attach later
 * @size: bytes, a multiple of the page size
 * @gfp: more flags for the page allocator, a zone for example
 * @contiguous: in one physical block
 *
 * Where the device does not reach all of the machine's memory, the pages are
 * within its reach, or are copied for it if there are bounce buffers.
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
	st->dma_dev = NULL;
	if (too_much(dev, st->nr_pages))
		return -ENOMEM;

	st->pages = kvmalloc_array(st->nr_pages, sizeof(*st->pages),
				   GFP_KERNEL_ACCOUNT);
	if (!st->pages)
		return -ENOMEM;

	/*
	 * One that can't be had is an error for the user, not for the log; and
	 * the kernel's last reserves, which who tries without reclaim may take,
	 * are for those that can't wait.
	 */
	gfp |= GFP_KERNEL_ACCOUNT | __GFP_ZERO | __GFP_NOWARN |
	       __GFP_RETRY_MAYFAIL | __GFP_NOMEMALLOC;
	if (contiguous)
		ret = alloc_contiguous(st, dev, gfp);
	else
		ret = alloc_scattered(st, dev, gfp);
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
