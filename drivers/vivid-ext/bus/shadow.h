/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory as devices see it that are not coherent with the CPU.
 */
#ifndef VIVID_EXT_SHADOW_H
#define VIVID_EXT_SHADOW_H

#include <linux/types.h>

struct page;

struct page *vivid_ext_shadow_get(struct page *page, bool uncached);
void vivid_ext_shadow_put(struct page *page);

#endif
