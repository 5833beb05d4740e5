# scripts/lib.sh - what the scripts share. Sourced; $here is the root of the tree.
# shellcheck shell=sh disable=SC2154

# as_root COMMAND...: runs it as root, with sudo when needed
as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null 2>&1; then
		sudo "$@"
	else
		return 126
	fi
}

# missing_packages LIST...: names from scripts/LIST that are not installed. An npm
# that came with another nodejs than Debian's is taken as it is: Debian's would
# not install beside it.
missing_packages() {
	for list; do
		sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$here/scripts/$list"
	done | sort -u | while read -r package; do
		[ "$package" != npm ] || ! command -v npm >/dev/null 2>&1 || continue
		state=$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null) || state=''
		case $state in ii*) ;; *) echo "$package" ;; esac
	done
}

# install_packages LIST...: installs what is missing of scripts/LIST, nothing else.
# No service is started: nginx would take port 80.
install_packages() {
	if ! command -v dpkg-query >/dev/null 2>&1; then
		echo "$0: this is no Debian; needed are the packages of: $*" >&2
		return 1
	fi
	missing=$(missing_packages "$@" | tr '\n' ' ')
	[ -n "$missing" ] || return 0
	echo "installing: $missing"
	if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null 2>&1; then
		echo "$0: not root and no sudo; as root: apt-get install --no-install-recommends $missing" >&2
		return 1
	fi
	log=$(mktemp)
	# shellcheck disable=SC2016,SC2086
	if as_root sh -c '
		policy=/usr/sbin/policy-rc.d
		if [ ! -e $policy ]; then
			trap "rm -f $policy" EXIT
			trap "exit 130" INT TERM
			printf "#!/bin/sh\nexit 101\n" >$policy && chmod 755 $policy
		fi
		export DEBIAN_FRONTEND=noninteractive
		set -- -qq -y -o DPkg::Lock::Timeout=300 install --no-install-recommends "$@"
		apt-get "$@" || { apt-get -qq -o DPkg::Lock::Timeout=300 update && apt-get "$@"; }
	' install_packages $missing >"$log" 2>&1; then
		rm -f "$log"
		return 0
	fi
	echo "$0: could not install the packages:" >&2
	tail -n 20 "$log" >&2
	rm -f "$log"
	return 1
}

# get_promtool: promtool of Debian's prometheus, without the server, whose service would run from
# the next boot on: 19 MB to fetch, 48 MB below build/tools; it is then in the PATH.
get_promtool() {
	tools=$here/build/tools
	command -v promtool >/dev/null 2>&1 && return 0
	PATH=$PATH:$tools/usr/bin
	export PATH
	[ ! -x "$tools/usr/bin/promtool" ] || return 0
	mkdir -p "$tools" && (
		cd "$tools" && { apt-get -qq download prometheus 2>/dev/null ||
			{ as_root apt-get -qq update && apt-get -qq download prometheus 2>/dev/null; }; } &&
			dpkg-deb --fsys-tarfile prometheus_*.deb | tar -x ./usr/bin/promtool
		status=$?
		rm -f prometheus_*.deb
		exit $status
	)
}

# configure_tree DIR OPTION...: configures DIR out of tree when that is needed;
# make itself notices changed build files later
configure_tree() (
	dir=$1
	shift
	cd "$here" || exit 1
	if [ ! -e configure ] || [ ! -e config.h.in ] || [ ! -e Makefile.in ]; then
		autoreconf -i || exit 1
	fi
	mkdir -p "$dir" && cd "$dir" || exit 1
	if [ ! -e Makefile ] || [ "$(cat .options 2>/dev/null)" != "$*" ]; then
		"$here/configure" -q "$@" || exit 1
		echo "$*" >.options
	fi
)
