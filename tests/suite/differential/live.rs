//! A real HAProxy with servers in every state, scraped by both exporters.

use std::time::Duration;

use super::design::up;
use crate::support::exposition::Exposition;
use crate::support::fake_haproxy::{Act, Answers, Fake};
use crate::support::go_exporter::Pair;
use crate::support::haproxy::{Haproxy, Place};
use crate::support::{http, peers};

const STATS: usize = 0;
const ORIGIN: usize = 1;
const WEB: usize = 2;
/// Lets the checks go on between two commands.
const BETWEEN_COMMANDS: Duration = Duration::from_millis(400);

/// A HAProxy with servers in every state. Intervals below a second make all checks begin at once.
struct Farm {
    haproxy: Haproxy,
    _agents: [Fake; 3],
}

fn agent(word: &str) -> Fake {
    let answers = Answers {
        stat: vec![Act::Send(format!("{word}\n").into_bytes())],
        info: Vec::new(),
    };
    Fake::tcp("127.0.0.1", answers)
}

impl Farm {
    fn start() -> Option<Farm> {
        let place = Place::new(3);
        let agents = ["up 75%", "drain", "down"].map(agent);
        let configuration = configuration(&place, &agents);
        let haproxy = Haproxy::start(place, &configuration)?;
        haproxy.cli("set server app/draining state drain");
        for (proxy, server, status) in [
            ("app", "up", "UP"),
            ("app", "down", "DOWN"),
            ("app", "maintenance", "MAINT"),
            ("app", "draining", "DRAIN"),
            ("app", "unchecked", "no check"),
            ("app", "agent_up", "UP"),
            ("app", "agent_drain", "DRAIN (agent)"),
            ("app", "agent_down", "DOWN (agent)"),
            ("follow", "up", "UP"),
            ("follow", "down", "DOWN"),
            ("follow", "maintenance", "MAINT (via app/maintenance)"),
            ("nobody", "BACKEND", "DOWN"),
        ] {
            haproxy.wait_for_status(proxy, server, status);
        }
        let farm = Farm {
            haproxy,
            _agents: agents,
        };
        farm.make_traffic();
        Some(farm)
    }

    fn make_traffic(&self) {
        let paths = ["/", "/redirect", "/404", "/500", "/nobody", "/denied", "/"];
        for path in paths.iter().cycle().take(42) {
            let response = http::request(self.haproxy.address(WEB), "GET", path, &[]);
            assert!(response.status >= 200);
        }
    }

    fn http_flag(&self) -> String {
        format!(
            "--haproxy.scrape-uri=http://{}/;csv",
            self.haproxy.address(STATS)
        )
    }

    /// Starts both exporters and compares until rates have calmed down.
    fn compare(&self, flags: &[&str]) -> Option<(Exposition, Exposition)> {
        let pair = Pair::start(flags)?;
        let mut last = Vec::new();
        let mut tries = 0;
        let equal = peers::wait_for_or_give_up(|| {
            tries += 1;
            let (ours, go) = pair.scrape();
            assert_eq!(go.value("haproxy_up"), 1.0, "{}", pair.go.peer.output());
            last = self.differences(&ours, &go);
            last.is_empty().then_some((ours, go))
        });
        let (ours, go) =
            equal.unwrap_or_else(|| panic!("{flags:?}: after {tries} tries:\n{}", last.join("\n")));
        assert!(go.families.len() > 10);
        assert_eq!(pair.ours.finish().problems(), []);
        Some((ours, go))
    }

    /// Each scrape over HTTP counts itself in the frontend that it goes through: its values differ.
    fn differences(&self, ours: &Exposition, go: &Exposition) -> Vec<String> {
        let mut found = ours.differences(go);
        found.retain(|text| {
            let is_missing = text.starts_with("missing") || text.starts_with("extra");
            is_missing || !text.contains("frontend=\"stats\"}")
        });
        found
    }
}

fn configuration(place: &Place, agents: &[Fake; 3]) -> String {
    let origin = place.address(ORIGIN);
    let check = "check inter 900ms rise 1 fall 1";
    let agent = |index: usize| {
        let port = agents[index].address().port();
        format!(
            "agent-check agent-addr 127.0.0.1 agent-port {port} agent-inter 900ms agent-send \"show stat\\n\""
        )
    };
    format!(
        "{global}
frontend stats
  bind {stats}
  stats enable
  stats uri /
frontend origin
  bind {bind_origin}
  http-request redirect location /elsewhere if {{ path /redirect }}
  http-request return status 404 if {{ path /404 }}
  http-request return status 500 if {{ path /500 }}
  http-request return status 200 content-type text/plain string hello
frontend web
  bind {web}
  option socket-stats
  rate-limit sessions 10000
  http-request deny if {{ path /denied }}
  use_backend nobody if {{ path /nobody }}
  default_backend app
backend app
  option httpchk
  server up {origin} {check}
  server down 127.0.0.1:1 {check}
  server maintenance {origin} {check} disabled
  server draining {origin} {check} weight 7
  server unchecked {origin} weight 200
  server agent_up {origin} {check} {agent_up}
  server agent_drain {origin} {check} {agent_drain}
  server agent_down {origin} {check} {agent_down}
  server spare {origin} {check} backup maxconn 9
backend follow
  server up {origin} track app/up
  server down {origin} track app/down
  server maintenance {origin} track app/maintenance
backend nobody
  server down 127.0.0.1:1 {check}
",
        global = place.global(),
        stats = place.bind(STATS),
        bind_origin = place.bind(ORIGIN),
        web = place.bind(WEB),
        agent_up = agent(0),
        agent_drain = agent(1),
        agent_down = agent(2),
    )
}

/// `DRAIN (agent)` is judged differently on purpose; without it all must be equal.
const EXCLUDE_AGENT: &str = "--haproxy.server-exclude-states=DRAIN (agent)";

#[test]
fn over_unix() {
    let Some(farm) = Farm::start() else { return };
    let pid_file = farm.haproxy.write_pid_file();
    let pid_flag = format!("--haproxy.pid-file={}", pid_file.display());
    let uri = farm.haproxy.unix_flag();
    let Some((ours, _)) = farm.compare(&[&uri, EXCLUDE_AGENT]) else {
        return;
    };
    let responses = |code: &str| {
        ours.value(&format!(
            "haproxy_frontend_http_responses_total{{code=\"{code}\",frontend=\"web\"}}"
        ))
    };
    assert!(
        ["2xx", "3xx", "4xx", "5xx"]
            .iter()
            .all(|code| responses(code) > 0.0)
    );
    let states = "--haproxy.server-exclude-states=DOWN,no check,DRAIN (agent),DOWN (agent)";
    for variant in [
        &["--haproxy.server-metric-fields="][..],
        &["--haproxy.server-metric-fields=4,7,18,38,40", EXCLUDE_AGENT],
        &[states],
        &[&pid_flag, EXCLUDE_AGENT],
    ] {
        let compared = farm.compare(&[&[uri.as_str()], variant].concat());
        let Some((ours, go)) = compared else { return };
        if variant.contains(&pid_flag.as_str()) {
            for name in ["max_fds", "start_time_seconds", "virtual_memory_max_bytes"] {
                let name = format!("haproxy_process_{name}");
                assert_eq!(ours.value(&name), go.value(&name));
            }
        }
    }
}

#[test]
fn over_http() {
    let Some(farm) = Farm::start() else { return };
    let uri = farm.http_flag();
    for variant in [
        &[EXCLUDE_AGENT][..],
        &["--haproxy.server-metric-fields="],
        &[
            "--haproxy.server-metric-fields=2,3,5,6,8,9,13,14,15,16,21,24,30,33,35,39,41,42,43,44,49,50,58,59,60,61",
        ],
        &["--haproxy.server-exclude-states=UP,DOWN,DOWN (agent),DRAIN (agent)"],
    ] {
        if farm.compare(&[&[uri.as_str()], variant].concat()).is_none() {
            return;
        }
    }
}

/// HAProxy 2.6 counts below zero for seconds when an agent is said to be up while the checks fail.
#[test]
fn a_count_below_zero() {
    let place = Place::new(0);
    let configuration = format!(
        "{}backend app\n  server a 127.0.0.1:1 check inter 2s rise 3 fall 3 \
         agent-check agent-port 2 agent-inter 60s\n",
        place.global()
    );
    let Some(haproxy) = Haproxy::start(place, &configuration) else {
        return;
    };
    let Some(pair) = Pair::start(&[&haproxy.unix_flag()]) else {
        return;
    };
    haproxy.wait_for_status("app", "a", "DOWN");
    let status = || haproxy.cell("app", "a", 17);
    let (ours, go) = peers::wait_for("a status with a count below zero", || {
        haproxy.cli("set server app/a agent up");
        // It stays so until the next check, which on a busy machine may come between the scrapes.
        let before = status().filter(|status| status.starts_with("UP -"));
        let scraped = before.as_ref().map(|_| pair.scrape());
        let scraped = scraped.filter(|_| before == status());
        if scraped.is_none() {
            std::thread::sleep(BETWEEN_COMMANDS);
        }
        scraped
    });
    assert_eq!((ours.value(&up("a")), go.value(&up("a"))), (1.0, 0.0));
}
