#!/bin/sh
# Runs a real HAProxy with a little traffic, the exporter and Prometheus with the shipped rules, until Ctrl-C:
# demo.sh EXPORTER. Ports: DEMO_HAPROXY_PORT, DEMO_EXPORTER_PORT, DEMO_PROMETHEUS_PORT.
#
# Everything is in one temporary directory, which is removed at the end; each process is stopped by its id.
set -eu
exporter=$1
root=$(cd "$(dirname "$0")/../.." && pwd)
haproxy_port=${DEMO_HAPROXY_PORT:-8080}
exporter_port=${DEMO_EXPORTER_PORT:-9101}
prometheus_port=${DEMO_PROMETHEUS_PORT:-9090}

say() { echo "demo: $*" >&2; }

for program in haproxy prometheus curl; do
	command -v "$program" >/dev/null || {
		say "$program is missing (Debian: apt-get install $program)"
		exit 1
	}
done

directory=$(mktemp -d)
pids=
stop() {
	trap '' INT TERM HUP
	for pid in $pids; do
		kill "$pid" 2>/dev/null || true
	done
	for pid in $pids; do
		wait "$pid" 2>/dev/null || true
	done
	pids=
	rm -rf "$directory"
}
trap 'stop; exit 0' INT TERM HUP
trap stop EXIT

cat >"$directory/haproxy.cfg" <<END
global
  stats socket $directory/admin.sock mode 600 level operator
defaults
  mode http
  timeout connect 1s
  timeout client 5s
  timeout server 5s
frontend web
  bind 127.0.0.1:$haproxy_port
  use_backend failing if { path /failing }
  use_backend maintenance if { path /maintenance }
  default_backend healthy
backend healthy
  server one unix@$directory/origin.sock check
  server two unix@$directory/origin.sock check
# One of the servers does not exist.
backend failing
  server good unix@$directory/origin.sock check
  server bad unix@$directory/missing.sock check
backend maintenance
  server only unix@$directory/origin.sock check disabled
# What the servers are.
frontend origin
  bind unix@$directory/origin.sock
  http-request return status 200 content-type text/plain string "served through HAProxy"
END
cat >"$directory/prometheus.yml" <<END
global: {scrape_interval: 2s, evaluation_interval: 2s}
rule_files: ["$root/src/share/prometheus/alerts.yml"]
scrape_configs:
  - job_name: haproxy
    static_configs: [{targets: ["127.0.0.1:$exporter_port"]}]
END

# run NAME COMMAND...
run() {
	name=$1
	shift
	"$@" >"$directory/$name.log" 2>&1 &
	pids="$pids $!"
}
run haproxy haproxy -W -S "$directory/master.sock,mode,600" -f "$directory/haproxy.cfg"
run exporter "$exporter" "--haproxy.scrape-uri=unix:$directory/admin.sock" \
	"--haproxy.master-socket=unix:$directory/master.sock" --haproxy.activity \
	"--web.listen-address=127.0.0.1:$exporter_port"
run prometheus prometheus --config.file="$directory/prometheus.yml" \
	--storage.tsdb.path="$directory/data" --web.listen-address="127.0.0.1:$prometheus_port"

# A process that has ended takes the others with it.
check() {
	for pid in $pids; do
		kill -0 "$pid" 2>/dev/null || {
			say "a process has ended:"
			tail -n 3 "$directory"/*.log >&2
			exit 1
		}
	done
}
# Signals are handled at once only while sh waits for a child.
pause() {
	sleep "$1" &
	wait $! || true
}
get() { curl --silent --show-error --max-time 5 --output /dev/null "$@"; }

urls="http://127.0.0.1:$haproxy_port/ http://127.0.0.1:$exporter_port/ http://127.0.0.1:$prometheus_port/-/ready"
for url in $urls; do
	until get --fail "$url" 2>/dev/null; do
		check
		pause 0.2
	done
done
# Debian's Prometheus has only the older pages.
alerts=http://127.0.0.1:$prometheus_port/alerts
get --fail "$alerts" 2>/dev/null || alerts=http://127.0.0.1:$prometheus_port/classic/alerts
echo "HAProxy     http://127.0.0.1:$haproxy_port/ (and /failing, /maintenance)"
echo "exporter    http://127.0.0.1:$exporter_port/"
echo "Prometheus  $alerts"
echo "Ctrl-C stops everything."

while :; do
	for path in "" "" "" failing maintenance; do
		get "http://127.0.0.1:$haproxy_port/$path" || true
		pause 0.2
	done
	check
done
