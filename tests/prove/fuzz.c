// SPDX-License-Identifier: GPL-2.0-only
/*
 * The coherency engine under libFuzzer: more agents and chunks than all
 * sequences of could be explored. The first bytes of an input choose who uses
 * the buffer, each four more are an event; those that the rules don't allow are
 * left out. corpus/ has inputs that reach what has been reached.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void stop(const struct event *event)
{
	fprintf(stderr, "WRONG: %s, when %u does: %s (chunk %u)\n",
		world_wrong(), event->agent, op_names[event->op], event->chunk);
	abort();
}

static void happen(const struct config *config, const unsigned char *data)
{
	struct event event = {
		.agent = data[0] % config->n,
		.op = data[1] % OPS,
		.chunk = data[2] % CHUNKS,
	};
	struct event others[MAX_EVENTS];
	unsigned int n;

	if (event.op < WRITE)
		event.chunk = 0;
	if (!world_allows(&event))
		return;
	/* Something may happen in the middle of it. */
	n = data[3] & 0x80 ? world_meanwhile(&event, others) : 0;
	if (n) {
		event.who = others[data[3] % n].agent;
		event.what = others[data[3] % n].op;
		event.where = others[data[3] % n].chunk;
		event.when = 1 + data[2] % 32;
	}
	world_do(&event);
	if (world_wrong())
		stop(&event);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct config config = { .n = AGENTS };
	unsigned int i, vmaps = 0;

	if (size < AGENTS + 1)
		return 0;
	for (i = 0; i < AGENTS; i++) {
		config.kind[i] = data[i] % KINDS;
		vmaps += config.kind[i] == VMAP;
		if (vmaps > 1 && config.kind[i] == VMAP)
			config.kind[i] = BRACKET;
	}
	config.hurried = data[AGENTS] & 1;
	world_begin(&config);
	for (i = AGENTS + 1; i + 4 <= size; i += 4)
		happen(&config, data + i);
	return 0;
}
