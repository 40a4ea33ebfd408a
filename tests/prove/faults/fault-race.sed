# A frame that ends while a process faults is not seen by it.
# with: queue-bounced,pages,hurried
/^void vdb_protocol_fault/,/^}/{
	/^	vdb_engine_enter/d
	s/^	flags = reach(e, BRING, VDB_CPU, chunk, chunk + 1);$/	vdb_hand_unlock(e, reach(e, BRING, VDB_CPU, chunk, chunk + 1));\
	flags = vdb_hand_lock(e);\
	vdb_engine_enter(e, chunk, unnoticed);/
}
