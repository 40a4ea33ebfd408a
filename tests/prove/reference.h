/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of the world share: the buffer's engine, and the reference,
 * which knows what the newest bytes are.
 */
#ifndef PROVE_REFERENCE_H
#define PROVE_REFERENCE_H

#include "world.h"

/*
 * States of devices: mapped for what (a queue's to read and write, or ONLY_READS);
 * those of a queue go on. DRAWS: its driver's CPU writes the frame.
 */
enum {
	GONE, MAPPED, MAPPED_RW, ONLY_READS, OPEN_READ, OPEN_ONLY_READ,
	OPEN_WRITE, WROTE, DRAWS, UNDELIVERED,
};

/* States of a bracket: open; begun too early; overtaken by QBUF. */
enum { CLOSED, OPEN_R, OPEN_W, EARLY_R, EARLY_W, LATE_R, LATE_W };

extern struct config config;
extern struct vdb_engine engine;
extern struct vdb_view views[VIEWS];
extern unsigned long newest_bits[VIEWS], bitmaps[VDB_ENGINE_BITMAPS];

/**
 * struct reference - what the reference knows
 * @bytes: what is in which place, by number
 * @newest: the number of the newest
 * @untold: the place (+ 1) of a write that nobody was told of
 * @unclosed: a process wrote outside of a bracket, and still can
 * @could: places that can have been written to since they were last asked
 * @agent: states; of processes, their page table entries
 * @held: pages that a process holds, by chunk
 * @touched: queues to which nobody can promise that the CPU has not written
 */
struct reference {
	unsigned char bytes[PLACES][CHUNKS];
	unsigned char newest[CHUNKS];
	unsigned char untold[CHUNKS];
	unsigned char unclosed[CHUNKS];
	unsigned short could[CHUNKS];
	unsigned int agent[AGENTS];
	unsigned int held;
	unsigned int touched;
};

extern struct reference now;

/* States, for sets of them. */
#define IN(state) (1U << (state))
#define WRITES_NOW (IN(OPEN_WRITE) | IN(WROTE))
#define OWNED (WRITES_NOW | IN(DRAWS) | IN(UNDELIVERED))
#define READS_NOW (IN(OPEN_READ) | IN(OPEN_ONLY_READ))

enum kind kind(unsigned int a);
bool is_queue(unsigned int a);
bool is_import(unsigned int a);
bool is_process(unsigned int a);
bool is_bracket(unsigned int a);
unsigned int place(unsigned int a);
unsigned int place_now(unsigned int a);
bool any(bool (*is)(unsigned int), unsigned int states);
bool owned_by_queue(void);
bool unbracketed_ok(void);
bool process_may_write(void);
bool writes_anywhere(void);
bool may_write(unsigned int a, unsigned int c);
bool may_read(unsigned int a, unsigned int c);

#endif
