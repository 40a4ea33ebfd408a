/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Errors that a node makes when it is asked to, to see what applications do.
 */
#ifndef VIVID_EXT_INJECT_H
#define VIVID_EXT_INJECT_H

#include <linux/bits.h>
#include <linux/types.h>

struct device;
struct v4l2_ctrl;
struct v4l2_ctrl_handler;

/**
 * enum vivid_ext_error - what can go wrong
 * @VIVID_EXT_ERROR_QUEUE_SETUP: the next VIDIOC_REQBUFS or VIDIOC_CREATE_BUFS
 * @VIVID_EXT_ERROR_BUF_PREPARE: the next VIDIOC_QBUF or VIDIOC_PREPARE_BUF
 * @VIVID_EXT_ERROR_START: the next start of streaming
 * @VIVID_EXT_ERROR_DROPPED: a share of the frames is dropped
 * @VIVID_EXT_ERROR_FRAME: a share of the frames is in error
 * @VIVID_EXT_ERROR_DMA: in a share of the frames the device uses a wrong address
 * @VIVID_EXT_ERROR_DISCONNECT: the device is unplugged after so many frames
 * @VIVID_EXT_ERROR_SEQUENCE: sequence numbers wrap
 * @VIVID_EXT_ERROR_TIME: time stamps wrap
 * @VIVID_EXT_NUM_ERRORS: how many there are
 */
enum vivid_ext_error {
	VIVID_EXT_ERROR_QUEUE_SETUP,
	VIVID_EXT_ERROR_BUF_PREPARE,
	VIVID_EXT_ERROR_START,
	VIVID_EXT_ERROR_DROPPED,
	VIVID_EXT_ERROR_FRAME,
	VIVID_EXT_ERROR_DMA,
	VIVID_EXT_ERROR_DISCONNECT,
	VIVID_EXT_ERROR_SEQUENCE,
	VIVID_EXT_ERROR_TIME,
	VIVID_EXT_NUM_ERRORS
};

#define VIVID_EXT_ALL_ERRORS (BIT(VIVID_EXT_NUM_ERRORS) - 1)

/**
 * struct vivid_ext_inject - the errors of a node
 * @ctrls: what the user asks for; one for each &enum vivid_ext_error
 * @carry: percents that have added up; for the engine only
 * @frames: since @VIVID_EXT_ERROR_DISCONNECT was asked for; the same
 */
struct vivid_ext_inject {
	struct v4l2_ctrl *ctrls[VIVID_EXT_NUM_ERRORS];
	unsigned int carry[VIVID_EXT_NUM_ERRORS];
	unsigned int frames;
};

void vivid_ext_inject_init(struct vivid_ext_inject *inject,
			   struct v4l2_ctrl_handler *handler,
			   unsigned long errors);
int vivid_ext_inject_call(struct vivid_ext_inject *inject,
			  enum vivid_ext_error error);
bool vivid_ext_inject_frame(struct vivid_ext_inject *inject,
			    enum vivid_ext_error error);
void vivid_ext_inject_disconnect(struct vivid_ext_inject *inject,
				 struct device *dev);
u32 vivid_ext_inject_sequence(const struct vivid_ext_inject *inject);
u64 vivid_ext_inject_time(const struct vivid_ext_inject *inject, u64 now);

#endif
