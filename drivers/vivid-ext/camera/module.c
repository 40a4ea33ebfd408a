// SPDX-License-Identifier: GPL-2.0-only
/*
 * The camera's module: its parameters, and the cameras that they ask for.
 */
#include <linux/err.h>
#include <linux/module.h>

#include "camera.h"
#include "config.h"
#include "configfs.h"
#include "debugfs.h"
#include "pattern.h"

static unsigned int n_devs = 1;
module_param(n_devs, uint, 0444);
MODULE_PARM_DESC(n_devs, " number of cameras, 0 to 64 (default 1)");

static struct platform_device *cameras[VIVID_EXT_MAX_DEVS];

static int param_camera_add(unsigned int i)
{
	struct vivid_ext_config config;
	int ret;

	ret = vivid_ext_config_params(&config, i);
	if (ret)
		return ret;
	cameras[i] = vivid_ext_camera_add(&config);
	return PTR_ERR_OR_ZERO(cameras[i]);
}

/* Also what no camera asks for: a mistake is told at once. */
static int params_check(void)
{
	struct vivid_ext_config config;
	unsigned int i;
	int ret = 0;

	if (n_devs > VIVID_EXT_MAX_DEVS) {
		pr_err("n_devs=%u is more than %u\n", n_devs,
		       VIVID_EXT_MAX_DEVS);
		return -EINVAL;
	}
	for (i = 0; i < VIVID_EXT_MAX_DEVS && !ret; i++)
		ret = vivid_ext_config_params(&config, i);
	return ret;
}

static void cameras_remove(unsigned int count)
{
	while (count--)
		vivid_ext_camera_remove(cameras[count]);
}

static int __init vivid_ext_init(void)
{
	unsigned int i;
	int ret;

	ret = params_check();
	if (ret)
		return ret;
	ret = vivid_ext_pattern_setup();
	if (ret)
		return ret;
	vivid_ext_debugfs_init();
	ret = vivid_ext_camera_driver_register();
	if (ret)
		goto exit_debugfs;
	for (i = 0; i < n_devs; i++) {
		ret = param_camera_add(i);
		if (ret)
			goto remove_cameras;
	}
	ret = vivid_ext_configfs_init();
	if (ret)
		goto remove_cameras;
	return 0;

remove_cameras:
	cameras_remove(i);
	vivid_ext_camera_driver_unregister();
exit_debugfs:
	vivid_ext_debugfs_exit();
	return ret;
}
module_init(vivid_ext_init);

static void __exit vivid_ext_exit(void)
{
	vivid_ext_configfs_exit();
	cameras_remove(n_devs);
	vivid_ext_camera_driver_unregister();
	vivid_ext_debugfs_exit();
}
module_exit(vivid_ext_exit);

MODULE_DESCRIPTION("Virtual camera that writes its frames by DMA");
MODULE_AUTHOR("The videobuf2-dmabuf authors");
MODULE_LICENSE("GPL");
VDB_IMPORT_NS_DMA_BUF;
