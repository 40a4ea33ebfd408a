// SPDX-License-Identifier: GPL-2.0-only
/*
 * What to copy, so that somebody has the newest bytes of a buffer.
 *
 * The engine (engine.c) answers with moves, one at a time, for its caller to
 * carry out and to report by vdb_engine_did(). Between two moves a queue's frame
 * may end: then what was moved is judged anew.
 */
#include <linux/bitmap.h>
#include <linux/minmax.h>

#include "engine.h"

/* Any view that has the newest bytes of a chunk. */
static unsigned int source(const struct vdb_engine *e, unsigned int chunk)
{
	unsigned int v;

	for (v = 0; v < e->nr_views; v++)
		if (test_bit(chunk, e->views[v].newest))
			break;
	return v;
}

static struct vdb_move move_of(enum vdb_move_kind kind, unsigned int view,
			       unsigned int first, unsigned int last)
{
	return (struct vdb_move){ kind, view, first, last, 0 };
}

/* What brings one chunk from where it is newest nearer to a view. */
static struct vdb_move move_chunk(const struct vdb_engine *e, unsigned int view,
				  unsigned int chunk)
{
	if (test_bit(chunk, e->doubt))
		return move_of(VDB_MERGE, VDB_CPU, chunk, chunk + 1);
	if (test_bit(chunk, e->views[view].newest))
		return move_of(VDB_DONE, 0, 0, 0);
	if (!test_bit(chunk, e->views[VDB_CPU].newest))
		return move_of(VDB_FETCH, source(e, chunk), chunk, chunk + 1);
	return move_of(VDB_FLUSH, view, chunk, chunk + 1);
}

/* Bit maps are skipped by words where there is nothing to do. */
static unsigned int next_chunk(const struct vdb_engine *e, unsigned int view,
			       unsigned int from, unsigned int last)
{
	unsigned long doubt = find_next_bit(e->doubt, last, from);
	unsigned long old = find_next_zero_bit(e->views[view].newest, last,
					       from);

	return min(doubt, old);
}

/**
 * vdb_engine_bring - what to do so that a view has the newest bytes
 * @e: the buffer
 * @view: which view
 * @first: of these chunks
 * @last: the one after the last
 *
 * While a queue writes nothing is done: neither may its bytes be overwritten,
 * nor half of them be passed on. A CPU access that writes needs no such care:
 * its bytes are the newest from its begin on, so nothing is copied there.
 *
 * Return: the first move, as long as it can be made; VDB_DONE if none is left.
 */
struct vdb_move vdb_engine_bring(struct vdb_engine *e, unsigned int view,
				 unsigned int first, unsigned int last)
{
	struct vdb_move move = { VDB_DONE }, more;
	unsigned int c;

	vdb_engine_settle(e);
	if (vdb_engine_queue_writes(e))
		return move;
	for (c = next_chunk(e, view, first, last); c < last;
	     c = next_chunk(e, view, c + 1, last)) {
		if (test_bit(c, e->writable))
			continue;
		move = move_chunk(e, view, c);
		break;
	}
	if (move.kind != VDB_FETCH && move.kind != VDB_FLUSH)
		return move;
	for (c++; c < last && !test_bit(c, e->writable); c++) {
		more = move_chunk(e, view, c);
		if (more.kind != move.kind || more.view != move.view)
			break;
		move.last = c + 1;
	}
	return move;
}

/**
 * vdb_engine_rescue - what to do before a view goes, so that nothing is lost
 * @e: the buffer
 * @view: of which a device is about to be unmapped
 * @writes: as in vdb_engine_map()
 *
 * Devices that only read can't be asked for bytes.
 *
 * Return: as vdb_engine_bring() does.
 */
struct vdb_move vdb_engine_rescue(struct vdb_engine *e, unsigned int view,
				  bool writes)
{
	unsigned int c, v;

	vdb_engine_settle(e);
	/* While it can still be asked: what has it written? */
	c = find_next_bit(e->doubt, e->nr_chunks, 0);
	if (c < e->nr_chunks)
		return vdb_engine_bring(e, VDB_CPU, c, c + 1);
	if (view == VDB_CPU ||
	    (writes ? e->views[view].writers : e->views[view].devices) > 1)
		return move_of(VDB_DONE, 0, 0, 0);
	for_each_set_bit(c, e->views[view].newest, e->nr_chunks) {
		for (v = 0; v < e->nr_views; v++)
			if (v != view && test_bit(c, e->views[v].newest))
				break;
		if (v == e->nr_views)
			return vdb_engine_bring(e, VDB_CPU, c, e->nr_chunks);
	}
	return move_of(VDB_DONE, 0, 0, 0);
}

/**
 * vdb_engine_agree - note what several silent writers agree on
 * @e: the buffer
 * @first: the first chunk
 * @last: the one after the last
 *
 * Return: as vdb_engine_bring() does.
 */
struct vdb_move vdb_engine_agree(struct vdb_engine *e, unsigned int first,
				 unsigned int last)
{
	unsigned int c, v, n;

	vdb_engine_settle(e);
	if (vdb_engine_queue_writes(e))
		return move_of(VDB_DONE, 0, 0, 0);
	for (c = first; c < last; c++) {
		if (test_bit(c, e->agreed) || test_bit(c, e->writable) ||
		    !test_bit(c, e->views[VDB_CPU].newest))
			continue;
		for (n = 0, v = 0; v < e->nr_views; v++)
			n += vdb_engine_unheard(e, v, c);
		if (n > 1)
			return move_of(VDB_AGREE, VDB_CPU, c, c + 1);
	}
	return move_of(VDB_DONE, 0, 0, 0);
}

/**
 * vdb_engine_spread - what to do so that the silent ones have the newest bytes
 * @e: the buffer
 * @first: of these chunks
 * @last: the one after the last
 *
 * They ask nobody before they read.
 *
 * Return: as vdb_engine_bring() does.
 */
struct vdb_move vdb_engine_spread(struct vdb_engine *e, unsigned int first,
				  unsigned int last)
{
	struct vdb_move move = { VDB_DONE };
	unsigned int v;

	vdb_engine_settle(e);
	if (vdb_engine_queue_writes(e))
		return move;
	for (v = 0; v < e->nr_views && move.kind == VDB_DONE; v++)
		if (e->views[v].silent)
			move = vdb_engine_bring(e, v, first, last);
	if (move.kind == VDB_DONE)
		move = vdb_engine_agree(e, first, last);
	return move;
}

/*
 * Who alone has written has the newest bytes as well; there is nothing to tell
 * it, and it may be writing more just now.
 */
static void merged(struct vdb_engine *e, const struct vdb_move *move)
{
	unsigned int n = move->last - move->first;

	if (move->writers)
		vdb_engine_newest_is(e, move->writers == 1 ? move->view :
				     VDB_CPU, move->first, n);
	bitmap_set(e->views[VDB_CPU].newest, move->first, n);
	bitmap_clear(e->doubt, move->first, n);
}

/**
 * vdb_engine_did - a move, or the first part of it, has been made
 * @e: the buffer; nothing was told to it since it wanted the move
 * @move: what was done
 */
void vdb_engine_did(struct vdb_engine *e, const struct vdb_move *move)
{
	unsigned int n = move->last - move->first;

	switch (move->kind) {
	case VDB_FETCH:
		bitmap_set(e->views[VDB_CPU].newest, move->first, n);
		break;
	case VDB_FLUSH:
		bitmap_set(e->views[move->view].newest, move->first, n);
		break;
	case VDB_MERGE:
		merged(e, move);
		break;
	case VDB_AGREE:
		bitmap_set(e->agreed, move->first, n);
		break;
	case VDB_DONE:
		break;
	}
}
