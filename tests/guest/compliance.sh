# SPDX-License-Identifier: GPL-2.0-only
# v4l2-compliance without a failure or a warning; sourced after tap.sh.
#
# A tool that is not as old as the kernel finds faults in the kernel's core.
# compliance-KERNEL-TOOL.allow lists them by exact text, one a line:
# what is not in the list fails, and so does a line of the list that no longer
# occurs. TOOL is "new", or "old" for Debian 12's, which runs on its kernel.

series=$(uname -r | cut -d . -f 1-2)
old=/opt/bookworm/bin/v4l2-compliance

# "test X: FAIL", "warn: ..." and "fail: ..." without line numbers.
complaints()
{
	may_drop_frames && dropped='got sequence number' || dropped='^$'
	tr '\r' '\n' < "$1" | grep -v "$dropped" | sed -n -e 's/([0-9]*)//' \
		-e 's/.*\(warn: .*\)/\1/p' -e 's/.*\(fail: .*\)/\1/p' \
		-e 's/.*\(test .*: FAIL\).*/\1/p' | sort -u
}

allow_list()
{
	[ "$1" = $old ] && age=old || age=new
	echo "$here/compliance-$series-$age.allow"
}

allowed()
{
	[ ! -f "$(allow_list "$1")" ] ||
		sed -e '/^#/d' -e '/^$/d' "$(allow_list "$1")" | sort -u
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
	sed "s,^,only in $(allow_list "$1"): ," "$tmp/unused"
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
