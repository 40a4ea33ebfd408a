// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of a camera's settings, made from settings.h and bus/settings.h,
 * and the module parameters, in which each setting is a list with a value for
 * each camera.
 */
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "config.h"

/* Longer than any value of a setting. */
#define MAX_WORD	32

static const char * const allocators[] = {
	[VIVID_EXT_DMABUF] = "dmabuf",
	[VIVID_EXT_VMALLOC] = "vmalloc",
	[VIVID_EXT_DMA_SG] = "dma-sg",
	[VIVID_EXT_DMA_CONTIG] = "dma-contig",
	NULL
};

static const char * const policies[] = {
	[VIVID_EXT_AUTO] = "auto",
	[VIVID_EXT_SHOOTDOWN] = "shootdown",
	[VIVID_EXT_EXPLICIT] = "explicit",
	[VIVID_EXT_WRITECOMBINE] = "writecombine",
	NULL
};

/* A list is kept as it was given; that it is right, the init function sees. */
static int list_get(char *page, const struct kernel_param *param)
{
	const char *list = *(char **)param->arg;

	return sysfs_emit(page, "%s\n", list ?: "");
}

static const struct kernel_param_ops list_ops = {
	.set = param_set_charp,
	.get = list_get,
	.free = param_free_charp,
};

#define PARAM(name, type, help) \
	static char *name##_list; \
	module_param_cb(name, &list_ops, &name##_list, 0444); \
	__MODULE_PARM_TYPE(name, "array of " type); \
	MODULE_PARM_DESC(name, " " help);

/* Each setting is a parameter ... */
#define SETTING_BOOL(name, def, help) \
	PARAM(name, "bool", help " (default " #def ")")
#define SETTING_UINT(name, min, max, def, help) \
	PARAM(name, "uint", help ", " #min " to " #max " (default " #def ")")
#define SETTING_LIMIT(name, min, help) \
	PARAM(name, "uint", help " (default no limit)")
#define SETTING_ENUM(name, names, help) \
	PARAM(name, "charp", help)
#include "settings.h"
#include "bus/settings.h"
#undef SETTING_BOOL
#undef SETTING_UINT
#undef SETTING_LIMIT
#undef SETTING_ENUM

/* ... and a line of the table. */
#define ENTRY(member, what, least, most, value, values, text) { \
	.name = #member, .kind = what, .min = least, .max = most, \
	.def = value, .names = values, .help = text, \
	.offset = offsetof(struct vivid_ext_config, MEMBER(member)), \
	.param = &member##_list, \
},
#define SETTING_BOOL(name, def, help) \
	ENTRY(name, VIVID_EXT_BOOL, 0, 1, def, NULL, help)
#define SETTING_UINT(name, min, max, def, help) \
	ENTRY(name, VIVID_EXT_UINT, min, max, def, NULL, help)
#define SETTING_LIMIT(name, min, help) \
	ENTRY(name, VIVID_EXT_UINT, min, UINT_MAX, UINT_MAX, NULL, help)
#define SETTING_ENUM(name, names, help) \
	ENTRY(name, VIVID_EXT_ENUM, 0, ARRAY_SIZE(names) - 2, 0, names, help)

const struct vivid_ext_setting vivid_ext_settings[] = {
#define MEMBER(name) name
#include "settings.h"
#undef MEMBER
#define MEMBER(name) bus.name
#include "bus/settings.h"
#undef MEMBER
};

const unsigned int vivid_ext_num_settings = ARRAY_SIZE(vivid_ext_settings);

/**
 * vivid_ext_allocator_name - an allocator's name, as in the module parameter
 * @allocator: which one, &enum vivid_ext_allocator
 *
 * Return: a string that stays.
 */
const char *vivid_ext_allocator_name(unsigned int allocator)
{
	return allocators[allocator];
}

static void setting_set(const struct vivid_ext_setting *setting,
			struct vivid_ext_config *config, unsigned int value)
{
	void *member = (void *)config + setting->offset;

	if (setting->kind == VIVID_EXT_BOOL)
		*(bool *)member = value;
	else
		*(unsigned int *)member = value;
}

static unsigned int setting_get(const struct vivid_ext_setting *setting,
				const struct vivid_ext_config *config)
{
	const void *member = (const void *)config + setting->offset;

	if (setting->kind == VIVID_EXT_BOOL)
		return *(const bool *)member;
	return *(const unsigned int *)member;
}

/**
 * vivid_ext_config_default - the camera that nobody has asked anything of
 * @config: is filled in
 */
void vivid_ext_config_default(struct vivid_ext_config *config)
{
	unsigned int i;

	memset(config, 0, sizeof(*config));
	for (i = 0; i < vivid_ext_num_settings; i++)
		setting_set(&vivid_ext_settings[i], config,
			    vivid_ext_settings[i].def);
}

static int parse_value(const struct vivid_ext_setting *setting,
		       const char *text, unsigned int *value)
{
	bool yes;
	int ret;

	switch (setting->kind) {
	case VIVID_EXT_BOOL:
		ret = kstrtobool(text, &yes);
		*value = yes;
		return ret;
	case VIVID_EXT_ENUM:
		ret = __sysfs_match_string(setting->names, -1, text);
		*value = ret;
		return min(ret, 0);
	default:
		return kstrtouint(text, 0, value);
	}
}

/**
 * vivid_ext_setting_parse - set one setting
 * @setting: which one
 * @config: where it is set
 * @text: the value; a newline may be at its end
 *
 * Process context. Return: 0, or -EINVAL or -ERANGE for a value that can't be,
 * which the log then names.
 */
int vivid_ext_setting_parse(const struct vivid_ext_setting *setting,
			    struct vivid_ext_config *config, const char *text)
{
	unsigned int value;
	int ret;

	ret = parse_value(setting, text, &value);
	if (!ret && (value < setting->min || value > setting->max))
		ret = -ERANGE;
	if (!ret)
		setting_set(setting, config, value);
	else if (setting->names)
		pr_notice_ratelimited("%s: no \"%.*s\"\n", setting->name,
				      (int)strcspn(text, "\n"), text);
	else
		pr_notice_ratelimited("%s: \"%.*s\" is not a number from %u to %u\n",
				      setting->name, (int)strcspn(text, "\n"),
				      text, setting->min, setting->max);
	return ret;
}

/**
 * vivid_ext_setting_print - what a setting is
 * @setting: which one
 * @config: of which camera
 * @page: gets the value and a newline
 *
 * Return: how many characters.
 */
int vivid_ext_setting_print(const struct vivid_ext_setting *setting,
			    const struct vivid_ext_config *config, char *page)
{
	unsigned int value = setting_get(setting, config);

	if (setting->names)
		return sysfs_emit(page, "%s\n", setting->names[value]);
	return sysfs_emit(page, "%u\n", value);
}

/* What values a setting takes, and which it has by default. */
static int describe_values(const struct vivid_ext_setting *setting, char *page,
			   int at)
{
	unsigned int i;
	int len = 0;

	if (!setting->names)
		return sysfs_emit_at(page, at, "%u-%u\t%u", setting->min,
				     setting->max, setting->def);
	for (i = 0; i <= setting->max; i++)
		len += sysfs_emit_at(page, at + len, "%s%s", i ? "|" : "",
				     setting->names[i]);
	return len + sysfs_emit_at(page, at + len, "\t%s",
				   setting->names[setting->def]);
}

/**
 * vivid_ext_settings_describe - say which settings there are
 * @page: gets a line for each: name, values, default and meaning, with tabs
 *
 * Return: how many characters.
 */
int vivid_ext_settings_describe(char *page)
{
	unsigned int i;
	int len = 0;

	for (i = 0; i < vivid_ext_num_settings; i++) {
		len += sysfs_emit_at(page, len, "%s\t",
				     vivid_ext_settings[i].name);
		len += describe_values(&vivid_ext_settings[i], page, len);
		len += sysfs_emit_at(page, len, "\t%s\n",
				     vivid_ext_settings[i].help);
	}
	return len;
}

/* What a list says of camera i; the last value counts for all further ones. */
static int list_word(const char *list, unsigned int i, char *word)
{
	const char *next;
	size_t len;

	while (i-- && (next = strchr(list, ',')))
		list = next + 1;
	len = strcspn(list, ",");
	if (len >= MAX_WORD)
		return -EINVAL;
	strscpy(word, list, len + 1);
	return 0;
}

/**
 * vivid_ext_config_params - the camera that the module parameters ask for
 * @config: is filled in
 * @i: the number of the camera
 *
 * Process context. Return: 0, or -EINVAL or -ERANGE for a value that can't be,
 * which the log then names.
 */
int vivid_ext_config_params(struct vivid_ext_config *config, unsigned int i)
{
	const struct vivid_ext_setting *setting;
	char word[MAX_WORD];
	int ret;

	vivid_ext_config_default(config);
	for (setting = vivid_ext_settings;
	     setting < vivid_ext_settings + vivid_ext_num_settings; setting++) {
		if (!*setting->param)
			continue;
		ret = list_word(*setting->param, i, word);
		if (!ret)
			ret = vivid_ext_setting_parse(setting, config, word);
		if (ret)
			return ret;
	}
	return 0;
}
