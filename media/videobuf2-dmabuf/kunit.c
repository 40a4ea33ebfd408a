// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the allocator's KUnit suites share.
 */
#include <kunit/device.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>
#include <linux/string.h>

#include "../../drivers/vivid-ext/dmabus.h"
#include "compat.h"
#include "kunit.h"

static DEFINE_MUTEX(bus_lock);

static bool never_busy(void *data)
{
	return false;
}

/**
 * vdb_kunit_add_device - a device for the time of a test
 * @test: the test
 * @name: unique in it
 * @bus: what it is on
 *
 * Return: the device; the test ends if there is none.
 */
struct device *vdb_kunit_add_device(struct kunit *test, const char *name,
				    enum vdb_kunit_bus bus)
{
	struct vivid_ext_bus_owner owner = { &bus_lock, never_busy, NULL };
	struct vivid_ext_bus_config config = {
		.coherent = bus == VDB_KUNIT_REAL,
		.iommu = bus == VDB_KUNIT_NONCOHERENT_IOMMU,
		.dma_bits = 64,
		.max_segments = UINT_MAX,
		.max_segment_size = UINT_MAX,
	};
	struct device *dev = kunit_device_register(test, name);

	KUNIT_ASSERT_FALSE(test, IS_ERR_OR_NULL(dev));
	dev->dma_parms = kunit_kzalloc(test, sizeof(*dev->dma_parms),
				       GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, dev->dma_parms);
	KUNIT_ASSERT_EQ(test, vivid_ext_bus_setup(dev, &config, &owner), 0);
	return dev;
}

/**
 * vdb_kunit_bus_count - what a device's simulated bus has counted
 * @test: the test
 * @dev: the device
 * @name: of the count
 *
 * Return: the count.
 */
long long vdb_kunit_bus_count(struct kunit *test, struct device *dev,
			      const char *name)
{
	struct seq_file m = { .size = 4096 };
	long long n = -1;
	int found;
	char *at;

	m.buf = kunit_kzalloc(test, m.size + 1, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, m.buf);
	vivid_ext_bus_show(dev, &m);
	at = strstr(m.buf, name);
	KUNIT_ASSERT_NOT_NULL_MSG(test, at, "no count of %s", name);
	found = sscanf(at + strlen(name), "%lld", &n);
	KUNIT_ASSERT_EQ(test, found, 1);
	return n;
}

/**
 * vdb_kunit_map - attach and map a buffer as importers do
 * @d: filled in
 * @buf: the buffer
 * @dev: the device
 * @dir: the direction
 *
 * Return: 0 or an error, with nothing left behind.
 */
int vdb_kunit_map(struct vdb_kunit_device *d, struct vdb_buffer *buf,
		  struct device *dev, enum dma_data_direction dir)
{
	d->dev = dev;
	d->att = dma_buf_attach(buf->dbuf, dev);
	if (IS_ERR(d->att))
		return PTR_ERR(d->att);
	d->own = vdb_attachment_of(d->att);
	d->sgt = dma_buf_map_attachment_unlocked(d->att, dir);
	if (IS_ERR(d->sgt)) {
		dma_buf_detach(buf->dbuf, d->att);
		return PTR_ERR(d->sgt);
	}
	return 0;
}

/**
 * vdb_kunit_unmap - undo vdb_kunit_map()
 * @d: filled in there
 * @dir: the same direction
 */
void vdb_kunit_unmap(struct vdb_kunit_device *d, enum dma_data_direction dir)
{
	dma_buf_unmap_attachment_unlocked(d->att, d->sgt, dir);
	dma_buf_detach(d->att->dmabuf, d->att);
}

static struct vivid_ext_view *make_view(struct kunit *test,
					struct vdb_kunit_device *d,
					enum dma_data_direction dir)
{
	struct vivid_ext_view *view;

	view = vivid_ext_view_create(d->dev, d->sgt, d->own->buf->size, dir);
	KUNIT_ASSERT_FALSE(test, IS_ERR(view));
	KUNIT_EXPECT_EQ(test, vivid_ext_view_begin(view, dir), 0);
	return view;
}

/**
 * vdb_kunit_write - a device fills a buffer, and tells nobody
 * @test: the test
 * @d: the device
 * @value: of each byte
 */
void vdb_kunit_write(struct kunit *test, struct vdb_kunit_device *d, u8 value)
{
	struct vivid_ext_view *view = make_view(test, d, DMA_FROM_DEVICE);

	memset(vivid_ext_view_addr(view), value, d->own->buf->size);
	vivid_ext_view_end(view, DMA_FROM_DEVICE);
	vivid_ext_view_destroy(view);
}

/**
 * vdb_kunit_read - a device reads a buffer
 * @test: the test
 * @d: the device
 * @chunk: which chunk
 *
 * Return: the value of its bytes, or -1 if they differ.
 */
int vdb_kunit_read(struct kunit *test, struct vdb_kunit_device *d,
		   unsigned int chunk)
{
	struct vivid_ext_view *view = make_view(test, d, DMA_TO_DEVICE);
	u8 *at = vivid_ext_view_addr(view) + chunk * VDB_CHUNK_SIZE;
	size_t len = min_t(size_t, VDB_CHUNK_SIZE,
			   d->own->buf->size - chunk * VDB_CHUNK_SIZE);
	int value = memchr_inv(at, *at, len) ? -1 : *at;

	vivid_ext_view_end(view, DMA_TO_DEVICE);
	vivid_ext_view_destroy(view);
	return value;
}

MODULE_DESCRIPTION("Tests of the dma-buf allocator of videobuf2");
MODULE_AUTHOR("The videobuf2-dmabuf authors");
MODULE_LICENSE("GPL");
VDB_IMPORT_NS_DMA_BUF;
