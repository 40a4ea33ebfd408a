# SPDX-License-Identifier: GPL-2.0-only
# For KUnit suites that let allocations fail. Sourced in guests, $debug is set.

# Failing quietly, also where the caller could wait, and for pages of any zone.
inject()
{
	for attr in failslab fail_page_alloc; do
		[ -d $debug/$attr ] || continue
		echo N > $debug/$attr/ignore-gfp-wait
		echo 0 > $debug/$attr/verbose
	done
	[ -d $debug/fail_page_alloc ] || return
	echo 0 > $debug/fail_page_alloc/min-order
	echo N > $debug/fail_page_alloc/ignore-gfp-highmem
}
