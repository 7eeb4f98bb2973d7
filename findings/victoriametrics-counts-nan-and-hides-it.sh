#!/usr/bin/env bash
# Guess: a sample NaN, as HAProxy's built-in exporter prints for an empty cell, is stored by VictoriaMetrics
# as by Prometheus and can be queried.
# Seen: the scrape counts it as a sample (scrape_samples_scraped), and neither a query nor an export of the
# series ever returns it. `absent()` is true there and false in Prometheus for the same page.
# Debian's victoria-metrics 1.79.5 and prometheus 2.42.0.
. "$(dirname "$0")/common/setup.bash"

for package in victoria-metrics=1.79.5+ds1-2+b5 prometheus=2.42.0+ds-5+deb12u1; do
	(cd "$work" && apt-get download -q -q -o APT::Sandbox::User=root "$package")
done
for file in "$work"/*.deb; do
	dpkg-deb -x "$file" "$work/root"
	echo "${file##*/}"
done
export VICTORIA=$work/root/usr/bin/victoria-metrics PROMETHEUS=$work/root/usr/bin/prometheus
lab <<'PY'
from lab import *
import json
import urllib.parse
import urllib.request


class Page(Answer):
    def do_GET(self):
        page = b"empty NaN\nfull 1\n"
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)


directory = os.environ["LAB_DIRECTORY"]
with open(directory + "/scrape.yml", "w") as file:
    file.write("global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs:\n- job_name: lab\n"
               f"  static_configs: [targets: ['127.0.0.1:{http_server(Page)}']]\n")


def ask(port, path):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as response:
            return response.read().decode()
    except OSError:
        return ""


def values(port, expression):
    answer = ask(port, "/api/v1/query?query=" + urllib.parse.quote(expression))
    result = json.loads(answer)["data"]["result"] if answer else []
    return [sample["value"][1] for sample in result]


for name, program, flags, expected in (
    ("Prometheus", "PROMETHEUS", ["--config.file", "--storage.tsdb.path", "--web.listen-address"],
     (["2"], ["1"], ["NaN"], [])),
    ("VictoriaMetrics", "VICTORIA", ["-promscrape.config", "-storageDataPath", "-httpListenAddr"],
     (["2"], ["1"], [], ["1"])),
):
    port = free_port()
    settings = [directory + "/scrape.yml", f"{directory}/{name}", f"127.0.0.1:{port}"]
    command = [os.environ[program]] + [f"{flag}={value}" for flag, value in zip(flags, settings)]
    if name == "VictoriaMetrics":
        command.append("-search.latencyOffset=0s")
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: values(port, "full") == ["1"], f"a scrape of {name}", 40)
        expressions = ("scrape_samples_scraped", "full", "empty", "absent(empty)")
        expect(name, tuple(values(port, expression) for expression in expressions), expected)
        if name == "VictoriaMetrics":
            ask(port, "/internal/force_flush")
            export = ask(port, "/api/v1/export?match=" + urllib.parse.quote('{job="lab"}'))
            lines = [json.loads(line) for line in export.splitlines()]
            exported = {line["metric"]["__name__"]: line["values"] for line in lines}
            finite = [value for value in exported.get("empty", []) if isinstance(value, (int, float))]
            expect("values of the series in an export", finite, [])
    finally:
        process.kill()
        process.wait()
PY
