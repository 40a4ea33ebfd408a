/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Why frames were copied by the CPU instead of moved by DMA.
 */
#ifndef VIVID_EXT_FALLBACK_H
#define VIVID_EXT_FALLBACK_H

#include <linux/types.h>

struct seq_file;

/* The longest list of different reasons that is remembered. */
#define VIVID_EXT_MAX_REASONS 16

/**
 * struct vivid_ext_reason - why frames were copied instead of read by DMA
 * @stage: what failed: "attach", "map" or "view"; "import" where videobuf2 did
 *	all three, "no-dma" for a device that can't
 * @error: with which errno, negative
 * @imports: buffers imported so
 * @frames: frames shown so
 */
struct vivid_ext_reason {
	const char *stage;
	int error;
	u64 imports;
	u64 frames;
};

struct vivid_ext_reason *vivid_ext_reason_find(struct vivid_ext_reason *reasons,
					       const char *stage, int error);
void vivid_ext_reasons_show(const struct vivid_ext_reason *reasons,
			    struct seq_file *m);

#endif
