/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the converter should have made of a picture.
 */
#ifndef TESTS_CONVERTED_H
#define TESTS_CONVERTED_H

#include <stdbool.h>
#include <stdint.h>

/* A picture as the tests see it: at most two planes, one behind the other. */
struct pic {
	uint32_t fourcc, width, height, stride;
	uint8_t *bytes;
};

void check_pixels(const struct pic *from, const struct pic *to,
			 bool hflip, bool vflip);

#endif
