// SPDX-License-Identifier: GPL-2.0-only
/*
 * The converter: scales, mirrors and converts pictures from one buffer into
 * another, which it reads and writes by DMA. The camera's driver makes its
 * platform device, beside the camera and on a bus of the same kind; it is a
 * module of its own as many kernels come without v4l2-mem2mem.
 */
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <media/media-request.h>
#include <media/v4l2-mem2mem.h>
#include <media/videobuf2-v4l2.h>

#include "bus/config.h"
#include "context.h"

static struct dentry *root;

/* Counts. */

static int stats_show(struct seq_file *m, void *unused)
{
	struct vivid_ext_m2m *m2m = m->private;
	struct vivid_ext_m2m_stats stats;

	spin_lock(&m2m->stats_lock);
	stats = m2m->stats;
	spin_unlock(&m2m->stats_lock);
	seq_printf(m, "frames %llu\n", stats.frames);
	seq_printf(m, "errors %llu\n", stats.errors);
	seq_printf(m, "zero_copy_frames %llu\n", stats.zero_copy);
	seq_printf(m, "fallback_frames %llu\n", stats.fallback);
	seq_printf(m, "imported_buffers %llu\n", stats.imported);
	seq_printf(m, "bytes_read %llu\n", stats.bytes_read);
	seq_printf(m, "bytes_written %llu\n", stats.bytes_written);
	seq_printf(m, "bytes_copied %llu\n", stats.bytes_copied);
	seq_printf(m, "stamps_read %llu\n", stats.stamps_read);
	seq_printf(m, "stamps_missing %llu\n", stats.stamps_missing);
	seq_printf(m, "checksum_mismatches %llu\n", stats.mismatches);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(stats);

static int fallback_reasons_show(struct seq_file *m, void *unused)
{
	struct vivid_ext_m2m *m2m = m->private;
	struct vivid_ext_reason reasons[VIVID_EXT_MAX_REASONS];

	spin_lock(&m2m->stats_lock);
	memcpy(reasons, m2m->reasons, sizeof(reasons));
	spin_unlock(&m2m->stats_lock);
	vivid_ext_reasons_show(reasons, m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(fallback_reasons);

static void add_debugfs(struct vivid_ext_m2m *m2m)
{
	struct dentry *dir = debugfs_create_dir(dev_name(m2m->dev), root);

	m2m->debugfs = dir;
	debugfs_create_file("stats", 0444, dir, m2m, &stats_fops);
	debugfs_create_file("fallback_reasons", 0444, dir, m2m,
			    &fallback_reasons_fops);
}

/* Jobs. */

static void run_work(struct work_struct *work)
{
	struct vivid_ext_m2m *m2m =
		container_of(work, struct vivid_ext_m2m, work);

	vivid_ext_m2m_run(m2m->running);
}

/* May be called in any context; mem2mem runs one job at a time. */
static void device_run(void *priv)
{
	struct vivid_ext_m2m_context *ctx = priv;
	struct vivid_ext_m2m *m2m = ctx->m2m;

	m2m->running = ctx;
	queue_work(m2m->workqueue, &m2m->work);
}

static const struct v4l2_m2m_ops m2m_ops = {
	.device_run = device_run,
};

/**
 * struct m2m_request - a request
 * @base: the core's part
 * @put: lets go of what the request holds
 * @m2m: the converter
 */
struct m2m_request {
	struct media_request base;
	struct work_struct put;
	struct vivid_ext_m2m *m2m;
};

static struct workqueue_struct *put_queue;

static void put_request(struct work_struct *work)
{
	struct m2m_request *req = container_of(work, struct m2m_request, put);
	struct vivid_ext_m2m *m2m = req->m2m;

	kfree(req);
	v4l2_device_put(&m2m->v4l2_dev);
	module_put(THIS_MODULE);
}

/*
 * A request's file can outlive the device, and points to the media device: so
 * it holds what that lies in, and this code.
 */
static struct media_request *req_alloc(struct media_device *mdev)
{
	struct vivid_ext_m2m *m2m =
		container_of(mdev, struct vivid_ext_m2m, mdev);
	struct m2m_request *req = kzalloc(sizeof(*req), GFP_KERNEL);

	if (!req)
		return NULL;
	req->m2m = m2m;
	INIT_WORK(&req->put, put_request);
	v4l2_device_get(&m2m->v4l2_dev);
	__module_get(THIS_MODULE);
	return &req->base;
}

/* The core is not done with the media device when this returns. */
static void req_free(struct media_request *base)
{
	queue_work(put_queue, &container_of(base, struct m2m_request, base)->put);
}

static int req_validate(struct media_request *req)
{
	int ret = vb2_request_validate(req);

	if (ret)
		vivid_ext_m2m_reap(container_of(req->mdev, struct vivid_ext_m2m,
						mdev));
	return ret;
}

static const struct media_device_ops media_ops = {
	.req_alloc = req_alloc,
	.req_free = req_free,
	.req_validate = req_validate,
	.req_queue = v4l2_m2m_request_queue,
};

/* Coming and going. */

/* The last reference is gone: unbound and not open anywhere. */
static void m2m_free(struct v4l2_device *v4l2_dev)
{
	struct vivid_ext_m2m *m2m =
		container_of(v4l2_dev, struct vivid_ext_m2m, v4l2_dev);

	/* It counts a request off after req_free(), which may be just now. */
	while (vdb_media_requests(&m2m->mdev))
		fsleep(1000);
	if (!IS_ERR_OR_NULL(m2m->m2m_dev))
		v4l2_m2m_release(m2m->m2m_dev);
	if (m2m->workqueue)
		destroy_workqueue(m2m->workqueue);
	media_device_cleanup(&m2m->mdev);
	v4l2_device_unregister(&m2m->v4l2_dev);
	mutex_destroy(&m2m->lock);
	kfree(m2m);
}

static void put_m2m(void *data)
{
	struct vivid_ext_m2m *m2m = data;

	v4l2_device_disconnect(&m2m->v4l2_dev);
	v4l2_device_put(&m2m->v4l2_dev);
}

static void init_media(struct vivid_ext_m2m *m2m)
{
	m2m->mdev.dev = m2m->dev;
	strscpy(m2m->mdev.model, VIVID_EXT_M2M_NAME, sizeof(m2m->mdev.model));
	media_device_init(&m2m->mdev);
	m2m->mdev.ops = &media_ops;
	m2m->v4l2_dev.mdev = &m2m->mdev;
}

static struct vivid_ext_m2m *create_m2m(struct device *dev,
					const struct vivid_ext_config *config)
{
	struct vivid_ext_m2m *m2m = kzalloc(sizeof(*m2m), GFP_KERNEL);
	int ret;

	if (!m2m)
		return ERR_PTR(-ENOMEM);
	m2m->dev = dev;
	m2m->config = *config;
	mutex_init(&m2m->lock);
	spin_lock_init(&m2m->stats_lock);
	INIT_LIST_HEAD(&m2m->contexts);
	INIT_WORK(&m2m->work, run_work);
	init_media(m2m);
	m2m->v4l2_dev.release = m2m_free;
	ret = v4l2_device_register(dev, &m2m->v4l2_dev);
	if (ret) {
		media_device_cleanup(&m2m->mdev);
		mutex_destroy(&m2m->lock);
		kfree(m2m);
		return ERR_PTR(ret);
	}
	return m2m;
}

static int init_m2m(struct vivid_ext_m2m *m2m)
{
	m2m->workqueue = alloc_ordered_workqueue("%s", 0, dev_name(m2m->dev));
	if (!m2m->workqueue)
		return -ENOMEM;
	m2m->m2m_dev = v4l2_m2m_init(&m2m_ops);
	return PTR_ERR_OR_ZERO(m2m->m2m_dev);
}

static bool m2m_busy(void *data)
{
	return vivid_ext_m2m_busy(data);
}

static int setup_bus(struct vivid_ext_m2m *m2m)
{
	const struct vivid_ext_bus_owner owner = {
		.lock = &m2m->lock,
		.busy = m2m_busy,
		.data = m2m,
	};

	if (!m2m->config.dma)
		return 0;
	return vivid_ext_bus_setup(m2m->dev, &m2m->config.bus, &owner);
}

static int register_video(struct vivid_ext_m2m *m2m)
{
	struct video_device *vdev = &m2m->vdev;

	snprintf(vdev->name, sizeof(vdev->name), "%s converter",
		 dev_name(m2m->dev));
	vdev->v4l2_dev = &m2m->v4l2_dev;
	vdev->fops = &vivid_ext_m2m_fops;
	vdev->ioctl_ops = &vivid_ext_m2m_ioctl_ops;
	vdev->lock = &m2m->lock;
	vdev->vfl_dir = VFL_DIR_M2M;
	vdev->device_caps = V4L2_CAP_STREAMING |
			    (m2m->config.multiplanar ?
			     V4L2_CAP_VIDEO_M2M_MPLANE : V4L2_CAP_VIDEO_M2M);
	/* The converter's structure is freed when its v4l2_device is. */
	vdev->release = video_device_release_empty;
	video_set_drvdata(vdev, m2m);
	return video_register_device(vdev, VFL_TYPE_VIDEO, -1);
}

/* Users who have the node open get -ENODEV, and their buffers go. */
static void unregister(struct vivid_ext_m2m *m2m)
{
	video_unregister_device(&m2m->vdev);
	vivid_ext_m2m_detach_all(m2m);
	flush_workqueue(m2m->workqueue);
}

static int register_all(struct vivid_ext_m2m *m2m)
{
	int ret;

	ret = register_video(m2m);
	if (ret)
		return ret;
	ret = v4l2_m2m_register_media_controller(m2m->m2m_dev, &m2m->vdev,
						 MEDIA_ENT_F_PROC_VIDEO_SCALER);
	if (ret)
		goto unregister_video;
	ret = media_device_register(&m2m->mdev);
	if (ret)
		goto unregister_controller;
	return 0;

unregister_controller:
	v4l2_m2m_unregister_media_controller(m2m->m2m_dev);
unregister_video:
	unregister(m2m);
	return ret;
}

static void unregister_all(void *data)
{
	struct vivid_ext_m2m *m2m = data;

	debugfs_remove_recursive(m2m->debugfs);
	media_device_unregister(&m2m->mdev);
	v4l2_m2m_unregister_media_controller(m2m->m2m_dev);
	unregister(m2m);
}

static int m2m_probe(struct platform_device *pdev)
{
	const struct vivid_ext_config *config = dev_get_platdata(&pdev->dev);
	struct vivid_ext_m2m *m2m;
	int ret;

	if (!config)
		return -ENODEV;
	m2m = create_m2m(&pdev->dev, config);
	if (IS_ERR(m2m))
		return PTR_ERR(m2m);
	ret = devm_add_action_or_reset(&pdev->dev, put_m2m, m2m);
	if (ret)
		return ret;
	ret = init_m2m(m2m);
	if (ret)
		return ret;
	ret = setup_bus(m2m);
	if (ret)
		return ret;
	ret = register_all(m2m);
	if (ret)
		return ret;
	add_debugfs(m2m);
	return devm_add_action_or_reset(&pdev->dev, unregister_all, m2m);
}

static struct platform_driver m2m_driver = {
	.probe = m2m_probe,
	.driver = {
		.name = VIVID_EXT_M2M_NAME,
	},
};

static int __init m2m_init(void)
{
	int ret;

	put_queue = alloc_workqueue("vivid-ext-m2m-put", WQ_UNBOUND, 0);
	if (!put_queue)
		return -ENOMEM;
	root = debugfs_create_dir(VIVID_EXT_M2M_NAME, NULL);
	ret = platform_driver_register(&m2m_driver);
	if (ret) {
		debugfs_remove_recursive(root);
		destroy_workqueue(put_queue);
	}
	return ret;
}
module_init(m2m_init);

static void __exit m2m_exit(void)
{
	platform_driver_unregister(&m2m_driver);
	debugfs_remove_recursive(root);
	destroy_workqueue(put_queue);
}
module_exit(m2m_exit);

MODULE_DESCRIPTION("Virtual converter of pictures that reads and writes by DMA");
MODULE_AUTHOR("The videobuf2-dmabuf authors");
MODULE_LICENSE("GPL");
MODULE_ALIAS("platform:" VIVID_EXT_M2M_NAME);
VDB_IMPORT_NS_DMA_BUF;
