// SPDX-License-Identifier: GPL-2.0-only
/*
 * The simulated bus: coherent memory, as dma_alloc_coherent() has it: the CPU
 * doesn't cache it.
 */
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "simbus.h"
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
 * @attrs: not looked at
 *
 * Process context. Return: where the CPU finds them, or NULL without memory.
 */
void *vivid_ext_sim_alloc(struct device *dev, size_t size, dma_addr_t *addr,
			  gfp_t gfp, unsigned long attrs)
{
	struct vivid_ext_simbus *bus = vivid_ext_simbus_of(dev);
	struct sim_range *range;
	void *vaddr;
	int ret;

	size = PAGE_ALIGN(size);
	vaddr = alloc_pages_exact(size, gfp | zone(bus) | __GFP_ZERO);
	if (!vaddr)
		return NULL;
	range = kvzalloc(struct_size(range, pages, PFN_UP(size)), GFP_KERNEL);
	if (!range)
		goto err_free;
	range->dir = DMA_BIDIRECTIONAL;
	range->kind = SIM_ALLOC;
	ret = vivid_ext_sim_range_add_pages(bus, range, virt_to_page(vaddr), 0,
					    size, true);
	if (!ret)
		ret = vivid_ext_sim_range_insert(bus, range, 0);
	if (ret)
		goto err_free_range;
	*addr = range->start;
	return vaddr;

err_free_range:
	vivid_ext_sim_range_free(bus, range);
err_free:
	free_pages_exact(vaddr, size);
	return NULL;
}

/**
 * vivid_ext_sim_free - dma_free_attrs()
 * @dev: the device
 * @size: as allocated
 * @vaddr: what vivid_ext_sim_alloc() returned
 * @addr: what it said
 * @attrs: not looked at
 *
 * What is freed is what was allocated, whatever the driver says that it was.
 * Process context.
 */
void vivid_ext_sim_free(struct device *dev, size_t size, void *vaddr,
			dma_addr_t addr, unsigned long attrs)
{
	struct vivid_ext_simbus *bus = vivid_ext_simbus_of(dev);
	struct sim_range *range;
	void *allocated;

	range = vivid_ext_sim_range_take(bus, addr, DMA_BIDIRECTIONAL, true);
	if (!range)
		return;
	allocated = page_address(range->pages[0].cpu);
	if (PAGE_ALIGN(size) != range->len)
		vivid_ext_sim_violation(bus, "free of %zu bytes at %pad, where %zu are allocated",
					size, &addr, range->len);
	if (vaddr != allocated)
		vivid_ext_sim_violation(bus, "free at %pad with another CPU address",
					&addr);
	free_pages_exact(allocated, range->len);
	vivid_ext_sim_range_put(bus, range);
}

/**
 * vivid_ext_sim_mmap - dma_mmap_attrs()
 * @dev: the device
 * @vma: where to; its offset is one into the allocation
 * @vaddr: what vivid_ext_sim_alloc() returned
 * @addr: not looked at
 * @size: as allocated
 * @attrs: not looked at
 *
 * Process context. Return: 0, -ENXIO for what isn't there, or an error of
 * remap_pfn_range().
 */
int vivid_ext_sim_mmap(struct device *dev, struct vm_area_struct *vma,
		       void *vaddr, dma_addr_t addr, size_t size,
		       unsigned long attrs)
{
	unsigned long pages = PFN_UP(size);

	if (vma->vm_pgoff >= pages || vma_pages(vma) > pages - vma->vm_pgoff)
		return -ENXIO;
	return remap_pfn_range(vma, vma->vm_start,
			       page_to_pfn(virt_to_page(vaddr)) + vma->vm_pgoff,
			       vma_pages(vma) << PAGE_SHIFT, vma->vm_page_prot);
}

/**
 * vivid_ext_sim_get_sgtable - dma_get_sgtable_attrs()
 * @dev: the device
 * @sgt: gets a table of the memory
 * @vaddr: what vivid_ext_sim_alloc() returned
 * @addr: not looked at
 * @size: as allocated
 * @attrs: not looked at
 *
 * Process context. Return: 0 or -ENOMEM.
 */
int vivid_ext_sim_get_sgtable(struct device *dev, struct sg_table *sgt,
			      void *vaddr, dma_addr_t addr, size_t size,
			      unsigned long attrs)
{
	int ret = sg_alloc_table(sgt, 1, GFP_KERNEL);

	if (!ret)
		sg_set_page(sgt->sgl, virt_to_page(vaddr), PAGE_ALIGN(size), 0);
	return ret;
}
