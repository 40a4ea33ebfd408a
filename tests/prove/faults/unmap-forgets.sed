# What processes write is forgotten when some device is unmapped.
/^void vdb_engine_unmap/,/^}/s/^	vdb_engine_settle(e);$/&\
	bitmap_zero(e->writable, e->nr_chunks);/
