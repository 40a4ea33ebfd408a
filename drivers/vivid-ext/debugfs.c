// SPDX-License-Identifier: GPL-2.0-only
/*
 * What can be seen of a camera from outside, in debugfs below vivid-ext/ and
 * the device's name: "stats" has lines of a name and a number, "buffers" the
 * pages that the device reaches, to be held against the allocator's own list.
 */
#include <linux/debugfs.h>
#include <linux/seq_file.h>

#include "core.h"
#include "debugfs.h"

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

static int buffers_show(struct seq_file *m, void *unused)
{
	struct vivid_ext_node *node = m->private;
	struct vivid_ext_buffer *buf;
	int ret;

	ret = mutex_lock_interruptible(&node->dev->lock);
	if (ret)
		return ret;
	list_for_each_entry(buf, &node->buffers, node)
		vivid_ext_access_show(&buf->access, &buf->vb.vb2_buf, m);
	mutex_unlock(&node->dev->lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(buffers);

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
 * @dev: the camera, its capture node registered
 */
void vivid_ext_debugfs_add(struct vivid_ext_dev *dev)
{
	dev->debugfs = debugfs_create_dir(dev_name(dev->dev), root);
	debugfs_create_file("stats", 0444, dev->debugfs, &dev->capture.node,
			    &stats_fops);
	debugfs_create_file("buffers", 0444, dev->debugfs, &dev->capture.node,
			    &buffers_fops);
}

/**
 * vivid_ext_debugfs_remove - a camera goes
 * @dev: the camera
 *
 * Waits for readers; the device's lock must not be held.
 */
void vivid_ext_debugfs_remove(struct vivid_ext_dev *dev)
{
	debugfs_remove_recursive(dev->debugfs);
}
