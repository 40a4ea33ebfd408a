# The last device that can be asked for its bytes goes, and others stay.
/^struct vdb_move vdb_engine_rescue/,/^}/s/(writes ? e->views\[view\].writers : e->views\[view\].devices)/e->views[view].devices/
