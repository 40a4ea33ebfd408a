// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the capture and the output node have in common as video devices: the
 * ioctls about formats and frame rates, and how they come and go.
 */
#include <linux/kernel.h>
#include <media/v4l2-common.h>
#include <media/v4l2-dev.h>
#include <media/v4l2-event.h>
#include <media/v4l2-ioctl.h>
#include <media/videobuf2-v4l2.h>

#include "core.h"
#include "node.h"

#define MAX_FPS		120	/* and at least one frame in a second */

static const struct v4l2_fract default_interval = { 1, 30 };

/**
 * vivid_ext_node_querycap - for VIDIOC_QUERYCAP
 * @file: an open node
 * @priv: unused
 * @cap: filled in
 *
 * Return: 0.
 */
int vivid_ext_node_querycap(struct file *file, void *priv,
			    struct v4l2_capability *cap)
{
	struct vivid_ext_node *node = video_drvdata(file);

	strscpy(cap->driver, VIVID_EXT_NAME, sizeof(cap->driver));
	strscpy(cap->card, node->vdev.name, sizeof(cap->card));
	return 0;
}

/**
 * vivid_ext_node_enum_fmt - for VIDIOC_ENUM_FMT
 * @file: an open node
 * @priv: unused
 * @f: its index is looked at, the rest filled in
 *
 * Return: 0, or -EINVAL after the last format.
 */
int vivid_ext_node_enum_fmt(struct file *file, void *priv,
			    struct v4l2_fmtdesc *f)
{
	f->pixelformat = vivid_ext_format_enum(f->index,
					       V4L2_TYPE_IS_MULTIPLANAR(f->type));
	return f->pixelformat ? 0 : -EINVAL;
}

/* The node speaks one of the two APIs; the handlers serve both. */
static int check_type(struct vivid_ext_node *node, u32 type)
{
	return type == node->queue.type ? 0 : -EINVAL;
}

/**
 * vivid_ext_node_g_fmt - for VIDIOC_G_FMT
 * @file: an open node
 * @priv: unused
 * @f: filled in
 *
 * Return: 0, or -EINVAL for the type of another node.
 */
int vivid_ext_node_g_fmt(struct file *file, void *priv, struct v4l2_format *f)
{
	struct vivid_ext_node *node = video_drvdata(file);

	if (check_type(node, f->type))
		return -EINVAL;
	vivid_ext_format_fill(&node->format, f);
	return 0;
}

/**
 * vivid_ext_node_try_fmt - for VIDIOC_TRY_FMT
 * @file: an open node
 * @priv: unused
 * @f: changed to the nearest format that there is
 *
 * Return: 0, or -EINVAL for the type of another node.
 */
int vivid_ext_node_try_fmt(struct file *file, void *priv,
			   struct v4l2_format *f)
{
	struct vivid_ext_node *node = video_drvdata(file);
	struct vivid_ext_format fmt;

	if (check_type(node, f->type))
		return -EINVAL;
	vivid_ext_format_try(&fmt, f);
	vivid_ext_format_fill(&fmt, f);
	return 0;
}

/**
 * vivid_ext_node_s_fmt - for VIDIOC_S_FMT
 * @file: an open node
 * @priv: unused
 * @f: changed to the nearest format that there is
 *
 * Return: 0, -EINVAL for the type of another node, -EBUSY while there are
 * buffers.
 */
int vivid_ext_node_s_fmt(struct file *file, void *priv, struct v4l2_format *f)
{
	struct vivid_ext_node *node = video_drvdata(file);

	if (check_type(node, f->type))
		return -EINVAL;
	if (vb2_is_busy(&node->queue))
		return -EBUSY;
	vivid_ext_format_try(&node->format, f);
	vivid_ext_format_fill(&node->format, f);
	return 0;
}

/**
 * vivid_ext_node_enum_framesizes - for VIDIOC_ENUM_FRAMESIZES
 * @file: an open node
 * @priv: unused
 * @e: filled in
 *
 * Return: 0, or -EINVAL for an unknown format and after the only range.
 */
int vivid_ext_node_enum_framesizes(struct file *file, void *priv,
				   struct v4l2_frmsizeenum *e)
{
	struct vivid_ext_node *node = video_drvdata(file);

	return vivid_ext_format_sizes(e, node->core->config.multiplanar);
}

static bool size_ok(u32 size, u32 min, u32 max)
{
	return size >= min && size <= max && size % VIVID_EXT_SIZE_STEP == 0;
}

/**
 * vivid_ext_node_enum_frameintervals - for VIDIOC_ENUM_FRAMEINTERVALS
 * @file: an open node
 * @priv: unused
 * @e: filled in
 *
 * Return: 0, or -EINVAL for an unknown format or size and after the only
 * range.
 */
int vivid_ext_node_enum_frameintervals(struct file *file, void *priv,
				       struct v4l2_frmivalenum *e)
{
	struct vivid_ext_node *node = video_drvdata(file);

	if (e->index ||
	    !vivid_ext_format_known(e->pixel_format,
				    node->core->config.multiplanar) ||
	    !size_ok(e->width, VIVID_EXT_MIN_WIDTH, VIVID_EXT_MAX_WIDTH) ||
	    !size_ok(e->height, VIVID_EXT_MIN_HEIGHT, VIVID_EXT_MAX_HEIGHT))
		return -EINVAL;
	e->type = V4L2_FRMIVAL_TYPE_CONTINUOUS;
	e->stepwise.min = (struct v4l2_fract){ 1, MAX_FPS };
	e->stepwise.max = (struct v4l2_fract){ 1, 1 };
	e->stepwise.step = (struct v4l2_fract){ 1, 1 };
	return 0;
}

/*
 * An interval has no planes: as with V4L2's helper for subdevs, and because
 * v4l2-ctl names the single-planar type for either API, both types will do.
 */
static int check_direction(struct vivid_ext_node *node, u32 type)
{
	return V4L2_TYPE_IS_OUTPUT(type) ==
	       V4L2_TYPE_IS_OUTPUT(node->queue.type) ? 0 : -EINVAL;
}

/**
 * vivid_ext_node_g_parm - for VIDIOC_G_PARM
 * @file: an open node
 * @priv: unused
 * @parm: filled in
 *
 * Return: 0, or -EINVAL for the type of another node.
 */
int vivid_ext_node_g_parm(struct file *file, void *priv,
			  struct v4l2_streamparm *parm)
{
	struct vivid_ext_node *node = video_drvdata(file);

	if (check_direction(node, parm->type))
		return -EINVAL;
	if (V4L2_TYPE_IS_OUTPUT(parm->type)) {
		parm->parm.output.capability = V4L2_CAP_TIMEPERFRAME;
		parm->parm.output.timeperframe = node->interval;
	} else {
		parm->parm.capture.capability = V4L2_CAP_TIMEPERFRAME;
		parm->parm.capture.timeperframe = node->interval;
		parm->parm.capture.readbuffers = 2;
	}
	return 0;
}

/* Any fraction will do, as it is, if it lies between 1/120 and 1. */
static struct v4l2_fract nearest_interval(struct v4l2_fract wish)
{
	if (!wish.numerator || !wish.denominator)
		return default_interval;
	if (wish.numerator > wish.denominator)
		return (struct v4l2_fract){ 1, 1 };
	if ((u64)wish.numerator * MAX_FPS < wish.denominator)
		return (struct v4l2_fract){ 1, MAX_FPS };
	return wish;
}

/**
 * vivid_ext_node_s_parm - for VIDIOC_S_PARM
 * @file: an open node
 * @priv: unused
 * @parm: the interval is changed to the nearest that there is
 *
 * The next frame follows it. Return: 0, or -EINVAL for the type of another
 * node.
 */
int vivid_ext_node_s_parm(struct file *file, void *priv,
			  struct v4l2_streamparm *parm)
{
	struct vivid_ext_node *node = video_drvdata(file);
	struct v4l2_fract interval;

	if (check_direction(node, parm->type))
		return -EINVAL;
	interval = V4L2_TYPE_IS_OUTPUT(parm->type) ?
		   parm->parm.output.timeperframe :
		   parm->parm.capture.timeperframe;
	interval = nearest_interval(interval);
	spin_lock_irq(&node->qlock);
	node->interval = interval;
	spin_unlock_irq(&node->qlock);
	return vivid_ext_node_g_parm(file, priv, parm);
}

static const struct v4l2_file_operations node_fops = {
	.owner = THIS_MODULE,
	.open = v4l2_fh_open,
	.release = vb2_fop_release,
	.read = vb2_fop_read,
	.poll = vb2_fop_poll,
	.mmap = vb2_fop_mmap,
	.unlocked_ioctl = video_ioctl2,
};

/**
 * vivid_ext_node_init - prepare a node; vivid_ext_queue_init() is to follow
 * @node: zeroed memory in the camera
 * @core: the camera's, configured, its v4l2_device registered
 * @ops: what the node does
 */
void vivid_ext_node_init(struct vivid_ext_node *node,
			 struct vivid_ext_core *core,
			 const struct vivid_ext_node_ops *ops)
{
	node->core = core;
	node->ops = ops;
	spin_lock_init(&node->qlock);
	INIT_LIST_HEAD(&node->queued);
	INIT_LIST_HEAD(&node->buffers);
	node->interval = default_interval;
	vivid_ext_format_default(&node->format);
}

/**
 * vivid_ext_node_register - let users see a node
 * @node: initialised
 * @what: goes into its name
 * @ioctl_ops: its ioctls
 * @caps: what it can do
 *
 * The node can be opened before this returns. Process context.
 *
 * Return: 0, or the error of the framework that refused.
 */
int vivid_ext_node_register(struct vivid_ext_node *node, const char *what,
			    const struct v4l2_ioctl_ops *ioctl_ops, u32 caps)
{
	struct video_device *vdev = &node->vdev;

	snprintf(vdev->name, sizeof(vdev->name), "%s %s",
		 dev_name(node->core->dev), what);
	vdev->v4l2_dev = &node->core->v4l2_dev;
	vdev->fops = &node_fops;
	vdev->ioctl_ops = ioctl_ops;
	vdev->queue = &node->queue;
	vdev->lock = &node->core->lock;
	vdev->vfl_dir = V4L2_TYPE_IS_OUTPUT(node->queue.type) ? VFL_DIR_TX :
								VFL_DIR_RX;
	vdev->device_caps = V4L2_CAP_STREAMING | caps;
	/* The device's structure is freed when its v4l2_device is. */
	vdev->release = video_device_release_empty;
	video_set_drvdata(vdev, node);
	return video_register_device(vdev, VFL_TYPE_VIDEO, -1);
}

/**
 * vivid_ext_node_unregister - take the node away
 * @node: the node
 *
 * Streaming stops and the buffers go, with their mappings for the device;
 * what was exported lives on. Users who have the node open get -ENODEV.
 * Process context; for one that was never registered there is nothing to do.
 */
void vivid_ext_node_unregister(struct vivid_ext_node *node)
{
	vb2_video_unregister_device(&node->vdev);
}

/**
 * vivid_ext_node_stats - what a node has counted
 * @node: the node
 * @stats: filled in
 *
 * Process context.
 */
void vivid_ext_node_stats(struct vivid_ext_node *node,
			  struct vivid_ext_stats *stats)
{
	spin_lock_irq(&node->qlock);
	*stats = node->stats;
	spin_unlock_irq(&node->qlock);
}
