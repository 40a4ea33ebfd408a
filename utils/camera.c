// SPDX-License-Identifier: GPL-2.0-only
/*
 * The camera: a V4L2 capture node whose buffers are exported as dma-bufs.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "camera.h"
#include "util.h"

#define DRIVER "vivid-ext"
#define MAX_NODES 256

static bool is_multiplanar(const struct camera *camera)
{
	return camera->type == V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE;
}

static int xioctl(int fd, unsigned long request, void *arg)
{
	int ret;

	do
		ret = ioctl(fd, request, arg);
	while (ret < 0 && errno == EINTR);
	return ret;
}

/* Opens a node if it is a capture node, of our driver where that matters. */
static bool try_node(struct camera *camera, const char *path, bool any_driver)
{
	const __u32 capture = V4L2_CAP_VIDEO_CAPTURE |
			      V4L2_CAP_VIDEO_CAPTURE_MPLANE;
	struct v4l2_capability cap = {};

	camera->fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (camera->fd < 0)
		return false;
	if (!xioctl(camera->fd, VIDIOC_QUERYCAP, &cap) &&
	    cap.device_caps & capture &&
	    (any_driver || !strcmp((char *)cap.driver, DRIVER))) {
		snprintf(camera->path, sizeof(camera->path), "%s", path);
		camera->type = cap.device_caps & V4L2_CAP_VIDEO_CAPTURE ?
			       V4L2_BUF_TYPE_VIDEO_CAPTURE :
			       V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE;
		return true;
	}
	close(camera->fd);
	camera->fd = -1;
	return false;
}

static bool search(struct camera *camera)
{
	unsigned int i;

	for (i = 0; i < MAX_NODES; i++) {
		char path[32];

		snprintf(path, sizeof(path), "/dev/video%u", i);
		if (try_node(camera, path, false))
			return true;
	}
	return false;
}

/**
 * camera_open - open a capture node
 * @camera: filled in
 * @path: the node, or NULL for the first one of our driver, which is loaded if
 *	there is none
 */
int camera_open(struct camera *camera, const char *path)
{
	memset(camera, 0, sizeof(*camera));
	camera->fd = -1;
	if (path) {
		errno = ENODEV;
		if (!try_node(camera, path, true))
			return complain_errno("%s is no capture node", path);
		return 0;
	}
	if (search(camera))
		return 0;
	if (load_module(DRIVER))
		return -1;
	if (search(camera))
		return 0;
	return complain("no capture node of the driver " DRIVER
			" that can be opened");
}

static void read_format(struct camera *camera, const struct v4l2_format *f)
{
	struct camera_format *format = &camera->format;
	unsigned int i;

	if (is_multiplanar(camera)) {
		format->fourcc = f->fmt.pix_mp.pixelformat;
		format->width = f->fmt.pix_mp.width;
		format->height = f->fmt.pix_mp.height;
		format->num_planes = f->fmt.pix_mp.num_planes;
		for (i = 0; i < CAMERA_MAX_PLANES; i++)
			format->stride[i] =
				f->fmt.pix_mp.plane_fmt[i].bytesperline;
	} else {
		format->fourcc = f->fmt.pix.pixelformat;
		format->width = f->fmt.pix.width;
		format->height = f->fmt.pix.height;
		format->num_planes = 1;
		format->stride[0] = f->fmt.pix.bytesperline;
	}
}

/**
 * camera_set_format - set what frames are to look like
 * @camera: an open camera
 * @fourcc: V4L2 code
 * @width: in pixels
 * @height: in pixels
 *
 * It is an error if the driver would have anything else.
 */
int camera_set_format(struct camera *camera, __u32 fourcc, __u32 width,
		      __u32 height)
{
	const struct camera_format *got = &camera->format;
	struct v4l2_format f = { .type = camera->type };

	if (is_multiplanar(camera)) {
		f.fmt.pix_mp.pixelformat = fourcc;
		f.fmt.pix_mp.width = width;
		f.fmt.pix_mp.height = height;
	} else {
		f.fmt.pix.pixelformat = fourcc;
		f.fmt.pix.width = width;
		f.fmt.pix.height = height;
	}
	if (xioctl(camera->fd, VIDIOC_S_FMT, &f))
		return complain_errno("%s: cannot set the format",
				      camera->path);
	read_format(camera, &f);
	if (got->fourcc == fourcc && got->width == width &&
	    got->height == height)
		return 0;
	return complain("%s: offers %ux%u %.4s, not %ux%u %.4s", camera->path,
			got->width, got->height, (char *)&got->fourcc,
			width, height, (char *)&fourcc);
}

/**
 * camera_set_rate - set frames per second
 * @camera: an open camera, its format set
 * @rate: how many
 */
int camera_set_rate(struct camera *camera, unsigned int rate)
{
	struct v4l2_streamparm parm = { .type = camera->type };

	parm.parm.capture.timeperframe.numerator = 1;
	parm.parm.capture.timeperframe.denominator = rate;
	if (xioctl(camera->fd, VIDIOC_S_PARM, &parm))
		return complain_errno("%s: cannot set the rate", camera->path);
	return 0;
}

static int export_buffer(struct camera *camera, unsigned int index)
{
	unsigned int i;

	for (i = 0; i < camera->format.num_planes; i++) {
		struct v4l2_exportbuffer exp = {
			.type = camera->type,
			.index = index,
			.plane = i,
			.flags = O_RDWR | O_CLOEXEC,
		};

		if (xioctl(camera->fd, VIDIOC_EXPBUF, &exp))
			return complain_errno("%s: cannot export buffer %u",
					      camera->path, index);
		camera->dmabuf[index][i] = exp.fd;
	}
	return 0;
}

/**
 * camera_create_buffers - allocate buffers and export each plane
 * @camera: an open camera, its format set
 * @count: how many
 */
int camera_create_buffers(struct camera *camera, unsigned int count)
{
	struct v4l2_requestbuffers req = {
		.type = camera->type,
		.memory = V4L2_MEMORY_MMAP,
		.count = count,
	};
	unsigned int i;

	if (xioctl(camera->fd, VIDIOC_REQBUFS, &req))
		return complain_errno("%s: cannot allocate %u buffers",
				      camera->path, count);
	if (req.count > CAMERA_MAX_BUFFERS)
		return complain("%s: %u buffers are too many", camera->path,
				req.count);
	memset(camera->dmabuf, -1, sizeof(camera->dmabuf));
	camera->num_buffers = req.count;
	for (i = 0; i < req.count; i++)
		if (export_buffer(camera, i))
			return -1;
	return 0;
}

static void init_buffer(const struct camera *camera, struct v4l2_buffer *buf,
			struct v4l2_plane *planes)
{
	memset(buf, 0, sizeof(*buf));
	memset(planes, 0, sizeof(*planes) * CAMERA_MAX_PLANES);
	buf->type = camera->type;
	buf->memory = V4L2_MEMORY_MMAP;
	if (is_multiplanar(camera)) {
		buf->m.planes = planes;
		buf->length = CAMERA_MAX_PLANES;
	}
}

/**
 * camera_queue - give a buffer to the camera
 * @camera: a camera with buffers
 * @index: which one
 */
int camera_queue(struct camera *camera, unsigned int index)
{
	struct v4l2_plane planes[CAMERA_MAX_PLANES];
	struct v4l2_buffer buf;

	init_buffer(camera, &buf, planes);
	buf.index = index;
	if (xioctl(camera->fd, VIDIOC_QBUF, &buf))
		return complain_errno("%s: cannot queue buffer %u",
				      camera->path, index);
	return 0;
}

/**
 * camera_dequeue - take a filled buffer from the camera
 * @camera: a streaming camera whose file is readable
 * @frame: filled in
 */
int camera_dequeue(struct camera *camera, struct camera_frame *frame)
{
	struct v4l2_plane planes[CAMERA_MAX_PLANES];
	struct v4l2_buffer buf;

	init_buffer(camera, &buf, planes);
	if (xioctl(camera->fd, VIDIOC_DQBUF, &buf))
		return complain_errno("%s: cannot dequeue", camera->path);
	frame->index = buf.index;
	frame->sequence = buf.sequence;
	frame->error = buf.flags & V4L2_BUF_FLAG_ERROR;
	return 0;
}

/**
 * camera_start - queue all buffers and stream
 * @camera: a camera with buffers
 */
int camera_start(struct camera *camera)
{
	unsigned int i;

	for (i = 0; i < camera->num_buffers; i++)
		if (camera_queue(camera, i))
			return -1;
	if (xioctl(camera->fd, VIDIOC_STREAMON, &camera->type))
		return complain_errno("%s: cannot stream", camera->path);
	return 0;
}

/**
 * camera_close - stop and close; exported planes too
 * @camera: from camera_open(), whether that worked or not
 */
void camera_close(struct camera *camera)
{
	unsigned int i, p;

	if (camera->fd < 0)
		return;
	xioctl(camera->fd, VIDIOC_STREAMOFF, &camera->type);
	for (i = 0; i < camera->num_buffers; i++)
		for (p = 0; p < CAMERA_MAX_PLANES; p++)
			if (camera->dmabuf[i][p] >= 0)
				close(camera->dmabuf[i][p]);
	close(camera->fd);
	camera->fd = -1;
}
