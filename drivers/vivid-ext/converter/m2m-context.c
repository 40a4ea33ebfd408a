// SPDX-License-Identifier: GPL-2.0-only
/*
 * A use of the converter: an open file with its two queues, formats and
 * controls, and what becomes of one picture.
 */
#include <linux/module.h>
#include <linux/slab.h>
#include <media/v4l2-ctrls.h>
#include <media/v4l2-event.h>
#include <media/v4l2-fh.h>
#include <media/v4l2-ioctl.h>
#include <media/v4l2-mem2mem.h>
#include <media/videobuf2-dmabuf.h>
#include <media/videobuf2-v4l2.h>

#include "../../media/videobuf2-dmabuf/compat.h"
#include "m2m.h"
#include "picture/convert.h"
#include "picture/stamp.h"
#include "v4l2/access.h"
#include "v4l2/inject.h"

/* Time stamps are copied, and no picture is dropped. */
#define M2M_ERRORS (BIT(VIVID_EXT_ERROR_QUEUE_SETUP) | \
		    BIT(VIVID_EXT_ERROR_BUF_PREPARE) | \
		    BIT(VIVID_EXT_ERROR_START) | \
		    BIT(VIVID_EXT_ERROR_FRAME) | \
		    BIT(VIVID_EXT_ERROR_DMA) | \
		    BIT(VIVID_EXT_ERROR_DISCONNECT) | \
		    BIT(VIVID_EXT_ERROR_SEQUENCE))

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

static struct vivid_ext_m2m_context *to_context(struct file *file)
{
	return container_of((struct v4l2_fh *)file->private_data,
			    struct vivid_ext_m2m_context, fh);
}

static struct vivid_ext_access *access_of(struct vb2_v4l2_buffer *vb)
{
	struct v4l2_m2m_buffer *base =
		container_of(vb, struct v4l2_m2m_buffer, vb);

	return &container_of(base, struct m2m_buffer, base)->access;
}

static struct vivid_ext_format *format_of(struct vivid_ext_m2m_context *ctx,
					  u32 type)
{
	return V4L2_TYPE_IS_OUTPUT(type) ? &ctx->old : &ctx->new;
}

/* The picture: from one buffer to the other. */

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
	const struct vivid_ext_access *access = access_of(vb);

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
	if (access_of(src)->by_cpu || access_of(dst)->by_cpu)
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
	vivid_ext_access_frame(access_of(src), &src->vb2_buf, &ctx->old, &from);
	vivid_ext_access_frame(access_of(dst), &dst->vb2_buf, &ctx->new, &to);
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
		ret = vivid_ext_access_stray(access_of(dst), &dst->vb2_buf);
	if (ret)
		return ret;
	ret = vivid_ext_access_begin(access_of(src), &src->vb2_buf);
	if (ret)
		return ret;
	ret = vivid_ext_access_begin(access_of(dst), &dst->vb2_buf);
	if (ret)
		goto end_src;
	ret = convert(ctx, src, dst);
	err = vivid_ext_access_end(access_of(dst), &dst->vb2_buf);
	ret = ret ?: err;
end_src:
	err = vivid_ext_access_end(access_of(src), &src->vb2_buf);
	if (!ret && !err &&
	    vivid_ext_inject_frame(&ctx->inject, VIVID_EXT_ERROR_FRAME))
		return -EIO;
	return ret ?: err;
}

/**
 * vivid_ext_m2m_of - the converter of a context
 * @ctx: the context
 *
 * Any context. Return: the converter.
 */
struct vivid_ext_m2m *vivid_ext_m2m_of(struct vivid_ext_m2m_context *ctx)
{
	return ctx->m2m;
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

/* The queues. */

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
	return vivid_ext_format_setup(format_of(ctx, q->type), ctx->m2m->dev,
				      num_planes, sizes);
}

static int m2m_buf_init(struct vb2_buffer *vb)
{
	struct vivid_ext_m2m_context *ctx = vb2_get_drv_priv(vb->vb2_queue);
	struct vivid_ext_access *access = access_of(to_vb2_v4l2_buffer(vb));
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
	vivid_ext_access_close(access_of(to_vb2_v4l2_buffer(vb)));
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

/* Under the converter's lock; also before anything is freed. */
static void reap(struct vivid_ext_m2m_context *ctx)
{
	reap_queue(v4l2_m2m_get_src_vq(ctx->fh.m2m_ctx));
	reap_queue(v4l2_m2m_get_dst_vq(ctx->fh.m2m_ctx));
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
		reap(ctx);
	mutex_unlock(&m2m->lock);
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
	return ret ?: vivid_ext_format_check(format_of(ctx, vb->type),
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

static int init_queues(void *priv, struct vb2_queue *src, struct vb2_queue *dst)
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

/* The ioctls. */

static int m2m_querycap(struct file *file, void *priv,
			struct v4l2_capability *cap)
{
	struct vivid_ext_m2m *m2m = video_drvdata(file);

	strscpy(cap->driver, VIVID_EXT_M2M_NAME, sizeof(cap->driver));
	strscpy(cap->card, m2m->vdev.name, sizeof(cap->card));
	return 0;
}

/* What a sensor sees is the camera's: vivid_ext_convert() doesn't know it. */
static bool is_raw(u32 fourcc)
{
	const struct vivid_ext_layout *layout = vivid_ext_layout_of(fourcc);

	return layout && layout->raw_bits;
}

/* Raw formats come last. */
static int m2m_enum_fmt(struct file *file, void *priv, struct v4l2_fmtdesc *f)
{
	f->pixelformat = vivid_ext_format_enum(f->index,
					       V4L2_TYPE_IS_MULTIPLANAR(f->type));
	return f->pixelformat && !is_raw(f->pixelformat) ? 0 : -EINVAL;
}

static int m2m_enum_framesizes(struct file *file, void *priv,
			       struct v4l2_frmsizeenum *e)
{
	struct vivid_ext_m2m *m2m = video_drvdata(file);

	if (is_raw(e->pixel_format))
		return -EINVAL;
	return vivid_ext_format_sizes(e, m2m->config.multiplanar);
}

static void fill_format(const struct vivid_ext_format *fmt,
			const struct m2m_colours *colours,
			struct v4l2_format *f)
{
	vivid_ext_format_fill(fmt, f);
	if (V4L2_TYPE_IS_MULTIPLANAR(f->type)) {
		f->fmt.pix_mp.colorspace = colours->colorspace;
		f->fmt.pix_mp.xfer_func = colours->xfer_func;
		f->fmt.pix_mp.ycbcr_enc = colours->ycbcr_enc;
		f->fmt.pix_mp.quantization = colours->quantization;
	} else {
		f->fmt.pix.colorspace = colours->colorspace;
		f->fmt.pix.xfer_func = colours->xfer_func;
		f->fmt.pix.ycbcr_enc = colours->ycbcr_enc;
		f->fmt.pix.quantization = colours->quantization;
	}
}

static void take_colours(struct m2m_colours *colours,
			 const struct v4l2_format *f)
{
	if (V4L2_TYPE_IS_MULTIPLANAR(f->type)) {
		colours->colorspace = f->fmt.pix_mp.colorspace;
		colours->xfer_func = f->fmt.pix_mp.xfer_func;
		colours->ycbcr_enc = f->fmt.pix_mp.ycbcr_enc;
		colours->quantization = f->fmt.pix_mp.quantization;
	} else {
		colours->colorspace = f->fmt.pix.colorspace;
		colours->xfer_func = f->fmt.pix.xfer_func;
		colours->ycbcr_enc = f->fmt.pix.ycbcr_enc;
		colours->quantization = f->fmt.pix.quantization;
	}
}

/* Whoever gives pictures says what their colours mean; the default is ours. */
static void try_format(struct vivid_ext_m2m_context *ctx,
		       struct vivid_ext_format *fmt,
		       struct m2m_colours *colours, struct v4l2_format *f)
{
	*colours = ctx->colours;
	if (V4L2_TYPE_IS_OUTPUT(f->type))
		take_colours(colours, f);
	/* It lies at the same place in either API's format. */
	if (is_raw(f->fmt.pix.pixelformat))
		f->fmt.pix.pixelformat = 0;
	vivid_ext_format_try(fmt, f);
	if (!colours->colorspace || colours->colorspace >= V4L2_COLORSPACE_LAST)
		colours->colorspace = vivid_ext_format_colorspace(fmt);
	fill_format(fmt, colours, f);
}

static struct vb2_queue *queue_of(struct vivid_ext_m2m_context *ctx, u32 type)
{
	struct vb2_queue *q = v4l2_m2m_get_vq(ctx->fh.m2m_ctx, type);

	/* It takes the other API's type for that of its own. */
	return q->type == type ? q : NULL;
}

static int m2m_g_fmt(struct file *file, void *priv, struct v4l2_format *f)
{
	struct vivid_ext_m2m_context *ctx = to_context(file);

	if (!queue_of(ctx, f->type))
		return -EINVAL;
	fill_format(format_of(ctx, f->type), &ctx->colours, f);
	return 0;
}

static int m2m_try_fmt(struct file *file, void *priv, struct v4l2_format *f)
{
	struct vivid_ext_m2m_context *ctx = to_context(file);
	struct vivid_ext_format fmt;
	struct m2m_colours colours;

	if (!queue_of(ctx, f->type))
		return -EINVAL;
	try_format(ctx, &fmt, &colours, f);
	return 0;
}

static int m2m_s_fmt(struct file *file, void *priv, struct v4l2_format *f)
{
	struct vivid_ext_m2m_context *ctx = to_context(file);
	struct vb2_queue *q = queue_of(ctx, f->type);

	if (!q)
		return -EINVAL;
	if (vb2_is_busy(q))
		return -EBUSY;
	try_format(ctx, format_of(ctx, f->type), &ctx->colours, f);
	return 0;
}

static int m2m_qbuf(struct file *file, void *priv, struct v4l2_buffer *b)
{
	int ret = v4l2_m2m_ioctl_qbuf(file, priv, b);

	if (ret)
		reap(to_context(file));
	return ret;
}

/*
 * A request that is being refused may not have come to vivid_ext_m2m_reap()
 * yet: not all kernels keep REQBUFS waiting for that.
 */
static void reap_before_free(struct file *file)
{
	reap(to_context(file));
}

static int m2m_reqbufs(struct file *file, void *priv,
		       struct v4l2_requestbuffers *b)
{
	reap_before_free(file);
	return v4l2_m2m_ioctl_reqbufs(file, priv, b);
}

VDB_DEFINE_M2M_REMOVE_BUFS(m2m_remove_bufs, reap_before_free)

static int m2m_prepare_buf(struct file *file, void *priv, struct v4l2_buffer *b)
{
	int ret = v4l2_m2m_ioctl_prepare_buf(file, priv, b);

	if (ret)
		reap(to_context(file));
	return ret;
}

const struct v4l2_ioctl_ops vivid_ext_m2m_ioctl_ops = {
	.vidioc_querycap = m2m_querycap,
	.vidioc_enum_framesizes = m2m_enum_framesizes,
	.vidioc_enum_fmt_vid_cap = m2m_enum_fmt,
	.vidioc_g_fmt_vid_cap = m2m_g_fmt,
	.vidioc_try_fmt_vid_cap = m2m_try_fmt,
	.vidioc_s_fmt_vid_cap = m2m_s_fmt,
	.vidioc_g_fmt_vid_cap_mplane = m2m_g_fmt,
	.vidioc_try_fmt_vid_cap_mplane = m2m_try_fmt,
	.vidioc_s_fmt_vid_cap_mplane = m2m_s_fmt,
	.vidioc_enum_fmt_vid_out = m2m_enum_fmt,
	.vidioc_g_fmt_vid_out = m2m_g_fmt,
	.vidioc_try_fmt_vid_out = m2m_try_fmt,
	.vidioc_s_fmt_vid_out = m2m_s_fmt,
	.vidioc_g_fmt_vid_out_mplane = m2m_g_fmt,
	.vidioc_try_fmt_vid_out_mplane = m2m_try_fmt,
	.vidioc_s_fmt_vid_out_mplane = m2m_s_fmt,
	.vidioc_reqbufs = m2m_reqbufs,
	.vidioc_create_bufs = v4l2_m2m_ioctl_create_bufs,
	.vidioc_prepare_buf = m2m_prepare_buf,
	.vidioc_querybuf = v4l2_m2m_ioctl_querybuf,
	.vidioc_qbuf = m2m_qbuf,
	.vidioc_dqbuf = v4l2_m2m_ioctl_dqbuf,
	.vidioc_expbuf = v4l2_m2m_ioctl_expbuf,
	.vidioc_streamon = v4l2_m2m_ioctl_streamon,
	.vidioc_streamoff = v4l2_m2m_ioctl_streamoff,
	VDB_IOCTL_M2M_REMOVE_BUFS(m2m_remove_bufs)
	.vidioc_log_status = v4l2_ctrl_log_status,
	.vidioc_subscribe_event = v4l2_ctrl_subscribe_event,
	.vidioc_unsubscribe_event = v4l2_event_unsubscribe,
};

/* Coming and going. */

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
	ctx->fh.m2m_ctx = v4l2_m2m_ctx_init(m2m->m2m_dev, ctx, init_queues);
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
	struct vivid_ext_m2m_context *ctx = to_context(file);
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
