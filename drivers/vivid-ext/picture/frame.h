/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A picture in memory that the kernel can address.
 */
#ifndef VIVID_EXT_FRAME_H
#define VIVID_EXT_FRAME_H

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

size_t vivid_ext_frame_bytes(const struct vivid_ext_frame *frame);
void vivid_ext_frame_place(struct vivid_ext_frame *frame,
			   const struct vivid_ext_frame *like, void *mem);
void vivid_ext_frame_copy(const struct vivid_ext_frame *to,
			  const struct vivid_ext_frame *from);

#endif
