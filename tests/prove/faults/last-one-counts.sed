# Of several silent writers one is taken to be the one that wrote.
/^void vdb_engine_hear/,/^}/{
	s/^		if (n == 1)$/		if (n)/
}
