/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The display: a KMS card that shows imported dma-bufs, by atomic commits.
 */
#ifndef CARD_H
#define CARD_H

#include <linux/types.h>
#include <stdbool.h>
#include <xf86drmMode.h>

#define CARD_MAX_PLANES 3

/**
 * struct card_image - where the pixels of a framebuffer lie
 * @fourcc: DRM code
 * @width: in pixels
 * @height: in pixels
 * @num_planes: planes of pixels
 * @dmabuf: file of each plane; planes may share one
 * @stride: bytes from line to line
 * @offset: of the first line
 */
struct card_image {
	__u32 fourcc;
	__u32 width;
	__u32 height;
	unsigned int num_planes;
	int dmabuf[CARD_MAX_PLANES];
	__u32 stride[CARD_MAX_PLANES];
	__u32 offset[CARD_MAX_PLANES];
};

/* Properties that a commit sets. */
enum card_property {
	CARD_CONNECTOR_CRTC,
	CARD_CRTC_MODE,
	CARD_CRTC_ACTIVE,
	CARD_PLANE_FB,
	CARD_PLANE_CRTC,
	CARD_PLANE_SRC_X,
	CARD_PLANE_SRC_Y,
	CARD_PLANE_SRC_W,
	CARD_PLANE_SRC_H,
	CARD_PLANE_CRTC_X,
	CARD_PLANE_CRTC_Y,
	CARD_PLANE_CRTC_W,
	CARD_PLANE_CRTC_H,
	CARD_PROPERTIES,
};

/**
 * struct card - an open card
 * @fd: its file, or -1
 * @path: its name
 * @connector: id of its first connected connector
 * @crtc: id of the CRTC that we use
 * @plane: id of that CRTC's primary plane
 * @mode: what the CRTC is set to at the first commit
 * @mode_blob: the same, as a property's value
 * @properties: ids, by &enum card_property
 */
struct card {
	int fd;
	char path[32];
	__u32 connector;
	__u32 crtc;
	__u32 plane;
	drmModeModeInfo mode;
	__u32 mode_blob;
	__u32 properties[CARD_PROPERTIES];
};

/**
 * struct card_flip - a framebuffer has come on the screen
 * @happened: whether it has
 * @microseconds: when, on the monotonic clock
 */
struct card_flip {
	bool happened;
	long long microseconds;
};

/* All of these return 0, or -1 after a message. */
int card_open(struct card *card, const char *path);
int card_set_mode(struct card *card, __u32 width, __u32 height,
		  unsigned int refresh);
int card_import(struct card *card, const struct card_image *image, __u32 *fb);
int card_show(struct card *card, __u32 fb, __u32 width, __u32 height,
	      bool first);
int card_read_event(struct card *card, struct card_flip *flip);
void card_close(struct card *card);

#endif
