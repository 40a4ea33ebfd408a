// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the converter should have made of a picture, computed another way than it
 * does: pixel by pixel, in floating point.
 */
#include <linux/videodev2.h>
#include <stdlib.h>

#include "converted.h"
#include "testlib.h"

static bool is_rgb(uint32_t fourcc)
{
	return fourcc == V4L2_PIX_FMT_RGB24 || fourcc == V4L2_PIX_FMT_XBGR32;
}

/* The three components of a pixel, R G B or Y Cb Cr. */
static void get(const struct pic *p, uint32_t x, uint32_t y, int out[3])
{
	const uint8_t *line = p->bytes + y * p->stride, *c;

	switch (p->fourcc) {
	case V4L2_PIX_FMT_RGB24:
		for (int i = 0; i < 3; i++)
			out[i] = line[3 * x + i];
		break;
	case V4L2_PIX_FMT_XBGR32:
		for (int i = 0; i < 3; i++)
			out[i] = line[4 * x + 2 - i];
		break;
	case V4L2_PIX_FMT_YUYV:
		out[0] = line[2 * x];
		out[1] = line[x / 2 * 4 + 1];
		out[2] = line[x / 2 * 4 + 3];
		break;
	default:	/* NV12 */
		c = p->bytes + p->height * p->stride + y / 2 * p->stride;
		out[0] = line[x];
		out[1] = c[x / 2 * 2];
		out[2] = c[x / 2 * 2 + 1];
	}
}

/*
 * By the textbook, limited range. The colour space is the old picture's: Rec.
 * 709 for YUV, and sRGB for RGB, of which V4L2 says that it goes by Rec. 601.
 */
static void recolour(const int in[3], bool to_rgb, double out[3])
{
	const double kr = to_rgb ? 0.2126 : 0.299;
	const double kb = to_rgb ? 0.0722 : 0.114;
	const double kg = 1 - kr - kb;
	double y, cb, cr;

	if (to_rgb) {
		y = (in[0] - 16) / 219.0;
		cb = (in[1] - 128) / 224.0;
		cr = (in[2] - 128) / 224.0;
		out[0] = 255 * (y + 2 * (1 - kr) * cr);
		out[2] = 255 * (y + 2 * (1 - kb) * cb);
		out[1] = (255 * y - kr * out[0] - kb * out[2]) / kg;
	} else {
		y = (kr * in[0] + kg * in[1] + kb * in[2]) / 255;
		cb = (in[2] / 255.0 - y) / (2 * (1 - kb));
		cr = (in[0] / 255.0 - y) / (2 * (1 - kr));
		out[0] = 16 + 219 * y;
		out[1] = 128 + 224 * cb;
		out[2] = 128 + 224 * cr;
	}
}

static uint32_t place(uint32_t at, uint32_t size, uint32_t old_size, bool flip)
{
	uint32_t from = (uint64_t)at * old_size / size;

	return flip ? old_size - 1 - from : from;
}

static void expect(const struct pic *from, const struct pic *to, uint32_t x,
		   uint32_t y, bool hflip, bool vflip, double out[3])
{
	bool change = is_rgb(from->fourcc) != is_rgb(to->fourcc);
	int in[3];

	get(from, place(x, to->width, from->width, hflip),
	    place(y, to->height, from->height, vflip), in);
	if (change)
		recolour(in, is_rgb(to->fourcc), out);
	else
		for (int i = 0; i < 3; i++)
			out[i] = in[i];
}

static void check_component(const struct pic *to, uint32_t x, uint32_t y, int i,
			    double want, int got, double slack)
{
	if (want < 0)
		want = 0;
	if (want > 255)
		want = 255;
	if (got < want - slack || got > want + slack)
		fail_msg("%.4s %ux%u: pixel %u,%u component %d is %d, not %.2f",
			 (const char *)&to->fourcc, to->width, to->height, x,
			 y, i, got, want);
}

/* Chroma that pixels share is that of the top left one. */
void check_pixels(const struct pic *from, const struct pic *to,
			 bool hflip, bool vflip)
{
	bool change = is_rgb(from->fourcc) != is_rgb(to->fourcc);
	uint32_t xmask = is_rgb(to->fourcc) ? ~0U : ~1U;
	uint32_t ymask = to->fourcc == V4L2_PIX_FMT_NV12 ? ~1U : ~0U;
	double slack = change ? 0.6 : 0;
	double luma[3], chroma[3];
	uint32_t x, y;
	int got[3];

	for (y = 0; y < to->height; y++)
		for (x = 0; x < to->width; x++) {
			get(to, x, y, got);
			expect(from, to, x, y, hflip, vflip, luma);
			expect(from, to, x & xmask, y & ymask, hflip, vflip,
			       chroma);
			check_component(to, x, y, 0, luma[0], got[0], slack);
			check_component(to, x, y, 1, chroma[1], got[1], slack);
			check_component(to, x, y, 2, chroma[2], got[2], slack);
		}
}
