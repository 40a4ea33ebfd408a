// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of what can be mapped on the simulated bus, at which addresses and in
 * how many segments.
 */
#include "simrules_kunit.h"

/* The first page behind some memory that is none. */
static struct page *no_memory(struct page *memory)
{
	unsigned long pfn = page_to_pfn(memory);

	while (pfn_valid(pfn))
		pfn++;
	return pfn_to_page(pfn);
}

/* Errors of a driver's table are no mapping. */
static void what_is_no_memory_is_not_mapped(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct scatterlist *sgl = f->sgt.sgl;
	struct page *page = sg_page(&sgl[2]), *none = no_memory(page);

	KUNIT_EXPECT_EQ(test, OPS(f)->map_sg(f->dev, sgl, 0, DMA_TO_DEVICE, 0),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, OPS(f)->map_sg(f->dev, sgl, PAGES + 1,
					     DMA_TO_DEVICE, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, violations(test), 2);
	sgl[2].length = 0;
	KUNIT_EXPECT_EQ(test, OPS(f)->map_sg(f->dev, sgl, PAGES, DMA_TO_DEVICE,
					     0), -EINVAL);
	/* It ends where there is no memory any more. */
	sg_set_page(&sgl[2], none - 1, 2 * PAGE_SIZE, 0);
	KUNIT_EXPECT_EQ(test, OPS(f)->map_sg(f->dev, sgl, PAGES, DMA_TO_DEVICE,
					     0), -EINVAL);
	sg_set_page(&sgl[2], page, PAGE_SIZE, 0);
	KUNIT_EXPECT_EQ(test, violations(test), 4);
	KUNIT_EXPECT_EQ(test, vdb_dma_ops_map(OPS(f), f->dev, page, 0,
					      DMA_TO_DEVICE),
			DMA_MAPPING_ERROR);
	KUNIT_EXPECT_EQ(test, vdb_dma_ops_map(OPS(f), f->dev, none,
					      PAGE_SIZE, DMA_TO_DEVICE),
			DMA_MAPPING_ERROR);
	KUNIT_EXPECT_EQ(test, violations(test), 6);
	KUNIT_EXPECT_EQ(test, dma_map_resource(f->dev, page_to_phys(page),
					       PAGE_SIZE, DMA_TO_DEVICE, 0),
			DMA_MAPPING_ERROR);
	KUNIT_EXPECT_EQ(test, vivid_ext_kunit_count(test, f->dev, "maps"), 0);
	KUNIT_EXPECT_EQ(test, f->bus->given, 0);
}

/* An entry's offset may be any number. */
static void offsets_go_beyond_a_page(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct scatterlist sg;
	dma_addr_t addr;

	sg_init_table(&sg, 1);
	sg_set_page(&sg, virt_to_page(f->mem), PAGE_SIZE, 2 * PAGE_SIZE + 16);
	KUNIT_ASSERT_EQ(test, OPS(f)->map_sg(f->dev, &sg, 1, DMA_FROM_DEVICE,
					     0), 1);
	addr = sg_dma_address(&sg);
	KUNIT_EXPECT_EQ(test, offset_in_page(addr), 16);
	KUNIT_EXPECT_EQ(test, sg_dma_len(&sg), PAGE_SIZE);
	device_writes(test, addr, 0x33);
	device_writes(test, addr + PAGE_SIZE - 1, 0x44);
	OPS(f)->sync_sg_for_cpu(f->dev, &sg, 1, DMA_FROM_DEVICE);
	KUNIT_EXPECT_EQ(test, f->mem[2 * PAGE_SIZE + 15], 0x11);
	KUNIT_EXPECT_EQ(test, f->mem[2 * PAGE_SIZE + 16], 0x33);
	KUNIT_EXPECT_EQ(test, f->mem[3 * PAGE_SIZE - 1], 0x33);
	KUNIT_EXPECT_EQ(test, f->mem[3 * PAGE_SIZE + 15], 0x44);
	KUNIT_EXPECT_EQ(test, f->mem[3 * PAGE_SIZE + 16], 0x11);
	OPS(f)->unmap_sg(f->dev, &sg, 1, DMA_FROM_DEVICE, 0);
	KUNIT_EXPECT_EQ(test, vivid_ext_kunit_count(test, f->dev,
						    "bytes_to_cpu"),
			2 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, violations(test), 0);
	KUNIT_EXPECT_EQ(test, faults(test), 0);
}

/* Two mappings of one table, as each has some of the entries. */
static void a_part_of_a_table_is_mapped(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct scatterlist *sgl = f->sgt.sgl;

	KUNIT_ASSERT_GT(test, OPS(f)->map_sg(f->dev, &sgl[2], 2,
					     DMA_FROM_DEVICE, 0), 0);
	KUNIT_ASSERT_GT(test, OPS(f)->map_sg(f->dev, sgl, 2, DMA_FROM_DEVICE,
					     0), 0);
	device_writes(test, sg_dma_address(&sgl[2]) + PAGE_SIZE, 0x55);
	OPS(f)->unmap_sg(f->dev, sgl, 2, DMA_FROM_DEVICE, 0);
	KUNIT_EXPECT_EQ(test, f->mem[0], 0x11);
	OPS(f)->unmap_sg(f->dev, &sgl[2], 2, DMA_FROM_DEVICE, 0);
	KUNIT_EXPECT_EQ(test, f->mem[0], 0x55);
	KUNIT_EXPECT_EQ(test, f->mem[PAGE_SIZE - 1], 0x55);
	KUNIT_EXPECT_EQ(test, violations(test), 0);
	KUNIT_EXPECT_EQ(test, faults(test), 0);
	KUNIT_EXPECT_EQ(test, f->bus->given, 0);
}

static void expect_segments(struct kunit *test, int n, const unsigned int *pages)
{
	struct fixture *f = test->priv;
	unsigned long boundary = dma_get_seg_boundary(f->dev);
	struct scatterlist *sg;
	unsigned int i, at = 0;

	KUNIT_ASSERT_EQ(test, OPS(f)->map_sg(f->dev, f->sgt.sgl, PAGES,
					     DMA_BIDIRECTIONAL, 0), n);
	f->sgt.nents = n;
	for_each_sgtable_dma_sg(&f->sgt, sg, i) {
		dma_addr_t first = sg_dma_address(sg);
		dma_addr_t last = first + sg_dma_len(sg) - 1;

		KUNIT_EXPECT_EQ(test, sg_dma_len(sg), pages[i] * PAGE_SIZE);
		KUNIT_EXPECT_EQ(test, first & ~(u64)boundary,
				last & ~(u64)boundary);
	}
	/* The device sees the pages in the table's order. */
	for (at = 0; at < PAGES; at++)
		KUNIT_EXPECT_EQ(test, vivid_ext_kunit_read(test, f->dev,
							   &f->sgt,
							   at * PAGE_SIZE),
				PAGES - 1 - at);
	OPS(f)->unmap_sg(f->dev, f->sgt.sgl, PAGES, DMA_BIDIRECTIONAL, 0);
	KUNIT_EXPECT_EQ(test, faults(test), 0);
}

/* An IOMMU makes no more of it than the device takes. */
static void entries_become_segments(struct kunit *test)
{
	static const unsigned int all[] = { 4 }, two[] = { 2, 2 },
				  three[] = { 3, 1 }, one[] = { 1, 1, 1, 1 };
	struct fixture *f = test->priv;
	unsigned int i;

	if (!IS_ENABLED(CONFIG_NEED_SG_DMA_LENGTH))
		kunit_skip(test, "nothing is merged here");
	for (i = 0; i < PAGES; i++)
		memset(f->mem + i * PAGE_SIZE, i, PAGE_SIZE);
	expect_segments(test, 1, all);
	dma_set_seg_boundary(f->dev, 4 * PAGE_SIZE - 1);
	expect_segments(test, 1, all);
	dma_set_seg_boundary(f->dev, 2 * PAGE_SIZE - 1);
	expect_segments(test, 2, two);
	dma_set_seg_boundary(f->dev, 8 * PAGE_SIZE - 1);
	dma_set_max_seg_size(f->dev, 4 * PAGE_SIZE - 1);
	expect_segments(test, 2, three);
	dma_set_max_seg_size(f->dev, 2 * PAGE_SIZE);
	expect_segments(test, 2, two);
	dma_set_max_seg_size(f->dev, PAGE_SIZE);
	expect_segments(test, 4, one);
	KUNIT_EXPECT_EQ(test, violations(test), 0);
	dma_set_max_seg_size(f->dev, PAGE_SIZE - 1);
	expect_segments(test, 4, one);
	KUNIT_EXPECT_EQ(test, violations(test), 1);
	dma_set_max_seg_size(f->dev, UINT_MAX);
	dma_set_seg_boundary(f->dev, PAGE_SIZE - 1);
	expect_segments(test, 4, one);
	KUNIT_EXPECT_EQ(test, violations(test), 1);
}

/* Not to what begins or ends within a page can anything be added. */
static void holes_end_segments(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct scatterlist *sgl = f->sgt.sgl;

	sgl[0].offset = 16;
	sgl[0].length = PAGE_SIZE - 16;
	sgl[1].length = PAGE_SIZE - 16;
	sgl[3].offset = 16;
	sgl[3].length = 16;
	KUNIT_ASSERT_EQ(test, OPS(f)->map_sg(f->dev, sgl, PAGES,
					     DMA_FROM_DEVICE, 0),
			IS_ENABLED(CONFIG_NEED_SG_DMA_LENGTH) ? 3 : 4);
	if (IS_ENABLED(CONFIG_NEED_SG_DMA_LENGTH)) {
		KUNIT_EXPECT_EQ(test, sg_dma_len(&sgl[0]), 2 * PAGE_SIZE - 32);
		KUNIT_EXPECT_EQ(test, sg_dma_len(&sgl[1]), PAGE_SIZE);
		KUNIT_EXPECT_EQ(test, sg_dma_len(&sgl[2]), 16);
		device_writes(test, sg_dma_address(&sgl[0]), 0x22);
		device_writes(test, sg_dma_address(&sgl[0]) + PAGE_SIZE, 0x33);
		device_writes(test, sg_dma_address(&sgl[2]), 0x44);
	}
	OPS(f)->unmap_sg(f->dev, sgl, PAGES, DMA_FROM_DEVICE, 0);
	if (IS_ENABLED(CONFIG_NEED_SG_DMA_LENGTH)) {
		KUNIT_EXPECT_EQ(test, f->mem[3 * PAGE_SIZE + 15], 0x11);
		KUNIT_EXPECT_EQ(test, f->mem[3 * PAGE_SIZE + 16], 0x22);
		KUNIT_EXPECT_EQ(test, f->mem[3 * PAGE_SIZE - 17], 0x33);
		KUNIT_EXPECT_EQ(test, f->mem[3 * PAGE_SIZE - 16], 0x11);
		KUNIT_EXPECT_EQ(test, f->mem[15], 0x11);
		KUNIT_EXPECT_EQ(test, f->mem[16], 0x44);
		KUNIT_EXPECT_EQ(test, f->mem[32], 0x11);
	}
	KUNIT_EXPECT_EQ(test, violations(test), 0);
	KUNIT_EXPECT_EQ(test, faults(test), 0);
}

/* Longer than the boundary, or across one because of where it begins. */
static void entries_fit_the_boundary(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct scatterlist sg;

	dma_set_seg_boundary(f->dev, 2 * PAGE_SIZE - 1);
	sg_init_table(&sg, 1);
	sg_set_page(&sg, virt_to_page(f->mem), 2 * PAGE_SIZE, 0);
	KUNIT_EXPECT_EQ(test, OPS(f)->map_sg(f->dev, &sg, 1, DMA_TO_DEVICE, 0),
			1);
	OPS(f)->unmap_sg(f->dev, &sg, 1, DMA_TO_DEVICE, 0);
	KUNIT_EXPECT_EQ(test, violations(test), 0);
	sg_set_page(&sg, virt_to_page(f->mem), 2 * PAGE_SIZE, 1);
	KUNIT_EXPECT_EQ(test, OPS(f)->map_sg(f->dev, &sg, 1, DMA_TO_DEVICE, 0),
			1);
	OPS(f)->unmap_sg(f->dev, &sg, 1, DMA_TO_DEVICE, 0);
	KUNIT_EXPECT_EQ(test, violations(test), 1);
}

/* A table is given back, and synchronised, as the device's side was made. */
static void segments_are_as_they_were_made(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct scatterlist *sgl = f->sgt.sgl;
	dma_addr_t addr;

	dma_set_max_seg_size(f->dev, PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, OPS(f)->map_sg(f->dev, sgl, PAGES, DMA_TO_DEVICE,
					     0), PAGES);
	addr = sg_dma_address(&sgl[3]);
	OPS(f)->sync_sg_for_device(f->dev, sgl, PAGES, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, violations(test), 0);
	if (IS_ENABLED(CONFIG_NEED_SG_DMA_LENGTH)) {
		sg_dma_len(&sgl[3]) = 16;
		OPS(f)->sync_sg_for_device(f->dev, sgl, PAGES, DMA_TO_DEVICE);
		KUNIT_EXPECT_EQ(test, violations(test), 1);
		sg_dma_len(&sgl[3]) = PAGE_SIZE;
	} else {
		vivid_ext_sim_violation(f->bus, "as many of them");
	}
	/* Somewhere else in the table, or of another mapping. */
	sg_dma_address(&sgl[3]) = sg_dma_address(&sgl[2]);
	OPS(f)->sync_sg_for_cpu(f->dev, sgl, PAGES, DMA_TO_DEVICE);
	KUNIT_EXPECT_GE(test, violations(test), 2);
	sg_dma_address(&sgl[3]) = map_single(test, 0, PAGE_SIZE, DMA_TO_DEVICE);
	OPS(f)->unmap_sg(f->dev, sgl, PAGES, DMA_TO_DEVICE, 0);
	KUNIT_EXPECT_GE(test, violations(test), 3);
	/* The right one is what is left. */
	unmap_single(test, addr, PAGE_SIZE, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, f->bus->given, 0);
	KUNIT_EXPECT_EQ(test, faults(test), 0);
}

/* Its addresses have the bits of its mask, then and now. */
static void masks_are_kept_to(struct kunit *test)
{
	static const struct vivid_ext_bus_config few = {
		false, true, 24, UINT_MAX, UINT_MAX
	};
	struct fixture *f = test->priv;
	struct vivid_ext_bus_window window;
	struct device *dev;
	dma_addr_t addr;

	addr = map_single(test, 0, PAGE_SIZE, DMA_TO_DEVICE);
	KUNIT_EXPECT_GE(test, addr, 1ULL << 32);
	unmap_single(test, addr, PAGE_SIZE, DMA_TO_DEVICE);
	KUNIT_ASSERT_EQ(test, dma_set_mask(f->dev, DMA_BIT_MASK(26)), 0);
	addr = map_single(test, 0, PAGE_SIZE, DMA_TO_DEVICE);
	KUNIT_EXPECT_LT(test, addr, 1ULL << 26);
	unmap_single(test, addr, PAGE_SIZE, DMA_TO_DEVICE);

	/* Lines that aren't there don't come of saying so. */
	dev = vivid_ext_kunit_add_device(test, "few", &few);
	f->dev = dev;
	addr = map_single(test, 0, PAGE_SIZE, DMA_TO_DEVICE);
	f->bus = vivid_ext_simbus_of(dev);
	KUNIT_EXPECT_TRUE(test, vivid_ext_simbus_find(f->bus, addr, &window));
	vivid_ext_simbus_put(f->bus, window.page);
	unmap_single(test, addr, PAGE_SIZE, DMA_TO_DEVICE);
	KUNIT_ASSERT_EQ(test, dma_set_mask(dev, DMA_BIT_MASK(64)), 0);
	addr = map_single(test, 0, PAGE_SIZE, DMA_TO_DEVICE);
	KUNIT_EXPECT_FALSE(test, vivid_ext_simbus_find(f->bus, addr, &window));
	unmap_single(test, addr, PAGE_SIZE, DMA_TO_DEVICE);
}

/* Up to the last address, and then from the start; none is given twice. */
static void addresses_come_in_turn(struct kunit *test)
{
	struct fixture *f = test->priv;
	dma_addr_t kept, addr, last = 0;
	unsigned int i, laps = 0;

	KUNIT_ASSERT_EQ(test, dma_set_mask(f->dev, DMA_BIT_MASK(16)), 0);
	kept = map_single(test, 0, PAGE_SIZE, DMA_TO_DEVICE);
	for (i = 0; i < 40; i++) {
		addr = map_single(test, 0, 2 * PAGE_SIZE, DMA_TO_DEVICE);
		KUNIT_EXPECT_GE(test, addr, 0x3000);
		KUNIT_EXPECT_LT(test, addr + 2 * PAGE_SIZE, 1ULL << 16);
		/* There is a page between them. */
		KUNIT_EXPECT_TRUE(test, addr > kept + PAGE_SIZE ||
				  addr + 2 * PAGE_SIZE < kept);
		KUNIT_EXPECT_NE(test, addr, last);
		laps += addr < last;
		last = addr;
		unmap_single(test, addr, 2 * PAGE_SIZE, DMA_TO_DEVICE);
	}
	KUNIT_EXPECT_GE(test, laps, 8);
	/* Too much for so few bits. */
	KUNIT_EXPECT_EQ(test, vdb_dma_ops_map(OPS(f), f->dev,
					      virt_to_page(f->mem),
					      16 * PAGE_SIZE, DMA_TO_DEVICE),
			DMA_MAPPING_ERROR);
	unmap_single(test, kept, PAGE_SIZE, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, f->bus->given, 0);
}

/* The next one of so many pages: where it comes to lie, by page number. */
static unsigned long place(struct kunit *test, unsigned long next,
			   unsigned int pages)
{
	struct fixture *f = test->priv;
	dma_addr_t addr;

	f->bus->ranges.next = next;
	addr = map_single(test, 0, pages * PAGE_SIZE, DMA_TO_DEVICE);
	unmap_single(test, addr, pages * PAGE_SIZE, DMA_TO_DEVICE);
	return addr >> PAGE_SHIFT;
}

/* With the page behind a range that stays free. */
static void addresses_end_somewhere(struct kunit *test)
{
	struct fixture *f = test->priv;
	const unsigned long first = 0x100000, last = 0xfffffffff;

	KUNIT_EXPECT_EQ(test, place(test, 0, 1), first);
	KUNIT_EXPECT_EQ(test, place(test, first + 7, 1), first + 7);
	KUNIT_EXPECT_EQ(test, f->bus->ranges.next, first + 7 + 2);
	KUNIT_EXPECT_EQ(test, place(test, last - 3, 3), last - 3);
	KUNIT_EXPECT_EQ(test, place(test, last - 2, 3), first);
	KUNIT_EXPECT_EQ(test, place(test, last, 1), first);
	KUNIT_ASSERT_EQ(test, dma_set_mask(f->dev, DMA_BIT_MASK(24)), 0);
	KUNIT_EXPECT_EQ(test, place(test, 0, 1), 0xfff / 4);
	KUNIT_EXPECT_EQ(test, place(test, 0xfff - 3, 3), 0xfff - 3);
	KUNIT_EXPECT_EQ(test, place(test, 0xfff - 2, 3), 0xfff / 4);
	KUNIT_EXPECT_EQ(test, place(test, last, 1), 0xfff / 4);
	KUNIT_EXPECT_EQ(test, violations(test), 0);
}

/* Between others, and where the boundary lets them. */
static void addresses_are_in_nobodys_way(struct kunit *test)
{
	struct fixture *f = test->priv;
	const unsigned long at = 0x100100;
	dma_addr_t kept;

	f->bus->ranges.next = at + 4;
	kept = map_single(test, 0, 2 * PAGE_SIZE, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, kept, (dma_addr_t)(at + 4) << PAGE_SHIFT);
	KUNIT_EXPECT_EQ(test, place(test, at, 3), at);
	KUNIT_EXPECT_EQ(test, place(test, at + 1, 3), at + 7);
	KUNIT_EXPECT_EQ(test, place(test, at + 6, 1), at + 7);
	dma_set_seg_boundary(f->dev, 4 * PAGE_SIZE - 1);
	KUNIT_EXPECT_EQ(test, place(test, at + 8, 4), at + 8);
	KUNIT_EXPECT_EQ(test, place(test, at + 9, 4), at + 12);
	KUNIT_EXPECT_EQ(test, place(test, at + 9, 3), at + 9);
	KUNIT_EXPECT_EQ(test, place(test, at + 10, 3), at + 12);
	KUNIT_EXPECT_EQ(test, place(test, at + 11, 1), at + 11);
	unmap_single(test, kept, 2 * PAGE_SIZE, DMA_TO_DEVICE);
}

/* Without an IOMMU it must reach the last byte itself. */
static void memory_is_in_reach(struct kunit *test)
{
	static const struct vivid_ext_bus_config memory = {
		false, false, 64, UINT_MAX, UINT_MAX
	};
	struct fixture *f = test->priv;
	u64 last = virt_to_phys(f->mem) + SIZE - 1;
	dma_addr_t addr;

	f->dev = vivid_ext_kunit_add_device(test, "memory", &memory);
	KUNIT_ASSERT_EQ(test, dma_set_mask(f->dev, last), 0);
	addr = map_single(test, 0, SIZE, DMA_TO_DEVICE);
	unmap_single(test, addr, SIZE, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, vivid_ext_kunit_count(test, f->dev, "refusals"),
			0);
	KUNIT_ASSERT_EQ(test, dma_set_mask(f->dev, last - 1), 0);
	KUNIT_EXPECT_EQ(test, vdb_dma_ops_map(OPS(f), f->dev,
					      virt_to_page(f->mem), SIZE,
					      DMA_TO_DEVICE),
			DMA_MAPPING_ERROR);
	KUNIT_EXPECT_EQ(test, OPS(f)->map_sg(f->dev, f->sgt.sgl, PAGES,
					     DMA_TO_DEVICE, 0), -EIO);
	KUNIT_EXPECT_EQ(test, vivid_ext_kunit_count(test, f->dev, "refusals"),
			2);
	addr = map_single(test, 0, SIZE - 1, DMA_TO_DEVICE);
	unmap_single(test, addr, SIZE - 1, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, vivid_ext_simbus_of(f->dev)->given, 0);
}

static struct kunit_case map_cases[] = {
	KUNIT_CASE(what_is_no_memory_is_not_mapped),
	KUNIT_CASE(offsets_go_beyond_a_page),
	KUNIT_CASE(a_part_of_a_table_is_mapped),
	KUNIT_CASE(entries_become_segments),
	KUNIT_CASE(holes_end_segments),
	KUNIT_CASE(entries_fit_the_boundary),
	KUNIT_CASE(segments_are_as_they_were_made),
	KUNIT_CASE(masks_are_kept_to),
	KUNIT_CASE(addresses_come_in_turn),
	KUNIT_CASE(addresses_end_somewhere),
	KUNIT_CASE(addresses_are_in_nobodys_way),
	KUNIT_CASE(memory_is_in_reach),
	{}
};

static struct kunit_suite map_suite = {
	.name = "vivid-ext-maps",
	.init = vivid_ext_kunit_rules_init,
	.test_cases = map_cases,
};

kunit_test_suite(map_suite);
