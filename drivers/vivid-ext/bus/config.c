// SPDX-License-Identifier: GPL-2.0-only
/*
 * What bus a device is on: asked for by its driver, and changed while it runs
 * by the files in its directory bus/ in sysfs.
 */
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>
#include <linux/sysfs.h>

#include "config.h"
#include "simbus.h"
#include "simplace.h"

/**
 * struct busconfig - a device's bus
 * @dev: the device
 * @owner: who uses it
 * @config: how it is now
 * @sim: the device's place on the simulated bus, or NULL on the machine's
 */
struct busconfig {
	struct device *dev;
	struct vivid_ext_bus_owner owner;
	struct vivid_ext_bus_config config;
	struct vivid_ext_simbus *sim;
};

static void busconfig_release(struct device *dev, void *res)
{
}

static struct busconfig *busconfig_of(struct device *dev)
{
	return devres_find(dev, busconfig_release, NULL, NULL);
}

static bool is_real(const struct vivid_ext_bus_config *config)
{
	return config->coherent && !config->iommu && config->dma_bits == 64 &&
	       vivid_ext_bus_segments(config) == UINT_MAX &&
	       config->max_segment_size == UINT_MAX;
}

static int check(struct device *dev, const struct vivid_ext_bus_config *config)
{
	if (config->dma_bits >= 24 && config->dma_bits <= 64 &&
	    config->max_segments && config->max_segment_size >= PAGE_SIZE)
		return 0;
	dev_err(dev, "no such bus: %u address bits (24 to 64), %u segments (1 or more) of %u bytes (%lu or more)\n",
		config->dma_bits, config->max_segments,
		config->max_segment_size, PAGE_SIZE);
	return -EINVAL;
}

/* The machine's own bus: whatever it is like, the device has no limits there. */
static int set_real(struct device *dev)
{
	int ret = dma_coerce_mask_and_coherent(dev, DMA_BIT_MASK(64));

	if (ret) {
		dev_err(dev, "no 64-bit DMA: %d\n", ret);
		return ret;
	}
	dma_set_max_seg_size(dev, UINT_MAX);
	return 0;
}

static void leave(void *data)
{
	struct busconfig *bus = data;

	if (bus->sim)
		vivid_ext_simbus_leave(bus->sim);
}

/*
 * The owner has nothing mapped. What others were given for it on the bus that
 * it leaves stays there: user space may keep buffers that it has forgotten.
 */
static int apply(struct busconfig *bus,
		 const struct vivid_ext_bus_config *config)
{
	struct vivid_ext_simbus *sim = NULL;
	int ret;

	ret = check(bus->dev, config);
	if (ret)
		return ret;
	if (!is_real(config)) {
		sim = vivid_ext_simbus_join(bus->dev, config);
		if (IS_ERR(sim)) {
			dev_err(bus->dev, "no place on the simulated bus: %ld\n",
				PTR_ERR(sim));
			return PTR_ERR(sim);
		}
	}
	leave(bus);
	bus->sim = sim;
	bus->config = *config;
	return 0;
}

/* With the owner's lock held. */
static int change(struct busconfig *bus,
		  const struct vivid_ext_bus_config *config)
{
	if (bus->owner.busy(bus->owner.data)) {
		dev_notice_ratelimited(bus->dev, "has buffers: the bus can't be changed\n");
		return -EBUSY;
	}
	return apply(bus, config);
}

/* One number of the configuration, wherever it is. */
static int change_one(struct device *dev, size_t offset, size_t size,
		      u32 value)
{
	struct busconfig *bus = busconfig_of(dev);
	struct vivid_ext_bus_config config;
	int ret;

	if (!bus)
		return -ENODEV;
	ret = mutex_lock_interruptible(bus->owner.lock);
	if (ret)
		return ret;
	config = bus->config;
	if (size == sizeof(bool))
		*((bool *)((u8 *)&config + offset)) = value;
	else
		*((unsigned int *)((u8 *)&config + offset)) = value;
	ret = change(bus, &config);
	mutex_unlock(bus->owner.lock);
	return ret;
}

#define BUS_ATTR(name, type, parse)					\
static ssize_t name##_show(struct device *dev,				\
			   struct device_attribute *attr, char *buf)	\
{									\
	struct busconfig *bus = busconfig_of(dev);			\
									\
	return bus ? sysfs_emit(buf, "%u\n", bus->config.name) : -ENODEV; \
}									\
									\
static ssize_t name##_store(struct device *dev,				\
			    struct device_attribute *attr,		\
			    const char *buf, size_t len)		\
{									\
	type value;							\
	int ret = parse;						\
									\
	if (!ret)							\
		ret = change_one(dev,					\
				 offsetof(struct vivid_ext_bus_config, name), \
				 sizeof(type), value);			\
	return ret ?: len;						\
}									\
static DEVICE_ATTR_RW(name)

#define SETTING_BOOL(name, ...) \
	BUS_ATTR(name, bool, kstrtobool(buf, &value));
#define SETTING_UINT(name, ...) \
	BUS_ATTR(name, unsigned int, kstrtouint(buf, 0, &value));
#define SETTING_LIMIT(name, ...) \
	BUS_ATTR(name, unsigned int, kstrtouint(buf, 0, &value));
#include "settings.h"
#undef SETTING_BOOL
#undef SETTING_UINT
#undef SETTING_LIMIT

static struct attribute *bus_attrs[] = {
#define SETTING_BOOL(name, ...) &dev_attr_##name.attr,
#define SETTING_UINT(name, ...) &dev_attr_##name.attr,
#define SETTING_LIMIT(name, ...) &dev_attr_##name.attr,
#include "settings.h"
#undef SETTING_BOOL
#undef SETTING_UINT
#undef SETTING_LIMIT
	NULL
};

static const struct attribute_group bus_group = {
	.name = "bus",
	.attrs = bus_attrs,
};

/**
 * vivid_ext_bus_setup - put a device on a bus
 * @dev: a platform device that is being bound
 * @config: the bus, and the limits of the device
 * @owner: who uses it; copied
 *
 * A coherent bus without an IOMMU, for a device without limits, is the
 * machine's own; anything else is simulated. DMA is asked for with the device
 * that vivid_ext_bus_device() tells. @dev leaves the bus when it is unbound.
 * Process context.
 *
 * Return: 0, -EINVAL for a configuration that can't be, -EIO if the platform
 * can't do such DMA, -ENOMEM.
 */
int vivid_ext_bus_setup(struct device *dev,
			const struct vivid_ext_bus_config *config,
			const struct vivid_ext_bus_owner *owner)
{
	struct busconfig *bus;
	int ret;

	bus = devres_alloc(busconfig_release, sizeof(*bus), GFP_KERNEL);
	if (!bus)
		return -ENOMEM;
	bus->dev = dev;
	bus->owner = *owner;
	devres_add(dev, bus);

	ret = set_real(dev);
	if (ret)
		return ret;
	ret = devm_add_action_or_reset(dev, leave, bus);
	if (ret)
		return ret;
	ret = apply(bus, config);
	if (ret)
		return ret;
	return devm_device_add_group(dev, &bus_group);
}
EXPORT_SYMBOL_GPL(vivid_ext_bus_setup);

/**
 * vivid_ext_bus_change - put a device on another bus
 * @dev: a device after vivid_ext_bus_setup()
 * @config: the bus, and the limits of the device
 *
 * As the files in bus/ do it. Process context; takes the owner's lock.
 *
 * Return: 0, -EBUSY, or an error as of vivid_ext_bus_setup(); then the device
 * is where it was.
 */
int vivid_ext_bus_change(struct device *dev,
			 const struct vivid_ext_bus_config *config)
{
	struct busconfig *bus = busconfig_of(dev);
	int ret;

	if (!bus)
		return -ENODEV;
	mutex_lock(bus->owner.lock);
	ret = change(bus, config);
	mutex_unlock(bus->owner.lock);
	return ret;
}
EXPORT_SYMBOL_GPL(vivid_ext_bus_change);

/**
 * vivid_ext_bus_device - with which device to ask for DMA
 * @dev: a device after vivid_ext_bus_setup(), or without a bus
 *
 * Asked anew whenever the owner may have had nothing mapped: each bus has a
 * device of its own. With the owner's lock held, or while it is busy.
 *
 * Return: the device to map and allocate memory for, and to attach to
 * dma-bufs; @dev itself on the machine's own bus.
 */
struct device *vivid_ext_bus_device(struct device *dev)
{
	struct busconfig *bus = busconfig_of(dev);

	return bus && bus->sim ? vivid_ext_simbus_device(bus->sim) : dev;
}
EXPORT_SYMBOL_GPL(vivid_ext_bus_device);

/**
 * vivid_ext_bus_config - how a device's bus is now
 * @dev: a device after vivid_ext_bus_setup()
 *
 * With the owner's lock held. Return: the configuration, or NULL for a device
 * without a bus.
 */
const struct vivid_ext_bus_config *vivid_ext_bus_config(struct device *dev)
{
	struct busconfig *bus = busconfig_of(dev);

	return bus ? &bus->config : NULL;
}
EXPORT_SYMBOL_GPL(vivid_ext_bus_config);

/**
 * vivid_ext_bus_show - print what a device's bus is, and has counted
 * @dev: the device, or what vivid_ext_bus_device() says of it
 * @m: where to
 *
 * Process context, while the device is bound, with the owner's lock held.
 */
void vivid_ext_bus_show(struct device *dev, struct seq_file *m)
{
	const struct vivid_ext_bus_config *config = vivid_ext_bus_config(dev);
	struct vivid_ext_simbus *sim =
		vivid_ext_simbus_of(vivid_ext_bus_device(dev));

	if (config)
		seq_printf(m, "bus %s\ncoherent %d\niommu %d\ndma_bits %u\nmax_segments %u\nmax_segment_size %u\n",
			   sim ? "simulated" : "real", config->coherent,
			   config->iommu, config->dma_bits,
			   vivid_ext_bus_segments(config),
			   config->max_segment_size);
	if (sim)
		vivid_ext_simbus_show(sim, m);
}
EXPORT_SYMBOL_GPL(vivid_ext_bus_show);
