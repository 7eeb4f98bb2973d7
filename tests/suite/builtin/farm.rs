//! A real HAProxy in which everything happens that its own exporter tells of, at work.

use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::support::fake_haproxy::{Act, Answers, Fake};
use crate::support::haproxy::{Haproxy, Place};
use crate::support::http::{self, Response};
use crate::support::peers;

/// The listeners of [`configuration`], in the order of its `bind` lines.
const WEB: usize = 0;
const STREAM: usize = 1;
const ORIGIN: usize = 2;
const FULL: usize = 3;
const BUILTIN: usize = 4;
const SLOW: usize = 5;

/// Between two requests of the traffic: enough time for a comparison in which little moves.
const PAUSE: Duration = Duration::from_millis(15);

/// Everything that runs. Fields are dropped in this order.
pub(super) struct Farm {
    traffic: Option<JoinHandle<()>>,
    is_over: Arc<AtomicBool>,
    /// Keeps the only session that the frontend `full` has.
    _session: TcpStream,
    pub(super) haproxy: Haproxy,
    _agents: [Fake; 4],
}

/// An agent that says one line. HAProxy asks it as if it were a CLI.
fn agent(words: &str) -> Fake {
    let answers = Answers {
        stat: vec![Act::Send(format!("{words}\n").into_bytes())],
        ..Answers::default()
    };
    Fake::tcp("127.0.0.1", answers)
}

fn configuration(place: &Place, agents: &[Fake; 4]) -> String {
    let agent = |index: usize| {
        let port = agents[index].address().port();
        format!(
            "agent-check agent-addr 127.0.0.1 agent-port {port} agent-inter 500ms agent-send \"show stat\\n\""
        )
    };
    format!(
        "global
  stats socket {user} mode 666 level user
{global}
  option socket-stats
  timeout queue 1s
resolvers names
  nameserver one 127.0.0.1:1
  nameserver two 127.0.0.1:2
frontend web
  bind {web} name first
  compression algo gzip
  compression type text/plain
  rate-limit sessions 1000
  http-request track-sc0 src table addresses
  http-request deny if {{ path /denied }}
  use_backend dead if {{ path /dead }}
  use_backend queue if {{ path /queue }}
  use_backend follow if {{ path /follow }}
  use_backend late if {{ path /late }}
  default_backend app
frontend stream
  mode tcp
  bind {stream} name second
  default_backend raw
frontend origin
  bind {bind_origin}
  http-request return status 404 if {{ path /404 }}
  http-request return status 500 if {{ path /500 }}
  http-request return status 200 content-type text/plain lf-string \"hello %[rand] and a text that can be compressed, compressed, compressed\"
frontend slow
  mode tcp
  bind {bind_slow}
  tcp-request inspect-delay 40ms
  tcp-request content accept if WAIT_END
  default_backend raw
frontend full
  bind {full}
  maxconn 1
  default_backend app
frontend builtin
  bind {builtin}
  http-request use-service prometheus-exporter
frontend closed
  bind unix@{closed}
  disabled
backend app
  option httpchk GET /
  cookie SERVER insert indirect
  default-server inter 500ms rise 1 fall 2
  server up {origin} check
  server other {origin} check weight 7 cookie other slowstart 60s
  server down 127.0.0.1:1 check
  server maintenance {origin} check disabled
  server paused {origin} check
  server draining {origin} check
  server unchecked {origin}
  server light {origin} check weight 0
  server spare {origin} check backup
  server agent_up {origin} check {agent_up}
  server agent_drain {origin} check {agent_drain}
  server agent_down {origin} check {agent_down}
  server agent_only {origin} {agent_only}
  server unresolved nothing.invalid:80 resolvers names init-addr none check
backend queue
  balance leastconn
  server narrow {origin} maxconn 1 maxqueue 2
backend late
  http-reuse never
  server late {slow}
backend follow
  server up {origin} track app/up
  server down {origin} track app/down
  server maintenance {origin} track app/maintenance
backend dead
  server gone 127.0.0.1:1 check inter 500ms
backend nobody
backend raw
  mode tcp
  server up {origin} check inter 500ms
  server unchecked {origin}
backend addresses
  stick-table type ip size 1k expire 1h store http_req_cnt
backend words
  stick-table type string len 32 size 64
",
        user = place.path("user.sock").display(),
        global = place.global(),
        web = place.bind(WEB),
        stream = place.bind(STREAM),
        bind_origin = place.bind(ORIGIN),
        full = place.bind(FULL),
        builtin = place.bind(BUILTIN),
        closed = place.path("closed.sock").display(),
        bind_slow = place.bind(SLOW),
        slow = place.address(SLOW),
        origin = place.address(ORIGIN),
        agent_up = agent(0),
        agent_drain = agent(1),
        agent_down = agent(2),
        agent_only = agent(3),
    )
}

impl Farm {
    /// Starts everything; `None` when HAProxy is not installed.
    pub(super) fn start() -> Option<Farm> {
        Farm::start_release("haproxy")
    }

    /// The same of a release.
    pub(super) fn start_release(release: &str) -> Option<Farm> {
        let place = Place::new(6);
        let agents = ["up 75%", "drain", "down", "up"].map(agent);
        let configuration = configuration(&place, &agents);
        let haproxy = Haproxy::start_release(release, place, &configuration)?;
        for (proxy, server, status) in [
            ("app", "up", "UP"),
            ("app", "down", "DOWN"),
            ("app", "maintenance", "MAINT"),
            ("app", "paused", "UP"),
            ("app", "draining", "UP"),
            ("app", "unchecked", "no check"),
            ("app", "agent_up", "UP"),
            ("app", "agent_drain", "DRAIN (agent)"),
            ("app", "agent_down", "DOWN (agent)"),
            ("app", "unresolved", "MAINT (resolution)"),
            ("follow", "maintenance", "MAINT (via app/maintenance)"),
            ("dead", "BACKEND", "DOWN"),
            ("raw", "up", "UP"),
        ] {
            haproxy.wait_for_status(proxy, server, status);
        }
        haproxy.cli("set server app/paused state maint");
        haproxy.cli("set server app/draining state drain");
        haproxy.wait_for_status("app", "paused", "MAINT");
        haproxy.wait_for_status("app", "draining", "DRAIN");
        let session = TcpStream::connect(haproxy.address(FULL)).expect("connect to HAProxy");
        let is_over = Arc::new(AtomicBool::new(false));
        let traffic = std::thread::spawn({
            let is_over = Arc::clone(&is_over);
            let addresses = [haproxy.address(WEB), haproxy.address(STREAM)];
            move || make_traffic(addresses, &is_over)
        });
        peers::wait_for("a time of the late server", || {
            const TOTAL_TIME: usize = 61;
            let time = haproxy.cell("late", "late", TOTAL_TIME);
            time.filter(|milliseconds| milliseconds != "0")
        });
        Some(Farm {
            traffic: Some(traffic),
            is_over,
            _session: session,
            haproxy,
            _agents: agents,
        })
    }

    /// Where HAProxy's own exporter is.
    pub(super) fn builtin(&self) -> SocketAddr {
        self.haproxy.address(BUILTIN)
    }

    /// The scrape URI of a CLI of level user.
    pub(super) fn user_uri(&self) -> String {
        format!("unix:{}", self.haproxy.place().path("user.sock").display())
    }

    /// HAProxy's own answer.
    pub(super) fn get_builtin(&self, query: &str) -> Response {
        http::request(self.builtin(), "GET", &format!("/metrics{query}"), &[])
    }
}

/// A request of each kind, over and over.
fn make_traffic(addresses: [SocketAddr; 2], is_over: &AtomicBool) {
    // An odd number, so that each goes both ways.
    let paths = [
        "/", "/404", "/500", "/denied", "/dead", "/queue", "/follow", "/late", "/",
    ];
    for (path, address) in paths.iter().cycle().zip(addresses.iter().cycle()) {
        if is_over.load(Ordering::Relaxed) {
            return;
        }
        http::request(*address, "GET", path, &[("Accept-Encoding", "gzip")]);
        std::thread::sleep(PAUSE);
    }
}

impl Drop for Farm {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(traffic) = self.traffic.take() {
            // Its panic was printed when it happened, and a second one would abort.
            let _ = traffic.join();
        }
    }
}
