// SPDX-License-Identifier: GPL-2.0-only
/*
 * The converter: are its pictures what they should be, computed here another
 * way; what becomes of jobs whose file, stream or device goes; and the errors
 * that it makes when it is asked to.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/media.h>
#include <linux/videodev2.h>
#include <linux/vivid-ext.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "converted.h"
#include "converter.h"
#include "frame.h"

#define CONVERTER_OF(n) "vivid-ext-m2m." #n

static void set_formats(uint32_t from, uint32_t width, uint32_t height,
			uint32_t to, uint32_t new_width, uint32_t new_height)
{
	must(node_set_format(&old, width, height, from));
	must(node_set_format(&new, new_width, new_height, to));
	assert_int_equal(new.width, new_width);
	assert_int_equal(new.height, new_height);
	assert_int_equal(new.fourcc, to);
}

static void set_flips(bool hflip, bool vflip)
{
	struct v4l2_control h = { V4L2_CID_HFLIP, hflip };
	struct v4l2_control v = { V4L2_CID_VFLIP, vflip };

	assert_int_equal(ioctl(old.fd, VIDIOC_S_CTRL, &h), 0);
	assert_int_equal(ioctl(old.fd, VIDIOC_S_CTRL, &v), 0);
}

/* Colours that change from pixel to pixel, all values among them. */
static void draw(uint8_t *bytes, size_t size)
{
	uint32_t seed = 12345;

	for (size_t i = 0; i < size; i++) {
		seed = seed * 1664525 + 1013904223;
		bytes[i] = seed >> 24;
	}
}

static struct pic map_pic(struct node *n, unsigned int index)
{
	size_t length;
	struct pic p = { n->fourcc, n->width, n->height, n->stride[0], NULL };

	p.bytes = must_map(node_map(n, index, 0, &length));
	return p;
}

static void start(unsigned int count)
{
	assert_in_range(must(node_reqbufs(&old, V4L2_MEMORY_MMAP, count)),
			count, 32);
	assert_in_range(must(node_reqbufs(&new, V4L2_MEMORY_MMAP, count)),
			count, 32);
	must(node_stream(&old, true));
	must(node_stream(&new, true));
}

static void stop(void)
{
	must(node_stream(&old, false));
	must(node_stream(&new, false));
	unmap_all();
	must(node_reqbufs(&old, V4L2_MEMORY_MMAP, 0));
	must(node_reqbufs(&new, V4L2_MEMORY_MMAP, 0));
}

static void finish_one(void)
{
	struct node_frame f;

	must(node_dqbuf(&new, V4L2_MEMORY_MMAP, &f));
	assert_false(f.flags & V4L2_BUF_FLAG_ERROR);
	must(node_dqbuf(&old, V4L2_MEMORY_MMAP, &f));
}

static void convert_one(bool hflip, bool vflip)
{
	struct pic from, to;

	set_flips(hflip, vflip);
	start(1);
	from = map_pic(&old, 0);
	to = map_pic(&new, 0);
	draw(from.bytes, old.size[0]);
	must(node_qbuf(&old, 0));
	must(node_qbuf(&new, 0));
	finish_one();
	check_pixels(&from, &to, hflip, vflip);
	stop();
}

static const uint32_t formats[] = {
	V4L2_PIX_FMT_YUYV, V4L2_PIX_FMT_NV12, V4L2_PIX_FMT_RGB24,
	V4L2_PIX_FMT_XBGR32,
};

#define FORMATS (sizeof(formats) / sizeof(formats[0]))

static void each_format_into_each(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < FORMATS; i++)
		for (unsigned int j = 0; j < FORMATS; j++) {
			set_formats(formats[i], 176, 144, formats[j], 176, 144);
			convert_one(false, false);
		}
}

/* All that the lists have, also what is not compared by pixel. */
static void each_format_offered_is_converted(void **state)
{
	struct v4l2_fmtdesc f = { .type = old.type };

	(void)state;
	for (; !ioctl(old.fd, VIDIOC_ENUM_FMT, &f); f.index++) {
		set_formats(f.pixelformat, 176, 144, V4L2_PIX_FMT_YUYV, 176,
			    144);
		start(1);
		must(node_qbuf(&old, 0));
		must(node_qbuf(&new, 0));
		finish_one();
		stop();
		set_formats(V4L2_PIX_FMT_YUYV, 176, 144, f.pixelformat, 176,
			    144);
	}
	assert_in_range(f.index, FORMATS, 64);
}

static void sizes(void **state)
{
	static const uint32_t size[][2] = {
		{ 352, 288 }, { 160, 90 }, { 482, 94 }, { 162, 310 },
	};

	(void)state;
	for (unsigned int i = 0; i < FORMATS; i++)
		for (unsigned int j = 0; j < 4; j++) {
			set_formats(formats[i], 176, 144, formats[(i + j) % 4],
				    size[j][0], size[j][1]);
			convert_one(false, false);
		}
}

static void flips(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < FORMATS; i++)
		for (unsigned int flip = 1; flip < 4; flip++) {
			set_formats(formats[i], 176, 144,
				    formats[(i + flip) % 4], 240, 100);
			convert_one(flip & 1, flip & 2);
		}
}

/* By number: the capture node's frames go through, from fd to fd. */
static void dma_bufs_at_both_queues(void **state)
{
	uint32_t sequence, copied;
	struct node_frame f;
	int from, to;

	(void)state;
	must(node_set_format(&dev[0], 320, 180, V4L2_PIX_FMT_YUYV));
	must(node_set_format(&dev[1], 320, 180, V4L2_PIX_FMT_XBGR32));
	set_formats(V4L2_PIX_FMT_YUYV, 320, 180, V4L2_PIX_FMT_XBGR32, 320, 180);
	alloc_buffers(&dev[0], 1);
	alloc_buffers(&dev[1], 1);
	from = must(node_expbuf(&dev[0], 0, 0, O_RDWR));
	to = must(node_expbuf(&dev[1], 0, 0, O_RDWR));
	must(node_qbuf(&dev[0], 0));
	must(node_stream(&dev[0], true));
	must(node_dqbuf(&dev[0], V4L2_MEMORY_MMAP, &f));
	must(node_stream(&dev[0], false));
	require_stamp(&dev[0], &from, &sequence);

	must(node_reqbufs(&old, V4L2_MEMORY_DMABUF, 1));
	must(node_reqbufs(&new, V4L2_MEMORY_DMABUF, 1));
	must(node_qbuf_fds(&old, 0, &from, NULL));
	must(node_qbuf_fds(&new, 0, &to, NULL));
	must(node_stream(&old, true));
	must(node_stream(&new, true));
	must(node_dqbuf(&new, V4L2_MEMORY_DMABUF, &f));
	assert_false(f.flags & V4L2_BUF_FLAG_ERROR);
	require_stamp(&new, &to, &copied);
	assert_int_equal(copied, sequence);
}

static void times_are_copied(void **state)
{
	struct v4l2_plane planes[VIDEO_MAX_PLANES] = { 0 };
	struct v4l2_buffer b = { .memory = V4L2_MEMORY_MMAP };

	(void)state;
	set_formats(V4L2_PIX_FMT_YUYV, 176, 144, V4L2_PIX_FMT_NV12, 176, 144);
	start(1);
	b.timestamp.tv_sec = 1234;
	b.timestamp.tv_usec = 567890;
	must(queue_picture(&b));
	must(node_qbuf(&new, 0));
	b.type = new.type;
	if (new.mplane) {
		b.m.planes = planes;
		b.length = new.num_planes;
	}
	assert_int_equal(ioctl(new.fd, VIDIOC_DQBUF, &b), 0);
	assert_int_equal(b.timestamp.tv_sec, 1234);
	assert_int_equal(b.timestamp.tv_usec, 567890);
	assert_int_equal(b.flags & V4L2_BUF_FLAG_TIMESTAMP_MASK,
			 V4L2_BUF_FLAG_TIMESTAMP_COPY);
}

/* A request that mirrors its picture and no other one. */
static int mirrored_request(int media)
{
	struct v4l2_ext_control flip = { .id = V4L2_CID_HFLIP, .value = 1 };
	struct v4l2_ext_controls flips = {
		.which = V4L2_CTRL_WHICH_REQUEST_VAL,
		.count = 1,
		.controls = &flip,
	};
	struct v4l2_buffer b = {
		.memory = V4L2_MEMORY_MMAP,
		.flags = V4L2_BUF_FLAG_REQUEST_FD,
	};
	int request;

	assert_int_equal(ioctl(media, MEDIA_IOC_REQUEST_ALLOC, &request), 0);
	flips.request_fd = request;
	assert_int_equal(ioctl(old.fd, VIDIOC_S_EXT_CTRLS, &flips), 0);
	b.request_fd = request;
	must(queue_picture(&b));
	return request;
}

static void a_request_mirrors_its_picture(void **state)
{
	struct pollfd done = { .events = POLLPRI };
	struct pic from, to;
	int media;

	(void)state;
	media = open_converters_media();
	set_formats(V4L2_PIX_FMT_YUYV, 176, 144, V4L2_PIX_FMT_RGB24, 176, 144);
	start(1);
	from = map_pic(&old, 0);
	to = map_pic(&new, 0);
	draw(from.bytes, old.size[0]);
	done.fd = mirrored_request(media);
	must(node_qbuf(&new, 0));
	assert_int_equal(ioctl(done.fd, MEDIA_REQUEST_IOC_QUEUE, NULL), 0);
	assert_int_equal(poll(&done, 1, 20000), 1);
	finish_one();
	check_pixels(&from, &to, true, false);
}

/* Long enough to be caught in the middle, on any machine. */
static void start_long_jobs(void)
{
	set_formats(V4L2_PIX_FMT_XBGR32, 1920, 1080, V4L2_PIX_FMT_NV12, 1280,
		    720);
	start(2);
	for (unsigned int i = 0; i < 2; i++) {
		must(node_qbuf(&old, i));
		must(node_qbuf(&new, i));
	}
}

static void a_stream_ends_in_a_job(void **state)
{
	(void)state;
	start_long_jobs();
	stop();
	set_formats(V4L2_PIX_FMT_YUYV, 176, 144, V4L2_PIX_FMT_NV12, 176, 144);
	convert_one(false, false);
}

static void the_file_is_closed_in_a_job(void **state)
{
	(void)state;
	start_long_jobs();
	close(old.fd);
	must(open_converter(state));
	set_formats(V4L2_PIX_FMT_YUYV, 176, 144, V4L2_PIX_FMT_NV12, 176, 144);
	convert_one(false, false);
}

static void bind(const char *how)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/bus/platform/drivers/%s/%s",
		 CONVERTER, how);
	must(write_text(path, CONVERTER_OF(0)));
}

static void unbound_in_a_job(void **state)
{
	struct node_frame f;
	uint8_t *bytes;
	int fd;

	(void)state;
	start_long_jobs();
	fd = must(node_expbuf(&new, 1, 0, O_RDWR));
	bind("unbind");
	assert_true(node_dqbuf(&new, V4L2_MEMORY_MMAP, &f) < 0);
	refuses(node_stream(&old, true), ENODEV);
	bytes = must_map(map_dmabuf(fd, new.size[0], PROT_READ | PROT_WRITE));
	bytes[0] = 1;
	bytes[new.size[0] - 1] = 2;
	close(old.fd);
	bind("bind");
	assert_int_equal(bytes[0], 1);
	assert_int_equal(bytes[new.size[0] - 1], 2);
}

static void buffers_outlive_the_file(void **state)
{
	struct pic from, to;
	uint8_t *copy;
	int fd;

	(void)state;
	set_formats(V4L2_PIX_FMT_YUYV, 176, 144, V4L2_PIX_FMT_YUYV, 176, 144);
	start(1);
	from = map_pic(&old, 0);
	draw(from.bytes, old.size[0]);
	copy = malloc(old.size[0]);
	assert_non_null(copy);
	memcpy(copy, from.bytes, old.size[0]);
	must(node_qbuf(&old, 0));
	must(node_qbuf(&new, 0));
	finish_one();
	fd = must(node_expbuf(&new, 0, 0, O_RDWR));
	unmap_all();
	close(old.fd);
	to.bytes = must_map(map_dmabuf(fd, new.size[0], PROT_READ));
	assert_memory_equal(to.bytes, copy, new.size[0]);
	free(copy);
}

/* A request's file may be the last thing that is left of the device. */
static void a_request_outlives_the_device(void **state)
{
	int media, request;

	(void)state;
	media = open_converters_media();
	set_formats(V4L2_PIX_FMT_YUYV, 176, 144, V4L2_PIX_FMT_NV12, 176, 144);
	start(1);
	request = mirrored_request(media);
	bind("unbind");
	close(old.fd);
	close(media);
	assert_int_equal(close(request), 0);
	bind("bind");
}

/* Errors, when asked for. */

static void set_error(uint32_t id, int value)
{
	struct v4l2_control error = { id, value };

	assert_int_equal(ioctl(old.fd, VIDIOC_S_CTRL, &error), 0);
}

static void calls_fail_once(void **state)
{
	(void)state;
	set_formats(V4L2_PIX_FMT_YUYV, 176, 144, V4L2_PIX_FMT_NV12, 176, 144);
	set_error(VIVID_EXT_CID_QUEUE_SETUP_ERROR, 1);
	refuses(node_reqbufs(&new, V4L2_MEMORY_MMAP, 1), ENOMEM);
	must(node_reqbufs(&new, V4L2_MEMORY_MMAP, 1));
	must(node_reqbufs(&old, V4L2_MEMORY_MMAP, 1));
	set_error(VIVID_EXT_CID_BUF_PREPARE_ERROR, 1);
	refuses(node_qbuf(&old, 0), EIO);
	must(node_qbuf(&old, 0));
	must(node_qbuf(&new, 0));
	must(node_stream(&new, true));
	set_error(VIVID_EXT_CID_START_STREAMING_ERROR, 1);
	refuses(node_stream(&old, true), EIO);
	/* The buffers are still queued. */
	must(node_stream(&old, true));
	finish_one();
}

/* A request whose stream can't start waits for the next start, as it is. */
static void a_request_waits_for_a_start(void **state)
{
	struct pollfd done = { .events = POLLPRI };
	struct pic from, to;

	(void)state;
	set_formats(V4L2_PIX_FMT_YUYV, 176, 144, V4L2_PIX_FMT_RGB24, 176, 144);
	must(node_reqbufs(&old, V4L2_MEMORY_MMAP, 1));
	must(node_reqbufs(&new, V4L2_MEMORY_MMAP, 1));
	from = map_pic(&old, 0);
	to = map_pic(&new, 0);
	draw(from.bytes, old.size[0]);
	done.fd = mirrored_request(open_converters_media());
	must(node_qbuf(&new, 0));
	assert_int_equal(ioctl(done.fd, MEDIA_REQUEST_IOC_QUEUE, NULL), 0);
	must(node_stream(&new, true));
	set_error(VIVID_EXT_CID_START_STREAMING_ERROR, 1);
	refuses(node_stream(&old, true), EIO);
	must(node_stream(&old, true));
	assert_int_equal(poll(&done, 1, 20000), 1);
	finish_one();
	check_pixels(&from, &to, true, false);
}

/* Both buffers of a job that went wrong say so. */
static void fail_one(void)
{
	struct node_frame f;

	must(node_qbuf(&old, 0));
	must(node_qbuf(&new, 0));
	must(node_dqbuf(&new, V4L2_MEMORY_MMAP, &f));
	assert_true(f.flags & V4L2_BUF_FLAG_ERROR);
	must(node_dqbuf(&old, V4L2_MEMORY_MMAP, &f));
	assert_true(f.flags & V4L2_BUF_FLAG_ERROR);
}

static void succeed_one(void)
{
	must(node_qbuf(&old, 0));
	must(node_qbuf(&new, 0));
	finish_one();
}

static void frames_are_in_error(void **state)
{
	(void)state;
	set_formats(V4L2_PIX_FMT_YUYV, 176, 144, V4L2_PIX_FMT_NV12, 176, 144);
	start(1);
	set_error(VIVID_EXT_CID_ERROR_FRAMES, 50);
	for (int i = 0; i < 3; i++) {
		succeed_one();
		fail_one();
	}
	set_error(VIVID_EXT_CID_ERROR_FRAMES, 0);
	succeed_one();
}

/* The memory that was to be written stays as it was. */
static void device_faults(void **state)
{
	struct pic from, to;

	(void)state;
	set_formats(V4L2_PIX_FMT_YUYV, 176, 144, V4L2_PIX_FMT_YUYV, 176, 144);
	start(1);
	from = map_pic(&old, 0);
	to = map_pic(&new, 0);
	draw(from.bytes, old.size[0]);
	memset(to.bytes, 0x5a, new.size[0]);
	set_error(VIVID_EXT_CID_DMA_FAULTS, 100);
	if (dev_does_dma()) {
		fail_one();
		for (uint32_t i = 0; i < new.size[0]; i++)
			assert_int_equal(to.bytes[i], 0x5a);
	}
	set_error(VIVID_EXT_CID_DMA_FAULTS, 0);
	succeed_one();
	assert_memory_equal(to.bytes, from.bytes, new.size[0]);
}

static void sequence_wraps(void **state)
{
	struct node_frame f;
	uint32_t first;

	(void)state;
	set_formats(V4L2_PIX_FMT_YUYV, 176, 144, V4L2_PIX_FMT_NV12, 176, 144);
	set_error(VIVID_EXT_CID_WRAP_SEQUENCE, 1);
	start(1);
	for (unsigned int i = 0; i < 40; i++) {
		must(node_qbuf(&old, 0));
		must(node_qbuf(&new, 0));
		must(node_dqbuf(&new, V4L2_MEMORY_MMAP, &f));
		must(node_dqbuf(&old, V4L2_MEMORY_MMAP, &f));
		if (!i)
			first = f.sequence;
		assert_int_equal(f.sequence, first + i);
	}
	assert_in_range(first, 0xfffffff0u, 0xffffffffu);
	assert_in_range(f.sequence, 0, 40);
}

static void device_disconnects(void **state)
{
	struct node_frame f;
	int i, ret = 0;

	set_formats(V4L2_PIX_FMT_YUYV, 176, 144, V4L2_PIX_FMT_NV12, 176, 144);
	set_error(VIVID_EXT_CID_DISCONNECT, 3);
	start(1);
	for (i = 0; i < 1000 && !ret; i++) {
		ret = node_qbuf(&old, 0);
		ret = ret ?: node_qbuf(&new, 0);
		ret = ret ?: node_dqbuf(&new, V4L2_MEMORY_MMAP, &f);
		ret = ret ?: node_dqbuf(&old, V4L2_MEMORY_MMAP, &f);
	}
	/* Who waits when it goes is told otherwise than who comes later. */
	assert_true(ret == -ENODEV || ret == -EINVAL);
	assert_in_range(i, 3, 999);
	refuses(node_stream(&old, true), ENODEV);
	close(old.fd);
	bind("bind");
	must(run("udevadm settle"));
	must(open_converter(state));
	set_formats(V4L2_PIX_FMT_YUYV, 176, 144, V4L2_PIX_FMT_NV12, 176, 144);
	convert_one(false, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		converter_test(each_format_into_each),
		converter_test(each_format_offered_is_converted),
		converter_test(sizes),
		converter_test(flips),
		converter_test(dma_bufs_at_both_queues),
		converter_test(times_are_copied),
		converter_test(a_request_mirrors_its_picture),
		converter_test(a_stream_ends_in_a_job),
		converter_test(the_file_is_closed_in_a_job),
		converter_test(unbound_in_a_job),
		converter_test(buffers_outlive_the_file),
		converter_test(a_request_outlives_the_device),
		converter_test(calls_fail_once),
		converter_test(a_request_waits_for_a_start),
		converter_test(frames_are_in_error),
		converter_test(device_faults),
		converter_test(sequence_wraps),
		converter_test(device_disconnects),
	};

	return cmocka_run_group_tests_name("m2m", tests, NULL, NULL);
}
