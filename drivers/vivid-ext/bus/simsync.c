// SPDX-License-Identifier: GPL-2.0-only
/*
 * The simulated bus: what carries bytes between the CPU's pages and those that
 * devices see, which on a bus that is not coherent only the DMA API does. What
 * it is asked for against its rules is counted and logged, and done as wrongly
 * as by the hardware that takes it worst; but never to memory that is not
 * mapped.
 */
#include <linux/dma-mapping.h>
#include <linux/highmem.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "simdma.h"

/**
 * vivid_ext_sim_begin - bytes of a mapping are about to be carried
 * @bus: the device's place
 * @addr: an address of the mapping's
 *
 * Frames are large: they are not copied under a lock with interrupts off. Any
 * context.
 *
 * Return: the range, which stays until vivid_ext_sim_end(), or NULL if nothing
 * is mapped there.
 */
struct sim_range *vivid_ext_sim_begin(struct vivid_ext_simbus *bus,
				      dma_addr_t addr)
{
	struct sim_range *range;
	unsigned long flags;

	spin_lock_irqsave(&bus->lock, flags);
	range = vivid_ext_ranges_find(&bus->ranges, addr);
	if (range)
		range->syncs++;
	spin_unlock_irqrestore(&bus->lock, flags);
	return range;
}
EXPORT_SYMBOL_GPL(vivid_ext_sim_begin);

/**
 * vivid_ext_sim_end - undo one vivid_ext_sim_begin()
 * @bus: the device's place
 * @range: what that returned, or NULL
 *
 * Any context.
 */
void vivid_ext_sim_end(struct vivid_ext_simbus *bus, struct sim_range *range)
{
	unsigned long flags;

	if (!range)
		return;
	spin_lock_irqsave(&bus->lock, flags);
	if (!--range->syncs)
		wake_up_all(&bus->synced);
	spin_unlock_irqrestore(&bus->lock, flags);
}
EXPORT_SYMBOL_GPL(vivid_ext_sim_end);

/**
 * vivid_ext_sim_wait - wait until nobody carries bytes of a range
 * @bus: the device's place
 * @range: taken out of the tree, so that nobody begins any more
 *
 * Process context.
 */
void vivid_ext_sim_wait(struct vivid_ext_simbus *bus, struct sim_range *range)
{
	bool racing;

	spin_lock_irq(&bus->lock);
	racing = range->syncs;
	spin_unlock_irq(&bus->lock);
	if (!racing)
		return;
	vivid_ext_sim_violation(bus, "unmap of %zu bytes at %pad while they are synchronised",
				range->len, &range->start);
	spin_lock_irq(&bus->lock);
	wait_event_lock_irq(bus->synced, !range->syncs, bus->lock);
	spin_unlock_irq(&bus->lock);
}

static void range_copy(struct vivid_ext_simbus *bus, struct sim_range *range,
		       dma_addr_t addr, size_t len, bool to_cpu)
{
	size_t at = addr - (range->start & PAGE_MASK);

	sim_count(bus, to_cpu ? SIM_BYTES_TO_CPU : SIM_BYTES_TO_DEVICE, len);
	while (len) {
		struct sim_page *page = &range->pages[at >> PAGE_SHIFT];
		size_t offset = offset_in_page(at);
		size_t n = min(len, PAGE_SIZE - offset);

		struct page *to = to_cpu ? page->cpu : page->device;
		struct page *from = to_cpu ? page->device : page->cpu;

		if (to != from)
			memcpy_page(to, offset, from, offset, n);
		sim_set_writer(page, NULL);
		at += n;
		len -= n;
	}
}

/**
 * vivid_ext_sim_carry - carry bytes in the direction that was asked for
 * @bus: the device's place
 * @range: of a mapping, held by vivid_ext_sim_begin() or not in use any more
 * @addr: of the first byte, in @range
 * @len: how many, within @range
 * @dir: as the driver says
 * @to_cpu: for the CPU, or for the device
 *
 * A device that only reads leaves nothing to fetch, and one that only writes
 * finds nothing. Any context.
 */
void vivid_ext_sim_carry(struct vivid_ext_simbus *bus, struct sim_range *range,
			 dma_addr_t addr, size_t len,
			 enum dma_data_direction dir, bool to_cpu)
{
	if (bus->config.coherent)
		return;
	if (dir != (to_cpu ? DMA_TO_DEVICE : DMA_FROM_DEVICE))
		range_copy(bus, range, addr, len, to_cpu);
}

/* Against the rules of the DMA API, but hardware does not know. */
static void check_direction(struct vivid_ext_simbus *bus,
			    const struct sim_range *range,
			    enum dma_data_direction dir)
{
	if (dir == range->dir)
		return;
	sim_count(bus, SIM_WRONG_SYNCS, 1);
	dev_notice_once(bus->owner, "synchronised in another direction (%s) than mapped (%s)\n",
			vivid_ext_sim_direction(dir),
			vivid_ext_sim_direction(range->dir));
}

/* Return: how much of what is asked for is mapped. */
static size_t check_bounds(struct vivid_ext_simbus *bus,
			   const struct sim_range *range, dma_addr_t addr,
			   size_t len)
{
	size_t left = range->start + range->len - addr;

	if (len > left)
		vivid_ext_sim_violation(bus, "sync of %zu bytes at %pad, where %zu are mapped",
					len, &addr, left);
	return min(len, left);
}

/* Return: how much from an address on lies together in memory. */
static size_t together(const struct sim_range *range, dma_addr_t addr,
		       size_t len)
{
	size_t at = addr - (range->start & PAGE_MASK);
	const struct sim_page *page = &range->pages[at >> PAGE_SHIFT];
	size_t n = PAGE_SIZE - offset_in_page(at);

	for (; n < len; n += PAGE_SIZE, page++)
		if (page_to_pfn(page[1].cpu) != page_to_pfn(page->cpu) + 1)
			return n;
	return len;
}

/*
 * dma_sync_single_*() is told of one address: dma-iommu looks up what lies
 * there, and goes on in physical memory, which behind the page may be
 * another's. That is not touched here, but missed where it should have been.
 * Return: how much lies together.
 */
static size_t check_contiguous(struct vivid_ext_simbus *bus,
			       const struct sim_range *range, dma_addr_t addr,
			       size_t len)
{
	size_t n = together(range, addr, len);

	if (n < len) {
		sim_count(bus, SIM_FAULTS, 1);
		dev_err_ratelimited(bus->owner, "DMA fault: sync of %zu bytes at %pad as a single piece, of which %zu are contiguous in memory\n",
				    len, &addr, n);
	}
	return n;
}

static void sim_sync(struct device *dev, dma_addr_t addr, size_t len,
		     enum dma_data_direction dir, bool for_cpu)
{
	struct vivid_ext_simbus *bus = vivid_ext_simbus_of(dev);
	struct sim_range *range = vivid_ext_sim_begin(bus, addr);

	sim_count(bus, for_cpu ? SIM_SYNCS_FOR_CPU : SIM_SYNCS_FOR_DEVICE, 1);
	if (!range) {
		vivid_ext_simbus_fault(bus, addr, dir, "sync of what is not mapped");
		return;
	}
	check_direction(bus, range, dir);
	if (range->kind == SIM_ALLOC)
		vivid_ext_sim_violation(bus,
					"sync of %zu bytes at %pad, which were allocated and need none",
					len, &addr);
	len = check_bounds(bus, range, addr, len);
	len = check_contiguous(bus, range, addr, len);
	vivid_ext_sim_carry(bus, range, addr, len, dir, for_cpu);
	vivid_ext_sim_end(bus, range);
}

/**
 * vivid_ext_sim_sync_for_cpu - dma_sync_single_for_cpu()
 * @dev: the device
 * @addr: first byte
 * @len: how many
 * @dir: as mapped
 */
void vivid_ext_sim_sync_for_cpu(struct device *dev, dma_addr_t addr,
				size_t len, enum dma_data_direction dir)
{
	sim_sync(dev, addr, len, dir, true);
}

/**
 * vivid_ext_sim_sync_for_device - dma_sync_single_for_device()
 * @dev: the device
 * @addr: first byte
 * @len: how many
 * @dir: as mapped
 */
void vivid_ext_sim_sync_for_device(struct device *dev, dma_addr_t addr,
				   size_t len, enum dma_data_direction dir)
{
	sim_sync(dev, addr, len, dir, false);
}

/* Whether a table says of a segment what it was told of it. */
static bool segment_is(struct vivid_ext_simbus *bus, struct scatterlist *sg,
		       u64 table, unsigned int segment)
{
	struct sim_range *range = vivid_ext_sim_begin(bus, sg_dma_address(sg));
	bool same = range && range->table == table &&
		    range->segment == segment &&
		    range->start == sg_dma_address(sg) &&
		    range->len == sg_dma_len(sg);

	vivid_ext_sim_end(bus, range);
	return same;
}

/**
 * vivid_ext_sim_check_sg - is this the table that was mapped
 * @bus: the device's place
 * @range: of its first address, held by vivid_ext_sim_begin()
 * @sgl: the table
 * @nents: its entries, as the driver says
 * @what: is done with it
 *
 * Any context.
 */
void vivid_ext_sim_check_sg(struct vivid_ext_simbus *bus,
			    const struct sim_range *range,
			    struct scatterlist *sgl, int nents,
			    const char *what)
{
	dma_addr_t addr = sg_dma_address(sgl);
	struct scatterlist *sg;
	unsigned int i;

	if (range->kind != SIM_SG) {
		vivid_ext_sim_violation(bus, "%s of a table at %pad that is none",
					what, &addr);
		return;
	}
	if (range->start != addr || range->segment) {
		vivid_ext_sim_violation(bus, "%s of a table at %pad, in its middle",
					what, &addr);
		return;
	}
	if (range->nents != nents) {
		vivid_ext_sim_violation(bus, "%s of %d entries, dma_map_sg() was given %u",
					what, nents, range->nents);
		return;
	}
	for_each_sg(sgl, sg, range->segments, i) {
		if (segment_is(bus, sg, range->table, i))
			continue;
		vivid_ext_sim_violation(bus,
					"%s of a table whose segment %u is not as dma_map_sg() made it",
					what, i);
		return;
	}
}

/* The next entry's memory must be what lies behind its address. */
static void carry_entry(struct vivid_ext_simbus *bus, struct sim_range *range,
			struct scatterlist *sg, dma_addr_t addr,
			enum dma_data_direction dir, bool to_cpu)
{
	size_t at = addr - (range->start & PAGE_MASK);
	size_t len = check_bounds(bus, range, addr, sg->length);
	phys_addr_t phys = page_to_phys(range->pages[at >> PAGE_SHIFT].cpu) +
			   offset_in_page(at);

	if (phys != sg_phys(sg) || together(range, addr, len) != len) {
		phys = sg_phys(sg);
		vivid_ext_sim_violation(bus,
					"%zu bytes at %pap in a table at %pad, not what is mapped",
					len, &phys, &addr);
		return;
	}
	vivid_ext_sim_carry(bus, range, addr, len, dir, to_cpu);
}

/**
 * vivid_ext_sim_carry_sg - carry the bytes of a table's entries
 * @bus: the device's place
 * @sgl: the table
 * @nents: its entries, as the driver says
 * @dir: as the driver says
 * @to_cpu: for the CPU, or for the device
 *
 * As dma-iommu does it: entry by entry of the CPU's side, and no more of them
 * than the driver says, however few segments the device has been given. Any
 * context.
 */
void vivid_ext_sim_carry_sg(struct vivid_ext_simbus *bus,
			    struct scatterlist *sgl, int nents,
			    enum dma_data_direction dir, bool to_cpu)
{
	struct scatterlist *segment = NULL, *sg = sgl;
	struct sim_range *range = NULL;
	dma_addr_t addr = 0;
	size_t left = 0;

	for (; nents > 0 && sg; nents--, sg = sg_next(sg)) {
		if (!left) {
			vivid_ext_sim_end(bus, range);
			segment = segment ? sg_next(segment) : sgl;
			addr = sg_dma_address(segment);
			range = sg_dma_len(segment) ?
				vivid_ext_sim_begin(bus, addr) : NULL;
			if (!range) {
				vivid_ext_simbus_fault(bus, addr, dir,
						       "sync of what is not mapped");
				return;
			}
			left = range->start + range->len - addr;
		}
		carry_entry(bus, range, sg, addr, dir, to_cpu);
		addr += sg->length;
		left -= min_t(size_t, left, sg->length);
	}
	vivid_ext_sim_end(bus, range);
}

static void sim_sync_sg(struct device *dev, struct scatterlist *sgl, int nents,
			enum dma_data_direction dir, bool for_cpu)
{
	struct vivid_ext_simbus *bus = vivid_ext_simbus_of(dev);
	struct sim_range *range = vivid_ext_sim_begin(bus, sg_dma_address(sgl));

	sim_count(bus, for_cpu ? SIM_SYNCS_FOR_CPU : SIM_SYNCS_FOR_DEVICE, 1);
	if (range) {
		check_direction(bus, range, dir);
		vivid_ext_sim_check_sg(bus, range, sgl, nents, "sync");
	}
	vivid_ext_sim_carry_sg(bus, sgl, nents, dir, for_cpu);
	vivid_ext_sim_end(bus, range);
}

/**
 * vivid_ext_sim_sync_sg_for_cpu - dma_sync_sg_for_cpu()
 * @dev: the device
 * @sgl: what dma_map_sg() was given
 * @nents: the same
 * @dir: the same
 */
void vivid_ext_sim_sync_sg_for_cpu(struct device *dev, struct scatterlist *sgl,
				   int nents, enum dma_data_direction dir)
{
	sim_sync_sg(dev, sgl, nents, dir, true);
}

/**
 * vivid_ext_sim_sync_sg_for_device - dma_sync_sg_for_device()
 * @dev: the device
 * @sgl: what dma_map_sg() was given
 * @nents: the same
 * @dir: the same
 */
void vivid_ext_sim_sync_sg_for_device(struct device *dev,
				      struct scatterlist *sgl, int nents,
				      enum dma_data_direction dir)
{
	sim_sync_sg(dev, sgl, nents, dir, false);
}
