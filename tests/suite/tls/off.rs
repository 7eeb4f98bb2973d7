//! A build without TLS says so at its start, and how to get one.

use crate::support::exporter;
use crate::support::peers;

#[test]
fn https_is_refused_at_the_start() {
    let advice = "this build has no TLS (build with `make TLS=1`)\n";
    for (flag, what) in [
        (
            "--haproxy.scrape-uri=https://localhost/;csv",
            "--haproxy.scrape-uri: https",
        ),
        ("--haproxy.ssl-ca-file=/ca.pem", "--haproxy.ssl-ca-file"),
        (
            "--haproxy.ssl-server-name=localhost",
            "--haproxy.ssl-server-name",
        ),
    ] {
        let (status, _, error) = peers::run(exporter::command().arg(flag));
        let expected = format!("haproxy_exporter: {what}: {advice}");
        assert_eq!((status.code(), error), (Some(2), expected), "{flag}");
    }
    let (_, version, _) = peers::run(exporter::command().arg("--version"));
    assert!(version.contains("(without TLS)\n"), "{version}");
}
