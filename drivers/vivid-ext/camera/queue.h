/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The buffer queue of a node.
 */
#ifndef VIVID_EXT_QUEUE_H
#define VIVID_EXT_QUEUE_H

#include <linux/videodev2.h>

struct vivid_ext_node;

void vivid_ext_queue_reap(struct vivid_ext_node *node);
int vivid_ext_queue_init(struct vivid_ext_node *node, enum v4l2_buf_type type);

#endif
