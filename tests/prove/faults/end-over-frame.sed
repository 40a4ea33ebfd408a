# An end of a CPU access flushes over a frame that a device writes.
/^static bool queue_writes/,/^}/!s/^	if (!queue_writes(e) \&\& /	if (/
/^static bool queue_writes/,/^}/!s/^	if (queue_writes(e))$/	if (false)/
