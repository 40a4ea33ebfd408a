/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the engine needs of the kernel's header of this name, bit by bit: there
 * are a few chunks only.
 */
#ifndef PROVE_BITMAP_H
#define PROVE_BITMAP_H

#include <linux/minmax.h>
#include <linux/types.h>

#define BITS_PER_LONG (8 * sizeof(long))
#define BITS_TO_LONGS(n) (((n) + BITS_PER_LONG - 1) / BITS_PER_LONG)

static inline bool test_bit(unsigned int i, const unsigned long *map)
{
	return map[i / BITS_PER_LONG] >> (i % BITS_PER_LONG) & 1;
}

static inline void __set_bit(unsigned int i, unsigned long *map)
{
	map[i / BITS_PER_LONG] |= 1UL << (i % BITS_PER_LONG);
}

static inline void __clear_bit(unsigned int i, unsigned long *map)
{
	map[i / BITS_PER_LONG] &= ~(1UL << (i % BITS_PER_LONG));
}

static inline void bitmap_set(unsigned long *map, unsigned int first,
			      unsigned int n)
{
	while (n--)
		__set_bit(first + n, map);
}

static inline void bitmap_clear(unsigned long *map, unsigned int first,
				unsigned int n)
{
	while (n--)
		__clear_bit(first + n, map);
}

static inline void bitmap_fill(unsigned long *map, unsigned int n)
{
	bitmap_set(map, 0, n);
}

static inline void bitmap_zero(unsigned long *map, unsigned int n)
{
	bitmap_clear(map, 0, n);
}

static inline void bitmap_or(unsigned long *to, const unsigned long *a,
			     const unsigned long *b, unsigned int n)
{
	for (n = BITS_TO_LONGS(n); n--; )
		to[n] = a[n] | b[n];
}

static inline bool bitmap_subset(const unsigned long *a, const unsigned long *b,
				 unsigned int n)
{
	for (n = BITS_TO_LONGS(n); n--; )
		if (a[n] & ~b[n])
			return false;
	return true;
}

static inline bool bitmap_empty(const unsigned long *map, unsigned int n)
{
	for (n = BITS_TO_LONGS(n); n--; )
		if (map[n])
			return false;
	return true;
}

static inline unsigned long find_next_bit(const unsigned long *map,
					  unsigned long n, unsigned long i)
{
	while (i < n && !test_bit(i, map))
		i++;
	return min(i, n);
}

static inline unsigned long find_next_zero_bit(const unsigned long *map,
					       unsigned long n, unsigned long i)
{
	while (i < n && test_bit(i, map))
		i++;
	return min(i, n);
}

#define for_each_set_bit(i, map, n) \
	for ((i) = find_next_bit(map, n, 0); (i) < (n); \
	     (i) = find_next_bit(map, n, (i) + 1))

#endif
