/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * QEMU's "edu" PCI devices as devices that import: real DMA, through whatever
 * lies between a PCI device and memory on this machine.
 */
#ifndef VIVID_EXT_EDU_H
#define VIVID_EXT_EDU_H

#include <linux/errno.h>
#include <linux/kconfig.h>
#include <linux/types.h>

struct device;
struct sg_table;
struct vivid_ext_edu;

#if IS_ENABLED(CONFIG_PCI)
int vivid_ext_edu_register(unsigned int dma_bits);
void vivid_ext_edu_unregister(void);
struct vivid_ext_edu *vivid_ext_edu_find(unsigned int n);
struct device *vivid_ext_edu_get(struct vivid_ext_edu *edu);
void vivid_ext_edu_put(struct vivid_ext_edu *edu);
int vivid_ext_edu_move(struct vivid_ext_edu *edu, struct sg_table *sgt,
		       size_t offset, size_t length, void __user *data,
		       bool write);
#else
static inline int vivid_ext_edu_register(unsigned int dma_bits)
{
	return -ENODEV;
}

static inline void vivid_ext_edu_unregister(void)
{
}

static inline struct vivid_ext_edu *vivid_ext_edu_find(unsigned int n)
{
	return NULL;
}

static inline struct device *vivid_ext_edu_get(struct vivid_ext_edu *edu)
{
	return NULL;
}

static inline void vivid_ext_edu_put(struct vivid_ext_edu *edu)
{
}

static inline int vivid_ext_edu_move(struct vivid_ext_edu *edu,
				     struct sg_table *sgt, size_t offset,
				     size_t length, void __user *data,
				     bool write)
{
	return -ENODEV;
}
#endif

#endif
