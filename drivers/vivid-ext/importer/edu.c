// SPDX-License-Identifier: GPL-2.0-only
/*
 * QEMU's "edu" PCI devices (-device edu; QEMU's docs/specs/edu.rst) as devices
 * that import. Their DMA is an emulated machine's, not ours: it goes through
 * the IOMMU, and finds bounce buffers where the kernel put some. That is the
 * independent check of what the simulated bus says.
 *
 * An edu can only move up to 4 KiB between memory and a buffer inside of it
 * that nobody else sees. So user space's bytes go by a page of our own.
 */
#include <linux/dma-mapping.h>
#include <linux/iopoll.h>
#include <linux/minmax.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/refcount.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/wait_bit.h>

#include "edu.h"

#define EDU_NAME	"vivid-ext-edu"
#define MAX_EDUS	2

/* Registers take 32 bits at a time, and then know no others. */
#define EDU_DMA_SOURCE		0x80
#define EDU_DMA_TARGET		0x88
#define EDU_DMA_COUNT		0x90
#define EDU_DMA_COMMAND		0x98
#define  EDU_DMA_RUN		BIT(0)
#define  EDU_DMA_TO_MEMORY	BIT(1)
#define EDU_ADDRESS_BITS	32u

/* Where its buffer lies, as seen by its DMA engine. */
#define EDU_BUFFER		0x40000
#define EDU_BUFFER_SIZE		4096u

/* A transfer takes it 0.1 s, of time that can stand still for long. */
#define EDU_POLL_US		(50 * USEC_PER_MSEC)
#define EDU_TIMEOUT_US		(20 * USEC_PER_SEC)

/**
 * struct vivid_ext_edu - one of them
 * @pdev: the PCI device
 * @regs: its registers
 * @lock: one transfer at a time
 * @page: what user space wants to write, or read
 * @page_addr: its DMA address
 * @users: those that have something mapped for it, and its driver
 */
struct vivid_ext_edu {
	struct pci_dev *pdev;
	void __iomem *regs;
	struct mutex lock; /* see above */
	void *page;
	dma_addr_t page_addr;
	refcount_t users;
};

static struct vivid_ext_edu *edus[MAX_EDUS];
static unsigned int address_bits;

static int transfer(struct vivid_ext_edu *edu, u32 source, u32 target,
		    u32 count, u32 command)
{
	u32 value;
	int ret;

	writel(source, edu->regs + EDU_DMA_SOURCE);
	writel(target, edu->regs + EDU_DMA_TARGET);
	writel(count, edu->regs + EDU_DMA_COUNT);
	writel(command | EDU_DMA_RUN, edu->regs + EDU_DMA_COMMAND);
	ret = readl_poll_timeout(edu->regs + EDU_DMA_COMMAND, value,
				 !(value & EDU_DMA_RUN), EDU_POLL_US,
				 EDU_TIMEOUT_US);
	if (ret)
		dev_err_ratelimited(&edu->pdev->dev,
				    "still busy with %u bytes after %lu s\n",
				    count, EDU_TIMEOUT_US / USEC_PER_SEC);
	return ret;
}

static int copy_memory(struct vivid_ext_edu *edu, u32 from, u32 to, u32 count)
{
	return transfer(edu, from, EDU_BUFFER, count, 0) ?:
	       transfer(edu, EDU_BUFFER, to, count, EDU_DMA_TO_MEMORY);
}

static int move(struct vivid_ext_edu *edu, dma_addr_t addr, size_t count,
		void __user *data, bool write)
{
	int ret;

	if (write) {
		if (copy_from_user(edu->page, data, count))
			return -EFAULT;
		return copy_memory(edu, edu->page_addr, addr, count);
	}
	ret = copy_memory(edu, addr, edu->page_addr, count);
	if (!ret && copy_to_user(data, edu->page, count))
		ret = -EFAULT;
	return ret;
}

static int move_segment(struct vivid_ext_edu *edu, dma_addr_t addr,
			size_t length, void __user *data, bool write)
{
	size_t count;
	int ret;

	for (; length; length -= count) {
		count = min_t(size_t, length, EDU_BUFFER_SIZE);
		ret = move(edu, addr, count, data, write);
		if (ret)
			return ret;
		if (fatal_signal_pending(current))
			return -EINTR;
		addr += count;
		data += count;
	}
	return 0;
}

/**
 * vivid_ext_edu_move - a device reads or writes what is mapped for it
 * @edu: the device, after vivid_ext_edu_get()
 * @sgt: what is mapped
 * @offset: the first byte in it
 * @length: how many; @sgt has them
 * @data: user space's bytes
 * @write: the device writes to memory
 *
 * Process context; sleeps, 0.1 s for each 2 KiB.
 *
 * Return: 0, -EFAULT for @data that isn't there, -EINTR when the process is
 * killed, -ETIMEDOUT if the device does not do its work.
 */
int vivid_ext_edu_move(struct vivid_ext_edu *edu, struct sg_table *sgt,
		       size_t offset, size_t length, void __user *data,
		       bool write)
{
	struct scatterlist *sg;
	unsigned int i;
	int ret = 0;

	mutex_lock(&edu->lock);
	for_each_sgtable_dma_sg(sgt, sg, i) {
		size_t skip = min_t(size_t, offset, sg_dma_len(sg));
		size_t count = min_t(size_t, length, sg_dma_len(sg) - skip);

		ret = move_segment(edu, sg_dma_address(sg) + skip, count, data,
				   write);
		offset -= skip;
		length -= count;
		data += count;
		if (ret || !length)
			break;
	}
	mutex_unlock(&edu->lock);
	return ret;
}

/**
 * vivid_ext_edu_find - the n-th of the devices
 * @n: counted from 0
 *
 * Between vivid_ext_edu_register() and vivid_ext_edu_unregister().
 *
 * Return: it, or NULL.
 */
struct vivid_ext_edu *vivid_ext_edu_find(unsigned int n)
{
	return n < MAX_EDUS ? edus[n] : NULL;
}

/**
 * vivid_ext_edu_get - keep a device while something is mapped for it
 * @edu: the device
 *
 * Any context. Return: for what dma-bufs are mapped, until
 * vivid_ext_edu_put(), or NULL if it is gone.
 */
struct device *vivid_ext_edu_get(struct vivid_ext_edu *edu)
{
	return refcount_inc_not_zero(&edu->users) ? &edu->pdev->dev : NULL;
}

/**
 * vivid_ext_edu_put - undo one vivid_ext_edu_get()
 * @edu: the device
 *
 * Any context.
 */
void vivid_ext_edu_put(struct vivid_ext_edu *edu)
{
	if (refcount_dec_and_test(&edu->users))
		wake_up_var(&edu->users);
}

static int start(struct vivid_ext_edu *edu)
{
	struct pci_dev *pdev = edu->pdev;
	int ret;

	ret = pcim_enable_device(pdev);
	if (ret)
		return ret;
	edu->regs = pcim_iomap(pdev, 0, 0);
	if (!edu->regs)
		return -ENOMEM;
	ret = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(address_bits));
	if (ret)
		return ret;
	dma_set_max_seg_size(&pdev->dev, UINT_MAX);
	edu->page = dmam_alloc_coherent(&pdev->dev, EDU_BUFFER_SIZE,
					&edu->page_addr, GFP_KERNEL);
	if (!edu->page)
		return -ENOMEM;
	pci_set_master(pdev);
	return 0;
}

static int edu_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct vivid_ext_edu *edu;
	unsigned int n;
	int ret;

	for (n = 0; n < MAX_EDUS && edus[n]; n++)
		;
	if (n == MAX_EDUS)
		return -ENODEV;
	/* Files refer to it until the module goes, whatever becomes of it. */
	edu = kzalloc(sizeof(*edu), GFP_KERNEL);
	if (!edu)
		return -ENOMEM;
	edu->pdev = pdev;
	ret = start(edu);
	if (ret) {
		dev_err(&pdev->dev, "can't be used with %u address bits: %d\n",
			address_bits, ret);
		kfree(edu);
		return ret;
	}
	mutex_init(&edu->lock);
	refcount_set(&edu->users, 1);
	pci_set_drvdata(pdev, edu);
	edus[n] = edu;
	return 0;
}

/* What is mapped for it must be unmapped first, by those who have it. */
static void edu_remove(struct pci_dev *pdev)
{
	struct vivid_ext_edu *edu = pci_get_drvdata(pdev);

	vivid_ext_edu_put(edu);
	wait_var_event(&edu->users, !refcount_read(&edu->users));
	pci_clear_master(pdev);
}

static const struct pci_device_id edu_ids[] = {
	{ PCI_DEVICE(0x1234, 0x11e8) },
	{ 0 }
};

/* No device table for modprobe: who wants it asks for it. */
static struct pci_driver edu_driver = {
	.name = EDU_NAME,
	.id_table = edu_ids,
	.probe = edu_probe,
	.remove = edu_remove,
	.driver = {
		.suppress_bind_attrs = true,
		.probe_type = PROBE_FORCE_SYNCHRONOUS,
	},
};

/**
 * vivid_ext_edu_register - look for the devices
 * @dma_bits: their address lines; QEMU's have 28 unless told otherwise
 *	(dma_mask=), and we use 32 of them at most
 *
 * Process context, once.
 *
 * Return: 0, -ENODEV if there are none.
 */
int vivid_ext_edu_register(unsigned int dma_bits)
{
	int ret;

	address_bits = min(dma_bits, EDU_ADDRESS_BITS);
	ret = pci_register_driver(&edu_driver);
	if (ret)
		return ret;
	if (!edus[0]) {
		pci_unregister_driver(&edu_driver);
		return -ENODEV;
	}
	return 0;
}

/**
 * vivid_ext_edu_unregister - undo vivid_ext_edu_register()
 *
 * Process context; nothing is mapped for the devices any more.
 */
void vivid_ext_edu_unregister(void)
{
	unsigned int n;

	pci_unregister_driver(&edu_driver);
	for (n = 0; n < MAX_EDUS && edus[n]; n++) {
		mutex_destroy(&edus[n]->lock);
		kfree(edus[n]);
		edus[n] = NULL;
	}
}
