/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The buffer queue of a capture node.
 */
#ifndef VIVID_EXT_QUEUE_H
#define VIVID_EXT_QUEUE_H

struct vivid_ext_capture;

int vivid_ext_queue_init(struct vivid_ext_capture *cap);

#endif
