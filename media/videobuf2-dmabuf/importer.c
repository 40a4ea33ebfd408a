// SPDX-License-Identifier: GPL-2.0-only
/*
 * A queue's use of a dma-buf, its own or anybody's: attachment and mapping.
 */
#include <linux/fs.h>
#include <linux/slab.h>

#include "internal.h"

static int attach(struct vdb_plane *plane)
{
	struct dma_buf_attachment *att;
	struct vdb_attachment *ours;
	struct sg_table *sgt;

	att = dma_buf_attach(plane->dbuf, plane->dev);
	if (IS_ERR(att)) {
		vdb_notice(plane->dev, "%s does not let it in: error %ld",
			   plane->dbuf->exp_name, PTR_ERR(att));
		return PTR_ERR(att);
	}
	/* Before it is mapped: this device tells what it does. */
	ours = vdb_attachment_of(att);
	if (ours)
		ours->tracked = true;

	sgt = dma_buf_map_attachment_unlocked(att, plane->dir);
	/* What nobody uses must not be in the way: bounce buffers, addresses. */
	if (IS_ERR(sgt) && vdb_cache_make_room(plane->dev))
		sgt = dma_buf_map_attachment_unlocked(att, plane->dir);
	if (IS_ERR(sgt)) {
		vdb_notice(plane->dev, "%s can't map %zu bytes for it: error %ld",
			   plane->dbuf->exp_name, plane->dbuf->size,
			   PTR_ERR(sgt));
		dma_buf_detach(plane->dbuf, att);
		return PTR_ERR(sgt);
	}
	plane->att = att;
	plane->sgt = sgt;
	return 0;
}

/**
 * vdb_plane_attach - attach a plane's dma-buf to its device and map it
 * @plane: dbuf is set; dev is NULL where the device does no DMA, and then the
 *	CPU's mapping is all there is
 * @fallback: the CPU's mapping will also do where the device can't reach it
 *
 * Imported planes share the attachments of their queue (plane->cache).
 *
 * Context: process; may sleep; takes the dma-buf's reservation lock.
 * Return: 0, -ENOMEM, or -EINVAL if the dma-buf is smaller than the plane, is a
 * read-only export for a queue that writes, or can't be attached or mapped; the
 * log has the rule.
 */
int vdb_plane_attach(struct vdb_plane *plane, bool fallback)
{
	int ret;

	if (plane->dbuf->size < plane->size) {
		vdb_notice(plane->dev, "dma-buf of %zu bytes for a plane of %zu",
			   plane->dbuf->size, plane->size);
		return -EINVAL;
	}
	/*
	 * What was given away to be read must not be written by a detour. Of
	 * others' dma-bufs it is not known: DRM's are read-only by default.
	 */
	if (plane->dir != DMA_TO_DEVICE && vdb_buffer_of(plane->dbuf) &&
	    !(plane->dbuf->file->f_mode & FMODE_WRITE)) {
		vdb_notice(plane->dev, "read-only export for a queue that writes");
		return -EINVAL;
	}
	if (!plane->dev)
		return 0;

	if (plane->cache && vdb_cache_find(plane->cache, plane))
		return 0;
	ret = attach(plane);
	if (!ret && plane->cache)
		vdb_cache_add(plane->cache, plane);
	if (ret && ret != -ENOMEM && fallback) {
		vdb_stat_add(VDB_FALLBACKS, 1);
		plane->error = ret;
		ret = 0;
	}
	return ret && ret != -ENOMEM ? -EINVAL : ret;
}
EXPORT_SYMBOL_VDB_KUNIT(vdb_plane_attach);

/**
 * vdb_plane_detach - undo vdb_plane_attach(), also where it was not called
 * @plane: the plane
 *
 * Context: process; may sleep; takes the dma-buf's reservation lock.
 */
void vdb_plane_detach(struct vdb_plane *plane)
{
	if (!plane->att)
		return;
	if (plane->import) {
		vdb_cache_release(plane);
		return;
	}
	dma_buf_unmap_attachment_unlocked(plane->att, plane->sgt, plane->dir);
	dma_buf_detach(plane->dbuf, plane->att);
	plane->sgt = NULL;
	plane->att = NULL;
}
EXPORT_SYMBOL_VDB_KUNIT(vdb_plane_detach);

static void *map_foreign(struct vdb_plane *plane)
{
	if (vdb_dma_buf_vmap(plane->dbuf, &plane->map))
		return NULL;
	if (plane->map.is_iomem) {
		vdb_notice(plane->dev, "%s has I/O memory, not for plain pointers",
			   plane->dbuf->exp_name);
		vdb_dma_buf_vunmap(plane->dbuf, &plane->map);
		return NULL;
	}
	return plane->map.vaddr;
}

/**
 * vdb_plane_vaddr - where the CPU sees the plane
 * @plane: the plane
 *
 * Context: process the first time, may sleep; later any.
 * Return: an address until vdb_plane_vunmap(), or NULL.
 */
void *vdb_plane_vaddr(struct vdb_plane *plane)
{
	void *vaddr = READ_ONCE(plane->vaddr);

	if (vaddr)
		return vaddr;
	if (in_interrupt() || irqs_disabled()) {
		vdb_notice(plane->dev, "asked for an address in an interrupt, before it was asked for in a process: call vb2_plane_vaddr() in buf_init");
		return NULL;
	}
	mutex_lock(&plane->lock);
	if (!plane->vaddr) {
		struct vdb_buffer *ours = vdb_buffer_of(plane->dbuf);

		/* Ours directly: dma_buf_vmap() warns when memory is short. */
		vaddr = ours ? vdb_mapping_vmap(ours, false) :
			       map_foreign(plane);
		WRITE_ONCE(plane->vaddr, vaddr);
	}
	vaddr = plane->vaddr;
	mutex_unlock(&plane->lock);
	return vaddr;
}
EXPORT_SYMBOL_VDB_KUNIT(vdb_plane_vaddr);

/**
 * vdb_plane_vunmap - undo vdb_plane_vaddr(), also where it was not called
 * @plane: the plane
 *
 * Context: process; may sleep.
 */
void vdb_plane_vunmap(struct vdb_plane *plane)
{
	struct vdb_buffer *ours = vdb_buffer_of(plane->dbuf);

	if (!plane->vaddr)
		return;
	if (ours)
		vdb_mapping_vunmap(ours, false);
	else
		vdb_dma_buf_vunmap(plane->dbuf, &plane->map);
	plane->vaddr = NULL;
}
EXPORT_SYMBOL_VDB_KUNIT(vdb_plane_vunmap);
