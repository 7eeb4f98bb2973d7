#!/bin/sh
# Builds one static binary: build.sh TARGET TLS OUTPUT
#
# First choice: the musl target, with a standard library compiled for size and without its code for
# symbolised backtraces, which a stripped binary has no use for (about 250 KB less). That takes the
# rust-src component and cargo's -Zbuild-std, which a stable compiler offers under RUSTC_BOOTSTRAP.
# Second: the musl target with the standard library as rustup ships it. Third, for 32-bit processors
# that rustup has nothing for: the first way with a musl from elsewhere. Fourth, where the target cannot be had
# and is this machine's: a static glibc binary.
#
# The same sources in the same directory give the same bytes; other directories' names are not in them.
set -eu
target=$1 tls=$2 output=$3
features=
# Not uname -m: Rust has names of its own for some processors.
native=$(rustc -vV | sed -n "s/^host: \([^-]*\)-.*/\1/p")
[ -z "$tls" ] || features='--features tls'

say() { echo "build: $*" >&2; }

command -v cc >/dev/null || {
	say "no C compiler: crates with a build script need one (Debian: apt-get install gcc libc6-dev)"
	exit 1
}

# Registries can be slow or out of reach; a build must not hang on one.
has_target() {
	command -v rustup >/dev/null || { rustc --print target-libdir --target "$target" >/dev/null 2>&1 &&
		[ -d "$(rustc --print target-libdir --target "$target")" ]; return; }
	rustup target list --installed | grep -qx "$target" || timeout 300 rustup target add "$target" >&2
}
has_source() {
	[ -f "$(rustc --print sysroot)/lib/rustlib/src/rust/library/std/Cargo.toml" ] ||
		{ command -v rustup >/dev/null && timeout 300 rustup component add rust-src >&2; }
}

# ring compiles C: name the compiler for the target, and say how to get it.
need_compiler() {
	case $target in
	x86_64-unknown-linux-musl) compiler=musl-gcc package=musl-tools ;;
	aarch64-unknown-linux-musl) compiler=aarch64-linux-gnu-gcc package=gcc-aarch64-linux-gnu ;;
	*) return 0 ;;
	esac
	if [ "$native-unknown-linux-musl" = "$target" ]; then compiler=musl-gcc package=musl-tools; fi
	command -v "$compiler" >/dev/null || {
		say "TLS=1 needs $compiler for $target (Debian: apt-get install $package)"
		exit 1
	}
	export "CC_$(echo "$target" | tr - _)=$compiler"
}

HAPROXY_EXPORTER_REVISION=$(git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
HAPROXY_EXPORTER_RUSTC=$(rustc --version | cut -d' ' -f2)
export HAPROXY_EXPORTER_REVISION HAPROXY_EXPORTER_RUSTC

built=${CARGO_TARGET_DIR:-target}
# Panics name a place in a file: not in which home directory it was.
add_flags() {
	flags="$flags $*"
	export "CARGO_TARGET_$(echo "$target" | tr a-z- A-Z_)_RUSTFLAGS=$flags"
}
flags=
add_flags "--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}/registry/src=/registry" \
	"--remap-path-prefix=$(rustc --print sysroot)/lib/rustlib/src/rust=/rust"

# The standard library for size.
build_small() {
	# shellcheck disable=SC2086 # features is two words or none
	RUSTC_BOOTSTRAP=1 cargo build --locked --release --target-dir "$built" --target "$target" $features \
		-Zbuild-std=std,panic_abort -Zbuild-std-features=optimize_for_size
}
build_plain() {
	# shellcheck disable=SC2086
	cargo build --locked --release --target-dir "$built" --target "$target" $features
}

link_foreign() {
	mkdir -p "$built/foreign"
	libraries=$(cd "$built/foreign" && pwd)/$target
	tests/tools/foreign-libc.sh "$target" "$libraries" || return
	add_flags -Ctarget-feature=+crt-static "-Lnative=$libraries"
	[ ! -f "$libraries/libgcc.a" ] || add_flags "-Clink-arg=$libraries/libgcc.a"
}

if has_target; then
	[ -z "$tls" ] || need_compiler
	has_source && build_small || {
		say "the standard library cannot be built here; the binary will be about 250 KB larger"
		build_plain
	}
elif [ -z "$tls" ] && has_source && link_foreign; then
	build_small
elif [ "$target" = "$native-unknown-linux-musl" ]; then
	target=$native-unknown-linux-gnu
	say "no musl target here: building a static glibc binary for $target"
	add_flags -Ctarget-feature=+crt-static
	build_plain
else
	say "the target $target cannot be had (rustup target add $target)"
	exit 1
fi
mkdir -p "$(dirname "$output")"
cp -f "$built/$target/release/haproxy_exporter" "$output"
say "$output: $(wc -c <"$output") bytes"
