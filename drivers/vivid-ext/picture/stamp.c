// SPDX-License-Identifier: GPL-2.0-only
/*
 * The stamp in a frame: sequence number and checksum, drawn into the pixels,
 * so that whoever holds the picture can tell which one it is and that it is
 * whole. Works on memory that the kernel can address; knows no device.
 */
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/xxhash.h>

#include "stamp.h"

#define STAMP_MAX_LINE	(VIVID_EXT_STAMP_WIDTH * 4)
#define YUV_BLACK	16
#define YUV_WHITE	235
#define YUV_GREY	128

/* The frame's layout, or NULL if its numbers can't be those of a frame. */
static const struct vivid_ext_layout *
frame_layout(const struct vivid_ext_frame *frame)
{
	const struct vivid_ext_layout *layout;
	unsigned int p;

	layout = vivid_ext_layout_of(frame->fourcc);
	if (!layout || frame->num_planes != layout->planes ||
	    frame->width < VIVID_EXT_STAMP_WIDTH ||
	    frame->height < VIVID_EXT_STAMP_HEIGHT)
		return NULL;
	for (p = 0; p < layout->planes; p++)
		if (frame->stride[p] <
		    vivid_ext_line_bytes(layout, p, frame->width))
			return NULL;
	return layout;
}

static void checksum_plane(const struct vivid_ext_frame *frame,
			   const struct vivid_ext_layout *layout,
			   unsigned int p, struct xxh64_state *state)
{
	u32 lines = vivid_ext_plane_lines(layout, p, frame->height);
	const u8 *line = frame->plane[p];
	u32 y;

	for (y = 0; y < lines; y++, line += frame->stride[p]) {
		struct vivid_ext_span span =
			vivid_ext_covered(layout, p, y, frame->width);

		xxh64_update(state, line + span.start, span.length);
	}
}

/**
 * vivid_ext_stamp_checksum - checksum of a frame, without its stamp
 * @frame: the picture; its memory must be readable
 *
 * Reads every visible byte, so it costs about as much as drawing them. Any
 * context, no locks.
 *
 * Return: the XXH64 that linux/vivid-ext.h defines, 0 for a frame whose format
 * carries no stamp.
 */
u64 vivid_ext_stamp_checksum(const struct vivid_ext_frame *frame)
{
	const struct vivid_ext_layout *layout = frame_layout(frame);
	struct xxh64_state state;
	unsigned int p;

	if (!layout)
		return 0;
	xxh64_reset(&state, 0);
	for (p = 0; p < layout->planes; p++)
		checksum_plane(frame, layout, p, &state);
	return xxh64_digest(&state);
}
EXPORT_SYMBOL_GPL(vivid_ext_stamp_checksum);

/* One pixel of plane 0, black or white. */
static void stamp_pixel(const struct vivid_ext_layout *layout, bool white,
			u8 *pixel)
{
	if (layout->rgb) {
		memset(pixel, white ? 0xff : 0, layout->step);
		if (layout->pad != VIVID_EXT_NO_BYTE)
			pixel[layout->pad] = 0xff;
		/* A pixel of ten bits has six that are always 0. */
		if (layout->raw_bits > 8)
			pixel[1] &= (1 << (layout->raw_bits - 8)) - 1;
	} else {
		memset(pixel, YUV_GREY, layout->step);
		pixel[layout->luma] = white ? YUV_WHITE : YUV_BLACK;
	}
}

static void stamp_row(const struct vivid_ext_frame *frame,
		      const struct vivid_ext_layout *layout,
		      unsigned int row, u32 value)
{
	u8 *dst = frame->plane[0] +
		  row * VIVID_EXT_STAMP_CELL * frame->stride[0];
	u8 line[STAMP_MAX_LINE], *pixel = line;
	unsigned int x, y;

	for (x = 0; x < VIVID_EXT_STAMP_WIDTH; x++, pixel += layout->step) {
		unsigned int bit = VIVID_EXT_STAMP_BITS - 1 -
				   x / VIVID_EXT_STAMP_CELL;

		stamp_pixel(layout, value & BIT(bit), pixel);
	}
	for (y = 0; y < VIVID_EXT_STAMP_CELL; y++, dst += frame->stride[0])
		memcpy(dst, line, pixel - line);
}

static void stamp_chroma(const struct vivid_ext_frame *frame,
			 const struct vivid_ext_layout *layout, unsigned int p)
{
	u32 lines = vivid_ext_plane_lines(layout, p, VIVID_EXT_STAMP_HEIGHT);
	u32 bytes = vivid_ext_line_bytes(layout, p, VIVID_EXT_STAMP_WIDTH);
	u8 *dst = frame->plane[p];
	u32 y;

	for (y = 0; y < lines; y++, dst += frame->stride[p])
		memset(dst, YUV_GREY, bytes);
}

/**
 * vivid_ext_stamp_write - stamp a finished frame
 * @frame: the picture; its memory must be writable
 * @sequence: its number
 *
 * Computes the checksum first, so whatever is drawn afterwards outside the
 * stamp breaks it. Any context, no locks.
 *
 * Return: 0, or -EINVAL if the format carries no stamp or the frame is too
 * small for one.
 */
int vivid_ext_stamp_write(const struct vivid_ext_frame *frame, u32 sequence)
{
	const struct vivid_ext_layout *layout = frame_layout(frame);
	unsigned int p;
	u64 checksum;

	if (!layout)
		return -EINVAL;
	checksum = vivid_ext_stamp_checksum(frame);
	stamp_row(frame, layout, 0, VIVID_EXT_STAMP_MAGIC);
	stamp_row(frame, layout, 1, sequence);
	stamp_row(frame, layout, 2, upper_32_bits(checksum));
	stamp_row(frame, layout, 3, lower_32_bits(checksum));
	for (p = 1; p < layout->planes; p++)
		stamp_chroma(frame, layout, p);
	return 0;
}
EXPORT_SYMBOL_GPL(vivid_ext_stamp_write);

/**
 * vivid_ext_stamp_read - read a frame's stamp
 * @frame: the picture; its memory must be readable
 * @stamp: filled in on success
 *
 * Does not check the frame against it: compare @stamp->checksum with
 * vivid_ext_stamp_checksum(). Any context, no locks.
 *
 * Return: 0, -EINVAL if the format carries no stamp or the frame is too small
 * for one, -ENODATA if there is none in it.
 */
int vivid_ext_stamp_read(const struct vivid_ext_frame *frame,
			 struct vivid_ext_stamp *stamp)
{
	const struct vivid_ext_layout *layout = frame_layout(frame);

	if (!layout)
		return -EINVAL;
	if (!vivid_ext_stamp_get(layout, frame->plane[0], frame->stride[0],
				 stamp))
		return -ENODATA;
	return 0;
}
EXPORT_SYMBOL_GPL(vivid_ext_stamp_read);
