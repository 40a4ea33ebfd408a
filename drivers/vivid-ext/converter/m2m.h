/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The converter: a memory-to-memory device.
 */
#ifndef VIVID_EXT_M2M_H
#define VIVID_EXT_M2M_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <media/media-device.h>
#include <media/v4l2-dev.h>
#include <media/v4l2-device.h>

#include "bus/fallback.h"
#include "v4l2/device-config.h"

#define VIVID_EXT_M2M_NAME "vivid-ext-m2m"

struct v4l2_m2m_dev;
struct vivid_ext_m2m_context;

/**
 * struct vivid_ext_m2m_stats - what was converted since the device was made
 * @frames: whole
 * @errors: given back in error
 * @zero_copy: of @frames, both buffers were reached by DMA
 * @fallback: of @frames, the CPU stood in at least at one side
 * @imported: buffers of other devices among those of @frames
 * @bytes_read: of the old pictures
 * @bytes_written: of the new ones
 * @bytes_copied: of both, those that the CPU moved in the device's place
 * @stamps_read: old pictures that carry a stamp
 * @stamps_missing: those that carry none
 * @mismatches: of @stamps_read, those whose pixels differ
 */
struct vivid_ext_m2m_stats {
	u64 frames;
	u64 errors;
	u64 zero_copy;
	u64 fallback;
	u64 imported;
	u64 bytes_read;
	u64 bytes_written;
	u64 bytes_copied;
	u64 stamps_read;
	u64 stamps_missing;
	u64 mismatches;
};

/**
 * struct vivid_ext_m2m - a converter
 * @dev: its platform device; not valid after unbinding
 * @config: of the camera that it comes with
 * @v4l2_dev: holds the reference that keeps this structure
 * @mdev: the media device, for requests
 * @vdev: the video device
 * @m2m_dev: lets one context after the other use it
 * @lock: serialises ioctls, queues and changes of the bus; protects @contexts
 * @contexts: one for each open file
 * @workqueue: where @work runs
 * @work: one conversion
 * @running: whose
 * @stats_lock: protects @stats and @reasons
 * @stats: counts
 * @reasons: why the CPU stood in
 * @debugfs: its directory
 */
struct vivid_ext_m2m {
	struct device *dev;
	struct vivid_ext_config config;
	struct v4l2_device v4l2_dev;
	struct media_device mdev;
	struct video_device vdev;
	struct v4l2_m2m_dev *m2m_dev;
	struct mutex lock;	/* see above */
	struct list_head contexts;
	struct workqueue_struct *workqueue;
	struct work_struct work;
	struct vivid_ext_m2m_context *running;
	spinlock_t stats_lock;	/* @stats, @reasons */
	struct vivid_ext_m2m_stats stats;
	struct vivid_ext_reason reasons[VIVID_EXT_MAX_REASONS];
	struct dentry *debugfs;
};

#endif
