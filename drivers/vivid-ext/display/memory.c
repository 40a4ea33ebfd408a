// SPDX-License-Identifier: GPL-2.0-only
/*
 * The display's buffer objects: framebuffer memory as its engine can read it.
 *
 * A dumb buffer is shmem, mapped for DMA when it is first shown. An import is
 * mapped when it is imported; where that fails the CPU copies each frame into
 * a shadow instead, unless the module's parameter forbids it. An import is
 * mapped for reading only: its exporter can tell that we never write.
 *
 * The card's lock is outside of dma_resv locks, which mapping takes.
 */
#include <drm/drm_drv.h>
#include <drm/drm_gem.h>
#include <drm/drm_prime.h>
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "bus/config.h"
#include "bus/view.h"
#include "memory.h"

static bool fallback = true;
module_param(fallback, bool, 0644);
MODULE_PARM_DESC(fallback,
		 "copy imports that DMA can't read by CPU, not refuse them (default: Y)");

static struct vivid_ext_card *card_of(const struct drm_device *drm)
{
	return container_of(drm, struct vivid_ext_card, drm);
}

static struct vivid_ext_card *bo_card(const struct vivid_ext_bo *bo)
{
	return card_of(bo->shmem.base.dev);
}

/* Its bus doesn't change while anything is mapped for it. */
static struct device *bo_dev(const struct vivid_ext_bo *bo)
{
	return vivid_ext_bus_device(bo->shmem.base.dev->dev);
}

/*
 * Counting who uses DMA: as long as anybody does, the device must stay on its
 * bus. Unbind waits for those inside drm_dev_enter().
 */
static void get_dma(struct vivid_ext_bo *bo)
{
	mutex_lock(&bo_card(bo)->lock);
	bo_card(bo)->dma_users++;
	mutex_unlock(&bo_card(bo)->lock);
}

static void put_dma(struct vivid_ext_bo *bo)
{
	mutex_lock(&bo_card(bo)->lock);
	bo_card(bo)->dma_users--;
	mutex_unlock(&bo_card(bo)->lock);
}

/* Taking the memory away from the device. */

static void unmap_dumb(struct vivid_ext_bo *bo)
{
	dma_unmap_sgtable(bo_dev(bo), bo->sgt, DMA_TO_DEVICE, 0);
	sg_free_table(bo->sgt);
	kfree(bo->sgt);
	drm_gem_shmem_unpin(&bo->shmem);
}

/* Some exporters keep the memory mapped until we detach. */
static void unmap_import(struct vivid_ext_bo *bo)
{
	dma_buf_unmap_attachment_unlocked(bo->attach, bo->sgt, DMA_TO_DEVICE);
	dma_buf_detach(bo->dmabuf, bo->attach);
	bo->attach = NULL;
}

/* Safe to call again; under the card's lock. */
static void release_dma(struct vivid_ext_bo *bo)
{
	if (!bo->sgt)
		return;
	vivid_ext_view_destroy(bo->view);
	bo->view = NULL;
	if (bo->dmabuf)
		unmap_import(bo);
	else
		unmap_dumb(bo);
	bo->sgt = NULL;
	bo_card(bo)->dma_users--;
}

static void forget(struct vivid_ext_bo *bo)
{
	struct vivid_ext_card *card = bo_card(bo);

	mutex_lock(&card->lock);
	list_del_init(&bo->node);
	release_dma(bo);
	mutex_unlock(&card->lock);
}

/* Dumb buffers. */

static void free_dumb(struct drm_gem_object *obj)
{
	struct vivid_ext_bo *bo = to_vivid_ext_bo(obj);

	forget(bo);
	drm_gem_shmem_free(&bo->shmem);
}

/* The helper's dma_buf_ops are private; they tell our dma-bufs from others. */
static struct dma_buf *export_dumb(struct drm_gem_object *obj, int flags)
{
	struct dma_buf *dmabuf = drm_gem_prime_export(obj, flags);

	if (!IS_ERR(dmabuf))
		WRITE_ONCE(card_of(obj->dev)->prime_ops,
			   dmabuf->ops);
	return dmabuf;
}

static const struct drm_gem_object_funcs dumb_funcs = {
	.free = free_dumb,
	.export = export_dumb,
	.print_info = drm_gem_shmem_object_print_info,
	.pin = drm_gem_shmem_object_pin,
	.unpin = drm_gem_shmem_object_unpin,
	.get_sg_table = drm_gem_shmem_object_get_sg_table,
	.vmap = drm_gem_shmem_object_vmap,
	.vunmap = drm_gem_shmem_object_vunmap,
	.mmap = drm_gem_shmem_object_mmap,
	.vm_ops = &drm_gem_shmem_vm_ops,
};

/**
 * vivid_ext_bo_create_dumb - allocate the object of a dumb buffer
 * @drm: the card
 * @size: unused, the shmem helper goes on with it
 *
 * Process context; for &drm_driver.gem_create_object.
 *
 * Return: the object, or ERR_PTR(-ENOMEM).
 */
struct drm_gem_object *vivid_ext_bo_create_dumb(struct drm_device *drm,
						size_t size)
{
	struct vivid_ext_bo *bo = kzalloc(sizeof(*bo), GFP_KERNEL);

	if (!bo)
		return ERR_PTR(-ENOMEM);
	INIT_LIST_HEAD(&bo->node);
	bo->shmem.base.funcs = &dumb_funcs;
	/* Cached: the engine syncs what the CPU drew before it reads. */
	bo->shmem.map_wc = false;
	return &bo->shmem.base;
}

/* Under the lock, pages pinned; the pin is the mapping's if this succeeds. */
static int map_dumb(struct vivid_ext_bo *bo)
{
	struct device *dev = bo_dev(bo);
	struct vivid_ext_view *view;
	struct sg_table *sgt;
	int ret;

	sgt = drm_gem_shmem_get_sg_table(&bo->shmem);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	ret = dma_map_sgtable(dev, sgt, DMA_TO_DEVICE, 0);
	if (ret)
		goto err_free;
	view = vivid_ext_view_create(dev, sgt, bo->shmem.base.size,
				     DMA_TO_DEVICE);
	if (IS_ERR(view)) {
		ret = PTR_ERR(view);
		goto err_unmap;
	}
	bo->sgt = sgt;
	bo->view = view;
	bo_card(bo)->dma_users++;
	list_add_tail(&bo->node, &bo_card(bo)->bos);
	return 0;

err_unmap:
	dma_unmap_sgtable(dev, sgt, DMA_TO_DEVICE, 0);
err_free:
	sg_free_table(sgt);
	kfree(sgt);
	return ret;
}

static int prepare_dumb(struct vivid_ext_bo *bo)
{
	struct vivid_ext_card *card = bo_card(bo);
	bool mapped;
	int ret;

	ret = drm_gem_shmem_pin(&bo->shmem);
	if (ret)
		return ret;
	mutex_lock(&card->lock);
	mapped = bo->sgt;
	if (!mapped)
		ret = map_dumb(bo);
	mutex_unlock(&card->lock);
	if (mapped || ret)
		drm_gem_shmem_unpin(&bo->shmem);
	return ret;
}

/**
 * vivid_ext_bo_prepare - make sure that the engine can read a buffer
 * @bo: the buffer object
 *
 * Process context, takes the card's lock; called before a commit is certain to
 * happen, because it can fail. The mapping stays until the object is freed.
 *
 * Return: 0; -ENODEV if the device is unbound; -ENOMEM; or what the DMA API or
 * vivid_ext_view_create() says.
 */
int vivid_ext_bo_prepare(struct vivid_ext_bo *bo)
{
	int idx, ret = 0;

	if (!drm_dev_enter(bo->shmem.base.dev, &idx))
		return -ENODEV;
	if (!bo->dmabuf)
		ret = prepare_dumb(bo);
	drm_dev_exit(idx);
	return ret;
}

/* Imports. */

static void free_import(struct drm_gem_object *obj)
{
	struct vivid_ext_bo *bo = to_vivid_ext_bo(obj);

	forget(bo);
	if (!iosys_map_is_null(&bo->map))
		vdb_dma_buf_vunmap(bo->dmabuf, &bo->map);
	vfree(bo->shadow);
	dma_buf_put(bo->dmabuf);
	drm_gem_object_release(obj);
	kfree(bo);
}

/*
 * The dma-buf that it came from. Left to DRM it would be a new one, as soon as
 * the first handle is closed, and mapping that would give the exporter's
 * operations our object as their data.
 */
static struct dma_buf *export_import(struct drm_gem_object *obj, int flags)
{
	struct dma_buf *dmabuf = to_vivid_ext_bo(obj)->dmabuf;

	get_dma_buf(dmabuf);
	return dmabuf;
}

static const struct drm_gem_object_funcs import_funcs = {
	.free = free_import,
	.export = export_import,
	.mmap = vivid_ext_bo_mmap_import,
};

/* Maps for the display's DMA; on failure *stage says what did not work. */
static int map_import(struct vivid_ext_bo *bo, const char **stage)
{
	struct device *dev = bo_dev(bo);
	struct dma_buf_attachment *attach;
	struct vivid_ext_view *view;
	struct sg_table *sgt;
	int ret;

	*stage = "attach";
	attach = dma_buf_attach(bo->dmabuf, dev);
	if (IS_ERR(attach))
		return PTR_ERR(attach);

	*stage = "map";
	sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
	if (IS_ERR(sgt)) {
		ret = PTR_ERR(sgt);
		goto err_detach;
	}

	*stage = "view";
	view = vivid_ext_view_create(dev, sgt, bo->dmabuf->size, DMA_TO_DEVICE);
	if (IS_ERR(view)) {
		ret = PTR_ERR(view);
		goto err_unmap;
	}
	bo->attach = attach;
	bo->sgt = sgt;
	bo->view = view;
	return 0;

err_unmap:
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
err_detach:
	dma_buf_detach(bo->dmabuf, attach);
	return ret;
}

/* The memory that the CPU copies to, and the mapping that it copies from. */
static int map_fallback(struct vivid_ext_bo *bo)
{
	size_t size = bo->shmem.base.size;
	int ret;

	bo->shadow = __vmalloc(size, GFP_KERNEL_ACCOUNT | __GFP_ZERO |
			       __GFP_NOWARN);
	if (!bo->shadow)
		return -ENOMEM;
	ret = vdb_dma_buf_vmap(bo->dmabuf, &bo->map);
	if (ret)
		iosys_map_clear(&bo->map);
	return ret;
}

static int fall_back(struct vivid_ext_bo *bo, const char *stage, int error)
{
	struct vivid_ext_card *card = bo_card(bo);
	bool allowed = READ_ONCE(fallback);
	int ret;

	dev_info_ratelimited(bo_dev(bo),
			     "dma-buf %llu of %zu bytes from %s: %s for DMA failed with %d; %s\n",
			     (u64)file_inode(bo->dmabuf->file)->i_ino,
			     bo->dmabuf->size, bo->dmabuf->exp_name, stage,
			     error, allowed ? "the CPU will copy" : "refused");
	if (!allowed)
		return -EINVAL;
	ret = map_fallback(bo);
	if (ret)
		return ret;

	mutex_lock(&card->lock);
	bo->reason = vivid_ext_reason_find(card->reasons, stage, error);
	bo->reason->imports++;
	mutex_unlock(&card->lock);
	return 0;
}

/* These say nothing about the buffer: trying again may help, copying won't. */
static bool is_passing(int error)
{
	return error == -ENOMEM || error == -EINTR || error == -ERESTARTSYS;
}

static struct vivid_ext_bo *create_import(struct drm_device *drm,
					  struct dma_buf *dmabuf)
{
	struct vivid_ext_bo *bo = kzalloc(sizeof(*bo), GFP_KERNEL);

	if (!bo)
		return NULL;
	INIT_LIST_HEAD(&bo->node);
	drm_gem_private_object_init(drm, &bo->shmem.base,
				    PAGE_ALIGN(dmabuf->size));
	bo->shmem.base.funcs = &import_funcs;
	bo->shmem.base.resv = dmabuf->resv;
	bo->dmabuf = dmabuf;
	get_dma_buf(dmabuf);
	return bo;
}

/* By DMA or by CPU, the engine will get at it; then unbind must know it. */
static int connect_import(struct vivid_ext_bo *bo)
{
	struct vivid_ext_card *card = bo_card(bo);
	const char *stage;
	int idx, ret;

	if (!drm_dev_enter(&card->drm, &idx))
		return -ENODEV;
	get_dma(bo);
	ret = map_import(bo, &stage);
	if (ret)
		put_dma(bo);
	if (ret && !is_passing(ret))
		ret = fall_back(bo, stage, ret);
	if (!ret) {
		mutex_lock(&card->lock);
		list_add_tail(&bo->node, &card->bos);
		mutex_unlock(&card->lock);
	}
	drm_dev_exit(idx);
	return ret;
}

/**
 * vivid_ext_bo_import - import a dma-buf
 * @drm: the card
 * @dmabuf: the buffer, of any exporter
 *
 * Process context; for &drm_driver.gem_prime_import. Maps the buffer for DMA,
 * or falls back to copying; each is final for the object.
 *
 * Return: the object; -EINVAL if the buffer can't be read by DMA and the
 * fallback is switched off; -ENODEV if the device is unbound; -ENOMEM; or the
 * exporter's error where neither DMA nor the CPU can reach the buffer.
 */
struct drm_gem_object *vivid_ext_bo_import(struct drm_device *drm,
					   struct dma_buf *dmabuf)
{
	struct vivid_ext_card *card = card_of(drm);
	struct drm_gem_object *obj = dmabuf->priv;
	struct vivid_ext_bo *bo;
	int ret;

	if (dmabuf->ops == READ_ONCE(card->prime_ops) && obj->dev == drm) {
		drm_gem_object_get(obj);
		return obj;
	}

	bo = create_import(drm, dmabuf);
	if (!bo)
		return ERR_PTR(-ENOMEM);
	ret = connect_import(bo);
	if (ret) {
		drm_gem_object_put(&bo->shmem.base);
		return ERR_PTR(ret);
	}
	/* No import_attach: DRM needs none, and unbind takes ours away. */
	return &bo->shmem.base;
}

/* What the engine needs. */

/**
 * vivid_ext_bo_addr - where the engine finds a buffer's bytes
 * @bo: a buffer object that has been prepared
 *
 * Any context.
 *
 * Return: the address of its first byte.
 */
void *vivid_ext_bo_addr(struct vivid_ext_bo *bo)
{
	return bo->shadow ?: vivid_ext_view_addr(bo->view);
}

/**
 * vivid_ext_bo_refresh - copy a buffer that DMA can't read
 * @bo: any buffer object
 *
 * Process context, no locks held: the exporter may sleep in it.
 *
 * Return: 1 if it was copied, 0 if that isn't needed, or the exporter's error.
 */
int vivid_ext_bo_refresh(struct vivid_ext_bo *bo)
{
	struct vivid_ext_card *card = bo_card(bo);
	int ret;

	if (!bo->reason)
		return 0;
	ret = dma_buf_begin_cpu_access(bo->dmabuf, DMA_FROM_DEVICE);
	if (ret)
		return ret;
	iosys_map_memcpy_from(bo->shadow, &bo->map, 0, bo->shmem.base.size);
	ret = dma_buf_end_cpu_access(bo->dmabuf, DMA_FROM_DEVICE);
	if (ret)
		return ret;

	mutex_lock(&card->lock);
	bo->reason->frames++;
	mutex_unlock(&card->lock);
	return 1;
}

/**
 * vivid_ext_bo_begin - the engine is about to read a buffer
 * @bo: a buffer object that has been prepared
 *
 * Any context. User space doesn't say when it draws in a dumb buffer, so what
 * the CPU wrote there is made visible to the device before each reading.
 *
 * Return: 0, or -EFAULT if the bus doesn't let the device read it.
 */
int vivid_ext_bo_begin(struct vivid_ext_bo *bo)
{
	if (!bo->view)
		return 0;
	if (!bo->dmabuf)
		dma_sync_sgtable_for_device(bo_dev(bo), bo->sgt, DMA_TO_DEVICE);
	return vivid_ext_view_begin(bo->view, DMA_TO_DEVICE);
}

/**
 * vivid_ext_bo_end - the engine has read a buffer
 * @bo: a buffer object; vivid_ext_bo_begin() has succeeded
 *
 * Any context.
 */
void vivid_ext_bo_end(struct vivid_ext_bo *bo)
{
	if (bo->view)
		vivid_ext_view_end(bo->view, DMA_TO_DEVICE);
}

/**
 * vivid_ext_bo_release_all - take all memory away from the device
 * @card: the card, unplugged, its engine stopped
 *
 * Process context, at unbind. The objects live on, unmapped, as long as user
 * space keeps them.
 */
void vivid_ext_bo_release_all(struct vivid_ext_card *card)
{
	struct vivid_ext_bo *bo;

	mutex_lock(&card->lock);
	list_for_each_entry(bo, &card->bos, node)
		release_dma(bo);
	mutex_unlock(&card->lock);
}

/**
 * vivid_ext_bo_show_all - describe the imported buffers
 * @card: the card
 * @m: where to
 *
 * Process context. For each import a line with its identity and size, and if
 * DMA reads it, a line with its pages as the device's addresses lead to them.
 */
void vivid_ext_bo_show_all(struct vivid_ext_card *card,
			   struct seq_file *m)
{
	struct vivid_ext_bo *bo;

	mutex_lock(&card->lock);
	list_for_each_entry(bo, &card->bos, node) {
		if (!bo->dmabuf)
			continue;
		seq_printf(m, "framebuffer inode=%llu size=%zu exporter=%s source=%s\n",
			   (u64)file_inode(bo->dmabuf->file)->i_ino,
			   bo->dmabuf->size, bo->dmabuf->exp_name,
			   bo->reason ? "fallback" : "zero-copy");
		if (!bo->view)
			continue;
		seq_puts(m, "pages: ");
		vivid_ext_view_show_pages(bo->view, m);
	}
	mutex_unlock(&card->lock);
}
