# SPDX-License-Identifier: GPL-2.0-only
# The Debian 13 root: made once by mmdebstrap, kept in the cache as a
# directory (to build in and to run QEMU from) and as a squashfs image (what
# guests boot). Sourced after lib.sh; need_root sets ROOT and ROOTFS.

# Not in guests: only needed to build, to boot, or to install packages.
GUEST_WITHOUT='proc/* sys/* dev/* src/* cache/* usr/include/* usr/src/* usr/lib/gcc/* usr/libexec/gcc/*
usr/lib/x86_64-linux-gnu/*.a usr/share/qemu/* usr/bin/qemu-system-*
usr/share/icons/* usr/share/fonts/* usr/lib/python3*/*
var/cache/* var/lib/apt/lists/* var/log/* tmp/* run/*'

# mirror REGEXP: the site from which this machine gets releases so called.
mirror()
{
	apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(SITE)' |
		awk -v want="^($1)\$" '$1 ~ want && $2 == "main" &&
			$3 ~ "^(https?|mirror)" { print $3; exit }'
}

# The sources of the root, from the machine's own apt configuration.
sources()
{
	local main security

	main=${VDB_MIRROR:-$(mirror 'bookworm|trixie|forky|sid|stable|testing')}
	security=$(mirror '[a-z]+-security')
	[ -n "$main" ] || die "no Debian mirror in this machine's apt" \
		"configuration: set VDB_MIRROR to the address of one"
	for suite in trixie trixie-updates trixie-backports bookworm; do
		echo "deb $main $suite main"
	done
	[ -z "$security" ] || for suite in trixie bookworm; do
		echo "deb $security $suite-security main"
	done
}

# Proxies of the machine's apt configuration, as options for mmdebstrap.
proxies()
{
	apt-config dump | grep -iE '^acquire::[^ ]*proxy[^ ]* "' || :
}

make_root_dir()
{
	local dir=$1 opts=() line

	while IFS= read -r line; do
		opts+=(--aptopt="$line")
	done < <(proxies)
	for line in doc man info locale help; do
		opts+=(--dpkgopt="path-exclude=/usr/share/$line/*")
	done
	namespace mmdebstrap --mode=root --variant=apt \
		--aptopt='Apt::Install-Recommends "false"' \
		--aptopt='Acquire::Languages "none"' \
		--aptopt='APT::Sandbox::User "root"' \
		--dpkgopt=force-unsafe-io "${opts[@]}" \
		--include="$(packages)" \
		--customize-hook="chroot \"\$1\" sh -se < '$VM/root-finish'" \
		trixie "$dir" - < <(sources)
}

packages()
{
	sed 's/#.*//' "$VM/packages" | xargs | tr ' ' ,
}

# root_image FILE: what guests boot, of the root as it is inside. Runs inside.
root_image()
{
	# shellcheck disable=SC2116 # the names become one line
	cat <<-END
		set -ef
		mkdir -p /ctl /out
		rm -f /etc/resolv.conf
		mksquashfs / $1.new -comp lz4 -noappend -no-progress \
			-wildcards -e $(echo $GUEST_WITHOUT)
		mv $1.new $1
	END
}

# What the root depends on: not on the rest of this file.
root_key()
{
	echo "$GUEST_WITHOUT"
	declare -f make_root_dir packages root_image sources
	cat "$VM/packages" "$VM/root-finish"
}

need_root()
{
	local id dir

	id=$(root_key | key)
	dir=$CACHE/root-$id
	ROOT=$dir/root
	ROOTFS=$dir/root.sqfs
	[ ! -e "$dir/done" ] || { touch "$dir/done"; return 0; }
	check_host
	lock "$CACHE/root.lock"
	if [ ! -e "$dir/done" ]; then
		namespace rm -rf "$dir"
		mkdir -p "$dir"
		step "making the Debian root (about 3 minutes, once)" \
			"$LOGS/root.log" make_root_dir "$ROOT"
		step "packing it for guests" "$LOGS/root-image.log" \
			inside sh -c "$(root_image "/cache/root-$id/root.sqfs")"
		touch "$dir/done"
		forget_old
	fi
	unlock
}

# What no run has used for a month goes, when something new has been made.
forget_old()
{
	find "$CACHE" -mindepth 2 -maxdepth 2 -mtime +30 \
		\( -name 'done' -o -path '*/packages-*/root.sqfs' \) -print0 |
		while IFS= read -r -d '' file; do
			namespace rm -rf "$(dirname "$file")"
		done
}

# need_packages PACKAGE...: an image with more Debian packages; sets ROOTFS.
# bookworm:PACKAGE is Debian 12's, unpacked with all it depends on into a root
# of its own, /opt/bookworm/root.
need_packages()
{
	local id dir image

	id=$( (root_key; printf '%s\n' "$@" | sort -u
		declare -f install_packages) | key)
	dir=$CACHE/packages-$id
	image=$dir/root.sqfs
	# shellcheck disable=SC2034 # for vm
	ROOTFS=$image
	[ ! -e "$image" ] || { touch "$image"; return 0; }
	lock "$CACHE/packages-$id.lock"
	if [ ! -e "$image" ]; then
		mkdir -p "$dir"
		step "adding $*" "$LOGS/packages.log" inside bash -euc "
			$(declare -f install_packages)
			install_packages $*
			$(root_image "/cache/packages-$id/root.sqfs")"
	fi
	unlock
}

# Runs inside. GStreamer's registries are made anew, for what came to it.
install_packages()
{
	local new=() old=() p dir=/opt/bookworm/root
	local reg=/usr/share/gst.reg

	for p; do
		case $p in
		bookworm:*) old+=("${p#*:}") ;;
		*) new+=("$p") ;;
		esac
	done
	apt-get -q update
	if [ ${#old[@]} -gt 0 ]; then
		mkdir -p $dir/{dev,proc,run,sys,tmp} /tmp/debs/partial
		: > /tmp/status
		apt-get -qy --no-install-recommends --download-only \
			-t bookworm -o Dir::State::status=/tmp/status \
			-o Dir::Cache::Archives=/tmp/debs install "${old[@]}"
		for p in /tmp/debs/*.deb; do
			dpkg-deb -x "$p" $dir
		done
		rm -rf /tmp/debs $dir/usr/share/{doc,man,locale,fonts,icons}
		GST_REGISTRY=$reg chroot $dir /usr/bin/gst-inspect-1.0 \
			> /dev/null || :
	fi
	[ ${#new[@]} = 0 ] ||
		apt-get -qy --no-install-recommends install "${new[@]}"
	apt-get clean
	GST_REGISTRY=$reg gst-inspect-1.0 > /dev/null
}
