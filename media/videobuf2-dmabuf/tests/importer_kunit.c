// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of what a queue makes of a dma-buf: which are refused, what is left
 * behind when one is, and where the CPU sees it.
 */
#include <kunit/test.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/module.h>

#include "kunit.h"

#define SIZE (2 * PAGE_SIZE)

/**
 * struct foreign - somebody else's dma-buf, as difficult as it is told to be
 * @dbuf: the dma-buf
 * @attach_error: what an attachment gets, if not 0
 * @map_error: the same of a mapping
 * @iomem: the kernel's mapping is of I/O memory
 * @attached: how many attachments there are
 * @mapped: and mappings
 * @vmapped: of the kernel
 * @sgt: what is mapped
 * @bytes: and what the kernel sees
 */
struct foreign {
	struct dma_buf *dbuf;
	int attach_error;
	int map_error;
	bool iomem;
	int attached;
	int mapped;
	int vmapped;
	struct sg_table sgt;
	u8 bytes[8];
};

static int foreign_attach(struct dma_buf *dbuf, struct dma_buf_attachment *att)
{
	struct foreign *f = dbuf->priv;

	f->attached += !f->attach_error;
	return f->attach_error;
}

static void foreign_detach(struct dma_buf *dbuf, struct dma_buf_attachment *att)
{
	struct foreign *f = dbuf->priv;

	f->attached--;
}

static struct sg_table *foreign_map(struct dma_buf_attachment *att,
				    enum dma_data_direction dir)
{
	struct foreign *f = att->dmabuf->priv;

	if (f->map_error)
		return ERR_PTR(f->map_error);
	f->mapped++;
	return &f->sgt;
}

static void foreign_unmap(struct dma_buf_attachment *att, struct sg_table *sgt,
			  enum dma_data_direction dir)
{
	struct foreign *f = att->dmabuf->priv;

	f->mapped--;
}

static int foreign_vmap(struct dma_buf *dbuf, struct iosys_map *map)
{
	struct foreign *f = dbuf->priv;

	f->vmapped++;
	if (f->iomem)
		iosys_map_set_vaddr_iomem(map, (void __iomem *)f->bytes);
	else
		iosys_map_set_vaddr(map, f->bytes);
	return 0;
}

static void foreign_vunmap(struct dma_buf *dbuf, struct iosys_map *map)
{
	struct foreign *f = dbuf->priv;

	f->vmapped--;
}

static void foreign_release(struct dma_buf *dbuf)
{
}

static const struct dma_buf_ops foreign_ops = {
	.attach = foreign_attach,
	.detach = foreign_detach,
	.map_dma_buf = foreign_map,
	.unmap_dma_buf = foreign_unmap,
	.vmap = foreign_vmap,
	.vunmap = foreign_vunmap,
	.release = foreign_release,
};

/**
 * struct fixture - what each test begins with
 * @dev: a device that is not coherent
 * @buf: a buffer of ours
 * @foreign: one of others, of the same size
 */
struct fixture {
	struct device *dev;
	struct vdb_buffer *buf;
	struct foreign foreign;
};

static void set_plane(struct kunit *test, struct vdb_plane *plane,
		      struct dma_buf *dbuf)
{
	struct fixture *f = test->priv;

	memset(plane, 0, sizeof(*plane));
	plane->dev = f->dev;
	plane->dir = DMA_FROM_DEVICE;
	plane->size = SIZE;
	plane->dbuf = dbuf;
	mutex_init(&plane->lock);
}

/* And each refusal says in the log why. */
static void too_small_is_refused(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct vdb_plane plane;
	s64 refusals = vdb_stat_read(VDB_REFUSALS);

	set_plane(test, &plane, f->buf->dbuf);
	plane.size = SIZE + 1;
	vdb_kunit_listen_refusals(test, "dma-buf of 8192 bytes for a plane of 8193");
	KUNIT_EXPECT_EQ(test, vdb_plane_attach(&plane, true), -EINVAL);
	KUNIT_EXPECT_EQ(test, vdb_kunit_heard(), 1);
	KUNIT_EXPECT_EQ(test, vdb_stat_read(VDB_REFUSALS), refusals + 1);
	KUNIT_EXPECT_NULL(test, plane.att);
	/* Also where the CPU's mapping is all there is. */
	plane.dev = NULL;
	KUNIT_EXPECT_EQ(test, vdb_plane_attach(&plane, false), -EINVAL);
	plane.size = SIZE;
	KUNIT_EXPECT_EQ(test, vdb_plane_attach(&plane, false), 0);
	KUNIT_EXPECT_NULL(test, plane.att);
	vdb_plane_detach(&plane);
}

static void readers_exports_are_for_queues_that_read(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct dma_buf *view = vdb_buffer_view(f->buf, O_RDONLY);
	struct vdb_plane plane;

	KUNIT_ASSERT_FALSE(test, IS_ERR(view));
	set_plane(test, &plane, view);
	KUNIT_EXPECT_EQ(test, vdb_plane_attach(&plane, true), -EINVAL);
	plane.dev = NULL;
	KUNIT_EXPECT_EQ(test, vdb_plane_attach(&plane, true), -EINVAL);
	set_plane(test, &plane, view);
	plane.dir = DMA_TO_DEVICE;
	KUNIT_EXPECT_EQ(test, vdb_plane_attach(&plane, false), 0);
	KUNIT_EXPECT_NOT_NULL(test, plane.att);
	vdb_plane_detach(&plane);
	dma_buf_put(view);
	/* Of others' it is not known: DRM's are read-only by default. */
	set_plane(test, &plane, f->foreign.dbuf);
	KUNIT_EXPECT_FALSE(test, plane.dbuf->file->f_mode & FMODE_WRITE);
	KUNIT_EXPECT_EQ(test, vdb_plane_attach(&plane, false), 0);
	vdb_plane_detach(&plane);
}

/* A queue of ours tells what its device does, from the first map on. */
static void queues_are_not_silent(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct vdb_plane plane;

	set_plane(test, &plane, f->buf->dbuf);
	KUNIT_ASSERT_EQ(test, vdb_plane_attach(&plane, false), 0);
	KUNIT_EXPECT_TRUE(test, vdb_attachment_of(plane.att)->tracked);
	KUNIT_EXPECT_EQ(test, f->buf->engine.views[VDB_MEMORY].silent, 0);
	KUNIT_EXPECT_PTR_EQ(test, plane.sgt,
			    &vdb_attachment_of(plane.att)->sgt);
	vdb_plane_detach(&plane);
	KUNIT_EXPECT_NULL(test, plane.att);
	KUNIT_EXPECT_NULL(test, plane.sgt);
	KUNIT_EXPECT_TRUE(test, list_empty(&f->buf->attachments));
	/* Also where it was not called. */
	vdb_plane_detach(&plane);
}

/* What vb2 is told: no memory, or that this one will never do. */
static void refusals_leave_nothing(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct foreign *foreign = &f->foreign;
	struct vdb_plane plane;
	s64 fallbacks = vdb_stat_read(VDB_FALLBACKS);

	set_plane(test, &plane, foreign->dbuf);
	foreign->attach_error = -EPERM;
	vdb_kunit_listen_refusals(test, "does not let it in: error -1");
	KUNIT_EXPECT_EQ(test, vdb_plane_attach(&plane, false), -EINVAL);
	KUNIT_EXPECT_EQ(test, vdb_kunit_heard(), 1);
	KUNIT_EXPECT_NULL(test, plane.att);
	foreign->attach_error = 0;
	foreign->map_error = -EIO;
	vdb_kunit_listen_refusals(test, "can't map 8192 bytes for it: error -5");
	KUNIT_EXPECT_EQ(test, vdb_plane_attach(&plane, false), -EINVAL);
	KUNIT_EXPECT_EQ(test, vdb_kunit_heard(), 1);
	KUNIT_EXPECT_NULL(test, plane.att);
	KUNIT_EXPECT_EQ(test, foreign->attached, 0);
	foreign->map_error = -ENOMEM;
	KUNIT_EXPECT_EQ(test, vdb_plane_attach(&plane, false), -ENOMEM);
	KUNIT_EXPECT_EQ(test, vdb_plane_attach(&plane, true), -ENOMEM);
	KUNIT_EXPECT_EQ(test, foreign->attached, 0);
	KUNIT_EXPECT_EQ(test, vdb_stat_read(VDB_FALLBACKS), fallbacks);
	KUNIT_EXPECT_EQ(test, plane.error, 0);

	foreign->map_error = 0;
	KUNIT_EXPECT_EQ(test, vdb_plane_attach(&plane, true), 0);
	KUNIT_EXPECT_EQ(test, vdb_stat_read(VDB_FALLBACKS), fallbacks);
	KUNIT_EXPECT_EQ(test, foreign->attached, 1);
	KUNIT_EXPECT_EQ(test, foreign->mapped, 1);
	vdb_plane_detach(&plane);
	KUNIT_EXPECT_EQ(test, foreign->attached, 0);
	KUNIT_EXPECT_EQ(test, foreign->mapped, 0);
}

static void fallbacks_are_the_cpus(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct vdb_plane plane;
	s64 fallbacks = vdb_stat_read(VDB_FALLBACKS);

	set_plane(test, &plane, f->foreign.dbuf);
	f->foreign.map_error = -EIO;
	KUNIT_EXPECT_EQ(test, vdb_plane_attach(&plane, true), 0);
	KUNIT_EXPECT_NULL(test, plane.att);
	KUNIT_EXPECT_EQ(test, plane.error, -EIO);
	KUNIT_EXPECT_EQ(test, vdb_stat_read(VDB_FALLBACKS), fallbacks + 1);
	KUNIT_EXPECT_PTR_EQ(test, vdb_plane_vaddr(&plane),
			    (void *)f->foreign.bytes);
	vdb_plane_vunmap(&plane);
	vdb_plane_detach(&plane);
}

/* Others' mapping is made once, and taken away once. */
static void addresses_of_others(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct foreign *foreign = &f->foreign;
	struct vdb_plane plane;
	unsigned int i;

	set_plane(test, &plane, foreign->dbuf);
	vdb_plane_vunmap(&plane);
	foreign->iomem = true;
	vdb_kunit_listen_refusals(test, "has I/O memory");
	KUNIT_EXPECT_NULL(test, vdb_plane_vaddr(&plane));
	KUNIT_EXPECT_EQ(test, vdb_kunit_heard(), 1);
	KUNIT_EXPECT_EQ(test, foreign->vmapped, 0);
	foreign->iomem = false;
	for (i = 0; i < 2; i++)
		KUNIT_EXPECT_PTR_EQ(test, vdb_plane_vaddr(&plane),
				    (void *)foreign->bytes);
	KUNIT_EXPECT_EQ(test, foreign->vmapped, 1);
	vdb_plane_vunmap(&plane);
	KUNIT_EXPECT_EQ(test, foreign->vmapped, 0);
	KUNIT_EXPECT_NULL(test, plane.vaddr);
	vdb_plane_vunmap(&plane);
	KUNIT_EXPECT_EQ(test, foreign->vmapped, 0);
}

static void addresses_of_ours(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct vdb_plane plane;
	void *vaddr;

	set_plane(test, &plane, f->buf->dbuf);
	vaddr = vdb_plane_vaddr(&plane);
	KUNIT_ASSERT_NOT_NULL(test, vaddr);
	KUNIT_EXPECT_PTR_EQ(test, vaddr, f->buf->vaddr);
	KUNIT_EXPECT_PTR_EQ(test, vdb_plane_vaddr(&plane), vaddr);
	KUNIT_EXPECT_EQ(test, f->buf->vmaps, 1);
	/* Nobody brackets what is done there. */
	KUNIT_EXPECT_EQ(test, f->buf->engine.mappings, 0);
	vdb_plane_vunmap(&plane);
	KUNIT_EXPECT_EQ(test, f->buf->vmaps, 0);
}

/* With or without interrupts: nothing new is mapped, what is there is found. */
static void addresses_in_interrupts(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct vdb_plane plane;
	unsigned long flags;
	void *vaddr[2];

	set_plane(test, &plane, f->foreign.dbuf);
	vdb_kunit_listen_refusals(test, "asked for an address in an interrupt");
	local_irq_save(flags);
	vaddr[0] = vdb_plane_vaddr(&plane);
	local_irq_restore(flags);
	local_bh_disable();
	vaddr[1] = vdb_plane_vaddr(&plane);
	local_bh_enable();
	KUNIT_EXPECT_NULL(test, vaddr[0]);
	KUNIT_EXPECT_NULL(test, vaddr[1]);
	KUNIT_EXPECT_EQ(test, vdb_kunit_heard(), 2);
	KUNIT_EXPECT_EQ(test, f->foreign.vmapped, 0);
	vdb_plane_vaddr(&plane);
	local_irq_save(flags);
	vaddr[0] = vdb_plane_vaddr(&plane);
	local_irq_restore(flags);
	KUNIT_EXPECT_PTR_EQ(test, vaddr[0], (void *)f->foreign.bytes);
	vdb_plane_vunmap(&plane);
}

static int set_up(struct kunit *test)
{
	struct fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	DEFINE_DMA_BUF_EXPORT_INFO(info);

	KUNIT_ASSERT_NOT_NULL(test, f);
	f->dev = vdb_kunit_add_device(test, "importer", VDB_KUNIT_NONCOHERENT);
	f->buf = vdb_buffer_create(NULL, SIZE, 0, false, VDB_POLICY_AUTO);
	KUNIT_ASSERT_FALSE(test, IS_ERR(f->buf));
	info.ops = &foreign_ops;
	info.size = SIZE;
	info.priv = &f->foreign;
	f->foreign.dbuf = dma_buf_export(&info);
	KUNIT_ASSERT_FALSE(test, IS_ERR(f->foreign.dbuf));
	test->priv = f;
	return 0;
}

static void tear_down(struct kunit *test)
{
	struct fixture *f = test->priv;

	if (!f)
		return;
	dma_buf_put(f->buf->dbuf);
	dma_buf_put(f->foreign.dbuf);
}

static struct kunit_case importer_cases[] = {
	KUNIT_CASE(too_small_is_refused),
	KUNIT_CASE(readers_exports_are_for_queues_that_read),
	KUNIT_CASE(queues_are_not_silent),
	KUNIT_CASE(refusals_leave_nothing),
	KUNIT_CASE(fallbacks_are_the_cpus),
	KUNIT_CASE(addresses_of_others),
	KUNIT_CASE(addresses_of_ours),
	KUNIT_CASE(addresses_in_interrupts),
	{}
};

static struct kunit_suite importer_suite = {
	.name = "videobuf2-dmabuf-importer",
	.init = set_up,
	.exit = tear_down,
	.test_cases = importer_cases,
};

kunit_test_suite(importer_suite);
