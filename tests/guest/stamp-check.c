// SPDX-License-Identifier: GPL-2.0-only
/*
 * stamp-check: capture frames from a vivid-ext node, or read them from a file,
 * and check the stamp of each. Exit status 0: all frames are right.
 */
#define _GNU_SOURCE
#include "frame.h"
#include "node.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/dma-buf.h>
#include <linux/vivid-ext.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define BUFFERS 4

static const char usage[] =
	"usage: stamp-check [-s] [-n FRAMES] [-f WxH:FOURCC] [-m MODE] DEVICE\n"
	"       stamp-check -f WxH:FOURCC[:STRIDE] FILE\n"
	"  -s         the frames are another device's, with its sequence numbers\n"
	"  -m mmap    map the node's buffers (default)\n"
	"  -m dmabuf  export them, map the dma-bufs, bracket each access\n"
	"  -m read    use read()\n";

static struct {
	unsigned int frames, width, height, stride;
	uint32_t fourcc;
	bool any_sequence;
	const char *mode;
} options = { .frames = 10, .mode = "mmap" };

static struct node node;
static void *maps[BUFFERS][NODE_MAX_PLANES];
static int fds[BUFFERS][NODE_MAX_PLANES];

static void die(const char *what, int error)
{
	fprintf(stderr, "stamp-check: %s: %s\n", what, strerror(error));
	exit(2);
}

static int must(const char *what, int ret)
{
	if (ret < 0)
		die(what, -ret);
	return ret;
}

static bool parse_format(const char *arg)
{
	char code[5];
	int n;

	n = sscanf(arg, "%ux%u:%4[A-Za-z0-9]:%u", &options.width,
		   &options.height, code, &options.stride);
	if (n < 3 || strlen(code) != 4)
		return false;
	options.fourcc = v4l2_fourcc(code[0], code[1], code[2], code[3]);
	return true;
}

/*
 * One frame; @expected is the sequence number that the stamp must carry, or
 * -1. Returns how many things were wrong.
 */
static unsigned int check(void *const *planes, int64_t expected)
{
	uint32_t sequence = 0;
	char why[128];

	if (frame_check(&node, planes, &sequence, why, sizeof(why))) {
		printf("wrong: %s\n", why);
		return 1;
	}
	if (expected >= 0 && sequence != expected) {
		printf("wrong: frame %u in the buffer of frame %u\n", sequence,
		       (unsigned int)expected);
		return 1;
	}
	return 0;
}

static void map_buffers(bool dmabuf)
{
	unsigned int i, p;
	size_t length;

	for (i = 0; i < BUFFERS; i++) {
		for (p = 0; p < node.num_planes; p++) {
			fds[i][p] = !dmabuf ? -1 :
				    must("VIDIOC_EXPBUF",
					 node_expbuf(&node, i, p,
						     O_RDWR | O_CLOEXEC));
			length = node.size[p];
			maps[i][p] = !dmabuf ?
				     node_map(&node, i, p, &length) :
				     map_fd(fds[i][p], length, PROT_READ,
					    MAP_SHARED, 0);
			if (maps[i][p] == MAP_FAILED)
				die("mmap", errno);
		}
	}
}

static void bracket(unsigned int index, uint64_t flags)
{
	unsigned int p;

	for (p = 0; p < node.num_planes; p++)
		if (fds[index][p] >= 0)
			must("DMA_BUF_IOCTL_SYNC",
			     dmabuf_sync(fds[index][p],
					 DMA_BUF_SYNC_READ | flags));
}

static unsigned int capture(bool dmabuf)
{
	unsigned int i, wrong = 0;
	struct node_frame f;

	i = must("VIDIOC_REQBUFS",
		 node_reqbufs(&node, V4L2_MEMORY_MMAP, BUFFERS));
	if (i != BUFFERS)
		die("VIDIOC_REQBUFS gave another number of buffers", EINVAL);
	map_buffers(dmabuf);
	for (i = 0; i < BUFFERS; i++)
		must("VIDIOC_QBUF", node_qbuf(&node, i));
	must("VIDIOC_STREAMON", node_stream(&node, true));
	for (i = 0; i < options.frames; i++) {
		must("VIDIOC_DQBUF", node_dqbuf(&node, V4L2_MEMORY_MMAP, &f));
		bracket(f.index, DMA_BUF_SYNC_START);
		wrong += check(maps[f.index],
			       options.any_sequence ? -1 : (int64_t)f.sequence);
		bracket(f.index, DMA_BUF_SYNC_END);
		if (f.flags & V4L2_BUF_FLAG_ERROR) {
			printf("wrong: frame %u is in error\n", f.sequence);
			wrong++;
		}
		must("VIDIOC_QBUF", node_qbuf(&node, f.index));
	}
	must("VIDIOC_STREAMOFF", node_stream(&node, false));
	return wrong;
}

/* Frames one after the other, from read() of the node or of a file. */
static unsigned int read_frames(int fd, unsigned int max, unsigned int *count)
{
	size_t size = 0, at;
	unsigned int p, wrong = 0;
	void *planes[NODE_MAX_PLANES];
	char *frame;
	ssize_t len;

	for (p = 0; p < node.num_planes; p++)
		size += node.size[p];
	frame = malloc(size);
	for (at = 0, p = 0; p < node.num_planes; at += node.size[p++])
		planes[p] = frame + at;
	for (*count = 0; *count < max; (*count)++) {
		for (at = 0; at < size; at += len) {
			len = read(fd, frame + at, size - at);
			if (len < 0)
				die("read", errno);
			if (!len)
				break;
		}
		if (!at)
			break;
		if (at < size) {
			printf("wrong: %zu bytes of %zu at the end\n", at,
			       size);
			wrong++;
			break;
		}
		wrong += check(planes, -1);
	}
	free(frame);
	return wrong;
}

static bool is_device(const char *path)
{
	return !strncmp(path, "/dev/", 5);
}

static void open_device(const char *path)
{
	must(path, node_open(&node, path));
	if (options.fourcc)
		must("VIDIOC_S_FMT",
		     node_set_format(&node, options.width, options.height,
				     options.fourcc));
	if (options.fourcc && node.fourcc != options.fourcc)
		die("the device has another format", EINVAL);
}

/* A file's layout is that of a single-planar buffer. */
static void open_file(const char *path)
{
	const struct vivid_ext_layout *layout;
	unsigned int p;

	layout = vivid_ext_layout_of(options.fourcc);
	if (!layout)
		die("the file's format is missing or unknown", EINVAL);
	node.fd = open(path, O_RDONLY | O_CLOEXEC);
	if (node.fd < 0)
		die(path, errno);
	node.width = options.width;
	node.height = options.height;
	node.fourcc = options.fourcc;
	node.num_planes = 1;
	node.stride[0] = options.stride;
	if (!node.stride[0])
		node.stride[0] = vivid_ext_line_bytes(layout, 0, node.width);
	for (p = 0; p < layout->planes; p++)
		node.size[0] += node.stride[0] *
				vivid_ext_plane_lines(layout, p, node.height);
}

int main(int argc, char **argv)
{
	unsigned int wrong, count;
	int opt;

	while ((opt = getopt(argc, argv, "sn:f:m:")) != -1) {
		if (opt == 'n')
			options.frames = atoi(optarg);
		else if (opt == 's')
			options.any_sequence = true;
		else if (opt == 'm')
			options.mode = optarg;
		else if (opt != 'f' || !parse_format(optarg))
			break;
	}
	if (opt != -1 || optind != argc - 1) {
		fputs(usage, stderr);
		return 2;
	}
	count = options.frames;
	if (!is_device(argv[optind])) {
		open_file(argv[optind]);
		wrong = read_frames(node.fd, ~0U, &count);
	} else {
		open_device(argv[optind]);
		if (!strcmp(options.mode, "read"))
			wrong = read_frames(node.fd, count, &count);
		else
			wrong = capture(!strcmp(options.mode, "dmabuf"));
	}
	printf("%u frames, %u wrong\n", count, wrong);
	return wrong || !count;
}
