/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the suites share that see the simulated bus as a judge.
 */
#ifndef VIVID_EXT_SIMRULES_KUNIT_H
#define VIVID_EXT_SIMRULES_KUNIT_H

#include <kunit/test.h>
#include <linux/dma-map-ops.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/string.h>

#include "bus/config.h"
#include "bus/view.h"
#include "bus/simbus.h"
#include "bus/simdma.h"
#include "kunit.h"

#define PAGES 4
#define SIZE (PAGES * PAGE_SIZE)

/*
 * The operations are called as the DMA API does it, but without asking
 * DMA_API_DEBUG, which would say the same of the driver and fail the test.
 */
#define OPS(f) (get_dma_ops((f)->dev))

/**
 * struct fixture - what each test begins with
 * @owner: a device
 * @dev: on a bus that isn't coherent, with an IOMMU
 * @bus: its place there
 * @mem: memory of the CPU's
 * @sgt: a table of it, see vivid_ext_kunit_add_memory()
 */
struct fixture {
	struct device *owner;
	struct device *dev;
	struct vivid_ext_simbus *bus;
	u8 *mem;
	struct sg_table sgt;
};

int vivid_ext_kunit_rules_init(struct kunit *test);

static inline long long violations(struct kunit *test)
{
	struct fixture *f = test->priv;

	return vivid_ext_kunit_count(test, f->dev, "api_violations");
}

static inline long long faults(struct kunit *test)
{
	struct fixture *f = test->priv;

	return vivid_ext_kunit_count(test, f->dev, "faults");
}

/* From a page of @mem on, by number; its address. */
static inline dma_addr_t map_single(struct kunit *test, unsigned int page,
				    size_t len, enum dma_data_direction dir)
{
	struct fixture *f = test->priv;
	dma_addr_t addr = vdb_dma_ops_map(OPS(f), f->dev,
					  virt_to_page(f->mem +
						       page * PAGE_SIZE),
					  len, dir);

	KUNIT_ASSERT_NE(test, addr, DMA_MAPPING_ERROR);
	return addr;
}

static inline void unmap_single(struct kunit *test, dma_addr_t addr, size_t len,
				enum dma_data_direction dir)
{
	struct fixture *f = test->priv;

	vdb_dma_ops_unmap(OPS(f), f->dev, addr, len, dir);
}

/* What the device sees there is what it would have written. */
static inline void device_writes(struct kunit *test, dma_addr_t addr, u8 value)
{
	struct fixture *f = test->priv;
	struct vivid_ext_bus_window window;

	KUNIT_ASSERT_TRUE(test, vivid_ext_simbus_find(f->bus, addr, &window));
	memset(page_address(window.page), value, PAGE_SIZE);
	vivid_ext_simbus_put(f->bus, window.page);
}

#endif
