// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of how a device's bus is asked for: by its driver and by the files in
 * bus/, at the limits of each number, and what is shown of it.
 */
#include <kunit/device.h>
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/dma-map-ops.h>
#include <linux/kernfs.h>
#include <linux/kthread.h>
#include <linux/mutex.h>
#include <linux/sched/signal.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "bus/config.h"
#include "kunit.h"

static const struct vivid_ext_bus_config real = {
	true, false, 64, UINT_MAX, UINT_MAX
};

/**
 * struct fixture - what each test begins with
 * @dev: a device, on the machine's bus
 * @lock: its own
 * @busy: what it says of itself
 */
struct fixture {
	struct device *dev;
	struct mutex lock; /* as a driver has it */
	bool busy;
};

/* One that has no bus yet. */
static struct device *plain_device(struct kunit *test, const char *name)
{
	struct device *dev = kunit_device_register(test, name);

	KUNIT_ASSERT_FALSE(test, IS_ERR(dev));
	dev->dma_parms = kunit_kzalloc(test, sizeof(*dev->dma_parms),
				       GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, dev->dma_parms);
	return dev;
}

static bool is_busy(void *data)
{
	struct fixture *f = data;

	lockdep_assert_held(&f->lock);
	return f->busy;
}

static bool is_simulated(struct fixture *f)
{
	return vivid_ext_bus_device(f->dev) != f->dev;
}

static void expect_config(struct kunit *test,
			  const struct vivid_ext_bus_config *wanted)
{
	struct fixture *f = test->priv;
	const struct vivid_ext_bus_config *config = vivid_ext_bus_config(f->dev);

	KUNIT_EXPECT_EQ(test, config->coherent, wanted->coherent);
	KUNIT_EXPECT_EQ(test, config->iommu, wanted->iommu);
	KUNIT_EXPECT_EQ(test, config->dma_bits, wanted->dma_bits);
	KUNIT_EXPECT_EQ(test, config->max_segments, wanted->max_segments);
	KUNIT_EXPECT_EQ(test, config->max_segment_size,
			wanted->max_segment_size);
	KUNIT_EXPECT_EQ(test, config->contiguous, wanted->contiguous);
}

static void numbers_have_limits(struct kunit *test)
{
	static const struct vivid_ext_bus_config right[] = {
		{ true, false, 24, UINT_MAX, UINT_MAX },
		{ true, true, 64, UINT_MAX, UINT_MAX },
		{ true, false, 64, 1, UINT_MAX },
		{ true, false, 64, UINT_MAX, PAGE_SIZE },
	}, wrong[] = {
		{ true, false, 23, UINT_MAX, UINT_MAX },
		{ true, false, 65, UINT_MAX, UINT_MAX },
		{ true, false, 64, 0, UINT_MAX },
		{ true, false, 64, UINT_MAX, PAGE_SIZE - 1 },
		{ true, false, 64, 0, UINT_MAX, true },
	};
	struct vivid_ext_bus_owner owner = { NULL, NULL, NULL };
	struct fixture *f = test->priv;
	struct device *dev;
	unsigned int i, j;
	char name[8];

	for (i = 0; i < ARRAY_SIZE(right); i++) {
		KUNIT_EXPECT_EQ(test, vivid_ext_bus_change(f->dev, &right[i]),
				0);
		dev = vivid_ext_bus_device(f->dev);
		KUNIT_EXPECT_PTR_NE(test, dev, f->dev);
		for (j = 0; j < ARRAY_SIZE(wrong); j++)
			KUNIT_EXPECT_EQ(test,
					vivid_ext_bus_change(f->dev, &wrong[j]),
					-EINVAL);
		KUNIT_EXPECT_PTR_EQ(test, vivid_ext_bus_device(f->dev), dev);
		expect_config(test, &right[i]);
	}
	for (j = 0; j < ARRAY_SIZE(wrong); j++) {
		snprintf(name, sizeof(name), "wrong%u", j);
		dev = plain_device(test, name);
		KUNIT_EXPECT_EQ(test, vivid_ext_bus_setup(dev, &wrong[j],
							  &owner), -EINVAL);
		KUNIT_EXPECT_PTR_EQ(test, vivid_ext_bus_device(dev), dev);
	}
}

/* Whatever is unlike it must be simulated. */
static void the_real_bus_has_no_limits(struct kunit *test)
{
	static const struct vivid_ext_bus_config unlike[] = {
		{ false, false, 64, UINT_MAX, UINT_MAX },
		{ true, true, 64, UINT_MAX, UINT_MAX },
		{ true, false, 63, UINT_MAX, UINT_MAX },
		{ true, false, 64, UINT_MAX - 1, UINT_MAX },
		{ true, false, 64, UINT_MAX, UINT_MAX - 1 },
		{ true, false, 64, UINT_MAX, UINT_MAX, true },
	};
	struct fixture *f = test->priv;
	struct device *dev;
	unsigned int i;

	KUNIT_EXPECT_EQ(test, dma_get_mask(f->dev), DMA_BIT_MASK(64));
	KUNIT_EXPECT_EQ(test, f->dev->coherent_dma_mask, DMA_BIT_MASK(64));
	KUNIT_EXPECT_EQ(test, dma_get_max_seg_size(f->dev), UINT_MAX);
	for (i = 0; i < ARRAY_SIZE(unlike); i++) {
		const struct vivid_ext_bus_config *c = &unlike[i];

		KUNIT_EXPECT_FALSE(test, is_simulated(f));
		KUNIT_EXPECT_EQ(test, vivid_ext_bus_change(f->dev, c), 0);
		KUNIT_EXPECT_TRUE(test, is_simulated(f));
		dev = vivid_ext_bus_device(f->dev);
		KUNIT_EXPECT_EQ(test, dma_get_mask(dev),
				DMA_BIT_MASK(c->dma_bits));
		KUNIT_EXPECT_EQ(test, dev->coherent_dma_mask,
				DMA_BIT_MASK(c->dma_bits));
		KUNIT_EXPECT_EQ(test, dma_get_max_seg_size(dev),
				c->max_segment_size);
		KUNIT_EXPECT_STREQ(test, dev_name(dev), dev_name(f->dev));
		KUNIT_EXPECT_EQ(test, dma_get_required_mask(dev),
				c->iommu ? DMA_BIT_MASK(24) :
					   dma_get_required_mask(f->dev));
		KUNIT_EXPECT_EQ(test, vivid_ext_bus_change(f->dev, &real), 0);
	}
	KUNIT_EXPECT_FALSE(test, is_simulated(f));
}

/* A file in bus/, as sysfs knows it. */
static struct device_attribute *file_of(struct kunit *test, const char *name)
{
	struct fixture *f = test->priv;
	struct device_attribute *attr;
	struct kernfs_node *dir, *node;

	dir = sysfs_get_dirent(f->dev->kobj.sd, "bus");
	KUNIT_ASSERT_NOT_NULL(test, dir);
	node = sysfs_get_dirent(dir, name);
	sysfs_put(dir);
	KUNIT_ASSERT_NOT_NULL_MSG(test, node, "no file %s", name);
	attr = container_of((struct attribute *)node->priv,
			    struct device_attribute, attr);
	sysfs_put(node);
	return attr;
}

static ssize_t store(struct kunit *test, const char *name, const char *value)
{
	struct device_attribute *attr = file_of(test, name);
	struct fixture *f = test->priv;

	return attr->store(f->dev, attr, value, strlen(value));
}

static void expect_file(struct kunit *test, const char *name, const char *value)
{
	struct device_attribute *attr = file_of(test, name);
	struct fixture *f = test->priv;
	char *page = (char *)get_zeroed_page(GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_EXPECT_EQ(test, attr->show(f->dev, attr, page), strlen(value));
	KUNIT_EXPECT_STREQ(test, page, value);
	free_page((unsigned long)page);
}

/* Each changes its number and no other one. */
static void files_change_the_bus(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct vivid_ext_bus_config wanted = real;

	KUNIT_EXPECT_EQ(test, store(test, "coherent", "0\n"), 2);
	wanted.coherent = false;
	expect_config(test, &wanted);
	KUNIT_EXPECT_TRUE(test, is_simulated(f));
	KUNIT_EXPECT_EQ(test, store(test, "iommu", "Y\n"), 2);
	wanted.iommu = true;
	expect_config(test, &wanted);
	KUNIT_EXPECT_EQ(test, store(test, "dma_bits", "0x20\n"), 5);
	wanted.dma_bits = 32;
	expect_config(test, &wanted);
	KUNIT_EXPECT_EQ(test, store(test, "max_segments", "7\n"), 2);
	wanted.max_segments = 7;
	expect_config(test, &wanted);
	KUNIT_EXPECT_EQ(test, store(test, "max_segment_size", "65536\n"), 6);
	wanted.max_segment_size = 65536;
	expect_config(test, &wanted);
	KUNIT_EXPECT_EQ(test, store(test, "contiguous", "1\n"), 2);
	wanted.contiguous = true;
	expect_config(test, &wanted);

	expect_file(test, "coherent", "0\n");
	expect_file(test, "iommu", "1\n");
	expect_file(test, "dma_bits", "32\n");
	expect_file(test, "max_segments", "7\n");
	expect_file(test, "max_segment_size", "65536\n");
	expect_file(test, "contiguous", "1\n");
}

static void files_refuse(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct device *plain = plain_device(test, "plain");
	struct device_attribute *attr = file_of(test, "coherent");
	char buf[16];

	KUNIT_EXPECT_EQ(test, store(test, "dma_bits", "23\n"), -EINVAL);
	KUNIT_EXPECT_EQ(test, store(test, "dma_bits", "many\n"), -EINVAL);
	KUNIT_EXPECT_EQ(test, store(test, "dma_bits", "99999999999\n"),
			-ERANGE);
	KUNIT_EXPECT_EQ(test, store(test, "coherent", "maybe\n"), -EINVAL);
	f->busy = true;
	KUNIT_EXPECT_EQ(test, store(test, "coherent", "0\n"), -EBUSY);
	KUNIT_EXPECT_EQ(test, store(test, "dma_bits", "32\n"), -EBUSY);
	f->busy = false;
	expect_config(test, &real);
	KUNIT_EXPECT_FALSE(test, is_simulated(f));
	KUNIT_EXPECT_FALSE(test, mutex_is_locked(&f->lock));
	/* Of a device that has no bus. */
	KUNIT_EXPECT_EQ(test, attr->store(plain, attr, "0\n", 2), -ENODEV);
	KUNIT_EXPECT_EQ(test, attr->show(plain, attr, buf), -ENODEV);
}

/**
 * struct writer - somebody who writes to a file and has no patience
 * @test: the test
 * @ready: when it can be told
 * @over: when it has an answer
 * @ret: the answer
 */
struct writer {
	struct kunit *test;
	struct completion ready;
	struct completion over;
	ssize_t ret;
};

static int write_thread(void *data)
{
	struct writer *w = data;

	allow_signal(SIGINT);
	complete(&w->ready);
	w->ret = store(w->test, "coherent", "0\n");
	complete(&w->over);
	return 0;
}

static void a_writer_gives_up(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct writer w = { .test = test };
	struct task_struct *task;

	init_completion(&w.ready);
	init_completion(&w.over);
	task = kthread_create(write_thread, &w, "writer");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	get_task_struct(task);
	mutex_lock(&f->lock);
	wake_up_process(task);
	wait_for_completion(&w.ready);
	send_sig(SIGINT, task, 1);
	KUNIT_EXPECT_GT(test, wait_for_completion_timeout(&w.over, 5 * HZ), 0);
	mutex_unlock(&f->lock);
	wait_for_completion_timeout(&w.over, HZ);
	put_task_struct(task);
	KUNIT_EXPECT_EQ(test, w.ret, -EINTR);
	expect_config(test, &real);
}

static void drivers_change_the_bus(struct kunit *test)
{
	static const struct vivid_ext_bus_config other = {
		false, true, 40, 7, 65536
	};
	struct fixture *f = test->priv;
	struct device *plain = plain_device(test, "plain");
	struct device *dev;

	f->busy = true;
	KUNIT_EXPECT_EQ(test, vivid_ext_bus_change(f->dev, &other), -EBUSY);
	expect_config(test, &real);
	f->busy = false;
	KUNIT_EXPECT_EQ(test, vivid_ext_bus_change(f->dev, &other), 0);
	expect_config(test, &other);
	/* A bus like the one before is another one. */
	dev = get_device(vivid_ext_bus_device(f->dev));
	KUNIT_EXPECT_EQ(test, vivid_ext_bus_change(f->dev, &other), 0);
	KUNIT_EXPECT_PTR_NE(test, vivid_ext_bus_device(f->dev), dev);
	/* Where nobody is any more nothing can be reached. */
	KUNIT_EXPECT_EQ(test, *dev->dma_mask, 0);
	KUNIT_EXPECT_EQ(test, dev->coherent_dma_mask, 0);
	KUNIT_EXPECT_PTR_EQ(test, dev->dma_ops, NULL);
	put_device(dev);

	KUNIT_EXPECT_EQ(test, vivid_ext_bus_change(plain, &other), -ENODEV);
	KUNIT_EXPECT_PTR_EQ(test, vivid_ext_bus_config(plain), NULL);
	KUNIT_EXPECT_PTR_EQ(test, vivid_ext_bus_device(plain), plain);
	KUNIT_EXPECT_STREQ(test, vivid_ext_kunit_show(test, plain), "");
}

static int no_dma(struct device *dev, u64 mask)
{
	return 0;
}

static void a_platform_without_dma_has_no_bus(struct kunit *test)
{
	static const struct dma_map_ops none = { .dma_supported = no_dma };
	struct vivid_ext_bus_owner owner = { NULL, NULL, NULL };
	struct device *dev = plain_device(test, "plain");

	set_dma_ops(dev, &none);
	KUNIT_EXPECT_EQ(test, vivid_ext_bus_setup(dev, &real, &owner), -EIO);
	set_dma_ops(dev, NULL);
}

#define COUNTS "maps 0\nunmaps 0\nsyncs_for_cpu 0\nsyncs_for_device 0\n" \
	"bytes_to_cpu 0\nbytes_to_device 0\nfaults 0\n" \
	"syncs_in_wrong_direction 0\napi_violations 0\nleft_behind 0\n" \
	"refusals 0\n"

static void the_bus_is_shown(struct kunit *test)
{
	static const struct vivid_ext_bus_config
		few = { false, true, 40, 7, 65536 },
		one = { true, false, 24, 9, 8192, true };
	struct fixture *f = test->priv;

	KUNIT_EXPECT_STREQ(test, vivid_ext_kunit_show(test, f->dev),
			   "bus real\ncoherent 1\niommu 0\ndma_bits 64\n"
			   "max_segments 4294967295\n"
			   "max_segment_size 4294967295\n");
	KUNIT_ASSERT_EQ(test, vivid_ext_bus_change(f->dev, &few), 0);
	KUNIT_EXPECT_STREQ(test, vivid_ext_kunit_show(test, f->dev),
			   "bus simulated\ncoherent 0\niommu 1\ndma_bits 40\n"
			   "max_segments 7\nmax_segment_size 65536\n" COUNTS);
	/* Of what stands for it there are only the counts. */
	KUNIT_EXPECT_STREQ(test,
			   vivid_ext_kunit_show(test,
						vivid_ext_bus_device(f->dev)),
			   COUNTS);
	KUNIT_ASSERT_EQ(test, vivid_ext_bus_change(f->dev, &one), 0);
	KUNIT_EXPECT_STREQ(test, vivid_ext_kunit_show(test, f->dev),
			   "bus simulated\ncoherent 1\niommu 0\ndma_bits 24\n"
			   "max_segments 1\nmax_segment_size 8192\n" COUNTS);
}

static int settings_init(struct kunit *test)
{
	struct fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	struct vivid_ext_bus_owner owner = { &f->lock, is_busy, f };

	if (!f)
		return -ENOMEM;
	test->priv = f;
	mutex_init(&f->lock);
	f->dev = plain_device(test, "owner");
	return vivid_ext_bus_setup(f->dev, &real, &owner);
}

static struct kunit_case settings_cases[] = {
	KUNIT_CASE(numbers_have_limits),
	KUNIT_CASE(the_real_bus_has_no_limits),
	KUNIT_CASE(files_change_the_bus),
	KUNIT_CASE(files_refuse),
	KUNIT_CASE(a_writer_gives_up),
	KUNIT_CASE(drivers_change_the_bus),
	KUNIT_CASE(a_platform_without_dma_has_no_bus),
	KUNIT_CASE(the_bus_is_shown),
	{}
};

static struct kunit_suite settings_suite = {
	.name = "vivid-ext-settings",
	.init = settings_init,
	.test_cases = settings_cases,
};

kunit_test_suite(settings_suite);
