// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each error that a camera makes when it is asked to has the effect that is
 * documented, no other one, and ends when it is no longer asked for.
 */
#define _GNU_SOURCE
#include "testlib.h"
#include "frame.h"

#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <linux/dma-buf.h>
#include <linux/vivid-ext.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define BUFFERS 4
#define UNTOUCHED 0x5a

static bool is_simulated;

static int set(uint32_t id, int value)
{
	struct v4l2_control control = { .id = id, .value = value };

	return ioctl(dev[0].fd, VIDIOC_S_CTRL, &control) ? -errno : 0;
}

static int get(uint32_t id)
{
	struct v4l2_control control = { .id = id };

	must(ioctl(dev[0].fd, VIDIOC_G_CTRL, &control) ? -errno : 0);
	return control.value;
}

/* Buffers, queued, and frames on their way. */
static void start(void)
{
	struct v4l2_streamparm parm = { .type = dev[0].type };
	unsigned int i;

	parm.parm.capture.timeperframe.numerator = 1;
	parm.parm.capture.timeperframe.denominator = 60;
	must(ioctl(dev[0].fd, VIDIOC_S_PARM, &parm) ? -errno : 0);
	alloc_buffers(&dev[0], BUFFERS);
	for (i = 0; i < BUFFERS; i++)
		must(node_qbuf(&dev[0], i));
	must(node_stream(&dev[0], true));
}

static void stop(void)
{
	must(node_stream(&dev[0], false));
	must(node_reqbufs(&dev[0], V4L2_MEMORY_MMAP, 0));
}

/* The next frame, whose buffer is queued again. */
static struct node_frame next(void)
{
	struct node_frame f;

	must(node_dqbuf(&dev[0], V4L2_MEMORY_MMAP, &f));
	must(node_qbuf(&dev[0], f.index));
	return f;
}

static void require_good(unsigned int frames)
{
	while (frames--)
		assert_false(next().flags & V4L2_BUF_FLAG_ERROR);
}

static void queue_setup_fails_once(void **state)
{
	(void)state;
	must(set(VIVID_EXT_CID_QUEUE_SETUP_ERROR, 1));
	refuses(node_reqbufs(&dev[0], V4L2_MEMORY_MMAP, BUFFERS), ENOMEM);
	assert_int_equal(get(VIVID_EXT_CID_QUEUE_SETUP_ERROR), 0);
	start();
	require_good(2);
	stop();
	/* As does the other ioctl that allocates. */
	must(set(VIVID_EXT_CID_QUEUE_SETUP_ERROR, 1));
	refuses(node_create_bufs(&dev[0], V4L2_MEMORY_MMAP, BUFFERS,
				 dev[0].size[0]), ENOMEM);
	must(node_create_bufs(&dev[0], V4L2_MEMORY_MMAP, BUFFERS,
			      dev[0].size[0]));
}

static void buf_prepare_fails_once(void **state)
{
	(void)state;
	alloc_buffers(&dev[0], BUFFERS);
	must(set(VIVID_EXT_CID_BUF_PREPARE_ERROR, 1));
	refuses(node_qbuf(&dev[0], 0), EIO);
	assert_int_equal(get(VIVID_EXT_CID_BUF_PREPARE_ERROR), 0);
	start();
	require_good(2);
	stop();
}

static void start_streaming_fails_once(void **state)
{
	unsigned int i;

	(void)state;
	alloc_buffers(&dev[0], BUFFERS);
	for (i = 0; i < BUFFERS; i++)
		must(node_qbuf(&dev[0], i));
	must(set(VIVID_EXT_CID_START_STREAMING_ERROR, 1));
	refuses(node_stream(&dev[0], true), EIO);
	assert_int_equal(get(VIVID_EXT_CID_START_STREAMING_ERROR), 0);
	/* The buffers are still queued. */
	must(node_stream(&dev[0], true));
	require_good(2);
	stop();
}

static void frames_are_dropped(void **state)
{
	unsigned int i, last, gaps = 0;

	(void)state;
	must(set(VIVID_EXT_CID_DROPPED_FRAMES, 25));
	start();
	last = next().sequence;
	for (i = 0; i < 30; i++) {
		struct node_frame f = next();

		assert_false(f.flags & V4L2_BUF_FLAG_ERROR);
		gaps += f.sequence - last - 1;
		last = f.sequence;
	}
	/* Three of four come; a busy machine may drop more by itself. */
	assert_in_range(gaps, 9, 40);
	must(set(VIVID_EXT_CID_DROPPED_FRAMES, 0));
	stop();
}

static void frames_are_in_error(void **state)
{
	unsigned int i, errors = 0;

	(void)state;
	must(set(VIVID_EXT_CID_ERROR_FRAMES, 50));
	start();
	for (i = 0; i < 30; i++)
		errors += !!(next().flags & V4L2_BUF_FLAG_ERROR);
	assert_int_equal(errors, 15);
	must(set(VIVID_EXT_CID_ERROR_FRAMES, 0));
	/* What is in the queue may have been made before. */
	for (i = 0; i < BUFFERS; i++)
		next();
	require_good(4);
	stop();
}

/* A line of the device's file in debugfs; -1 where there is none. */
static long long count_of(const char *file, const char *name)
{
	char path[PATH_MAX], text[4096], id[PATH_MAX], *line;

	snprintf(path, sizeof(path), "/sys/class/video4linux/%s/device",
		 strrchr(dev[0].path, '/') + 1);
	if (!realpath(path, id))
		return -errno;
	snprintf(path, sizeof(path), "/sys/kernel/debug/vivid-ext/%s/%s",
		 basename(id), file);
	must(read_text(path, text, sizeof(text)));
	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		if (!strncmp(line, name, strlen(name)) &&
		    line[strlen(name)] == ' ')
			return atoll(line + strlen(name));
	return -1;
}

/* The pages of all buffers say whether the device has written them. */
static bool all_untouched(unsigned char *const *map, size_t length)
{
	unsigned int i;
	size_t at;

	for (i = 0; i < BUFFERS; i++)
		for (at = 0; at < length; at += 512)
			if (map[i][at] != UNTOUCHED)
				return false;
	return true;
}

static void device_faults(void **state)
{
	long long faults = count_of("bus", "faults");
	long long errors = must(count_of("stats", "errors"));
	unsigned char *map[BUFFERS];
	size_t length;
	unsigned int i;

	(void)state;
	if (!is_simulated)
		assert_int_equal(faults, -1);
	alloc_buffers(&dev[0], BUFFERS);
	for (i = 0; i < BUFFERS; i++) {
		map[i] = must_map(node_map(&dev[0], i, 0, &length));
		memset(map[i], UNTOUCHED, length);
		must(node_qbuf(&dev[0], i));
	}
	must(set(VIVID_EXT_CID_DMA_FAULTS, 100));
	must(node_stream(&dev[0], true));
	for (i = 0; i < 8; i++)
		assert_true(next().flags & V4L2_BUF_FLAG_ERROR);
	must(node_stream(&dev[0], false));
	assert_true(all_untouched(map, length));
	assert_in_range(count_of("stats", "errors") - errors, 8, 100);
	if (is_simulated)
		assert_in_range(count_of("bus", "faults") - faults, 8, 100);

	must(set(VIVID_EXT_CID_DMA_FAULTS, 0));
	for (i = 0; i < BUFFERS; i++)
		must(node_qbuf(&dev[0], i));
	must(node_stream(&dev[0], true));
	require_good(4);
	/* While a device has a buffer nobody may look. */
	must(node_stream(&dev[0], false));
	assert_false(all_untouched(map, length));
}

/* Where the CPU draws, no device uses an address. */
static void no_device_no_fault(void **state)
{
	(void)state;
	must(set(VIVID_EXT_CID_DMA_FAULTS, 100));
	start();
	require_good(4);
	must(set(VIVID_EXT_CID_DMA_FAULTS, 0));
	stop();
}

static void device_disconnects(void **state)
{
	char link[PATH_MAX], id[PATH_MAX], path[64];
	struct node_frame f;
	int ret, i, frames = 0;

	(void)state;
	snprintf(link, sizeof(link), "/sys/class/video4linux/%s/device",
		 strrchr(dev[0].path, '/') + 1);
	assert_non_null(realpath(link, id));
	must(set(VIVID_EXT_CID_DISCONNECT, 5));
	start();
	while (!(ret = node_dqbuf(&dev[0], V4L2_MEMORY_MMAP, &f)) &&
	       frames++ < 100)
		node_qbuf(&dev[0], f.index);
	assert_int_equal(ret, -ENODEV);
	/* Frames come until it has gone; a slow reader sees fewer. */
	assert_in_range(frames, 1, 60);
	refuses(set(VIVID_EXT_CID_DISCONNECT, 0), ENODEV);
	/* The node goes a little later than what it does. */
	for (i = 0; i < 100 && !access(dev[0].path, F_OK); i++)
		usleep(50000);
	assert_in_range(i, 0, 99);

	/* Its number is only free again when nobody has the node open. */
	close(dev[0].fd);
	must(write_text("/sys/bus/platform/drivers/vivid-ext/bind",
			basename(id)));
	must(run("udevadm settle"));
	strcpy(path, dev[0].path);
	must(node_open(&dev[0], path));
	assert_int_equal(get(VIVID_EXT_CID_DISCONNECT), 0);
	start();
	require_good(8);
	stop();
}

static void sequence_wraps(void **state)
{
	uint32_t first, last, stamp;
	struct node_frame f;
	void *map[BUFFERS];
	unsigned int i;
	char why[128];
	size_t length;

	(void)state;
	must(set(VIVID_EXT_CID_WRAP_SEQUENCE, 1));
	start();
	for (i = 0; i < BUFFERS; i++)
		map[i] = must_map(node_map(&dev[0], i, 0, &length));
	must(node_dqbuf(&dev[0], V4L2_MEMORY_MMAP, &f));
	first = f.sequence;
	assert_in_range(first, 0xfffffff0u, 0xffffffffu);
	/* The number in the picture is the same. */
	if (frame_check(&dev[0], &map[f.index], &stamp, why, sizeof(why)))
		fail_msg("%s", why);
	assert_int_equal(stamp, first);
	must(node_qbuf(&dev[0], f.index));
	for (i = 0, last = first; last >= first && i < 40; i++)
		last = next().sequence;
	assert_in_range(last, 0, 100);
	must(set(VIVID_EXT_CID_WRAP_SEQUENCE, 0));
	stop();
	start();
	assert_in_range(next().sequence, 0, 100);
	stop();
}

static void time_wraps(void **state)
{
	unsigned int i;

	(void)state;
	must(set(VIVID_EXT_CID_WRAP_TIME, VIVID_EXT_TIME_32BIT));
	start();
	assert_int_equal(next().timestamp_us / 1000000, INT32_MAX);
	for (i = 0; i < 240 && next().timestamp_us >> 31 < 1000000; i++)
		;
	assert_in_range(i, 1, 239);
	stop();

	must(set(VIVID_EXT_CID_WRAP_TIME, VIVID_EXT_TIME_64BIT));
	start();
	assert_in_range(next().timestamp_us,
			(INT64_MAX - 1000000000) / 1000, INT64_MAX / 1000);
	for (i = 0; i < 240 && (int64_t)next().timestamp_us > 0; i++)
		;
	assert_in_range(i, 1, 239);
	must(set(VIVID_EXT_CID_WRAP_TIME, VIVID_EXT_TIME_TRUE));
	stop();
}

/* What differs from bus to bus; all else is tested on the simulated one. */
int main(int argc, char **argv)
{
	const struct CMUnitTest simulated[] = {
		node_test(queue_setup_fails_once),
		node_test(buf_prepare_fails_once),
		node_test(start_streaming_fails_once),
		node_test(frames_are_dropped),
		node_test(frames_are_in_error),
		node_test(device_faults),
		node_test(device_disconnects),
		node_test(sequence_wraps),
		node_test(time_wraps),
	};
	const struct CMUnitTest real[] = {
		node_test(device_faults),
		node_test(device_disconnects),
	};
	const struct CMUnitTest none[] = {
		node_test(frames_are_in_error),
		node_test(no_device_no_fault),
	};
	const char *bus = argc > 1 ? argv[1] : "";

	if (!strcmp(bus, "none"))
		return cmocka_run_group_tests(none, NULL, NULL);
	if (!strcmp(bus, "real"))
		return cmocka_run_group_tests(real, NULL, NULL);
	is_simulated = true;
	return cmocka_run_group_tests(simulated, NULL, NULL);
}
