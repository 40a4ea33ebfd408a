// SPDX-License-Identifier: GPL-2.0-only
/*
 * Our buffers in other people's devices.
 *
 *	foreign vkms		the card shows a captured frame, with the same
 *				CRC as a copy of it
 *	foreign vgem		the card takes a buffer and gives it back
 *	foreign vb2		the second vivid-ext node has one of the stock
 *				allocators (foreign.test), and captures into the
 *				first one's buffers
 *	foreign DRIVER SCREEN	the card shows a captured frame, by a picture
 *				that QEMU makes of the emulated device called
 *				SCREEN; a port called qmp leads to QEMU's
 *				monitor (screen.test)
 */
#define _GNU_SOURCE
#include "testlib.h"

#include <drm_fourcc.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

#define WIDTH 640
#define HEIGHT 480
#define BUFFERS 3
#define MONITOR "/run/port-qmp"
#define PICTURE "/out/screen.ppm"

static const char *driver, *screen;
static int card;
static uint32_t crtc, connector;
static drmModeModeInfo mode;

static bool find_mode(drmModeConnector *c)
{
	int i;

	for (i = 0; c && c->connection == DRM_MODE_CONNECTED &&
	     i < c->count_modes; i++) {
		mode = c->modes[i];
		if (mode.hdisplay == WIDTH && mode.vdisplay == HEIGHT)
			return true;
	}
	return false;
}

/* A real connector: vkms has one to write back as well. */
static void find_outputs(void)
{
	drmModeRes *res = drmModeGetResources(card);
	bool found = false;
	int i;

	assert_non_null(res);
	crtc = res->crtcs[0];
	for (i = 0; i < res->count_connectors && !found; i++) {
		drmModeConnector *c = drmModeGetConnector(card,
							  res->connectors[i]);

		connector = res->connectors[i];
		found = find_mode(c);
		drmModeFreeConnector(c);
	}
	drmModeFreeResources(res);
	assert_true(found);
}

static int open_all(void **state)
{
	card = drmOpen(driver, NULL);
	if (card < 0) {
		print_error("no card of driver %s\n", driver);
		return -1;
	}
	return open_nodes(state);
}

static int close_all_of_it(void **state)
{
	close(card);
	return close_nodes(state);
}

/* A frame of the camera in XR24, with the camera still streaming. */
static unsigned char *capture(int *fd)
{
	struct node *n = &dev[0];
	struct node_frame frame;
	unsigned int i;
	size_t length;

	must(node_set_format(n, WIDTH, HEIGHT, V4L2_PIX_FMT_XBGR32));
	assert_int_equal(n->stride[0], WIDTH * 4);
	alloc_buffers(n, BUFFERS);
	for (i = 0; i < BUFFERS; i++)
		must(node_qbuf(n, i));
	must(node_stream(n, true));
	must(node_dqbuf(n, V4L2_MEMORY_MMAP, &frame));
	*fd = must(node_expbuf(n, frame.index, 0, O_RDWR | O_CLOEXEC));
	return must_map(node_map(n, frame.index, 0, &length));
}

static uint32_t add_fb(uint32_t handle, uint32_t stride)
{
	uint32_t handles[4] = { handle }, strides[4] = { stride };
	uint32_t offsets[4] = { 0 }, fb;

	if (drmModeAddFB2(card, WIDTH, HEIGHT, DRM_FORMAT_XRGB8888, handles,
			  strides, offsets, &fb, 0))
		fail_msg("AddFB2: %s", strerror(errno));
	return fb;
}

static void show(uint32_t fb)
{
	if (drmModeSetCrtc(card, crtc, fb, 0, 0, &connector, 1, &mode))
		fail_msg("SetCrtc: %s", strerror(errno));
}

static uint32_t imported_fb(int fd)
{
	uint32_t handle;

	if (drmPrimeFDToHandle(card, fd, &handle))
		fail_msg("%s does not import: %s", driver, strerror(errno));
	return add_fb(handle, WIDTH * 4);
}

/* The card's own buffer with these pixels. */
static uint32_t copied_fb(const unsigned char *pixels)
{
	struct drm_mode_create_dumb create = {
		.width = WIDTH, .height = HEIGHT, .bpp = 32,
	};
	struct drm_mode_map_dumb map = {};
	unsigned char *to;
	unsigned int y;

	assert_int_equal(ioctl(card, DRM_IOCTL_MODE_CREATE_DUMB, &create), 0);
	map.handle = create.handle;
	assert_int_equal(ioctl(card, DRM_IOCTL_MODE_MAP_DUMB, &map), 0);
	to = must_map(map_fd(card, create.size, PROT_READ | PROT_WRITE,
			     MAP_SHARED, map.offset));
	for (y = 0; y < HEIGHT; y++)
		memcpy(to + y * create.pitch, pixels + y * WIDTH * 4,
		       WIDTH * 4);
	return add_fb(create.handle, create.pitch);
}

static unsigned int crc_of(uint32_t fb)
{
	char path[128], line[128] = "";
	unsigned int frame, crc;
	struct stat st;
	int file;

	show(fb);
	assert_int_equal(fstat(card, &st), 0);
	snprintf(path, sizeof(path),
		 "/sys/kernel/debug/dri/%d/crtc-0/crc/control",
		 minor(st.st_rdev));
	must(write_text(path, "auto"));
	snprintf(path, sizeof(path), "/sys/kernel/debug/dri/%d/crtc-0/crc/data",
		 minor(st.st_rdev));
	file = must(open(path, O_RDONLY | O_CLOEXEC));
	assert_true(read(file, line, sizeof(line) - 1) > 0);
	close(file);
	if (sscanf(line, "%x %x", &frame, &crc) != 2)
		fail_msg("this is no CRC: %s", line);
	return crc;
}

/* One pixel less bright makes another CRC. */
static void a_card_shows_what_was_captured(void **state)
{
	unsigned char *copy = malloc(WIDTH * HEIGHT * 4);
	unsigned int shown;
	uint32_t fb;
	int fd;

	(void)state;
	memcpy(copy, capture(&fd), WIDTH * HEIGHT * 4);
	find_outputs();
	fb = imported_fb(fd);
	shown = crc_of(fb);
	assert_int_equal(crc_of(copied_fb(copy)), shown);
	copy[WIDTH * HEIGHT * 4 - 2] ^= 0x80;
	assert_int_not_equal(crc_of(copied_fb(copy)), shown);
	assert_int_equal(crc_of(fb), shown);
	free(copy);
	close(fd);
}

/* The importer keeps it, and what it exports is the same dma-buf again. */
static void a_buffer_is_taken_and_given_back(void **state)
{
	struct node *n = &dev[0];
	uint32_t handle;
	uint64_t inode;
	int fd, back;
	char *map;

	(void)state;
	must(node_set_format(n, WIDTH, HEIGHT, V4L2_PIX_FMT_XBGR32));
	alloc_buffers(n, 1);
	fd = must(node_expbuf(n, 0, 0, O_RDWR | O_CLOEXEC));
	inode = dmabuf_inode(fd);
	map = map_dmabuf(fd, n->size[0], PROT_READ | PROT_WRITE);
	map[PAGE] = 23;
	unmap_fd(map, n->size[0]);
	if (drmPrimeFDToHandle(card, fd, &handle))
		fail_msg("%s does not import: %s", driver, strerror(errno));
	close(fd);
	must(node_reqbufs(n, V4L2_MEMORY_MMAP, 0));
	assert_int_equal(drmPrimeHandleToFD(card, handle, DRM_RDWR, &back), 0);
	assert_int_equal(dmabuf_inode(back), inode);
	map = map_dmabuf(back, n->size[0], PROT_READ);
	assert_int_equal(map[PAGE], 23);
	close(back);
}

/* The stock allocators' code that imports, with our buffers. */
static void stock_vb2_captures_into_our_buffers(void **state)
{
	int fds[BUFFERS][NODE_MAX_PLANES];
	unsigned int i, p;

	(void)state;
	alloc_buffers(&dev[0], BUFFERS);
	for (i = 0; i < BUFFERS; i++)
		for (p = 0; p < dev[0].num_planes; p++)
			fds[i][p] = must(node_expbuf(&dev[0], i, p, O_RDWR));
	must(node_reqbufs(&dev[1], V4L2_MEMORY_DMABUF, BUFFERS));
	stream_fds(&dev[1], fds, BUFFERS, 6);
}

/* True if QEMU did it. Greeting, events and others' answers may come before. */
static bool monitor(int port, const char *command, const char *arguments)
{
	char text[256], id[32], answer[4096] = "";
	struct pollfd p = { .fd = port, .events = POLLIN };
	static unsigned int count;
	size_t length = 0;
	ssize_t got;

	snprintf(id, sizeof(id), "\"%d-%u\"", getpid(), count++);
	snprintf(text, sizeof(text),
		 "{\"execute\":\"%s\",\"arguments\":{%s},\"id\":%s}\n",
		 command, arguments, id);
	must(write(port, text, strlen(text)));
	while (!strstr(answer, id) || answer[length - 1] != '\n') {
		assert_int_equal(poll(&p, 1, 20000), 1);
		got = read(port, answer + length,
			   sizeof(answer) - 1 - length);
		assert_true(got > 0);
		length += got;
		answer[length] = 0;
	}
	return !strstr(answer, "\"error\"");
}

/* QEMU's picture of the card's screen: "P6 WIDTH HEIGHT 255", RGB. */
static const unsigned char *picture(int port)
{
	static unsigned char ppm[3 * WIDTH * HEIGHT + 64];
	char arguments[128];
	size_t length;
	FILE *f;

	unlink(PICTURE);
	snprintf(arguments, sizeof(arguments),
		 "\"filename\":\"" PICTURE "\",\"device\":\"%s\"", screen);
	assert_true(monitor(port, "screendump", arguments));
	f = fopen(PICTURE, "r");
	assert_non_null(f);
	length = fread(ppm, 1, sizeof(ppm), f);
	fclose(f);
	unlink(PICTURE);
	assert_true(length > 3 * WIDTH * HEIGHT);
	assert_memory_equal(ppm, "P6\n640 480\n255\n", 15);
	return ppm + 15;
}

static unsigned int count_wrong(int port, const unsigned char *pixels)
{
	const unsigned char *rgb = picture(port);
	unsigned int i, wrong = 0;

	for (i = 0; i < WIDTH * HEIGHT; i++, rgb += 3, pixels += 4)
		wrong += rgb[0] != pixels[2] || rgb[1] != pixels[1] ||
			 rgb[2] != pixels[0];
	return wrong;
}

static void a_screen_shows_what_was_captured(void **state)
{
	static unsigned char grey[WIDTH * HEIGHT * 4];
	unsigned char *frame;
	int fd, port = must(open(MONITOR, O_RDWR | O_CLOEXEC));

	(void)state;
	/* Wanted once on a connection; this one lasts as long as the guest. */
	monitor(port, "qmp_capabilities", "");
	frame = capture(&fd);
	find_outputs();
	memset(grey, 0x55, sizeof(grey));
	show(copied_fb(grey));
	assert_int_equal(count_wrong(port, grey), 0);
	assert_true(count_wrong(port, frame) > 0);
	show(imported_fb(fd));
	assert_int_equal(count_wrong(port, frame), 0);
	close(fd);
	close(port);
}

#define card_test(f) \
	cmocka_unit_test_setup_teardown(f, open_all, close_all_of_it)

int main(int argc, char **argv)
{
	const struct CMUnitTest crc[] = {
		card_test(a_card_shows_what_was_captured),
	};
	const struct CMUnitTest screens[] = {
		card_test(a_screen_shows_what_was_captured),
	};
	const struct CMUnitTest prime[] = {
		card_test(a_buffer_is_taken_and_given_back),
	};
	const struct CMUnitTest vb2[] = {
		node_test(stock_vb2_captures_into_our_buffers),
	};

	driver = argc > 1 ? argv[1] : "";
	screen = argc > 2 ? argv[2] : "";
	if (!strcmp(driver, "vb2"))
		return cmocka_run_group_tests(vb2, NULL, NULL);
	if (!strcmp(driver, "vkms"))
		return cmocka_run_group_tests(crc, NULL, NULL);
	if (!strcmp(driver, "vgem"))
		return cmocka_run_group_tests(prime, NULL, NULL);
	return cmocka_run_group_tests(screens, NULL, NULL);
}
