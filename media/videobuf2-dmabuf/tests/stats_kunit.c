// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of what is counted, by value after each operation, and of what debugfs
 * says of a buffer.
 */
#include <kunit/test.h>
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>

#include "kunit.h"

#define SIZE (2 * VDB_CHUNK_SIZE)
#define ROOM SZ_16K

/**
 * struct fixture - what each test begins with
 * @buf: a buffer of two chunks in one block, or NULL
 * @d: a queue's device, attached if its att is there
 * @file: what a debugfs file has
 */
struct fixture {
	struct vdb_buffer *buf;
	struct vdb_kunit_device d;
	struct seq_file file;
};

static void create(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct vdb_buffer *buf = vdb_buffer_create(NULL, SIZE, 0, true,
						   VDB_POLICY_AUTO);

	KUNIT_ASSERT_FALSE(test, IS_ERR(buf));
	f->buf = buf;
}

static void map(struct kunit *test, enum vdb_kunit_bus bus)
{
	struct fixture *f = test->priv;
	struct device *dev = vdb_kunit_add_device(test, "device", bus);

	KUNIT_ASSERT_EQ(test, vdb_kunit_map_as(&f->d, f->buf, dev,
					       DMA_BIDIRECTIONAL, true), 0);
}

static void unmap(struct kunit *test)
{
	struct fixture *f = test->priv;

	vdb_kunit_unmap(&f->d, DMA_BIDIRECTIONAL);
	f->d.att = NULL;
}

/* What is read there, of our buffer only: the first line on. */
static char *file(struct kunit *test, int (*show)(struct seq_file *, void *))
{
	struct fixture *f = test->priv;

	f->file.count = 0;
	memset(f->file.buf, 0, ROOM);
	KUNIT_EXPECT_EQ(test, show(&f->file, NULL), 0);
	KUNIT_ASSERT_LT(test, f->file.count, (size_t)ROOM);
	return f->file.buf;
}

static __printf(3, 4)
void expect_line(struct kunit *test, const char *text, const char *fmt, ...)
{
	char *line = kunit_kzalloc(test, 512, GFP_KERNEL);
	va_list args;

	KUNIT_ASSERT_NOT_NULL(test, line);
	va_start(args, fmt);
	vscnprintf(line, 512, fmt, args);
	va_end(args);
	KUNIT_EXPECT_TRUE_MSG(test, strstr(text, line), "no \"%s\" in:\n%s",
			      line, text);
}

static void lives_are_counted(struct kunit *test)
{
	struct device *dev = vdb_kunit_add_device(test, "device",
						  VDB_KUNIT_NONCOHERENT);
	struct fixture *f = test->priv;
	struct dma_buf_attachment *att;
	struct sg_table *sgt;

	vdb_kunit_stats(test, NULL, NULL);
	create(test);
	vdb_kunit_stats(test, "created",
			VDB_KUNIT_STATS([VDB_BUFFERS] = 1,
					[VDB_BUFFERS_TOTAL] = 1,
					[VDB_BYTES] = SIZE));
	att = dma_buf_attach(f->buf->dbuf, dev);
	KUNIT_ASSERT_FALSE(test, IS_ERR(att));
	vdb_kunit_stats(test, "attached",
			VDB_KUNIT_STATS([VDB_ATTACHMENTS] = 1));
	sgt = dma_buf_map_attachment_unlocked(att, DMA_TO_DEVICE);
	KUNIT_ASSERT_FALSE(test, IS_ERR(sgt));
	vdb_kunit_stats(test, "mapped",
			VDB_KUNIT_STATS([VDB_MAPS] = 1,
					[VDB_SYNCS_FOR_DEVICE] = 1,
					[VDB_BYTES_SYNCED] = SIZE));
	dma_buf_unmap_attachment_unlocked(att, sgt, DMA_TO_DEVICE);
	vdb_kunit_stats(test, "unmapped", VDB_KUNIT_STATS([VDB_MAPS] = 0));
	dma_buf_detach(f->buf->dbuf, att);
	vdb_kunit_stats(test, "detached",
			VDB_KUNIT_STATS([VDB_ATTACHMENTS] = -1));
	KUNIT_ASSERT_NOT_NULL(test, vdb_mapping_vmap(f->buf, false));
	vdb_kunit_stats(test, "vmap", VDB_KUNIT_STATS([VDB_VMAPS] = 1));
	vdb_mapping_vunmap(f->buf, false);
	dma_buf_put(f->buf->dbuf);
	f->buf = NULL;
	flush_delayed_fput();
	vdb_kunit_stats(test, "gone",
			VDB_KUNIT_STATS([VDB_BUFFERS] = -1,
					[VDB_BYTES] = -(s64)SIZE));
}

/* Of one block, in one piece; what moves nothing is counted as that. */
static void moves_are_counted(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct dma_buf *dbuf;

	create(test);
	map(test, VDB_KUNIT_NONCOHERENT);
	dbuf = f->buf->dbuf;
	vdb_kunit_stats(test, NULL, NULL);
	vdb_coherency_queue(f->d.own, true);
	vdb_kunit_stats(test, "queued",
			VDB_KUNIT_STATS([VDB_SYNCS_ELIDED] = 1));
	vdb_coherency_done(f->d.own, true);
	vdb_kunit_stats(test, "done", VDB_KUNIT_STATS([VDB_MAPS] = 0));
	vdb_coherency_deliver(f->buf, false);
	vdb_kunit_stats(test, "delivered",
			VDB_KUNIT_STATS([VDB_SYNCS_ELIDED] = 1));
	dma_buf_begin_cpu_access(dbuf, DMA_FROM_DEVICE);
	vdb_kunit_stats(test, "read",
			VDB_KUNIT_STATS([VDB_BEGIN_CPU_ACCESS] = 1,
					[VDB_SYNCS_FOR_CPU] = 1,
					[VDB_BYTES_SYNCED] = SIZE));
	dma_buf_begin_cpu_access(dbuf, DMA_FROM_DEVICE);
	vdb_kunit_stats(test, "read again",
			VDB_KUNIT_STATS([VDB_BEGIN_CPU_ACCESS] = 1,
					[VDB_SYNCS_ELIDED] = 1));
	dma_buf_end_cpu_access(dbuf, DMA_BIDIRECTIONAL);
	vdb_kunit_stats(test, "written",
			VDB_KUNIT_STATS([VDB_END_CPU_ACCESS] = 1,
					[VDB_SYNCS_ELIDED] = 1));
}

static void faults_are_counted(struct kunit *test)
{
	struct fixture *f = test->priv;
	unsigned long addr;
	u8 value = 0;

	create(test);
	map(test, VDB_KUNIT_NONCOHERENT);
	addr = kunit_vm_mmap(test, f->buf->dbuf->file, 0, SIZE,
			     PROT_READ | PROT_WRITE, MAP_SHARED, 0);
	KUNIT_ASSERT_FALSE(test, !addr || IS_ERR_VALUE(addr));
	vdb_kunit_stats(test, NULL, NULL);
	KUNIT_EXPECT_EQ(test, copy_from_user(&value, (void __user *)addr, 1),
			0);
	vdb_kunit_stats(test, "read", VDB_KUNIT_STATS([VDB_FAULTS] = 1));
	KUNIT_EXPECT_EQ(test, copy_to_user((void __user *)addr, &value, 1), 0);
	vdb_kunit_stats(test, "written",
			VDB_KUNIT_STATS([VDB_WRITE_FAULTS] = 1));
	vdb_coherency_queue(f->d.own, true);
	vdb_kunit_stats(test, "queued",
			VDB_KUNIT_STATS([VDB_SHOOTDOWNS] = 1,
					[VDB_SYNCS_FOR_DEVICE] = 1,
					[VDB_BYTES_SYNCED] = VDB_CHUNK_SIZE));
	vdb_coherency_done(f->d.own, true);
	vdb_kunit_end_mm();
}

/* Each has a name, and no name is another one's. */
static void totals_have_names(struct kunit *test)
{
	char *at = file(test, vdb_stats_show), *line;
	unsigned int n = 0;

	while ((line = strsep(&at, "\n"))) {
		char name[32];
		long long value;
		int n_read;

		if (!*line)
			continue;
		n_read = sscanf(line, "%31s %lld", name, &value);
		KUNIT_EXPECT_EQ(test, n_read, 2);
		KUNIT_EXPECT_TRUE(test, strcmp(name, "(null)"));
		KUNIT_EXPECT_EQ_MSG(test, value, vdb_stat_read(n), "%s", name);
		n++;
	}
	KUNIT_EXPECT_EQ(test, n, VDB_STATS);
}

static void blocks_are_shown(struct kunit *test)
{
	static const u8 order[] = { 1, 2, 0, 3, 4, 5, 6, 7, 8, 9, 10, 11, 14 };
	struct page **pages, *other[ARRAY_SIZE(order)];
	struct fixture *f = test->priv;
	struct vdb_storage *st;
	unsigned long pfn;
	unsigned int i;

	create(test);
	st = &f->buf->storage;
	pfn = page_to_pfn(st->pages[0]);
	expect_line(test, file(test, vdb_buffers_show),
		    "\npages: %lx+20\nblocks: order5=1\n", pfn);

	pages = st->pages;
	for (i = 0; i < ARRAY_SIZE(order); i++)
		other[i] = pages[order[i]];
	st->pages = other;
	st->nr_pages = ARRAY_SIZE(order);
	expect_line(test, file(test, vdb_buffers_show),
		    "\npages: %lx+2 %lx+1 %lx+9 %lx+1\nblocks: order2=2 order0=5\n",
		    pfn + 1, pfn, pfn + 3, pfn + 14);
	st->pages = pages;
	st->nr_pages = SIZE / PAGE_SIZE;
}

static void attachments_are_shown(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct vdb_kunit_device other;
	char *text;

	create(test);
	map(test, VDB_KUNIT_NONCOHERENT);
	KUNIT_ASSERT_EQ(test, vdb_kunit_map(&other, f->buf,
					    vdb_kunit_add_device(test, "other", VDB_KUNIT_REAL),
					    DMA_TO_DEVICE), 0);
	text = file(test, vdb_buffers_show);
	expect_line(test, text, "attachments=2 mapped=2 ");
	expect_line(test, text,
		    "\nattachment: %s both segments=1 view=memory tracked\n",
		    dev_name(f->d.dev));
	expect_line(test, text,
		    "\nattachment: %s to-device segments=1 view=coherent\n",
		    dev_name(other.dev));
	dma_buf_unmap_attachment_unlocked(other.att, other.sgt, DMA_TO_DEVICE);
	text = file(test, vdb_buffers_show);
	expect_line(test, text, "attachments=2 mapped=1 ");
	expect_line(test, text, "\nattachment: %s unmapped segments=1 view=-\n",
		    dev_name(other.dev));
	other.sgt = dma_buf_map_attachment_unlocked(other.att, DMA_FROM_DEVICE);
	KUNIT_ASSERT_FALSE(test, IS_ERR(other.sgt));
	expect_line(test, file(test, vdb_buffers_show),
		    "\nattachment: %s from-device segments=1 view=coherent\n",
		    dev_name(other.dev));
	vdb_kunit_unmap(&other, DMA_FROM_DEVICE);
}

static void exports_are_shown(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct dma_buf *ro, *wo;
	char *text;

	create(test);
	text = file(test, vdb_buffers_show);
	expect_line(test, text, "buffer inode=%llu size=%zu exporter=videobuf2-dmabuf ",
		    (u64)file_inode(f->buf->dbuf->file)->i_ino,
		    (size_t)SIZE);
	KUNIT_EXPECT_NULL(test, strstr(text, "only export"));
	ro = vdb_buffer_view(f->buf, O_RDONLY);
	KUNIT_ASSERT_FALSE(test, IS_ERR(ro));
	text = file(test, vdb_buffers_show);
	expect_line(test, text, "\nread-only export: inode=%llu\n",
		    (u64)file_inode(ro->file)->i_ino);
	KUNIT_EXPECT_NULL(test, strstr(text, "write-only export"));
	wo = vdb_buffer_view(f->buf, O_WRONLY);
	KUNIT_ASSERT_FALSE(test, IS_ERR(wo));
	expect_line(test, file(test, vdb_buffers_show),
		    "\nwrite-only export: inode=%llu\n",
		    (u64)file_inode(wo->file)->i_ino);
	dma_buf_put(ro);
	dma_buf_put(wo);
}

static void expect_state(struct kunit *test, const char *owner,
			 const char *writer, unsigned int stale,
			 unsigned int dirty)
{
	char *text = file(test, vdb_buffers_show);

	expect_line(test, text, " owner=%s last_writer=%s ", owner, writer);
	expect_line(test, text, " stale=%u dirty=%u chunks=2 ", stale, dirty);
}

static void states_are_shown(struct kunit *test)
{
	struct fixture *f = test->priv;
	const char *name;

	create(test);
	expect_state(test, "cpu", "untracked", 0, 0);
	map(test, VDB_KUNIT_NONCOHERENT);
	name = dev_name(f->d.dev);
	expect_state(test, "cpu", "cpu", 0, 0);
	vdb_coherency_queue(f->d.own, true);
	expect_state(test, "device", "cpu", 0, 0);
	vdb_coherency_done(f->d.own, true);
	vdb_coherency_deliver(f->buf, false);
	expect_state(test, "cpu", name, 2, 0);
	vdb_coherency_begin(f->buf, false);
	vdb_coherency_end(f->buf, false);
	expect_state(test, "cpu", "cpu", 0, 0);
	/* A driver's CPU has made a frame. */
	vdb_coherency_queue_cpu(f->buf, true);
	vdb_coherency_done_cpu(f->buf, true);
	expect_state(test, "cpu", "cpu", 0, 2);
	unmap(test);
	expect_state(test, "cpu", "untracked", 0, 0);
}

static void buffers_are_shown_in_order(struct kunit *test)
{
	struct vdb_buffer *first, *second;
	char *text, *at[2];
	char line[2][32];

	first = vdb_buffer_create(NULL, PAGE_SIZE, 0, false, VDB_POLICY_AUTO);
	KUNIT_ASSERT_FALSE(test, IS_ERR(first));
	second = vdb_buffer_create(NULL, PAGE_SIZE, 0, false, VDB_POLICY_AUTO);
	KUNIT_ASSERT_FALSE(test, IS_ERR(second));
	snprintf(line[0], sizeof(line[0]), "inode=%llu ", first->inode);
	snprintf(line[1], sizeof(line[1]), "inode=%llu ", second->inode);
	text = file(test, vdb_buffers_show);
	at[0] = strstr(text, line[0]);
	at[1] = strstr(text, line[1]);
	KUNIT_EXPECT_NOT_NULL(test, at[0]);
	KUNIT_EXPECT_NOT_NULL(test, at[1]);
	KUNIT_EXPECT_TRUE(test, at[0] < at[1]);
	dma_buf_put(first->dbuf);
	flush_delayed_fput();
	text = file(test, vdb_buffers_show);
	KUNIT_EXPECT_NULL(test, strstr(text, line[0]));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, line[1]));
	dma_buf_put(second->dbuf);
}

/* Page frame numbers are for root only. */
static void files_are_there(struct kunit *test)
{
	static const struct {
		const char *name;
		umode_t mode;
	} files[] = { { "stats", 0444 }, { "buffers", 0400 } };
	struct dentry *dir = debugfs_lookup("videobuf2-dmabuf", NULL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, dir);
	for (i = 0; i < ARRAY_SIZE(files); i++) {
		struct dentry *entry = debugfs_lookup(files[i].name, dir);

		KUNIT_EXPECT_NOT_NULL(test, entry);
		if (!entry)
			continue;
		KUNIT_EXPECT_EQ(test, d_inode(entry)->i_mode & 0777,
				files[i].mode);
		dput(entry);
	}
	dput(dir);
}

static void refusals_name_the_rule(struct kunit *test)
{
	struct device *dev = vdb_kunit_add_device(test, "refused",
						  VDB_KUNIT_REAL);
	s64 before = vdb_stat_read(VDB_REFUSALS);

	vdb_kunit_listen_refusals(test, "rule 7, not 8");
	vdb_notice(dev, "rule %u, not %u", 7, 8);
	vdb_notice(NULL, "rule %u, not %u", 7, 8);
	vdb_notice(dev, "rule %u, not %u", 7, 9);
	KUNIT_EXPECT_EQ(test, vdb_kunit_heard(), 2);
	KUNIT_EXPECT_EQ(test, vdb_stat_read(VDB_REFUSALS) - before, 3);
}

static int set_up(struct kunit *test)
{
	struct fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, f);
	f->file.buf = kunit_kzalloc(test, ROOM, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, f->file.buf);
	f->file.size = ROOM;
	test->priv = f;
	/* What earlier tests have closed is still shown. */
	flush_delayed_fput();
	return 0;
}

static void tear_down(struct kunit *test)
{
	struct fixture *f = test->priv;

	if (!f || !f->buf)
		return;
	if (f->d.att)
		vdb_kunit_unmap(&f->d, DMA_BIDIRECTIONAL);
	dma_buf_put(f->buf->dbuf);
}

static struct kunit_case stats_cases[] = {
	KUNIT_CASE(lives_are_counted),
	KUNIT_CASE(moves_are_counted),
	KUNIT_CASE(faults_are_counted),
	KUNIT_CASE(totals_have_names),
	KUNIT_CASE(blocks_are_shown),
	KUNIT_CASE(attachments_are_shown),
	KUNIT_CASE(exports_are_shown),
	KUNIT_CASE(states_are_shown),
	KUNIT_CASE(buffers_are_shown_in_order),
	KUNIT_CASE(files_are_there),
	KUNIT_CASE(refusals_name_the_rule),
	{}
};

static struct kunit_suite stats_suite = {
	.name = "videobuf2-dmabuf-stats",
	.init = set_up,
	.exit = tear_down,
	.test_cases = stats_cases,
};

kunit_test_suite(stats_suite);
