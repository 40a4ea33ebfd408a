// SPDX-License-Identifier: GPL-2.0-only
/*
 * orphan: buffers that outlive their queue's use of them, while their device
 * goes to another bus.
 *
 *   orphan [-n] NODE [FILE VALUE]...
 *
 * Makes buffers (with -n those that V4L2_MEMORY_FLAG_NON_COHERENT asks for),
 * maps them, exports them, maps the exports, and frees them, so that only
 * mappings and file descriptors are left. Then writes each VALUE into its
 * FILE, as changes the bus; makes buffers there and captures a frame, if the
 * node is still the device's; and looks whether the old ones have their bytes
 * before it lets go of them.
 */
#include "node.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define BUFFERS 3
#define WIDTH 640
#define HEIGHT 480

#ifndef V4L2_MEMORY_FLAG_NON_COHERENT
#define V4L2_MEMORY_FLAG_NON_COHERENT 1
#endif

static struct node node;
static unsigned char *maps[BUFFERS], *exports[BUFFERS];
static int fds[BUFFERS];
static size_t length;

static long must(const char *what, long ret)
{
	if (ret >= 0)
		return ret;
	fprintf(stderr, "orphan: %s: %s\n", what, strerror(-ret));
	exit(1);
}

static void request(unsigned int count, bool noncoherent)
{
	struct v4l2_requestbuffers r = {
		.count = count,
		.type = node.type,
		.memory = V4L2_MEMORY_MMAP,
		.flags = noncoherent ? V4L2_MEMORY_FLAG_NON_COHERENT : 0,
	};

	must("REQBUFS", ioctl(node.fd, VIDIOC_REQBUFS, &r) ? -errno : 0);
}

static void make(bool noncoherent)
{
	unsigned int i;

	request(BUFFERS, noncoherent);
	for (i = 0; i < BUFFERS; i++) {
		maps[i] = node_map(&node, i, 0, &length);
		must("mmap", maps[i] == MAP_FAILED ? -errno : 0);
		fds[i] = must("EXPBUF", node_expbuf(&node, i, 0,
						    O_RDWR | O_CLOEXEC));
		exports[i] = mmap(NULL, length, PROT_READ | PROT_WRITE,
				  MAP_SHARED, fds[i], 0);
		must("mmap of the export",
		     exports[i] == MAP_FAILED ? -errno : 0);
		memset(maps[i], 0x40 + i, length);
	}
	request(0, false);
}

static void check(const char *when)
{
	size_t at;
	unsigned int i;

	for (i = 0; i < BUFFERS; i++) {
		for (at = 0; at < length; at++)
			if (maps[i][at] != 0x40 + i ||
			    exports[i][at] != 0x40 + i) {
				fprintf(stderr, "orphan: %s: buffer %u has %#x at %zu\n",
					when, i, maps[i][at], at);
				exit(1);
			}
	}
}

static void capture(void)
{
	struct node_frame frame;
	unsigned int i;

	request(BUFFERS, false);
	for (i = 0; i < BUFFERS; i++)
		must("QBUF", node_qbuf(&node, i));
	must("STREAMON", node_stream(&node, true));
	must("DQBUF", node_dqbuf(&node, V4L2_MEMORY_MMAP, &frame));
	must("STREAMOFF", node_stream(&node, false));
	request(0, false);
}

static void let_go(void)
{
	unsigned int i;

	for (i = 0; i < BUFFERS; i++) {
		munmap(maps[i], length);
		munmap(exports[i], length);
		close(fds[i]);
	}
}

int main(int argc, char **argv)
{
	bool noncoherent = argc > 1 && !strcmp(argv[1], "-n"), same = true;
	int i = noncoherent ? 2 : 1;

	if (i >= argc) {
		fprintf(stderr, "usage: orphan [-n] NODE [FILE VALUE]...\n");
		return 2;
	}
	must(argv[i], node_open(&node, argv[i]));
	must("S_FMT", node_set_format(&node, WIDTH, HEIGHT,
				      V4L2_PIX_FMT_YUYV));
	make(noncoherent);
	for (i++; i + 1 < argc; i += 2) {
		must(argv[i], write_text(argv[i], argv[i + 1]));
		same &= !strstr(argv[i], "/unbind");
	}
	check("on the other bus");
	if (same)
		capture();
	check("after a frame there");
	let_go();
	node_close(&node);
	return 0;
}
