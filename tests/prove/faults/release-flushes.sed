# Whoever lets go of a kernel mapping has written to all of it.
/^void vdb_engine_del_mapping/,/^}/s/^	if (e->write_brackets)$/	if (true)/
