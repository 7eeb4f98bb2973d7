//! The recipes of README.md, run as they stand there: only paths, users and addresses are replaced.

mod front;
mod runit;
mod s6;
mod systemd;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::support::exporter;
use crate::support::haproxy::{Haproxy, Place};
use crate::support::peers;

/// The fenced block behind `<!-- test: NAME -->` in README.md.
fn snippet(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mark = format!("<!-- test: {name} -->\n```");
    let (_, rest) = text
        .split_once(&mark)
        .unwrap_or_else(|| panic!("README.md has no block behind <!-- test: {name} -->"));
    let (_, rest) = rest.split_once('\n').expect("a line behind the fence");
    let (block, _) = rest.split_once("\n```").expect("the end of a fenced block");
    block.to_owned() + "\n"
}

/// The block with every replacement made; each must have something to replace.
pub(crate) fn adapted(name: &str, replacements: &[(&str, &str)]) -> String {
    replacements.iter().fold(snippet(name), |text, (from, to)| {
        assert!(
            text.contains(from),
            "{name} in README.md has no {from:?}:\n{text}"
        );
        text.replace(from, to)
    })
}

/// Writes a script that may be executed.
fn write_script(path: &Path, text: &str) {
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
        std::fs::copy(binary(), directory.path().join("exporter")).expect("copy the binary");
        let haproxy = haproxy()?;
        Some(Ground { directory, haproxy })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// Makes the service directory: `run` and `log/run`, as README.md has them.
    fn make_service(&self, kind: &str, user: (&str, &str)) -> PathBuf {
        let service = self.path("service/exporter");
        std::fs::create_dir_all(service.join("log")).expect("make the service directory");
        std::fs::create_dir(self.path("logged")).expect("make the log directory");
        let socket = format!("--haproxy.scrape-uri={}", self.haproxy.unix_uri());
        let uri = format!(
            "{socket} --web.listen-address=unix:{}",
            self.text("metrics.sock")
        );
        let run = adapted(
            &format!("{kind}-run"),
            &[
                user,
                ("/usr/local/bin/haproxy_exporter", &self.text("exporter")),
                ("--haproxy.scrape-uri=unix:/run/haproxy/admin.sock", &uri),
            ],
        );
        write_script(&service.join("run"), &run);
        let log = adapted(
            &format!("{kind}-log-run"),
            &[("/var/log/haproxy_exporter", &self.text("logged"))],
        );
        write_script(&service.join("log/run"), &log);
        service
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
