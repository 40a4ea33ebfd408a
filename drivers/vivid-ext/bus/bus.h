/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a bus can do, and the device on it.
 */
#ifndef VIVID_EXT_BUS_H
#define VIVID_EXT_BUS_H

#include <linux/limits.h>
#include <linux/types.h>

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

#endif
