//! The service files that `make install` installs and the recipes of the documents, run as they stand
//! there: only paths, users and addresses are replaced.

mod container;
mod floating;
mod front;
mod install;
mod links;
mod openrc;
mod openwrt;
mod procd;
mod read_only;
mod s6_rc;
mod services;
mod statistics;
mod systemd;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::support::documents;
use crate::support::exporter;
use crate::support::haproxy::{Haproxy, Place};
use crate::support::peers::{self, Peer};

/// The fenced block after `<!-- test: NAME -->` in README.md or a document.
fn snippet(name: &str) -> String {
    let mark = format!("test: {name}");
    let text = documents::read(&documents::with(&mark));
    text[documents::block(&text, &mark)].to_owned()
}

/// The block with every replacement made; each must have something to replace.
pub(crate) fn adapted(name: &str, replacements: &[(&str, &str)]) -> String {
    replaced(name, snippet(name), replacements)
}

/// The text with every replacement made; each must have something to replace.
fn replaced(name: &str, text: String, replacements: &[(&str, &str)]) -> String {
    replacements.iter().fold(text, |text, (from, to)| {
        assert!(text.contains(from), "{name} has no {from:?}:\n{text}");
        text.replace(from, to)
    })
}

/// Reads a file of share/haproxy_exporter below a directory that [`install::install`] installed to.
fn installed(root: &Path, name: &str) -> String {
    let path = root.join("usr/local/share/haproxy_exporter").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Writes a script that may be executed.
pub(crate) fn write_script(path: &Path, text: &str) {
    std::fs::write(path, text).expect("write a script");
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).expect("make it executable");
}

/// The tested binary's path.
fn binary() -> String {
    exporter::command()
        .get_program()
        .to_string_lossy()
        .into_owned()
}

/// What stands in the scripts for the two accounts, and what the tests put there: `nobody` and one
/// that has nothing else.
#[derive(Clone, Copy)]
struct Accounts {
    exporter: (&'static str, &'static str),
    logger: (&'static str, &'static str),
}

/// The user id of the logger's account.
const LOGGER: u32 = 65533;

const S6: Accounts = Accounts {
    exporter: ("s6-setuidgid haproxy_exporter ", "s6-setuidgid nobody "),
    logger: (
        "s6-setuidgid haproxy_exporter_log ",
        "s6-setuidgid 65533:65533 ",
    ),
};

const RUNIT: Accounts = Accounts {
    exporter: (
        "chpst -u haproxy_exporter:haproxy ",
        "chpst -u nobody:nogroup ",
    ),
    logger: ("chpst -u haproxy_exporter_log ", "chpst -u :65533:65533 "),
};

/// A directory that any user may write to, with a copy of the binary that any user may run.
struct Ground {
    directory: TempDir,
    haproxy: Haproxy,
}

impl Ground {
    /// `None` when HAProxy is not installed or users cannot be changed.
    fn prepare() -> Option<Ground> {
        if !peers::is_root() {
            peers::skip("only root can start programs as another user");
            return None;
        }
        let directory = TempDir::new().expect("a temporary directory");
        std::fs::set_permissions(directory.path(), PermissionsExt::from_mode(0o777))
            .expect("open the directory to all");
        exporter::copy_to(&directory.path().join("exporter"));
        let haproxy = haproxy()?;
        Some(Ground { directory, haproxy })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// Makes the service directory from what is installed.
    fn make_service(&self, kind: &str, accounts: Accounts) -> PathBuf {
        let service = self.path("service/exporter");
        std::fs::create_dir_all(service.join("log")).expect("make the service directory");
        self.make_log_directory();
        let root = self.path("installed");
        install::install(&root, "/usr/local");
        let name = format!("{kind}/haproxy_exporter/run");
        let run = self.run_script(&root, &name, accounts.exporter);
        write_script(&service.join("run"), &run);
        if kind == "s6" {
            let ready = installed(&root, "s6/haproxy_exporter/notification-fd");
            std::fs::write(service.join("notification-fd"), ready).expect("write notification-fd");
        }
        let log = self.log_script(kind, accounts.logger);
        write_script(&service.join("log/run"), &log);
        service
    }

    /// The log directory, as install.md has it: the logger's own.
    fn make_log_directory(&self) {
        let logged = self.path("logged");
        std::fs::create_dir(&logged).expect("make the log directory");
        std::os::unix::fs::chown(&logged, Some(LOGGER), None).expect("give it to the logger");
    }

    /// The service's script as it is installed, for HAProxy's socket here and an account of the tests.
    fn run_script(&self, root: &Path, name: &str, account: (&str, &str)) -> String {
        let socket = format!("--haproxy.scrape-uri={}", self.haproxy.unix_uri());
        let uri = format!(
            "{socket} --web.listen-address=unix:{}",
            self.text("metrics.sock")
        );
        let replacements = [
            account,
            ("/usr/local/bin/haproxy_exporter", &self.text("exporter")),
            ("--haproxy.scrape-uri=unix:/run/haproxy/admin.sock", &uri),
        ];
        replaced(name, installed(root, name), &replacements)
    }

    fn log_script(&self, kind: &str, logger: (&str, &str)) -> String {
        let name = format!("src/share/{kind}/haproxy_exporter/log/run");
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(&name);
        let text = std::fs::read_to_string(path).expect("read the log service");
        let place = ("/var/log/haproxy_exporter", self.text("logged"));
        replaced(&name, text, &[logger, (place.0, &place.1)])
    }

    /// Serves at once, as the user it was given, and its log comes.
    fn assert_serving(&self, pid: u32) {
        let answer = peers::get_unix(&self.path("metrics.sock"), "/metrics");
        let answer = answer.expect("a listening exporter");
        assert!(
            answer.text().contains("\nhaproxy_up 1\n"),
            "{}",
            answer.text()
        );
        let owner = std::fs::metadata(format!("/proc/{pid}")).expect("its /proc directory");
        assert_eq!(std::os::unix::fs::MetadataExt::uid(&owner), 65534);
    }

    /// The command serves.
    fn assert_command_serves(&self, words: &[String]) {
        let _exporter = Peer::start(Command::new(&words[0]).args(&words[1..]));
        let answer = || peers::get_unix(&self.path("metrics.sock"), "/metrics");
        let answer = peers::wait_for("the metrics", answer);
        assert!(answer.text().contains("\nhaproxy_up 1\n"));
    }

    fn wait_for_log(&self) {
        peers::wait_for("log lines", || {
            let log = std::fs::read_to_string(self.path("logged/current")).ok()?;
            log.contains("starting haproxy_exporter").then_some(())
        });
    }
}

/// A HAProxy to scrape, with one server.
fn haproxy() -> Option<Haproxy> {
    let place = Place::new(0);
    let configuration = format!("{}backend app\n  server one 127.0.0.1:1\n", place.global());
    Haproxy::start(place, &configuration)
}
