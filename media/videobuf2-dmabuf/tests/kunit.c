// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the allocator's KUnit suites share.
 */
#include <linux/delay.h>
#include <linux/file.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/string.h>
#include <linux/tracepoint.h>
#include <trace/events/printk.h>

#include "vivid-ext/bus/config.h"
#include "vivid-ext/bus/view.h"
#include "vivid-ext/bus/tests/kunit.h"
#include "kunit.h"
#include "trace.h"

/**
 * vdb_kunit_add_device - a device for the time of a test
 * @test: the test
 * @name: unique in it
 * @bus: what it is on
 *
 * Return: the device; the test ends if there is none.
 */
struct device *vdb_kunit_add_device(struct kunit *test, const char *name,
				    enum vdb_kunit_bus bus)
{
	const struct vivid_ext_bus_config config = {
		.coherent = bus == VDB_KUNIT_REAL,
		.iommu = bus == VDB_KUNIT_NONCOHERENT_IOMMU,
		.dma_bits = 64,
		.max_segments = UINT_MAX,
		.max_segment_size = UINT_MAX,
	};

	return vivid_ext_kunit_add_device(test, name, &config);
}

/**
 * vdb_kunit_map_as - attach and map a buffer
 * @d: filled in
 * @buf: the buffer
 * @dev: the device
 * @dir: the direction
 * @tracked: as a queue of ours does, which tells what the device does
 *
 * Return: 0 or an error, with nothing left behind.
 */
int vdb_kunit_map_as(struct vdb_kunit_device *d, struct vdb_buffer *buf,
		     struct device *dev, enum dma_data_direction dir,
		     bool tracked)
{
	d->dev = dev;
	d->att = dma_buf_attach(buf->dbuf, dev);
	if (IS_ERR(d->att))
		return PTR_ERR(d->att);
	d->own = vdb_attachment_of(d->att);
	d->own->tracked = tracked;
	d->sgt = dma_buf_map_attachment_unlocked(d->att, dir);
	if (IS_ERR(d->sgt)) {
		dma_buf_detach(buf->dbuf, d->att);
		return PTR_ERR(d->sgt);
	}
	return 0;
}

/**
 * vdb_kunit_map - attach and map a buffer as importers do
 * @d: filled in
 * @buf: the buffer
 * @dev: the device
 * @dir: the direction
 *
 * Return: 0 or an error, with nothing left behind.
 */
int vdb_kunit_map(struct vdb_kunit_device *d, struct vdb_buffer *buf,
		  struct device *dev, enum dma_data_direction dir)
{
	return vdb_kunit_map_as(d, buf, dev, dir, false);
}

/**
 * vdb_kunit_unmap - undo vdb_kunit_map()
 * @d: filled in there
 * @dir: the same direction
 */
void vdb_kunit_unmap(struct vdb_kunit_device *d, enum dma_data_direction dir)
{
	dma_buf_unmap_attachment_unlocked(d->att, d->sgt, dir);
	dma_buf_detach(d->att->dmabuf, d->att);
}

static struct vivid_ext_view *make_view(struct kunit *test,
					struct vdb_kunit_device *d,
					enum dma_data_direction dir)
{
	struct vivid_ext_view *view;

	view = vivid_ext_view_create(d->dev, d->sgt, d->own->buf->size, dir);
	KUNIT_ASSERT_FALSE(test, IS_ERR(view));
	KUNIT_EXPECT_EQ(test, vivid_ext_view_begin(view, dir), 0);
	return view;
}

/**
 * vdb_kunit_write_part - a device writes to a buffer, and tells nobody
 * @test: the test
 * @d: the device
 * @offset: of the first byte
 * @len: how many
 * @value: of each byte
 */
void vdb_kunit_write_part(struct kunit *test, struct vdb_kunit_device *d,
			  size_t offset, size_t len, u8 value)
{
	struct vivid_ext_view *view = make_view(test, d, DMA_FROM_DEVICE);

	memset(vivid_ext_view_addr(view) + offset, value, len);
	vivid_ext_view_end(view, DMA_FROM_DEVICE);
	vivid_ext_view_destroy(view);
}

/**
 * vdb_kunit_write - a device fills a buffer, and tells nobody
 * @test: the test
 * @d: the device
 * @value: of each byte
 */
void vdb_kunit_write(struct kunit *test, struct vdb_kunit_device *d, u8 value)
{
	vdb_kunit_write_part(test, d, 0, d->own->buf->size, value);
}

/**
 * vdb_kunit_frame - QBUF, a frame and DQBUF
 * @test: the test
 * @d: the device, whose attachment is tracked
 * @value: of each byte
 */
void vdb_kunit_frame(struct kunit *test, struct vdb_kunit_device *d, u8 value)
{
	vdb_coherency_queue(d->own, true);
	vdb_kunit_write(test, d, value);
	vdb_coherency_done(d->own, true);
	vdb_coherency_deliver(d->own->buf, false);
}

/**
 * vdb_kunit_read_byte - a device reads a byte
 * @test: the test
 * @d: the device
 * @offset: where
 *
 * Return: the byte.
 */
int vdb_kunit_read_byte(struct kunit *test, struct vdb_kunit_device *d,
			size_t offset)
{
	struct vivid_ext_view *view = make_view(test, d, DMA_TO_DEVICE);
	u8 value = ((u8 *)vivid_ext_view_addr(view))[offset];

	vivid_ext_view_end(view, DMA_TO_DEVICE);
	vivid_ext_view_destroy(view);
	return value;
}

/**
 * vdb_kunit_read - a device reads a buffer
 * @test: the test
 * @d: the device
 * @chunk: which chunk
 *
 * Return: the value of its bytes, or -1 if they differ.
 */
int vdb_kunit_read(struct kunit *test, struct vdb_kunit_device *d,
		   unsigned int chunk)
{
	struct vivid_ext_view *view = make_view(test, d, DMA_TO_DEVICE);
	u8 *at = vivid_ext_view_addr(view) + chunk * VDB_CHUNK_SIZE;
	size_t len = min_t(size_t, VDB_CHUNK_SIZE,
			   d->own->buf->size - chunk * VDB_CHUNK_SIZE);
	int value = memchr_inv(at, *at, len) ? -1 : *at;

	vivid_ext_view_end(view, DMA_TO_DEVICE);
	vivid_ext_view_destroy(view);
	return value;
}

static bool narrow_taken;

static struct sg_table *narrow_map(struct dma_buf_attachment *att,
				   enum dma_data_direction dir)
{
	static struct sg_table table;

	if (narrow_taken)
		return ERR_PTR(-EIO);
	narrow_taken = true;
	return &table;
}

static void narrow_unmap(struct dma_buf_attachment *att, struct sg_table *sgt,
			 enum dma_data_direction dir)
{
	narrow_taken = false;
}

static void narrow_release(struct dma_buf *dbuf)
{
}

/**
 * vdb_kunit_narrow_buffer - somebody else's dma-buf, without memory
 * @test: the test
 * @size: in bytes
 *
 * Of all that there are one can be mapped at a time.
 *
 * Return: the dma-buf; the test ends if there is none.
 */
struct dma_buf *vdb_kunit_narrow_buffer(struct kunit *test, size_t size)
{
	static const struct dma_buf_ops ops = {
		.map_dma_buf = narrow_map,
		.unmap_dma_buf = narrow_unmap,
		.release = narrow_release,
	};
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *dbuf;

	info.ops = &ops;
	info.size = size;
	info.priv = &narrow_taken;
	dbuf = dma_buf_export(&info);
	KUNIT_ASSERT_FALSE(test, IS_ERR(dbuf));
	return dbuf;
}

/**
 * vdb_kunit_queue - QBUF to a device's queue of either direction
 * @d: the device, mapped for both
 * @writes: it writes, else it reads
 *
 * A queue has one direction; a buffer can be in two queues of one device.
 */
void vdb_kunit_queue(struct vdb_kunit_device *d, bool writes)
{
	enum dma_data_direction dir = d->own->dir;

	d->own->dir = writes ? DMA_BIDIRECTIONAL : DMA_TO_DEVICE;
	vdb_coherency_queue(d->own, true);
	d->own->dir = dir;
}

/* What is listened for, in refusals or in the log, and how often it was heard. */
static const char *listened;
static bool among_refusals;
static atomic_t heard;

static void hear(void *data, const char *text, size_t len)
{
	if (!among_refusals && strnstr(text, listened, len))
		atomic_inc(&heard);
}

/* Of which the log has some only, where there are many. */
static void hear_refusal(void *data, const char *dev, const char *why)
{
	if (among_refusals && strstr(why, listened))
		atomic_inc(&heard);
}

static void stop_listening(void *unused)
{
	unregister_trace_console(hear, NULL);
	unregister_trace_vdb_refusal(hear_refusal, NULL);
	tracepoint_synchronize_unregister();
	listened = NULL;
}

static void listen(struct kunit *test, const char *text, bool refusals)
{
	bool listens = listened;

	listened = text;
	among_refusals = refusals;
	atomic_set(&heard, 0);
	if (listens)
		return;
	KUNIT_ASSERT_EQ(test, register_trace_console(hear, NULL), 0);
	KUNIT_ASSERT_EQ(test, register_trace_vdb_refusal(hear_refusal, NULL),
			0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, stop_listening,
							NULL), 0);
}

/**
 * vdb_kunit_listen - count the log's lines with a text, until the test ends
 * @test: the test
 * @text: the text; another one from now on if it is called again
 */
void vdb_kunit_listen(struct kunit *test, const char *text)
{
	listen(test, text, false);
}

/**
 * vdb_kunit_listen_refusals - count refusals with a text, until the test ends
 * @test: the test
 * @text: the text; another one from now on if it is called again
 */
void vdb_kunit_listen_refusals(struct kunit *test, const char *text)
{
	listen(test, text, true);
}

/**
 * vdb_kunit_heard - how often it was heard since vdb_kunit_listen()
 *
 * Return: so many.
 */
unsigned int vdb_kunit_heard(void)
{
	return atomic_read(&heard);
}

/* A kernel thread's files are closed a moment later, one by the other. */
static void let_files_go(void)
{
	flush_delayed_fput();
	msleep(20);
}

/**
 * vdb_kunit_stats - look at all counts, since it was done the last time
 * @test: the test
 * @what: what has been done in between
 * @wanted: by how much each must have risen; NULL to begin
 *
 * What takes a moment may take it.
 */
void vdb_kunit_stats(struct kunit *test, const char *what, const s64 *wanted)
{
	static s64 seen[VDB_STATS];
	unsigned int i, tries;
	s64 buffers;

	/* What earlier tests have closed is still counted. */
	do {
		buffers = vdb_stat_read(VDB_BUFFERS);
		if (!wanted)
			let_files_go();
	} while (buffers != vdb_stat_read(VDB_BUFFERS));
	for (tries = 0; wanted && tries < 50; tries++) {
		for (i = 0; i < VDB_STATS; i++)
			if (vdb_stat_read(i) - seen[i] != wanted[i])
				break;
		if (i == VDB_STATS)
			break;
		let_files_go();
	}
	for (i = 0; i < VDB_STATS; i++) {
		s64 now = vdb_stat_read(i);

		if (wanted)
			KUNIT_EXPECT_EQ_MSG(test, now - seen[i], wanted[i],
					    "%s: count %u", what, i);
		seen[i] = now;
	}
}

/**
 * vdb_kunit_end_mm - give the address space of kunit_vm_mmap() back
 *
 * KUnit leaves it to the end of the thread, and leaks it so.
 */
void vdb_kunit_end_mm(void)
{
	struct mm_struct *mm = current->mm;

	kthread_unuse_mm(mm);
	mmput(mm);
}

MODULE_DESCRIPTION("Tests of the dma-buf allocator of videobuf2");
MODULE_AUTHOR("The videobuf2-dmabuf authors");
MODULE_LICENSE("GPL");
VDB_IMPORT_NS_DMA_BUF;
