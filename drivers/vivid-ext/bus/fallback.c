// SPDX-License-Identifier: GPL-2.0-only
/*
 * Why frames were copied by the CPU instead of moved by DMA, and how often.
 */
#include <linux/export.h>
#include <linux/seq_file.h>
#include <linux/string.h>

#include "fallback.h"

/**
 * vivid_ext_reason_find - find or make the entry of a reason
 * @reasons: VIVID_EXT_MAX_REASONS of them; unused ones have no stage
 * @stage: what failed; a string that stays
 * @error: with which errno
 *
 * The caller's lock protects the table. Return: the entry; the last one is for
 * all reasons that there are too many of.
 */
struct vivid_ext_reason *vivid_ext_reason_find(struct vivid_ext_reason *reasons,
					       const char *stage, int error)
{
	struct vivid_ext_reason *last = &reasons[VIVID_EXT_MAX_REASONS - 1];
	struct vivid_ext_reason *reason = reasons;

	while (reason != last && reason->stage &&
	       (reason->error != error || strcmp(reason->stage, stage)))
		reason++;
	if (!reason->stage) {
		reason->stage = reason == last ? "other" : stage;
		reason->error = error;
	}
	return reason;
}
EXPORT_SYMBOL_GPL(vivid_ext_reason_find);

/**
 * vivid_ext_reasons_show - print a table, for debugfs
 * @reasons: the table
 * @m: gets a line a reason: "stage:errno imports frames"
 *
 * Under the lock that protects the table.
 */
void vivid_ext_reasons_show(const struct vivid_ext_reason *reasons,
			    struct seq_file *m)
{
	unsigned int i;

	for (i = 0; i < VIVID_EXT_MAX_REASONS && reasons[i].stage; i++)
		seq_printf(m, "%s:%d %llu %llu\n", reasons[i].stage,
			   reasons[i].error, reasons[i].imports,
			   reasons[i].frames);
}
EXPORT_SYMBOL_GPL(vivid_ext_reasons_show);
