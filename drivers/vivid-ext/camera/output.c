// SPDX-License-Identifier: GPL-2.0-only
/*
 * The output node: at each frame time it scans out one of the buffers that are
 * queued, and checks its stamp. Where it can't read a buffer by DMA the CPU
 * copies it. What it shows can be looped back to the capture node.
 */
#include <linux/kernel.h>
#include <linux/seq_file.h>
#include <linux/vivid-ext.h>
#include <media/v4l2-event.h>
#include <media/v4l2-ioctl.h>
#include <media/videobuf2-v4l2.h>

#include "core.h"
#include "output.h"
#include "picture/stamp.h"
#include "queue.h"

static struct vivid_ext_output *to_output(struct vivid_ext_node *node)
{
	return container_of(node, struct vivid_ext_output, node);
}

static int output_enum_output(struct file *file, void *priv,
			      struct v4l2_output *output)
{
	if (output->index)
		return -EINVAL;
	output->type = V4L2_OUTPUT_TYPE_ANALOG;
	strscpy(output->name, "Screen", sizeof(output->name));
	return 0;
}

static int output_g_output(struct file *file, void *priv, unsigned int *i)
{
	*i = 0;
	return 0;
}

static int output_s_output(struct file *file, void *priv, unsigned int i)
{
	return i ? -EINVAL : 0;
}

static const struct v4l2_ioctl_ops output_ioctl_ops = {
	VIVID_EXT_NODE_IOCTLS
	.vidioc_enum_fmt_vid_out = vivid_ext_node_enum_fmt,
	.vidioc_g_fmt_vid_out = vivid_ext_node_g_fmt,
	.vidioc_try_fmt_vid_out = vivid_ext_node_try_fmt,
	.vidioc_s_fmt_vid_out = vivid_ext_node_s_fmt,
	.vidioc_g_fmt_vid_out_mplane = vivid_ext_node_g_fmt,
	.vidioc_try_fmt_vid_out_mplane = vivid_ext_node_try_fmt,
	.vidioc_s_fmt_vid_out_mplane = vivid_ext_node_s_fmt,
	.vidioc_enum_output = output_enum_output,
	.vidioc_g_output = output_g_output,
	.vidioc_s_output = output_s_output,
	.vidioc_log_status = v4l2_ctrl_log_status,
};

static int output_set_ctrl(struct v4l2_ctrl *ctrl)
{
	struct vivid_ext_output *out =
		container_of(ctrl->handler, struct vivid_ext_output, handler);

	mutex_lock(&out->screen.lock);
	out->screen.loop = ctrl->val;
	mutex_unlock(&out->screen.lock);
	return 0;
}

static const struct v4l2_ctrl_ops output_ctrl_ops = {
	.s_ctrl = output_set_ctrl,
};

static int output_init_controls(struct vivid_ext_output *out)
{
	const struct v4l2_ctrl_config loop = {
		.ops = &output_ctrl_ops,
		.id = VIVID_EXT_CID_LOOP,
		.name = "Loop Video",
		.type = V4L2_CTRL_TYPE_BOOLEAN,
		.max = 1,
		.step = 1,
		.def = out->node.core->config.loop,
	};

	v4l2_ctrl_handler_init(&out->handler, 1 + VIVID_EXT_NUM_ERRORS);
	v4l2_ctrl_new_custom(&out->handler, &loop, NULL);
	vivid_ext_inject_init(&out->node.inject, &out->handler,
			      VIVID_EXT_ALL_ERRORS);
	if (out->handler.error)
		return out->handler.error;
	out->node.vdev.ctrl_handler = &out->handler;
	return v4l2_ctrl_handler_setup(&out->handler);
}

static void output_opened(struct vivid_ext_node *node,
			  struct vivid_ext_buffer *buf)
{
	if (!buf->access.by_cpu)
		return;
	spin_lock_irq(&node->qlock);
	vivid_ext_access_reason(&buf->access,
				to_output(node)->reasons)->imports++;
	spin_unlock_irq(&node->qlock);
}

static int output_start(struct vivid_ext_node *node)
{
	return 0;
}

static void output_stop(struct vivid_ext_node *node)
{
	vivid_ext_screen_clear(&to_output(node)->screen);
}

static void output_count_source(struct vivid_ext_output *out,
				struct vivid_ext_buffer *buf, size_t bytes)
{
	struct vivid_ext_output_stats *stats = &out->stats;

	if (buf->access.by_cpu) {
		stats->fallback++;
		stats->bytes_copied += bytes;
		vivid_ext_access_reason(&buf->access, out->reasons)->frames++;
	} else if (buf->vb.vb2_buf.memory == VB2_MEMORY_DMABUF) {
		stats->zero_copy++;
	} else {
		stats->native++;
	}
}

static void output_count_stamp(struct vivid_ext_output *out,
			       const struct vivid_ext_stamp *stamp,
			       u64 checksum)
{
	struct vivid_ext_output_stats *stats = &out->stats;

	/* A smaller number is a new stream, the same one a repeated frame. */
	if (stats->stamps_read && stamp->sequence > stats->last)
		stats->gaps += stamp->sequence - stats->last - 1;
	stats->last = stamp->sequence;
	stats->stamps_read++;
	if (stamp->checksum != checksum)
		stats->mismatches++;
}

/* What the scan-out reads: the buffer, or what the CPU copied out of it. */
static int output_picture(struct vivid_ext_output *out,
			  struct vivid_ext_buffer *buf,
			  const struct vivid_ext_frame *frame,
			  struct vivid_ext_frame *picture)
{
	int ret;

	*picture = *frame;
	if (!buf->access.by_cpu && !READ_ONCE(out->screen.loop))
		return 0;
	ret = vivid_ext_screen_show(&out->screen, frame);
	if (!buf->access.by_cpu)
		return 0;
	/* Only this thread changes it. */
	*picture = out->screen.picture;
	return ret;
}

static int output_frame(struct vivid_ext_node *node,
			struct vivid_ext_buffer *buf,
			const struct vivid_ext_frame *frame, u32 sequence,
			u64 ns)
{
	struct vivid_ext_output *out = to_output(node);
	struct vivid_ext_frame picture;
	struct vivid_ext_stamp stamp;
	bool stamped;
	u64 checksum;
	int ret;

	ret = output_picture(out, buf, frame, &picture);
	if (ret)
		return ret;
	checksum = vivid_ext_stamp_checksum(&picture);
	stamped = !vivid_ext_stamp_read(&picture, &stamp);

	spin_lock_irq(&node->qlock);
	output_count_source(out, buf, vivid_ext_frame_bytes(&picture));
	if (stamped)
		output_count_stamp(out, &stamp, checksum);
	else
		out->stats.stamps_missing++;
	spin_unlock_irq(&node->qlock);
	return 0;
}

static const struct vivid_ext_node_ops output_node_ops = {
	.opened = output_opened,
	.start = output_start,
	.stop = output_stop,
	.frame = output_frame,
};

/**
 * vivid_ext_output_init - prepare an output node
 * @out: zeroed memory in the camera
 * @core: the camera's, configured, its v4l2_device registered
 *
 * Process context. Needs vivid_ext_output_free() even if it fails, when the
 * last reference to the camera goes.
 *
 * Return: 0, or the error of the framework that refused.
 */
int vivid_ext_output_init(struct vivid_ext_output *out,
			  struct vivid_ext_core *core)
{
	int ret;

	vivid_ext_screen_init(&out->screen);
	vivid_ext_node_init(&out->node, core, &output_node_ops);
	ret = vivid_ext_queue_init(&out->node, core->config.multiplanar ?
				   V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE :
				   V4L2_BUF_TYPE_VIDEO_OUTPUT);
	return ret ?: output_init_controls(out);
}

/**
 * vivid_ext_output_register - let users see an output node
 * @out: initialised
 *
 * Process context; vivid_ext_node_unregister() undoes it.
 *
 * Return: 0, or the error of the framework that refused.
 */
int vivid_ext_output_register(struct vivid_ext_output *out)
{
	return vivid_ext_node_register(&out->node, "screen", &output_ioctl_ops,
				       out->node.core->config.multiplanar ?
				       V4L2_CAP_VIDEO_OUTPUT_MPLANE :
				       V4L2_CAP_VIDEO_OUTPUT);
}

/**
 * vivid_ext_output_free - nobody has the node open any more
 * @out: the node
 */
void vivid_ext_output_free(struct vivid_ext_output *out)
{
	v4l2_ctrl_handler_free(&out->handler);
	vivid_ext_screen_free(&out->screen);
}

/**
 * vivid_ext_output_show_stats - print what the node has counted
 * @out: the node
 * @m: gets lines of a name and a number
 *
 * Process context.
 */
void vivid_ext_output_show_stats(struct vivid_ext_output *out,
				 struct seq_file *m)
{
	struct vivid_ext_output_stats stats;
	struct vivid_ext_stats common;

	spin_lock_irq(&out->node.qlock);
	stats = out->stats;
	common = out->node.stats;
	spin_unlock_irq(&out->node.qlock);
	seq_printf(m, "frames_shown %llu\n", common.frames);
	seq_printf(m, "underruns %llu\n", common.dropped);
	seq_printf(m, "late %llu\n", common.late);
	seq_printf(m, "errors %llu\n", common.errors);
	seq_printf(m, "stalls %llu\n", common.stalls);
	seq_printf(m, "native_frames %llu\n", stats.native);
	seq_printf(m, "zero_copy_frames %llu\n", stats.zero_copy);
	seq_printf(m, "fallback_frames %llu\n", stats.fallback);
	seq_printf(m, "bytes_read %llu\n", common.bytes);
	seq_printf(m, "bytes_copied %llu\n", stats.bytes_copied);
	seq_printf(m, "stamps_read %llu\n", stats.stamps_read);
	seq_printf(m, "stamps_missing %llu\n", stats.stamps_missing);
	seq_printf(m, "checksum_mismatches %llu\n", stats.mismatches);
	seq_printf(m, "sequence_gaps %llu\n", stats.gaps);
	seq_printf(m, "last_sequence %u\n", stats.last);
}

/**
 * vivid_ext_output_show_reasons - print why frames were copied
 * @out: the node
 * @m: where to, see vivid_ext_reasons_show()
 *
 * Process context.
 */
void vivid_ext_output_show_reasons(struct vivid_ext_output *out,
				   struct seq_file *m)
{
	struct vivid_ext_reason reasons[VIVID_EXT_MAX_REASONS];

	spin_lock_irq(&out->node.qlock);
	memcpy(reasons, out->reasons, sizeof(reasons));
	spin_unlock_irq(&out->node.qlock);
	vivid_ext_reasons_show(reasons, m);
}
