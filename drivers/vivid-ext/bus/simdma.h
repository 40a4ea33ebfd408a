/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The simulated bus: its DMA operations, and what they share.
 */
#ifndef VIVID_EXT_SIMDMA_H
#define VIVID_EXT_SIMDMA_H

#include <linux/dma-map-ops.h>
#include <linux/types.h>

#include "simplace.h"

extern const struct dma_map_ops vivid_ext_sim_coherent_ops;
extern const struct dma_map_ops vivid_ext_sim_noncoherent_ops;

struct scatterlist;
struct sg_table;

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
