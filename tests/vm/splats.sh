# SPDX-License-Identifier: GPL-2.0-only
# What must not be in the kernel's log after a test. Sourced in guests.

splat='cut here|invoked oom-killer|WARNING: |BUG: |BUG at|Oops'
splat+='|Kernel panic|Call Trace'
splat+='|general protection fault|stack guard page|blocked for more than'
splat+='|stalls? on|soft lockup|hard LOCKUP|refcount_t|list_(add|del) corr'
splat+='|suspicious RCU|(circular|recursive) locking|lock state|held lock'
splat+='|locking correctness validator|non-static key|ODEBUG'
splat+='|sleeping function|scheduling while atomic|KASAN|KFENCE|KCSAN|UBSAN'
splat+='|kmemleak|DMA-API: |unreferenced object|memory leak'

# Faults of stock drivers, let through by name: vivid sleeps with a negative
# timeout when it lags behind, and says so with a call trace; udmabuf maps for
# one direction and synchronises for another. And where tests make allocations
# fail, those of the debugging tools do as well.
known_faults()
{
	awk -v known='vivid_thread_|DMA-API: misc udmabuf: ' '
	function flush()
	{
		if (block !~ known)
			printf "%s", block
		block = ""; left = tail = 0
	}
	/cacheline tracking ENOMEM|Cannot allocate a scan area/ { next }
	/------.* cut here/ { flush(); left = 500 }
	/schedule_timeout: wrong timeout value/ { flush(); left = 60 }
	left > 0 {
		block = block $0 "\n"; left--
		if (/---.* end trace/) { left = 0; tail = 1 }
		if (/<\/TASK>/ && block ~ /wrong timeout value/) left = 0
		if (!left && !tail) flush()
		next
	}
	# Behind its end, DMA-API tells where the memory was mapped.
	tail && /DMA-API: Mapped at|\]  ?[a-z_0-9.]+\+0x/ {
		block = block $0 "\n"; next
	}
	{ flush(); print }
	END { flush() }'
}

# The lines of a log on stdin that tell of a fault.
splats()
{
	known_faults | grep -E "$splat"
}
