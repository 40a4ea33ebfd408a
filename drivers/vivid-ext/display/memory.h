/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The memory that the display's engine reads: buffer objects, and the card that
 * has them.
 */
#ifndef VIVID_EXT_DISPLAY_MEMORY_H
#define VIVID_EXT_DISPLAY_MEMORY_H

#include <drm/drm_device.h>
#include <drm/drm_gem_shmem_helper.h>
#include <linux/iosys-map.h>
#include <linux/list.h>
#include <linux/mutex.h>

#include "bus/fallback.h"

struct seq_file;
struct vivid_ext_view;

/**
 * struct vivid_ext_card - a DRM device and its buffer objects
 * @drm: the device
 * @lock: protects @bos, each bo's DMA state, @dma_users and @reasons
 * @bos: every import, and the dumb buffers that are mapped
 * @dma_users: buffer objects that are mapped for DMA, or about to be
 * @prime_ops: what marks dma-bufs that this driver's GEM objects stand behind
 * @reasons: see &struct vivid_ext_reason; unused entries have no stage
 */
struct vivid_ext_card {
	struct drm_device drm;
	struct mutex lock;	/* see above */
	struct list_head bos;
	unsigned int dma_users;
	const struct dma_buf_ops *prime_ops;
	struct vivid_ext_reason reasons[VIVID_EXT_MAX_REASONS];
};

/**
 * struct vivid_ext_bo - memory of a framebuffer
 * @shmem: the GEM object; its shmem part is used by dumb buffers only
 * @node: in the card's list
 * @dmabuf: what was imported, referenced; NULL for a dumb buffer
 * @attach: our attachment to @dmabuf, or NULL
 * @sgt: the memory as mapped for the display's DMA, or NULL
 * @view: the engine's window on @sgt, or NULL
 * @reason: why an import is copied by CPU; NULL where it is read by DMA
 * @map: @dmabuf as the CPU sees it, for the copy
 * @shadow: where the CPU copies to, and the engine reads
 */
struct vivid_ext_bo {
	struct drm_gem_shmem_object shmem;
	struct list_head node;
	struct dma_buf *dmabuf;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
	struct vivid_ext_view *view;
	struct vivid_ext_reason *reason;
	struct iosys_map map;
	void *shadow;
};

static inline struct vivid_ext_bo *to_vivid_ext_bo(struct drm_gem_object *obj)
{
	return container_of(obj, struct vivid_ext_bo, shmem.base);
}

/* memory.c */
struct drm_gem_object *vivid_ext_bo_create_dumb(struct drm_device *drm,
						size_t size);
struct drm_gem_object *vivid_ext_bo_import(struct drm_device *drm,
					   struct dma_buf *dmabuf);
int vivid_ext_bo_prepare(struct vivid_ext_bo *bo);
void *vivid_ext_bo_addr(struct vivid_ext_bo *bo);
int vivid_ext_bo_refresh(struct vivid_ext_bo *bo);
int vivid_ext_bo_begin(struct vivid_ext_bo *bo);
void vivid_ext_bo_end(struct vivid_ext_bo *bo);
void vivid_ext_bo_release_all(struct vivid_ext_card *card);
void vivid_ext_bo_show_all(struct vivid_ext_card *card, struct seq_file *m);

/* mmap.c */
int vivid_ext_bo_mmap_import(struct drm_gem_object *obj,
			     struct vm_area_struct *vma);
int vivid_ext_bo_map_offset(struct drm_file *file, struct drm_device *drm,
			    u32 handle, u64 *offset);
int vivid_ext_bo_mmap(struct file *file, struct vm_area_struct *vma);

#endif
