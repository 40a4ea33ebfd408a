// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of a device's view of a buffer: which bytes it has, how long it is one
 * of what is mapped, and what is said of it.
 */
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/seq_file.h>

#include "simrules_kunit.h"

static const struct vivid_ext_bus_config
	real = { true, false, 64, UINT_MAX, UINT_MAX },
	memory = { false, false, 64, UINT_MAX, UINT_MAX },
	coherent = { true, true, 64, UINT_MAX, UINT_MAX };

static struct vivid_ext_view *view_of(struct kunit *test, dma_addr_t addr,
				      size_t size,
				      enum dma_data_direction dir)
{
	struct fixture *f = test->priv;
	struct vivid_ext_view *view;

	view = vivid_ext_view_create_contig(f->dev, addr, size, dir);
	KUNIT_ASSERT_FALSE(test, IS_ERR(view));
	return view;
}

static void expect_no_view(struct kunit *test, struct device *dev,
			   struct sg_table *sgt, size_t size)
{
	struct vivid_ext_view *view;

	view = vivid_ext_view_create(dev, sgt, size, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(view), -EINVAL);
	if (!IS_ERR_OR_NULL(view))
		vivid_ext_view_destroy(view);
}

static void expect_no_view_at(struct kunit *test, struct device *dev,
			      dma_addr_t addr, size_t size)
{
	struct scatterlist sg;
	struct sg_table sgt = { .sgl = &sg, .nents = 1, .orig_nents = 1 };

	sg_init_table(&sg, 1);
	sg_dma_address(&sg) = addr;
	sg_dma_len(&sg) = size;
	expect_no_view(test, dev, &sgt, size);
}

/* To the last one, which is alone in its page. */
static void it_has_all_bytes(struct kunit *test)
{
	const size_t size = 2 * PAGE_SIZE + 1;
	struct fixture *f = test->priv;
	dma_addr_t addr = map_single(test, 0, size, DMA_BIDIRECTIONAL);
	struct vivid_ext_view *view = view_of(test, addr, size,
					      DMA_FROM_DEVICE);
	u8 *bytes = vivid_ext_view_addr(view);

	KUNIT_EXPECT_PTR_EQ(test, memchr_inv(bytes, 0x11, size), NULL);
	bytes[0] = 0x22;
	bytes[size - 1] = 0x33;
	vivid_ext_view_destroy(view);
	unmap_single(test, addr, size, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, f->mem[0], 0x22);
	KUNIT_EXPECT_EQ(test, f->mem[1], 0x11);
	KUNIT_EXPECT_EQ(test, f->mem[size - 1], 0x33);
	KUNIT_EXPECT_EQ(test, f->mem[size], 0x11);
}

static void what_is_not_covered_has_none(struct kunit *test)
{
	struct fixture *f = test->priv;
	dma_addr_t addr = map_single(test, 0, SIZE, DMA_TO_DEVICE);
	struct scatterlist *sgl = f->sgt.sgl;
	struct vivid_ext_view *view;
	unsigned int i;

	expect_no_view_at(test, f->dev, addr, 0);
	expect_no_view_at(test, f->dev, addr, SIZE + 1);
	expect_no_view_at(test, f->dev, addr + 16, PAGE_SIZE);
	for (i = 0; i < PAGES; i++) {
		sg_dma_address(&sgl[i]) = addr + i * PAGE_SIZE;
		sg_dma_len(&sgl[i]) = PAGE_SIZE;
	}
	expect_no_view(test, f->dev, &f->sgt, SIZE + 1);
	/* A hole may be behind the last byte, but not before it. */
	sg_dma_len(&sgl[2]) = 16;
	expect_no_view(test, f->dev, &f->sgt, 2 * PAGE_SIZE + 17);
	view = vivid_ext_view_create(f->dev, &f->sgt, 2 * PAGE_SIZE + 16,
				     DMA_TO_DEVICE);
	KUNIT_ASSERT_FALSE(test, IS_ERR(view));
	KUNIT_EXPECT_EQ(test, vivid_ext_view_begin(view, DMA_TO_DEVICE), 0);
	vivid_ext_view_destroy(view);
	unmap_single(test, addr, SIZE, DMA_TO_DEVICE);
	expect_no_view_at(test, f->dev, addr, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, faults(test), 0);
}

/* Each of its mappings must be there, and be the one it was made from. */
static void it_is_of_its_mappings(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct scatterlist *sgl = f->sgt.sgl;
	struct vivid_ext_view *view;
	dma_addr_t again;
	unsigned int i;

	for (i = 0; i < PAGES; i++) {
		sg_dma_address(&sgl[i]) = map_single(test, i, PAGE_SIZE,
						     DMA_FROM_DEVICE);
		sg_dma_len(&sgl[i]) = PAGE_SIZE;
	}
	view = vivid_ext_view_create(f->dev, &f->sgt, SIZE, DMA_FROM_DEVICE);
	KUNIT_ASSERT_FALSE(test, IS_ERR(view));
	KUNIT_EXPECT_EQ(test, vivid_ext_view_begin(view, DMA_FROM_DEVICE), 0);
	KUNIT_EXPECT_EQ(test, vivid_ext_view_begin(view, DMA_TO_DEVICE),
			-EFAULT);
	for (i = 0; i < PAGES; i++) {
		unmap_single(test, sg_dma_address(&sgl[PAGES - 1 - i]),
			     PAGE_SIZE, DMA_FROM_DEVICE);
		KUNIT_EXPECT_EQ(test, vivid_ext_view_begin(view,
							   DMA_FROM_DEVICE),
				-EFAULT);
		KUNIT_EXPECT_EQ(test, faults(test), 2 + i);
	}
	/* The same addresses, but not the same mappings. */
	f->bus->ranges.next = sg_dma_address(sgl) >> PAGE_SHIFT;
	for (i = 0; i < PAGES; i++) {
		again = map_single(test, i, PAGE_SIZE, DMA_FROM_DEVICE);
		KUNIT_EXPECT_EQ(test, again, sg_dma_address(&sgl[i]));
	}
	KUNIT_EXPECT_EQ(test, vivid_ext_view_begin(view, DMA_FROM_DEVICE),
			-EFAULT);
	KUNIT_EXPECT_EQ(test, faults(test), 2 + PAGES);
	vivid_ext_view_destroy(view);
	for (i = 0; i < PAGES; i++)
		unmap_single(test, sg_dma_address(&sgl[i]), PAGE_SIZE,
			     DMA_FROM_DEVICE);
}

/* A mapping has one number as long as it is there, and no other one has it. */
static void mappings_have_numbers(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct vivid_ext_bus_window window = { .id = 77 };
	u64 ids[3];
	dma_addr_t addr;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		addr = map_single(test, 0, 2 * PAGE_SIZE, DMA_FROM_DEVICE);
		KUNIT_ASSERT_TRUE(test, vivid_ext_simbus_find(f->bus, addr,
							      &window));
		vivid_ext_simbus_put(f->bus, window.page);
		ids[i] = window.id;
		KUNIT_EXPECT_EQ(test, window.dir, DMA_FROM_DEVICE);
		KUNIT_EXPECT_EQ(test, window.pfn,
				page_to_pfn(virt_to_page(f->mem)));
		window.id = 77;
		KUNIT_ASSERT_TRUE(test, vivid_ext_simbus_find(f->bus,
							      addr + PAGE_SIZE,
							      &window));
		vivid_ext_simbus_put(f->bus, window.page);
		KUNIT_EXPECT_EQ(test, window.id, ids[i]);
		KUNIT_EXPECT_EQ(test, window.pfn,
				page_to_pfn(virt_to_page(f->mem)) + 1);
		unmap_single(test, addr, 2 * PAGE_SIZE, DMA_FROM_DEVICE);
	}
	KUNIT_EXPECT_EQ(test, ids[0], 1);
	KUNIT_EXPECT_EQ(test, ids[1], 2);
	KUNIT_EXPECT_EQ(test, ids[2], 3);
}

/* What a view takes of a page it gives back; of memory itself it takes none. */
static void pages_are_held_and_let_go(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct device *other = vivid_ext_kunit_add_device(test, "coherent",
							  &coherent);
	struct vivid_ext_simbus *bus = vivid_ext_simbus_of(other);
	dma_addr_t addr = map_single(test, 0, SIZE, DMA_TO_DEVICE);
	struct vivid_ext_bus_window window;
	struct vivid_ext_view *view;

	KUNIT_ASSERT_TRUE(test, vivid_ext_simbus_find(f->bus, addr + PAGE_SIZE,
						      &window));
	KUNIT_EXPECT_EQ(test, page_count(window.page), 2);
	view = view_of(test, addr, PAGE_SIZE, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, vivid_ext_view_stray(view, f->dev,
						   DMA_TO_DEVICE), -EFAULT);
	vivid_ext_view_destroy(view);
	view = view_of(test, addr, SIZE, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, page_count(window.page), 3);
	KUNIT_EXPECT_EQ(test, vivid_ext_view_begin(view, DMA_TO_DEVICE), 0);
	expect_no_view_at(test, f->dev, addr, SIZE + 1);
	KUNIT_EXPECT_EQ(test, page_count(window.page), 3);
	vivid_ext_view_destroy(view);
	KUNIT_EXPECT_EQ(test, page_count(window.page), 2);
	/* A shadow without a mapping is the last one's who has it. */
	unmap_single(test, addr, SIZE, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, page_count(window.page), 1);
	vivid_ext_simbus_put(f->bus, window.page);

	KUNIT_ASSERT_EQ(test, dma_map_sgtable(other, &f->sgt, DMA_TO_DEVICE,
					      0), 0);
	KUNIT_ASSERT_TRUE(test,
			  vivid_ext_simbus_find(bus,
						sg_dma_address(f->sgt.sgl),
						&window));
	KUNIT_EXPECT_PTR_EQ(test, window.page, sg_page(f->sgt.sgl));
	KUNIT_EXPECT_EQ(test, page_count(window.page), 1);
	vivid_ext_simbus_put(bus, window.page);
	KUNIT_EXPECT_EQ(test, page_count(window.page), 1);
	dma_unmap_sgtable(other, &f->sgt, DMA_TO_DEVICE, 0);
}

/* What a device leaves behind is nobody's: the next one begins anew. */
static void a_shadow_goes_with_its_last_mapping(struct kunit *test)
{
	struct fixture *f = test->priv;
	dma_addr_t addr = map_single(test, 0, PAGE_SIZE, DMA_TO_DEVICE);

	device_writes(test, addr, 0x33);
	unmap_single(test, addr, PAGE_SIZE, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, f->mem[0], 0x11);
	addr = map_single(test, 0, PAGE_SIZE, DMA_FROM_DEVICE);
	unmap_single(test, addr, PAGE_SIZE, DMA_FROM_DEVICE);
	/* What memory holds before anybody has written to it. */
	KUNIT_EXPECT_EQ(test, f->mem[0], 0xa5);
}

/* A device with a bug: it is a fault where it is seen, and does no harm. */
static void strays_are_faults(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct device *plain = vivid_ext_kunit_add_device(test, "plain", &real);
	dma_addr_t addr = map_single(test, 0, SIZE, DMA_FROM_DEVICE);
	struct vivid_ext_view *view = view_of(test, addr, PAGE_SIZE,
					      DMA_FROM_DEVICE);

	KUNIT_EXPECT_EQ(test, vivid_ext_view_stray(view, f->dev,
						   DMA_FROM_DEVICE), -EFAULT);
	KUNIT_EXPECT_EQ(test, faults(test), 1);
	vivid_ext_view_destroy(view);
	unmap_single(test, addr, SIZE, DMA_FROM_DEVICE);
	KUNIT_EXPECT_PTR_EQ(test, memchr_inv(f->mem, 0xa5, SIZE), NULL);

	addr = dma_map_single(plain, f->mem, SIZE, DMA_FROM_DEVICE);
	KUNIT_ASSERT_EQ(test, dma_mapping_error(plain, addr), 0);
	view = vivid_ext_view_create_contig(plain, addr, SIZE,
					    DMA_FROM_DEVICE);
	KUNIT_ASSERT_FALSE(test, IS_ERR(view));
	KUNIT_EXPECT_EQ(test, vivid_ext_view_begin(view, DMA_TO_DEVICE), 0);
	KUNIT_EXPECT_EQ(test, vivid_ext_view_stray(view, plain,
						   DMA_FROM_DEVICE), -EFAULT);
	vivid_ext_view_end(view, DMA_FROM_DEVICE);
	vivid_ext_view_destroy(view);
	dma_unmap_single(plain, addr, SIZE, DMA_FROM_DEVICE);
	KUNIT_EXPECT_EQ(test, faults(test), 1);
}

/* There all memory is in reach, and what is none has no view. */
static void the_real_bus_has_memory(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct device *plain = vivid_ext_kunit_add_device(test, "plain", &real);
	struct page *page = virt_to_page(f->mem);
	unsigned long pfn = page_to_pfn(page);

	KUNIT_ASSERT_EQ(test, dma_map_sgtable(plain, &f->sgt,
					      DMA_BIDIRECTIONAL, 0), 0);
	vivid_ext_kunit_write(test, plain, &f->sgt, SIZE, 0x22);
	KUNIT_EXPECT_PTR_EQ(test, memchr_inv(f->mem, 0x22, SIZE), NULL);
	dma_unmap_sgtable(plain, &f->sgt, DMA_BIDIRECTIONAL, 0);
	KUNIT_EXPECT_EQ(test, page_count(page), 1);
	while (pfn_valid(pfn))
		pfn++;
	expect_no_view_at(test, plain, 0, PAGE_SIZE);
	expect_no_view_at(test, plain, PFN_PHYS(pfn), PAGE_SIZE);
}

static void expect_pages(struct kunit *test, struct device *dev,
			 struct sg_table *sgt, const char *wanted)
{
	struct vivid_ext_view *view;
	struct seq_file m = { .size = 256 };

	m.buf = kunit_kzalloc(test, m.size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, m.buf);
	view = vivid_ext_view_create(dev, sgt, SIZE, DMA_TO_DEVICE);
	KUNIT_ASSERT_FALSE(test, IS_ERR(view));
	vivid_ext_view_show_pages(view, &m);
	KUNIT_EXPECT_STREQ(test, m.buf, wanted);
	vivid_ext_view_destroy(view);
}

/* The machine's pages, on each bus; neighbours together. */
static void pages_are_shown(struct kunit *test)
{
	static const struct vivid_ext_bus_config * const configs[] = {
		&real, &memory, &coherent, &vivid_ext_kunit_strict
	};
	struct fixture *f = test->priv;
	unsigned long pfn = page_to_pfn(virt_to_page(f->mem));
	char backwards[100], mixed[100], name[8];
	struct sg_table *sgt = &f->sgt;

	snprintf(backwards, sizeof(backwards), "%lx+1 %lx+1 %lx+1 %lx+1\n",
		 pfn + 3, pfn + 2, pfn + 1, pfn);
	snprintf(mixed, sizeof(mixed), "%lx+1 %lx+2 %lx+1\n", pfn + 3, pfn + 1,
		 pfn);
	for (unsigned int i = 0; i < ARRAY_SIZE(configs); i++) {
		struct device *dev;

		snprintf(name, sizeof(name), "bus%u", i);
		dev = vivid_ext_kunit_add_device(test, name, configs[i]);
		KUNIT_ASSERT_EQ(test, dma_map_sgtable(dev, sgt, DMA_TO_DEVICE,
						      0), 0);
		expect_pages(test, dev, sgt, backwards);
		dma_unmap_sgtable(dev, sgt, DMA_TO_DEVICE, 0);
		swap(sgt->sgl[1].page_link, sgt->sgl[2].page_link);
		KUNIT_ASSERT_EQ(test, dma_map_sgtable(dev, sgt, DMA_TO_DEVICE,
						      0), 0);
		expect_pages(test, dev, sgt, mixed);
		dma_unmap_sgtable(dev, sgt, DMA_TO_DEVICE, 0);
		swap(sgt->sgl[1].page_link, sgt->sgl[2].page_link);
	}
}

/* Behind its back: nothing is reached any more. */
static void pages_that_are_gone_are_shown(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct seq_file m = { .size = 256 };
	dma_addr_t addr = map_single(test, 0, SIZE, DMA_TO_DEVICE);
	struct vivid_ext_view *view = view_of(test, addr, SIZE, DMA_TO_DEVICE);

	m.buf = kunit_kzalloc(test, m.size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, m.buf);
	unmap_single(test, addr, SIZE, DMA_TO_DEVICE);
	vivid_ext_view_show_pages(view, &m);
	KUNIT_EXPECT_STREQ(test, m.buf, "0+1 0+1 0+1 0+1\n");
	vivid_ext_view_destroy(view);
	KUNIT_EXPECT_EQ(test, f->bus->given, 0);
}

static struct kunit_case view_cases[] = {
	KUNIT_CASE(it_has_all_bytes),
	KUNIT_CASE(what_is_not_covered_has_none),
	KUNIT_CASE(it_is_of_its_mappings),
	KUNIT_CASE(mappings_have_numbers),
	KUNIT_CASE(pages_are_held_and_let_go),
	KUNIT_CASE(a_shadow_goes_with_its_last_mapping),
	KUNIT_CASE(strays_are_faults),
	KUNIT_CASE(the_real_bus_has_memory),
	KUNIT_CASE(pages_are_shown),
	KUNIT_CASE(pages_that_are_gone_are_shown),
	{}
};

static struct kunit_suite view_suite = {
	.name = "vivid-ext-views",
	.init = vivid_ext_kunit_rules_init,
	.test_cases = view_cases,
};

kunit_test_suite(view_suite);
