// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of coherent memory on the simulated bus: what a driver says of it must
 * be what it was told.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/gfp.h>
#include <linux/kthread.h>
#include <linux/mman.h>
#include <linux/sched/mm.h>
#include <linux/uaccess.h>

#include "simrules_kunit.h"

/* No cache lies between the CPU and the devices. */
static void all_see_the_same_bytes(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct vivid_ext_bus_window window;
	dma_addr_t addr;
	u8 *vaddr;

	vaddr = dma_alloc_coherent(f->dev, SIZE - 16, &addr, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, vaddr);
	KUNIT_EXPECT_PTR_EQ(test, memchr_inv(vaddr, 0, SIZE), NULL);
	KUNIT_ASSERT_TRUE(test, vivid_ext_simbus_find(f->bus, addr + SIZE - 1,
						      &window));
	memset(page_address(window.page), 0x88, PAGE_SIZE);
	vivid_ext_simbus_put(f->bus, window.page);
	KUNIT_EXPECT_EQ(test, vaddr[SIZE - PAGE_SIZE - 1], 0);
	KUNIT_EXPECT_EQ(test, vaddr[SIZE - PAGE_SIZE], 0x88);
	KUNIT_EXPECT_EQ(test, window.dir, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_FALSE(test, vivid_ext_simbus_find(f->bus, addr + SIZE,
						       &window));
	dma_free_coherent(f->dev, SIZE - 16, vaddr, addr);
	KUNIT_EXPECT_FALSE(test, vivid_ext_simbus_find(f->bus, addr, &window));
	KUNIT_EXPECT_EQ(test, violations(test), 0);
	KUNIT_EXPECT_EQ(test, vivid_ext_kunit_count(test, f->dev,
						    "bytes_to_cpu"), 0);
}

/* A table of it that another device maps is memory that nobody caches. */
static void others_see_them_too(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct device *other = vivid_ext_kunit_add_device(test, "other",
							  &vivid_ext_kunit_strict);
	struct sg_table sgt;
	dma_addr_t addr;
	u8 *vaddr;

	vaddr = dma_alloc_coherent(f->dev, SIZE, &addr, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, vaddr);
	KUNIT_ASSERT_EQ(test, dma_get_sgtable(f->dev, &sgt, vaddr, addr, SIZE),
			0);
	KUNIT_EXPECT_EQ(test, sgt.orig_nents, 1);
	KUNIT_EXPECT_EQ(test, sgt.sgl->length, SIZE);
	KUNIT_EXPECT_PTR_EQ(test, sg_virt(sgt.sgl), (void *)vaddr);
	KUNIT_ASSERT_EQ(test, dma_map_sgtable(other, &sgt, DMA_FROM_DEVICE,
					      DMA_ATTR_SKIP_CPU_SYNC), 0);
	vivid_ext_kunit_write(test, other, &sgt, SIZE, 0x99);
	KUNIT_EXPECT_PTR_EQ(test, memchr_inv(vaddr, 0x99, SIZE), NULL);
	dma_unmap_sgtable(other, &sgt, DMA_FROM_DEVICE, DMA_ATTR_SKIP_CPU_SYNC);
	sg_free_table(&sgt);
	dma_free_coherent(f->dev, SIZE, vaddr, addr);
	KUNIT_EXPECT_EQ(test, violations(test), 0);
}

/* What is freed is what was allocated, once. */
static void frees_are_as_the_allocations(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct page *page;
	dma_addr_t addr;
	u8 *vaddr;

	vaddr = OPS(f)->alloc(f->dev, SIZE, &addr, GFP_KERNEL, 0);
	KUNIT_ASSERT_NOT_NULL(test, vaddr);
	page = virt_to_page(vaddr);
	get_page(page);
	unmap_single(test, addr, SIZE, DMA_BIDIRECTIONAL);
	OPS(f)->free(f->dev, SIZE, vaddr + PAGE_SIZE, addr + PAGE_SIZE, 0);
	KUNIT_EXPECT_EQ(test, faults(test), 2);
	KUNIT_EXPECT_EQ(test, page_count(page), 2);
	OPS(f)->free(f->dev, PAGE_SIZE, f->mem, addr, 0);
	KUNIT_EXPECT_EQ(test, violations(test), 1);
	KUNIT_EXPECT_EQ(test, page_count(page), 1);
	OPS(f)->free(f->dev, SIZE, vaddr, addr, 0);
	KUNIT_EXPECT_EQ(test, faults(test), 3);
	KUNIT_EXPECT_EQ(test, page_count(page), 1);
	put_page(page);
	addr = map_single(test, 0, PAGE_SIZE, DMA_TO_DEVICE);
	OPS(f)->free(f->dev, PAGE_SIZE, f->mem, addr, 0);
	KUNIT_EXPECT_EQ(test, faults(test), 4);
	unmap_single(test, addr, PAGE_SIZE, DMA_TO_DEVICE);
}

/* As dma-direct: who wants no mapping gets nothing to write to. */
static void the_cookie_is_opaque(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct sg_table sgt;
	dma_addr_t addr;
	void *cookie;

	cookie = OPS(f)->alloc(f->dev, SIZE, &addr, GFP_KERNEL,
			       DMA_ATTR_NO_KERNEL_MAPPING);
	KUNIT_ASSERT_NOT_NULL(test, cookie);
	KUNIT_EXPECT_EQ(test, OPS(f)->get_sgtable(f->dev, &sgt, cookie, addr,
						  SIZE, 0), 0);
	KUNIT_EXPECT_PTR_EQ(test, (void *)sg_page(sgt.sgl), cookie);
	sg_free_table(&sgt);
	OPS(f)->free(f->dev, SIZE, cookie, addr, DMA_ATTR_NO_KERNEL_MAPPING);
	KUNIT_EXPECT_EQ(test, violations(test), 0);
	KUNIT_EXPECT_EQ(test, faults(test), 0);
}

/* What isn't an allocation, or not all of it, is not given to anybody. */
static void tables_are_of_allocations(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct sg_table sgt;
	dma_addr_t addr;
	void *vaddr;

	vaddr = OPS(f)->alloc(f->dev, SIZE, &addr, GFP_KERNEL, 0);
	KUNIT_ASSERT_NOT_NULL(test, vaddr);
	KUNIT_EXPECT_EQ(test, OPS(f)->get_sgtable(f->dev, &sgt, f->mem, addr,
						  SIZE, 0), -ENXIO);
	KUNIT_EXPECT_EQ(test, OPS(f)->get_sgtable(f->dev, &sgt, vaddr, addr,
						  SIZE + 1, 0), -ENXIO);
	KUNIT_EXPECT_EQ(test, OPS(f)->get_sgtable(f->dev, &sgt, vaddr,
						  addr + PAGE_SIZE, SIZE, 0),
			-ENXIO);
	KUNIT_EXPECT_EQ(test, violations(test), 3);
	OPS(f)->free(f->dev, SIZE, vaddr, addr, 0);
	KUNIT_EXPECT_EQ(test, OPS(f)->get_sgtable(f->dev, &sgt, vaddr, addr,
						  SIZE, 0), -ENXIO);
	addr = map_single(test, 0, SIZE, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, OPS(f)->get_sgtable(f->dev, &sgt, f->mem, addr,
						  SIZE, 0), -ENXIO);
	unmap_single(test, addr, SIZE, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, violations(test), 5);
	KUNIT_EXPECT_EQ(test, faults(test), 0);
}

static void it_needs_no_synchronisation(struct kunit *test)
{
	struct fixture *f = test->priv;
	dma_addr_t addr;
	void *vaddr;

	vaddr = OPS(f)->alloc(f->dev, SIZE, &addr, GFP_KERNEL, 0);
	KUNIT_ASSERT_NOT_NULL(test, vaddr);
	OPS(f)->sync_single_for_cpu(f->dev, addr, 16, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, violations(test), 1);
	OPS(f)->free(f->dev, SIZE, vaddr, addr, 0);
	KUNIT_EXPECT_EQ(test, violations(test), 1);
}

/* The bits for allocations are another number than those for mappings. */
static void it_has_a_mask_of_its_own(struct kunit *test)
{
	struct fixture *f = test->priv;
	dma_addr_t addr, mapped;
	void *vaddr;

	KUNIT_ASSERT_EQ(test, dma_set_coherent_mask(f->dev, DMA_BIT_MASK(26)),
			0);
	vaddr = OPS(f)->alloc(f->dev, SIZE, &addr, GFP_KERNEL, 0);
	KUNIT_ASSERT_NOT_NULL(test, vaddr);
	KUNIT_EXPECT_LT(test, addr + SIZE - 1, 1ULL << 26);
	mapped = map_single(test, 0, SIZE, DMA_TO_DEVICE);
	KUNIT_EXPECT_GE(test, mapped, 1ULL << 26);
	unmap_single(test, mapped, SIZE, DMA_TO_DEVICE);
	OPS(f)->free(f->dev, SIZE, vaddr, addr, 0);
	KUNIT_EXPECT_PTR_EQ(test, OPS(f)->alloc(f->dev, 0, &addr, GFP_KERNEL,
						0), NULL);
}

/**
 * struct wish - a call of dma_mmap_attrs()
 * @f: the fixture
 * @cookie: as the driver says
 * @addr: the same
 * @size: the same
 * @ret: what came of it
 */
struct wish {
	struct fixture *f;
	void *cookie;
	dma_addr_t addr;
	size_t size;
	int ret;
};

static int mmap_wish(struct file *file, struct vm_area_struct *vma)
{
	struct wish *w = file->private_data;

	w->ret = OPS(w->f)->mmap(w->f->dev, vma, w->cookie, w->addr, w->size,
				 0);
	return w->ret;
}

static const struct file_operations wish_fops = { .mmap = mmap_wish };

/* KUnit leaves it to the end of the thread, and leaks it so. */
static void leave_address_space(void)
{
	struct mm_struct *mm = current->mm;

	kthread_unuse_mm(mm);
	mmput(mm);
}

/* Return: what a process sees of so many pages, an address or an error. */
static unsigned long wished(struct kunit *test, struct wish *w,
			    unsigned int first, unsigned int pages)
{
	struct file *file = anon_inode_getfile("wish", &wish_fops, w, O_RDWR);
	unsigned long addr;

	KUNIT_ASSERT_FALSE(test, IS_ERR(file));
	w->ret = 0;
	addr = kunit_vm_mmap(test, file, 0, pages * PAGE_SIZE,
			     PROT_READ | PROT_WRITE, MAP_SHARED,
			     first * PAGE_SIZE);
	fput(file);
	return addr;
}

/* All of it or a part, but nothing behind it. */
static void processes_see_them(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct wish w = { .f = f, .size = SIZE };
	unsigned long user;
	u8 *vaddr, byte = 0;

	vaddr = OPS(f)->alloc(f->dev, SIZE, &w.addr, GFP_KERNEL, 0);
	KUNIT_ASSERT_NOT_NULL(test, vaddr);
	w.cookie = vaddr;
	vaddr[PAGE_SIZE] = 0x22;
	vaddr[SIZE - 1] = 0x33;
	user = wished(test, &w, 1, PAGES - 1);
	KUNIT_ASSERT_EQ(test, w.ret, 0);
	KUNIT_EXPECT_EQ(test, copy_from_user(&byte, (void __user *)user, 1), 0);
	KUNIT_EXPECT_EQ(test, byte, 0x22);
	KUNIT_EXPECT_EQ(test, copy_from_user(&byte, (void __user *)user +
					     SIZE - PAGE_SIZE - 1, 1), 0);
	KUNIT_EXPECT_EQ(test, byte, 0x33);
	vm_munmap(user, SIZE - PAGE_SIZE);
	user = wished(test, &w, 0, PAGES);
	KUNIT_ASSERT_EQ(test, w.ret, 0);
	vm_munmap(user, SIZE);

	wished(test, &w, 1, PAGES);
	KUNIT_EXPECT_EQ(test, w.ret, -ENXIO);
	wished(test, &w, PAGES, 1);
	KUNIT_EXPECT_EQ(test, w.ret, -ENXIO);
	KUNIT_EXPECT_EQ(test, violations(test), 0);
	w.cookie = f->mem;
	wished(test, &w, 0, 1);
	KUNIT_EXPECT_EQ(test, w.ret, -ENXIO);
	w.cookie = vaddr;
	w.size = PAGE_SIZE;
	wished(test, &w, 0, 1);
	KUNIT_EXPECT_EQ(test, w.ret, -ENXIO);
	KUNIT_EXPECT_EQ(test, violations(test), 2);
	OPS(f)->free(f->dev, SIZE, vaddr, w.addr, 0);
	w.size = SIZE;
	wished(test, &w, 0, 1);
	KUNIT_EXPECT_EQ(test, w.ret, -ENXIO);
	KUNIT_EXPECT_EQ(test, violations(test), 3);
	KUNIT_EXPECT_EQ(test, faults(test), 0);
	leave_address_space();
}

/* Addresses can be out of reach too. */
static void what_has_no_place_is_given_back(struct kunit *test)
{
	struct fixture *f = test->priv;
	dma_addr_t addr;

	KUNIT_ASSERT_EQ(test, dma_set_coherent_mask(f->dev,
						    DMA_BIT_MASK(14)), 0);
	KUNIT_EXPECT_PTR_EQ(test, OPS(f)->alloc(f->dev, SIZE, &addr,
						GFP_KERNEL, 0), NULL);
	KUNIT_EXPECT_EQ(test, f->bus->given, 0);
}

static struct kunit_case alloc_cases[] = {
	KUNIT_CASE(all_see_the_same_bytes),
	KUNIT_CASE(others_see_them_too),
	KUNIT_CASE(frees_are_as_the_allocations),
	KUNIT_CASE(the_cookie_is_opaque),
	KUNIT_CASE(tables_are_of_allocations),
	KUNIT_CASE(it_needs_no_synchronisation),
	KUNIT_CASE(it_has_a_mask_of_its_own),
	KUNIT_CASE(processes_see_them),
	KUNIT_CASE(what_has_no_place_is_given_back),
	{}
};

static struct kunit_suite alloc_suite = {
	.name = "vivid-ext-allocations",
	.init = vivid_ext_kunit_rules_init,
	.test_cases = alloc_cases,
};

kunit_test_suite(alloc_suite);
