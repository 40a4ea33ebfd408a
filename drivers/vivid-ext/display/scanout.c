// SPDX-License-Identifier: GPL-2.0-only
/*
 * The display's scan-out engine: keeps the time of the vblank, and at each one
 * reads what is on the screen by DMA address.
 *
 * A timer makes the vblanks; they are on time whatever else happens. The
 * reading is done by a work item (reading.c). If it isn't finished at the next
 * vblank that is an underrun, and a new frame that is waiting is latched, and
 * its flip event sent, one vblank later: after its flip event a framebuffer that
 * was replaced is not read any more, so its owner may write it.
 */
#include <drm/drm_crtc.h>
#include <drm/drm_drv.h>
#include <drm/drm_fourcc.h>
#include <drm/drm_framebuffer.h>
#include <drm/drm_gem_framebuffer_helper.h>
#include <drm/drm_plane.h>
#include <drm/drm_print.h>
#include <drm/drm_vblank.h>
#include <linux/slab.h>

#include "memory.h"
#include "scanout.h"

/* How long a snapshot may wait for the next refresh. */
#define SNAPSHOT_TIMEOUT (2 * HZ)

/* Time: the vblank. */

/* The frame that waits goes on the screen. Returns its event, or NULL. */
static struct drm_pending_vblank_event *latch(struct vivid_ext_scanout *scanout)
{
	struct drm_pending_vblank_event *event = scanout->event;

	scanout->event = NULL;
	if (scanout->has_pending) {
		scanout->retired = scanout->on_screen.fb;
		scanout->on_screen = scanout->pending;
		scanout->has_pending = false;
		scanout->is_new = true;
	}
	return event;
}

static void send_event(struct drm_crtc *crtc,
		       struct drm_pending_vblank_event *event)
{
	unsigned long flags;

	if (!event)
		return;
	spin_lock_irqsave(&crtc->dev->event_lock, flags);
	drm_crtc_send_vblank_event(crtc, event);
	spin_unlock_irqrestore(&crtc->dev->event_lock, flags);
}

static void refresh(struct vivid_ext_scanout *scanout)
{
	struct drm_pending_vblank_event *event = NULL;
	u32 vblank = drm_crtc_vblank_count(scanout->crtc);
	unsigned long flags;
	bool start;

	spin_lock_irqsave(&scanout->lock, flags);
	start = !scanout->reading;
	if (start) {
		event = latch(scanout);
		scanout->vblank = vblank;
		scanout->reading = true;
	}
	spin_unlock_irqrestore(&scanout->lock, flags);

	scanout_count(scanout, VIVID_EXT_REFRESHES, 1);
	if (!start) {
		scanout_count(scanout, VIVID_EXT_UNDERRUNS, 1);
		return;
	}
	send_event(scanout->crtc, event);
	queue_work(scanout->workqueue, &scanout->work);
}

static enum hrtimer_restart vblank(struct hrtimer *timer)
{
	struct vivid_ext_scanout *scanout =
		container_of(timer, struct vivid_ext_scanout, timer);
	ktime_t due = hrtimer_get_expires(timer);
	u64 late = hrtimer_forward_now(timer, scanout->period) - 1;
	unsigned long flags;

	spin_lock_irqsave(&scanout->lock, flags);
	scanout->vblank_time = ktime_add_ns(due, late * scanout->period);
	spin_unlock_irqrestore(&scanout->lock, flags);

	scanout_count(scanout, VIVID_EXT_LATE_VBLANKS, late);
	drm_crtc_handle_vblank(scanout->crtc);
	refresh(scanout);
	return HRTIMER_RESTART;
}

/**
 * vivid_ext_scanout_vblank_time - when the last vblank was due
 * @scanout: the engine
 *
 * Any context; takes the engine's lock, as the vblank core calls it with its
 * own locks held.
 *
 * Return: the time, on the monotonic clock.
 */
ktime_t vivid_ext_scanout_vblank_time(struct vivid_ext_scanout *scanout)
{
	unsigned long flags;
	ktime_t time;

	spin_lock_irqsave(&scanout->lock, flags);
	time = scanout->vblank_time;
	spin_unlock_irqrestore(&scanout->lock, flags);
	return time;
}

/**
 * vivid_ext_scanout_start - begin to refresh, with a black screen
 * @scanout: the engine, stopped
 *
 * Process context, from the CRTC's enable, where the vblank core already knows
 * the mode's timing. Switches the CRTC's vblank on.
 */
void vivid_ext_scanout_start(struct vivid_ext_scanout *scanout)
{
	struct drm_crtc *crtc = scanout->crtc;
	int period = crtc->dev->vblank[drm_crtc_index(crtc)].framedur_ns;
	ktime_t first;
	int idx;

	/* A commit that was under way at unbind must not start it again. */
	if (!drm_dev_enter(crtc->dev, &idx))
		return;
	spin_lock_irq(&scanout->lock);
	scanout->active = true;
	scanout->stamped = false;
	scanout->sequenced = false;
	scanout->period = ns_to_ktime(period);
	scanout->vblank_time = ktime_get();
	first = ktime_add(scanout->vblank_time, scanout->period);
	spin_unlock_irq(&scanout->lock);

	/* The timer runs as long as the CRTC, so hold the vblank all along. */
	drm_crtc_vblank_on(crtc);
	drm_WARN_ON_ONCE(crtc->dev, drm_crtc_vblank_get(crtc));
	hrtimer_start(&scanout->timer, first, HRTIMER_MODE_ABS);
	drm_dev_exit(idx);
}

/**
 * vivid_ext_scanout_stop - end refreshing; nothing is read after it
 * @scanout: the engine, started or not
 *
 * Process context, from the CRTC's disable. Sends an event that waits, answers
 * a snapshot that waits, drops the framebuffers, and switches the CRTC's vblank
 * off.
 */
void vivid_ext_scanout_stop(struct vivid_ext_scanout *scanout)
{
	struct vivid_ext_snapshot *snapshot;
	struct drm_pending_vblank_event *event;
	struct drm_framebuffer *fbs[3];
	unsigned int i;
	bool active;

	spin_lock_irq(&scanout->lock);
	active = scanout->active;
	scanout->active = false;
	spin_unlock_irq(&scanout->lock);
	if (!active)
		return;
	hrtimer_cancel(&scanout->timer);
	flush_work(&scanout->work);

	spin_lock_irq(&scanout->lock);
	snapshot = scanout->wanted;
	scanout->wanted = NULL;
	event = scanout->event;
	scanout->event = NULL;
	fbs[0] = scanout->has_pending ? scanout->pending.fb : NULL;
	fbs[1] = scanout->on_screen.fb;
	fbs[2] = scanout->retired;
	scanout->has_pending = false;
	scanout->retired = NULL;
	memset(&scanout->on_screen, 0, sizeof(scanout->on_screen));
	spin_unlock_irq(&scanout->lock);

	send_event(scanout->crtc, event);
	drm_crtc_vblank_put(scanout->crtc);
	drm_crtc_vblank_off(scanout->crtc);
	snapshot_answer(snapshot, -ENODATA);
	for (i = 0; i < ARRAY_SIZE(fbs); i++)
		if (fbs[i])
			drm_framebuffer_put(fbs[i]);
}

/* Committing: what the plane is to show. */

static enum vivid_ext_source bo_source(const struct vivid_ext_bo *bo)
{
	if (bo->reason)
		return VIVID_EXT_SOURCE_FALLBACK;
	if (bo->dmabuf)
		return VIVID_EXT_SOURCE_ZERO_COPY;
	return VIVID_EXT_SOURCE_NATIVE;
}

/* Several planes may lie in one buffer object: copy it once. */
static int copy_fallbacks(struct vivid_ext_scanout *scanout,
			  struct drm_framebuffer *fb)
{
	unsigned int i, j;
	int ret;

	for (i = 0; i < fb->format->num_planes; i++) {
		for (j = 0; j < i && fb->obj[j] != fb->obj[i]; j++)
			;
		if (j < i)
			continue;
		ret = vivid_ext_bo_refresh(to_vivid_ext_bo(fb->obj[i]));
		if (ret < 0) {
			scanout_count(scanout, VIVID_EXT_COPY_ERRORS, 1);
			return ret;
		}
		if (ret)
			scanout_count(scanout, VIVID_EXT_BYTES_COPIED,
				      fb->obj[i]->size);
	}
	return 0;
}

static void locate_pixels(struct vivid_ext_shown *shown,
			  const struct drm_plane_state *state)
{
	struct drm_framebuffer *fb = state->fb;
	const struct drm_format_info *format = fb->format;
	struct vivid_ext_frame *frame = &shown->frame;
	unsigned int i;

	frame->fourcc = format->format;
	frame->width = drm_rect_width(&state->src) >> 16;
	frame->height = drm_rect_height(&state->src) >> 16;
	frame->num_planes = format->num_planes;
	for (i = 0; i < format->num_planes; i++) {
		struct vivid_ext_bo *bo = to_vivid_ext_bo(fb->obj[i]);
		u32 x = state->src.x1 >> 16, y = state->src.y1 >> 16;

		if (i) {
			x /= format->hsub;
			y /= format->vsub;
		}
		frame->stride[i] = fb->pitches[i];
		frame->plane[i] = vivid_ext_bo_addr(bo) + fb->offsets[i] +
				  (size_t)y * fb->pitches[i] +
				  x * format->cpp[i];
		shown->source = max(shown->source, bo_source(bo));
	}
}

/**
 * vivid_ext_scanout_show - put a plane's new state on the screen
 * @scanout: the engine
 * @state: the state, its framebuffer's buffers prepared; NULL for no change
 * @event: sent when the engine has taken the frame up; or NULL
 *
 * Process context, from the commit, after its fences: for buffers that can't
 * be read by DMA this is where the CPU copies them.
 */
void vivid_ext_scanout_show(struct vivid_ext_scanout *scanout,
			    struct drm_plane_state *state,
			    struct drm_pending_vblank_event *event)
{
	struct drm_framebuffer *dropped = NULL;
	struct vivid_ext_shown shown = {};

	if (state && state->fb && state->visible &&
	    !copy_fallbacks(scanout, state->fb)) {
		locate_pixels(&shown, state);
		shown.fb = state->fb;
		drm_framebuffer_get(shown.fb);
	}

	spin_lock_irq(&scanout->lock);
	if (!scanout->active) {
		dropped = shown.fb;
	} else {
		swap(scanout->event, event);
		if (state && scanout->has_pending)
			dropped = scanout->pending.fb;
		if (state) {
			scanout->pending = shown;
			scanout->has_pending = true;
		}
	}
	spin_unlock_irq(&scanout->lock);

	send_event(scanout->crtc, event);
	if (dropped)
		drm_framebuffer_put(dropped);
}

/* Asking: CRCs and snapshots. */

/**
 * vivid_ext_scanout_set_crc - switch the CRC of each refresh on or off
 * @scanout: the engine
 * @on: whether it is wanted
 *
 * Process context. After switching off, no CRC is added any more.
 */
void vivid_ext_scanout_set_crc(struct vivid_ext_scanout *scanout, bool on)
{
	WRITE_ONCE(scanout->crc, on);
	if (!on)
		flush_work(&scanout->work);
}

/* Returns true if the engine will not answer: it has not begun to. */
static bool withdraw(struct vivid_ext_scanout *scanout,
		     struct vivid_ext_snapshot *snapshot)
{
	bool unanswered;

	spin_lock_irq(&scanout->lock);
	unanswered = scanout->wanted == snapshot;
	if (unanswered)
		scanout->wanted = NULL;
	spin_unlock_irq(&scanout->lock);
	return unanswered;
}

static int request(struct vivid_ext_scanout *scanout,
		   struct vivid_ext_snapshot *snapshot)
{
	int ret = 0;

	spin_lock_irq(&scanout->lock);
	if (!scanout->active)
		ret = -ENODATA;
	else if (scanout->wanted)
		ret = -EBUSY;
	else
		scanout->wanted = snapshot;
	spin_unlock_irq(&scanout->lock);
	return ret;
}

/**
 * vivid_ext_scanout_snapshot - copy what is read at the next refresh
 * @scanout: the engine
 *
 * Process context; waits for a refresh.
 *
 * Return: the copy, for vivid_ext_snapshot_free(), or an ERR_PTR: -ENODATA if
 * the screen is off or black, -EBUSY if another snapshot is being taken,
 * -ETIMEDOUT if no refresh came, -ENOMEM, -ERESTARTSYS.
 */
struct vivid_ext_snapshot *
vivid_ext_scanout_snapshot(struct vivid_ext_scanout *scanout)
{
	struct vivid_ext_snapshot *snapshot;
	long left;
	int ret;

	snapshot = kzalloc(sizeof(*snapshot), GFP_KERNEL);
	if (!snapshot)
		return ERR_PTR(-ENOMEM);
	init_completion(&snapshot->done);
	ret = request(scanout, snapshot);
	if (ret)
		goto err_free;

	left = wait_for_completion_interruptible_timeout(&snapshot->done,
							 SNAPSHOT_TIMEOUT);
	if (left <= 0 && withdraw(scanout, snapshot)) {
		ret = left ? left : -ETIMEDOUT;
		goto err_free;
	}
	wait_for_completion(&snapshot->done);
	ret = snapshot->error;
	if (ret)
		goto err_free;
	return snapshot;

err_free:
	vivid_ext_snapshot_free(snapshot);
	return ERR_PTR(ret);
}

/**
 * vivid_ext_snapshot_free - free what vivid_ext_scanout_snapshot() returned
 * @snapshot: the copy
 *
 * Process context.
 */
void vivid_ext_snapshot_free(struct vivid_ext_snapshot *snapshot)
{
	kvfree(snapshot->pixels);
	kfree(snapshot);
}

/**
 * vivid_ext_scanout_init - make an engine, stopped
 * @scanout: the engine, zeroed
 * @crtc: whose vblanks it makes; it need not be there yet
 * @name: of the device, for the log
 *
 * Process context.
 *
 * Return: 0 or -ENOMEM.
 */
int vivid_ext_scanout_init(struct vivid_ext_scanout *scanout,
			   struct drm_crtc *crtc, const char *name)
{
	scanout->crtc = crtc;
	spin_lock_init(&scanout->lock);
	INIT_WORK(&scanout->work, vivid_ext_scanout_read);
	vdb_hrtimer_setup(&scanout->timer, vblank, CLOCK_MONOTONIC,
			  HRTIMER_MODE_ABS);
	scanout->workqueue = alloc_ordered_workqueue("%s", WQ_HIGHPRI, name);
	return scanout->workqueue ? 0 : -ENOMEM;
}

/**
 * vivid_ext_scanout_fini - undo vivid_ext_scanout_init()
 * @scanout: the engine, stopped
 *
 * Process context.
 */
void vivid_ext_scanout_fini(struct vivid_ext_scanout *scanout)
{
	destroy_workqueue(scanout->workqueue);
}
