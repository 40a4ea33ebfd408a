// SPDX-License-Identifier: GPL-2.0-only
/*
 * A process that has a buffer mapped twice: what it sees, and by which page
 * table entries.
 */
#include <kunit/test.h>
#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/kthread.h>
#include <linux/mman.h>
#include <linux/sched/mm.h>
#include <linux/uaccess.h>

#include "process.h"

/* That of the test that runs. */
static struct vdb_process *now;

void vdb_process_begin(struct kunit *test, enum vdb_kunit_bus bus,
		       enum vdb_policy policy)
{
	struct vdb_process *f = test->priv;
	struct device *dev = vdb_kunit_add_device(test, "device", bus);
	struct dma_buf *view;

	now = f;
	f->buf = vdb_buffer_create(NULL, SIZE, 0, false, policy);
	KUNIT_ASSERT_FALSE(test, IS_ERR(f->buf));
	view = vdb_buffer_view(f->buf, O_RDONLY);
	KUNIT_ASSERT_FALSE(test, IS_ERR(view));
	f->view = view;
	KUNIT_ASSERT_EQ(test, vdb_kunit_map_as(&f->d, f->buf, dev,
					       DMA_BIDIRECTIONAL, true), 0);
	f->addr = kunit_vm_mmap(test, f->buf->dbuf->file, 0, SIZE,
				PROT_READ | PROT_WRITE, MAP_SHARED, 0);
	KUNIT_ASSERT_FALSE(test, !f->addr || IS_ERR_VALUE(f->addr));
	f->view_addr = kunit_vm_mmap(test, view->file, 0,
				     SIZE - OFFSET * PAGE_SIZE, PROT_READ,
				     MAP_SHARED, OFFSET * PAGE_SIZE);
	KUNIT_ASSERT_FALSE(test, !f->view_addr || IS_ERR_VALUE(f->view_addr));
}

/* KUnit leaves the address space to the end of the thread, and leaks it so. */
void vdb_process_finish(void)
{
	struct mm_struct *mm = current->mm;

	kthread_unuse_mm(mm);
	mmput(mm);
}

int vdb_user_read(unsigned long addr)
{
	u8 value;

	return copy_from_user(&value, (void __user *)addr, 1) ? -EFAULT : value;
}

int vdb_user_write(unsigned long addr, u8 value)
{
	return copy_to_user((void __user *)addr, &value, 1) ? -EFAULT : 0;
}

/* Whether a process sees a page as it is, without a fault. */
bool vdb_user_sees(unsigned long addr)
{
	unsigned long left;
	u8 value;

	pagefault_disable();
	left = __copy_from_user_inatomic(&value, (void __user *)addr, 1);
	pagefault_enable();
	return !left;
}

/* Whether a process can write to a page as it is, without a fault. */
bool vdb_user_writes(unsigned long addr)
{
	unsigned long left;
	u8 value = 0x33;

	pagefault_disable();
	left = __copy_to_user_inatomic((void __user *)addr, &value, 1);
	pagefault_enable();
	return !left;
}

static char entry(unsigned long addr)
{
	unsigned long left;
	u8 value;

	if (!vdb_user_sees(addr))
		return '-';
	pagefault_disable();
	left = __copy_from_user_inatomic(&value, (void __user *)addr, 1) ||
	       __copy_to_user_inatomic((void __user *)addr, &value, 1);
	pagefault_enable();
	return left ? 'r' : 'w';
}

static const char *entries(unsigned long addr, unsigned int pages)
{
	static char text[128];
	unsigned int i, n = 0, used = 0;

	text[0] = '\0';
	for (i = 0; i < pages; i++) {
		char is = entry(addr + i * PAGE_SIZE);

		n++;
		if (i + 1 < pages && entry(addr + (i + 1) * PAGE_SIZE) == is)
			continue;
		used += scnprintf(text + used, sizeof(text) - used, "%s%c%u",
				  used ? " " : "", is, n);
		n = 0;
	}
	return text;
}

/*
 * The page table by value: how many pages in a row can be read, written or
 * neither, as "r3 w13 -17". It is there until it is asked again.
 */
const char *vdb_process_entries(void)
{
	return entries(now->addr, PAGES);
}

const char *vdb_process_view_entries(void)
{
	return entries(now->view_addr, PAGES - OFFSET);
}

unsigned int vdb_process_count(struct vdb_process *f)
{
	unsigned int i, n = 0;

	for (i = 0; i < PAGES; i++) {
		n += vdb_user_sees(f->addr + i * PAGE_SIZE);
		if (i >= OFFSET)
			n += vdb_user_sees(f->view_addr +
					   (i - OFFSET) * PAGE_SIZE);
	}
	return n;
}

void vdb_process_touch(struct kunit *test)
{
	struct vdb_process *f = test->priv;
	unsigned int i;

	for (i = 0; i < PAGES; i++) {
		vdb_user_read(f->addr + i * PAGE_SIZE);
		if (i >= OFFSET)
			vdb_user_read(f->view_addr + (i - OFFSET) * PAGE_SIZE);
	}
	KUNIT_ASSERT_EQ(test, vdb_process_count(f), 2 * PAGES - OFFSET);
}

int vdb_process_set_up(struct kunit *test)
{
	test->priv = kunit_kzalloc(test, sizeof(struct vdb_process),
				   GFP_KERNEL);
	return test->priv ? 0 : -ENOMEM;
}

void vdb_process_tear_down(struct kunit *test)
{
	struct vdb_process *f = test->priv;

	if (!f || IS_ERR_OR_NULL(f->buf))
		return;
	if (!IS_ERR_OR_NULL(f->d.sgt))
		vdb_kunit_unmap(&f->d, DMA_BIDIRECTIONAL);
	if (f->view)
		dma_buf_put(f->view);
	dma_buf_put(f->buf->dbuf);
}
