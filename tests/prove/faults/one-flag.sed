# A reader's end ends a writer's access as well.
/^void vdb_engine_end/,/^}/s/^	if (!writes)$/	if (!e->write_brackets)/
