//! No thread can be created any more.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

use crate::hostile::connections::idle;
use crate::hostile::tools::{Bare, limit};
use crate::hostile::{Rules, siege};
use crate::support::children::{self, Group};
use crate::support::exporter::{self, Exporter};
use crate::support::http::PATIENCE;
use crate::support::{exposition, fixtures, peers};

/// The threads that the user of a running exporter may have.
const THREADS: u64 = 20;
/// With fewer no start gets through: the main thread, and five of `tiny_http`'s at the same time.
const LEAST_THREADS: u64 = 6;
/// With so many each start does: one more of `tiny_http`'s for its connection, and the front.
const ENOUGH_THREADS: u64 = 8;
/// All that a start says that had no thread.
pub(super) const NO_THREAD: &str = "haproxy_exporter: cannot start a thread: \
    is there a memory or process limit? (resource temporarily unavailable)\n";

/// A user that nobody is, one for each number: the limit counts all threads of a user, and another
/// run of these tests may be under way.
fn user(number: u64) -> u32 {
    let number = u32::try_from(number).expect("a small number");
    54_320 + std::process::id() % 500 * 20 + number
}

/// A copy of the exporter that another user may run, in a directory where that user may write.
pub(super) fn for_others() -> (TempDir, Command) {
    let directory = TempDir::new().expect("a temporary directory");
    let allow =
        |path: &std::path::Path| std::fs::set_permissions(path, Permissions::from_mode(0o777));
    allow(directory.path()).expect("set permissions");
    let binary = directory.path().join("haproxy_exporter");
    exporter::copy_to(&binary);
    (directory, Command::new(binary))
}

/// Runs as an unprivileged user, who may have so many threads. A test that is not run by root
/// stays who it is: its limit is reached at once.
#[allow(unsafe_code)]
fn as_user(command: &mut Command, user: u32, threads: Option<u64>) {
    // SAFETY: all of these are system calls without locks or memory of their own.
    unsafe {
        command.pre_exec(move || {
            if let Some(threads) = threads {
                limit(0, libc::RLIMIT_NPROC, threads)?;
            }
            if libc::geteuid() == 0 && (libc::setgid(user) != 0 || libc::setuid(user) != 0) {
                return Err(std::io::Error::last_os_error());
            }
            Ok(())
        })
    };
}

/// Processes of a user, as many as the exporter may have threads.
struct Crowd(Vec<(Child, Group)>);

impl Crowd {
    fn new(user: u32) -> Crowd {
        let crowd = (0..THREADS).map(|_| {
            let mut command = Command::new("sleep");
            command.arg("100").stdin(Stdio::null());
            as_user(&mut command, user, None);
            children::spawn(&mut command).expect("start a process")
        });
        Crowd(crowd.collect())
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        for (child, _) in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[test]
fn no_thread_after_the_start() {
    if !peers::is_root() {
        peers::skip("only root can start programs as another user");
        return;
    }
    let (directory, mut command) = for_others();
    let stat = directory.path().join("stat.csv");
    std::fs::copy(fixtures::path("3.2.0/stat.csv"), &stat).expect("copy the answer");
    command.arg(format!("--haproxy.scrape-uri=file:{}", stat.display()));
    as_user(&mut command, user(0), Some(THREADS));
    let exporter = Exporter::spawn(&mut command);
    let _crowd = Crowd::new(user(0));
    let mut one_more = Command::new("true");
    as_user(&mut one_more, user(0), Some(THREADS));
    one_more.spawn().expect_err("a limit that is reached");
    let name = "no thread can be created, 100 idle connections";
    siege(name, exporter, Rules::default(), |attack| idle(attack, 100));
}

/// With each number of threads it either serves, or ends by itself and says why in one line.
#[test]
fn no_thread_at_the_start() {
    let served: Vec<u64> = std::thread::scope(|scope| {
        let starts = (1..=ENOUGH_THREADS)
            .map(|threads| (threads, scope.spawn(move || serves_with(threads))));
        let starts: Vec<_> = starts.collect();
        let served = starts
            .into_iter()
            .filter_map(|(threads, start)| start.join().expect("a start").then_some(threads));
        served.collect()
    });
    peers::note(&format!(
        "of 1 to {ENOUGH_THREADS} threads at the start it served with {served:?}"
    ));
    // The limit of a user who has other processes is reached at once.
    let most = if peers::is_root() { ENOUGH_THREADS } else { 0 };
    assert!(served.iter().all(|threads| *threads >= LEAST_THREADS));
    assert_eq!(served.last().copied().unwrap_or_default(), most);
}

fn serves_with(threads: u64) -> bool {
    let (directory, mut command) = for_others();
    command
        .arg("--log.level=warn")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    as_user(&mut command, user(threads), Some(threads));
    let mut exporter = Bare::spawn(&mut command, directory.path()).expect("start the exporter");
    let got = match exporter.wait_for_start() {
        Some(status) => Err(status.to_string()),
        None => exporter.get(),
    };
    match got {
        Ok(body) => {
            exposition::read(&body).expect("a valid exposition");
            assert_eq!(exporter.stop().code(), Some(0), "{threads} threads");
            true
        }
        Err(error) => {
            let status = exporter.end_within(PATIENCE).expect("an end by itself");
            let stderr = exporter.child().stderr.take().expect("standard error");
            let said = std::io::read_to_string(stderr).expect("a log of UTF-8");
            let context = format!("{threads} threads: {error}");
            assert_eq!((status.code(), &*said), (Some(1), NO_THREAD), "{context}");
            let socket = directory.path().join("metrics");
            assert!(!socket.exists(), "{context}: its socket is left behind");
            false
        }
    }
}
