use super::*;

fn read(reply: &[u8]) -> Result<Activity, ReplyError> {
    let mut activity = Activity::default();
    let taken = activity.push(reply)?;
    activity.finish(&reply[taken.bytes..], Proof::EmptyLine)?;
    Ok(activity)
}

fn values(activity: &Activity, key: &str) -> Vec<u64> {
    activity.values(key).collect()
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
            assert_eq!(values(&activity, key).len(), expected, "{key} of case {number}");
        }
        assert!(values(&activity, "loops").iter().sum::<u64>() > 0, "case {number}");
    }
}

#[test]
fn values_of_threads() {
    let activity = read(
        b"thread_id: 2 (1..3)\nloops: 60 [ 10 20 30 ]\nlong_rq: 7\nloops_x: 5\navg_loop_us: [ 4 x 6 ]\n\
          accq_full:\n\n",
    );
    let activity = activity.unwrap();
    let cases: [(&str, &[u64]); 6] = [
        ("loops", &[10, 20, 30]),
        ("long_rq", &[7]),
        ("avg_loop_us", &[4, 6]),
        ("accq_full", &[]),
        ("buf_wait", &[]),
        ("loop", &[]),
    ];
    for (key, expected) in cases {
        assert_eq!(values(&activity, key), expected, "{key}");
    }
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
