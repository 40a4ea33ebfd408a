/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pixel formats: what there is, and how a frame lies in a buffer.
 */
#ifndef VIVID_EXT_FORMAT_H
#define VIVID_EXT_FORMAT_H

#include <linux/types.h>
#include <linux/vivid-ext.h>

#define VIVID_EXT_MIN_WIDTH	160
#define VIVID_EXT_MIN_HEIGHT	90
#define VIVID_EXT_MAX_WIDTH	7680
#define VIVID_EXT_MAX_HEIGHT	4320
#define VIVID_EXT_SIZE_STEP	2
#define VIVID_EXT_MAX_MEM	2	/* pieces of memory in one buffer */

struct device;
struct v4l2_format;
struct v4l2_frmsizeenum;
struct vb2_buffer;
struct vivid_ext_frame;

/**
 * struct vivid_ext_format - how a frame lies in a buffer
 * @layout: where a pixel's bytes are
 * @width: in pixels, even
 * @height: in pixels, even
 * @num_mem: pieces of memory: 1, or as many as the layout has planes
 * @stride: bytes from line to line of each piece
 * @size: bytes of each piece
 */
struct vivid_ext_format {
	const struct vivid_ext_layout *layout;
	u32 width;
	u32 height;
	unsigned int num_mem;
	u32 stride[VIVID_EXT_MAX_MEM];
	u32 size[VIVID_EXT_MAX_MEM];
};

u32 vivid_ext_format_enum(unsigned int index, bool multiplanar);
bool vivid_ext_format_known(u32 fourcc, bool multiplanar);
int vivid_ext_format_sizes(struct v4l2_frmsizeenum *e, bool multiplanar);
void vivid_ext_format_default(struct vivid_ext_format *fmt);
void vivid_ext_format_try(struct vivid_ext_format *fmt,
			  const struct v4l2_format *f);
void vivid_ext_format_fill(const struct vivid_ext_format *fmt,
			   struct v4l2_format *f);
void vivid_ext_format_frame(const struct vivid_ext_format *fmt,
			    void *const mem[VIVID_EXT_MAX_MEM],
			    struct vivid_ext_frame *frame);
u32 vivid_ext_format_colorspace(const struct vivid_ext_format *fmt);
int vivid_ext_format_setup(const struct vivid_ext_format *fmt,
			   struct device *dev, unsigned int *num_planes,
			   unsigned int sizes[]);
int vivid_ext_format_check(const struct vivid_ext_format *fmt,
			   struct device *dev, struct vb2_buffer *vb);

#endif
