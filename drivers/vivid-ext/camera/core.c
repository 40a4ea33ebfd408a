// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual cameras: platform devices made from module parameters, and the
 * driver that binds to them.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/dma-mapping.h>
#include <linux/idr.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/slab.h>

#include "../../media/videobuf2-dmabuf/compat.h"
#include "config.h"
#include "configfs.h"
#include "core.h"
#include "debugfs.h"
#include "dmabus.h"
#include "pattern.h"

static unsigned int n_devs = 1;
module_param(n_devs, uint, 0444);
MODULE_PARM_DESC(n_devs, " number of cameras, 0 to 64 (default 1)");

static struct platform_device *cameras[VIVID_EXT_MAX_DEVS];

/* The last reference is gone: unbound and not open anywhere. */
static void dev_release(struct v4l2_device *v4l2_dev)
{
	struct vivid_ext_dev *dev =
		container_of(v4l2_dev, struct vivid_ext_dev, v4l2_dev);

	vivid_ext_output_free(&dev->output);
	vivid_ext_capture_free(&dev->capture);
	v4l2_device_unregister(&dev->v4l2_dev);
	mutex_destroy(&dev->lock);
	kfree(dev);
}

static void dev_put(void *data)
{
	struct vivid_ext_dev *dev = data;

	v4l2_device_disconnect(&dev->v4l2_dev);
	v4l2_device_put(&dev->v4l2_dev);
}

static void dev_unregister(void *data)
{
	struct vivid_ext_dev *dev = data;

	vivid_ext_debugfs_remove(dev);
	vivid_ext_node_unregister(&dev->output.node);
	vivid_ext_capture_unregister(&dev->capture);
}

static struct vivid_ext_dev *dev_create(struct device *parent)
{
	struct vivid_ext_dev *dev;
	int ret;

	dev = kzalloc(sizeof(*dev), GFP_KERNEL);
	if (!dev)
		return ERR_PTR(-ENOMEM);
	dev->dev = parent;
	mutex_init(&dev->lock);
	dev->v4l2_dev.release = dev_release;
	ret = v4l2_device_register(parent, &dev->v4l2_dev);
	if (ret) {
		mutex_destroy(&dev->lock);
		kfree(dev);
		return ERR_PTR(ret);
	}
	return dev;
}

/* Whether the device may have something mapped; under its lock. */
static bool dev_busy(void *data)
{
	struct vivid_ext_dev *dev = data;

	return vb2_is_busy(&dev->capture.node.queue) ||
	       vb2_is_busy(&dev->output.node.queue);
}

/* What is asked for must be possible; what can't be is said here. */
static int dev_configure(struct vivid_ext_dev *dev,
			 const struct vivid_ext_config *config)
{
	const struct vivid_ext_bus_owner owner = {
		.lock = &dev->lock,
		.busy = dev_busy,
		.data = dev,
	};

	dev->config = *config;
	if (config->policy == VIVID_EXT_WRITECOMBINE && !config->bus.coherent) {
		dev_err(dev->dev, "the simulated bus can't show what is not cached: policy writecombine needs coherent=1\n");
		return -EINVAL;
	}
	if (config->mc && config->output) {
		dev_err(dev->dev, "with mc=1 there is one video node: no output=1\n");
		return -EINVAL;
	}
	if (config->allocator == VIVID_EXT_VMALLOC)
		dev->config.dma = false;
	if (dev->config.dma)
		return vivid_ext_bus_setup(dev->dev, &config->bus, &owner);
	if (config->allocator == VIVID_EXT_DMA_SG ||
	    config->allocator == VIVID_EXT_DMA_CONTIG) {
		dev_err(dev->dev, "allocator %s needs dma=1\n",
			vivid_ext_allocator_name(config->allocator));
		return -EINVAL;
	}
	return 0;
}

/* Capture can be opened at once, and must find the output node prepared. */
static int dev_register(struct vivid_ext_dev *dev)
{
	int ret = 0;

	if (dev->config.output)
		ret = vivid_ext_output_init(&dev->output, dev);
	if (ret)
		return ret;
	ret = vivid_ext_capture_register(&dev->capture, dev,
					 dev->config.output ?
					 &dev->output.screen : NULL);
	if (ret || !dev->config.output)
		return ret;
	return vivid_ext_output_register(&dev->output);
}

static void remove_converter(void *data)
{
	platform_device_unregister(data);
}

/* A device of its own, on a bus of the same kind; udev loads its driver. */
static int add_converter(struct vivid_ext_dev *dev, int id)
{
	const struct platform_device_info info = {
		.parent = dev->dev,
		.name = VIVID_EXT_NAME "-m2m",
		.id = id,
		.dma_mask = DMA_BIT_MASK(64),
		.data = &dev->config,
		.size_data = sizeof(dev->config),
	};
	struct platform_device *pdev = platform_device_register_full(&info);

	if (IS_ERR(pdev))
		return PTR_ERR(pdev);
	return devm_add_action_or_reset(dev->dev, remove_converter, pdev);
}

static int vivid_ext_probe(struct platform_device *pdev)
{
	const struct vivid_ext_config *config = dev_get_platdata(&pdev->dev);
	struct vivid_ext_dev *dev;
	int ret;

	if (!config)
		return -ENODEV;
	dev = dev_create(&pdev->dev);
	if (IS_ERR(dev))
		return PTR_ERR(dev);
	ret = devm_add_action_or_reset(&pdev->dev, dev_put, dev);
	if (ret)
		return ret;
	ret = dev_configure(dev, config);
	if (ret)
		return ret;
	ret = devm_add_action_or_reset(&pdev->dev, dev_unregister, dev);
	if (ret)
		return ret;
	ret = dev_register(dev);
	if (ret)
		return ret;
	vivid_ext_debugfs_add(dev);
	return dev->config.m2m ? add_converter(dev, pdev->id) : 0;
}

static struct platform_driver vivid_ext_driver = {
	.probe = vivid_ext_probe,
	.driver = {
		.name = VIVID_EXT_NAME,
	},
};

/* Numbers of cameras, whoever has asked for them. */
static DEFINE_IDA(numbers);

/**
 * vivid_ext_camera_add - make a camera
 * @config: what kind
 *
 * Process context. Whether the driver has bound to it says @dev.driver; the
 * log has the reason if not.
 *
 * Return: its device, for vivid_ext_camera_remove(), or an ERR_PTR: -ENOSPC if
 * there are %VIVID_EXT_MAX_DEVS, -ENOMEM.
 */
struct platform_device *
vivid_ext_camera_add(const struct vivid_ext_config *config)
{
	struct platform_device_info info = {
		.name = VIVID_EXT_NAME,
		.dma_mask = DMA_BIT_MASK(64),
		.data = config,
		.size_data = sizeof(*config),
	};
	struct platform_device *camera;

	info.id = ida_alloc_max(&numbers, VIVID_EXT_MAX_DEVS - 1, GFP_KERNEL);
	if (info.id < 0) {
		pr_notice_ratelimited("no camera number is free, of %u: %d\n",
				      VIVID_EXT_MAX_DEVS, info.id);
		return ERR_PTR(info.id);
	}
	camera = platform_device_register_full(&info);
	if (IS_ERR(camera))
		ida_free(&numbers, info.id);
	return camera;
}

/**
 * vivid_ext_camera_remove - a camera goes
 * @camera: its device
 *
 * Streaming stops, nodes disappear. Files that are open and buffers that are
 * exported or mapped live on without it. Process context.
 */
void vivid_ext_camera_remove(struct platform_device *camera)
{
	unsigned int number = camera->id;

	platform_device_unregister(camera);
	ida_free(&numbers, number);
}

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
	ret = platform_driver_register(&vivid_ext_driver);
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
	platform_driver_unregister(&vivid_ext_driver);
exit_debugfs:
	vivid_ext_debugfs_exit();
	return ret;
}
module_init(vivid_ext_init);

static void __exit vivid_ext_exit(void)
{
	vivid_ext_configfs_exit();
	cameras_remove(n_devs);
	platform_driver_unregister(&vivid_ext_driver);
	vivid_ext_debugfs_exit();
}
module_exit(vivid_ext_exit);

MODULE_DESCRIPTION("Virtual camera that writes its frames by DMA");
MODULE_AUTHOR("The videobuf2-dmabuf authors");
MODULE_LICENSE("GPL");
VDB_IMPORT_NS_DMA_BUF;
