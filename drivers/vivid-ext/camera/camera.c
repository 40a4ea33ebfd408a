// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual cameras: platform devices, and the driver that binds to them.
 */
#include <linux/dma-mapping.h>
#include <linux/idr.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/slab.h>

#include "bus/config.h"
#include "camera.h"
#include "config.h"
#include "debugfs.h"

/* The last reference is gone: unbound and not open anywhere. */
static void camera_release(struct v4l2_device *v4l2_dev)
{
	struct vivid_ext_camera *cam =
		container_of(v4l2_dev, struct vivid_ext_camera, core.v4l2_dev);

	vivid_ext_output_free(&cam->output);
	vivid_ext_capture_free(&cam->capture);
	v4l2_device_unregister(&cam->core.v4l2_dev);
	mutex_destroy(&cam->core.lock);
	kfree(cam);
}

static void camera_put(void *data)
{
	struct vivid_ext_camera *cam = data;

	v4l2_device_disconnect(&cam->core.v4l2_dev);
	v4l2_device_put(&cam->core.v4l2_dev);
}

static void camera_unregister(void *data)
{
	struct vivid_ext_camera *cam = data;

	vivid_ext_debugfs_remove(&cam->core);
	vivid_ext_node_unregister(&cam->output.node);
	vivid_ext_capture_unregister(&cam->capture);
}

static struct vivid_ext_camera *camera_create(struct device *parent)
{
	struct vivid_ext_camera *cam;
	int ret;

	cam = kzalloc(sizeof(*cam), GFP_KERNEL);
	if (!cam)
		return ERR_PTR(-ENOMEM);
	cam->core.dev = parent;
	mutex_init(&cam->core.lock);
	cam->core.v4l2_dev.release = camera_release;
	ret = v4l2_device_register(parent, &cam->core.v4l2_dev);
	if (ret) {
		mutex_destroy(&cam->core.lock);
		kfree(cam);
		return ERR_PTR(ret);
	}
	return cam;
}

/* Whether the device may have something mapped; under its lock. */
static bool camera_busy(void *data)
{
	struct vivid_ext_camera *cam = data;

	return vb2_is_busy(&cam->capture.node.queue) ||
	       vb2_is_busy(&cam->output.node.queue);
}

/* What is asked for must be possible; what can't be is said here. */
static int camera_configure(struct vivid_ext_camera *cam,
			    const struct vivid_ext_config *config)
{
	const struct vivid_ext_bus_owner owner = {
		.lock = &cam->core.lock,
		.busy = camera_busy,
		.data = cam,
	};

	cam->core.config = *config;
	if (config->policy == VIVID_EXT_WRITECOMBINE && !config->bus.coherent) {
		dev_err(cam->core.dev, "the simulated bus can't show what is not cached: policy writecombine needs coherent=1\n");
		return -EINVAL;
	}
	if (config->mc && config->output) {
		dev_err(cam->core.dev, "with mc=1 there is one video node: no output=1\n");
		return -EINVAL;
	}
	if (config->allocator == VIVID_EXT_VMALLOC)
		cam->core.config.dma = false;
	if (cam->core.config.dma)
		return vivid_ext_bus_setup(cam->core.dev, &config->bus, &owner);
	if (config->allocator == VIVID_EXT_DMA_SG ||
	    config->allocator == VIVID_EXT_DMA_CONTIG) {
		dev_err(cam->core.dev, "allocator %s needs dma=1\n",
			vivid_ext_allocator_name(config->allocator));
		return -EINVAL;
	}
	return 0;
}

/* Capture can be opened at once, and must find the output node prepared. */
static int camera_register(struct vivid_ext_camera *cam)
{
	int ret = 0;

	if (cam->core.config.output)
		ret = vivid_ext_output_init(&cam->output, &cam->core);
	if (ret)
		return ret;
	ret = vivid_ext_capture_register(&cam->capture, &cam->core,
					 cam->core.config.output ?
					 &cam->output.screen : NULL);
	if (ret || !cam->core.config.output)
		return ret;
	return vivid_ext_output_register(&cam->output);
}

static void remove_converter(void *data)
{
	platform_device_unregister(data);
}

/* A device of its own, on a bus of the same kind; udev loads its driver. */
static int add_converter(struct vivid_ext_camera *cam, int id)
{
	const struct platform_device_info info = {
		.parent = cam->core.dev,
		.name = VIVID_EXT_NAME "-m2m",
		.id = id,
		.dma_mask = DMA_BIT_MASK(64),
		.data = &cam->core.config,
		.size_data = sizeof(cam->core.config),
	};
	struct platform_device *pdev = platform_device_register_full(&info);

	if (IS_ERR(pdev))
		return PTR_ERR(pdev);
	return devm_add_action_or_reset(cam->core.dev, remove_converter, pdev);
}

static int vivid_ext_probe(struct platform_device *pdev)
{
	const struct vivid_ext_config *config = dev_get_platdata(&pdev->dev);
	struct vivid_ext_camera *cam;
	int ret;

	if (!config)
		return -ENODEV;
	cam = camera_create(&pdev->dev);
	if (IS_ERR(cam))
		return PTR_ERR(cam);
	ret = devm_add_action_or_reset(&pdev->dev, camera_put, cam);
	if (ret)
		return ret;
	ret = camera_configure(cam, config);
	if (ret)
		return ret;
	ret = devm_add_action_or_reset(&pdev->dev, camera_unregister, cam);
	if (ret)
		return ret;
	ret = camera_register(cam);
	if (ret)
		return ret;
	vivid_ext_debugfs_add(&cam->core, &cam->capture,
			      cam->core.config.output ? &cam->output : NULL);
	return cam->core.config.m2m ? add_converter(cam, pdev->id) : 0;
}

static struct platform_driver vivid_ext_driver = {
	.probe = vivid_ext_probe,
	.driver = {
		.name = VIVID_EXT_NAME,
	},
};

/**
 * vivid_ext_camera_driver_register - let cameras be bound
 *
 * Return: 0 or the driver core's error.
 */
int vivid_ext_camera_driver_register(void)
{
	return platform_driver_register(&vivid_ext_driver);
}

/**
 * vivid_ext_camera_driver_unregister - undo that; all cameras have gone
 */
void vivid_ext_camera_driver_unregister(void)
{
	platform_driver_unregister(&vivid_ext_driver);
}

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
