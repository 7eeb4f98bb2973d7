#!/bin/sh
# Instructions of the hot path's steps, counted by valgrind: the same on a busy machine as on an
# idle one. `record` writes them to instructions.tsv; `check` fails when one has grown by more than
# 5 % over what is written there.
#
# usage: tests/bench/callgrind.sh check|record
set -eu

target=${BENCH_TARGET:-x86_64-unknown-linux-musl}
allowed_percent=5
# A step is done this often more in the second run; the difference leaves out the start, the
# making of the input and the first scrapes.
more=10

cd "$(dirname "$0")/../.."
file=tests/bench/instructions.tsv
case ${1-} in
check | record) ;;
*) sed -n 's/^# \(usage.*\)/\1/p' "$0" >&2; exit 2 ;;
esac
command -v valgrind >/dev/null || { echo "callgrind.sh: needs Debian's package valgrind" >&2; exit 2; }

binary=$(cargo bench --locked --bench scrapes --target "$target" --no-run --message-format=json |
    sed -n 's/.*"name":"scrapes".*"executable":"\([^"]*\)".*/\1/p')
[ -x "$binary" ] || { echo "callgrind.sh: the benchmark was not built" >&2; exit 2; }

# instructions STEP ROWS TIMES: of the whole process.
instructions() {
    valgrind --tool=callgrind --callgrind-out-file=/dev/null \
        "$binary" --callgrind-step "$1" "$2" "$3" 2>&1 >/dev/null |
        sed -n 's/^==[0-9]*== Collected : \([0-9]*\)$/\1/p'
}

measure() {
    printf 'step\trows\tinstructions\n'
    for step in index exposition; do
        for rows in 34 1000; do
            once=$(instructions $step $rows 1)
            again=$(instructions $step $rows $((1 + more)))
            printf '%s\t%s\t%s\n' $step $rows $(((again - once) / more))
        done
    done
}

new=$(mktemp)
trap 'rm -f "$new"' EXIT
# dash leaves without the trap above when a signal ends it.
trap 'exit 130' INT
trap 'exit 143' TERM HUP
measure >"$new"
if [ "$1" = record ]; then
    cat "$new" >"$file"
    cat "$file"
    exit
fi
# The two files have the same lines in the same order.
paste "$file" "$new" | awk -F '\t' -v allowed=$allowed_percent '
    NR == 1 { printf "%-12s %6s %12s %12s %8s\n", $1, $2, "recorded", "now", "change"; next }
    {
        if ($1 != $4 || $2 != $5 || $3 <= 0 || $6 <= 0) { print "instructions.tsv is of another time: record it again"; bad = 1; exit }
        change = ($6 - $3) * 100 / $3
        grown = change > allowed
        bad = bad || grown
        printf "%-12s %6d %12d %12d %+7.2f%%%s\n", $1, $2, $3, $6, change, grown ? "  GROWN" : ""
    }
    END { exit bad }'
