// SPDX-License-Identifier: GPL-2.0-only
/*
 * A camera with media controller: that the sensor's settings are seen in the
 * pixels, that its blanking is the frame rate, that the link between sensor
 * and capture node is validated, and what happens when it all goes away.
 */
#define _GNU_SOURCE
#include "frame.h"
#include "testlib.h"

#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <linux/media-bus-format.h>
#include <linux/media.h>
#include <linux/v4l2-subdev.h>
#include <linux/vivid-ext.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define BUFFERS		4
#define PIXEL_RATE	74250000ULL
#define LINE		(TEST_HEIGHT - 20)	/* no text so far down */

/* Lines of enum tpg_pattern, as the sensor's menu has them. */
#define PATTERN_BARS	0
#define PATTERN_LAYERS	3
#define PATTERN_WHITE	6

static struct node *const node = &dev[0];
static int sensor = -1;

static int ask(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg) < 0 ? -errno : 0;
}

/* The camera's sub-device or media device. */
static int open_sibling(const char *directory, const char *prefix)
{
	char command[256], path[64] = "";
	FILE *list;

	snprintf(command, sizeof(command),
		 "ls /sys/class/video4linux/%s/device/%s | grep '^%s' | head -n 1",
		 basename(node->path), directory, prefix);
	list = popen(command, "r");
	assert_non_null(list);
	if (!fgets(path, sizeof(path), list))
		fail_msg("%s has no %s", node->path, prefix);
	pclose(list);
	path[strcspn(path, "\n")] = 0;
	snprintf(command, sizeof(command), "/dev/%s", path);
	return must(open(command, O_RDWR | O_CLOEXEC | O_NONBLOCK));
}

static int set_ctrl(unsigned int id, int value)
{
	struct v4l2_control c = { .id = id, .value = value };

	return ask(sensor, VIDIOC_S_CTRL, &c);
}

static int get_ctrl(unsigned int id)
{
	struct v4l2_control c = { .id = id };

	must(ask(sensor, VIDIOC_G_CTRL, &c));
	return c.value;
}

static struct v4l2_mbus_framefmt set_sensor(unsigned int code,
					    unsigned int width,
					    unsigned int height)
{
	struct v4l2_subdev_format f = {
		.which = V4L2_SUBDEV_FORMAT_ACTIVE,
		.format = { .code = code, .width = width, .height = height },
	};

	must(ask(sensor, VIDIOC_SUBDEV_S_FMT, &f));
	return f.format;
}

static struct v4l2_rect selection(unsigned long request, unsigned int target,
				  struct v4l2_rect r)
{
	struct v4l2_subdev_selection s = {
		.which = V4L2_SUBDEV_FORMAT_ACTIVE, .target = target, .r = r,
	};

	must(ask(sensor, request, &s));
	return s.r;
}

static struct v4l2_rect get_rect(unsigned int target)
{
	return selection(VIDIOC_SUBDEV_G_SELECTION, target,
			 (struct v4l2_rect){ 0 });
}

static struct v4l2_rect set_crop(int left, int top, unsigned int width,
				 unsigned int height)
{
	return selection(VIDIOC_SUBDEV_S_SELECTION, V4L2_SEL_TGT_CROP,
			 (struct v4l2_rect){ left, top, width, height });
}

static void require_rect(struct v4l2_rect r, int left, int top,
			 unsigned int width, unsigned int height)
{
	if (r.left != left || r.top != top || r.width != width ||
	    r.height != height)
		fail_msg("%ux%u@%d,%d instead of %ux%u@%d,%d", r.width,
			 r.height, r.left, r.top, width, height, left, top);
}

static int open_camera(void **state)
{
	int ret = open_nodes(state);

	if (ret)
		return ret;
	sensor = open_sibling("video4linux", "v4l-subdev");
	/* Another shape, and back: all of the picture is seen. */
	set_sensor(MEDIA_BUS_FMT_YUYV8_1X16, 640, 480);
	set_sensor(MEDIA_BUS_FMT_YUYV8_1X16, TEST_WIDTH, TEST_HEIGHT);
	set_ctrl(V4L2_CID_VBLANK, 45);
	set_ctrl(V4L2_CID_HBLANK, 280);
	set_ctrl(V4L2_CID_EXPOSURE, 500);
	set_ctrl(V4L2_CID_ANALOGUE_GAIN, 16);
	set_ctrl(V4L2_CID_TEST_PATTERN, PATTERN_BARS);
	set_ctrl(V4L2_CID_HFLIP, 0);
	set_ctrl(V4L2_CID_VFLIP, 0);
	return 0;
}

static int close_camera(void **state)
{
	close(sensor);
	return close_nodes(state);
}

/* A stream with all buffers mapped; @maps[i] is buffer i. */
static void start(struct node *n, uint8_t **maps)
{
	unsigned int i;
	size_t length;

	alloc_buffers(n, BUFFERS);
	for (i = 0; i < BUFFERS; i++) {
		maps[i] = must_map(node_map(n, i, 0, &length));
		must(node_qbuf(n, i));
	}
	must(node_stream(n, true));
}

static void stop(struct node *n)
{
	must(node_stream(n, false));
	unmap_all();
	must(node_reqbufs(n, V4L2_MEMORY_MMAP, 0));
}

/* One whole frame, for free(), its stamp checked. */
static uint8_t *frame(struct node *n)
{
	uint8_t *maps[BUFFERS], *copy = malloc(n->size[0]);
	struct node_frame f;
	uint32_t sequence;
	char why[128];

	assert_non_null(copy);
	start(n, maps);
	must(node_dqbuf(n, V4L2_MEMORY_MMAP, &f));
	if (frame_check(n, (void *const *)&maps[f.index], &sequence, why,
			sizeof(why)))
		fail_msg("%s", why);
	assert_int_equal(sequence, f.sequence);
	memcpy(copy, maps[f.index], n->size[0]);
	stop(n);
	return copy;
}

/* A pixel of a YUYV frame: two bytes, of which the first is luma. */
static const uint8_t *pixel(const uint8_t *frame, unsigned int x,
			    unsigned int y)
{
	return frame + y * node->stride[0] + 2 * x;
}

static unsigned int white_luma(void)
{
	unsigned int luma;
	uint8_t *f;

	f = frame(node);
	luma = *pixel(f, TEST_WIDTH / 2, LINE);
	free(f);
	return luma;
}

static unsigned int count_formats(unsigned int code, unsigned int *fourcc)
{
	struct v4l2_fmtdesc d = { .type = node->type, .mbus_code = code };

	for (*fourcc = 0; !ask(node->fd, VIDIOC_ENUM_FMT, &d); d.index++)
		*fourcc = *fourcc ?: d.pixelformat;
	return d.index;
}

static void every_code_can_be_captured(void **state)
{
	struct v4l2_subdev_mbus_code_enum e = { 0 };
	unsigned int fourcc, raw = 0;

	(void)state;
	for (; !ask(sensor, VIDIOC_SUBDEV_ENUM_MBUS_CODE, &e); e.index++) {
		const struct vivid_ext_layout *layout;

		if (!count_formats(e.code, &fourcc))
			fail_msg("no format for code %04x", e.code);
		layout = vivid_ext_layout_of(fourcc);
		assert_non_null(layout);
		if (layout->raw_bits) {
			assert_int_equal(count_formats(e.code, &fourcc), 1);
			raw++;
		}
		set_sensor(e.code, TEST_WIDTH, TEST_HEIGHT);
		must(node_set_format(node, TEST_WIDTH, TEST_HEIGHT, fourcc));
		assert_int_equal(node->fourcc, fourcc);
		free(frame(node));
	}
	assert_int_equal(e.index, 11);
	assert_int_equal(raw, 8);
	assert_int_equal(count_formats(MEDIA_BUS_FMT_JPEG_1X8, &fourcc), 0);
}

/* A raw pixel is red, green or blue, by its place in the mosaic. */
static void raw_pixels_are_a_mosaic(void **state)
{
	uint16_t *line;
	uint8_t *f;

	(void)state;
	/* Red only: of the four orders, the first and the third pixel say it. */
	must(set_ctrl(V4L2_CID_TEST_PATTERN, 7));
	set_sensor(MEDIA_BUS_FMT_SRGGB8_1X8, TEST_WIDTH, TEST_HEIGHT);
	must(node_set_format(node, TEST_WIDTH, TEST_HEIGHT,
			     V4L2_PIX_FMT_SRGGB8));
	f = frame(node);
	assert_in_range(f[LINE * node->stride[0]], 200, 255);
	assert_in_range(f[LINE * node->stride[0] + 1], 0, 20);
	assert_in_range(f[(LINE + 1) * node->stride[0]], 0, 20);
	assert_in_range(f[(LINE + 1) * node->stride[0] + 1], 0, 20);
	free(f);
	set_sensor(MEDIA_BUS_FMT_SBGGR10_1X10, TEST_WIDTH, TEST_HEIGHT);
	must(node_set_format(node, TEST_WIDTH, TEST_HEIGHT,
			     V4L2_PIX_FMT_SBGGR10));
	f = frame(node);
	line = (uint16_t *)(f + (LINE + 1) * node->stride[0]);
	assert_in_range(line[0], 0, 80);
	assert_in_range(line[1], 800, 1023);
	free(f);
}

static void exposure_and_gain_brighten(void **state)
{
	unsigned int half, whole;

	(void)state;
	must(set_ctrl(V4L2_CID_TEST_PATTERN, PATTERN_WHITE));
	whole = white_luma();
	assert_in_range(whole, 233, 237);
	must(set_ctrl(V4L2_CID_EXPOSURE, 250));
	half = white_luma();
	assert_in_range(half, (16 + whole) / 2 - 4, (16 + whole) / 2 + 4);
	must(set_ctrl(V4L2_CID_ANALOGUE_GAIN, 32));
	assert_in_range(white_luma(), whole - 2, whole + 2);
	must(set_ctrl(V4L2_CID_EXPOSURE, 1));
	assert_in_range(white_luma(), 16, 20);
}

/* Exposure may be as long as a frame, less a margin. */
static void exposure_follows_the_frame_length(void **state)
{
	struct v4l2_queryctrl q = { .id = V4L2_CID_EXPOSURE };

	(void)state;
	must(set_ctrl(V4L2_CID_VBLANK, 1045));
	must(ask(sensor, VIDIOC_QUERYCTRL, &q));
	assert_int_equal(q.maximum, 1080 + 1045 - 4);
	must(set_ctrl(V4L2_CID_EXPOSURE, 2000));
	must(set_ctrl(V4L2_CID_VBLANK, 45));
	assert_int_equal(get_ctrl(V4L2_CID_EXPOSURE), 1080 + 45 - 4);
	set_crop(8, 8, 640, 360);
	assert_int_equal(get_ctrl(V4L2_CID_EXPOSURE), 360 + 45 - 4);
}

static void flips_mirror(void **state)
{
	unsigned int x, y;
	uint8_t *a, *b;

	(void)state;
	must(set_ctrl(V4L2_CID_TEST_PATTERN, PATTERN_BARS));
	a = frame(node);
	must(set_ctrl(V4L2_CID_HFLIP, 1));
	b = frame(node);
	assert_int_not_equal(*pixel(a, 40, LINE), *pixel(b, 40, LINE));
	for (x = 40; x < TEST_WIDTH; x += 80)
		assert_int_equal(*pixel(a, x, LINE),
				 *pixel(b, TEST_WIDTH - 1 - x, LINE));
	free(a);
	free(b);
	must(set_ctrl(V4L2_CID_TEST_PATTERN, PATTERN_LAYERS));
	a = frame(node);
	must(set_ctrl(V4L2_CID_VFLIP, 1));
	b = frame(node);
	assert_int_not_equal(*pixel(a, 630, 20), *pixel(b, 630, 20));
	for (y = 20; y < TEST_HEIGHT; y += 45)
		assert_int_equal(*pixel(a, 630, y),
				 *pixel(b, 630, TEST_HEIGHT - 1 - y));
	free(a);
	free(b);
}

static void selections_are_bounded(void **state)
{
	(void)state;
	require_rect(get_rect(V4L2_SEL_TGT_NATIVE_SIZE), 0, 0, 1936, 1096);
	require_rect(get_rect(V4L2_SEL_TGT_CROP_BOUNDS), 8, 8, 1920, 1080);
	require_rect(get_rect(V4L2_SEL_TGT_CROP_DEFAULT), 8, 8, 1920, 1080);
	require_rect(get_rect(V4L2_SEL_TGT_CROP), 8, 8, 1920, 1080);
	require_rect(set_crop(-5, 5000, 1, 1), 8, 728, 640, 360);
	require_rect(set_crop(0, 0, 5000, 5000), 8, 8, 1920, 1080);
	require_rect(set_crop(1001, 501, 701, 401), 1000, 500, 700, 400);
	require_rect(get_rect(V4L2_SEL_TGT_CROP), 1000, 500, 700, 400);
	/* Another shape: all of the height, the middle of the width. */
	set_sensor(MEDIA_BUS_FMT_YUYV8_1X16, 640, 480);
	require_rect(get_rect(V4L2_SEL_TGT_CROP), 248, 8, 1440, 1080);
}

/* The bars are 240 pixels wide in the whole picture. */
static void crop_shows_a_part(void **state)
{
	const unsigned int left = 480, width = 960;
	uint8_t *whole, *part;
	unsigned int x;

	(void)state;
	whole = frame(node);
	set_crop(8 + left, 8, width, 540);
	part = frame(node);
	for (x = 80; x < TEST_WIDTH; x += 160) {
		unsigned int there = (left + x * width / TEST_WIDTH) *
				     TEST_WIDTH / 1920;

		assert_memory_equal(pixel(part, x & ~1, LINE),
				    pixel(whole, there & ~1, LINE), 4);
	}
	assert_memory_not_equal(pixel(part, 80, LINE),
				pixel(whole, 80, LINE), 4);
	free(whole);
	free(part);
}

/* The time between two frames, by the frames' own clock. */
static void require_interval(unsigned long long pixels)
{
	unsigned long long want = pixels * 1000000 / PIXEL_RATE, got;
	struct node_frame a, b;
	uint8_t *maps[BUFFERS];

	start(node, maps);
	must(node_dqbuf(node, V4L2_MEMORY_MMAP, &a));
	must(node_dqbuf(node, V4L2_MEMORY_MMAP, &b));
	stop(node);
	got = (b.timestamp_us - a.timestamp_us) / (b.sequence - a.sequence);
	if (got + 1 < want || got > want + 1)
		fail_msg("%llu us from frame to frame instead of %llu", got,
			 want);
}

static void blanking_sets_the_frame_rate(void **state)
{
	(void)state;
	require_interval(2200 * 1125);
	must(set_ctrl(V4L2_CID_VBLANK, 45 + 1125));
	require_interval(2200 * 2250);
	must(set_ctrl(V4L2_CID_HBLANK, 280 + 1100));
	require_interval(3300 * 2250);
	set_crop(8, 8, 1280, 720);
	require_interval((1280 + 1380) * (720 + 1170));
}

static void blanking_counts_at_once(void **state)
{
	const unsigned long long slow = 2200 * (1080 + 4000) * 1000000ULL /
					PIXEL_RATE;
	struct node_frame a, b;
	uint8_t *maps[BUFFERS];
	unsigned int i;

	(void)state;
	start(node, maps);
	must(node_dqbuf(node, V4L2_MEMORY_MMAP, &b));
	must(set_ctrl(V4L2_CID_VBLANK, 4000));
	for (i = 0; i < 3; i++) {
		must(node_qbuf(node, b.index));
		a = b;
		must(node_dqbuf(node, V4L2_MEMORY_MMAP, &b));
	}
	stop(node);
	assert_in_range((b.timestamp_us - a.timestamp_us) /
			(b.sequence - a.sequence), slow - 1, slow + 1);
}

static int event(struct v4l2_event *e)
{
	struct pollfd p = { .fd = sensor, .events = POLLPRI };

	if (poll(&p, 1, 20000) != 1)
		return -ETIMEDOUT;
	return ask(sensor, VIDIOC_DQEVENT, e);
}

static void frame_sync_tells_that_a_frame_begins(void **state)
{
	struct v4l2_event_subscription s = { .type = V4L2_EVENT_FRAME_SYNC };
	struct v4l2_event e;
	uint8_t *maps[BUFFERS];
	unsigned int i, last = 0;

	(void)state;
	must(ask(sensor, VIDIOC_SUBSCRIBE_EVENT, &s));
	must(set_ctrl(V4L2_CID_VBLANK, 4000));
	start(node, maps);
	for (i = 0; i < 5; i++) {
		must(event(&e));
		assert_int_equal(e.type, V4L2_EVENT_FRAME_SYNC);
		/* Who comes late has missed some, but never sees one twice. */
		if (i)
			assert_true(e.u.frame_sync.frame_sequence > last);
		last = e.u.frame_sync.frame_sequence;
	}
	stop(node);
	must(ask(sensor, VIDIOC_UNSUBSCRIBE_EVENT, &s));
}

static void link_is_validated(void **state)
{
	(void)state;
	alloc_buffers(node, BUFFERS);
	set_sensor(MEDIA_BUS_FMT_YUYV8_1X16, 1280, 720);
	refuses(node_stream(node, true), EPIPE);
	set_sensor(MEDIA_BUS_FMT_RGB888_1X24, TEST_WIDTH, TEST_HEIGHT);
	refuses(node_stream(node, true), EPIPE);
	set_sensor(MEDIA_BUS_FMT_SRGGB8_1X8, TEST_WIDTH, TEST_HEIGHT);
	refuses(node_stream(node, true), EPIPE);
	/* Bytes may be sorted in any way. */
	set_sensor(MEDIA_BUS_FMT_UYVY8_1X16, TEST_WIDTH, TEST_HEIGHT);
	must(node_stream(node, true));
	must(node_stream(node, false));
	must(node_reqbufs(node, V4L2_MEMORY_MMAP, 0));
	set_sensor(MEDIA_BUS_FMT_SRGGB8_1X8, TEST_WIDTH, TEST_HEIGHT);
	must(node_set_format(node, TEST_WIDTH, TEST_HEIGHT,
			     V4L2_PIX_FMT_SGRBG8));
	alloc_buffers(node, BUFFERS);
	refuses(node_stream(node, true), EPIPE);
}

static void stream_keeps_its_format(void **state)
{
	struct node_frame f;
	uint8_t *maps[BUFFERS];
	uint32_t sequence;
	unsigned int i;
	char why[128];

	(void)state;
	start(node, maps);
	for (i = 0; i < 4; i++) {
		set_sensor(i & 1 ? MEDIA_BUS_FMT_RGB888_1X24 :
				   MEDIA_BUS_FMT_SRGGB8_1X8, 1920, 1080);
		must(node_dqbuf(node, V4L2_MEMORY_MMAP, &f));
		assert_false(f.flags & V4L2_BUF_FLAG_ERROR);
		if (frame_check(node, (void *const *)&maps[f.index],
				&sequence, why, sizeof(why)))
			fail_msg("%s", why);
		must(node_qbuf(node, f.index));
	}
	stop(node);
	alloc_buffers(node, BUFFERS);
	refuses(node_stream(node, true), EPIPE);
}

static void unbinding_while_streaming_ends_it_all(void **state)
{
	struct v4l2_subdev_mbus_code_enum e = { 0 };
	struct media_device_info info;
	char path[PATH_MAX], device[PATH_MAX], name[64];
	struct node_frame f;
	uint8_t *maps[BUFFERS];
	int i, media, ret = 0;

	(void)state;
	media = open_sibling(".", "media");
	must(ask(media, MEDIA_IOC_DEVICE_INFO, &info));
	assert_string_equal(info.driver, DRIVER);
	start(node, maps);
	must(node_dqbuf(node, V4L2_MEMORY_MMAP, &f));
	snprintf(path, sizeof(path), "/sys/class/video4linux/%s/device",
		 basename(node->path));
	assert_non_null(realpath(path, device));
	snprintf(name, sizeof(name), "%s", basename(device));
	must(write_text("/sys/bus/platform/drivers/" DRIVER "/unbind", name));
	for (i = 0; i < 8 && !ret; i++)
		ret = node_dqbuf(node, V4L2_MEMORY_MMAP, &f);
	refuses(ret, ENODEV);
	refuses(ask(sensor, VIDIOC_SUBDEV_ENUM_MBUS_CODE, &e), ENODEV);
	refuses(ask(media, MEDIA_IOC_DEVICE_INFO, &info), EIO);
	node_close(node);
	close(media);
	close(sensor);
	sensor = -1;
	/* It can be bound again, and its nodes are new ones. */
	must(write_text("/sys/bus/platform/drivers/" DRIVER "/bind", name));
	run("udevadm settle");
	must(close_nodes(NULL));
	must(open_camera(NULL));
	free(frame(node));
}

#define camera_test(f) \
	cmocka_unit_test_setup_teardown(f, open_camera, close_camera)

int main(void)
{
	const struct CMUnitTest tests[] = {
		camera_test(every_code_can_be_captured),
		camera_test(raw_pixels_are_a_mosaic),
		camera_test(exposure_and_gain_brighten),
		camera_test(exposure_follows_the_frame_length),
		camera_test(flips_mirror),
		camera_test(selections_are_bounded),
		camera_test(crop_shows_a_part),
		camera_test(blanking_sets_the_frame_rate),
		camera_test(blanking_counts_at_once),
		camera_test(frame_sync_tells_that_a_frame_begins),
		camera_test(link_is_validated),
		camera_test(stream_keeps_its_format),
		camera_test(unbinding_while_streaming_ends_it_all),
	};

	return cmocka_run_group_tests_name("mc", tests, NULL, NULL);
}
