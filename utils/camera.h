/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The camera: a V4L2 capture node whose buffers are exported as dma-bufs.
 */
#ifndef CAMERA_H
#define CAMERA_H

#include <linux/videodev2.h>
#include <stdbool.h>

#define CAMERA_MAX_BUFFERS 16
#define CAMERA_MAX_PLANES 3

/**
 * struct camera_format - what the frames look like
 * @fourcc: V4L2 code
 * @width: in pixels
 * @height: in pixels
 * @num_planes: pieces of memory in a buffer
 * @stride: bytes from line to line in each of them
 */
struct camera_format {
	__u32 fourcc;
	__u32 width;
	__u32 height;
	unsigned int num_planes;
	__u32 stride[CAMERA_MAX_PLANES];
};

/**
 * struct camera - an open capture node
 * @fd: its file, or -1
 * @path: its name
 * @type: single- or multi-planar
 * @format: as the driver has set it
 * @num_buffers: how many there are
 * @dmabuf: the exported planes of each buffer
 */
struct camera {
	int fd;
	char path[32];
	enum v4l2_buf_type type;
	struct camera_format format;
	unsigned int num_buffers;
	int dmabuf[CAMERA_MAX_BUFFERS][CAMERA_MAX_PLANES];
};

/**
 * struct camera_frame - a filled buffer
 * @index: which buffer
 * @sequence: number of the frame; the ones that are missing were dropped
 * @error: the driver says that its pixels are wrong
 */
struct camera_frame {
	unsigned int index;
	__u32 sequence;
	bool error;
};

/* All of these return 0, or -1 after a message. */
int camera_open(struct camera *camera, const char *path);
int camera_set_format(struct camera *camera, __u32 fourcc, __u32 width,
		      __u32 height);
int camera_set_rate(struct camera *camera, unsigned int rate);
int camera_create_buffers(struct camera *camera, unsigned int count);
int camera_start(struct camera *camera);
int camera_queue(struct camera *camera, unsigned int index);
int camera_dequeue(struct camera *camera, struct camera_frame *frame);
void camera_close(struct camera *camera);

#endif
