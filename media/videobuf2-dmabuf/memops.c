// SPDX-License-Identifier: GPL-2.0-only
/*
 * What videobuf2 calls: struct vb2_mem_ops, and the helpers for drivers.
 */
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <media/videobuf2-core.h>
#include <media/videobuf2-dmabuf.h>

#include "internal.h"
#include "trace.h"

static struct vdb_plane *plane_create(struct vb2_buffer *vb, struct device *dev,
				      size_t size)
{
	struct vdb_plane *plane = kzalloc(sizeof(*plane), GFP_KERNEL);

	if (!plane)
		return NULL;
	plane->vb = vb;
	plane->dev = vdb_device_does_dma(dev) ? dev : NULL;
	plane->dir = vb->vb2_queue->dma_dir;
	plane->size = size;
	plane->delivers = vb->vb2_queue->ops->buf_finish ==
			  vb2_dmabuf_buf_finish;
	mutex_init(&plane->lock);
	return plane;
}

static void plane_destroy(struct vdb_plane *plane)
{
	mutex_destroy(&plane->lock);
	kfree(plane);
}

static enum vdb_policy queue_policy(struct vb2_queue *q)
{
	if (q->dma_attrs & VB2_DMABUF_ATTR_EXPLICIT)
		return VDB_POLICY_EXPLICIT;
	if (q->dma_attrs & VB2_DMABUF_ATTR_SHOOTDOWN)
		return VDB_POLICY_SHOOTDOWN;
	if (q->dma_attrs & DMA_ATTR_WRITE_COMBINE)
		return VDB_POLICY_WRITECOMBINE;
	return VDB_POLICY_AUTO;
}

static bool may_fall_back(struct vb2_queue *q)
{
	return q->dma_attrs & VB2_DMABUF_ATTR_FALLBACK;
}

/*
 * Without DMA the CPU does it all, and drivers that were written for
 * vb2-vmalloc ask for the address in interrupts, where it has to be there. So
 * may those that were written for vb2-dma-contig; one block has an address that
 * costs nothing.
 */
static int map_for_cpu(struct vdb_plane *plane)
{
	struct vb2_queue *q = plane->vb->vb2_queue;

	if (plane->dev && !(plane->own &&
			    q->dma_attrs & DMA_ATTR_FORCE_CONTIGUOUS))
		return 0;
	return vdb_plane_vaddr(plane) ? 0 : -ENOMEM;
}

static void *vdb_memop_alloc(struct vb2_buffer *vb, struct device *dev,
			     unsigned long size)
{
	struct vb2_queue *q = vb->vb2_queue;
	struct vdb_plane *plane;
	int ret;

	plane = plane_create(vb, dev, size);
	if (!plane)
		return ERR_PTR(-ENOMEM);

	plane->own = vdb_buffer_create(plane->dev, PAGE_ALIGN(size),
				       q->gfp_flags,
				       q->dma_attrs & DMA_ATTR_FORCE_CONTIGUOUS,
				       queue_policy(q));
	if (IS_ERR(plane->own)) {
		ret = PTR_ERR(plane->own);
		goto err_free;
	}
	plane->dbuf = plane->own->dbuf;
	ret = vdb_plane_attach(plane, may_fall_back(q));
	ret = ret ?: map_for_cpu(plane);
	if (ret)
		goto err_put;
	return plane;

err_put:
	dma_buf_put(plane->dbuf);
err_free:
	plane_destroy(plane);
	return ERR_PTR(ret);
}

static void vdb_memop_put(void *mem_priv)
{
	struct vdb_plane *plane = mem_priv;
	unsigned int i;

	vdb_frame_abandon(plane);
	vdb_plane_vunmap(plane);
	vdb_plane_detach(plane);
	for (i = 0; i < ARRAY_SIZE(plane->views); i++)
		if (plane->views[i])
			dma_buf_put(plane->views[i]);
	dma_buf_put(plane->dbuf);
	plane_destroy(plane);
}

/* The same access mode gives the same dma-buf, as long as the queue has it. */
static struct dma_buf *vdb_memop_get_dmabuf(struct vb2_buffer *vb,
					    void *mem_priv, unsigned long flags)
{
	struct vdb_plane *plane = mem_priv;
	unsigned int mode = flags & O_ACCMODE;
	struct dma_buf *dbuf = plane->dbuf;

	if (mode < ARRAY_SIZE(plane->views)) {
		dbuf = plane->views[mode];
		if (!dbuf) {
			dbuf = vdb_buffer_view(plane->own, mode);
			if (IS_ERR(dbuf))
				return dbuf;
			plane->views[mode] = dbuf;
		}
	}
	get_dma_buf(dbuf);
	vdb_stat_add(VDB_EXPORTS, 1);
	atomic_inc(&plane->own->exports);
	trace_vdb_export(dbuf, mode);
	return dbuf;
}

/*
 * Checks and attachment wait for map_dmabuf: since 6.12 or so the core drops a
 * failing attach_dmabuf's reference on the floor, one dma-buf lost for ever.
 */
static void *vdb_memop_attach_dmabuf(struct vb2_buffer *vb, struct device *dev,
				     struct dma_buf *dbuf, unsigned long size)
{
	struct vdb_plane *plane = plane_create(vb, dev, size);

	if (!plane)
		return ERR_PTR(-ENOMEM);
	plane->dbuf = dbuf;
	return plane;
}

static int vdb_memop_map_dmabuf(void *mem_priv)
{
	struct vdb_plane *plane = mem_priv;
	struct vb2_queue *q = plane->vb->vb2_queue;
	int ret;

	if (plane->dev && !plane->cache) {
		plane->cache = vdb_cache_get(q, plane->dev);
		if (!plane->cache)
			return -ENOMEM;
	}
	ret = vdb_plane_attach(plane, may_fall_back(q));
	ret = ret ?: map_for_cpu(plane);
	if (!ret)
		vdb_stat_add(VDB_IMPORTS, 1);
	return ret;
}

static void vdb_memop_unmap_dmabuf(void *mem_priv)
{
	struct vdb_plane *plane = mem_priv;

	vdb_frame_abandon(plane);
	vdb_plane_vunmap(plane);
	vdb_plane_detach(plane);
}

static void vdb_memop_detach_dmabuf(void *mem_priv)
{
	struct vdb_plane *plane = mem_priv;

	vdb_frame_abandon(plane);
	vdb_plane_vunmap(plane);
	vdb_plane_detach(plane);
	/* Within QBUF another dma-buf takes its place. */
	if (plane->cache)
		vdb_cache_put(plane->cache,
			      plane->vb->state == VB2_BUF_STATE_PREPARING);
	plane_destroy(plane);
}

static bool covers(const struct vdb_plane *plane, struct vb2_buffer *vb)
{
	unsigned int i;

	/* Of planes that are the same dma-buf vb2 has checked the first only. */
	for (i = 0; i < vb->num_planes; i++)
		if (vb->planes[i].mem_priv == plane &&
		    vb->planes[i].length > plane->dbuf->size) {
			vdb_notice(plane->dev, "dma-buf of %zu bytes for plane %u of %u",
				   plane->dbuf->size, i, vb->planes[i].length);
			return false;
		}
	return true;
}

/*
 * While vb2 prepares a buffer the driver may look at it, or add to it, without
 * a bracket. At other times this may be called in interrupts.
 */
static void *vdb_memop_vaddr(struct vb2_buffer *vb, void *mem_priv)
{
	struct vdb_plane *plane = mem_priv;
	struct vdb_buffer *ours = vdb_buffer_of(plane->dbuf);
	void *vaddr = covers(plane, vb) ? vdb_plane_vaddr(plane) : NULL;

	if (!vaddr)
		return NULL;
	plane->looks = true;
	if (vb->state != VB2_BUF_STATE_PREPARING)
		return vaddr;
	plane->asked = true;
	if (ours)
		vdb_coherency_look(ours);
	return vaddr;
}

static void *vdb_memop_cookie(struct vb2_buffer *vb, void *mem_priv)
{
	struct vdb_plane *plane = mem_priv;

	return plane->sgt;
}

/* For V4L2_BUF_FLAG_MAPPED, which is set where there is more than one. */
static unsigned int vdb_memop_num_users(void *mem_priv)
{
	struct vdb_plane *plane = mem_priv;

	return 1 + (plane->own && READ_ONCE(plane->own->user_mappings));
}

/* The mapping becomes the dma-buf's own, and lives as long as it likes. */
static int vdb_memop_mmap(void *mem_priv, struct vm_area_struct *vma)
{
	struct vdb_plane *plane = mem_priv;

	return dma_buf_mmap(plane->dbuf, vma, 0);
}

const struct vb2_mem_ops vb2_dmabuf_memops = {
	.alloc = vdb_memop_alloc,
	.put = vdb_memop_put,
	.get_dmabuf = vdb_memop_get_dmabuf,
	.prepare = vdb_frame_prepare,
	.finish = vdb_frame_finish,
	.attach_dmabuf = vdb_memop_attach_dmabuf,
	.detach_dmabuf = vdb_memop_detach_dmabuf,
	.map_dmabuf = vdb_memop_map_dmabuf,
	.unmap_dmabuf = vdb_memop_unmap_dmabuf,
	.vaddr = vdb_memop_vaddr,
	.cookie = vdb_memop_cookie,
	.num_users = vdb_memop_num_users,
	.mmap = vdb_memop_mmap,
};
EXPORT_SYMBOL_GPL(vb2_dmabuf_memops);

/**
 * vdb_plane_of - what we have of a plane
 * @vb: a buffer of a queue that uses vb2_dmabuf_memops
 * @plane_no: which plane
 *
 * Return: it, or NULL for a plane without memory.
 */
struct vdb_plane *vdb_plane_of(struct vb2_buffer *vb, unsigned int plane_no)
{
	if (plane_no >= vb->num_planes)
		return NULL;
	return vb->planes[plane_no].mem_priv;
}

/**
 * vb2_dmabuf_plane_sgt - a plane's memory as the queue's device sees it
 * @vb: a buffer of a queue that uses vb2_dmabuf_memops
 * @plane_no: which plane
 *
 * Use sg_dma_address() and sg_dma_len() of for_each_sgtable_dma_sg() only: of
 * an imported buffer nothing else in the table means anything (struct
 * dma_buf_ops, map_dma_buf).
 *
 * Context: any, from vb2_ops.buf_init to buf_cleanup.
 * Return: the table, or an ERR_PTR: -EINVAL for a plane without memory or with
 * less than it needs, -EOPNOTSUPP if the queue's device does no DMA, or, if the queue has
 * VB2_DMABUF_ATTR_FALLBACK, the error with which attaching or mapping failed.
 */
struct sg_table *vb2_dmabuf_plane_sgt(struct vb2_buffer *vb,
				      unsigned int plane_no)
{
	struct vdb_plane *plane = vdb_plane_of(vb, plane_no);

	if (!plane || !covers(plane, vb))
		return ERR_PTR(-EINVAL);
	return plane->sgt ?: ERR_PTR(plane->error ?: -EOPNOTSUPP);
}
EXPORT_SYMBOL_GPL(vb2_dmabuf_plane_sgt);

/**
 * vb2_dmabuf_plane_dma_addr - a plane's address, where it has one
 * @vb: a buffer of a queue that uses vb2_dmabuf_memops
 * @plane_no: which plane
 *
 * For devices that take one address. Scattered pages have one behind an IOMMU;
 * without, set DMA_ATTR_FORCE_CONTIGUOUS in vb2_queue.dma_attrs. Check the
 * result in buf_init or buf_prepare with dma_mapping_error(): an importer can
 * be given any memory.
 *
 * Context: any, from vb2_ops.buf_init to buf_cleanup.
 * Return: the address, or DMA_MAPPING_ERROR if the plane has no memory, the
 * device does no DMA, or the memory is not contiguous for it.
 */
dma_addr_t vb2_dmabuf_plane_dma_addr(struct vb2_buffer *vb,
				     unsigned int plane_no)
{
	struct sg_table *sgt = vb2_dmabuf_plane_sgt(vb, plane_no);
	struct vdb_plane *plane = vdb_plane_of(vb, plane_no);
	struct scatterlist *sg;
	dma_addr_t next;
	size_t len = 0;
	unsigned int i;

	if (IS_ERR(sgt))
		return DMA_MAPPING_ERROR;

	next = sg_dma_address(sgt->sgl);
	for_each_sgtable_dma_sg(sgt, sg, i) {
		if (sg_dma_address(sg) != next)
			break;
		next += sg_dma_len(sg);
		len += sg_dma_len(sg);
	}
	if (len < plane->size) {
		vdb_notice(plane->dev, "%s is contiguous for %zu bytes, the plane needs %zu (%u segments)",
			   plane->dbuf->exp_name, len, plane->size,
			   sgt->nents);
		return DMA_MAPPING_ERROR;
	}
	return sg_dma_address(sgt->sgl);
}
EXPORT_SYMBOL_GPL(vb2_dmabuf_plane_dma_addr);

static int __init vdb_init(void)
{
	int ret = vdb_idle_init();

	if (ret)
		return ret;
	vdb_stats_init();
	return 0;
}
module_init(vdb_init);

static void __exit vdb_exit(void)
{
	vdb_stats_exit();
	vdb_cache_exit();
	vdb_idle_exit();
}
module_exit(vdb_exit);

MODULE_DESCRIPTION("videobuf2 allocator whose buffers are dma-bufs");
MODULE_AUTHOR("The videobuf2-dmabuf authors");
MODULE_LICENSE("GPL");
VDB_IMPORT_NS_DMA_BUF;
