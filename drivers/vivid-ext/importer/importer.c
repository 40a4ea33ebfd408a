// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices that import any dma-buf and do what user space tells them: to find
 * out what an exporter does for its importers. They are simulated, or QEMU's
 * (edu.c). /dev/vivid-ext-importer, see
 * include/uapi/linux/vivid-ext-importer.h.
 */
#include <linux/dma-buf.h>
#include <linux/fs.h>
#include <linux/iosys-map.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vivid-ext-importer.h>

#include "bus/config.h"
#include "bus/view.h"
#include "bus/params.h"
#include "edu.h"

#define IMPORTER_NAME	"vivid-ext-importer"
#define NUM_DEVICES	VIVID_EXT_IMPORTER_DEVICES

static bool edu;
module_param(edu, bool, 0444);
MODULE_PARM_DESC(edu, " the devices are QEMU's edu PCI devices, as many as there are: real DMA (default 0)");

/**
 * struct importer - one of the devices
 * @pdev: its platform device, where it is not an edu
 * @edu: or the edu that it is
 * @lock: for @users, and while the bus changes
 * @users: mappings that it has
 */
static struct importer {
	struct platform_device *pdev;
	struct vivid_ext_edu *edu;
	struct mutex lock; /* see above */
	unsigned int users;
} importers[NUM_DEVICES];

/**
 * struct import - what a device has mapped
 * @dbuf: the dma-buf, or NULL for nothing
 * @attach: the device's attachment
 * @sgt: its addresses
 * @view: its window, where it is not an edu
 * @dir: what it may do
 */
struct import {
	struct dma_buf *dbuf;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
	struct vivid_ext_view *view;
	enum dma_data_direction dir;
};

/**
 * struct importer_file - an open file
 * @lock: for the rest
 * @imports: by device
 */
struct importer_file {
	struct mutex lock; /* see above */
	struct import imports[NUM_DEVICES];
};

static void count_user(struct importer *importer, int n)
{
	mutex_lock(&importer->lock);
	importer->users += n;
	mutex_unlock(&importer->lock);
}

/* The device, to map something for it; it stays until device_put(). */
static struct device *device_get(struct importer *importer)
{
	if (importer->edu)
		return vivid_ext_edu_get(importer->edu);
	count_user(importer, 1);
	return vivid_ext_bus_device(&importer->pdev->dev);
}

static void device_put(struct importer *importer)
{
	if (importer->edu)
		vivid_ext_edu_put(importer->edu);
	else
		count_user(importer, -1);
}

static int import_map(struct import *import, unsigned int device, int fd,
		      enum dma_data_direction dir)
{
	struct importer *importer = &importers[device];
	struct device *dev;
	int ret;

	import->dir = dir;
	import->dbuf = dma_buf_get(fd);
	if (IS_ERR(import->dbuf)) {
		ret = PTR_ERR(import->dbuf);
		goto err_none;
	}
	dev = device_get(importer);
	if (!dev) {
		ret = -ENODEV;
		goto err_put;
	}
	import->attach = dma_buf_attach(import->dbuf, dev);
	if (IS_ERR(import->attach)) {
		ret = PTR_ERR(import->attach);
		goto err_put_device;
	}
	import->sgt = dma_buf_map_attachment_unlocked(import->attach, dir);
	if (IS_ERR(import->sgt)) {
		ret = PTR_ERR(import->sgt);
		goto err_detach;
	}
	if (importer->edu)
		return 0;
	import->view = vivid_ext_view_create(dev, import->sgt,
					     import->dbuf->size, dir);
	if (IS_ERR(import->view)) {
		ret = PTR_ERR(import->view);
		goto err_unmap;
	}
	return 0;

err_unmap:
	dma_buf_unmap_attachment_unlocked(import->attach, import->sgt, dir);
err_detach:
	dma_buf_detach(import->dbuf, import->attach);
err_put_device:
	device_put(importer);
err_put:
	dma_buf_put(import->dbuf);
err_none:
	import->dbuf = NULL;
	return ret;
}

static void import_unmap(struct import *import, unsigned int device)
{
	if (!import->dbuf)
		return;
	if (import->view)
		vivid_ext_view_destroy(import->view);
	import->view = NULL;
	dma_buf_unmap_attachment_unlocked(import->attach, import->sgt,
					  import->dir);
	dma_buf_detach(import->dbuf, import->attach);
	dma_buf_put(import->dbuf);
	import->dbuf = NULL;
	device_put(&importers[device]);
}

static bool out_of_bounds(struct dma_buf *dbuf,
			  const struct vivid_ext_importer_io *io)
{
	return io->offset > dbuf->size || io->length > dbuf->size - io->offset;
}

static int copy(void *vaddr, const struct vivid_ext_importer_io *io, bool write)
{
	void __user *data = u64_to_user_ptr(io->data);
	unsigned long left;

	if (write)
		left = copy_from_user(vaddr + io->offset, data, io->length);
	else
		left = copy_to_user(data, vaddr + io->offset, io->length);
	return left ? -EFAULT : 0;
}

/* A simulated device moves the bytes. */
static int view_io(struct vivid_ext_view *view,
		   const struct vivid_ext_importer_io *io, bool write)
{
	enum dma_data_direction dir = write ? DMA_FROM_DEVICE : DMA_TO_DEVICE;
	int ret = vivid_ext_view_begin(view, dir);

	if (ret)
		return ret;
	ret = copy(vivid_ext_view_addr(view), io, write);
	vivid_ext_view_end(view, dir);
	return ret;
}

static int device_io(struct importer_file *file,
		     const struct vivid_ext_importer_io *io, bool write)
{
	struct import *import;

	if (io->device < 0 || io->device >= NUM_DEVICES)
		return -EINVAL;
	import = &file->imports[io->device];
	if (!import->dbuf)
		return -ENXIO;
	if (out_of_bounds(import->dbuf, io))
		return -EINVAL;
	/* Its window may be read-only: the bus is not asked to try. */
	if (write && import->dir == DMA_TO_DEVICE)
		return -EPERM;
	if (import->view)
		return view_io(import->view, io, write);
	return vivid_ext_edu_move(importers[io->device].edu, import->sgt,
				  io->offset, io->length,
				  u64_to_user_ptr(io->data), write);
}

/* The kernel's CPU moves the bytes. */
static int cpu_io(const struct vivid_ext_importer_io *io, bool write)
{
	enum dma_data_direction dir = write ? DMA_BIDIRECTIONAL :
					      DMA_FROM_DEVICE;
	struct dma_buf *dbuf = dma_buf_get(io->device);
	struct iosys_map map;
	int ret;

	if (IS_ERR(dbuf))
		return PTR_ERR(dbuf);
	ret = -EINVAL;
	if (out_of_bounds(dbuf, io))
		goto out_put;
	ret = dma_buf_begin_cpu_access(dbuf, dir);
	if (ret)
		goto out_put;
	ret = vdb_dma_buf_vmap(dbuf, &map);
	if (ret)
		goto out_end;
	ret = map.is_iomem ? -EOPNOTSUPP : copy(map.vaddr, io, write);
	vdb_dma_buf_vunmap(dbuf, &map);
out_end:
	ret = dma_buf_end_cpu_access(dbuf, dir) ?: ret;
out_put:
	dma_buf_put(dbuf);
	return ret;
}

static int ioctl_map(struct importer_file *file, void __user *arg)
{
	static const enum dma_data_direction dirs[] = {
		[VIVID_EXT_IMPORTER_BOTH] = DMA_BIDIRECTIONAL,
		[VIVID_EXT_IMPORTER_READ] = DMA_TO_DEVICE,
		[VIVID_EXT_IMPORTER_WRITE] = DMA_FROM_DEVICE,
	};
	struct vivid_ext_importer_map map;
	struct import *import;
	int ret;

	if (copy_from_user(&map, arg, sizeof(map)))
		return -EFAULT;
	if (map.device >= NUM_DEVICES || map.dir >= ARRAY_SIZE(dirs))
		return -EINVAL;
	import = &file->imports[map.device];
	if (import->dbuf)
		return -EBUSY;
	ret = import_map(import, map.device, map.fd, dirs[map.dir]);
	if (ret)
		return ret;
	map.segments = import->sgt->nents;
	if (copy_to_user(arg, &map, sizeof(map))) {
		import_unmap(import, map.device);
		return -EFAULT;
	}
	return 0;
}

static int ioctl_unmap(struct importer_file *file, void __user *arg)
{
	u32 device;

	if (get_user(device, (u32 __user *)arg))
		return -EFAULT;
	if (device >= NUM_DEVICES)
		return -EINVAL;
	import_unmap(&file->imports[device], device);
	return 0;
}

static int ioctl_io(struct importer_file *file, unsigned int cmd,
		    void __user *arg)
{
	struct vivid_ext_importer_io io;

	if (copy_from_user(&io, arg, sizeof(io)))
		return -EFAULT;
	if (io.reserved)
		return -EINVAL;
	switch (cmd) {
	case VIVID_EXT_IMPORTER_DEV_READ:
		return device_io(file, &io, false);
	case VIVID_EXT_IMPORTER_DEV_WRITE:
		return device_io(file, &io, true);
	case VIVID_EXT_IMPORTER_CPU_READ:
		return cpu_io(&io, false);
	case VIVID_EXT_IMPORTER_CPU_WRITE:
		return cpu_io(&io, true);
	default:
		return -ENOTTY;
	}
}

static long importer_ioctl(struct file *filp, unsigned int cmd,
			   unsigned long arg)
{
	struct importer_file *file = filp->private_data;
	void __user *uarg = (void __user *)arg;
	long ret;

	ret = mutex_lock_interruptible(&file->lock);
	if (ret)
		return ret;
	switch (cmd) {
	case VIVID_EXT_IMPORTER_MAP:
		ret = ioctl_map(file, uarg);
		break;
	case VIVID_EXT_IMPORTER_UNMAP:
		ret = ioctl_unmap(file, uarg);
		break;
	default:
		ret = _IOC_SIZE(cmd) == sizeof(struct vivid_ext_importer_io) ?
		      ioctl_io(file, cmd, uarg) : -ENOTTY;
	}
	mutex_unlock(&file->lock);
	return ret;
}

static int importer_open(struct inode *inode, struct file *filp)
{
	struct importer_file *file = kzalloc(sizeof(*file), GFP_KERNEL);

	if (!file)
		return -ENOMEM;
	mutex_init(&file->lock);
	filp->private_data = file;
	return 0;
}

static int importer_release(struct inode *inode, struct file *filp)
{
	struct importer_file *file = filp->private_data;
	unsigned int i;

	for (i = 0; i < NUM_DEVICES; i++)
		import_unmap(&file->imports[i], i);
	mutex_destroy(&file->lock);
	kfree(file);
	return 0;
}

static const struct file_operations importer_fops = {
	.owner = THIS_MODULE,
	.open = importer_open,
	.release = importer_release,
	.unlocked_ioctl = importer_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static struct miscdevice importer_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = IMPORTER_NAME,
	.fops = &importer_fops,
	.mode = 0600,
};

static bool importer_busy(void *data)
{
	struct importer *importer = data;

	return importer->users;
}

static int importer_probe(struct platform_device *pdev)
{
	struct importer *importer = &importers[pdev->id];
	const struct vivid_ext_bus_owner owner = {
		.lock = &importer->lock,
		.busy = importer_busy,
		.data = importer,
	};

	return vivid_ext_bus_setup(&pdev->dev, &bus, &owner);
}

static struct platform_driver importer_driver = {
	.probe = importer_probe,
	.driver = {
		.name = IMPORTER_NAME,
		/* A device with something mapped must stay. */
		.suppress_bind_attrs = true,
	},
};

static void remove_devices(unsigned int count)
{
	while (count--)
		platform_device_unregister(importers[count].pdev);
}

static int add_device(struct importer *importer, unsigned int n)
{
	mutex_init(&importer->lock);
	importer->edu = vivid_ext_edu_find(n);
	if (importer->edu)
		return 0;
	importer->pdev = platform_device_register_simple(IMPORTER_NAME, n, NULL,
							 0);
	if (IS_ERR(importer->pdev))
		return PTR_ERR(importer->pdev);
	if (importer->pdev->dev.driver)
		return 0;
	platform_device_unregister(importer->pdev);
	return -EINVAL;
}

static int __init importer_init(void)
{
	unsigned int i;
	int ret;

	ret = platform_driver_register(&importer_driver);
	if (ret)
		return ret;
	ret = edu ? vivid_ext_edu_register(bus.dma_bits) : 0;
	if (ret)
		goto err_driver;
	for (i = 0; i < NUM_DEVICES; i++) {
		ret = add_device(&importers[i], i);
		if (ret)
			goto err_devices;
	}
	ret = misc_register(&importer_misc);
	if (ret)
		goto err_devices;
	return 0;

err_devices:
	remove_devices(i);
	if (edu)
		vivid_ext_edu_unregister();
err_driver:
	platform_driver_unregister(&importer_driver);
	return ret;
}
module_init(importer_init);

static void __exit importer_exit(void)
{
	misc_deregister(&importer_misc);
	remove_devices(NUM_DEVICES);
	if (edu)
		vivid_ext_edu_unregister();
	platform_driver_unregister(&importer_driver);
}
module_exit(importer_exit);

MODULE_DESCRIPTION("Devices that import dma-bufs and do as they are told");
MODULE_AUTHOR("The videobuf2-dmabuf authors");
MODULE_LICENSE("GPL");
VDB_IMPORT_NS_DMA_BUF;
