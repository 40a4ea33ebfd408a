// SPDX-License-Identifier: GPL-2.0-only
/*
 * vivid-ext-ctl: adds, removes, lists and changes virtual cameras.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "device.h"
#include "util.h"

static const char help[] =
"Usage: vivid-ext-ctl [--json] COMMAND\n"
"Add, remove and change virtual cameras while vivid-ext is loaded.\n"
"\n"
"  add NAME [SETTING=VALUE]...   make a camera\n"
"  remove NAME...                remove what add has made\n"
"  list [NAME]...                what there is, and how it is set\n"
"  set NAME SETTING=VALUE...     change a camera's bus (while it has no\n"
"                                buffers), or inject errors\n"
"  settings                      the settings that add takes\n"
"\n"
"  -j, --json                    print JSON\n"
"  -h, --help                    print this\n";

static bool json;

static void add_string(struct json_object *object, const char *key,
		       const char *value)
{
	json_object_object_add(object, key,
			       value && *value ? json_object_new_string(value) :
						 NULL);
}

static void node_to_json(const char *path, void *list)
{
	json_object_array_add(list, json_object_new_string(path));
}

static void error_to_json(const char *name, int value, void *object)
{
	json_object_object_add(object, name, json_object_new_int(value));
}

static struct json_object *settings_to_json(const struct device *device)
{
	struct json_object *object = json_object_new_object();
	const struct setting *setting;

	for (setting = device_settings(); setting && setting->name; setting++) {
		char *value = device_get(device, setting->name);

		if (value)
			add_string(object, setting->name, value);
		free(value);
	}
	return object;
}

static struct json_object *to_json(const struct device *device)
{
	struct json_object *object = json_object_new_object();
	struct json_object *nodes = json_object_new_array();
	struct json_object *errors = json_object_new_object();

	device_nodes(device, node_to_json, nodes);
	device_errors(device, error_to_json, errors);
	add_string(object, "name", device->name);
	add_string(object, "device", device->id);
	json_object_object_add(object, "live",
			       json_object_new_boolean(*device->id != 0));
	json_object_object_add(object, "nodes", nodes);
	json_object_object_add(object, "settings", settings_to_json(device));
	json_object_object_add(object, "errors", errors);
	return object;
}

static void print_node(const char *path, void *data)
{
	(void)data;
	printf(" %s", path);
}

static void print_error(const char *name, int value, void *data)
{
	(void)data;
	if (value)
		printf(" %s=%d", name, value);
}

/* A line, with those settings that are not the default. */
static void print_device(const struct device *device)
{
	const struct setting *setting;

	printf("%-15s %-12s", *device->name ? device->name : "-",
	       *device->id ? device->id : "-");
	device_nodes(device, print_node, NULL);
	for (setting = device_settings(); setting && setting->name; setting++) {
		char *value = device_get(device, setting->name);

		if (value && strcmp(value, setting->def))
			printf(" %s=%s", setting->name, value);
		free(value);
	}
	device_errors(device, print_error, NULL);
	putchar('\n');
}

/* All that is printed of cameras goes through here: a list, or lines. */
static int show(const struct device *device, void *list)
{
	if (list)
		json_object_array_add(list, to_json(device));
	else
		print_device(device);
	return 0;
}

static void print_json(struct json_object *object)
{
	puts(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PRETTY |
					    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(object);
}

/* Print cameras by name, or all. */
static int list_devices(char *const *names, int count)
{
	struct json_object *list = json ? json_object_new_array() : NULL;
	struct device device;
	int i, ret = 0;

	for (i = 0; i < count && !ret; i++) {
		ret = device_find(names[i], &device);
		if (!ret)
			show(&device, list);
	}
	if (!count)
		device_each(show, list);
	if (list)
		print_json(list);
	return ret;
}

static int check_assignments(char *const *words, int count)
{
	int i;

	for (i = 0; i < count; i++)
		if (!strchr(words[i], '=') || words[i][0] == '=')
			return complain("\"%s\" is not SETTING=VALUE",
					words[i]);
	return 0;
}

static int do_add(char *const *words, int count)
{
	if (check_assignments(words + 1, count - 1) ||
	    device_add(words[0], words + 1, count - 1))
		return -1;
	return list_devices(words, 1);
}

static int do_remove(char *const *words, int count)
{
	int i, ret = 0;

	for (i = 0; i < count; i++)
		if (device_remove(words[i]))
			ret = -1;
	return ret;
}

static int do_set(char *const *words, int count)
{
	struct device device;
	int i, ret;

	if (check_assignments(words + 1, count - 1) ||
	    device_find(words[0], &device))
		return -1;
	for (i = 1; i < count; i++) {
		char *name = strndup(words[i], strcspn(words[i], "="));

		ret = name ? device_set(&device, name,
					strchr(words[i], '=') + 1) : -1;
		free(name);
		if (ret)
			return ret;
	}
	return json ? list_devices(words, 1) : 0;
}

static int do_settings(char *const *words, int count)
{
	const struct setting *setting = device_settings();
	struct json_object *list = json ? json_object_new_array() : NULL;

	(void)words;
	(void)count;
	for (; setting && setting->name; setting++) {
		struct json_object *object;

		if (!list) {
			printf("%-17s %-36s %s\n", setting->name,
			       setting->values, setting->help);
			continue;
		}
		object = json_object_new_object();
		add_string(object, "name", setting->name);
		add_string(object, "values", setting->values);
		add_string(object, "default", setting->def);
		add_string(object, "help", setting->help);
		json_object_array_add(list, object);
	}
	if (list)
		print_json(list);
	return setting ? 0 : -1;
}

static const struct command {
	const char *name;
	int least;	/* words after it */
	int most;
	int (*call)(char *const *words, int count);
} commands[] = {
	{ "add", 1, 1000, do_add },
	{ "remove", 1, 1000, do_remove },
	{ "list", 0, 1000, list_devices },
	{ "set", 2, 1000, do_set },
	{ "settings", 0, 0, do_settings },
};

static const struct command *find_command(char *const *words, int count)
{
	size_t i;

	for (i = 0; count && i < ARRAY_SIZE(commands); i++)
		if (!strcmp(commands[i].name, words[0]) &&
		    count - 1 >= commands[i].least &&
		    count - 1 <= commands[i].most)
			return &commands[i];
	return NULL;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ }
	};
	const struct command *command;
	int c;

	while ((c = getopt_long(argc, argv, "jh", options, NULL)) != -1) {
		switch (c) {
		case 'j':
			json = true;
			break;
		case 'h':
			fputs(help, stdout);
			return 0;
		default:
			return 2;
		}
	}
	command = find_command(argv + optind, argc - optind);
	if (!command) {
		fputs(help, stderr);
		return 2;
	}
	if (device_ready())
		return 1;
	return command->call(argv + optind + 1, argc - optind - 1) ? 1 : 0;
}
