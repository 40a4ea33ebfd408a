// SPDX-License-Identifier: GPL-2.0-only
/*
 * Errors that a node makes when it is asked to by a control, to see what
 * applications do. No control does anything at the moment it is set: programs
 * that try all of them, as v4l2-compliance does, leave them at 0.
 */
#include <linux/bitops.h>
#include <linux/device.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/vivid-ext.h>
#include <linux/workqueue.h>
#include <media/v4l2-ctrls.h>

#include "inject.h"

/* How long after the start of streaming it takes numbers to wrap. */
#define WRAP_FRAMES	16
#define WRAP_NS		NSEC_PER_SEC

static const char * const time_menu[] = {
	[VIVID_EXT_TIME_TRUE] = "None",
	[VIVID_EXT_TIME_32BIT] = "32 Bit",
	[VIVID_EXT_TIME_64BIT] = "64 Bit",
	NULL
};

#define SWITCH(number, cid, what) \
	[number] = { .id = cid, .name = what, \
		     .type = V4L2_CTRL_TYPE_BOOLEAN, .max = 1, .step = 1 }
#define NUMBER(number, cid, what, most) \
	[number] = { .id = cid, .name = what, \
		     .type = V4L2_CTRL_TYPE_INTEGER, .max = most, .step = 1 }

static const struct v4l2_ctrl_config configs[VIVID_EXT_NUM_ERRORS] = {
	SWITCH(VIVID_EXT_ERROR_QUEUE_SETUP, VIVID_EXT_CID_QUEUE_SETUP_ERROR,
	       "Inject Queue Setup Error"),
	SWITCH(VIVID_EXT_ERROR_BUF_PREPARE, VIVID_EXT_CID_BUF_PREPARE_ERROR,
	       "Inject Buffer Prepare Error"),
	SWITCH(VIVID_EXT_ERROR_START, VIVID_EXT_CID_START_STREAMING_ERROR,
	       "Inject Start Streaming Error"),
	NUMBER(VIVID_EXT_ERROR_DROPPED, VIVID_EXT_CID_DROPPED_FRAMES,
	       "Percentage Dropped Frames", 100),
	NUMBER(VIVID_EXT_ERROR_FRAME, VIVID_EXT_CID_ERROR_FRAMES,
	       "Percentage Frames In Error", 100),
	NUMBER(VIVID_EXT_ERROR_DMA, VIVID_EXT_CID_DMA_FAULTS,
	       "Percentage DMA Faults", 100),
	NUMBER(VIVID_EXT_ERROR_DISCONNECT, VIVID_EXT_CID_DISCONNECT,
	       "Disconnect After Frames", 1000),
	SWITCH(VIVID_EXT_ERROR_SEQUENCE, VIVID_EXT_CID_WRAP_SEQUENCE,
	       "Wrap Sequence Number"),
	[VIVID_EXT_ERROR_TIME] = {
		.id = VIVID_EXT_CID_WRAP_TIME,
		.name = "Wrap Timestamp",
		.type = V4L2_CTRL_TYPE_MENU,
		.max = ARRAY_SIZE(time_menu) - 2,
		.qmenu = time_menu,
	},
};

static struct workqueue_struct *unplug_queue;

/**
 * vivid_ext_inject_init - add the controls to a node
 * @inject: zeroed memory
 * @handler: the node's; its error tells of failures. Where the controls were
 *	not added, no error is ever injected
 * @errors: which ones, as bits %BIT of &enum vivid_ext_error
 *
 * Process context.
 */
void vivid_ext_inject_init(struct vivid_ext_inject *inject,
			   struct v4l2_ctrl_handler *handler,
			   unsigned long errors)
{
	unsigned int i;

	for_each_set_bit(i, &errors, VIVID_EXT_NUM_ERRORS)
		inject->ctrls[i] = v4l2_ctrl_new_custom(handler, &configs[i],
							NULL);
}
EXPORT_SYMBOL_GPL(vivid_ext_inject_init);

/* A control's value; the engine can't take the handler's lock for it. */
static s32 asked(const struct vivid_ext_inject *inject,
		 enum vivid_ext_error error)
{
	const struct v4l2_ctrl *ctrl = inject->ctrls[error];

	return ctrl ? READ_ONCE(ctrl->cur.val) : 0;
}

/**
 * vivid_ext_inject_call - whether an operation of the queue is to fail
 * @inject: the node's errors
 * @error: for which operation
 *
 * The control goes back to 0, so that one call fails. Process context; the
 * node's lock may be held, the control handler's not.
 *
 * Return: 0, or the error to return: -ENOMEM for the queue's setup, as if
 * memory had run out, -EIO for the others.
 */
int vivid_ext_inject_call(struct vivid_ext_inject *inject,
			  enum vivid_ext_error error)
{
	if (!asked(inject, error))
		return 0;
	v4l2_ctrl_s_ctrl(inject->ctrls[error], 0);
	return error == VIVID_EXT_ERROR_QUEUE_SETUP ? -ENOMEM : -EIO;
}
EXPORT_SYMBOL_GPL(vivid_ext_inject_call);

/**
 * vivid_ext_inject_frame - whether something is to go wrong with a frame
 * @inject: the node's errors
 * @error: what: %VIVID_EXT_ERROR_DROPPED, _FRAME or _DMA
 *
 * Of a hundred frames in a row exactly as many as asked for, evenly spaced: a
 * test can count on it. Call it once for each frame, from the engine.
 *
 * Return: whether it is this frame's turn.
 */
bool vivid_ext_inject_frame(struct vivid_ext_inject *inject,
			    enum vivid_ext_error error)
{
	unsigned int *carry = &inject->carry[error];

	*carry += asked(inject, error);
	if (*carry < 100)
		return false;
	*carry -= 100;
	return true;
}
EXPORT_SYMBOL_GPL(vivid_ext_inject_frame);

/**
 * struct unplug - a device that is about to go
 * @work: in a context of its own, since it waits for the engine
 * @dev: the device
 */
struct unplug {
	struct work_struct work;
	struct device *dev;
};

static void unplug(struct work_struct *work)
{
	struct unplug *job = container_of(work, struct unplug, work);

	device_release_driver(job->dev);
	put_device(job->dev);
	kfree(job);
}

/**
 * vivid_ext_inject_disconnect - unplug the device, if it is time
 * @inject: the node's errors
 * @dev: the device, bound
 *
 * The driver is unbound from it, soon: nodes disappear, open files get -ENODEV,
 * buffers live on. Binding it again plugs it in, with all controls at their
 * defaults. Call it once for each frame, from the engine.
 */
void vivid_ext_inject_disconnect(struct vivid_ext_inject *inject,
				 struct device *dev)
{
	unsigned int after = asked(inject, VIVID_EXT_ERROR_DISCONNECT);
	struct unplug *job;

	inject->frames = after ? inject->frames + 1 : 0;
	if (!after || inject->frames != after)
		return;
	job = kmalloc(sizeof(*job), GFP_KERNEL);
	if (!job)
		return;
	dev_notice(dev, "is disconnected after %u frames, as asked\n", after);
	job->dev = get_device(dev);
	INIT_WORK(&job->work, unplug);
	queue_work(unplug_queue, &job->work);
}
EXPORT_SYMBOL_GPL(vivid_ext_inject_disconnect);

/**
 * vivid_ext_inject_sequence - the number of the first frame
 * @inject: the node's errors
 *
 * Return: 0, or a number that becomes 0 after a few frames.
 */
u32 vivid_ext_inject_sequence(const struct vivid_ext_inject *inject)
{
	return asked(inject, VIVID_EXT_ERROR_SEQUENCE) ? -WRAP_FRAMES : 0;
}
EXPORT_SYMBOL_GPL(vivid_ext_inject_sequence);

/**
 * vivid_ext_inject_time - what is added to time stamps
 * @inject: the node's errors
 * @now: the time when streaming starts, in nanoseconds
 *
 * Return: 0, or as much as makes seconds in 32 bits, or nanoseconds in 64,
 * negative one second from @now.
 */
u64 vivid_ext_inject_time(const struct vivid_ext_inject *inject, u64 now)
{
	switch (asked(inject, VIVID_EXT_ERROR_TIME)) {
	case VIVID_EXT_TIME_32BIT:
		return BIT_ULL(31) * NSEC_PER_SEC - WRAP_NS - now;
	case VIVID_EXT_TIME_64BIT:
		return BIT_ULL(63) - WRAP_NS - now;
	default:
		return 0;
	}
}
EXPORT_SYMBOL_GPL(vivid_ext_inject_time);

static int __init inject_init(void)
{
	unplug_queue = alloc_workqueue("vivid-ext-unplug", WQ_UNBOUND, 0);
	return unplug_queue ? 0 : -ENOMEM;
}
module_init(inject_init);

/* Waits for what is still on its way out. */
static void __exit inject_exit(void)
{
	destroy_workqueue(unplug_queue);
}
module_exit(inject_exit);
