// SPDX-License-Identifier: GPL-2.0-only
/*
 * The simulated bus: a platform device with DMA operations of our own, which
 * are in simdma.c.
 *
 * Addresses are made up (simrange.c), so that an access outside of a live
 * mapping is known as one. On a bus that is not coherent each mapped page has a
 * shadow: the device reads and writes the shadow, the CPU the page, and only
 * map, sync and unmap carry bytes between them, in the direction that the DMA
 * API allows and not a bit more.
 */
#include <linux/device.h>
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/xarray.h>

#include "dmabus.h"
#include "simbus.h"
#include "simdma.h"
#include "simrange.h"

static const char * const sim_stat_names[SIM_STATS] = {
	[SIM_MAPS] = "maps",
	[SIM_UNMAPS] = "unmaps",
	[SIM_SYNCS_FOR_CPU] = "syncs_for_cpu",
	[SIM_SYNCS_FOR_DEVICE] = "syncs_for_device",
	[SIM_BYTES_TO_CPU] = "bytes_to_cpu",
	[SIM_BYTES_TO_DEVICE] = "bytes_to_device",
	[SIM_FAULTS] = "faults",
	[SIM_WRONG_SYNCS] = "syncs_in_wrong_direction",
	[SIM_REFUSALS] = "refusals",
};

/*
 * By device. Not devres: while a driver's resources are released, and its
 * buffers are unmapped with them, devres finds nothing any more.
 */
static DEFINE_XARRAY(buses);

/**
 * vivid_ext_simbus_of - a device's place on the simulated bus
 * @dev: a device
 *
 * Any context. Return: it, or NULL for a device on the real one.
 */
struct vivid_ext_simbus *vivid_ext_simbus_of(struct device *dev)
{
	return xa_load(&buses, (unsigned long)dev);
}

static unsigned long writer(const struct sim_page *page)
{
	return page->device == page->cpu ? 0 : page_private(page->device);
}

/**
 * vivid_ext_simbus_fault - a device did what it may not
 * @bus: its place
 * @addr: where
 * @dir: what it wanted: DMA_TO_DEVICE to read, DMA_FROM_DEVICE to write
 * @why: the rule
 *
 * Counts and logs; the device must leave memory alone. Any context.
 */
void vivid_ext_simbus_fault(struct vivid_ext_simbus *bus, dma_addr_t addr,
			    enum dma_data_direction dir, const char *why)
{
	sim_count(bus, SIM_FAULTS, 1);
	dev_err_ratelimited(bus->dev, "DMA fault: %s at %pad: %s\n",
			    dir == DMA_FROM_DEVICE ? "write" : "read", &addr,
			    why);
}

/**
 * vivid_ext_simbus_free - a device's place is not needed any more
 * @bus: the place; the device has nothing mapped
 *
 * Process context. The device is on the machine's bus again.
 */
void vivid_ext_simbus_free(struct vivid_ext_simbus *bus)
{
	set_dma_ops(bus->dev, NULL);
	xa_erase(&buses, (unsigned long)bus->dev);
	kfree_rcu(bus, rcu);
}

/**
 * vivid_ext_simbus_join - put a device on the simulated bus
 * @dev: a device without mappings
 * @config: what the bus and the device can do
 *
 * Process context. The DMA mask is to be set again after this.
 *
 * Return: 0 or -ENOMEM.
 */
int vivid_ext_simbus_join(struct device *dev,
			  const struct vivid_ext_bus_config *config)
{
	struct vivid_ext_simbus *bus;
	int ret;

	bus = kzalloc(sizeof(*bus), GFP_KERNEL);
	if (!bus)
		return -ENOMEM;
	bus->dev = dev;
	strscpy(bus->name, dev_name(dev), sizeof(bus->name));
	bus->config = *config;
	/* Of the machine's bus, which the device is still on. */
	bus->memory_mask = dma_get_required_mask(dev);
	spin_lock_init(&bus->lock);
	ret = xa_err(xa_store(&buses, (unsigned long)dev, bus, GFP_KERNEL));
	if (ret) {
		kfree(bus);
		return ret;
	}
	set_dma_ops(dev, config->coherent ? &vivid_ext_sim_coherent_ops :
					    &vivid_ext_sim_noncoherent_ops);
	return 0;
}

/**
 * vivid_ext_simbus_busy - whether a device can't leave the simulated bus now
 * @dev: a device; it need not be on this bus
 *
 * Process context. Return: true while anything is mapped or allocated for it.
 */
bool vivid_ext_simbus_busy(struct device *dev)
{
	struct vivid_ext_simbus *bus = vivid_ext_simbus_of(dev);
	bool busy;

	if (!bus)
		return false;
	spin_lock_irq(&bus->lock);
	busy = bus->left || !RB_EMPTY_ROOT(&bus->ranges.root);
	spin_unlock_irq(&bus->lock);
	return busy;
}

/**
 * vivid_ext_simbus_leave - take a device off the simulated bus
 * @dev: a device whose driver goes, or without mappings; it need not be on this
 *	bus
 *
 * vb2-dma-sg and vb2-dma-contig give memory back when user space has done so,
 * maybe long after the driver is gone, and only our operations can take it:
 * they, and this module, stay until then. Process context. The DMA mask is to
 * be set again after this.
 */
void vivid_ext_simbus_leave(struct device *dev)
{
	struct vivid_ext_simbus *bus = vivid_ext_simbus_of(dev);
	bool stays;

	if (!bus || bus->left)
		return;
	spin_lock_irq(&bus->lock);
	stays = !RB_EMPTY_ROOT(&bus->ranges.root);
	if (stays) {
		__module_get(THIS_MODULE);
		bus->left = true;
	}
	spin_unlock_irq(&bus->lock);
	if (!stays)
		vivid_ext_simbus_free(bus);
}

/**
 * vivid_ext_simbus_find - what a device finds at an address
 * @bus: its place
 * @addr: the address
 * @window: filled in; the page has a reference for the caller
 *
 * Any context. Return: false if nothing is mapped there.
 */
bool vivid_ext_simbus_find(struct vivid_ext_simbus *bus, dma_addr_t addr,
			   struct vivid_ext_bus_window *window)
{
	struct sim_range *range;
	unsigned long flags;
	size_t at;

	spin_lock_irqsave(&bus->lock, flags);
	range = vivid_ext_ranges_find(&bus->ranges, addr);
	if (range) {
		at = addr - (range->start & PAGE_MASK);
		window->page = range->pages[at >> PAGE_SHIFT].device;
		window->pfn = page_to_pfn(range->pages[at >> PAGE_SHIFT].cpu);
		window->dir = range->dir;
		window->id = range->id;
		if (!bus->config.coherent)
			get_page(window->page);
	}
	spin_unlock_irqrestore(&bus->lock, flags);
	return range;
}

/**
 * vivid_ext_simbus_put - undo one vivid_ext_simbus_find()
 * @bus: the device's place
 * @page: what was found
 *
 * Only shadows have counts to take. Where devices see memory itself it is the
 * mapping's to keep: the tail of a plain block has a count of 0, and dropping
 * one again would free the page. Any context.
 */
void vivid_ext_simbus_put(struct vivid_ext_simbus *bus, struct page *page)
{
	if (!bus->config.coherent)
		put_page(page);
}

/**
 * vivid_ext_simbus_written - a device has written
 * @bus: its place
 * @addr: where
 *
 * Remembered until somebody synchronises the page. Any context.
 */
void vivid_ext_simbus_written(struct vivid_ext_simbus *bus, dma_addr_t addr)
{
	struct sim_range *range;
	unsigned long flags;
	unsigned int i;

	spin_lock_irqsave(&bus->lock, flags);
	range = vivid_ext_ranges_find(&bus->ranges, addr);
	for (i = 0; range && i < range->num_pages; i++)
		sim_set_writer(&range->pages[i], bus->dev);
	spin_unlock_irqrestore(&bus->lock, flags);
}

static void show_stale(struct seq_file *m, const struct sim_range *range)
{
	const struct vivid_ext_simbus *who;
	unsigned int i, stale = 0;
	unsigned long key = 0;

	for (i = 0; i < range->num_pages; i++) {
		if (!writer(&range->pages[i]))
			continue;
		key = key ?: writer(&range->pages[i]);
		stale++;
	}
	if (!stale)
		return;
	rcu_read_lock();
	who = xa_load(&buses, key);
	seq_printf(m, " %u of %u pages written by %s since they were synced",
		   stale, range->num_pages,
		   who ? who->name : "a device that is gone");
	rcu_read_unlock();
}

/**
 * vivid_ext_simbus_show - print what a device's bus has counted and mapped
 * @bus: its place
 * @m: where to
 *
 * Process context.
 */
void vivid_ext_simbus_show(struct vivid_ext_simbus *bus, struct seq_file *m)
{
	struct rb_node *node;
	unsigned long flags;
	unsigned int i;

	for (i = 0; i < SIM_STATS; i++)
		seq_printf(m, "%s %lld\n", sim_stat_names[i],
			   atomic64_read(&bus->stats[i]));
	spin_lock_irqsave(&bus->lock, flags);
	for (node = rb_first(&bus->ranges.root); node; node = rb_next(node)) {
		struct sim_range *range = rb_entry(node, struct sim_range,
						   node);

		seq_printf(m, "range %pad+%zx %s", &range->start, range->len,
			   range->dir == DMA_TO_DEVICE ? "read" :
			   range->dir == DMA_FROM_DEVICE ? "write" : "both");
		show_stale(m, range);
		seq_putc(m, '\n');
	}
	spin_unlock_irqrestore(&bus->lock, flags);
}
