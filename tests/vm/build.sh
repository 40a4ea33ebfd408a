# SPDX-License-Identifier: GPL-2.0-only
# Builds our modules for a kernel, and the programs, inside the root, into
# build/guest. Sourced after kernel.sh. What has not changed is not touched.

# changed STAMP PATH...: whether what lies in PATH... differs from the time
# when the stamp was made; then sets STATE, to be written to the stamp.
changed()
{
	local stamp=$1

	shift
	STATE=$(cd "$TOP" && find "$@" -type f \( -name '*.[ch]' -o \
		-name Makefile -o -name Kbuild -o -name '*-make' -o \
		-name '*.sed' -o -name Module.symvers \) \
		! -name '*.mod.c' 2> /dev/null |
		sort | xargs -r -d '\n' sha256sum | sha256sum)
	STATE="$STATE ${KERNEL_DIR##*/} $ROOT"
	[ ! -e "$stamp" ] || [ "$(cat "$stamp")" != "$STATE" ]
}

build_modules()
{
	local series=$1 dir=$GUEST/modules/$1

	lock "$dir.lock"
	if changed "$dir/stamp" Kbuild compat drivers include media \
		tests/vm/modules-make; then
		mkdir -p "$dir"
		step "building the modules for $series" \
			"$LOGS/modules-$series.log" \
			inside -k "$KERNEL_DIR/root" \
			sh /src/tests/vm/modules-make "$series" \
			"$(cat "$KERNEL_DIR/version")" \
			"/cache/${KERNEL_DIR##*/}/drivers/Module.symvers"
		echo "$STATE" > "$dir/stamp"
	fi
	unlock
}

# build_ported SERIES: Debian's drivers, changed to our allocator, where a test
# wants them; for Debian's kernels only.
build_ported()
{
	local dir=$GUEST/modules/$1

	[ -d "$KERNEL_DIR/drivers" ] || return 0
	lock "$dir.lock"
	if changed "$dir/ported.stamp" include/media Documentation/drop-in.sed \
		tests/vm/ported-make "${dir#"$TOP"/}/source/Module.symvers"; then
		step "porting drivers to our allocator for $1" \
			"$LOGS/ported-$1.log" inside -k "$KERNEL_DIR/root" \
			sh /src/tests/vm/ported-make "$1" \
			"$(cat "$KERNEL_DIR/version")" \
			"/cache/${KERNEL_DIR##*/}/drivers"
		echo "$STATE" > "$dir/ported.stamp"
	fi
	unlock
}

# build_programs SOURCE_DIR OUTPUT_DIR
build_programs()
{
	[ -e "$TOP/$1/Makefile" ] || return 0
	lock "$GUEST/$2.lock"
	if changed "$GUEST/$2.stamp" "$1" include tests/lib tests/prove \
		media/videobuf2-dmabuf; then
		mkdir -p "$GUEST/$2"
		step "building $1" "$LOGS/$2.log" inside \
			make -C "/src/$1" O="/src/build/guest/$2"
		echo "$STATE" > "$GUEST/$2.stamp"
	fi
	unlock
}

build_all()
{
	build_modules "$1"
	build_programs utils bin
	build_programs tests/guest tests
}
