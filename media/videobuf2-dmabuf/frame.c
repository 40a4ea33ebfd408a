// SPDX-License-Identifier: GPL-2.0-only
/*
 * A frame's way through a queue: to the device or the driver's CPU, what that
 * says of its own access meanwhile, back, and to user space.
 */
#include <linux/device.h>
#include <linux/printk.h>
#include <media/videobuf2-core.h>
#include <media/videobuf2-dmabuf.h>

#include "internal.h"

/*
 * The attachment through which the queue's device uses one of our buffers;
 * what others export is theirs to synchronise.
 */
static struct vdb_attachment *tracked(struct vdb_plane *plane)
{
	return plane->att ? vdb_attachment_of(plane->att) : NULL;
}

/*
 * vb2 sets the cache hints of a frame and never clears them: one frame with a
 * hint would speak for all that follow. So the last plane uses them up. Those
 * of an imported buffer are vb2's own and always set; they say nothing.
 */
static bool use_up_hints(struct vdb_plane *plane)
{
	struct vb2_buffer *vb = plane->vb;

	return plane->own &&
	       plane == vb->planes[vb->num_planes - 1].mem_priv;
}

/* A buffer of ours that the driver's CPU works on, and no device. */
static struct vdb_buffer *cpu_frame(struct vdb_plane *plane)
{
	if (plane->att || !plane->vaddr)
		return NULL;
	return vdb_buffer_of(plane->dbuf);
}

static bool plane_writes(const struct vdb_plane *plane)
{
	return plane->dir != DMA_TO_DEVICE;
}

/* Whether the driver's CPU may have written before it lets its device read. */
static bool cpu_prepared(struct vdb_plane *plane)
{
	return plane->asked || vb2_fileio_is_active(plane->vb->vb2_queue);
}

/* By their operations, which all of a driver's queues of a kind share. */
static struct vdb_said advised = VDB_SAID_INIT(advised);

/*
 * A frame's bytes were moved in vb2_buffer_done(), and the driver has not
 * called the helper for it since, or it would deliver: it has none.
 */
static void advise(struct vdb_plane *plane)
{
	const struct vb2_queue *q = plane->vb->vb2_queue;
	const void *ops = q->ops;

	plane->hurried = false;
	if (plane->delivers || !vdb_say_once(&advised, (uintptr_t)ops, 0))
		return;
	pr_notice_ratelimited("videobuf2-dmabuf: %s %s: vb2_buffer_done() moves frames for the driver of %ps, at times in interrupts: call vb2_dmabuf_buf_finish() in buf_finish, which moves them in DQBUF (Documentation/drop-in.md)\n",
			      q->dev ? dev_driver_string(q->dev) : "queue",
			      q->dev ? dev_name(q->dev) : q->name,
			      q->ops->queue_setup);
}

/**
 * vdb_frame_prepare - a queue's frame begins (vb2_mem_ops.prepare)
 * @mem_priv: the plane
 *
 * Context: process; may sleep; the queue's lock held.
 */
void vdb_frame_prepare(void *mem_priv)
{
	struct vdb_plane *plane = mem_priv;
	struct vdb_attachment *att = tracked(plane);
	bool clean = !plane->own || !plane->vb->skip_cache_sync_on_prepare;
	struct vdb_buffer *frame = cpu_frame(plane);

	/* Two planes may be the same dma-buf, and then share this. */
	if (plane->prepared)
		return;
	plane->prepared = true;
	if (plane->hurried)
		advise(plane);
	if (use_up_hints(plane))
		plane->vb->skip_cache_sync_on_prepare = 0;
	if (att) {
		if (plane->vaddr && cpu_prepared(plane))
			vdb_coherency_wrote(att->buf);
		vdb_coherency_queue(att, clean);
	} else if (frame) {
		/* The driver may have brackets, or not: see below. */
		plane->drawing = plane_writes(plane);
		vdb_coherency_queue_cpu(frame, plane->drawing);
	}
	plane->asked = false;
}

/* Whether the driver's CPU looks at the frame, and won't say when. */
static bool looks(const struct vdb_plane *plane)
{
	return plane->vaddr && plane->looks && !plane->skip_look;
}

/* The frame is about to be in user space's hands, and nobody will say so. */
static void deliver_now(struct vdb_plane *plane)
{
	struct vdb_buffer *buf = vdb_buffer_of(plane->dbuf);
	unsigned long moves;

	if (!buf)
		return;
	moves = READ_ONCE(buf->moves);
	vdb_coherency_deliver_now(buf, looks(plane));
	if (moves == READ_ONCE(buf->moves))
		return;
	plane->hurried = true;
	vdb_stat_add(VDB_HURRIED_FRAMES, 1);
}

/**
 * vdb_frame_finish - a queue's frame has ended (vb2_mem_ops.finish)
 * @mem_priv: the plane
 *
 * Context: any, hard interrupt included.
 */
void vdb_frame_finish(void *mem_priv)
{
	struct vdb_plane *plane = mem_priv;
	struct vdb_attachment *att = tracked(plane);
	struct vdb_buffer *frame = cpu_frame(plane);

	if (!plane->prepared)
		return;
	plane->prepared = false;
	plane->skip_look = plane->own && plane->vb->skip_cache_sync_on_finish;
	if (use_up_hints(plane))
		plane->vb->skip_cache_sync_on_finish = 0;
	if (att)
		vdb_coherency_done(att, true);
	else if (frame && plane->drawing)
		vdb_coherency_done_cpu(frame, true);
	plane->drawing = false;
	if (!plane->delivers && plane_writes(plane))
		deliver_now(plane);
}

/**
 * vdb_frame_abandon - a plane goes, or its memory
 * @plane: the plane
 *
 * Buffers that were prepared and never queued go without being finished
 * (VIDIOC_PREPARE_BUF, VIDIOC_REMOVE_BUFS).
 *
 * Context: process; may sleep; the queue's lock held.
 */
void vdb_frame_abandon(struct vdb_plane *plane)
{
	vdb_frame_finish(plane);
}

/*
 * A frame that the driver brackets is not drawn without a word. Nor is it its
 * device's, unless the driver wants to see first what there is: its device may
 * have written that.
 */
static void cpu_stands_in(struct vdb_plane *plane, enum dma_data_direction dir)
{
	struct vdb_attachment *att = tracked(plane);
	struct vdb_buffer *frame = cpu_frame(plane);

	if (att && plane->prepared)
		vdb_coherency_done(att, dir != DMA_TO_DEVICE);
	if (frame && plane->drawing)
		vdb_coherency_done_cpu(frame, false);
	plane->drawing = false;
}

/* Through the driver's mapping the buffer may be written anywhere. */
static void account_access(struct vdb_plane *plane, bool begins)
{
	struct vdb_buffer *ours = vdb_buffer_of(plane->dbuf);

	if (!ours || plane->accessed == begins)
		return;
	plane->accessed = begins;
	mutex_lock(&ours->lock);
	if (begins)
		vdb_coherency_vmap(ours);
	else
		vdb_coherency_vunmap(ours);
	mutex_unlock(&ours->lock);
}

/**
 * vb2_dmabuf_plane_begin_cpu_access - a driver is about to touch a plane
 * @vb: a buffer of a queue that uses vb2_dmabuf_memops
 * @plane_no: which plane
 * @dir: DMA_FROM_DEVICE to read, DMA_TO_DEVICE to write all of it in its
 *	device's place, or both to add to what its device has written
 *
 * For drivers whose CPU makes or takes the frames. vb2 does nothing of the
 * kind for imported buffers, so that this is all the coherency they get where
 * somebody else exports (dma_buf_begin_cpu_access()).
 *
 * Context: process; may sleep, and may wait for fences.
 * Return: 0, -EINVAL for a plane without memory, or what the exporter says.
 */
int vb2_dmabuf_plane_begin_cpu_access(struct vb2_buffer *vb,
				      unsigned int plane_no,
				      enum dma_data_direction dir)
{
	struct vdb_plane *plane = vdb_plane_of(vb, plane_no);
	int ret;

	if (!plane)
		return -EINVAL;
	cpu_stands_in(plane, dir);
	ret = dma_buf_begin_cpu_access(plane->dbuf, dir);
	if (!ret)
		account_access(plane, true);
	return ret;
}
EXPORT_SYMBOL_GPL(vb2_dmabuf_plane_begin_cpu_access);

/**
 * vb2_dmabuf_plane_end_cpu_access - a driver has touched a plane
 * @vb: a buffer of a queue that uses vb2_dmabuf_memops
 * @plane_no: which plane
 * @dir: as given to vb2_dmabuf_plane_begin_cpu_access()
 *
 * Call it before vb2_buffer_done().
 *
 * Context: process; may sleep.
 * Return: 0, -EINVAL for a plane without memory, or what the exporter says.
 */
int vb2_dmabuf_plane_end_cpu_access(struct vb2_buffer *vb,
				    unsigned int plane_no,
				    enum dma_data_direction dir)
{
	struct vdb_plane *plane = vdb_plane_of(vb, plane_no);
	int ret;

	if (!plane)
		return -EINVAL;
	ret = dma_buf_end_cpu_access(plane->dbuf, dir);
	account_access(plane, false);
	return ret;
}
EXPORT_SYMBOL_GPL(vb2_dmabuf_plane_end_cpu_access);

/**
 * vb2_dmabuf_buf_finish - a frame goes to user space
 * @vb: a buffer; if its queue has another allocator, nothing is done
 *
 * For vb2_ops.buf_finish, or to be called there first. What importers and
 * processes are to see of the frame is moved here, where it may take its time,
 * and vb2_buffer_done() does nothing that takes longer for a larger frame. A
 * driver that does not use this still gets it right: vb2_buffer_done() moves the
 * bytes then, with interrupts off if it is called so, and the log says so once.
 *
 * Context: process; may sleep.
 */
void vb2_dmabuf_buf_finish(struct vb2_buffer *vb)
{
	unsigned int i;

	if (vb->vb2_queue->mem_ops != &vb2_dmabuf_memops)
		return;
	for (i = 0; i < vb->num_planes; i++) {
		struct vdb_plane *plane = vdb_plane_of(vb, i);
		struct vdb_buffer *buf;

		if (!plane)
			continue;
		plane->delivers = true;
		buf = vdb_buffer_of(plane->dbuf);
		if (buf && plane_writes(plane))
			vdb_coherency_deliver(buf, looks(plane));
	}
}
EXPORT_SYMBOL_GPL(vb2_dmabuf_buf_finish);
