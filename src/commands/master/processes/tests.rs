use super::*;

fn read(answer: &[u8]) -> Result<Processes, ReplyError> {
    let mut processes = Processes::default();
    let taken = processes.push(answer)?;
    processes.finish(&answer[taken.bytes..], Proof::EmptyLine)?;
    Ok(processes)
}

/// The master as `PID UPTIME RELOADS FAILED`, each worker as `PID UPTIME`, old ones with `old`.
fn shown(answer: &[u8]) -> String {
    let processes = read(answer).unwrap();
    let number = |number: Option<u64>| number.map_or("-".to_owned(), |number| number.to_string());
    let master = processes.master().unwrap();
    let mut text = format!(
        "{} {} {} {}",
        master.pid,
        number(master.uptime_seconds),
        number(master.reloads),
        number(master.failed)
    );
    for worker in processes.workers() {
        let old = if worker.is_listed_old { " old" } else { "" };
        let uptime = number(worker.uptime_seconds);
        text.push_str(&format!(", {} {uptime}{old}", worker.pid));
    }
    text
}

macro_rules! recorded {
    ($version:literal, $name:literal) => {
        include_bytes!(concat!(
            "../../../../tests/fixtures/cli/",
            $version,
            "/",
            $name,
            ".out"
        ))
    };
}

#[test]
#[rustfmt::skip]
fn every_release_is_read() {
    let cases: [(&[u8], &str); 17] = [
        (recorded!("2.4.0", "a00-show-proc-fresh"), "2426 5 0 -, 2437 5"),
        (recorded!("2.4.0", "a01-show-proc-2old-1failed"), "2426 15 3 -, 3340 5 old, 3240 8 old, 2437 15 old"),
        (recorded!("2.4.0", "a02-show-proc-after-good"), "2426 19 4 -, 3700 2, 3240 12 old, 2437 19 old"),
        (recorded!("2.4.0", "a30-show-proc-drained"), "2426 66 4 -, 3700 49"),
        (recorded!("2.6.12", "a00-show-proc-fresh"), "26655 6 0 0, 26770 6"),
        (recorded!("2.6.12", "a01-show-proc-2old-1failed"), "26655 24 3 1, 29432 5, 28913 7 old, 26770 24 old"),
        (recorded!("2.6.12", "a02-show-proc-after-good"), "26655 36 4 0, 30476 2, 28913 19 old, 26770 36 old"),
        (recorded!("2.6.12", "a30-show-proc-drained"), "26655 171 4 0, 30476 137"),
        (recorded!("3.0.0", "a51-failed-twice-show-proc"), "13264 11 2 2, 13310 11"),
        (recorded!("3.2.0", "a00-show-proc-fresh"), "2752 5 0 0, 2756 5"),
        (recorded!("3.2.0", "a01-show-proc-2old-1failed"), "2752 15 3 1, 2756 15 old, 3089 8 old, 3119 5 old"),
        (recorded!("3.2.0", "a02-show-proc-after-good"), "2752 19 4 0, 3186 2, 2756 19 old, 3089 12 old"),
        (recorded!("3.2.0", "a30-show-proc-drained"), "2752 78 4 0, 3186 61"),
        (recorded!("3.4.0", "a00-show-proc-fresh"), "4604 6 0 0, 4608 6"),
        (recorded!("3.4.0", "a01-show-proc-2old-1failed"), "4604 16 3 1, 6128 5 old, 5668 8 old, 4608 16 old"),
        (recorded!("3.4.0", "a02-show-proc-after-good"), "4604 20 4 0, 7354 2, 5668 12 old, 4608 20 old"),
        (recorded!("3.4.0", "a30-show-proc-drained"), "4604 79 4 0, 7354 61"),
    ];
    for (answer, expected) in cases {
        assert_eq!(
            shown(answer),
            expected,
            "{}",
            String::from_utf8_lossy(answer)
        );
    }
}

const HEADER: &str = "#<PID>  <type>  <reloads>  <uptime>  <version>\n";

#[test]
fn rows_may_be_odd() {
    let cases = [
        // Numbers that are wider than their columns, and a program's row of any kind.
        (
            "7 master 123456 [failed: 1234] 400d23h59m59s 9.9\n# programs\nx y z\n# workers\n8 worker 0 0d00h00m01s 9.9\n",
            "7 34646399 123456 1234, 8 1",
        ),
        // The same process twice, and a section that is not known.
        (
            "7 master 0 0d00h00m01s 9.9\n# workers\n8 worker 0 0d00h00m01s 9\n# old workers\n8 worker 1 0d00h00m01s 9\n# new kind\n- -\n",
            "7 1 0 -, 8 1",
        ),
        // What is not a number is not there.
        (
            "7 master -1 [failed: x] 1h 9.9\n# workers\n8 worker\n",
            "7 - - -, 8 -",
        ),
        (
            "7 master 0 99999999999999999999d00h00m00s 9\n# workers\n4294967295 worker 0 0d00h00m00s 9\n",
            "7 - 0 -, 4294967295 0",
        ),
    ];
    for (rows, expected) in cases {
        assert_eq!(
            shown(format!("{HEADER}{rows}\n").as_bytes()),
            expected,
            "{rows}"
        );
    }
    // Columns in another order.
    let moved = "#<PID>  <uptime>  <relative PID>  <reloads>\n7 0d00h01m00s 0 5\n\n";
    assert_eq!(shown(moved.as_bytes()), "7 60 5 -");
}

#[test]
#[rustfmt::skip]
fn other_answers_are_refused() {
    let many: String = (1..=1_001)
        .map(|pid| format!("{pid} worker 0 0d00h00m00s 9\n"))
        .collect();
    let cases = [
        ("", "closed without a reply".to_owned()),
        ("\n", "not a reply to \"show proc\": it begins \"\"".to_owned()),
        ("Permission denied\n\n", "not a reply to \"show proc\": it begins \"Permission denied\"".to_owned()),
        (
            "Unknown command, but\n  help\n\n",
            "not a reply to \"show proc\": it begins \"Unknown command, but\"".to_owned(),
        ),
    ];
    for (answer, expected) in cases {
        let error = read(answer.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), expected, "{answer:?}");
    }
    let bad = |line: &str| format!("not a reply to \"show proc\": it begins {line:?}");
    let cases = [
        ("# workers\n8 worker\n\n", bad("#<PID>  <type>  <reloads>  <uptime>  <version>")),
        ("7 master\n# workers\n0 worker\n\n", bad("0 worker")),
        ("7 master\n# workers\n-8 worker\n\n", bad("-8 worker")),
        ("7 master\n# workers\n4294967296 worker\n\n", bad("4294967296 worker")),
        ("x master\n\n", bad("x master")),
        ("7 master\n", "reply cut: the closing empty line is missing".to_owned()),
        ("7 master\n# wor", "reply cut: the closing empty line is missing".to_owned()),
        (&format!("7 master\n# workers\n{many}\n"), "more than 1000 workers".to_owned()),
    ];
    for (rows, expected) in cases {
        let error = read(format!("{HEADER}{rows}").as_bytes()).err();
        let error = error.map_or_else(|| "read".to_owned(), |error| error.to_string());
        assert_eq!(error, expected, "{rows:?}");
    }
}

/// Which answers say that the level is too low.
#[test]
fn denials() {
    let other = |line: &str| ReplyError::OfAnotherKind(SHOW_PROC, line.to_owned());
    let cases = [
        (other("Permission denied"), true),
        (ReplyError::Empty(Proof::EmptyLine), true),
        (other("x"), false),
    ];
    let processes = Processes::default();
    for (error, expected) in cases {
        assert_eq!(processes.is_denial(&error), expected, "{error}");
    }
}
