/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A capture buffer and how the device gets at its memory.
 */
#ifndef VIVID_EXT_BUFFER_H
#define VIVID_EXT_BUFFER_H

#include <linux/irq_work.h>
#include <linux/list.h>
#include <media/videobuf2-v4l2.h>

#include "format.h"

struct seq_file;
struct vivid_ext_capture;
struct vivid_ext_view;

/**
 * struct vivid_ext_buffer - a capture buffer
 * @vb: vb2's part, must be first
 * @queued: entry in the capture node's queue, while it waits for a frame
 * @node: entry in the list of all buffers
 * @interrupt: says that the frame is written, in hard interrupt context
 * @error: why it is not, or 0
 * @by_cpu: the CPU draws it: it has no @view
 * @view: the device's window on each piece of memory
 * @mem: where to write each piece of memory
 */
struct vivid_ext_buffer {
	struct vb2_v4l2_buffer vb;
	struct list_head queued;
	struct list_head node;
	struct irq_work interrupt;
	int error;
	bool by_cpu;
	struct vivid_ext_view *view[VIVID_EXT_MAX_MEM];
	void *mem[VIVID_EXT_MAX_MEM];
};

static inline struct vivid_ext_buffer *
to_vivid_ext_buffer(struct vb2_buffer *vb)
{
	return container_of(to_vb2_v4l2_buffer(vb), struct vivid_ext_buffer, vb);
}

int vivid_ext_buffer_open(struct vivid_ext_capture *cap,
			  struct vivid_ext_buffer *buf);
void vivid_ext_buffer_close(struct vivid_ext_buffer *buf);
int vivid_ext_buffer_begin(struct vivid_ext_capture *cap,
			   struct vivid_ext_buffer *buf);
int vivid_ext_buffer_end(struct vivid_ext_capture *cap,
			 struct vivid_ext_buffer *buf);
void vivid_ext_buffer_show(struct vivid_ext_buffer *buf, struct seq_file *m);

#endif
