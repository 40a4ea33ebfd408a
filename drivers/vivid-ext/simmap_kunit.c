// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of what can be mapped on the simulated bus, at which addresses and in
 * how many segments.
 */
#include "simrules_kunit.h"

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

static struct kunit_case map_cases[] = {
	KUNIT_CASE(masks_are_kept_to),
	KUNIT_CASE(addresses_come_in_turn),
	{}
};

static struct kunit_suite map_suite = {
	.name = "vivid-ext-maps",
	.init = vivid_ext_kunit_rules_init,
	.test_cases = map_cases,
};

kunit_test_suite(map_suite);
