//! Under s6-rc, which Debian has no package of: where it is missing, only the source directories are read.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Ground, S6, install, installed, replaced, write_script};
use crate::support::peers::{self, Peer};

const SERVICE: &str = "s6-rc/haproxy_exporter-srv";
const LOG: &str = "s6-rc/haproxy_exporter-log";

/// What the two directories say to s6-rc-compile.
const DEFINITIONS: [(&str, &str, &str); 9] = [
    (SERVICE, "type", "longrun"),
    (SERVICE, "producer-for", "haproxy_exporter-log"),
    (SERVICE, "notification-fd", "3"),
    // Milliseconds; without it a service that never becomes ready is waited for without end.
    (SERVICE, "timeout-up", "10000"),
    (LOG, "type", "longrun"),
    (LOG, "consumer-for", "haproxy_exporter-srv"),
    (LOG, "pipeline-name", "haproxy_exporter"),
    (LOG, "notification-fd", "3"),
    (LOG, "timeout-up", "10000"),
];

/// Makes the source directories from what is installed. Services with `flag` besides their own.
fn make_source(ground: &Ground, root: &Path, source: &Path, flag: &str) {
    for (service, name, text) in DEFINITIONS {
        let directory = source.join(service.trim_start_matches("s6-rc/"));
        std::fs::create_dir_all(&directory).expect("make a source directory");
        let read = installed(root, &format!("{service}/{name}"));
        assert_eq!(read, format!("{text}\n"), "{service}/{name}");
        let text = match name {
            "timeout-up" if !flag.is_empty() => "500\n",
            _ => &read,
        };
        std::fs::write(directory.join(name), text).expect("write a definition");
    }
    let name = format!("{SERVICE}/run");
    let run = ground.run_script(root, &name, S6.exporter);
    let run = replaced(
        &name,
        run,
        &[("--ready-fd=3", &format!("--ready-fd=3 {flag}"))],
    );
    write_script(&source.join("haproxy_exporter-srv/run"), &run);
    let name = format!("{LOG}/run");
    let place = ("/var/log/haproxy_exporter", &*ground.text("logged"));
    let log = replaced(&name, installed(root, &name), &[S6.logger, place]);
    write_script(&source.join("haproxy_exporter-log/run"), &log);
}

struct S6Rc {
    tools: [PathBuf; 4],
    live: PathBuf,
}

impl S6Rc {
    fn find(ground: &Ground) -> Option<S6Rc> {
        let programs = ["s6-rc", "s6-rc-compile", "s6-rc-init", "s6-rc-update"];
        let found = programs.map(peers::find_unpackaged);
        let tools: Vec<PathBuf> = found.into_iter().flatten().collect();
        let live = ground.path("live");
        let tools = tools.try_into().ok();
        if tools.is_none() {
            peers::note("s6-rc is not installed: its directories were only read");
        }
        Some(S6Rc {
            tools: tools?,
            live,
        })
    }

    fn run(&self, tool: usize, arguments: &[&str]) -> bool {
        let mut command = Command::new(&self.tools[tool]);
        let (status, output, error) = peers::run(command.args(arguments));
        if !status.success() {
            peers::note(&format!("{arguments:?}: {output}{error}"));
        }
        status.success()
    }

    fn compile(&self, to: &Path, source: &Path) {
        let [to, source] = [to, source].map(|path| path.display().to_string());
        assert!(self.run(1, &[&to, &source]), "s6-rc-compile");
    }

    fn change(&self, direction: &str) -> bool {
        let live = self.live.display().to_string();
        self.run(0, &["-l", &live, direction, "change", "haproxy_exporter"])
    }
}

#[test]
fn s6_rc() {
    let Some([svscan, svstat, _, _]) =
        peers::find_all(["s6-svscan", "s6-svstat", "s6-log", "s6-setuidgid"])
    else {
        return;
    };
    let Some(ground) = Ground::prepare() else {
        return;
    };
    ground.make_log_directory();
    let root = ground.path("installed");
    if install::install(&root, "/usr/local").is_none() {
        return;
    }
    let [good, bad] = ["good", "bad"].map(|name| ground.path(name));
    make_source(&ground, &root, &good, "");
    make_source(&ground, &root, &bad, "--unknown-flag");
    let Some(s6rc) = S6Rc::find(&ground) else {
        return;
    };
    let [compiled, compiled_bad] = ["compiled", "compiled-bad"].map(|name| ground.path(name));
    s6rc.compile(&compiled, &good);
    s6rc.compile(&compiled_bad, &bad);
    let scan = ground.path("scan");
    std::fs::create_dir(&scan).expect("make a scan directory");
    let _scan = Peer::start(Command::new(svscan).arg(&scan));
    peers::wait_for("s6-svscan", || {
        scan.join(".s6-svscan/control").exists().then_some(())
    });
    let [live, scan, database] =
        [&s6rc.live, &scan, &compiled].map(|path| path.display().to_string());
    assert!(
        s6rc.run(2, &["-c", &database, "-l", &live, &scan]),
        "s6-rc-init"
    );

    // Returns when the service is ready.
    assert!(s6rc.change("-u"), "up");
    let mut stat = Command::new(svstat);
    stat.args(["-o", "pid"])
        .arg(s6rc.live.join("servicedirs/haproxy_exporter-srv"));
    let (_, pid, _) = peers::run(&mut stat);
    ground.assert_serving(pid.trim().parse().expect("a pid"));
    ground.wait_for_log();
    assert!(s6rc.change("-d"), "down");
    assert!(!ground.path("metrics.sock").exists(), "the socket is left");

    // A service that cannot start fails, and its reason is in the log.
    let bad = compiled_bad.display().to_string();
    assert!(s6rc.run(3, &["-l", &live, &bad]), "s6-rc-update");
    assert!(!s6rc.change("-u"), "a wrong flag");
    let log = std::fs::read_to_string(ground.path("logged/current")).expect("read the log");
    assert!(log.contains("unknown flag --unknown-flag"), "{log}");
    assert!(s6rc.change("-d"), "down again");
}
