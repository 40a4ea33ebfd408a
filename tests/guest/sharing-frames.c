// SPDX-License-Identifier: GPL-2.0-only
/*
 * Threads and processes look at a camera's buffers, through the node's mappings
 * and the dma-bufs', while it takes them and gives them back: whoever looks sees
 * the frame that was written last.
 */
#define _GNU_SOURCE
#include "frame.h"
#include "testlib.h"

#include <fcntl.h>
#include <linux/dma-buf.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define BUFFERS 4
#define FRAMES 24

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		node_test(a_childs_mappings_are_taken_away_too),
		node_test(threads_never_see_an_older_frame),
	};

	return cmocka_run_group_tests_name("sharing-frames", tests, NULL,
					   NULL);
}
