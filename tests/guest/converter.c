// SPDX-License-Identifier: GPL-2.0-only
/*
 * The converter, for programs that test it.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/media.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "converter.h"

struct node old, new;

/* Its queues have planes as the first node has them. */
int open_converter(void **state)
{
	char path[1][64];
	int ret = open_nodes(state), fd;

	if (ret)
		return ret;
	if (!nodes_of_driver(CONVERTER, path, 1)) {
		print_error("no converter\n");
		return -ENODEV;
	}
	fd = open(path[0], O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = node_attach(&old, fd, dev[0].mplane ?
			  V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE :
			  V4L2_BUF_TYPE_VIDEO_OUTPUT);
	return ret ?: node_attach(&new, fd, dev[0].type);
}

/* Its media device, of which requests are asked. */
int open_converters_media(void)
{
	for (int i = 0; i < 16; i++) {
		struct media_device_info info = { 0 };
		char path[32];
		int fd;

		snprintf(path, sizeof(path), "/dev/media%d", i);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (!ioctl(fd, MEDIA_IOC_DEVICE_INFO, &info) &&
		    !strcmp(info.driver, CONVERTER))
			return fd;
		close(fd);
	}
	fail_msg("no media device of the converter's");
	return -1;
}

/*
 * Queue a whole picture, all of it in the first plane: what there is to say of
 * that is filled in, in the way of the queue. A negative errno on failure.
 */
int queue_picture(struct v4l2_buffer *b)
{
	struct v4l2_plane plane = {
		.bytesused = old.size[0],
		.length = old.size[0],
		.m.fd = b->m.fd,
	};

	b->type = old.type;
	b->bytesused = old.size[0];
	b->length = old.size[0];
	if (old.mplane) {
		b->m.planes = &plane;
		b->length = 1;
	}
	return ioctl(old.fd, VIDIOC_QBUF, b) ? -errno : 0;
}
