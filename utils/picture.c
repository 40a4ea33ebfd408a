// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pictures: from the display's PPM to a PNG file.
 */
#include <errno.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "picture.h"
#include "util.h"

/* The header's next number; *at is moved behind it. Comments are skipped. */
static unsigned long header_number(const char **at, const char *end)
{
	unsigned long number = 0;

	while (*at < end && (**at < '0' || **at > '9')) {
		if (**at == '#')
			while (*at < end && **at != '\n')
				++*at;
		else
			++*at;
	}
	while (*at < end && **at >= '0' && **at <= '9' && number < 1 << 20)
		number = number * 10 + *(*at)++ - '0';
	return number;
}

int picture_write_png(const char *path, const char *ppm, size_t size)
{
	const char *at = ppm + 2, *end = ppm + size;
	png_image image = { .version = PNG_IMAGE_VERSION,
			    .format = PNG_FORMAT_RGB };

	if (size < 2 || strncmp(ppm, "P6", 2))
		return complain("the snapshot is no PPM picture");
	image.width = header_number(&at, end);
	image.height = header_number(&at, end);
	if (header_number(&at, end) != 255 || at == end ||
	    (size_t)(end - ++at) != 3ul * image.width * image.height)
		return complain("the snapshot is cut off");
	if (!png_image_write_to_file(&image, path, 0, at, 0, NULL))
		return complain("cannot write %s: %s", path, image.message);
	return 0;
}
