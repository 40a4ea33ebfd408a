// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cameras made by configfs: all have their buffers at once, and one goes away
 * while it streams and others hold its buffers. The module is loaded, and for
 * the first test the cameras are there (configfs.test makes them).
 */
#define _GNU_SOURCE
#include "testlib.h"

#include <fcntl.h>
#include <linux/dma-buf.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define CAMERAS "/sys/kernel/config/vivid-ext"
#define MAX_CAMERAS 64
#define MAX_BUFFERS 64

static struct node nodes[MAX_CAMERAS];

/* A frame of each, with every buffer of every camera allocated. */
static void all_buffers(void **state)
{
	static char paths[MAX_CAMERAS][64];
	const char *limit = getenv("MAX_BUFFERS");
	int wanted = limit ? atoi(limit) : MAX_BUFFERS;
	unsigned int i, count;

	(void)state;
	count = nodes_of_driver(DRIVER, paths, MAX_CAMERAS);
	assert_int_equal(count, MAX_CAMERAS);
	for (i = 0; i < count; i++) {
		struct node *n = &nodes[i];

		must(node_open(n, paths[i]));
		must(node_set_format(n, 160, 90, V4L2_PIX_FMT_YUYV));
		assert_int_equal(must(node_reqbufs(n, V4L2_MEMORY_MMAP,
						   MAX_BUFFERS)), wanted);
	}
	wait_for_dmabufs(EXPORTER, wanted * count);
	for (i = 0; i < count; i++) {
		struct node_frame f;

		must(node_qbuf(&nodes[i], wanted - 1));
		must(node_stream(&nodes[i], true));
		must(node_dqbuf(&nodes[i], V4L2_MEMORY_MMAP, &f));
		assert_int_equal(f.index, wanted - 1);
		assert_false(f.flags & V4L2_BUF_FLAG_ERROR);
	}
	close_all();
	wait_for_dmabufs(EXPORTER, 0);
}

static void write_setting(const char *file, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), CAMERAS "/c/%s", file);
	must(write_text(path, value));
}

/* A live camera called c, and its node. */
static void make_camera(struct node *n, const char *coherent,
			const char *iommu)
{
	char text[64], path[128];

	must(mkdir(CAMERAS "/c", 0755) ? -errno : 0);
	write_setting("coherent", coherent);
	write_setting("iommu", iommu);
	write_setting("live", "1");
	must(read_text(CAMERAS "/c/nodes", text, sizeof(text)));
	text[strcspn(text, "\n")] = 0;
	snprintf(path, sizeof(path), "/dev/%s", text);
	must(run("udevadm settle"));
	must(node_open(n, path));
	must(node_set_format(n, TEST_WIDTH, TEST_HEIGHT, V4L2_PIX_FMT_YUYV));
}

/* The same bytes by the node's mapping, the dma-buf's and a new one. */
static void require_alive(int fd, const void *by_node, const void *by_dmabuf,
			  size_t length)
{
	void *again = map_dmabuf(fd, length, PROT_READ);

	must(dmabuf_sync(fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ));
	assert_memory_equal(by_node, by_dmabuf, length);
	assert_memory_equal(by_node, again, length);
	must(dmabuf_sync(fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ));
}

static void remove_one(const char *coherent, const char *iommu)
{
	void *by_node[4], *by_dmabuf[4];
	struct node *n = &nodes[0];
	struct node_frame f;
	size_t length;
	int fds[4], i;

	make_camera(n, coherent, iommu);
	alloc_buffers(n, 4);
	for (i = 0; i < 4; i++) {
		fds[i] = must(node_expbuf(n, i, 0, O_RDWR));
		by_node[i] = must_map(node_map(n, i, 0, &length));
		by_dmabuf[i] = map_dmabuf(fds[i], length,
					  PROT_READ | PROT_WRITE);
		must(node_qbuf(n, i));
	}
	must(node_stream(n, true));
	must(node_dqbuf(n, V4L2_MEMORY_MMAP, &f));

	must(rmdir(CAMERAS "/c") ? -errno : 0);
	assert_int_equal(access(n->path, F_OK), -1);
	refuses(node_dqbuf(n, V4L2_MEMORY_MMAP, &f), ENODEV);
	refuses(node_stream(n, false), ENODEV);
	for (i = 0; i < 4; i++)
		require_alive(fds[i], by_node[i], by_dmabuf[i], length);
	assert_int_equal(must(dmabufs_of(EXPORTER)), 4);

	unmap_all();
	close_all();
	wait_for_dmabufs(EXPORTER, 0);
}

static void remove_streaming(void **state)
{
	(void)state;
	remove_one("1", "0");
}

static void remove_streaming_simulated(void **state)
{
	(void)state;
	remove_one("0", "1");
}

/* The node is open, and by now somebody else's number may be the camera's. */
static void removed_and_made_again(void **state)
{
	struct node *old = &nodes[0], *again = &nodes[1];
	struct node_frame f;

	(void)state;
	make_camera(old, "1", "0");
	must(rmdir(CAMERAS "/c") ? -errno : 0);
	make_camera(again, "1", "0");
	refuses(node_reqbufs(old, V4L2_MEMORY_MMAP, 4), ENODEV);
	alloc_buffers(again, 4);
	must(node_qbuf(again, 0));
	must(node_stream(again, true));
	must(node_dqbuf(again, V4L2_MEMORY_MMAP, &f));
	must(rmdir(CAMERAS "/c") ? -errno : 0);
}

/* Whatever a test that failed has left. */
static int tidy(void **state)
{
	(void)state;
	unmap_all();
	close_all();
	rmdir(CAMERAS "/c");
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest many[] = {
		cmocka_unit_test_teardown(all_buffers, tidy),
	};
	const struct CMUnitTest one[] = {
		cmocka_unit_test_teardown(remove_streaming, tidy),
		cmocka_unit_test_teardown(remove_streaming_simulated, tidy),
		cmocka_unit_test_teardown(removed_and_made_again, tidy),
	};

	if (argc > 1 && !strcmp(argv[1], "many"))
		return cmocka_run_group_tests(many, NULL, NULL);
	return cmocka_run_group_tests(one, NULL, NULL);
}
