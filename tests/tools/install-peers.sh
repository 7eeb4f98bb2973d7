#!/bin/sh
# Installs the programs that the tests run against, where that is possible: as root, on Debian.
# Elsewhere it says what is missing; the tests that need it say so again and are skipped.
set -eu

# command:package
peers='haproxy:haproxy prometheus:prometheus prometheus-haproxy-exporter:prometheus-haproxy-exporter
s6-supervise:s6 runsv:runit strace:strace qemu-aarch64-static:qemu-user-static musl-gcc:musl-tools
aarch64-linux-gnu-gcc:gcc-aarch64-linux-gnu openssl:openssl mandoc:mandoc'

PATH=$PATH:/usr/sbin:/sbin
missing=
for peer in $peers; do
	command -v "${peer%%:*}" >/dev/null || missing="$missing ${peer##*:}"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
	echo "install-peers: not installed, tests that need them will be skipped:$missing" >&2
	exit 0
fi

# The packages would start their daemons; the tests start their own.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
	printf '#!/bin/sh\nexit 101\n' >"$policy"
	chmod +x "$policy"
	trap 'rm -f "$policy"' EXIT
	# dash leaves without the trap above when a signal ends it.
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
fi
# shellcheck disable=SC2086 # a list of words
apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing || {
	echo "install-peers: cannot install, tests that need them will be skipped:$missing" >&2
	[ "${HAPROXY_EXPORTER_REQUIRE_PEERS:-}" != 1 ]
}
