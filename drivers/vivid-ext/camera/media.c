// SPDX-License-Identifier: GPL-2.0-only
/*
 * The media device of a camera with media controller: a sensor, the capture
 * node, and the link that does not change. Without (mc=0) there is nothing of
 * it, and each function here returns at once.
 */
#include <linux/module.h>
#include <linux/string.h>
#include <media/v4l2-dev.h>
#include <media/v4l2-subdev.h>

#include "core.h"
#include "media.h"
#include "node.h"
#include "pattern.h"

/*
 * libcamera takes only media devices whose driver it knows by name, and learns
 * new names when it is compiled. To test with one that does not know ours.
 */
static char *media_driver;
module_param(media_driver, charp, 0444);
MODULE_PARM_DESC(media_driver,
		 " for tests only: the driver's name that media devices give (default vivid-ext)");

/* When a stream starts, the node must be set to what the sensor sends. */
static int media_link_validate(struct media_link *link)
{
	struct video_device *vdev =
		media_entity_to_video_device(link->sink->entity);
	struct vivid_ext_node *node = video_get_drvdata(vdev);
	struct vivid_ext_media *media =
		container_of(vdev->entity.graph_obj.mdev,
			     struct vivid_ext_media, mdev);
	const struct vivid_ext_format *want = &node->format;
	u32 fourcc = want->layout->fourcc;
	struct v4l2_mbus_framefmt fmt;

	vivid_ext_sensor_format(&media->sensor, &fmt);
	if (fmt.width == want->width && fmt.height == want->height &&
	    vivid_ext_sensor_fits(fmt.code, fourcc))
		return 0;
	dev_warn_ratelimited(node->core->dev,
			     "the sensor sends %ux%u of code 0x%04x, the capture node is set to %ux%u %p4cc\n",
			     fmt.width, fmt.height, fmt.code, want->width,
			     want->height, &fourcc);
	return -EPIPE;
}

static const struct media_entity_operations media_capture_ops = {
	.link_validate = media_link_validate,
};

/**
 * vivid_ext_media_init - make what belongs to the media device
 * @media: zeroed memory
 * @node: the capture node, not registered
 * @handler: the controls, among which are the sensor's
 *
 * Process context; vivid_ext_media_free() undoes it.
 *
 * Return: 0 or the framework's error.
 */
int vivid_ext_media_init(struct vivid_ext_media *media,
			 struct vivid_ext_node *node,
			 struct v4l2_ctrl_handler *handler)
{
	struct media_entity *entity = &node->vdev.entity;
	struct media_device *mdev = &media->mdev;
	struct device *dev = node->core->dev;
	int ret;

	mdev->dev = dev;
	strscpy(mdev->model, VIVID_EXT_NAME " camera", sizeof(mdev->model));
	if (media_driver) {
		strscpy(mdev->driver_name, media_driver,
			sizeof(mdev->driver_name));
		dev_notice(dev, "for tests the media device says that its driver is %s\n",
			   mdev->driver_name);
	}
	media_device_init(mdev);
	entity->ops = &media_capture_ops;
	media->pad.flags = MEDIA_PAD_FL_SINK;
	ret = media_entity_pads_init(entity, 1, &media->pad);
	if (!ret)
		ret = vivid_ext_sensor_init(&media->sensor, dev, handler);
	if (ret) {
		media_device_cleanup(mdev);
		return ret;
	}
	media->node = node;
	node->core->v4l2_dev.mdev = mdev;
	return 0;
}

/**
 * vivid_ext_media_free - nobody has any of the nodes open any more
 * @media: the media device, unregistered
 */
void vivid_ext_media_free(struct vivid_ext_media *media)
{
	if (!media->node)
		return;
	vivid_ext_sensor_free(&media->sensor);
	media_entity_cleanup(&media->node->vdev.entity);
	media_device_cleanup(&media->mdev);
}

/**
 * vivid_ext_media_register - show the sensor, and last the whole graph
 * @media: the media device, its capture node registered
 *
 * Process context; vivid_ext_media_unregister() undoes it.
 *
 * Return: 0 or the framework's error.
 */
int vivid_ext_media_register(struct vivid_ext_media *media)
{
	struct v4l2_subdev *sd = &media->sensor.sd;
	struct v4l2_device *v4l2_dev;
	int ret;

	if (!media->node)
		return 0;
	v4l2_dev = &media->node->core->v4l2_dev;
	ret = v4l2_device_register_subdev(v4l2_dev, sd);
	if (ret)
		return ret;
	ret = media_create_pad_link(&sd->entity, 0, &media->node->vdev.entity,
				    0, MEDIA_LNK_FL_ENABLED |
				    MEDIA_LNK_FL_IMMUTABLE);
	if (!ret)
		ret = v4l2_device_register_subdev_nodes(v4l2_dev);
	if (!ret)
		ret = media_device_register(&media->mdev);
	return ret;
}

/**
 * vivid_ext_media_unregister - take the graph and the sensor away
 * @media: the media device, its capture node unregistered
 *
 * For one that was never registered there is nothing to do.
 */
void vivid_ext_media_unregister(struct vivid_ext_media *media)
{
	struct v4l2_subdev *sd = &media->sensor.sd;

	if (!media->node)
		return;
	/* Opening it looks into the graph: nobody may when that is gone. */
	video_unregister_device(sd->devnode);
	v4l2_device_unregister_subdev(sd);
	media_device_unregister(&media->mdev);
}

/**
 * vivid_ext_media_start - let the sensor send
 * @media: the media device
 *
 * What it is set to from now on counts for the next stream. Process context,
 * under the capture node's lock; vivid_ext_media_stop() undoes it.
 *
 * Return: 0, or -EPIPE if the capture node is set to something else than the
 * sensor.
 */
int vivid_ext_media_start(struct vivid_ext_media *media)
{
	struct vivid_ext_sensor *sensor = &media->sensor;
	struct vivid_ext_pattern *pattern = sensor->pattern;
	int ret;

	if (!media->node)
		return 0;
	ret = video_device_pipeline_start(&media->node->vdev, &media->pipe);
	if (ret)
		return ret;
	ret = v4l2_subdev_call(&sensor->sd, video, s_stream, 1);
	if (ret) {
		video_device_pipeline_stop(&media->node->vdev);
		return ret;
	}
	pattern->source_width = VIVID_EXT_ACTIVE_WIDTH;
	pattern->source_height = VIVID_EXT_ACTIVE_HEIGHT;
	pattern->crop = sensor->crop;
	pattern->crop.left -= VIVID_EXT_ACTIVE_LEFT;
	pattern->crop.top -= VIVID_EXT_ACTIVE_TOP;
	return 0;
}

/**
 * vivid_ext_media_stop - the sensor sends no more
 * @media: the media device
 *
 * Process context, under the capture node's lock.
 */
void vivid_ext_media_stop(struct vivid_ext_media *media)
{
	if (!media->node)
		return;
	v4l2_subdev_call(&media->sensor.sd, video, s_stream, 0);
	video_device_pipeline_stop(&media->node->vdev);
}
