/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The frame engine: makes frames at their times while a node streams.
 */
#ifndef VIVID_EXT_ENGINE_H
#define VIVID_EXT_ENGINE_H

struct vivid_ext_node;

int vivid_ext_engine_start(struct vivid_ext_node *node);
void vivid_ext_engine_stop(struct vivid_ext_node *node);

#endif
