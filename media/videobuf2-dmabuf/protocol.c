// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is done, in which order, when somebody gets a buffer or gives it back.
 */
#include <linux/bitmap.h>

#include "protocol.h"

/**
 * DOC: events
 *
 * Each function is one event. They exclude each other (vdb_buffer.lock), but
 * for the end of a queue's frame (vdb_engine_close()), which may come in
 * whenever vdb_hand_lock() is not held. So each is built alike: take away what
 * can write unnoticed; hear who may have written; copy, while nothing is
 * published and all can still change; publish at the moment when nothing is left
 * to copy, or first and copy after, where a device is to be kept up to date
 * from then on; tell the others.
 */

/* What for moves are made. */
enum goal {
	BRING,
	RESCUE_WRITER,
	RESCUE_READER,
	SPREAD,
};

static struct vdb_move next_move(struct vdb_engine *e, enum goal goal,
				 unsigned int view, unsigned int first,
				 unsigned int last)
{
	switch (goal) {
	case BRING:
		return vdb_engine_bring(e, view, first, last);
	case RESCUE_WRITER:
	case RESCUE_READER:
		return vdb_engine_rescue(e, view, goal == RESCUE_WRITER);
	default:
		return vdb_engine_spread(e, first, last);
	}
}

/* Make moves until none is left; returns with vdb_hand_lock() held. */
static unsigned long hurry(struct vdb_engine *e, enum goal goal,
			   unsigned int view, unsigned int first,
			   unsigned int last, bool rest)
{
	struct vdb_move move;
	unsigned long flags;

	for (;;) {
		flags = vdb_hand_lock(e);
		move = next_move(e, goal, view, first, last);
		if (move.kind == VDB_DONE)
			return flags;
		vdb_hand_move(e, &move);
		vdb_engine_did(e, &move);
		vdb_hand_unlock(e, flags);
		if (rest)
			vdb_hand_rest(e);
	}
}

/* The same where one can sleep. */
static unsigned long reach(struct vdb_engine *e, enum goal goal,
			   unsigned int view, unsigned int first,
			   unsigned int last)
{
	return hurry(e, goal, view, first, last, true);
}

static void bring(struct vdb_engine *e, unsigned int view)
{
	vdb_hand_unlock(e, reach(e, BRING, view, 0, e->nr_chunks));
}

static void spread(struct vdb_engine *e)
{
	vdb_hand_unlock(e, reach(e, SPREAD, 0, 0, e->nr_chunks));
}

/*
 * Take page table entries away; whether pages are still held. What was written
 * through them counts, unless user space has promised that nothing was.
 */
static bool revoke_unless(struct vdb_engine *e, bool promised)
{
	bool pinned = vdb_hand_revoke(e);
	unsigned long flags = vdb_hand_lock(e);

	vdb_engine_revoke(e, !promised);
	vdb_hand_unlock(e, flags);
	return pinned;
}

static bool revoke(struct vdb_engine *e)
{
	return revoke_unless(e, false);
}

static void hear(struct vdb_engine *e)
{
	unsigned long flags = vdb_hand_lock(e);

	vdb_engine_hear(e, 0, e->nr_chunks);
	vdb_hand_unlock(e, flags);
}

/* May processes have written, through their entries or what they hold? */
static bool written(const struct vdb_engine *e)
{
	return e->pinned || !bitmap_empty(e->writable, e->nr_chunks) ||
	       !bitmap_empty(e->suspect, e->nr_chunks);
}

/* Do processes see what is not the newest? */
static bool outdated(struct vdb_engine *e)
{
	unsigned long flags = vdb_hand_lock(e);
	bool ret = vdb_engine_outdated_entries(e);

	vdb_hand_unlock(e, flags);
	return ret;
}

/*
 * Who holds pages from now on has been heard by the entries that it had; who
 * does no more is heard for the last time.
 */
static void pin(struct vdb_engine *e, bool pinned)
{
	unsigned long flags;

	if (e->pinned && !pinned)
		hear(e);
	flags = vdb_hand_lock(e);
	vdb_engine_pin(e, pinned);
	vdb_hand_unlock(e, flags);
}

/**
 * vdb_protocol_map - a device can reach a buffer, and is to see its bytes
 * @e: the buffer
 * @view: through which view
 * @silent: it tells nobody when it reads or writes
 * @writes: it may write
 */
void vdb_protocol_map(struct vdb_engine *e, unsigned int view, bool silent,
		      bool writes)
{
	bool pinned = e->pinned;
	unsigned long flags;

	if (view != VDB_CPU || e->outside)
		pinned = revoke(e);
	hear(e);
	flags = vdb_hand_lock(e);
	vdb_engine_map(e, view, silent, writes);
	vdb_hand_unlock(e, flags);
	bring(e, view);
	pin(e, pinned);
	spread(e);
}

/**
 * vdb_protocol_unmap - a device is about to lose a buffer
 * @e: the buffer
 * @view: as in vdb_protocol_map()
 * @silent: the same
 * @writes: the same
 *
 * Nothing is asked of it after this.
 */
void vdb_protocol_unmap(struct vdb_engine *e, unsigned int view, bool silent,
			bool writes)
{
	bool pinned = e->pinned;
	unsigned long flags;

	if (e->outside) {
		hear(e);
		if (outdated(e))
			pinned = revoke(e);
	}
	flags = reach(e, writes ? RESCUE_WRITER : RESCUE_READER, view, 0, 0);
	vdb_engine_unmap(e, view, silent, writes);
	vdb_hand_unlock(e, flags);
	pin(e, pinned);
	if (e->outside)
		spread(e);
}

/**
 * vdb_protocol_queue - a queue gets a buffer (QBUF)
 * @e: the buffer
 * @view: through which it will read or write
 * @writes: it writes, until vdb_engine_close()
 * @clean: false where user space promises that no process has written; what
 *	others have is no matter of that
 */
void vdb_protocol_queue(struct vdb_engine *e, unsigned int view, bool writes,
			bool clean)
{
	bool pinned = e->pinned;
	unsigned long flags;

	if (!vdb_hand_keeps_entries(e, false))
		pinned = revoke_unless(e, !clean);
	flags = vdb_hand_lock(e);
	vdb_engine_abandon(e);
	vdb_hand_unlock(e, flags);
	if (e->outside) {
		hear(e);
		bring(e, view);
		pin(e, pinned);
		spread(e);
	}
	flags = reach(e, BRING, view, 0, e->nr_chunks);
	if (writes)
		vdb_engine_open(e, view);
	vdb_hand_unlock(e, flags);
}

/**
 * vdb_protocol_deliver - a queue's frame goes to user space (DQBUF)
 * @e: the buffer
 * @look: the CPU looks at it without a bracket
 */
void vdb_protocol_deliver(struct vdb_engine *e, bool look)
{
	bool pinned = e->pinned;

	if (!e->outside)
		return;
	if (outdated(e))
		pinned = revoke(e);
	pin(e, pinned);
	if (look)
		bring(e, VDB_CPU);
	spread(e);
}

/**
 * vdb_protocol_deliver_now - the same, where nothing can sleep
 * @e: the buffer
 * @look: as in vdb_protocol_deliver()
 *
 * Entries stay, and the bytes that they show are fetched. Other events may be
 * under way.
 */
void vdb_protocol_deliver_now(struct vdb_engine *e, bool look)
{
	unsigned int chunk = 0;
	unsigned long flags;

	if (!e->outside)
		return;
	for (;; chunk++) {
		flags = vdb_hand_lock(e);
		if (!look)
			chunk = find_next_bit(e->entries, e->nr_chunks, chunk);
		vdb_hand_unlock(e, flags);
		if (chunk >= e->nr_chunks)
			break;
		flags = hurry(e, BRING, VDB_CPU, chunk, chunk + 1, false);
		vdb_hand_unlock(e, flags);
	}
	flags = hurry(e, SPREAD, 0, 0, e->nr_chunks, false);
	vdb_hand_unlock(e, flags);
}

/**
 * vdb_protocol_begin - a CPU access begins
 * @e: the buffer
 * @writes: it may write
 */
void vdb_protocol_begin(struct vdb_engine *e, bool writes)
{
	bool pinned = e->pinned;
	unsigned long flags;

	if (e->outside) {
		if (written(e))
			pinned = revoke(e);
		hear(e);
		bring(e, VDB_CPU);
		pin(e, pinned);
		spread(e);
	}
	flags = reach(e, BRING, VDB_CPU, 0, e->nr_chunks);
	vdb_engine_begin(e, writes);
	vdb_hand_unlock(e, flags);
}

/**
 * vdb_protocol_end - a CPU access ends
 * @e: the buffer
 * @writes: it may have written
 */
void vdb_protocol_end(struct vdb_engine *e, bool writes)
{
	bool pinned = e->pinned;
	unsigned long flags;

	if (!vdb_hand_keeps_entries(e, !writes && !written(e)))
		pinned = revoke(e);
	flags = vdb_hand_lock(e);
	vdb_engine_end(e, writes);
	vdb_hand_unlock(e, flags);
	pin(e, pinned);
	if (e->outside)
		spread(e);
}

/**
 * vdb_protocol_wrote - a driver's CPU has written without a bracket
 * @e: the buffer
 */
void vdb_protocol_wrote(struct vdb_engine *e)
{
	unsigned long flags = vdb_hand_lock(e);

	vdb_engine_wrote(e);
	vdb_hand_unlock(e, flags);
	if (e->outside)
		spread(e);
}

/**
 * vdb_protocol_fault - a process is about to get page table entries
 * @e: the buffer
 * @chunk: for some pages of this
 * @unnoticed: it can write to them without another fault
 * @writes: it is about to write
 *
 * While a device writes they are given all the same: a fault waits for nobody.
 */
void vdb_protocol_fault(struct vdb_engine *e, unsigned int chunk,
			bool unnoticed, bool writes)
{
	unsigned long flags = vdb_hand_lock(e);

	/* Published before: a frame that is done now must know of them. */
	if (e->outside)
		vdb_engine_hear(e, chunk, chunk + 1);
	vdb_engine_enter(e, chunk, unnoticed);
	vdb_hand_unlock(e, flags);
	flags = reach(e, BRING, VDB_CPU, chunk, chunk + 1);
	if (writes && !unnoticed)
		vdb_engine_write(e, chunk);
	vdb_hand_unlock(e, flags);
	if (e->outside)
		vdb_hand_unlock(e, reach(e, SPREAD, 0, chunk, chunk + 1));
}

/**
 * vdb_protocol_add_mapping - the CPU can write unnoticed, in brackets
 * @e: the buffer
 *
 * A bracket that is open may cover all of it from now on.
 */
void vdb_protocol_add_mapping(struct vdb_engine *e)
{
	unsigned long flags = reach(e, BRING, VDB_CPU, 0, e->nr_chunks);

	vdb_engine_add_mapping(e);
	vdb_hand_unlock(e, flags);
}
