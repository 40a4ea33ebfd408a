// SPDX-License-Identifier: GPL-2.0-only
/*
 * Is a frame what vivid-ext drew: is the stamp there, does its checksum agree?
 */
#include "frame.h"
#include "node.h"

#include <errno.h>
#include <linux/vivid-ext.h>
#include <stdio.h>
#include <xxhash.h>

struct pixels {
	const uint8_t *start;
	uint32_t stride;
};

/* Where a plane of pixels starts; NV12 has two in one plane of memory. */
static struct pixels pixels_of(const struct node *n, void *const *planes,
			       unsigned int p)
{
	if (!p || n->num_planes > 1)
		return (struct pixels){ planes[p], n->stride[p] };
	return (struct pixels){
		(const uint8_t *)planes[0] + (size_t)n->stride[0] * n->height,
		n->stride[0],
	};
}

static uint64_t checksum(const struct node *n, void *const *planes,
			 const struct vivid_ext_layout *layout)
{
	struct vivid_ext_span span;
	XXH64_state_t *state;
	struct pixels pixels;
	unsigned int p, line;
	uint64_t sum;

	state = XXH64_createState();
	XXH64_reset(state, 0);
	for (p = 0; p < layout->planes; p++) {
		pixels = pixels_of(n, planes, p);
		for (line = 0;
		     line < vivid_ext_plane_lines(layout, p, n->height);
		     line++) {
			span = vivid_ext_covered(layout, p, line, n->width);
			XXH64_update(state, pixels.start +
				     (size_t)line * pixels.stride + span.start,
				     span.length);
		}
	}
	sum = XXH64_digest(state);
	XXH64_freeState(state);
	return sum;
}

/*
 * Check a frame of the node's current format. Returns 0 and the sequence
 * number in the pixels, or -EBADMSG and in @why what is wrong.
 */
int frame_check(const struct node *n, void *const *planes, uint32_t *sequence,
		char *why, size_t size)
{
	const struct vivid_ext_layout *layout = vivid_ext_layout_of(n->fourcc);
	struct vivid_ext_stamp stamp;
	uint64_t sum;

	if (!layout) {
		snprintf(why, size, "format %.4s carries no stamp",
			 (const char *)&n->fourcc);
		return -EBADMSG;
	}
	if (!vivid_ext_stamp_get(layout, planes[0], n->stride[0], &stamp)) {
		snprintf(why, size, "no stamp: magic is %08x",
			 vivid_ext_stamp_row(layout, planes[0], n->stride[0],
					     0));
		return -EBADMSG;
	}
	*sequence = stamp.sequence;
	sum = checksum(n, planes, layout);
	if (sum != stamp.checksum) {
		snprintf(why, size,
			 "frame %u has checksum %016llx, its stamp says %016llx",
			 stamp.sequence, (unsigned long long)sum,
			 (unsigned long long)stamp.checksum);
		return -EBADMSG;
	}
	return 0;
}
