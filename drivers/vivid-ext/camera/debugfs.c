// SPDX-License-Identifier: GPL-2.0-only
/*
 * What can be seen of a camera from outside, in debugfs below vivid-ext/ and
 * the device's name: "stats" has lines of a name and a number, "buffers" the
 * pages that the device reaches, to be held against the allocator's own list,
 * "bus" what the bus is, and has counted.
 * The output node has its own in "output", and there "loop" tells what became of
 * the loop to the capture node at the last frame.
 */
#include <linux/debugfs.h>
#include <linux/seq_file.h>

#include "bus/config.h"
#include "capture.h"
#include "core.h"
#include "debugfs.h"
#include "output.h"

static struct dentry *root;

static int stats_show(struct seq_file *m, void *unused)
{
	struct vivid_ext_stats stats;

	vivid_ext_node_stats(m->private, &stats);
	seq_printf(m, "frames %llu\n", stats.frames);
	seq_printf(m, "dropped %llu\n", stats.dropped);
	seq_printf(m, "late %llu\n", stats.late);
	seq_printf(m, "errors %llu\n", stats.errors);
	seq_printf(m, "stalls %llu\n", stats.stalls);
	seq_printf(m, "dma_frames %llu\n", stats.dma_frames);
	seq_printf(m, "cpu_frames %llu\n", stats.cpu_frames);
	seq_printf(m, "bytes %llu\n", stats.bytes);
	seq_printf(m, "cpu_ns %llu\n", stats.cpu_ns);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(stats);

static int output_stats_show(struct seq_file *m, void *unused)
{
	vivid_ext_output_show_stats(m->private, m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(output_stats);

static int fallback_reasons_show(struct seq_file *m, void *unused)
{
	vivid_ext_output_show_reasons(m->private, m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(fallback_reasons);

static int loop_show(struct seq_file *m, void *unused)
{
	static const char * const words[] = {
		[VIVID_EXT_LOOP_OFF] = "off",
		[VIVID_EXT_LOOP_EMPTY] = "the output node shows nothing",
		[VIVID_EXT_LOOP_DIFFERENT] = "the formats differ",
		[VIVID_EXT_LOOP_ON] = "on",
	};
	struct vivid_ext_capture *cap = m->private;
	u64 looped;

	spin_lock_irq(&cap->node.qlock);
	looped = cap->looped;
	spin_unlock_irq(&cap->node.qlock);
	seq_printf(m, "%s\nframes %llu\n", words[READ_ONCE(cap->loop)],
		   looped);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(loop);

static int buffers_show(struct seq_file *m, void *unused)
{
	struct vivid_ext_node *node = m->private;
	struct vivid_ext_buffer *buf;
	int ret;

	ret = mutex_lock_interruptible(&node->core->lock);
	if (ret)
		return ret;
	list_for_each_entry(buf, &node->buffers, node)
		vivid_ext_access_show(&buf->access, &buf->vb.vb2_buf, m);
	mutex_unlock(&node->core->lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(buffers);

static int bus_show(struct seq_file *m, void *unused)
{
	struct vivid_ext_core *core = m->private;
	int ret;

	ret = mutex_lock_interruptible(&core->lock);
	if (ret)
		return ret;
	vivid_ext_bus_show(core->dev, m);
	mutex_unlock(&core->lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(bus);

static void output_add(struct dentry *parent, struct vivid_ext_capture *cap,
		       struct vivid_ext_output *out)
{
	struct dentry *dir = debugfs_create_dir("output", parent);

	debugfs_create_file("stats", 0444, dir, out, &output_stats_fops);
	debugfs_create_file("fallback_reasons", 0444, dir, out,
			    &fallback_reasons_fops);
	debugfs_create_file("buffers", 0400, dir, &out->node, &buffers_fops);
	debugfs_create_file("loop", 0444, dir, cap, &loop_fops);
}

/**
 * vivid_ext_debugfs_init - make the directory of all cameras
 *
 * As everywhere, failure only means that there is nothing to see.
 */
void vivid_ext_debugfs_init(void)
{
	root = debugfs_create_dir(VIVID_EXT_NAME, NULL);
}

/**
 * vivid_ext_debugfs_exit - remove it
 */
void vivid_ext_debugfs_exit(void)
{
	debugfs_remove_recursive(root);
}

/**
 * vivid_ext_debugfs_add - show a camera
 * @core: what its parts share
 * @cap: its capture node, registered
 * @out: its output node, registered, or NULL
 */
void vivid_ext_debugfs_add(struct vivid_ext_core *core,
			   struct vivid_ext_capture *cap,
			   struct vivid_ext_output *out)
{
	core->debugfs = debugfs_create_dir(dev_name(core->dev), root);
	debugfs_create_file("stats", 0444, core->debugfs, &cap->node,
			    &stats_fops);
	debugfs_create_file("buffers", 0400, core->debugfs, &cap->node,
			    &buffers_fops);
	debugfs_create_file("bus", 0444, core->debugfs, core, &bus_fops);
	if (out)
		output_add(core->debugfs, cap, out);
}

/**
 * vivid_ext_debugfs_remove - a camera goes
 * @core: what its parts share
 *
 * Waits for readers; the camera's lock must not be held.
 */
void vivid_ext_debugfs_remove(struct vivid_ext_core *core)
{
	debugfs_remove_recursive(core->debugfs);
}
