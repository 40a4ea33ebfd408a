/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What KUnit suites need of the simulated bus: devices on it, and its counts.
 */
#ifndef VIVID_EXT_KUNIT_H
#define VIVID_EXT_KUNIT_H

#include <linux/types.h>

struct device;
struct kunit;
struct sg_table;
struct vivid_ext_bus_config;

extern const struct vivid_ext_bus_config vivid_ext_kunit_strict;

struct device *
vivid_ext_kunit_add_owner(struct kunit *test, const char *name,
			  const struct vivid_ext_bus_config *config);
struct device *
vivid_ext_kunit_add_device(struct kunit *test, const char *name,
			   const struct vivid_ext_bus_config *config);
u8 *vivid_ext_kunit_add_memory(struct kunit *test, struct sg_table *sgt,
			       unsigned int pages);
void vivid_ext_kunit_write(struct kunit *test, struct device *dev,
			   struct sg_table *sgt, size_t size, u8 value);
u8 vivid_ext_kunit_read(struct kunit *test, struct device *dev,
			struct sg_table *sgt, size_t at);
char *vivid_ext_kunit_show(struct kunit *test, struct device *dev);
long long vivid_ext_kunit_count(struct kunit *test, struct device *dev,
				const char *name);

#endif
