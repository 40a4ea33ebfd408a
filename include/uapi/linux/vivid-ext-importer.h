/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * Devices that import a dma-buf and read or write it when they are told to:
 * the user API of vivid-ext-importer.
 *
 * An open file has two devices, 0 and 1. Each can have one dma-buf mapped.
 * What a device does goes by DMA address over its bus; what it finds there is
 * what a real device would find.
 */
#ifndef _UAPI_LINUX_VIVID_EXT_IMPORTER_H
#define _UAPI_LINUX_VIVID_EXT_IMPORTER_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define VIVID_EXT_IMPORTER_DEVICES 2

/* What a device is going to do with a dma-buf. */
#define VIVID_EXT_IMPORTER_BOTH		0
#define VIVID_EXT_IMPORTER_READ		1
#define VIVID_EXT_IMPORTER_WRITE	2

/**
 * struct vivid_ext_importer_map - attach to a dma-buf and map it
 * @fd: the dma-buf
 * @device: 0 or 1
 * @dir: VIVID_EXT_IMPORTER_*
 * @segments: set to how many segments of memory the device sees
 */
struct vivid_ext_importer_map {
	__s32 fd;
	__u32 device;
	__u32 dir;
	__u32 segments;
};

/**
 * struct vivid_ext_importer_io - move bytes
 * @data: address of the user's bytes
 * @offset: first byte in the dma-buf
 * @length: how many
 * @device: 0 or 1; for the kernel's CPU the dma-buf's fd
 * @reserved: not used
 */
struct vivid_ext_importer_io {
	__u64 data;
	__u64 offset;
	__u64 length;
	__s32 device;
	__u32 reserved;
};

#define VIVID_EXT_IMPORTER_MAP	_IOWR('V', 0xe0, struct vivid_ext_importer_map)
#define VIVID_EXT_IMPORTER_UNMAP	_IOW('V', 0xe1, __u32)

/* The device reads the dma-buf into the user's bytes, or writes it from them. */
#define VIVID_EXT_IMPORTER_DEV_READ	_IOW('V', 0xe2, struct vivid_ext_importer_io)
#define VIVID_EXT_IMPORTER_DEV_WRITE	_IOW('V', 0xe3, struct vivid_ext_importer_io)

/* So does the kernel's CPU: begin_cpu_access, vmap, vunmap, end_cpu_access. */
#define VIVID_EXT_IMPORTER_CPU_READ	_IOW('V', 0xe4, struct vivid_ext_importer_io)
#define VIVID_EXT_IMPORTER_CPU_WRITE	_IOW('V', 0xe5, struct vivid_ext_importer_io)

#endif
