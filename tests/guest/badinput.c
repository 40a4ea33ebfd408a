// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arguments that make no sense: each is refused with the errno that the API
 * documents, and nothing stays behind.
 */
#define _GNU_SOURCE
#include "testlib.h"

#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/udmabuf.h>
#include <limits.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define HUGE_LENGTH 0x7ffff000u
#define CYCLES 1000
#define LEAK_KIB 3072	/* what MemAvailable may differ by chance */

static size_t page_aligned(size_t size)
{
	return (size + PAGE - 1) & ~(PAGE - 1);
}

/* The last plane: with more than one the core puts only the others itself. */
static unsigned int last_plane(void)
{
	return dev[0].num_planes - 1;
}

/* dev[1]'s buffer as dma-bufs, dev[0] ready to import. */
static void start_import(int *fds)
{
	unsigned int p;

	alloc_buffers(&dev[1], 1);
	for (p = 0; p < dev[1].num_planes; p++)
		fds[p] = must(node_expbuf(&dev[1], 0, p, O_RDWR));
	must(node_reqbufs(&dev[0], V4L2_MEMORY_DMABUF, 2));
}

/* @fd in the last plane must be refused, and the right one taken after. */
static void refuse_fd(int fd, int error)
{
	int fds[NODE_MAX_PLANES], bad[NODE_MAX_PLANES];

	start_import(fds);
	memcpy(bad, fds, sizeof(bad));
	bad[last_plane()] = fd;
	refuses(node_qbuf_fds(&dev[0], 0, bad, NULL), error);
	must(node_qbuf_fds(&dev[0], 0, fds, NULL));
}

/* vb2 gives the memory of the one before back, and tells the driver nothing. */
static void a_bad_fd_after_a_good_one(void **state)
{
	int fds[NODE_MAX_PLANES], bad[NODE_MAX_PLANES], i;
	const char *look = "cat /sys/kernel/debug/vivid-ext/*/buffers > /dev/null";

	(void)state;
	start_import(fds);
	memcpy(bad, fds, sizeof(bad));
	bad[last_plane()] = -1;
	for (i = 0; i < 3; i++) {
		must(node_qbuf_fds(&dev[0], 0, fds, NULL));
		must(node_stream(&dev[0], false));
		refuses(node_qbuf_fds(&dev[0], 0, bad, NULL), EINVAL);
		must(run("%s", look));
	}
	must(node_reqbufs(&dev[0], V4L2_MEMORY_DMABUF, 0));
	must(run("%s", look));
}

static void qbuf_of_a_negative_fd(void **state)
{
	(void)state;
	refuse_fd(-1, EINVAL);
	must(close_nodes(state));
	must(open_nodes(state));
	refuse_fd(INT_MIN, EINVAL);
}

static void qbuf_of_a_file_that_is_no_dmabuf(void **state)
{
	(void)state;
	refuse_fd(must(open("/dev/null", O_RDWR)), EINVAL);
}

static void qbuf_of_a_closed_fd(void **state)
{
	(void)state;
	refuse_fd(1000, EINVAL);
}

static void qbuf_of_a_read_only_export(void **state)
{
	int fds[NODE_MAX_PLANES], fd;

	(void)state;
	start_import(fds);
	fd = must(node_expbuf(&dev[1], 0, last_plane(), O_RDONLY));
	fds[last_plane()] = fd;
	refuses(node_qbuf_fds(&dev[0], 0, fds, NULL), EINVAL);
}

static void qbuf_of_a_dmabuf_that_is_too_small(void **state)
{
	struct node small;
	int fds[NODE_MAX_PLANES];
	unsigned int p;

	(void)state;
	must(node_set_format(&dev[1], 160, 90, dev[1].fourcc));
	start_import(fds);
	refuses(node_qbuf_fds(&dev[0], 0, fds, NULL), EINVAL);
	node_close(&dev[0]);
	must(node_open(&small, dev[0].path));
	must(node_set_format(&small, 160, 90, dev[1].fourcc));
	must(node_reqbufs(&small, V4L2_MEMORY_DMABUF, 1));
	must(node_qbuf_fds(&small, 0, fds, NULL));
	for (p = 0; p < small.num_planes; p++)
		close(fds[p]);
}

static void qbuf_of_a_length_beyond_the_dmabuf(void **state)
{
	uint32_t lengths[NODE_MAX_PLANES] = { 0 };
	int fds[NODE_MAX_PLANES];
	size_t size;

	(void)state;
	start_import(fds);
	size = lseek(fds[last_plane()], 0, SEEK_END);
	lengths[last_plane()] = HUGE_LENGTH;
	refuses(node_qbuf_fds(&dev[0], 0, fds, lengths), EINVAL);
	lengths[last_plane()] = UINT32_MAX;
	refuses(node_qbuf_fds(&dev[0], 0, fds, lengths), EINVAL);
	lengths[last_plane()] = size + 1;
	refuses(node_qbuf_fds(&dev[0], 0, fds, lengths), EINVAL);
	lengths[last_plane()] = size;
	must(node_qbuf_fds(&dev[0], 0, fds, lengths));
}

static void qbuf_of_a_length_below_the_image(void **state)
{
	uint32_t lengths[NODE_MAX_PLANES] = { 0 };
	int fds[NODE_MAX_PLANES];

	(void)state;
	start_import(fds);
	lengths[last_plane()] = dev[0].size[last_plane()] - 1;
	refuses(node_qbuf_fds(&dev[0], 0, fds, lengths), EINVAL);
	lengths[last_plane()] = 1;
	refuses(node_qbuf_fds(&dev[0], 0, fds, lengths), EINVAL);
}

/*
 * Newer cores take the second plane of one and the same dma-buf as it comes,
 * whatever length is claimed for it.
 */
static void qbuf_of_a_length_beyond_a_dmabuf_used_twice(void **state)
{
	uint32_t lengths[NODE_MAX_PLANES] = { 0 };
	int fds[NODE_MAX_PLANES];

	(void)state;
	if (!dev[0].mplane)
		skip_because("it takes two planes");
	start_import(fds);
	fds[1] = fds[0];
	lengths[1] = HUGE_LENGTH;
	refuses(node_qbuf_fds(&dev[0], 0, fds, lengths), EINVAL);
	lengths[1] = 0;
	must(node_qbuf_fds(&dev[0], 0, fds, lengths));
}

static void qbuf_of_another_memory_type(void **state)
{
	int fds[NODE_MAX_PLANES];

	(void)state;
	start_import(fds);
	refuses(node_qbuf(&dev[0], 0), EINVAL);
	refuses(node_qbuf_fds(&dev[1], 0, fds, NULL), EINVAL);
	refuses(node_qbuf(&dev[1], 99), EINVAL);
	must(node_qbuf(&dev[1], 0));
	refuses(node_qbuf(&dev[1], 0), EINVAL);
}

static void expbuf_of_what_is_not_there(void **state)
{
	struct v4l2_exportbuffer exp = { .type = V4L2_BUF_TYPE_VIDEO_OUTPUT };
	int fds[NODE_MAX_PLANES];
	struct node *n = &dev[1];

	(void)state;
	start_import(fds);
	refuses(node_expbuf(n, 99, 0, O_RDWR), EINVAL);
	refuses(node_expbuf(n, UINT32_MAX, 0, O_RDWR), EINVAL);
	refuses(node_expbuf(n, 0, n->num_planes, O_RDWR), EINVAL);
	refuses(node_expbuf(n, 0, UINT32_MAX, O_RDWR), EINVAL);
	refuses(node_expbuf(n, 0, 0, O_RDWR | O_APPEND), EINVAL);
	refuses(node_expbuf(n, 0, 0, UINT32_MAX), EINVAL);
	refuses(ioctl(n->fd, VIDIOC_EXPBUF, &exp) ? -errno : 0, EINVAL);
	/* A queue that imports has nothing of its own to export. */
	refuses(node_expbuf(&dev[0], 0, 0, O_RDWR), EINVAL);
}

static void mmap_of_the_node_past_the_end(void **state)
{
	struct node *n = &dev[0];
	size_t length;
	off_t offset;
	int prot = PROT_READ | PROT_WRITE;

	(void)state;
	alloc_buffers(n, 1);
	length = page_aligned(n->size[0]);
	offset = must(node_map_offset(n, 0, 0));
	refuses_map(map_fd(n->fd, length, prot, MAP_SHARED, 0x7ffff000),
		    EINVAL);
	refuses_map(map_fd(n->fd, length, prot, MAP_SHARED, offset + PAGE),
		    EINVAL);
	refuses_map(map_fd(n->fd, length + PAGE, prot, MAP_SHARED, offset),
		    EINVAL);
	refuses_map(map_fd(n->fd, length, prot, MAP_PRIVATE, offset), EINVAL);
	must_map(map_fd(n->fd, length, prot, MAP_SHARED, offset));
}

static void mmap_of_the_dmabuf_past_the_end(void **state)
{
	const off_t far = (off_t)1 << 43;
	size_t length;
	int fd, prot = PROT_READ | PROT_WRITE;

	(void)state;
	alloc_buffers(&dev[0], 1);
	fd = must(node_expbuf(&dev[0], 0, 0, O_RDWR));
	length = lseek(fd, 0, SEEK_END);
	refuses_map(map_fd(fd, length + PAGE, prot, MAP_SHARED, 0), EINVAL);
	refuses_map(map_fd(fd, length, prot, MAP_SHARED, PAGE), EINVAL);
	refuses_map(map_fd(fd, PAGE, prot, MAP_SHARED, length), EINVAL);
	refuses_map(map_fd(fd, PAGE, prot, MAP_SHARED, far), EINVAL);
	refuses_map(map_fd(fd, length, prot, MAP_PRIVATE, 0), EINVAL);
	must_map(map_fd(fd, length, PROT_READ, MAP_PRIVATE, 0));
	must_map(map_fd(fd, PAGE, prot, MAP_SHARED, length - PAGE));
}

static void the_sync_ioctl_with_bad_flags(void **state)
{
	int fd;

	(void)state;
	alloc_buffers(&dev[0], 1);
	fd = must(node_expbuf(&dev[0], 0, 0, O_RDWR));
	refuses(dmabuf_sync(fd, DMA_BUF_SYNC_START), EINVAL);
	refuses(dmabuf_sync(fd, DMA_BUF_SYNC_RW | 8), EINVAL);
	refuses(dmabuf_sync(fd, UINT64_MAX), EINVAL);
	refuses(ioctl(fd, VIDIOC_STREAMON, NULL) ? -errno : 0, ENOTTY);
}

static void unbalanced_sync_ioctls_do_no_harm(void **state)
{
	int i, fd;

	(void)state;
	alloc_buffers(&dev[0], 1);
	fd = must(node_expbuf(&dev[0], 0, 0, O_RDWR));
	for (i = 0; i < 10; i++)
		must(dmabuf_sync(fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW));
	for (i = 0; i < 10; i++)
		must(dmabuf_sync(fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE));
	must(node_qbuf(&dev[0], 0));
}

static void memory_types_that_are_not_offered(void **state)
{
	struct node *n = &dev[0];

	(void)state;
	refuses(node_reqbufs(n, V4L2_MEMORY_USERPTR, 2), EINVAL);
	refuses(node_reqbufs(n, V4L2_MEMORY_OVERLAY, 2), EINVAL);
	refuses(node_reqbufs(n, 99, 2), EINVAL);
	refuses(node_create_bufs(n, 99, 1, 0), EINVAL);
	alloc_buffers(n, 1);
	refuses(node_create_bufs(n, V4L2_MEMORY_DMABUF, 1, 0), EINVAL);
}

static void create_bufs_of_a_senseless_size(void **state)
{
	struct node *n = &dev[0];
	int ret;

	(void)state;
	refuses(node_create_bufs(n, V4L2_MEMORY_MMAP, 1, 1), EINVAL);
	refuses(node_create_bufs(n, V4L2_MEMORY_MMAP, 1,
				 n->size[last_plane()] / 2), EINVAL);
	ret = node_create_bufs(n, V4L2_MEMORY_MMAP, 1, UINT32_MAX);
	if (ret != -EINVAL && ret != -ENOMEM)
		fail_msg("4 GiB: %s", ret < 0 ? strerror(-ret) : "success");
	must(node_create_bufs(n, V4L2_MEMORY_MMAP, 1, 0));
}

/* The value after @name in a file of "name value" lines. */
static long value_in(const char *path, const char *name)
{
	static char text[16384];
	char *at;
	long value = -1;

	if (read_text(path, text, sizeof(text)) > 0) {
		at = strstr(text, name);
		if (at)
			sscanf(at + strlen(name), "%ld", &value);
	}
	if (value < 0)
		fail_msg("no %s in %s", name, path);
	return value;
}

/* Fewer buffers, or none: but nobody is killed for it, or the log tells. */
static void more_memory_than_there_is(void **state)
{
	struct node *n = &dev[0];
	int ret;

	(void)state;
	must(node_set_format(n, 7680, 4320, n->mplane ? V4L2_PIX_FMT_NV12M :
			     V4L2_PIX_FMT_XBGR32));
	if ((long)n->size[0] / 1024 * 32 <
	    value_in("/proc/meminfo", "MemTotal:"))
		skip_because("there is enough memory");
	mlockall(MCL_CURRENT);
	ret = node_reqbufs(n, V4L2_MEMORY_MMAP, 32);
	if (ret >= 0)
		must(node_reqbufs(n, V4L2_MEMORY_MMAP, 0));
	munlockall();
	if (ret < 0)
		refuses(ret, ENOMEM);
	else
		assert_in_range(ret, 1, 31);
	must(node_set_format(n, TEST_WIDTH, TEST_HEIGHT, n->fourcc));
	alloc_buffers(n, 2);
}

/*
 * From 6.12 on the core forgets a dma-buf whose attaching fails, for ever; an
 * allocator that refuses later, in mapping, gives the reference back.
 */
static void refused_imports_leave_no_reference(void **state)
{
	uint32_t lengths[NODE_MAX_PLANES] = { 0 };
	int fds[NODE_MAX_PLANES];
	int i;

	(void)state;
	start_import(fds);
	lengths[last_plane()] = HUGE_LENGTH;
	for (i = 0; i < 20; i++)
		refuses(node_qbuf_fds(&dev[0], 0, fds, lengths), EINVAL);
	close_all();
	wait_for_dmabufs(EXPORTER, 0);
}

static void refused_foreign_imports_leave_no_reference(void **state)
{
	struct udmabuf_create create = { .size = PAGE };
	int control = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);
	int fds[NODE_MAX_PLANES];
	int before;

	(void)state;
	if (control < 0)
		skip_because("no udmabuf in this kernel");
	start_import(fds);
	before = must(dmabufs_of("udmabuf"));
	create.memfd = memfd_create("frame", MFD_ALLOW_SEALING);
	must(ftruncate(create.memfd, PAGE));
	must(fcntl(create.memfd, F_ADD_SEALS, F_SEAL_SHRINK));
	fds[last_plane()] = ioctl(control, UDMABUF_CREATE, &create);
	assert_true(fds[last_plane()] >= 0);
	refuses(node_qbuf_fds(&dev[0], 0, fds, NULL), EINVAL);
	close_all();
	wait_for_dmabufs("udmabuf", before);
	wait_for_dmabufs(EXPORTER, 0);
}

static void one_cycle(struct node *n)
{
	size_t length;
	char *map;
	int fd, ro;

	alloc_buffers(n, 2);
	fd = must(node_expbuf(n, 0, 0, O_RDWR));
	ro = must(node_expbuf(n, 1, 0, O_RDONLY));
	map = must_map(node_map(n, 1, 0, &length));
	map[length - 1] = 1;
	unmap_fd(map, length);
	must(node_reqbufs(n, V4L2_MEMORY_MMAP, 0));
	close(fd);
	close(ro);
}

static void a_thousand_cycles_lose_no_memory(void **state)
{
	struct node *n = &dev[0];
	long before, after;
	int i;

	(void)state;
	must(node_set_format(n, 160, 90, n->fourcc));
	for (i = 0; i < 100; i++)
		one_cycle(n);
	before = value_in("/proc/meminfo", "MemAvailable:");
	for (i = 0; i < CYCLES; i++)
		one_cycle(n);
	after = value_in("/proc/meminfo", "MemAvailable:");
	wait_for_dmabufs(EXPORTER, 0);
	if (before - after > LEAK_KIB)
		fail_msg("%ld KiB less after %d cycles", before - after,
			 CYCLES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		node_test(qbuf_of_a_negative_fd),
		node_test(a_bad_fd_after_a_good_one),
		node_test(qbuf_of_a_file_that_is_no_dmabuf),
		node_test(qbuf_of_a_closed_fd),
		node_test(qbuf_of_a_read_only_export),
		node_test(qbuf_of_a_dmabuf_that_is_too_small),
		node_test(qbuf_of_a_length_beyond_the_dmabuf),
		node_test(qbuf_of_a_length_below_the_image),
		node_test(qbuf_of_a_length_beyond_a_dmabuf_used_twice),
		node_test(qbuf_of_another_memory_type),
		node_test(expbuf_of_what_is_not_there),
		node_test(mmap_of_the_node_past_the_end),
		node_test(mmap_of_the_dmabuf_past_the_end),
		node_test(the_sync_ioctl_with_bad_flags),
		node_test(unbalanced_sync_ioctls_do_no_harm),
		node_test(memory_types_that_are_not_offered),
		node_test(create_bufs_of_a_senseless_size),
		node_test(more_memory_than_there_is),
		node_test(refused_imports_leave_no_reference),
		node_test(refused_foreign_imports_leave_no_reference),
		node_test(a_thousand_cycles_lose_no_memory),
	};

	return cmocka_run_group_tests_name("badinput", tests, NULL, NULL);
}
