// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of what importers may do: not write to what may only be read, whatever
 * they ask for; and whose bytes they get under a fence.
 */
#include <kunit/device.h>
#include <kunit/test.h>
#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "vivid-ext/bus/view.h"
#include "kunit.h"
#include "watch.h"

#define SIZE (2 * VDB_CHUNK_SIZE)

static struct vdb_buffer *new_buffer(struct kunit *test)
{
	struct vdb_buffer *buf = vdb_buffer_create(NULL, SIZE, 0, false,
						   VDB_POLICY_AUTO);

	KUNIT_ASSERT_FALSE(test, IS_ERR(buf));
	return buf;
}

static struct vdb_buffer *new_contiguous(struct kunit *test)
{
	struct vdb_buffer *buf = vdb_buffer_create(NULL, SIZE, 0, true,
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
 * @to: where it writes, or NULL
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

	if (job->to)
		memset(job->to, 0x55, SIZE);
	dma_fence_signal(&job->fence);
}

static struct job *new_job(struct kunit *test, struct vdb_buffer *buf,
			   enum dma_resv_usage usage, u8 *to)
{
	struct dma_resv *resv = buf->dbuf->resv;
	struct job *job = kzalloc(sizeof(*job), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, job);
	job->to = to;
	spin_lock_init(&job->lock);
	dma_fence_init(&job->fence, &fence_ops, &job->lock,
		       dma_fence_context_alloc(1), 1);
	INIT_DELAYED_WORK(&job->work, run_job);
	dma_resv_lock(resv, NULL);
	KUNIT_EXPECT_EQ(test, dma_resv_reserve_fences(resv, 1), 0);
	dma_resv_add_fence(resv, &job->fence, usage);
	dma_resv_unlock(resv);
	return job;
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

	KUNIT_ASSERT_EQ(test, vdb_kunit_map(&d, buf, dev, DMA_BIDIRECTIONAL),
			0);
	view = vivid_ext_view_create(dev, d.sgt, SIZE, DMA_FROM_DEVICE);
	KUNIT_ASSERT_FALSE(test, IS_ERR(view));
	job = new_job(test, buf, DMA_RESV_USAGE_WRITE,
		      vivid_ext_view_addr(view));
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

/* In what a device takes, if that is a page at least. */
static void segments_are_short_enough(struct kunit *test)
{
	static const struct {
		unsigned int limit, longest;
	} all[] = {
		{ PAGE_SIZE - 1, 0 },
		{ PAGE_SIZE, PAGE_SIZE },
		{ PAGE_SIZE + 1, PAGE_SIZE },
		{ 3 * PAGE_SIZE, 3 * PAGE_SIZE },
		{ SIZE, SIZE },
		{ UINT_MAX, SIZE },
	};
	struct device *dev = vdb_kunit_add_device(test, "device",
						  VDB_KUNIT_NONCOHERENT);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(all); i++) {
		struct vdb_buffer *buf = new_contiguous(test);
		unsigned int longest = 0, j;
		struct vdb_kunit_device d;
		struct scatterlist *sg;
		size_t sum = 0;
		int ret;

		dma_set_max_seg_size(dev, all[i].limit);
		vdb_watch(test);
		ret = vdb_kunit_map(&d, buf, dev, DMA_TO_DEVICE);
		KUNIT_EXPECT_EQ(test, ret, all[i].longest ? 0 : -EINVAL);
		if (ret) {
			EXPECT_STATS(test, [VDB_REFUSALS] = 1);
			dma_buf_put(buf->dbuf);
			continue;
		}
		EXPECT_MOVES(test, "e>0-32");
		for_each_sgtable_dma_sg(d.sgt, sg, j) {
			longest = max(longest, sg_dma_len(sg));
			sum += sg_dma_len(sg);
		}
		KUNIT_EXPECT_EQ_MSG(test, longest, all[i].longest, "row %u", i);
		KUNIT_EXPECT_EQ(test, sum, SIZE);
		vdb_kunit_unmap(&d, DMA_TO_DEVICE);
		dma_buf_put(buf->dbuf);
	}
}

static void devices_without_dma_stay_out(struct kunit *test)
{
	struct device *dev = kunit_device_register(test, "no-dma");
	struct vdb_buffer *buf = new_buffer(test);
	struct dma_buf_attachment *att;

	KUNIT_ASSERT_FALSE(test, IS_ERR(dev));
	dev->dma_mask = NULL;
	vdb_watch(test);
	att = dma_buf_attach(buf->dbuf, dev);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(att), -EOPNOTSUPP);
	KUNIT_EXPECT_TRUE(test, list_empty(&buf->attachments));
	EXPECT_STATS(test, [VDB_REFUSALS] = 1);
	dma_buf_put(buf->dbuf);
}

/* Two attachments with a direction each, and one that is mapped twice. */
static void maps_are_counted_and_kept(struct kunit *test)
{
	struct device *dev = vdb_kunit_add_device(test, "device",
						  VDB_KUNIT_NONCOHERENT);
	struct vdb_buffer *buf = new_contiguous(test);
	struct vdb_kunit_device a, b;
	struct scatterlist *table;
	struct sg_table *sgt;

	vdb_watch(test);
	KUNIT_ASSERT_EQ(test, vdb_kunit_map(&a, buf, dev, DMA_TO_DEVICE), 0);
	KUNIT_ASSERT_EQ(test, vdb_kunit_map(&b, buf, dev, DMA_FROM_DEVICE), 0);
	KUNIT_EXPECT_PTR_NE(test, a.sgt, b.sgt);
	KUNIT_EXPECT_EQ(test, a.own->dma_dir, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, b.own->dma_dir, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, b.own->dir, DMA_FROM_DEVICE);
	KUNIT_EXPECT_PTR_EQ(test, list_first_entry(&buf->attachments,
						   struct vdb_attachment, node),
			    a.own);
	sgt = dma_buf_map_attachment_unlocked(a.att, DMA_TO_DEVICE);
	KUNIT_EXPECT_PTR_EQ(test, sgt, a.sgt);
	KUNIT_EXPECT_EQ(test, a.own->maps, 2);
	EXPECT_MOVES(test, "e>0-32");
	EXPECT_STATS(test, [VDB_ATTACHMENTS] = 2, [VDB_MAPS] = 3,
		     [VDB_SYNCS_FOR_DEVICE] = 1, [VDB_BYTES_SYNCED] = SIZE);
	sgt = dma_buf_map_attachment_unlocked(a.att, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(sgt), -EBUSY);
	KUNIT_EXPECT_EQ(test, a.own->maps, 2);
	EXPECT_STATS(test, [VDB_REFUSALS] = 1);

	dma_buf_unmap_attachment_unlocked(a.att, a.sgt, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, a.own->maps, 1);
	KUNIT_EXPECT_EQ(test, a.own->dir, DMA_TO_DEVICE);
	dma_buf_unmap_attachment_unlocked(a.att, a.sgt, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, a.own->maps, 0);
	KUNIT_EXPECT_EQ(test, a.own->dir, DMA_NONE);
	KUNIT_EXPECT_NULL(test, a.own->runs);
	/* One unmap too many. */
	if (!IS_ENABLED(CONFIG_DMABUF_DEBUG))
		dma_buf_unmap_attachment_unlocked(a.att, a.sgt, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, buf->engine.outside, 1);

	/* Another direction now, with the table of before. */
	table = a.own->sgt.sgl;
	sgt = dma_buf_map_attachment_unlocked(a.att, DMA_BIDIRECTIONAL);
	KUNIT_ASSERT_FALSE(test, IS_ERR(sgt));
	KUNIT_EXPECT_PTR_EQ(test, a.own->sgt.sgl, table);
	KUNIT_EXPECT_EQ(test, a.own->dma_dir, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, a.own->asked, DMA_BIDIRECTIONAL);
	dma_buf_detach(buf->dbuf, a.att);
	KUNIT_EXPECT_EQ(test, buf->engine.outside, 1);
	vdb_kunit_unmap(&b, DMA_FROM_DEVICE);
	KUNIT_EXPECT_EQ(test, buf->engine.outside, 0);
	dma_buf_put(buf->dbuf);
}

/* A map that fails leaves the attachment as it was. */
static void restricted_maps_fail_whole(struct kunit *test)
{
	struct device *dev = vdb_kunit_add_device(test, "device",
						  VDB_KUNIT_NONCOHERENT);
	struct vdb_buffer *buf = new_buffer(test);
	struct dma_buf *view = vdb_buffer_view(buf, O_RDONLY);
	struct dma_buf_attachment *att;
	struct sg_table *sgt;

	KUNIT_ASSERT_FALSE(test, IS_ERR(view));
	att = dma_buf_attach(view, dev);
	KUNIT_ASSERT_FALSE(test, IS_ERR(att));
	vdb_watch(test);
	sgt = dma_buf_map_attachment_unlocked(att, DMA_FROM_DEVICE);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(sgt), -EACCES);
	EXPECT_STATS(test, [VDB_REFUSALS] = 1);
	KUNIT_EXPECT_EQ(test, vdb_attachment_of(att)->asked, DMA_NONE);
	/* To write without reading is allowed by an export that says so. */
	dma_buf_detach(view, att);
	dma_buf_put(view);
	view = vdb_buffer_view(buf, O_WRONLY);
	KUNIT_ASSERT_FALSE(test, IS_ERR(view));
	att = dma_buf_attach(view, dev);
	KUNIT_ASSERT_FALSE(test, IS_ERR(att));
	sgt = dma_buf_map_attachment_unlocked(att, DMA_FROM_DEVICE);
	KUNIT_ASSERT_FALSE(test, IS_ERR(sgt));
	KUNIT_EXPECT_EQ(test, vdb_attachment_of(att)->dir, DMA_FROM_DEVICE);
	dma_buf_unmap_attachment_unlocked(att, sgt, DMA_FROM_DEVICE);
	dma_buf_detach(view, att);
	dma_buf_put(view);
	dma_buf_put(buf->dbuf);
}

/* Exports with fewer rights: known while they are there. */
static void views_are_known(struct kunit *test)
{
	struct vdb_buffer *buf = new_buffer(test);
	struct dma_buf *views[2], *foreign;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		views[i] = vdb_buffer_view(buf, i ? O_WRONLY : O_RDONLY);
		KUNIT_ASSERT_FALSE(test, IS_ERR(views[i]));
		KUNIT_EXPECT_PTR_EQ(test, vdb_buffer_of(views[i]), buf);
		KUNIT_EXPECT_PTR_EQ(test, buf->restricted[i],
				    (const struct dma_buf *)views[i]);
		KUNIT_EXPECT_EQ(test, buf->restricted_inode[i],
				file_inode(views[i]->file)->i_ino);
		KUNIT_EXPECT_EQ(test, views[i]->size, SIZE);
		KUNIT_EXPECT_PTR_EQ(test, views[i]->resv, buf->dbuf->resv);
		KUNIT_EXPECT_PTR_EQ(test, views[i]->file->f_mapping,
				    buf->dbuf->file->f_mapping);
	}
	KUNIT_EXPECT_FALSE(test, views[0]->file->f_mode & FMODE_WRITE);
	KUNIT_EXPECT_FALSE(test, views[1]->file->f_mode & FMODE_READ);
	KUNIT_EXPECT_EQ(test, file_count(buf->dbuf->file), 3);
	/* Files go a moment later, of a thread of the kernel. */
	for (i = 0; i < 2; i++) {
		dma_buf_put(views[i]);
		flush_delayed_fput();
		KUNIT_EXPECT_EQ(test, buf->restricted_inode[i], 0);
		KUNIT_EXPECT_EQ(test, !buf->restricted_inode[1], i == 1);
	}
	KUNIT_EXPECT_EQ(test, file_count(buf->dbuf->file), 1);

	foreign = vdb_kunit_narrow_buffer(test, SIZE);
	KUNIT_EXPECT_NULL(test, vdb_buffer_of(foreign));
	dma_buf_put(foreign);
	dma_buf_put(buf->dbuf);
}

/* A buffer is there, and gone, as a whole. */
static void buffers_are_counted(struct kunit *test)
{
	struct vdb_buffer *buf;

	flush_delayed_fput();
	vdb_watch(test);
	buf = new_buffer(test);
	KUNIT_EXPECT_EQ(test, buf->size, SIZE);
	KUNIT_EXPECT_EQ(test, buf->dbuf->size, SIZE);
	KUNIT_EXPECT_EQ(test, buf->inode, file_inode(buf->dbuf->file)->i_ino);
	KUNIT_EXPECT_EQ(test, buf->policy, VDB_POLICY_AUTO);
	KUNIT_EXPECT_TRUE(test, buf->dbuf->file->f_mode & FMODE_WRITE);
	KUNIT_EXPECT_TRUE(test, buf->dbuf->file->f_mode & FMODE_READ);
	EXPECT_STATS(test, [VDB_BUFFERS] = 1, [VDB_BUFFERS_TOTAL] = 1,
		     [VDB_BYTES] = SIZE);
	dma_buf_put(buf->dbuf);
	flush_delayed_fput();
	EXPECT_STATS(test, [VDB_BUFFERS] = -1, [VDB_BYTES] = -(s64)SIZE);
}

/* Who waits for whom, of those that read and those that write. */
static void fences_by_direction(struct kunit *test)
{
	static const struct {
		enum dma_data_direction dir;
		enum dma_resv_usage usage;
		bool waits;
	} all[] = {
		{ DMA_FROM_DEVICE, DMA_RESV_USAGE_READ, false },
		{ DMA_FROM_DEVICE, DMA_RESV_USAGE_WRITE, true },
		{ DMA_TO_DEVICE, DMA_RESV_USAGE_READ, true },
		{ DMA_TO_DEVICE, DMA_RESV_USAGE_WRITE, true },
		{ DMA_BIDIRECTIONAL, DMA_RESV_USAGE_READ, true },
		{ DMA_BIDIRECTIONAL, DMA_RESV_USAGE_WRITE, true },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(all); i++) {
		struct vdb_buffer *buf = new_buffer(test);
		struct dma_buf *dbuf = buf->dbuf;
		struct job *job = new_job(test, buf, all[i].usage, NULL);
		int ret;

		/* By itself: the core waits once more. */
		schedule_delayed_work(&job->work, HZ / 5);
		ret = dbuf->ops->begin_cpu_access(dbuf, all[i].dir);
		KUNIT_EXPECT_EQ(test, ret, 0);
		KUNIT_EXPECT_EQ_MSG(test, dma_fence_is_signaled(&job->fence),
				    all[i].waits, "row %u", i);
		KUNIT_EXPECT_EQ(test, buf->engine.write_brackets,
				all[i].dir != DMA_FROM_DEVICE);
		dma_buf_end_cpu_access(dbuf, all[i].dir);
		KUNIT_EXPECT_EQ(test, buf->engine.write_brackets, 0);
		flush_delayed_work(&job->work);
		dma_fence_put(&job->fence);
		dma_buf_put(dbuf);
	}
}

/* Whoever is interrupted while it waits has begun nothing. */
static void waits_are_interrupted(struct kunit *test)
{
	struct vdb_buffer *buf = new_buffer(test);
	struct job *job = new_job(test, buf, DMA_RESV_USAGE_WRITE, NULL);
	int ret;

	vdb_watch(test);
	sigaddset(&current->pending.signal, SIGKILL);
	set_tsk_thread_flag(current, TIF_SIGPENDING);
	ret = dma_buf_begin_cpu_access(buf->dbuf, DMA_TO_DEVICE);
	sigdelset(&current->pending.signal, SIGKILL);
	clear_tsk_thread_flag(current, TIF_SIGPENDING);
	KUNIT_EXPECT_EQ(test, ret, -ERESTARTSYS);
	KUNIT_EXPECT_EQ(test, buf->engine.write_brackets, 0);
	KUNIT_EXPECT_EQ(test, buf->cpu_users, 0);
	EXPECT_STATS(test, [VDB_BEGIN_CPU_ACCESS] = 1);
	dma_fence_signal(&job->fence);
	dma_fence_put(&job->fence);
	dma_buf_put(buf->dbuf);
}

static struct kunit_case exporter_cases[] = {
	KUNIT_CASE(readers_cant_write_by_dma),
	KUNIT_CASE(readers_cant_write_by_brackets),
	KUNIT_CASE(segments_are_short_enough),
	KUNIT_CASE(devices_without_dma_stay_out),
	KUNIT_CASE(maps_are_counted_and_kept),
	KUNIT_CASE(restricted_maps_fail_whole),
	KUNIT_CASE(views_are_known),
	KUNIT_CASE(buffers_are_counted),
	KUNIT_CASE(fences_are_waited_for_first),
	KUNIT_CASE(fences_by_direction),
	KUNIT_CASE(waits_are_interrupted),
	{}
};

static struct kunit_suite exporter_suite = {
	.name = "videobuf2-dmabuf-exporter",
	.test_cases = exporter_cases,
};

kunit_test_suite(exporter_suite);
