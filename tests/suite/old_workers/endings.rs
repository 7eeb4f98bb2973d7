//! Workers and masters that stop or end, and what that costs.

use super::{
    CONNECTIONS, Client, MEMORY, OLD, Reloaded, TOTALS, UNANSWERED, UP, is_of_group, scrape_until,
    totals,
};
use crate::support::exporter::{Exporter, Problem};
use crate::support::exposition::Exposition;
use crate::support::peers::{signal, wait_for};

/// More scrapes than a master, or a worker, has slots for questions.
const MORE_THAN_SLOTS: usize = 12;

/// What machines have as a page, in bytes.
const PAGES: [f64; 3] = [4096.0, 16384.0, 65536.0];

/// The resident pages of a process (proc(5), the 24th field of stat).
fn resident_pages(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("a process");
    let (_, behind_name) = stat.rsplit_once(") ").expect("a name in brackets");
    let pages = behind_name.split(' ').nth(21).map(str::parse);
    pages.expect("a field").expect("a number of pages")
}

fn families(found: &Exposition) -> Vec<&str> {
    let families = found.families.keys().map(String::as_str);
    families.filter(|family| is_of_group(family)).collect()
}

fn has_rows(found: &Exposition) -> bool {
    found.value("haproxy_up") == 1.0
        && found
            .get("haproxy_frontend_current_sessions{frontend=\"reloaded\"}")
            .is_some()
}

/// A stopped worker is asked once: each question that it leaves open takes one of the master's ten slots.
#[test]
fn a_stopped_worker_costs_its_own_answer() {
    let Some(reloaded) = Reloaded::start() else {
        return;
    };
    let exporter = reloaded.exporter_with("4s");
    let mut clients: Vec<Client> = Vec::new();
    let mut before = [0.0; 3];
    let mut stopped = 0;
    for count in 1..=2_u8 {
        clients.push(reloaded.connect());
        clients.push(reloaded.connect());
        stopped = reloaded.workers().0[0];
        reloaded.reload();
        before = totals(&scrape_until(&exporter, OLD, f64::from(count)));
    }
    // The second one's.
    signal(stopped, libc::SIGSTOP);
    for _ in 0..MORE_THAN_SLOTS {
        let found = exporter.scrape();
        assert!(has_rows(&found));
        let names = [UP, OLD, UNANSWERED, CONNECTIONS];
        assert_eq!(names.map(|name| found.value(name)), [1.0, 2.0, 1.0, 2.0]);
        assert_eq!(totals(&found), before);
    }
    clients[0].request();
    assert_eq!(exporter.scrape().value(TOTALS[0]), before[0] + 1.0);

    // It runs again, but nobody knows.
    signal(stopped, libc::SIGCONT);
    assert_eq!(exporter.scrape().value(UNANSWERED), 1.0);
    clients.truncate(2);
    let found = scrape_until(&exporter, OLD, 1.0);
    assert_eq!(found.value(UNANSWERED), 0.0);
    assert_eq!(found.value(TOTALS[0]), before[0] + 1.0);
    let msg = "old workers unresponsive";
    let expected = problem(&reloaded, msg, "read: timed out", Some(stopped));
    assert_eq!(exporter.finish().problems(), [expected]);
}

#[test]
fn a_killed_worker_takes_nothing_back() {
    let Some(reloaded) = Reloaded::start() else {
        return;
    };
    let exporter = reloaded.exporter();
    let mut clients = [reloaded.connect(), reloaded.connect()];
    exporter.scrape();
    reloaded.reload();
    scrape_until(&exporter, OLD, 1.0);
    clients[0].request();
    let found = exporter.scrape();
    assert!(found.value(TOTALS[0]) >= 1.0);
    let [old] = reloaded.workers().1[..] else {
        panic!("one old worker")
    };
    wait_for("as much memory as /proc has", || {
        let page = exporter.scrape().value(MEMORY) / resident_pages(old);
        PAGES.contains(&page).then_some(())
    });
    signal(old, libc::SIGKILL);
    let now = scrape_until(&exporter, OLD, 0.0);
    assert_eq!(totals(&now), totals(&found));
    assert_eq!((now.value(UP), now.get(MEMORY)), (1.0, Some(0.0)));
    assert_eq!(exporter.finish().problems(), []);
}

/// A warning about the master, or about the first of its workers that does not answer.
fn problem(reloaded: &Reloaded, msg: &str, why: &str, worker: Option<u32>) -> Problem {
    let socket = reloaded.master_socket();
    let err = format!("err=master unix socket {}: {why}", socket.display());
    let details = match worker {
        Some(pid) => vec!["count=1".to_owned(), err, format!("pid={pid}")],
        None => vec![err],
    };
    Problem {
        level: "warn".to_owned(),
        msg: msg.to_owned(),
        details,
    }
}

/// Scrapes until the master is said to be gone; its families are gone with it.
fn scrape_until_gone(exporter: &Exporter) -> Exposition {
    let found = scrape_until(exporter, UP, 0.0);
    assert_eq!(families(&found), [UP]);
    found
}

#[test]
fn a_stopped_master_costs_its_own_families() {
    let Some(reloaded) = Reloaded::start() else {
        return;
    };
    let exporter = reloaded.exporter_with("4s");
    let mut clients = [reloaded.connect(), reloaded.connect()];
    exporter.scrape();
    reloaded.reload();
    let before = totals(&scrape_until(&exporter, OLD, 1.0));
    reloaded.haproxy.peer.signal(libc::SIGSTOP);
    assert!(has_rows(&exporter.scrape()));
    assert!(has_rows(&scrape_until_gone(&exporter)));
    clients[0].request();
    reloaded.haproxy.peer.signal(libc::SIGCONT);
    let found = scrape_until(&exporter, UP, 1.0);
    assert_eq!(found.value(OLD), 1.0);
    assert_eq!(totals(&found)[0], before[0] + 1.0);
    let expected = problem(&reloaded, "show proc failed", "read: timed out", None);
    assert_eq!(exporter.finish().problems(), [expected]);
}

/// With the master its workers end as well.
#[test]
fn the_end_of_the_master() {
    let Some(mut reloaded) = Reloaded::start() else {
        return;
    };
    let exporter = reloaded.exporter();
    assert_eq!(exporter.scrape().value(UP), 1.0);
    reloaded.haproxy.peer.signal(libc::SIGKILL);
    reloaded.haproxy.peer.wait();
    scrape_until(&exporter, "haproxy_up", 0.0);
    let found = scrape_until_gone(&exporter);
    assert_eq!(found.value("haproxy_up"), 0.0);
    let master = reloaded.master_socket().display().to_string();
    reloaded.haproxy.restart(&["-W", "-S", &master]);
    let found = scrape_until(&exporter, UP, 1.0);
    assert!(has_rows(&found));
    assert_eq!(totals(&found), [0.0; 3]);
}
