#!/bin/sh
# Holds the dashboards of src/share/grafana to Grafana's own schema, with the TypeScript compiler: every name must be
# known, every value of the right type, every word one that Grafana has. Downloads two packages into target/.
# Exit status: 0 they fit, 1 they do not (the compiler says where), 77 the packages cannot be had here.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
place=$root/target/grafana-schema
mkdir -p "$place"
cd "$place"
printf '{"private": true}\n' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts @grafana/schema@12.4.11 typescript@5.9.3 >&2 || {
	echo 'check-dashboards: the packages cannot be installed' >&2
	exit 77
}
cp "$root/tests/tools/check-dashboards.ts" schema.ts
for file in "$root"/src/share/grafana/*.json; do
	name=$(basename "$file" .json)
	{
		printf 'import type { HeldDashboard } from "./schema";\nexport const dashboard: HeldDashboard =\n'
		cat "$file"
	} >"$name.ts"
done
node_modules/.bin/tsc --noEmit --strict --skipLibCheck --target es2022 --module es2022 --moduleResolution bundler ./*.ts
