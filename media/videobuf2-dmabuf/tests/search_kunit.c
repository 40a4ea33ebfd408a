// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the search for pages, by value: what the page allocator is asked
 * for, in which order and how, on machines that are played.
 */
#include <kunit/device.h>
#include <kunit/static_stub.h>
#include <kunit/test.h>
#include <linux/device.h>
#include <linux/dma-direct.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/string.h>
#include <linux/vmstat.h>

#include "kunit.h"

/* What every block is asked for with. */
#define ALWAYS (__GFP_IO | __GFP_FS | __GFP_ACCOUNT | __GFP_NOWARN | \
		__GFP_RETRY_MAYFAIL | __GFP_NOMEMALLOC)
#define BITS(n) DMA_BIT_MASK(n)

/**
 * struct machine - what is played
 * @memory: what it has; blocks that are given are no longer available
 * @others: and so much is no longer available beside each of them
 * @looks: how often somebody has looked at it
 * @limit: of the device's addresses
 * @largest: that is bounced at once
 * @end: of the bounce buffers
 * @largest_order: that is there
 * @script: whether the first, second, ... block is there; the last one is for
 *	all that follow
 * @asked: how many were asked for
 * @wrong: how many not as all must be
 * @log: of which zone and how they were asked for, and how often in a row
 * @last: what was asked for last
 * @repeated: and how often
 * @heads: the first pages of blocks, held
 * @nr_heads: how many
 */
struct machine {
	struct vdb_memory memory;
	unsigned int others;
	unsigned int looks;
	u64 limit;
	size_t largest;
	phys_addr_t end;
	unsigned int largest_order;
	const char *script;
	unsigned int asked;
	unsigned int wrong;
	char log[256];
	char last[16];
	unsigned int repeated;
	struct page *heads[128];
	unsigned int nr_heads;
};

static struct machine *machine;

static void log_last(struct machine *m)
{
	size_t used = strlen(m->log);

	if (m->repeated)
		used += scnprintf(m->log + used, sizeof(m->log) - used, "%s%s",
				  used ? " " : "", m->last);
	if (m->repeated > 1)
		scnprintf(m->log + used, sizeof(m->log) - used, "x%u",
			  m->repeated);
	m->repeated = 0;
}

/*
 * D, L, H or N: DMA, DMA32, high memory or none; "+" with reclaim, "!" without
 * trying again, "z" zeroed; and the order.
 */
static void log_block(struct machine *m, gfp_t gfp, unsigned int order)
{
	gfp_t reclaim = gfp & __GFP_RECLAIM;
	char text[sizeof(m->last)];

	m->wrong += (gfp & ALWAYS) != ALWAYS;
	m->wrong += reclaim && reclaim != __GFP_RECLAIM;
	scnprintf(text, sizeof(text), "%c%s%s%s%u",
		  gfp & __GFP_DMA ? 'D' : gfp & __GFP_DMA32 ? 'L' :
		  gfp & __GFP_HIGHMEM ? 'H' : 'N', reclaim ? "+" : "",
		  gfp & __GFP_NORETRY ? "!" : "", gfp & __GFP_ZERO ? "z" : "",
		  order);
	if (strcmp(text, m->last))
		log_last(m);
	strscpy(m->last, text, sizeof(m->last));
	m->repeated++;
}

/* Used before: cleared for those only that want it so. */
static struct page *play_block(gfp_t gfp, unsigned int order)
{
	struct machine *m = machine;
	size_t at = min_t(size_t, m->asked++, strlen(m->script) - 1);
	struct page *page;

	log_block(m, gfp, order);
	if (m->script[at] != '1' || order > m->largest_order)
		return NULL;
	page = alloc_pages(GFP_KERNEL, order);
	if (!page)
		return NULL;
	memset(page_address(page), gfp & __GFP_ZERO ? 0 : 0x5a,
	       PAGE_SIZE << order);
	if (m->nr_heads < ARRAY_SIZE(m->heads)) {
		get_page(page);
		m->heads[m->nr_heads++] = page;
	}
	m->memory.available -= (1 << order) + m->others;
	return page;
}

static void play_memory(struct vdb_memory *memory)
{
	*memory = machine->memory;
	machine->looks++;
}

static u64 play_limit(struct device *dev)
{
	return machine->limit;
}

static phys_addr_t play_bounce(struct device *dev, size_t *largest)
{
	*largest = machine->largest;
	return machine->end;
}

static const struct machine roomy = {
	.memory = { .total = 100000, .free = 50000, .available = 60000 },
	.limit = U64_MAX,
	.largest = SIZE_MAX,
	.largest_order = VDB_MAX_ORDER,
	.script = "1",
};

static bool is_zero(const struct vdb_storage *st)
{
	unsigned int i;

	for (i = 0; i < st->nr_pages; i++)
		if (memchr_inv(page_address(st->pages[i]), 0, PAGE_SIZE))
			return false;
	return true;
}

/* All that was given is given back, but for what we hold. */
static void expect_all_back(struct kunit *test, struct machine *m)
{
	while (m->nr_heads) {
		struct page *page = m->heads[--m->nr_heads];

		KUNIT_EXPECT_EQ(test, page_count(page), 1);
		__free_page(page);
	}
}

/*
 * So many pages; the log must be this. Return: what the caller gets, or 1 for
 * pages of an area.
 */
static int get_and_free(struct kunit *test, struct device *dev,
			unsigned int pages, gfp_t gfp, bool contiguous,
			const char *log)
{
	s64 refusals = vdb_stat_read(VDB_REFUSALS);
	struct machine *m = machine;
	struct vdb_storage st;
	int ret;

	memset(&st, 0xff, sizeof(st));
	ret = vdb_storage_alloc(&st, dev, pages * PAGE_SIZE, gfp, contiguous);
	log_last(m);
	KUNIT_EXPECT_STREQ(test, m->log, log);
	KUNIT_EXPECT_EQ_MSG(test, m->wrong, 0, "%s", log);
	KUNIT_EXPECT_EQ_MSG(test, vdb_stat_read(VDB_REFUSALS) > refusals,
			    ret && !fatal_signal_pending(current), "%s",
			    log);
	if (!ret) {
		KUNIT_EXPECT_EQ(test, st.nr_pages, pages);
		KUNIT_EXPECT_TRUE_MSG(test, is_zero(&st), "%s", log);
		ret = !!st.dma_dev;
		vdb_storage_free(&st);
	}
	expect_all_back(test, m);
	return ret;
}

/* Large blocks that are there, and no fight for them; then single pages. */
static void blocks_are_large_first(struct kunit *test)
{
	static const struct {
		unsigned int pages, largest;
		const char *script, *log;
		unsigned int looks;
	} all[] = {
		{ 1, 10, "1", "H+z0", 3 },
		{ 15, 10, "1", "H+z0x15", 3 },
		{ 16, 10, "1", "H!z4", 3 },
		{ 17, 10, "1", "H!z4 H+z0", 3 },
		{ 255, 10, "1", "H!z4x15 H+z0x15", 3 },
		{ 256, 10, "1", "H!z8", 3 },
		{ 257, 10, "1", "H!z8 H+z0", 5 },
		{ 273, 10, "1", "H!z8 H!z4 H+z0", 5 },
		{ 512, 10, "1", "H!z8x2", 5 },
		{ 512, 10, "101", "H!z8x2 H!z4x16", 5 },
		{ 273, 4, "1", "H!z8 H!z4x17 H+z0", 5 },
		{ 33, 3, "1", "H!z4 H+z0x33", 3 },
		{ 18, 4, "1", "H!z4 H+z0x2", 3 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(all); i++) {
		*machine = roomy;
		machine->largest_order = all[i].largest;
		machine->script = all[i].script;
		KUNIT_EXPECT_EQ(test, get_and_free(test, NULL, all[i].pages, 0,
						   false, all[i].log), 0);
		KUNIT_EXPECT_EQ_MSG(test, machine->looks, all[i].looks,
				    "row %u", i);
	}
}

/* What was found is given back if not all is found. */
static void some_are_not_there(struct kunit *test)
{
	*machine = roomy;
	machine->script = "110";
	vdb_kunit_listen_refusals(test, "no 33 pages up to address 0xffffffffffffffff");
	KUNIT_EXPECT_EQ(test, get_and_free(test, NULL, 33, 0, false,
					   "H!z4x2 H+z0"), -ENOMEM);
	KUNIT_EXPECT_EQ(test, vdb_kunit_heard(), 1);
}

/* Which zones are asked in turn, by the device's last address. */
static void zones_by_limit(struct kunit *test)
{
	static const struct {
		u64 limit;
		const char *script, *log;
		int ret;
	} all[] = {
		{ BITS(24), "0", "D+z0 L!0 L+0 D+z0", -ENOMEM },
		{ BITS(24) + 1, "0", "L!0 L+0 D+z0", -ENOMEM },
		{ BITS(32) - 1, "0", "L!0 L+0 D+z0", -ENOMEM },
		{ BITS(32), "0", "L!z0 L+z0 D+z0", -ENOMEM },
		{ BITS(32) + 1, "0", "H!0 L!z0 L+z0 D+z0 H!0", -ENOMEM },
		{ U64_MAX - 1, "0", "H!0 L!z0 L+z0 D+z0 H!0", -ENOMEM },
		{ U64_MAX, "0", "H+z0", -ENOMEM },
		/* All found in one, or some in one and some in the next. */
		{ BITS(32), "1", "L!z0x4", 0 },
		{ BITS(32) - 1, "1", "L!0x4", 0 },
		{ BITS(32) - 1, "01", "L!0 L+0x4", 0 },
		{ BITS(32) - 1, "11001", "L!0x3 L+0 D+z0x2", 0 },
		{ BITS(40), "1", "H!0x4", 0 },
		{ BITS(40), "101", "H!0x2 L!z0x3", 0 },
		{ BITS(40), "0001", "H!0 L!z0 L+z0 D+z0x4", 0 },
		{ BITS(40), "00001", "H!0 L!z0 L+z0 D+z0 H!0x4", 0 },
		{ U64_MAX, "1110", "H+z0x4", -ENOMEM },
	};
	struct device *dev = kunit_device_register(test, "limited");
	unsigned int i;

	/* In each zone large ones come first. */
	*machine = roomy;
	machine->limit = BITS(32);
	machine->script = "010";
	KUNIT_EXPECT_EQ(test,
			get_and_free(test, dev, 20, 0, false,
				     "L!z4 L!z0x2 L!z4 L+z0 D!z4 D+z0"),
			-ENOMEM);
	for (i = 0; i < ARRAY_SIZE(all); i++) {
		*machine = roomy;
		machine->limit = all[i].limit;
		machine->script = all[i].script;
		KUNIT_EXPECT_EQ_MSG(test,
				    get_and_free(test, dev, 4, 0, false,
						 all[i].log),
				    all[i].ret, "row %u", i);
	}
}

/* In one block there are no smaller ones; its end is not kept. */
static void one_block(struct kunit *test)
{
	struct device *dev = kunit_device_register(test, "limited");

	*machine = roomy;
	KUNIT_EXPECT_EQ(test, get_and_free(test, NULL, 5, 0, true, "H+z3"), 0);
	*machine = roomy;
	KUNIT_EXPECT_EQ(test, get_and_free(test, NULL, 1, 0, true, "H+z0"), 0);
	*machine = roomy;
	machine->limit = BITS(32) - 1;
	machine->script = "001";
	KUNIT_EXPECT_EQ(test, get_and_free(test, dev, 8, 0, true,
					   "L!3 L+3 D+z3"), 0);
	*machine = roomy;
	machine->limit = BITS(32) - 1;
	KUNIT_EXPECT_EQ(test, get_and_free(test, dev, 8, 0, true, "L!3"), 0);
	/* Else there is the area. */
	*machine = roomy;
	machine->script = "0";
	KUNIT_EXPECT_EQ(test, get_and_free(test, NULL, 4, 0, true, "H+z2"), 1);
	*machine = roomy;
	machine->script = "0";
	get_and_free(test, NULL, 1 << VDB_MAX_ORDER, 0, true, "H+z10");
}

/* The driver knows best, and is not asked for a second one. */
static void drivers_zones(struct kunit *test)
{
	struct device *dev = kunit_device_register(test, "limited");

	*machine = roomy;
	machine->limit = BITS(20);
	KUNIT_EXPECT_EQ(test, get_and_free(test, dev, 2, GFP_DMA32, false,
					   "L+z0x2"), 0);
	*machine = roomy;
	machine->limit = BITS(32);
	KUNIT_EXPECT_EQ(test, get_and_free(test, dev, 2, GFP_DMA, true,
					   "D+z1"), 0);
}

/* The machine goes on: what is asked for, and what is looked at. */
static void more_than_there_is(struct kunit *test)
{
	static const struct {
		struct vdb_memory memory;
		unsigned int pages, others;
		const char *log;
		int ret;
	} all[] = {
		{ { 100, 5, 50, 7 }, 62, 0, "H!z4x3 H+z0x14", 0 },
		{ { 100, 5, 50, 7 }, 63, 0, "", -ENOMEM },
		{ { 100, 5, -10, 7 }, 12, 0, "H+!z0x12", 0 },
		{ { 100, 5, -10, 7 }, 13, 0, "", -ENOMEM },
		{ { 100, 5, 0, 0 }, 5, 0, "H+!z0x5", 0 },
		{ { 100, 5, 1, 0 }, 6, 0, "H+z0x6", 0 },
		{ { 10, 100, 100, 0 }, 10, 0, "H+z0x10", 0 },
		{ { 10, 100, 100, 0 }, 11, 0, "", -ENOMEM },
		/* Another look after a while: others want some, too. */
		{ { 1000, 0, 512, 0 }, 512, 0, "H!z8x2", 0 },
		{ { 1000, 0, 512, 0 }, 512, 1, "H!z8", -ENOMEM },
		{ { 1000, 2, 512, 0 }, 258, 255, "H!z8 H+z0x2", 0 },
		{ { 1000, 2, 512, 0 }, 258, 256, "H!z8 H+!z0x2", 0 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(all); i++) {
		vdb_kunit_listen_refusals(test, "pages wanted");
		*machine = roomy;
		machine->memory = all[i].memory;
		machine->others = all[i].others;
		KUNIT_EXPECT_EQ_MSG(test,
				    get_and_free(test, NULL, all[i].pages, 0,
						 false, all[i].log),
				    all[i].ret, "row %u", i);
		KUNIT_EXPECT_EQ(test, vdb_kunit_heard(), !!all[i].ret);
		if (!*all[i].log)
			KUNIT_EXPECT_EQ(test, machine->looks, 1);
	}
}

/* No page is in reach; so many are put aside for others to come up. */
static void out_of_reach(struct kunit *test)
{
	static const struct {
		u64 limit;
		unsigned int pages;
		bool contiguous;
		long available;
		const char *log;
	} all[] = {
		/* Until a sixteenth of the machine is left. */
		{ BITS(24), 4, false, 200, "D+z0x17 L!0x84 L+0 D+z0" },
		{ BITS(32) - 1, 4, false, 200, "L!0x101 L+0 D+z0" },
		{ BITS(32) - 1, 5, true, 200, "L!3x13 L+3 D+z3" },
		{ BITS(24), 5, true, 200, "D+z3x3 L!3x10 L+3 D+z3" },
		/* A look at what is at hand, first. */
		{ BITS(33), 4, false, 150, "H!0x5 L!z0x46 L+z0 D+z0 H!0" },
		/* All of it, in a zone that is not kept from others. */
		{ BITS(32) - 1, 4, false, 101, "L!0x2 L+0 D+z0" },
	};
	/* Just the first page has an address. */
	const struct bus_dma_region map[2] = { { .size = PAGE_SIZE } };
	struct device *dev = kunit_device_register(test, "far");
	unsigned int i;

	KUNIT_ASSERT_FALSE(test, IS_ERR(dev));
	dev->dma_range_map = map;
	for (i = 0; i < ARRAY_SIZE(all); i++) {
		*machine = roomy;
		machine->memory.total = 1600;
		machine->memory.available = all[i].available;
		machine->limit = all[i].limit;
		KUNIT_EXPECT_EQ_MSG(test,
				    get_and_free(test, dev, all[i].pages, 0,
						 all[i].contiguous,
						 all[i].log),
				    -ENOMEM, "row %u", i);
	}
	dev->dma_range_map = NULL;
}

/* Blocks, not their first pages only. */
static void aside_is_given_back(struct kunit *test)
{
	const struct bus_dma_region map[2] = { { .size = PAGE_SIZE } };
	struct device *dev = kunit_device_register(test, "far");
	unsigned long before = global_zone_page_state(NR_FREE_PAGES);
	unsigned int i;

	KUNIT_ASSERT_FALSE(test, IS_ERR(dev));
	dev->dma_range_map = map;
	for (i = 0; i < 30; i++) {
		*machine = roomy;
		machine->memory.available = 60000;
		machine->limit = BITS(32) - 1;
		machine->script = "11111111110";
		KUNIT_EXPECT_EQ(test, get_and_free(test, dev, 64, 0, true,
						   "L!6x11 L+6 D+z6"),
				-ENOMEM);
	}
	dev->dma_range_map = NULL;
	KUNIT_EXPECT_LT(test, before,
			global_zone_page_state(NR_FREE_PAGES) + 30 * 10 * 32);
}

/* Before it is bounced, and the machine is looked at as it is then. */
static void aside_is_not_in_the_way(struct kunit *test)
{
	struct device *dev = kunit_device_register(test, "limited");

	*machine = roomy;
	machine->memory.total = 1600;
	machine->memory.available = 200;
	machine->limit = 0xffff;
	machine->largest = PAGE_SIZE;
	machine->end = 0x10000;
	KUNIT_EXPECT_EQ(test,
			get_and_free(test, dev, 3, 0, false,
				     "D+z0x13 L!0x88 L+0 D+z0 H+z0x3"), 0);
	KUNIT_EXPECT_EQ(test, machine->looks, 1 + 2 + 13 + 88 + 1 + 1 + 2);
}

/* What is out of reach, if it can be copied. */
static void bounced_at_last(struct kunit *test)
{
	static const struct {
		size_t largest;
		phys_addr_t end;
		u64 limit;
		bool contiguous, helps;
	} all[] = {
		{ PAGE_SIZE, 0x10000, 0xffff, false, true },
		{ PAGE_SIZE - 1, 0x10000, 0xffff, false, false },
		{ SIZE_MAX, 0x10000, 0xffff, false, false },
		{ PAGE_SIZE, 0, 0xffff, false, false },
		{ PAGE_SIZE, 0x10001, 0xffff, false, false },
		{ PAGE_SIZE, 0x10000, 0xfffe, false, false },
		{ 4 * PAGE_SIZE, 1, 0xffff, true, true },
		{ 4 * PAGE_SIZE - 1, 1, 0xffff, true, false },
	};
	struct device *dev = kunit_device_register(test, "limited");
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(all); i++) {
		*machine = roomy;
		machine->limit = all[i].limit;
		machine->largest = all[i].largest;
		machine->end = all[i].end;
		machine->script = "00001";
		KUNIT_EXPECT_EQ_MSG(test,
				    get_and_free(test, dev, 3 + all[i].contiguous,
						 0, all[i].contiguous,
						 all[i].contiguous ?
						 all[i].helps ?
						 "D+z2 L!2 L+2 D+z2 H+z2" :
						 "D+z2 L!2 L+2 D+z2" :
						 all[i].helps ?
						 "D+z0 L!0 L+0 D+z0 H+z0x3" :
						 "D+z0 L!0 L+0 D+z0"),
				    all[i].helps ? 0 :
				    all[i].contiguous ? 1 : -ENOMEM, "row %u",
				    i);
	}
}

/* Killed while it waits for gigabytes: nobody is told, nothing is looked for. */
static void killed_means_no(struct kunit *test)
{
	unsigned int contiguous;

	vdb_kunit_listen_refusals(test, "");
	for (contiguous = 0; contiguous < 2; contiguous++) {
		int ret;

		*machine = roomy;
		sigaddset(&current->pending.signal, SIGKILL);
		set_tsk_thread_flag(current, TIF_SIGPENDING);
		ret = get_and_free(test, NULL, 4, 0, contiguous, "");
		sigdelset(&current->pending.signal, SIGKILL);
		clear_tsk_thread_flag(current, TIF_SIGPENDING);
		KUNIT_EXPECT_EQ(test, ret, -ENOMEM);
	}
	KUNIT_EXPECT_EQ(test, vdb_kunit_heard(), 0);
}

static int set_up(struct kunit *test)
{
	machine = kunit_kzalloc(test, sizeof(*machine), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, machine);
	kunit_activate_static_stub(test, vdb_storage_block, play_block);
	kunit_activate_static_stub(test, vdb_storage_memory, play_memory);
	kunit_activate_static_stub(test, vdb_storage_limit, play_limit);
	kunit_activate_static_stub(test, vdb_storage_bounce, play_bounce);
	return 0;
}

static struct kunit_case search_cases[] = {
	KUNIT_CASE(blocks_are_large_first),
	KUNIT_CASE(some_are_not_there),
	KUNIT_CASE(zones_by_limit),
	KUNIT_CASE(one_block),
	KUNIT_CASE(drivers_zones),
	KUNIT_CASE(more_than_there_is),
	KUNIT_CASE(out_of_reach),
	KUNIT_CASE(aside_is_given_back),
	KUNIT_CASE(aside_is_not_in_the_way),
	KUNIT_CASE(bounced_at_last),
	KUNIT_CASE(killed_means_no),
	{}
};

static struct kunit_suite search_suite = {
	.name = "videobuf2-dmabuf-search",
	.init = set_up,
	.test_cases = search_cases,
};

kunit_test_suite(search_suite);
