/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What can be asked of a camera, a line for each: it becomes a module
 * parameter and a file in configfs. Without a guard, since it is included for
 * each of them:
 *
 *   SETTING_BOOL(member of struct vivid_ext_config, default, help)
 *   SETTING_UINT(member, smallest, largest, default, help)
 *   SETTING_LIMIT(member, smallest, help); by default there is none
 *   SETTING_ENUM(member, array of names, help); the first is the default
 *
 * The bus's are in bus/settings.h.
 */
SETTING_ENUM(allocator, allocators,
	     "who makes the buffers: dmabuf, vmalloc, dma-sg or dma-contig")
SETTING_BOOL(multiplanar, 0, "use the multi-planar API")
SETTING_BOOL(output, 0, "an output node, too, which checks what it shows")
SETTING_BOOL(loop, 0, "capture gives what the output node shows, at first")
SETTING_BOOL(m2m, 0, "a converter, too; needs the module vivid-ext-m2m")
SETTING_BOOL(dma, 1, "the camera writes by DMA, otherwise the CPU draws")
SETTING_BOOL(fallback, 1,
	     "where DMA is impossible the CPU writes, else that is an error")
SETTING_BOOL(hardirq, 0, "say in hard interrupt context that a frame is done")
SETTING_BOOL(mc, 0, "a media controller and a sensor of its own")
SETTING_ENUM(policy, policies,
	     "user mappings: auto, shootdown, explicit or writecombine")
