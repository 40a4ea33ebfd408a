// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual cameras: platform devices made from module parameters, and the
 * driver that binds to them.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "../../media/videobuf2-dmabuf/compat.h"
#include "core.h"
#include "debugfs.h"
#include "dmabus.h"
#include "pattern.h"

#define MAX_DEVS	64

static unsigned int n_devs = 1;
module_param(n_devs, uint, 0444);
MODULE_PARM_DESC(n_devs, " number of cameras, 1 to 64 (default 1)");

/* Of each array the last value given counts for all further cameras. */
static char *allocator[MAX_DEVS];
static unsigned int num_allocator;
module_param_array(allocator, charp, &num_allocator, 0444);
MODULE_PARM_DESC(allocator,
		 " dmabuf, vmalloc, dma-sg or dma-contig (default dmabuf)");

static bool multiplanar[MAX_DEVS];
static unsigned int num_multiplanar;
module_param_array(multiplanar, bool, &num_multiplanar, 0444);
MODULE_PARM_DESC(multiplanar, " use the multi-planar API (default 0)");

static bool dma[MAX_DEVS] = { true };
static unsigned int num_dma;
module_param_array(dma, bool, &num_dma, 0444);
MODULE_PARM_DESC(dma,
		 " the camera writes by DMA, otherwise the CPU draws (default 1)");

static bool coherent[MAX_DEVS] = { true };
static unsigned int num_coherent;
module_param_array(coherent, bool, &num_coherent, 0444);
MODULE_PARM_DESC(coherent,
		 " the camera and the CPU always see the same bytes (default 1)");

static bool iommu[MAX_DEVS];
static unsigned int num_iommu;
module_param_array(iommu, bool, &num_iommu, 0444);
MODULE_PARM_DESC(iommu,
		 " the camera sees scattered pages as contiguous (default 0)");

static unsigned int dma_bits[MAX_DEVS] = { 64 };
static unsigned int num_dma_bits;
module_param_array(dma_bits, uint, &num_dma_bits, 0444);
MODULE_PARM_DESC(dma_bits, " address lines, 24 to 64 (default 64)");

static unsigned int max_segments[MAX_DEVS] = { UINT_MAX };
static unsigned int num_max_segments;
module_param_array(max_segments, uint, &num_max_segments, 0444);
MODULE_PARM_DESC(max_segments,
		 " pieces of memory it takes for a plane (default no limit)");

static unsigned int max_segment_size[MAX_DEVS] = { UINT_MAX };
static unsigned int num_max_segment_size;
module_param_array(max_segment_size, uint, &num_max_segment_size, 0444);
MODULE_PARM_DESC(max_segment_size,
		 " length of such a piece in bytes (default no limit)");

static bool contiguous[MAX_DEVS];
static unsigned int num_contiguous;
module_param_array(contiguous, bool, &num_contiguous, 0444);
MODULE_PARM_DESC(contiguous, " the same as max_segments=1 (default 0)");

static char *policy[MAX_DEVS];
static unsigned int num_policy;
module_param_array(policy, charp, &num_policy, 0444);
MODULE_PARM_DESC(policy,
		 " auto, shootdown, explicit or writecombine (default auto)");

static bool fallback[MAX_DEVS] = { true };
static unsigned int num_fallback;
module_param_array(fallback, bool, &num_fallback, 0444);
MODULE_PARM_DESC(fallback,
		 " where DMA is impossible the CPU writes, else that is an error (default 1)");

static bool hardirq[MAX_DEVS];
static unsigned int num_hardirq;
module_param_array(hardirq, bool, &num_hardirq, 0444);
MODULE_PARM_DESC(hardirq,
		 " say in hard interrupt context that a frame is done (default 0)");

static struct platform_device *cameras[MAX_DEVS];

static const char * const allocators[] = {
	[VIVID_EXT_DMABUF] = "dmabuf",
	[VIVID_EXT_VMALLOC] = "vmalloc",
	[VIVID_EXT_DMA_SG] = "dma-sg",
	[VIVID_EXT_DMA_CONTIG] = "dma-contig",
};

static const char * const policies[] = {
	[VIVID_EXT_AUTO] = "auto",
	[VIVID_EXT_SHOOTDOWN] = "shootdown",
	[VIVID_EXT_EXPLICIT] = "explicit",
	[VIVID_EXT_WRITECOMBINE] = "writecombine",
};

/**
 * vivid_ext_allocator_name - an allocator's name, as in the module parameter
 * @allocator: which one
 *
 * Return: a string that stays.
 */
const char *vivid_ext_allocator_name(enum vivid_ext_allocator allocator)
{
	return allocators[allocator];
}

/* The last reference is gone: unbound and not open anywhere. */
static void dev_release(struct v4l2_device *v4l2_dev)
{
	struct vivid_ext_dev *dev =
		container_of(v4l2_dev, struct vivid_ext_dev, v4l2_dev);

	vivid_ext_capture_free(&dev->capture);
	v4l2_device_unregister(&dev->v4l2_dev);
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
	mutex_init(&dev->capture.lock);
	dev->v4l2_dev.release = dev_release;
	ret = v4l2_device_register(parent, &dev->v4l2_dev);
	if (ret) {
		mutex_destroy(&dev->capture.lock);
		kfree(dev);
		return ERR_PTR(ret);
	}
	return dev;
}

/* Whether the device may have something mapped; under the node's lock. */
static bool dev_busy(void *data)
{
	struct vivid_ext_dev *dev = data;

	return vb2_is_busy(&dev->capture.queue);
}

/* What is asked for must be possible; what can't be is said here. */
static int dev_configure(struct vivid_ext_dev *dev,
			 const struct vivid_ext_config *config)
{
	const struct vivid_ext_bus_owner owner = {
		.lock = &dev->capture.lock,
		.busy = dev_busy,
		.data = dev,
	};

	dev->config = *config;
	if (config->policy == VIVID_EXT_WRITECOMBINE && !config->bus.coherent) {
		dev_err(dev->dev, "the simulated bus can't show what is not cached: policy writecombine needs coherent=1\n");
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
	ret = vivid_ext_capture_register(&dev->capture, dev);
	if (ret)
		return ret;
	vivid_ext_debugfs_add(dev);
	return devm_add_action_or_reset(&pdev->dev, dev_unregister, dev);
}

static struct platform_driver vivid_ext_driver = {
	.probe = vivid_ext_probe,
	.driver = {
		.name = VIVID_EXT_NAME,
	},
};

/* What an array says of camera i; before the first value the default. */
#define PARAM(array, i) (array)[min(i, max(num_##array, 1U) - 1)]

static int param_match(const char *what, const char * const *names, size_t n,
		       const char *name)
{
	int ret = name ? match_string(names, n, name) : 0;

	if (ret < 0)
		pr_err("no %s \"%s\"\n", what, name);
	return ret;
}

static int param_config(unsigned int i, struct vivid_ext_config *config)
{
	int a, p;

	a = param_match("allocator", allocators, ARRAY_SIZE(allocators),
			PARAM(allocator, i));
	p = param_match("policy", policies, ARRAY_SIZE(policies),
			PARAM(policy, i));
	if (a < 0 || p < 0)
		return -EINVAL;
	config->allocator = a;
	config->policy = p;
	config->multiplanar = PARAM(multiplanar, i);
	config->dma = PARAM(dma, i);
	config->fallback = PARAM(fallback, i);
	config->hardirq = PARAM(hardirq, i);
	config->bus.coherent = PARAM(coherent, i);
	config->bus.iommu = PARAM(iommu, i);
	config->bus.dma_bits = PARAM(dma_bits, i);
	config->bus.max_segments = PARAM(contiguous, i) ? 1 :
				   PARAM(max_segments, i);
	config->bus.max_segment_size = PARAM(max_segment_size, i);
	return 0;
}

static int camera_add(unsigned int i)
{
	struct platform_device_info info = {
		.name = VIVID_EXT_NAME,
		.id = i,
		.dma_mask = DMA_BIT_MASK(64),
	};
	struct vivid_ext_config config = { };
	int ret;

	ret = param_config(i, &config);
	if (ret)
		return ret;
	info.data = &config;
	info.size_data = sizeof(config);
	cameras[i] = platform_device_register_full(&info);
	return PTR_ERR_OR_ZERO(cameras[i]);
}

static void cameras_remove(unsigned int count)
{
	while (count--)
		platform_device_unregister(cameras[count]);
}

static int __init vivid_ext_init(void)
{
	unsigned int i;
	int ret;

	if (n_devs > MAX_DEVS) {
		pr_err("n_devs=%u is more than %u\n", n_devs, MAX_DEVS);
		return -EINVAL;
	}
	ret = vivid_ext_pattern_setup();
	if (ret)
		return ret;
	vivid_ext_debugfs_init();
	ret = platform_driver_register(&vivid_ext_driver);
	if (ret)
		goto exit_debugfs;
	for (i = 0; i < n_devs; i++) {
		ret = camera_add(i);
		if (ret)
			goto remove_cameras;
	}
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
	cameras_remove(n_devs);
	platform_driver_unregister(&vivid_ext_driver);
	vivid_ext_debugfs_exit();
}
module_exit(vivid_ext_exit);

MODULE_DESCRIPTION("Virtual camera that writes its frames by DMA");
MODULE_AUTHOR("The videobuf2-dmabuf authors");
MODULE_LICENSE("GPL");
VDB_IMPORT_NS_DMA_BUF;
