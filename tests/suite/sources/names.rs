//! Host names: the system's files and name server, in a network and with files of the test's own.

use std::net::UdpSocket;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::support::exporter::{self, Exporter, Problem};
use crate::support::fake_haproxy::{Answers, Fake};
use crate::support::faults::INFO;
use crate::support::{csv, namespace, peers};

/// An exporter that sees these files in /etc, in the network of the calling thread.
fn exporter_with(hosts: &str, uri: &str, directory: &Path) -> Option<Exporter> {
    let [unshare, sh] = peers::find_all(["unshare", "sh"])?;
    let files = [("hosts", hosts), ("resolv.conf", "nameserver 127.0.0.1\n")];
    for (name, content) in files {
        std::fs::write(directory.join(name), content).expect("write a file");
    }
    let mut command = Command::new(unshare);
    command.arg("--mount").arg(sh).arg("-c").arg(
        "mount --bind \"$1/hosts\" /etc/hosts && mount --bind \"$1/resolv.conf\" /etc/resolv.conf \
         && shift && exec \"$@\"",
    );
    command.arg("sh").arg(directory);
    command
        .arg(exporter::command().get_program())
        .arg(format!("--haproxy.scrape-uri={uri}"));
    command.arg("--web.listen-address=127.0.0.1:0");
    Some(Exporter::spawn(&mut command))
}

/// A network with nothing but a loopback interface.
fn own_network() -> bool {
    let Some(ip) = peers::find("ip") else {
        return false;
    };
    if !peers::is_root() {
        peers::skip("only root can make a network and mount files");
        return false;
    }
    namespace::enter_new_network()
        && peers::run(Command::new(ip).args(["link", "set", "lo", "up"]))
            .0
            .success()
}

fn lookup_threads(exporter: &Exporter) -> usize {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", exporter.pid())).expect("threads");
    let names = tasks.flatten().map(|task| {
        // It may have ended.
        std::fs::read_to_string(task.path().join("comm")).unwrap_or_default()
    });
    names.filter(|name| name == "lookup\n").count()
}

/// A name server that never answers costs each scrape its time, and a thread in all.
#[test]
fn a_silent_name_server() {
    if !own_network() {
        return;
    }
    let silent = UdpSocket::bind("127.0.0.1:53").expect("bind the name server's port");
    let directory = TempDir::new().expect("a temporary directory");
    let uri = "tcp://haproxy.example:9999";
    let Some(exporter) = exporter_with("127.0.0.1 other\n", uri, directory.path()) else {
        return;
    };
    let scrapes = 4;
    for _ in 0..scrapes {
        let got = exporter.scrape_with(&[("X-Prometheus-Scrape-Timeout-Seconds", "2")]);
        assert_eq!(got.value("haproxy_up"), 0.0);
        assert_eq!(lookup_threads(&exporter), 1);
    }
    // It was asked indeed.
    let (count, _) = silent.recv_from(&mut [0; 512]).expect("a query");
    assert!(count > 12, "{count} bytes");
    let timed_out = "tcp socket haproxy.example:9999: resolve: timed out";
    let timed_out = Problem::scrape_failed(timed_out);
    // Once, since the reason stays the same.
    assert_eq!(exporter.finish().problems(), [timed_out]);
}

/// Names of /etc/hosts need no name server, and are looked up by a thread that ends.
#[test]
fn names_of_etc_hosts() {
    if !own_network() {
        return;
    }
    let stat = csv::answer(&[csv::frontend("web", &[(4, "1")])]);
    for (host, hosts) in [
        ("127.0.0.1", "127.0.0.1 haproxy.example lb\n"),
        ("[::1]", "::1 haproxy.example lb\n"),
    ] {
        let fake = Fake::tcp(host, Answers::whole(&stat, INFO));
        for name in ["haproxy.example", "lb"] {
            let directory = TempDir::new().expect("a temporary directory");
            let uri = format!("tcp://{name}:{}", fake.address().port());
            let Some(exporter) = exporter_with(hosts, &uri, directory.path()) else {
                return;
            };
            assert_eq!(exporter.scrape().value("haproxy_up"), 1.0, "{name}");
            peers::wait_for("the lookup's end", || {
                (lookup_threads(&exporter) == 0).then_some(())
            });
            assert_eq!(exporter.finish().problems(), [], "{name}");
        }
    }
}
