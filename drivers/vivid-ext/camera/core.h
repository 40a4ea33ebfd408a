/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a virtual camera is made of.
 */
#ifndef VIVID_EXT_CORE_H
#define VIVID_EXT_CORE_H

#include <linux/mutex.h>
#include <linux/types.h>
#include <media/v4l2-device.h>

#include "capture.h"
#include "config.h"
#include "output.h"

#define VIVID_EXT_NAME	"vivid-ext"

/**
 * struct vivid_ext_dev - one virtual camera
 * @dev: its platform device; not valid after unbinding
 * @config: what was asked for
 * @v4l2_dev: holds the reference that keeps this structure
 * @debugfs: its directory
 * @lock: serialises the ioctls and the queues of all nodes, and changes of the
 *	bus; protects what is constant while there are buffers
 * @capture: the video node that gives frames
 * @output: the one that takes them, if there is one
 */
struct vivid_ext_dev {
	struct device *dev;
	struct vivid_ext_config config;
	struct v4l2_device v4l2_dev;
	struct dentry *debugfs;
	struct mutex lock;	/* see above */
	struct vivid_ext_capture capture;
	struct vivid_ext_output output;
};

struct platform_device *
vivid_ext_camera_add(const struct vivid_ext_config *config);
void vivid_ext_camera_remove(struct platform_device *camera);

#endif
