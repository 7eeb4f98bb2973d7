#!/bin/sh
# Makes a Debian package of a binary: deb.sh BINARY VERSION TARGET DIRECTORY
#
# The service is installed and not enabled: port 9101 may belong to prometheus-haproxy-exporter. The
# maintainer scripts are those of debhelper for such a service (dh_installsystemd --no-enable --no-start).
# The same files give the same bytes, as with pack.sh.
set -eu
binary=$1 version=$2 target=$3 directory=$4
package=haproxy-exporter
epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}
export SOURCE_DATE_EPOCH="$epoch"

case $target in
x86_64-*) architecture=amd64 ;;
i?86-*) architecture=i386 ;;
aarch64-*) architecture=arm64 ;;
armv7-*) architecture=armhf ;;
arm-* | armv5te-*) architecture=armel ;;
riscv64gc-*) architecture=riscv64 ;;
*)
	echo "deb: no Debian architecture is known for $target" >&2
	exit 1
	;;
esac
command -v dpkg-deb >/dev/null || {
	echo "deb: dpkg-deb is missing (Debian: apt-get install dpkg)" >&2
	exit 1
}

mkdir -p "$directory"
work=$(mktemp -d "$directory/deb.XXXXXX")
trap 'rm -rf "$work"' EXIT
# dash leaves without the trap above when a signal ends it.
trap 'exit 130' INT
trap 'exit 143' TERM HUP
root=$work/root
# Of a make around this script.
unset MAKEFLAGS MAKELEVEL
make --silent install-built BINARY="$binary" DESTDIR="$root" PREFIX=/usr

documents=$root/usr/share/doc/$package
own=$root/usr/share/haproxy_exporter
mkdir -p "$documents" "$root/lib/systemd/system" "$root/etc/default" "$root/DEBIAN"
mv "$root/usr/lib/systemd/system/haproxy_exporter.service" "$root/lib/systemd/system/"
rm -r "$root/usr/lib" "$own/LICENSE"
# The documents stay together, so that their links lead somewhere; Debian's place for them has the rest.
gzip --no-name --best <"$own/CHANGELOG.md" >"$documents/changelog.gz"
ln -s ../../haproxy_exporter/README.md ../../haproxy_exporter/doc "$documents/"
gzip --no-name --best "$root/usr/share/man/man8/haproxy_exporter.8"
# Where Debian's zsh looks for those of packages.
mv "$root/usr/share/zsh/site-functions" "$root/usr/share/zsh/vendor-completions"

changed=$(date --utc --date="@$epoch" --rfc-email)
maintainer='haproxy_exporter maintainers <maintainers@haproxy-exporter.example>'
gzip --no-name --best >"$documents/changelog.Debian.gz" <<END
$package ($version-1) unstable; urgency=medium

  * See changelog.gz.

 -- $maintainer  $changed
END
cat >"$documents/copyright" <<'END'
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: haproxy_exporter

Files: *
Copyright: 2026 the authors of haproxy_exporter
License: Apache-2.0
 On Debian systems, the text of the Apache License 2.0 is in
 /usr/share/common-licenses/Apache-2.0.
END
cat >"$root/etc/default/haproxy_exporter" <<'END'
# Flags of haproxy_exporter, for the systemd unit. Restart it after a change:
# systemctl restart haproxy_exporter
# Without ARGS here, those of /etc/default/prometheus-haproxy-exporter hold, if that file exists.
#ARGS="--haproxy.scrape-uri=unix:/run/haproxy/admin.sock"
END
echo /etc/default/haproxy_exporter >"$root/DEBIAN/conffiles"

cat >"$root/DEBIAN/control" <<END
Package: $package
Version: $version-1
Architecture: $architecture
Maintainer: $maintainer
Installed-Size: $(du -k -s --apparent-size "$root" | cut -f 1)
Recommends: haproxy
Section: net
Priority: optional
Description: Prometheus exporter for HAProxy, one static binary
 It reads the statistics of HAProxy from a stats socket or a stats page and
 serves them to Prometheus, under the metric names of the retired Go exporter
 or those of HAProxy's built-in exporter.
 .
 The service is installed but not enabled. It and the package
 prometheus-haproxy-exporter both use port 9101: only one of the two can
 listen there. To change to this one:
 systemctl disable --now prometheus-haproxy-exporter, then
 systemctl enable --now haproxy_exporter.
END

cat >"$root/DEBIAN/postinst" <<'END'
#!/bin/sh
set -e
unit=haproxy_exporter.service
if [ "$1" = configure ] || [ "$1" = abort-upgrade ] || [ "$1" = abort-deconfigure ] || [ "$1" = abort-remove ]; then
	# Only those that the administrator enabled before; a fresh installation enables nothing.
	if deb-systemd-helper debian-installed "$unit"; then
		deb-systemd-helper unmask "$unit" >/dev/null || true
		if deb-systemd-helper --quiet was-enabled "$unit"; then
			deb-systemd-helper enable "$unit" >/dev/null || true
		fi
	fi
	deb-systemd-helper update-state "$unit" >/dev/null || true
	if [ -z "${DPKG_ROOT:-}" ] && [ -d /run/systemd/system ]; then
		systemctl --system daemon-reload >/dev/null || true
		[ -z "${2:-}" ] || deb-systemd-invoke try-restart "$unit" >/dev/null || true
	fi
fi
END
cat >"$root/DEBIAN/prerm" <<'END'
#!/bin/sh
set -e
if [ -z "${DPKG_ROOT:-}" ] && [ "$1" = remove ] && [ -d /run/systemd/system ]; then
	deb-systemd-invoke stop haproxy_exporter.service >/dev/null || true
fi
END
cat >"$root/DEBIAN/postrm" <<'END'
#!/bin/sh
set -e
if [ -z "${DPKG_ROOT:-}" ] && [ "$1" = remove ] && [ -d /run/systemd/system ]; then
	systemctl --system daemon-reload >/dev/null || true
fi
if [ "$1" = purge ] && [ -x /usr/bin/deb-systemd-helper ]; then
	deb-systemd-helper purge haproxy_exporter.service >/dev/null || true
fi
END
(cd "$root" && find . -type f ! -path './DEBIAN/*' -printf '%P\n' | LC_ALL=C sort | xargs md5sum >DEBIAN/md5sums)
# What may be executed stays so, whatever the umask here.
chmod -R u=rwX,go=rX "$root"
chmod 0755 "$root/DEBIAN/postinst" "$root/DEBIAN/prerm" "$root/DEBIAN/postrm"

# xz: dpkg of every release reads it.
dpkg-deb --root-owner-group -Zxz --build "$root" "$directory/${package}_$version-1_$architecture.deb" >/dev/null
echo "deb: $directory/${package}_$version-1_$architecture.deb: $(wc -c <"$directory/${package}_$version-1_$architecture.deb") bytes"
