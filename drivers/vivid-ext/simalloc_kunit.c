// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of coherent memory on the simulated bus: what a driver says of it must
 * be what it was told.
 */
#include <linux/gfp.h>

#include "simrules_kunit.h"

/* What is freed is what was allocated, once. */
static void frees_are_as_the_allocations(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct page *page;
	dma_addr_t addr;
	u8 *vaddr;

	vaddr = OPS(f)->alloc(f->dev, SIZE, &addr, GFP_KERNEL, 0);
	KUNIT_ASSERT_NOT_NULL(test, vaddr);
	page = virt_to_page(vaddr);
	get_page(page);
	unmap_single(test, addr, SIZE, DMA_BIDIRECTIONAL);
	OPS(f)->free(f->dev, SIZE, vaddr + PAGE_SIZE, addr + PAGE_SIZE, 0);
	KUNIT_EXPECT_EQ(test, faults(test), 2);
	KUNIT_EXPECT_EQ(test, page_count(page), 2);
	OPS(f)->free(f->dev, PAGE_SIZE, f->mem, addr, 0);
	KUNIT_EXPECT_EQ(test, violations(test), 2);
	KUNIT_EXPECT_EQ(test, page_count(page), 1);
	OPS(f)->free(f->dev, SIZE, vaddr, addr, 0);
	KUNIT_EXPECT_EQ(test, faults(test), 3);
	KUNIT_EXPECT_EQ(test, page_count(page), 1);
	put_page(page);
	addr = map_single(test, 0, PAGE_SIZE, DMA_TO_DEVICE);
	OPS(f)->free(f->dev, PAGE_SIZE, f->mem, addr, 0);
	KUNIT_EXPECT_EQ(test, faults(test), 4);
	unmap_single(test, addr, PAGE_SIZE, DMA_TO_DEVICE);
}

/* The bits for allocations are another number than those for mappings. */
static void it_has_a_mask_of_its_own(struct kunit *test)
{
	struct fixture *f = test->priv;
	dma_addr_t addr, mapped;
	void *vaddr;

	KUNIT_ASSERT_EQ(test, dma_set_coherent_mask(f->dev, DMA_BIT_MASK(26)),
			0);
	vaddr = OPS(f)->alloc(f->dev, SIZE, &addr, GFP_KERNEL, 0);
	KUNIT_ASSERT_NOT_NULL(test, vaddr);
	KUNIT_EXPECT_LT(test, addr + SIZE - 1, 1ULL << 26);
	mapped = map_single(test, 0, SIZE, DMA_TO_DEVICE);
	KUNIT_EXPECT_GE(test, mapped, 1ULL << 26);
	unmap_single(test, mapped, SIZE, DMA_TO_DEVICE);
	OPS(f)->free(f->dev, SIZE, vaddr, addr, 0);
}

static struct kunit_case alloc_cases[] = {
	KUNIT_CASE(frees_are_as_the_allocations),
	KUNIT_CASE(it_has_a_mask_of_its_own),
	{}
};

static struct kunit_suite alloc_suite = {
	.name = "vivid-ext-allocations",
	.init = vivid_ext_kunit_rules_init,
	.test_cases = alloc_cases,
};

kunit_test_suite(alloc_suite);
