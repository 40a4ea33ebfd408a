// SPDX-License-Identifier: GPL-2.0-only
/*
 * vivid-ext-demo: streams from the virtual camera to the virtual display
 * without a copy, and reports what the modules saw of it.
 *
 * A buffer is in one of four places: with the camera; filled, waiting in a
 * queue; committed, until its flip event; on the screen, until the next one's.
 * Then it goes back to the camera.
 */
#include <drm_fourcc.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "camera.h"
#include "card.h"
#include "evidence.h"
#include "picture.h"
#include "report.h"
#include "util.h"

#define TIMEOUT_MS 10000
#define NOBODY -1

struct options {
	const char *device;
	const char *card;
	const char *out;
	unsigned int width;
	unsigned int height;
	__u32 fourcc;
	unsigned int frames;
	unsigned int rate;
	unsigned int refresh;
	unsigned int buffers;
	bool allow_fallback;
};

/**
 * struct stream - frames on their way
 * @camera: where they come from
 * @card: where they go to
 * @fb: the framebuffer of each of the camera's buffers
 * @waiting: filled buffers, the oldest first
 * @num_waiting: how many
 * @committed: buffer whose flip event is to come, or NOBODY
 * @on_screen: buffer that is shown, or NOBODY
 * @started: a frame has been committed, so the mode is set
 * @last_sequence: number of the last frame from the camera
 * @first_flip: when the first frame came on the screen, microseconds
 * @last_flip: when the last one did
 * @report: what is counted on the way
 */
struct stream {
	struct camera camera;
	struct card card;
	__u32 fb[CAMERA_MAX_BUFFERS];
	unsigned int waiting[CAMERA_MAX_BUFFERS];
	unsigned int num_waiting;
	int committed;
	int on_screen;
	bool started;
	long long last_sequence;
	long long first_flip;
	long long last_flip;
	struct report *report;
};

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	(void)number;
	interrupted = 1;
}

/* Where a buffer's planes lie; several may share one dma-buf. */
static struct card_image image_of(const struct camera *camera,
				  unsigned int index)
{
	const struct camera_format *format = &camera->format;
	bool two = format->fourcc == V4L2_PIX_FMT_NV12 ||
		   format->fourcc == V4L2_PIX_FMT_NV12M;
	struct card_image image = {
		.fourcc = two ? DRM_FORMAT_NV12 : format->fourcc,
		.width = format->width,
		.height = format->height,
		.num_planes = two ? 2 : 1,
		.stride = { format->stride[0], format->stride[0] },
		.dmabuf = { camera->dmabuf[index][0],
			    camera->dmabuf[index][0] },
		.offset = { 0, format->stride[0] * format->height },
	};

	if (format->num_planes > 1) {
		image.dmabuf[1] = camera->dmabuf[index][1];
		image.stride[1] = format->stride[1];
		image.offset[1] = 0;
	}
	return image;
}

static int import_buffers(struct stream *stream)
{
	unsigned int i;

	for (i = 0; i < stream->camera.num_buffers; i++) {
		struct card_image image = image_of(&stream->camera, i);

		if (card_import(&stream->card, &image, &stream->fb[i]))
			return -1;
	}
	return 0;
}

static bool same_pages(const struct camera *camera)
{
	unsigned int i, p;

	for (i = 0; i < camera->num_buffers; i++)
		for (p = 0; p < camera->format.num_planes; p++) {
			struct stat st;

			if (fstat(camera->dmabuf[i][p], &st) ||
			    !evidence_same_pages(st.st_ino))
				return false;
		}
	return true;
}

static void show_progress(const struct stream *stream, bool end)
{
	const struct report *report = stream->report;
	bool terminal = isatty(STDERR_FILENO);
	double seconds = (stream->last_flip - stream->first_flip) / 1e6;

	if (!end && report->frames % (terminal ? 5 : 60))
		return;
	fprintf(stderr, "%s%4u of %u frames, %.1f fps, %u dropped%s",
		terminal ? "\r" : "", report->frames, report->wanted,
		seconds > 0 ? (report->frames - 1) / seconds : 0.0,
		report->dropped, terminal && !end ? "" : "\n");
}

static int take_frame(struct stream *stream)
{
	struct camera_frame frame;

	if (camera_dequeue(&stream->camera, &frame))
		return -1;
	if (stream->last_sequence >= 0)
		stream->report->dropped +=
			frame.sequence - stream->last_sequence - 1;
	stream->last_sequence = frame.sequence;
	stream->report->errors += frame.error;
	stream->waiting[stream->num_waiting++] = frame.index;
	return 0;
}

static int show_next(struct stream *stream)
{
	const struct camera_format *format = &stream->camera.format;
	unsigned int index = stream->waiting[0];

	if (card_show(&stream->card, stream->fb[index], format->width,
		      format->height, !stream->started))
		return -1;
	stream->started = true;
	stream->committed = index;
	stream->num_waiting--;
	memmove(stream->waiting, stream->waiting + 1,
		stream->num_waiting * sizeof(stream->waiting[0]));
	return 0;
}

/* The committed buffer is on the screen; the one before it is free again. */
static int finish_flip(struct stream *stream)
{
	int replaced = stream->on_screen;
	struct card_flip flip;

	if (card_read_event(&stream->card, &flip))
		return -1;
	if (!flip.happened)
		return 0;
	if (!stream->report->frames++)
		stream->first_flip = flip.microseconds;
	stream->last_flip = flip.microseconds;
	stream->on_screen = stream->committed;
	stream->committed = NOBODY;
	show_progress(stream, false);
	return replaced == NOBODY ? 0 :
		camera_queue(&stream->camera, replaced);
}

static int step(struct stream *stream)
{
	struct pollfd files[] = {
		{ .fd = stream->camera.fd, .events = POLLIN },
		{ .fd = stream->card.fd, .events = POLLIN },
	};
	int n = poll(files, ARRAY_SIZE(files), TIMEOUT_MS);

	if (n < 0)
		return errno == EINTR ? 0 : complain_errno("cannot wait");
	if (!n)
		return complain("nothing happened in %d seconds: %s",
				TIMEOUT_MS / 1000,
				stream->committed == NOBODY ?
				"the camera has no frame" :
				"the display sends no flip event");
	if (files[1].revents && finish_flip(stream))
		return -1;
	if (files[0].revents & POLLERR)
		return complain("the camera has stopped");
	if (files[0].revents && take_frame(stream))
		return -1;
	if (stream->num_waiting && stream->committed == NOBODY &&
	    stream->report->frames < stream->report->wanted)
		return show_next(stream);
	return 0;
}

static double cpu_us(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
	       usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

/* Streams, and leaves the last frame on the screen. */
static int run(struct stream *stream)
{
	struct report *report = stream->report;
	double cpu = cpu_us();

	if (camera_start(&stream->camera))
		return -1;
	while (report->frames < report->wanted && !interrupted)
		if (step(stream))
			return -1;
	show_progress(stream, true);
	cpu = cpu_us() - cpu;
	if (report->frames)
		report->cpu_us_per_frame = cpu / report->frames;
	if (stream->last_flip > stream->first_flip)
		report->fps = (report->frames - 1) * 1e6 /
			      (stream->last_flip - stream->first_flip);
	return 0;
}

static int write_picture(const char *dir)
{
	char path[PATH_MAX];
	size_t size;
	char *ppm = evidence_snapshot(&size);
	int ret;

	if (!ppm)
		return -1;
	snprintf(path, sizeof(path), "%s/display.png", dir);
	ret = picture_write_png(path, ppm, size);
	free(ppm);
	return ret;
}

static int set_up(struct stream *stream, const struct options *options)
{
	struct report *report = stream->report;

	if (camera_open(&stream->camera, options->device) ||
	    card_open(&stream->card, options->card) ||
	    camera_set_format(&stream->camera, options->fourcc,
			      options->width, options->height) ||
	    camera_set_rate(&stream->camera, options->rate) ||
	    card_set_mode(&stream->card, options->width, options->height,
			  options->refresh) ||
	    camera_create_buffers(&stream->camera, options->buffers) ||
	    import_buffers(stream))
		return -1;
	memcpy(report->camera, stream->camera.path, sizeof(report->camera));
	memcpy(report->card, stream->card.path, sizeof(report->card));
	snprintf(report->format, sizeof(report->format), "%ux%u %.4s",
		 options->width, options->height, (char *)&options->fourcc);
	return 0;
}

/*
 * The snapshot comes before the second look at the counters: it is taken at a
 * refresh after the last flip, so that frame has been read and counted too.
 */
static int demonstrate(struct stream *stream, const struct options *options)
{
	struct report *report = stream->report;
	struct evidence before, after;

	if (set_up(stream, options) || evidence_read(&before) || run(stream) ||
	    write_picture(options->out) || evidence_read(&after))
		return -1;
	report->evidence = evidence_between(&before, &after);
	report->pages_identical = same_pages(&stream->camera);
	return report_write(report, options->out);
}

static void usage(FILE *file)
{
	fprintf(file,
"Usage: %s [OPTION]...\n"
"Stream from the virtual camera to the virtual display without a copy, and\n"
"report what the kernel modules saw of it.\n\n"
"  -o, --out DIR         where display.png, report.txt and report.json go\n"
"                        (default: .)\n"
"  -n, --frames N        how many frames (default: 300)\n"
"  -d, --device NODE     capture node (default: the first one of vivid-ext)\n"
"  -c, --card CARD       card (default: the first one of vivid-ext-display)\n"
"  -s, --size WxH        of frames and mode (default: 1280x720)\n"
"  -f, --format CODE     XR24, XB24, YUYV, NV12 or NM12 (default: XR24)\n"
"  -r, --rate N          frames per second of the camera (default: 30)\n"
"  -R, --refresh N       refresh rate of the display (default: 60)\n"
"  -b, --buffers N       how many buffers (default: 8)\n"
"      --allow-fallback  succeed although the CPU copied frames\n"
"  -h, --help            print this\n\n"
"The exit status is 0 if all frames came without a copy and unchanged, 1 if\n"
"not, 2 if it could not be tried.\n", program_invocation_short_name);
}

static int parse_size(struct options *options, const char *text)
{
	char end;

	return sscanf(text, "%ux%u%c", &options->width, &options->height,
		      &end) == 2 ? 0 : complain("no size: %s", text);
}

static int parse_format(struct options *options, const char *text)
{
	if (strlen(text) != 4)
		return complain("no format: %s", text);
	options->fourcc = v4l2_fourcc(text[0], text[1], text[2], text[3]);
	return 0;
}

static int parse_number(unsigned int *number, const char *text)
{
	char end;

	return sscanf(text, "%u%c", number, &end) == 1 && *number ? 0 :
		complain("no number above 0: %s", text);
}

/* One option, as getopt_long() returns it. */
static int parse_option(struct options *options, int c)
{
	switch (c) {
	case 'o':
		options->out = optarg;
		return 0;
	case 'n':
		return parse_number(&options->frames, optarg);
	case 'd':
		options->device = optarg;
		return 0;
	case 'c':
		options->card = optarg;
		return 0;
	case 's':
		return parse_size(options, optarg);
	case 'f':
		return parse_format(options, optarg);
	case 'r':
		return parse_number(&options->rate, optarg);
	case 'R':
		return parse_number(&options->refresh, optarg);
	case 'b':
		return parse_number(&options->buffers, optarg);
	case 'a':
		options->allow_fallback = true;
		return 0;
	case 'h':
		usage(stdout);
		exit(0);
	default:
		usage(stderr);
		return -1;
	}
}

static int parse_options(struct options *options, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "out", required_argument, NULL, 'o' },
		{ "frames", required_argument, NULL, 'n' },
		{ "device", required_argument, NULL, 'd' },
		{ "card", required_argument, NULL, 'c' },
		{ "size", required_argument, NULL, 's' },
		{ "format", required_argument, NULL, 'f' },
		{ "rate", required_argument, NULL, 'r' },
		{ "refresh", required_argument, NULL, 'R' },
		{ "buffers", required_argument, NULL, 'b' },
		{ "allow-fallback", no_argument, NULL, 'a' },
		{ "help", no_argument, NULL, 'h' },
		{}
	};
	int c, ret = 0;

	while (!ret && (c = getopt_long(argc, argv, "o:n:d:c:s:f:r:R:b:h",
					longs, NULL)) >= 0)
		ret = parse_option(options, c);
	if (!ret && optind < argc)
		ret = complain("what is %s?", argv[optind]);
	return ret;
}

int main(int argc, char **argv)
{
	struct options options = {
		.out = ".",
		.width = 1280,
		.height = 720,
		.fourcc = V4L2_PIX_FMT_XBGR32,
		.frames = 300,
		.rate = 30,
		.refresh = 60,
		.buffers = 8,
	};
	struct sigaction action = { .sa_handler = on_signal };
	struct report report = {};
	struct stream stream = {
		.camera.fd = -1,
		.card.fd = -1,
		.committed = NOBODY,
		.on_screen = NOBODY,
		.last_sequence = -1,
		.report = &report,
	};
	struct utsname name;
	int ret;

	if (parse_options(&options, argc, argv))
		return 2;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	uname(&name);
	snprintf(report.kernel, sizeof(report.kernel), "%s", name.release);
	report.wanted = options.frames;

	ret = demonstrate(&stream, &options);
	if (!ret)
		report_print(&report, stdout);
	camera_close(&stream.camera);
	card_close(&stream.card);
	if (ret)
		return 2;
	return report_is_good(&report, options.allow_fallback) ? 0 : 1;
}
