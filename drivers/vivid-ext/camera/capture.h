/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The capture node: writes a pattern into each frame.
 */
#ifndef VIVID_EXT_CAPTURE_H
#define VIVID_EXT_CAPTURE_H

#include "controls.h"
#include "media.h"
#include "node.h"
#include "pattern.h"
#include "screen.h"

struct vivid_ext_core;

/**
 * struct vivid_ext_capture - a capture node
 * @node: what it shares with others
 * @pattern: what is drawn
 * @controls: what the user can turn
 * @media: its media device and sensor, with config.mc
 * @screen: of the output node of the same camera; NULL if it has none
 * @looped: frames that show what the output node shows; the node's qlock
 *	protects it
 * @loop: what became of the loop at the last frame; the engine's
 *
 * Locks: the device's, then the control handler's, then the pattern's, then
 * the node's qlock.
 */
struct vivid_ext_capture {
	struct vivid_ext_node node;
	struct vivid_ext_pattern pattern;
	struct vivid_ext_controls controls;
	struct vivid_ext_media media;
	struct vivid_ext_screen *screen;
	u64 looped;
	enum vivid_ext_loop loop;
};

int vivid_ext_capture_register(struct vivid_ext_capture *cap,
			       struct vivid_ext_core *core,
			       struct vivid_ext_screen *screen);
void vivid_ext_capture_unregister(struct vivid_ext_capture *cap);
void vivid_ext_capture_free(struct vivid_ext_capture *cap);

#endif
