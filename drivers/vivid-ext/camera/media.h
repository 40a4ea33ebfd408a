/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The media device of a camera with media controller (mc=1).
 */
#ifndef VIVID_EXT_MEDIA_H
#define VIVID_EXT_MEDIA_H

#include <media/media-device.h>
#include <media/media-entity.h>

#include "sensor.h"

struct vivid_ext_node;

/**
 * struct vivid_ext_media - a sensor, linked to the capture node
 * @node: the capture node, NULL without a media controller
 * @mdev: the graph of both
 * @pipe: the stream
 * @pad: where the capture node takes pictures
 * @sensor: where they come from
 */
struct vivid_ext_media {
	struct vivid_ext_node *node;
	struct media_device mdev;
	struct media_pipeline pipe;
	struct media_pad pad;
	struct vivid_ext_sensor sensor;
};

int vivid_ext_media_init(struct vivid_ext_media *media,
			 struct vivid_ext_node *node,
			 struct v4l2_ctrl_handler *handler);
void vivid_ext_media_free(struct vivid_ext_media *media);
int vivid_ext_media_register(struct vivid_ext_media *media);
void vivid_ext_media_unregister(struct vivid_ext_media *media);
int vivid_ext_media_start(struct vivid_ext_media *media);
void vivid_ext_media_stop(struct vivid_ext_media *media);

#endif
