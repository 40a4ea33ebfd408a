/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The virtual display: what its KMS objects, its framebuffer memory, its
 * scan-out engine and its debugfs files share.
 */
#ifndef VIVID_EXT_DISPLAY_H
#define VIVID_EXT_DISPLAY_H

#include <drm/drm_connector.h>
#include <drm/drm_crtc.h>
#include <drm/drm_device.h>
#include <drm/drm_encoder.h>
#include <drm/drm_gem_shmem_helper.h>
#include <drm/drm_plane.h>
#include <linux/iosys-map.h>
#include <linux/list.h>
#include <linux/mutex.h>

#include "reasons.h"
#include "scanout.h"

#define VIVID_EXT_DISPLAY_NAME "vivid-ext-display"

struct seq_file;
struct vivid_ext_view;

/**
 * struct vivid_ext_display - the device
 * @drm: the card
 * @crtc: its only CRTC
 * @plane: its only plane, the primary one
 * @encoder: stands between @crtc and @connector, does nothing
 * @connector: always connected
 * @scanout: the engine that reads framebuffers
 * @bo_lock: protects @bos, each bo's DMA state, @dma_users and @reasons
 * @bos: every import, and the dumb buffers that are mapped
 * @dma_users: buffer objects that are mapped for DMA, or about to be
 * @prime_ops: what marks dma-bufs that this driver's GEM objects stand behind
 * @reasons: see &struct vivid_ext_reason; unused entries have no stage
 * @debugfs: our directory
 */
struct vivid_ext_display {
	struct drm_device drm;
	struct drm_crtc crtc;
	struct drm_plane plane;
	struct drm_encoder encoder;
	struct drm_connector connector;
	struct vivid_ext_scanout scanout;
	struct mutex bo_lock;	/* see above */
	struct list_head bos;
	unsigned int dma_users;
	const struct dma_buf_ops *prime_ops;
	struct vivid_ext_reason reasons[VIVID_EXT_MAX_REASONS];
	struct dentry *debugfs;
};

/**
 * struct vivid_ext_bo - memory of a framebuffer
 * @shmem: the GEM object; its shmem part is used by dumb buffers only
 * @node: in the display's list
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

static inline struct vivid_ext_display *
to_vivid_ext_display(struct drm_device *drm)
{
	return container_of(drm, struct vivid_ext_display, drm);
}

static inline struct vivid_ext_bo *to_vivid_ext_bo(struct drm_gem_object *obj)
{
	return container_of(obj, struct vivid_ext_bo, shmem.base);
}

/* display-memory.c */
struct drm_gem_object *vivid_ext_bo_create_dumb(struct drm_device *drm,
						size_t size);
struct drm_gem_object *vivid_ext_bo_import(struct drm_device *drm,
					   struct dma_buf *dmabuf);
int vivid_ext_bo_prepare(struct vivid_ext_bo *bo);
void *vivid_ext_bo_addr(struct vivid_ext_bo *bo);
int vivid_ext_bo_refresh(struct vivid_ext_bo *bo);
int vivid_ext_bo_begin(struct vivid_ext_bo *bo);
void vivid_ext_bo_end(struct vivid_ext_bo *bo);
void vivid_ext_bo_release_all(struct vivid_ext_display *display);
void vivid_ext_bo_show_all(struct vivid_ext_display *display,
			   struct seq_file *m);

/* display-mmap.c */
int vivid_ext_bo_mmap_import(struct drm_gem_object *obj,
			     struct vm_area_struct *vma);
int vivid_ext_bo_map_offset(struct drm_file *file, struct drm_device *drm,
			    u32 handle, u64 *offset);
int vivid_ext_bo_mmap(struct file *file, struct vm_area_struct *vma);

/* display-debugfs.c */
void vivid_ext_display_debugfs_add(struct vivid_ext_display *display);
void vivid_ext_display_debugfs_remove(struct vivid_ext_display *display);

#endif
