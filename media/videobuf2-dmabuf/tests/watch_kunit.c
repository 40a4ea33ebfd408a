// SPDX-License-Identifier: GPL-2.0-only
/*
 * What tests want to know by value: what was synchronised and counted.
 */
#include <kunit/test.h>
#include <linux/device.h>
#include <linux/file.h>
#include <linux/string.h>

#include "internal.h"
#include "trace.h"
#include "watch.h"

/* What was synchronised and counted since the test has looked. */
static char moves[2][512];
static unsigned int writing_to;
static bool watching;
static s64 counted[VDB_STATS];

static void note_move(void *data, const struct vdb_attachment *att, size_t from,
		      size_t to, bool for_cpu)
{
	const char *name = dev_name(att->dev);
	char *text = moves[writing_to];
	size_t used = strlen(text);

	scnprintf(text + used, sizeof(moves[0]) - used, "%s%s%c%zu-%zu",
		  used ? " " : "", name + strlen(name) - 1,
		  for_cpu ? '<' : '>', from >> PAGE_SHIFT, to >> PAGE_SHIFT);
}

static void stop_watching(void *data)
{
	unregister_trace_vdb_sync(note_move, NULL);
	tracepoint_synchronize_unregister();
	watching = false;
}

/**
 * vdb_watch - look at what is synchronised and counted from now on
 * @test: until its end
 *
 * Buffers of before, whose files a work closes, are gone then.
 */
void vdb_watch(struct kunit *test)
{
	unsigned int i;

	flush_delayed_fput();
	moves[0][0] = '\0';
	moves[1][0] = '\0';
	for (i = 0; i < VDB_STATS; i++)
		counted[i] = vdb_stat_read(i);
	if (watching)
		return;
	KUNIT_ASSERT_EQ(test, register_trace_vdb_sync(note_move, NULL), 0);
	watching = true;
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, stop_watching,
							NULL), 0);
}

/**
 * vdb_watch_moves - what was synchronised since it was asked last
 *
 * Return: for each synchronisation the last letter of the device's name, "<" for
 * the CPU or ">" for the device, and the first page and the one after the last:
 * "a<0-16 b>16-17". It is there until it is asked again.
 */
const char *vdb_watch_moves(void)
{
	const char *text = moves[writing_to];

	writing_to ^= 1;
	moves[writing_to][0] = '\0';
	return text;
}

/**
 * vdb_watch_counted - statistics have changed as wanted since it was asked last
 * @test: the test
 * @wanted: by how much, each of them
 * @line: where this is wanted
 */
void vdb_watch_counted(struct kunit *test, const s64 *wanted, int line)
{
	unsigned int i;

	for (i = 0; i < VDB_STATS; i++) {
		s64 now = vdb_stat_read(i);

		KUNIT_EXPECT_EQ_MSG(test, now - counted[i], wanted[i],
				    "line %d: statistic %u", line, i);
		counted[i] = now;
	}
}
