/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The bus between the devices and memory: they reach a buffer's bytes only
 * through a view of it, which is made from DMA addresses alone.
 */
#ifndef VIVID_EXT_DMABUS_H
#define VIVID_EXT_DMABUS_H

#include <linux/dma-direction.h>
#include <linux/limits.h>
#include <linux/types.h>

struct device;
struct mutex;
struct seq_file;
struct sg_table;
struct vivid_ext_view;

/**
 * struct vivid_ext_bus_config - what a bus, and the device on it, can do
 * @coherent: devices and CPUs see the same bytes at all times
 * @iommu: scattered pages appear at contiguous addresses
 * @dma_bits: address lines of the device, 24 to 64
 * @max_segments: how many the device takes for a buffer
 * @max_segment_size: how long one may be, in bytes
 * @contiguous: the device takes one, whatever @max_segments says
 */
struct vivid_ext_bus_config {
	bool coherent;
	bool iommu;
	unsigned int dma_bits;
	unsigned int max_segments;
	unsigned int max_segment_size;
	bool contiguous;
};

/**
 * vivid_ext_bus_segments - how many segments the device takes for a buffer
 * @config: its bus
 *
 * Return: 1 or more, UINT_MAX for no limit.
 */
static inline unsigned int
vivid_ext_bus_segments(const struct vivid_ext_bus_config *config)
{
	return config->contiguous ? 1 : config->max_segments;
}

/**
 * struct vivid_ext_bus_owner - the driver of a device on a bus
 * @lock: is held while the bus changes
 * @busy: whether it has anything mapped for the device, or may ask for it
 *	before it asks for the device again; called with @lock held
 * @data: for @busy
 */
struct vivid_ext_bus_owner {
	struct mutex *lock; /* see above */
	bool (*busy)(void *data);
	void *data;
};

int vivid_ext_bus_setup(struct device *dev,
			const struct vivid_ext_bus_config *config,
			const struct vivid_ext_bus_owner *owner);
int vivid_ext_bus_change(struct device *dev,
			 const struct vivid_ext_bus_config *config);
struct device *vivid_ext_bus_device(struct device *dev);
const struct vivid_ext_bus_config *vivid_ext_bus_config(struct device *dev);
void vivid_ext_bus_show(struct device *dev, struct seq_file *m);

struct vivid_ext_view *vivid_ext_view_create(struct device *dev,
					     struct sg_table *sgt, size_t size,
					     enum dma_data_direction dir);
struct vivid_ext_view *
vivid_ext_view_create_contig(struct device *dev, dma_addr_t addr, size_t size,
			     enum dma_data_direction dir);
void *vivid_ext_view_addr(struct vivid_ext_view *view);
int vivid_ext_view_begin(struct vivid_ext_view *view,
			 enum dma_data_direction dir);
void vivid_ext_view_end(struct vivid_ext_view *view,
			enum dma_data_direction dir);
int vivid_ext_view_stray(struct vivid_ext_view *view, struct device *dev,
			 enum dma_data_direction dir);
void vivid_ext_view_destroy(struct vivid_ext_view *view);
void vivid_ext_view_show_pages(struct vivid_ext_view *view, struct seq_file *m);

#endif
