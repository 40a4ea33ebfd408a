/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A process that has a buffer mapped twice, for the suites that need one.
 */
#ifndef VDB_PROCESS_H
#define VDB_PROCESS_H

#include "kunit.h"

/* Three chunks, the last of them one page. */
#define PAGES (2 * VDB_CHUNK_PAGES + 1)
#define SIZE (PAGES * PAGE_SIZE)
/* Where the second mapping begins. */
#define OFFSET 3

/**
 * struct vdb_process - what each test begins with
 * @buf: a buffer
 * @d: a queue's device, mapped
 * @view: the buffer, to be read only
 * @addr: all of it in the address space of the test, to be read and written
 * @view_addr: the same from page OFFSET on, by @view
 */
struct vdb_process {
	struct vdb_buffer *buf;
	struct vdb_kunit_device d;
	struct dma_buf *view;
	unsigned long addr;
	unsigned long view_addr;
};

void vdb_process_begin(struct kunit *test, enum vdb_kunit_bus bus,
		       enum vdb_policy policy);
void vdb_process_finish(void);
int vdb_user_read(unsigned long addr);
int vdb_user_write(unsigned long addr, u8 value);
bool vdb_user_sees(unsigned long addr);
bool vdb_user_writes(unsigned long addr);
const char *vdb_process_entries(void);
const char *vdb_process_view_entries(void);
unsigned int vdb_process_count(struct vdb_process *f);
void vdb_process_touch(struct kunit *test);
int vdb_process_set_up(struct kunit *test);
void vdb_process_tear_down(struct kunit *test);

/* The page table by value, as vdb_process_entries() writes it. */
#define EXPECT_ENTRIES(test, wanted) \
	KUNIT_EXPECT_STREQ(test, vdb_process_entries(), wanted)

/* Those of the second mapping. */
#define EXPECT_VIEW_ENTRIES(test, wanted) \
	KUNIT_EXPECT_STREQ(test, vdb_process_view_entries(), wanted)

#endif
