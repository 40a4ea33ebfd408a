// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of who is reported for having forgotten DMA_BUF_IOCTL_SYNC, and who is
 * not.
 */
#include <kunit/test.h>
#include <linux/err.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/uaccess.h>

#include "kunit.h"

#define SIZE (2 * VDB_CHUNK_SIZE)
#define READS "reads without DMA_BUF_IOCTL_SYNC (START | READ)"
#define WRITES "writes without DMA_BUF_IOCTL_SYNC (START | WRITE)"
#define QUEUES "queues what it wrote without DMA_BUF_IOCTL_SYNC (END | WRITE)"

/**
 * struct fixture - what each test begins with
 * @buf: a buffer
 * @d: a queue's device, mapped
 * @addr: the buffer in the address space of the test
 * @before: how many had been counted
 */
struct fixture {
	struct vdb_buffer *buf;
	struct vdb_kunit_device d;
	unsigned long addr;
	s64 before;
};

static void begin(struct kunit *test, enum vdb_kunit_bus bus,
		  enum vdb_policy policy)
{
	struct fixture *f = test->priv;
	struct device *dev = vdb_kunit_add_device(test, "device", bus);

	f->buf = vdb_buffer_create(NULL, SIZE, 0, false, policy);
	KUNIT_ASSERT_FALSE(test, IS_ERR(f->buf));
	KUNIT_ASSERT_EQ(test, vdb_kunit_map_as(&f->d, f->buf, dev,
					       DMA_BIDIRECTIONAL, true), 0);
	f->addr = kunit_vm_mmap(test, f->buf->dbuf->file, 0, SIZE,
				PROT_READ | PROT_WRITE, MAP_SHARED, 0);
	KUNIT_ASSERT_FALSE(test, !f->addr || IS_ERR_VALUE(f->addr));
	f->before = vdb_stat_read(VDB_MISSING_SYNCS);
}

static void touch(struct kunit *test, bool writes)
{
	struct fixture *f = test->priv;
	u8 value = 0x33;

	if (writes)
		KUNIT_EXPECT_EQ(test, copy_to_user((void __user *)f->addr,
						   &value, 1), 0);
	else
		KUNIT_EXPECT_EQ(test, copy_from_user(&value,
						     (void __user *)f->addr,
						     1), 0);
}

static s64 counted(struct kunit *test)
{
	struct fixture *f = test->priv;

	return vdb_stat_read(VDB_MISSING_SYNCS) - f->before;
}

/* QBUF and DQBUF of a device that writes. */
static void frame(struct kunit *test)
{
	struct fixture *f = test->priv;

	vdb_coherency_queue(f->d.own, true);
	vdb_coherency_done(f->d.own, true);
	vdb_coherency_deliver(f->buf, false);
}

/* Each is counted, and the process is named once. */
static void readers_are_reported(struct kunit *test)
{
	begin(test, VDB_KUNIT_NONCOHERENT, VDB_POLICY_EXPLICIT);
	vdb_kunit_listen(test, READS);
	touch(test, false);
	KUNIT_EXPECT_EQ(test, counted(test), 1);
	KUNIT_EXPECT_EQ(test, vdb_kunit_heard(), 1);
	/* As long as nobody else has had it there is nothing to notice. */
	touch(test, false);
	KUNIT_EXPECT_EQ(test, counted(test), 1);
	frame(test);
	touch(test, false);
	KUNIT_EXPECT_EQ(test, counted(test), 2);
	KUNIT_EXPECT_EQ(test, vdb_kunit_heard(), 1);
	vdb_kunit_end_mm();
}

static void writers_are_reported(struct kunit *test)
{
	begin(test, VDB_KUNIT_NONCOHERENT, VDB_POLICY_EXPLICIT);
	vdb_kunit_listen(test, WRITES);
	touch(test, true);
	KUNIT_EXPECT_EQ(test, counted(test), 1);
	KUNIT_EXPECT_EQ(test, vdb_kunit_heard(), 1);
	/* And because it does not say that it has done. */
	frame(test);
	KUNIT_EXPECT_EQ(test, counted(test), 2);
	frame(test);
	KUNIT_EXPECT_EQ(test, counted(test), 2);
	vdb_kunit_end_mm();
}

static void who_says_so_is_not(struct kunit *test)
{
	struct fixture *f = test->priv;

	begin(test, VDB_KUNIT_NONCOHERENT, VDB_POLICY_EXPLICIT);
	vdb_coherency_begin(f->buf, false);
	touch(test, false);
	vdb_coherency_end(f->buf, false);
	frame(test);
	vdb_coherency_begin(f->buf, true);
	touch(test, true);
	vdb_coherency_end(f->buf, true);
	frame(test);
	KUNIT_EXPECT_EQ(test, counted(test), 0);
	vdb_kunit_end_mm();
}

/* An end that says nothing of writing leaves it in the CPU's caches. */
static void who_ends_as_a_reader_is(struct kunit *test)
{
	struct fixture *f = test->priv;

	begin(test, VDB_KUNIT_NONCOHERENT, VDB_POLICY_EXPLICIT);
	vdb_kunit_listen(test, QUEUES);
	vdb_coherency_begin(f->buf, true);
	touch(test, true);
	vdb_coherency_end(f->buf, false);
	KUNIT_EXPECT_EQ(test, counted(test), 0);
	frame(test);
	KUNIT_EXPECT_EQ(test, counted(test), 1);
	KUNIT_EXPECT_EQ(test, vdb_kunit_heard(), 1);
	vdb_kunit_end_mm();
}

static void touch_and_queue(struct kunit *test)
{
	struct fixture *f = test->priv;

	touch(test, false);
	touch(test, true);
	frame(test);
	touch(test, true);
	KUNIT_EXPECT_EQ(test, counted(test), 0);
	vdb_kunit_end_mm();
	vdb_kunit_unmap(&f->d, DMA_BIDIRECTIONAL);
	f->d.att = NULL;
}

/* Their mappings are mended, or there is nothing to mend. */
static void other_policies_are_not_watched(struct kunit *test)
{
	begin(test, VDB_KUNIT_NONCOHERENT, VDB_POLICY_AUTO);
	touch_and_queue(test);
}

static void coherent_devices_are_not_watched(struct kunit *test)
{
	begin(test, VDB_KUNIT_REAL, VDB_POLICY_EXPLICIT);
	touch_and_queue(test);
}

static void nobody_is_watched_unasked(struct kunit *test)
{
	begin(test, VDB_KUNIT_NONCOHERENT, VDB_POLICY_EXPLICIT);
	vdb_check_sync = false;
	touch_and_queue(test);
}

/* The last few are known, by both numbers. */
static void once_is_once(struct kunit *test)
{
	static struct vdb_said said = VDB_SAID_INIT(said);
	unsigned int i, n = ARRAY_SIZE(said.known);

	memset(said.known, 0, sizeof(said.known));
	said.next = 0;
	for (i = 1; i <= n; i++)
		KUNIT_EXPECT_TRUE(test, vdb_say_once(&said, i, 7));
	for (i = 1; i <= n; i++)
		KUNIT_EXPECT_FALSE(test, vdb_say_once(&said, i, 7));
	/* The same number, and somebody else; the first gives its place. */
	KUNIT_EXPECT_TRUE(test, vdb_say_once(&said, n, 8));
	KUNIT_EXPECT_FALSE(test, vdb_say_once(&said, n, 8));
	for (i = 2; i <= n; i++)
		KUNIT_EXPECT_FALSE(test, vdb_say_once(&said, i, 7));
	KUNIT_EXPECT_TRUE(test, vdb_say_once(&said, 1, 7));
	KUNIT_EXPECT_TRUE(test, vdb_say_once(&said, 2, 7));
}

static int set_up(struct kunit *test)
{
	test->priv = kunit_kzalloc(test, sizeof(struct fixture), GFP_KERNEL);
	vdb_check_sync = true;
	return test->priv ? 0 : -ENOMEM;
}

static void tear_down(struct kunit *test)
{
	struct fixture *f = test->priv;

	vdb_check_sync = false;
	if (!f || IS_ERR_OR_NULL(f->buf))
		return;
	if (f->d.att)
		vdb_kunit_unmap(&f->d, DMA_BIDIRECTIONAL);
	dma_buf_put(f->buf->dbuf);
}

static struct kunit_case synccheck_cases[] = {
	KUNIT_CASE(readers_are_reported),
	KUNIT_CASE(writers_are_reported),
	KUNIT_CASE(who_says_so_is_not),
	KUNIT_CASE(who_ends_as_a_reader_is),
	KUNIT_CASE(other_policies_are_not_watched),
	KUNIT_CASE(coherent_devices_are_not_watched),
	KUNIT_CASE(nobody_is_watched_unasked),
	KUNIT_CASE(once_is_once),
	{}
};

static struct kunit_suite synccheck_suite = {
	.name = "videobuf2-dmabuf-synccheck",
	.init = set_up,
	.exit = tear_down,
	.test_cases = synccheck_cases,
};

kunit_test_suite(synccheck_suite);
