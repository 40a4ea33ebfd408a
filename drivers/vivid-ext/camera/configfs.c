// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cameras that come and go at run time: a directory in configfs below
 * vivid-ext/ is one, with a file for each setting. While "live" is 1 there is
 * a device, and the settings can't be changed.
 */
#include <linux/configfs.h>
#include <linux/device.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "camera.h"
#include "config.h"
#include "configfs.h"

/**
 * struct camera - a directory
 * @item: what configfs knows of it
 * @lock: for the rest
 * @config: the settings
 * @device: while live, else NULL
 */
struct camera {
	struct config_item item;
	struct mutex lock; /* see above */
	struct vivid_ext_config config;
	struct platform_device *device;
};

static struct camera *to_camera(struct config_item *item)
{
	return container_of(item, struct camera, item);
}

static ssize_t setting_show(struct config_item *item, unsigned int number,
			    char *page)
{
	struct camera *camera = to_camera(item);
	ssize_t len;

	mutex_lock(&camera->lock);
	len = vivid_ext_setting_print(&vivid_ext_settings[number],
				      &camera->config, page);
	mutex_unlock(&camera->lock);
	return len;
}

static ssize_t setting_store(struct config_item *item, unsigned int number,
			     const char *page, size_t len)
{
	struct camera *camera = to_camera(item);
	int ret = -EBUSY;

	mutex_lock(&camera->lock);
	if (!camera->device)
		ret = vivid_ext_setting_parse(&vivid_ext_settings[number],
					      &camera->config, page);
	mutex_unlock(&camera->lock);
	return ret ?: len;
}

/* Where each setting is in the table. */
enum {
#define SETTING_BOOL(name, ...) NUMBER_##name,
#define SETTING_UINT(name, ...) NUMBER_##name,
#define SETTING_LIMIT(name, ...) NUMBER_##name,
#define SETTING_ENUM(name, ...) NUMBER_##name,
#include "settings.h"
#include "bus/settings.h"
#undef SETTING_BOOL
#undef SETTING_UINT
#undef SETTING_LIMIT
#undef SETTING_ENUM
};

/* configfs does not tell a function for which file it is called. */
#define SETTING(name)							\
static ssize_t camera_##name##_show(struct config_item *item, char *page) \
{									\
	return setting_show(item, NUMBER_##name, page);			\
}									\
									\
static ssize_t camera_##name##_store(struct config_item *item,		\
				     const char *page, size_t len)	\
{									\
	return setting_store(item, NUMBER_##name, page, len);		\
}									\
									\
CONFIGFS_ATTR(camera_, name);
#define SETTING_BOOL(name, ...) SETTING(name)
#define SETTING_UINT(name, ...) SETTING(name)
#define SETTING_LIMIT(name, ...) SETTING(name)
#define SETTING_ENUM(name, ...) SETTING(name)
#include "settings.h"
#include "bus/settings.h"
#undef SETTING_BOOL
#undef SETTING_UINT
#undef SETTING_LIMIT
#undef SETTING_ENUM

static void camera_off(struct camera *camera)
{
	if (camera->device)
		vivid_ext_camera_remove(camera->device);
	camera->device = NULL;
}

/* A camera that the driver did not take is none; the log says why. */
static int camera_on(struct camera *camera)
{
	struct platform_device *device;

	if (camera->device)
		return 0;
	device = vivid_ext_camera_add(&camera->config);
	if (IS_ERR(device))
		return PTR_ERR(device);
	if (!device->dev.driver) {
		vivid_ext_camera_remove(device);
		return -ENXIO;
	}
	camera->device = device;
	return 0;
}

static ssize_t camera_live_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%d\n", !!READ_ONCE(to_camera(item)->device));
}

static ssize_t camera_live_store(struct config_item *item, const char *page,
				 size_t len)
{
	struct camera *camera = to_camera(item);
	bool live;
	int ret;

	ret = kstrtobool(page, &live);
	if (ret)
		return ret;
	mutex_lock(&camera->lock);
	if (live)
		ret = camera_on(camera);
	else
		camera_off(camera);
	mutex_unlock(&camera->lock);
	return ret ?: len;
}
CONFIGFS_ATTR(camera_, live);

/* The device's name, as in sysfs and debugfs; nothing while there is none. */
static ssize_t camera_device_show(struct config_item *item, char *page)
{
	struct camera *camera = to_camera(item);
	ssize_t len = 0;

	mutex_lock(&camera->lock);
	if (camera->device)
		len = sysfs_emit(page, "%s\n", dev_name(&camera->device->dev));
	mutex_unlock(&camera->lock);
	return len;
}
CONFIGFS_ATTR_RO(camera_, device);

/**
 * struct listing - names that are being collected
 * @page: where to
 * @len: how much of it is used
 */
struct listing {
	char *page;
	int len;
};

static int list_node(struct device *dev, void *data)
{
	struct listing *listing = data;

	if (dev->devt)
		listing->len += sysfs_emit_at(listing->page, listing->len,
					      "%s\n", dev_name(dev));
	return 0;
}

/* What the camera has in /dev, a name a line; all nodes are its children. */
static ssize_t camera_nodes_show(struct config_item *item, char *page)
{
	struct camera *camera = to_camera(item);
	struct listing listing = { .page = page };

	mutex_lock(&camera->lock);
	if (camera->device)
		device_for_each_child(&camera->device->dev, &listing,
				      list_node);
	mutex_unlock(&camera->lock);
	return listing.len;
}
CONFIGFS_ATTR_RO(camera_, nodes);

static struct configfs_attribute *camera_attrs[] = {
	&camera_attr_live,
	&camera_attr_device,
	&camera_attr_nodes,
#define SETTING_BOOL(name, ...) &camera_attr_##name,
#define SETTING_UINT(name, ...) &camera_attr_##name,
#define SETTING_LIMIT(name, ...) &camera_attr_##name,
#define SETTING_ENUM(name, ...) &camera_attr_##name,
#include "settings.h"
#include "bus/settings.h"
#undef SETTING_BOOL
#undef SETTING_UINT
#undef SETTING_LIMIT
#undef SETTING_ENUM
	NULL
};

static void camera_release(struct config_item *item)
{
	struct camera *camera = to_camera(item);

	mutex_destroy(&camera->lock);
	kfree(camera);
}

static struct configfs_item_operations camera_ops = {
	.release = camera_release,
};

static const struct config_item_type camera_type = {
	.ct_owner = THIS_MODULE,
	.ct_item_ops = &camera_ops,
	.ct_attrs = camera_attrs,
};

static struct config_item *make_camera(struct config_group *group,
				       const char *name)
{
	struct camera *camera = kzalloc(sizeof(*camera), GFP_KERNEL);

	if (!camera)
		return ERR_PTR(-ENOMEM);
	mutex_init(&camera->lock);
	vivid_ext_config_default(&camera->config);
	config_item_init_type_name(&camera->item, name, &camera_type);
	return &camera->item;
}

/* rmdir: files of the directory may still be open. */
static void drop_camera(struct config_group *group, struct config_item *item)
{
	struct camera *camera = to_camera(item);

	mutex_lock(&camera->lock);
	camera_off(camera);
	mutex_unlock(&camera->lock);
	config_item_put(item);
}

static struct configfs_group_operations cameras_ops = {
	.make_item = make_camera,
	.drop_item = drop_camera,
};

static ssize_t cameras_settings_show(struct config_item *item, char *page)
{
	return vivid_ext_settings_describe(page);
}
CONFIGFS_ATTR_RO(cameras_, settings);

static struct configfs_attribute *cameras_attrs[] = {
	&cameras_attr_settings,
	NULL
};

static const struct config_item_type cameras_type = {
	.ct_owner = THIS_MODULE,
	.ct_group_ops = &cameras_ops,
	.ct_attrs = cameras_attrs,
};

static struct configfs_subsystem subsystem = {
	.su_group.cg_item = {
		.ci_namebuf = VIVID_EXT_NAME,
		.ci_type = &cameras_type,
	},
};

/**
 * vivid_ext_configfs_init - let user space make cameras
 *
 * When the driver is registered. Return: 0 or configfs's error.
 */
int vivid_ext_configfs_init(void)
{
	mutex_init(&subsystem.su_mutex);
	config_group_init(&subsystem.su_group);
	return configfs_register_subsystem(&subsystem);
}

/**
 * vivid_ext_configfs_exit - no cameras are made any more
 *
 * Those that were made have gone: each keeps the module.
 */
void vivid_ext_configfs_exit(void)
{
	configfs_unregister_subsystem(&subsystem);
	mutex_destroy(&subsystem.su_mutex);
}
