// SPDX-License-Identifier: GPL-2.0-only
/*
 * Importing dma-bufs into vivid-ext's nodes: its own, another node's, other
 * exporters'. The stamp shows that the frame landed in the right memory.
 */
#define _GNU_SOURCE
#include "exporter.h"
#include "testlib.h"

#include <fcntl.h>
#include <linux/dma-buf.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define COUNT 3

typedef int fds_t[NODE_MAX_PLANES];

/* Buffers allocated by @n and exported; the queue keeps them. */
static void export_all(struct node *n, fds_t *fds, unsigned int count)
{
	unsigned int i, p;

	alloc_buffers(n, count);
	for (i = 0; i < count; i++)
		for (p = 0; p < n->num_planes; p++)
			fds[i][p] = must(node_expbuf(n, i, p, O_RDWR));
}

static void start_import(struct node *n, unsigned int count)
{
	int got = must(node_reqbufs(n, V4L2_MEMORY_DMABUF, count));

	assert_in_range(got, count, VIDEO_MAX_FRAME);
}

/* libcamera's way: allocate, export, free, import into the same queue. */
static void own_exports_go_back_into_the_same_queue(void **state)
{
	fds_t fds[COUNT];

	(void)state;
	export_all(&dev[0], fds, COUNT);
	must(node_reqbufs(&dev[0], V4L2_MEMORY_MMAP, 0));
	start_import(&dev[0], COUNT);
	stream_fds(&dev[0], fds, COUNT, 6);
	must(node_reqbufs(&dev[0], V4L2_MEMORY_DMABUF, 0));
}

static void another_nodes_buffers_are_taken(void **state)
{
	fds_t fds[COUNT];

	(void)state;
	export_all(&dev[1], fds, COUNT);
	start_import(&dev[0], COUNT);
	stream_fds(&dev[0], fds, COUNT, 6);
}

static void the_exporters_node_may_be_closed(void **state)
{
	fds_t fds[COUNT];

	(void)state;
	export_all(&dev[1], fds, COUNT);
	node_close(&dev[1]);
	start_import(&dev[0], COUNT);
	stream_fds(&dev[0], fds, COUNT, 4);
}

/* The importer holds its own reference. */
static void the_fds_may_be_closed_while_queued(void **state)
{
	struct node *n = &dev[0];
	struct node_frame f;
	fds_t fds[COUNT];
	unsigned int i, p;

	(void)state;
	export_all(&dev[1], fds, COUNT);
	node_close(&dev[1]);
	start_import(n, COUNT);
	for (i = 0; i < COUNT; i++) {
		must(node_qbuf_fds(n, i, fds[i], NULL));
		for (p = 0; p < n->num_planes; p++)
			close(fds[i][p]);
	}
	must(node_stream(n, true));
	for (i = 0; i < COUNT; i++)
		must(node_dqbuf(n, V4L2_MEMORY_DMABUF, &f));
	must(node_stream(n, false));
}

static void one_dmabuf_at_two_indices(void **state)
{
	fds_t fds[2];
	unsigned int p;

	(void)state;
	export_all(&dev[1], fds, 1);
	for (p = 0; p < dev[1].num_planes; p++)
		fds[1][p] = fds[0][p];
	start_import(&dev[0], 2);
	must(node_qbuf_fds(&dev[0], 0, fds[0], NULL));
	must(node_qbuf_fds(&dev[0], 1, fds[1], NULL));
	must(node_stream(&dev[0], true));
	must(node_stream(&dev[0], false));
	/* One at a time, so that the frame is whole when it is looked at. */
	stream_fds(&dev[0], fds, 1, 2);
	must(node_qbuf_fds(&dev[0], 1, fds[1], NULL));
	must(node_stream(&dev[0], true));
	must(node_stream(&dev[0], false));
}

/* Not attached or mapped again: that is work with page tables or copies. */
static void a_dmabuf_moves_between_indices(void **state)
{
	fds_t fds[COUNT], turned[COUNT];
	unsigned int i, round;
	long long maps, hits;

	(void)state;
	export_all(&dev[1], fds, COUNT);
	start_import(&dev[0], COUNT);
	stream_fds(&dev[0], fds, COUNT, 3);
	maps = allocator_count("maps");
	hits = allocator_count("import_cache_hits");
	for (round = 1; round < COUNT; round++) {
		for (i = 0; i < COUNT; i++)
			memcpy(turned[i], fds[(i + round) % COUNT],
			       sizeof(fds_t));
		stream_fds(&dev[0], turned, COUNT, 3);
	}
	assert_int_equal(allocator_count("maps"), maps);
	if (dev_does_dma())
		assert_true(allocator_count("import_cache_hits") >= hits + 6);
	must(node_reqbufs(&dev[0], V4L2_MEMORY_DMABUF, 0));
	assert_int_equal(allocator_count("import_cache_idle"), 0);
}

/* A buffer comes back with its frame, and goes again with another dma-buf. */
static void requeue(struct node *n, const int *fds)
{
	struct node_frame f;

	must(node_dqbuf(n, V4L2_MEMORY_DMABUF, &f));
	must(node_qbuf_fds(n, f.index, fds, NULL));
}

static unsigned int idle_planes(unsigned int buffers)
{
	return dev_does_dma() ? buffers * dev[0].num_planes : 0;
}

static void wait_until_idle(unsigned int buffers)
{
	const struct timespec tick = { .tv_nsec = 50 * 1000 * 1000 };
	unsigned int i, planes = idle_planes(buffers);

	for (i = 0; i < 20; i++) {
		if (allocator_count("import_cache_idle") == planes)
			return;
		nanosleep(&tick, NULL);
	}
	assert_int_equal(allocator_count("import_cache_idle"), planes);
}

/* One buffer, several dma-bufs: none is mapped twice. */
static void a_single_buffer_knows_them_all(void **state)
{
	long long maps, hits;
	fds_t fds[COUNT];
	unsigned int i;

	(void)state;
	export_all(&dev[1], fds, COUNT);
	start_import(&dev[0], 1);
	must(node_qbuf_fds(&dev[0], 0, fds[0], NULL));
	must(node_stream(&dev[0], true));
	for (i = 1; i < COUNT; i++)
		requeue(&dev[0], fds[i]);
	maps = allocator_count("maps");
	hits = allocator_count("import_cache_hits");
	for (i = 0; i < 2 * COUNT; i++)
		requeue(&dev[0], fds[i % COUNT]);
	assert_int_equal(allocator_count("maps"), maps);
	assert_int_equal(allocator_count("import_cache_hits"),
			 hits + idle_planes(2 * COUNT));
	must(node_stream(&dev[0], false));
	must(node_reqbufs(&dev[0], V4L2_MEMORY_DMABUF, 0));
	assert_int_equal(allocator_count("import_cache_idle"), 0);
	assert_int_equal(allocator_count("import_cache_idle_bytes"), 0);
}

/* What nobody else has any more is not kept for the day it comes back. */
static void lost_dmabufs_leave_the_cache(void **state)
{
	unsigned int p, planes = dev[0].num_planes;
	fds_t fds[COUNT];

	(void)state;
	export_all(&dev[1], fds, COUNT);
	must(node_reqbufs(&dev[1], V4L2_MEMORY_MMAP, 0));
	start_import(&dev[0], 1);
	must(node_qbuf_fds(&dev[0], 0, fds[0], NULL));
	must(node_stream(&dev[0], true));
	requeue(&dev[0], fds[1]);
	assert_int_equal(allocator_count("import_cache_idle"), idle_planes(1));
	for (p = 0; p < planes; p++)
		close(fds[0][p]);
	/* A new one takes their place at once. */
	requeue(&dev[0], fds[2]);
	assert_int_equal(allocator_count("import_cache_idle"), idle_planes(1));
	wait_for_dmabufs(EXPORTER, 2 * planes);
	/* Also where nothing new comes. */
	for (p = 0; p < planes; p++)
		close(fds[1][p]);
	wait_until_idle(0);
	wait_for_dmabufs(EXPORTER, planes);
	must(node_stream(&dev[0], false));
}

/* The driver may be gone next, and nobody tells the allocator. */
static void a_failed_qbuf_leaves_nothing(void **state)
{
	fds_t fds[2];
	unsigned int p;

	(void)state;
	export_all(&dev[1], fds, 1);
	start_import(&dev[0], 1);
	must(node_qbuf_fds(&dev[0], 0, fds[0], NULL));
	must(node_stream(&dev[0], true));
	must(node_stream(&dev[0], false));
	for (p = 0; p < dev[0].num_planes; p++)
		fds[1][p] = -1;
	assert_true(node_qbuf_fds(&dev[0], 0, fds[1], NULL) < 0);
	must(node_reqbufs(&dev[0], V4L2_MEMORY_DMABUF, 0));
	wait_until_idle(0);
}

#define POOL 24

/* Others' buffers by what there is, and their exporter's name. */
static const char *foreign_pool(fds_t *fds)
{
	const char *exporter = "system";
	unsigned int i, p;

	for (i = 0; i < POOL; i++)
		for (p = 0; p < dev[0].num_planes; p++) {
			size_t size = dev[0].size[p];

			fds[i][p] = system_heap_buffer(size);
			if (fds[i][p] >= 0)
				continue;
			exporter = "drm";
			fds[i][p] = vgem_buffer(size);
			if (fds[i][p] == -ENOENT)
				skip_because("this kernel has no such exporter");
			must(fds[i][p]);
		}
	return exporter;
}

/* All of a pool in turn, through two buffers that stay queued. */
static void start_pool(const fds_t *fds)
{
	const char *options = getenv("VIVID_EXT_OPTIONS");
	unsigned int i;

	if (options && strstr(options, "contiguous=1"))
		skip_because("this device does not reach scattered memory");
	start_import(&dev[0], 2);
	must(node_qbuf_fds(&dev[0], 0, fds[0], NULL));
	must(node_qbuf_fds(&dev[0], 1, fds[1], NULL));
	must(node_stream(&dev[0], true));
	for (i = 2; i < POOL; i++)
		requeue(&dev[0], fds[i]);
	assert_int_equal(allocator_count("import_cache_idle"),
			 idle_planes(POOL - 2));
}

static void foreign_dmabufs_go_with_their_last_user(void **state)
{
	unsigned int i, p, planes = dev[0].num_planes;
	const char *exporter;
	fds_t fds[POOL];

	(void)state;
	exporter = foreign_pool(fds);
	start_pool(fds);
	/* Somebody has them: they stay as they are. */
	usleep(1500 * 1000);
	assert_int_equal(allocator_count("import_cache_idle"),
			 idle_planes(POOL - 2));
	for (i = 0; i < POOL; i++)
		for (p = 0; p < planes; p++)
			close(fds[i][p]);
	wait_until_idle(0);
	wait_for_dmabufs(exporter, 2 * planes);
	must(node_stream(&dev[0], false));
	must(node_reqbufs(&dev[0], V4L2_MEMORY_DMABUF, 0));
	wait_for_dmabufs(exporter, 0);
}

static void nothing_is_idle_when_the_queue_stops(void **state)
{
	fds_t fds[POOL];

	(void)state;
	foreign_pool(fds);
	start_pool(fds);
	must(node_stream(&dev[0], false));
	wait_until_idle(0);
	assert_int_equal(allocator_count("import_cache_idle_bytes"), 0);
}

/* Memory is short: bytes that only wait for a next time can be had. */
static void the_shrinker_takes_what_is_idle(void **state)
{
	fds_t fds[POOL];

	(void)state;
	foreign_pool(fds);
	start_pool(fds);
	must(write_text("/proc/sys/vm/drop_caches", "2"));
	wait_until_idle(0);
	must(node_stream(&dev[0], false));
}

/* Both write; then one of them alone, and its frame must be whole. */
static void one_dmabuf_in_two_devices(void **state)
{
	fds_t fds[1];

	(void)state;
	export_all(&dev[1], fds, 1);
	must(node_reqbufs(&dev[1], V4L2_MEMORY_MMAP, 0));
	start_import(&dev[0], 1);
	start_import(&dev[1], 1);
	must(node_qbuf_fds(&dev[0], 0, fds[0], NULL));
	must(node_qbuf_fds(&dev[1], 0, fds[0], NULL));
	must(node_stream(&dev[0], true));
	must(node_stream(&dev[1], true));
	must(node_stream(&dev[0], false));
	must(node_stream(&dev[1], false));
	stream_fds(&dev[1], fds, 1, 2);
	stream_fds(&dev[0], fds, 1, 2);
}

static void larger_dmabufs_are_taken(void **state)
{
	fds_t fds[COUNT];

	(void)state;
	must(node_set_format(&dev[1], 2 * TEST_WIDTH, 2 * TEST_HEIGHT,
			     dev[1].fourcc));
	export_all(&dev[1], fds, COUNT);
	start_import(&dev[0], COUNT);
	stream_fds(&dev[0], fds, COUNT, 4);
}

static void stock_vivids_buffers_are_taken(void **state)
{
	struct node vivid;
	fds_t fds[COUNT];

	(void)state;
	if (open_stock_vivid(&vivid, dev[0].mplane))
		skip_because("stock vivid is not loaded");
	must(node_set_format(&vivid, TEST_WIDTH, TEST_HEIGHT, dev[0].fourcc));
	assert_int_equal(vivid.fourcc, dev[0].fourcc);
	export_all(&vivid, fds, COUNT);
	start_import(&dev[0], COUNT);
	stream_fds(&dev[0], fds, COUNT, 6);
}

/* What others give, where the kernel has them. */
static void import_from(int (*get)(size_t size))
{
	struct node *n = &dev[0];
	fds_t fds[COUNT];
	unsigned int i, p;

	for (i = 0; i < COUNT; i++)
		for (p = 0; p < n->num_planes; p++) {
			fds[i][p] = get(n->size[p]);
			if (fds[i][p] == -ENOENT)
				skip_because("this kernel has no such exporter");
			must(fds[i][p]);
		}
	start_import(n, COUNT);
	stream_fds(n, fds, COUNT, 6);
}

/* What a bounce buffer has, udmabuf never fetches for the CPU: its fault. */
static void udmabufs_are_taken(void **state)
{
	(void)state;
	import_from(udmabuf);
}

static void system_heap_buffers_are_taken(void **state)
{
	(void)state;
	import_from(system_heap_buffer);
}

static void vgems_buffers_are_taken(void **state)
{
	(void)state;
	import_from(vgem_buffer);
}

static void vkms_dumb_buffers_are_taken(void **state)
{
	(void)state;
	import_from(vkms_buffer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		node_test(own_exports_go_back_into_the_same_queue),
		node_test(another_nodes_buffers_are_taken),
		node_test(the_exporters_node_may_be_closed),
		node_test(the_fds_may_be_closed_while_queued),
		node_test(one_dmabuf_at_two_indices),
		node_test(a_dmabuf_moves_between_indices),
		node_test(a_single_buffer_knows_them_all),
		node_test(lost_dmabufs_leave_the_cache),
		node_test(a_failed_qbuf_leaves_nothing),
		node_test(foreign_dmabufs_go_with_their_last_user),
		node_test(nothing_is_idle_when_the_queue_stops),
		node_test(the_shrinker_takes_what_is_idle),
		node_test(one_dmabuf_in_two_devices),
		node_test(larger_dmabufs_are_taken),
		node_test(system_heap_buffers_are_taken),
		node_test(stock_vivids_buffers_are_taken),
		node_test(udmabufs_are_taken),
		node_test(vgems_buffers_are_taken),
		node_test(vkms_dumb_buffers_are_taken),
	};
	size_t count = sizeof(tests) / sizeof(tests[0]);

	/* The last four exporters do not synchronise for importers. */
	if (getenv("NOT_COHERENT"))
		count -= 4;
	return _cmocka_run_group_tests("import", tests, count, NULL, NULL);
}
