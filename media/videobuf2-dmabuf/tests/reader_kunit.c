// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of those that only look at a buffer: a device that tells nobody loses
 * nothing by it, whenever it writes.
 */
#include <kunit/static_stub.h>
#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/module.h>

#include "process.h"

/* The device that writes, and how often the lock is taken before it does. */
static struct kunit *now;
static struct vdb_kunit_device other;
static int until_write;
static u8 value;

static unsigned long write_late(struct vdb_engine *e)
{
	struct vdb_buffer *buf = container_of(e, struct vdb_buffer, engine);
	unsigned long flags;

	if (!until_write--)
		vdb_kunit_write_part(now, &other, 8, 8, value);
	spin_lock_irqsave(&buf->state_lock, flags);
	return flags;
}

static void look(struct vdb_process *f)
{
	vdb_coherency_begin(f->buf, false);
	vdb_user_read(f->addr);
	vdb_coherency_end(f->buf, false);
}

/* @late: how often the lock is taken before. Return: it was, and more. */
static bool write_in_the_middle(struct kunit *test, int late)
{
	struct vdb_process *f = test->priv;

	until_write = late;
	value = 0x20 + late;
	kunit_activate_static_stub(test, vdb_hand_lock, write_late);
	look(f);
	kunit_deactivate_static_stub(test, vdb_hand_lock);
	if (until_write >= 0)
		return false;
	vdb_coherency_begin(f->buf, false);
	KUNIT_EXPECT_EQ_MSG(test, vdb_user_read(f->addr + 8), value, "%d",
			    late);
	vdb_coherency_end(f->buf, false);
	KUNIT_EXPECT_EQ_MSG(test, vdb_kunit_read_byte(test, &other, 8), value,
			    "%d", late);
	return true;
}

/* It has real pages: the process may have written as well. */
static void readers_overwrite_nobody(struct kunit *test)
{
	struct vdb_process *f = test->priv;
	struct device *dev;
	int late = 0;

	now = test;
	vdb_process_begin(test, VDB_KUNIT_REAL, VDB_POLICY_AUTO);
	dev = vdb_kunit_add_device(test, "other", VDB_KUNIT_NONCOHERENT);
	KUNIT_ASSERT_EQ(test, vdb_kunit_map(&other, f->buf, dev,
					    DMA_BIDIRECTIONAL), 0);
	while (late < 100 && write_in_the_middle(test, late))
		late++;
	KUNIT_EXPECT_GT(test, late, 4);
	KUNIT_EXPECT_LT(test, late, 100);
	vdb_kunit_unmap(&other, DMA_BIDIRECTIONAL);
	vdb_process_finish();
}

static struct kunit_case reader_cases[] = {
	KUNIT_CASE(readers_overwrite_nobody),
	{}
};

static struct kunit_suite reader_suite = {
	.name = "videobuf2-dmabuf-reader",
	.init = vdb_process_set_up,
	.exit = vdb_process_tear_down,
	.test_cases = reader_cases,
};

kunit_test_suite(reader_suite);
