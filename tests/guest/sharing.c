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
		shared_test(moved_mappings_follow),
		shared_test(cut_mappings_follow),
		shared_test(advice_loses_nothing),
		shared_test(a_mapping_becomes_writable),
		shared_test(a_nodes_mapping_becomes_writable),
	};

	return cmocka_run_group_tests_name("sharing", tests, NULL, NULL);
}
