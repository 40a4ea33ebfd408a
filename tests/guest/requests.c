// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests of the converter that are refused: a buffer's memory is dropped
 * then, and what the device had of it must go too, whatever else is done to
 * the queue at that moment.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/media.h>
#include <linux/videodev2.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "testlib.h"

#define CONVERTER "vivid-ext-m2m"
#define SECONDS 10

static struct node old;		/* the converter's queue for requests */
static volatile bool going, over;

static int open_converter(void **state)
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
	return node_attach(&old, fd, dev[0].mplane ?
			   V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE :
			   V4L2_BUF_TYPE_VIDEO_OUTPUT);
}

static int open_media(void)
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

/* Windows of devices on buffers that there are in the kernel. */
static int windows(void)
{
	FILE *f = fopen("/proc/vmallocinfo", "r");
	char line[512];
	int n = 0;

	if (!f)
		fail_msg("/proc/vmallocinfo: %s", strerror(errno));
	while (fgets(line, sizeof(line), f))
		n += strstr(line, "view_") || strstr(line, "[vivid_ext_common]");
	fclose(f);
	return n;
}

/* Errors are the other thread's doing, or wanted. */
static int request_with(int media, int dmabuf, bool beside)
{
	struct v4l2_plane planes[VIDEO_MAX_PLANES] = { 0 };
	struct v4l2_buffer b = {
		.type = old.type,
		.memory = V4L2_MEMORY_DMABUF,
		.flags = V4L2_BUF_FLAG_REQUEST_FD,
		.bytesused = old.size[0],
		.length = old.size[0],
	};
	int request, ret;

	must(ioctl(media, MEDIA_IOC_REQUEST_ALLOC, &request) ? -errno : 0);
	b.request_fd = request;
	b.m.fd = dmabuf;
	if (old.mplane) {
		planes[0].bytesused = old.size[0];
		planes[0].length = old.size[0];
		planes[0].m.fd = dmabuf;
		b.m.planes = planes;
		b.length = 1;
	}
	ret = ioctl(old.fd, VIDIOC_QBUF, &b);
	going = beside;
	ret = ret ?: ioctl(request, MEDIA_REQUEST_IOC_QUEUE, NULL);
	ret = ret ? -errno : 0;
	/* The buffer holds a request that was refused. */
	if (ret)
		ioctl(request, MEDIA_REQUEST_IOC_REINIT, NULL);
	close(request);
	return ret;
}

/* About when the request is refused, and for each one a little later. */
static void *drop_buffers(void *unused)
{
	unsigned int n = 0;

	while (!over) {
		while (!going && !over)
			;
		going = false;
		for (volatile unsigned int i = n++ % 64 * 200; i; i--)
			;
		node_reqbufs(&old, V4L2_MEMORY_DMABUF, 0);
	}
	return unused;
}

static void set_formats(void)
{
	must(node_set_format(&old, 176, 144, V4L2_PIX_FMT_YUYV));
	must(node_set_format(&dev[0], 176, 144, V4L2_PIX_FMT_YUYV));
}

/* A buffer that the device has, and then one that is none, in its place. */
static bool refuse_one(int media, int dmabuf, int none)
{
	if (node_reqbufs(&old, V4L2_MEMORY_DMABUF, 1) < 0 ||
	    request_with(media, dmabuf, false))
		return false;
	/* It comes back, with its memory. */
	node_stream(&old, false);
	return request_with(media, none, true);
}

static void refused_beside_reqbufs(void **state)
{
	int media, dmabuf, none, before, refused = 0;
	pthread_t thread;
	time_t end;

	(void)state;
	set_formats();
	alloc_buffers(&dev[0], 1);
	media = open_media();
	dmabuf = must(node_expbuf(&dev[0], 0, 0, O_RDWR));
	none = open("/dev/null", O_RDWR | O_CLOEXEC);
	before = windows();
	over = false;
	assert_int_equal(pthread_create(&thread, NULL, drop_buffers, NULL), 0);
	for (end = time(NULL) + SECONDS; time(NULL) < end;)
		refused += refuse_one(media, dmabuf, none);
	over = true;
	pthread_join(thread, NULL);
	must(node_reqbufs(&old, V4L2_MEMORY_DMABUF, 0));
	print_message("%d refused\n", refused);
	assert_int_equal(windows(), before);
	assert_true(refused);
}

/* Without anybody else the window goes with the memory, at once. */
static void a_refused_request_drops_its_buffer(void **state)
{
	int media, dmabuf, none, before;

	(void)state;
	set_formats();
	alloc_buffers(&dev[0], 1);
	media = open_media();
	dmabuf = must(node_expbuf(&dev[0], 0, 0, O_RDWR));
	none = open("/dev/null", O_RDWR | O_CLOEXEC);
	must(node_reqbufs(&old, V4L2_MEMORY_DMABUF, 1));
	before = windows();
	must(request_with(media, dmabuf, false));
	if (dev_does_dma())
		assert_int_equal(windows(), before + 1);
	must(node_stream(&old, false));
	refuses(request_with(media, none, false), EINVAL);
	assert_int_equal(windows(), before);
	/* And the queue can be used again. */
	must(node_reqbufs(&old, V4L2_MEMORY_DMABUF, 0));
	must(node_reqbufs(&old, V4L2_MEMORY_DMABUF, 1));
	must(request_with(media, dmabuf, false));
}

#define converter_test(f) \
	cmocka_unit_test_setup_teardown(f, open_converter, close_nodes)

int main(void)
{
	const struct CMUnitTest tests[] = {
		converter_test(a_refused_request_drops_its_buffer),
		converter_test(refused_beside_reqbufs),
	};

	return cmocka_run_group_tests_name("requests", tests, NULL, NULL);
}
