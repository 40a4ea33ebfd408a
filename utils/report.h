/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The demo's result, as text and as JSON.
 */
#ifndef REPORT_H
#define REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "evidence.h"

/**
 * struct report - what was measured
 * @kernel: its release
 * @camera: the capture node
 * @card: the card
 * @format: of the frames, such as "1280x720 XR24"
 * @wanted: frames asked for
 * @frames: frames shown, by flip events
 * @evidence: what the modules counted meanwhile
 * @pages_identical: display and allocator name the same pages, all buffers
 * @dropped: numbers missing in the camera's sequence
 * @errors: frames that the camera marked as wrong
 * @fps: from the first flip to the last one
 * @cpu_us_per_frame: of our process, user and system
 */
struct report {
	char kernel[80];
	char camera[32];
	char card[32];
	char format[32];
	unsigned int wanted;
	unsigned int frames;
	struct evidence evidence;
	bool pages_identical;
	unsigned int dropped;
	unsigned int errors;
	double fps;
	double cpu_us_per_frame;
};

/* Whether every frame came without a copy and as the camera made it. */
bool report_is_good(const struct report *report, bool allow_fallback);

void report_print(const struct report *report, FILE *file);

/* Writes report.txt and report.json to a directory. */
int report_write(const struct report *report, const char *dir);

#endif
