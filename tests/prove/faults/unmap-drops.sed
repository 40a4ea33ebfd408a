# What a silent one wrote before its unmap is dropped.
/^void vdb_protocol_unmap/,/^}/s/^		hear(e);$/		;/
