//! A child process: ended with its owner, and what /proc says of it (proc(5)).

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running child.
pub(crate) struct Running(Child);

impl Running {
    /// Starts `command` without streams.
    pub(crate) fn start(command: &mut Command) -> Result<Self, String> {
        let quiet = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let name = quiet.get_program().to_string_lossy().into_owned();
        let child = quiet.spawn().map_err(|error| format!("{name}: {error}"))?;
        Ok(Self(child))
    }

    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    /// User and system time since the start.
    pub(crate) fn cpu(&self) -> Duration {
        let stat = self.file("stat");
        let fields = stat.rsplit(')').next().unwrap_or_default();
        // The first field behind the name is number 3; 14 and 15 are the times, in ticks of 10 ms.
        let ticks = fields.split_whitespace().skip(11).take(2);
        let ticks: u64 = ticks.filter_map(|field| field.parse::<u64>().ok()).sum();
        Duration::from_millis(ticks * 10)
    }

    /// The same in nanoseconds, of all threads that run (/proc/PID/task/TID/schedstat).
    pub(crate) fn exact_cpu(&self) -> Duration {
        exact_cpu(self.id())
    }

    /// The same of the process and of all that it has started and that still run.
    pub(crate) fn exact_cpu_with_children(&self) -> Duration {
        let file = format!("/proc/{0}/task/{0}/children", self.id());
        let children = std::fs::read_to_string(file).unwrap_or_default();
        let children = children.split_whitespace();
        let of_children = children.filter_map(|id| id.parse().ok()).map(exact_cpu);
        self.exact_cpu() + of_children.sum::<Duration>()
    }

    /// The most memory that was ever resident, in bytes.
    pub(crate) fn peak_bytes(&self) -> u64 {
        let status = self.file("status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        kilobytes.unwrap_or(0) * 1024
    }

    /// Whether strace has attached.
    pub(crate) fn is_traced(&self) -> bool {
        let status = self.file("status");
        let mut lines = status.lines();
        let tracer = lines.find_map(|line| line.strip_prefix("TracerPid:"));
        tracer.is_some_and(|tracer| tracer.trim() != "0")
    }

    fn file(&self, name: &str) -> String {
        std::fs::read_to_string(format!("/proc/{}/{name}", self.id())).unwrap_or_default()
    }
}

fn exact_cpu(process: u32) -> Duration {
    let tasks = std::fs::read_dir(format!("/proc/{process}/task"));
    let of = |task: std::fs::DirEntry| -> Option<u64> {
        let stat = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        stat.split_whitespace().next()?.parse().ok()
    };
    let tasks = tasks.into_iter().flatten().flatten();
    Duration::from_nanos(tasks.filter_map(of).sum())
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Tries until `ready` has something, or the time is over.
pub(crate) fn wait_for<T>(
    what: &str,
    time: Duration,
    mut ready: impl FnMut() -> Option<T>,
) -> Result<T, String> {
    let start = Instant::now();
    loop {
        if let Some(found) = ready() {
            return Ok(found);
        }
        if start.elapsed() > time {
            return Err(format!("{what} did not come within {time:?}"));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Whether a program can be run at all.
pub(crate) fn exists(program: &str) -> bool {
    let mut path = std::env::var("PATH").unwrap_or_default();
    path.push_str(":/usr/sbin");
    std::env::split_paths(&path).any(|directory| directory.join(program).is_file())
}
