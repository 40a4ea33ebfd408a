/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The picture that an output node shows, to be looked at by others.
 */
#ifndef VIVID_EXT_SCREEN_H
#define VIVID_EXT_SCREEN_H

#include <linux/mutex.h>

#include "picture/frame.h"

/**
 * enum vivid_ext_loop - what becomes of a loop from output to capture
 * @VIVID_EXT_LOOP_OFF: it is not wanted
 * @VIVID_EXT_LOOP_EMPTY: nothing is shown
 * @VIVID_EXT_LOOP_DIFFERENT: what is shown has another format or size
 * @VIVID_EXT_LOOP_ON: capture sees what is shown
 */
enum vivid_ext_loop {
	VIVID_EXT_LOOP_OFF,
	VIVID_EXT_LOOP_EMPTY,
	VIVID_EXT_LOOP_DIFFERENT,
	VIVID_EXT_LOOP_ON,
};

/**
 * struct vivid_ext_screen - the picture that an output node shows
 * @lock: protects everything here
 * @loop: the user wants capture to see it
 * @size: of @memory
 * @memory: the device's own, for one picture
 * @picture: it lies in @memory; without planes nothing is shown
 */
struct vivid_ext_screen {
	struct mutex lock;	/* everything below */
	bool loop;
	size_t size;
	void *memory;
	struct vivid_ext_frame picture;
};

void vivid_ext_screen_init(struct vivid_ext_screen *screen);
int vivid_ext_screen_show(struct vivid_ext_screen *screen,
			  const struct vivid_ext_frame *frame);
void vivid_ext_screen_clear(struct vivid_ext_screen *screen);
enum vivid_ext_loop vivid_ext_screen_draw(struct vivid_ext_screen *screen,
					  const struct vivid_ext_frame *frame);
void vivid_ext_screen_free(struct vivid_ext_screen *screen);

#endif
