/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Dma-bufs that others make: udmabuf, the system heap, DRM's dumb buffers.
 */
#ifndef TESTS_EXPORTER_H
#define TESTS_EXPORTER_H

#include <stddef.h>

#include "node.h"

/* A file descriptor, or a negative errno: -ENOENT if the kernel has none. */
int udmabuf(size_t size);
int system_heap_buffer(size_t size);
int system_heap_buffer_of_mode(size_t size, unsigned int mode);
int vgem_buffer(size_t size);
int read_only_vgem_buffer(size_t size);
int vkms_buffer(size_t size);

/* A stock vivid node for single- or multi-planar capture; -ENOENT for none. */
int open_stock_vivid(struct node *n, bool mplane);

#endif
