/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The converter, for programs that test it.
 */
#ifndef TESTS_CONVERTER_H
#define TESTS_CONVERTER_H

#include "testlib.h"

#define CONVERTER "vivid-ext-m2m"

/* Its two queues, of one file: pictures go in at old and come out at new. */
extern struct node old, new;

int open_converter(void **state);
int open_converters_media(void);
int queue_picture(struct v4l2_buffer *b);

/* How cmocka lists a test that wants the converter, and two nodes. */
#define converter_test(f) \
	cmocka_unit_test_setup_teardown(f, open_converter, close_nodes)

#endif
