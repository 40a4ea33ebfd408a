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

#include "core.h"
#include "engine.h"
#include "node.h"
#include "picture/stamp.h"

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
 * @offset: what time stamps are ahead of @due
 */
struct frame_clock {
	struct v4l2_fract interval;
	u64 whole;
	u32 rest;
	u32 carry;
	u64 first;
	u64 due;
	u32 sequence;
	u64 offset;
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
static struct v4l2_fract engine_interval(struct vivid_ext_node *node)
{
	struct v4l2_fract interval;

	spin_lock_irq(&node->qlock);
	interval = node->interval;
	spin_unlock_irq(&node->qlock);
	return interval;
}

static void engine_advance(struct vivid_ext_node *node,
			   struct frame_clock *clock)
{
	struct v4l2_fract interval = engine_interval(node);

	if (interval.numerator != clock->interval.numerator ||
	    interval.denominator != clock->interval.denominator)
		clock_set_interval(clock, interval);
	clock_next(clock);
}

static struct vivid_ext_buffer *engine_take(struct vivid_ext_node *node)
{
	struct vivid_ext_buffer *buf;

	spin_lock_irq(&node->qlock);
	buf = list_first_entry_or_null(&node->queued, struct vivid_ext_buffer,
				       queued);
	if (buf)
		list_del(&buf->queued);
	spin_unlock_irq(&node->qlock);
	return buf;
}

static void engine_count_drop(struct vivid_ext_node *node, bool late)
{
	spin_lock_irq(&node->qlock);
	node->stats.dropped++;
	if (late)
		node->stats.late++;
	spin_unlock_irq(&node->qlock);
	if (node->ops->drop)
		node->ops->drop(node);
}

static void engine_count(struct vivid_ext_node *node,
			 const struct vivid_ext_buffer *buf, u64 ns, int err)
{
	struct vivid_ext_stats *stats = &node->stats;
	unsigned int m;

	spin_lock_irq(&node->qlock);
	if (err) {
		stats->errors++;
	} else {
		stats->frames++;
		if (buf->access.by_cpu)
			stats->cpu_frames++;
		else
			stats->dma_frames++;
		for (m = 0; m < node->format.num_mem; m++)
			stats->bytes += node->format.size[m];
		stats->cpu_ns += ns;
	}
	spin_unlock_irq(&node->qlock);
}

static int engine_move(struct vivid_ext_node *node,
		       struct vivid_ext_buffer *buf,
		       const struct frame_clock *clock)
{
	struct vb2_buffer *vb = &buf->vb.vb2_buf;
	struct vivid_ext_frame frame;
	int err, ret = 0;

	if (vivid_ext_inject_frame(&node->inject, VIVID_EXT_ERROR_DMA))
		ret = vivid_ext_access_stray(&buf->access, vb);
	if (ret)
		return ret;
	ret = vivid_ext_access_begin(&buf->access, vb);
	if (ret)
		return ret;
	vivid_ext_access_frame(&buf->access, vb, &node->format, &frame);
	ret = node->ops->frame(node, buf, &frame, clock->sequence,
			       clock->due - clock->first);
	err = vivid_ext_access_end(&buf->access, vb);
	if (!ret && !err &&
	    vivid_ext_inject_frame(&node->inject, VIVID_EXT_ERROR_FRAME))
		return -EIO;
	return ret ?: err;
}

static void engine_done(struct vivid_ext_buffer *buf)
{
	vb2_buffer_done(&buf->vb.vb2_buf, buf->error ? VB2_BUF_STATE_ERROR :
						       VB2_BUF_STATE_DONE);
}

static void engine_interrupt(struct irq_work *work)
{
	engine_done(container_of(work, struct vivid_ext_node, interrupt)->done);
}

/*
 * Hand a buffer to the user. All that needs process context has been done; a
 * real device would say so in an interrupt, and this one can.
 */
static void engine_complete(struct vivid_ext_node *node,
			    struct vivid_ext_buffer *buf, u32 sequence,
			    u64 timestamp, int err)
{
	buf->vb.sequence = sequence;
	buf->vb.field = V4L2_FIELD_NONE;
	buf->vb.vb2_buf.timestamp = timestamp;
	buf->error = err;
	if (!node->core->config.hardirq) {
		engine_done(buf);
		return;
	}
	node->done = buf;
	node->interrupt = IRQ_WORK_INIT_HARD(engine_interrupt);
	irq_work_queue(&node->interrupt);
	/* In order, and not after the engine has stopped. */
	irq_work_sync(&node->interrupt);
}

static void engine_frame(struct vivid_ext_node *node,
			 const struct frame_clock *clock)
{
	struct vivid_ext_buffer *buf = NULL;
	u64 start = ktime_get_ns();
	int err;

	if (node->ops->begin)
		node->ops->begin(node, clock->sequence);
	vivid_ext_inject_disconnect(&node->inject, node->core->dev);
	if (!vivid_ext_inject_frame(&node->inject, VIVID_EXT_ERROR_DROPPED))
		buf = engine_take(node);
	if (!buf) {
		engine_count_drop(node, false);
		return;
	}
	err = engine_move(node, buf, clock);
	engine_count(node, buf, ktime_get_ns() - start, err);
	engine_complete(node, buf, clock->sequence, clock->due + clock->offset,
			err);
}

/* The clock goes on from here, without a gap in the sequence. */
static void engine_stall(struct vivid_ext_node *node,
			 struct frame_clock *clock, u64 now)
{
	clock->due = now;
	spin_lock_irq(&node->qlock);
	node->stats.stalls++;
	spin_unlock_irq(&node->qlock);
}

/* Drop all frames but the last one that is due. */
static void engine_skip_late(struct vivid_ext_node *node,
			     struct frame_clock *clock, u64 now)
{
	while (now >= clock->due + clock->whole) {
		engine_count_drop(node, true);
		engine_advance(node, clock);
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

static bool engine_wait(struct vivid_ext_node *node,
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
		engine_stall(node, clock, now);
	else
		engine_skip_late(node, clock, now);
	return true;
}

static int engine_thread(void *data)
{
	struct vivid_ext_node *node = data;
	struct frame_clock clock = { };

	set_freezable();
	clock_set_interval(&clock, engine_interval(node));
	clock.due = ktime_get_ns() + clock.whole;
	clock.first = clock.due;
	clock.sequence = vivid_ext_inject_sequence(&node->inject);
	clock.offset = vivid_ext_inject_time(&node->inject, clock.first);
	while (engine_wait(node, &clock)) {
		engine_frame(node, &clock);
		engine_advance(node, &clock);
	}
	return 0;
}

/**
 * vivid_ext_engine_start - let frames come
 * @node: the node, started
 *
 * Process context. Return: 0, or why there is no thread.
 */
int vivid_ext_engine_start(struct vivid_ext_node *node)
{
	struct task_struct *thread;

	thread = kthread_run(engine_thread, node, "%s",
			     video_device_node_name(&node->vdev));
	if (IS_ERR(thread))
		return PTR_ERR(thread);
	node->engine = thread;
	return 0;
}

/**
 * vivid_ext_engine_stop - no frames come any more
 * @node: the node, its engine started
 *
 * Waits for a frame that is being made. Process context; the device's lock may
 * be held, those that the node's operations take may not.
 */
void vivid_ext_engine_stop(struct vivid_ext_node *node)
{
	kthread_stop(node->engine);
	node->engine = NULL;
}
