/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who has the newest bytes of a buffer, and who may be writing now: a state
 * machine without locks, pages or devices. engine.c tells how it thinks,
 * moves.c what to copy; tests/prove explores both in user space.
 */
#ifndef VDB_ENGINE_H
#define VDB_ENGINE_H

#include <linux/types.h>

/* The first two of a buffer's views are always there; private copies follow. */
enum {
	VDB_CPU,
	VDB_MEMORY,
	VDB_FIRST_PRIVATE,
};

/**
 * struct vdb_view - a place where a buffer's bytes can be
 * @newest: chunks of which it has the newest bytes
 * @devices: mapped through it
 * @writers: those of them that may write, and whose bytes can be fetched
 * @silent: those of them that tell nobody when they read or write
 * @silent_writers: those of them that may write
 * @writing: open epochs of queues that write through it, each to all chunks
 */
struct vdb_view {
	unsigned long *newest;
	unsigned int devices;
	unsigned int writers;
	unsigned int silent;
	unsigned int silent_writers;
	unsigned int writing;
};

/**
 * struct vdb_engine - the state of a buffer
 * @nr_chunks: how many pieces it is tracked by
 * @nr_views: in @views
 * @views: see above
 * @outside: devices mapped through any view but the CPU's; where there are
 *	none nobody can see anything but the CPU's bytes
 * @closed: the view through which a queue has just written, which the
 *	directory does not show yet; -1 for none
 * @write_brackets: CPU accesses that have begun, may write and have not ended
 * @mappings: through which their users write unnoticed: kernel mappings, and
 *	those of processes whose page table entries are left alone
 * @pinned: pages are held by somebody who may read and write them unnoticed
 * @entries: chunks with page table entries in some process
 * @writable: those of them that are written through
 * @suspect: those of them that may be, and nobody is told: of real pages
 * @agreed: chunks of which the agreed bytes were noted (VDB_AGREE)
 * @doubt: chunks of which several silent ones may have written some
 */
struct vdb_engine {
	unsigned int nr_chunks;
	unsigned int nr_views;
	struct vdb_view *views;
	unsigned int outside;
	int closed;
	unsigned int write_brackets;
	unsigned int mappings;
	bool pinned;
	unsigned long *entries;
	unsigned long *writable;
	unsigned long *suspect;
	unsigned long *agreed;
	unsigned long *doubt;
};

/**
 * enum vdb_move_kind - what the engine wants done with some chunks
 * @VDB_DONE: nothing more
 * @VDB_FETCH: copy them from a view to the CPU's
 * @VDB_FLUSH: copy them from the CPU's view to another
 * @VDB_MERGE: into the CPU's view goes what in any view of
 *	vdb_engine_heard() differs from the noted bytes
 * @VDB_AGREE: note the CPU's bytes, for a later VDB_MERGE
 */
enum vdb_move_kind {
	VDB_DONE,
	VDB_FETCH,
	VDB_FLUSH,
	VDB_MERGE,
	VDB_AGREE,
};

/**
 * struct vdb_move - one thing to do
 * @kind: what
 * @view: from which, or to which
 * @first: the first chunk
 * @last: the one after the last
 * @writers: for vdb_engine_did() after VDB_MERGE: how many views had bytes that
 *	differed from the noted ones; if it is one, @view says which
 */
struct vdb_move {
	enum vdb_move_kind kind;
	unsigned int view;
	unsigned int first;
	unsigned int last;
	unsigned int writers;
};

/* How many bitmaps of nr_chunks it needs beside one a view. */
#define VDB_ENGINE_BITMAPS 5

/* engine.c */
void vdb_engine_init(struct vdb_engine *e, unsigned int nr_chunks,
		     unsigned long *bitmaps);
void vdb_engine_map(struct vdb_engine *e, unsigned int view, bool silent,
		    bool writes);
void vdb_engine_unmap(struct vdb_engine *e, unsigned int view, bool silent,
		      bool writes);
void vdb_engine_open(struct vdb_engine *e, unsigned int view);
void vdb_engine_close(struct vdb_engine *e, unsigned int view, bool wrote);
void vdb_engine_begin(struct vdb_engine *e, bool writes);
void vdb_engine_end(struct vdb_engine *e, bool writes);
void vdb_engine_wrote(struct vdb_engine *e);
void vdb_engine_add_mapping(struct vdb_engine *e);
void vdb_engine_del_mapping(struct vdb_engine *e);
void vdb_engine_abandon(struct vdb_engine *e);
void vdb_engine_enter(struct vdb_engine *e, unsigned int chunk,
		      bool unnoticed);
void vdb_engine_write(struct vdb_engine *e, unsigned int chunk);
void vdb_engine_revoke(struct vdb_engine *e, bool wrote);
void vdb_engine_pin(struct vdb_engine *e, bool pinned);
void vdb_engine_hear(struct vdb_engine *e, unsigned int first,
		     unsigned int last);
bool vdb_engine_heard(const struct vdb_engine *e, unsigned int view,
		      unsigned int chunk);
unsigned int vdb_engine_silent_views(const struct vdb_engine *e);
bool vdb_engine_outdated_entries(struct vdb_engine *e);

/* ... which moves.c asks */
void vdb_engine_settle(struct vdb_engine *e);
bool vdb_engine_queue_writes(const struct vdb_engine *e);
bool vdb_engine_unheard(const struct vdb_engine *e, unsigned int view,
			unsigned int chunk);
void vdb_engine_newest_is(struct vdb_engine *e, unsigned int view,
			  unsigned int first, unsigned int n);

/* moves.c */
struct vdb_move vdb_engine_bring(struct vdb_engine *e, unsigned int view,
				 unsigned int first, unsigned int last);
struct vdb_move vdb_engine_rescue(struct vdb_engine *e, unsigned int view,
				  bool writes);
struct vdb_move vdb_engine_agree(struct vdb_engine *e, unsigned int first,
				 unsigned int last);
struct vdb_move vdb_engine_spread(struct vdb_engine *e, unsigned int first,
				  unsigned int last);
void vdb_engine_did(struct vdb_engine *e, const struct vdb_move *move);

#endif
