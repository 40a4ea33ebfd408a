/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the modules say in debugfs about how frames travelled.
 */
#ifndef EVIDENCE_H
#define EVIDENCE_H

#include <stdbool.h>
#include <sys/types.h>

#define EVIDENCE_MAX_REASONS 16

/**
 * struct evidence - counters at a moment, or between two moments
 * @cpu_touches: the allocator's begin_cpu_access, faults and vmaps
 * @frames_shown: commits that scan-out took up, the rest by kind
 * @num_reasons: why frames were copied by CPU
 * @reasons: the reason's name and the frames
 *
 * The other members are the display's counters of the same name.
 */
struct evidence {
	long long cpu_touches;
	long long frames_shown;
	long long zero_copy_frames;
	long long fallback_frames;
	long long bytes_copied;
	long long stamps_read;
	long long checksum_mismatches;
	long long frames_overwritten;
	long long sequence_gaps;
	long long underruns;
	unsigned int num_reasons;
	struct {
		char name[32];
		long long frames;
	} reasons[EVIDENCE_MAX_REASONS];
};

/* Reads the counters; 0, or -1 after a message. */
int evidence_read(struct evidence *evidence);

/* What happened after @before was read until @after was. */
struct evidence evidence_between(const struct evidence *before,
				 const struct evidence *after);

/*
 * Whether the pages that the display reaches by DMA are those that the
 * allocator took for the dma-buf with this inode.
 */
bool evidence_same_pages(ino_t inode);

/* The pixels that scan-out reads next, a PPM file; NULL after a message. */
char *evidence_snapshot(size_t *size);

#endif
