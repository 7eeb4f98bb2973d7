#!/bin/sh
# Builds one static binary: build.sh TARGET TLS OUTPUT
#
# First choice: the musl target, with a standard library compiled for size and without its code for
# symbolised backtraces, which a stripped binary has no use for (about 250 KB less). That takes the
# rust-src component and cargo's -Zbuild-std, which a stable compiler offers under RUSTC_BOOTSTRAP.
# Second: the musl target with the standard library as rustup ships it. Third, where the target
# cannot be had and is this machine's: a static glibc binary.
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
if has_target; then
	[ -z "$tls" ] || need_compiler
	# shellcheck disable=SC2086 # features is two words or none
	if has_source && RUSTC_BOOTSTRAP=1 cargo build --locked --release --target-dir "$built" --target "$target" $features \
		-Zbuild-std=std,panic_unwind -Zbuild-std-features=panic-unwind,optimize_for_size; then
		:
	else
		say "the standard library cannot be built here; the binary will be about 250 KB larger"
		# shellcheck disable=SC2086
		cargo build --locked --release --target-dir "$built" --target "$target" $features
	fi
	cp -f "$built/$target/release/haproxy_exporter" "$output"
elif [ "$target" = "$native-unknown-linux-musl" ]; then
	target=$native-unknown-linux-gnu
	say "no musl target here: building a static glibc binary for $target"
	# shellcheck disable=SC2086
	RUSTFLAGS='-C target-feature=+crt-static' cargo build --locked --release --target-dir "$built" --target "$target" $features
	cp -f "$built/$target/release/haproxy_exporter" "$output"
else
	say "the target $target cannot be had (rustup target add $target)"
	exit 1
fi
say "$output: $(wc -c <"$output") bytes"
