// SPDX-License-Identifier: GPL-2.0-only
/*
 * The buffer queue of a capture node: what videobuf2 asks of the driver, with
 * any of the four allocators.
 */
#include <linux/dma-buf.h>
#include <media/videobuf2-dma-contig.h>
#include <media/videobuf2-dma-sg.h>
#include <media/videobuf2-dmabuf.h>
#include <media/videobuf2-v4l2.h>
#include <media/videobuf2-vmalloc.h>

#include "../../media/videobuf2-dmabuf/compat.h"
#include "buffer.h"
#include "core.h"
#include "engine.h"
#include "queue.h"

/*
 * One that is written, one that is looked at, and two so that a user who is
 * late by a frame or two loses none.
 */
#define MIN_BUFFERS	4

static int queue_check_size(struct vivid_ext_capture *cap, unsigned int m,
			    unsigned long size)
{
	if (size >= cap->format.size[m])
		return 0;
	dev_warn_ratelimited(cap->dev->dev,
			     "plane %u has %lu bytes, a frame needs %u\n",
			     m, size, cap->format.size[m]);
	return -EINVAL;
}

static int queue_setup(struct vb2_queue *q, unsigned int *num_buffers,
		       unsigned int *num_planes, unsigned int sizes[],
		       struct device *alloc_devs[])
{
	struct vivid_ext_capture *cap = vb2_get_drv_priv(q);
	unsigned int m;
	int ret;

	if (*num_planes) {
		if (*num_planes != cap->format.num_mem)
			return -EINVAL;
		for (m = 0; m < *num_planes; m++) {
			ret = queue_check_size(cap, m, sizes[m]);
			if (ret)
				return ret;
		}
		return 0;
	}
	*num_planes = cap->format.num_mem;
	for (m = 0; m < *num_planes; m++)
		sizes[m] = cap->format.size[m];
	if (*num_buffers < MIN_BUFFERS)
		*num_buffers = MIN_BUFFERS;
	return 0;
}

static int queue_buf_init(struct vb2_buffer *vb)
{
	struct vivid_ext_capture *cap = vb2_get_drv_priv(vb->vb2_queue);
	struct vivid_ext_buffer *buf = to_vivid_ext_buffer(vb);
	int ret;

	ret = vivid_ext_buffer_open(cap, buf);
	if (!ret)
		list_add_tail(&buf->node, &cap->buffers);
	return ret;
}

static void queue_buf_cleanup(struct vb2_buffer *vb)
{
	struct vivid_ext_buffer *buf = to_vivid_ext_buffer(vb);

	list_del(&buf->node);
	vivid_ext_buffer_close(buf);
}

/*
 * The length of an imported plane is the user's word. The allocators compare
 * it with the dma-buf, but vb2 does not ask them when two planes share one.
 */
static int queue_check_import(struct vivid_ext_capture *cap,
			      struct vb2_buffer *vb, unsigned int m)
{
	struct dma_buf *dbuf = vb->planes[m].dbuf;

	if (vb->memory != VB2_MEMORY_DMABUF || vb2_plane_size(vb, m) <= dbuf->size)
		return 0;
	dev_warn_ratelimited(cap->dev->dev,
			     "plane %u: length %lu, but the dma-buf has %zu bytes\n",
			     m, vb2_plane_size(vb, m), dbuf->size);
	return -EINVAL;
}

static int queue_buf_prepare(struct vb2_buffer *vb)
{
	struct vivid_ext_capture *cap = vb2_get_drv_priv(vb->vb2_queue);
	unsigned int m;
	int ret;

	for (m = 0; m < vb->num_planes; m++) {
		ret = queue_check_size(cap, m, vb2_plane_size(vb, m));
		if (!ret)
			ret = queue_check_import(cap, vb, m);
		if (ret)
			return ret;
		vb2_set_plane_payload(vb, m, cap->format.size[m]);
	}
	return 0;
}

static void queue_buf_queue(struct vb2_buffer *vb)
{
	struct vivid_ext_capture *cap = vb2_get_drv_priv(vb->vb2_queue);
	struct vivid_ext_buffer *buf = to_vivid_ext_buffer(vb);

	spin_lock_irq(&cap->qlock);
	list_add_tail(&buf->queued, &cap->queued);
	spin_unlock_irq(&cap->qlock);
}

/* Give all that waits for a frame back to vb2. */
static void queue_return(struct vivid_ext_capture *cap,
			 enum vb2_buffer_state state)
{
	struct vivid_ext_buffer *buf, *next;
	LIST_HEAD(list);

	spin_lock_irq(&cap->qlock);
	list_splice_init(&cap->queued, &list);
	spin_unlock_irq(&cap->qlock);
	list_for_each_entry_safe(buf, next, &list, queued) {
		list_del(&buf->queued);
		vb2_buffer_done(&buf->vb.vb2_buf, state);
	}
}

static int queue_start(struct vb2_queue *q, unsigned int count)
{
	struct vivid_ext_capture *cap = vb2_get_drv_priv(q);
	int ret;

	ret = vivid_ext_pattern_start(&cap->pattern, &cap->format);
	if (ret)
		goto return_buffers;
	ret = vivid_ext_engine_start(cap);
	if (ret)
		goto stop_pattern;
	return 0;

stop_pattern:
	vivid_ext_pattern_stop(&cap->pattern);
return_buffers:
	queue_return(cap, VB2_BUF_STATE_QUEUED);
	return ret;
}

static void queue_stop(struct vb2_queue *q)
{
	struct vivid_ext_capture *cap = vb2_get_drv_priv(q);

	vivid_ext_engine_stop(cap);
	vivid_ext_pattern_stop(&cap->pattern);
	queue_return(cap, VB2_BUF_STATE_ERROR);
}

static const struct vb2_ops queue_ops = {
	.queue_setup = queue_setup,
	.buf_init = queue_buf_init,
	.buf_cleanup = queue_buf_cleanup,
	.buf_prepare = queue_buf_prepare,
	.buf_queue = queue_buf_queue,
	.start_streaming = queue_start,
	.stop_streaming = queue_stop,
	VDB_VB2_OPS_WAIT
};

static const struct vb2_mem_ops *queue_mem_ops(unsigned int a)
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
static unsigned long queue_attrs(const struct vivid_ext_config *config)
{
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
	if (vivid_ext_bus_segments(&config->bus) == 1 && !config->bus.iommu)
		attrs |= DMA_ATTR_FORCE_CONTIGUOUS;
	return attrs;
}

/**
 * vivid_ext_queue_init - make a node's queue
 * @cap: the capture node
 *
 * USERPTR is not offered: such memory can't be kept coherent with devices, and
 * long-term pins on user pages are what dma-bufs replace. Process context;
 * vb2_video_unregister_device() undoes it.
 *
 * Return: 0 or vb2's error.
 */
int vivid_ext_queue_init(struct vivid_ext_capture *cap)
{
	const struct vivid_ext_config *config = &cap->dev->config;
	struct vb2_queue *q = &cap->queue;

	q->type = config->multiplanar ? V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE :
					V4L2_BUF_TYPE_VIDEO_CAPTURE;
	q->io_modes = VB2_MMAP | VB2_DMABUF | VB2_READ;
	/* No device means no DMA: the allocator and buffer.c go by it. */
	q->dev = config->dma ? cap->dev->dev : NULL;
	q->drv_priv = cap;
	q->buf_struct_size = sizeof(struct vivid_ext_buffer);
	q->ops = &queue_ops;
	q->mem_ops = queue_mem_ops(config->allocator);
	q->timestamp_flags = V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
	q->allow_cache_hints = 1;
	q->dma_attrs = queue_attrs(config);
	q->lock = &cap->lock;
	return vb2_queue_init(q);
}
