//! Reloads of a real HAProxy, and what its old workers do meanwhile.

use super::{
    CONNECTIONS, Client, LAST_RELOAD, MEMORY, OLD, RELOADS, Reloaded, TOTALS, UNANSWERED, UP,
    is_of_group, scrape_until, totals,
};
use crate::support::peers;

/// What the master's reload itself asks of a worker for its sockets, and a scrape of it that is not over.
const MOST_OF_RELOAD: f64 = 3.0;

#[test]
fn what_an_old_worker_does_is_counted_and_stays_counted() {
    let Some(reloaded) = Reloaded::start() else {
        return;
    };
    let exporter = reloaded.exporter();
    let mut first: Vec<Client> = (0..4).map(|_| reloaded.connect()).collect();
    let found = exporter.scrape();
    let names = [UP, RELOADS, LAST_RELOAD, OLD, UNANSWERED, CONNECTIONS];
    let values = names.map(|name| found.value(name));
    assert_eq!(values, [1.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
    assert_eq!(totals(&found), [0.0; 3]);

    // No scrape sees these in the worker that serves.
    (0..20).for_each(|_| drop(reloaded.connect()));
    reloaded.reload();
    let found = scrape_until(&exporter, OLD, 1.0);
    assert_eq!((found.value(UP), found.value(RELOADS)), (1.0, 1.0));
    assert_eq!(found.value(CONNECTIONS), 4.0);
    let before = totals(&found);
    for (name, count) in TOTALS.iter().zip(before).take(2) {
        let expected = 20.0..=20.0 + MOST_OF_RELOAD;
        assert!(expected.contains(&count), "{name} is {count}");
    }

    let mut bytes = before[2];
    for (number, client) in first.iter_mut().take(3).enumerate() {
        bytes += client.request();
        let requests = before[0] + number as f64 + 1.0;
        assert_eq!(totals(&exporter.scrape()), [requests, before[1], bytes]);
    }
    // HAProxy closes a connection with the answer.
    scrape_until(&exporter, CONNECTIONS, 1.0);

    // Another reload, another old worker.
    let mut second: Vec<Client> = (0..2).map(|_| reloaded.connect()).collect();
    let before = totals(&exporter.scrape());
    reloaded.reload();
    let found = scrape_until(&exporter, OLD, 2.0);
    assert_eq!(found.value(CONNECTIONS), 3.0);
    let now = totals(&found);
    assert!(now[0] >= before[0] && now[0] <= before[0] + MOST_OF_RELOAD);
    let now = [now[0] + 1.0, now[1], now[2] + second[0].request()];
    assert_eq!(totals(&exporter.scrape()), now);

    // One has nothing left to do and ends, then the other.
    drop(first);
    assert_eq!(totals(&scrape_until(&exporter, OLD, 1.0)), now);
    drop(second);
    let found = scrape_until(&exporter, OLD, 0.0);
    assert_eq!(totals(&found), now);
    assert_eq!(found.value(CONNECTIONS), 0.0);
    assert_eq!(found.value(RELOADS), 2.0);
    assert_eq!(exporter.finish().problems(), []);
}

/// HAProxy counts the exporter's own questions: they are in `haproxy_process_requests_total`, as ever, but
/// not in what old workers did.
#[test]
fn the_serving_and_the_old_workers_are_the_whole_traffic() {
    let Some(reloaded) = Reloaded::start() else {
        return;
    };
    let exporter = reloaded.exporter();
    let mut held: Vec<Client> = (0..3).map(|_| reloaded.connect()).collect();
    exporter.scrape();
    reloaded.reload();
    scrape_until(&exporter, OLD, 1.0);
    let requests = || {
        let found = exporter.scrape();
        let names = ["haproxy_process_requests_total", TOTALS[0]];
        names.map(|name| found.value(name))
    };
    let [one, two] = [(); 2].map(|()| requests());
    let own = two[0] - one[0];
    assert_eq!(one[1], two[1], "the exporter's questions");
    for client in held.iter_mut().take(2) {
        client.request();
    }
    (0..5).for_each(|_| drop(reloaded.connect()));
    let three = requests();
    let grown = [three[0] - two[0] - own, three[1] - two[1]];
    assert_eq!(grown, [5.0, 2.0]);
    assert_eq!(exporter.finish().problems(), []);
}

#[test]
fn a_reload_that_fails_leaves_the_worker_as_it_is() {
    let Some(reloaded) = Reloaded::start() else {
        return;
    };
    let exporter = reloaded.exporter();
    assert_eq!(exporter.scrape().value(LAST_RELOAD), 1.0);
    let serving = reloaded.workers().0;
    reloaded.fail_to_reload();
    let found = scrape_until(&exporter, LAST_RELOAD, 0.0);
    let names = ["haproxy_up", UP, RELOADS, OLD];
    assert_eq!(names.map(|name| found.value(name)), [1.0, 1.0, 1.0, 0.0]);
    assert_eq!(totals(&found), [0.0; 3]);
    let (now, old) = reloaded.workers();
    assert_eq!([now, old].concat(), serving);

    let configuration = &reloaded.configuration;
    reloaded.haproxy.reconfigure(configuration);
    let _held = reloaded.connect();
    reloaded.reload();
    let found = scrape_until(&exporter, LAST_RELOAD, 1.0);
    assert_eq!(found.value(RELOADS), 2.0);
    scrape_until(&exporter, OLD, 1.0);
    assert_eq!(exporter.finish().problems(), []);
}

#[test]
fn twenty_old_workers() {
    let Some(reloaded) = Reloaded::start() else {
        return;
    };
    let exporter = reloaded.exporter();
    let mut clients: Vec<Client> = Vec::new();
    let mut found = exporter.scrape();
    for count in 1..=20_u8 {
        clients.push(reloaded.connect());
        reloaded.reload();
        // From here on it takes no connection.
        found = scrape_until(&exporter, OLD, f64::from(count));
    }
    assert_eq!(found.value(CONNECTIONS), 20.0);
    assert_eq!(found.value(UNANSWERED), 0.0);
    assert_eq!(found.value(RELOADS), 20.0);
    // Each has some pages of its own.
    assert!(found.value(MEMORY) > 20.0 * 65536.0);
    let before = totals(&found);
    let bytes: f64 = clients.iter_mut().map(Client::request).sum();
    // Those that have answered may have ended: what they did then is not seen.
    let now = totals(&exporter.scrape());
    assert!(now[0] >= before[0] && now[0] <= before[0] + 20.0);
    assert!(now[2] >= before[2] && now[2] <= before[2] + bytes);
    let found = scrape_until(&exporter, OLD, 0.0);
    assert!(totals(&found)[0] >= now[0]);
    assert_eq!(exporter.finish().problems(), []);
}

/// The master listens nowhere for a moment at each reload: nobody has to hear of that.
#[test]
fn scrapes_during_reloads() {
    let Some(reloaded) = Reloaded::start() else {
        return;
    };
    let exporter = reloaded.exporter();
    assert_eq!(exporter.scrape().value(UP), 1.0);
    let mut last = [0.0; 3];
    for count in 1..=6_u8 {
        reloaded.haproxy.reload();
        // No other reload before the master has answered a scrape: this is about one at a time. A row of
        // them keeps a master silent for as long as one likes.
        peers::wait_for(&format!("reload {count} in a scrape"), || {
            let found = exporter.scrape();
            assert_eq!(found.value(UP), 1.0);
            // Memory alone may be unknown, of one that has just ended.
            let names = found.samples.keys();
            let known = names.filter(|key| is_of_group(key) && *key != MEMORY);
            assert_eq!(known.count(), 11);
            let now = totals(&found);
            assert!(now.iter().zip(last).all(|(now, last)| *now >= last));
            last = now;
            (found.value(RELOADS) >= f64::from(count)).then_some(())
        });
    }
    assert_eq!(exporter.finish().problems(), []);
}
