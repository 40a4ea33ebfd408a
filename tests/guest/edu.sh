# SPDX-License-Identifier: GPL-2.0-only
# For tests with QEMU's edu devices as importers: sourced after tap.sh.

tracing=/sys/kernel/tracing

# use_edus OPTIONS...: the importers are two edu devices.
use_edus()
{
	load vivid-ext output=1
	load vivid-ext-importer edu=1 "$@"
	echo > $tracing/trace
	echo 1 > $tracing/events/vb2_dmabuf/vdb_map/enable
}

# What the allocator mapped since, of one device or all: "view=... segments=N".
mapped()
{
	grep "vdb_map: .*dev=$1" $tracing/trace | grep -o 'view=.*' | sort -u
}
