// SPDX-License-Identifier: GPL-2.0-only
/*
 * The simulated bus: coherent memory, as dma_alloc_coherent() has it: the CPU
 * doesn't cache it, and the driver knows it by a cookie.
 */
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "simdma.h"

/* By the mask the zone is chosen, where no IOMMU is in between. */
static gfp_t zone(struct vivid_ext_simbus *bus)
{
	u64 mask = bus->pdev->dev.coherent_dma_mask;

	if (bus->config.iommu || mask > DMA_BIT_MASK(32))
		return 0;
	return mask == DMA_BIT_MASK(32) ? GFP_DMA32 : GFP_DMA;
}

/**
 * vivid_ext_sim_alloc - dma_alloc_attrs()
 * @dev: the device
 * @size: how many bytes
 * @addr: gets the first one's address
 * @gfp: how to allocate
 * @attrs: %DMA_ATTR_NO_KERNEL_MAPPING is known
 *
 * Process context. Return: where the CPU finds them; or, as dma-direct has it,
 * with that attribute the first page; NULL without memory.
 */
void *vivid_ext_sim_alloc(struct device *dev, size_t size, dma_addr_t *addr,
			  gfp_t gfp, unsigned long attrs)
{
	struct vivid_ext_simbus *bus = vivid_ext_simbus_of(dev);
	struct sim_range *range;
	void *vaddr;
	int ret;

	if (!size)
		return NULL;
	size = PAGE_ALIGN(size);
	vaddr = alloc_pages_exact(size, gfp | zone(bus) | __GFP_ZERO);
	if (!vaddr)
		return NULL;
	range = kvzalloc(struct_size(range, pages, PFN_UP(size)), GFP_KERNEL);
	if (!range)
		goto err_free;
	range->dir = DMA_BIDIRECTIONAL;
	range->kind = SIM_ALLOC;
	range->cookie = attrs & DMA_ATTR_NO_KERNEL_MAPPING ?
			(void *)virt_to_page(vaddr) : vaddr;
	ret = vivid_ext_sim_range_add_pages(bus, range, virt_to_phys(vaddr),
					    size, true);
	if (!ret)
		ret = vivid_ext_sim_range_insert(bus, range, 0);
	if (ret)
		goto err_free_range;
	*addr = range->start;
	return range->cookie;

err_free_range:
	vivid_ext_sim_range_free(bus, range);
err_free:
	free_pages_exact(vaddr, size);
	return NULL;
}

/* Whether a driver says of an allocation what it was told. */
static bool check_allocation(struct vivid_ext_simbus *bus,
			     const struct sim_range *range, size_t size,
			     void *cookie, const char *what)
{
	if (PAGE_ALIGN(size) == range->len && cookie == range->cookie)
		return true;
	vivid_ext_sim_violation(bus,
				"%s of %zu bytes at %pad with another size or cookie than allocated (%zu bytes)",
				what, size, &range->start, range->len);
	return false;
}

/**
 * vivid_ext_sim_free - dma_free_attrs()
 * @dev: the device
 * @size: as allocated
 * @cookie: what vivid_ext_sim_alloc() returned
 * @addr: what it said
 * @attrs: not looked at
 *
 * What is freed is what was allocated, whatever the driver says that it was.
 * Process context.
 */
void vivid_ext_sim_free(struct device *dev, size_t size, void *cookie,
			dma_addr_t addr, unsigned long attrs)
{
	struct vivid_ext_simbus *bus = vivid_ext_simbus_of(dev);
	struct sim_range *range;
	void *allocated;

	range = vivid_ext_sim_range_take(bus, addr, DMA_BIDIRECTIONAL, true);
	if (!range)
		return;
	check_allocation(bus, range, size, cookie, "free");
	allocated = page_address(range->pages[0].cpu);
	size = range->len;
	/* First, as whoever has the memory next may have it cached. */
	vivid_ext_sim_range_put(bus, range);
	free_pages_exact(allocated, size);
}

/* Return: an allocation, held by vivid_ext_sim_begin(), or NULL. */
static struct sim_range *allocation(struct vivid_ext_simbus *bus, void *cookie,
				    dma_addr_t addr, size_t size,
				    const char *what)
{
	struct sim_range *range = vivid_ext_sim_begin(bus, addr);

	if (!range || range->kind != SIM_ALLOC || range->start != addr) {
		vivid_ext_sim_violation(bus, "%s of %zu bytes at %pad, which were not allocated",
					what, size, &addr);
		goto err_end;
	}
	if (!check_allocation(bus, range, size, cookie, what))
		goto err_end;
	return range;

err_end:
	vivid_ext_sim_end(bus, range);
	return NULL;
}

/**
 * vivid_ext_sim_mmap - dma_mmap_attrs()
 * @dev: the device
 * @vma: where to; its offset is one into the allocation
 * @cookie: what vivid_ext_sim_alloc() returned
 * @addr: what it said
 * @size: as allocated
 * @attrs: not looked at
 *
 * Process context. Return: 0, -ENXIO for what isn't there, or an error of
 * remap_pfn_range().
 */
int vivid_ext_sim_mmap(struct device *dev, struct vm_area_struct *vma,
		       void *cookie, dma_addr_t addr, size_t size,
		       unsigned long attrs)
{
	struct vivid_ext_simbus *bus = vivid_ext_simbus_of(dev);
	struct sim_range *range = allocation(bus, cookie, addr, size, "mmap");
	int ret = -ENXIO;

	if (!range)
		return -ENXIO;
	if (vma->vm_pgoff < range->num_pages &&
	    vma_pages(vma) <= range->num_pages - vma->vm_pgoff)
		ret = remap_pfn_range(vma, vma->vm_start,
				      page_to_pfn(range->pages[0].cpu) +
				      vma->vm_pgoff,
				      vma_pages(vma) << PAGE_SHIFT,
				      vma->vm_page_prot);
	vivid_ext_sim_end(bus, range);
	return ret;
}

/**
 * vivid_ext_sim_get_sgtable - dma_get_sgtable_attrs()
 * @dev: the device
 * @sgt: gets a table of the memory
 * @cookie: what vivid_ext_sim_alloc() returned
 * @addr: what it said
 * @size: as allocated
 * @attrs: not looked at
 *
 * Process context. Return: 0, -ENXIO for what isn't there, -ENOMEM.
 */
int vivid_ext_sim_get_sgtable(struct device *dev, struct sg_table *sgt,
			      void *cookie, dma_addr_t addr, size_t size,
			      unsigned long attrs)
{
	struct vivid_ext_simbus *bus = vivid_ext_simbus_of(dev);
	struct sim_range *range = allocation(bus, cookie, addr, size,
					     "get_sgtable");
	int ret;

	if (!range)
		return -ENXIO;
	ret = sg_alloc_table(sgt, 1, GFP_KERNEL);
	if (!ret)
		sg_set_page(sgt->sgl, range->pages[0].cpu, range->len, 0);
	vivid_ext_sim_end(bus, range);
	return ret;
}
