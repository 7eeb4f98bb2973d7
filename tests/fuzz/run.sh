#!/bin/sh
# run.sh SECONDS [TARGET...]: runs each fuzz target (all of them by default) for so long.
# Needs the nightly toolchain and cargo-fuzz. What is found is kept in tests/fuzz/artifacts/TARGET;
# once fixed, it goes to tests/fuzz/regressions/TARGET.
set -eu
cd "$(dirname "$0")/../.."
seconds=$1
shift
if [ $# -eq 0 ]; then
    for target in tests/fuzz/targets/*.rs; do
        set -- "$@" "$(basename "$target" .rs)"
    done
fi
command -v cargo-fuzz >/dev/null || cargo install --locked cargo-fuzz
# No sanitizer: unsafe code is in sys alone, which no target reaches, and without it the slowest
# target tries four times as many inputs. Overflows and debug assertions are checked all the same.
build="-s none --fuzz-dir tests/fuzz --target-dir ${FUZZ_TARGET_DIR:-target/fuzz}"
# shellcheck disable=SC2086
cargo +nightly fuzz build $build
for target; do
    here=tests/fuzz
    mkdir -p "$here/corpus/$target" "$here/artifacts/$target"
    echo "== $target"
    # libfuzzer ends by itself; timeout is for a target that hangs before its alarm.
    # shellcheck disable=SC2086
    timeout $((seconds + 120)) cargo +nightly fuzz run $build "$target" \
        "$here/corpus/$target" "$here/seeds/$target" "$here/regressions/$target" -- \
        -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -max_len=2048 \
        -dict="$here/dictionary" -print_final_stats=1 -verbosity=0
done
