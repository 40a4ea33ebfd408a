/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a device sees of memory: it reaches a buffer's bytes only through a view of
 * it, which is made from DMA addresses alone.
 */
#ifndef VIVID_EXT_BUS_VIEW_H
#define VIVID_EXT_BUS_VIEW_H

#include <linux/dma-direction.h>
#include <linux/types.h>

struct device;
struct seq_file;
struct sg_table;
struct vivid_ext_view;

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
