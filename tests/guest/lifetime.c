// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exported buffers and mappings outlive everything they came from: the queue's
 * buffers, the node, the device, the driver's module. The allocator's module
 * stays as long as one of them does, and not longer.
 */
#define _GNU_SOURCE
#include "testlib.h"

#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <linux/dma-buf.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ALLOCATOR "videobuf2_dmabuf"
#define MODULE "vivid_ext"
#define SHARED "vivid_ext_v4l2"	/* its other half */

/* One buffer with every byte of each page set to the page's number. */
struct kept {
	int fd;
	size_t length;
	unsigned char *node;	/* mapped through the video node */
	unsigned char *dmabuf;	/* mapped through the dma-buf */
};

static void require_bytes(const unsigned char *map, size_t length, int add)
{
	size_t i;

	for (i = 0; i < length; i += 509)
		if (map[i] != (unsigned char)(i / PAGE + add))
			fail_msg("byte %zu is %u", i, map[i]);
}

static void set_bytes(unsigned char *map, size_t length, int add)
{
	size_t i;

	for (i = 0; i < length; i++)
		map[i] = i / PAGE + add;
}

static void keep_one(struct node *n, struct kept *k)
{
	alloc_buffers(n, 2);
	k->fd = must(node_expbuf(n, 0, 0, O_RDWR));
	k->node = must_map(node_map(n, 0, 0, &k->length));
	k->dmabuf = map_dmabuf(k->fd, k->length, PROT_READ | PROT_WRITE);
	set_bytes(k->node, k->length, 1);
}

/* The bytes are there, by old and new mappings, and can be written. */
static void require_kept(struct kept *k)
{
	unsigned char *again;

	require_bytes(k->node, k->length, 1);
	require_bytes(k->dmabuf, k->length, 1);
	must(dmabuf_sync(k->fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW));
	again = map_dmabuf(k->fd, k->length, PROT_READ | PROT_WRITE);
	require_bytes(again, k->length, 1);
	set_bytes(again, k->length, 99);
	must(dmabuf_sync(k->fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW));
	require_bytes(k->node, k->length, 99);
	require_bytes(k->dmabuf, k->length, 99);
	unmap_fd(again, k->length);
	set_bytes(k->node, k->length, 1);
}

static void drop(struct kept *k)
{
	unmap_fd(k->node, k->length);
	unmap_fd(k->dmabuf, k->length);
	close(k->fd);
}

static void unbind(struct node *n)
{
	char path[PATH_MAX], device[PATH_MAX], name[64];

	snprintf(name, sizeof(name), "%s", basename(n->path));
	snprintf(path, sizeof(path), "/sys/class/video4linux/%s/device", name);
	assert_non_null(realpath(path, device));
	snprintf(path, sizeof(path),
		 "/sys/class/video4linux/%s/device/driver/unbind", name);
	must(write_text(path, basename(device)));
	assert_int_not_equal(access(n->path, F_OK), 0);
}

static void buffers_survive_reqbufs_0(void **state)
{
	struct kept k;

	(void)state;
	keep_one(&dev[0], &k);
	must(node_reqbufs(&dev[0], V4L2_MEMORY_MMAP, 0));
	require_kept(&k);
	drop(&k);
	wait_for_dmabufs(EXPORTER, 0);
}

static void new_buffers_are_other_buffers(void **state)
{
	struct kept k;
	int fd;

	(void)state;
	keep_one(&dev[0], &k);
	must(node_reqbufs(&dev[0], V4L2_MEMORY_MMAP, 0));
	alloc_buffers(&dev[0], 1);
	fd = must(node_expbuf(&dev[0], 0, 0, O_RDWR));
	assert_int_not_equal(dmabuf_inode(fd), dmabuf_inode(k.fd));
	require_kept(&k);
}

static void buffers_survive_the_close_of_the_node(void **state)
{
	struct kept k;

	(void)state;
	keep_one(&dev[0], &k);
	node_close(&dev[0]);
	require_kept(&k);
	drop(&k);
	wait_for_dmabufs(EXPORTER, 0);
}

/* A mapping pins the buffer's file and not the node's. */
static void a_mapping_does_not_keep_the_node_busy(void **state)
{
	struct node other;
	struct kept k;

	(void)state;
	keep_one(&dev[0], &k);
	node_close(&dev[0]);
	must(node_open(&other, dev[0].path));
	alloc_buffers(&other, 2);
	require_kept(&k);
}

static void frames_stay_as_captured_after_the_queue_is_gone(void **state)
{
	int fds[NODE_MAX_PLANES];
	struct node *n = &dev[0];
	struct node_frame f;
	uint32_t sequence;
	unsigned int p;

	(void)state;
	alloc_buffers(n, 2);
	must(node_qbuf(n, 0));
	must(node_qbuf(n, 1));
	must(node_stream(n, true));
	must(node_dqbuf(n, V4L2_MEMORY_MMAP, &f));
	for (p = 0; p < n->num_planes; p++)
		fds[p] = must(node_expbuf(n, f.index, p, O_RDWR));
	must(node_stream(n, false));
	node_close(n);
	require_stamp(n, fds, &sequence);
	assert_int_equal(sequence, f.sequence);
}

static void buffers_survive_the_unbinding_of_the_device(void **state)
{
	struct kept k;

	(void)state;
	keep_one(&dev[0], &k);
	unbind(&dev[0]);
	require_kept(&k);
	node_close(&dev[0]);
	require_kept(&k);
}

static void unbinding_while_streaming_ends_the_stream(void **state)
{
	struct node *n = &dev[0];
	struct node_frame f;
	struct kept k;
	int i, ret = 0;

	(void)state;
	keep_one(n, &k);
	must(node_qbuf(n, 0));
	must(node_qbuf(n, 1));
	must(node_stream(n, true));
	must(node_dqbuf(n, V4L2_MEMORY_MMAP, &f));
	unbind(n);
	for (i = 0; i < 8 && !ret; i++)
		ret = node_dqbuf(n, V4L2_MEMORY_MMAP, &f);
	refuses(ret, ENODEV);
	k.node[0] = 1;
	assert_int_equal(k.dmabuf[0], 1);
}

static void imports_are_let_go_by_the_unbinding(void **state)
{
	int fds[NODE_MAX_PLANES];
	struct node *n = &dev[0];
	unsigned int p;

	(void)state;
	alloc_buffers(&dev[1], 1);
	for (p = 0; p < n->num_planes; p++)
		fds[p] = must(node_expbuf(&dev[1], 0, p, O_RDWR));
	must(node_reqbufs(n, V4L2_MEMORY_DMABUF, 1));
	must(node_qbuf_fds(n, 0, fds, NULL));
	must(node_stream(n, true));
	unbind(n);
	for (p = 0; p < n->num_planes; p++)
		close(fds[p]);
	node_close(&dev[1]);
	wait_for_dmabufs(EXPORTER, 0);
}

static void buffers_survive_the_drivers_module(void **state)
{
	struct kept k;

	(void)state;
	keep_one(&dev[0], &k);
	node_close(&dev[0]);
	node_close(&dev[1]);
	must(unload(MODULE));
	require_kept(&k);
}

/* With the driver gone, so that only @what can hold the allocator. */
static void require_allocator_held(const char *what)
{
	int ret = unload(ALLOCATOR);

	if (ret != -EWOULDBLOCK)
		fail_msg("unloading the allocator while %s lives: %s", what,
			 ret ? strerror(-ret) : "success");
}

static void the_allocators_module_stays_as_long_as_a_buffer(void **state)
{
	struct kept k;

	(void)state;
	keep_one(&dev[0], &k);
	unmap_fd(k.node, k.length);
	node_close(&dev[0]);
	node_close(&dev[1]);
	must(unload(MODULE));
	must(unload(SHARED));
	require_allocator_held("a mapping and an fd");
	unmap_fd(k.dmabuf, k.length);
	require_allocator_held("an fd");
	k.dmabuf = map_dmabuf(k.fd, k.length, PROT_READ);
	close(k.fd);
	require_allocator_held("a mapping");
	require_bytes(k.dmabuf, k.length, 1);
	unmap_fd(k.dmabuf, k.length);
	wait_for_dmabufs(EXPORTER, 0);
	must(unload(ALLOCATOR));
}

static void a_read_only_export_holds_the_allocator_too(void **state)
{
	int ro;

	(void)state;
	alloc_buffers(&dev[0], 1);
	ro = must(node_expbuf(&dev[0], 0, 0, O_RDONLY));
	node_close(&dev[0]);
	node_close(&dev[1]);
	must(unload(MODULE));
	must(unload(SHARED));
	require_allocator_held("a read-only export");
	close(ro);
	wait_for_dmabufs(EXPORTER, 0);
	must(unload(ALLOCATOR));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		node_test(buffers_survive_reqbufs_0),
		node_test(new_buffers_are_other_buffers),
		node_test(buffers_survive_the_close_of_the_node),
		node_test(a_mapping_does_not_keep_the_node_busy),
		node_test(frames_stay_as_captured_after_the_queue_is_gone),
		node_test(buffers_survive_the_unbinding_of_the_device),
		node_test(unbinding_while_streaming_ends_the_stream),
		node_test(imports_are_let_go_by_the_unbinding),
		node_test(buffers_survive_the_drivers_module),
		node_test(the_allocators_module_stays_as_long_as_a_buffer),
		node_test(a_read_only_export_holds_the_allocator_too),
	};

	return cmocka_run_group_tests_name("lifetime", tests, NULL, NULL);
}
