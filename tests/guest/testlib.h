/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the cmocka programs share: two vivid-ext nodes for each test, and
 * assertions on negative errnos.
 *
 * VIVID_EXT_OPTIONS in the environment goes to modprobe.
 */
#ifndef TESTS_TESTLIB_H
#define TESTS_TESTLIB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "node.h"

#define EXPORTER "videobuf2-dmabuf"
#define DRIVER "vivid-ext"
#define PAGE 4096UL

#define TEST_WIDTH 640
#define TEST_HEIGHT 360

extern struct node dev[2];

int open_nodes(void **state);
int close_nodes(void **state);
int run(const char *format, ...) __attribute__((format(printf, 1, 2)));
bool dev_does_dma(void);
bool explicit_policy(void);
long long allocator_count(const char *name);
void wait_for_dmabufs(const char *exporter, int count);
void *map_dmabuf(int fd, size_t length, int prot);
void alloc_buffers(struct node *n, unsigned int count);
void require_stamp(struct node *n, const int *fds, uint32_t *sequence);
void require_frame(const char *who, void *const *planes, uint32_t expected);
void stream_fds(struct node *n, const int (*fds)[NODE_MAX_PLANES],
		unsigned int count, unsigned int frames);

/* The value of @call, which must not be a negative errno. */
#define must(call) ({							\
	long must_ret = (call);						\
	if (must_ret < 0)						\
		fail_msg("%s: %s", #call, strerror(-must_ret));		\
	must_ret;							\
})

/* @call must fail with @error. */
#define refuses(call, error) do {					\
	long ref_ret = (call);						\
	if (ref_ret != -(error))					\
		fail_msg("%s: %s instead of %s", #call,			\
			 ref_ret < 0 ? strerror(-ref_ret) : "success",	\
			 strerror(error));				\
} while (0)

/* A mapping, which must not be MAP_FAILED. */
#define must_map(call) ({						\
	void *map_ret = (call);						\
	if (map_ret == MAP_FAILED)					\
		fail_msg("%s: %s", #call, strerror(errno));		\
	map_ret;							\
})

/* The mapping @call must fail with @error. */
#define refuses_map(call, error)					\
	refuses((call) == MAP_FAILED ? -errno : 0, error)

/* Skip the running test; tap.sh's suite puts the reason into the result. */
#define skip_because(why) do {						\
	print_message("# skip: %s\n", why);				\
	skip();								\
} while (0)

/* How cmocka lists a test that wants the two nodes. */
#define node_test(f) \
	cmocka_unit_test_setup_teardown(f, open_nodes, close_nodes)

#endif
