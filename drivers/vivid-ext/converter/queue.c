// SPDX-License-Identifier: GPL-2.0-only
/*
 * The converter's buffer queues: what videobuf2 asks of the driver.
 */
#include <media/v4l2-mem2mem.h>
#include <media/videobuf2-dmabuf.h>
#include <media/videobuf2-v4l2.h>

#include "context.h"

static int m2m_queue_setup(struct vb2_queue *q, unsigned int *num_buffers,
			   unsigned int *num_planes, unsigned int sizes[],
			   struct device *alloc_devs[])
{
	struct vivid_ext_m2m_context *ctx = vb2_get_drv_priv(q);
	int ret;

	ret = vivid_ext_inject_call(&ctx->inject, VIVID_EXT_ERROR_QUEUE_SETUP);
	if (ret)
		return ret;
	vivid_ext_access_update(q, ctx->m2m->dev, &ctx->m2m->config);
	return vivid_ext_format_setup(m2m_format_of(ctx, q->type), ctx->m2m->dev,
				      num_planes, sizes);
}

static int m2m_buf_init(struct vb2_buffer *vb)
{
	struct vivid_ext_m2m_context *ctx = vb2_get_drv_priv(vb->vb2_queue);
	struct vivid_ext_access *access = m2m_access_of(to_vb2_v4l2_buffer(vb));
	struct vivid_ext_m2m *m2m = ctx->m2m;
	int ret;

	ret = vivid_ext_access_open(access, vb);
	if (ret) {
		dev_warn_ratelimited(m2m->dev, "buffer %u: no access by %s: %d\n",
				     vb->index, access->by_cpu ? "CPU" : "DMA",
				     ret);
		return ret;
	}
	if (!access->by_cpu)
		return 0;
	spin_lock(&m2m->stats_lock);
	vivid_ext_access_reason(access, m2m->reasons)->imports++;
	spin_unlock(&m2m->stats_lock);
	return 0;
}

static void m2m_buf_cleanup(struct vb2_buffer *vb)
{
	vivid_ext_access_close(m2m_access_of(to_vb2_v4l2_buffer(vb)));
}

/* As vivid_ext_queue_reap(): vb2 has dropped the memory without buf_cleanup. */
static void reap_queue(struct vb2_queue *q)
{
	unsigned int i;

	for (i = 0; i < VIDEO_MAX_FRAME; i++) {
		struct vb2_buffer *vb = vb2_get_buffer(q, i);

		if (vb && !vb->planes[0].mem_priv)
			m2m_buf_cleanup(vb);
	}
}

/**
 * vivid_ext_m2m_reap_context - clean up after a QBUF or request that failed
 * @ctx: the open file
 *
 * Under the converter's lock; also before anything is freed.
 */
void vivid_ext_m2m_reap_context(struct vivid_ext_m2m_context *ctx)
{
	reap_queue(v4l2_m2m_get_src_vq(ctx->fh.m2m_ctx));
	reap_queue(v4l2_m2m_get_dst_vq(ctx->fh.m2m_ctx));
}

static int m2m_buf_out_validate(struct vb2_buffer *vb)
{
	to_vb2_v4l2_buffer(vb)->field = V4L2_FIELD_NONE;
	return 0;
}

static int m2m_buf_prepare(struct vb2_buffer *vb)
{
	struct vivid_ext_m2m_context *ctx = vb2_get_drv_priv(vb->vb2_queue);
	int ret;

	ret = vivid_ext_inject_call(&ctx->inject, VIVID_EXT_ERROR_BUF_PREPARE);
	return ret ?: vivid_ext_format_check(m2m_format_of(ctx, vb->type),
					     ctx->m2m->dev, vb);
}

static void m2m_buf_queue(struct vb2_buffer *vb)
{
	struct vivid_ext_m2m_context *ctx = vb2_get_drv_priv(vb->vb2_queue);

	v4l2_m2m_buf_queue(ctx->fh.m2m_ctx, to_vb2_v4l2_buffer(vb));
}

static void m2m_buf_request_complete(struct vb2_buffer *vb)
{
	struct vivid_ext_m2m_context *ctx = vb2_get_drv_priv(vb->vb2_queue);

	v4l2_ctrl_request_complete(vb->req_obj.req, &ctx->handler);
}

/* Give all that waits in a queue back to vb2. */
static void m2m_return(struct vb2_queue *q, enum vb2_buffer_state state)
{
	struct vivid_ext_m2m_context *ctx = vb2_get_drv_priv(q);
	struct vb2_v4l2_buffer *vb;

	for (;;) {
		if (V4L2_TYPE_IS_OUTPUT(q->type))
			vb = v4l2_m2m_src_buf_remove(ctx->fh.m2m_ctx);
		else
			vb = v4l2_m2m_dst_buf_remove(ctx->fh.m2m_ctx);
		if (!vb)
			return;
		/* Who stays queued gets its turn when streaming starts. */
		if (state != VB2_BUF_STATE_QUEUED)
			v4l2_ctrl_request_complete(vb->vb2_buf.req_obj.req,
						   &ctx->handler);
		v4l2_m2m_buf_done(vb, state);
	}
}

static int m2m_start(struct vb2_queue *q, unsigned int count)
{
	struct vivid_ext_m2m_context *ctx = vb2_get_drv_priv(q);
	int ret;

	ret = vivid_ext_inject_call(&ctx->inject, VIVID_EXT_ERROR_START);
	if (ret)
		m2m_return(q, VB2_BUF_STATE_QUEUED);
	else if (V4L2_TYPE_IS_OUTPUT(q->type))
		ctx->sequence = vivid_ext_inject_sequence(&ctx->inject);
	return ret;
}

/* No job runs any more. */
static void m2m_stop(struct vb2_queue *q)
{
	m2m_return(q, VB2_BUF_STATE_ERROR);
}

static const struct vb2_ops m2m_queue_ops = {
	.queue_setup = m2m_queue_setup,
	.buf_init = m2m_buf_init,
	.buf_cleanup = m2m_buf_cleanup,
	.buf_out_validate = m2m_buf_out_validate,
	.buf_prepare = m2m_buf_prepare,
	.buf_finish = vb2_dmabuf_buf_finish,
	.buf_queue = m2m_buf_queue,
	.buf_request_complete = m2m_buf_request_complete,
	.start_streaming = m2m_start,
	.stop_streaming = m2m_stop,
	VDB_VB2_OPS_WAIT
};

static int init_queue(struct vivid_ext_m2m_context *ctx, struct vb2_queue *q,
		      u32 type)
{
	q->type = type;
	q->io_modes = VB2_MMAP | VB2_DMABUF;
	q->drv_priv = ctx;
	q->buf_struct_size = sizeof(struct m2m_buffer);
	q->ops = &m2m_queue_ops;
	q->timestamp_flags = V4L2_BUF_FLAG_TIMESTAMP_COPY;
	q->allow_cache_hints = 1;
	q->supports_requests = V4L2_TYPE_IS_OUTPUT(type);
	q->lock = &ctx->m2m->lock;
	vivid_ext_access_init(q, ctx->m2m->dev, &ctx->m2m->config);
	return vb2_queue_init(q);
}

/**
 * vivid_ext_m2m_init_queues - make a context's queues, as mem2mem asks
 * @priv: the context
 * @src: gets pictures
 * @dst: gives them
 *
 * Return: 0 or vb2's error.
 */
int vivid_ext_m2m_init_queues(void *priv, struct vb2_queue *src,
			      struct vb2_queue *dst)
{
	struct vivid_ext_m2m_context *ctx = priv;
	bool multiplanar = ctx->m2m->config.multiplanar;
	int ret;

	ret = init_queue(ctx, src, multiplanar ?
			 V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE :
			 V4L2_BUF_TYPE_VIDEO_OUTPUT);
	if (ret)
		return ret;
	return init_queue(ctx, dst, multiplanar ?
			  V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE :
			  V4L2_BUF_TYPE_VIDEO_CAPTURE);
}
