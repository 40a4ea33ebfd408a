# SPDX-License-Identifier: GPL-2.0-only
# Shared by the harness's scripts: places, progress, locks, and how to get
# into the Debian root. Sourced by bash, never run.

set -euo pipefail
umask 022

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
VM=$TOP/tests/vm
CACHE=${VDB_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/videobuf2-dmabuf}
# shellcheck disable=SC2034 # for build.sh
GUEST=$TOP/build/guest
LOGS=$TOP/build/logs

die()
{
	echo "$*" >&2
	exit 1
}

# step TEXT LOG COMMAND...: run a command that takes a while; people see what
# it is and how long it took, its output goes to the log, whose end is shown
# when it fails.
step()
{
	local text=$1 log=$2 start=$SECONDS rc=0

	shift 2
	mkdir -p "$(dirname "$log")"
	printf '%s ...' "$text" >&2
	"$@" > "$log" 2>&1 || rc=$?
	if [ $rc -ne 0 ]; then
		printf ' failed\n' >&2
		grep -nE '(error|Error|^E|cannot|No such)[: ]' "$log" |
			head -n 20 >&2 || tail -n 20 "$log" >&2
		die "failed: $text; the whole log is $log"
	fi
	printf ' %d s\n' $((SECONDS - start)) >&2
}

# lock FILE: hold a lock until this shell ends, or until unlock.
lock()
{
	mkdir -p "$(dirname "$1")"
	exec 9> "$1"
	flock -n 9 && return
	echo "waiting for another run that holds $1" >&2
	flock 9
}

unlock()
{
	exec 9>&-
}

# key [FILE...]: short name for the contents of these files, or of stdin.
key()
{
	cat "$@" | sha256sum | cut -c 1-12
}

# namespace COMMAND...: run as root of private mount and process namespaces;
# an ordinary user becomes root of a user namespace too. Nothing that is
# mounted or started in there outlives the command.
namespace()
{
	local user=()

	[ "$(id -u)" = 0 ] || user=(--user --map-auto --map-root-user)
	unshare "${user[@]}" --mount --pid --fork --kill-child "$@"
}

# Say in one line what a machine lacks, or, as root, install it.
check_host()
{
	local need=()

	command -v mmdebstrap > /dev/null || need+=(mmdebstrap)
	if [ "$(id -u)" != 0 ]; then
		command -v newuidmap > /dev/null || need+=(uidmap)
	fi
	if [ ${#need[@]} -gt 0 ]; then
		[ "$(id -u)" = 0 ] ||
			die "please run: sudo apt-get install ${need[*]}"
		step "installing ${need[*]} on this machine" \
			"$LOGS/apt.log" install_on_host "${need[@]}"
	fi
	[ "$(id -u)" = 0 ] || grep -qE "^($(id -un)|$(id -u)):" /etc/subuid ||
		die "please run: sudo usermod --add-subuids 100000-165535" \
			"--add-subgids 100000-165535 $(id -un)"
	namespace true 2> /dev/null ||
		die "mounts in a namespace of one's own are not allowed here" \
			"(a container?): run this on the machine itself or as root"
}

install_on_host()
{
	export DEBIAN_FRONTEND=noninteractive

	apt-get install -y --no-install-recommends "$@" ||
		{ apt-get update &&
		  apt-get install -y --no-install-recommends "$@"; }
}

# inside [-k DIR]... [-b HOST_DIR:PLACE]... COMMAND...: run a command in the
# Debian root, over it the files of a kernel or of more packages. What it writes
# is thrown away, except below /src (the checkout), /cache, and the directories
# of -b.
inside()
{
	namespace bash "$VM/inside" "$ROOT" "$TOP" "$CACHE" "$@"
}
