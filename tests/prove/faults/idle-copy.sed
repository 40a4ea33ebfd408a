# An idle copy is asked although others have newer bytes.
/^bool vdb_engine_unheard/,/^}/s/return test_bit(chunk, e->views\[view\].newest) \&\&/return/
