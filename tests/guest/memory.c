// SPDX-License-Identifier: GPL-2.0-only
/*
 * Takes buffers of a camera, and keeps them and an export of each until its
 * input ends: memory NODE WIDTHxHEIGHT COUNT [LEAVE]. With LEAVE the machine is
 * filled first, until it has so many MiB available. Prints how many buffers it
 * got, whether all of their bytes are zero, and "holding"; gives them back for
 * a line of input, and prints "freed".
 */
#include "node.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MIB 1048576L

static long available_mib(void)
{
	FILE *f = fopen("/proc/meminfo", "r");
	char line[128];
	long kib = -1;

	while (f && kib < 0 && fgets(line, sizeof(line), f))
		sscanf(line, "MemAvailable: %ld", &kib);
	if (f)
		fclose(f);
	return kib / 1024;
}

/* In steps: what is asked for at once is cut down by nobody. */
static void fill(long leave)
{
	long left;

	while ((left = available_mib() - leave) > 0) {
		size_t size = (left > 64 ? 64 : left) * MIB;

		if (mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE |
			 MAP_ANONYMOUS | MAP_POPULATE, -1, 0) == MAP_FAILED) {
			perror("mmap");
			exit(1);
		}
	}
	printf("available %ld\n", available_mib());
}

static int all_zero(unsigned int index, int fd)
{
	size_t size = fd < 0 ? 0 : lseek(fd, 0, SEEK_END), i = 0;
	unsigned char *at;

	at = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED) {
		perror("mapping a buffer");
		exit(1);
	}
	while (i < size && !at[i])
		i++;
	if (i < size)
		printf("buffer %u, byte %zu: %u\n", index, i, at[i]);
	munmap(at, size);
	return i == size;
}

int main(int argc, char **argv)
{
	unsigned int width, height;
	struct node n;
	int fds[VIDEO_MAX_FRAME];
	int i, count, ret, zero = 1;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 4 || sscanf(argv[2], "%ux%u", &width, &height) != 2)
		return 2;
	count = atoi(argv[3]);
	ret = node_open(&n, argv[1]);
	ret = ret ?: node_set_format(&n, width, height, V4L2_PIX_FMT_XBGR32);
	if (ret) {
		fprintf(stderr, "%s: %s\n", argv[1], strerror(-ret));
		return 1;
	}
	if (argc > 4)
		fill(atol(argv[4]));
	count = node_reqbufs(&n, V4L2_MEMORY_MMAP, count);
	if (count < 0) {
		printf("buffers 0 (%s)\n", strerror(-count));
		return 1;
	}
	for (i = 0; i < count; i++) {
		fds[i] = node_expbuf(&n, i, 0, O_RDONLY);
		zero &= all_zero(i, fds[i]);
	}
	printf("buffers %d\nzero %d\nholding\n", count, zero);
	while (getchar() == '\n') {
		while (count)
			close(fds[--count]);
		ret = node_reqbufs(&n, V4L2_MEMORY_MMAP, 0);
		printf("freed (%s)\n", strerror(-ret));
	}
	return 0;
}
