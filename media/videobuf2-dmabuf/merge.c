// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which of several has written what, told apart by the bytes: devices that say
 * nothing, and who holds pages, may each have written a part of a chunk. What
 * differs from the bytes that all had in common before was written.
 */
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "internal.h"

static size_t chunk_bytes(const struct vdb_buffer *buf, unsigned int chunk)
{
	return min_t(size_t, VDB_CHUNK_SIZE,
		     buf->size - chunk * VDB_CHUNK_SIZE);
}

/* The bytes that were noted of a chunk, and room for one behind them all. */
static u8 *noted(const struct vdb_buffer *buf, unsigned int chunk)
{
	return buf->noted + chunk * VDB_CHUNK_SIZE;
}

static u8 *room(const struct vdb_buffer *buf)
{
	return buf->noted + buf->size;
}

/**
 * vdb_merge_init - make room for bytes to be noted
 * @buf: the buffer
 *
 * It is kept as long as the buffer.
 *
 * Context: process; may sleep; vdb_buffer.lock held.
 * Return: 0 or -ENOMEM.
 */
int vdb_merge_init(struct vdb_buffer *buf)
{
	if (!buf->noted)
		buf->noted = kvmalloc(buf->size + VDB_CHUNK_SIZE,
				      GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	return buf->noted ? 0 : -ENOMEM;
}

/**
 * vdb_merge_note - note the CPU's bytes of a chunk (VDB_AGREE)
 * @buf: the buffer
 * @chunk: which chunk
 *
 * Context: any; vdb_buffer.state_lock held.
 */
void vdb_merge_note(struct vdb_buffer *buf, unsigned int chunk)
{
	struct page **page = &buf->storage.pages[chunk * VDB_CHUNK_PAGES];
	size_t len = chunk_bytes(buf, chunk), at;

	for (at = 0; at < len; at += PAGE_SIZE)
		memcpy_from_page(noted(buf, chunk) + at, *page++, 0, PAGE_SIZE);
}

/*
 * What differs from what was noted goes where the result is collected; whether
 * anything does.
 */
static bool collect(struct vdb_buffer *buf, unsigned int chunk)
{
	struct page **page = &buf->storage.pages[chunk * VDB_CHUNK_PAGES];
	const u8 *before = noted(buf, chunk);
	size_t len = chunk_bytes(buf, chunk), at, i;
	u8 *result = room(buf);
	bool wrote = false;

	for (at = 0; at < len; at += PAGE_SIZE) {
		const u8 *now = kmap_local_page(*page++);
		bool same = !memcmp(now, before + at, PAGE_SIZE);

		for (i = 0; i < PAGE_SIZE && !same; i++)
			if (now[i] != before[at + i])
				result[at + i] = now[i];
		kunmap_local(now);
		wrote |= !same;
	}
	return wrote;
}

static void note_writer(struct vdb_move *move, unsigned int view)
{
	move->view = view;
	move->writers++;
}

/**
 * vdb_merge - what anybody has written to a chunk becomes the CPU's (VDB_MERGE)
 * @buf: the buffer
 * @move: which chunk; gets who has written
 *
 * Context: any; vdb_buffer.state_lock held.
 */
void vdb_merge(struct vdb_buffer *buf, struct vdb_move *move)
{
	unsigned int chunk = move->first, view;
	struct page **page = &buf->storage.pages[chunk * VDB_CHUNK_PAGES];
	size_t len = chunk_bytes(buf, chunk), at;
	struct vdb_attachment *att;

	memcpy(room(buf), noted(buf, chunk), len);
	if (vdb_engine_heard(&buf->engine, VDB_CPU, chunk) &&
	    collect(buf, chunk))
		note_writer(move, VDB_CPU);
	for (view = VDB_MEMORY; view < buf->engine.nr_views; view++) {
		att = vdb_views_device(buf, view, true);
		if (!att || !vdb_engine_heard(&buf->engine, view, chunk))
			continue;
		at = chunk * VDB_CHUNK_SIZE;
		vdb_sync(att, at, at + len, true);
		if (collect(buf, chunk))
			note_writer(move, view);
	}
	for (at = 0; at < len; at += PAGE_SIZE)
		memcpy_to_page(*page++, 0, room(buf) + at, PAGE_SIZE);
}
