/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The virtual display: what its KMS objects and its debugfs files share.
 */
#ifndef VIVID_EXT_DISPLAY_H
#define VIVID_EXT_DISPLAY_H

#include <drm/drm_connector.h>
#include <drm/drm_crtc.h>
#include <drm/drm_encoder.h>
#include <drm/drm_plane.h>

#include "memory.h"
#include "scanout.h"

#define VIVID_EXT_DISPLAY_NAME "vivid-ext-display"

/**
 * struct vivid_ext_display - the device
 * @card: the DRM device, and its memory
 * @crtc: its only CRTC
 * @plane: its only plane, the primary one
 * @encoder: stands between @crtc and @connector, does nothing
 * @connector: always connected
 * @scanout: the engine that reads framebuffers
 * @debugfs: our directory
 */
struct vivid_ext_display {
	struct vivid_ext_card card;
	struct drm_crtc crtc;
	struct drm_plane plane;
	struct drm_encoder encoder;
	struct drm_connector connector;
	struct vivid_ext_scanout scanout;
	struct dentry *debugfs;
};

static inline struct vivid_ext_display *
to_vivid_ext_display(struct drm_device *drm)
{
	return container_of(drm, struct vivid_ext_display, card.drm);
}

/* debugfs.c */
void vivid_ext_display_debugfs_add(struct vivid_ext_display *display);
void vivid_ext_display_debugfs_remove(struct vivid_ext_display *display);

#endif
