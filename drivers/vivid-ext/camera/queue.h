/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The buffer queue of a node.
 */
#ifndef VIVID_EXT_QUEUE_H
#define VIVID_EXT_QUEUE_H

#include <linux/videodev2.h>
#include <media/v4l2-event.h>
#include <media/v4l2-ioctl.h>
#include <media/videobuf2-v4l2.h>

#include "node.h"

struct file;

int vivid_ext_queue_init(struct vivid_ext_node *node, enum v4l2_buf_type type);
int vivid_ext_queue_qbuf(struct file *file, void *priv, struct v4l2_buffer *b);
int vivid_ext_queue_prepare_buf(struct file *file, void *priv,
				struct v4l2_buffer *b);

/* The same for all nodes; the file's data must be the node. */
#define VIVID_EXT_NODE_IOCTLS						\
	.vidioc_querycap = vivid_ext_node_querycap,			\
	.vidioc_enum_framesizes = vivid_ext_node_enum_framesizes,	\
	.vidioc_enum_frameintervals = vivid_ext_node_enum_frameintervals, \
	.vidioc_g_parm = vivid_ext_node_g_parm,				\
	.vidioc_s_parm = vivid_ext_node_s_parm,				\
	.vidioc_reqbufs = vb2_ioctl_reqbufs,				\
	.vidioc_create_bufs = vb2_ioctl_create_bufs,			\
	.vidioc_prepare_buf = vivid_ext_queue_prepare_buf,		\
	.vidioc_querybuf = vb2_ioctl_querybuf,				\
	.vidioc_qbuf = vivid_ext_queue_qbuf,				\
	.vidioc_dqbuf = vb2_ioctl_dqbuf,				\
	.vidioc_expbuf = vb2_ioctl_expbuf,				\
	.vidioc_streamon = vb2_ioctl_streamon,				\
	.vidioc_streamoff = vb2_ioctl_streamoff,			\
	VDB_IOCTL_REMOVE_BUFS						\
	.vidioc_subscribe_event = v4l2_ctrl_subscribe_event,		\
	.vidioc_unsubscribe_event = v4l2_event_unsubscribe,

#endif
