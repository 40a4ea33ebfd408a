# Who asks nobody is not told what others wrote.
/^static void spread/,/^}/s/^	vdb_hand_unlock.*/	;/
