//! What public dashboards and alerts ask of HAProxy's own exporter is answered by ours as well.

use std::collections::BTreeSet;

use serde_json::Value;

use super::farm::Farm;
use crate::prometheus::Prometheus;
use crate::support::exporter::Exporter;
use crate::support::fixtures;
use crate::support::peers;

/// Expressions that HAProxy's own exporter does not answer in the farm: it is built without zlib, it loses no
/// log line, and no server changes its state.
const UNANSWERED: [&str; 5] = [
    "haproxy_process_current_zlib_memory{}",
    "haproxy_process_max_zlib_memory{}",
    "rate(haproxy_backend_check_up_down_total{}[1m]) != 0",
    "rate(haproxy_process_dropped_logs_total{}[1m]) != 0",
    "rate(haproxy_server_check_up_down_total{}[1m]) != 0",
];

/// The only series that ours cannot have: how long the last check took of a server whose checks are
/// paused.
const PAUSED: &str =
    "__name__=\"haproxy_server_check_duration_seconds\",proxy=\"app\",server=\"paused\",";

/// Both exporters of one HAProxy, scraped by one Prometheus.
struct Both {
    prometheus: Prometheus,
    exporter: Exporter,
    _farm: Farm,
}

impl Both {
    fn start() -> Option<Both> {
        let farm = Farm::start()?;
        let exporter = Exporter::start(&[&farm.haproxy.unix_flag()]);
        let job = |name: &str, target: String, params: &str| {
            format!(
                "  - job_name: {name}\n    static_configs: [{{targets: ['{target}']}}]\n{params}"
            )
        };
        let prometheus = Prometheus::start_with(&format!(
            "scrape_configs:\n{}{}",
            job("theirs", farm.builtin().to_string(), ""),
            job(
                "ours",
                exporter.address().to_string(),
                "    params: {names: [builtin]}\n"
            ),
        ))?;
        for name in ["theirs", "ours"] {
            // Rates need two.
            let scraped =
                format!("count_over_time(haproxy_process_uptime_seconds{{job=\"{name}\"}}[1m])");
            peers::wait_for(&scraped, || {
                let series = query(&prometheus, &scraped);
                series
                    .iter()
                    .any(|series| value(series) >= 3.0)
                    .then_some(())
            });
        }
        Some(Both {
            prometheus,
            exporter,
            _farm: farm,
        })
    }

    /// The label sets that answer an expression with a number, without those of the target.
    fn series(&self, expression: &str, job: &str) -> BTreeSet<String> {
        let ours = expression.replace('{', &format!("{{job=\"{job}\","));
        let series = query(&self.prometheus, &ours);
        let numbers = series.iter().filter(|series| !value(series).is_nan());
        numbers
            .map(|series| {
                let labels = series["metric"].as_object().expect("labels").iter();
                let own = labels.filter(|(name, _)| !["job", "instance"].contains(&name.as_str()));
                own.map(|(name, value)| format!("{name}={value},"))
                    .collect()
            })
            .collect()
    }
}

fn value(series: &Value) -> f64 {
    let text = series["value"][1].as_str().expect("a value");
    text.parse().expect("a number")
}

fn query(prometheus: &Prometheus, expression: &str) -> Vec<Value> {
    let encoded: String = expression
        .bytes()
        .map(|byte| format!("%{byte:02X}"))
        .collect();
    let response = prometheus.get(&format!("/api/v1/query?query={encoded}"));
    let answer: Value = serde_json::from_slice(&response.body).expect("JSON from Prometheus");
    assert_eq!(answer["status"], "success", "{expression}: {answer}");
    answer["data"]["result"]
        .as_array()
        .expect("a vector")
        .clone()
}

#[test]
fn answered_as_by_haproxy() {
    let Some(both) = Both::start() else { return };
    let list = fixtures::text("builtin/expressions.txt");
    let mut unanswered = Vec::new();
    let mut wrong = Vec::new();
    let mut counts = [0, 0];
    for line in list.lines() {
        let (sources, expression) = line.split_once('\t').expect("sources and an expression");
        let mut theirs = both.series(expression, "theirs");
        theirs.remove(PAUSED);
        if theirs.is_empty() {
            unanswered.push(expression);
            continue;
        }
        let ours = both.series(expression, "ours");
        if ours != theirs {
            let missing: Vec<_> = theirs.difference(&ours).take(3).collect();
            let extra: Vec<_> = ours.difference(&theirs).take(3).collect();
            wrong.push(format!(
                "{expression}: missing {missing:?}, extra {extra:?}"
            ));
        }
        for (count, source) in counts.iter_mut().zip(["12693", "mixin"]) {
            *count += usize::from(sources.contains(source));
        }
    }
    peers::note(&format!(
        "{} expressions: of dashboard 12693 {}, of the mixin {} answered; unanswered by HAProxy: {unanswered:?}",
        list.lines().count(),
        counts[0],
        counts[1],
    ));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(unanswered, UNANSWERED);
    assert_eq!(both.exporter.finish().problems(), []);
}
