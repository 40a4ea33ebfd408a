/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A buffer, those who use it and its bytes, for as long as everybody keeps the
 * rules of dma-buf and V4L2: what may happen next, and what must not.
 */
#ifndef PROVE_WORLD_H
#define PROVE_WORLD_H

#include "protocol.h"

#ifndef CHUNKS
#define CHUNKS 2
#endif
#ifndef AGENTS
#define AGENTS 4
#endif
#define VIEWS (VDB_FIRST_PRIVATE + AGENTS)
#define NOTED VIEWS		/* where VDB_AGREE notes bytes */
#define PLACES (VIEWS + 1)

/* Kinds of agents. */
enum kind {
	QUEUE_COHERENT,		/* a queue's device, by its view */
	QUEUE_MEMORY,
	QUEUE_BOUNCED,
	IMPORT_COHERENT,	/* an importer's, which tells nobody what it does */
	IMPORT_MEMORY,
	IMPORT_BOUNCED,
	BRACKET,		/* begin/end_cpu_access */
	FRAMES,			/* a queue whose CPU does the work */
	VMAP,			/* a kernel mapping, for those with brackets */
	READER,			/* a process's mapping that can only be read */
	WRITER,			/* one whose first write is noticed */
	PAGES,			/* one of real pages, which can be held as well */
	KINDS
};

extern const char *const kind_names[KINDS];

/* What an agent does; the last ones to a chunk. */
enum op {
	MAP_READ, MAP_WRITE, UNMAP,
	QBUF_READ, QBUF_WRITE, HINT_READ, HINT_WRITE,
	DONE, DONE_LOOK, DONE_NOTHING, DQBUF, DQBUF_LOOK,
	DRIVER_READS, DRIVER_DRAWS, DRIVER_ADDS, DRIVER_ENDS,
	BEGIN_READ, BEGIN_WRITE, END,
	DO_VMAP, DO_VUNMAP,
	WRITE, FAULT_READ, FAULT_WRITE, HOLD, LET_GO, FILL,
	OPS
};

extern const char *const op_names[OPS];

/**
 * struct event - something that happens
 * @agent: by this agent
 * @op: what
 * @chunk: to this chunk
 * @when: 0, or while the event is being dealt with, after the lock was dropped
 *	so often, something else happens
 * @who: to this agent
 * @what: its frame is done; or, while a frame is delivered, any event
 * @where: to this chunk
 */
struct event {
	unsigned char agent, op, chunk, when, who, what, where;
};

/**
 * struct config - who uses the buffer
 * @n: how many agents
 * @kind: of each
 * @hurried: drivers don't call vb2_dmabuf_buf_finish(): frames are delivered at
 *	once when they are done
 */
struct config {
	unsigned int n;
	enum kind kind[AGENTS];
	bool hurried;
};

#define MAX_EVENTS (AGENTS * OPS * CHUNKS)

/* A state of the world, in as few bytes as possible and one way only. */
#define STATE_BYTES (VIEWS * 4 + 5 + VDB_ENGINE_BITMAPS + PLACES * CHUNKS + \
		     CHUNKS * 3 + AGENTS + 3)
struct state {
	unsigned char byte[(STATE_BYTES + 7) / 8 * 8];
};

void world_begin(const struct config *config);
void world_load(const struct state *state);
void world_save(struct state *state);
bool world_allows(const struct event *event);
unsigned int world_next(struct event *events);
unsigned int world_meanwhile(const struct event *event, struct event *events);
unsigned int world_do(const struct event *event);
const char *world_wrong(void);
void world_print(void);

#endif
