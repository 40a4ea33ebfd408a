/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The capture node: one video device, its queue and its frame engine.
 */
#ifndef VIVID_EXT_CAPTURE_H
#define VIVID_EXT_CAPTURE_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/videodev2.h>
#include <media/v4l2-ctrls.h>
#include <media/v4l2-dev.h>
#include <media/videobuf2-core.h>

#include "controls.h"
#include "format.h"
#include "pattern.h"

struct seq_file;
struct task_struct;
struct vivid_ext_dev;

/**
 * struct vivid_ext_stats - what happened since the device was made
 * @frames: handed to the user, whole
 * @dropped: due, but there was no buffer or no time
 * @late: of @dropped, those for which there was no time
 * @errors: handed to the user in error
 * @stalls: times that the machine stood still, and the camera with it
 * @dma_frames: of @frames, written by the device
 * @cpu_frames: of @frames, written by the CPU
 * @bytes: visible bytes of @frames
 * @cpu_ns: time spent to draw them
 */
struct vivid_ext_stats {
	u64 frames;
	u64 dropped;
	u64 late;
	u64 errors;
	u64 stalls;
	u64 dma_frames;
	u64 cpu_frames;
	u64 bytes;
	u64 cpu_ns;
};

/**
 * struct vivid_ext_capture - a capture node
 * @dev: the camera
 * @vdev: the video device
 * @queue: its buffers; its device is NULL where the CPU draws
 * @lock: serialises ioctls and @queue; protects @format and @buffers
 * @format: constant while there are buffers
 * @buffers: all that the device can reach, queued or not
 * @qlock: protects @queued, @interval and @stats
 * @queued: buffers that wait for a frame
 * @interval: from frame to frame
 * @stats: counts
 * @pattern: what is drawn
 * @controls: what the user can turn
 * @engine: the thread that makes frames, while streaming
 *
 * Locks: @lock, then the control handler's, then the pattern's, then @qlock.
 * The engine takes neither of the first two, so that stopping it under @lock
 * cannot hang.
 */
struct vivid_ext_capture {
	struct vivid_ext_dev *dev;
	struct video_device vdev;
	struct vb2_queue queue;
	struct mutex lock;	/* ioctls, @queue, @format, @buffers */
	struct vivid_ext_format format;
	struct list_head buffers;

	spinlock_t qlock;	/* @queued, @interval, @stats */
	struct list_head queued;
	struct v4l2_fract interval;
	struct vivid_ext_stats stats;

	struct vivid_ext_pattern pattern;
	struct vivid_ext_controls controls;
	struct task_struct *engine;
};

int vivid_ext_capture_register(struct vivid_ext_capture *cap,
			       struct vivid_ext_dev *dev);
void vivid_ext_capture_unregister(struct vivid_ext_capture *cap);
void vivid_ext_capture_free(struct vivid_ext_capture *cap);

#endif
