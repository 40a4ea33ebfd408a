/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the allocator's KUnit suites share: devices on the simulated bus, and
 * engines that read and write as such devices do.
 */
#ifndef VDB_KUNIT_H
#define VDB_KUNIT_H

#include <kunit/test.h>
#include <linux/dma-buf.h>

#include "internal.h"

/* How a device's bus is. */
enum vdb_kunit_bus {
	VDB_KUNIT_REAL,
	VDB_KUNIT_NONCOHERENT,
	VDB_KUNIT_NONCOHERENT_IOMMU,
};

/**
 * struct vdb_kunit_device - a device that uses a buffer
 * @dev: the device
 * @att: its attachment
 * @own: our side of @att
 * @sgt: the buffer as it is mapped, or NULL
 */
struct vdb_kunit_device {
	struct device *dev;
	struct dma_buf_attachment *att;
	struct vdb_attachment *own;
	struct sg_table *sgt;
};

struct device *vdb_kunit_add_device(struct kunit *test, const char *name,
				    enum vdb_kunit_bus bus);
int vdb_kunit_map_as(struct vdb_kunit_device *d, struct vdb_buffer *buf,
		     struct device *dev, enum dma_data_direction dir,
		     bool tracked);
int vdb_kunit_map(struct vdb_kunit_device *d, struct vdb_buffer *buf,
		  struct device *dev, enum dma_data_direction dir);
void vdb_kunit_unmap(struct vdb_kunit_device *d, enum dma_data_direction dir);
void vdb_kunit_write_part(struct kunit *test, struct vdb_kunit_device *d,
			  size_t offset, size_t len, u8 value);
void vdb_kunit_write(struct kunit *test, struct vdb_kunit_device *d, u8 value);
void vdb_kunit_frame(struct kunit *test, struct vdb_kunit_device *d, u8 value);
int vdb_kunit_read_byte(struct kunit *test, struct vdb_kunit_device *d,
			size_t offset);
int vdb_kunit_read(struct kunit *test, struct vdb_kunit_device *d,
		   unsigned int chunk);
struct dma_buf *vdb_kunit_narrow_buffer(struct kunit *test, size_t size);
void vdb_kunit_queue(struct vdb_kunit_device *d, bool writes);
void vdb_kunit_end_mm(void);
void vdb_kunit_listen(struct kunit *test, const char *text);
void vdb_kunit_listen_refusals(struct kunit *test, const char *text);
unsigned int vdb_kunit_heard(void);
void vdb_kunit_stats(struct kunit *test, const char *what, const s64 *wanted);

/* In the place of @wanted: which counts have risen by how much. */
#define VDB_KUNIT_STATS(...) ((const s64[VDB_STATS]) { __VA_ARGS__ })

#endif
