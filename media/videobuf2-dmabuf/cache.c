// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attachments to imported dma-bufs, shared by the planes of a queue and kept
 * mapped while none uses them: applications seldom give a dma-buf the same
 * index each time, and to map it again costs page tables, cache maintenance or
 * a bounce buffer. idle.c tells for how long.
 *
 * vb2 does not have a place for an allocator's own in a queue, or tell it when
 * a queue goes. A queue is found by its address, therefore, and what a QBUF
 * that failed leaves behind goes by time, or with the device's driver, whatever
 * comes first.
 *
 * Lock order: vb2_queue.lock, device_lock() > reap_lock > dma_resv;
 * vdb_cache_lock innermost.
 */
#include <linux/device.h>
#include <linux/fs.h>
#include <linux/hashtable.h>
#include <linux/slab.h>
#include <linux/wait_bit.h>

#include "cache.h"
#include "internal.h"

/* What is in both, and what is idle, is under vdb_cache_lock. */
static DEFINE_HASHTABLE(caches, 6);
static DEFINE_HASHTABLE(imports, 8);
DEFINE_SPINLOCK(vdb_cache_lock);

static atomic_t nr_caches;

static void free_cache(struct kref *kref)
{
	struct vdb_cache *cache = container_of(kref, struct vdb_cache, kref);

	put_device(cache->dev);
	kfree(cache);
	if (atomic_dec_and_test(&nr_caches))
		wake_up_var(&nr_caches);
}

/* vdb_cache_lock held: false as long as there are others. */
static bool unref(struct vdb_cache *cache)
{
	if (--cache->refs)
		return false;
	hash_del(&cache->node);
	return true;
}

static int is_resource_of(struct device *dev, void *res, void *cache)
{
	return *(struct vdb_cache **)res == cache;
}

static void unbound(struct device *dev, void *res);

/* After unref(); where the driver just goes the resource has a life left. */
static void put_cache(struct vdb_cache *cache)
{
	if (cache->managed &&
	    !devres_destroy(cache->dev, unbound, is_resource_of, cache))
		kref_put(&cache->kref, free_cache);
	kref_put(&cache->kref, free_cache);
}

/**
 * vdb_import_drop - unmap an import, and forget it
 * @import: it is doomed, and in no list
 *
 * Context: process; may sleep; takes the dma-buf's reservation lock.
 */
void vdb_import_drop(struct vdb_import *import)
{
	struct vdb_cache *cache = import->cache;
	bool last;

	dma_buf_unmap_attachment_unlocked(import->att, import->sgt,
					  import->dir);
	dma_buf_detach(import->dbuf, import->att);

	spin_lock(&vdb_cache_lock);
	hash_del(&import->node);
	last = unref(cache);
	spin_unlock(&vdb_cache_lock);
	dma_buf_put(import->dbuf);
	kfree(import);
	if (last)
		put_cache(cache);
}

/**
 * vdb_import_is_lost - whether nobody but the cache has its dma-buf any more
 * @import: the import; it has no users
 *
 * No file descriptor, mapping or other importer: all references are those of
 * imports. Where a plane uses one of them vb2 has another.
 *
 * Context: vdb_cache_lock held.
 * Return: whether it is lost.
 */
bool vdb_import_is_lost(const struct vdb_import *import)
{
	const struct dma_buf *dbuf = import->dbuf;
	const struct vdb_import *other;
	unsigned long ours = 0;

	hash_for_each_possible(imports, other, node, (unsigned long)dbuf)
		ours += other->dbuf == dbuf;
	return file_count(dbuf->file) <= ours;
}

/* The device loses its driver: what it has mapped can't stay. */
static void unbound(struct device *dev, void *res)
{
	struct vdb_cache *cache = *(struct vdb_cache **)res;

	spin_lock(&vdb_cache_lock);
	cache->unbound = true;
	vdb_idle_doom(cache, NULL);
	spin_unlock(&vdb_cache_lock);
	vdb_idle_reap();
	kref_put(&cache->kref, free_cache);
}

/* No driver, nothing to lose; and a resource would keep the next one out. */
static int manage(struct vdb_cache *cache)
{
	struct vdb_cache **res;

	if (!cache->dev->driver)
		return 0;
	res = devres_alloc(unbound, sizeof(*res), GFP_KERNEL);
	if (!res)
		return -ENOMEM;
	*res = cache;
	kref_get(&cache->kref);
	cache->managed = true;
	devres_add(cache->dev, res);
	return 0;
}

static struct vdb_cache *create(struct vb2_queue *queue, struct device *dev)
{
	struct vdb_cache *cache = kzalloc(sizeof(*cache), GFP_KERNEL);

	if (!cache)
		return NULL;
	atomic_inc(&nr_caches);
	kref_init(&cache->kref);
	cache->queue = queue;
	cache->dev = get_device(dev);
	cache->planes = 1;
	cache->refs = 1;
	if (manage(cache)) {
		kref_put(&cache->kref, free_cache);
		return NULL;
	}
	spin_lock(&vdb_cache_lock);
	hash_add(caches, &cache->node, (unsigned long)queue);
	spin_unlock(&vdb_cache_lock);
	return cache;
}

/**
 * vdb_cache_get - a plane of a queue imports
 * @queue: the queue
 * @dev: the plane's device
 *
 * Context: process; may sleep; the queue's lock held.
 * Return: the cache of both, for vdb_cache_put(), or NULL without memory.
 */
struct vdb_cache *vdb_cache_get(struct vb2_queue *queue, struct device *dev)
{
	struct vdb_cache *cache;

	spin_lock(&vdb_cache_lock);
	hash_for_each_possible(caches, cache, node, (unsigned long)queue) {
		if (cache->queue != queue || cache->dev != dev)
			continue;
		cache->planes++;
		cache->refs++;
		spin_unlock(&vdb_cache_lock);
		return cache;
	}
	spin_unlock(&vdb_cache_lock);
	return create(queue, dev);
}
EXPORT_SYMBOL_VDB_KUNIT(vdb_cache_get);

/**
 * vdb_cache_put - undo vdb_cache_get()
 * @cache: the cache; the plane does not use it any more
 * @replaced: its buffer gets another dma-buf now, or should have; if not, all
 *	that is idle goes, as the queue may be about to
 *
 * Context: process; may sleep; the queue's lock held; takes the reservation
 * locks of dma-bufs.
 */
void vdb_cache_put(struct vdb_cache *cache, bool replaced)
{
	bool last;

	spin_lock(&vdb_cache_lock);
	if (!replaced)
		vdb_idle_doom(cache, NULL);
	cache->planes--;
	last = unref(cache);
	spin_unlock(&vdb_cache_lock);
	if (last)
		put_cache(cache);
	/* Also what others have doomed a moment ago, and are at. */
	if (!replaced)
		vdb_idle_reap();
}
EXPORT_SYMBOL_VDB_KUNIT(vdb_cache_put);

static void use(struct vdb_plane *plane, struct vdb_import *import)
{
	plane->import = import;
	plane->att = import->att;
	plane->sgt = import->sgt;
	import->users++;
}

static struct vdb_import *find(struct vdb_cache *cache, struct vdb_plane *plane)
{
	struct vdb_import *import;

	hash_for_each_possible(imports, import, node,
			       (unsigned long)plane->dbuf)
		if (import->dbuf == plane->dbuf && import->cache == cache &&
		    import->dir == plane->dir && !import->doomed)
			return import;
	return NULL;
}

/**
 * vdb_cache_find - use an attachment that is there
 * @cache: the cache of the plane's queue and device
 * @plane: dbuf and dir say which; import, att and sgt are set
 *
 * Context: process; may sleep; the queue's lock held; takes the reservation
 * locks of dma-bufs.
 * Return: whether there is one.
 */
bool vdb_cache_find(struct vdb_cache *cache, struct vdb_plane *plane)
{
	struct vdb_import *import;
	bool any = false;

	spin_lock(&vdb_cache_lock);
	import = find(cache, plane);
	if (import && !import->users)
		vdb_idle_del(import);
	if (import)
		use(plane, import);
	else
		any = vdb_idle_doom_lost();
	spin_unlock(&vdb_cache_lock);
	if (any)
		vdb_idle_reap();
	if (import)
		vdb_stat_add(VDB_IMPORT_HITS, 1);
	return import;
}

/**
 * vdb_cache_add - keep the attachment of a plane
 * @cache: the cache of the plane's queue and device
 * @plane: is attached and mapped; import is set, or left alone where there is
 *	no memory for it, and then the plane does without
 *
 * Context: process; may sleep; the queue's lock held.
 */
void vdb_cache_add(struct vdb_cache *cache, struct vdb_plane *plane)
{
	struct vdb_import *import = kzalloc(sizeof(*import), GFP_KERNEL);

	if (!import)
		return;
	import->cache = cache;
	import->dbuf = plane->dbuf;
	get_dma_buf(import->dbuf);
	import->dir = plane->dir;
	import->att = plane->att;
	import->sgt = plane->sgt;
	use(plane, import);

	spin_lock(&vdb_cache_lock);
	cache->refs++;
	hash_add(imports, &import->node, (unsigned long)import->dbuf);
	spin_unlock(&vdb_cache_lock);
}

/**
 * vdb_cache_release - a plane does not use its attachment any more
 * @plane: import is set; import, att and sgt are cleared
 *
 * Context: process; may sleep; the queue's lock held; takes the reservation
 * locks of dma-bufs.
 */
void vdb_cache_release(struct vdb_plane *plane)
{
	struct vdb_import *import = plane->import;
	bool any;

	plane->import = NULL;
	plane->att = NULL;
	plane->sgt = NULL;
	spin_lock(&vdb_cache_lock);
	if (!--import->users)
		vdb_idle_add(import);
	any = vdb_idle_doomed();
	spin_unlock(&vdb_cache_lock);
	if (any)
		vdb_idle_reap();
}

/**
 * vdb_cache_exit - drop all that is idle; no queue is left
 *
 * Context: process; may sleep; takes the reservation locks of dma-bufs.
 */
void vdb_cache_exit(void)
{
	vdb_cache_make_room(NULL);
	/* A device that another module drives may be losing it just now. */
	wait_var_event(&nr_caches, !atomic_read(&nr_caches));
}
