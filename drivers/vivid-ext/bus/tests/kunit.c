// SPDX-License-Identifier: GPL-2.0-only
/*
 * What KUnit suites need of the simulated bus: devices on it, and its counts.
 */
#include <kunit/device.h>
#include <kunit/test.h>
#include <linux/device.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/scatterlist.h>
#include <linux/seq_file.h>
#include <linux/string.h>

#include "bus/config.h"
#include "bus/view.h"
#include "kunit.h"

static DEFINE_MUTEX(bus_lock);

static bool never_busy(void *data)
{
	return false;
}

/**
 * vivid_ext_kunit_add_owner - a device that has a bus, for the time of a test
 * @test: the test
 * @name: unique in it
 * @config: what its bus is like
 *
 * Process context. Return: the device; the test ends if there is none.
 */
struct device *
vivid_ext_kunit_add_owner(struct kunit *test, const char *name,
			  const struct vivid_ext_bus_config *config)
{
	struct vivid_ext_bus_owner owner = { &bus_lock, never_busy, NULL };
	struct device *dev = kunit_device_register(test, name);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	dev->dma_parms = kunit_kzalloc(test, sizeof(*dev->dma_parms),
				       GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, dev->dma_parms);
	KUNIT_ASSERT_EQ(test, vivid_ext_bus_setup(dev, config, &owner), 0);
	return dev;
}
EXPORT_SYMBOL_GPL(vivid_ext_kunit_add_owner);

/**
 * vivid_ext_kunit_add_device - a device for the time of a test
 * @test: the test
 * @name: unique in it
 * @config: what its bus is like
 *
 * Process context. Return: the device to ask for DMA, see
 * vivid_ext_bus_device(); the test ends if there is none.
 */
struct device *
vivid_ext_kunit_add_device(struct kunit *test, const char *name,
			   const struct vivid_ext_bus_config *config)
{
	return vivid_ext_bus_device(vivid_ext_kunit_add_owner(test, name,
							      config));
}
EXPORT_SYMBOL_GPL(vivid_ext_kunit_add_device);

/**
 * struct memory - what a table is made of
 * @sgt: the table
 * @mem: the CPU's
 * @size: of @mem
 */
struct memory {
	struct sg_table *sgt;
	u8 *mem;
	size_t size;
};

static void free_memory(void *data)
{
	struct memory *m = data;

	sg_free_table(m->sgt);
	free_pages_exact(m->mem, m->size);
}

/**
 * vivid_ext_kunit_add_memory - memory for the time of a test
 * @test: the test
 * @sgt: gets a table of it: an entry for each page, backwards, so that they are
 *	not neighbours
 * @pages: how many
 *
 * Process context. Return: the memory, contiguous and filled with 0x11; the
 * test ends if there is none.
 */
u8 *vivid_ext_kunit_add_memory(struct kunit *test, struct sg_table *sgt,
			       unsigned int pages)
{
	struct memory *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);
	struct page *last;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, m);
	memset(sgt, 0, sizeof(*sgt));
	m->sgt = sgt;
	m->size = pages * PAGE_SIZE;
	m->mem = alloc_pages_exact(m->size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, m->mem);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, free_memory, m),
			0);
	KUNIT_ASSERT_EQ(test, sg_alloc_table(sgt, pages, GFP_KERNEL), 0);
	memset(m->mem, 0x11, m->size);
	last = virt_to_page(m->mem) + pages - 1;
	for (i = 0; i < pages; i++)
		sg_set_page(&sgt->sgl[i], last - i, PAGE_SIZE, 0);
	return m->mem;
}
EXPORT_SYMBOL_GPL(vivid_ext_kunit_add_memory);

/**
 * vivid_ext_kunit_write - a device's engine writes
 * @test: the test
 * @dev: the device
 * @sgt: what is mapped for it
 * @size: how much of it
 * @value: the bytes
 *
 * Process context.
 */
void vivid_ext_kunit_write(struct kunit *test, struct device *dev,
			   struct sg_table *sgt, size_t size, u8 value)
{
	struct vivid_ext_view *view;

	view = vivid_ext_view_create(dev, sgt, size, DMA_FROM_DEVICE);
	KUNIT_ASSERT_FALSE(test, IS_ERR(view));
	KUNIT_EXPECT_EQ(test, vivid_ext_view_begin(view, DMA_FROM_DEVICE), 0);
	memset(vivid_ext_view_addr(view), value, size);
	vivid_ext_view_end(view, DMA_FROM_DEVICE);
	vivid_ext_view_destroy(view);
}

/**
 * vivid_ext_kunit_read - a device's engine reads a byte
 * @test: the test
 * @dev: the device
 * @sgt: what is mapped for it, for its engine to read
 * @at: which byte of it
 *
 * Process context. Return: the byte.
 */
u8 vivid_ext_kunit_read(struct kunit *test, struct device *dev,
			struct sg_table *sgt, size_t at)
{
	struct vivid_ext_view *view;
	u8 value;

	view = vivid_ext_view_create(dev, sgt, at + 1, DMA_TO_DEVICE);
	KUNIT_ASSERT_FALSE(test, IS_ERR(view));
	KUNIT_EXPECT_EQ(test, vivid_ext_view_begin(view, DMA_TO_DEVICE), 0);
	value = ((u8 *)vivid_ext_view_addr(view))[at];
	vivid_ext_view_end(view, DMA_TO_DEVICE);
	vivid_ext_view_destroy(view);
	return value;
}

/**
 * vivid_ext_kunit_show - what a device's bus says of itself
 * @test: the test
 * @dev: the device
 *
 * Process context. Return: the text, for the time of the test.
 */
char *vivid_ext_kunit_show(struct kunit *test, struct device *dev)
{
	struct seq_file m = { .size = 4096 };

	m.buf = kunit_kzalloc(test, m.size + 1, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, m.buf);
	vivid_ext_bus_show(dev, &m);
	return m.buf;
}
EXPORT_SYMBOL_GPL(vivid_ext_kunit_show);

/**
 * vivid_ext_kunit_count - what a device's bus has counted
 * @test: the test
 * @dev: the device
 * @name: of the count
 *
 * Process context. Return: the count; the test ends if there is none.
 */
long long vivid_ext_kunit_count(struct kunit *test, struct device *dev,
				const char *name)
{
	char *at = strstr(vivid_ext_kunit_show(test, dev), name);
	long long n = -1;
	int found;

	KUNIT_ASSERT_NOT_NULL_MSG(test, at, "no count of %s", name);
	found = sscanf(at + strlen(name), "%lld", &n);
	KUNIT_ASSERT_EQ(test, found, 1);
	return n;
}
EXPORT_SYMBOL_GPL(vivid_ext_kunit_count);
