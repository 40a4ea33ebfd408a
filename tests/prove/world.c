// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who may do what, as long as everybody keeps the rules of dma-buf and V4L2:
 * read and write bytes, and call which operation next.
 */
#include <linux/bitmap.h>

#include "reference.h"

const char *const kind_names[KINDS] = {
	"queue-coherent", "queue-memory", "queue-bounced",
	"import-coherent", "import-memory", "import-bounced",
	"bracket", "cpu-queue", "vmap", "reader", "writer", "pages",
};

const char *const op_names[OPS] = {
	"map to read", "map to read and write", "unmap",
	"QBUF to read", "QBUF to write", "QBUF to read, NO_CACHE_CLEAN",
	"QBUF to write, NO_CACHE_CLEAN", "done", "done, its driver looks",
	"done, nothing written", "DQBUF", "DQBUF, its driver looks",
	"driver's CPU reads", "driver's CPU begins to draw",
	"driver's CPU begins to add", "driver's CPU ends", "begin to read", "begin to write", "end", "vmap", "vunmap",
	"write", "fault to read", "fault to write", "hold pages",
	"let pages go", "QBUF to read, its driver writes",
};

struct config config;
struct vdb_engine engine;
struct vdb_view views[VIEWS];
unsigned long newest_bits[VIEWS], bitmaps[VDB_ENGINE_BITMAPS];
struct reference now;

enum kind kind(unsigned int a)
{
	return config.kind[a];
}

bool is_queue(unsigned int a)
{
	return kind(a) <= QUEUE_BOUNCED || kind(a) == FRAMES;
}

bool is_import(unsigned int a)
{
	return kind(a) >= IMPORT_COHERENT && kind(a) <= IMPORT_BOUNCED;
}

bool is_process(unsigned int a)
{
	return kind(a) >= READER;
}

unsigned int place(unsigned int a)
{
	switch (kind(a)) {
	case QUEUE_MEMORY:
	case IMPORT_MEMORY:
		return VDB_MEMORY;
	case QUEUE_BOUNCED:
	case IMPORT_BOUNCED:
		return VDB_FIRST_PRIVATE + a;
	default:
		return VDB_CPU;
	}
}

/* Where it reads and writes at the moment. */
unsigned int place_now(unsigned int a)
{
	return is_queue(a) && now.agent[a] == DRAWS ? VDB_CPU : place(a);
}

/* How many agents of the kind are in one of the states, as a mask. */
bool any(bool (*is)(unsigned int), unsigned int states)
{
	unsigned int a;

	for (a = 0; a < config.n; a++)
		if (is(a) && IN(now.agent[a]) & states)
			return true;
	return false;
}

bool is_bracket(unsigned int a)
{
	return kind(a) == BRACKET;
}

bool owned_by_queue(void)
{
	return any(is_queue, OWNED);
}

/* Without any bracket, by V4L2's rules alone. */
bool unbracketed_ok(void)
{
	return !any(is_bracket, ~IN(CLOSED)) && !now.held &&
	       !any(is_import, IN(MAPPED) | IN(MAPPED_RW)) &&
	       !owned_by_queue();
}

static bool process_may_read(void)
{
	return unbracketed_ok() || any(is_bracket, IN(OPEN_R) | IN(OPEN_W));
}

bool process_may_write(void)
{
	if (any(is_bracket, IN(OPEN_W)))
		return true;
	return unbracketed_ok() && !any(is_queue, READS_NOW);
}

/* Who tells nobody must be told at least by who is to see it. */
static bool told(unsigned int where, unsigned int c)
{
	return !now.untold[c] || now.untold[c] == where + 1;
}

static bool silent_may_read(unsigned int where, unsigned int c)
{
	return !owned_by_queue() && !now.unclosed[c] && told(where, c) &&
	       !any(is_bracket, IN(OPEN_W) | IN(EARLY_W));
}

static bool silent_may_write(unsigned int where, unsigned int c)
{
	return silent_may_read(where, c) && !any(is_queue, READS_NOW) &&
	       !any(is_bracket, IN(OPEN_R) | IN(OPEN_W) | IN(EARLY_R) |
		    IN(EARLY_W));
}

/* A kernel mapping, or one that an application keeps. */
bool writes_anywhere(void)
{
	return engine.mappings;
}

bool may_write(unsigned int a, unsigned int c)
{
	unsigned int s = now.agent[a];

	if (is_queue(a))
		return IN(s) & (WRITES_NOW | IN(DRAWS));
	if (is_import(a))
		return s == MAPPED_RW && silent_may_write(place(a), c);
	if (kind(a) == BRACKET)
		return s == OPEN_W && writes_anywhere();
	if (kind(a) == WRITER)
		return s >> (2 * c) & 2 && process_may_write();
	if (kind(a) == PAGES)
		return (s >> (2 * c) & 1 && process_may_write()) ||
		       (now.held >> c & 1 && silent_may_write(VDB_CPU, c));
	return false;
}

bool may_read(unsigned int a, unsigned int c)
{
	unsigned int s = now.agent[a];

	if (is_queue(a))
		return IN(s) & (READS_NOW | WRITES_NOW | IN(DRAWS));
	if (is_import(a))
		return s != GONE && silent_may_read(place(a), c);
	if (kind(a) == BRACKET)
		return (s == OPEN_R || s == OPEN_W) && writes_anywhere();
	if (!is_process(a))
		return false;
	return (s >> (2 * c) & 1 && process_may_read()) ||
	       (now.held >> c & 1 && silent_may_read(VDB_CPU, c));
}

static bool allows_qbuf(const struct event *ev, unsigned int s)
{
	unsigned int a = ev->agent;

	bool writes = ev->op == QBUF_WRITE || ev->op == HINT_WRITE;

	if (s != MAPPED && (s != ONLY_READS || writes))
		return false;
	if (any(is_queue, writes || ev->op == FILL ? OWNED | READS_NOW : OWNED))
		return false;
	return (ev->op != HINT_READ && ev->op != HINT_WRITE) ||
	       (place(a) != VDB_CPU && !(now.touched >> a & 1));
}

static bool allows_queue(const struct event *ev, unsigned int s)
{
	bool frames = kind(ev->agent) == FRAMES;

	switch (ev->op) {
	case MAP_READ:
		return s == GONE && !frames;
	case MAP_WRITE:
		return s == GONE;
	case UNMAP:
		return s != GONE && s != DRAWS && !frames;
	case QBUF_READ:
	case QBUF_WRITE:
	case HINT_READ:
	case HINT_WRITE:
	case FILL:
		return allows_qbuf(ev, s);
	case DONE:
		return IN(s) & (READS_NOW | WRITES_NOW);
	case DONE_LOOK:
		return config.hurried && IN(s) & WRITES_NOW;
	case DONE_NOTHING:
		return s == OPEN_WRITE;
	case DQBUF:
		return s == UNDELIVERED;
	case DQBUF_LOOK:
		return !config.hurried && s == UNDELIVERED;
	case DRIVER_READS:
		return IN(s) & READS_NOW;
	case DRIVER_DRAWS:
		return s == OPEN_WRITE;
	case DRIVER_ADDS:
		return IN(s) & WRITES_NOW;
	case DRIVER_ENDS:
		return s == DRAWS;
	default:
		return false;
	}
}

static bool allows_process(const struct event *ev, unsigned int s)
{
	switch (ev->op) {
	case FAULT_READ:
		return !(s >> (2 * ev->chunk) & 1);
	case FAULT_WRITE:
		return kind(ev->agent) == WRITER &&
		       !(s >> (2 * ev->chunk) & 2) && process_may_write();
	case HOLD:
		return kind(ev->agent) == PAGES && s >> (2 * ev->chunk) & 1 &&
		       !(now.held >> ev->chunk & 1) && process_may_write();
	case LET_GO:
		return kind(ev->agent) == PAGES && now.held >> ev->chunk & 1;
	default:
		return false;
	}
}

bool world_allows(const struct event *ev)
{
	unsigned int s = now.agent[ev->agent];

	if (ev->op == WRITE)
		return may_write(ev->agent, ev->chunk);
	if (ev->chunk && ev->op < WRITE)
		return false;
	if (is_queue(ev->agent))
		return allows_queue(ev, s);
	if (is_process(ev->agent))
		return allows_process(ev, s);
	switch (ev->op) {
	case MAP_READ:
	case MAP_WRITE:
		return is_import(ev->agent) && s == GONE;
	case UNMAP:
		return is_import(ev->agent) && s != GONE;
	case BEGIN_READ:
	case BEGIN_WRITE:
		return kind(ev->agent) == BRACKET && s == CLOSED;
	case END:
		/*
		 * An end does not say whose it is: that of a bracket that a
		 * QBUF has overtaken, against the rules, ends another's.
		 */
		return kind(ev->agent) == BRACKET && s != CLOSED &&
		       (s != LATE_W ||
			(!any(is_bracket, IN(OPEN_W) | IN(EARLY_W)) &&
			!any(is_queue, IN(DRAWS))));
	case DO_VMAP:
		return kind(ev->agent) == VMAP && !s;
	case DO_VUNMAP:
		return kind(ev->agent) == VMAP && s;
	default:
		return false;
	}
}

/* All that may happen next; how many events. */
unsigned int world_next(struct event *events)
{
	struct event e = { 0 };
	unsigned int n = 0;

	for (e.agent = 0; e.agent < config.n; e.agent++)
		for (e.op = 0; e.op < OPS; e.op++)
			for (e.chunk = 0; e.chunk < CHUNKS; e.chunk++)
				if (world_allows(&e))
					events[n++] = e;
	return n;
}

/*
 * What may happen in the middle of an event. Most events exclude each other
 * (vdb_buffer.lock), only the end of a frame comes at any time; and so does
 * anything while a frame is being delivered at once.
 */
unsigned int world_meanwhile(const struct event *ev, struct event *events)
{
	unsigned int a = ev->agent, before = now.agent[a], n = 0, i, all;
	bool any_time = config.hurried && is_queue(a) &&
			(ev->op == DRIVER_ENDS ||
			 ((ev->op == DONE || ev->op == DONE_LOOK) &&
			  IN(now.agent[a]) & WRITES_NOW));

	if (any_time)
		now.agent[a] = UNDELIVERED;
	all = world_next(events);
	for (i = 0; i < all; i++)
		if (events[i].agent != a &&
		    (any_time || (events[i].op == DONE &&
				  IN(now.agent[events[i].agent]) & WRITES_NOW)))
			events[n++] = events[i];
	now.agent[a] = before;
	return n;
}
