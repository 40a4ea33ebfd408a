// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who has the newest bytes of a buffer, and who may be writing now.
 */
#include <linux/bitmap.h>
#include <linux/minmax.h>

#include "engine.h"

/**
 * DOC: engine
 *
 * A buffer's bytes can be in several places (views): where the CPU sees them,
 * in memory past the CPU's caches, and in a private copy for each device that
 * is bounced. As in the protocols that keep processors' caches coherent there
 * is a *directory*: for each chunk and view a bit that says that this view has
 * the newest bytes. At least one is set at any time.
 *
 * And there are *epochs*: a device of a queue writes from QBUF until the frame
 * is done, a CPU access from its begin to its end, a page table entry from its
 * fault until it is taken away. The rules:
 *
 * - nothing is copied into a view where an open epoch may be writing;
 * - bytes are copied only from a view that has the newest;
 * - the end of a write leaves its view the only one that has them;
 * - a device that tells nobody (silent: that of an importer which is no queue
 *   of ours) may have written whenever nobody else had the buffer: it is heard
 *   before others look, and told as soon as others have written;
 * - what several silent ones wrote meanwhile is told apart by the bytes: what
 *   differs from what they all agreed on last was written.
 *
 * The engine is told of events, in the order in which they happen. What is to be
 * copied then says moves.c.
 */

/**
 * vdb_engine_init - a new buffer: all bytes are the CPU's
 * @e: @views has VDB_FIRST_PRIVATE entries, each with its bitmap
 * @nr_chunks: how many chunks
 * @bitmaps: room for VDB_ENGINE_BITMAPS of them, zeroed
 */
void vdb_engine_init(struct vdb_engine *e, unsigned int nr_chunks,
		     unsigned long *bitmaps)
{
	unsigned int longs = BITS_TO_LONGS(nr_chunks);

	e->nr_chunks = nr_chunks;
	e->nr_views = VDB_FIRST_PRIVATE;
	e->closed = -1;
	e->entries = bitmaps;
	e->writable = bitmaps + longs;
	e->suspect = bitmaps + 2 * longs;
	e->agreed = bitmaps + 3 * longs;
	e->doubt = bitmaps + 4 * longs;
	bitmap_fill(e->views[VDB_CPU].newest, nr_chunks);
}

/**
 * vdb_engine_newest_is - what was written through one view is nowhere else
 * @e: the buffer
 * @view: the view
 * @first: the first chunk
 * @n: how many
 */
void vdb_engine_newest_is(struct vdb_engine *e, unsigned int view,
			  unsigned int first, unsigned int n)
{
	unsigned int v;

	for (v = 0; v < e->nr_views; v++)
		if (v != view)
			bitmap_clear(e->views[v].newest, first, n);
	bitmap_set(e->views[view].newest, first, n);
	bitmap_clear(e->agreed, first, n);
	bitmap_clear(e->doubt, first, n);
}

/**
 * vdb_engine_settle - a frame that has ended comes into the directory
 * @e: the buffer
 *
 * It may have ended in an interrupt; so all that looks begins with this.
 */
void vdb_engine_settle(struct vdb_engine *e)
{
	if (e->closed < 0)
		return;
	vdb_engine_newest_is(e, e->closed, 0, e->nr_chunks);
	e->closed = -1;
}

/**
 * vdb_engine_queue_writes - whether it is open whose bytes are the newest
 * @e: the buffer
 *
 * Return: true while a queue writes, since it does so everywhere.
 */
bool vdb_engine_queue_writes(const struct vdb_engine *e)
{
	unsigned int v;

	for (v = 0; v < e->nr_views; v++)
		if (e->views[v].writing)
			return true;
	return false;
}

/* A CPU access writes, perhaps everywhere; then the CPU's bytes are newest. */
static bool bracket_writes(const struct vdb_engine *e)
{
	return e->write_brackets && e->mappings;
}

/**
 * vdb_engine_map - a device can reach the buffer now
 * @e: the buffer
 * @view: through which view
 * @silent: it won't tell when it reads or writes
 * @writes: it may write
 *
 * To be followed by vdb_engine_bring() for the view.
 */
void vdb_engine_map(struct vdb_engine *e, unsigned int view, bool silent,
		    bool writes)
{
	struct vdb_view *v = &e->views[view];

	vdb_engine_settle(e);
	v->devices++;
	v->writers += writes;
	v->silent += silent;
	v->silent_writers += silent && writes;
	e->outside += view != VDB_CPU;
	bitmap_zero(e->agreed, e->nr_chunks);
}

/**
 * vdb_engine_unmap - a device can't reach the buffer any more
 * @e: the buffer; vdb_engine_hear() and vdb_engine_rescue() went before
 * @view: as in vdb_engine_map()
 * @silent: the same
 * @writes: the same
 */
void vdb_engine_unmap(struct vdb_engine *e, unsigned int view, bool silent,
		      bool writes)
{
	struct vdb_view *v = &e->views[view];
	unsigned int i, chunk;

	vdb_engine_settle(e);
	v->devices--;
	v->writers -= writes;
	v->silent -= silent;
	v->silent_writers -= silent && writes;
	e->outside -= view != VDB_CPU;
	/* What the rest agrees on is noted anew. */
	bitmap_zero(e->agreed, e->nr_chunks);
	if (view == VDB_CPU || v->devices)
		return;
	/* Nobody looks there now, and nobody keeps it up to date. */
	for_each_set_bit(chunk, v->newest, e->nr_chunks) {
		for (i = 0; i < e->nr_views; i++)
			if (i != view && test_bit(chunk, e->views[i].newest))
				break;
		if (i == e->nr_views)
			__set_bit(chunk, e->views[VDB_CPU].newest);
	}
	bitmap_zero(v->newest, e->nr_chunks);
	v->writing = 0;
}

/**
 * vdb_engine_open - a queue has the buffer to write, all of it
 * @e: the buffer; vdb_engine_bring() for the view went before
 * @view: through which view
 */
void vdb_engine_open(struct vdb_engine *e, unsigned int view)
{
	vdb_engine_settle(e);
	e->views[view].writing++;
}

/**
 * vdb_engine_close - the queue is done; O(1), for hard interrupt context
 * @e: the buffer
 * @view: as in vdb_engine_open()
 * @wrote: false where it is known that nothing was written
 */
void vdb_engine_close(struct vdb_engine *e, unsigned int view, bool wrote)
{
	if (!e->views[view].writing)
		return;
	e->views[view].writing--;
	if (wrote)
		e->closed = view;
}

/**
 * vdb_engine_begin - a CPU access begins
 * @e: the buffer; vdb_engine_bring() for the CPU's view went before
 * @writes: it may write
 */
void vdb_engine_begin(struct vdb_engine *e, bool writes)
{
	vdb_engine_settle(e);
	e->write_brackets += writes;
}

/*
 * The CPU has written to a chunk, if its bytes were the newest. If not, a device
 * has written since, and what the CPU wrote before that is obsolete.
 */
static void cpu_wrote(struct vdb_engine *e, unsigned int chunk)
{
	if (!vdb_engine_queue_writes(e) && !test_bit(chunk, e->doubt) &&
	    test_bit(chunk, e->views[VDB_CPU].newest))
		vdb_engine_newest_is(e, VDB_CPU, chunk, 1);
}

static void cpu_wrote_all(struct vdb_engine *e)
{
	unsigned int chunk;

	for (chunk = 0; chunk < e->nr_chunks; chunk++)
		cpu_wrote(e, chunk);
}

/**
 * vdb_engine_end - a CPU access ends
 * @e: the buffer
 * @writes: it may have written
 *
 * Nobody makes user space end what it began, nor begin what it ends. An end
 * without a begin is taken at its word, but for what a device is writing.
 * To be followed by vdb_engine_spread().
 */
void vdb_engine_end(struct vdb_engine *e, bool writes)
{
	vdb_engine_settle(e);
	if (!writes)
		return;
	if (!e->write_brackets)
		vdb_engine_hear(e, 0, e->nr_chunks);
	if (e->mappings)
		cpu_wrote_all(e);
	if (e->write_brackets)
		e->write_brackets--;
}

/**
 * vdb_engine_wrote - the CPU has written, and had told nobody that it would
 * @e: the buffer
 */
void vdb_engine_wrote(struct vdb_engine *e)
{
	vdb_engine_settle(e);
	cpu_wrote_all(e);
}

/**
 * vdb_engine_add_mapping - the CPU can write unnoticed, in brackets
 * @e: the buffer; vdb_engine_bring() for the CPU's view went before
 */
void vdb_engine_add_mapping(struct vdb_engine *e)
{
	e->mappings++;
}

/**
 * vdb_engine_del_mapping - undo one vdb_engine_add_mapping()
 * @e: the buffer
 *
 * What was written through it in a bracket that is still open is known now.
 */
void vdb_engine_del_mapping(struct vdb_engine *e)
{
	vdb_engine_settle(e);
	if (e->write_brackets)
		cpu_wrote_all(e);
	e->mappings--;
}

/**
 * vdb_engine_abandon - CPU accesses that are open are over
 * @e: the buffer, which a queue has been given
 */
void vdb_engine_abandon(struct vdb_engine *e)
{
	vdb_engine_settle(e);
	if (bracket_writes(e))
		cpu_wrote_all(e);
	e->write_brackets = 0;
}

/**
 * vdb_engine_enter - a process gets page table entries
 * @e: the buffer; vdb_engine_bring() for the CPU's view went before
 * @chunk: for some pages of this
 * @unnoticed: it can write to them without another fault
 */
void vdb_engine_enter(struct vdb_engine *e, unsigned int chunk, bool unnoticed)
{
	__set_bit(chunk, e->entries);
	if (unnoticed)
		__set_bit(chunk, e->suspect);
}

/**
 * vdb_engine_write - a process writes through its page table entries
 * @e: the buffer
 * @chunk: to this chunk, from now on until vdb_engine_revoke()
 */
void vdb_engine_write(struct vdb_engine *e, unsigned int chunk)
{
	__set_bit(chunk, e->entries);
	__set_bit(chunk, e->writable);
}

/**
 * vdb_engine_revoke - no process has page table entries any more
 * @e: the buffer
 * @wrote: false where user space promises that no process has written
 */
void vdb_engine_revoke(struct vdb_engine *e, bool wrote)
{
	unsigned int chunk;

	vdb_engine_settle(e);
	for_each_set_bit(chunk, e->writable, e->nr_chunks)
		if (wrote)
			cpu_wrote(e, chunk);
	bitmap_zero(e->writable, e->nr_chunks);
	for_each_set_bit(chunk, e->suspect, e->nr_chunks)
		vdb_engine_hear(e, chunk, chunk + 1);
	bitmap_zero(e->suspect, e->nr_chunks);
	bitmap_zero(e->entries, e->nr_chunks);
}

/**
 * vdb_engine_pin - whether somebody holds pages
 * @e: the buffer; its page table entries are gone
 * @pinned: they may be read and written at any time, as by a device
 */
void vdb_engine_pin(struct vdb_engine *e, bool pinned)
{
	struct vdb_view *cpu = &e->views[VDB_CPU];

	vdb_engine_settle(e);
	if (e->pinned == pinned)
		return;
	e->pinned = pinned;
	cpu->silent += pinned ? 1 : -1;
	cpu->silent_writers += pinned ? 1 : -1;
}

/**
 * vdb_engine_heard - whether VDB_MERGE takes a view into account
 * @e: the buffer
 * @view: the view
 * @chunk: the chunk
 *
 * Only who had the newest bytes and nothing else can have made newer ones. The
 * CPU is asked in any case: where it has not written it has what was noted.
 *
 * Return: true if so.
 */
bool vdb_engine_heard(const struct vdb_engine *e, unsigned int view,
		      unsigned int chunk)
{
	return (view == VDB_CPU || e->views[view].silent_writers) &&
	       test_bit(chunk, e->views[view].newest);
}

/**
 * vdb_engine_unheard - may somebody write, and tell nobody?
 * @e: the buffer
 * @view: through this view
 * @chunk: to this chunk
 *
 * Return: true if so.
 */
bool vdb_engine_unheard(const struct vdb_engine *e, unsigned int view,
			unsigned int chunk)
{
	return test_bit(chunk, e->views[view].newest) &&
	       (e->views[view].silent_writers ||
		(view == VDB_CPU && test_bit(chunk, e->suspect)));
}

/**
 * vdb_engine_hear - somebody is about to look: silent ones may have written
 * @e: the buffer
 * @first: the first chunk
 * @last: the one after the last
 *
 * While somebody else has a chunk to write, they can't have.
 */
void vdb_engine_hear(struct vdb_engine *e, unsigned int first,
		     unsigned int last)
{
	unsigned int c, v, n, who = 0;

	vdb_engine_settle(e);
	if (vdb_engine_queue_writes(e) || bracket_writes(e))
		return;
	for (c = first; c < last; c++) {
		if (test_bit(c, e->writable) || test_bit(c, e->doubt))
			continue;
		for (n = 0, v = 0; v < e->nr_views; v++) {
			if (!vdb_engine_unheard(e, v, c))
				continue;
			who = v;
			n++;
		}
		if (n == 1)
			vdb_engine_newest_is(e, who, c, 1);
		else if (n && test_bit(c, e->agreed))
			__set_bit(c, e->doubt);
	}
}

/**
 * vdb_engine_silent_views - through how many views silent ones may write
 * @e: the buffer
 *
 * Return: if more than one, VDB_AGREE needs room for the buffer's bytes.
 */
unsigned int vdb_engine_silent_views(const struct vdb_engine *e)
{
	unsigned int v, n = 0;

	for (v = 0; v < e->nr_views; v++)
		n += e->views[v].silent_writers > 0;
	return n;
}

/**
 * vdb_engine_outdated_entries - whether processes see bytes that are not newest
 * @e: the buffer
 *
 * Their entries came back while a device had the buffer.
 *
 * Return: true if so; the entries are to be taken away.
 */
bool vdb_engine_outdated_entries(struct vdb_engine *e)
{
	vdb_engine_settle(e);
	return !bitmap_subset(e->entries, e->views[VDB_CPU].newest,
			      e->nr_chunks);
}
