// SPDX-License-Identifier: GPL-2.0-only
/*
 * A buffer is one dma-buf: its identity, its access modes, and that every way
 * to map it shows the same bytes.
 */
#define _GNU_SOURCE
#include "testlib.h"

#include <fcntl.h>
#include <linux/dma-buf.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static size_t page_aligned(size_t size)
{
	return (size + PAGE - 1) & ~(PAGE - 1);
}

/* One buffer's first plane, exported; its length in pages. */
static int export_one(unsigned int flags, size_t *length)
{
	alloc_buffers(&dev[0], 1);
	*length = page_aligned(dev[0].size[0]);
	return must(node_expbuf(&dev[0], 0, 0, flags | O_CLOEXEC));
}

static void exporting_twice_gives_the_same_dmabuf(void **state)
{
	size_t length;
	int a = export_one(O_RDWR, &length);
	int b = must(node_expbuf(&dev[0], 0, 0, O_RDWR));

	(void)state;
	assert_int_equal(dmabuf_inode(a), dmabuf_inode(b));
	close(b);
	b = must(node_expbuf(&dev[0], 0, 0, O_RDWR | O_CLOEXEC));
	assert_int_equal(dmabuf_inode(a), dmabuf_inode(b));
}

static void each_plane_and_buffer_is_its_own_dmabuf(void **state)
{
	uint64_t seen[8], inode;
	unsigned int i, k, p, count = 0;

	(void)state;
	alloc_buffers(&dev[0], 2);
	for (i = 0; i < 2; i++) {
		for (p = 0; p < dev[0].num_planes; p++) {
			inode = dmabuf_inode(must(node_expbuf(&dev[0], i, p,
							      O_RDWR)));
			for (k = 0; k < count; k++)
				assert_int_not_equal(seen[k], inode);
			seen[count++] = inode;
		}
	}
}

static void a_read_only_export_shares_the_storage(void **state)
{
	size_t length;
	int rw = export_one(O_RDWR, &length);
	int ro = must(node_expbuf(&dev[0], 0, 0, O_RDONLY));
	int again = must(node_expbuf(&dev[0], 0, 0, O_RDONLY));
	char *writer = map_dmabuf(rw, length, PROT_READ | PROT_WRITE);
	char *reader = map_dmabuf(ro, length, PROT_READ);

	(void)state;
	assert_int_equal(fcntl(ro, F_GETFL) & O_ACCMODE, O_RDONLY);
	assert_int_equal(fcntl(rw, F_GETFL) & O_ACCMODE, O_RDWR);
	assert_int_not_equal(dmabuf_inode(rw), dmabuf_inode(ro));
	assert_int_equal(dmabuf_inode(ro), dmabuf_inode(again));
	writer[0] = 17;
	writer[length - 1] = 18;
	assert_int_equal(reader[0], 17);
	assert_int_equal(reader[length - 1], 18);
}

static void a_read_only_export_outlives_the_writable_one(void **state)
{
	size_t length;
	int rw = export_one(O_RDWR, &length);
	int ro = must(node_expbuf(&dev[0], 0, 0, O_RDONLY));
	char *map = map_dmabuf(rw, length, PROT_READ | PROT_WRITE);

	(void)state;
	map[PAGE] = 42;
	unmap_fd(map, length);
	close(rw);
	must(node_reqbufs(&dev[0], V4L2_MEMORY_MMAP, 0));
	map = map_dmabuf(ro, length, PROT_READ);
	close(ro);
	assert_int_equal(map[PAGE], 42);
}

static void a_read_only_export_cannot_be_made_writable(void **state)
{
	size_t length;
	int fd, rw = export_one(O_RDWR, &length);
	int ro = must(node_expbuf(&dev[0], 0, 0, O_RDONLY));
	char link[64];
	char *map;

	(void)state;
	refuses_map(map_fd(ro, length, PROT_READ | PROT_WRITE, MAP_SHARED, 0),
		    EACCES);
	map = map_dmabuf(ro, length, PROT_READ);
	refuses(mprotect(map, length, PROT_READ | PROT_WRITE) ? -errno : 0,
		EACCES);
	/*
	 * remap_file_pages() maps the vma's file anew: were that the writable
	 * one, mprotect() would be allowed from here on.
	 */
	remap_file_pages(map, PAGE, 0, 1, 0);
	refuses(mprotect(map, PAGE, PROT_READ | PROT_WRITE) ? -errno : 0,
		EACCES);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", ro);
	fd = open(link, O_RDWR);
	assert_true(fd < 0);
	/* A debugger's way in. */
	fd = must(open("/proc/self/mem", O_RDWR));
	assert_true(pwrite(fd, "x", 1, (off_t)(uintptr_t)map) < 0);
	assert_int_equal(map[0], 0);
	close(rw);
}

/*
 * Where devices are coherent the mapping has real pages, which can be pinned:
 * a pipe can be given them, a file written from them without the page cache.
 */
static void the_pages_can_be_pinned(void **state)
{
	struct iovec iov = { .iov_len = 2 * PAGE };
	unsigned char got[2 * PAGE];
	size_t length;
	int pipes[2], fd = export_one(O_RDWR, &length);

	(void)state;
	iov.iov_base = map_dmabuf(fd, length, PROT_READ | PROT_WRITE);
	memset(iov.iov_base, 0x11, PAGE);
	memset(iov.iov_base + PAGE, 0x22, PAGE);
	assert_return_code(pipe(pipes), errno);
	/* Where mappings are taken away, there are no pages to keep. */
	if (getenv("NOT_COHERENT")) {
		refuses(vmsplice(pipes[1], &iov, 1, 0) < 0 ? -errno : 0, EFAULT);
		return;
	}
	must(vmsplice(pipes[1], &iov, 1, 0) == 2 * PAGE ? 0 : -errno);
	unmap_all();
	close(fd);
	must(node_reqbufs(&dev[0], V4L2_MEMORY_MMAP, 0));
	assert_int_equal(read(pipes[0], got, sizeof(got)), 2 * PAGE);
	assert_int_equal(got[0], 0x11);
	assert_int_equal(got[2 * PAGE - 1], 0x22);
}

static void the_node_and_the_dmabuf_show_the_same_bytes(void **state)
{
	struct node *n = &dev[0];
	unsigned char *node, *dmabuf;
	size_t length, i;
	unsigned int p;

	(void)state;
	alloc_buffers(n, 2);
	for (p = 0; p < n->num_planes; p++) {
		node = must_map(node_map(n, 1, p, &length));
		dmabuf = map_dmabuf(must(node_expbuf(n, 1, p, O_RDWR)),
				    length, PROT_READ | PROT_WRITE);
		for (i = 0; i < length; i += PAGE / 4)
			node[i] = i / PAGE + p;
		for (i = 0; i < length; i += PAGE / 4)
			assert_int_equal(dmabuf[i],
					 (unsigned char)(i / PAGE + p));
		dmabuf[length - 1] = 0x5a;
		assert_int_equal(node[length - 1], 0x5a);
	}
}

static void an_offset_shows_the_right_page(void **state)
{
	size_t length, page, pages;
	int fd = export_one(O_RDWR, &length);
	unsigned char *whole = map_dmabuf(fd, length, PROT_READ | PROT_WRITE);
	unsigned char *part;

	(void)state;
	pages = length / PAGE;
	for (page = 0; page < pages; page++)
		memset(whole + page * PAGE, page + 1, PAGE);
	for (page = 0; page < pages; page += page < 20 ? 1 : 17) {
		part = must_map(map_fd(fd, length - page * PAGE, PROT_READ,
				       MAP_SHARED, page * PAGE));
		assert_int_equal(part[0], (unsigned char)(page + 1));
		assert_int_equal(part[length - page * PAGE - 1],
				 (unsigned char)pages);
		unmap_fd(part, length - page * PAGE);
	}
}

static void a_mapping_survives_its_fd_and_a_partial_munmap(void **state)
{
	size_t length;
	int fd = export_one(O_RDWR, &length);
	unsigned char *map = map_dmabuf(fd, length, PROT_READ | PROT_WRITE);
	unsigned char *other = map_dmabuf(fd, length, PROT_READ);

	(void)state;
	close(fd);
	memset(map, 7, length);
	assert_return_code(munmap(map + PAGE, PAGE), errno);
	assert_int_equal(map[0], 7);
	assert_int_equal(map[2 * PAGE], 7);
	map[length - 1] = 8;
	assert_int_equal(other[PAGE], 7);
	assert_int_equal(other[length - 1], 8);
}

static void a_mapping_moves_but_does_not_grow(void **state)
{
	size_t length;
	int fd = export_one(O_RDWR, &length);
	unsigned char *last, *moved, *room;

	(void)state;
	last = must_map(map_fd(fd, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
			       length - PAGE));
	last[9] = 9;
	refuses_map(mremap(last, PAGE, 2 * PAGE, MREMAP_MAYMOVE), EFAULT);
	room = must_map(mmap(NULL, PAGE, PROT_NONE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	moved = must_map(mremap(last, PAGE, PAGE,
				MREMAP_MAYMOVE | MREMAP_FIXED, room));
	assert_int_equal(moved[9], 9);
	munmap(moved, PAGE);
}

static void a_forked_child_shares_the_bytes(void **state)
{
	size_t length;
	int status, fd = export_one(O_RDWR, &length);
	unsigned char *map = map_dmabuf(fd, length, PROT_READ | PROT_WRITE);
	unsigned char *node = must_map(node_map(&dev[0], 0, 0, &length));
	pid_t child;

	(void)state;
	map[0] = 1;
	child = fork();
	if (!child) {
		node[1] = 2;
		map[PAGE] = 3;
		_exit(map[0] == 1 ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(map[1], 2);
	assert_int_equal(node[PAGE], 3);
}

static void a_duplicated_fd_is_the_same_dmabuf(void **state)
{
	size_t length;
	int fd = export_one(O_RDWR, &length);
	int copy = dup(fd);

	(void)state;
	assert_int_equal(dmabuf_inode(fd), dmabuf_inode(copy));
	close(fd);
	must(node_reqbufs(&dev[0], V4L2_MEMORY_MMAP, 0));
	map_dmabuf(copy, length, PROT_READ | PROT_WRITE);
}

static void seeking_tells_the_size(void **state)
{
	struct node *n = &dev[0];
	unsigned int p;
	int fd;

	(void)state;
	alloc_buffers(n, 1);
	for (p = 0; p < n->num_planes; p++) {
		fd = must(node_expbuf(n, 0, p, O_RDWR));
		assert_int_equal(lseek(fd, 0, SEEK_END),
				 page_aligned(n->size[p]));
		assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	}
}

static void the_sync_ioctl_takes_every_direction(void **state)
{
	static const uint64_t dirs[] = {
		DMA_BUF_SYNC_READ, DMA_BUF_SYNC_WRITE, DMA_BUF_SYNC_RW,
	};
	size_t length;
	int fd = export_one(O_RDWR, &length);
	unsigned char *map = map_dmabuf(fd, length, PROT_READ | PROT_WRITE);
	unsigned int i, written = 0;

	(void)state;
	for (i = 0; i < 3; i++) {
		must(dmabuf_sync(fd, DMA_BUF_SYNC_START | dirs[i]));
		assert_int_equal(map[0], written);
		if (dirs[i] & DMA_BUF_SYNC_WRITE)
			map[0] = ++written;
		must(dmabuf_sync(fd, DMA_BUF_SYNC_END | dirs[i]));
	}
}

static void an_idle_buffer_has_no_fence_to_wait_for(void **state)
{
	size_t length;
	int fd = export_one(O_RDWR, &length);
	struct dma_buf_export_sync_file sync = { .flags = DMA_BUF_SYNC_RW };
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLOUT };

	(void)state;
	assert_int_equal(poll(&p, 1, 0), 1);
	assert_int_equal(p.revents, POLLIN | POLLOUT);
	must(ioctl(fd, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &sync) ? -errno : 0);
	p = (struct pollfd){ .fd = sync.fd, .events = POLLIN };
	assert_int_equal(poll(&p, 1, 0), 1);
}

/* Every page, and the tail after the image, of every buffer: twice. */
static void buffers_come_zeroed(void **state)
{
	struct node *n = &dev[0];
	unsigned char *map;
	size_t length;
	unsigned int i, p, round;

	(void)state;
	for (round = 0; round < 2; round++) {
		alloc_buffers(n, 8);
		for (i = 0; i < 8; i++) {
			for (p = 0; p < n->num_planes; p++) {
				length = page_aligned(n->size[p]);
				map = map_dmabuf(must(node_expbuf(n, i, p,
								  O_RDWR)),
						 length,
						 PROT_READ | PROT_WRITE);
				assert_int_equal(map[0], 0);
				assert_memory_equal(map, map + 1, length - 1);
				memset(map, 0xa5, length);
			}
		}
		unmap_all();
		close_all();
		must(open_nodes(state));
	}
}

/* What the CPU writes through either mapping is not lost at QBUF or DQBUF. */
static void the_mapping_follows_the_stream(void **state)
{
	int fds[NODE_MAX_PLANES];
	struct node *n = &dev[0];
	uint32_t sequence, i;
	struct node_frame f;
	unsigned int p;

	(void)state;
	alloc_buffers(n, 3);
	for (i = 0; i < 3; i++)
		must(node_qbuf(n, i));
	must(node_stream(n, true));
	for (i = 0; i < 8; i++) {
		must(node_dqbuf(n, V4L2_MEMORY_MMAP, &f));
		for (p = 0; p < n->num_planes; p++)
			fds[p] = must(node_expbuf(n, f.index, p, O_RDWR));
		require_stamp(n, fds, &sequence);
		assert_int_equal(sequence, f.sequence);
		for (p = 0; p < n->num_planes; p++)
			close(fds[p]);
		must(node_qbuf(n, f.index));
	}
	must(node_stream(n, false));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		node_test(exporting_twice_gives_the_same_dmabuf),
		node_test(each_plane_and_buffer_is_its_own_dmabuf),
		node_test(a_read_only_export_shares_the_storage),
		node_test(a_read_only_export_outlives_the_writable_one),
		node_test(a_read_only_export_cannot_be_made_writable),
		node_test(the_pages_can_be_pinned),
		node_test(the_node_and_the_dmabuf_show_the_same_bytes),
		node_test(an_offset_shows_the_right_page),
		node_test(a_mapping_survives_its_fd_and_a_partial_munmap),
		node_test(a_mapping_moves_but_does_not_grow),
		node_test(a_forked_child_shares_the_bytes),
		node_test(a_duplicated_fd_is_the_same_dmabuf),
		node_test(seeking_tells_the_size),
		node_test(the_sync_ioctl_takes_every_direction),
		node_test(an_idle_buffer_has_no_fence_to_wait_for),
		node_test(buffers_come_zeroed),
		node_test(the_mapping_follows_the_stream),
	};

	return cmocka_run_group_tests_name("mapping", tests, NULL, NULL);
}
