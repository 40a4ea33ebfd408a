// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the display's scan-out engine does in one refresh: it reads the frame on
 * the screen by DMA address, compares it with its stamp, and answers to those
 * that asked for a CRC or a picture.
 *
 * What is read:
 * - a newly shown frame: all of it, for the checksum in its stamp;
 * - the same frame again: its stamp, which tells if it was overwritten while
 *   it was on the screen;
 * - with CRCs switched on, and for a snapshot: all of it, every time.
 */
#include <drm/drm_crtc.h>
#include <drm/drm_framebuffer.h>
#include <linux/slab.h>
#include <linux/xxhash.h>

#include "memory.h"
#include "scanout.h"

/* The CRC: XXH64 of every visible byte, the stamp included. */
static u64 frame_crc(const struct vivid_ext_frame *frame)
{
	const struct vivid_ext_layout *layout =
		vivid_ext_layout_of(frame->fourcc);
	struct xxh64_state state;
	unsigned int plane, line;

	xxh64_reset(&state, 0);
	for (plane = 0; layout && plane < frame->num_planes; plane++) {
		u32 bytes = vivid_ext_line_bytes(layout, plane, frame->width);
		u32 lines = vivid_ext_plane_lines(layout, plane, frame->height);
		const u8 *p = frame->plane[plane];

		for (line = 0; line < lines; line++, p += frame->stride[plane])
			xxh64_update(&state, p, bytes);
	}
	return xxh64_digest(&state);
}

static void check_sequence(struct vivid_ext_scanout *scanout, u32 sequence)
{
	/* A smaller number is a new stream, the same one a repeated frame. */
	if (scanout->sequenced && sequence > scanout->sequence)
		scanout_count(scanout, VIVID_EXT_SEQUENCE_GAPS,
			      sequence - scanout->sequence - 1);
	scanout->sequenced = true;
	scanout->sequence = sequence;
	atomic64_set(&scanout->stats[VIVID_EXT_LAST_SEQUENCE], sequence);
}

static void read_new_frame(struct vivid_ext_scanout *scanout)
{
	static const enum vivid_ext_scanout_stat kind[] = {
		[VIVID_EXT_SOURCE_NATIVE] = VIVID_EXT_NATIVE_FRAMES,
		[VIVID_EXT_SOURCE_ZERO_COPY] = VIVID_EXT_ZERO_COPY_FRAMES,
		[VIVID_EXT_SOURCE_FALLBACK] = VIVID_EXT_FALLBACK_FRAMES,
	};
	const struct vivid_ext_shown *shown = &scanout->on_screen;
	u64 checksum = vivid_ext_stamp_checksum(&shown->frame);
	struct vivid_ext_stamp stamp;

	scanout_count(scanout, VIVID_EXT_FRAMES_SHOWN, 1);
	scanout_count(scanout, kind[shown->source], 1);
	scanout_count(scanout, VIVID_EXT_BYTES_READ,
		      vivid_ext_frame_bytes(&shown->frame));
	scanout->stamped = !vivid_ext_stamp_read(&shown->frame, &stamp);
	if (!scanout->stamped) {
		scanout_count(scanout, VIVID_EXT_STAMPS_MISSING, 1);
		return;
	}
	scanout_count(scanout, VIVID_EXT_STAMPS_READ, 1);
	if (checksum != stamp.checksum)
		scanout_count(scanout, VIVID_EXT_CHECKSUM_MISMATCHES, 1);
	check_sequence(scanout, stamp.sequence);
}

static void read_same_frame(struct vivid_ext_scanout *scanout)
{
	struct vivid_ext_stamp stamp;

	if (!scanout->stamped)
		return;
	if (!vivid_ext_stamp_read(&scanout->on_screen.frame, &stamp) &&
	    stamp.sequence == scanout->sequence)
		return;
	scanout_count(scanout, VIVID_EXT_FRAMES_OVERWRITTEN, 1);
	scanout->stamped = false;	/* once a frame */
}

static void add_crc(struct vivid_ext_scanout *scanout)
{
	u64 crc = frame_crc(&scanout->on_screen.frame);
	u32 values[] = { upper_32_bits(crc), lower_32_bits(crc) };

	scanout_count(scanout, VIVID_EXT_BYTES_READ,
		      vivid_ext_frame_bytes(&scanout->on_screen.frame));
	drm_crtc_add_crc_entry(scanout->crtc, true, scanout->vblank, values);
}

static int copy_frame(struct vivid_ext_snapshot *snapshot,
		      const struct vivid_ext_frame *from)
{
	size_t bytes = vivid_ext_frame_bytes(from);

	if (!bytes)
		return -ENODATA;
	snapshot->pixels = kvmalloc(bytes, GFP_KERNEL);
	if (!snapshot->pixels)
		return -ENOMEM;
	vivid_ext_frame_place(&snapshot->frame, from, snapshot->pixels);
	vivid_ext_frame_copy(&snapshot->frame, from);
	return 0;
}

static void take_snapshot(struct vivid_ext_scanout *scanout,
			  struct vivid_ext_snapshot *snapshot)
{
	int error = copy_frame(snapshot, &scanout->on_screen.frame);

	snapshot->refresh = scanout->vblank;
	if (!error)
		scanout_count(scanout, VIVID_EXT_BYTES_READ,
			      vivid_ext_frame_bytes(&snapshot->frame));
	snapshot_answer(snapshot, error);
}

/* Tells the bus that the first @n planes have been read. */
static void end_reading(const struct vivid_ext_shown *shown, unsigned int n)
{
	while (n--)
		vivid_ext_bo_end(to_vivid_ext_bo(shown->fb->obj[n]));
}

static int begin_reading(const struct vivid_ext_shown *shown)
{
	unsigned int i;
	int ret;

	for (i = 0; i < shown->frame.num_planes; i++) {
		ret = vivid_ext_bo_begin(to_vivid_ext_bo(shown->fb->obj[i]));
		if (ret) {
			end_reading(shown, i);
			return ret;
		}
	}
	return 0;
}

/* A black screen has no framebuffer and no planes: there is nothing to read. */
static void read_screen(struct vivid_ext_scanout *scanout, bool is_new,
			bool crc, struct vivid_ext_snapshot *snapshot)
{
	if (!is_new)
		read_same_frame(scanout);
	else if (scanout->on_screen.fb)
		read_new_frame(scanout);
	else
		scanout->stamped = false;
	if (crc)
		add_crc(scanout);
	if (snapshot)
		take_snapshot(scanout, snapshot);
}

/**
 * vivid_ext_scanout_read - read what is on the screen, once
 * @work: the engine's
 *
 * Process context; @scanout.reading is set until it is done.
 */
void vivid_ext_scanout_read(struct work_struct *work)
{
	struct vivid_ext_scanout *scanout =
		container_of(work, struct vivid_ext_scanout, work);
	const struct vivid_ext_shown *shown = &scanout->on_screen;
	struct vivid_ext_snapshot *snapshot;
	struct drm_framebuffer *retired;
	bool is_new, crc;

	/* All wishes before begin_reading(): it shows what the CPU drew. */
	spin_lock_irq(&scanout->lock);
	retired = scanout->retired;
	scanout->retired = NULL;
	snapshot = scanout->wanted;
	scanout->wanted = NULL;
	is_new = scanout->is_new;
	scanout->is_new = false;
	crc = READ_ONCE(scanout->crc);
	spin_unlock_irq(&scanout->lock);

	if (retired)
		drm_framebuffer_put(retired);
	if (!begin_reading(shown)) {
		read_screen(scanout, is_new, crc, snapshot);
		end_reading(shown, shown->frame.num_planes);
	} else {
		scanout_count(scanout, VIVID_EXT_DMA_FAULTS, 1);
		scanout->stamped = false;
		snapshot_answer(snapshot, -EFAULT);
	}

	spin_lock_irq(&scanout->lock);
	scanout->reading = false;
	spin_unlock_irq(&scanout->lock);
}
