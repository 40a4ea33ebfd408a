/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every tool needs: messages, files of "name value" lines, modules.
 */
#ifndef UTIL_H
#define UTIL_H

#include <stddef.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Prints the program's name, the message and a newline; returns -1. */
int complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The same with the text of errno at the end. */
int complain_errno(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A whole file, with a 0 behind it, for free(); NULL and errno on failure. */
char *read_file(const char *path, size_t *size);

/* The number in a text's line "name number", 0 if there is no such line. */
long long number_of(const char *text, const char *name);

/* Loads a kernel module by modprobe; says so if it fails. */
int load_module(const char *name);

#endif
