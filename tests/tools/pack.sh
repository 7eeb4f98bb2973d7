#!/bin/sh
# Packs what an operator needs for one processor: pack.sh BINARY NAME DIRECTORY
#
# The same files give the same bytes: no owners, no order of the file system, one time for all, which is
# SOURCE_DATE_EPOCH (https://reproducible-builds.org/specs/source-date-epoch/) or that of the last commit.
set -eu
binary=$1 name=$2 directory=$3
epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}

mkdir -p "$directory"
work=$(mktemp -d "$directory/pack.XXXXXX")
trap 'rm -rf "$work"' EXIT
# dash leaves without the trap above when a signal ends it.
trap 'exit 130' INT
trap 'exit 143' TERM HUP
mkdir "$work/$name"
cp "$binary" "$work/$name/haproxy_exporter"
cp README.md LICENSE CHANGELOG.md "$work/$name/"
# README's links lead to the documents as they are packed.
sed -i 's|](src/share/|](share/|g' "$work/$name/README.md"
cp -r src/share "$work/$name/share"
tests/tools/completions.sh src/share/haproxy_exporter.8 "$work/$name/share"
# What may be executed stays so, whatever the umask here.
chmod -R u=rwX,go=rX "$work/$name"

tar --create --format=ustar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$epoch" \
	--directory="$work" --file="$work/$name.tar" "$name"
gzip --no-name --best "$work/$name.tar"
mv -f "$work/$name.tar.gz" "$directory/"
