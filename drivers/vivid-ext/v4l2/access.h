/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a device gets at the memory of a videobuf2 buffer.
 */
#ifndef VIVID_EXT_ACCESS_H
#define VIVID_EXT_ACCESS_H

#include "format.h"

struct device;
struct seq_file;
struct vb2_buffer;
struct vb2_queue;
struct vivid_ext_config;
struct vivid_ext_reason;
struct vivid_ext_view;

/**
 * struct vivid_ext_access - how a device gets at a buffer's memory
 * @by_cpu: the CPU stands in for it: there is no @view
 * @refused: why the device can't, where it does DMA at all
 * @view: the device's window on each piece of memory
 * @mem: where each piece of memory begins
 */
struct vivid_ext_access {
	bool by_cpu;
	int refused;
	struct vivid_ext_view *view[VIVID_EXT_MAX_MEM];
	void *mem[VIVID_EXT_MAX_MEM];
};

void vivid_ext_access_init(struct vb2_queue *q, struct device *dev,
			   const struct vivid_ext_config *config);
void vivid_ext_access_update(struct vb2_queue *q, struct device *dev,
			     const struct vivid_ext_config *config);
int vivid_ext_access_open(struct vivid_ext_access *access,
			  struct vb2_buffer *vb);
void vivid_ext_access_close(struct vivid_ext_access *access);
int vivid_ext_access_begin(struct vivid_ext_access *access,
			   struct vb2_buffer *vb);
int vivid_ext_access_end(struct vivid_ext_access *access,
			 struct vb2_buffer *vb);
int vivid_ext_access_stray(struct vivid_ext_access *access,
			   struct vb2_buffer *vb);
void vivid_ext_access_frame(const struct vivid_ext_access *access,
			    const struct vb2_buffer *vb,
			    const struct vivid_ext_format *fmt,
			    struct vivid_ext_frame *frame);
struct vivid_ext_reason *
vivid_ext_access_reason(const struct vivid_ext_access *access,
			struct vivid_ext_reason *reasons);
void vivid_ext_access_show(struct vivid_ext_access *access,
			   struct vb2_buffer *vb, struct seq_file *m);

#endif
