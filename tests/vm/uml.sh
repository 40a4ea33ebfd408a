# SPDX-License-Identifier: GPL-2.0-only
# KERNEL=uml: a debug kernel that is an ordinary process, User Mode Linux. It
# runs in the Debian root's throw-away layer as its root file system, natively
# but with one CPU. Sourced after root.sh.

# Sets KERNEL_DIR, as need_kernel does for the stock kernels.
need_uml()
{
	local id

	id=$(key "$VM/uml-make" "$VM/uml.config")
	KERNEL_DIR=$CACHE/kernel-uml-$id
	[ ! -e "$KERNEL_DIR/done" ] || { touch "$KERNEL_DIR/done"; return 0; }
	lock "$CACHE/kernel-uml.lock"
	if [ ! -e "$KERNEL_DIR/done" ]; then
		namespace rm -rf "$KERNEL_DIR"
		mkdir -p "$KERNEL_DIR"
		step "fetching the debug kernel's source (once)" \
			"$LOGS/kernel-uml.log" inside \
			bash /src/tests/vm/uml-make fetch \
			"/cache/${KERNEL_DIR##*/}"
		step "building it (10 to 20 minutes, once)" \
			"$LOGS/kernel-uml-build.log" inside \
			bash /src/tests/vm/uml-make build \
			"/cache/${KERNEL_DIR##*/}"
		touch "$KERNEL_DIR/done"
	fi
	unlock
}

# The guest of `vm`: uses its $out, $ctl, $timeout and $append, sets rc. The
# command's outputs are serial lines, which lead to file descriptors.
uml_guest()
{
	local args=(
		mem="$memory" root=/dev/root rootfstype=hostfs rw uml=yes
		init=/src/tests/vm/guest-init panic=-1 oops=panic noreboot
		con=null con0=null,null ssl0=null,fd:3 ssl1=null,fd:4
	) word

	# There are no bounce buffers: tests see that none were asked for.
	for word in $append; do
		[[ $word = swiotlb=* ]] || args+=("$word")
	done
	rc=0
	inside -k "$KERNEL_DIR/root" -b "$out:out" -b "$ctl:ctl" \
		timeout --foreground "$timeout" env TMPDIR=/tmp \
		"/cache/${KERNEL_DIR##*/}/linux" "${args[@]}" \
		3>&1 4>&2 > "$ctl/qemu" 2> "$ctl/console" < /dev/null || rc=$?
}
