// SPDX-License-Identifier: GPL-2.0-only
/*
 * The buffer as a dma-buf: what importers and user space call.
 *
 * Nothing here knows of vb2, a queue or a driver: a buffer outlives them.
 */
#include <linux/dma-resv.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/slab.h>

#include "internal.h"
#include "trace.h"

static const struct dma_buf_ops vdb_ops;
static const struct dma_buf_ops vdb_view_ops;

/**
 * vdb_buffer_of - the buffer behind a dma-buf
 * @dbuf: a dma-buf
 *
 * Return: the buffer, or NULL if it is somebody else's.
 */
struct vdb_buffer *vdb_buffer_of(struct dma_buf *dbuf)
{
	if (dbuf->ops == &vdb_view_ops)
		dbuf = dbuf->priv;
	return dbuf->ops == &vdb_ops ? dbuf->priv : NULL;
}
EXPORT_SYMBOL_VDB_KUNIT(vdb_buffer_of);

/**
 * vdb_attachment_of - our side of an attachment
 * @att: an attachment to a dma-buf
 *
 * Return: it, or NULL if the dma-buf is somebody else's.
 */
struct vdb_attachment *vdb_attachment_of(struct dma_buf_attachment *att)
{
	return vdb_buffer_of(att->dmabuf) ? att->priv : NULL;
}
EXPORT_SYMBOL_VDB_KUNIT(vdb_attachment_of);

static int vdb_attach(struct dma_buf *dbuf, struct dma_buf_attachment *dbuf_att)
{
	struct vdb_buffer *buf = vdb_buffer_of(dbuf);
	struct vdb_attachment *att;
	unsigned long flags;

	if (!vdb_device_does_dma(dbuf_att->dev)) {
		vdb_notice(dbuf_att->dev, "has no DMA mask, can't attach");
		return -EOPNOTSUPP;
	}

	att = kzalloc(sizeof(*att), GFP_KERNEL);
	if (!att)
		return -ENOMEM;
	att->buf = buf;
	att->dev = dbuf_att->dev;
	att->dir = DMA_NONE;
	att->asked = DMA_NONE;
	dbuf_att->priv = att;

	mutex_lock(&buf->lock);
	spin_lock_irqsave(&buf->state_lock, flags);
	list_add_tail(&att->node, &buf->attachments);
	spin_unlock_irqrestore(&buf->state_lock, flags);
	mutex_unlock(&buf->lock);
	vdb_stat_add(VDB_ATTACHMENTS, 1);
	trace_vdb_attach(att);
	return 0;
}

static void vdb_detach(struct dma_buf *dbuf,
		       struct dma_buf_attachment *dbuf_att)
{
	struct vdb_attachment *att = dbuf_att->priv;
	struct vdb_buffer *buf = att->buf;
	unsigned long flags;

	mutex_lock(&buf->lock);
	/* An importer that forgot to unmap must not leave its addresses live. */
	if (att->maps)
		vdb_coherency_unmap(att);
	spin_lock_irqsave(&buf->state_lock, flags);
	list_del(&att->node);
	spin_unlock_irqrestore(&buf->state_lock, flags);
	mutex_unlock(&buf->lock);
	vdb_stat_add(VDB_ATTACHMENTS, -1);

	sg_free_table(&att->sgt);
	kfree(att);
}

/* The buffer's pages in segments that the device can take. */
static int make_table(struct vdb_attachment *att)
{
	struct vdb_storage *st = &att->buf->storage;
	size_t segment = dma_max_mapping_size(att->dev);

	segment = min3(segment, (size_t)dma_get_max_seg_size(att->dev),
		       (size_t)UINT_MAX) & PAGE_MASK;
	if (!segment) {
		vdb_notice(att->dev, "takes segments of %u bytes, a page has %lu",
			   dma_get_max_seg_size(att->dev), PAGE_SIZE);
		return -EINVAL;
	}
	return sg_alloc_table_from_pages_segment(&att->sgt, st->pages,
						 st->nr_pages, 0,
						 att->buf->size, segment,
						 GFP_KERNEL);
}

static int map_first(struct vdb_attachment *att, enum dma_data_direction dir)
{
	int ret;

	if (!att->sgt.sgl) {
		ret = make_table(att);
		if (ret)
			return ret;
	}
	ret = vdb_coherency_map(att, dir);
	if (ret)
		vdb_notice(att->dev, "can't map %zu bytes in %u segments, mask %#llx, largest mapping %zu: error %d",
			   att->buf->size, att->sgt.orig_nents,
			   dma_get_mask(att->dev),
			   dma_max_mapping_size(att->dev), ret);
	return ret;
}

static bool may_only_be_read(const struct dma_buf *dbuf)
{
	return !(dbuf->file->f_mode & FMODE_WRITE);
}

/*
 * What a device may do to a buffer that was given away to be read: DRM's
 * importers always ask for both directions, and most of them only read. What
 * they get is checked by hardware, where there is an IOMMU.
 */
static int restrict_dir(struct dma_buf_attachment *dbuf_att,
			enum dma_data_direction *dir)
{
	if (!may_only_be_read(dbuf_att->dmabuf))
		return 0;
	if (*dir == DMA_FROM_DEVICE) {
		vdb_notice(dbuf_att->dev, "wants to write by DMA to an export that may only be read");
		return -EACCES;
	}
	*dir = DMA_TO_DEVICE;
	return 0;
}

/*
 * On 6.1 the reservation lock may or may not be held, later it is: rely on
 * none but ours.
 */
static struct sg_table *vdb_map_dma_buf(struct dma_buf_attachment *dbuf_att,
					enum dma_data_direction dir)
{
	struct vdb_attachment *att = dbuf_att->priv;
	enum dma_data_direction allowed = dir;
	int ret;

	ret = restrict_dir(dbuf_att, &allowed);
	if (ret)
		return ERR_PTR(ret);
	mutex_lock(&att->buf->lock);
	if (!att->maps) {
		ret = map_first(att, allowed);
		if (!ret)
			att->asked = dir;
	} else if (att->asked != dir) {
		vdb_notice(att->dev, "mapped with direction %d, asked for %d",
			   att->asked, dir);
		ret = -EBUSY;
	} else {
		att->maps++;
	}
	mutex_unlock(&att->buf->lock);
	if (ret)
		return ERR_PTR(ret);
	vdb_stat_add(VDB_MAPS, 1);
	trace_vdb_map(att);
	return &att->sgt;
}

static void vdb_unmap_dma_buf(struct dma_buf_attachment *dbuf_att,
			      struct sg_table *sgt, enum dma_data_direction dir)
{
	struct vdb_attachment *att = dbuf_att->priv;

	trace_vdb_unmap(att);
	mutex_lock(&att->buf->lock);
	if (att->maps > 1)
		att->maps--;
	else if (att->maps)
		vdb_coherency_unmap(att);
	mutex_unlock(&att->buf->lock);
}

/* To write is to do so in spite of those that read, too. */
static bool access_writes(struct dma_buf *dbuf, enum dma_data_direction dir)
{
	return dir != DMA_FROM_DEVICE && !may_only_be_read(dbuf);
}

/*
 * The dma-buf core waits for fences too, but only after it has called this: by
 * then the bytes would have been fetched, and too early.
 */
static int wait_for_fences(struct dma_buf *dbuf, enum dma_data_direction dir)
{
	bool write = dir == DMA_BIDIRECTIONAL || dir == DMA_TO_DEVICE;
	long ret = dma_resv_wait_timeout(dbuf->resv, dma_resv_usage_rw(write),
					 true, MAX_SCHEDULE_TIMEOUT);

	return ret < 0 ? ret : 0;
}

static int vdb_begin_cpu_access(struct dma_buf *dbuf,
				enum dma_data_direction dir)
{
	struct vdb_buffer *buf = vdb_buffer_of(dbuf);
	int ret;

	vdb_stat_add(VDB_BEGIN_CPU_ACCESS, 1);
	trace_vdb_begin(buf, dir);
	ret = wait_for_fences(dbuf, dir);
	if (ret)
		return ret;
	vdb_coherency_begin(buf, access_writes(dbuf, dir));
	return 0;
}

static int vdb_end_cpu_access(struct dma_buf *dbuf, enum dma_data_direction dir)
{
	struct vdb_buffer *buf = vdb_buffer_of(dbuf);

	vdb_stat_add(VDB_END_CPU_ACCESS, 1);
	trace_vdb_end(buf, dir);
	vdb_coherency_end(buf, access_writes(dbuf, dir));
	return 0;
}

static int vdb_mmap(struct dma_buf *dbuf, struct vm_area_struct *vma)
{
	return vdb_mapping_mmap(vdb_buffer_of(dbuf), vma);
}

static int vdb_vmap(struct dma_buf *dbuf, struct iosys_map *map)
{
	void *vaddr = vdb_mapping_vmap(vdb_buffer_of(dbuf), true);

	if (!vaddr)
		return -ENOMEM;
	iosys_map_set_vaddr(map, vaddr);
	return 0;
}

static void vdb_vunmap(struct dma_buf *dbuf, struct iosys_map *map)
{
	vdb_mapping_vunmap(vdb_buffer_of(dbuf), true);
}

static void vdb_buffer_destroy(struct vdb_buffer *buf)
{
	trace_vdb_free(buf);
	vdb_stats_del_buffer(buf);
	vdb_views_free(buf);
	vdb_storage_free(&buf->storage);
	mutex_destroy(&buf->lock);
	kfree(buf);
}

static void vdb_release(struct dma_buf *dbuf)
{
	vdb_buffer_destroy(dbuf->priv);
}

static void vdb_view_release(struct dma_buf *dbuf)
{
	struct vdb_buffer *buf = vdb_buffer_of(dbuf);
	unsigned int i;

	/* Its file is gone already. */
	for (i = 0; i < ARRAY_SIZE(buf->restricted); i++)
		if (READ_ONCE(buf->restricted[i]) == dbuf)
			WRITE_ONCE(buf->restricted_inode[i], 0);
	dma_buf_put(dbuf->priv);
}

#define VDB_DMA_BUF_OPS				\
	.attach = vdb_attach,			\
	.detach = vdb_detach,			\
	.map_dma_buf = vdb_map_dma_buf,		\
	.unmap_dma_buf = vdb_unmap_dma_buf,	\
	.begin_cpu_access = vdb_begin_cpu_access, \
	.end_cpu_access = vdb_end_cpu_access,	\
	.mmap = vdb_mmap,			\
	.vmap = vdb_vmap,			\
	.vunmap = vdb_vunmap

static const struct dma_buf_ops vdb_ops = {
	VDB_DMA_BUF_OPS,
	.release = vdb_release,
};

static const struct dma_buf_ops vdb_view_ops = {
	VDB_DMA_BUF_OPS,
	.release = vdb_view_release,
};

/**
 * vdb_buffer_create - allocate a buffer; it is a dma-buf from now on
 * @dev: the device that will use it most, or NULL
 * @size: bytes, a multiple of the page size and not 0
 * @gfp: more flags for the page allocator
 * @contiguous: in one physical block
 * @policy: how processes' mappings are kept coherent
 *
 * The one reference, buf->dbuf, is the caller's; the last one to be dropped
 * frees the buffer.
 *
 * Context: process; may sleep.
 * Return: the buffer, zeroed, or an ERR_PTR.
 */
struct vdb_buffer *vdb_buffer_create(struct device *dev, size_t size, gfp_t gfp,
				     bool contiguous, enum vdb_policy policy)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct vdb_buffer *buf;
	int ret;

	buf = kzalloc(sizeof(*buf), GFP_KERNEL);
	if (!buf)
		return ERR_PTR(-ENOMEM);
	buf->size = size;
	buf->policy = policy;
	mutex_init(&buf->lock);
	INIT_LIST_HEAD(&buf->attachments);

	ret = vdb_storage_alloc(&buf->storage, dev, size, gfp, contiguous);
	if (ret)
		goto err_free_buffer;
	ret = vdb_views_init(buf);
	if (ret)
		goto err_free_storage;

	info.exp_name = "videobuf2-dmabuf";
	info.ops = &vdb_ops;
	info.size = size;
	info.flags = O_RDWR;
	info.priv = buf;
	buf->dbuf = dma_buf_export(&info);
	if (IS_ERR(buf->dbuf)) {
		ret = PTR_ERR(buf->dbuf);
		goto err_free_views;
	}
	buf->inode = file_inode(buf->dbuf->file)->i_ino;
	vdb_stats_add_buffer(buf);
	trace_vdb_alloc(buf);
	return buf;

err_free_views:
	vdb_views_free(buf);
err_free_storage:
	vdb_storage_free(&buf->storage);
err_free_buffer:
	mutex_destroy(&buf->lock);
	kfree(buf);
	return ERR_PTR(ret);
}
EXPORT_SYMBOL_VDB_KUNIT(vdb_buffer_create);

/**
 * vdb_buffer_view - the same buffer as a dma-buf with fewer rights
 * @buf: the buffer
 * @mode: O_RDONLY or O_WRONLY
 *
 * A file has one access mode, so this is a second file. It has the first one's
 * mappings, so that one shoot-down reaches all.
 *
 * Context: process; may sleep.
 * Return: a dma-buf with a reference for the caller, or an ERR_PTR.
 */
struct dma_buf *vdb_buffer_view(struct vdb_buffer *buf, int mode)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *dbuf;

	info.exp_name = "videobuf2-dmabuf";
	info.ops = &vdb_view_ops;
	info.size = buf->size;
	info.flags = mode;
	info.resv = buf->dbuf->resv;
	info.priv = buf->dbuf;
	dbuf = dma_buf_export(&info);
	if (IS_ERR(dbuf))
		return dbuf;
	get_dma_buf(buf->dbuf);
	dbuf->file->f_mapping = buf->dbuf->file->f_mapping;
	WRITE_ONCE(buf->restricted[mode], dbuf);
	WRITE_ONCE(buf->restricted_inode[mode], file_inode(dbuf->file)->i_ino);
	return dbuf;
}
EXPORT_SYMBOL_VDB_KUNIT(vdb_buffer_view);
