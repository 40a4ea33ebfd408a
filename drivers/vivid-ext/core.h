/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a virtual camera is made of.
 */
#ifndef VIVID_EXT_CORE_H
#define VIVID_EXT_CORE_H

#include <linux/types.h>
#include <media/v4l2-device.h>

#include "capture.h"
#include "dmabus.h"

#define VIVID_EXT_NAME	"vivid-ext"

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
 * @allocator: who makes its buffers
 * @multiplanar: the node speaks the multi-planar API
 * @dma: the device writes frames by DMA, otherwise the CPU draws them
 * @fallback: the CPU writes where the device can't
 * @hardirq: frames are completed in hard interrupt context
 * @policy: how user mappings are kept coherent
 * @bus: what the device is on
 *
 * The platform data of the device; constant while it is bound.
 */
struct vivid_ext_config {
	enum vivid_ext_allocator allocator;
	bool multiplanar;
	bool dma;
	bool fallback;
	bool hardirq;
	enum vivid_ext_policy policy;
	struct vivid_ext_bus_config bus;
};

/**
 * struct vivid_ext_dev - one virtual camera
 * @dev: its platform device; not valid after unbinding
 * @config: what was asked for
 * @v4l2_dev: holds the reference that keeps this structure
 * @debugfs: its directory
 * @capture: the video node
 */
struct vivid_ext_dev {
	struct device *dev;
	struct vivid_ext_config config;
	struct v4l2_device v4l2_dev;
	struct dentry *debugfs;
	struct vivid_ext_capture capture;
};

const char *vivid_ext_allocator_name(enum vivid_ext_allocator allocator);

#endif
