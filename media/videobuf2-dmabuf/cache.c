// SPDX-License-Identifier: GPL-2.0-only
/*
 * A queue's attachments to imported dma-bufs, shared by its planes and kept
 * for a while: applications seldom give a dma-buf the same index each time,
 * and to map it again costs page tables, cache maintenance or a bounce buffer.
 *
 * vb2 serialises what is done to a queue (vb2_queue.lock), and with it all but
 * the list of caches. An attachment is dropped when nobody but the cache has a
 * reference to its dma-buf, when too many are idle, or with the queue's last
 * imported plane (VIDIOC_REQBUFS, close, unbind).
 */
#include <linux/fs.h>
#include <linux/slab.h>

#include "internal.h"

/* As many as a queue had buffers for the first twenty years. */
#define IDLE_MAX 32

/**
 * struct vdb_cache - the attachments of one queue
 * @node: in the list of all caches
 * @queue: which queue's
 * @planes: imported planes that refer to it
 * @imports: struct vdb_import, the longest idle first
 * @idle: how many of them have no user
 */
struct vdb_cache {
	struct list_head node;
	struct vb2_queue *queue;
	unsigned int planes;
	struct list_head imports;
	unsigned int idle;
};

/**
 * struct vdb_import - an attachment that is mapped
 * @node: in vdb_cache.imports
 * @cache: where it is kept
 * @dbuf: the dma-buf, with a reference
 * @dev: the device
 * @dir: how it is mapped
 * @att: the attachment
 * @sgt: the mapping
 * @users: planes that use it
 */
struct vdb_import {
	struct list_head node;
	struct vdb_cache *cache;
	struct dma_buf *dbuf;
	struct device *dev;
	enum dma_data_direction dir;
	struct dma_buf_attachment *att;
	struct sg_table *sgt;
	unsigned int users;
};

static LIST_HEAD(caches);
static DEFINE_MUTEX(caches_lock);

/**
 * vdb_cache_get - a plane of a queue imports
 * @queue: the queue
 *
 * Context: process; may sleep; the queue's lock held.
 * Return: the queue's cache, for vdb_cache_put(), or NULL without memory.
 */
struct vdb_cache *vdb_cache_get(struct vb2_queue *queue)
{
	struct vdb_cache *cache;

	mutex_lock(&caches_lock);
	list_for_each_entry(cache, &caches, node)
		if (cache->queue == queue)
			goto found;
	cache = kzalloc(sizeof(*cache), GFP_KERNEL);
	if (!cache)
		goto unlock;
	cache->queue = queue;
	INIT_LIST_HEAD(&cache->imports);
	list_add(&cache->node, &caches);
found:
	cache->planes++;
unlock:
	mutex_unlock(&caches_lock);
	return cache;
}
EXPORT_SYMBOL_VDB_KUNIT(vdb_cache_get);

static void drop(struct vdb_import *import)
{
	list_del(&import->node);
	import->cache->idle--;
	vdb_stat_add(VDB_IMPORTS_IDLE, -1);
	dma_buf_unmap_attachment_unlocked(import->att, import->sgt,
					  import->dir);
	dma_buf_detach(import->dbuf, import->att);
	dma_buf_put(import->dbuf);
	kfree(import);
}

static void drop_idle(struct vdb_cache *cache, bool all)
{
	struct vdb_import *import, *next;

	list_for_each_entry_safe(import, next, &cache->imports, node) {
		/* The one reference left is ours: it can't come back. */
		bool lost = file_count(import->dbuf->file) == 1;

		if (!import->users &&
		    (all || lost || cache->idle > IDLE_MAX))
			drop(import);
	}
}

/**
 * vdb_cache_put - undo vdb_cache_get(); the last one drops all attachments
 * @cache: the cache; its users are gone
 *
 * Context: process; may sleep; the queue's lock held; takes the reservation
 * locks of dma-bufs.
 */
void vdb_cache_put(struct vdb_cache *cache)
{
	bool last;

	mutex_lock(&caches_lock);
	last = !--cache->planes;
	if (last)
		list_del(&cache->node);
	mutex_unlock(&caches_lock);
	if (!last)
		return;
	drop_idle(cache, true);
	kfree(cache);
}
EXPORT_SYMBOL_VDB_KUNIT(vdb_cache_put);

/**
 * vdb_cache_idle - how many attachments have no user
 * @cache: the cache
 *
 * Return: their number.
 */
unsigned int vdb_cache_idle(struct vdb_cache *cache)
{
	return cache->idle;
}
EXPORT_SYMBOL_VDB_KUNIT(vdb_cache_idle);

static void use(struct vdb_plane *plane, struct vdb_import *import)
{
	plane->import = import;
	plane->att = import->att;
	plane->sgt = import->sgt;
	import->users++;
}

/**
 * vdb_cache_find - use an attachment that is there
 * @cache: the cache of the plane's queue
 * @plane: dbuf, dev and dir say which; import, att and sgt are set
 *
 * Context: process; may sleep; the queue's lock held.
 * Return: whether there is one.
 */
bool vdb_cache_find(struct vdb_cache *cache, struct vdb_plane *plane)
{
	struct vdb_import *import;

	drop_idle(cache, false);
	list_for_each_entry(import, &cache->imports, node) {
		if (import->dbuf != plane->dbuf || import->dev != plane->dev ||
		    import->dir != plane->dir)
			continue;
		if (!import->users) {
			cache->idle--;
			vdb_stat_add(VDB_IMPORTS_IDLE, -1);
		}
		use(plane, import);
		vdb_stat_add(VDB_IMPORT_HITS, 1);
		return true;
	}
	return false;
}

/**
 * vdb_cache_add - keep the attachment of a plane
 * @cache: the cache of the plane's queue
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
	import->dev = plane->dev;
	import->dir = plane->dir;
	import->att = plane->att;
	import->sgt = plane->sgt;
	list_add_tail(&import->node, &cache->imports);
	use(plane, import);
}

/**
 * vdb_cache_release - a plane does not use its attachment any more
 * @plane: import is set; import, att and sgt are cleared
 *
 * Context: process; may sleep; the queue's lock held.
 */
void vdb_cache_release(struct vdb_plane *plane)
{
	struct vdb_import *import = plane->import;

	plane->import = NULL;
	plane->att = NULL;
	plane->sgt = NULL;
	if (--import->users)
		return;
	list_move_tail(&import->node, &import->cache->imports);
	import->cache->idle++;
	vdb_stat_add(VDB_IMPORTS_IDLE, 1);
	drop_idle(import->cache, false);
}
