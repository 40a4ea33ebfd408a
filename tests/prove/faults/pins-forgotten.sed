# Who holds pages is forgotten when entries are taken away.
/^void vdb_engine_pin/,/^}/s/^	vdb_engine_settle(e);$/	pinned = false;/
