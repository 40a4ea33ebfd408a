/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The scan-out engine: at each refresh it reads the framebuffer that the
 * display shows, by DMA address.
 */
#ifndef VIVID_EXT_SCANOUT_H
#define VIVID_EXT_SCANOUT_H

#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/hrtimer.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "picture/stamp.h"

struct drm_crtc;
struct drm_framebuffer;
struct drm_pending_vblank_event;
struct drm_plane_state;

/* What the engine counts since the module was loaded. */
enum vivid_ext_scanout_stat {
	VIVID_EXT_REFRESHES,		/* vblanks while the CRTC was active */
	VIVID_EXT_UNDERRUNS,		/* ... before the last read ended */
	VIVID_EXT_LATE_VBLANKS,		/* ... that the timer skipped */
	VIVID_EXT_FRAMES_SHOWN,		/* distinct commits that were read */
	VIVID_EXT_NATIVE_FRAMES,	/* ... from the card's own buffers */
	VIVID_EXT_ZERO_COPY_FRAMES,	/* ... imported, read by DMA address */
	VIVID_EXT_FALLBACK_FRAMES,	/* ... imported, copied by CPU */
	VIVID_EXT_DMA_FAULTS,		/* refreshes that the bus forbade */
	VIVID_EXT_BYTES_READ,		/* by the engine */
	VIVID_EXT_BYTES_COPIED,		/* by the CPU, for fallback frames */
	VIVID_EXT_COPY_ERRORS,		/* frames that it could not copy */
	VIVID_EXT_STAMPS_READ,		/* frames shown that carry a stamp */
	VIVID_EXT_STAMPS_MISSING,	/* frames shown that carry none */
	VIVID_EXT_CHECKSUM_MISMATCHES,	/* stamped frames whose pixels differ */
	VIVID_EXT_FRAMES_OVERWRITTEN,	/* whose stamp changed while shown */
	VIVID_EXT_SEQUENCE_GAPS,	/* numbers missing between two frames */
	VIVID_EXT_LAST_SEQUENCE,	/* of the stamp read last */
	VIVID_EXT_SCANOUT_STATS,
};

/* Where the pixels of a frame come from; the worst of its planes counts. */
enum vivid_ext_source {
	VIVID_EXT_SOURCE_NONE,
	VIVID_EXT_SOURCE_NATIVE,
	VIVID_EXT_SOURCE_ZERO_COPY,
	VIVID_EXT_SOURCE_FALLBACK,
};

/**
 * struct vivid_ext_shown - a frame on its way to, or on, the screen
 * @fb: what is shown, referenced; NULL for a black screen
 * @frame: its visible part, as the engine addresses it
 * @source: where the pixels come from
 */
struct vivid_ext_shown {
	struct drm_framebuffer *fb;
	struct vivid_ext_frame frame;
	enum vivid_ext_source source;
};

/**
 * struct vivid_ext_snapshot - a request for a copy of what is read next
 * @done: completed when the engine has answered
 * @error: 0, or why there is no picture
 * @frame: the copy's layout; its planes lie in @pixels
 * @refresh: number of the refresh
 * @pixels: the copy, for kvfree()
 */
struct vivid_ext_snapshot {
	struct completion done;
	int error;
	struct vivid_ext_frame frame;
	u64 refresh;
	void *pixels;
};

/**
 * struct vivid_ext_scanout - the engine
 * @crtc: whose pixels it reads
 * @timer: the vblank, one a refresh
 * @period: from vblank to vblank
 * @lock: protects what follows up to @reading; taken in hard interrupt
 *	context, after the vblank core's locks
 * @vblank_time: when the last vblank was due
 * @active: between start and stop
 * @has_pending: @pending is to replace @on_screen
 * @pending: the frame committed last
 * @event: to be sent when @pending is latched
 * @retired: replaced framebuffer, to be released in process context
 * @wanted: a snapshot is to be taken
 * @is_new: @on_screen has not been read yet
 * @reading: the work is queued or running: it owns @on_screen
 * @on_screen: the frame on the screen
 * @vblank: the vblank's number when @on_screen was taken up
 * @crc: the DRM core wants a checksum of each refresh
 * @stamped: the frame on the screen has a stamp, with the number @sequence
 * @sequenced: some frame since the start had one
 * @sequence: of the last stamp
 * @workqueue: where @work runs
 * @work: one refresh
 * @stats: see &enum vivid_ext_scanout_stat
 */
struct vivid_ext_scanout {
	struct drm_crtc *crtc;
	struct hrtimer timer;
	ktime_t period;
	spinlock_t lock;	/* see above */
	ktime_t vblank_time;
	bool active;
	bool has_pending;
	struct vivid_ext_shown pending;
	struct drm_pending_vblank_event *event;
	struct drm_framebuffer *retired;
	struct vivid_ext_snapshot *wanted;
	bool is_new;
	bool reading;
	struct vivid_ext_shown on_screen;
	u32 vblank;
	bool crc;
	bool stamped;
	bool sequenced;
	u32 sequence;
	struct workqueue_struct *workqueue;
	struct work_struct work;
	atomic64_t stats[VIVID_EXT_SCANOUT_STATS];
};

static inline void scanout_count(struct vivid_ext_scanout *scanout,
				 enum vivid_ext_scanout_stat stat, u64 n)
{
	atomic64_add(n, &scanout->stats[stat]);
}

/* The wish is fulfilled, or it can't be. */
static inline void snapshot_answer(struct vivid_ext_snapshot *snapshot,
				   int error)
{
	if (!snapshot)
		return;
	snapshot->error = error;
	complete_all(&snapshot->done);
}

/* reading.c */
void vivid_ext_scanout_read(struct work_struct *work);

/* scanout.c */
int vivid_ext_scanout_init(struct vivid_ext_scanout *scanout,
			   struct drm_crtc *crtc, const char *name);
void vivid_ext_scanout_fini(struct vivid_ext_scanout *scanout);
void vivid_ext_scanout_start(struct vivid_ext_scanout *scanout);
void vivid_ext_scanout_stop(struct vivid_ext_scanout *scanout);
void vivid_ext_scanout_show(struct vivid_ext_scanout *scanout,
			    struct drm_plane_state *state,
			    struct drm_pending_vblank_event *event);
ktime_t vivid_ext_scanout_vblank_time(struct vivid_ext_scanout *scanout);
void vivid_ext_scanout_set_crc(struct vivid_ext_scanout *scanout, bool on);
struct vivid_ext_snapshot *
vivid_ext_scanout_snapshot(struct vivid_ext_scanout *scanout);
void vivid_ext_snapshot_free(struct vivid_ext_snapshot *snapshot);

#endif
