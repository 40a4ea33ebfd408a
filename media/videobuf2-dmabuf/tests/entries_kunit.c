// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of page tables, by value: which entries there are after each event, of
 * which kind, and who counts as a writer by them.
 */
#include <kunit/test.h>
#include <linux/bitmap.h>
#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/sched.h>

#include "process.h"
#include "watch.h"

/* A chunk at a time, to be read or written, in the mapping that asks. */
static void entries_come_by_chunks(struct kunit *test)
{
	struct vdb_process *f = test->priv;

	vdb_process_begin(test, VDB_KUNIT_NONCOHERENT, VDB_POLICY_AUTO);
	vdb_watch(test);
	EXPECT_ENTRIES(test, "-33");
	vdb_user_read(f->addr + 31 * PAGE_SIZE);
	EXPECT_ENTRIES(test, "-16 r16 -1");
	EXPECT_VIEW_ENTRIES(test, "-30");
	EXPECT_STATS(test, [VDB_FAULTS] = 1);
	vdb_user_write(f->addr + 5 * PAGE_SIZE, 0x33);
	EXPECT_ENTRIES(test, "w16 r16 -1");
	EXPECT_STATS(test, [VDB_FAULTS] = 1);
	vdb_user_read(f->view_addr);
	EXPECT_VIEW_ENTRIES(test, "r13 -17");
	vdb_user_read(f->view_addr + 20 * PAGE_SIZE);
	vdb_user_read(f->addr + 32 * PAGE_SIZE);
	EXPECT_VIEW_ENTRIES(test, "r29 -1");
	EXPECT_ENTRIES(test, "w16 r17");
	EXPECT_STATS(test, [VDB_FAULTS] = 3);

	/* The first write takes the chunk's entries of all others. */
	vdb_user_write(f->addr + 17 * PAGE_SIZE, 0x33);
	EXPECT_ENTRIES(test, "w32 r1");
	EXPECT_VIEW_ENTRIES(test, "r13 -17");
	EXPECT_STATS(test, [VDB_FAULTS] = 0, [VDB_WRITE_FAULTS] = 1);
	vdb_user_write(f->addr + 32 * PAGE_SIZE, 0x33);
	EXPECT_ENTRIES(test, "w33");
	EXPECT_STATS(test, [VDB_WRITE_FAULTS] = 1);

	/* What was lost comes back, beside what is there. */
	unmap_mapping_range(f->buf->dbuf->file->f_mapping, 2 * PAGE_SIZE,
			    PAGE_SIZE, 1);
	EXPECT_ENTRIES(test, "w2 -1 w30");
	vdb_user_read(f->addr + 2 * PAGE_SIZE);
	EXPECT_ENTRIES(test, "w2 r1 w30");
	EXPECT_STATS(test, [VDB_FAULTS] = 1);
	vdb_coherency_queue(f->d.own, true);
	EXPECT_ENTRIES(test, "-33");
	EXPECT_VIEW_ENTRIES(test, "-30");
	EXPECT_MOVES(test, "e>0-33");
	EXPECT_STATS(test, [VDB_SHOOTDOWNS] = 1, [VDB_SYNCS_FOR_DEVICE] = 1,
		     [VDB_BYTES_SYNCED] = SIZE);
	vdb_coherency_done(f->d.own, false);
	/* There is nothing to be taken away. */
	vdb_coherency_queue(f->d.own, true);
	vdb_coherency_done(f->d.own, false);
	EXPECT_STATS(test, [VDB_SYNCS_ELIDED] = 1);
	vdb_process_finish();
}

/* The end of a reader takes nothing away: what it saw is brought up to date. */
static void readers_keep_their_entries(struct kunit *test)
{
	struct vdb_process *f = test->priv;

	vdb_process_begin(test, VDB_KUNIT_NONCOHERENT, VDB_POLICY_AUTO);
	vdb_coherency_begin(f->buf, false);
	vdb_user_read(f->addr);
	vdb_watch(test);
	vdb_coherency_end(f->buf, false);
	EXPECT_ENTRIES(test, "r16 -17");
	EXPECT_STATS(test, [VDB_SYNCS_ELIDED] = 1);

	/* Of a writer, or of who has written without a word, they go. */
	vdb_coherency_begin(f->buf, true);
	EXPECT_ENTRIES(test, "r16 -17");
	vdb_coherency_end(f->buf, true);
	EXPECT_ENTRIES(test, "-33");
	EXPECT_STATS(test, [VDB_SHOOTDOWNS] = 1, [VDB_SYNCS_ELIDED] = 2);
	vdb_user_write(f->addr, 0x33);
	vdb_watch(test);
	vdb_coherency_end(f->buf, false);
	EXPECT_ENTRIES(test, "-33");
	EXPECT_MOVES(test, "");
	vdb_process_finish();
}

static struct vm_area_struct *area(unsigned long addr)
{
	struct vm_area_struct *vma;

	mmap_read_lock(current->mm);
	vma = find_vma(current->mm, addr);
	mmap_read_unlock(current->mm);
	return vma;
}

/* Real pages or page frames, and who takes entries away, by policy and bus. */
static void policies_and_buses(struct kunit *test)
{
	static const struct {
		enum vdb_kunit_bus bus;
		enum vdb_policy policy;
		bool pfns, stays;
	} all[] = {
		{ VDB_KUNIT_REAL, VDB_POLICY_AUTO, false, true },
		{ VDB_KUNIT_REAL, VDB_POLICY_SHOOTDOWN, true, false },
		{ VDB_KUNIT_REAL, VDB_POLICY_EXPLICIT, false, true },
		{ VDB_KUNIT_REAL, VDB_POLICY_WRITECOMBINE, true, true },
		{ VDB_KUNIT_NONCOHERENT, VDB_POLICY_AUTO, true, false },
		{ VDB_KUNIT_NONCOHERENT, VDB_POLICY_SHOOTDOWN, true, false },
		{ VDB_KUNIT_NONCOHERENT, VDB_POLICY_EXPLICIT, true, true },
		{ VDB_KUNIT_NONCOHERENT, VDB_POLICY_WRITECOMBINE, true, true },
	};
	const unsigned int n = test->param_value ?
			       *(const unsigned int *)test->param_value : 0;
	const unsigned long always = VM_DONTEXPAND | VM_DONTDUMP | VM_MAYWRITE;
	struct vdb_process *f = test->priv;
	struct vm_area_struct *vma;

	vdb_process_begin(test, all[n].bus, all[n].policy);
	vma = area(f->addr);
	KUNIT_EXPECT_EQ(test, vma->vm_flags & always, always);
	KUNIT_EXPECT_EQ(test, vma->vm_flags & (VM_PFNMAP | VM_MIXEDMAP),
			all[n].pfns ? VM_PFNMAP : VM_MIXEDMAP);
	KUNIT_EXPECT_EQ(test, f->buf->real_pages, !all[n].pfns);
	vdb_user_read(f->addr);
	EXPECT_ENTRIES(test, all[n].pfns &&
		       !(all[n].policy == VDB_POLICY_WRITECOMBINE &&
			 all[n].bus == VDB_KUNIT_NONCOHERENT) ?
		       "r16 -17" : "w16 -17");
	vdb_coherency_queue(f->d.own, true);
	KUNIT_EXPECT_EQ(test, vdb_user_sees(f->addr), all[n].stays);
	vdb_coherency_done(f->d.own, false);
	/* Beyond the end, if one ever gets there. */
	KUNIT_EXPECT_EQ(test, (int)vma->vm_ops->fault(&(struct vm_fault){
				.vma = vma, .pgoff = PAGES, .address = f->addr,
			}), VM_FAULT_SIGBUS);
	vdb_process_finish();
}

static const unsigned int rows[] = { 0, 1, 2, 3, 4, 5, 6, 7 };

KUNIT_ARRAY_PARAM(rows, rows, NULL);

/* When processes go past the caches: a device that writes looks at memory. */
static void mappings_are_not_cached(struct kunit *test)
{
	static const struct {
		enum vdb_kunit_bus bus;
		enum dma_data_direction dir;
		bool bypass;
	} all[] = {
		{ VDB_KUNIT_REAL, DMA_BIDIRECTIONAL, false },
		{ VDB_KUNIT_NONCOHERENT, DMA_BIDIRECTIONAL, true },
		{ VDB_KUNIT_NONCOHERENT, DMA_FROM_DEVICE, true },
		{ VDB_KUNIT_NONCOHERENT, DMA_TO_DEVICE, false },
		{ VDB_KUNIT_NONCOHERENT_IOMMU, DMA_FROM_DEVICE, true },
	};
	struct vdb_process *f = test->priv;
	struct vdb_kunit_device other;
	unsigned int i;
	char name[8];

	vdb_process_begin(test, VDB_KUNIT_REAL, VDB_POLICY_WRITECOMBINE);
	for (i = 0; i < ARRAY_SIZE(all); i++) {
		struct device *dev;

		snprintf(name, sizeof(name), "other%u", i);
		dev = vdb_kunit_add_device(test, name, all[i].bus);
		KUNIT_ASSERT_EQ(test, vdb_kunit_map(&other, f->buf, dev,
						    all[i].dir), 0);
		vdb_user_read(f->addr);
		KUNIT_EXPECT_EQ_MSG(test, f->buf->past_caches, all[i].bypass,
				    "row %u", i);
		vdb_kunit_unmap(&other, all[i].dir);
		KUNIT_EXPECT_FALSE(test, f->buf->past_caches);
		KUNIT_EXPECT_EQ(test, f->buf->engine.outside, 0);
		vdb_coherency_queue(f->d.own, true);
		vdb_coherency_done(f->d.own, false);
	}
	vdb_process_finish();
}

/* They end with the processes' mappings, too. */
static void uncached_mappings_end(struct kunit *test)
{
	struct vdb_process *f = test->priv;

	vdb_process_begin(test, VDB_KUNIT_NONCOHERENT, VDB_POLICY_WRITECOMBINE);
	vdb_user_read(f->addr);
	KUNIT_EXPECT_EQ(test, f->buf->engine.views[VDB_MEMORY].writers, 2);
	vm_munmap(f->addr, SIZE);
	KUNIT_EXPECT_TRUE(test, f->buf->past_caches);
	vm_munmap(f->view_addr, SIZE - OFFSET * PAGE_SIZE);
	KUNIT_EXPECT_FALSE(test, f->buf->past_caches);
	KUNIT_EXPECT_EQ(test, f->buf->engine.views[VDB_MEMORY].writers, 1);
	vdb_process_finish();
}

/* A part that goes makes two of one. */
static void pieces_are_counted(struct kunit *test)
{
	struct vdb_process *f = test->priv;

	vdb_process_begin(test, VDB_KUNIT_REAL, VDB_POLICY_EXPLICIT);
	KUNIT_EXPECT_EQ(test, vm_munmap(f->addr + PAGE_SIZE, PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, f->buf->user_mappings, 3);
	KUNIT_EXPECT_EQ(test, f->buf->engine.mappings, 1);
	KUNIT_EXPECT_EQ(test, vm_munmap(f->addr, SIZE), 0);
	KUNIT_EXPECT_EQ(test, f->buf->user_mappings, 1);
	KUNIT_EXPECT_EQ(test, f->buf->engine.mappings, 1);
	vdb_process_finish();
}

/* Who holds a page, any of them, is a silent writer until it lets go. */
static void holders_are_silent_writers(struct kunit *test)
{
	struct vdb_process *f = test->priv;
	struct vdb_engine *e;
	struct device *dev;
	static const unsigned int held[] = { 0, 16, PAGES - 1 };
	struct vdb_kunit_device other;
	unsigned int i;

	vdb_process_begin(test, VDB_KUNIT_REAL, VDB_POLICY_AUTO);
	e = &f->buf->engine;
	vdb_process_touch(test);
	dev = vdb_kunit_add_device(test, "other", VDB_KUNIT_NONCOHERENT);
	for (i = 0; i < ARRAY_SIZE(held); i++) {
		struct page *page = f->buf->storage.pages[held[i]];

		get_page(page);
		KUNIT_ASSERT_EQ(test, vdb_kunit_map(&other, f->buf, dev,
						    DMA_BIDIRECTIONAL), 0);
		KUNIT_EXPECT_TRUE_MSG(test, e->pinned, "page %u", held[i]);
		KUNIT_EXPECT_EQ(test, e->views[VDB_CPU].silent_writers, 1);
		KUNIT_EXPECT_NOT_NULL(test, f->buf->noted);
		memset(page_address(page), 0x40 + i, 8);
		vdb_coherency_begin(f->buf, false);
		vdb_coherency_end(f->buf, false);
		KUNIT_EXPECT_EQ(test,
				vdb_kunit_read_byte(test, &other,
						    held[i] * PAGE_SIZE + 7),
				0x40 + i);
		put_page(page);
		vdb_coherency_begin(f->buf, false);
		vdb_coherency_end(f->buf, false);
		KUNIT_EXPECT_FALSE(test, e->pinned);
		KUNIT_EXPECT_EQ(test, e->views[VDB_CPU].silent_writers, 0);
		KUNIT_EXPECT_TRUE(test, f->buf->real_pages);
		vdb_kunit_unmap(&other, DMA_BIDIRECTIONAL);
	}
	vm_munmap(f->addr, SIZE);
	vm_munmap(f->view_addr, SIZE - OFFSET * PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, vdb_kunit_map(&other, f->buf, dev,
					    DMA_TO_DEVICE), 0);
	KUNIT_EXPECT_FALSE(test, f->buf->real_pages);
	vdb_kunit_unmap(&other, DMA_TO_DEVICE);
	vdb_process_finish();
}

static vm_fault_t fault_at(struct kunit *test, pgoff_t page, size_t at)
{
	struct vdb_process *f = test->priv;
	struct vm_area_struct *vma = area(f->addr);
	struct vm_fault vmf = {
		.vma = vma,
		.pgoff = page,
		.address = f->addr + at,
	};
	vm_fault_t ret;

	mmap_read_lock(current->mm);
	ret = vma->vm_ops->fault(&vmf);
	mmap_read_unlock(current->mm);
	return ret;
}

/* What the kernel is told, of real pages: its own errors, as they are. */
static void faults_say_what_is_wrong(struct kunit *test)
{
	struct vdb_process *f = test->priv;

	vdb_process_begin(test, VDB_KUNIT_REAL, VDB_POLICY_AUTO);
	vdb_watch(test);
#ifdef CONFIG_FAULT_INJECTION
	current->fail_nth = 1;
	KUNIT_EXPECT_EQ(test, (int)fault_at(test, 1, PAGE_SIZE), VM_FAULT_OOM);
	current->fail_nth = 0;
	EXPECT_STATS(test, [VDB_FAULTS] = 1);
#endif
	EXPECT_ENTRIES(test, "-33");
	KUNIT_EXPECT_EQ(test, (int)fault_at(test, 17, SIZE + PAGE_SIZE),
			VM_FAULT_SIGBUS);
	EXPECT_ENTRIES(test, "-33");
	KUNIT_EXPECT_EQ(test, (int)fault_at(test, PAGES, 0), VM_FAULT_SIGBUS);
	EXPECT_STATS(test, [VDB_FAULTS] = 1);
	/* Within the page, and with what is there already. */
	KUNIT_EXPECT_EQ(test, (int)fault_at(test, 17, 17 * PAGE_SIZE + 5),
			VM_FAULT_NOPAGE);
	EXPECT_ENTRIES(test, "-16 w16 -1");
	KUNIT_EXPECT_EQ(test, (int)fault_at(test, 17, 17 * PAGE_SIZE),
			VM_FAULT_NOPAGE);
	unmap_mapping_range(f->buf->dbuf->file->f_mapping, 20 * PAGE_SIZE,
			    2 * PAGE_SIZE, 1);
	EXPECT_ENTRIES(test, "-16 w4 -2 w10 -1");
	vdb_user_read(f->addr + 21 * PAGE_SIZE);
	EXPECT_ENTRIES(test, "-16 w16 -1");
	vdb_process_finish();
}

/* Where no further fault would tell of a write, and only there. */
static void entries_are_suspect(struct kunit *test)
{
	static const struct {
		enum vdb_kunit_bus bus;
		enum vdb_policy policy;
		bool entered, suspect;
	} all[] = {
		{ VDB_KUNIT_REAL, VDB_POLICY_AUTO, true, true },
		{ VDB_KUNIT_REAL, VDB_POLICY_EXPLICIT, false, false },
		{ VDB_KUNIT_REAL, VDB_POLICY_SHOOTDOWN, true, false },
		{ VDB_KUNIT_NONCOHERENT, VDB_POLICY_AUTO, true, false },
	};
	const unsigned int n = test->param_value ?
			       *(const unsigned int *)test->param_value : 0;
	struct vdb_process *f = test->priv;
	struct vdb_engine *e;

	vdb_process_begin(test, all[n].bus, all[n].policy);
	e = &f->buf->engine;
	/* The second mapping is for reading. */
	vdb_user_read(f->view_addr);
	KUNIT_EXPECT_EQ(test, test_bit(0, e->entries), all[n].entered);
	KUNIT_EXPECT_TRUE(test, bitmap_empty(e->suspect, 3));
	vdb_user_read(f->addr + 16 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, test_bit(1, e->entries), all[n].entered);
	KUNIT_EXPECT_EQ(test, test_bit(1, e->suspect), all[n].suspect);
	KUNIT_EXPECT_EQ(test, bitmap_weight(e->suspect, 3), all[n].suspect);
	KUNIT_EXPECT_TRUE(test, bitmap_empty(e->writable, 3));
	vdb_process_finish();
}

static const unsigned int first_rows[] = { 0, 1, 2, 3 };

KUNIT_ARRAY_PARAM(first_rows, first_rows, NULL);

/* A device's area takes its pages back: nobody may keep them. */
static void pages_of_areas_are_not_for_keeping(struct kunit *test)
{
	struct vdb_process *f = test->priv;
	unsigned long addr;

	vdb_process_begin(test, VDB_KUNIT_REAL, VDB_POLICY_AUTO);
	KUNIT_EXPECT_TRUE(test, f->buf->real_pages);
	f->buf->real_pages = false;
	f->buf->storage.dma_dev = f->d.dev;
	addr = vm_mmap(f->buf->dbuf->file, 0, SIZE, PROT_READ, MAP_SHARED, 0);
	f->buf->storage.dma_dev = NULL;
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	KUNIT_EXPECT_EQ(test, area(addr)->vm_flags & (VM_PFNMAP | VM_MIXEDMAP),
			VM_PFNMAP);
	KUNIT_EXPECT_FALSE(test, f->buf->real_pages);
	f->buf->real_pages = true;
	vdb_process_finish();
}

static struct kunit_case entries_cases[] = {
	KUNIT_CASE(entries_come_by_chunks),
	KUNIT_CASE(readers_keep_their_entries),
	KUNIT_CASE_PARAM(policies_and_buses, rows_gen_params),
	KUNIT_CASE(mappings_are_not_cached),
	KUNIT_CASE(uncached_mappings_end),
	KUNIT_CASE(pieces_are_counted),
	KUNIT_CASE(holders_are_silent_writers),
	KUNIT_CASE(faults_say_what_is_wrong),
	KUNIT_CASE_PARAM(entries_are_suspect, first_rows_gen_params),
	KUNIT_CASE(pages_of_areas_are_not_for_keeping),
	{}
};

static struct kunit_suite entries_suite = {
	.name = "videobuf2-dmabuf-entries",
	.init = vdb_process_set_up,
	.exit = vdb_process_tear_down,
	.test_cases = entries_cases,
};

kunit_test_suite(entries_suite);
