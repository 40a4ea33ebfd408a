// SPDX-License-Identifier: GPL-2.0-only
/*
 * The converter's ioctls: formats, and what needs more than mem2mem's helpers.
 */
#include <media/v4l2-event.h>
#include <media/v4l2-ioctl.h>
#include <media/v4l2-mem2mem.h>

#include "context.h"

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
	struct vivid_ext_m2m_context *ctx = to_m2m_context(file);

	if (!queue_of(ctx, f->type))
		return -EINVAL;
	fill_format(m2m_format_of(ctx, f->type), &ctx->colours, f);
	return 0;
}

static int m2m_try_fmt(struct file *file, void *priv, struct v4l2_format *f)
{
	struct vivid_ext_m2m_context *ctx = to_m2m_context(file);
	struct vivid_ext_format fmt;
	struct m2m_colours colours;

	if (!queue_of(ctx, f->type))
		return -EINVAL;
	try_format(ctx, &fmt, &colours, f);
	return 0;
}

static int m2m_s_fmt(struct file *file, void *priv, struct v4l2_format *f)
{
	struct vivid_ext_m2m_context *ctx = to_m2m_context(file);
	struct vb2_queue *q = queue_of(ctx, f->type);

	if (!q)
		return -EINVAL;
	if (vb2_is_busy(q))
		return -EBUSY;
	try_format(ctx, m2m_format_of(ctx, f->type), &ctx->colours, f);
	return 0;
}

static int m2m_qbuf(struct file *file, void *priv, struct v4l2_buffer *b)
{
	int ret = v4l2_m2m_ioctl_qbuf(file, priv, b);

	if (ret)
		vivid_ext_m2m_reap_context(to_m2m_context(file));
	return ret;
}

/*
 * A request that is being refused may not have come to vivid_ext_m2m_reap()
 * yet: not all kernels keep REQBUFS waiting for that.
 */
static void reap_before_free(struct file *file)
{
	vivid_ext_m2m_reap_context(to_m2m_context(file));
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
		vivid_ext_m2m_reap_context(to_m2m_context(file));
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
