// SPDX-License-Identifier: GPL-2.0-only
/*
 * The frame engine: a thread that makes each frame when it is due. Times are
 * computed from the first frame's on in whole and fractional nanoseconds, so
 * no error adds up, and a frame for which there is no buffer or no time is
 * dropped with its sequence number.
 */
#include <linux/err.h>
#include <linux/freezer.h>
#include <linux/hrtimer.h>
#include <linux/irq_work.h>
#include <linux/kthread.h>
#include <linux/math64.h>
#include <linux/sched.h>
#include <linux/timekeeping.h>

#include "buffer.h"
#include "core.h"
#include "engine.h"
#include "stamp.h"

/*
 * The engine makes up for being late by less than this. If it is later because
 * frames take long to draw, it drops some. If it only woke up that late, the
 * machine has stood still (a virtual one does), and so has the camera.
 */
#define MAX_LAG_NS	(100 * NSEC_PER_MSEC)

/**
 * struct frame_clock - when the frames are due
 * @interval: from frame to frame, in seconds
 * @whole: the same in nanoseconds, rounded down
 * @rest: what is missing of a nanosecond, in @interval.denominator-ths
 * @carry: how much of a nanosecond has added up
 * @first: when the first frame was due
 * @due: when the current one is
 * @sequence: its number
 */
struct frame_clock {
	struct v4l2_fract interval;
	u64 whole;
	u32 rest;
	u32 carry;
	u64 first;
	u64 due;
	u32 sequence;
};

static void clock_set_interval(struct frame_clock *clock,
			       struct v4l2_fract interval)
{
	clock->interval = interval;
	clock->whole = div_u64_rem((u64)interval.numerator * NSEC_PER_SEC,
				   interval.denominator, &clock->rest);
	clock->carry = 0;
}

static void clock_next(struct frame_clock *clock)
{
	clock->due += clock->whole;
	/* As 64 bits: denominators may be as large as the type allows. */
	if ((u64)clock->carry + clock->rest >= clock->interval.denominator) {
		clock->carry -= clock->interval.denominator - clock->rest;
		clock->due++;
	} else {
		clock->carry += clock->rest;
	}
	clock->sequence++;
}

/* The user may change the interval while frames come. */
static struct v4l2_fract engine_interval(struct vivid_ext_capture *cap)
{
	struct v4l2_fract interval;

	spin_lock_irq(&cap->qlock);
	interval = cap->interval;
	spin_unlock_irq(&cap->qlock);
	return interval;
}

static void engine_advance(struct vivid_ext_capture *cap,
			   struct frame_clock *clock)
{
	struct v4l2_fract interval = engine_interval(cap);

	if (interval.numerator != clock->interval.numerator ||
	    interval.denominator != clock->interval.denominator)
		clock_set_interval(clock, interval);
	clock_next(clock);
}

static struct vivid_ext_buffer *engine_take(struct vivid_ext_capture *cap)
{
	struct vivid_ext_buffer *buf;

	spin_lock_irq(&cap->qlock);
	buf = list_first_entry_or_null(&cap->queued, struct vivid_ext_buffer,
				       queued);
	if (buf)
		list_del(&buf->queued);
	spin_unlock_irq(&cap->qlock);
	return buf;
}

static void engine_count_drop(struct vivid_ext_capture *cap, bool late)
{
	spin_lock_irq(&cap->qlock);
	cap->stats.dropped++;
	if (late)
		cap->stats.late++;
	spin_unlock_irq(&cap->qlock);
	vivid_ext_pattern_skip(&cap->pattern);
}

static void engine_count(struct vivid_ext_capture *cap,
			 const struct vivid_ext_buffer *buf, u64 ns, int err)
{
	struct vivid_ext_stats *stats = &cap->stats;
	unsigned int m;

	spin_lock_irq(&cap->qlock);
	if (err) {
		stats->errors++;
	} else {
		stats->frames++;
		if (buf->by_cpu)
			stats->cpu_frames++;
		else
			stats->dma_frames++;
		for (m = 0; m < cap->format.num_mem; m++)
			stats->bytes += cap->format.size[m];
		stats->cpu_ns += ns;
	}
	spin_unlock_irq(&cap->qlock);
}

static int engine_draw(struct vivid_ext_capture *cap,
		       struct vivid_ext_buffer *buf,
		       const struct frame_clock *clock)
{
	struct vivid_ext_frame frame;
	int ret;

	ret = vivid_ext_buffer_begin(cap, buf);
	if (ret)
		return ret;
	vivid_ext_format_frame(&cap->format, buf->mem, &frame);
	vivid_ext_pattern_draw(&cap->pattern, &frame, clock->sequence,
			       clock->due - clock->first);
	return vivid_ext_buffer_end(cap, buf);
}

static void engine_done(struct vivid_ext_buffer *buf)
{
	vb2_buffer_done(&buf->vb.vb2_buf, buf->error ? VB2_BUF_STATE_ERROR :
						       VB2_BUF_STATE_DONE);
}

static void engine_interrupt(struct irq_work *work)
{
	engine_done(container_of(work, struct vivid_ext_buffer, interrupt));
}

/*
 * Hand a buffer to the user. All that needs process context has been done; a
 * real device would say so in an interrupt, and this one can.
 */
static void engine_complete(struct vivid_ext_capture *cap,
			    struct vivid_ext_buffer *buf, u32 sequence,
			    u64 timestamp, int err)
{
	buf->vb.sequence = sequence;
	buf->vb.field = V4L2_FIELD_NONE;
	buf->vb.vb2_buf.timestamp = timestamp;
	buf->error = err;
	if (!cap->dev->config.hardirq) {
		engine_done(buf);
		return;
	}
	buf->interrupt = IRQ_WORK_INIT_HARD(engine_interrupt);
	irq_work_queue(&buf->interrupt);
	/* In order, and not after the engine has stopped. */
	irq_work_sync(&buf->interrupt);
}

static void engine_frame(struct vivid_ext_capture *cap,
			 const struct frame_clock *clock)
{
	struct vivid_ext_buffer *buf = engine_take(cap);
	u64 start = ktime_get_ns();
	int err;

	if (!buf) {
		engine_count_drop(cap, false);
		return;
	}
	err = engine_draw(cap, buf, clock);
	engine_count(cap, buf, ktime_get_ns() - start, err);
	engine_complete(cap, buf, clock->sequence, clock->due, err);
}

/* The clock goes on from here, without a gap in the sequence. */
static void engine_stall(struct vivid_ext_capture *cap,
			 struct frame_clock *clock, u64 now)
{
	clock->due = now;
	spin_lock_irq(&cap->qlock);
	cap->stats.stalls++;
	spin_unlock_irq(&cap->qlock);
}

/* Drop all frames but the last one that is due. */
static void engine_skip_late(struct vivid_ext_capture *cap,
			     struct frame_clock *clock, u64 now)
{
	while (now >= clock->due + clock->whole) {
		engine_count_drop(cap, true);
		engine_advance(cap, clock);
	}
}

/* Sleep until a frame is due. Return: false if the engine is to stop. */
static bool engine_sleep(u64 due_ns)
{
	ktime_t due = ns_to_ktime(due_ns);

	while (!kthread_should_stop()) {
		try_to_freeze();
		if (ktime_get_ns() >= due_ns)
			return true;
		set_current_state(TASK_INTERRUPTIBLE);
		/* Look again: the stop may have come before the state. */
		if (!kthread_should_stop())
			schedule_hrtimeout(&due, HRTIMER_MODE_ABS);
		__set_current_state(TASK_RUNNING);
	}
	return false;
}

static bool engine_wait(struct vivid_ext_capture *cap,
			struct frame_clock *clock)
{
	bool early = ktime_get_ns() < clock->due;
	u64 now;

	if (!engine_sleep(clock->due))
		return false;
	now = ktime_get_ns();
	if (now <= clock->due + MAX_LAG_NS)
		return true;
	if (early)
		engine_stall(cap, clock, now);
	else
		engine_skip_late(cap, clock, now);
	return true;
}

static int engine_thread(void *data)
{
	struct vivid_ext_capture *cap = data;
	struct frame_clock clock = { };

	set_freezable();
	clock_set_interval(&clock, engine_interval(cap));
	clock.due = ktime_get_ns() + clock.whole;
	clock.first = clock.due;
	while (engine_wait(cap, &clock)) {
		engine_frame(cap, &clock);
		engine_advance(cap, &clock);
	}
	return 0;
}

/**
 * vivid_ext_engine_start - let frames come
 * @cap: the capture node, its pattern started
 *
 * Process context. Return: 0, or why there is no thread.
 */
int vivid_ext_engine_start(struct vivid_ext_capture *cap)
{
	struct task_struct *thread;

	thread = kthread_run(engine_thread, cap, "%s",
			     video_device_node_name(&cap->vdev));
	if (IS_ERR(thread))
		return PTR_ERR(thread);
	cap->engine = thread;
	return 0;
}

/**
 * vivid_ext_engine_stop - no frames come any more
 * @cap: the capture node, its engine started
 *
 * Waits for a frame that is being drawn. Process context; the node's lock may
 * be held, the pattern's not.
 */
void vivid_ext_engine_stop(struct vivid_ext_capture *cap)
{
	kthread_stop(cap->engine);
	cap->engine = NULL;
}
