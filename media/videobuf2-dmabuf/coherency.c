// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who has the newest bytes of a buffer, and who must be told.
 *
 * The CPU, memory and each bounce buffer may hold different bytes for the same
 * buffer (enum vdb_view). Two bitmaps say, in chunks, how they differ:
 *
 *	stale	the writer's view is newer than the CPU's
 *	dirty	the CPU's view is newer than the devices'
 *
 * A chunk is never both: the CPU is brought up to date before it writes. And
 * but for these all mapped devices agree: what one device wrote is passed on
 * to those that look elsewhere as soon as it is known, because a device that
 * keeps its mapping asks nobody before it reads.
 *
 * Devices of our own queues say when they have written (tracked). Others may
 * write whenever they are mapped for it; the one mapped last is taken to be
 * the one that does. Two of those at once can't be told apart; asking all of
 * them would let an idle bounce buffer overwrite fresh bytes.
 *
 * A frame takes milliseconds to synchronise, so who may sleep does it piece by
 * piece and lets interrupts in between; vdb_buffer.lock keeps others from making
 * more of it meanwhile. A device that finishes then has the newer bytes anyway.
 *
 * Directions given to the DMA API are those of the mapping, as it demands
 * (Documentation/core-api/dma-api.rst), never those of the caller.
 */
#include <linux/bitmap.h>
#include <linux/dma-direct.h>
#include <linux/dma-map-ops.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <xen/xen.h>

#include "compat.h"
#include "internal.h"
#include "trace.h"

/**
 * vdb_coherency_init - a new buffer: the CPU's bytes are the newest
 * @buf: its size is set
 *
 * Return: 0 or -ENOMEM.
 */
int vdb_coherency_init(struct vdb_buffer *buf)
{
	unsigned int longs;

	spin_lock_init(&buf->state_lock);
	buf->nr_chunks = DIV_ROUND_UP(buf->size, VDB_CHUNK_SIZE);
	longs = BITS_TO_LONGS(buf->nr_chunks);
	buf->mapped = kcalloc(4 * longs, sizeof(long), GFP_KERNEL);
	if (!buf->mapped)
		return -ENOMEM;
	buf->stale = buf->mapped + longs;
	buf->dirty = buf->stale + longs;
	buf->suspect = buf->dirty + longs;
	return 0;
}

/**
 * vdb_coherency_free - undo vdb_coherency_init()
 * @buf: nothing is mapped any more
 */
void vdb_coherency_free(struct vdb_buffer *buf)
{
	kfree(buf->mapped);
}

/* Does a device behind no bus of its own see the pages, or a copy of them? */
static bool bounced(struct vdb_attachment *att)
{
	struct device *dev = att->dev;
	struct scatterlist *sg;
	unsigned int i, page = 0;

	if (xen_domain())
		return true;
	/* What translates need not copy, but for devices it must not trust. */
	if (get_dma_ops(dev) || device_iommu_mapped(dev))
		return dev_is_pci(dev) && to_pci_dev(dev)->untrusted;

	for_each_sgtable_dma_sg(&att->sgt, sg, i) {
		if (dma_to_phys(dev, sg_dma_address(sg)) !=
		    page_to_phys(att->buf->storage.pages[page]))
			return true;
		page += sg_dma_len(sg) >> PAGE_SHIFT;
	}
	return false;
}

static enum vdb_view classify(struct vdb_attachment *att)
{
	struct scatterlist *sg;
	unsigned int i;

	for_each_sgtable_dma_sg(&att->sgt, sg, i)
		if (dma_need_sync(att->dev, sg_dma_address(sg)))
			break;
	if (i == att->sgt.nents)
		return VDB_VIEW_CPU;
	if (bounced(att))
		return VDB_VIEW_PRIVATE;
	/* Old kernels want a sync behind any IOMMU, which then does nothing. */
	return device_iommu_mapped(att->dev) && dev_is_dma_coherent(att->dev) ?
	       VDB_VIEW_CPU : VDB_VIEW_MEMORY;
}

/* Nothing had to be done where something might have been. */
static void elide(struct vdb_buffer *buf)
{
	vdb_stat_add(VDB_SYNCS_ELIDED, 1);
	trace_vdb_elide(buf);
}

static void sync_bytes(struct vdb_attachment *att, dma_addr_t addr, size_t len,
		       bool for_cpu)
{
	if (for_cpu)
		dma_sync_single_for_cpu(att->dev, addr, len, att->dma_dir);
	else
		dma_sync_single_for_device(att->dev, addr, len, att->dma_dir);
}

static void sync_chunks(struct vdb_attachment *att, unsigned int first,
			unsigned int last, bool for_cpu)
{
	struct vdb_buffer *buf = att->buf;
	size_t from = first * VDB_CHUNK_SIZE;
	size_t to = min_t(size_t, last * VDB_CHUNK_SIZE, buf->size);
	struct scatterlist *sg;
	size_t at = 0;
	unsigned int i;

	lockdep_assert_held(&buf->state_lock);
	vdb_stat_add(for_cpu ? VDB_SYNCS_FOR_CPU : VDB_SYNCS_FOR_DEVICE, 1);
	vdb_stat_add(VDB_BYTES_SYNCED, to - from);
	trace_vdb_sync(att, from, to, for_cpu);

	for_each_sgtable_dma_sg(&att->sgt, sg, i) {
		size_t end = at + sg_dma_len(sg);
		size_t start = max(at, from);

		if (at >= to)
			break;
		if (end > from)
			sync_bytes(att, sg_dma_address(sg) + (start - at),
				   min(end, to) - start, for_cpu);
		at = end;
	}
}

static bool writes(enum dma_data_direction dir)
{
	return dir == DMA_FROM_DEVICE || dir == DMA_BIDIRECTIONAL;
}

/* A queue's device has the buffer to write: what others wrote is obsolete. */
static bool being_written(struct vdb_buffer *buf)
{
	struct vdb_attachment *att;

	list_for_each_entry(att, &buf->attachments, node)
		if (att->writing)
			return true;
	return false;
}

static bool may_write_silently(struct vdb_attachment *att)
{
	return att->maps && !att->tracked && writes(att->dir);
}

/* A device that may have written without telling: a coherent one, or another. */
static struct vdb_attachment *silent_writer(struct vdb_buffer *buf,
					    bool coherent)
{
	struct vdb_attachment *att;

	if (being_written(buf))
		return NULL;
	list_for_each_entry(att, &buf->attachments, node) {
		bool shares = att->view == VDB_VIEW_CPU;

		if (may_write_silently(att) && shares == coherent)
			return att;
	}
	return NULL;
}

/* What is in neither bitmap may have been written by who tells nobody. */
static bool fetch_unmarked(struct vdb_attachment *silent, unsigned int first,
			   unsigned int last)
{
	struct vdb_buffer *buf = silent->buf;
	unsigned int b, e;
	bool any = false;

	for (b = first; b < last; b = e) {
		e = b + 1;
		if (test_bit(b, buf->dirty) || test_bit(b, buf->stale))
			continue;
		while (e < last && !test_bit(e, buf->dirty) &&
		       !test_bit(e, buf->stale))
			e++;
		sync_chunks(silent, b, e, true);
		any = true;
	}
	return any;
}

/* What the last writer has told of. */
static bool fetch_stale(struct vdb_buffer *buf, unsigned int first,
			unsigned int last)
{
	unsigned int b, e = first;
	bool any = false;

	while (buf->writer && e < last) {
		b = find_next_bit(buf->stale, last, e);
		e = find_next_zero_bit(buf->stale, last, b);
		if (b >= last)
			break;
		sync_chunks(buf->writer, b, e, true);
		bitmap_clear(buf->stale, b, e - b);
		any = true;
	}
	return any;
}

/* Bring the CPU's view of some chunks up to date; false if it was. */
static bool refresh_some(struct vdb_buffer *buf, unsigned int first,
			 unsigned int last)
{
	struct vdb_attachment *silent = silent_writer(buf, false);
	bool any = silent && fetch_unmarked(silent, first, last);

	return fetch_stale(buf, first, last) || any;
}

/* The same, counted; vdb_coherency_cpu_begin() does it by pieces. */
static void refresh_cpu(struct vdb_buffer *buf, unsigned int first,
			unsigned int last)
{
	if (!refresh_some(buf, first, last))
		elide(buf);
}

/* Bring a device's view of some chunks up to date with the CPU's. */
static void refresh_device(struct vdb_attachment *att, unsigned int first,
			   unsigned int last)
{
	if (att->maps && att->view != VDB_VIEW_CPU)
		sync_chunks(att, first, last, false);
}

static void forget_dirty(struct vdb_buffer *buf)
{
	bitmap_zero(buf->dirty, buf->nr_chunks);
	bitmap_zero(buf->suspect, buf->nr_chunks);
}

/* Hand over the first dirty chunks, so many at most; false if there are none. */
static bool flush_some(struct vdb_buffer *buf, unsigned int most)
{
	unsigned int b = find_first_bit(buf->dirty, buf->nr_chunks);
	unsigned int e = find_next_zero_bit(buf->dirty, buf->nr_chunks, b);
	struct vdb_attachment *att;

	if (b >= buf->nr_chunks)
		return false;
	e = min(e, b + most);
	list_for_each_entry(att, &buf->attachments, node)
		refresh_device(att, b, e);
	bitmap_clear(buf->dirty, b, e - b);
	bitmap_clear(buf->suspect, b, e - b);
	return true;
}

static void flush_dirty(struct vdb_buffer *buf)
{
	bool any = false;

	while (flush_some(buf, buf->nr_chunks))
		any = true;
	if (!any)
		elide(buf);
}

/* @all: the CPU may have written everywhere, or who shares its view. */
static void mark_dirty(struct vdb_buffer *buf, bool all)
{
	if (all)
		bitmap_fill(buf->dirty, buf->nr_chunks);
	/* Bytes that were never fetched must not be passed on. */
	bitmap_andnot(buf->dirty, buf->dirty, buf->stale, buf->nr_chunks);
	bitmap_and(buf->suspect, buf->suspect, buf->dirty, buf->nr_chunks);
}

/* By pieces; takes state_lock. @all as above. */
static void flush_by_pieces(struct vdb_buffer *buf, bool all)
{
	unsigned long flags;
	bool any = false;

	lockdep_assert_held(&buf->lock);
	spin_lock_irqsave(&buf->state_lock, flags);
	mark_dirty(buf, all);
	while (flush_some(buf, VDB_PIECE_CHUNKS)) {
		any = true;
		spin_unlock_irqrestore(&buf->state_lock, flags);
		spin_lock_irqsave(&buf->state_lock, flags);
	}
	spin_unlock_irqrestore(&buf->state_lock, flags);
	if (!any)
		elide(buf);
}

/* Pass on what a device wrote to those that look elsewhere. */
static void pass_on(struct vdb_buffer *buf, struct vdb_attachment *from)
{
	struct vdb_attachment *att;
	bool fresh = from->view == VDB_VIEW_CPU;

	list_for_each_entry(att, &buf->attachments, node) {
		if (!att->maps || att == from ||
		    (att->view == from->view && att->view != VDB_VIEW_PRIVATE))
			continue;
		if (!fresh)
			refresh_cpu(buf, 0, buf->nr_chunks);
		fresh = true;
		refresh_device(att, 0, buf->nr_chunks);
	}
}

static void account(struct vdb_attachment *att, int n)
{
	struct vdb_buffer *buf = att->buf;

	if (att->view != VDB_VIEW_CPU)
		buf->incoherent += n;
	if (att->view == VDB_VIEW_MEMORY)
		buf->memory_views += n;
}

/*
 * The DMA API knows no two mappings of the same bytes that it synchronises
 * (DMA_API_DEBUG says so), and buffers are shared: it is told not to, and what
 * it would have done is done after.
 */
static int map_sgt(struct vdb_attachment *att)
{
	int ret = dma_map_sgtable(att->dev, &att->sgt, att->dma_dir,
				  DMA_ATTR_SKIP_CPU_SYNC);

	if (ret)
		return ret;
	att->view = classify(att);
	/* Who writes to pages from when all was coherent is not noticed. */
	if (att->view != VDB_VIEW_CPU)
		vdb_mapping_zap(att->buf);
	if (att->view == VDB_VIEW_PRIVATE ||
	    (att->view == VDB_VIEW_MEMORY && !att->buf->memory_views))
		dma_sync_sgtable_for_device(att->dev, &att->sgt, att->dma_dir);
	return 0;
}

/**
 * vdb_coherency_map - map a buffer for a device, with the newest bytes
 * @att: the device's attachment, not mapped; its table is made
 * @dir: the direction
 *
 * Where another device looks at memory already, memory is up to date, and the
 * CPU's caches are left alone: what is in them may be older than what that
 * device is just writing.
 *
 * A device that only writes is mapped for both directions: handing a buffer
 * over for DMA_FROM_DEVICE need not put the CPU's bytes where devices see them
 * (some caches drop them), and what the device leaves out, or another device
 * reads, would be lost.
 *
 * Context: process; vdb_buffer.lock held; may sleep.
 * Return: 0, or what dma_map_sgtable() says.
 */
int vdb_coherency_map(struct vdb_attachment *att, enum dma_data_direction dir)
{
	struct vdb_buffer *buf = att->buf;
	unsigned long flags;
	bool all;
	int ret;

	lockdep_assert_held(&buf->lock);
	vdb_mapping_hand_over(buf);

	if (buf->incoherent) {
		vdb_coherency_cpu_begin(buf, 0, buf->nr_chunks);
		spin_lock_irqsave(&buf->state_lock, flags);
		all = silent_writer(buf, true);
		spin_unlock_irqrestore(&buf->state_lock, flags);
		flush_by_pieces(buf, all);
	}

	att->dma_dir = dir == DMA_FROM_DEVICE ? DMA_BIDIRECTIONAL : dir;
	ret = map_sgt(att);
	if (ret)
		return ret;

	spin_lock_irqsave(&buf->state_lock, flags);
	att->dir = dir;
	att->maps = 1;
	list_move(&att->node, &buf->attachments);
	account(att, 1);
	/* A device may have finished a frame meanwhile. */
	if (buf->writer && !bitmap_empty(buf->stale, buf->nr_chunks))
		pass_on(buf, buf->writer);
	spin_unlock_irqrestore(&buf->state_lock, flags);
	return 0;
}

/**
 * vdb_coherency_unmap - unmap a buffer from a device
 * @att: the device's attachment, mapped
 *
 * An unmap synchronises too, even what is older than the CPU's bytes; so the
 * newest bytes are fetched before, if this device has them, and the DMA API
 * is told not to.
 *
 * Context: process; vdb_buffer.lock held.
 */
void vdb_coherency_unmap(struct vdb_attachment *att)
{
	struct vdb_buffer *buf = att->buf;
	unsigned long flags;
	bool fetch, flush;

	lockdep_assert_held(&buf->lock);
	spin_lock_irqsave(&buf->state_lock, flags);
	fetch = buf->writer == att || silent_writer(buf, false) == att;
	flush = !fetch && buf->incoherent && silent_writer(buf, true) &&
		att->view == VDB_VIEW_CPU && may_write_silently(att);
	spin_unlock_irqrestore(&buf->state_lock, flags);
	if (fetch)
		vdb_coherency_cpu_begin(buf, 0, buf->nr_chunks);
	else if (flush)
		flush_by_pieces(buf, true);

	spin_lock_irqsave(&buf->state_lock, flags);
	/* It told nobody: the others don't know either. */
	if (fetch && !att->tracked)
		pass_on(buf, att);
	if (buf->writer == att) {
		fetch_stale(buf, 0, buf->nr_chunks);
		buf->writer = NULL;
	}
	account(att, -1);
	att->maps = 0;
	att->dir = DMA_NONE;
	att->writing = 0;
	/* The next device gets everything when it is mapped. */
	if (!buf->incoherent)
		forget_dirty(buf);
	spin_unlock_irqrestore(&buf->state_lock, flags);

	dma_unmap_sgtable(att->dev, &att->sgt, att->dma_dir,
			  DMA_ATTR_SKIP_CPU_SYNC);
}

/**
 * vdb_coherency_cpu_begin - the CPU is about to look at some chunks
 * @buf: the buffer
 * @first: the first chunk
 * @last: the one after the last
 *
 * Writing is no different: what the CPU does not write of a chunk must be
 * right as well when the chunk goes to a device.
 *
 * Context: any.
 */
void vdb_coherency_cpu_begin(struct vdb_buffer *buf, unsigned int first,
			     unsigned int last)
{
	unsigned long flags;
	unsigned int end;
	bool any = false;

	for (; first < last; first = end) {
		end = min(first + VDB_PIECE_CHUNKS, last);
		spin_lock_irqsave(&buf->state_lock, flags);
		any |= buf->incoherent && refresh_some(buf, first, end);
		spin_unlock_irqrestore(&buf->state_lock, flags);
	}
	if (!any)
		elide(buf);
}
EXPORT_SYMBOL_VDB_KUNIT(vdb_coherency_cpu_begin);

/**
 * vdb_coherency_cpu_writes - the CPU may write to some chunks from now on
 * @buf: the buffer
 * @first: the first chunk
 * @last: the one after the last
 *
 * Context: any, after vdb_coherency_cpu_begin() for these chunks.
 */
void vdb_coherency_cpu_writes(struct vdb_buffer *buf, unsigned int first,
			      unsigned int last)
{
	unsigned long flags;

	spin_lock_irqsave(&buf->state_lock, flags);
	if (buf->incoherent) {
		bitmap_set(buf->dirty, first, last - first);
		bitmap_clear(buf->suspect, first, last - first);
	}
	spin_unlock_irqrestore(&buf->state_lock, flags);
}
EXPORT_SYMBOL_VDB_KUNIT(vdb_coherency_cpu_writes);

/**
 * vdb_coherency_cpu_may_write - the CPU reads some chunks, and nobody will be
 *	told if it writes to them
 * @buf: the buffer
 * @first: the first chunk
 * @last: the one after the last
 *
 * They count as written, until vdb_coherency_cpu_only_read().
 *
 * Context: any, after vdb_coherency_cpu_begin() for these chunks.
 */
void vdb_coherency_cpu_may_write(struct vdb_buffer *buf, unsigned int first,
				 unsigned int last)
{
	unsigned long flags;

	spin_lock_irqsave(&buf->state_lock, flags);
	for (; buf->incoherent && first < last; first++)
		if (!__test_and_set_bit(first, buf->dirty))
			__set_bit(first, buf->suspect);
	spin_unlock_irqrestore(&buf->state_lock, flags);
}
EXPORT_SYMBOL_VDB_KUNIT(vdb_coherency_cpu_may_write);

/**
 * vdb_coherency_cpu_only_read - who may have written has said that it did not
 * @buf: the buffer
 *
 * Were its bytes handed over all the same, they could overwrite what a device
 * has written meanwhile. To be followed by vdb_coherency_cpu_end(), which
 * takes the mappings away. Not while others access the buffer, who may write.
 *
 * Context: process; vdb_buffer.lock held.
 */
void vdb_coherency_cpu_only_read(struct vdb_buffer *buf)
{
	unsigned long flags;

	lockdep_assert_held(&buf->lock);
	spin_lock_irqsave(&buf->state_lock, flags);
	if (!buf->cpu_users) {
		bitmap_andnot(buf->dirty, buf->dirty, buf->suspect,
			      buf->nr_chunks);
		bitmap_zero(buf->suspect, buf->nr_chunks);
	}
	spin_unlock_irqrestore(&buf->state_lock, flags);
}
EXPORT_SYMBOL_VDB_KUNIT(vdb_coherency_cpu_only_read);

/**
 * vdb_coherency_cpu_end - the CPU is done; what it wrote is for the devices
 * @buf: the buffer
 * @written: it may have written anywhere, and not only where
 *	vdb_coherency_cpu_writes() was told
 *
 * User mappings go away where they could show a device's bytes too late.
 *
 * Context: process; vdb_buffer.lock held.
 */
void vdb_coherency_cpu_end(struct vdb_buffer *buf, bool written)
{
	lockdep_assert_held(&buf->lock);
	vdb_mapping_hand_over(buf);
	if (buf->incoherent)
		flush_by_pieces(buf, written);
	else
		elide(buf);
}
EXPORT_SYMBOL_VDB_KUNIT(vdb_coherency_cpu_end);

/**
 * vdb_coherency_cpu_drew - a driver's CPU has made a frame (vb2_buffer_done())
 * @buf: the buffer
 *
 * The driver did not say when it began, and processes may go on with their
 * mappings: theirs are the CPU's bytes as well.
 *
 * Context: any, hard interrupt included.
 */
void vdb_coherency_cpu_drew(struct vdb_buffer *buf)
{
	unsigned long flags;

	spin_lock_irqsave(&buf->state_lock, flags);
	if (buf->incoherent) {
		mark_dirty(buf, true);
		flush_dirty(buf);
	} else {
		elide(buf);
	}
	spin_unlock_irqrestore(&buf->state_lock, flags);
}
EXPORT_SYMBOL_VDB_KUNIT(vdb_coherency_cpu_drew);

/*
 * A device that is about to read must see what another one may have written
 * without telling, and who looks elsewhere does not see it by itself. What a
 * coherent one writes are the CPU's bytes.
 */
static void fetch_silent(struct vdb_attachment *reader)
{
	struct vdb_buffer *buf = reader->buf;
	struct vdb_attachment *att;
	unsigned long flags;

	if (reader->dir == DMA_FROM_DEVICE)
		return;
	list_for_each_entry(att, &buf->attachments, node)
		if (att != reader && may_write_silently(att))
			goto found;
	return;

found:
	if (att->view != VDB_VIEW_CPU) {
		spin_lock_irqsave(&buf->state_lock, flags);
		pass_on(buf, att);
		spin_unlock_irqrestore(&buf->state_lock, flags);
	} else if (reader->view != VDB_VIEW_CPU) {
		flush_by_pieces(buf, true);
	}
}

/**
 * vdb_coherency_device_begin - a queue gives its buffer to the device (QBUF)
 * @att: the queue's attachment
 * @clean: false where user space promises that the CPU wrote nothing
 *	(V4L2_BUF_FLAG_NO_CACHE_CLEAN)
 *
 * Context: process; may sleep.
 */
void vdb_coherency_device_begin(struct vdb_attachment *att, bool clean)
{
	struct vdb_buffer *buf = att->buf;
	unsigned long flags;
	bool explicit;

	/* Until all is flushed nobody may come back and write unnoticed. */
	mutex_lock(&buf->lock);
	vdb_mapping_hand_over(buf);
	explicit = buf->policy == VDB_POLICY_EXPLICIT && !buf->held;
	spin_lock_irqsave(&buf->state_lock, flags);
	buf->device_owned = true;
	if (explicit)
		vdb_synccheck_queued(buf);
	else if (!clean)
		forget_dirty(buf);
	spin_unlock_irqrestore(&buf->state_lock, flags);

	if (!buf->incoherent)
		elide(buf);
	else if (clean && !explicit)
		/* A driver that holds a kernel mapping tells nobody. */
		flush_by_pieces(buf, buf->held);
	if (buf->incoherent)
		fetch_silent(att);

	spin_lock_irqsave(&buf->state_lock, flags);
	if (writes(att->dir))
		att->writing++;
	spin_unlock_irqrestore(&buf->state_lock, flags);
	mutex_unlock(&buf->lock);
}
EXPORT_SYMBOL_VDB_KUNIT(vdb_coherency_device_begin);

/**
 * vdb_coherency_device_end - the device is done with its buffer
 * @att: the queue's attachment
 * @invalidate: false where user space promises not to read
 *	(V4L2_BUF_FLAG_NO_CACHE_INVALIDATE)
 *
 * The CPU gets the bytes when it looks; at once only where it may look without
 * being noticed: through page table entries that came back while the device
 * had the buffer, or a driver's kernel mapping.
 *
 * Context: any, hard interrupt included.
 */
void vdb_coherency_device_end(struct vdb_attachment *att, bool invalidate)
{
	struct vdb_buffer *buf = att->buf;
	unsigned long flags;
	unsigned int b, e;

	spin_lock_irqsave(&buf->state_lock, flags);
	buf->device_owned = false;
	if (att->writing)
		att->writing--;
	if (!buf->incoherent || !writes(att->dir)) {
		elide(buf);
		goto out;
	}

	forget_dirty(buf);
	if (att->view == VDB_VIEW_CPU) {
		bitmap_zero(buf->stale, buf->nr_chunks);
		buf->writer = NULL;
	} else {
		bitmap_fill(buf->stale, buf->nr_chunks);
		buf->writer = att;
	}
	pass_on(buf, att);
	if (!invalidate)
		goto out;
	if (buf->held)
		refresh_cpu(buf, 0, buf->nr_chunks);
	else if (buf->policy != VDB_POLICY_EXPLICIT &&
		 !vdb_mapping_uncached(buf))
		for_each_set_bitrange(b, e, buf->mapped, buf->nr_chunks)
			refresh_cpu(buf, b, e);
out:
	spin_unlock_irqrestore(&buf->state_lock, flags);
}
EXPORT_SYMBOL_VDB_KUNIT(vdb_coherency_device_end);
