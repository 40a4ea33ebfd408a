// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of processes' mappings: bytes are up to date before a page shows them,
 * and a shoot-down takes every page away.
 */
#include <kunit/test.h>
#include <linux/bitmap.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/kthread.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/uaccess.h>

#include "process.h"
#include "trace.h"

/**
 * struct watch - what a page shows while its bytes are being fetched
 * @addr: the page
 * @syncs: how often they were
 * @early: the page was to be seen already
 */
struct watch {
	unsigned long addr;
	unsigned int syncs;
	bool early;
};

static void watch_sync(void *data, const struct vdb_attachment *att,
		       size_t from, size_t to, bool for_cpu)
{
	struct watch *watch = data;

	if (!for_cpu)
		return;
	watch->syncs++;
	watch->early |= vdb_user_sees(watch->addr);
}

/* Otherwise another thread could see the old ones. */
static void bytes_come_before_the_page(struct kunit *test)
{
	struct vdb_process *f = test->priv;
	struct watch watch = { };
	unsigned int i;
	int ret;

	vdb_process_begin(test, VDB_KUNIT_NONCOHERENT, VDB_POLICY_AUTO);
	vdb_process_touch(test);
	vdb_kunit_frame(test, &f->d, 0x22);
	KUNIT_ASSERT_EQ(test, vdb_process_count(f), 0);

	ret = register_trace_vdb_sync(watch_sync, &watch);
	KUNIT_ASSERT_EQ(test, ret, 0);
	for (i = 0; i < PAGES; i += VDB_CHUNK_PAGES) {
		watch.addr = f->addr + i * PAGE_SIZE;
		KUNIT_EXPECT_EQ(test, vdb_user_read(watch.addr), 0x22);
	}
	unregister_trace_vdb_sync(watch_sync, &watch);
	tracepoint_synchronize_unregister();
	KUNIT_EXPECT_EQ(test, watch.syncs, 3);
	KUNIT_EXPECT_FALSE(test, watch.early);
	vdb_process_finish();
}

/* In all mappings, whoever takes the buffer. */
static void every_page_is_taken_away(struct kunit *test)
{
	struct vdb_process *f = test->priv;
	struct vdb_kunit_device other;
	struct device *dev;

	vdb_process_begin(test, VDB_KUNIT_NONCOHERENT, VDB_POLICY_AUTO);
	vdb_process_touch(test);
	vdb_coherency_queue(f->d.own, true);
	KUNIT_EXPECT_EQ(test, vdb_process_count(f), 0);
	vdb_coherency_done(f->d.own, true);
	vdb_coherency_deliver(f->buf, false);

	vdb_process_touch(test);
	dma_buf_begin_cpu_access(f->buf->dbuf, DMA_TO_DEVICE);
	dma_buf_end_cpu_access(f->buf->dbuf, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, vdb_process_count(f), 0);

	vdb_process_touch(test);
	dev = vdb_kunit_add_device(test, "other", VDB_KUNIT_NONCOHERENT_IOMMU);
	KUNIT_ASSERT_EQ(test, vdb_kunit_map(&other, f->buf, dev,
					    DMA_TO_DEVICE), 0);
	KUNIT_EXPECT_EQ(test, vdb_process_count(f), 0);
	vdb_kunit_unmap(&other, DMA_TO_DEVICE);
	vdb_process_finish();
}

/* What a process sees of a frame that is not done is taken away again. */
static void pages_that_came_back_are_taken_away(struct kunit *test)
{
	struct vdb_process *f = test->priv;

	vdb_process_begin(test, VDB_KUNIT_NONCOHERENT, VDB_POLICY_AUTO);
	vdb_coherency_queue(f->d.own, true);
	KUNIT_EXPECT_NE(test, vdb_user_read(f->addr), 0x22);
	vdb_kunit_write(test, &f->d, 0x22);
	vdb_coherency_done(f->d.own, true);
	vdb_coherency_deliver(f->buf, false);
	KUNIT_EXPECT_FALSE(test, vdb_user_sees(f->addr));
	KUNIT_EXPECT_EQ(test, vdb_user_read(f->addr), 0x22);

	/* Or shows the frame, where the driver does not say when it delivers. */
	vdb_coherency_queue(f->d.own, true);
	KUNIT_EXPECT_NE(test, vdb_user_read(f->addr), 0x33);
	vdb_kunit_write(test, &f->d, 0x33);
	vdb_coherency_done(f->d.own, true);
	vdb_coherency_deliver_now(f->buf, false);
	KUNIT_EXPECT_TRUE(test, vdb_user_sees(f->addr));
	KUNIT_EXPECT_EQ(test, vdb_user_read(f->addr), 0x33);
	vdb_process_finish();
}

static void first_write_is_noticed(struct kunit *test)
{
	struct vdb_process *f = test->priv;

	vdb_process_begin(test, VDB_KUNIT_NONCOHERENT, VDB_POLICY_AUTO);
	vdb_kunit_frame(test, &f->d, 0x22);
	vdb_process_touch(test);
	KUNIT_EXPECT_TRUE(test, bitmap_empty(f->buf->engine.writable, 3));
	KUNIT_EXPECT_EQ(test, vdb_user_write(f->addr + SIZE - 1, 0x33), 0);
	KUNIT_EXPECT_EQ(test, bitmap_weight(f->buf->engine.writable, 3), 1);
	KUNIT_EXPECT_TRUE(test, test_bit(2, f->buf->engine.writable));
	KUNIT_EXPECT_EQ(test, vdb_user_read(f->view_addr + SIZE - 1 -
					OFFSET * PAGE_SIZE), 0x33);
	KUNIT_EXPECT_EQ(test, vdb_user_write(f->view_addr, 0x33), -EFAULT);
	vdb_process_finish();
}

/* A whole chunk can be written after one fault, whether it was read before. */
static void chunks_become_writable_at_once(struct kunit *test)
{
	struct vdb_process *f = test->priv;
	unsigned int i;

	vdb_process_begin(test, VDB_KUNIT_NONCOHERENT, VDB_POLICY_AUTO);
	vdb_user_read(f->addr);
	for (i = 0; i < 2; i++) {
		size_t at = i * VDB_CHUNK_SIZE;

		KUNIT_EXPECT_FALSE(test, vdb_user_writes(f->addr + at +
							 PAGE_SIZE));
		KUNIT_EXPECT_EQ(test, vdb_user_write(f->addr + at, 0x33), 0);
		KUNIT_EXPECT_TRUE(test, vdb_user_writes(f->addr + at +
							PAGE_SIZE));
		KUNIT_EXPECT_TRUE(test, vdb_user_writes(f->addr + at +
						   VDB_CHUNK_SIZE - 1));
	}
	KUNIT_EXPECT_FALSE(test, vdb_user_sees(f->addr + 2 * VDB_CHUNK_SIZE));
	vdb_coherency_queue(f->d.own, true);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read_byte(test, &f->d, 0), 0x33);
	KUNIT_EXPECT_FALSE(test, vdb_user_writes(f->addr + PAGE_SIZE));
	vdb_coherency_done(f->d.own, true);
	vdb_process_finish();
}

/* Where it would cost and bring nothing. */
static void pages_stay_where_devices_are_coherent(struct kunit *test)
{
	struct vdb_process *f = test->priv;
	struct vdb_kunit_device other;
	struct device *dev;

	vdb_process_begin(test, VDB_KUNIT_REAL, VDB_POLICY_AUTO);
	/* No copy is kept where all look through one view. */
	dev = vdb_kunit_add_device(test, "other", VDB_KUNIT_REAL);
	KUNIT_ASSERT_EQ(test, vdb_kunit_map(&other, f->buf, dev,
					    DMA_BIDIRECTIONAL), 0);
	KUNIT_EXPECT_NULL(test, f->buf->noted);
	vdb_kunit_unmap(&other, DMA_BIDIRECTIONAL);
	vdb_process_touch(test);
	vdb_kunit_frame(test, &f->d, 0x22);
	KUNIT_EXPECT_EQ(test, vdb_process_count(f), 2 * PAGES - OFFSET);
	KUNIT_EXPECT_EQ(test, vdb_user_read(f->addr), 0x22);
	vdb_process_finish();
}

/* The application has promised to bracket its access. */
static void pages_stay_where_it_was_promised(struct kunit *test)
{
	struct vdb_process *f = test->priv;

	vdb_process_begin(test, VDB_KUNIT_NONCOHERENT, VDB_POLICY_EXPLICIT);
	vdb_process_touch(test);
	vdb_kunit_frame(test, &f->d, 0x22);
	KUNIT_EXPECT_EQ(test, vdb_process_count(f), 2 * PAGES - OFFSET);
	KUNIT_EXPECT_NE(test, vdb_user_read(f->addr), 0x22);
	dma_buf_begin_cpu_access(f->buf->dbuf, DMA_FROM_DEVICE);
	KUNIT_EXPECT_EQ(test, vdb_user_read(f->addr), 0x22);
	KUNIT_EXPECT_EQ(test, vdb_user_read(f->view_addr), 0x22);
	dma_buf_end_cpu_access(f->buf->dbuf, DMA_FROM_DEVICE);
	vdb_process_finish();
}

/* A copy on write would never see the device's bytes; to read is fine. */
static void copies_are_refused(struct kunit *test)
{
	struct vdb_process *f = test->priv;
	unsigned long addr;

	vdb_process_begin(test, VDB_KUNIT_NONCOHERENT, VDB_POLICY_AUTO);
	KUNIT_EXPECT_EQ(test, vm_mmap(f->buf->dbuf->file, 0, SIZE,
				      PROT_READ | PROT_WRITE, MAP_PRIVATE, 0),
			(unsigned long)-EINVAL);
	addr = vm_mmap(f->view->file, 0, SIZE, PROT_READ, MAP_PRIVATE, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	vdb_kunit_frame(test, &f->d, 0x22);
	KUNIT_EXPECT_EQ(test, vdb_user_read(addr + PAGE_SIZE), 0x22);
	vdb_kunit_frame(test, &f->d, 0x33);
	KUNIT_EXPECT_EQ(test, vdb_user_read(addr + PAGE_SIZE), 0x33);
	KUNIT_EXPECT_EQ(test, vdb_user_write(addr, 0x44), -EFAULT);
	vdb_process_finish();
}

/* Processes see memory past the caches, like one more device there. */
static void uncached_pages_are_a_device(struct kunit *test)
{
	struct vdb_process *f = test->priv;
	struct vdb_engine *e;

	vdb_process_begin(test, VDB_KUNIT_NONCOHERENT, VDB_POLICY_WRITECOMBINE);
	e = &f->buf->engine;
	KUNIT_EXPECT_EQ(test, e->views[VDB_MEMORY].devices, 1);
	vdb_user_read(f->addr);
	KUNIT_EXPECT_EQ(test, e->views[VDB_MEMORY].devices, 2);
	KUNIT_EXPECT_EQ(test, e->views[VDB_MEMORY].silent_writers, 1);
	KUNIT_EXPECT_TRUE(test, bitmap_empty(e->entries, 3));
	vdb_kunit_frame(test, &f->d, 0x22);
	KUNIT_EXPECT_TRUE(test, vdb_user_sees(f->addr));
	/* They go with the last device that looks there. */
	vdb_kunit_unmap(&f->d, DMA_BIDIRECTIONAL);
	f->d.sgt = NULL;
	KUNIT_EXPECT_EQ(test, e->outside, 0);
	KUNIT_EXPECT_FALSE(test, vdb_user_sees(f->addr));
	KUNIT_EXPECT_EQ(test, vdb_user_read(f->addr), 0x22);
	vdb_process_finish();
}

/* The flag that V4L2 shows says what it says. */
static void mappings_are_counted(struct kunit *test)
{
	struct vdb_process *f = test->priv;

	vdb_process_begin(test, VDB_KUNIT_REAL, VDB_POLICY_EXPLICIT);
	KUNIT_EXPECT_EQ(test, f->buf->user_mappings, 2);
	KUNIT_EXPECT_EQ(test, f->buf->engine.mappings, 1);
	KUNIT_EXPECT_EQ(test, vm_munmap(f->addr, SIZE), 0);
	KUNIT_EXPECT_EQ(test, f->buf->user_mappings, 1);
	KUNIT_EXPECT_EQ(test, vm_munmap(f->view_addr,
					SIZE - OFFSET * PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, f->buf->user_mappings, 0);
	KUNIT_EXPECT_EQ(test, f->buf->engine.mappings, 0);
	vdb_process_finish();
}

static struct kunit_case mapping_cases[] = {
	KUNIT_CASE(bytes_come_before_the_page),
	KUNIT_CASE(every_page_is_taken_away),
	KUNIT_CASE(pages_that_came_back_are_taken_away),
	KUNIT_CASE(first_write_is_noticed),
	KUNIT_CASE(pages_stay_where_devices_are_coherent),
	KUNIT_CASE(pages_stay_where_it_was_promised),
	KUNIT_CASE(chunks_become_writable_at_once),
	KUNIT_CASE(copies_are_refused),
	KUNIT_CASE(uncached_pages_are_a_device),
	KUNIT_CASE(mappings_are_counted),
	{}
};

static struct kunit_suite mapping_suite = {
	.name = "videobuf2-dmabuf-mapping",
	.init = vdb_process_set_up,
	.exit = vdb_process_tear_down,
	.test_cases = mapping_cases,
};

kunit_test_suite(mapping_suite);
