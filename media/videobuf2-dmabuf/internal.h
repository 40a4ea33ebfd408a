/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of the allocator know of each other.
 */
#ifndef VDB_INTERNAL_H
#define VDB_INTERNAL_H

#include <linux/bits.h>
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/export.h>
#include <linux/iosys-map.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/scatterlist.h>
#include <linux/spinlock.h>

#include "protocol.h"

/**
 * DOC: parts
 *
 * memops -> frame, exporter, importer -> cache, mapping -> coherency ->
 * protocol -> engine; coherency -> views, sync, merge, shootdown; storage and
 * stats by all.
 */

/**
 * DOC: locking
 *
 * Each lock is taken before those that stand behind it:
 *
 * vb2_queue.lock > mmap_lock > vb2_queue.mmap_lock > dma_resv >
 * vdb_buffer.lock > i_mmap_rwsem > vdb_buffer.state_lock
 *
 * &vdb_buffer.lock is held for all that happens to a buffer but the end of a
 * frame; who holds it may sleep. &vdb_buffer.state_lock is the innermost. It is
 * taken with interrupts off, because vb2 may finish a buffer in hard interrupt
 * context.
 */

/* What coherency is tracked by: 64 KiB with 4 KiB pages. */
#define VDB_CHUNK_ORDER 4
#define VDB_CHUNK_PAGES BIT(VDB_CHUNK_ORDER)
#define VDB_CHUNK_SIZE (PAGE_SIZE << VDB_CHUNK_ORDER)

/* So much is synchronised before interrupts are let in: 256 KiB. */
#define VDB_PIECE_CHUNKS 4U

/**
 * struct vdb_storage - the pages of a buffer
 * @pages: all of them, in the buffer's order
 * @nr_pages: how many
 * @dma_dev: set where they came by way of the DMA API, of a contiguous area:
 *	a device of the storage's own, which takes them back
 * @dma_addr: their address for it
 */
struct vdb_storage {
	struct page **pages;
	unsigned int nr_pages;
	struct device *dma_dev;
	dma_addr_t dma_addr;
};

/**
 * enum vdb_view_kind - through what a device sees a buffer's bytes
 * @VDB_VIEW_CPU: as the CPU does; nothing to synchronise
 * @VDB_VIEW_MEMORY: as they are in memory, past the CPU's caches; the same for
 *	all devices of this kind
 * @VDB_VIEW_PRIVATE: in a copy of its own (a bounce buffer)
 *
 * Each is farther from the CPU than the one before.
 */
enum vdb_view_kind {
	VDB_VIEW_CPU,
	VDB_VIEW_MEMORY,
	VDB_VIEW_PRIVATE,
};

/**
 * enum vdb_policy - how processes' mappings are kept coherent
 * @VDB_POLICY_AUTO: not at all where devices are coherent, else by shoot-down
 * @VDB_POLICY_SHOOTDOWN: by shoot-down in any case
 * @VDB_POLICY_EXPLICIT: by the application, with DMA_BUF_IOCTL_SYNC
 * @VDB_POLICY_WRITECOMBINE: by not caching
 */
enum vdb_policy {
	VDB_POLICY_AUTO,
	VDB_POLICY_SHOOTDOWN,
	VDB_POLICY_EXPLICIT,
	VDB_POLICY_WRITECOMBINE,
};

/**
 * struct vdb_run - bytes that lie in a row in memory and for a device
 * @offset: of the first in the buffer
 * @addr: where the device finds it
 */
struct vdb_run {
	size_t offset;
	dma_addr_t addr;
};

/**
 * struct vdb_attachment - a device that may use a buffer
 * @node: in vdb_buffer.attachments
 * @buf: the buffer
 * @dev: the device
 * @sgt: the buffer's pages within the limits of the device; made by the first
 *	map and kept
 * @maps: how often it is mapped now; changed under lock and state_lock
 * @asked: the direction that the importer has asked for
 * @dir: what the device may do to it; DMA_NONE where it is not mapped
 * @dma_dir: the direction that the DMA API was told
 * @kind: how the device sees the bytes while mapped
 * @view: the engine's number of this view
 * @runs: while mapped, what can be synchronised in one go, by offset
 * @nr_runs: how many
 * @tracked: its queue is one of ours and tells what the device does; others
 *	may write at any time while mapped with a direction that allows it
 * @writing: how often its queue has given it the buffer to write, and not got
 *	it back
 */
struct vdb_attachment {
	struct list_head node;
	struct vdb_buffer *buf;
	struct device *dev;
	struct sg_table sgt;
	unsigned int maps;
	enum dma_data_direction asked;
	enum dma_data_direction dir;
	enum dma_data_direction dma_dir;
	enum vdb_view_kind kind;
	unsigned int view;
	struct vdb_run *runs;
	unsigned int nr_runs;
	bool tracked;
	unsigned int writing;
};

/**
 * struct vdb_buffer - a buffer that we export
 * @dbuf: the dma-buf that it is; read-write
 * @storage: its pages
 * @size: of the pages, in bytes
 * @inode: number of the dma-buf's, by which people know a buffer
 * @restricted: exports that may be read only or written only, by access mode, to
 *	be compared and not to be looked into
 * @restricted_inode: their inodes, or 0 where there is none
 * @policy: how processes' mappings are kept coherent
 * @node: in the list of all buffers
 * @exports: how often it was handed out as a file
 * @lock: everything that happens to the buffer, but for the end of a frame
 * @attachments: struct vdb_attachment, added under both locks
 * @vaddr: where the kernel has it mapped, while @vmaps is not zero
 * @vmaps: how many users of @vaddr
 * @user_mappings: pieces of processes' address space that show it
 * @shown: some process has page table entries
 * @real_pages: some process had entries that let it hold pages
 * @past_caches: processes' mappings see memory, and count as a device there
 * @drawn: some queue's CPU has made frames in it
 * @noted: the bytes that several silent writers agree on, and room for a chunk;
 *	NULL where there are not several
 * @cpu_users: CPU accesses that have begun and not ended, for synccheck
 * @unsynced: a process wrote since the last end of an access, for synccheck
 * @moves: how often bytes had to be moved
 * @state_lock: what follows, and @engine
 * @engine: who has the newest bytes
 * @device_owned: a queue's device has it; for the eyes of people only
 */
struct vdb_buffer {
	struct dma_buf *dbuf;
	struct vdb_storage storage;
	size_t size;
	u64 inode;
	const struct dma_buf *restricted[2];
	u64 restricted_inode[2];
	enum vdb_policy policy;
	struct list_head node;
	atomic_t exports;

	struct mutex lock; /* see above */
	struct list_head attachments;
	void *vaddr;
	unsigned int vmaps;
	unsigned int user_mappings;
	bool shown;
	bool real_pages;
	bool past_caches;
	bool drawn;
	u8 *noted;
	unsigned int cpu_users;
	bool unsynced;
	unsigned long moves;

	spinlock_t state_lock; /* see above */
	struct vdb_engine engine;
	bool device_owned;
};

/**
 * struct vdb_plane - vb2's handle of a plane (mem_priv)
 * @vb: the vb2 buffer
 * @dev: the queue's device, or NULL where it does no DMA
 * @cache: imported: where attachments of the queue and @dev are kept
 * @import: the one in there that is @att, or NULL
 * @dir: what the device does to the buffer
 * @size: how much of the buffer the plane needs, in bytes
 * @dbuf: the buffer
 * @own: the same where it was allocated here, else NULL
 * @views: exports that may be read only or written only, by access mode
 * @att: the device's attachment, where it is mapped
 * @sgt: the buffer's memory as the device sees it, where it is mapped
 * @error: why it isn't, although the device does DMA
 * @lock: for @vaddr
 * @map: the mapping of an imported buffer in the kernel
 * @vaddr: where the kernel has the buffer mapped, or NULL
 * @asked: the driver has asked where since it was last prepared
 * @looks: it has at all, and may look without saying when
 * @skip_look: but not at this frame, as user space promises
 * @prepared: the queue has it, from prepare to finish
 * @drawing: the driver's CPU may be writing it, from prepare to finish or until
 *	the driver says itself when it does
 * @accessed: the driver has said that its CPU is at work
 * @delivers: the driver calls vb2_dmabuf_buf_finish()
 * @hurried: vb2_buffer_done() has moved bytes of the last frame
 */
struct vdb_plane {
	struct vb2_buffer *vb;
	struct device *dev;
	struct vdb_cache *cache;
	struct vdb_import *import;
	enum dma_data_direction dir;
	size_t size;
	struct dma_buf *dbuf;
	struct vdb_buffer *own;
	struct dma_buf *views[2];
	struct dma_buf_attachment *att;
	struct sg_table *sgt;
	int error;
	struct mutex lock; /* see above */
	struct iosys_map map;
	void *vaddr;
	bool asked;
	bool looks;
	bool skip_look;
	bool prepared;
	bool drawing;
	bool accessed;
	bool delivers;
	bool hurried;
};

struct seq_file;
struct shrinker;
struct vb2_buffer;
struct vb2_queue;

/* For the suites beside the code, which are a module of their own. */
#if IS_ENABLED(CONFIG_KUNIT)
#define EXPORT_SYMBOL_VDB_KUNIT(symbol) EXPORT_SYMBOL_GPL(symbol)
#else
#define EXPORT_SYMBOL_VDB_KUNIT(symbol)
#endif

/* storage.c */

/**
 * struct vdb_memory - the machine's memory, in pages
 * @total: all of it
 * @free: nobody has it
 * @available: can be had without swapping; less than nothing if none is left
 * @swap: room that is left for what others have
 */
struct vdb_memory {
	unsigned long total;
	unsigned long free;
	long available;
	long swap;
};

u64 vdb_storage_limit(struct device *dev);
phys_addr_t vdb_storage_bounce(struct device *dev, size_t *largest);
void vdb_storage_memory(struct vdb_memory *m);
struct page *vdb_storage_block(gfp_t gfp, unsigned int order);
int vdb_storage_alloc(struct vdb_storage *st, struct device *dev, size_t size,
		      gfp_t gfp, bool contiguous);
void vdb_storage_free(struct vdb_storage *st);
bool vdb_device_does_dma(struct device *dev);

/* sync.c */
enum vdb_view_kind vdb_sync_run_kind(struct vdb_attachment *att,
				     const struct vdb_run *run);
enum vdb_view_kind vdb_sync_kind(struct vdb_attachment *att);
int vdb_sync_init(struct vdb_attachment *att);
void vdb_sync_free(struct vdb_attachment *att);
void vdb_sync_run(struct vdb_attachment *att, size_t offset, dma_addr_t addr,
		  size_t len, bool for_cpu);
void vdb_sync(struct vdb_attachment *att, size_t from, size_t to, bool for_cpu);

/* views.c */
int vdb_views_init(struct vdb_buffer *buf);
void vdb_views_free(struct vdb_buffer *buf);
int vdb_views_add_writer(struct vdb_buffer *buf, unsigned int view);
int vdb_views_map(struct vdb_attachment *att);
void vdb_views_unmap(struct vdb_attachment *att);
struct vdb_attachment *vdb_views_device(struct vdb_buffer *buf,
					unsigned int view, bool writer);

/* Others are not asked for bytes, nor suspected. */
static inline bool vdb_can_write(const struct vdb_attachment *att)
{
	return att->dma_dir != DMA_TO_DEVICE;
}

/* coherency.c */
int vdb_coherency_map(struct vdb_attachment *att, enum dma_data_direction dir);
void vdb_coherency_unmap(struct vdb_attachment *att);
void vdb_coherency_begin(struct vdb_buffer *buf, bool writes);
void vdb_coherency_look(struct vdb_buffer *buf);
void vdb_coherency_end(struct vdb_buffer *buf, bool writes);
void vdb_coherency_fault(struct vdb_buffer *buf, unsigned int chunk,
			 bool unnoticed, bool writes);
bool vdb_coherency_bypass(struct vdb_buffer *buf);
void vdb_coherency_mapped(struct vdb_buffer *buf);
void vdb_coherency_unmapped(struct vdb_buffer *buf);
void vdb_coherency_wrote(struct vdb_buffer *buf);
void vdb_coherency_vmap(struct vdb_buffer *buf);
void vdb_coherency_vunmap(struct vdb_buffer *buf);
void vdb_coherency_queue(struct vdb_attachment *att, bool clean);
void vdb_coherency_queue_cpu(struct vdb_buffer *buf, bool writes);
void vdb_coherency_done(struct vdb_attachment *att, bool wrote);
void vdb_coherency_done_cpu(struct vdb_buffer *buf, bool wrote);
void vdb_coherency_deliver(struct vdb_buffer *buf, bool look);
void vdb_coherency_deliver_now(struct vdb_buffer *buf, bool look);

/* merge.c */
int vdb_merge_init(struct vdb_buffer *buf);
void vdb_merge_note(struct vdb_buffer *buf, unsigned int chunk);
void vdb_merge(struct vdb_buffer *buf, struct vdb_move *move);

/* shootdown.c */
bool vdb_shootdown(struct vdb_buffer *buf);

/* mapping.c */
int vdb_mapping_mmap(struct vdb_buffer *buf, struct vm_area_struct *vma);
void *vdb_mapping_vmap(struct vdb_buffer *buf, bool bracketed);
void vdb_mapping_vunmap(struct vdb_buffer *buf, bool bracketed);

/* exporter.c */
struct vdb_buffer *vdb_buffer_create(struct device *dev, size_t size, gfp_t gfp,
				     bool contiguous, enum vdb_policy policy);
struct vdb_buffer *vdb_buffer_of(struct dma_buf *dbuf);
struct dma_buf *vdb_buffer_view(struct vdb_buffer *buf, int mode);
struct vdb_attachment *vdb_attachment_of(struct dma_buf_attachment *att);

/* memops.c */
struct vdb_plane *vdb_plane_of(struct vb2_buffer *vb, unsigned int plane_no);

/* frame.c */
void vdb_frame_prepare(void *mem_priv);
void vdb_frame_finish(void *mem_priv);
void vdb_frame_abandon(struct vdb_plane *plane);

/* importer.c */
int vdb_plane_attach(struct vdb_plane *plane, bool fallback);
void vdb_plane_detach(struct vdb_plane *plane);
void *vdb_plane_vaddr(struct vdb_plane *plane);
void vdb_plane_vunmap(struct vdb_plane *plane);

/* cache.c */

/**
 * struct vdb_cache_limits - what may be idle
 * @number: so many attachments
 * @bytes: so much memory, of all of them
 * @period: after which is looked, in jiffies
 * @kept: for so long, in jiffies
 */
struct vdb_cache_limits {
	unsigned int number;
	u64 bytes;
	unsigned long period;
	unsigned long kept;
};

struct vdb_cache *vdb_cache_get(struct vb2_queue *queue, struct device *dev);
void vdb_cache_put(struct vdb_cache *cache, bool replaced);
bool vdb_cache_find(struct vdb_cache *cache, struct vdb_plane *plane);
void vdb_cache_add(struct vdb_cache *cache, struct vdb_plane *plane);
void vdb_cache_release(struct vdb_plane *plane);
void vdb_cache_exit(void);

/* idle.c */
extern struct shrinker *vdb_cache_shrinker;
bool vdb_cache_make_room(struct device *dev);
void vdb_cache_sweep(unsigned long now);
unsigned long vdb_cache_count(void);
unsigned long vdb_cache_scan(unsigned long pages);
void vdb_cache_set_limits(struct vdb_cache_limits *new);
int vdb_idle_init(void);
void vdb_idle_exit(void);

/* synccheck.c */
extern bool vdb_check_sync;
bool vdb_synccheck_enabled(struct vdb_buffer *buf);
void vdb_synccheck_touched(struct vdb_buffer *buf, bool write);
void vdb_synccheck_queued(struct vdb_buffer *buf);

/* stats.c */
enum vdb_stat {
	VDB_BUFFERS,
	VDB_BUFFERS_TOTAL,
	VDB_BYTES,
	VDB_EXPORTS,
	VDB_IMPORTS,
	VDB_IMPORT_HITS,
	VDB_IMPORTS_IDLE,
	VDB_IMPORT_BYTES_IDLE,
	VDB_ATTACHMENTS,
	VDB_MAPS,
	VDB_BEGIN_CPU_ACCESS,
	VDB_END_CPU_ACCESS,
	VDB_SYNCS_FOR_CPU,
	VDB_SYNCS_FOR_DEVICE,
	VDB_SYNCS_ELIDED,
	VDB_BYTES_SYNCED,
	VDB_FAULTS,
	VDB_WRITE_FAULTS,
	VDB_SHOOTDOWNS,
	VDB_VMAPS,
	VDB_REFUSALS,
	VDB_MISSING_SYNCS,
	VDB_FALLBACKS,
	VDB_HURRIED_FRAMES,
	VDB_STATS
};

/**
 * struct vdb_said - to whom something has been said: the last few
 * @lock: for what follows
 * @next: the place that is used next, when divided by their number
 * @known: who, by two numbers, of which the first is not zero
 */
struct vdb_said {
	spinlock_t lock; /* see above */
	unsigned int next;
	struct {
		u64 id;
		u64 since;
	} known[32];
};

#define VDB_SAID_INIT(name) { .lock = __SPIN_LOCK_UNLOCKED((name).lock) }

void vdb_stat_add(enum vdb_stat stat, s64 n);
s64 vdb_stat_read(enum vdb_stat stat);
bool vdb_say_once(struct vdb_said *said, u64 id, u64 since);
void vdb_stats_add_buffer(struct vdb_buffer *buf);
void vdb_stats_del_buffer(struct vdb_buffer *buf);
int vdb_stats_show(struct seq_file *m, void *unused);
int vdb_buffers_show(struct seq_file *m, void *unused);
void vdb_stats_init(void);
void vdb_stats_exit(void);
__printf(2, 3)
void vdb_notice(struct device *dev, const char *fmt, ...);

#endif
