/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What tests want to know by value: what was synchronised and counted.
 */
#ifndef VDB_WATCH_H
#define VDB_WATCH_H

#include <kunit/test.h>

#include "internal.h"

void vdb_watch(struct kunit *test);
const char *vdb_watch_moves(void);
void vdb_watch_counted(struct kunit *test, const s64 *wanted, int line);

/* Since vdb_watch(), or since the last time somebody looked ... */

/* ... just this was synchronised, as vdb_watch_moves() writes it. */
#define EXPECT_MOVES(test, wanted) \
	KUNIT_EXPECT_STREQ(test, vdb_watch_moves(), wanted)

/* ... just these statistics have changed by so much: [VDB_MAPS] = 1, ... */
#define EXPECT_STATS(test, ...)					\
	do {								\
		const s64 wanted[VDB_STATS] = { __VA_ARGS__ };		\
									\
		vdb_watch_counted(test, wanted, __LINE__);		\
	} while (0)

#endif
