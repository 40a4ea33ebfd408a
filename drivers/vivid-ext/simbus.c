// SPDX-License-Identifier: GPL-2.0-only
/*
 * The simulated bus: DMA operations of our own for a platform device.
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
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/xarray.h>

#include "../../media/videobuf2-dmabuf/compat.h"
#include "dmabus.h"
#include "shadow.h"
#include "simbus.h"
#include "simrange.h"

enum sim_stat {
	SIM_MAPS,
	SIM_UNMAPS,
	SIM_SYNCS_FOR_CPU,
	SIM_SYNCS_FOR_DEVICE,
	SIM_BYTES_TO_CPU,
	SIM_BYTES_TO_DEVICE,
	SIM_FAULTS,
	SIM_WRONG_SYNCS,
	SIM_REFUSALS,
	SIM_STATS
};

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

/**
 * struct vivid_ext_simbus - a device's place on the simulated bus
 * @rcu: who looks for the name of one that has written may be late
 * @name: the device's
 * @dev: the device
 * @config: what the bus and the device can do
 * @memory_mask: the bits of all memory's addresses
 * @lock: for @ranges and what hangs there; taken in hard interrupt context
 * @ranges: the addresses that it may use
 * @left: the driver is gone; the device leaves with its last range
 * @stats: see &enum sim_stat
 */
struct vivid_ext_simbus {
	struct rcu_head rcu;
	char name[32];
	struct device *dev;
	struct vivid_ext_bus_config config;
	u64 memory_mask;
	spinlock_t lock; /* see above */
	struct sim_ranges ranges;
	bool left;
	atomic64_t stats[SIM_STATS];
};

static void count(struct vivid_ext_simbus *bus, enum sim_stat stat, s64 n)
{
	atomic64_add(n, &bus->stats[stat]);
}

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

static void range_free(struct vivid_ext_simbus *bus, struct sim_range *range)
{
	if (!bus->config.coherent)
		while (range->num_pages--)
			vivid_ext_shadow_put(range->pages[range->num_pages].cpu);
	kvfree(range);
}

/*
 * Who made the CPU's bytes of a page stale: the device that has written to the
 * page that stands for memory since the last sync, by its key in buses.
 */
static void set_writer(const struct sim_page *page, const struct device *dev)
{
	if (page->device != page->cpu)
		set_page_private(page->device, (unsigned long)dev);
}

static unsigned long writer(const struct sim_page *page)
{
	return page->device == page->cpu ? 0 : page_private(page->device);
}

/* Carry bytes between the CPU's pages and the device's. */
static void range_copy(struct vivid_ext_simbus *bus, struct sim_range *range,
		       dma_addr_t addr, size_t len, bool to_cpu)
{
	size_t at = addr - (range->start & PAGE_MASK);

	count(bus, to_cpu ? SIM_BYTES_TO_CPU : SIM_BYTES_TO_DEVICE, len);
	while (len) {
		struct sim_page *page = &range->pages[at >> PAGE_SHIFT];
		size_t offset = offset_in_page(at);
		size_t n = min(len, PAGE_SIZE - offset);

		struct page *to = to_cpu ? page->cpu : page->device;
		struct page *from = to_cpu ? page->device : page->cpu;

		if (to != from)
			memcpy_page(to, offset, from, offset, n);
		set_writer(page, NULL);
		at += n;
		len -= n;
	}
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
	count(bus, SIM_FAULTS, 1);
	dev_err_ratelimited(bus->dev, "DMA fault: %s at %pad: %s\n",
			    dir == DMA_FROM_DEVICE ? "write" : "read", &addr,
			    why);
}

static void sim_sync(struct device *dev, dma_addr_t addr, size_t len,
		     enum dma_data_direction dir, bool for_cpu)
{
	struct vivid_ext_simbus *bus = vivid_ext_simbus_of(dev);
	struct sim_range *range;
	unsigned long flags;

	count(bus, for_cpu ? SIM_SYNCS_FOR_CPU : SIM_SYNCS_FOR_DEVICE, 1);
	spin_lock_irqsave(&bus->lock, flags);
	range = vivid_ext_ranges_find(&bus->ranges, addr);
	if (!range || addr + len > range->start + range->len) {
		vivid_ext_simbus_fault(bus, addr, dir, "sync of what is not mapped");
		goto out;
	}
	/* Against the rules of the DMA API, but hardware does not know. */
	if (dir != range->dir) {
		count(bus, SIM_WRONG_SYNCS, 1);
		dev_notice_once(bus->dev, "synchronised in another direction (%d) than mapped (%d)\n",
				dir, range->dir);
	}
	if (for_cpu) {
		/* A device that only reads leaves nothing to fetch. */
		if (dir != DMA_TO_DEVICE)
			range_copy(bus, range, addr, len, true);
	} else if (dir != DMA_FROM_DEVICE) {
		range_copy(bus, range, addr, len, false);
	}
out:
	spin_unlock_irqrestore(&bus->lock, flags);
}

static void sim_sync_for_cpu(struct device *dev, dma_addr_t addr, size_t len,
			     enum dma_data_direction dir)
{
	sim_sync(dev, addr, len, dir, true);
}

static void sim_sync_for_device(struct device *dev, dma_addr_t addr, size_t len,
				enum dma_data_direction dir)
{
	sim_sync(dev, addr, len, dir, false);
}

static void sim_sync_sg(struct device *dev, struct scatterlist *sgl, int nents,
			enum dma_data_direction dir, bool for_cpu)
{
	struct scatterlist *sg;
	int i;

	for_each_sg(sgl, sg, nents, i) {
		/* Segments come first, where entries were merged. */
		if (!sg_dma_len(sg))
			break;
		sim_sync(dev, sg_dma_address(sg), sg_dma_len(sg), dir, for_cpu);
	}
}

static void sim_sync_sg_for_cpu(struct device *dev, struct scatterlist *sgl,
				int nents, enum dma_data_direction dir)
{
	sim_sync_sg(dev, sgl, nents, dir, true);
}

static void sim_sync_sg_for_device(struct device *dev, struct scatterlist *sgl,
				   int nents, enum dma_data_direction dir)
{
	sim_sync_sg(dev, sgl, nents, dir, false);
}

/* Without an IOMMU the device must reach the pages themselves. */
static int check_reach(struct vivid_ext_simbus *bus, phys_addr_t phys,
		       size_t len)
{
	phys_addr_t last = phys + len - 1;

	if (bus->config.iommu || last <= DMA_BIT_MASK(bus->config.dma_bits))
		return 0;
	count(bus, SIM_REFUSALS, 1);
	dev_notice_ratelimited(bus->dev, "memory at %pap is out of reach with %u address bits\n",
			       &last, bus->config.dma_bits);
	return -EIO;
}

static int range_add_pages(struct vivid_ext_simbus *bus,
			   struct sim_range *range, struct page *page,
			   size_t offset, size_t len, bool uncached)
{
	unsigned int i;
	int ret;

	ret = check_reach(bus, page_to_phys(page) + offset, len);
	if (ret)
		return ret;
	for (i = 0; i < PFN_UP(offset + len); i++) {
		struct sim_page *entry = &range->pages[range->num_pages];

		entry->cpu = pfn_to_page(page_to_pfn(page) + i);
		entry->device = entry->cpu;
		if (!bus->config.coherent) {
			entry->device = vivid_ext_shadow_get(entry->cpu, uncached);
			if (!entry->device)
				return -ENOMEM;
		}
		range->num_pages++;
	}
	range->len += len;
	return 0;
}

static int range_insert(struct vivid_ext_simbus *bus, struct sim_range *range,
			size_t offset)
{
	unsigned long flags;
	int ret;

	spin_lock_irqsave(&bus->lock, flags);
	ret = vivid_ext_ranges_add(&bus->ranges, range, offset,
				   bus->config.dma_bits);
	spin_unlock_irqrestore(&bus->lock, flags);
	return ret;
}

/* How many entries from the first on become one segment. */
static unsigned int segment_entries(struct vivid_ext_simbus *bus,
				    struct scatterlist *first,
				    unsigned int left, unsigned int *pages)
{
	size_t limit = dma_get_max_seg_size(bus->dev);
	size_t len = first->length;
	struct scatterlist *sg = first;
	unsigned int n = 1;

	*pages = PFN_UP(first->offset + first->length);
	/* Merging takes a length of its own for the device's side. */
	while (IS_ENABLED(CONFIG_NEED_SG_DMA_LENGTH) && bus->config.iommu &&
	       n < left) {
		if (!PAGE_ALIGNED(sg->offset + sg->length))
			break;
		sg = sg_next(sg);
		if (sg->offset || sg->length > limit || len > limit - sg->length)
			break;
		len += sg->length;
		*pages += PFN_UP(sg->length);
		n++;
	}
	return n;
}

static struct sim_range *map_entries(struct vivid_ext_simbus *bus,
				     struct scatterlist *sg, unsigned int n,
				     unsigned int pages,
				     enum dma_data_direction dir)
{
	size_t offset = sg->offset;
	struct sim_range *range;
	int ret = 0;

	range = kvzalloc(struct_size(range, pages, pages), GFP_KERNEL);
	if (!range)
		return ERR_PTR(-ENOMEM);
	range->dir = dir;
	while (n-- && !ret) {
		ret = range_add_pages(bus, range, sg_page(sg), sg->offset,
				      sg->length, false);
		sg = sg_next(sg);
	}
	if (!ret)
		ret = range_insert(bus, range, offset);
	if (ret) {
		range_free(bus, range);
		return ERR_PTR(ret);
	}
	return range;
}

static void bus_free(struct vivid_ext_simbus *bus)
{
	set_dma_ops(bus->dev, NULL);
	xa_erase(&buses, (unsigned long)bus->dev);
	kfree_rcu(bus, rcu);
}

static void unmap_addr(struct vivid_ext_simbus *bus, dma_addr_t addr,
		       enum dma_data_direction dir, unsigned long attrs)
{
	struct sim_range *range;
	unsigned long flags;
	bool last;

	spin_lock_irqsave(&bus->lock, flags);
	range = vivid_ext_ranges_find(&bus->ranges, addr);
	if (range && !bus->config.coherent && dir != DMA_TO_DEVICE &&
	    !(attrs & DMA_ATTR_SKIP_CPU_SYNC))
		range_copy(bus, range, range->start, range->len, true);
	if (range)
		rb_erase(&range->node, &bus->ranges.root);
	else
		vivid_ext_simbus_fault(bus, addr, dir, "unmap of what is not mapped");
	last = range && bus->left && RB_EMPTY_ROOT(&bus->ranges.root);
	spin_unlock_irqrestore(&bus->lock, flags);
	if (range)
		range_free(bus, range);
	if (last) {
		bus_free(bus);
		module_put(THIS_MODULE);
	}
}

/* Where tables have one length for both sides, it is memory's to keep. */
static void clear_dma_len(struct scatterlist *sg)
{
	if (IS_ENABLED(CONFIG_NEED_SG_DMA_LENGTH))
		sg_dma_len(sg) = 0;
}

static void sim_unmap_sg(struct device *dev, struct scatterlist *sgl, int nents,
			 enum dma_data_direction dir, unsigned long attrs)
{
	struct vivid_ext_simbus *bus = vivid_ext_simbus_of(dev);
	struct scatterlist *sg;
	int i;

	count(bus, SIM_UNMAPS, 1);
	for_each_sg(sgl, sg, nents, i) {
		if (!sg_dma_len(sg))
			break;
		unmap_addr(bus, sg_dma_address(sg), dir, attrs);
		clear_dma_len(sg);
	}
}

static int refuse_segments(struct vivid_ext_simbus *bus, int nents)
{
	count(bus, SIM_REFUSALS, 1);
	dev_notice_ratelimited(bus->dev, "more than the %u segments that it takes (%d pieces of memory)\n",
			       vivid_ext_bus_segments(&bus->config), nents);
	return -EINVAL;
}

static int sim_map_sg(struct device *dev, struct scatterlist *sgl, int nents,
		      enum dma_data_direction dir, unsigned long attrs)
{
	struct vivid_ext_simbus *bus = vivid_ext_simbus_of(dev);
	struct scatterlist *sg = sgl, *out = sgl;
	unsigned int left = nents, segments = 0;
	int ret;

	for (out = sgl; out; out = sg_next(out))
		clear_dma_len(out);
	out = sgl;

	while (left) {
		struct sim_range *range;
		unsigned int n, pages;

		n = segment_entries(bus, sg, left, &pages);
		if (segments == vivid_ext_bus_segments(&bus->config)) {
			ret = refuse_segments(bus, nents);
			goto err_unmap;
		}
		range = map_entries(bus, sg, n, pages, dir);
		if (IS_ERR(range)) {
			ret = PTR_ERR(range);
			goto err_unmap;
		}
		if (!bus->config.coherent && dir != DMA_FROM_DEVICE &&
		    !(attrs & DMA_ATTR_SKIP_CPU_SYNC))
			range_copy(bus, range, range->start, range->len, false);
		sg_dma_address(out) = range->start;
		sg_dma_len(out) = range->len;
		out = sg_next(out);
		segments++;
		left -= n;
		while (n--)
			sg = sg_next(sg);
	}
	count(bus, SIM_MAPS, 1);
	return segments;

err_unmap:
	sim_unmap_sg(dev, sgl, segments, dir, DMA_ATTR_SKIP_CPU_SYNC);
	return ret;
}

static dma_addr_t sim_map_phys(struct device *dev, phys_addr_t phys,
			       size_t size, enum dma_data_direction dir,
			       unsigned long attrs)
{
	struct scatterlist sg;

	sg_init_table(&sg, 1);
	sg_set_page(&sg, pfn_to_page(PHYS_PFN(phys)), size,
		    offset_in_page(phys));
	if (sim_map_sg(dev, &sg, 1, dir, attrs) != 1)
		return DMA_MAPPING_ERROR;
	return sg_dma_address(&sg);
}

VDB_DEFINE_DMA_MAP_PAGE(sim_map_phys)

static void sim_unmap_phys(struct device *dev, dma_addr_t addr, size_t size,
			   enum dma_data_direction dir, unsigned long attrs)
{
	struct vivid_ext_simbus *bus = vivid_ext_simbus_of(dev);

	count(bus, SIM_UNMAPS, 1);
	unmap_addr(bus, addr, dir, attrs);
}

/* An IOMMU reaches everything; a device without one says so when it maps. */
static int sim_dma_supported(struct device *dev, u64 mask)
{
	return 1;
}

/* Coherent memory, as dma_alloc_coherent() has it: nobody caches it. */
static void *sim_alloc(struct device *dev, size_t size, dma_addr_t *addr,
		       gfp_t gfp, unsigned long attrs)
{
	struct vivid_ext_simbus *bus = vivid_ext_simbus_of(dev);
	struct sim_range *range;
	void *vaddr;
	int ret;

	size = PAGE_ALIGN(size);
	if (!bus->config.iommu && bus->config.dma_bits <= 32)
		gfp |= bus->config.dma_bits == 32 ? GFP_DMA32 : GFP_DMA;
	vaddr = alloc_pages_exact(size, gfp | __GFP_ZERO);
	if (!vaddr)
		return NULL;
	range = kvzalloc(struct_size(range, pages, PFN_UP(size)), GFP_KERNEL);
	if (!range)
		goto err_free;
	range->dir = DMA_BIDIRECTIONAL;
	ret = range_add_pages(bus, range, virt_to_page(vaddr), 0, size, true);
	if (!ret)
		ret = range_insert(bus, range, 0);
	if (ret)
		goto err_free_range;
	*addr = range->start;
	return vaddr;

err_free_range:
	range_free(bus, range);
err_free:
	free_pages_exact(vaddr, size);
	return NULL;
}

static void sim_free(struct device *dev, size_t size, void *vaddr,
		     dma_addr_t addr, unsigned long attrs)
{
	unmap_addr(vivid_ext_simbus_of(dev), addr, DMA_BIDIRECTIONAL,
		   DMA_ATTR_SKIP_CPU_SYNC);
	free_pages_exact(vaddr, PAGE_ALIGN(size));
}

static int sim_mmap(struct device *dev, struct vm_area_struct *vma, void *vaddr,
		    dma_addr_t addr, size_t size, unsigned long attrs)
{
	unsigned long pages = PFN_UP(size);

	if (vma->vm_pgoff >= pages || vma_pages(vma) > pages - vma->vm_pgoff)
		return -ENXIO;
	return remap_pfn_range(vma, vma->vm_start,
			       page_to_pfn(virt_to_page(vaddr)) + vma->vm_pgoff,
			       vma_pages(vma) << PAGE_SHIFT, vma->vm_page_prot);
}

static int sim_get_sgtable(struct device *dev, struct sg_table *sgt,
			   void *vaddr, dma_addr_t addr, size_t size,
			   unsigned long attrs)
{
	int ret = sg_alloc_table(sgt, 1, GFP_KERNEL);

	if (!ret)
		sg_set_page(sgt->sgl, virt_to_page(vaddr), PAGE_ALIGN(size), 0);
	return ret;
}

/* By this the allocators know that they must choose pages for the device. */
static u64 sim_required_mask(struct device *dev)
{
	if (vivid_ext_simbus_of(dev)->config.iommu)
		return DMA_BIT_MASK(24);
	return vivid_ext_simbus_of(dev)->memory_mask;
}

#define SIM_ALLOC_OPS				\
	.alloc = sim_alloc,			\
	.free = sim_free,			\
	.mmap = sim_mmap,			\
	.get_sgtable = sim_get_sgtable

static const struct dma_map_ops sim_coherent_ops = {
	SIM_ALLOC_OPS,
	VDB_DMA_OPS_MAP(sim_map_phys, sim_unmap_phys),
	.map_sg = sim_map_sg,
	.unmap_sg = sim_unmap_sg,
	.dma_supported = sim_dma_supported,
	.get_required_mask = sim_required_mask,
};

static const struct dma_map_ops sim_noncoherent_ops = {
	SIM_ALLOC_OPS,
	VDB_DMA_OPS_MAP(sim_map_phys, sim_unmap_phys),
	.map_sg = sim_map_sg,
	.unmap_sg = sim_unmap_sg,
	.sync_single_for_cpu = sim_sync_for_cpu,
	.sync_single_for_device = sim_sync_for_device,
	.sync_sg_for_cpu = sim_sync_sg_for_cpu,
	.sync_sg_for_device = sim_sync_sg_for_device,
	.dma_supported = sim_dma_supported,
	.get_required_mask = sim_required_mask,
};

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
	set_dma_ops(dev, config->coherent ? &sim_coherent_ops :
					    &sim_noncoherent_ops);
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
		bus_free(bus);
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
		set_writer(&range->pages[i], bus->dev);
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
