#!/bin/sh
# What a static program for another processor is linked with where rustup has no standard library for
# it: foreign-libc.sh TARGET DIRECTORY
#
# Most: Debian's musl of that processor. MIPS: what Rust 1.71 shipped, the last for which rustup has it;
# Debian's is built for a floating point unit, which routers lack. Nothing is installed on this machine.
set -eu
target=$1 to=$2

say() { echo "foreign-libc: $*" >&2; }

# from_debian ARCHITECTURE [SUITE]: SUITE where the release of this machine lacks the architecture.
from_debian() {
	command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || {
		say "rustup has no $target, and only Debian has packages to link it with"
		return 1
	}
	mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/root"
	sources=
	if [ -n "${2:-}" ]; then
		sources="Dir::Etc::SourceList \"$work/sources.list\"; Dir::Etc::SourceParts \"/dev/null\";"
		echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]" \
			"http://deb.debian.org/debian $2 main" >"$work/sources.list"
	fi
	# A package list of its own: the machine's own architectures stay as they are.
	cat >"$work/apt.conf" <<-END
		$sources
		APT::Architecture "$1";
		APT::Architectures "$1";
		APT::Sandbox::User "$(id -un)";
		Dir::State::Lists "$work/lists";
		Dir::State::status "/dev/null";
		Dir::Cache "$work/cache";
	END
	export APT_CONFIG="$work/apt.conf"
	# A list that cannot be fetched (a mirror that is being renewed) matters only if the download then fails.
	apt-get update -q >&2 || :
	(cd "$work" && apt-get download -q musl-dev >&2)
	dpkg-deb -x "$work"/*.deb "$work/root"
	musl=$(dirname "$(find "$work/root" -name rcrt1.o)")
	cp "$musl/rcrt1.o" "$musl/libc.a" "$to/"
	# Rust's name for the unwinder. Nothing unwinds, so an empty library will do.
	printf '!<arch>\n' >"$to/libunwind.a"
}

from_rust() {
	command -v rustup >/dev/null || {
		say "$target takes rustup"
		return 1
	}
	RUSTUP_HOME="$work" rustup toolchain install "$1" --profile minimal --target "$target" --no-self-update >&2
	cp "$work/toolchains/$1-"*"/lib/rustlib/$target/lib/self-contained/"* "$to/"
}

mkdir -p "$to"
to=$(cd "$to" && pwd)
[ ! -f "$to/complete" ] || exit 0
work=$to/work
rm -rf "$work"
mkdir "$work"
case $target in
armv7-unknown-linux-musleabihf) from_debian armhf ;;
arm-unknown-linux-musleabi | armv5te-unknown-linux-musleabi) from_debian armel ;;
i586-unknown-linux-musl | i686-unknown-linux-musl) from_debian i386 ;;
riscv64gc-unknown-linux-musl) from_debian riscv64 trixie ;;
mips-unknown-linux-musl | mipsel-unknown-linux-musl) from_rust 1.71.1 ;;
*)
	say "Debian and Rust 1.71.1 have no C library for $target"
	exit 1
	;;
esac
rm -rf "$work"
touch "$to/complete"
