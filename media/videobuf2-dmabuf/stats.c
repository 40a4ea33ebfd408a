// SPDX-License-Identifier: GPL-2.0-only
/*
 * What happens to buffers, counted, in debugfs: videobuf2-dmabuf/stats has the
 * totals, videobuf2-dmabuf/buffers each buffer that lives.
 */
#include <linux/bitmap.h>
#include <linux/debugfs.h>
#include <linux/device.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/seq_file.h>
#include <linux/string.h>

#include "internal.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

#if IS_ENABLED(CONFIG_KUNIT)
EXPORT_TRACEPOINT_SYMBOL_GPL(vdb_refusal);
EXPORT_TRACEPOINT_SYMBOL_GPL(vdb_sync);
#endif

static atomic64_t stats[VDB_STATS];
static struct dentry *dir;
static LIST_HEAD(buffers);
static DEFINE_MUTEX(buffers_lock);

static const char * const names[VDB_STATS] = {
	[VDB_BUFFERS] = "buffers",
	[VDB_BUFFERS_TOTAL] = "buffers_total",
	[VDB_BYTES] = "bytes",
	[VDB_EXPORTS] = "exports",
	[VDB_IMPORTS] = "imports",
	[VDB_IMPORT_HITS] = "import_cache_hits",
	[VDB_IMPORTS_IDLE] = "import_cache_idle",
	[VDB_IMPORT_BYTES_IDLE] = "import_cache_idle_bytes",
	[VDB_ATTACHMENTS] = "attachments",
	[VDB_MAPS] = "maps",
	[VDB_BEGIN_CPU_ACCESS] = "begin_cpu_access",
	[VDB_END_CPU_ACCESS] = "end_cpu_access",
	[VDB_SYNCS_FOR_CPU] = "syncs_for_cpu",
	[VDB_SYNCS_FOR_DEVICE] = "syncs_for_device",
	[VDB_SYNCS_ELIDED] = "syncs_elided",
	[VDB_BYTES_SYNCED] = "bytes_synced",
	[VDB_FAULTS] = "faults",
	[VDB_WRITE_FAULTS] = "write_faults",
	[VDB_SHOOTDOWNS] = "shootdowns",
	[VDB_VMAPS] = "vmaps",
	[VDB_REFUSALS] = "refusals",
	[VDB_MISSING_SYNCS] = "missing_syncs",
	[VDB_FALLBACKS] = "fallbacks",
	[VDB_HURRIED_FRAMES] = "frames_moved_in_done",
};

/**
 * vdb_stat_add - count
 * @stat: what
 * @n: how many; negative for what can become fewer
 *
 * Context: any.
 */
void vdb_stat_add(enum vdb_stat stat, s64 n)
{
	atomic64_add(n, &stats[stat]);
}

/**
 * vdb_stat_read - what has been counted
 * @stat: what
 *
 * Context: any.
 * Return: how many.
 */
s64 vdb_stat_read(enum vdb_stat stat)
{
	return atomic64_read(&stats[stat]);
}
EXPORT_SYMBOL_VDB_KUNIT(vdb_stat_read);

/**
 * vdb_stats_add_buffer - a buffer has come to life
 * @buf: complete, with its dma-buf
 *
 * Context: process.
 */
void vdb_stats_add_buffer(struct vdb_buffer *buf)
{
	mutex_lock(&buffers_lock);
	list_add_tail(&buf->node, &buffers);
	mutex_unlock(&buffers_lock);
	vdb_stat_add(VDB_BUFFERS, 1);
	vdb_stat_add(VDB_BUFFERS_TOTAL, 1);
	vdb_stat_add(VDB_BYTES, buf->size);
}

/**
 * vdb_stats_del_buffer - a buffer goes; nobody sees it after this
 * @buf: still complete
 *
 * Context: process; waits for those that look at it.
 */
void vdb_stats_del_buffer(struct vdb_buffer *buf)
{
	mutex_lock(&buffers_lock);
	list_del(&buf->node);
	mutex_unlock(&buffers_lock);
	vdb_stat_add(VDB_BUFFERS, -1);
	vdb_stat_add(VDB_BYTES, -(s64)buf->size);
}

/**
 * vdb_notice - say why a buffer and a device do not go together
 * @dev: the device, or NULL
 * @fmt: which rule, and which number; no newline
 *
 * At most a few times in some seconds: user space can ask as often as it likes.
 *
 * Context: any.
 */
void vdb_notice(struct device *dev, const char *fmt, ...)
{
	const char *name = dev ? dev_name(dev) : "no device";
	char why[160];
	va_list args;

	vdb_stat_add(VDB_REFUSALS, 1);
	va_start(args, fmt);
	vscnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	pr_notice_ratelimited("videobuf2-dmabuf: %s: %s\n", name, why);
	trace_vdb_refusal(name, why);
}
EXPORT_SYMBOL_VDB_KUNIT(vdb_notice);

/**
 * vdb_say_once - whether to say something that is said once to each
 * @said: to whom it has been said
 * @id: to whom it would be said now; not 0
 * @since: tells apart those that have the same @id one after the other
 *
 * Context: any.
 * Return: true for the first time, or where too many others came in between.
 */
bool vdb_say_once(struct vdb_said *said, u64 id, u64 since)
{
	unsigned long flags;
	bool known = false;
	unsigned int i;

	spin_lock_irqsave(&said->lock, flags);
	for (i = 0; i < ARRAY_SIZE(said->known) && !known; i++)
		known = said->known[i].id == id &&
			said->known[i].since == since;
	if (!known) {
		i = said->next++ % ARRAY_SIZE(said->known);
		said->known[i].id = id;
		said->known[i].since = since;
	}
	spin_unlock_irqrestore(&said->lock, flags);
	return !known;
}
EXPORT_SYMBOL_VDB_KUNIT(vdb_say_once);

/**
 * vdb_stats_show - what the file "stats" has
 * @m: where it goes
 * @unused: nothing
 *
 * Return: 0.
 */
int vdb_stats_show(struct seq_file *m, void *unused)
{
	unsigned int i;

	for (i = 0; i < VDB_STATS; i++)
		seq_printf(m, "%s %lld\n", names[i], vdb_stat_read(i));
	return 0;
}
EXPORT_SYMBOL_VDB_KUNIT(vdb_stats_show);
DEFINE_SHOW_ATTRIBUTE(vdb_stats);

/* How many pages from the i-th on follow each other in memory. */
static unsigned int run_length(const struct vdb_storage *st, unsigned int i)
{
	unsigned long pfn = page_to_pfn(st->pages[i]);
	unsigned int n = 1;

	while (i + n < st->nr_pages &&
	       page_to_pfn(st->pages[i + n]) == pfn + n)
		n++;
	return n;
}

static void show_pages(struct seq_file *m, const struct vdb_storage *st)
{
	unsigned int i, n;

	seq_puts(m, "pages:");
	for (i = 0; i < st->nr_pages; i += n) {
		n = run_length(st, i);
		seq_printf(m, " %lx+%x", page_to_pfn(st->pages[i]), n);
	}
	seq_putc(m, '\n');
}

/* The largest aligned blocks they make: what one page table entry can map. */
static void show_orders(struct seq_file *m, const struct vdb_storage *st)
{
	unsigned int count[VDB_MAX_ORDER + 1] = { };
	unsigned int i, n, order;

	for (i = 0; i < st->nr_pages; i += n) {
		unsigned long pfn = page_to_pfn(st->pages[i]);

		order = min_t(unsigned int, ilog2(run_length(st, i)),
			      VDB_MAX_ORDER);
		if (pfn)
			order = min_t(unsigned int, order, __ffs(pfn));
		n = 1U << order;
		count[order]++;
	}
	seq_puts(m, "blocks:");
	for (order = VDB_MAX_ORDER + 1; order--; )
		if (count[order])
			seq_printf(m, " order%u=%u", order, count[order]);
	seq_putc(m, '\n');
}

static const char *direction(enum dma_data_direction dir)
{
	switch (dir) {
	case DMA_BIDIRECTIONAL:
		return "both";
	case DMA_TO_DEVICE:
		return "to-device";
	case DMA_FROM_DEVICE:
		return "from-device";
	default:
		return "unmapped";
	}
}

static void show_attachments(struct seq_file *m, struct vdb_buffer *buf)
{
	static const char * const views[] = {
		[VDB_VIEW_CPU] = "coherent",
		[VDB_VIEW_MEMORY] = "memory",
		[VDB_VIEW_PRIVATE] = "bounced",
	};
	struct vdb_attachment *att;

	list_for_each_entry(att, &buf->attachments, node)
		seq_printf(m, "attachment: %s %s segments=%u view=%s%s\n",
			   dev_name(att->dev), direction(att->dir),
			   att->sgt.nents, att->maps ? views[att->kind] : "-",
			   att->tracked ? " tracked" : "");
}

/**
 * struct summary - what people want to know of a buffer's state
 * @stale: chunks whose newest bytes the CPU does not see
 * @dirty: chunks whose newest bytes nobody else sees
 * @writer: the view that has what the CPU lacks, or VDB_CPU
 * @device_owned: a queue's device has it
 */
struct summary {
	unsigned int stale;
	unsigned int dirty;
	unsigned int writer;
	bool device_owned;
};

static void sum_up(struct vdb_buffer *buf, struct summary *sum)
{
	struct vdb_engine *e = &buf->engine;
	unsigned long flags;
	unsigned int c, v;
	bool cpu;

	memset(sum, 0, sizeof(*sum));
	spin_lock_irqsave(&buf->state_lock, flags);
	vdb_engine_outdated_entries(e);
	sum->device_owned = buf->device_owned;
	for (c = 0; c < e->nr_chunks && e->outside; c++) {
		for (v = VDB_MEMORY; v < e->nr_views; v++)
			if (test_bit(c, e->views[v].newest))
				break;
		cpu = test_bit(c, e->views[VDB_CPU].newest);
		/* What is being written comes into the directory when it ends. */
		if (v == e->nr_views || (cpu && test_bit(c, e->writable))) {
			sum->dirty++;
		} else if (!cpu) {
			sum->stale++;
			sum->writer = v;
		}
	}
	spin_unlock_irqrestore(&buf->state_lock, flags);
}

/* Where all see the same bytes nobody is asked, and nobody tells. */
static const char *writer_name(struct vdb_buffer *buf,
			       const struct summary *sum)
{
	struct vdb_attachment *att;

	if (sum->writer == VDB_CPU)
		return buf->engine.outside ? "cpu" : "untracked";
	list_for_each_entry(att, &buf->attachments, node)
		if (att->maps && att->view == sum->writer &&
		    att->dir != DMA_TO_DEVICE)
			return dev_name(att->dev);
	return "cpu";
}

static void show_buffer(struct seq_file *m, struct vdb_buffer *buf)
{
	struct vdb_attachment *att;
	unsigned int attachments = 0, mapped = 0;
	struct summary sum;

	mutex_lock(&buf->lock);
	list_for_each_entry(att, &buf->attachments, node) {
		attachments++;
		mapped += !!att->maps;
	}
	sum_up(buf, &sum);
	seq_printf(m, "buffer inode=%llu size=%zu exporter=videobuf2-dmabuf owner=%s last_writer=%s attachments=%u mapped=%u vmaps=%u stale=%u dirty=%u chunks=%u exports=%d user_mappings=%u\n",
		   buf->inode, buf->size,
		   sum.device_owned ? "device" : "cpu", writer_name(buf, &sum),
		   attachments, mapped, buf->vmaps, sum.stale, sum.dirty,
		   buf->engine.nr_chunks, atomic_read(&buf->exports),
		   buf->user_mappings);
	if (READ_ONCE(buf->restricted_inode[O_RDONLY]))
		seq_printf(m, "read-only export: inode=%llu\n",
			   READ_ONCE(buf->restricted_inode[O_RDONLY]));
	if (READ_ONCE(buf->restricted_inode[O_WRONLY]))
		seq_printf(m, "write-only export: inode=%llu\n",
			   READ_ONCE(buf->restricted_inode[O_WRONLY]));
	show_pages(m, &buf->storage);
	show_orders(m, &buf->storage);
	show_attachments(m, buf);
	mutex_unlock(&buf->lock);
}

/**
 * vdb_buffers_show - what the file "buffers" has
 * @m: where it goes
 * @unused: nothing
 *
 * Context: process; may sleep; takes each buffer's vdb_buffer.lock.
 * Return: 0.
 */
int vdb_buffers_show(struct seq_file *m, void *unused)
{
	struct vdb_buffer *buf;

	mutex_lock(&buffers_lock);
	list_for_each_entry(buf, &buffers, node)
		show_buffer(m, buf);
	mutex_unlock(&buffers_lock);
	return 0;
}
EXPORT_SYMBOL_VDB_KUNIT(vdb_buffers_show);
DEFINE_SHOW_ATTRIBUTE(vdb_buffers);

/**
 * vdb_stats_init - make the files; without debugfs there are none
 */
void vdb_stats_init(void)
{
	dir = debugfs_create_dir("videobuf2-dmabuf", NULL);
	debugfs_create_file("stats", 0444, dir, NULL, &vdb_stats_fops);
	/* Page frame numbers are for root only. */
	debugfs_create_file("buffers", 0400, dir, NULL, &vdb_buffers_fops);
}

/**
 * vdb_stats_exit - undo vdb_stats_init()
 */
void vdb_stats_exit(void)
{
	debugfs_remove(dir);
}
