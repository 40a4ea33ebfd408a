// SPDX-License-Identifier: GPL-2.0-only
/*
 * A dma-buf from whoever makes them: a V4L2 node, udmabuf, a dma-heap.
 */
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/udmabuf.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "exporters.h"
#include "util.h"

#define PAGE 4096

static int open_udmabuf(struct exported *buffer, size_t size)
{
	struct udmabuf_create create = { .size = size };
	int device, memory, ret = -1;

	device = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);
	if (device < 0)
		return complain_errno("/dev/udmabuf");
	memory = memfd_create("frame", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (memory < 0 || ftruncate(memory, create.size) ||
	    fcntl(memory, F_ADD_SEALS, F_SEAL_SHRINK)) {
		complain_errno("memfd");
		goto out;
	}
	create.memfd = memory;
	create.flags = UDMABUF_FLAGS_CLOEXEC;
	buffer->fd = ioctl(device, UDMABUF_CREATE, &create);
	buffer->size = create.size;
	ret = buffer->fd < 0 ? complain_errno("udmabuf") : 0;
out:
	close(memory);
	close(device);
	return ret;
}

static int open_heap(struct exported *buffer, const char *path, size_t size)
{
	struct dma_heap_allocation_data data = {
		.len = size,
		.fd_flags = O_RDWR | O_CLOEXEC,
	};
	int heap = open(path, O_RDWR | O_CLOEXEC);
	int ret;

	if (heap < 0)
		return complain_errno("%s", path);
	ret = ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &data);
	close(heap);
	if (ret)
		return complain_errno("%s", path);
	buffer->fd = data.fd;
	buffer->size = data.len;
	return 0;
}

static int open_camera(struct exported *buffer, const char *path,
		       unsigned int width, unsigned int height)
{
	struct camera *camera = &buffer->camera;
	off_t size;

	if (camera_open(camera, path))
		return -1;
	buffer->is_v4l2 = true;
	if (camera_set_format(camera, V4L2_PIX_FMT_XBGR32, width, height) ||
	    camera_set_rate(camera, 100) || camera_create_buffers(camera, 2)) {
		camera_close(camera);
		return -1;
	}
	buffer->fd = camera->dmabuf[0][0];
	size = lseek(buffer->fd, 0, SEEK_END);
	buffer->size = size < 0 ? 0 : size;
	screen_open(&buffer->screen, camera);
	return 0;
}

int exported_open(struct exported *buffer, const char *name,
		  unsigned int width, unsigned int height)
{
	size_t size = ((size_t)width * height * 4 + PAGE - 1) / PAGE * PAGE;

	memset(buffer, 0, sizeof(*buffer));
	buffer->screen.fd = -1;
	if (!strcmp(name, "udmabuf"))
		return open_udmabuf(buffer, size);
	if (!strncmp(name, "/dev/dma_heap/", 14))
		return open_heap(buffer, name, size);
	return open_camera(buffer, name, width, height);
}

void exported_close(struct exported *buffer)
{
	screen_close(&buffer->screen);
	if (buffer->is_v4l2)
		camera_close(&buffer->camera);
	else
		close(buffer->fd);
}

static void *map_node(struct exported *buffer, unsigned int index)
{
	struct v4l2_plane planes[CAMERA_MAX_PLANES] = { 0 };
	struct v4l2_buffer b = {
		.index = index,
		.type = buffer->camera.type,
		.memory = V4L2_MEMORY_MMAP,
	};
	bool multi = V4L2_TYPE_IS_MULTIPLANAR(b.type);
	void *map;

	if (multi) {
		b.m.planes = planes;
		b.length = CAMERA_MAX_PLANES;
	}
	if (ioctl(buffer->camera.fd, VIDIOC_QUERYBUF, &b)) {
		complain_errno("VIDIOC_QUERYBUF");
		return NULL;
	}
	map = mmap(NULL, buffer->size, PROT_READ | PROT_WRITE, MAP_SHARED,
		   buffer->camera.fd,
		   multi ? planes[0].m.mem_offset : b.m.offset);
	if (map == MAP_FAILED) {
		complain_errno("mmap of the video node");
		return NULL;
	}
	return map;
}

void *exported_map_node(struct exported *buffer)
{
	return map_node(buffer, 0);
}

/* Stream until there is a frame, which must be in this buffer. */
static int capture(struct exported *buffer, unsigned int index)
{
	enum v4l2_buf_type type = buffer->camera.type;
	struct pollfd ready = {
		.fd = buffer->camera.fd,
		.events = POLLIN,
	};
	struct camera_frame frame;

	if (camera_queue(&buffer->camera, index))
		return -1;
	if (ioctl(buffer->camera.fd, VIDIOC_STREAMON, &type))
		return complain_errno("VIDIOC_STREAMON");
	if (poll(&ready, 1, 5000) != 1)
		return complain("no frame within 5 seconds");
	if (camera_dequeue(&buffer->camera, &frame))
		return -1;
	if (frame.index != index)
		return complain("buffer %u instead of %u", frame.index, index);
	if (ioctl(buffer->camera.fd, VIDIOC_STREAMOFF, &type))
		return complain_errno("VIDIOC_STREAMOFF");
	return frame.error ? complain("the camera marks its frame as wrong") : 0;
}

int exported_capture(struct exported *buffer)
{
	return capture(buffer, 0);
}

static int copy_buffer(struct exported *buffer, unsigned int index, void *to)
{
	struct dma_buf_sync sync = {
		.flags = DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ,
	};
	int fd = buffer->camera.dmabuf[index][0];
	void *map = map_node(buffer, index);

	if (!map)
		return -1;
	ioctl(fd, DMA_BUF_IOCTL_SYNC, &sync);
	memcpy(to, map, buffer->size);
	sync.flags = DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ;
	ioctl(fd, DMA_BUF_IOCTL_SYNC, &sync);
	munmap(map, buffer->size);
	return 0;
}

int exported_scan(struct exported *buffer, void *seen)
{
	int ret;

	ret = screen_show(&buffer->screen, buffer->fd, buffer->size);
	if (!ret)
		ret = capture(buffer, 1);
	screen_clear(&buffer->screen);
	return ret ? ret : copy_buffer(buffer, 1, seen);
}
