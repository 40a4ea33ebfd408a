// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the simulated bus as a judge: what a driver does against the rules
 * of the DMA API is counted, each kind of it, and does no more harm than on
 * hardware; and what is allowed is not.
 */
#include <kunit/device.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>

#include "simrules_kunit.h"

/* The strictest bus: not coherent, and with an IOMMU. */
const struct vivid_ext_bus_config vivid_ext_kunit_strict = {
	false, true, 64, UINT_MAX, UINT_MAX
};

static void map_sg(struct kunit *test, enum dma_data_direction dir)
{
	struct fixture *f = test->priv;
	int n = OPS(f)->map_sg(f->dev, f->sgt.sgl, PAGES, dir, 0);

	KUNIT_ASSERT_GT(test, n, 0);
	f->sgt.nents = n;
}

static void unmap_sg(struct kunit *test, enum dma_data_direction dir)
{
	struct fixture *f = test->priv;

	OPS(f)->unmap_sg(f->dev, f->sgt.sgl, PAGES, dir, 0);
}

static void device_writes_table(struct kunit *test, u8 value)
{
	struct fixture *f = test->priv;
	struct scatterlist *sg;
	unsigned int i, at;

	for_each_sgtable_dma_sg(&f->sgt, sg, i)
		for (at = 0; at < sg_dma_len(sg); at += PAGE_SIZE)
			device_writes(test, sg_dma_address(sg) + at, value);
}

/* The API's own rules: whole tables, parts of mappings, in any order. */
static void what_is_allowed_is(struct kunit *test)
{
	struct fixture *f = test->priv;
	dma_addr_t addr;

	KUNIT_ASSERT_EQ(test, dma_map_sgtable(f->dev, &f->sgt,
					      DMA_BIDIRECTIONAL, 0), 0);
	dma_sync_sgtable_for_cpu(f->dev, &f->sgt, DMA_BIDIRECTIONAL);
	dma_sync_sgtable_for_device(f->dev, &f->sgt, DMA_BIDIRECTIONAL);
	dma_sync_single_for_cpu(f->dev, sg_dma_address(f->sgt.sgl) + 16, 32,
				DMA_BIDIRECTIONAL);
	dma_unmap_sgtable(f->dev, &f->sgt, DMA_BIDIRECTIONAL, 0);
	addr = dma_map_single(f->dev, f->mem, SIZE, DMA_FROM_DEVICE);
	KUNIT_ASSERT_EQ(test, dma_mapping_error(f->dev, addr), 0);
	dma_sync_single_for_cpu(f->dev, addr + PAGE_SIZE - 8, 16,
				DMA_FROM_DEVICE);
	dma_unmap_single(f->dev, addr, SIZE, DMA_FROM_DEVICE);
	KUNIT_EXPECT_EQ(test, violations(test), 0);
	KUNIT_EXPECT_EQ(test, faults(test), 0);
	KUNIT_EXPECT_EQ(test, vivid_ext_kunit_count(test, f->dev,
						    "syncs_in_wrong_direction"),
			0);
}

/* What is there is carried, and nothing behind it. */
static void syncs_end_with_the_mapping(struct kunit *test)
{
	struct fixture *f = test->priv;
	dma_addr_t addr = map_single(test, 1, PAGE_SIZE, DMA_FROM_DEVICE);

	device_writes(test, addr, 0x33);
	OPS(f)->sync_single_for_cpu(f->dev, addr + 8, PAGE_SIZE,
				    DMA_FROM_DEVICE);
	KUNIT_EXPECT_EQ(test, violations(test), 1);
	KUNIT_EXPECT_EQ(test, f->mem[PAGE_SIZE + 7], 0x11);
	KUNIT_EXPECT_EQ(test, f->mem[PAGE_SIZE + 8], 0x33);
	KUNIT_EXPECT_EQ(test, f->mem[2 * PAGE_SIZE - 1], 0x33);
	KUNIT_EXPECT_EQ(test, f->mem[2 * PAGE_SIZE], 0x11);
	unmap_single(test, addr, PAGE_SIZE, DMA_FROM_DEVICE);
	OPS(f)->sync_single_for_cpu(f->dev, addr, 8, DMA_FROM_DEVICE);
	KUNIT_EXPECT_EQ(test, faults(test), 1);
}

static void syncs_go_the_mapped_way(struct kunit *test)
{
	struct fixture *f = test->priv;
	dma_addr_t addr = map_single(test, 0, PAGE_SIZE, DMA_FROM_DEVICE);

	OPS(f)->sync_single_for_cpu(f->dev, addr, 8, DMA_BIDIRECTIONAL);
	OPS(f)->sync_single_for_device(f->dev, addr, 8, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, vivid_ext_kunit_count(test, f->dev,
						    "syncs_in_wrong_direction"),
			2);
	unmap_single(test, addr, PAGE_SIZE, DMA_FROM_DEVICE);
}

/* As dma-iommu: only so many entries of the CPU's side are carried. */
static void tables_have_the_entries_that_were_mapped(struct kunit *test)
{
	struct fixture *f = test->priv;

	map_sg(test, DMA_FROM_DEVICE);
	device_writes_table(test, 0x44);
	OPS(f)->sync_sg_for_cpu(f->dev, f->sgt.sgl, 1, DMA_FROM_DEVICE);
	KUNIT_EXPECT_EQ(test, violations(test), 1);
	KUNIT_EXPECT_EQ(test, f->mem[SIZE - 1], 0x44);
	KUNIT_EXPECT_EQ(test, f->mem[SIZE - PAGE_SIZE - 1], 0x11);
	/* More than there are don't lead it astray. */
	OPS(f)->sync_sg_for_cpu(f->dev, f->sgt.sgl, PAGES + 1,
				DMA_FROM_DEVICE);
	KUNIT_EXPECT_EQ(test, violations(test), 2);
	KUNIT_EXPECT_EQ(test, f->mem[0], 0x44);
	OPS(f)->unmap_sg(f->dev, f->sgt.sgl, PAGES + 1, DMA_FROM_DEVICE, 0);
	KUNIT_EXPECT_EQ(test, violations(test), 3);
	KUNIT_EXPECT_EQ(test, faults(test), 0);
}

/*
 * As dma-iommu: what the device sees as one piece isn't one for the CPU's
 * caches.
 */
static void single_pieces_are_contiguous(struct kunit *test)
{
	struct fixture *f = test->priv;
	dma_addr_t addr;

	if (!IS_ENABLED(CONFIG_NEED_SG_DMA_LENGTH))
		kunit_skip(test, "nothing is merged here");
	map_sg(test, DMA_FROM_DEVICE);
	addr = sg_dma_address(f->sgt.sgl);
	device_writes_table(test, 0x44);
	/* The last page of memory comes first. */
	OPS(f)->sync_single_for_cpu(f->dev, addr + 8, PAGE_SIZE - 8,
				    DMA_FROM_DEVICE);
	KUNIT_EXPECT_EQ(test, faults(test), 0);
	OPS(f)->sync_single_for_cpu(f->dev, addr + 8, PAGE_SIZE,
				    DMA_FROM_DEVICE);
	KUNIT_EXPECT_EQ(test, faults(test), 1);
	KUNIT_EXPECT_EQ(test, f->mem[SIZE - PAGE_SIZE + 7], 0x11);
	KUNIT_EXPECT_EQ(test, f->mem[SIZE - PAGE_SIZE + 8], 0x44);
	KUNIT_EXPECT_EQ(test, f->mem[SIZE - 1], 0x44);
	KUNIT_EXPECT_EQ(test, f->mem[SIZE - 2 * PAGE_SIZE], 0x11);
	unmap_sg(test, DMA_FROM_DEVICE);
	KUNIT_EXPECT_EQ(test, f->mem[0], 0x44);
	KUNIT_EXPECT_EQ(test, violations(test), 0);
}

/* The memory of a table must be the same too. */
static void tables_have_the_pages_that_were_mapped(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct page *page = sg_page(&f->sgt.sgl[1]);

	map_sg(test, DMA_FROM_DEVICE);
	sg_set_page(&f->sgt.sgl[1], sg_page(f->sgt.sgl), PAGE_SIZE, 0);
	OPS(f)->sync_sg_for_cpu(f->dev, f->sgt.sgl, PAGES, DMA_FROM_DEVICE);
	KUNIT_EXPECT_EQ(test, violations(test), 1);
	sg_set_page(&f->sgt.sgl[1], page, PAGE_SIZE, 0);
	unmap_sg(test, DMA_FROM_DEVICE);
	KUNIT_EXPECT_EQ(test, violations(test), 1);
}

static void kinds_are_not_mixed(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct scatterlist sg;
	dma_addr_t addr;

	/* A single mapping as a table. */
	addr = map_single(test, 0, PAGE_SIZE, DMA_FROM_DEVICE);
	sg_init_one(&sg, f->mem, PAGE_SIZE);
	sg_dma_address(&sg) = addr;
	sg_dma_len(&sg) = PAGE_SIZE;
	OPS(f)->sync_sg_for_cpu(f->dev, &sg, 1, DMA_FROM_DEVICE);
	KUNIT_EXPECT_EQ(test, violations(test), 1);
	unmap_single(test, addr, PAGE_SIZE, DMA_FROM_DEVICE);
	/* A table as a single mapping. */
	KUNIT_ASSERT_EQ(test, OPS(f)->map_sg(f->dev, &sg, 1, DMA_FROM_DEVICE,
					     0), 1);
	unmap_single(test, sg_dma_address(&sg), PAGE_SIZE, DMA_FROM_DEVICE);
	KUNIT_EXPECT_EQ(test, violations(test), 2);
	KUNIT_EXPECT_EQ(test, faults(test), 0);
}

static void unmaps_are_as_the_maps(struct kunit *test)
{
	struct fixture *f = test->priv;
	dma_addr_t addr = map_single(test, 0, 2 * PAGE_SIZE, DMA_FROM_DEVICE);

	/* Not from the middle, which leaves all where it is. */
	unmap_single(test, addr + PAGE_SIZE, PAGE_SIZE, DMA_FROM_DEVICE);
	KUNIT_EXPECT_EQ(test, faults(test), 1);
	device_writes(test, addr, 0x55);
	device_writes(test, addr + PAGE_SIZE, 0x55);
	/* Another length, and another direction. */
	unmap_single(test, addr, PAGE_SIZE, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, violations(test), 2);
	KUNIT_EXPECT_EQ(test, f->mem[PAGE_SIZE - 1], 0x55);
	KUNIT_EXPECT_EQ(test, f->mem[PAGE_SIZE], 0x11);
	/* And once. */
	unmap_single(test, addr, 2 * PAGE_SIZE, DMA_FROM_DEVICE);
	KUNIT_EXPECT_EQ(test, faults(test), 2);
	map_sg(test, DMA_TO_DEVICE);
	unmap_sg(test, DMA_TO_DEVICE);
	unmap_sg(test, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, faults(test), 3);
	KUNIT_EXPECT_EQ(test, violations(test), 2);
	map_sg(test, DMA_TO_DEVICE);
	unmap_sg(test, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, violations(test), 3);
}

/**
 * struct unmapping - an unmap in another thread
 * @f: the fixture, with its table mapped
 * @done: when it is over
 */
struct unmapping {
	struct fixture *f;
	struct completion done;
};

static int unmap_thread(void *data)
{
	struct unmapping *u = data;

	OPS(u->f)->unmap_sg(u->f->dev, u->f->sgt.sgl, PAGES,
			    DMA_BIDIRECTIONAL, DMA_ATTR_SKIP_CPU_SYNC);
	complete(&u->done);
	return 0;
}

/* Who is in the middle of a sync still has its memory, and it is told. */
static void an_unmap_waits_for_a_sync(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct unmapping u = { .f = f };
	struct sim_range *range;

	init_completion(&u.done);
	map_sg(test, DMA_BIDIRECTIONAL);
	range = vivid_ext_sim_begin(f->bus, sg_dma_address(f->sgt.sgl));
	KUNIT_ASSERT_NOT_NULL(test, range);
	KUNIT_ASSERT_FALSE(test, IS_ERR(kthread_run(unmap_thread, &u,
						    "unmap")));
	msleep(100);
	KUNIT_EXPECT_FALSE(test, completion_done(&u.done));
	KUNIT_EXPECT_EQ(test, violations(test), 1);
	KUNIT_EXPECT_EQ(test, range->num_pages,
			IS_ENABLED(CONFIG_NEED_SG_DMA_LENGTH) ? PAGES : 1);
	vivid_ext_sim_end(f->bus, range);
	KUNIT_EXPECT_GT(test, wait_for_completion_timeout(&u.done, 10 * HZ),
			0UL);
}

/* Two mappings of a page: each hands over what it is for, and when it goes. */
static void a_page_is_mapped_twice(struct kunit *test)
{
	struct fixture *f = test->priv;
	dma_addr_t to, from;

	to = map_single(test, 0, PAGE_SIZE, DMA_TO_DEVICE);
	from = map_single(test, 0, PAGE_SIZE, DMA_FROM_DEVICE);
	KUNIT_EXPECT_NE(test, to, from);
	device_writes(test, from, 0x66);
	unmap_single(test, to, PAGE_SIZE, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, f->mem[0], 0x11);
	/* What the CPU writes to what a device has is lost. */
	f->mem[0] = 0x77;
	unmap_single(test, from, PAGE_SIZE, DMA_FROM_DEVICE);
	KUNIT_EXPECT_EQ(test, f->mem[0], 0x66);
	KUNIT_EXPECT_EQ(test, violations(test), 0);
	KUNIT_EXPECT_EQ(test, faults(test), 0);
}

static void segments_keep_to_limits(struct kunit *test)
{
	struct fixture *f = test->priv;
	dma_addr_t addr[16];
	unsigned int i;

	dma_set_max_seg_size(f->dev, PAGE_SIZE);
	map_sg(test, DMA_TO_DEVICE);
	unmap_sg(test, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, violations(test), 0);
	dma_set_max_seg_size(f->dev, PAGE_SIZE / 2);
	map_sg(test, DMA_TO_DEVICE);
	unmap_sg(test, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, violations(test), 1);
	/* None lies across a boundary. */
	dma_set_max_seg_size(f->dev, UINT_MAX);
	dma_set_seg_boundary(f->dev, 4 * PAGE_SIZE - 1);
	for (i = 0; i < ARRAY_SIZE(addr); i++) {
		addr[i] = map_single(test, 0, 3 * PAGE_SIZE, DMA_TO_DEVICE);
		KUNIT_EXPECT_EQ(test, addr[i] / (4 * PAGE_SIZE),
				(addr[i] + 3 * PAGE_SIZE - 1) /
				(4 * PAGE_SIZE));
	}
	while (i--)
		unmap_single(test, addr[i], 3 * PAGE_SIZE, DMA_TO_DEVICE);
}

static void expect_counts(struct kunit *test, unsigned int maps,
			  unsigned int unmaps, unsigned int for_cpu,
			  unsigned int for_device)
{
	struct fixture *f = test->priv;

	KUNIT_EXPECT_EQ(test, vivid_ext_kunit_count(test, f->dev, "maps"),
			maps);
	KUNIT_EXPECT_EQ(test, vivid_ext_kunit_count(test, f->dev, "unmaps"),
			unmaps);
	KUNIT_EXPECT_EQ(test, vivid_ext_kunit_count(test, f->dev,
						    "syncs_for_cpu"), for_cpu);
	KUNIT_EXPECT_EQ(test, vivid_ext_kunit_count(test, f->dev,
						    "syncs_for_device"),
			for_device);
}

/* Each thing that the DMA API is asked for is one, whatever it is made of. */
static void calls_are_counted(struct kunit *test)
{
	struct fixture *f = test->priv;
	dma_addr_t addr;

	dma_set_max_seg_size(f->dev, PAGE_SIZE);
	map_sg(test, DMA_BIDIRECTIONAL);
	expect_counts(test, 1, 0, 0, 0);
	OPS(f)->sync_sg_for_cpu(f->dev, f->sgt.sgl, PAGES, DMA_BIDIRECTIONAL);
	expect_counts(test, 1, 0, 1, 0);
	OPS(f)->sync_sg_for_device(f->dev, f->sgt.sgl, PAGES,
				   DMA_BIDIRECTIONAL);
	expect_counts(test, 1, 0, 1, 1);
	unmap_sg(test, DMA_BIDIRECTIONAL);
	expect_counts(test, 1, 1, 1, 1);
	addr = map_single(test, 0, PAGE_SIZE, DMA_BIDIRECTIONAL);
	expect_counts(test, 2, 1, 1, 1);
	OPS(f)->sync_single_for_cpu(f->dev, addr, 8, DMA_BIDIRECTIONAL);
	expect_counts(test, 2, 1, 2, 1);
	OPS(f)->sync_single_for_device(f->dev, addr, 8, DMA_BIDIRECTIONAL);
	expect_counts(test, 2, 1, 2, 2);
	unmap_single(test, addr, PAGE_SIZE, DMA_BIDIRECTIONAL);
	expect_counts(test, 2, 2, 2, 2);
	KUNIT_EXPECT_EQ(test, violations(test), 0);
}

/* What was in the table before is nobody's. */
static void tables_come_as_they_are(struct kunit *test)
{
	struct fixture *f = test->priv;
	unsigned int i;

	if (!IS_ENABLED(CONFIG_NEED_SG_DMA_LENGTH))
		kunit_skip(test, "tables have one length for both sides");
	for (i = 0; i < PAGES; i++) {
		sg_dma_address(&f->sgt.sgl[i]) = i * PAGE_SIZE;
		sg_dma_len(&f->sgt.sgl[i]) = PAGE_SIZE;
	}
	map_sg(test, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, sg_dma_len(&f->sgt.sgl[1]), 0);
	unmap_sg(test, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, faults(test), 0);
	KUNIT_EXPECT_EQ(test, sg_dma_len(f->sgt.sgl), 0);
}

/* Of what is for the device too: exactly that, and to the last byte. */
static void what_is_synchronised_reaches_the_device(struct kunit *test)
{
	struct fixture *f = test->priv;
	dma_addr_t addr = map_single(test, 0, SIZE, DMA_TO_DEVICE);
	struct vivid_ext_view *view;
	u8 *bytes;

	view = vivid_ext_view_create_contig(f->dev, addr, SIZE, DMA_TO_DEVICE);
	KUNIT_ASSERT_FALSE(test, IS_ERR(view));
	bytes = vivid_ext_view_addr(view);
	memset(f->mem, 0x22, SIZE);
	OPS(f)->sync_single_for_device(f->dev, addr + PAGE_SIZE - 8, 16,
				       DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, bytes[PAGE_SIZE - 9], 0x11);
	KUNIT_EXPECT_EQ(test, bytes[PAGE_SIZE - 8], 0x22);
	KUNIT_EXPECT_EQ(test, bytes[PAGE_SIZE + 7], 0x22);
	KUNIT_EXPECT_EQ(test, bytes[PAGE_SIZE + 8], 0x11);
	vivid_ext_view_destroy(view);
	unmap_single(test, addr, SIZE, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, vivid_ext_kunit_count(test, f->dev,
						    "bytes_to_device"),
			SIZE + 16);
	KUNIT_EXPECT_EQ(test, violations(test), 0);
	KUNIT_EXPECT_EQ(test, faults(test), 0);
}

/* It is told what the driver has forgotten, and it can still come. */
static void what_is_left_is_counted(struct kunit *test)
{
	struct fixture *f = test->priv;

	map_sg(test, DMA_TO_DEVICE);
	get_device(f->dev);
	kunit_device_unregister(test, f->owner);
	f->owner = NULL;
	KUNIT_EXPECT_EQ(test, vivid_ext_kunit_count(test, f->dev,
						    "left_behind"),
			f->sgt.nents);
	unmap_sg(test, DMA_TO_DEVICE);
	put_device(f->dev);
}

/**
 * vivid_ext_kunit_rules_init - begin a test of a suite with this fixture
 * @test: the test
 *
 * Return: 0 or -ENOMEM.
 */
int vivid_ext_kunit_rules_init(struct kunit *test)
{
	struct fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);

	if (!f)
		return -ENOMEM;
	test->priv = f;
	f->mem = vivid_ext_kunit_add_memory(test, &f->sgt, PAGES);
	f->owner = vivid_ext_kunit_add_owner(test, "strict",
					     &vivid_ext_kunit_strict);
	f->dev = vivid_ext_bus_device(f->owner);
	f->bus = vivid_ext_simbus_of(f->dev);
	return 0;
}

static struct kunit_case rules_cases[] = {
	KUNIT_CASE(what_is_allowed_is),
	KUNIT_CASE(syncs_end_with_the_mapping),
	KUNIT_CASE(syncs_go_the_mapped_way),
	KUNIT_CASE(tables_have_the_entries_that_were_mapped),
	KUNIT_CASE(single_pieces_are_contiguous),
	KUNIT_CASE(tables_have_the_pages_that_were_mapped),
	KUNIT_CASE(kinds_are_not_mixed),
	KUNIT_CASE(unmaps_are_as_the_maps),
	KUNIT_CASE(an_unmap_waits_for_a_sync),
	KUNIT_CASE(a_page_is_mapped_twice),
	KUNIT_CASE(segments_keep_to_limits),
	KUNIT_CASE(calls_are_counted),
	KUNIT_CASE(tables_come_as_they_are),
	KUNIT_CASE(what_is_synchronised_reaches_the_device),
	KUNIT_CASE(what_is_left_is_counted),
	{}
};

static struct kunit_suite rules_suite = {
	.name = "vivid-ext-rules",
	.init = vivid_ext_kunit_rules_init,
	.test_cases = rules_cases,
};

kunit_test_suite(rules_suite);
