use std::time::Duration;

use super::*;
use crate::metrics::snapshot::Outcome;

#[test]
fn each_target_has_a_row() {
    let started = Instant::now();
    let at = |seconds| started + Duration::from_secs(seconds);
    let mut targets = Targets::new(["", "edge", "core"].map(str::to_owned).to_vec());
    let outcome = |is_up, millis: u64| Outcome {
        is_up,
        took: Duration::from_micros(millis * 1000 + 250),
    };
    targets.scraped(0, outcome(true, 12), at(60));
    targets.scraped(1, outcome(false, 5000), at(61));
    let page = page(["/metrics", "/-/healthy"], &targets, started, at(75));
    for expected in [
        "<p>running for 1 min 15 s</p>",
        "<tr><td>default<td class=\"up\">up<td>15 s<td>12.2 ms<td><a href=\"/metrics?names=exporter\">exporter</a> <a href=\"/metrics?names=builtin\">builtin</a> </tr>",
        "<tr><td>edge<td class=\"down\">down<td>14 s<td>5000.2 ms<td><a href=\"/metrics?target=edge&amp;names=exporter\">",
        "<tr><td>core<td class=\"\">none yet<td><td><td>",
        "<a href=\"/metrics\">/metrics</a> \u{b7} <a href=\"/-/healthy\">/-/healthy</a>",
    ] {
        assert!(page.contains(expected), "{expected}\nin\n{page}");
    }
    // Where all have names, there is nothing at the bare path.
    let named = Targets::new(vec!["edge".to_owned()]);
    let page = super::page(["/metrics", "/-/healthy"], &named, started, at(1));
    assert!(
        !page.contains("<a href=\"/metrics\">") && page.contains("/-/healthy"),
        "{page}"
    );
}
