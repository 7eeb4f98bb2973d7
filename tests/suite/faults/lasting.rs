//! Trouble that lasts: the log says when it begins, when it becomes another, and when it is over.

use tempfile::TempDir;

use crate::support::csv::{answer, backend, row, server};
use crate::support::exporter::Exporter;
use crate::support::fake_haproxy::{Act, Answers, Fake};

/// What a step of the story changes.
enum Change {
    /// What HAProxy answers.
    Rows(Vec<u8>),
    /// What the pid file holds.
    Pid(String),
    /// Nothing.
    None,
}
use Change::{None, Pid, Rows};

/// The rows, and a good one before them.
fn rows(rows: &[String]) -> Change {
    Rows(answer(&[&[backend("app", &[(4, "9")])], rows].concat()))
}

/// One scrape for each step; what the log says of all of them, without the time.
fn told(steps: impl IntoIterator<Item = Change>) -> Vec<String> {
    let directory = TempDir::new().expect("a temporary directory");
    let pid_file = directory.path().join("pid");
    let write = |text: &str| std::fs::write(&pid_file, text).expect("write the pid file");
    let own = std::process::id().to_string();
    write(&own);
    let fake = Fake::unix(&directory.path().join("haproxy.sock"), Answers::default());
    let info = format!("Name: HAProxy\nVersion: 2.6.12\nPid: {own}\n\n");
    let exporter = Exporter::start(&[
        &format!("--haproxy.scrape-uri={}", fake.uri()),
        &format!("--haproxy.pid-file={}", pid_file.display()),
        "--haproxy.timeout=30s",
    ]);
    let started = exporter.log_lines().len();
    let mut is_up = 1.0;
    for step in steps {
        match step {
            Rows(stat) => {
                is_up = f64::from(u8::from(!stat.is_empty()));
                let stat = vec![Act::Send(stat)];
                let info = vec![Act::Send(info.clone().into_bytes())];
                fake.set(Answers { stat, info });
            }
            Pid(text) => write(&text),
            None => {}
        }
        assert_eq!(exporter.scrape().value("haproxy_up"), is_up);
    }
    let names = [
        (fake.object(), "HAPROXY"),
        (pid_file.display().to_string(), "PID_FILE"),
    ];
    let mut lines = exporter.finish().lines.split_off(started);
    let last = lines.pop().expect("a last line");
    assert!(last.ends_with(" msg=stopping"), "{last}");
    let bare = lines.iter().map(|line| {
        let (time, rest) = line.split_once(' ').expect("more than the time");
        assert!(time.starts_with("ts="), "{line}");
        names.iter().fold(rest.to_owned(), |line, (name, short)| {
            line.replace(name, short)
        })
    });
    bare.collect()
}

#[test]
fn what_lasts_is_said_once() {
    const NO_ROW: &str = "level=warn msg=\"HAProxy printed no row\" \
        err=\"it has no proxies, is stopping, or its stats scope or bind-process hides them\"";
    let good = || rows(&[]);
    let short = || "app,odd\n".to_owned();
    let typed = || row(&[(0, "l"), (32, "x")]);
    let celled = |column, cell| server("app", "s", &[(column, cell)]);
    let pid = |text: &str| Pid(text.to_owned());
    let own = || Pid(std::process::id().to_string());
    let cases: [(&str, Vec<Change>, &[&str]); 4] = [
        (
            "bad rows",
            vec![
                good(),
                rows(&[short()]),
                None,
                // Another line, another number of fields, more rows: the same trouble.
                rows(&[celled(4, "1"), "app\n".to_owned(), short()]),
                rows(&[typed(), short()]),
                None,
                rows(&[celled(4, "a")]),
                rows(&[celled(4, "b")]),
                rows(&[celled(5, "b")]),
                good(),
                None,
                rows(&[celled(5, "b")]),
                good(),
            ],
            &[
                "level=warn msg=\"CSV parse failures\" count=1 first=\"line 3: 2 fields instead of 63\"",
                "level=warn msg=\"CSV parse failures\" count=2 first=\"line 3: the type \\\"x\\\" is not a number\"",
                "level=warn msg=\"CSV parse failures\" count=1 first=\"line 3, field 4 (scur): \\\"a\\\" is not a number\"",
                "level=warn msg=\"CSV parse failures\" count=1 first=\"line 3, field 5 (smax): \\\"b\\\" is not a number\"",
                "level=info msg=\"all rows parsed again\" times=8",
                "level=warn msg=\"CSV parse failures\" count=1 first=\"line 3, field 5 (smax): \\\"b\\\" is not a number\"",
                "level=info msg=\"all rows parsed again\" times=1",
            ],
        ),
        (
            "bad rows around a scrape that fails: nobody knows that they were over",
            vec![
                rows(&[short()]),
                Rows(Vec::new()),
                None,
                rows(&[short()]),
                good(),
            ],
            &[
                "level=warn msg=\"CSV parse failures\" count=1 first=\"line 3: 2 fields instead of 63\"",
                "level=error msg=\"scrape failed\" err=\"HAPROXY: closed without a reply\"",
                "level=info msg=\"scrape succeeded again\" times=2",
                "level=info msg=\"all rows parsed again\" times=2",
            ],
        ),
        (
            "no row",
            vec![
                Rows(answer(&[])),
                None,
                None,
                good(),
                None,
                Rows(answer(&[])),
                good(),
            ],
            &[
                NO_ROW,
                "level=info msg=\"HAProxy prints rows again\" times=3",
                NO_ROW,
                "level=info msg=\"HAProxy prints rows again\" times=1",
            ],
        ),
        (
            "a pid file",
            vec![good(), pid(""), None, pid("x"), pid("y"), own(), None],
            &[
                "level=warn msg=\"HAProxy process metrics are missing\" err=\"pid file PID_FILE: is empty\"",
                "level=warn msg=\"HAProxy process metrics are missing\" err=\"pid file PID_FILE: does not begin with a process id\"",
                "level=info msg=\"HAProxy process metrics are complete again\" times=4",
            ],
        ),
    ];
    for (name, steps, lines) in cases {
        assert_eq!(told(steps), lines, "{name}");
    }
}
