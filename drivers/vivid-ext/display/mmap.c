// SPDX-License-Identifier: GPL-2.0-only
/*
 * The display's buffer objects as processes map them.
 *
 * A dumb buffer's mapping is DRM's and keeps the object. An import's is its
 * exporter's altogether, and keeps the dma-buf.
 */
#include <drm/drm_gem.h>
#include <drm/drm_vma_manager.h>
#include <linux/dma-buf.h>
#include <linux/fs.h>
#include <linux/mm.h>

#include "memory.h"

/*
 * A detour by the card's file must give no right that the dma-buf's file
 * doesn't give: who may only read it can't write, now or by mprotect() later.
 * Private mappings never write to the buffer.
 */
static int limit_access(const struct file *file, struct vm_area_struct *vma)
{
	if (!(file->f_mode & FMODE_READ))
		return -EACCES;
	if (!(vma->vm_flags & VM_MAYSHARE) || file->f_mode & FMODE_WRITE)
		return 0;
	if (vma->vm_flags & VM_WRITE)
		return -EACCES;
	vdb_vm_flags_clear(vma, VM_MAYWRITE);
	return 0;
}

/**
 * vivid_ext_bo_mmap_import - map an import, as its exporter does
 * @obj: of vivid_ext_bo_import()
 * @vma: the mapping
 *
 * Process context, mmap_lock held for writing; for &drm_gem_object_funcs.mmap.
 *
 * Return: 0; -EACCES if the dma-buf's own file doesn't allow as much; or the
 * exporter's error.
 */
int vivid_ext_bo_mmap_import(struct drm_gem_object *obj,
			     struct vm_area_struct *vma)
{
	struct vivid_ext_bo *bo = to_vivid_ext_bo(obj);
	int ret = limit_access(bo->dmabuf->file, vma);

	if (ret)
		return ret;
	vdb_vm_flags_set(vma, VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_private_data = NULL;
	ret = dma_buf_mmap(bo->dmabuf, vma, 0);
	/* From here on the mapping holds the dma-buf, and not the object. */
	if (!ret)
		drm_gem_object_put(obj);
	return ret;
}

/**
 * vivid_ext_bo_map_offset - where in the card's file a buffer can be mapped
 * @file: who asks
 * @drm: the card
 * @handle: of a dumb buffer, or of an import
 * @offset: set to what mmap() is to be given
 *
 * Process context; for &drm_driver.dumb_map_offset. DRM's own says no to
 * imports, and software renderers, which can do nothing but map, crash.
 *
 * Return: 0, -ENOENT if there is no such handle, or -ENOMEM.
 */
int vivid_ext_bo_map_offset(struct drm_file *file, struct drm_device *drm,
			    u32 handle, u64 *offset)
{
	struct drm_gem_object *obj = drm_gem_object_lookup(file, handle);
	int ret;

	if (!obj)
		return -ENOENT;
	ret = drm_gem_create_mmap_offset(obj);
	if (!ret)
		*offset = drm_vma_node_offset_addr(&obj->vma_node);
	drm_gem_object_put(obj);
	return ret;
}

/**
 * vivid_ext_bo_mmap - map a buffer by the card's file
 * @file: the card
 * @vma: the mapping, at an offset from vivid_ext_bo_map_offset()
 *
 * Process context, mmap_lock held for writing; for &file_operations.mmap. DRM
 * takes away the operations that mm gives each file's mapping. Where an
 * exporter has none of its own they must come back: mm takes a mapping without
 * any for anonymous memory, and gives it another offset when it moves.
 *
 * Return: 0, or drm_gem_mmap()'s error.
 */
int vivid_ext_bo_mmap(struct file *file, struct vm_area_struct *vma)
{
	const struct vm_operations_struct *none = vma->vm_ops;
	int ret = drm_gem_mmap(file, vma);

	if (!vma->vm_ops)
		vma->vm_ops = none;
	return ret;
}
