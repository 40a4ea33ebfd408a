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

#include "converter.h"

#define SECONDS 10

/* Where requests come from, a buffer to put into them, and one that is none. */
static int media, dmabuf, none;
static volatile bool going, over;

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
static int request_with(int fd, bool beside)
{
	struct v4l2_buffer b = {
		.memory = V4L2_MEMORY_DMABUF,
		.flags = V4L2_BUF_FLAG_REQUEST_FD,
	};
	int request, ret;

	must(ioctl(media, MEDIA_IOC_REQUEST_ALLOC, &request) ? -errno : 0);
	b.request_fd = request;
	b.m.fd = fd;
	ret = queue_picture(&b);
	going = beside;
	if (!ret && ioctl(request, MEDIA_REQUEST_IOC_QUEUE, NULL))
		ret = -errno;
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

static void prepare(void)
{
	must(node_set_format(&old, 176, 144, V4L2_PIX_FMT_YUYV));
	must(node_set_format(&dev[0], 176, 144, V4L2_PIX_FMT_YUYV));
	alloc_buffers(&dev[0], 1);
	media = open_converters_media();
	dmabuf = must(node_expbuf(&dev[0], 0, 0, O_RDWR));
	none = open("/dev/null", O_RDWR | O_CLOEXEC);
}

/* A buffer that the device has, and then one that is none, in its place. */
static bool refuse_one(void)
{
	if (node_reqbufs(&old, V4L2_MEMORY_DMABUF, 1) < 0 ||
	    request_with(dmabuf, false))
		return false;
	/* It comes back, with its memory. */
	node_stream(&old, false);
	return request_with(none, true);
}

static void refused_beside_reqbufs(void **state)
{
	int before, refused = 0;
	pthread_t thread;
	time_t end;

	(void)state;
	prepare();
	before = windows();
	over = false;
	assert_int_equal(pthread_create(&thread, NULL, drop_buffers, NULL), 0);
	for (end = time(NULL) + SECONDS; time(NULL) < end;)
		refused += refuse_one();
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
	int before;

	(void)state;
	prepare();
	must(node_reqbufs(&old, V4L2_MEMORY_DMABUF, 1));
	before = windows();
	must(request_with(dmabuf, false));
	if (dev_does_dma())
		assert_int_equal(windows(), before + 1);
	must(node_stream(&old, false));
	refuses(request_with(none, false), EINVAL);
	assert_int_equal(windows(), before);
	/* And the queue can be used again. */
	must(node_reqbufs(&old, V4L2_MEMORY_DMABUF, 0));
	must(node_reqbufs(&old, V4L2_MEMORY_DMABUF, 1));
	must(request_with(dmabuf, false));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		converter_test(a_refused_request_drops_its_buffer),
		converter_test(refused_beside_reqbufs),
	};

	return cmocka_run_group_tests_name("requests", tests, NULL, NULL);
}
