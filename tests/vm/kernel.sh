# SPDX-License-Identifier: GPL-2.0-only
# Debian's stock kernels: for each series image, headers, the test modules
# that Debian leaves out (built from its own kernel source package), and an
# initrd. Sourced after root.sh; need_kernel sets KERNEL_DIR.

need_kernel()
{
	local series=$1 id

	id=$(key "$VM/kernel-make" "$VM/initrd-init")
	KERNEL_DIR=$CACHE/kernel-$series-$id
	[ ! -e "$KERNEL_DIR/done" ] || { touch "$KERNEL_DIR/done"; return 0; }
	lock "$CACHE/kernel-$series.lock"
	if [ ! -e "$KERNEL_DIR/done" ]; then
		namespace rm -rf "$KERNEL_DIR"
		mkdir -p "$KERNEL_DIR"
		step "fetching kernel $series (once)" "$LOGS/kernel-$series.log" \
			inside bash /src/tests/vm/kernel-make fetch "$series" \
			"/cache/${KERNEL_DIR##*/}"
		step "building its extra modules (once)" \
			"$LOGS/kernel-$series-extra.log" \
			inside -k "$KERNEL_DIR/root" \
			bash /src/tests/vm/kernel-make extra "$series" \
			"/cache/${KERNEL_DIR##*/}"
		touch "$KERNEL_DIR/done"
	fi
	unlock
}
