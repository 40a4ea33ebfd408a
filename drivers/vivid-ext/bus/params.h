/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Module parameters for the bus of all of a module's devices: defines "bus".
 */
#ifndef VIVID_EXT_BUS_PARAMS_H
#define VIVID_EXT_BUS_PARAMS_H

#include <linux/mm.h>
#include <linux/moduleparam.h>

#include "config.h"

static struct vivid_ext_bus_config bus = {
#define SETTING_BOOL(name, def, ...) .name = def,
#define SETTING_UINT(name, min, max, def, ...) .name = def,
#define SETTING_LIMIT(name, ...) .name = UINT_MAX,
#include "settings.h"
#undef SETTING_BOOL
#undef SETTING_UINT
#undef SETTING_LIMIT
};

#define SETTING_BOOL(name, def, help) \
	module_param_named(name, bus.name, bool, 0444); \
	MODULE_PARM_DESC(name, " " help " (default " #def ")");
#define SETTING_UINT(name, min, max, def, help) \
	module_param_named(name, bus.name, uint, 0444); \
	MODULE_PARM_DESC(name, " " help ", " #min " to " #max \
			 " (default " #def ")");
#define SETTING_LIMIT(name, min, help) \
	module_param_named(name, bus.name, uint, 0444); \
	MODULE_PARM_DESC(name, " " help " (default no limit)");
#include "settings.h"
#undef SETTING_BOOL
#undef SETTING_UINT
#undef SETTING_LIMIT

#endif
