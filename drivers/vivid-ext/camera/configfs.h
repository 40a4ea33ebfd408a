/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Cameras that come and go at run time, in configfs.
 */
#ifndef VIVID_EXT_CONFIGFS_H
#define VIVID_EXT_CONFIGFS_H

#include <linux/kconfig.h>

#if IS_ENABLED(CONFIG_CONFIGFS_FS)
int vivid_ext_configfs_init(void);
void vivid_ext_configfs_exit(void);
#else
static inline int vivid_ext_configfs_init(void)
{
	return 0;
}

static inline void vivid_ext_configfs_exit(void)
{
}
#endif

#endif
