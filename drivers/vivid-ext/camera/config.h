/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The settings of a camera, by name.
 */
#ifndef VIVID_EXT_CONFIG_H
#define VIVID_EXT_CONFIG_H

#include <linux/types.h>

#include "v4l2/device-config.h"

#define VIVID_EXT_MAX_DEVS	64

/**
 * enum vivid_ext_kind - what values a setting takes
 * @VIVID_EXT_BOOL: yes or no
 * @VIVID_EXT_UINT: a number
 * @VIVID_EXT_ENUM: one of a list of names
 */
enum vivid_ext_kind {
	VIVID_EXT_BOOL,
	VIVID_EXT_UINT,
	VIVID_EXT_ENUM,
};

/**
 * struct vivid_ext_setting - something that can be asked of a camera
 * @name: as a module parameter and as a file
 * @help: what it means
 * @kind: what values it takes
 * @offset: of its member in &struct vivid_ext_config
 * @min: the smallest value
 * @max: the largest
 * @def: the value if nobody asks
 * @names: by value, then NULL; of %VIVID_EXT_ENUM only
 * @param: what the module parameter says, one value for each camera
 */
struct vivid_ext_setting {
	const char *name;
	const char *help;
	enum vivid_ext_kind kind;
	size_t offset;
	unsigned int min;
	unsigned int max;
	unsigned int def;
	const char * const *names;
	char **param;
};

extern const struct vivid_ext_setting vivid_ext_settings[];
extern const unsigned int vivid_ext_num_settings;

const char *vivid_ext_allocator_name(unsigned int allocator);
void vivid_ext_config_default(struct vivid_ext_config *config);
int vivid_ext_config_params(struct vivid_ext_config *config, unsigned int i);
int vivid_ext_setting_parse(const struct vivid_ext_setting *setting,
			    struct vivid_ext_config *config, const char *text);
int vivid_ext_setting_print(const struct vivid_ext_setting *setting,
			    const struct vivid_ext_config *config, char *page);
int vivid_ext_settings_describe(char *page);

#endif
