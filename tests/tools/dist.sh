#!/bin/sh
# Builds and packs one tarball for each target: dist.sh VERSION DIRECTORY TARGET...
#
# One that cannot be built does not stop the others; the script ends with 1 then, and names it.
set -eu
version=$1 directory=$2
shift 2

mkdir -p "$directory/build"
rm -f "$directory"/haproxy_exporter-* "$directory/SHA256SUMS"
missing=
for target; do
	binary=$directory/build/$target log=$directory/build/$target.log
	name=haproxy_exporter-$version-$target
	if tests/tools/build.sh "$target" '' "$binary" >"$log" 2>&1 &&
		tests/tools/pack.sh "$binary" "$name" "$directory" >>"$log" 2>&1; then
		echo "dist: $name.tar.gz, the program has $(wc -c <"$binary") bytes"
	else
		echo "dist: $target failed:" >&2
		tail -n 20 "$log" | sed 's/^/  /' >&2
		missing="$missing $target"
	fi
done
(
	cd "$directory"
	set -- haproxy_exporter-*.tar.gz
	[ ! -f "$1" ] || sha256sum "$@" >SHA256SUMS
)
[ -z "$missing" ] || {
	echo "dist: missing:$missing (what was said is in $directory/build/*.log)" >&2
	exit 1
}
