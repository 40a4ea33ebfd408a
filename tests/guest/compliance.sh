# SPDX-License-Identifier: GPL-2.0-only
# v4l2-compliance without a failure or a warning; sourced after tap.sh.
#
# A tool that is not as old as the kernel finds faults in the kernel's core.
# compliance-KERNEL-TOOL.allow lists them by exact text, one a line, and
# compliance-KERNEL-TOOL-KIND.allow those that nodes of a KIND have besides:
# what is not in a list fails, and so does a line of a list that no longer
# occurs. TOOL is "new", or "old" for Debian 12's, which runs on its kernel.

series=$(uname -r | cut -d . -f 1-2)
old=/opt/bookworm/bin/v4l2-compliance

# "test X: FAIL", "warn: ..." and "fail: ..." without line numbers.
complaints()
{
	may_drop_frames && dropped='got sequence number' || dropped='^$'
	tr '\r' '\n' < "$1" | grep -v "$dropped" | sed -n -e 's/([0-9]*)//' \
		-e 's/\(for buftype\) [0-9]*/\1/' \
		-e 's/.*\(warn: .*\)/\1/p' -e 's/.*\(fail: .*\)/\1/p' \
		-e 's/.*\(test .*: FAIL\).*/\1/p' | sort -u
}

# allowed TOOL: for a node of $kind, if that is set.
allowed()
{
	[ "$1" = $old ] && age=old || age=new
	for list in "$here/compliance-$series-$age${kind:+-$kind}.allow" \
		    "$here/compliance-$series-$age.allow"; do
		[ ! -f "$list" ] || sed -e '/^#/d' -e '/^$/d' "$list"
	done | sort -u
}

# compliance TOOL ARGUMENTS...
compliance()
{
	timeout 150 "$@" > "$tmp/out" 2>&1
	status=$?
	total=$(grep -E "^(Grand )?Total for" "$tmp/out" | tail -n 1)
	complaints "$tmp/out" > "$tmp/found"
	allowed "$1" > "$tmp/allowed"
	comm -13 "$tmp/allowed" "$tmp/found" > "$tmp/bad"
	comm -23 "$tmp/allowed" "$tmp/found" > "$tmp/unused"
	echo "note: $total (exit status $status)"
	[ -n "$total" ] || tail -n 40 "$tmp/out"
	sed 's/^/not allowed: /' "$tmp/bad"
	sed 's/^/only in the list of what is allowed: /' "$tmp/unused"
	[ -n "$total" ] && [ ! -s "$tmp/bad" ] && [ ! -s "$tmp/unused" ] ||
		return 1
	case $total in
	*"Failed: 0, Warnings: 0") return $status ;;
	*"Failed: 0, Warnings: "*) may_drop_frames || [ -s "$tmp/allowed" ] ;;
	*) [ -s "$tmp/allowed" ] ;;
	esac
}

tools=v4l2-compliance
[ "$series" != 6.1 ] || tools="$tools $old"
