use super::*;
use crate::metrics::cursor::Cursor;
use crate::metrics::exposition::BUFFER_BYTES;
use crate::metrics::selection::{Defaults, Selection};
use crate::metrics::snapshot::Snapshot;

fn read(reply: &[u8]) -> Result<Activity, ReplyError> {
    let mut activity = Activity::default();
    let taken = activity.push(reply)?;
    activity.finish(&reply[taken.bytes..], Proof::EmptyLine)?;
    Ok(activity)
}

fn values(activity: &Activity, key: &str) -> Vec<Option<u64>> {
    activity.values(key).collect()
}

/// The lines of the families of threads, from their names on.
fn samples(reply: &[u8]) -> Vec<String> {
    let catalog = &*Box::leak(Box::new(crate::commands::catalog(&[])));
    let mut snapshot = Snapshot::default();
    read(reply).unwrap().put_rows(&mut Sink {
        catalog,
        snapshot: &mut snapshot,
    });
    let defaults = Defaults {
        catalog,
        profile: 0,
    };
    let selection = Selection::all(&defaults);
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut cursor = Cursor::default();
    let mut text = Vec::new();
    loop {
        match cursor.fill(&snapshot, &selection, &mut buffer) {
            0 => break,
            filled => text.extend_from_slice(&buffer[..filled]),
        }
    }
    let text = String::from_utf8(text).unwrap();
    let lines = text.lines().filter_map(|line| line.strip_prefix("haproxy_thread_"));
    lines.map(str::to_owned).collect()
}

macro_rules! recorded {
    ($version:literal, $threads:literal) => {
        include_bytes!(concat!(
            "../../../tests/fixtures/cli/",
            $version,
            "/d-show-activity-",
            $threads,
            ".out"
        ))
    };
}

/// Each release has a value of each thread in each line that it prints; which lines it lacks.
#[test]
fn recorded_replies() {
    let cases: [(&[u8], usize, &[&str]); 9] = [
        (recorded!("2.6.12", "1"), 1, &["check_running"]),
        (recorded!("2.6.12", "2"), 2, &["check_running"]),
        (recorded!("2.6.12", "10"), 10, &["check_running"]),
        (recorded!("2.8.25", "1"), 1, &["check_running"]),
        (recorded!("2.8.25", "2"), 2, &["check_running"]),
        (recorded!("2.8.25", "10"), 10, &["check_running"]),
        (recorded!("3.5-dev5", "1"), 1, &[]),
        (recorded!("3.5-dev5", "2"), 2, &[]),
        (recorded!("3.5-dev5", "10"), 10, &[]),
    ];
    for (number, (reply, threads, missing)) in cases.into_iter().enumerate() {
        let activity = read(reply).unwrap();
        for (key, _) in THREAD.values {
            let expected = if missing.contains(key) { 0 } else { threads };
            let found = values(&activity, key);
            assert_eq!(found.len(), expected, "{key} of case {number}");
            assert!(found.iter().all(Option::is_some), "{key} of case {number}");
        }
        assert!(values(&activity, "loops").iter().flatten().sum::<u64>() > 0, "case {number}");
    }
}

#[test]
fn values_of_threads() {
    let activity = read(
        b"thread_id: 2 (1..3)\nloops: 60 [ 10 20 30 ]\nlong_rq: 7\nloops_x: 5\navg_loop_us: [ 4 x 6 ]\n\
          accq_full:\npool_fail: 9 [ 9 ] 9\ncheck_running: 3 [  1 -1 2]\n\n",
    );
    let activity = activity.unwrap();
    // A word that cannot be read is the missing value of its thread: the others keep theirs.
    let cases: [(&str, &[Option<u64>]); 8] = [
        ("loops", &[Some(10), Some(20), Some(30)]),
        ("long_rq", &[Some(7)]),
        ("avg_loop_us", &[Some(4), None, Some(6)]),
        ("pool_fail", &[Some(9)]),
        ("check_running", &[Some(1), None, Some(2)]),
        ("accq_full", &[]),
        ("buf_wait", &[]),
        ("loop", &[]),
    ];
    for (key, expected) in cases {
        assert_eq!(values(&activity, key), expected, "{key}");
    }
}

/// Each sample has the value of its line and its thread, in the unit of its family.
#[test]
fn samples_of_threads() {
    let reply = b"avg_loop_us: 7 [ 4000000 x 6000000 ]\nloops: 60 [ 10 20 30 ]\nbuf_wait: 3 [ 1 2 ]\n\n";
    let expected = [
        "loop_time_average_seconds{thread=\"1\"} 4",
        "loop_time_average_seconds{thread=\"3\"} 6",
        "loops_total{thread=\"1\"} 10",
        "loops_total{thread=\"2\"} 20",
        "loops_total{thread=\"3\"} 30",
        "buffer_waits_total{thread=\"1\"} 1",
        "buffer_waits_total{thread=\"2\"} 2",
    ];
    assert_eq!(samples(reply), expected);
}

/// No reply makes more samples than HAProxy can have threads.
#[test]
fn more_threads_than_there_can_be() {
    let reply = format!("loops: 1 [{} ]\n\n", " 1".repeat(MAX_THREADS + 100));
    let samples = samples(reply.as_bytes());
    let last = format!("loops_total{{thread=\"{MAX_THREADS}\"}} 1");
    assert_eq!((samples.len(), samples.last()), (MAX_THREADS, Some(&last)));
}

#[test]
fn replies_that_are_refused() {
    let cases: [(&[u8], &str); 4] = [
        (
            b"Permission denied\n\n",
            "not a reply to \"show activity\": it begins \"Permission denied\"",
        ),
        (
            b"Unknown command: 'activity', but maybe one of these:\n\n",
            "not a reply to \"show activity\": it begins \"Unknown command: 'activity', but maybe one of these:\"",
        ),
        (
            b"loops: 1\n",
            "reply cut: the closing empty line is missing",
        ),
        (b"", "closed without a reply"),
    ];
    for (reply, expected) in cases {
        assert_eq!(read(reply).unwrap_err().to_string(), expected);
    }
}
