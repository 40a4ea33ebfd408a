// SPDX-License-Identifier: GPL-2.0-only
/*
 * The CPU's mappings of a buffer: of processes, page by page, and the kernel's.
 *
 * All user mappings, made through the V4L2 node or the dma-buf, belong to the
 * dma-buf's inode, so that one call takes them away before a device gets the
 * buffer. Entries come back by page faults, which bring the bytes up to date.
 * State and entries change under vdb_buffer.lock: a fault that runs beside a
 * shoot-down comes either before it and is undone, or after it and waits.
 */
#include <linux/mm.h>
#include <linux/vmalloc.h>

#include "compat.h"
#include "internal.h"
#include "trace.h"

static bool has_pfn_entries(struct vm_area_struct *vma)
{
	return vma->vm_flags & VM_PFNMAP;
}

static vm_fault_t insert(struct vm_area_struct *vma, unsigned long addr,
			 struct page *page)
{
	int ret;

	if (has_pfn_entries(vma))
		return vmf_insert_pfn(vma, addr, page_to_pfn(page));

	ret = vm_insert_page(vma, addr, page);
	/* Some other thread was here first. */
	if (!ret || ret == -EBUSY)
		return VM_FAULT_NOPAGE;
	return ret == -ENOMEM ? VM_FAULT_OOM : VM_FAULT_SIGBUS;
}

static vm_fault_t insert_chunk(struct vdb_buffer *buf, struct vm_fault *vmf,
			       unsigned int chunk)
{
	struct vm_area_struct *vma = vmf->vma;
	pgoff_t start = max_t(pgoff_t, chunk * VDB_CHUNK_PAGES, vma->vm_pgoff);
	pgoff_t end = min3((pgoff_t)(chunk + 1) * VDB_CHUNK_PAGES,
			   (pgoff_t)buf->storage.nr_pages,
			   vma->vm_pgoff + vma_pages(vma));
	pgoff_t i;
	vm_fault_t ret;

	/* The page that is wanted decides; its neighbours are a favour. */
	ret = insert(vma, vmf->address & PAGE_MASK,
		     buf->storage.pages[vmf->pgoff]);
	for (i = start; i < end && ret == VM_FAULT_NOPAGE; i++)
		if (i != vmf->pgoff &&
		    insert(vma, vma->vm_start +
			   ((i - vma->vm_pgoff) << PAGE_SHIFT),
			   buf->storage.pages[i]) != VM_FAULT_NOPAGE)
			break;
	return ret;
}

/**
 * vdb_mapping_uncached - whether processes see memory past the caches
 * @buf: the buffer
 *
 * Bounce buffers are copies: not to cache the original is of no use there. And
 * who has mapped it when all was coherent keeps the caches.
 *
 * Context: any. Return: true if nothing needs synchronising for processes.
 */
bool vdb_mapping_uncached(struct vdb_buffer *buf)
{
	return buf->policy == VDB_POLICY_WRITECOMBINE &&
	       !READ_ONCE(buf->cached) &&
	       READ_ONCE(buf->incoherent) &&
	       READ_ONCE(buf->incoherent) == READ_ONCE(buf->memory_views);
}

static vm_fault_t vdb_vm_fault(struct vm_fault *vmf)
{
	struct vdb_buffer *buf = vmf->vma->vm_private_data;
	unsigned int chunk = vmf->pgoff >> VDB_CHUNK_ORDER;
	unsigned long flags;
	vm_fault_t ret;

	if (vmf->pgoff >= buf->storage.nr_pages)
		return VM_FAULT_SIGBUS;

	vdb_stat_add(VDB_FAULTS, 1);
	trace_vdb_fault(buf, vmf->pgoff, false);
	mutex_lock(&buf->lock);
	spin_lock_irqsave(&buf->state_lock, flags);
	__set_bit(chunk, buf->mapped);
	spin_unlock_irqrestore(&buf->state_lock, flags);
	if (buf->policy == VDB_POLICY_EXPLICIT)
		vdb_synccheck_touched(buf, vmf->flags & FAULT_FLAG_WRITE);
	else if (!vdb_mapping_uncached(buf))
		vdb_coherency_cpu_begin(buf, chunk, chunk + 1);
	/* Writes to real pages are not reported, even if mprotect() comes first. */
	if (!has_pfn_entries(vmf->vma)) {
		if (vmf->flags & FAULT_FLAG_WRITE)
			vdb_coherency_cpu_writes(buf, chunk, chunk + 1);
		else if (vmf->vma->vm_flags & VM_MAYWRITE)
			vdb_coherency_cpu_may_write(buf, chunk, chunk + 1);
	}
	ret = insert_chunk(buf, vmf, chunk);
	mutex_unlock(&buf->lock);
	return ret;
}

/*
 * The first write to a page. If a shoot-down gets in before the entry becomes
 * writable, the entry is gone, and the fault is taken again.
 */
static vm_fault_t vdb_vm_pfn_mkwrite(struct vm_fault *vmf)
{
	struct vdb_buffer *buf = vmf->vma->vm_private_data;
	unsigned int chunk = vmf->pgoff >> VDB_CHUNK_ORDER;

	vdb_stat_add(VDB_WRITE_FAULTS, 1);
	trace_vdb_fault(buf, vmf->pgoff, true);
	mutex_lock(&buf->lock);
	vdb_coherency_cpu_writes(buf, chunk, chunk + 1);
	mutex_unlock(&buf->lock);
	return 0;
}

/* A copy: fork, mremap, or what a partial munmap or mprotect has split. */
static void vdb_vm_open(struct vm_area_struct *vma)
{
	struct vdb_buffer *buf = vma->vm_private_data;

	atomic_inc(&buf->user_mappings);
}

static void vdb_vm_close(struct vm_area_struct *vma)
{
	struct vdb_buffer *buf = vma->vm_private_data;

	atomic_dec(&buf->user_mappings);
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
 * vdb_mapping_mmap - map a buffer into a process, page by page as it touches it
 * @buf: the buffer
 * @vma: its file is a dma-buf of this buffer, its offset the buffer's
 *
 * Nothing is entered here: the vma is not yet known to the inode, and a
 * shoot-down would miss it. Where devices are coherent, real pages are mapped,
 * which can be pinned (O_DIRECT, vmsplice); elsewhere page frames, which can't,
 * but whose first write is reported.
 *
 * Context: process; mmap_lock held for writing.
 * Return: 0, or -EINVAL for a private mapping: a copy on write would never see
 * the device's bytes.
 */
int vdb_mapping_mmap(struct vdb_buffer *buf, struct vm_area_struct *vma)
{
	unsigned long flags = VM_DONTEXPAND | VM_DONTDUMP;
	bool pfns;

	if (!(vma->vm_flags & VM_MAYSHARE))
		return -EINVAL;

	/* Pages of a device's area are not for keeping either. */
	pfns = READ_ONCE(buf->incoherent) || buf->storage.dma_dev ||
	       buf->policy == VDB_POLICY_SHOOTDOWN;
	if (vdb_mapping_uncached(buf))
		vma->vm_page_prot = pgprot_writecombine(vma->vm_page_prot);
	else
		WRITE_ONCE(buf->cached, true);
	vdb_vm_flags_set(vma, flags | (pfns ? VM_PFNMAP : VM_MIXEDMAP));
	vma->vm_ops = pfns ? &vdb_vm_pfn_ops : &vdb_vm_page_ops;
	vma->vm_private_data = buf;
	atomic_inc(&buf->user_mappings);
	return 0;
}

/**
 * vdb_mapping_hand_over - processes may not look without being noticed now
 * @buf: the buffer, about to be used by a device
 *
 * Takes mappings away where the policy says so. Where the application has
 * promised to bracket its access they stay, unless that is being checked.
 *
 * Context: process; vdb_buffer.lock held; may sleep.
 */
void vdb_mapping_hand_over(struct vdb_buffer *buf)
{
	bool wanted = READ_ONCE(buf->incoherent) ||
		      buf->policy == VDB_POLICY_SHOOTDOWN;

	if (buf->policy == VDB_POLICY_EXPLICIT)
		wanted = wanted && vdb_synccheck_enabled(buf);
	if (wanted && !vdb_mapping_uncached(buf))
		vdb_mapping_zap(buf);
}

/**
 * vdb_mapping_zap - take all user mappings' entries away
 * @buf: the buffer
 *
 * Context: process; vdb_buffer.lock held; may sleep.
 */
void vdb_mapping_zap(struct vdb_buffer *buf)
{
	unsigned long flags;

	lockdep_assert_held(&buf->lock);
	if (bitmap_empty(buf->mapped, buf->nr_chunks))
		return;
	unmap_mapping_range(buf->dbuf->file->f_mapping, 0, 0, 1);
	spin_lock_irqsave(&buf->state_lock, flags);
	bitmap_zero(buf->mapped, buf->nr_chunks);
	spin_unlock_irqrestore(&buf->state_lock, flags);
	vdb_stat_add(VDB_SHOOTDOWNS, 1);
	trace_vdb_shootdown(buf);
}

/**
 * vdb_mapping_vmap - map a buffer into the kernel, or share the mapping
 * @buf: the buffer
 * @hold: the user does not bracket its access with begin/end_cpu_access, so
 *	the bytes are kept up to date at the queue's hand-overs
 *
 * Context: process; may sleep; takes vdb_buffer.lock.
 * Return: the address, or NULL without memory.
 */
void *vdb_mapping_vmap(struct vdb_buffer *buf, bool hold)
{
	unsigned long flags;
	void *vaddr;

	mutex_lock(&buf->lock);
	if (!buf->vmaps)
		buf->vaddr = vmap(buf->storage.pages, buf->storage.nr_pages,
				  VM_MAP, PAGE_KERNEL);
	vaddr = buf->vaddr;
	if (vaddr) {
		buf->vmaps++;
		buf->vmapped = true;
		vdb_stat_add(VDB_VMAPS, 1);
		if (hold) {
			spin_lock_irqsave(&buf->state_lock, flags);
			buf->held++;
			spin_unlock_irqrestore(&buf->state_lock, flags);
			vdb_coherency_cpu_begin(buf, 0, buf->nr_chunks);
		}
	}
	mutex_unlock(&buf->lock);
	return vaddr;
}
EXPORT_SYMBOL_VDB_KUNIT(vdb_mapping_vmap);

/**
 * vdb_mapping_vunmap - undo one vdb_mapping_vmap()
 * @buf: the buffer
 * @hold: as it was given there
 *
 * Context: process; may sleep; takes vdb_buffer.lock.
 */
void vdb_mapping_vunmap(struct vdb_buffer *buf, bool hold)
{
	unsigned long flags;

	mutex_lock(&buf->lock);
	if (hold) {
		spin_lock_irqsave(&buf->state_lock, flags);
		buf->held--;
		if (buf->incoherent) {
			bitmap_complement(buf->dirty, buf->stale,
					  buf->nr_chunks);
			bitmap_zero(buf->suspect, buf->nr_chunks);
		}
		spin_unlock_irqrestore(&buf->state_lock, flags);
	}
	if (!--buf->vmaps) {
		vunmap(buf->vaddr);
		buf->vaddr = NULL;
	}
	mutex_unlock(&buf->lock);
}
EXPORT_SYMBOL_VDB_KUNIT(vdb_mapping_vunmap);
