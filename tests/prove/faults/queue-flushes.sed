# A kernel mapping that idles counts as written when a queue gets the buffer.
/^void vdb_engine_abandon/,/^}/s/^	if (bracket_writes(e))$/	if (e->mappings)/
