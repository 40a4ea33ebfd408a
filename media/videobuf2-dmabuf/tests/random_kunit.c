// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random sequences of all that can happen to a buffer, as long as everybody
 * keeps the rules of dma-buf and V4L2, on real pages, page tables and devices
 * of the simulated bus. Beside it is a reference, which is only an array: who
 * has the right to read a chunk must find the same bytes there.
 *
 * tests/prove explores the engine completely; this is about the hands.
 *
 *	modprobe videobuf2-dmabuf-kunit events=10000000 seed=1
 */
#include <kunit/static_stub.h>
#include <kunit/test.h>
#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/kthread.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>

#include "vivid-ext/bus/view.h"
#include "world.h"

static unsigned int events = 100000;
module_param(events, uint, 0444);
MODULE_PARM_DESC(events, "how many the random test makes happen (default 100000)");

static unsigned int seed;
module_param(seed, uint, 0444);
MODULE_PARM_DESC(seed, "of the random test (default: random)");

static void told(struct world *w)
{
	memset(w->untold, 0, sizeof(w->untold));
}

static void map_device(struct world *w, struct agent *a)
{
	bool writes = a->queue || world_chance(w, 2);
	enum dma_data_direction dir = writes ? DMA_BIDIRECTIONAL :
					       DMA_TO_DEVICE;

	KUNIT_ASSERT_EQ(w->test, vdb_kunit_map_as(&a->d, w->buf, a->d.dev, dir,
						  a->queue), 0);
	a->window = vivid_ext_view_create(a->d.dev, a->d.sgt, SIZE, dir);
	KUNIT_ASSERT_FALSE(w->test, IS_ERR(a->window));
	a->state = writes && !a->queue ? MAPPED_RW : MAPPED;
	world_note(w, writes ? "map to write" : "map to read",
		   world_name_of(a), 0);
	told(w);
}

static void unmap_device(struct world *w, struct agent *a)
{
	enum dma_data_direction dir = a->d.own->asked;

	vivid_ext_view_destroy(a->window);
	/* Once more, or none at all: detach is enough. */
	if (!world_chance(w, 4))
		dma_buf_map_attachment_unlocked(a->d.att, dir);
	if (world_chance(w, 4))
		vdb_kunit_unmap(&a->d, dir);
	else
		dma_buf_detach(w->buf->dbuf, a->d.att);
	a->state = GONE;
	world_note(w, "unmap", world_name_of(a), 0);
	told(w);
}

static void qbuf(struct world *w, struct agent *a)
{
	bool writes = world_chance(w, 2) && !world_any_queue(w, true);

	/* Who keeps the rules has ended its accesses. */
	if (world_any_queue(w, false) || world_any_bracket(w, writes ? 1 : 2))
		return;
	if (a == &w->frames)
		vdb_coherency_queue_cpu(w->buf, writes);
	else
		vdb_kunit_queue(&a->d, writes);
	a->state = writes ? OPEN_WRITE : OPEN_READ;
	world_note(w, writes ? "QBUF to write" : "QBUF to read",
		   world_name_of(a), 0);
	told(w);
}

static void done(struct world *w, struct agent *a)
{
	world_note(w, "done", world_name_of(a), 0);
	if (a == &w->frames) {
		if (a->state == OPEN_WRITE)
			vdb_coherency_done_cpu(w->buf, true);
	} else {
		vdb_coherency_done(a->d.own, true);
	}
	if (a->state == OPEN_READ)
		a->state = MAPPED;
	else
		a->state = UNDELIVERED;
}

static void deliver(struct world *w, struct agent *a)
{
	world_note(w, "DQBUF", world_name_of(a), 0);
	if (world_chance(w, 2))
		vdb_coherency_deliver(w->buf, world_chance(w, 2));
	else
		vdb_coherency_deliver_now(w->buf, world_chance(w, 2));
	a->state = MAPPED;
}

static void step_queue(struct world *w, struct agent *a)
{
	unsigned int c = world_chance(w, CHUNKS);
	size_t at, len;

	switch (a->state) {
	case GONE:
		map_device(w, a);
		break;
	case MAPPED:
		if (a != &w->frames && !world_chance(w, 8))
			unmap_device(w, a);
		else
			qbuf(w, a);
		break;
	case OPEN_WRITE:
		world_note(w, "write to chunk", world_name_of(a), c);
		len = world_new_bytes(w, c, &at);
		if (a == &w->frames)
			world_copy_pages(w->buf, w->newest, at, len, true);
		else
			world_device_io(w, a, at, w->newest + at, len, true);
		if (world_chance(w, 3))
			done(w, a);
		break;
	case OPEN_READ:
		done(w, a);
		break;
	default:
		deliver(w, a);
	}
}

static const char *job_name(struct dma_fence *fence)
{
	return "kunit";
}

static void release_job(struct dma_fence *fence)
{
	kfree(container_of(fence, struct job, fence));
}

static const struct dma_fence_ops job_ops = {
	.get_driver_name = job_name,
	.get_timeline_name = job_name,
	.release = release_job,
};

/* The device is at work, whatever the CPU does meanwhile. */
static void run_job(struct work_struct *work)
{
	struct job *job = container_of(work, struct job, work);
	u8 *bytes = job->writes ? job->w->newest + job->at : job->got;

	world_device_io(job->w, job->agent, job->at, bytes, job->len,
			job->writes);
	if (!job->writes &&
	    memcmp(job->got, job->w->newest + job->at, job->len))
		KUNIT_FAIL(job->w->test, "%s reads old bytes under a fence\n",
			   world_name_of(job->agent));
	dma_fence_signal(&job->fence);
}

/* An importer's device gets something to do, with a fence. */
static void start_job(struct world *w, struct agent *a, unsigned int c,
		      bool writes)
{
	struct dma_resv *resv = w->buf->dbuf->resv;
	struct job *job = kzalloc(sizeof(*job), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(w->test, job);
	world_note(w, writes ? "job that writes" : "job that reads",
		   world_name_of(a), c);
	job->w = w;
	job->agent = a;
	job->writes = writes;
	job->len = world_new_range(w, c, &job->at);
	if (writes) {
		world_change(w, job->at, job->len);
		w->untold[c] = a->view + 1;
	}
	spin_lock_init(&job->lock);
	dma_fence_init(&job->fence, &job_ops, &job->lock,
		       dma_fence_context_alloc(1), 1);
	INIT_WORK(&job->work, run_job);
	dma_resv_lock(resv, NULL);
	if (dma_resv_reserve_fences(resv, 1))
		KUNIT_FAIL(w->test, "no room for a fence");
	else
		dma_resv_add_fence(resv, &job->fence, writes ?
				   DMA_RESV_USAGE_WRITE : DMA_RESV_USAGE_READ);
	dma_resv_unlock(resv);
	w->job = job;
	schedule_work(&job->work);
}

/* Who has no exporter that waits for fences does so itself. */
static void finish_job(struct world *w)
{
	if (!w->job)
		return;
	flush_work(&w->job->work);
	dma_fence_put(&w->job->fence);
	w->job = NULL;
}

/* Of the exporter it is wanted. */
static void expect_wait(struct world *w, bool writes)
{
	if (!w->job || (!writes && !w->job->writes))
		return;
	if (!dma_fence_is_signaled(&w->job->fence))
		KUNIT_FAIL(w->test, "a CPU access has begun under a fence");
	finish_job(w);
}

static void step_importer(struct world *w, struct agent *a)
{
	unsigned int c = world_chance(w, CHUNKS);
	size_t at, len;

	if (a->state == GONE) {
		map_device(w, a);
	} else if (!world_chance(w, 6)) {
		unmap_device(w, a);
	} else if (!world_chance(w, 3)) {
		if (world_device_may_write(w, a, c))
			start_job(w, a, c, true);
		else if (world_device_may_read(w, a, c))
			start_job(w, a, c, false);
	} else if (world_device_may_write(w, a, c)) {
		world_note(w, "silent write to chunk", world_name_of(a), c);
		len = world_new_bytes(w, c, &at);
		world_device_io(w, a, at, w->newest + at, len, true);
		w->untold[c] = a->view + 1;
	}
}

static void step_bracket(struct world *w, unsigned int i)
{
	enum dma_data_direction dir;
	unsigned int c = world_chance(w, CHUNKS);
	size_t at, len;

	if (!w->brackets[i]) {
		if (world_any_queue(w, false))
			return;
		w->brackets[i] = 1 + (world_chance(w, 2) &&
				      !world_any_queue(w, true));
		dir = w->brackets[i] == 1 ? DMA_FROM_DEVICE : DMA_TO_DEVICE;
		world_note(w, "begin", "bracket", w->brackets[i]);
		/* Not by way of the core, which waits as well, but too late. */
		w->buf->dbuf->ops->begin_cpu_access(w->buf->dbuf, dir);
		expect_wait(w, w->brackets[i] == 2);
		told(w);
		return;
	}
	if (w->vaddr && w->brackets[i] == 2 && world_chance(w, 2)) {
		world_note(w, "write to chunk", "the kernel", c);
		len = world_new_bytes(w, c, &at);
		memcpy(w->vaddr + at, w->newest + at, len);
		return;
	}
	dir = w->brackets[i] == 1 ? DMA_FROM_DEVICE : DMA_TO_DEVICE;
	world_note(w, "end", "bracket", w->brackets[i]);
	w->brackets[i] = 0;
	dma_buf_end_cpu_access(w->buf->dbuf, dir);
}

static void step_process(struct world *w)
{
	unsigned int c = world_chance(w, CHUNKS);
	size_t at, len;

	if (!world_any_bracket(w, 2) &&
	    (!world_unbracketed_ok(w) || world_any_queue(w, true)))
		return;
	world_note(w, "write to chunk", "a process", c);
	len = world_new_bytes(w, c, &at);
	if (copy_to_user((void __user *)(w->user + at), w->newest + at, len))
		KUNIT_FAIL(w->test, "a process can't write");
	w->unclosed[c] |= !world_any_bracket(w, 2);
}

static void step_vmap(struct world *w)
{
	world_note(w, "mapping changes", "the kernel's", !w->vaddr);
	if (w->vaddr) {
		vdb_mapping_vunmap(w->buf, true);
		w->vaddr = NULL;
	} else {
		w->vaddr = vdb_mapping_vmap(w->buf, true);
		KUNIT_ASSERT_NOT_NULL(w->test, w->vaddr);
	}
}

static void step(struct world *w)
{
	unsigned int who = world_chance(w, DEVICES + BRACKETS + 3);

	if (who - DEVICES >= BRACKETS || w->brackets[who - DEVICES])
		finish_job(w);
	if (who < DEVICES && w->agents[who].queue)
		step_queue(w, &w->agents[who]);
	else if (who < DEVICES)
		step_importer(w, &w->agents[who]);
	else if (who < DEVICES + BRACKETS)
		step_bracket(w, who - DEVICES);
	else if (who == DEVICES + BRACKETS)
		step_queue(w, &w->frames);
	else if (who == DEVICES + BRACKETS + 1)
		step_process(w);
	else if (!world_chance(w, 3))
		step_vmap(w);
	if (bitmap_empty(w->buf->engine.writable, CHUNKS) &&
	    bitmap_empty(w->buf->engine.suspect, CHUNKS))
		memset(w->unclosed, 0, sizeof(w->unclosed));
}

static void add_device(struct world *w, unsigned int i, const char *name,
		       enum vdb_kunit_bus bus, enum place view)
{
	struct agent *a = &w->agents[i];

	a->d.dev = vdb_kunit_add_device(w->test, name, bus);
	a->view = view;
	a->queue = i < 3;
	if (view >= COPY0) {
		a->copy = kunit_kzalloc(w->test, SIZE, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(w->test, a->copy);
	}
}

static void make_world(struct kunit *test, struct world *w)
{
	w->test = test;
	if (!seed)
		seed = 1 + get_random_u32() % 1000000;
	prandom_seed_state(&w->rnd, seed);
	kunit_info(test, "seed=%u events=%u\n", seed, events);
	add_device(w, 0, "queue-memory", VDB_KUNIT_NONCOHERENT, MEMORY);
	add_device(w, 1, "queue-iommu", VDB_KUNIT_NONCOHERENT_IOMMU, MEMORY);
	add_device(w, 2, "queue-coherent", VDB_KUNIT_REAL, CPU);
	add_device(w, 3, "import-memory", VDB_KUNIT_NONCOHERENT, MEMORY);
	add_device(w, 4, "import-iommu", VDB_KUNIT_NONCOHERENT_IOMMU, MEMORY);
	add_device(w, 5, "import-coherent", VDB_KUNIT_REAL, CPU);
	add_device(w, 6, "import-bounced", VDB_KUNIT_REAL, COPY0);
	add_device(w, 7, "import-bounced-too", VDB_KUNIT_REAL, COPY1);
	w->frames.queue = true;
	w->frames.state = MAPPED;
	w->newest = kunit_kzalloc(test, SIZE, GFP_KERNEL);
	w->got = kunit_kzalloc(test, VDB_CHUNK_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, w->newest);
	KUNIT_ASSERT_NOT_NULL(test, w->got);
	kunit_activate_static_stub(test, vdb_sync_kind, world_fake_kind);
	kunit_activate_static_stub(test, vdb_sync_run, world_fake_run);
}

static void end_world(struct world *w)
{
	unsigned int i;

	finish_job(w);
	for (i = 0; i < DEVICES; i++) {
		struct agent *a = &w->agents[i];

		if (a->state >= OPEN_READ && a->state != UNDELIVERED)
			done(w, a);
		if (a->state != GONE)
			unmap_device(w, a);
	}
	if (w->frames.state == OPEN_WRITE)
		done(w, &w->frames);
	for (i = 0; i < BRACKETS; i++)
		if (w->brackets[i])
			dma_buf_end_cpu_access(w->buf->dbuf,
					       w->brackets[i] == 1 ?
					       DMA_FROM_DEVICE : DMA_TO_DEVICE);
	if (w->vaddr)
		step_vmap(w);
	kthread_unuse_mm(current->mm);
}

static bool check_some(struct world *w, unsigned int i)
{
	struct agent *a = &w->agents[world_chance(w, DEVICES)];
	unsigned int c = world_chance(w, CHUNKS);

	/* What a device is at is looked at when it is done. */
	if (w->job)
		return true;
	return i % 64 ? world_check_device(w, a, c) && world_check_cpu(w, c) :
			world_check_all(w);
}

/* @pages: the process has real pages, of when all was coherent. */
static void run(struct kunit *test, bool pages)
{
	struct world *w = test->priv;
	struct mm_struct *mm;
	unsigned int i;

	make_world(test, w);
	w->buf = vdb_buffer_create(NULL, SIZE, 0, false,
				   pages ? VDB_POLICY_AUTO :
					   VDB_POLICY_SHOOTDOWN);
	KUNIT_ASSERT_FALSE(test, IS_ERR(w->buf));
	w->user = kunit_vm_mmap(test, w->buf->dbuf->file, 0, SIZE,
				PROT_READ | PROT_WRITE, MAP_SHARED, 0);
	mm = current->mm;
	for (i = 0; i < events / 2; i++) {
		step(w);
		if (!check_some(w, i)) {
			world_show_log(w);
			kunit_err(test, "after %u steps, seed=%u\n", i, seed);
			break;
		}
		cond_resched();
	}
	end_world(w);
	mmput(mm);
	KUNIT_EXPECT_EQ(test, w->buf->engine.outside, 0);
	dma_buf_put(w->buf->dbuf);
}

static void random_events_with_page_frames(struct kunit *test)
{
	run(test, false);
}

static void random_events_with_real_pages(struct kunit *test)
{
	run(test, true);
}

static int random_test_init(struct kunit *test)
{
	test->priv = kunit_kzalloc(test, sizeof(struct world), GFP_KERNEL);
	return test->priv ? 0 : -ENOMEM;
}

static struct kunit_case random_cases[] = {
	KUNIT_CASE_SLOW(random_events_with_page_frames),
	KUNIT_CASE_SLOW(random_events_with_real_pages),
	{}
};

static struct kunit_suite random_suite = {
	.name = "videobuf2-dmabuf-random",
	.init = random_test_init,
	.test_cases = random_cases,
};

kunit_test_suite(random_suite);
