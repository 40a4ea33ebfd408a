/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From one picture in memory to another: format, size, mirrored or not.
 */
#ifndef VIVID_EXT_CONVERT_H
#define VIVID_EXT_CONVERT_H

#include <linux/types.h>

struct vivid_ext_frame;

/**
 * struct vivid_ext_colours - how YUV is meant
 * @bt601: the matrix is Rec. 601's, otherwise Rec. 709's
 * @full: all 256 values are used, otherwise 16 to 235 or 240
 */
struct vivid_ext_colours {
	bool bt601;
	bool full;
};

/**
 * struct vivid_ext_conversion - what is done to a picture
 * @colours: of YUV, read or written; RGB is full range
 * @hflip: left becomes right
 * @vflip: top becomes bottom
 */
struct vivid_ext_conversion {
	struct vivid_ext_colours colours;
	bool hflip;
	bool vflip;
};

int vivid_ext_convert(const struct vivid_ext_frame *to,
		      const struct vivid_ext_frame *from,
		      const struct vivid_ext_conversion *how);

#endif
