// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dma-bufs that others make: udmabuf, the system heap, DRM's dumb buffers.
 */
#define _GNU_SOURCE
#include "exporter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/dma-heap.h>
#include <linux/udmabuf.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xf86drm.h>

#define PAGE 4096

static size_t whole_pages(size_t size)
{
	return (size + PAGE - 1) / PAGE * PAGE;
}

int udmabuf(size_t size)
{
	struct udmabuf_create create = { .size = whole_pages(size) };
	int fd, control = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);

	if (control < 0)
		return -errno;
	create.memfd = memfd_create("frame", MFD_ALLOW_SEALING | MFD_CLOEXEC);
	if (ftruncate(create.memfd, create.size) ||
	    fcntl(create.memfd, F_ADD_SEALS, F_SEAL_SHRINK))
		fd = -1;
	else
		fd = ioctl(control, UDMABUF_CREATE, &create);
	fd = fd < 0 ? -errno : fd;
	close(create.memfd);
	close(control);
	return fd;
}

int system_heap_buffer_of_mode(size_t size, unsigned int mode)
{
	struct dma_heap_allocation_data data = {
		.len = whole_pages(size), .fd_flags = mode | O_CLOEXEC,
	};
	int ret, heap = open("/dev/dma_heap/system", O_RDWR | O_CLOEXEC);

	if (heap < 0)
		return -errno;
	ret = ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &data) ? -errno : (int)data.fd;
	close(heap);
	return ret;
}

int system_heap_buffer(size_t size)
{
	return system_heap_buffer_of_mode(size, O_RDWR);
}

/* A picture of 1024 pixels' width that has at least so many bytes. */
static int dumb_buffer(const char *driver, size_t size, uint32_t flags)
{
	struct drm_mode_create_dumb create = {
		.width = 1024, .height = whole_pages(size) / 4096, .bpp = 32,
	};
	int ret, fd, card = drmOpen(driver, NULL);

	if (card < 0)
		return -ENOENT;
	ret = ioctl(card, DRM_IOCTL_MODE_CREATE_DUMB, &create) ||
	      drmPrimeHandleToFD(card, create.handle, flags | DRM_CLOEXEC,
				 &fd) ? -errno : fd;
	close(card);
	return ret;
}

int vgem_buffer(size_t size)
{
	return dumb_buffer("vgem", size, DRM_RDWR);
}

int read_only_vgem_buffer(size_t size)
{
	return dumb_buffer("vgem", size, 0);
}

int vkms_buffer(size_t size)
{
	return dumb_buffer("vkms", size, DRM_RDWR);
}

int open_stock_vivid(struct node *n, bool mplane)
{
	char paths[4][64];
	unsigned int i, count = nodes_of_driver("vivid", paths, 4);

	for (i = 0; i < count; i++) {
		if (!node_open(n, paths[i]) && n->mplane == mplane)
			return 0;
		node_close(n);
	}
	return -ENOENT;
}
