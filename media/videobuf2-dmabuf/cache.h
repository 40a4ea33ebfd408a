/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the two halves of the cache of imports know of each other: cache.c has
 * them all, idle.c those that nobody uses.
 */
#ifndef VDB_CACHE_H
#define VDB_CACHE_H

#include <linux/dma-buf.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/spinlock.h>

struct vb2_queue;

/**
 * struct vdb_cache - the attachments of a queue's planes with one device
 * @node: in the table of caches
 * @kref: one for @refs, one for @dev's resource
 * @queue: which queue's; valid only while there are @planes
 * @dev: the device, with a reference
 * @managed: @dev has a resource that tells when it loses its driver
 * @unbound: it has lost it: nothing becomes idle any more
 * @refs: @planes and imports
 * @planes: imported planes that refer to it
 * @stopped: when the queue was first seen not to stream, in jiffies; or 0
 */
struct vdb_cache {
	struct hlist_node node;
	struct kref kref;
	struct vb2_queue *queue;
	struct device *dev;
	bool managed;
	bool unbound;
	unsigned int refs;
	unsigned int planes;
	unsigned long stopped;
};

/**
 * struct vdb_import - an attachment that is mapped
 * @node: in the table of imports, until it is unmapped
 * @lru: while it has no users: among the idle, the longest idle first, or the
 *	doomed
 * @cache: whose it is
 * @dbuf: the dma-buf, with a reference
 * @dir: how it is mapped
 * @att: the attachment
 * @sgt: the mapping
 * @users: planes that use it
 * @doomed: it is to be unmapped, and not found any more
 * @since: when it became idle, in jiffies
 */
struct vdb_import {
	struct hlist_node node;
	struct list_head lru;
	struct vdb_cache *cache;
	struct dma_buf *dbuf;
	enum dma_data_direction dir;
	struct dma_buf_attachment *att;
	struct sg_table *sgt;
	unsigned int users;
	bool doomed;
	unsigned long since;
};

/* Of all that is in the cache. */
extern spinlock_t vdb_cache_lock;

/* cache.c */
bool vdb_import_is_lost(const struct vdb_import *import);
void vdb_import_drop(struct vdb_import *import);

/* idle.c; all but the last with the lock held */
void vdb_idle_add(struct vdb_import *import);
void vdb_idle_del(struct vdb_import *import);
bool vdb_idle_doom(const struct vdb_cache *cache, const struct device *dev);
bool vdb_idle_doom_lost(void);
bool vdb_idle_doomed(void);
void vdb_idle_reap(void);

#endif
