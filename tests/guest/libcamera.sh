# SPDX-License-Identifier: GPL-2.0-only
# libcamera as Debian ships it, with cameras that have a media controller;
# sourced after tap.sh by a test for each of its versions.
#
# It takes only devices whose driver it knows by name. With the name of a
# handler of plain pipelines it gives what the sensor sends; with that of one
# that needs software for raw pixels, it can turn those into pictures.
plain_driver=mxc-isi
software_driver=j721e-csi2rx

stamp_check=$programs/stamp-check
display=$debug/vivid-ext-display
export LIBCAMERA_LOG_NO_COLOR=1
# Newer versions would have EGL do it, which is software here as well.
export LIBCAMERA_SOFTISP_MODE=cpu

# cameras COUNT DRIVER OPTIONS...
cameras()
{
	n=$1 name=$2
	shift 2
	load vivid-ext n_devs="$n" mc=1 ${name:+media_driver=$name} "$@"
	udevadm settle
}

# Each camera by its path, so that people can tell two of them apart.
lists()
{
	cam -l > "$tmp/cams" 2>&1
	cat "$tmp/cams"
	for i in $(seq 0 $(($1 - 1))); do
		grep -q "platform/vivid-ext.$i vivid-ext sensor" "$tmp/cams" ||
			return 1
	done
	[ "$(grep -c '^[0-9]*: .*vivid-ext' "$tmp/cams")" = "$1" ]
}

# captured N COMMAND...: it says that it has got N frames.
captured()
{
	wanted=$1
	shift
	timeout 120 "$@" > "$tmp/cam" 2>&1
	status=$?
	grep -vE 'WARN|INFO' "$tmp/cam" | tail -n 15
	[ $status -eq 0 ] && [ "$(grep -c ' seq: ' "$tmp/cam")" -eq "$wanted" ]
}

# saved LIBCAMERA_FORMAT FOURCC ROLE [COLORSPACE]: all frames are in the files, whole.
saved()
{
	rm -rf "$tmp/saved"
	mkdir "$tmp/saved"
	captured 5 cam -c1 --capture=5 --strict-formats \
		-s "role=$3,width=640,height=480,pixelformat=$1${4:+,colorspace=$4}" \
		--file="$tmp/saved/#.bin" || return 1
	cat "$tmp"/saved/*.bin > "$tmp/frames"
	"$stamp_check" -f "640x480:$2" "$tmp/frames" | tee "$tmp/stamps"
	grep -q '^5 frames, 0 wrong' "$tmp/stamps"
}

# The second program sets all formats of the first one's sensor while that
# streams, to find out what there is.
two_programs_at_once()
{
	timeout 120 cam -c1 --capture=60 > "$tmp/first" 2>&1 &
	pid=$!
	until grep -q ' seq: ' "$tmp/first" || ! kill -0 $pid; do
		sleep 0.1
	done
	captured 20 cam -c2 --capture=20
	status=$?
	wait $pid || status=1
	count=$(grep -c ' seq: ' "$tmp/first")
	echo "the first has $count frames"
	[ $status -eq 0 ] && [ "$count" -eq 60 ]
}

both_by_one_program()
{
	timeout 120 cam -c1 --capture=20 -c2 --capture=20 > "$tmp/cam" 2>&1 ||
		return 1
	tail -n 5 "$tmp/cam"
	for i in 0 1; do
		grep -c "cam$i.*seq: " "$tmp/cam"
		[ "$(grep -c "cam$i.*seq: " "$tmp/cam")" -eq 20 ] || return 1
	done
}

counter()
{
	sed -n "s/^$1 //p" "$display/stats"
}

# shown LEAST COMMAND...: the display's scan-out has read frames of the
# camera's own memory, whole ones, and not a byte was copied.
shown()
{
	least=$1 counters="zero_copy_frames fallback_frames bytes_copied
		stamps_read checksum_mismatches"
	shift
	for c in $counters; do
		eval "before_$c=$(counter $c)"
	done
	timeout 120 "$@" > "$tmp/cam" 2>&1
	status=$?
	grep -vE 'WARN|INFO|seq:' "$tmp/cam" | tail -n 15
	for c in $counters; do
		eval "$c=\$(($(counter $c) - before_$c))"
		eval "echo note: $c: \$$c"
	done
	[ $status -eq 0 ] && [ $zero_copy_frames -ge "$least" ] &&
		[ $stamps_read -ge "$least" ] && [ $fallback_frames -eq 0 ] &&
		[ $bytes_copied -eq 0 ] && [ $checksum_mismatches -eq 0 ]
}

# Stock vkms counts nothing: while it runs, a buffer of ours is attached to
# both, the camera and vkms, and afterwards no buffer is left.
shown_on_vkms()
{
	timeout 120 cam -c1 --capture=60 --display -s \
		width=640,height=480,pixelformat=XRGB8888,colorspace=sRGB \
		> "$tmp/cam" 2>&1 &
	pid=$!
	both=0
	while kill -0 $pid 2> /dev/null; do
		awk '/videobuf2-dmabuf/ { camera = display = 0 }
			/vivid-ext\.0/ { camera = 1 }
			/vkms/ { display = 1 }
			camera && display { both = 1 }
			END { exit !both }' $debug/dma_buf/bufinfo && both=1
		sleep 0.2
	done
	wait $pid
	status=$?
	count=$(grep -c ' seq: ' "$tmp/cam")
	echo "status $status, $count frames, attached to both: $both"
	[ $status -eq 0 ] && [ "$count" -eq 60 ] && [ $both -eq 1 ] &&
		no_dmabufs
}

gst()
{
	timeout 90 gst-launch-1.0 -q "$@"
}

gst_saved()
{
	gst libcamerasrc ! "video/x-raw,format=NV12,width=640,height=480" ! \
		identity eos-after=6 ! filesink location="$tmp/frames" &&
		"$stamp_check" -f 640x480:NV12 "$tmp/frames"
}

# Every test but those that need two streams of one camera.
lc_compliance()
{
	id=$(sed -n 's/^1: .*(\(.*\))$/\1/p' "$tmp/cams")
	timeout 900 lc-compliance -c "$id" > "$tmp/lc" 2>&1
	status=$?
	grep -E '^\[  (PASSED|SKIPPED|FAILED) .* test|FAILED' "$tmp/lc" |
		sed 's/^/note: /'
	[ $status -eq 0 ] && ! grep -q FAILED "$tmp/lc" &&
		grep -q '^\[  PASSED  \] [1-9]' "$tmp/lc"
}

# Raw pixels become a picture, in whose middle line are the bars in their
# colours. The camera itself has no format with alpha. software_isp WIDTH HEIGHT
software_isp()
{
	captured 10 cam -c1 --capture=10 \
		-s "role=viewfinder,width=$1,height=$2,pixelformat=ARGB8888" \
		--file="$tmp/isp-#.bin" || return 1
	last=$(ls "$tmp"/isp-*.bin | tail -n 1)
	size=$(stat -c %s "$last")
	[ "$size" -eq $(($1 * $2 * 4)) ] || return 1
	od -An -v -tu1 -w4 -j $((size / 2)) -N $(($1 * 4)) "$last" |
		awk -v bar=$(($1 / 8)) '
		function at(n) { return NR == int(bar * (n + 0.5)) }
		at(3) || at(5) || at(6) || at(7) {
			print "blue, green, red of bar " int(NR / bar) ":" $0
		}
		at(3) { green = $2 > 2 * $1 && $2 > 2 * $3 }
		at(5) { red = $3 > 2 * $1 && $3 > 2 * $2 }
		at(6) { blue = $1 > 2 * $2 && $1 > 2 * $3 }
		at(7) { black = $1 + $2 + $3 < 120 }
		END { exit !(red && green && blue && black) }'
	status=$?
	rm -f "$tmp"/isp-*
	return $status
}

libcamera_tests()
{
	cameras 2 ""
	ok "does not take a driver that it has no name for" lists 0
	cameras 2 $plain_driver
	ok "lists two cameras" lists 2
	for f in YUYV UYVY NV12; do
		ok "$f to files" saved $f $f viewfinder Rec709
	done
	ok "XRGB8888 to files" saved XRGB8888 XR24 viewfinder
	for f in SRGGB8:RGGB SBGGR8:BA81; do
		ok "${f%:*} to files" saved ${f%:*} ${f#*:} raw
	done
	ok "two cameras, two programs" two_programs_at_once
	ok "two cameras, one program" both_by_one_program
	ok "libcamerasrc, NV12 to a file" gst_saved

	modprobe vivid-ext-display
	udevadm settle
	for f in XRGB8888,colorspace=sRGB NV12,colorspace=Rec709; do
		ok "cam --display, ${f%%,*}, without a copy" shown 45 \
			cam -c1 --capture=60 --display \
			-s width=640,height=480,pixelformat=$f
	done
	ok "libcamerasrc ! kmssink, without a copy" shown 20 \
		gst-launch-1.0 -q libcamerasrc ! \
		"video/x-raw,format=BGRx,width=640,height=480" ! \
		identity eos-after=31 ! \
		kmssink driver-name=vivid-ext-display sync=false
	modprobe -r vivid-ext-display
	modprobe vkms
	udevadm settle
	ok "cam --display on vkms, one buffer for both" shown_on_vkms
	modprobe -r vkms
	ok "lc-compliance" lc_compliance

	cameras 1 $software_driver
	if [ -e /dev/dma_heap/system ] || modprobe udmabuf; then
		lists 1 > /dev/null
		ok "software ISP" software_isp 1912 1072
	else
		skip "software ISP" "this kernel has neither heaps nor udmabuf"
	fi
}
