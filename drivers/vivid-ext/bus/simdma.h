/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the simulated bus share: a device's place there.
 */
#ifndef VIVID_EXT_SIMDMA_H
#define VIVID_EXT_SIMDMA_H

#include <linux/atomic.h>
#include <linux/dma-map-ops.h>
#include <linux/mm.h>
#include <linux/platform_device.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "dmabus.h"
#include "simbus.h"
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

extern const struct dma_map_ops vivid_ext_sim_coherent_ops;
extern const struct dma_map_ops vivid_ext_sim_noncoherent_ops;

/* By name, as the device sees it. */
static inline const char *vivid_ext_sim_direction(enum dma_data_direction dir)
{
	return dir == DMA_TO_DEVICE ? "read" :
	       dir == DMA_FROM_DEVICE ? "write" : "both";
}

struct scatterlist;
struct sg_table;

void vivid_ext_simbus_free(struct vivid_ext_simbus *bus);

void vivid_ext_sim_range_free(struct vivid_ext_simbus *bus,
			      struct sim_range *range);
int vivid_ext_sim_range_add_pages(struct vivid_ext_simbus *bus,
				  struct sim_range *range, phys_addr_t phys,
				  size_t len, bool uncached);
int vivid_ext_sim_range_insert(struct vivid_ext_simbus *bus,
			       struct sim_range *range, size_t offset);
struct sim_range *vivid_ext_sim_range_take(struct vivid_ext_simbus *bus,
					   dma_addr_t addr,
					   enum dma_data_direction dir,
					   bool alloc);
bool vivid_ext_sim_range_put(struct vivid_ext_simbus *bus,
			     struct sim_range *range);

void *vivid_ext_sim_alloc(struct device *dev, size_t size, dma_addr_t *addr,
			  gfp_t gfp, unsigned long attrs);
void vivid_ext_sim_free(struct device *dev, size_t size, void *cookie,
			dma_addr_t addr, unsigned long attrs);
int vivid_ext_sim_mmap(struct device *dev, struct vm_area_struct *vma,
		       void *cookie, dma_addr_t addr, size_t size,
		       unsigned long attrs);
int vivid_ext_sim_get_sgtable(struct device *dev, struct sg_table *sgt,
			      void *cookie, dma_addr_t addr, size_t size,
			      unsigned long attrs);

__printf(2, 3)
void vivid_ext_sim_violation(struct vivid_ext_simbus *bus, const char *fmt,
			     ...);
struct sim_range *vivid_ext_sim_begin(struct vivid_ext_simbus *bus,
				      dma_addr_t addr);
void vivid_ext_sim_end(struct vivid_ext_simbus *bus, struct sim_range *range);
void vivid_ext_sim_wait(struct vivid_ext_simbus *bus, struct sim_range *range);
void vivid_ext_sim_carry(struct vivid_ext_simbus *bus, struct sim_range *range,
			 dma_addr_t addr, size_t len,
			 enum dma_data_direction dir, bool to_cpu);
void vivid_ext_sim_check_sg(struct vivid_ext_simbus *bus,
			    const struct sim_range *range,
			    struct scatterlist *sgl, int nents,
			    const char *what);
void vivid_ext_sim_carry_sg(struct vivid_ext_simbus *bus,
			    struct scatterlist *sgl, int nents,
			    enum dma_data_direction dir, bool to_cpu);
void vivid_ext_sim_sync_for_cpu(struct device *dev, dma_addr_t addr,
				size_t len, enum dma_data_direction dir);
void vivid_ext_sim_sync_for_device(struct device *dev, dma_addr_t addr,
				   size_t len, enum dma_data_direction dir);
void vivid_ext_sim_sync_sg_for_cpu(struct device *dev, struct scatterlist *sgl,
				   int nents, enum dma_data_direction dir);
void vivid_ext_sim_sync_sg_for_device(struct device *dev,
				      struct scatterlist *sgl, int nents,
				      enum dma_data_direction dir);

#endif
