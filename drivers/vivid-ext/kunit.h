/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What KUnit suites need of the simulated bus: devices on it, and its counts.
 */
#ifndef VIVID_EXT_KUNIT_H
#define VIVID_EXT_KUNIT_H

struct device;
struct kunit;
struct vivid_ext_bus_config;

struct device *
vivid_ext_kunit_add_owner(struct kunit *test, const char *name,
			  const struct vivid_ext_bus_config *config);
struct device *
vivid_ext_kunit_add_device(struct kunit *test, const char *name,
			   const struct vivid_ext_bus_config *config);
long long vivid_ext_kunit_count(struct kunit *test, struct device *dev,
				const char *name);

#endif
