// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the simulated bus: which bytes map, sync and unmap carry, and what
 * a device may not do there.
 */
#include <kunit/test.h>
#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/string.h>

#include "bus/config.h"
#include "bus/view.h"
#include "kunit.h"

#define PAGES 4
#define SIZE (PAGES * PAGE_SIZE)
#define POISON 0xa5
/* Segments of a buffer behind an IOMMU. */
#define MERGED (IS_ENABLED(CONFIG_NEED_SG_DMA_LENGTH) ? 1 : PAGES)

/**
 * struct fixture - what each test begins with
 * @mem: memory of the CPU's
 * @sgt: a table of it, see vivid_ext_kunit_add_memory()
 */
struct fixture {
	u8 *mem;
	struct sg_table sgt;
};

static const struct vivid_ext_bus_config noncoherent = {
	false, false, 64, UINT_MAX, UINT_MAX
};

static void map_hands_over(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct device *dev = vivid_ext_kunit_add_device(test, "sim", &noncoherent);

	KUNIT_ASSERT_EQ(test, dma_map_sgtable(dev, &f->sgt, DMA_TO_DEVICE, 0),
			0);
	KUNIT_EXPECT_EQ(test, vivid_ext_kunit_read(test, dev, &f->sgt, 0),
			0x11);
	memset(f->mem, 0x22, SIZE);
	KUNIT_EXPECT_EQ(test, vivid_ext_kunit_read(test, dev, &f->sgt, 0),
			0x11);
	dma_sync_sgtable_for_device(dev, &f->sgt, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, vivid_ext_kunit_read(test, dev, &f->sgt, 0),
			0x22);
	KUNIT_EXPECT_EQ(test, vivid_ext_kunit_read(test, dev, &f->sgt, SIZE - 1),
			0x22);
	dma_unmap_sgtable(dev, &f->sgt, DMA_TO_DEVICE, 0);
	KUNIT_EXPECT_EQ(test, vivid_ext_kunit_count(test, dev, "bytes_to_device"),
			2 * SIZE);
	KUNIT_EXPECT_EQ(test, vivid_ext_kunit_count(test, dev, "bytes_to_cpu"), 0);
}

static void unmap_hands_back(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct device *dev = vivid_ext_kunit_add_device(test, "sim", &noncoherent);

	KUNIT_ASSERT_EQ(test, dma_map_sgtable(dev, &f->sgt, DMA_FROM_DEVICE,
					      0), 0);
	vivid_ext_kunit_write(test, dev, &f->sgt, SIZE, 0x33);
	KUNIT_EXPECT_EQ(test, f->mem[0], 0x11);
	dma_unmap_sgtable(dev, &f->sgt, DMA_FROM_DEVICE, 0);
	KUNIT_EXPECT_EQ(test, f->mem[0], 0x33);
	KUNIT_EXPECT_EQ(test, f->mem[SIZE - 1], 0x33);
}

static void skipping_carries_nothing(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct device *dev = vivid_ext_kunit_add_device(test, "sim", &noncoherent);

	KUNIT_ASSERT_EQ(test, dma_map_sgtable(dev, &f->sgt, DMA_BIDIRECTIONAL,
					      DMA_ATTR_SKIP_CPU_SYNC), 0);
	/* Nobody has given the device these bytes. */
	KUNIT_EXPECT_EQ(test, vivid_ext_kunit_read(test, dev, &f->sgt, 0),
			POISON);
	vivid_ext_kunit_write(test, dev, &f->sgt, SIZE, 0x33);
	dma_unmap_sgtable(dev, &f->sgt, DMA_BIDIRECTIONAL,
			  DMA_ATTR_SKIP_CPU_SYNC);
	KUNIT_EXPECT_EQ(test, f->mem[0], 0x11);
}

/* Of what is synchronised, exactly that, inside of segments too. */
static void sync_carries_its_bytes(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct device *dev = vivid_ext_kunit_add_device(test, "sim", &noncoherent);
	dma_addr_t addr = dma_map_single(dev, f->mem, SIZE, DMA_BIDIRECTIONAL);
	struct scatterlist sg;
	struct sg_table sgt = { .sgl = &sg, .nents = 1, .orig_nents = 1 };

	KUNIT_ASSERT_FALSE(test, dma_mapping_error(dev, addr));
	sg_init_table(&sg, 1);
	sg_dma_address(&sg) = addr;
	sg_dma_len(&sg) = SIZE;
	vivid_ext_kunit_write(test, dev, &sgt, SIZE, 0x44);
	dma_sync_single_for_cpu(dev, addr + PAGE_SIZE - 8, 16,
				DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, f->mem[PAGE_SIZE - 9], 0x11);
	KUNIT_EXPECT_EQ(test, f->mem[PAGE_SIZE - 8], 0x44);
	KUNIT_EXPECT_EQ(test, f->mem[PAGE_SIZE + 7], 0x44);
	KUNIT_EXPECT_EQ(test, f->mem[PAGE_SIZE + 8], 0x11);
	KUNIT_EXPECT_EQ(test, vivid_ext_kunit_count(test, dev, "bytes_to_cpu"), 16);
	dma_unmap_single(dev, addr, SIZE, DMA_BIDIRECTIONAL);
}

/* Memory is one: what one device writes, another one sees. */
static void devices_share_memory(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct device *a = vivid_ext_kunit_add_device(test, "sim-a", &noncoherent);
	struct device *b = vivid_ext_kunit_add_device(test, "sim-b", &noncoherent);
	struct sg_table *sgt = &f->sgt;
	struct scatterlist sg[PAGES];
	struct sg_table copy = { sg, PAGES, PAGES };
	unsigned int i;

	sg_init_table(sg, PAGES);
	for (i = 0; i < PAGES; i++)
		sg_set_page(&sg[i], sg_page(&sgt->sgl[i]), PAGE_SIZE, 0);
	KUNIT_ASSERT_EQ(test, dma_map_sgtable(a, sgt, DMA_BIDIRECTIONAL, 0),
			0);
	KUNIT_ASSERT_EQ(test, dma_map_sgtable(b, &copy, DMA_BIDIRECTIONAL,
					      DMA_ATTR_SKIP_CPU_SYNC), 0);
	vivid_ext_kunit_write(test, a, sgt, SIZE, 0x55);
	KUNIT_EXPECT_EQ(test, vivid_ext_kunit_read(test, b, &copy, 0), 0x55);
	KUNIT_EXPECT_EQ(test, f->mem[0], 0x11);
	dma_unmap_sgtable(b, &copy, DMA_BIDIRECTIONAL, DMA_ATTR_SKIP_CPU_SYNC);
	dma_unmap_sgtable(a, sgt, DMA_BIDIRECTIONAL, DMA_ATTR_SKIP_CPU_SYNC);
}

static void coherent_has_no_copy(struct kunit *test)
{
	static const struct vivid_ext_bus_config config = {
		true, true, 64, UINT_MAX, UINT_MAX
	};
	struct fixture *f = test->priv;
	struct device *dev = vivid_ext_kunit_add_device(test, "sim", &config);

	KUNIT_ASSERT_EQ(test, dma_map_sgtable(dev, &f->sgt, DMA_BIDIRECTIONAL,
					      0), 0);
	/* Scattered, but the IOMMU has made one piece of it. */
	if (IS_ENABLED(CONFIG_NEED_SG_DMA_LENGTH))
		KUNIT_EXPECT_EQ(test, f->sgt.nents, 1);
	vivid_ext_kunit_write(test, dev, &f->sgt, SIZE, 0x66);
	KUNIT_EXPECT_EQ(test, f->mem[0], 0x66);
	KUNIT_EXPECT_EQ(test, vivid_ext_kunit_count(test, dev, "bytes_to_device"), 0);
	dma_unmap_sgtable(dev, &f->sgt, DMA_BIDIRECTIONAL, 0);
}

static void faults_leave_memory_alone(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct device *dev = vivid_ext_kunit_add_device(test, "sim", &noncoherent);
	struct vivid_ext_view *view;

	KUNIT_ASSERT_EQ(test, dma_map_sgtable(dev, &f->sgt, DMA_TO_DEVICE, 0),
			0);
	view = vivid_ext_view_create(dev, &f->sgt, SIZE, DMA_TO_DEVICE);
	KUNIT_ASSERT_FALSE(test, IS_ERR(view));
	KUNIT_EXPECT_EQ(test, vivid_ext_view_begin(view, DMA_TO_DEVICE), 0);
	/* Against the direction. */
	KUNIT_EXPECT_EQ(test, vivid_ext_view_begin(view, DMA_FROM_DEVICE),
			-EFAULT);
	KUNIT_EXPECT_EQ(test, vivid_ext_kunit_count(test, dev, "faults"), 1);

	/* Not mapped any more; then mapped again, which is another mapping. */
	dma_unmap_sgtable(dev, &f->sgt, DMA_TO_DEVICE, 0);
	KUNIT_EXPECT_EQ(test, vivid_ext_view_begin(view, DMA_TO_DEVICE),
			-EFAULT);
	KUNIT_ASSERT_EQ(test, dma_map_sgtable(dev, &f->sgt, DMA_TO_DEVICE, 0),
			0);
	KUNIT_EXPECT_EQ(test, vivid_ext_view_begin(view, DMA_TO_DEVICE),
			-EFAULT);
	KUNIT_EXPECT_EQ(test, vivid_ext_kunit_count(test, dev, "faults"), 3);
	vivid_ext_view_destroy(view);
	dma_unmap_sgtable(dev, &f->sgt, DMA_TO_DEVICE, 0);
}

static void limits_refuse(struct kunit *test)
{
	static const struct vivid_ext_bus_config
		few = { false, false, 64, PAGES - 1, UINT_MAX },
		merged = { false, true, 24, MERGED, UINT_MAX },
		near = { false, false, 24, UINT_MAX, UINT_MAX };
	struct fixture *f = test->priv;
	struct device *dev = vivid_ext_kunit_add_device(test, "sim-few", &few);

	KUNIT_EXPECT_EQ(test, dma_map_sgtable(dev, &f->sgt, DMA_TO_DEVICE, 0),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, vivid_ext_kunit_count(test, dev, "refusals"), 1);

	dev = vivid_ext_kunit_add_device(test, "sim-merged", &merged);
	KUNIT_ASSERT_EQ(test, dma_map_sgtable(dev, &f->sgt, DMA_TO_DEVICE, 0),
			0);
	KUNIT_EXPECT_LT(test, sg_dma_address(f->sgt.sgl) + SIZE, 1ULL << 24);
	KUNIT_EXPECT_EQ(test, vivid_ext_kunit_read(test, dev, &f->sgt, SIZE - 1),
			0x11);
	dma_unmap_sgtable(dev, &f->sgt, DMA_TO_DEVICE, 0);

	if (virt_to_phys(f->mem) < 1ULL << 24)
		kunit_skip(test, "the memory lies within 24 bits");
	dev = vivid_ext_kunit_add_device(test, "sim-near", &near);
	KUNIT_EXPECT_LT(test, dma_map_sgtable(dev, &f->sgt, DMA_TO_DEVICE, 0),
			0);
	KUNIT_EXPECT_EQ(test, vivid_ext_kunit_count(test, dev, "refusals"), 1);
}

static int simbus_init(struct kunit *test)
{
	struct fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);

	if (!f)
		return -ENOMEM;
	test->priv = f;
	f->mem = vivid_ext_kunit_add_memory(test, &f->sgt, PAGES);
	return 0;
}

static struct kunit_case simbus_cases[] = {
	KUNIT_CASE(map_hands_over),
	KUNIT_CASE(unmap_hands_back),
	KUNIT_CASE(skipping_carries_nothing),
	KUNIT_CASE(sync_carries_its_bytes),
	KUNIT_CASE(devices_share_memory),
	KUNIT_CASE(coherent_has_no_copy),
	KUNIT_CASE(faults_leave_memory_alone),
	KUNIT_CASE(limits_refuse),
	{}
};

static struct kunit_suite simbus_suite = {
	.name = "vivid-ext-simbus",
	.init = simbus_init,
	.test_cases = simbus_cases,
};

kunit_test_suite(simbus_suite);

MODULE_DESCRIPTION("Tests of the simulated bus");
MODULE_AUTHOR("The videobuf2-dmabuf authors");
MODULE_LICENSE("GPL");
