/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The output node: reads each frame that is queued, and checks its stamp.
 */
#ifndef VIVID_EXT_OUTPUT_H
#define VIVID_EXT_OUTPUT_H

#include <media/v4l2-ctrls.h>

#include "bus/fallback.h"
#include "node.h"
#include "screen.h"

struct vivid_ext_core;

/**
 * struct vivid_ext_output_stats - what was in the frames of an output node
 * @native: its own buffers, read by DMA address
 * @zero_copy: imported, read by DMA address
 * @fallback: copied by CPU
 * @bytes_copied: by the CPU, for these
 * @stamps_read: frames that carry a stamp
 * @stamps_missing: those that carry none
 * @mismatches: of @stamps_read, those whose pixels differ
 * @gaps: numbers missing between one stamp and the next
 * @last: number in the stamp read last
 */
struct vivid_ext_output_stats {
	u64 native;
	u64 zero_copy;
	u64 fallback;
	u64 bytes_copied;
	u64 stamps_read;
	u64 stamps_missing;
	u64 mismatches;
	u64 gaps;
	u32 last;
};

/**
 * struct vivid_ext_output - an output node
 * @node: what it shares with others; its qlock protects @stats and @reasons
 * @screen: the picture it shows
 * @handler: its controls
 * @stats: counts
 * @reasons: why buffers were copied
 */
struct vivid_ext_output {
	struct vivid_ext_node node;
	struct vivid_ext_screen screen;
	struct v4l2_ctrl_handler handler;
	struct vivid_ext_output_stats stats;
	struct vivid_ext_reason reasons[VIVID_EXT_MAX_REASONS];
};

int vivid_ext_output_init(struct vivid_ext_output *out,
			  struct vivid_ext_core *core);
int vivid_ext_output_register(struct vivid_ext_output *out);
void vivid_ext_output_free(struct vivid_ext_output *out);
void vivid_ext_output_show_stats(struct vivid_ext_output *out,
				 struct seq_file *m);
void vivid_ext_output_show_reasons(struct vivid_ext_output *out,
				   struct seq_file *m);

#endif
