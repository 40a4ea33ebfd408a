// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of how bytes are synchronised: all that was asked for, nothing else, at
 * the device's addresses, in as few pieces as lie in a row; and of how a device
 * is found to see them.
 */
#include <kunit/static_stub.h>
#include <kunit/test.h>
#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/scatterlist.h>

#include "vivid-ext/bus/tests/kunit.h"
#include "fixture.h"
#include "watch.h"

#define PAGES (2 * VDB_CHUNK_PAGES + 1)

/**
 * struct seen - what vdb_sync() has asked for
 * @att: of whom it may
 * @for_cpu: and which way
 * @next: where the next piece must begin
 * @pieces: how many there were
 * @wrong: some were not as they must be
 */
static struct seen {
	struct vdb_attachment *att;
	bool for_cpu;
	size_t next;
	unsigned int pieces;
	unsigned int wrong;
} seen;

/* Where a device finds a byte, by its table, and nothing else. */
static dma_addr_t address_of(struct vdb_attachment *att, size_t offset)
{
	struct scatterlist *sg;
	unsigned int i;

	for_each_sgtable_dma_sg(&att->sgt, sg, i) {
		if (offset < sg_dma_len(sg))
			return sg_dma_address(sg) + offset;
		offset -= sg_dma_len(sg);
	}
	return DMA_MAPPING_ERROR;
}

/* Do two pages lie in a row, in memory as well as for the device? */
static bool in_a_row(struct vdb_attachment *att, unsigned int page)
{
	struct page **pages = att->buf->storage.pages;
	size_t at = page * PAGE_SIZE;

	return page_to_pfn(pages[page]) == page_to_pfn(pages[page - 1]) + 1 &&
	       address_of(att, at) == address_of(att, at - 1) + 1;
}

static unsigned int count_rows(struct vdb_attachment *att, size_t from,
			       size_t to)
{
	unsigned int page, n = from < to;

	for (page = from / PAGE_SIZE + 1; page < DIV_ROUND_UP(to, PAGE_SIZE);
	     page++)
		n += !in_a_row(att, page);
	return n;
}

static void see_run(struct vdb_attachment *att, size_t offset, dma_addr_t addr,
		    size_t len, bool for_cpu)
{
	seen.wrong += att != seen.att || for_cpu != seen.for_cpu ||
		      offset != seen.next || !len ||
		      addr != address_of(att, offset) ||
		      count_rows(att, offset, offset + len) != 1;
	seen.next = offset + len;
	seen.pieces++;
}

static void expect_range(struct kunit *test, struct vdb_attachment *att,
			 size_t from, size_t to, bool for_cpu)
{
	seen = (struct seen){ att, for_cpu, from };
	vdb_sync(att, from, to, for_cpu);
	KUNIT_EXPECT_EQ_MSG(test, seen.wrong, 0, "%zu-%zu", from, to);
	KUNIT_EXPECT_EQ(test, seen.next, to);
	KUNIT_EXPECT_EQ(test, seen.pieces, count_rows(att, from, to));
}

/* Pages 3 and 20 change places, and the first two. */
static void scatter(struct vdb_buffer *buf)
{
	swap(buf->storage.pages[0], buf->storage.pages[1]);
	swap(buf->storage.pages[3], buf->storage.pages[20]);
}

static void try_ranges(struct kunit *test, struct device *dev)
{
	struct vdb_fixture *f = test->priv;
	struct vdb_kunit_device d;
	unsigned int from, to;

	vdb_map_silent(test, &d, dev, DMA_BIDIRECTIONAL);
	kunit_activate_static_stub(test, vdb_sync_run, see_run);
	KUNIT_EXPECT_GT(test, d.own->nr_runs, 5);
	KUNIT_EXPECT_EQ(test, d.own->nr_runs, count_rows(d.own, 0, SIZE));
	for (from = 0; from < PAGES; from++)
		for (to = from + 1; to <= PAGES; to++)
			expect_range(test, d.own, from * PAGE_SIZE,
				     to * PAGE_SIZE, (from ^ to) & 1);
	/* Less than pages, about where a run ends. */
	expect_range(test, d.own, PAGE_SIZE - 1, PAGE_SIZE + 1, true);
	expect_range(test, d.own, 3 * PAGE_SIZE + 7, 4 * PAGE_SIZE - 7, false);
	expect_range(test, d.own, 1, SIZE - 1, true);
	kunit_deactivate_static_stub(test, vdb_sync_run);
	vdb_kunit_unmap(&d, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, f->buf->engine.outside, 0);
}

static void ranges_are_in_a_row(struct kunit *test)
{
	struct vdb_fixture *f = test->priv;

	scatter(f->buf);
	try_ranges(test, f->a);
	/* One segment for the device, and still as many pieces. */
	try_ranges(test, f->b);
}

/* Segments that are shorter than what lies in a row. */
static void segments_may_be_short(struct kunit *test)
{
	struct vdb_fixture *f = test->priv;
	struct vdb_kunit_device d;

	dma_set_max_seg_size(f->a, 3 * PAGE_SIZE + 1);
	vdb_map_silent(test, &d, f->a, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_GE(test, d.own->nr_runs, 11);
	kunit_activate_static_stub(test, vdb_sync_run, see_run);
	expect_range(test, d.own, 0, SIZE, false);
	expect_range(test, d.own, 5 * PAGE_SIZE, 6 * PAGE_SIZE, true);
	kunit_deactivate_static_stub(test, vdb_sync_run);
	vdb_kunit_unmap(&d, DMA_BIDIRECTIONAL);
}

/* What vdb_sync() says of itself. */
static void syncs_are_counted(struct kunit *test)
{
	struct vdb_fixture *f = test->priv;
	struct vdb_kunit_device d;

	vdb_map_silent(test, &d, f->a, DMA_BIDIRECTIONAL);
	vdb_watch(test);
	vdb_sync(d.own, 0, 5 * PAGE_SIZE, true);
	EXPECT_MOVES(test, "a<0-5");
	EXPECT_STATS(test, [VDB_SYNCS_FOR_CPU] = 1,
		     [VDB_BYTES_SYNCED] = 5 * PAGE_SIZE);
	vdb_sync(d.own, 16 * PAGE_SIZE, SIZE, false);
	EXPECT_MOVES(test, "a>16-33");
	EXPECT_STATS(test, [VDB_SYNCS_FOR_DEVICE] = 1,
		     [VDB_BYTES_SYNCED] = 17 * PAGE_SIZE);
	vdb_kunit_unmap(&d, DMA_BIDIRECTIONAL);
}

/* In the direction of the mapping, each way. */
static void runs_go_where_they_should(struct kunit *test)
{
	struct vdb_fixture *f = test->priv;
	struct vdb_kunit_device d;
	long long to_cpu, to_device;

	vdb_map_silent(test, &d, f->a, DMA_BIDIRECTIONAL);
	vdb_kunit_write(test, &d, 0x22);
	to_cpu = vivid_ext_kunit_count(test, f->a, "bytes_to_cpu");
	to_device = vivid_ext_kunit_count(test, f->a, "bytes_to_device");
	vdb_sync_run(d.own, 0, address_of(d.own, 0), PAGE_SIZE, true);
	KUNIT_EXPECT_EQ(test, vivid_ext_kunit_count(test, f->a, "bytes_to_cpu"),
			to_cpu + PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, vdb_cpu_sees(f->buf, 0), 0x22);
	KUNIT_EXPECT_EQ(test, vdb_cpu_sees(f->buf, 1), 0x11);
	vdb_cpu_fill(f->buf, 0, 0x33);
	vdb_sync_run(d.own, 0, address_of(d.own, 0), PAGE_SIZE, false);
	KUNIT_EXPECT_EQ(test, vivid_ext_kunit_count(test, f->a,
						    "bytes_to_device"),
			to_device + PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read_byte(test, &d, PAGE_SIZE - 1),
			0x33);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read_byte(test, &d, PAGE_SIZE), 0x22);
	vdb_kunit_unmap(&d, DMA_BIDIRECTIONAL);
}

/* By run: as the device is said to see each of them. */
static enum vdb_view_kind kinds[PAGES];

static enum vdb_view_kind say_kind(struct vdb_attachment *att,
				   const struct vdb_run *run)
{
	return kinds[run - att->runs];
}

/* What is farthest from the CPU decides, wherever it lies. */
static void views_are_of_the_farthest(struct kunit *test)
{
	struct vdb_fixture *f = test->priv;
	struct vdb_kunit_device d;
	unsigned int i, n;

	scatter(f->buf);
	vdb_map_silent(test, &d, f->a, DMA_BIDIRECTIONAL);
	n = d.own->nr_runs;
	KUNIT_EXPECT_EQ(test, vdb_sync_kind(d.own), VDB_VIEW_MEMORY);
	kunit_activate_static_stub(test, vdb_sync_run_kind, say_kind);
	memset(kinds, 0, sizeof(kinds));
	KUNIT_EXPECT_EQ(test, vdb_sync_kind(d.own), VDB_VIEW_CPU);
	for (i = 0; i < n; i++) {
		kinds[i] = VDB_VIEW_MEMORY;
		KUNIT_EXPECT_EQ(test, vdb_sync_kind(d.own), VDB_VIEW_MEMORY);
		kinds[i] = VDB_VIEW_PRIVATE;
		kinds[(i + 1) % n] = VDB_VIEW_MEMORY;
		KUNIT_EXPECT_EQ(test, vdb_sync_kind(d.own), VDB_VIEW_PRIVATE);
		memset(kinds, 0, sizeof(kinds));
	}
	kunit_deactivate_static_stub(test, vdb_sync_run_kind);
	vdb_kunit_unmap(&d, DMA_BIDIRECTIONAL);
}

static void kinds_are_found(struct kunit *test)
{
	struct vdb_fixture *f = test->priv;
	const struct {
		struct device *dev;
		enum vdb_view_kind kind;
	} all[] = {
		{ f->a, VDB_VIEW_MEMORY },
		{ f->b, VDB_VIEW_MEMORY },
		{ f->c, VDB_VIEW_CPU },
	};
	struct vdb_kunit_device d;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(all); i++) {
		vdb_map_silent(test, &d, all[i].dev, DMA_TO_DEVICE);
		KUNIT_EXPECT_EQ(test, d.own->kind, all[i].kind);
		KUNIT_EXPECT_EQ(test, vdb_sync_run_kind(d.own, d.own->runs),
				all[i].kind);
		KUNIT_EXPECT_EQ(test, vdb_sync_kind(d.own), all[i].kind);
		vdb_kunit_unmap(&d, DMA_TO_DEVICE);
	}
}

static struct kunit_case sync_cases[] = {
	KUNIT_CASE(ranges_are_in_a_row),
	KUNIT_CASE(segments_may_be_short),
	KUNIT_CASE(syncs_are_counted),
	KUNIT_CASE(runs_go_where_they_should),
	KUNIT_CASE(views_are_of_the_farthest),
	KUNIT_CASE(kinds_are_found),
	{}
};

static struct kunit_suite sync_suite = {
	.name = "videobuf2-dmabuf-sync",
	.init = vdb_fixture_set_up,
	.exit = vdb_fixture_tear_down,
	.test_cases = sync_cases,
};

kunit_test_suite(sync_suite);
