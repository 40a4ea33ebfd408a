// SPDX-License-Identifier: GPL-2.0-only
/*
 * Catches processes that forget DMA_BUF_IOCTL_SYNC, under the policy that
 * makes it their duty (VB2_DMABUF_ATTR_EXPLICIT).
 *
 * With the module parameter check_sync, mappings are taken away at each
 * hand-over to a device, and what comes back outside of a bracket is reported,
 * once for each process. What the process sees is not mended: it is what it
 * would see on a machine whose caches are not coherent.
 */
#include <linux/moduleparam.h>
#include <linux/printk.h>
#include <linux/sched.h>

#include "internal.h"

bool vdb_check_sync;
EXPORT_SYMBOL_VDB_KUNIT(vdb_check_sync);
module_param_named(check_sync, vdb_check_sync, bool, 0644);
MODULE_PARM_DESC(check_sync, "report processes that touch buffers of policy \"explicit\" without DMA_BUF_IOCTL_SYNC (default: no)");

/* Who has been reported; the start tells them apart if a number recurs. */
static struct vdb_said reported = VDB_SAID_INIT(reported);

static bool first_time(void)
{
	struct task_struct *task = current->group_leader;

	return vdb_say_once(&reported, task->tgid, task->start_time);
}

static void report(struct vdb_buffer *buf, const char *what)
{
	vdb_stat_add(VDB_MISSING_SYNCS, 1);
	if (first_time())
		pr_warn("videobuf2-dmabuf: %s[%d] %s (buffer %llu, %zu bytes)\n",
			current->comm, current->tgid, what, buf->inode,
			buf->size);
}

/**
 * vdb_synccheck_enabled - whether a buffer's users are being watched
 * @buf: the buffer
 *
 * Return: true if they are.
 */
bool vdb_synccheck_enabled(struct vdb_buffer *buf)
{
	return READ_ONCE(vdb_check_sync) && buf->policy == VDB_POLICY_EXPLICIT;
}

/**
 * vdb_synccheck_touched - a process touches a buffer that it had not mapped
 * @buf: the buffer
 * @write: to write
 *
 * Context: of the process; vdb_buffer.lock held.
 */
void vdb_synccheck_touched(struct vdb_buffer *buf, bool write)
{
	if (!vdb_synccheck_enabled(buf) || !buf->engine.outside ||
	    buf->cpu_users)
		return;
	report(buf, write ? "writes without DMA_BUF_IOCTL_SYNC (START | WRITE)" :
			    "reads without DMA_BUF_IOCTL_SYNC (START | READ)");
}

/**
 * vdb_synccheck_queued - a process gives a buffer to a device
 * @buf: the buffer
 *
 * Context: of the process; vdb_buffer.lock held.
 */
void vdb_synccheck_queued(struct vdb_buffer *buf)
{
	lockdep_assert_held(&buf->lock);
	if (vdb_synccheck_enabled(buf) && buf->engine.outside && buf->unsynced)
		report(buf, "queues what it wrote without DMA_BUF_IOCTL_SYNC (END | WRITE)");
	buf->unsynced = false;
}
