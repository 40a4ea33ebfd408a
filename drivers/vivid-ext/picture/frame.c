// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pictures in memory: how long they are, and copies of them.
 */
#include <linux/export.h>
#include <linux/math64.h>
#include <linux/string.h>

#include "frame.h"

/**
 * vivid_ext_frame_bytes - visible bytes of a picture
 * @frame: the picture
 *
 * Any context. Return: bytes, without padding; 0 for a format without layout.
 */
size_t vivid_ext_frame_bytes(const struct vivid_ext_frame *frame)
{
	const struct vivid_ext_layout *layout =
		vivid_ext_layout_of(frame->fourcc);
	unsigned int plane;
	size_t bytes = 0;

	for (plane = 0; layout && plane < frame->num_planes; plane++)
		bytes += mul_u32_u32(vivid_ext_line_bytes(layout, plane,
							  frame->width),
				     vivid_ext_plane_lines(layout, plane,
							   frame->height));
	return bytes;
}
EXPORT_SYMBOL_GPL(vivid_ext_frame_bytes);

/**
 * vivid_ext_frame_place - lay a picture out without padding
 * @frame: filled in
 * @like: its format and size, which have a layout; may be @frame
 * @mem: where it begins; vivid_ext_frame_bytes() are needed
 *
 * Any context.
 */
void vivid_ext_frame_place(struct vivid_ext_frame *frame,
			   const struct vivid_ext_frame *like, void *mem)
{
	const struct vivid_ext_layout *layout =
		vivid_ext_layout_of(like->fourcc);
	unsigned int plane;

	*frame = *like;
	for (plane = 0; plane < frame->num_planes; plane++) {
		frame->plane[plane] = mem;
		frame->stride[plane] = vivid_ext_line_bytes(layout, plane,
							    frame->width);
		mem += (size_t)frame->stride[plane] *
		       vivid_ext_plane_lines(layout, plane, frame->height);
	}
}
EXPORT_SYMBOL_GPL(vivid_ext_frame_place);

/**
 * vivid_ext_frame_copy - copy a picture's visible bytes
 * @to: another one of the same layout and size
 * @from: the picture
 *
 * Any context, but it takes its time.
 */
void vivid_ext_frame_copy(const struct vivid_ext_frame *to,
			  const struct vivid_ext_frame *from)
{
	const struct vivid_ext_layout *layout =
		vivid_ext_layout_of(from->fourcc);
	unsigned int plane, line;

	for (plane = 0; layout && plane < from->num_planes; plane++) {
		u32 bytes = vivid_ext_line_bytes(layout, plane, from->width);
		u32 lines = vivid_ext_plane_lines(layout, plane, from->height);

		for (line = 0; line < lines; line++)
			memcpy(to->plane[plane] +
			       (size_t)line * to->stride[plane],
			       from->plane[plane] +
			       (size_t)line * from->stride[plane], bytes);
	}
}
EXPORT_SYMBOL_GPL(vivid_ext_frame_copy);
