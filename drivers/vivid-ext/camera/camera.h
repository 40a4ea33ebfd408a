/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A virtual camera: all of its parts, and how one comes and goes.
 */
#ifndef VIVID_EXT_CAMERA_H
#define VIVID_EXT_CAMERA_H

#include "capture.h"
#include "core.h"
#include "output.h"

/**
 * struct vivid_ext_camera - one virtual camera
 * @core: what its parts share
 * @capture: the video node that gives frames
 * @output: the one that takes them, if there is one
 */
struct vivid_ext_camera {
	struct vivid_ext_core core;
	struct vivid_ext_capture capture;
	struct vivid_ext_output output;
};

int vivid_ext_camera_driver_register(void);
void vivid_ext_camera_driver_unregister(void);
struct platform_device *
vivid_ext_camera_add(const struct vivid_ext_config *config);
void vivid_ext_camera_remove(struct platform_device *camera);

#endif
