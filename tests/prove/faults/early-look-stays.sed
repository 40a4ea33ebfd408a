# Entries that came while a device had the buffer stay when it is delivered.
/^static bool outdated/,/^}/s/vdb_engine_outdated_entries(e)/false/
