# SPDX-License-Identifier: GPL-2.0-only
# TAP for the tests in the guest: sourced by NAME.test, POSIX sh.
#
#   ok NAME COMMAND...       a test; the command's output is shown if it fails,
#                            else only its lines "note: ..."
#   skip NAME WHY            a test that cannot run here
#   suite LABEL PROGRAM...   all tests of a cmocka program
#   load MODULE OPTIONS...   load one of our modules afresh, with options
#   thorough                 whether there is time for more than every day
#   nodes                    the /dev/videoN of vivid-ext, in order
#   timeout SECONDS CMD...   as usual; where all is slower (SLOW=3), longer
#   may_drop_frames          whether a busy host makes the guest drop some
#   done_testing             leak check and plan: the last line of each test

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck disable=SC2034 # for the tests
programs=${TEST_PROGRAMS:-$here/../../build/guest/tests}
debug=/sys/kernel/debug
modules="vivid_ext_display vivid_ext_importer vivid_ext vivid_ext_m2m vivid_ext_v4l2 vivid_ext_common videobuf2_dmabuf"
count=0
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

timeout()
{
	time_limit=$(($1 * ${SLOW:-1}))
	shift
	command timeout $time_limit "$@"
}

# In User Mode Linux time is the host's, and not made of instructions.
may_drop_frames()
{
	case $(uname -r) in
	*-uml) ;;
	*) return 1 ;;
	esac
}

ok()
{
	name=$1
	shift
	count=$((count + 1))
	if ( "$@" ) > "$tmp/ok.log" 2>&1; then
		echo "ok $count - $name"
		sed -n 's/^note: /# /p' "$tmp/ok.log"
		return 0
	fi
	echo "not ok $count - $name"
	echo "# command: $*"
	# Not sed, which would leave a last line as open as it is.
	tail -n 60 "$tmp/ok.log" | awk '{ print "# " $0 }'
	return 1
}

skip()
{
	count=$((count + 1))
	echo "ok $count - $1 # SKIP $2"
}

# What cmocka prints, numbered on from ours; the program must come to its end.
suite()
{
	suite=$1
	shift
	CMOCKA_MESSAGE_OUTPUT=TAP timeout 240 stdbuf -oL "$@" \
		> "$tmp/suite.log" 2>&1
	status=$?
	awk -v label="$suite" -v n=$count -v planned=0 -v seen=0 '
	/^1\.\.[0-9]+$/ { planned = substr($0, 4) + 0; next }
	/^(not )?ok [0-9]+ # SKIP/ {
		sub(/^(not )?ok [0-9]+ # SKIP /, "")
		printf "ok %d - %s: %s # SKIP %s\n", ++n, label, $0, why
		seen++; why = ""; next
	}
	/^(not )?ok [0-9]+/ {
		result = $1 == "ok" ? "ok" : "not ok"
		sub(/^(not )?ok [0-9]+( - )?/, "")
		printf "%s %d - %s: %s\n", result, ++n, label, $0
		seen++; next
	}
	/^# skip: / { why = substr($0, 9); next }
	/^# (not )?ok - / || /^TAP version/ { next }
	/^# / { print; next }
	{ print "# " $0 }
	END {
		while (seen < planned) {
			printf "not ok %d - %s: a test did not finish\n",
				++n, label
			seen++
		}
		if (!planned)
			printf "not ok %d - %s: runs\n", ++n, label
	}' "$tmp/suite.log" > "$tmp/suite.tap"
	cat "$tmp/suite.tap"
	count=$((count + $(grep -cE '^(not )?ok ' "$tmp/suite.tap")))
	[ $status -eq 0 ] || echo "# $* ended with status $status"
}

load()
{
	udevadm settle
	modprobe -r "$1" && modprobe "$@"
}

thorough()
{
	[ -n "${THOROUGH:-}" ]
}

nodes()
{
	for link in $(ls -dv /sys/class/video4linux/video* 2> /dev/null); do
		case $(readlink "$link/device/driver") in
		*/${1:-vivid-ext}) echo "/dev/${link##*/}" ;;
		esac
	done
}

node()
{
	nodes "${2:-vivid-ext}" | sed -n "$1p"
}

# Nothing of ours is left: no dma-buf, and every module can go.
no_dmabufs()
{
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		grep -w videobuf2-dmabuf $debug/dma_buf/bufinfo || return 0
		sleep 0.2
	done
	echo "these dma-bufs are still alive" >&2
	return 1
}

counts_are_zero()
{
	[ -f $debug/videobuf2-dmabuf/stats ] || return 0
	grep -E '^(buffers|bytes|attachments) ' $debug/videobuf2-dmabuf/stats |
		awk '{ print; sum += $2 < 0 ? -$2 : $2 } END { exit sum != 0 }'
}

modules_unload()
{
	udevadm settle
	for module in $modules; do
		[ ! -d /sys/module/$module ] || rmmod $module || return 1
	done
}

done_testing()
{
	ok "no dma-buf is left" no_dmabufs
	ok "the allocator counts no buffer, byte or attachment" counts_are_zero
	ok "all modules unload" modules_unload
	echo "1..$count"
}
