// SPDX-License-Identifier: GPL-2.0-only
/*
 * A state of the world: its beginning, in few bytes and one way only, so that
 * it is recognised, and in words.
 */
#include <linux/bitmap.h>
#include <stdio.h>
#include <string.h>

#include "reference.h"

/* Begin with a new buffer, whose bytes are the CPU's. */
void world_begin(const struct config *c)
{
	unsigned int v, i;

	config = *c;
	memset(&engine, 0, sizeof(engine));
	memset(views, 0, sizeof(views));
	memset(newest_bits, 0, sizeof(newest_bits));
	memset(bitmaps, 0, sizeof(bitmaps));
	memset(&now, 0, sizeof(now));
	for (v = 0; v < VIEWS; v++)
		views[v].newest = &newest_bits[v];
	engine.views = views;
	vdb_engine_init(&engine, CHUNKS, bitmaps);
	engine.nr_views = VIEWS;
	for (v = 0; v < PLACES; v++)
		for (i = 0; i < CHUNKS; i++)
			now.bytes[v][i] = v != VDB_CPU;
}

/* Numbers of bytes by where they occur first, as only equality matters. */
static void rename_bytes(void)
{
	unsigned char names[PLACES + 2], next;
	unsigned int c, p;

	for (c = 0; c < CHUNKS; c++) {
		memset(names, 0xff, sizeof(names));
		names[now.newest[c]] = 0;
		next = 1;
		now.newest[c] = 0;
		for (p = 0; p < PLACES; p++) {
			unsigned char *b = &now.bytes[p][c];

			/* What can't be seen does not matter. */
			if (p < VIEWS && p != VDB_CPU && !views[p].devices)
				*b = 0xfe;
			if (p == NOTED && !test_bit(c, engine.agreed))
				*b = 0xfe;
			if (*b == 0xfe) {
				*b = PLACES;
				continue;
			}
			if (names[*b] == 0xff)
				names[*b] = next++;
			*b = names[*b];
		}
	}
}

#define PUT(x) (*to++ = (x))

/* Writes the state down: of a few chunks and agents only. */
void world_save(struct state *state)
{
	unsigned char *to = state->byte;
	unsigned int i, c;

	rename_bytes();
	/* Who won't be asked, unless it writes. */
	for (i = 0; i < VIEWS; i++)
		for (c = 0; c < CHUNKS; c++)
			if (i == VDB_CPU || (engine.closed != (int)i &&
					     !test_bit(c, views[i].newest)))
				now.could[c] &= ~(1 << i);
	/* A promise that nobody asks for. */
	if (bitmap_empty(engine.writable, CHUNKS))
		now.touched = 0;
	memset(state, 0, sizeof(*state));
	for (i = 0; i < VIEWS; i++) {
		PUT(newest_bits[i]);
		PUT(views[i].silent << 4 | views[i].silent_writers);
		PUT(views[i].devices << 4 | views[i].writing);
		PUT(views[i].writers);
	}
	PUT(engine.outside);
	PUT(engine.closed);
	PUT(engine.write_brackets);
	PUT(engine.pinned);
	PUT(engine.mappings);
	for (i = 0; i < VDB_ENGINE_BITMAPS; i++)
		PUT(bitmaps[i]);
	memcpy(to, now.bytes, sizeof(now.bytes));
	to += sizeof(now.bytes);
	for (i = 0; i < CHUNKS; i++) {
		PUT(now.untold[i]);
		PUT(now.unclosed[i]);
		PUT(now.could[i]);
	}
	for (i = 0; i < AGENTS; i++)
		PUT(now.agent[i]);
	PUT(now.held);
	PUT(now.touched);
}

#define GET() (*from++)

/* Makes a state that was written down the present one. */
void world_load(const struct state *state)
{
	const unsigned char *from = state->byte;
	unsigned int i;

	for (i = 0; i < VIEWS; i++) {
		newest_bits[i] = GET();
		views[i].silent = *from >> 4;
		views[i].silent_writers = GET() & 15;
		views[i].devices = *from >> 4;
		views[i].writing = GET() & 15;
		views[i].writers = GET();
	}
	engine.outside = GET();
	engine.closed = (signed char)GET();
	engine.write_brackets = GET();
	engine.pinned = GET();
	engine.mappings = GET();
	for (i = 0; i < VDB_ENGINE_BITMAPS; i++)
		bitmaps[i] = GET();
	memcpy(now.bytes, from, sizeof(now.bytes));
	from += sizeof(now.bytes);
	memset(now.newest, 0, sizeof(now.newest));
	for (i = 0; i < CHUNKS; i++) {
		now.untold[i] = GET();
		now.unclosed[i] = GET();
		now.could[i] = GET();
	}
	for (i = 0; i < AGENTS; i++)
		now.agent[i] = GET();
	now.held = GET();
	now.touched = GET();
}

static const char *place_name(unsigned int p)
{
	static const char *const names[] = { "cpu", "memory" };
	static char private[16];

	if (p < VDB_FIRST_PRIVATE)
		return names[p];
	snprintf(private, sizeof(private), "copy%u", p - VDB_FIRST_PRIVATE);
	return private;
}

/* By chunk: where the newest bytes are, and in [] where the engine says. */
void world_print(void)
{
	unsigned int c, v;

	for (c = 0; c < CHUNKS; c++) {
		printf(" %u:", c);
		for (v = 0; v < VIEWS; v++)
			if (v == VDB_CPU || views[v].devices)
				if (now.bytes[v][c] == now.newest[c])
					printf(" %s", place_name(v));
		printf(" [");
		for (v = 0; v < VIEWS; v++)
			if (test_bit(c, views[v].newest))
				printf(" %s", place_name(v));
		printf(engine.closed < 0 ? " ]" : " ; %s closed ]",
		       place_name(engine.closed));
	}
}
