# Somebody looks, and the frame that a queue's CPU draws is overwritten.
/^bool vdb_engine_queue_writes/,/^}/s/v = 0/v = 1/
