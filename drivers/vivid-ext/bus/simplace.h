/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The simulated bus: a device's place there.
 */
#ifndef VIVID_EXT_SIMPLACE_H
#define VIVID_EXT_SIMPLACE_H

#include <linux/atomic.h>
#include <linux/dma-direction.h>
#include <linux/mm.h>
#include <linux/platform_device.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "bus.h"
#include "simrange.h"

enum sim_stat {
	SIM_MAPS,
	SIM_UNMAPS,
	SIM_SYNCS_FOR_CPU,
	SIM_SYNCS_FOR_DEVICE,
	SIM_BYTES_TO_CPU,
	SIM_BYTES_TO_DEVICE,
	SIM_FAULTS,
	SIM_WRONG_SYNCS,
	SIM_VIOLATIONS,
	SIM_LEFT,
	SIM_REFUSALS,
	SIM_STATS
};

/**
 * struct vivid_ext_simbus - a device's place on the simulated bus
 * @rcu: who looks for the name of one that has written may be late
 * @owner: the device whose place it is; messages name it
 * @pdev: what stands for the device here: memory is mapped and allocated for
 *	it, and by its operations given back
 * @config: what the bus and the device can do; never changes
 * @memory_mask: the bits of all memory's addresses
 * @lock: for what follows, but not @stats; taken in hard interrupt context
 * @ranges: the addresses that it may use
 * @synced: who takes a range away waits here until nobody carries its bytes
 * @given: ranges that it has, in @ranges or about to be freed
 * @left: the owner has left; the place goes with its last range
 * @stats: see &enum sim_stat
 */
struct vivid_ext_simbus {
	struct rcu_head rcu;
	struct device *owner;
	struct platform_device *pdev;
	struct vivid_ext_bus_config config;
	u64 memory_mask;
	spinlock_t lock; /* see above */
	struct sim_ranges ranges;
	wait_queue_head_t synced;
	unsigned int given;
	bool left;
	atomic64_t stats[SIM_STATS];
};

static inline void sim_count(struct vivid_ext_simbus *bus, enum sim_stat stat,
			     s64 n)
{
	atomic64_add(n, &bus->stats[stat]);
}

/*
 * Who made the CPU's bytes of a page stale: the device that has written to the
 * page that stands for memory since the last sync, by its key in buses.
 */
static inline void sim_set_writer(const struct sim_page *page,
				  const struct device *dev)
{
	if (page->device != page->cpu)
		set_page_private(page->device, (unsigned long)dev);
}

/* By name, as the device sees it. */
static inline const char *vivid_ext_sim_direction(enum dma_data_direction dir)
{
	return dir == DMA_TO_DEVICE ? "read" :
	       dir == DMA_FROM_DEVICE ? "write" : "both";
}

struct vivid_ext_simbus *vivid_ext_simbus_of(struct device *dev);
int vivid_ext_simbus_add(struct vivid_ext_simbus *bus);
void vivid_ext_simbus_free(struct vivid_ext_simbus *bus);
void vivid_ext_simbus_fault(struct vivid_ext_simbus *bus, dma_addr_t addr,
			    enum dma_data_direction dir, const char *why);
__printf(2, 3)
void vivid_ext_sim_violation(struct vivid_ext_simbus *bus, const char *fmt,
			     ...);

#endif
