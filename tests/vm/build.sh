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
		-name Makefile -o -name Kbuild -o -name modules-make \) \
		! -name '*.mod.c' 2> /dev/null |
		sort | xargs -r -d '\n' sha256sum | sha256sum)
	STATE="$STATE ${KERNEL_DIR##*/} $ROOT"
	[ ! -e "$stamp" ] || [ "$(cat "$stamp")" != "$STATE" ]
}

build_modules()
{
	local series=$1 dir=$GUEST/modules/$1

	lock "$dir.lock"
	if changed "$dir/stamp" Kbuild drivers include media \
		tests/vm/modules-make; then
		mkdir -p "$dir"
		step "building the modules for $series" \
			"$LOGS/modules-$series.log" \
			inside -k "$KERNEL_DIR/root" \
			sh /src/tests/vm/modules-make "$series" \
			"$(cat "$KERNEL_DIR/version")"
		echo "$STATE" > "$dir/stamp"
	fi
	unlock
}

# build_programs SOURCE_DIR OUTPUT_DIR
build_programs()
{
	[ -e "$TOP/$1/Makefile" ] || return 0
	lock "$GUEST/$2.lock"
	if changed "$GUEST/$2.stamp" "$1" include tests/lib; then
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
