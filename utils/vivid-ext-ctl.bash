# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2207 # completions are words
# bash completion for vivid-ext-ctl: commands, cameras and settings, as far as
# the kernel tells them.

_vivid_ext_ctl()
{
	local cameras=/sys/kernel/config/vivid-ext
	local cur=${COMP_WORDS[COMP_CWORD]} i=1 words command names settings values

	# bash takes name=value apart where = is in COMP_WORDBREAKS.
	while [ $i -lt "$COMP_CWORD" ] && [[ ${COMP_WORDS[i]} == -* ]]; do
		i=$((i + 1))
	done
	COMPREPLY=()
	if [ $i -eq "$COMP_CWORD" ]; then
		words='add remove list set settings --json --help'
		COMPREPLY=($(compgen -W "$words" -- "$cur"))
		return
	fi
	command=${COMP_WORDS[i]}
	names=$(cd $cameras 2> /dev/null && printf '%s\n' */ | tr -d '/*')
	settings=$(cut -f 1 $cameras/settings 2> /dev/null)
	if [ "${COMP_WORDS[COMP_CWORD - 1]}" = = ] || [ "$cur" = = ]; then
		[ "$cur" != = ] || cur=
		i=$((COMP_CWORD - 1))
		[ "${COMP_WORDS[i]}" = = ] || i=$COMP_CWORD
		values=$(awk -F '\t' -v name="${COMP_WORDS[i - 1]}" \
			'$1 == name && $2 !~ /^[0-9]+-[0-9]+$/ { print $2 }
			 $1 == name && $2 == "0-1" { print "0|1" }' \
			$cameras/settings 2> /dev/null | tr '|' ' ')
		COMPREPLY=($(compgen -W "$values" -- "$cur"))
		return
	fi
	case $command in
	remove|list)
		COMPREPLY=($(compgen -W "$names" -- "$cur")) ;;
	set)
		if [ "$COMP_CWORD" -eq $((i + 1)) ]; then
			COMPREPLY=($(compgen -W "$names" -- "$cur"))
			return
		fi ;&
	add)
		[ "$COMP_CWORD" -gt $((i + 1)) ] || return
		compopt -o nospace
		COMPREPLY=($(compgen -S = -W "$settings" -- "$cur")) ;;
	esac
}
complete -F _vivid_ext_ctl vivid-ext-ctl
