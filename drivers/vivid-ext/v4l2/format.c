// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pixel formats: what there is, and how a frame lies in a buffer. Everything
 * about sizes is decided here; the single- and the multi-planar API differ
 * only in how it is told.
 */
#include <linux/device.h>
#include <linux/dma-buf.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/videodev2.h>
#include <media/videobuf2-core.h>

#include "format.h"
#include "picture/stamp.h"

/* No line is longer in memory, whatever the user wishes. */
#define MAX_STRIDE	65536

/* In the order in which they are enumerated; the first is the default. */
static const struct {
	u32 fourcc;
	u8 num_mem;
} formats[] = {
	{ V4L2_PIX_FMT_YUYV, 1 },
	{ V4L2_PIX_FMT_UYVY, 1 },
	{ V4L2_PIX_FMT_YVYU, 1 },
	{ V4L2_PIX_FMT_NV12, 1 },
	{ V4L2_PIX_FMT_NV16, 1 },
	{ V4L2_PIX_FMT_NV12M, 2 },
	{ V4L2_PIX_FMT_RGB24, 1 },
	{ V4L2_PIX_FMT_BGR24, 1 },
	{ V4L2_PIX_FMT_XBGR32, 1 },
	{ V4L2_PIX_FMT_RGBX32, 1 },
	{ V4L2_PIX_FMT_BGRX32, 1 },
	{ V4L2_PIX_FMT_XRGB32, 1 },
	{ V4L2_PIX_FMT_SRGGB8, 1 },
	{ V4L2_PIX_FMT_SGRBG8, 1 },
	{ V4L2_PIX_FMT_SGBRG8, 1 },
	{ V4L2_PIX_FMT_SBGGR8, 1 },
	{ V4L2_PIX_FMT_SRGGB10, 1 },
	{ V4L2_PIX_FMT_SGRBG10, 1 },
	{ V4L2_PIX_FMT_SGBRG10, 1 },
	{ V4L2_PIX_FMT_SBGGR10, 1 },
};

static int format_find(u32 fourcc, bool multiplanar)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(formats); i++)
		if (formats[i].fourcc == fourcc &&
		    (multiplanar || formats[i].num_mem == 1))
			return i;
	return -1;
}

/**
 * vivid_ext_format_enum - list the formats
 * @index: from 0
 * @multiplanar: for a node that speaks the multi-planar API
 *
 * Return: the fourcc, 0 after the last one.
 */
u32 vivid_ext_format_enum(unsigned int index, bool multiplanar)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(formats); i++)
		if (multiplanar || formats[i].num_mem == 1)
			if (!index--)
				return formats[i].fourcc;
	return 0;
}
EXPORT_SYMBOL_GPL(vivid_ext_format_enum);

/**
 * vivid_ext_format_known - is this one of the formats?
 * @fourcc: V4L2's code
 * @multiplanar: for a node that speaks the multi-planar API
 *
 * Return: true if vivid_ext_format_enum() lists it.
 */
bool vivid_ext_format_known(u32 fourcc, bool multiplanar)
{
	return format_find(fourcc, multiplanar) >= 0;
}
EXPORT_SYMBOL_GPL(vivid_ext_format_known);

/**
 * vivid_ext_format_sizes - for VIDIOC_ENUM_FRAMESIZES
 * @e: index and format are looked at, the rest filled in
 * @multiplanar: for a node that speaks the multi-planar API
 *
 * Return: 0, or -EINVAL for an unknown format and after the only range.
 */
int vivid_ext_format_sizes(struct v4l2_frmsizeenum *e, bool multiplanar)
{
	if (e->index || !vivid_ext_format_known(e->pixel_format, multiplanar))
		return -EINVAL;
	e->type = V4L2_FRMSIZE_TYPE_STEPWISE;
	e->stepwise.min_width = VIVID_EXT_MIN_WIDTH;
	e->stepwise.max_width = VIVID_EXT_MAX_WIDTH;
	e->stepwise.step_width = VIVID_EXT_SIZE_STEP;
	e->stepwise.min_height = VIVID_EXT_MIN_HEIGHT;
	e->stepwise.max_height = VIVID_EXT_MAX_HEIGHT;
	e->stepwise.step_height = VIVID_EXT_SIZE_STEP;
	return 0;
}
EXPORT_SYMBOL_GPL(vivid_ext_format_sizes);

/* Lines of padding make no sense to the readers: a stride is all there is. */
static u32 format_stride(const struct vivid_ext_format *fmt, unsigned int mem,
			 u32 wish)
{
	u32 min = vivid_ext_line_bytes(fmt->layout, mem, fmt->width);

	if (wish <= min || wish > MAX_STRIDE)
		return min;
	return round_up(wish, 4);
}

static void format_sizes(struct vivid_ext_format *fmt, const u32 *wish)
{
	unsigned int planes = fmt->layout->planes, m, p;

	for (m = 0; m < fmt->num_mem; m++) {
		fmt->stride[m] = format_stride(fmt, m, wish[m]);
		fmt->size[m] = fmt->stride[m] *
			vivid_ext_plane_lines(fmt->layout, m, fmt->height);
	}
	/* Planes without memory of their own follow in the last piece. */
	for (p = m; p < planes; p++)
		fmt->size[m - 1] += fmt->stride[m - 1] *
			vivid_ext_plane_lines(fmt->layout, p, fmt->height);
}

static void format_set(struct vivid_ext_format *fmt, int index, u32 width,
		       u32 height, const u32 *stride)
{
	fmt->layout = vivid_ext_layout_of(formats[index].fourcc);
	fmt->num_mem = formats[index].num_mem;
	/* The subsampled formats and the pattern generator want even sizes. */
	fmt->width = round_down(clamp_t(u32, width, VIVID_EXT_MIN_WIDTH,
					VIVID_EXT_MAX_WIDTH),
				VIVID_EXT_SIZE_STEP);
	fmt->height = round_down(clamp_t(u32, height, VIVID_EXT_MIN_HEIGHT,
					 VIVID_EXT_MAX_HEIGHT),
				 VIVID_EXT_SIZE_STEP);
	format_sizes(fmt, stride);
}

/**
 * vivid_ext_format_default - the format of a new device
 * @fmt: filled in
 *
 * Small enough for 120 frames a second on a machine that is emulated.
 */
void vivid_ext_format_default(struct vivid_ext_format *fmt)
{
	static const u32 no_wish[VIVID_EXT_MAX_MEM];

	format_set(fmt, 0, 640, 360, no_wish);
}
EXPORT_SYMBOL_GPL(vivid_ext_format_default);

/**
 * vivid_ext_format_try - the nearest format to what the user asks for
 * @fmt: filled in
 * @f: the user's; its type says which API
 *
 * An unknown pixel format becomes the default one, as the API wants it.
 */
void vivid_ext_format_try(struct vivid_ext_format *fmt,
			  const struct v4l2_format *f)
{
	bool multiplanar = V4L2_TYPE_IS_MULTIPLANAR(f->type);
	u32 stride[VIVID_EXT_MAX_MEM] = { };
	u32 width, height, fourcc;
	unsigned int m;
	int index;

	if (multiplanar) {
		const struct v4l2_pix_format_mplane *mp = &f->fmt.pix_mp;

		fourcc = mp->pixelformat;
		width = mp->width;
		height = mp->height;
		for (m = 0; m < VIVID_EXT_MAX_MEM; m++)
			stride[m] = mp->plane_fmt[m].bytesperline;
	} else {
		fourcc = f->fmt.pix.pixelformat;
		width = f->fmt.pix.width;
		height = f->fmt.pix.height;
		stride[0] = f->fmt.pix.bytesperline;
	}
	index = format_find(fourcc, multiplanar);
	format_set(fmt, max(index, 0), width, height, stride);
}
EXPORT_SYMBOL_GPL(vivid_ext_format_try);

/**
 * vivid_ext_format_colorspace - the colours of a format
 * @fmt: the format
 *
 * Transfer function, encoding and range are the colour space's defaults.
 *
 * Return: sRGB for RGB, Rec. 709 for YUV, none for what a sensor sees.
 */
u32 vivid_ext_format_colorspace(const struct vivid_ext_format *fmt)
{
	if (fmt->layout->raw_bits)
		return V4L2_COLORSPACE_RAW;
	return fmt->layout->rgb ? V4L2_COLORSPACE_SRGB : V4L2_COLORSPACE_REC709;
}
EXPORT_SYMBOL_GPL(vivid_ext_format_colorspace);

static void format_fill_mp(const struct vivid_ext_format *fmt,
			   struct v4l2_pix_format_mplane *mp)
{
	unsigned int m;

	memset(mp, 0, sizeof(*mp));
	mp->width = fmt->width;
	mp->height = fmt->height;
	mp->pixelformat = fmt->layout->fourcc;
	mp->field = V4L2_FIELD_NONE;
	mp->colorspace = vivid_ext_format_colorspace(fmt);
	mp->num_planes = fmt->num_mem;
	for (m = 0; m < fmt->num_mem; m++) {
		mp->plane_fmt[m].bytesperline = fmt->stride[m];
		mp->plane_fmt[m].sizeimage = fmt->size[m];
	}
}

/**
 * vivid_ext_format_fill - tell the user about a format
 * @fmt: the format
 * @f: its type says which API; the rest is filled in
 */
void vivid_ext_format_fill(const struct vivid_ext_format *fmt,
			   struct v4l2_format *f)
{
	struct v4l2_pix_format *pix = &f->fmt.pix;

	if (V4L2_TYPE_IS_MULTIPLANAR(f->type)) {
		format_fill_mp(fmt, &f->fmt.pix_mp);
		return;
	}
	memset(pix, 0, sizeof(*pix));
	pix->width = fmt->width;
	pix->height = fmt->height;
	pix->pixelformat = fmt->layout->fourcc;
	pix->field = V4L2_FIELD_NONE;
	pix->bytesperline = fmt->stride[0];
	pix->sizeimage = fmt->size[0];
	pix->colorspace = vivid_ext_format_colorspace(fmt);
	pix->priv = V4L2_PIX_FMT_PRIV_MAGIC;
}
EXPORT_SYMBOL_GPL(vivid_ext_format_fill);

/**
 * vivid_ext_format_frame - find the planes of a frame in memory
 * @fmt: the format
 * @mem: where each piece of memory begins
 * @frame: filled in
 */
void vivid_ext_format_frame(const struct vivid_ext_format *fmt,
			    void *const mem[VIVID_EXT_MAX_MEM],
			    struct vivid_ext_frame *frame)
{
	void *next = NULL;
	unsigned int p;

	frame->fourcc = fmt->layout->fourcc;
	frame->width = fmt->width;
	frame->height = fmt->height;
	frame->num_planes = fmt->layout->planes;
	for (p = 0; p < frame->num_planes; p++) {
		unsigned int m = min(p, fmt->num_mem - 1);

		frame->plane[p] = m == p ? mem[p] : next;
		frame->stride[p] = fmt->stride[m];
		next = frame->plane[p] + frame->stride[p] *
			vivid_ext_plane_lines(fmt->layout, p, fmt->height);
	}
}
EXPORT_SYMBOL_GPL(vivid_ext_format_frame);

static int check_size(const struct vivid_ext_format *fmt, struct device *dev,
		      unsigned int m, unsigned long size)
{
	if (size >= fmt->size[m])
		return 0;
	dev_warn_ratelimited(dev, "plane %u has %lu bytes, a frame needs %u\n",
			     m, size, fmt->size[m]);
	return -EINVAL;
}

/**
 * vivid_ext_format_setup - for vb2_ops.queue_setup
 * @fmt: the queue's format
 * @dev: for messages
 * @num_planes: of the buffers to come; 0 is filled in
 * @sizes: theirs, checked if given and filled in if not
 *
 * Process context. Return: 0, or -EINVAL for too few or too small planes.
 */
int vivid_ext_format_setup(const struct vivid_ext_format *fmt,
			   struct device *dev, unsigned int *num_planes,
			   unsigned int sizes[])
{
	unsigned int m;
	int ret;

	if (!*num_planes) {
		*num_planes = fmt->num_mem;
		for (m = 0; m < fmt->num_mem; m++)
			sizes[m] = fmt->size[m];
		return 0;
	}
	if (*num_planes != fmt->num_mem)
		return -EINVAL;
	for (m = 0; m < fmt->num_mem; m++) {
		ret = check_size(fmt, dev, m, sizes[m]);
		if (ret)
			return ret;
	}
	return 0;
}
EXPORT_SYMBOL_GPL(vivid_ext_format_setup);

/*
 * The length of an imported plane is the user's word. The allocators compare
 * it with the dma-buf, but vb2 does not ask them when two planes share one.
 */
static int check_import(struct device *dev, struct vb2_buffer *vb,
			unsigned int m)
{
	struct dma_buf *dbuf = vb->planes[m].dbuf;

	if (vb->memory != VB2_MEMORY_DMABUF ||
	    vb2_plane_size(vb, m) <= dbuf->size)
		return 0;
	dev_warn_ratelimited(dev, "plane %u: length %lu, but the dma-buf has %zu bytes\n",
			     m, vb2_plane_size(vb, m), dbuf->size);
	return -EINVAL;
}

/* An output frame begins somewhere in its buffer, and ends where it says. */
static unsigned long frame_bytes(struct vb2_buffer *vb, unsigned int m)
{
	if (V4L2_TYPE_IS_CAPTURE(vb->type))
		return vb2_plane_size(vb, m);
	return vb2_get_plane_payload(vb, m) - vb->planes[m].data_offset;
}

/**
 * vivid_ext_format_check - for vb2_ops.buf_prepare
 * @fmt: the queue's format
 * @dev: for messages
 * @vb: must have room for a frame, or, to be output, have one in it
 *
 * Process context. Return: 0, or -EINVAL for what is too small.
 */
int vivid_ext_format_check(const struct vivid_ext_format *fmt,
			   struct device *dev, struct vb2_buffer *vb)
{
	unsigned int m;
	int ret;

	for (m = 0; m < vb->num_planes; m++) {
		ret = check_size(fmt, dev, m, frame_bytes(vb, m));
		if (!ret)
			ret = check_import(dev, vb, m);
		if (ret)
			return ret;
		if (V4L2_TYPE_IS_CAPTURE(vb->type))
			vb2_set_plane_payload(vb, m, fmt->size[m]);
	}
	return 0;
}
EXPORT_SYMBOL_GPL(vivid_ext_format_check);
