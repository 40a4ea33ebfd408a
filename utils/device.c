// SPDX-License-Identifier: GPL-2.0-only
/*
 * The virtual cameras as the kernel shows them: a directory in configfs, the
 * device's in sysfs, and the controls of its nodes.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/videodev2.h>
#include <linux/vivid-ext.h>

#include "device.h"
#include "util.h"

#define CONFIGFS "/sys/kernel/config"
#define CAMERAS CONFIGFS "/vivid-ext"
#define DRIVER "/sys/bus/platform/drivers/vivid-ext"
#define MAX_SETTINGS 64

static int camera_path(char *path, size_t size, const char *name,
		       const char *file)
{
	int len = snprintf(path, size, "%s/%s/%s", CAMERAS, name, file);

	return len < (int)size ? 0 : -1;
}

static int write_file(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n;
	int error;

	if (fd < 0)
		return -1;
	n = write(fd, value, strlen(value));
	error = errno;
	close(fd);
	errno = error;
	return n < 0 ? -1 : 0;
}

/* The first line of a file, for free(). */
static char *read_line(const char *path)
{
	char *text = read_file(path, NULL);

	if (text)
		text[strcspn(text, "\n")] = 0;
	return text;
}

int device_ready(void)
{
	if (access(CAMERAS, F_OK) == 0)
		return 0;
	if (access("/sys/module/vivid_ext", F_OK))
		return complain("the module vivid-ext is not loaded: try\n\tmodprobe vivid-ext n_devs=0");
	/* Where nothing has mounted it yet. */
	if (mount("none", CONFIGFS, "configfs", 0, NULL) == 0 &&
	    access(CAMERAS, F_OK) == 0)
		return 0;
	return complain("no %s: is configfs mounted? Try, as root,\n\tmount -t configfs none %s",
			CAMERAS, CONFIGFS);
}

/* Cut a line at its tabs. */
static void split_setting(char *line, struct setting *setting)
{
	char **fields[] = { &setting->name, &setting->values, &setting->def,
			    &setting->help };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(fields); i++)
		*fields[i] = strsep(&line, "\t") ?: "";
}

const struct setting *device_settings(void)
{
	static struct setting settings[MAX_SETTINGS + 1];
	unsigned int i;
	char *text, *line;

	if (settings[0].name)
		return settings;
	text = read_file(CAMERAS "/settings", NULL);
	if (!text) {
		complain_errno("cannot read %s/settings", CAMERAS);
		return NULL;
	}
	for (i = 0; i < MAX_SETTINGS && (line = strsep(&text, "\n")) && *line;
	     i++)
		split_setting(line, &settings[i]);
	return settings;
}

static const struct setting *find_setting(const char *name)
{
	const struct setting *setting = device_settings();

	while (setting && setting->name && strcmp(setting->name, name))
		setting++;
	return setting && setting->name ? setting : NULL;
}

static void set_name(char name[DEVICE_NAME], const char *text)
{
	snprintf(name, DEVICE_NAME, "%s", text);
}

/* A directory's camera; false if there is no such directory. */
static bool read_device(const char *name, struct device *device)
{
	char path[512], *id;

	if (camera_path(path, sizeof(path), name, "device"))
		return false;
	id = read_line(path);
	if (!id)
		return false;
	set_name(device->name, name);
	set_name(device->id, id);
	free(id);
	return true;
}

static int each_of_configfs(int (*call)(const struct device *, void *),
			    void *data)
{
	struct dirent **names;
	struct device device;
	int count = scandir(CAMERAS, &names, NULL, versionsort);
	int i, ret = 0;

	for (i = 0; i < count; i++) {
		if (!ret && names[i]->d_name[0] != '.' &&
		    read_device(names[i]->d_name, &device))
			ret = call(&device, data);
		free(names[i]);
	}
	if (count >= 0)
		free(names);
	return ret;
}

static int same_id(const struct device *device, void *data)
{
	return !strcmp(device->id, data);
}

/* Devices that no directory has made. */
static int each_of_module(int (*call)(const struct device *, void *),
			  void *data)
{
	struct device device = { "", "" };
	glob_t found;
	size_t i;
	int ret = 0;

	if (glob(DRIVER "/vivid-ext.*", 0, NULL, &found))
		return 0;
	for (i = 0; i < found.gl_pathc && !ret; i++) {
		set_name(device.id, strrchr(found.gl_pathv[i], '/') + 1);
		if (!each_of_configfs(same_id, device.id))
			ret = call(&device, data);
	}
	globfree(&found);
	return ret;
}

int device_each(int (*call)(const struct device *device, void *data),
		void *data)
{
	return each_of_module(call, data) ?: each_of_configfs(call, data);
}

struct search {
	const char *name;
	struct device *device;
};

static int is_wanted(const struct device *device, void *data)
{
	struct search *search = data;

	if (strcmp(device->name, search->name) &&
	    strcmp(device->id, search->name))
		return 0;
	*search->device = *device;
	return 1;
}

int device_find(const char *name, struct device *device)
{
	struct search search = { name, device };

	if (*name && device_each(is_wanted, &search))
		return 0;
	return complain("no camera \"%s\": see vivid-ext-ctl list", name);
}

char *device_get(const struct device *device, const char *setting)
{
	char path[512], *value = NULL;

	/* The bus may have been changed since the camera was made. */
	snprintf(path, sizeof(path), DRIVER "/%s/bus/%s", device->id, setting);
	if (*device->id)
		value = read_line(path);
	if (!value && *device->name &&
	    !camera_path(path, sizeof(path), device->name, setting))
		value = read_line(path);
	return value;
}

void device_nodes(const struct device *device,
		  void (*call)(const char *path, void *data), void *data)
{
	static const char * const where[] = { "video4linux/*", "media*" };
	char path[512];
	glob_t found;
	unsigned int i;
	size_t n;

	for (i = 0; i < ARRAY_SIZE(where) && *device->id; i++) {
		snprintf(path, sizeof(path), DRIVER "/%s/%s", device->id,
			 where[i]);
		if (glob(path, 0, NULL, &found))
			continue;
		for (n = 0; n < found.gl_pathc; n++) {
			snprintf(path, sizeof(path), "/dev/%s",
				 strrchr(found.gl_pathv[n], '/') + 1);
			call(path, data);
		}
		globfree(&found);
	}
}

/* Controls are named as v4l2-ctl does: "Drop It" is drop_it. */
static void control_name(const char *text, char *name)
{
	char *start = name;

	for (; *text; text++) {
		if (isalnum((unsigned char)*text))
			*name++ = tolower((unsigned char)*text);
		else if (name > start && name[-1] != '_')
			*name++ = '_';
	}
	while (name > start && name[-1] == '_')
		name--;
	*name = 0;
}

/* What is done with a control; returns 1 for no more of them. */
typedef int control_fn(int fd, const struct v4l2_queryctrl *query,
		       const char *name, void *data);

struct control_visit {
	control_fn *call;
	void *data;
	int ret;
};

static void visit_controls(const char *path, void *data)
{
	struct control_visit *visit = data;
	struct v4l2_queryctrl query = { .id = VIVID_EXT_CID_INJECT - 1 };
	char name[sizeof(query.name) + 1];
	int fd;

	/* With a media controller they are the sensor's. */
	if (visit->ret || (strncmp(path, "/dev/video", 10) &&
			   strncmp(path, "/dev/v4l-subdev", 15)))
		return;
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return;
	for (;;) {
		query.id |= V4L2_CTRL_FLAG_NEXT_CTRL;
		if (ioctl(fd, VIDIOC_QUERYCTRL, &query) ||
		    query.id > VIVID_EXT_CID_INJECT_LAST)
			break;
		control_name((const char *)query.name, name);
		visit->ret = visit->call(fd, &query, name, visit->data);
		if (visit->ret)
			break;
	}
	close(fd);
}

static int each_control(const struct device *device, control_fn *call,
			void *data)
{
	struct control_visit visit = { call, data, 0 };

	device_nodes(device, visit_controls, &visit);
	return visit.ret;
}

struct error_list {
	void (*call)(const char *name, int value, void *data);
	void *data;
};

static int list_error(int fd, const struct v4l2_queryctrl *query,
		      const char *name, void *data)
{
	struct v4l2_control control = { .id = query->id };
	struct error_list *list = data;

	if (!ioctl(fd, VIDIOC_G_CTRL, &control))
		list->call(name, control.value, list->data);
	return 0;
}

void device_errors(const struct device *device,
		   void (*call)(const char *name, int value, void *data),
		   void *data)
{
	struct error_list list = { call, data };

	each_control(device, list_error, &list);
}

/* A control to be set; result is 1 when that is done, -1 if it can't be. */
struct control_wish {
	const char *name;
	const char *value;
};

static int set_control(int fd, const struct v4l2_queryctrl *query,
		       const char *name, void *data)
{
	const struct control_wish *wish = data;
	struct v4l2_control control = { .id = query->id };
	char *end;

	if (strcmp(name, wish->name))
		return 0;
	control.value = strtol(wish->value, &end, 0);
	if (end == wish->value || *end ||
	    control.value < query->minimum || control.value > query->maximum)
		return complain("%s: \"%s\" is not a number from %d to %d",
				name, wish->value, query->minimum,
				query->maximum);
	if (ioctl(fd, VIDIOC_S_CTRL, &control))
		return complain_errno("cannot set %s", name);
	return 1;
}

static void print_error_name(const char *name, int value, void *data)
{
	(void)value;
	(void)data;
	fprintf(stderr, " %s", name);
}

static int unknown_setting(const struct device *device, const char *name)
{
	const struct setting *setting;

	complain("no setting \"%s\"; there are", name);
	fputc('\t', stderr);
	for (setting = device_settings(); setting && setting->name; setting++)
		fprintf(stderr, " %s", setting->name);
	if (*device->id)
		fputs("\n\terrors to inject:", stderr);
	device_errors(device, print_error_name, NULL);
	fputc('\n', stderr);
	return -1;
}

/* Why the kernel did not take a value. */
static int refused(const struct setting *setting, const char *value, bool bus)
{
	switch (errno) {
	case EINVAL:
	case ERANGE:
		return complain("%s: \"%s\" is not possible; values are %s",
				setting->name, value, setting->values);
	case EBUSY:
		return complain(bus ? "%s: the camera has buffers; its bus can be changed while it has none" :
				      "%s: another one is changing the camera",
				setting->name);
	case EACCES:
	case EPERM:
		return complain("%s: only root may set it", setting->name);
	default:
		return complain_errno("cannot set %s", setting->name);
	}
}

static int set_live(const struct device *device, const struct setting *setting,
		    const char *value)
{
	char path[512];

	snprintf(path, sizeof(path), DRIVER "/%s/bus/%s", device->id,
		 setting->name);
	if (access(path, F_OK))
		return complain("%s can't be changed while the camera lives: remove it, and add it again",
				setting->name);
	return write_file(path, value) ? refused(setting, value, true) : 0;
}

int device_set(const struct device *device, const char *name,
	       const char *value)
{
	const struct setting *setting = find_setting(name);
	struct control_wish wish = { name, value };
	char path[512];
	int ret;

	if (setting && *device->id)
		return set_live(device, setting, value);
	if (setting) {
		if (camera_path(path, sizeof(path), device->name, name))
			return -1;
		return write_file(path, value) ?
		       refused(setting, value, false) : 0;
	}
	ret = each_control(device, set_control, &wish);
	if (ret)
		return ret > 0 ? 0 : -1;
	return unknown_setting(device, name);
}

/* Settings before the camera lives, errors to inject after. */
static int set_all(const struct device *device, char *const *settings,
		   int count)
{
	char *name, *value;
	int i, ret = 0;

	for (i = 0; i < count && !ret; i++) {
		name = strdup(settings[i]);
		if (!name)
			return complain_errno("no memory");
		value = strchr(name, '=');
		*value++ = 0;
		if (!find_setting(name) == !!*device->id)
			ret = device_set(device, name, value);
		free(name);
	}
	return ret;
}

static int make_live(const char *name)
{
	char path[512];

	if (camera_path(path, sizeof(path), name, "live"))
		return -1;
	if (write_file(path, "1") == 0)
		return 0;
	switch (errno) {
	case ENOSPC:
		return complain("there can't be more cameras");
	case ENXIO:
		return complain("the kernel makes no such camera; its log says why (dmesg)");
	default:
		return complain_errno("cannot make the camera %s", name);
	}
}

static int make_directory(const char *path, const char *name)
{
	if (!*name || strchr(name, '/') || name[0] == '.')
		return complain("\"%s\" is not a name", name);
	if (mkdir(path, 0755) == 0)
		return 0;
	switch (errno) {
	case EEXIST:
		return complain("there is a camera \"%s\" already", name);
	case EACCES:
	case EPERM:
		return complain("only root may add cameras");
	default:
		return complain_errno("cannot make %s", path);
	}
}

int device_add(const char *name, char *const *settings, int count)
{
	struct device device = { "", "" };
	char path[512];

	if (strlen(name) >= DEVICE_NAME)
		return complain("the name is longer than %d characters",
				DEVICE_NAME - 1);
	camera_path(path, sizeof(path), name, "");
	if (make_directory(path, name))
		return -1;
	if (read_device(name, &device) &&
	    !set_all(&device, settings, count) && !make_live(name) &&
	    read_device(name, &device) && !set_all(&device, settings, count))
		return 0;
	rmdir(path);
	return -1;
}

int device_remove(const char *name)
{
	char path[512];

	if (!*name || strchr(name, '/') ||
	    camera_path(path, sizeof(path), name, ""))
		return complain("\"%s\" is not a name", name);
	if (rmdir(path) == 0)
		return 0;
	switch (errno) {
	case ENOENT:
		if (!strncmp(name, "vivid-ext.", 10))
			return complain("%s was not made by add: it goes with the module",
					name);
		return complain("no camera \"%s\": see vivid-ext-ctl list",
				name);
	case EACCES:
	case EPERM:
		return complain("only root may remove cameras");
	default:
		return complain_errno("cannot remove %s", name);
	}
}
