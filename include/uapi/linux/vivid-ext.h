/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * What vivid-ext and programs agree on: its controls, and the stamp in its
 * frames with all that a reader needs to find it and check a frame against it.
 *
 * The stamp fills the top left 128x16 pixels: four rows of 32 cells, a cell is
 * 4x4 pixels, black for 0 and white for 1, most significant bit first. The
 * rows hold the magic, the sequence number, and the upper and lower half of a
 * checksum: XXH64 with seed 0 over all visible bytes outside the stamp, lines
 * from top to bottom, plane after plane.
 */
#ifndef _UAPI_LINUX_VIVID_EXT_H
#define _UAPI_LINUX_VIVID_EXT_H

#include <linux/types.h>

#define VIVID_EXT_STAMP_MAGIC	0x56455831u	/* "VEX1" */
#define VIVID_EXT_STAMP_CELL	4u		/* pixels, both ways */
#define VIVID_EXT_STAMP_BITS	32u		/* cells in a row */
#define VIVID_EXT_STAMP_ROWS	4u
#define VIVID_EXT_STAMP_WIDTH	(VIVID_EXT_STAMP_CELL * VIVID_EXT_STAMP_BITS)
#define VIVID_EXT_STAMP_HEIGHT	(VIVID_EXT_STAMP_CELL * VIVID_EXT_STAMP_ROWS)
#define VIVID_EXT_STAMP_LEVEL	128u		/* brighter than this is a 1 */

/* The nodes' own controls; they need <linux/v4l2-controls.h>. */
#define VIVID_EXT_CID_BASE		(V4L2_CID_USER_BASE | 0xf000)
#define VIVID_EXT_CID_OSD_TEXT		(VIVID_EXT_CID_BASE + 0)
#define VIVID_EXT_CID_MOVE_HORIZONTAL	(VIVID_EXT_CID_BASE + 1)
#define VIVID_EXT_CID_MOVE_VERTICAL	(VIVID_EXT_CID_BASE + 2)
#define VIVID_EXT_CID_SHOW_BORDER	(VIVID_EXT_CID_BASE + 3)
#define VIVID_EXT_CID_SHOW_SQUARE	(VIVID_EXT_CID_BASE + 4)
#define VIVID_EXT_CID_STAMP		(VIVID_EXT_CID_BASE + 5)
#define VIVID_EXT_CID_LOOP		(VIVID_EXT_CID_BASE + 6)	/* output */

/* Errors that a node makes when asked to: these have numbers of their own. */
#define VIVID_EXT_CID_INJECT			(VIVID_EXT_CID_BASE + 0x40)
#define VIVID_EXT_CID_QUEUE_SETUP_ERROR		(VIVID_EXT_CID_INJECT + 0)
#define VIVID_EXT_CID_BUF_PREPARE_ERROR		(VIVID_EXT_CID_INJECT + 1)
#define VIVID_EXT_CID_START_STREAMING_ERROR	(VIVID_EXT_CID_INJECT + 2)
#define VIVID_EXT_CID_DROPPED_FRAMES		(VIVID_EXT_CID_INJECT + 3)
#define VIVID_EXT_CID_ERROR_FRAMES		(VIVID_EXT_CID_INJECT + 4)
#define VIVID_EXT_CID_DMA_FAULTS		(VIVID_EXT_CID_INJECT + 5)
#define VIVID_EXT_CID_DISCONNECT		(VIVID_EXT_CID_INJECT + 6)
#define VIVID_EXT_CID_WRAP_SEQUENCE		(VIVID_EXT_CID_INJECT + 7)
#define VIVID_EXT_CID_WRAP_TIME			(VIVID_EXT_CID_INJECT + 8)
#define VIVID_EXT_CID_INJECT_LAST		(VIVID_EXT_CID_INJECT + 0x3f)

/* What VIVID_EXT_CID_WRAP_TIME does to the frames' time stamps. */
#define VIVID_EXT_TIME_TRUE	0
#define VIVID_EXT_TIME_32BIT	1	/* seconds exceed 2^31 after one second */
#define VIVID_EXT_TIME_64BIT	2	/* nanoseconds 2^63 */

#define VIVID_EXT_NO_BYTE	0xffu
#define VIVID_EXT_MAX_PLANES	3

#define VIVID_EXT_FOURCC(a, b, c, d) \
	((__u32)(a) | ((__u32)(b) << 8) | ((__u32)(c) << 16) | ((__u32)(d) << 24))

/**
 * struct vivid_ext_layout - where a format keeps its pixels
 * @fourcc: V4L2's or DRM's code; where both use one code they agree on it
 * @planes: planes of pixels, whether in one piece of memory or in several
 * @step: bytes from one pixel of plane 0 to the next
 * @luma: offset of the first luma byte, of the first green byte for RGB
 * @pad: offset of the unused byte of a pixel, or %VIVID_EXT_NO_BYTE
 * @vsub: lines of plane 0 to one line of plane 1
 * @rgb: not 0 for RGB, full range; YUV is limited range
 * @raw_bits: bits of a raw (Bayer) pixel, which is RGB too; 0 for others
 */
struct vivid_ext_layout {
	__u32 fourcc;
	__u8 planes;
	__u8 step;
	__u8 luma;
	__u8 pad;
	__u8 vsub;
	__u8 rgb;
	__u8 raw_bits;
};

/**
 * struct vivid_ext_stamp - what a stamp says
 * @sequence: the frame's number, as in struct v4l2_buffer
 * @checksum: XXH64 of the rest of the frame
 */
struct vivid_ext_stamp {
	__u32 sequence;
	__u64 checksum;
};

/**
 * struct vivid_ext_span - the bytes of one line that the checksum covers
 * @start: offset of the first one in its line
 * @length: how many; they are contiguous
 */
struct vivid_ext_span {
	__u32 start;
	__u32 length;
};

/**
 * vivid_ext_layout_of - look up a format
 * @fourcc: V4L2 or DRM code
 *
 * Return: its layout, or NULL (0) for a format that carries no stamp.
 */
static inline const struct vivid_ext_layout *vivid_ext_layout_of(__u32 fourcc)
{
	static const struct vivid_ext_layout layouts[] = {
		/* code, planes, step, luma, pad, vsub, rgb, raw_bits */
		{ VIVID_EXT_FOURCC('Y', 'U', 'Y', 'V'), 1, 2, 0, 0xff, 1, 0, 0 },
		{ VIVID_EXT_FOURCC('Y', 'V', 'Y', 'U'), 1, 2, 0, 0xff, 1, 0, 0 },
		{ VIVID_EXT_FOURCC('U', 'Y', 'V', 'Y'), 1, 2, 1, 0xff, 1, 0, 0 },
		{ VIVID_EXT_FOURCC('V', 'Y', 'U', 'Y'), 1, 2, 1, 0xff, 1, 0, 0 },
		{ VIVID_EXT_FOURCC('N', 'V', '1', '2'), 2, 1, 0, 0xff, 2, 0, 0 },
		{ VIVID_EXT_FOURCC('N', 'M', '1', '2'), 2, 1, 0, 0xff, 2, 0, 0 },
		{ VIVID_EXT_FOURCC('N', 'V', '1', '6'), 2, 1, 0, 0xff, 1, 0, 0 },
		/* Three bytes: RGB3, BGR3 are V4L2's, RG24, BG24 are DRM's. */
		{ VIVID_EXT_FOURCC('R', 'G', 'B', '3'), 1, 3, 1, 0xff, 1, 1, 0 },
		{ VIVID_EXT_FOURCC('B', 'G', 'R', '3'), 1, 3, 1, 0xff, 1, 1, 0 },
		{ VIVID_EXT_FOURCC('R', 'G', '2', '4'), 1, 3, 1, 0xff, 1, 1, 0 },
		{ VIVID_EXT_FOURCC('B', 'G', '2', '4'), 1, 3, 1, 0xff, 1, 1, 0 },
		/* Four bytes, in memory: B G R x, R G B x, x B G R, x R G B. */
		{ VIVID_EXT_FOURCC('X', 'R', '2', '4'), 1, 4, 1, 3, 1, 1, 0 },
		{ VIVID_EXT_FOURCC('A', 'R', '2', '4'), 1, 4, 1, 3, 1, 1, 0 },
		{ VIVID_EXT_FOURCC('X', 'B', '2', '4'), 1, 4, 1, 3, 1, 1, 0 },
		{ VIVID_EXT_FOURCC('A', 'B', '2', '4'), 1, 4, 1, 3, 1, 1, 0 },
		{ VIVID_EXT_FOURCC('R', 'X', '2', '4'), 1, 4, 2, 0, 1, 1, 0 },
		{ VIVID_EXT_FOURCC('B', 'X', '2', '4'), 1, 4, 2, 0, 1, 1, 0 },
		/* Bayer of 8 bits, and of 10 in two bytes. */
		{ VIVID_EXT_FOURCC('R', 'G', 'G', 'B'), 1, 1, 0, 0xff, 1, 1, 8 },
		{ VIVID_EXT_FOURCC('G', 'R', 'B', 'G'), 1, 1, 0, 0xff, 1, 1, 8 },
		{ VIVID_EXT_FOURCC('G', 'B', 'R', 'G'), 1, 1, 0, 0xff, 1, 1, 8 },
		{ VIVID_EXT_FOURCC('B', 'A', '8', '1'), 1, 1, 0, 0xff, 1, 1, 8 },
		{ VIVID_EXT_FOURCC('R', 'G', '1', '0'), 1, 2, 0, 0xff, 1, 1, 10 },
		{ VIVID_EXT_FOURCC('B', 'A', '1', '0'), 1, 2, 0, 0xff, 1, 1, 10 },
		{ VIVID_EXT_FOURCC('G', 'B', '1', '0'), 1, 2, 0, 0xff, 1, 1, 10 },
		{ VIVID_EXT_FOURCC('B', 'G', '1', '0'), 1, 2, 0, 0xff, 1, 1, 10 },
		{ 0, 0, 0, 0, 0, 0, 0, 0 }
	};
	const struct vivid_ext_layout *layout;

	for (layout = layouts; layout->fourcc; layout++)
		if (layout->fourcc == fourcc)
			return layout;
	return (const struct vivid_ext_layout *)0;
}

/**
 * vivid_ext_line_bytes - visible bytes of a line
 * @layout: the format
 * @plane: 0 for luma or RGB, 1 for interleaved chroma
 * @width: the frame's, in pixels
 *
 * Return: bytes, without the padding up to the stride.
 */
static inline __u32 vivid_ext_line_bytes(const struct vivid_ext_layout *layout,
					 unsigned int plane, __u32 width)
{
	return plane ? width : width * layout->step;
}

/**
 * vivid_ext_plane_lines - lines of a plane
 * @layout: the format
 * @plane: 0 for luma or RGB, 1 for interleaved chroma
 * @height: the frame's, in pixels
 *
 * Return: lines of @plane; the same applied to the stamp's height gives the
 * lines of the plane that the stamp covers.
 */
static inline __u32 vivid_ext_plane_lines(const struct vivid_ext_layout *layout,
					  unsigned int plane, __u32 height)
{
	return plane ? height / layout->vsub : height;
}

/**
 * vivid_ext_covered - the part of a line that goes into the checksum
 * @layout: the format
 * @plane: 0 for luma or RGB, 1 for interleaved chroma
 * @line: the line of that plane
 * @width: the frame's, in pixels, at least the stamp's
 *
 * Return: where the bytes lie in their line.
 */
static inline struct vivid_ext_span
vivid_ext_covered(const struct vivid_ext_layout *layout, unsigned int plane,
		  __u32 line, __u32 width)
{
	struct vivid_ext_span span = { 0, 0 };

	if (line < vivid_ext_plane_lines(layout, plane, VIVID_EXT_STAMP_HEIGHT))
		span.start = vivid_ext_line_bytes(layout, plane,
						  VIVID_EXT_STAMP_WIDTH);
	span.length = vivid_ext_line_bytes(layout, plane, width) - span.start;
	return span;
}

/**
 * vivid_ext_stamp_row - read one row of cells
 * @layout: the format
 * @plane0: first byte of the plane with luma or RGB
 * @stride: its bytes from line to line
 * @row: 0 to %VIVID_EXT_STAMP_ROWS - 1
 *
 * Return: the row's 32 bits, sampled at the centres of the cells.
 */
static inline __u32 vivid_ext_stamp_row(const struct vivid_ext_layout *layout,
					const void *plane0, __u32 stride,
					unsigned int row)
{
	const unsigned int centre = VIVID_EXT_STAMP_CELL / 2;
	const __u8 *p = (const __u8 *)plane0 + layout->luma +
			(row * VIVID_EXT_STAMP_CELL + centre) * stride +
			centre * layout->step;
	__u32 value = 0;
	unsigned int i;

	for (i = 0; i < VIVID_EXT_STAMP_BITS; i++) {
		value = value << 1 | (*p > VIVID_EXT_STAMP_LEVEL);
		p += VIVID_EXT_STAMP_CELL * layout->step;
	}
	return value;
}

/**
 * vivid_ext_stamp_get - read a stamp
 * @layout: the format
 * @plane0: first byte of the plane with luma or RGB; at least 16 lines
 * @stride: its bytes from line to line
 * @stamp: filled in where there is a stamp
 *
 * Return: 1 if there is a stamp, 0 if there is none.
 */
static inline int vivid_ext_stamp_get(const struct vivid_ext_layout *layout,
				      const void *plane0, __u32 stride,
				      struct vivid_ext_stamp *stamp)
{
	if (vivid_ext_stamp_row(layout, plane0, stride, 0) !=
	    VIVID_EXT_STAMP_MAGIC)
		return 0;
	stamp->sequence = vivid_ext_stamp_row(layout, plane0, stride, 1);
	stamp->checksum =
		(__u64)vivid_ext_stamp_row(layout, plane0, stride, 2) << 32 |
		vivid_ext_stamp_row(layout, plane0, stride, 3);
	return 1;
}

#endif
