/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writing and checking the stamp in a frame; linux/vivid-ext.h says what it is.
 */
#ifndef VIVID_EXT_STAMP_H
#define VIVID_EXT_STAMP_H

#include <linux/types.h>
#include <linux/vivid-ext.h>

/**
 * struct vivid_ext_frame - a picture in memory that the kernel can address
 * @fourcc: V4L2 or DRM code, see vivid_ext_layout_of()
 * @width: in pixels
 * @height: in pixels
 * @num_planes: planes of pixels; @plane and @stride are valid below it
 * @plane: first byte of each plane
 * @stride: bytes from line to line of each plane
 */
struct vivid_ext_frame {
	u32 fourcc;
	u32 width;
	u32 height;
	unsigned int num_planes;
	void *plane[VIVID_EXT_MAX_PLANES];
	u32 stride[VIVID_EXT_MAX_PLANES];
};

int vivid_ext_stamp_write(const struct vivid_ext_frame *frame, u32 sequence);
int vivid_ext_stamp_read(const struct vivid_ext_frame *frame,
			 struct vivid_ext_stamp *stamp);
u64 vivid_ext_stamp_checksum(const struct vivid_ext_frame *frame);

#endif
