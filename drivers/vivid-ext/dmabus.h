/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The bus between the devices and memory: they reach a buffer's bytes only
 * through a view of it, which is made from DMA addresses alone.
 */
#ifndef VIVID_EXT_DMABUS_H
#define VIVID_EXT_DMABUS_H

#include <linux/dma-direction.h>
#include <linux/types.h>

struct device;
struct seq_file;
struct sg_table;
struct vivid_ext_view;

int vivid_ext_bus_setup(struct device *dev);

struct vivid_ext_view *vivid_ext_view_create(struct device *dev,
					     struct sg_table *sgt, size_t size,
					     enum dma_data_direction dir);
struct vivid_ext_view *
vivid_ext_view_create_contig(struct device *dev, dma_addr_t addr, size_t size,
			     enum dma_data_direction dir);
void *vivid_ext_view_addr(struct vivid_ext_view *view);
void vivid_ext_view_destroy(struct vivid_ext_view *view);
void vivid_ext_view_show_pages(struct vivid_ext_view *view, struct seq_file *m);

#endif
