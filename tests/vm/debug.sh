# SPDX-License-Identifier: GPL-2.0-only
# The debug kernels, made from Debian's source: KERNEL=debug, which QEMU runs
# like a stock one, and KERNEL=uml, an ordinary process (User Mode Linux). That
# runs in the Debian root's throw-away layer as its root file system, natively
# but with one CPU. Sourced after root.sh.

is_uml()
{
	[ "$1" = uml ] || [ "$1" = coverage ]
}

is_debug()
{
	is_uml "$1" || [ "$1" = debug ]
}

# need_debug uml|coverage|debug: sets KERNEL_DIR, as need_kernel does for stock
# kernels. For coverage only our modules are made in another way.
need_debug()
{
	local kind=uml config=uml id

	is_uml "$1" || kind=debug config=x86
	id=$(key "$VM/debug-make" "$VM/debug.config" "$VM/$config.config")
	KERNEL_DIR=$CACHE/kernel-$kind-$id
	if [ -e "$KERNEL_DIR/done" ] && can_boot $kind; then
		touch "$KERNEL_DIR/done"
		return
	fi
	lock "$CACHE/kernel-$kind.lock"
	if [ ! -e "$KERNEL_DIR/done" ]; then
		namespace rm -rf "$KERNEL_DIR"
		mkdir -p "$KERNEL_DIR"
		step "fetching the debug kernel's source (once)" \
			"$LOGS/kernel-$kind.log" inside \
			bash /src/tests/vm/debug-make fetch "$kind" \
			"/cache/${KERNEL_DIR##*/}"
		step "building it (3 to 20 minutes, once)" \
			"$LOGS/kernel-$kind-build.log" inside \
			bash /src/tests/vm/debug-make build "$kind" \
			"/cache/${KERNEL_DIR##*/}"
		touch "$KERNEL_DIR/done"
	fi
	can_boot $kind || step "packing it for guests" \
		"$LOGS/kernel-$kind-boot.log" inside -k "$KERNEL_DIR/root" \
		bash /src/tests/vm/debug-make boot "$kind" \
		"/cache/${KERNEL_DIR##*/}"
	unlock
}

# What QEMU boots is made again, if that is changed, but not the kernel.
can_boot()
{
	[ "$1" = uml ] || [ "$KERNEL_DIR/initrd" -nt "$VM/initrd-init" ]
}

# The guest of `vm`: uses its $out, $ctl, $timeout and $append, sets rc. The
# command's outputs are serial lines, which lead to file descriptors.
# shellcheck disable=SC2034 # rc is vm's
uml_guest()
{
	# shellcheck disable=SC2054 # arguments with commas in them
	local args=(
		mem="$memory" root=/dev/root rootfstype=hostfs rw uml=yes
		init=/src/tests/vm/guest-init panic=-1 oops=panic noreboot
		con=null con0=null,null ssl0=null,fd:3 ssl1=null,fd:4
	) word

	[ "$ROOTFS" = "${ROOT%/*}/root.sqfs" ] ||
		args+=("ubd0r=/cache/${ROOTFS#"$CACHE"/}")
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
