/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The world of the random test, see random_kunit.c.
 */
#ifndef VDB_WORLD_H
#define VDB_WORLD_H

#include <linux/dma-fence.h>
#include <linux/prandom.h>
#include <linux/workqueue.h>

#include "kunit.h"

/* Three chunks, the last of them one page. */
#define CHUNKS 3
#define SIZE (2 * VDB_CHUNK_SIZE + PAGE_SIZE)

enum state { GONE, MAPPED, MAPPED_RW, OPEN_READ, OPEN_WRITE, UNDELIVERED };

enum place { CPU, MEMORY, COPY0, COPY1 };

/**
 * struct agent - who may use the buffer
 * @d: a device, if it is one
 * @view: through which it looks
 * @queue: it is a queue's, which tells what it does
 * @state: what it may do now
 * @window: where its engine finds the buffer, while it is mapped
 * @copy: its bounce buffer, if it has one
 */
struct agent {
	struct vdb_kunit_device d;
	enum place view;
	bool queue;
	enum state state;
	struct vivid_ext_view *window;
	u8 *copy;
};

/**
 * struct job - what an importer's device is doing under a fence
 * @work: does it
 * @fence: is signalled when it is done
 * @lock: the fence's
 * @w: the world
 * @agent: the device
 * @writes: it writes what is the newest there, else it reads
 * @at: where
 * @len: how much
 * @got: room for what is read
 */
struct job {
	struct work_struct work;
	struct dma_fence fence;
	spinlock_t lock; /* see above */
	struct world *w;
	struct agent *agent;
	bool writes;
	size_t at;
	size_t len;
	u8 got[3000];
};

#define DEVICES 8
#define BRACKETS 2

/**
 * struct world - all there is
 * @test: the test
 * @rnd: where chance comes from
 * @buf: the buffer
 * @agents: devices; the first three are queues'
 * @frames: a queue whose CPU does the work
 * @brackets: CPU accesses: 0, or 1 to read, or 2 to write
 * @vaddr: a kernel mapping of those who have brackets
 * @user: a process's mapping
 * @newest: what has been written, by whomever
 * @untold: by chunk, the view (+ 1) of a write that nobody was told of
 * @unclosed: by chunk, a process wrote outside of a bracket, and still can
 * @got: room for what was read
 * @job: what an importer's device does, until somebody has waited for it
 * @log: the last events
 * @events: how many there were
 */
struct world {
	struct kunit *test;
	struct rnd_state rnd;
	struct vdb_buffer *buf;
	struct agent agents[DEVICES];
	struct agent frames;
	unsigned int brackets[BRACKETS];
	u8 *vaddr;
	unsigned long user;
	u8 *newest;
	unsigned int untold[CHUNKS];
	bool unclosed[CHUNKS];
	u8 *got;
	struct job *job;
	struct {
		const char *what;
		const char *who;
		unsigned int number;
	} log[64];
	unsigned int events;
};

void world_note(struct world *w, const char *what, const char *who,
		unsigned int number);
void world_show_log(struct world *w);
const char *world_name_of(const struct agent *a);
unsigned int world_chance(struct world *w, unsigned int n);
enum vdb_view_kind world_fake_kind(struct vdb_attachment *att);
void world_fake_run(struct vdb_attachment *att, size_t offset, dma_addr_t addr,
		    size_t len, bool for_cpu);
void world_copy_pages(struct vdb_buffer *buf, u8 *copy, size_t at,
		      size_t len, bool from_copy);
bool world_any_queue(struct world *w, bool reading);
bool world_any_bracket(struct world *w, unsigned int least);
bool world_unbracketed_ok(struct world *w);
bool world_device_may_read(struct world *w, struct agent *a, unsigned int c);
bool world_device_may_write(struct world *w, struct agent *a, unsigned int c);
void world_device_io(struct world *w, struct agent *a, size_t at, u8 *bytes,
		     size_t len, bool write);
size_t world_new_range(struct world *w, unsigned int c, size_t *at);
void world_change(struct world *w, size_t at, size_t len);
size_t world_new_bytes(struct world *w, unsigned int c, size_t *at);
bool world_check_device(struct world *w, struct agent *a, unsigned int c);
bool world_check_cpu(struct world *w, unsigned int c);
bool world_check_all(struct world *w);

#endif
