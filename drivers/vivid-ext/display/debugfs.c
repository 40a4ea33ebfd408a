// SPDX-License-Identifier: GPL-2.0-only
/*
 * The display's files in debugfs: counters, reasons, imported buffers, and a
 * picture of what was read.
 */
#include <drm/drm_fourcc.h>
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "bus/config.h"
#include "display.h"

static const char * const stat_names[VIVID_EXT_SCANOUT_STATS] = {
	[VIVID_EXT_REFRESHES] = "refreshes",
	[VIVID_EXT_UNDERRUNS] = "underruns",
	[VIVID_EXT_LATE_VBLANKS] = "late_vblanks",
	[VIVID_EXT_FRAMES_SHOWN] = "frames_shown",
	[VIVID_EXT_NATIVE_FRAMES] = "native_frames",
	[VIVID_EXT_ZERO_COPY_FRAMES] = "zero_copy_frames",
	[VIVID_EXT_FALLBACK_FRAMES] = "fallback_frames",
	[VIVID_EXT_DMA_FAULTS] = "dma_faults",
	[VIVID_EXT_BYTES_READ] = "bytes_read",
	[VIVID_EXT_BYTES_COPIED] = "bytes_copied",
	[VIVID_EXT_COPY_ERRORS] = "copy_errors",
	[VIVID_EXT_STAMPS_READ] = "stamps_read",
	[VIVID_EXT_STAMPS_MISSING] = "stamps_missing",
	[VIVID_EXT_CHECKSUM_MISMATCHES] = "checksum_mismatches",
	[VIVID_EXT_FRAMES_OVERWRITTEN] = "frames_overwritten",
	[VIVID_EXT_SEQUENCE_GAPS] = "sequence_gaps",
	[VIVID_EXT_LAST_SEQUENCE] = "last_sequence",
};

static int stats_show(struct seq_file *m, void *unused)
{
	struct vivid_ext_display *display = m->private;
	unsigned int i;

	for (i = 0; i < VIVID_EXT_SCANOUT_STATS; i++)
		seq_printf(m, "%s %llu\n", stat_names[i],
			   (u64)atomic64_read(&display->scanout.stats[i]));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(stats);

static int fallback_reasons_show(struct seq_file *m, void *unused)
{
	struct vivid_ext_display *display = m->private;

	mutex_lock(&display->card.lock);
	vivid_ext_reasons_show(display->card.reasons, m);
	mutex_unlock(&display->card.lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(fallback_reasons);

static int framebuffers_show(struct seq_file *m, void *unused)
{
	vivid_ext_bo_show_all(m->private, m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(framebuffers);

static int bus_show(struct seq_file *m, void *unused)
{
	struct vivid_ext_display *display = m->private;

	mutex_lock(&display->card.lock);
	vivid_ext_bus_show(display->card.drm.dev, m);
	mutex_unlock(&display->card.lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(bus);

/* The snapshot: a PPM file (P6), which nearly every picture tool reads. */

struct picture {
	size_t size;
	u8 bytes[];
};

static u8 clamp_byte(int value)
{
	return clamp(value, 0, 255);
}

/* BT.601, limited range, in 1/256. */
static void put_yuv(u8 *rgb, int y, int u, int v)
{
	y = 298 * (y - 16) + 128;
	u -= 128;
	v -= 128;
	rgb[0] = clamp_byte((y + 409 * v) >> 8);
	rgb[1] = clamp_byte((y - 100 * u - 208 * v) >> 8);
	rgb[2] = clamp_byte((y + 516 * u) >> 8);
}

static void put_line(u8 *rgb, const struct vivid_ext_frame *frame, u32 line)
{
	const u8 *p = frame->plane[0] + (size_t)line * frame->stride[0];
	const u8 *c = NULL;
	u32 x;

	if (frame->num_planes > 1)
		c = frame->plane[1] + (size_t)(line / 2) * frame->stride[1];
	for (x = 0; x < frame->width; x++, rgb += 3) {
		const u8 *pixel = p + x * 4, *pair = p + (x & ~1) * 2;

		switch (frame->fourcc) {
		case DRM_FORMAT_XRGB8888:
		case DRM_FORMAT_ARGB8888:
			rgb[0] = pixel[2];
			rgb[1] = pixel[1];
			rgb[2] = pixel[0];
			break;
		case DRM_FORMAT_XBGR8888:
			rgb[0] = pixel[0];
			rgb[1] = pixel[1];
			rgb[2] = pixel[2];
			break;
		case DRM_FORMAT_YUYV:
			put_yuv(rgb, p[x * 2], pair[1], pair[3]);
			break;
		case DRM_FORMAT_NV12:
			put_yuv(rgb, p[x], c[x & ~1], c[x | 1]);
			break;
		}
	}
}

static struct picture *to_picture(const struct vivid_ext_snapshot *snapshot)
{
	const struct vivid_ext_frame *frame = &snapshot->frame;
	size_t pixels = (size_t)frame->width * frame->height * 3;
	struct picture *picture;
	char header[128];
	u32 line;
	int n;

	n = scnprintf(header, sizeof(header),
		      "P6\n# refresh %llu format %p4cc\n%u %u\n255\n",
		      snapshot->refresh, &frame->fourcc, frame->width,
		      frame->height);
	picture = vmalloc(struct_size(picture, bytes, n + pixels));
	if (!picture)
		return NULL;
	picture->size = n + pixels;
	memcpy(picture->bytes, header, n);
	for (line = 0; line < frame->height; line++) {
		put_line(picture->bytes + n + (size_t)line * frame->width * 3,
			 frame, line);
		cond_resched();
	}
	return picture;
}

static int snapshot_open(struct inode *inode, struct file *file)
{
	struct vivid_ext_display *display = inode->i_private;
	struct vivid_ext_snapshot *snapshot;

	snapshot = vivid_ext_scanout_snapshot(&display->scanout);
	if (IS_ERR(snapshot))
		return PTR_ERR(snapshot);
	file->private_data = to_picture(snapshot);
	vivid_ext_snapshot_free(snapshot);
	return file->private_data ? 0 : -ENOMEM;
}

static ssize_t snapshot_read(struct file *file, char __user *buf, size_t count,
			     loff_t *pos)
{
	struct picture *picture = file->private_data;

	return simple_read_from_buffer(buf, count, pos, picture->bytes,
				       picture->size);
}

static int snapshot_release(struct inode *inode, struct file *file)
{
	vfree(file->private_data);
	return 0;
}

static const struct file_operations snapshot_fops = {
	.owner = THIS_MODULE,
	.open = snapshot_open,
	.read = snapshot_read,
	.release = snapshot_release,
	.llseek = default_llseek,
};

/**
 * vivid_ext_display_debugfs_add - make the files
 * @display: the display, registered
 *
 * Process context. A failure leaves the files away, as usual in debugfs.
 */
void vivid_ext_display_debugfs_add(struct vivid_ext_display *display)
{
	struct dentry *dir = debugfs_create_dir(VIVID_EXT_DISPLAY_NAME, NULL);

	display->debugfs = dir;
	debugfs_create_file("stats", 0444, dir, display, &stats_fops);
	debugfs_create_file("fallback_reasons", 0444, dir, display,
			    &fallback_reasons_fops);
	/* Page frame numbers and pictures are for root only. */
	debugfs_create_file("framebuffers", 0400, dir, display,
			    &framebuffers_fops);
	debugfs_create_file("bus", 0444, dir, display, &bus_fops);
	debugfs_create_file("snapshot", 0400, dir, display, &snapshot_fops);
}

/**
 * vivid_ext_display_debugfs_remove - remove the files
 * @display: the display, its engine stopped
 *
 * Process context; waits for those who are reading.
 */
void vivid_ext_display_debugfs_remove(struct vivid_ext_display *display)
{
	debugfs_remove_recursive(display->debugfs);
}
