// SPDX-License-Identifier: GPL-2.0-only
/*
 * A buffer's views, and which of them a device looks through. One that has a
 * copy of its own gets a view of its own; all others share two.
 */
#include <linux/mm.h>
#include <linux/slab.h>

#include "internal.h"

static size_t bitmap_bytes(const struct vdb_buffer *buf)
{
	return BITS_TO_LONGS(buf->engine.nr_chunks) * sizeof(long);
}

/**
 * vdb_views_init - a new buffer: the CPU's bytes are the newest
 * @buf: its size and policy are set
 *
 * Return: 0 or -ENOMEM.
 */
int vdb_views_init(struct vdb_buffer *buf)
{
	struct vdb_engine *e = &buf->engine;
	unsigned long *bitmaps;
	unsigned int i;

	spin_lock_init(&buf->state_lock);
	e->nr_chunks = DIV_ROUND_UP(buf->size, VDB_CHUNK_SIZE);
	e->views = kcalloc(VDB_FIRST_PRIVATE, sizeof(*e->views), GFP_KERNEL);
	if (!e->views)
		return -ENOMEM;
	bitmaps = kcalloc(VDB_FIRST_PRIVATE + VDB_ENGINE_BITMAPS,
			  bitmap_bytes(buf), GFP_KERNEL);
	if (!bitmaps)
		goto err_free_views;
	for (i = 0; i < VDB_FIRST_PRIVATE; i++) {
		e->views[i].newest = bitmaps;
		bitmaps += BITS_TO_LONGS(e->nr_chunks);
	}
	vdb_engine_init(e, e->nr_chunks, bitmaps);
	return 0;

err_free_views:
	kfree(e->views);
	return -ENOMEM;
}

/**
 * vdb_views_free - undo vdb_views_init()
 * @buf: nothing is mapped any more
 */
void vdb_views_free(struct vdb_buffer *buf)
{
	struct vdb_engine *e = &buf->engine;
	unsigned int i;

	for (i = VDB_FIRST_PRIVATE; i < e->nr_views; i++)
		kfree(e->views[i].newest);
	/* The first one's memory is also the others'. */
	kfree(e->views[VDB_CPU].newest);
	kfree(e->views);
	kvfree(buf->noted);
}

/* A view that nobody uses, for a device with a copy of its own. */
static int private_view(struct vdb_buffer *buf)
{
	struct vdb_engine *e = &buf->engine;
	struct vdb_view *views, *old = e->views;
	unsigned long *newest, flags;
	unsigned int i;

	for (i = VDB_FIRST_PRIVATE; i < e->nr_views; i++)
		if (!e->views[i].devices)
			return i;
	views = kcalloc(i + 1, sizeof(*views), GFP_KERNEL);
	if (!views)
		return -ENOMEM;
	newest = kzalloc(bitmap_bytes(buf), GFP_KERNEL);
	if (!newest)
		goto err_free_views;
	/* A frame may end meanwhile. */
	flags = vdb_hand_lock(e);
	memcpy(views, old, i * sizeof(*views));
	views[i].newest = newest;
	e->views = views;
	e->nr_views = i + 1;
	vdb_hand_unlock(e, flags);
	kfree(old);
	return i;

err_free_views:
	kfree(views);
	return -ENOMEM;
}

/**
 * vdb_views_add_writer - one more silent writer is about to come
 * @buf: the buffer
 * @view: through which view
 *
 * Bytes must be told apart if others look elsewhere.
 *
 * Context: process; may sleep; vdb_buffer.lock held.
 * Return: 0, or -ENOMEM if there is no room for what they agree on.
 */
int vdb_views_add_writer(struct vdb_buffer *buf, unsigned int view)
{
	struct vdb_engine *e = &buf->engine;
	unsigned int n = vdb_engine_silent_views(e);

	n += !e->views[view].silent_writers;
	/* Under the explicit policy who holds pages has brackets as well. */
	if (view != VDB_CPU && buf->real_pages &&
	    buf->policy != VDB_POLICY_EXPLICIT)
		n += !e->views[VDB_CPU].silent_writers;
	return n > 1 ? vdb_merge_init(buf) : 0;
}

static int find_view(struct vdb_attachment *att)
{
	att->kind = vdb_sync_kind(att);
	switch (att->kind) {
	case VDB_VIEW_CPU:
		return VDB_CPU;
	case VDB_VIEW_MEMORY:
		return VDB_MEMORY;
	default:
		return private_view(att->buf);
	}
}

/**
 * vdb_views_map - map a buffer's pages for a device, and find its view
 * @att: the device's attachment; its table is made, dma_dir is set
 *
 * The DMA API knows no two mappings of the same bytes that it synchronises
 * (DMA_API_DEBUG says so), and buffers are shared: it is told not to, and what
 * it would have done is done by the engine's moves.
 *
 * Context: process; may sleep; vdb_buffer.lock held.
 * Return: 0, -ENOMEM, or what dma_map_sgtable() says.
 */
int vdb_views_map(struct vdb_attachment *att)
{
	int ret = dma_map_sgtable(att->dev, &att->sgt, att->dma_dir,
				  DMA_ATTR_SKIP_CPU_SYNC);

	if (ret)
		return ret;
	ret = vdb_sync_init(att);
	if (ret)
		goto err_unmap;
	ret = find_view(att);
	if (ret < 0)
		goto err_free_runs;
	att->view = ret;
	ret = 0;
	if (!att->tracked && vdb_can_write(att))
		ret = vdb_views_add_writer(att->buf, att->view);
	if (ret)
		goto err_free_runs;
	return 0;

err_free_runs:
	vdb_sync_free(att);
err_unmap:
	dma_unmap_sgtable(att->dev, &att->sgt, att->dma_dir,
			  DMA_ATTR_SKIP_CPU_SYNC);
	return ret;
}

/**
 * vdb_views_unmap - undo vdb_views_map()
 * @att: the device's attachment; the engine knows nothing of it any more
 *
 * Context: process; vdb_buffer.lock held.
 */
void vdb_views_unmap(struct vdb_attachment *att)
{
	vdb_sync_free(att);
	dma_unmap_sgtable(att->dev, &att->sgt, att->dma_dir,
			  DMA_ATTR_SKIP_CPU_SYNC);
}

/**
 * vdb_views_device - any device that looks through a view
 * @buf: the buffer
 * @view: which view
 * @writer: to fetch bytes, one that may write: for others the DMA API would do
 *	nothing
 *
 * Context: any; vdb_buffer.state_lock held.
 * Return: the device's attachment, or NULL.
 */
struct vdb_attachment *vdb_views_device(struct vdb_buffer *buf,
					unsigned int view, bool writer)
{
	struct vdb_attachment *att;

	list_for_each_entry(att, &buf->attachments, node)
		if (att->maps && att->view == view &&
		    (!writer || vdb_can_write(att)))
			return att;
	return NULL;
}
