//! Nothing that the suite starts outlives it, also where it is killed and runs no destructor.
//!
//! A shell in a process group of its own knows the groups of all that runs. Its input ends with the
//! suite, however that ends; then it ends them. The kernel's own means (PR_SET_PDEATHSIG, prctl(2)) reaches
//! neither the workers of a master nor what a supervisor starts, and takes the end of a test's thread for
//! that of the suite.

use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::peers;

/// Reads `+ GROUP` and `- GROUP`; then asks those that are left to end, and kills what does not.
const WATCHER: &str = r#"
groups=' '
while read -r what group; do
    case $what in
        +) groups="$groups$group " ;;
        -) groups="${groups%% "$group" *} ${groups#* "$group" }" ;;
    esac
done
set -- $groups
[ $# -gt 0 ] || exit 0
for signal in TERM CONT; do
    for group; do kill -s $signal -- "-$group"; done
done
sleep 2
for group; do kill -s KILL -- "-$group"; done
"#;

/// The way to the watcher, once there is one.
static WATCHER_INPUT: Mutex<Option<ChildStdin>> = Mutex::new(None);

/// A process group that ends with the suite, and with this at the latest.
pub(crate) struct Group(u32);

/// Starts a program as the leader of a group of its own.
pub(crate) fn spawn(command: &mut Command) -> io::Result<(Child, Group)> {
    // Before there is something to end.
    let mut watcher = watcher()?;
    let child = command.process_group(0).spawn()?;
    let group = Group(child.id());
    tell(&mut watcher, '+', group.0);
    Ok((child, group))
}

impl Drop for Group {
    /// The leader has ended and was waited for; what it left behind is killed.
    fn drop(&mut self) {
        kill(self.0);
        if let Ok(mut watcher) = watcher() {
            tell(&mut watcher, '-', self.0);
        }
    }
}

fn watcher() -> io::Result<MutexGuard<'static, Option<ChildStdin>>> {
    let mut input = WATCHER_INPUT.lock().unwrap_or_else(PoisonError::into_inner);
    if input.is_none() {
        // Whoever waits for the end of the suite's output must not wait for the watcher.
        let mut shell = Command::new("sh");
        shell.args(["-c", WATCHER]).process_group(0);
        shell
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        *input = shell.spawn()?.stdin;
    }
    Ok(input)
}

fn tell(watcher: &mut Option<ChildStdin>, what: char, group: u32) {
    let input = watcher.as_mut().expect("the watcher's input");
    let line = format!("{what} {group}\n");
    input
        .write_all(line.as_bytes())
        .expect("tell the watcher of a process");
}

#[allow(unsafe_code)]
fn kill(group: u32) {
    let group = libc::pid_t::try_from(group).expect("a process group");
    // SAFETY: kill has no memory effects.
    unsafe { libc::kill(-group, libc::SIGKILL) };
}

/// Says where the suite that is killed is to write which processes it has started.
const IS_KILLED: &str = "HAPROXY_EXPORTER_SUITE_IS_KILLED";

/// Starts what ends by no signal but SIGKILL, an exporter, and a master with its worker.
fn be_killed(list: &std::path::Path) -> ! {
    let deaf = "trap '' TERM HUP; sleep 1000 & echo started; while :; do wait; done";
    let mut deaf = peers::Peer::start(Command::new("sh").args(["-c", deaf]));
    deaf.wait_for_line("a start", |line| (line == "started").then_some(()));
    let reloaded = crate::old_workers::Reloaded::start();
    let exporter = super::exporter::Exporter::start(&["--haproxy.scrape-uri=unix:/nonexistent"]);
    let mut pids = peers::descendants(deaf.pid());
    pids.extend([deaf.pid(), exporter.pid()]);
    if let Some(reloaded) = &reloaded {
        let master = reloaded.haproxy.peer.pid();
        pids.push(master);
        pids.extend(peers::descendants(master));
        assert!(pids.len() >= 5, "{pids:?}");
    }
    let pids: Vec<String> = pids.iter().map(u32::to_string).collect();
    // It is whole when it has its name.
    let unfinished = list.with_extension("unfinished");
    std::fs::write(&unfinished, pids.join(" ")).expect("write the list");
    std::fs::rename(&unfinished, list).expect("name the list");
    loop {
        std::thread::park();
    }
}

#[test]
fn nothing_outlives_a_suite_that_is_killed() {
    if let Some(list) = std::env::var_os(IS_KILLED) {
        be_killed(list.as_ref());
    }
    let directory = tempfile::TempDir::new().expect("a temporary directory");
    let list = directory.path().join("list");
    let mut suite = Command::new(std::env::current_exe().expect("the suite's program"));
    let name = "support::children::nothing_outlives_a_suite_that_is_killed";
    suite.args(["--exact", name]).env(IS_KILLED, &list);
    let mut suite = peers::Peer::start(&mut suite);
    let pids = peers::wait_for("the list of processes", || {
        assert!(!suite.has_ended(), "{}", suite.output());
        std::fs::read_to_string(&list).ok()
    });
    suite.signal(libc::SIGKILL);
    suite.wait();
    let mut alive: Vec<u32> = pids
        .split(' ')
        .map(|pid| pid.parse().expect("a process id"))
        .collect();
    let _ = peers::wait_for_or_give_up(|| {
        alive.retain(|pid| is_alive(*pid));
        alive.is_empty().then_some(())
    });
    for pid in &alive {
        peers::signal(*pid, libc::SIGKILL);
    }
    assert!(alive.is_empty(), "{alive:?} of {pids}");
}

/// Whether a process runs; one that nobody has waited for yet does not.
fn is_alive(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(") ").map(|(_, rest)| &rest[..1]);
    state.is_some_and(|state| state != "Z" && state != "X")
}
