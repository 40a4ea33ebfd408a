/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What suites begin with that are about who has the newest bytes: a buffer, and
 * a device of each kind.
 */
#ifndef VDB_FIXTURE_H
#define VDB_FIXTURE_H

#include "kunit.h"

/* Three chunks, the last of them one page. */
#define CHUNKS 3
#define SIZE (2 * VDB_CHUNK_SIZE + PAGE_SIZE)

/**
 * struct vdb_fixture - what each test begins with
 * @buf: a buffer filled by the CPU with 0x11
 * @a: a non-coherent device
 * @b: another one, behind an IOMMU
 * @c: a coherent one
 */
struct vdb_fixture {
	struct vdb_buffer *buf;
	struct device *a;
	struct device *b;
	struct device *c;
};

int vdb_fixture_set_up(struct kunit *test);
void vdb_fixture_tear_down(struct kunit *test);

void vdb_cpu_fill(struct vdb_buffer *buf, unsigned int chunk, u8 value);
int vdb_cpu_sees(struct vdb_buffer *buf, unsigned int chunk);
int vdb_cpu_read(struct vdb_buffer *buf, unsigned int chunk);
void vdb_cpu_write(struct vdb_buffer *buf, unsigned int chunk, u8 value);

void vdb_map_tracked(struct kunit *test, struct vdb_kunit_device *d,
		     struct device *dev, enum dma_data_direction dir);
void vdb_map_silent(struct kunit *test, struct vdb_kunit_device *d,
		    struct device *dev, enum dma_data_direction dir);

#endif
