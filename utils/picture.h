/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pictures: from the display's PPM to a PNG file.
 */
#ifndef PICTURE_H
#define PICTURE_H

#include <stddef.h>

/* Writes a PPM (P6, 255 levels) that lies in memory to a PNG file. */
int picture_write_png(const char *path, const char *ppm, size_t size);

#endif
