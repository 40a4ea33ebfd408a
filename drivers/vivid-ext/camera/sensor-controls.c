// SPDX-License-Identifier: GPL-2.0-only
/*
 * What makes the controls of a sensor: exposure and gain, which brighten the
 * picture, and blanking, which sets the frame rate. Patterns, flips and what
 * is ours alone are in controls.c, in the same handler.
 */
#include <linux/kernel.h>
#include <media/v4l2-ctrls.h>

#include "node.h"
#include "pattern.h"
#include "sensor.h"

/* Blanked, a picture is 2200x1125: at this rate, 30 of them a second. */
#define PIXEL_RATE	74250000
#define HBLANK_DEFAULT	280
#define VBLANK_DEFAULT	45
#define HBLANK_MAX	8192
#define VBLANK_MAX	32768

/* Ten bits a pixel, four lanes, both edges of their clock. */
#define LINK_FREQUENCY	(PIXEL_RATE * 10LL / 4 / 2)

/* Exposure ends before the frame does. */
#define EXPOSURE_MARGIN	4
#define EXPOSURE_DEFAULT 500	/* with which the picture is as it was drawn */
#define GAIN_ONE	16
#define GAIN_MAX	256

/* Light, as the pattern generator's contrast. */
static void sensor_apply_light(struct vivid_ext_sensor *sensor)
{
	struct vivid_ext_pattern *pattern = sensor->pattern;
	u32 gain = sensor->exposure->val * sensor->gain->val *
		   (VIVID_EXT_GAIN_ONE / GAIN_ONE) / EXPOSURE_DEFAULT;

	mutex_lock(&pattern->lock);
	pattern->gain = gain;
	mutex_unlock(&pattern->lock);
}

/**
 * vivid_ext_sensor_lines_changed - the height of the crop is another one
 * @sensor: the sensor
 * @height: in lines
 * @vblank: in lines, too. Outside of s_ctrl it is the control's cur.val: val
 *	may be one that was only tried
 *
 * A frame that has more lines can be exposed for more. Under the control
 * handler's lock.
 */
void vivid_ext_sensor_lines_changed(struct vivid_ext_sensor *sensor,
				    u32 height, s32 vblank)
{
	s64 max = height + vblank - EXPOSURE_MARGIN;

	__v4l2_ctrl_modify_range(sensor->exposure, 1, max, 1,
				 min_t(s64, EXPOSURE_DEFAULT, max));
}

/**
 * vivid_ext_sensor_apply_timing - the frame interval follows from the blanking
 * @sensor: the sensor
 * @hblank: in pixels
 * @vblank: in lines; see vivid_ext_sensor_lines_changed()
 *
 * For the crop that is being read, not the one that is set for the next
 * stream. Under the control handler's lock.
 */
void vivid_ext_sensor_apply_timing(struct vivid_ext_sensor *sensor, s32 hblank,
				   s32 vblank)
{
	struct vivid_ext_node *node = sensor->node;
	u32 pixels = sensor->crop.width + hblank;
	u32 lines = sensor->crop.height + vblank;

	spin_lock_irq(&node->qlock);
	node->interval = (struct v4l2_fract){ pixels * lines, PIXEL_RATE };
	spin_unlock_irq(&node->qlock);
}

/* Exposure stands for the gain as well, and vertical blanking for all. */
static int sensor_set_ctrl(struct v4l2_ctrl *ctrl)
{
	struct vivid_ext_sensor *sensor = ctrl->priv;
	struct v4l2_subdev_state *state;
	struct v4l2_rect *crop;

	if (ctrl == sensor->exposure) {
		sensor_apply_light(sensor);
		return 0;
	}
	state = v4l2_subdev_get_locked_active_state(&sensor->sd);
	crop = vdb_subdev_crop(&sensor->sd, state, 0);
	vivid_ext_sensor_lines_changed(sensor, crop->height,
				       sensor->vblank->val);
	vivid_ext_sensor_apply_timing(sensor, sensor->hblank->val,
				      sensor->vblank->val);
	return 0;
}

static const struct v4l2_ctrl_ops sensor_ctrl_ops = {
	.s_ctrl = sensor_set_ctrl,
};

static struct v4l2_ctrl *sensor_add(struct vivid_ext_sensor *sensor,
				    struct v4l2_ctrl_handler *handler, u32 id,
				    s64 min, s64 max, s64 def)
{
	struct v4l2_ctrl *ctrl = v4l2_ctrl_new_std(handler, &sensor_ctrl_ops,
						   id, min, max, 1, def);

	if (ctrl)
		ctrl->priv = sensor;
	return ctrl;
}

/* What can be read only: where the sensor sits, and how fast it sends. */
static void sensor_add_constants(struct v4l2_ctrl_handler *handler)
{
	static const s64 link_frequency = LINK_FREQUENCY;
	struct v4l2_ctrl *ctrl;

	v4l2_ctrl_new_std(handler, NULL, V4L2_CID_PIXEL_RATE, PIXEL_RATE,
			  PIXEL_RATE, 1, PIXEL_RATE);
	ctrl = v4l2_ctrl_new_int_menu(handler, NULL, V4L2_CID_LINK_FREQ, 0, 0,
				      &link_frequency);
	if (ctrl)
		ctrl->flags |= V4L2_CTRL_FLAG_READ_ONLY;
	v4l2_ctrl_new_std_menu(handler, NULL, V4L2_CID_CAMERA_ORIENTATION,
			       V4L2_CAMERA_ORIENTATION_EXTERNAL, 0,
			       V4L2_CAMERA_ORIENTATION_EXTERNAL);
	v4l2_ctrl_new_std(handler, NULL, V4L2_CID_CAMERA_SENSOR_ROTATION, 0, 0,
			  1, 0);
}

/**
 * vivid_ext_sensor_controls_init - add a sensor's controls to a handler
 * @sensor: the sensor, not yet made
 * @handler: the control handler of its capture node, which will be the
 *	sensor's
 * @node: the capture node, whose frames come as the sensor sends them
 * @pattern: what the sensor sees
 *
 * Process context. Errors are the handler's.
 */
void vivid_ext_sensor_controls_init(struct vivid_ext_sensor *sensor,
				    struct v4l2_ctrl_handler *handler,
				    struct vivid_ext_node *node,
				    struct vivid_ext_pattern *pattern)
{
	sensor->node = node;
	sensor->pattern = pattern;
	sensor->exposure = sensor_add(sensor, handler, V4L2_CID_EXPOSURE, 1,
				      VIVID_EXT_ACTIVE_HEIGHT + VBLANK_DEFAULT -
				      EXPOSURE_MARGIN, EXPOSURE_DEFAULT);
	sensor->gain = sensor_add(sensor, handler, V4L2_CID_ANALOGUE_GAIN,
				  GAIN_ONE, GAIN_MAX, GAIN_ONE);
	sensor->vblank = sensor_add(sensor, handler, V4L2_CID_VBLANK,
				    VBLANK_DEFAULT, VBLANK_MAX, VBLANK_DEFAULT);
	sensor->hblank = sensor_add(sensor, handler, V4L2_CID_HBLANK,
				    HBLANK_DEFAULT, HBLANK_MAX, HBLANK_DEFAULT);
	sensor_add_constants(handler);
	if (handler->error)
		return;
	v4l2_ctrl_cluster(2, &sensor->exposure);
	v4l2_ctrl_cluster(2, &sensor->vblank);
}
