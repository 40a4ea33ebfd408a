// SPDX-License-Identifier: GPL-2.0-only
/*
 * What happens to a buffer: events, the hands that carry out what the engine
 * wants, and what must never be seen.
 *
 * The reference is simple: for each chunk it knows the newest bytes, by a
 * number, and which bytes are in which place. Who has the right to read must
 * find the newest; what somebody has the right to write must not be
 * overwritten; and nobody is asked for bytes who can't have written.
 */
#include <linux/bitmap.h>
#include <string.h>

#include "reference.h"

static const char *wrong;
static unsigned int unlocks;
static bool delivering, impossible;
static struct event doing;

static void fail(const char *why)
{
	if (!wrong)
		wrong = why;
}

/*
 * Places that can have been written to since they were last asked. Of who tells
 * nothing it is not known when that was.
 */
static void note_could(void)
{
	unsigned int a, c;

	for (a = 0; a < config.n; a++)
		for (c = 0; c < CHUNKS; c++)
			if (may_write(a, c) ||
			    (is_import(a) && now.agent[a] == MAPPED_RW))
				now.could[c] |= 1 << place_now(a);
}

static void check_readers(void)
{
	unsigned int a, c;

	for (a = 0; a < config.n; a++)
		for (c = 0; c < CHUNKS; c++)
			if (may_read(a, c) &&
			    now.bytes[place_now(a)][c] != now.newest[c])
				fail("old bytes are read");
}

/* The hands. */

/* What the driver's CPU sees. */
static void check_cpu(void)
{
	unsigned int c;

	for (c = 0; c < CHUNKS; c++)
		if (now.bytes[VDB_CPU][c] != now.newest[c])
			fail("a driver's CPU reads old bytes");
}

static void undelivered(unsigned int a, bool look)
{
	now.agent[a] = UNDELIVERED;
	if (config.hurried) {
		delivering = true;
		vdb_protocol_deliver_now(&engine, look);
		delivering = false;
	}
	if (look)
		check_cpu();
	note_could();
}

static void frame_done(unsigned int a, bool wrote, bool look)
{
	note_could();
	vdb_engine_close(&engine, place(a), wrote);
	undelivered(a, look);
}

static void do_event(const struct event *ev);

/* In the middle of an event, which is it no more if there is none such. */
static void meanwhile(void)
{
	struct event ev = {
		.agent = doing.who,
		.op = doing.what,
		.chunk = doing.where,
	};

	/* Most events exclude each other; only a frame's end does not. */
	doing.when = 0;
	if ((!delivering && ev.op != DONE) || !world_allows(&ev)) {
		impossible = true;
		return;
	}
	note_could();
	do_event(&ev);
	note_could();
}

unsigned long vdb_hand_lock(struct vdb_engine *e)
{
	return 0;
}

void vdb_hand_unlock(struct vdb_engine *e, unsigned long flags)
{
	if (++unlocks == doing.when)
		meanwhile();
}

void vdb_hand_rest(struct vdb_engine *e)
{
}

static bool writer_has(unsigned int c)
{
	unsigned int a;

	for (a = 0; a < config.n; a++)
		if (kind(a) == WRITER && now.agent[a] >> (2 * c) & 2)
			return true;
	return false;
}

/* Somebody may be writing to a chunk through a view. */
static bool open_there(unsigned int view, unsigned int c)
{
	unsigned int a;

	for (a = 0; a < config.n; a++)
		if (is_queue(a) && place_now(a) == view &&
		    IN(now.agent[a]) & (WRITES_NOW | IN(DRAWS)))
			return true;
	return view == VDB_CPU &&
	       (writer_has(c) ||
		(any(is_bracket, IN(OPEN_W)) && writes_anywhere()));
}

static void copy(unsigned int to, unsigned int from, unsigned int c)
{
	if (open_there(to, c))
		fail("somebody who may be writing is overwritten");
	if (now.bytes[from][c] != now.newest[c])
		fail("old bytes are copied");
	now.bytes[to][c] = now.bytes[from][c];
	now.could[c] &= ~(1 << to);
}

/* The DMA API does nothing for a device that only reads. */
static bool may_be_asked(unsigned int a)
{
	return now.agent[a] != ONLY_READS && now.agent[a] != OPEN_ONLY_READ;
}

static bool has_writer(unsigned int view)
{
	unsigned int a;

	for (a = 0; a < config.n; a++)
		if (place(a) == view &&
		    ((is_queue(a) && now.agent[a] != GONE &&
		      may_be_asked(a)) ||
		     (is_import(a) && now.agent[a] == MAPPED_RW)))
			return true;
	return false;
}

static void fetch(unsigned int from, unsigned int c)
{
	if (!has_writer(from))
		fail("bytes are fetched through a device that only reads");
	if (!(now.could[c] >> from & 1))
		fail("bytes are fetched from where nobody can have written");
	copy(VDB_CPU, from, c);
	now.could[c] &= ~(1 << from);
}

static void merge(struct vdb_move *move, unsigned int c)
{
	unsigned char result = now.bytes[NOTED][c];
	unsigned int v;

	move->view = VDB_CPU;

	for (v = 0; v < engine.nr_views; v++) {
		if (!vdb_engine_heard(&engine, v, c) ||
		    now.bytes[v][c] == now.bytes[NOTED][c])
			continue;
		if (result != now.bytes[NOTED][c] &&
		    result != now.bytes[v][c])
			fail("two have written the same bytes");
		result = now.bytes[v][c];
		move->view = v;
		move->writers++;
	}
	if (open_there(VDB_CPU, c))
		fail("somebody who may be writing is overwritten");
	if (result != now.newest[c])
		fail("a merge loses bytes");
	now.bytes[VDB_CPU][c] = result;
}

void vdb_hand_move(struct vdb_engine *e, struct vdb_move *move)
{
	unsigned int c = move->first;

	/* The hands may do less at a time, and do. */
	move->last = c + 1;
	switch (move->kind) {
	case VDB_FETCH:
		fetch(move->view, c);
		break;
	case VDB_FLUSH:
		copy(move->view, VDB_CPU, c);
		break;
	case VDB_MERGE:
		merge(move, c);
		break;
	default:
		now.bytes[NOTED][c] = now.bytes[VDB_CPU][c];
		break;
	}
}

bool vdb_hand_revoke(struct vdb_engine *e)
{
	unsigned int a;

	for (a = 0; a < config.n; a++)
		if (is_process(a))
			now.agent[a] = 0;
	memset(now.unclosed, 0, sizeof(now.unclosed));
	return now.held;
}

bool vdb_hand_keeps_entries(const struct vdb_engine *e, bool idle)
{
	return idle || !e->outside;
}

/* Events. */

static void overtake_brackets(bool writes)
{
	unsigned int a;

	for (a = 0; a < config.n; a++) {
		if (kind(a) != BRACKET)
			continue;
		if (now.agent[a] == OPEN_W || now.agent[a] == EARLY_W)
			now.agent[a] = LATE_W;
		else if (writes && now.agent[a] != CLOSED &&
			 now.agent[a] != LATE_W)
			now.agent[a] = LATE_R;
	}
}

static void all_told(void)
{
	memset(now.untold, 0, sizeof(now.untold));
}

/* Of bytes that are nowhere yet. */
static unsigned int new_number(unsigned int c)
{
	unsigned int p, value = 0;

	for (p = 0; p < PLACES; p++)
		if (now.bytes[p][c] == value) {
			value++;
			p = -1;
		}
	return value;
}

/* From now on nobody can promise that the CPU has not written. */
static void touch(void)
{
	unsigned int a;

	for (a = 0; a < config.n; a++)
		if (is_queue(a) && place(a) != VDB_CPU && now.agent[a] != GONE)
			now.touched |= 1U << a;
}

static void do_write(unsigned int a, unsigned int c)
{
	unsigned int value;
	bool silent = is_import(a);

	if (kind(a) == PAGES)
		silent = !(now.agent[a] >> (2 * c) & 1 && process_may_write());
	value = new_number(c);
	if (is_process(a) && !silent && unbracketed_ok())
		now.unclosed[c] = 1;
	if (silent)
		now.untold[c] = place(a) + 1;
	else if (is_process(a))
		touch();
	if (is_queue(a) && now.agent[a] == OPEN_WRITE)
		now.agent[a] = WROTE;
	now.bytes[place_now(a)][c] = value;
	now.newest[c] = value;
}

static void do_qbuf(const struct event *ev)
{
	unsigned int a = ev->agent, c = ev->chunk;
	bool writes = ev->op == QBUF_WRITE || ev->op == HINT_WRITE;
	bool clean = ev->op == QBUF_READ || ev->op == QBUF_WRITE;

	if (ev->op == FILL) {
		/* Its driver looks, without a bracket, and writes. */
		vdb_protocol_begin(&engine, false);
		check_cpu();
		now.newest[c] = new_number(c);
		now.bytes[VDB_CPU][c] = now.newest[c];
		vdb_protocol_wrote(&engine);
		note_could();
		clean = place(a) == VDB_CPU || now.touched >> a & 1;
	}
	vdb_protocol_queue(&engine, place(a), writes, clean);
	overtake_brackets(writes);
	if (writes)
		now.agent[a] = OPEN_WRITE;
	else
		now.agent[a] = now.agent[a] == MAPPED ? OPEN_READ :
							OPEN_ONLY_READ;
	now.touched &= ~(1U << a);
	all_told();
}

static void do_map(const struct event *ev)
{
	unsigned int a = ev->agent;
	bool writes = ev->op == MAP_WRITE;

	now.agent[a] = writes ? MAPPED : ONLY_READS;
	if (kind(a) == FRAMES)
		return;
	vdb_protocol_map(&engine, place(a), false, writes);
	all_told();
}

static void do_unmap(unsigned int a)
{
	bool writes = may_be_asked(a);

	/* In the middle of a frame: that's all of it. */
	if (IN(now.agent[a]) & WRITES_NOW) {
		note_could();
		vdb_engine_close(&engine, place(a), true);
	}
	now.agent[a] = writes ? MAPPED : ONLY_READS;
	vdb_protocol_unmap(&engine, place(a), false, writes);
	now.agent[a] = GONE;
	now.touched &= ~(1U << a);
	all_told();
}

/* The driver's CPU does what its device was to do. */
static void do_driver(const struct event *ev)
{
	unsigned int a = ev->agent;
	bool writes = ev->op != DRIVER_READS;

	if (ev->op != DRIVER_ENDS) {
		if (writes) {
			note_could();
			vdb_engine_close(&engine, place(a),
					 ev->op == DRIVER_ADDS);
			now.agent[a] = UNDELIVERED;
		}
		vdb_protocol_begin(&engine, writes);
		vdb_protocol_add_mapping(&engine);
		if (writes)
			now.agent[a] = DRAWS;
		check_cpu();
	}
	if (ev->op == DRIVER_READS || ev->op == DRIVER_ENDS) {
		vdb_protocol_end(&engine, writes);
		vdb_engine_del_mapping(&engine);
	}
	if (ev->op == DRIVER_ENDS)
		undelivered(a, false);
}

static void do_queue(const struct event *ev)
{
	unsigned int a = ev->agent;

	switch (ev->op) {
	case MAP_READ:
	case MAP_WRITE:
		do_map(ev);
		break;
	case UNMAP:
		do_unmap(a);
		break;
	case DONE:
	case DONE_LOOK:
		if (now.agent[a] == OPEN_READ)
			now.agent[a] = MAPPED;
		else if (now.agent[a] == OPEN_ONLY_READ)
			now.agent[a] = ONLY_READS;
		else
			frame_done(a, true, ev->op == DONE_LOOK);
		break;
	case DONE_NOTHING:
		frame_done(a, false, false);
		break;
	case DQBUF:
	case DQBUF_LOOK:
		if (!config.hurried)
			vdb_protocol_deliver(&engine, ev->op == DQBUF_LOOK);
		if (ev->op == DQBUF_LOOK)
			check_cpu();
		now.agent[a] = MAPPED;
		break;
	case DRIVER_READS:
	case DRIVER_DRAWS:
	case DRIVER_ADDS:
	case DRIVER_ENDS:
		do_driver(ev);
		break;
	default:
		do_qbuf(ev);
	}
}

static void do_bracket(const struct event *ev)
{
	unsigned int *s = &now.agent[ev->agent];
	bool writes = ev->op == BEGIN_WRITE;

	if (ev->op == END) {
		vdb_protocol_end(&engine, *s == OPEN_W || *s == EARLY_W ||
				 *s == LATE_W);
		*s = CLOSED;
		return;
	}
	vdb_protocol_begin(&engine, writes);
	if (owned_by_queue() || (writes && any(is_queue, READS_NOW)))
		*s = writes ? EARLY_W : EARLY_R;
	else
		*s = writes ? OPEN_W : OPEN_R;
	all_told();
}

static void do_process(const struct event *ev)
{
	unsigned int *s = &now.agent[ev->agent];
	unsigned int c = ev->chunk;

	switch (ev->op) {
	case FAULT_READ:
		vdb_protocol_fault(&engine, c, kind(ev->agent) == PAGES, false);
		*s |= 1U << (2 * c);
		break;
	case FAULT_WRITE:
		vdb_protocol_fault(&engine, c, false, true);
		*s |= 3U << (2 * c);
		do_write(ev->agent, c);
		break;
	case HOLD:
		now.held |= 1 << c;
		break;
	case LET_GO:
		now.held &= ~(1 << c);
		break;
	}
}

static void do_event(const struct event *ev)
{
	unsigned int a = ev->agent;

	if (ev->op == WRITE) {
		do_write(a, ev->chunk);
	} else if (is_queue(a)) {
		do_queue(ev);
	} else if (is_process(a)) {
		do_process(ev);
	} else if (kind(a) == BRACKET) {
		do_bracket(ev);
	} else if (kind(a) == VMAP) {
		now.agent[a] = ev->op == DO_VMAP;
		if (now.agent[a])
			vdb_protocol_add_mapping(&engine);
		else
			vdb_engine_del_mapping(&engine);
	} else if (ev->op == UNMAP) {
		vdb_protocol_unmap(&engine, place(a), true,
				   now.agent[a] == MAPPED_RW);
		now.agent[a] = GONE;
		all_told();
	} else {
		vdb_protocol_map(&engine, place(a), true, ev->op == MAP_WRITE);
		now.agent[a] = ev->op == MAP_WRITE ? MAPPED_RW : MAPPED;
		all_told();
	}
}

/* Makes an event happen; returns how often the lock was dropped meanwhile. */
unsigned int world_do(const struct event *ev)
{
	wrong = NULL;
	doing = *ev;
	unlocks = 0;
	impossible = false;
	do_event(ev);
	check_readers();
	note_could();
	return impossible ? 0 : unlocks;
}

const char *world_wrong(void)
{
	return wrong;
}
