#!/bin/sh
# Builds one static binary: build.sh TARGET TLS OUTPUT
#
# First choice ("small"): the musl target, with a standard library compiled for size and without its code
# for symbolised backtraces, which a stripped binary has no use for (about 250 KB less). That takes the
# rust-src component and cargo's -Zbuild-std, which a stable compiler offers under RUSTC_BOOTSTRAP.
# Second ("plain"): the musl target with the standard library as rustup ships it. Third, for processors
# that rustup has nothing for: the first way with a musl from elsewhere. Fourth, where the target cannot
# be had and is this machine's: a static glibc binary ("plain"). `--version` prints the word.
#
# The same sources in the same directory give the same bytes; other directories' names are not in them.
set -eu
target=$1 tls=$2 output=$3
features=

say() { echo "build: $*" >&2; }

command -v rustc >/dev/null && command -v cargo >/dev/null || {
	say "rustc or cargo is missing: install Rust from https://rustup.rs"
	exit 1
}
command -v cc >/dev/null || {
	say "no C compiler: crates with a build script need one (Debian: apt-get install gcc libc6-dev)"
	exit 1
}
# Not uname -m: Rust has names of its own for some processors.
native=$(rustc -vV | sed -n "s/^host: \([^-]*\)-.*/\1/p")
[ -z "$tls" ] || features='--features tls'

HAPROXY_EXPORTER_RUSTC=$(rustc --version | cut -d' ' -f2)
needed=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
[ "$(printf '%s\n' "$needed" "$HAPROXY_EXPORTER_RUSTC" | sort -V | head -n 1)" = "$needed" ] || {
	say "Rust $needed or later is needed, this is $HAPROXY_EXPORTER_RUSTC (rustup update stable)"
	exit 1
}

# Sources unpacked in some other repository have no revision; those that were changed are not the commit's.
revision() {
	[ "$(git rev-parse --show-prefix 2>/dev/null || echo none)" = "" ] &&
		commit=$(git rev-parse --short=12 HEAD 2>/dev/null) || {
		echo unknown
		return
	}
	[ -z "$(git status --porcelain --untracked-files=no)" ] || commit=$commit-dirty
	echo "$commit"
}
HAPROXY_EXPORTER_REVISION=$(revision)
export HAPROXY_EXPORTER_REVISION HAPROXY_EXPORTER_RUSTC

built=${CARGO_TARGET_DIR:-target}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# dash leaves without the trap above when a signal ends it.
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# Registries can be slow or out of reach; a build must not hang on one. What rustup says matters only
# if no other way is left.
rustup_add() {
	timeout 300 rustup "$@" >>"$work/rustup" 2>&1
}
has_target() {
	command -v rustup >/dev/null || { rustc --print target-libdir --target "$target" >/dev/null 2>&1 &&
		[ -d "$(rustc --print target-libdir --target "$target")" ]; return; }
	rustup target list --installed | grep -qx "$target" || rustup_add target add "$target"
}
has_source() {
	[ -f "$(rustc --print sysroot)/lib/rustlib/src/rust/library/std/Cargo.toml" ] ||
		{ command -v rustup >/dev/null && rustup_add component add rust-src; }
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

# Panics name a file: not in which home directory it was.
flags_variable() {
	echo "CARGO_TARGET_$(echo "$target" | tr a-z- A-Z_)_RUSTFLAGS"
}
add_flags() {
	flags="$flags $*"
	export "$(flags_variable)=$flags"
}
flags=
add_flags "--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}/registry/src=/registry" \
	"--remap-path-prefix=$(rustc --print sysroot)/lib/rustlib/src/rust=/rust"

# The standard library for size. Ends the build where the fault is in the sources here: another standard
# library would not help, and the same error would be shown twice.
build_small() {
	export HAPROXY_EXPORTER_BUILD=small
	color=never
	[ ! -t 2 ] || color=always
	# shellcheck disable=SC2086 # features is two words or none
	{
		status=0
		# Panics name no line: 8 KB less.
		env "$(flags_variable)=$flags -Zlocation-detail=file" \
			RUSTC_BOOTSTRAP=1 CARGO_TERM_COLOR=$color cargo build --locked --release --target-dir "$built" \
			--target "$target" $features -Zbuild-std=std,panic_abort \
			-Zbuild-std-features=optimize_for_size 2>&1 || status=$?
		echo $status >"$work/status"
	} | tee "$work/cargo" >&2
	status=$(cat "$work/status")
	[ "$status" = 0 ] || ! grep -qF 'could not compile `haproxy_exporter`' "$work/cargo" || exit "$status"
	return "$status"
}
build_plain() {
	export HAPROXY_EXPORTER_BUILD=plain
	# shellcheck disable=SC2086
	cargo build --locked --release --target-dir "$built" --target "$target" $features
}

# rustc links position independent static executables on x86_64 only; elsewhere the linker is told here.
# rcrt1.o, which moves the program to its place, runs instead of crt1.o. Programs for MIPS would be
# linked too, and crash at the start: they stay at their addresses.
link_pie() {
	case $target in
	x86_64-*) return ;;
	mips*) add_flags "-Lnative=$1" && return ;;
	esac
	add_flags -Clink-self-contained=no "-Lnative=$1" "-Clink-arg=$1/rcrt1.o" \
		-Clink-arg=-pie -Clink-arg=--no-dynamic-linker -Clink-arg=-ztext
}

link_foreign() {
	mkdir -p "$built/foreign"
	libraries=$(cd "$built/foreign" && pwd)/$target
	tests/tools/foreign-libc.sh "$target" "$libraries" || return
	add_flags -Ctarget-feature=+crt-static
	link_pie "$libraries"
}

if has_target; then
	[ -z "$tls" ] || need_compiler
	link_pie "$(rustc --print target-libdir --target "$target")/self-contained"
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
	[ ! -f "$work/rustup" ] || cat "$work/rustup" >&2
	say "the target $target cannot be had (rustup target add $target)"
	exit 1
fi
mkdir -p "$(dirname "$output")"
cp -f "$built/$target/release/haproxy_exporter" "$output"
say "$output: $(wc -c <"$output") bytes"
