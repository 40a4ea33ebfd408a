# Somebody looks, and the frame that a queue's CPU draws is overwritten.
/^static bool queue_writes/,/^}/s/v = 0/v = 1/
