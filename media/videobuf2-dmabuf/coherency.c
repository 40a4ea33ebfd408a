// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hands of the coherency engine: locks, page tables and the DMA API.
 */
#include <linux/bitmap.h>
#include <linux/mm.h>

#include "internal.h"
#include "trace.h"

/**
 * DOC: hands
 *
 * What is done when is decided by engine.c, moves.c and protocol.c, which are
 * proved in user space (make prove); coherency.c carries it out. All events of
 * a buffer but one take &vdb_buffer.lock and may sleep. The end of a queue's
 * frame comes from vb2_buffer_done(), maybe in a hard interrupt: it changes a
 * few words under &vdb_buffer.state_lock, and moves nothing.
 *
 * A frame takes milliseconds to synchronise, so it is done piece by piece, and
 * interrupts are let in between.
 */

static struct vdb_buffer *buffer_of(const struct vdb_engine *e)
{
	return container_of(e, struct vdb_buffer, engine);
}

static bool writes(enum dma_data_direction dir)
{
	return dir == DMA_FROM_DEVICE || dir == DMA_BIDIRECTIONAL;
}

/* The hands. */

unsigned long vdb_hand_lock(struct vdb_engine *e)
	__acquires(&buffer_of(e)->state_lock)
{
	unsigned long flags;

	/* When it is not held a frame may end: tests let that happen here. */
	VDB_STATIC_STUB(vdb_hand_lock, e);

	spin_lock_irqsave(&buffer_of(e)->state_lock, flags);
	return flags;
}
EXPORT_SYMBOL_VDB_KUNIT(vdb_hand_lock);

void vdb_hand_unlock(struct vdb_engine *e, unsigned long flags)
	__releases(&buffer_of(e)->state_lock)
{
	spin_unlock_irqrestore(&buffer_of(e)->state_lock, flags);
}

void vdb_hand_rest(struct vdb_engine *e)
{
	cond_resched();
}

void vdb_hand_move(struct vdb_engine *e, struct vdb_move *move)
{
	struct vdb_buffer *buf = buffer_of(e);
	bool fetch = move->kind == VDB_FETCH;
	struct vdb_attachment *att;

	lockdep_assert_held(&buf->state_lock);
	buf->moves++;
	move->last = min(move->last, move->first + VDB_PIECE_CHUNKS);
	if (move->kind == VDB_AGREE) {
		vdb_merge_note(buf, move->first);
	} else if (move->kind == VDB_MERGE) {
		vdb_merge(buf, move);
	} else {
		/* One for all: who looks through the same view sees the same. */
		att = vdb_views_device(buf, move->view, fetch);
		if (!WARN_ON_ONCE(!att))
			vdb_sync(att, move->first * VDB_CHUNK_SIZE,
				 min_t(size_t, move->last * VDB_CHUNK_SIZE,
				       buf->size), fetch);
	}
}

bool vdb_hand_revoke(struct vdb_engine *e)
{
	struct vdb_buffer *buf = buffer_of(e);

	/* What goes past the caches is no cause to worry. */
	if (buf->past_caches && bitmap_empty(e->entries, e->nr_chunks))
		return false;
	if (buf->policy == VDB_POLICY_EXPLICIT && !vdb_synccheck_enabled(buf))
		return false;
	return vdb_shootdown(buf) && buf->policy != VDB_POLICY_EXPLICIT;
}

bool vdb_hand_keeps_entries(const struct vdb_engine *e, bool idle)
{
	struct vdb_buffer *buf = buffer_of(e);

	if (buf->policy == VDB_POLICY_SHOOTDOWN)
		return false;
	/* What comes back outside of a bracket is to be found out. */
	return !e->outside || (idle && !vdb_synccheck_enabled(buf));
}

/* Nothing had to be done where something might have been. */
static void elided_since(struct vdb_buffer *buf, unsigned long moves)
{
	if (moves != READ_ONCE(buf->moves))
		return;
	vdb_stat_add(VDB_SYNCS_ELIDED, 1);
	trace_vdb_elide(buf);
}

/* Events. */

/**
 * vdb_coherency_map - map a buffer for a device, with the newest bytes
 * @att: the device's attachment, not mapped; its table is made
 * @dir: the direction
 *
 * A device that only writes is mapped for both directions: handing a buffer
 * over for DMA_FROM_DEVICE need not put the CPU's bytes where devices see them
 * (some caches drop them), and what the device leaves out, or another device
 * reads, would be lost. So is a queue's where processes write past the caches:
 * their bytes are fetched through it.
 *
 * Context: process; vdb_buffer.lock held; may sleep.
 * Return: 0, -ENOMEM, or what dma_map_sgtable() says.
 */
int vdb_coherency_map(struct vdb_attachment *att, enum dma_data_direction dir)
{
	struct vdb_buffer *buf = att->buf;
	unsigned long flags;
	int ret;

	lockdep_assert_held(&buf->lock);
	att->dir = dir;
	att->dma_dir = dir;
	if (dir == DMA_FROM_DEVICE ||
	    (buf->policy == VDB_POLICY_WRITECOMBINE && att->tracked))
		att->dma_dir = DMA_BIDIRECTIONAL;
	ret = vdb_views_map(att);
	if (ret) {
		att->dir = DMA_NONE;
		return ret;
	}
	flags = vdb_hand_lock(&buf->engine);
	att->maps = 1;
	vdb_hand_unlock(&buf->engine, flags);
	vdb_protocol_map(&buf->engine, att->view, !att->tracked,
			 vdb_can_write(att));
	return 0;
}

/* No mapping of a process can go past the caches any more. */
static void end_bypass(struct vdb_buffer *buf)
{
	if (!buf->past_caches)
		return;
	vdb_shootdown(buf);
	vdb_protocol_unmap(&buf->engine, VDB_MEMORY, true, true);
	buf->past_caches = false;
}

/**
 * vdb_coherency_unmap - unmap a buffer from a device
 * @att: the device's attachment, mapped
 *
 * An unmap synchronises too, even what is older than the CPU's bytes; so what
 * only this device has is fetched before, and the DMA API is told not to.
 *
 * Context: process; vdb_buffer.lock held.
 */
void vdb_coherency_unmap(struct vdb_attachment *att)
{
	struct vdb_buffer *buf = att->buf;
	struct vdb_engine *e = &buf->engine;
	unsigned long flags;

	lockdep_assert_held(&buf->lock);
	/* Beside the processes themselves. */
	if (att->view == VDB_MEMORY && vdb_can_write(att) &&
	    e->views[VDB_MEMORY].writers == 2)
		end_bypass(buf);
	/* A queue that lost it in the middle of a frame. */
	flags = vdb_hand_lock(e);
	for (; att->writing; att->writing--)
		vdb_engine_close(e, att->view, true);
	vdb_hand_unlock(e, flags);
	vdb_protocol_unmap(e, att->view, !att->tracked, vdb_can_write(att));

	flags = vdb_hand_lock(e);
	att->maps = 0;
	vdb_hand_unlock(e, flags);
	att->dir = DMA_NONE;
	vdb_views_unmap(att);
}

/**
 * vdb_coherency_begin - a CPU access begins
 * @buf: the buffer
 * @writes: it may write
 *
 * Reading is no different from writing: what the CPU does not write of a chunk
 * must be right as well when the chunk goes to a device.
 *
 * Context: process; may sleep; takes vdb_buffer.lock.
 */
void vdb_coherency_begin(struct vdb_buffer *buf, bool writes)
{
	unsigned long moves;

	mutex_lock(&buf->lock);
	moves = buf->moves;
	buf->cpu_users++;
	vdb_protocol_begin(&buf->engine, writes);
	elided_since(buf, moves);
	mutex_unlock(&buf->lock);
}
EXPORT_SYMBOL_VDB_KUNIT(vdb_coherency_begin);

/**
 * vdb_coherency_look - a driver's CPU is about to look, and does not say how long
 * @buf: the buffer
 *
 * Context: process; may sleep; takes vdb_buffer.lock.
 */
void vdb_coherency_look(struct vdb_buffer *buf)
{
	mutex_lock(&buf->lock);
	vdb_protocol_begin(&buf->engine, false);
	mutex_unlock(&buf->lock);
}
EXPORT_SYMBOL_VDB_KUNIT(vdb_coherency_look);

/**
 * vdb_coherency_end - a CPU access ends
 * @buf: the buffer
 * @writes: it may have written
 *
 * Context: process; may sleep; takes vdb_buffer.lock.
 */
void vdb_coherency_end(struct vdb_buffer *buf, bool writes)
{
	unsigned long moves;

	mutex_lock(&buf->lock);
	moves = buf->moves;
	/* Nobody makes user space end what it began, or begin what it ends. */
	if (buf->cpu_users)
		buf->cpu_users--;
	if (writes)
		buf->unsynced = false;
	vdb_protocol_end(&buf->engine, writes);
	elided_since(buf, moves);
	mutex_unlock(&buf->lock);
}
EXPORT_SYMBOL_VDB_KUNIT(vdb_coherency_end);

/**
 * vdb_coherency_fault - a process is about to see some pages of a chunk
 * @buf: the buffer
 * @chunk: which chunk
 * @unnoticed: it will be able to write to them without another fault
 * @writes: it is about to write
 *
 * Context: process; may sleep; vdb_buffer.lock held.
 */
void vdb_coherency_fault(struct vdb_buffer *buf, unsigned int chunk,
			 bool unnoticed, bool writes)
{
	lockdep_assert_held(&buf->lock);
	vdb_protocol_fault(&buf->engine, chunk, unnoticed, writes);
}
EXPORT_SYMBOL_VDB_KUNIT(vdb_coherency_fault);

/**
 * vdb_coherency_bypass - let a process see memory, past the CPU's caches
 * @buf: the buffer, of the policy that wants that
 *
 * Processes then are like one more device that looks at memory and says
 * nothing. Where no device does there is nobody to synchronise memory with.
 *
 * Context: process; may sleep; vdb_buffer.lock held.
 * Return: true if it may, false if it is to see the CPU's bytes.
 */
bool vdb_coherency_bypass(struct vdb_buffer *buf)
{
	struct vdb_engine *e = &buf->engine;

	lockdep_assert_held(&buf->lock);
	if (buf->past_caches)
		return true;
	if (!e->views[VDB_MEMORY].writers || vdb_views_add_writer(buf, VDB_MEMORY))
		return false;
	vdb_protocol_map(e, VDB_MEMORY, true, true);
	buf->past_caches = true;
	buf->shown = true;
	return true;
}

/**
 * vdb_coherency_vmap - somebody who brackets their access maps it in the kernel
 * @buf: the buffer
 *
 * Context: process; may sleep; vdb_buffer.lock held.
 */
void vdb_coherency_vmap(struct vdb_buffer *buf)
{
	lockdep_assert_held(&buf->lock);
	vdb_protocol_add_mapping(&buf->engine);
}

/**
 * vdb_coherency_vunmap - undo one vdb_coherency_vmap()
 * @buf: the buffer
 *
 * Context: process; vdb_buffer.lock held.
 */
void vdb_coherency_vunmap(struct vdb_buffer *buf)
{
	unsigned long flags = vdb_hand_lock(&buf->engine);

	vdb_engine_del_mapping(&buf->engine);
	vdb_hand_unlock(&buf->engine, flags);
}

/**
 * vdb_coherency_mapped - a process has mapped a buffer
 * @buf: the buffer
 *
 * Context: process; may sleep; vdb_buffer.lock held.
 */
void vdb_coherency_mapped(struct vdb_buffer *buf)
{
	lockdep_assert_held(&buf->lock);
	if (!buf->user_mappings++ && buf->policy == VDB_POLICY_EXPLICIT)
		vdb_coherency_vmap(buf);
}

/**
 * vdb_coherency_unmapped - a process has unmapped a buffer
 * @buf: the buffer
 *
 * Context: process; may sleep; vdb_buffer.lock held.
 */
void vdb_coherency_unmapped(struct vdb_buffer *buf)
{
	lockdep_assert_held(&buf->lock);
	if (--buf->user_mappings)
		return;
	if (buf->policy == VDB_POLICY_EXPLICIT)
		vdb_coherency_vunmap(buf);
	end_bypass(buf);
}

/**
 * vdb_coherency_wrote - a driver's CPU has written outside of any access
 * @buf: the buffer
 *
 * Context: process; may sleep; takes vdb_buffer.lock.
 */
void vdb_coherency_wrote(struct vdb_buffer *buf)
{
	mutex_lock(&buf->lock);
	vdb_protocol_wrote(&buf->engine);
	mutex_unlock(&buf->lock);
}
EXPORT_SYMBOL_VDB_KUNIT(vdb_coherency_wrote);

static void queue(struct vdb_buffer *buf, unsigned int view, bool writes,
		  bool clean)
{
	unsigned long moves = buf->moves;

	lockdep_assert_held(&buf->lock);
	vdb_synccheck_queued(buf);
	buf->cpu_users = 0;
	vdb_protocol_queue(&buf->engine, view, writes, clean);
	elided_since(buf, moves);
}

/**
 * vdb_coherency_queue - a queue gives its buffer to the device (QBUF)
 * @att: the queue's attachment
 * @clean: false where user space promises that the CPU wrote nothing
 *	(V4L2_BUF_FLAG_NO_CACHE_CLEAN)
 *
 * Context: process; may sleep; takes vdb_buffer.lock.
 */
void vdb_coherency_queue(struct vdb_attachment *att, bool clean)
{
	struct vdb_buffer *buf = att->buf;
	unsigned long flags;

	mutex_lock(&buf->lock);
	/* What the CPU wrote is all that the promise is about. */
	clean |= buf->drawn || buf->engine.pinned ||
		 !list_is_singular(&buf->attachments);
	queue(buf, att->view, writes(att->dir), clean);
	flags = vdb_hand_lock(&buf->engine);
	att->writing += writes(att->dir);
	buf->device_owned = true;
	vdb_hand_unlock(&buf->engine, flags);
	mutex_unlock(&buf->lock);
}
EXPORT_SYMBOL_VDB_KUNIT(vdb_coherency_queue);

/**
 * vdb_coherency_queue_cpu - a queue gives its buffer to the driver's CPU
 * @buf: the buffer
 * @writes: it makes a frame, until vdb_coherency_done_cpu()
 *
 * Context: process; may sleep; takes vdb_buffer.lock.
 */
void vdb_coherency_queue_cpu(struct vdb_buffer *buf, bool writes)
{
	mutex_lock(&buf->lock);
	buf->drawn |= writes;
	queue(buf, VDB_CPU, writes, true);
	mutex_unlock(&buf->lock);
}
EXPORT_SYMBOL_VDB_KUNIT(vdb_coherency_queue_cpu);

/**
 * vdb_coherency_done - the device is done with its buffer
 * @att: the queue's attachment
 * @wrote: false where it is known that it has written nothing
 *
 * Nothing is moved, however large the frame is: that is done when it is
 * delivered, or when somebody looks.
 *
 * Context: any, hard interrupt included.
 */
void vdb_coherency_done(struct vdb_attachment *att, bool wrote)
{
	struct vdb_buffer *buf = att->buf;
	unsigned long flags;

	flags = vdb_hand_lock(&buf->engine);
	buf->device_owned = false;
	if (att->writing) {
		att->writing--;
		vdb_engine_close(&buf->engine, att->view, wrote);
	}
	vdb_hand_unlock(&buf->engine, flags);
}
EXPORT_SYMBOL_VDB_KUNIT(vdb_coherency_done);

/**
 * vdb_coherency_done_cpu - the driver's CPU is done with its buffer
 * @buf: the buffer, which was given to it to write
 * @wrote: false where the driver says itself when it writes
 *
 * Context: any, hard interrupt included.
 */
void vdb_coherency_done_cpu(struct vdb_buffer *buf, bool wrote)
{
	unsigned long flags = vdb_hand_lock(&buf->engine);

	vdb_engine_close(&buf->engine, VDB_CPU, wrote);
	vdb_hand_unlock(&buf->engine, flags);
}
EXPORT_SYMBOL_VDB_KUNIT(vdb_coherency_done_cpu);

/**
 * vdb_coherency_deliver - a frame goes to user space (DQBUF)
 * @buf: the buffer
 * @look: the driver's CPU looks at it, and won't say when
 *
 * Context: process; may sleep; takes vdb_buffer.lock.
 */
void vdb_coherency_deliver(struct vdb_buffer *buf, bool look)
{
	unsigned long moves;

	mutex_lock(&buf->lock);
	moves = buf->moves;
	vdb_protocol_deliver(&buf->engine, look);
	elided_since(buf, moves);
	mutex_unlock(&buf->lock);
}
EXPORT_SYMBOL_VDB_KUNIT(vdb_coherency_deliver);

/**
 * vdb_coherency_deliver_now - the same where it can't wait for DQBUF
 * @buf: the buffer
 * @look: as in vdb_coherency_deliver()
 *
 * Page table entries can't be taken away here: what they show is fetched. It
 * takes as long as the frame is large.
 *
 * Context: any, hard interrupt included.
 */
void vdb_coherency_deliver_now(struct vdb_buffer *buf, bool look)
{
	vdb_protocol_deliver_now(&buf->engine, look);
}
EXPORT_SYMBOL_VDB_KUNIT(vdb_coherency_deliver_now);
