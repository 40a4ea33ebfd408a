// SPDX-License-Identifier: GPL-2.0-only
/*
 * V4L2 nodes and dma-bufs for the test programs: one call an ioctl.
 */
#define _GNU_SOURCE
#include "node.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/dma-buf.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FRAME_TIMEOUT_MS 20000	/* an emulated machine under load is slow */
#define MAX_MAPPINGS 256

static struct {
	void *addr;
	size_t length;
} mappings[MAX_MAPPINGS];

static int xioctl(int fd, unsigned long request, void *arg)
{
	int ret;

	do {
		ret = ioctl(fd, request, arg);
	} while (ret < 0 && errno == EINTR);
	return ret < 0 ? -errno : 0;
}

static int is_video(const struct dirent *d)
{
	return !strncmp(d->d_name, "video", 5);
}

static bool driven_by(const char *video, const char *driver)
{
	char link[PATH_MAX], target[PATH_MAX];
	ssize_t len;

	snprintf(link, sizeof(link),
		 "/sys/class/video4linux/%s/device/driver", video);
	len = readlink(link, target, sizeof(target) - 1);
	if (len < 0)
		return false;
	target[len] = 0;
	return !strcmp(basename(target), driver);
}

/* The /dev nodes of @driver in the order of their numbers; how many. */
unsigned int nodes_of_driver(const char *driver, char (*paths)[64],
			     unsigned int max)
{
	struct dirent **list;
	unsigned int count = 0;
	int i, n;

	n = scandir("/sys/class/video4linux", &list, is_video, versionsort);
	for (i = 0; i < n; i++) {
		if (count < max && driven_by(list[i]->d_name, driver))
			snprintf(paths[count++], 64, "/dev/%.50s",
				 list[i]->d_name);
		free(list[i]);
	}
	if (n >= 0)
		free(list);
	return count;
}

int node_open(struct node *n, const char *path)
{
	struct v4l2_capability cap = { 0 };
	int ret;

	memset(n, 0, sizeof(*n));
	snprintf(n->path, sizeof(n->path), "%s", path);
	n->fd = open(path, O_RDWR | O_CLOEXEC);
	if (n->fd < 0)
		return -errno;
	ret = xioctl(n->fd, VIDIOC_QUERYCAP, &cap);
	if (ret)
		return ret;
	snprintf(n->card, sizeof(n->card), "%s", cap.card);
	if (cap.device_caps & V4L2_CAP_VIDEO_CAPTURE)
		n->type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
	else if (cap.device_caps & V4L2_CAP_VIDEO_CAPTURE_MPLANE)
		n->type = V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE;
	else
		return -ENODEV;
	n->mplane = n->type == V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE;
	return node_get_format(n);
}

/* One queue of an open file, of an output node or a converter. */
int node_attach(struct node *n, int fd, enum v4l2_buf_type type)
{
	memset(n, 0, sizeof(*n));
	n->fd = fd;
	n->type = type;
	n->mplane = V4L2_TYPE_IS_MULTIPLANAR(type);
	return node_get_format(n);
}

void node_close(struct node *n)
{
	close(n->fd);
	n->fd = -1;
}

static void take_format(struct node *n, const struct v4l2_format *fmt)
{
	const struct v4l2_pix_format_mplane *mp = &fmt->fmt.pix_mp;
	const struct v4l2_pix_format *pix = &fmt->fmt.pix;
	unsigned int p;

	n->width = n->mplane ? mp->width : pix->width;
	n->height = n->mplane ? mp->height : pix->height;
	n->fourcc = n->mplane ? mp->pixelformat : pix->pixelformat;
	n->num_planes = n->mplane ? mp->num_planes : 1;
	for (p = 0; p < n->num_planes && p < NODE_MAX_PLANES; p++) {
		n->size[p] = n->mplane ? mp->plane_fmt[p].sizeimage :
					 pix->sizeimage;
		n->stride[p] = n->mplane ? mp->plane_fmt[p].bytesperline :
					   pix->bytesperline;
	}
}

int node_get_format(struct node *n)
{
	struct v4l2_format fmt = { .type = n->type };
	int ret = xioctl(n->fd, VIDIOC_G_FMT, &fmt);

	if (!ret)
		take_format(n, &fmt);
	return ret;
}

int node_set_format(struct node *n, uint32_t width, uint32_t height,
		    uint32_t fourcc)
{
	struct v4l2_format fmt = { .type = n->type };
	int ret;

	if (n->mplane) {
		fmt.fmt.pix_mp.width = width;
		fmt.fmt.pix_mp.height = height;
		fmt.fmt.pix_mp.pixelformat = fourcc;
		fmt.fmt.pix_mp.field = V4L2_FIELD_NONE;
	} else {
		fmt.fmt.pix.width = width;
		fmt.fmt.pix.height = height;
		fmt.fmt.pix.pixelformat = fourcc;
		fmt.fmt.pix.field = V4L2_FIELD_NONE;
	}
	ret = xioctl(n->fd, VIDIOC_S_FMT, &fmt);
	if (!ret)
		take_format(n, &fmt);
	return ret;
}

/* How many buffers the driver gave, or a negative errno. */
int node_reqbufs(struct node *n, enum v4l2_memory memory, unsigned int count)
{
	struct v4l2_requestbuffers req = {
		.type = n->type, .memory = memory, .count = count,
	};
	int ret = xioctl(n->fd, VIDIOC_REQBUFS, &req);

	return ret ? ret : (int)req.count;
}

/* As node_reqbufs(), with every plane of @size bytes (0: the format's). */
int node_create_bufs(struct node *n, enum v4l2_memory memory,
		     unsigned int count, uint32_t size)
{
	struct v4l2_create_buffers create = {
		.memory = memory, .count = count,
		.format = { .type = n->type },
	};
	unsigned int p;
	int ret;

	ret = xioctl(n->fd, VIDIOC_G_FMT, &create.format);
	if (ret)
		return ret;
	for (p = 0; size && n->mplane && p < n->num_planes; p++)
		create.format.fmt.pix_mp.plane_fmt[p].sizeimage = size;
	if (size && !n->mplane)
		create.format.fmt.pix.sizeimage = size;
	ret = xioctl(n->fd, VIDIOC_CREATE_BUFS, &create);
	return ret ? ret : (int)create.count;
}

static void init_buffer(struct node *n, enum v4l2_memory memory,
			unsigned int index, struct v4l2_buffer *b,
			struct v4l2_plane *planes)
{
	unsigned int p;

	memset(b, 0, sizeof(*b));
	memset(planes, 0, sizeof(*planes) * VIDEO_MAX_PLANES);
	b->type = n->type;
	b->memory = memory;
	b->index = index;
	if (n->mplane) {
		b->m.planes = planes;
		b->length = n->num_planes;
	}
	/* The frame is all there is. */
	if (!V4L2_TYPE_IS_OUTPUT(n->type))
		return;
	b->bytesused = n->size[0];
	for (p = 0; n->mplane && p < n->num_planes; p++)
		planes[p].bytesused = n->size[p];
}

int node_querybuf(struct node *n, enum v4l2_memory memory, unsigned int index,
		  struct v4l2_buffer *b, struct v4l2_plane *planes)
{
	init_buffer(n, memory, index, b, planes);
	return xioctl(n->fd, VIDIOC_QUERYBUF, b);
}

/* The new file descriptor, or a negative errno. */
int node_expbuf(struct node *n, unsigned int index, unsigned int plane,
		unsigned int flags)
{
	struct v4l2_exportbuffer exp = {
		.type = n->type, .index = index, .plane = plane,
		.flags = flags,
	};
	int ret = xioctl(n->fd, VIDIOC_EXPBUF, &exp);

	return ret ? ret : exp.fd;
}

int node_qbuf(struct node *n, unsigned int index)
{
	struct v4l2_plane planes[VIDEO_MAX_PLANES];
	struct v4l2_buffer b;

	init_buffer(n, V4L2_MEMORY_MMAP, index, &b, planes);
	return xioctl(n->fd, VIDIOC_QBUF, &b);
}

/* Queue dma-bufs, one a plane; @lengths may be NULL: the whole of each. */
int node_qbuf_fds(struct node *n, unsigned int index, const int *fds,
		  const uint32_t *lengths)
{
	static const uint32_t none[NODE_MAX_PLANES];
	struct v4l2_plane planes[VIDEO_MAX_PLANES];
	struct v4l2_buffer b;
	unsigned int p;

	init_buffer(n, V4L2_MEMORY_DMABUF, index, &b, planes);
	/* Of a frame that is output the length must be told. */
	if (!lengths)
		lengths = V4L2_TYPE_IS_OUTPUT(n->type) ? n->size : none;
	for (p = 0; n->mplane && p < n->num_planes; p++) {
		planes[p].m.fd = fds[p];
		planes[p].length = lengths[p];
	}
	if (!n->mplane) {
		b.m.fd = fds[0];
		b.length = lengths[0];
	}
	return xioctl(n->fd, VIDIOC_QBUF, &b);
}

/* Wait for a frame; -ETIMEDOUT if none comes. */
int node_dqbuf(struct node *n, enum v4l2_memory memory, struct node_frame *f)
{
	struct pollfd p = {
		.fd = n->fd,
		.events = V4L2_TYPE_IS_OUTPUT(n->type) ? POLLOUT : POLLIN,
	};
	struct v4l2_plane planes[VIDEO_MAX_PLANES];
	struct v4l2_buffer b;
	unsigned int i;
	int ret;

	ret = poll(&p, 1, FRAME_TIMEOUT_MS);
	if (ret <= 0)
		return ret ? -errno : -ETIMEDOUT;
	init_buffer(n, memory, 0, &b, planes);
	ret = xioctl(n->fd, VIDIOC_DQBUF, &b);
	if (ret)
		return ret;
	memset(f, 0, sizeof(*f));
	f->index = b.index;
	f->sequence = b.sequence;
	f->flags = b.flags;
	f->timestamp_us = b.timestamp.tv_sec * 1000000ULL +
			  b.timestamp.tv_usec;
	for (i = 0; i < n->num_planes && i < NODE_MAX_PLANES; i++) {
		f->bytesused[i] = n->mplane ? planes[i].bytesused :
					      b.bytesused;
		f->data_offset[i] = n->mplane ? planes[i].data_offset : 0;
	}
	return 0;
}

int node_stream(struct node *n, bool on)
{
	int type = n->type;

	return xioctl(n->fd, on ? VIDIOC_STREAMON : VIDIOC_STREAMOFF, &type);
}

/* Where QUERYBUF says that the plane is to be mapped; negative errno. */
off_t node_map_offset(struct node *n, unsigned int index, unsigned int plane)
{
	struct v4l2_plane planes[VIDEO_MAX_PLANES];
	struct v4l2_buffer b;
	int ret = node_querybuf(n, V4L2_MEMORY_MMAP, index, &b, planes);

	if (ret)
		return ret;
	return n->mplane ? planes[plane].m.mem_offset : b.m.offset;
}

/* The plane mapped through the node, all of it; MAP_FAILED and errno. */
void *node_map(struct node *n, unsigned int index, unsigned int plane,
	       size_t *length)
{
	off_t offset = node_map_offset(n, index, plane);

	if (offset < 0) {
		errno = -offset;
		return MAP_FAILED;
	}
	*length = n->size[plane];
	return map_fd(n->fd, *length, PROT_READ | PROT_WRITE, MAP_SHARED,
		      offset);
}

int dmabuf_sync(int fd, uint64_t flags)
{
	struct dma_buf_sync sync = { .flags = flags };

	return xioctl(fd, DMA_BUF_IOCTL_SYNC, &sync);
}

uint64_t dmabuf_inode(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? 0 : st.st_ino;
}

/* Live dma-bufs of one exporter in the whole system; negative errno. */
int dmabufs_of(const char *exporter)
{
	char line[256], name[128];
	int count = 0;
	FILE *f;

	f = fopen("/sys/kernel/debug/dma_buf/bufinfo", "re");
	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%*u %*x %*x %*u %127s", name) == 1 &&
		    !strcmp(name, exporter))
			count++;
	fclose(f);
	return count;
}

void *map_fd(int fd, size_t length, int prot, int flags, off_t offset)
{
	void *addr = mmap(NULL, length, prot, flags, fd, offset);
	unsigned int i;

	for (i = 0; addr != MAP_FAILED && i < MAX_MAPPINGS; i++) {
		if (mappings[i].addr)
			continue;
		mappings[i].addr = addr;
		mappings[i].length = length;
		break;
	}
	return addr;
}

void unmap_fd(void *addr, size_t length)
{
	unsigned int i;

	munmap(addr, length);
	for (i = 0; i < MAX_MAPPINGS; i++)
		if (mappings[i].addr == addr)
			mappings[i].addr = NULL;
}

void unmap_all(void)
{
	unsigned int i;

	for (i = 0; i < MAX_MAPPINGS; i++)
		if (mappings[i].addr)
			unmap_fd(mappings[i].addr, mappings[i].length);
}

/* What a test that failed half way left open. */
void close_all(void)
{
	syscall(SYS_close_range, 3, ~0U, 0);
}

int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

int read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	if (fd < 0)
		return -errno;
	len = read(fd, text, size - 1);
	if (len < 0)
		len = -errno;
	else
		text[len] = 0;
	close(fd);
	return len;
}

/* Remove a kernel module, without waiting for its users to go away. */
int unload(const char *module)
{
	/* udev opens new nodes for a moment, and holds their module. */
	if (system("udevadm settle"))
		return -ECHILD;
	return syscall(SYS_delete_module, module, O_NONBLOCK) ? -errno : 0;
}
