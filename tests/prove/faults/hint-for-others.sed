# A promise that no process has written covers what others wrote.
/^void vdb_protocol_queue/,/^}/s/^		hear(e);$/&\
		if (!clean)\
			bitmap_or(e->views[view].newest, e->views[view].newest,\
				  e->views[VDB_CPU].newest, e->nr_chunks);/
