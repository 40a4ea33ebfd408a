/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Everything that depends on the kernel's version, feature by feature.
 *
 * The Makefiles include this before each file, so that none names it. No other
 * file tests a version: it uses what is defined here. Names start with
 * vdb_ or VDB_, so that a stable kernel that backports a function cannot
 * collide with it.
 */
#ifndef VDB_KCOMPAT_H
#define VDB_KCOMPAT_H

#include <linux/dma-buf.h>
#include <linux/dma-map-ops.h>
#include <linux/hrtimer.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/shrinker.h>
#include <linux/slab.h>
#include <linux/swiotlb.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "videobuf2-dmabuf needs Linux 6.1 or newer"
#endif

/* 6.13: the namespace became a string literal. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
#define VDB_IMPORT_NS_DMA_BUF MODULE_IMPORT_NS(DMA_BUF)
#else
#define VDB_IMPORT_NS_DMA_BUF MODULE_IMPORT_NS("DMA_BUF")
#endif

/* 6.3: vma->vm_flags became read-only. */
static inline void vdb_vm_flags_set(struct vm_area_struct *vma,
				    unsigned long flags)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
	vma->vm_flags |= flags;
#else
	vm_flags_set(vma, flags);
#endif
}

static inline void vdb_vm_flags_clear(struct vm_area_struct *vma,
				      unsigned long flags)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
	vma->vm_flags &= ~flags;
#else
	vm_flags_clear(vma, flags);
#endif
}

/* 6.4: a test can put a function of its own in the place of one of ours. */
#if IS_ENABLED(CONFIG_KUNIT) && LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
#include <kunit/static_stub.h>
#define VDB_STATIC_STUB(function, ...) \
	KUNIT_STATIC_STUB_REDIRECT(function, __VA_ARGS__)
#else
#define VDB_STATIC_STUB(function, ...)
#endif

/* 6.4: MAX_ORDER became inclusive; 6.8: it got another name. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
#define VDB_MAX_ORDER (MAX_ORDER - 1)
#elif LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
#define VDB_MAX_ORDER MAX_ORDER
#else
#define VDB_MAX_ORDER MAX_PAGE_ORDER
#endif

/*
 * 6.12: what maps through an IOMMU became part of the DMA API's core; before,
 * devices have operations for it.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
#include <linux/iommu-dma.h>
#endif

static inline bool vdb_dma_translated(struct device *dev)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
	return get_dma_ops(dev) && device_iommu_mapped(dev);
#else
	return use_dma_iommu(dev);
#endif
}

/*
 * Where a device's bounce buffers end, 0 if there are none. 6.6: there may be
 * more than one pool of them, and new ones made as they are needed, where the
 * device reaches them.
 */
static inline phys_addr_t vdb_bounce_end(struct device *dev)
{
#ifdef CONFIG_SWIOTLB
	struct io_tlb_mem *mem = dev->dma_io_tlb_mem;

	if (!mem || !mem->nslabs)
		return 0;
#ifdef CONFIG_SWIOTLB_DYNAMIC
	if (mem->can_grow)
		return 1;
#endif
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
	return mem->end;
#else
	return mem->defpool.end;
#endif
#else
	return 0;
#endif
}

/*
 * 6.2: dma_buf_vmap() and dma_buf_vunmap() want the reservation lock held and
 * have _unlocked variants; before, they take a mutex of the dma-buf's.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
#define vdb_dma_buf_vmap dma_buf_vmap
#define vdb_dma_buf_vunmap dma_buf_vunmap
#else
#define vdb_dma_buf_vmap dma_buf_vmap_unlocked
#define vdb_dma_buf_vunmap dma_buf_vunmap_unlocked
#endif

/* 6.10: __assign_str() knows the source from __string(). */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
#define vdb_assign_str(field, src) __assign_str(field, src)
#else
#define vdb_assign_str(field, src) __assign_str(field)
#endif

/*
 * 6.19: dma_map_ops.map_page and unmap_page became map_phys and unmap_phys.
 * VDB_DEFINE_DMA_MAP_PAGE() goes behind a function of map_phys' type,
 * VDB_DMA_OPS_MAP() into the initialiser; vdb_dma_ops_map() and _unmap() call
 * them.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 19, 0)
#define VDB_DEFINE_DMA_MAP_PAGE(map) \
static dma_addr_t map##_page(struct device *dev, struct page *page, \
			     unsigned long offset, size_t size, \
			     enum dma_data_direction dir, unsigned long attrs) \
{ \
	return map(dev, page_to_phys(page) + offset, size, dir, attrs); \
}

#define VDB_DMA_OPS_MAP(map, unmap) \
	.map_page = map##_page, \
	.unmap_page = unmap

#define vdb_dma_ops_map(ops, dev, page, size, dir) \
	((ops)->map_page(dev, page, 0, size, dir, 0))
#define vdb_dma_ops_unmap(ops, dev, addr, size, dir) \
	((ops)->unmap_page(dev, addr, size, dir, 0))
#else
#define VDB_DEFINE_DMA_MAP_PAGE(map)
#define VDB_DMA_OPS_MAP(map, unmap) \
	.map_phys = map, \
	.unmap_phys = unmap

#define vdb_dma_ops_map(ops, dev, page, size, dir) \
	((ops)->map_phys(dev, page_to_phys(page), size, dir, 0))
#define vdb_dma_ops_unmap(ops, dev, addr, size, dir) \
	((ops)->unmap_phys(dev, addr, size, dir, 0))
#endif

/*
 * 6.18: a mapping can be asked for of what is no memory, and some time later
 * for one that needs no synchronisation. Whether there can be such a one on a
 * bus that maps memory only.
 */
static inline bool vdb_dma_can(unsigned long attrs, bool coherent)
{
#ifdef DMA_ATTR_MMIO
	if (attrs & DMA_ATTR_MMIO)
		return false;
#endif
#ifdef DMA_ATTR_REQUIRE_COHERENT
	if (attrs & DMA_ATTR_REQUIRE_COHERENT && !coherent)
		return false;
#endif
	return true;
}

/*
 * 7.0: vb2_ops lost wait_prepare and wait_finish (the core uses q->lock).
 * For the initialiser of a struct vb2_ops.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 0, 0)
#define VDB_VB2_OPS_WAIT \
	.wait_prepare = vb2_ops_wait_prepare, \
	.wait_finish = vb2_ops_wait_finish,
#else
#define VDB_VB2_OPS_WAIT
#endif

/* 6.10: VIDIOC_REMOVE_BUFS. For the initialiser of a struct v4l2_ioctl_ops. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
#define VDB_IOCTL_REMOVE_BUFS
#else
#define VDB_IOCTL_REMOVE_BUFS .vidioc_remove_bufs = vb2_ioctl_remove_bufs,
#endif

/* 6.8: a queue says how many buffers it may have; 32 before, for all. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
#define vdb_queue_max_buffers(q, n) ((void)(q))
#else
#define vdb_queue_max_buffers(q, n) ((q)->max_num_buffers = (n))
#endif

/*
 * The same of a mem2mem device. VDB_DEFINE_M2M_REMOVE_BUFS() makes a function
 * of that name, which calls another one with the file first.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
#define VDB_DEFINE_M2M_REMOVE_BUFS(name, first)
#define VDB_IOCTL_M2M_REMOVE_BUFS(name)
#else
#define VDB_DEFINE_M2M_REMOVE_BUFS(name, first) \
static int name(struct file *file, void *priv, \
		struct v4l2_remove_buffers *b) \
{ \
	first(file); \
	return v4l2_m2m_ioctl_remove_bufs(file, priv, b); \
}

#define VDB_IOCTL_M2M_REMOVE_BUFS(name) .vidioc_remove_bufs = name,
#endif

/* 6.18: a file handle knows its file, and the other way round. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 18, 0)
#define vdb_v4l2_fh_add(fh, file) \
	v4l2_fh_add((file)->private_data = (fh))
#define vdb_v4l2_fh_del(fh, file) v4l2_fh_del(fh)
#else
#define vdb_v4l2_fh_add(fh, file) v4l2_fh_add(fh, file)
#define vdb_v4l2_fh_del(fh, file) v4l2_fh_del(fh, file)
#endif

/* 6.19: it always copies the frame's flags. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 19, 0)
#define vdb_v4l2_m2m_copy_metadata(src, dst) \
	v4l2_m2m_buf_copy_metadata(src, dst, true)
#else
#define vdb_v4l2_m2m_copy_metadata(src, dst) \
	v4l2_m2m_buf_copy_metadata(src, dst)
#endif

/* 6.13: an hrtimer gets its function when it is set up. */
static inline void
vdb_hrtimer_setup(struct hrtimer *timer,
		  enum hrtimer_restart (*function)(struct hrtimer *),
		  clockid_t clock, enum hrtimer_mode mode)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
	hrtimer_init(timer, clock, mode);
	timer->function = function;
#else
	hrtimer_setup(timer, function, clock, mode);
#endif
}

/*
 * 6.8: a sub-device's first state is made by an internal operation and not by
 * one of its pads, and what is in a state has got other accessors. The first
 * two go into the initialisers.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
#define VDB_SUBDEV_PAD_INIT(function) .init_cfg = function,
#define VDB_SUBDEV_INTERNAL_INIT(function)
#define vdb_subdev_format(sd, state, pad) \
	v4l2_subdev_get_pad_format(sd, state, pad)
#define vdb_subdev_crop(sd, state, pad) \
	v4l2_subdev_get_pad_crop(sd, state, pad)
#else
#define VDB_SUBDEV_PAD_INIT(function)
#define VDB_SUBDEV_INTERNAL_INIT(function) .init_state = function,
#define vdb_subdev_format(sd, state, pad) \
	v4l2_subdev_state_get_format(state, pad)
#define vdb_subdev_crop(sd, state, pad) \
	v4l2_subdev_state_get_crop(state, pad)
#endif

/*
 * Seen in 7.3, and not in 6.12: a media device counts its requests, until after
 * ->req_free().
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 3, 0)
#define vdb_media_requests(mdev) ((void)(mdev), 0)
#else
#define vdb_media_requests(mdev) atomic_read(&(mdev)->num_requests)
#endif

/* 7.2: DRM's struct for an atomic commit lost its old name. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 2, 0)
#define vdb_atomic_state drm_atomic_state
#else
#define vdb_atomic_state drm_atomic_commit
#endif

/*
 * 6.6: PRIME became the default of a DRM driver; 6.14: .date is gone, which
 * had to be set. For the end of the initialiser of a struct drm_driver.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
#define VDB_DRM_DRIVER_FIELDS \
	.date = "20260101", \
	.prime_handle_to_fd = drm_gem_prime_handle_to_fd, \
	.prime_fd_to_handle = drm_gem_prime_fd_to_handle, \
	.gem_prime_mmap = drm_gem_prime_mmap,
#elif LINUX_VERSION_CODE < KERNEL_VERSION(6, 14, 0)
#define VDB_DRM_DRIVER_FIELDS .date = "20260101",
#else
#define VDB_DRM_DRIVER_FIELDS
#endif

/*
 * 6.12: DRM's offsets use all 64 bits, and a card's file must say so. For the
 * end of the initialiser of its struct file_operations.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
#define VDB_DRM_FOPS_FIELDS
#else
#define VDB_DRM_FOPS_FIELDS .fop_flags = FOP_UNSIGNED_OFFSET,
#endif
typedef unsigned long (*vdb_shrinker_function)(struct shrinker *,
					       struct shrink_control *);

/* 6.7: the kernel allocates shrinkers itself. NULL without memory. */
static inline struct shrinker *
vdb_shrinker_register(const char *name, vdb_shrinker_function count,
		      vdb_shrinker_function scan)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
	struct shrinker *shrinker = kzalloc(sizeof(*shrinker), GFP_KERNEL);
#else
	struct shrinker *shrinker = shrinker_alloc(0, "%s", name);
#endif

	if (!shrinker)
		return NULL;
	shrinker->count_objects = count;
	shrinker->scan_objects = scan;
	shrinker->seeks = DEFAULT_SEEKS;
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
	if (register_shrinker(shrinker, "%s", name)) {
		kfree(shrinker);
		return NULL;
	}
#else
	shrinker_register(shrinker);
#endif
	return shrinker;
}

static inline void vdb_shrinker_unregister(struct shrinker *shrinker)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
	unregister_shrinker(shrinker);
	kfree(shrinker);
#else
	shrinker_free(shrinker);
#endif
}

/* 6.11: .remove of a platform driver returns nothing, as .remove_new did. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 11, 0)
#define VDB_PLATFORM_REMOVE(function) .remove_new = function
#else
#define VDB_PLATFORM_REMOVE(function) .remove = function
#endif

#endif
