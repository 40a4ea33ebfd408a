// SPDX-License-Identifier: GPL-2.0-only
/*
 * The display by libdrm: what scan-out reads is what lies in the framebuffer
 * (CRC, snapshot), on time; imports and exports; bad input; unbind.
 *
 * The card's modules are loaded by display.test. FALLBACK=1 in the environment
 * says that this display can't reach the camera's buffers by DMA; FOREIGN=1
 * asks for what others export (foreign.test).
 */
#define _GNU_SOURCE
#include "card.h"
#include "exporter.h"
#include "testlib.h"

#include <drm_fourcc.h>
#include <fcntl.h>
#include <linux/vivid-ext.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <xf86drm.h>
#include <xf86drmMode.h>
#include <xxhash.h>

#define MAX_BUFFERS 4
#define CRCS 6

static int open_all(void **state)
{
	open_card(state);
	return open_nodes(state);
}

static int close_all_of_it(void **state)
{
	close_card(state);
	return close_nodes(state);
}

/* Refresh after refresh the same, of every format. */
static void test_crc(void **state)
{
	static const uint32_t formats[] = {
		DRM_FORMAT_XRGB8888, DRM_FORMAT_ARGB8888, DRM_FORMAT_XBGR8888,
		DRM_FORMAT_YUYV, DRM_FORMAT_NV12,
	};
	unsigned int i, j, frames[CRCS];
	uint64_t crcs[CRCS];

	(void)state;
	for (i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		struct picture p = noise(formats[i], WIDTH, HEIGHT);

		show(&p);
		read_crcs(CRCS, crcs, frames);
		for (j = 0; j < CRCS; j++)
			assert_int_equal(crcs[j], crc_of(&p));
		for (j = 1; j < CRCS; j++)
			assert_true(frames[j] > frames[j - 1]);
	}
}

/* What is drawn while it is shown is seen without a commit. */
static void test_front_buffer(void **state)
{
	struct picture p = noise(DRM_FORMAT_XRGB8888, WIDTH, HEIGHT);

	(void)state;
	show(&p);
	require_crc(&p);
	p.map[p.stride * (HEIGHT - 1) + WIDTH * 4 - 1] ^= 1;
	require_crc(&p);
}

/* No byte outside the picture counts. */
static void test_padding(void **state)
{
	struct picture p = noise(DRM_FORMAT_XRGB8888, WIDTH, HEIGHT);
	uint64_t before, after;
	unsigned int frame;

	(void)state;
	show(&p);
	read_crcs(1, &before, &frame);
	p.map[WIDTH * 4] ^= 1;
	p.map[p.stride * HEIGHT] ^= 1;
	read_crcs(1, &after, &frame);
	assert_int_equal(before, after);
}

static void test_snapshot(void **state)
{
	struct picture p = noise(DRM_FORMAT_XRGB8888, WIDTH, HEIGHT);
	size_t room = 3 * WIDTH * HEIGHT + 256, n = 0;
	unsigned char *ppm = malloc(room), *pixel;
	unsigned int x, y;
	FILE *f;

	(void)state;
	show(&p);
	f = fopen(DEBUG "snapshot", "r");
	assert_non_null(f);
	n = fread(ppm, 1, room, f);
	fclose(f);
	assert_memory_equal(ppm, "P6\n#", 4);
	assert_true(n > 3 * WIDTH * HEIGHT);
	pixel = ppm + n - 3 * WIDTH * HEIGHT;
	assert_memory_equal(pixel - 12, "640 480\n255\n", 12);
	for (y = 0; y < HEIGHT; y++)
		for (x = 0; x < WIDTH; x++, pixel += 3) {
			const unsigned char *q = p.map + y * p.stride + x * 4;

			if (q[0] != pixel[2] || q[1] != pixel[1] ||
			    q[2] != pixel[0])
				fail_msg("pixel %u,%u differs", x, y);
		}
	free(ppm);
}

/* Nothing is shown: no picture, and no waiting for one. */
static void test_snapshot_of_nothing(void **state)
{
	(void)state;
	refuses(open(DEBUG "snapshot", O_RDONLY) < 0 ? -errno : 0, ENODATA);
}

static drmVBlank wait_vblanks(unsigned int n)
{
	drmVBlank v = { .request = { .type = DRM_VBLANK_RELATIVE,
				     .sequence = n } };

	assert_int_equal(drmWaitVBlank(card, &v), 0);
	return v;
}

/* By the vblanks' own timestamps: exactly the mode's rate. */
static void test_vblanks(void **state)
{
	struct picture p = noise(DRM_FORMAT_XRGB8888, WIDTH, HEIGHT);
	drmVBlank first, last;
	long long us, vblanks;

	(void)state;
	show(&p);
	first = wait_vblanks(1);
	last = wait_vblanks(30);
	vblanks = last.reply.sequence - first.reply.sequence;
	us = (last.reply.tval_sec - first.reply.tval_sec) * 1000000ll +
	     last.reply.tval_usec - first.reply.tval_usec;
	assert_true(vblanks >= 30);
	if (llabs(us - vblanks * 1000000 / 60) > 100)
		fail_msg("%lld vblanks took %lld us", vblanks, us);
}

static void wait_for_flip(void)
{
	struct pollfd fd = { .fd = card, .events = POLLIN };
	struct drm_event_vblank event;

	assert_int_equal(poll(&fd, 1, 5000), 1);
	assert_int_equal(read(card, &event, sizeof(event)), sizeof(event));
	assert_int_equal(event.base.type, DRM_EVENT_FLIP_COMPLETE);
}

/*
 * After the flip's event the replaced buffer isn't read any more: each time it
 * is drawn over at once, and a CRC is taken of what is really shown.
 */
static void test_flip(void **state)
{
	struct picture p[2] = {
		noise(DRM_FORMAT_XRGB8888, WIDTH, HEIGHT),
		noise(DRM_FORMAT_XRGB8888, WIDTH, HEIGHT),
	};
	long long shown = counter("frames_shown");
	unsigned int i;

	(void)state;
	show(&p[0]);
	for (i = 1; i <= 20; i++) {
		assert_int_equal(drmModePageFlip(card, crtc, p[i & 1].fb,
						 DRM_MODE_PAGE_FLIP_EVENT,
						 NULL), 0);
		wait_for_flip();
		memset(p[~i & 1].map, i, p[~i & 1].size);
		require_crc(&p[i & 1]);
	}
	assert_int_equal(counter("frames_shown") - shown, 21);
}

/* A window on a bigger framebuffer. */
static void test_source_rectangle(void **state)
{
	struct picture p = noise(DRM_FORMAT_XRGB8888, WIDTH + 32, HEIGHT + 8);
	struct picture part = p;

	(void)state;
	must(set_mode(&p, 17, 5));
	part.map += 5 * p.stride + 17 * 4;
	part.width = WIDTH;
	part.height = HEIGHT;
	require_crc(&part);
}

static void test_bad_framebuffers(void **state)
{
	struct picture p = noise(DRM_FORMAT_XRGB8888, WIDTH, HEIGHT);
	struct picture bad = p, nv12 = noise(DRM_FORMAT_NV12, WIDTH + 2,
					     HEIGHT);
	int ret;

	(void)state;
	bad.height = HEIGHT * 2;
	refuses(add_fb(&bad), EINVAL);
	bad = p;
	bad.stride = WIDTH * 4 - 4;
	refuses(add_fb(&bad), EINVAL);
	bad = p;
	bad.handle = 12345;
	refuses(add_fb(&bad), ENOENT);
	/* Old kernels make a framebuffer of any format, but don't show it. */
	bad = p;
	bad.fourcc = DRM_FORMAT_BGRX8888;
	ret = add_fb(&bad) ?: set_mode(&bad, 0, 0);
	refuses(ret, EINVAL);
	/* A pixel's chroma can't be cut off. */
	refuses(set_mode(&nv12, 1, 0), EINVAL);
	/* The framebuffer doesn't fill the mode. */
	refuses(set_mode(&p, 1, 1), ENOSPC);
}

/* Our own dma-buf comes back as the buffer that it is. */
static void test_export(void **state)
{
	struct picture p = noise(DRM_FORMAT_XRGB8888, WIDTH, HEIGHT);
	uint32_t handle;
	unsigned char *map;
	int fd, other = drmOpen(CARD, NULL);

	(void)state;
	assert_int_equal(drmPrimeHandleToFD(card, p.handle,
					    DRM_RDWR | DRM_CLOEXEC, &fd), 0);
	map = map_dmabuf(fd, p.size, PROT_READ | PROT_WRITE);
	assert_memory_equal(map, p.map, p.size);
	assert_int_equal(drmPrimeFDToHandle(card, fd, &handle), 0);
	assert_int_equal(handle, p.handle);
	assert_int_equal(drmPrimeFDToHandle(other, fd, &handle), 0);
	close(other);
	show(&p);
	map[123] ^= 0xff;
	require_crc(&p);
	close(fd);
}

/* One frame of the camera, which keeps its hands off it. */
static struct picture captured(uint32_t fourcc, int *fd)
{
	struct node *n = &dev[0];
	struct node_frame frame;
	struct picture p = { .fourcc = fourcc, .width = WIDTH,
			     .height = HEIGHT };
	unsigned int i;

	must(node_set_format(n, WIDTH, HEIGHT, fourcc));
	assert_int_equal(n->fourcc, fourcc);
	alloc_buffers(n, MAX_BUFFERS);
	for (i = 0; i < MAX_BUFFERS; i++)
		must(node_qbuf(n, i));
	must(node_stream(n, true));
	must(node_dqbuf(n, V4L2_MEMORY_MMAP, &frame));
	*fd = must(node_expbuf(n, frame.index, 0, O_RDWR | O_CLOEXEC));
	p.map = must_map(node_map(n, frame.index, 0, &p.size));
	p.stride = n->stride[0];
	return p;
}

static void import(struct picture *p, int fd)
{
	if (drmPrimeFDToHandle(card, fd, &p->handle))
		fail_msg("cannot import: %s", strerror(errno));
	must(add_fb(p));
}

/* What is shown is what was captured, by the pages themselves or by a copy. */
static void show_captured(uint32_t fourcc)
{
	bool fallback = getenv("FALLBACK");
	long long copied = counter("bytes_copied");
	long long zero_copy = counter("zero_copy_frames");
	long long fallen_back = counter("fallback_frames");
	long long right = counter("stamps_read") -
			  counter("checksum_mismatches");
	struct picture p;
	int fd;

	p = captured(fourcc, &fd);
	import(&p, fd);
	show(&p);
	require_crc(&p);
	assert_int_equal(counter("zero_copy_frames") - zero_copy, !fallback);
	assert_int_equal(counter("fallback_frames") - fallen_back, fallback);
	assert_int_equal(counter("bytes_copied") - copied,
			 fallback ? (p.size + PAGE - 1) / PAGE * PAGE : 0);
	assert_int_equal(counter("stamps_read") -
			 counter("checksum_mismatches") - right, 1);
	close(fd);
}

static void test_captured_rgb(void **state)
{
	(void)state;
	show_captured(V4L2_PIX_FMT_XBGR32);
}

static void test_captured_nv12(void **state)
{
	(void)state;
	show_captured(V4L2_PIX_FMT_NV12);
}

/* Software renderers map what they import like a dumb buffer. */
static void test_map_import(void **state)
{
	struct drm_mode_map_dumb map = {};
	unsigned char *bytes;
	struct picture p;
	int fd;

	(void)state;
	p = captured(V4L2_PIX_FMT_XBGR32, &fd);
	import(&p, fd);
	map.handle = p.handle;
	must(ioctl(card, DRM_IOCTL_MODE_MAP_DUMB, &map));
	bytes = must_map(map_fd(card, p.size, PROT_READ | PROT_WRITE,
				MAP_SHARED, map.offset));
	assert_memory_equal(bytes, p.map, p.size);
	bytes[1000] ^= 0xff;
	assert_int_equal(bytes[1000], p.map[1000]);
	close(fd);
}

/* As a compositor does with what V4L2 exports by default: it looks, and shows. */
static void test_read_only(void **state)
{
	struct drm_mode_map_dumb map = {};
	unsigned char *bytes;
	struct picture p;
	int fd;

	(void)state;
	p = captured(V4L2_PIX_FMT_XBGR32, &fd);
	close(fd);
	fd = must(node_expbuf(&dev[0], 0, 0, O_RDONLY | O_CLOEXEC));
	import(&p, fd);
	close(fd);
	map.handle = p.handle;
	must(ioctl(card, DRM_IOCTL_MODE_MAP_DUMB, &map));
	refuses_map(map_fd(card, p.size, PROT_READ | PROT_WRITE, MAP_SHARED,
			   map.offset), EACCES);
	bytes = must_map(map_fd(card, p.size, PROT_READ, MAP_SHARED,
				map.offset));
	refuses(mprotect(bytes, p.size, PROT_READ | PROT_WRITE) ? -errno : 0,
		EACCES);
	assert_memory_equal(bytes, p.map, p.size);
	show(&p);
	require_crc(&p);
}

/* Noise in somebody else's memory. */
static void show_foreign(int fd)
{
	struct picture p = { .fourcc = DRM_FORMAT_XRGB8888, .width = WIDTH,
			     .height = HEIGHT, .stride = WIDTH * 4,
			     .size = WIDTH * HEIGHT * 4 };
	long long zero_copy = counter("zero_copy_frames");
	size_t i;

	p.map = map_dmabuf(fd, p.size, PROT_READ | PROT_WRITE);
	for (i = 0; i < p.size; i++)
		p.map[i] = random();
	import(&p, fd);
	show(&p);
	require_crc(&p);
	assert_int_equal(counter("zero_copy_frames") - zero_copy, 1);
	close(fd);
}

static void show_buffer_of(int (*get)(size_t size))
{
	int fd = get(WIDTH * HEIGHT * 4);

	if (fd == -ENOENT)
		skip_because("this kernel has no such exporter");
	show_foreign(must(fd));
}

static void test_udmabuf(void **state)
{
	(void)state;
	show_buffer_of(udmabuf);
}

static void test_system_heap(void **state)
{
	(void)state;
	show_buffer_of(system_heap_buffer);
}

static void test_vgem(void **state)
{
	(void)state;
	show_buffer_of(vgem_buffer);
}

static void test_vkms(void **state)
{
	(void)state;
	show_buffer_of(vkms_buffer);
}

static void test_stock_vivid(void **state)
{
	struct node vivid;

	(void)state;
	if (open_stock_vivid(&vivid, false))
		skip_because("stock vivid is not loaded");
	must(node_set_format(&vivid, WIDTH, HEIGHT, V4L2_PIX_FMT_XBGR32));
	alloc_buffers(&vivid, 1);
	show_foreign(must(node_expbuf(&vivid, 0, 0, O_RDWR | O_CLOEXEC)));
	node_close(&vivid);
}

/* The display keeps what it shows, whatever the camera's side gives up. */
static void test_orphaned(void **state)
{
	struct picture p;
	int fd;

	(void)state;
	p = captured(V4L2_PIX_FMT_XBGR32, &fd);
	import(&p, fd);
	show(&p);
	close(fd);
	must(node_stream(&dev[0], false));
	must(node_reqbufs(&dev[0], V4L2_MEMORY_MMAP, 0));
	node_close(&dev[0]);
	require_crc(&p);
}

/* Without the fallback an import that DMA can't reach is refused. */
static void test_refused(void **state)
{
	const char *parameter =
		"/sys/module/vivid_ext_display/parameters/fallback";
	uint32_t handle;
	int fd, ret;

	(void)state;
	captured(V4L2_PIX_FMT_XBGR32, &fd);
	must(write_text(parameter, "N"));
	ret = drmPrimeFDToHandle(card, fd, &handle) ? -errno : 0;
	must(write_text(parameter, "Y"));
	refuses(ret, EINVAL);
	close(fd);
}

/* The card goes while it shows; memory that user space maps stays. */
static void unbind_while_showing(struct picture *p)
{
	unsigned char byte = p->map[4321];

	show(p);
	must(write_text(UNBIND, CARD));
	refuses(drmModePageFlip(card, crtc, p->fb, 0, NULL), ENODEV);
	refuses(access(DEBUG "stats", R_OK) ? -errno : 0, ENOENT);
	assert_int_equal(p->map[4321], byte);
	must(write_text(BIND, CARD));
}

static void test_unbind(void **state)
{
	struct picture p = noise(DRM_FORMAT_XRGB8888, WIDTH, HEIGHT);

	(void)state;
	unbind_while_showing(&p);
}

static void test_unbind_import(void **state)
{
	struct picture p;
	int fd;

	(void)state;
	p = captured(V4L2_PIX_FMT_XBGR32, &fd);
	import(&p, fd);
	unbind_while_showing(&p);
	close(fd);
}

#define card_test(f) cmocka_unit_test_setup_teardown(f, open_card, close_card)
#define both_test(f) \
	cmocka_unit_test_setup_teardown(f, open_all, close_all_of_it)

#define IMPORT_TESTS				\
	both_test(test_captured_rgb),		\
	both_test(test_captured_nv12),		\
	both_test(test_map_import),		\
	both_test(test_read_only),		\
	both_test(test_orphaned),		\
	both_test(test_unbind_import),

int main(void)
{
	/* They don't synchronise: for displays that see what the CPU sees. */
	const struct CMUnitTest foreign[] = {
		card_test(test_udmabuf),
		card_test(test_system_heap),
		card_test(test_vgem),
		card_test(test_vkms),
		card_test(test_stock_vivid),
	};
	const struct CMUnitTest display[] = {
		card_test(test_snapshot_of_nothing),
		card_test(test_crc),
		card_test(test_front_buffer),
		card_test(test_padding),
		card_test(test_snapshot),
		card_test(test_vblanks),
		card_test(test_flip),
		card_test(test_source_rectangle),
		card_test(test_bad_framebuffers),
		card_test(test_export),
		card_test(test_unbind),
		IMPORT_TESTS
	};
	/* A display that can't reach the camera's memory can't reach its own. */
	const struct CMUnitTest fallback[] = {
		IMPORT_TESTS
		both_test(test_refused),
	};

	if (getenv("FOREIGN"))
		return cmocka_run_group_tests(foreign, NULL, NULL);
	if (getenv("FALLBACK"))
		return cmocka_run_group_tests(fallback, NULL, NULL);
	return cmocka_run_group_tests(display, NULL, NULL);
}
