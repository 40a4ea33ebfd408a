/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of the allocator know of each other.
 *
 * memops -> exporter, importer -> cache, coherency, mapping -> storage; stats by all.
 *
 * Lock order: vb2_queue.lock > mmap_lock > vb2_queue.mmap_lock > dma_resv >
 * vdb_buffer.lock > i_mmap_rwsem; vdb_buffer.state_lock innermost, taken with
 * interrupts off because vb2 may finish a buffer in hard interrupt context.
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
 * @dma_dev: set where they came from this device's contiguous area, which
 *	takes them back; a reference is held
 * @dma_addr: that area's address for the device
 */
struct vdb_storage {
	struct page **pages;
	unsigned int nr_pages;
	struct device *dma_dev;
	dma_addr_t dma_addr;
};

/**
 * enum vdb_view - through what a device sees a buffer's bytes
 * @VDB_VIEW_CPU: as the CPU does; nothing to synchronise
 * @VDB_VIEW_MEMORY: as they are in memory, past the CPU's caches; the same for
 *	all devices of this kind
 * @VDB_VIEW_PRIVATE: in a copy of its own (a bounce buffer)
 */
enum vdb_view {
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
 * struct vdb_attachment - a device that may use a buffer
 * @node: in vdb_buffer.attachments, the last mapped first
 * @buf: the buffer
 * @dev: the device
 * @sgt: the buffer's pages within the limits of the device; made by the first
 *	map and kept
 * @maps: how often it is mapped now; changed under lock and state_lock
 * @dir: what the device may do to it; DMA_NONE where it is not mapped
 * @dma_dir: the direction that the DMA API was told
 * @view: how the device sees the bytes while mapped
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
	enum dma_data_direction dir;
	enum dma_data_direction dma_dir;
	enum vdb_view view;
	bool tracked;
	unsigned int writing;
};

/**
 * struct vdb_buffer - a buffer that we export
 * @dbuf: the dma-buf that it is; read-write
 * @storage: its pages
 * @size: of the pages, in bytes
 * @inode: number of the dma-buf's, by which people know a buffer
 * @policy: how processes' mappings are kept coherent
 * @node: in the list of all buffers
 * @exports: how often it was handed out as a file
 * @user_mappings: pieces of processes' address space that show it
 * @lock: attachments, user mappings and kernel mappings come and go under it
 * @attachments: struct vdb_attachment, added and moved under both locks
 * @vaddr: where the kernel has it mapped, while @vmaps is not zero
 * @vmaps: how many users of @vaddr
 * @cached: some process may see it through caches, for good
 * @vmapped: somebody has used @vaddr since the last end of a CPU access
 * @mapped: chunks with page table entries in some process; under @lock to set,
 *	under both to clear
 * @state_lock: what follows
 * @nr_chunks: bits in the bitmaps
 * @incoherent: attachments mapped now whose view is not the CPU's
 * @memory_views: those of them that look at memory
 * @writer: the device whose view has the newest bytes, or NULL for the CPU's
 * @stale: chunks of which the CPU's view is older than the writer's
 * @dirty: chunks of which the devices' views are older than the CPU's
 * @suspect: those of @dirty that the CPU may have only read
 * @held: kernel mappings whose users do not bracket their access
 * @cpu_users: accesses that have begun and not ended
 * @device_owned: a queue's device has it; for the eyes of people only
 */
struct vdb_buffer {
	struct dma_buf *dbuf;
	struct vdb_storage storage;
	size_t size;
	u64 inode;
	enum vdb_policy policy;
	struct list_head node;
	atomic_t exports;
	atomic_t user_mappings;

	struct mutex lock; /* see above */
	struct list_head attachments;
	void *vaddr;
	unsigned int vmaps;
	bool cached;
	bool vmapped;
	unsigned long *mapped;

	spinlock_t state_lock; /* see above */
	unsigned int nr_chunks;
	unsigned int incoherent;
	unsigned int memory_views;
	struct vdb_attachment *writer;
	unsigned long *stale;
	unsigned long *dirty;
	unsigned long *suspect;
	unsigned int held;
	unsigned int cpu_users;
	bool device_owned;
};

/**
 * struct vdb_plane - vb2's handle of a plane (mem_priv)
 * @vb: the vb2 buffer
 * @dev: the queue's device, or NULL where it does no DMA
 * @cache: imported: where attachments of the queue are kept
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
 * @bracketed: the driver has said itself when its CPU works on this frame
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
	bool bracketed;
};

struct vb2_queue;

/* For the suites beside the code, which are a module of their own. */
#if IS_ENABLED(CONFIG_KUNIT)
#define EXPORT_SYMBOL_VDB_KUNIT(symbol) EXPORT_SYMBOL_GPL(symbol)
#else
#define EXPORT_SYMBOL_VDB_KUNIT(symbol)
#endif

/* storage.c */
int vdb_storage_alloc(struct vdb_storage *st, struct device *dev, size_t size,
		      gfp_t gfp, bool contiguous);
void vdb_storage_free(struct vdb_storage *st);
bool vdb_device_does_dma(struct device *dev);

/* coherency.c */
int vdb_coherency_init(struct vdb_buffer *buf);
void vdb_coherency_free(struct vdb_buffer *buf);
int vdb_coherency_map(struct vdb_attachment *att, enum dma_data_direction dir);
void vdb_coherency_unmap(struct vdb_attachment *att);
void vdb_coherency_cpu_begin(struct vdb_buffer *buf, unsigned int first,
			     unsigned int last);
void vdb_coherency_cpu_end(struct vdb_buffer *buf, bool written);
void vdb_coherency_cpu_drew(struct vdb_buffer *buf);
void vdb_coherency_cpu_writes(struct vdb_buffer *buf, unsigned int first,
			      unsigned int last);
void vdb_coherency_cpu_may_write(struct vdb_buffer *buf, unsigned int first,
				 unsigned int last);
void vdb_coherency_cpu_only_read(struct vdb_buffer *buf);
void vdb_coherency_device_begin(struct vdb_attachment *att, bool clean);
void vdb_coherency_device_end(struct vdb_attachment *att, bool invalidate);

/* mapping.c */
int vdb_mapping_mmap(struct vdb_buffer *buf, struct vm_area_struct *vma);
bool vdb_mapping_uncached(struct vdb_buffer *buf);
void vdb_mapping_hand_over(struct vdb_buffer *buf);
void vdb_mapping_zap(struct vdb_buffer *buf);
void *vdb_mapping_vmap(struct vdb_buffer *buf, bool hold);
void vdb_mapping_vunmap(struct vdb_buffer *buf, bool hold);

/* exporter.c */
struct vdb_buffer *vdb_buffer_create(struct device *dev, size_t size, gfp_t gfp,
				     bool contiguous, enum vdb_policy policy);
struct vdb_buffer *vdb_buffer_of(struct dma_buf *dbuf);
struct dma_buf *vdb_buffer_view(struct vdb_buffer *buf, int mode);
struct vdb_attachment *vdb_attachment_of(struct dma_buf_attachment *att);

/* importer.c */
int vdb_plane_attach(struct vdb_plane *plane, bool fallback);
void vdb_plane_detach(struct vdb_plane *plane);
void *vdb_plane_vaddr(struct vdb_plane *plane);
void vdb_plane_vunmap(struct vdb_plane *plane);

/* cache.c */
struct vdb_cache *vdb_cache_get(struct vb2_queue *queue);
void vdb_cache_put(struct vdb_cache *cache);
unsigned int vdb_cache_idle(struct vdb_cache *cache);
bool vdb_cache_find(struct vdb_cache *cache, struct vdb_plane *plane);
void vdb_cache_add(struct vdb_cache *cache, struct vdb_plane *plane);
void vdb_cache_release(struct vdb_plane *plane);

/* synccheck.c */
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
	VDB_STATS
};

void vdb_stat_add(enum vdb_stat stat, s64 n);
void vdb_stats_add_buffer(struct vdb_buffer *buf);
void vdb_stats_del_buffer(struct vdb_buffer *buf);
void vdb_stats_init(void);
void vdb_stats_exit(void);
__printf(2, 3)
void vdb_notice(struct device *dev, const char *fmt, ...);

#endif
