// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is in the picture: v4l2-tpg's test pattern, lines of text, and the
 * stamp last, since it sums up the rest.
 */
#include <linux/errno.h>
#include <linux/font.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/time64.h>

#include "pattern.h"
#include "picture/stamp.h"
#include "v4l2/format.h"

#define TEXT_LEFT	16
#define TEXT_TOP	VIVID_EXT_STAMP_HEIGHT	/* below the stamp */
#define TEXT_LINE	16
#define TEXT_LENGTH	80

/* One swing of the automatic gain takes so many frames, up and down. */
#define GAIN_PERIOD	128

/**
 * vivid_ext_pattern_setup - find the font, once for all devices
 *
 * Return: 0, or -ENODEV where the kernel has no VGA8x16.
 */
int vivid_ext_pattern_setup(void)
{
	const struct font_desc *font = find_font("VGA8x16");

	if (!font)
		return -ENODEV;
	tpg_set_font(font->data);
	return 0;
}

/**
 * vivid_ext_pattern_init - prepare a pattern
 * @pattern: zeroed memory; vivid_ext_pattern_free() undoes it
 * @fmt: a first format
 */
void vivid_ext_pattern_init(struct vivid_ext_pattern *pattern,
			    const struct vivid_ext_format *fmt)
{
	mutex_init(&pattern->lock);
	tpg_init(&pattern->tpg, fmt->width, fmt->height);
	pattern->contrast = 128;
	pattern->gain = VIVID_EXT_GAIN_ONE;
	pattern->stamp = true;
}

/**
 * vivid_ext_pattern_free - nobody draws any more
 * @pattern: the pattern, stopped
 */
void vivid_ext_pattern_free(struct vivid_ext_pattern *pattern)
{
	mutex_destroy(&pattern->lock);
}

/* The frame shows a part of a picture that has another size. */
static void pattern_set_crop(struct vivid_ext_pattern *pattern,
			     const struct vivid_ext_format *fmt)
{
	const struct v4l2_rect frame = { 0, 0, fmt->width, fmt->height };
	struct tpg_data *tpg = &pattern->tpg;

	tpg_reset_source(tpg, pattern->source_width, pattern->source_height,
			 V4L2_FIELD_NONE);
	tpg_s_buf_height(tpg, fmt->height);
	tpg_s_crop_compose(tpg, &pattern->crop, &frame);
}

/* How long the line is of which the crop is as wide as the frame. */
static u32 pattern_line_width(const struct vivid_ext_pattern *pattern,
			      const struct vivid_ext_format *fmt)
{
	if (!pattern->crop.width)
		return fmt->width;
	return max(fmt->width, DIV_ROUND_UP(pattern->source_width * fmt->width,
					    pattern->crop.width));
}

static void pattern_set_format(struct vivid_ext_pattern *pattern,
			       const struct vivid_ext_format *fmt)
{
	struct tpg_data *tpg = &pattern->tpg;
	unsigned int m;

	tpg_s_fourcc(tpg, fmt->layout->fourcc);
	if (pattern->crop.width)
		pattern_set_crop(pattern, fmt);
	else
		tpg_reset_source(tpg, fmt->width, fmt->height,
				 V4L2_FIELD_NONE);
	for (m = 0; m < fmt->num_mem; m++)
		tpg_s_bytesperline(tpg, m, fmt->stride[m]);
	tpg_s_colorspace(tpg, fmt->layout->rgb ? V4L2_COLORSPACE_SRGB :
						 V4L2_COLORSPACE_REC709);
	tpg_s_xfer_func(tpg, V4L2_XFER_FUNC_DEFAULT);
	tpg_s_ycbcr_enc(tpg, V4L2_YCBCR_ENC_DEFAULT);
	tpg_s_quantization(tpg, V4L2_QUANTIZATION_DEFAULT);
	tpg_init_mv_count(tpg);
	tpg_update_mv_step(tpg);
}

/**
 * vivid_ext_pattern_start - get ready to draw
 * @pattern: the pattern
 * @fmt: of the frames to come
 *
 * The line buffers exist only from here to vivid_ext_pattern_stop(): they
 * take 1.5 MB at the largest width, and most devices are idle. Process
 * context; takes the pattern's lock.
 *
 * Return: 0 or -ENOMEM.
 */
int vivid_ext_pattern_start(struct vivid_ext_pattern *pattern,
			    const struct vivid_ext_format *fmt)
{
	int ret;

	mutex_lock(&pattern->lock);
	ret = tpg_alloc(&pattern->tpg, pattern_line_width(pattern, fmt));
	if (!ret)
		pattern_set_format(pattern, fmt);
	mutex_unlock(&pattern->lock);
	return ret;
}

/**
 * vivid_ext_pattern_stop - drop the line buffers
 * @pattern: the pattern; nobody draws it
 *
 * Process context; takes the pattern's lock.
 */
void vivid_ext_pattern_stop(struct vivid_ext_pattern *pattern)
{
	mutex_lock(&pattern->lock);
	tpg_free(&pattern->tpg);
	mutex_unlock(&pattern->lock);
}

/* Halves to one and a half of the user's gain and back. */
static void pattern_wander(struct vivid_ext_pattern *pattern, u32 sequence)
{
	u32 phase = sequence % GAIN_PERIOD;

	if (phase >= GAIN_PERIOD / 2)
		phase = GAIN_PERIOD - phase;
	pattern->gain = VIVID_EXT_GAIN_ONE / 2 + phase;
}

static void pattern_apply_gain(struct vivid_ext_pattern *pattern)
{
	u32 contrast = pattern->contrast * pattern->gain / VIVID_EXT_GAIN_ONE;

	tpg_s_contrast(&pattern->tpg, min(contrast, 255U));
}

typedef u8 *text_base[TPG_MAX_PLANES][2];

static __printf(4, 5) void pattern_line(struct vivid_ext_pattern *pattern,
					text_base base, unsigned int line,
					const char *format, ...)
{
	char text[TEXT_LENGTH];
	va_list args;

	va_start(args, format);
	vscnprintf(text, sizeof(text), format, args);
	va_end(args);
	tpg_gen_text(&pattern->tpg, base, TEXT_TOP + line * TEXT_LINE,
		     TEXT_LEFT, text);
}

static void pattern_text(struct vivid_ext_pattern *pattern, text_base base,
			 u32 sequence, u64 ns)
{
	const struct tpg_data *tpg = &pattern->tpg;
	__le32 fourcc = cpu_to_le32(tpg->fourcc);
	u32 ms, s = div_u64_rem(div_u64(ns, NSEC_PER_MSEC), MSEC_PER_SEC, &ms);

	if (pattern->text == VIVID_EXT_TEXT_NONE)
		return;
	pattern_line(pattern, base, 0, " %02u:%02u:%02u.%03u %u ",
		     s / 3600 % 24, s / 60 % 60, s % 60, ms, sequence);
	if (pattern->text == VIVID_EXT_TEXT_COUNTERS)
		return;
	/* The four letters only: %p4cc is too wordy for a small picture. */
	pattern_line(pattern, base, 1, " %ux%u %.4s ", tpg->compose.width,
		     tpg->buf_height, (const char *)&fourcc);
	pattern_line(pattern, base, 2,
		     " brightness %u, contrast %u, saturation %u, hue %d ",
		     tpg->brightness, pattern->contrast, tpg->saturation,
		     tpg->hue);
	pattern_line(pattern, base, 3, " autogain %d, gain %u ",
		     pattern->autogain, pattern->gain);
}

/**
 * vivid_ext_pattern_draw - draw a frame
 * @pattern: the pattern, started with the frame's format
 * @frame: where to draw
 * @sequence: its number
 * @ns: its time since the first frame
 *
 * Process context; takes the pattern's lock.
 */
void vivid_ext_pattern_draw(struct vivid_ext_pattern *pattern,
			    const struct vivid_ext_frame *frame,
			    u32 sequence, u64 ns)
{
	struct tpg_data *tpg = &pattern->tpg;
	text_base base;
	unsigned int p;

	mutex_lock(&pattern->lock);
	if (pattern->autogain)
		pattern_wander(pattern, sequence);
	pattern_apply_gain(pattern);
	for (p = 0; p < frame->num_planes; p++) {
		tpg_calc_text_basep(tpg, base, p, frame->plane[p]);
		tpg_fill_plane_buffer(tpg, 0, p, frame->plane[p]);
	}
	pattern_text(pattern, base, sequence, ns);
	if (pattern->stamp)
		vivid_ext_stamp_write(frame, sequence);
	tpg_update_mv_count(tpg, false);
	mutex_unlock(&pattern->lock);
}

/**
 * vivid_ext_pattern_skip - a frame was due and is not drawn
 * @pattern: the pattern
 *
 * Moving patterns move on, so that a gap shows as one. Process context; takes
 * the pattern's lock.
 */
void vivid_ext_pattern_skip(struct vivid_ext_pattern *pattern)
{
	mutex_lock(&pattern->lock);
	tpg_update_mv_count(&pattern->tpg, false);
	mutex_unlock(&pattern->lock);
}
