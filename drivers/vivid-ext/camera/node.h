/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A video node that streams at a frame rate: what capture and output share.
 */
#ifndef VIVID_EXT_NODE_H
#define VIVID_EXT_NODE_H

#include <linux/irq_work.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/videodev2.h>
#include <media/v4l2-dev.h>
#include <media/videobuf2-v4l2.h>

#include "v4l2/access.h"
#include "v4l2/format.h"
#include "v4l2/inject.h"

struct task_struct;
struct vivid_ext_core;
struct vivid_ext_node;

/**
 * struct vivid_ext_buffer - a buffer of a node
 * @vb: vb2's part, must be first
 * @queued: entry in the node's queue, while it waits for its frame
 * @node: entry in the list of all buffers
 * @error: why it is not, or 0
 * @access: how the device gets at its memory
 */
struct vivid_ext_buffer {
	struct vb2_v4l2_buffer vb;
	struct list_head queued;
	struct list_head node;
	int error;
	struct vivid_ext_access access;
};

static inline struct vivid_ext_buffer *
to_vivid_ext_buffer(struct vb2_buffer *vb)
{
	return container_of(to_vb2_v4l2_buffer(vb), struct vivid_ext_buffer, vb);
}

/**
 * struct vivid_ext_stats - what happened since the device was made
 * @frames: done, whole
 * @dropped: due, but there was no buffer or no time
 * @late: of @dropped, those for which there was no time
 * @errors: given back in error
 * @stalls: times that the machine stood still, and the node with it
 * @dma_frames: of @frames, moved by the device
 * @cpu_frames: of @frames, moved by the CPU
 * @bytes: bytes of @frames
 * @cpu_ns: time spent on them
 */
struct vivid_ext_stats {
	u64 frames;
	u64 dropped;
	u64 late;
	u64 errors;
	u64 stalls;
	u64 dma_frames;
	u64 cpu_frames;
	u64 bytes;
	u64 cpu_ns;
};

/**
 * struct vivid_ext_node_ops - what makes a node capture or output
 * @opened: a buffer's memory can be reached; under the device's lock
 * @start: frames are about to come; under the device's lock
 * @stop: they come no more; the same
 * @begin: a frame begins, whether there is a buffer for it or not. In the
 *	engine's thread, without locks
 * @frame: one is due: write or read it where it lies in @buf; the same
 * @drop: one is due, but there is no buffer or no time; the same
 *
 * @opened, @begin and @drop need not be there.
 */
struct vivid_ext_node_ops {
	void (*opened)(struct vivid_ext_node *node,
		       struct vivid_ext_buffer *buf);
	int (*start)(struct vivid_ext_node *node);
	void (*stop)(struct vivid_ext_node *node);
	void (*begin)(struct vivid_ext_node *node, u32 sequence);
	int (*frame)(struct vivid_ext_node *node, struct vivid_ext_buffer *buf,
		     const struct vivid_ext_frame *frame, u32 sequence, u64 ns);
	void (*drop)(struct vivid_ext_node *node);
};

/**
 * struct vivid_ext_node - a video node
 * @core: of the camera that it belongs to
 * @ops: what it does
 * @vdev: the video device
 * @queue: its buffers; its device is NULL where the CPU does everything
 * @format: constant while there are buffers; the device's lock protects it
 * @buffers: all that the device can reach, queued or not; the same
 * @inject: the errors that it is to make
 * @qlock: protects @queued, @interval and @stats
 * @queued: buffers that wait for a frame
 * @interval: from frame to frame
 * @stats: counts
 * @engine: the thread that makes frames, while streaming
 * @done: the buffer that @interrupt gives back
 * @interrupt: says that a frame is done, in hard interrupt context. Not the
 *	buffer's: when it has said so, user space may free that
 *
 * The engine doesn't take the device's lock, so that stopping it under that
 * lock cannot hang.
 */
struct vivid_ext_node {
	struct vivid_ext_core *core;
	const struct vivid_ext_node_ops *ops;
	struct video_device vdev;
	struct vb2_queue queue;
	struct vivid_ext_format format;
	struct list_head buffers;
	struct vivid_ext_inject inject;

	spinlock_t qlock;	/* @queued, @interval, @stats */
	struct list_head queued;
	struct v4l2_fract interval;
	struct vivid_ext_stats stats;
	struct task_struct *engine;
	struct vivid_ext_buffer *done;
	struct irq_work interrupt;
};

void vivid_ext_node_init(struct vivid_ext_node *node,
			 struct vivid_ext_core *core,
			 const struct vivid_ext_node_ops *ops);
int vivid_ext_node_register(struct vivid_ext_node *node, const char *what,
			    const struct v4l2_ioctl_ops *ioctl_ops, u32 caps);
void vivid_ext_node_unregister(struct vivid_ext_node *node);
void vivid_ext_node_stats(struct vivid_ext_node *node,
			  struct vivid_ext_stats *stats);

/* Parts of a struct v4l2_ioctl_ops; the file's data must be the node. */
int vivid_ext_node_querycap(struct file *file, void *priv,
			    struct v4l2_capability *cap);
int vivid_ext_node_enum_fmt(struct file *file, void *priv,
			    struct v4l2_fmtdesc *f);
int vivid_ext_node_g_fmt(struct file *file, void *priv, struct v4l2_format *f);
int vivid_ext_node_try_fmt(struct file *file, void *priv,
			   struct v4l2_format *f);
int vivid_ext_node_s_fmt(struct file *file, void *priv, struct v4l2_format *f);
int vivid_ext_node_enum_framesizes(struct file *file, void *priv,
				   struct v4l2_frmsizeenum *e);
int vivid_ext_node_enum_frameintervals(struct file *file, void *priv,
				       struct v4l2_frmivalenum *e);
int vivid_ext_node_g_parm(struct file *file, void *priv,
			  struct v4l2_streamparm *parm);
int vivid_ext_node_s_parm(struct file *file, void *priv,
			  struct v4l2_streamparm *parm);

#endif
