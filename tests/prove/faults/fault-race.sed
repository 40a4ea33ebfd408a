# A frame that ends while a process faults is not seen by it.
/^void vdb_protocol_fault/,/^}/{
	/^	vdb_engine_enter/d
	s/^	if (writes \&\& !unnoticed)$/	vdb_engine_enter(e, chunk, unnoticed);\
&/
}
