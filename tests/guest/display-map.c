// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mapping what the display has imported. Whatever the way to it, and whatever
 * became of the handles, it is the mapping that the dma-buf itself gives: of
 * the same file, with the same rights, and as long as anybody has it.
 *
 * The modules are loaded by display.test; the second camera has vb2-dma-sg.
 */
#define _GNU_SOURCE
#include "exporter.h"
#include "testlib.h"

#include <drm_fourcc.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

#define CARD "vivid-ext-display"
#define UNBIND "/sys/bus/platform/drivers/" CARD "/unbind"
#define BIND "/sys/bus/platform/drivers/" CARD "/bind"
/* A picture that each source's buffer has room for. */
#define WIDTH 640
#define HEIGHT 64
#define MAX_WAYS 16

/* Who exports; the file descriptor, or a negative errno as in exporter.h. */
struct source {
	int (*get)(unsigned int mode);
};

/* The ways to the same bytes; the first is the dma-buf's own. */
static struct way {
	const char *name;
	unsigned char *map;
} ways[MAX_WAYS];

static unsigned int num_ways;
static int card, dmabuf;
static size_t length;

static int plane_of(struct node *n, unsigned int mode)
{
	alloc_buffers(n, 1);
	return node_expbuf(n, 0, 0, mode | O_CLOEXEC);
}

static int get_camera(unsigned int mode)
{
	return plane_of(&dev[0], mode);
}

static int get_dma_sg(unsigned int mode)
{
	return plane_of(&dev[1], mode);
}

static int get_vgem(unsigned int mode)
{
	size_t size = WIDTH * HEIGHT * 4;

	if (mode == O_WRONLY)
		return -ENOENT;
	return mode == O_RDONLY ? read_only_vgem_buffer(size) :
				  vgem_buffer(size);
}

static int get_heap(unsigned int mode)
{
	return system_heap_buffer_of_mode(WIDTH * HEIGHT * 4, mode);
}

static int get_udmabuf(unsigned int mode)
{
	return mode == O_RDWR ? udmabuf(WIDTH * HEIGHT * 4) : -ENOENT;
}

static const struct source camera = { get_camera }, dma_sg = { get_dma_sg },
	vgem = { get_vgem }, heap = { get_heap }, memory = { get_udmabuf };

static int open_card(void **state)
{
	num_ways = 0;
	card = drmOpen(CARD, NULL);
	return card < 0 ? card : open_nodes(state);
}

/* Sets dmabuf and its length. */
static int get(const struct source *source, unsigned int mode)
{
	dmabuf = source->get(mode);
	if (dmabuf < 0)
		return dmabuf;
	length = must(lseek(dmabuf, 0, SEEK_END));
	assert_true(length >= WIDTH * HEIGHT * 4);
	return 0;
}

static void require(const struct source *source)
{
	int ret = get(source, O_RDWR);

	if (ret == -ENOENT)
		skip_because("this kernel has no such exporter");
	must(ret);
}

static uint32_t import(int file, int fd)
{
	uint32_t handle;

	must(drmPrimeFDToHandle(file, fd, &handle) ? -errno : 0);
	return handle;
}

static off_t map_offset(int file, uint32_t handle)
{
	struct drm_mode_map_dumb map = { .handle = handle };

	must(ioctl(file, DRM_IOCTL_MODE_MAP_DUMB, &map) ? -errno : 0);
	return map.offset;
}

static void add_way(const char *name, int fd, off_t offset)
{
	assert_true(num_ways < MAX_WAYS);
	ways[num_ways++] = (struct way){
		name, must_map(map_fd(fd, length, PROT_READ | PROT_WRITE,
				      MAP_SHARED, offset)),
	};
}

/* By the card's file, and by a dma-buf that the card gives for the handle. */
static void add_ways_of(const char *name, int file, uint32_t handle)
{
	int fd;

	must(drmPrimeHandleToFD(file, handle, DRM_RDWR | DRM_CLOEXEC, &fd) ?
	     -errno : 0);
	if (dmabuf_inode(fd) != dmabuf_inode(dmabuf))
		fail_msg("%s: exported as another dma-buf", name);
	add_way(name, file, map_offset(file, handle));
	add_way(name, fd, 0);
	close(fd);
}

static void close_handle(uint32_t handle)
{
	struct drm_gem_close gem = { .handle = handle };

	must(ioctl(card, DRM_IOCTL_GEM_CLOSE, &gem) ? -errno : 0);
}

/* A new handle of what a framebuffer keeps. */
static uint32_t handle_of_fb(uint32_t fb)
{
	struct drm_mode_fb_cmd cmd = { .fb_id = fb };

	must(ioctl(card, DRM_IOCTL_MODE_GETFB, &cmd) ? -errno : 0);
	assert_int_not_equal(cmd.handle, 0);
	return cmd.handle;
}

static void add_all_ways(void)
{
	uint32_t handle = import(card, dmabuf), handles[4] = { handle };
	uint32_t strides[4] = { WIDTH * 4 }, offsets[4] = { 0 }, fb;
	int other = drmOpen(CARD, NULL);

	add_way("the dma-buf", dmabuf, 0);
	add_ways_of("the import", card, handle);
	must(drmModeAddFB2(card, WIDTH, HEIGHT, DRM_FORMAT_XRGB8888, handles,
			   strides, offsets, &fb, 0) ? -errno : 0);
	close_handle(handle);
	handle = handle_of_fb(fb);
	add_ways_of("after its handle was closed", card, handle);
	close_handle(handle);
	handle = handle_of_fb(fb);
	must(drmModeRmFB(card, fb) ? -errno : 0);
	add_ways_of("after its framebuffer was removed", card, handle);
	close_handle(handle);
	add_ways_of("imported again", card, import(card, dmabuf));
	add_ways_of("another process's", other, import(other, dmabuf));
	close(other);
}

/* What /proc/self/maps says of the mapping that begins at an address. */
struct backing {
	unsigned long long offset, inode;
};

static struct backing backing_of(const void *map)
{
	FILE *f = fopen("/proc/self/maps", "re");
	struct backing b;
	char line[512];
	void *start;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%p-%*p %*s %llx %*x:%*x %llu", &start,
			   &b.offset, &b.inode) == 3 && start == map) {
			fclose(f);
			return b;
		}
	}
	fclose(f);
	fail_msg("no mapping begins at %p", map);
	return b;
}

static void require_backing(const struct way *way, const void *map,
			    struct backing want)
{
	struct backing is = backing_of(map);

	if (is.inode != want.inode || is.offset != want.offset)
		fail_msg("%s: inode %llu at %#llx, not %llu at %#llx",
			 way->name, is.inode, is.offset, want.inode,
			 want.offset);
}

/* Moved, its pages stay the file's same pages. */
static void move_there_and_back(const struct way *way)
{
	struct backing want = backing_of(way->map);
	void *room = must_map(mmap(NULL, length, PROT_NONE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

	must_map(mremap(way->map, length, length,
			MREMAP_MAYMOVE | MREMAP_FIXED, room));
	require_backing(way, room, want);
	must_map(mremap(room, length, length, MREMAP_MAYMOVE | MREMAP_FIXED,
			way->map));
	require_backing(way, way->map, want);
}

/* What is written by one way, to its own place, is seen by all. */
static const char *unseen(unsigned char seed)
{
	unsigned int i, j;
	size_t at;

	for (i = 0; i < num_ways; i++) {
		at = i == 0 ? length - 1 : length / MAX_WAYS * i + i;
		ways[i].map[at] = seed + i;
		for (j = 0; j < num_ways; j++)
			if (ways[j].map[at] != (unsigned char)(seed + i))
				return ways[j].name;
	}
	return NULL;
}

static void require_seen(unsigned char seed)
{
	const char *name = unseen(seed);

	if (name)
		fail_msg("%s: not the same bytes", name);
}

/* A child has copies of the mappings, cuts them, and goes. */
static void require_seen_by_child(unsigned char seed)
{
	int status;
	pid_t child = fork();
	unsigned int i;

	if (!child) {
		if (unseen(seed))
			_exit(1);
		for (i = 0; i < num_ways; i++)
			if (munmap(ways[i].map + PAGE, PAGE) ||
			    ways[i].map[length - 1] != seed)
				_exit(2);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(ways[0].map[length - 1], seed);
}

/* The last reference may be dropped by a kernel worker. */
static void require_gone(uint64_t inode)
{
	const struct timespec tick = { .tv_nsec = 50 * 1000 * 1000 };
	static char text[1 << 20];
	char key[32];
	int i;

	snprintf(key, sizeof(key), "\t%08llu\t", (unsigned long long)inode);
	for (i = 0; i < 60; i++) {
		must(read_text("/sys/kernel/debug/dma_buf/bufinfo", text,
			       sizeof(text)));
		if (!strstr(text, key))
			return;
		nanosleep(&tick, NULL);
	}
	fail_msg("the dma-buf is still alive");
}

static void test_ways(void **state)
{
	unsigned int i;
	uint64_t inode;

	require(*state);
	inode = dmabuf_inode(dmabuf);
	add_all_ways();
	for (i = 0; i < num_ways; i++)
		require_backing(&ways[i], ways[i].map,
				backing_of(ways[0].map));
	require_seen(1);
	require_seen_by_child(51);
	for (i = 0; i < num_ways; i++)
		move_there_and_back(&ways[i]);
	require_seen(101);
	/* The mappings are all that keeps it. */
	close_all();
	require_seen(151);
	require_seen_by_child(201);
	unmap_all();
	require_gone(inode);
}

/* The card goes; what it has only passed on stays. */
static void test_unplugged(void **state)
{
	uint64_t inode;

	require(*state);
	inode = dmabuf_inode(dmabuf);
	add_all_ways();
	require_seen(1);
	must(write_text(UNBIND, CARD));
	require_seen(51);
	refuses_map(map_fd(card, length, PROT_READ, MAP_SHARED, 0), ENODEV);
	close(card);
	must(write_text(BIND, CARD));
	require_seen_by_child(101);
	close_all();
	require_seen(151);
	unmap_all();
	require_gone(inode);
}

static int mprotect_errno(void *map, int prot)
{
	return mprotect(map, length, prot) ? errno : 0;
}

/* A debugger's way in, which doesn't ask for the mapping's rights. */
static int poke_errno(void *map)
{
	int fd = must(open("/proc/self/mem", O_RDWR | O_CLOEXEC));
	char byte = 1;
	int ret = pwrite(fd, &byte, 1, (off_t)(uintptr_t)map) == 1 ? 0 : errno;

	close(fd);
	return ret;
}

static void compare_rights(const char *what, int prot, int by_dmabuf,
			   int by_card)
{
	if (by_dmabuf != by_card)
		fail_msg("%s, protection %d: %s by the dma-buf, %s by the card",
			 what, prot, strerror(by_dmabuf), strerror(by_card));
}

/* All that may be tried with a mapping: the dma-buf's, and the card's. */
static void compare_mappings(void *one, void *two, int prot)
{
	compare_rights("a poke", prot, poke_errno(one), poke_errno(two));
	compare_rights("mprotect to read", prot,
		       mprotect_errno(one, PROT_READ),
		       mprotect_errno(two, PROT_READ));
	compare_rights("mprotect to write", prot,
		       mprotect_errno(one, PROT_READ | PROT_WRITE),
		       mprotect_errno(two, PROT_READ | PROT_WRITE));
	/* A page's mapping is made anew, from its own file. */
	remap_file_pages(one, PAGE, 0, 1, 0);
	remap_file_pages(two, PAGE, 0, 1, 0);
	compare_rights("mprotect once more", prot,
		       mprotect_errno(one, PROT_READ | PROT_WRITE),
		       mprotect_errno(two, PROT_READ | PROT_WRITE));
}

static void compare_files(off_t offset, int prot, int flags)
{
	void *one, *two;
	int error;

	one = map_fd(dmabuf, length, prot, flags, 0);
	error = one == MAP_FAILED ? errno : 0;
	two = map_fd(card, length, prot, flags, offset);
	compare_rights(flags & MAP_SHARED ? "a shared mapping" :
		       "a private mapping", prot, error,
		       two == MAP_FAILED ? errno : 0);
	if (!error)
		compare_mappings(one, two, prot);
	unmap_all();
}

/* The card gives no right that the dma-buf doesn't give, and takes none. */
static void test_rights(void **state)
{
	static const int prots[] = {
		PROT_NONE, PROT_READ, PROT_WRITE, PROT_READ | PROT_WRITE,
	};
	static const unsigned int modes[] = { O_RDONLY, O_WRONLY, O_RDWR };
	unsigned int i, j, tried = 0;
	off_t offset;
	int ret;

	for (i = 0; i < 3; i++) {
		ret = get(*state, modes[i]);
		if (ret == -ENOENT)
			continue;
		must(ret);
		offset = map_offset(card, import(card, dmabuf));
		for (j = 0; j < 4; j++) {
			compare_files(offset, prots[j], MAP_SHARED);
			compare_files(offset, prots[j], MAP_PRIVATE);
		}
		close(dmabuf);
		tried++;
	}
	if (!tried)
		skip_because("this kernel has no such exporter");
}

/* The rights themselves, and not only that they agree. */
static void test_read_only(void **state)
{
	unsigned char *map;
	off_t offset;

	must(get(*state, O_RDONLY));
	offset = map_offset(card, import(card, dmabuf));
	refuses_map(map_fd(card, length, PROT_READ | PROT_WRITE, MAP_SHARED,
			   offset), EACCES);
	map = must_map(map_fd(card, length, PROT_READ, MAP_SHARED, offset));
	assert_int_equal(mprotect_errno(map, PROT_READ | PROT_WRITE), EACCES);
	assert_int_equal(mprotect_errno(map, PROT_READ), 0);
	assert_int_not_equal(poke_errno(map), 0);
	assert_int_equal(map[0], 0);
}

#define source_test(f, s) \
	{ #f " (" #s ")", f, open_card, close_nodes, (void *)&(s) }

int main(void)
{
	const struct CMUnitTest tests[] = {
		source_test(test_ways, camera),
		source_test(test_ways, dma_sg),
		source_test(test_ways, vgem),
		source_test(test_ways, heap),
		source_test(test_ways, memory),
		source_test(test_unplugged, camera),
		source_test(test_unplugged, vgem),
		source_test(test_rights, camera),
		source_test(test_rights, dma_sg),
		source_test(test_rights, vgem),
		source_test(test_rights, heap),
		source_test(test_rights, memory),
		source_test(test_read_only, camera),
		source_test(test_read_only, dma_sg),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
