// SPDX-License-Identifier: GPL-2.0-only
/*
 * What becomes of one picture in the converter.
 */
#include <media/v4l2-ctrls.h>
#include <media/v4l2-mem2mem.h>

#include "context.h"
#include "picture/convert.h"
#include "picture/stamp.h"

static void set_conversion(struct vivid_ext_m2m_context *ctx,
			   struct vivid_ext_conversion *how)
{
	const struct m2m_colours *colours = &ctx->colours;
	u32 enc = colours->ycbcr_enc;

	if (enc == V4L2_YCBCR_ENC_DEFAULT)
		enc = V4L2_MAP_YCBCR_ENC_DEFAULT(colours->colorspace);
	how->colours.bt601 = enc == V4L2_YCBCR_ENC_601 ||
			     enc == V4L2_YCBCR_ENC_XV601;
	how->colours.full =
		colours->quantization == V4L2_QUANTIZATION_FULL_RANGE;
	how->hflip = v4l2_ctrl_g_ctrl(ctx->hflip);
	how->vflip = v4l2_ctrl_g_ctrl(ctx->vflip);
}

static void count_side(struct vivid_ext_m2m *m2m, struct vb2_v4l2_buffer *vb,
		       size_t bytes)
{
	const struct vivid_ext_access *access = m2m_access_of(vb);

	if (vb->vb2_buf.memory == VB2_MEMORY_DMABUF)
		m2m->stats.imported++;
	if (!access->by_cpu)
		return;
	m2m->stats.bytes_copied += bytes;
	vivid_ext_access_reason(access, m2m->reasons)->frames++;
}

static void count(struct vivid_ext_m2m *m2m, struct vb2_v4l2_buffer *src,
		  struct vb2_v4l2_buffer *dst,
		  const struct vivid_ext_frame *from,
		  const struct vivid_ext_frame *to)
{
	struct vivid_ext_m2m_stats *stats = &m2m->stats;

	spin_lock(&m2m->stats_lock);
	stats->frames++;
	if (m2m_access_of(src)->by_cpu || m2m_access_of(dst)->by_cpu)
		stats->fallback++;
	else
		stats->zero_copy++;
	stats->bytes_read += vivid_ext_frame_bytes(from);
	stats->bytes_written += vivid_ext_frame_bytes(to);
	count_side(m2m, src, vivid_ext_frame_bytes(from));
	count_side(m2m, dst, vivid_ext_frame_bytes(to));
	spin_unlock(&m2m->stats_lock);
}

/* Return: whether the old picture has a stamp, which is the new one's then. */
static bool check_stamp(struct vivid_ext_m2m *m2m,
			const struct vivid_ext_frame *from,
			struct vivid_ext_stamp *stamp)
{
	bool stamped = !vivid_ext_stamp_read(from, stamp);
	bool whole = stamped &&
		     vivid_ext_stamp_checksum(from) == stamp->checksum;

	spin_lock(&m2m->stats_lock);
	if (stamped)
		m2m->stats.stamps_read++;
	else
		m2m->stats.stamps_missing++;
	if (stamped && !whole)
		m2m->stats.mismatches++;
	spin_unlock(&m2m->stats_lock);
	return whole;
}

/* Both buffers may be touched. */
static int convert(struct vivid_ext_m2m_context *ctx,
		   struct vb2_v4l2_buffer *src, struct vb2_v4l2_buffer *dst)
{
	struct vivid_ext_conversion how;
	struct vivid_ext_frame from, to;
	struct vivid_ext_stamp stamp;
	int ret;

	set_conversion(ctx, &how);
	vivid_ext_access_frame(m2m_access_of(src), &src->vb2_buf, &ctx->old, &from);
	vivid_ext_access_frame(m2m_access_of(dst), &dst->vb2_buf, &ctx->new, &to);
	ret = vivid_ext_convert(&to, &from, &how);
	if (ret)
		return ret;
	/* Who looks at the new picture shall be able to tell that it's whole. */
	if (check_stamp(ctx->m2m, &from, &stamp))
		vivid_ext_stamp_write(&to, stamp.sequence);
	count(ctx->m2m, src, dst, &from, &to);
	return 0;
}

static int convert_bracketed(struct vivid_ext_m2m_context *ctx,
			     struct vb2_v4l2_buffer *src,
			     struct vb2_v4l2_buffer *dst)
{
	int ret = 0, err;

	if (vivid_ext_inject_frame(&ctx->inject, VIVID_EXT_ERROR_DMA))
		ret = vivid_ext_access_stray(m2m_access_of(dst), &dst->vb2_buf);
	if (ret)
		return ret;
	ret = vivid_ext_access_begin(m2m_access_of(src), &src->vb2_buf);
	if (ret)
		return ret;
	ret = vivid_ext_access_begin(m2m_access_of(dst), &dst->vb2_buf);
	if (ret)
		goto end_src;
	ret = convert(ctx, src, dst);
	err = vivid_ext_access_end(m2m_access_of(dst), &dst->vb2_buf);
	ret = ret ?: err;
end_src:
	err = vivid_ext_access_end(m2m_access_of(src), &src->vb2_buf);
	if (!ret && !err &&
	    vivid_ext_inject_frame(&ctx->inject, VIVID_EXT_ERROR_FRAME))
		return -EIO;
	return ret ?: err;
}

/**
 * vivid_ext_m2m_run - do one job
 * @ctx: whose turn mem2mem says it is
 *
 * Process context, without locks: who ends a stream waits for the job under
 * the converter's lock.
 */
void vivid_ext_m2m_run(struct vivid_ext_m2m_context *ctx)
{
	struct vivid_ext_m2m *m2m = ctx->m2m;
	enum vb2_buffer_state state = VB2_BUF_STATE_DONE;
	struct vb2_v4l2_buffer *src, *dst;
	struct media_request *req;

	src = v4l2_m2m_next_src_buf(ctx->fh.m2m_ctx);
	dst = v4l2_m2m_next_dst_buf(ctx->fh.m2m_ctx);
	req = src->vb2_buf.req_obj.req;
	v4l2_ctrl_request_setup(req, &ctx->handler);
	vivid_ext_inject_disconnect(&ctx->inject, m2m->dev);
	if (convert_bracketed(ctx, src, dst)) {
		spin_lock(&m2m->stats_lock);
		m2m->stats.errors++;
		spin_unlock(&m2m->stats_lock);
		state = VB2_BUF_STATE_ERROR;
	}
	vdb_v4l2_m2m_copy_metadata(src, dst);
	src->sequence = ctx->sequence;
	dst->sequence = ctx->sequence++;
	dst->field = V4L2_FIELD_NONE;
	v4l2_ctrl_request_complete(req, &ctx->handler);

	/*
	 * Both at once, and what was captured first: who waits for the request,
	 * or for what was output, finds the picture.
	 */
	v4l2_m2m_buf_done_and_job_finish(m2m->m2m_dev, ctx->fh.m2m_ctx, state);
}
