// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of who has the newest bytes of a buffer: devices on the simulated bus
 * and the CPU write, and each reader must see what was written last.
 */
#include <kunit/device.h>
#include <kunit/test.h>
#include <linux/bitmap.h>
#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/string.h>

#include "../../drivers/vivid-ext/kunit.h"
#include "kunit.h"
#include "trace.h"

/* Three chunks, the last of them one page. */
#define CHUNKS 3
#define SIZE (2 * VDB_CHUNK_SIZE + PAGE_SIZE)

/**
 * struct fixture - what each test begins with
 * @buf: a buffer filled by the CPU with 0x11
 * @a: a non-coherent device
 * @b: another one, behind an IOMMU
 * @c: a coherent one
 */
struct fixture {
	struct vdb_buffer *buf;
	struct device *a;
	struct device *b;
	struct device *c;
};

/* The CPU's bytes, without telling anybody. */
static void cpu_fill(struct vdb_buffer *buf, unsigned int chunk, u8 value)
{
	unsigned int i = chunk * VDB_CHUNK_PAGES;

	for (; i < buf->storage.nr_pages && i < (chunk + 1) * VDB_CHUNK_PAGES;
	     i++)
		memset(page_address(buf->storage.pages[i]), value, PAGE_SIZE);
}

static int cpu_sees(struct vdb_buffer *buf, unsigned int chunk)
{
	u8 *at = page_address(buf->storage.pages[chunk * VDB_CHUNK_PAGES]);

	return memchr_inv(at, *at, PAGE_SIZE) ? -1 : *at;
}

/* As a page fault does. */
static int cpu_read(struct vdb_buffer *buf, unsigned int chunk)
{
	vdb_coherency_cpu_begin(buf, chunk, chunk + 1);
	return cpu_sees(buf, chunk);
}

static void cpu_write(struct vdb_buffer *buf, unsigned int chunk, u8 value)
{
	vdb_coherency_cpu_begin(buf, chunk, chunk + 1);
	vdb_coherency_cpu_writes(buf, chunk, chunk + 1);
	cpu_fill(buf, chunk, value);
}

static void cpu_end(struct vdb_buffer *buf, bool written)
{
	mutex_lock(&buf->lock);
	vdb_coherency_cpu_end(buf, written);
	mutex_unlock(&buf->lock);
}

/* The device of a queue of ours: it says when it begins and ends. */
static void map_tracked(struct kunit *test, struct vdb_kunit_device *d,
			struct device *dev, enum dma_data_direction dir)
{
	struct fixture *f = test->priv;

	KUNIT_ASSERT_EQ(test, vdb_kunit_map(d, f->buf, dev, dir), 0);
	d->own->tracked = true;
}

static void views_are_told_apart(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct vdb_kunit_device a, b, c;

	map_tracked(test, &a, f->a, DMA_BIDIRECTIONAL);
	map_tracked(test, &b, f->b, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, a.own->view, VDB_VIEW_MEMORY);
	KUNIT_EXPECT_EQ(test, b.own->view, VDB_VIEW_MEMORY);
	KUNIT_EXPECT_EQ(test, f->buf->memory_views, 2);
	if (IS_ENABLED(CONFIG_NEED_SG_DMA_LENGTH))
		KUNIT_EXPECT_EQ(test, b.sgt->nents, 1);
	map_tracked(test, &c, f->c, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, c.own->view, VDB_VIEW_CPU);
	KUNIT_EXPECT_EQ(test, f->buf->incoherent, 2);
	vdb_kunit_unmap(&c, DMA_TO_DEVICE);
	vdb_kunit_unmap(&b, DMA_TO_DEVICE);
	vdb_kunit_unmap(&a, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, f->buf->incoherent, 0);
	KUNIT_EXPECT_EQ(test, f->buf->memory_views, 0);
}

/* What the CPU wrote before the map is there after it, in any direction. */
static void map_gives_the_newest(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct vdb_kunit_device a;

	map_tracked(test, &a, f->a, DMA_FROM_DEVICE);
	KUNIT_EXPECT_EQ(test, a.own->dma_dir, DMA_BIDIRECTIONAL);
	vdb_coherency_device_begin(a.own, true);
	vdb_coherency_device_end(a.own, true);
	/* It has left everything as it was. */
	KUNIT_EXPECT_EQ(test, cpu_read(f->buf, 0), 0x11);
	KUNIT_EXPECT_EQ(test, cpu_read(f->buf, CHUNKS - 1), 0x11);
	vdb_kunit_unmap(&a, DMA_FROM_DEVICE);
}

/* A frame is fetched where the CPU looks, and no sooner. */
static void stale_chunks_are_fetched_lazily(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct vdb_kunit_device a;

	map_tracked(test, &a, f->a, DMA_FROM_DEVICE);
	vdb_kunit_frame(test, &a, 0x22);
	KUNIT_EXPECT_PTR_EQ(test, f->buf->writer, a.own);
	KUNIT_EXPECT_TRUE(test, bitmap_full(f->buf->stale, CHUNKS));
	KUNIT_EXPECT_EQ(test, cpu_sees(f->buf, 1), 0x11);

	KUNIT_EXPECT_EQ(test, cpu_read(f->buf, 1), 0x22);
	KUNIT_EXPECT_FALSE(test, test_bit(1, f->buf->stale));
	KUNIT_EXPECT_EQ(test, bitmap_weight(f->buf->stale, CHUNKS), CHUNKS - 1);
	KUNIT_EXPECT_EQ(test, cpu_sees(f->buf, 0), 0x11);
	KUNIT_EXPECT_EQ(test, vivid_ext_kunit_count(test, f->a, "bytes_to_cpu"),
			VDB_CHUNK_SIZE);

	/* The last chunk is shorter. */
	KUNIT_EXPECT_EQ(test, cpu_read(f->buf, CHUNKS - 1), 0x22);
	KUNIT_EXPECT_EQ(test, vivid_ext_kunit_count(test, f->a, "bytes_to_cpu"),
			VDB_CHUNK_SIZE + PAGE_SIZE);
	vdb_kunit_unmap(&a, DMA_FROM_DEVICE);
	KUNIT_EXPECT_EQ(test, cpu_sees(f->buf, 0), 0x22);
	KUNIT_EXPECT_NULL(test, f->buf->writer);
}

/* Of all who have the buffer it is the writer who is asked for the bytes. */
static void writer_is_synchronised(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct vdb_kunit_device a, b, c;

	map_tracked(test, &c, f->c, DMA_TO_DEVICE);
	map_tracked(test, &a, f->a, DMA_FROM_DEVICE);
	map_tracked(test, &b, f->b, DMA_TO_DEVICE);
	vdb_kunit_frame(test, &a, 0x22);
	KUNIT_EXPECT_EQ(test, cpu_read(f->buf, 0), 0x22);
	KUNIT_EXPECT_EQ(test, vivid_ext_kunit_count(test, f->a, "bytes_to_cpu"),
			SIZE);
	KUNIT_EXPECT_EQ(test, vivid_ext_kunit_count(test, f->b, "bytes_to_cpu"),
			0);
	vdb_kunit_unmap(&c, DMA_TO_DEVICE);
	vdb_kunit_unmap(&b, DMA_TO_DEVICE);
	vdb_kunit_unmap(&a, DMA_FROM_DEVICE);
}

/* What has been synchronised once is not again. */
static void syncs_are_elided(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct vdb_kunit_device a;
	long long to_cpu, to_device;

	map_tracked(test, &a, f->a, DMA_BIDIRECTIONAL);
	vdb_kunit_frame(test, &a, 0x22);
	KUNIT_EXPECT_EQ(test, cpu_read(f->buf, 0), 0x22);
	to_cpu = vivid_ext_kunit_count(test, f->a, "bytes_to_cpu");
	to_device = vivid_ext_kunit_count(test, f->a, "bytes_to_device");
	KUNIT_EXPECT_EQ(test, cpu_read(f->buf, 0), 0x22);
	cpu_end(f->buf, false);
	vdb_coherency_device_begin(a.own, true);
	KUNIT_EXPECT_EQ(test, vivid_ext_kunit_count(test, f->a, "bytes_to_cpu"),
			to_cpu);
	KUNIT_EXPECT_EQ(test,
			vivid_ext_kunit_count(test, f->a, "bytes_to_device"),
			to_device);
	vdb_kunit_unmap(&a, DMA_BIDIRECTIONAL);
}

/* What the CPU writes is for the device when it gets the buffer. */
static void dirty_chunks_are_flushed(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct vdb_kunit_device a;

	map_tracked(test, &a, f->a, DMA_TO_DEVICE);
	cpu_write(f->buf, 1, 0x33);
	KUNIT_EXPECT_TRUE(test, test_bit(1, f->buf->dirty));
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &a, 1), 0x11);
	vdb_coherency_device_begin(a.own, true);
	KUNIT_EXPECT_TRUE(test, bitmap_empty(f->buf->dirty, CHUNKS));
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &a, 0), 0x11);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &a, 1), 0x33);
	vdb_coherency_device_end(a.own, true);

	/* An explicit end does as well. */
	cpu_write(f->buf, 2, 0x44);
	cpu_end(f->buf, false);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &a, 2), 0x44);
	vdb_kunit_unmap(&a, DMA_TO_DEVICE);
}

/* Who may have written but says it did not hands nothing over. */
static void suspects_are_dirty_until_cleared(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct vdb_kunit_device a;

	map_tracked(test, &a, f->a, DMA_BIDIRECTIONAL);
	vdb_coherency_cpu_begin(f->buf, 0, 2);
	vdb_coherency_cpu_may_write(f->buf, 0, 2);
	KUNIT_EXPECT_TRUE(test, test_bit(0, f->buf->dirty));
	cpu_write(f->buf, 1, 0x33);
	mutex_lock(&f->buf->lock);
	f->buf->cpu_users++;
	vdb_coherency_cpu_only_read(f->buf);
	KUNIT_EXPECT_TRUE(test, test_bit(0, f->buf->dirty));
	f->buf->cpu_users--;
	vdb_coherency_cpu_only_read(f->buf);
	mutex_unlock(&f->buf->lock);
	KUNIT_EXPECT_FALSE(test, test_bit(0, f->buf->dirty));
	KUNIT_EXPECT_TRUE(test, test_bit(1, f->buf->dirty));
	cpu_end(f->buf, false);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &a, 1), 0x33);
	vdb_kunit_unmap(&a, DMA_BIDIRECTIONAL);
}

/* A write of one chunk keeps the device's bytes in all others. */
static void cpu_and_device_write_in_turn(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct vdb_kunit_device a;

	map_tracked(test, &a, f->a, DMA_BIDIRECTIONAL);
	vdb_kunit_frame(test, &a, 0x22);
	cpu_write(f->buf, 1, 0x33);
	cpu_end(f->buf, true);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &a, 0), 0x22);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &a, 1), 0x33);
	KUNIT_EXPECT_EQ(test, cpu_read(f->buf, 0), 0x22);
	KUNIT_EXPECT_EQ(test, cpu_read(f->buf, 1), 0x33);

	/* A frame makes what the CPU wrote before it obsolete. */
	cpu_write(f->buf, 0, 0x44);
	vdb_kunit_frame(test, &a, 0x55);
	KUNIT_EXPECT_TRUE(test, bitmap_empty(f->buf->dirty, CHUNKS));
	KUNIT_EXPECT_EQ(test, cpu_read(f->buf, 0), 0x55);
	vdb_kunit_unmap(&a, DMA_BIDIRECTIONAL);
}

static void hints_are_taken(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct vdb_kunit_device a;

	/* "I wrote nothing": not flushed even though it did. */
	map_tracked(test, &a, f->a, DMA_BIDIRECTIONAL);
	cpu_write(f->buf, 1, 0x33);
	vdb_coherency_device_begin(a.own, false);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &a, 1), 0x11);

	/* "I shall not read": not fetched for a mapping that is held. */
	KUNIT_ASSERT_NOT_NULL(test, vdb_mapping_vmap(f->buf, true));
	vdb_kunit_write(test, &a, 0x44);
	vdb_coherency_device_end(a.own, false);
	KUNIT_EXPECT_EQ(test, cpu_sees(f->buf, 0), 0x11);
	vdb_kunit_frame(test, &a, 0x55);
	KUNIT_EXPECT_EQ(test, cpu_sees(f->buf, 0), 0x55);
	vdb_mapping_vunmap(f->buf, true);
	vdb_kunit_unmap(&a, DMA_BIDIRECTIONAL);
}

/* Who holds a kernel mapping tells nobody that it writes. */
static void held_mapping_is_flushed(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct vdb_kunit_device a;
	u8 *vaddr;

	map_tracked(test, &a, f->a, DMA_BIDIRECTIONAL);
	vaddr = vdb_mapping_vmap(f->buf, true);
	KUNIT_ASSERT_NOT_NULL(test, vaddr);
	memset(vaddr, 0x66, SIZE);
	vdb_coherency_device_begin(a.own, true);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &a, 0), 0x66);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &a, 2), 0x66);
	vdb_coherency_device_end(a.own, true);
	vdb_mapping_vunmap(f->buf, true);
	vdb_kunit_unmap(&a, DMA_BIDIRECTIONAL);
}

/* A driver's CPU made the frame, and says so when it is done. */
static void drawn_frames_reach_devices(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct vdb_kunit_device a;
	unsigned int i;

	map_tracked(test, &a, f->a, DMA_TO_DEVICE);
	for (i = 0; i < CHUNKS; i++)
		cpu_fill(f->buf, i, 0x33);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &a, 0), 0x11);
	vdb_coherency_cpu_drew(f->buf);
	for (i = 0; i < CHUNKS; i++)
		KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &a, i), 0x33);
	vdb_kunit_unmap(&a, DMA_TO_DEVICE);
}

/* What was dirty when the last device left does not hide the next one's. */
static void dirty_is_forgotten_at_the_end(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct vdb_kunit_device a, b;

	map_tracked(test, &a, f->a, DMA_BIDIRECTIONAL);
	KUNIT_ASSERT_NOT_NULL(test, vdb_mapping_vmap(f->buf, true));
	vdb_mapping_vunmap(f->buf, true);
	vdb_kunit_unmap(&a, DMA_BIDIRECTIONAL);
	KUNIT_ASSERT_EQ(test, vdb_kunit_map(&b, f->buf, f->b, DMA_FROM_DEVICE),
			0);
	vdb_kunit_write(test, &b, 0x22);
	KUNIT_EXPECT_EQ(test, cpu_read(f->buf, 0), 0x22);
	vdb_kunit_unmap(&b, DMA_FROM_DEVICE);
}

/* No bus here has copies of its own for devices: say that this one has. */
static void declare_private(struct vdb_kunit_device *d)
{
	d->own->view = VDB_VIEW_PRIVATE;
	d->own->buf->memory_views--;
}

/* Who drops its mapping must not disturb a frame that is being made. */
static void importer_leaves_while_device_writes(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct vdb_kunit_device a, b;

	map_tracked(test, &a, f->a, DMA_FROM_DEVICE);
	KUNIT_ASSERT_EQ(test, vdb_kunit_map(&b, f->buf, f->b,
					    DMA_BIDIRECTIONAL), 0);
	declare_private(&b);
	vdb_coherency_device_begin(a.own, true);
	vdb_kunit_write(test, &a, 0x22);
	vdb_kunit_unmap(&b, DMA_BIDIRECTIONAL);
	vdb_coherency_device_end(a.own, true);
	KUNIT_EXPECT_EQ(test, vivid_ext_kunit_count(test, f->b, "bytes_to_cpu"),
			0);
	KUNIT_EXPECT_EQ(test, cpu_read(f->buf, 0), 0x22);
	vdb_kunit_unmap(&a, DMA_FROM_DEVICE);
}

/* What a coherent device wrote is there for others after it has gone. */
static void coherent_writer_leaves(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct vdb_kunit_device a, b, c;

	map_tracked(test, &a, f->a, DMA_TO_DEVICE);
	KUNIT_ASSERT_EQ(test, vdb_kunit_map(&c, f->buf, f->c,
					    DMA_BIDIRECTIONAL), 0);
	vdb_kunit_write(test, &c, 0x22);
	/* Or before: for one that comes to look at memory as well. */
	KUNIT_ASSERT_EQ(test, vdb_kunit_map(&b, f->buf, f->b, DMA_TO_DEVICE),
			0);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &b, 0), 0x22);
	vdb_kunit_unmap(&b, DMA_TO_DEVICE);
	vdb_kunit_write(test, &c, 0x33);
	vdb_kunit_unmap(&c, DMA_BIDIRECTIONAL);
	vdb_coherency_device_begin(a.own, true);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &a, 0), 0x33);
	vdb_coherency_device_end(a.own, true);
	vdb_kunit_unmap(&a, DMA_TO_DEVICE);
}

/* A frame comes from who made it, and not from an importer's old copy. */
static void idle_copy_is_not_asked(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct vdb_kunit_device a, b;

	map_tracked(test, &a, f->a, DMA_FROM_DEVICE);
	KUNIT_ASSERT_EQ(test, vdb_kunit_map(&b, f->buf, f->b,
					    DMA_BIDIRECTIONAL), 0);
	declare_private(&b);
	vdb_kunit_frame(test, &a, 0x22);
	KUNIT_EXPECT_EQ(test, vivid_ext_kunit_count(test, f->b, "bytes_to_cpu"),
			0);
	KUNIT_EXPECT_EQ(test, vivid_ext_kunit_count(test, f->a, "bytes_to_cpu"),
			SIZE);
	KUNIT_EXPECT_EQ(test, cpu_sees(f->buf, 0), 0x22);
	vdb_kunit_unmap(&b, DMA_BIDIRECTIONAL);
	vdb_kunit_unmap(&a, DMA_FROM_DEVICE);
}

/* Devices of others may write while they are mapped. */
static void silent_writer_is_heard(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct vdb_kunit_device a, b;

	KUNIT_ASSERT_EQ(test, vdb_kunit_map(&a, f->buf, f->a,
					    DMA_BIDIRECTIONAL), 0);
	vdb_kunit_write(test, &a, 0x22);
	KUNIT_EXPECT_EQ(test, cpu_read(f->buf, 2), 0x22);

	/* One that comes later must not put older bytes over these. */
	vdb_kunit_write(test, &a, 0x33);
	KUNIT_ASSERT_EQ(test, vdb_kunit_map(&b, f->buf, f->b, DMA_TO_DEVICE),
			0);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &b, 0), 0x33);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &a, 0), 0x33);

	vdb_kunit_write(test, &a, 0x44);
	vdb_kunit_unmap(&a, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, cpu_sees(f->buf, 0), 0x44);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &b, 0), 0x44);
	vdb_kunit_unmap(&b, DMA_TO_DEVICE);
}

/* A device that is coherent has the CPU's view, others have memory. */
static void frames_reach_all_views(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct vdb_kunit_device a, b, c;

	map_tracked(test, &a, f->a, DMA_BIDIRECTIONAL);
	map_tracked(test, &c, f->c, DMA_BIDIRECTIONAL);
	map_tracked(test, &b, f->b, DMA_TO_DEVICE);
	vdb_kunit_frame(test, &a, 0x22);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &b, 0), 0x22);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &c, 0), 0x22);
	vdb_kunit_frame(test, &c, 0x33);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &a, 1), 0x33);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &b, 2), 0x33);
	KUNIT_EXPECT_EQ(test, cpu_read(f->buf, 0), 0x33);
	vdb_kunit_unmap(&a, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, cpu_sees(f->buf, 0), 0x33);
	vdb_kunit_unmap(&b, DMA_TO_DEVICE);
	vdb_kunit_unmap(&c, DMA_BIDIRECTIONAL);
}

static void largest_sync(void *data, const struct vdb_attachment *att,
			 size_t from, size_t to, bool for_cpu)
{
	size_t *largest = data;

	*largest = max(*largest, to - from);
}

/* Interrupts are off while bytes move: not for long where that is not needed. */
static void long_syncs_come_in_pieces(struct kunit *test)
{
	struct fixture *f = test->priv;
	unsigned int chunks = 3 * VDB_PIECE_CHUNKS + 1;
	struct vdb_kunit_device a;
	struct vdb_buffer *buf;
	size_t largest = 0;
	int ret;

	buf = vdb_buffer_create(NULL, chunks * VDB_CHUNK_SIZE, 0, false,
				VDB_POLICY_AUTO);
	KUNIT_ASSERT_FALSE(test, IS_ERR(buf));
	ret = register_trace_vdb_sync(largest_sync, &largest);
	KUNIT_EXPECT_EQ(test, ret, 0);
	ret = vdb_kunit_map(&a, buf, f->a, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, ret, 0);
	if (ret)
		goto out;
	a.own->tracked = true;
	vdb_kunit_frame(test, &a, 0x22);
	dma_buf_begin_cpu_access(buf->dbuf, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, cpu_sees(buf, 0), 0x22);
	KUNIT_EXPECT_EQ(test, cpu_sees(buf, chunks - 1), 0x22);
	cpu_write(buf, chunks - 1, 0x33);
	vdb_coherency_cpu_writes(buf, 0, chunks);
	dma_buf_end_cpu_access(buf->dbuf, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &a, 0), 0x22);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &a, chunks - 1), 0x33);

	cpu_write(buf, chunks - 1, 0x44);
	vdb_coherency_cpu_writes(buf, 0, chunks);
	vdb_coherency_device_begin(a.own, true);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &a, chunks - 1), 0x44);
	vdb_kunit_write(test, &a, 0x55);
	vdb_coherency_device_end(a.own, true);
	vdb_kunit_unmap(&a, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, cpu_sees(buf, 0), 0x55);
	KUNIT_EXPECT_EQ(test, cpu_sees(buf, chunks - 1), 0x55);
out:
	unregister_trace_vdb_sync(largest_sync, &largest);
	tracepoint_synchronize_unregister();
	dma_buf_put(buf->dbuf);
	KUNIT_EXPECT_EQ(test, largest, VDB_PIECE_CHUNKS * VDB_CHUNK_SIZE);
}

/* What was finished by a device that has gone is not lost. */
static void writer_leaves(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct vdb_kunit_device a, b;

	map_tracked(test, &a, f->a, DMA_FROM_DEVICE);
	map_tracked(test, &b, f->b, DMA_BIDIRECTIONAL);
	vdb_kunit_frame(test, &a, 0x22);
	vdb_kunit_unmap(&a, DMA_FROM_DEVICE);
	KUNIT_EXPECT_TRUE(test, bitmap_empty(f->buf->stale, CHUNKS));
	KUNIT_EXPECT_EQ(test, cpu_read(f->buf, 0), 0x22);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read(test, &b, 0), 0x22);
	vdb_kunit_unmap(&b, DMA_BIDIRECTIONAL);
}

static int coherency_test_init(struct kunit *test)
{
	struct fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
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
		cpu_fill(f->buf, i, 0x11);
	return 0;
}

static void coherency_test_exit(struct kunit *test)
{
	struct fixture *f = test->priv;

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

static struct kunit_case coherency_cases[] = {
	KUNIT_CASE(views_are_told_apart),
	KUNIT_CASE(map_gives_the_newest),
	KUNIT_CASE(stale_chunks_are_fetched_lazily),
	KUNIT_CASE(writer_is_synchronised),
	KUNIT_CASE(syncs_are_elided),
	KUNIT_CASE(dirty_chunks_are_flushed),
	KUNIT_CASE(suspects_are_dirty_until_cleared),
	KUNIT_CASE(cpu_and_device_write_in_turn),
	KUNIT_CASE(hints_are_taken),
	KUNIT_CASE(held_mapping_is_flushed),
	KUNIT_CASE(drawn_frames_reach_devices),
	KUNIT_CASE(dirty_is_forgotten_at_the_end),
	KUNIT_CASE(importer_leaves_while_device_writes),
	KUNIT_CASE(coherent_writer_leaves),
	KUNIT_CASE(idle_copy_is_not_asked),
	KUNIT_CASE(silent_writer_is_heard),
	KUNIT_CASE(frames_reach_all_views),
	KUNIT_CASE(long_syncs_come_in_pieces),
	KUNIT_CASE(writer_leaves),
	{}
};

static struct kunit_suite coherency_suite = {
	.name = "videobuf2-dmabuf-coherency",
	.init = coherency_test_init,
	.exit = coherency_test_exit,
	.test_cases = coherency_cases,
};

kunit_test_suite(coherency_suite);
