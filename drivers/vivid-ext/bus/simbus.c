// SPDX-License-Identifier: GPL-2.0-only
/*
 * The simulated bus: DMA operations of our own, which are in simdma.c.
 *
 * What was mapped or allocated on a bus can only be given back there, and user
 * space decides when: buffers outlive their queue and its driver. So a device
 * never changes its operations. For each place that its owner gets on the
 * simulated bus there is a new one, with operations for life, and what was
 * given for it keeps it alive; on the machine's bus it is the owner itself.
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
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "simbus.h"
#include "simdma.h"

static const char * const sim_stat_names[SIM_STATS] = {
	[SIM_MAPS] = "maps",
	[SIM_UNMAPS] = "unmaps",
	[SIM_SYNCS_FOR_CPU] = "syncs_for_cpu",
	[SIM_SYNCS_FOR_DEVICE] = "syncs_for_device",
	[SIM_BYTES_TO_CPU] = "bytes_to_cpu",
	[SIM_BYTES_TO_DEVICE] = "bytes_to_device",
	[SIM_FAULTS] = "faults",
	[SIM_WRONG_SYNCS] = "syncs_in_wrong_direction",
	[SIM_VIOLATIONS] = "api_violations",
	[SIM_LEFT] = "left_behind",
	[SIM_REFUSALS] = "refusals",
};

static unsigned long writer(const struct sim_page *page)
{
	return page->device == page->cpu ? 0 : page_private(page->device);
}

/*
 * The device at its place. It is never added anywhere: it has a name, a mask
 * and operations, and the core frees it when the last one who was given memory
 * for it has let go of it, be this module still there or not.
 */
static int create_device(struct vivid_ext_simbus *bus)
{
	struct device *dev;
	int ret;

	bus->pdev = platform_device_alloc("vivid-ext-bus",
					  PLATFORM_DEVID_NONE);
	if (!bus->pdev)
		return -ENOMEM;
	dev = &bus->pdev->dev;
	ret = dev_set_name(dev, "%s", dev_name(bus->owner));
	if (ret)
		goto err_put;
	set_dev_node(dev, dev_to_node(bus->owner));
	set_dma_ops(dev, bus->config.coherent ? &vivid_ext_sim_coherent_ops :
						&vivid_ext_sim_noncoherent_ops);
	/* After the operations: whether syncs can be skipped follows from both. */
	ret = dma_set_mask_and_coherent(dev,
					DMA_BIT_MASK(bus->config.dma_bits));
	if (ret)
		goto err_put;
	dma_set_max_seg_size(dev, bus->config.max_segment_size);
	ret = vivid_ext_simbus_add(bus);
	if (ret)
		goto err_put;
	return 0;

err_put:
	platform_device_put(bus->pdev);
	return ret;
}

/**
 * vivid_ext_simbus_join - give a device a place on the simulated bus
 * @owner: the device; what it has on the machine's own bus it keeps there
 * @config: what the bus and the device can do
 *
 * Process context. Return: the place, or an ERR_PTR: -ENOMEM, -EIO.
 */
struct vivid_ext_simbus *
vivid_ext_simbus_join(struct device *owner,
		      const struct vivid_ext_bus_config *config)
{
	struct vivid_ext_simbus *bus;
	int ret;

	bus = kzalloc(sizeof(*bus), GFP_KERNEL);
	if (!bus)
		return ERR_PTR(-ENOMEM);
	bus->owner = owner;
	bus->config = *config;
	bus->memory_mask = dma_get_required_mask(owner);
	spin_lock_init(&bus->lock);
	init_waitqueue_head(&bus->synced);
	ret = create_device(bus);
	if (ret) {
		kfree(bus);
		return ERR_PTR(ret);
	}
	get_device(owner);
	return bus;
}

/**
 * vivid_ext_simbus_device - what stands for a device at its place
 * @bus: the place
 *
 * Any context. Return: the device that memory is mapped and allocated for. It
 * stays until vivid_ext_simbus_leave(), or longer with a reference.
 */
struct device *vivid_ext_simbus_device(struct vivid_ext_simbus *bus)
{
	return &bus->pdev->dev;
}

/**
 * vivid_ext_simbus_leave - a device doesn't use its place any more
 * @bus: the place
 *
 * vb2-dma-sg and vb2-dma-contig give memory back when user space has done so,
 * maybe long after the device went to another bus or its driver is gone, and
 * only our operations can take it: they, the place, and this module, stay
 * until then. It is told, as it may be the driver's that forgot it. Process
 * context.
 */
void vivid_ext_simbus_leave(struct vivid_ext_simbus *bus)
{
	unsigned int stays;

	spin_lock_irq(&bus->lock);
	stays = bus->given;
	if (stays) {
		__module_get(THIS_MODULE);
		sim_count(bus, SIM_LEFT, stays);
		dev_notice_ratelimited(bus->owner, "leaves %u mappings or allocations behind on its bus\n",
				       stays);
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
 * The device has the address lines that it has, whatever its driver made of
 * its mask. Any context. Return: false if it can reach nothing there.
 */
bool vivid_ext_simbus_find(struct vivid_ext_simbus *bus, dma_addr_t addr,
			   struct vivid_ext_bus_window *window)
{
	struct sim_range *range;
	unsigned long flags;
	size_t at;

	if (addr > DMA_BIT_MASK(bus->config.dma_bits))
		return false;
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
EXPORT_SYMBOL_GPL(vivid_ext_simbus_find);

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
EXPORT_SYMBOL_GPL(vivid_ext_simbus_put);

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
		sim_set_writer(&range->pages[i], &bus->pdev->dev);
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
	who = vivid_ext_simbus_of((struct device *)key);
	seq_printf(m, " %u of %u pages written by %s since they were synced",
		   stale, range->num_pages,
		   who ? dev_name(who->owner) : "a device that is gone");
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
			   vivid_ext_sim_direction(range->dir));
		show_stale(m, range);
		seq_putc(m, '\n');
	}
	spin_unlock_irqrestore(&bus->lock, flags);
}
