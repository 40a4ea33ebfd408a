/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is done, in which order, when somebody gets a buffer or gives it back.
 * The hands that do it are its caller's: the kernel's, or those of tests/prove.
 */
#ifndef VDB_PROTOCOL_H
#define VDB_PROTOCOL_H

#include "engine.h"

void vdb_protocol_map(struct vdb_engine *e, unsigned int view, bool silent,
		      bool writes);
void vdb_protocol_unmap(struct vdb_engine *e, unsigned int view, bool silent,
			bool writes);
void vdb_protocol_queue(struct vdb_engine *e, unsigned int view, bool writes,
			bool clean);
void vdb_protocol_deliver(struct vdb_engine *e, bool look);
void vdb_protocol_deliver_now(struct vdb_engine *e, bool look);
void vdb_protocol_begin(struct vdb_engine *e, bool writes);
void vdb_protocol_end(struct vdb_engine *e, bool writes);
void vdb_protocol_wrote(struct vdb_engine *e);
void vdb_protocol_fault(struct vdb_engine *e, unsigned int chunk,
			bool unnoticed, bool writes);
void vdb_protocol_add_mapping(struct vdb_engine *e);

/**
 * vdb_hand_lock - nothing of @e changes until vdb_hand_unlock()
 * @e: the buffer
 *
 * Return: for vdb_hand_unlock().
 */
unsigned long vdb_hand_lock(struct vdb_engine *e);
void vdb_hand_unlock(struct vdb_engine *e, unsigned long flags);

/**
 * vdb_hand_rest - between two moves, where there is time
 * @e: the buffer
 */
void vdb_hand_rest(struct vdb_engine *e);

/**
 * vdb_hand_move - carry out a move, or a first part of it
 * @e: the buffer; vdb_hand_lock() is held
 * @move: what is wanted; @last is set to what was done
 */
void vdb_hand_move(struct vdb_engine *e, struct vdb_move *move);

/**
 * vdb_hand_revoke - take all page table entries away
 * @e: the buffer
 *
 * Return: whether somebody still holds pages, which can't be taken away.
 */
bool vdb_hand_revoke(struct vdb_engine *e);

/**
 * vdb_hand_keeps_entries - whether entries stay though others get the buffer
 * @e: the buffer
 * @idle: nothing has been written through them, and they are brought up to date
 *	before they may be used again
 *
 * Return: true where all see the same bytes, or it is all the same what they
 * show; and nobody has asked for more.
 */
bool vdb_hand_keeps_entries(const struct vdb_engine *e, bool idle);

#endif
