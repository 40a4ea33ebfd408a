// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the modules say in debugfs about how frames travelled.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "evidence.h"
#include "util.h"

#define ALLOCATOR "/sys/kernel/debug/videobuf2-dmabuf/"
#define DISPLAY "/sys/kernel/debug/vivid-ext-display/"

static char *read_debugfs(const char *path)
{
	char *text = read_file(path, NULL);

	if (!text)
		complain_errno("cannot read %s", path);
	return text;
}

static void read_reasons(struct evidence *evidence, char *text)
{
	char *line, *rest = text;

	while ((line = strsep(&rest, "\n")) &&
	       evidence->num_reasons < EVIDENCE_MAX_REASONS) {
		unsigned int n = evidence->num_reasons;

		if (sscanf(line, "%31s %*d %lld", evidence->reasons[n].name,
			   &evidence->reasons[n].frames) == 2)
			evidence->num_reasons++;
	}
}

int evidence_read(struct evidence *evidence)
{
	char *allocator = read_debugfs(ALLOCATOR "stats");
	char *display = read_debugfs(DISPLAY "stats");
	char *reasons = read_debugfs(DISPLAY "fallback_reasons");
	int ret = allocator && display && reasons ? 0 : -1;

	memset(evidence, 0, sizeof(*evidence));
	if (!ret) {
		struct {
			long long *value;
			const char *name;
		} counters[] = {
			{ &evidence->frames_shown, "frames_shown" },
			{ &evidence->zero_copy_frames, "zero_copy_frames" },
			{ &evidence->fallback_frames, "fallback_frames" },
			{ &evidence->bytes_copied, "bytes_copied" },
			{ &evidence->stamps_read, "stamps_read" },
			{ &evidence->checksum_mismatches,
			  "checksum_mismatches" },
			{ &evidence->frames_overwritten,
			  "frames_overwritten" },
			{ &evidence->sequence_gaps, "sequence_gaps" },
			{ &evidence->underruns, "underruns" },
		};
		unsigned int i;

		for (i = 0; i < ARRAY_SIZE(counters); i++)
			*counters[i].value = number_of(display,
						       counters[i].name);
		evidence->cpu_touches =
			number_of(allocator, "begin_cpu_access") +
			number_of(allocator, "faults") +
			number_of(allocator, "vmaps");
		read_reasons(evidence, reasons);
	}
	free(allocator);
	free(display);
	free(reasons);
	return ret;
}

struct evidence evidence_between(const struct evidence *before,
				 const struct evidence *after)
{
	struct evidence delta = *after;
	unsigned int i, n = 0;

	delta.cpu_touches -= before->cpu_touches;
	delta.frames_shown -= before->frames_shown;
	delta.zero_copy_frames -= before->zero_copy_frames;
	delta.fallback_frames -= before->fallback_frames;
	delta.bytes_copied -= before->bytes_copied;
	delta.stamps_read -= before->stamps_read;
	delta.checksum_mismatches -= before->checksum_mismatches;
	delta.frames_overwritten -= before->frames_overwritten;
	delta.sequence_gaps -= before->sequence_gaps;
	delta.underruns -= before->underruns;
	/* The module only adds to its list, so places stay. */
	for (i = 0; i < after->num_reasons; i++) {
		delta.reasons[n] = after->reasons[i];
		if (i < before->num_reasons)
			delta.reasons[n].frames -= before->reasons[i].frames;
		if (delta.reasons[n].frames)
			n++;
	}
	delta.num_reasons = n;
	return delta;
}

/* The runs of pages of the block that a line with this inode begins. */
static const char *pages_of(const char *text, ino_t inode, size_t *length)
{
	char key[40];
	const char *at, *end;

	snprintf(key, sizeof(key), " inode=%llu ", (unsigned long long)inode);
	at = strstr(text, key);
	at = at ? strchr(at, '\n') : NULL;
	if (!at || strncmp(at + 1, "pages: ", 7))
		return NULL;
	at += 8;
	end = strchr(at, '\n');
	*length = end ? (size_t)(end - at) : strlen(at);
	return at;
}

bool evidence_same_pages(ino_t inode)
{
	char *exporter = read_debugfs(ALLOCATOR "buffers");
	char *importer = read_debugfs(DISPLAY "framebuffers");
	bool same = false;

	if (exporter && importer) {
		size_t length, reached_length;
		const char *pages = pages_of(exporter, inode, &length);
		const char *reached = pages_of(importer, inode,
					       &reached_length);

		same = pages && reached && length == reached_length &&
		       !memcmp(pages, reached, length);
	}
	free(exporter);
	free(importer);
	return same;
}

char *evidence_snapshot(size_t *size)
{
	char *ppm = read_file(DISPLAY "snapshot", size);

	if (!ppm)
		complain_errno("cannot read " DISPLAY "snapshot");
	return ppm;
}
