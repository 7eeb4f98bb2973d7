//! How the documents let HAProxy offer its statistics, and the scrape URIs that belong to it.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::adapted;
use crate::support::exporter::Exporter;
use crate::support::haproxy::{Haproxy, Place};
use crate::support::http;
use crate::support::{exposition, fixtures, peers, reference};

#[test]
fn the_socket_and_the_page() {
    let place = Place::new(1);
    let socket = place.path("admin.sock").display().to_string();
    let global = adapted(
        "haproxy-socket",
        &[
            ("/run/haproxy/admin.sock", &socket),
            // The account that the tests run as has no such group.
            (" group haproxy", ""),
        ],
    );
    let page = adapted("haproxy-page", &[("127.0.0.1:8404", &place.bind(0))]);
    let Some(haproxy) = Haproxy::start(place, &format!("{global}\n{page}")) else {
        return;
    };
    assert!(
        !haproxy.peer.output().contains("WARNING"),
        "{}",
        haproxy.peer.output()
    );
    let page = format!("http://admin:change-me@{}/;csv", haproxy.address(0));
    for uri in [haproxy.unix_uri(), page] {
        let exporter = Exporter::start(&[&format!("--haproxy.scrape-uri={uri}")]);
        let metrics = exporter.get("/metrics");
        assert!(metrics.text().contains("\nhaproxy_up 1\n"), "{uri}");
        let frontend = "haproxy_frontend_current_sessions{frontend=\"stats\"}";
        assert!(metrics.text().contains(frontend), "{uri}");
    }
}

/// What node_exporter's textfile collector reads has no family of node_exporter's own.
#[test]
fn the_textfile() {
    let directory = TempDir::new().expect("a temporary directory");
    let stat = fixtures::path("3.2.0/stat.csv").display().to_string();
    let script = adapted(
        "textfile",
        &[
            (
                "/var/lib/node_exporter",
                &directory.path().display().to_string(),
            ),
            (
                "haproxy_exporter --once",
                &format!("{} --once", super::binary()),
            ),
            ("unix:/run/haproxy/admin.sock", &format!("file:{stat}")),
        ],
    );
    let (status, _, error) = peers::run(Command::new("sh").args(["-euc", &script]));
    assert!(status.success(), "{error}");
    let text = std::fs::read(directory.path().join("haproxy.prom")).expect("read the file");
    let kept = exposition::read(&text).expect("an exposition");
    let uri = format!("--haproxy.scrape-uri=file:{stat}");
    let all = Exporter::start(&[&uri]).scrape();
    let own = |name: &String| name.starts_with("process_");
    assert!(all.families.keys().any(own) && !kept.families.keys().any(own));
    let kept = kept.without(reference::volatile);
    kept.assert_equals(&all.without(reference::volatile), "the textfile");
}

/// A file that is there stays whole when there is no room for the next.
#[test]
fn the_textfile_on_a_full_disk() {
    let mount = |script: &str| {
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", script]);
        peers::run(&mut command)
    };
    let directory = TempDir::new().expect("a temporary directory");
    let place = directory.path().display().to_string();
    let disk = format!("mount -t tmpfs -o size=16k tmpfs '{place}'");
    if !peers::is_root() || !mount(&disk).0.success() {
        return peers::skip("cannot mount a small file system");
    }
    let stat = fixtures::path("3.2.0/stat.csv").display().to_string();
    let script = adapted(
        "textfile",
        &[
            ("/var/lib/node_exporter", &place),
            (
                "haproxy_exporter --once",
                &format!("{} --once", super::binary()),
            ),
            ("unix:/run/haproxy/admin.sock", &format!("file:{stat}")),
        ],
    );
    let old = "haproxy_up 1\n";
    let (status, output, error) = mount(&format!(
        "set -e; {disk}; printf '{old}' >'{place}/haproxy.prom'; \
         (\n{script}\n) && exit 9; cat '{place}/haproxy.prom'"
    ));
    assert_eq!((status.code(), output.as_str()), (Some(0), old), "{error}");
    assert!(error.contains("No space left on device"), "{error}");
}

/// Each instance has its file, and node_exporter serves both.
#[test]
fn the_textfiles_of_two_instances() {
    let Some(node_exporter) = peers::find("prometheus-node-exporter") else {
        return;
    };
    for names in ["exporter", "builtin"] {
        let directory = TempDir::new().expect("a temporary directory");
        let arguments = directory.path().join("arguments");
        let target = |name: &str, release: &str| {
            let stat = fixtures::path(&format!("{release}/stat.csv"));
            format!("--haproxy.target={name}=file:{}\n", stat.display())
        };
        let targets = target("edge1", "2.6.12") + &target("edge2", "3.2.0");
        let names = format!("--haproxy.metric-names={names}\n");
        std::fs::write(&arguments, targets + &names).expect("write the arguments");
        let replacements = [
            ("/var/lib/node_exporter", directory.path().to_str()),
            ("/etc/haproxy_exporter.args", arguments.to_str()),
        ];
        let replacements = replacements.map(|(from, to)| (from, to.expect("UTF-8")));
        let command = format!("{} --once", super::binary());
        let replacements = [
            replacements[0],
            replacements[1],
            ("haproxy_exporter --once", &command),
        ];
        let script = adapted("textfile-instances", &replacements);
        let run = |script: &str| {
            let (status, _, error) = peers::run(Command::new("sh").args(["-euc", script]));
            assert_eq!((status.code(), error), (Some(0), String::new()));
        };
        // What the labels are for: without them node_exporter leaves out what it has had already.
        let twice = "was collected before with the same name and label values";
        run(&script.replace(" --label=haproxy=$name", ""));
        let (_, log) = served_by_node_exporter(&node_exporter, directory.path());
        assert!(log.matches(twice).count() > 100, "{log}");

        run(&script);
        let (text, log) = served_by_node_exporter(&node_exporter, directory.path());
        assert!(
            !log.contains("level=error") && !log.contains(twice),
            "{log}"
        );
        assert!(text.contains("\nnode_textfile_scrape_error 0\n"), "{text}");
        let samples = |text: &str| {
            let lines = text.lines().filter(|line| line.starts_with("haproxy_"));
            lines.count()
        };
        let of = |name: &str| {
            let path = directory.path().join(format!("haproxy_{name}.prom"));
            samples(&std::fs::read_to_string(path).expect("read a file"))
        };
        assert_eq!(samples(&text), of("edge1") + of("edge2"));
        assert!(of("edge1") > 100 && of("edge2") > 100);
    }
}

/// Starts node_exporter on a directory of textfiles; returns its metrics and its log.
fn served_by_node_exporter(program: &Path, directory: &Path) -> (String, String) {
    let mut command = Command::new(program);
    command.args(["--collector.disable-defaults", "--collector.textfile"]);
    command.arg(format!(
        "--collector.textfile.directory={}",
        directory.display()
    ));
    command.args([
        "--web.listen-address=127.0.0.1:0",
        "--web.disable-exporter-metrics",
    ]);
    let mut peer = peers::Peer::start(&mut command);
    let address = peer.wait_for_line("address", |line| {
        let (_, port) = line.split_once("address=127.0.0.1:")?;
        let port = port.split(' ').next()?;
        format!("127.0.0.1:{port}").parse().ok()
    });
    let response = http::request(address, "GET", "/metrics", &[]);
    peer.stop();
    (response.text().to_owned(), peer.output())
}
