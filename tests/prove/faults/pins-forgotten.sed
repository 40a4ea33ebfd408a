# Who holds pages is forgotten when entries are taken away.
/^void vdb_engine_pin/,/^}/s/^	settle(e);$/	pinned = false;/
