/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a virtual camera is made of.
 */
#ifndef VIVID_EXT_CORE_H
#define VIVID_EXT_CORE_H

#include <linux/types.h>
#include <media/v4l2-device.h>

#include "capture.h"

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
 * struct vivid_ext_config - what kind of camera is asked for
 * @allocator: who makes its buffers
 * @multiplanar: the node speaks the multi-planar API
 * @dma: the device writes frames by DMA, otherwise the CPU draws them
 *
 * The platform data of the device; constant while it is bound.
 */
struct vivid_ext_config {
	enum vivid_ext_allocator allocator;
	bool multiplanar;
	bool dma;
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
