/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What can be seen of a camera from outside: counts and buffers.
 */
#ifndef VIVID_EXT_DEBUGFS_H
#define VIVID_EXT_DEBUGFS_H

struct vivid_ext_capture;
struct vivid_ext_core;
struct vivid_ext_output;

void vivid_ext_debugfs_init(void);
void vivid_ext_debugfs_exit(void);
void vivid_ext_debugfs_add(struct vivid_ext_core *core,
			   struct vivid_ext_capture *cap,
			   struct vivid_ext_output *out);
void vivid_ext_debugfs_remove(struct vivid_ext_core *core);

#endif
