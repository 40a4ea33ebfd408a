/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Is a frame what vivid-ext drew: is the stamp there, does its checksum agree?
 */
#ifndef TESTS_FRAME_H
#define TESTS_FRAME_H

#include <stddef.h>
#include <stdint.h>

struct node;

int frame_check(const struct node *n, void *const *planes, uint32_t *sequence,
		char *why, size_t size);

#endif
