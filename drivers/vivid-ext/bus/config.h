/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which bus a device is on: the machine's, or a simulated one, and what that can
 * do.
 */
#ifndef VIVID_EXT_BUS_CONFIG_H
#define VIVID_EXT_BUS_CONFIG_H

#include <linux/types.h>

#include "bus.h"

struct device;
struct mutex;
struct seq_file;

/**
 * struct vivid_ext_bus_owner - the driver of a device on a bus
 * @lock: is held while the bus changes
 * @busy: whether it has anything mapped for the device, or may ask for it
 *	before it asks for the device again; called with @lock held
 * @data: for @busy
 */
struct vivid_ext_bus_owner {
	struct mutex *lock; /* see above */
	bool (*busy)(void *data);
	void *data;
};

int vivid_ext_bus_setup(struct device *dev,
			const struct vivid_ext_bus_config *config,
			const struct vivid_ext_bus_owner *owner);
int vivid_ext_bus_change(struct device *dev,
			 const struct vivid_ext_bus_config *config);
struct device *vivid_ext_bus_device(struct device *dev);
const struct vivid_ext_bus_config *vivid_ext_bus_config(struct device *dev);
void vivid_ext_bus_show(struct device *dev, struct seq_file *m);

#endif
