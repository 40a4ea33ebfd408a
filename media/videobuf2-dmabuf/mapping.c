// SPDX-License-Identifier: GPL-2.0-only
/*
 * The CPU's mappings of a buffer: of processes, chunk by chunk, and the kernel's.
 *
 * Page table entries come by page faults, which bring the bytes up to date, and
 * go by shoot-downs (shootdown.c). Both happen under vdb_buffer.lock.
 *
 * Where all devices see what the CPU sees when a process maps a buffer, it gets
 * real pages, which it can hand on (O_DIRECT, vmsplice, io_uring); elsewhere page
 * frames, which nobody can hold, and whose first write is noticed. If a device
 * that is not coherent comes later, who holds real pages counts as a device that
 * says nothing.
 */
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/vmalloc.h>

#include "internal.h"
#include "trace.h"

/*
 * The buffer that an area shows. Not by vm_private_data: old importers that map
 * others' buffers put something of theirs there.
 */
static struct vdb_buffer *shown_by(struct vm_area_struct *vma)
{
	return vdb_buffer_of(vma->vm_file->private_data);
}

static bool has_pfn_entries(struct vm_area_struct *vma)
{
	return vma->vm_flags & VM_PFNMAP;
}

static vm_fault_t insert(struct vm_area_struct *vma, unsigned long addr,
			 struct page *page, pgprot_t prot)
{
	int ret;

	if (has_pfn_entries(vma))
		return vmf_insert_pfn_prot(vma, addr, page_to_pfn(page), prot);

	ret = vm_insert_page(vma, addr, page);
	/* Some other thread was here first. */
	if (!ret || ret == -EBUSY)
		return VM_FAULT_NOPAGE;
	return ret == -ENOMEM ? VM_FAULT_OOM : VM_FAULT_SIGBUS;
}

static unsigned long address_of(struct vm_area_struct *vma, pgoff_t page)
{
	return vma->vm_start + ((page - vma->vm_pgoff) << PAGE_SHIFT);
}

/* The pages of a chunk that an area shows. */
static pgoff_t first_page(struct vm_area_struct *vma, unsigned int chunk)
{
	return max_t(pgoff_t, chunk * VDB_CHUNK_PAGES, vma->vm_pgoff);
}

static pgoff_t end_page(struct vdb_buffer *buf, struct vm_area_struct *vma,
			unsigned int chunk)
{
	return min3((pgoff_t)(chunk + 1) * VDB_CHUNK_PAGES,
		    (pgoff_t)buf->storage.nr_pages,
		    vma->vm_pgoff + vma_pages(vma));
}

static vm_fault_t insert_chunk(struct vdb_buffer *buf, struct vm_fault *vmf,
			       unsigned int chunk, pgprot_t prot)
{
	struct vm_area_struct *vma = vmf->vma;
	pgoff_t end = end_page(buf, vma, chunk);
	pgoff_t i;
	vm_fault_t ret;

	/* The page that is wanted decides; its neighbours are a favour. */
	ret = insert(vma, vmf->address & PAGE_MASK,
		     buf->storage.pages[vmf->pgoff], prot);
	for (i = first_page(vma, chunk);
	     i < end && ret == VM_FAULT_NOPAGE; i++)
		if (i != vmf->pgoff &&
		    insert(vma, address_of(vma, i), buf->storage.pages[i],
			   prot) != VM_FAULT_NOPAGE)
			break;
	return ret;
}

/* Of all processes; those that want them back will say so. */
static void remove_chunk(struct vdb_buffer *buf, unsigned int chunk)
{
	unmap_mapping_range(buf->dbuf->file->f_mapping,
			    (loff_t)chunk * VDB_CHUNK_SIZE, VDB_CHUNK_SIZE, 1);
}

/*
 * Entries that can be written to at once: the chunk is written from now on, and
 * further faults would tell nothing new. Others are for reading, and the first
 * write is a fault of its own.
 */
static pgprot_t entry_prot(struct vm_area_struct *vma, bool write)
{
	if (write && has_pfn_entries(vma))
		return vm_get_page_prot(vma->vm_flags);
	return vma->vm_page_prot;
}

static pgprot_t prepare_chunk(struct vdb_buffer *buf, struct vm_fault *vmf,
			      unsigned int chunk)
{
	struct vm_area_struct *vma = vmf->vma;
	bool write = vmf->flags & FAULT_FLAG_WRITE;
	bool pages = !has_pfn_entries(vma);

	buf->shown = true;
	if (buf->policy == VDB_POLICY_WRITECOMBINE && vdb_coherency_bypass(buf))
		return pgprot_writecombine(entry_prot(vma, true));
	if (buf->policy == VDB_POLICY_EXPLICIT) {
		buf->unsynced |= write;
		vdb_synccheck_touched(buf, write);
	} else {
		vdb_coherency_fault(buf, chunk,
				    pages && vma->vm_flags & VM_MAYWRITE,
				    write);
	}
	return entry_prot(vma, write);
}

static vm_fault_t vdb_vm_fault(struct vm_fault *vmf)
{
	struct vdb_buffer *buf = shown_by(vmf->vma);
	unsigned int chunk = vmf->pgoff >> VDB_CHUNK_ORDER;
	vm_fault_t ret;
	pgprot_t prot;

	if (vmf->pgoff >= buf->storage.nr_pages)
		return VM_FAULT_SIGBUS;

	vdb_stat_add(VDB_FAULTS, 1);
	trace_vdb_fault(buf, vmf->pgoff, false);
	mutex_lock(&buf->lock);
	prot = prepare_chunk(buf, vmf, chunk);
	ret = insert_chunk(buf, vmf, chunk, prot);
	mutex_unlock(&buf->lock);
	return ret;
}

/*
 * The first write to a page that was entered to be read: the whole chunk can be
 * written from now on.
 */
static vm_fault_t vdb_vm_pfn_mkwrite(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct vdb_buffer *buf = shown_by(vma);
	unsigned int chunk = vmf->pgoff >> VDB_CHUNK_ORDER;
	vm_fault_t ret;
	pgprot_t prot;

	vdb_stat_add(VDB_WRITE_FAULTS, 1);
	trace_vdb_fault(buf, vmf->pgoff, true);
	mutex_lock(&buf->lock);
	prot = prepare_chunk(buf, vmf, chunk);
	remove_chunk(buf, chunk);
	ret = insert_chunk(buf, vmf, chunk, prot);
	mutex_unlock(&buf->lock);
	return ret;
}

/* A copy: fork, mremap, or what a partial munmap or mprotect has split. */
static void vdb_vm_open(struct vm_area_struct *vma)
{
	struct vdb_buffer *buf = shown_by(vma);

	mutex_lock(&buf->lock);
	vdb_coherency_mapped(buf);
	mutex_unlock(&buf->lock);
}

static void vdb_vm_close(struct vm_area_struct *vma)
{
	struct vdb_buffer *buf = shown_by(vma);

	mutex_lock(&buf->lock);
	vdb_coherency_unmapped(buf);
	mutex_unlock(&buf->lock);
}

static const struct vm_operations_struct vdb_vm_page_ops = {
	.open = vdb_vm_open,
	.close = vdb_vm_close,
	.fault = vdb_vm_fault,
};

static const struct vm_operations_struct vdb_vm_pfn_ops = {
	.open = vdb_vm_open,
	.close = vdb_vm_close,
	.fault = vdb_vm_fault,
	.pfn_mkwrite = vdb_vm_pfn_mkwrite,
};

/**
 * vdb_mapping_mmap - map a buffer into a process, chunk by chunk as it touches it
 * @buf: the buffer
 * @vma: its file is a dma-buf of this buffer, its offset the buffer's
 *
 * Nothing is entered here: the vma is not yet known to the inode, and a
 * shoot-down would miss it.
 *
 * A private mapping is a shared one for reading: a copy on write would never see
 * the device's bytes.
 *
 * Context: process; mmap_lock held for writing.
 * Return: 0, or -EINVAL for a private mapping that is to be written.
 */
int vdb_mapping_mmap(struct vdb_buffer *buf, struct vm_area_struct *vma)
{
	unsigned long flags = VM_DONTEXPAND | VM_DONTDUMP;
	bool pfns;

	if (!(vma->vm_flags & VM_MAYSHARE)) {
		if (vma->vm_flags & VM_WRITE)
			return -EINVAL;
		vdb_vm_flags_clear(vma, VM_MAYWRITE);
	}

	mutex_lock(&buf->lock);
	/* Pages of a device's area are not for keeping either. */
	pfns = buf->engine.outside || buf->storage.dma_dev ||
	       buf->policy == VDB_POLICY_SHOOTDOWN ||
	       buf->policy == VDB_POLICY_WRITECOMBINE;
	if (!pfns)
		buf->real_pages = true;
	vdb_coherency_mapped(buf);
	mutex_unlock(&buf->lock);
	vdb_vm_flags_set(vma, flags | (pfns ? VM_PFNMAP : VM_MIXEDMAP));
	vma->vm_ops = pfns ? &vdb_vm_pfn_ops : &vdb_vm_page_ops;
	return 0;
}

/* A block that the kernel has mapped anyway. */
static void *linear_address(const struct vdb_storage *st)
{
	unsigned int i;

	for (i = 0; i < st->nr_pages; i++)
		if (PageHighMem(st->pages[i]) ||
		    page_to_pfn(st->pages[i]) != page_to_pfn(st->pages[0]) + i)
			return NULL;
	return page_address(st->pages[0]);
}

static void *map_pages(const struct vdb_storage *st)
{
	return linear_address(st) ?: vmap(st->pages, st->nr_pages, VM_MAP,
					  PAGE_KERNEL);
}

static void unmap_pages(void *vaddr)
{
	if (is_vmalloc_addr(vaddr))
		vunmap(vaddr);
}

/**
 * vdb_mapping_vmap - map a buffer into the kernel, or share the mapping
 * @buf: the buffer
 * @bracketed: the user brackets its access with begin/end_cpu_access
 *
 * Context: process; may sleep; takes vdb_buffer.lock.
 * Return: the address, or NULL without memory.
 */
void *vdb_mapping_vmap(struct vdb_buffer *buf, bool bracketed)
{
	void *vaddr;

	mutex_lock(&buf->lock);
	if (!buf->vmaps)
		buf->vaddr = map_pages(&buf->storage);
	vaddr = buf->vaddr;
	if (vaddr) {
		buf->vmaps++;
		vdb_stat_add(VDB_VMAPS, 1);
		if (bracketed)
			vdb_coherency_vmap(buf);
	}
	mutex_unlock(&buf->lock);
	return vaddr;
}
EXPORT_SYMBOL_VDB_KUNIT(vdb_mapping_vmap);

/**
 * vdb_mapping_vunmap - undo one vdb_mapping_vmap()
 * @buf: the buffer
 * @bracketed: as it was given there
 *
 * Context: process; may sleep; takes vdb_buffer.lock.
 */
void vdb_mapping_vunmap(struct vdb_buffer *buf, bool bracketed)
{
	mutex_lock(&buf->lock);
	if (bracketed)
		vdb_coherency_vunmap(buf);
	if (!--buf->vmaps) {
		unmap_pages(buf->vaddr);
		buf->vaddr = NULL;
	}
	mutex_unlock(&buf->lock);
}
EXPORT_SYMBOL_VDB_KUNIT(vdb_mapping_vunmap);
