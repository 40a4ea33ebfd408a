// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a device sees of memory. Its engine reads and writes a buffer through a
 * view: a linear window on the pages behind the buffer's
 * DMA addresses. It is made from these addresses alone, as a real device would
 * see them, so with bounce buffers it shows the bounce pages, and a missing
 * sync shows as wrong pixels. On the simulated bus it shows what that says.
 */
#include <linux/device.h>
#include <linux/dma-direct.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "simbus.h"
#include "simplace.h"
#include "view.h"

/**
 * struct vivid_ext_view - a device's window on a buffer
 * @vaddr: where its engine finds the bytes
 * @bus: the simulated bus that it goes through, or NULL
 * @runs: on the simulated bus, the mappings it was made from: address, id and
 *	first page
 * @num_runs: how many
 * @num_pages: in @pages
 * @pages: what lies behind @vaddr
 */
struct vivid_ext_view {
	void *vaddr;
	struct vivid_ext_simbus *bus;
	struct view_run {
		dma_addr_t addr;
		u64 id;
		unsigned int first;
	} *runs;
	unsigned int num_runs;
	unsigned int num_pages;
	struct page *pages[];
};

/* The page that the machine's bus finds at an address, or NULL for none. */
static struct page *real_page(struct device *dev, dma_addr_t addr)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(dev);
	phys_addr_t phys;

	if (domain)
		phys = iommu_iova_to_phys(domain, addr);
	else
		phys = dma_to_phys(dev, addr);
	if (!phys || !pfn_valid(PHYS_PFN(phys)))
		return NULL;
	return pfn_to_page(PHYS_PFN(phys));
}

/*
 * The page that a device finds at an address, or NULL; with a reference on the
 * simulated bus, whose shadows come and go. Memory mapped on the real one is
 * the mapping's to keep, and may have no page counts to take: those of the
 * tail of a plain block are 0, and dropping one again would free the page.
 */
static struct page *bus_page(struct device *dev, struct vivid_ext_view *view,
			     dma_addr_t addr)
{
	struct vivid_ext_bus_window window;

	if (!view->bus)
		return real_page(dev, addr);
	if (!vivid_ext_simbus_find(view->bus, addr, &window))
		return NULL;
	if (!view->num_runs || view->runs[view->num_runs - 1].id != window.id) {
		view->runs[view->num_runs].addr = addr;
		view->runs[view->num_runs].id = window.id;
		view->runs[view->num_runs].first = view->num_pages;
		view->num_runs++;
	}
	return window.page;
}

/* Add one segment's pages, up to the size that is wanted. */
static int view_add_segment(struct device *dev, struct vivid_ext_view *view,
			    dma_addr_t addr, size_t len)
{
	size_t done;

	if (!PAGE_ALIGNED(addr)) {
		dev_err_ratelimited(dev, "segment at %pad is not page aligned\n",
				    &addr);
		return -EINVAL;
	}
	for (done = 0; done < len; done += PAGE_SIZE) {
		dma_addr_t at = addr + done;
		struct page *page = bus_page(dev, view, at);

		if (!page) {
			dev_err_ratelimited(dev, "no memory at %pad\n", &at);
			return -EINVAL;
		}
		view->pages[view->num_pages++] = page;
	}
	return 0;
}

static void view_free(struct vivid_ext_view *view)
{
	while (view->bus && view->num_pages--)
		vivid_ext_simbus_put(view->bus, view->pages[view->num_pages]);
	kvfree(view->runs);
	kvfree(view);
}

static int view_add_table(struct device *dev, struct vivid_ext_view *view,
			  struct sg_table *sgt, size_t size)
{
	struct scatterlist *sg;
	size_t left = size;
	unsigned int i;
	int ret;

	for_each_sgtable_dma_sg(sgt, sg, i) {
		size_t len = min_t(size_t, sg_dma_len(sg), left);

		ret = view_add_segment(dev, view, sg_dma_address(sg), len);
		if (ret)
			return ret;
		left -= len;
		if (!left)
			return 0;
		if (!PAGE_ALIGNED(len)) {
			dev_err_ratelimited(dev,
					    "segment %u ends within a page: %zu bytes\n",
					    i, len);
			return -EINVAL;
		}
	}
	dev_err_ratelimited(dev, "%zu of %zu bytes are not mapped\n", left,
			    size);
	return -EINVAL;
}

/*
 * A device that only reads gets pages it can't write, so that a mistake in
 * its engine is an Oops there and not a wrong pixel somewhere else.
 */
static int view_map(struct vivid_ext_view *view, enum dma_data_direction dir)
{
	pgprot_t prot = dir == DMA_TO_DEVICE ? PAGE_KERNEL_RO : PAGE_KERNEL;

	view->vaddr = vmap(view->pages, view->num_pages, VM_MAP, prot);
	return view->vaddr ? 0 : -ENOMEM;
}

static int view_alloc_runs(struct vivid_ext_view *view, struct sg_table *sgt)
{
	view->runs = kvcalloc(sgt->nents, sizeof(*view->runs), GFP_KERNEL);
	return view->runs ? 0 : -ENOMEM;
}

/**
 * vivid_ext_view_create - give a device's engine a window on a buffer
 * @dev: the device that @sgt is mapped for
 * @sgt: its DMA addresses; only these are looked at, never the CPU side
 * @size: how many bytes, from the first on
 * @dir: what the engine will do; it can't write a %DMA_TO_DEVICE view
 *
 * The view must be destroyed before @sgt is unmapped. It does no cache
 * maintenance: who owns the bytes is for the queue or the exporter to say.
 * Process context, no locks needed.
 *
 * Return: the view, or an ERR_PTR: -EINVAL where the segments don't cover
 * @size, don't begin and end on page boundaries or aren't memory, -ENOMEM.
 */
struct vivid_ext_view *vivid_ext_view_create(struct device *dev,
					     struct sg_table *sgt, size_t size,
					     enum dma_data_direction dir)
{
	struct vivid_ext_view *view;
	int ret;

	if (!size)
		return ERR_PTR(-EINVAL);
	view = kvzalloc(struct_size(view, pages, PHYS_PFN(size - 1) + 1),
			GFP_KERNEL);
	if (!view)
		return ERR_PTR(-ENOMEM);
	view->bus = vivid_ext_simbus_of(dev);
	ret = view->bus ? view_alloc_runs(view, sgt) : 0;
	if (!ret)
		ret = view_add_table(dev, view, sgt, size);
	if (!ret)
		ret = view_map(view, dir);
	if (ret) {
		view_free(view);
		return ERR_PTR(ret);
	}
	return view;
}
EXPORT_SYMBOL_GPL(vivid_ext_view_create);

/**
 * vivid_ext_view_create_contig - a window on a buffer with a single address
 * @dev: the device that the buffer is mapped for
 * @addr: its DMA address
 * @size: how many bytes
 * @dir: what the engine will do
 *
 * For allocators that know a buffer by an address and not by a table. The
 * rules and errors are vivid_ext_view_create()'s.
 *
 * Return: the view, or an ERR_PTR.
 */
struct vivid_ext_view *
vivid_ext_view_create_contig(struct device *dev, dma_addr_t addr, size_t size,
			     enum dma_data_direction dir)
{
	struct scatterlist sg;
	struct sg_table sgt = { .sgl = &sg, .nents = 1, .orig_nents = 1 };

	sg_init_table(&sg, 1);
	sg_dma_address(&sg) = addr;
	sg_dma_len(&sg) = size;
	return vivid_ext_view_create(dev, &sgt, size, dir);
}
EXPORT_SYMBOL_GPL(vivid_ext_view_create_contig);

/**
 * vivid_ext_view_addr - where the engine finds the buffer's first byte
 * @view: the view
 *
 * Any context. Return: an address, linear over the view's size.
 */
void *vivid_ext_view_addr(struct vivid_ext_view *view)
{
	return view->vaddr;
}
EXPORT_SYMBOL_GPL(vivid_ext_view_addr);

static bool allows(enum dma_data_direction mapped, enum dma_data_direction dir)
{
	return mapped == DMA_BIDIRECTIONAL || mapped == dir;
}

/**
 * vivid_ext_view_begin - the engine is about to read or write a frame
 * @view: the view
 * @dir: %DMA_TO_DEVICE to read memory, %DMA_FROM_DEVICE to write it
 *
 * On the simulated bus each address must still be mapped, by the mapping that
 * the view was made from and for this direction. Any context.
 *
 * Return: 0, or -EFAULT; the bus has logged it, and the engine must not touch
 * the view.
 */
int vivid_ext_view_begin(struct vivid_ext_view *view,
			 enum dma_data_direction dir)
{
	struct vivid_ext_bus_window window;
	const char *why = NULL;
	unsigned int i;

	for (i = 0; i < view->num_runs && !why; i++) {
		dma_addr_t addr = view->runs[i].addr;

		if (!vivid_ext_simbus_find(view->bus, addr, &window)) {
			why = "not mapped";
		} else {
			if (window.id != view->runs[i].id)
				why = "mapped again since";
			else if (!allows(window.dir, dir))
				why = "against the mapping's direction";
			vivid_ext_simbus_put(view->bus, window.page);
		}
		if (why)
			vivid_ext_simbus_fault(view->bus, addr, dir, why);
	}
	return why ? -EFAULT : 0;
}
EXPORT_SYMBOL_GPL(vivid_ext_view_begin);

/**
 * vivid_ext_view_end - the engine has read or written a frame
 * @view: the view
 * @dir: as in vivid_ext_view_begin(), which has succeeded
 *
 * Any context.
 */
void vivid_ext_view_end(struct vivid_ext_view *view,
			enum dma_data_direction dir)
{
	unsigned int i;

	if (dir != DMA_FROM_DEVICE)
		return;
	for (i = 0; i < view->num_runs; i++)
		vivid_ext_simbus_written(view->bus, view->runs[i].addr);
}
EXPORT_SYMBOL_GPL(vivid_ext_view_end);

/* The first address after a view's that the device may not use. */
static dma_addr_t stray_addr(struct vivid_ext_view *view)
{
	struct view_run *last = &view->runs[view->num_runs - 1];
	dma_addr_t addr = last->addr + PFN_PHYS(view->num_pages - last->first);
	struct vivid_ext_bus_window window;

	while (vivid_ext_simbus_find(view->bus, addr, &window)) {
		vivid_ext_simbus_put(view->bus, window.page);
		addr += PAGE_SIZE;
	}
	return addr;
}

/**
 * vivid_ext_view_stray - let the engine use a wrong address
 * @view: the view
 * @dev: its device
 * @dir: as in vivid_ext_view_begin()
 *
 * What a device with a bug does: it goes on behind the end of the buffer. The
 * simulated bus counts and logs the fault as any other. The machine's own
 * might not notice, so nothing is touched there; it is only logged. Any
 * context.
 *
 * Return: -EFAULT.
 */
int vivid_ext_view_stray(struct vivid_ext_view *view, struct device *dev,
			 enum dma_data_direction dir)
{
	if (view->bus)
		vivid_ext_simbus_fault(view->bus, stray_addr(view), dir,
				       "not mapped");
	else
		dev_err_ratelimited(dev, "DMA fault, as asked; this bus would not have seen it\n");
	return -EFAULT;
}
EXPORT_SYMBOL_GPL(vivid_ext_view_stray);

/**
 * vivid_ext_view_destroy - take a view away
 * @view: the view; nobody may use its address any more
 *
 * Process context.
 */
void vivid_ext_view_destroy(struct vivid_ext_view *view)
{
	vunmap(view->vaddr);
	view_free(view);
}
EXPORT_SYMBOL_GPL(vivid_ext_view_destroy);

/* Which page of the machine's memory lies behind a page of a view. */
static unsigned long view_pfn(struct vivid_ext_view *view, unsigned int page,
			      unsigned int *run)
{
	struct vivid_ext_bus_window window;
	struct view_run *at;

	if (!view->bus)
		return page_to_pfn(view->pages[page]);
	while (*run + 1 < view->num_runs && view->runs[*run + 1].first <= page)
		(*run)++;
	at = &view->runs[*run];
	if (!vivid_ext_simbus_find(view->bus,
				   at->addr + PFN_PHYS(page - at->first),
				   &window))
		return 0;
	vivid_ext_simbus_put(view->bus, window.page);
	return window.pfn;
}

/**
 * vivid_ext_view_show_pages - print which pages a device really reaches
 * @view: the view
 * @m: gets one line of "pfn+count" runs, hexadecimal
 *
 * For debugfs: next to the allocator's own list it proves that no copy lies
 * between. On the simulated bus these are the pages whose memory the device
 * sees. The caller keeps @view alive.
 */
void vivid_ext_view_show_pages(struct vivid_ext_view *view, struct seq_file *m)
{
	unsigned int i, n, run = 0;

	for (i = 0; i < view->num_pages; i += n) {
		unsigned long pfn = view_pfn(view, i, &run);

		for (n = 1; i + n < view->num_pages; n++)
			if (view_pfn(view, i + n, &run) != pfn + n)
				break;
		seq_printf(m, "%s%lx+%x", i ? " " : "", pfn, n);
	}
	seq_putc(m, '\n');
}
EXPORT_SYMBOL_GPL(vivid_ext_view_show_pages);

MODULE_DESCRIPTION("Shared parts of the virtual camera and display");
MODULE_AUTHOR("The videobuf2-dmabuf authors");
MODULE_LICENSE("GPL");
