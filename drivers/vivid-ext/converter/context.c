// SPDX-License-Identifier: GPL-2.0-only
/*
 * A use of the converter comes and goes: open, close and unbind.
 */
#include <linux/slab.h>
#include <media/v4l2-ctrls.h>
#include <media/v4l2-event.h>
#include <media/v4l2-fh.h>
#include <media/v4l2-ioctl.h>
#include <media/v4l2-mem2mem.h>

#include "context.h"

/* Time stamps are copied, and no picture is dropped. */
#define M2M_ERRORS (BIT(VIVID_EXT_ERROR_QUEUE_SETUP) | \
		    BIT(VIVID_EXT_ERROR_BUF_PREPARE) | \
		    BIT(VIVID_EXT_ERROR_START) | \
		    BIT(VIVID_EXT_ERROR_FRAME) | \
		    BIT(VIVID_EXT_ERROR_DMA) | \
		    BIT(VIVID_EXT_ERROR_DISCONNECT) | \
		    BIT(VIVID_EXT_ERROR_SEQUENCE))

static int init_controls(struct vivid_ext_m2m_context *ctx)
{
	v4l2_ctrl_handler_init(&ctx->handler, 2 + VIVID_EXT_NUM_ERRORS);
	ctx->hflip = v4l2_ctrl_new_std(&ctx->handler, NULL, V4L2_CID_HFLIP,
				       0, 1, 1, 0);
	ctx->vflip = v4l2_ctrl_new_std(&ctx->handler, NULL, V4L2_CID_VFLIP,
				       0, 1, 1, 0);
	vivid_ext_inject_init(&ctx->inject, &ctx->handler, M2M_ERRORS);
	ctx->fh.ctrl_handler = &ctx->handler;
	return ctx->handler.error;
}

/* Under the converter's lock. */
static struct vivid_ext_m2m_context *create(struct vivid_ext_m2m *m2m,
					    struct file *file)
{
	struct vivid_ext_m2m_context *ctx = kzalloc(sizeof(*ctx), GFP_KERNEL);
	int ret;

	if (!ctx)
		return ERR_PTR(-ENOMEM);
	ctx->file = file;
	ctx->m2m = m2m;
	vivid_ext_format_default(&ctx->old);
	vivid_ext_format_default(&ctx->new);
	ctx->colours.colorspace = vivid_ext_format_colorspace(&ctx->old);
	ret = init_controls(ctx);
	if (ret)
		goto free;
	ctx->fh.m2m_ctx = v4l2_m2m_ctx_init(m2m->m2m_dev, ctx,
					    vivid_ext_m2m_init_queues);
	if (IS_ERR(ctx->fh.m2m_ctx)) {
		ret = PTR_ERR(ctx->fh.m2m_ctx);
		goto free;
	}
	v4l2_fh_init(&ctx->fh, &m2m->vdev);
	/* It has taken the video device's. */
	ctx->fh.ctrl_handler = &ctx->handler;
	return ctx;

free:
	v4l2_ctrl_handler_free(&ctx->handler);
	kfree(ctx);
	return ERR_PTR(ret);
}

static int m2m_open(struct file *file)
{
	struct vivid_ext_m2m *m2m = video_drvdata(file);
	struct vivid_ext_m2m_context *ctx;
	int ret;

	ret = mutex_lock_interruptible(&m2m->lock);
	if (ret)
		return ret;
	ctx = create(m2m, file);
	mutex_unlock(&m2m->lock);
	if (IS_ERR(ctx))
		return PTR_ERR(ctx);
	vdb_v4l2_fh_add(&ctx->fh, file);
	/* From now on its file leads to it: unbinding takes its buffers. */
	mutex_lock(&m2m->lock);
	list_add_tail(&ctx->node, &m2m->contexts);
	mutex_unlock(&m2m->lock);
	return 0;
}

/*
 * When a job is done mem2mem tells so, and then looks at its context once more
 * for another one: who waits for the job only could free the context too soon.
 */
static void end_jobs(struct file *file, struct vivid_ext_m2m_context *ctx)
{
	struct v4l2_m2m_ctx *m2m_ctx = ctx->fh.m2m_ctx;

	v4l2_m2m_streamoff(file, m2m_ctx, v4l2_m2m_get_src_vq(m2m_ctx)->type);
	v4l2_m2m_streamoff(file, m2m_ctx, v4l2_m2m_get_dst_vq(m2m_ctx)->type);
	flush_work(&ctx->m2m->work);
}

static int m2m_release(struct file *file)
{
	struct vivid_ext_m2m_context *ctx = to_m2m_context(file);
	struct vivid_ext_m2m *m2m = ctx->m2m;

	mutex_lock(&m2m->lock);
	list_del(&ctx->node);
	end_jobs(file, ctx);
	v4l2_m2m_ctx_release(ctx->fh.m2m_ctx);
	mutex_unlock(&m2m->lock);
	vdb_v4l2_fh_del(&ctx->fh, file);
	v4l2_fh_exit(&ctx->fh);
	v4l2_ctrl_handler_free(&ctx->handler);
	kfree(ctx);
	return 0;
}

const struct v4l2_file_operations vivid_ext_m2m_fops = {
	.owner = THIS_MODULE,
	.open = m2m_open,
	.release = m2m_release,
	.poll = v4l2_m2m_fop_poll,
	.mmap = v4l2_m2m_fop_mmap,
	.unlocked_ioctl = video_ioctl2,
};

/* Waits for a job, ends the stream and lets the buffers go. */
static void detach(struct vivid_ext_m2m_context *ctx, struct vb2_queue *q)
{
	struct v4l2_requestbuffers none = {
		.type = q->type,
		.memory = V4L2_MEMORY_MMAP,
	};

	v4l2_m2m_ioctl_streamoff(ctx->file, NULL, q->type);
	v4l2_m2m_ioctl_reqbufs(ctx->file, NULL, &none);
}

/**
 * vivid_ext_m2m_detach_all - take all memory away from the device
 * @m2m: the converter, its video device unregistered
 *
 * Process context, at unbind; takes the converter's lock, in the order that
 * V4L2's core takes locks. Open files stay, and can only be closed.
 */
void vivid_ext_m2m_detach_all(struct vivid_ext_m2m *m2m)
{
	struct vivid_ext_m2m_context *ctx;

	mutex_lock(&m2m->mdev.req_queue_mutex);
	mutex_lock(&m2m->lock);
	list_for_each_entry(ctx, &m2m->contexts, node) {
		detach(ctx, v4l2_m2m_get_src_vq(ctx->fh.m2m_ctx));
		detach(ctx, v4l2_m2m_get_dst_vq(ctx->fh.m2m_ctx));
	}
	mutex_unlock(&m2m->lock);
	mutex_unlock(&m2m->mdev.req_queue_mutex);
}

/**
 * vivid_ext_m2m_busy - whether the device may have something mapped
 * @m2m: the converter
 *
 * Under its lock. Return: true if any open file has buffers.
 */
bool vivid_ext_m2m_busy(struct vivid_ext_m2m *m2m)
{
	struct vivid_ext_m2m_context *ctx;

	list_for_each_entry(ctx, &m2m->contexts, node)
		if (vb2_is_busy(v4l2_m2m_get_src_vq(ctx->fh.m2m_ctx)) ||
		    vb2_is_busy(v4l2_m2m_get_dst_vq(ctx->fh.m2m_ctx)))
			return true;
	return false;
}

/**
 * vivid_ext_m2m_reap - clean up after a request that was refused
 * @m2m: the converter
 *
 * Process context; takes the converter's lock.
 */
void vivid_ext_m2m_reap(struct vivid_ext_m2m *m2m)
{
	struct vivid_ext_m2m_context *ctx;

	mutex_lock(&m2m->lock);
	list_for_each_entry(ctx, &m2m->contexts, node)
		vivid_ext_m2m_reap_context(ctx);
	mutex_unlock(&m2m->lock);
}
