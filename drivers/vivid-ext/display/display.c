// SPDX-License-Identifier: GPL-2.0-only
/*
 * A display without hardware: the DRM device with one CRTC, one plane and one
 * connector that is always connected, on a platform device of its own. What it
 * shows is read by the engine in scanout.c.
 */
#include <drm/drm_atomic.h>
#include <drm/drm_atomic_helper.h>
#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_fourcc.h>
#include <drm/drm_framebuffer.h>
#include <drm/drm_gem.h>
#include <drm/drm_gem_atomic_helper.h>
#include <drm/drm_gem_framebuffer_helper.h>
#include <drm/drm_ioctl.h>
#include <drm/drm_managed.h>
#include <drm/drm_modeset_helper_vtables.h>
#include <drm/drm_prime.h>
#include <drm/drm_print.h>
#include <drm/drm_probe_helper.h>
#include <drm/drm_vblank.h>
#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/platform_device.h>

#include "bus/config.h"
#include "bus/params.h"
#include "display.h"

#define MAX_SIZE 8192
#define MAX_REFRESH 240

static unsigned int xres;
module_param(xres, uint, 0444);
MODULE_PARM_DESC(xres, "width of an additional, preferred mode");

static unsigned int yres;
module_param(yres, uint, 0444);
MODULE_PARM_DESC(yres, "height of an additional, preferred mode");

/* The plane. */

static const u32 formats[] = {
	DRM_FORMAT_XRGB8888,
	DRM_FORMAT_ARGB8888, /* alpha: what is behind is black */
	DRM_FORMAT_XBGR8888,
	DRM_FORMAT_YUYV,
	DRM_FORMAT_NV12,
};

/* The engine reads whole pixels, and whole groups that share their chroma. */
static bool is_aligned(const struct drm_plane_state *state)
{
	const struct drm_format_info *format = state->fb->format;
	const struct drm_rect *src = &state->src;

	return !((src->x1 | src->x2) & ((format->hsub << 16) - 1)) &&
	       !((src->y1 | src->y2) & ((format->vsub << 16) - 1));
}

static int plane_check(struct drm_plane *plane, struct vdb_atomic_state *commit)
{
	struct drm_plane_state *state =
		drm_atomic_get_new_plane_state(commit, plane);
	struct drm_crtc_state *crtc_state;
	int ret;

	if (!state->crtc)
		return 0;
	crtc_state = drm_atomic_get_crtc_state(commit, state->crtc);
	if (IS_ERR(crtc_state))
		return PTR_ERR(crtc_state);
	ret = drm_atomic_helper_check_plane_state(state, crtc_state,
						  DRM_PLANE_NO_SCALING,
						  DRM_PLANE_NO_SCALING,
						  true, true);
	if (ret || !state->visible)
		return ret;
	if (!is_aligned(state)) {
		drm_dbg_kms(plane->dev, "%p4cc cut at " DRM_RECT_FP_FMT "\n",
			    &state->fb->format->format,
			    DRM_RECT_FP_ARG(&state->src));
		return -EINVAL;
	}
	return 0;
}

static int plane_prepare_fb(struct drm_plane *plane,
			    struct drm_plane_state *state)
{
	struct drm_framebuffer *fb = state->fb;
	unsigned int i;
	int ret;

	for (i = 0; fb && i < fb->format->num_planes; i++) {
		ret = vivid_ext_bo_prepare(to_vivid_ext_bo(fb->obj[i]));
		if (ret)
			return ret;
	}
	return drm_gem_plane_helper_prepare_fb(plane, state);
}

/* The CRTC's flush hands the plane's state to the engine, with the event. */
static void plane_update(struct drm_plane *plane,
			 struct vdb_atomic_state *commit)
{
}

static const struct drm_plane_helper_funcs plane_helper_funcs = {
	.atomic_check = plane_check,
	.prepare_fb = plane_prepare_fb,
	.atomic_update = plane_update,
};

static const struct drm_plane_funcs plane_funcs = {
	.update_plane = drm_atomic_helper_update_plane,
	.disable_plane = drm_atomic_helper_disable_plane,
	.destroy = drm_plane_cleanup,
	.reset = drm_atomic_helper_plane_reset,
	.atomic_duplicate_state = drm_atomic_helper_plane_duplicate_state,
	.atomic_destroy_state = drm_atomic_helper_plane_destroy_state,
};

/* The CRTC. */

static struct vivid_ext_scanout *crtc_scanout(struct drm_crtc *crtc)
{
	return &to_vivid_ext_display(crtc->dev)->scanout;
}

static enum drm_mode_status crtc_mode_valid(struct drm_crtc *crtc,
					    const struct drm_display_mode *mode)
{
	int refresh = drm_mode_vrefresh(mode);

	if (mode->flags & DRM_MODE_FLAG_INTERLACE)
		return MODE_NO_INTERLACE;
	if (mode->flags & DRM_MODE_FLAG_DBLSCAN)
		return MODE_NO_DBLESCAN;
	if (refresh < 1 || refresh > MAX_REFRESH)
		return MODE_CLOCK_RANGE;
	return MODE_OK;
}

static void crtc_enable(struct drm_crtc *crtc, struct vdb_atomic_state *commit)
{
	vivid_ext_scanout_start(crtc_scanout(crtc));
}

static void crtc_disable(struct drm_crtc *crtc, struct vdb_atomic_state *commit)
{
	struct drm_pending_vblank_event *event = crtc->state->event;

	vivid_ext_scanout_stop(crtc_scanout(crtc));
	if (!event || crtc->state->active)
		return;
	crtc->state->event = NULL;
	spin_lock_irq(&crtc->dev->event_lock);
	drm_crtc_send_vblank_event(crtc, event);
	spin_unlock_irq(&crtc->dev->event_lock);
}

static void crtc_flush(struct drm_crtc *crtc, struct vdb_atomic_state *commit)
{
	struct drm_pending_vblank_event *event = crtc->state->event;
	struct drm_plane_state *state =
		drm_atomic_get_new_plane_state(commit, crtc->primary);

	crtc->state->event = NULL;
	vivid_ext_scanout_show(crtc_scanout(crtc), state, event);
}

static bool crtc_vblank_timestamp(struct drm_crtc *crtc, int *max_error,
				  ktime_t *time, bool in_vblank_irq)
{
	*max_error = 0;
	*time = vivid_ext_scanout_vblank_time(crtc_scanout(crtc));
	return true;
}

/* The engine's timer makes vblanks all the time that the CRTC is active. */
static int crtc_enable_vblank(struct drm_crtc *crtc)
{
	return 0;
}

static void crtc_disable_vblank(struct drm_crtc *crtc)
{
}

static const char * const crc_sources[] = { "auto" };

static const char *const *crtc_get_crc_sources(struct drm_crtc *crtc,
					       size_t *count)
{
	*count = ARRAY_SIZE(crc_sources);
	return crc_sources;
}

/* Two values: the upper and the lower half of the frame's XXH64. */
static int crtc_verify_crc_source(struct drm_crtc *crtc, const char *source,
				  size_t *values_cnt)
{
	if (source && strcmp(source, crc_sources[0])) {
		drm_dbg_kms(crtc->dev, "no CRC source \"%s\"\n", source);
		return -EINVAL;
	}
	*values_cnt = 2;
	return 0;
}

static int crtc_set_crc_source(struct drm_crtc *crtc, const char *source)
{
	size_t values_cnt;
	int ret = crtc_verify_crc_source(crtc, source, &values_cnt);

	if (!ret)
		vivid_ext_scanout_set_crc(crtc_scanout(crtc), source);
	return ret;
}

static const struct drm_crtc_helper_funcs crtc_helper_funcs = {
	.mode_valid = crtc_mode_valid,
	.atomic_enable = crtc_enable,
	.atomic_disable = crtc_disable,
	.atomic_flush = crtc_flush,
};

static const struct drm_crtc_funcs crtc_funcs = {
	.set_config = drm_atomic_helper_set_config,
	.page_flip = drm_atomic_helper_page_flip,
	.destroy = drm_crtc_cleanup,
	.reset = drm_atomic_helper_crtc_reset,
	.atomic_duplicate_state = drm_atomic_helper_crtc_duplicate_state,
	.atomic_destroy_state = drm_atomic_helper_crtc_destroy_state,
	.enable_vblank = crtc_enable_vblank,
	.disable_vblank = crtc_disable_vblank,
	.get_vblank_timestamp = crtc_vblank_timestamp,
	.get_crc_sources = crtc_get_crc_sources,
	.verify_crc_source = crtc_verify_crc_source,
	.set_crc_source = crtc_set_crc_source,
};

/* The connector. */

/* Exact refresh rates: width x height x rate gives a whole number of kHz. */
static const struct {
	u16 width, height, total_width, total_height;
} timings[] = {
	{ 1280, 720, 1650, 750 },
	{ 640, 480, 800, 525 },
	{ 800, 600, 1000, 625 },
	{ 1920, 1080, 2200, 1125 },
	{ 3840, 2160, 4400, 2250 },
};

static const unsigned int rates[] = { 60, 30 };

static void add_mode(struct drm_connector *connector, unsigned int width,
		     unsigned int height, unsigned int total_width,
		     unsigned int total_height, unsigned int rate,
		     bool preferred)
{
	struct drm_display_mode *mode = drm_mode_create(connector->dev);

	if (!mode)
		return;
	mode->type = DRM_MODE_TYPE_DRIVER;
	if (preferred)
		mode->type |= DRM_MODE_TYPE_PREFERRED;
	mode->clock = DIV_ROUND_CLOSEST(total_width * total_height * rate,
					1000);
	mode->hdisplay = width;
	mode->hsync_start = width + (total_width - width) / 4;
	mode->hsync_end = width + (total_width - width) / 2;
	mode->htotal = total_width;
	mode->vdisplay = height;
	mode->vsync_start = height + 4;
	mode->vsync_end = height + 9;
	mode->vtotal = total_height;
	mode->flags = DRM_MODE_FLAG_PHSYNC | DRM_MODE_FLAG_PVSYNC;
	drm_mode_set_name(mode);
	drm_mode_probed_add(connector, mode);
}

static int connector_get_modes(struct drm_connector *connector)
{
	bool extra = xres && yres && xres <= MAX_SIZE && yres <= MAX_SIZE;
	unsigned int i, j, n = 0;

	for (j = 0; j < ARRAY_SIZE(rates); j++) {
		if (extra)
			add_mode(connector, xres, yres, xres + 160, yres + 30,
				 rates[j], !j);
		n += extra;
		for (i = 0; i < ARRAY_SIZE(timings); i++, n++)
			add_mode(connector, timings[i].width, timings[i].height,
				 timings[i].total_width,
				 timings[i].total_height, rates[j],
				 !extra && !i && !j);
	}
	return n;
}

static const struct drm_connector_helper_funcs connector_helper_funcs = {
	.get_modes = connector_get_modes,
};

static const struct drm_connector_funcs connector_funcs = {
	.fill_modes = drm_helper_probe_single_connector_modes,
	.destroy = drm_connector_cleanup,
	.reset = drm_atomic_helper_connector_reset,
	.atomic_duplicate_state = drm_atomic_helper_connector_duplicate_state,
	.atomic_destroy_state = drm_atomic_helper_connector_destroy_state,
};

static const struct drm_encoder_funcs encoder_funcs = {
	.destroy = drm_encoder_cleanup,
};

/* The card. */

/*
 * The flip event tells that the engine has done with the replaced framebuffer;
 * the vblank alone doesn't, after an underrun. So wait for that.
 */
static void commit_tail(struct vdb_atomic_state *commit)
{
	struct drm_device *drm = commit->dev;

	drm_atomic_helper_commit_modeset_disables(drm, commit);
	drm_atomic_helper_commit_modeset_enables(drm, commit);
	drm_atomic_helper_commit_planes(drm, commit,
					DRM_PLANE_COMMIT_ACTIVE_ONLY);
	drm_atomic_helper_commit_hw_done(commit);
	drm_atomic_helper_wait_for_flip_done(drm, commit);
	drm_atomic_helper_cleanup_planes(drm, commit);
}

static const struct drm_mode_config_helper_funcs mode_config_helper_funcs = {
	.atomic_commit_tail = commit_tail,
};

static const struct drm_mode_config_funcs mode_config_funcs = {
	.fb_create = drm_gem_fb_create,
	.atomic_check = drm_atomic_helper_check,
	.atomic_commit = drm_atomic_helper_commit,
};

/* DRM's own, but for mmap. */
static const struct file_operations display_fops = {
	.owner = THIS_MODULE,
	.open = drm_open,
	.release = drm_release,
	.unlocked_ioctl = drm_ioctl,
	.compat_ioctl = drm_compat_ioctl,
	.poll = drm_poll,
	.read = drm_read,
	.llseek = noop_llseek,
	.mmap = vivid_ext_bo_mmap,
	VDB_DRM_FOPS_FIELDS
};

static const struct drm_driver display_driver = {
	.driver_features = DRIVER_GEM | DRIVER_MODESET | DRIVER_ATOMIC,
	.fops = &display_fops,
	.name = VIVID_EXT_DISPLAY_NAME,
	.desc = "Virtual display that scans out by DMA address",
	.major = 1,
	.gem_create_object = vivid_ext_bo_create_dumb,
	.gem_prime_import = vivid_ext_bo_import,
	.dumb_create = drm_gem_shmem_dumb_create,
	.dumb_map_offset = vivid_ext_bo_map_offset,
	VDB_DRM_DRIVER_FIELDS
};

static int init_pipeline(struct vivid_ext_display *display)
{
	struct drm_device *drm = &display->card.drm;
	int ret;

	ret = drm_universal_plane_init(drm, &display->plane, 1, &plane_funcs,
				       formats, ARRAY_SIZE(formats), NULL,
				       DRM_PLANE_TYPE_PRIMARY, NULL);
	if (ret)
		return ret;
	drm_plane_helper_add(&display->plane, &plane_helper_funcs);

	ret = drm_crtc_init_with_planes(drm, &display->crtc, &display->plane,
					NULL, &crtc_funcs, NULL);
	if (ret)
		return ret;
	drm_crtc_helper_add(&display->crtc, &crtc_helper_funcs);

	ret = drm_encoder_init(drm, &display->encoder, &encoder_funcs,
			       DRM_MODE_ENCODER_VIRTUAL, NULL);
	if (ret)
		return ret;
	display->encoder.possible_crtcs = drm_crtc_mask(&display->crtc);

	ret = drm_connector_init(drm, &display->connector, &connector_funcs,
				 DRM_MODE_CONNECTOR_VIRTUAL);
	if (ret)
		return ret;
	drm_connector_helper_add(&display->connector, &connector_helper_funcs);
	return drm_connector_attach_encoder(&display->connector,
					    &display->encoder);
}

static int init_mode_config(struct vivid_ext_display *display)
{
	struct drm_device *drm = &display->card.drm;
	int ret = drmm_mode_config_init(drm);

	if (ret)
		return ret;
	drm->mode_config.min_width = 1;
	drm->mode_config.min_height = 1;
	drm->mode_config.max_width = MAX_SIZE;
	drm->mode_config.max_height = MAX_SIZE;
	drm->mode_config.preferred_depth = 24;
	drm->mode_config.funcs = &mode_config_funcs;
	drm->mode_config.helper_private = &mode_config_helper_funcs;
	return 0;
}

static void fini_scanout(struct drm_device *drm, void *scanout)
{
	vivid_ext_scanout_fini(scanout);
}

/* Whether the device must stay on its bus; under the card's lock. */
static bool display_busy(void *data)
{
	struct vivid_ext_display *display = data;

	return display->card.dma_users;
}

static int display_probe(struct platform_device *pdev)
{
	struct vivid_ext_bus_owner owner = { .busy = display_busy };
	struct vivid_ext_display *display;
	struct device *dev = &pdev->dev;
	int ret;

	display = devm_drm_dev_alloc(dev, &display_driver,
				     struct vivid_ext_display, card.drm);
	if (IS_ERR(display))
		return PTR_ERR(display);
	mutex_init(&display->card.lock);
	INIT_LIST_HEAD(&display->card.bos);
	owner.lock = &display->card.lock;
	owner.data = display;
	ret = vivid_ext_bus_setup(dev, &bus, &owner);
	if (ret)
		return ret;

	ret = vivid_ext_scanout_init(&display->scanout, &display->crtc,
				     dev_name(dev));
	if (ret)
		return ret;
	ret = drmm_add_action_or_reset(&display->card.drm, fini_scanout,
				       &display->scanout);
	if (ret)
		return ret;
	ret = init_mode_config(display);
	if (ret)
		return ret;
	ret = init_pipeline(display);
	if (ret)
		return ret;
	ret = drm_vblank_init(&display->card.drm, 1);
	if (ret)
		return ret;
	drm_mode_config_reset(&display->card.drm);

	ret = drm_dev_register(&display->card.drm, 0);
	if (ret)
		return ret;
	vivid_ext_display_debugfs_add(display);
	platform_set_drvdata(pdev, display);
	return 0;
}

/*
 * Files, framebuffers and exported buffers outlive this, unmapped. Not left to
 * devres: it would come when the device has left its bus.
 */
static void display_remove(struct platform_device *pdev)
{
	struct vivid_ext_display *display = platform_get_drvdata(pdev);

	drm_dev_unplug(&display->card.drm);
	drm_atomic_helper_shutdown(&display->card.drm);
	vivid_ext_display_debugfs_remove(display);
	vivid_ext_bo_release_all(&display->card);
}

static struct platform_driver display_platform_driver = {
	.probe = display_probe,
	VDB_PLATFORM_REMOVE(display_remove),
	.driver = {
		.name = VIVID_EXT_DISPLAY_NAME,
	},
};

static struct platform_device *display_device;

static int __init display_init(void)
{
	int ret = platform_driver_register(&display_platform_driver);

	if (ret)
		return ret;
	display_device = platform_device_register_simple(VIVID_EXT_DISPLAY_NAME,
							 PLATFORM_DEVID_NONE,
							 NULL, 0);
	if (IS_ERR(display_device)) {
		platform_driver_unregister(&display_platform_driver);
		return PTR_ERR(display_device);
	}
	return 0;
}
module_init(display_init);

static void __exit display_exit(void)
{
	platform_device_unregister(display_device);
	platform_driver_unregister(&display_platform_driver);
}
module_exit(display_exit);

MODULE_DESCRIPTION("Virtual display that scans out dma-bufs by DMA address");
MODULE_AUTHOR("The videobuf2-dmabuf authors");
MODULE_LICENSE("GPL");
VDB_IMPORT_NS_DMA_BUF;
