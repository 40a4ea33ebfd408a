// SPDX-License-Identifier: GPL-2.0-only
/*
 * frame-counts: what a frame costs in synchronisations, shoot-downs and page
 * faults, by how much of it the CPU touches: rows of a table, for the script
 * "counts". The numbers are the allocator's, on average over some frames.
 */
#define _GNU_SOURCE
#include "node.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define STATS "/sys/kernel/debug/videobuf2-dmabuf/stats"
#define WIDTH 1920
#define HEIGHT 1080
#define BUFFERS 4
#define FRAMES 32

static const char *const counters[] = {
	"syncs_for_cpu", "syncs_for_device", "syncs_elided", "bytes_synced",
	"shootdowns", "faults", "write_faults",
};

#define COUNTERS (sizeof(counters) / sizeof(counters[0]))
#define BYTES_SYNCED 3

static struct node node;
static unsigned char *maps[BUFFERS];

static long must(const char *what, long ret)
{
	if (ret >= 0)
		return ret;
	fprintf(stderr, "frame-counts: %s: %s\n", what, strerror(-ret));
	exit(1);
}

static void get_counters(long long *values)
{
	char text[4096] = "\n", key[64], *at;
	unsigned int i;

	must(STATS, read_text(STATS, text + 1, sizeof(text) - 1));
	for (i = 0; i < COUNTERS; i++) {
		snprintf(key, sizeof(key), "\n%s ", counters[i]);
		at = strstr(text, key);
		values[i] = at ? atoll(at + strlen(key)) : 0;
	}
}

static void read_bytes(const unsigned char *frame, size_t from, size_t to,
		       size_t step)
{
	const volatile unsigned char *bytes = frame;

	for (; from < to; from += step)
		(void)bytes[from];
}

static void no_access(unsigned char *frame)
{
	(void)frame;
}

/* 240 x 135 pixels in the middle of the picture. */
static void read_crop(unsigned char *frame)
{
	unsigned int y;

	for (y = HEIGHT / 2; y < HEIGHT / 2 + HEIGHT / 8; y++)
		read_bytes(frame, y * node.stride[0] + WIDTH / 2 * 4,
			   y * node.stride[0] + (WIDTH / 2 + WIDTH / 8) * 4, 4);
}

/* The whole picture, scaled down without a filter. */
static void read_thumbnail(unsigned char *frame)
{
	unsigned int y;

	for (y = 0; y < HEIGHT; y += 8)
		read_bytes(frame, y * node.stride[0],
			   y * node.stride[0] + WIDTH * 4, 8 * 4);
}

/* The first lines: as many bytes as the others, but next to each other. */
static void read_part(unsigned char *frame)
{
	read_bytes(frame, 0, node.size[0] / 64, 4);
}

static void read_all(unsigned char *frame)
{
	read_bytes(frame, 0, node.size[0], 4);
}

static void write_all(unsigned char *frame)
{
	memset(frame, 0, node.size[0]);
}

static void stream(void (*access)(unsigned char *frame), unsigned int frames)
{
	struct node_frame f;

	while (frames--) {
		must("VIDIOC_DQBUF", node_dqbuf(&node, V4L2_MEMORY_MMAP, &f));
		access(maps[f.index]);
		must("VIDIOC_QBUF", node_qbuf(&node, f.index));
	}
}

static void report(const char *label, const char *name,
		   void (*access)(unsigned char *frame))
{
	long long before[COUNTERS], after[COUNTERS];
	unsigned int i;

	/* What was left from another kind of access goes first. */
	stream(access, 2 * BUFFERS);
	get_counters(before);
	stream(access, FRAMES);
	get_counters(after);
	printf("| %s | %s |", label, name);
	for (i = 0; i < COUNTERS; i++) {
		double n = (double)(after[i] - before[i]) / FRAMES;

		if (i == BYTES_SYNCED)
			n /= 1 << 20;
		printf(" %.*f |", n == (long long)n ? 0 : 2, n);
	}
	printf("\n");
	fflush(stdout);
}

static void start(const char *path)
{
	unsigned int i;
	size_t length;

	must(path, node_open(&node, path));
	must("VIDIOC_S_FMT",
	     node_set_format(&node, WIDTH, HEIGHT, V4L2_PIX_FMT_XBGR32));
	must("VIDIOC_REQBUFS", node_reqbufs(&node, V4L2_MEMORY_MMAP, BUFFERS));
	for (i = 0; i < BUFFERS; i++) {
		maps[i] = node_map(&node, i, 0, &length);
		if (maps[i] == MAP_FAILED)
			must("mmap", -errno);
		must("VIDIOC_QBUF", node_qbuf(&node, i));
	}
	must("VIDIOC_STREAMON", node_stream(&node, true));
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "usage: frame-counts LABEL DEVICE\n");
		return 2;
	}
	start(argv[2]);
	report(argv[1], "none", no_access);
	report(argv[1], "read 1/64, the first lines", read_part);
	report(argv[1], "read 1/64, a crop", read_crop);
	report(argv[1], "read 1/64, every 8th pixel of every 8th line",
	       read_thumbnail);
	report(argv[1], "read all", read_all);
	report(argv[1], "write all", write_all);
	return 0;
}
