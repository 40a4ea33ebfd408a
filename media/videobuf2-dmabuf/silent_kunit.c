// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of importers that tell nobody when they read or write a buffer: whose
 * bytes are heard, and who is told of others'.
 */
#include <kunit/test.h>
#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/module.h>

#include "fixture.h"

/* Who drops its mapping must not disturb a frame that is being made. */
static void importer_leaves_while_device_writes(struct kunit *test)
{
	struct vdb_fixture *f = test->priv;
	struct vdb_kunit_device a, b, c;

	vdb_map_tracked(test, &a, f->a, DMA_FROM_DEVICE);
	vdb_map_silent(test, &b, f->b, DMA_BIDIRECTIONAL);
	vdb_map_silent(test, &c, f->c, DMA_BIDIRECTIONAL);
	vdb_coherency_queue(a.own, true);
	vdb_kunit_write(test, &a, 0x22);
	vdb_kunit_unmap(&c, DMA_BIDIRECTIONAL);
	vdb_kunit_unmap(&b, DMA_BIDIRECTIONAL);
	vdb_coherency_done(a.own, true);
	vdb_coherency_deliver(f->buf, false);
	KUNIT_EXPECT_EQ(test, vdb_cpu_read(f->buf, 0), 0x22);
	vdb_kunit_unmap(&a, DMA_FROM_DEVICE);
}

/* What a coherent device wrote is there for others after it has gone. */
static void coherent_writer_leaves(struct kunit *test)
{
	struct vdb_fixture *f = test->priv;
	struct vdb_kunit_device a, b, c;

	vdb_map_tracked(test, &a, f->a, DMA_TO_DEVICE);
	vdb_map_silent(test, &c, f->c, DMA_BIDIRECTIONAL);
	vdb_kunit_write(test, &c, 0x22);
	/* Or before: for one that comes to look at memory as well. */
	vdb_map_silent(test, &b, f->b, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &b, 0), 0x22);
	vdb_kunit_unmap(&b, DMA_TO_DEVICE);
	vdb_kunit_write(test, &c, 0x33);
	vdb_kunit_unmap(&c, DMA_BIDIRECTIONAL);
	vdb_coherency_queue(a.own, true);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &a, 0), 0x33);
	vdb_coherency_done(a.own, true);
	vdb_kunit_unmap(&a, DMA_TO_DEVICE);
}

/* Devices of others may write while they are mapped. */
static void silent_writer_is_heard(struct kunit *test)
{
	struct vdb_fixture *f = test->priv;
	struct vdb_kunit_device a, b, c;

	vdb_map_silent(test, &a, f->a, DMA_BIDIRECTIONAL);
	vdb_kunit_write(test, &a, 0x22);
	KUNIT_EXPECT_EQ(test, vdb_cpu_read(f->buf, 2), 0x22);

	/* One that comes later must not put older bytes over these. */
	vdb_kunit_write(test, &a, 0x33);
	vdb_map_silent(test, &b, f->b, DMA_TO_DEVICE);
	vdb_map_silent(test, &c, f->c, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &b, 0), 0x33);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &c, 0), 0x33);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &a, 0), 0x33);

	vdb_kunit_write(test, &a, 0x44);
	vdb_kunit_unmap(&a, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, vdb_cpu_sees(f->buf, 0), 0x44);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &b, 0), 0x44);
	vdb_kunit_unmap(&c, DMA_TO_DEVICE);
	vdb_kunit_unmap(&b, DMA_TO_DEVICE);
}

/* Two that say nothing, each a part of one chunk: none is "the last one". */
static void silent_writers_are_told_apart(struct kunit *test)
{
	struct vdb_fixture *f = test->priv;
	struct vdb_kunit_device a, c;
	u8 *at = page_address(f->buf->storage.pages[0]);

	vdb_map_silent(test, &a, f->a, DMA_BIDIRECTIONAL);
	vdb_map_silent(test, &c, f->c, DMA_BIDIRECTIONAL);
	vdb_kunit_write_part(test, &a, 10, 20, 0x22);
	vdb_kunit_write_part(test, &c, 50, 100, 0x33);
	vdb_coherency_begin(f->buf, false);
	KUNIT_EXPECT_EQ(test, at[9], 0x11);
	KUNIT_EXPECT_EQ(test, at[10], 0x22);
	KUNIT_EXPECT_EQ(test, at[29], 0x22);
	KUNIT_EXPECT_EQ(test, at[30], 0x11);
	KUNIT_EXPECT_EQ(test, at[50], 0x33);
	KUNIT_EXPECT_EQ(test, at[149], 0x33);
	KUNIT_EXPECT_EQ(test, at[150], 0x11);
	vdb_coherency_end(f->buf, false);
	/* Each sees what the other one wrote. */
	KUNIT_EXPECT_EQ(test, vdb_kunit_read_byte(test, &a, 60), 0x33);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read_byte(test, &c, 15), 0x22);
	/* And what it wrote last is not lost when it goes. */
	vdb_kunit_write_part(test, &a, VDB_CHUNK_SIZE - 1, 2, 0x44);
	vdb_kunit_unmap(&a, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read_byte(test, &c, VDB_CHUNK_SIZE),
			0x44);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read_byte(test, &c, 60), 0x33);
	vdb_kunit_unmap(&c, DMA_BIDIRECTIONAL);
}

static struct kunit_case silent_cases[] = {
	KUNIT_CASE(importer_leaves_while_device_writes),
	KUNIT_CASE(coherent_writer_leaves),
	KUNIT_CASE(silent_writer_is_heard),
	KUNIT_CASE(silent_writers_are_told_apart),
	{}
};

static struct kunit_suite silent_suite = {
	.name = "videobuf2-dmabuf-silent",
	.init = vdb_fixture_set_up,
	.exit = vdb_fixture_tear_down,
	.test_cases = silent_cases,
};

kunit_test_suite(silent_suite);
