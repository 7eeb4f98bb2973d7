#!/bin/sh
# What a static program for a 32-bit processor is linked with where rustup has no standard library for
# it: foreign-libc.sh TARGET DIRECTORY
#
# ARM: Debian's musl of that processor (crt1.o, libc.a) and its libgcc for cross compilers (crtbegin.o,
# the unwinder). MIPS: what Rust 1.71 shipped, the last for which rustup has it; Debian's is built for a
# floating point unit, which routers lack. Nothing is installed on this machine.
set -eu
target=$1 to=$2

say() { echo "foreign-libc: $*" >&2; }

from_debian() {
	command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || {
		say "rustup has no $target, and only Debian has packages to link it with"
		return 1
	}
	mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/root"
	# A package list of its own: the machine's own architectures stay as they are.
	cat >"$work/apt.conf" <<-END
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
	libgcc=$(apt-cache pkgnames libgcc- | grep -E -- "^libgcc-[0-9]+-dev-$1-cross$" | sort -V | tail -n 1)
	(cd "$work" && apt-get download -q musl-dev "$libgcc" >&2)
	for package in "$work"/*.deb; do dpkg-deb -x "$package" "$work/root"; done
	musl=$(dirname "$(find "$work/root" -name crt1.o | head -n 1)")
	# One of several where the compiler knows several kinds of code (multilib): the plain one.
	gcc=$(dirname "$(find "$work/root" -name libgcc_eh.a | grep -vE '/(sf|hf|thumb)/' | head -n 1)")
	for file in crt1.o rcrt1.o Scrt1.o crti.o crtn.o libc.a; do cp "$musl/$file" "$to/"; done
	for file in crtbegin.o crtbeginS.o crtbeginT.o crtend.o crtendS.o libgcc.a; do cp "$gcc/$file" "$to/"; done
	# Rust's name for the unwinder.
	cp "$gcc/libgcc_eh.a" "$to/libunwind.a"
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
arm-unknown-linux-musleabi) from_debian armel ;;
mipsel-unknown-linux-musl) from_rust 1.71.1 ;;
*)
	say "no way to get a C library for $target"
	exit 1
	;;
esac
rm -rf "$work"
touch "$to/complete"
