// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of what importers may do: not write to what may only be read, whatever
 * they ask for; and whose bytes they get under a fence.
 */
#include <kunit/test.h>
#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "../../drivers/vivid-ext/dmabus.h"
#include "kunit.h"

#define SIZE (2 * VDB_CHUNK_SIZE)

static struct vdb_buffer *new_buffer(struct kunit *test)
{
	struct vdb_buffer *buf = vdb_buffer_create(NULL, SIZE, 0, false,
						   VDB_POLICY_AUTO);

	KUNIT_ASSERT_FALSE(test, IS_ERR(buf));
	return buf;
}

static u8 *bytes(struct vdb_buffer *buf)
{
	return page_address(buf->storage.pages[0]);
}

static void readers_cant_write_by_dma(struct kunit *test)
{
	struct device *dev = vdb_kunit_add_device(test, "device",
						  VDB_KUNIT_NONCOHERENT);
	struct vdb_buffer *buf = new_buffer(test);
	struct dma_buf_attachment *att;
	struct vdb_attachment *own;
	struct dma_buf *view;
	struct sg_table *sgt;

	view = vdb_buffer_view(buf, O_RDONLY);
	KUNIT_ASSERT_FALSE(test, IS_ERR(view));
	att = dma_buf_attach(view, dev);
	KUNIT_ASSERT_FALSE(test, IS_ERR(att));
	own = vdb_attachment_of(att);
	sgt = dma_buf_map_attachment_unlocked(att, DMA_FROM_DEVICE);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(sgt), -EACCES);
	KUNIT_EXPECT_EQ(test, own->maps, 0);

	/* What DRM's importers ask for, most of whom only read. */
	sgt = dma_buf_map_attachment_unlocked(att, DMA_BIDIRECTIONAL);
	KUNIT_ASSERT_FALSE(test, IS_ERR(sgt));
	KUNIT_EXPECT_EQ(test, own->dma_dir, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, buf->engine.views[VDB_MEMORY].silent, 1);
	KUNIT_EXPECT_EQ(test, buf->engine.views[VDB_MEMORY].silent_writers, 0);
	/* The same question gets the same answer, as often as it is asked. */
	KUNIT_EXPECT_PTR_EQ(test, sgt,
			    dma_buf_map_attachment_unlocked(att,
							    DMA_BIDIRECTIONAL));
	dma_buf_unmap_attachment_unlocked(att, sgt, DMA_BIDIRECTIONAL);
	dma_buf_unmap_attachment_unlocked(att, sgt, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, buf->engine.views[VDB_MEMORY].silent, 0);
	dma_buf_detach(view, att);
	dma_buf_put(view);
	dma_buf_put(buf->dbuf);
}

/* SYNC with WRITE on what may only be read is an access that reads. */
static void readers_cant_write_by_brackets(struct kunit *test)
{
	struct device *dev = vdb_kunit_add_device(test, "device",
						  VDB_KUNIT_NONCOHERENT);
	struct vdb_buffer *buf = new_buffer(test);
	struct vdb_kunit_device d;
	struct dma_buf *view;

	view = vdb_buffer_view(buf, O_RDONLY);
	KUNIT_ASSERT_FALSE(test, IS_ERR(view));
	KUNIT_ASSERT_EQ(test, vdb_kunit_map(&d, buf, dev, DMA_BIDIRECTIONAL),
			0);
	KUNIT_ASSERT_NOT_NULL(test, vdb_mapping_vmap(buf, true));
	dma_buf_begin_cpu_access(view, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, buf->engine.write_brackets, 0);
	memset(bytes(buf), 0x33, PAGE_SIZE);
	dma_buf_end_cpu_access(view, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read_byte(test, &d, 0), 0);

	dma_buf_begin_cpu_access(buf->dbuf, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, buf->engine.write_brackets, 1);
	memset(bytes(buf), 0x44, PAGE_SIZE);
	dma_buf_end_cpu_access(view, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, buf->engine.write_brackets, 1);
	dma_buf_end_cpu_access(buf->dbuf, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, buf->engine.write_brackets, 0);
	KUNIT_EXPECT_EQ(test, vdb_kunit_read_byte(test, &d, 0), 0x44);
	vdb_mapping_vunmap(buf, true);
	vdb_kunit_unmap(&d, DMA_BIDIRECTIONAL);
	dma_buf_put(view);
	dma_buf_put(buf->dbuf);
}

static const char *fence_name(struct dma_fence *fence)
{
	return "kunit";
}

/**
 * struct job - a device's, which is under way when somebody begins to look
 * @work: does it
 * @fence: is signalled when it is done
 * @lock: the fence's
 * @to: where it writes
 */
struct job {
	struct delayed_work work;
	struct dma_fence fence;
	spinlock_t lock; /* see above */
	u8 *to;
};

static void release_job(struct dma_fence *fence)
{
	kfree(container_of(fence, struct job, fence));
}

static const struct dma_fence_ops fence_ops = {
	.get_driver_name = fence_name,
	.get_timeline_name = fence_name,
	.release = release_job,
};

static void run_job(struct work_struct *work)
{
	struct job *job = container_of(work, struct job, work.work);

	memset(job->to, 0x55, SIZE);
	dma_fence_signal(&job->fence);
}

/* The core waits as well, but after the exporter has fetched the bytes. */
static void fences_are_waited_for_first(struct kunit *test)
{
	struct device *dev = vdb_kunit_add_device(test, "device",
						  VDB_KUNIT_NONCOHERENT);
	struct vdb_buffer *buf = new_buffer(test);
	struct vivid_ext_view *view;
	struct vdb_kunit_device d;
	struct job *job;

	job = kzalloc(sizeof(*job), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, job);
	KUNIT_ASSERT_EQ(test, vdb_kunit_map(&d, buf, dev, DMA_BIDIRECTIONAL),
			0);
	view = vivid_ext_view_create(dev, d.sgt, SIZE, DMA_FROM_DEVICE);
	KUNIT_ASSERT_FALSE(test, IS_ERR(view));
	job->to = vivid_ext_view_addr(view);
	spin_lock_init(&job->lock);
	dma_fence_init(&job->fence, &fence_ops, &job->lock,
		       dma_fence_context_alloc(1), 1);
	INIT_DELAYED_WORK(&job->work, run_job);
	dma_resv_lock(buf->dbuf->resv, NULL);
	KUNIT_ASSERT_EQ(test, dma_resv_reserve_fences(buf->dbuf->resv, 1), 0);
	dma_resv_add_fence(buf->dbuf->resv, &job->fence, DMA_RESV_USAGE_WRITE);
	dma_resv_unlock(buf->dbuf->resv);

	schedule_delayed_work(&job->work, HZ / 10);
	KUNIT_EXPECT_EQ(test, dma_buf_begin_cpu_access(buf->dbuf,
						       DMA_FROM_DEVICE), 0);
	KUNIT_EXPECT_EQ(test, bytes(buf)[0], 0x55);
	dma_buf_end_cpu_access(buf->dbuf, DMA_FROM_DEVICE);
	flush_delayed_work(&job->work);
	dma_fence_put(&job->fence);
	vivid_ext_view_destroy(view);
	vdb_kunit_unmap(&d, DMA_BIDIRECTIONAL);
	dma_buf_put(buf->dbuf);
}

static struct kunit_case exporter_cases[] = {
	KUNIT_CASE(readers_cant_write_by_dma),
	KUNIT_CASE(readers_cant_write_by_brackets),
	KUNIT_CASE(fences_are_waited_for_first),
	{}
};

static struct kunit_suite exporter_suite = {
	.name = "videobuf2-dmabuf-exporter",
	.test_cases = exporter_cases,
};

kunit_test_suite(exporter_suite);
