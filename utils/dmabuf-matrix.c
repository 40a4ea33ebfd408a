// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who sees what somebody else has written to a dma-buf? For each pair of a
 * writer and a reader, all of whom keep to the dma-buf rules, tells whether the
 * reader gets the new bytes. What differs is the exporter.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/dma-buf.h>
#include <linux/vivid-ext-importer.h>
#include <linux/vivid-ext.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xxhash.h>

#include "exporters.h"
#include "util.h"

/* Where the mapping that is not of the whole buffer begins. */
#define OFFSET (17 * 4096)

enum actor {
	OWN,
	DEVICE_A,
	DEVICE_B,
	CPU_NODE,
	CPU_DMABUF,
	KERNEL,
	ACTORS
};

static const char *const names[ACTORS] = {
	[OWN] = "own device",
	[DEVICE_A] = "importer A",
	[DEVICE_B] = "importer B",
	[CPU_NODE] = "CPU, V4L2 map",
	[CPU_DMABUF] = "CPU, dma-buf map",
	[KERNEL] = "kernel vmap",
};

enum result {
	RIGHT,
	STALE,
	MIXED,
	FAILED,
	NOT_THERE,
	RESULTS
};

static const char *const words[RESULTS] = {
	[RIGHT] = "right",
	[STALE] = "**stale**",
	[MIXED] = "**wrong**",
	[FAILED] = "error",
	[NOT_THERE] = "-",
};

/**
 * struct cell - one pair at work
 * @buffer: what they share
 * @importer: the device node of the importing devices
 * @node: the buffer as the video node maps it, or NULL
 * @dmabuf: its part from OFFSET on, as the dma-buf maps it
 * @old: its bytes before the writer
 * @new: its bytes after the writer, unless a camera wrote
 * @seen: what the reader saw
 */
struct cell {
	struct exported buffer;
	int importer;
	unsigned char *node;
	unsigned char *dmabuf;
	unsigned char *old;
	unsigned char *new;
	unsigned char *seen;
};

static bool sync_always, remap;
static unsigned int width = 640, height = 360;

static void fill(unsigned char *bytes, size_t size, unsigned int seed)
{
	size_t i;

	/* Each byte depends on its place, so that an offset can't be lost. */
	for (i = 0; i < size; i++)
		bytes[i] = seed + i + (i >> 8) * 7 + (i >> 16) * 13;
}

static int sync_dmabuf(int fd, __u64 flags)
{
	struct dma_buf_sync sync = { .flags = flags };

	if (ioctl(fd, DMA_BUF_IOCTL_SYNC, &sync))
		return complain_errno("DMA_BUF_IOCTL_SYNC");
	return 0;
}

/* The CPU copies through a mapping, between begin and end if it has to. */
static int cpu_copy(struct cell *cell, unsigned char *to,
		    const unsigned char *from, size_t size, bool write,
		    bool bracket)
{
	__u64 flags = write ? DMA_BUF_SYNC_RW : DMA_BUF_SYNC_READ;
	int fd = cell->buffer.fd;

	if (bracket && sync_dmabuf(fd, DMA_BUF_SYNC_START | flags))
		return -1;
	memcpy(to, from, size);
	if (bracket && sync_dmabuf(fd, DMA_BUF_SYNC_END | flags))
		return -1;
	return 0;
}

static int importer_io(struct cell *cell, unsigned long request, int device,
		       unsigned char *data)
{
	struct vivid_ext_importer_io io = {
		.data = (uintptr_t)data,
		.length = cell->buffer.size,
		.device = device,
	};

	if (ioctl(cell->importer, request, &io))
		return complain_errno("importer");
	return 0;
}

static int map_device(struct cell *cell, unsigned int device)
{
	struct vivid_ext_importer_map map = {
		.fd = cell->buffer.fd,
		.device = device,
		.dir = VIVID_EXT_IMPORTER_BOTH,
	};

	if (ioctl(cell->importer, VIVID_EXT_IMPORTER_MAP, &map))
		return complain_errno("importing");
	return 0;
}

static int unmap_device(struct cell *cell, __u32 device)
{
	if (ioctl(cell->importer, VIVID_EXT_IMPORTER_UNMAP, &device))
		return complain_errno("unmapping");
	return 0;
}

/* A device does its work, within a mapping of its own if so asked. */
static int device_io(struct cell *cell, unsigned long request,
		     unsigned int device, unsigned char *data)
{
	if (remap && map_device(cell, device))
		return -1;
	if (importer_io(cell, request, device, data))
		return -1;
	return remap ? unmap_device(cell, device) : 0;
}

static int act_write(struct cell *cell, enum actor writer)
{
	size_t size = cell->buffer.size;

	switch (writer) {
	case OWN:
		return exported_capture(&cell->buffer);
	case DEVICE_A:
	case DEVICE_B:
		return device_io(cell, VIVID_EXT_IMPORTER_DEV_WRITE,
				 writer - DEVICE_A, cell->new);
	case CPU_NODE:
		return cpu_copy(cell, cell->node, cell->new, size, true, true);
	case CPU_DMABUF:
		memcpy(cell->new, cell->old, OFFSET);
		return cpu_copy(cell, cell->dmabuf, cell->new + OFFSET,
				size - OFFSET, true, true);
	case KERNEL:
		return importer_io(cell, VIVID_EXT_IMPORTER_CPU_WRITE,
				   cell->buffer.fd, cell->new);
	default:
		return -1;
	}
}

/* After DQBUF a reader of the node's own mapping need not do anything. */
static int act_read(struct cell *cell, enum actor reader, enum actor writer)
{
	bool bracket = writer != OWN || sync_always;
	size_t size = cell->buffer.size;

	switch (reader) {
	case OWN:
		return exported_scan(&cell->buffer, cell->seen);
	case DEVICE_A:
	case DEVICE_B:
		return device_io(cell, VIVID_EXT_IMPORTER_DEV_READ,
				 reader - DEVICE_A, cell->seen);
	case CPU_NODE:
		return cpu_copy(cell, cell->seen, cell->node, size, false,
				bracket);
	case CPU_DMABUF:
		return cpu_copy(cell, cell->seen + OFFSET, cell->dmabuf,
				size - OFFSET, false, true);
	case KERNEL:
		return importer_io(cell, VIVID_EXT_IMPORTER_CPU_READ,
				   cell->buffer.fd, cell->seen);
	default:
		return -1;
	}
}

/* A camera's frame says itself whether it is whole. */
static bool stamp_agrees(const struct camera_format *format,
			 const unsigned char *frame)
{
	const struct vivid_ext_layout *layout =
		vivid_ext_layout_of(format->fourcc);
	XXH64_state_t *state = XXH64_createState();
	struct vivid_ext_stamp stamp;
	__u32 line;
	bool ret;

	XXH64_reset(state, 0);
	for (line = 0; line < format->height; line++) {
		struct vivid_ext_span span =
			vivid_ext_covered(layout, 0, line, format->width);

		XXH64_update(state, frame + line * format->stride[0] +
			     span.start, span.length);
	}
	ret = vivid_ext_stamp_get(layout, frame, format->stride[0], &stamp) &&
	      stamp.checksum == XXH64_digest(state);
	XXH64_freeState(state);
	return ret;
}

static enum result judge(struct cell *cell, enum actor writer,
			 enum actor reader)
{
	size_t from = reader == CPU_DMABUF ? OFFSET : 0;
	/* The picture may end within its last page, and no more is shown. */
	size_t to = reader == OWN ? cell->buffer.screen.frame :
				    cell->buffer.size;
	size_t size = to - from;

	if (!memcmp(cell->seen + from, cell->old + from, size))
		return STALE;
	if (writer != OWN)
		return memcmp(cell->seen + from, cell->new + from, size) ?
		       MIXED : RIGHT;
	/* The stamp lies before the offset: the whole is read by other means. */
	if (from) {
		memcpy(cell->new + from, cell->seen + from, size);
		if (act_read(cell, KERNEL, writer))
			return FAILED;
		if (memcmp(cell->new + from, cell->seen + from, size))
			return MIXED;
	}
	return stamp_agrees(&cell->buffer.camera.format, cell->seen) ? RIGHT :
								      MIXED;
}


/*
 * Both importers hold their mappings all the time, unless told otherwise. The
 * one that writes maps last: an exporter can't know more about a device that
 * tells nobody.
 */
static int prepare(struct cell *cell, enum actor writer, enum actor reader)
{
	unsigned int last = writer == DEVICE_A ? 0 : 1;

	if (!remap && (map_device(cell, !last) || map_device(cell, last)))
		return -1;
	if (cpu_copy(cell, cell->dmabuf, cell->old + OFFSET,
		     cell->buffer.size - OFFSET, true, true))
		return -1;
	if (importer_io(cell, VIVID_EXT_IMPORTER_CPU_WRITE, cell->buffer.fd,
			cell->old))
		return -1;
	/* Let caches and page tables hold what will be old. */
	return act_read(cell, reader, KERNEL);
}

static enum result run_prepared(struct cell *cell, enum actor writer,
				enum actor reader)
{
	size_t size = cell->buffer.size;

	cell->old = malloc(size);
	cell->new = malloc(size);
	cell->seen = calloc(1, size);
	if (!cell->old || !cell->new || !cell->seen)
		return FAILED;
	fill(cell->old, size, 0x11);
	fill(cell->new, size, 0x5c);
	if (prepare(cell, writer, reader) || act_write(cell, writer))
		return FAILED;
	memset(cell->seen, 0, size);
	if (act_read(cell, reader, writer))
		return FAILED;
	return judge(cell, writer, reader);
}

static enum result run_mapped(struct cell *cell, enum actor writer,
			      enum actor reader)
{
	size_t size = cell->buffer.size;
	enum result result = FAILED;

	cell->dmabuf = mmap(NULL, size - OFFSET, PROT_READ | PROT_WRITE,
			    MAP_SHARED, cell->buffer.fd, OFFSET);
	if (cell->dmabuf == MAP_FAILED) {
		complain_errno("mmap of the dma-buf");
		return FAILED;
	}
	if (cell->buffer.is_v4l2)
		cell->node = exported_map_node(&cell->buffer);
	if (!cell->buffer.is_v4l2 || cell->node)
		result = run_prepared(cell, writer, reader);
	if (cell->node)
		munmap(cell->node, size);
	munmap(cell->dmabuf, size - OFFSET);
	free(cell->seen);
	free(cell->new);
	free(cell->old);
	return result;
}

/* The own device has two sides; the others need not read what they wrote. */
static bool is_there(const struct cell *cell, enum actor writer,
		     enum actor reader)
{
	if (reader == OWN)
		return cell->buffer.screen.fd >= 0;
	if (writer == reader)
		return false;
	return cell->buffer.is_v4l2 ||
	       (writer != OWN && writer != CPU_NODE && reader != CPU_NODE);
}

static enum result run_cell(const char *exporter, enum actor writer,
			    enum actor reader)
{
	struct cell cell = { 0 };
	enum result result;

	cell.importer = open("/dev/vivid-ext-importer", O_RDWR | O_CLOEXEC);
	if (cell.importer < 0) {
		complain_errno("/dev/vivid-ext-importer");
		return FAILED;
	}
	if (exported_open(&cell.buffer, exporter, width, height)) {
		close(cell.importer);
		return FAILED;
	}
	result = is_there(&cell, writer, reader) ?
		 run_mapped(&cell, writer, reader) : NOT_THERE;
	close(cell.importer);
	exported_close(&cell.buffer);
	return result;
}

static void print_head(const char *title)
{
	enum actor reader;

	printf("\n%s\n\n| writer \\ reader |", title);
	for (reader = OWN; reader < ACTORS; reader++)
		printf(" %s |", names[reader]);
	printf("\n|---|");
	for (reader = OWN; reader < ACTORS; reader++)
		printf("---|");
	printf("\n");
}

/* The number of cells that are not right. */
static unsigned int run_matrix(const char *exporter, const char *title)
{
	unsigned int count[RESULTS] = { 0 };
	enum actor writer, reader;

	print_head(title);
	for (writer = OWN; writer < ACTORS; writer++) {
		printf("| %s |", names[writer]);
		for (reader = OWN; reader < ACTORS; reader++) {
			enum result result = run_cell(exporter, writer, reader);

			count[result]++;
			printf(" %s |", words[result]);
			fflush(stdout);
		}
		printf("\n");
	}
	printf("\n%u right, %u stale, %u wrong, %u errors\n", count[RIGHT],
	       count[STALE], count[MIXED], count[FAILED]);
	return count[STALE] + count[MIXED] + count[FAILED] + !count[RIGHT];
}

/* There must be more in the frame than what comes before OFFSET. */
static bool parse_size(const char *arg)
{
	char end;

	if (sscanf(arg, "%ux%u%c", &width, &height, &end) == 2 &&
	    width <= 4096 && height <= 4096 && width * height * 4 > OFFSET)
		return true;
	complain("\"%s\" is no size, or less than %u bytes", arg, OFFSET);
	return false;
}

static void usage(FILE *to)
{
	fprintf(to, "usage: dmabuf-matrix [OPTION]... EXPORTER...\n"
		"Tells which readers see what which writers wrote to a dma-buf.\n"
		"EXPORTER is a video node, \"udmabuf\" or a path below /dev/dma_heap.\n"
		"  -t, --title TEXT   over the table (default: the exporter)\n"
		"  -S, --size WxH     the frame's size (default: 640x360)\n"
		"  -r, --remap        importers map for each access, and don't hold it\n"
		"  -s, --sync-always  DMA_BUF_IOCTL_SYNC also after DQBUF\n"
		"  -h, --help\n"
		"The module vivid-ext-importer must be loaded; its parameters make the bus.\n"
		"Exit status 1 if some reader does not see what was written.\n");
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "title", required_argument, NULL, 't' },
		{ "size", required_argument, NULL, 'S' },
		{ "remap", no_argument, NULL, 'r' },
		{ "sync-always", no_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 }
	};
	const char *title = NULL;
	unsigned int bad = 0;
	int c;

	while ((c = getopt_long(argc, argv, "t:S:rsh", options, NULL)) != -1) {
		switch (c) {
		case 't':
			title = optarg;
			break;
		case 'S':
			if (!parse_size(optarg))
				return 2;
			break;
		case 'r':
			remap = true;
			break;
		case 's':
			sync_always = true;
			break;
		case 'h':
			usage(stdout);
			return 0;
		default:
			usage(stderr);
			return 2;
		}
	}
	if (optind == argc) {
		usage(stderr);
		return 2;
	}
	for (; optind < argc; optind++)
		bad += run_matrix(argv[optind], title ?: argv[optind]);
	return bad > 0;
}
