// SPDX-License-Identifier: GPL-2.0-only
/*
 * The display's card, for programs that test it by libdrm.
 */
#define _GNU_SOURCE
#include "card.h"
#include "testlib.h"

#include <drm_fourcc.h>
#include <fcntl.h>
#include <linux/vivid-ext.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <xf86drm.h>
#include <xxhash.h>

int card;
static int crc_file = -1;
uint32_t crtc, connector;
drmModeModeInfo mode;

static int card_number(void)
{
	struct stat st;

	assert_int_equal(fstat(card, &st), 0);
	return minor(st.st_rdev);
}

int open_card(void **state)
{
	drmModeRes *res;
	drmModeConnector *c;
	int i;

	(void)state;
	card = drmOpen(CARD, NULL);
	assert_true(card >= 0);
	res = drmModeGetResources(card);
	assert_non_null(res);
	crtc = res->crtcs[0];
	connector = res->connectors[0];
	c = drmModeGetConnector(card, connector);
	assert_non_null(c);
	for (i = 0; i < c->count_modes; i++)
		if (c->modes[i].hdisplay == WIDTH &&
		    c->modes[i].vdisplay == HEIGHT &&
		    c->modes[i].vrefresh == 60)
			mode = c->modes[i];
	drmModeFreeConnector(c);
	drmModeFreeResources(res);
	assert_int_equal(mode.hdisplay, WIDTH);
	return 0;
}

int close_card(void **state)
{
	(void)state;
	unmap_all();
	/* First: DRM doesn't hold the card for it. */
	close(crc_file);
	crc_file = -1;
	close(card);
	return 0;
}

long long counter(const char *name)
{
	char text[4096], key[64], *at;

	must(read_text(DEBUG "stats", text, sizeof(text)));
	snprintf(key, sizeof(key), "\n%s ", name);
	at = strstr(text, key);
	assert_non_null(at);
	return atoll(at + strlen(key));
}

static unsigned int planes_of(const struct picture *p)
{
	return vivid_ext_layout_of(p->fourcc)->planes;
}

int add_fb(struct picture *p)
{
	uint32_t handles[4] = { p->handle, p->handle };
	uint32_t strides[4] = { p->stride, p->stride };
	uint32_t offsets[4] = { 0, p->stride * p->height };

	if (planes_of(p) == 1)
		handles[1] = strides[1] = offsets[1] = 0;
	return drmModeAddFB2(card, p->width, p->height, p->fourcc, handles,
			     strides, offsets, &p->fb, 0) ? -errno : 0;
}

/* A dumb buffer with lines longer than the picture, full of noise. */
struct picture noise(uint32_t fourcc, uint32_t width, uint32_t height)
{
	const struct vivid_ext_layout *layout = vivid_ext_layout_of(fourcc);
	struct drm_mode_create_dumb create = {
		.width = width + 64,
		.height = (height + 2) * (layout->planes > 1 ? 3 : 2) / 2,
		.bpp = layout->step * 8,
	};
	struct drm_mode_map_dumb map = {};
	struct picture p = { .fourcc = fourcc, .width = width,
			     .height = height };
	size_t i;

	assert_int_equal(ioctl(card, DRM_IOCTL_MODE_CREATE_DUMB, &create), 0);
	p.handle = map.handle = create.handle;
	p.stride = create.pitch;
	p.size = create.size;
	assert_int_equal(ioctl(card, DRM_IOCTL_MODE_MAP_DUMB, &map), 0);
	p.map = must_map(map_fd(card, p.size, PROT_READ | PROT_WRITE,
				MAP_SHARED, map.offset));
	for (i = 0; i < p.size; i++)
		p.map[i] = random();
	must(add_fb(&p));
	return p;
}

/* Shows the part of a picture that begins at x, y. */
int set_mode(const struct picture *p, uint32_t x, uint32_t y)
{
	return drmModeSetCrtc(card, crtc, p->fb, x, y, &connector, 1, &mode) ?
	       -errno : 0;
}

void show(const struct picture *p)
{
	must(set_mode(p, 0, 0));
}

/* What the card's CRC must be: every visible byte. */
uint64_t crc_of(const struct picture *p)
{
	const struct vivid_ext_layout *layout = vivid_ext_layout_of(p->fourcc);
	XXH64_state_t *state = XXH64_createState();
	const unsigned char *line = p->map;
	unsigned int plane, y;
	uint64_t crc;

	XXH64_reset(state, 0);
	for (plane = 0; plane < layout->planes; plane++)
		for (y = 0; y < vivid_ext_plane_lines(layout, plane, p->height);
		     y++, line += p->stride)
			XXH64_update(state, line,
				     vivid_ext_line_bytes(layout, plane,
							  p->width));
	crc = XXH64_digest(state);
	XXH64_freeState(state);
	return crc;
}

static void write_crc_source(const char *source)
{
	char path[128];

	snprintf(path, sizeof(path),
		 "/sys/kernel/debug/dri/%d/crtc-0/crc/control", card_number());
	must(write_text(path, source));
}

/* CRCs of @n refreshes, all of what is shown now; @frames are their numbers. */
void read_crcs(unsigned int n, uint64_t *crcs, unsigned int *frames)
{
	char path[128], line[64] = "";
	unsigned int i, high, low;

	write_crc_source("auto");
	snprintf(path, sizeof(path),
		 "/sys/kernel/debug/dri/%d/crtc-0/crc/data", card_number());
	crc_file = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(crc_file >= 0);
	for (i = 0; i < n; i++) {
		/* One CRC a read. */
		assert_true(read(crc_file, line, sizeof(line) - 1) > 0);
		if (sscanf(line, "%x %x %x", &frames[i], &high, &low) != 3)
			fail_msg("this is no CRC of two values: %s", line);
		crcs[i] = (uint64_t)high << 32 | low;
	}
	close(crc_file);
	crc_file = -1;
}

void require_crc(const struct picture *p)
{
	uint64_t crc;
	unsigned int frame;

	read_crcs(1, &crc, &frame);
	if (crc != crc_of(p))
		fail_msg("CRC %016llx, but the picture's is %016llx",
			 (unsigned long long)crc,
			 (unsigned long long)crc_of(p));
}
