// SPDX-License-Identifier: GPL-2.0-only
/*
 * The capture node: its ioctls, and how it comes and goes.
 */
#include <linux/kernel.h>
#include <linux/math64.h>
#include <media/v4l2-common.h>
#include <media/v4l2-dev.h>
#include <media/v4l2-event.h>
#include <media/v4l2-ioctl.h>
#include <media/videobuf2-v4l2.h>

#include "../../media/videobuf2-dmabuf/compat.h"
#include "capture.h"
#include "core.h"
#include "queue.h"

#define MAX_FPS		120	/* and at least one frame in a second */

static const struct v4l2_fract default_interval = { 1, 30 };

static int capture_querycap(struct file *file, void *priv,
			    struct v4l2_capability *cap)
{
	struct vivid_ext_capture *capture = video_drvdata(file);

	strscpy(cap->driver, VIVID_EXT_NAME, sizeof(cap->driver));
	strscpy(cap->card, capture->vdev.name, sizeof(cap->card));
	return 0;
}

static int capture_enum_fmt(struct file *file, void *priv,
			    struct v4l2_fmtdesc *f)
{
	f->pixelformat = vivid_ext_format_enum(f->index,
					       V4L2_TYPE_IS_MULTIPLANAR(f->type));
	return f->pixelformat ? 0 : -EINVAL;
}

/* The node speaks one of the two APIs; the handlers serve both. */
static int capture_check_type(struct vivid_ext_capture *cap, u32 type)
{
	return type == cap->queue.type ? 0 : -EINVAL;
}

static int capture_g_fmt(struct file *file, void *priv, struct v4l2_format *f)
{
	struct vivid_ext_capture *cap = video_drvdata(file);

	if (capture_check_type(cap, f->type))
		return -EINVAL;
	vivid_ext_format_fill(&cap->format, f);
	return 0;
}

static int capture_try_fmt(struct file *file, void *priv,
			   struct v4l2_format *f)
{
	struct vivid_ext_capture *cap = video_drvdata(file);
	struct vivid_ext_format fmt;

	if (capture_check_type(cap, f->type))
		return -EINVAL;
	vivid_ext_format_try(&fmt, f);
	vivid_ext_format_fill(&fmt, f);
	return 0;
}

static int capture_s_fmt(struct file *file, void *priv, struct v4l2_format *f)
{
	struct vivid_ext_capture *cap = video_drvdata(file);

	if (capture_check_type(cap, f->type))
		return -EINVAL;
	if (vb2_is_busy(&cap->queue))
		return -EBUSY;
	vivid_ext_format_try(&cap->format, f);
	vivid_ext_format_fill(&cap->format, f);
	return 0;
}

static int capture_enum_framesizes(struct file *file, void *priv,
				   struct v4l2_frmsizeenum *e)
{
	struct vivid_ext_capture *cap = video_drvdata(file);

	if (e->index || !vivid_ext_format_known(e->pixel_format,
						cap->dev->config.multiplanar))
		return -EINVAL;
	e->type = V4L2_FRMSIZE_TYPE_STEPWISE;
	e->stepwise.min_width = VIVID_EXT_MIN_WIDTH;
	e->stepwise.max_width = VIVID_EXT_MAX_WIDTH;
	e->stepwise.step_width = VIVID_EXT_SIZE_STEP;
	e->stepwise.min_height = VIVID_EXT_MIN_HEIGHT;
	e->stepwise.max_height = VIVID_EXT_MAX_HEIGHT;
	e->stepwise.step_height = VIVID_EXT_SIZE_STEP;
	return 0;
}

static bool capture_size_ok(u32 size, u32 min, u32 max)
{
	return size >= min && size <= max && size % VIVID_EXT_SIZE_STEP == 0;
}

static int capture_enum_frameintervals(struct file *file, void *priv,
				       struct v4l2_frmivalenum *e)
{
	struct vivid_ext_capture *cap = video_drvdata(file);

	if (e->index ||
	    !vivid_ext_format_known(e->pixel_format,
				    cap->dev->config.multiplanar) ||
	    !capture_size_ok(e->width, VIVID_EXT_MIN_WIDTH,
			     VIVID_EXT_MAX_WIDTH) ||
	    !capture_size_ok(e->height, VIVID_EXT_MIN_HEIGHT,
			     VIVID_EXT_MAX_HEIGHT))
		return -EINVAL;
	e->type = V4L2_FRMIVAL_TYPE_CONTINUOUS;
	e->stepwise.min = (struct v4l2_fract){ 1, MAX_FPS };
	e->stepwise.max = (struct v4l2_fract){ 1, 1 };
	e->stepwise.step = (struct v4l2_fract){ 1, 1 };
	return 0;
}

static int capture_g_parm(struct file *file, void *priv,
			  struct v4l2_streamparm *parm)
{
	struct vivid_ext_capture *cap = video_drvdata(file);
	struct v4l2_captureparm *answer = &parm->parm.capture;

	if (capture_check_type(cap, parm->type))
		return -EINVAL;
	answer->capability = V4L2_CAP_TIMEPERFRAME;
	answer->timeperframe = cap->interval;
	answer->readbuffers = 2;
	return 0;
}

/* Any fraction will do, as it is, if it lies between 1/120 and 1. */
static struct v4l2_fract capture_interval(struct v4l2_fract wish)
{
	if (!wish.numerator || !wish.denominator)
		return default_interval;
	if (wish.numerator > wish.denominator)
		return (struct v4l2_fract){ 1, 1 };
	if ((u64)wish.numerator * MAX_FPS < wish.denominator)
		return (struct v4l2_fract){ 1, MAX_FPS };
	return wish;
}

static int capture_s_parm(struct file *file, void *priv,
			  struct v4l2_streamparm *parm)
{
	struct vivid_ext_capture *cap = video_drvdata(file);
	struct v4l2_fract interval;

	if (capture_check_type(cap, parm->type))
		return -EINVAL;
	interval = capture_interval(parm->parm.capture.timeperframe);
	spin_lock_irq(&cap->qlock);
	cap->interval = interval;
	spin_unlock_irq(&cap->qlock);
	return capture_g_parm(file, priv, parm);
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
	struct vivid_ext_capture *cap = video_drvdata(file);

	v4l2_info(&cap->dev->v4l2_dev, "allocator %s, frames by %s\n",
		  vivid_ext_allocator_name(cap->dev->config.allocator),
		  cap->queue.dev ? "DMA" : "CPU");
	mutex_lock(&cap->pattern.lock);
	tpg_log_status(&cap->pattern.tpg);
	mutex_unlock(&cap->pattern.lock);
	return v4l2_ctrl_log_status(file, priv);
}

static const struct v4l2_ioctl_ops capture_ioctl_ops = {
	.vidioc_querycap = capture_querycap,
	.vidioc_enum_fmt_vid_cap = capture_enum_fmt,
	.vidioc_g_fmt_vid_cap = capture_g_fmt,
	.vidioc_try_fmt_vid_cap = capture_try_fmt,
	.vidioc_s_fmt_vid_cap = capture_s_fmt,
	.vidioc_g_fmt_vid_cap_mplane = capture_g_fmt,
	.vidioc_try_fmt_vid_cap_mplane = capture_try_fmt,
	.vidioc_s_fmt_vid_cap_mplane = capture_s_fmt,
	.vidioc_enum_framesizes = capture_enum_framesizes,
	.vidioc_enum_frameintervals = capture_enum_frameintervals,
	.vidioc_g_parm = capture_g_parm,
	.vidioc_s_parm = capture_s_parm,
	.vidioc_enum_input = capture_enum_input,
	.vidioc_g_input = capture_g_input,
	.vidioc_s_input = capture_s_input,
	.vidioc_reqbufs = vb2_ioctl_reqbufs,
	.vidioc_create_bufs = vb2_ioctl_create_bufs,
	.vidioc_prepare_buf = vb2_ioctl_prepare_buf,
	.vidioc_querybuf = vb2_ioctl_querybuf,
	.vidioc_qbuf = vb2_ioctl_qbuf,
	.vidioc_dqbuf = vb2_ioctl_dqbuf,
	.vidioc_expbuf = vb2_ioctl_expbuf,
	.vidioc_streamon = vb2_ioctl_streamon,
	.vidioc_streamoff = vb2_ioctl_streamoff,
	VDB_IOCTL_REMOVE_BUFS
	.vidioc_log_status = capture_log_status,
	.vidioc_subscribe_event = v4l2_ctrl_subscribe_event,
	.vidioc_unsubscribe_event = v4l2_event_unsubscribe,
};

static const struct v4l2_file_operations capture_fops = {
	.owner = THIS_MODULE,
	.open = v4l2_fh_open,
	.release = vb2_fop_release,
	.read = vb2_fop_read,
	.poll = vb2_fop_poll,
	.mmap = vb2_fop_mmap,
	.unlocked_ioctl = video_ioctl2,
};

static void capture_init_vdev(struct vivid_ext_capture *cap)
{
	struct video_device *vdev = &cap->vdev;

	snprintf(vdev->name, sizeof(vdev->name), "%s camera",
		 dev_name(cap->dev->dev));
	vdev->v4l2_dev = &cap->dev->v4l2_dev;
	vdev->fops = &capture_fops;
	vdev->ioctl_ops = &capture_ioctl_ops;
	vdev->queue = &cap->queue;
	vdev->lock = &cap->lock;
	vdev->vfl_dir = VFL_DIR_RX;
	vdev->device_caps = V4L2_CAP_STREAMING | V4L2_CAP_READWRITE;
	if (cap->dev->config.multiplanar)
		vdev->device_caps |= V4L2_CAP_VIDEO_CAPTURE_MPLANE;
	else
		vdev->device_caps |= V4L2_CAP_VIDEO_CAPTURE;
	/* The camera's structure is freed when its v4l2_device is. */
	vdev->release = video_device_release_empty;
	video_set_drvdata(vdev, cap);
}

/**
 * vivid_ext_capture_register - make a capture node
 * @cap: zeroed memory in @dev
 * @dev: the camera, configured, its v4l2_device registered
 *
 * The node can be opened before this returns. Process context. Needs
 * vivid_ext_capture_free() even if it fails, when the last reference to @dev
 * goes.
 *
 * Return: 0, or the error of the framework that refused.
 */
int vivid_ext_capture_register(struct vivid_ext_capture *cap,
			       struct vivid_ext_dev *dev)
{
	int ret;

	cap->dev = dev;
	spin_lock_init(&cap->qlock);
	INIT_LIST_HEAD(&cap->queued);
	INIT_LIST_HEAD(&cap->buffers);
	cap->interval = default_interval;
	vivid_ext_format_default(&cap->format);
	vivid_ext_pattern_init(&cap->pattern, &cap->format);
	ret = vivid_ext_controls_init(cap);
	if (ret)
		return ret;
	ret = vivid_ext_queue_init(cap);
	if (ret)
		return ret;
	capture_init_vdev(cap);
	return video_register_device(&cap->vdev, VFL_TYPE_VIDEO, -1);
}

/**
 * vivid_ext_capture_unregister - take the node away
 * @cap: the node
 *
 * Streaming stops and the buffers go, with their mappings for the device;
 * what was exported lives on. Users who have the node open get -ENODEV.
 */
void vivid_ext_capture_unregister(struct vivid_ext_capture *cap)
{
	vb2_video_unregister_device(&cap->vdev);
}

/**
 * vivid_ext_capture_free - nobody has the node open any more
 * @cap: the node
 */
void vivid_ext_capture_free(struct vivid_ext_capture *cap)
{
	vivid_ext_controls_free(cap);
	vivid_ext_pattern_free(&cap->pattern);
	mutex_destroy(&cap->lock);
}
