// SPDX-License-Identifier: GPL-2.0-only
/*
 * What KUnit suites need of the simulated bus: devices on it, and its counts.
 */
#include <kunit/device.h>
#include <kunit/test.h>
#include <linux/device.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>
#include <linux/string.h>

#include "dmabus.h"
#include "kunit.h"

static DEFINE_MUTEX(bus_lock);

static bool never_busy(void *data)
{
	return false;
}

/**
 * vivid_ext_kunit_add_owner - a device that has a bus, for the time of a test
 * @test: the test
 * @name: unique in it
 * @config: what its bus is like
 *
 * Process context. Return: the device; the test ends if there is none.
 */
struct device *
vivid_ext_kunit_add_owner(struct kunit *test, const char *name,
			  const struct vivid_ext_bus_config *config)
{
	struct vivid_ext_bus_owner owner = { &bus_lock, never_busy, NULL };
	struct device *dev = kunit_device_register(test, name);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	dev->dma_parms = kunit_kzalloc(test, sizeof(*dev->dma_parms),
				       GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, dev->dma_parms);
	KUNIT_ASSERT_EQ(test, vivid_ext_bus_setup(dev, config, &owner), 0);
	return dev;
}
EXPORT_SYMBOL_GPL(vivid_ext_kunit_add_owner);

/**
 * vivid_ext_kunit_add_device - a device for the time of a test
 * @test: the test
 * @name: unique in it
 * @config: what its bus is like
 *
 * Process context. Return: the device to ask for DMA, see
 * vivid_ext_bus_device(); the test ends if there is none.
 */
struct device *
vivid_ext_kunit_add_device(struct kunit *test, const char *name,
			   const struct vivid_ext_bus_config *config)
{
	return vivid_ext_bus_device(vivid_ext_kunit_add_owner(test, name,
							      config));
}
EXPORT_SYMBOL_GPL(vivid_ext_kunit_add_device);

/**
 * vivid_ext_kunit_count - what a device's bus has counted
 * @test: the test
 * @dev: the device
 * @name: of the count
 *
 * Process context. Return: the count; the test ends if there is none.
 */
long long vivid_ext_kunit_count(struct kunit *test, struct device *dev,
				const char *name)
{
	struct seq_file m = { .size = 4096 };
	long long n = -1;
	int found;
	char *at;

	m.buf = kunit_kzalloc(test, m.size + 1, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, m.buf);
	vivid_ext_bus_show(dev, &m);
	at = strstr(m.buf, name);
	KUNIT_ASSERT_NOT_NULL_MSG(test, at, "no count of %s", name);
	found = sscanf(at + strlen(name), "%lld", &n);
	KUNIT_ASSERT_EQ(test, found, 1);
	return n;
}
EXPORT_SYMBOL_GPL(vivid_ext_kunit_count);
