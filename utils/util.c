// SPDX-License-Identifier: GPL-2.0-only
/*
 * What every tool needs: messages, files of "name value" lines, modules.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util.h"

int complain(const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "%s: ", program_invocation_short_name);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	return -1;
}

int complain_errno(const char *fmt, ...)
{
	int error = errno;
	va_list args;

	fprintf(stderr, "%s: ", program_invocation_short_name);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fprintf(stderr, ": %s\n", strerror(error));
	return -1;
}

char *read_file(const char *path, size_t *size)
{
	size_t used = 0, room = 1 << 16;
	char *text = malloc(room + 1);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = -1;

	while (fd >= 0 && text) {
		char *more;

		n = read(fd, text + used, room - used);
		if (n <= 0)
			break;
		used += n;
		if (used < room)
			continue;
		room *= 2;
		more = realloc(text, room + 1);
		if (!more) {
			n = -1;
			break;
		}
		text = more;
	}
	if (fd >= 0)
		close(fd);
	if (n) {
		free(text);
		return NULL;
	}
	text[used] = 0;
	if (size)
		*size = used;
	return text;
}

long long number_of(const char *text, const char *name)
{
	size_t length = strlen(name);
	const char *line = text;

	while (line) {
		if (!strncmp(line, name, length) && line[length] == ' ')
			return strtoll(line + length, NULL, 10);
		line = strchr(line, '\n');
		if (line)
			line++;
	}
	return 0;
}

int load_module(const char *name)
{
	int status = 0;
	pid_t pid = fork();

	if (!pid) {
		execlp("modprobe", "modprobe", name, (char *)NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return complain_errno("cannot run modprobe");
	if (status)
		return complain("modprobe %s failed", name);
	return 0;
}
