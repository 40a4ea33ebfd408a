// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of what the simulated bus shows of a device's mappings: where they
 * are, and who has written there since the CPU's bytes were fetched.
 */
#include "simrules_kunit.h"

/* The last lines of what a device shows are its mappings. */
static void expect_ranges(struct kunit *test, const char *fmt, ...)
{
	struct fixture *f = test->priv;
	char *shown = vivid_ext_kunit_show(test, f->dev);
	char *at = strstr(shown, "range "), wanted[300];
	va_list args;

	va_start(args, fmt);
	vsnprintf(wanted, sizeof(wanted), fmt, args);
	va_end(args);
	KUNIT_EXPECT_STREQ(test, at ? at : "", wanted);
}

static void device_writes_all(struct kunit *test, struct device *dev,
			      dma_addr_t addr, size_t size)
{
	struct scatterlist sg;
	struct sg_table sgt = { .sgl = &sg, .nents = 1, .orig_nents = 1 };

	sg_init_table(&sg, 1);
	sg_dma_address(&sg) = addr;
	sg_dma_len(&sg) = size;
	vivid_ext_kunit_write(test, dev, &sgt, size, 0x22);
}

static void mappings_are_shown(struct kunit *test)
{
	struct fixture *f = test->priv;
	dma_addr_t one, two, three;
	void *vaddr;

	expect_ranges(test, "");
	one = map_single(test, 0, 16, DMA_TO_DEVICE);
	expect_ranges(test, "range %pad+10 read\n", &one);
	two = map_single(test, 0, SIZE, DMA_FROM_DEVICE);
	vaddr = OPS(f)->alloc(f->dev, SIZE, &three, GFP_KERNEL, 0);
	KUNIT_ASSERT_NOT_NULL(test, vaddr);
	expect_ranges(test,
		      "range %pad+10 read\nrange %pad+%zx write\nrange %pad+%zx both\n",
		      &one, &two, (size_t)SIZE, &three, (size_t)SIZE);
	OPS(f)->free(f->dev, SIZE, vaddr, three, 0);
	unmap_single(test, one, 16, DMA_TO_DEVICE);
	expect_ranges(test, "range %pad+%zx write\n", &two, (size_t)SIZE);
	unmap_single(test, two, SIZE, DMA_FROM_DEVICE);
	expect_ranges(test, "");
}

/* From the end of a frame on, until the page is synchronised. */
static void stale_pages_are_shown(struct kunit *test)
{
	struct fixture *f = test->priv;
	dma_addr_t addr = map_single(test, 0, SIZE, DMA_BIDIRECTIONAL);
	struct vivid_ext_view *view;

	view = vivid_ext_view_create_contig(f->dev, addr, SIZE,
					    DMA_BIDIRECTIONAL);
	KUNIT_ASSERT_FALSE(test, IS_ERR(view));
	KUNIT_EXPECT_EQ(test, vivid_ext_view_begin(view, DMA_TO_DEVICE), 0);
	vivid_ext_view_end(view, DMA_TO_DEVICE);
	expect_ranges(test, "range %pad+4000 both\n", &addr);
	KUNIT_EXPECT_EQ(test, vivid_ext_view_begin(view, DMA_FROM_DEVICE), 0);
	vivid_ext_view_end(view, DMA_FROM_DEVICE);
	vivid_ext_view_destroy(view);
	expect_ranges(test,
		      "range %pad+4000 both 4 of 4 pages written by %s since they were synced\n",
		      &addr, dev_name(f->owner));
	OPS(f)->sync_single_for_cpu(f->dev, addr + 2 * PAGE_SIZE - 1, 2,
				    DMA_BIDIRECTIONAL);
	expect_ranges(test,
		      "range %pad+4000 both 2 of 4 pages written by %s since they were synced\n",
		      &addr, dev_name(f->owner));
	OPS(f)->sync_single_for_device(f->dev, addr, PAGE_SIZE,
				       DMA_BIDIRECTIONAL);
	expect_ranges(test,
		      "range %pad+4000 both 1 of 4 pages written by %s since they were synced\n",
		      &addr, dev_name(f->owner));
	OPS(f)->sync_single_for_cpu(f->dev, addr, SIZE, DMA_BIDIRECTIONAL);
	expect_ranges(test, "range %pad+4000 both\n", &addr);
	unmap_single(test, addr, SIZE, DMA_BIDIRECTIONAL);
}

/* Not by which mapping, but whose; and the first of them. */
static void all_see_who_has_written(struct kunit *test)
{
	static const struct vivid_ext_bus_config real = {
		true, false, 64, UINT_MAX, UINT_MAX
	};
	struct fixture *f = test->priv;
	struct device *owner = vivid_ext_kunit_add_owner(test, "other",
							 &vivid_ext_kunit_strict);
	struct device *other = vivid_ext_bus_device(owner);
	dma_addr_t addr = map_single(test, 0, SIZE, DMA_FROM_DEVICE);
	dma_addr_t second = dma_map_single_attrs(other, f->mem + PAGE_SIZE,
						 PAGE_SIZE, DMA_FROM_DEVICE,
						 DMA_ATTR_SKIP_CPU_SYNC);

	KUNIT_ASSERT_EQ(test, dma_mapping_error(other, second), 0);
	device_writes_all(test, other, second, PAGE_SIZE);
	expect_ranges(test,
		      "range %pad+4000 write 1 of 4 pages written by %s since they were synced\n",
		      &addr, dev_name(owner));
	dma_unmap_single_attrs(other, second, PAGE_SIZE, DMA_FROM_DEVICE,
			       DMA_ATTR_SKIP_CPU_SYNC);
	KUNIT_ASSERT_EQ(test, vivid_ext_bus_change(owner, &real), 0);
	expect_ranges(test,
		      "range %pad+4000 write 1 of 4 pages written by a device that is gone since they were synced\n",
		      &addr);
	device_writes_all(test, f->dev, addr, SIZE);
	expect_ranges(test,
		      "range %pad+4000 write 4 of 4 pages written by %s since they were synced\n",
		      &addr, dev_name(f->owner));
	unmap_single(test, addr, SIZE, DMA_FROM_DEVICE);
}

/* What all see at once is never stale. */
static void coherent_memory_is_not_stale(struct kunit *test)
{
	static const struct vivid_ext_bus_config coherent = {
		true, true, 64, UINT_MAX, UINT_MAX
	};
	struct fixture *f = test->priv;
	dma_addr_t addr;
	void *vaddr;

	vaddr = OPS(f)->alloc(f->dev, SIZE, &addr, GFP_KERNEL, 0);
	KUNIT_ASSERT_NOT_NULL(test, vaddr);
	device_writes_all(test, f->dev, addr, SIZE);
	expect_ranges(test, "range %pad+4000 both\n", &addr);
	OPS(f)->free(f->dev, SIZE, vaddr, addr, 0);

	f->dev = vivid_ext_kunit_add_device(test, "coherent", &coherent);
	addr = map_single(test, 0, SIZE, DMA_FROM_DEVICE);
	device_writes_all(test, f->dev, addr, SIZE);
	expect_ranges(test, "range %pad+4000 write\n", &addr);
	unmap_single(test, addr, SIZE, DMA_FROM_DEVICE);
}

static struct kunit_case stale_cases[] = {
	KUNIT_CASE(mappings_are_shown),
	KUNIT_CASE(stale_pages_are_shown),
	KUNIT_CASE(all_see_who_has_written),
	KUNIT_CASE(coherent_memory_is_not_stale),
	{}
};

static struct kunit_suite stale_suite = {
	.name = "vivid-ext-stale",
	.init = vivid_ext_kunit_rules_init,
	.test_cases = stale_cases,
};

kunit_test_suite(stale_suite);
