// SPDX-License-Identifier: GPL-2.0-only
/*
 * The output node beside a camera: what it scans out is looped back to the
 * camera, so that one can look at what the device has read.
 */
#include <dirent.h>
#include <fcntl.h>
#include <linux/vivid-ext.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "camera.h"
#include "screen.h"
#include "util.h"

/* Only vivid-ext has the control; whether it is an output node it says too. */
static bool try_node(struct screen *screen, const char *name)
{
	struct v4l2_control loop = { .id = VIVID_EXT_CID_LOOP, .value = 1 };
	struct v4l2_capability cap = { 0 };
	char path[32];

	snprintf(path, sizeof(path), "/dev/%.20s", name);
	screen->fd = open(path, O_RDWR | O_CLOEXEC);
	if (screen->fd < 0)
		return false;
	if (!ioctl(screen->fd, VIDIOC_QUERYCAP, &cap) &&
	    !ioctl(screen->fd, VIDIOC_S_CTRL, &loop)) {
		screen->type = cap.device_caps & V4L2_CAP_VIDEO_OUTPUT ?
			       V4L2_BUF_TYPE_VIDEO_OUTPUT :
			       V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE;
		return true;
	}
	screen_close(screen);
	return false;
}

static int set_format(struct screen *screen, const struct camera *camera)
{
	struct v4l2_streamparm parm = { .type = screen->type };
	struct v4l2_format f = { .type = camera->type };

	/* In both APIs the formats of capture and output are alike. */
	if (ioctl(camera->fd, VIDIOC_G_FMT, &f))
		return complain_errno("%s: no format", camera->path);
	f.type = screen->type;
	if (ioctl(screen->fd, VIDIOC_S_FMT, &f))
		return complain_errno("the output node's format");
	screen->frame = V4L2_TYPE_IS_MULTIPLANAR(f.type) ?
			f.fmt.pix_mp.plane_fmt[0].sizeimage :
			f.fmt.pix.sizeimage;
	parm.parm.output.timeperframe.numerator = 1;
	parm.parm.output.timeperframe.denominator = 100;
	if (ioctl(screen->fd, VIDIOC_S_PARM, &parm))
		return complain_errno("the output node's rate");
	return 0;
}

static int set_up(struct screen *screen, const struct camera *camera)
{
	struct v4l2_requestbuffers req = {
		.type = screen->type,
		.memory = V4L2_MEMORY_DMABUF,
		.count = 1,
	};

	if (set_format(screen, camera))
		return -1;
	if (ioctl(screen->fd, VIDIOC_REQBUFS, &req))
		return complain_errno("the output node's buffers");
	return 0;
}

int screen_open(struct screen *screen, const struct camera *camera)
{
	struct dirent *entry;
	char path[96];
	DIR *dir;

	screen->fd = -1;
	snprintf(path, sizeof(path),
		 "/sys/class/video4linux/%s/device/video4linux",
		 camera->path + strlen("/dev/"));
	dir = opendir(path);
	if (!dir)
		return -1;
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.' && try_node(screen, entry->d_name))
			break;
	closedir(dir);
	if (screen->fd >= 0 && set_up(screen, camera))
		screen_close(screen);
	return screen->fd < 0 ? -1 : 0;
}

static void init_buffer(const struct screen *screen, struct v4l2_buffer *buf,
			struct v4l2_plane *plane)
{
	memset(buf, 0, sizeof(*buf));
	memset(plane, 0, sizeof(*plane));
	buf->type = screen->type;
	buf->memory = V4L2_MEMORY_DMABUF;
	if (V4L2_TYPE_IS_MULTIPLANAR(screen->type)) {
		buf->m.planes = plane;
		buf->length = 1;
	}
}

static int queue(struct screen *screen, int dmabuf, size_t size)
{
	struct v4l2_plane plane;
	struct v4l2_buffer buf;

	init_buffer(screen, &buf, &plane);
	if (V4L2_TYPE_IS_MULTIPLANAR(screen->type)) {
		plane.m.fd = dmabuf;
		plane.length = size;
		plane.bytesused = screen->frame;
	} else {
		buf.m.fd = dmabuf;
		buf.length = size;
		buf.bytesused = screen->frame;
	}
	if (ioctl(screen->fd, VIDIOC_QBUF, &buf))
		return complain_errno("the output node's QBUF");
	return 0;
}

int screen_show(struct screen *screen, int dmabuf, size_t size)
{
	struct pollfd ready = { .fd = screen->fd, .events = POLLOUT };
	struct v4l2_plane plane;
	struct v4l2_buffer buf;

	if (queue(screen, dmabuf, size))
		return -1;
	if (ioctl(screen->fd, VIDIOC_STREAMON, &screen->type))
		return complain_errno("the output node's STREAMON");
	if (poll(&ready, 1, 5000) != 1)
		return complain("nothing shown within 5 seconds");
	init_buffer(screen, &buf, &plane);
	if (ioctl(screen->fd, VIDIOC_DQBUF, &buf))
		return complain_errno("the output node's DQBUF");
	return buf.flags & V4L2_BUF_FLAG_ERROR ?
	       complain("the output node could not read the frame") : 0;
}

void screen_clear(struct screen *screen)
{
	ioctl(screen->fd, VIDIOC_STREAMOFF, &screen->type);
}

void screen_close(struct screen *screen)
{
	if (screen->fd >= 0)
		close(screen->fd);
	screen->fd = -1;
}
