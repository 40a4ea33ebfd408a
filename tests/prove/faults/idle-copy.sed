# An idle copy is asked although others have newer bytes.
/^static bool unheard/,/^}/s/return test_bit(chunk, e->views\[view\].newest) \&\&/return/
