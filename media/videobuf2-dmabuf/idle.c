// SPDX-License-Identifier: GPL-2.0-only
/*
 * Imports that no plane uses, and when they go. Each keeps memory from being
 * freed, so it is dropped
 * - when nobody else has its dma-buf any more, a moment later;
 * - when its queue stops, or does without it for some seconds;
 * - with the queue's buffers (VIDIOC_REQBUFS, VIDIOC_REMOVE_BUFS, close);
 * - when its device loses its driver;
 * - the longest idle first, when too many are idle, or too many bytes, or
 *   memory is short;
 * - when the device can't map another dma-buf as long as it is there.
 *
 * Nobody tells an importer that it is the last to have a dma-buf; the count of
 * the file's references does. Nothing but the time of a drop depends on it:
 * what goes too early is mapped again.
 */
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/workqueue.h>
#include <media/videobuf2-core.h>

#include "cache.h"
#include "internal.h"

/* How many of those that were idle longest a queue's miss looks at. */
#define GLANCE 16

/*
 * A queue has up to 64 buffers of some planes, so there is room for several
 * pools that are larger. The bytes have other users as a rule, and then cost
 * nothing; what they can cost until somebody has looked is a quarter of all.
 */
static struct vdb_cache_limits limits = {
	.number = 1024,
	.period = HZ / 4,
	.kept = 30 * HZ,
};

/* Under vdb_cache_lock. */
static LIST_HEAD(idle);
static LIST_HEAD(doomed);
static unsigned int nr_idle;
static u64 bytes_idle;

/* Held while the doomed are unmapped: to have it is to know that they are. */
static DEFINE_MUTEX(reap_lock);
static struct workqueue_struct *wq;
struct shrinker *vdb_cache_shrinker;
EXPORT_SYMBOL_VDB_KUNIT(vdb_cache_shrinker);

static void tick(struct work_struct *work);
static DECLARE_DELAYED_WORK(tick_work, tick);

static void count_idle(struct vdb_import *import, int n)
{
	s64 bytes = n * (s64)import->dbuf->size;

	lockdep_assert_held(&vdb_cache_lock);
	nr_idle += n;
	bytes_idle += bytes;
	vdb_stat_add(VDB_IMPORTS_IDLE, n);
	vdb_stat_add(VDB_IMPORT_BYTES_IDLE, bytes);
}

/* It stays among the imports until it is unmapped: its reference counts. */
static void doom(struct vdb_import *import)
{
	count_idle(import, -1);
	import->doomed = true;
	list_move_tail(&import->lru, &doomed);
}

static struct vdb_import *next_doomed(void)
{
	struct vdb_import *import;

	spin_lock(&vdb_cache_lock);
	import = list_first_entry_or_null(&doomed, struct vdb_import, lru);
	if (import)
		list_del(&import->lru);
	spin_unlock(&vdb_cache_lock);
	return import;
}

/**
 * vdb_idle_reap - unmap all that is doomed
 *
 * Whoever returns from here knows that what it has doomed is gone.
 *
 * Context: process; may sleep; takes the reservation locks of dma-bufs.
 */
void vdb_idle_reap(void)
{
	struct vdb_import *import;

	mutex_lock(&reap_lock);
	while ((import = next_doomed()))
		vdb_import_drop(import);
	mutex_unlock(&reap_lock);
}

/*
 * Seen twice: who stops only to start again, as decoders do to seek, finds all
 * as it was. A queue without planes may be gone.
 */
static bool has_stopped(struct vdb_cache *cache, unsigned long now)
{
	/* Its lock is not ours to take: what is seen too late is seen next. */
	if (cache->planes && data_race(vb2_is_streaming(cache->queue))) {
		cache->stopped = 0;
		return false;
	}
	if (!cache->stopped)
		cache->stopped = now;
	return time_after(now, cache->stopped);
}

static bool must_go(struct vdb_import *import, unsigned long now)
{
	return vdb_import_is_lost(import) || has_stopped(import->cache, now) ||
	       time_after_eq(now, import->since + limits.kept);
}

/* Several times a second, as long as anything is idle. */
static void arm(void)
{
	if (!list_empty(&idle))
		queue_delayed_work(wq, &tick_work, limits.period);
}

/**
 * vdb_cache_sweep - look at all that is idle, and drop what must go
 * @now: in jiffies
 *
 * Context: process; may sleep; takes the reservation locks of dma-bufs.
 */
void vdb_cache_sweep(unsigned long now)
{
	struct vdb_import *import, *next;

	spin_lock(&vdb_cache_lock);
	list_for_each_entry_safe(import, next, &idle, lru)
		if (must_go(import, now))
			doom(import);
	arm();
	spin_unlock(&vdb_cache_lock);
	vdb_idle_reap();
}
EXPORT_SYMBOL_VDB_KUNIT(vdb_cache_sweep);

static void tick(struct work_struct *work)
{
	vdb_cache_sweep(jiffies);
}

/**
 * vdb_idle_doom - what is idle has to go
 * @cache: what this one has, or NULL
 * @dev: what this device has mapped, or NULL
 *
 * Context: vdb_cache_lock held; vdb_idle_reap() to follow.
 * Return: whether there was any.
 */
bool vdb_idle_doom(const struct vdb_cache *cache, const struct device *dev)
{
	struct vdb_import *import, *next;
	bool any = false;

	lockdep_assert_held(&vdb_cache_lock);
	list_for_each_entry_safe(import, next, &idle, lru) {
		if ((cache && import->cache != cache) ||
		    (dev && import->cache->dev != dev))
			continue;
		doom(import);
		any = true;
	}
	return any;
}

/**
 * vdb_cache_make_room - drop a device's idle attachments
 * @dev: the device, which can't map another dma-buf; NULL for all
 *
 * Context: process; may sleep; takes the reservation locks of dma-bufs.
 * Return: whether there were any.
 */
bool vdb_cache_make_room(struct device *dev)
{
	bool any;

	spin_lock(&vdb_cache_lock);
	any = vdb_idle_doom(NULL, dev);
	spin_unlock(&vdb_cache_lock);
	vdb_idle_reap();
	return any;
}
EXPORT_SYMBOL_VDB_KUNIT(vdb_cache_make_room);

/**
 * vdb_idle_doom_lost - something new takes memory: is there some to be had?
 *
 * Context: vdb_cache_lock held; vdb_idle_reap() to follow.
 * Return: whether there was any.
 */
bool vdb_idle_doom_lost(void)
{
	struct vdb_import *import, *next;
	unsigned int looks = 0;
	bool any = false;

	list_for_each_entry_safe(import, next, &idle, lru) {
		if (looks++ == GLANCE)
			break;
		if (!vdb_import_is_lost(import))
			continue;
		doom(import);
		any = true;
	}
	return any;
}

/**
 * vdb_idle_del - an import is used again
 * @import: the import; it is idle
 *
 * Context: vdb_cache_lock held.
 */
void vdb_idle_del(struct vdb_import *import)
{
	list_del(&import->lru);
	count_idle(import, -1);
}

/**
 * vdb_idle_doomed - whether something is to be unmapped
 *
 * Context: vdb_cache_lock held.
 * Return: whether there is.
 */
bool vdb_idle_doomed(void)
{
	return !list_empty(&doomed);
}

/**
 * vdb_idle_add - nobody uses an import any more
 * @import: the import; it was used last, others may have to go for it
 *
 * Context: vdb_cache_lock held; vdb_idle_reap() to follow where
 * vdb_idle_doomed().
 */
void vdb_idle_add(struct vdb_import *import)
{
	import->since = jiffies;
	list_add_tail(&import->lru, &idle);
	count_idle(import, 1);
	if (import->cache->unbound)
		doom(import);
	while (nr_idle > limits.number || bytes_idle > limits.bytes)
		doom(list_first_entry(&idle, struct vdb_import, lru));
	arm();
}

/**
 * vdb_cache_count - how much can be dropped when memory is short
 *
 * Context: any but hard interrupt.
 * Return: in pages.
 */
unsigned long vdb_cache_count(void)
{
	unsigned long pages;

	spin_lock(&vdb_cache_lock);
	pages = bytes_idle >> PAGE_SHIFT;
	spin_unlock(&vdb_cache_lock);
	return pages;
}
EXPORT_SYMBOL_VDB_KUNIT(vdb_cache_count);

/**
 * vdb_cache_scan - memory is short: drop what is idle longest
 * @pages: so many at least, where there are
 *
 * Not here, but in a moment: an exporter's locks may be held by who asks.
 *
 * Context: any but hard interrupt.
 * Return: how many pages go.
 */
unsigned long vdb_cache_scan(unsigned long pages)
{
	struct vdb_import *import, *next;
	unsigned long going = 0;

	spin_lock(&vdb_cache_lock);
	list_for_each_entry_safe(import, next, &idle, lru) {
		if (going >= pages)
			break;
		going += import->dbuf->size >> PAGE_SHIFT;
		doom(import);
	}
	if (going)
		mod_delayed_work(wq, &tick_work, 0);
	spin_unlock(&vdb_cache_lock);
	return going;
}
EXPORT_SYMBOL_VDB_KUNIT(vdb_cache_scan);

static unsigned long count(struct shrinker *s, struct shrink_control *sc)
{
	return vdb_cache_count();
}

static unsigned long scan(struct shrinker *s, struct shrink_control *sc)
{
	return vdb_cache_scan(sc->nr_to_scan) ?: SHRINK_STOP;
}

/**
 * vdb_cache_set_limits - say how much may be idle, and for how long
 * @new: the limits; gets the old ones
 *
 * From now on: what is idle stays, and is looked at after a period.
 *
 * Context: process; may sleep.
 */
void vdb_cache_set_limits(struct vdb_cache_limits *new)
{
	cancel_delayed_work_sync(&tick_work);
	spin_lock(&vdb_cache_lock);
	swap(limits, *new);
	arm();
	spin_unlock(&vdb_cache_lock);
}
EXPORT_SYMBOL_VDB_KUNIT(vdb_cache_set_limits);

/**
 * vdb_idle_init - begin to look at what is idle
 *
 * Return: 0 or -ENOMEM.
 */
int vdb_idle_init(void)
{
	limits.bytes = (u64)totalram_pages() << PAGE_SHIFT >> 2;
	/* What is doomed because memory is short must not wait for memory. */
	wq = alloc_workqueue("videobuf2-dmabuf", WQ_UNBOUND | WQ_MEM_RECLAIM,
			     1);
	if (!wq)
		return -ENOMEM;
	vdb_cache_shrinker = vdb_shrinker_register("videobuf2-dmabuf", count,
						   scan);
	if (!vdb_cache_shrinker) {
		destroy_workqueue(wq);
		return -ENOMEM;
	}
	return 0;
}

/**
 * vdb_idle_exit - undo vdb_idle_init()
 *
 * Context: process; may sleep; nothing becomes idle any more.
 */
void vdb_idle_exit(void)
{
	vdb_shrinker_unregister(vdb_cache_shrinker);
	cancel_delayed_work_sync(&tick_work);
	destroy_workqueue(wq);
}
