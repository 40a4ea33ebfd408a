// SPDX-License-Identifier: GPL-2.0-only
/*
 * vivid-ext-snapshot: saves what the virtual display's scan-out reads.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "evidence.h"
#include "picture.h"
#include "util.h"

static const char help[] =
"Usage: vivid-ext-snapshot FILE.png\n"
"Save what the virtual display reads at its next refresh.\n";

int main(int argc, char **argv)
{
	size_t size;
	char *ppm;
	int ret;

	if (argc == 2 && (!strcmp(argv[1], "--help") ||
			  !strcmp(argv[1], "-h"))) {
		fputs(help, stdout);
		return 0;
	}
	if (argc != 2 || argv[1][0] == '-') {
		fputs(help, stderr);
		return 2;
	}
	ppm = evidence_snapshot(&size);
	if (!ppm)
		return 1;
	ret = picture_write_png(argv[1], ppm, size);
	free(ppm);
	return ret ? 1 : 0;
}
