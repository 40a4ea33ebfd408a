// SPDX-License-Identifier: GPL-2.0-only
/*
 * How devices see a buffer's pages, and the DMA API's synchronisation of them.
 *
 * A range is synchronised in pieces that lie in a row in memory as well as for
 * the device: behind an IOMMU, dma_sync_single_*() translates the first address
 * and goes on in memory from there. Directions are those of the mapping, as
 * Documentation/core-api/dma-api.rst demands, never those of the caller.
 *
 * What is looked at here of the DMA API's insides stands in this file alone.
 */
#include <linux/dma-direct.h>
#include <linux/dma-map-ops.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <xen/xen.h>

#include "internal.h"
#include "trace.h"

/* Where in memory a device finds what it has at an address. */
static phys_addr_t phys_of(struct device *dev, struct iommu_domain *domain,
			   dma_addr_t addr)
{
	return domain ? iommu_iova_to_phys(domain, addr) :
			dma_to_phys(dev, addr);
}

static struct page *page_at(struct vdb_attachment *att, size_t offset)
{
	return att->buf->storage.pages[offset >> PAGE_SHIFT];
}

/*
 * Does the device see a page, or a copy of it? What translates addresses for it
 * is asked where the page is found. Another bus, whose operations nobody knows,
 * is taken at its word that it has the pages mapped.
 */
static bool is_copied(struct vdb_attachment *att, const struct vdb_run *run)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(att->dev);

	if (!domain && get_dma_ops(att->dev))
		return xen_domain();
	return phys_of(att->dev, domain, run->addr) !=
	       page_to_phys(page_at(att, run->offset));
}

/**
 * vdb_sync_run_kind - how a device sees bytes that lie in a row
 * @att: mapped
 * @run: the bytes
 *
 * Context: process.
 * Return: the kind of view that they need.
 */
enum vdb_view_kind vdb_sync_run_kind(struct vdb_attachment *att,
				     const struct vdb_run *run)
{
	VDB_STATIC_STUB(vdb_sync_run_kind, att, run);

	if (!dma_need_sync(att->dev, run->addr))
		return VDB_VIEW_CPU;
	if (is_copied(att, run))
		return VDB_VIEW_PRIVATE;
	/* Old kernels want a sync behind any IOMMU, which then does nothing. */
	return device_iommu_mapped(att->dev) && dev_is_dma_coherent(att->dev) ?
	       VDB_VIEW_CPU : VDB_VIEW_MEMORY;
}
EXPORT_SYMBOL_VDB_KUNIT(vdb_sync_run_kind);

/**
 * vdb_sync_kind - how a device sees a buffer's bytes
 * @att: mapped; vdb_sync_init() was called
 *
 * As it sees those that are farthest away: one bounce buffer makes a copy.
 *
 * Context: process.
 * Return: the kind of its view.
 */
enum vdb_view_kind vdb_sync_kind(struct vdb_attachment *att)
{
	enum vdb_view_kind kind = VDB_VIEW_CPU;
	unsigned int i;

	VDB_STATIC_STUB(vdb_sync_kind, att);

	for (i = 0; i < att->nr_runs; i++)
		kind = max(kind, vdb_sync_run_kind(att, &att->runs[i]));
	return kind;
}
EXPORT_SYMBOL_VDB_KUNIT(vdb_sync_kind);

/* The runs, or how many there are if there is no room for them yet. */
static unsigned int find_runs(struct vdb_attachment *att, struct vdb_run *runs)
{
	unsigned long pfn = 0;
	struct scatterlist *sg;
	unsigned int i, n = 0;
	size_t offset = 0, at;

	for_each_sgtable_dma_sg(&att->sgt, sg, i) {
		for (at = 0; at < sg_dma_len(sg); at += PAGE_SIZE) {
			unsigned long next = page_to_pfn(page_at(att, offset));

			if (!at || next != pfn + 1) {
				if (runs)
					runs[n] = (struct vdb_run){
						offset, sg_dma_address(sg) + at
					};
				n++;
			}
			pfn = next;
			offset += PAGE_SIZE;
		}
	}
	return n;
}

/**
 * vdb_sync_init - look at how a device has a buffer mapped
 * @att: mapped just now
 *
 * Context: process; may sleep.
 * Return: 0 or -ENOMEM.
 */
int vdb_sync_init(struct vdb_attachment *att)
{
	att->nr_runs = find_runs(att, NULL);
	att->runs = kvmalloc_array(att->nr_runs, sizeof(*att->runs),
				   GFP_KERNEL);
	if (!att->runs)
		return -ENOMEM;
	find_runs(att, att->runs);
	return 0;
}

/**
 * vdb_sync_free - undo vdb_sync_init()
 * @att: about to be unmapped
 *
 * Context: process.
 */
void vdb_sync_free(struct vdb_attachment *att)
{
	kvfree(att->runs);
	att->runs = NULL;
	att->nr_runs = 0;
}

/* The last run that begins at an offset or before. */
static unsigned int run_at(const struct vdb_attachment *att, size_t offset)
{
	unsigned int low = 0, high = att->nr_runs;

	while (high - low > 1) {
		unsigned int middle = low + (high - low) / 2;

		if (att->runs[middle].offset <= offset)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/**
 * vdb_sync_run - copy bytes that lie in a row
 * @att: the device's attachment
 * @offset: of the first in the buffer
 * @addr: where the device has it
 * @len: how many
 * @for_cpu: to the CPU's view, else from it
 *
 * Context: any.
 */
void vdb_sync_run(struct vdb_attachment *att, size_t offset, dma_addr_t addr,
		  size_t len, bool for_cpu)
{
	VDB_STATIC_STUB(vdb_sync_run, att, offset, addr, len, for_cpu);

	if (for_cpu)
		dma_sync_single_for_cpu(att->dev, addr, len, att->dma_dir);
	else
		dma_sync_single_for_device(att->dev, addr, len, att->dma_dir);
}
EXPORT_SYMBOL_VDB_KUNIT(vdb_sync_run);

/**
 * vdb_sync - copy bytes between the CPU's view and a device's
 * @att: the device's attachment, mapped
 * @from: offset of the first byte
 * @to: of the one after the last
 * @for_cpu: to the CPU's view, else from it
 *
 * Context: any.
 */
void vdb_sync(struct vdb_attachment *att, size_t from, size_t to, bool for_cpu)
{
	unsigned int i;

	vdb_stat_add(for_cpu ? VDB_SYNCS_FOR_CPU : VDB_SYNCS_FOR_DEVICE, 1);
	vdb_stat_add(VDB_BYTES_SYNCED, to - from);
	trace_vdb_sync(att, from, to, for_cpu);

	for (i = run_at(att, from); from < to; i++) {
		const struct vdb_run *run = &att->runs[i];
		size_t end = i + 1 < att->nr_runs ? run[1].offset :
						    att->buf->size;
		dma_addr_t addr = run->addr + (from - run->offset);
		size_t len = min(end, to) - from;

		vdb_sync_run(att, from, addr, len, for_cpu);
		from += len;
	}
}
EXPORT_SYMBOL_VDB_KUNIT(vdb_sync);
