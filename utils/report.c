// SPDX-License-Identifier: GPL-2.0-only
/*
 * The demo's result, as text and as JSON.
 */
#include <json-c/json.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"
#include "util.h"

static const char explanation[] =
"CPU touches are the allocator's begin_cpu_access, page faults and kernel\n"
"mappings. CPU time is what this process spent, in user space and in the\n"
"kernel; the camera's drawing and the display's reading stand for hardware,\n"
"run in kernel threads and are not in it.\n";

bool report_is_good(const struct report *report, bool allow_fallback)
{
	const struct evidence *e = &report->evidence;
	bool zero_copy = e->zero_copy_frames == report->frames &&
			 !e->bytes_copied && report->pages_identical;
	bool shown = e->zero_copy_frames + e->fallback_frames == report->frames;

	return report->frames == report->wanted &&
	       (zero_copy || (allow_fallback && shown)) &&
	       e->stamps_read == report->frames &&
	       !e->checksum_mismatches && !e->frames_overwritten &&
	       !report->errors;
}

void report_print(const struct report *report, FILE *file)
{
	const struct evidence *e = &report->evidence;
	unsigned int i;

	fprintf(file, "%s: %s to %s, %s\n\n", report->kernel, report->camera,
		report->card, report->format);
	fprintf(file, "  frames shown         %u of %u\n", report->frames,
		report->wanted);
	fprintf(file, "  zero-copy frames     %lld\n", e->zero_copy_frames);
	fprintf(file, "  fallback frames      %lld\n", e->fallback_frames);
	for (i = 0; i < e->num_reasons; i++)
		fprintf(file, "    because of         %s: %lld\n",
			e->reasons[i].name, e->reasons[i].frames);
	fprintf(file, "  bytes copied by CPU  %lld\n", e->bytes_copied);
	fprintf(file, "  CPU touches          %lld\n", e->cpu_touches);
	fprintf(file, "  stamps read          %lld\n", e->stamps_read);
	fprintf(file, "  checksum mismatches  %lld\n", e->checksum_mismatches);
	fprintf(file, "  overwritten on view  %lld\n", e->frames_overwritten);
	fprintf(file, "  pages identical      %s\n",
		report->pages_identical ? "yes" : "no");
	fprintf(file, "  dropped by camera    %u\n", report->dropped);
	fprintf(file, "  marked as wrong      %u\n", report->errors);
	fprintf(file, "  scan-out underruns   %lld\n", e->underruns);
	fprintf(file, "  frames per second    %.2f\n", report->fps);
	fprintf(file, "  CPU time per frame   %.0f us\n\n",
		report->cpu_us_per_frame);
	fputs(explanation, file);
}

static struct json_object *reasons_json(const struct evidence *evidence)
{
	struct json_object *list = json_object_new_array();
	unsigned int i;

	for (i = 0; i < evidence->num_reasons; i++) {
		struct json_object *reason = json_object_new_object();

		json_object_object_add(reason, "reason",
			json_object_new_string(evidence->reasons[i].name));
		json_object_object_add(reason, "frames",
			json_object_new_int64(evidence->reasons[i].frames));
		json_object_array_add(list, reason);
	}
	return list;
}

static void add_number(struct json_object *object, const char *key,
		       long long number)
{
	json_object_object_add(object, key, json_object_new_int64(number));
}

static struct json_object *to_json(const struct report *report)
{
	const struct evidence *e = &report->evidence;
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "kernel",
			       json_object_new_string(report->kernel));
	json_object_object_add(object, "format",
			       json_object_new_string(report->format));
	add_number(object, "frames", report->frames);
	add_number(object, "zero_copy_frames", e->zero_copy_frames);
	add_number(object, "fallback_frames", e->fallback_frames);
	json_object_object_add(object, "fallback_reasons", reasons_json(e));
	add_number(object, "bytes_copied", e->bytes_copied);
	add_number(object, "cpu_touches", e->cpu_touches);
	add_number(object, "stamps_read", e->stamps_read);
	add_number(object, "checksum_mismatches", e->checksum_mismatches);
	add_number(object, "frames_overwritten", e->frames_overwritten);
	json_object_object_add(object, "pages_identical",
			json_object_new_boolean(report->pages_identical));
	add_number(object, "dropped", report->dropped);
	add_number(object, "errors", report->errors);
	add_number(object, "underruns", e->underruns);
	json_object_object_add(object, "fps",
			       json_object_new_double(report->fps));
	json_object_object_add(object, "cpu_us_per_frame",
			json_object_new_double(report->cpu_us_per_frame));
	return object;
}

int report_write(const struct report *report, const char *dir)
{
	struct json_object *object;
	char path[PATH_MAX];
	FILE *file;
	int ret;

	snprintf(path, sizeof(path), "%s/report.txt", dir);
	file = fopen(path, "w");
	if (!file)
		return complain_errno("cannot write %s", path);
	report_print(report, file);
	if (fclose(file))
		return complain_errno("cannot write %s", path);

	snprintf(path, sizeof(path), "%s/report.json", dir);
	object = to_json(report);
	ret = json_object_to_file_ext(path, object, JSON_C_TO_STRING_PRETTY);
	json_object_put(object);
	return ret ? complain("cannot write %s", path) : 0;
}
