// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the cmocka programs share: two vivid-ext nodes for each test.
 */
#define _GNU_SOURCE
#include "testlib.h"
#include "frame.h"

#include <linux/dma-buf.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct node dev[2];

/* Run a shell command; its exit status. */
int run(const char *format, ...)
{
	char command[512];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	return system(command);
}

static int load(char (*paths)[64])
{
	const char *options = getenv("VIVID_EXT_OPTIONS");

	if (nodes_of_driver(DRIVER, paths, 2) == 2)
		return 0;
	/* udev opens new nodes for a moment, and holds the module. */
	run("udevadm settle; modprobe -r vivid-ext; modprobe vivid-ext n_devs=2 %s",
	    options ? options : "");
	return nodes_of_driver(DRIVER, paths, 2) == 2 ? 0 : -ENODEV;
}

/*
 * The multi-planar node's own format is the one with most planes: it is there
 * that planes can be confused.
 */
int open_nodes(void **state)
{
	char paths[2][64];
	int i, ret;

	(void)state;
	ret = load(paths);
	for (i = 0; !ret && i < 2; i++) {
		ret = node_open(&dev[i], paths[i]);
		if (!ret)
			ret = node_set_format(&dev[i], TEST_WIDTH, TEST_HEIGHT,
					      dev[i].mplane ?
					      V4L2_PIX_FMT_NV12M :
					      V4L2_PIX_FMT_YUYV);
	}
	if (ret)
		print_error("cannot open two " DRIVER " nodes: %s\n",
			    strerror(-ret));
	return ret;
}

int close_nodes(void **state)
{
	(void)state;
	unmap_all();
	close_all();
	return 0;
}

bool dev_does_dma(void)
{
	const char *options = getenv("VIVID_EXT_OPTIONS");

	return !options || !strstr(options, "dma=0");
}

/* A line of the allocator's statistics. */
long long allocator_count(const char *name)
{
	FILE *f = fopen("/sys/kernel/debug/" EXPORTER "/stats", "r");
	long long n, found = -1;
	char line[64];

	if (!f)
		fail_msg("the allocator has no statistics");
	while (fscanf(f, "%63s %lld", line, &n) == 2)
		if (!strcmp(line, name))
			found = n;
	fclose(f);
	if (found < 0)
		fail_msg("the allocator does not count %s", name);
	return found;
}

/*
 * Wait until so many dma-bufs of @exporter are left. The last reference may be
 * dropped by a kernel worker, hence a little later.
 */
void wait_for_dmabufs(const char *exporter, int count)
{
	const struct timespec tick = { .tv_nsec = 50 * 1000 * 1000 };
	int i, n = 0;

	for (i = 0; i < 60; i++) {
		n = dmabufs_of(exporter);
		if (n == count)
			return;
		nanosleep(&tick, NULL);
	}
	must(n);
	fail_msg("%d dma-bufs of %s live, not %d", n, exporter, count);
}

void *map_dmabuf(int fd, size_t length, int prot)
{
	return must_map(map_fd(fd, length, prot, MAP_SHARED, 0));
}

/* MMAP buffers; at least @count. */
void alloc_buffers(struct node *n, unsigned int count)
{
	int got = must(node_reqbufs(n, V4L2_MEMORY_MMAP, count));

	assert_in_range(got, count, VIDEO_MAX_FRAME);
}

/* The frame in the planes' dma-bufs must have a stamp that agrees with it. */
void require_stamp(struct node *n, const int *fds, uint32_t *sequence)
{
	void *planes[NODE_MAX_PLANES] = { NULL };
	char why[128];
	unsigned int p;
	int ret;

	for (p = 0; p < n->num_planes; p++) {
		planes[p] = map_dmabuf(fds[p], n->size[p], PROT_READ);
		must(dmabuf_sync(fds[p], DMA_BUF_SYNC_START |
				 DMA_BUF_SYNC_READ));
	}
	ret = frame_check(n, planes, sequence, why, sizeof(why));
	for (p = 0; p < n->num_planes; p++) {
		must(dmabuf_sync(fds[p], DMA_BUF_SYNC_END |
				 DMA_BUF_SYNC_READ));
		unmap_fd(planes[p], n->size[p]);
	}
	if (ret)
		fail_msg("%s: %s", n->path, why);
}

/* Capture @frames frames into dma-bufs and check the stamp of each. */
void stream_fds(struct node *n, const int (*fds)[NODE_MAX_PLANES],
		unsigned int count, unsigned int frames)
{
	struct node_frame f;
	uint32_t sequence;
	unsigned int i;

	for (i = 0; i < count; i++)
		must(node_qbuf_fds(n, i, fds[i], NULL));
	must(node_stream(n, true));
	for (i = 0; i < frames; i++) {
		must(node_dqbuf(n, V4L2_MEMORY_DMABUF, &f));
		assert_false(f.flags & V4L2_BUF_FLAG_ERROR);
		require_stamp(n, fds[f.index], &sequence);
		assert_int_equal(sequence, f.sequence);
		must(node_qbuf_fds(n, f.index, fds[f.index], NULL));
	}
	must(node_stream(n, false));
}

/* Under this policy it is our duty to say when we look, also after DQBUF. */
bool explicit_policy(void)
{
	const char *options = getenv("VIVID_EXT_OPTIONS");

	return options && strstr(options, "policy=explicit");
}

/* Whoever looks must find just this frame. */
void require_frame(const char *who, void *const *planes, uint32_t expected)
{
	uint32_t sequence = ~0;
	char why[128];

	if (frame_check(&dev[0], planes, &sequence, why, sizeof(why)))
		fail_msg("%s: %s", who, why);
	if (sequence != expected)
		fail_msg("%s sees frame %u, not %u", who, sequence, expected);
}
