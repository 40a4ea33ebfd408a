// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of what videobuf2 and drivers call: what a plane is made of, which
 * addresses it has, who is told to be a user, and that nothing is left of it.
 */
#include <linux/anon_inodes.h>
#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/uaccess.h>

#include "queue_fixture.h"

static void users_are_who_has_it_mapped(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct dma_buf *rw, *ro, *again;

	alloc(test, f->dev, DMA_FROM_DEVICE);
	KUNIT_EXPECT_EQ(test, OPS->num_users(plane(test)), 1);
	rw = OPS->get_dmabuf(&f->vb, plane(test), O_RDWR);
	ro = OPS->get_dmabuf(&f->vb, plane(test), O_RDONLY);
	again = OPS->get_dmabuf(&f->vb, plane(test), O_RDONLY);
	KUNIT_EXPECT_PTR_EQ(test, ro, again);
	KUNIT_EXPECT_PTR_NE(test, rw, ro);
	KUNIT_EXPECT_FALSE(test, ro->file->f_mode & FMODE_WRITE);
	KUNIT_EXPECT_EQ(test, plane(test)->own->restricted_inode[O_RDONLY],
			file_inode(ro->file)->i_ino);
	KUNIT_EXPECT_EQ(test, OPS->num_users(plane(test)), 1);
	plane(test)->own->user_mappings++;
	KUNIT_EXPECT_EQ(test, OPS->num_users(plane(test)), 2);
	plane(test)->own->user_mappings--;
	dma_buf_put(again);
	dma_buf_put(ro);
	dma_buf_put(rw);
}

/* vb2 has checked the first of two planes that are the same dma-buf. */
static void every_plane_must_fit(struct kunit *test)
{
	struct fixture *f = test->priv;

	alloc(test, f->dev, DMA_FROM_DEVICE);
	f->vb.num_planes = 2;
	f->vb.planes[1].mem_priv = plane(test);
	f->vb.planes[1].length = SIZE;
	KUNIT_EXPECT_FALSE(test, IS_ERR(vb2_dmabuf_plane_sgt(&f->vb, 1)));
	f->vb.planes[1].length = SIZE + 1;
	KUNIT_EXPECT_EQ(test, PTR_ERR(vb2_dmabuf_plane_sgt(&f->vb, 1)),
			-EINVAL);
	KUNIT_EXPECT_NULL(test, OPS->vaddr(&f->vb, plane(test)));
	f->vb.num_planes = 1;
}

/* In an interrupt nothing can be mapped; one block has an address anyway. */
static void addresses_in_interrupts(struct kunit *test)
{
	struct fixture *f = test->priv;
	unsigned long flags;
	void *vaddr;

	alloc(test, f->dev, DMA_FROM_DEVICE);
	local_irq_save(flags);
	vaddr = OPS->vaddr(&f->vb, plane(test));
	local_irq_restore(flags);
	KUNIT_EXPECT_NULL(test, vaddr);
	put(test);
	f->queue.dma_attrs = DMA_ATTR_FORCE_CONTIGUOUS;
	alloc(test, f->dev, DMA_FROM_DEVICE);
	local_irq_save(flags);
	vaddr = OPS->vaddr(&f->vb, plane(test));
	local_irq_restore(flags);
	KUNIT_EXPECT_NOT_NULL(test, vaddr);
}

static void policies_are_the_queues(struct kunit *test)
{
	static const struct {
		unsigned long attrs;
		enum vdb_policy policy;
	} queues[] = {
		{ 0, VDB_POLICY_AUTO },
		{ VB2_DMABUF_ATTR_FALLBACK, VDB_POLICY_AUTO },
		{ VB2_DMABUF_ATTR_EXPLICIT, VDB_POLICY_EXPLICIT },
		{ VB2_DMABUF_ATTR_SHOOTDOWN, VDB_POLICY_SHOOTDOWN },
		{ DMA_ATTR_WRITE_COMBINE, VDB_POLICY_WRITECOMBINE },
	};
	struct fixture *f = test->priv;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(queues); i++) {
		f->queue.dma_attrs = queues[i].attrs;
		alloc(test, f->dev, DMA_FROM_DEVICE);
		KUNIT_EXPECT_EQ(test, plane(test)->own->policy,
				queues[i].policy);
		put(test);
	}
}

/* Of whole pages, in one block if it has to be. */
static void sizes_are_rounded_up(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct vdb_storage *st;
	struct vdb_plane *p;
	unsigned int i;

	f->queue.dma_attrs = DMA_ATTR_FORCE_CONTIGUOUS;
	f->queue.dma_dir = DMA_FROM_DEVICE;
	p = OPS->alloc(&f->vb, f->dev, SIZE - PAGE_SIZE + 1);
	KUNIT_ASSERT_FALSE(test, IS_ERR(p));
	f->vb.planes[0].mem_priv = p;
	KUNIT_EXPECT_EQ(test, p->own->size, (size_t)SIZE);
	KUNIT_EXPECT_EQ(test, p->size, (size_t)SIZE - PAGE_SIZE + 1);
	st = &p->own->storage;
	for (i = 0; i < st->nr_pages; i++)
		KUNIT_EXPECT_PTR_EQ(test, st->pages[i], st->pages[0] + i);
}

static void failures_leave_nothing(struct kunit *test)
{
	struct fixture *f = test->priv;

	f->queue.dma_dir = DMA_FROM_DEVICE;
	vdb_kunit_stats(test, NULL, NULL);
	KUNIT_EXPECT_EQ(test, PTR_ERR(OPS->alloc(&f->vb, f->dev,
						 (size_t)INT_MAX << PAGE_SHIFT)),
			-ENOMEM);
	vdb_kunit_stats(test, "no memory",
			VDB_KUNIT_STATS([VDB_REFUSALS] = 1));
	/* No segment is that short. */
	dma_set_max_seg_size(f->dev, PAGE_SIZE / 2);
	KUNIT_EXPECT_EQ(test, PTR_ERR(OPS->alloc(&f->vb, f->dev, SIZE)),
			-EINVAL);
	flush_delayed_fput();
	vdb_kunit_stats(test, "not mapped",
			VDB_KUNIT_STATS([VDB_REFUSALS] = 2,
					[VDB_BUFFERS_TOTAL] = 1));
	f->queue.dma_attrs = VB2_DMABUF_ATTR_FALLBACK;
	alloc(test, f->dev, DMA_FROM_DEVICE);
	KUNIT_EXPECT_EQ(test, PTR_ERR(vb2_dmabuf_plane_sgt(&f->vb, 0)),
			-EINVAL);
	KUNIT_EXPECT_NULL(test, OPS->cookie(&f->vb, plane(test)));
	dma_set_max_seg_size(f->dev, UINT_MAX);
}

/* The same mode gives the same file, which nothing is left of in the end. */
static void exports_are_kept(struct kunit *test)
{
	static const int modes[] = { O_RDWR, O_RDONLY, O_WRONLY };
	struct fixture *f = test->priv;
	struct dma_buf *first, *again;
	unsigned int i;

	vdb_kunit_stats(test, NULL, NULL);
	alloc(test, NULL, DMA_FROM_DEVICE);
	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		first = OPS->get_dmabuf(&f->vb, plane(test),
					modes[i] | O_CLOEXEC);
		KUNIT_ASSERT_FALSE(test, IS_ERR(first));
		KUNIT_EXPECT_EQ(test, first->file->f_flags & O_ACCMODE,
				modes[i]);
		KUNIT_EXPECT_PTR_EQ(test, vdb_buffer_of(first),
				    plane(test)->own);
		again = OPS->get_dmabuf(&f->vb, plane(test), modes[i]);
		KUNIT_EXPECT_PTR_EQ(test, first, again);
		KUNIT_EXPECT_EQ(test, atomic_read(&plane(test)->own->exports),
				2 * (i + 1));
		dma_buf_put(again);
		dma_buf_put(first);
	}
	put(test);
	flush_delayed_fput();
	vdb_kunit_stats(test, "allocated, exported and freed",
			VDB_KUNIT_STATS([VDB_BUFFERS_TOTAL] = 1,
					[VDB_VMAPS] = 1, [VDB_EXPORTS] = 6));
}

static struct vdb_plane *attach(struct kunit *test, struct device *dev,
				struct dma_buf *dbuf, size_t size)
{
	struct fixture *f = test->priv;
	struct vdb_plane *p = OPS->attach_dmabuf(&f->vb, dev, dbuf, size);

	KUNIT_ASSERT_FALSE(test, IS_ERR(p));
	f->vb.planes[0].mem_priv = p;
	f->vb.planes[0].length = size;
	return p;
}

static void detach(struct kunit *test)
{
	struct fixture *f = test->priv;

	OPS->detach_dmabuf(plane(test));
	f->vb.planes[0].mem_priv = NULL;
}

/* Within QBUF another one takes its place, else the queue may be about to go. */
static void imports_come_and_go(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct vdb_buffer *buf = vdb_buffer_create(NULL, SIZE, 0, true,
						   VDB_POLICY_AUTO);
	struct vdb_plane *p;

	KUNIT_ASSERT_FALSE(test, IS_ERR(buf));
	f->queue.dma_dir = DMA_FROM_DEVICE;
	f->queue.streaming = 1;
	f->vb.state = VB2_BUF_STATE_PREPARING;
	vdb_kunit_stats(test, NULL, NULL);
	p = attach(test, f->dev, buf->dbuf, SIZE);
	vdb_kunit_stats(test, "attached", VDB_KUNIT_STATS([VDB_IMPORTS] = 0));
	KUNIT_ASSERT_EQ(test, OPS->map_dmabuf(p), 0);
	vdb_kunit_stats(test, "mapped",
			VDB_KUNIT_STATS([VDB_IMPORTS] = 1,
					[VDB_ATTACHMENTS] = 1, [VDB_MAPS] = 1,
					[VDB_SYNCS_FOR_DEVICE] = 1,
					[VDB_BYTES_SYNCED] = SIZE));
	KUNIT_EXPECT_PTR_EQ(test, OPS->cookie(&f->vb, p), (void *)p->sgt);
	KUNIT_EXPECT_PTR_EQ(test, vb2_dmabuf_plane_sgt(&f->vb, 0), p->sgt);
	KUNIT_EXPECT_EQ(test, OPS->num_users(p), 1);
	OPS->unmap_dmabuf(p);
	vdb_kunit_stats(test, "unmapped",
			VDB_KUNIT_STATS([VDB_IMPORTS_IDLE] = 1,
					[VDB_IMPORT_BYTES_IDLE] = SIZE));
	KUNIT_EXPECT_EQ(test, PTR_ERR(vb2_dmabuf_plane_sgt(&f->vb, 0)),
			-EOPNOTSUPP);
	detach(test);
	p = attach(test, f->dev, buf->dbuf, SIZE);
	vdb_kunit_stats(test, "replaced", VDB_KUNIT_STATS([VDB_IMPORTS] = 0));
	KUNIT_ASSERT_EQ(test, OPS->map_dmabuf(p), 0);
	vdb_kunit_stats(test, "mapped again",
			VDB_KUNIT_STATS([VDB_IMPORTS] = 1,
					[VDB_IMPORT_HITS] = 1,
					[VDB_IMPORTS_IDLE] = -1,
					[VDB_IMPORT_BYTES_IDLE] = -(s64)SIZE));
	/* REQBUFS(0), of a buffer that is still mapped, and prepared. */
	OPS->prepare(p);
	f->vb.state = VB2_BUF_STATE_DEQUEUED;
	detach(test);
	KUNIT_EXPECT_EQ(test, buf->engine.views[VDB_MEMORY].writing, 0);
	vdb_kunit_stats(test, "gone",
			VDB_KUNIT_STATS([VDB_ATTACHMENTS] = -1,
					[VDB_SYNCS_ELIDED] = 1,
					[VDB_SYNCS_FOR_CPU] = 1,
					[VDB_BYTES_SYNCED] = SIZE));
	dma_buf_put(buf->dbuf);
}

/* Checked when they are mapped: vb2 loses those that fail to be attached. */
static void imports_can_be_refused(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct vdb_buffer *buf = vdb_buffer_create(NULL, SIZE, 0, false,
						   VDB_POLICY_AUTO);
	struct vdb_plane *p;

	KUNIT_ASSERT_FALSE(test, IS_ERR(buf));
	f->queue.dma_dir = DMA_FROM_DEVICE;
	p = attach(test, f->dev, buf->dbuf, SIZE + 1);
	vdb_kunit_stats(test, NULL, NULL);
	KUNIT_EXPECT_EQ(test, OPS->map_dmabuf(p), -EINVAL);
	vdb_kunit_stats(test, "too small",
			VDB_KUNIT_STATS([VDB_REFUSALS] = 1));
	detach(test);
	dma_set_max_seg_size(f->dev, PAGE_SIZE / 2);
	p = attach(test, f->dev, buf->dbuf, SIZE);
	KUNIT_EXPECT_EQ(test, OPS->map_dmabuf(p), -EINVAL);
	f->queue.dma_attrs = VB2_DMABUF_ATTR_FALLBACK;
	KUNIT_EXPECT_EQ(test, OPS->map_dmabuf(p), 0);
	KUNIT_EXPECT_EQ(test, PTR_ERR(vb2_dmabuf_plane_sgt(&f->vb, 0)),
			-EINVAL);
	OPS->unmap_dmabuf(p);
	detach(test);
	dma_set_max_seg_size(f->dev, UINT_MAX);
	dma_buf_put(buf->dbuf);
}

/* Without DMA the address is there at once, and goes with the plane. */
static void the_cpu_needs_no_device(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct vdb_buffer *buf = vdb_buffer_create(NULL, SIZE, 0, false,
						   VDB_POLICY_AUTO);
	struct vdb_plane *p;

	KUNIT_ASSERT_FALSE(test, IS_ERR(buf));
	alloc(test, NULL, DMA_FROM_DEVICE);
	KUNIT_EXPECT_NOT_NULL(test, plane(test)->vaddr);
	KUNIT_EXPECT_EQ(test, PTR_ERR(vb2_dmabuf_plane_sgt(&f->vb, 0)),
			-EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, vb2_dmabuf_plane_dma_addr(&f->vb, 0),
			DMA_MAPPING_ERROR);
	put(test);
	p = attach(test, NULL, buf->dbuf, SIZE);
	KUNIT_ASSERT_EQ(test, OPS->map_dmabuf(p), 0);
	KUNIT_EXPECT_NULL(test, p->cache);
	KUNIT_EXPECT_EQ(test, buf->vmaps, 1);
	OPS->unmap_dmabuf(p);
	KUNIT_EXPECT_EQ(test, buf->vmaps, 0);
	KUNIT_ASSERT_EQ(test, OPS->map_dmabuf(p), 0);
	OPS->prepare(p);
	KUNIT_EXPECT_EQ(test, buf->engine.views[VDB_CPU].writing, 1);
	OPS->unmap_dmabuf(p);
	KUNIT_EXPECT_EQ(test, buf->engine.views[VDB_CPU].writing, 0);
	detach(test);
	dma_buf_put(buf->dbuf);
}

static void planes_without_memory(struct kunit *test)
{
	struct fixture *f = test->priv;

	KUNIT_EXPECT_EQ(test, PTR_ERR(vb2_dmabuf_plane_sgt(&f->vb, 0)),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, vb2_dmabuf_plane_dma_addr(&f->vb, 0),
			DMA_MAPPING_ERROR);
	alloc(test, f->dev, DMA_FROM_DEVICE);
	f->vb.planes[1] = f->vb.planes[0];
	KUNIT_EXPECT_EQ(test, PTR_ERR(vb2_dmabuf_plane_sgt(&f->vb, 1)),
			-EINVAL);
}

/* The whole plane, and from the first byte on. */
static void one_address_is_for_a_row(struct kunit *test)
{
	static const struct {
		dma_addr_t second;
		unsigned int len[2];
		bool row;
	} tables[] = {
		{ 0x5000, { 0x1000, 0x1000 }, true },
		{ 0x5000, { 0x1000, 0x0f00 }, true },
		{ 0x5000, { 0x1000, 0x0eff }, false },
		{ 0x9000, { 0x2000, 0x1000 }, true },
		{ 0x9000, { 0x1f00, 0x1000 }, true },
		{ 0x9000, { 0x1000, 0x1000 }, false },
		{ 0x3000, { 0x1000, 0x1000 }, false },
	};
	struct fixture *f = test->priv;
	struct sg_table *sgt, hand;
	struct scatterlist sgl[2];
	unsigned int i, j;
	size_t size;

	alloc(test, f->dev, DMA_FROM_DEVICE);
	sgt = plane(test)->sgt;
	size = plane(test)->size;
	plane(test)->size = 0x1f00;
	hand = (struct sg_table){ .sgl = sgl, .nents = 2, .orig_nents = 2 };
	for (i = 0; i < ARRAY_SIZE(tables); i++) {
		sg_init_table(sgl, 2);
		for (j = 0; j < 2; j++) {
			sg_dma_address(&sgl[j]) = j ? tables[i].second : 0x4000;
			sg_dma_len(&sgl[j]) = tables[i].len[j];
		}
		plane(test)->sgt = &hand;
		KUNIT_EXPECT_EQ_MSG(test, vb2_dmabuf_plane_dma_addr(&f->vb, 0),
				    tables[i].row ? 0x4000 : DMA_MAPPING_ERROR,
				    "table %u", i);
	}
	plane(test)->sgt = sgt;
	plane(test)->size = size;
}

/* While it is prepared, the driver is to see what the device wrote. */
static void addresses_show_the_newest_bytes(struct kunit *test)
{
	struct fixture *f = test->priv;

	alloc(test, f->dev, DMA_FROM_DEVICE);
	OPS->prepare(plane(test));
	OPS->finish(plane(test));
	KUNIT_EXPECT_EQ(test, engine(test)->closed, VDB_MEMORY);
	f->vb.state = VB2_BUF_STATE_DEQUEUED;
	KUNIT_EXPECT_NOT_NULL(test, OPS->vaddr(&f->vb, plane(test)));
	KUNIT_EXPECT_EQ(test, engine(test)->closed, VDB_MEMORY);
	KUNIT_EXPECT_TRUE(test, plane(test)->looks);
	KUNIT_EXPECT_FALSE(test, plane(test)->asked);
	f->vb.state = VB2_BUF_STATE_PREPARING;
	KUNIT_EXPECT_PTR_EQ(test, OPS->vaddr(&f->vb, plane(test)),
			    plane(test)->vaddr);
	KUNIT_EXPECT_EQ(test, engine(test)->closed, -1);
	KUNIT_EXPECT_TRUE(test, test_bit(0, engine(test)->views[VDB_CPU].newest));
	KUNIT_EXPECT_TRUE(test, plane(test)->asked);
}

static int mmap_plane(struct file *file, struct vm_area_struct *vma)
{
	return OPS->mmap(file->private_data, vma);
}

/* From its first page on, whatever the offset means to vb2. */
static void processes_map_the_buffer(struct kunit *test)
{
	static const struct file_operations fops = { .mmap = mmap_plane };
	struct fixture *f = test->priv;
	unsigned long addr;
	struct file *file;
	u8 value = 0;

	alloc(test, f->dev, DMA_FROM_DEVICE);
	*(u8 *)page_address(plane(test)->own->storage.pages[0]) = 0x77;
	file = anon_inode_getfile("plane", &fops, plane(test), O_RDWR);
	KUNIT_ASSERT_FALSE(test, IS_ERR(file));
	addr = kunit_vm_mmap(test, file, 0, SIZE, PROT_READ | PROT_WRITE,
			     MAP_SHARED, SZ_1G);
	KUNIT_EXPECT_FALSE(test, !addr || IS_ERR_VALUE(addr));
	KUNIT_EXPECT_EQ(test, OPS->num_users(plane(test)), 2);
	KUNIT_EXPECT_EQ(test, copy_from_user(&value, (void __user *)addr, 1),
			0);
	KUNIT_EXPECT_EQ(test, value, 0x77);
	fput(file);
	vdb_kunit_end_mm();
}

static int refuse_access(struct dma_buf *dbuf, enum dma_data_direction dir)
{
	return -EINTR;
}

static struct sg_table *refuse_map(struct dma_buf_attachment *att,
				   enum dma_data_direction dir)
{
	return ERR_PTR(-EIO);
}

static void nothing_to_unmap(struct dma_buf_attachment *att,
			     struct sg_table *sgt, enum dma_data_direction dir)
{
}

static void nothing_to_release(struct dma_buf *dbuf)
{
}

/* The exporter's word is passed on, whoever that is. */
static void brackets_can_fail(struct kunit *test)
{
	static const struct dma_buf_ops ops = {
		.map_dma_buf = refuse_map,
		.unmap_dma_buf = nothing_to_unmap,
		.begin_cpu_access = refuse_access,
		.end_cpu_access = refuse_access,
		.release = nothing_to_release,
	};
	struct fixture *f = test->priv;
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *dbuf;
	struct vdb_plane *p;

	KUNIT_EXPECT_EQ(test, vb2_dmabuf_plane_begin_cpu_access(&f->vb, 0, DMA_FROM_DEVICE),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, vb2_dmabuf_plane_end_cpu_access(&f->vb, 0, DMA_FROM_DEVICE),
			-EINVAL);
	info.ops = &ops;
	info.size = SIZE;
	info.priv = f;
	dbuf = dma_buf_export(&info);
	KUNIT_ASSERT_FALSE(test, IS_ERR(dbuf));
	p = attach(test, NULL, dbuf, SIZE);
	KUNIT_EXPECT_EQ(test, vb2_dmabuf_plane_begin_cpu_access(&f->vb, 0, DMA_FROM_DEVICE),
			-EINTR);
	KUNIT_EXPECT_EQ(test, vb2_dmabuf_plane_end_cpu_access(&f->vb, 0, DMA_FROM_DEVICE),
			-EINTR);
	/* Theirs to synchronise: nothing is done with it. */
	OPS->prepare(p);
	OPS->finish(p);
	vb2_dmabuf_buf_finish(&f->vb);
	detach(test);
	dma_buf_put(dbuf);
}

static struct kunit_case memops_cases[] = {
	KUNIT_CASE(users_are_who_has_it_mapped),
	KUNIT_CASE(every_plane_must_fit),
	KUNIT_CASE(addresses_in_interrupts),
	KUNIT_CASE(policies_are_the_queues),
	KUNIT_CASE(sizes_are_rounded_up),
	KUNIT_CASE(failures_leave_nothing),
	KUNIT_CASE(exports_are_kept),
	KUNIT_CASE(imports_come_and_go),
	KUNIT_CASE(imports_can_be_refused),
	KUNIT_CASE(the_cpu_needs_no_device),
	KUNIT_CASE(planes_without_memory),
	KUNIT_CASE(one_address_is_for_a_row),
	KUNIT_CASE(addresses_show_the_newest_bytes),
	KUNIT_CASE(processes_map_the_buffer),
	KUNIT_CASE(brackets_can_fail),
	{}
};

static struct kunit_suite memops_suite = {
	.name = "videobuf2-dmabuf-memops",
	.init = queue_test_init,
	.exit = queue_test_exit,
	.test_cases = memops_cases,
};

kunit_test_suite(memops_suite);
