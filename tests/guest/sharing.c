// SPDX-License-Identifier: GPL-2.0-only
/*
 * Several have the same buffer at the same time: two importing devices,
 * threads and processes with mappings that are cut, moved and protected, while
 * the camera takes the buffer and gives it back. Everybody sees what was
 * written last.
 *
 * Needs vivid-ext-importer, loaded by sharing.test.
 */
#define _GNU_SOURCE
#include "frame.h"
#include "testlib.h"

#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/vivid-ext-importer.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define BUFFERS 4
#define FRAMES 24

/* One dma-buf: mapped here, with two importing devices at hand. */
static struct {
	int fd;
	size_t size;
	unsigned char *map, *data;
	int importer[2];
} shared;

static int open_shared(void **state)
{
	unsigned int i;

	if (open_nodes(state))
		return -1;
	alloc_buffers(&dev[0], 1);
	shared.fd = must(node_expbuf(&dev[0], 0, 0, O_RDWR));
	shared.size = lseek(shared.fd, 0, SEEK_END);
	shared.map = map_dmabuf(shared.fd, shared.size, PROT_READ | PROT_WRITE);
	shared.data = malloc(shared.size);
	for (i = 0; i < 2; i++) {
		shared.importer[i] = open("/dev/vivid-ext-importer", O_RDWR);
		if (shared.importer[i] < 0)
			return -1;
	}
	return 0;
}

static int close_shared(void **state)
{
	free(shared.data);
	return close_nodes(state);
}

static void device_map(unsigned int device)
{
	struct vivid_ext_importer_map map = {
		.fd = shared.fd, .device = device,
		.dir = VIVID_EXT_IMPORTER_BOTH,
	};

	must(ioctl(shared.importer[device], VIVID_EXT_IMPORTER_MAP, &map) ?
	     -errno : 0);
}

static int device_io(unsigned int device, unsigned long request, size_t offset,
		     size_t length, void *data)
{
	struct vivid_ext_importer_io io = {
		.data = (uintptr_t)data, .offset = offset, .length = length,
		.device = device,
	};

	return ioctl(shared.importer[device], request, &io) ? -errno : 0;
}

/* Each byte depends on its place and on who wrote. */
static unsigned char byte_of(unsigned char writer, size_t i)
{
	return writer * 31 + i + i / 256 * 7 + i / 65536 * 13;
}

static void fill(unsigned char *bytes, unsigned char writer, size_t from,
		 size_t to)
{
	for (; from < to; from++)
		bytes[from] = byte_of(writer, from);
}

static void require(const char *who, const unsigned char *bytes,
		    unsigned char writer, size_t from, size_t to)
{
	for (; from < to; from++)
		if (bytes[from] != byte_of(writer, from))
			fail_msg("%s sees %02x at %zu, not %02x", who,
				 bytes[from], from, byte_of(writer, from));
}

/* Under this policy it is our duty to say when we look, also after DQBUF. */
static bool explicit_policy(void)
{
	const char *options = getenv("VIVID_EXT_OPTIONS");

	return options && strstr(options, "policy=explicit");
}

static void cpu_begin(uint64_t flags)
{
	must(dmabuf_sync(shared.fd, DMA_BUF_SYNC_START | flags));
}

static void cpu_end(uint64_t flags)
{
	must(dmabuf_sync(shared.fd, DMA_BUF_SYNC_END | flags));
}

static void cpu_writes(unsigned char writer)
{
	cpu_begin(DMA_BUF_SYNC_RW);
	fill(shared.map, writer, 0, shared.size);
	cpu_end(DMA_BUF_SYNC_RW);
}

static void cpu_sees(unsigned char writer)
{
	cpu_begin(DMA_BUF_SYNC_READ);
	require("the CPU", shared.map, writer, 0, shared.size);
	cpu_end(DMA_BUF_SYNC_READ);
}

static void device_writes(unsigned int device, unsigned char writer)
{
	fill(shared.data, writer, 0, shared.size);
	must(device_io(device, VIVID_EXT_IMPORTER_DEV_WRITE, 0, shared.size,
		       shared.data));
}

static void device_sees(unsigned int device, unsigned char writer)
{
	memset(shared.data, 0, shared.size);
	must(device_io(device, VIVID_EXT_IMPORTER_DEV_READ, 0, shared.size,
		       shared.data));
	require(device ? "importer 1" : "importer 0", shared.data, writer, 0,
		shared.size);
}

static void one_importer_writes_while_the_other_holds_a_mapping(void **state)
{
	unsigned int writer = 1, device;

	(void)state;
	cpu_writes(writer);
	device_map(0);
	device_sees(0, writer);
	device_map(1);
	for (; writer < 9; writer++) {
		device = writer & 1;
		device_writes(device, writer);
		device_sees(!device, writer);
		cpu_sees(writer);
		cpu_writes(100 + writer);
		device_sees(device, 100 + writer);
		device_sees(!device, 100 + writer);
	}
}

struct half {
	unsigned int device;
	unsigned char last;
	int error;
};

/* One device fills its half of the buffer again and again. */
static void *write_half(void *arg)
{
	struct half *half = arg;
	size_t length = shared.size / 2, from = half->device * length;
	unsigned char *data = malloc(length);
	size_t i;

	for (half->last = 1; half->last < 20 && !half->error; half->last++) {
		for (i = 0; i < length; i++)
			data[i] = byte_of(half->last, from + i);
		half->error = device_io(half->device,
					VIVID_EXT_IMPORTER_DEV_WRITE, from,
					length, data);
	}
	half->last--;
	free(data);
	return NULL;
}

/* Meanwhile the CPU asks for the bytes, and may see any of them. */
static void two_importers_write_at_once(void **state)
{
	struct half halves[2] = { { .device = 0 }, { .device = 1 } };
	pthread_t threads[2];
	unsigned int i;

	(void)state;
	cpu_writes(0);
	for (i = 0; i < 2; i++)
		device_map(i);
	for (i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, write_half,
						&halves[i]), 0);
	for (i = 0; i < 20; i++) {
		cpu_begin(DMA_BUF_SYNC_READ);
		memcpy(shared.data, shared.map, shared.size);
		cpu_end(DMA_BUF_SYNC_READ);
	}
	for (i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	cpu_begin(DMA_BUF_SYNC_READ);
	for (i = 0; i < 2; i++) {
		must(halves[i].error);
		require("the CPU", shared.map, halves[i].last,
			i * (shared.size / 2), (i + 1) * (shared.size / 2));
	}
	cpu_end(DMA_BUF_SYNC_READ);
}

/* The same, by unmapping: what a device has written must not get lost. */
static void an_importer_lets_go_while_the_other_stays(void **state)
{
	uint32_t device = 0;

	(void)state;
	cpu_writes(1);
	device_map(1);
	device_map(0);
	device_writes(0, 2);
	must(ioctl(shared.importer[0], VIVID_EXT_IMPORTER_UNMAP, &device) ?
	     -errno : 0);
	cpu_sees(2);
	device_sees(1, 2);
	device_map(0);
	device_sees(0, 2);
}

/* All of a camera's buffers, mapped twice: by the node and as dma-bufs. */
static struct {
	void *node[BUFFERS][NODE_MAX_PLANES];
	void *dmabuf[BUFFERS][NODE_MAX_PLANES];
	int fd[BUFFERS][NODE_MAX_PLANES];
} maps;

static void map_all(void)
{
	struct node *n = &dev[0];
	unsigned int i, p;
	size_t length;

	alloc_buffers(n, BUFFERS);
	for (i = 0; i < BUFFERS; i++)
		for (p = 0; p < n->num_planes; p++) {
			maps.node[i][p] = must_map(node_map(n, i, p, &length));
			maps.fd[i][p] = must(node_expbuf(n, i, p, O_RDWR));
			maps.dmabuf[i][p] =
				map_dmabuf(maps.fd[i][p], length,
					   PROT_READ | PROT_WRITE);
		}
}

/* @when: DMA_BUF_SYNC_START or _END. A child is not to leave by an assertion. */
static void look_after(unsigned int index, uint64_t when)
{
	unsigned int p;

	for (p = 0; explicit_policy() && p < dev[0].num_planes; p++)
		if (dmabuf_sync(maps.fd[index][p], when | DMA_BUF_SYNC_READ))
			print_error("DMA_BUF_IOCTL_SYNC fails\n");
}

static void queue_all(void)
{
	unsigned int i;

	for (i = 0; i < BUFFERS; i++)
		must(node_qbuf(&dev[0], i));
	must(node_stream(&dev[0], true));
}

/* Whoever looks must find just this frame. */
static void require_frame(const char *who, void *const *planes,
			  uint32_t expected)
{
	uint32_t sequence = ~0;
	char why[128];

	if (frame_check(&dev[0], planes, &sequence, why, sizeof(why)))
		fail_msg("%s: %s", who, why);
	if (sequence != expected)
		fail_msg("%s sees frame %u, not %u", who, sequence, expected);
}

struct order {
	unsigned int index;
	uint32_t sequence;
};

/* Checks each frame it is told of, in what it has inherited. */
static int child(int orders, int answers)
{
	struct order order;
	uint32_t sequence;
	char why[128] = "";
	char answer;

	while (read(orders, &order, sizeof(order)) == sizeof(order)) {
		look_after(order.index, DMA_BUF_SYNC_START);
		answer = !frame_check(&dev[0], maps.node[order.index],
				      &sequence, why, sizeof(why)) &&
			 sequence == order.sequence &&
			 !frame_check(&dev[0], maps.dmabuf[order.index],
				      &sequence, why, sizeof(why)) &&
			 sequence == order.sequence;
		look_after(order.index, DMA_BUF_SYNC_END);
		if (!answer)
			print_error("the child sees frame %u, not %u. %s\n",
				    sequence, order.sequence, why);
		if (write(answers, &answer, 1) != 1)
			return 1;
	}
	return 0;
}

static void a_childs_mappings_are_taken_away_too(void **state)
{
	int orders[2], answers[2], status;
	struct node_frame f;
	struct order order;
	unsigned int i;
	char right;
	pid_t pid;

	(void)state;
	map_all();
	assert_return_code(pipe(orders), errno);
	assert_return_code(pipe(answers), errno);
	pid = fork();
	if (!pid) {
		close(orders[1]);
		_exit(child(orders[0], answers[1]));
	}
	queue_all();
	for (i = 0; i < 3 * BUFFERS; i++) {
		must(node_dqbuf(&dev[0], V4L2_MEMORY_MMAP, &f));
		order.index = f.index;
		order.sequence = f.sequence;
		assert_int_equal(write(orders[1], &order, sizeof(order)),
				 sizeof(order));
		look_after(f.index, DMA_BUF_SYNC_START);
		require_frame("the parent", maps.node[f.index], f.sequence);
		look_after(f.index, DMA_BUF_SYNC_END);
		assert_int_equal(read(answers[0], &right, 1), 1);
		assert_true(right);
		must(node_qbuf(&dev[0], f.index));
	}
	must(node_stream(&dev[0], false));
	close(orders[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/*
 * Threads that never stop looking. @turn is odd while a buffer is queued, when
 * they only touch it: to fault while QBUF takes the mappings away, and while
 * the device writes.
 */
static struct {
	atomic_uint turn[BUFFERS], sequence[BUFFERS];
	atomic_uint checked, touched, wrong;
	atomic_bool stop;
} watch;

static void look(unsigned int index, void *const *planes)
{
	unsigned int p, turn = atomic_load(&watch.turn[index]);
	uint32_t expected = atomic_load(&watch.sequence[index]);
	volatile unsigned char *bytes;
	uint32_t sequence = ~0;
	char why[128] = "";
	size_t i;
	int ret;

	if (turn & 1) {
		for (p = 0; p < dev[0].num_planes; p++)
			for (i = 0, bytes = planes[p]; i < dev[0].size[p];
			     i += 5 * PAGE)
				(void)bytes[i];
		atomic_fetch_add(&watch.touched, 1);
		return;
	}
	look_after(index, DMA_BUF_SYNC_START);
	ret = frame_check(&dev[0], planes, &sequence, why, sizeof(why));
	look_after(index, DMA_BUF_SYNC_END);
	/* It may have been queued while we looked. */
	if (atomic_load(&watch.turn[index]) != turn)
		return;
	atomic_fetch_add(&watch.checked, 1);
	if (!ret && sequence == expected)
		return;
	atomic_fetch_add(&watch.wrong, 1);
	print_error("frame %u instead of %u. %s\n", sequence, expected, why);
}

static void *watch_maps(void *arg)
{
	void *(*planes)[NODE_MAX_PLANES] = arg;
	unsigned int i;

	for (i = 0; !atomic_load(&watch.stop); i++)
		look(i % BUFFERS, planes[i % BUFFERS]);
	return NULL;
}

/* Two frames stay with us, to be looked at; the device has the others. */
static void stream_while_watched(void)
{
	unsigned int held[2], i;
	struct node_frame f;

	for (i = 0; i < FRAMES; i++) {
		must(node_dqbuf(&dev[0], V4L2_MEMORY_MMAP, &f));
		atomic_store(&watch.sequence[f.index], f.sequence);
		atomic_fetch_add(&watch.turn[f.index], 1);
		if (i >= 2) {
			atomic_fetch_add(&watch.turn[held[i & 1]], 1);
			must(node_qbuf(&dev[0], held[i & 1]));
		}
		held[i & 1] = f.index;
	}
}

static void threads_never_see_an_older_frame(void **state)
{
	pthread_t threads[2];
	unsigned int i;

	(void)state;
	map_all();
	memset(&watch, 0, sizeof(watch));
	for (i = 0; i < BUFFERS; i++)
		atomic_store(&watch.turn[i], 1);
	queue_all();
	pthread_create(&threads[0], NULL, watch_maps, maps.node);
	pthread_create(&threads[1], NULL, watch_maps, maps.dmabuf);
	stream_while_watched();
	atomic_store(&watch.stop, true);
	for (i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	must(node_stream(&dev[0], false));
	assert_int_equal(atomic_load(&watch.wrong), 0);
	assert_true(atomic_load(&watch.checked) >= FRAMES / 2);
	assert_true(atomic_load(&watch.touched) > 0);
}

/* Move the second half somewhere else; where it is now. */
static unsigned char *move_half(unsigned char *map, size_t half)
{
	unsigned char *room, *moved;

	room = must_map(mmap(NULL, half, PROT_NONE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	moved = must_map(mremap(map + half, half, half,
				MREMAP_MAYMOVE | MREMAP_FIXED, room));
	assert_ptr_equal(moved, room);
	return moved;
}

static void moved_mappings_follow(void **state)
{
	size_t half = shared.size / 2 / PAGE * PAGE;
	unsigned char *moved;
	unsigned int i;

	(void)state;
	device_map(0);
	cpu_writes(1);
	cpu_sees(1);
	moved = move_half(shared.map, half);
	for (i = 2; i < 6; i++) {
		device_writes(0, i);
		cpu_begin(DMA_BUF_SYNC_RW);
		require("what stayed", shared.map, i, 0, half);
		require("what moved", moved - half, i, half, 2 * half);
		fill(moved - half, 50 + i, half, 2 * half);
		cpu_end(DMA_BUF_SYNC_RW);
		must(device_io(0, VIVID_EXT_IMPORTER_DEV_READ, 0, shared.size,
			       shared.data));
		require("the device", shared.data, i, 0, half);
		require("the device", shared.data, 50 + i, half, 2 * half);
	}
	munmap(moved, half);
}

/* The middle third is unmapped, and a page within the last one. */
static void cut_mappings_follow(void **state)
{
	size_t third = shared.size / 3 / PAGE * PAGE;
	unsigned int i;

	(void)state;
	device_map(0);
	cpu_writes(1);
	assert_int_equal(munmap(shared.map + third, third), 0);
	assert_int_equal(munmap(shared.map + 2 * third + PAGE, PAGE), 0);
	for (i = 2; i < 6; i++) {
		device_writes(0, i);
		cpu_begin(DMA_BUF_SYNC_READ);
		require("the first part", shared.map, i, 0, third);
		require("a page", shared.map, i, 2 * third, 2 * third + PAGE);
		require("the last part", shared.map, i, 2 * third + 2 * PAGE,
			shared.size);
		cpu_end(DMA_BUF_SYNC_READ);
	}
}

/* Advice may be taken or not, but what was written stays written. */
static void advice_loses_nothing(void **state)
{
	static const int advice[] = {
		MADV_DONTNEED, MADV_FREE, MADV_REMOVE, MADV_WILLNEED,
		MADV_COLD, MADV_PAGEOUT, MADV_POPULATE_READ,
		MADV_POPULATE_WRITE, MADV_HUGEPAGE, MADV_MERGEABLE,
		MADV_SEQUENTIAL, MADV_DONTNEED,
	};
	unsigned int i, count = sizeof(advice) / sizeof(advice[0]);

	(void)state;
	device_map(0);
	for (i = 0; i < count; i++) {
		cpu_begin(DMA_BUF_SYNC_RW);
		fill(shared.map, i, 0, shared.size);
		madvise(shared.map, shared.size, advice[i]);
		require("the CPU", shared.map, i, 0, shared.size);
		madvise(shared.map + PAGE, 2 * PAGE, advice[i]);
		cpu_end(DMA_BUF_SYNC_RW);
		device_sees(0, i);
		device_writes(0, 100 + i);
		madvise(shared.map, shared.size, advice[i]);
		cpu_sees(100 + i);
	}
}

/* Read first, then made writable: the writes must be noticed all the same. */
static void a_mapping_becomes_writable(void **state)
{
	size_t half = shared.size / 2 / PAGE * PAGE;
	unsigned char *map;
	unsigned int i;

	(void)state;
	map = map_dmabuf(shared.fd, shared.size, PROT_READ);
	device_map(0);
	for (i = 0; i < 4; i++) {
		device_writes(0, i);
		cpu_begin(DMA_BUF_SYNC_RW);
		require("the CPU", map, i, 0, shared.size);
		assert_int_equal(mprotect(map + half, half,
					  PROT_READ | PROT_WRITE), 0);
		fill(map, 50 + i, half, 2 * half);
		assert_int_equal(mprotect(map, shared.size, PROT_READ), 0);
		cpu_end(DMA_BUF_SYNC_RW);
		must(device_io(0, VIVID_EXT_IMPORTER_DEV_READ, 0, shared.size,
			       shared.data));
		require("the device", shared.data, i, 0, half);
		require("the device", shared.data, 50 + i, half, 2 * half);
	}
}

/* The same through the node, whose mapping QBUF and DQBUF look after. */
static void a_nodes_mapping_becomes_writable(void **state)
{
	struct node *n = &dev[0];
	struct node_frame f;
	unsigned char *map;
	size_t length;
	unsigned int i;

	(void)state;
	must(node_qbuf(n, 0));
	must(node_stream(n, true));
	must(node_dqbuf(n, V4L2_MEMORY_MMAP, &f));
	map = must_map(node_map(n, 0, 0, &length));
	assert_int_equal(mprotect(map, length, PROT_READ), 0);
	device_map(0);
	for (i = 0; i < 4; i++) {
		must(node_qbuf(n, 0));
		must(node_dqbuf(n, V4L2_MEMORY_MMAP, &f));
		if (explicit_policy())
			cpu_begin(DMA_BUF_SYNC_RW);
		require_frame("the CPU", (void *[]){ map, NULL }, f.sequence);
		if (!explicit_policy())
			cpu_begin(DMA_BUF_SYNC_RW);
		assert_int_equal(mprotect(map, length, PROT_READ | PROT_WRITE),
				 0);
		fill(map, i, 0, length);
		assert_int_equal(mprotect(map, length, PROT_READ), 0);
		cpu_end(DMA_BUF_SYNC_RW);
		must(device_io(0, VIVID_EXT_IMPORTER_DEV_READ, 0, length,
			       shared.data));
		require("the device", shared.data, i, 0, length);
	}
	must(node_stream(n, false));
}

#define shared_test(f) \
	cmocka_unit_test_setup_teardown(f, open_shared, close_shared)

int main(void)
{
	const struct CMUnitTest tests[] = {
		shared_test(one_importer_writes_while_the_other_holds_a_mapping),
		shared_test(two_importers_write_at_once),
		shared_test(an_importer_lets_go_while_the_other_stays),
		node_test(a_childs_mappings_are_taken_away_too),
		node_test(threads_never_see_an_older_frame),
		shared_test(moved_mappings_follow),
		shared_test(cut_mappings_follow),
		shared_test(advice_loses_nothing),
		shared_test(a_mapping_becomes_writable),
		shared_test(a_nodes_mapping_becomes_writable),
	};

	return cmocka_run_group_tests_name("sharing", tests, NULL, NULL);
}
