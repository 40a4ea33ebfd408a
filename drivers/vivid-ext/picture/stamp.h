/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writing and checking the stamp in a frame; linux/vivid-ext.h says what it is.
 */
#ifndef VIVID_EXT_STAMP_H
#define VIVID_EXT_STAMP_H

#include <linux/types.h>

#include "frame.h"

int vivid_ext_stamp_write(const struct vivid_ext_frame *frame, u32 sequence);
int vivid_ext_stamp_read(const struct vivid_ext_frame *frame,
			 struct vivid_ext_stamp *stamp);
u64 vivid_ext_stamp_checksum(const struct vivid_ext_frame *frame);

#endif
