//! Answers from the field: recorded on real HAProxies, or rebuilt from public reports.

use tempfile::TempDir;

use crate::support::exposition::Exposition;
use crate::support::fake_haproxy::{Act, Answers, Fake};
use crate::support::faults::{self, Case, Outcome};
use crate::support::fixtures;

/// A recorded answer, and what must come of it.
struct Recorded {
    name: &'static str,
    /// How many rows and cells are bad, and what is wrong with the first.
    bad: (u64, &'static str),
    /// How many frontends and backends and servers with a state there are, and how many of the servers
    /// are up.
    rows: [usize; 4],
}

#[rustfmt::skip]
const RECORDED: [Recorded; 7] = [
    Recorded { name: "first-row-short", bad: (1, "line 2: 128 fields instead of 129"), rows: [1, 1, 1, 1] },
    Recorded { name: "header-cut", bad: (0, ""), rows: [1, 2, 2, 1] },
    Recorded { name: "real-1.6.0-agent-first", bad: (2, "line 2: 62 fields instead of 63"), rows: [1, 5, 13, 5] },
    // Twelve rows have an empty type, three servers have that of a backend, and one comes twice.
    Recorded { name: "real-2.3.0-type", bad: (16, "line 3: the type \"\" is not a number"), rows: [1, 29, 48, 21] },
    // Before the header nobody knows how many there should be: so many at least.
    Recorded { name: "stray-before-header", bad: (1, "line 1: 1 fields instead of 33"), rows: [1, 1, 1, 1] },
    Recorded { name: "type-empty", bad: (2, "line 2: the type \"\" is not a number"), rows: [1, 1, 1, 1] },
    Recorded { name: "up-negative", bad: (0, ""), rows: [0, 0, 4, 3] },
];

impl Recorded {
    fn case(&self) -> Case {
        let mut answer = fixtures::bytes(&format!("field/{}.csv", self.name));
        // Some lack the empty line that ends an answer of the CLI.
        if !answer.ends_with(b"\n\n") {
            answer.push(b'\n');
        }
        let case = match self.bad {
            (0, _) => Case::served(self.name, &answer, vec![Act::Send(answer.clone())]),
            (count, first) => Case::bad_rows(self.name, &answer, count, first),
        };
        let Outcome::Served { want, .. } = &case.outcome else {
            unreachable!("both are served")
        };
        assert_eq!(want.value("haproxy_up"), 1.0, "{}", self.name);
        assert_eq!(rows(want), self.rows, "{}", self.name);
        case
    }
}

/// Counts as [`Recorded::rows`] does.
fn rows(exposition: &Exposition) -> [usize; 4] {
    let values = |family: &str| {
        let start = format!("haproxy_{family}{{");
        let keys = exposition.samples.keys();
        let keys = keys.filter(|key| key.starts_with(&start));
        keys.map(|key| exposition.value(key)).collect::<Vec<f64>>()
    };
    let count = |family| values(family).len();
    let [frontends, backends] = ["frontend_current_sessions", "backend_up"].map(count);
    let servers = values("server_up");
    let up = servers.iter().filter(|value| **value == 1.0).count();
    [frontends, backends, servers.len(), up]
}

#[test]
fn recorded_answers() {
    let directory = TempDir::new().expect("a temporary directory");
    let fake = Fake::unix(&directory.path().join("haproxy.sock"), Answers::default());
    let good = fixtures::bytes("2.6.12/stat.csv");
    let healthy = Case::served("healthy", &good, vec![Act::Send(good.clone())]);
    let cases = RECORDED.each_ref().map(Recorded::case);
    faults::run(&[fake], &[], &healthy, &cases);
}
