/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The output node beside a camera: shows a dma-buf, and the camera sees it.
 */
#ifndef SCREEN_H
#define SCREEN_H

#include <linux/videodev2.h>
#include <stddef.h>

struct camera;

/**
 * struct screen - an open output node that can be looped to its camera
 * @fd: its file, or -1
 * @type: single- or multi-planar
 * @frame: how much of a buffer is the picture, in bytes
 */
struct screen {
	int fd;
	enum v4l2_buf_type type;
	unsigned int frame;
};

/* 0, or -1 where the camera's device has no such node; that is no error. */
int screen_open(struct screen *screen, const struct camera *camera);

/* Show a dma-buf with a frame in the camera's format; 0, or -1 after a message. */
int screen_show(struct screen *screen, int dmabuf, size_t size);

/* Show nothing. */
void screen_clear(struct screen *screen);
void screen_close(struct screen *screen);

#endif
