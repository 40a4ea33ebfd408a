// SPDX-License-Identifier: GPL-2.0-only
/*
 * The image sensor of a camera with media controller: media bus formats,
 * sizes, the crop, and the event at the start of each frame. It scales what it
 * reads to what is asked for, as sensors that bin and skip pixels do.
 *
 * Programs that look for cameras set every format of the active state, one
 * after the other, while others stream. So this is never refused: a stream
 * takes its format and its crop when it starts, and keeps them.
 */
#include <linux/kernel.h>
#include <linux/media-bus-format.h>
#include <media/v4l2-common.h>
#include <media/v4l2-ctrls.h>
#include <media/v4l2-event.h>

#include "core.h"
#include "sensor.h"
#include "v4l2/format.h"

/* A kind of pixels, which the capture node can write in several ways. */
enum sensor_kind {
	KIND_YUV,
	KIND_RGB,
	KIND_RAW,
};

static const u32 colorspaces[] = {
	[KIND_YUV] = V4L2_COLORSPACE_REC709,
	[KIND_RGB] = V4L2_COLORSPACE_SRGB,
	[KIND_RAW] = V4L2_COLORSPACE_RAW,
};

/* In the order in which they are enumerated; the first is the default. */
static const struct {
	u32 code;
	enum sensor_kind kind;
	u32 fourcc;	/* the only one, for raw pixels */
} codes[] = {
	{ MEDIA_BUS_FMT_YUYV8_1X16, KIND_YUV },
	{ MEDIA_BUS_FMT_UYVY8_1X16, KIND_YUV },
	{ MEDIA_BUS_FMT_RGB888_1X24, KIND_RGB },
	{ MEDIA_BUS_FMT_SRGGB8_1X8, KIND_RAW, V4L2_PIX_FMT_SRGGB8 },
	{ MEDIA_BUS_FMT_SGRBG8_1X8, KIND_RAW, V4L2_PIX_FMT_SGRBG8 },
	{ MEDIA_BUS_FMT_SGBRG8_1X8, KIND_RAW, V4L2_PIX_FMT_SGBRG8 },
	{ MEDIA_BUS_FMT_SBGGR8_1X8, KIND_RAW, V4L2_PIX_FMT_SBGGR8 },
	{ MEDIA_BUS_FMT_SRGGB10_1X10, KIND_RAW, V4L2_PIX_FMT_SRGGB10 },
	{ MEDIA_BUS_FMT_SGRBG10_1X10, KIND_RAW, V4L2_PIX_FMT_SGRBG10 },
	{ MEDIA_BUS_FMT_SGBRG10_1X10, KIND_RAW, V4L2_PIX_FMT_SGBRG10 },
	{ MEDIA_BUS_FMT_SBGGR10_1X10, KIND_RAW, V4L2_PIX_FMT_SBGGR10 },
};

/* Discrete, since that is what users of sensors look for. */
static const struct v4l2_frmsize_discrete sizes[] = {
	{ 1920, 1080 },
	{ 1280, 720 },
	{ 1024, 768 },
	{ 640, 480 },
	{ 640, 360 },
};

/* As the capture node's, so that a stream can start at once. */
static const struct v4l2_mbus_framefmt default_format = {
	.code = MEDIA_BUS_FMT_YUYV8_1X16,
	.width = 640,
	.height = 360,
};

static const struct v4l2_rect native_size = {
	0, 0, VIVID_EXT_NATIVE_WIDTH, VIVID_EXT_NATIVE_HEIGHT
};

static const struct v4l2_rect active_area = {
	VIVID_EXT_ACTIVE_LEFT, VIVID_EXT_ACTIVE_TOP,
	VIVID_EXT_ACTIVE_WIDTH, VIVID_EXT_ACTIVE_HEIGHT
};

static struct vivid_ext_sensor *to_sensor(struct v4l2_subdev *sd)
{
	return container_of(sd, struct vivid_ext_sensor, sd);
}

static unsigned int code_find(u32 code)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(codes); i++)
		if (codes[i].code == code)
			break;
	return i;
}

static enum sensor_kind fourcc_kind(u32 fourcc)
{
	const struct vivid_ext_layout *layout = vivid_ext_layout_of(fourcc);

	if (layout->raw_bits)
		return KIND_RAW;
	return layout->rgb ? KIND_RGB : KIND_YUV;
}

/**
 * vivid_ext_sensor_fits - can the capture node write this as that?
 * @code: what the sensor sends
 * @fourcc: one of the capture node's formats
 *
 * The node sorts the bytes of YUV and RGB pixels in any way, and leaves raw
 * ones as they are. Any context.
 *
 * Return: true if it can.
 */
bool vivid_ext_sensor_fits(u32 code, u32 fourcc)
{
	unsigned int i = code_find(code);

	if (i == ARRAY_SIZE(codes))
		return false;
	if (codes[i].fourcc)
		return codes[i].fourcc == fourcc;
	return codes[i].kind == fourcc_kind(fourcc);
}

static int sensor_enum_code(struct v4l2_subdev *sd,
			    struct v4l2_subdev_state *state,
			    struct v4l2_subdev_mbus_code_enum *e)
{
	if (e->index >= ARRAY_SIZE(codes))
		return -EINVAL;
	e->code = codes[e->index].code;
	return 0;
}

static int sensor_enum_size(struct v4l2_subdev *sd,
			    struct v4l2_subdev_state *state,
			    struct v4l2_subdev_frame_size_enum *e)
{
	if (e->index >= ARRAY_SIZE(sizes) ||
	    code_find(e->code) == ARRAY_SIZE(codes))
		return -EINVAL;
	e->min_width = sizes[e->index].width;
	e->max_width = e->min_width;
	e->min_height = sizes[e->index].height;
	e->max_height = e->min_height;
	return 0;
}

/* The largest part of the picture that has the shape of what is sent. */
static void sensor_default_crop(const struct v4l2_mbus_framefmt *fmt,
				struct v4l2_rect *crop)
{
	u32 width = active_area.height * fmt->width / fmt->height;
	u32 height = active_area.width * fmt->height / fmt->width;

	crop->width = round_down(min(width, active_area.width), 2);
	crop->height = round_down(min(height, active_area.height), 2);
	crop->left = active_area.left +
		     round_down((active_area.width - crop->width) / 2, 2);
	crop->top = active_area.top +
		    round_down((active_area.height - crop->height) / 2, 2);
}

static void sensor_fill_format(struct v4l2_mbus_framefmt *fmt, unsigned int i)
{
	const struct v4l2_frmsize_discrete *size;

	size = v4l2_find_nearest_size(sizes, ARRAY_SIZE(sizes), width, height,
				      fmt->width, fmt->height);
	*fmt = (struct v4l2_mbus_framefmt){
		.code = codes[i].code,
		.width = size->width,
		.height = size->height,
		.field = V4L2_FIELD_NONE,
		.colorspace = colorspaces[codes[i].kind],
	};
}

/* What is seen stays, unless it has not the shape of what is sent. */
static int sensor_set_fmt(struct v4l2_subdev *sd,
			  struct v4l2_subdev_state *state,
			  struct v4l2_subdev_format *format)
{
	struct v4l2_mbus_framefmt *fmt = vdb_subdev_format(sd, state, 0);
	struct v4l2_rect *crop = vdb_subdev_crop(sd, state, 0);
	unsigned int i = code_find(format->format.code);

	sensor_fill_format(&format->format, i < ARRAY_SIZE(codes) ? i : 0);
	*fmt = format->format;
	if (crop->width * fmt->height == crop->height * fmt->width)
		return 0;
	sensor_default_crop(fmt, crop);
	if (format->which == V4L2_SUBDEV_FORMAT_ACTIVE)
		vivid_ext_sensor_lines_changed(to_sensor(sd), crop->height,
					       to_sensor(sd)->vblank->cur.val);
	return 0;
}

static int sensor_get_selection(struct v4l2_subdev *sd,
				struct v4l2_subdev_state *state,
				struct v4l2_subdev_selection *sel)
{
	switch (sel->target) {
	case V4L2_SEL_TGT_NATIVE_SIZE:
		sel->r = native_size;
		return 0;
	case V4L2_SEL_TGT_CROP_BOUNDS:
	case V4L2_SEL_TGT_CROP_DEFAULT:
		sel->r = active_area;
		return 0;
	case V4L2_SEL_TGT_CROP:
		sel->r = *vdb_subdev_crop(sd, state, 0);
		return 0;
	default:
		return -EINVAL;
	}
}

/* The nearest crop, within the picture and not too small to be scaled up. */
static int sensor_set_selection(struct v4l2_subdev *sd,
				struct v4l2_subdev_state *state,
				struct v4l2_subdev_selection *sel)
{
	struct v4l2_rect *r = &sel->r;

	if (sel->target != V4L2_SEL_TGT_CROP)
		return -EINVAL;
	r->width = round_down(clamp_t(u32, r->width, VIVID_EXT_MIN_CROP_WIDTH,
				      active_area.width), 2);
	r->height = round_down(clamp_t(u32, r->height,
				       VIVID_EXT_MIN_CROP_HEIGHT,
				       active_area.height), 2);
	r->left = round_down(clamp_t(s32, r->left, active_area.left,
				     active_area.left + active_area.width -
				     r->width), 2);
	r->top = round_down(clamp_t(s32, r->top, active_area.top,
				    active_area.top + active_area.height -
				    r->height), 2);
	*vdb_subdev_crop(sd, state, 0) = *r;
	if (sel->which == V4L2_SUBDEV_FORMAT_ACTIVE)
		vivid_ext_sensor_lines_changed(to_sensor(sd), r->height,
					       to_sensor(sd)->vblank->cur.val);
	return 0;
}

static int sensor_init_state(struct v4l2_subdev *sd,
			     struct v4l2_subdev_state *state)
{
	struct v4l2_mbus_framefmt *fmt = vdb_subdev_format(sd, state, 0);

	*fmt = default_format;
	sensor_fill_format(fmt, 0);
	sensor_default_crop(fmt, vdb_subdev_crop(sd, state, 0));
	return 0;
}

static int sensor_s_stream(struct v4l2_subdev *sd, int enable)
{
	struct vivid_ext_sensor *sensor = to_sensor(sd);
	struct v4l2_subdev_state *state;

	if (!enable)
		return 0;
	state = v4l2_subdev_lock_and_get_active_state(sd);
	sensor->crop = *vdb_subdev_crop(sd, state, 0);
	vivid_ext_sensor_apply_timing(sensor, sensor->hblank->cur.val,
				      sensor->vblank->cur.val);
	v4l2_subdev_unlock_state(state);
	return 0;
}

static int sensor_subscribe(struct v4l2_subdev *sd, struct v4l2_fh *fh,
			    struct v4l2_event_subscription *sub)
{
	if (sub->type == V4L2_EVENT_FRAME_SYNC)
		return v4l2_event_subscribe(fh, sub, 0, NULL);
	return v4l2_ctrl_subdev_subscribe_event(sd, fh, sub);
}

static const struct v4l2_subdev_core_ops sensor_core_ops = {
	.log_status = v4l2_ctrl_subdev_log_status,
	.subscribe_event = sensor_subscribe,
	.unsubscribe_event = v4l2_event_subdev_unsubscribe,
};

static const struct v4l2_subdev_video_ops sensor_video_ops = {
	.s_stream = sensor_s_stream,
};

static const struct v4l2_subdev_pad_ops sensor_pad_ops = {
	VDB_SUBDEV_PAD_INIT(sensor_init_state)
	.enum_mbus_code = sensor_enum_code,
	.enum_frame_size = sensor_enum_size,
	.get_fmt = v4l2_subdev_get_fmt,
	.set_fmt = sensor_set_fmt,
	.get_selection = sensor_get_selection,
	.set_selection = sensor_set_selection,
};

static const struct v4l2_subdev_ops sensor_ops = {
	.core = &sensor_core_ops,
	.video = &sensor_video_ops,
	.pad = &sensor_pad_ops,
};

static const struct v4l2_subdev_internal_ops sensor_internal_ops = {
	VDB_SUBDEV_INTERNAL_INIT(sensor_init_state)
};

/**
 * vivid_ext_sensor_format - what the sensor is set to
 * @sensor: the sensor
 * @fmt: filled in
 *
 * Process context; takes the control handler's lock.
 */
void vivid_ext_sensor_format(struct vivid_ext_sensor *sensor,
			     struct v4l2_mbus_framefmt *fmt)
{
	struct v4l2_subdev_state *state;

	state = v4l2_subdev_lock_and_get_active_state(&sensor->sd);
	*fmt = *vdb_subdev_format(&sensor->sd, state, 0);
	v4l2_subdev_unlock_state(state);
}

/**
 * vivid_ext_sensor_frame_start - tell who waits that a frame begins
 * @sensor: the sensor
 * @sequence: the frame's number
 *
 * Any context.
 */
void vivid_ext_sensor_frame_start(struct vivid_ext_sensor *sensor,
				  u32 sequence)
{
	const struct v4l2_event event = {
		.type = V4L2_EVENT_FRAME_SYNC,
		.u.frame_sync.frame_sequence = sequence,
	};

	v4l2_event_queue(sensor->sd.devnode, &event);
}

/**
 * vivid_ext_sensor_free - nobody has it open any more
 * @sensor: the sensor, unregistered
 */
void vivid_ext_sensor_free(struct vivid_ext_sensor *sensor)
{
	v4l2_subdev_cleanup(&sensor->sd);
	media_entity_cleanup(&sensor->sd.entity);
}

/**
 * vivid_ext_sensor_init - make the sensor
 * @sensor: zeroed memory
 * @dev: the camera's
 * @handler: vivid_ext_sensor_controls_init() has added its controls there
 *
 * Process context. Needs vivid_ext_sensor_free() if it succeeds; to register
 * it with the V4L2 device is left to the caller.
 *
 * Return: 0 or the framework's error.
 */
int vivid_ext_sensor_init(struct vivid_ext_sensor *sensor, struct device *dev,
			  struct v4l2_ctrl_handler *handler)
{
	struct v4l2_subdev *sd = &sensor->sd;
	int ret;

	v4l2_subdev_init(sd, &sensor_ops);
	sd->internal_ops = &sensor_internal_ops;
	sd->dev = dev;
	sd->flags = V4L2_SUBDEV_FL_HAS_DEVNODE | V4L2_SUBDEV_FL_HAS_EVENTS;
	sd->entity.function = MEDIA_ENT_F_CAM_SENSOR;
	strscpy(sd->name, VIVID_EXT_NAME " sensor", sizeof(sd->name));
	sd->ctrl_handler = handler;
	/* Blanking and exposure go by the crop: one lock for all. */
	sd->state_lock = sd->ctrl_handler->lock;
	sensor->pad.flags = MEDIA_PAD_FL_SOURCE;
	ret = media_entity_pads_init(&sd->entity, 1, &sensor->pad);
	if (!ret)
		ret = v4l2_subdev_init_finalize(sd);
	if (ret)
		return ret;
	sensor_default_crop(&default_format, &sensor->crop);
	/* Only now there is a state that the controls can go by. */
	ret = v4l2_ctrl_handler_setup(sd->ctrl_handler);
	if (ret)
		vivid_ext_sensor_free(sensor);
	return ret;
}
