// SPDX-License-Identifier: GPL-2.0-only
/*
 * From one picture in memory to another. A pixel of the new picture is the one
 * at the same place of the old one: x * old width / new width, rounded down;
 * lines the same. Chroma that several pixels share is that of their top left
 * one. Lines are unpacked to three bytes a pixel, which are R, G, B or Y, Cb,
 * Cr, converted if they have to be, and packed. Knows no device.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/videodev2.h>

#include "convert.h"
#include "frame.h"

#define ONE	65536	/* fixed point */
#define WHOLE	10000	/* Kr and Kb are given in its parts */

/**
 * struct packing - where the three components of a pixel lie
 * @fourcc: V4L2's code
 * @at: offset of R, G, B in a pixel; or of Y in a pixel and of Cb and Cr
 *	in the four bytes of two pixels, or in the second plane's two
 */
struct packing {
	u32 fourcc;
	u8 at[3];
};

static const struct packing packings[] = {
	{ V4L2_PIX_FMT_YUYV, { 0, 1, 3 } },
	{ V4L2_PIX_FMT_UYVY, { 1, 0, 2 } },
	{ V4L2_PIX_FMT_YVYU, { 0, 3, 1 } },
	{ V4L2_PIX_FMT_NV12, { 0, 0, 1 } },
	{ V4L2_PIX_FMT_NV16, { 0, 0, 1 } },
	{ V4L2_PIX_FMT_NV12M, { 0, 0, 1 } },
	{ V4L2_PIX_FMT_RGB24, { 0, 1, 2 } },
	{ V4L2_PIX_FMT_BGR24, { 2, 1, 0 } },
	{ V4L2_PIX_FMT_XBGR32, { 2, 1, 0 } },
	{ V4L2_PIX_FMT_RGBX32, { 0, 1, 2 } },
	{ V4L2_PIX_FMT_BGRX32, { 3, 2, 1 } },
	{ V4L2_PIX_FMT_XRGB32, { 1, 2, 3 } },
};

/**
 * struct picture - a picture and how to find its pixels
 * @frame: where it lies
 * @layout: of its format
 * @packing: of its format
 */
struct picture {
	const struct vivid_ext_frame *frame;
	const struct vivid_ext_layout *layout;
	const struct packing *packing;
};

static int picture_init(struct picture *pic,
			const struct vivid_ext_frame *frame)
{
	unsigned int i;

	pic->frame = frame;
	pic->layout = vivid_ext_layout_of(frame->fourcc);
	for (i = 0; pic->layout && i < ARRAY_SIZE(packings); i++) {
		pic->packing = &packings[i];
		if (pic->packing->fourcc == frame->fourcc)
			return 0;
	}
	return -EINVAL;
}

static u8 *picture_line(const struct picture *pic, unsigned int plane, u32 y)
{
	if (plane)
		y /= pic->layout->vsub;
	return pic->frame->plane[plane] + (size_t)y * pic->frame->stride[plane];
}

/* Take the pixels out of line y that the places in @map name. */
static void unpack_rgb(const struct picture *pic, u32 y, const u16 *map,
		       u32 width, u8 *out)
{
	const u8 *at = pic->packing->at, *line = picture_line(pic, 0, y);
	u32 x;

	for (x = 0; x < width; x++, out += 3) {
		const u8 *p = line + map[x] * pic->layout->step;

		out[0] = p[at[0]];
		out[1] = p[at[1]];
		out[2] = p[at[2]];
	}
}

static void unpack_yuv(const struct picture *pic, u32 y, const u16 *map,
		       u32 width, u8 *out)
{
	bool planar = pic->layout->planes > 1;
	const u8 *luma = picture_line(pic, 0, y) + pic->packing->at[0];
	const u8 *chroma = picture_line(pic, planar, y);
	const u8 *at = pic->packing->at;
	u32 x;

	/* Two pixels share four bytes, or two of the second plane. */
	for (x = 0; x < width; x++, out += 3) {
		const u8 *c = chroma + (map[x] & ~1U) * (planar ? 1 : 2);

		out[0] = luma[map[x] * pic->layout->step];
		out[1] = c[at[1]];
		out[2] = c[at[2]];
	}
}

static void pack_rgb(const struct picture *pic, u32 y, const u8 *in)
{
	const struct vivid_ext_layout *layout = pic->layout;
	const u8 *at = pic->packing->at;
	u8 *p = picture_line(pic, 0, y);
	u32 x;

	for (x = 0; x < pic->frame->width; x++, p += layout->step, in += 3) {
		p[at[0]] = in[0];
		p[at[1]] = in[1];
		p[at[2]] = in[2];
		if (layout->pad != VIVID_EXT_NO_BYTE)
			p[layout->pad] = 0xff;
	}
}

static void pack_yuv(const struct picture *pic, u32 y, const u8 *in)
{
	bool planar = pic->layout->planes > 1;
	u8 *luma = picture_line(pic, 0, y) + pic->packing->at[0];
	u8 *chroma = picture_line(pic, planar, y);
	const u8 *at = pic->packing->at;
	u32 x;

	for (x = 0; x < pic->frame->width; x++)
		luma[x * pic->layout->step] = in[x * 3];
	if (y % pic->layout->vsub)
		return;
	for (x = 0; x < pic->frame->width; x += 2) {
		u8 *c = chroma + x * (planar ? 1 : 2);

		c[at[1]] = in[x * 3 + 1];
		c[at[2]] = in[x * 3 + 2];
	}
}

/**
 * struct matrix - from YUV to RGB or back
 * @before: what is taken from each component before
 * @factor: what each old one adds to each new one, in 1/ONE
 * @after: what is added to each component after
 */
struct matrix {
	int before[3];
	int factor[3][3];
	int after[3];
};

/* a / b in 1/ONE, rounded. */
static int fraction(u64 a, u64 b)
{
	return div64_u64(a * ONE + b / 2, b);
}

/* Rec. 601 and 709: Y = Kr R + Kg G + Kb B; Cb and Cr are B - Y and R - Y. */
static void matrix_init(struct matrix *m, const struct vivid_ext_colours *c,
			bool to_rgb)
{
	const u64 kr = c->bt601 ? 2990 : 2126, kb = c->bt601 ? 1140 : 722;
	const u64 kg = WHOLE - kr - kb, db = WHOLE - kb, dr = WHOLE - kr;
	/* How many steps luma takes, and chroma in both directions. */
	const u64 ny = c->full ? 255 : 219, nc = c->full ? 255 : 224;
	const int offset[3] = { c->full ? 0 : 16, 128, 128 };

	if (to_rgb) {
		const int y = fraction(255, ny);

		*m = (struct matrix){ .factor = {
			{ y, 0, fraction(2 * dr * 255, WHOLE * nc) },
			{ y, -fraction(2 * kb * db * 255, kg * WHOLE * nc),
			  -fraction(2 * kr * dr * 255, kg * WHOLE * nc) },
			{ y, fraction(2 * db * 255, WHOLE * nc), 0 },
		} };
		memcpy(m->before, offset, sizeof(offset));
		return;
	}
	*m = (struct matrix){ .factor = {
		{ fraction(kr * ny, WHOLE * 255),
		  fraction(kg * ny, WHOLE * 255),
		  fraction(kb * ny, WHOLE * 255) },
		{ -fraction(kr * nc, 2 * db * 255),
		  -fraction(kg * nc, 2 * db * 255), fraction(nc, 2 * 255) },
		{ fraction(nc, 2 * 255), -fraction(kg * nc, 2 * dr * 255),
		  -fraction(kb * nc, 2 * dr * 255) },
	} };
	memcpy(m->after, offset, sizeof(offset));
}

static void matrix_apply(const struct matrix *m, u8 *p, u32 width)
{
	unsigned int i;

	for (; width--; p += 3) {
		const int in[3] = { p[0] - m->before[0], p[1] - m->before[1],
				    p[2] - m->before[2] };

		for (i = 0; i < 3; i++) {
			const int *factor = m->factor[i];
			int value = in[0] * factor[0] + in[1] * factor[1] +
				    in[2] * factor[2] + ONE / 2;

			p[i] = clamp((value >> 16) + m->after[i], 0, 255);
		}
	}
}

/* Which column of the old picture each of the new one shows. */
static void map_columns(u16 *map, u32 width, u32 old_width, bool flip)
{
	u32 x;

	for (x = 0; x < width; x++) {
		u32 from = x * old_width / width;

		map[x] = flip ? old_width - 1 - from : from;
	}
}

static bool is_plain(const struct vivid_ext_frame *to,
		     const struct vivid_ext_frame *from,
		     const struct vivid_ext_conversion *how)
{
	return to->fourcc == from->fourcc && to->width == from->width &&
	       to->height == from->height && !how->hflip && !how->vflip;
}

static void convert_lines(const struct picture *to, const struct picture *from,
			  const struct vivid_ext_conversion *how,
			  const u16 *map, u8 *line)
{
	const struct vivid_ext_frame *frame = to->frame;
	bool change = to->layout->rgb != from->layout->rgb;
	u32 y, old_height = from->frame->height;
	struct matrix matrix;

	matrix_init(&matrix, &how->colours, to->layout->rgb);
	for (y = 0; y < frame->height; y++) {
		u32 old = y * old_height / frame->height;

		if (how->vflip)
			old = old_height - 1 - old;
		if (from->layout->rgb)
			unpack_rgb(from, old, map, frame->width, line);
		else
			unpack_yuv(from, old, map, frame->width, line);
		if (change)
			matrix_apply(&matrix, line, frame->width);
		if (to->layout->rgb)
			pack_rgb(to, y, line);
		else
			pack_yuv(to, y, line);
	}
}

/**
 * vivid_ext_convert - make a picture of another
 * @to: where to, in which format and size: even, at most 65536 pixels wide
 * @from: the picture: even sizes as well
 * @how: what is done to it
 *
 * Of equal formats and sizes each visible byte is kept. Process context.
 *
 * Return: 0, -EINVAL for an unknown format, -ENOMEM.
 */
int vivid_ext_convert(const struct vivid_ext_frame *to,
		      const struct vivid_ext_frame *from,
		      const struct vivid_ext_conversion *how)
{
	struct picture new, old;
	int ret = -ENOMEM;
	u16 *map;
	u8 *line;

	if (picture_init(&new, to) || picture_init(&old, from))
		return -EINVAL;
	if (is_plain(to, from, how)) {
		vivid_ext_frame_copy(to, from);
		return 0;
	}
	map = kvmalloc_array(to->width, sizeof(*map), GFP_KERNEL);
	line = kvmalloc_array(to->width, 3, GFP_KERNEL);
	if (!map || !line)
		goto free;
	map_columns(map, to->width, from->width, how->hflip);
	convert_lines(&new, &old, how, map, line);
	ret = 0;
free:
	kvfree(line);
	kvfree(map);
	return ret;
}
