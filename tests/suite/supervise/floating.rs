//! A floating address: one that another machine has at present.

use std::process::Command;

use tempfile::TempDir;

use super::adapted;
use crate::support::exporter::{self, Exporter};
use crate::support::{namespace, peers};

/// Reserved for documents (RFC 5737): nobody has it.
const LISTEN: &str = "--web.listen-address=192.0.2.7:9101";
const ABSENT: &str = "haproxy_exporter: --web.listen-address=192.0.2.7:9101: no such address on this machine \
                      (for a floating address: sysctl net.ipv4.ip_nonlocal_bind=1)\n";

/// Without the recipe it does not start; with it, it serves as soon as the address is here.
#[test]
fn floating_address() {
    let Some([ip, _]) = peers::find_all(["ip", "sysctl"]) else {
        return;
    };
    if !peers::is_root() {
        peers::skip("only root can make network namespaces");
        return;
    }
    if !namespace::enter_new_network() {
        return;
    }
    namespace::set_up_loopback().expect("set up the loopback interface");
    let (status, _, error) = peers::run(exporter::command().arg(LISTEN));
    assert_eq!((status.code(), error.as_str()), (Some(1), ABSENT));

    let directory = TempDir::new().expect("a temporary directory");
    let directory = directory.path().display().to_string();
    let script = adapted("nonlocal-bind", &[("/etc/sysctl.d", &directory)]);
    let mut shell = Command::new("sh");
    shell.args(["-euc", &script]);
    let path = std::env::var("PATH").unwrap_or_default();
    let (status, output, error) = peers::run(shell.env("PATH", format!("{path}:/usr/sbin:/sbin")));
    assert!(status.success(), "{output}{error}");

    let exporter = Exporter::start(&[LISTEN]);
    let mut add = Command::new(ip);
    let (status, _, error) = peers::run(add.args(["addr", "add", "192.0.2.7/32", "dev", "lo"]));
    assert!(status.success(), "{error}");
    assert_eq!(exporter.address().to_string(), "192.0.2.7:9101");
    assert_eq!(exporter.get("/-/healthy").status, 200);
}
