# A reader's end ends a writer's access as well.
# with: import-memory,bracket,bracket,vmap
/^void vdb_engine_end/,/^}/s/^	if (!writes)$/	if (!e->write_brackets)/
