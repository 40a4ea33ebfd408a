/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the user can turn on a capture node.
 */
#ifndef VIVID_EXT_CONTROLS_H
#define VIVID_EXT_CONTROLS_H

#include <media/v4l2-ctrls.h>

struct vivid_ext_inject;
struct vivid_ext_pattern;

/**
 * struct vivid_ext_controls - the controls of a capture node
 * @pattern: what they change
 * @handler: all of them
 * @autogain: with @gain a cluster; must lie before it
 * @gain: read from the pattern while @autogain is on
 */
struct vivid_ext_controls {
	struct vivid_ext_pattern *pattern;
	struct v4l2_ctrl_handler handler;
	struct v4l2_ctrl *autogain;
	struct v4l2_ctrl *gain;
};

int vivid_ext_controls_init(struct vivid_ext_controls *controls,
			    struct vivid_ext_pattern *pattern,
			    struct vivid_ext_inject *inject, bool picture);
void vivid_ext_controls_free(struct vivid_ext_controls *controls);

#endif
