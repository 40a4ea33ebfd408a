/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The image sensor of a camera with media controller (mc=1).
 */
#ifndef VIVID_EXT_SENSOR_H
#define VIVID_EXT_SENSOR_H

#include <linux/videodev2.h>
#include <media/media-entity.h>
#include <media/v4l2-subdev.h>

struct v4l2_ctrl;
struct v4l2_ctrl_handler;
struct vivid_ext_node;
struct vivid_ext_pattern;

/* All pixels there are, and those of them that make the picture. */
#define VIVID_EXT_NATIVE_WIDTH	1936
#define VIVID_EXT_NATIVE_HEIGHT	1096
#define VIVID_EXT_ACTIVE_LEFT	8
#define VIVID_EXT_ACTIVE_TOP	8
#define VIVID_EXT_ACTIVE_WIDTH	1920
#define VIVID_EXT_ACTIVE_HEIGHT	1080

/* The smallest crop; all that is read out takes at most three times its size. */
#define VIVID_EXT_MIN_CROP_WIDTH	640
#define VIVID_EXT_MIN_CROP_HEIGHT	360

/**
 * struct vivid_ext_sensor - a virtual image sensor
 * @sd: the sub-device; its active state is under the control handler's lock
 * @pad: where its pictures leave
 * @node: the capture node, which shows how fast frames come
 * @pattern: what it sees
 * @exposure: lines; with @gain a cluster, must lie before it
 * @gain: in 1/16
 * @vblank: lines; with @hblank a cluster, must lie before it
 * @hblank: pixels
 * @crop: what is read out; the stream's own, taken from the state when it
 *	starts. Under the control handler's lock.
 */
struct vivid_ext_sensor {
	struct v4l2_subdev sd;
	struct media_pad pad;
	struct vivid_ext_node *node;
	struct vivid_ext_pattern *pattern;
	struct v4l2_ctrl *exposure;
	struct v4l2_ctrl *gain;
	struct v4l2_ctrl *vblank;
	struct v4l2_ctrl *hblank;
	struct v4l2_rect crop;
};

bool vivid_ext_sensor_fits(u32 code, u32 fourcc);
int vivid_ext_sensor_init(struct vivid_ext_sensor *sensor, struct device *dev,
			  struct v4l2_ctrl_handler *handler);
void vivid_ext_sensor_free(struct vivid_ext_sensor *sensor);
void vivid_ext_sensor_format(struct vivid_ext_sensor *sensor,
			     struct v4l2_mbus_framefmt *fmt);
void vivid_ext_sensor_frame_start(struct vivid_ext_sensor *sensor,
				  u32 sequence);

void vivid_ext_sensor_controls_init(struct vivid_ext_sensor *sensor,
				    struct v4l2_ctrl_handler *handler,
				    struct vivid_ext_node *node,
				    struct vivid_ext_pattern *pattern);
void vivid_ext_sensor_lines_changed(struct vivid_ext_sensor *sensor,
				    u32 height, s32 vblank);
void vivid_ext_sensor_apply_timing(struct vivid_ext_sensor *sensor, s32 hblank,
				   s32 vblank);

#endif
