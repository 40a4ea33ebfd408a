/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints of the allocator: trace-cmd record -e vb2_dmabuf
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM vb2_dmabuf

#if !defined(VDB_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define VDB_TRACE_H

#include <linux/device.h>
#include <linux/dma-direction.h>
#include <linux/tracepoint.h>

#include "internal.h"

#define vdb_show_dir(dir)				\
	__print_symbolic(dir,				\
			 { DMA_BIDIRECTIONAL, "both" },	\
			 { DMA_TO_DEVICE, "to-device" }, \
			 { DMA_FROM_DEVICE, "from-device" }, \
			 { DMA_NONE, "none" })

DECLARE_EVENT_CLASS(vdb_buffer,
	TP_PROTO(const struct vdb_buffer *buf),
	TP_ARGS(buf),
	TP_STRUCT__entry(
		__field(u64, inode)
		__field(size_t, size)
	),
	TP_fast_assign(
		__entry->inode = buf->inode;
		__entry->size = buf->size;
	),
	TP_printk("inode=%llu size=%zu", __entry->inode, __entry->size)
);

DEFINE_EVENT(vdb_buffer, vdb_alloc,
	     TP_PROTO(const struct vdb_buffer *buf), TP_ARGS(buf));
DEFINE_EVENT(vdb_buffer, vdb_free,
	     TP_PROTO(const struct vdb_buffer *buf), TP_ARGS(buf));
DEFINE_EVENT(vdb_buffer, vdb_shootdown,
	     TP_PROTO(const struct vdb_buffer *buf), TP_ARGS(buf));
DEFINE_EVENT(vdb_buffer, vdb_elide,
	     TP_PROTO(const struct vdb_buffer *buf), TP_ARGS(buf));

TRACE_EVENT(vdb_export,
	TP_PROTO(const struct dma_buf *dbuf, unsigned int mode),
	TP_ARGS(dbuf, mode),
	TP_STRUCT__entry(
		__field(u64, inode)
		__field(unsigned int, mode)
	),
	TP_fast_assign(
		__entry->inode = file_inode(dbuf->file)->i_ino;
		__entry->mode = mode;
	),
	TP_printk("inode=%llu mode=%s", __entry->inode,
		  __print_symbolic(__entry->mode, { O_RDONLY, "r" },
				   { O_WRONLY, "w" }, { O_RDWR, "rw" }))
);

DECLARE_EVENT_CLASS(vdb_attachment,
	TP_PROTO(const struct vdb_attachment *att),
	TP_ARGS(att),
	TP_STRUCT__entry(
		__field(u64, inode)
		__string(dev, dev_name(att->dev))
		__field(int, dir)
		__field(int, view)
		__field(unsigned int, segments)
	),
	TP_fast_assign(
		__entry->inode = att->buf->inode;
		vdb_assign_str(dev, dev_name(att->dev));
		__entry->dir = att->dir;
		__entry->view = att->kind;
		__entry->segments = att->sgt.nents;
	),
	TP_printk("inode=%llu dev=%s dir=%s view=%s segments=%u",
		  __entry->inode, __get_str(dev), vdb_show_dir(__entry->dir),
		  __print_symbolic(__entry->view,
				   { VDB_VIEW_CPU, "coherent" },
				   { VDB_VIEW_MEMORY, "memory" },
				   { VDB_VIEW_PRIVATE, "bounced" }),
		  __entry->segments)
);

DEFINE_EVENT(vdb_attachment, vdb_attach,
	     TP_PROTO(const struct vdb_attachment *att), TP_ARGS(att));
DEFINE_EVENT(vdb_attachment, vdb_map,
	     TP_PROTO(const struct vdb_attachment *att), TP_ARGS(att));
DEFINE_EVENT(vdb_attachment, vdb_unmap,
	     TP_PROTO(const struct vdb_attachment *att), TP_ARGS(att));

DECLARE_EVENT_CLASS(vdb_cpu_access,
	TP_PROTO(const struct vdb_buffer *buf, enum dma_data_direction dir),
	TP_ARGS(buf, dir),
	TP_STRUCT__entry(
		__field(u64, inode)
		__field(int, dir)
	),
	TP_fast_assign(
		__entry->inode = buf->inode;
		__entry->dir = dir;
	),
	TP_printk("inode=%llu dir=%s", __entry->inode,
		  vdb_show_dir(__entry->dir))
);

DEFINE_EVENT(vdb_cpu_access, vdb_begin,
	     TP_PROTO(const struct vdb_buffer *buf,
		      enum dma_data_direction dir), TP_ARGS(buf, dir));
DEFINE_EVENT(vdb_cpu_access, vdb_end,
	     TP_PROTO(const struct vdb_buffer *buf,
		      enum dma_data_direction dir), TP_ARGS(buf, dir));

TRACE_EVENT(vdb_sync,
	TP_PROTO(const struct vdb_attachment *att, size_t from, size_t to,
		 bool for_cpu),
	TP_ARGS(att, from, to, for_cpu),
	TP_STRUCT__entry(
		__field(u64, inode)
		__string(dev, dev_name(att->dev))
		__field(size_t, from)
		__field(size_t, to)
		__field(bool, for_cpu)
	),
	TP_fast_assign(
		__entry->inode = att->buf->inode;
		vdb_assign_str(dev, dev_name(att->dev));
		__entry->from = from;
		__entry->to = to;
		__entry->for_cpu = for_cpu;
	),
	TP_printk("inode=%llu dev=%s bytes=%zu-%zu for=%s", __entry->inode,
		  __get_str(dev), __entry->from, __entry->to,
		  __entry->for_cpu ? "cpu" : "device")
);

TRACE_EVENT(vdb_fault,
	TP_PROTO(const struct vdb_buffer *buf, pgoff_t page, bool write),
	TP_ARGS(buf, page, write),
	TP_STRUCT__entry(
		__field(u64, inode)
		__field(pgoff_t, page)
		__field(bool, write)
	),
	TP_fast_assign(
		__entry->inode = buf->inode;
		__entry->page = page;
		__entry->write = write;
	),
	TP_printk("inode=%llu page=%lu%s", __entry->inode, __entry->page,
		  __entry->write ? " write" : "")
);

TRACE_EVENT(vdb_refusal,
	TP_PROTO(const char *dev, const char *why),
	TP_ARGS(dev, why),
	TP_STRUCT__entry(
		__string(dev, dev)
		__string(why, why)
	),
	TP_fast_assign(
		vdb_assign_str(dev, dev);
		vdb_assign_str(why, why);
	),
	TP_printk("dev=%s %s", __get_str(dev), __get_str(why))
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
