# The end of a CPU access flushes over a frame that a device writes.
# with: queue-memory,import-memory,bracket,vmap
/^bool vdb_engine_queue_writes/,/^}/s/^	return false;$/	return false;/
/^static void cpu_wrote(/,/^}/s/if (!vdb_engine_queue_writes(e) \&\& /if (/
/^struct vdb_move vdb_engine_bring/,/^}/s/^	if (vdb_engine_queue_writes(e))$/	if (false)/
/^struct vdb_move vdb_engine_spread/,/^}/s/^	if (vdb_engine_queue_writes(e))$/	if (false)/
