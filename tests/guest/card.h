/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The display's card, for programs that test it by libdrm.
 */
#ifndef TESTS_CARD_H
#define TESTS_CARD_H

#include <stddef.h>
#include <stdint.h>

#include <xf86drmMode.h>

#define CARD "vivid-ext-display"
#define DEBUG "/sys/kernel/debug/" CARD "/"
#define UNBIND "/sys/bus/platform/drivers/" CARD "/unbind"
#define BIND "/sys/bus/platform/drivers/" CARD "/bind"
#define WIDTH 640
#define HEIGHT 480

/* A framebuffer and its memory as the CPU sees it. */
struct picture {
	uint32_t fourcc, width, height, handle, fb, stride;
	size_t size;
	unsigned char *map;
};

extern int card;
extern uint32_t crtc, connector;
extern drmModeModeInfo mode;

int open_card(void **state);
int close_card(void **state);
long long counter(const char *name);
int add_fb(struct picture *p);
struct picture noise(uint32_t fourcc, uint32_t width, uint32_t height);
int set_mode(const struct picture *p, uint32_t x, uint32_t y);
void show(const struct picture *p);
uint64_t crc_of(const struct picture *p);
void read_crcs(unsigned int n, uint64_t *crcs, unsigned int *frames);
void require_crc(const struct picture *p);

#endif
