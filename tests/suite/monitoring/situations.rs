//! Situations of a site, under both sets of names from one table: its normal life raises nothing
//! critical, and each outage raises one critical alert.

use std::fmt::Write;
use std::process::Command;

use super::{read, share};
use crate::support::peers;

const ALERTS: &str = "prometheus/alerts.yml";
/// Evaluations of one minute; `for` of the alerts about backends and servers is at most 5 minutes.
const MINUTES: usize = 20;

/// What a server's status is.
#[derive(Clone, Copy, PartialEq)]
enum Is {
    Up,
    /// `UP` or `no check` with a weight of 0.
    UpWithoutWeight,
    Down,
    Maint(&'static str),
    Drain(&'static str),
    /// `NOLB` of `http-check disable-on-404`.
    Nolb,
}

use Is::{Down, Drain, Maint, Nolb, Up, UpWithoutWeight};

/// A server: whether it is a backup server, and its states, each for so many minutes; the last one stays.
struct Server {
    is_backup: bool,
    states: &'static [(Is, usize)],
}

const fn server(states: &'static [(Is, usize)]) -> Server {
    Server {
        is_backup: false,
        states,
    }
}

const fn backup(states: &'static [(Is, usize)]) -> Server {
    Server {
        is_backup: true,
        states,
    }
}

impl Server {
    fn at(&self, minute: usize) -> Is {
        let mut end = 0;
        for (state, minutes) in self.states {
            end += minutes;
            if minute < end {
                return *state;
            }
        }
        self.states.last().expect("a state").0
    }
}

struct Situation {
    name: &'static str,
    servers: &'static [Server],
    is_published: bool,
    /// What the documented recording rule says of the backend.
    expected_servers: Option<usize>,
    /// The alerts that fire in the end, with their severity; servers by number.
    fires: &'static [&'static str],
}

const PLAIN: Situation = Situation {
    name: "",
    servers: &[],
    is_published: true,
    expected_servers: None,
    fires: &[],
};

const DOWN: &str = "HaproxyBackendDown critical";
const HALF: &str = "HaproxyBackendHalfDown warning";
const OUT: &str = "HaproxyBackendTakenOut warning";
const SPARE: &str = "HaproxyBackendOnBackupServers warning";

const UP: Server = server(&[(Up, 1)]);
const DEAD: Server = server(&[(Up, 2), (Down, 1)]);
const IN_MAINT: Server = server(&[(Maint("admin"), 1)]);
const UNRESOLVED: Server = server(&[(Maint("resolution"), 1)]);

#[rustfmt::skip]
const SITUATIONS: &[Situation] = &[
    Situation { name: "all is well", servers: &[UP, UP], ..PLAIN },
    Situation { name: "a rolling maintenance", servers: &[
        server(&[(Up, 2), (Maint("admin"), 4), (Up, 1)]),
        server(&[(Up, 7), (Maint("admin"), 4), (Up, 1)]),
        server(&[(Up, 12), (Maint("admin"), 6), (Up, 1)]),
    ], ..PLAIN },
    Situation { name: "one of two is in maintenance", servers: &[IN_MAINT, UP], ..PLAIN },
    Situation { name: "one of two follows another into maintenance",
        servers: &[server(&[(Maint("tracked"), 1)]), UP], ..PLAIN },
    Situation { name: "one primary by design, and it is said so", servers: &[UP, DEAD, DEAD],
        expected_servers: Some(1), ..PLAIN },
    Situation { name: "one primary by design, and it is not said", servers: &[UP, DEAD, DEAD],
        fires: &[HALF, "HaproxyServerDown warning 1", "HaproxyServerDown warning 2"], ..PLAIN },
    Situation { name: "the primary is down", servers: &[DEAD, DEAD, DEAD], expected_servers: Some(1),
        fires: &[DOWN], ..PLAIN },
    Situation { name: "two of three stand by with NOLB",
        servers: &[server(&[(Nolb, 1)]), server(&[(Nolb, 1)]), UP], ..PLAIN },
    Situation { name: "one stands by with NOLB, one is down", servers: &[server(&[(Nolb, 1)]), DEAD, UP, UP],
        fires: &["HaproxyServerDown warning 1"], ..PLAIN },
    Situation { name: "placeholders of a server-template",
        servers: &[UNRESOLVED, UNRESOLVED, UNRESOLVED, UNRESOLVED, UP], ..PLAIN },
    Situation { name: "no placeholder has an address", servers: &[UNRESOLVED, UNRESOLVED],
        fires: &[DOWN], ..PLAIN },
    Situation { name: "a pair, its backup server idle", servers: &[UP, backup(&[(Up, 1)])], ..PLAIN },
    Situation { name: "a pair, its backup server down", servers: &[UP, backup(&[(Down, 1)])],
        fires: &["HaproxyServerDown warning 1"], ..PLAIN },
    Situation { name: "a pair that runs on its backup server", servers: &[DEAD, backup(&[(Up, 1)])],
        fires: &[SPARE, "HaproxyServerDown warning 0"], ..PLAIN },
    Situation { name: "a pair whose regular server is in maintenance",
        servers: &[IN_MAINT, backup(&[(Up, 1)])], fires: &[SPARE], ..PLAIN },
    Situation { name: "both of a pair are down", servers: &[DEAD, backup(&[(Down, 1)])],
        fires: &[DOWN], ..PLAIN },
    Situation { name: "one of two is drained", servers: &[server(&[(Drain("admin"), 1)]), UP], ..PLAIN },
    Situation { name: "the last server is drained", servers: &[server(&[(Drain("admin"), 1)])],
        fires: &[OUT], ..PLAIN },
    Situation { name: "an agent drains the last server", servers: &[server(&[(Drain("agent"), 1)])],
        fires: &[OUT], ..PLAIN },
    Situation { name: "all are in maintenance", servers: &[IN_MAINT, IN_MAINT], fires: &[OUT], ..PLAIN },
    Situation { name: "one is in maintenance, the other down", servers: &[IN_MAINT, DEAD],
        fires: &[DOWN], ..PLAIN },
    Situation { name: "one is drained, the other down", servers: &[server(&[(Drain("admin"), 1)]), DEAD],
        fires: &[DOWN], ..PLAIN },
    Situation { name: "an agent takes all weight from the last server",
        servers: &[server(&[(UpWithoutWeight, 1)])], fires: &[DOWN], ..PLAIN },
    Situation { name: "a backend that is not published", servers: &[DEAD, DEAD], is_published: false, ..PLAIN },
    Situation { name: "a backend that is not published, half of it down", servers: &[DEAD, UP],
        is_published: false, ..PLAIN },
    Situation { name: "a backend without servers", servers: &[], ..PLAIN },
    Situation { name: "one of three is down", servers: &[DEAD, UP, UP],
        fires: &["HaproxyServerDown warning 0"], ..PLAIN },
    Situation { name: "one of two is down", servers: &[DEAD, UP],
        fires: &[HALF, "HaproxyServerDown warning 0"], ..PLAIN },
    Situation { name: "one of two is down, a third in maintenance", servers: &[DEAD, UP, IN_MAINT],
        fires: &[HALF, "HaproxyServerDown warning 0"], ..PLAIN },
    Situation { name: "all are down", servers: &[DEAD, DEAD], fires: &[DOWN], ..PLAIN },
    Situation { name: "all are down for a moment, as after a reload",
        servers: &[server(&[(Up, 5), (Down, 1), (Up, 1)]), server(&[(Up, 5), (Down, 1), (Up, 1)])], ..PLAIN },
];

/// Whether a server is in a state.
type Test = fn(Is) -> bool;

/// The input series of one situation under one set of names.
struct Series<'t> {
    text: &'t mut String,
    instance: String,
    is_builtin: bool,
}

impl Series<'_> {
    /// Adds a series of the backend, or of one of its servers. A value that is none is a gap.
    fn add(&mut self, family: &str, more_labels: &str, value: impl Fn(usize) -> Option<usize>) {
        let proxy = if self.is_builtin { "proxy" } else { "backend" };
        let value = |minute| value(minute).map_or("_".to_owned(), |value| value.to_string());
        let values: Vec<String> = (0..MINUTES).map(value).collect();
        let _ = writeln!(
            self.text,
            "      - {{series: '{family}{{job=\"haproxy\", instance=\"{}\", {proxy}=\"app\"{more_labels}}}', \
             values: '{}'}}",
            self.instance,
            values.join(" ")
        );
    }

    fn add_server(&mut self, number: usize, server: &Server) {
        let name = format!(", server=\"{number}\"");
        let is =
            |wanted: fn(Is) -> bool| move |minute| Some(usize::from(wanted(server.at(minute))));
        let only = |reason: &'static str, of: fn(Is) -> Option<&'static str>| {
            move |minute| (of(server.at(minute)) == Some(reason)).then_some(1)
        };
        if self.is_builtin {
            let states: [(&str, Test); 5] = [
                ("UP", |is| matches!(is, Up | UpWithoutWeight)),
                ("DOWN", |is| is == Down),
                ("MAINT", |is| matches!(is, Maint(_))),
                ("DRAIN", |is| matches!(is, Drain(_))),
                ("NOLB", |is| is == Nolb),
            ];
            for (state, wanted) in states {
                let labels = format!("{name}, state=\"{state}\"");
                self.add("haproxy_server_status", &labels, is(wanted));
            }
            let role = usize::from(server.is_backup);
            self.add("haproxy_server_backup", &name, |_| Some(role));
            self.add("haproxy_server_active", &name, |_| Some(1 - role));
        } else {
            let is_up = is(|is| matches!(is, Up | UpWithoutWeight | Drain(_)));
            self.add("haproxy_server_up", &name, is_up);
            if server.is_backup {
                self.add("haproxy_server_backup", &name, |_| Some(1));
            }
        }
        for reason in ["admin", "tracked", "resolution"] {
            let labels = format!("{name}, reason=\"{reason}\"");
            let maintenance = only(reason, |is| match is {
                Maint(reason) => Some(reason),
                _ => None,
            });
            self.add("haproxy_server_maintenance", &labels, maintenance);
        }
        for reason in ["admin", "agent", "check"] {
            let labels = format!("{name}, reason=\"{reason}\"");
            let draining = only(reason, |is| match is {
                Drain(reason) => Some(reason),
                Nolb => Some("check"),
                _ => None,
            });
            self.add("haproxy_server_draining", &labels, draining);
        }
    }

    /// HAProxy calls a backend without any server UP.
    fn add_backend(&mut self, situation: &Situation) {
        let usable = |is_backup| {
            move |minute| {
                let servers = situation.servers.iter();
                let of_kind = servers.filter(|server| server.is_backup == is_backup);
                of_kind.filter(|server| server.at(minute) == Up).count()
            }
        };
        let (active, spare) = (usable(false), usable(true));
        let is_up = |minute| situation.servers.is_empty() || active(minute) + spare(minute) > 0;
        if self.is_builtin {
            for (state, wanted) in [("UP", true), ("DOWN", false)] {
                let labels = format!(", state=\"{state}\"");
                self.add("haproxy_backend_status", &labels, |minute| {
                    Some(usize::from(is_up(minute) == wanted))
                });
            }
            self.add("haproxy_backend_active_servers", "", |m| Some(active(m)));
            self.add("haproxy_backend_backup_servers", "", |m| Some(spare(m)));
        } else {
            self.add("haproxy_backend_up", "", |m| Some(usize::from(is_up(m))));
            self.add("haproxy_backend_current_server", "", |m| Some(active(m)));
        }
        let published = usize::from(situation.is_published);
        self.add("haproxy_backend_published", "", |_| Some(published));
    }
}

/// The recording rule that the head of the alerts documents, for the backend of one instance.
fn expectation(instance: &str, is_builtin: bool, servers: usize) -> String {
    let documented = read(&share(ALERTS));
    let lines = documented
        .lines()
        .map(|line| line.trim_start_matches([' ', '#']));
    let rule: Vec<&str> = lines
        .skip_while(|line| *line != "- record: haproxy:backend_expected_servers")
        .take(2)
        .collect();
    let [record, expression] = rule.try_into().expect("the documented rule of two lines");
    let (family, selector) = match is_builtin {
        false => ("haproxy_backend_up", format!("{{instance=\"{instance}\"}}")),
        true => {
            let family = "haproxy_backend_active_servers";
            (family, format!("{{instance=\"{instance}\"}}"))
        }
    };
    let example = "haproxy_backend_up{backend=\"postgres\"}";
    assert!(expression.contains(example), "{expression}");
    assert!(documented.contains("use haproxy_backend_active_servers{proxy=\"postgres\"} there"));
    let expression = expression.replace(example, &format!("{family}{selector}"));
    let expression = expression.replace("+ 1", &format!("+ {servers}"));
    format!("      {record}\n        {expression}\n")
}

#[test]
fn every_situation_raises_its_alerts_under_both_names() {
    let Some(promtool) = peers::find("promtool") else {
        return;
    };
    let mut series = String::new();
    let mut expressions = String::new();
    let mut recorded = "groups:\n  - name: expected\n    rules:\n".to_owned();
    for (number, situation) in SITUATIONS.iter().enumerate() {
        for is_builtin in [false, true] {
            let names = if is_builtin { "builtin" } else { "exporter" };
            let instance = format!("{number}-{names}");
            let mut to = Series {
                text: &mut series,
                instance: instance.clone(),
                is_builtin,
            };
            to.add_backend(situation);
            for (number, server) in situation.servers.iter().enumerate() {
                to.add_server(number, server);
            }
            if let Some(servers) = situation.expected_servers {
                recorded.push_str(&expectation(&instance, is_builtin, servers));
            }
            let _ = writeln!(
                expressions,
                "      # {}\n      - expr: 'count by (alertname, severity, server) \
                 (ALERTS{{alertstate=\"firing\", instance=\"{instance}\"}})'\n        \
                 eval_time: {}m\n        exp_samples:",
                situation.name,
                MINUTES - 1
            );
            for alert in situation.fires {
                let words: Vec<&str> = alert.split(' ').collect();
                let server = match words.get(2) {
                    Some(number) => format!(", server=\"{number}\""),
                    None => String::new(),
                };
                let _ = writeln!(
                    expressions,
                    "          - {{labels: '{{alertname=\"{}\", severity=\"{}\"{server}}}', value: 1}}",
                    words[0], words[1]
                );
            }
        }
    }
    let directory = tempfile::tempdir().expect("a temporary directory");
    let expected = directory.path().join("expected.yml");
    std::fs::write(&expected, recorded).expect("write the recording rules");
    let test = directory.path().join("situations.yml");
    let text = format!(
        "rule_files: ['{}', '{}']\nevaluation_interval: 1m\ntests:\n  - interval: 1m\n    \
         input_series:\n{series}    promql_expr_test:\n{expressions}",
        expected.display(),
        share(ALERTS).display()
    );
    std::fs::write(&test, text).expect("write the situations");
    let mut command = Command::new(&promtool);
    command.args(["test", "rules"]).arg(&test);
    let (status, output, error) = peers::run(&mut command);
    assert!(status.success(), "{output}{error}");
}

/// An outage is one that somebody must be woken for, once.
#[test]
fn an_outage_is_one_critical_alert() {
    for situation in SITUATIONS {
        let critical = situation
            .fires
            .iter()
            .filter(|alert| alert.contains("critical"));
        let critical = critical.count();
        let is_outage = situation.fires.contains(&DOWN);
        assert_eq!(critical, usize::from(is_outage), "{}", situation.name);
    }
}
