// SPDX-License-Identifier: GPL-2.0-only
/*
 * The world of the random test: who may do what, and what they must read then.
 */
#include <kunit/test-bug.h>
#include <kunit/test.h>
#include <linux/dma-buf.h>
#include <linux/prandom.h>
#include <linux/uaccess.h>

#include "vivid-ext/bus/view.h"
#include "world.h"

/* An event, for the case that something goes wrong. */
void world_note(struct world *w, const char *what, const char *who,
		unsigned int number)
{
	unsigned int i = w->events++ % ARRAY_SIZE(w->log);

	w->log[i].what = what;
	w->log[i].who = who;
	w->log[i].number = number;
}

void world_show_log(struct world *w)
{
	unsigned int n = min_t(unsigned int, w->events, ARRAY_SIZE(w->log));

	for (; n; n--) {
		unsigned int i = (w->events - n) % ARRAY_SIZE(w->log);

		kunit_err(w->test, "%s %s %u\n", w->log[i].who,
			  w->log[i].what, w->log[i].number);
	}
}

const char *world_name_of(const struct agent *a)
{
	return a->d.dev ? dev_name(a->d.dev) : "cpu-queue";
}

unsigned int world_chance(struct world *w, unsigned int n)
{
	return prandom_u32_state(&w->rnd) % n;
}

/* Bounce buffers, which no bus here has: of these devices both are ours. */

static struct agent *agent_of(struct world *w, struct vdb_attachment *att)
{
	unsigned int i;

	for (i = 0; i < DEVICES - 1; i++)
		if (w->agents[i].d.dev == att->dev)
			break;
	return &w->agents[i];
}

enum vdb_view_kind world_fake_kind(struct vdb_attachment *att)
{
	struct world *w = kunit_get_current_test()->priv;

	switch (agent_of(w, att)->view) {
	case CPU:
		return VDB_VIEW_CPU;
	case MEMORY:
		return VDB_VIEW_MEMORY;
	default:
		return VDB_VIEW_PRIVATE;
	}
}

void world_copy_pages(struct vdb_buffer *buf, u8 *copy, size_t at, size_t len,
		      bool from_copy)
{
	while (len) {
		u8 *page = page_address(buf->storage.pages[at >> PAGE_SHIFT]);
		size_t n = min(len, PAGE_SIZE - offset_in_page(at));

		if (from_copy)
			memcpy(page + offset_in_page(at), copy + at, n);
		else
			memcpy(copy + at, page + offset_in_page(at), n);
		at += n;
		len -= n;
	}
}

void world_fake_run(struct vdb_attachment *att, size_t offset, dma_addr_t addr,
		    size_t len, bool for_cpu)
{
	struct world *w = kunit_get_current_test()->priv;
	struct agent *a = agent_of(w, att);

	if (a->copy)
		world_copy_pages(att->buf, a->copy, offset, len, for_cpu);
	else if (for_cpu)
		dma_sync_single_for_cpu(att->dev, addr, len, att->dma_dir);
	else
		dma_sync_single_for_device(att->dev, addr, len, att->dma_dir);
}

/* Who may do what. */

bool world_any_queue(struct world *w, bool reading)
{
	unsigned int i;

	for (i = 0; i <= DEVICES; i++) {
		enum state s = i < DEVICES ? w->agents[i].state :
					     w->frames.state;

		if (s == OPEN_WRITE || s == UNDELIVERED ||
		    (reading && s == OPEN_READ))
			return true;
	}
	return false;
}

bool world_any_bracket(struct world *w, unsigned int least)
{
	unsigned int i;

	for (i = 0; i < BRACKETS; i++)
		if (w->brackets[i] >= least)
			return true;
	return false;
}

static bool any_importer(struct world *w)
{
	unsigned int i;

	for (i = 0; i < DEVICES; i++)
		if (!w->agents[i].queue && w->agents[i].state != GONE)
			return true;
	return false;
}

static bool silent_may_read(struct world *w, enum place view, unsigned int c)
{
	return !world_any_queue(w, false) && !w->unclosed[c] &&
	       !world_any_bracket(w, 2) &&
	       (!w->untold[c] || w->untold[c] == view + 1);
}

static bool silent_may_write(struct world *w, enum place view, unsigned int c)
{
	return silent_may_read(w, view, c) && !world_any_queue(w, true) &&
	       !world_any_bracket(w, 1);
}

bool world_unbracketed_ok(struct world *w)
{
	return !world_any_queue(w, false) && !world_any_bracket(w, 1) &&
	       !any_importer(w);
}

bool world_device_may_read(struct world *w, struct agent *a, unsigned int c)
{
	if (a->queue)
		return a->state == OPEN_READ || a->state == OPEN_WRITE;
	return a->state != GONE && silent_may_read(w, a->view, c);
}

bool world_device_may_write(struct world *w, struct agent *a, unsigned int c)
{
	if (a->queue)
		return a->state == OPEN_WRITE;
	return a->state == MAPPED_RW && silent_may_write(w, a->view, c);
}

/* Bytes. */

static size_t chunk_len(unsigned int c)
{
	return min_t(size_t, VDB_CHUNK_SIZE, SIZE - c * VDB_CHUNK_SIZE);
}

void world_device_io(struct world *w, struct agent *a, size_t at, u8 *bytes,
		     size_t len, bool write)
{
	enum dma_data_direction dir = write ? DMA_FROM_DEVICE : DMA_TO_DEVICE;
	u8 *there = a->copy ?: vivid_ext_view_addr(a->window);

	if (!a->copy && vivid_ext_view_begin(a->window, dir))
		KUNIT_FAIL(w->test, "%s finds nothing", dev_name(a->d.dev));
	if (write)
		memcpy(there + at, bytes, len);
	else
		memcpy(bytes, there + at, len);
	if (!a->copy)
		vivid_ext_view_end(a->window, dir);
}

/* Some bytes of a chunk. Return: how many. */
size_t world_new_range(struct world *w, unsigned int c, size_t *at)
{
	size_t from = world_chance(w, chunk_len(c));

	*at = c * VDB_CHUNK_SIZE + from;
	return 1 + world_chance(w, min_t(size_t, 3000, chunk_len(c) - from));
}

/* They change, in the reference. */
void world_change(struct world *w, size_t at, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		w->newest[at + i] ^= 1 + world_chance(w, 255);
}

size_t world_new_bytes(struct world *w, unsigned int c, size_t *at)
{
	size_t len = world_new_range(w, c, at);

	world_change(w, *at, len);
	return len;
}

static bool same(struct world *w, unsigned int c, const char *who)
{
	size_t at = c * VDB_CHUNK_SIZE;

	if (!memcmp(w->got, w->newest + at, chunk_len(c)))
		return true;
	KUNIT_FAIL(w->test, "%s reads old bytes of chunk %u\n", who, c);
	return false;
}

bool world_check_device(struct world *w, struct agent *a, unsigned int c)
{
	if (!world_device_may_read(w, a, c))
		return true;
	world_device_io(w, a, c * VDB_CHUNK_SIZE, w->got, chunk_len(c), false);
	return same(w, c, dev_name(a->d.dev));
}

bool world_check_cpu(struct world *w, unsigned int c)
{
	size_t at = c * VDB_CHUNK_SIZE;

	if (w->vaddr && world_any_bracket(w, 1) && !world_any_queue(w, false)) {
		memcpy(w->got, w->vaddr + at, chunk_len(c));
		if (!same(w, c, "the kernel"))
			return false;
	}
	if (w->frames.state == OPEN_READ) {
		world_copy_pages(w->buf, w->got - at, at, chunk_len(c), false);
		if (!same(w, c, "a queue's CPU"))
			return false;
	}
	if (world_unbracketed_ok(w) ||
	    (world_any_bracket(w, 1) && !world_any_queue(w, false))) {
		if (copy_from_user(w->got, (void __user *)(w->user + at),
				   chunk_len(c))) {
			KUNIT_FAIL(w->test, "a process can't read");
			return false;
		}
		return same(w, c, "a process");
	}
	return true;
}

bool world_check_all(struct world *w)
{
	unsigned int i, c;

	for (c = 0; c < CHUNKS; c++) {
		for (i = 0; i < DEVICES; i++)
			if (!world_check_device(w, &w->agents[i], c))
				return false;
		if (!world_check_cpu(w, c))
			return false;
	}
	return true;
}
