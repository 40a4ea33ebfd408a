// SPDX-License-Identifier: GPL-2.0-only
/*
 * The simulated bus: the places that devices have there, how they are found, and
 * what is counted against a device or its driver.
 */
#include <linux/device.h>
#include <linux/dma-map-ops.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "simplace.h"

/* By the device that stands there. */
static DEFINE_XARRAY(buses);

/**
 * vivid_ext_simbus_of - a device's place on the simulated bus
 * @dev: a device
 *
 * Any context. Return: it, or NULL for a device on the real one.
 */
struct vivid_ext_simbus *vivid_ext_simbus_of(struct device *dev)
{
	return xa_load(&buses, (unsigned long)dev);
}
EXPORT_SYMBOL_GPL(vivid_ext_simbus_of);

/**
 * vivid_ext_simbus_add - let a place be found by its device
 * @bus: the place, its device complete
 *
 * Process context. Return: 0 or -ENOMEM.
 */
int vivid_ext_simbus_add(struct vivid_ext_simbus *bus)
{
	return xa_err(xa_store(&buses, (unsigned long)&bus->pdev->dev, bus,
			       GFP_KERNEL));
}

/**
 * vivid_ext_simbus_free - a place on the bus is not needed any more
 * @bus: the place; nothing is mapped there
 *
 * Process context. Who still has the device that stood there can do nothing with
 * it: it has no operations any more, and no address bits.
 */
void vivid_ext_simbus_free(struct vivid_ext_simbus *bus)
{
	struct device *dev = &bus->pdev->dev;

	dev->coherent_dma_mask = 0;
	*dev->dma_mask = 0;
	set_dma_ops(dev, NULL);
	xa_erase(&buses, (unsigned long)dev);
	platform_device_put(bus->pdev);
	put_device(bus->owner);
	kfree_rcu(bus, rcu);
}

/**
 * vivid_ext_simbus_fault - a device did what it may not
 * @bus: its place
 * @addr: where
 * @dir: what it wanted: DMA_TO_DEVICE to read, DMA_FROM_DEVICE to write
 * @why: the rule
 *
 * Counts and logs; the device must leave memory alone. Any context.
 */
void vivid_ext_simbus_fault(struct vivid_ext_simbus *bus, dma_addr_t addr,
			    enum dma_data_direction dir, const char *why)
{
	sim_count(bus, SIM_FAULTS, 1);
	dev_err_ratelimited(bus->owner, "DMA fault: %s at %pad: %s\n",
			    dir == DMA_FROM_DEVICE ? "write" : "read", &addr,
			    why);
}

/**
 * vivid_ext_sim_violation - a driver did what the DMA API doesn't allow
 * @bus: its device's place
 * @fmt: the rule and the numbers
 *
 * Counts and logs. Any context.
 */
void vivid_ext_sim_violation(struct vivid_ext_simbus *bus, const char *fmt, ...)
{
	struct va_format vaf = { .fmt = fmt };
	va_list args;

	sim_count(bus, SIM_VIOLATIONS, 1);
	va_start(args, fmt);
	vaf.va = &args;
	dev_err_ratelimited(bus->owner, "DMA API violation: %pV\n", &vaf);
	va_end(args);
}
