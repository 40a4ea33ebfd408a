// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of importers that tell nobody when they read or write a buffer: whose
 * bytes are heard, and who is told of others'.
 */
#include <kunit/static_stub.h>
#include <kunit/test.h>
#include <linux/bitmap.h>
#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/module.h>

#include "fixture.h"
#include "watch.h"

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

/* What all see of a byte, when a CPU access has made them agree. */
static void expect_byte(struct kunit *test, struct vdb_kunit_device *a,
			struct vdb_kunit_device *c, size_t at, u8 value)
{
	struct vdb_fixture *f = test->priv;
	u8 *page = page_address(f->buf->storage.pages[at / PAGE_SIZE]);

	KUNIT_EXPECT_EQ_MSG(test, page[offset_in_page(at)], value, "CPU, %zu",
			    at);
	KUNIT_EXPECT_EQ_MSG(test, vdb_kunit_read_byte(test, a, at), value,
			    "a, %zu", at);
	KUNIT_EXPECT_EQ_MSG(test, vdb_kunit_read_byte(test, c, at), value,
			    "c, %zu", at);
}

static void agree(struct vdb_buffer *buf)
{
	vdb_coherency_begin(buf, false);
	vdb_coherency_end(buf, false);
}

/* Ranges that one or the other writes: first and last bytes, across pages. */
static const struct {
	size_t at;
	size_t len;
} parts[] = {
	{ 0, 1 },
	{ PAGE_SIZE - 1, 2 },
	{ 3 * PAGE_SIZE, PAGE_SIZE },
	{ VDB_CHUNK_SIZE - 1, 1 },
	{ VDB_CHUNK_SIZE, 1 },
	{ VDB_CHUNK_SIZE + 5, PAGE_SIZE },
	{ 2 * VDB_CHUNK_SIZE - 1, 2 },
	{ SIZE - 1, 1 },
};

/* Each byte that one of them writes is kept, each other byte stays. */
static void bytes_decide(struct kunit *test)
{
	struct vdb_fixture *f = test->priv;
	struct vdb_kunit_device a, c;
	unsigned int i, others;

	vdb_map_silent(test, &a, f->a, DMA_BIDIRECTIONAL);
	vdb_map_silent(test, &c, f->c, DMA_BIDIRECTIONAL);
	agree(f->buf);
	KUNIT_EXPECT_TRUE(test, bitmap_full(f->buf->engine.agreed, CHUNKS));
	for (others = 0; others < 2; others++) {
		for (i = 0; i < ARRAY_SIZE(parts); i++)
			vdb_kunit_write_part(test, (i & 1) ^ others ? &a : &c,
					     parts[i].at, parts[i].len,
					     0x40 + 16 * others + i);
		agree(f->buf);
		for (i = 0; i < ARRAY_SIZE(parts); i++) {
			size_t last = parts[i].at + parts[i].len - 1;
			u8 value = 0x40 + 16 * others + i;

			expect_byte(test, &a, &c, parts[i].at, value);
			expect_byte(test, &a, &c, last, value);
		}
		expect_byte(test, &a, &c, 1, 0x11);
		expect_byte(test, &a, &c, PAGE_SIZE - 2, 0x11);
		expect_byte(test, &a, &c, PAGE_SIZE + 1, 0x11);
		expect_byte(test, &a, &c, VDB_CHUNK_SIZE + 4, 0x11);
		expect_byte(test, &a, &c, SIZE - 2, 0x11);
	}
	vdb_kunit_unmap(&c, DMA_BIDIRECTIONAL);
	vdb_kunit_unmap(&a, DMA_BIDIRECTIONAL);
}

static bool noted_is(struct vdb_buffer *buf)
{
	unsigned int i;

	for (i = 0; i < buf->storage.nr_pages; i++)
		if (memcmp(buf->noted + i * PAGE_SIZE,
			   page_address(buf->storage.pages[i]), PAGE_SIZE))
			return false;
	return true;
}

/* Bytes are noted where there is something to be told apart, and no sooner. */
static void agreement_is_noted(struct kunit *test)
{
	struct vdb_fixture *f = test->priv;
	struct vdb_kunit_device a, b, c;
	u8 *room;

	vdb_map_silent(test, &a, f->a, DMA_BIDIRECTIONAL);
	vdb_map_silent(test, &b, f->b, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_NULL(test, f->buf->noted);
	vdb_map_silent(test, &c, f->c, DMA_TO_DEVICE);
	KUNIT_EXPECT_NULL(test, f->buf->noted);
	vdb_kunit_unmap(&c, DMA_TO_DEVICE);
	vdb_map_tracked(test, &c, f->c, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_NULL(test, f->buf->noted);
	vdb_kunit_unmap(&c, DMA_BIDIRECTIONAL);
	vdb_map_silent(test, &c, f->c, DMA_BIDIRECTIONAL);
	room = f->buf->noted;
	KUNIT_ASSERT_NOT_NULL(test, room);
	KUNIT_EXPECT_TRUE(test, noted_is(f->buf));
	vdb_kunit_write_part(test, &c, VDB_CHUNK_SIZE, PAGE_SIZE, 0x22);
	vdb_kunit_write_part(test, &b, SIZE - PAGE_SIZE, PAGE_SIZE, 0x33);
	agree(f->buf);
	KUNIT_EXPECT_EQ(test, vdb_cpu_sees(f->buf, 1), 0x22);
	KUNIT_EXPECT_EQ(test, vdb_cpu_sees(f->buf, 2), 0x33);
	KUNIT_EXPECT_TRUE(test, noted_is(f->buf));
	KUNIT_EXPECT_PTR_EQ(test, f->buf->noted, room);
	vdb_kunit_unmap(&c, DMA_BIDIRECTIONAL);
	vdb_kunit_unmap(&b, DMA_BIDIRECTIONAL);
	vdb_kunit_unmap(&a, DMA_BIDIRECTIONAL);
}

/* One that only reads is not asked, of those that look elsewhere each is. */
static void who_is_asked(struct kunit *test)
{
	struct vdb_fixture *f = test->priv;
	struct vdb_kunit_device a, b, c;

	vdb_map_silent(test, &b, f->b, DMA_TO_DEVICE);
	vdb_map_silent(test, &a, f->a, DMA_BIDIRECTIONAL);
	vdb_watch(test);
	agree(f->buf);
	EXPECT_MOVES(test, "a<0-33");
	vdb_map_silent(test, &c, f->c, DMA_BIDIRECTIONAL);
	EXPECT_MOVES(test, "a<0-33");
	vdb_kunit_write_part(test, &c, 0, 10, 0x22);
	agree(f->buf);
	/* Of each chunk: what has the device? Then all are told, by one. */
	EXPECT_MOVES(test, "a<0-16 a<16-32 a<32-33 b>0-16");
	EXPECT_STATS(test, [VDB_ATTACHMENTS] = 1, [VDB_MAPS] = 1,
		     [VDB_SYNCS_FOR_CPU] = 5, [VDB_SYNCS_FOR_DEVICE] = 1,
		     [VDB_SYNCS_ELIDED] = 2,
		     [VDB_BYTES_SYNCED] = 3 * SIZE + VDB_CHUNK_SIZE);
	vdb_kunit_unmap(&a, DMA_BIDIRECTIONAL);
	vdb_watch_moves();
	KUNIT_EXPECT_EQ(test, vdb_kunit_read_byte(test, &b, 9), 0x22);
	/* Nobody is left who could have written elsewhere. */
	agree(f->buf);
	EXPECT_MOVES(test, "b>0-33");
	vdb_kunit_unmap(&c, DMA_BIDIRECTIONAL);
	vdb_kunit_unmap(&b, DMA_TO_DEVICE);
}

static enum vdb_view_kind bounced(struct vdb_attachment *att)
{
	return VDB_VIEW_PRIVATE;
}

static unsigned int carried;

static void carry_nothing(struct vdb_attachment *att, size_t offset,
			  dma_addr_t addr, size_t len, bool for_cpu)
{
	carried += for_cpu ? len : 0;
}

/* Where nobody looks, or none that may write, there is nobody to ask. */
static void views_without_writers(struct kunit *test)
{
	struct vdb_fixture *f = test->priv;
	struct vdb_kunit_device a, c, d;
	unsigned int reader;

	vdb_map_silent(test, &c, f->c, DMA_BIDIRECTIONAL);
	kunit_activate_static_stub(test, vdb_sync_run, carry_nothing);
	for (reader = 0; reader < 2; reader++) {
		if (reader)
			vdb_map_silent(test, &a, f->a, DMA_TO_DEVICE);
		kunit_activate_static_stub(test, vdb_sync_kind, bounced);
		vdb_map_silent(test, &d, f->c, DMA_BIDIRECTIONAL);
		kunit_deactivate_static_stub(test, vdb_sync_kind);
		agree(f->buf);
		carried = 0;
		agree(f->buf);
		/* The bounced one, of each chunk. */
		KUNIT_EXPECT_EQ(test, carried, SIZE);
		vdb_kunit_unmap(&d, DMA_BIDIRECTIONAL);
	}
	vdb_kunit_unmap(&a, DMA_TO_DEVICE);
	kunit_deactivate_static_stub(test, vdb_sync_run);
	vdb_kunit_unmap(&c, DMA_BIDIRECTIONAL);
}

/* One chunk is the CPU's, one the device's, and one nobody's. */
static void chunks_are_mixed(struct kunit *test)
{
	struct vdb_fixture *f = test->priv;
	struct vdb_kunit_device a, b;

	vdb_map_silent(test, &a, f->a, DMA_BIDIRECTIONAL);
	vdb_map_tracked(test, &b, f->b, DMA_BIDIRECTIONAL);
	vdb_watch(test);
	vdb_cpu_write(f->buf, 0, 0x33);
	vdb_kunit_write_part(test, &a, 2 * VDB_CHUNK_SIZE, PAGE_SIZE, 0x22);
	EXPECT_MOVES(test, "a<0-16");
	vdb_coherency_begin(f->buf, false);
	EXPECT_MOVES(test, "a<16-33 a>0-16");
	KUNIT_EXPECT_EQ(test, vdb_cpu_sees(f->buf, 0), 0x33);
	KUNIT_EXPECT_EQ(test, vdb_cpu_sees(f->buf, 1), 0x11);
	KUNIT_EXPECT_EQ(test, vdb_cpu_sees(f->buf, 2), 0x22);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &a, 0), 0x33);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &a, 2), 0x22);
	vdb_coherency_end(f->buf, false);

	/* The same when a queue gets it, which leaves the rest as it is. */
	vdb_cpu_write(f->buf, 2, 0x44);
	vdb_watch_moves();
	vdb_coherency_queue(b.own, true);
	EXPECT_MOVES(test, "a>32-33");
	vdb_kunit_write_part(test, &b, 0, PAGE_SIZE, 0x55);
	vdb_coherency_done(b.own, true);
	vdb_coherency_deliver(f->buf, false);
	EXPECT_MOVES(test, "");
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &a, 2), 0x44);
	KUNIT_EXPECT_EQ(test, vdb_cpu_read(f->buf, 0), 0x55);
	EXPECT_MOVES(test, "a<0-16");
	KUNIT_EXPECT_EQ(test, vdb_cpu_read(f->buf, 2), 0x44);
	EXPECT_MOVES(test, "a<32-33");
	vdb_kunit_unmap(&b, DMA_BIDIRECTIONAL);
	vdb_kunit_unmap(&a, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, vdb_cpu_sees(f->buf, 1), 0x11);
}

static struct kunit_case silent_cases[] = {
	KUNIT_CASE(importer_leaves_while_device_writes),
	KUNIT_CASE(coherent_writer_leaves),
	KUNIT_CASE(silent_writer_is_heard),
	KUNIT_CASE(silent_writers_are_told_apart),
	KUNIT_CASE(bytes_decide),
	KUNIT_CASE(agreement_is_noted),
	KUNIT_CASE(who_is_asked),
	KUNIT_CASE(views_without_writers),
	KUNIT_CASE(chunks_are_mixed),
	{}
};

static struct kunit_suite silent_suite = {
	.name = "videobuf2-dmabuf-silent",
	.init = vdb_fixture_set_up,
	.exit = vdb_fixture_tear_down,
	.test_cases = silent_cases,
};

kunit_test_suite(silent_suite);
