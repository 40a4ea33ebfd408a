/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of a virtual camera share.
 */
#ifndef VIVID_EXT_CORE_H
#define VIVID_EXT_CORE_H

#include <linux/mutex.h>
#include <media/v4l2-device.h>

#include "v4l2/device-config.h"

#define VIVID_EXT_NAME	"vivid-ext"

/**
 * struct vivid_ext_core - what the parts of a camera share
 * @dev: its platform device; not valid after unbinding
 * @config: what was asked for
 * @v4l2_dev: holds the reference that keeps the camera
 * @debugfs: its directory
 * @lock: serialises the ioctls and the queues of all nodes, and changes of the
 *	bus; protects what is constant while there are buffers
 */
struct vivid_ext_core {
	struct device *dev;
	struct vivid_ext_config config;
	struct v4l2_device v4l2_dev;
	struct dentry *debugfs;
	struct mutex lock;	/* see above */
};

#endif
