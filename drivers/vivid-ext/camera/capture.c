// SPDX-License-Identifier: GPL-2.0-only
/*
 * The capture node: writes a pattern into each frame.
 */
#include <media/v4l2-event.h>
#include <media/v4l2-ioctl.h>
#include <media/videobuf2-v4l2.h>

#include "capture.h"
#include "config.h"
#include "core.h"
#include "queue.h"

static struct vivid_ext_capture *to_capture(struct vivid_ext_node *node)
{
	return container_of(node, struct vivid_ext_capture, node);
}

static int capture_enum_input(struct file *file, void *priv,
			      struct v4l2_input *input)
{
	if (input->index)
		return -EINVAL;
	input->type = V4L2_INPUT_TYPE_CAMERA;
	strscpy(input->name, "Camera", sizeof(input->name));
	return 0;
}

static int capture_g_input(struct file *file, void *priv, unsigned int *i)
{
	*i = 0;
	return 0;
}

static int capture_s_input(struct file *file, void *priv, unsigned int i)
{
	return i ? -EINVAL : 0;
}

static int capture_log_status(struct file *file, void *priv)
{
	struct vivid_ext_capture *cap = to_capture(video_drvdata(file));
	struct vivid_ext_core *core = cap->node.core;

	v4l2_info(&core->v4l2_dev, "allocator %s, frames by %s\n",
		  vivid_ext_allocator_name(core->config.allocator),
		  cap->node.queue.dev ? "DMA" : "CPU");
	mutex_lock(&cap->pattern.lock);
	tpg_log_status(&cap->pattern.tpg);
	mutex_unlock(&cap->pattern.lock);
	return v4l2_ctrl_log_status(file, priv);
}

/* With a media controller users may ask what fits a format of its bus. */
static int capture_enum_fmt(struct file *file, void *priv,
			    struct v4l2_fmtdesc *f)
{
	const u32 index = f->index, code = f->mbus_code;
	u32 left = index;
	int ret;

	if (!code)
		return vivid_ext_node_enum_fmt(file, priv, f);
	for (f->index = 0; ; f->index++) {
		ret = vivid_ext_node_enum_fmt(file, priv, f);
		if (ret || (vivid_ext_sensor_fits(code, f->pixelformat) &&
			    !left--))
			break;
	}
	f->index = index;
	return ret;
}

static const struct v4l2_ioctl_ops capture_ioctl_ops = {
	VIVID_EXT_NODE_IOCTLS
	.vidioc_enum_fmt_vid_cap = capture_enum_fmt,
	.vidioc_g_fmt_vid_cap = vivid_ext_node_g_fmt,
	.vidioc_try_fmt_vid_cap = vivid_ext_node_try_fmt,
	.vidioc_s_fmt_vid_cap = vivid_ext_node_s_fmt,
	.vidioc_g_fmt_vid_cap_mplane = vivid_ext_node_g_fmt,
	.vidioc_try_fmt_vid_cap_mplane = vivid_ext_node_try_fmt,
	.vidioc_s_fmt_vid_cap_mplane = vivid_ext_node_s_fmt,
	.vidioc_enum_input = capture_enum_input,
	.vidioc_g_input = capture_g_input,
	.vidioc_s_input = capture_s_input,
	.vidioc_log_status = capture_log_status,
};

static int capture_start(struct vivid_ext_node *node)
{
	int ret;

	to_capture(node)->loop = VIVID_EXT_LOOP_OFF;
	ret = vivid_ext_media_start(&to_capture(node)->media);
	if (ret)
		return ret;
	ret = vivid_ext_pattern_start(&to_capture(node)->pattern,
				      &node->format);
	if (ret)
		vivid_ext_media_stop(&to_capture(node)->media);
	return ret;
}

static void capture_stop(struct vivid_ext_node *node)
{
	vivid_ext_pattern_stop(&to_capture(node)->pattern);
	vivid_ext_media_stop(&to_capture(node)->media);
}

/* What the output node of the same device shows, if it can be had. */
static bool capture_loop(struct vivid_ext_capture *cap,
			 const struct vivid_ext_frame *frame)
{
	struct vivid_ext_core *core = cap->node.core;
	enum vivid_ext_loop loop;

	if (!cap->screen)
		return false;
	loop = vivid_ext_screen_draw(cap->screen, frame);
	if (loop == VIVID_EXT_LOOP_DIFFERENT && cap->loop != loop)
		dev_notice_ratelimited(core->dev, "no loop: capture is %ux%u %p4cc, and the output node shows something else\n",
				       frame->width, frame->height,
				       &frame->fourcc);
	WRITE_ONCE(cap->loop, loop);
	if (loop != VIVID_EXT_LOOP_ON)
		return false;
	spin_lock_irq(&cap->node.qlock);
	cap->looped++;
	spin_unlock_irq(&cap->node.qlock);
	return true;
}

static void capture_begin(struct vivid_ext_node *node, u32 sequence)
{
	if (node->core->config.mc)
		vivid_ext_sensor_frame_start(&to_capture(node)->media.sensor,
					     sequence);
}

static int capture_frame(struct vivid_ext_node *node,
			 struct vivid_ext_buffer *buf,
			 const struct vivid_ext_frame *frame, u32 sequence,
			 u64 ns)
{
	struct vivid_ext_capture *cap = to_capture(node);

	if (capture_loop(cap, frame))
		vivid_ext_pattern_skip(&cap->pattern);
	else
		vivid_ext_pattern_draw(&cap->pattern, frame, sequence, ns);
	return 0;
}

static void capture_drop(struct vivid_ext_node *node)
{
	vivid_ext_pattern_skip(&to_capture(node)->pattern);
}

static const struct vivid_ext_node_ops capture_node_ops = {
	.start = capture_start,
	.stop = capture_stop,
	.begin = capture_begin,
	.frame = capture_frame,
	.drop = capture_drop,
};

/* The sensor's blanking says how fast frames come. */
static u32 capture_use_media(struct video_device *vdev)
{
	v4l2_disable_ioctl(vdev, VIDIOC_G_PARM);
	v4l2_disable_ioctl(vdev, VIDIOC_S_PARM);
	v4l2_disable_ioctl(vdev, VIDIOC_ENUM_FRAMEINTERVALS);
	return V4L2_CAP_IO_MC;
}

static int capture_init_controls(struct vivid_ext_capture *cap, bool mc)
{
	struct v4l2_ctrl_handler *handler = &cap->controls.handler;
	int ret;

	ret = vivid_ext_controls_init(&cap->controls, &cap->pattern,
				      &cap->node.inject, !mc);
	if (!ret && mc) {
		vivid_ext_sensor_controls_init(&cap->media.sensor, handler,
					       &cap->node, &cap->pattern);
		ret = handler->error;
	}
	if (ret)
		return ret;
	/* A sensor applies them once it is made; then the node has none. */
	if (mc)
		return vivid_ext_media_init(&cap->media, &cap->node, handler);
	cap->node.vdev.ctrl_handler = handler;
	return v4l2_ctrl_handler_setup(handler);
}

/**
 * vivid_ext_capture_register - make a capture node, and its media device
 * @cap: zeroed memory in the camera
 * @core: the camera's, configured, its v4l2_device registered
 * @screen: what the output node shows, or NULL
 *
 * The node can be opened before this returns. Process context. Needs
 * vivid_ext_capture_unregister() and vivid_ext_capture_free() even if it
 * fails, the latter when the last reference to the camera goes.
 *
 * Return: 0, or the error of the framework that refused.
 */
int vivid_ext_capture_register(struct vivid_ext_capture *cap,
			       struct vivid_ext_core *core,
			       struct vivid_ext_screen *screen)
{
	bool multiplanar = core->config.multiplanar;
	u32 caps = V4L2_CAP_READWRITE;
	int ret;

	cap->screen = screen;
	vivid_ext_node_init(&cap->node, core, &capture_node_ops);
	ret = vivid_ext_queue_init(&cap->node, multiplanar ?
				   V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE :
				   V4L2_BUF_TYPE_VIDEO_CAPTURE);
	if (ret)
		return ret;
	vivid_ext_pattern_init(&cap->pattern, &cap->node.format);
	ret = capture_init_controls(cap, core->config.mc);
	if (ret)
		return ret;
	caps |= multiplanar ? V4L2_CAP_VIDEO_CAPTURE_MPLANE :
			      V4L2_CAP_VIDEO_CAPTURE;
	if (core->config.mc)
		caps |= capture_use_media(&cap->node.vdev);
	ret = vivid_ext_node_register(&cap->node, "camera", &capture_ioctl_ops,
				      caps);
	return ret ?: vivid_ext_media_register(&cap->media);
}

/**
 * vivid_ext_capture_unregister - take the node away, and its media device
 * @cap: the node
 *
 * As vivid_ext_node_unregister().
 */
void vivid_ext_capture_unregister(struct vivid_ext_capture *cap)
{
	vivid_ext_node_unregister(&cap->node);
	vivid_ext_media_unregister(&cap->media);
}

/**
 * vivid_ext_capture_free - nobody has the node open any more
 * @cap: the node
 */
void vivid_ext_capture_free(struct vivid_ext_capture *cap)
{
	vivid_ext_media_free(&cap->media);
	vivid_ext_controls_free(&cap->controls);
	vivid_ext_pattern_free(&cap->pattern);
}
