/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Addresses on the simulated bus: which a device may use, and what lies there.
 */
#ifndef VIVID_EXT_SIMRANGE_H
#define VIVID_EXT_SIMRANGE_H

#include <linux/dma-direction.h>
#include <linux/rbtree.h>
#include <linux/types.h>

struct page;

/**
 * struct sim_page - a page that is mapped for a device
 * @cpu: what the CPU finds there
 * @device: what the device does
 */
struct sim_page {
	struct page *cpu;
	struct page *device;
};

/* What addresses were given for, and so what they are given back by. */
enum sim_kind {
	SIM_SINGLE,
	SIM_SG,
	SIM_ALLOC,
};

/**
 * struct sim_range - addresses that a device may use
 * @node: in the device's ranges
 * @first: number of the first page, as the device addresses it
 * @id: never used again
 * @start: first byte, as the device addresses it
 * @len: in bytes
 * @dir: what for
 * @kind: by which function
 * @nents: of SIM_SG, entries that dma_map_sg() was given
 * @table: of SIM_SG, the id of the first segment
 * @segment: of SIM_SG, which one of those that were made of the entries
 * @segments: of the first one, how many those are
 * @cookie: of SIM_ALLOC, what the driver knows it by
 * @syncs: how many carry bytes just now
 * @num_pages: in @pages
 * @pages: what lies there, for the CPU and for the device
 */
struct sim_range {
	struct rb_node node;
	unsigned long first;
	u64 id;
	dma_addr_t start;
	size_t len;
	enum dma_data_direction dir;
	enum sim_kind kind;
	unsigned int nents;
	u64 table;
	unsigned int segment;
	unsigned int segments;
	void *cookie;
	unsigned int syncs;
	unsigned int num_pages;
	struct sim_page pages[];
};

/**
 * struct sim_ranges - all ranges of a device; empty if zeroed
 * @root: struct sim_range by number of the page on the bus; not a maple tree,
 *	which allocates, even to erase, and whose 6.1 finds wrong gaps
 * @next: page that a range may begin at
 * @last_id: of a range
 */
struct sim_ranges {
	struct rb_root root;
	unsigned long next;
	u64 last_id;
};

struct sim_range *vivid_ext_ranges_find(const struct sim_ranges *ranges,
					dma_addr_t addr);
int vivid_ext_ranges_add(struct sim_ranges *ranges, struct sim_range *range,
			 size_t offset, u64 mask, unsigned long boundary);

#endif
