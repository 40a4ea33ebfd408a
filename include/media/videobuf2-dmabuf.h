/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * videobuf2 allocator whose buffers are dma-bufs: what a driver includes.
 */
#ifndef _MEDIA_VIDEOBUF2_DMABUF_H
#define _MEDIA_VIDEOBUF2_DMABUF_H

#include <linux/bits.h>
#include <linux/dma-direction.h>
#include <linux/types.h>
#include <media/videobuf2-v4l2.h>

/**
 * DOC: what a driver does
 *
 * A queue uses the allocator by three assignments::
 *
 *	q->mem_ops = &vb2_dmabuf_memops;
 *	q->dev = dev;		// the device that does the DMA, or NULL
 *	ops->buf_finish = vb2_dmabuf_buf_finish;
 *
 * A device that takes one physical block sets %DMA_ATTR_FORCE_CONTIGUOUS in
 * &vb2_queue.dma_attrs. The driver programs the device from
 * vb2_dmabuf_plane_sgt() or, if it takes one address, from
 * vb2_dmabuf_plane_dma_addr(). If a CPU makes or reads the frames, the driver
 * brackets that with vb2_dmabuf_plane_begin_cpu_access() and
 * vb2_dmabuf_plane_end_cpu_access(), before vb2_buffer_done().
 */

struct sg_table;

/**
 * DOC: policies
 *
 * How processes see the buffers of a queue is said by bits of
 * &vb2_queue.dma_attrs. It matters only where a device is not coherent. By
 * default mappings are cached, and taken away while a device has the buffer.
 *
 * %VB2_DMABUF_ATTR_SHOOTDOWN:
 *	they are taken away also where all devices are coherent (for tests).
 * %VB2_DMABUF_ATTR_EXPLICIT:
 *	they are cached and left alone; QBUF and DQBUF do no maintenance, the
 *	application brackets its access with DMA_BUF_IOCTL_SYNC.
 * %DMA_ATTR_WRITE_COMBINE:
 *	they are not cached; good for frames that are only written.
 */

#define VB2_DMABUF_ATTR_SHOOTDOWN BIT(28)
#define VB2_DMABUF_ATTR_EXPLICIT BIT(29)

/*
 * Also in dma_attrs: let buffers in that the device can't reach. Of these
 * vb2_dmabuf_plane_sgt() says why not, and the driver's CPU stands in.
 */
#define VB2_DMABUF_ATTR_FALLBACK BIT(30)

/* For vb2_queue.mem_ops. */
extern const struct vb2_mem_ops vb2_dmabuf_memops;

/* The plane's memory as the queue's device sees it, or an ERR_PTR. */
struct sg_table *vb2_dmabuf_plane_sgt(struct vb2_buffer *vb,
				      unsigned int plane_no);

/*
 * The plane's address where it is contiguous in the device's address space,
 * otherwise DMA_MAPPING_ERROR.
 */
dma_addr_t vb2_dmabuf_plane_dma_addr(struct vb2_buffer *vb,
				     unsigned int plane_no);

/*
 * For vb2_ops.buf_finish, or to be called there first: what others are to see of
 * a frame is moved there, and vb2_buffer_done() takes no time for it.
 */
void vb2_dmabuf_buf_finish(struct vb2_buffer *vb);

/* Bracket the CPU's access to a plane, own or imported. Process context. */
int vb2_dmabuf_plane_begin_cpu_access(struct vb2_buffer *vb,
				      unsigned int plane_no,
				      enum dma_data_direction dir);
int vb2_dmabuf_plane_end_cpu_access(struct vb2_buffer *vb,
				    unsigned int plane_no,
				    enum dma_data_direction dir);

#endif
