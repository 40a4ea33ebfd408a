# Who begins while another one writes in a bracket fetches over its bytes.
/^void vdb_engine_hear/,/^}/s/ || bracket_writes(e)//
