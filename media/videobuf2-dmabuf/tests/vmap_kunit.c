// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the kernel's mapping of a buffer, which its users share.
 */
#include <kunit/test.h>
#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/iosys-map.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>

#include "kunit.h"
#include "watch.h"

#define PAGES (2 * VDB_CHUNK_PAGES + 1)
#define SIZE (PAGES * PAGE_SIZE)

static bool shows_all(struct vdb_buffer *buf, u8 *vaddr)
{
	unsigned int i;
	bool ok = true;

	for (i = 0; i < PAGES; i++) {
		u8 *page = page_address(buf->storage.pages[i]);

		page[i] = 0x50 + i;
		ok &= vaddr[i * PAGE_SIZE + i] == 0x50 + i;
	}
	return ok;
}

/* Of one block, or of pages that lie anywhere. */
static void kernel_mappings(struct kunit *test)
{
	unsigned int scattered, i;

	for (scattered = 0; scattered < 4; scattered++) {
		struct vdb_buffer *buf;
		u8 *vaddr;

		buf = vdb_buffer_create(NULL, SIZE, 0, true, VDB_POLICY_AUTO);
		KUNIT_ASSERT_FALSE(test, IS_ERR(buf));
		if (scattered)
			swap(buf->storage.pages[0],
			     buf->storage.pages[scattered * 8 + 8]);
		vdb_watch(test);
		vaddr = vdb_mapping_vmap(buf, false);
		KUNIT_ASSERT_NOT_NULL(test, vaddr);
		KUNIT_EXPECT_EQ(test, is_vmalloc_addr(vaddr), !!scattered);
		KUNIT_EXPECT_TRUE(test, shows_all(buf, vaddr));
		for (i = 2; i < 4; i++) {
			KUNIT_EXPECT_PTR_EQ(test, vdb_mapping_vmap(buf, i & 1),
					    (void *)vaddr);
			KUNIT_EXPECT_EQ(test, buf->vmaps, i);
		}
		KUNIT_EXPECT_EQ(test, buf->engine.mappings, 1);
		EXPECT_STATS(test, [VDB_VMAPS] = 3);
		for (i = 3; i; i--) {
			KUNIT_EXPECT_PTR_EQ(test, buf->vaddr, (void *)vaddr);
			vdb_mapping_vunmap(buf, i == 2);
			KUNIT_EXPECT_EQ(test, buf->vmaps, i - 1);
			KUNIT_EXPECT_EQ(test, buf->engine.mappings, i > 2);
		}
		KUNIT_EXPECT_NULL(test, buf->vaddr);
		EXPECT_STATS(test, 0);
		dma_buf_put(buf->dbuf);
	}
}

/* Whoever maps the dma-buf has brackets. */
static void importers_map_it(struct kunit *test)
{
	struct vdb_buffer *buf;
	struct iosys_map map;

	buf = vdb_buffer_create(NULL, SIZE, 0, false, VDB_POLICY_AUTO);
	KUNIT_ASSERT_FALSE(test, IS_ERR(buf));
	KUNIT_ASSERT_EQ(test, vdb_dma_buf_vmap(buf->dbuf, &map), 0);
	KUNIT_EXPECT_FALSE(test, map.is_iomem);
	KUNIT_EXPECT_PTR_EQ(test, map.vaddr, buf->vaddr);
	KUNIT_EXPECT_TRUE(test, shows_all(buf, map.vaddr));
	KUNIT_EXPECT_EQ(test, buf->engine.mappings, 1);
	vdb_dma_buf_vunmap(buf->dbuf, &map);
	KUNIT_EXPECT_EQ(test, buf->engine.mappings, 0);
	KUNIT_EXPECT_EQ(test, buf->vmaps, 0);
	dma_buf_put(buf->dbuf);
}

#ifdef CONFIG_FAULT_INJECTION
static void kernel_mappings_may_fail(struct kunit *test)
{
	struct vdb_buffer *buf;
	void *vaddr;

	buf = vdb_buffer_create(NULL, SIZE, 0, true, VDB_POLICY_AUTO);
	KUNIT_ASSERT_FALSE(test, IS_ERR(buf));
	swap(buf->storage.pages[0], buf->storage.pages[1]);
	vdb_watch(test);
	current->fail_nth = 1;
	vaddr = vdb_mapping_vmap(buf, true);
	current->fail_nth = 0;
	KUNIT_EXPECT_NULL(test, vaddr);
	KUNIT_EXPECT_EQ(test, buf->vmaps, 0);
	KUNIT_EXPECT_EQ(test, buf->engine.mappings, 0);
	EXPECT_STATS(test, 0);
	dma_buf_put(buf->dbuf);
}
#else
static void kernel_mappings_may_fail(struct kunit *test)
{
	kunit_skip(test, "the kernel can't inject faults");
}
#endif

static struct kunit_case vmap_cases[] = {
	KUNIT_CASE(kernel_mappings),
	KUNIT_CASE(importers_map_it),
	KUNIT_CASE(kernel_mappings_may_fail),
	{}
};

static struct kunit_suite vmap_suite = {
	.name = "videobuf2-dmabuf-vmap",
	.test_cases = vmap_cases,
};

kunit_test_suite(vmap_suite);
