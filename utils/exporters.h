/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A dma-buf from whoever makes them: a V4L2 node, udmabuf, a dma-heap.
 */
#ifndef EXPORTERS_H
#define EXPORTERS_H

#include <stdbool.h>
#include <stddef.h>

#include "camera.h"
#include "screen.h"

/**
 * struct exported - a buffer
 * @fd: the dma-buf
 * @size: in bytes, whole pages
 * @is_v4l2: a camera has made it
 * @camera: which one
 * @screen: the output node of its device, if there is one
 */
struct exported {
	int fd;
	size_t size;
	bool is_v4l2;
	struct camera camera;
	struct screen screen;
};

/*
 * @name is a video node's path, "udmabuf", or a path below /dev/dma_heap.
 * The frame is of so many pixels, XR24. 0, or -1 after a message.
 */
int exported_open(struct exported *buffer, const char *name,
		  unsigned int width, unsigned int height);
void exported_close(struct exported *buffer);

/* The node's own mapping of it, or NULL after a message. */
void *exported_map_node(struct exported *buffer);

/* One frame from the camera that owns it: QBUF, stream, DQBUF. */
int exported_capture(struct exported *buffer);

/*
 * What the device reads in it: shown by its output node, and looped into
 * another buffer of the camera's. 0, or -1 after a message.
 */
int exported_scan(struct exported *buffer, void *seen);

#endif
