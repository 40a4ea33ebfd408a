// SPDX-License-Identifier: GPL-2.0-only
/*
 * The display: a KMS card that shows imported dma-bufs, by atomic commits.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <xf86drm.h>

#include "card.h"
#include "util.h"

#define DRIVER "vivid-ext-display"
#define MAX_CARDS 64

static const struct {
	enum card_property property;
	__u32 object_type;
	const char *name;
} property_names[] = {
	{ CARD_CONNECTOR_CRTC, DRM_MODE_OBJECT_CONNECTOR, "CRTC_ID" },
	{ CARD_CRTC_MODE, DRM_MODE_OBJECT_CRTC, "MODE_ID" },
	{ CARD_CRTC_ACTIVE, DRM_MODE_OBJECT_CRTC, "ACTIVE" },
	{ CARD_PLANE_FB, DRM_MODE_OBJECT_PLANE, "FB_ID" },
	{ CARD_PLANE_CRTC, DRM_MODE_OBJECT_PLANE, "CRTC_ID" },
	{ CARD_PLANE_SRC_X, DRM_MODE_OBJECT_PLANE, "SRC_X" },
	{ CARD_PLANE_SRC_Y, DRM_MODE_OBJECT_PLANE, "SRC_Y" },
	{ CARD_PLANE_SRC_W, DRM_MODE_OBJECT_PLANE, "SRC_W" },
	{ CARD_PLANE_SRC_H, DRM_MODE_OBJECT_PLANE, "SRC_H" },
	{ CARD_PLANE_CRTC_X, DRM_MODE_OBJECT_PLANE, "CRTC_X" },
	{ CARD_PLANE_CRTC_Y, DRM_MODE_OBJECT_PLANE, "CRTC_Y" },
	{ CARD_PLANE_CRTC_W, DRM_MODE_OBJECT_PLANE, "CRTC_W" },
	{ CARD_PLANE_CRTC_H, DRM_MODE_OBJECT_PLANE, "CRTC_H" },
};

static __u32 object_of(const struct card *card, __u32 type)
{
	switch (type) {
	case DRM_MODE_OBJECT_CONNECTOR:
		return card->connector;
	case DRM_MODE_OBJECT_CRTC:
		return card->crtc;
	default:
		return card->plane;
	}
}

static bool try_card(struct card *card, const char *path, bool any_driver)
{
	drmVersionPtr version;
	bool good;

	card->fd = open(path, O_RDWR | O_CLOEXEC);
	if (card->fd < 0)
		return false;
	version = drmGetVersion(card->fd);
	good = version && (any_driver || !strcmp(version->name, DRIVER));
	drmFreeVersion(version);
	if (good) {
		snprintf(card->path, sizeof(card->path), "%s", path);
		return true;
	}
	close(card->fd);
	card->fd = -1;
	return false;
}

static bool search(struct card *card)
{
	unsigned int i;

	for (i = 0; i < MAX_CARDS; i++) {
		char path[32];

		snprintf(path, sizeof(path), "/dev/dri/card%u", i);
		if (try_card(card, path, false))
			return true;
	}
	return false;
}

static int find_card(struct card *card, const char *path)
{
	if (path) {
		errno = ENODEV;
		if (!try_card(card, path, true))
			return complain_errno("%s is no card", path);
		return 0;
	}
	if (search(card))
		return 0;
	if (load_module(DRIVER))
		return -1;
	if (search(card))
		return 0;
	return complain("no card of the driver " DRIVER
			" that can be opened");
}

static int find_connector(struct card *card, const drmModeRes *resources)
{
	int i;

	for (i = 0; i < resources->count_connectors && !card->connector; i++) {
		drmModeConnector *connector =
			drmModeGetConnector(card->fd, resources->connectors[i]);

		if (connector && connector->connection == DRM_MODE_CONNECTED)
			card->connector = connector->connector_id;
		drmModeFreeConnector(connector);
	}
	return card->connector ? 0 :
		complain("%s: nothing is connected", card->path);
}

static __u64 value_of(int fd, __u32 object, __u32 type, const char *name,
		      __u32 *id)
{
	drmModeObjectProperties *properties =
		drmModeObjectGetProperties(fd, object, type);
	__u64 value = 0;
	__u32 i;

	*id = 0;
	for (i = 0; properties && i < properties->count_props; i++) {
		drmModePropertyRes *property =
			drmModeGetProperty(fd, properties->props[i]);

		if (property && !strcmp(property->name, name)) {
			*id = property->prop_id;
			value = properties->prop_values[i];
		}
		drmModeFreeProperty(property);
	}
	drmModeFreeObjectProperties(properties);
	return value;
}

static int find_plane(struct card *card)
{
	drmModePlaneRes *planes = drmModeGetPlaneResources(card->fd);
	__u32 i, id;

	for (i = 0; planes && i < planes->count_planes && !card->plane; i++) {
		drmModePlane *plane = drmModeGetPlane(card->fd,
						      planes->planes[i]);

		if (plane && plane->possible_crtcs & 1 &&
		    value_of(card->fd, plane->plane_id, DRM_MODE_OBJECT_PLANE,
			     "type", &id) == DRM_PLANE_TYPE_PRIMARY)
			card->plane = plane->plane_id;
		drmModeFreePlane(plane);
	}
	drmModeFreePlaneResources(planes);
	return card->plane ? 0 : complain("%s: no primary plane", card->path);
}

static int find_properties(struct card *card)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(property_names); i++) {
		__u32 type = property_names[i].object_type;
		__u32 *id = &card->properties[property_names[i].property];

		value_of(card->fd, object_of(card, type), type,
			 property_names[i].name, id);
		if (!*id)
			return complain("%s: no property %s", card->path,
					property_names[i].name);
	}
	return 0;
}

static int find_pipeline(struct card *card)
{
	drmModeRes *resources = drmModeGetResources(card->fd);
	int ret = -1;

	if (!resources || !resources->count_crtcs) {
		complain("%s: no CRTC", card->path);
		goto out;
	}
	card->crtc = resources->crtcs[0];
	if (find_connector(card, resources) || find_plane(card))
		goto out;
	ret = find_properties(card);
out:
	drmModeFreeResources(resources);
	return ret;
}

/**
 * card_open - open a card and find its first pipeline
 * @card: filled in
 * @path: the card, or NULL for the first one of our driver, which is loaded if
 *	there is none
 */
int card_open(struct card *card, const char *path)
{
	memset(card, 0, sizeof(*card));
	card->fd = -1;
	if (find_card(card, path))
		return -1;
	if (!drmIsMaster(card->fd) && drmSetMaster(card->fd))
		return complain_errno("%s: another program shows on it",
				      card->path);
	if (drmSetClientCap(card->fd, DRM_CLIENT_CAP_ATOMIC, 1))
		return complain_errno("%s: no atomic mode setting",
				      card->path);
	return find_pipeline(card);
}

/**
 * card_set_mode - choose the mode for the first commit
 * @card: an open card
 * @width: in pixels
 * @height: in pixels
 * @refresh: in Hz
 */
int card_set_mode(struct card *card, __u32 width, __u32 height,
		  unsigned int refresh)
{
	drmModeConnector *connector = drmModeGetConnector(card->fd,
							  card->connector);
	bool found = false;
	int i;

	for (i = 0; connector && i < connector->count_modes && !found; i++) {
		const drmModeModeInfo *mode = &connector->modes[i];

		found = mode->hdisplay == width && mode->vdisplay == height &&
			mode->vrefresh == refresh;
		if (found)
			card->mode = *mode;
	}
	drmModeFreeConnector(connector);
	if (!found)
		return complain("%s: no mode %ux%u at %u Hz", card->path,
				width, height, refresh);
	if (drmModeCreatePropertyBlob(card->fd, &card->mode,
				      sizeof(card->mode), &card->mode_blob))
		return complain_errno("%s: cannot set the mode", card->path);
	return 0;
}

/**
 * card_import - make a framebuffer of dma-bufs
 * @card: an open card
 * @image: where the pixels lie
 * @fb: gets the framebuffer's id
 */
int card_import(struct card *card, const struct card_image *image, __u32 *fb)
{
	__u32 handles[4] = {}, strides[4] = {}, offsets[4] = {};
	unsigned int i;

	for (i = 0; i < image->num_planes; i++) {
		if (drmPrimeFDToHandle(card->fd, image->dmabuf[i], &handles[i]))
			return complain_errno("%s: cannot import a dma-buf",
					      card->path);
		strides[i] = image->stride[i];
		offsets[i] = image->offset[i];
	}
	if (drmModeAddFB2(card->fd, image->width, image->height, image->fourcc,
			  handles, strides, offsets, fb, 0))
		return complain_errno("%s: cannot make a framebuffer",
				      card->path);
	return 0;
}

static void add_plane(const struct card *card, drmModeAtomicReq *request,
		      __u32 width, __u32 height)
{
	const struct {
		enum card_property property;
		__u64 value;
	} values[] = {
		{ CARD_PLANE_CRTC, card->crtc },
		{ CARD_PLANE_SRC_X, 0 },
		{ CARD_PLANE_SRC_Y, 0 },
		{ CARD_PLANE_SRC_W, (__u64)width << 16 },
		{ CARD_PLANE_SRC_H, (__u64)height << 16 },
		{ CARD_PLANE_CRTC_X, 0 },
		{ CARD_PLANE_CRTC_Y, 0 },
		{ CARD_PLANE_CRTC_W, width },
		{ CARD_PLANE_CRTC_H, height },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(values); i++)
		drmModeAtomicAddProperty(request, card->plane,
					 card->properties[values[i].property],
					 values[i].value);
}

/**
 * card_show - put a framebuffer on the screen at the next vblank
 * @card: a card with a mode
 * @fb: the framebuffer
 * @width: its size in pixels
 * @height: its size in pixels
 * @first: set the mode as well
 *
 * Does not wait: an event comes when it has happened.
 */
int card_show(struct card *card, __u32 fb, __u32 width, __u32 height,
	      bool first)
{
	__u32 flags = DRM_MODE_PAGE_FLIP_EVENT | DRM_MODE_ATOMIC_NONBLOCK;
	drmModeAtomicReq *request = drmModeAtomicAlloc();
	int ret;

	if (!request)
		return complain("out of memory");
	drmModeAtomicAddProperty(request, card->plane,
				 card->properties[CARD_PLANE_FB], fb);
	if (first) {
		flags |= DRM_MODE_ATOMIC_ALLOW_MODESET;
		drmModeAtomicAddProperty(request, card->connector,
					 card->properties[CARD_CONNECTOR_CRTC],
					 card->crtc);
		drmModeAtomicAddProperty(request, card->crtc,
					 card->properties[CARD_CRTC_MODE],
					 card->mode_blob);
		drmModeAtomicAddProperty(request, card->crtc,
					 card->properties[CARD_CRTC_ACTIVE], 1);
		add_plane(card, request, width, height);
	}
	ret = drmModeAtomicCommit(card->fd, request, flags, NULL);
	drmModeAtomicFree(request);
	return ret ? complain_errno("%s: cannot show a frame", card->path) : 0;
}

/**
 * card_read_event - read what has happened
 * @card: a card whose file is readable
 * @flip: filled in
 */
int card_read_event(struct card *card, struct card_flip *flip)
{
	struct drm_event_vblank event;
	ssize_t n = read(card->fd, &event, sizeof(event));

	if (n < (ssize_t)sizeof(event))
		return complain_errno("%s: cannot read an event", card->path);
	flip->happened = event.base.type == DRM_EVENT_FLIP_COMPLETE;
	flip->microseconds = event.tv_sec * 1000000ll + event.tv_usec;
	return 0;
}

/**
 * card_close - close; the kernel drops framebuffers and imports with the file
 * @card: from card_open(), whether that worked or not
 */
void card_close(struct card *card)
{
	if (card->fd >= 0)
		close(card->fd);
	card->fd = -1;
}
