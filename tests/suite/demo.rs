//! `make demo`: HAProxy, the exporter and Prometheus start, show what they should, and all end with Ctrl-C.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::support::{exporter, http, peers};

#[test]
fn three_urls_until_it_is_interrupted() {
    let Some(_) = peers::find_all(["haproxy", "prometheus", "curl"]) else {
        return;
    };
    // Free now, and no other listener gets them at once: the kernel hands out others first.
    let listeners = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").expect("bind"));
    let addresses = listeners.map(|one| one.local_addr().expect("an address"));
    let directory = TempDir::new().expect("a temporary directory");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(root.join("tests/tools/demo.sh"));
    command
        .arg(exporter::command().get_program())
        .env("TMPDIR", directory.path());
    let names = ["HAPROXY", "EXPORTER", "PROMETHEUS"];
    for (name, address) in names.iter().zip(addresses) {
        command.env(format!("DEMO_{name}_PORT"), address.port().to_string());
    }
    let mut demo = peers::Peer::start(&mut command);
    let end = "Ctrl-C stops everything.";
    demo.wait_for_line(end, |line| (line == end).then_some(()));
    let [haproxy, exporter, prometheus] = addresses;
    // Debian's Prometheus has only the older pages.
    let paths = ["/alerts", "/classic/alerts"];
    let path = paths
        .into_iter()
        .find(|path| http::request(prometheus, "GET", path, &[]).status == 200);
    let path = path.expect("a page of alerts");
    let expected = format!(
        "HAProxy     http://{haproxy}/ (and /failing, /maintenance)\n\
         exporter    http://{exporter}/\nPrometheus  http://{prometheus}{path}\n{end}\n"
    );
    assert_eq!(demo.output(), expected);

    let get = |address: SocketAddr, path: &str| http::request(address, "GET", path, &[]);
    let page = get(haproxy, "/");
    assert_eq!((page.status, page.text()), (200, "served through HAProxy"));
    assert_eq!(get(haproxy, "/maintenance").status, 503);
    assert!(get(exporter, "/").text().contains("HAProxy exporter"));
    // One backend is healthy, one has a server that fails, one is in maintenance; the master process replies.
    let wanted = [
        "haproxy_server_up{backend=\"healthy\",server=\"one\"} 1",
        "haproxy_server_up{backend=\"failing\",server=\"good\"} 1",
        "haproxy_server_up{backend=\"failing\",server=\"bad\"} 0",
        "haproxy_server_maintenance{backend=\"maintenance\",server=\"only\",reason=\"admin\"} 1",
        "haproxy_master_up 1",
    ];
    peers::wait_for("all servers in their states", || {
        let page = get(exporter, "/metrics");
        let lines: Vec<&str> = page.text().lines().collect();
        wanted.iter().all(|line| lines.contains(line)).then_some(())
    });
    // Prometheus scrapes it, and has the rules.
    peers::wait_for("a scrape", || {
        let found = get(prometheus, "/api/v1/query?query=haproxy_up");
        found.text().contains(",\"1\"]").then_some(())
    });
    let rules = get(prometheus, "/api/v1/rules");
    assert!(rules.text().contains("\"HaproxyServerDown\""));

    let children = peers::descendants(demo.pid());
    let runs = |pid: &u32| Path::new(&format!("/proc/{pid}")).exists();
    // The master of HAProxy, its worker, the exporter and Prometheus.
    assert!(children.len() >= 4, "{children:?}");
    demo.signal(libc::SIGINT);
    assert!(demo.wait().success(), "{}", demo.output());
    assert_eq!(demo.output(), expected);
    peers::wait_for("the end of all processes", || {
        (!children.iter().any(runs)).then_some(())
    });
    let left = std::fs::read_dir(directory.path()).expect("read the directory");
    assert_eq!(left.count(), 0, "files are left");
}

/// It ends, and names the reason, where one of them cannot start.
#[test]
fn a_port_in_use() {
    let Some(_) = peers::find_all(["haproxy", "prometheus", "curl"]) else {
        return;
    };
    let taken = TcpListener::bind("127.0.0.1:0").expect("bind");
    let port = taken.local_addr().expect("an address").port().to_string();
    let free = TcpListener::bind("127.0.0.1:0").expect("bind");
    let other = free.local_addr().expect("an address").port().to_string();
    drop(free);
    let directory = TempDir::new().expect("a temporary directory");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(root.join("tests/tools/demo.sh"));
    command
        .arg(exporter::command().get_program())
        .env("TMPDIR", directory.path())
        .env("DEMO_HAPROXY_PORT", other)
        .env("DEMO_EXPORTER_PORT", &port)
        .env("DEMO_PROMETHEUS_PORT", "0");
    let (status, output, error) = peers::run(&mut command);
    assert_eq!((status.code(), output.as_str()), (Some(1), ""), "{error}");
    let reason = format!("--web.listen-address=127.0.0.1:{port}: address already in use");
    assert!(error.starts_with("demo: a process has ended:\n"), "{error}");
    assert!(error.contains(&reason), "{error}");
    let left = std::fs::read_dir(directory.path()).expect("read the directory");
    assert_eq!(left.count(), 0, "files are left");
}
