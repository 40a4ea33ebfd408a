/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The simulated bus: memory that is not coherent, an IOMMU and the limits of a
 * device's DMA, without the hardware.
 */
#ifndef VIVID_EXT_SIMBUS_H
#define VIVID_EXT_SIMBUS_H

#include <linux/dma-direction.h>
#include <linux/types.h>

struct device;
struct page;
struct seq_file;
struct vivid_ext_bus_config;
struct vivid_ext_simbus;

/**
 * struct vivid_ext_bus_window - bytes that a device may reach at an address
 * @page: what it finds there: memory as the device sees it
 * @pfn: what the CPU finds there
 * @dir: the direction of the mapping
 * @id: of the mapping; never used again
 */
struct vivid_ext_bus_window {
	struct page *page;
	unsigned long pfn;
	enum dma_data_direction dir;
	u64 id;
};

struct vivid_ext_simbus *
vivid_ext_simbus_join(struct device *owner,
		      const struct vivid_ext_bus_config *config);
struct device *vivid_ext_simbus_device(struct vivid_ext_simbus *bus);
void vivid_ext_simbus_leave(struct vivid_ext_simbus *bus);
bool vivid_ext_simbus_find(struct vivid_ext_simbus *bus, dma_addr_t addr,
			   struct vivid_ext_bus_window *window);
void vivid_ext_simbus_put(struct vivid_ext_simbus *bus, struct page *page);
void vivid_ext_simbus_written(struct vivid_ext_simbus *bus, dma_addr_t addr);
void vivid_ext_simbus_show(struct vivid_ext_simbus *bus, struct seq_file *m);

#endif
