// SPDX-License-Identifier: GPL-2.0-only
/*
 * The picture that an output node shows: a copy in memory of the device's own,
 * made when somebody needs one: the loop to the capture node, or the CPU that
 * stands in where the device can't reach a buffer.
 */
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/videodev2.h>

#include "screen.h"

/**
 * vivid_ext_screen_init - prepare a screen
 * @screen: zeroed memory; vivid_ext_screen_free() undoes it
 */
void vivid_ext_screen_init(struct vivid_ext_screen *screen)
{
	mutex_init(&screen->lock);
}

static int screen_grow(struct vivid_ext_screen *screen, size_t size)
{
	if (size <= screen->size)
		return 0;
	kvfree(screen->memory);
	screen->memory = kvmalloc(size, GFP_KERNEL | __GFP_NOWARN);
	screen->size = screen->memory ? size : 0;
	return screen->memory ? 0 : -ENOMEM;
}

/**
 * vivid_ext_screen_show - copy a picture to the screen
 * @screen: the screen
 * @frame: the picture
 *
 * Process context; takes the screen's lock.
 *
 * Return: 0, or -ENOMEM; then nothing is shown.
 */
int vivid_ext_screen_show(struct vivid_ext_screen *screen,
			  const struct vivid_ext_frame *frame)
{
	int ret;

	mutex_lock(&screen->lock);
	ret = screen_grow(screen, vivid_ext_frame_bytes(frame));
	if (!ret) {
		vivid_ext_frame_place(&screen->picture, frame, screen->memory);
		vivid_ext_frame_copy(&screen->picture, frame);
	} else {
		screen->picture.num_planes = 0;
	}
	mutex_unlock(&screen->lock);
	return ret;
}

/**
 * vivid_ext_screen_clear - nothing is shown any more
 * @screen: the screen
 *
 * Process context; takes the screen's lock.
 */
void vivid_ext_screen_clear(struct vivid_ext_screen *screen)
{
	mutex_lock(&screen->lock);
	kvfree(screen->memory);
	screen->memory = NULL;
	screen->size = 0;
	screen->picture.num_planes = 0;
	mutex_unlock(&screen->lock);
}

/* NV12 in one piece of memory or in two is the same picture. */
static u32 plain_fourcc(u32 fourcc)
{
	return fourcc == V4L2_PIX_FMT_NV12M ? V4L2_PIX_FMT_NV12 : fourcc;
}

static enum vivid_ext_loop screen_state(const struct vivid_ext_screen *screen,
					const struct vivid_ext_frame *frame)
{
	const struct vivid_ext_frame *picture = &screen->picture;

	if (!screen->loop)
		return VIVID_EXT_LOOP_OFF;
	if (!picture->num_planes)
		return VIVID_EXT_LOOP_EMPTY;
	if (plain_fourcc(picture->fourcc) != plain_fourcc(frame->fourcc) ||
	    picture->width != frame->width || picture->height != frame->height)
		return VIVID_EXT_LOOP_DIFFERENT;
	return VIVID_EXT_LOOP_ON;
}

/**
 * vivid_ext_screen_draw - draw what is on the screen, if it can be had
 * @screen: the screen
 * @frame: where to; untouched unless %VIVID_EXT_LOOP_ON is returned
 *
 * Process context; takes the screen's lock.
 *
 * Return: what became of it.
 */
enum vivid_ext_loop vivid_ext_screen_draw(struct vivid_ext_screen *screen,
					  const struct vivid_ext_frame *frame)
{
	enum vivid_ext_loop state;

	mutex_lock(&screen->lock);
	state = screen_state(screen, frame);
	if (state == VIVID_EXT_LOOP_ON)
		vivid_ext_frame_copy(frame, &screen->picture);
	mutex_unlock(&screen->lock);
	return state;
}

/**
 * vivid_ext_screen_free - the node is gone
 * @screen: the screen
 */
void vivid_ext_screen_free(struct vivid_ext_screen *screen)
{
	kvfree(screen->memory);
	mutex_destroy(&screen->lock);
}
