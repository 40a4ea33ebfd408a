// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shadows of pages: they stand for memory as devices see it that are not
 * coherent with the CPU. A page has one shadow for all of them, as memory is
 * one. It starts with a poison, so that bytes which nobody handed over can be
 * recognised.
 */
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/xarray.h>

#include "shadow.h"

/* What memory holds before anybody has written to it. */
#define SHADOW_POISON 0xa5

/**
 * struct shadow - a page of memory as devices see it
 * @page: its bytes
 * @refs: mappings that have it
 */
struct shadow {
	struct page *page;
	unsigned int refs;
};

/* By page frame number, for all devices. */
static DEFINE_XARRAY(shadows);
static DEFINE_MUTEX(shadows_lock);

/**
 * vivid_ext_shadow_get - memory as devices see it
 * @page: a page of the CPU's
 * @uncached: the CPU too goes past its caches, and so sees the same bytes
 *
 * Process context.
 *
 * Return: the page that devices see, until vivid_ext_shadow_put(), or NULL
 * without memory.
 */
struct page *vivid_ext_shadow_get(struct page *page, bool uncached)
{
	unsigned long pfn = page_to_pfn(page);
	struct shadow *shadow;

	mutex_lock(&shadows_lock);
	shadow = xa_load(&shadows, pfn);
	if (shadow)
		goto out;
	shadow = kzalloc(sizeof(*shadow), GFP_KERNEL);
	if (!shadow)
		goto out;
	shadow->page = uncached ? page :
		       alloc_page(GFP_KERNEL | __GFP_NOWARN);
	if (!shadow->page)
		goto err_free;
	if (!uncached)
		memset(page_address(shadow->page), SHADOW_POISON, PAGE_SIZE);
	if (xa_err(xa_store(&shadows, pfn, shadow, GFP_KERNEL)))
		goto err_free_page;
out:
	if (shadow)
		shadow->refs++;
	mutex_unlock(&shadows_lock);
	return shadow ? shadow->page : NULL;

err_free_page:
	if (!uncached)
		__free_page(shadow->page);
err_free:
	kfree(shadow);
	mutex_unlock(&shadows_lock);
	return NULL;
}

/**
 * vivid_ext_shadow_put - undo one vivid_ext_shadow_get()
 * @page: the page of the CPU's
 *
 * Process context.
 */
void vivid_ext_shadow_put(struct page *page)
{
	unsigned long pfn = page_to_pfn(page);
	struct shadow *shadow;

	mutex_lock(&shadows_lock);
	shadow = xa_load(&shadows, pfn);
	if (!--shadow->refs) {
		xa_erase(&shadows, pfn);
		/* A view may still hold the page itself. */
		if (shadow->page != page) {
			set_page_private(shadow->page, 0);
			__free_page(shadow->page);
		}
		kfree(shadow);
	}
	mutex_unlock(&shadows_lock);
}
