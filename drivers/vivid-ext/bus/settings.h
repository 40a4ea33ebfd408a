/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What can be asked of a bus and of the device on it, a line for each. Without
 * a guard, since it is included for each thing that is made of the list:
 *
 *   SETTING_BOOL(member of struct vivid_ext_bus_config, default, help)
 *   SETTING_UINT(member, smallest, largest, default, help)
 *   SETTING_LIMIT(member, smallest, help); by default there is none
 */
SETTING_BOOL(coherent, 1, "device and CPU always see the same bytes")
SETTING_BOOL(iommu, 0, "the device sees scattered pages as contiguous")
SETTING_UINT(dma_bits, 24, 64, 64, "address lines")
SETTING_LIMIT(max_segments, 1, "pieces of memory the device takes for a plane")
SETTING_LIMIT(max_segment_size, PAGE_SIZE, "length of such a piece in bytes")
SETTING_BOOL(contiguous, 0, "the same as max_segments=1")
