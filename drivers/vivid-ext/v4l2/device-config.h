/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is asked for of a V4L2 device: a camera, and the converter with it.
 */
#ifndef VIVID_EXT_DEVICE_CONFIG_H
#define VIVID_EXT_DEVICE_CONFIG_H

#include <linux/types.h>

#include "bus/config.h"

/**
 * enum vivid_ext_allocator - who makes the buffers
 * @VIVID_EXT_DMABUF: videobuf2-dmabuf
 * @VIVID_EXT_VMALLOC: videobuf2-vmalloc
 * @VIVID_EXT_DMA_SG: videobuf2-dma-sg
 * @VIVID_EXT_DMA_CONTIG: videobuf2-dma-contig
 */
enum vivid_ext_allocator {
	VIVID_EXT_DMABUF,
	VIVID_EXT_VMALLOC,
	VIVID_EXT_DMA_SG,
	VIVID_EXT_DMA_CONTIG,
};

/**
 * enum vivid_ext_policy - how videobuf2-dmabuf keeps user mappings coherent
 * @VIVID_EXT_AUTO: as the device needs it
 * @VIVID_EXT_SHOOTDOWN: by shoot-down in any case
 * @VIVID_EXT_EXPLICIT: the application does, with DMA_BUF_IOCTL_SYNC
 * @VIVID_EXT_WRITECOMBINE: by not caching
 */
enum vivid_ext_policy {
	VIVID_EXT_AUTO,
	VIVID_EXT_SHOOTDOWN,
	VIVID_EXT_EXPLICIT,
	VIVID_EXT_WRITECOMBINE,
};

/**
 * struct vivid_ext_config - what kind of camera is asked for
 * @allocator: who makes its buffers, &enum vivid_ext_allocator
 * @multiplanar: the node speaks the multi-planar API
 * @output: there is an output node too
 * @loop: the capture node shows what the output node shows, to begin with
 * @m2m: there is a converter too, if the module vivid-ext-m2m is there
 * @dma: the device writes frames by DMA, otherwise the CPU draws them
 * @fallback: the CPU writes where the device can't
 * @hardirq: frames are completed in hard interrupt context
 * @mc: there is a media controller, with a sensor of its own
 * @policy: how user mappings are kept coherent, &enum vivid_ext_policy
 * @bus: what the device is on
 *
 * The platform data of the device; constant while it is bound. Each member has
 * a line in settings.h, and is a bool or an unsigned int.
 */
struct vivid_ext_config {
	unsigned int allocator;
	bool multiplanar;
	bool output;
	bool loop;
	bool m2m;
	bool dma;
	bool fallback;
	bool hardirq;
	bool mc;
	unsigned int policy;
	struct vivid_ext_bus_config bus;
};

#endif
