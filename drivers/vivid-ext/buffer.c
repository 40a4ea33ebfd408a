// SPDX-License-Identifier: GPL-2.0-only
/*
 * How the device gets at a buffer's memory: by DMA, through a view of the
 * addresses that the allocator or the exporter mapped for it, or by the CPU,
 * through a kernel mapping with a bracket around each frame. The rest of the
 * driver sees only where to write.
 */
#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/seq_file.h>
#include <media/videobuf2-dma-contig.h>
#include <media/videobuf2-dma-sg.h>
#include <media/videobuf2-dmabuf.h>

#include "../../media/videobuf2-dmabuf/compat.h"
#include "buffer.h"
#include "core.h"
#include "dmabus.h"

/* The device's window on a piece of memory, however its allocator tells it. */
static struct vivid_ext_view *buffer_view(struct vivid_ext_capture *cap,
					  struct vb2_buffer *vb, unsigned int m)
{
	size_t size = vb2_plane_size(vb, m);
	struct device *dev = cap->queue.dev;
	struct sg_table *sgt;

	switch (cap->dev->config.allocator) {
	case VIVID_EXT_DMABUF:
		sgt = vb2_dmabuf_plane_sgt(vb, m);
		break;
	case VIVID_EXT_DMA_SG:
		sgt = vb2_dma_sg_plane_desc(vb, m);
		break;
	case VIVID_EXT_DMA_CONTIG:
		return vivid_ext_view_create_contig(dev,
			vb2_dma_contig_plane_dma_addr(vb, m), size,
			DMA_FROM_DEVICE);
	default:
		return ERR_PTR(-EINVAL);
	}
	if (IS_ERR_OR_NULL(sgt))
		return sgt ? ERR_CAST(sgt) : ERR_PTR(-EINVAL);
	return vivid_ext_view_create(dev, sgt, size, DMA_FROM_DEVICE);
}

static int buffer_open_dma(struct vivid_ext_capture *cap,
			   struct vivid_ext_buffer *buf)
{
	struct vb2_buffer *vb = &buf->vb.vb2_buf;
	unsigned int m;

	for (m = 0; m < vb->num_planes; m++) {
		struct vivid_ext_view *view = buffer_view(cap, vb, m);

		if (IS_ERR(view))
			return PTR_ERR(view);
		buf->view[m] = view;
		buf->mem[m] = vivid_ext_view_addr(view);
	}
	return 0;
}

static int buffer_open_cpu(struct vivid_ext_buffer *buf)
{
	struct vb2_buffer *vb = &buf->vb.vb2_buf;
	unsigned int m;

	for (m = 0; m < vb->num_planes; m++) {
		buf->mem[m] = vb2_plane_vaddr(vb, m);
		if (!buf->mem[m])
			return -ENOMEM;
	}
	return 0;
}

/*
 * The allocator has let a buffer in that the device can't reach, and has said
 * why: the CPU writes it.
 */
static bool dma_refused(struct vivid_ext_capture *cap,
			struct vivid_ext_buffer *buf)
{
	unsigned int m;

	if (cap->dev->config.allocator != VIVID_EXT_DMABUF)
		return false;
	for (m = 0; m < buf->vb.vb2_buf.num_planes; m++)
		if (IS_ERR(vb2_dmabuf_plane_sgt(&buf->vb.vb2_buf, m)))
			return true;
	return false;
}

/**
 * vivid_ext_buffer_open - get access to a buffer's memory
 * @cap: the capture node
 * @buf: a buffer whose memory was just allocated or imported
 *
 * Process context, under the node's lock; vivid_ext_buffer_close() undoes it.
 *
 * Return: 0, or the reason why neither device nor CPU can write there, in
 * words in the log: -EINVAL or -ENOMEM.
 */
int vivid_ext_buffer_open(struct vivid_ext_capture *cap,
			  struct vivid_ext_buffer *buf)
{
	int ret;

	buf->by_cpu = !cap->queue.dev || dma_refused(cap, buf);
	if (buf->by_cpu)
		ret = buffer_open_cpu(buf);
	else
		ret = buffer_open_dma(cap, buf);
	if (ret) {
		dev_warn_ratelimited(cap->dev->dev,
				     "buffer %u: no access by %s: %d\n",
				     buf->vb.vb2_buf.index,
				     buf->by_cpu ? "CPU" : "DMA", ret);
		vivid_ext_buffer_close(buf);
	}
	return ret;
}

/**
 * vivid_ext_buffer_close - give access up
 * @buf: a buffer that is not being written
 *
 * Process context, before the memory is unmapped or freed. Kernel mappings
 * belong to the allocator, so only the views are ours to destroy.
 */
void vivid_ext_buffer_close(struct vivid_ext_buffer *buf)
{
	unsigned int m;

	for (m = 0; m < VIVID_EXT_MAX_MEM; m++) {
		if (buf->view[m])
			vivid_ext_view_destroy(buf->view[m]);
		buf->view[m] = NULL;
		buf->mem[m] = NULL;
	}
}

/* Whole frames are written, so nothing has to be fetched for the CPU first. */
static int plane_begin_cpu(struct vivid_ext_capture *cap,
			   struct vb2_buffer *vb, unsigned int m)
{
	if (cap->dev->config.allocator == VIVID_EXT_DMABUF)
		return vb2_dmabuf_plane_begin_cpu_access(vb, m, DMA_TO_DEVICE);
	if (vb->planes[m].dbuf)
		return dma_buf_begin_cpu_access(vb->planes[m].dbuf,
						DMA_TO_DEVICE);
	return 0;
}

static int plane_end_cpu(struct vivid_ext_capture *cap,
			 struct vb2_buffer *vb, unsigned int m)
{
	if (cap->dev->config.allocator == VIVID_EXT_DMABUF)
		return vb2_dmabuf_plane_end_cpu_access(vb, m, DMA_TO_DEVICE);
	if (vb->planes[m].dbuf)
		return dma_buf_end_cpu_access(vb->planes[m].dbuf,
					      DMA_TO_DEVICE);
	return 0;
}

/* Close the first brackets; the first error counts. */
static int buffer_end_cpu(struct vivid_ext_capture *cap,
			  struct vivid_ext_buffer *buf, unsigned int count)
{
	int ret = 0;

	while (count--) {
		int err = plane_end_cpu(cap, &buf->vb.vb2_buf, count);

		ret = ret ?: err;
	}
	return ret;
}

static int buffer_begin_dma(struct vivid_ext_buffer *buf)
{
	unsigned int m;
	int ret;

	for (m = 0; m < buf->vb.vb2_buf.num_planes; m++) {
		ret = vivid_ext_view_begin(buf->view[m], DMA_FROM_DEVICE);
		if (ret)
			return ret;
	}
	return 0;
}

static void buffer_end_dma(struct vivid_ext_buffer *buf)
{
	unsigned int m;

	for (m = 0; m < buf->vb.vb2_buf.num_planes; m++)
		vivid_ext_view_end(buf->view[m], DMA_FROM_DEVICE);
}

/**
 * vivid_ext_buffer_begin - about to write a frame
 * @cap: the capture node
 * @buf: a queued buffer
 *
 * Of a device's writes QBUF has told the allocator; the bus checks that it
 * may. The CPU's are
 * bracketed, for the sake of other devices that have the buffer mapped. That
 * is per frame and not per QBUF, since vb2 does nothing for imported buffers.
 * Process context.
 *
 * Return: 0, -EFAULT where the bus forbids it, or the exporter's error; then
 * vivid_ext_buffer_end() must not be called.
 */
int vivid_ext_buffer_begin(struct vivid_ext_capture *cap,
			   struct vivid_ext_buffer *buf)
{
	struct vb2_buffer *vb = &buf->vb.vb2_buf;
	unsigned int m;
	int ret;

	if (!buf->by_cpu)
		return buffer_begin_dma(buf);
	for (m = 0; m < vb->num_planes; m++) {
		ret = plane_begin_cpu(cap, vb, m);
		if (ret) {
			buffer_end_cpu(cap, buf, m);
			return ret;
		}
	}
	return 0;
}

/**
 * vivid_ext_buffer_end - the frame is written
 * @cap: the capture node
 * @buf: the buffer
 *
 * Process context, before vb2 gets the buffer back.
 *
 * Return: 0, or the exporter's error: the frame may not be visible to others.
 */
int vivid_ext_buffer_end(struct vivid_ext_capture *cap,
			 struct vivid_ext_buffer *buf)
{
	if (!buf->by_cpu) {
		buffer_end_dma(buf);
		return 0;
	}
	return buffer_end_cpu(cap, buf, buf->vb.vb2_buf.num_planes);
}

/**
 * vivid_ext_buffer_show - describe a buffer for debugfs
 * @buf: the buffer
 * @m: gets a line for each piece of memory, and one with the pages that the
 *     device reaches
 *
 * Under the node's lock.
 */
void vivid_ext_buffer_show(struct vivid_ext_buffer *buf, struct seq_file *m)
{
	struct vb2_buffer *vb = &buf->vb.vb2_buf;
	unsigned int p;

	for (p = 0; p < vb->num_planes; p++) {
		struct dma_buf *dbuf = vb->planes[p].dbuf;

		seq_printf(m, "buffer=%u plane=%u memory=%s size=%lu access=%s",
			   vb->index, p,
			   vb->memory == VB2_MEMORY_DMABUF ? "dmabuf" : "mmap",
			   vb2_plane_size(vb, p), buf->by_cpu ? "cpu" : "dma");
		if (dbuf)
			seq_printf(m, " inode=%llu",
				   (u64)file_inode(dbuf->file)->i_ino);
		seq_putc(m, '\n');
		if (!buf->view[p])
			continue;
		seq_puts(m, "pages: ");
		vivid_ext_view_show_pages(buf->view[p], m);
	}
}
