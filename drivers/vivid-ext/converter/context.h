/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A use of the converter: an open file with its two queues, formats and
 * controls.
 */
#ifndef VIVID_EXT_M2M_CONTEXT_H
#define VIVID_EXT_M2M_CONTEXT_H

#include <media/v4l2-ctrls.h>
#include <media/v4l2-fh.h>
#include <media/v4l2-mem2mem.h>

#include "m2m.h"
#include "v4l2/access.h"
#include "v4l2/format.h"
#include "v4l2/inject.h"

/**
 * struct m2m_colours - what colours mean, in V4L2's numbers
 * @colorspace: as in struct v4l2_pix_format
 * @xfer_func: the same
 * @ycbcr_enc: the same
 * @quantization: the same; RGB is full range in any case
 */
struct m2m_colours {
	u32 colorspace;
	u32 xfer_func;
	u32 ycbcr_enc;
	u32 quantization;
};

/**
 * struct vivid_ext_m2m_context - an open file
 * @fh: V4L2's part
 * @file: the same, for mem2mem
 * @m2m: the converter
 * @node: entry in the list of all
 * @handler: the controls
 * @hflip: left becomes right
 * @vflip: top becomes bottom
 * @inject: errors to make
 * @old: format of the output queue, which takes pictures
 * @new: format of the capture queue, which gives them
 * @colours: of both
 * @sequence: of the next picture
 *
 * The converter's lock protects it, and the formats don't change while there
 * are buffers.
 */
struct vivid_ext_m2m_context {
	struct v4l2_fh fh;
	struct file *file;
	struct vivid_ext_m2m *m2m;
	struct list_head node;
	struct v4l2_ctrl_handler handler;
	struct v4l2_ctrl *hflip;
	struct v4l2_ctrl *vflip;
	struct vivid_ext_inject inject;
	struct vivid_ext_format old;
	struct vivid_ext_format new;
	struct m2m_colours colours;
	u32 sequence;
};

/**
 * struct m2m_buffer - a buffer of either queue
 * @base: mem2mem's part, must be first
 * @access: how the device gets at its memory
 */
struct m2m_buffer {
	struct v4l2_m2m_buffer base;
	struct vivid_ext_access access;
};

static inline struct vivid_ext_m2m_context *
to_m2m_context(struct file *file)
{
	return container_of((struct v4l2_fh *)file->private_data,
			    struct vivid_ext_m2m_context, fh);
}

static inline struct vivid_ext_access *
m2m_access_of(struct vb2_v4l2_buffer *vb)
{
	struct v4l2_m2m_buffer *base =
		container_of(vb, struct v4l2_m2m_buffer, vb);

	return &container_of(base, struct m2m_buffer, base)->access;
}

static inline struct vivid_ext_format *
m2m_format_of(struct vivid_ext_m2m_context *ctx, u32 type)
{
	return V4L2_TYPE_IS_OUTPUT(type) ? &ctx->old : &ctx->new;
}

/* job.c */
void vivid_ext_m2m_run(struct vivid_ext_m2m_context *ctx);

/* queue.c */
int vivid_ext_m2m_init_queues(void *priv, struct vb2_queue *src,
			      struct vb2_queue *dst);
void vivid_ext_m2m_reap_context(struct vivid_ext_m2m_context *ctx);

/* ioctl.c */
extern const struct v4l2_ioctl_ops vivid_ext_m2m_ioctl_ops;

/* context.c */
extern const struct v4l2_file_operations vivid_ext_m2m_fops;
void vivid_ext_m2m_reap(struct vivid_ext_m2m *m2m);
void vivid_ext_m2m_detach_all(struct vivid_ext_m2m *m2m);
bool vivid_ext_m2m_busy(struct vivid_ext_m2m *m2m);

#endif
