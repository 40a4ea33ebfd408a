// SPDX-License-Identifier: GPL-2.0-only
/*
 * How a device gets at a buffer's memory: by DMA, through a view of the
 * addresses that the allocator or the exporter mapped for it, or by the CPU,
 * through a kernel mapping with a bracket around each frame. The rest of a
 * driver sees only where to read or write. What the device does, the queue
 * says: those of an output node read, others write.
 */
#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <media/videobuf2-dma-contig.h>
#include <media/videobuf2-dma-sg.h>
#include <media/videobuf2-dmabuf.h>
#include <media/videobuf2-v4l2.h>
#include <media/videobuf2-vmalloc.h>

#include "access.h"
#include "bus/config.h"
#include "bus/view.h"
#include "bus/fallback.h"
#include "device-config.h"

static const struct vb2_mem_ops *memops_of(unsigned int a)
{
	switch (a) {
	case VIVID_EXT_VMALLOC:
		return &vb2_vmalloc_memops;
	case VIVID_EXT_DMA_SG:
		return &vb2_dma_sg_memops;
	case VIVID_EXT_DMA_CONTIG:
		return &vb2_dma_contig_memops;
	default:
		return &vb2_dmabuf_memops;
	}
}

/* What the allocator should know: a device that takes one piece only says so. */
static unsigned long attrs_of(const struct vivid_ext_config *config,
			      struct device *dev)
{
	const struct vivid_ext_bus_config *bus;
	static const unsigned long policies[] = {
		[VIVID_EXT_AUTO] = 0,
		[VIVID_EXT_SHOOTDOWN] = VB2_DMABUF_ATTR_SHOOTDOWN,
		[VIVID_EXT_EXPLICIT] = VB2_DMABUF_ATTR_EXPLICIT,
		[VIVID_EXT_WRITECOMBINE] = DMA_ATTR_WRITE_COMBINE,
	};
	unsigned long attrs;

	if (config->allocator != VIVID_EXT_DMABUF)
		return 0;
	attrs = policies[config->policy];
	if (config->fallback)
		attrs |= VB2_DMABUF_ATTR_FALLBACK;
	/* As it is now: it can be changed while there are no buffers. */
	bus = dev ? vivid_ext_bus_config(dev) : NULL;
	if (bus && vivid_ext_bus_segments(bus) == 1 && !bus->iommu)
		attrs |= DMA_ATTR_FORCE_CONTIGUOUS;
	return attrs;
}

/**
 * vivid_ext_access_init - whose memory a queue has, and for which device
 * @q: the queue, before vb2_queue_init()
 * @dev: who does the DMA
 * @config: as the user wants it
 */
void vivid_ext_access_init(struct vb2_queue *q, struct device *dev,
			   const struct vivid_ext_config *config)
{
	/* No device means no DMA: the allocator goes by it, and so do we. */
	q->dev = config->dma ? dev : NULL;
	q->mem_ops = memops_of(config->allocator);
}
EXPORT_SYMBOL_GPL(vivid_ext_access_init);

/**
 * vivid_ext_access_update - tell the allocator what the device's bus is now
 * @q: the queue, about to get buffers
 * @dev: who does the DMA
 * @config: as the user wants it
 *
 * For vb2_ops.queue_setup. Process context, with the bus owner's lock held.
 */
void vivid_ext_access_update(struct vb2_queue *q, struct device *dev,
			     const struct vivid_ext_config *config)
{
	if (q->dev)
		q->dev = vivid_ext_bus_device(dev);
	q->dma_attrs = attrs_of(config, q->dev ? dev : NULL);
}
EXPORT_SYMBOL_GPL(vivid_ext_access_update);

static bool is_ours(const struct vb2_buffer *vb)
{
	return vb->vb2_queue->mem_ops == &vb2_dmabuf_memops;
}

/* The device's window on a piece of memory, however its allocator tells it. */
static struct vivid_ext_view *open_view(struct vb2_buffer *vb, unsigned int m)
{
	const struct vb2_queue *q = vb->vb2_queue;
	size_t size = vb2_plane_size(vb, m);
	struct sg_table *sgt;

	if (is_ours(vb))
		sgt = vb2_dmabuf_plane_sgt(vb, m);
	else if (q->mem_ops == &vb2_dma_sg_memops)
		sgt = vb2_dma_sg_plane_desc(vb, m);
	else if (q->mem_ops == &vb2_dma_contig_memops)
		return vivid_ext_view_create_contig(q->dev,
			vb2_dma_contig_plane_dma_addr(vb, m), size, q->dma_dir);
	else
		return ERR_PTR(-EINVAL);
	if (IS_ERR_OR_NULL(sgt))
		return sgt ? ERR_CAST(sgt) : ERR_PTR(-EINVAL);
	return vivid_ext_view_create(q->dev, sgt, size, q->dma_dir);
}

static int open_dma(struct vivid_ext_access *access, struct vb2_buffer *vb)
{
	unsigned int m;

	for (m = 0; m < vb->num_planes; m++) {
		struct vivid_ext_view *view = open_view(vb, m);

		if (IS_ERR(view))
			return PTR_ERR(view);
		access->view[m] = view;
		access->mem[m] = vivid_ext_view_addr(view);
	}
	return 0;
}

/* Two planes can be the same dma-buf: vb2 has checked the first one only. */
static bool too_small(struct vb2_buffer *vb)
{
	unsigned int m;

	for (m = 0; m < vb->num_planes; m++)
		if (vb->memory == VB2_MEMORY_DMABUF &&
		    vb2_plane_size(vb, m) > vb->planes[m].dbuf->size)
			return true;
	return false;
}

static int open_cpu(struct vivid_ext_access *access, struct vb2_buffer *vb)
{
	unsigned int m;

	for (m = 0; m < vb->num_planes; m++) {
		access->mem[m] = vb2_plane_vaddr(vb, m);
		if (!access->mem[m])
			return -ENOMEM;
	}
	return 0;
}

/*
 * The allocator has let a buffer in that the device can't reach, and has said
 * why: the CPU stands in.
 */
static int dma_refused(struct vb2_buffer *vb)
{
	unsigned int m;

	if (!is_ours(vb))
		return 0;
	for (m = 0; m < vb->num_planes; m++)
		if (IS_ERR(vb2_dmabuf_plane_sgt(vb, m)))
			return PTR_ERR(vb2_dmabuf_plane_sgt(vb, m));
	return 0;
}

/**
 * vivid_ext_access_open - get access to a buffer's memory
 * @access: zeroed, or of memory that the buffer has no more
 * @vb: a buffer whose memory was just allocated or imported; its queue has no
 *	device where the CPU does everything
 *
 * Process context, under the queue's lock; vivid_ext_access_close() undoes it.
 *
 * Return: 0, or the reason why neither device nor CPU can get there: -EINVAL
 * or -ENOMEM; @access->by_cpu says who has failed.
 */
int vivid_ext_access_open(struct vivid_ext_access *access,
			  struct vb2_buffer *vb)
{
	int ret;

	/* vb2 has dropped what was there without a word, see reap_queue(). */
	vivid_ext_access_close(access);
	if (too_small(vb))
		return -EINVAL;
	access->refused = vb->vb2_queue->dev ? dma_refused(vb) : 0;
	access->by_cpu = !vb->vb2_queue->dev || access->refused;
	if (access->by_cpu)
		ret = open_cpu(access, vb);
	else
		ret = open_dma(access, vb);
	if (ret)
		vivid_ext_access_close(access);
	return ret;
}
EXPORT_SYMBOL_GPL(vivid_ext_access_open);

/**
 * vivid_ext_access_close - give access up
 * @access: of a buffer that is not being read or written
 *
 * Process context, before the memory is unmapped or freed. Kernel mappings
 * belong to the allocator, so only the views are ours to destroy.
 */
void vivid_ext_access_close(struct vivid_ext_access *access)
{
	unsigned int m;

	for (m = 0; m < VIVID_EXT_MAX_MEM; m++) {
		if (access->view[m])
			vivid_ext_view_destroy(access->view[m]);
		access->view[m] = NULL;
		access->mem[m] = NULL;
	}
}
EXPORT_SYMBOL_GPL(vivid_ext_access_close);

/* What the CPU does in the device's place, in terms of the dma-buf. */
static enum dma_data_direction cpu_dir(const struct vb2_buffer *vb)
{
	return vb->vb2_queue->dma_dir == DMA_TO_DEVICE ? DMA_FROM_DEVICE :
							 DMA_TO_DEVICE;
}

/* Whole frames are written: nothing has to be fetched for that first. */
static int plane_begin_cpu(struct vb2_buffer *vb, unsigned int m)
{
	if (is_ours(vb))
		return vb2_dmabuf_plane_begin_cpu_access(vb, m, cpu_dir(vb));
	if (vb->planes[m].dbuf)
		return dma_buf_begin_cpu_access(vb->planes[m].dbuf,
						cpu_dir(vb));
	return 0;
}

static int plane_end_cpu(struct vb2_buffer *vb, unsigned int m)
{
	if (is_ours(vb))
		return vb2_dmabuf_plane_end_cpu_access(vb, m, cpu_dir(vb));
	if (vb->planes[m].dbuf)
		return dma_buf_end_cpu_access(vb->planes[m].dbuf, cpu_dir(vb));
	return 0;
}

/* Close the first brackets; the first error counts. */
static int end_cpu(struct vb2_buffer *vb, unsigned int count)
{
	int ret = 0;

	while (count--) {
		int err = plane_end_cpu(vb, count);

		ret = ret ?: err;
	}
	return ret;
}

static int begin_dma(struct vivid_ext_access *access, struct vb2_buffer *vb)
{
	unsigned int m;
	int ret;

	for (m = 0; m < vb->num_planes; m++) {
		ret = vivid_ext_view_begin(access->view[m],
					   vb->vb2_queue->dma_dir);
		if (ret)
			return ret;
	}
	return 0;
}

static void end_dma(struct vivid_ext_access *access, struct vb2_buffer *vb)
{
	unsigned int m;

	for (m = 0; m < vb->num_planes; m++)
		vivid_ext_view_end(access->view[m], vb->vb2_queue->dma_dir);
}

/**
 * vivid_ext_access_begin - about to read or write a frame
 * @access: open
 * @vb: its buffer, queued
 *
 * Of what a device does QBUF has told the allocator; the bus checks that it
 * may. What the CPU does is bracketed, for the sake of other devices that have
 * the buffer mapped. That is per frame and not per QBUF, since vb2 does
 * nothing for imported buffers. Process context.
 *
 * Return: 0, -EFAULT where the bus forbids it, or the exporter's error; then
 * vivid_ext_access_end() must not be called.
 */
int vivid_ext_access_begin(struct vivid_ext_access *access,
			   struct vb2_buffer *vb)
{
	unsigned int m;
	int ret;

	if (!access->by_cpu)
		return begin_dma(access, vb);
	for (m = 0; m < vb->num_planes; m++) {
		ret = plane_begin_cpu(vb, m);
		if (ret) {
			end_cpu(vb, m);
			return ret;
		}
	}
	return 0;
}
EXPORT_SYMBOL_GPL(vivid_ext_access_begin);

/**
 * vivid_ext_access_end - the frame is read or written
 * @access: as given to vivid_ext_access_begin(), which has succeeded
 * @vb: its buffer
 *
 * Process context, before vb2 gets the buffer back.
 *
 * Return: 0, or the exporter's error: the frame may not be visible to others.
 */
int vivid_ext_access_end(struct vivid_ext_access *access,
			 struct vb2_buffer *vb)
{
	if (!access->by_cpu) {
		end_dma(access, vb);
		return 0;
	}
	return end_cpu(vb, vb->num_planes);
}
EXPORT_SYMBOL_GPL(vivid_ext_access_end);

/**
 * vivid_ext_access_stray - let the device use a wrong address
 * @access: open
 * @vb: its buffer, queued
 *
 * See vivid_ext_view_stray(). Any context.
 *
 * Return: -EFAULT, or 0 where the CPU stands in for the device.
 */
int vivid_ext_access_stray(struct vivid_ext_access *access,
			   struct vb2_buffer *vb)
{
	if (access->by_cpu)
		return 0;
	return vivid_ext_view_stray(access->view[0], vb->vb2_queue->dev,
				    vb->vb2_queue->dma_dir);
}
EXPORT_SYMBOL_GPL(vivid_ext_access_stray);

/**
 * vivid_ext_access_frame - find the frame in a buffer
 * @access: open
 * @vb: its buffer, checked by vivid_ext_format_check()
 * @fmt: of the frame
 * @frame: filled in
 *
 * Who queues an output buffer of the multi-planar API may say that the frame
 * doesn't begin where the memory does. Any context.
 */
void vivid_ext_access_frame(const struct vivid_ext_access *access,
			    const struct vb2_buffer *vb,
			    const struct vivid_ext_format *fmt,
			    struct vivid_ext_frame *frame)
{
	void *mem[VIVID_EXT_MAX_MEM] = { };
	unsigned int m;

	for (m = 0; m < fmt->num_mem; m++) {
		mem[m] = access->mem[m];
		if (V4L2_TYPE_IS_OUTPUT(vb->type))
			mem[m] += vb->planes[m].data_offset;
	}
	vivid_ext_format_frame(fmt, mem, frame);
}
EXPORT_SYMBOL_GPL(vivid_ext_access_frame);

/**
 * vivid_ext_access_reason - why the CPU stands in for the device
 * @access: open, by CPU
 * @reasons: the device's, %VIVID_EXT_MAX_REASONS of them
 *
 * Under the lock of @reasons. Return: its entry there.
 */
struct vivid_ext_reason *
vivid_ext_access_reason(const struct vivid_ext_access *access,
			struct vivid_ext_reason *reasons)
{
	return vivid_ext_reason_find(reasons,
				     access->refused ? "import" : "no-dma",
				     access->refused);
}
EXPORT_SYMBOL_GPL(vivid_ext_access_reason);

/**
 * vivid_ext_access_show - describe a buffer for debugfs
 * @access: open
 * @vb: its buffer
 * @m: gets a line for each piece of memory, and one with the pages that the
 *     device reaches
 *
 * Under the queue's lock.
 */
void vivid_ext_access_show(struct vivid_ext_access *access,
			   struct vb2_buffer *vb, struct seq_file *m)
{
	unsigned int p;

	for (p = 0; p < vb->num_planes; p++) {
		struct dma_buf *dbuf = vb->planes[p].dbuf;

		seq_printf(m, "buffer=%u plane=%u memory=%s size=%lu access=%s",
			   vb->index, p,
			   vb->memory == VB2_MEMORY_DMABUF ? "dmabuf" : "mmap",
			   vb2_plane_size(vb, p), access->by_cpu ? "cpu" : "dma");
		if (dbuf)
			seq_printf(m, " inode=%llu",
				   (u64)file_inode(dbuf->file)->i_ino);
		seq_putc(m, '\n');
		if (!access->view[p])
			continue;
		seq_puts(m, "pages: ");
		vivid_ext_view_show_pages(access->view[p], m);
	}
}
EXPORT_SYMBOL_GPL(vivid_ext_access_show);

MODULE_DESCRIPTION("Shared parts of vivid-ext's video nodes");
MODULE_AUTHOR("The videobuf2-dmabuf authors");
MODULE_LICENSE("GPL");
VDB_IMPORT_NS_DMA_BUF;
