#!/bin/sh
# Prints one line about the tests that were skipped: skipped.sh FILE
#
# FILE has a line with the reason for each (tests/suite/support/peers.rs).
set -eu
[ -s "$1" ] || exit 0
reasons=$(sort "$1" | uniq -c | sort -k1,1nr -k2 | sed -e 's/^ *\([0-9]*\) \(.*\)/\2 (\1)/' | paste -s -d '|' | sed 's/|/; /g')
missing=$(tests/tools/install-peers.sh --missing)
echo "skipped $(wc -l <"$1") times: $reasons${missing:+; to install what is missing: apt-get install $missing}"
