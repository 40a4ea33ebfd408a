# A reader's end takes entries away through which another one has written.
/^void vdb_engine_revoke/,/^}/s/^			cpu_wrote(e, chunk);$/			;/
