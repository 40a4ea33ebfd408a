# A frame that ends while an importer is being mapped is not for it.
/^void vdb_protocol_map/,/^}/{
	/^	flags = vdb_hand_lock(e);$/,/^	vdb_hand_unlock(e, flags);$/d
	s/^	spread(e);$/	flags = vdb_hand_lock(e);\
	vdb_engine_map(e, view, silent, writes);\
	bitmap_fill(e->views[view].newest, e->nr_chunks);\
	vdb_hand_unlock(e, flags);/
}
