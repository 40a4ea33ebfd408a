/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is in the picture: a test pattern, text, and the stamp.
 */
#ifndef VIVID_EXT_PATTERN_H
#define VIVID_EXT_PATTERN_H

#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/videodev2.h>
#include <media/tpg/v4l2-tpg.h>

struct vivid_ext_format;
struct vivid_ext_frame;

#define VIVID_EXT_GAIN_ONE	64	/* a gain of 1 */
#define VIVID_EXT_GAIN_MAX	255

/**
 * enum vivid_ext_text - how much text is written into the picture
 * @VIVID_EXT_TEXT_ALL: counters, format and settings
 * @VIVID_EXT_TEXT_COUNTERS: time and sequence number
 * @VIVID_EXT_TEXT_NONE: nothing
 */
enum vivid_ext_text {
	VIVID_EXT_TEXT_ALL,
	VIVID_EXT_TEXT_COUNTERS,
	VIVID_EXT_TEXT_NONE,
};

/**
 * struct vivid_ext_pattern - what is drawn
 * @lock: protects everything here: the user turns it while it is being drawn
 * @tpg: the pattern generator; it has its line buffers only while streaming
 * @contrast: the user's, before gain
 * @gain: in 1/64
 * @autogain: the gain wanders by itself, as with changing light
 * @text: how much text
 * @stamp: draw the stamp
 * @crop: what is seen of the picture, scaled to the frame; none if all is.
 *	This and the next two change only while nobody draws.
 * @source_width: of the picture, where there is a crop
 * @source_height: of the picture, where there is a crop
 */
struct vivid_ext_pattern {
	struct mutex lock;	/* everything below */
	struct tpg_data tpg;
	u32 contrast;
	u32 gain;
	bool autogain;
	enum vivid_ext_text text;
	bool stamp;
	struct v4l2_rect crop;
	u32 source_width;
	u32 source_height;
};

int vivid_ext_pattern_setup(void);
void vivid_ext_pattern_init(struct vivid_ext_pattern *pattern,
			    const struct vivid_ext_format *fmt);
void vivid_ext_pattern_free(struct vivid_ext_pattern *pattern);
int vivid_ext_pattern_start(struct vivid_ext_pattern *pattern,
			    const struct vivid_ext_format *fmt);
void vivid_ext_pattern_stop(struct vivid_ext_pattern *pattern);
void vivid_ext_pattern_draw(struct vivid_ext_pattern *pattern,
			    const struct vivid_ext_frame *frame,
			    u32 sequence, u64 ns);
void vivid_ext_pattern_skip(struct vivid_ext_pattern *pattern);

#endif
