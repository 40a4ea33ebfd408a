# A reader's end takes entries away through which another one has written.
/^void vdb_engine_revoke/,/^}/s/^		cpu_wrote(e, chunk);$/		;/
/^void vdb_engine_write/,/^}/s/^	cpu_wrote(e, chunk);$/	;/
