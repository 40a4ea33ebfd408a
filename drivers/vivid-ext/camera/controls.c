// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the user can turn on a capture node. Each control sets something of
 * the pattern; the next frame shows it.
 */
#include <linux/kernel.h>
#include <linux/vivid-ext.h>

#include "controls.h"
#include "pattern.h"
#include "v4l2/inject.h"

static struct vivid_ext_pattern *ctrl_pattern(struct v4l2_ctrl *ctrl)
{
	return container_of(ctrl->handler, struct vivid_ext_controls,
			    handler)->pattern;
}

/* While the gain is automatic the pattern moves it; read it back from there. */
static int ctrl_get_volatile(struct v4l2_ctrl *ctrl)
{
	struct vivid_ext_pattern *pattern = ctrl_pattern(ctrl);
	struct vivid_ext_controls *controls =
		container_of(ctrl->handler, struct vivid_ext_controls, handler);

	mutex_lock(&pattern->lock);
	controls->gain->val = pattern->gain;
	mutex_unlock(&pattern->lock);
	return 0;
}

static void ctrl_set_gain(struct vivid_ext_pattern *pattern,
			  struct vivid_ext_controls *controls)
{
	pattern->autogain = controls->autogain->val;
	if (!pattern->autogain)
		pattern->gain = controls->gain->val;
}

static void ctrl_apply(struct vivid_ext_pattern *pattern,
		       struct v4l2_ctrl *ctrl)
{
	struct tpg_data *tpg = &pattern->tpg;

	switch (ctrl->id) {
	case V4L2_CID_BRIGHTNESS:
		tpg_s_brightness(tpg, ctrl->val);
		break;
	case V4L2_CID_CONTRAST:
		pattern->contrast = ctrl->val;
		break;
	case V4L2_CID_SATURATION:
		tpg_s_saturation(tpg, ctrl->val);
		break;
	case V4L2_CID_HUE:
		tpg_s_hue(tpg, ctrl->val);
		break;
	case V4L2_CID_AUTOGAIN:
		ctrl_set_gain(pattern, container_of(ctrl->handler,
						    struct vivid_ext_controls,
						    handler));
		break;
	case V4L2_CID_HFLIP:
		tpg_s_hflip(tpg, ctrl->val);
		break;
	case V4L2_CID_VFLIP:
		tpg_s_vflip(tpg, ctrl->val);
		break;
	case V4L2_CID_TEST_PATTERN:
		tpg_s_pattern(tpg, ctrl->val);
		break;
	case VIVID_EXT_CID_OSD_TEXT:
		pattern->text = ctrl->val;
		break;
	case VIVID_EXT_CID_MOVE_HORIZONTAL:
		tpg_s_mv_hor_mode(tpg, ctrl->val);
		break;
	case VIVID_EXT_CID_MOVE_VERTICAL:
		tpg_s_mv_vert_mode(tpg, ctrl->val);
		break;
	case VIVID_EXT_CID_SHOW_BORDER:
		tpg_s_show_border(tpg, ctrl->val);
		break;
	case VIVID_EXT_CID_SHOW_SQUARE:
		tpg_s_show_square(tpg, ctrl->val);
		break;
	case VIVID_EXT_CID_STAMP:
		pattern->stamp = ctrl->val;
		break;
	}
}

static int ctrl_set(struct v4l2_ctrl *ctrl)
{
	struct vivid_ext_pattern *pattern = ctrl_pattern(ctrl);

	mutex_lock(&pattern->lock);
	ctrl_apply(pattern, ctrl);
	mutex_unlock(&pattern->lock);
	return 0;
}

static const struct v4l2_ctrl_ops ctrl_ops = {
	.g_volatile_ctrl = ctrl_get_volatile,
	.s_ctrl = ctrl_set,
};

/* Those that a sensor has not: id, smallest, largest, step, default. */
static const struct {
	u32 id;
	s32 min;
	s32 max;
	s32 step;
	s32 def;
} picture[] = {
	{ V4L2_CID_BRIGHTNESS, 0, 255, 1, 128 },
	{ V4L2_CID_CONTRAST, 0, 255, 1, 128 },
	{ V4L2_CID_SATURATION, 0, 255, 1, 128 },
	{ V4L2_CID_HUE, -128, 128, 1, 0 },
};

static const char * const text_menu[] = {
	[VIVID_EXT_TEXT_ALL] = "All",
	[VIVID_EXT_TEXT_COUNTERS] = "Counters Only",
	[VIVID_EXT_TEXT_NONE] = "None",
	NULL
};

static const char * const horizontal_menu[] = {
	[TPG_MOVE_NEG_FAST] = "Move Left Fast",
	[TPG_MOVE_NEG] = "Move Left",
	[TPG_MOVE_NEG_SLOW] = "Move Left Slow",
	[TPG_MOVE_NONE] = "No Movement",
	[TPG_MOVE_POS_SLOW] = "Move Right Slow",
	[TPG_MOVE_POS] = "Move Right",
	[TPG_MOVE_POS_FAST] = "Move Right Fast",
	NULL
};

static const char * const vertical_menu[] = {
	[TPG_MOVE_NEG_FAST] = "Move Up Fast",
	[TPG_MOVE_NEG] = "Move Up",
	[TPG_MOVE_NEG_SLOW] = "Move Up Slow",
	[TPG_MOVE_NONE] = "No Movement",
	[TPG_MOVE_POS_SLOW] = "Move Down Slow",
	[TPG_MOVE_POS] = "Move Down",
	[TPG_MOVE_POS_FAST] = "Move Down Fast",
	NULL
};

static const struct v4l2_ctrl_config custom[] = {
	{
		.ops = &ctrl_ops,
		.id = VIVID_EXT_CID_OSD_TEXT,
		.name = "OSD Text Mode",
		.type = V4L2_CTRL_TYPE_MENU,
		.max = ARRAY_SIZE(text_menu) - 2,
		.qmenu = text_menu,
	}, {
		.ops = &ctrl_ops,
		.id = VIVID_EXT_CID_MOVE_HORIZONTAL,
		.name = "Horizontal Movement",
		.type = V4L2_CTRL_TYPE_MENU,
		.max = ARRAY_SIZE(horizontal_menu) - 2,
		.def = TPG_MOVE_NONE,
		.qmenu = horizontal_menu,
	}, {
		.ops = &ctrl_ops,
		.id = VIVID_EXT_CID_MOVE_VERTICAL,
		.name = "Vertical Movement",
		.type = V4L2_CTRL_TYPE_MENU,
		.max = ARRAY_SIZE(vertical_menu) - 2,
		.def = TPG_MOVE_NONE,
		.qmenu = vertical_menu,
	}, {
		.ops = &ctrl_ops,
		.id = VIVID_EXT_CID_SHOW_BORDER,
		.name = "Show Border",
		.type = V4L2_CTRL_TYPE_BOOLEAN,
		.max = 1,
		.step = 1,
	}, {
		.ops = &ctrl_ops,
		.id = VIVID_EXT_CID_SHOW_SQUARE,
		.name = "Show Square",
		.type = V4L2_CTRL_TYPE_BOOLEAN,
		.max = 1,
		.step = 1,
	}, {
		.ops = &ctrl_ops,
		.id = VIVID_EXT_CID_STAMP,
		.name = "Insert Stamp",
		.type = V4L2_CTRL_TYPE_BOOLEAN,
		.max = 1,
		.step = 1,
		.def = 1,
	},
};

static void controls_add_picture(struct vivid_ext_controls *controls)
{
	struct v4l2_ctrl_handler *handler = &controls->handler;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(picture); i++)
		v4l2_ctrl_new_std(handler, &ctrl_ops, picture[i].id,
				  picture[i].min, picture[i].max,
				  picture[i].step, picture[i].def);
	controls->autogain = v4l2_ctrl_new_std(handler, &ctrl_ops,
					       V4L2_CID_AUTOGAIN, 0, 1, 1, 0);
	controls->gain = v4l2_ctrl_new_std(handler, &ctrl_ops, V4L2_CID_GAIN,
					   0, VIVID_EXT_GAIN_MAX, 1,
					   VIVID_EXT_GAIN_ONE);
	if (!handler->error)
		v4l2_ctrl_auto_cluster(2, &controls->autogain, 0, true);
}

/**
 * vivid_ext_controls_init - make the controls of a capture node
 * @controls: zeroed memory
 * @pattern: what they change, initialised
 * @inject: the errors that can be asked for
 * @picture: those too that a sensor has in its own way
 *
 * The caller sets them up once they are complete. Process context. Needs
 * vivid_ext_controls_free() even if it fails.
 *
 * Return: 0, or the control framework's error.
 */
int vivid_ext_controls_init(struct vivid_ext_controls *controls,
			    struct vivid_ext_pattern *pattern,
			    struct vivid_ext_inject *inject, bool picture)
{
	struct v4l2_ctrl_handler *handler = &controls->handler;
	unsigned int i;

	controls->pattern = pattern;
	v4l2_ctrl_handler_init(handler, 24 + VIVID_EXT_NUM_ERRORS);
	if (picture)
		controls_add_picture(controls);
	v4l2_ctrl_new_std(handler, &ctrl_ops, V4L2_CID_HFLIP, 0, 1, 1, 0);
	v4l2_ctrl_new_std(handler, &ctrl_ops, V4L2_CID_VFLIP, 0, 1, 1, 0);
	v4l2_ctrl_new_std_menu_items(handler, &ctrl_ops, V4L2_CID_TEST_PATTERN,
				     TPG_PAT_NOISE, 0, 0, tpg_pattern_strings);
	for (i = 0; i < ARRAY_SIZE(custom); i++)
		v4l2_ctrl_new_custom(handler, &custom[i], NULL);
	vivid_ext_inject_init(inject, handler, VIVID_EXT_ALL_ERRORS);
	return handler->error;
}

/**
 * vivid_ext_controls_free - the node is gone
 * @controls: its controls
 */
void vivid_ext_controls_free(struct vivid_ext_controls *controls)
{
	v4l2_ctrl_handler_free(&controls->handler);
}
