/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The virtual cameras as the kernel shows them: a directory in configfs, the
 * device's in sysfs, and the controls of its nodes.
 */
#ifndef DEVICE_H
#define DEVICE_H

#include <stdbool.h>
#include <stddef.h>

#define DEVICE_NAME 64

/* A camera. */
struct device {
	char name[DEVICE_NAME];	/* its directory; "" if made by the module */
	char id[DEVICE_NAME];	/* "vivid-ext.N"; "" while it is not live */
};

/* A setting that cameras have: a line of configfs's file "settings". */
struct setting {
	char *name;
	char *values;
	char *def;
	char *help;
};

/* Whether there is anything to talk to; says what is missing if not. */
int device_ready(void);

/* All settings, or NULL; the last one has no name. Not to be freed. */
const struct setting *device_settings(void);

/* Calls for each camera until that returns something else than 0. */
int device_each(int (*call)(const struct device *device, void *data),
		void *data);

/* Finds a camera by one of its names; says so if there is none. */
int device_find(const char *name, struct device *device);

/* Makes a directory with settings "name=value", and a camera of it. */
int device_add(const char *name, char *const *settings, int count);

/* Removes a camera that device_add() has made. */
int device_remove(const char *name);

/* Changes a setting, a part of the bus, or a control that injects errors. */
int device_set(const struct device *device, const char *name,
	       const char *value);

/* The present value of a setting for free(), or NULL where nobody knows. */
char *device_get(const struct device *device, const char *setting);

/* Calls for each node of a camera with its path in /dev. */
void device_nodes(const struct device *device,
		  void (*call)(const char *path, void *data), void *data);

/* Calls for each control of a camera that injects errors. */
void device_errors(const struct device *device,
		   void (*call)(const char *name, int value, void *data),
		   void *data);

#endif
