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
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/kthread.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/random.h>
#include <linux/sched/mm.h>
#include <linux/uaccess.h>

#include "../../drivers/vivid-ext/dmabus.h"
#include "kunit.h"

/* Three chunks, the last of them one page. */
#define CHUNKS 3
#define SIZE (2 * VDB_CHUNK_SIZE + PAGE_SIZE)

static unsigned int events = 100000;
module_param(events, uint, 0444);
MODULE_PARM_DESC(events, "how many the random test makes happen (default 100000)");

static unsigned int seed;
module_param(seed, uint, 0444);
MODULE_PARM_DESC(seed, "of the random test (default: random)");

enum state { GONE, MAPPED, MAPPED_RW, OPEN_READ, OPEN_WRITE, UNDELIVERED };

enum place { CPU, MEMORY, COPY0, COPY1 };

/**
 * struct agent - who may use the buffer
 * @d: a device, if it is one
 * @view: through which it looks
 * @queue: it is a queue's, which tells what it does
 * @state: what it may do now
 * @window: where its engine finds the buffer, while it is mapped
 * @copy: its bounce buffer, if it has one
 */
struct agent {
	struct vdb_kunit_device d;
	enum place view;
	bool queue;
	enum state state;
	struct vivid_ext_view *window;
	u8 *copy;
};

#define DEVICES 8
#define BRACKETS 2

/**
 * struct world - all there is
 * @test: the test
 * @rnd: where chance comes from
 * @buf: the buffer
 * @agents: devices; the first three are queues'
 * @frames: a queue whose CPU does the work
 * @brackets: CPU accesses: 0, or 1 to read, or 2 to write
 * @vaddr: a kernel mapping of those who have brackets
 * @user: a process's mapping
 * @newest: what has been written, by whomever
 * @untold: by chunk, the view (+ 1) of a write that nobody was told of
 * @unclosed: by chunk, a process wrote outside of a bracket, and still can
 * @got: room for what was read
 * @log: the last events
 * @events: how many there were
 */
struct world {
	struct kunit *test;
	struct rnd_state rnd;
	struct vdb_buffer *buf;
	struct agent agents[DEVICES];
	struct agent frames;
	unsigned int brackets[BRACKETS];
	u8 *vaddr;
	unsigned long user;
	u8 *newest;
	unsigned int untold[CHUNKS];
	bool unclosed[CHUNKS];
	u8 *got;
	struct {
		const char *what;
		const char *who;
		unsigned int number;
	} log[64];
	unsigned int events;
};

/* An event, for the case that something goes wrong. */
static void note(struct world *w, const char *what, const char *who,
		 unsigned int number)
{
	unsigned int i = w->events++ % ARRAY_SIZE(w->log);

	w->log[i].what = what;
	w->log[i].who = who;
	w->log[i].number = number;
}

static void show_log(struct world *w)
{
	unsigned int n = min_t(unsigned int, w->events, ARRAY_SIZE(w->log));

	for (; n; n--) {
		unsigned int i = (w->events - n) % ARRAY_SIZE(w->log);

		kunit_err(w->test, "%s %s %u\n", w->log[i].who,
			  w->log[i].what, w->log[i].number);
	}
}

static const char *name_of(const struct agent *a)
{
	return a->d.dev ? dev_name(a->d.dev) : "cpu-queue";
}

static unsigned int chance(struct world *w, unsigned int n)
{
	return prandom_u32_state(&w->rnd) % n;
}

/* Bounce buffers, which no bus here has: of these devices both are ours. */

static struct agent *agent_of(struct world *w, struct vdb_attachment *att)
{
	unsigned int i;

	for (i = 0; i < DEVICES - 1; i++)
		if (w->agents[i].d.dev == att->dev)
			break;
	return &w->agents[i];
}

static enum vdb_view_kind fake_kind(struct vdb_attachment *att)
{
	struct world *w = kunit_get_current_test()->priv;

	switch (agent_of(w, att)->view) {
	case CPU:
		return VDB_VIEW_CPU;
	case MEMORY:
		return VDB_VIEW_MEMORY;
	default:
		return VDB_VIEW_PRIVATE;
	}
}

static void copy_pages(struct vdb_buffer *buf, u8 *copy, size_t at, size_t len,
		       bool from_copy)
{
	while (len) {
		u8 *page = page_address(buf->storage.pages[at >> PAGE_SHIFT]);
		size_t n = min(len, PAGE_SIZE - offset_in_page(at));

		if (from_copy)
			memcpy(page + offset_in_page(at), copy + at, n);
		else
			memcpy(copy + at, page + offset_in_page(at), n);
		at += n;
		len -= n;
	}
}

static void fake_run(struct vdb_attachment *att, size_t offset, dma_addr_t addr,
		     size_t len, bool for_cpu)
{
	struct world *w = kunit_get_current_test()->priv;
	struct agent *a = agent_of(w, att);

	if (a->copy)
		copy_pages(att->buf, a->copy, offset, len, for_cpu);
	else if (for_cpu)
		dma_sync_single_for_cpu(att->dev, addr, len, att->dma_dir);
	else
		dma_sync_single_for_device(att->dev, addr, len, att->dma_dir);
}

/* Who may do what. */

static bool any_queue(struct world *w, bool reading)
{
	unsigned int i;

	for (i = 0; i <= DEVICES; i++) {
		enum state s = i < DEVICES ? w->agents[i].state :
					     w->frames.state;

		if (s == OPEN_WRITE || s == UNDELIVERED ||
		    (reading && s == OPEN_READ))
			return true;
	}
	return false;
}

static bool any_bracket(struct world *w, unsigned int least)
{
	unsigned int i;

	for (i = 0; i < BRACKETS; i++)
		if (w->brackets[i] >= least)
			return true;
	return false;
}

static bool any_importer(struct world *w)
{
	unsigned int i;

	for (i = 0; i < DEVICES; i++)
		if (!w->agents[i].queue && w->agents[i].state != GONE)
			return true;
	return false;
}

static bool silent_may_read(struct world *w, enum place view, unsigned int c)
{
	return !any_queue(w, false) && !w->unclosed[c] && !any_bracket(w, 2) &&
	       (!w->untold[c] || w->untold[c] == view + 1);
}

static bool silent_may_write(struct world *w, enum place view, unsigned int c)
{
	return silent_may_read(w, view, c) && !any_queue(w, true) &&
	       !any_bracket(w, 1);
}

static bool unbracketed_ok(struct world *w)
{
	return !any_queue(w, false) && !any_bracket(w, 1) && !any_importer(w);
}

static bool device_may_read(struct world *w, struct agent *a, unsigned int c)
{
	if (a->queue)
		return a->state == OPEN_READ || a->state == OPEN_WRITE;
	return a->state != GONE && silent_may_read(w, a->view, c);
}

static bool device_may_write(struct world *w, struct agent *a, unsigned int c)
{
	if (a->queue)
		return a->state == OPEN_WRITE;
	return a->state == MAPPED_RW && silent_may_write(w, a->view, c);
}

/* Bytes. */

static size_t chunk_len(unsigned int c)
{
	return min_t(size_t, VDB_CHUNK_SIZE, SIZE - c * VDB_CHUNK_SIZE);
}

static void device_io(struct world *w, struct agent *a, size_t at, u8 *bytes,
		      size_t len, bool write)
{
	enum dma_data_direction dir = write ? DMA_FROM_DEVICE : DMA_TO_DEVICE;
	u8 *there = a->copy ?: vivid_ext_view_addr(a->window);

	if (!a->copy)
		KUNIT_ASSERT_EQ(w->test, vivid_ext_view_begin(a->window, dir),
				0);
	if (write)
		memcpy(there + at, bytes, len);
	else
		memcpy(bytes, there + at, len);
	if (!a->copy)
		vivid_ext_view_end(a->window, dir);
}

/* Some bytes of a chunk change, in the reference. */
static size_t new_bytes(struct world *w, unsigned int c, size_t *at)
{
	size_t from = chance(w, chunk_len(c)), i;
	size_t len = 1 + chance(w, min_t(size_t, 3000, chunk_len(c) - from));

	*at = c * VDB_CHUNK_SIZE + from;
	for (i = 0; i < len; i++)
		w->newest[*at + i] ^= 1 + chance(w, 255);
	return len;
}

static bool same(struct world *w, unsigned int c, const char *who)
{
	size_t at = c * VDB_CHUNK_SIZE;

	if (!memcmp(w->got, w->newest + at, chunk_len(c)))
		return true;
	KUNIT_FAIL(w->test, "%s reads old bytes of chunk %u\n", who, c);
	return false;
}

static bool check_device(struct world *w, struct agent *a, unsigned int c)
{
	if (!device_may_read(w, a, c))
		return true;
	device_io(w, a, c * VDB_CHUNK_SIZE, w->got, chunk_len(c), false);
	return same(w, c, dev_name(a->d.dev));
}

static bool check_cpu(struct world *w, unsigned int c)
{
	size_t at = c * VDB_CHUNK_SIZE;

	if (w->vaddr && any_bracket(w, 1) && !any_queue(w, false)) {
		memcpy(w->got, w->vaddr + at, chunk_len(c));
		if (!same(w, c, "the kernel"))
			return false;
	}
	if (w->frames.state == OPEN_READ) {
		copy_pages(w->buf, w->got - at, at, chunk_len(c), false);
		if (!same(w, c, "a queue's CPU"))
			return false;
	}
	if (unbracketed_ok(w) || (any_bracket(w, 1) && !any_queue(w, false))) {
		if (copy_from_user(w->got, (void __user *)(w->user + at),
				   chunk_len(c))) {
			KUNIT_FAIL(w->test, "a process can't read");
			return false;
		}
		return same(w, c, "a process");
	}
	return true;
}

static bool check_all(struct world *w)
{
	unsigned int i, c;

	for (c = 0; c < CHUNKS; c++) {
		for (i = 0; i < DEVICES; i++)
			if (!check_device(w, &w->agents[i], c))
				return false;
		if (!check_cpu(w, c))
			return false;
	}
	return true;
}

/* Events. */

static void told(struct world *w)
{
	memset(w->untold, 0, sizeof(w->untold));
}

static void map_device(struct world *w, struct agent *a)
{
	bool writes = a->queue || chance(w, 2);
	enum dma_data_direction dir = writes ? DMA_BIDIRECTIONAL :
					       DMA_TO_DEVICE;

	KUNIT_ASSERT_EQ(w->test, vdb_kunit_map_as(&a->d, w->buf, a->d.dev, dir,
						  a->queue), 0);
	a->window = vivid_ext_view_create(a->d.dev, a->d.sgt, SIZE, dir);
	KUNIT_ASSERT_FALSE(w->test, IS_ERR(a->window));
	a->state = writes && !a->queue ? MAPPED_RW : MAPPED;
	note(w, writes ? "map to write" : "map to read", name_of(a), 0);
	told(w);
}

static void unmap_device(struct world *w, struct agent *a)
{
	enum dma_data_direction dir = a->d.own->asked;

	vivid_ext_view_destroy(a->window);
	/* Once more, or none at all: detach is enough. */
	if (!chance(w, 4))
		dma_buf_map_attachment_unlocked(a->d.att, dir);
	if (chance(w, 4))
		vdb_kunit_unmap(&a->d, dir);
	else
		dma_buf_detach(w->buf->dbuf, a->d.att);
	a->state = GONE;
	note(w, "unmap", name_of(a), 0);
	told(w);
}

static void qbuf(struct world *w, struct agent *a)
{
	bool writes = chance(w, 2) && !any_queue(w, true);

	/* Who keeps the rules has ended its accesses. */
	if (any_queue(w, false) || any_bracket(w, writes ? 1 : 2))
		return;
	if (a == &w->frames)
		vdb_coherency_queue_cpu(w->buf, writes);
	else
		vdb_kunit_queue(&a->d, writes);
	a->state = writes ? OPEN_WRITE : OPEN_READ;
	note(w, writes ? "QBUF to write" : "QBUF to read", name_of(a), 0);
	told(w);
}

static void done(struct world *w, struct agent *a)
{
	note(w, "done", name_of(a), 0);
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
	note(w, "DQBUF", name_of(a), 0);
	if (chance(w, 2))
		vdb_coherency_deliver(w->buf, chance(w, 2));
	else
		vdb_coherency_deliver_now(w->buf, chance(w, 2));
	a->state = MAPPED;
}

static void step_queue(struct world *w, struct agent *a)
{
	unsigned int c = chance(w, CHUNKS);
	size_t at, len;

	switch (a->state) {
	case GONE:
		map_device(w, a);
		break;
	case MAPPED:
		if (a != &w->frames && !chance(w, 8))
			unmap_device(w, a);
		else
			qbuf(w, a);
		break;
	case OPEN_WRITE:
		note(w, "write to chunk", name_of(a), c);
		len = new_bytes(w, c, &at);
		if (a == &w->frames)
			copy_pages(w->buf, w->newest, at, len, true);
		else
			device_io(w, a, at, w->newest + at, len, true);
		if (chance(w, 3))
			done(w, a);
		break;
	case OPEN_READ:
		done(w, a);
		break;
	default:
		deliver(w, a);
	}
}

static void step_importer(struct world *w, struct agent *a)
{
	unsigned int c = chance(w, CHUNKS);
	size_t at, len;

	if (a->state == GONE) {
		map_device(w, a);
	} else if (!chance(w, 6)) {
		unmap_device(w, a);
	} else if (device_may_write(w, a, c)) {
		note(w, "silent write to chunk", name_of(a), c);
		len = new_bytes(w, c, &at);
		device_io(w, a, at, w->newest + at, len, true);
		w->untold[c] = a->view + 1;
	}
}

static void step_bracket(struct world *w, unsigned int i)
{
	enum dma_data_direction dir;
	unsigned int c = chance(w, CHUNKS);
	size_t at, len;

	if (!w->brackets[i]) {
		if (any_queue(w, false))
			return;
		w->brackets[i] = 1 + (chance(w, 2) && !any_queue(w, true));
		dir = w->brackets[i] == 1 ? DMA_FROM_DEVICE : DMA_TO_DEVICE;
		note(w, "begin", "bracket", w->brackets[i]);
		dma_buf_begin_cpu_access(w->buf->dbuf, dir);
		told(w);
		return;
	}
	if (w->vaddr && w->brackets[i] == 2 && chance(w, 2)) {
		note(w, "write to chunk", "the kernel", c);
		len = new_bytes(w, c, &at);
		memcpy(w->vaddr + at, w->newest + at, len);
		return;
	}
	dir = w->brackets[i] == 1 ? DMA_FROM_DEVICE : DMA_TO_DEVICE;
	note(w, "end", "bracket", w->brackets[i]);
	w->brackets[i] = 0;
	dma_buf_end_cpu_access(w->buf->dbuf, dir);
}

static void step_process(struct world *w)
{
	unsigned int c = chance(w, CHUNKS);
	size_t at, len;

	if (!any_bracket(w, 2) && (!unbracketed_ok(w) || any_queue(w, true)))
		return;
	note(w, "write to chunk", "a process", c);
	len = new_bytes(w, c, &at);
	if (copy_to_user((void __user *)(w->user + at), w->newest + at, len))
		KUNIT_FAIL(w->test, "a process can't write");
	w->unclosed[c] |= !any_bracket(w, 2);
}

static void step_vmap(struct world *w)
{
	note(w, "mapping changes", "the kernel's", !w->vaddr);
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
	unsigned int who = chance(w, DEVICES + BRACKETS + 3);

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
	else if (!chance(w, 3))
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
	kunit_activate_static_stub(test, vdb_sync_kind, fake_kind);
	kunit_activate_static_stub(test, vdb_sync_run, fake_run);
}

static void end_world(struct world *w)
{
	unsigned int i;

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
		if (i % 64 ? !check_device(w, &w->agents[chance(w, DEVICES)],
					   chance(w, CHUNKS)) ||
			     !check_cpu(w, chance(w, CHUNKS)) : !check_all(w)) {
			show_log(w);
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
