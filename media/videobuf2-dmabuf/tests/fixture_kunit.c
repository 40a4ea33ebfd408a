// SPDX-License-Identifier: GPL-2.0-only
/*
 * A buffer, and a device of each kind, for the suites that need them.
 */
#include <kunit/test.h>
#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/string.h>

#include "vivid-ext/bus/tests/kunit.h"
#include "fixture.h"

/* The CPU's bytes, without telling anybody. */
void vdb_cpu_fill(struct vdb_buffer *buf, unsigned int chunk, u8 value)
{
	unsigned int i = chunk * VDB_CHUNK_PAGES;

	for (; i < buf->storage.nr_pages && i < (chunk + 1) * VDB_CHUNK_PAGES;
	     i++)
		memset(page_address(buf->storage.pages[i]), value, PAGE_SIZE);
}

/* Of the first page; -1 where its bytes differ. */
int vdb_cpu_sees(struct vdb_buffer *buf, unsigned int chunk)
{
	u8 *at = page_address(buf->storage.pages[chunk * VDB_CHUNK_PAGES]);

	return memchr_inv(at, *at, PAGE_SIZE) ? -1 : *at;
}

/* As page faults do. */
int vdb_cpu_read(struct vdb_buffer *buf, unsigned int chunk)
{
	mutex_lock(&buf->lock);
	vdb_coherency_fault(buf, chunk, false, false);
	mutex_unlock(&buf->lock);
	return vdb_cpu_sees(buf, chunk);
}

void vdb_cpu_write(struct vdb_buffer *buf, unsigned int chunk, u8 value)
{
	mutex_lock(&buf->lock);
	vdb_coherency_fault(buf, chunk, false, true);
	mutex_unlock(&buf->lock);
	vdb_cpu_fill(buf, chunk, value);
}

/* The device of a queue of ours: it says when it begins and ends. */
void vdb_map_tracked(struct kunit *test, struct vdb_kunit_device *d,
		     struct device *dev, enum dma_data_direction dir)
{
	struct vdb_fixture *f = test->priv;

	KUNIT_ASSERT_EQ(test, vdb_kunit_map_as(d, f->buf, dev, dir, true), 0);
}

void vdb_map_silent(struct kunit *test, struct vdb_kunit_device *d,
		    struct device *dev, enum dma_data_direction dir)
{
	struct vdb_fixture *f = test->priv;

	KUNIT_ASSERT_EQ(test, vdb_kunit_map(d, f->buf, dev, dir), 0);
}

int vdb_fixture_set_up(struct kunit *test)
{
	struct vdb_fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	unsigned int i;

	if (!f)
		return -ENOMEM;
	test->priv = f;
	f->a = vdb_kunit_add_device(test, "memory-a", VDB_KUNIT_NONCOHERENT);
	f->b = vdb_kunit_add_device(test, "memory-b",
				    VDB_KUNIT_NONCOHERENT_IOMMU);
	f->c = vdb_kunit_add_device(test, "coherent-c", VDB_KUNIT_REAL);
	f->buf = vdb_buffer_create(NULL, SIZE, 0, false,
				   VDB_POLICY_AUTO);
	if (IS_ERR(f->buf))
		return PTR_ERR(f->buf);
	for (i = 0; i < CHUNKS; i++)
		vdb_cpu_fill(f->buf, i, 0x11);
	return 0;
}

void vdb_fixture_tear_down(struct kunit *test)
{
	struct vdb_fixture *f = test->priv;

	if (!f || IS_ERR_OR_NULL(f->buf))
		return;
	KUNIT_EXPECT_EQ(test, vivid_ext_kunit_count(test, f->a, "faults"), 0);
	KUNIT_EXPECT_EQ(test, vivid_ext_kunit_count(test, f->a,
						    "syncs_in_wrong_direction"),
			0);
	KUNIT_EXPECT_EQ(test, vivid_ext_kunit_count(test, f->b,
						    "syncs_in_wrong_direction"),
			0);
	dma_buf_put(f->buf->dbuf);
}
