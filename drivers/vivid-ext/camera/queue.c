// SPDX-License-Identifier: GPL-2.0-only
/*
 * The buffer queue of a node: what videobuf2 asks of the driver.
 */
#include <media/videobuf2-dmabuf.h>
#include <media/videobuf2-v4l2.h>

#include "core.h"
#include "engine.h"
#include "queue.h"

/*
 * One that is written, one that is looked at, and two so that a user who is
 * late by a frame or two loses none.
 */
#define MIN_BUFFERS	4
#define MAX_BUFFERS	64

static int queue_setup(struct vb2_queue *q, unsigned int *num_buffers,
		       unsigned int *num_planes, unsigned int sizes[],
		       struct device *alloc_devs[])
{
	struct vivid_ext_node *node = vb2_get_drv_priv(q);
	int ret;

	ret = vivid_ext_inject_call(&node->inject, VIVID_EXT_ERROR_QUEUE_SETUP);
	if (ret)
		return ret;
	vivid_ext_access_update(q, node->core->dev, &node->core->config);
	if (!*num_planes && *num_buffers < MIN_BUFFERS)
		*num_buffers = MIN_BUFFERS;
	return vivid_ext_format_setup(&node->format, node->core->dev,
				      num_planes, sizes);
}

static int queue_buf_init(struct vb2_buffer *vb)
{
	struct vivid_ext_node *node = vb2_get_drv_priv(vb->vb2_queue);
	struct vivid_ext_buffer *buf = to_vivid_ext_buffer(vb);
	int ret;

	ret = vivid_ext_access_open(&buf->access, vb);
	if (ret) {
		dev_warn_ratelimited(node->core->dev,
				     "buffer %u: no access by %s: %d\n",
				     vb->index,
				     buf->access.by_cpu ? "CPU" : "DMA", ret);
		return ret;
	}
	list_add_tail(&buf->node, &node->buffers);
	if (node->ops->opened)
		node->ops->opened(node, buf);
	return 0;
}

static void queue_buf_cleanup(struct vb2_buffer *vb)
{
	struct vivid_ext_buffer *buf = to_vivid_ext_buffer(vb);

	list_del(&buf->node);
	vivid_ext_access_close(&buf->access);
}

/*
 * Clean up after a QBUF or PREPARE_BUF that failed.
 *
 * Where user space names a dma-buf that is none, or is too small, vb2 drops what
 * the buffer had before without buf_cleanup (__prepare_dmabuf()), and doesn't
 * make up for it when the buffer is freed. Under the device's lock.
 */
static void reap(struct vivid_ext_node *node)
{
	struct vivid_ext_buffer *buf, *next;

	list_for_each_entry_safe(buf, next, &node->buffers, node)
		if (!buf->vb.vb2_buf.planes[0].mem_priv)
			queue_buf_cleanup(&buf->vb.vb2_buf);
}

static int queue_buf_prepare(struct vb2_buffer *vb)
{
	struct vivid_ext_node *node = vb2_get_drv_priv(vb->vb2_queue);
	int ret;

	ret = vivid_ext_inject_call(&node->inject, VIVID_EXT_ERROR_BUF_PREPARE);
	return ret ?: vivid_ext_format_check(&node->format, node->core->dev, vb);
}

/* A picture has no fields: whoever outputs one need not know the word. */
static int queue_buf_out_validate(struct vb2_buffer *vb)
{
	to_vb2_v4l2_buffer(vb)->field = V4L2_FIELD_NONE;
	return 0;
}

static void queue_buf_queue(struct vb2_buffer *vb)
{
	struct vivid_ext_node *node = vb2_get_drv_priv(vb->vb2_queue);
	struct vivid_ext_buffer *buf = to_vivid_ext_buffer(vb);

	spin_lock_irq(&node->qlock);
	list_add_tail(&buf->queued, &node->queued);
	spin_unlock_irq(&node->qlock);
}

/* Give all that waits for a frame back to vb2. */
static void queue_return(struct vivid_ext_node *node,
			 enum vb2_buffer_state state)
{
	struct vivid_ext_buffer *buf, *next;
	LIST_HEAD(list);

	spin_lock_irq(&node->qlock);
	list_splice_init(&node->queued, &list);
	spin_unlock_irq(&node->qlock);
	list_for_each_entry_safe(buf, next, &list, queued) {
		list_del(&buf->queued);
		vb2_buffer_done(&buf->vb.vb2_buf, state);
	}
}

static int queue_start(struct vb2_queue *q, unsigned int count)
{
	struct vivid_ext_node *node = vb2_get_drv_priv(q);
	int ret;

	ret = vivid_ext_inject_call(&node->inject, VIVID_EXT_ERROR_START);
	if (ret)
		goto return_buffers;
	ret = node->ops->start(node);
	if (ret)
		goto return_buffers;
	ret = vivid_ext_engine_start(node);
	if (ret)
		goto stop;
	return 0;

stop:
	node->ops->stop(node);
return_buffers:
	queue_return(node, VB2_BUF_STATE_QUEUED);
	return ret;
}

static void queue_stop(struct vb2_queue *q)
{
	struct vivid_ext_node *node = vb2_get_drv_priv(q);

	vivid_ext_engine_stop(node);
	node->ops->stop(node);
	queue_return(node, VB2_BUF_STATE_ERROR);
}

static const struct vb2_ops queue_ops = {
	.queue_setup = queue_setup,
	.buf_init = queue_buf_init,
	.buf_out_validate = queue_buf_out_validate,
	.buf_cleanup = queue_buf_cleanup,
	.buf_prepare = queue_buf_prepare,
	.buf_finish = vb2_dmabuf_buf_finish,
	.buf_queue = queue_buf_queue,
	.start_streaming = queue_start,
	.stop_streaming = queue_stop,
	VDB_VB2_OPS_WAIT
};

/**
 * vivid_ext_queue_init - make a node's queue
 * @node: the node
 * @type: of its buffers
 *
 * USERPTR is not offered: such memory can't be kept coherent with devices, and
 * long-term pins on user pages are what dma-bufs replace. Process context;
 * vb2_video_unregister_device() undoes it.
 *
 * Return: 0 or vb2's error.
 */
int vivid_ext_queue_init(struct vivid_ext_node *node, enum v4l2_buf_type type)
{
	struct vb2_queue *q = &node->queue;

	q->type = type;
	q->io_modes = VB2_MMAP | VB2_DMABUF;
	if (V4L2_TYPE_IS_CAPTURE(type))
		q->io_modes |= VB2_READ;
	q->drv_priv = node;
	q->buf_struct_size = sizeof(struct vivid_ext_buffer);
	q->ops = &queue_ops;
	q->timestamp_flags = V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
	q->allow_cache_hints = 1;
	q->lock = &node->core->lock;
	vdb_queue_max_buffers(q, MAX_BUFFERS);
	vivid_ext_access_init(q, node->core->dev, &node->core->config);
	return vb2_queue_init(q);
}

/**
 * vivid_ext_queue_qbuf - for VIDIOC_QBUF
 * @file: an open node
 * @priv: unused
 * @b: the buffer
 *
 * Return: as vb2_ioctl_qbuf().
 */
int vivid_ext_queue_qbuf(struct file *file, void *priv, struct v4l2_buffer *b)
{
	int ret = vb2_ioctl_qbuf(file, priv, b);

	if (ret)
		reap(video_drvdata(file));
	return ret;
}

/**
 * vivid_ext_queue_prepare_buf - for VIDIOC_PREPARE_BUF
 * @file: an open node
 * @priv: unused
 * @b: the buffer
 *
 * Return: as vb2_ioctl_prepare_buf().
 */
int vivid_ext_queue_prepare_buf(struct file *file, void *priv,
				struct v4l2_buffer *b)
{
	int ret = vb2_ioctl_prepare_buf(file, priv, b);

	if (ret)
		reap(video_drvdata(file));
	return ret;
}
