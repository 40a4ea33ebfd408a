// SPDX-License-Identifier: GPL-2.0-only
/*
 * The simulated bus: its DMA operations, map and unmap; sync is in simsync.c,
 * allocation in simalloc.c. What is given back otherwise than it was given is
 * counted as a violation of the DMA API.
 */
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "shadow.h"
#include "simdma.h"

/**
 * vivid_ext_sim_range_free - undo what was done to a range that has no addresses
 * @bus: the device's place
 * @range: the range
 *
 * Process context.
 */
void vivid_ext_sim_range_free(struct vivid_ext_simbus *bus,
			      struct sim_range *range)
{
	if (!bus->config.coherent)
		while (range->num_pages--)
			vivid_ext_shadow_put(range->pages[range->num_pages].cpu);
	kvfree(range);
}

/* What the driver says of the device's address bits. */
static u64 range_mask(struct vivid_ext_simbus *bus,
		      const struct sim_range *range)
{
	struct device *dev = &bus->pdev->dev;

	return range->kind == SIM_ALLOC ? dev->coherent_dma_mask :
					  dma_get_mask(dev);
}

/* Without an IOMMU the device must reach the pages themselves. */
static int check_reach(struct vivid_ext_simbus *bus, phys_addr_t phys,
		       size_t len, u64 mask)
{
	phys_addr_t last = phys + len - 1;

	if (bus->config.iommu || last <= mask)
		return 0;
	sim_count(bus, SIM_REFUSALS, 1);
	dev_notice_ratelimited(bus->owner, "memory at %pap is out of reach with the address bits %llx\n",
			       &last, mask);
	return -EIO;
}

/**
 * vivid_ext_sim_range_add_pages - put memory behind the end of a range
 * @bus: the device's place
 * @range: has room for them
 * @phys: where it begins; within a page only for the range's first byte
 * @len: how many bytes
 * @uncached: the CPU goes past its caches there
 *
 * Process context. Return: 0, -EIO where the device can't reach it, -ENOMEM.
 */
int vivid_ext_sim_range_add_pages(struct vivid_ext_simbus *bus,
				  struct sim_range *range, phys_addr_t phys,
				  size_t len, bool uncached)
{
	unsigned int i;
	int ret;

	ret = check_reach(bus, phys, len, range_mask(bus, range));
	if (ret)
		return ret;
	for (i = 0; i < PFN_UP(offset_in_page(phys) + len); i++) {
		struct sim_page *entry = &range->pages[range->num_pages];

		entry->cpu = pfn_to_page(PHYS_PFN(phys) + i);
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

/**
 * vivid_ext_sim_range_insert - give a range addresses
 * @bus: the device's place
 * @range: complete but for these
 * @offset: of its first byte in its first page
 *
 * Any context. Return: 0, or -EIO if there is no place.
 */
int vivid_ext_sim_range_insert(struct vivid_ext_simbus *bus,
			       struct sim_range *range, size_t offset)
{
	unsigned long flags;
	int ret;

	spin_lock_irqsave(&bus->lock, flags);
	ret = vivid_ext_ranges_add(&bus->ranges, range, offset,
				   range_mask(bus, range),
				   dma_get_seg_boundary(&bus->pdev->dev));
	if (!ret)
		bus->given++;
	spin_unlock_irqrestore(&bus->lock, flags);
	return ret;
}

/* How many entries from the first on become one segment. */
static unsigned int segment_entries(struct vivid_ext_simbus *bus,
				    struct scatterlist *first,
				    unsigned int left, unsigned int *pages)
{
	struct device *dev = &bus->pdev->dev;
	size_t offset = offset_in_page(first->offset);
	u64 limit = min_t(u64, dma_get_max_seg_size(dev) - 1,
			  dma_get_seg_boundary(dev) - offset);
	u64 len = first->length;
	struct scatterlist *sg = first;
	unsigned int n = 1;

	/* Merging takes a length of its own for the device's side. */
	while (IS_ENABLED(CONFIG_NEED_SG_DMA_LENGTH) && bus->config.iommu &&
	       n < left) {
		if (!PAGE_ALIGNED(sg->offset + sg->length))
			break;
		sg = sg_next(sg);
		if (!PAGE_ALIGNED(sg->offset) || len + sg->length - 1 > limit)
			break;
		len += sg->length;
		n++;
	}
	*pages = PFN_UP(offset + len);
	return n;
}

static struct sim_range *map_entries(struct vivid_ext_simbus *bus,
				     struct scatterlist *sg, unsigned int n,
				     unsigned int pages,
				     const struct sim_range *like)
{
	size_t offset = offset_in_page(sg->offset);
	struct sim_range *range;
	int ret = 0;

	range = kvzalloc(struct_size(range, pages, pages), GFP_KERNEL);
	if (!range)
		return ERR_PTR(-ENOMEM);
	range->dir = like->dir;
	range->kind = like->kind;
	range->nents = like->nents;
	range->table = like->table;
	range->segment = like->segment;
	while (n-- && !ret) {
		ret = vivid_ext_sim_range_add_pages(bus, range, sg_phys(sg),
						    sg->length, false);
		sg = sg_next(sg);
	}
	if (!ret)
		ret = vivid_ext_sim_range_insert(bus, range, offset);
	if (ret) {
		vivid_ext_sim_range_free(bus, range);
		return ERR_PTR(ret);
	}
	return range;
}

/**
 * vivid_ext_sim_range_take - take addresses away, all of a mapping or none
 * @bus: the device's place
 * @addr: the first one
 * @dir: what was to be done there, for the log
 * @alloc: that were allocated
 *
 * Whoever is in the middle, or frees what was mapped, has it from somewhere
 * else. Process context.
 *
 * Return: the range, for vivid_ext_sim_range_put(), or NULL.
 */
struct sim_range *vivid_ext_sim_range_take(struct vivid_ext_simbus *bus,
					   dma_addr_t addr,
					   enum dma_data_direction dir,
					   bool alloc)
{
	const char *why = NULL;
	struct sim_range *range;
	unsigned long flags;

	spin_lock_irqsave(&bus->lock, flags);
	range = vivid_ext_ranges_find(&bus->ranges, addr);
	if (!range)
		why = "unmap of what is not mapped";
	else if (range->start != addr)
		why = "unmap in the middle of a mapping";
	else if (alloc != (range->kind == SIM_ALLOC))
		why = alloc ? "free of what was mapped" :
			      "unmap of what was allocated";
	else
		rb_erase(&range->node, &bus->ranges.root);
	spin_unlock_irqrestore(&bus->lock, flags);
	if (why) {
		vivid_ext_simbus_fault(bus, addr, dir, why);
		return NULL;
	}
	vivid_ext_sim_wait(bus, range);
	return range;
}

/**
 * vivid_ext_sim_range_put - free what has been taken
 * @bus: the device's place
 * @range: of vivid_ext_sim_range_take()
 *
 * Process context. Return: whether that was the last one, with which the place
 * has gone.
 */
bool vivid_ext_sim_range_put(struct vivid_ext_simbus *bus,
			     struct sim_range *range)
{
	unsigned long flags;
	bool last;

	vivid_ext_sim_range_free(bus, range);
	spin_lock_irqsave(&bus->lock, flags);
	last = !--bus->given && bus->left;
	spin_unlock_irqrestore(&bus->lock, flags);
	if (last) {
		vivid_ext_simbus_free(bus);
		module_put(THIS_MODULE);
	}
	return last;
}

/* Where tables have one length for both sides, it is memory's to keep. */
static void clear_dma_len(struct scatterlist *sg)
{
	if (IS_ENABLED(CONFIG_NEED_SG_DMA_LENGTH))
		sg_dma_len(sg) = 0;
}

static void check_direction(struct vivid_ext_simbus *bus,
			    const struct sim_range *range,
			    enum dma_data_direction dir)
{
	if (dir != range->dir)
		vivid_ext_sim_violation(bus, "unmap at %pad for %s of what was mapped for %s",
					&range->start,
					vivid_ext_sim_direction(dir),
					vivid_ext_sim_direction(range->dir));
}

static void unmap_segments(struct vivid_ext_simbus *bus,
			   struct scatterlist *sgl, int nents,
			   enum dma_data_direction dir)
{
	struct scatterlist *sg = sgl, *next;

	/* Segments come first, where entries were merged. */
	for (; nents > 0 && sg && sg_dma_len(sg); nents--, sg = next) {
		struct sim_range *range =
			vivid_ext_sim_range_take(bus, sg_dma_address(sg), dir,
						 false);

		next = sg_next(sg);
		clear_dma_len(sg);
		if (range && vivid_ext_sim_range_put(bus, range))
			return;
	}
}

static void sim_unmap_sg(struct device *dev, struct scatterlist *sgl, int nents,
			 enum dma_data_direction dir, unsigned long attrs)
{
	struct vivid_ext_simbus *bus = vivid_ext_simbus_of(dev);
	struct sim_range *range = vivid_ext_sim_begin(bus, sg_dma_address(sgl));

	sim_count(bus, SIM_UNMAPS, 1);
	if (!range) {
		vivid_ext_simbus_fault(bus, sg_dma_address(sgl), dir,
				       "unmap of what is not mapped");
		return;
	}
	check_direction(bus, range, dir);
	vivid_ext_sim_check_sg(bus, range, sgl, nents, "unmap");
	vivid_ext_sim_end(bus, range);
	if (!bus->config.coherent && dir != DMA_TO_DEVICE &&
	    !(attrs & DMA_ATTR_SKIP_CPU_SYNC))
		vivid_ext_sim_carry_sg(bus, sgl, nents, dir, true);
	unmap_segments(bus, sgl, nents, dir);
}

static int refuse_segments(struct vivid_ext_simbus *bus, int nents)
{
	sim_count(bus, SIM_REFUSALS, 1);
	dev_notice_ratelimited(bus->owner, "more than the %u segments that it takes (%d pieces of memory)\n",
			       vivid_ext_bus_segments(&bus->config), nents);
	return -EINVAL;
}

/* Return: how many segments it has become, or an error. */
static int map_table(struct vivid_ext_simbus *bus, struct scatterlist *sgl,
		     int nents, enum dma_data_direction dir,
		     unsigned long attrs, enum sim_kind kind)
{
	struct sim_range like = { .dir = dir, .kind = kind, .nents = nents };
	struct scatterlist *sg = sgl, *out = sgl;
	struct sim_range *first = NULL;
	unsigned int left = nents;
	int i, ret;

	for_each_sg(sgl, out, nents, i)
		clear_dma_len(out);
	out = sgl;
	while (left) {
		struct sim_range *range;
		unsigned int n, pages;

		n = segment_entries(bus, sg, left, &pages);
		if (like.segment == vivid_ext_bus_segments(&bus->config)) {
			ret = refuse_segments(bus, nents);
			goto err_unmap;
		}
		range = map_entries(bus, sg, n, pages, &like);
		if (IS_ERR(range)) {
			ret = PTR_ERR(range);
			goto err_unmap;
		}
		if (!(attrs & DMA_ATTR_SKIP_CPU_SYNC))
			vivid_ext_sim_carry(bus, range, range->start,
					    range->len, dir, false);
		first = first ?: range;
		like.table = first->id;
		range->table = like.table;
		first->segments = ++like.segment;
		sg_dma_address(out) = range->start;
		sg_dma_len(out) = range->len;
		out = sg_next(out);
		left -= n;
		while (n--)
			sg = sg_next(sg);
	}
	sim_count(bus, SIM_MAPS, 1);
	return like.segment;

err_unmap:
	unmap_segments(bus, sgl, like.segment, dir);
	return ret;
}

/*
 * Whether it can be mapped at all. The strictest backend would look for the
 * struct page of what has none; and of nothing it makes addresses that it can't
 * find again.
 */
static bool is_memory(struct vivid_ext_simbus *bus, phys_addr_t phys,
		      size_t len)
{
	if (len && pfn_valid(PHYS_PFN(phys)) &&
	    pfn_valid(PHYS_PFN(phys + len - 1)))
		return true;
	vivid_ext_sim_violation(bus, "map of %zu bytes at %pap, which is no memory",
				len, &phys);
	return false;
}

/* What was asked for, and can't be here, is refused and no mistake. */
static bool can_do(struct vivid_ext_simbus *bus, unsigned long attrs)
{
	if (vdb_dma_can(attrs, bus->config.coherent))
		return true;
	sim_count(bus, SIM_REFUSALS, 1);
	dev_notice_ratelimited(bus->owner, "no mapping with the attributes %lx here\n",
			       attrs);
	return false;
}

/* As DMA_API_DEBUG_SG says it: no entry is more than a segment can be. */
static bool fits_segment(struct vivid_ext_simbus *bus,
			 const struct scatterlist *sg)
{
	unsigned long boundary = dma_get_seg_boundary(&bus->pdev->dev);
	unsigned int limit = dma_get_max_seg_size(&bus->pdev->dev);

	if (sg->length <= limit &&
	    offset_in_page(sg->offset) + sg->length - 1 <= boundary)
		return true;
	vivid_ext_sim_violation(bus,
				"map of an entry of %u bytes, the device takes %u, and none across a boundary of %lx",
				sg->length, limit, boundary);
	return false;
}

static int check_table(struct vivid_ext_simbus *bus, struct scatterlist *sgl,
		       int nents)
{
	struct scatterlist *sg = sgl;
	bool fit = true;
	int i;

	for (i = 0; i < nents && sg; i++, sg = sg_next(sg)) {
		if (!is_memory(bus, sg_phys(sg), sg->length))
			return -EINVAL;
		fit = fit && fits_segment(bus, sg);
	}
	if (nents > 0 && i == nents)
		return 0;
	vivid_ext_sim_violation(bus, "map of %d entries of a table that has %d",
				nents, i);
	return -EINVAL;
}

static int sim_map_sg(struct device *dev, struct scatterlist *sgl, int nents,
		      enum dma_data_direction dir, unsigned long attrs)
{
	struct vivid_ext_simbus *bus = vivid_ext_simbus_of(dev);
	int ret;

	if (!can_do(bus, attrs))
		return -EINVAL;
	ret = check_table(bus, sgl, nents);
	if (ret)
		return ret;
	return map_table(bus, sgl, nents, dir, attrs, SIM_SG);
}

static dma_addr_t sim_map_phys(struct device *dev, phys_addr_t phys,
			       size_t size, enum dma_data_direction dir,
			       unsigned long attrs)
{
	struct vivid_ext_simbus *bus = vivid_ext_simbus_of(dev);
	struct scatterlist sg;

	if (!can_do(bus, attrs) || !is_memory(bus, phys, size))
		return DMA_MAPPING_ERROR;
	sg_init_table(&sg, 1);
	sg_set_page(&sg, pfn_to_page(PHYS_PFN(phys)), size,
		    offset_in_page(phys));
	if (map_table(bus, &sg, 1, dir, attrs, SIM_SINGLE) != 1)
		return DMA_MAPPING_ERROR;
	return sg_dma_address(&sg);
}

VDB_DEFINE_DMA_MAP_PAGE(sim_map_phys)

static void sim_unmap_phys(struct device *dev, dma_addr_t addr, size_t size,
			   enum dma_data_direction dir, unsigned long attrs)
{
	struct vivid_ext_simbus *bus = vivid_ext_simbus_of(dev);
	struct sim_range *range;

	sim_count(bus, SIM_UNMAPS, 1);
	range = vivid_ext_sim_range_take(bus, addr, dir, false);
	if (!range)
		return;
	check_direction(bus, range, dir);
	if (range->kind != SIM_SINGLE)
		vivid_ext_sim_violation(bus, "unmap of %zu bytes at %pad that are a table's",
					size, &addr);
	else if (range->len != size)
		vivid_ext_sim_violation(bus, "unmap of %zu bytes at %pad, where %zu are mapped",
					size, &addr, range->len);
	if (!(attrs & DMA_ATTR_SKIP_CPU_SYNC))
		vivid_ext_sim_carry(bus, range, addr, min(size, range->len),
				    dir, true);
	vivid_ext_sim_range_put(bus, range);
}

/* An IOMMU reaches everything; a device without one says so when it maps. */
static int sim_dma_supported(struct device *dev, u64 mask)
{
	return 1;
}

/* By this the allocators know that they must choose pages for the device. */
static u64 sim_required_mask(struct device *dev)
{
	if (vivid_ext_simbus_of(dev)->config.iommu)
		return DMA_BIT_MASK(24);
	return vivid_ext_simbus_of(dev)->memory_mask;
}

#define SIM_ALLOC_OPS				\
	.alloc = vivid_ext_sim_alloc,		\
	.free = vivid_ext_sim_free,		\
	.mmap = vivid_ext_sim_mmap,		\
	.get_sgtable = vivid_ext_sim_get_sgtable

const struct dma_map_ops vivid_ext_sim_coherent_ops = {
	SIM_ALLOC_OPS,
	VDB_DMA_OPS_MAP(sim_map_phys, sim_unmap_phys),
	.map_sg = sim_map_sg,
	.unmap_sg = sim_unmap_sg,
	.dma_supported = sim_dma_supported,
	.get_required_mask = sim_required_mask,
};

const struct dma_map_ops vivid_ext_sim_noncoherent_ops = {
	SIM_ALLOC_OPS,
	VDB_DMA_OPS_MAP(sim_map_phys, sim_unmap_phys),
	.map_sg = sim_map_sg,
	.unmap_sg = sim_unmap_sg,
	.sync_single_for_cpu = vivid_ext_sim_sync_for_cpu,
	.sync_single_for_device = vivid_ext_sim_sync_for_device,
	.sync_sg_for_cpu = vivid_ext_sim_sync_sg_for_cpu,
	.sync_sg_for_device = vivid_ext_sim_sync_sg_for_device,
	.dma_supported = sim_dma_supported,
	.get_required_mask = sim_required_mask,
};
