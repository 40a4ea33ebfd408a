// SPDX-License-Identifier: GPL-2.0-only
/*
 * Takes processes' page table entries away, so that they can't look at a buffer
 * without being noticed.
 *
 * All user mappings, made through the V4L2 node or the dma-buf, belong to the
 * dma-buf's inode: one call reaches them all. Entries come back by page faults
 * (mapping.c), which wait for vdb_buffer.lock: a fault comes either before the
 * shoot-down and is undone, or after it.
 */
#include <linux/fs.h>
#include <linux/mm.h>

#include "internal.h"
#include "trace.h"

/* Somebody has references to pages beside ours (O_DIRECT, io_uring, vmsplice). */
static bool pages_are_held(const struct vdb_storage *st)
{
	unsigned int i;

	for (i = 0; i < st->nr_pages; i++)
		if (page_count(st->pages[i]) > 1)
			return true;
	return false;
}

/**
 * vdb_shootdown - take all user mappings' entries away
 * @buf: the buffer
 *
 * Context: process; vdb_buffer.lock held; may sleep.
 * Return: whether pages are held by somebody, who is not to be stopped so.
 */
bool vdb_shootdown(struct vdb_buffer *buf)
{
	lockdep_assert_held(&buf->lock);
	if (buf->shown) {
		unmap_mapping_range(buf->dbuf->file->f_mapping, 0, 0, 1);
		buf->shown = false;
		vdb_stat_add(VDB_SHOOTDOWNS, 1);
		trace_vdb_shootdown(buf);
	}
	if (!buf->real_pages)
		return false;
	if (pages_are_held(&buf->storage))
		return true;
	/* Nobody has them, and nobody can get hold of them. */
	buf->real_pages = buf->user_mappings;
	return false;
}
