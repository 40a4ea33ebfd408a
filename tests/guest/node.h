/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * V4L2 capture nodes and dma-bufs for the test programs: one call an ioctl.
 *
 * Functions that return int give a negative errno on failure, as the kernel
 * does inside, so that a test can ask for the very error it expects.
 */
#ifndef TESTS_NODE_H
#define TESTS_NODE_H

#include <linux/videodev2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define NODE_MAX_PLANES 3

struct node {
	int fd;
	char path[64];
	char card[33];
	enum v4l2_buf_type type;
	bool mplane;
	uint32_t width, height, fourcc;
	unsigned int num_planes;
	uint32_t size[NODE_MAX_PLANES];
	uint32_t stride[NODE_MAX_PLANES];
};

/* A dequeued frame. */
struct node_frame {
	unsigned int index;
	uint32_t sequence, flags;
	uint64_t timestamp_us;
	uint32_t bytesused[NODE_MAX_PLANES];
	uint32_t data_offset[NODE_MAX_PLANES];
};

unsigned int nodes_of_driver(const char *driver, char (*paths)[64],
			     unsigned int max);
int node_open(struct node *n, const char *path);
int node_attach(struct node *n, int fd, enum v4l2_buf_type type);
void node_close(struct node *n);
int node_get_format(struct node *n);
int node_set_format(struct node *n, uint32_t width, uint32_t height,
		    uint32_t fourcc);

int node_reqbufs(struct node *n, enum v4l2_memory memory, unsigned int count);
int node_create_bufs(struct node *n, enum v4l2_memory memory,
		     unsigned int count, uint32_t size);
int node_querybuf(struct node *n, enum v4l2_memory memory, unsigned int index,
		  struct v4l2_buffer *b, struct v4l2_plane *planes);
int node_expbuf(struct node *n, unsigned int index, unsigned int plane,
		unsigned int flags);
int node_qbuf(struct node *n, unsigned int index);
int node_qbuf_fds(struct node *n, unsigned int index, const int *fds,
		  const uint32_t *lengths);
int node_dqbuf(struct node *n, enum v4l2_memory memory, struct node_frame *f);
int node_stream(struct node *n, bool on);
void *node_map(struct node *n, unsigned int index, unsigned int plane,
	       size_t *length);
off_t node_map_offset(struct node *n, unsigned int index, unsigned int plane);

int dmabuf_sync(int fd, uint64_t flags);
uint64_t dmabuf_inode(int fd);
int dmabufs_of(const char *exporter);

/* mmap() that unmap_all() and close_all() take back, even after a failure. */
void *map_fd(int fd, size_t length, int prot, int flags, off_t offset);
void unmap_fd(void *addr, size_t length);
void unmap_all(void);
void close_all(void);

int write_text(const char *path, const char *text);
int read_text(const char *path, char *text, size_t size);
int unload(const char *module);

#endif
