//! `--haproxy.proxy-include` and `--haproxy.proxy-exclude`: whose rows are exported.

use super::answers::Answers;
use super::ours;
use super::reference;
use super::responder::Responder;
use crate::support::exporter::Exporter;

/// Patterns to include and to exclude, and the proxies that are left.
const CASES: [(&[&str], &[&str], &[&str]); 13] = [
    (&["be_http"], &[], &["be_http"]),
    (&["be_h*"], &[], &["be_http", "be_h2"]),
    (&["*_h2*"], &[], &["be_h2", "fe_h2c"]),
    (
        &["fe_*", "st_*"],
        &["*s*"],
        &["fe_http", "fe_full", "fe_quic", "fe_h2c"],
    ),
    (&["?e_h??p"], &[], &["fe_http", "be_http"]),
    (&["st_???"], &["*_?nt", "st_*r"], &["st_src"]),
    (&["be_tcp", "be_tcp"], &[], &["be_tcp"]),
    (&["be_?"], &[], &["be_q"]),
    (&["BE_*"], &[], &[]),
    (&["be"], &[], &[]),
    (&["nothing"], &[], &[]),
    (&["*"], &["*"], &[]),
    (&[], &["?e_*", "st_*"], &["tcp_listen", "metrics"]),
];

/// Patterns that leave no proxy are logged once; others are not.
fn assert_problems(exporter: Exporter, kept: &[&str], context: &str) {
    let problems = exporter.finish().problems();
    let messages: Vec<&str> = problems
        .iter()
        .map(|problem| problem.msg.as_str())
        .collect();
    let expected: &[&str] = match kept {
        [] => &["no proxy is exported"],
        _ => &[],
    };
    assert_eq!(messages, expected, "{context}: {problems:?}");
}

/// Every sample of the proxies that are left, and of nothing else but the process, under both names.
#[test]
fn patterns() {
    let answers = Answers::recorded("3.4.0", "", "");
    let responder = Responder::start(answers.clone());
    let all = reference::main(&answers);
    let exporter = Exporter::start(&[&responder.flag()]);
    let unfiltered = ours::get(&exporter, "/metrics");
    for (include, exclude, kept) in CASES {
        let include = include
            .iter()
            .map(|pattern| format!("--haproxy.proxy-include={pattern}"));
        let exclude = exclude
            .iter()
            .map(|pattern| format!("--haproxy.proxy-exclude={pattern}"));
        let flags: Vec<String> = include.chain(exclude).chain([responder.flag()]).collect();
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        let context = format!("{flags:?}");
        let exporter = ours::start(&flags);

        let mut expected = all.clone();
        expected.retain(|_, sample| {
            let proxy = sample.labels.iter().find(|(name, _)| name == "proxy");
            proxy.is_none_or(|(_, proxy)| kept.contains(&proxy.as_str()))
        });
        ours::assert_same(&ours::get(&exporter, "/metrics"), &expected, &context);

        assert_problems(exporter, kept, &context);

        let exporter = Exporter::start(&flags);
        let mut wanted = unfiltered.clone();
        for family in &mut wanted {
            family.samples.retain(|sample| {
                let mut proxies = sample.labels.iter();
                let proxy = proxies.find(|(name, _)| name == "frontend" || name == "backend");
                proxy.is_none_or(|(_, proxy)| kept.contains(&proxy.as_str()))
            });
        }
        wanted.retain(|family| !family.samples.is_empty() && !ours::is_own(&family.name));
        let mut got = ours::get(&exporter, "/metrics");
        got.retain(|family| !ours::is_own(&family.name));
        assert!(got == wanted, "{context}");
        assert_problems(exporter, kept, &context);
    }
}
