// SPDX-License-Identifier: GPL-2.0-only
/*
 * Addresses on the simulated bus. They are made up, and given out in turn, so
 * that one that is out of date, or beyond the end, is known as such.
 */
#include <linux/dma-mapping.h>
#include <linux/minmax.h>
#include <linux/mm.h>

#include "simrange.h"

/* Page numbers that a range takes: there is one behind it to stumble over. */
static unsigned long range_pages(const struct sim_range *range)
{
	return range->num_pages + 1;
}

/* Some range that takes one of these pages, or NULL. */
static struct sim_range *range_overlap(const struct sim_ranges *ranges,
				       unsigned long first, unsigned long pages)
{
	struct rb_node *node = ranges->root.rb_node;

	while (node) {
		struct sim_range *range = rb_entry(node, struct sim_range,
						   node);

		if (first + pages <= range->first)
			node = node->rb_left;
		else if (first >= range->first + range_pages(range))
			node = node->rb_right;
		else
			return range;
	}
	return NULL;
}

static bool range_less(struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct sim_range, node)->first <
	       rb_entry(b, struct sim_range, node)->first;
}

/**
 * vivid_ext_ranges_find - what lies at an address
 * @ranges: a device's
 * @addr: the address
 *
 * Any context, under the lock that the ranges are kept under.
 *
 * Return: the range, or NULL if nothing is mapped there.
 */
struct sim_range *vivid_ext_ranges_find(const struct sim_ranges *ranges,
					dma_addr_t addr)
{
	struct sim_range *range = range_overlap(ranges, addr >> PAGE_SHIFT, 1);

	if (!range || addr < range->start || addr - range->start >= range->len)
		return NULL;
	return range;
}

/*
 * A device counts up within its address registers' lower bits: no range lies
 * across a boundary that it says, unless it is longer.
 */
static unsigned long past_boundary(unsigned long first, unsigned long pages,
				   unsigned long boundary)
{
	unsigned long last = first + pages - 1;
	unsigned long mask = boundary >> PAGE_SHIFT;

	return pages - 1 <= mask && (first ^ last) & ~mask ? last & ~mask :
							      first;
}

/*
 * Where a range fits, in turn, so that an address isn't soon used again and a
 * stale one is found out. 0 if there is no place.
 */
static unsigned long range_place(const struct sim_ranges *ranges,
				 unsigned long pages, u64 mask,
				 unsigned long boundary)
{
	unsigned long max = min(mask >> PAGE_SHIFT, 0xfffffffffULL);
	unsigned long min = min(max / 4, 0x100000UL);
	unsigned long first = max(ranges->next, min);
	unsigned int laps = 0;

	while (laps < 2) {
		struct sim_range *other;

		first = past_boundary(first, pages - 1, boundary);
		other = range_overlap(ranges, first, pages);
		if (first + pages - 1 > max) {
			first = min;
			laps++;
		} else if (other) {
			first = other->first + range_pages(other);
		} else {
			return first;
		}
	}
	return 0;
}

/**
 * vivid_ext_ranges_add - give a range addresses
 * @ranges: a device's
 * @range: complete but for @node, @first, @id and @start
 * @offset: of its first byte in its first page
 * @mask: the bits that the addresses may have
 * @boundary: of dma_get_seg_boundary()
 *
 * Any context, under the lock that the ranges are kept under.
 *
 * Return: 0, or -EIO if there is no place.
 */
int vivid_ext_ranges_add(struct sim_ranges *ranges, struct sim_range *range,
			 size_t offset, u64 mask, unsigned long boundary)
{
	unsigned long pages = range_pages(range);

	range->first = range_place(ranges, pages, mask, boundary);
	if (!range->first)
		return -EIO;
	range->id = ++ranges->last_id;
	range->start = ((dma_addr_t)range->first << PAGE_SHIFT) + offset;
	rb_add(&range->node, &ranges->root, range_less);
	ranges->next = range->first + pages;
	return 0;
}
