// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of buffers of more than one plane: each has a device, a size and a
 * frame of its own.
 */
#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/module.h>

#include "queue_fixture.h"

#define PLANES 3

/* One without DMA among them. */
static void alloc_planes(struct kunit *test, struct device *devs[PLANES])
{
	struct fixture *f = test->priv;
	unsigned int i;

	devs[0] = f->dev;
	devs[1] = NULL;
	devs[2] = vdb_kunit_add_device(test, "other",
				       VDB_KUNIT_NONCOHERENT_IOMMU);
	f->queue.dma_dir = DMA_FROM_DEVICE;
	f->vb.num_planes = PLANES;
	for (i = 0; i < PLANES; i++) {
		size_t size = (PLANES - i) * PAGE_SIZE;
		void *priv = OPS->alloc(&f->vb, devs[i], size);

		KUNIT_ASSERT_FALSE(test, IS_ERR(priv));
		f->vb.planes[i].mem_priv = priv;
		f->vb.planes[i].length = size;
	}
}

static void put_planes(struct kunit *test)
{
	struct fixture *f = test->priv;
	unsigned int i;

	for (i = 0; i < PLANES; i++) {
		OPS->put(f->vb.planes[i].mem_priv);
		f->vb.planes[i].mem_priv = NULL;
	}
	f->vb.num_planes = 1;
}

static struct vdb_plane *nth(struct kunit *test, unsigned int i)
{
	struct fixture *f = test->priv;

	return f->vb.planes[i].mem_priv;
}

static void planes_have_their_own(struct kunit *test)
{
	struct device *devs[PLANES];
	struct fixture *f = test->priv;
	unsigned int i;

	alloc_planes(test, devs);
	for (i = 0; i < PLANES; i++) {
		struct vdb_plane *p = nth(test, i);

		KUNIT_EXPECT_PTR_EQ(test, p->dev, devs[i]);
		KUNIT_EXPECT_EQ(test, p->size, (PLANES - i) * PAGE_SIZE);
		KUNIT_EXPECT_EQ(test, p->own->size, p->size);
		KUNIT_EXPECT_EQ(test, p->dir, DMA_FROM_DEVICE);
		KUNIT_EXPECT_EQ(test, !p->vaddr, i != 1);
		KUNIT_EXPECT_EQ(test, !p->att, i == 1);
		if (i == 1) {
			KUNIT_EXPECT_EQ(test,
					PTR_ERR(vb2_dmabuf_plane_sgt(&f->vb, i)),
					-EOPNOTSUPP);
			continue;
		}
		KUNIT_EXPECT_PTR_EQ(test, p->att->dev, devs[i]);
		KUNIT_EXPECT_PTR_EQ(test, vb2_dmabuf_plane_sgt(&f->vb, i),
				    p->sgt);
		if (i == 2)
			KUNIT_EXPECT_EQ(test,
					vb2_dmabuf_plane_dma_addr(&f->vb, i),
					sg_dma_address(p->sgt->sgl));
	}
	KUNIT_EXPECT_EQ(test, PTR_ERR(vb2_dmabuf_plane_sgt(&f->vb, PLANES)),
			-EINVAL);
	put_planes(test);
}

/* Whose device is at work, and whose has ended. */
static bool writes(struct vdb_plane *p)
{
	struct vdb_engine *e = &p->own->engine;

	return e->views[p->att ? VDB_MEMORY : VDB_CPU].writing;
}

static void planes_have_their_frames(struct kunit *test)
{
	struct device *devs[PLANES];
	struct fixture *f = test->priv;
	unsigned int i, j;

	alloc_planes(test, devs);
	for (i = 0; i < PLANES; i++) {
		OPS->prepare(nth(test, i));
		for (j = 0; j < PLANES; j++)
			KUNIT_EXPECT_EQ(test, writes(nth(test, j)), j <= i);
	}
	for (i = 0; i < PLANES; i++) {
		struct vdb_plane *p = nth(test, i);
		struct vdb_kunit_device d = { .dev = devs[i], .sgt = p->sgt };

		if (p->att) {
			d.own = vdb_attachment_of(p->att);
			vdb_kunit_write(test, &d, 0x22 + i);
		} else {
			memset(p->vaddr, 0x22 + i, p->size);
		}
		OPS->finish(p);
		for (j = 0; j < PLANES; j++)
			KUNIT_EXPECT_EQ(test, writes(nth(test, j)), j > i);
	}
	vb2_dmabuf_buf_finish(&f->vb);
	for (i = 0; i < PLANES; i++) {
		struct page *page = nth(test, i)->own->storage.pages[0];

		KUNIT_EXPECT_EQ(test,
				vb2_dmabuf_plane_begin_cpu_access(&f->vb, i, DMA_FROM_DEVICE),
				0);
		KUNIT_EXPECT_EQ(test, *(u8 *)page_address(page), 0x22 + i);
		KUNIT_EXPECT_EQ(test,
				vb2_dmabuf_plane_end_cpu_access(&f->vb, i, DMA_FROM_DEVICE),
				0);
	}
	put_planes(test);
}

/* One that has no memory does not hide those behind it. */
static void planes_may_be_missing(struct kunit *test)
{
	struct device *devs[PLANES];
	struct fixture *f = test->priv;
	struct vdb_plane *first;
	unsigned int i;

	alloc_planes(test, devs);
	first = nth(test, 0);
	for (i = 0; i < PLANES; i++)
		nth(test, i)->delivers = false;
	f->vb.planes[0].mem_priv = NULL;
	vb2_dmabuf_buf_finish(&f->vb);
	KUNIT_EXPECT_FALSE(test, first->delivers);
	KUNIT_EXPECT_TRUE(test, nth(test, 1)->delivers);
	KUNIT_EXPECT_TRUE(test, nth(test, 2)->delivers);
	KUNIT_EXPECT_EQ(test, PTR_ERR(vb2_dmabuf_plane_sgt(&f->vb, 0)),
			-EINVAL);
	KUNIT_EXPECT_FALSE(test, IS_ERR(vb2_dmabuf_plane_sgt(&f->vb, 2)));
	f->vb.planes[0].mem_priv = first;
	put_planes(test);
}

static struct kunit_case planes_cases[] = {
	KUNIT_CASE(planes_have_their_own),
	KUNIT_CASE(planes_have_their_frames),
	KUNIT_CASE(planes_may_be_missing),
	{}
};

static struct kunit_suite planes_suite = {
	.name = "videobuf2-dmabuf-planes",
	.init = queue_test_init,
	.exit = queue_test_exit,
	.test_cases = planes_cases,
};

kunit_test_suite(planes_suite);
