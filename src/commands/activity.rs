//! `show activity` (`--haproxy.activity`): what each thread of HAProxy does, and what keeps it from doing more.
//! HAProxy's built-in exporter has no such families.
//!
//! The reply has a line for each counter (management guide, section 9.3): `loops: 7 [ 3 4 ]` is the total and
//! the value of each thread, `loops: 7` that of the only one. Lines are found by their keys: 3.2 has more of
//! them than 2.6. Counters have 32 bits, and begin again at 0.

use std::time::Duration;

use super::command::{Answer, Command, Further, When};
use crate::config::Flag;
use crate::config::Takes::Switch;
use crate::haproxy::lines::Lines;
use crate::haproxy::reply::{Proof, Reply, ReplyError, Taken};
use crate::metrics::macros::table;
use crate::metrics::snapshot::Sink;
use crate::metrics::value::Value;
use crate::net::unsigned;

const ASK: &str = "show activity";

/// Threads that are exported at most, each with a sample of each family: HAProxy has groups of 64 threads, and
/// at most 64 groups in theory; as it is built, 64 threads in all up to 2.6, and 256 in later releases.
const MAX_THREADS: usize = 64 * 64;

pub(super) static COMMAND: Command = Command {
    ask: ASK,
    flag: Some(Flag::new(
        "haproxy.activity",
        Switch(false),
        "Export what each thread does (show activity); needs a CLI socket (level operator from HAProxy 2.8 on)",
        |to, text| to.turn_command(ASK, text),
    )),
    groups: &[&THREAD.group],
    when: When::WithRows(|| Box::new(Activity::default())),
    events: ["show activity failed", "show activity recovered"],
    ..Command::USUAL
};

/// A line of the reply, and its unit if that is one of time.
type Line = (&'static str, Option<fn(u64) -> Duration>);

table! {
    /// The threads, by their numbers from 1.
    static THREAD: Line {
        prefix: "haproxy_thread_",
        labels: &["thread"],
    }
    Counter stolen_seconds_total = ("cpust_ms_tot", Some(Duration::from_millis)), "Time this thread was ready to run and got no processor, in seconds; HAProxy 2.4 and later.";
    Gauge   loop_time_average_seconds = ("avg_loop_us", Some(Duration::from_micros)), "Average time of one turn of this thread's event loop, in seconds.";
    Counter loops_total = ("loops", None), "Turns of this thread's event loop.";
    Counter long_run_queues_total = ("long_rq", None), "Times this thread left tasks in its run queue to poll for events.";
    Counter accept_queue_full_total = ("accq_full", None), "Connections that another thread could not pass to this one because its accept queue was full.";
    Counter pool_failures_total = ("pool_fail", None), "Memory allocations of this thread that failed.";
    Counter buffer_waits_total = ("buf_wait", None), "Times this thread had to wait for a buffer.";
    Gauge   running_checks = ("check_running", None), "Health checks that run on this thread now; HAProxy 3.0 and later.";
}

/// The lines of one reply.
#[derive(Debug, Default)]
struct Activity {
    lines: Lines,
}

impl Activity {
    /// The values of a line by thread; empty where HAProxy does not print it. A word that is no number is the
    /// missing value of its thread.
    fn values<'a>(&'a self, key: &str) -> impl Iterator<Item = Option<u64>> + use<'a> {
        let found = self.lines.iter().find_map(|line| value_of(line, key));
        let text = found.unwrap_or_default();
        // Of several threads the total comes first.
        let threads = match memchr::memchr(b'[', text) {
            Some(at) => &text[at + 1..],
            None => text,
        };
        let threads = threads.split(|byte| *byte == b']').next().unwrap_or_default();
        let words = threads.split(|byte| *byte == b' ');
        let words = words.filter(|word| !word.is_empty());
        words.map(unsigned).take(MAX_THREADS)
    }
}

/// What follows the key and its colon on a line.
fn value_of<'a>(line: &'a [u8], key: &str) -> Option<&'a [u8]> {
    line.strip_prefix(key.as_bytes())?.strip_prefix(b":")
}

impl Reply for Activity {
    fn push(&mut self, input: &[u8]) -> Result<Taken, ReplyError> {
        self.lines.push(input)
    }

    fn finish(&mut self, rest: &[u8], _: Proof) -> Result<(), ReplyError> {
        self.lines.finish(rest, ASK, |line| {
            let key = line.split(|byte| *byte == b':').next();
            let is_key = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
            key.is_some_and(|key| key.len() < line.len() && key.iter().all(is_key))
        })
    }
}

impl Answer for Activity {
    fn replies(&mut self) -> (&mut dyn Reply, Option<Further<'_>>) {
        (self, None)
    }

    fn clear(&mut self) {
        self.lines.clear();
    }

    fn put_rows(&self, into: &mut Sink<'_>) {
        let lines = THREAD.values.iter();
        let values: Vec<Vec<_>> = lines.map(|line| self.values(line.0).collect()).collect();
        let threads = values.iter().map(Vec::len).max().unwrap_or_default();
        let mut rows = into.add(&THREAD);
        for thread in 0..threads {
            let label = (thread + 1).to_string();
            rows.put_slots(&[label.as_bytes()], &|slot| {
                let value = values[slot].get(thread).copied().flatten();
                match THREAD.values[slot].1 {
                    None => value.into(),
                    Some(time) => Value::from(value.map(time)),
                }
            });
        }
    }
}

#[cfg(test)]
mod tests;
